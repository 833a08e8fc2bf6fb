"""Recurrent layers as single operators of a captured graph: the walk over time stays inside, and nothing is unrolled.

A compiler sees one operator forward and one backward, and compiles what stands around them; the operators run what an
eager step runs.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from ..._core.custom_ops import define
from ..._core.linear_products import affine
from .formulas import Formula
from .onednn import onednn_lstm, onednn_lstm_backward
from .products import Grad, WrittenProduct, flat_steps

_formulas: dict[str, Formula] = {}


# --- oneDNN's LSTM -------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def _workspace(steps: int, batch: int, features: int, units: int) -> int:
    with _disable_current_modes():  # outside of the capture that asks
        zeros = [torch.zeros(s) for s in ((steps, batch, features), (4 * units, features), (4 * units, units))]
        zeros += [torch.zeros(4 * units)] * 2 + [torch.zeros(batch, units)] * 2
        return onednn_lstm(*zeros)[3].numel()


def _lstm_like(x: Tensor, w: Tensor, r: Tensor, b: Tensor, rb: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    sizes = (*x.shape, r.shape[1])
    known = all(isinstance(size, int) for size in sizes)
    room = _workspace(*sizes) if known else torch.library.get_ctx().new_dynamic_size()
    y = x.new_empty(*x.shape[:2], r.shape[1])
    return y, torch.empty_like(h), torch.empty_like(c), x.new_empty(room, dtype=torch.uint8)


def _lstm_gradients(
    inputs: list[Tensor], outputs: list[Tensor], workspace: Tensor, grad: Tensor, dh: Tensor, dc: Tensor
) -> Any:
    return onednn_lstm_backward(inputs, [*outputs, workspace], grad, dh, dc)


def _lstm_gradients_like(
    inputs: list[Tensor], outputs: list[Tensor], workspace: Tensor, grad: Tensor, dh: Tensor, dc: Tensor
) -> Any:
    x, w, r, b, _, h, c = inputs
    return tuple(torch.empty_like(t, memory_format=torch.contiguous_format) for t in (x, w, r, b, h, c))


_ONEDNN_LSTM = define(
    "onednn_lstm(Tensor x, Tensor w, Tensor r, Tensor b, Tensor rb, Tensor h, Tensor c)"
    " -> (Tensor, Tensor, Tensor, Tensor)",
    onednn_lstm,
    _lstm_like,
)
_ONEDNN_LSTM_BACKWARD = define(  # oneDNN writes into the workspace, so that another backward pass needs its own
    "onednn_lstm_backward(Tensor[] inputs, Tensor[] outputs, Tensor(a!) workspace, Tensor grad, Tensor dh, Tensor dc)"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
    _lstm_gradients,
    _lstm_gradients_like,
)


class OnednnLSTM(torch.autograd.Function):
    """oneDNN's LSTM in a graph; returns all h, the last h and the last c."""

    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Any:
        """Run over a sequence; takes what `onednn_lstm` takes."""
        outputs = _ONEDNN_LSTM(*inputs)
        ctx.save_for_backward(*inputs, *outputs)
        return outputs[:3]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        """Return the gradients of the tensors that `forward` took."""
        *inputs, y, h, c, workspace = ctx.saved_tensors
        dx, dw, dr, db, dh, dc = _ONEDNN_LSTM_BACKWARD(
            inputs, [y, h, c], workspace, grads[0].contiguous(), grads[1], grads[2]
        )
        return dx, dw, dr, db, db, dh, dc


# --- formulas with a written-out gradient --------------------------------------------------------------------------


def formula_name(formula: Formula) -> str:
    """Return the name under which the operators find a formula; the same in every process."""
    functions = (formula.activation, formula.gate)
    name = "-".join((type(formula).__name__, *(getattr(f, "__name__", "none") for f in functions)))
    _formulas[name] = formula
    return name


def _walk(formula: str, x: Tensor, w: Tensor, b: Grad, r: Tensor, rb: Grad, states: list[Grad]) -> list[Tensor]:
    z = affine(flat_steps(x), w, b).view(*x.shape[:2], len(w))
    kept, saved = _formulas[formula].forward(z, WrittenProduct(r), rb, states)
    return [z, *kept, *(t.clone() for t in saved)]  # some are views of one piece of memory


def _walk_back(formula: str, z: Tensor, saved: list[Tensor], r: Tensor, grads: list[Grad], start: bool) -> list[Tensor]:
    dz, dr, drb, dstates = _formulas[formula].backward(z, saved, WrittenProduct(r), grads, start)
    drb = r.new_zeros(0) if drb is None else drb
    return [t.clone() if t is z else t for t in (dz, dr, drb, *dstates) if t is not None]


_RECURRENCE = define(
    "recurrence(str formula, Tensor x, Tensor w, Tensor? b, Tensor r, Tensor? rb, Tensor?[] states) -> Tensor[]",
    _walk,
    _walk,
)
_RECURRENCE_BACKWARD = define(
    "recurrence_backward(str formula, Tensor z, Tensor[] saved, Tensor r, Tensor?[] grads, bool start) -> Tensor[]",
    _walk_back,
    _walk_back,
)


class GraphRecurrence(torch.autograd.Function):
    """A formula's walk in a graph; see `formulas.Recurrence`."""

    @staticmethod
    def forward(ctx: Any, formula: Formula, x: Tensor, w: Tensor, b: Grad, r: Tensor, rb: Grad, *states: Grad) -> Any:
        """Walk over the steps of `x`, (steps, batch, features)."""
        name = formula_name(formula)
        z, *rest = _RECURRENCE(name, x, w, b, r, rb, list(states))
        ctx.name, ctx.count = name, len(states)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, w, r, z, *rest)
        return tuple(out for state in rest[: len(states)] for out in (state[1:].clone(), state[-1].clone()))

    @staticmethod
    def backward(ctx: Any, *grads: Grad) -> Any:
        """Return the gradients of the tensors that `forward` took."""
        x, w, r, z, *saved = ctx.saved_tensors
        _, need_x, need_w, need_b, need_r, need_rb, *need_states = ctx.needs_input_grad
        start = any(need_states)
        dz, dr, drb, *dstates = _RECURRENCE_BACKWARD(ctx.name, z, saved, r, list(grads), start)
        flat_dz = flat_steps(dz)
        dx = (flat_dz @ w).view(x.shape) if need_x else None
        dw, db = flat_dz.t() @ flat_steps(x) if need_w else None, flat_dz.sum(0) if need_b else None
        return None, dx, dw, db, dr if need_r else None, drb if need_rb else None, *(dstates or [None] * ctx.count)
