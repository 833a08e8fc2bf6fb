"""Encoders and decoders: training, and the two models that decode afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Keras, Table, onehot, real, tokens

TABLE = Table()
LATENT, SOURCE, TARGET, STEPS = 4, 5, 6, 4
CLASSES = {"loss": "categorical_crossentropy", "metrics": ["accuracy"]}


def _decode(keras: Keras, parts: dict[str, Any], x: Any) -> Any:
    """Decode greedily, one step at a time, as Keras's example lstm_seq2seq does; return probabilities and states."""
    encoder, decoder = parts["encoder"], parts["decoder"]
    seen = []
    for row in range(3):
        states = _listed(encoder.predict(x[0][row : row + 1], verbose=0))
        token = np.zeros((1, 1, TARGET), "float32")
        token[0, 0, 0] = 1
        for _ in range(STEPS):
            probabilities, *states = decoder.predict([token, *states], verbose=0)
            seen += [probabilities, *states]
            token = np.eye(TARGET, dtype="float32")[probabilities[:, -1].argmax(-1)][:, None]
    return seen


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


@TABLE.case(x=[real(5, SOURCE), onehot(TARGET, 4)], y=onehot(TARGET, 4), compile=CLASSES, after=_decode)
def seq2seq_lstm(keras: Keras) -> Any:
    L = keras.layers
    encoder_inputs = keras.Input((None, SOURCE))
    _, state_h, state_c = L.LSTM(LATENT, return_state=True)(encoder_inputs)
    states = [state_h, state_c]
    decoder_inputs = keras.Input((None, TARGET))
    decoder_lstm = L.LSTM(LATENT, return_sequences=True, return_state=True)
    sequence, _, _ = decoder_lstm(decoder_inputs, initial_state=states)
    decoder_dense = L.Dense(TARGET, activation="softmax")
    model = keras.Model([encoder_inputs, decoder_inputs], decoder_dense(sequence))

    encoder = keras.Model(encoder_inputs, states)
    states_in = [keras.Input((LATENT,)), keras.Input((LATENT,))]
    sequence, *states_out = decoder_lstm(decoder_inputs, initial_state=states_in)
    decoder = keras.Model([decoder_inputs, *states_in], [decoder_dense(sequence), *states_out])
    return {"model": model, "encoder": encoder, "decoder": decoder}


def _restored(keras: Keras, parts: dict[str, Any], x: Any) -> Any:
    """Take encoder and decoder out of the trained model alone, as Keras's example lstm_seq2seq_restore does."""
    model = parts["model"]
    encoder_inputs = model.input[0]
    _, state_h, state_c = model.get_layer("encoder").output
    encoder = keras.Model(encoder_inputs, [state_h, state_c])
    decoder_inputs = model.input[1]
    states_in = [keras.Input((LATENT,), name="input_h"), keras.Input((LATENT,), name="input_c")]
    sequence, state_h, state_c = model.get_layer("decoder")(decoder_inputs, initial_state=states_in)
    probabilities = model.get_layer("probabilities")(sequence)
    decoder = keras.Model([decoder_inputs, *states_in], [probabilities, state_h, state_c])
    return _decode(keras, {"encoder": encoder, "decoder": decoder}, x)


@TABLE.case(x=[real(5, SOURCE), onehot(TARGET, 4)], y=onehot(TARGET, 4), compile=CLASSES, after=_restored)
def seq2seq_restored_from_the_model(keras: Keras) -> Any:
    L = keras.layers
    source, target = keras.Input((None, SOURCE)), keras.Input((None, TARGET))
    _, *states = L.LSTM(LATENT, return_state=True, name="encoder")(source)
    sequence, _, _ = L.LSTM(LATENT, return_sequences=True, return_state=True, name="decoder")(
        target, initial_state=states
    )
    return keras.Model([source, target], L.Dense(TARGET, activation="softmax", name="probabilities")(sequence))


@TABLE.case(x=[real(5, SOURCE), onehot(TARGET, 4)], y=onehot(TARGET, 4), compile=CLASSES, after=_decode)
def seq2seq_gru(keras: Keras) -> Any:
    L = keras.layers
    source, target = keras.Input((None, SOURCE)), keras.Input((None, TARGET))
    _, state = L.GRU(LATENT, return_state=True)(source)
    decoder_gru = L.GRU(LATENT, return_sequences=True, return_state=True)
    sequence, _ = decoder_gru(target, initial_state=state)
    dense = L.Dense(TARGET, activation="softmax")
    model = keras.Model([source, target], dense(sequence))
    state_in = keras.Input((LATENT,))
    sequence, state_out = decoder_gru(target, initial_state=state_in)
    decoder = keras.Model([target, state_in], [dense(sequence), state_out])
    return {"model": model, "encoder": keras.Model(source, state), "decoder": decoder}


