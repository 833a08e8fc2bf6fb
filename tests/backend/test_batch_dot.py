"""`K.batch_dot` of more than three axes, which Keras 2.3 gave another meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K


def by_matmul(x: Any, y: Any, axes: Any) -> Any:
    """What `keras/backend/tensorflow_backend.py` of Keras 2.2.4 computes, in numpy."""
    a, b = (axes, axes) if isinstance(axes, int) else (x.ndim - 1, y.ndim - 2) if axes is None else axes
    missing = x.ndim - y.ndim
    left, right = x.reshape(x.shape + (1,) * -missing), y.reshape(y.shape + (1,) * missing)
    last = max(x.ndim, y.ndim) - 1
    product = np.matmul(left if a == last else left.swapaxes(-1, -2), right.swapaxes(-1, -2) if b == last else right)
    if missing:
        first = x.ndim + y.ndim - 3 if missing > 0 else x.ndim - 1
        product = np.squeeze(product, tuple(range(first, first + abs(missing))))
    return product[:, None] if product.ndim == 1 else product


CASES = [
    ((2, 4, 5, 3), (2, 4, 5, 3), [3, 3]),
    ((2, 4, 5, 3), (2, 4, 3, 6), [3, 2]),
    ((2, 4, 5, 3), (2, 4, 3, 6), None),
    ((2, 4, 3, 5), (2, 4, 3, 6), [2, 2]),
    ((2, 4, 5, 6, 3), (2, 4, 5, 6, 3), 4),
    ((2, 5, 3), (2, 5, 3, 4), [2, 2]),
]


@pytest.mark.parametrize("dialect", ["keras-1", "keras-2.2"])
@pytest.mark.parametrize(("of_x", "of_y", "axes"), CASES)
def test_up_to_2_2_it_is_a_product_of_matrices(of_x: Any, of_y: Any, axes: Any, dialect: str) -> None:
    keras.set_dialect(dialect)
    random = np.random.RandomState(0)
    x, y = random.rand(*of_x).astype("float32"), random.rand(*of_y).astype("float32")
    expected = by_matmul(x, y, axes)
    np.testing.assert_allclose(K.eval(K.batch_dot(K.constant(x), K.constant(y), axes)), expected, rtol=1e-5)
    a, b = keras.Input(of_x[1:]), keras.Input(of_y[1:])
    product = keras.layers.Lambda(lambda pair: K.batch_dot(*pair, axes=axes))([a, b])
    assert tuple(product.shape) == (None, *expected.shape[1:])
    np.testing.assert_allclose(keras.Model([a, b], product).predict([x, y]), expected, rtol=1e-5)


@pytest.mark.parametrize("dialect", ["keras-2.3", "tf.keras", "keras-2.15"])
def test_from_2_3_on_each_axis_meets_each(dialect: str) -> None:
    keras.set_dialect(dialect)
    x = K.constant(np.random.RandomState(0).rand(2, 4, 5, 3))
    assert tuple(K.batch_dot(x, x, [3, 3]).shape) == (2, 4, 5, 4, 5)


@pytest.mark.parametrize("axes", [None, 1, 2, [1, 2]])
def test_of_three_axes_both_are_one(axes: Any) -> None:
    random = np.random.RandomState(1)
    x, y = (random.rand(2, 3, 3).astype("float32") for _ in range(2))
    keras.set_dialect("keras-2.2")
    np.testing.assert_allclose(
        K.eval(K.batch_dot(K.constant(x), K.constant(y), axes)), by_matmul(x, y, axes), rtol=1e-5
    )
