"""California housing: eight facts about a block group of the census of 1990, and the median value of a house there."""

from __future__ import annotations

from .._core.errors import choice, fraction
from . import _files
from ._tables import Pair, split_rows

_HASH = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
_OWNER = "california_housing.load_data"
_SMALL = 600  # rows of the small version, about as many as Boston's table has


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Pair, Pair]:
    """Load the table as `(x_train, y_train), (x_test, y_test)`; Keras has it since its third version.

    The columns are the median income, the median age of the houses, rooms and bedrooms per household, the population,
    people per household, latitude and longitude.

    Args:
        version: `'large'` for all 20,640 rows, `'small'` for the first 600.
        path: Name in the cache (`~/.keras/datasets`), or the path of a file of your own.
        test_split: Fraction of the rows that are for testing.
        seed: Seed of the order.

    Shape:
        x `(n, 8)`; y `(n,)`, in dollars.

    Raises:
        ValueError: Another `version`, or a `test_split` outside [0, 1).
        DownloadError: The file is not there and cannot be loaded.
        DatasetError: The file is damaged.
    """
    version = choice(_OWNER, "version", version, ("small", "large"))
    test_split = fraction(_OWNER, "test_split", test_split, one_allowed=False)
    x, y = _files.read_npz(_files.locate(_OWNER, path, _files.ORIGIN + "california_housing.npz", _HASH), ("x", "y"))
    rows = _SMALL if version == "small" else len(x)
    return split_rows(x[:rows], y[:rows], test_split, seed)
