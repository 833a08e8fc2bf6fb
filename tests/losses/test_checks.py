"""Targets looked at on the host, before the device sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import losses
from torchkeras_compat.losses.checks import TargetWarning, check_targets

SPARSE = "sparse_categorical_crossentropy"


@pytest.mark.parametrize(
    ("loss", "shape", "output", "expected"),
    [
        ("mse", (5,), (None, 1), (5, 1)),
        ("mse", (5, 1), (None, 1), (5, 1)),
        ("mse", (5, 1), (None,), (5,)),
        ("mse", (5, 7), (None, 7, 1), (5, 7, 1)),
        ("mse", (5, 7, 3), (None, None, 3), (5, 7, 3)),
        (SPARSE, (5,), (None, 4), (5,)),
        (SPARSE, (5, 1), (None, 4), (5,)),
        (SPARSE, (5, 7, 1), (None, 7, 4), (5, 7)),
        (SPARSE, (5, 1), (None, 1, 4), (5, 1)),
        ("categorical_crossentropy", (5, 4), (None, 4), (5, 4)),
        ("binary_crossentropy", (5,), (None, 1), (5, 1)),
        (lambda y, p: y, (5,), (None, 3), (5, 1)),
        (torch.nn.CrossEntropyLoss(), (5, 1), (None, 4), (5,)),
    ],
)
def test_shapes_are_aligned(loss: Any, shape: Any, output: Any, expected: Any) -> None:
    assert check_targets(loss, np.zeros(shape, "float32"), output, "dense").shape == expected


@pytest.mark.parametrize(
    ("loss", "y", "output", "message"),
    [
        (SPARSE, np.array([0, 1, 10]), (None, 10), r"class index 10 \(target 2\) is out of range; .*0 … 9"),
        (SPARSE, np.array([0, -1]), (None, 10), r"class index -1 \(target 1\) is out of range"),
        (SPARSE, np.array([[0, 4]]), (None, 2, 4), r"class index 4 \(target \(0, 1\)\)"),
        (SPARSE, np.array([0.0, np.nan]), (None, 4), "class index nan"),
        (SPARSE, np.eye(4), (None, 4), "one-hot rows of shape .*categorical_crossentropy"),
        (SPARSE, np.zeros((3, 5)), (None, 4), r"must have shape \(None,\) or \(None, 1\); got \(None, 5\)"),
        (
            "categorical_crossentropy",
            np.array([0, 1]),
            (None, 4),
            r"sparse_categorical_crossentropy.*to_categorical\(y, 4\)",
        ),
        ("categorical_crossentropy", np.array([[0], [1]]), (None, 4), "sparse_categorical_crossentropy"),
        ("categorical_crossentropy", np.zeros((3, 5)), (None, 4), r"must have shape \(None, 4\); got \(None, 5\)"),
        ("binary_crossentropy", np.zeros((3, 1)), (None, 2), r"must have shape \(None, 2\); got \(None, 1\)"),
        ("mse", np.zeros((3, 5)), (None, 4), r"must have shape \(None, 4\); got \(None, 5\)"),
        ("mse", np.zeros((3, 4, 1)), (None, 5), "must have shape"),
        (torch.nn.CrossEntropyLoss(), np.array([0, 4]), (None, 4), "class index 4"),
        (losses.SparseCategoricalCrossentropy(ignore_class=255), np.array([255, 7]), (None, 4), "class index 7"),
    ],
)
def test_errors_name_what_is_wrong(loss: Any, y: Any, output: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        check_targets(loss, y, output, "scores")
    assert "'scores'" in str(error.value)


@pytest.mark.parametrize(
    ("loss", "y", "output", "message"),
    [
        ("binary_crossentropy", np.array([0, 2]), (None, 1), "from 0 to 2"),
        ("categorical_crossentropy", np.array([[0.0, -1.0]]), (None, 2), "expected between 0 and 1"),
        ("categorical_crossentropy", np.zeros((2, 1)), (None, 1), "binary_crossentropy"),
        (SPARSE, np.array([0.5, 1.0]), (None, 3), "rounded towards zero"),
        ("mse", np.zeros((3, 1)), (None, 4), "broadcast"),
    ],
)
def test_what_keras_trains_on_is_a_warning(loss: Any, y: Any, output: Any, message: str) -> None:
    with pytest.warns(TargetWarning, match=message):
        check_targets(loss, y, output, "dense")


def test_targets_that_are_right() -> None:
    check_targets("hinge", np.array([-1, 1]), (None, 1), "dense")
    check_targets("categorical_crossentropy", np.array([[0.3, 0.9]]), (None, 2), "dense")
    check_targets(losses.SparseCategoricalCrossentropy(ignore_class=-1), np.array([-1, 3]), (None, 4), "dense")
    check_targets(torch.nn.CrossEntropyLoss(), np.array([-100, 3]), (None, 4), "dense")
    check_targets(SPARSE, np.array([], "int64"), (None, 4), "dense")
