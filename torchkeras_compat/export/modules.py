"""Modules of plain torch for what Keras has and torch has not.

An exported model imports nothing of this package: the source of each class or function that it uses is carried into its
own (`helpers.py`). So whatever stands here needs `torch`, `nn` and `F` alone, and what it names among its neighbours.
"""

# ruff: noqa: D102  (the methods are those of torch's modules)

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Permute(nn.Module):
    """Puts the axes into another order."""

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.order)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.order))


class Contiguous(nn.Module):
    """Lays the channels one behind the other, as torch.nn.GroupNorm wants them."""

    def forward(self, x: Tensor) -> Tensor:
        return x.contiguous()


def hard_sigmoid(x: Tensor) -> Tensor:
    """The line 0.2 x + 0.5, cut at 0 and 1; torch's own has the slope 1 / 6."""
    return (0.2 * x + 0.5).clamp(0, 1)


class HardSigmoid(nn.Module):
    """The line 0.2 x + 0.5, cut at 0 and 1; torch's own has the slope 1 / 6."""

    def forward(self, x: Tensor) -> Tensor:
        return hard_sigmoid(x)


class Exp(nn.Module):
    """The exponential function."""

    def forward(self, x: Tensor) -> Tensor:
        return x.exp()


class PReLU(nn.Module):
    """A leaky ReLU with a slope for each cell; nn.PReLU has one for each channel."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full(shape, 0.25))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x) - self.weight * F.relu(-x)


class SharedDropout(nn.Module):
    """Drops elements together with all that lie beside them along some axes."""

    def __init__(self, p: float, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.p = p
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        shape = [1 if dim in self.dims else size for dim, size in enumerate(x.shape)]
        return x * F.dropout(x.new_ones(shape), self.p, self.training)


class GaussianNoise(nn.Module):
    """Adds normal noise in training."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn_like(x) if self.training else x


class GaussianDropout(nn.Module):
    """Multiplies by normal noise around 1 in training."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.std = math.sqrt(p / (1 - p))

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + self.std * torch.randn_like(x)) if self.training else x


class SpectralNorm(nn.Module):
    """Divides a weight by its largest singular value, at each call in training."""

    u: Tensor

    def __init__(self, module: nn.Module, dim: int = 0, iterations: int = 1) -> None:
        super().__init__()
        self.module, self.dim, self.iterations = module, dim, iterations
        size = module.get_parameter("weight").shape[dim]
        self.register_buffer("u", 0.02 * torch.randn(1, size))

    @torch.no_grad()
    def divide(self) -> None:
        weight = self.module.get_parameter("weight")
        matrix, u = weight.movedim(self.dim, 0).flatten(1), self.u
        for _ in range(self.iterations):
            v = F.normalize(u @ matrix, dim=-1, eps=1e-6)
            u = F.normalize(v @ matrix.t(), dim=-1, eps=1e-6)
        sigma = (v @ matrix.t() @ u.t()).squeeze()
        some = matrix.any()
        self.u.copy_(torch.where(some, u, self.u))
        weight.div_(torch.where(some, sigma, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            y: Tensor = self.module(x)
            return y
        self.divide()
        # Another call in the same step may divide the weight again.
        weight = self.module.get_parameter("weight").clone()
        y = torch.func.functional_call(self.module, {"weight": weight}, x)
        return y


class FrozenBatchNorm(nn.Module):
    """Batch normalisation by fixed statistics, in training too."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, features: int, eps: float = 1e-5, affine: bool = True) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(features)) if affine else None
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, x: Tensor) -> Tensor:
        statistics = (self.running_mean, self.running_var)
        return F.batch_norm(x, *statistics, self.weight, self.bias, eps=self.eps)


def pad_mirrored(x: Tensor, pads: tuple[tuple[int, int], ...], edge: bool) -> Tensor:
    """Put a mirror at both ends of each axis, which shows the outermost element too if `edge`."""
    first = 0 if edge else 1
    for dim, (before, after) in enumerate(pads):
        start = x.narrow(dim, first, before).flip(dim)
        end = x.narrow(dim, x.shape[dim] - first - after, after).flip(dim)
        x = torch.cat([start, x, end], dim)
    return x


