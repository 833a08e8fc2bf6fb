"""Bidirectional, TimeDistributed and RNN over cells."""

from __future__ import annotations

from typing import Any

from ..case import Case, Keras, Table, labels, padded, real, tokens
from .masks import show_mask

TABLE = Table()
MERGE_MODES = ("sum", "mul", "ave", "concat", None)
RECURRENT = ("LSTM", "GRU", "SimpleRNN")


def _bidirectional(layer: str, merge_mode: str | None, sequences: bool) -> Any:
    def build(keras: Keras) -> Any:
        L = keras.layers
        x = keras.Input((5, 3))
        inner = getattr(L, layer)(3, return_sequences=sequences)
        h = L.Bidirectional(inner, merge_mode=merge_mode)(x)
        if merge_mode is None:
            forward, backward = h
            return keras.Model(x, [L.Dense(2)(forward), L.Dense(1)(backward)])
        return keras.Model(x, L.Dense(2)(h))

    return build


for _layer in RECURRENT:
    for _mode in MERGE_MODES:
        _sequences = (RECURRENT.index(_layer) + MERGE_MODES.index(_mode)) % 2 == 0
        _steps = (5,) if _sequences else ()
        _y: Any = [real(*_steps, 2), real(*_steps, 1)] if _mode is None else real(*_steps, 2)
        _name = f"bidirectional_{_layer}_{_mode}".lower()
        TABLE.append(Case(_name, _bidirectional(_layer, _mode, _sequences), real(5, 3), _y, {"loss": "mse"}))


@TABLE.case(x=padded(5, 3), y=real(2))
def bidirectional_with_a_backward_layer(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5, 3))
    backward = L.LSTM(2, activation="relu", return_sequences=True, go_backwards=True)
    h = L.Bidirectional(L.LSTM(4, return_sequences=True), backward_layer=backward)(L.Masking()(x))
    return keras.Model(x, L.Dense(2)(L.GRU(3)(h)))


@TABLE.case(x=real(5, 3), y=real(5, 2))
def bidirectional_stacked(keras: Keras) -> Any:
    L = keras.layers
    model = keras.Sequential()
    model.add(L.Bidirectional(L.LSTM(3, return_sequences=True), input_shape=(5, 3)))
    model.add(L.Bidirectional(L.SimpleRNN(2, return_sequences=True), merge_mode="sum"))
    model.add(L.TimeDistributed(L.Dense(2)))
    return model


@TABLE.case(x=real(5, 3), y=[real(6), real(12)], compile={"loss": ["mse", "mse"]})
def bidirectional_states(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5, 3))
    outputs = L.Bidirectional(L.LSTM(3, return_state=True))(x)
    return keras.Model(x, [outputs[0], L.concatenate(outputs[1:])])


@TABLE.case(x=[real(5, 3), real(4, 3)], y=real(2))
def bidirectional_initial_state(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5, 3)), keras.Input((4, 3))
    _, *states = L.Bidirectional(L.GRU(3, return_state=True))(a)
    h = L.Bidirectional(L.GRU(3))(b, initial_state=states)
    return keras.Model([a, b], L.Dense(2)(h))


def _reset(keras: Keras, parts: dict[str, Any], x: Any) -> Any:
    model = parts["model"]
    model.reset_states()
    return [model.predict(x[:8], batch_size=8, verbose=0) for _ in range(2)]


