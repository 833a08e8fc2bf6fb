"""Calls of one layer with what a Sequential cannot hand it: several inputs, masks, first states, more arguments.

A case has the layer (`call`), the shapes of its inputs without the batch (`inputs`), what hides steps of each input
(`masks`: `left`, `right`, `middle`, `mixed`, or none), and further arguments: `states` (shapes), `arrays` (name → kind
and shape) and `options` (as they stand). `how` says how the inputs are handed over: `one`, in a `list`, or `apart`.
"""

from __future__ import annotations

from typing import Any

from .common import Case, case, fn, make
from .layers_options import L2, options
from .layers_pointwise import layer


def called(name: str, cls: str, inputs: list[list[int]], *, extra: dict[str, Any] | None = None, **kwargs: Any) -> Case:
    """Describe a call.

    Args:
        name: The case's name.
        cls: The class.
        inputs: The shapes of the inputs.
        extra: Further fields of the case.
        kwargs: The arguments of the layer.
    """
    fields: dict[str, Any] = {
        "how": "one" if len(inputs) == 1 else "list",
        "masks": [None] * len(inputs),
        "states": [],
        "states_as": "initial_state",
        "arrays": {},
        "options": {},
        "initial": False,
        "steps": 10,
        "rate": 0.05,
    }
    return case(name, call=[cls, kwargs], inputs=inputs, **{**fields, **(extra or {})})


# --- merging ---------------------------------------------------------------------------------------------------------

_MERGES: list[tuple[str, list[list[int]], list[str | None]]] = [
    ("same", [[3, 4], [3, 4]], [None, None]),
    ("ones", [[3, 1], [1, 4]], [None, None]),
    ("ranks", [[3, 4], [4]], [None, None]),
    ("lower_first", [[4], [2, 3, 4]], [None, None]),
    ("masked", [[5, 4], [5, 4]], ["left", "mixed"]),
    ("half_masked", [[5, 4], [5, 4]], [None, "right"]),
]
_ELEMENTWISE = "Add Subtract Multiply Average Maximum Minimum".split()

_MERGING: list[Case] = [
    *[
        called(f"{cls.lower()}_{name}", cls, inputs, extra={"masks": masks})
        for cls in _ELEMENTWISE
        for name, inputs, masks in _MERGES
    ],
    *[
        called(f"{cls.lower()}_three", cls, [[3, 4], [1, 4], [4]], extra={"masks": [None] * 3})
        for cls in _ELEMENTWISE
        if cls != "Subtract"
    ],
    called("concatenate", "Concatenate", [[3, 4], [3, 2]]),
    called("concatenate_axis", "Concatenate", [[3, 4], [2, 4], [1, 4]], axis=1),
    called("concatenate_masked", "Concatenate", [[5, 4], [5, 2]], extra={"masks": ["left", "mixed"]}),
    called("concatenate_steps_masked", "Concatenate", [[5, 4], [5, 4]], extra={"masks": ["left", "right"]}, axis=1),
    called("concatenate_half_masked", "Concatenate", [[5, 4], [5, 4]], extra={"masks": [None, "right"]}),
    called("dot", "Dot", [[4], [4]], axes=1),
    called("dot_normalized", "Dot", [[3, 4], [3, 2]], axes=1, normalize=True),
    called("dot_pair", "Dot", [[3, 4], [4, 2]], axes=[2, 1]),
    called("dot_masked", "Dot", [[5, 4], [5, 4]], extra={"masks": ["left", "right"]}, axes=-1),
]

# --- attention -------------------------------------------------------------------------------------------------------

_PAIR, _TRIPLE = [[3, 4], [5, 4]], [[3, 4], [5, 2], [5, 4]]
_SCORES = {"options": {"return_attention_scores": True}}
_BOTH = {"masks": ["right", "mixed"]}


def _attention(short: str, cls: str, values: int, more: dict[str, Any]) -> list[Case]:
    three = [[3, 4], [5, values], [5, 4]]
    return [
        called(short, cls, _PAIR),
        called(f"{short}_three", cls, three, extra=_SCORES),
        called(f"{short}_masked", cls, _PAIR, extra=_BOTH),
        called(f"{short}_scores_masked", cls, three, extra={**_SCORES, "masks": ["right", "left", None]}),
        called(f"{short}_values_masked", cls, _PAIR, extra={**_SCORES, "masks": [None, "left"]}),
        called(f"{short}_causal_call", cls, _PAIR, extra={"options": {"use_causal_mask": True}}),
        called(f"{short}_all", cls, _PAIR, extra={**_SCORES, **_BOTH}, dropout=0.5, causal=True, **more),
    ]


