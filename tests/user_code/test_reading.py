"""Values and shapes read from the tensors that users see, as TensorFlow's tensors give them."""

from __future__ import annotations

import copy
import io
import json
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat.layers import Dense, Lambda

X = np.random.RandomState(0).randn(5, 4).astype("float32")


def prediction() -> tuple[Any, np.ndarray[Any, Any]]:
    model = keras.Sequential([Dense(3, input_shape=(4,))])
    return model(X), model.predict(X, verbose=0)


def test_numpys_functions_take_tensors() -> None:
    y, values = prediction()
    weight = Dense(3)
    weight.build((None, 4))
    for tensor, array in ((y, values), (weight.kernel, weight.get_weights()[0]), (y * 2, values * 2)):
        for function in (np.mean, np.sum, np.max, np.std, np.exp, np.abs, np.ravel, np.transpose, np.sort, np.cumsum):
            computed = function(tensor)
            assert isinstance(computed, (np.ndarray, np.generic)), function
            np.testing.assert_allclose(computed, function(array), rtol=1e-5)
        assert np.array_equal(np.argmax(tensor, axis=1), array.argmax(1))
        assert np.array_equal(np.concatenate([tensor, tensor]), np.concatenate([array, array]))
        assert np.array_equal(np.where(tensor > 0, tensor, 0), np.where(array > 0, array, 0))
        assert np.array_equal(np.round(tensor, 2), np.round(array, 2))
        assert np.allclose(tensor, array)
        assert np.linalg.norm(tensor) == pytest.approx(float(np.linalg.norm(array)))
        assert np.asarray(tensor, dtype="float64").dtype == "float64"


def test_single_values_are_read_and_printed() -> None:
    y, values = prediction()
    assert f"{y[0, 0]:.3f} {y[1, 2]:8.2e}" == f"{values[0, 0]:.3f} {values[1, 2]:8.2e}"
    assert "%.2f" % y[0, 0] == f"{values[0, 0]:.2f}"  # noqa: UP031 - as scripts write it
    assert json.dumps({"v": float(y[0, 0])}) == json.dumps({"v": float(values[0, 0])})
    assert (y[0, 0].item(), y.tolist()) == (values[0, 0], values.tolist())
    assert int(K.constant(3.7)) == 3
    assert str(y) == f"{y}" == repr(y)
    filled = np.zeros(3)
    filled[0], filled[1:] = y[0, 0], y[0, 1:]
    np.testing.assert_allclose(filled, values[0])
    copied = y.numpy()
    copied[...] = 0
    assert np.array_equal(y.numpy(), values)


def test_shapes_answer_as_tensorflows_do() -> None:
    seen = []

    def look(x: Any) -> Any:
        shape = x.shape
        assert shape.as_list() == list(shape) == [int(n) for n in shape] == x.get_shape().as_list()
        assert shape.ndims == shape.rank == len(shape) == K.ndim(x) == 2
        assert (shape[1].value, shape[1:].num_elements(), shape[-1:].as_list(), shape.dims[1]) == (4, 4, [4], 4)
        shape.assert_has_rank(2)
        shape.assert_is_compatible_with((None, 4))
        assert shape.with_rank_at_least(1).with_rank_at_most(3).merge_with([None, 4]) == shape
        with pytest.raises(ValueError, match="not compatible"):
            shape.merge_with((None, 5))
        rows = K.shape(x)[0]
        for reshaped in (K.reshape(x, (rows, 2, 2)), K.reshape(x, K.stack([rows, 2, 2]))):
            assert reshaped.shape[1:] == (2, 2)
        assert K.zeros(K.shape(x)).shape == K.random_normal((rows, 4)).shape == shape
        seen.append(int(rows))
        return x / K.cast(rows, "float32")

    model = keras.Sequential([Lambda(look, input_shape=(4,))])
    np.testing.assert_allclose(model.predict(X, verbose=0), X / 5, rtol=1e-6)
    assert seen[-1] == 5


def test_copies_have_the_value_and_share_nothing() -> None:
    weight = Dense(3)
    weight.build((None, 4))
    tensors = [K.constant(X), weight.kernel, weight.kernel * 2, K.variable(X), K.transpose(K.variable(X))]
    for tensor in tensors:
        stream = io.BytesIO()
        torch.save(tensor, stream)
        stream.seek(0)
        loaded = torch.load(stream, weights_only=False)
        for made in (copy.copy(tensor), copy.deepcopy(tensor), pickle.loads(pickle.dumps(tensor)), loaded):
            assert np.array_equal(np.asarray(made.detach()), tensor.numpy())
        assert type(copy.deepcopy(tensor)) is type(tensor)


def test_numpys_functions_inside_a_loss_say_that_they_end_the_gradient() -> None:
    model = keras.Sequential([Dense(3, input_shape=(4,))])
    model.compile("sgd", lambda t, p: K.mean(K.square(t - p), axis=-1) + np.mean(np.exp(p)))
    with pytest.warns(UserWarning, match="no gradient"):
        model.fit(X, np.zeros((5, 3)), verbose=0)
    model.compile("sgd", "mse", metrics=[lambda t, p: np.mean(np.abs(p))])
    model.fit(X, np.zeros((5, 3)), verbose=0)


@pytest.mark.parametrize("dialect", ["keras-1", "keras-2.2", "keras-2.3", "tf.keras", "keras-2.15"])
def test_shapes_of_several_inputs_are_plain_tuples_in_classic_keras(dialect: str) -> None:
    """CapsNet-Keras asks `type(input_shape[0]) is tuple`; a shape alone answers `as_list()` in every dialect."""
    keras.set_dialect(dialect)
    told: list[Any] = []

    class Told(keras.layers.Layer):
        def build(self, input_shape: Any) -> None:
            told.append(input_shape)
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return inputs[0] if isinstance(inputs, (list, tuple)) else inputs

        def compute_output_shape(self, input_shape: Any) -> Any:
            told.append(input_shape)
            return input_shape[0] if isinstance(input_shape, list) else input_shape

    a, b = keras.layers.Input((4,)), keras.layers.Input((5,))
    several = Told()
    assert K.int_shape(several([keras.layers.Dense(4)(a), b])) == (None, 4)
    several.compute_output_shape(((None, 4), (None, 5)))
    is_classic = dialect in ("keras-1", "keras-2.2", "keras-2.3")
    for shapes in told:
        assert type(shapes) is list
        assert shapes == [(None, 4), (None, 5)]
        assert all((type(shape) is tuple) == is_classic for shape in shapes)
    told.clear()
    alone = Told()
    alone(a)
    assert [shape.as_list() for shape in told] == [[None, 4]] * len(told)


def test_a_lambda_gets_plain_tuples_of_several_inputs() -> None:
    told: list[Any] = []
    layer = keras.layers.Lambda(lambda x: x[0], output_shape=lambda shapes: told.append(shapes) or shapes[0])
    layer([keras.layers.Input((4,)), keras.layers.Input((5,))])
    assert [type(shape) for shape in told[0]] == [tuple, tuple]
