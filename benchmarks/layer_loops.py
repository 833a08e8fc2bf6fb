"""The layers of `layer_cases.py` as a careful user of torch has them: `torch.nn`'s, or a loop over the steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def hard_sigmoid(x: Tensor) -> Tensor:
    """Return Keras's, which is steeper than torch's own."""
    return (0.2 * x + 0.5).clamp(0, 1)


class Fused(nn.Module):
    """A recurrent layer of `torch.nn`, without its states."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Return all outputs."""
        output: Tensor = self.layer(x)[0]
        return output


class LSTMLoop(nn.Module):
    """LSTM in a loop, with other gates or with dropout of the state for each of them."""

    def __init__(self, features: int, units: int, gate: Any = torch.sigmoid, dropout: float = 0.0) -> None:
        super().__init__()
        self.inputs, self.state = nn.Linear(features, 4 * units), nn.Linear(units, 4 * units, bias=False)
        self.units, self.gate, self.dropout = units, gate, dropout

    def product(self, h: Tensor, masks: Tensor | None) -> Tensor:
        """Return the product of the state with its weights."""
        if masks is None:
            product: Tensor = self.state(h)
            return product
        weights = self.state.weight.view(4, self.units, self.units).transpose(1, 2)
        return torch.bmm(h * masks, weights).transpose(0, 1).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Return all outputs."""
        h = c = x.new_zeros(len(x), self.units)
        masks, outputs = None, []
        if self.dropout:
            masks = F.dropout(x.new_ones(4, len(x), self.units), self.dropout)
        for z in self.inputs(x).unbind(1):
            i, f, g, o = (z + self.product(h, masks)).chunk(4, -1)
            c = self.gate(f) * c + self.gate(i) * g.tanh()
            h = self.gate(o) * c.tanh()
            outputs.append(h)
        return torch.stack(outputs, 1)


class GRULoop(nn.Module):
    """GRU in a loop, reset before the product."""

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.inputs = nn.Linear(features, 3 * units)
        self.gates = nn.Linear(units, 2 * units, bias=False)
        self.candidate = nn.Linear(units, units, bias=False)
        self.units = units

    def forward(self, x: Tensor) -> Tensor:
        """Return all outputs."""
        h, outputs = x.new_zeros(len(x), self.units), []
        for z in self.inputs(x).unbind(1):
            keep, reset = torch.sigmoid(z[:, : 2 * self.units] + self.gates(h)).chunk(2, -1)
            candidate = torch.tanh(z[:, 2 * self.units :] + self.candidate(reset * h))
            h = keep * h + (1 - keep) * candidate
            outputs.append(h)
        return torch.stack(outputs, 1)


class ConvLSTMLoop(nn.Module):
    """LSTM over images in a loop; it takes and gives channels last, as Keras's layer."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.inputs = nn.Conv2d(channels, 4 * filters, 3, padding=1)
        self.state = nn.Conv2d(filters, 4 * filters, 3, padding=1, bias=False)
        self.filters = filters

    def forward(self, x: Tensor) -> Tensor:
        """Return all outputs."""
        batch, steps, rows, columns, _ = x.shape
        z = self.inputs(x.flatten(0, 1).movedim(-1, 1)).view(batch, steps, -1, rows, columns)
        h = c = x.new_zeros(batch, self.filters, rows, columns)
        outputs = []
        for step in z.unbind(1):
            i, f, g, o = (step + self.state(h)).chunk(4, 1)
            c = hard_sigmoid(f) * c + hard_sigmoid(i) * g.tanh()
            h = hard_sigmoid(o) * c.tanh()
            outputs.append(h)
        return torch.stack(outputs, 1).movedim(2, -1)


