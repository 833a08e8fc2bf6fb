"""`tf.strings`, as far as scripts prepare texts with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core import settings
from .._core.errors import argument_error
from .._core.ragged import RaggedTensor
from .._core.strings import StringTensor
from .._core.symbolic import is_symbolic
from ..layers.preprocessing.farmhash import fingerprint64

UNITS = ("BYTE", "UTF8_CHAR")


def strings(value: Any) -> Any:
    """Return strings, in whatever they stand, as a tensor.

    Args:
        value: A string, a list or array of them, or a tensor.

    Raises:
        TypeError: A symbolic tensor, or something that holds no strings.
    """
    if is_symbolic(value):
        raise TypeError(
            "tf.strings: strings are prepared before a model or in TextVectorization(standardize=…), and not between "
            "layers; call it on the strings that the model is given."
        )
    return value if isinstance(value, RaggedTensor) else StringTensor.of(value)


def _numbers_of(texts: Any, function: Callable[[bytes], Any], dtype: Any) -> Any:
    if isinstance(texts, RaggedTensor):
        return texts.with_each(lambda flat: _numbers_of(flat, function, dtype))
    words, codes = texts.different()
    values = torch.tensor([function(word) for word in words], dtype=settings.torch_dtype(dtype))
    return values.to(codes.device)[codes]


def lower(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Return strings in small letters.

    Args:
        input: The strings.
        encoding: `'utf-8'` for all letters; those of ASCII alone without it.
        name: Accepted.
    """
    return strings(input).mapped(bytes.lower if not encoding else lambda text: text.decode().lower())


