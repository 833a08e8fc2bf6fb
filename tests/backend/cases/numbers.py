"""The main table: each function as scripts call it, in float32."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .common import Case, Draw, case, shown


def _elementwise(draw: Draw) -> Iterator[Case]:
    x, y, cube = draw.normal(2, 3), draw.normal(2, 3), draw.normal(2, 3, 4)
    names = "abs square exp sqrt round sign sin cos softsign softplus sigmoid hard_sigmoid tanh relu elu"
    for name in f"{names} transpose flatten zeros_like ones_like".split():
        yield case(name, x)
    yield case("round", np.array([0.5, 1.5, 2.5, -0.5], "float32"))
    yield case("log", draw.uniform(3, 2))
    yield case("softmax", x)
    yield case("softmax", cube, axis=1)
    yield case("relu", x, alpha=0.1, max_value=1.0, threshold=0.3)
    yield case("elu", x, 0.4)
    yield case("pow", draw.uniform(3), 2.5)
    yield case("clip", x, -0.5, 0.5)
    yield case("clip", x, 0.5, -0.5)
    for name in "equal not_equal greater greater_equal less less_equal maximum minimum".split():
        yield case(name, x, y)
        yield case(name, x, 0.0)
    start = np.array([1.0, 2.0], "float32")
    yield shown(
        "moving_average_update", lambda K, new: K.moving_average_update(K.variable(start), new, 0.9), draw.normal(2)
    )


def _reductions(draw: Draw) -> Iterator[Case]:
    cube, flags = draw.normal(2, 3, 4), draw.uniform(2, 3) > 0.5
    for name in "mean sum prod max min var std".split():
        for axis in (None, 0, -1, [0, 2]):
            yield case(name, cube, axis=axis)
        yield case(name, cube, axis=1, keepdims=True)
    for name in ("any", "all"):
        yield case(name, flags)
        yield case(name, flags, axis=0)
        yield case(name, flags, axis=1, keepdims=True)
    yield case("sum", np.arange(6).reshape(2, 3).astype("int32"), axis=1)
    yield case("mean", flags)
    yield case("argmax", np.array([[1, 5, 5], [2, 2, 1]], "float32"))
    yield case("argmin", np.array([[1, 5, 1], [2, 2, 2]], "float32"))
    yield case("argmax", cube, axis=1)
    yield case("cumsum", cube, axis=1)
    yield case("cumprod", cube)
    yield case("l2_normalize", cube, axis=-1)
    yield case("l2_normalize", cube)
    yield case("l2_normalize", np.zeros((2, 2), "float32"), axis=0)


def _products(draw: Draw) -> Iterator[Case]:
    n = draw.normal
    yield case("dot", n(2, 3), n(3, 4))
    yield case("dot", n(2, 3, 4), n(5, 4, 6))
    yield case("dot", n(2, 3, 4), n(4, 6))
    yield case("batch_dot", n(3, 4), n(3, 4))
    yield case("batch_dot", n(3, 4), n(3, 4), axes=1)
    yield case("batch_dot", n(2, 3, 4), n(2, 4, 5))
    yield case("batch_dot", n(2, 3, 4), n(2, 3, 5), axes=1)
    yield case("batch_dot", n(2, 3, 4), n(2, 4))
    yield case("batch_dot", n(2, 4), n(2, 3, 4), axes=(1, 2))
    yield case("batch_dot", n(2, 3, 4, 5), n(2, 6, 5), axes=(3, 2))
    yield case("batch_dot", n(2, 3, 4, 5), n(2, 6, 3, 7), axes=(1, 2))
    yield case("batch_dot", n(2, 3, 4), n(2, 5, 4), axes=[2, 2])


def _shapes(draw: Draw) -> Iterator[Case]:
    x, y, cube = draw.normal(2, 3), draw.normal(2, 3), draw.normal(2, 3, 4)
    image, volume = draw.normal(2, 6, 7, 4), draw.normal(2, 4, 5, 6, 2)
    yield case("permute_dimensions", cube, (2, 0, 1))
    yield case("reshape", cube, (4, -1))
    yield case("batch_flatten", cube)
    yield case("expand_dims", x, 1)
    yield case("squeeze", draw.normal(2, 1, 3), 1)
    yield case("repeat", x, 3)
    yield case("repeat_elements", cube, 2, 1)
    yield case("tile", x, [2, 1])
    yield case("reverse", cube, [0, 2])
    yield case("reverse", cube, 1)
    yield case("gather", draw.normal(5, 3), np.array([[0, 4], [2, 2]], "int32"))
    yield case("one_hot", np.array([0, 2, -1, 5], "int32"), 3)
    yield case("stack", [x, y], axis=1)
    yield case("concatenate", [x, y], axis=0)
    yield case("cast", x, "int32")
    yield case("arange", 2, 8, 2)
    yield case("arange", 5)
    yield case("arange", 3.0, dtype="float32")
    yield case("temporal_padding", cube, (1, 2))
    yield case("spatial_2d_padding", image, ((1, 0), (2, 1)))
    yield case("spatial_2d_padding", image, ((1, 0), (2, 1)), "channels_first")
    yield case("spatial_3d_padding", volume, ((1, 0), (2, 1), (0, 3)))
    yield case("eye", 3)
    yield case("constant", 2, shape=(2, 3))
    yield case("zeros", (2,))
    yield case("ones", (2, 2))
    yield case("count_params", cube)


def _binary_losses(draw: Draw) -> Iterator[Case]:
    target, certain = np.array([[0, 1, 1], [1, 0, 1]], "float32"), np.array([[0, 1, 1e-9], [0, 1, 0.5]], "float32")
    logits = {"from_logits": True}
    for output, options in ((draw.uniform(2, 3), {}), (certain, {}), (draw.normal(2, 3) * 3, logits)):
        yield case("binary_crossentropy", target, output, **options)
        yield case("binary_focal_crossentropy", target, output, **options)
        balanced = {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5}
        yield case("binary_focal_crossentropy", target, output, **balanced, **options)


def _categorical_losses(draw: Draw) -> Iterator[Case]:
    labels = np.array([0, 3, 1], "int32")
    one_hot, steps = np.eye(4, dtype="float32")[labels], draw.source.randint(0, 4, (2, 5))
    certain = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [0.2, 0.3, 0.5, 0]], "float32")
    probable, unnormalised, logits = draw.softmax(3, 4), draw.uniform(3, 4), draw.normal(3, 4) * 4
    over_steps = draw.softmax(2, 5, 4)
    for output, options in ((probable, {}), (unnormalised, {}), (certain, {}), (logits, {"from_logits": True})):
        yield case("categorical_crossentropy", one_hot, output, **options)
        yield case("categorical_focal_crossentropy", one_hot, output, **options)
        yield case("sparse_categorical_crossentropy", labels, output, **options)
    first, wide = np.moveaxis(over_steps, -1, 1).copy(), np.eye(4, dtype="float32")[steps]
    yield case("categorical_crossentropy", np.moveaxis(wide, -1, 1).copy(), first, axis=1)
    yield case("sparse_categorical_crossentropy", steps, over_steps)
    yield case("sparse_categorical_crossentropy", steps, first, axis=1)
    yield case("sparse_categorical_crossentropy", steps[..., None], over_steps)
    yield case("sparse_categorical_crossentropy", labels.astype("int64"), probable, ignore_class=3)


def _normalisation(draw: Draw) -> Iterator[Case]:
    n, u, image, x = draw.normal, draw.uniform, draw.normal(2, 6, 7, 4), draw.normal(2, 3)
    yield case("batch_normalization", image, n(4), u(4), n(4), n(4))
    yield case("batch_normalization", x, n(3), u(3), None, n(3))
    yield case("batch_normalization", x, n(3), u(3), n(3), None, epsilon=0.1)
    yield case("normalize_batch_in_training", image, n(4), n(4), [0, 1, 2])
    yield case("normalize_batch_in_training", x, n(3), n(3), [0])
    yield case("normalize_batch_in_training", n(2, 3, 4), n(4), n(4), [0, 1])
    yield case("normalize_batch_in_training", image, n(6), n(6), [0, 2, 3])
    ties = np.array([[0.1, 0.6, 0.3], [0.3, 0.3, 0.4], [0.5, 0.5, 0.5], [np.nan, 1, 0]], "float32")
    yield case("in_top_k", ties, np.array([2, 0, 2, 0], "int32"), 2)
    yield case("in_top_k", ties[:2], np.array([1, 5], "int32"), 1)
    yield case("bias_add", image, n(4))
    yield case("bias_add", n(2, 3, 4), n(3, 4))
    yield case("bias_add", n(2, 4, 3, 5), n(3, 5, 4), "channels_first")


def _convolutions(draw: Draw) -> Iterator[Case]:
    n = draw.normal
    line, image, volume = n(2, 9, 4), n(2, 6, 7, 4), n(2, 4, 5, 6, 2)
    for padding in ("valid", "same", "causal"):
        yield case("conv1d", line, n(3, 4, 5), padding=padding)
        yield case("conv1d", line, n(3, 4, 5), padding=padding, dilation_rate=2)
        yield case("conv1d", line, n(4, 4, 5), strides=2, padding=padding)
    for padding in ("valid", "same"):
        yield case("conv2d", image, n(3, 2, 4, 5), strides=(2, 1), padding=padding)
        yield case("conv2d", image, n(3, 3, 4, 5), padding=padding, dilation_rate=(2, 2))
        yield case("conv2d", image, n(3, 3, 2, 6), strides=(2, 2), padding=padding)
        yield case("conv3d", volume, n(2, 3, 2, 2, 3), strides=(1, 2, 1), padding=padding)
        yield case("depthwise_conv2d", image, n(3, 3, 4, 2), padding=padding, strides=(2, 2))
        yield case("separable_conv2d", image, n(3, 3, 4, 2), n(1, 1, 8, 5), padding=padding)
        for mode in ("max", "avg"):
            yield case("pool2d", image, (2, 3), strides=(2, 2), padding=padding, pool_mode=mode)
            yield case("pool3d", volume, (2, 2, 3), strides=(2, 2, 2), padding=padding, pool_mode=mode)
    yield case("pool2d", image, (5, 5), strides=(1, 1), padding="same", pool_mode="avg")


def _other_convolutions(draw: Draw) -> Iterator[Case]:
    n, small, twice = draw.normal, draw.normal(2, 3, 4, 3), {"strides": (2, 2)}
    yield case("conv2d_transpose", small, n(3, 3, 5, 3), (2, 6, 8, 5), padding="same", **twice)
    yield case("conv2d_transpose", small, n(3, 3, 5, 3), (2, 5, 7, 5), padding="same", **twice)
    yield case("conv2d_transpose", small, n(3, 3, 5, 3), (2, 7, 9, 5), padding="valid", **twice)
    yield case("conv2d_transpose", small, n(2, 2, 5, 3), (2, 9, 12, 5), strides=(3, 3), padding="same")
    yield case("local_conv1d", n(2, 6, 3), n(2, 9, 4), (3,), (2,))
    yield case("local_conv1d", n(2, 3, 6), n(2, 9, 4), (3,), (2,), "channels_first")
    yield case("local_conv2d", n(2, 5, 6, 3), n(10, 12, 4), (2, 2), (2, 1), (2, 5))
    yield case("local_conv2d", n(2, 3, 5, 6), n(10, 12, 4), (2, 2), (2, 1), (2, 5), "channels_first")
    for options in (("channels_last",), ("channels_last", "bilinear"), ("channels_first", "nearest")):
        yield case("resize_images", n(2, 3, 4, 2), 2, 3, *options)
    yield case("resize_images", n(2, 3, 4, 2), 2, 2, "channels_last", "area")
    yield case("resize_volumes", n(2, 2, 3, 2, 2), 2, 1, 3, "channels_last")


def _sequences(draw: Draw) -> Iterator[Case]:
    labels, lengths = np.array([[0, 1, 1], [2, 0, 0], [3, 3, 0]]), np.array([[3], [1], [2]])
    yield case("ctc_batch_cost", labels, draw.softmax(3, 9, 5), np.array([[9], [7], [8]]), lengths)
    yield case("ctc_decode", draw.softmax(3, 8, 4) ** 3, np.array([8, 5, 7]))
    beams = {"greedy": False, "beam_width": 50, "top_paths": 3}
    yield case("ctc_decode", draw.softmax(3, 6, 4), np.array([6, 5, 4]), **beams)
    yield case("ctc_decode", draw.softmax(3, 9, 3), np.array([9, 5, 7]), greedy=False)


TABLES = (
    _elementwise,
    _reductions,
    _products,
    _shapes,
    _binary_losses,
    _categorical_losses,
    _normalisation,
    _convolutions,
    _other_convolutions,
    _sequences,
)
