"""Metric functions, the base class, users' subclasses, and names by dialect."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import losses, metrics
from torchkeras_compat._core import dialects, registry, settings

TF, CLASSIC, OLD, OLDEST = (
    d.rules for d in (dialects.TF_KERAS, dialects.KERAS_2_3, dialects.KERAS_2_2, dialects.KERAS_1)
)


class Hits(metrics.Metric):
    """A metric as tutorials write it for tf.keras."""

    def __init__(self, name: str = "hits", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.hits = self.add_weight(name="hits", initializer="zeros")
        self.seen = self.add_weight("seen", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.hits.assign_add((y_true == y_pred.round()).float().sum())
        self.seen.assign_add(len(y_true))

    def result(self) -> torch.Tensor:
        return self.hits / (self.seen + 1e-7)


def test_a_users_metric() -> None:
    metric = Hits()
    assert metric.update_state(torch.tensor([1.0, 0]), torch.tensor([0.9, 0.9])) is None
    assert float(metric.result()) == pytest.approx(0.5)
    assert type(metric.result()) is torch.Tensor
    assert [v.name for v in metric.variables] == ["hits:0", "seen:0"]  # as in Keras 2.15.0
    assert metric(torch.tensor([1.0]), torch.tensor([1.0])) == pytest.approx(2 / 3)
    metric.reset_states()
    assert float(metric.hits) == float(metric.seen) == 0
    assert metric.get_config() == {"name": "hits", "dtype": "float32"}


def test_copies_are_independent_and_whole() -> None:
    metric = Hits()
    metric.update_state(torch.ones(2), torch.ones(2))
    for other in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        other.update_state(torch.ones(1), torch.zeros(1))
        assert float(other.variables[1]) == float(other.seen) == 3
        assert float(other.result()) == pytest.approx(2 / 3)
    assert float(metric.seen) == 2


def test_old_and_new_names_of_reset() -> None:
    calls = []

    class Old(metrics.Mean):
        def reset_states(self) -> None:
            calls.append("old")
            super().reset_states()

    class New(metrics.Mean):
        def reset_state(self) -> None:
            calls.append("new")
            super().reset_state()

    for metric in (Old(), New()):
        metric.update_state([2.0])
        metric.reset_state()
        metric.reset_states()
        assert float(metric.total) == 0
    assert calls == ["old", "old", "new", "new"]


def test_states_survive_inference_mode_and_gradients() -> None:
    metric = metrics.MeanSquaredError()
    with torch.inference_mode():
        metric.update_state(torch.zeros(2, 1), torch.ones(2, 1))
    p = torch.ones(2, 1, requires_grad=True) * 3
    metric.update_state(torch.zeros(2, 1), p)
    assert float(metric.result()) == 5.0
    assert not metric.total.requires_grad
    metric.total.assign(1.0)
    metric.total.assign_sub(torch.tensor(0.5))
    assert metric.total.numpy() == np.float32(0.5)


def test_nothing_reads_the_device() -> None:
    # On the meta device a read fails, and so does a shape that depends on data.
    y, p = torch.zeros(4, 3, device="meta"), torch.zeros(4, 3, device="meta")
    index = torch.zeros(4, dtype=torch.int64, device="meta")
    for name, target in [
        ("categorical_accuracy", y),
        ("sparse_categorical_accuracy", index),
        ("binary_accuracy", y),
        ("top_k_categorical_accuracy", y),
        ("hinge", y),
        ("matthews_correlation", y),
        ("fbeta_score", y),
    ]:
        assert metrics.get(name)(target, p).device.type == "meta"


@pytest.mark.parametrize("y", [[0, 1, 1], [[0], [1], [1]]])
@pytest.mark.parametrize("p", [[0.2, 0.8, 0.4], [[0.2], [0.8], [0.4]]])
def test_vectors_and_columns_meet(y: Any, p: Any) -> None:
    for cls in (metrics.BinaryAccuracy, metrics.Precision, metrics.AUC, metrics.MeanSquaredError):
        expected = cls()(np.array([[0], [1], [1]]), np.array([[0.2], [0.8], [0.4]], "float32"))
        torch.testing.assert_close(cls()(np.array(y), np.array(p, "float32")), expected)
    if np.ndim(y) == np.ndim(p) == 1:
        return  # Keras takes two vectors for one sample of many labels
    weighted = metrics.BinaryAccuracy()
    weighted.update_state(np.array(y), np.array(p, "float32"), sample_weight=np.array([1.0, 1.0, 2.0]))
    assert float(weighted.result()) == pytest.approx(0.5)


def test_top_k_ties_and_what_is_not_finite() -> None:
    # Measured on Keras 2.15 (tf.math.in_top_k).
    p = np.array([[0.2, 0.2, 0.6], [0.5, 0.5, 0.5], [0.1, np.nan, 0.3], [0.3, 0.3, 0.1]], "float32")
    top = functools.partial(metrics.sparse_top_k_categorical_accuracy, y_pred=p)
    assert [top(np.full(4, c), k=1).tolist() for c in range(3)] == [[0, 1, 0, 1], [0, 1, 0, 1], [1, 1, 0, 0]]
    assert [top(np.full(4, c), k=2).tolist() for c in range(3)] == [[1, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 0]]
    assert top(np.array([-1, 3, 5, 0]), k=2).tolist() == [0, 0, 0, 1]


def test_keras_1_functions() -> None:
    y, p = [[1.0], [1.0], [0.0], [0.0]], [[0.9], [0.2], [0.7], [0.1]]
    assert float(metrics.precision(y, p)) == pytest.approx(0.5)
    assert float(metrics.recall(y, p)) == pytest.approx(0.5)
    assert float(metrics.fmeasure(y, p)) == pytest.approx(0.5)
    assert float(metrics.matthews_correlation(y, p)) == pytest.approx(0.0, abs=1e-6)
    assert float(metrics.fbeta_score([[0.0]], [[0.9]], beta=2)) == 0.0
    with pytest.raises(ValueError, match="beta must be 0 or more"):
        metrics.fbeta_score(y, p, beta=-1)
    assert metrics.get("precision") is metrics.precision
    assert isinstance(metrics.get("Precision"), metrics.Precision)


@pytest.mark.parametrize(
    ("name", "loss", "output", "target", "classic", "by_shape"),
    [
        ("acc", "mse", (None, 1), (8, 1), "binary_accuracy", "binary_accuracy"),
        ("accuracy", "binary_crossentropy", (None, 3), (8, 3), "binary_accuracy", "categorical_accuracy"),
        ("acc", losses.BinaryCrossentropy(), (None, 3), (8, 3), "binary_accuracy", "categorical_accuracy"),
        ("acc", losses.sparse_categorical_crossentropy, (None, 3), (8,), *["sparse_categorical_accuracy"] * 2),
        ("acc", losses.SparseCategoricalCrossentropy(), (None, 3), (8, 1), *["sparse_categorical_accuracy"] * 2),
        ("acc", "mse", (None, 3), (8, 1), "categorical_accuracy", "sparse_categorical_accuracy"),
        ("acc", "categorical_crossentropy", (None, 3), (8, 3), *["categorical_accuracy"] * 2),
        ("ce", "categorical_crossentropy", (None, 3), (8, 3), *["categorical_crossentropy"] * 2),
        ("crossentropy", "mse", (None, 1), (8, 1), *["binary_crossentropy"] * 2),
        ("ce", "sparse_categorical_crossentropy", (None, 5, 3), (8, 5), *["sparse_categorical_crossentropy"] * 2),
    ],
)
def test_accuracy_is_chosen_by_loss_or_by_shape(
    name: str, loss: Any, output: Any, target: Any, classic: str, by_shape: str
) -> None:
    for rules, expected in ((CLASSIC, classic), (TF, by_shape), (OLD, classic)):
        _, metric = metrics.resolve(name, rules=rules, loss=loss, output_shape=output, target_shape=target)
        assert isinstance(metric, metrics.MeanMetricWrapper)
        assert metric.fn is metrics.get(expected)
    _, metric = metrics.resolve(name, rules=TF, loss=loss, output_shape=output)  # shapes unknown: by the loss
    assert isinstance(metric, metrics.MeanMetricWrapper)
    assert metric.fn is metrics.get(classic)


def _mine(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
    return (y_true - y_pred).abs()


@pytest.mark.parametrize(
    ("given", "now", "old"),
    [
        ("accuracy", "accuracy", "acc"),
        ("acc", "acc", "acc"),
        ("crossentropy", "crossentropy", "ce"),
        ("mse", "mse", "mean_squared_error"),
        ("MSE", "MSE", "mean_squared_error"),
        ("kld", "kld", "kullback_leibler_divergence"),
        ("logcosh", "logcosh", "logcosh"),
        (metrics.mae, "mean_absolute_error", "mean_absolute_error"),
        (metrics.BinaryAccuracy(), "binary_accuracy", "binary_accuracy"),
        (metrics.BinaryAccuracy(name="b"), "b", "b"),
        (losses.Huber(), "huber_loss", "huber_loss"),
        (_mine, "_mine", "_mine"),
        (functools.partial(metrics.binary_accuracy, threshold=0.2), "partial", "partial"),
        ("MeanAbsoluteError", "mean_absolute_error", "mean_absolute_error"),
        ({"class_name": "Precision", "config": {"name": "p"}}, "p", "p"),
    ],
)
def test_keys_of_the_history(given: Any, now: str, old: str) -> None:
    for rules, expected in ((TF, now), (CLASSIC, now), (OLD, old)):
        metrics.check(given)
        name, metric = metrics.resolve(given, rules=rules, loss="mse", output_shape=(None, 1), target_shape=(8, 1))
        assert name == metric.name == expected


@pytest.mark.parametrize(("rules", "expected"), [(TF, 1.0), (CLASSIC, 1.0), (OLD, -1.0), (OLDEST, -0.5)])
def test_cosine_proximity_by_dialect(rules: dialects.Rules, expected: float) -> None:
    y = torch.tensor([[3.0, 4.0]])
    _, metric = metrics.resolve("cosine_proximity", rules=rules, output_shape=(None, 2))
    torch.testing.assert_close(metric(y, y), torch.tensor(expected))
    torch.testing.assert_close(metrics.cosine_similarity(y, y), torch.tensor([1.0]))


def test_a_users_function_sees_aligned_targets() -> None:
    _, metric = metrics.resolve(_mine, output_shape=(None, 1))
    metric.update_state(np.array([0.0, 1.0]), np.array([[0.0], [0.0]]))
    assert float(metric.result()) == 0.5
    whole, _ = metrics.resolve(lambda y, p: (y - p).abs().max(), output_shape=(None, 1)), None
    whole[1].update_state(np.array([0.0, 1.0]), np.array([[0.0], [0.0]]), sample_weight=np.array([1.0, 3.0]))
    assert float(whole[1].result()) == 1.0


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"did you mean .*'accuracy'"):
        metrics.check("acuracy")
    with pytest.raises(TypeError, match="a metric must be a string"):
        metrics.check(3)
    with pytest.raises(ValueError, match=r"Precision\(thresholds=1.5\): thresholds must be numbers in \[0, 1\]"):
        metrics.Precision(thresholds=1.5)
    with pytest.raises(ValueError, match="curve must be one of"):
        metrics.AUC(curve="ROCK")
    with pytest.raises(ValueError, match="num_labels needs multi_label=True"):
        metrics.AUC(num_labels=3)
    with pytest.raises(ValueError, match="num_thresholds must be an integer > 1"):
        metrics.AUC(num_thresholds=1)
    with pytest.raises(ValueError, match="target_class_ids must be classes from 0 to 1"):
        metrics.IoU(num_classes=2, target_class_ids=[2])
    with pytest.raises(TypeError, match="unknown argument; did you mean 'threshold'"):
        metrics.BinaryAccuracy(treshold=0.2)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="no value yet"):
        metrics.MeanTensor().result()
    with pytest.raises(ValueError, match="cannot be merged"):
        metrics.Mean().merge_state([metrics.Sum()])


def test_automatic_names() -> None:
    settings.reset_uids()
    with dialects.using("tf.keras"):
        assert [metrics.AUC().name for _ in range(2)] == ["auc", "auc_1"]
    settings.reset_uids()
    assert [metrics.MeanIoU(2).name for _ in range(2)] == ["mean_io_u_1", "mean_io_u_2"]


def test_wrapper_configuration() -> None:
    metric = metrics.MeanMetricWrapper(metrics.binary_accuracy, name="b", threshold=0.3)
    config = metric.get_config()
    assert config == {"name": "b", "dtype": "float32", "fn": "binary_accuracy", "threshold": 0.3}
    again = metrics.MeanMetricWrapper.from_config(config)
    assert float(again([[1.0]], [[0.4]])) == 1.0


CLASSES = sorted(n for n, e in registry.KINDS["metric"].entries.items() if inspect.isclass(e))


def test_every_loss_function_is_a_metric() -> None:
    for name, entry in registry.KINDS["loss"].entries.items():
        if not inspect.isclass(entry):
            assert callable(metrics.get(name))


def test_mean_type_metrics_tell_their_values() -> None:
    y, p = torch.eye(3), torch.softmax(torch.eye(3), -1)
    for cls in (metrics.CategoricalAccuracy, metrics.MeanSquaredError, metrics.KLDivergence):
        metric = cls()
        assert metric.averages
        torch.testing.assert_close(metric(y, p), metric.values(y, p).mean())
    assert not metrics.AUC().averages
    assert not metrics.RootMeanSquaredError().averages
    assert not metrics.SparseCategoricalCrossentropy(ignore_class=0).averages


def test_crossentropy_metrics_are_fused_too() -> None:
    z, y = torch.tensor([[200.0, -200.0]]), torch.tensor([[0.0, 1.0]])
    name, metric = metrics.resolve("crossentropy", rules=TF, output_shape=(None, 2), target_shape=(8, 2))
    fused = metrics.fused(metric, "softmax", TF)
    assert name == "crossentropy"
    assert fused is not None
    torch.testing.assert_close(fused(y, z), torch.tensor([400.0]))
    smooth = metrics.fused(metrics.BinaryCrossentropy(label_smoothing=0.2), "sigmoid", CLASSIC)
    assert smooth is not None
    torch.testing.assert_close(smooth(y, z), losses.binary_crossentropy(y, z, from_logits=True, label_smoothing=0.2))
    assert metrics.fused(metrics.AUC(), "sigmoid", TF) is None
    assert metrics.fused(metrics.MeanSquaredError(), "sigmoid", TF) is None
