from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import utils
from torchkeras_compat._core import registry


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = dict(utils.get_custom_objects())
    yield
    utils.get_custom_objects().clear()
    utils.get_custom_objects().update(before)


def twice(x: Any) -> Any:
    return 2 * x


def test_scope_knows_names_only_inside() -> None:
    with utils.custom_object_scope({"twice": twice}, {"other": abs}) as scope:
        assert keras.activations.get("twice") is twice
        assert utils.get_registered_object("other") is abs
        with scope:
            pass
        assert utils.get_registered_object("other") is abs
    assert utils.get_registered_object("twice") is None
    with pytest.raises(ValueError, match="twice"):
        keras.activations.get("twice")
    with pytest.raises(TypeError, match="must be a dictionary"):
        utils.CustomObjectScope(3)  # type: ignore[arg-type]


def test_global_objects_are_known_to_get() -> None:
    utils.get_custom_objects()["twice"] = twice
    assert keras.activations.get("twice") is twice


def test_registered_class_goes_round() -> None:
    @utils.register_keras_serializable(package="mine")
    class Half(keras.regularizers.Regularizer):
        def __init__(self, factor: float = 0.5) -> None:
            self.factor = factor

        def __call__(self, x: Any) -> Any:
            return self.factor * x.sum()

    assert utils.get_registered_name(Half) == "mine>Half"
    assert utils.get_registered_object("mine>Half") is Half
    config = registry.serialize("regularizer", Half(0.25))
    assert config["class_name"] == "mine>Half"
    assert keras.regularizers.get(config).factor == 0.25
    stored = utils.serialize_keras_object(Half(0.25))
    assert stored["registered_name"] == "mine>Half"
    assert utils.deserialize_keras_object(stored).factor == 0.25


def test_registered_class_needs_a_config() -> None:
    with pytest.raises(ValueError, match="needs a get_config"):
        utils.register_keras_serializable()(type("Bare", (), {}))


@pytest.mark.parametrize("name", ["MeanSquaredError"])
def test_module_tells_a_loss_from_a_metric(name: str) -> None:
    for module, base in (("keras.losses", keras.losses), ("keras.metrics", keras.metrics)):
        made = utils.deserialize_keras_object(
            {"module": module, "class_name": name, "config": {}, "registered_name": None}
        )
        assert type(made) is getattr(base, name)


def test_objects_go_round() -> None:
    loss = keras.losses.Huber(delta=2.0)
    stored = utils.serialize_keras_object(loss)
    assert stored["module"] == "keras.losses"
    assert stored["class_name"] == "Huber"
    made = utils.deserialize_keras_object(stored)
    assert type(made) is keras.losses.Huber
    assert made.get_config() == loss.get_config()


def test_plain_values_go_round() -> None:
    value = {"a": (1, [2.5, None]), "b": np.arange(3), "c": np.float32(1.5), "d": "x", "e": True}
    made = utils.deserialize_keras_object(utils.serialize_keras_object(value))
    assert made["a"] == (1, [2.5, None])
    assert made["b"].tolist() == [0, 1, 2]
    assert (made["c"], made["d"], made["e"]) == (1.5, "x", True)


def test_module_objects_as_classic_keras_has_them() -> None:
    class Thing:
        pass

    made = utils.deserialize_keras_object("Thing", module_objects={"Thing": Thing}, printable_module_name="thing")
    assert isinstance(made, Thing)
    with pytest.raises(ValueError, match="unknown thing 'Thong'"):
        utils.deserialize_keras_object("Thong", module_objects={"Thing": Thing}, printable_module_name="thing")


@pytest.mark.parametrize(
    "config",
    [
        {"class_name": "__lambda__", "config": {"value": "4wAAAA=="}},
        {"module": "os", "class_name": "system", "config": {}, "registered_name": None},
        {"module": "builtins", "class_name": "function", "config": "eval"},
        {"class_name": "get_file", "config": {}},
        {"class_name": 3, "config": {}},
        {"class_name": "Huber", "config": [1]},
        {"class_name": "__numpy__", "config": {"dtype": "O", "value": [1]}},
    ],
)
def test_hostile_configurations_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        utils.deserialize_keras_object(config)


def test_objects_without_a_config_are_refused() -> None:
    with pytest.raises(TypeError, match="needs a get_config"):
        utils.serialize_keras_object(object())
