"""How a subclass of `Model` comes to its weights: by its own `build`, and by calls with more than one argument."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers

X, Y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")


class Rebuilt(keras.Model):
    """A layer of the size of the input is made in `build`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.out = layers.Dense(1)
        self.builds: list[Any] = []

    def build(self, input_shape: Any) -> None:
        self.builds.append(tuple(input_shape))
        self.rec = layers.Dense(input_shape[-1])

    def call(self, x: Any) -> Any:
        return self.out(self.rec(x))


class RebuiltByBase(Rebuilt):
    """The same, handing on to the `build` of `Model`."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        keras.Model.build(self, input_shape)


@pytest.mark.parametrize("kind", [Rebuilt, RebuiltByBase])
class TestOwnBuild:
    def test_fit_builds_before_it_calls(self, kind: type) -> None:
        model = kind()
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        assert model.builds == [(None, 3)]
        assert [tuple(w.shape) for w in model.weights] == [(3, 1), (1,), (3, 3), (3,)]
        assert len(model.outputs) == 1

    def test_a_call_builds_first(self, kind: type) -> None:
        model = kind()
        assert tuple(model(X).shape) == (4, 1)
        assert len(model.builds) == 1
        assert model.count_params() == 16

    def test_what_was_built_by_hand_is_not_built_again_and_trains(self, kind: type) -> None:
        model = kind()
        model.build((None, 3))
        model.compile("sgd", "mse")
        model.fit(X, Y, epochs=1, verbose=0)
        before = [w.copy() for w in model.get_weights()]
        model.fit(X, Y * 5, epochs=1, verbose=0)
        assert len(model.builds) == 1
        assert all((a != b).any() for a, b in zip(before, model.get_weights()))

    def test_it_stands_in_another_model(self, kind: type) -> None:
        inputs = keras.Input((3,))
        assert keras.Model(inputs, kind()(inputs)).count_params() == 16


def test_weights_made_in_build_are_trained() -> None:
    class Product(keras.Model):
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], 1))

        def call(self, x: Any) -> Any:
            return x @ self.kernel

    model = Product(name="product")
    model.compile("sgd", "mse")
    model.fit(X, Y * 9, verbose=0)
    assert [w.name for w in model.weights] == ["product/kernel:0"]


class Decoder(keras.Model):
    """A decoder as the tutorials of translation have it: three arguments, three results."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = layers.Embedding(10, 2)
        self.attention = layers.Dense(3)
        self.gru = layers.GRU(3, return_sequences=True, return_state=True, reset_after=True)
        self.fc = layers.Dense(10)

    def call(self, x: Any, hidden: Any, enc_output: Any) -> Any:
        context = (self.attention(enc_output) * hidden[:, None]).sum(1)
        output, state = self.gru(torch.cat([context[:, None], self.embedding(x)], -1))
        return self.fc(output[:, 0]), state, context


class TestFurtherArguments:
    def test_all_arguments_of_the_first_call_build(self) -> None:
        model = Decoder()
        outputs = model(np.ones((4, 1), "int32"), torch.ones(4, 3), torch.ones(4, 5, 3))
        assert [tuple(y.shape) for y in outputs] == [(4, 10), (4, 3), (4, 3)]
        # The weights of Keras 2.15.1 for the same model, in its order: by attribute.
        shapes = [(10, 2), (3, 3), (3,), (5, 9), (3, 9), (2, 9), (3, 10), (10,)]
        assert [tuple(w.shape) for w in model.weights] == shapes
        assert tuple(model(np.ones((2, 1), "int32"), torch.ones(2, 3), torch.ones(2, 7, 3))[0].shape) == (2, 10)
        lines: list[str] = []
        model.summary(print_fn=lines.append)
        assert any(line.startswith("Total params: 162") for line in lines)

    def test_an_argument_by_name(self) -> None:
        class Added(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.dense = layers.Dense(2)

            def call(self, x: Any, hidden: Any, training: bool = False) -> Any:
                return self.dense(x) + hidden

        assert tuple(Added()(X, hidden=torch.ones(4, 2)).shape) == (4, 2)
        first, second = keras.Input((3,)), keras.Input((2,))
        model = keras.Model([first, second], Added()(first, second))
        assert model.output_shape == (None, 2)
        assert model.count_params() == 8

    def test_something_beside_tensors_may_come_back(self) -> None:
        class Stateful(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.dense = layers.Dense(2)

            def call(self, x: Any, states: Any = None, return_state: bool = False) -> Any:
                return (self.dense(x), states) if return_state else self.dense(x)

        y, states = Stateful()(X, None, True)
        assert tuple(y.shape) == (4, 2)
        assert states is None

    def test_a_step_that_calls_it_with_more_than_the_data(self) -> None:
        class Trained(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.dense = layers.Dense(1)

            def call(self, x: Any, hidden: Any) -> Any:
                return self.dense(x) + hidden

            def train_step(self, data: Any) -> Any:
                x, y = data
                return {"error": ((self(x, y) - y) ** 2).mean()}

        model = Trained()
        model.compile("sgd")
        assert list(model.fit(X, Y, verbose=0).history) == ["error"]

    def test_build_alone_says_what_is_missing(self) -> None:
        with pytest.raises(TypeError, match="hidden"):
            Decoder().build((None, 1))


def test_a_model_that_hands_itself_to_its_base() -> None:
    class Handed(keras.Model):
        def __init__(self) -> None:
            super().__init__(self)  # as some tutorials have it
            self.dense = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    assert tuple(Handed()(X).shape) == (4, 2)


@pytest.mark.parametrize("name", "model inputs outputs modules children apply".split())
def test_names_of_attributes_that_keras_leaves_to_the_user(name: str, tmp_path: Any) -> None:
    class Named(keras.Model):
        def __init__(self, value: Any) -> None:
            super().__init__()
            setattr(self, name, value)
            self.dense = layers.Dense(2)

        def call(self, x: Any) -> Any:
            held = getattr(self, name)
            return self.dense(held(x)) if isinstance(held, layers.Layer) else self.dense(x) * held

    for value, weights in ((layers.Dense(2), 4), (5.0, 2)):
        model = Named(value)
        model.compile("sgd", "mse", metrics=["accuracy"])
        model.fit(X, np.ones((4, 2)), verbose=0)
        assert len(model.trainable_weights) == weights
        model.to("cpu").eval().summary(print_fn=lambda line: None)
        model.save_weights(tmp_path / "w.h5")
        assert getattr(model, name) is value
        touched: list[Any] = []
        outer = keras.Sequential([model])
        outer.build((None, 3))
        outer.apply(touched.append)
        assert sum(one is model.dense for one in touched) == 1
