"""Masks through graphs; `ShowMask` makes one an output, so that it can be read."""

from __future__ import annotations

from typing import Any

from ..case import Keras, Table, bits, onehot, padded, real, tokens, weight

TABLE = Table()


def show_mask(keras: Keras, tensor: Any) -> Any:
    """Return the mask that a layer receives with this tensor as numbers; -1 where there is none."""
    K = keras.backend

    class ShowMask(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.supports_masking = True

        def call(self, inputs: Any, mask: Any = None) -> Any:
            return K.sum(K.zeros_like(inputs), axis=-1) - 1 if mask is None else K.cast(mask, "float32")

        def compute_mask(self, inputs: Any, mask: Any = None) -> None:
            return None

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape[:-1]

    return ShowMask()(tensor)


ONLY_FIRST = {"loss": ["mse", None]}  # the second output shows a mask


def _last(keras: Keras, inputs: Any, sequence: Any) -> Any:
    """End in an LSTM, which passes over masked steps, and show the mask that it met."""
    answer = keras.layers.Dense(1)(keras.layers.LSTM(3)(sequence))
    return keras.Model(inputs, [answer, show_mask(keras, sequence)])


@TABLE.case(x=[padded(6, 2), padded(6, 3)], y=[real(1), real(6)], compile=ONLY_FIRST)
def concatenate_features(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((6, 2)), keras.Input((6, 3))
    return _last(keras, [a, b], L.Concatenate()([L.Masking()(a), L.Masking()(b)]))


@TABLE.case(x=[padded(6, 2), padded(4, 2)], y=[real(1), real(10)], compile=ONLY_FIRST)
def concatenate_steps(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((6, 2)), keras.Input((4, 2))
    return _last(keras, [a, b], L.Concatenate(axis=1)([L.Masking()(a), L.Masking()(b)]))


@TABLE.case(x=[padded(6, 2), real(6, 2)], y=[real(1), real(6)], compile=ONLY_FIRST)
def concatenate_one_masked(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((6, 2)), keras.Input((6, 2))
    return _last(keras, [a, b], L.concatenate([L.Masking()(a), b]))


@TABLE.case(x=[padded(6, 2), padded(6, 2)], y=[real(1), real(6)], compile=ONLY_FIRST)
def add_two_masked(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((6, 2)), keras.Input((6, 2))
    return _last(keras, [a, b], L.Add()([L.Masking()(a), L.Masking()(b)]))


@TABLE.case(x=[padded(6, 2), real(6, 2)], y=[real(1), real(6)], compile=ONLY_FIRST)
def multiply_one_masked(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((6, 2)), keras.Input((6, 2))
    return _last(keras, [a, b], L.Multiply()([L.Masking()(a), b]))


@TABLE.case(x=tokens(7, 9), y=real(2))
def embedding_into_two_lstms(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((7,), dtype="int32")
    embedded = L.Embedding(9, 4, mask_zero=True)(x)
    return keras.Model(x, L.Dense(2)(L.concatenate([L.LSTM(3)(embedded), L.GRU(3)(embedded)])))


@TABLE.case(x=tokens(7, 9), y=[real(1), real(7)], compile=ONLY_FIRST)
def through_layers_that_pass_it_on(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((7,), dtype="int32")
    h = L.Embedding(9, 4, mask_zero=True)(x)
    h = L.Activation("tanh")(L.Dropout(0.0)(L.Dense(4)(h)))
    h = L.TimeDistributed(L.Dense(3))(L.LSTM(4, return_sequences=True)(h))
    return _last(keras, x, h)


@TABLE.case(x=tokens(7, 9), y=[real(1), real(7)], compile=ONLY_FIRST)
def dropped_by_a_lambda(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((7,), dtype="int32")
    return _last(keras, x, L.Lambda(lambda h: h * 2)(L.Embedding(9, 4, mask_zero=True)(x)))


@TABLE.case(x=tokens(7, 9), y=[real(1), real(7)], compile=ONLY_FIRST)
def bidirectional_sequences(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((7,), dtype="int32")
    embedded = L.Embedding(9, 4, mask_zero=True)(x)
    return _last(keras, x, L.Bidirectional(L.GRU(2, return_sequences=True))(embedded))


@TABLE.case(x=padded(6, 3), y=real(2))
def bidirectional_last_step(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6, 3))
    return keras.Model(x, L.Dense(2)(L.Bidirectional(L.LSTM(3))(L.Masking()(x))))


@TABLE.case(x=padded(6, 3), y=[real(6, 2), real(6)], compile={"loss": ["mse", None], "metrics": [["mae"], []]})
def sequence_with_a_masked_loss(keras: Keras) -> Any:
    """The mask of an output counts in its loss and its metrics."""
    L = keras.layers
    x = keras.Input((6, 3))
    h = L.Dense(2)(L.SimpleRNN(4, return_sequences=True)(L.Masking()(x)))
    return keras.Model(x, [h, show_mask(keras, h)])


@TABLE.case(
    x=tokens(6, 9),
    y=onehot(3, 6),
    sample_weight=weight(6),
    compile={"loss": "categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]},
)
def masked_loss_with_weights_of_steps(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6,), dtype="int32")
    h = L.LSTM(4, return_sequences=True)(L.Embedding(9, 4, mask_zero=True)(x))
    return keras.Model(x, L.TimeDistributed(L.Dense(3, activation="softmax"))(h))


@TABLE.case(x=tokens(6, 9), y=real(1))
def into_a_nested_model(keras: Keras) -> Any:
    L = keras.layers
    z = keras.Input((6, 4))
    inner = keras.Model(z, L.LSTM(3)(L.Dense(4)(z)))
    x = keras.Input((6,), dtype="int32")
    return keras.Model(x, L.Dense(1)(inner(L.Embedding(9, 4, mask_zero=True)(x))))


@TABLE.case(x=tokens(6, 9), y=[real(1), real(6)], compile=ONLY_FIRST)
def out_of_a_nested_model(keras: Keras) -> Any:
    L = keras.layers
    z = keras.Input((6,), dtype="int32")
    inner = keras.Model(z, L.Dense(3)(L.Embedding(9, 4, mask_zero=True)(z)))
    x = keras.Input((6,), dtype="int32")
    return _last(keras, x, inner(x))


@TABLE.case(x=[real(6, 3), bits(6)], y=real(1))
def told_in_the_call(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend
    x, valid = keras.Input((6, 3)), keras.Input((6,))
    mask = L.Lambda(lambda v: K.greater(v, 0.5))(valid)
    return keras.Model([x, valid], L.Dense(1)(L.LSTM(3)(x, mask=mask)))


def _skip_first(keras: Keras) -> Any:
    class SkipFirst(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Drops the first step, of the sequence and of its mask."""

        def call(self, inputs: Any) -> Any:
            return inputs[:, 1:]

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return None if mask is None else mask[:, 1:]

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], input_shape[1] - 1, *input_shape[2:])

    return SkipFirst()


@TABLE.case(x=tokens(7, 9), y=[real(1), real(6)], compile=ONLY_FIRST)
def changed_by_a_layer_of_ones_own(keras: Keras) -> Any:
    x = keras.Input((7,), dtype="int32")
    return _last(keras, x, _skip_first(keras)(keras.layers.Embedding(9, 3, mask_zero=True)(x)))


@TABLE.case(x=tokens(7, 9), y=real(3))
def used_by_a_layer_of_ones_own(keras: Keras) -> Any:
    K = keras.backend

    class MeanOverSteps(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.supports_masking = True

        def call(self, inputs: Any, mask: Any = None) -> Any:
            valid = K.expand_dims(K.cast(mask, "float32"), -1)
            return K.sum(inputs * valid, axis=1) / K.sum(valid, axis=1)

        def compute_mask(self, inputs: Any, mask: Any = None) -> None:
            return None

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], input_shape[2])

    x = keras.Input((7,), dtype="int32")
    h = MeanOverSteps()(keras.layers.Embedding(9, 4, mask_zero=True)(x))
    return keras.Model(x, keras.layers.Dense(3)(h))


@TABLE.case(x=[tokens(5, 8), tokens(6, 8)], y=[real(1), real(5), real(6)], compile={"loss": ["mse", None, None]})
def one_embedding_for_two_inputs(keras: Keras) -> Any:
    L = keras.layers
    story, question = keras.Input((5,), dtype="int32"), keras.Input((6,), dtype="int32")
    embedding, reader = L.Embedding(8, 3, mask_zero=True), L.LSTM(3)
    a, b = embedding(story), embedding(question)
    answer = L.Dense(1)(L.concatenate([reader(a), reader(b)]))
    return keras.Model([story, question], [answer, show_mask(keras, a), show_mask(keras, b)])


@TABLE.case(x=padded(6, 3), y=real(1))
def average_pooling_of_masked_steps(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6, 3))
    return keras.Model(x, L.Dense(1)(L.GlobalAveragePooling1D()(L.Dense(4, activation="tanh")(L.Masking()(x)))))
