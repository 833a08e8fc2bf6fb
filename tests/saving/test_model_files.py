"""`model.save` and `load_model`: whole models, how they were compiled, and where their training stood."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat.saving.file_kinds import FileError

L = keras.layers
RNG = np.random.RandomState(0)


def dense() -> Any:
    return keras.Sequential([L.Dense(4, activation="relu", input_dim=3), L.Dropout(0.2), L.Dense(2)])


def trained(model: Any, x: Any, y: Any, **compiled: Any) -> Any:
    model.compile(**{"optimizer": "adam", "loss": "mse", **compiled})
    model.fit(x, y, epochs=2, verbose=0, shuffle=False)
    return model


@pytest.fixture
def data() -> tuple[Any, Any]:
    return RNG.rand(12, 3).astype("float32"), RNG.rand(12, 2).astype("float32")


@pytest.mark.parametrize("dialect", ["keras-1", "keras-2.2", "keras-2.3", "tf.keras", "keras-2.15"])
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamax", "nadam"])
def test_training_goes_on_where_the_file_left_it(dialect: str, optimizer: str, tmp_path: Any, data: Any) -> None:
    keras.set_dialect(dialect)
    x, y = data
    model = trained(
        keras.Sequential([L.Dense(4, activation="tanh", input_dim=3), L.Dense(2)]), x, y, optimizer=optimizer
    )
    path = tmp_path / "model.h5"
    model.save(path)
    other = keras.models.load_model(path)
    assert type(other.optimizer).__name__ == type(model.optimizer).__name__
    assert other.optimizer.get_config() == model.optimizer.get_config()
    assert int(other.optimizer.iterations) == int(model.optimizer.iterations)
    for one in (model, other):
        one.fit(x, y, epochs=2, verbose=0, shuffle=False)
    assert other.history.history == model.history.history
    for ours, theirs in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_what_compile_was_told_comes_back(tmp_path: Any) -> None:
    keras.set_dialect("tf.keras")
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [L.Dense(1, name="a")(inputs), L.Dense(2, name="b")(inputs)])
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        {"a": "mse", "b": keras.losses.Huber(0.5)},
        metrics={"a": ["mae", keras.metrics.RootMeanSquaredError()]},
        loss_weights={"a": 1.0, "b": 2.0},
        weighted_metrics={"b": ["mse"]},
    )
    x, y = RNG.rand(8, 3), [RNG.rand(8, 1), RNG.rand(8, 2)]
    history = model.fit(x, y, verbose=0).history
    model.save(tmp_path / "model.h5")
    other = keras.models.load_model(tmp_path / "model.h5")
    assert other.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    assert list(other.fit(x, y, verbose=0).history) == list(history)
    assert other.loss["b"].get_config()["delta"] == 0.5


def test_functions_of_users_are_found_by_their_names(tmp_path: Any, data: Any) -> None:
    def half_squared(y_true: Any, y_pred: Any) -> Any:
        return keras.backend.mean(keras.backend.square(y_true - y_pred), axis=-1) / 2

    class Twice(L.Layer):
        def call(self, x: Any) -> Any:
            return 2 * x

    model = trained(
        keras.Sequential([L.Dense(2, input_dim=3), Twice()]), *data, loss=half_squared, metrics=[half_squared]
    )
    model.save(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="Twice"):
        keras.models.load_model(tmp_path / "model.h5")
    with pytest.raises(ValueError, match=r"half_squared.*custom_objects"):
        keras.models.load_model(tmp_path / "model.h5", custom_objects={"Twice": Twice})
    objects = {"Twice": Twice, "half_squared": half_squared}
    other = keras.models.load_model(tmp_path / "model.h5", custom_objects=objects)
    assert other.evaluate(*data, verbose=0) == model.evaluate(*data, verbose=0)
    uncompiled = keras.models.load_model(tmp_path / "model.h5", {"Twice": Twice}, compile=False)
    np.testing.assert_array_equal(uncompiled.predict(data[0], verbose=0), model.predict(data[0], verbose=0))


def test_a_model_without_compile_says_so_once(tmp_path: Any) -> None:
    dense().save(tmp_path / "model.h5")
    with pytest.warns(UserWarning, match="does not say how the model was compiled.*compile=False"):
        keras.models.load_model(tmp_path / "model.h5")
    keras.models.load_model(tmp_path / "model.h5", compile=False)


def test_include_optimizer_false_leaves_compile_out(tmp_path: Any, data: Any) -> None:
    trained(dense(), *data).save(tmp_path / "model.h5", include_optimizer=False)
    with h5py.File(tmp_path / "model.h5") as root:
        assert "training_config" not in root.attrs
        assert "optimizer_weights" not in root


def test_an_unbuilt_model_names_the_call_to_make(tmp_path: Any) -> None:
    with pytest.raises(ValueError, match=r"input_shape=.*build\(\(None"):
        keras.Sequential([L.Dense(2)]).save(tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []


def test_calls_of_users_are_refused_with_both_ways_out(tmp_path: Any) -> None:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = L.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Net()
    model.build((None, 3))
    with pytest.raises(NotImplementedError, match=r"save_weights.*\.keras"):
        model.save(tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []


def test_what_a_model_says_of_its_building_is_in_the_archive(tmp_path: Any) -> None:
    class Widening(keras.Model):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.hidden, self.out = L.Dense(4), L.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.out(self.hidden(inputs))

        def get_build_config(self) -> dict[str, Any]:
            return {"features": self.hidden.weights[0].shape[0]}

        def build_from_config(self, config: Any) -> None:
            self.features_in_file = config["features"]
            self.build((None, config["features"]))

        def get_config(self) -> dict[str, Any]:
            return {"name": self.name}

    model = Widening()
    x = np.ones((2, 3), "float32")
    expected = model.predict(x)
    path = os.path.join(tmp_path, "widening.keras")
    model.save(path)
    loaded = keras.models.load_model(path, custom_objects={"Widening": Widening})
    assert loaded.features_in_file == 3
    np.testing.assert_array_equal(loaded.predict(x), expected)


def test_optimizers_of_torch_are_told_of_and_left_out(tmp_path: Any) -> None:
    import torch

    model = dense()
    model.compile(torch.optim.SGD(model.parameters(), 0.1), "mse")
    with pytest.warns(UserWarning, match="says nothing of how the model was compiled"):
        model.save(tmp_path / "model.h5")
    keras.models.load_model(tmp_path / "model.h5", compile=False)


@pytest.mark.parametrize("place", ["string", "path", "file"])
def test_where_a_model_is_written(place: str, tmp_path: Any, data: Any) -> None:
    model = trained(dense(), *data)
    path = tmp_path / "model.h5"
    if place == "file":
        with h5py.File(path, "w") as file:
            model.save(file)
        with h5py.File(path) as file:
            other = keras.models.load_model(file)
    else:
        target: Any = str(path) if place == "string" else pathlib.Path(path)
        keras.models.save_model(model, target)
        other = keras.models.load_model(target)
    np.testing.assert_array_equal(other.predict(data[0], verbose=0), model.predict(data[0], verbose=0))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda root: root.attrs.__delitem__("model_config"), "holds no model.*load_weights"),
        (lambda root: root.attrs.__setitem__("model_config", "{"), "model_config is no JSON"),
        (lambda root: root.attrs.__setitem__("model_config", "[]"), "describes no model"),
        (
            lambda root: root.attrs.__setitem__("model_config", "[" * 100000),
            "model_config has lists.*each other",
        ),
        (lambda root: root.attrs.__setitem__("training_config", "[]"), "training_config is damaged.*compile=False"),
        (lambda root: root.attrs.__setitem__("training_config", '{"optimizer_config": {}}'), "optimizer.*damaged"),
    ],
)
def test_damaged_descriptions_are_named(damage: Callable[[Any], None], message: str, tmp_path: Any, data: Any) -> None:
    path = tmp_path / "model.h5"
    trained(dense(), *data).save(path)
    with h5py.File(path, "a") as root:
        damage(root)
    with pytest.raises(FileError, match=message):
        keras.models.load_model(path)


def test_a_state_that_does_not_fit_starts_anew_with_a_warning(tmp_path: Any, data: Any) -> None:
    path = tmp_path / "model.h5"
    trained(dense(), *data).save(path)
    with h5py.File(path, "a") as root:
        names = root["optimizer_weights"].attrs["weight_names"]
        root["optimizer_weights"].attrs["weight_names"] = names[:-1]
    with pytest.warns(UserWarning, match="state of the optimizer in the file does not fit"):
        other = keras.models.load_model(path)
    assert int(other.optimizer.iterations) == 0


def test_an_error_while_writing_leaves_the_older_file(tmp_path: Any, data: Any, monkeypatch: Any) -> None:
    path = tmp_path / "model.h5"
    model = trained(dense(), *data)
    model.save(path)
    before = path.read_bytes()
    monkeypatch.setattr(type(model.optimizer), "get_weights", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.h5"]


def test_the_file_has_the_form_of_keras_2(tmp_path: Any, data: Any) -> None:
    keras.set_dialect("keras-2.15")
    trained(dense(), *data).save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as root:
        told = json.loads(root.attrs["training_config"])
        assert told["optimizer_config"]["class_name"] == "Custom>Adam"
        assert root["optimizer_weights"].attrs["weight_names"][0] == "Adam/iteration:0"
        assert set(root) == {"model_weights", "optimizer_weights"}
        assert json.loads(root.attrs["model_config"])["class_name"] == "Sequential"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"save_format": "onnx"}, "save_format must be 'keras' or 'h5'"),
        ({"signatures": 1}, "signatures must be its default"),
        ({"optimizer": True}, "unknown argument"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments: dict[str, Any], message: str, tmp_path: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        dense().save(tmp_path / "model.h5", **arguments)


@pytest.mark.parametrize("ending", [".h5", ".keras"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adagrad"])
@pytest.mark.parametrize("dialect", ["keras-2.3", "tf.keras", "keras-2.15"])
def test_a_model_that_has_not_trained_yet(dialect: str, optimizer: str, ending: str, tmp_path: Any, data: Any) -> None:
    keras.set_dialect(dialect)
    model = dense()
    model.compile(optimizer, "mse")
    model.save(tmp_path / f"model{ending}")
    other = keras.models.load_model(tmp_path / f"model{ending}")
    assert int(other.optimizer.iterations) == 0
    other.fit(*data, verbose=0)


@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_saving_twice_makes_equal_files(ending: str, tmp_path: Any, data: Any) -> None:
    model = trained(dense(), *data)
    before, config = model.get_weights(), model.get_config()
    for name in ("one", "two"):
        model.save(tmp_path / f"{name}{ending}")
    assert (tmp_path / f"one{ending}").read_bytes() == (tmp_path / f"two{ending}").read_bytes()
    assert model.get_config() == config
    for ours, theirs in zip(before, model.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_a_model_from_a_file_draws_no_random_numbers(ending: str, tmp_path: Any) -> None:
    dense().save(tmp_path / f"model{ending}")
    state = np.random.get_state()[1].copy()
    keras.models.load_model(tmp_path / f"model{ending}", compile=False)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize("ending", [".h5", ".keras"])
@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.IntegerLookup(output_mode="multi_hot"),
        lambda: L.Normalization(),
        lambda: L.Discretization(num_bins=3),
    ],
)
def test_what_adapt_has_found_is_in_the_file(layer: Callable[[], Any], ending: str, tmp_path: Any) -> None:
    x = np.array([[1], [2], [2], [7], [9]])
    adapted = layer()
    adapted.adapt(x)
    model = keras.Sequential([adapted])
    expected = model.predict(x, verbose=0)
    model.save(tmp_path / f"model{ending}")
    other = keras.models.load_model(tmp_path / f"model{ending}", compile=False)
    np.testing.assert_array_equal(other.predict(x, verbose=0), expected)


@pytest.mark.parametrize("dialect", ["keras-1", "keras-2.3", "tf.keras", "keras-2.15"])
def test_chains_in_chains_that_were_built_by_data(dialect: str, tmp_path: Any) -> None:
    """Keras 2.15 reads them where an InputLayer stands before the first; by a shape alone it makes no weights."""
    keras.set_dialect(dialect)
    inside = keras.models.Sequential([keras.models.Sequential([L.Dense(6)]), L.BatchNormalization()])
    model = keras.models.Sequential([inside, L.Dense(2)])
    x = RNG.rand(12, 5).astype("float32")
    trained(model, x, RNG.rand(12, 2))
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as file:
        outer = json.loads(file.attrs["model_config"])["config"]
    middle = next(entry for entry in outer["layers"] if entry["class_name"] == "Sequential")
    for chain in (outer, middle["config"]):
        assert chain["layers"][0]["class_name"] == "InputLayer"
        assert chain["layers"][0]["config"]["batch_input_shape"] == [None, 5]
    again = keras.models.load_model(tmp_path / "model.h5")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.train_on_batch(x, np.zeros((12, 2))) == model.train_on_batch(x, np.zeros((12, 2)))


class WithScale(keras.Model):
    """A graph with a weight beside those of its layers, which Keras 2.15 keeps under `top_level_model_weights`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scale = self.add_weight(name="scale", shape=(2,), initializer="zeros")


