"""Files of weights that Keras 2.13, 2.15 and 3.15 wrote load here; `make_weight_files.py --check` loads ours there."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk

from . import weight_models
from .make_weight_files import DATA, built, predictions

RELEASES = ("2_13", "2_15", "3_15")


def members() -> list[tuple[str, str]]:
    """Return each file of weights, and the release that it is of."""
    every = []
    for release in RELEASES:
        with zipfile.ZipFile(DATA / f"weights_keras_{release}.zip") as archive:
            every += [(release, name) for name in archive.namelist() if name.endswith(".h5")]
    return every


def take(release: str, name: str, folder: Path) -> Path:
    with zipfile.ZipFile(DATA / f"weights_keras_{release}.zip") as archive:
        return Path(archive.extract(name, folder / release))


def expected(release: str, name: str) -> np.ndarray:
    with zipfile.ZipFile(DATA / f"weights_keras_{release}.zip") as archive:
        return np.asarray(np.load(io.BytesIO(archive.read(f"{name}.npy"))))


def tree(root: Any, path: str = "") -> dict[str, Any]:
    """Return the groups and datasets of a file by every name: shapes of these, the attributes of those."""
    if hasattr(root, "shape"):
        return {path: root.shape}
    below = [tree(root[name], f"{path}/{name}".lstrip("/")) for name in root]
    return {path: sorted(root.attrs), **{name: entry for one in below for name, entry in one.items()}}


@pytest.mark.parametrize(("release", "file"), members())
def test_a_file_of_keras_loads(release: str, file: str, tmp_path: Path) -> None:
    tk.set_dialect("tf.keras")
    name = file.partition(".")[0]
    net, x = built(tk, name)
    net.load_weights(take(release, file, tmp_path))
    np.testing.assert_allclose(predictions(net, x), expected(release, name), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", sorted(weight_models.MODELS))
def test_our_tree_is_that_of_keras(name: str, tmp_path: Path) -> None:
    # What is in ours and not in Keras 3's is a second name, where Keras 2.15 looks for the layer.
    tk.set_dialect("tf.keras")
    net, _ = built(tk, name)
    net.load_weights(take("3_15", f"{name}.weights.h5", tmp_path))
    net.save_weights(tmp_path / "ours.weights.h5")
    with (
        h5py.File(tmp_path / "ours.weights.h5") as ours,
        h5py.File(take("3_15", f"{name}.weights.h5", tmp_path)) as keras_3,
        h5py.File(take("2_15", f"{name}.weights.h5", tmp_path)) as keras_2,
    ):
        wanted, written, older = tree(keras_3), tree(ours), tree(keras_2)
        assert {path: written.get(path) for path in wanted} == wanted
        assert set(written) - set(wanted) <= set(older)
        for path, shape in wanted.items():
            if isinstance(shape, tuple):
                np.testing.assert_array_equal(ours[path], keras_3[path])
                assert ours[path].dtype.kind == keras_3[path].dtype.kind


@pytest.mark.parametrize("release", RELEASES)
def test_a_tree_by_name(release: str, tmp_path: Path) -> None:
    # Keras 3 notes the names of layers; what it takes by name has to have the same one, and the rest stays.
    tk.set_dialect("tf.keras")
    net = tk.Sequential([tk.Input((4,)), tk.layers.Dense(3, name="first"), tk.layers.Dense(7, name="new")])
    kept = net.get_weights()
    path = take(release, "dense.weights.h5", tmp_path)
    if release != "3_15":
        with pytest.raises(ValueError, match="no names of layers; write by_name=False"):
            net.load_weights(path, by_name=True)
        return
    with pytest.warns(UserWarning, match="'new' of the model is not in the file"):
        net.load_weights(path, by_name=True)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(net.get_weights()[0], file["layers/dense/vars/0"])
    np.testing.assert_array_equal(net.get_weights()[2], kept[2])


def test_a_tree_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    tk.set_dialect("tf.keras")
    net = tk.Sequential([tk.Input((4,)), tk.layers.Dense(3), tk.layers.Dense(3, use_bias=False), tk.layers.Dense(5)])
    kept = net.get_weights()
    path = take("3_15", "dense.weights.h5", tmp_path)
    with pytest.raises(ValueError, match=r"the weight has shape \(3, 5\).*has shape \(3, 2\)"):
        net.load_weights(path)
    assert all(map(np.array_equal, net.get_weights(), kept))
    with pytest.warns(UserWarning, match=r"skipped: .*kernel:0: the weight has shape \(3, 5\)"):
        net.load_weights(path, skip_mismatch=True)
    assert not np.array_equal(net.get_weights()[0], kept[0])
    np.testing.assert_array_equal(net.get_weights()[-1], kept[-1])


def test_layers_that_only_the_file_has_are_told(tmp_path: Path) -> None:
    tk.set_dialect("tf.keras")
    net = tk.Sequential([tk.Input((4,)), tk.layers.Dense(3)])
    with pytest.warns(UserWarning, match="'layers/dense_1' of the file is not in the model"):
        net.load_weights(take("3_15", "dense.weights.h5", tmp_path))


def test_layers_that_the_file_lacks(tmp_path: Path) -> None:
    tk.set_dialect("tf.keras")
    layers = [tk.layers.Dense(3), tk.layers.Dense(3, use_bias=False), tk.layers.Dense(2), tk.layers.Dense(2)]
    net = tk.Sequential([tk.Input((4,)), *layers])
    with pytest.raises(ValueError, match="the file has nothing at 'layers/dense_3'"):
        net.load_weights(take("3_15", "dense.weights.h5", tmp_path))


def test_names_and_groups_that_keras_cannot_have(tmp_path: Path) -> None:
    # Names are no part of a path in a tree, so that slashes, equal names and odd ones go round.
    layers = [tk.layers.Dense(2, name="a/b"), tk.layers.Dense(2, name="a"), tk.layers.Dense(2, name="../x")]
    net = tk.Sequential([tk.layers.Dense(2, input_dim=2), *layers])
    net.save_weights(tmp_path / "w.weights.h5")
    other = tk.models.clone_model(net)
    other.load_weights(tmp_path / "w.weights.h5")
    assert all(map(np.array_equal, net.get_weights(), other.get_weights()))
