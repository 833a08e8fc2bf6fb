"""Losses fused with the last activation: the values and gradients of Keras 2.15, and where nothing is fused."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch

from torchkeras_compat import losses
from torchkeras_compat._core import dialects

TF = dialects.TF_KERAS.rules
CLASSIC = dialects.KERAS_2_3.rules
GENERATOR = torch.Generator().manual_seed(3)
LOGITS = torch.randn(6, 4, generator=GENERATOR)
SOFT = torch.rand(6, 4, generator=GENERATOR)
ONE_HOT = torch.eye(4)[[0, 3, 1, 2, 2, 0]]
INDEX = torch.tensor([0, 3, 1, 2, 2, 0])

MATCHING: list[tuple[Any, str, torch.Tensor]] = [
    ("categorical_crossentropy", "softmax", ONE_HOT),
    (losses.CategoricalCrossentropy(label_smoothing=0.2), "softmax", ONE_HOT),
    ("sparse_categorical_crossentropy", "softmax", INDEX),
    (losses.SparseCategoricalCrossentropy(), "softmax", INDEX[:, None].float()),
    (losses.SparseCategoricalCrossentropy(ignore_class=2), "softmax", INDEX),
    ("binary_crossentropy", "sigmoid", SOFT),
    (losses.BinaryCrossentropy(label_smoothing=0.1), "sigmoid", ONE_HOT),
    (functools.partial(losses.binary_crossentropy, label_smoothing=0.3), "sigmoid", ONE_HOT),
    (losses.BinaryFocalCrossentropy(gamma=1.0), "sigmoid", ONE_HOT),
    (losses.CategoricalFocalCrossentropy(), "softmax", ONE_HOT),
]


@pytest.mark.parametrize(("loss", "activation", "y"), MATCHING)
def test_values_and_gradients_are_those_of_the_probabilities(loss: Any, activation: str, y: torch.Tensor) -> None:
    activate = {"softmax": lambda z: torch.softmax(z, -1), "sigmoid": torch.sigmoid}[activation]
    plain = losses.resolve(loss)
    assert plain.per_sample is not None
    one, two, three = (LOGITS.clone().requires_grad_() for _ in range(3))
    expected = plain.per_sample(y, activate(one))
    fused, mean = losses.fused(loss, activation), losses.fused_mean(loss, activation)
    assert fused is not None
    assert mean is not None
    values = fused(y, two)
    torch.testing.assert_close(values, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(mean(y, three), expected.mean(), atol=1e-5, rtol=1e-5)
    for result in (expected.mean(), values.mean(), mean(y, three)):
        result.backward()
    torch.testing.assert_close(two.grad, one.grad, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(three.grad, one.grad, atol=1e-5, rtol=1e-5)


def test_labels_that_do_not_sum_to_one_have_tensorflows_gradient() -> None:
    # Measured on Keras 2.15: the value uses the labels as they are, the gradient is softmax - labels all the same.
    z = LOGITS.clone().requires_grad_()
    value = losses.fused_mean("categorical_crossentropy", "softmax")(SOFT, z)  # type: ignore[misc]
    torch.testing.assert_close(value, -(SOFT * torch.log_softmax(LOGITS, -1)).sum(-1).mean())
    value.backward()
    torch.testing.assert_close(z.grad, (torch.softmax(LOGITS, -1) - SOFT) / 6)
    each = LOGITS.clone().requires_grad_()
    losses.categorical_crossentropy(SOFT, each, from_logits=True).sum().backward()
    torch.testing.assert_close(each.grad, torch.softmax(LOGITS, -1) - SOFT)


def test_second_derivative() -> None:
    z = torch.randn(3, 4, dtype=torch.float64, generator=GENERATOR).requires_grad_()
    y = torch.eye(4, dtype=torch.float64)[:3]
    mean = losses.fused_mean("categorical_crossentropy", "softmax")
    assert mean is not None
    torch.autograd.gradgradcheck(lambda t: mean(y, t), (z,))


def test_extreme_logits_stay_exact() -> None:
    z = torch.tensor([[200.0, -200.0]])
    fused = losses.fused("categorical_crossentropy", "softmax")
    assert fused is not None
    torch.testing.assert_close(fused(torch.tensor([[0.0, 1.0]]), z), torch.tensor([400.0]))


def test_column_and_vector_targets() -> None:
    fused = losses.fused_mean("binary_crossentropy", "sigmoid")
    assert fused is not None
    z, y = LOGITS[:, :1], torch.tensor([0, 1, 1, 0, 1, 0])
    torch.testing.assert_close(fused(y, z), fused(y[:, None], z))


ACROSS = [
    ("binary_crossentropy", "softmax", SOFT, lambda: losses.binary_crossentropy(SOFT, LOGITS, from_logits=True)),
    (
        "categorical_crossentropy",
        "sigmoid",
        SOFT,
        lambda: losses.categorical_crossentropy(SOFT, LOGITS, from_logits=True),
    ),
    (
        "sparse_categorical_crossentropy",
        "sigmoid",
        INDEX,
        lambda: losses.sparse_categorical_crossentropy(INDEX, LOGITS, from_logits=True),
    ),
]


@pytest.mark.parametrize(("loss", "activation", "y", "expected"), ACROSS)
def test_tf_keras_takes_the_logits_of_the_other_activation_too(
    loss: str, activation: str, y: torch.Tensor, expected: Any
) -> None:
    # Measured on Keras 2.15: the last activation's logits are used whichever of the two it is.
    fused = losses.fused(loss, activation, TF)
    assert fused is not None
    torch.testing.assert_close(fused(y, LOGITS), expected())
    assert losses.fused(loss, activation, CLASSIC) is None


NOT_FUSED: list[tuple[Any, Any]] = [
    ("mse", "softmax"),
    ("categorical_crossentropy", "linear"),
    ("categorical_crossentropy", None),
    (losses.CategoricalCrossentropy(from_logits=True), "softmax"),
    (losses.CategoricalCrossentropy(axis=1), "softmax"),
    (losses.BinaryFocalCrossentropy(), "softmax"),  # the classic rules
    (lambda y, p: (y - p).sum(), "softmax"),
    (torch.nn.CrossEntropyLoss(), "softmax"),
]


@pytest.mark.parametrize(("loss", "activation"), NOT_FUSED)
def test_what_is_not_fused(loss: Any, activation: Any) -> None:
    for function in (losses.fused, losses.fused_mean):
        assert function(loss, activation, CLASSIC) is None


def test_focal_loss_after_a_softmax_takes_its_factor_from_the_probabilities() -> None:
    # Measured on Keras 2.15: the cross-entropy inside is of the logits, the factor of the softmax.
    p = torch.softmax(LOGITS, -1)
    likelihood = ONE_HOT * p + (1 - ONE_HOT) * (1 - p)
    inner = torch.nn.functional.binary_cross_entropy_with_logits(LOGITS, ONE_HOT, reduction="none")
    fused = losses.fused("binary_focal_crossentropy", "softmax", TF)
    assert fused is not None
    torch.testing.assert_close(fused(ONE_HOT, LOGITS), ((1 - likelihood) ** 2 * inner).mean(-1))


def test_up_to_2_2_nothing_is_fused() -> None:
    rules = dialects.KERAS_2_2.rules
    assert losses.fused("categorical_crossentropy", "softmax", rules) is None
    with dialects.using("keras-2.2"):
        loss = losses.CategoricalCrossentropy()
    assert losses.fused(loss, "softmax") is None


def test_other_reductions_have_no_mean() -> None:
    for reduction in ("sum", "none"):
        loss = losses.CategoricalCrossentropy(reduction=reduction)
        assert losses.fused_mean(loss, "softmax") is None
        assert losses.fused(loss, "softmax") is not None


def test_from_logits_after_a_softmax_warns_in_tf_keras() -> None:
    loss = losses.CategoricalCrossentropy(from_logits=True)
    with pytest.warns(UserWarning, match="ends in a softmax"):
        fused = losses.fused(loss, "softmax", TF)
    assert fused is not None
    torch.testing.assert_close(fused(ONE_HOT, LOGITS), loss.call(ONE_HOT, LOGITS))


def test_the_method_of_the_class() -> None:
    loss = losses.BinaryCrossentropy()
    torch.testing.assert_close(loss.fused(SOFT, LOGITS), losses.fused(loss, "sigmoid")(SOFT, LOGITS))  # type: ignore[misc]
    assert losses.Huber().fused(SOFT, LOGITS) is None


def test_a_users_override_is_not_fused() -> None:
    class Mine(losses.BinaryCrossentropy):
        def call(self, y_true: Any, y_pred: Any) -> torch.Tensor:
            return super().call(y_true, y_pred) * 2

    assert losses.fused(Mine(), "sigmoid") is None