_HEADS = {"num_heads": 2, "key_dim": 3}
_APART = {"how": "apart"}
_ATTENTION: list[Case] = [
    *_attention("attention", "Attention", 2, {"use_scale": True, "score_mode": "concat"}),
    called("attention_scaled", "Attention", _PAIR, use_scale=True),
    called("attention_concat", "Attention", _TRIPLE, score_mode="concat"),
    # Keras 2.15 makes the scale as long as the value's features, and multiplies the key's by it
    *_attention("additive", "AdditiveAttention", 4, {"use_scale": False}),
    called("heads", "MultiHeadAttention", _PAIR, extra=_APART, **_HEADS),
    called("heads_scores", "MultiHeadAttention", _TRIPLE, extra={**_APART, **_SCORES}, **_HEADS),
    called("heads_masked", "MultiHeadAttention", _PAIR, extra={**_APART, **_BOTH}, **_HEADS),
    called(
        "heads_masked_scores",
        "MultiHeadAttention",
        _TRIPLE,
        extra={**_APART, **_SCORES, "masks": ["left", "right", "left"]},
        **_HEADS,
    ),
    called(
        "heads_attention_mask",
        "MultiHeadAttention",
        _PAIR,
        extra={**_APART, **_SCORES, "arrays": {"attention_mask": ["bits", [3, 5]]}},
        **_HEADS,
    ),
    called(
        "heads_causal",
        "MultiHeadAttention",
        [[4, 3], [4, 3]],
        extra={**_APART, "masks": [None, "right"], "options": {"use_causal_mask": True}},
        **_HEADS,
    ),
    called(
        "heads_all",
        "MultiHeadAttention",
        _TRIPLE,
        extra={**_APART, "initial": True, "rate": 0.02},
        **_HEADS,
        value_dim=2,
        dropout=0.5,
        output_shape=[2, 3],
        attention_axes=[1],
        activity_regularizer=L2,
        **options("kernel", "bias"),
    ),
    called(
        "heads_axes",
        "MultiHeadAttention",
        [[2, 3, 4], [2, 3, 4]],
        extra=_APART,
        **_HEADS,
        attention_axes=[2],
        use_bias=False,
        output_shape=5,
    ),
]

# --- recurrent layers ------------------------------------------------------------------------------------------------

_STATES = {"SimpleRNN": [[3]], "LSTM": [[3], [3]], "GRU": [[3]]}
_SEQUENCE = [[5, 3]]


def _recurrent(cls: str, states: list[list[int]]) -> list[Case]:
    low, units = cls.lower(), {"units": 3}
    both = {"return_sequences": True, "return_state": True}
    return [
        called(f"{low}_state", cls, _SEQUENCE, **units, return_state=True),
        called(f"{low}_begun", cls, _SEQUENCE, extra={"states": states}, **units, **both),
        called(f"{low}_begun_masked", cls, _SEQUENCE, extra={"states": states, "masks": ["mixed"]}, **units, **both),
        called(f"{low}_state_left", cls, _SEQUENCE, extra={"masks": ["left"]}, **units, return_state=True),
        called(
            f"{low}_begun_backwards",
            cls,
            _SEQUENCE,
            extra={"states": states, "masks": ["left"]},
            **units,
            **both,
            go_backwards=True,
        ),
        called(f"{low}_time_major", cls, _SEQUENCE, extra={"masks": ["left"]}, **units, **both, time_major=True),
        called(f"{low}_zeroed", cls, _SEQUENCE, extra={"masks": ["mixed"]}, **units, **both, zero_output_for_mask=True),
        called(
            f"{low}_unrolled",
            cls,
            _SEQUENCE,
            extra={"states": states, "masks": ["mixed"]},
            **units,
            **both,
            unroll=True,
        ),
        called(
            f"{low}_kept",
            cls,
            _SEQUENCE,
            extra={"masks": ["mixed"], "steps": 0},
            **units,
            return_state=True,
            stateful=True,
        ),
        called(
            f"{low}_dropouts",
            cls,
            _SEQUENCE,
            extra={"states": states, "steps": 0},
            **units,
            **both,
            dropout=0.3,
            recurrent_dropout=0.2,
        ),
    ]


_SPACES: dict[int, list[int]] = {1: [4], 2: [4, 3], 3: [3, 2, 3]}


def _convolutional(rank: int) -> list[Case]:
    cls, inputs = f"ConvLSTM{rank}D", [[3, *_SPACES[rank], 2]]
    low, few, both = cls.lower(), {"filters": 2, "kernel_size": 2}, {"return_sequences": True, "return_state": True}
    resting = {"steps": 0}
    dropped = {"dropout": 0.3, "recurrent_dropout": 0.2}
    return [
        called(f"{low}_state", cls, inputs, extra=resting, **few, return_state=True),
        called(f"{low}_dropouts", cls, inputs, extra=resting, **few, **both, **dropped),
        called(f"{low}_kept", cls, inputs, extra=resting, **few, return_state=True, stateful=True),
    ]


