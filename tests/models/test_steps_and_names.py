"""Data in the trees that users give, as their own steps get them; names and configurations that hold over compiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers

RNG = np.random.RandomState(2)
X, Y = RNG.randn(12, 5).astype("float32"), RNG.randn(12, 2).astype("float32")


class Net(keras.Model):
    """A subclass whose argument is an attribute."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units
        self.dense = layers.Dense(units)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


def two_outputs(cls: type = keras.Model) -> Any:
    x = keras.Input((5,))
    return cls(x, {"second": layers.Dense(2, name="a")(x), "first": layers.Dense(2, name="b")(x)})


# --- steps -------------------------------------------------------------------------------------------------------


def test_a_model_of_steps_alone_needs_no_call() -> None:
    class Distance(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(2)

        def train_step(self, data: Any) -> Any:
            pair, y = data
            loss = ((self.dense(pair["left"]) - self.dense(pair["right"])) ** 2).mean() + (y**2).mean()
            self.optimizer.minimize(loss, self.trainable_variables)
            return {"loss": loss}

    model = Distance()
    model.dense.build((None, 5))
    model.compile(keras.optimizers.SGD(0.1))
    before = model.dense.get_weights()[0]
    history = model.fit({"left": X, "right": -X}, Y, epochs=3, verbose=0).history["loss"]
    np.testing.assert_allclose(history[0], ((2 * X @ before) ** 2).mean() + (Y**2).mean(), rtol=1e-5)
    assert history[2] < history[0]


@pytest.mark.parametrize("step", ["train_step", "test_step"])
def test_a_step_that_calls_super_with_dictionaries_changes_nothing(step: str) -> None:
    def override(self: Any, data: Any) -> Any:
        assert set(data[1]) == {"first", "second"}
        return getattr(super(own, self), step)(data)

    own: type = type("Own", (keras.Model,), {step: override})
    y, seen = {"first": Y, "second": 2 * Y}, []
    for cls in (keras.Model, own):
        model = two_outputs(cls)
        model.set_weights([np.full(w.shape, 0.1, "float32") for w in model.get_weights()])
        model.compile(keras.optimizers.SGD(0.1), {"first": "mse", "second": "mae"}, metrics={"second": ["mse"]})
        history = model.fit(X, y, batch_size=4, epochs=2, shuffle=False, validation_split=0.25, verbose=0)
        seen.append((history.history, model.get_weights()))
    (plain, weights), (overridden, others) = seen
    assert list(plain) == list(overridden)
    for name in plain:
        np.testing.assert_allclose(overridden[name], plain[name], rtol=1e-5, err_msg=name)
    for one, other in zip(weights, others):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


def test_class_weight_of_a_step_that_gets_several_targets_is_refused() -> None:
    class Own(keras.Model):
        def train_step(self, data: Any) -> Any:
            return {"loss": 0.0}

    model = two_outputs(Own)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="class_weight needs the targets of one output"):
        model.fit(X, {"first": Y, "second": Y}, class_weight={0: 1.0}, verbose=0)


def test_predict_step_is_called_for_each_batch_of_the_size_that_was_asked_for() -> None:
    class Own(keras.Model):
        def predict_step(self, data: Any) -> Any:
            return len(data) * super().predict_step(data)

    x = keras.Input((5,))
    model = Own(x, layers.Dense(2)(x))
    plain = model(X).numpy()
    np.testing.assert_allclose(model.predict(X, batch_size=3, verbose=0), 3 * plain, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), plain, rtol=1e-5)  # a tuple of one


# --- names -------------------------------------------------------------------------------------------------------


def test_a_metric_keeps_its_own_name_over_compiles() -> None:
    model, own = two_outputs(), keras.metrics.MeanAbsoluteError(name="away")
    for _ in range(2):
        model.compile("sgd", "mse", metrics={"first": [own]})
        assert model.metrics_names == ["loss", "b_loss", "a_loss", "b_away"]
        model.train_on_batch(X, {"first": Y, "second": Y})
        assert (own.name, own.own_name) == ("b_away", "away")


def test_a_key_that_is_the_name_of_another_output_is_a_key() -> None:
    x = keras.Input((5,))
    model = keras.Model(x, {"a": layers.Dense(2, name="b")(x), "b": layers.Dense(2, name="a")(x)})
    model.set_weights([np.zeros(w.shape, "float32") for w in model.get_weights()])
    model.compile("sgd", {"a": "mse", "b": "mae"})
    logs = model.test_on_batch(X, {"a": Y, "b": 0 * Y}, return_dict=True)
    np.testing.assert_allclose([logs["b_loss"], logs["a_loss"]], [(Y**2).mean(), 0], rtol=1e-5)


# --- configurations ----------------------------------------------------------------------------------------------


