"""Files of weights in the forms of older Keras, built by hand, and the models that they are loaded into.

The forms follow the sources of Keras 0.3, 1.0 to 1.2 and 2.0; what they hold is drawn at random. One text builds the
models under Keras 2.15, whose own `load_weights` says what each weight shall be, and here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """A file and a model.

    Attributes:
        model: Builds it, given the module `keras`.
        layers: Layer → the names and shapes of its arrays.
        version: The attribute `keras_version`; none before 2.0.
        backend: The attribute `backend`.
    """

    model: Callable[[Any], Any]
    layers: dict[str, list[tuple[str, tuple[int, ...]]]]
    version: str | None = None
    backend: str | None = None

    def write(self, root: Any, seed: int = 7) -> None:
        """Write the file, as Keras of that time does."""
        random = np.random.RandomState(seed)
        root.attrs["layer_names"] = [name.encode() for name in self.layers]
        for attribute, value in (("keras_version", self.version), ("backend", self.backend)):
            if value is not None:
                root.attrs[attribute] = value.encode()
        for name, weights in self.layers.items():
            place = root.create_group(name)
            place.attrs["weight_names"] = [weight.encode() for weight, _ in weights]
            for weight, shape in weights:
                place.create_dataset(weight, data=random.uniform(0.1, 1.0, shape).astype("float32"))


def _chain(shape: tuple[int, ...], *layers: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda keras: keras.Sequential([keras.Input(shape), *(layer(keras.layers) for layer in layers)])


def _named(name: str, *shapes: tuple[str, tuple[int, ...]]) -> list[tuple[str, tuple[int, ...]]]:
    return [(f"{name}_{weight}", shape) for weight, shape in shapes]


def _gates(name: str, order: str, *shapes: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
    return [(f"{name}_{weight}_{gate}", shape) for gate in order for weight, shape in zip("WUb", shapes)]


def _cudnn_model(keras: Any, name: str) -> Any:
    """Return a layer for cuDNN: in TensorFlow 2 among the names of version 1."""
    if hasattr(keras.layers, name):
        return getattr(keras.layers, name)
    import tensorflow

    return getattr(tensorflow.compat.v1.keras.layers, name)


def _cudnn(name: str) -> Callable[[Any], Any]:
    return lambda keras: keras.Sequential([keras.Input((5, 3)), _cudnn_model(keras, name)(4, name="r")])


_LSTM = [("r/kernel:0", (3, 16)), ("r/recurrent_kernel:0", (4, 16))]
_GRU = [("r/kernel:0", (3, 12)), ("r/recurrent_kernel:0", (4, 12))]

CASES = {
    "conv1d_of_1_1": Case(
        _chain((9, 2), lambda L: L.Conv1D(4, 3, name="c")), {"c": _named("c", ("W", (3, 1, 2, 4)), ("b", (4,)))}
    ),
    "conv1d_of_1_0": Case(
        _chain((9, 2), lambda L: L.Conv1D(4, 3, name="c")), {"c": _named("c", ("W", (4, 2, 3, 1)), ("b", (4,)))}
    ),
    "conv2d_of_tensorflow": Case(
        _chain((8, 9, 2), lambda L: L.Conv2D(4, (3, 2), name="c")),
        {"c": _named("c", ("W", (3, 2, 2, 4)), ("b", (4,)))},
    ),
    "conv2d_of_theano": Case(
        _chain((2, 8, 9), lambda L: L.Conv2D(4, (3, 2), data_format="channels_first", name="c")),
        {"c": _named("c", ("W", (4, 2, 3, 2)), ("b", (4,)))},
    ),
    "square_conv2d_of_theano": Case(
        _chain((3, 8, 9), lambda L: L.Conv2D(3, 3, data_format="channels_first", name="c")),
        {"c": _named("c", ("W", (3, 3, 3, 3)), ("b", (3,)))},
    ),
    "conv3d_of_theano": Case(
        _chain((2, 5, 6, 7), lambda L: L.Conv3D(3, (2, 3, 4), data_format="channels_first", name="c")),
        {"c": _named("c", ("W", (3, 2, 2, 3, 4)), ("b", (3,)))},
    ),
    "deconvolution": Case(
        _chain((8, 9, 2), lambda L: L.Conv2DTranspose(4, (3, 2), name="c")),
        {"c": _named("c", ("W", (3, 2, 2, 4)), ("b", (4,)))},
    ),
    "square_deconvolution": Case(
        _chain((8, 9, 3), lambda L: L.Conv2DTranspose(3, 3, name="c")),
        {"c": _named("c", ("W", (3, 3, 3, 3)), ("b", (3,)))},
    ),
    "deconvolution_of_theano": Case(
        _chain((2, 8, 9), lambda L: L.Conv2DTranspose(4, (3, 2), data_format="channels_first", name="c")),
        {"c": _named("c", ("W", (4, 2, 3, 2)), ("b", (4,)))},
    ),
    "lstm_of_1": Case(_chain((5, 3), lambda L: L.LSTM(4, name="r")), {"r": _gates("r", "icfo", (3, 4), (4, 4), (4,))}),
    "square_lstm_of_1": Case(
        _chain((5, 4), lambda L: L.LSTM(4, name="r")), {"r": _gates("r", "icfo", (4, 4), (4, 4), (4,))}
    ),
    "lstm_of_1_for_the_gpu": Case(
        _chain((5, 3), lambda L: L.LSTM(4, name="r")),
        {"r": _named("r", ("W", (3, 16)), ("U", (4, 16)), ("b", (16,)))},
    ),
    "gru_of_1": Case(
        _chain((5, 3), lambda L: L.GRU(4, reset_after=False, name="r")),
        {"r": _gates("r", "zrh", (3, 4), (4, 4), (4,))},
    ),
    "simple_rnn_of_1": Case(
        _chain((5, 3), lambda L: L.SimpleRNN(4, name="r")),
        {"r": _named("r", ("W", (3, 4)), ("U", (4, 4)), ("b", (4,)))},
    ),
    "bidirectional_of_1": Case(
        _chain((5, 3), lambda L: L.Bidirectional(L.LSTM(4), name="r")),
        {
            "r": [
                *_gates("forward_r", "icfo", (3, 4), (4, 4), (4,)),
                *_gates("backward_r", "icfo", (3, 4), (4, 4), (4,)),
            ]
        },
    ),
    "time_distributed_of_1": Case(
        _chain((2, 5, 3), lambda L: L.TimeDistributed(L.LSTM(4), name="t")),
        {"t": _gates("r", "icfo", (3, 4), (4, 4), (4,))},
    ),
    "conv_lstm_of_1": Case(
        _chain((3, 8, 9, 2), lambda L: L.ConvLSTM2D(4, (3, 2), name="r")),
        {"r": _gates("r", "icfo", (3, 2, 2, 4), (3, 2, 4, 4), (4,))},
    ),
    "batch_normalization_of_1": Case(
        _chain((4,), lambda L: L.BatchNormalization(name="n")),
        {"n": _named("n", *((weight, (4,)) for weight in ("gamma", "beta", "running_mean", "running_std")))},
    ),
    "model_in_a_model_of_1": Case(
        lambda keras: keras.Sequential(
            [
                keras.Input((5, 3)),
                keras.Sequential(
                    [
                        keras.Input((5, 3)),
                        keras.layers.BatchNormalization(),
                        keras.layers.BatchNormalization(),
                        keras.layers.Conv1D(2, 3),
                    ],
                    name="m",
                ),
                keras.layers.Dense(2, name="d"),
            ]
        ),
        {
            "m": [
                *_named("n", ("gamma", (3,)), ("beta", (3,))),
                *_named("o", ("gamma", (3,)), ("beta", (3,))),
                *_named("c", ("W", (3, 1, 3, 2)), ("b", (2,))),
                *_named("n", ("running_mean", (3,)), ("running_std", (3,))),
                *_named("o", ("running_mean", (3,)), ("running_std", (3,))),
            ],
            "d": _named("d", ("W", (2, 2)), ("b", (2,))),
        },
    ),
    "cudnn_lstm_into_lstm": Case(
        _chain((5, 3), lambda L: L.LSTM(4, name="r")), {"r": [*_LSTM, ("r/bias:0", (32,))]}, "2.2.4", "tensorflow"
    ),
    "lstm_into_cudnn_lstm": Case(_cudnn("CuDNNLSTM"), {"r": [*_LSTM, ("r/bias:0", (16,))]}, "2.2.4", "tensorflow"),
    "cudnn_gru_into_gru": Case(
        _chain((5, 3), lambda L: L.GRU(4, name="r")), {"r": [*_GRU, ("r/bias:0", (24,))]}, "2.2.4", "tensorflow"
    ),
    "gru_into_cudnn_gru": Case(_cudnn("CuDNNGRU"), {"r": [*_GRU, ("r/bias:0", (2, 12))]}, "2.2.4", "tensorflow"),
    "cudnn_in_bidirectional": Case(
        _chain((5, 3), lambda L: L.Bidirectional(L.LSTM(4), name="r")),
        {
            "r": [
                (f"r/{way}/{weight}:0", shape)
                for way in ("forward_lstm", "backward_lstm")
                for weight, shape in (("kernel", (3, 16)), ("recurrent_kernel", (4, 16)), ("bias", (32,)))
            ]
        },
        "2.2.4",
        "tensorflow",
    ),
    "cudnn_in_a_model": Case(
        lambda keras: keras.Sequential(
            [
                keras.Input((5, 3)),
                keras.Sequential(
                    [keras.Input((5, 3)), keras.layers.Dense(3, name="d"), keras.layers.GRU(4, name="r")], name="m"
                ),
            ]
        ),
        {"m": [("d/kernel:0", (3, 3)), ("d/bias:0", (3,)), *_GRU, ("r/bias:0", (24,))]},
        "2.2.4",
        "tensorflow",
    ),
}

# Case → what Keras says of a file that is another function.
REFUSED = {
    "gru_without_reset_into_gru": Case(
        _chain((5, 3), lambda L: L.GRU(4, name="r")), {"r": [*_GRU, ("r/bias:0", (12,))]}, "2.2.4", "tensorflow"
    ),
    "cudnn_gru_into_gru_without_reset": Case(
        _chain((5, 3), lambda L: L.GRU(4, reset_after=False, name="r")),
        {"r": [*_GRU, ("r/bias:0", (24,))]},
        "2.2.4",
        "tensorflow",
    ),
    "gru_without_reset_into_cudnn_gru": Case(
        _cudnn("CuDNNGRU"), {"r": [*_GRU, ("r/bias:0", (12,))]}, "2.2.4", "tensorflow"
    ),
}
