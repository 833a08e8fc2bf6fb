"""Models and arguments whose boxes and arrows are compared with those of Keras 2.15; each text builds it in both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def vgg(keras: Any) -> Any:
    L = keras.layers
    model = keras.models.Sequential()
    model.add(L.Conv2D(32, (3, 3), activation="relu", input_shape=(100, 100, 3)))
    model.add(L.Conv2D(32, (3, 3), activation="relu"))
    model.add(L.MaxPooling2D(pool_size=(2, 2)))
    model.add(L.Dropout(0.25))
    model.add(L.Flatten())
    model.add(L.Dense(256, activation="relu"))
    model.add(L.Dropout(0.5))
    model.add(L.Dense(10, activation="softmax"))
    return model


def lstm(keras: Any) -> Any:
    L = keras.layers
    return keras.models.Sequential(
        [
            L.LSTM(32, return_sequences=True, stateful=True, batch_input_shape=(32, 8, 16)),
            L.LSTM(32, return_sequences=True, stateful=True),
            L.LSTM(32, stateful=True),
            L.Dense(10, activation="softmax"),
        ]
    )


def with_input(keras: Any) -> Any:
    L = keras.layers
    return keras.models.Sequential([keras.Input((3,), name="x"), L.Dense(2, name="a"), L.Dense(1, name="b")])


def built_late(keras: Any) -> Any:
    L = keras.layers
    model = keras.models.Sequential([L.Dense(2, name="a"), L.Activation("tanh", name="b")])
    model.build((None, 3))
    return model


def inception(keras: Any) -> Any:
    L = keras.layers
    x = keras.Input((64, 64, 3), name="image")
    a = L.Conv2D(8, (3, 3), padding="same", name="a2")(L.Conv2D(8, (1, 1), padding="same", name="a1")(x))
    b = L.Conv2D(8, (5, 5), padding="same", name="b2")(L.Conv2D(8, (1, 1), padding="same", name="b1")(x))
    c = L.Conv2D(8, (1, 1), padding="same", name="c2")(L.MaxPooling2D((3, 3), (1, 1), "same", name="c1")(x))
    return keras.models.Model(x, L.concatenate([a, b, c], axis=3, name="joined"))


def shared(keras: Any) -> Any:
    L = keras.layers
    a, b = keras.Input((280, 256), name="tweet_a"), keras.Input((280, 256), name="tweet_b")
    lstm = L.LSTM(64, name="shared")
    joined = L.concatenate([lstm(a), lstm(b)], name="joined")
    return keras.models.Model([a, b], L.Dense(1, activation="sigmoid", name="out")(joined))


def shared_shapes(keras: Any) -> Any:
    """A layer whose calls differ in shape has no single one."""
    L = keras.layers
    a, b = keras.Input((16, 16, 3), name="a"), keras.Input((32, 32, 3), name="b")
    conv, pool = L.Conv2D(4, 3, name="conv"), L.GlobalMaxPooling2D(name="pool")
    return keras.models.Model([a, b], L.add([pool(conv(a)), pool(conv(b))], name="sum"))


def twice(keras: Any) -> Any:
    L = keras.layers
    x, dense = keras.Input((4,), name="x"), L.Dense(4, name="again")
    return keras.models.Model(x, L.Activation("relu", name="end")(dense(dense(x))))


def operators(keras: Any) -> Any:
    L = keras.layers
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    return keras.models.Model([a, b], L.Dense(1, name="out")(a + b * 2.0))


def wrapped(keras: Any) -> Any:
    L = keras.layers
    x = keras.Input((5, 8), name="x")
    y = L.Bidirectional(L.LSTM(4, return_sequences=True, name="lstm"), name="both")(x)
    y = L.TimeDistributed(L.Dense(3, name="dense"), name="steps")(y)
    return keras.models.Model(x, y)


def frozen(keras: Any) -> Any:
    model = with_input(keras)
    model.get_layer("a").trainable = False
    return model


def dictionary(keras: Any) -> Any:
    L = keras.layers
    inputs = {name: keras.Input((2,), name=name) for name in ("left", "right")}
    y = L.add(list(inputs.values()), name="sum")
    return keras.models.Model(inputs, {"y": y, "z": L.Dense(1, name="z")(y)})


def _vision(keras: Any) -> Any:
    L = keras.layers
    digit = keras.Input((28, 28, 1), name="digit")
    return keras.models.Model(digit, L.Flatten(name="flat")(L.Conv2D(4, 3, name="conv")(digit)), name="vision")


def nested(keras: Any) -> Any:
    L = keras.layers
    words = keras.models.Sequential(
        [L.Embedding(100, 8, input_length=10, name="embedding"), L.LSTM(8, name="lstm")], name="words"
    )
    vision = _vision(keras)
    a, b = keras.Input((28, 28, 1), name="a"), keras.Input((28, 28, 1), name="b")
    text = keras.Input((10,), name="text")
    joined = L.concatenate([vision(a), vision(b), words(text)], name="joined")
    return keras.models.Model([a, b, text], L.Dense(1, name="out")(joined), name="whole")


def nested_deep(keras: Any) -> Any:
    L = keras.layers
    x = keras.Input((28, 28, 1), name="x")
    middle = keras.models.Sequential([_vision(keras), L.Dense(3, name="dense")], name="middle")
    return keras.models.Model(x, middle(x))


def nested_in_wrapper(keras: Any) -> Any:
    L = keras.layers
    x = keras.Input((6, 28, 28, 1), name="frames")
    return keras.models.Model(x, L.LSTM(4, name="lstm")(L.TimeDistributed(_vision(keras), name="steps")(x)))


def subclassed(keras: Any) -> Any:
    class Own(keras.models.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name="own")
            self.dense = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Own()
    model.build((None, 3))
    return model


ALL = {
    "show_shapes": True,
    "show_dtype": True,
    "show_layer_names": True,
    "show_layer_activations": True,
    "show_trainable": True,
}
CASES: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "vgg": (vgg, {}),
    "vgg, shapes": (vgg, {"show_shapes": True}),
    "vgg, all": (vgg, ALL),
    "vgg, classes alone": (vgg, {"show_layer_names": False}),
    "vgg, shapes of classes": (vgg, {"show_shapes": True, "show_layer_names": False}),
    "vgg, types": (vgg, {"show_dtype": True}),
    "vgg, activations": (vgg, {"show_layer_activations": True}),
    "vgg, activations of classes": (vgg, {"show_layer_activations": True, "show_layer_names": False}),
    "vgg, trainable": (vgg, {"show_trainable": True}),
    "lstm": (lstm, ALL),
    "with_input": (with_input, {"show_shapes": True}),
    "built_late": (built_late, ALL),
    "inception": (inception, {"show_shapes": True, "rankdir": "LR"}),
    "inception, range": (inception, {"layer_range": ["image", "c2"]}),
    "shared": (shared, {"show_shapes": True}),
    "shared_shapes": (shared_shapes, {"show_shapes": True}),
    "twice": (twice, {}),
    "operators": (operators, {"show_shapes": True}),
    "wrapped": (wrapped, {"show_shapes": True}),
    "wrapped, nested": (wrapped, {"expand_nested": True, "show_layer_activations": True}),
    "frozen": (frozen, {"show_trainable": True, "show_shapes": True}),
    "dictionary": (dictionary, {"show_shapes": True}),
    "nested": (nested, {"show_shapes": True}),
    "nested, expanded": (nested, {"show_shapes": True, "expand_nested": True}),
    "nested_deep": (nested_deep, {"show_shapes": True}),
    "nested_deep, expanded": (nested_deep, {"show_shapes": True, "expand_nested": True}),
    "nested_in_wrapper": (nested_in_wrapper, {"show_shapes": True}),
    "nested_in_wrapper, expanded": (nested_in_wrapper, {"show_shapes": True, "expand_nested": True}),
    "nested_in_wrapper, all": (nested_in_wrapper, {**ALL, "expand_nested": True}),
    "subclassed": (subclassed, {}),
}
