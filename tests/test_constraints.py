"""Constraints: values, axes, names and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import constraints

RNG = np.random.RandomState(0)
MATRIX = torch.tensor(RNG.normal(size=(5, 4)).astype("float32"))
KERNEL = torch.tensor(RNG.normal(size=(3, 3, 2, 4)).astype("float32"))


def _norms(w: torch.Tensor, axis: Any) -> np.ndarray:
    return np.sqrt((w.numpy() ** 2).sum(axis=tuple(np.atleast_1d(axis))))


@pytest.mark.parametrize(("w", "axis"), [(MATRIX, 0), (MATRIX, 1), (KERNEL, [0, 1, 2]), (KERNEL, (0, 1)), (MATRIX, -1)])
def test_norms(w: torch.Tensor, axis: Any) -> None:
    norms = _norms(w, axis)
    bounded = constraints.MaxNorm(1.2, axis=axis)(w)
    np.testing.assert_allclose(_norms(bounded, axis), np.minimum(norms, 1.2), rtol=1e-5)
    np.testing.assert_allclose(_norms(constraints.UnitNorm(axis=axis)(w), axis), np.ones_like(norms), rtol=1e-5)
    between = constraints.MinMaxNorm(2.0, 2.5, rate=0.4, axis=axis)(w)
    np.testing.assert_allclose(_norms(between, axis), 0.4 * np.clip(norms, 2, 2.5) + 0.6 * norms, rtol=1e-5)
    assert bounded.shape == w.shape


def test_zero_weights_stay() -> None:
    for constraint in (constraints.MaxNorm(), constraints.UnitNorm(), constraints.MinMaxNorm(1.0, 2.0)):
        assert constraint(torch.zeros(3, 2)).tolist() == [[0, 0]] * 3


def test_non_neg() -> None:
    assert constraints.NonNeg()(torch.tensor([-1.0, 0.0, 2.0])).tolist() == [0, 0, 2]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
def test_radial(size: int) -> None:
    w = torch.arange(float(size * size * 6)).reshape(size, size, 2, 3)
    result = constraints.RadialConstraint()(w)
    start, odd = size // 2, size % 2
    inner = w[max(start - 1, 0), max(start - 1, 0)]
    expected = np.broadcast_to(inner, (2 - odd, 2 - odd, 2, 3))
    for i in range(1 - odd, start):  # Keras's own way: one ring after the other around the centre
        ring = np.broadcast_to(w[start + i, start + i], (expected.shape[0] + 2, expected.shape[0] + 2, 2, 3)).copy()
        ring[1:-1, 1:-1] = expected
        expected = ring
    np.testing.assert_array_equal(result, expected)


def test_radial_needs_a_square_window() -> None:
    for shape in ((3, 3, 2), (3, 4, 1, 1)):
        with pytest.raises(ValueError, match="size, size"):
            constraints.RadialConstraint()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("names", "cls"),
    [
        ("max_norm maxnorm MaxNorm", constraints.MaxNorm),
        ("min_max_norm MinMaxNorm minmaxnorm", constraints.MinMaxNorm),
        ("non_neg nonneg NonNeg", constraints.NonNeg),
        ("unit_norm unitnorm UnitNorm", constraints.UnitNorm),
        ("radial_constraint RadialConstraint", constraints.RadialConstraint),
    ],
)
def test_names(names: str, cls: type) -> None:
    for name in names.split():
        assert type(constraints.get(name)) is cls
        assert getattr(constraints, name, cls) is cls


def test_get() -> None:
    assert constraints.get(None) is None
    assert constraints.get(torch.relu) is torch.relu
    assert constraints.Constraint()(MATRIX) is MATRIX
    with pytest.raises(ValueError, match="did you mean"):
        constraints.get("max_nrm")


@pytest.mark.parametrize(
    "constraint",
    [
        constraints.MaxNorm(3, axis=[0, 1]),
        constraints.MinMaxNorm(0.5, 2.0, 0.7, 1),
        constraints.UnitNorm(1),
        constraints.NonNeg(),
        constraints.RadialConstraint(),
    ],
)
def test_round_trip(constraint: constraints.Constraint) -> None:
    config = constraints.serialize(constraint)
    again = constraints.deserialize(config)
    assert type(again) is type(constraint)
    assert constraints.serialize(again) == config


@pytest.mark.parametrize("axis", [None, "0", 0.5, [], [0, None]])
def test_refusals(axis: Any) -> None:
    with pytest.raises(TypeError, match="axis must be"):
        constraints.MaxNorm(axis=axis)
    with pytest.raises(TypeError, match="max_value must be a number"):
        constraints.MaxNorm("2")
