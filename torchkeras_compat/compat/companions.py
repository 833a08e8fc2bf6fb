"""Packages beside Keras: `six` is stood in for, and of others it is said what to install or to write instead.

A script that imports what old Keras brought along ran wherever Keras was installed.  The finder stands behind all
others, so that what is installed comes first.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from .._core import planned
from .._core.errors import did_you_mean
from . import six_functions

# Package that Keras brought along or asked for, or that its scripts import by an old name → what to do where it is not
# installed.
MISSING: dict[str, str] = {
    "yaml": "install it with pip install pyyaml",
    "h5py": "install it with pip install h5py",
    "scipy": "install it with pip install scipy",
    "PIL": "install it with pip install pillow",
    "pydot": "install it with pip install pydot",
    "graphviz": "install it with pip install graphviz",
    "requests": "install it with pip install requests",
    "tables": "install it with pip install tables",
    **{
        old: f"it is {new} in Python 3; write import {new}"
        for old, new in (
            *(("cPickle", "pickle"), ("cStringIO", "io"), ("StringIO", "io"), ("Queue", "queue")),
            *(("urllib2", "urllib.request"), ("urlparse", "urllib.parse"), ("ConfigParser", "configparser")),
        )
    },
    **dict.fromkeys(
        ("sklearn.cross_validation", "sklearn.grid_search"), "it is sklearn.model_selection since scikit-learn 0.18"
    ),
    "google.colab": "it is there in Colab alone; leave it out, and read files from a folder of this machine",
    "theano": "there is no Theano behind Keras here; write the functions of keras.backend, or torch's",
    "cntk": "there is no CNTK behind Keras here; write the functions of keras.backend, or torch's",
}

# Packages that stand on TensorFlow or on Keras itself, which are not there → what to write.
STAND_ON_TENSORFLOW: dict[str, str] = {
    "tensorflow_datasets": "write keras.datasets.mnist.load_data() and its like, or "
    "tf.data.Dataset.from_tensor_slices((x, y)) of your own arrays",
    "tensorflow_hub": "what it loads are TensorFlow's programs; write keras.applications.MobileNetV2(…) for networks "
    "of pictures, and keras.layers.Embedding for those of words",
    "tensorflow_addons": "write keras.optimizers.AdamW, keras.metrics.F1Score, "
    "keras.layers.GroupNormalization and other names of Keras 2.15",
    "tensorflow_text": "write keras.layers.TextVectorization, or tf.strings",
    "tensorflow_probability": "write torch.distributions",
    "tensorflow_model_optimization": "write torch.ao.quantization or torch.nn.utils.prune, behind keras's to_torch",
    "tensorflow_io": "write numpy, or the package that reads such files",
    "tensorflow_docs": "plot history.history with matplotlib",
    "tensorflow_transform": "write the layers of keras.layers.preprocessing with adapt",
    "tensorflow_federated": "write the loop over clients by hand",
    "tensorflow_estimator": "write keras.models.Sequential with fit",
    "tensorflowjs": "write torch.onnx.export",
    "tf_slim": "write keras.layers",
    "tflearn": "write keras.layers and keras.models",
    **dict.fromkeys(
        ("keras_tuner", "kerastuner", "talos", "autokeras"),
        "write GridSearchCV or RandomizedSearchCV of scikit-learn over "
        "keras.wrappers.scikit_learn.KerasClassifier(build_fn=…)",
    ),
    "scikeras": "write keras.wrappers.scikit_learn.KerasClassifier(build_fn=…), with arguments of build_fn without "
    "the prefix model__",
    **dict.fromkeys(("keras_contrib", "keras_cv", "keras_nlp", "keras_hub"), "write the layer in keras.layers.Layer"),
    "keras_core": "write import keras",
    "plaidml": "leave it out: models run on torch",
}
MISSING |= {name: f"it needs TensorFlow, which is not here; {instead}" for name, instead in STAND_ON_TENSORFLOW.items()}

_SIX = {name: f"{six_functions.__name__}:{name}" for name in vars(six_functions) if not name.startswith("_")}
# Module of six → name → where it is; what stands behind a colon is a name in a module.
SIX: dict[str, Mapping[str, str]] = {
    "six": {**_SIX, "Iterator": "builtins:object", "moves": "six.moves"},
    "six.moves": {
        **{name: f"builtins:{name}" for name in "filter input map range zip".split()},
        **{name: f"collections:{name}" for name in "UserDict UserList UserString".split()},
        **{name: name for name in "builtins configparser copyreg queue socketserver".split()},
        "StringIO": "io:StringIO",
        "cPickle": "pickle",
        "cStringIO": "io:StringIO",
        "filterfalse": "itertools:filterfalse",
        "getcwd": "os:getcwd",
        "getcwdb": "os:getcwdb",
        "getoutput": "subprocess:getoutput",
        "html_entities": "html.entities",
        "html_parser": "html.parser",
        "http_client": "http.client",
        "http_cookiejar": "http.cookiejar",
        "http_cookies": "http.cookies",
        "intern": "sys:intern",
        "reduce": "functools:reduce",
        "reload_module": "importlib:reload",
        "shlex_quote": "shlex:quote",
        "unichr": "builtins:chr",
        "urllib": "six.moves.urllib",
        "urllib_error": "urllib.error",
        "urllib_parse": "urllib.parse",
        "urllib_robotparser": "urllib.robotparser",
        "xrange": "builtins:range",
        "zip_longest": "itertools:zip_longest",
    },
    "six.moves.urllib": {part: f"urllib.{part}" for part in "error parse request response robotparser".split()},
}


def is_import() -> bool:
    """Tell whether a finder was asked by an import, and not by `importlib.util.find_spec`, which takes `None`."""
    names = (sys._getframe(depth).f_code.co_name for depth in (3, 4))
    return "_find_and_load_unlocked" in names


class StandIn(ModuleType):
    """A module of `six`."""

    def __init__(self, name: str, places: Mapping[str, str]) -> None:
        super().__init__(name, f"What {six_functions.__name__} has of {name}.")
        self.__path__: list[str] = []
        self._places = places
        self.__all__ = sorted(places)

    def place(self, name: str) -> str | None:
        """Return where a name is, `'io:StringIO'`, or a module; `None` where it is not.

        Args:
            name: The name.
        """
        return self._places.get(name)

    def __getattr__(self, name: str) -> Any:
        if name not in self._places:
            hint = "" if name.startswith("__") else f"; {did_you_mean(name, self._places)}"
            raise planned.missing()(f"module {self.__name__!r} has no attribute {name!r}{hint}")
        module, _, attribute = self._places[name].partition(":")
        holder = importlib.import_module(module)
        return getattr(holder, attribute) if attribute else holder


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `six` where it is not installed, and says of other packages what to install."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return how to make a module of `six`; an import of another package that is missing raises."""
        if fullname in MISSING and is_import():
            raise ModuleNotFoundError(f"No module named {fullname!r}: {MISSING[fullname]}.", name=fullname)
        if fullname in SIX or self._alias(fullname):
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        return None

    def _alias(self, fullname: str) -> str | None:
        """Return the module behind one such as `six.moves.cPickle`."""
        holder, _, name = fullname.rpartition(".")
        source = SIX.get(holder, {}).get(name, ":")
        return None if ":" in source else source

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Make the module."""
        alias = self._alias(spec.name)
        if spec.name in SIX or alias is None:
            return StandIn(spec.name, SIX[spec.name])
        names = (name for name in dir(importlib.import_module(alias)) if not name.startswith("__"))
        return StandIn(spec.name, {name: f"{alias}:{name}" for name in names})

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: attributes are found when they are asked for."""


def forget() -> None:
    """Take the stand-ins out of the modules that are imported."""
    for name in [name for name, module in sys.modules.items() if isinstance(module, StandIn)]:
        del sys.modules[name]
