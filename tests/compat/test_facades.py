"""Modules, names and classes under `import keras` and `import tensorflow.keras`."""

from __future__ import annotations

import importlib
import json
import pickle
import subprocess
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import compat
from torchkeras_compat.compat.names import MODULES, ROOTS


def test_imports_of_every_form() -> None:
    import keras
    import keras.backend as K
    import tensorflow as tf
    from keras.layers.core import Dense
    from keras.utils import np_utils
    from keras.utils.np_utils import to_categorical
    from tensorflow import keras as tfk
    from tensorflow.python.keras.layers import LSTM

    assert keras.layers.Dense is Dense is tk.layers.Dense
    assert K.epsilon() == keras.backend.epsilon()
    assert np_utils.to_categorical is to_categorical is tk.utils.to_categorical
    assert tf.keras is tfk
    assert tf.keras.Sequential is not tk.Sequential
    assert issubclass(LSTM, tk.layers.LSTM)


def test_star_import() -> None:
    names: dict[str, Any] = {}
    exec("from keras.layers import *", names)
    assert names["Dense"] is tk.layers.Dense
    assert names["Convolution2D"] is tk.layers.Conv2D
    assert "annotations" not in names
    exec("from tensorflow.keras.models import *", names)
    assert names["Sequential"]._dialect == "tf.keras"


@pytest.mark.parametrize("root", sorted(ROOTS))
@pytest.mark.parametrize("part", sorted(MODULES))
def test_every_module_of_the_table_is_there(root: str, part: str) -> None:
    module = importlib.import_module(f"{root}.{part}")
    assert isinstance(module, types.ModuleType)
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in dir(module)


def test_versions() -> None:
    import keras
    import tensorflow as tf

    assert keras.__version__ == "2.3.1"
    assert tf.__version__ == tf.keras.__version__ == "2.10.0"


def test_names_that_do_not_exist() -> None:
    import keras
    import tensorflow as tf

    with pytest.raises(AttributeError, match="did you mean 'Dense'"):
        _ = keras.layers.Dens
    with pytest.raises(ImportError, match="did you mean 'Dense'"):
        from keras.layers import Dens  # noqa: F401
    with pytest.raises(ModuleNotFoundError):
        import keras.nonsense
    with pytest.raises(AttributeError, match=r"stands in for tensorflow.keras and a few names beside it"):
        _ = tf.train.Saver
    with pytest.raises(AttributeError, match="no such name"):
        _ = keras.losses.Convolution2D  # an old name of another module
    assert not hasattr(keras, "__wrapped__")


def test_one_class_seen_through_two_facades() -> None:
    import keras
    import tensorflow as tf

    classic, modern = keras.layers.Dense(2), tf.keras.layers.Dense(2)
    for layer in (classic, modern):
        assert isinstance(layer, keras.layers.Dense)
        assert isinstance(layer, tf.keras.layers.Dense)
        assert isinstance(layer, tf.keras.layers.Layer)
        assert not isinstance(layer, tf.keras.layers.Dropout)
    assert issubclass(keras.layers.Dense, tf.keras.layers.Layer)
    model = tf.keras.Sequential([keras.layers.Dense(2, input_dim=3), tf.keras.layers.Activation("relu")])
    assert model.predict(np.ones((1, 3)), verbose=0).shape == (1, 2)
    assert isinstance(modern, tf.keras.layers.core.Dense)


def test_subclass_of_a_facade_class() -> None:
    import keras
    import tensorflow as tf

    class Double(tf.keras.layers.Layer):
        def __init__(self, units: int = 1, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.inner = tf.keras.layers.GRU(units)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    layer = Double(2)
    assert isinstance(layer, keras.layers.Layer)
    assert not isinstance(tf.keras.layers.Dense(1), Double)
    assert not issubclass(tf.keras.layers.Dense, Double)
    assert layer.inner.reset_after is True
    model = tf.keras.Sequential([tf.keras.Input((3, 2)), layer])
    assert model.output_shape == (None, 2)


def test_pickle() -> None:
    import tensorflow as tf

    for made in (tf.keras.layers.GRU(2), tf.keras.optimizers.Adagrad(), tf.keras.callbacks.EarlyStopping()):
        again = pickle.loads(pickle.dumps(made))
        assert type(again) is type(made)
        assert again._dialect == "tf.keras"
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_dim=3)])
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model.get_weights()[0], again.get_weights()[0])
    assert again._dialect == "tf.keras"


