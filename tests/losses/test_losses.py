"""Losses as functions and classes: shapes that must be aligned, weights, reductions, names, configurations."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from torchkeras_compat import losses
from torchkeras_compat._core import dialects, registry, symbolic

FUNCTIONS = sorted(n for n, e in registry.KINDS["loss"].entries.items() if not inspect.isclass(e))
CLASSES = sorted(n for n, e in registry.KINDS["loss"].entries.items() if inspect.isclass(e))
ELEMENTWISE = [
    "mean_squared_error",
    "mean_absolute_error",
    "binary_crossentropy",
    "poisson",
    "hinge",
    "log_cosh",
    "huber",
]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_vector_and_column_are_aligned_never_broadcast(name: str) -> None:
    function = losses.get(name)
    y, p = torch.tensor([0.0, 1.0, 1.0]), torch.tensor([0.2, 0.7, 0.9])
    expected = function(y[:, None], p[:, None])
    assert expected.shape == (3,)
    torch.testing.assert_close(function(y, p[:, None]), expected)
    torch.testing.assert_close(function(y[:, None], p), expected)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "float32", "float64", "bool"])
def test_targets_of_any_type(dtype: str) -> None:
    y = np.array([0, 1, 1]).astype(dtype)
    p = torch.tensor([[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]])
    expected = -p[range(3), [0, 1, 1]].log()
    torch.testing.assert_close(losses.sparse_categorical_crossentropy(y, p), expected)
    torch.testing.assert_close(losses.sparse_categorical_crossentropy(y[:, None], p), expected)
    assert losses.mean_squared_error(y[:, None], p[:, :1]).dtype == p.dtype


def test_predictions_keep_their_float_type() -> None:
    y = torch.zeros(2, 3)
    for dtype in (torch.float64, torch.bfloat16):
        assert losses.mse(y, y.to(dtype)).dtype == dtype
    assert losses.mse([[1]], [[2]]).dtype == torch.float32
    assert losses.mse(np.ones((1, 1)), np.ones((1, 1))).dtype == torch.float64


def test_sparse_over_time_steps_and_a_wrong_count() -> None:
    p = torch.softmax(torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0)), -1)
    y = torch.tensor([[0, 1, 2], [3, 3, 0]])
    values = losses.sparse_categorical_crossentropy(y, p)
    assert values.shape == (2, 3)
    torch.testing.assert_close(losses.sparse_categorical_crossentropy(y[..., None], p), values)
    with pytest.raises(ValueError, match=r"class indices must have shape \(2, 3\).* got \(2, 2\)"):
        losses.sparse_categorical_crossentropy(y[:, :2], p)


def test_reductions_and_weights() -> None:
    y, p = torch.zeros(2, 3, 1), torch.tensor([[[1.0], [2], [3]], [[4], [5], [6]]])
    squares = torch.tensor([[1.0, 4, 9], [16, 25, 36]])
    make = losses.MeanSquaredError
    torch.testing.assert_close(make(reduction="none")(y, p), squares)
    torch.testing.assert_close(make(reduction="sum")(y, p), squares.sum())
    torch.testing.assert_close(make()(y, p), squares.mean())
    torch.testing.assert_close(make(reduction="SUM_OVER_BATCH_SIZE")(y, p), squares.mean())
    by_sample, by_step = torch.tensor([1.0, 0]), torch.tensor([[1.0, 0, 1], [0, 1, 0]])
    torch.testing.assert_close(make()(y, p, by_sample), squares[0].sum() / 6)
    torch.testing.assert_close(make()(y, p, by_sample[:, None]), squares[0].sum() / 6)
    torch.testing.assert_close(make()(y, p, by_step[..., None]), (squares * by_step).sum() / 6)
    torch.testing.assert_close(make()(y, p, 2.0), squares.mean() * 2)
    with pytest.raises(ValueError, match="does not fit losses of shape"):
        make()(y, p, torch.ones(3))


def test_mean_of_nothing_is_zero() -> None:
    assert float(losses.MeanSquaredError()(torch.zeros(0, 1), torch.zeros(0, 1))) == 0.0


def test_ignored_class_is_left_out_of_the_mean() -> None:
    # Measured on Keras 2.15: the mean divides by the samples that count, weights multiply before it.
    p = torch.softmax(torch.randn(4, 3, generator=torch.Generator().manual_seed(1)), -1)
    y, weight = torch.tensor([0, 1, 2, 1]), torch.tensor([1.0, 2, 3, 4])
    each = -p[range(4), y].log()
    loss = losses.SparseCategoricalCrossentropy(ignore_class=1)
    torch.testing.assert_close(loss(y, p), (each[0] + each[2]) / 2)
    torch.testing.assert_close(loss(y, p, weight), (each[0] + 3 * each[2]) / 2)
    assert loss.call(y, p)[1] == 0
    total = losses.SparseCategoricalCrossentropy(ignore_class=1, reduction="sum")
    torch.testing.assert_close(total(y, p), each[0] + each[2])


def test_probabilities_are_clipped_and_divided_by_their_sum() -> None:
    assert float(losses.categorical_crossentropy([[1.0, 0.0]], [[0.0, 1.0]])[0]) == pytest.approx(16.118, abs=1e-3)
    assert float(losses.categorical_crossentropy([[1.0, 0.0]], [[2.0, 2.0]])[0]) == pytest.approx(np.log(2))
    assert float(losses.binary_crossentropy([[1.0]], [[0.0]])[0]) == pytest.approx(15.425, abs=1e-3)


def test_log_cosh_does_not_overflow() -> None:
    assert float(losses.log_cosh([[0.0]], [[500.0]])[0]) == pytest.approx(500 - np.log(2), rel=1e-6)
    assert float(losses.log_cosh([[0.0]], [[-500.0]])[0]) == pytest.approx(500 - np.log(2), rel=1e-6)


def test_gradient_where_a_maximum_ties_is_tensorflows() -> None:
    p = torch.tensor([[1.0]], requires_grad=True)
    losses.hinge(torch.tensor([[1.0]]), p).sum().backward()
    assert float(p.grad) == -1.0  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CLASSES)
def test_class_round_trip(name: str) -> None:
    cls = registry.KINDS["loss"].entries[name]
    loss = cls(reduction="sum")
    config = losses.serialize(loss)
    again = losses.deserialize(config)
    assert type(again) is cls
    assert again.get_config() == loss.get_config() == config["config"]
    assert cls().name == losses.get(name).name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_round_trip_by_any_case(name: str) -> None:
    function = losses.get(name)
    assert losses.serialize(function) == name
    assert losses.get(losses.serialize(function)) is function
    assert losses.get(name.upper()) is function


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("mse", "mean_squared_error"),
        ("MAE", "mean_absolute_error"),
        ("mape", "mean_absolute_percentage_error"),
        ("msle", "mean_squared_logarithmic_error"),
        ("kld", "kl_divergence"),
        ("kullback_leibler_divergence", "kl_divergence"),
        ("bce", "binary_crossentropy"),
        ("cosine", "cosine_proximity"),
        ("logcosh", "log_cosh"),
        ("huber_loss", "huber"),
    ],
)
def test_aliases(alias: str, name: str) -> None:
    assert losses.get(alias) is losses.get(name) is getattr(losses, alias)


def test_the_configuration_of_a_keras_archive() -> None:
    config = {
        "module": "keras.losses",
        "class_name": "BinaryCrossentropy",
        "config": {"reduction": "auto", "name": "b", "from_logits": True, "fn": "binary_crossentropy"},
        "registered_name": None,
    }
    loss = losses.get(config)
    assert loss.from_logits is True
    assert loss.name == "b"


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="did you mean 'mean_squared_error'"):
        losses.get("mean_square_error")
    with pytest.raises(ValueError, match=r"Huber\(reduction='mean'\): reduction must be one of"):
        losses.Huber(reduction="mean")
    with pytest.raises(TypeError, match="unknown argument; did you mean 'delta'"):
        losses.Huber(delte=2.0)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="axis must be an integer"):
        losses.categorical_crossentropy([[1.0]], [[1.0]], axis=True)
    losses.Reduction.validate("none")
    with pytest.raises(ValueError, match="key must be one of"):
        losses.Reduction.validate("mean")


def test_a_users_class_and_custom_objects() -> None:
    class Twice(losses.Loss):
        def call(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
            return 2 * (y_true - y_pred).abs().mean(-1)

    loss = Twice(name="twice")
    torch.testing.assert_close(loss(torch.zeros(2, 1), torch.ones(2, 1)), torch.tensor(2.0))
    again = losses.deserialize(losses.serialize(loss), custom_objects={"Twice": Twice})
    assert again.name == "twice"
    with pytest.raises(NotImplementedError, match=r"override call"):
        losses.Loss()(torch.zeros(1), torch.zeros(1))


def test_symbolic_tensors_give_symbolic_losses() -> None:
    x = symbolic.SymbolicTensor((None, 3))
    y = symbolic.SymbolicTensor((None, 3))
    loss = losses.mean_squared_error(y, x)
    assert loss.shape == (None,)
    (value,) = symbolic.evaluate([loss], {x: torch.ones(2, 3), y: torch.zeros(2, 3)})
    torch.testing.assert_close(value, torch.ones(2))


@pytest.mark.parametrize(
    ("dialect", "expected"), [("keras-1", -0.5), ("keras-2.2", -1.0), ("keras-2.3", -1.0), ("tf.keras", -1.0)]
)
def test_cosine_proximity_follows_the_dialect(dialect: str, expected: float) -> None:
    y = torch.tensor([[3.0, 4.0]])
    with dialects.using(dialect) as found:
        torch.testing.assert_close(losses.cosine_proximity(y, y), torch.tensor([expected]))
    resolved = losses.resolve("cosine", found.rules)  # fixed for the model, whatever is current later
    torch.testing.assert_close(resolved(y, y), torch.tensor(expected))
    torch.testing.assert_close(losses.cosine_similarity(y, y), torch.tensor([-1.0]))
