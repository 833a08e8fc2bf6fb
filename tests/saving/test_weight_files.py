"""`save_weights` and `load_weights`: whole files or none, all weights or none, nothing from outside the file."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat._core.weights import Weight
from torchkeras_compat.saving import hdf5
from torchkeras_compat.saving.replacing import replacing

from .builders import fill, same, small

Dense = tk.layers.Dense


# --- round trips -----------------------------------------------------------------------------------------------------


def test_round_trip(path: Path) -> None:
    model, other = small(), small()
    model.save_weights(path)
    assert not same(model.get_weights(), other.get_weights())
    assert other.load_weights(str(path)) is None
    assert same(model.get_weights(), other.get_weights())


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16"])
def test_types(path: Path, dtype: str) -> None:
    def make() -> tk.Sequential:
        return tk.Sequential([Dense(3, input_dim=2, dtype=dtype), Dense(1, dtype=dtype)])

    model, other = make(), make()
    model.save_weights(path)
    other.load_weights(path)
    assert same(model.get_weights(), other.get_weights())
    assert all(p.dtype == getattr(torch, dtype) for p in other.parameters())


def test_stateful_weights_and_a_torch_module(path: Path) -> None:
    def make() -> tk.Sequential:
        return tk.Sequential([Dense(3, input_dim=2), tk.layers.BatchNormalization(), torch.nn.Linear(3, 2)])

    model, other = make(), make()
    model.compile("sgd", "mse")
    model.fit(np.random.rand(8, 2), np.random.rand(8, 2), epochs=2, verbose=0)
    model.save_weights(path)
    other.load_weights(path)
    x = np.random.rand(4, 2)
    np.testing.assert_array_equal(model.predict(x), other.predict(x))


def test_training_goes_on_from_loaded_weights(path: Path) -> None:
    # The optimizer holds the parameters of a small model in one tensor: loading writes into it, not beside it.
    x, y = np.random.rand(8, 4), np.random.rand(8, 2)
    model = small()
    model.compile(tk.optimizers.SGD(0.1), "mse")
    model.fit(x, y, epochs=1, verbose=0)
    model.save_weights(path)
    expected = (model.fit(x, y, epochs=2, shuffle=False, verbose=0).history["loss"], model.get_weights())
    model.load_weights(path)
    got = (model.fit(x, y, epochs=2, shuffle=False, verbose=0).history["loss"], model.get_weights())
    assert expected[0] == got[0]
    assert same(expected[1], got[1])


ODD = ["a/b", "a", "/a", "a//b", "a/b/", ".", "./a", "..", "../x", "a.b", "train", "日本語", "x y", "a:0", "a_1", ""]


def test_any_layer_name_makes_a_round_trip(path: Path) -> None:
    def make() -> tk.Sequential:
        return tk.Sequential([Dense(2, input_dim=2, name=name) for name in ODD])

    model, by_order, by_name = make(), make(), make()
    model.save_weights(path)
    by_order.load_weights(path)
    by_name.load_weights(path, by_name=True)
    assert same(model.get_weights(), by_order.get_weights())
    assert same(model.get_weights(), by_name.get_weights())


class Twins(tk.layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.one = self.add_weight(name="w", shape=(2,), initializer="random_normal")
        self.two = self.add_weight(name="w", shape=(2,), initializer="random_normal")

    def call(self, inputs: Any) -> Any:
        return inputs * self.one + self.two


def test_weights_of_one_name_and_nested_models(path: Path) -> None:
    def make() -> tk.Sequential:
        inner = tk.Sequential([Dense(2, input_dim=2, name="d"), Twins()], name="inner")
        return tk.Sequential([inner, tk.Sequential([Dense(2, input_dim=2, name="d")], name="d")])

    model, other = make(), make()
    model.save_weights(path)
    other.load_weights(path)
    assert same(model.get_weights(), other.get_weights())


def test_a_shared_layer_is_held_once(path: Path) -> None:
    shared = Dense(2, input_dim=2, name="shared")
    model = tk.Sequential([shared, tk.layers.Activation("relu"), shared])
    before = model.get_weights()
    model.save_weights(path)
    model.set_weights([w * 0 for w in before])
    model.load_weights(path)
    assert same(model.get_weights(), before)


def test_names_beyond_one_attribute_are_cut_into_several(path: Path) -> None:
    layers = [tk.layers.Activation("linear", name=f"{i:05d}{'x' * 700}") for i in range(100)]
    model = tk.Sequential([Dense(2, input_dim=2, name="dense"), *layers])
    model.save_weights(path)
    with h5py.File(path) as file:
        assert {"layer_names0", "layer_names1"} <= set(file.attrs)
        assert "layer_names" not in file.attrs
    with hdf5.reading(str(path), "test") as root:
        assert hdf5.read_names(root, "layer_names", "test") == [layer.name for layer in model.layers]
    before = model.get_weights()
    model.set_weights([w * 0 for w in before])
    model.load_weights(path)
    assert same(model.get_weights(), before)


def test_many_short_names(path: Path) -> None:
    names = [str(i) for i in range(5000)]
    with h5py.File(path, "w") as file:
        hdf5.write_names(file, "layer_names", names)
        hdf5.write_names(file, "none", [])
        with pytest.raises(ValueError, match="is longer than 64512 bytes"):
            hdf5.write_names(file, "long", ["x" * 70000])
    with hdf5.reading(str(path), "test") as root:
        assert hdf5.read_names(root, "layer_names", "test") == names
        assert hdf5.read_names(root, "none", "test") == []


def test_saving_twice_gives_equal_files_and_leaves_the_model_alone(tmp_path: Path) -> None:
    model = small()
    before = model.get_weights()
    for name in ("one.h5", "two.h5"):
        model.save_weights(tmp_path / name)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    assert same(model.get_weights(), before)


# --- writing: the file that was there stays whole --------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt(), ValueError("x")])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_an_error_while_writing_keeps_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: int
) -> None:
    small().save_weights(path)
    old, calls, numpy = path.read_bytes(), [], Weight.numpy

    def failing(self: Weight) -> Any:
        calls.append(self)
        if len(calls) > after:
            raise error
        return numpy(self)

    monkeypatch.setattr(Weight, "numpy", failing)
    with pytest.raises(type(error)):
        small().save_weights(path)
    assert path.read_bytes() == old
    assert os.listdir(path.parent) == [path.name]


def test_a_kill_while_writing_keeps_the_old_file(path: Path) -> None:
    small().save_weights(path)
    old = path.read_bytes()
    program = (
        "import os, sys, signal, torchkeras_compat as tk\n"
        "from torchkeras_compat._core.weights import Weight\n"
        "model = tk.Sequential([tk.layers.Dense(3, input_dim=4), tk.layers.Dense(2)])\n"
        "numpy, calls = Weight.numpy, []\n"
        "def killing(self):\n"
        "    calls.append(self)\n"
        "    if len(calls) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return numpy(self)\n"
        "Weight.numpy = killing\n"
        "model.save_weights(sys.argv[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], cwd=Path(tk.__file__).parent.parent, check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == old
    small().load_weights(path)


def test_a_new_file_has_usual_permissions_and_an_old_one_keeps_its_own(path: Path) -> None:
    mask = os.umask(0o022)
    try:
        small().save_weights(path)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o600)
    small().save_weights(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_symbolic_link_is_followed(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.h5"
    small().save_weights(path)
    link.symlink_to(path)
    model = small()
    model.save_weights(link)
    assert link.is_symlink()
    other = small()
    other.load_weights(path)
    assert same(model.get_weights(), other.get_weights())


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        small().save_weights(tmp_path)
    with pytest.raises(FileNotFoundError):
        small().save_weights(tmp_path / "none" / "x.h5")
    with pytest.raises(IsADirectoryError), replacing(tmp_path):
        raise AssertionError("not reached")


def test_overwrite_false(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    model.save_weights(path, overwrite=False)
    old = path.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        small().save_weights(path, overwrite=False)
    for answer, changed in (("n", False), ("Y", True)):
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        small().save_weights(path, overwrite=False)
        assert (path.read_bytes() != old) is changed


def test_an_unbuilt_model_names_the_call_to_make(path: Path) -> None:
    model = tk.Sequential([Dense(2)])
    for method in (model.save_weights, model.load_weights):
        with pytest.raises(ValueError, match=r"input_shape=\(…\), or call build"):
            method(path)
    assert not path.exists()


@pytest.mark.parametrize("arguments", [{"save_format": "tf"}, {"options": object()}])
def test_what_is_not_honoured_is_refused(path: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(arguments))} must be"):
        small().save_weights(path, **arguments)
    assert not path.exists()


@pytest.mark.parametrize("name", ["x", "x.hdf5", "x.keras", "x.weights.h5"])
@pytest.mark.parametrize("save_format", [None, "h5", "HDF5", "keras"])
def test_every_suffix_is_hdf5(tmp_path: Path, name: str, save_format: str | None) -> None:
    small().save_weights(tmp_path / name, save_format=save_format)
    assert h5py.is_hdf5(tmp_path / name)
    small().load_weights(tmp_path / name)


# --- loading: what fits what -----------------------------------------------------------------------------------------


def test_layers_without_weights_do_not_count(path: Path) -> None:
    model = small()
    model.save_weights(path)
    other = tk.Sequential([Dense(3, input_dim=4), tk.layers.Dropout(0.5), Dense(2), tk.layers.Activation("relu")])
    other.load_weights(path)
    assert same(model.get_weights(), other.get_weights())


def test_by_name(path: Path) -> None:
    model, other = small(), small(names=("second", "other"), inputs=3)
    model.save_weights(path)
    before = other.get_weights()
    other = tk.Sequential([Dense(3, input_dim=4, name="new"), Dense(2, name="second")])
    before = other.get_weights()
    with pytest.warns(UserWarning, match=r"'new' of the model is not in the file; 'first' of the file is not in the"):
        other.load_weights(path, by_name=True)
    assert same(other.get_weights()[:2], before[:2])
    assert same(other.get_weights()[2:], model.get_weights()[2:])


def test_by_name_matching_nothing_is_an_error(path: Path) -> None:
    small().save_weights(path)
    other = small(names=("third", "fourth"))
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"the model has 'third', 'fourth', the file 'first', 'second'"):
        other.load_weights(path, by_name=True)
    assert same(other.get_weights(), before)


def test_skip_mismatch_loads_what_fits(path: Path) -> None:
    model, other = small(), tk.Sequential([Dense(3, input_dim=4, name="first"), Dense(5, name="second")])
    model.save_weights(path)
    before = other.get_weights()
    with pytest.raises(ValueError, match="second/kernel:0"):
        other.load_weights(path)
    assert same(other.get_weights(), before)
    for by_name in (False, True):
        other.set_weights(before)
        with pytest.warns(UserWarning, match="skipped: second/kernel:0"):
            other.load_weights(path, skip_mismatch=True, by_name=by_name)
        assert same(other.get_weights()[:2], model.get_weights()[:2])
        assert same(other.get_weights()[2:], before[2:])


def test_another_number_of_layers_or_weights(path: Path) -> None:
    small().save_weights(path)
    other = tk.Sequential([Dense(3, input_dim=4)])
    with pytest.raises(ValueError, match=r"the model has 1 layers with weights \('dense_1'\), the file 2"):
        other.load_weights(path)
    other = tk.Sequential([Dense(3, input_dim=4, use_bias=False), Dense(2)])
    before = other.get_weights()
    with pytest.raises(ValueError, match="it has 1 weights and 'first' in the file has 2"):
        other.load_weights(path)
    assert same(other.get_weights(), before)


def test_reshape(path: Path) -> None:
    with h5py.File(path, "w") as file:
        fill(
            file, {"d": {"d/kernel:0": np.arange(6.0, dtype="f4").reshape(3, 2, 1), "d/bias:0": np.zeros((2, 1), "f4")}}
        )
    model = tk.Sequential([Dense(2, input_dim=3)])
    with pytest.raises(ValueError, match="shape"):
        model.load_weights(path)
    model.load_weights(path, reshape=True)
    np.testing.assert_array_equal(model.get_weights()[0], np.arange(6.0).reshape(3, 2))


def test_a_failure_half_way_puts_the_old_weights_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small().save_weights(path)
    model, assign = small(), Weight.assign
    before, calls = model.get_weights(), []

    def failing(self: Weight, value: Any) -> None:
        calls.append(self)
        if len(calls) == 3:
            raise KeyboardInterrupt
        assign(self, value)

    monkeypatch.setattr(Weight, "assign", failing)
    with pytest.raises(KeyboardInterrupt):
        model.load_weights(path)
    assert len(calls) == 3
    assert same(model.get_weights(), before)


def test_kernels_of_theano_are_flipped(path: Path) -> None:
    kernel = np.random.rand(3, 2, 1, 4).astype("f4")
    with h5py.File(path, "w") as file:
        fill(file, {"c": {"c/kernel:0": kernel, "c/bias:0": np.zeros(4, "f4")}}, backend="theano")
    model = tk.Sequential([tk.layers.Conv2D(4, (3, 2), input_shape=(5, 5, 1))])
    model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], kernel[::-1, ::-1])


def test_options_and_checkpoints_are_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="options must be None"):
        small().load_weights(path, options=object())
    (tmp_path / "checkpoint.index").write_bytes(b"")
    with pytest.raises(ValueError, match="a TensorFlow checkpoint"):
        small().load_weights(tmp_path / "checkpoint")
    with pytest.raises(FileNotFoundError):
        small().load_weights(tmp_path / "missing.h5")


def test_h5py_is_not_imported_with_the_package() -> None:
    program = "import sys, torchkeras_compat; sys.exit('h5py' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(tk.__file__).parent.parent, check=False)
    assert done.returncode == 0
