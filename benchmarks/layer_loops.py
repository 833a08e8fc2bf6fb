"""The recurrent layers of `layers.py` as a careful user of torch has them: `torch.nn`'s, or a loop over the steps."""

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


# Name → (features or channels, units or filters) → the module.
LOOPS: dict[str, Callable[[int, int], nn.Module]] = {
    "fused_lstm": lambda features, units: Fused(nn.LSTM(features, units, batch_first=True)),
    "fused_gru": lambda features, units: Fused(nn.GRU(features, units, batch_first=True)),
    "fused_rnn": lambda features, units: Fused(nn.RNN(features, units, batch_first=True)),
    "gru_loop": GRULoop,
    "hard_lstm_loop": lambda features, units: LSTMLoop(features, units, hard_sigmoid),
    "dropping_lstm_loop": lambda features, units: LSTMLoop(features, units, dropout=0.2),
    "conv_lstm_loop": ConvLSTMLoop,
}
