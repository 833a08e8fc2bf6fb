"""The rows of the reference on old spellings, each with a call in the old words and the same call in today's.

A list independent of the package's tables: `test_rows.py` runs it, and holds it against them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CLASSIC = ("keras-2.3", "keras-2.2", "keras-1")
MODERN = ("tf.keras", "keras-2.15")
EVERY = (*CLASSIC, *MODERN)

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One class in an old spelling.

    Attributes:
        name: The class as the script has it.
        canonical: Today's class.
        old: The arguments of the script.
        new: The same in today's words.
        quiet: Whether the spelling goes without a warning.
    """

    name: str
    canonical: str
    old: Arguments
    new: Arguments
    quiet: bool = False

    def __str__(self) -> str:
        return f"{self.name}-{'-'.join(self.old)}"


# --- section 4, first table: classes ---

CLASSES = {
    **{f"Convolution{n}D": f"Conv{n}D" for n in (1, 2, 3)},
    **{f"Deconvolution{n}D": f"Conv{n}DTranspose" for n in (2, 3)},
    "Convolution2DTranspose": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    **{f"{name}{n}D": f"Conv{n}D" for name in ("AtrousConvolution", "AtrousConv") for n in (1, 2)},
    **{f"MaxPool{n}D": f"MaxPooling{n}D" for n in (1, 2, 3)},
    **{f"AvgPool{n}D": f"AveragePooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalMaxPool{n}D": f"GlobalMaxPooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalAvgPool{n}D": f"GlobalAveragePooling{n}D" for n in (1, 2, 3)},
}
LAYERS_OF_THEIR_OWN = (
    "MaxoutDense Highway SReLU ParametricSoftplus ThresholdedReLU LocallyConnected1D LocallyConnected2D CuDNNLSTM "
    "CuDNNGRU Merge TimeDistributedDense"
).split()

# --- section 4, second table: arguments ---

CONVOLUTIONS = {1: "Conv1D", 2: "Conv2D", 3: "Conv3D"}
TRANSPOSED = {2: "Conv2DTranspose", 3: "Conv3DTranspose"}
RECURRENT = ("SimpleRNN", "LSTM", "GRU")
POOLED = ("Max", "Average")


def _rows(names: Any, base: Arguments, pairs: list[tuple[Arguments, Arguments]]) -> list[Row]:
    """Return a row for each class and each pair; both calls have the arguments of `base`, too."""
    return [Row(name, name, {**base, **old}, {**base, **new}) for name in names for old, new in pairs]


def _weights(kinds: dict[str, str]) -> list[tuple[Arguments, Arguments]]:
    """Return pairs of `W_regularizer` and its like."""
    values = {"regularizer": "l2", "constraint": "nonneg"}
    return [
        ({f"{letter}_{option}": value}, {f"{kind}_{option}": value})
        for letter, kind in kinds.items()
        for option, value in values.items()
    ]


