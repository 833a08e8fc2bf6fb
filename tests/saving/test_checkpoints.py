"""Checkpoints without a suffix, as TensorFlow's tutorials write and look for them; what Keras 2.15 answers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import callbacks, compat, layers
from torchkeras_compat.saving.checkpoints import latest_checkpoint

X, Y = np.eye(3, dtype="float32"), np.ones((3, 1), "float32")


@pytest.fixture(autouse=True)
def _tf_keras() -> None:
    tk.set_dialect("tf.keras")


def small() -> tk.Sequential:
    model = tk.Sequential([layers.Dense(2, input_shape=(3,)), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def same(a: tk.Sequential, b: tk.Sequential) -> bool:
    return all(np.array_equal(v, w) for v, w in zip(a.get_weights(), b.get_weights()))


def test_the_latest_of_several(tmp_path: Path) -> None:
    path = os.path.join(tmp_path, "training", "cp-{epoch:04d}.ckpt")
    model = small()
    model.save_weights(path.format(epoch=0))
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[callbacks.ModelCheckpoint(path, save_weights_only=True)])
    latest = latest_checkpoint(tmp_path / "training")
    assert latest == path.format(epoch=3)
    other = small()
    status = other.load_weights(latest).expect_partial().assert_existing_objects_matched()
    assert same(model, other)
    with pytest.raises(AssertionError, match="optimizer/_variables"):  # the optimizer has no slots yet
        status.assert_consumed()
    other.fit(X, Y, verbose=0)
    status.assert_consumed()
    assert int(other.optimizer.iterations) == 4


def test_under_its_name_in_tensorflow(tmp_path: Path) -> None:
    compat.install()
    import tensorflow as tf

    small().save_weights(f"{tmp_path}/ckpt")
    assert tf.train.latest_checkpoint(str(tmp_path)) == f"{tmp_path}/ckpt"
    compat.uninstall()


@pytest.mark.parametrize("name", ["w.h5", "w.weights.h5", "w.hdf5", "w.safetensors"])
def test_other_files_are_no_checkpoints(tmp_path: Path, name: str) -> None:
    model = small()
    model.save_weights(tmp_path / name)
    assert model.load_weights(tmp_path / name) is None
    assert os.listdir(tmp_path) == [name]
    assert latest_checkpoint(tmp_path) is None


def test_in_classic_keras_a_name_without_suffix_is_one_file(tmp_path: Path) -> None:
    tk.set_dialect("keras-2.3")
    model = small()
    model.save_weights(tmp_path / "weights")
    assert os.listdir(tmp_path) == ["weights"]
    assert model.load_weights(tmp_path / "weights") is None


def test_weights_that_are_called_checkpoint(tmp_path: Path) -> None:
    model, other = small(), small()
    model.save_weights(tmp_path / "checkpoint")
    other.load_weights(latest_checkpoint(tmp_path))
    assert same(model, other)


def test_the_format_of_tensorflow_by_its_name(tmp_path: Path) -> None:
    model, other = small(), small()
    model.save_weights(tmp_path / "w", save_format="tf")
    other.load_weights(tmp_path / "w")
    assert same(model, other)
    with pytest.raises(ValueError, match="save_format must be"):  # as in Keras
        model.save_weights(tmp_path / "w.h5", save_format="tf")


def test_weights_in_hdf5_without_a_suffix(tmp_path: Path) -> None:
    model, other = small(), small()
    model.save_weights(tmp_path / "w.h5")
    (tmp_path / "w.h5").rename(tmp_path / "w")
    other.load_weights(tmp_path / "w").expect_partial().assert_consumed().assert_nontrivial_match()
    assert same(model, other)


def test_a_checkpoint_that_is_gone_is_none(tmp_path: Path) -> None:
    small().save_weights(tmp_path / "w")
    (tmp_path / "w").unlink()
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / "nowhere") is None


def test_names_with_quotes_and_letters_of_any_kind(tmp_path: Path) -> None:
    small().save_weights(tmp_path / 'gewichte "größe"')
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'gewichte "größe"')


def test_the_folder_of_a_saved_model_ends_with_a_slash(tmp_path: Path) -> None:
    model = small()
    model.save(f"{tmp_path}/saved_model/my_model/", save_traces=False)
    assert same(model, tk.models.load_model(f"{tmp_path}/saved_model/my_model/"))
