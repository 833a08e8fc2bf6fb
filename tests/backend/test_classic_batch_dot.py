"""`K.batch_dot` up to Keras 2.2.4, in its dialect and that of Keras 1, against numpy's definition of it."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
import torchkeras_compat.backend as K
from torchkeras_compat._core import dialects

from ..reference import classic

Shape = tuple[int, ...]
CASES: list[tuple[Shape, Shape, Any]] = [
    ((3, 4), (3, 4), (1, 1)),
    ((3, 4), (3, 4), (0, 0)),
    ((3, 3), (3, 3), None),
    ((3, 1), (3, 4), (1, 1)),
    ((2, 3, 4), (2, 4, 5), None),
    ((2, 3, 4), (2, 5, 4), (2, 2)),
    ((2, 3, 4), (2, 3, 5), (1, 1)),
    ((2, 3, 4), (2, 3, 4), (-1, -1)),
    ((2, 4, 5, 3), (2, 4, 5, 3), (3, 3)),
    ((2, 4, 5, 3), (2, 4, 3, 6), None),
    ((2, 4, 3, 5), (2, 4, 3, 6), (2, 2)),
    ((2, 1, 5, 3), (2, 4, 3, 6), None),
    ((2, 2, 4, 5, 3), (2, 2, 4, 6, 3), (4, 4)),
    ((2, 3, 4), (2, 4), None),
    ((2, 3, 4), (2, 4), (2, 1)),
    ((2, 3, 4), (2, 3), (1, 1)),
    ((2, 4), (2, 3, 4), (1, 2)),
    ((2, 4), (2, 4, 3), (1, 1)),
    ((2, 6, 4), (2, 6, 4, 3), (2, 2)),
]


@pytest.fixture(params=["keras-2.2", "keras-1"])
def old(request: pytest.FixtureRequest) -> str:
    keras.set_dialect(request.param)
    return str(request.param)


def pair(x: Shape, y: Shape) -> list[Any]:
    random = np.random.RandomState(3)
    return [random.randn(*x).astype("float32"), random.randn(*y).astype("float32")]


@pytest.mark.parametrize(("x", "y", "axes"), CASES)
def test_numbers(old: str, x: Shape, y: Shape, axes: Any) -> None:
    values = pair(x, y)
    expected = classic.batch_dot(*values, axes)
    eager = K.batch_dot(*map(K.constant, values), axes=axes)
    np.testing.assert_allclose(K.eval(eager), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("x", "y", "axes"), [case for case in CASES if case[2] != (0, 0) and case[0] != (3, 3)])
def test_symbols(old: str, x: Shape, y: Shape, axes: Any) -> None:
    values = pair(x, y)
    expected = classic.batch_dot(*values, axes)
    symbols = [K.placeholder((None, *shape[1:])) for shape in (x, y)]
    product = K.batch_dot(*symbols, axes=axes)
    assert K.int_shape(product) == (None, *expected.shape[1:])
    np.testing.assert_allclose(K.function(symbols, [product])(values)[0], expected, rtol=1e-5, atol=1e-6)


def test_one_axis_of_both(old: str) -> None:
    values = pair((2, 4, 5, 3), (2, 4, 5, 3))
    assert K.int_shape(K.batch_dot(*map(K.constant, values), axes=3)) == (2, 4, 5, 5)


WRONG: list[tuple[Shape, Shape, Any, str]] = [
    ((3, 4), (3, 4), None, "of two matrices the same axis is summed over, write axes=1"),
    ((2, 3, 4), (2, 5, 4), None, "matrices of the last two axes are multiplied"),
    ((2, 4, 5, 3), (2, 6, 5, 3), (3, 3), r"set_dialect\('keras-2.3'\) has the product over all other axes"),
    ((2, 3, 4, 5), (2, 3, 5), (3, 2), "it has no product for these ranks"),
]


@pytest.mark.parametrize(("x", "y", "axes", "said"), WRONG)
def test_what_keras_could_not_compute(old: str, x: Shape, y: Shape, axes: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        K.batch_dot(*pair(x, y), axes=axes)
    with pytest.raises(ValueError, match="None, an integer or two of them"):
        K.batch_dot(*pair((2, 3, 4), (2, 3, 4)), axes=[1, [2]])


def test_a_graph_keeps_the_meaning_it_was_made_with() -> None:
    with dialects.using("keras-2.2"):
        symbols = [K.placeholder((None, 4, 5, 3)) for _ in range(2)]
        product = K.batch_dot(*symbols, axes=[3, 3])
    values = pair((2, 4, 5, 3), (2, 4, 5, 3))
    (result,) = K.function(symbols, [product])(values)
    np.testing.assert_allclose(result, classic.batch_dot(*values, (3, 3)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dialect", ["keras-2.2", "keras-2.3"])
def test_a_model_of_a_file_keeps_it_too(dialect: str) -> None:
    values = pair((2, 4, 5, 3), (2, 4, 5, 3))
    keras.set_dialect(dialect)
    inputs = [keras.layers.Input((4, 5, 3)) for _ in range(2)]
    model = keras.models.Model(inputs, K.batch_dot(*inputs, axes=[3, 3]))
    expected, text = model.predict(values), model.to_json()
    keras.set_dialect({"keras-2.2": "keras-2.3", "keras-2.3": "keras-2.2"}[dialect])
    for again in (keras.models.model_from_json(text), pickle.loads(pickle.dumps(model))):
        assert again.output_shape == model.output_shape == (None, *expected.shape[1:])
        np.testing.assert_allclose(again.predict(values), expected, rtol=1e-5, atol=1e-6)
