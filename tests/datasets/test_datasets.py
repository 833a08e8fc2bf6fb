"""The loaders on small files built here, in the formats of the originals; Keras's rules in plain Python beside them."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import resource
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torchkeras_compat._core import settings
from torchkeras_compat.datasets import (
    _files,
    _pickles,
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)
from torchkeras_compat.utils.files import FOLDER_VARIABLE, DownloadError

RNG = np.random.RandomState(0)
# Samples of real data: where the variable says, or in a folder `shared` beside the checkout.
SAMPLES = Path(os.environ.get(FOLDER_VARIABLE) or Path(__file__).resolve().parents[3] / "shared" / "data" / "datasets")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path


def texts(n: int) -> np.ndarray:
    rows = np.empty(n, dtype=object)
    rows[:] = [RNG.randint(1, 50, RNG.randint(2, 12)).tolist() for _ in range(n)]
    return rows


def by_keras(
    x: Any, y: Any, order: Any, num_words: Any, skip_top: int, maxlen: Any, start: Any, oov: Any, shift: int, limit: Any
) -> tuple[list[list[int]], list[int]]:
    rows = [([] if start is None else [start]) + [w + shift for w in x[i]] for i in order]
    pairs = [(row, int(y[i])) for row, i in zip(rows, order) if not maxlen or len(row) < maxlen]
    top = num_words or limit
    out = []
    for row, _ in pairs:
        kept = [w if skip_top <= w < top else oov for w in row]
        out.append([w for w in kept if w is not None])
    return out, [label for _, label in pairs]


OPTIONS: list[dict[str, Any]] = [
    {"num_words": 20},
    {"num_words": 30, "skip_top": 5, "maxlen": 9, "seed": 4},
    {"num_words": 30, "oov_char": None, "start_char": None},
    {"num_words": 30, "start_char": 7, "oov_char": 8, "index_from": 0},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_imdb_follows_the_rules_of_keras(options: dict[str, Any], folder: Path) -> None:
    x, y = [texts(40), texts(30)], [RNG.randint(0, 2, 40), RNG.randint(0, 2, 30)]
    np.savez(folder / "imdb.npz", x_train=x[0], y_train=y[0], x_test=x[1], y_test=y[1])
    rng = np.random.RandomState(options.get("seed", 113))
    got = imdb.load_data(**options)
    for part in range(2):
        order = np.arange(len(x[part]))
        rng.shuffle(order)
        rows, labels = by_keras(
            x[part],
            y[part],
            order,
            options.get("num_words"),
            options.get("skip_top", 0),
            options.get("maxlen"),
            options.get("start_char", 1),
            options.get("oov_char", 2),
            options.get("index_from", 3),
            None,
        )
        assert got[part][0].dtype == object
        assert got[part][0].tolist() == rows
        assert got[part][1].tolist() == labels


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("test_split", [0.2, 0.35])
def test_reuters_follows_the_rules_of_keras(options: dict[str, Any], test_split: float, folder: Path) -> None:
    x, y = texts(50), RNG.randint(0, 46, 50)
    np.savez(folder / "reuters.npz", x=x, y=y)
    order = np.arange(50)
    np.random.RandomState(options.get("seed", 113)).shuffle(order)
    (x_train, y_train), (x_test, y_test) = reuters.load_data(test_split=test_split, **options)
    rows, labels = by_keras(
        x,
        y,
        order,
        options.get("num_words"),
        options.get("skip_top", 0),
        options.get("maxlen"),
        options.get("start_char", 1),
        options.get("oov_char", 2),
        options.get("index_from", 3),
        None,
    )
    assert [*x_train, *x_test] == rows
    assert [*y_train, *y_test] == labels
    assert len(x_train) == int(len(rows) * (1 - test_split))


def test_without_num_words_the_largest_index_is_replaced(folder: Path) -> None:
    rows = np.empty(2, dtype=object)
    rows[:] = [[1, 9], [2]]
    np.savez(folder / "reuters.npz", x=rows, y=[0, 1])
    (x_train, _), (x_test, _) = reuters.load_data(test_split=0.5)
    assert sorted([*x_train, *x_test]) == [[1, 4, 2], [1, 5]]


def test_maxlen_that_leaves_nothing_is_named(folder: Path) -> None:
    np.savez(folder / "reuters.npz", x=texts(5), y=np.zeros(5))
    with pytest.raises(ValueError, match=r"reuters.load_data\(maxlen=1\)"):
        reuters.load_data(maxlen=1)


@pytest.mark.parametrize("module", [imdb, reuters])
def test_word_index(module: Any, folder: Path) -> None:
    name = module.__name__.rsplit(".", 1)[-1]
    (folder / f"{name}_word_index.json").write_text(json.dumps({"the": 1, "caf\u00e9": 2}))
    assert module.get_word_index() == {"the": 1, "café": 2}
    (folder / f"{name}_word_index.json").write_text("{")
    with pytest.raises(_files.DatasetError, match="the file is damaged"):
        module.get_word_index()


def test_label_names() -> None:
    assert len(set(reuters.get_label_names())) == 46


def test_boston_housing_is_shuffled_and_split(folder: Path) -> None:
    x, y = RNG.rand(20, 13), RNG.rand(20)
    np.savez(folder / "boston_housing.npz", x=x, y=y)
    order = np.arange(20)
    np.random.RandomState(113).shuffle(order)
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data()
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), x[order])
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), y[order])
    assert len(x_train) == 16
    assert len(boston_housing.load_data(test_split=0)[1][0]) == 0
    with pytest.raises(ValueError, match=r"test_split must be a number in \[0, 1\)"):
        boston_housing.load_data(test_split=1)


# Of a table whose row i holds 8 i, …, 8 i + 7 and whose target is i: rows for training, for testing, first and last
# targets, as Keras 3.15 gives them.
CALIFORNIA: list[tuple[dict[str, Any], int, int, list[int], list[int]]] = [
    ({}, 800, 200, [641, 987, 187, 779, 848], [162, 732, 165]),
    ({"version": "small"}, 480, 120, [568, 505, 59, 71, 298], [586, 162, 165]),
    ({"test_split": 0.35, "seed": 7}, 650, 350, [778, 334, 271, 802, 216], [537, 196, 175]),
    ({"version": "small", "test_split": 0}, 600, 0, [568, 505, 59, 71, 298], []),
]


@pytest.mark.parametrize(("options", "train", "test", "first", "last"), CALIFORNIA)
def test_california_housing(
    options: dict[str, Any], train: int, test: int, first: list[int], last: list[int], folder: Path
) -> None:
    x, y = np.arange(8000.0).reshape(1000, 8), np.arange(1000.0)
    np.savez(folder / "california_housing.npz", x=x, y=y)
    (x_train, y_train), (x_test, y_test) = california_housing.load_data(**options)
    assert (x_train.shape, x_test.shape) == ((train, 8), (test, 8))
    assert (y_train[:5].tolist(), y_test[-3:].tolist()) == (first, last)
    np.testing.assert_array_equal(x_train[:, 0], 8 * y_train)
    np.testing.assert_array_equal(x_test[:, 7], 8 * y_test + 7)


def test_california_housing_refuses(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"version must be .*small.*large.*got 'medium'"):
        california_housing.load_data("medium")
    with pytest.raises(ValueError, match=r"test_split must be a number in \[0, 1\)"):
        california_housing.load_data(test_split=1)


def digits(folder: Path, n: int = 7) -> dict[str, np.ndarray]:
    arrays = {
        "x_train": RNG.randint(0, 256, (n, 28, 28)).astype("uint8"),
        "y_train": np.arange(n, dtype="uint8"),
        "x_test": np.asfortranarray(RNG.randint(0, 256, (2, 28, 28)).astype("uint8")),
        "y_test": np.arange(2, dtype="uint8"),
    }
    np.savez(folder / "mnist.npz", **arrays)
    return arrays


def test_mnist(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = digits(folder)
    for path in ("mnist.npz", str(folder / "mnist.npz")):
        (x_train, y_train), (x_test, y_test) = mnist.load_data(path)
        for got, name in ((x_train, "x_train"), (y_train, "y_train"), (x_test, "x_test"), (y_test, "y_test")):
            np.testing.assert_array_equal(got, arrays[name])
            assert got.flags.writeable
        monkeypatch.delenv(FOLDER_VARIABLE, raising=False)


def test_cache_of_keras_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setattr(mnist, "_HASH", None)
    cache = folder / "home" / "datasets"
    cache.mkdir(parents=True)
    digits(cache)
    assert len(mnist.load_data()[0][0]) == 7


def test_without_a_network_the_error_names_the_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "ORIGIN", "http://127.0.0.1:9/")
    with pytest.raises(
        DownloadError, match=rf"mnist.load_data: .* put mnist.npz into a folder and .*{FOLDER_VARIABLE}"
    ):
        mnist.load_data()


def idx(data: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, data.ndim]) + b"".join(n.to_bytes(4, "big") for n in data.shape)
    return gzip.compress(head + data.tobytes())


def test_fashion_mnist(folder: Path) -> None:
    place = folder / "fashion-mnist"
    place.mkdir()
    x, y = RNG.randint(0, 256, (5, 28, 28)).astype("uint8"), np.arange(5, dtype="uint8")
    for name, data in (
        ("train-images-idx3", x),
        ("train-labels-idx1", y),
        ("t10k-images-idx3", x[:2]),
        ("t10k-labels-idx1", y[:2]),
    ):
        (place / f"{name}-ubyte.gz").write_bytes(idx(data))
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    np.testing.assert_array_equal(x_train, x)
    np.testing.assert_array_equal(y_test, y[:2])
    assert (x_test.shape, y_train.dtype) == ((2, 28, 28), np.uint8)
    for bad, message in (
        (gzip.compress(b"\0\0\x08\x03" + (10**6).to_bytes(4, "big") * 3), "no|not one of bytes"),
        (gzip.compress(gzip.decompress(idx(x))[:-1]), "cut short"),
        (idx(x)[:-20], "damaged"),
        (b"<html>", "damaged"),
    ):
        (place / "train-images-idx3-ubyte.gz").write_bytes(bad)
        with pytest.raises(_files.DatasetError, match=message):
            fashion_mnist.load_data()


def batch(n: int, *keys: str) -> dict[bytes, Any]:
    data = RNG.randint(0, 256, (n, 3072)).astype("uint8")
    return {b"data": data, b"filenames": [b"", b"a"], **{key.encode(): RNG.randint(0, 10, n).tolist() for key in keys}}


def archive(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as out:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))


NAMES = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]


@pytest.mark.parametrize("form", ["archive", "folder"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_cifar10(form: str, protocol: int, folder: Path) -> None:
    batches = {name: batch(4 + i, "labels") for i, name in enumerate(NAMES)}
    stored = {f"cifar-10-batches-py/{name}": pickle.dumps(value, protocol) for name, value in batches.items()}
    if form == "archive":
        archive(folder / "cifar-10-batches-py.tar.gz", stored)
    else:
        (folder / "cifar-10-batches-py").mkdir()
        for name, data in stored.items():
            (folder / name).write_bytes(data)
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert (x_train.shape, y_train.shape) == ((30, 32, 32, 3), (30, 1))
    assert {a.dtype.name for a in (x_train, y_train, x_test, y_test)} == {"uint8"}
    first = batches["data_batch_1"]
    np.testing.assert_array_equal(x_train[:4], first[b"data"].reshape(4, 3, 32, 32).transpose(0, 2, 3, 1))
    assert y_train[:4, 0].tolist() == first[b"labels"]
    assert y_test[:, 0].tolist() == batches["test_batch"][b"labels"]
    settings.set_image_data_format("channels_first")
    np.testing.assert_array_equal(cifar10.load_data()[1][0], batches["test_batch"][b"data"].reshape(-1, 3, 32, 32))


def test_cifar100(folder: Path) -> None:
    batches = {name: batch(n, "fine_labels", "coarse_labels") for name, n in (("train", 6), ("test", 3))}
    archive(
        folder / "cifar-100-python.tar.gz", {f"cifar-100-python/{n}": pickle.dumps(b, 2) for n, b in batches.items()}
    )
    for mode in ("fine", "coarse"):
        (x_train, y_train), (x_test, y_test) = cifar100.load_data(mode)
        assert (x_train.shape, x_test.shape, y_test.shape) == ((6, 32, 32, 3), (3, 32, 32, 3), (3, 1))
        assert y_train[:, 0].tolist() == batches["train"][f"{mode}_labels".encode()]
    with pytest.raises(ValueError, match="label_mode must be one of 'fine', 'coarse'; got 'other'"):
        cifar100.load_data("other")


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("echo evil > evil",)


class Big:
    def __reduce__(self) -> Any:
        return np.ndarray, ((10**13,),)


class Bytes:
    def __reduce__(self) -> Any:
        return bytes, (10**13,)


@pytest.mark.parametrize("hostile", [Evil(), Big(), Bytes(), {b"labels": [Evil()]}, np.array([Evil()], dtype=object)])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_hostile_cifar_batch_is_refused(
    hostile: Any, protocol: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    stored = {name: pickle.dumps(batch(1, "labels"), 2) for name in NAMES}
    stored["data_batch_2"] = pickle.dumps(hostile, protocol)
    archive(folder / "cifar-10-batches-py.tar.gz", stored)
    with pytest.raises(_files.DatasetError, match="data_batch_2 cannot be read"):
        cifar10.load_data()
    assert not (folder / "evil").exists()


def test_cifar_archive_with_missing_or_odd_batches(folder: Path) -> None:
    path = folder / "cifar-10-batches-py.tar.gz"
    archive(path, {"cifar-10-batches-py/data_batch_1": b""})
    with pytest.raises(_files.DatasetError, match="the archive has no data_batch_2"):
        cifar10.load_data()
    archive(path, {name: pickle.dumps({b"data": [[1, 2]], b"labels": [0]}) for name in NAMES})
    with pytest.raises(_files.DatasetError, match="data_batch_1 is no batch of pictures with labels"):
        cifar10.load_data()
    path.write_bytes(b"<html>")
    with pytest.raises(_files.DatasetError, match="the file is damaged"):
        cifar10.load_data()


def npz(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(f"{name}.npy", data)


def npy(array: np.ndarray, shape: Any = None) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=True)
    data = out.getvalue()
    if shape is not None:
        old, new = str(array.shape).encode(), str(shape).encode()
        data = data.replace(old + b", }" + b" " * (len(new) - len(old)), new + b", }")
    return data


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (npy(np.array([Evil()], dtype=object)), "system', which is no array"),
        (npy(np.zeros(3), shape=(10**12,)), "needs 8000000000000 bytes"),
        (npy(np.zeros(3))[:-4], "cut short"),
        (npy(np.array([[1]], dtype=object), shape=(10**9, 10**9)), "was promised"),
        (b"\x93NUMPY\x07\x00", "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_hostile_npz_is_refused(member: bytes, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    npz(folder / "reuters.npz", x=member, y=npy(np.zeros(1)))
    with pytest.raises(_files.DatasetError, match=message):
        reuters.load_data()
    assert not (folder / "evil").exists()


class State:
    """Pickled as an array, or its type, whose state is another; numpy's own reading ends the process over some."""

    def __init__(self, name: str, arguments: tuple[Any, ...], state: Any) -> None:
        self.parts = (getattr(np, name) if name == "dtype" else np._core.multiarray._reconstruct, arguments, state)

    def __reduce__(self) -> Any:
        return self.parts