@TABLE.case(x=real(4, 3), y=real(2), rows=16, epochs=25, after=_reset)
def bidirectional_stateful(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input(batch_shape=(8, 4, 3))
    return keras.Model(x, L.Dense(2)(L.Bidirectional(L.GRU(3, stateful=True))(x)))


@TABLE.case(x=real(4, 3), y=[real(2), real(3)], rows=16, epochs=25, after=_reset)
def stateful_with_two_outputs(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input(batch_shape=(8, 4, 3))
    h, last_h, last_c = L.LSTM(3, stateful=True, return_state=True)(x)
    return keras.Model(x, [L.Dense(2)(h), L.add([last_h, last_c])])


@TABLE.case(x=real(5, 3), y=real(5, 2))
def time_distributed_dense(keras: Keras) -> Any:
    L = keras.layers
    return keras.Sequential([L.TimeDistributed(L.Dense(4, activation="tanh"), input_shape=(5, 3)), L.Dense(2)])


@TABLE.case(x=real(3, 6, 6, 1), y=labels(3), compile={"loss": "sparse_categorical_crossentropy"})
def time_distributed_cnn(keras: Keras) -> Any:
    L = keras.layers
    model = keras.Sequential()
    model.add(L.TimeDistributed(L.Conv2D(2, 3, activation="relu"), input_shape=(3, 6, 6, 1)))
    model.add(L.TimeDistributed(L.MaxPooling2D(2)))
    model.add(L.TimeDistributed(L.Flatten()))
    model.add(L.LSTM(4))
    model.add(L.Dense(3, activation="softmax"))
    return model


@TABLE.case(x=real(3, 6, 6, 1), y=real(1))
def time_distributed_sequential(keras: Keras) -> Any:
    L = keras.layers
    cnn = keras.Sequential([L.Conv2D(2, 3, input_shape=(6, 6, 1)), L.MaxPooling2D(), L.Flatten(), L.Dense(3)])
    frames = keras.Input((3, 6, 6, 1))
    return keras.Model(frames, L.Dense(1)(L.GRU(3)(L.TimeDistributed(cnn)(frames))))


@TABLE.case(x=[real(3, 6, 6, 1), real(6, 6, 1)], y=real(1))
def time_distributed_and_plain(keras: Keras) -> Any:
    """One model reads single frames and, through TimeDistributed, films: Keras's example of questions about videos."""
    L = keras.layers
    z = keras.Input((6, 6, 1))
    eye = keras.Model(z, L.Dense(3)(L.Flatten()(L.Conv2D(2, 3, activation="relu")(z))))
    film, frame = keras.Input((3, 6, 6, 1)), keras.Input((6, 6, 1))
    seen = L.LSTM(3)(L.TimeDistributed(eye)(film))
    return keras.Model([film, frame], L.Dense(1)(L.concatenate([seen, eye(frame)])))


@TABLE.case(x=real(3, 4, 2), y=real(3, 2))
def time_distributed_lstm(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((3, 4, 2))
    h = L.TimeDistributed(L.LSTM(3))(x)
    return keras.Model(x, L.TimeDistributed(L.Dense(2))(h))


@TABLE.case(x=[real(4, 3), real(5, 3)], y=real(2))
def time_distributed_shared(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((4, 3)), keras.Input((5, 3))
    shared = L.TimeDistributed(L.Dense(3, activation="relu"))
    h = L.Concatenate(axis=1)([shared(a), shared(b)])
    return keras.Model([a, b], L.Dense(2)(L.GlobalMaxPooling1D()(h)))


@TABLE.case(x=padded(5, 3), y=real(5, 2))
def time_distributed_of_masked_steps(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5, 3))
    h = L.TimeDistributed(L.Dense(4, activation="tanh"))(L.Masking()(x))
    return keras.Model(x, L.TimeDistributed(L.Dense(2))(L.LSTM(3, return_sequences=True)(h)))


@TABLE.case(x=real(5, 3), y=real(2))
def bidirectional_in_time_distributed(keras: Keras) -> Any:
    """A hierarchy: words to sentences, sentences to a document."""
    L = keras.layers
    x = keras.Input((5, 3))
    sentences = L.Reshape((5, 3, 1))(x)
    h = L.TimeDistributed(L.Bidirectional(L.GRU(2)))(sentences)
    return keras.Model(x, L.Dense(2)(L.Bidirectional(L.GRU(3))(h)))


@TABLE.case(x=real(5, 3), y=real(2))
def stacked_cells(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5, 3))
    return keras.Model(x, L.Dense(2)(L.RNN([L.LSTMCell(4), L.LSTMCell(3)])(x)))


@TABLE.case(x=padded(5, 3), y=[real(5, 2), real(5)], compile={"loss": ["mse", "mse"]})
def stacked_cells_with_states(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5, 3))
    cells = L.StackedRNNCells([L.GRUCell(3), L.SimpleRNNCell(2)])
    sequence, first, second = L.RNN(cells, return_sequences=True, return_state=True)(L.Masking()(x))
    return keras.Model(x, [sequence, L.concatenate([first, second])])


def _rnn_of_cell(cell: str) -> Any:
    def build(keras: Keras) -> Any:
        L = keras.layers
        x = keras.Input((5, 3))
        return keras.Model(x, L.Dense(2)(L.RNN(getattr(L, cell)(4), go_backwards=True)(x)))

    return build


for _cell in ("SimpleRNNCell", "GRUCell", "LSTMCell"):
    TABLE.append(Case(f"rnn_of_{_cell.lower()}", _rnn_of_cell(_cell), real(5, 3), real(2), {"loss": "mse"}))


def _minimal_cell(keras: Keras) -> Any:
    """Return the cell of Keras's documentation of RNN."""
    K = keras.backend

    class MinimalCell(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, units: int, **kwargs: Any) -> None:
            self.units = units
            self.state_size = units
            super().__init__(**kwargs)

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
            self.recurrent_kernel = self.add_weight(
                shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
            )
            self.built = True

        def call(self, inputs: Any, states: Any) -> Any:
            output = K.tanh(K.dot(inputs, self.kernel) + K.dot(states[0], self.recurrent_kernel))
            return output, [output]

    return MinimalCell


@TABLE.case(x=padded(5, 3), y=real(2))
def cell_of_ones_own(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5, 3))
    return keras.Model(x, L.Dense(2)(L.RNN(_minimal_cell(keras)(4))(L.Masking()(x))))


