"""The package's own reader of HDF5 gives what h5py gives, for every form in which h5py writes, and refuses by name."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from torchkeras_compat.saving import hdf5
from torchkeras_compat.saving.hdf5_format import Dataset, Group, source

FORMS = ["earliest", "v108", "v110", "latest"]
NUMBERS = ["f2", "f4", "f8", ">f4", ">f8", "i1", "u1", "i2", "i4", "u4", "i8", ">i8", "?"]


def same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, h5py.Empty):
        assert ours is None
        return
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype or theirs.dtype.kind in "OU"
    assert np.array_equal(ours, theirs)


def compare(ours: Any, theirs: Any) -> int:
    """Hold a node and all below it against h5py's; return how many nodes were met."""
    assert sorted(ours.attrs) == sorted(theirs.attrs)
    for name in theirs.attrs:
        same(ours.attrs[name], theirs.attrs[name])
    if isinstance(theirs, h5py.Group):
        assert isinstance(ours, Group)
        assert ours.keys() == sorted(theirs)
        return 1 + sum(compare(ours[name], theirs[name]) for name in theirs)
    assert isinstance(ours, Dataset)
    assert (ours.name, ours.shape, ours.dtype) == (theirs.name, theirs.shape, theirs.dtype)
    if theirs.shape is not None:
        same(ours[()], theirs[()])
    return 1


def expect_equal(path: Path) -> int:
    with hdf5.reading(str(path), "test") as ours, h5py.File(path) as theirs:
        return compare(ours, theirs)


def fill(root: h5py.File, links: int) -> None:
    rng = np.random.default_rng(links)
    many = root.create_group("many")
    for i in range(links):
        many.create_group(f"layer_{i}_{'x' * int(rng.integers(0, 60))}")
    for i in range(min(links, 200)):
        many.attrs[f"attribute_{i}"] = rng.standard_normal(i % 7 + 1)
    for name in list(many)[::3]:
        del many[name]
    for dtype in NUMBERS:
        root.create_dataset(f"numbers/{dtype}", data=(rng.standard_normal((3, 4)) * 50).astype("i4").astype(dtype))
    root["scalar"], root["none"], root["nothing"] = 3.5, h5py.Empty("f4"), np.zeros((0, 3))
    root["texts"] = np.array(["a", "bcdé", ""], dtype=h5py.string_dtype())
    root["fixed"] = np.array([b"abc", b"x"], "S5")
    root["bfloat16"] = np.array([b"ab", b"cd"]).view("V2")
    root.attrs.update({"text": "é" * 3, "bytes": np.bytes_(b"abc"), "names": ["a", "bb", ""], "list": [], "yes": True})
    root.attrs.update({"fixed": np.array([b"a", b"bcd"]), "none": h5py.Empty("f8"), "long": "x" * 100_000})
    deep: Any = root
    for i in range(40):
        deep = deep.create_group(f"level_{i}")


@pytest.mark.parametrize("track_order", [False, True])
@pytest.mark.parametrize("links", [0, 3, 9, 200, 3000])
@pytest.mark.parametrize("form", FORMS)
def test_all_forms_of_files(tmp_path: Path, form: str, links: int, track_order: bool) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=form, track_order=track_order) as root:
        fill(root, links)
    assert expect_equal(path) > 60


@pytest.mark.parametrize("block", [512, 1024, 65536])
def test_a_block_of_the_users_own_stands_before(tmp_path: Path, block: int) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", userblock_size=block) as root:
        fill(root, 9)
    assert expect_equal(path) > 60


