"""Convolution and pooling layers, over strides, padding, dilation, groups and data formats."""

from __future__ import annotations

from typing import Any

from .common import Case
from .layers_core import single

L2 = {"class_name": "L2", "config": {"l2": 0.05}}

_CONV1D: list[tuple[str, dict[str, Any]]] = [
    ("valid", {}),
    ("same", {"padding": "same"}),
    ("same_even", {"padding": "same", "kernel_size": 4}),
    ("causal", {"padding": "causal"}),
    ("causal_dilated", {"padding": "causal", "dilation_rate": 2}),
    ("causal_strides", {"padding": "causal", "strides": 2}),
    ("strides", {"strides": 2}),
    ("same_strides", {"padding": "same", "strides": 2}),
    ("same_strides3", {"padding": "same", "strides": 3, "kernel_size": 2}),
    ("dilated", {"dilation_rate": 2}),
    ("same_dilated", {"padding": "same", "dilation_rate": 2, "kernel_size": 2}),
    ("groups", {"groups": 2}),
    ("no_bias", {"use_bias": False}),
    ("relu", {"activation": "relu", "padding": "same"}),
    ("kernel1", {"kernel_size": 1}),
    ("regularized", {"kernel_regularizer": L2, "activity_regularizer": L2}),
    ("channels_first", {"data_format": "channels_first", "padding": "same", "strides": 2}),
]

