"""Hostile files of whole models and of Keras 3's weights: each is refused before anything of its data is read."""

from __future__ import annotations

import contextlib
import io
import json
import os
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat.saving import hdf5
from torchkeras_compat.saving.file_kinds import FileError

from .builders import fill, same
from .test_bad_files import BAD

KERNEL, BIAS = np.full((3, 2), 5, "f4"), np.full(2, 7, "f4")
PLACE = "layers/dense/vars"


def model() -> Any:
    return tk.Sequential([tk.layers.Dense(2, input_dim=3, name="d")])


# --- weights in the tree of Keras 3 (S10 to S14) -------------------------------------------------------------------


def sound(root: Any, folder: Path) -> None:
    root[f"{PLACE}/0"], root[f"{PLACE}/1"] = KERNEL, BIAS


def without_kernel(root: Any) -> Any:
    root[f"{PLACE}/1"] = BIAS
    return root[PLACE]


def external_storage(root: Any, folder: Path) -> None:
    (folder / "secret").write_bytes(KERNEL.tobytes())
    place = without_kernel(root)
    place.create_dataset("0", (3, 2), "f4", external=[(str(folder / "secret"), 0, h5py.h5f.UNLIMITED)])


def virtual(root: Any, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["kernel"] = KERNEL
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "kernel", (3, 2))
    without_kernel(root).create_virtual_dataset("0", layout)


def link(depth: int, external: bool) -> Callable[[Any, Path], None]:
    """Return what puts a link in the place of the component at a depth of the path to the kernel."""
    parts = f"{PLACE}/0".split("/")

    def make(root: Any, folder: Path) -> None:
        inside = "/".join(["real", *parts[depth + 1 :]])
        if external:
            with h5py.File(folder / "other.h5", "w") as other:
                other[inside] = KERNEL
        else:
            root[inside] = KERNEL
            if depth < len(parts) - 1:
                root["/".join(["real", *parts[depth + 1 : -1], "1"])] = BIAS
        around = root.require_group("/".join(parts[:depth])) if depth else root
        if depth == len(parts) - 1:
            around["1"] = BIAS
        target = h5py.ExternalLink(str(folder / "other.h5"), "/real") if external else h5py.SoftLink("/real")
        around[parts[depth]] = target

    make.__name__ = f"{'external' if external else 'soft'}_link_{depth}"
    return make


def of_shape(shape: Any, dtype: str = "f4", **options: Any) -> Callable[[Any, Path], None]:
    def make(root: Any, folder: Path) -> None:
        without_kernel(root).create_dataset("0", shape, dtype, **options)

    make.__name__ = f"shape_{shape}_{dtype}"
    return make


def holding(value: Any, name: str) -> Callable[[Any, Path], None]:
    def make(root: Any, folder: Path) -> None:
        without_kernel(root)["0"] = value

    make.__name__ = name
    return make


def many(root: Any, folder: Path) -> None:
    place = root.create_group(PLACE)
    for i in range(10_000):
        place[str(i)] = np.float32(i)


def group_for_data(root: Any, folder: Path) -> None:
    without_kernel(root).create_group("0")


def references(root: Any, folder: Path) -> None:
    place = without_kernel(root)
    place.create_dataset("0", (3, 2), h5py.ref_dtype)


def missing(root: Any, folder: Path) -> None:
    without_kernel(root)


