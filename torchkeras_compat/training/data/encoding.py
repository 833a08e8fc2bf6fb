"""What to write for data that hold no numbers: the errors for text, dates and mixed objects."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

LOOKED_AT = 1000  # values of an object array that are looked at; a message needs no more

# What the values are → what to write for an array of them.
ARRAYS = {
    "text": (
        "encode it: pd.get_dummies({name}) for categories, preprocessing.text.Tokenizer and pad_sequences for sentences"
    ),
    "labels": (
        "encode it: {name} = pd.factorize({name})[0], or {name} = sklearn.preprocessing.LabelEncoder()"
        ".fit_transform({name}); then utils.to_categorical({name}) for loss='categorical_crossentropy'"
    ),
    "digits": "write np.asarray({name}).astype('float32')",
    "dates": "encode them: {name}.astype('int64'), or what is left after subtracting the first date",
    "lists": "give every row the same length (preprocessing.sequence.pad_sequences)",
    "objects": "write {name}.astype('float32'), or give every row the same length (pad_sequences)",
}
# The same for columns of a frame.
COLUMNS = {
    "text": "encode it: {name} = pd.get_dummies({name}, columns={columns}, dtype='float32')",
    "labels": "encode it: {name} = pd.factorize({name}[{first}])[0]",
    "digits": "write {name} = {name}.astype({{column: 'float32' for column in {columns}}})",
    "dates": "encode them: {name}[{first}] = {name}[{first}].astype('int64'), or .dt.dayofyear and its like",
    "lists": "give each number a column of its own",
    "objects": "write {name} = {name}.astype({{column: 'float32' for column in {columns}}})",
}
HOLDS = {"text": "text", "labels": "text", "digits": "numbers as text", "dates": "dates", "lists": "lists"}


def holds_inputs(argument: str) -> bool:
    """Tell whether an argument, `'x'`, or a place in one, `"x['image']"`, holds inputs."""
    return argument.partition("[")[0] == "x"


def kind_of(array: np.ndarray[Any, Any], argument: str) -> str:
    """Return what an array without a numeric type holds: a key of `ARRAYS`."""
    if array.dtype.kind in "mM":
        return "dates"
    values = [v for v in itertools.islice(array.flat, LOOKED_AT) if v is not None and v == v]  # neither None nor NaN
    if any(isinstance(v, (str, bytes)) for v in values):
        if all(_is_number(v) for v in values):
            return "digits"
        return "text" if holds_inputs(argument) else "labels"
    for kind, types in (
        ("dates", (datetime.date, datetime.timedelta, np.datetime64)),
        ("lists", (list, tuple, np.ndarray)),
    ):
        if values and all(isinstance(v, types) for v in values):
            return kind
    return "objects"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def no_numbers(argument: str, array: np.ndarray[Any, Any], column: Any = None) -> TypeError:
    """Return the error for an array that holds no numbers, or for the one column of a series."""
    kind = kind_of(array, argument)
    held = f" that holds {HOLDS[kind]}" if kind in HOLDS else ""
    held += _examples(array.flat) if kind in ("text", "labels") else ""
    what = "an array" if column is None else f"the column {column!r}"
    advice = ARRAYS[kind].format(name=argument)
    return TypeError(f"{argument} must hold numbers; got {what} of dtype {array.dtype}{held}; {advice}.")


def no_number_columns(argument: str, columns: Sequence[tuple[Any, np.ndarray[Any, Any]]]) -> TypeError:
    """Return the error for a frame, or a series, with columns that hold no numbers.

    Args:
        argument: `'x'`, `'y'` or `'sample_weight'`.
        columns: Name and values of each of them.
    """
    by_kind: dict[str, list[Any]] = {}
    for name, values in columns:
        by_kind.setdefault(kind_of(values, argument), []).append(name)
    told = []
    for kind, names in by_kind.items():
        advice = COLUMNS[kind].format(name=argument, columns=names, first=repr(names[0]))
        noun = f"the column {names[0]!r} holds" if len(names) == 1 else f"the columns {names} hold"
        told.append(f"{noun} {HOLDS.get(kind, 'objects')}; {advice}.")
    return TypeError(f"{argument} must hold numbers: {' '.join(told)}")


def _examples(values: Iterable[Any]) -> str:
    different = list(dict.fromkeys(str(v) for v in itertools.islice(values, LOOKED_AT)))
    return f" ({', '.join(repr(v) for v in different[:2])}{', …' if len(different) > 2 else ''})"
