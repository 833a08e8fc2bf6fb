"""What a recurrent cell computes at each step: one formula a kind of cell, with and without a written-out gradient.

Everything here is time-major.  A formula gets `z`, the projection of the whole input with its bias (steps, batch,
gates · units), and walks over its steps.  `walk` is the definition, in differentiable torch operations.  `forward` and
`backward` compute the same numbers with few kernels a step: all that does not depend on the step before is done
for the whole sequence at once, and the gradients of the weights are single products at the end.

Gates stand in torch's order: i, f, g, o for LSTM and r, z, n for GRU.  Sources of the formulas: Hochreiter and
Schmidhuber 1997 with the forget gate of Gers et al. 2000 (LSTM), Cho et al. 2014 (GRU, reset before the product) and
its cuDNN variant (reset after).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from ..._core.linear_products import affine, input_gradient, weight_gradient
from ..._core.second_gradients import composed_gradients
from ..activation_gradients import ACTIVATION_GRADIENTS
from .products import Grad, Product, WrittenProduct, flat_steps, written_product

Walked = tuple[tuple[Tensor, ...], list[Tensor]]


@dataclass(frozen=True)
class Formula:
    """The mathematics of one step.

    Attributes:
        activation: Of the candidate (and of the output of LSTM).
        gate: Of the gates; `None` for a formula that has none.
    """

    activation: Callable[[Tensor], Tensor]
    gate: Callable[[Tensor], Tensor] | None = None

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1

    @property
    def has_gradient(self) -> bool:
        """Whether `backward` knows the activations."""
        return all(f in ACTIVATION_GRADIENTS for f in (self.activation, self.gate) if f is not None)

    def values_beside(self, z: Tensor) -> Tensor:
        """Return where the values of the gates go: over their arguments, unless a derivative needs those."""
        kept = any(ACTIVATION_GRADIENTS[f].of_argument for f in (self.activation, self.gate) if f is not None)
        return torch.empty_like(z) if kept else z

    def walk(
        self, z: Tensor, r: Tensor, rb: Grad, states: Sequence[Grad], drop: Grad = None
    ) -> tuple[list[Tensor], ...]:
        """Return, for each kind of state, its value after each step.

        Args:
            z: Projected inputs.
            r: The recurrent weights, (gates · units, units).
            rb: The bias of the recurrent product, where the formula has one of its own.
            states: What to start from; `None` is zero.
            drop: What multiplies the state in the recurrent product: (1 or gates, batch, units).
        """
        units = r.shape[1]
        now = tuple(z.new_zeros(*z.shape[1:-1], units) if s is None else s for s in states)
        product = self.product(r, drop)
        seen = []
        for step in z.unbind(0):
            now = self.step(step, now, product, rb)
            seen.append(now)
        return tuple(list(kind) for kind in zip(*seen))

    def product(self, r: Tensor, drop: Grad) -> Product:
        """Return the product with the recurrent weights as `step` takes it."""
        return Product(r, drop)

    def written_product(self, r: Tensor, drop: Grad) -> WrittenProduct:
        """Return the product with the recurrent weights as `forward` and `backward` take it."""
        return written_product(r, drop)

    def outputs(self, drop: Grad, x: Tensor, w: Grad, b: Grad, r: Tensor, rb: Grad, *states: Grad) -> list[Tensor]:
        """Return each kind of state after each step of `x`, (steps, batch, units), and after the last one."""
        seen = self.walk(x if w is None else F.linear(x, w, b), r, rb, states, drop)
        return [out for kind in seen for out in (torch.stack(kind), kind[-1])]

    def step(self, z: Tensor, states: tuple[Tensor, ...], product: Product, rb: Grad) -> tuple[Tensor, ...]:
        """Return the states after one step."""
        raise NotImplementedError

    def forward(self, z: Tensor, product: WrittenProduct, rb: Grad, states: Sequence[Grad]) -> Walked:
        """Walk over the steps without recording; `z` is overwritten, by the arguments of the gates or their values.

        Returns:
            Each kind of state before the first and after each step, (steps + 1, batch, units), and what `backward`
            needs beside `z` and those.
        """
        raise NotImplementedError

    def backward(
        self, z: Tensor, saved: Sequence[Tensor], product: WrittenProduct, grads: Sequence[Grad], start: bool
    ) -> tuple[Tensor, Tensor, Grad, list[Grad]]:
        """Return the gradients of `z`, `r`, `rb` and, where `start` asks for them, the first states.

        Args:
            z: What `forward` left in it.
            saved: The states of `forward`, and what it saved.
            product: The product with the recurrent weights.
            grads: For each kind of state the gradient of the sequence and that of its last value, `None` for zero.
            start: Whether the gradients of the first states are wanted.
        """
        raise NotImplementedError


def state_buffer(z: Tensor, units: int, state: Grad) -> Tensor:
    """Return (steps + 1, batch, …, units), with the first state at its beginning."""
    buffer = z.new_empty(z.shape[0] + 1, *z.shape[1:-1], units)
    if state is None:
        buffer[0].zero_()
    else:
        buffer[0].copy_(state)
    return buffer


def _steps(x: Grad) -> Sequence[Tensor] | None:
    return None if x is None else x.unbind(0)


def _last(h: Tensor, of_outputs: Sequence[Tensor] | None, dh: Grad) -> Tensor:
    """Return the gradient of the last state, from that of the sequence and its own."""
    if dh is None:
        return torch.zeros_like(h[0]) if of_outputs is None else of_outputs[-1]
    return dh if of_outputs is None else dh + of_outputs[-1]


class SimpleRNNFormula(Formula):
    """`h = activation(z + h · r)`."""

    def step(self, z: Tensor, states: tuple[Tensor, ...], product: Product, rb: Grad) -> tuple[Tensor, ...]:
        """Return the state after one step."""
        return (self.activation(product(z, states[0])),)

    def forward(self, z: Tensor, product: WrittenProduct, rb: Grad, states: Sequence[Grad]) -> Walked:
        """Walk over the steps; see `Formula.forward`."""
        h = state_buffer(z, product.units, states[0])
        into, hs = ACTIVATION_GRADIENTS[self.activation].into, h.unbind(0)
        for t, zt in enumerate(z.unbind(0)):
            if t or states[0] is not None:
                product.add(zt, hs[t])
            into(zt, hs[t + 1])
        return (h,), []

    def backward(
        self, z: Tensor, saved: Sequence[Tensor], product: WrittenProduct, grads: Sequence[Grad], start: bool
    ) -> tuple[Tensor, Tensor, Grad, list[Grad]]:
        """Walk back; see `Formula.backward`."""
        h, (all_dh, dh) = saved[0], grads
        dz = ACTIVATION_GRADIENTS[self.activation].at(z, h[1:])
        steps, of_outputs = dz.unbind(0), _steps(all_dh)
        dh = _last(h, of_outputs, dh)
        for t in range(len(steps) - 1, -1, -1):
            steps[t].mul_(dh)
            if t or start:
                dh = product.gradient(steps[t], of_outputs[t - 1] if of_outputs is not None and t else None)
        return dz, product.of_weights(dz, h[:-1]), None, [dh if start else None]


class LSTMFormula(Formula):
    """`c = f · c + i · g` and `h = o · activation(c)`."""

    gates = 4
    states = 2

    def step(self, z: Tensor, states: tuple[Tensor, ...], product: Product, rb: Grad) -> tuple[Tensor, ...]:
        """Return h and c after one step."""
        h, c = states
        y, units, gate = product(z, h), h.shape[-1], self.gate or torch.sigmoid
        i, f = gate(y[..., : 2 * units]).chunk(2, -1)
        g, o = y[..., 2 * units :].chunk(2, -1)
        c = torch.addcmul(f * c, i, self.activation(g))
        return gate(o) * self.activation(c), c

    def forward(self, z: Tensor, product: WrittenProduct, rb: Grad, states: Sequence[Grad]) -> Walked:
        """Walk over the steps; see `Formula.forward`."""
        units = product.units
        h, c = (state_buffer(z, units, s) for s in states)
        g, ac = z.new_empty(2, *z.shape[:-1], units).unbind(0)  # candidates, and activations of c
        y = self.values_beside(z)
        into, gate = ACTIVATION_GRADIENTS[self.activation].into, ACTIVATION_GRADIENTS[self.gate].into
        hs, cs, gs, acs = h.unbind(0), c.unbind(0), g.unbind(0), ac.unbind(0)
        i, f, _, o = (part.unbind(0) for part in y.chunk(self.gates, -1))
        n, ys = z[..., 2 * units : 3 * units].unbind(0), y.unbind(0)
        for t, zt in enumerate(z.unbind(0)):
            if t or states[0] is not None:
                product.add(zt, hs[t])
            into(n[t], gs[t])
            gate(zt, ys[t])  # the candidate's quarter too: one contiguous kernel is cheaper than two strided ones
            now = torch.mul(f[t], cs[t], out=cs[t + 1]).addcmul_(i[t], gs[t])
            into(now, acs[t])
            torch.mul(o[t], acs[t], out=hs[t + 1])
        return (h, c), [g, ac, *([] if y is z else [y])]

    def backward(
        self, z: Tensor, saved: Sequence[Tensor], product: WrittenProduct, grads: Sequence[Grad], start: bool
    ) -> tuple[Tensor, Tensor, Grad, list[Grad]]:
        """Walk back; see `Formula.backward`."""
        (h, c, g, ac, *beside), (all_dh, dh, all_dc, dc), units = saved, grads, product.units
        y = beside[0] if beside else z
        i, f, _, o = y.chunk(self.gates, -1)
        activation = ACTIVATION_GRADIENTS[self.activation]
        dz = ACTIVATION_GRADIENTS[self.gate].at(
            z, y
        )  # becomes: what multiplies dc (i, f, g) and dh (o), and then the gradient
        di, df, dg, do = dz.chunk(self.gates, -1)
        di.mul_(g)
        df.mul_(c[:-1])
        torch.mul(activation.at(z[..., 2 * units : 3 * units], g), i, out=dg)
        do.mul_(ac)
        through = activation.at(c[1:], ac).mul_(o).unbind(0)
        steps, of_outputs, of_c, fs = dz.unbind(0), _steps(all_dh), _steps(all_dc), f.unbind(0)
        by_c = dz.view(*dz.shape[:-1], 4, units)[..., :3, :].unbind(0)
        by_h = do.unbind(0)
        dh = _last(h, of_outputs, dh)
        for t in range(len(steps) - 1, -1, -1):
            dc = dh * through[t] if dc is None else torch.addcmul(dc, dh, through[t])
            dc = dc if of_c is None else dc + of_c[t]
            by_c[t].mul_(dc.unsqueeze(-2))
            by_h[t].mul_(dh)
            dc = dc * fs[t]
            if t or start:
                dh = product.gradient(steps[t], of_outputs[t - 1] if of_outputs is not None and t else None)
        return dz, product.of_weights(dz, h[:-1]), None, [dh, dc] if start else [None, None]


class GRUFormula(Formula):
    """`h = z · h + (1 − z) · n` with `n = activation(x + r · (h · u + b))`: reset after the product."""

    gates = 3

    def step(self, z: Tensor, states: tuple[Tensor, ...], product: Product, rb: Grad) -> tuple[Tensor, ...]:
        """Return the state after one step."""
        (h,), gate = states, self.gate or torch.sigmoid
        both = 2 * h.shape[-1]
        y = product(rb, h)
        r, keep = gate(z[:, :both] + y[:, :both]).chunk(2, -1)
        return (torch.lerp(self.activation(torch.addcmul(z[:, both:], r, y[:, both:])), h, keep),)

    def forward(self, z: Tensor, product: WrittenProduct, rb: Grad, states: Sequence[Grad]) -> Walked:
        """Walk over the steps; see `Formula.forward`."""
        units = product.units
        h, v = state_buffer(z, units, states[0]), self.values_beside(z)
        # The bias of all steps at once: a product that adds a row copies it first, step by step.
        # A copy in any case: of one sample and one step, what is expanded lies in one piece and is the weight itself.
        y = torch.zeros_like(z) if rb is None else torch.empty_like(z).copy_(rb)
        into, gate = ACTIVATION_GRADIENTS[self.activation].into, ACTIVATION_GRADIENTS[self.gate].into
        hs, ys = h.unbind(0), y.unbind(0)
        gates, gates_y, gates_v = (x[..., : 2 * units].unbind(0) for x in (z, y, v))
        rs, ks, ns = (part.unbind(0) for part in v.chunk(self.gates, -1))
        nz, ny = (x[..., 2 * units :].unbind(0) for x in (z, y))
        for t in range(len(ys)):
            product.add(ys[t], hs[t])
            gate(gates[t].add_(gates_y[t]), gates_v[t])
            into(nz[t].addcmul_(rs[t], ny[t]), ns[t])
            torch.lerp(ns[t], hs[t], ks[t], out=hs[t + 1])
        return (h,), [y, *([] if v is z else [v])]

    def backward(
        self, z: Tensor, saved: Sequence[Tensor], product: WrittenProduct, grads: Sequence[Grad], start: bool
    ) -> tuple[Tensor, Tensor, Grad, list[Grad]]:
        """Walk back; see `Formula.backward`."""
        (h, y, *beside), (all_dh, dh), units = saved, grads, product.units
        v = beside[0] if beside else z
        (rz, kz, nz), (rs, ks, ns) = z.chunk(self.gates, -1), v.chunk(self.gates, -1)
        gate = ACTIVATION_GRADIENTS[self.gate]
        dn = (
            ACTIVATION_GRADIENTS[self.activation].at(nz, ns).mul_(1 - ks)
        )  # what multiplies dh to give the gradient of n's argument
        dy = torch.empty_like(z)
        dr, dk, dny = dy.chunk(self.gates, -1)
        torch.mul(dn, rs, out=dny)
        torch.mul(gate.at(rz, rs), y[..., 2 * units :], out=dr).mul_(dn)
        torch.mul(gate.at(kz, ks), h[:-1] - ns, out=dk)
        steps, keeps = dy.unbind(0), ks.unbind(0)
        by_h, dns = dy.view(*dy.shape[:2], 3, units).unbind(0), dn.unbind(0)
        of_outputs = _steps(all_dh)
        dh = _last(h, of_outputs, dh)
        for t in range(len(steps) - 1, -1, -1):
            by_h[t].mul_(dh.unsqueeze(1))
            dns[t].mul_(dh)
            if t or start:
                dh = torch.addcmul(of_outputs[t - 1], dh, keeps[t]) if of_outputs is not None and t else dh * keeps[t]
                product.add_gradient(dh, steps[t])
        dz = torch.cat((dy[..., : 2 * units], dn), -1)
        return dz, product.of_weights(dy, h[:-1]), flat_steps(dy).sum(0), [dh if start else None]


class GRUResetBeforeFormula(Formula):
    """`n = activation(x + (r · h) · u)`: reset before the product, as in the paper and classic Keras."""

    gates = 3

    def step(self, z: Tensor, states: tuple[Tensor, ...], product: Product, rb: Grad) -> tuple[Tensor, ...]:
        """Return the state after one step."""
        (h,), gate = states, self.gate or torch.sigmoid
        both = 2 * h.shape[-1]
        r, keep = gate(product(z[:, :both], h, 0, 2)).chunk(2, -1)
        return (torch.lerp(self.activation(product(z[:, both:], r * h, 2)), h, keep),)

    def forward(self, z: Tensor, product: WrittenProduct, rb: Grad, states: Sequence[Grad]) -> Walked:
        """Walk over the steps; see `Formula.forward`."""
        units = product.units
        h, rh, v = state_buffer(z, units, states[0]), z.new_empty(*z.shape[:2], units), self.values_beside(z)
        into, gate = ACTIVATION_GRADIENTS[self.activation].into, ACTIVATION_GRADIENTS[self.gate].into
        hs, rhs = h.unbind(0), rh.unbind(0)
        gates, gates_v = (x[..., : 2 * units].unbind(0) for x in (z, v))
        nz = z[..., 2 * units :].unbind(0)
        rs, ks, ns = (part.unbind(0) for part in v.chunk(self.gates, -1))
        both, last = product.gates(0, 2), product.gates(2, 3)
        for t in range(len(rhs)):
            gate(both.add(gates[t], hs[t]), gates_v[t])
            torch.mul(rs[t], hs[t], out=rhs[t])
            into(last.add(nz[t], rhs[t]), ns[t])
            torch.lerp(ns[t], hs[t], ks[t], out=hs[t + 1])
        return (h,), [rh, *([] if v is z else [v])]

    def backward(
        self, z: Tensor, saved: Sequence[Tensor], product: WrittenProduct, grads: Sequence[Grad], start: bool
    ) -> tuple[Tensor, Tensor, Grad, list[Grad]]:
        """Walk back; see `Formula.backward`."""
        (h, rh, *beside), (all_dh, dh), units = saved, grads, product.units
        v = beside[0] if beside else z
        (rz, kz, nz), (rs, ks, ns) = z.chunk(self.gates, -1), v.chunk(self.gates, -1)
        gate, both, last = ACTIVATION_GRADIENTS[self.gate], product.gates(0, 2), product.gates(2, 3)
        dz = torch.empty_like(z)
        dr, dk, dn = dz.chunk(self.gates, -1)
        torch.mul(gate.at(rz, rs), h[:-1], out=dr)
        torch.mul(gate.at(kz, ks), h[:-1] - ns, out=dk)
        torch.mul(ACTIVATION_GRADIENTS[self.activation].at(nz, ns), 1 - ks, out=dn)
        by_h, dns, drs = dz.view(*dz.shape[:2], 3, units)[:, :, 1:].unbind(0), dn.unbind(0), dr.unbind(0)
        gates, resets, keeps, of_outputs = dz[..., : 2 * units].unbind(0), rs.unbind(0), ks.unbind(0), _steps(all_dh)
        dh = _last(h, of_outputs, dh)
        for t in range(len(dns) - 1, -1, -1):
            by_h[t].mul_(dh.unsqueeze(1))
            reset = last.gradient(dns[t])
            drs[t].mul_(reset)
            if t or start:
                dh = torch.addcmul(of_outputs[t - 1], dh, keeps[t]) if of_outputs is not None and t else dh * keeps[t]
                both.add_gradient(dh.addcmul_(reset, resets[t]), gates[t])
        of_gates = both.of_weights(dz[..., : 2 * units], h[:-1])
        weights = torch.cat((of_gates, last.of_weights(dz[..., 2 * units :], rh)))
        return dz, weights, None, [dh if start else None]


class Recurrence(torch.autograd.Function):
    """A recurrent layer over a whole sequence with its gradient written out; differentiable twice through `walk`.

    Returns each kind of state after each step, (steps, batch, units), and after the last one: h, last h (, c, last c).
    """

    @staticmethod
    def forward(
        ctx: Any, formula: Formula, drop: Grad, x: Tensor, w: Grad, b: Grad, r: Tensor, rb: Grad, *states: Grad
    ) -> Any:
        """Walk over the steps of `x`, (steps, batch, features), or (steps, batch, gates · units) without weights `w`.

        Args:
            ctx: What `backward` gets.
            formula: The mathematics of one step.
            drop: What multiplies the state in the recurrent product.
            x: The inputs, or their product with the kernel.
            w: The kernel.
            b: Its bias.
            r: The recurrent kernel.
            rb: The bias of the recurrent product.
            states: What to start from.
        """
        flat = flat_steps(x)
        z = (
            x.clone(memory_format=torch.contiguous_format)
            if w is None
            else affine(flat, w, b).view(*x.shape[:2], len(w))
        )
        kept, saved = formula.forward(z, formula.written_product(r, drop), rb, states)
        ctx.formula, ctx.count = formula, len(states)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(drop, x, w, b, r, rb, *states, flat, z, *kept, *saved)
        return tuple(out for state in kept for out in (state[1:], state[-1].clone()))

    @staticmethod
    def backward(ctx: Any, *grads: Grad) -> Any:
        """Return the gradients of the tensors that `forward` took."""
        drop, *tensors = ctx.saved_tensors
        inputs, (flat, z, *saved) = tensors[: 5 + ctx.count], tensors[5 + ctx.count :]
        if all(grad is None for grad in grads):
            return (None,) * len(ctx.needs_input_grad)
        needed = ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():  # create_graph=True: this pass has to be differentiable itself
            outputs = functools.partial(ctx.formula.outputs, drop)
            return (None, None, *composed_gradients(outputs, inputs, needed, grads))
        x, w, _, r, _ = inputs[:5]
        need_x, need_w, need_b, need_r, need_rb, *need_states = needed
        product = ctx.formula.written_product(r, drop)
        dz, dr, drb, dstates = ctx.formula.backward(z, saved, product, grads, any(need_states))
        flat_dz = flat_steps(dz)
        dx = (dz if w is None else input_gradient(flat_dz, w).view(x.shape)) if need_x else None
        dw, db = weight_gradient(flat_dz, flat) if need_w else None, flat_dz.sum(0) if need_b else None
        return None, None, dx, dw, db, dr if need_r else None, drb if need_rb else None, *dstates