@TABLE.case(x=[tokens(5, 8), tokens(4, 9)], y=onehot(9, 4), compile=CLASSES)
def seq2seq_of_masked_tokens(keras: Keras) -> Any:
    L = keras.layers
    source, target = keras.Input((5,), dtype="int32"), keras.Input((4,), dtype="int32")
    _, h, c = L.LSTM(LATENT, return_state=True)(L.Embedding(8, 3, mask_zero=True)(source))
    sequence = L.LSTM(LATENT, return_sequences=True)(L.Embedding(9, 3, mask_zero=True)(target), initial_state=[h, c])
    return keras.Model([source, target], L.TimeDistributed(L.Dense(9, activation="softmax"))(sequence))


@TABLE.case(x=[real(5, 3), real(4, 3)], y=real(4, 2))
def seq2seq_bidirectional_encoder(keras: Keras) -> Any:
    L = keras.layers
    source, target = keras.Input((5, 3)), keras.Input((4, 3))
    _, fh, fc, bh, bc = L.Bidirectional(L.LSTM(2, return_state=True))(source)
    states = [L.Concatenate()([fh, bh]), L.Concatenate()([fc, bc])]
    sequence = L.LSTM(4, return_sequences=True)(target, initial_state=states)
    return keras.Model([source, target], L.Dense(2)(sequence))


@TABLE.case(x=real(5, 3), y=real(4, 2))
def seq2seq_by_repeat_vector(keras: Keras) -> Any:
    L = keras.layers
    model = keras.Sequential()
    model.add(L.LSTM(4, input_shape=(5, 3)))
    model.add(L.RepeatVector(4))
    model.add(L.LSTM(4, return_sequences=True))
    model.add(L.TimeDistributed(L.Dense(2)))
    return model


@TABLE.case(x=real(5, 2), y=[real(5, 2), real(4, 2)])
def composite_lstm_autoencoder(keras: Keras) -> Any:
    """One encoder, one decoder that writes the sequence again and one that writes what comes next."""
    L = keras.layers
    x = keras.Input((5, 2))
    code = L.LSTM(4, activation="relu")(x)
    again = L.TimeDistributed(L.Dense(2))(L.LSTM(4, activation="relu", return_sequences=True)(L.RepeatVector(5)(code)))
    after = L.TimeDistributed(L.Dense(2))(L.LSTM(4, activation="relu", return_sequences=True)(L.RepeatVector(4)(code)))
    return keras.Model(x, [again, after])


@TABLE.case(x=[real(5, 3), real(4, 3)], y=real(4, 2))
def attention_by_layers(keras: Keras) -> Any:
    """Luong attention written with Dot, Softmax and Concatenate."""
    L = keras.layers
    source, target = keras.Input((5, 3)), keras.Input((4, 3))
    encoded, h, c = L.LSTM(4, return_sequences=True, return_state=True)(source)
    decoded = L.LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    scores = L.Activation("softmax")(L.dot([decoded, encoded], axes=[2, 2]))
    context = L.dot([scores, encoded], axes=[2, 1])
    h = L.TimeDistributed(L.Dense(4, activation="tanh"))(L.concatenate([context, decoded]))
    return keras.Model([source, target], L.TimeDistributed(L.Dense(2))(h))


@TABLE.case(x=[real(5, 3), real(4), real(4)], y=real(2))
def attention_by_repeated_dense(keras: Keras) -> Any:
    """The attention of a well-known course: one layer each, called at every step of a Python loop."""
    L, K = keras.layers, keras.backend
    x, h0, c0 = keras.Input((5, 3)), keras.Input((4,)), keras.Input((4,))
    repeat, concatenate, dot = L.RepeatVector(5), L.Concatenate(axis=-1), L.Dot(axes=1)
    hidden, energy = L.Dense(3, activation="tanh"), L.Dense(1, activation="relu")
    softmax_over_steps = L.Lambda(lambda e: K.exp(e) / K.sum(K.exp(e), axis=1, keepdims=True))
    cell, answer = L.LSTM(4, return_state=True), L.Dense(2)
    encoded = L.Bidirectional(L.LSTM(2, return_sequences=True))(x)
    s, c = h0, c0
    for _ in range(3):
        alphas = softmax_over_steps(energy(hidden(concatenate([encoded, repeat(s)]))))
        s, _, c = cell(dot([alphas, encoded]), initial_state=[s, c])
    return keras.Model([x, h0, c0], answer(s))