_GATED = {"recurrent_activation": "hard_sigmoid"}
_ALL_OF_CELL = {"units": 3, "activation": "softsign", "dropout": 0.3, "recurrent_dropout": 0.2}
_OPTIONS_OF_CELL = options("kernel", "recurrent", "bias")


def _cell(cls: str, states: list[list[int]]) -> list[Case]:
    gated = {} if cls == "SimpleRNN" else _GATED
    own = {"SimpleRNN": {}, "LSTM": {"unit_forget_bias": False}, "GRU": {"reset_after": False}}[cls]
    step = {"states": states, "states_as": "states"}
    low = f"{cls.lower()}_cell"
    return [
        called(low, f"{cls}Cell", [[3]], extra=step, units=3),
        called(
            f"{low}_all",
            f"{cls}Cell",
            [[3]],
            extra={**step, "initial": True},
            **_ALL_OF_CELL,
            **gated,
            **own,
            **_OPTIONS_OF_CELL,
        ),
        called(f"{low}_no_bias", f"{cls}Cell", [[3]], extra=step, units=3, use_bias=False),
        called(
            f"{low}_walked",
            "RNN",
            _SEQUENCE,
            extra={"masks": ["mixed"], "initial": True},
            cell=layer(f"{cls}Cell", **_ALL_OF_CELL, **gated, **_OPTIONS_OF_CELL),
            return_sequences=True,
        ),
    ]


_IN_A_ROW = [layer("LSTMCell", units=4), layer("GRUCell", units=3), layer("SimpleRNNCell", units=2)]
_STACK = make("layers.StackedRNNCells", cells=_IN_A_ROW)
_ALIKE = [layer("LSTMCell", units=3), layer("LSTMCell", units=3, activation="relu")]  # others fail in Keras if reversed
_REVERSED = make("layers.StackedRNNCells", cells=_ALIKE, reverse_state_order=True)

_CELLS: list[Case] = [
    called("stacked_cells", "RNN", _SEQUENCE, extra={"masks": ["mixed"]}, cell=_STACK, return_sequences=True),
    called(
        "stacked_cells_state",
        "RNN",
        _SEQUENCE,
        extra={"masks": ["left"]},
        cell=_STACK,
        return_state=True,
        go_backwards=True,
    ),
    called("stacked_cells_reversed", "RNN", _SEQUENCE, extra={"masks": ["left"]}, cell=_REVERSED, return_state=True),
    called(
        "stacked_cells_both_ways",
        "Bidirectional",
        _SEQUENCE,
        extra={"masks": ["left"]},
        layer=layer("RNN", cell=_IN_A_ROW, return_sequences=True),
        merge_mode="ave",
    ),
]

_BOTH_WAYS: list[Case] = [
    called(
        f"both_ways_{cls.lower()}_{mode or 'apart'}",
        "Bidirectional",
        _SEQUENCE,
        extra={"masks": ["mixed"], "states": states * 2},
        layer=layer(cls, units=3, return_sequences=True, return_state=True),
        merge_mode=mode,
    )
    for cls, states in _STATES.items()
    for mode in ("concat", "sum", "mul", "ave", None)
]

# --- functions -------------------------------------------------------------------------------------------------------

_FUNCTIONS: list[Case] = [
    called("softmax_masked", "Softmax", [[3, 4]], extra={"arrays": {"mask": ["bits", [3, 4]]}}),
    called("softmax_axes_masked", "Softmax", [[3, 4]], extra={"arrays": {"mask": ["bits", [3, 4]]}}, axis=[1, 2]),
    called("lambda", "Lambda", [[3, 4]], function=fn("twice")),
    called("lambda_mask_ends", "Lambda", [[3, 4]], extra={"masks": ["left"]}, function=fn("twice")),
    called(
        "lambda_all",
        "Lambda",
        [[5, 4]],
        extra={"masks": ["left"]},
        function=fn("scaled"),
        output_shape=[5, 4],
        mask=fn("same_mask"),
        arguments={"factor": 0.5},
    ),
    called("lambda_two", "Lambda", [[3, 4], [3, 4]], function=fn("product_of_two")),
]

CALLS: list[Case] = [
    *_MERGING,
    *_ATTENTION,
    *[case for cls, states in _STATES.items() for case in _recurrent(cls, states)],
    *[case for cls, states in _STATES.items() for case in _cell(cls, states)],
    *[case for rank in _SPACES for case in _convolutional(rank)],
    *_CELLS,
    *_BOTH_WAYS,
    *_FUNCTIONS,
]
