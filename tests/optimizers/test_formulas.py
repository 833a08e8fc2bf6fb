"""Every optimizer's formula against 30 steps of Keras 2.15, and the classic ones against their definition in numpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from torchkeras_compat import optimizers
from torchkeras_compat._core import dialects

from . import cases

MEASURED = np.load(Path(__file__).with_name("steps.npz"))
# float32 against float32 in another order of operations; Keras also takes 1 − β₂ in float32, .001 to 5 digits
CLOSE = {"rtol": 3e-5, "atol": 3e-5}


def make(case: cases.Case) -> Any:
    dialect, name, kwargs = case
    with dialects.using(dialect):
        return getattr(optimizers, name)(**kwargs)


def gradients(weights: list[Tensor], step: list[np.ndarray[Any, Any]]) -> list[Tensor]:
    return [0.3 * w + torch.from_numpy(n) for w, n in zip(weights, step)]


def run(optimizer: Any) -> np.ndarray[Any, Any]:
    weights = [torch.from_numpy(w) for w in cases.start()]
    binding = optimizer.bind([("kernel", weights[0]), ("bias", weights[1])])
    for step in cases.noise():
        binding.step(gradients(weights, step))
    return np.concatenate([w.numpy().ravel() for w in weights])


@pytest.mark.parametrize("case", cases.CASES, ids=cases.key)
def test_thirty_steps_are_those_of_keras(case: cases.Case) -> None:
    np.testing.assert_allclose(run(make(case)), MEASURED[cases.key(case)], **CLOSE)


@pytest.mark.parametrize(
    "case", [c for c in cases.CASES if c[1] != "Adafactor" and "clipnorm" not in c[2]], ids=cases.key
)
def test_one_flat_tensor_gives_the_same(case: cases.Case) -> None:
    optimizer = make(case)
    flat = torch.from_numpy(np.concatenate([w.ravel() for w in cases.start()]))
    slots = {name: [optimizer.initial_slot(name, flat)] for name in optimizer.slot_names}
    for iteration, step in enumerate(cases.noise()):
        noise = np.concatenate([n.ravel() for n in step])
        grads = optimizer.clipping(gradients([flat], [noise]))
        optimizer.update([flat], grads, slots, optimizer.scalars(iteration))
    np.testing.assert_allclose(flat.numpy(), MEASURED[cases.key(case)], **CLOSE)


@pytest.mark.parametrize("case", cases.CASES, ids=cases.key)
def test_scalars_may_be_tensors(case: cases.Case) -> None:
    """Compiled and captured steps hand over 0-d tensors; the long-lived ones of a capture are written into."""
    optimizer = make(case)
    weights = [torch.from_numpy(w) for w in cases.start()]
    slots = optimizer.bind([("kernel", weights[0]), ("bias", weights[1])]).slots
    for iteration, step in enumerate(cases.noise()):
        scalars = {name: torch.tensor(value) for name, value in optimizer.scalars(iteration).items()}
        optimizer.update(weights, optimizer.clipping(gradients(weights, step)), slots, scalars)
    found = np.concatenate([w.numpy().ravel() for w in weights])
    np.testing.assert_allclose(found, MEASURED[cases.key(case)], **CLOSE)


def test_update_is_traced_whole_by_torch_compile() -> None:
    optimizer = optimizers.Adam(0.02)
    weights = [torch.from_numpy(w) for w in cases.start()]
    expected = run(optimizers.Adam(0.02))
    slots = {name: [optimizer.initial_slot(name, w) for w in weights] for name in optimizer.slot_names}
    compiled = torch.compile(optimizer.update, backend="eager", fullgraph=True)
    for iteration, step in enumerate(cases.noise()):
        scalars = {name: torch.tensor(value) for name, value in optimizer.scalars(iteration).items()}
        compiled(weights, gradients(weights, step), slots, scalars)
    np.testing.assert_allclose(np.concatenate([w.numpy().ravel() for w in weights]), expected, **CLOSE)


@pytest.mark.parametrize("case", cases.ROW_CASES, ids=cases.key)
def test_rows_are_updated_as_keras_updates_them(case: cases.Case) -> None:
    optimizer = make(case)
    weight = torch.from_numpy(cases.table())
    slots, sparse = optimizer.slots_of(weight), optimizer.sparse_rows
    by_rows = sparse.lazy or sparse.stay
    pending = sparse.pending(weight) if sparse.decay else None
    for iteration, (touched, values) in enumerate(cases.touched()):
        rows, grads, scalars = torch.from_numpy(touched), torch.from_numpy(values), optimizer.scalars(iteration)
        if by_rows:
            sparse.update(weight, rows, grads, slots, pending, scalars)
        else:
            dense = torch.zeros_like(weight).index_add_(0, rows, grads)
            optimizer.update([weight], [dense], {name: [slot] for name, slot in slots.items()}, scalars)
    np.testing.assert_allclose(weight.numpy(), MEASURED["rows " + cases.key(case)], **CLOSE)


def classic_steps(step: Callable[..., Any], slots: int, first: float = 0.0) -> np.ndarray[Any, Any]:
    """Run a formula of the Keras 2.3.1 source, `step(t, w, g, *slots) -> w, *slots`, in float64."""
    weights = [w.astype("float64") for w in cases.start()]
    held = [[np.full_like(w, first) for _ in range(slots)] for w in weights]
    for t, noises in enumerate(cases.noise()):
        for i, noise in enumerate(noises):
            weights[i], *held[i] = step(t, weights[i], 0.3 * weights[i] + noise, *held[i])
    return np.concatenate([w.ravel() for w in weights])


def sgd(t: int, w: Any, g: Any, m: Any) -> Any:
    rate = 0.05 / (1 + 0.1 * t)
    v = 0.9 * m - rate * g
    return w + 0.9 * v - rate * g, v


def rmsprop(t: int, w: Any, g: Any, a: Any) -> Any:
    a = 0.9 * a + 0.1 * g**2
    return w - 0.01 * g / (np.sqrt(a) + 0.01), a


def adagrad(t: int, w: Any, g: Any, a: Any) -> Any:
    a = a + g**2
    return w - 0.01 * g / (np.sqrt(a) + 0.01), a


def adadelta(t: int, w: Any, g: Any, a: Any, d: Any) -> Any:
    a = 0.95 * a + 0.05 * g**2
    s = g * np.sqrt(d + 1e-7) / np.sqrt(a + 1e-7)
    return w - s, a, 0.95 * d + 0.05 * s**2


def adam(t: int, w: Any, g: Any, m: Any, v: Any, top: Any) -> Any:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    top = np.maximum(top, v)
    rate = 0.01 / (1 + 0.1 * t) * np.sqrt(1 - 0.999 ** (t + 1)) / (1 - 0.9 ** (t + 1))
    return w - rate * m / (np.sqrt(top) + 1e-7), m, v, top


def adamax(t: int, w: Any, g: Any, m: Any, u: Any) -> Any:
    m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, np.abs(g))
    return w - 0.002 / (1 - 0.9 ** (t + 1)) * m / (u + 1e-7), m, u


def nadam(t: int, w: Any, g: Any, m: Any, v: Any) -> Any:
    def momentum(step: int) -> float:
        return float(0.9 * (1 - 0.5 * 0.96 ** (step * 0.004)))

    new = np.prod([momentum(i) for i in range(1, t + 2)])
    following = new * momentum(t + 2)
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    bar = (1 - momentum(t + 1)) * g / (1 - new) + momentum(t + 2) * m / (1 - following)
    return w - 0.002 * bar / (np.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-7), m, v


@pytest.mark.parametrize(
    ("name", "kwargs", "step", "slots"),
    [
        ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "decay": 0.1}, sgd, 1),
        ("RMSprop", {"learning_rate": 0.01, "epsilon": 0.01}, rmsprop, 1),
        ("Adagrad", {"epsilon": 0.01}, adagrad, 1),
        ("Adadelta", {}, adadelta, 2),
        ("Adam", {"learning_rate": 0.01, "amsgrad": True, "decay": 0.1}, adam, 3),
        ("Adamax", {}, adamax, 2),
        ("Nadam", {}, nadam, 2),
    ],
)
@pytest.mark.parametrize("dialect", ["keras-2.3", "keras-2.2"])
def test_classic_formulas_are_those_of_the_2_3_1_source(
    name: str, kwargs: dict[str, Any], step: Callable[..., Any], slots: int, dialect: str
) -> None:
    found = run(make((dialect, name, kwargs)))
    np.testing.assert_allclose(found, classic_steps(step, slots), **CLOSE)


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("SGD", {}),
        ("Adagrad", {}),
        ("RMSprop", {}),
        ("RMSprop", {"centered": True, "epsilon": 0.01}),
    ],
)
@pytest.mark.parametrize("dialect", ["keras-2.3", "keras-2.15"])
def test_lazy_rows_equal_the_dense_formula(name: str, kwargs: dict[str, Any], dialect: str) -> None:
    lazy, dense = make((dialect, name, kwargs)), make((dialect, name, kwargs))
    assert lazy.sparse_rows.lazy
    weight, other = torch.from_numpy(cases.table()), torch.from_numpy(cases.table())
    slots, pending = lazy.slots_of(weight), lazy.sparse_rows.pending(weight)
    full = {name: [dense.initial_slot(name, other)] for name in dense.slot_names}
    for iteration, (touched, values) in enumerate(cases.touched()):
        rows, grads = torch.from_numpy(touched), torch.from_numpy(values)
        if iteration == 15 and name == "RMSprop":
            lazy.rho = dense.rho = 0.5
        lazy.sparse_rows.update(weight, rows, grads.clone(), slots, pending, lazy.scalars(iteration))
        dense.update([other], [torch.zeros_like(other).index_add_(0, rows, grads)], full, dense.scalars(iteration))
    lazy.sparse_rows.settle()
    torch.testing.assert_close(weight, other, rtol=1e-6, atol=1e-6)
    for name, slot in slots.items():
        torch.testing.assert_close(slot, full[name][0], rtol=1e-5, atol=1e-7)


def test_lazy_rows_are_denied_where_the_weight_moves_without_a_gradient() -> None:
    assert not optimizers.SGD(momentum=0.9).sparse_rows.lazy
    assert not optimizers.SGD(clipvalue=0.1).sparse_rows.lazy
    assert not optimizers.Adam().sparse_rows.lazy
    assert not optimizers.experimental.SGD(weight_decay=0.1).sparse_rows.lazy
    assert not optimizers.experimental.SGD(use_ema=True).sparse_rows.lazy
    assert optimizers.legacy.SGD(momentum=0.9).sparse_rows.stay
    assert not optimizers.legacy.Adam().sparse_rows.stay
