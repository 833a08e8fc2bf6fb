"""Configurations of strangers, through every entry: refused, and nothing of theirs is imported, called or opened.

Each case is a configuration of one layer (S1 to S8 and S19 of the published cases); each entry is a call that a user
gives such a configuration to, alone, in a model, or in a file.
"""

from __future__ import annotations

import base64
import copy
import json
import marshal
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk

from .builders import fill, same
from .watching import Watch, watching

Config = dict[str, Any]
Dense = tk.layers.Dense


def _hostile(x: Any) -> Any:
    import os

    os.mkdir("planted")
    return x


CODE = marshal.dumps(_hostile.__code__)
TEXT = base64.b64encode(CODE).decode()
PATH = "<folder>/words.txt"  # a file that is there, in the test's own folder
MODULE = "planted_module"  # one that can be imported, and leaves a mark


def layer(class_name: str, **config: Any) -> Config:
    return {"class_name": class_name, "config": {"name": "bad", **config}}


def dense(**config: Any) -> Config:
    return layer("Dense", units=2, **config)


def from_module(module: str, name: str, config: Any = None, registered: str | None = None) -> Config:
    return {"module": module, "class_name": name, "config": config or {}, "registered_name": registered}


LAMBDAS: dict[str, Config] = {  # S1 to S3: code in a configuration, as each Keras writes it
    "of Keras 1 and 2": layer(
        "Lambda",
        function=[TEXT, None, None],
        function_type="lambda",
        output_shape=None,
        output_shape_type="raw",
        arguments={},
    ),
    "of 2.0, not encoded": layer("Lambda", function=[CODE.decode("latin1"), None, None], function_type="lambda"),
    "of 2.13": {
        **from_module("keras.layers", "Lambda"),
        "config": {"name": "bad", "function": {"class_name": "__lambda__", "config": {"code": TEXT, "defaults": None}}},
    },
    "of 3": {
        **from_module("keras.layers", "Lambda"),
        "config": {
            "name": "bad",
            "function": {"class_name": "__lambda__", "config": {"code": TEXT, "defaults": None, "closure": None}},
            "output_shape": {"class_name": "__lambda__", "config": {"code": TEXT, "defaults": None, "closure": None}},
            "arguments": {},
        },
    },
    "by the name of a function": layer("Lambda", function="system", function_type="function", module="os"),
    "by a builtin": layer("Lambda", function=from_module("builtins", "function", "eval", "function")),
    "by a helper of Keras": layer("Lambda", function=from_module("keras.utils", "function", "get_file", "get_file")),
    "in a wrapper": layer(
        "TimeDistributed", layer=layer("Lambda", function=[TEXT, None, None], function_type="lambda")
    ),
}
NAMES: dict[str, Config] = {  # S4 and S5: what may be named, and where
    "a module as class": layer("os.system"),
    "a module": from_module("os", "system", {"command": "true"}),
    "a module and a class": from_module("subprocess", "Popen", {"args": ["true"]}, "Popen"),
    "a module on the path": from_module(MODULE, "Planted", {}, f"{MODULE}>Planted"),
    "a module that is named like one of Keras": from_module(f"keras.layers.{MODULE}", "Planted"),
    "a helper that loads files": from_module(
        "keras.utils", "get_file", {"fname": "x", "origin": "http://127.0.0.1:1/x"}
    ),
    "a helper that loads models": from_module("keras.models", "load_model", {"filepath": PATH}),
    "a helper that writes files": from_module("keras.utils", "save_img", {"path": "<folder>/planted", "x": [[[0]]]}),
    "a helper that lowers the guard": from_module("keras.config", "enable_unsafe_deserialization"),
    "a function of the backend": layer("set_floatx", value="float16"),
    "an optimizer as layer": layer("SGD"),
    "an initializer as layer": layer("Zeros"),
    "a callback": layer("CSVLogger", filename="<folder>/planted"),
    "activation: a module": dense(activation="os.system"),
    "activation: a builtin": dense(activation="eval"),
    "activation: a function of a module": dense(activation=from_module("os", "function", "system", "system")),
    "activation: a module on the path": dense(activation=from_module(MODULE, "function", "planted", "planted")),
    "activation: a helper": dense(activation="get_file"),
    "activation: a setting": dense(activation="set_epsilon"),
    "activation: an optimizer": dense(activation=layer("SGD")),
    "initializer: a module": dense(kernel_initializer=from_module("os", "system")),
    "initializer: a helper": dense(kernel_initializer=layer("load_img", path=PATH)),
    "initializer: a loss": dense(kernel_initializer="mean_squared_error"),
    "initializer: a path": dense(kernel_initializer={"class_name": "Constant", "config": {"value": PATH}}),
    "regularizer": dense(kernel_regularizer={"class_name": "save_img", "config": {"path": "<folder>/planted"}}),
    "constraint": dense(kernel_constraint=from_module("builtins", "function", "print", "print")),
    "activity regularizer": dense(activity_regularizer=from_module("subprocess", "function", "run", "run")),
    "cell": layer("RNN", cell=from_module(MODULE, "Planted", {"units": 2})),
    "wrapped layer": layer("TimeDistributed", layer=from_module("os", "system")),
    "dtype": dense(dtype=from_module("os", "system")),
    "a torch module": layer("TorchModuleWrapper", module=MODULE),
}
GRAPH_FUNCTIONS = [  # what a graph may name are functions of tensors, and neither helpers nor settings
    *("os.system", "backend.os.system", "backend..os.system", "builtins.eval", "numpy.load", "torch.load"),
    *("backend.set_floatx", "backend.set_epsilon", "backend.clear_session", "backend.get_session", "backend.function"),
    *("utils.get_file", "keras.utils.get_file", "tf.io.read_file", "tf.py_function", "tf.io.write_file"),
    *("activations.get", "activations.deserialize", "models.load_model", f"{MODULE}.planted", "__class__", "__init__"),
]
FUNCTIONS: dict[str, Config] = {
    **{name: layer("TFOpLambda", function=name) for name in GRAPH_FUNCTIONS},
    "an operation of Keras 3": {**from_module("keras.src.ops.io", "ReadFile", {"name": "bad"}), "name": "bad"},
    "an operation of a module": {**from_module(MODULE, "Planted", {"name": "bad"}), "name": "bad"},
    "an operation of 2.1": layer("TensorFlowOpLayer", node_def='name: "x" op: "PyFunc"', constants={}),
}
FILES: dict[str, Config] = {  # S7 and S8: a configuration that names a file
    "another model": layer("TFSMLayer", filepath=PATH, call_endpoint="serve"),
    "a model of a hub": layer("KerasLayer", handle="http://127.0.0.1:1/model"),
    "words": layer("StringLookup", vocabulary=PATH),
    "words of the web": layer("StringLookup", vocabulary="http://127.0.0.1:1/words.txt"),
    "numbers": layer("IntegerLookup", vocabulary=PATH),
    "words of texts": layer("TextVectorization", vocabulary=PATH),
    "of 2.15": {**from_module("keras.layers", "StringLookup"), "config": {"name": "bad", "vocabulary": PATH}},
    "in a wrapper": layer("TimeDistributed", layer=layer("StringLookup", vocabulary=PATH)),
}
CATASTROPHE = "(a+)+$" + "a" * 40 + "!"  # a regular expression that takes for ever (S19), and the text for it
REGULAR: dict[str, Config] = {
    "what a text is cut by": layer("TextVectorization", split=CATASTROPHE),
    "what is taken out of it": layer("TextVectorization", standardize=CATASTROPHE),
    "a class": layer(CATASTROPHE),
    "an equation": layer("EinsumDense", equation=CATASTROPHE, output_shape=2),
    "a data format": layer("Flatten", data_format=CATASTROPHE),
    "an activation": dense(activation=CATASTROPHE),
}
CASES = {
    f"{title}: {name}": config
    for title, table in {
        "lambda": LAMBDAS,
        "name": NAMES,
        "function": FUNCTIONS,
        "file": FILES,
        "regular": REGULAR,
    }.items()
    for name, config in table.items()
}

