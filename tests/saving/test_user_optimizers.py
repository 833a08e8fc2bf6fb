"""Models with optimizers of users' own: files of Keras 2.15 and our own train on, in each dialect of tf.keras."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest

import torchkeras_compat as tk
from torchkeras_compat import compat

from .user_optimizers import classes, compiled, losses, made

ARCHIVE = Path(__file__).resolve().parent / "data" / "user_optimizers_keras_2_15.zip"
NAMES = ["WithArgument", "Bare", "OwnStep"]


@pytest.fixture(params=["tf.keras", "keras-2.15"])
def keras(request: pytest.FixtureRequest) -> Iterator[Any]:
    compat.install(request.param)
    tk.set_dialect(request.param)
    from tensorflow import keras

    yield keras
    compat.uninstall()


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_keras_trains_on(keras: Any, name: str, suffix: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(ARCHIVE) as archive:
        path = archive.extract(f"{name}.{suffix}", tmp_path)
        expected = json.loads(archive.read("losses.json"))[name]
    net = keras.models.load_model(path, custom_objects=classes(keras))
    assert type(net.optimizer).__name__ == name
    assert getattr(net.optimizer, "extra", 3.0) == 3.0
    assert losses(net, 3) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("name", NAMES)
def test_our_own_file_trains_on(keras: Any, name: str, suffix: str, tmp_path: Path) -> None:
    net = compiled(keras, made(keras)[name])
    losses(net, 2)
    net.save(tmp_path / f"net.{suffix}")
    straight = losses(net, 3)
    net = keras.models.load_model(tmp_path / f"net.{suffix}", custom_objects=classes(keras))
    assert losses(net, 3) == pytest.approx(straight, rel=1e-6)


def test_files_name_classes_of_users_as_keras_does(tmp_path: Path) -> None:
    tk.set_dialect("keras-2.15")
    names = {}
    for name, optimizer in {**made(tk), "Adam": tk.optimizers.Adam()}.items():
        compiled(tk, optimizer).save(tmp_path / "net.h5")
        with h5py.File(tmp_path / "net.h5") as file:
            names[name] = json.loads(file.attrs["training_config"])["optimizer_config"]["class_name"]
    assert names == {"WithArgument": "WithArgument", "Bare": "Bare", "OwnStep": "OwnStep", "Adam": "Custom>Adam"}
