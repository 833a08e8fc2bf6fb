"""Core, embedding, padding, noise and normalisation layers.

A case is a stack of `[class, kwargs]` pairs, the shape of one sample, and how its input is drawn: `float`, `positive`,
`tokens:n` (integers below n, zeros among them), or `padded` (steps of zeros at
the left, at the right, in the middle, and a row of nothing else).
"""

from __future__ import annotations

from typing import Any

from .common import KERAS_215, Case, case


def single(
    name: str, cls: str, shape: list[int], *, draw: str = "float", extra: dict[str, Any] | None = None, **kwargs: Any
) -> Case:
    """Describe a case of one layer."""
    return case(name, stack=[[cls, kwargs]], shape=shape, draw=draw, **(extra or {}))


def stacked(name: str, stack: list[Any], shape: list[int], *, draw: str = "float", **extra: Any) -> Case:
    """Describe a case of several layers."""
    return case(name, stack=stack, shape=shape, draw=draw, **extra)


_ACTIVATIONS = (
    "elu exponential gelu hard_sigmoid linear mish relu selu sigmoid softmax softplus softsign swish tanh".split()
)

_L2 = {"class_name": "L2", "config": {"l2": 0.05}}
_MAX_NORM = {"class_name": "MaxNorm", "config": {"max_value": 0.7, "axis": 0}}
_NON_NEG = {"class_name": "NonNeg", "config": {}}

DENSE: list[Case] = [
    single("dense", "Dense", [5], units=4),
    single("dense_no_bias", "Dense", [5], units=4, use_bias=False),
    single("dense_cube", "Dense", [6, 5], units=4, activation="relu"),
    single("dense_4d", "Dense", [3, 2, 5], units=3, activation="softmax"),
    single(
        "dense_regularized", "Dense", [5], units=4, kernel_regularizer=_L2, bias_regularizer="l1", activation="tanh"
    ),
    single("dense_activity", "Dense", [5], units=4, activity_regularizer=_L2),
    single("dense_activity_cube", "Dense", [6, 5], units=4, activity_regularizer=_L2),
    single("dense_constrained", "Dense", [5], units=4, kernel_constraint=_MAX_NORM, bias_constraint=_NON_NEG),
    *[single(f"dense_{name}", "Dense", [5], units=4, activation=name) for name in _ACTIVATIONS],
    stacked(
        "dense_three",
        [
            ["Dense", {"units": 6, "activation": "relu"}],
            ["Dense", {"units": 4}],
            ["Activation", {"activation": "softmax"}],
        ],
        [5],
    ),
]

