"""Rows of different lengths: `tf.ragged`, and what functions and layers make of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat._core.ragged import RaggedTensor

D2 = [[1, 2, 3], [4], [], [5, 6]]
D3 = [[[1, 2], [3]], [], [[4, 5, 6]]]

# Call → what it gives under TensorFlow 2.15.1, as lists.
VALUES: dict[str, Any] = {
    "R(D2).to_tensor()": [[1, 2, 3], [4, 0, 0], [0, 0, 0], [5, 6, 0]],
    "R(D3).to_tensor(-1)": [[[1, 2, -1], [3, -1, -1]], [[-1, -1, -1], [-1, -1, -1]], [[4, 5, 6], [-1, -1, -1]]],
    "R(D2).to_tensor(shape=[None, 2])": [[1, 2], [4, 0], [0, 0], [5, 6]],
    "R(D2).to_tensor(9, shape=[5, 4])": [[1, 2, 3, 9], [4, 9, 9, 9], [9, 9, 9, 9], [5, 6, 9, 9], [9, 9, 9, 9]],
    "R(D3).to_tensor(shape=[3, 1, 4])": [[[1, 2, 0, 0]], [[0, 0, 0, 0]], [[4, 5, 6, 0]]],
    'R([["a", "b"], ["c"]]).to_tensor()': [[b"a", b"b"], [b"c", b""]],
    'R([["a", "b"], ["c"]]).to_tensor("<pad>")': [[b"a", b"b"], [b"c", b"<pad>"]],
    "R([[], []]).to_tensor()": [[], []],
    "R(D3)": [[[1, 2], [3]], [], [[4, 5, 6]]],
    "R(D2).row_lengths()": [3, 1, 0, 2],
    "R(D3).row_lengths(axis=2)": [[2, 1], [], [3]],
    "R(D2).row_starts()": [0, 3, 4, 4],
    "R(D2).value_rowids()": [0, 0, 0, 1, 3, 3],
    "R(D3).bounding_shape()": [3, 2, 3],
    "R(D2).bounding_shape(axis=1)": 3,
    "R(D3).shape.as_list()": [3, None, None],
    "R(D2)[0]": [1, 2, 3],
    "R(D2)[-1]": [5, 6],
    "R(D2)[1:3]": [[4], []],
    "R(D2)[::2]": [[1, 2, 3], []],
    "R(D2)[:, 1:]": [[2, 3], [], [], [6]],
    "R(D2)[:, -1:]": [[3], [4], [], [6]],
    "R(D3)[0]": [[1, 2], [3]],
    "R(D3)[0, 1]": [3],
    "R(D2)[0, 1]": 2,
    "tf.reduce_sum(R(D2), axis=1)": [6, 4, 0, 11],
    "tf.reduce_sum(R(D2))": 21,
    "tf.reduce_max(R([[1.0, 2.0], [3.0]]), axis=1)": [2.0, 3.0],
    "tf.reduce_mean(R([[1.0, 2.0], [3.0]]), axis=-1)": [1.5, 3.0],
    "tf.reduce_sum(R(D3), axis=2)": [[3, 3], [], [15]],
    "R(D2) + 1": [[2, 3, 4], [5], [], [6, 7]],
    "2 * R(D2)": [[2, 4, 6], [8], [], [10, 12]],
    "R(D2) * R(D2)": [[1, 4, 9], [16], [], [25, 36]],
    "R(D2) > 2": [[False, False, True], [True], [], [True, True]],
    "tf.cast(R(D2), tf.float32)": [[1.0, 2.0, 3.0], [4.0], [], [5.0, 6.0]],
    "tf.square(R(D2))": [[1, 4, 9], [16], [], [25, 36]],
    "tf.ragged.map_flat_values(tf.square, R(D2))": [[1, 4, 9], [16], [], [25, 36]],
    "tf.concat([R(D2), R([[9]])], axis=0)": [[1, 2, 3], [4], [], [5, 6], [9]],
    "tf.concat([R(D2), R([[9], [8], [7], [0]])], axis=1)": [[1, 2, 3, 9], [4, 8], [7], [5, 6, 0]],
    "tf.ragged.stack([[1, 2], [3]])": [[1, 2], [3]],
    "tf.RaggedTensor.from_row_splits([1, 2, 3], [0, 2, 2, 3])": [[1, 2], [], [3]],
    "tf.RaggedTensor.from_row_lengths([1, 2, 3], [1, 0, 2])": [[1], [], [2, 3]],
    "tf.RaggedTensor.from_tensor([[1, 2, 0], [3, 0, 0]], padding=0)": [[1, 2], [3]],
    "tf.RaggedTensor.from_tensor([[1, 2, 0], [3, 0, 0]], lengths=[1, 2])": [[1], [3, 0]],
    "R(D3).merge_dims(0, 1)": [[1, 2], [3], [4, 5, 6]],
    "R(D3).merge_dims(1, 2)": [[1, 2, 3], [], [4, 5, 6]],
    "R(D3).merge_dims(0, 2)": [1, 2, 3, 4, 5, 6],
    "R(D3).flat_values": [1, 2, 3, 4, 5, 6],
    'tf.strings.split(["a b", "c", ""])': [[b"a", b"b"], [b"c"], []],
    'tf.strings.split([["a b", "c"], ["d", "e f g"]])': [[[b"a", b"b"], [b"c"]], [[b"d"], [b"e", b"f", b"g"]]],
    'tf.strings.split(["a,b"], sep=",")': [[b"a", b"b"]],
    'tf.strings.unicode_split(["ab", "é"], "UTF-8")': [[b"a", b"b"], [b"\xc3\xa9"]],
    'tf.strings.bytes_split(["ab", "c"])': [[b"a", b"b"], [b"c"]],
    'tf.strings.upper(tf.strings.split(["a b", "c"]))': [[b"A", b"B"], [b"C"]],
    'tf.strings.length(tf.strings.split(["aa b", "c"]))': [[2, 1], [1]],
    'tf.strings.reduce_join(tf.strings.split(["a b", "c"]), axis=-1, separator="-")': [b"a-b", b"c"],
    'tf.strings.reduce_join(tf.strings.split(["a b", "c"]))': b"abc",
    'tf.strings.to_number(tf.strings.split(["1 2", "3"]), tf.int32)': [[1, 2], [3]],
    'tf.strings.regex_replace(tf.strings.split(["a1 b", "c"]), "[0-9]", "#")': [[b"a#", b"b"], [b"c"]],
    'tf.keras.layers.StringLookup(vocabulary=["a", "b"])(tf.strings.split(["a b z", "b"]))': [[1, 2, 0], [2]],
    'tf.keras.layers.StringLookup(vocabulary=["a", "b"], output_mode="multi_hot")(tf.strings.split(["a b z", "b"]))': [
        [1.0, 1.0, 1.0],
        [0.0, 0.0, 1.0],
    ],
    'tf.keras.layers.StringLookup(vocabulary=["a", "b"], invert=True)(R([[1, 2], [2]]))': [[b"a", b"b"], [b"b"]],
    "tf.keras.layers.IntegerLookup(vocabulary=[5, 7])(R([[5, 9], [7]]))": [[1, 0], [2]],
    'tf.keras.layers.Embedding(9, 2, embeddings_initializer="ones")(R([[1, 2], [3]]))': [
        [[1.0, 1.0], [1.0, 1.0]],
        [[1.0, 1.0]],
    ],
    "[list(map(plain, x)) for x in tf.data.Dataset.from_tensor_slices((R(D2), [0, 1, 2, 3])).batch(2)]": [
        [[[1, 2, 3], [4]], [0, 1]],
        [[[], [5, 6]], [2, 3]],
    ],
    '[plain(x) for x in tf.data.Dataset.from_tensor_slices(["a b", "c d e"]).batch(2).map(tf.strings.split)]': [
        [[b"a", b"b"], [b"c", b"d", b"e"]]
    ],
}


def plain(x: Any) -> Any:
    """Return ragged tensors and others as lists."""
    value = x.to_list() if hasattr(x, "to_list") else x.numpy() if hasattr(x, "numpy") else x
    return value.tolist() if hasattr(value, "tolist") else value


@pytest.mark.parametrize("call", VALUES)
def test_the_values_of_tensorflow(call: str) -> None:
    import tensorflow as tf

    got = plain(eval(call, {"tf": tf, "R": tf.ragged.constant, "D2": D2, "D3": D3, "plain": plain}))
    assert got == VALUES[call]


def test_types_and_arrays() -> None:
    import tensorflow as tf

    rows = tf.ragged.constant([["a"], []])
    assert (rows.dtype, rows.shape.as_list(), rows.ragged_rank, len(rows)) == (tf.string, [2, None], 1, 2)
    assert tf.ragged.constant(D2, dtype=tf.int64).flat_values.dtype == tf.int64
    assert tf.ragged.constant([[1.5], [2]]).dtype == tf.float32
    assert tf.ragged.constant([[1, 2], [3, 4]]).numpy().tolist() == [[1, 2], [3, 4]]
    assert [row.tolist() for row in tf.ragged.constant(D2).numpy()] == D2


def test_what_is_refused() -> None:
    import tensorflow as tf

    rows = tf.ragged.constant(D2)
    with pytest.raises(ValueError, match="one depth"):
        tf.ragged.constant([[1], 2])
    with pytest.raises(ValueError, match="row_splits must rise from 0 to 3"):
        tf.RaggedTensor.from_row_splits([1, 2, 3], [0, 2])
    with pytest.raises(TypeError, match="to_tensor"):
        tf.transpose(rows)
    with pytest.raises(TypeError, match=r"write rows\.to_tensor\(\)"):
        tk.layers.Dense(2)(rows)
    with pytest.raises(ValueError, match="ragged"):
        tf.keras.Input((None,), ragged=True)


def test_characters_of_a_text_are_learnt() -> None:
    import tensorflow as tf

    text = "to be or not to be that is the question " * 6
    chars = tf.strings.unicode_split(text, input_encoding="UTF-8")
    ids_of = tf.keras.layers.StringLookup(vocabulary=sorted(set(text)), mask_token=None)
    chars_of = tf.keras.layers.StringLookup(vocabulary=ids_of.get_vocabulary(), invert=True, mask_token=None)
    data = tf.data.Dataset.from_tensor_slices(ids_of(chars)).batch(21, drop_remainder=True)
    first = next(iter(data))
    assert tf.strings.reduce_join(chars_of(first), axis=-1).numpy().decode() == text[:21]
    data = data.map(lambda ids: (ids[:-1], ids[1:])).batch(4, drop_remainder=True)
    layers = [tf.keras.layers.Embedding(ids_of.vocabulary_size(), 8), tf.keras.layers.GRU(16, return_sequences=True)]
    model = tf.keras.Sequential([*layers, tf.keras.layers.Dense(ids_of.vocabulary_size())])
    model.compile("adam", tf.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(data, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    begun = ids_of(tf.strings.unicode_split(["to", "be"], "UTF-8")).to_tensor()
    mask = tf.SparseTensor(values=[-np.inf], indices=[[0]], dense_shape=[ids_of.vocabulary_size()])
    logits = model(begun)[:, -1, :] + tf.sparse.to_dense(mask)
    drawn = chars_of(tf.squeeze(tf.random.categorical(logits, num_samples=1), axis=-1))
    assert [len(word) for word in tf.strings.join([["to", "be"], drawn]).numpy()] == [3, 3]
    assert b"[UNK]" not in drawn.numpy().tolist()


def test_words_that_are_adapted_to() -> None:
    import tensorflow as tf

    layer = tf.keras.layers.StringLookup()
    layer.adapt(tf.strings.split(["a b a", "c"]))
    assert sorted(layer.get_vocabulary()) == ["[UNK]", "a", "b", "c"]


def test_a_model_says_what_to_write_for_rows_of_different_lengths() -> None:
    """Here Keras 2.15 takes them; the errors name what does the same."""
    rows = RaggedTensor.of([[1, 2], [3]])
    model = tk.Sequential([tk.layers.Embedding(9, 2), tk.layers.LSTM(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"write rows\.to_tensor\(\) .* Embedding\(…, mask_zero=True\) skips 0"):
        model.fit(rows, np.zeros((2, 2)), verbose=0)
    with pytest.raises(ValueError, match=r"InputLayer\(ragged=True\).* give the model rows\.to_tensor\(\)"):
        tk.Input((None,), ragged=True)
