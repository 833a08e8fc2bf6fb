"""What Keras 3 calls things, and what it does not have, as data.

Read off the signatures of Keras 3.15; what each layer computes there is compared by
`tests/golden/configs/make_keras3_answers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MODELS = {"Sequential": "Sequential", "Model": "Functional", "Functional": "Functional"}


@dataclass(frozen=True)
class Rule:
    """What becomes of an argument.

    Attributes:
        new: Its name in Keras 3; `None` where there is none.
        harmless: The values at which it goes; without a new name, others cannot be expressed there.  `None` for any.
        reason: Why the others cannot.
        convert: Turns the value into that of Keras 3.
    """

    new: str | None = None
    harmless: tuple[Any, ...] | None = None
    reason: str = ""
    convert: Callable[[Any], Any] | None = None


def _gone(*harmless: Any, reason: str = "") -> Rule:
    return Rule(None, harmless or None, reason)


def only_one(axis: Any) -> Any:
    """Return the axis that stands alone in a list.

    Args:
        axis: An axis, or a list of axes.
    """
    return axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis


_LOCALLY = "Keras 3 has no locally connected layers"
_OF_KERAS_1 = "it is a layer of Keras 1, which Keras 3 does not have"
_CUDNN = "Keras 3 has no layers laid out for cuDNN; LSTM and GRU there have other biases"
# Class → why Keras 3 cannot have it.
MISSING: dict[str, str] = {
    **dict.fromkeys(("LocallyConnected1D", "LocallyConnected2D"), _LOCALLY),
    **dict.fromkeys(
        "SReLU ParametricSoftplus MaxoutDense Highway Merge TimeDistributedDense".split(),
        _OF_KERAS_1,
    ),
    **dict.fromkeys(("CuDNNLSTM", "CuDNNGRU"), _CUDNN),
    **dict.fromkeys(
        ("RandomHeight", "RandomWidth"), "Keras 3 has no layer that changes the size of pictures by chance"
    ),
    **dict.fromkeys(("ConvRNN2D", "ConvLSTM2DCell"), "Keras 3 has no such class to call by name"),
    "AddLoss": "Keras 3 has no losses of tensors that are added to a model",
    "AddMetric": "Keras 3 has no metrics of tensors that are added to a model",
    "TorchModuleWrapper": "a module of torch has no configuration",
    "RadialConstraint": "Keras 3 has no such constraint",
    "MeanTensor": "Keras 3 has no such metric",
    "MeanRelativeError": "Keras 3 has no such metric",
}
# Class → the class of Keras 3 that computes the same.
RENAMED: dict[str, str] = {"ThresholdedReLU": "ReLU"}

_TIME_MAJOR = _gone(False, None, reason="Keras 3 has no time_major")
_RECURRENT: Mapping[str, Rule] = {"implementation": _gone(), "time_major": _TIME_MAJOR}
_CAUSAL: Mapping[str, Rule] = {"causal": _gone(False, None, reason="Keras 3 has causal as an argument of the call")}
_SIZE: Mapping[str, Rule] = {
    "output_size": _gone(None, reason="Keras 3 has no output_shape in transposed convolutions"),
    "groups": _gone(1, None),
}
_NOISE: Mapping[str, Rule] = {"noise_shape": _gone(None), "data_format": _gone(None, "channels_last")}
_FIRST = _gone(None, "channels_last", reason="Keras 3 has no data_format there")
_DEPTHWISE: Mapping[str, Rule] = {
    **{name: _gone() for name in ("filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint")},
    "groups": _gone(1, None),
}
_EVERY_LAYER: Mapping[str, Rule] = {"batch_input_shape": _gone(), "dynamic": _gone()}

# Class → argument → what becomes of it.
LAYERS: dict[str, Mapping[str, Rule]] = {
    "InputLayer": {
        "batch_input_shape": Rule("batch_shape"),
        "ragged": _gone(False, None),
        "sparse": Rule("sparse"),
        "type_spec": _gone(None),
    },
    "LeakyReLU": {"alpha": Rule("negative_slope")},
    "ThresholdedReLU": {"theta": Rule("threshold")},
    **dict.fromkeys(("Attention", "AdditiveAttention"), _CAUSAL),
    **dict.fromkeys("SimpleRNNCell LSTMCell GRUCell RNN SimpleRNN LSTM GRU".split(), _RECURRENT),
    **{f"ConvLSTM{n}D": {"time_major": _TIME_MAJOR} for n in (1, 2, 3)},
    "StackedRNNCells": {"reverse_state_order": _gone(False, reason="Keras 3 has no reverse_state_order")},
    "Embedding": {
        "input_length": _gone(),
        "sparse": _gone(),
        "word_dropout": _gone(0, 0.0, reason="Keras 3 cannot drop whole words of an Embedding"),
    },
    "SpatialDropout1D": {**_NOISE, "trainable": _gone()},
    **{f"SpatialDropout{n}D": {"noise_shape": _gone(None), "trainable": _gone()} for n in (2, 3)},
    "Discretization": {"trainable": _gone()},
    "BatchNormalization": {
        "statistics": _gone("moving", None, reason="Keras 3 has no mode of BatchNormalization"),
        "renorm": _gone(False, reason="most releases of Keras 3 have no renormalization"),
        "renorm_clipping": _gone(),
        "fused": _gone(),
        "renorm_momentum": _gone(),
        "virtual_batch_size": _gone(None, reason="Keras 3 has no parts of batches in BatchNormalization"),
        "axis": Rule("axis", convert=only_one),
    },
    **{name: {"data_format": _FIRST} for name in ("Cropping1D", "UpSampling1D")},
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _DEPTHWISE),
    **{
        name: {key: rule for key, rule in _DEPTHWISE.items() if key != "filters"}
        for name in ("SeparableConv1D", "SeparableConv2D")
    },
    **{f"Conv{n}DTranspose": _SIZE for n in (1, 2, 3)},
    "MultiHeadAttention": {f"{name}_shape": _gone() for name in ("query", "value", "key")},
    "RNN": {
        **_RECURRENT,
        "num_constants": _gone(0, None, reason="Keras 3 has no constants of a cell"),
    },
    "Bidirectional": {"num_constants": _gone(0, None, reason="Keras 3 has no constants of a cell")},
}
LAYERS = {name: {**_EVERY_LAYER, **rules} for name, rules in LAYERS.items()}
EVERY_LAYER = _EVERY_LAYER

# Activation here → in Keras 3; `None` where that has another function under the name, or none.
ACTIVATIONS: dict[str, str | None] = {"hard_sigmoid": None, "hard_sigmoid_keras3": "hard_sigmoid"}
CLASSIC_HARD_SIGMOID = "hard_sigmoid is 0.2·x + 0.5 here, and (x + 3) / 6 in Keras 3"

# Layers whose first states stand among the inputs here, and as an argument in Keras 3.
WITH_STATES = frozenset("SimpleRNN LSTM GRU RNN ConvLSTM1D ConvLSTM2D ConvLSTM3D Bidirectional".split())


# --- losses, metrics, optimizers ---------------------------------------------------------------------------------

NAMES: dict[str, str] = {
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
    "cosine_proximity": "cosine_similarity",
    "cosine": "cosine_similarity",
}
REDUCTIONS: dict[Any, str] = {"auto": "sum_over_batch_size"}
_DECAY = "Keras 3 has no decay; optimizers.schedules.InverseTimeDecay says the same"
OTHERS: dict[str, Mapping[str, Rule]] = {
    "loss": {
        "fn": _gone(),
        "reduction": Rule("reduction", convert=lambda value: REDUCTIONS.get(value, value)),
    },
    "metric": {},
    "optimizer": {
        "jit_compile": _gone(),
        "is_legacy_optimizer": _gone(),
        "decay": _gone(0, 0.0, None, reason=_DECAY),
        "schedule_decay": _gone(0.004, None, reason="Keras 3 has no schedule_decay"),
        "dynamic": _gone(True, None, reason="Keras 3 has no fixed scale"),
    },
    "initializer": {},
    "regularizer": {},
    "constraint": {},
    "schedule": {"name": Rule("name", harmless=(None,))},
}
