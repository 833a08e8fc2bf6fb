"""Indices and labels that no row or class belongs to, and NaN: on CUDA an error or NaN, never the end of the process.

The ways that CUDA takes are walked on the CPU, whose kernels would raise at each index that gets past them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import torchkeras_compat as keras
import torchkeras_compat.backend as K
from torchkeras_compat import layers as L
from torchkeras_compat import losses, metrics
from torchkeras_compat._core import devices, lookups
from torchkeras_compat.compat import tensorflow_functions as tf_functions
from torchkeras_compat.training.data import targets
from torchkeras_compat.training.step import handwritten

pytestmark = pytest.mark.usefixtures("ways_of_cuda")
SPARSE = "sparse_categorical_crossentropy"
WORDS = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 1, 2]])
LABELS = np.array([0, 1, 2, 1])
OUT_OF_RANGE = r"index 10 is out of range for input_dim=10; write input_dim=11 or more"


def wrong(values: np.ndarray[Any, Any], value: Any) -> np.ndarray[Any, Any]:
    changed = values.copy()
    changed.flat[-1] = value
    return changed


def sequential() -> Any:
    return keras.Sequential([L.Embedding(10, 4, input_length=3), L.Flatten(), L.Dense(3, activation="softmax")])


def functional() -> Any:
    x = L.Input((3,), dtype="int32")
    y = L.Dense(3, activation="softmax")(L.Flatten()(L.Embedding(10, 4)(x)))
    return keras.Model(x, y)


def two_inputs() -> Any:
    first, second = L.Input((3,)), L.Input((2,))
    joined = L.Concatenate()([L.Flatten()(L.Embedding(10, 4)(first)), second])
    return keras.Model([first, second], L.Dense(3, activation="softmax")(joined))


def nested() -> Any:
    return keras.Sequential([sequential(), L.Dense(3, activation="softmax")])


MODELS: dict[str, Callable[[], Any]] = {
    "sequential": sequential,
    "functional": functional,
    "two inputs": two_inputs,
    "nested": nested,
}


def compiled(name: str) -> Any:
    model = MODELS[name]()
    model.compile("sgd", SPARSE)
    return model


def inputs(name: str, words: Any) -> Any:
    return [words, np.ones((len(words), 2), "float32")] if name == "two inputs" else words


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "fit": lambda model, x: model.fit(x, LABELS, batch_size=2, verbose=0),
    "evaluate": lambda model, x: model.evaluate(x, LABELS, verbose=0),
    "predict": lambda model, x: model.predict(x, batch_size=2),
    "predict at once": lambda model, x: model.predict(x),
    "train_on_batch": lambda model, x: model.train_on_batch(x, LABELS),
    "generator": lambda model, x: model.fit(iter([(x, LABELS)] * 2), steps_per_epoch=2, verbose=0),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("value", [10, -1])
def test_indices_of_the_host_are_named_before_the_device_sees_them(name: str, call: str, value: int) -> None:
    model = compiled(name)
    CALLS[call](model, inputs(name, WORDS))
    before = model.get_weights()
    said = OUT_OF_RANGE if value == 10 else r"index -1 is out of range for input_dim=10; indices count from 0"
    with pytest.raises(ValueError, match=rf"Embedding 'embedding(_\d)?': {said}"):
        CALLS[call](model, inputs(name, wrong(WORDS, value)))
    for got, want in zip(model.get_weights(), before):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", ["sequential", "functional", "nested"])
def test_a_call_with_an_array_names_its_index_too(name: str) -> None:
    with pytest.raises(ValueError, match=OUT_OF_RANGE):
        MODELS[name]()(wrong(WORDS, 10))


def test_indices_that_only_the_device_knows_give_nan() -> None:
    layer = L.Embedding(10, 4)
    layer._build_from((None, 3))
    x = torch.from_numpy(wrong(WORDS, 10))
    y = layer._run(x, None, False)[0]
    assert y[-1, -1].isnan().all()
    assert y.isnan().sum() == 4
    y.nansum().backward()
    assert layer.embedding.weight.grad is not None
    assert layer.embedding.weight.grad.isfinite().all()


class Reads:
    """Counts how often the values of a device are asked for, with all tensors on a device."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        monkeypatch.setattr(devices, "on_host", lambda tensor: False)
        for module, name in ((targets, "to_numpy"), (lookups, "expect_in_range")):
            monkeypatch.setattr(module, name, self._counting(getattr(module, name)))
        monkeypatch.setattr("torchkeras_compat.layers.embeddings.expect_in_range", lookups.expect_in_range)

    def _counting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counts(*args: Any) -> Any:
            self.count += 1
            return function(*args)

        return counts


