"""Functions and operators on the tensors of functional models: shapes, numbers, names, and the way through files.

Names of layers stand as Keras 2.15 gives them for the same lines; numbers follow from numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import compat

X = np.random.RandomState(1).randn(5, 4).astype("float32")
SEQUENCES = np.random.RandomState(2).randn(5, 4, 3).astype("float32")
IMAGES = np.random.RandomState(3).randn(5, 6, 6, 3).astype("float32")
INDICES = np.array([[0, 1, 2, 0], [3, 0, 0, 4]], "int32")


@pytest.fixture(autouse=True)
def tf() -> Iterator[Any]:
    compat.install("tf.keras")
    import tensorflow

    yield tensorflow
    compat.uninstall()


def _unstacked(tf: Any, x: Any) -> Any:
    batch, height, width, channels = tf.unstack(tf.shape(x))
    return tf.reshape(x, [batch, height * width, channels])


CASES: dict[str, tuple[Callable[[Any, Any], Any], Any, Callable[[Any], Any], tuple[Any, ...]]] = {
    "not equal": (lambda tf, x: tf.cast(x != 0, tf.float32), INDICES, lambda x: x != 0, (None, 4)),
    "equal": (lambda tf, x: tf.cast(x == 3, tf.float32), INDICES, lambda x: x == 3, (None, 4)),
    "equal tensors": (lambda tf, x: x[:, :2] == x[:, 2:], INDICES, lambda x: x[:, :2] == x[:, 2:], (None, 2)),
    "equal to an array": (
        lambda tf, x: x == np.array([0, 1, 0, 4], "int32"),
        INDICES,
        lambda x: x == np.array([0, 1, 0, 4]),
        (None, 4),
    ),
    "slice": (lambda tf, x: x[:, : tf.shape(x)[1] // 2], SEQUENCES, lambda x: x[:, :2], (None, 2, 3)),
    "unstack": (_unstacked, IMAGES, lambda x: x.reshape(5, 36, 3), (None, 36, 3)),
    "range": (
        lambda tf, x: x + tf.range(tf.shape(x)[1], dtype=tf.float32),
        X,
        lambda x: x + np.arange(4),
        (None, 4),
    ),
    "range by name": (
        lambda tf, x: x * tf.cast(tf.range(start=0, limit=tf.shape(x)[-1], delta=1), "float32"),
        X,
        lambda x: x * np.arange(4),
        (None, 4),
    ),
    "eye": (lambda tf, x: x + tf.eye(tf.shape(x)[1])[0], X, lambda x: x + np.eye(4)[0], (None, 4)),
    "tile": (
        lambda tf, x: tf.tile(tf.expand_dims(tf.range(4.0), 0), [tf.shape(x)[0], 1]) + x,
        X,
        lambda x: x + np.arange(4),
        (None, 4),
    ),
}


def _ways(keras: Any, model: Any, folder: Any) -> Iterator[Any]:
    """Yield the model as each way of writing it down gives it back."""
    yield model
    yield type(model).from_config(model.get_config())
    yield keras.models.clone_model(model)
    yield keras.models.model_from_json(model.to_json())
    for suffix in (".h5", ".keras"):
        model.save(str(folder / f"model{suffix}"))
        yield keras.models.load_model(str(folder / f"model{suffix}"), compile=False)


@pytest.mark.filterwarnings("ignore:.*Keras 3 will not load this file")
@pytest.mark.parametrize("case", CASES)
def test_functions_of_tensors(tf: Any, tmp_path: Any, case: str) -> None:
    function, data, expected, shape = CASES[case]
    inputs = tf.keras.Input(data.shape[1:], dtype=str(data.dtype))
    model = tf.keras.Model(inputs, function(tf, inputs))
    assert tuple(model.output_shape) == shape
    for same in _ways(tf.keras, model, tmp_path):
        np.testing.assert_allclose(same.predict(data, verbose=0), expected(data), rtol=1e-6)


def test_a_mask_by_an_operator(tf: Any) -> None:
    """It was `True` for the tensor as a whole, and masked nothing."""
    inputs = tf.keras.Input((4,), dtype="int32")
    embedded = tf.keras.layers.Embedding(5, 2, embeddings_initializer="ones")(inputs)
    masked = embedded * tf.expand_dims(tf.cast(inputs != 0, tf.float32), -1)
    outputs = tf.keras.Model(inputs, masked).predict(INDICES, verbose=0)
    np.testing.assert_array_equal(outputs[..., 0], INDICES != 0)


def test_symbolic_tensors_in_lists_and_dictionaries(tf: Any) -> None:
    x, y, other = (tf.keras.Input(shape) for shape in ((4,), (4,), (3,)))
    assert [x, other, y].index(y) == 2
    assert x not in [other, y]
    assert {x: 1, y: 2}[y] == 2
    assert [x, y] == [x, y]
    assert [x, y] != [y, x]
    assert (x == None, x != None, x == "x") == (False, True, False)  # noqa: E711
    assert (x == other) is False  # their shapes do not fit


def test_names_of_their_layers(tf: Any) -> None:
    def name(make: Callable[[Any], Any]) -> str:
        tf.keras.backend.clear_session()
        inputs = tf.keras.Input((4,))
        outputs = make(inputs)
        return str(tf.keras.Model(inputs, outputs).layers[-1].name)

    assert name(lambda x: x == 1.0) == "tf.__operators__.eq"
    assert name(lambda x: x != 1.0) == "tf.__operators__.ne"
    assert name(lambda x: x > 1.0) == "tf.math.greater"
    assert name(lambda x: x // 2) == "tf.compat.v1.floor_div"
    assert name(lambda x: tf.split(x, 2, axis=1)) == "tf.split"
    assert name(lambda x: tf.where(x > 0, x, 0.0 * x)) == "tf.where"
    assert name(lambda x: tf.concat([x, x], axis=1)) == "tf.concat"
    assert name(lambda x: tf.shape(x)) == "tf.compat.v1.shape"
    assert name(lambda x: tf.transpose(x)) == "tf.compat.v1.transpose"
    assert name(lambda x: tf.reduce_mean(x, 1)) == "tf.math.reduce_mean"
    assert name(lambda x: tf.nn.relu(x)) == "tf.nn.relu"
    assert name(lambda x: tf.matmul(x, tf.ones((4, 2)))) == "tf.linalg.matmul"
    assert name(lambda x: tf.math.top_k(x, 2)) == "tf.math.top_k"


def test_symbolic_tensors_have_their_masks() -> None:
    inputs = keras.Input((None,))
    embedded = keras.layers.Embedding(5, 2, mask_zero=True)(inputs)
    steps = keras.layers.GRU(2, return_sequences=True)(embedded)
    assert inputs._keras_mask is None
    assert tuple(steps._keras_mask.shape) == (None, None)
    assert keras.backend.dtype(steps._keras_mask) == "bool"
    model = keras.Model(inputs, [keras.layers.Dense(1)(steps), steps._keras_mask])
    assert model.predict(np.array([[1, 2, 0]]), verbose=0)[1].tolist() == [[True, True, False]]
