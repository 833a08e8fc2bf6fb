"""Building, changing and describing a Sequential; models in models; layers that users write."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers

X = np.random.RandomState(0).rand(12, 6).astype("float32")
Y = X.sum(1, keepdims=True)
LABELS = np.arange(12) % 3


def test_a_shape_in_every_spelling() -> None:
    spellings: list[Any] = [
        [layers.Dense(3, input_shape=(6,))],
        [layers.Dense(3, input_dim=6)],
        [layers.Dense(3, batch_input_shape=(None, 6))],
        [layers.Input((6,)), layers.Dense(3)],
        [layers.InputLayer(input_shape=(6,)), layers.Dense(3)],
        layers.Dense(3, input_shape=(6,)),
    ]
    for items in spellings:
        model = keras.Sequential(items)
        assert (model.input_shape, model.output_shape, model.count_params()) == ((None, 6), (None, 3), 21)
        assert [layer.name.split("_")[0] for layer in model.layers] == ["dense"]


def test_the_first_batch_or_build() -> None:
    built, fitted = keras.Sequential([layers.Dense(3)]), keras.Sequential([layers.Dense(3)])
    built.build((None, 6))
    fitted.compile("sgd", "mse")
    fitted.train_on_batch(X, np.zeros((12, 3)))
    called = keras.Sequential([layers.Dense(3)])
    called(X)
    assert [m.count_params() for m in (built, fitted, called)] == [21] * 3


def test_pop_and_add() -> None:
    model = keras.Sequential([layers.Dense(5, input_shape=(6,)), layers.Dense(3)])
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((12, 3)), verbose=0)
    model.pop()
    assert model.output_shape == (None, 5)
    assert len(list(model.parameters())) == 2
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert model.predict(X).shape == (12, 1)
    for _ in range(2):
        model.pop()
    assert (model.built, model.layers) == (False, [])
    with pytest.raises(TypeError, match="no layers"):
        model.pop()
    model.add(layers.Dense(2, input_shape=(9,)))
    assert model.output_shape == (None, 2)


def test_one_layer_twice() -> None:
    shared = layers.Dense(6, input_shape=(6,))
    model = keras.Sequential([shared, shared, layers.Dense(1)])
    assert model.count_params() == 42 + 7
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    np.testing.assert_allclose(model.predict(X), model.layers[2](shared(shared(X))).detach().cpu().numpy(), rtol=1e-5)


def test_weights_and_layers() -> None:
    model = keras.Sequential([layers.Dense(5, input_shape=(6,), name="a"), layers.BatchNormalization(name="b")])
    assert [w.shape for w in model.get_weights()] == [(6, 5), (5,), (5,), (5,), (5,), (5,)]
    assert len(model.trainable_weights) == 4
    assert len(model.non_trainable_weights) == 2
    assert model.get_layer("b") is model.get_layer(index=1) is model.layers[-1]
    twin = keras.Sequential([layers.Dense(5, input_shape=(6,)), layers.BatchNormalization()])
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))


def test_summary() -> None:
    model = keras.Sequential([layers.Dense(5, input_shape=(6,), name="first"), layers.Dense(1)])
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "first (Dense)" in text
    assert "(None, 5)" in text
    assert "Total params: 41" in text


def tower(units: int = 4) -> Any:
    return keras.Sequential([layers.Dense(units, activation="relu", input_shape=(6,)), layers.BatchNormalization()])


class TestNested:
    def model(self) -> Any:
        np.random.seed(2)
        head = keras.Sequential([layers.Dense(4, input_shape=(4,)), layers.Dense(3), layers.Activation("softmax")])
        return keras.Sequential([tower(), head])

    def flat(self) -> Any:
        parts = [layers.Dense(4, activation="relu", input_shape=(6,)), layers.BatchNormalization()]
        return keras.Sequential([*parts, layers.Dense(4), layers.Dense(3), layers.Activation("softmax")])

    def test_it_is_the_flat_model(self, device: torch.device) -> None:
        nested, flat = self.model(), self.flat()
        assert [w.shape for w in nested.get_weights()] == [w.shape for w in flat.get_weights()]
        flat.set_weights(nested.get_weights())
        histories = []
        for model in (nested, flat):
            model.compile(
                keras.optimizers.SGD(0.1, momentum=0.5), "sparse_categorical_crossentropy", metrics=["accuracy"]
            )
            histories.append(model.fit(X, LABELS, epochs=3, shuffle=False, batch_size=5, verbose=0).history)
        np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-6)
        for a, b in zip(nested.get_weights(), flat.get_weights()):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)

    def test_the_loss_is_fused_through_it(self) -> None:
        model = self.model()
        model.compile("sgd", "sparse_categorical_crossentropy")
        weights = model.get_weights()
        weights[-1] = np.array([200.0, 0.0, 0.0])
        model.set_weights(weights)
        # From probabilities it could be 16.1 at most.
        assert model.test_on_batch(X, np.full(12, 1)) > 150

    def test_without_shapes(self) -> None:
        model = keras.Sequential([keras.Sequential([layers.Dense(4)]), keras.Sequential([layers.Dense(1)])])
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        assert model.count_params() == 28 + 5

    def test_configuration_and_clone(self) -> None:
        model = self.model()
        twin = keras.Sequential.from_config(json.loads(model.to_json())["config"])
        twin.set_weights(model.get_weights())
        np.testing.assert_array_equal(twin.predict(X), model.predict(X))
        clone = keras.models.clone_model(model)
        assert not np.allclose(clone.get_weights()[0], model.get_weights()[0])
        clone.set_weights(model.get_weights())
        np.testing.assert_array_equal(clone.predict(X), model.predict(X))

    def test_freezing_the_inner_one(self) -> None:
        model = self.model()
        model.layers[0].trainable = False
        assert all(not layer.trainable for layer in model.layers[0].layers)
        model.compile("sgd", "sparse_categorical_crossentropy")
        before = model.get_weights()
        model.fit(X, LABELS, verbose=0)
        same = [np.array_equal(a, b) for a, b in zip(before, model.get_weights())]
        assert same[:4] == [True] * 4
        assert same[6:] == [False] * 4

    def test_summary(self) -> None:
        lines: list[str] = []
        self.model().summary(print_fn=lines.append, expand_nested=True)
        assert sum("(Dense)" in line for line in lines) == 3
        lines.clear()
        self.model().summary(print_fn=lines.append)
        assert sum("(Dense)" in line for line in lines) == 0

    def test_weights_set_in_the_inner_one_are_those_of_the_outer(self) -> None:
        model = self.model()
        inner = model.layers[0]
        inner.set_weights([w * 0 for w in inner.get_weights()])
        assert (model.get_weights()[0] == 0).all()


class Scale(layers.Layer):
    """A layer as users write it."""

    def __init__(self, factor: float = 1.0, **kwargs: Any) -> None:
        self.factor = factor
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1],), initializer="ones", trainable=True)
        self.shift = self.add_weight(name="shift", shape=(input_shape[-1],), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs * self.kernel * self.factor + self.shift

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class Block(layers.Layer):
    """Layers inside, assigned before the base is ready."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        self.units = units
        self.dense = layers.Dense(units, activation="relu")
        self.norm = layers.BatchNormalization()
        super().__init__(**kwargs)
        self.drop = layers.Dropout(0.5)

    def call(self, inputs: torch.Tensor, training: bool = False) -> torch.Tensor:
        return self.drop(self.norm(self.dense(inputs), training=training), training=training)  # type: ignore[no-any-return]