@TABLE.case(x=real(5, 3), y=real(2))
def stacked_cells_of_ones_own(keras: Keras) -> Any:
    L = keras.layers
    Cell = _minimal_cell(keras)
    x = keras.Input((5, 3))
    return keras.Model(x, L.Dense(2)(L.Bidirectional(L.RNN([Cell(4), L.GRUCell(3)]))(x)))


@TABLE.case(x=[real(5, 3), real(2)], y=real(2))
def cell_with_constants(keras: Keras) -> Any:
    K = keras.backend

    class CellWithConstants(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, units: int, constants: int, **kwargs: Any) -> None:
            self.units, self.constants = units, constants
            self.state_size = units
            super().__init__(**kwargs)

        def build(self, input_shape: Any) -> None:  # the shape of a step alone
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
            self.constant_kernel = self.add_weight(shape=(self.constants, self.units), name="constant_kernel")
            self.built = True

        def call(self, inputs: Any, states: Any, constants: Any) -> Any:
            output = K.dot(inputs, self.kernel) + 0.5 * states[0] + K.dot(constants[0], self.constant_kernel)
            return output, [output]

    L = keras.layers
    x, constant = keras.Input((5, 3)), keras.Input((2,))
    h = L.RNN(CellWithConstants(4, 2))(x, constants=constant)
    return keras.Model([x, constant], L.Dense(2)(h))


@TABLE.case(x=[real(5, 3), real(4)], y=real(2))
def initial_state_from_a_layer(keras: Keras) -> Any:
    """A picture's code starts the recurrent layer that writes its caption."""
    L = keras.layers
    x, code = keras.Input((5, 3)), keras.Input((4,))
    h = L.GRU(3, return_sequences=True)(x, initial_state=L.Dense(3, activation="tanh")(code))
    return keras.Model([x, code], L.Dense(2)(L.SimpleRNN(3)(h, initial_state=[L.Dense(3)(code)])))


@TABLE.case(x=[real(5, 3), real(4), real(4)], y=real(2))
def initial_state_in_the_list_of_inputs(keras: Keras) -> Any:
    L = keras.layers
    x, h, c = keras.Input((5, 3)), keras.Input((4,)), keras.Input((4,))
    return keras.Model([x, h, c], L.Dense(2)(L.LSTM(4)([x, h, c])))


@TABLE.case(x=real(5), y=real(4), train_forward=True)
def spectral_normalization(keras: Keras) -> Any:
    x = keras.Input((5,))
    return keras.Model(x, keras.layers.SpectralNormalization(keras.layers.Dense(4))(x))


@TABLE.case(x=padded(6, 3), y=[real(6, 4), real(6)], compile={"loss": ["mse", None]}, train_forward=True)
def spectral_normalization_twice(keras: Keras) -> Any:
    """One layer stands in two places: each call divides the kernel again."""
    L = keras.layers
    x = keras.Input((6, 3))
    layer = L.SpectralNormalization(
        L.Dense(3, kernel_regularizer="l2", kernel_constraint="non_neg", activation="tanh"), power_iterations=3
    )
    h = layer(layer(L.Masking()(x)))
    return keras.Model(x, [L.Dense(4)(h), show_mask(keras, h)])


@TABLE.case(x=real(6, 5, 2), y=real(2), train_forward=True, rate=0.01)
def spectral_normalization_of_images(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6, 5, 2))
    h = L.SpectralNormalization(L.Conv2D(3, 3, strides=2, padding="same"), power_iterations=2)(x)
    return keras.Model(x, L.Dense(2)(L.Flatten()(L.LeakyReLU()(h))))


@TABLE.case(x=tokens(6, 9), y=real(2), train_forward=True)
def spectral_normalization_of_embeddings(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6,), dtype="int32")
    return keras.Model(x, L.Dense(2)(L.Flatten()(L.SpectralNormalization(L.Embedding(9, 4))(x))))
