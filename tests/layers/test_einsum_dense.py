"""Equations of EinsumDense: what they promise of samples, and what is refused once the input is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L


@pytest.mark.parametrize(
    ("equation", "sizes", "shape", "apart"),
    [
        ("ab,bc->ac", 4, (5, 3), True),
        ("...b,bc->...c", 4, (5, 3), True),
        ("...ab,bc->...ac", (2, 4), (5, 2, 3), True),
        ("...ab,bc->...ca", (5,), (5, 3), False),  # the ellipsis stands for nothing, and `a` moves
        ("aab,bc->ac", 4, (3, 3, 5), False),  # a diagonal
        ("ab,ac->bc", 4, (3, 3), False),  # a sum over the samples
    ],
)
def test_samples_stay_apart_only_where_the_equation_says_so(
    equation: str, sizes: Any, shape: tuple[int, ...], apart: bool
) -> None:
    layer = L.EinsumDense(equation, sizes, dtype="float64")
    x = torch.randn(*shape, dtype=torch.float64)
    layer._build_from(shape)
    assert layer._traits.row_wise is apart
    if apart:
        torch.testing.assert_close(layer(x)[:2], layer(x[:2]))


def test_a_size_that_is_two_sizes_is_refused() -> None:
    layer = L.EinsumDense("abc,cd->abd", (7, 3))
    with pytest.raises(ValueError, match=r"'b' of 'abc,cd->abd' is 4 in the input of shape \(None, 4, 5\) and 7 by"):
        layer(np.zeros((2, 4, 5)))
    with pytest.raises(ValueError, match="must have 3 axes"):
        layer(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="has not one size for each letter"):
        L.EinsumDense("...ax,xy->...ay", 3)(np.zeros((2, 3, 5)))


def test_an_unknown_size_of_a_weight_is_refused() -> None:
    layer = L.EinsumDense("abc,cd->abd", (None, 3), bias_axes="bd")
    with pytest.raises(ValueError, match="the size of 'b' in 'abc,cd->abd' must be known"):
        layer(keras.Input((None, 5)))


def test_axes_under_the_ellipsis_keep_their_order() -> None:
    layer = L.EinsumDense("...x,xy->...y", 4)
    assert layer(np.zeros((2, 6, 5, 3))).shape == layer.compute_output_shape((2, 6, 5, 3)) == (2, 6, 5, 4)


def test_a_penalty_on_the_output_counts() -> None:
    """Keras 2.15 takes the argument and passes over it; here it is what it is for every other layer."""
    model = keras.Sequential([L.EinsumDense("ab,bc->ac", 2, activity_regularizer=keras.regularizers.L2(0.5))])
    x = np.random.RandomState(0).normal(size=(3, 4)).astype("float32")
    model.build((None, 4))
    model.compile("sgd", "mse")
    y = x @ model.get_weights()[0]
    assert model.evaluate(x, y, verbose=0) == pytest.approx(0.5 * (y**2).sum(), rel=1e-5)