class TestUserLayers:
    def test_weights(self) -> None:
        model = keras.Sequential([Scale(2.0, input_shape=(6,)), layers.Dense(1)])
        assert model.count_params() == 12 + 7
        assert [w.name for w in model.layers[0].weights] == ["scale_1/kernel:0", "scale_1/shift:0"]
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        kernel, shift = model.layers[0].get_weights()
        assert not (kernel == 1).all()
        assert (shift == 0).all()
        twin = keras.Sequential.from_config(model.get_config(), custom_objects={"Scale": Scale})
        twin.set_weights(model.get_weights())
        np.testing.assert_array_equal(twin.predict(X), model.predict(X))
        assert twin.layers[0].factor == 2.0

    def test_layers_inside(self, device: torch.device) -> None:
        model = keras.Sequential([Block(4, input_shape=(6,)), layers.Dense(1)])
        assert model.output_shape == (None, 1)
        assert model.count_params() == 28 + 16 + 5
        assert [w.shape for w in model.layers[0].get_weights()] == [(6, 4), (4,), (4,), (4,), (4,), (4,)]
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=2, verbose=0)
        np.testing.assert_array_equal(model.predict(X), model.predict(X))
        assert not np.allclose(model.layers[0].norm.get_weights()[2], 0)

    def test_torch_modules_inside(self) -> None:
        class Torch(layers.Layer):
            def __init__(self, **kwargs: Any) -> None:
                super().__init__(**kwargs)
                self.net = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.BatchNorm1d(4))

            def call(self, inputs: torch.Tensor) -> torch.Tensor:
                return self.net(inputs)  # type: ignore[no-any-return]

        model = keras.Sequential([Torch(input_shape=(6,)), layers.Dense(1)])
        model.compile("sgd", "mse")
        before = model.layers[0].net[0].weight.detach().clone()
        model.fit(X, Y, verbose=0)
        assert not torch.equal(before, model.layers[0].net[0].weight)
        mean = model.layers[0].net[1].running_mean.clone()
        model.predict(X)
        assert torch.equal(mean, model.layers[0].net[1].running_mean)

    def test_added_losses(self) -> None:
        class Penalty(layers.Layer):
            def call(self, inputs: torch.Tensor) -> torch.Tensor:
                self.add_loss(inputs.square().mean())
                return inputs

        model = keras.Sequential([layers.Dense(1, input_shape=(6,)), Penalty()])
        model.compile("sgd", "mse")
        predicted = model.predict(X)
        expected = ((predicted - Y) ** 2).mean() + (predicted**2).mean()
        assert model.test_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)
        model.compile("sgd")
        assert model.fit(X, epochs=2, verbose=0).history["loss"][1] < (predicted**2).mean()