TREES: list[Callable[[Any, Path], None]] = [
    external_storage,
    virtual,
    *(link(depth, external) for depth in range(4) for external in (False, True)),
    of_shape((10**6, 10**6), chunks=(1024, 1024)),
    of_shape((2**31, 2**31), chunks=(64, 64)),
    of_shape((3, 3)),
    of_shape((3, 2), "i8"),
    of_shape((3, 2), "c8"),
    of_shape((3, 2), h5py.string_dtype()),
    of_shape((), "f4"),
    holding(h5py.Empty("f4"), "nothing"),
    many,
    group_for_data,
    references,
    missing,
]


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was read of data: nothing, however a test ends."""
    read: list[Any] = []
    monkeypatch.setattr(hdf5.Dataset, "__getitem__", lambda data, index: read.append((data.name, index)))
    return read


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("make", TREES, ids=lambda make: make.__name__)
def test_hostile_weights_of_keras_3_are_refused(
    make: Callable[[Any, Path], None], by_name: bool, tmp_path: Path, unread: list[Any]
) -> None:
    path = tmp_path / "x.weights.h5"
    with h5py.File(path, "w") as root:
        make(root, tmp_path)
    net = model()
    before = net.get_weights()
    with pytest.raises(FileError):
        net.load_weights(path, by_name=by_name)
    assert not unread
    assert same(net.get_weights(), before)


def test_the_target_of_a_link_in_a_tree_is_not_even_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "other.h5")  # opening it would wait for a writer for ever
    for depth in range(4):
        path = tmp_path / f"{depth}.weights.h5"
        with h5py.File(path, "w") as root:
            around = root.require_group("/".join(PLACE.split("/")[:depth])) if depth else root
            around[f"{PLACE}/0".split("/")[depth]] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
        with pytest.raises(FileError):
            model().load_weights(path)


# --- whole models in HDF5 --------------------------------------------------------------------------------------------

CONFIG = {
    "class_name": "Sequential",
    "config": {
        "name": "stack",
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "input", "batch_input_shape": [None, 3]}},
            {"class_name": "Dense", "config": {"name": "d", "units": 2}},
        ],
    },
}


def whole(path: Path, config: Any = CONFIG, make: Callable[[Any, Path], None] | None = None) -> Path:
    with h5py.File(path, "w") as root:
        root.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        place = root.create_group("model_weights")
        if make is None:
            fill(place, {"d": {"d/kernel:0": KERNEL, "d/bias:0": BIAS}})
        else:
            make(place, path.parent)
    return path


LINKED = {"linked_layer", "linked_weights_of_a_model", "soft_link"}  # their targets are named from the root


@pytest.mark.parametrize("make", [make for make, _ in BAD if make.__name__ not in LINKED], ids=lambda m: m.__name__)
def test_hostile_weights_of_a_whole_model_are_refused(
    make: Callable[[Any, Path], None], tmp_path: Path, unread: list[Any]
) -> None:
    path = whole(tmp_path / "model.h5", CONFIG, make)
    with pytest.raises(FileError):
        tk.models.load_model(path, compile=False)
    assert not unread


def nested(levels: int) -> str:
    return '{"class_name": "Sequential", "config": {"layers": [' * levels + "]}}" * levels


CONFIGS: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "no JSON"),
    "a list": ([], ""),
    "a number": (3, ""),
    "deep": (nested(20_000), "inside each other"),
    "no layers": ({"class_name": "Sequential", "config": {}}, ""),
    "huge": (json.loads(json.dumps(CONFIG).replace('"units": 2', '"units": 1000000000')), "WEIGHT_BYTES"),
}


@pytest.mark.parametrize(("config", "message"), CONFIGS.values(), ids=CONFIGS)
def test_a_damaged_configuration_of_a_whole_model_is_one_error(config: Any, message: str, tmp_path: Path) -> None:
    path = whole(tmp_path / "model.h5", config)
    with pytest.raises((ValueError, TypeError)) as caught:
        tk.models.load_model(path, compile=False)
    assert message in str(caught.value)


@pytest.mark.parametrize("form", ["object", "region", "empty", "numbers", "list"])
def test_a_configuration_that_is_no_text(form: str, tmp_path: Path) -> None:
    path = whole(tmp_path / "model.h5")
    with h5py.File(path, "a") as root:
        space = root.create_dataset("x", data=np.arange(4)).regionref[1:3]
        values = {
            "object": root.ref,
            "region": space,
            "empty": h5py.Empty("S9"),
            "numbers": [1, 2],
            "list": ["{}", "{}"],
        }
        root.attrs["model_config"] = values[form]
    with pytest.raises(FileError):
        tk.models.load_model(path, compile=False)


# --- archives (S16, S18) ---------------------------------------------------------------------------------------------


def weights(root_of: Callable[[Any, Path], None], folder: Path) -> bytes:
    with h5py.File(folder / "inner.h5", "w") as root:
        root_of(root, folder)
    return (folder / "inner.h5").read_bytes()


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as sink:
        for name, content in members.items():
            sink.writestr(name, content)
    return path


def members(folder: Path, make: Callable[[Any, Path], None] = sound, **changed: bytes) -> dict[str, bytes]:
    listed = {
        "metadata.json": json.dumps({"keras_version": "3.15.0"}).encode(),
        "config.json": json.dumps(CONFIG).encode(),
        "model.weights.h5": weights(make, folder),
    }
    return {**listed, **{NAMES[name]: content for name, content in changed.items()}}


NAMES = {"config": "config.json", "weights": "model.weights.h5"}
LOADING: dict[str, Callable[[Path], Any]] = {
    "load_model": lambda path: tk.models.load_model(path, compile=False),
    "load_weights": lambda path: model().load_weights(path),
}


def test_a_sound_archive_loads(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = archive(tmp_path / "model.keras", members(tmp_path), method)
        assert same(tk.models.load_model(path, compile=False).get_weights(), [KERNEL, BIAS])
        net = model()
        net.load_weights(path)
        assert same(net.get_weights(), [KERNEL, BIAS])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("make", TREES, ids=lambda make: make.__name__)
def test_hostile_weights_in_an_archive_are_refused(
    make: Callable[[Any, Path], None], method: int, tmp_path: Path, unread: list[Any]
) -> None:
    path = archive(tmp_path / "model.keras", members(tmp_path, make=make), method)
    with pytest.raises(FileError):
        tk.models.load_model(path, compile=False)
    assert not unread


def lied(path: Path, sizes: int) -> Path:
    """Let the list of members say that each is of another size."""
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into("<I", content, at + 24, sizes)
        at = content.find(b"PK\x01\x02", at + 4)
    path.write_bytes(content)
    return path


BOMBS: dict[str, Callable[[Path], Path]] = {
    "zeros as weights": lambda f: archive(f / "m", members(f, weights=bytes(200_000_000)), zipfile.ZIP_DEFLATED),
    "zeros as configuration": lambda f: archive(f / "m", members(f, config=bytes(200_000_000)), zipfile.ZIP_DEFLATED),
    "spaces as configuration": lambda f: archive(f / "m", members(f, config=b" " * 200_000_000), zipfile.ZIP_DEFLATED),
    "sizes that are a lie": lambda f: lied(archive(f / "m", members(f), zipfile.ZIP_DEFLATED), 2**31),
    "sizes that are too small": lambda f: lied(archive(f / "m", members(f), zipfile.ZIP_DEFLATED), 3),
}


@pytest.mark.parametrize(
    ("bomb", "loading"),
    [(b, how) for b in BOMBS for how in LOADING if how == "load_model" or "configuration" not in b],
)
def test_bombs_are_refused_before_they_fill_the_memory(bomb: str, loading: str, tmp_path: Path) -> None:
    path = BOMBS[bomb](tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(FileError):
            LOADING[loading](path)
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("loading", LOADING.values(), ids=LOADING)
@pytest.mark.parametrize("name", ["../evil", "/evil", "C:/evil", "..\\evil", "assets/../../evil"])
def test_members_with_names_that_leave_the_folder_write_nothing(
    name: str, loading: Callable[[Path], Any], tmp_path: Path
) -> None:
    path = archive(tmp_path / "model.keras", {**members(tmp_path), name: b"planted"})
    before = {entry: entry.stat().st_mtime_ns for entry in tmp_path.parent.rglob("*")}
    with contextlib.suppress(FileError):
        loading(path)  # nothing of it is unpacked, so that it may be read as well as refused
    assert {entry: entry.stat().st_mtime_ns for entry in tmp_path.parent.rglob("*")} == before


@pytest.mark.parametrize("loading", LOADING.values(), ids=LOADING)
def test_an_archive_with_a_member_twice_is_refused(loading: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    archive(path, members(tmp_path))
    with zipfile.ZipFile(path, "a") as sink, pytest.warns(UserWarning, match="Duplicate name"):
        sink.writestr("config.json", "{}")
    with pytest.raises(FileError):
        loading(path)


@pytest.mark.parametrize("loading", LOADING.values(), ids=LOADING)
def test_a_flipped_bit_in_the_data_of_an_archive_is_seen(loading: Callable[[Path], Any], tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras", members(tmp_path))
    content = bytearray(path.read_bytes())
    content[content.index(KERNEL.tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileError):
        loading(path)


@pytest.mark.parametrize("loading", LOADING.values(), ids=LOADING)
def test_an_encrypted_archive_is_refused(loading: Callable[[Path], Any], tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras", members(tmp_path))
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = content.find(mark)
        while at >= 0:
            content[at + place] |= 1
            at = content.find(mark, at + 4)
    path.write_bytes(content)
    with pytest.raises(FileError):
        loading(path)


@pytest.mark.parametrize("loading", LOADING.values(), ids=LOADING)
def test_every_truncation_of_an_archive_is_told(loading: Callable[[Path], Any], tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as sink:
        for name, member in members(tmp_path).items():
            sink.writestr(name, member)
    path = tmp_path / "model.keras"
    for length in range(0, len(content.getvalue()), 700):
        path.write_bytes(content.getvalue()[:length])
        with pytest.raises(FileError):
            loading(path)


# --- files that h5py has open ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["file", "group", "in memory", "bytes", "behind a block"])
def test_a_file_that_h5py_has_open_is_read_from_its_bytes(form: str, tmp_path: Path) -> None:
    path, sink = tmp_path / "model.h5", io.BytesIO()
    options: dict[str, Any] = {"driver": "core", "backing_store": False} if form == "in memory" else {}
    options |= {"userblock_size": 512} if form == "behind a block" else {}
    with h5py.File(sink if form == "bytes" else path, "w", **options) as root:
        place = root.create_group("run/best") if form == "group" else root
        place.attrs["model_config"] = json.dumps(CONFIG)
        fill(place.create_group("model_weights"), {"d": {"d/kernel:0": KERNEL, "d/bias:0": BIAS}})
        assert same(tk.models.load_model(place, compile=False).get_weights(), [KERNEL, BIAS])


def test_a_hostile_file_that_h5py_has_open_is_refused(tmp_path: Path) -> None:
    with h5py.File(whole(tmp_path / "model.h5"), "a") as root:
        del root["model_weights/d/d/kernel:0"]
        root["model_weights/d/d/kernel:0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/kernel")
        with pytest.raises(FileError, match="an external link"):
            tk.models.load_model(root, compile=False)