class Stack(nn.Module):
    """Three recurrent layers in a row, and the penalty of their weights that goes into the loss.

    Args:
        make: Makes a layer of `torch.nn` for features and units.
        features: The number of features.
        units: The number of units.
        penalty: The factor of the squares of the weights.
    """

    def __init__(self, make: Any, features: int, units: int, penalty: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList([make(n, units, batch_first=True) for n in (features, units, units)])
        self.penalty = penalty

    def forward(self, x: Tensor) -> Tensor:
        """Return all outputs of the last."""
        for layer in self.layers:
            x = layer(x)[0]
        return x

    @property
    def losses(self) -> list[Tensor]:
        """The penalties."""
        return [self.penalty * w.square().sum() for name, w in self.named_parameters() if "weight" in name]


class ChannelsFirst(nn.Module):
    """A module that takes channels first, which is how its user keeps the data: turned once, before it is timed."""

    def __init__(self, module: nn.Module, ahead: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.module, self.ahead = module, ahead

    def prepared(self, x: Tensor) -> Tensor:
        """Return the data as the user of torch has them."""
        return x.movedim(-1, 1).contiguous()

    def forward(self, x: Tensor) -> Tensor:
        """Return the output."""
        y: Tensor = self.module(F.pad(x, self.ahead) if self.ahead else x)
        return y


class Attention(nn.Module):
    """Scores by products, or by a sum through tanh, without weights but the scale of the latter."""

    def __init__(self, features: int, additive: bool) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(features)) if additive else None

    def forward(self, query: Tensor, value: Tensor) -> Tensor:
        """Return the weighted values."""
        if self.scale is None:
            scores = query @ value.transpose(1, 2)
        else:
            scores = (self.scale * (query.unsqueeze(2) + value.unsqueeze(1)).tanh()).sum(-1)
        return scores.softmax(-1) @ value


class MultiHead(nn.Module):
    """`torch.nn.MultiheadAttention`, without its scores."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(features, heads, batch_first=True)

    def forward(self, query: Tensor, value: Tensor) -> Tensor:
        """Return the output."""
        output: Tensor = self.attention(query, value, value, need_weights=False)[0]
        return output


class UnitNorm(nn.Module):
    """Vectors of length 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the input, each row divided by its length."""
        return F.normalize(x, dim=-1)


Shape = tuple[int, ...]
Options = dict[str, Any]
CONVOLUTIONS = {3: nn.Conv1d, 4: nn.Conv2d, 5: nn.Conv3d}


def convolution(shape: Shape, options: Options) -> nn.Module:
    """Return the convolution of `torch.nn` over a batch of this shape."""
    strides, causal = options.get("strides", 1), options["padding"] == "causal"
    rank = len(shape) - 2
    ahead = (2, 0) if causal else (0, 1) * rank if strides == 2 else ()  # Keras pads behind, where the step is 2
    padding = 0 if ahead else 1
    return ChannelsFirst(
        CONVOLUTIONS[len(shape)](shape[-1], options["filters"], 3, stride=strides, padding=padding), ahead
    )


def transposed(shape: Shape, options: Options) -> nn.Module:
    """Return the transposed convolution over images, that doubles their size."""
    return ChannelsFirst(nn.ConvTranspose2d(shape[-1], options["filters"], 3, stride=2, padding=1, output_padding=1))


def depthwise(shape: Shape, options: Options) -> nn.Module:
    """Return a convolution of each channel by itself."""
    return ChannelsFirst(nn.Conv2d(shape[-1], shape[-1], 3, padding=1, groups=shape[-1]))


def separable(shape: Shape, options: Options) -> nn.Module:
    """Return a convolution of each channel by itself, and one of all channels at each place."""
    each = nn.Conv2d(shape[-1], shape[-1], 3, padding=1, groups=shape[-1], bias=False)
    return ChannelsFirst(nn.Sequential(each, nn.Conv2d(shape[-1], options["filters"], 1)))


def _by_units(make: Callable[[int, int], nn.Module]) -> Callable[[Shape, Options], nn.Module]:
    return lambda shape, options: make(shape[-1], options.get("units", options.get("filters", 0)))


PENALTY = 1e-4
# Name → (shape of a batch, arguments of Keras's layer) → the module.
LOOPS: dict[str, Callable[[Shape, Options], nn.Module]] = {
    "fused_lstm": _by_units(lambda features, units: Fused(nn.LSTM(features, units, batch_first=True))),
    "fused_gru": _by_units(lambda features, units: Fused(nn.GRU(features, units, batch_first=True))),
    "fused_rnn": _by_units(lambda features, units: Fused(nn.RNN(features, units, batch_first=True))),
    "gru_loop": _by_units(GRULoop),
    "hard_lstm_loop": _by_units(lambda features, units: LSTMLoop(features, units, hard_sigmoid)),
    "dropping_lstm_loop": _by_units(lambda features, units: LSTMLoop(features, units, dropout=0.2)),
    "lstm_stack": _by_units(lambda features, units: Stack(nn.LSTM, features, units, PENALTY)),
    "gru_stack": _by_units(lambda features, units: Stack(nn.GRU, features, units, PENALTY)),
    "conv_lstm_loop": _by_units(ConvLSTMLoop),
    "conv": convolution,
    "conv_transposed": transposed,
    "depthwise": depthwise,
    "separable": separable,
    "batch_norm": lambda shape, options: ChannelsFirst(nn.BatchNorm2d(shape[-1])),
    "group_norm": lambda shape, options: ChannelsFirst(nn.GroupNorm(options["groups"], shape[-1])),
    "layer_norm": lambda shape, options: nn.LayerNorm(shape[-1]),
    "unit_norm": lambda shape, options: UnitNorm(),
    "attention": lambda shape, options: Attention(shape[-1], additive=False),
    "additive_attention": lambda shape, options: Attention(shape[-1], additive=True),
    "multi_head": lambda shape, options: MultiHead(shape[-1], options["num_heads"]),
}