class TestTrainable:
    def test_after_compile_it_does_not_count(self) -> None:
        model = keras.Sequential([layers.Dense(4, input_shape=(6,)), layers.Dense(1)])
        model.compile("sgd", "mse")
        model.layers[0].trainable = False
        before = model.get_weights()
        with pytest.warns(UserWarning, match="trainable was changed after compile") as caught:
            model.fit(X, Y, epochs=2, verbose=0)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert not np.array_equal(before[0], model.get_weights()[0])
        model.compile("sgd", "mse")
        before = model.get_weights()
        model.fit(X, Y, verbose=0)
        assert [np.array_equal(a, b) for a, b in zip(before, model.get_weights())] == [True, True, False, False]

    def test_a_frozen_model_has_nothing_to_train(self) -> None:
        model = keras.Sequential([layers.Dense(1, input_shape=(6,))])
        model.trainable = False
        model.compile("sgd", "mse")
        before = model.get_weights()
        assert len(model.fit(X, Y, verbose=0).epoch) == 1
        assert np.array_equal(before[0], model.get_weights()[0])
        assert (model.trainable_weights, len(model.non_trainable_weights)) == ([], 2)

    def test_gan(self) -> None:
        """One discriminator in two models, and one optimizer for both."""
        np.random.seed(1)
        optimizer = keras.optimizers.Adam(0.01)
        judge = keras.Sequential(
            [layers.Dense(8, activation="relu", input_shape=(6,)), layers.Dense(1, activation="sigmoid")]
        )
        judge.compile(optimizer, "binary_crossentropy")
        maker = keras.Sequential([layers.Dense(6, input_shape=(2,))])
        judge.trainable = False
        both = keras.Sequential([maker, judge])
        both.compile(optimizer, "binary_crossentropy")

        noise, ones, zeros = np.random.rand(12, 2), np.ones(12), np.zeros(12)
        for step in range(3):
            a, b = judge.get_weights(), maker.get_weights()
            if step == 0:
                with pytest.warns(UserWarning, match="trainable was changed"):
                    judge.train_on_batch(X, ones)
            else:
                judge.train_on_batch(X, ones)
            judge.train_on_batch(maker.predict(noise), zeros)
            assert not any(np.array_equal(v, w) for v, w in zip(a, judge.get_weights()))
            assert all(np.array_equal(v, w) for v, w in zip(b, maker.get_weights()))
            a, b = judge.get_weights(), maker.get_weights()
            both.train_on_batch(noise, ones)
            assert all(np.array_equal(v, w) for v, w in zip(a, judge.get_weights()))
            assert not any(np.array_equal(v, w) for v, w in zip(b, maker.get_weights()))
        assert int(optimizer.iterations) == 9


def test_clone_has_new_weights_and_old_settings() -> None:
    model = keras.Sequential(
        [layers.Dense(3, input_shape=(6,), name="a", trainable=False), layers.Dropout(0.3)], name="net"
    )
    twin = keras.models.clone_model(model)
    assert (twin.name, [layer.name for layer in twin.layers], twin.layers[0].trainable) == (
        "net",
        ["a", "dropout_1"],
        False,
    )
    assert not np.allclose(twin.get_weights()[0], model.get_weights()[0])
    doubled = keras.models.clone_model(model, clone_function=lambda layer: type(layer).from_config(layer.get_config()))
    assert doubled.count_params() == 21