def on_device() -> tuple[Tensor, Tensor]:
    return torch.from_numpy(WORDS), torch.from_numpy(LABELS)


def test_what_is_on_the_device_is_read_once_a_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    model, reads = compiled("sequential"), Reads(monkeypatch)
    model.fit(*on_device(), batch_size=1, epochs=3, verbose=0)
    assert reads.count == 2  # indices and labels
    x, y = on_device()
    with pytest.raises(ValueError, match=OUT_OF_RANGE):
        model.fit(torch.from_numpy(wrong(WORDS, 10)), y, verbose=0)
    with pytest.raises(ValueError, match=r"class index 3 .* is out of range; with 3 classes"):
        model.fit(x, torch.from_numpy(wrong(LABELS, 3)), verbose=0)


def test_batches_of_the_device_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    model, reads = compiled("sequential"), Reads(monkeypatch)

    def source() -> Iterator[Any]:
        while True:
            yield on_device()

    model.fit(source(), steps_per_epoch=5, verbose=0)
    assert reads.count == 0
    words, labels = on_device()
    assert np.isnan(model.train_on_batch(words, torch.from_numpy(wrong(LABELS, 3))))
    assert reads.count == 0
    with pytest.raises(ValueError, match="class indices must have shape"):  # which is known without reading
        model.train_on_batch(words, labels[:, None].repeat(1, 2))


def test_shapes_of_targets_on_the_device_follow_the_loss() -> None:
    model = compiled("sequential")
    meta = torch.zeros(4, 1, device="meta", dtype=torch.int64)  # which cannot be read
    assert targets.target_tensors(meta, model._signature()).shape == (4,)


# --- kernels that look indices up ------------------------------------------------------------------------------------

LOGITS = torch.tensor([[0.5, 1.0, -1.0], [2.0, 0.0, 0.3]])
LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "sparse": lambda y: losses.sparse_categorical_crossentropy(y, torch.softmax(LOGITS, 1)),
    "sparse, logits": lambda y: losses.sparse_categorical_crossentropy(y, LOGITS, from_logits=True),
    "fused": lambda y: losses.fused(SPARSE, "softmax")(y, LOGITS),
    "fused mean": lambda y: losses.fused_mean(SPARSE, "softmax")(y, LOGITS),
    "written out": lambda y: handwritten.sparse_gradient(y, LOGITS),
    "of torch": lambda y: losses.torch_losses.caller(torch.nn.CrossEntropyLoss())(y, LOGITS),
    "of tf": lambda y: tf_functions.sparse_softmax_cross_entropy_with_logits(y, LOGITS),
    "K.gather": lambda y: K.gather(LOGITS.t(), y),
    "tf.gather": lambda y: tf_functions.gather(LOGITS, y, axis=1),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_label_out_of_range_is_nan_and_others_are_as_ever(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = LOSSES[name](torch.tensor([2, 1]))
    spoiled = LOSSES[name](torch.tensor([2, 3]))
    assert spoiled.isnan().any()
    monkeypatch.undo()
    torch.testing.assert_close(values, LOSSES[name](torch.tensor([2, 1])))


def test_an_ignored_label_stays_ignored() -> None:
    loss = losses.torch_losses.caller(torch.nn.CrossEntropyLoss(ignore_index=-1))
    assert loss(torch.tensor([2, -1]), LOGITS).isfinite()
    assert losses.SparseCategoricalCrossentropy(ignore_class=-1)(torch.tensor([2, -1]), LOGITS).isfinite()


def test_a_negative_row_of_gather_counts_from_the_end() -> None:
    assert K.gather(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([-1, 0])).tolist() == [3, 1]


def test_what_is_no_probability_is_nan() -> None:
    loss = losses.torch_losses.caller(torch.nn.BCELoss())
    assert loss(torch.tensor([1.0, 0.0]), torch.tensor([0.5, float("nan")])).isnan()
    assert loss(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 1.5])).isnan()
    assert loss(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])).isfinite()


def test_metrics_of_wrong_numbers_end_nothing() -> None:
    iou = metrics.MeanIoU(3)
    iou.update_state(torch.tensor([0, 5]), torch.tensor([0, 2]))
    assert np.isnan(float(iou.result()))
    area = metrics.AUC()
    area.update_state(torch.tensor([0.0, 1.0]), torch.tensor([0.3, float("nan")]))
    assert np.isnan(float(area.result()))
