"""Hostile and broken files of weights: each is refused, and the model stays as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat.saving import hdf5
from torchkeras_compat.saving.weights_hdf5 import Plan

from .builders import fill, same, small

Dense = tk.layers.Dense

KERNEL, BIAS = np.ones((3, 2), "f4"), np.ones(2, "f4")
NAMES = ("d/kernel:0", "d/bias:0")


def external_storage(root: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(KERNEL.tobytes())
    fill(root, {"d": {NAMES[0]: None, NAMES[1]: BIAS}})
    root["d"].create_dataset(NAMES[0], (3, 2), "f4", external=[(str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)])


def external_link(root: Any, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["kernel"] = KERNEL
    fill(root, {"d": {NAMES[0]: None, NAMES[1]: BIAS}})
    root["d"].require_group("d")["kernel:0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "kernel")


def soft_link(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: None, NAMES[1]: BIAS}})
    root["kernel"] = KERNEL
    root["d"].require_group("d")["kernel:0"] = h5py.SoftLink("/kernel")


def link_in_the_middle(root: Any, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["kernel:0"], other["bias:0"] = KERNEL, BIAS
    fill(root, {"d": {NAMES[0]: None, NAMES[1]: None}})
    root["d"]["d"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")


def linked_layer(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: KERNEL, NAMES[1]: BIAS}})
    root.move("d", "real")
    root["d"] = h5py.SoftLink("/real")


def linked_weights_of_a_model(root: Any, tmp_path: Path) -> None:
    fill(root.create_group("real"), {"d": {NAMES[0]: KERNEL, NAMES[1]: BIAS}})
    root["model_weights"] = h5py.SoftLink("/real")


def virtual(root: Any, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["kernel"] = KERNEL
    fill(root, {"d": {NAMES[0]: None, NAMES[1]: BIAS}})
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "kernel", (3, 2))
    root["d"].create_virtual_dataset(NAMES[0], layout)


def huge(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: None, NAMES[1]: BIAS}})
    root["d"].create_dataset(NAMES[0], (10**6, 10**6), "f4", chunks=(1024, 1024))


def many_small(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {f"d/w{i}:0": KERNEL for i in range(2000)}})


def many_names(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: KERNEL, NAMES[1]: BIAS}})
    root.attrs["layer_names"] = np.zeros((100, 100), "S2")


def text(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: np.array([["a"] * 2] * 3, dtype=h5py.string_dtype()), NAMES[1]: BIAS}})


def whole_numbers(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: KERNEL.astype("i8"), NAMES[1]: BIAS}})


def complex_numbers(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: KERNEL.astype("c8"), NAMES[1]: BIAS}})


def no_data(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: h5py.Empty("f4"), NAMES[1]: BIAS}})


def missing_data(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: KERNEL, NAMES[1]: None}})


def missing_group(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: KERNEL, NAMES[1]: BIAS}})
    del root["d"]


def missing_names(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: KERNEL, NAMES[1]: BIAS}})
    del root["d"].attrs["weight_names"]


def names_that_are_numbers(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: KERNEL, NAMES[1]: BIAS}})
    root.attrs["layer_names"] = np.arange(3)


def group_for_data(root: Any, tmp_path: Path) -> None:
    fill(root, {"d": {NAMES[0]: None, NAMES[1]: BIAS}})
    root["d"].create_group(NAMES[0])


def other_kind(root: Any, tmp_path: Path) -> None:
    root.create_group("measurements")["0"] = KERNEL


BAD: list[tuple[Callable[[Any, Path], None], str]] = [
    (external_storage, "kept in other files"),
    (external_link, "an external link"),
    (soft_link, "a soft link"),
    (link_in_the_middle, "'d' in 'd/kernel:0' is an external link"),
    (linked_layer, "a soft link"),
    (linked_weights_of_a_model, "a soft link"),
    (virtual, "a virtual dataset"),
    (huge, r"has shape \(1000000, 1000000\)"),
    (many_small, "in the file has 2000"),
    (many_names, "no list of names"),
    (text, "type object"),
    (whole_numbers, "type int64"),
    (complex_numbers, r"type \|V8"),
    (no_data, "has shape None"),
    (missing_data, "corrupt: it has no data 'd/bias:0'"),
    (missing_group, "corrupt: it has no group 'd'"),
    (missing_names, "corrupt: '/d' has no attribute 'weight_names'"),
    (names_that_are_numbers, "no list of names"),
    (group_for_data, "corrupt: it has no data"),
    (other_kind, "no weight file of Keras"),
]


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize(("make", "message"), BAD, ids=lambda v: getattr(v, "__name__", ""))
def test_a_bad_file_is_refused(
    make: Callable[[Any, Path], None], message: str, by_name: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bad.h5"
    with h5py.File(path, "w") as root:
        make(root, tmp_path)
    model = tk.Sequential([Dense(2, input_dim=3, name="d")])
    before, read = model.get_weights(), []
    monkeypatch.setattr(hdf5.Dataset, "__getitem__", lambda *arguments: read.append(arguments))
    with pytest.raises(hdf5.FileError, match=message):
        model.load_weights(path, by_name=by_name)
    assert not read, "data were read before the check"
    assert same(model.get_weights(), before)


def test_the_target_of_a_link_is_not_even_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "other.h5")  # opening it would wait for a writer for ever
    path = tmp_path / "bad.h5"
    with h5py.File(path, "w") as root:
        fill(root, {"d": {NAMES[0]: None, NAMES[1]: BIAS}})
        root["d"]["d"].move("bias:0", "real:0")
        root["d/d"]["kernel:0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "kernel")
    with pytest.raises(hdf5.FileError, match="an external link"):
        tk.Sequential([Dense(2, input_dim=3, name="d")]).load_weights(path)


def test_every_truncation_is_told_and_changes_nothing(path: Path) -> None:
    model = small()
    model.save_weights(path)
    whole, before = path.read_bytes(), model.get_weights()
    for length in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"corrupt: .*cut short|is empty|Expected an HDF5 file"):
            model.load_weights(path)
    assert same(model.get_weights(), before)


def test_a_file_that_shrinks_while_it_is_read_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    model.save_weights(path)
    before = model.get_weights()
    read_all = Plan.read

    def shrinking(plan: Plan) -> Any:
        os.truncate(path, 2000)
        return read_all(plan)

    monkeypatch.setattr(Plan, "read", shrinking)
    with pytest.raises(hdf5.FileError, match="became shorter while it was read"):
        model.load_weights(path)
    assert same(model.get_weights(), before)


@pytest.mark.parametrize(
    ("content", "message"), [(b"PK\x03\x04", "a zip archive"), (b"no HDF5", r"a text\..*Expected an HDF5")]
)
def test_other_files_are_named(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        small().load_weights(path)
