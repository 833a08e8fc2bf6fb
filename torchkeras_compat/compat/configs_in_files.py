"""What configurations in files have and constructors have not, as data: names, arguments, and defaults left out.

Read off the `get_config` methods of Keras 1.2.2, 2.0.8, 2.2.4, 2.3.1, 2.15 and 3.15, and of TensorFlow 1.15 to 2.10.
Arguments that were renamed for callers, too, are in `spellings`, and are not repeated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.border import Spelling
from .._core.dialects import KERAS_1, KERAS_2_2, KERAS_2_3, KERAS_2_15, TF_KERAS
from .._core.errors import show
from .._core.stored_configs import Era, Tables
from .operations_in_files import KERAS_3 as KERAS_3_OPERATIONS
from .operations_in_files import (
    arguments_of_heads,
    class_of_operation,
    function_of_graph,
    names_in_keras_2,
    operation_of_keras_3,
)

Table = Mapping[str, Mapping[str, Spelling]]

KERAS_3 = Era("Keras 3", KERAS_2_15.name, ("3.",), frozenset(("DTypePolicy", "__keras_tensor__", "keras_history")))
ERAS = (
    KERAS_3,
    Era(
        "Keras 1",
        KERAS_1.name,
        ("1.", "0."),
        frozenset("input_dtype nb_filter W_regularizer dim_ordering inner_init mode_type consume_less".split()),
    ),
    Era("Keras 2.2", KERAS_2_2.name, ("2.0.", "2.1.", "2.2.")),
    Era("Keras 2.3", KERAS_2_3.name, ("2.3.",)),
    Era("Keras 2.15", KERAS_2_15.name, tuple(f"2.{n}." for n in range(11, 16))),
    Era("tf.keras", TF_KERAS.name, tuple(f"2.{n}." for n in (*range(1, 11), 16))),
)

# Kind → class in files → class.
CLASSES: dict[str, dict[str, str]] = {
    "layer": {
        **dict.fromkeys(
            ("BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization"), "BatchNormalization"
        ),
        **dict.fromkeys(("UnifiedLSTM", "LSTMV1", "LSTMV2"), "LSTM"),
        **dict.fromkeys(("UnifiedGRU", "GRUV1", "GRUV2"), "GRU"),
        **dict.fromkeys(("LSTMCellV1", "LSTMCellV2"), "LSTMCell"),
        **dict.fromkeys(("GRUCellV1", "GRUCellV2"), "GRUCell"),
        "DenseV1": "Dense",
        "Functional": "Model",
    },
    "initializer": {
        **{
            f"{name}V{n}": name
            for n in (1, 2)
            for name in "Zeros Ones Constant RandomUniform RandomNormal TruncatedNormal VarianceScaling Orthogonal "
            "Identity GlorotUniform GlorotNormal HeUniform HeNormal LecunUniform LecunNormal".split()
        },
        "OrthogonalInitializer": "Orthogonal",
        "IdentityInitializer": "Identity",
    },
}

_TENSORFLOW_ONLY = "it is an operation of TensorFlow's graph; build the model again and load its weights."
_NOT_HERE = "this layer of Keras 3 has no counterpart here; give a class as custom_objects={{{!r}: …}}."
_OF_KERAS_3 = (
    "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D "
    "AdaptiveMaxPooling2D AdaptiveMaxPooling3D AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization CutMix "
    "Equalization GroupQueryAttention GroupedQueryAttention MaxNumBoundingBoxes MelSpectrogram MixUp Pipeline "
    "RMSNormalization RandAugment RandomColorDegeneration RandomColorJitter RandomElasticTransform RandomErasing "
    "RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomSaturation "
    "RandomSharpness RandomShear ReversibleEmbedding STFTSpectrogram Solarization"
).split()
REFUSED: dict[str, str] = {
    "TensorFlowOpLayer": _TENSORFLOW_ONLY,
    "TFSMLayer": "it names a program of TensorFlow in a folder, which is not run.",
    "JaxLayer": "it holds a program of JAX, which is not run.",
    "FlaxLayer": "it holds a program of JAX, which is not run.",
    **{name: _NOT_HERE.format(name) for name in _OF_KERAS_3},
}


# --- arguments ---------------------------------------------------------------------------------------------------


def _dropped(*harmless: Any, note: str = "it is not served here.") -> Spelling:
    """Return the spelling of an argument that goes without effect at these values, and is refused at others."""
    return Spelling(None, harmless=harmless, note=note)


def policy_name(dtype: Any) -> Any:
    """Return the name of a policy that stands as a dictionary; anything else as it is.

    Args:
        dtype: What a configuration has for `dtype`.

    Raises:
        ValueError: A policy of quantised weights.
    """
    if not isinstance(dtype, dict) or "class_name" not in dtype:
        return dtype
    name, config = dtype["class_name"], dtype.get("config")
    if name not in ("DTypePolicy", "Policy", "PolicyV1", "FloatDTypePolicy") or not isinstance(config, dict):
        raise ValueError(f"dtype: the policy {show(name)} is not served here; save the model without quantisation.")
    return config.get("name")


_NULL = _dropped(None)
_RANDOM_PICTURES = {"data_format": _dropped(None, "channels_last"), "bounding_box_format": _NULL}
_LORA: Mapping[str, Spelling] = {"lora_rank": _NULL, "lora_alpha": _NULL}
# The seed of dropout inside a layer, which draws from the model's own numbers here.
_ANY_SEED: Mapping[str, Spelling] = {"seed": Spelling(None)}
_OF_DROPOUT: Mapping[str, Spelling] = {**_ANY_SEED, "use_cudnn": Spelling(None)}

ARGUMENTS: Table = {
    "Layer": {
        "dtype": Spelling("dtype", convert=policy_name),
        "quantization_config": _NULL,
        "quantization_mode": _NULL,
    },
    "InputLayer": {
        "batch_shape": Spelling("batch_input_shape"),
        "optional": _dropped(None, False, note="an input that may be missing is not served here."),
    },
    "Model": {"dtype": Spelling(None)},
    "Dense": _LORA,
    "EinsumDense": {**_LORA, "gptq_unpacked_column_size": _NULL},
    "Embedding": _LORA,
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), _LORA),
    "LayerNormalization": {"rms_scaling": _dropped(None, False, note="scaling without a mean is not served here.")},
    **dict.fromkeys(("Attention", "AdditiveAttention"), _ANY_SEED),
    "AdditiveAttention": {**_ANY_SEED, "score_mode": Spelling(None)},
    "MultiHeadAttention": {
        **_ANY_SEED,
        "flash_attention": Spelling(None),
        "use_gate": _dropped(None, False, note="gated attention is not served here."),
        "sliding_window": _NULL,
    },
    **dict.fromkeys(("SimpleRNNCell", "LSTMCell", "GRUCell", "SimpleRNN", "LSTM", "GRU", "ConvRNN"), _OF_DROPOUT),
    "IntegerLookup": {
        "oov_method": _dropped(None, "floormod"),
        "salt": _NULL,
        "max_values": Spelling("max_tokens"),
    },
    "StringLookup": {"oov_method": _dropped(None, "floormod"), "salt": _NULL},
    "CenterCrop": {"data_format": _dropped(None, "channels_last"), "bounding_box_format": _NULL, "factor": _NULL},
    "Resizing": {
        **_RANDOM_PICTURES,
        "pad_to_aspect_ratio": _dropped(None, False),
        "fill_mode": Spelling(None),
        "fill_value": Spelling(None),
        "antialias": _dropped(None, False),
        "factor": _NULL,
    },
    "RandomPictureLayer": _RANDOM_PICTURES,
    "RandomContrast": {"value_range": _dropped([0, 255], (0, 255), note="pictures have values from 0 to 255 here.")},
    "Initializer": {"input_axes": _NULL, "output_axes": _NULL, "dtype": Spelling(None)},
    "Loss": {"dtype": Spelling("dtype", convert=policy_name)},
    "Metric": {"dtype": Spelling("dtype", convert=policy_name)},
    "SparseTopKCategoricalAccuracy": {"from_sorted_ids": _dropped(None, False)},
    "Optimizer": {
        "loss_scale_factor": _NULL,
        "gradient_accumulation_steps": _dropped(None, 1, note="gradients are applied at each step here."),
    },
}


# --- what changed its meaning ------------------------------------------------------------------------------------

# Keras 3's own functions under names that mean another one here.
RENAMED_ACTIVATIONS = {"hard_sigmoid": "hard_sigmoid_keras3"}


def activation_of_keras_3(value: Any) -> Any:
    """Return what an activation in a file of Keras 3 is called here.

    Args:
        value: A name, or what a configuration has for a function.
    """
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value.get("config")
    return RENAMED_ACTIVATIONS.get(value, value) if isinstance(value, str) else value


_ACTIVATION = Spelling("activation", convert=activation_of_keras_3)
_GATE = Spelling("recurrent_activation", convert=activation_of_keras_3)

CHANGED: dict[str, Table] = {
    "Keras 3": {
        "Layer": {"activation": _ACTIVATION, "recurrent_activation": _GATE},
        "LeakyReLU": {"negative_slope": Spelling("alpha")},
    },
}

# What a file of these left out, for its Keras knew nothing else.
ABSENT: dict[str, Mapping[str, Mapping[str, Any]]] = {
    "tf.keras": {"GRU": {"reset_after": False}, "GRUCell": {"reset_after": False}},
}


TABLES = Tables(
    ERAS,
    dict(CLASSES),
    REFUSED,
    ARGUMENTS,
    CHANGED,
    ABSENT,
    function_of_graph,
    operation_of_keras_3,
    KERAS_3_OPERATIONS.__contains__,
    class_of_operation,
    names_in_keras_2,
    {"MultiHeadAttention": arguments_of_heads},
)
