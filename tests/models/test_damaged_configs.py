"""Configurations that are damaged, hostile or deep: one error that says where, and nothing changed."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat._core import registry

L = tk.layers


def _graph(**changes: Any) -> dict[str, Any]:
    x = tk.Input((4,), name="x")
    model = tk.Model(x, L.Dense(2, name="d")(L.Dense(3, name="c")(x)), name="m")
    config = json.loads(model.to_json())
    config["config"].update(changes)
    return config


def _with_layer(index: int, **changes: Any) -> dict[str, Any]:
    config = _graph()
    config["config"]["layers"][index].update(changes)
    return config


def _with_argument(index: int, **changes: Any) -> dict[str, Any]:
    config = _graph()
    config["config"]["layers"][index]["config"].update(changes)
    return config


DAMAGED: dict[str, tuple[Any, str]] = {
    "no_class": ({"config": {}}, "needs 'class_name'"),
    "class_is_a_list": ({"class_name": ["Dense"], "config": {}}, "needs 'class_name'"),
    "unknown_class": ({"class_name": "Denze", "config": {}}, "did you mean 'Dense'"),
    "config_is_a_number": ({"class_name": "Dense", "config": 3}, "'config' must be a dictionary; got 3"),
    "layers_is_a_number": (_graph(layers=3), r"Model 'm': 'layers' must be a list; got 3"),
    "layers_is_missing": ({"class_name": "Model", "config": {"input_layers": []}}, "'layers' must be a list"),
    "a_layer_is_none": (_graph(layers=[None]), "'class_name' must be a string"),
    "a_layer_without_a_name": (_graph(layers=[{"class_name": "Dense", "config": {}}]), "'name' must be a string"),
    "calls_are_a_number": (_with_layer(1, inbound_nodes=3), "'inbound_nodes', a list"),
    "a_call_is_a_string": (_with_layer(1, inbound_nodes=["x"]), r"'c', inbound_nodes: a tensor of the graph must be"),
    "a_call_of_text": (_with_layer(1, inbound_nodes=[[["x", "0", 0]]]), r"'c', inbound_nodes"),
    "a_call_of_nothing": (
        _with_layer(1, inbound_nodes=[[["y", 0, 0]]]),
        "'c' needs call 0 of 'y', and nothing gives it",
    ),
    "another_output": (_with_layer(2, inbound_nodes=[[["c", 0, 7]]]), "output 7 of call 0 of 'c', which nothing gives"),
    "a_circle": (_with_layer(1, inbound_nodes=[[["d", 0, 0]]]), "calls need each other"),
    "no_inputs": (_graph(input_layers=None), "'input_layers' must be a list or a dictionary; got None"),
    "outputs_of_text": (_graph(output_layers=["d"]), "output_layers: a tensor must be"),
    "outputs_of_nothing": (_graph(output_layers=[["e", 0, 0]]), "output 0 of call 0 of 'e', which nothing gives"),
    "two_of_one_name": (_with_layer(2, name="c"), "two layers have the name 'c'"),
    "units_of_text": (_with_argument(1, units="three"), r"Dense 'c': .*units must be a positive integer; got 'three'"),
    "units_below_one": (_with_argument(1, units=-3), r"Dense 'c': .*units must be a positive integer; got -3"),
    "an_unknown_argument": (_with_argument(1, unitz=3), r"Dense 'c': .*unitz=3.*did you mean 'units'"),
    "an_unknown_activation": (_with_argument(1, activation="rellu"), r"Dense 'c': .*did you mean 'relu'"),
    "an_initializer_of_numbers": (_with_argument(1, kernel_initializer={"class_name": 3}), r"Dense 'c': .*class_name"),
    "a_shape_of_text": (_with_argument(0, batch_input_shape="abc"), "InputLayer 'x': .*batch_input_shape"),
    "a_name_of_numbers": (_with_argument(1, name=3), "name must be a string; got 3"),
    "keras_3_call": (
        _with_layer(1, inbound_nodes=[{"args": 3, "kwargs": {}}]),
        "'c', inbound_nodes: a call needs 'args'",
    ),
    "keras_3_tensor": (
        _with_layer(1, inbound_nodes=[{"args": [{"class_name": "__keras_tensor__", "config": 3}], "kwargs": {}}]),
        "'c', inbound_nodes: a tensor of the graph",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_told(name: str) -> None:
    config, message = DAMAGED[name]
    before = copy.deepcopy(config)
    with pytest.raises((ValueError, TypeError), match=message):
        tk.models.model_from_config(config)
    assert config == before


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")  # of a layer without units, which is refused
def test_every_single_damage_is_an_error_or_harmless() -> None:
    """Each value of a configuration, in turn, becomes something else."""
    text = json.dumps(_graph())

    def places(value: Any, path: tuple[Any, ...] = ()) -> Any:
        yield path
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            yield from places(item, (*path, key))

    for path in list(places(json.loads(text)))[1:]:
        for wrong in (None, -1, "?", [], {}, [[]], {"class_name": "?"}, 10**30):
            config = json.loads(text)
            holder: Any = config
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = wrong
            with contextlib.suppress(ValueError, TypeError):
                tk.models.model_from_config(config)


def test_ten_thousand_levels() -> None:
    nested: Any = {"class_name": "Dense", "config": {"units": 2}}
    for _ in range(10_000):
        nested = {"class_name": "TimeDistributed", "config": {"layer": nested}}
    with pytest.raises(ValueError, match="more than 400 levels"):
        tk.models.model_from_config(nested)
    with pytest.raises(ValueError, match=r"too many levels|inside each other without end"):
        tk.models.model_from_json("[" * 100_000)


def test_models_too_deep_for_python() -> None:
    """What has not too many levels to be read may have too many to be built and run."""
    nested: Any = {"class_name": "Dense", "config": {"units": 2, "batch_input_shape": [None, 2]}}
    for i in range(95):
        nested = {"class_name": "Sequential", "config": {"name": f"s{i}", "layers": [nested]}}
    with contextlib.suppress(ValueError):
        assert tk.models.model_from_config(nested).count_params() == 6


def test_a_configuration_that_holds_itself() -> None:
    config: dict[str, Any] = {"class_name": "Sequential", "config": {"name": "s"}}
    config["config"]["layers"] = [config]
    with pytest.raises(ValueError, match="leads back to itself"):
        tk.models.model_from_config(config)


@pytest.mark.parametrize("backwards", [False, True])
def test_two_thousand_layers_in_a_row(backwards: bool) -> None:
    given = {"batch_input_shape": [None, 2], "dtype": "float32", "name": "a0"}
    layers = [{"class_name": "InputLayer", "config": given, "name": "a0", "inbound_nodes": []}]
    layers += [
        {
            "class_name": "ReLU",
            "config": {"name": f"a{i}"},
            "name": f"a{i}",
            "inbound_nodes": [[[f"a{i - 1}", 0, 0, {}]]],
        }
        for i in range(1, 2001)
    ]
    layers = layers[::-1] if backwards else layers
    config = {"name": "m", "layers": layers, "input_layers": [["a0", 0, 0]], "output_layers": [["a2000", 0, 0]]}
    model = tk.Model.from_config(config)
    assert len(model.layers) == 2001
    np.testing.assert_allclose(model.predict(np.array([[1.0, -1.0]]), verbose=0), [[1.0, 0.0]])


# --- code and names ----------------------------------------------------------------------------------------------

CODE = ["4wEAAAAAAAAAAAAAAAEAAAADAAAA8wYAAACXAHwAUwCpAE6pAKkB2gF4cwEAAAAg", None, None]
LAMBDAS: dict[str, dict[str, Any]] = {
    "keras_1": {"function": CODE[0], "function_type": "lambda", "output_shape": None, "output_shape_type": "raw"},
    "keras_2": {"function": CODE, "function_type": "lambda", "module": "__main__", "output_shape": None},
    "keras_2_with_a_shape": {
        "function": CODE,
        "function_type": "lambda",
        "output_shape": CODE,
        "output_shape_type": "lambda",
        "output_shape_module": "__main__",
        "arguments": {},
    },
    "keras_2_15": {"function": {"class_name": "__lambda__", "config": {"code": CODE[0], "defaults": None}}},
    "keras_2_by_name": {"function": "doubled", "function_type": "function", "module": "os"},
    "keras_3_by_name": {
        "function": {
            "module": "builtins",
            "class_name": "function",
            "config": "doubled",
            "registered_name": "function",
        }
    },
}


def _entries(config: dict[str, Any]) -> dict[str, Any]:
    layer = {"class_name": "Lambda", "config": {"name": "lambda_1", "trainable": True, **config}}
    stack = {"class_name": "Sequential", "config": {"name": "s", "layers": [layer]}}
    return {
        "model_from_config": lambda **k: tk.models.model_from_config(stack, **k),
        "model_from_json": lambda **k: tk.models.model_from_json(json.dumps(stack), **k),
        "Sequential.from_config": lambda **k: tk.Sequential.from_config(stack["config"], **k),
        "layers.deserialize": lambda **k: L.deserialize(layer, **k),
        "Lambda.from_config": lambda **k: L.Lambda.from_config(layer["config"], **k),
        "deserialize_keras_object": lambda **k: tk.utils.deserialize_keras_object(layer, **k),
        "in_a_wrapper": lambda **k: L.deserialize({"class_name": "TimeDistributed", "config": {"layer": layer}}, **k),
    }


@pytest.mark.parametrize("kind", LAMBDAS)
@pytest.mark.parametrize("entry", _entries({}))
def test_the_function_of_a_lambda(entry: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("code of a file was read")

    for module, name in (
        (pickle, "loads"),
        (__import__("marshal"), "loads"),
        (__import__("importlib"), "import_module"),
    ):
        monkeypatch.setattr(module, name, never)
    make = _entries(LAMBDAS[kind])[entry]
    with pytest.raises(ValueError, match=r"Lambda 'lambda_1': its function .*custom_objects=\{'lambda_1': f\}"):
        make()

    def doubled(x: Any) -> Any:
        return 2 * x

    made = [make(custom_objects={"lambda_1": doubled})]
    if "by_name" in kind:
        made.append(make(custom_objects={"doubled": doubled}))
    for layer in made:
        layer = layer.layers[0] if hasattr(layer, "layers") else layer
        layer = getattr(layer, "layer", layer)
        assert layer.function is doubled


@pytest.mark.parametrize(
    "config",
    [
        {"class_name": "system", "module": "os", "config": {}, "registered_name": None},
        {"class_name": "Popen", "module": "subprocess", "config": {"args": ["true"]}},
        {"class_name": "function", "module": "builtins", "config": "eval", "registered_name": "function"},
        {"class_name": "load_model", "module": "keras.models", "config": {}},
        {"class_name": "get_file", "module": "keras.utils", "config": {"fname": "x", "origin": "http://localhost"}},
        {"class_name": "__init__", "module": "keras.layers", "config": {}},
        {"class_name": "Dense.__init__.__globals__", "module": "keras.layers", "config": {}},
    ],
)
def test_nothing_is_imported_by_a_name_in_a_configuration(config: dict[str, Any]) -> None:
    for read in (tk.models.model_from_config, L.deserialize, tk.utils.deserialize_keras_object):
        with pytest.raises(ValueError, match=r"unknown|custom_objects"):
            read(config)  # type: ignore[operator]


@pytest.mark.parametrize(
    "function",
    [
        "backend.clear_session",
        "backend.math.torch",
        "os.system",
        "activations.get",
        "backend.control.sys",
        "numpy.load",
    ],
)
def test_graphs_name_functions_of_tensors_alone(function: str) -> None:
    given = {"batch_input_shape": [None, 2], "dtype": "float32", "name": "x"}
    operation = {"name": "f", "function": function}
    layers = [
        {"class_name": "InputLayer", "config": given, "name": "x", "inbound_nodes": []},
        {"class_name": "TFOpLambda", "config": operation, "name": "f", "inbound_nodes": [["x", 0, 0, {}]]},
    ]
    config = {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["f", 0, 0]]}
    with pytest.raises(ValueError, match="is no function of tensors that is known here"):
        tk.Model.from_config(config)


def test_shared_layers_stay_shared_in_configurations() -> None:
    shared = L.Dense(4)
    a, x = tk.Input((4,)), tk.Input((4,))
    first, second = tk.Model(a, shared(a), name="u"), tk.Sequential([tk.Input((4,)), shared], name="v")
    model = tk.Model(x, L.Add()([first(x), second(x), shared(x), L.TimeDistributed(first)(L.Reshape((1, 4))(x))[:, 0]]))
    again = tk.models.model_from_json(model.to_json())
    assert len(again.get_weights()) == len(model.get_weights()) == 2
    again.set_weights(model.get_weights())
    data = np.random.RandomState(0).rand(3, 4)
    np.testing.assert_allclose(again.predict(data, verbose=0), model.predict(data, verbose=0), rtol=1e-6)


def test_warnings_of_users_own_classes_stay() -> None:
    class Own(L.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = L.Dense(output_dim=2)

    with pytest.warns(FutureWarning, match="output_dim"):
        L.deserialize({"class_name": "Own", "config": {"name": "o"}}, custom_objects={"Own": Own})
    assert registry.get_custom_objects() == {}
