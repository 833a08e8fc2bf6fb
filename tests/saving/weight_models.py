"""Models whose weights Keras 2.15 and 3.15 wrote into files: one text builds each under every Keras and here.

Each function gets the module `keras` and returns a model and the shapes of its inputs; an input whose shape ends in a
`range` holds integers of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Made = tuple[Any, Sequence[tuple[Any, ...]]]
MODELS: dict[str, Callable[[Any], Made]] = {}


def model(function: Callable[[Any], Made]) -> Callable[[Any], Made]:
    """Enter a function into `MODELS` under its name."""
    MODELS[function.__name__] = function
    return function


def inputs(shapes: Sequence[tuple[Any, ...]], rows: int = 3) -> Any:
    """Return the inputs that predictions are computed from."""
    random = np.random.RandomState(5)
    arrays = []
    for shape in shapes:
        if isinstance(shape[-1], range):
            arrays.append(random.randint(shape[-1].start, shape[-1].stop, (rows, *shape[:-1])).astype("int32"))
        else:
            arrays.append(random.uniform(-1, 1, (rows, *shape)).astype("float32"))
    return arrays[0] if len(arrays) == 1 else arrays


def fill(net: Any, seed: int = 3) -> None:
    """Give every weight of floats values of its own; those of integers (seeds, counters) keep theirs."""
    random = np.random.RandomState(seed)
    values = [random.uniform(0.1, 0.6, w.shape).astype("float32") for w in net.get_weights()]
    net.set_weights([v if w.dtype.kind == "f" else w for v, w in zip(values, net.get_weights())])
    for layer in net.layers:
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()  # Keras computes with what it adapted to until it is told to look again …
            net.predict_function = None  # … and a function that was traced keeps it


def chain(keras: Any, shape: tuple[Any, ...], *layers: Any) -> Made:
    """Return a Sequential model."""
    kind = {"dtype": "int32"} if isinstance(shape[-1], range) else {}
    return keras.Sequential([keras.Input(_sizes(shape), **kind), *layers]), [shape]


def _sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if not isinstance(size, range))


# --- chains ----------------------------------------------------------------------------------------------------------


@model
def dense(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras, (4,), L.Dense(3, activation="relu", name="first"), L.Dense(3, use_bias=False), L.Dense(2, name="a")
    )


@model
def twelve_layers_of_a_class(keras: Any) -> Made:  # dense_10 sorts before dense_2
    return chain(keras, (3,), *[keras.layers.Dense(3, activation="tanh") for _ in range(12)])


@model
def convolutions(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras,
        (9, 9, 2),
        L.Conv2D(3, 3, activation="relu"),
        L.BatchNormalization(),
        L.DepthwiseConv2D(3, depth_multiplier=2),
        L.SeparableConv2D(4, 3),
        L.Conv2DTranspose(2, 3),
        L.MaxPooling2D(),
        L.Flatten(),
        L.Dropout(0.5),
        L.Dense(2),
    )


@model
def convolutions_1d(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras,
        (12, 2),
        L.Conv1D(3, 3, padding="causal"),
        L.SeparableConv1D(4, 3),
        L.DepthwiseConv1D(2),
        L.Conv1DTranspose(3, 2, strides=2),
        L.GlobalAveragePooling1D(),
    )


@model
def convolutions_3d(keras: Any) -> Made:
    L = keras.layers
    return chain(keras, (4, 5, 4, 2), L.Conv3D(3, 2), L.Conv3DTranspose(2, 2), L.GlobalMaxPooling3D())


@model
def normalisations(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras,
        (6, 4),
        L.BatchNormalization(scale=False),
        L.LayerNormalization(),
        L.GroupNormalization(2),
        L.UnitNormalization(),
        L.BatchNormalization(center=False),
        L.LayerNormalization(center=False),
        L.Dense(2),
    )


@model
def embedding_lstm(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras, (7, range(1, 9)), L.Embedding(9, 4, mask_zero=True), L.LSTM(3), L.Dense(1, activation="sigmoid")
    )


@model
def recurrent(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras,
        (5, 3),
        L.LSTM(3, return_sequences=True, unit_forget_bias=False),
        L.GRU(2, return_sequences=True),
        L.GRU(3, reset_after=False, return_sequences=True, use_bias=False),
        L.SimpleRNN(2, return_sequences=True),
        L.LSTM(2, use_bias=False),
    )


@model
def recurrent_with_dropout(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras,
        (5, 3),
        L.LSTM(3, return_sequences=True, dropout=0.2, recurrent_dropout=0.1),
        L.Bidirectional(L.GRU(2, return_sequences=True, dropout=0.3)),
        L.SimpleRNN(2, recurrent_dropout=0.3),
    )


@model
def cells(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras,
        (5, 3),
        L.RNN(L.LSTMCell(3), return_sequences=True),
        L.RNN([L.GRUCell(2), L.SimpleRNNCell(4), L.GRUCell(3)], return_sequences=True),
        L.RNN(L.StackedRNNCells([L.LSTMCell(2)])),
    )


@model
def bidirectional(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras,
        (5, 3),
        L.Bidirectional(L.LSTM(2, return_sequences=True), name="ways"),
        L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum"),
        L.Bidirectional(
            L.LSTM(2, return_sequences=True), backward_layer=L.GRU(2, return_sequences=True, go_backwards=True)
        ),
        L.Bidirectional(L.RNN([L.LSTMCell(2), L.GRUCell(2)])),
    )


@model
def stateful(keras: Any) -> Made:
    L = keras.layers
    net = keras.Sequential([keras.Input(batch_shape=(3, 4, 2)), L.LSTM(2, stateful=True), L.Dense(1)])
    return net, [(4, 2)]


@model
def time_distributed(keras: Any) -> Made:
    L = keras.layers
    inner = keras.Sequential([keras.Input((4, 4, 1)), L.Conv2D(2, 3), L.Flatten(), L.Dense(3)])
    return chain(keras, (3, 4, 4, 1), L.TimeDistributed(inner), L.TimeDistributed(L.Dense(2)), L.LSTM(2))


@model
def convolutional_recurrent(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras,
        (3, 5, 5, 1),
        L.ConvLSTM2D(2, 3, recurrent_activation="sigmoid", return_sequences=True),
        L.Bidirectional(L.ConvLSTM2D(1, 2, recurrent_activation="sigmoid")),
        L.GlobalAveragePooling2D(),
    )


@model
def convolutional_recurrent_1d(keras: Any) -> Made:
    L = keras.layers
    return chain(keras, (3, 6, 2), L.ConvLSTM1D(2, 3, recurrent_activation="sigmoid"), L.GlobalAveragePooling1D())


@model
def convolutional_recurrent_3d(keras: Any) -> Made:
    L = keras.layers
    return chain(keras, (2, 3, 3, 3, 1), L.ConvLSTM3D(2, 2, recurrent_activation="sigmoid"), L.GlobalAveragePooling3D())


@model
def activations(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras, (4, 3), L.PReLU(), L.Activation("tanh"), L.LeakyReLU(), L.PReLU(shared_axes=[1]), L.ReLU(), L.Softmax()
    )


@model
def noise(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras,
        (4, 3),
        L.GaussianNoise(0.1),
        L.GaussianDropout(0.2),
        L.SpatialDropout1D(0.2),
        L.Dense(3),
        L.Dropout(0.1),
        L.Dense(2),
    )


@model
def pictures(keras: Any) -> Made:
    L = keras.layers
    return chain(
        keras,
        (6, 6, 3),
        L.Rescaling(0.5),
        L.RandomFlip(),
        L.RandomRotation(0.1),
        L.CenterCrop(4, 4),
        L.Conv2D(2, 3),
        L.GlobalAveragePooling2D(),
    )


@model
def normalization(keras: Any) -> Made:
    L = keras.layers
    layer = L.Normalization()
    layer.adapt(np.array([[1.0, 2.0, 5.0], [3.0, 0.0, 9.0], [2.0, 4.0, 4.0]], "float32"))
    return chain(keras, (3,), layer, L.Dense(2))


@model
def spectral_normalization(keras: Any) -> Made:
    L = keras.layers
    return chain(keras, (6, 2), L.SpectralNormalization(L.Conv1D(3, 2)), L.SpectralNormalization(L.Dense(2)))


@model
def einsum_dense(keras: Any) -> Made:
    L = keras.layers
    return chain(keras, (4, 3), L.EinsumDense("abc,cd->abd", output_shape=(None, 2), bias_axes="d"), L.Dense(1))


# --- graphs ----------------------------------------------------------------------------------------------------------


@model
def branches(keras: Any) -> Made:
    L = keras.layers
    a, b = keras.Input((4,)), keras.Input((3,))
    x, y = L.Dense(3, name="left")(a), L.Dense(3, name="right")(b)
    joined = L.Concatenate()([L.Add()([x, y]), L.Multiply()([x, y])])
    return keras.Model([a, b], [L.Dense(1, name="one")(joined), L.Dense(2, name="two")(y)]), [(4,), (3,)]


@model
def shared_layer(keras: Any) -> Made:
    L = keras.layers
    a, b, shared = keras.Input((4,)), keras.Input((4,)), L.Dense(3, name="shared")
    x = L.Subtract()([shared(a), shared(b)])
    return keras.Model([a, b], L.Dense(1)(L.Dense(3)(x))), [(4,), (4,)]


@model
def depth_order_is_not_order_of_making(keras: Any) -> Made:
    L = keras.layers
    last, first, middle = L.Dense(1, name="made_first"), L.Dense(3, name="made_second"), L.Dense(4, name="made_third")
    x = keras.Input((3,))
    return keras.Model(x, last(middle(first(x)))), [(3,)]


@model
def attention(keras: Any) -> Made:
    L = keras.layers
    x = keras.Input((5, 4))
    y = L.MultiHeadAttention(2, 3, name="heads")(x, x)
    y = L.LayerNormalization()(L.Add()([x, y]))
    z = L.MultiHeadAttention(1, 2, value_dim=3, use_bias=False, dropout=0.1)(y, x)
    return keras.Model(x, L.Dense(2)(z)), [(5, 4)]


@model
def older_attention(keras: Any) -> Made:
    L = keras.layers
    q, v = keras.Input((4, 3)), keras.Input((5, 3))
    return keras.Model([q, v], L.Dense(2)(L.AdditiveAttention()([L.Attention(use_scale=True)([q, v]), v]))), [
        (4, 3),
        (5, 3),
    ]


@model
def nested(keras: Any) -> Made:
    L = keras.layers
    deep = keras.Sequential([keras.Input((3,)), L.Dense(2), L.BatchNormalization()], name="deep")
    x = keras.Input((4,))
    middle = keras.Model(x, L.Dense(3)(deep(L.Dense(3)(x))), name="middle")
    other = keras.Sequential([keras.Input((4,)), L.Dense(3), L.Dense(3)], name="other")
    z = keras.Input((4,))
    return keras.Model(z, L.Dense(2)(L.Add()([middle(z), other(z)]))), [(4,)]


@model
def nested_in_a_chain(keras: Any) -> Made:
    L = keras.layers
    base = keras.Sequential([keras.Input((6, 6, 1)), L.Conv2D(2, 3), L.BatchNormalization(), L.Flatten()], name="base")
    return chain(keras, (6, 6, 1), base, L.Dense(3, activation="relu"), L.Dense(1))


@model
def frozen_base(keras: Any) -> Made:
    net, shapes = nested_in_a_chain(keras)
    net.layers[0].trainable = False
    return net, shapes


@model
def twice_the_same_model(keras: Any) -> Made:
    L = keras.layers
    tower = keras.Sequential([keras.Input((4,)), L.Dense(3), L.Dense(2)], name="tower")
    a, b = keras.Input((4,)), keras.Input((4,))
    return keras.Model([a, b], L.Dense(1)(L.Concatenate()([tower(a), tower(b)]))), [(4,), (4,)]


# --- classes of users ------------------------------------------------------------------------------------------------


@model
def subclass(keras: Any) -> Made:
    L = keras.layers

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = L.Dense(4, activation="relu")
            self.norm = L.BatchNormalization()
            self.out = L.Dense(2)

        def call(self, x: Any) -> Any:
            return self.out(self.norm(self.hidden(x)))

    return Net(), [(3,)]


@model
def subclass_whose_names_stand_around_layers(keras: Any) -> Made:
    L = keras.layers

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.zebra = L.Dense(4)
            self.d2 = L.Dense(3)
            self.d1 = L.Dense(5)
            self._hidden = L.Dense(4)
            self.mid = L.Dense(2)

        def call(self, x: Any) -> Any:
            return self.mid(self._hidden(self.d1(self.d2(self.zebra(x)))))

    return Net(), [(3,)]


@model
def subclass_with_containers(keras: Any) -> Made:
    L = keras.layers

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [L.Dense(3), L.LayerNormalization(), L.Dense(4)]
            self.heads = {"b": L.Dense(2), "a": L.Dense(2, use_bias=False)}

        def call(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)
            return self.heads["a"](x) + self.heads["b"](x)

    return Net(), [(3,)]


@model
def layer_of_users(keras: Any) -> Made:
    L = keras.layers

    class Block(L.Layer):
        def __init__(self, units: int) -> None:
            super().__init__()
            self.units = units
            self.inner = L.Dense(units)
            self.more = [L.Dense(units), L.Dense(units)]

        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(name="scale", shape=(self.units,), initializer="ones")
            self.count = self.add_weight(name="count", shape=(), initializer="zeros", trainable=False)
            self.shift = self.add_weight(name="shift", shape=(self.units,), initializer="zeros")
            self.inner.build(shape)
            for layer in self.more:
                layer.build((None, self.units))
            self.built = True

        def call(self, x: Any) -> Any:
            x = self.inner(x) * self.scale + self.shift
            for layer in self.more:
                x = layer(x)
            return x

    return chain(keras, (3,), Block(3), Block(2), L.Dense(1))


@model
def models_in_a_model_of_users(keras: Any) -> Made:
    L = keras.layers

    class Encoder(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = L.Dense(4)
            self.second = L.Dense(3)

        def call(self, x: Any) -> Any:
            return self.second(self.first(x))

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = Encoder()
            self.decoder = keras.Sequential([keras.Input((3,)), L.Dense(4), L.Dense(2)])

        def call(self, x: Any) -> Any:
            return self.decoder(self.encoder(x))

    return Net(), [(3,)]


@model
def subclass_of_sequential(keras: Any) -> Made:
    L = keras.layers

    class Chain(keras.Sequential):
        pass

    return Chain([keras.Input((3,)), L.Dense(4), L.Dense(2)]), [(3,)]


@model
def layers_and_models_of_one_class(keras: Any) -> Made:
    L = keras.layers

    class ResNet50Block(L.Layer):
        def build(self, shape: Any) -> None:
            self.w = self.add_weight(name="w", shape=(shape[-1],), initializer="ones")

        def call(self, x: Any) -> Any:
            return x * self.w

    return chain(keras, (3,), ResNet50Block(), ResNet50Block(), L.Dense(2))
