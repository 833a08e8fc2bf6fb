"""Tables of pandas as arrays, column by column where their types differ."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .encoding import no_number_columns, no_numbers


def is_frame(value: Any) -> bool:
    """Tell whether a value is a frame, a column or what stands in one; nobody has one who has not imported pandas."""
    pandas = sys.modules.get("pandas")
    kinds = (
        () if pandas is None else (pandas.DataFrame, pandas.Series, pandas.Index, pandas.api.extensions.ExtensionArray)
    )
    return isinstance(value, kinds)


def numbers(value: Any, argument: str) -> np.ndarray[Any, Any]:
    """Return a frame or a series as an array of numbers.

    Booleans beside floats, pandas's own types with missing values and categories that are numbers count as numbers.

    Raises:
        TypeError: Columns that hold something else, by name.
    """
    array: np.ndarray[Any, Any] = np.asarray(value)
    if array.dtype.kind in "biufc":
        return array
    if value.ndim == 1:
        value = sys.modules["pandas"].Series(value)
        array = _column(value)
        if array.dtype.kind not in "biufc":
            raise no_numbers(argument, array, value.name)
        return array
    columns = [_column(value.iloc[:, i]) for i in range(value.shape[1])]
    others = [(name, c) for name, c in zip(value.columns, columns) if c.dtype.kind not in "biufc"]
    if others:
        raise no_number_columns(argument, others)
    return np.column_stack(columns)


def _column(series: Any) -> np.ndarray[Any, Any]:
    types: Any = sys.modules["pandas"].api.types
    if types.is_numeric_dtype(series.dtype) and series.hasnans:  # pandas's own NA has no place in an array of numbers
        array: np.ndarray[Any, Any] = series.to_numpy(dtype="float64", na_value=np.nan)
        return array
    array = np.asarray(series)
    if types.is_numeric_dtype(series.dtype) and array.dtype.kind == "O":
        array = series.to_numpy(dtype="bool" if types.is_bool_dtype(series.dtype) else "float64")
    return array