KERNEL_AND_BIAS = {"W": "kernel", "b": "bias"}
ARGUMENTS: list[Row] = [
    # Dense
    *_rows(["Dense", "TimeDistributedDense"], {}, [({"output_dim": 3}, {"units": 3})]),
    *_rows(["Dense"], {"units": 3}, [({"input_dim": 4}, {"input_shape": (4,)})]),
    *_rows(
        ["Dense", "TimeDistributedDense"],
        {"units": 3},
        [
            ({"init": "he_normal"}, {"kernel_initializer": "he_normal"}),
            ({"bias": False}, {"use_bias": False}),
            *_weights(KERNEL_AND_BIAS),
        ],
    ),
    # convolutions
    *(
        row
        for names in (CONVOLUTIONS, TRANSPOSED, {2: "SeparableConv2D"})
        for n, name in names.items()
        for row in _rows(
            [name],
            {"filters": 3, "kernel_size": 2},
            [
                ({"subsample": (2,) * n}, {"strides": (2,) * n}),
                ({"border_mode": "same"}, {"padding": "same"}),
                *(
                    ({"dim_ordering": old}, {"data_format": new})
                    for old, new in (("tf", "channels_last"), ("th", "channels_first"), ("default", None))
                ),
                ({"bias": False}, {"use_bias": False}),
                ({"b_regularizer": "l1"}, {"bias_regularizer": "l1"}),
                ({"b_constraint": "nonneg"}, {"bias_constraint": "nonneg"}),
                ({"atrous_rate": 2}, {"dilation_rate": 2}),
            ],
        )
    ),
    *(
        row
        for name in (*CONVOLUTIONS.values(), *TRANSPOSED.values())
        for row in _rows(
            [name],
            {"filters": 3, "kernel_size": 2},
            [
                ({"init": "uniform"}, {"kernel_initializer": "uniform"}),
                ({"W_regularizer": "l2"}, {"kernel_regularizer": "l2"}),
                ({"W_constraint": "maxnorm"}, {"kernel_constraint": "maxnorm"}),
            ],
        )
    ),
    *_rows(
        [*CONVOLUTIONS.values(), *TRANSPOSED.values(), "SeparableConv2D"],
        {"kernel_size": 2},
        [({"nb_filter": 3}, {"filters": 3})],
    ),
    *_rows(
        ["SeparableConv2D"],
        {"filters": 3, "kernel_size": 2},
        [({"init": "zero"}, {"depthwise_initializer": "zeros", "pointwise_initializer": "zeros"})],
    ),
    *_rows(
        ["Conv2D", "Conv2DTranspose", "SeparableConv2D"],
        {"filters": 3},
        [({"nb_row": 2, "nb_col": 5}, {"kernel_size": (2, 5)})],
    ),
    *_rows(
        ["Conv3D", "Conv3DTranspose"],
        {"filters": 3},
        [({"kernel_dim1": 2, "kernel_dim2": 3, "kernel_dim3": 4}, {"kernel_size": (2, 3, 4)})],
    ),
    *_rows(["Conv1D"], {"filters": 3}, [({"filter_length": 4}, {"kernel_size": 4})]),
    *_rows(
        ["Conv1D"],
        {"filters": 3, "kernel_size": 4},
        [
            ({"subsample_length": 2}, {"strides": 2}),
            ({"input_dim": 5, "input_length": 8}, {"input_shape": (8, 5)}),
            ({"input_dim": 5}, {"input_shape": (None, 5)}),
        ],
    ),
    *(
        row
        for n in (1, 2)
        for row in _rows(
            [f"LocallyConnected{n}D"],
            {"filters": 3, "kernel_size": 2, "implementation": 2},
            [
                ({"subsample": (2,) * n}, {"strides": (2,) * n}),
                ({"border_mode": "same"}, {"padding": "same"}),
                ({"dim_ordering": "th"}, {"data_format": "channels_first"}),
                ({"init": "uniform"}, {"kernel_initializer": "uniform"}),
                ({"bias": False}, {"use_bias": False}),
                *_weights(KERNEL_AND_BIAS),
            ],
        )
    ),
    *_rows(["LocallyConnected1D", "LocallyConnected2D"], {"kernel_size": 2}, [({"nb_filter": 3}, {"filters": 3})]),
    *_rows(
        ["LocallyConnected1D"],
        {"filters": 3},
        [({"filter_length": 4, "subsample_length": 2}, {"kernel_size": 4, "strides": 2})],
    ),
    *_rows(["LocallyConnected2D"], {"filters": 3}, [({"nb_row": 2, "nb_col": 5}, {"kernel_size": (2, 5)})]),
    # what has axes in space
    *_rows(
        [
            *(f"{kind}Pooling{n}D" for kind in POOLED for n in (2, 3)),
            *(f"Global{kind}Pooling{n}D" for kind in POOLED for n in (2, 3)),
            *(f"{name}{n}D" for name in ("UpSampling", "ZeroPadding", "Cropping") for n in (2, 3)),
            "Flatten",
        ],
        {},
        [({"dim_ordering": "th"}, {"data_format": "channels_first"})],
    ),
    *_rows(
        ["SpatialDropout2D", "SpatialDropout3D"],
        {"rate": 0.2},
        [({"dim_ordering": "tf"}, {"data_format": "channels_last"})],
    ),
    *_rows(
        [f"{kind}Pooling{n}D" for kind in POOLED for n in (1, 2, 3)],
        {},
        [({"border_mode": "same"}, {"padding": "same"})],
    ),
    *_rows(
        [f"{kind}Pooling1D" for kind in POOLED],
        {},
        [({"pool_length": 3}, {"pool_size": 3}), ({"stride": 2}, {"strides": 2})],
    ),
    *_rows(["MaxPooling2D"], {}, [({"poolsize": (3, 2)}, {"pool_size": (3, 2)})]),
    *_rows(["UpSampling1D"], {}, [({"length": 3}, {"size": 3})]),
    # recurrent layers
    *_rows(RECURRENT, {}, [({"output_dim": 3}, {"units": 3})]),
    *_rows(
        RECURRENT,
        {"units": 3},
        [
            ({"init": "zero"}, {"kernel_initializer": "zeros"}),
            ({"inner_init": "identity"}, {"recurrent_initializer": "identity"}),
            ({"dropout_W": 0.2}, {"dropout": 0.2}),
            ({"dropout_U": 0.2}, {"recurrent_dropout": 0.2}),
            ({"bias": False}, {"use_bias": False}),
            ({"input_dim": 5, "input_length": 8}, {"input_shape": (8, 5)}),
            ({"consume_less": "cpu"}, {"implementation": 0}),
            ({"consume_less": "mem"}, {"implementation": 1}),
            ({"consume_less": "gpu"}, {"implementation": 2}),
            *_weights({"W": "kernel", "U": "recurrent", "b": "bias"}),
        ],
    ),
    *_rows(["LSTM", "GRU"], {"units": 3}, [({"inner_activation": "tanh"}, {"recurrent_activation": "tanh"})]),
    *_rows(
        ["LSTM"],
        {"units": 3},
        [
            ({"forget_bias_init": "one"}, {"unit_forget_bias": True}),
            ({"forget_bias_init": "zero"}, {"unit_forget_bias": False}),
        ],
    ),
    *_rows(
        ["ConvLSTM2D"],
        {"filters": 3, "kernel_size": 2},
        [
            ({"subsample": (2, 2)}, {"strides": (2, 2)}),
            ({"border_mode": "same"}, {"padding": "same"}),
            ({"dim_ordering": "th"}, {"data_format": "channels_first"}),
            ({"init": "zero"}, {"kernel_initializer": "zeros"}),
            ({"inner_init": "zero"}, {"recurrent_initializer": "zeros"}),
            ({"inner_activation": "tanh"}, {"recurrent_activation": "tanh"}),
            ({"forget_bias_init": "zero"}, {"unit_forget_bias": False}),
            ({"dropout_W": 0.2}, {"dropout": 0.2}),
            ({"dropout_U": 0.2}, {"recurrent_dropout": 0.2}),
            ({"bias": False}, {"use_bias": False}),
            ({"consume_less": "cpu"}, {}),
            *_weights({"W": "kernel", "U": "recurrent", "b": "bias"}),
        ],
    ),
    *_rows(["ConvLSTM2D"], {"kernel_size": 2}, [({"nb_filter": 3}, {"filters": 3})]),
    *_rows(["ConvLSTM2D"], {"filters": 3}, [({"nb_row": 2, "nb_col": 5}, {"kernel_size": (2, 5)})]),
    # noise and dropout
    *_rows(
        ["Dropout", "GaussianDropout", "AlphaDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"],
        {},
        [({"p": 0.3}, {"rate": 0.3})],
    ),
    *_rows(["GaussianNoise"], {}, [({"sigma": 0.3}, {"stddev": 0.3})]),
    # others
    *_rows(
        ["Embedding"],
        {"input_dim": 5, "output_dim": 3},
        [
            ({"init": "normal"}, {"embeddings_initializer": "normal"}),
            ({"W_regularizer": "l2"}, {"embeddings_regularizer": "l2"}),
            ({"W_constraint": "unitnorm"}, {"embeddings_constraint": "unitnorm"}),
            ({"dropout": 0.3}, {"word_dropout": 0.3}),
        ],
    ),
    *_rows(
        ["BatchNormalization"],
        {},
        [
            ({"beta_init": "one"}, {"beta_initializer": "ones"}),
            ({"gamma_init": "zero"}, {"gamma_initializer": "zeros"}),
            *(({"mode": old}, {"statistics": new}) for old, new in enumerate(("moving", "sample", "batch"))),
        ],
    ),
    *_rows(["MaxoutDense"], {}, [({"output_dim": 3}, {"units": 3})]),
    *(
        row
        for name, base in (("MaxoutDense", {"units": 3}), ("Highway", {}))
        for row in _rows(
            [name],
            base,
            [
                ({"init": "he_normal"}, {"kernel_initializer": "he_normal"}),
                ({"bias": False}, {"use_bias": False}),
                *_weights(KERNEL_AND_BIAS),
            ],
        )
    ),
    *[
        Row("SReLU", "SReLU", {f"{weight}_init": "one"}, {f"{weight}_initializer": "ones"}, quiet=True)
        for weight in ("t_left", "a_left", "t_right", "a_right")
    ],
    *_rows(["PReLU"], {}, [({"init": "one"}, {"alpha_initializer": "ones"})]),
    Row("LeakyReLU", "LeakyReLU", {"negative_slope": 0.2}, {"alpha": 0.2}, quiet=True),
    Row("ReLU", "ReLU", {"alpha": 0.2}, {"negative_slope": 0.2}, quiet=True),
    Row("ThresholdedReLU", "ThresholdedReLU", {"theta": 0.4}, {"theta": 0.4}, quiet=True),
    Row("ZeroPadding1D", "ZeroPadding1D", {"padding": {"left_pad": 1}}, {"padding": (1, 0)}, quiet=True),
    Row(
        "ZeroPadding2D",
        "ZeroPadding2D",
        {"padding": {"top_pad": 1, "bottom_pad": 2, "left_pad": 3, "right_pad": 4}},
        {"padding": ((1, 2), (3, 4))},
        quiet=True,
    ),
    Row(
        "Dense",
        "Dense",
        {"units": 2, "batch_input_shape": (3, 4)},
        {"units": 2, "input_shape": (4,), "batch_size": 3},
        quiet=True,
    ),
]

