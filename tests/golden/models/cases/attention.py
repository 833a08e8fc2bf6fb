"""Attention of one head and of several, with masks, and a block of a transformer."""

from __future__ import annotations

from typing import Any

from ..case import Keras, Table, bits, padded, real, tokens
from .masks import show_mask

TABLE = Table()

_L2 = {"class_name": "L2", "config": {"l2": 0.05}}
_MAX_NORM = {"class_name": "MaxNorm", "config": {"max_value": 0.7, "axis": 0}}
_PENALTIES = {
    "kernel_regularizer": _L2,
    "bias_regularizer": "l1",
    "activity_regularizer": _L2,
    "kernel_constraint": _MAX_NORM,
    "bias_constraint": "non_neg",
}


def _two(keras: Keras, layer: Any, key: bool = False, masked: bool = False, **call: Any) -> Any:
    """Return the model of a layer over projections of two sequences."""
    L = keras.layers
    a, b = keras.Input((5, 3)), keras.Input((4, 2))
    first, second = (L.Masking()(a), L.Masking()(b)) if masked else (a, b)
    inputs = [L.Dense(3)(first), L.Dense(3)(second), *([L.Dense(3)(second)] if key else [])]
    return keras.Model([a, b], L.Dense(2)(layer(inputs, **call)))


_TWO = [real(5, 3), real(4, 2)]
_PADDED = [padded(5, 3), padded(4, 2)]


@TABLE.case(x=_TWO, y=real(5, 2))
def attention(keras: Keras) -> Any:
    return _two(keras, keras.layers.Attention())


@TABLE.case(x=_PADDED, y=real(5, 2), untrained=1)  # a bias of the keys moves all scores of a query alike
def attention_scaled_causal(keras: Keras) -> Any:
    layer = keras.layers.Attention(use_scale=True, dropout=0.0, name="given")
    return _two(keras, layer, key=True, masked=True, use_causal_mask=True)


@TABLE.case(x=_PADDED, y=real(5, 2))
def attention_by_scaled_sums(keras: Keras) -> Any:
    return _two(keras, keras.layers.Attention(use_scale=True, score_mode="concat"), masked=True)


@TABLE.case(x=_TWO, y=real(5, 2))
def attention_concat(keras: Keras) -> Any:
    return _two(keras, keras.layers.Attention(score_mode="concat"), key=True)


@TABLE.case(x=_PADDED, y=[real(5, 3), real(5, 4), real(5)], compile={"loss": ["mse", "mse", None]})
def attention_scores_and_mask(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5, 3)), keras.Input((4, 2))
    query, value = L.Dense(3)(L.Masking()(a)), L.Dense(3)(L.Masking()(b))
    y, scores = L.Attention()([query, value], return_attention_scores=True)
    return keras.Model([a, b], [y, scores, show_mask(keras, y)])


@TABLE.case(x=_TWO, y=real(5, 2))
def additive_attention(keras: Keras) -> Any:
    return _two(keras, keras.layers.AdditiveAttention())


@TABLE.case(x=_PADDED, y=real(5, 2))
def additive_attention_without_scale(keras: Keras) -> Any:
    layer = keras.layers.AdditiveAttention(use_scale=False, name="given")
    return _two(keras, layer, key=True, masked=True, use_causal_mask=True)


@TABLE.case(x=tokens(6, 9), y=real(2))
def attention_over_embedded_words(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6,), dtype="int32")
    h = L.LSTM(4, return_sequences=True)(L.Embedding(9, 4, mask_zero=True)(x))
    return keras.Model(x, L.Dense(2)(L.GlobalAveragePooling1D()(L.AdditiveAttention()([h, h]))))


@TABLE.case(x=real(5, 4), y=real(5, 4), untrained=1)
def heads_of_one_sequence(keras: Keras) -> Any:
    x = keras.Input((5, 4))
    return keras.Model(x, keras.layers.MultiHeadAttention(2, 3)(x, x))


@TABLE.case(x=[real(5, 3), real(4, 2), bits(5, 4)], y=real(5, 6), untrained=1)
def heads_with_all_arguments(keras: Keras) -> Any:
    L = keras.layers
    a, b, m = keras.Input((5, 3)), keras.Input((4, 2)), keras.Input((5, 4))
    layer = L.MultiHeadAttention(
        3,
        key_dim=4,
        value_dim=2,
        dropout=0.0,
        output_shape=6,
        attention_axes=1,
        kernel_initializer="he_normal",
        bias_initializer="ones",
        name="given",
        **_PENALTIES,
    )
    return keras.Model([a, b, m], layer(a, b, L.Dense(3)(b), attention_mask=m))


@TABLE.case(x=_PADDED, y=[real(5, 3), real(2, 5, 4), real(5)], compile={"loss": ["mse", None, None]})
def heads_with_masks_and_scores(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5, 3)), keras.Input((4, 2))
    layer = L.MultiHeadAttention(num_heads=2, key_dim=2, use_bias=False)
    y, scores = layer(query=L.Masking()(a), value=L.Masking()(b), return_attention_scores=True)
    return keras.Model([a, b], [y, scores, show_mask(keras, y)])


@TABLE.case(x=padded(5, 3), y=real(5, 3), untrained=1)
def heads_that_look_back(keras: Keras) -> Any:
    x = keras.Input((5, 3))
    h = keras.layers.Masking()(x)
    return keras.Model(x, keras.layers.MultiHeadAttention(2, 2)(h, h, use_causal_mask=True))


@TABLE.case(x=real(3, 4, 2, 3), y=[real(3, 4, 2, 3), real(3, 2, 4, 2, 4, 2)], untrained=1)
def heads_over_two_axes(keras: Keras) -> Any:
    x = keras.Input((3, 4, 2, 3))
    layer = keras.layers.MultiHeadAttention(2, 2, attention_axes=(2, 3))
    return keras.Model(x, layer(x, x, return_attention_scores=True))


@TABLE.case(x=[real(3, 4, 3), bits(3, 1, 4, 4)], y=real(3, 4, 3), untrained=1)
def heads_over_the_second_axis(keras: Keras) -> Any:
    x, m = keras.Input((3, 4, 3)), keras.Input((3, 1, 4, 4))
    layer = keras.layers.MultiHeadAttention(2, 2, attention_axes=[2])
    return keras.Model([x, m], layer(x, x, attention_mask=m))


@TABLE.case(x=tokens(6, 9), y=real(2), untrained=1)
def block_of_a_transformer(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6,), dtype="int32")
    h = L.Embedding(9, 4, mask_zero=True)(x)
    h = L.LayerNormalization()(L.Add()([h, L.Dropout(0.0)(L.MultiHeadAttention(2, 2)(h, h))]))
    h = L.LayerNormalization(epsilon=1e-6)(L.Add()([h, L.Dense(4)(L.Dense(6, activation="relu")(h))]))
    return keras.Model(x, L.Dense(2)(L.GlobalAveragePooling1D()(h)))


@TABLE.case(x=_PADDED, y=real(2), untrained=1, rate=0.01)
def decoder_of_ones_own(keras: Keras) -> Any:
    L = keras.layers

    class Decoder(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.masking = L.Masking()
            self.attention = L.MultiHeadAttention(num_heads=2, key_dim=2)
            self.normal, self.out = L.LayerNormalization(), L.Dense(2)

        def call(self, inputs: Any) -> Any:
            query, context = (self.masking(x) for x in inputs)
            attended, scores = self.attention(query=query, key=context, value=context, return_attention_scores=True)
            self.last_scores = scores
            return self.out(keras.backend.sum(self.normal(query + attended), axis=1))

    return Decoder()
