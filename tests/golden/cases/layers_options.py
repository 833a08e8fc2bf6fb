"""Each class of layers with a weight once with every initializer, regularizer and constraint off its default."""

from __future__ import annotations

from typing import Any

from .common import KERAS_215, Case
from .layers_core import single


def options(*weights: str) -> dict[str, Any]:
    """Return an initializer, a regularizer and a constraint for each of these weights, no two alike."""
    chosen: dict[str, Any] = {}
    for i, weight in enumerate(weights):
        value = 0.1 + 0.15 * i
        chosen[f"{weight}_initializer"] = {"class_name": "Constant", "config": {"value": value}}
        chosen[f"{weight}_regularizer"] = {"class_name": "L1L2", "config": {"l1": 0.01, "l2": 0.02 * (i + 1)}}
        chosen[f"{weight}_constraint"] = {"class_name": "MaxNorm", "config": {"max_value": 0.4 + 0.1 * i, "axis": 0}}
    return chosen


L2 = {"class_name": "L2", "config": {"l2": 0.05}}
_ON_OUTPUT = {"activation": "tanh", "activity_regularizer": L2}
_FILTERS = {"filters": 3, "kernel_size": 2, **_ON_OUTPUT}
_STATISTICS = {
    "moving_mean_initializer": {"class_name": "Constant", "config": {"value": 0.3}},
    "moving_variance_initializer": {"class_name": "Constant", "config": {"value": 1.7}},
}
_INITIAL = {"initial": True}


def _full(
    name: str, cls: str, shape: list[int], weights: str, *, more: dict[str, Any] | None = None, **kw: Any
) -> Case:
    return single(f"{name}_options", cls, shape, extra={**_INITIAL, **(more or {})}, **kw, **options(*weights.split()))


_SPACE = {1: [5, 2], 2: [4, 3, 2], 3: [3, 2, 3, 2]}

OPTIONS: list[Case] = [
    _full("dense", "Dense", [5], "kernel bias", units=4, **_ON_OUTPUT),
    *[_full(f"conv{rank}d", f"Conv{rank}D", _SPACE[rank], "kernel bias", **_FILTERS) for rank in (1, 2, 3)],
    *[
        _full(f"conv{rank}d_transpose", f"Conv{rank}DTranspose", _SPACE[rank], "kernel bias", **_FILTERS)
        for rank in (1, 2, 3)
    ],
    *[
        _full(
            f"depthwise{rank}d",
            f"DepthwiseConv{rank}D",
            _SPACE[rank],
            "depthwise bias",
            kernel_size=2,
            depth_multiplier=2,
            **_ON_OUTPUT,
        )
        for rank in (1, 2)
    ],
    *[
        _full(
            f"separable{rank}d",
            f"SeparableConv{rank}D",
            _SPACE[rank],
            "depthwise pointwise bias",
            depth_multiplier=2,
            **_FILTERS,
        )
        for rank in (1, 2)
    ],
    *[_full(f"local{rank}d", f"LocallyConnected{rank}D", _SPACE[rank], "kernel bias", **_FILTERS) for rank in (1, 2)],
    _full(
        "einsum_dense",
        "EinsumDense",
        [3, 4],
        "kernel bias",
        equation="abc,cd->abd",
        output_shape=[None, 2],
        bias_axes="d",
        activation="tanh",
    ),
    *[
        _full(
            f"conv_lstm{rank}d",
            f"ConvLSTM{rank}D",
            [2, *_SPACE[rank]],
            "kernel recurrent bias",
            more={"steps": 3},  # each step costs as much as ten of others
            return_sequences=True,
            **_FILTERS,
        )
        for rank in (1, 2, 3)
    ],
    # the legacy optimizers refuse a constraint on an embedding (a "sparse variable")
    single(
        "embedding_options",
        "Embedding",
        [6],
        draw="tokens:9",
        extra={**_INITIAL, "dialect": KERAS_215},
        input_dim=9,
        output_dim=4,
        mask_zero=True,
        activity_regularizer=L2,
        **options("embeddings"),
    ),
    _full(
        "bn",
        "BatchNormalization",
        [5],
        "beta gamma",
        more={"train_forward": True},
        momentum=0.7,
        epsilon=0.1,
        **_STATISTICS,
    ),
    single(
        "bn_synchronized", "BatchNormalization", [4, 5], extra={"train_forward": True}, synchronized=True, momentum=0.7
    ),
    _full("layer_norm", "LayerNormalization", [3, 4], "beta gamma", axis=1, epsilon=0.1),
    single("group_norm_of_32", "GroupNormalization", [3, 32]),
    _full("group_norm", "GroupNormalization", [3, 4], "beta gamma", groups=2, epsilon=0.1),
    _full("prelu", "PReLU", [4, 3], "alpha", shared_axes=[1]),
    *[
        _full(
            name,
            cls,
            [5, 3],
            "kernel recurrent bias",
            units=4,
            activation="relu",
            activity_regularizer=L2,
            go_backwards=True,
            return_sequences=True,
            unroll=True,
            **more,
        )
        for name, cls, more in (
            ("simple_rnn", "SimpleRNN", {}),
            ("lstm", "LSTM", {"recurrent_activation": "hard_sigmoid"}),
            ("gru", "GRU", {"recurrent_activation": "hard_sigmoid"}),
        )
    ],
    *[
        single(
            f"{cls.lower()}_dropouts_in_inference",
            cls,
            [5, 3],
            extra={"steps": 0},
            units=4,
            dropout=0.3,
            recurrent_dropout=0.4,
            return_sequences=sequences,
        )
        for cls, sequences in (("SimpleRNN", True), ("LSTM", False), ("GRU", True))
    ],
]
