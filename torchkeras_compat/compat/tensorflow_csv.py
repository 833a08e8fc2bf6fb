"""Data sets of CSV files: `CsvDataset` and `make_csv_dataset` of `tf.data.experimental`."""

from __future__ import annotations

import csv
import glob
import gzip
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core import settings
from .._core.strings import StringTensor, StringType, is_string_type
from ..utils.dataset import Dataset, sized_dataset
from ..utils.dataset_trees import UNKNOWN, Stops
from .tensorflow_calls import tensor
from .tensorflow_files import as_column
from .tensorflow_strings import strings

_ROWS_FOR_NAMES_AND_TYPES = 100
# The types that a column may have, from the strictest one on.
_KINDS: tuple[torch.dtype, ...] = (torch.int32, torch.int64, torch.float32, torch.float64)


@dataclass(frozen=True)
class _Format:
    """How a file is written."""

    delimiter: str
    quoted: bool
    compression: str
    header: bool
    encoding: str = "utf-8"

    def rows(self, path: str) -> Iterator[list[str]]:
        """Yield the fields of each line behind the header."""
        opened: Any = gzip.open if self.compression == "GZIP" else open
        quoting: Any = csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE
        with opened(path, "rt", encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter, quoting=quoting)
            if self.header:
                next(reader, None)
            yield from (row for row in reader if row)


def _default(column: Any) -> Tensor:
    """Return what stands for an empty field; an empty tensor of its type where nothing does."""
    if is_string_type(column):
        return StringTensor.of(np.empty(0, dtype=object))
    if isinstance(column, (torch.dtype, str)) and str(column).removeprefix("torch.") in settings.DTYPES:
        return torch.empty(0, dtype=settings.torch_dtype(column))
    made: Tensor = tensor(column)
    return made


def _columns(path: str, rows: list[list[str]], defaults: Sequence[Tensor], chosen: Any, empty: str) -> list[Tensor]:
    places = range(len(defaults)) if chosen is None else chosen
    if chosen is None and (wrong := next((row for row in rows if len(row) != len(defaults)), None)):
        raise ValueError(
            f"CsvDataset: {len(defaults)} fields are expected in {path}; a line has {len(wrong)}: {wrong}."
        )
    if wrong := next((row for row in rows if len(row) <= max(places)), None):
        raise ValueError(f"CsvDataset: a line of {path} has {len(wrong)} fields alone: {wrong}.")
    return [
        as_column("CsvDataset", j, [row[j] for row in rows], default, empty) for j, default in zip(places, defaults)
    ]


def _readable(path: str, rows: list[list[str]], defaults: Sequence[Tensor], chosen: Any, empty: str) -> Iterator[Any]:
    """Yield the lines that can be read."""
    for row in rows:
        try:
            _columns(path, [row], defaults, chosen, empty)
        except ValueError:
            continue
        yield row


def csv_dataset(
    filenames: Any,
    record_defaults: Sequence[Any],
    compression_type: str | None = None,
    buffer_size: int | None = None,
    header: bool = False,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    select_cols: Sequence[int] | None = None,
    exclude_cols: Sequence[int] | None = None,
    ignore_errors: bool = False,
) -> Dataset:
    """Return the lines of CSV files as tuples of values.

    Args:
        filenames: A path or several.
        record_defaults: For each column its type, or what stands for an empty field.
        compression_type: `'GZIP'` or `None`.
        buffer_size: Accepted.
        header: Whether the first line of a file is left out.
        field_delim: What stands between fields.
        use_quote_delim: Whether fields may be quoted.
        na_value: What counts as empty besides.
        select_cols: The columns to read; all if `None`.
        exclude_cols: The columns not to read.
        ignore_errors: Whether lines that cannot be read are left out.

    Raises:
        ValueError: A line that does not fit, or both choices of columns.
    """
    if select_cols is not None and exclude_cols is not None:
        raise ValueError("CsvDataset: give select_cols or exclude_cols, one of the two.")
    written = _Format(field_delim, use_quote_delim, str(compression_type or ""), header)
    defaults = [_default(column) for column in record_defaults]

    def elements(stops: Stops) -> Iterator[Any]:
        for path in np.ravel(np.asarray(strings(filenames), dtype=object)):
            name = os.fsdecode(path)
            rows = list(written.rows(name))
            if not rows:
                continue
            chosen = select_cols
            if exclude_cols is not None:
                chosen = [j for j in range(len(rows[0])) if j not in exclude_cols]
            if ignore_errors:
                rows = list(_readable(name, rows, defaults, chosen, na_value))
            yield from zip(*_columns(name, rows, defaults, chosen, na_value))

    return sized_dataset(elements, UNKNOWN)


def _kind(fields: Sequence[str], empty: str) -> Any:
    """Return the strictest type that holds all fields of a column."""
    told = [field for field in fields if field not in ("", empty)]
    return next((kind for kind in _KINDS if told and all(_holds(kind, field) for field in told)), StringType())


def _holds(kind: torch.dtype, field: str) -> bool:
    limits = torch.finfo(kind) if kind.is_floating_point else torch.iinfo(kind)
    try:
        return limits.min <= (float(field) if kind.is_floating_point else int(field)) <= limits.max
    except ValueError:
        return False


