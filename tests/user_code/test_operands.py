"""Operators and indices of the tensors that users see: what numpy computes, in the tensor's type."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K

A = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]], "float32")
OTHERS: dict[str, Any] = {
    "0-d": np.array(2.0),
    "float64": np.array([1.0, 2.0, 3.0]),
    "int": np.array([1, 2, 3]),
    "column": np.array([[1], [2]]),
    "bool": np.array([True, False, True]),
    "uint8": np.array([1, 2, 3], "uint8"),
    "float16": np.array([1, 2, 3], "float16"),
    "list": [1, 2, 3],
    "nested": [[1.0, 2, 3], [4, 5, 6]],
    "tuple": (1.0, 2.0, 3.0),
    "np.float32": np.float32(2),
    "np.float64": np.float64(2),
    "np.int64": np.int64(2),
    "number": 2.5,
    "True": True,
}
ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
COMPARISONS = ("lt", "le", "gt", "ge")
KINDS: dict[str, Callable[[], Any]] = {
    "tensor": lambda: K.constant(A),
    "variable": lambda: K.variable(A),
    "expression": lambda: K.variable(A) * 1.0,
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("kind", KINDS)
def test_operands_on_either_side(kind: str, other: str) -> None:
    value = OTHERS[other]
    array = np.asarray(value).astype("float32")
    for name in (*ARITHMETIC, *COMPARISONS):
        function = getattr(operator, name)
        with np.errstate(all="ignore"):
            pairs = [
                (function(KINDS[kind](), value), function(A, array)),
                (function(value, KINDS[kind]()), function(array, A)),
            ]
        for computed, expected in pairs:
            assert not isinstance(computed, np.ndarray), name
            np.testing.assert_allclose(computed.numpy(), expected, rtol=1e-6, err_msg=name)
            assert computed.numpy().dtype == expected.dtype


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("kind", KINDS)
def test_augmented_assignment_rebinds(kind: str, other: str) -> None:
    value = OTHERS[other]
    array = np.asarray(value).astype("float32")
    for name in ARITHMETIC:
        before = after = KINDS[kind]()
        with np.errstate(all="ignore"):
            after = getattr(operator, f"i{name}")(after, value)
            expected = getattr(operator, name)(A, array)
        np.testing.assert_allclose(after.numpy(), expected, rtol=1e-6, err_msg=name)
        assert np.array_equal(before.numpy(), A)


def test_an_array_that_meets_a_tensor_gives_its_name_a_tensor() -> None:
    before = after = np.ones((2, 3), "float32")
    after *= K.constant(A)
    assert (before == 1).all()
    assert np.array_equal(after.numpy(), A)


def test_indices_are_those_of_numpy() -> None:
    values = np.arange(120.0).reshape(2, 3, 4, 5).astype("float32")
    parts = [slice(None), slice(None, None, -1), slice(2, None, -1), slice(None, 0, -2), slice(-1, -3, -1), 0, -1]
    parts += [slice(1, None), None, Ellipsis, slice(0, 0, -1), slice(5, 1, -1)]
    mask = np.array([[True, False, True], [False, True, False]])
    keys: list[Any] = [*itertools.product(parts, repeat=1), *itertools.product(parts, repeat=2)]
    keys += list(itertools.product(parts, repeat=3))[::7]
    keys += [(mask, slice(None, None, -1)), (mask, Ellipsis, slice(None, None, -1)), ([1, 0], slice(None, None, -1))]
    keys += [(slice(None, None, -1), np.array([0, 2])), (np.int64(1), slice(None, None, np.int64(-1))), mask]
    for key in keys:
        if isinstance(key, tuple) and sum(part is Ellipsis for part in key) > 1:
            continue
        expected = values[key]
        for x in (K.constant(values), K.variable(values)):
            assert np.array_equal(x[key].numpy(), expected), key


def test_a_floor_division_leaves_the_rest_of_a_loss_to_train() -> None:
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,), kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.5), lambda t, p: K.mean(p + p // 2.0 - t * (3.0 // (p + 9.0)), axis=-1))
    x = np.array([[1.0, 3.0], [2.0, 5.0]], "float32")
    model.fit(x, np.zeros((2, 1)), verbose=0)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], 1 - 0.5 * x.mean(0), rtol=1e-6)


ARRAYS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], Callable[..., Any]]] = {
    "sigmoid": (keras.activations.sigmoid, (), lambda x: 1 / (1 + np.exp(-x))),
    "tanh": (keras.activations.tanh, (), np.tanh),
    "relu": (keras.activations.relu, (), lambda x: np.maximum(x, 0)),
    "linear": (keras.activations.linear, (), lambda x: x),
    "softplus": (keras.activations.softplus, (), lambda x: np.log1p(np.exp(x))),
    "K.exp": (K.exp, (), np.exp),
    "K.square": (K.square, (), np.square),
    "K.maximum": (K.maximum, (0.5,), lambda x, y: np.maximum(x, y)),
    "K.mean": (K.mean, (-1,), lambda x, axis: x.mean(axis)),
    "K.dot": (K.dot, (np.ones((3, 2)),), np.dot),
    "K.transpose": (K.transpose, (), np.transpose),
    "l2": (keras.regularizers.l2(0.1), (), lambda x: 0.1 * (x**2).sum()),
    "NonNeg": (keras.constraints.NonNeg(), (), lambda x: x * (x >= 0)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ARRAYS)
def test_functions_of_arrays_keep_their_type(name: str, dtype: str) -> None:
    function, rest, expected = ARRAYS[name]
    x = A.astype(dtype)
    rest = tuple(r.astype(dtype) if isinstance(r, np.ndarray) else r for r in rest)
    computed = function(x, *rest)
    assert computed.numpy().dtype == dtype
    np.testing.assert_allclose(computed.numpy(), expected(x, *rest), rtol=1e-6 if dtype == "float32" else 1e-12)
    computed.detach()[...] = 7.0
    assert np.array_equal(x, A.astype(dtype))
    if dtype == "float32":
        assert function(x.tolist(), *rest).numpy().dtype == "float32"


def test_an_array_beside_a_tensor_takes_its_type() -> None:
    x = K.constant(A)
    for y in (K.maximum(x, A.astype("float64")), K.dot(x, np.ones((3, 2))), K.concatenate([x, np.ones((2, 1))])):
        assert K.dtype(y) == "float32"


@pytest.mark.parametrize("function", [K.zeros, K.ones])
def test_shapes_of_variables_may_be_one_number(function: Callable[..., Any]) -> None:
    assert function(3).shape == (3,)
    assert function(K.shape(K.constant(A))).shape == (2, 3)
    assert K.random_uniform_variable(2, 0, 1).shape == (2,)