# --- entries ---------------------------------------------------------------------------------------------------------


def in_a_stack(config: Config) -> Config:
    first = layer("InputLayer", name="input", batch_input_shape=[None, 10])
    return {"class_name": "Sequential", "config": {"name": "stack", "layers": [first, config]}}


def in_a_graph(config: Config) -> Config:
    entry = {**config, "name": "bad", "inbound_nodes": [[["input", 0, 0, {}]]]}
    first = layer("InputLayer", name="input", batch_input_shape=[None, 10])
    layers = [{**first, "name": "input", "inbound_nodes": []}, entry]
    places = {"input_layers": [["input", 0, 0]], "output_layers": [["bad", 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "graph", "layers": layers, **places}}


def in_a_model(config: Config) -> Config:
    return in_a_stack(in_a_stack(config))


def own_class(config: Config, folder: Path) -> None:
    """Call the class's own `from_config`; of what is no layer, that of the layer around it."""
    cls = vars(tk.layers).get(config["class_name"])
    if isinstance(cls, type):
        cls.from_config(config["config"])
    else:
        tk.layers.TimeDistributed.from_config({"layer": config})


def cloned(config: Config, folder: Path) -> None:
    class Telling(Dense):
        def get_config(self) -> Config:
            return config["config"]  # type: ignore[no-any-return]

        @classmethod
        def from_config(cls, told: Config) -> Any:
            return tk.layers.deserialize({**config, "config": told})

    tk.models.clone_model(tk.Sequential([Telling(2, input_dim=3)]))


def hdf5_model(config: Config, folder: Path) -> Path:
    path = folder / "model.h5"
    with h5py.File(path, "w") as root:
        root.attrs["model_config"] = json.dumps(in_a_stack(config))
        root.attrs["keras_version"], root.attrs["backend"] = "2.15.0", "tensorflow"
        fill(root.create_group("model_weights"), {"bad": {}})
    return path


def archive(config: Config, folder: Path) -> Path:
    path = folder / "model.keras"
    with h5py.File(folder / "model.weights.h5", "w") as root:
        root.create_group("layers")
    with zipfile.ZipFile(path, "w") as sink:
        sink.writestr("config.json", json.dumps({**in_a_stack(config), "module": "keras", "registered_name": None}))
        sink.writestr("metadata.json", json.dumps({"keras_version": "3.15.0"}))
        sink.write(folder / "model.weights.h5", "model.weights.h5")
    return path


def _unsafe(path: Path) -> Any:
    return tk.models.load_model(path, compile=False, safe_mode=False)


Entry = Callable[[Config, Path], Any]
ENTRIES: dict[str, Entry] = {
    "model_from_json": lambda config, folder: tk.models.model_from_json(json.dumps(in_a_stack(config))),
    "model_from_json, a graph": lambda config, folder: tk.models.model_from_json(json.dumps(in_a_graph(config))),
    "model_from_config": lambda config, folder: tk.models.model_from_config(in_a_model(config)),
    "Sequential.from_config": lambda config, folder: tk.Sequential.from_config(in_a_stack(config)["config"]),
    "Model.from_config": lambda config, folder: tk.Model.from_config(in_a_graph(config)["config"]),
    "layers.deserialize": lambda config, folder: tk.layers.deserialize(config),
    "deserialize_keras_object": lambda config, folder: tk.utils.deserialize_keras_object(in_a_stack(config)),
    "deserialize_keras_object, unsafe": lambda config, folder: tk.utils.deserialize_keras_object(
        in_a_stack(config), safe_mode=False
    ),
    "from_config": own_class,
    "clone_model": cloned,
    "load_model, .h5": lambda config, folder: tk.models.load_model(hdf5_model(config, folder), compile=False),
    "load_model, .keras": lambda config, folder: tk.models.load_model(archive(config, folder), compile=False),
    "load_model, .h5, unsafe": lambda c, folder: _unsafe(hdf5_model(c, folder)),
    "load_model, .keras, unsafe": lambda c, folder: _unsafe(archive(c, folder)),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what a hostile configuration would like to have: words, and a module on the path."""
    (tmp_path / "words.txt").write_text("red\ngreen\n")
    (tmp_path / f"{MODULE}.py").write_text(
        "import os\nos.mkdir('planted')\nclass Planted: ...\ndef planted(x): return x\n"
    )
    (tmp_path / "files").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def placed(config: Config, folder: Path) -> Config:
    return json.loads(json.dumps(config).replace("<folder>", str(folder)))  # type: ignore[no-any-return]


def refused(call: Callable[[], Any], watch: Watch) -> str:
    """Return the message of the error that a call must raise, having caused nothing."""
    with watching(watch), pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert not watch.events
    assert not Path("planted").exists()
    assert MODULE not in sys.modules
    return str(caught.value)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize("config", CASES.values(), ids=CASES)
def test_a_hostile_layer_is_refused(config: Config, entry: Entry, folder: Path) -> None:
    config = placed(config, folder)
    before, floats = copy.deepcopy(config), (tk.backend.floatx(), tk.backend.epsilon())
    watch = Watch(folder, CODE)
    watch.allowed |= {str(folder / name) for name in ("model.h5", "model.keras", "model.weights.h5")}
    message = refused(lambda: entry(config, folder), watch)
    assert message
    assert len(message) < 3000
    assert config == before
    assert (tk.backend.floatx(), tk.backend.epsilon()) == floats


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_a_sound_layer_goes_through_every_entry(entry: Entry, folder: Path) -> None:
    entry(layer("Activation", activation="relu"), folder)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize("config", LAMBDAS.values(), ids=LAMBDAS)
def test_the_refusal_of_code_names_the_layer_and_what_to_write(config: Config, entry: Entry, folder: Path) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        entry(config, folder)
    message = str(caught.value)
    assert "Lambda" in message
    assert "bad" in message
    assert "custom_objects" in message


SUPPLYING: dict[str, Callable[[Config, Path, Config], Any]] = {
    "model_from_json": lambda config, folder, own: tk.models.model_from_json(json.dumps(in_a_stack(config)), own),
    "model_from_config": lambda config, folder, own: tk.models.model_from_config(in_a_stack(config), own),
    "Sequential.from_config": lambda config, folder, own: tk.Sequential.from_config(in_a_stack(config)["config"], own),
    "load_model, .h5": lambda config, folder, own: tk.models.load_model(hdf5_model(config, folder), own, compile=False),
    "load_model, .keras": lambda config, folder, own: tk.models.load_model(archive(config, folder), own, compile=False),
}


@pytest.mark.parametrize("entry", SUPPLYING.values(), ids=SUPPLYING)
@pytest.mark.parametrize("config", [LAMBDAS[name] for name in LAMBDAS if name != "in a wrapper"], ids=lambda c: "")
def test_the_user_supplies_the_function_by_the_layers_name(config: Config, entry: Any, folder: Path) -> None:
    watch = Watch(folder, CODE)
    watch.allowed |= {str(folder / name) for name in ("model.h5", "model.keras", "model.weights.h5")}
    with watching(watch):
        net = entry(config, folder, {"bad": lambda x: x + 1})
    assert not watch.events
    assert net.predict(np.ones((1, 10)), verbose=0).tolist() == [[2.0] * 10]


# --- how a model is compiled -----------------------------------------------------------------------------------------

COMPILED: dict[str, Config] = {
    "loss": {"optimizer": "sgd", "loss": "os.system"},
    "loss: a function of a module": {"optimizer": "sgd", "loss": from_module("os", "function", "system", "system")},
    "loss: a helper": {"optimizer": "sgd", "loss": "get_file"},
    "loss: a layer": {"optimizer": "sgd", "loss": {"class_name": "Dense", "config": {"units": 2}}},
    "loss: byte code": {"optimizer": "sgd", "loss": {"class_name": "__lambda__", "config": {"code": TEXT}}},
    "loss: a module on the path": {"optimizer": "sgd", "loss": from_module(MODULE, "Planted")},
    "metric": {"optimizer": "sgd", "loss": "mse", "metrics": ["load_model"]},
    "metric: a module": {"optimizer": "sgd", "loss": "mse", "metrics": [from_module("subprocess", "run")]},
    "metric: byte code": {
        "optimizer": "sgd",
        "loss": "mse",
        "metrics": [{"class_name": "__lambda__", "config": {"code": TEXT}}],
    },
    "weighted metric": {"optimizer": "sgd", "loss": "mse", "weighted_metrics": ["eval"]},
    "optimizer": {"optimizer": {"class_name": "Popen", "config": {"args": "true"}}, "loss": "mse"},
    "optimizer: a module": {"optimizer": from_module("os", "system"), "loss": "mse"},
    "optimizer: a module on the path": {"optimizer": from_module(MODULE, "Planted"), "loss": "mse"},
    "optimizer: a layer": {"optimizer": {"class_name": "Dense", "config": {"units": 2}}, "loss": "mse"},
    "schedule": {
        "optimizer": {"class_name": "SGD", "config": {"learning_rate": from_module("os", "system")}},
        "loss": "mse",
    },
}


def training_config(told: Config) -> Config:
    """Return how a `.h5` says what a `.keras` says as `compile_config`."""
    optimizer = told["optimizer"]
    optimizer = optimizer if isinstance(optimizer, dict) else {"class_name": "SGD", "config": {}}
    return {"loss_weights": None, "metrics": None, "weighted_metrics": None, **told, "optimizer_config": optimizer}


def compiled_hdf5(told: Config, folder: Path) -> None:
    path = hdf5_model(layer("Dense", units=2), folder)
    with h5py.File(path, "a") as root:
        root.attrs["training_config"] = json.dumps(training_config(told))
        del root["model_weights"]
        fill(root.create_group("model_weights"), {"bad": {"bad/kernel:0": np.ones((10, 2)), "bad/bias:0": np.ones(2)}})
    tk.models.load_model(path)


def compiled_archive(told: Config, folder: Path) -> None:
    path = folder / "model.keras"
    with h5py.File(folder / "model.weights.h5", "w") as root:
        root["layers/dense/vars/0"], root["layers/dense/vars/1"] = np.ones((10, 2), "f4"), np.ones(2, "f4")
    with zipfile.ZipFile(path, "w") as sink:
        config = in_a_stack(layer("Dense", units=2))
        sink.writestr("config.json", json.dumps({**config, "module": "keras", "compile_config": told}))
        sink.writestr("metadata.json", json.dumps({"keras_version": "3.15.0"}))
        sink.write(folder / "model.weights.h5", "model.weights.h5")
    tk.models.load_model(path)


COMPILING: dict[str, Entry] = {
    "compile_from_config": lambda told, folder: tk.Sequential([Dense(2, input_dim=3)]).compile_from_config(told),
    "load_model, .h5": compiled_hdf5,
    "load_model, .keras": compiled_archive,
}


@pytest.mark.parametrize("entry", COMPILING.values(), ids=COMPILING)
@pytest.mark.parametrize("told", COMPILED.values(), ids=COMPILED)
def test_a_hostile_compilation_is_refused(told: Config, entry: Entry, folder: Path) -> None:
    before = copy.deepcopy(told)
    watch = Watch(folder, CODE)
    watch.allowed |= {str(folder / name) for name in ("model.h5", "model.keras", "model.weights.h5")}
    assert refused(lambda: entry(told, folder), watch)
    assert told == before


@pytest.mark.parametrize("entry", COMPILING.values(), ids=COMPILING)
def test_a_sound_compilation_goes_through_every_entry(entry: Entry, folder: Path) -> None:
    entry({"optimizer": "sgd", "loss": "mse", "metrics": ["mae"]}, folder)


# --- weights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", CASES.values(), ids=CASES)
def test_weights_of_a_hostile_model_load_without_it(config: Config, folder: Path) -> None:
    path = hdf5_model(placed(config, folder), folder)
    kernel, bias = np.full((3, 2), 5, "f4"), np.full(2, 7, "f4")
    with h5py.File(path, "a") as root:
        root.attrs["training_config"] = json.dumps(training_config(COMPILED["loss: byte code"]))
        del root["model_weights"]
        fill(root.create_group("model_weights"), {"bad": {"bad/kernel:0": kernel, "bad/bias:0": bias}})
    model = tk.Sequential([Dense(2, input_dim=3, name="bad")])
    watch = Watch(folder, CODE)
    watch.allowed.add(str(path))
    with watching(watch):
        model.load_weights(path)
    assert not watch.events
    assert same(model.get_weights(), [kernel, bias])


# --- what a user supplies --------------------------------------------------------------------------------------------


def test_what_the_user_names_is_loaded() -> None:
    def double(x: Any) -> Any:
        return 2 * x

    class Mine(tk.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    made = tk.layers.deserialize(layer("Mine"), {"Mine": Mine})
    assert type(made) is Mine
    text = json.dumps(in_a_stack(dense(activation="double", kernel_initializer="ones", use_bias=False)))
    model = tk.models.model_from_json(text, {"double": double})
    assert model.predict(np.ones((1, 10)), verbose=0).tolist() == [[20.0, 20.0]]


def test_a_vocabulary_may_be_a_file_where_the_user_says_so(folder: Path) -> None:
    lookup = tk.layers.StringLookup(vocabulary=str(folder / "words.txt"))
    assert lookup.get_config()["vocabulary"] == ["red", "green"]
    assert tk.layers.StringLookup.from_config(lookup.get_config()).get_vocabulary() == ["[UNK]", "red", "green"]


def test_the_watch_sees_what_it_is_for(folder: Path) -> None:
    watch = Watch(folder, CODE)
    with watching(watch):
        marshal.loads(CODE)
        (folder / "words.txt").read_text()
        __import__(MODULE)
    assert {event[0] for event in watch.events} >= {"marshal.loads", "open", "import", "os.mkdir"}
    del sys.modules[MODULE]