def _paths(file_pattern: Any) -> list[str]:
    patterns = [file_pattern] if isinstance(file_pattern, (str, os.PathLike)) else list(file_pattern)
    paths = sorted(path for pattern in patterns for path in glob.glob(os.fspath(pattern)))
    if not paths:
        raise ValueError(f"make_csv_dataset: no file matches {file_pattern!r}.")
    return paths


def _names(paths: Sequence[str], written: _Format) -> list[str]:
    """Return the names in the header, which all files have."""
    heads = [next(_Format(written.delimiter, written.quoted, written.compression, False).rows(p), []) for p in paths]
    if other := next((path for path, head in zip(paths, heads) if head != heads[0] or not head), None):
        raise ValueError(f"make_csv_dataset: all files need one header; that of {other} is another.")
    return heads[0]


def _inferred_defaults(
    paths: Sequence[str], written: _Format, columns: Sequence[int], empty: str, count: int | None
) -> list[Any]:
    """Return what stands for an empty field of each column: nothing, or 0 in the strictest type of the first lines."""
    lines = [*itertools.islice((row for path in paths for row in written.rows(path)), count)]
    kinds = [_kind([row[j] for row in lines if j < len(row)], empty) for j in columns]
    return [[""] if is_string_type(kind) else torch.zeros(1, dtype=kind) for kind in kinds]


def make_csv_dataset(
    file_pattern: Any,
    batch_size: int,
    column_names: Sequence[str] | None = None,
    column_defaults: Sequence[Any] | None = None,
    label_name: str | None = None,
    select_columns: Sequence[Any] | None = None,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    header: bool = True,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: int | None = None,
    num_parallel_reads: int | None = None,
    sloppy: bool = False,
    num_rows_for_inference: int | None = _ROWS_FOR_NAMES_AND_TYPES,
    compression_type: str | None = None,
    ignore_errors: bool = False,
    encoding: str = "utf-8",
) -> Dataset:
    """Return batches of the lines of CSV files, as dictionaries of columns.

    Args:
        file_pattern: A pattern such as `'data/*.csv'`, or several.
        batch_size: Lines in a batch.
        column_names: The columns; those of the header if `None`.
        column_defaults: For each column its type, or what stands for an empty field; found in the lines if `None`.
        label_name: The column that is the target.
        select_columns: Names or numbers of the columns to read.
        field_delim: What stands between fields.
        use_quote_delim: Whether fields may be quoted.
        na_value: What counts as empty besides.
        header: Whether the first line of each file has the names.
        num_epochs: How often files are read; without end if `None`.
        shuffle: Whether lines come in a random order.
        shuffle_buffer_size: How many lines the next one is drawn from.
        shuffle_seed: Makes the order repeat.
        prefetch_buffer_size: Accepted.
        num_parallel_reads: Accepted: files are read one after the other.
        sloppy: Accepted.
        num_rows_for_inference: From how many lines the types are found; from all if `None`.
        compression_type: `'GZIP'` or `None`.
        ignore_errors: Whether lines that cannot be read are left out.
        encoding: How letters are written.

    Raises:
        ValueError: No file, no names, or names that do not fit.
    """
    paths = _paths(file_pattern)
    written = _Format(field_delim, use_quote_delim, str(compression_type or ""), header, encoding)
    if column_names is None and not header:
        raise ValueError("make_csv_dataset: without a header give column_names=[…].")
    names = list(column_names) if column_names is not None else _names(paths, written)
    if len(set(names)) != len(names):
        raise ValueError(f"make_csv_dataset: each column needs a name of its own; got {names}.")
    chosen = list(range(len(names)))
    if select_columns is not None:
        chosen = sorted(column if isinstance(column, int) else names.index(column) for column in select_columns)
    if column_defaults is None:
        column_defaults = _inferred_defaults(paths, written, chosen, na_value, num_rows_for_inference)
    kept = [names[j] for j in chosen]
    if label_name is not None and label_name not in kept:
        raise ValueError(f"make_csv_dataset: label_name must be one of {kept}; got {label_name!r}.")
    if len(column_defaults) != len(kept):
        raise ValueError(f"make_csv_dataset: {len(kept)} columns need as many defaults; got {len(column_defaults)}.")

    def named(*columns: Any) -> Any:
        features = dict(zip(kept, columns))
        return features if label_name is None else (features, features.pop(label_name))

    columns = None if chosen == list(range(len(names))) else chosen
    data = csv_dataset(
        paths,
        column_defaults,
        compression_type,
        header=header,
        field_delim=field_delim,
        use_quote_delim=use_quote_delim,
        na_value=na_value,
        select_cols=columns,
        ignore_errors=ignore_errors,
    )
    if shuffle:
        data = data.shuffle(shuffle_buffer_size, shuffle_seed)
    if num_epochs != 1:
        data = data.repeat(num_epochs)
    return data.batch(batch_size, drop_remainder=num_epochs is None).map(named)


CSV: dict[str, Any] = {"CsvDataset": csv_dataset, "make_csv_dataset": make_csv_dataset}
