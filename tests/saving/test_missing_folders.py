"""Which calls make the folder that a file shall lie in: those that do so in Keras 2.15.1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers


def small_model() -> Any:
    model = keras.Sequential([layers.Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("path", ["saved_model/my_model", "a/b/model.h5"])
def test_a_whole_model_makes_its_folder(path: str, tmp_path: Path) -> None:
    model = small_model()
    model.save(tmp_path / path)
    again = keras.models.load_model(tmp_path / path)
    assert all((a == b).all() for a, b in zip(model.get_weights(), again.get_weights()))


def test_weights_without_an_ending_make_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model, other = small_model(), small_model()
    model.save_weights("./checkpoints/my_checkpoint")
    other.load_weights("./checkpoints/my_checkpoint")
    assert all((a == b).all() for a, b in zip(model.get_weights(), other.get_weights()))


def test_checkpoints_of_a_fit(tmp_path: Path) -> None:
    model = small_model()
    checkpoint = keras.callbacks.ModelCheckpoint(str(tmp_path / "x" / "cp-{epoch}.ckpt"), save_weights_only=True)
    model.fit(np.ones((2, 3)), np.ones((2, 2)), verbose=0, callbacks=[checkpoint])
    model.load_weights(tmp_path / "x" / "cp-1.ckpt")


@pytest.mark.parametrize(
    ("method", "name"),
    [("save", "m.keras"), ("save_weights", "w.h5"), ("save_weights", "w.weights.h5")],
)
def test_where_keras_fails_the_folder_is_named(method: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"no such folder; make it first, os\.makedirs\('.*missing'\): '.*" + name
    ):
        getattr(small_model(), method)(tmp_path / "missing" / name)
    assert not (tmp_path / "missing").exists()
