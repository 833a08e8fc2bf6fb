"""Methods around the formula that users write: `fit` and `minimize` call them, as Keras does.

The losses are those of Keras 2.15.0 (TensorFlow 2.15.1, on the CPU); those of `get_gradients`, which Keras 2.3 alone
calls, are those of the same change to the gradients there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers, optimizers
from torchkeras_compat._core import dialects

X = np.linspace(-1, 1, 24).reshape(6, 4).astype("float32")
Y = np.linspace(2, -1, 6).reshape(6, 1).astype("float32")


def model() -> Any:
    made = keras.Sequential([layers.Dense(3, activation="tanh", input_shape=(4,)), layers.Dense(1)])
    made.set_weights([np.linspace(-0.5, 0.5, w.size).reshape(w.shape) for w in made.get_weights()])
    return made


def losses(optimizer: Any) -> list[float]:
    trained = model()
    trained.compile(optimizer, "mse")
    history = trained.fit(X, Y, epochs=3, batch_size=3, shuffle=False, verbose=0).history["loss"]
    return [float(value) for value in history]


def centralized(gradient: Any) -> Any:
    if len(gradient.shape) < 2:
        return gradient
    return gradient - K.mean(gradient, axis=list(range(len(gradient.shape) - 1)), keepdims=True)


def centralizing(base: Any) -> Any:
    class Centralizing(base):
        def apply_gradients(self, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
            return super().apply_gradients([(centralized(g), v) for g, v in grads_and_vars], *args, **kwargs)

    return Centralizing


def minimizing(base: Any) -> Any:
    class Minimizing(base):
        def minimize(self, loss: Any, var_list: Any, tape: Any = None, **kwargs: Any) -> Any:
            gradients = tape.gradient(loss, var_list)
            return self.apply_gradients([(K.clip(g, -0.05, 0.05), v) for g, v in zip(gradients, var_list)])

    return Minimizing


class Computing(optimizers.SGD):  # type: ignore[misc]
    def compute_gradients(self, loss: Any, var_list: Any, tape: Any = None) -> Any:
        return [(K.clip(g, -0.05, 0.05), v) for g, v in super().compute_gradients(loss, var_list, tape)]


class ComputingInPrivate(optimizers.SGD):  # type: ignore[misc]
    def _compute_gradients(self, loss: Any, var_list: Any, grad_loss: Any = None, tape: Any = None) -> Any:
        pairs = super()._compute_gradients(loss, var_list, grad_loss, tape)
        return [(K.clip(g, -0.05, 0.05), v) for g, v in pairs]


class Accumulating(optimizers.SGD):  # type: ignore[misc]
    """Steps once in two batches, by the mean of their gradients."""

    calls = 0

    def apply_gradients(self, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
        pairs = list(grads_and_vars)
        if not self.calls:
            self.kept = [K.variable(np.zeros(tuple(v.shape))) for _, v in pairs]
        for kept, (gradient, _) in zip(self.kept, pairs):
            kept.assign_add(gradient / 2)
        self.calls += 1
        if self.calls % 2:
            return self.iterations
        made = super().apply_gradients([(k.value(), v) for k, (_, v) in zip(self.kept, pairs)], *args, **kwargs)
        for kept in self.kept:
            kept.assign(K.zeros_like(kept))
        return made


NEW, LEGACY = "keras-2.15", "tf.keras"
CLIPPED = [1.734478, 1.711112, 1.687939]
CASES: dict[str, tuple[str, Callable[[], Any], list[float]]] = {
    "apply_gradients": (NEW, lambda: centralizing(optimizers.RMSprop)(0.05), [2.124123, 1.783329, 1.651065]),
    "apply_gradients, clipped": (
        NEW,
        lambda: centralizing(optimizers.RMSprop)(0.05, clipnorm=0.1),
        [2.121309, 1.862059, 1.785098],
    ),
    "apply_gradients, legacy": (LEGACY, lambda: centralizing(optimizers.SGD)(0.05), [1.894317, 1.768009, 1.686925]),
    "minimize": (NEW, lambda: minimizing(optimizers.RMSprop)(0.05), [1.784951, 0.6525612, 0.3444495]),
    "minimize, legacy": (LEGACY, lambda: minimizing(optimizers.SGD)(0.05), CLIPPED),
    "compute_gradients": (NEW, lambda: Computing(0.05), CLIPPED),
    "_compute_gradients": (LEGACY, lambda: ComputingInPrivate(0.05), CLIPPED),
    "accumulation": (NEW, lambda: Accumulating(0.1), [1.733144, 1.309215, 1.044258]),
}


@pytest.mark.parametrize("case", CASES)
def test_fit_calls_what_a_user_wrote(case: str) -> None:
    dialect, make, expected = CASES[case]
    with dialects.using(dialect):
        np.testing.assert_allclose(losses(make()), expected, rtol=1e-5)


class AskedForGradients(optimizers.SGD):  # type: ignore[misc]
    def get_gradients(self, loss: Any, params: Any) -> Any:
        return [centralized(gradient) for gradient in super().get_gradients(loss, params)]


class FindingGradients(optimizers.SGD):  # type: ignore[misc]
    def get_gradients(self, loss: Any, params: Any) -> Any:
        return [K.clip(gradient, -0.05, 0.05) for gradient in K.gradients(loss, params)]


def test_classic_keras_asks_get_gradients() -> None:
    with dialects.using("keras-2.3"):
        np.testing.assert_allclose(losses(AskedForGradients(0.05)), [1.894317, 1.768009, 1.686925], rtol=1e-5)
        np.testing.assert_allclose(losses(FindingGradients(0.05)), CLIPPED, rtol=1e-5)


def test_what_get_gradients_returns_is_clipped_no_more() -> None:
    class Long(optimizers.SGD):  # type: ignore[misc]
        def get_gradients(self, loss: Any, params: Any) -> Any:
            return [10 * gradient for gradient in super().get_gradients(loss, params)]

    with dialects.using("keras-2.3"):
        np.testing.assert_allclose(
            losses(Long(0.005, clipnorm=0.1)), losses(optimizers.SGD(0.05, clipnorm=0.1)), rtol=1e-6
        )


def test_tf_keras_does_not() -> None:
    class Broken(optimizers.SGD):  # type: ignore[misc]
        def get_gradients(self, loss: Any, params: Any) -> Any:
            raise AssertionError("tf.keras finds gradients by compute_gradients")

    with dialects.using("tf.keras"):
        np.testing.assert_allclose(losses(Broken(0.05)), [1.835982, 1.422152, 1.133614], rtol=1e-5)


def test_minimize_by_hand_calls_apply_gradients() -> None:
    variable = K.variable([[1.0, 2.0], [3.0, 5.0]])
    centralizing(optimizers.RMSprop)(0.05).minimize(lambda: K.sum(variable**2), [variable])
    plain = K.variable([[1.0, 2.0], [3.0, 5.0]])
    optimizers.RMSprop(0.05).apply_gradients([(centralized(2 * plain.value()), plain)])
    np.testing.assert_allclose(variable.numpy(), plain.numpy())


def test_a_loss_scale_needs_a_step_of_the_package() -> None:
    with pytest.raises(TypeError, match="mixed_bfloat16"):
        keras.mixed_precision.LossScaleOptimizer(Computing(0.05))
