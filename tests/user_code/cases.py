"""What users write with tensors: losses, metrics, functions, layers. The same text runs under Keras 2.15 and here.

Each function takes the namespace `k` (`K`, `layers`, `regularizers`, `constraints`, `Sequential`, `optimizers`) and
returns (layers of a model, loss, metrics).
"""

from __future__ import annotations

from typing import Any

import numpy as np

W = np.array([1.0, 2.0, 0.5])


def _softmax(k: Any, *before: Any) -> list[Any]:
    return [*before, k.layers.Dense(3, activation="softmax", input_shape=(4,))]


def smoothed_targets(k: Any) -> Any:
    def loss(t: Any, p: Any) -> Any:
        t *= 0.9
        t += 0.05
        return k.K.categorical_crossentropy(t, p)

    return _softmax(k), loss, ["accuracy", "mse"]


def normalised_predictions(k: Any) -> Any:
    w = k.K.variable([1.0, 2.0, 0.5])

    def loss(t: Any, p: Any) -> Any:
        p /= k.K.sum(p, axis=-1, keepdims=True)
        p = k.K.clip(p, k.K.epsilon(), 1 - k.K.epsilon())
        return -k.K.sum(t * k.K.log(p) * w, -1)

    return _softmax(k), loss, []


def loss_of_intermediates(k: Any) -> Any:
    def loss(t: Any, p: Any) -> Any:
        e = k.K.exp(p)
        same = e
        e /= k.K.sum(e, axis=-1, keepdims=True)
        e **= 2
        e -= 0.1
        return k.K.sum(k.K.abs(t - e), axis=-1) + 0.01 * k.K.sum(same, axis=-1)

    return _softmax(k), loss, []


def metrics_that_rebind(k: Any) -> Any:
    def shifted(t: Any, p: Any) -> Any:
        p -= 100.0
        return k.K.mean(p)

    def squared(t: Any, p: Any) -> Any:
        t -= p
        t *= t
        return k.K.mean(t, axis=-1)

    return _softmax(k), "mse", [shifted, squared, "mae"]


def arrays_as_operands(k: Any) -> Any:
    def loss(t: Any, p: Any) -> Any:
        left = W * t * k.K.log(p)
        right = k.K.square(t - p) * [1.0, 2.0, 0.5]
        other = np.float32(0.5) * p + np.float64(0.25) * p - p / np.array([2.0, 4.0, 8.0]) + (1.0 - p) * (W > 0.7)
        return -k.K.sum(left, -1) + k.K.sum(right, -1) + k.K.sum(k.K.cast_to_floatx(0.1) * k.K.square(other), -1)

    return _softmax(k), loss, []


def operators(k: Any) -> Any:
    def loss(t: Any, p: Any) -> Any:
        q = [3.0, 2.0, 1.0] - p
        q = 2.0**q + q**2 - -q
        q = q / [1.0, 2.0, 4.0] + np.ones(3) / (1.0 + p)
        chosen = k.K.cast(p > np.array([0.3, 0.3, 0.3]), "float32") + k.K.cast(p <= 0.5, "float32")
        return k.K.sum(abs(q - t) * chosen, axis=-1)

    return _softmax(k), loss, []


def slices(k: Any) -> Any:
    def turned(x: Any) -> Any:
        x = x[:, ::-1]
        return x[..., ::-2] * x[:, 2::-2] + x[:, -1:0:-2]

    return (
        [k.layers.Lambda(turned, input_shape=(4,)), k.layers.Dense(3, activation="softmax")],
        lambda t, p: k.K.mean(k.K.square(t[:, ::-1] - p[..., -1::-1]), axis=-1),
        [],
    )


def shapes(k: Any) -> Any:
    def focal(t: Any, p: Any) -> Any:
        p = p / k.K.sum(p, len(p.get_shape()) - 1, keepdims=True)
        classes = p.shape.as_list()[-1] * p.get_shape().ndims / p.shape[1:].num_elements()
        return k.K.sum(-t * k.K.log(p) * (1 - p) ** 2, axis=p.shape.as_list().index(3)) * classes

    return _softmax(k), focal, []


def inputs_of_functions(k: Any) -> Any:
    def halved(x: Any) -> Any:
        x /= 2.0
        x -= 0.1
        return x

    def swish(x: Any) -> Any:
        gate = k.K.sigmoid(x)
        gate *= x
        x += gate
        return x

    model = [
        k.layers.Lambda(halved, input_shape=(4,)),
        k.layers.Dense(5, activation=swish),
        k.layers.Flatten(),
        k.layers.Lambda(halved),
        k.layers.Dense(3, activation="softmax"),
    ]
    return model, "categorical_crossentropy", ["accuracy"]