def test_json() -> None:
    model = keras.Sequential([layers.Dense(3, input_shape=(6,), kernel_regularizer="l2"), layers.Activation("softmax")])
    text = model.to_json(indent=1)
    twin = keras.models.model_from_json(text)
    assert twin.to_json() == model.to_json()
    with pytest.raises(ValueError, match="unknown layer 'Foo'"):
        keras.models.model_from_json(text.replace('"Dense"', '"Foo"'))
    with pytest.raises(ValueError, match="class_name"):
        keras.models.model_from_json("{}")
    with pytest.raises(RuntimeError, match="to_json"):
        model.to_yaml()


def test_symbols() -> None:
    model = keras.Sequential([layers.Dense(3, input_shape=(6,)), layers.Dense(1)])
    inner = keras.backend.function([model.input], [model.layers[0].output])
    np.testing.assert_allclose(inner([X])[0], model.layers[0](X).detach().cpu().numpy(), rtol=1e-6)


def test_embeddings_go_to_double() -> None:
    model = keras.Sequential([layers.Embedding(50, 3, input_length=4), layers.Flatten(), layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.arange(48).reshape(12, 4)
    model.fit(x, Y, verbose=0)
    model.double()
    model.fit(x, Y, verbose=0)
    assert model.get_weights()[0].dtype == np.float64


class TestWhatUserLayersHold:
    """Whatever a layer holds trains, counts and is saved, however it got there."""

    def test_lists_of_layers(self) -> None:
        class Stack(layers.Layer):
            def __init__(self, **kwargs: Any) -> None:
                super().__init__(**kwargs)
                self.blocks: list[Any] = []
                for units in (5, 4):
                    self.blocks.append(layers.Dense(units))
                self.named = {"last": layers.Dense(1)}

            def call(self, inputs: torch.Tensor) -> torch.Tensor:
                for block in self.blocks:
                    inputs = block(inputs)
                return self.named["last"](inputs)  # type: ignore[no-any-return]

        model = keras.Sequential([Stack(input_shape=(6,))])
        assert model.count_params() == 35 + 24 + 5
        model.compile("sgd", "mse")
        before = model.get_weights()
        model.fit(X, Y, verbose=0)
        assert not any(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))

    def test_parameters(self, device: torch.device) -> None:
        class Gain(layers.Layer):
            def __init__(self, **kwargs: Any) -> None:
                super().__init__(**kwargs)
                self.gain = torch.nn.Parameter(torch.ones(6))
                self.register_buffer("offset", torch.zeros(6))

            def call(self, inputs: torch.Tensor) -> torch.Tensor:
                return inputs * self.gain + self.offset

        model = keras.Sequential([Gain(input_shape=(6,)), layers.Dense(1)])
        assert [w.shape for w in model.get_weights()] == [(6,), (6,), (6, 1), (1,)]
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        assert not (model.layers[0].gain == 1).all()
        assert model.layers[0].gain.device.type == device.type

    def test_a_subclass_of_sequential(self) -> None:
        class Net(keras.Sequential):  # type: ignore[misc, name-defined]
            def __init__(self, units: int) -> None:
                super().__init__([layers.Dense(units, input_shape=(6,)), layers.Dense(1)])

        model = Net(4)
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        assert model.count_params() == 28 + 5
        outer = keras.Sequential([Net(3), layers.Dense(1)])
        assert outer.count_params() == 21 + 4 + 2


def test_losses_of_a_run_do_not_pile_up() -> None:
    model = keras.Sequential([layers.Dense(1, input_shape=(6,), activity_regularizer="l2"), layers.Activation("tanh")])
    model.compile("sgd", "mse")
    first = model.test_on_batch(X, Y)
    for _ in range(3):
        model.predict(X)
        model(X)
    assert len(model.losses) == 1
    assert model.test_on_batch(X, Y) == pytest.approx(first)


@pytest.mark.parametrize(
    ("method", "argument"),
    [("add", "layer"), ("set_weights", "weights"), ("save_weights", "filepath"), ("get_output_at", "node_index")],
)
def test_pythons_own_errors_name_no_class_that_nobody_wrote(method: str, argument: str) -> None:
    with pytest.raises(
        TypeError, match=rf"^(Sequential\.)?{method}\(\) missing 1 required positional argument: '{argument}'"
    ):
        getattr(keras.Sequential(), method)()