CORE: list[Case] = [
    single("activation_relu", "Activation", [6], activation="relu"),
    single("activation_softmax_cube", "Activation", [4, 5], activation="softmax"),
    single("dropout_inference", "Dropout", [6], rate=0.5, extra={"steps": 0}),
    single("gaussian_noise_inference", "GaussianNoise", [6], stddev=0.5, extra={"steps": 0}),
    single("flatten", "Flatten", [3, 2, 4]),
    single("flatten_1d", "Flatten", [5]),
    single("flatten_channels_first", "Flatten", [4, 3, 2], data_format="channels_first"),
    single("flatten_channels_first_1d", "Flatten", [4, 3], data_format="channels_first"),
    single("reshape", "Reshape", [12], target_shape=[3, 4]),
    single("reshape_infer", "Reshape", [3, 4], target_shape=[-1, 2, 3]),
    single("reshape_flat", "Reshape", [3, 4], target_shape=[12]),
    single("permute", "Permute", [3, 4], dims=[2, 1]),
    single("permute_3d", "Permute", [3, 4, 2], dims=[3, 1, 2]),
    single("repeat_vector", "RepeatVector", [5], n=3),
    single("leaky_relu", "LeakyReLU", [6]),
    single("leaky_relu_alpha", "LeakyReLU", [3, 4], alpha=0.1),
    single("masking", "Masking", [6, 3], draw="padded"),
    single("masking_value", "Masking", [6, 3], draw="padded:-1.0", mask_value=-1.0),
    stacked("masking_dense", [["Masking", {}], ["Dense", {"units": 4, "activation": "tanh"}]], [6, 3], draw="padded"),
    stacked(
        "masking_dropout_activation", [["Masking", {}], ["Activation", {"activation": "tanh"}]], [6, 3], draw="padded"
    ),
    stacked(
        "masking_global_average", [["Masking", {}], ["GlobalAveragePooling1D", {}]], [6, 3], draw="padded_no_empty"
    ),
    stacked(
        "masking_global_average_dense",
        [["Masking", {}], ["Dense", {"units": 4}], ["GlobalAveragePooling1D", {}]],
        [6, 3],
        draw="padded_no_empty",
    ),
    single("embedding", "Embedding", [6], draw="tokens:9", input_dim=9, output_dim=4),
    single("embedding_mask", "Embedding", [6], draw="tokens:9", input_dim=9, output_dim=4, mask_zero=True),
    single("embedding_matrix", "Embedding", [3, 4], draw="tokens:9", input_dim=9, output_dim=2),
    single("embedding_length", "Embedding", [6], draw="tokens:9", input_dim=9, output_dim=4, input_length=6),
    single(
        "embedding_regularized",
        "Embedding",
        [6],
        draw="tokens:9",
        input_dim=9,
        output_dim=4,
        embeddings_regularizer=_L2,
    ),
    # the legacy optimizers refuse a constraint on an embedding (a "sparse variable")
    single(
        "embedding_constrained",
        "Embedding",
        [6],
        draw="tokens:9",
        extra={"dialect": KERAS_215},
        input_dim=9,
        output_dim=4,
        embeddings_constraint=_MAX_NORM,
    ),
    single(
        "embedding_activity", "Embedding", [6], draw="tokens:9", input_dim=9, output_dim=4, activity_regularizer=_L2
    ),
    stacked(
        "embedding_mask_average",
        [["Embedding", {"input_dim": 9, "output_dim": 4, "mask_zero": True}], ["GlobalAveragePooling1D", {}]],
        [6],
        draw="tokens:9",
    ),
    stacked(
        "embedding_mask_dense_flatten",
        [["Embedding", {"input_dim": 9, "output_dim": 4, "mask_zero": True}], ["Dense", {"units": 3}]],
        [6],
        draw="tokens:9",
    ),
    single("zero_padding_1d", "ZeroPadding1D", [4, 3]),
    single("zero_padding_1d_uneven", "ZeroPadding1D", [4, 3], padding=[2, 1]),
    single("zero_padding_2d", "ZeroPadding2D", [4, 3, 2]),
    single("zero_padding_2d_pair", "ZeroPadding2D", [4, 3, 2], padding=[2, 1]),
    single("zero_padding_2d_nested", "ZeroPadding2D", [4, 3, 2], padding=[[1, 2], [0, 3]]),
    single(
        "zero_padding_2d_channels_first",
        "ZeroPadding2D",
        [2, 4, 3],
        padding=[[1, 2], [0, 3]],
        data_format="channels_first",
    ),
    single("up_sampling_1d", "UpSampling1D", [4, 3]),
    single("up_sampling_1d_three", "UpSampling1D", [4, 3], size=3),
    single("up_sampling_2d", "UpSampling2D", [3, 4, 2]),
    single("up_sampling_2d_sizes", "UpSampling2D", [3, 4, 2], size=[3, 2]),
    single("up_sampling_2d_bilinear", "UpSampling2D", [3, 4, 2], interpolation="bilinear"),
    single("up_sampling_2d_bilinear_sizes", "UpSampling2D", [3, 4, 2], size=[3, 2], interpolation="bilinear"),
    single("up_sampling_2d_channels_first", "UpSampling2D", [2, 3, 4], size=[2, 3], data_format="channels_first"),
    single(
        "up_sampling_2d_bilinear_channels_first",
        "UpSampling2D",
        [2, 3, 4],
        interpolation="bilinear",
        data_format="channels_first",
    ),
]

_TRAINED = {"train_forward": True}
_RENORM = {"renorm": True, "renorm_momentum": 0.6, "renorm_clipping": {"rmin": 0.5, "rmax": 1.5, "dmax": 0.5}}

_IN_SAMPLES: list[tuple[str, str, dict[str, Any]]] = [
    ("layer_norm", "LayerNormalization", {}),
    ("group_norm", "GroupNormalization", {"groups": 3}),
    ("unit_norm", "UnitNormalization", {}),
]
_OPTIONS = {
    "gamma_regularizer": _L2,
    "beta_regularizer": "l1",
    "gamma_constraint": _NON_NEG,
    "beta_constraint": _NON_NEG,
}

