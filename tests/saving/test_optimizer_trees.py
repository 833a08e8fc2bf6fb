"""The state of optimizers in trees of weights: training goes on from files of Keras 2.15 and 3.15 as it does there."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk

from .make_optimizer_files import flat, resumed
from .make_weight_files import DATA
from .optimizer_models import OPTIMIZERS, train
from .test_weight_trees import tree

RELEASES = ("2_15", "3_15")


def archive(release: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(DATA / f"optimizers_keras_{release}.zip")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_from_a_file_of_keras(name: str, release: str) -> None:
    tk.set_dialect("keras-2.15")
    with archive(release) as files:
        net = resumed(tk, files, name)
        expected = np.load(io.BytesIO(files.read(f"{name}.npy")))
    assert int(net.optimizer.iterations) == 3
    train(net, 3)
    np.testing.assert_allclose(flat(net), expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_our_state_is_written_as_keras_3_writes_it(name: str, tmp_path: Path) -> None:
    tk.set_dialect("keras-2.15")
    with archive("3_15") as files:
        net = resumed(tk, files, name)
        path = Path(files.extract(f"{name}.weights.h5", tmp_path))
    net.save_weights(tmp_path / "ours.weights.h5")
    with h5py.File(tmp_path / "ours.weights.h5") as ours, h5py.File(path) as theirs:
        assert tree(ours["optimizer"]) == tree(theirs["optimizer"])
        for i in theirs["optimizer/vars"]:
            np.testing.assert_allclose(ours[f"optimizer/vars/{i}"], theirs[f"optimizer/vars/{i}"], rtol=1e-6)
            assert ours[f"optimizer/vars/{i}"].dtype == theirs[f"optimizer/vars/{i}"].dtype


@pytest.mark.parametrize("dialect", ["keras-2.3", "tf.keras", "keras-2.15"])
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"])
def test_a_round_trip_in_every_dialect(name: str, dialect: str, tmp_path: Path) -> None:
    tk.set_dialect(dialect)
    nets = []
    for _ in range(2):
        net = tk.Sequential([tk.layers.Dense(4, activation="tanh", input_dim=3), tk.layers.Dense(2)])
        net.compile(getattr(tk.optimizers, name)(), "mse")
        train(net, 4)
        nets.append(net)
    one, other = nets
    one.optimizer.lr = 0.02
    train(one, 5)
    one.save_weights(tmp_path / "w.weights.h5")
    other.load_weights(tmp_path / "w.weights.h5")
    for net in nets:
        train(net, 6)
    np.testing.assert_array_equal(flat(one), flat(other))
    assert float(other.optimizer.lr) == pytest.approx(0.02)


def test_slots_of_a_classic_optimizer_stand_weight_by_weight(tmp_path: Path) -> None:
    net = compiled_classic()
    train(net, 1)
    net.save_weights(tmp_path / "w.weights.h5")
    m, v = np.split(np.arange(8), 2)  # classic Keras: all first moments, then all second ones
    own = net.optimizer.get_weights()[1:9]
    with h5py.File(tmp_path / "w.weights.h5") as file:
        place = file["optimizer/vars"]
        assert len(place) == 10
        for i, slot in enumerate(np.stack([m, v], 1).ravel()):
            np.testing.assert_array_equal(place[str(2 + i)], own[slot])


def compiled_classic() -> Any:
    tk.set_dialect("keras-2.3")
    net = tk.Sequential([tk.layers.Dense(4, input_dim=3), tk.layers.Dense(2)])
    net.compile("adam", "mse")
    return net


def test_an_optimizer_that_has_not_trained_begins_anew(tmp_path: Path) -> None:
    # As in Keras; load_model is what takes both.
    net, other = compiled_classic(), compiled_classic()
    train(net, 1)
    net.save_weights(tmp_path / "w.weights.h5")
    with pytest.warns(UserWarning, match="has not trained yet; load_model takes it"):
        other.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(flat(net), flat(other))
    assert int(other.optimizer.iterations) == 0


def test_the_state_of_another_optimizer_is_left_out(tmp_path: Path) -> None:
    net, other = compiled_classic(), compiled_classic()
    other.compile("sgd", "mse")
    for one in (net, other):
        train(one, 1)
    net.save_weights(tmp_path / "w.weights.h5")
    with pytest.warns(UserWarning, match="has 10 arrays, and that of SGD"):
        other.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(flat(net), flat(other))


def test_a_slot_of_another_shape_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    net = compiled_classic()
    train(net, 1)
    net.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5", "a") as file:
        del file["optimizer/vars/9"]
        file["optimizer/vars/9"] = np.zeros(3, "f4")
        file["optimizer/vars/0"][()] = 77
    before = net.optimizer.get_weights()
    with pytest.warns(UserWarning, match=r"left out: .*has shape \(2,\)"):
        net.load_weights(tmp_path / "w.weights.h5")
    assert all(map(np.array_equal, before, net.optimizer.get_weights()))


def test_a_hostile_slot_is_not_read(tmp_path: Path) -> None:
    net = compiled_classic()
    train(net, 1)
    net.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5", "a") as file:
        del file["optimizer/vars/2"]
        file["optimizer/vars"].create_dataset("2", (10**9, 10**3), "f4", chunks=(1, 1))
    with pytest.warns(UserWarning, match="larger than the weights that train"):
        net.load_weights(tmp_path / "w.weights.h5")


def test_a_scaled_loss_keeps_its_scale(tmp_path: Path) -> None:
    tk.set_dialect("keras-2.15")
    nets = []
    for _ in range(2):
        net = tk.Sequential([tk.layers.Dense(2, input_dim=3)])
        inner = tk.optimizers.Adam(0.01)
        net.compile(tk.mixed_precision.LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=2), "mse")
        train(net, 1)
        nets.append(net)
    one, other = nets
    train(one, 2)
    one.save_weights(tmp_path / "w.weights.h5")
    other.load_weights(tmp_path / "w.weights.h5")
    assert float(other.optimizer.loss_scale) == float(one.optimizer.loss_scale) == 64.0
    with h5py.File(tmp_path / "w.weights.h5") as file:  # as Keras 3.15 has it
        assert len(file["optimizer/vars"]) == 10
        assert len(file["optimizer/inner_optimizer/vars"]) == 6
    for net in nets:
        train(net, 3)
    np.testing.assert_array_equal(flat(one), flat(other))