def test_install_twice_and_uninstall() -> None:
    compat.install()
    import keras

    assert keras.layers.Dense is tk.layers.Dense
    compat.uninstall()
    assert not {"keras", "keras.layers", "tensorflow"} & set(sys.modules)
    compat.uninstall()
    assert not any(type(finder).__module__.startswith("torchkeras_compat") for finder in sys.meta_path)


def test_another_keras_is_not_replaced_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    compat.uninstall()
    monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
    with pytest.raises(RuntimeError, match="keras is imported already"):
        compat.install()


def test_the_package_alone_touches_no_import() -> None:
    program = "import torchkeras_compat, sys; sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(tk.__file__).parent.parent, check=False)
    assert done.returncode == 0


def test_strings_and_functions_follow_the_facade() -> None:
    import keras
    import tensorflow as tf

    assert keras.optimizers.get("adagrad").lr == pytest.approx(0.01)
    assert tf.keras.optimizers.get("adagrad").lr == pytest.approx(0.001)
    config = {"class_name": "GRU", "config": {"units": 2}}
    assert keras.layers.deserialize(config).reset_after is False
    assert tf.keras.layers.deserialize(config).reset_after is True
    for facade, rate in ((keras, 0.01), (tf.keras, 0.001)):
        model = facade.Sequential([facade.layers.Dense(1, input_dim=1)])
        model.compile("adagrad", "mse")
        assert model.optimizer.lr == pytest.approx(rate)
        clone = facade.models.model_from_json(model.to_json())
        clone.compile("adagrad", "mse")
        assert clone.optimizer.lr == pytest.approx(rate)


def test_a_facade_takes_the_same_paths() -> None:
    from tensorflow.keras import layers, losses, metrics
    from tensorflow.keras.models import Sequential

    model = Sequential([layers.Dense(4, activation="relu", input_dim=3), layers.Dropout(0.5), layers.Dense(1)])
    model.compile("sgd", losses.MeanSquaredError(), metrics=[metrics.MeanAbsoluteError()])
    x, y = np.ones((8, 3), "float32"), np.ones(8, "float32")
    model.fit(x, y, verbose=0)
    assert model.make_step("train").chain is not None
    assert model.make_step("test").samples_at_once() > 0
    assert all(layer._torch_parts == () for layer in model.layers)


def test_a_metric_of_a_facade_keeps_its_function() -> None:
    from tensorflow.keras import metrics

    assert metrics.MeanMetricWrapper(tk.losses.mean_squared_error).get_config()["fn"] == "mean_squared_error"


def test_a_facade_keeps_what_a_layer_says_about_its_rows() -> None:
    from tensorflow.keras import layers

    for name in ("Dense", "Lambda", "TorchModuleWrapper"):
        assert getattr(layers, name)._class_traits == getattr(tk.layers, name)._class_traits, name


def overwritten_by_star(module: str, names: Iterable[str]) -> set[str]:
    """Return which names a star import puts something else in the place of."""
    before = {name: object() for name in names}
    after: dict[str, Any] = dict(before)
    exec(f"from {module} import *", after)
    return {name for name in names if after[name] is not before[name]}


CLASSIC_NAMES: dict[str, str] = json.loads((Path(__file__).parent / "classic_names.json").read_text())
SURFACE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "coverage" / "surface.json").read_text(encoding="utf-8")
)
STARRED = (
    "activations backend callbacks constraints initializers layers losses metrics optimizers regularizers utils "
    "preprocessing.image preprocessing.sequence preprocessing.text"
).split()


