"""What scripts import from inside old Keras: modules, the names that they define, those that they had imported."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import compat
from torchkeras_compat._core.planned import Planned
from torchkeras_compat.compat import companions
from torchkeras_compat.compat.carried import CARRIED
from torchkeras_compat.compat.inner_names import INNER, NO_MODULES, REFUSED
from torchkeras_compat.compat.names import BACKEND_FUNCTIONS, ROOTS

# The reference's list of modules, independent of the package's own table.
UNDER_EACH_ROOT = """
    layers.core layers.convolutional layers.recurrent layers.pooling layers.embeddings layers.normalization layers.noise
    layers.local layers.merge layers.wrappers layers.advanced_activations layers.convolutional_recurrent
    layers.cudnn_recurrent legacy.layers legacy.interfaces legacy.models engine.topology engine.training
    engine.base_layer engine.input_layer engine.network engine.sequential engine.saving objectives initializations
    utils.np_utils utils.generic_utils utils.data_utils utils.io_utils utils.layer_utils utils.conv_utils
    utils.vis_utils utils.visualize_util utils.test_utils utils.multi_gpu_utils utils.losses_utils utils.metrics_utils
    backend.common backend.tensorflow_backend callbacks.callbacks preprocessing.image preprocessing.sequence
    preprocessing.text datasets.mnist datasets.fashion_mnist datasets.cifar10 datasets.cifar100 datasets.imdb
    datasets.reuters datasets.boston_housing wrappers.scikit_learn optimizers.legacy
    layers utils engine legacy backend callbacks preprocessing datasets wrappers models optimizers losses metrics
    initializers regularizers constraints activations applications
