"""Sparse matrices of scipy, which become dense a few batches at a time."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


class SparseRows:
    """A sparse matrix whose rows are samples; it has what `fit` asks of an array, and is never dense as a whole.

    Args:
        matrix: A matrix or array of scipy in any of its formats.
    """

    ndim = 2

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix.tocsr()
        self.shape: tuple[int, ...] = tuple(matrix.shape)
        self.dtype: np.dtype[Any] = matrix.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> SparseRows:
        return SparseRows(self.matrix[rows])

    def dense(self) -> np.ndarray[Any, Any]:
        """Return the rows as an array."""
        array: np.ndarray[Any, Any] = self.matrix.toarray()
        return array

    def stored(self) -> np.ndarray[Any, Any]:
        """Return the values that are stored: all but the zeros."""
        values: np.ndarray[Any, Any] = self.matrix.data
        return values


def is_sparse(value: Any) -> bool:
    """Tell whether a value is a sparse matrix; nobody has one who has not imported scipy."""
    scipy_sparse = sys.modules.get("scipy.sparse")
    return scipy_sparse is not None and bool(scipy_sparse.issparse(value))
