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


def objects_of_users(k: Any) -> Any:
    class Penalty(k.regularizers.Regularizer):  # type: ignore[misc]
        def __init__(self, factor: float = 0.1) -> None:
            self.factor = factor

        def __call__(self, x: Any) -> Any:
            x = x * 1.0
            x *= x
            x /= 2
            return self.factor * k.K.sum(x)

    class Shrunk(k.constraints.Constraint):  # type: ignore[misc]
        def __call__(self, w: Any) -> Any:
            w = w * k.K.cast(k.K.greater_equal(w, 0.0), k.K.floatx())
            w *= 0.9
            w -= 0.01
            return w

    class Focal(k.losses.Loss):  # type: ignore[misc]
        def call(self, t: Any, p: Any) -> Any:
            p = k.K.clip(p, 1e-7, 1 - 1e-7)
            t *= 0.9
            t += 0.05
            crossentropy = -t * k.K.log(p)
            crossentropy *= k.K.pow(1 - p, 2.0)
            return k.K.sum(crossentropy, axis=-1)

    model = [
        k.layers.Dense(5, "tanh", input_shape=(4,), kernel_regularizer=Penalty(), kernel_constraint=Shrunk()),
        k.layers.Dense(3, "softmax", activity_regularizer=Penalty(0.3), bias_constraint=Shrunk()),
    ]
    return model, Focal(), ["accuracy"]


def weighted_by_arrays(k: Any) -> Any:
    def weighted(weights: Any) -> Any:
        def loss(t: Any, p: Any) -> Any:
            p /= k.K.sum(p, axis=-1, keepdims=True)
            return -k.K.sum(t * k.K.log(k.K.clip(p, k.K.epsilon(), 1 - k.K.epsilon())) * weights, -1)

        return loss

    def pinball(t: Any, p: Any) -> Any:
        quantiles = np.array([0.1, 0.5, 0.9], "float32")
        error = t - p
        return k.K.mean(k.K.maximum(quantiles * error, (quantiles - 1) * error), axis=-1)

    return _softmax(k), weighted(np.array([0.5, 2.0, 10.0])), [pinball]


def columns(k: Any) -> Any:
    def loss(t: Any, p: Any) -> Any:
        first, rest, turned, last = t[:, 0] - p[:, 0], t[:, 1:] - p[:, 1:], p[:, ::-1] - t, p[:, -1]
        total = k.K.square(first) + k.K.sum(k.K.abs(rest), axis=-1) + k.K.mean(turned * turned, -1) + last * last
        width = int(p.shape[-1])
        total += k.K.sum(p[:, : width // 2], -1)
        total /= float(width)
        for i in range(p.shape[1]):
            total += p[:, i] * i
        return total + k.K.sum(p[..., None][:, :, 0], -1) * 0.1

    def concordance(t: Any, p: Any) -> Any:
        shift = (k.K.mean(t, 0) - k.K.mean(p, 0)) ** 2
        common = k.K.mean((t - k.K.mean(t, 0)) * (p - k.K.mean(p, 0)), 0)
        return 2 * common / (k.K.var(t, 0) + k.K.var(p, 0) + shift + k.K.epsilon())

    def pairs(t: Any, p: Any) -> Any:
        difference = k.K.expand_dims(p[:, 0], 0) - k.K.expand_dims(p[:, 0], 1)
        return k.K.mean(k.K.relu(1.0 - difference * k.K.sign(k.K.expand_dims(t[:, 0], 0) - t[:, :1])))

    return _softmax(k), loss, [concordance, pairs]


def scores(k: Any) -> Any:
    def recall(t: Any, p: Any) -> Any:
        return k.K.sum(k.K.round(k.K.clip(t * p, 0, 1))) / (k.K.sum(k.K.round(k.K.clip(t, 0, 1))) + k.K.epsilon())

    def precision(t: Any, p: Any) -> Any:
        return k.K.sum(k.K.round(k.K.clip(t * p, 0, 1))) / (k.K.sum(k.K.round(k.K.clip(p, 0, 1))) + k.K.epsilon())

    def f1(t: Any, p: Any) -> Any:
        a, b = precision(t, p), recall(t, p)
        score = 2 * a * b
        score /= a + b + k.K.epsilon()
        return score

    def r2(t: Any, p: Any) -> Any:
        return 1 - k.K.sum(k.K.square(t - p)) / (k.K.sum(k.K.square(t - k.K.mean(t))) + k.K.epsilon())

    return _softmax(k), "categorical_crossentropy", [recall, precision, f1, r2, "accuracy"]


def layers_of_papers(k: Any) -> Any:
    class Normalised(k.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.gamma = self.add_weight(name="gamma", shape=shape[-1:], initializer="ones")
            self.beta = self.add_weight(name="beta", shape=shape[-1:], initializer="zeros")
            super().build(shape)

        def call(self, x: Any) -> Any:
            mean, spread = k.K.mean(x, -1, keepdims=True), k.K.std(x, -1, keepdims=True)
            x -= mean
            x /= spread + 1e-6
            return self.gamma * x + self.beta

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    class Gated(k.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight("kernel", (shape[-1], shape[-1]), initializer="identity")
            self.bias = self.add_weight("bias", (shape[-1],), initializer="zeros")
            self.alpha = k.K.variable(0.3)
            self.add_loss(lambda: 0.01 * k.K.sum(k.K.square(self.kernel)))
            super().build(shape)

        def call(self, x: Any, training: Any = None) -> Any:
            gate = k.K.sigmoid(k.K.dot(x, self.kernel) + self.bias)
            y = gate * x
            y += (1 - gate) * k.K.tanh(x) * self.alpha
            return k.K.in_train_phase(y * 1.5, y, training=training)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    class Distances(k.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            centres = np.linspace(-1, 1, int(shape[1]) * 5).reshape(int(shape[1]), 5)
            self.mu = self.add_weight(
                name="mu", shape=(int(shape[1]), 5), initializer=lambda s, dtype=None: k.K.constant(centres)
            )
            super().build(shape)

        def call(self, x: Any) -> Any:
            return k.K.exp(-0.5 * k.K.sum(k.K.pow(k.K.expand_dims(x) - self.mu, 2), axis=1))

        def compute_output_shape(self, shape: Any) -> Any:
            return (shape[0], 5)

    class Recurrent(k.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.u = self.add_weight(name="u", shape=(3, 3), initializer="identity")
            self.w = self.add_weight(name="w", shape=(int(shape[-1]), 3), initializer="ones")
            super().build(shape)

        def call(self, x: Any) -> Any:
            def step(i: Any, states: Any) -> Any:
                h = k.K.dot(i, self.w)
                h += k.K.dot(states[0], self.u)
                h = k.K.tanh(h)
                return h, [h]

            return k.K.rnn(step, x, [k.K.zeros_like(k.K.dot(x[:, 0], self.w))])[0]

        def compute_output_shape(self, shape: Any) -> Any:
            return (shape[0], 3)

    model = [
        Normalised(input_shape=(4,)),
        Gated(),
        Distances(),
        k.layers.Reshape((5, 1)),
        Recurrent(),
        k.layers.Dense(3, activation="softmax"),
    ]
    return model, "categorical_crossentropy", ["accuracy"]


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
        objects_of_users,
        weighted_by_arrays,
        columns,
        scores,
        layers_of_papers,
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