@pytest.mark.parametrize("part", STARRED)
def test_a_star_import_brings_what_is_no_newer_than_the_dialect(part: str) -> None:
    """What none of the four releases defines leaves a user's own alone, and what one of them defines there does not."""
    module = importlib.import_module(f"keras.{part}")
    star = overwritten_by_star(f"keras.{part}", module.public_names)
    parts = {one for one, behind in MODULES.items() if behind == MODULES[part]}
    classic = {name for one in parts for name in CLASSIC_NAMES.get(one, "").split()}
    anywhere = {name for names in CLASSIC_NAMES.values() for name in names.split()}
    assert star >= (classic & module.own_names)
    newer = set(SURFACE[part]) & module.own_names - anywhere
    assert not star & newer
    assert all(hasattr(module, name) for name in newer)
    assert newer <= overwritten_by_star(f"tensorflow.keras.{part}", newer) | {"experimental"}
    names: dict[str, Any] = {}
    exec(f"from keras.{part} import *", names)  # where nothing stands there, they come
    assert newer <= names.keys() | {"experimental"}


@pytest.mark.parametrize(
    ("dialect", "brought", "left_out"),
    [
        ("keras-1", "Convolution2D Merge TimeDistributed", "Add Softmax Attention LSTMCell"),
        ("keras-2.2", "Convolution2D Add Softmax LSTMCell", "Attention MultiHeadAttention LayerNormalization"),
        ("keras-2.3", "Add CuDNNLSTM", "Attention MultiHeadAttention LayerNormalization Normalization"),
        ("tf.keras", "Add Attention MultiHeadAttention", ""),
        ("keras-2.15", "Add Attention MultiHeadAttention", ""),
    ],
)
@pytest.mark.parametrize("told_by", ["install", "set_dialect"])
def test_a_star_import_by_dialect(dialect: str, brought: str, left_out: str, told_by: str) -> None:
    if told_by == "install":
        compat.uninstall()
        compat.install(dialect)
    else:
        tk.set_dialect(dialect)
    assert overwritten_by_star("keras.layers", brought.split()) == set(brought.split())
    assert overwritten_by_star("keras.layers", left_out.split()) == set()


def test_a_star_import_leaves_a_class_of_the_users_alone() -> None:
    names: dict[str, Any] = {}
    exec("class Attention: pass\nmine = Attention\nfrom keras.layers import *\nassert Attention is mine", names)
    exec("from keras.layers import Attention", names)
    assert issubclass(names["Attention"], tk.layers.Layer)


def test_merge_is_a_function_and_a_module_under_a_dialect() -> None:
    compat.uninstall()
    compat.install("keras-1")
    from keras.layers import Input, merge
    from keras.layers.merge import Concatenate

    joined = merge([Input((3,)), Input((2,))], mode="concat")
    assert joined._keras_shape == (None, 5)
    assert joined._keras_history[0]._dialect == "keras-1"
    assert merge.Concatenate is Concatenate


def test_what_a_script_puts_into_a_module_is_known_by_its_name(tmp_path: Path) -> None:
    """`keras.losses.rmse = rmse`, so that `load_model` finds it: classic Keras looks names up in these modules."""
    import keras

    def rmse(y_true: Any, y_pred: Any) -> Any:
        return keras.backend.sqrt(keras.backend.mean(keras.backend.square(y_pred - y_true)))

    model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", rmse)
    model.save(tmp_path / "net.h5")
    before = dict(tk.utils.get_custom_objects())
    with pytest.raises(ValueError, match="rmse"):
        keras.models.load_model(tmp_path / "net.h5")
    try:
        keras.losses.rmse = rmse
        keras.losses.note = "no function"
        assert keras.models.load_model(tmp_path / "net.h5").loss is rmse
        assert set(tk.utils.get_custom_objects()) - set(before) == {"rmse"}
    finally:
        tk.utils.get_custom_objects().clear()
        tk.utils.get_custom_objects().update(before)
        del keras.losses.rmse, keras.losses.note