@pytest.mark.parametrize(
    "options",
    [
        {"chunks": (5, 7)},
        {"chunks": (5, 7), "compression": "gzip"},
        {"chunks": (3, 3), "compression": "gzip", "shuffle": True},
        {"chunks": (23, 31), "shuffle": True},
        {"chunks": (2, 1), "maxshape": (None, None)},
        {"compression": "gzip"},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["f4", "i8", "u1"])
def test_chunks(tmp_path: Path, options: dict[str, Any], dtype: str) -> None:
    path = tmp_path / "file.h5"
    values = (np.random.default_rng(0).standard_normal((23, 31)) * 9).astype(dtype)
    with h5py.File(path, "w") as root:
        root.create_dataset("values", data=values, **options)
        root.create_dataset("unwritten", (10, 10), dtype, chunks=(3, 3))
    expect_equal(path)


def test_data_in_the_header(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as root:
        options = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        options.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((2, 3))
        data = h5py.h5d.create(root.id, b"values", h5py.h5t.IEEE_F32LE, space, options)
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(6, dtype="f4"))
    expect_equal(path)


def test_one_object_under_two_names(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as root:
        root["first/values"] = np.arange(3)
        root["second"] = root["first"]
    expect_equal(path)


def test_part_of_an_open_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "file.h5", "w") as root:
        root["values"] = np.arange(3)
    content = (tmp_path / "file.h5").read_bytes()
    around = io.BytesIO(b"x" * 100 + content + b"y" * 100)
    with hdf5.reading(around, "test", 100, len(content)) as root:
        assert list(root["values"][()]) == [0, 1, 2]


REFUSED: list[tuple[str, Callable[[h5py.File], None], str]] = [
    ("lzf", lambda f: f.create_dataset("x", data=np.zeros(9), compression="lzf"), "compressed by lzf"),
    ("fletcher", lambda f: f.create_dataset("x", data=np.zeros(9), fletcher32=True), "compressed by checksums"),
    ("complex", lambda f: f.create_dataset("x", data=np.zeros(3, "c8")), "complex"),
    ("records", lambda f: f.create_dataset("x", data=np.zeros(3, "i4,f4")), "records"),
    ("arrays", lambda f: f.create_dataset("x", data=np.zeros(3, [("a", "f4", (2,))])), "records"),
    ("ragged", lambda f: f.create_dataset("x", (3,), h5py.vlen_dtype("f4")), "lists of any length"),
    ("reference", lambda f: f.create_dataset("x", data=f.ref, dtype=h5py.ref_dtype), "references"),
    ("region", lambda f: f.create_dataset("x", (1,), h5py.regionref_dtype), "references"),
    ("never written", lambda f: f.create_dataset("x", (3,), "f4"), "has no data"),
]


@pytest.mark.parametrize(("make", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_files_of_models_do_not_have_is_refused_by_name(
    tmp_path: Path, make: Callable[[h5py.File], None], message: str
) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as root:
        make(root)
    with pytest.raises(hdf5.FileError, match=message), hdf5.reading(str(path), "test") as ours:
        ours["x"][()]


def test_references_in_attributes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as root:
        root.attrs["object"] = root.ref
        root["x"] = np.arange(4)
        root.attrs["region"] = root["x"].regionref[1:3]
        root.attrs["text"] = "fine"
    with hdf5.reading(str(path), "test") as ours:
        assert ours.attrs["text"] == "fine"
    for name in ("object", "region"):
        refused = pytest.raises(hdf5.FileError, match=f"attribute '{name}' of '/': references")
        with refused, hdf5.reading(str(path), "test") as ours:
            ours.attrs[name]


@pytest.mark.parametrize("form", ["v110", "latest"])
def test_newer_indexes_of_chunks_are_refused_with_what_to_do(tmp_path: Path, form: str) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=form) as root:
        root.create_dataset("x", data=np.zeros((9, 9)), chunks=(3, 3))
    with pytest.raises(hdf5.FileError, match="h5repack -l CONTI"), hdf5.reading(str(path), "test") as ours:
        ours["x"][()]


# --- damage ----------------------------------------------------------------------------------------------------------


def damaged(path: Path, old: bytes, new: bytes, nth: int = 0) -> None:
    content = path.read_bytes()
    at = -1
    for _ in range(nth + 1):
        at = content.index(old, at + 1)
    path.write_bytes(content[:at] + new + content[at + len(old) :])


def read_all(node: Any) -> None:
    dict(node.attrs)
    if isinstance(node, Dataset):
        node[()]
        return
    for child in node.values():
        read_all(child)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.h5"
    with h5py.File(path, "w") as root:
        for i in range(300):  # a tree of two levels
            root[f"group_{i}"] = np.arange(3)
        root.attrs["names"] = ["a", "b"]
    return path


def test_a_tree_that_leads_back_to_itself_ends(sound: Path) -> None:
    content = bytearray(sound.read_bytes())
    nodes = [i for i in range(len(content)) if content[i : i + 4] == b"TREE"]
    root = next(at for at in nodes if content[at + 5])  # a level above the leaves
    struct.pack_into("<Q", content, root + 24 + 8, root)
    sound.write_bytes(content)
    started = time.monotonic()
    with pytest.raises(hdf5.FileError, match="stands in a circle"), hdf5.reading(str(sound), "test") as ours:
        ours.keys()
    assert time.monotonic() - started < 2


def test_a_header_that_goes_on_in_itself_ends(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as root:
        for i in range(40):
            root.attrs[f"attribute_{i}"] = np.zeros(20)
    content = bytearray(path.read_bytes())
    at = content.index(struct.pack("<HHB3x", 0x10, 16, 0))
    (start,) = struct.unpack_from("<Q", content, at + 8)
    content[start : start + 24] = struct.pack("<HHB3xQQ", 0x10, 16, 0, start, 24)
    path.write_bytes(content)
    with pytest.raises(hdf5.FileError, match="corrupt"), hdf5.reading(str(path), "test") as ours:
        dict(ours.attrs)


@pytest.mark.parametrize("names", [["again"], ["again", "and again"]])
def test_a_walk_through_a_group_that_holds_itself_ends(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as root:
        for name in names:
            root[name] = root["/"]
    with hdf5.reading(str(path), "test") as ours:
        assert isinstance(ours["/".join(["again"] * 100)], Group)
    refused = pytest.raises(hdf5.FileError, match=r"more than 200 deep|without end")
    with refused, hdf5.reading(str(path), "test") as ours:
        read_all(ours)


def test_texts_that_repeat_one_long_text_without_end_are_stopped(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as root:
        root.attrs["names"] = ["x" * 1_000_000, *["y"] * 3999]
    content = bytearray(path.read_bytes())
    at = content.index(struct.pack("<I", 1_000_000) + b"", 0)
    reference = content[at : at + 16]
    for i in range(4000):
        content[at + 16 * i : at + 16 * i + 16] = reference
    path.write_bytes(content)
    with pytest.raises(hdf5.FileError, match="without end"), hdf5.reading(str(path), "test") as ours:
        ours.attrs["names"]


def test_chunks_that_unpack_without_end_are_stopped(tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as root:
        root.create_dataset("x", data=np.zeros(8_000_000), chunks=(8_000_000,), compression="gzip")
    with pytest.raises(hdf5.FileError, match="would have 64000000 bytes"), hdf5.reading(str(path), "test") as ours:
        ours["x"][()]


@pytest.mark.parametrize("extent", [10**12, 2**62, 2**64 - 1])
def test_a_huge_shape_allocates_nothing(tmp_path: Path, extent: int) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as root:
        root["x"] = np.zeros(777)
    damaged(path, struct.pack("<Q", 777), struct.pack("<Q", extent))
    with pytest.raises(hdf5.FileError, match="would lie at byte"), hdf5.reading(str(path), "test") as ours:
        ours["x"][()]


@pytest.mark.parametrize("form", ["earliest", "latest"])
def test_every_bit_of_a_small_file_may_be_wrong(tmp_path: Path, form: str) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=form) as root:
        group = root.create_group("layer")
        group.attrs["weight_names"] = ["kernel", "bias"]
        group["kernel"] = np.ones(2, "f4")
    content = bytearray(path.read_bytes())
    marks = [i for i in range(len(content)) if content[i]]
    refused = 0
    for at in marks:
        for bit in (0, 3, 7):
            content[at] ^= 1 << bit
            try:
                with hdf5.reading(io.BytesIO(content), "test") as ours:
                    read_all(ours)
            except hdf5.FileError:
                refused += 1
            content[at] ^= 1 << bit
    assert refused > len(marks) / 2


def test_the_checksum_is_lookup3() -> None:
    # Bob Jenkins, lookup3.c (2006), driver5: hashlittle with a first value of 0.
    assert source.lookup3(b"") == 0xDEADBEEF
    assert source.lookup3(b"Four score and seven years ago") == 0x17770551