def move_valid_steps_first(x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return sequences with the valid steps in front, and how many came up to each."""
    count, steps = mask.cumsum(1), torch.arange(mask.shape[1], device=mask.device)
    places = torch.where(mask, count - 1, count[:, -1:] + steps - count)
    moved = torch.empty_like(x).scatter(1, places.unsqueeze(-1).expand_as(x), x)
    return moved, count


def after_valid_steps(outputs: Tensor, count: Tensor) -> Tensor:
    """Return the outputs after `count` valid steps, zero where there was none yet."""
    places = (count - 1).clamp(min=0).unsqueeze(-1).expand(-1, -1, outputs.shape[-1])
    return torch.where(count.unsqueeze(-1) > 0, outputs.gather(1, places), 0)


def run_valid_steps(
    module: nn.RNNBase,
    x: Tensor,
    count: Tensor,
    states: Any = None,
) -> tuple[Tensor, Any]:
    """Run a module over the valid steps, which stand in front, for the last states."""
    lengths = count[:, -1].clamp(min=1).cpu()
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, True, enforce_sorted=False)
    packed, states = module(packed, states)
    steps = x.shape[1]
    outputs, _ = nn.utils.rnn.pad_packed_sequence(packed, True, total_length=steps)
    return outputs, states


class Recurrent(nn.Module):
    """A recurrent layer whose steps are written out; a subclass has `step`."""

    gates, states = 1, 1

    def __init__(
        self,
        inputs: int,
        units: int,
        activation: nn.Module,
        gate: nn.Module,
        bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        by_gate: bool = False,
    ) -> None:
        super().__init__()
        self.units, self.by_gate = units, by_gate
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.activation, self.gate = activation, gate
        self.weight_ih = nn.Parameter(torch.empty(self.gates * units, inputs))
        self.weight_hh = nn.Parameter(torch.empty(self.gates * units, units))
        self.bias = nn.Parameter(torch.zeros(self.gates * units)) if bias else None
        for weight in (self.weight_ih, self.weight_hh):
            nn.init.uniform_(weight, -(units**-0.5), units**-0.5)

    def drops(self, like: Tensor, rate: float) -> list[Tensor]:
        """Draw what multiplies an input, for all gates at once or for each."""
        if not rate or not self.training:
            return []
        count = self.gates if self.by_gate else 1
        return [F.dropout(torch.ones_like(like), rate) for _ in range(count)]

    def product(
        self,
        x: Tensor,
        weight: Tensor,
        drops: list[Tensor],
        bias: Tensor | None = None,
    ) -> Tensor:
        if len(drops) < 2:
            return F.linear(x * drops[0] if drops else x, weight, bias)
        parts = zip(drops, weight.chunk(len(drops)), strict=True)
        z = torch.cat([F.linear(x * drop, part) for drop, part in parts], -1)
        return z if bias is None else z + bias

    def step(
        self,
        z: Tensor,
        keep: list[Tensor],
        *states: Tensor,
    ) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def forward(
        self,
        x: Tensor,
        states: tuple[Tensor, ...] | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        drops = self.drops(x[:, :1], self.dropout)
        z = self.product(x, self.weight_ih, drops, self.bias)
        zero = x.new_zeros(x.shape[0], self.units)
        keep = self.drops(zero, self.recurrent_dropout)
        now = (zero,) * self.states if states is None else states
        outputs = []
        for t in range(x.shape[1]):
            now = self.step(z[:, t], keep, *now)
            outputs.append(now[0])
        return torch.stack(outputs, 1), now


class SimpleRNN(Recurrent):
    """A simple recurrent layer with any activation; nn.RNN has tanh and relu."""

    def step(
        self,
        z: Tensor,
        keep: list[Tensor],
        *states: Tensor,
    ) -> tuple[Tensor, ...]:
        of_state = self.product(states[0], self.weight_hh, keep)
        return (self.activation(z + of_state),)


class LSTM(Recurrent):
    """An LSTM with any activations and dropout; nn.LSTM has one kind alone."""

    gates, states = 4, 2

    def step(
        self,
        z: Tensor,
        keep: list[Tensor],
        *states: Tensor,
    ) -> tuple[Tensor, ...]:
        h, c = states
        z = z + self.product(h, self.weight_hh, keep)
        i, f, g, o = z.chunk(4, -1)
        c = self.gate(f) * c + self.gate(i) * self.activation(g)
        return self.gate(o) * self.activation(c), c


class GRU(Recurrent):
    """A GRU that resets the state before its product; nn.GRU resets the product."""

    gates = 3

    def step(
        self,
        z: Tensor,
        keep: list[Tensor],
        *states: Tensor,
    ) -> tuple[Tensor, ...]:
        (h,), both = states, 2 * self.units
        of_state = self.product(h, self.weight_hh[:both], keep[:2])
        reset, update = self.gate(z[:, :both] + of_state).chunk(2, -1)
        of_reset = self.product(reset * h, self.weight_hh[both:], keep[-1:])
        new = self.activation(z[:, both:] + of_reset)
        return (update * h + (1 - update) * new,)


class GRUResetAfter(Recurrent):
    """A GRU with any activations and dropout; nn.GRU has one kind alone."""

    gates = 3

    def __init__(
        self,
        inputs: int,
        units: int,
        activation: nn.Module,
        gate: nn.Module,
        bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(inputs, units, activation, gate, bias, **options)
        self.recurrent_bias = nn.Parameter(torch.zeros(3 * units)) if bias else None

    def step(
        self,
        z: Tensor,
        keep: list[Tensor],
        *states: Tensor,
    ) -> tuple[Tensor, ...]:
        (h,), both = states, 2 * self.units
        of_state = self.product(h, self.weight_hh, keep, self.recurrent_bias)
        reset, update = self.gate(z[:, :both] + of_state[:, :both]).chunk(2, -1)
        new = self.activation(z[:, both:] + reset * of_state[:, both:])
        return (update * h + (1 - update) * new,)


class ConvLSTM(nn.Module):
    """An LSTM whose products are convolutions; the steps lie behind the channels."""

    def __init__(
        self,
        of_input: nn.Module,
        of_state: nn.Module,
        activation: nn.Module,
        gate: nn.Module,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.of_input, self.of_state = of_input, of_state
        self.activation, self.gate = activation, gate
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout

    def drops(self, like: Tensor, rate: float) -> list[Tensor]:
        """Draw what multiplies the input of each gate, none where nothing drops."""
        if not rate or not self.training:
            return []
        return [F.dropout(torch.ones_like(like), rate) for _ in range(4)]

    def convolved(
        self,
        convolution: nn.Module,
        x: Tensor,
        drops: list[Tensor],
    ) -> Tensor:
        if not drops:
            joined: Tensor = convolution(x)
            return joined
        gates = [convolution(x * drop).chunk(4, 1) for drop in drops]
        return torch.cat([gate[i] for i, gate in enumerate(gates)], 1)

    def forward(
        self,
        x: Tensor,
        states: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        x = x.transpose(1, 2)
        drops = self.drops(x[:, 0], self.dropout)
        drops = [drop.repeat_interleave(x.shape[1], 0) for drop in drops]
        z = self.convolved(self.of_input, x.flatten(0, 1), drops)
        z = z.reshape(*x.shape[:2], *z.shape[1:])
        zero = torch.zeros_like(z[:, 0].chunk(4, 1)[0])
        drops = self.drops(zero, self.recurrent_dropout)
        h, c = (zero, zero) if states is None else states
        outputs = []
        for t in range(x.shape[1]):
            gates = z[:, t] + self.convolved(self.of_state, h, drops)
            i, f, g, o = gates.chunk(4, 1)
            c = self.gate(f) * c + self.gate(i) * self.activation(g)
            h = self.gate(o) * self.activation(c)
            outputs.append(h)
        return torch.stack(outputs, 2), (h, c)


def attend(
    scores: Tensor,
    value: Tensor,
    allowed: Tensor | None = None,
    dropout: nn.Module | None = None,
) -> Tensor:
    """Return the values, weighted by the softmax of the scores that are allowed."""
    if allowed is not None:
        scores = scores - allowed.logical_not().to(scores.dtype) * 1e9
    weights = scores.softmax(-1)
    return (weights if dropout is None else dropout(weights)) @ value


class MultiHeadAttention(nn.Module):
    """Attention with heads of any size; nn.MultiheadAttention has features / heads."""

    def __init__(
        self,
        features: tuple[int, int, int],
        heads: int,
        key_size: int,
        value_size: int,
        outputs: int,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(features[0], heads * key_size, bias=bias)
        self.key = nn.Linear(features[1], heads * key_size, bias=bias)
        self.value = nn.Linear(features[2], heads * value_size, bias=bias)
        self.output = nn.Linear(heads * value_size, outputs, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def split(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def forward(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor,
        allowed: Tensor | None = None,
    ) -> Tensor:
        q, k = self.split(self.query(query)), self.split(self.key(key))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        heads = attend(scores, self.split(self.value(value)), allowed, self.dropout)
        joined: Tensor = self.output(heads.transpose(1, 2).flatten(2))
        return joined