def test_a_subclass_has_the_arguments_of_its_constructor_for_a_configuration() -> None:
    model = Net(3)
    assert model.get_config() == {"units": 3}
    made = keras.models.model_from_json(model.to_json(), custom_objects={"Net": Net})
    assert (type(made), made.units) == (Net, 3)
    assert keras.models.clone_model(model).units == 3
    with pytest.raises(ValueError, match="Net"):
        keras.models.model_from_json(model.to_json())


def test_a_subclass_that_does_not_keep_its_argument_says_so() -> None:
    class Forgetful(keras.Model):
        def __init__(self, units: Any) -> None:
            super().__init__()

    assert Forgetful(3).get_config() == {"units": 3}  # as Keras 2.15, which notes what is plain
    with pytest.raises(NotImplementedError, match="units"):
        Forgetful(object()).get_config()


# --- shapes ------------------------------------------------------------------------------------------------------


def test_weights_say_which_size_they_were_made_for() -> None:
    dense, lstm = layers.Dense(2), layers.LSTM(2)
    dense(X)
    lstm(np.zeros((2, 4, 3)))
    with pytest.raises(ValueError, match=r"size 5 of axis -1 of the input; got shape \(None, 4\)"):
        dense(X[:, :4])
    with pytest.raises(ValueError, match="size 3 of axis -1"):
        lstm(keras.Input((4, 2)))


def test_a_graph_of_convolutions_takes_other_sizes() -> None:
    x = keras.Input((8, 8, 1))
    h = layers.Conv2D(2, 3, padding="same")(x)
    chain = keras.Model(x, layers.GlobalAveragePooling2D()(h))
    graph = keras.Model(x, layers.GlobalAveragePooling2D()(layers.concatenate([h, x])))
    image = RNG.randn(2, 10, 6, 1).astype("float32")
    assert (chain.predict(image, verbose=0).shape, graph.predict(image, verbose=0).shape) == ((2, 2), (2, 3))
    for model in (chain, graph):
        with pytest.raises(ValueError, match=r"must have shape \(None, 8, 8, 1\); got \(None, 8, 8, 3\)"):
            model.predict(np.zeros((2, 8, 8, 3)), verbose=0)


def test_a_compiled_model_says_once_that_a_step_of_its_own_runs_eagerly() -> None:
    class Own(keras.Sequential):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    model = Own([layers.Dense(2, input_shape=(5,))])
    model.compile("sgd", "mse", jit_compile=True)
    with pytest.warns(UserWarning, match=r"compile\(jit_compile=True\): steps that Own writes anew"):
        model.fit(X, Y, epochs=2, verbose=0)
    model.evaluate(X, Y, verbose=0)  # a second warning would be an error
    model.fit(X, Y, verbose=0)


def test_layers_and_models_are_renamed_by_their_private_name(tmp_path: Path) -> None:
    """As scripts do that join two models of one kind; what Keras 2.15 answers."""
    keras.set_dialect("tf.keras")
    inputs = keras.Input((3,), name="x")
    one, other = (keras.Model(inputs, keras.layers.Dense(2, name="dense")(inputs)) for _ in range(2))
    for layer in other.layers[1:]:
        layer._name = f"{layer.name}_2"
    joined = keras.Model(inputs, keras.layers.add([one.output, other.output], name="sum"))
    assert [layer.name for layer in joined.layers] == ["x", "dense", "dense_2", "sum"]
    assert joined.get_layer("dense_2") is other.layers[1]
    joined._name = "both"
    assert (joined.name, joined.get_config()["layers"][2]["config"]["name"]) == ("both", "dense_2")
    joined.save(tmp_path / "net.h5")
    assert [layer.name for layer in keras.models.load_model(tmp_path / "net.h5", compile=False).layers] == [
        "x",
        "dense",
        "dense_2",
        "sum",
    ]


def test_the_configuration_of_a_subclass_beside_that_of_its_base(tmp_path: Path) -> None:
    """A subclass may add to `super().get_config()`, which has nothing of graphs, built or not; as in Keras 2.15."""
    keras.set_dialect("tf.keras")

    @keras.utils.register_keras_serializable("tests")
    class Net(keras.Model):
        def __init__(self, units: int = 4, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units, self.dense = units, keras.layers.Dense(units)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def get_config(self) -> Any:
            return {**super().get_config(), "units": self.units}

        @classmethod
        def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
            return cls(**config)

    net = Net(3)
    assert net.get_config() == {"units": 3}
    x = np.ones((2, 5), "float32")
    expected = net.predict(x, verbose=0)
    assert net.get_config() == {"units": 3}
    net.compile("adam", "mse")
    net.save(tmp_path / "net.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "net.keras").predict(x, verbose=0), expected)
