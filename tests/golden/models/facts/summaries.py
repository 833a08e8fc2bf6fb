"""The text of `summary()` for functional models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..case import Keras

FACTS: dict[str, Callable[[Keras], Any]] = {}


def lines(model: Any, **kwargs: Any) -> list[str]:
    """Return the lines of a summary, without spaces at their ends."""
    printed: list[str] = []
    model.summary(print_fn=printed.append, **kwargs)
    return [line.rstrip() for text in printed for line in text.split("\n")]


def table(**kwargs: Any) -> Callable[[Callable[[Keras], Any]], Callable[[Keras], Any]]:
    """Enter the summary of the model that a function builds."""

    def enter(build: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
        FACTS[build.__name__] = lambda keras: lines(build(keras), **kwargs)
        return build

    return enter


@table()
def chain(keras: Keras) -> Any:
    """A functional model that is a chain has no column of connections."""
    L = keras.layers
    x = keras.Input((5,))
    return keras.Model(x, L.Dense(2)(L.Dense(4)(x)))


@table()
def two_inputs(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,)), keras.Input((3,), name="other")
    h = L.concatenate([L.Dense(4)(a), L.Dense(4, name="hidden")(b)])
    return keras.Model([a, b], [L.Dense(2)(h), L.Dense(1, name="answer")(h)])


@table()
def residual_with_normalisation(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((8, 8, 3))
    h = L.Conv2D(3, 3, padding="same")(x)
    h = L.Activation("relu")(L.BatchNormalization()(h))
    return keras.Model(x, L.Dense(10)(L.GlobalAveragePooling2D()(L.Add()([x, h]))), name="residual")


@table()
def nested_and_shared(keras: Keras) -> Any:
    L = keras.layers
    tower = keras.Sequential([L.Dense(4, input_shape=(5,)), L.Dense(3)], name="tower")
    a, b = keras.Input((5,)), keras.Input((5,))
    return keras.Model([a, b], L.Dense(1)(L.subtract([tower(a), tower(b)])))


@table(expand_nested=True)
def nested_expanded(keras: Keras) -> Any:
    L = keras.layers
    z = keras.Input((5,))
    inner = keras.Model(z, L.add([L.Dense(5)(z), z]), name="inner")
    x = keras.Input((5,))
    return keras.Model(x, L.Dense(1)(inner(x)))


@table()
def recurrent_with_states(keras: Keras) -> Any:
    L = keras.layers
    source, target = keras.Input((None, 5)), keras.Input((None, 6))
    _, *states = L.LSTM(4, return_state=True)(source)
    sequence = L.LSTM(4, return_sequences=True, name="decoder")(target, initial_state=states)
    return keras.Model(
        [source, target], L.TimeDistributed(L.Dense(6))(L.Bidirectional(L.GRU(2, return_sequences=True))(sequence))
    )


@table(line_length=70, positions=[0.3, 0.6, 0.75, 1.0])
def narrow_with_long_names(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,), name="an_input_of_a_rather_long_name")
    h = [L.Dense(4, name=f"the_hidden_layer_number_{i}_of_three")(x) for i in range(3)]
    return keras.Model(x, L.concatenate(h, name="all_hidden_layers_together"))


@table(show_trainable=True)
def frozen(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    h = L.Dense(4, trainable=False)(x)
    return keras.Model(x, L.add([L.Dense(4)(h), L.BatchNormalization(trainable=False)(h)]))


@table()
def subclassed(keras: Keras) -> Any:
    L = keras.layers

    class Net(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.answer = L.Dense(4), L.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.answer(self.hidden(inputs))

    model = Net()
    model.build((None, 5))
    return model