def with_scale() -> Any:
    x = keras.layers.Input((3,))
    model = WithScale(x, L.Dense(2)(x))
    model.set_weights([np.full(weight.shape, 0.5) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("ending", [".h5", ".keras", ".weights.h5"])
def test_weights_of_a_models_own(ending: str, whole: bool, tmp_path: Any) -> None:
    model, path = with_scale(), tmp_path / f"model{ending}"
    if whole and ending != ".weights.h5":
        model.save(path)
        again = keras.models.load_model(path, {"WithScale": WithScale}, compile=False)
    else:
        model.save_weights(path)
        again = with_scale()
        again.set_weights([weight * 0 for weight in again.get_weights()])
        again.load_weights(path)
    assert [np.ptp(weight) for weight in again.get_weights()] == [0, 0, 0]
    assert all((weight == 0.5).all() for weight in again.get_weights())


def test_a_whole_model_without_some_weight_is_refused(tmp_path: Any) -> None:
    """No weight of a model that was loaded is left without a value."""
    with_scale().save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        del file["model_weights"]["top_level_model_weights"]  # as before Keras 2.6
    with pytest.raises(FileError, match=r"the file has no values for .*scale"):
        keras.models.load_model(tmp_path / "model.h5", {"WithScale": WithScale}, compile=False)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_class_of_the_users_is_asked_for_by_name(suffix: str, tmp_path: pathlib.Path) -> None:
    class Passing(L.Layer):
        def call(self, x: Any) -> Any:
            return x

    model = keras.Sequential([L.Dense(2, input_dim=3), Passing()])
    model.save(tmp_path / f"model{suffix}")
    with pytest.raises(ValueError, match=r"unknown layer 'Passing': .* custom_objects=\{'Passing': Passing\}"):
        keras.models.load_model(tmp_path / f"model{suffix}", compile=False)


def test_a_subclassed_model_is_asked_for_by_name(tmp_path: pathlib.Path) -> None:
    class Mine(keras.Model):
        def __init__(self, units: int = 3, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.dense = L.Dense(units)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Mine()
    model.build((None, 2))
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"unknown layer 'Mine': .* custom_objects=\{'Mine': Mine\}"):
        keras.models.load_model(tmp_path / "model.keras", compile=False)


@pytest.mark.parametrize("shape", [lambda shapes: (shapes[0][0], 1), None], ids=["nameless", "none"])
def test_a_function_told_by_its_layers_name_needs_no_function_of_shapes(shape: Any, tmp_path: pathlib.Path) -> None:
    """As Siamese networks have it: Lambda(distance, output_shape=lambda shapes: …)."""
    distance: Callable[[Any], Any] = lambda pair: keras.backend.sum((pair[0] - pair[1]) ** 2, axis=1, keepdims=True)  # noqa: E731
    shared, inputs = keras.layers.Dense(3), [keras.Input((4,)), keras.Input((4,))]
    apart = keras.layers.Lambda(distance, output_shape=shape, name="apart")([shared(one) for one in inputs])
    model = keras.Model(inputs, apart)
    model.save(tmp_path / "net.h5")
    loaded = keras.models.load_model(tmp_path / "net.h5", custom_objects={"apart": distance}, compile=False)
    x = list(np.random.RandomState(0).randn(2, 5, 4).astype("float32"))
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