def upper(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Return strings in capital letters.

    Args:
        input: The strings.
        encoding: `'utf-8'` for all letters; those of ASCII alone without it.
        name: Accepted.
    """
    return strings(input).mapped(bytes.upper if not encoding else lambda text: text.decode().upper())


def strip(input: Any, name: str | None = None) -> Any:
    """Return strings without the white space around them.

    Args:
        input: The strings.
        name: Accepted.
    """
    return strings(input).mapped(bytes.strip)


def regex_replace(input: Any, pattern: str, rewrite: str, replace_global: bool = True, name: str | None = None) -> Any:
    r"""Return strings with what matches a pattern replaced.

    Args:
        input: The strings.
        pattern: A regular expression.
        rewrite: What is written instead; `\1` stands for the first group, `\0` for the whole match.
        replace_global: Whether every match is replaced, or the first alone.
        name: Accepted.

    Example:
        >>> regex_replace(["a<br />b"], "<br />", " ").tolist()
        [b'a b']
    """
    compiled, written = _expression(pattern), re.sub(r"\\0", r"\\g<0>", _text(rewrite))
    count = 0 if replace_global else 1
    return strings(input).mapped(lambda text: compiled.sub(written, _text(text), count=count).encode(*_AS_BYTES))


def regex_full_match(input: Any, pattern: str, name: str | None = None) -> Any:
    """Tell which strings match a pattern as a whole.

    Args:
        input: The strings.
        pattern: A regular expression.
        name: Accepted.
    """
    compiled = _expression(pattern)
    return _numbers_of(strings(input), lambda text: compiled.fullmatch(_text(text)) is not None, "bool")


def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Any:
    """Return how long strings are.

    Args:
        input: The strings.
        unit: `'BYTE'` or `'UTF8_CHAR'`.
        name: Accepted.
    """
    in_bytes = _counts_bytes("length", unit)
    return _numbers_of(strings(input), lambda text: len(text if in_bytes else text.decode()), "int32")


def substr(input: Any, pos: int, len: int, unit: str = "BYTE", name: str | None = None) -> Any:
    """Return a part of each string.

    Args:
        input: The strings.
        pos: Where it begins; counted from the end if negative.
        len: How long it is.
        unit: `'BYTE'` or `'UTF8_CHAR'`.
        name: Accepted.
    """
    in_bytes = _counts_bytes("substr", unit)
    start, size = int(pos), int(len)

    def part(text: bytes) -> Any:
        whole: Any = text if in_bytes else text.decode()
        begin = start if start >= 0 else start + whole.__len__()
        return whole[begin : begin + size]

    return strings(input).mapped(part)


def join(inputs: Sequence[Any], separator: str = "", name: str | None = None) -> StringTensor:
    """Return several tensors of strings joined element by element.

    Args:
        inputs: The tensors; one string goes with each of the others'.
        separator: What stands between them.
        name: Accepted.

    Example:
        >>> join(["x_", ["a", "b"]]).tolist()
        [b'x_a', b'x_b']
    """
    parts = np.broadcast_arrays(*[np.asarray(strings(part), dtype=object) for part in inputs])
    joined = np.empty(parts[0].shape, dtype=object)
    for place in np.ndindex(joined.shape):
        joined[place] = _bytes(separator).join([bytes(part[place]) for part in parts])
    return StringTensor.of(joined)


def reduce_join(
    inputs: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False, separator: str = "", name: Any = None
) -> Any:
    """Return strings joined along axes.

    Args:
        inputs: The strings.
        axis: An axis, or several; all if `None`.
        keepdims: Whether they stay, of size 1.
        separator: What stands between the strings.
        name: Accepted.

    Example:
        >>> reduce_join([["a", "b"], ["c", "d"]], axis=-1).tolist()
        [b'ab', b'cd']
    """
    texts = strings(inputs)
    if isinstance(texts, RaggedTensor):
        return _rows_joined(texts, axis, _bytes(separator), keepdims)
    array = np.asarray(texts, dtype=object)
    axes = range(array.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    joined = array
    for one in sorted((a % array.ndim for a in axes), reverse=True):
        parts = np.moveaxis(joined, one, -1)
        flat = [_bytes(separator).join(row) for row in parts.reshape(-1, parts.shape[-1])]
        joined = np.array([*flat, None], dtype=object)[:-1].reshape(parts.shape[:-1])
        joined = np.expand_dims(joined, one) if keepdims else joined
    return StringTensor.of(joined)


def _rows_joined(rows: RaggedTensor, axis: Any, separator: bytes, keepdims: bool) -> Any:
    """Return rows of strings joined along the last axis, or all of them."""
    if axis is None:
        return StringTensor.of(np.array(separator.join(rows.flat_values.tolist()), dtype=object))
    last = rows.ragged_rank
    if axis not in (-1, last) or keepdims:
        raise argument_error(
            "tf.strings.reduce_join", "axis", f"{last}, -1 or None of ragged rows, without keepdims", axis
        )
    if isinstance(rows.values, RaggedTensor):
        return RaggedTensor(_rows_joined(rows.values, -1, separator, False), rows.row_splits)
    return StringTensor.of(np.array([*(separator.join(row.tolist()) for row in rows), None], dtype=object)[:-1])


def split(input: Any, sep: str | None = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """Return the words of strings, a ragged tensor of several strings.

    Args:
        input: The strings.
        sep: What stands between words; any white space if `None`.
        maxsplit: How often a string is split at most.
        name: Accepted.
    """
    between = None if sep is None else _bytes(sep)
    return _rows(strings(input), lambda text: text.split(between, maxsplit))


def unicode_split(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:
    """Return the characters of strings, a ragged tensor of several strings.

    Args:
        input: The strings.
        input_encoding: `'UTF-8'`.
        errors: `'replace'`, `'strict'` or `'ignore'`.
        replacement_char: The number of the character that stands for what is none.
        name: Accepted.
    """

    def characters(text: bytes) -> list[str]:
        decoded = text.decode(input_encoding, errors)
        return [chr(replacement_char) if c == "\ufffd" else c for c in decoded]

    return _rows(strings(input), characters)


def unicode_decode(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:
    """Return the numbers of the characters of strings, a ragged tensor of several strings.

    Args:
        input: The strings.
        input_encoding: `'UTF-8'`, `'UTF-16-BE'` or `'UTF-32-BE'`.
        errors: `'replace'`, `'strict'` or `'ignore'`.
        replacement_char: The number that stands for what is no character.
        name: Accepted.
    """

    def numbers(flat: Tensor) -> Tensor:
        texts = [text.decode() for text in np.ravel(flat.numpy()).tolist()]
        return torch.tensor([ord(text) for text in texts], dtype=torch.int32)

    split_up = unicode_split(input, input_encoding, errors, replacement_char)
    return split_up.with_each(numbers) if isinstance(split_up, RaggedTensor) else numbers(split_up)


def unicode_encode(
    input: Any, output_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:
    """Return strings of the numbers of their characters.

    Args:
        input: The numbers: a vector, or several, also of different lengths.
        output_encoding: `'UTF-8'`, `'UTF-16-BE'` or `'UTF-32-BE'`.
        errors: Accepted: Python's numbers of characters are those of Unicode.
        replacement_char: Accepted.
        name: Accepted.
    """
    rows = input if isinstance(input, RaggedTensor) else torch.as_tensor(input)
    listed = rows.to_list() if isinstance(rows, RaggedTensor) else rows.tolist()

    def encoded(numbers: Sequence[int]) -> bytes:
        return "".join(map(chr, numbers)).encode(output_encoding)

    if isinstance(rows, Tensor) and rows.dim() == 1:
        return StringTensor.of(np.array(encoded(listed), dtype=object))
    return StringTensor.of(np.array([*map(encoded, listed), None], dtype=object)[:-1])


def unicode_transcode(
    input: Any, input_encoding: str, output_encoding: str, errors: str = "replace", **kwargs: Any
) -> Any:
    """Return strings in another encoding.

    Args:
        input: The strings.
        input_encoding: That in which they are.
        output_encoding: That in which they are returned.
        errors: `'replace'`, `'strict'` or `'ignore'`.
        kwargs: Accepted: `replacement_char`, `replace_control_characters`, `name`.
    """
    return strings(input).mapped(lambda text: text.decode(input_encoding, errors).encode(output_encoding))


def bytes_split(input: Any, name: str | None = None) -> Any:
    """Return the bytes of strings, a ragged tensor of several strings.

    Args:
        input: The strings.
        name: Accepted.
    """
    return _rows(strings(input), lambda text: [bytes([byte]) for byte in text])


def ngrams(
    data: Any,
    ngram_width: Any,
    separator: str = " ",
    pad_values: Any = None,
    padding_width: int | None = None,
    preserve_short_sequences: bool = False,
    name: str | None = None,
) -> Any:
    """Return runs of words, joined.

    Args:
        data: The words: a vector, or several, also of different lengths.
        ngram_width: How many words a run has, or several numbers of them.
        separator: What stands between words.
        pad_values: Refused.
        padding_width: Refused.
        preserve_short_sequences: Whether a shorter row is one run.
        name: Accepted.

    Raises:
        ValueError: `pad_values` or `padding_width`.
    """
    if pad_values is not None or padding_width is not None:
        raise ValueError("tf.strings.ngrams: rows are not filled up; leave pad_values and padding_width out.")
    widths = [ngram_width] if isinstance(ngram_width, int) else [int(width) for width in ngram_width]
    between = separator.encode()

    def runs(words: Sequence[bytes]) -> list[bytes]:
        made = [between.join(words[i : i + n]) for n in widths for i in range(len(words) - n + 1)]
        return [between.join(words)] if preserve_short_sequences and words and not made else made

    rows = strings(data)
    if isinstance(rows, Tensor) and rows.dim() == 1:
        return StringTensor.of(np.array([*runs(rows.tolist()), None], dtype=object)[:-1])
    parts = [runs(row) for row in (rows.to_list() if isinstance(rows, RaggedTensor) else rows.tolist())]
    flat = StringTensor.of(np.array([*(run for part in parts for run in part), None], dtype=object)[:-1])
    lengths = [len(part) for part in parts]
    return (
        RaggedTensor.from_row_lengths(flat, lengths) if isinstance(rows, RaggedTensor) else flat.reshape(len(parts), -1)
    )


def to_number(input: Any, out_type: Any = "float32", name: str | None = None) -> Any:
    """Return the numbers that strings write.

    Args:
        input: The strings.
        out_type: Their type.
        name: Accepted.
    """
    whole = not settings.torch_dtype(out_type).is_floating_point
    return _numbers_of(strings(input), lambda text: int(text) if whole else float(text), out_type)


def to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Any:
    """Return a number below `num_buckets` for each string, by FarmHash.

    Args:
        input: The strings.
        num_buckets: How many numbers there are.
        name: Accepted.
    """
    return _numbers_of(strings(input), lambda text: fingerprint64(text) % num_buckets, "int64")


def as_string(input: Any, precision: int = -1, name: str | None = None) -> Tensor:
    """Return numbers as they are written.

    Args:
        input: The numbers.
        precision: Digits behind the point; six if it is -1.
        name: Accepted.
    """
    numbers = torch.as_tensor(input)
    if numbers.dtype == torch.bool:
        written = [str(value).lower() for value in numbers.flatten().tolist()]
    elif numbers.is_floating_point():
        written = [f"{value:.{6 if precision < 0 else precision}f}" for value in numbers.flatten().tolist()]
    else:
        written = [str(value) for value in numbers.flatten().tolist()]
    return StringTensor.of(written).reshape(numbers.shape)


def _counts_bytes(name: str, unit: str) -> bool:
    if unit not in UNITS:
        raise argument_error(f"tf.strings.{name}", "unit", f"one of {UNITS}", unit)
    return unit == "BYTE"


_AS_BYTES = ("utf-8", "surrogateescape")  # what is no UTF-8 goes through as it is


def _text(text: Any) -> str:
    return text.decode(*_AS_BYTES) if isinstance(text, bytes) else str(text)


def _expression(pattern: Any) -> re.Pattern[str]:
    r"""Return a pattern of RE2, whose `\w` and its like are letters of ASCII."""
    return re.compile(_text(pattern), re.ASCII)


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode()


def _rows(texts: Any, function: Callable[[bytes], Sequence[Any]]) -> Any:
    """Return the parts that a function makes of strings: of one string a tensor, of several a row each."""
    if isinstance(texts, RaggedTensor):
        return texts.with_each(lambda flat: _rows(flat, function))
    parts = [list(function(text)) for text in np.ravel(texts.numpy()).tolist()]
    flat = StringTensor.of(np.array([*(piece for part in parts for piece in part), None], dtype=object)[:-1])
    if not texts.dim():
        return flat
    rows = RaggedTensor.from_row_lengths(flat, [len(part) for part in parts])
    for size in reversed(texts.shape[1:]):  # rows of rows, of one length
        rows = RaggedTensor.from_row_lengths(rows, [size] * (len(rows) // size))
    return rows


STRINGS = {
    function.__name__: function
    for function in (
        lower, upper, strip, regex_replace, regex_full_match, length, substr, join, reduce_join, split, unicode_split,
        unicode_decode, unicode_encode, unicode_transcode, ngrams, bytes_split, to_number, to_hash_bucket_fast,
        as_string,
    )
}  # fmt: skip
