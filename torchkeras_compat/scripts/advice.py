"""What to write, where a run ends in an error that Python 2 or TensorFlow would not have raised."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator
from types import TracebackType

from .python_2 import remarks
from .told import is_installed, shown

SHOWN = 8  # remarks about one file

_LISTS = "(?:dict_keys|dict_values|dict_items|map|filter|zip|range)"
_DIVIDED = "/ gives a float in Python 3, also of two integers; write // there, or int(…)"
_LISTED = "in Python 2 this was a list; write list(…) around it"
# Kind of error, what its message says, what its line says → what to write.
ADVICE: tuple[tuple[type[Exception], str, str, str], ...] = (
    (TypeError, "'float' object cannot be interpreted as an integer|slice indices must be integers", "", _DIVIDED),
    (IndexError, r"only integers, slices \(`:`\)", "", _DIVIDED),
    (TypeError, f"'{_LISTS}' object is not subscriptable|object of type '{_LISTS}' has no len", "", _LISTED),
    (TypeError, f"'{_LISTS}' object does not support item assignment", "", _LISTED),
    (TypeError, f"unsupported operand type.*'{_LISTS}'|can only concatenate list \\(not \"{_LISTS}\"\\)", "", _LISTED),
    (AttributeError, f"'{_LISTS}' object has no attribute '(sort|append|extend|remove|pop|reverse)'", "", _LISTED),
    (AttributeError, "has no attribute 'next'", r"\.next\(", "write next(x) for x.next()"),
    (AttributeError, "'str' object has no attribute 'decode'", "", "text is Unicode in Python 3; leave .decode(…) out"),
    (
        UnicodeDecodeError,
        "'(ascii|utf-8)' codec",
        r"load\(",
        "write pickle.load(file, encoding='latin1') for what Python 2 has pickled, of a file opened with 'rb'",
    ),
    (
        TypeError,
        "a bytes-like object is required, not 'str'",
        "",
        "a file opened with 'b' takes and gives bytes in Python 3; open it without 'b', or write text.encode()",
    ),
    (
        AttributeError,
        "has no attribute 'get_(output|input)'",
        "",
        "write layer.output, or layer.input; K.function([model.input, K.learning_phase()], [layer.output]) computes it",
    ),
    (TypeError, "'cmp' is an invalid keyword", "", "write key=functools.cmp_to_key(function)"),
    (
        AttributeError,
        "'torch.dtype' object has no attribute",
        "",
        "a type here is torch's; K.dtype(x) gives its name, 'float32', and tf.as_dtype(x.dtype) has name, max and min",
    ),
)


def advice(error: BaseException) -> list[str]:
    """Return the lines that tell what to write; none where nothing is known.

    Args:
        error: What a run ended in.
    """
    if isinstance(error, SyntaxError):
        return _of_python_2(error.filename or "")
    file, line = _place(error.__traceback__)
    known = next(_known(error, linecache.getline(file, line)), None)
    if known is not None:
        return [f"{shown(file)}:{line}: {known}."]
    lines = {remark.line for remark in remarks(_text(file))}
    return _of_python_2(file) if line in lines else []


def _known(error: BaseException, source: str) -> Iterator[str]:
    for kind, message, line, text in ADVICE:
        if isinstance(error, kind) and re.search(message, str(error)) and re.search(line, source):
            yield text


def _of_python_2(file: str) -> list[str]:
    """Return what to write in a file that is written for Python 2."""
    lines = remarks(_text(file))
    if not lines:
        return []
    more = [f"  … and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    rows = [f"  line {remark.line}: {remark}" for remark in lines[:SHOWN]]
    return [f"{shown(file)} is written for Python 2; write for Python 3:", *rows, *more]


def _text(file: str) -> str:
    return "".join(linecache.getlines(file))


def _place(entry: TracebackType | None) -> tuple[str, int]:
    """Return the innermost place in a traceback that is a user's."""
    place = ("", 0)
    while entry is not None:
        file = entry.tb_frame.f_code.co_filename
        if not is_installed(file):
            place = (file, entry.tb_lineno)
        entry = entry.tb_next
    return place
