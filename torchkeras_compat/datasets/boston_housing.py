"""Boston housing: thirteen facts about a district, and the price of a house there."""

from __future__ import annotations

from .._core.errors import fraction
from . import _files
from ._tables import Pair, split_rows

_HASH = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
_OWNER = "boston_housing.load_data"


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> tuple[Pair, Pair]:
    """Load the table as `(x_train, y_train), (x_test, y_test)`.

    One of its columns was built on a racist assumption; the table is here for the tutorials that use it.

    Args:
        path: Name in the cache (`~/.keras/datasets`), or the path of a file of your own.
        test_split: Fraction of the rows that are for testing.
        seed: Seed of the order.

    Shape:
        x `(n, 13)`; y `(n,)`, in thousands of dollars.

    Raises:
        ValueError: A `test_split` outside [0, 1).
        DownloadError: The file is not there and cannot be loaded.
        DatasetError: The file is damaged.
    """
    test_split = fraction(_OWNER, "test_split", test_split, one_allowed=False)
    x, y = _files.read_npz(_files.locate(_OWNER, path, _files.ORIGIN + "boston_housing.npz", _HASH), ("x", "y"))
    return split_rows(x, y, test_split, seed)
