"""The table of layers: each class has its line, or several, between which no argument stays at its default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from torchkeras_compat import applications  # noqa: F401  # two of the networks register layers of their own
from torchkeras_compat._core import registry
from torchkeras_compat._core.tree import is_shape, map_shapes

from .preparing_specs import PREPARING

Arguments = dict[str, Any]
Bad = tuple[Arguments, str]


@dataclass(frozen=True)
class Inner:
    """A layer inside another one, made anew for each layer of a line.

    Attributes:
        cls: The name of its class.
        arguments: What it is made with.
    """

    cls: str
    arguments: Arguments

    def make(self, **more: Any) -> Any:
        """Return a new layer."""
        return registry.lookup("layer", self.cls)(**{**self.arguments, **more})


@dataclass(frozen=True)
class LayerSpec:
    """A layer, made in one way.

    Attributes:
        cls: The name of its class.
        arguments: What it is made with.
        shape: The shape of a sample it is given, or a list of shapes where it takes several tensors.
        output: The shape of what it makes of one, or a list of them.
        bad: Arguments that are refused, with a piece of the message; `{}` keeps the others.
        indices: Its input is integers below this number.
        mask: What becomes of a mask: it `keeps`, `joins`, `ends`, `makes` or `refuses` one.
        random: In training, chance has a part in the output.
        batch_statistics: In training, the output depends on the whole batch.
        skip: Checks that do not apply, by the name of the test, with the reason.
    """

    cls: str
    arguments: Arguments
    shape: Any
    output: Any
    bad: tuple[Bad, ...] = ()
    indices: int | None = None
    mask: str = "refuses"
    random: bool = False
    batch_statistics: bool = False
    skip: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        told = [_short(value) for value in self.arguments.values()]
        shapes = [self.shape] if self.takes_one else self.shape
        shown = "+".join("x".join(map(str, shape)) for shape in shapes)
        return "-".join([self.cls, shown, *(text for text in told if text)])

    @property
    def takes_one(self) -> bool:
        """Whether it takes one tensor, and not a list."""
        return is_shape(self.shape)

    def batch_shape(self, size: int | None) -> Any:
        """Return the shape of a batch of so many samples, or a list of shapes."""
        return map_shapes(lambda shape: (size, *shape), self.shape)

    def batch_output(self, size: int | None) -> Any:
        """Return the shape of what it makes of a batch, or a list of shapes."""
        return map_shapes(lambda shape: (size, *shape), self.output)

    def make(self, **more: Any) -> Any:
        """Return a new layer."""
        kind = {name: value for name, value in more.items() if name == "dtype"}  # each layer has its own
        given = {**self.arguments, **more}
        arguments = {name: value.make(**kind) if isinstance(value, Inner) else value for name, value in given.items()}
        return registry.lookup("layer", self.cls)(**arguments)


def _short(value: Any) -> str:
    if isinstance(value, Inner):
        return value.cls
    return str(value).replace(" ", "") if isinstance(value, (str, int, float, tuple)) else ""


_UNIFORM = {"class_name": "RandomUniform", "config": {"minval": 0.1, "maxval": 0.9, "seed": 3}}
_L2 = {"class_name": "L2", "config": {"l2": 0.05}}
_NORM = {"class_name": "UnitNorm", "config": {"axis": 0}}


def options(*weights: str) -> Arguments:
    """Return initialisers, regularisers and constraints for these weights, none at its default."""
    kinds = {"initializer": _UNIFORM, "regularizer": _L2, "constraint": _NORM}
    return {f"{weight}_{kind}": value for weight in weights for kind, value in kinds.items()}


_WEIGHTED = {"activation": "tanh", "activity_regularizer": _L2, **options("kernel", "bias")}
_OF_PRODUCTS = {name: value for name, value in _WEIGHTED.items() if name not in ("activation", "bias_initializer")}
_FIRST = {"data_format": "channels_first"}
_CONV = {"filters": 4, "kernel_size": 3, **_WEIGHTED}
_BAD_CONV: tuple[Bad, ...] = (
    ({"filters": 0}, "filters must be a positive integer; got 0"),
    ({"kernel_size": "3"}, "kernel_size must be"),
    ({"strides": 0}, "strides must be"),
    ({"padding": "samee"}, "did you mean 'same'"),
    ({"data_format": "channels_lost"}, "did you mean 'channels_last'"),
    ({"strides": 2, "dilation_rate": 2}, "strides and dilation_rate cannot both be greater than 1"),
    ({"filters": 3, "groups": 2}, "filters must be a multiple of groups"),
    ({"activation": "rellu"}, "did you mean 'relu'"),
    ({"kernal_size": 2}, "did you mean 'kernel_size'"),
)
_BAD_POOL: tuple[Bad, ...] = (
    ({"pool_size": 0}, "pool_size must be"),
    ({"strides": -1}, "strides must be"),
    ({"padding": "causal"}, "padding must be one of 'valid', 'same'"),
)
_RATE: tuple[Bad, ...] = (
    ({"rate": 1.5}, "rate must be a number in [0, 1]; got 1.5"),
    ({"rate": "half"}, "rate must be a number in [0, 1]"),
)

CORE = [
    LayerSpec(
        "Dense",
        {"units": 4, **_WEIGHTED},
        (6, 5),
        (6, 4),
        mask="keeps",
        bad=(
            ({"units": -3}, "units must be a positive integer; got -3"),
            ({"units": "4"}, "units must be a positive integer; got '4'"),
            ({"unitss": 4}, "did you mean 'units'"),
            ({"activation": "sofmax"}, "did you mean 'softmax'"),
            ({"kernel_initializer": "glorot_uniforms"}, "did you mean"),
        ),
    ),
    LayerSpec("Dense", {"units": 4, "use_bias": False}, (5,), (4,), mask="keeps"),
    LayerSpec(
        "Activation",
        {"activation": "tanh"},
        (5,),
        (5,),
        mask="keeps",
        bad=(({"activation": "tahn"}, "did you mean 'tanh'"),),
    ),
    LayerSpec(
        "Dropout",
        {"rate": 0.5, "noise_shape": (None, 1, 4), "seed": 3},
        (3, 4),
        (3, 4),
        mask="keeps",
        random=True,
        bad=_RATE,
    ),
    LayerSpec(
        "MaxoutDense",
        {"units": 4, "nb_feature": 3, **_OF_PRODUCTS},
        (5,),
        (4,),
        bad=(
            ({"units": 0}, "units must be a positive integer; got 0"),
            ({"nb_feature": 0}, "nb_feature must be a positive integer; got 0"),
            ({"unitts": 4}, "did you mean 'units'"),
        ),
    ),
    LayerSpec("MaxoutDense", {"units": 4, "use_bias": False}, (5,), (4,)),
    LayerSpec(
        "Highway",
        {"activation": "tanh", **_OF_PRODUCTS},
        (5,),
        (5,),
        bad=(({"activation": "tahn"}, "did you mean 'tanh'"),),
    ),
    LayerSpec("Highway", {"use_bias": False}, (5,), (5,)),
    LayerSpec("Highway", {"transform_bias": -2.0}, (5,), (5,)),
    LayerSpec("Identity", {}, (3, 4), (3, 4), mask="ends"),
    LayerSpec("Identity", {}, [(3, 4), (5,)], [(3, 4), (5,)], mask="ends"),
    LayerSpec(
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": (None, 2, 4), "bias_axes": "e", **_WEIGHTED},
        (6, 5),
        (6, 2, 4),
        mask="ends",
        bad=(
            ({"equation": "ab,bc"}, "equation must be"),
            ({"equation": "x...,xy->y..."}, "equation must be"),
            ({"equation": "...ab,bc->ac"}, "equation must be"),
            ({"equation": "abc,cde->abdz"}, "'z' is in the input or kernel"),
            ({"equation": "abc,cdez->abde"}, "'z' is in the input or output"),
            ({"output_shape": (2,)}, "output_shape must be 3 positive integers or None"),
            ({"output_shape": (None, 0, 4)}, "output_shape must be"),
            ({"bias_axes": "z"}, "bias_axes must be letters of the output 'abde'"),
            ({"activation": "rellu"}, "did you mean 'relu'"),
        ),
    ),
    LayerSpec(
        "EinsumDense",
        {"equation": "...x,xy->...y", "output_shape": 4, "bias_axes": "y"},
        (2, 3, 5),
        (2, 3, 4),
        mask="ends",
    ),
    LayerSpec(
        "EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 4, "bias_axes": "c"}, (5, 3), (4, 3), mask="ends"
    ),
    LayerSpec("Flatten", _FIRST, (2, 3, 4), (24,), bad=(({"data_format": "last"}, "data_format must be one of"),)),
    LayerSpec("Flatten", {}, (5,), (5,)),
    LayerSpec(
        "Reshape", {"target_shape": (2, -1)}, (3, 4), (2, 6), bad=(({"target_shape": (-1, -1)}, "at most one -1"),)
    ),
    LayerSpec(
        "Permute", {"dims": (2, 1)}, (3, 4), (4, 3), bad=(({"dims": (0, 1)}, "dims must be a permutation of 1, 2, …"),)
    ),
    LayerSpec("RepeatVector", {"n": 3}, (4,), (3, 4), bad=(({"n": 0}, "n must be a positive integer; got 0"),)),
    LayerSpec(
        "Lambda",
        {"function": torch.mul, "output_shape": (4,), "mask": None, "arguments": {"other": 2.0}},
        (4,),
        (4,),
        mask="ends",
        bad=(({"function": 3}, "function must be a function of tensors"),),
        skip={
            "test_config_is_json": "a function is no JSON",
            "test_some_line_leaves_the_default": "a mask is tested with the layer",
        },
    ),
    LayerSpec("Masking", {"mask_value": 1.0}, (3, 4), (3, 4), mask="makes"),
]

EMBEDDINGS = [
    LayerSpec(
        "Embedding",
        {
            "input_dim": 9,
            "output_dim": 4,
            "activity_regularizer": _L2,
            "mask_zero": True,
            "input_length": 6,
            **options("embeddings"),
        },
        (6,),
        (6, 4),
        indices=9,
        mask="makes",
        skip={"test_some_line_leaves_the_default": "sparse has one value"},
        bad=(
            ({"input_dim": 0}, "input_dim must be a positive integer; got 0"),
            ({"output_dim": 2.5}, "output_dim must be a positive integer"),
            ({"sparse": True}, "sparse must be False"),
        ),
    ),
    LayerSpec("Embedding", {"input_dim": 9, "output_dim": 4}, (2, 3), (2, 3, 4), indices=9, mask="ends"),
    LayerSpec(
        "Embedding",
        {"input_dim": 9, "output_dim": 4, "word_dropout": 0.4},
        (3,),
        (3, 4),
        indices=9,
        mask="ends",
        random=True,
        bad=(({"word_dropout": 1.5}, "word_dropout must be"),),
    ),
]

CONVOLUTIONAL = [
    LayerSpec("Conv1D", {**_CONV, "padding": "causal", "dilation_rate": 2, "groups": 2}, (8, 2), (8, 4), bad=_BAD_CONV),
    LayerSpec("Conv1D", {**_CONV, **_FIRST, "strides": 2, "padding": "same", "use_bias": False}, (2, 7), (4, 4)),
    LayerSpec("Conv1D", {"filters": 4, "kernel_size": 2}, (7, 3), (6, 4)),
    LayerSpec(
        "Conv2D",
        {**_CONV, "padding": "same", "dilation_rate": (2, 1), "groups": 2},
        (6, 5, 2),
        (6, 5, 4),
        bad=(
            *_BAD_CONV,
            ({"padding": "causal"}, "padding must be one of 'valid', 'same'"),
            ({"kernel_size": (1, 2, 3)}, "tuple of 2"),
        ),
    ),
    LayerSpec(
        "Conv2D", {**_CONV, **_FIRST, "strides": (2, 1), "padding": "same", "use_bias": False}, (2, 6, 5), (4, 3, 5)
    ),
    LayerSpec("Conv2D", {"filters": 4, "kernel_size": (2, 3)}, (6, 5, 1), (5, 3, 4)),
    LayerSpec(
        "Conv3D",
        {**_CONV, "padding": "same", "dilation_rate": 2, "groups": 2},
        (4, 5, 3, 2),
        (4, 5, 3, 4),
        bad=_BAD_CONV,
    ),
    LayerSpec(
        "Conv3D", {**_CONV, **_FIRST, "strides": 2, "padding": "same", "use_bias": False}, (2, 4, 5, 3), (4, 2, 3, 2)
    ),
    LayerSpec("Conv3D", {"filters": 4, "kernel_size": 2}, (4, 5, 3, 2), (3, 4, 2, 4)),
]

_BAD_TRANSPOSED: tuple[Bad, ...] = (
    *(bad for bad in _BAD_CONV if "groups" not in bad[0]),
    ({"groups": 2}, "groups must be 1"),
    ({"padding": "causal"}, "padding must be one of 'valid', 'same'"),
    ({"output_padding": 2, "strides": 2, "dilation_rate": 1}, "output_padding must be smaller than strides"),
    ({"output_padding": -1, "strides": 2, "dilation_rate": 1}, "output_padding must be"),
    (
        {"output_padding": 0, "kernel_size": 4, "strides": 2, "dilation_rate": 1, "padding": "same"},
        "output_padding must be at least 1",
    ),
    ({"output_size": (9,), "output_padding": 0}, "give only one of them"),
    ({"output_size": (9, 9, 9, 9, 9, 9)}, "output_size must be"),
)
CONVOLUTIONAL += [
    LayerSpec("Conv1DTranspose", {**_CONV, "dilation_rate": 2}, (5, 2), (9, 4), bad=_BAD_TRANSPOSED),
    LayerSpec(
        "Conv1DTranspose",
        {**_CONV, **_FIRST, "strides": 3, "padding": "same", "output_padding": 1, "use_bias": False},
        (2, 5),
        (4, 14),
    ),
    LayerSpec("Conv1DTranspose", {"filters": 4, "kernel_size": 2, "strides": 3, "output_size": (13,)}, (4, 2), (13, 4)),
    LayerSpec(
        "Conv2DTranspose",
        {**_CONV, "padding": "same", "dilation_rate": (2, 1)},
        (6, 5, 2),
        (6, 5, 4),
        bad=_BAD_TRANSPOSED,
    ),
    LayerSpec(
        "Conv2DTranspose",
        {**_CONV, **_FIRST, "strides": (2, 3), "output_padding": (1, 0), "use_bias": False},
        (2, 3, 4),
        (4, 8, 12),
    ),
    LayerSpec(
        "Conv2DTranspose", {"filters": 4, "kernel_size": (5, 4), "strides": 2, "padding": "same"}, (3, 4, 2), (6, 8, 4)
    ),
    LayerSpec(
        "Conv2DTranspose",
        {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "output_size": (None, 5, 8, 4)},
        (3, 4, 2),
        (5, 8, 4),
    ),
    LayerSpec("Conv3DTranspose", {**_CONV, "dilation_rate": 2}, (2, 3, 2, 2), (6, 7, 6, 4), bad=_BAD_TRANSPOSED),
    LayerSpec(
        "Conv3DTranspose",
        {**_CONV, **_FIRST, "strides": 2, "padding": "same", "output_padding": 1, "use_bias": False},
        (2, 2, 3, 2),
        (4, 4, 6, 4),
    ),
    LayerSpec(
        "Conv3DTranspose",
        {"filters": 4, "kernel_size": 2, "strides": 2, "output_size": (5, 6, 5)},
        (2, 3, 2, 2),
        (5, 6, 5, 4),
    ),
]

_BAD_DEPTHWISE: tuple[Bad, ...] = (
    *(bad for bad in _BAD_CONV if "groups" not in bad[0] and "filters" not in bad[0]),
    ({"groups": 2}, "groups must be 1"),
    ({"depth_multiplier": 0}, "depth_multiplier must be a positive integer; got 0"),
)
_DEPTHWISE = {
    "kernel_size": 3,
    "depth_multiplier": 2,
    "activation": "tanh",
    "activity_regularizer": _L2,
    **options("depthwise", "bias"),
}
_SEPARABLE = {**_DEPTHWISE, "filters": 3, **options("pointwise")}
CONVOLUTIONAL += [
    LayerSpec("DepthwiseConv1D", {**_DEPTHWISE, "dilation_rate": 2}, (8, 2), (4, 4), bad=_BAD_DEPTHWISE),
    LayerSpec(
        "DepthwiseConv1D", {**_DEPTHWISE, **_FIRST, "strides": 2, "padding": "same", "use_bias": False}, (2, 7), (4, 4)
    ),
    LayerSpec("DepthwiseConv1D", {"kernel_size": 2}, (7, 3), (6, 3)),
    LayerSpec(
        "DepthwiseConv2D",
        {**_DEPTHWISE, "padding": "same", "dilation_rate": (2, 1)},
        (6, 5, 2),
        (6, 5, 4),
        bad=(*_BAD_DEPTHWISE, ({"padding": "causal"}, "padding must be one of 'valid', 'same'")),
    ),
    LayerSpec(
        "DepthwiseConv2D",
        {**_DEPTHWISE, **_FIRST, "strides": (2, 1), "padding": "same", "use_bias": False},
        (2, 6, 5),
        (4, 3, 5),
    ),
    LayerSpec("DepthwiseConv2D", {"kernel_size": (2, 3)}, (6, 5, 1), (5, 3, 1)),
    LayerSpec(
        "SeparableConv1D", {**_SEPARABLE, "padding": "causal", "dilation_rate": 2}, (8, 2), (8, 3), bad=_BAD_DEPTHWISE
    ),
    LayerSpec(
        "SeparableConv1D", {**_SEPARABLE, **_FIRST, "strides": 2, "padding": "same", "use_bias": False}, (2, 7), (3, 4)
    ),
    LayerSpec("SeparableConv1D", {"filters": 4, "kernel_size": 2}, (7, 3), (6, 4)),
    LayerSpec(
        "SeparableConv2D",
        {**_SEPARABLE, "padding": "same", "dilation_rate": (2, 1)},
        (6, 5, 2),
        (6, 5, 3),
        bad=(*_BAD_DEPTHWISE, ({"filters": 0}, "filters must be"), ({"padding": "causal"}, "padding must be one of")),
    ),
    LayerSpec(
        "SeparableConv2D",
        {**_SEPARABLE, **_FIRST, "strides": (2, 1), "padding": "same", "use_bias": False},
        (2, 6, 5),
        (3, 3, 5),
    ),
    LayerSpec("SeparableConv2D", {"filters": 4, "kernel_size": (2, 3)}, (6, 5, 1), (5, 3, 4)),
]

_BAD_LOCAL: tuple[Bad, ...] = (
    ({"filters": 0}, "filters must be a positive integer; got 0"),
    ({"strides": 0}, "strides must be"),
    ({"padding": "causal"}, "padding must be one of 'valid', 'same'"),
    ({"padding": "same", "implementation": 1}, "padding must be 'valid' where implementation is 1"),
    ({"implementation": 4}, "implementation must be 1, 2 or 3; got 4"),
)
CONVOLUTIONAL += [
    LayerSpec(
        "LocallyConnected1D",
        {**_CONV, "implementation": 2, "padding": "same", "strides": 2},
        (7, 2),
        (4, 4),
        bad=_BAD_LOCAL,
    ),
    LayerSpec("LocallyConnected1D", {**_CONV, **_FIRST, "implementation": 3, "use_bias": False}, (2, 5), (4, 3)),
    LayerSpec("LocallyConnected1D", {"filters": 4, "kernel_size": 2}, (7, 3), (6, 4)),
    LayerSpec(
        "LocallyConnected2D",
        {**_CONV, "implementation": 3, "padding": "same", "strides": (2, 1)},
        (5, 3, 2),
        (3, 3, 4),
        bad=_BAD_LOCAL,
    ),
    LayerSpec("LocallyConnected2D", {**_CONV, **_FIRST, "implementation": 2, "use_bias": False}, (2, 4, 5), (4, 2, 3)),
    LayerSpec("LocallyConnected2D", {"filters": 4, "kernel_size": (2, 3), **_FIRST}, (2, 4, 5), (4, 3, 3)),
    LayerSpec("LocallyConnected2D", {"filters": 4, "kernel_size": (2, 3), "strides": 2}, (6, 5, 1), (3, 2, 4)),
]


def _pooling(cls: str) -> list[LayerSpec]:
    same = {"pool_size": 3, "strides": 2, "padding": "same"}
    return [
        LayerSpec(f"{cls}1D", {**same, **_FIRST}, (2, 6), (2, 3), bad=_BAD_POOL),
        LayerSpec(f"{cls}1D", {"pool_size": 2, "strides": 1, "padding": "same"}, (6, 2), (6, 2)),
        LayerSpec(f"{cls}1D", {}, (7, 2), (3, 2)),
        LayerSpec(f"{cls}2D", {**same, **_FIRST}, (2, 6, 5), (2, 3, 3), bad=_BAD_POOL),
        LayerSpec(f"{cls}2D", {"pool_size": (2, 3), "strides": (1, 2), "padding": "same"}, (6, 5, 2), (6, 3, 2)),
        LayerSpec(f"{cls}2D", {}, (7, 4, 2), (3, 2, 2)),
        LayerSpec(f"{cls}3D", {**same, **_FIRST}, (2, 6, 5, 4), (2, 3, 3, 2), bad=_BAD_POOL),
        LayerSpec(f"{cls}3D", {"pool_size": 2, "strides": 1, "padding": "same"}, (4, 3, 4, 2), (4, 3, 4, 2)),
    ]


def _global_pooling(cls: str, mask: str) -> list[LayerSpec]:
    return [
        LayerSpec(f"{cls}1D", {}, (4, 2), (2,), mask=mask),
        LayerSpec(
            f"{cls}1D",
            {**_FIRST, "keepdims": True},
            (2, 4),
            (2, 1),
            mask=mask,
            skip={"test_mask": "masks go with steps"},
        ),
        LayerSpec(f"{cls}2D", {}, (4, 3, 2), (2,)),
        LayerSpec(f"{cls}2D", {**_FIRST, "keepdims": True}, (2, 4, 3), (2, 1, 1)),
        LayerSpec(f"{cls}3D", {}, (4, 3, 2, 2), (2,)),
        LayerSpec(f"{cls}3D", {**_FIRST, "keepdims": True}, (2, 4, 3, 2), (2, 1, 1, 1)),
    ]


POOLING = [
    *_pooling("MaxPooling"),
    *_pooling("AveragePooling"),
    *_global_pooling("GlobalMaxPooling", "refuses"),
    *_global_pooling("GlobalAveragePooling", "ends"),
]

_BAD_PADDING: tuple[Bad, ...] = (
    ({"padding": -1}, "padding must be an integer ≥ 0"),
    ({"padding": (1, 2, 3, 4)}, "padding must be"),
)
_BAD_CROPPING: tuple[Bad, ...] = (({"cropping": -1}, "cropping must be an integer ≥ 0"),)
_BAD_SIZE: tuple[Bad, ...] = (({"size": 0}, "size must be"),)

RESHAPING = [
    LayerSpec("ZeroPadding1D", {"padding": (2, 1), **_FIRST}, (2, 4), (2, 7), bad=_BAD_PADDING),
    LayerSpec("ZeroPadding1D", {"padding": 2}, (4, 2), (8, 2)),
    LayerSpec("ZeroPadding2D", {"padding": ((1, 2), (0, 3)), **_FIRST}, (2, 4, 3), (2, 7, 6), bad=_BAD_PADDING),
    LayerSpec("ZeroPadding2D", {"padding": (2, 1)}, (4, 3, 2), (8, 5, 2)),
    LayerSpec(
        "ZeroPadding3D", {"padding": ((1, 2), (0, 3), (0, 0)), **_FIRST}, (2, 4, 3, 2), (2, 7, 6, 2), bad=_BAD_PADDING
    ),
    LayerSpec("Cropping1D", {"cropping": (2, 1), **_FIRST}, (2, 4), (2, 1), bad=_BAD_CROPPING),
    LayerSpec("Cropping2D", {"cropping": ((1, 2), (0, 1)), **_FIRST}, (2, 4, 3), (2, 1, 2), bad=_BAD_CROPPING),
    LayerSpec("Cropping2D", {"cropping": 1}, (4, 3, 2), (2, 1, 2)),
    LayerSpec("Cropping3D", {"cropping": (1, 0, 1), **_FIRST}, (2, 4, 3, 3), (2, 2, 3, 1), bad=_BAD_CROPPING),
    LayerSpec("UpSampling1D", {"size": 3, **_FIRST}, (2, 4), (2, 12), bad=_BAD_SIZE),
    LayerSpec("UpSampling1D", {"size": 3}, (4, 2), (12, 2)),
    LayerSpec(
        "UpSampling2D",
        {"size": (3, 2), "interpolation": "bilinear", **_FIRST},
        (2, 4, 3),
        (2, 12, 6),
        bad=(*_BAD_SIZE, ({"interpolation": "bicubik"}, "did you mean 'bicubic'")),
    ),
    LayerSpec("UpSampling2D", {"size": 2}, (4, 3, 2), (8, 6, 2)),
    LayerSpec("UpSampling2D", {"interpolation": "bicubic", **_FIRST}, (2, 4, 3), (2, 8, 6)),
    LayerSpec("UpSampling3D", {"size": (1, 2, 3), **_FIRST}, (2, 2, 3, 2), (2, 2, 6, 6), bad=_BAD_SIZE),
]


def _no_adjustment(shape: Any) -> tuple[float, float]:
    return 1.0, 0.0


NORMALIZATION = [
    LayerSpec(
        "BatchNormalization",
        {
            "axis": 1,
            "momentum": 0.5,
            "epsilon": 0.1,
            "moving_mean_initializer": _UNIFORM,
            "moving_variance_initializer": _UNIFORM,
            "synchronized": True,
            **options("beta", "gamma"),
        },
        (4, 3, 2),
        (4, 3, 2),
        mask="keeps",
        batch_statistics=True,
        bad=(
            ({"axis": "last"}, "axis must be an integer or a list of integers; got 'last'"),
            ({"momentum": "high"}, "momentum must be a number"),
        ),
    ),
    LayerSpec("BatchNormalization", {"center": False, "scale": False}, (5,), (5,), mask="keeps", batch_statistics=True),
    LayerSpec("BatchNormalization", {}, (4, 5), (4, 5), mask="keeps", batch_statistics=True),
    LayerSpec("BatchNormalization", {"axis": [1, 3]}, (4, 3, 2), (4, 3, 2), mask="keeps", batch_statistics=True),
    LayerSpec(
        "BatchNormalization",
        {"renorm": True, "renorm_clipping": {"rmax": 2.0, "dmax": 1.0}, "renorm_momentum": 0.5},
        (4, 5),
        (4, 5),
        mask="keeps",
        batch_statistics=True,
        bad=(({"renorm_clipping": {"max": 1}}, "renorm_clipping must be a dictionary with keys of"),),
    ),
    LayerSpec("BatchNormalization", {"virtual_batch_size": 1}, (4, 5), (4, 5), mask="keeps", batch_statistics=True),
    LayerSpec("BatchNormalization", {"fused": False}, (4, 4, 5), (4, 4, 5), mask="keeps", batch_statistics=True),
    LayerSpec(
        "BatchNormalization",
        {"adjustment": _no_adjustment},
        (4, 5),
        (4, 5),
        mask="keeps",
        batch_statistics=True,
        skip=dict.fromkeys(
            (
                "test_config_round_trip",
                "test_config_is_json",
                "test_weights_round_trip",
                "test_mixed_policies",
                "test_copies",
            ),
            "a configuration cannot hold the function, and says so",
        ),
    ),
    LayerSpec(
        "BatchNormalization",
        {"statistics": "batch"},
        (4, 5),
        (4, 5),
        mask="keeps",
        batch_statistics=True,
        skip={
            "test_torch_func_differentiates_it": "the statistics of one sample are not those of the batch",
            "test_modes": "both modes take the statistics of the batch",
            "test_row_wise": "a sample depends on its batch",
        },
    ),
    LayerSpec(
        "BatchNormalization",
        {"statistics": "sample"},
        (4, 5),
        (4, 5),
        mask="keeps",
        bad=(({"statistics": "rows"}, "statistics must be one of 'moving', 'batch', 'sample'"),),
    ),
    LayerSpec(
        "LayerNormalization",
        {"axis": [1, -1], "epsilon": 0.1, **options("beta", "gamma")},
        (4, 3, 2),
        (4, 3, 2),
        mask="keeps",
        bad=(
            ({"axis": "last"}, "axis must be an integer or a list of integers; got 'last'"),
            ({"epsilon": "small"}, "epsilon must be a number"),
        ),
    ),
    LayerSpec("LayerNormalization", {"axis": [-2, -1]}, (4, 3, 2), (4, 3, 2), mask="keeps"),
    LayerSpec("LayerNormalization", {"center": False, "scale": False}, (5,), (5,), mask="keeps"),
    LayerSpec(
        "GroupNormalization",
        {"groups": 2, "axis": 1, "epsilon": 0.1, **options("beta", "gamma")},
        (4, 3, 2),
        (4, 3, 2),
        mask="keeps",
        bad=(
            ({"groups": 0}, "groups must be a positive integer, or -1; got 0"),
            ({"axis": [1, 2]}, "axis must be an integer; got [1, 2]"),
        ),
    ),
    LayerSpec("GroupNormalization", {"groups": 3, "center": False, "scale": False}, (5, 6), (5, 6), mask="keeps"),
    LayerSpec("UnitNormalization", {"axis": [1, 2]}, (4, 3), (4, 3), mask="keeps"),
    LayerSpec(
        "UnitNormalization",
        {},
        (5,),
        (5,),
        mask="keeps",
        bad=(({"axis": "last"}, "axis must be an integer or a list of integers; got 'last'"),),
    ),
]

NOISE = [
    LayerSpec(
        "GaussianNoise",
        {"stddev": 0.5, "seed": 3},
        (4,),
        (4,),
        mask="keeps",
        random=True,
        bad=(
            ({"stddev": -1.0}, "stddev must be a number ≥ 0; got -1.0"),
            ({"stddev": "1"}, "stddev must be a number ≥ 0"),
        ),
    ),
    LayerSpec("GaussianNoise", {"stddev": 0.5}, (4,), (4,), mask="keeps", random=True),
    LayerSpec("GaussianDropout", {"rate": 0.5, "seed": 3}, (4,), (4,), mask="keeps", random=True, bad=_RATE),
    LayerSpec(
        "AlphaDropout",
        {"rate": 0.5, "noise_shape": (None, 1), "seed": 3},
        (4,),
        (4,),
        mask="keeps",
        random=True,
        bad=_RATE,
    ),
    LayerSpec("AlphaDropout", {"rate": 0.5}, (3, 4), (3, 4), mask="keeps", random=True),
    LayerSpec("SpatialDropout1D", {"rate": 0.5, "seed": 3}, (4, 9), (4, 9), mask="keeps", random=True, bad=_RATE),
    LayerSpec("SpatialDropout2D", {"rate": 0.5, **_FIRST}, (9, 4, 3), (9, 4, 3), mask="keeps", random=True, bad=_RATE),
    LayerSpec(
        "SpatialDropout3D", {"rate": 0.5, **_FIRST}, (9, 4, 3, 2), (9, 4, 3, 2), mask="keeps", random=True, bad=_RATE
    ),
    LayerSpec(
        "ActivityRegularization",
        {"l1": 0.1, "l2": 0.2},
        (4,),
        (4,),
        mask="keeps",
        bad=(({"l1": "much"}, "l1 must be a number"),),
    ),
]

ADVANCED_ACTIVATIONS = [
    LayerSpec(
        "LayerScale",
        {"init_values": 0.5, "projection_dim": 4},
        (3, 4),
        (3, 4),
        mask="keeps",
        bad=(
            ({"init_values": None}, "init_values must be a number; got None"),
            ({"projection_dim": 0}, "projection_dim must be a positive integer; got 0"),
        ),
    ),
    LayerSpec("CustomScaleLayer", {"scale": 0.5}, [(3, 4), (3, 4)], (3, 4), mask="joins"),
    LayerSpec(
        "LeakyReLU",
        {"alpha": 0.1},
        (4,),
        (4,),
        mask="keeps",
        bad=(({"alpha": None}, "alpha must be a number; got None"),),
    ),
    LayerSpec(
        "ReLU",
        {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2},
        (9,),
        (9,),
        mask="keeps",
        bad=(({"max_value": -1.0}, "max_value must be a number ≥ 0; got -1.0"),),
    ),
    LayerSpec("ELU", {"alpha": 0.5}, (4,), (4,), mask="keeps", bad=(({"alpha": "a"}, "alpha must be a number"),)),
    LayerSpec(
        "PReLU",
        {"shared_axes": [1], **options("alpha")},
        (4, 3),
        (4, 3),
        mask="keeps",
        bad=(({"shared_axes": [0]}, "shared_axes must be"),),
    ),
    LayerSpec(
        "ThresholdedReLU",
        {"theta": 0.2},
        (9,),
        (9,),
        mask="keeps",
        bad=(({"theta": -1}, "theta must be a number ≥ 0"),),
    ),
    LayerSpec(
        "SReLU",
        {
            "shared_axes": [1],
            **{f"{name}_initializer": _UNIFORM for name in ("t_left", "a_left", "t_right", "a_right")},
        },
        (4, 3),
        (4, 3),
        mask="keeps",
        bad=(({"shared_axes": 0}, "shared_axes must be"), ({"a_left_initializer": "onez"}, "did you mean 'one'")),
    ),
    LayerSpec(
        "ParametricSoftplus",
        {"alpha_init": 0.7, "beta_init": 1.5, "shared_axes": [1]},
        (4, 3),
        (4, 3),
        mask="keeps",
        bad=(({"alpha_init": "zero"}, "alpha_init must be a number"),),
    ),
    LayerSpec(
        "Softmax", {"axis": 1}, (3, 4), (3, 4), mask="keeps", bad=(({"axis": "last"}, "axis must be an integer"),)
    ),
    LayerSpec("Softmax", {"axis": [1, 2]}, (3, 4), (3, 4), mask="keeps"),
]

_RECURRENT = {
    "units": 4,
    "activation": "relu",
    "activity_regularizer": _L2,
    "dropout": 0.25,
    "recurrent_dropout": 0.5,
    "go_backwards": True,
    "return_sequences": True,
    "unroll": True,
    **options("kernel", "recurrent", "bias"),
}
_GATED = {**_RECURRENT, "recurrent_activation": "hard_sigmoid"}
_NOT_THESE = "return_state, stateful and time_major are tested with the layer"
_SKIP_RECURRENT = {"test_some_line_leaves_the_default": _NOT_THESE}
_OF_CELL = {"test_dtypes": "the type is that of the cell: tests/layers/test_cells.py"}
_BAD_RECURRENT: tuple[Bad, ...] = (
    ({"units": -3}, "units must be a positive integer; got -3"),
    ({"dropout": 2.0}, "dropout must be"),
)


def _cell(name: str, units: int, **more: Any) -> Arguments:
    """Return the configuration of a cell."""
    return {"class_name": name, "config": {"units": units, "name": "cell", **more}}


_CUDNN = {
    "units": 4,
    "activity_regularizer": _L2,
    "go_backwards": True,
    "return_sequences": True,
    **options("kernel", "recurrent", "bias"),
}
_NO_MASKS = {"test_mask": "a mask is refused in each dialect: tests/layers/test_cudnn.py"}


def _cudnn(cls: str, more: Arguments) -> LayerSpec:
    """Return the line of a layer that is laid out for cuDNN, with the arguments that its classes share and `more`."""
    bad = (*_BAD_RECURRENT[:1], ({"dropout": 0.5}, "unknown argument"), ({"activation": "relu"}, "unknown argument"))
    return LayerSpec(cls, {**_CUDNN, **more}, (5, 3), (5, 4), bad=bad, skip={**_SKIP_RECURRENT, **_NO_MASKS})


RECURRENT = [
    LayerSpec(
        "SimpleRNN", _RECURRENT, (5, 3), (5, 4), mask="keeps", random=True, skip=_SKIP_RECURRENT, bad=_BAD_RECURRENT
    ),
    LayerSpec("SimpleRNN", {"units": 4, "use_bias": False}, (5, 3), (4,), mask="ends"),
    LayerSpec(
        "LSTM",
        {**_GATED, "unit_forget_bias": False},
        (5, 3),
        (5, 4),
        mask="keeps",
        random=True,
        skip=_SKIP_RECURRENT,
        bad=_BAD_RECURRENT,
    ),
    LayerSpec("LSTM", {"units": 4, "use_bias": False}, (5, 3), (4,), mask="ends"),
    LayerSpec(
        "GRU",
        {**_GATED, "reset_after": False},
        (5, 3),
        (5, 4),
        mask="keeps",
        random=True,
        skip=_SKIP_RECURRENT,
        bad=_BAD_RECURRENT,
    ),
    LayerSpec("GRU", {"units": 4, "use_bias": False, "reset_after": True}, (5, 3), (4,), mask="ends"),
    *[_cudnn(cls, more) for cls, more in (("CuDNNLSTM", {"unit_forget_bias": False}), ("CuDNNGRU", {}))],
    *[LayerSpec(cls, {"units": 4}, (5, 3), (4,), skip=_NO_MASKS) for cls in ("CuDNNLSTM", "CuDNNGRU")],
    LayerSpec("RNN", {"cell": _cell("LSTMCell", 4)}, (5, 3), (4,), mask="ends", skip=_OF_CELL),
    LayerSpec(
        "RNN",
        {
            "cell": _cell("GRUCell", 4, dropout=0.5),
            "return_sequences": True,
            "go_backwards": True,
            "unroll": True,
            "zero_output_for_mask": True,
        },
        (5, 3),
        (5, 4),
        mask="keeps",
        random=True,
        skip={**_SKIP_RECURRENT, **_OF_CELL},
        bad=(
            ({"cell": 3}, "cell must be a cell: an object with call(inputs, states) and state_size"),
            ({"cell": [torch.nn.Tanh()]}, "cell must be a cell: an object with call(inputs, states)"),
        ),
    ),
    LayerSpec(
        "RNN",
        {
            "cell": {
                "class_name": "StackedRNNCells",
                "config": {"cells": [_cell("SimpleRNNCell", 4), _cell("LSTMCell", 2)]},
            },
            "return_sequences": True,
        },
        (5, 3),
        (5, 2),
        mask="keeps",
        skip=_OF_CELL,
    ),
]

_CONV_LSTM = {
    "filters": 2,
    "kernel_size": 2,
    "recurrent_activation": "sigmoid",
    "unit_forget_bias": False,
    "go_backwards": True,
    "return_sequences": True,
    "dropout": 0.25,
    "recurrent_dropout": 0.5,
    **_WEIGHTED,
    **options("recurrent"),
    "activation": "relu",
}
_BAD_CONV_LSTM: tuple[Bad, ...] = (
    *[(arguments, message) for arguments, message in _BAD_CONV if "groups" not in arguments],
    ({"padding": "causal"}, "padding must be one of 'valid', 'same'"),
    ({"recurrent_dropout": -1}, "recurrent_dropout must be"),
)


def _conv_lstm(rank: int) -> list[LayerSpec]:
    """Return the lines of a class, between which no argument stays at its default."""
    cls, space, ones = f"ConvLSTM{rank}D", (4, 5, 3)[:rank], (1,) * (rank - 1)
    strided, dilated = {"strides": (2, *ones), "padding": "same", **_FIRST}, {"dilation_rate": (2, *ones)}
    less = tuple(n - 1 for n in space)
    return [
        LayerSpec(
            cls,
            {**_CONV_LSTM, **strided},
            (3, 2, *space),
            (3, 2, 2, *space[1:]),
            mask="keeps",
            random=True,
            skip=_SKIP_RECURRENT,
            bad=_BAD_CONV_LSTM,
        ),
        LayerSpec(
            cls,
            {"filters": 2, "kernel_size": 2, "use_bias": False, **dilated},
            (3, *space, 1),
            (space[0] - 2, *less[1:], 2),
            mask="ends",
        ),
        LayerSpec(cls, {"filters": 2, "kernel_size": 3, "padding": "same"}, (3, *space, 1), (*space, 2), mask="ends"),
    ]


CONVOLUTIONAL_RECURRENT = [
    *[line for rank in (1, 2, 3) for line in _conv_lstm(rank)],
    LayerSpec(
        "ConvRNN2D",
        {
            "cell": {
                "class_name": "ConvLSTM2DCell",
                "config": {"filters": 2, "kernel_size": 2, "dropout": 0.5, "name": "cell"},
            },
            "return_sequences": True,
            "go_backwards": True,
            "unroll": True,
            "zero_output_for_mask": True,
        },
        (3, 4, 5, 1),
        (3, 3, 4, 2),
        mask="keeps",
        random=True,
        skip={**_SKIP_RECURRENT, **_OF_CELL},
        bad=(({"cell": _cell("LSTMCell", 4)}, "cell must be a ConvLSTM2DCell"),),
    ),
]

_PAIR = [(3, 4), (3, 4)]


def _merging(cls: str) -> list[LayerSpec]:
    return [
        LayerSpec(cls, {}, _PAIR, (3, 4), mask="joins"),
        LayerSpec(cls, {}, [(3, 4), (1, 4)], (3, 4), mask="joins", skip={"test_mask": "the masks differ in shape"}),
        LayerSpec(cls, {}, [(4,), (3, 4)], (3, 4), mask="joins", skip={"test_mask": "a vector has no steps"}),
    ]


_BAD_AXES: tuple[Bad, ...] = (({"axes": "last"}, "axes must be"), ({"axes": (1, 2, 3)}, "axes must be"))
_BY_MODE = {"test_some_line_leaves_the_default": "layers, indices and functions are tested with the layer"}
MERGING = [
    *[line for cls in "Add Subtract Multiply Average Maximum Minimum".split() for line in _merging(cls)],
    LayerSpec(
        "Concatenate", {"axis": 1}, [(3, 4), (2, 4)], (5, 4), mask="joins", bad=(({"axis": "last"}, "axis must be"),)
    ),
    LayerSpec("Concatenate", {}, [(3, 4), (3, 2)], (3, 6), mask="joins"),
    LayerSpec("Dot", {"axes": (1, 2), "normalize": True}, [(3, 4), (2, 3)], (4, 2), mask="ends", bad=_BAD_AXES),
    LayerSpec("Dot", {"axes": -1}, [(4,), (4,)], (1,), mask="ends"),
    LayerSpec("Merge", {"mode": "concat", "concat_axis": 1}, [(3, 4), (2, 4)], (5, 4), mask="joins", skip=_BY_MODE),
    LayerSpec("Merge", {"mode": "cos", "dot_axes": 1}, [(4,), (4,)], (1,), mask="ends", skip=_BY_MODE),
    LayerSpec(
        "Merge",
        {"mode": "ave"},
        _PAIR,
        (3, 4),
        mask="joins",
        skip=_BY_MODE,
        bad=(({"mode": "contat"}, "did you mean 'concat'"), ({"layers": 3}, "layers must be a list of two models")),
    ),
]

_HEADS = {"num_heads": 2, "key_dim": 3}
ATTENTION = [
    LayerSpec(
        "Attention",
        {"use_scale": True, "score_mode": "concat", "dropout": 0.5, "causal": True},
        [(3, 4), (5, 4)],
        (3, 4),
        mask="joins",
        random=True,
        bad=(({"score_mode": "dots"}, "did you mean 'dot'"), ({"dropout": 2.0}, "dropout must be a number in [0, 1]")),
    ),
    LayerSpec("Attention", {}, [(3, 4), (5, 2), (5, 4)], (3, 2), mask="joins"),
    LayerSpec(
        "AdditiveAttention",
        {"use_scale": False, "dropout": 0.5, "causal": True},
        [(3, 4), (5, 2), (5, 4)],
        (3, 2),
        mask="joins",
        random=True,
        bad=(({"dropout": "half"}, "dropout must be a number in [0, 1]"),),
    ),
    LayerSpec("AdditiveAttention", {}, [(3, 4), (5, 4)], (3, 4), mask="joins"),
    LayerSpec(
        "MultiHeadAttention",
        {
            **_HEADS,
            "value_dim": 2,
            "dropout": 0.5,
            "output_shape": (2, 3),
            "attention_axes": (1,),
            "activity_regularizer": _L2,
            **options("kernel", "bias"),
        },
        [(3, 4), (5, 2), (5, 4)],
        (3, 2, 3),
        mask="joins",
        random=True,
        bad=(
            ({"num_heads": 0}, "num_heads must be a positive integer; got 0"),
            ({"key_dim": "3"}, "key_dim must be a positive integer; got '3'"),
            ({"attention_axes": "all"}, "attention_axes must be an integer or a list of them"),
            ({"output_shape": -1}, "output_shape must be a positive integer"),
        ),
        skip={"test_gradient_flows": "a bias of the keys moves all scores of a query alike"},
    ),
    LayerSpec("MultiHeadAttention", {**_HEADS, "use_bias": False}, [(3, 4), (5, 2)], (3, 4), mask="joins"),
]

WRAPPERS = [
    LayerSpec("TimeDistributed", {"layer": Inner("Dense", {"units": 4, **_WEIGHTED})}, (3, 5), (3, 4), mask="keeps"),
    LayerSpec(
        "TimeDistributed",
        {"layer": Inner("Conv2D", {"filters": 2, "kernel_size": 3})},
        (3, 5, 5, 2),
        (3, 3, 3, 2),
        bad=(({"layer": 3}, "layer must be a layer"),),
        skip={"test_mask": "the layer inside decides: tests/layers"},
    ),
    LayerSpec(
        "TimeDistributed",
        {"layer": Inner("LSTM", {"units": 2, "return_sequences": True})},
        (3, 4, 5),
        (3, 4, 2),
        skip={"test_mask": "the layer inside decides: tests/layers"},
    ),
    LayerSpec(
        "SpectralNormalization",
        {"layer": Inner("Dense", {"units": 4, **_WEIGHTED}), "power_iterations": 3},
        (3, 5),
        (3, 4),
        mask="keeps",
        batch_statistics=True,
        bad=(
            ({"layer": 3}, "layer must be a layer"),
            ({"power_iterations": 0}, "power_iterations must be a positive integer; got 0"),
        ),
    ),
    LayerSpec("TimeDistributedDense", {"units": 4, **_WEIGHTED}, (6, 5), (6, 4), mask="keeps"),
    LayerSpec("TimeDistributedDense", {"units": 4, "use_bias": False}, (6, 5), (6, 4), mask="keeps"),
    LayerSpec(
        "Bidirectional",
        {
            "layer": Inner("LSTM", {"units": 2, "return_sequences": True}),
            "merge_mode": "ave",
            "backward_layer": Inner("GRU", {"units": 2, "return_sequences": True, "go_backwards": True}),
        },
        (5, 3),
        (5, 2),
        mask="keeps",
        bad=(({"merge_mode": "sums"}, "did you mean 'sum'"), ({"layer": 3}, "layer must be a layer")),
    ),
    LayerSpec(
        "Bidirectional",
        {"layer": Inner("GRU", {**_GATED, "recurrent_dropout": 0.0})},
        (5, 3),
        (5, 8),
        mask="keeps",
        random=True,
    ),
    LayerSpec(
        "Bidirectional",
        {"layer": Inner("SimpleRNN", {"units": 2, "return_state": True}), "merge_mode": None},
        (5, 3),
        [(2,)] * 4,
        mask="ends",
    ),
]

LAYERS: list[LayerSpec] = [
    *CORE,
    *EMBEDDINGS,
    *CONVOLUTIONAL,
    *POOLING,
    *RESHAPING,
    *NORMALIZATION,
    *NOISE,
    *ADVANCED_ACTIVATIONS,
    *RECURRENT,
    *CONVOLUTIONAL_RECURRENT,
    *MERGING,
    *ATTENTION,
    *WRAPPERS,
    *[LayerSpec(**line) for line in PREPARING],
]

# Registered layers that the checks over LAYERS do not fit, and where they are tested.
ELSEWHERE = {
    **dict.fromkeys(
        ("SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"), "they take states: tests/layers/test_cells.py"
    ),
    **dict.fromkeys(
        ("StringLookup", "IntegerLookup", "TextVectorization", "Hashing", "HashedCrossing"),
        "they take strings, or run in Python alone: tests/layers/preprocessing",
    ),
    **dict.fromkeys(("RandomHeight", "RandomWidth"), "the size of the output is drawn: tests/layers/preprocessing"),
    "ConvLSTM2DCell": "it takes states: tests/layers/test_conv_lstm.py",
    "InputLayer": "it only declares a shape: tests/layers",
    "TorchModuleWrapper": "it is what the module in it is: tests/layers",
    "Model": "a model: tests/models",
    "Sequential": "a model: tests/models",
}
