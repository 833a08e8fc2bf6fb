"""Shapes, convolutions, losses, normalisation, loops and choices away from their defaults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .common import Case, Draw, case, shown


def _shapes(draw: Draw) -> Iterator[Case]:
    x, cube, integers = draw.normal(2, 3), draw.normal(2, 3, 4), draw.integers(3, 4)
    yield case("permute_dimensions", cube, [0, 2, 1])
    yield case("permute_dimensions", integers, (1, 0))
    yield case("transpose", cube)
    yield case("transpose", integers)
    yield case("transpose", draw.normal(3))
    yield case("reshape", cube, [-1])
    yield case("reshape", cube, (2, 1, 12))
    yield case("reshape", integers, (-1, 2, 2))
    yield case("flatten", cube)
    yield case("flatten", integers)
    yield case("batch_flatten", draw.normal(3, 2, 2, 2))
    yield case("batch_flatten", x)
    yield case("batch_flatten", draw.normal(3))
    for axis in (-1, 0, 1, -2):
        yield case("expand_dims", cube, axis)
        yield case("expand_dims", integers, axis=axis)
    yield case("squeeze", draw.normal(2, 3, 1), -1)
    yield case("squeeze", draw.integers(2, 1, 3, 1), axis=1)
    yield case("squeeze", draw.normal(2, 1, 3), -2)
    yield case("repeat", integers, n=2)
    yield case("repeat_elements", cube, 3, -1)
    yield case("repeat_elements", cube, rep=2, axis=0)
    yield case("repeat_elements", integers, 1, 1)
    yield case("tile", cube, (1, 2, 1))
    yield case("tile", draw.normal(3), 2)
    yield case("tile", integers, np.array([2, 3]))
    yield case("reverse", cube, -1)
    yield case("reverse", cube, (0, -2))
    yield case("reverse", integers, axes=[1])
    yield case("gather", integers, [2, 0])
    yield case("gather", draw.normal(4, 2, 3), np.array([[1, 1], [0, 3]], "int64"))
    yield case("gather", draw.normal(4), 2)
    yield shown("gather", lambda K, i: K.gather(K.constant(np.eye(4)), i), np.array([[1], [3]], "int32"))
    yield case("one_hot", np.array([[0, 1], [2, 3]], "int64"), 4)
    yield case("one_hot", np.array([3, 1], "uint8"), num_classes=4)
    for axis in (0, 1, -1, -2):
        yield case("stack", [x, x * 2, -x], axis=axis)
        yield case("concatenate", [cube, cube * 2], axis)
    yield case("stack", [integers, integers])
    yield case("concatenate", [integers, integers[:, :1]])
    yield case("concatenate", [integers])
    for padding in ((1, 1), (2, 0), [0, 3]):
        yield case("temporal_padding", cube, padding)
    yield case("temporal_padding", draw.integers(2, 3, 2))
    yield case("spatial_2d_padding", draw.normal(2, 3, 4, 2))
    yield case("spatial_2d_padding", draw.integers(2, 3, 4, 2), [[0, 1], [2, 0]], "channels_last")
    yield case("spatial_3d_padding", draw.normal(1, 2, 3, 2, 2))
    yield case("spatial_3d_padding", draw.normal(1, 2, 3, 2, 2), ((0, 1), (1, 0), (2, 1)), "channels_first")


def _images(draw: Draw) -> Iterator[Case]:
    n = draw.normal
    last, first = n(2, 3, 4, 2), n(2, 2, 3, 4)
    for interpolation in "nearest bilinear area bicubic lanczos3 lanczos5 gaussian mitchellcubic".split():
        yield case("resize_images", last, 2, 3, "channels_last", interpolation)
        yield case("resize_images", first, 3, 1, "channels_first", interpolation=interpolation)
    yield case("resize_images", draw.integers(1, 2, 2, 1), 2, 2, "channels_last")
    yield case("resize_images", last, height_factor=2.0, width_factor=1, data_format="channels_last")
    yield case("resize_volumes", n(1, 2, 2, 3, 2), 2, 3, 1, "channels_first")
    yield case("resize_volumes", draw.integers(1, 2, 2, 1, 1), 1, 2, 2, data_format="channels_last")
    for mode in ("max", "avg"):
        for padding in ("valid", "same"):
            yield case("pool2d", first, (2, 2), (1, 2), padding, "channels_first", mode)
            yield case("pool2d", last, (3, 2), padding=padding, pool_mode=mode)
            yield case("pool3d", n(1, 2, 4, 3, 4), (2, 2, 2), (2, 1, 2), padding, "channels_first", mode)
        yield case("pool3d", n(1, 3, 4, 3, 2), (2, 2, 2), pool_mode=mode)
    yield case("bias_add", n(2, 4, 3), n(4), "channels_first")
    yield case("bias_add", n(2, 4, 3, 2), n(4), data_format="channels_first")
    yield case("bias_add", n(2, 3, 2, 2, 4), n(4))
    yield case("bias_add", n(2, 4, 3, 2, 2), n(4), "channels_first")
    yield case("bias_add", n(2, 4), n(4))
    yield case("bias_add", n(2, 3, 5, 4), n(3, 5, 4), "channels_last")


def _convolutions(draw: Draw) -> Iterator[Case]:
    n = draw.normal
    line, image, volume = n(2, 3, 8), n(2, 3, 6, 7), n(1, 2, 4, 5, 4)
    for padding in ("valid", "same"):
        yield case("conv1d", line, n(3, 3, 2), 1, padding, "channels_first")
        yield case("conv1d", line, n(2, 3, 2), 2, padding, "channels_first")
        yield case("conv1d", line, n(2, 3, 2), padding=padding, data_format="channels_first", dilation_rate=2)
        yield case("conv2d", image, n(3, 3, 3, 2), (2, 2), padding, "channels_first")
        yield case("conv2d", image, n(2, 2, 3, 2), padding=padding, data_format="channels_first", dilation_rate=(2, 1))
        yield case("conv3d", volume, n(2, 2, 2, 2, 3), (2, 2, 2), padding, "channels_first")
        yield case("conv3d", n(1, 5, 5, 5, 1), n(2, 2, 2, 1, 2), padding=padding, dilation_rate=(2, 2, 2))
        yield case("depthwise_conv2d", image, n(3, 3, 3, 2), (1, 1), padding, "channels_first")
        yield case("depthwise_conv2d", n(2, 6, 7, 3), n(2, 3, 3, 1), padding=padding, dilation_rate=(2, 2))
        yield case("separable_conv2d", image, n(3, 3, 3, 2), n(1, 1, 6, 4), (2, 2), padding, "channels_first")
        dilated = {"padding": padding, "dilation_rate": (2, 2)}
        yield case("separable_conv2d", n(2, 6, 7, 3), n(2, 3, 3, 1), n(1, 1, 3, 4), **dilated)
        shape = (2, 2, 13, 15) if padding == "valid" else (2, 2, 12, 14)
        yield case("conv2d_transpose", image, n(3, 3, 2, 3), shape, (2, 2), padding, "channels_first")
    yield case("conv1d", n(2, 6, 1).astype("float64"), n(2, 1, 2).astype("float64"), padding="causal", dilation_rate=2)
    yield case("conv2d", n(1, 5, 5, 2).astype("float64"), n(3, 3, 2, 1).astype("float64"), padding="same")
    yield case("conv2d_transpose", n(2, 3, 4, 3), n(2, 2, 5, 3), (2, 4, 5, 5))
    yield case("conv2d_transpose", n(2, 3, 4, 3), n(2, 2, 5, 3), (2, 3, 4, 5), padding="same", dilation_rate=(2, 2))
    window = {"kernel_size": (2, 2), "strides": (1, 1), "output_shape": (3, 2)}
    yield case("local_conv2d", n(2, 4, 3, 2), n(6, 8, 3), **window)
    yield case("local_conv1d", n(2, 5, 2), n(4, 4, 3), kernel_size=(2,), strides=(1,))


def _lossy(draw: Draw) -> Iterator[Case]:
    binary, p = draw.integers(3, 4, low=0, high=2, dtype="float32"), draw.uniform(3, 4)
    yield case("binary_crossentropy", binary.astype("float64"), p.astype("float64"))
    yield case("binary_crossentropy", draw.uniform(3, 4), draw.normal(3, 4), True)
    yield case("binary_crossentropy", binary[:, :1], p)
    yield case("binary_focal_crossentropy", binary, p, True, 0.7, 3.0)
    one_hot, probable = np.eye(4, dtype="float32")[[1, 3, 0]], draw.softmax(3, 4)
    yield case("categorical_crossentropy", one_hot.T.copy(), probable.T.copy(), False, 0)
    yield case("categorical_crossentropy", one_hot.T.copy(), draw.normal(4, 3), from_logits=True, axis=0)
    yield case("categorical_focal_crossentropy", one_hot, probable, 0.5, 1.0)
    yield case("categorical_focal_crossentropy", one_hot.T.copy(), draw.normal(4, 3), from_logits=True, axis=0)
    indices = draw.integers(2, 5, low=0, high=4)
    yield case("sparse_categorical_crossentropy", indices, draw.normal(2, 5, 4), True, -1, 2)
    yield case("sparse_categorical_crossentropy", indices.astype("float32"), draw.softmax(2, 5, 4))
    yield case("sparse_categorical_crossentropy", indices, draw.normal(2, 4, 5), from_logits=True, axis=1)
    ignored = np.array([0, 255, 1, 255])
    yield case("sparse_categorical_crossentropy", ignored, draw.softmax(4, 3), ignore_class=255)


def _normalised(draw: Draw) -> Iterator[Case]:
    n, u = draw.normal, draw.uniform
    yield case("batch_normalization", n(2, 3, 4, 5), n(3), u(3), n(3), n(3), axis=1)
    yield case("batch_normalization", n(2, 3, 4), n(4), u(4), n(4), n(4), -1, 0.01)
    yield case("batch_normalization", n(2, 3, 4), n(1, 3, 1), u(1, 3, 1), n(1, 3, 1), n(1, 3, 1), axis=1)
    yield case("batch_normalization", n(2, 3, 4), n(3, 4), u(3, 4), None, None)
    yield case("normalize_batch_in_training", n(6, 3), n(3), n(3), [0], 0.1)
    yield case("normalize_batch_in_training", n(2, 3, 4, 5), n(5), n(5), (0, 1, 2), epsilon=0.01)
    yield case("normalize_batch_in_training", n(2, 3, 4, 5, 2), n(2), n(2), [0, 1, 2, 3])
    yield case("normalize_batch_in_training", n(6, 3), None, None, [0])
    yield case("in_top_k", draw.softmax(4, 5), draw.integers(4, low=0, high=5), 3)
    yield case("in_top_k", draw.softmax(4, 5), draw.integers(4, low=0, high=5, dtype="int64"), k=1)


def _sequences(draw: Draw) -> Iterator[Case]:
    labels = draw.integers(3, 4, low=0, high=3)
    yield case("ctc_batch_cost", labels, draw.softmax(3, 12, 4), np.full((3, 1), 12), np.array([[4], [2], [1]]))
    yield case(
        "ctc_batch_cost", labels.astype("float32"), draw.softmax(3, 10, 4), np.full((3, 1), 10), labels[:, :1] + 1
    )
    beams = {"greedy": False, "beam_width": 5, "top_paths": 2}
    yield case("ctc_decode", draw.softmax(2, 7, 4), np.array([7, 3]), True)
    yield case("ctc_decode", draw.softmax(2, 7, 4), np.array([7, 6]), **beams)
    yield case("ctc_label_dense_to_sparse", np.array([[1, 2, 3], [4, 5, 6]], "int32"), np.array([2, 3], "int32"))
    yield case("ctc_label_dense_to_sparse", np.array([[1, 2], [4, 5]], "int64"), np.array([1, 2], "int32"))


def _step(K: Any) -> Any:
    def step(x: Any, states: Any) -> Any:
        total = K.tanh(x + 0.5 * states[0])
        for constant in states[1:]:
            total = total + constant
        return total * 2, [total]

    return step


def _walks(draw: Draw) -> Iterator[Case]:
    x = draw.normal(3, 4, 2)
    mask = np.array([[0, 1, 1, 0], [1, 1, 1, 1], [1, 0, 1, 0]], bool)
    for options in (
        {},
        {"go_backwards": True},
        {"unroll": True},
        {"unroll": True, "go_backwards": True},
        {"return_all_outputs": False},
        {"input_length": 4},
    ):
        yield shown("rnn", lambda K, x, o=options: K.rnn(_step(K), x, [K.zeros_like(x[:, 0])], **o), x)
        if "input_length" not in options:
            # 2.15 zeroes by the mask read forwards where it unrolls backwards: see DEVIATIONS.md
            for zero in (False,) if len(options) == 2 else (False, True):
                masked = {**options, "zero_output_for_mask": zero}
                yield shown(
                    "rnn", lambda K, x, m, o=masked: K.rnn(_step(K), x, [K.zeros_like(x[:, 0])], mask=m, **o), x, mask
                )
    constants = [np.float32(0.25), np.array([0.5, -0.5], "float32")]
    yield shown(
        "rnn",
        lambda K, x: K.rnn(_step(K), x, [K.zeros_like(x[:, 0])], constants=[K.constant(c) for c in constants]),
        x,
    )
    yield shown("rnn", lambda K, x: K.rnn(_step(K), x, [K.zeros_like(x[0])], time_major=True, go_backwards=True), x)

    def two(K: Any) -> Any:
        return lambda x, states: (x + states[0] - states[1], [x, states[0]])

    yield shown("rnn", lambda K, x: K.rnn(two(K), x, [K.zeros_like(x[:, 0]), K.ones_like(x[:, 0])]), x)
    pictures = draw.normal(2, 3, 2, 2, 1)
    yield shown("rnn", lambda K, x, m: K.rnn(_step(K), x, [K.zeros_like(x[:, 0])], mask=m), pictures, mask[:2, :3])
    yield shown("rnn", lambda K, x: K.rnn(lambda x, s: (x * 2, []), x, []), x)


def _as_integers(K: Any) -> Any:
    return lambda n: K.cast(n, "int32")


def _folds(draw: Draw) -> Iterator[Case]:
    x, integers = draw.normal(4, 3), draw.integers(4)
    for name in ("foldl", "foldr"):
        yield shown(name, lambda K, x, f=name: getattr(K, f)(lambda a, b: a * 0.5 + b, x), x)
        yield shown(name, lambda K, x, f=name: getattr(K, f)(lambda a, b: a - b, x, initializer=100), integers)
        yield shown(name, lambda K, x, f=name: getattr(K, f)(lambda a, b: a / 2 - b, x, K.ones((3,)), name="f"), x)
    yield shown("map_fn", lambda K, x: K.map_fn(lambda row: K.sum(row) * row, x), x)
    yield shown("map_fn", lambda K, x: K.map_fn(lambda n: n * 2, x, name="m"), integers)
    yield shown("map_fn", lambda K, x: K.map_fn(_as_integers(K), x, dtype="int32"), x)
    yield shown("map_fn", lambda K, x, y: K.map_fn(lambda p: p[0] * p[1], (x, y), dtype="float32"), x, -x)


def _choices(draw: Draw) -> Iterator[Case]:
    x, y, flags = draw.normal(3, 4), draw.normal(3, 4), draw.uniform(3, 4) > 0.5
    yield shown("switch", lambda K, c, a, b: K.switch(c, a, b), flags, x, y)
    yield shown(
        "switch", lambda K, c, a, b: K.switch(c, a, b), flags[:, :2], draw.normal(3, 2, 4), draw.normal(3, 2, 4)
    )
    yield shown("switch", lambda K, c, a, b: K.switch(c, lambda: a, lambda: b), flags, x, y)
    yield shown("switch", lambda K, a, b: K.switch(K.sum(a) > 0, a, b), x, y)
    yield shown("switch", lambda K, a, b: K.switch(K.sum(a) > 0, lambda: a * 2, lambda: b), x, y)
    yield shown("switch", lambda K, a, b: K.switch(K.sum(a) < 1e9, lambda: a * 2, lambda: b), x, y)
    yield shown("switch", lambda K, a: K.switch(K.greater(a, 0), a, K.zeros_like(a)), x)
    yield shown("switch", lambda K, a, b: K.switch(K.constant(1), a, b), x, y)
    yield shown("switch", lambda K, a: K.switch(K.constant(True), a, a * 3), x)
    for name in ("in_train_phase", "in_test_phase"):
        for training in (None, True, False, 1, 0):
            yield shown(name, lambda K, a, b, f=name, t=training: getattr(K, f)(a, b, training=t), x, y)
        yield shown(name, lambda K, a, b, f=name: getattr(K, f)(lambda: a + 1, lambda: b, True), x, y)


def _drawn(draw: Draw) -> Iterator[Case]:
    for name in "random_normal random_uniform truncated_normal random_bernoulli random_binomial".split():
        yield case(name, (2, 3), drawn=True)
        yield case(name, [4], dtype="float64", seed=3, drawn=True)
    yield case("random_normal", (2,), 1.0, 2.0, "float16", 5, drawn=True)
    yield case("truncated_normal", (2,), mean=1.0, stddev=2.0, drawn=True)
    yield case("random_uniform", (3,), 2, 9, "int32", drawn=True)
    yield case("random_bernoulli", (3,), 0.5, "float16", drawn=True)
    for name in ("random_normal_variable", "random_uniform_variable"):
        yield case(name, (2, 3), 0, 1, drawn=True)
        yield case(name, (2,), 0.5, 2.0, "float64", "v", 3, drawn=True)
    yield case("dropout", draw.normal(3, 4), 0.5, drawn=True)
    yield case("dropout", draw.normal(3, 4), 0.3, (3, 1), 7, drawn=True)
    yield case("dropout", draw.normal(3, 4).astype("float64"), level=0.3, noise_shape=None, drawn=True)
    for name in ("random_normal", "random_uniform"):
        yield shown(
            name,
            lambda K, x, f=name: x + getattr(K, f)((K.shape(x)[0], K.int_shape(x)[1])),
            draw.normal(3, 4),
            drawn=True,
        )
        yield shown(name, lambda K, x, f=name: x + getattr(K, f)(K.shape(x)), draw.normal(3, 4), drawn=True)


TABLES = (
    _shapes,
    _images,
    _convolutions,
    _lossy,
    _normalised,
    _sequences,
    _walks,
    _folds,
    _choices,
    _drawn,
)
