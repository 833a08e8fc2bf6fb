"""The layers that `layers.py` measures: what each is made with, and three sizes.  Imports neither torch nor Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A layer in one setting.

    Attributes:
        cls: The name of its class in Keras.
        torch: The name of what makes torch's module, in `layer_loops.py`.
        arguments: What it is made with in each size.
        sizes: Name → shape of a batch in Keras's order, and further arguments.
        inputs: How many tensors of that shape it takes.
        stacked: How many of the layer stand in a row.
    """

    cls: str
    torch: str
    arguments: Row
    sizes: dict[str, tuple[tuple[int, ...], Row]]
    inputs: int = 1
    stacked: int = 1
    penalties: tuple[str, ...] = field(default=())

    def make(self, keras: Any, size: str) -> Callable[..., Any]:
        """Return the layer, or the model of several of them, out of a Keras."""
        arguments = {**self.arguments, **self.sizes[size][1]}
        arguments |= {name: keras.regularizers.L2(PENALTY) for name in self.penalties}
        cls = getattr(keras.layers, self.cls)
        if self.stacked == 1:
            layer: Callable[..., Any] = cls(**arguments)
            return layer
        model: Callable[..., Any] = keras.Sequential([cls(**arguments) for _ in range(self.stacked)])
        return model

    def batch(self, size: str) -> list[np.ndarray[Any, Any]]:
        """Return the inputs, always the same."""
        rng = np.random.default_rng(0)
        return [rng.normal(size=self.sizes[size][0]).astype("float32") for _ in range(self.inputs)]


PENALTY = 1e-4


def _sized(argument: str, **sizes: tuple[tuple[int, ...], int]) -> dict[str, tuple[tuple[int, ...], Row]]:
    """Return sizes in which one argument goes with the shape."""
    return {name: (shape, {argument: value}) for name, (shape, value) in sizes.items()}


def _shapes(**sizes: tuple[int, ...]) -> dict[str, tuple[tuple[int, ...], Row]]:
    return {name: (shape, {}) for name, shape in sizes.items()}


UNITS = _sized("units", small=((32, 20, 16), 32), medium=((32, 50, 64), 64), large=((64, 100, 128), 128))
VIDEO = _sized("filters", small=((4, 5, 16, 16, 1), 8), medium=((8, 8, 24, 24, 4), 16), large=((8, 10, 40, 40, 8), 32))
STACK = _sized("units", small=((16, 60, 8), 80), medium=((32, 60, 16), 80), large=((128, 60, 32), 80))
SEQUENCE = _sized("filters", small=((32, 50, 16), 32), medium=((32, 200, 32), 64), large=((32, 400, 64), 128))
IMAGE = _sized("filters", small=((32, 16, 16, 3), 16), medium=((32, 32, 32, 16), 32), large=((32, 56, 56, 32), 64))
VOLUME = _sized("filters", small=((4, 8, 8, 8, 2), 8), medium=((4, 16, 16, 16, 4), 16), large=((4, 24, 24, 24, 8), 32))
MAPS = _shapes(small=(32, 16, 16, 16), medium=(32, 32, 32, 32), large=(32, 56, 56, 64))
FEATURES = _shapes(small=(32, 20, 64), medium=(32, 50, 256), large=(64, 100, 512))
TOKENS = _shapes(small=(16, 16, 32), medium=(32, 64, 64), large=(32, 128, 128))
HEADS = {
    "small": ((16, 16, 32), {"num_heads": 2, "key_dim": 16}),
    "medium": ((32, 64, 64), {"num_heads": 4, "key_dim": 16}),
    "large": ((32, 128, 128), {"num_heads": 8, "key_dim": 16}),
}

EVERY = {"return_sequences": True}
HARD = {**EVERY, "recurrent_activation": "hard_sigmoid"}
THREE = {"kernel_size": 3, "padding": "same"}
WEIGHTS = ("kernel_regularizer", "recurrent_regularizer")

CASES: dict[str, Case] = {
    # recurrent
    "lstm": Case("LSTM", "fused_lstm", EVERY, UNITS),
    "gru": Case("GRU", "fused_gru", {**EVERY, "reset_after": True}, UNITS),
    "gru_reset_before": Case("GRU", "gru_loop", {**EVERY, "reset_after": False}, UNITS),
    "simple_rnn": Case("SimpleRNN", "fused_rnn", EVERY, UNITS),
    "lstm_hard_sigmoid": Case("LSTM", "hard_lstm_loop", HARD, UNITS),
    "lstm_recurrent_dropout": Case("LSTM", "dropping_lstm_loop", {**EVERY, "recurrent_dropout": 0.2}, UNITS),
    "lstm_penalties": Case("LSTM", "lstm_stack", EVERY, STACK, stacked=3, penalties=WEIGHTS),
    "gru_penalties": Case("GRU", "gru_stack", EVERY, STACK, stacked=3, penalties=WEIGHTS),
    "conv_lstm_2d": Case("ConvLSTM2D", "conv_lstm_loop", {**EVERY, **THREE}, VIDEO),
    # convolutions
    "conv1d": Case("Conv1D", "conv", THREE, SEQUENCE),
    "conv1d_causal": Case("Conv1D", "conv", {"kernel_size": 3, "padding": "causal"}, SEQUENCE),
    "conv2d": Case("Conv2D", "conv", THREE, IMAGE),
    "conv2d_strided": Case("Conv2D", "conv", {**THREE, "strides": 2}, IMAGE),
    "conv3d": Case("Conv3D", "conv", THREE, VOLUME),
    "conv2d_transpose": Case("Conv2DTranspose", "conv_transposed", {**THREE, "strides": 2}, IMAGE),
    "depthwise_conv2d": Case("DepthwiseConv2D", "depthwise", THREE, MAPS),
    "separable_conv2d": Case("SeparableConv2D", "separable", THREE, IMAGE),
    # normalisation
    "batch_normalization": Case("BatchNormalization", "batch_norm", {}, MAPS),
    "layer_normalization": Case("LayerNormalization", "layer_norm", {}, FEATURES),
    "group_normalization": Case("GroupNormalization", "group_norm", {"groups": 8}, MAPS),
    "unit_normalization": Case("UnitNormalization", "unit_norm", {}, FEATURES),
    # attention
    "attention": Case("Attention", "attention", {}, TOKENS, inputs=2),
    "additive_attention": Case("AdditiveAttention", "additive_attention", {}, TOKENS, inputs=2),
    "multi_head_attention": Case("MultiHeadAttention", "multi_head", {}, HEADS, inputs=2),
}
