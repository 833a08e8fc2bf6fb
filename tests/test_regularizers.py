"""Regularizers: penalties, gradients, names and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import regularizers

W = torch.tensor([[1.0, -2.0, 0.0], [0.5, 3.0, -1.0]])


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (regularizers.L1(), 0.075),
        (regularizers.l1(0.2), 1.5),
        (regularizers.L2(), 0.1525),
        (regularizers.l2(0.2), 3.05),
        (regularizers.L1L2(), 0),
        (regularizers.L1L2(0.2, 0.1), 3.025),
        (regularizers.L1L2(l1=0.2), 1.5),
        (regularizers.l1_l2(), 0.2275),
        (regularizers.l1_l2(l1=0.2, l2=0.2), 4.55),
        (regularizers.get("l1_l2"), 0.2275),
        (regularizers.get("l1l2"), 0.2275),
        (regularizers.get("L1L2"), 0),
        (regularizers.get("l1"), 0.075),
        (regularizers.get("l2"), 0.1525),
        (regularizers.L1L2(None, 0.1), 1.525),
    ],
)
def test_penalties(regularizer: regularizers.Regularizer, expected: float) -> None:
    value = regularizer(W)
    assert value.ndim == 0
    assert value.item() == pytest.approx(expected, rel=1e-6)


def test_gradient() -> None:
    w = W.clone().requires_grad_()
    regularizers.L1L2(0.5, 0.25)(w).backward()
    torch.testing.assert_close(w.grad, 0.5 * W.sign() + 0.5 * W)


def _orthogonal(w: np.ndarray, factor: float) -> float:
    rows = w / np.linalg.norm(w, axis=1, keepdims=True)
    cosines = np.abs(rows @ rows.T)
    pairs = len(w) * (len(w) - 1) / 2
    return float(factor * (cosines.sum() - np.trace(cosines)) / 2 / pairs)


def test_orthogonal() -> None:
    for mode, w in (("rows", W[:, :2]), ("columns", W[:, :2].T)):
        value = regularizers.OrthogonalRegularizer(0.3, mode)(w if mode == "rows" else w.contiguous())
        assert value.item() == pytest.approx(_orthogonal(W[:, :2].numpy(), 0.3), rel=1e-5)
    assert regularizers.OrthogonalRegularizer()(torch.ones(1, 3)).item() == 0
    with pytest.raises(ValueError, match="a matrix"):
        regularizers.OrthogonalRegularizer()(torch.ones(2, 2, 2))


@pytest.mark.parametrize(
    "regularizer",
    [
        regularizers.L1(0.3),
        regularizers.L2(0.3),
        regularizers.L1L2(0.1, 0.2),
        regularizers.OrthogonalRegularizer(0.3, "columns"),
    ],
)
def test_round_trip(regularizer: regularizers.Regularizer) -> None:
    again = regularizers.deserialize(regularizers.serialize(regularizer))
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()
    assert again(W).item() == regularizer(W).item()


def test_get() -> None:
    assert regularizers.get(None) is None
    function = regularizers.get(lambda w: w.sum())
    assert function(W).item() == 1.5
    assert isinstance(regularizers.get(regularizers.L2), regularizers.L2)
    with pytest.raises(ValueError, match="unknown regularizer 'l3'"):
        regularizers.get("l3")


@pytest.mark.parametrize("value", ["a", float("nan"), float("inf"), True, [1.0]])
@pytest.mark.parametrize("cls", [regularizers.L1, regularizers.L2, regularizers.L1L2])
def test_refusals(cls: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"must be a (finite )?number"):
        cls(value)


def test_other_refusals() -> None:
    with pytest.raises(ValueError, match="mode must be one of"):
        regularizers.OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(TypeError, match="unknown argument"):
        regularizers.L1L2(l3=1)
    with pytest.raises(NotImplementedError, match="must define __call__"):
        regularizers.Regularizer()(W)