def array_with(*state: Any) -> State:
    return State("array", (np.ndarray, (0,), b"b"), state)


OBJECTS, NUMBERS = np.dtype("O"), np.dtype("<i8")
STATES: dict[str, State] = {
    "too few objects": array_with(1, (3,), OBJECTS, False, [1]),
    "too many objects": array_with(1, (1,), OBJECTS, False, [1] * 9),
    "bytes for objects": array_with(1, (1,), OBJECTS, False, bytes(8)),
    "objects for numbers": array_with(1, (1,), NUMBERS, False, [1]),
    "too few bytes": array_with(1, (3,), NUMBERS, False, bytes(8)),
    "a huge shape": array_with(1, (2**40, 2**40), NUMBERS, False, bytes(8)),
    "a negative shape": array_with(1, (-1,), NUMBERS, False, bytes(8)),
    "a shape of texts": array_with(1, ("3",), NUMBERS, False, bytes(8)),
    "no type": array_with(1, (1,), None, False, bytes(8)),
    "a short state": array_with(1, (1,)),
    "no state": array_with(),
    "a type of fields": State("dtype", ("V8",), (3, "|", None, ("a",), {"a": (NUMBERS, 0)}, 8, 1, 0)),
    "a type with a part": State("dtype", ("i8",), (3, "<", (NUMBERS, 5), None, None, -1, -1, 0)),
    "a type of an odd order": State("dtype", ("i8",), (3, "?", None, None, None, -1, -1, 0)),
    "a type of a short state": State("dtype", ("i8",), (3,)),
    "a type of no name": State("dtype", ("i8, f4",), (3, "<", None, None, None, -1, -1, 0)),
    "a type of dates": State("dtype", ("M8[s]",), (4, "<", None, None, None, -1, -1, 0)),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_arrays_of_a_damaged_state_are_refused(state: State, protocol: int) -> None:
    with pytest.raises(_files.DatasetError, match="batch cannot be read"):
        _files.unpickle_bytes("path", "batch", pickle.dumps(state, protocol))


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "<i4", ">i8", "f2", "f4", ">f8", "S3", "U2", "O"])
def test_sound_arrays_in_pickles_are_numpys(dtype: str, protocol: int) -> None:
    array = np.array([[1, 0], [2, 3]]).astype(dtype)
    for sound in (array, np.asfortranarray(array), array[:0], array.reshape(-1)[0]):
        text = pickle.dumps(sound, protocol)
        ours, theirs = _pickles.unpickle(text), pickle.loads(text)
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02]r\xff\xff\xff\x7f.",  # a number to remember a list by, for which Python makes room
        b"\x80\x02]r\xff\xff\xff\x03.",
        b"]p99999999\n.",
        b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + b"x.",
        b"\x80\x04\x8d" + (2**62).to_bytes(8, "little") + b"x.",
        b"\x80\x04\x95" + (2**50).to_bytes(8, "little") + b".",
        b"\x80\x02X\xff\xff\xff\x7fx.",
        b"\x80\x02]\xff.",
        b"\x80\x02]",
        b"",
    ],
)
def test_pickles_that_ask_for_memory_are_refused(data: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(_files.DatasetError, match="batch cannot be read"):
        _files.unpickle_bytes("path", "batch", data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


@pytest.mark.parametrize("protocol", range(5))
def test_pickles_of_any_plain_values_are_read(protocol: int) -> None:
    values: list[Any] = [None, True, 1, -1, 255, 256, 70000, 2**31, -(2**70), 1.5, "a", (), []]
    values += ["é" * 300, b"b", b"b" * 300]
    values += [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {"a": [1]}, {3: {4: 5}}, [[i] for i in range(700)]]
    values.append(values[-1])  # one value twice
    assert _pickles.unpickle(pickle.dumps(values, protocol)) == values


def test_npz_bomb_and_broken_files_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "MAX_BYTES", 10_000)
    npz(folder / "reuters.npz", x=npy(np.zeros(10_000)), y=npy(np.zeros(1)))
    with pytest.raises(_files.DatasetError, match=r"larger than datasets\._files\.MAX_BYTES"):
        reuters.load_data()
    monkeypatch.setattr(_files, "MAX_BYTES", 2**32)
    npz(folder / "reuters.npz", x=npy(np.zeros(9_000_000)), y=npy(np.zeros(1)))
    with pytest.raises(_files.DatasetError, match=r"unpacks from [\d,]+ to 72,000,128 bytes; .*MAX_EXPANSION"):
        reuters.load_data()
    npz(folder / "reuters.npz", x=npy(np.zeros(10)))
    with pytest.raises(_files.DatasetError, match="has no array 'y'; it has x"):
        reuters.load_data()
    (folder / "reuters.npz").write_bytes((folder / "reuters.npz").read_bytes()[:60])
    with pytest.raises(_files.DatasetError, match="the file is damaged"):
        reuters.load_data()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no samples of real data: set {FOLDER_VARIABLE}")
def test_real_samples_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(SAMPLES))
    (x, y), (x_test, _) = mnist.load_data()
    assert x.shape[1:] == (28, 28)
    assert len(x) == len(y) > len(x_test) > 0
    (x, y), _ = cifar10.load_data()
    assert x.shape[1:] == (32, 32, 3)
    assert set(y[:, 0].tolist()) == set(range(10))
    for module in (imdb, reuters):
        (x, y), _ = module.load_data(num_words=100)
        assert max(map(max, x)) < 100
        assert min(module.get_word_index().values()) >= 1
    assert boston_housing.load_data()[0][0].shape[1] == 13


def test_imdb_is_split_as_told(folder: Path) -> None:
    """Up to Keras 1.0 the file had no halves: a fraction of all reviews is for testing, whatever their labels."""
    rows, labels = texts(60), np.repeat([0, 1], 30)
    np.savez(folder / "imdb.npz", x_train=rows[:40], y_train=labels[:40], x_test=rows[40:], y_test=labels[40:])
    (x_train, y_train), (x_test, y_test) = imdb.load_data(test_split=0.25, start_char=None, index_from=0, oov_char=None)
    assert (len(x_train), len(x_test)) == (45, 15)
    assert {0, 1} == set(y_train) == set(y_test)
    rarest = max(max(row) for row in rows)
    expected = sorted(([w for w in row if w < rarest], label) for row, label in zip(rows.tolist(), labels.tolist()))
    loaded = [*zip(x_train.tolist(), y_train.tolist()), *zip(x_test.tolist(), y_test.tolist())]
    assert sorted((list(row), label) for row, label in loaded) == expected
    with pytest.raises(ValueError, match="test_split"):
        imdb.load_data(test_split=2)
