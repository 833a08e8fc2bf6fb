"""`HDF5Matrix`: Keras 2.3.1's rules for what is read of a file, and the files it reads."""

from __future__ import annotations

import importlib
import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from torchkeras_compat import compat
from torchkeras_compat.utils import HDF5Matrix
from torchkeras_compat.utils.hdf5_matrix import rows_at

ROWS = np.arange(40, dtype="float32").reshape(10, 4)


@pytest.fixture
def path(tmp_path: Path) -> str:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["inside/y"], file["one"] = ROWS, np.arange(10), 3
    return str(tmp_path / "data.h5")


def test_it_is_like_an_array(path: str) -> None:
    x = HDF5Matrix(path, "x", start=2, end=9)
    assert (len(x), x.shape, x.ndim, x.size, x.dtype) == (7, (7, 4), 2, 28, np.dtype("float32"))
    np.testing.assert_array_equal(np.asarray(x), ROWS[2:9])
    np.testing.assert_array_equal(list(x), ROWS[2:9])  # an IndexError ends the loop
    assert HDF5Matrix(path, "inside/y").shape == (10,)
    assert HDF5Matrix(Path(path), "x").shape == (10, 4)


@pytest.mark.parametrize(
    "key",
    [
        *(
            slice(None),
            slice(2, 5),
            slice(5),
            slice(3, None),
            slice(0, 7),
            slice(-3, None),
            slice(6, 2),
            slice(1, 7, 2),
        ),
        *(0, 6, -1, np.int64(3)),
        *([0, 3, 5], [5, 0, 3], [2, 2, 1], np.array([6, 1]), [-1, 0], (1, 2), np.arange(7) % 2 == 0),
    ],
    ids=str,
)
def test_what_is_read(key: Any, path: str) -> None:
    own = list(key) if isinstance(key, tuple) else key
    np.testing.assert_array_equal(HDF5Matrix(path, "x", 2, 9)[key], ROWS[2:9][own])
    doubled = HDF5Matrix(path, "x", 2, 9, normalizer=lambda rows: rows * 2)
    np.testing.assert_array_equal(doubled[key], 2 * ROWS[2:9][own])


@pytest.mark.parametrize("key", [slice(0, 8), slice(3, 100), 7, [0, 7], np.array([7, 0]), -8], ids=str)
def test_beyond_the_end(key: Any, path: str) -> None:
    """Keras raises for slices too, where numpy would cut them."""
    with pytest.raises(IndexError, match="there are 7 rows"):
        HDF5Matrix(path, "x", 2, 9)[key]


def test_a_normalizer_says_shape_and_type(path: str) -> None:
    y = HDF5Matrix(path, "inside/y", normalizer=lambda rows: np.eye(10)[rows])
    assert (y.shape, y.dtype, y.ndim) == ((10, 10), np.dtype("float64"), 2)
    np.testing.assert_array_equal(y[2:4], np.eye(10)[2:4])


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("z",), KeyError, "has no rows of this name; known are: inside/y, one, x"),
        (("inside",), KeyError, "has no rows of this name"),
        (("one",), KeyError, "has no rows of this name"),
        (("x", 3, 11), ValueError, "has the rows 0 to 10"),
        (("x", -1), ValueError, "has the rows 0 to 10"),
        (("x", 5, 5), ValueError, "has the rows 0 to 10"),
    ],
)
def test_refused(arguments: Any, error: type[Exception], text: str, path: str) -> None:
    with pytest.raises(error, match=text):
        HDF5Matrix(path, *arguments)


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({}, ROWS),
        ({}, ROWS.astype(">f8")),
        ({}, ROWS > 7),
        ({}, ROWS.astype("uint8")),
        ({}, ROWS * 1j),
        ({}, ROWS[:, 0]),
        ({"chunks": (3, 4), "compression": "gzip"}, ROWS),
        ({"dtype": "float32", "shape": (10, 4)}, np.zeros((10, 4), "float32")),  # nobody has written it
    ],
)
@pytest.mark.parametrize("userblock", [0, 512])
def test_however_it_stands_in_the_file(options: Any, values: Any, userblock: int, tmp_path: Path) -> None:
    path = tmp_path / "kinds.h5"
    with h5py.File(path, "w", userblock_size=userblock) as file:
        file.create_dataset("x", **({"data": values} | options if "shape" not in options else options))
    x = HDF5Matrix(path, "x")
    numbers = [7, 0, 1, 2, 2, 9]
    np.testing.assert_array_equal(x[numbers], values[numbers])
    assert x[numbers].dtype == values.dtype


def test_a_file_that_ends_too_early(path: str) -> None:
    x = HDF5Matrix(path, "x")
    offset = x.data.id.get_offset()
    Path(path).write_bytes(Path(path).read_bytes()[: offset + 64])
    with pytest.raises(OSError, match="ends within the data set"):
        x[[9, 0]]


def test_what_is_being_written_is_read_by_h5py(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "written.h5", "w") as file:
        data = file.create_dataset("x", data=np.zeros((10, 4), "float32"))
        data[:] = ROWS
        np.testing.assert_array_equal(rows_at(data, np.array([9, 0])), ROWS[[9, 0]])


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        HDF5Matrix(tmp_path / "nothing.h5", "x")


def test_pickled(path: str) -> None:
    again = pickle.loads(pickle.dumps(HDF5Matrix(path, "x", 2, 9)))
    np.testing.assert_array_equal(again[:], ROWS[2:9])


def test_where_it_was() -> None:
    compat.install()
    try:
        for module in ("keras.utils.io_utils", "keras.utils", "tensorflow.keras.utils"):
            assert importlib.import_module(module).HDF5Matrix is HDF5Matrix
    finally:
        compat.uninstall()