# The spellings of arguments that apply to what is no layer: (where, class, old, new).
OTHER_ARGUMENTS: list[tuple[str, str, Arguments, Arguments, bool]] = [
    ("callbacks", "ReduceLROnPlateau", {"epsilon": 0.01}, {"min_delta": 0.01}, False),
    ("constraints", "maxnorm", {"m": 3}, {"max_value": 3}, False),
    ("constraints", "max_norm", {"m": 3}, {"max_value": 3}, False),
    ("regularizers", "l1", {"l": 0.2}, {"l1": 0.2}, True),
    ("regularizers", "l2", {"l": 0.2}, {"l2": 0.2}, True),
    ("regularizers", "activity_l1", {"l": 0.2}, {"l1": 0.2}, True),
    ("regularizers", "activity_l2", {"l": 0.2}, {"l2": 0.2}, True),
    *(
        ("optimizers", name, {"lr": 0.3}, {"learning_rate": 0.3}, True)
        for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam", "Ftrl")
    ),
]

# --- section 5: names ---

OPTIMIZERS = "SGD RMSprop Adagrad Adadelta Adam Adamax Nadam".split()
LOSSES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "bce": "binary_crossentropy",
    "logcosh": "log_cosh",
    "cosine": "cosine_proximity",
}
METRICS = "precision recall fmeasure fbeta_score matthews_correlation top_k_categorical_accuracy".split()
INITIALIZERS: dict[str, tuple[str, Arguments]] = {
    "uniform": ("RandomUniform", {"minval": -0.05, "maxval": 0.05}),
    "normal": ("RandomNormal", {"mean": 0.0, "stddev": 0.05}),
    "zero": ("Zeros", {}),
    "one": ("Ones", {}),
    "glorot_uniform": ("GlorotUniform", {}),
    "glorot_normal": ("GlorotNormal", {}),
    "lecun_uniform": ("LecunUniform", {}),
    "he_normal": ("HeNormal", {}),
    "he_uniform": ("HeUniform", {}),
    "identity": ("Identity", {"gain": 1.0}),
    "orthogonal": ("Orthogonal", {}),
}
REGULARIZERS: list[tuple[str, tuple[float, ...], dict[str, float]]] = [
    ("WeightRegularizer", (0.1, 0.2), {"l1": 0.1, "l2": 0.2}),
    ("ActivityRegularizer", (0.1, 0.2), {"l1": 0.1, "l2": 0.2}),
    ("l1l2", (0.1, 0.2), {"l1": 0.1, "l2": 0.2}),
    ("activity_l1l2", (0.1, 0.2), {"l1": 0.1, "l2": 0.2}),
    ("activity_l1", (0.1,), {"l1": 0.1}),
    ("activity_l2", (0.2,), {"l2": 0.2}),
]
CONSTRAINTS = {
    "maxnorm": "MaxNorm",
    "max_norm": "MaxNorm",
    "nonneg": "NonNeg",
    "non_neg": "NonNeg",
    "unitnorm": "UnitNorm",
    "unit_norm": "UnitNorm",
    "min_max_norm": "MinMaxNorm",
}

# --- section 6: defaults by era ---

RATES = {"Adagrad": 0.01, "Adadelta": 1.0, "Adamax": 0.002, "Nadam": 0.002}
EPSILONS = {"keras-1": 1e-8, "keras-2.2": 1e-7, "keras-2.3": 1e-7, "tf.keras": 1e-7, "keras-2.15": 1e-7}
ACCUMULATORS = {**dict.fromkeys(CLASSIC, 0.0), **dict.fromkeys(MODERN, 0.1)}
GATES = {"keras-1": "hard_sigmoid", "keras-2.2": "hard_sigmoid", **dict.fromkeys(("keras-2.3", *MODERN), "sigmoid")}
RESET_AFTER = {**dict.fromkeys(CLASSIC, False), **dict.fromkeys(MODERN, True)}
ORTHOGONAL_GAINS = {"keras-1": 1.1, **dict.fromkeys(("keras-2.2", "keras-2.3", *MODERN), 1.0)}

# --- section 5: training ---

GENERATOR_WORDS = "samples_per_epoch nb_epoch nb_val_samples nb_worker pickle_safe max_q_size".split()