""".split()
ROOTS_OF_OLD = [
    "keras",
    "tensorflow.keras",
    "tensorflow.python.keras",
    "tensorflow.contrib.keras",
    "tensorflow.contrib.keras.api.keras",
    "tensorflow.contrib.keras.python.keras",
]
BESIDE = ["keras_preprocessing.image", "keras_preprocessing.sequence", "keras_preprocessing.text", "keras_applications"]

DEFINED: dict[str, str] = json.loads((Path(__file__).parent / "classic_names.json").read_text())
# Names inside one backend of TensorFlow 1, and its versions: what scripts want of them is in `keras.backend`.
OF_THE_BACKEND = (
    "tf_major_version tf_minor_version Function get_graph entries namespace required_entries backend_module "
    "StrictVersion"
)
ELSEWHERE = {"ConvRecurrent2D"}  # the abstract base of ConvLSTM2D in Keras 1, which nobody makes


@pytest.mark.parametrize("root", ROOTS_OF_OLD)
@pytest.mark.parametrize("part", UNDER_EACH_ROOT)
def test_modules_of_the_reference(root: str, part: str) -> None:
    module = importlib.import_module(f"{root}.{part}")
    holder, _, name = f"{root}.{part}".rpartition(".")
    assert getattr(importlib.import_module(holder), name) is module
    assert root in ROOTS


@pytest.mark.parametrize("name", BESIDE)
def test_modules_beside_keras(name: str) -> None:
    assert importlib.import_module(name).__all__


def test_tf_keras_as_an_attribute() -> None:
    import tensorflow as tf

    assert tf.keras.layers.Dense is importlib.import_module("tensorflow.keras.layers").Dense


@pytest.mark.parametrize("part", sorted(DEFINED))
def test_what_old_modules_define(part: str) -> None:
    """Each public name is there, planned, or refused by a sentence that says what to write."""
    if part in NO_MODULES:
        with pytest.raises(ModuleNotFoundError, match=r"has no meaning in torchkeras_compat: .*write"):
            importlib.import_module(f"keras.{part}")
        return
    module = importlib.import_module(f"keras.{part}".rstrip("."))
    for name in DEFINED[part].split():
        if name in REFUSED.get(part, {}):
            with pytest.raises(AttributeError, match=f"keras.{part}.{name} has no meaning in torchkeras_compat: "):
                getattr(module, name)
            assert name not in module.__all__
        elif name in OF_THE_BACKEND.split() and part.startswith("backend"):
            with pytest.raises(AttributeError, match=r"torchkeras_compat has no such name; (did you mean|known are)"):
                getattr(module, name)
        elif name in ELSEWHERE and not hasattr(module, name):
            continue
        else:
            value = getattr(module, name)
            assert callable(value) or isinstance(value, (Planned, types.ModuleType, int, float, str, tuple, dict)), name


@pytest.mark.parametrize(("part", "names"), REFUSED.items(), ids=list(REFUSED))
def test_refused_names_say_what_to_write(part: str, names: dict[str, str]) -> None:
    module = importlib.import_module(f"keras.{part}")
    for name, instead in names.items():
        with pytest.raises(AttributeError) as asked:
            getattr(module, name)
        with pytest.raises(ImportError) as imported:
            exec(f"from keras.{part} import {name}")
        assert instead in str(asked.value)
        assert instead in str(imported.value)
        assert not hasattr(module, name)


@pytest.mark.parametrize("root", ROOTS_OF_OLD)
@pytest.mark.parametrize("part", sorted(INNER))
def test_inner_names_lead_somewhere(part: str, root: str) -> None:
    module = importlib.import_module(f"{root}.{part}")
    for name in INNER[part]:
        assert getattr(module, name) is not None
        assert (name in module.__all__) is (not name.startswith("_"))


@pytest.mark.parametrize("part", sorted(CARRIED))
def test_names_that_modules_had_imported(part: str) -> None:
    module = importlib.import_module(f"keras.{part}".rstrip("."))
    for name in CARRIED[part]:
        assert getattr(module, name) is not None
        assert name in module.__all__
    published = importlib.import_module(f"tensorflow.keras.{part}")  # the names that TensorFlow publishes, no more
    assert not set(CARRIED[part]) & (set(published.__all__) - set(vars(tk)))


def test_star_import_brings_what_it_did() -> None:
    names: dict[str, Any] = {}
    exec("from keras.layers import *\nfrom keras.callbacks import *", names)
    import keras

    assert names["K"] is keras.backend
    assert names["np"] is np
    assert names["initializers"] is keras.initializers
    assert names["K"].tf is importlib.import_module("tensorflow")
    clean: dict[str, Any] = {}
    exec("from tensorflow.keras.layers import *", clean)
    assert "np" not in clean
    assert "K" not in clean


def test_missing_names_stay_ordinary() -> None:
    from keras.utils import conv_utils

    with pytest.raises(AttributeError, match="did you mean 'conv_output_length'"):
        _ = conv_utils.conv_output_lenght
    with pytest.raises(ImportError, match="did you mean 'to_list'"):
        from keras.utils.generic_utils import to_lists  # noqa: F401
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("keras.utils.nonsense")


def test_six_is_not_needed() -> None:
    installed = importlib.util.find_spec("six")
    if installed is not None and not isinstance(installed.loader, companions.Finder):
        pytest.skip("six is installed here, and comes first")
    import six
    import six.moves.cPickle as pickled
    from six.moves import range as counted
    from six.moves import urllib, xrange, zip_longest
    from six.moves.urllib.parse import quote
    from six.moves.urllib.request import urlretrieve

    assert list(six.iteritems({"a": 1})) == [("a", 1)]
    assert isinstance("x", six.string_types)
    assert six.PY3
    assert not six.PY2
    assert counted is range is xrange
    assert pickled.loads(pickled.dumps([1])) == [1]
    assert urllib.parse.quote is quote
    assert callable(urlretrieve)
    assert list(zip_longest([1, 2], [3])) == [(1, 3), (2, None)]
    with pytest.raises(AttributeError, match="did you mean 'iteritems'"):
        _ = six.iteritem
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("six.moves.nonsense")


@pytest.mark.parametrize("name", sorted(companions.MISSING))
def test_other_packages_say_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = [finder for finder in sys.meta_path if isinstance(finder, companions.Finder)]
    assert len(hidden) == 1
    for module in [m for m in sys.modules if m.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    holder = name.rpartition(".")[0]
    if holder and holder not in sys.modules:
        package = types.ModuleType(holder)
        package.__path__ = []
        monkeypatch.setitem(sys.modules, holder, package)
    monkeypatch.setattr(sys, "meta_path", hidden)  # nothing is installed
    with pytest.raises(ModuleNotFoundError, match=f"^No module named '{name}': ") as caught:
        importlib.import_module(name)
    assert caught.value.name == name
    assert companions.MISSING[name] in str(caught.value)
    assert importlib.util.find_spec(name) is None  # whoever only asks gets an ordinary answer


def test_uninstall_takes_the_stand_ins_along() -> None:
    importlib.import_module("six.moves.urllib.parse")
    compat.uninstall()
    assert not any(isinstance(module, companions.StandIn) for module in sys.modules.values())
    assert not any(isinstance(finder, companions.Finder) for finder in sys.meta_path)


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("part", ["backend", "backend.tensorflow_backend"])
def test_old_functions_of_the_backend(part: str, root: str) -> None:
    module = importlib.import_module(f"{root}.{part}")
    names: dict[str, Any] = {}
    exec(f"from {root}.{part} import *", names)
    for name in BACKEND_FUNCTIONS:
        assert callable(getattr(module, name))
        assert names[name] is getattr(module, name)
    assert module.pack is module.stack


@pytest.mark.parametrize(
    ("old", "new"),
    [("cPickle", "pickle"), ("urllib2", r"urllib\.request"), ("sklearn.cross_validation", r"sklearn\.model_selection")],
)
def test_modules_of_old_python_and_scikit_learn(old: str, new: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=new) as raised:
        importlib.import_module(old)
    assert raised.value.name == old
