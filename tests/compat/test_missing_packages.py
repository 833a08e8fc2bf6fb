"""Packages and modules that stand on TensorFlow: what an import of one says."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator

import pytest

from torchkeras_compat import compat


@pytest.fixture(autouse=True)
def facades() -> Iterator[None]:
    compat.install()
    yield
    compat.uninstall()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tensorflow_datasets", r"needs TensorFlow, which is not here; write keras\.datasets"),
        ("tensorflow_hub", r"keras\.applications"),
        ("tensorflow_addons", r"keras\.metrics\.F1Score"),
        ("keras_tuner", "RandomizedSearchCV"),
        ("scikeras.wrappers", r"keras\.wrappers\.scikit_learn\.KerasClassifier\(build_fn=…\)"),
        ("keras_contrib.layers", r"keras\.layers\.Layer"),
    ],
)
def test_a_package_says_what_to_write(name: str, told: str) -> None:
    if importlib.util.find_spec(name.partition(".")[0]) is not None:
        pytest.skip(f"{name} is installed here")
    with pytest.raises(ModuleNotFoundError, match=told):
        importlib.import_module(name)


def test_a_module_of_tensorflow_says_what_to_write() -> None:
    importlib.import_module("tensorflow")
    with pytest.raises(ModuleNotFoundError, match=r"'tensorflow\.contrib' has no attribute 'slim': .*write keras"):
        importlib.import_module("tensorflow.contrib.slim")
    with pytest.raises(ImportError, match=r"has no attribute 'rnn': .*write keras"):
        from tensorflow.contrib import rnn  # noqa: F401
    assert importlib.util.find_spec("tensorflow.nonsense") is None  # whoever only asks gets an ordinary answer
