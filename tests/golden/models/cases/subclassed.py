"""Subclassed models: their calls, outputs, nesting, and overrides of the training and testing steps."""

from __future__ import annotations

from typing import Any

from ..case import Keras, Table, onehot, real, tokens

TABLE = Table()
MSE = {"loss": "mse", "metrics": ["mae"]}


def _perceptron(keras: Keras, *bases: type) -> Any:
    """Return the class that most cases below extend."""
    L = keras.layers

    class Perceptron(*bases, keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self, hidden: int = 4, units: int = 2, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.hidden = L.Dense(hidden, activation="tanh")
            self.answer = L.Dense(units)

        def call(self, inputs: Any) -> Any:
            return self.answer(self.hidden(inputs))

    return Perceptron


@TABLE.case(x=real(5), y=real(2), compile=MSE)
def subclassed(keras: Keras) -> Any:
    return _perceptron(keras)()


@TABLE.case(x=real(5), y=real(2), compile=MSE)
def built_by_a_shape(keras: Keras) -> Any:
    model = _perceptron(keras)(name="perceptron")
    model.build((None, 5))
    return model


@TABLE.case(x=real(5), y=real(2), train_forward=True, untrained=1)
def training_argument(keras: Keras) -> Any:
    L = keras.layers

    class Phases(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.normal, self.last = L.Dense(4), L.BatchNormalization(momentum=0.8), L.Dense(2)

        def call(self, inputs: Any, training: Any = None) -> Any:
            h = self.normal(self.first(inputs), training=training)
            return self.last(h * 2 if training else h)

    return Phases()


@TABLE.case(x=real(5), y=real(2), train_forward=True, untrained=1)
def training_passed_on_by_itself(keras: Keras) -> Any:
    """Layers inside get the phase of the model's call where nobody hands it on."""
    L = keras.layers

    class Phases(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.body = keras.Sequential([L.Dense(4), L.BatchNormalization(momentum=0.8), L.Dropout(0.0)])
            self.last = L.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.last(self.body(inputs))

    return Phases()


@TABLE.case(x=real(5), y=real(3), compile=MSE)
def subclassed_in_subclassed(keras: Keras) -> Any:
    Perceptron = _perceptron(keras)

    class Outer(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = Perceptron(units=3), Perceptron(3, 3)

        def call(self, inputs: Any) -> Any:
            return self.one(inputs) + self.two(inputs)

    return Outer()


@TABLE.case(x=real(4), y=real(2))
def layers_in_lists_and_dictionaries(keras: Keras) -> Any:
    L = keras.layers

    class Stacked(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [L.Dense(4, activation="tanh") for _ in range(3)]
            self.heads = {"b": L.Dense(2), "a": L.Dense(2)}

        def call(self, inputs: Any) -> Any:
            h = inputs
            for block in self.blocks:
                h = h + block(h)
            return self.heads["a"](h) - self.heads["b"](h)

    return Stacked()


@TABLE.case(x=[real(5), real(3)], y=real(2), compile=MSE)
def takes_a_list(keras: Keras) -> Any:
    L = keras.layers

    class Two(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.join, self.answer = L.Dense(4), L.Dense(4), L.Add(), L.Dense(2)

        def call(self, inputs: Any) -> Any:
            a, b = inputs
            return self.answer(self.join([self.a(a), self.b(b)]))

    return Two()


@TABLE.case(x={"user": real(5), "item": real(3)}, y=real(1), compile=MSE)
def takes_a_dictionary(keras: Keras) -> Any:
    L = keras.layers

    class Two(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.user, self.item, self.dot = L.Dense(4), L.Dense(4, activation="tanh"), L.Dot(axes=1)

        def call(self, inputs: Any) -> Any:
            return self.dot([self.user(inputs["user"]), self.item(inputs["item"])])

    return Two()


@TABLE.case(
    x=real(5),
    y=[real(2), onehot(3)],
    compile={"loss": ["mse", "categorical_crossentropy"], "metrics": [["mae"], ["accuracy"]]},
)
def returns_a_list(keras: Keras) -> Any:
    L = keras.layers

    class Heads(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.number, self.kind = L.Dense(2), L.Dense(3, activation="softmax")

        def call(self, inputs: Any) -> Any:
            return [self.number(inputs), self.kind(inputs)]

    return Heads()


@TABLE.case(
    x=real(5),
    y={"number": real(2), "kind": onehot(3)},
    compile={
        "loss": {"number": "mse", "kind": "categorical_crossentropy"},
        "metrics": {"kind": ["accuracy"]},
        "loss_weights": {"number": 0.5, "kind": 2.0},
    },
)
def returns_a_dictionary(keras: Keras) -> Any:
    L = keras.layers

    class Heads(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.number, self.kind = L.Dense(2), L.Dense(3, activation="softmax")

        def call(self, inputs: Any) -> Any:
            return {"number": self.number(inputs), "kind": self.kind(inputs)}

    return Heads()


@TABLE.case(x=tokens(6, 9), y=real(1))
def masks_inside(keras: Keras) -> Any:
    """A mask goes with its tensor from layer to layer inside `call`."""
    L = keras.layers

    class Reader(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.lstm = L.Embedding(9, 4, mask_zero=True), L.LSTM(3)
            self.between, self.answer = L.Dense(4, activation="relu"), L.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.answer(self.lstm(self.between(self.embedding(inputs))))

    return Reader()


@TABLE.case(x=tokens(6, 9), y=real(1))
def mask_argument(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend

    class Reader(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.answer = L.LSTM(3), L.Dense(1)

        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            valid = K.cast(mask, "float32")
            return self.answer(self.lstm(inputs, mask=mask)) + K.sum(valid, axis=1, keepdims=True)

    z = keras.Input((6,), dtype="int32")
    return keras.Model(z, Reader()(L.Embedding(9, 4, mask_zero=True)(z)))


@TABLE.case(x=real(5), y=real(2), compile=MSE)
def subclassed_in_functional(keras: Keras) -> Any:
    Perceptron = _perceptron(keras)
    x = keras.Input((5,))
    inner = Perceptron(units=5)
    return keras.Model(x, keras.layers.Dense(2)(inner(inner(x))))


@TABLE.case(x=real(5), y=real(2), compile=MSE)
def functional_by_inheritance(keras: Keras) -> Any:
    L = keras.layers

    class Built(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self, hidden: int) -> None:
            x = keras.Input((5,))
            super().__init__(inputs=x, outputs=L.Dense(2)(L.Dense(hidden, activation="tanh")(x)))
            self.hidden_units = hidden

    return Built(4)


@TABLE.case(x=real(5), y=real(2), compile=MSE)
def call_of_a_sequential_overridden(keras: Keras) -> Any:
    L = keras.layers

    class Scaled(keras.Sequential):  # type: ignore[misc, name-defined]
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return 0.5 * super().call(inputs * 2.0, training=training)

    return Scaled([L.Dense(4, activation="tanh", input_shape=(5,)), L.Dense(2)])


@TABLE.case(x=real(6, 2), y=real(2))
def recurrent_states_inside(keras: Keras) -> Any:
    """An encoder and a decoder as models of their own, which hand states to each other."""
    L = keras.layers

    class Encoder(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.gru = L.GRU(3, return_sequences=True, return_state=True)

        def call(self, inputs: Any) -> Any:
            sequence, state = self.gru(inputs)
            return sequence, state

    class Translator(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.gru, self.answer = Encoder(), L.GRU(3), L.Dense(2)

        def call(self, inputs: Any) -> Any:
            sequence, state = self.encoder(inputs)
            return self.answer(self.gru(sequence, initial_state=state))

    return Translator()


# Overrides of the steps: `steps` holds them as TensorFlow or torch writes them.


@TABLE.case(x=real(5), y=real(2), compile=MSE, steps=True)
def train_step_by_hand(keras: Keras, steps: Any) -> Any:
    return _perceptron(keras, steps.ByHand)()


@TABLE.case(x=real(5), y=real(2), compile=MSE, steps=True)
def train_step_by_minimize(keras: Keras, steps: Any) -> Any:
    return _perceptron(keras, steps.ByMinimize)()


@TABLE.case(x=real(5), y=real(2), compile=MSE, steps=True)
def train_step_of_a_functional_model(keras: Keras, steps: Any) -> Any:
    L = keras.layers

    class Custom(steps.ByHand, keras.Model):  # type: ignore[misc, name-defined]
        pass

    x = keras.Input((5,))
    return Custom(x, L.Dense(2)(L.Dense(4, activation="tanh", kernel_regularizer="l2")(x)))


@TABLE.case(x=real(5), y=real(2), compile=MSE, steps=True)
def train_step_of_a_sequential(keras: Keras, steps: Any) -> Any:
    L = keras.layers

    class Custom(steps.ByHand, keras.Sequential):  # type: ignore[misc, name-defined]
        pass

    return Custom([L.Dense(4, activation="tanh", input_shape=(5,)), L.Dense(2)])


@TABLE.case(x=real(5), y=real(2), compile=MSE, steps=True)
def train_step_that_calls_super(keras: Keras, steps: Any) -> Any:
    """The step doubles its targets and leaves the rest to Keras."""

    class Doubled:
        def train_step(self, data: Any) -> Any:
            x, y = data
            logs = super().train_step((x, 2 * y))  # type: ignore[misc]
            return {**logs, "steps": 1.0}

        def test_step(self, data: Any) -> Any:
            x, y = data
            return super().test_step((x, 2 * y))  # type: ignore[misc]

        def predict_step(self, data: Any) -> Any:
            return super().predict_step(data) + 1.0  # type: ignore[misc]

    return _perceptron(keras, Doubled)()


@TABLE.case(x=real(5), y=real(2), compile=MSE)
def loss_and_metrics_overridden(keras: Keras) -> Any:
    K = keras.backend

    class Own:
        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
            return K.mean(K.square(y - y_pred)) + 0.1 * K.mean(K.abs(y_pred))

        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
            logs = super().compute_metrics(x, y, y_pred, sample_weight)  # type: ignore[misc]
            return {**logs, "constant": 3.0}

    return _perceptron(keras, Own)()


@TABLE.case(x=real(5), y=real(2), steps=True)
def metrics_of_the_model_itself(keras: Keras, steps: Any) -> Any:
    """The loss and the metrics are the model's own; `metrics` lists what is reset before an epoch."""

    loss_tracker = keras.metrics.Mean(name="loss")
    mae_metric = keras.metrics.MeanAbsoluteError(name="mae")

    class Own(steps.OwnMetrics):
        # Not attributes of the model: Keras 2.15 lists the state of a metric that is one among the model's weights.
        trackers = staticmethod(lambda: (loss_tracker, mae_metric))

        @property
        def metrics(self) -> list[Any]:
            return list(self.trackers())

    return _perceptron(keras, Own)()
