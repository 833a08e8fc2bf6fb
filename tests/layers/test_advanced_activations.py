"""Activations that are layers, against their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import activations, layers

X = np.array([[-2.0, -0.5, 0.0, 0.5, 1.0, 8.0]], dtype="float32")
EXPECTED: list[tuple[Any, Any]] = [
    (layers.LeakyReLU(), np.where(X > 0, X, 0.3 * X)),
    (layers.LeakyReLU(alpha=-1.0), np.abs(X)),
    (layers.ReLU(), np.maximum(X, 0)),
    (layers.ReLU(6.0), np.clip(X, 0, 6)),
    (layers.ReLU(6.0, 0.1, 0.75), np.where(X >= 6, 6, np.where(X > 0.75, X, 0.1 * (X - 0.75)))),
    (layers.ELU(0.5), np.where(X > 0, X, 0.5 * np.expm1(X))),
    (layers.ThresholdedReLU(0.5), np.where(X > 0.5, X, 0)),
    (layers.Softmax(), np.exp(X) / np.exp(X).sum()),
    (layers.PReLU(alpha_initializer="ones"), np.where(X > 0, X, X)),
]


@pytest.mark.parametrize(("layer", "expected"), EXPECTED, ids=lambda v: type(v).__name__)
def test_formula(layer: Any, expected: np.ndarray) -> None:
    np.testing.assert_allclose(layer(X).detach(), expected, rtol=1e-6, atol=1e-6)


def test_prelu_learns_its_slopes() -> None:
    layer = layers.PReLU(shared_axes=[1])
    x = torch.tensor([[[-1.0, 2.0], [-3.0, -4.0]]])
    layer(x).sum().backward()
    assert tuple(layer.alpha.shape) == (1, 2)
    assert layer.alpha.grad.tolist() == [[-4.0, -4.0]]


def test_prelu_needs_its_axes() -> None:
    with pytest.raises(ValueError, match=r"shared_axes=\[3\] must be axes of the input"):
        layers.PReLU(shared_axes=3)._build_from((None, 4, 2))
    with pytest.raises(ValueError, match="size of axis 1 of the input must be known"):
        layers.PReLU()._build_from((None, None, 2))
    layers.PReLU(shared_axes=[1])._build_from((None, None, 2))


def test_softmax_over_several_axes() -> None:
    y = layers.Softmax(axis=[1, 2])(torch.randn(2, 3, 4))
    torch.testing.assert_close(y.sum((1, 2)), torch.ones(2))


def test_softmax_of_the_last_axis_is_the_one_losses_know() -> None:
    assert layers.Softmax().activation is activations.softmax
    assert layers.Softmax(axis=1).activation is not activations.softmax


def test_softmax_takes_a_mask_of_single_numbers() -> None:
    x = torch.tensor([[1.0, 2.0, 1.0]])
    y = layers.Softmax()(x, mask=torch.tensor([[True, False, True]]))
    torch.testing.assert_close(y, torch.tensor([[0.5, 0.0, 0.5]]))
    steps = torch.ones(1, 2, dtype=torch.bool)
    torch.testing.assert_close(layers.Softmax()(x[None], mask=steps[:, :1]), torch.softmax(x[None], -1))


def test_softmax_takes_a_mask_that_broadcasts() -> None:
    x = torch.randn(2, 3, 4, 4)
    causal = torch.ones(1, 1, 4, 4).tril() > 0
    y = layers.Softmax()(x, mask=causal)
    torch.testing.assert_close(y, torch.softmax(x.masked_fill(~causal, -torch.inf), -1))


def test_softmax_of_nothing_that_counts_takes_all() -> None:
    """Keras adds −1e9 to what is left out, and gradients go through the sum."""
    x = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    y = layers.Softmax()(x, mask=torch.tensor([[False, False, False]]))
    (y * torch.tensor([[1.0, 2.0, 4.0]])).sum().backward()
    # In float32, −1e9 + 3 is −1e9: the three are equal.  The gradient is recorded from Keras 2.15.
    np.testing.assert_allclose(y.detach(), np.full((1, 3), 1 / 3), rtol=1e-6)
    np.testing.assert_allclose(x.grad, [[-0.4444445, -0.11111116, 0.5555555]], rtol=1e-6)


def test_a_masked_softmax_at_the_end_is_not_taken_for_the_plain_one() -> None:
    """A loss that is computed from the logits must meet those that the mask has changed."""
    keras.set_dialect("keras-2.15")
    x, keep = keras.Input((3,)), keras.Input((3,), dtype="bool")
    inner = keras.Model([x, keep], layers.Softmax()(x, mask=keep))
    model = keras.Model([x, keep], layers.Reshape((3,))(layers.Softmax()(x, mask=keep)))
    assert inner._final_activations() == [None]
    data = [np.random.RandomState(0).randn(4, 3).astype("float32"), np.array([[1, 0, 1], [1, 1, 0]] * 2, bool)]
    model.compile("sgd", "categorical_crossentropy")
    y = np.eye(3)[[0, 1, 2, 0]]
    p = model.predict(data, verbose=0)
    expected = -np.log(np.clip((p * y).sum(-1), 1e-7, 1)).mean()
    np.testing.assert_allclose(model.evaluate(data, y, verbose=0), expected, rtol=1e-5)


def test_a_mask_that_reaches_the_last_softmax_by_itself() -> None:
    """Scores of steps, of which those that a mask leaves out get no probability, in the loss as in predictions."""
    steps = keras.Input((3, 2))
    scores = layers.Dense(1, kernel_initializer="ones")(layers.Masking()(steps))
    scores = layers.Lambda(lambda t: t[..., 0], mask=lambda t, mask: mask)(scores)
    model = keras.Model(steps, layers.Softmax()(scores))
    x = np.random.RandomState(0).uniform(0.2, 1, (2, 3, 2)).astype("float32")
    x[0, 2] = 0
    p = model.predict(x, verbose=0)
    assert p[0, 2] == 0
    logits, _ = model._run_to_logits(torch.as_tensor(x), None, False)
    np.testing.assert_allclose(torch.softmax(logits, -1).detach(), p, rtol=1e-5)
