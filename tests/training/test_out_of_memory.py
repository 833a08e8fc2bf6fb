"""Too little memory in the midst of a step: what the error says, and that nothing of the step remains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat._core import devices
from torchkeras_compat.training.out_of_memory import OutOfMemoryError, is_out_of_memory, mebibytes

X = np.random.default_rng(1).normal(size=(32, 6)).astype("float32")
SERIES = np.random.default_rng(2).normal(size=(32, 4, 6)).astype("float32")
Y = np.random.default_rng(3).normal(size=(32, 3)).astype("float32")
CUDA = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB\nand more."


class Fails(L.Layer):
    """A layer for which no memory is left at one of its runs, or for too many samples."""

    def __init__(self, at: int = 0, most: int | None = None, error: type[Exception] = torch.OutOfMemoryError) -> None:
        super().__init__()
        self.at, self.most, self.error = at, most, error
        self.armed = False
        self.runs = 0

    def call(self, inputs: Tensor) -> Tensor:
        if self.armed:
            self.runs += 1
            if self.runs == self.at or (self.most is not None and len(inputs) > self.most):
                raise self.error(CUDA)
        return inputs * 1


def model_with(layer: Fails, optimizer: Any = "adam", stateful: bool = False) -> Any:
    np.random.seed(4)
    if stateful:
        first: list[Any] = [L.LSTM(4, stateful=True, batch_input_shape=(8, 4, 6))]
    else:
        first = [L.Dense(64, input_dim=6), L.BatchNormalization()]
    model = keras.Sequential([*first, layer, L.Dense(3)])
    model.compile(optimizer(model) if callable(optimizer) else optimizer, "mse")
    return model


def state_of(model: Any) -> list[Any]:
    optimizer = model.optimizer
    slots = [v for held in optimizer.state.values() for v in held.values() if isinstance(v, Tensor)]
    tensors = [*model.parameters(), *model.buffers(), *slots]
    return [int(optimizer.iterations), *(t.detach().clone() for t in tensors)]


def assert_same(actual: list[Any], expected: list[Any]) -> None:
    assert len(actual) == len(expected)
    for got, want in zip(actual, expected):
        torch.testing.assert_close(got, want, rtol=0, atol=0)


CALLS: dict[str, Callable[[Any], Any]] = {
    "fit": lambda model: model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0),
    "train_on_batch": lambda model: [model.train_on_batch(X[i : i + 8], Y[i : i + 8]) for i in range(0, 32, 8)],
}


@pytest.mark.parametrize("at", [1, 3])
@pytest.mark.parametrize("call", CALLS)
def test_a_step_without_memory_leaves_nothing(call: str, at: int) -> None:
    layer = Fails(at)
    model = model_with(layer)
    model.train_on_batch(X[:8], Y[:8])
    layer.armed = True
    seen: list[list[Any]] = []
    train = model.make_step("train").train

    def notes(batch: Any) -> None:
        seen.append(state_of(model))
        train(batch)

    model.make_step("train").train = notes
    with pytest.raises(torch.OutOfMemoryError, match="no memory was left for a batch of 8 samples"):
        CALLS[call](model)
    assert len(seen) == at
    assert_same(state_of(model), seen[-1])
    assert model.optimizer.iterations == at
    CALLS[call](model)  # goes on as if nothing had been


def test_the_error_names_what_holds_the_memory_and_what_to_lower() -> None:
    layer = Fails(2)
    model = model_with(layer)
    layer.armed = True
    with pytest.raises(OutOfMemoryError) as raised:
        CALLS["fit"](model)
    weights = sum(t.numel() * t.element_size() for t in [*model.parameters(), *model.buffers()])
    slots = 2 * sum(p.numel() * 4 for p in model.parameters())
    told = str(raised.value)
    assert told.startswith("fit: no memory was left for a batch of 8 samples; ")
    assert f"the model's weights hold {weights / 2**20:.1f} MiB" in told
    assert f"the optimizer's slots {slots / 2**20:.1f} MiB" in told
    assert "Lower batch_size (it was 8)" in told
    assert "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB)" in told
    assert isinstance(raised.value, RuntimeError)
    assert isinstance(raised.value.__cause__, torch.OutOfMemoryError)


def test_graphs_are_named_where_they_hold_memory() -> None:
    layer = Fails(1)
    model = model_with(layer)
    step = model.make_step("train")

    class Graphs:
        def prepare(self, rebuilt: bool) -> None:
            pass

        def train(self, batch: Any) -> bool:
            return False

        def held_bytes(self) -> int:
            return 3 << 20

    step.choose_executor = lambda step, device: Graphs()
    layer.armed = True
    with pytest.raises(OutOfMemoryError, match=r"its graphs 3\.0 MiB"):
        CALLS["fit"](model)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.predict(X, batch_size=8),
        lambda m: m.predict(X[:8]),
        lambda m: m.predict_on_batch(X[:8]),
        lambda m: m.evaluate(X, Y, batch_size=8, verbose=0),
        lambda m: m.test_on_batch(X[:8], Y[:8]),
    ],
)
def test_without_training_the_batch_is_named_too(call: Callable[[Any], Any]) -> None:
    layer = Fails(most=0)
    model = model_with(layer)
    layer.armed = True
    with pytest.raises(OutOfMemoryError, match=r"batch of (8|32) samples; the model's weights hold \S+ MiB\. Lower"):
        call(model)


def test_the_states_of_a_model_are_put_back() -> None:
    layer = Fails(2)
    model = model_with(layer, stateful=True)
    layer.armed = True
    model.predict_on_batch(SERIES[:8])
    before = [b.clone() for b in model.buffers()]
    assert any(b.any() for b in before)
    with pytest.raises(OutOfMemoryError, match="batch of 8 samples"):
        model.predict_on_batch(SERIES[8:16])
    assert_same(list(model.buffers()), before)


def test_batches_that_were_joined_come_alone_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    model = keras.Sequential([L.Dense(4, input_dim=6), L.Dense(3)])
    model.compile("sgd", "mse")
    expected, loss = model.predict(X, batch_size=8), model.evaluate(X, Y, batch_size=8, verbose=0)
    sizes: list[int] = []
    call = L.Dense.call

    def short(self: Any, inputs: Tensor) -> Tensor:
        if self is model.layers[0]:
            sizes.append(len(inputs))
            if len(inputs) > 8:
                raise torch.OutOfMemoryError(CUDA)
        return call(self, inputs)

    monkeypatch.setattr(L.Dense, "call", short)
    monkeypatch.setattr(L.Dense, "forward", short)
    np.testing.assert_array_equal(model.predict(X, batch_size=8), expected)
    assert sizes == [32, 8, 8, 8, 8]
    np.testing.assert_allclose(model.evaluate(X, Y, batch_size=8, verbose=0), loss, rtol=1e-6)


def test_the_first_update_of_a_device_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "on_host", lambda tensor: False)
    model = model_with(Fails())
    step = model.make_step("train")
    step.prepare()
    before, step_groups = state_of(model), step.update.step_groups

    def half(gradients: Any, scalars: Any) -> None:
        for tensor in [*model.parameters(), *model.optimizer.slots_of(next(model.parameters())).values()]:
            tensor.data.add_(1)
        raise torch.OutOfMemoryError(CUDA)

    step.update.step_groups = half
    with pytest.raises(OutOfMemoryError):
        CALLS["fit"](model)
    assert_same(state_of(model), before)
    step.update.step_groups = step_groups
    CALLS["fit"](model)
    assert step.update.has_stepped


def test_a_model_that_moved_is_put_back_in_its_new_type() -> None:
    layer = Fails(2)
    model = model_with(layer)
    layer.armed = True
    model.train_on_batch(X[:8], Y[:8])
    model.to(torch.float64)
    model.layers[1].norm.running_mean.add_(1e-12)
    before = state_of(model)
    with pytest.raises(OutOfMemoryError):
        model.train_on_batch(X[:8], Y[:8])
    assert_same(state_of(model)[1:9], before[1:9])  # weights and buffers; slots are made anew


def test_other_errors_are_what_they_are() -> None:
    layer = Fails(1, error=ArithmeticError)
    model = model_with(layer)
    layer.armed = True
    with pytest.raises(ArithmeticError, match=r"^CUDA out of memory"):
        CALLS["fit"](model)
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"))
    assert is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried …"))


def test_views_count_once() -> None:
    whole = torch.zeros(1 << 18)
    assert mebibytes([whole, whole[:4], whole[4:]]) == "1.0 MiB"