def weights_of_functions(k: Any) -> Any:
    def penalty(w: Any) -> Any:
        w = w * 2.0  # TensorFlow 2 refuses `*=` for variables themselves
        w *= w
        return 0.1 * k.K.sum(w)

    def activity(x: Any) -> Any:
        x -= 0.5
        return 0.01 * k.K.sum(x * x)

    def bounded(w: Any) -> Any:
        w = w * k.K.cast(w >= -0.2, "float32")
        w /= 1.0 + 0.1 * k.K.abs(w)
        return w

    model = [
        k.layers.Dense(5, activation="tanh", input_shape=(4,), kernel_regularizer=penalty, kernel_constraint=bounded),
        k.layers.Dense(3, activation="softmax", activity_regularizer=activity, bias_regularizer=penalty),
    ]
    return model, "categorical_crossentropy", []


def layers_with_variables(k: Any) -> Any:
    class Variables(k.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            width = shape.as_list()[-1]
            self.scale = k.K.variable(np.linspace(0.5, 1.5, width))
            self.shifts = [k.K.variable(np.full(width, 0.1 * i)) for i in (1, 2)]
            self.named = {"w": k.K.variable(np.linspace(-1, 1, width * 2).reshape(width, 2))}
            super().build(shape)

        def call(self, x: Any) -> Any:
            scale = self.scale + 0.0
            scale *= 2.0
            x *= scale
            for shift in self.shifts:
                x += shift
            return k.K.concatenate([x, k.K.dot(x, self.named["w"])])

        def compute_output_shape(self, shape: Any) -> Any:
            return (shape[0], shape[-1] + 2)

    class InInit(k.layers.Layer):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.beta = k.K.variable(1.5, name="beta")

        def call(self, x: Any) -> Any:
            return x * k.K.sigmoid(self.beta * x)

    model = [Variables(input_shape=(4,)), InInit(), k.layers.Dense(3, activation="softmax")]
    return model, "categorical_crossentropy", []


def weights_of_layers(k: Any) -> Any:
    class Attention(k.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.w = self.add_weight(name="w", shape=(shape[-1], 1), initializer="ones")
            self.b = self.add_weight("b", (shape[1], 1), initializer="zeros", regularizer=k.regularizers.l2(0.1))
            self.count = self.add_weight(name="count", shape=(), initializer="zeros", trainable=False)
            super().build(shape)

        def call(self, x: Any) -> Any:
            e = k.K.tanh(k.K.dot(x, self.w) + self.b)
            e -= k.K.max(e, axis=1, keepdims=True)
            a = k.K.exp(e)
            a /= k.K.sum(a, axis=1, keepdims=True)
            x *= a
            return k.K.sum(x, axis=1)

        def compute_output_shape(self, shape: Any) -> Any:
            return (shape[0], shape[-1])

    return (
        [k.layers.Reshape((2, 2), input_shape=(4,)), Attention(), k.layers.Dense(3, activation="softmax")],
        "categorical_crossentropy",
        [],
    )


def switched(k: Any) -> Any:
    def f1(t: Any, p: Any) -> Any:
        hits = k.K.sum(k.K.round(t * p))
        said = k.K.sum(k.K.round(p))
        return k.K.switch(k.K.equal(said, 0.0), 0.0 * hits, hits / said)

    def hinge(t: Any, p: Any) -> Any:
        error = k.K.abs(t - p)
        return k.K.mean(k.K.switch(error < 0.3, 0.5 * k.K.square(error), 0.3 * (error - 0.15)), axis=-1)

    return _softmax(k), hinge, [f1]


CASES = {
    case.__name__: case
    for case in (
        smoothed_targets,
        normalised_predictions,
        loss_of_intermediates,
        metrics_that_rebind,
        arrays_as_operands,
        operators,
        slices,
        shapes,
        inputs_of_functions,
        weights_of_functions,
        layers_with_variables,
        weights_of_layers,
        switched,
    )
}


def data() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return inputs and one-hot targets."""
    random = np.random.RandomState(0)
    return random.randn(12, 4).astype("float32"), np.eye(3, dtype="float32")[random.randint(3, size=12)]


def fill(model: Any) -> None:
    """Give Dense layers weights that do not depend on a generator; others keep what they were built with."""
    for layer in model.layers:
        if type(layer).__name__ == "Dense":
            shapes = [w.shape for w in layer.get_weights()]
            layer.set_weights([np.sin(np.arange(np.prod(s)) + len(s)).reshape(s).astype("float32") for s in shapes])


def run(k: Any, name: str) -> dict[str, Any]:
    """Return the numbers of a case: evaluation, three epochs of training, predictions and weights after them."""
    layers, loss, metrics = CASES[name](k)
    model = k.Sequential(layers)
    model.compile(k.optimizers.SGD(0.1), loss, metrics=metrics)
    fill(model)
    x, y = data()
    before = np.ravel(model.evaluate(x, y, batch_size=5, verbose=0)).tolist()
    history = model.fit(x, y, batch_size=5, epochs=3, shuffle=False, verbose=0).history
    return {
        "before": before,
        "history": {key: [float(v) for v in values] for key, values in history.items()},
        "predictions": model.predict(x, verbose=0).tolist(),
        "weights": [np.asarray(w).tolist() for w in model.get_weights()],
        "counts": [len(model.trainable_weights), len(model.non_trainable_weights), int(model.count_params())],
    }