NORMALIZATION: list[Case] = [
    single("bn", "BatchNormalization", [5], extra=_TRAINED),
    single("bn_momentum", "BatchNormalization", [5], extra=_TRAINED, momentum=0.7, epsilon=0.1),
    single("bn_no_scale", "BatchNormalization", [5], extra=_TRAINED, scale=False),
    single("bn_no_center", "BatchNormalization", [5], extra=_TRAINED, center=False),
    single("bn_plain", "BatchNormalization", [5], extra=_TRAINED, center=False, scale=False),
    single("bn_3d", "BatchNormalization", [4, 5], extra=_TRAINED, momentum=0.8),
    single("bn_3d_axis1", "BatchNormalization", [4, 5], extra=_TRAINED, axis=1, momentum=0.8),
    single("bn_4d", "BatchNormalization", [3, 4, 2], extra=_TRAINED, momentum=0.8),
    single("bn_4d_no_scale", "BatchNormalization", [3, 4, 2], extra=_TRAINED, momentum=0.8, scale=False),
    single("bn_4d_axis1", "BatchNormalization", [3, 4, 2], extra=_TRAINED, axis=1, momentum=0.8),
    single("bn_4d_axis2", "BatchNormalization", [3, 4, 2], extra=_TRAINED, axis=2, momentum=0.8),
    single("bn_4d_axis_pair", "BatchNormalization", [3, 4, 2], extra=_TRAINED, axis=[2, 3], momentum=0.8),
    single("bn_4d_not_fused", "BatchNormalization", [3, 4, 2], extra=_TRAINED, momentum=0.8, fused=False),
    single("bn_renorm", "BatchNormalization", [5], extra=_TRAINED, renorm=True),
    single("bn_renorm_bounded", "BatchNormalization", [3, 4, 2], extra=_TRAINED, momentum=0.8, **_RENORM),
    single("bn_virtual", "BatchNormalization", [4, 5], extra=_TRAINED, momentum=0.8, virtual_batch_size=2),
    single("bn_4d_small", "BatchNormalization", [1, 1, 3], extra=_TRAINED, momentum=0.5),
    single("bn_5d", "BatchNormalization", [2, 3, 2, 2], extra=_TRAINED, momentum=0.8),
    single("bn_5d_axis1", "BatchNormalization", [2, 3, 2, 2], extra=_TRAINED, axis=1, momentum=0.8),
    single(
        "bn_regularized", "BatchNormalization", [5], extra=_TRAINED, gamma_regularizer=_L2, beta_constraint=_NON_NEG
    ),
    stacked(
        "bn_masked", [["Masking", {}], ["BatchNormalization", {"momentum": 0.8}]], [6, 3], draw="padded", **_TRAINED
    ),
    stacked(
        "bn_between",
        [
            ["Dense", {"units": 6, "use_bias": False}],
            ["BatchNormalization", {}],
            ["Activation", {"activation": "relu"}],
        ],
        [5],
        **_TRAINED,
    ),
    single("bn_batch_of_one", "BatchNormalization", [5], extra={**_TRAINED, "batch": 1, "steps": 0}, momentum=0.8),
    *[single(f"{name}_2d", cls, [6], **more) for name, cls, more in _IN_SAMPLES],
    *[single(f"{name}_4d", cls, [3, 4, 6], **more) for name, cls, more in _IN_SAMPLES],
    single("layer_norm_regularized", "LayerNormalization", [4, 5], axis=[1, 2], **_OPTIONS),
    single("layer_norm_axis1", "LayerNormalization", [3, 4, 2], axis=1, epsilon=1e-7, scale=False),
    single("layer_norm_axes_apart", "LayerNormalization", [3, 4, 2], axis=[3, 1], epsilon=0.1, **_OPTIONS),
    single("layer_norm_no_center", "LayerNormalization", [4, 5], center=False),
    stacked("layer_norm_masked", [["Masking", {}], ["LayerNormalization", {}]], [6, 3], draw="padded"),
    single("group_norm_axis1", "GroupNormalization", [4, 3, 2], groups=2, axis=1, epsilon=0.1, **_OPTIONS),
    single("group_norm_axis2", "GroupNormalization", [3, 4, 2], groups=2, axis=-2, scale=False),
    single("group_norm_each", "GroupNormalization", [3, 4], groups=-1, center=False),
    single("unit_norm_axes", "UnitNormalization", [3, 4, 2], axis=[1, 3]),
    stacked("unit_norm_masked", [["Masking", {}], ["UnitNormalization", {}]], [6, 3], draw="padded"),
]
