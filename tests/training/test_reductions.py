"""`Loss(reduction=…)` in `compile`: what is minimised and what logs tell, numbers of Keras 2.15.

Under `'none'` the sum is minimised and the mean is shown; the mean of an epoch takes each value for a row, so that a
batch counts by its rows times its values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import callbacks, layers, losses, optimizers

X = np.array([[1.0, 2], [0, 1], [3, -1], [2, 2], [-1, 1], [0.5, 0.5]], "float32")
Y = np.array([[1.0], [0], [2], [1], [-1], [3]], "float32")
XT = np.arange(1, 25).reshape(6, 4, 1).astype("float32") / 10
XT[0, 2:] = 0
XT[3, 1:] = 0
XT[5] = 0
YT = (np.arange(24).reshape(6, 4, 1) % 3).astype("float32")
W = np.array([1, 2, 0, 0.5, 1, 3], "float32")
WT = (np.arange(24).reshape(6, 4) % 4).astype("float32")

# Reduction, model, weights of samples (`'1d'`: a sequence's own), call, numbers; of `fit`: loss, val_loss, weights.
CALLS: list[tuple[str, str, Any, str, list[float]]] = [
    ("none", "flat", False, "fit", [0.9448601, 0.7677209, 0.7796836, 0.7159858, 0.6203332, -0.1350897, 0.23168]),
    ("none", "flat", False, "evaluate", [0.9853125]),
    ("none", "flat", False, "tob", [1.473021, 0.1777623]),
    ("none", "flat", False, "test", [1.473021]),
    ("none", "flat", True, "fit", [2.404765, 1.904952, 1.906013, 1.676816, 0.7022022, -0.06057625, 0.4183522]),
    ("none", "flat", True, "evaluate", [2.509438]),
    ("none", "flat", True, "tob", [4.026563, 0.07248903]),
    ("none", "flat", True, "test", [4.026563]),
    ("none", "seq", False, "fit", [0.5055847, 0.4709526, 0.4633356, 0.448741, 0.5249577, 0.2234513]),
    ("none", "seq", False, "evaluate", [0.499625]),
    ("none", "seq", False, "tob", [0.4604167, 0.4334537]),
    ("none", "seq", False, "test", [0.4604167]),
    ("none", "seq", True, "fit", [0.6335891, 0.6001146, 0.5517171, 0.5354346, 0.4566591, 0.2167105]),
    ("none", "seq", True, "evaluate", [0.5823749]),
    ("none", "seq", True, "tob", [0.5527083, 0.4179379]),
    ("none", "seq", True, "test", [0.5527083]),
    ("none", "seq", "1d", "fit", [0.4482635, 0.4130586, 0.4067957, 0.3885377, 0.5071462, 0.2371427]),
    ("none", "seq", "1d", "evaluate", [0.4435625]),
    ("none", "seq", "1d", "tob", [0.4136979, 0.4360643]),
    ("none", "seq", "1d", "test", [0.4136979]),
    ("none", "seqnomask", False, "fit", [1.075227, 0.8814189, 0.8890737, 0.8117674, 0.4686777, 0.4718533]),
    ("none", "seqnomask", False, "evaluate", [1.103125]),
    ("none", "seqnomask", False, "tob", [1.130833, 0.7047571]),
    ("none", "seqnomask", False, "test", [1.130833]),
    ("none", "seqnomask", True, "fit", [1.647077, 1.257966, 1.244974, 1.126521, 0.3437715, 0.5765194]),
    ("none", "seqnomask", True, "evaluate", [1.659375]),
    ("none", "seqnomask", True, "tob", [1.709792, 0.6386176]),
    ("none", "seqnomask", True, "test", [1.709792]),
    ("none", "seqnomask", "1d", "fit", [1.243055, 0.9157518, 0.9352148, 0.8293748, 0.4344822, 0.6659458]),
    ("none", "seqnomask", "1d", "evaluate", [1.338313]),
    ("none", "seqnomask", "1d", "tob", [1.661823, 0.635238]),
    ("none", "seqnomask", "1d", "test", [1.661823]),
    (
        "none",
        "softmax",
        False,
        "fit",
        [
            1.138038,
            1.070705,
            1.068139,
            1.009013,
            0.4327169,
            -0.2197811,
            0.1370642,
            0.1730864,
            0.3573347,
            -0.4304211,
            0.07926817,
            0.02224705,
            -0.1015152,
        ],
    ),
    ("none", "softmax", False, "evaluate", [1.135425]),
    ("none", "softmax", False, "tob", [1.058462, 0.9980159]),
    ("none", "softmax", False, "test", [1.058462]),
    (
        "none",
        "softmax",
        True,
        "fit",
        [
            1.05361,
            1.040517,
            1.038242,
            1.025639,
            0.4948751,
            -0.238047,
            0.09317193,
            0.1959372,
            0.3269418,
            -0.4228789,
            0.1312256,
            -0.004267326,
            -0.1269583,
        ],
    ),
    ("none", "softmax", True, "evaluate", [1.05137]),
    ("none", "softmax", True, "tob", [1.116021, 1.020447]),
    ("none", "softmax", True, "test", [1.116021]),
    ("sum", "flat", False, "fit", [3.149534, 2.55907, 2.598945, 2.386619, 0.6203332, -0.1350897, 0.23168]),
    ("sum", "flat", False, "evaluate", [3.284375]),
    ("sum", "flat", False, "tob", [8.838125, 0.3555247]),
    ("sum", "flat", False, "test", [8.838125]),
    ("sum", "flat", True, "fit", [8.015883, 6.349839, 6.353376, 5.589386, 0.7022022, -0.06057625, 0.4183522]),
    ("sum", "flat", True, "evaluate", [8.364792]),
    ("sum", "flat", True, "tob", [24.15938, 0.1449781]),
    ("sum", "flat", True, "test", [24.15938]),
    ("sum", "seq", False, "fit", [6.741129, 6.279367, 6.177807, 5.983213, 0.5249577, 0.2234513]),
    ("sum", "seq", False, "evaluate", [6.661667]),
    ("sum", "seq", False, "tob", [11.05, 3.46763]),
    ("sum", "seq", False, "test", [11.05]),
    ("sum", "seq", True, "fit", [8.447854, 8.001529, 7.356228, 7.139128, 0.4566591, 0.2167105]),
    ("sum", "seq", True, "evaluate", [7.764999]),
    ("sum", "seq", True, "tob", [13.265, 3.343503]),
    ("sum", "seq", True, "test", [13.265]),
    ("sum", "seq", "1d", "fit", [5.976846, 5.507448, 5.423943, 5.180503, 0.5071462, 0.2371427]),
    ("sum", "seq", "1d", "evaluate", [5.914167]),
    ("sum", "seq", "1d", "tob", [9.92875, 3.488514]),
    ("sum", "seq", "1d", "test", [9.92875]),
    ("sum", "seqnomask", False, "fit", [14.33636, 11.75225, 11.85432, 10.82357, 0.4686777, 0.4718533]),
    ("sum", "seqnomask", False, "evaluate", [14.70833]),
    ("sum", "seqnomask", False, "tob", [27.14, 5.638057]),
    ("sum", "seqnomask", False, "test", [27.14]),
    ("sum", "seqnomask", True, "fit", [21.96102, 16.77288, 16.59965, 15.02029, 0.3437715, 0.5765194]),
    ("sum", "seqnomask", True, "evaluate", [22.125]),
    ("sum", "seqnomask", True, "tob", [41.035, 5.108941]),
    ("sum", "seqnomask", True, "test", [41.035]),
    ("sum", "seqnomask", "1d", "fit", [16.57406, 12.21002, 12.46953, 11.05833, 0.4344822, 0.6659458]),
    ("sum", "seqnomask", "1d", "evaluate", [17.84417]),
    ("sum", "seqnomask", "1d", "tob", [39.88375, 5.081904]),
    ("sum", "seqnomask", "1d", "test", [39.88375]),
    (
        "sum",
        "softmax",
        False,
        "fit",
        [
            3.793459,
            3.569017,
            3.560463,
            3.363378,
            0.4327169,
            -0.2197811,
            0.1370642,
            0.1730864,
            0.3573347,
            -0.4304211,
            0.07926817,
            0.02224705,
            -0.1015152,
        ],
    ),
    ("sum", "softmax", False, "evaluate", [3.784749]),
    ("sum", "softmax", False, "tob", [6.350769, 1.996032]),
    ("sum", "softmax", False, "test", [6.350769]),
    (
        "sum",
        "softmax",
        True,
        "fit",
        [
            3.512033,
            3.468391,
            3.460806,
            3.418798,
            0.4948751,
            -0.238047,
            0.09317193,
            0.1959372,
            0.3269418,
            -0.4228789,
            0.1312256,
            -0.004267326,
            -0.1269583,
        ],
    ),
    ("sum", "softmax", True, "evaluate", [3.504565]),
    ("sum", "softmax", True, "tob", [6.696127, 2.040894]),
    ("sum", "softmax", True, "test", [6.696127]),
]


def made(kind: str, reduction: str, **compiled: Any) -> tuple[Any, Any, Any, Any]:
    """Return a model and its data: inputs, targets, weights."""
    squared: Any = losses.MeanSquaredError(reduction=reduction)
    if kind == "flat":
        stack: list[Any] = [layers.Dense(1, input_shape=(2,))]
        start, data = [[[0.5], [-0.25]], [0.1]], (X, Y, W)
    elif kind == "softmax":
        stack = [layers.Dense(3, activation="softmax", input_shape=(2,))]
        start, data = [[[0.5, -0.25, 0.1], [0.2, 0.3, -0.4]], [0.1, 0, -0.1]], (X, np.abs(Y) % 3, W)
        squared = losses.SparseCategoricalCrossentropy(reduction=reduction)
    else:
        first: Any = (
            layers.Masking(input_shape=(4, 1)) if kind == "seq" else layers.Activation("linear", input_shape=(4, 1))
        )
        stack = [first, layers.Dense(1)]
        start, data = [[[0.5]], [0.1]], (XT, YT, WT)
    model = tk.Sequential(stack)
    model.set_weights([np.array(w) for w in start])
    model.compile(optimizers.legacy.SGD(0.01), compiled.pop("loss", squared), **compiled)
    return (model, *data)


def weights_of(model: Any) -> list[float]:
    return [float(v) for w in model.get_weights() for v in w.ravel()]


@pytest.mark.parametrize("captured", [False, True])
@pytest.mark.parametrize(("reduction", "kind", "weighted", "call", "expected"), CALLS)
def test_calls(
    reduction: str, kind: str, weighted: Any, call: str, expected: Any, captured: bool, uncompiled: None
) -> None:
    model, x, y, w = made(kind, reduction, jit_compile=captured)
    w = None if not weighted else W if weighted == "1d" else w
    if call == "fit":
        validation = (x, y) if w is None else (x, y, w)
        history = model.fit(
            x,
            y,
            batch_size=4,
            epochs=2,
            shuffle=False,
            verbose=0,
            sample_weight=w,
            validation_data=validation,
            validation_batch_size=4,
        ).history
        found = [*history["loss"], *history["val_loss"], *weights_of(model)]
    elif call == "evaluate":
        found = [model.evaluate(x, y, batch_size=4, verbose=0, sample_weight=w)]
    elif call == "tob":
        found = [model.train_on_batch(x, y, sample_weight=w), model.train_on_batch(x[:2], y[:2])]
    else:
        found = [model.test_on_batch(x, y, sample_weight=w)]
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


class Half(losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred) ** 2 / 2  # (batch, 1)


class HalfByItself(losses.Loss):
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return (y_true - y_pred)[:, 0] ** 2 / 2


EPOCHS: list[tuple[str, str, dict[str, Any], dict[str, Any], list[float]]] = [
    (
        "none",
        "softmax",
        {},
        {"class_weight": {0: 0.5, 1: 2.0, 2: 3.0}},
        [
            2.132735,
            0.4068219,
            -0.2178884,
            0.1610665,
            0.1654494,
            0.3677095,
            -0.4331589,
            0.05440413,
            0.03332454,
            -0.08772866,
        ],
    ),
    ("none", "flat", {"loss_weights": [0.3]}, {}, [0.2919027, 0.5233272, -0.2283204, 0.1239331]),
    ("sum", "flat", {"loss_weights": [0.3]}, {}, [0.9730089, 0.5233272, -0.2283204, 0.1239331]),
    ("none", "flat", {"loss": Half(reduction="none")}, {}, [0.4824432, 0.5388812, -0.2140288, 0.1396475]),
    ("none", "flat", {"loss": HalfByItself(reduction="none")}, {}, [0.4824432, 0.5388812, -0.2140288, 0.1396475]),
]


@pytest.mark.parametrize(("reduction", "kind", "compiled", "arguments", "expected"), EPOCHS)
def test_epochs(reduction: str, kind: str, compiled: Any, arguments: Any, expected: Any) -> None:
    model, x, y, _ = made(kind, reduction, **compiled)
    history = model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0, **arguments).history
    np.testing.assert_allclose([*history["loss"], *weights_of(model)], expected, rtol=2e-5)


def test_a_penalty_is_added_once_where_keras_fails() -> None:
    model = tk.Sequential([layers.Dense(1, input_shape=(2,), kernel_regularizer="l2")])
    model.set_weights([np.array([[0.5], [-0.25]]), np.array([0.1])])
    model.compile(optimizers.legacy.SGD(0.01), losses.MeanSquaredError(reduction="none"))
    penalty = 0.01 * (0.5**2 + 0.25**2)
    assert model.test_on_batch(X, Y) == pytest.approx(1.473021 + penalty, rel=1e-5)
    # The weights move as under 'sum', whose loss Keras gives.
    model.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    np.testing.assert_allclose(weights_of(model), [0.5775696, -0.1787782, 0.1780875], rtol=1e-5)


def test_batch_hooks_and_torch_losses_see_the_mean() -> None:
    seen = []

    class Look(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(logs["loss"])

    for loss in (losses.MeanSquaredError(reduction="none"), torch.nn.MSELoss(reduction="none")):
        model, x, y, _ = made("flat", "none", loss=loss)
        first, rest = model.test_on_batch(x[:4], y[:4]), None
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=[Look()])
        assert seen[-2] == pytest.approx(first, rel=1e-6)
        rest = (20 * 0.9448601 - 16 * first) / 4  # the epoch's mean: 4 · 4 of the one, 2 · 2 of the other
        assert seen[-1] == pytest.approx(rest, rel=1e-4)
