"""Every operator of this package's own passes torch's `opcheck` on each device that it serves.

It holds schema, stand-in kernel, autograd and shapes that are not known yet against what the operator really does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from torchkeras_compat import activations
from torchkeras_compat._core import randomness
from torchkeras_compat._core.custom_ops import NAMESPACE
from torchkeras_compat.layers import conv1d_matmul
from torchkeras_compat.layers.recurrent import graph_ops
from torchkeras_compat.layers.recurrent.formulas import (
    Formula,
    GRUFormula,
    GRUResetBeforeFormula,
    LSTMFormula,
    SimpleRNNFormula,
)
from torchkeras_compat.layers.recurrent.native import native_lstm
from torchkeras_compat.training.executors import capture

assert conv1d_matmul
assert randomness
assert capture

Arguments = tuple[Any, ...]
Make = Callable[[Callable[..., Tensor]], Arguments]
STEPS, ROWS, FEATURES, UNITS = 3, 3, 5, 4


def lstm_arguments(normal: Callable[..., Tensor]) -> list[Tensor]:
    w, r, b = normal(4 * UNITS, FEATURES), normal(4 * UNITS, UNITS), normal(4 * UNITS)
    return [normal(STEPS, ROWS, FEATURES), w, r, b, normal(4 * UNITS), normal(ROWS, UNITS), normal(ROWS, UNITS)]


def lstm_backward_arguments(normal: Callable[..., Tensor]) -> Arguments:
    inputs = lstm_arguments(normal)
    *outputs, workspace = torch.ops.torchkeras_compat.onednn_lstm.default(*inputs)
    return inputs, outputs, workspace, normal(STEPS, ROWS, UNITS), normal(ROWS, UNITS), normal(ROWS, UNITS)


def index(normal: Callable[..., Tensor], *values: Any) -> Tensor:
    return torch.tensor(values, device=normal(1).device)


# Operator → the arguments of some calls, made of a function that draws a tensor on the device.
ON_EACH_DEVICE: dict[str, list[Make]] = {
    "embedding": [
        lambda n: (n(7, 4), index(n, [1, 6, 2], [0, 0, 5])),
        lambda n: (n(4, 7).t(), index(n, [1, 6, 2], [0, 0, 5]).t()),
    ],
    "index_select": [
        lambda n: (n(3, 4, 5), 0, index(n, 0, 2)),
        lambda n: (n(3, 4, 5).transpose(0, 2), 1, index(n, 0, 2)),
    ],
    "gather": [
        lambda n: (n(3, 4), 1, index(n, [0, 2], [1, 1], [3, 0])),
        lambda n: (n(4, 3).t(), 0, index(n, [0, 2, 1, 1], [1, 1, 0, 0])),
    ],
    "index": [
        lambda n: (n(3, 4, 5), [index(n, 0, 2), None, index(n, 1, 0)]),
        lambda n: (n(3, 4, 5).transpose(0, 2), [None, index(n, 0, 2)]),
        lambda n: (n(3, 4, 5, 2).to(memory_format=torch.channels_last), [None, None, index(n, [0, 2], [1, 1])]),
    ],
}
ON_THE_CPU: dict[str, list[Make]] = {
    "apart": [lambda n: (n(2, 3),), lambda n: (n(4, 3).t(),)],
    "add_windows": [lambda n: (n(2, 5, 3, 4),), lambda n: (n(4, 5, 3, 2).transpose(0, 3),)],
    "keep_mask": [lambda n: ([3, 4], 20_000, torch.float32), lambda n: ([5], 65_536, torch.float64)],
    "onednn_lstm_backward": [lstm_backward_arguments],
}
FORMULAS: dict[str, Callable[[], Formula]] = {
    "simple": lambda: SimpleRNNFormula(activations.tanh),
    "simple, relu": lambda: SimpleRNNFormula(activations.relu),
    "lstm": lambda: LSTMFormula(activations.tanh, activations.hard_sigmoid),
    "lstm, of the argument": lambda: LSTMFormula(activations.hard_sigmoid, activations.sigmoid),
    "gru": lambda: GRUFormula(activations.tanh, activations.sigmoid),
    "gru, reset before": lambda: GRUResetBeforeFormula(activations.tanh, activations.sigmoid),
}
BY_FORMULA = {"recurrence", "recurrence_backward"}


def check(name: str, arguments: Arguments) -> None:
    torch.library.opcheck(getattr(torch.ops.torchkeras_compat, name).default, arguments)


def normal_on(device: torch.device) -> Callable[..., Tensor]:
    return lambda *shape: torch.randn(shape, device=device)


def test_every_operator_is_checked() -> None:
    names = [name for name in torch._C._dispatch_get_all_op_names() if name.startswith(f"{NAMESPACE}::")]
    checked = {*ON_EACH_DEVICE, *ON_THE_CPU, *BY_FORMULA, "onednn_lstm"}
    assert {name.partition("::")[2] for name in names} == checked


@pytest.mark.parametrize(("name", "call"), [(n, i) for n, calls in ON_EACH_DEVICE.items() for i in range(len(calls))])
def test_lookups(name: str, call: int, device: torch.device) -> None:
    arguments = ON_EACH_DEVICE[name][call](normal_on(device))
    check(name, arguments)
    assert getattr(torch.ops.torchkeras_compat, name).default(*arguments).is_contiguous()


@pytest.mark.parametrize(("name", "call"), [(n, i) for n, calls in ON_THE_CPU.items() for i in range(len(calls))])
def test_operators_of_the_cpu(name: str, call: int) -> None:
    check(name, ON_THE_CPU[name][call](normal_on(torch.device("cpu"))))


def test_onednns_lstm() -> None:
    operator = torch.ops.torchkeras_compat.onednn_lstm.default
    arguments = lstm_arguments(normal_on(torch.device("cpu")))
    without_values = ("test_schema", "test_autograd_registration", "test_faketensor")
    torch.library.opcheck(operator, tuple(arguments), test_utils=without_values)
    # The last of opcheck's tests compares all outputs, and the workspace is memory that is written in part.
    traced = make_fx(lambda *inputs: operator(*inputs)[:3], tracing_mode="symbolic")(*arguments)
    for rows in (ROWS, ROWS + 4):
        arguments[0] = torch.randn(STEPS, rows, FEATURES)
        arguments[5:] = [torch.randn(rows, UNITS) for _ in range(2)]
        torch.testing.assert_close(traced(*arguments), operator(*arguments)[:3])


def check_formula(formula: Formula, units: int, normal: Callable[..., Tensor], bias: bool, started: bool) -> None:
    name, width = graph_ops.formula_name(formula), formula.gates * units
    b = normal(width) if bias else None
    rb = normal(width) if isinstance(formula, GRUFormula) else None
    r = normal(width, units)
    states = [normal(ROWS, units) if started else None for _ in range(formula.states)]
    walk = (name, normal(STEPS, ROWS, FEATURES), normal(width, FEATURES), b, r, rb, states)
    check("recurrence", walk)
    z, *saved = torch.ops.torchkeras_compat.recurrence.default(*walk)
    of_states = [None if i % 4 == 2 else normal(*s) for i, s in enumerate([(STEPS, ROWS, units), (ROWS, units)] * 2)]
    check("recurrence_backward", (name, z, saved, r, of_states[: 2 * formula.states], started))


@pytest.mark.parametrize(("bias", "started"), [(True, False), (False, True)])
@pytest.mark.parametrize("name", FORMULAS)
def test_walks_by_formula(name: str, bias: bool, started: bool, device: torch.device) -> None:
    check_formula(FORMULAS[name](), UNITS, normal_on(device), bias, started)


def test_the_walk_in_compiled_code() -> None:
    formula = native_lstm(16)
    if formula is None:
        pytest.skip("this machine has no compiler")
    check_formula(formula, 16, normal_on(torch.device("cpu")), True, True)
