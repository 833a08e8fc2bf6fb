"""Functions element by element, reductions and products away from their defaults: other types, axes and shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .common import Case, Draw, case, shown

MATHEMATICS = "exp log sin cos sqrt tanh sigmoid softplus softsign elu".split()
COMPARISONS = "equal not_equal greater greater_equal less less_equal maximum minimum".split()


def _other_types(draw: Draw) -> Iterator[Case]:
    integers, double = draw.integers(3, 4), draw.uniform(3, 4).astype("float64")
    half = draw.uniform(2, 3).astype("float16")
    for name in MATHEMATICS:
        yield case(name, double)
        yield case(name, half)
    for name in ("abs", "square", "sign", "relu", "round"):
        yield case(name, integers)
        yield case(name, double)
        yield case(name, integers.astype("int64"))
    yield case("hard_sigmoid", double)
    yield case("hard_sigmoid", np.array([-3, -2.5, 0, 2.5, 3], "float32"))
    yield case("sqrt", np.array([-4, -0.0, 0, 1e-20, 4], "float32"))
    yield case("log", np.array([0, 1, 2.5], "float32"))
    yield case("sign", np.array([0, -0.0, -2.5, 3], "float32"))
    yield case("round", np.array([2.5, -2.5, -1.5, 1e9], "float64"))
    yield case("softmax", double, axis=0)
    yield case("softmax", draw.normal(2, 3, 4), axis=-2)
    yield case("softplus", np.array([-100, -20, 0, 20, 100], "float32"))
    yield case("elu", np.array([-2, 0, 2], "float64"), alpha=0.3)


def _bounds(draw: Draw) -> Iterator[Case]:
    x, integers = draw.normal(3, 4) * 2, draw.integers(3, 4)
    yield case("relu", x, 0.2)
    yield case("relu", x, max_value=1.5)
    yield case("relu", x, max_value=6.0)
    yield case("relu", x, 0.1, 2.0, -0.5)
    yield case("relu", x, alpha=0.3, threshold=1)
    yield case("relu", x, max_value=0)
    yield case("relu", integers, max_value=3)
    yield case("clip", x, None, 0.5)
    yield case("clip", x, -0.5, None)
    yield case("clip", x, 0, 1)
    yield case("clip", x, np.array([-1, -0.5, 0, 0.5], "float32"), 1.0)
    yield case("clip", x, -1.0, np.array([[0.5], [1], [2]], "float32"))
    yield case("clip", integers, -2, 3)
    yield case("clip", x.astype("float64"), -0.5, 0.25)
    yield case("pow", x, 2)
    yield case("pow", integers, 2)
    yield case("pow", np.abs(x), -0.5)
    yield case("pow", np.abs(x).astype("float64"), 3)
    yield case("pow", np.abs(x), np.array([1, 2, 0.5, 0], "float32"))
    yield case("pow", np.array([-2.0, 0.5, 3.0], "float32"), 0)


def _broadcast(draw: Draw) -> Iterator[Case]:
    x, row, column = draw.integers(3, 4), draw.integers(4), draw.integers(3, 1)
    for name in COMPARISONS:
        yield case(name, x, row, batches=1)
        yield case(name, x, column)
        yield case(name, x, 2)
        yield case(name, x.astype("float64"), 1)
    yield case("maximum", 0.0, draw.normal(2, 3))
    yield case("equal", np.array([True, False]), np.array([True, True]))


def _numbers_and_lists(draw: Draw) -> Iterator[Case]:
    for name in ("abs", "square", "sign"):
        yield case(name, -3)
        yield case(name, [-3, 2])
        yield case(name, [[-3.5, 2.0]])
    for name in ("sum", "prod", "max", "min", "cumsum", "cumprod", "argmax"):
        yield case(name, [4, 7, 2])
        yield case(name, [4.0, 7.0, 2.5])
    for name in ("sum", "prod", "max", "min", "mean", "var", "std"):
        yield shown(name, lambda K, name=name: getattr(K, name)(K.constant(2.5)))
    for name in ("exp", "log", "sin", "cos"):
        yield case(name, 2.0)
        yield case(name, [1.0, 2.0])
    yield case("maximum", 2.0, 3.0)
    yield case("minimum", [1, 5], [3, 2])
    yield case("equal", [1, 5], [1, 2])
    yield case("stack", [1, 2])
    yield case("stack", [[1.0, 2.0], [3.0, 4.0]], axis=-1)
    yield case("stack", [2.5, 3.5])
    yield case("cast", [1, 0], "float32")
    yield case("cast", 3.7, "int32")
    yield case("constant", [1, 2])
    yield case("constant", [[1, 2], [3, 4]], dtype="int64")
    yield case("constant", [1, 2, 3, 4], shape=(2, 2))
    yield case("expand_dims", [1, 2])
    yield case("reshape", [1, 2, 3, 4], [2, 2])
    yield case("ones_like", [1, 2])
    yield case("zeros_like", [1.0, 2.0], dtype="int32")
    yield case("one_hot", [0, 2], 3)
    yield case("repeat_elements", draw.integers(2, 2), 3, 0)
    yield case("dot", draw.normal(2, 3), draw.normal(3, 1))


def _axes(draw: Draw) -> Iterator[Case]:
    cube, integers, flags = draw.normal(2, 3, 4), draw.integers(2, 3, 4), draw.uniform(2, 3, 4) > 0.5
    for name in "mean sum prod max min var std".split():
        yield case(name, cube, axis=(1, 2))
        yield case(name, cube, axis=[-1, -2])
        yield case(name, cube, axis=[0, 2], keepdims=True)
        yield case(name, cube, keepdims=True)
        yield case(name, cube, -2, True)
        yield case(name, cube.astype("float64"), axis=1)
        yield case(name, cube, axis=[])
    for name in "mean sum prod max min".split():
        yield case(name, integers, axis=-1)
        yield case(name, integers)
        yield case(name, integers.astype("int64"), axis=0, keepdims=True)
    for name in ("any", "all"):
        yield case(name, flags, axis=-1)
        yield case(name, flags, axis=[0, 2])
        yield case(name, flags, keepdims=True)
        yield case(name, integers, axis=1)
        yield case(name, integers)
    yield case("mean", flags, axis=1)
    yield case("mean", flags, axis=-1, keepdims=True)
    yield case("var", flags, axis=0)
    yield case("std", flags)
    for name in ("argmax", "argmin"):
        for axis in (0, 1, -1, -2):
            yield case(name, cube, axis=axis)
        yield case(name, integers)
        yield case(name, cube.astype("float64"))
        yield case(name, cube[0, 0])
    for name in ("cumsum", "cumprod"):
        for axis in (0, 2, -1):
            yield case(name, cube, axis=axis)
        yield case(name, integers, axis=-2)
    yield case("l2_normalize", cube, axis=0)
    yield case("l2_normalize", cube, axis=[1, 2])
    yield case("l2_normalize", cube.astype("float64"), axis=(0, -1))


def _products(draw: Draw) -> Iterator[Case]:
    n, i = draw.normal, draw.integers
    yield case("dot", n(2, 3).astype("float64"), n(3, 4).astype("float64"))
    yield case("dot", n(2, 3, 4), n(4, 1))
    yield case("dot", n(2, 5, 3, 4), n(2, 4, 3))
    yield case("dot", i(2, 3), i(3, 2))
    shapes = [
        ((2, 3, 4), (2, 3, 4), 2),
        ((2, 3, 4), (2, 5, 4), (-1, -1)),
        ((2, 3, 4), (2, 4, 5), (2, 1)),
        ((2, 3, 4), (2, 3), 1),
        ((2, 3, 4), (2, 3), (1, 1)),
        ((2, 4), (2, 4, 5), None),
        ((2, 4), (2, 4, 5), (1, 1)),
        ((2, 4), (2, 5, 4), (1, 2)),
        ((2, 3, 4, 5), (2, 5), (3, 1)),
        ((2, 3, 4, 5), (2, 3, 5, 6), None),
        ((2, 3, 4, 5), (2, 6, 4, 7), (2, 2)),
        ((2, 3, 4, 5), (2, 3, 4, 5), (1, 1)),
        ((2, 3, 4, 5), (2, 6, 4, 5), [3, 3]),
        ((2, 3), (2, 4, 3, 5), (1, 2)),
        ((1, 3, 4), (1, 4, 2), None),
        ((2, 1), (2, 1), None),
    ]
    for x, y, axes in shapes:
        yield case("batch_dot", n(*x), n(*y), axes=axes)
    yield case("batch_dot", n(2, 3).astype("float64"), n(2, 3).astype("float64"), 1)


def _made(draw: Draw) -> Iterator[Case]:
    yield case("arange", 3.0)
    yield case("arange", 0.0, 1.0, 0.25)
    yield case("arange", 0, 1, 0.25, "float32")
    yield case("arange", 5, 0, -2)
    yield case("arange", -3)
    yield case("arange", -3, 3)
    yield case("arange", 4, dtype="int64")
    yield case("arange", 1, 4, dtype="float64")
    for name in ("zeros", "ones"):
        yield case(name, (2, 3), "int32")
        yield case(name, [2], dtype="float64", name="w")
        yield case(name, (2, 0))
        yield case(name, ())
        yield case(name, 3)
    yield case("zeros", (2,), "bool")
    yield case("eye", 2, "int32")
    yield case("eye", size=3, dtype="float64", name="w")
    for name in ("zeros_like", "ones_like"):
        yield case(name, draw.integers(2, 3))
        yield case(name, draw.normal(2, 3), "int32")
        yield case(name, draw.integers(2, 3), dtype="float64", name="w")
        yield case(name, draw.uniform(2) > 0.5)
    yield case("constant", 1.5, "float64", (2, 2), "c")
    yield case("constant", True, dtype="bool")
    for dtype in ("float16", "float64", "int64", "uint8", "bool", "int8"):
        yield case("cast", draw.uniform(2, 3) * 9, dtype)
    yield case("cast", np.array([True, False]), "float32")
    yield case("cast", draw.integers(2), np.float32)
    yield case("cast_to_floatx", [1, 2])
    yield case("cast_to_floatx", np.array([1.5], "float64"))
    yield case("cast_to_floatx", draw.integers(2, 3))
    for value in (3, [1, 2], [[1.5]], np.array([1, 2], "int64"), np.array([1.5], "float64")):
        yield shown("variable", lambda K, value=value: K.variable(value))
    yield shown("variable", lambda K: K.variable([1, 2], dtype="int32", name="v"))
    yield shown("variable", lambda K: K.variable(2.5, "float64", constraint=abs))


def _variables(draw: Draw) -> Iterator[Case]:
    start, new = np.array([1.0, 2.0], "float32"), draw.normal(2)
    for name in ("update", "update_add", "update_sub"):
        yield shown(name, lambda K, name=name: getattr(K, name)(K.variable(start), new))
        yield shown(name, lambda K, name=name: getattr(K, name)(K.variable(3, "int32"), 2))
    yield shown("moving_average_update", lambda K: K.moving_average_update(K.variable(start), new, momentum=0.5))

    def after(change: str) -> Case:
        def compute(K: Any) -> Any:
            first, second = K.variable(start), K.variable([[1, 2]], dtype="int32")
            value = np.array([[7, 8]])
            if change == "set_value":
                K.set_value(first, new)
                K.set_value(second, value)
            else:
                K.batch_set_value([(first, new.tolist()), (second, value)])
            return [first, second]

        return shown(change, compute)

    yield after("set_value")
    yield after("batch_set_value")

    def assigned(K: Any, change: str) -> Any:
        scalar = K.variable(1.0, "float64")
        if change == "set_value":
            K.set_value(scalar, 3)
        else:
            K.batch_set_value([(scalar, np.float32(4.5))])
            K.batch_set_value([])
        return scalar

    for change in ("set_value", "batch_set_value"):
        yield shown(change, lambda K, change=change: assigned(K, change))
    yield shown("get_value", lambda K: [K.get_value(K.variable(start)), K.get_value(K.variable(2, "int32"))])
    yield shown("get_value", lambda K: K.get_value(K.constant([[1.5]])))
    yield shown("batch_get_value", lambda K: K.batch_get_value([K.variable(start), K.ones((1,), "int32")]))
    yield shown("batch_get_value", lambda K: K.batch_get_value([K.constant(2.0)]))
    yield shown("eval", lambda K: K.eval(K.variable(start) * 2))
    yield shown("eval", lambda K: K.eval(K.sum(K.constant([[1.0, 2.0]]))))
    yield shown("count_params", lambda K: K.count_params(K.zeros((2, 3))))
    yield shown("count_params", lambda K: K.count_params(K.variable([2.0])))
    yield case("stop_gradient", draw.normal(2))
    yield shown("stop_gradient", lambda K, a, b: list(K.stop_gradient([a, b])), draw.normal(2), draw.integers(2))
    yield case("print_tensor", draw.normal(2, 3), "x")
    yield case("print_tensor", draw.integers(5), message="x", summarize=-1)
    yield case("to_dense", draw.normal(2, 3))
    yield shown("to_dense", lambda K: K.to_dense(K.constant([1, 2])))
    for kind in ("is_sparse", "is_keras_tensor"):
        yield shown(kind, lambda K, kind=kind: getattr(K, kind)(K.constant(1.0)))
        yield shown(kind, lambda K, kind=kind: getattr(K, kind)(K.placeholder((2, 3))))
    for kind in ("ndim", "dtype", "int_shape", "shape"):
        yield shown(kind, lambda K, kind=kind: getattr(K, kind)(K.zeros((2, 3))))
        yield shown(kind, lambda K, kind=kind: getattr(K, kind)(K.constant([1], dtype="int64")))
    yield case("shape", draw.normal(2, 3))
    yield shown("shape", lambda K, x: K.shape(x)[0] * 2, draw.normal(2, 3))
    yield shown("shape", lambda K, x: K.prod(K.cast(K.shape(x), "float32")), draw.normal(2, 3, 4))
    yield shown("shape", lambda K, x: K.reshape(x, (K.shape(x)[0], 6)), draw.normal(4, 2, 3))
    yield shown("shape", lambda K, x: K.concatenate([K.shape(x)[:1], [5]], axis=0), draw.normal(4, 2, 3))
    yield shown("shape", lambda K, x: x / K.cast(K.shape(x)[1], "float32"), draw.normal(4, 2, 3))


TABLES = (_other_types, _bounds, _broadcast, _numbers_and_lists, _axes, _products, _made, _variables)
