"""Gradients exactly at a bound, a tie and a kink, against Keras 2.15 on TensorFlow 2.15.1; they hold with any torch.

Each row: the function, its arguments, the value (`None`: tested elsewhere) and the gradients of the value's sum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import activations, constraints, layers, losses
from torchkeras_compat import backend as K
from torchkeras_compat._core import bounds

NAN = math.nan
X = [-3, -1, 0, 2, 5]
STEPS = [-1, 0, 1, 3, 6, 7]

FUNCTIONS: list[tuple[str, Any, list[Any], Any, list[Any]]] = [
    ("clip", lambda x: K.clip(x, -1, 2), [[*X, NAN]], [-1, -1, 0, 2, 2, NAN], [[0, 1, 1, 1, 0, 0]]),
    ("clip below", lambda x: K.clip(x, -1, None), [X], [-1, -1, 0, 2, 5], [[0, 1, 1, 1, 1]]),
    ("clip above", lambda x: K.clip(x, None, 2), [X], [-3, -1, 0, 2, 2], [[1, 1, 1, 1, 0]]),
    ("clip turned", lambda x: K.clip(x, 2, -1), [X], [2] * 5, [[0, 0, 0, 1, 0]]),
    ("clip to one", lambda x: K.clip(x, 2, 2), [X], [2] * 5, [[0, 0, 0, 1, 0]]),
    ("clip by tensors", K.clip, [X, [-1] * 5, [2] * 5], None, [[0, 1, 1, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]),
    ("clip by scalars", K.clip, [X, -1, 2], None, [[0, 1, 1, 1, 0], 1, 1]),
    ("clip by turned", K.clip, [X, 2, -1], [2] * 5, [[0] * 5, 5, 0]),
    ("clip by arrays", lambda x: K.clip(x, np.float32(-1), np.full(5, 2.0)), [X], None, [[0, 1, 1, 1, 0]]),
    ("maximum", K.maximum, [[0, 1, 2, NAN, 1], [1, 1, 1, 1, NAN]], None, [[0, 1, 1, 0, 0], [1, 0, 0, 1, 1]]),
    ("minimum", K.minimum, [[0, 1, 2, NAN, 1], [1, 1, 1, 1, NAN]], None, [[1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]),
    ("maximum of 0 and x", lambda x: K.maximum(0.0, x), [[-1, 0, 2]], [0, 0, 2], [[0, 0, 1]]),
    ("maximum of x and 0", lambda x: K.maximum(x, 0.0), [[-1, 0, 2]], [0, 0, 2], [[0, 1, 1]]),
    ("maximum of rows", K.maximum, [[[0, 1, 2], [1, 1, 1]], [1]], None, [[[0, 1, 1], [1, 1, 1]], [1]]),
    ("max", K.max, [[0, 1, 1]], 1, [[0, 0.5, 0.5]]),
    ("sqrt", K.sqrt, [[-1, 0, 4]], [0, 0, 2], [[0, math.inf, 0.25]]),
    ("hard_sigmoid", K.hard_sigmoid, [[-3, -2.5, 0, 2.5, 3]], [0, 0, 0.5, 1, 1], [[0, 0.2, 0.2, 0.2, 0]]),
    ("relu", K.relu, [STEPS], None, [[0, 0, 1, 1, 1, 1]]),
    ("relu up to 6", lambda x: K.relu(x, max_value=6), [STEPS], [0, 0, 1, 3, 6, 6], [[0, 0, 1, 1, 0, 0]]),
    ("relu up to 3", lambda x: K.relu(x, max_value=3), [STEPS], None, [[0, 0, 1, 1, 0, 0]]),
    ("leaky up to 6", lambda x: K.relu(x, 0.1, 6), [STEPS], [-0.1, 0, 1, 3, 6, 6], [[0.1, 0, 1, 1, 0, 0]]),
    ("leaky up to 3", lambda x: K.relu(x, 0.1, 3), [STEPS], None, [[0.1, 0, 1, 1, 0, 0]]),
    ("relu from 1", lambda x: K.relu(x, threshold=1), [STEPS], None, [[0, 0, 0, 1, 1, 1]]),
    ("relu from 1 to 6", lambda x: K.relu(x, 0.0, 6, 1), [STEPS], None, [[0, 0, 0, 1, 1, 0]]),
    ("leaky from 1 to 3", lambda x: K.relu(x, 0.1, 3, 1), [STEPS], None, [[0.1, 0.1, 0, 1, 0, 0]]),
    ("leaky", lambda x: K.relu(x, 0.1), [STEPS], None, [[0.1, 0.1, 1, 1, 1, 1]]),
    ("elu", lambda x: K.elu(x, 0.5), [[-1, 0, 1]], None, [[0.18393972, 0.5, 1]]),
    ("selu", activations.selu, [[-1, 0, 1]], None, [[0.64676857, 1.050701, 1.050701]]),
    ("ThresholdedReLU", layers.ThresholdedReLU(1.0), [[0, 1, 2]], None, [[0, 0, 1]]),
    ("ReLU", layers.ReLU(6.0), [STEPS], None, [[0, 0, 1, 1, 0, 0]]),
    ("l2_normalize", lambda x: K.l2_normalize(x, -1), [[1e-6, 0]], [1, 0], [[0, 1e6]]),
    ("NonNeg", constraints.NonNeg(), [[-1, 0, 1]], [0, 0, 1], [[0, 1, 1]]),
]

HALF = [[0.0, 1.0, 1.0, 0.0]]
EDGE = [[0.0, 1.0, 1e-7, 1 - 1e-7]]
LOSSES: list[tuple[str, Any, Any, list[Any]]] = [
    ("binary_crossentropy", HALF, EDGE, [[0, 0, -1250000, 1140462.6]]),
    ("binary_focal_crossentropy", HALF, EDGE, [[0, 0, -1250007.5, 1140470]]),
    ("kl_divergence", HALF, EDGE, [[0, -1, -1e7, -1e-7]]),
    ("mean_squared_logarithmic_error", HALF, EDGE, [[0, 0, -0.3465735, 0.17328677]]),
    ("hinge", HALF, EDGE, [[0.25, -0.25, -0.25, 0.25]]),
    ("hinge", [[1.0, -1.0]], [[1.0, -1.0]], [[-0.5, 0.5]]),
    ("squared_hinge", [[1.0, -1.0]], [[1.0, -1.0]], [[0, 0]]),
    ("categorical_hinge", [[1.0, 0.0]], [[1.0, 0.0]], [[-1, 0.5]]),
    ("categorical_hinge", [[1.0, 0.0, 0.0]], [[1.0, 0.0, -1.0]], [[-1, 0.5, 0]]),
    ("mean_absolute_percentage_error", [[1.0, 1e-7, -1e-7]], [[1.0, 2.0, 3.0]], [[0, 333333312, 333333312]]),
    (
        "categorical_crossentropy",
        [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]],
        [[1.0, 0.0, 0.0], [1 - 1e-7, 1e-7, 0.0]],
        [[0, 0, 0], [1, -9999999, 1]],
    ),
    ("sparse_categorical_crossentropy", [1, 2], [[1.0, 0.0, 0.0], [1 - 1e-7, 1e-7, 0.0]], [[0, 0, 0], [1, 1, 0]]),
]


def leaf(values: Any) -> torch.Tensor:
    return torch.tensor(np.array(values, "float32"), requires_grad=True)


@pytest.mark.parametrize(
    ("function", "inputs", "value", "gradients"), [f[1:] for f in FUNCTIONS], ids=[f[0] for f in FUNCTIONS]
)
def test_functions(function: Any, inputs: list[Any], value: Any, gradients: list[Any]) -> None:
    leaves = [leaf(x) for x in inputs]
    y = function(*leaves)
    if value is not None:
        np.testing.assert_allclose(y.detach(), value, rtol=1e-6)
    found = torch.autograd.grad(y.sum(), leaves)
    for one, expected in zip(found, gradients):
        np.testing.assert_allclose(one, expected, rtol=1e-5, atol=1e-6)
    with torch.no_grad():  # inference takes torch's kernels and gives the same values
        np.testing.assert_array_equal(function(*leaves), y.detach())


@pytest.mark.parametrize(("name", "y_true", "y_pred", "gradient"), LOSSES)
def test_losses(name: str, y_true: Any, y_pred: Any, gradient: Any) -> None:
    y_pred = leaf(y_pred)
    (found,) = torch.autograd.grad(losses.get(name)(torch.tensor(y_true), y_pred).sum(), y_pred)
    np.testing.assert_allclose(found, gradient, rtol=2e-4, atol=1e-6)


def test_a_clip_can_be_derived_twice_and_traced() -> None:
    x = leaf([-2.0, -1.0, 0.5, 1.0, 3.0])
    (first,) = torch.autograd.grad((bounds.clip(x, -1, 1) ** 3).sum(), x, create_graph=True)
    np.testing.assert_allclose(torch.autograd.grad(first.sum(), x)[0], [0, -6, 3, 6, 0])
    per_sample = torch.func.vmap(torch.func.grad(lambda v: bounds.clip(v, -1.0, 1.0)))(x.detach())
    np.testing.assert_array_equal(per_sample, [0, 1, 1, 1, 0])


# Kernels, recurrent kernels and biases that put many arguments exactly on ±2.5; in each case: class, arguments, the
# outputs for two sequences of two steps, and the gradients of kernel, recurrent kernel and bias.
RECURRENT: list[tuple[str, dict[str, Any], list[float], list[list[float]]]] = [
    (
        "SimpleRNN",
        {"activation": "hard_sigmoid"},
        [1.0, 1.0, 1.0, 1.0, 0.5, 1.0, 0.0, 1.0],
        [[-0.6, 0.4], [1.3, 0.0, 2.0, 0.0], [3.2, 0.4]],
    ),
    (
        "LSTM",
        {"recurrent_activation": "hard_sigmoid"},
        [-0.75591, 0.0, -0.96096, 0.0, -0.46208, 0.0, -0.0, -0.64202],
        [
            [1.161, 0.0, 0.0, 0.0, 0.0302, -1.975, 0.0, 1.77],
            [0.6508, 0.0, 0.0, 0.0, -0.0097, -0.9126, 0.0, 0.1076, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [-2.296, 0.0, 0.0, 0.0, 0.0306, 9.677, 0.0, -0.2849],
        ],
    ),
    (
        "LSTM",
        {"recurrent_activation": "hard_sigmoid", "activation": "hard_sigmoid"},
        [0.5, 0.0, 0.5, 0.0, 0.5, 0.3, 0.5, 0.66],
        [
            [0.0, 0.0, 0.0, 0.0, 0.16, -0.32, 0.0, -0.288],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.16, 0.0, 0.784, 0.0, 0.0, 0.0, 0.0, 0.0, 0.096, 0.0, 0.3168],
            [0.0, 0.0, 0.0, 0.0, 0.16, 0.76, 0.0, 2.544],
        ],
    ),
    (
        "LSTM",
        {"recurrent_activation": "sigmoid", "activation": "hard_sigmoid"},
        [0.49972, 0.04774, 0.49978, 0.04837, 0.49665, 0.29967, 0.46538, 0.60551],
        [
            [0.0, 0.0039, 0.0, -0.0271, 0.1426, -0.278, -0.2246, -0.1004],
            [
                0.0,
                0.0013,
                0.0,
                0.0153,
                0.0,
                0.1525,
                0.1123,
                0.2719,
                0.0,
                0.0002,
                0.0,
                0.0088,
                0.0,
                0.0891,
                0.0676,
                0.1187,
            ],
            [0.0, 0.011, 0.0, 0.0308, 0.1426, 0.712, 0.2435, 1.519],
        ],
    ),
    (
        "GRU",
        {"recurrent_activation": "hard_sigmoid", "reset_after": False},
        [0.0, 0.0, 0.0, 0.0, -0.49995, 0.0, -1.0, 0.0],
        [
            [0.6211, -1.568, 0.0, 0.0, 0.0, 0.0],
            [-0.35, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [3.021, -1.568, 0.0, 0.0, 0.0005, 0.0],
        ],
    ),
    (
        "GRU",
        {"recurrent_activation": "hard_sigmoid", "reset_after": True},
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [
            [-1.4, -1.523, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [1.4, -1.523, 0.0, 0.0, 0.0, 0.0, 1.4, -1.523, 0.0, 0.0, 0.0, 0.0],
        ],
    ),
    (
        "GRU",
        {"recurrent_activation": "sigmoid", "activation": "hard_sigmoid", "reset_after": False},
        [0.0, 0.0531, 0.0, 0.10219, 0.0, 0.00335, 0.0, 0.00351],
        [
            [0.0, -0.4598, 0.0, 0.0001, 0.1, 0.1462],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.0096, 0.0, 0.0, 0.0001, 0.0002],
            [0.0, -0.5089, 0.0, 0.0001, 0.1, 0.1668],
        ],
    ),
    (
        "GRU",
        {"recurrent_activation": "sigmoid", "activation": "hard_sigmoid", "reset_after": True},
        [0.0, 0.05313, 0.0, 0.10222, 0.0, 0.00339, 0.0, 0.00362],
        [
            [0.0, -0.4593, 0.0, -0.0002, 0.0008, 0.1462],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.0096, 0.0, 0.0, 0.0, 0.0],
            [0.0, -0.5101, 0.0, 0.0013, 0.0008, 0.1667, 0.0, -0.5101, 0.0, 0.0013, 0.0007, 0.0003],
        ],
    ),
]


@pytest.mark.parametrize(("kind", "arguments", "outputs", "gradients"), RECURRENT)
def test_recurrent_layers(kind: str, arguments: dict[str, Any], outputs: Any, gradients: Any) -> None:
    layer = getattr(layers, kind)(2, return_sequences=True, **arguments)
    layer.build((None, 2, 1))
    kernel, recurrent, bias = layer.get_weights()
    layer.set_weights(
        [
            np.resize([2.5, -2.5, 3, -3, 2.5, 1.0], kernel.shape),
            np.resize([0, 0.5, 0, 0, -0.5], recurrent.shape),
            np.resize([0, 5.0, 0, 0, -5], bias.shape),
        ]
    )
    y = layer(torch.tensor([[[1.0], [1.0]], [[0.0], [-1.0]]]))
    np.testing.assert_allclose(y.detach().flatten(), outputs, atol=2e-5)
    (y * torch.arange(1, 9).reshape(2, 2, 2)).sum().backward()
    # Moving each weight by its own gradient shows the gradients in Keras's layout, whatever the parameters' is.
    before = layer.get_weights()
    with torch.no_grad():
        for parameter in layer.parameters():
            if parameter.grad is not None:
                parameter += parameter.grad
    for after, start, expected in zip(layer.get_weights(), before, gradients):
        np.testing.assert_allclose((after - start).flatten(), expected, rtol=1e-3, atol=2e-4)
