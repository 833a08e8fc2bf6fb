"""The gradients written out by hand against autograd through the definition, once and twice."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from torchkeras_compat import activations
from torchkeras_compat.layers.activation_gradients import ACTIVATION_GRADIENTS
from torchkeras_compat.layers.recurrent.formulas import (
    Formula,
    GRUFormula,
    GRUResetBeforeFormula,
    LSTMFormula,
    Recurrence,
    SimpleRNNFormula,
)
from torchkeras_compat.layers.recurrent.masks import compact, pick

FORMULAS = [SimpleRNNFormula, LSTMFormula, GRUFormula, GRUResetBeforeFormula]
DROPS = ["none", "one mask", "by gate"]
PAIRS = [
    (activations.tanh, activations.sigmoid),
    (activations.relu, activations.hard_sigmoid),
    (activations.softsign, activations.tanh),
    (activations.linear, activations.sigmoid),
    (activations.hard_sigmoid, activations.tanh),
]


def inputs(
    cell: Formula, start: bool, bias: bool, dtype: torch.dtype = torch.float64, steps: int = 4, batch: int = 3
) -> list[Any]:
    """x, w, b, r, rb and the first states."""
    torch.manual_seed(0)
    features, units = 2, 3
    rows = cell.gates * units

    def leaf(*shape: int) -> Any:
        return (torch.randn(*shape, dtype=dtype) * 0.7).requires_grad_()

    return [
        leaf(steps, batch, features),
        leaf(rows, features),
        leaf(rows) if bias else None,
        leaf(rows, units),
        leaf(rows) if bias and isinstance(cell, GRUFormula) else None,
        *(leaf(batch, units) if start else None for _ in range(cell.states)),
    ]


def recorded(cell: Formula, drop: Any, x: Any, w: Any, b: Any, r: Any, rb: Any, *states: Any) -> list[Any]:
    seen = cell.walk(F.linear(x, w, b), r, rb, states, drop)
    return [out for kind in seen for out in (torch.stack(kind), kind[-1])]


def masks(cell: Formula, drop: str, dtype: torch.dtype = torch.float64, batch: int = 3) -> Any:
    """What dropout multiplies the state with."""
    torch.manual_seed(1)
    sets = {"none": 0, "one mask": 1, "by gate": cell.gates}[drop]
    return F.dropout(torch.ones(sets, batch, 3, dtype=dtype), 0.4) if sets else None


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize(("activation", "gate"), PAIRS)
@pytest.mark.parametrize("drop", DROPS)
@pytest.mark.parametrize("kind", FORMULAS)
def test_gradient_written_out(
    kind: type[Formula], drop: str, activation: Any, gate: Any, start: bool, bias: bool
) -> None:
    cell = kind(activation, gate)
    arguments = inputs(cell, start, bias)
    leaves = [t for t in arguments if t is not None]
    mask = masks(cell, drop)
    one, two = Recurrence.apply(cell, mask, *arguments), recorded(cell, mask, *arguments)
    weights = [torch.randn_like(out) for out in two]
    for a, b in zip(one, two):
        torch.testing.assert_close(a, b)
    for used in itertools.product((False, True), repeat=len(one)):
        if any(used):
            gradients = [
                torch.autograd.grad(
                    sum((o * v).sum() for o, v, u in zip(outs, weights, used) if u), leaves, retain_graph=True
                )
                for outs in (one, two)
            ]
            for a, b in zip(*gradients):
                torch.testing.assert_close(a, b)


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("kind", FORMULAS)
def test_one_sample_of_one_step(kind: type[Formula], start: bool) -> None:
    """What is expanded to such a size lies in one piece: the walk must not write into a weight."""
    cell = kind(activations.tanh, activations.sigmoid)
    arguments = inputs(cell, start, True, steps=1, batch=1)
    leaves = [t for t in arguments if t is not None]
    before = [t.detach().clone() for t in leaves]
    one = Recurrence.apply(cell, None, *arguments)
    for leaf, value in zip(leaves, before):
        torch.testing.assert_close(leaf.detach(), value, rtol=0, atol=0)
    two = recorded(cell, None, *arguments)
    gradients = [torch.autograd.grad(sum(out.square().sum() for out in outs), leaves) for outs in (one, two)]
    for a, b in zip(*gradients):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("drop", DROPS)
@pytest.mark.parametrize("kind", FORMULAS)
def test_second_gradient(kind: type[Formula], drop: str) -> None:
    cell = kind(activations.tanh, activations.sigmoid)
    arguments = inputs(cell, True, True)
    leaves = [t for t in arguments if t is not None]
    mask = masks(cell, drop)

    def run(*values: Any) -> Any:
        rest = iter(values)
        return Recurrence.apply(cell, mask, *(None if t is None else next(rest) for t in arguments))

    assert torch.autograd.gradgradcheck(run, leaves, check_undefined_grad=False)


@pytest.mark.parametrize("function", ACTIVATION_GRADIENTS)
def test_slopes(function: Any) -> None:
    x = torch.randn(200, dtype=torch.float64, requires_grad=True)
    y = function(x)
    out = torch.empty_like(x)
    ACTIVATION_GRADIENTS[function].into(x.detach(), out)
    torch.testing.assert_close(out, y.detach())
    (expected,) = torch.autograd.grad(y.sum(), x) if y.requires_grad else (torch.ones_like(x),)
    torch.testing.assert_close(ACTIVATION_GRADIENTS[function].at(x.detach(), out), expected)


def test_backward_can_run_twice() -> None:
    cell = LSTMFormula(activations.tanh, activations.sigmoid)
    arguments = inputs(cell, False, True)
    out = Recurrence.apply(cell, None, *arguments)[0].sum()
    (first,) = torch.autograd.grad(out, arguments[0], retain_graph=True)
    (second,) = torch.autograd.grad(out, arguments[0])
    torch.testing.assert_close(first, second)


def test_compact_moves_valid_steps_to_the_front_and_pick_reads_them_back() -> None:
    x = torch.arange(12.0).reshape(2, 6, 1)
    mask = torch.tensor([[0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]]).bool()
    moved, count = compact(x.transpose(0, 1), mask.t())
    assert moved[:3, 0, 0].tolist() == [1, 3, 4]
    back = pick(moved, count)
    assert back[..., 0].t().tolist() == [[0, 1, 1, 3, 4, 4], [0] * 6]
    assert pick(moved, count[-1], torch.full((2, 1), 7.0)).flatten().tolist() == [4, 7]
