"""A shape that a layer says of its own input counts in the first place of a stack and nowhere else.

The shapes are those that Keras 2.15 gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from torchkeras_compat import layers
from torchkeras_compat.layers import LSTM, Activation, Dense, Embedding, Flatten, Input, InputLayer
from torchkeras_compat.models import Sequential


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"input_dim": 7}, (None, 7)),
        ({"input_shape": (7, 8)}, (None, 7, 8)),
        ({"batch_input_shape": (5, 7)}, (5, 7)),
    ],
)
@pytest.mark.parametrize("as_list", [True, False])
def test_in_the_middle(said: dict[str, Any], kept: Any, as_list: bool) -> None:
    parts = [Dense(3, input_dim=4), Dense(2, **said)]
    model = Sequential(parts if as_list else None)
    for part in () if as_list else parts:
        model.add(part)
    assert model.output_shape == (None, 2)
    assert model.layers[1].input_shape == (None, 3)
    assert model.layers[1].get_config()["batch_input_shape"] == kept
    again = Sequential.from_config(model.get_config())
    assert again.output_shape == (None, 2)
    assert again.layers[1].get_config()["batch_input_shape"] == kept
    assert model.predict(np.ones((6, 4)), verbose=0).shape == (6, 2)


@pytest.mark.parametrize("first", [Input((4,)), InputLayer((4,))])
def test_behind_an_input(first: Any) -> None:
    model = Sequential([first, Dense(3, input_dim=9)])
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 3))


def test_stateful_layers_that_all_say_it() -> None:
    model = Sequential()
    model.add(LSTM(4, batch_input_shape=(2, 3, 1), return_sequences=True, stateful=True))
    model.add(LSTM(5, batch_input_shape=(2, 3, 1), stateful=True))
    model.add(Dense(1))
    assert model.output_shape == (2, 1)
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3, 1)), np.ones((4, 1)), batch_size=2, verbose=0)
    model.reset_states()


def test_another_batch_size_than_the_first_layer() -> None:
    first = LSTM(4, batch_input_shape=(2, 3, 4), return_sequences=True)
    model = Sequential([first, LSTM(4, batch_input_shape=(9, 1, 1), stateful=True)])
    assert model.output_shape == (2, 4)


def test_in_a_model_that_is_built_later() -> None:
    model = Sequential([Dense(3), Dense(2, input_dim=9)])
    assert not model.built
    model.build((None, 4))
    assert model.output_shape == (None, 2)
    model = Sequential([Dense(3), Dense(2, input_dim=9)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 6)), np.ones((4, 2)), verbose=0)
    assert model.input_shape == (None, 6)


def test_inside_a_nested_model() -> None:
    inner = Sequential([Dense(3, input_dim=5), Activation("relu", input_shape=(9, 9))])
    assert Sequential([Dense(5, input_dim=2), inner]).output_shape == (None, 3)
    with pytest.raises(ValueError, match=r"it was built for shape \(None, 4\) and cannot follow shape \(None, 5\)"):
        Sequential([Dense(5, input_dim=2), Sequential([Dense(3, input_dim=4)])])  # its weights have that shape


def test_an_embedding_and_a_layer_of_the_users() -> None:
    class Twice(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * 2

    model = Sequential([Flatten(input_shape=(2, 2)), Twice(input_shape=(9,)), Embedding(5, 2, input_shape=(9,))])
    assert model.output_shape == (None, 4, 2)


def test_an_input_in_the_middle_says_nothing() -> None:
    model = Sequential([Dense(3, input_dim=4), Input((7,)), Dense(2)])
    assert model.output_shape == (None, 2)
    assert model.predict(np.ones((1, 4)), verbose=0).shape == (1, 2)
    with pytest.raises(ValueError, match=r"says the shape of the input already; leave out InputLayer"):
        Sequential([Input((4,)), Input((7,)), Dense(2)])


def test_a_layer_that_is_called() -> None:
    assert LSTM(2, batch_input_shape=(9, 1, 1), stateful=True)(np.ones((2, 3, 4))).shape == (2, 2)


def test_other_ways_to_give_an_input_its_shape() -> None:
    import torch

    class Spec:  # what tf.TensorSpec has
        shape, dtype = (None, 4), torch.int32

    assert tuple(Input(batch_input_shape=(2, 4)).shape) == (2, 4)
    told = Input(type_spec=Spec())
    assert (tuple(told.shape), told.dtype) == ((None, 4), "int32")
    with pytest.raises(ValueError, match="None beside a shape"):
        Input((4,), type_spec=Spec())
    with pytest.raises(ValueError, match=r"a tf\.TensorSpec with a shape"):
        Input(type_spec=3)