_CONV2D: list[tuple[str, dict[str, Any]]] = [
    ("valid", {}),
    ("same", {"padding": "same"}),
    ("same_even", {"padding": "same", "kernel_size": [2, 4]}),
    ("strides", {"strides": [2, 1]}),
    ("same_strides", {"padding": "same", "strides": 2}),
    ("same_strides_odd", {"padding": "same", "strides": [3, 2], "kernel_size": [2, 5]}),
    ("dilated", {"dilation_rate": 2}),
    ("dilated_pair", {"dilation_rate": [2, 1], "padding": "same", "kernel_size": [2, 3]}),
    ("groups", {"groups": 2}),
    ("groups_same_strides", {"groups": 2, "padding": "same", "strides": 2}),
    ("no_bias", {"use_bias": False}),
    ("tanh", {"activation": "tanh"}),
    ("softmax", {"activation": "softmax"}),
    ("kernel1", {"kernel_size": 1}),
    ("regularized", {"kernel_regularizer": L2, "bias_regularizer": L2, "activity_regularizer": L2}),
    ("constrained", {"kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.8, "axis": [0, 1, 2]}}}),
    ("channels_first", {"data_format": "channels_first"}),
    ("channels_first_same", {"data_format": "channels_first", "padding": "same", "strides": 2, "activation": "tanh"}),
]

_POOL: list[tuple[str, dict[str, Any]]] = [
    ("default", {}),
    ("three", {"pool_size": 3}),
    ("same", {"pool_size": 3, "padding": "same"}),
    ("strides", {"pool_size": 3, "strides": 2}),
    ("same_strides", {"pool_size": 3, "strides": 2, "padding": "same"}),
    ("same_stride1", {"pool_size": 2, "strides": 1, "padding": "same"}),
    ("wide_stride", {"pool_size": 2, "strides": 3, "padding": "same"}),
]
_PAIR: tuple[str, dict[str, Any]] = ("pair", {"pool_size": [2, 3], "strides": [1, 2], "padding": "same"})


def _conv1d(name: str, kwargs: dict[str, Any]) -> Case:
    shape = [2, 7] if kwargs.get("data_format") == "channels_first" else [7, 2]
    return single(f"conv1d_{name}", "Conv1D", shape, **{"filters": 4, "kernel_size": 3, **kwargs})


def _conv2d(name: str, kwargs: dict[str, Any]) -> Case:
    shape = [2, 7, 6] if kwargs.get("data_format") == "channels_first" else [7, 6, 2]
    return single(f"conv2d_{name}", "Conv2D", shape, **{"filters": 4, "kernel_size": 3, **kwargs})


_WHICH = {"max": "MaxPooling", "average": "AveragePooling"}

CONVOLUTIONAL: list[Case] = [_conv1d(name, kwargs) for name, kwargs in _CONV1D]
CONVOLUTIONAL += [_conv2d(name, kwargs) for name, kwargs in _CONV2D]
CONVOLUTIONAL += [  # several axes of samples
    single("conv1d_frames", "Conv1D", [3, 7, 2], filters=4, kernel_size=3, padding="causal", activation="relu"),
    single("conv2d_frames", "Conv2D", [3, 5, 4, 2], filters=4, kernel_size=3, padding="same", strides=2),
]
CONVOLUTIONAL += [
    single(f"{short}_pool_1d_{name}", f"{cls}1D", [7, 3], **kwargs)
    for short, cls in _WHICH.items()
    for name, kwargs in _POOL
]
CONVOLUTIONAL += [
    single(f"{short}_pool_2d_{name}", f"{cls}2D", [7, 6, 2], **kwargs)
    for short, cls in _WHICH.items()
    for name, kwargs in [*_POOL, _PAIR]
]
CONVOLUTIONAL += [
    single(f"{short}_pool_2d_first", f"{cls}2D", [2, 6, 7], data_format="channels_first", padding="same", pool_size=3)
    for short, cls in _WHICH.items()
]
CONVOLUTIONAL += [
    single(f"{short}_pool_1d_first", f"{cls}1D", [3, 7], data_format="channels_first") for short, cls in _WHICH.items()
]
CONVOLUTIONAL += [
    single(f"global_{short}_{rank}d_{name}", f"Global{cls}{rank}D", shape, **kwargs)
    for short, cls in _WHICH.items()
    for rank, shape in ((1, [5, 3]), (2, [4, 3, 2]))
    for name, kwargs in (
        ("default", {}),
        ("keepdims", {"keepdims": True}),
        ("first", {"data_format": "channels_first"}),
    )
]

OFF_DEFAULT: dict[str, Any] = {
    "activation": "tanh",
    "kernel_regularizer": L2,
    "bias_regularizer": L2,
    "activity_regularizer": L2,
    "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.8, "axis": [0, 1]}},
    "bias_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.3, "axis": 0}},
}

# What a transposed convolution is made with, for each number of axes: sizes are cut to it.
_TRANSPOSED: list[tuple[str, dict[str, Any]]] = [
    ("default", {}),
    ("same_strides", {"strides": 2, "padding": "same", "activation": "relu"}),
    ("same_even", {"kernel_size": 4, "strides": 2, "padding": "same"}),
    ("narrow", {"kernel_size": 2, "strides": 3}),
    ("narrow_same", {"kernel_size": 2, "strides": 3, "padding": "same"}),
    ("all", {"strides": 3, "output_padding": 1, "kernel_size": 4, **OFF_DEFAULT}),
    ("same_output_padding", {"strides": 2, "output_padding": 1, "padding": "same", "use_bias": False}),
    ("same_output_padding0", {"strides": 2, "output_padding": 0, "padding": "same", "kernel_size": 5}),
    ("first", {"data_format": "channels_first", "strides": 2, "padding": "same"}),
]
# On a CPU TensorFlow has dilation for images alone; tests/layers/test_transposed.py has it for sequences and volumes.
_DILATED: list[tuple[str, dict[str, Any]]] = [
    ("dilated", {"dilation_rate": 2}),
    ("same_dilated", {"dilation_rate": 2, "padding": "same", "kernel_size": 2}),
]


def _transposed(rank: int, name: str, kwargs: dict[str, Any]) -> Case:
    space = [4, 3, 2][:rank]
    shape = [2, *space] if kwargs.get("data_format") == "channels_first" else [*space, 2]
    return single(
        f"conv{rank}d_transpose_{name}", f"Conv{rank}DTranspose", shape, **{"filters": 3, "kernel_size": 3, **kwargs}
    )


TRANSPOSED: list[Case] = [
    _transposed(rank, name, kwargs)
    for rank in (1, 2, 3)
    for name, kwargs in [*_TRANSPOSED, *(_DILATED if rank == 2 else [])]
    if rank < 3 or name in ("default", "same_even", "narrow_same", "all")
]

_BY_CHANNEL: list[tuple[str, dict[str, Any]]] = [
    ("default", {}),
    ("multiplied", {"depth_multiplier": 2, "padding": "same", "activation": "relu"}),
    ("same_strides", {"strides": 2, "padding": "same", "kernel_size": 4}),
    ("dilated", {"dilation_rate": 2, "padding": "same", "use_bias": False}),
    ("first", {"data_format": "channels_first", "depth_multiplier": 3, "strides": 2}),
]
_OFF: dict[str, Any] = {
    "activation": "tanh",
    "depthwise_regularizer": L2,
    "bias_regularizer": L2,
    "activity_regularizer": L2,
    "depthwise_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.8, "axis": 0}},
    "bias_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.3, "axis": 0}},
    "depth_multiplier": 2,
    "padding": "same",
    "strides": 2,
}
_MIXED: dict[str, Any] = {
    **_OFF,
    "pointwise_regularizer": L2,
    "pointwise_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.8, "axis": [0, 1]}},
}


def _separable(cls: str, rank: int, name: str, kwargs: dict[str, Any]) -> Case:
    space = [6, 5][:rank]
    shape = [2, *space] if kwargs.get("data_format") == "channels_first" else [*space, 2]
    filters = {"filters": 3} if cls == "SeparableConv" else {}
    short = cls.removesuffix("Conv").lower()
    return single(f"{short}{rank}d_{name}", f"{cls}{rank}D", shape, **{**filters, "kernel_size": 3, **kwargs})


SEPARABLE: list[Case] = [
    _separable(cls, rank, name, kwargs)
    for cls, off in (("DepthwiseConv", _OFF), ("SeparableConv", _MIXED))
    for rank in (1, 2)
    for name, kwargs in [*_BY_CHANNEL, ("all", off)]
]
SEPARABLE += [
    _separable("SeparableConv", 1, "causal", {"padding": "causal", "strides": 2}),
    _separable("SeparableConv", 1, "causal_dilated", {"padding": "causal", "dilation_rate": 2}),
]
