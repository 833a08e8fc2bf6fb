"""`tf.io`, as far as scripts read pictures and tables with it: files, pictures as bytes, lines of CSV."""

from __future__ import annotations

import csv
import glob
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core import settings
from .._core.errors import argument_error
from .._core.strings import StringTensor
from ..utils.images import decoded, pillow
from .tensorflow_calls import tensor
from .tensorflow_strings import strings


def _one(owner: str, value: Any) -> bytes:
    """Return the one string that a function of single files takes."""
    text = value if isinstance(value, (str, bytes)) else strings(value).item()
    if not isinstance(text, (str, bytes)):
        raise argument_error(owner, "contents", "one string", value)
    return text.encode() if isinstance(text, str) else text


def read_file(filename: Any, name: str | None = None) -> StringTensor:
    """Return what is in a file, as one string.

    Args:
        filename: Its path.
        name: Accepted.
    """
    return StringTensor.of(np.array(Path(os.fsdecode(_one("tf.io.read_file", filename))).read_bytes(), dtype=object))


def write_file(filename: Any, contents: Any, name: str | None = None) -> None:
    """Write a string into a file, whose folders are made.

    Args:
        filename: Its path.
        contents: The string.
        name: Accepted.
    """
    path = Path(os.fsdecode(_one("tf.io.write_file", filename)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_one("tf.io.write_file", contents))


def matching_files(pattern: Any, name: str | None = None) -> StringTensor:
    """Return the paths that match a pattern, in order.

    Args:
        pattern: Such as `'data/*.png'`, or several.
        name: Accepted.
    """
    patterns = np.ravel(strings(pattern).numpy()).tolist()
    paths = sorted({path for one in patterns for path in glob.glob(os.fsdecode(one))})
    return StringTensor.of(np.array(paths, dtype=object))


# --- pictures ----------------------------------------------------------------------------------------------------


def _picture(owner: str, contents: Any, channels: int | None, dtype: Any) -> Tensor:
    """Return a picture as a tensor; the first one of several."""
    count = int(channels or 0)
    if count not in (0, 1, 3, 4):
        raise argument_error(owner, "channels", "0, 1, 3 or 4", channels)
    data = _one(owner, contents)
    if data[:4] == b"\x89PNG" and data[24] == 16 and settings.torch_dtype(dtype) is not torch.uint8:
        raise argument_error(owner, "dtype", "uint8 for a PNG of 16 bits, whose upper 8 are read", dtype)
    return _in_type(owner, torch.from_numpy(decoded(owner, data, count)), dtype)


def _in_type(owner: str, pixels: Tensor, dtype: Any) -> Tensor:
    kind = settings.torch_dtype(dtype)
    if kind is torch.uint8:
        return pixels
    if not kind.is_floating_point:
        raise argument_error(owner, "dtype", "uint8 or a float", dtype)
    return pixels.to(kind) / 255


def decode_image(
    contents: Any, channels: int | None = None, dtype: Any = "uint8", name: Any = None, expand_animations: bool = True
) -> Tensor:
    """Return the picture that a string holds, `(rows, columns, channels)`: PNG, JPEG, BMP or GIF.

    Args:
        contents: What `read_file` gives.
        channels: How many there are to be; as many as in the file if 0.
        dtype: uint8, or a float for numbers from 0 to 1.
        name: Accepted.
        expand_animations: Whether a GIF has an axis for its pictures in front.
    """
    data = _one("tf.io.decode_image", contents)
    if data[:3] == b"GIF" and expand_animations:
        return _in_type("tf.io.decode_image", decode_gif(data), dtype)
    return _picture("tf.io.decode_image", data, channels, dtype)


def decode_png(contents: Any, channels: int = 0, dtype: Any = "uint8", name: str | None = None) -> Tensor:
    """Return the picture that a PNG holds, as bytes.

    Args:
        contents: What `read_file` gives.
        channels: How many there are to be; as many as in the file if 0.
        dtype: uint8.
        name: Accepted.
    """
    if settings.torch_dtype(dtype) is not torch.uint8:
        raise argument_error("tf.io.decode_png", "dtype", "uint8", dtype)
    return _picture("tf.io.decode_png", contents, channels, dtype)


def decode_jpeg(
    contents: Any,
    channels: int = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """Return the picture that a JPEG holds, as bytes, by the exact transform.

    Args:
        contents: What `read_file` gives.
        channels: How many there are to be; as many as in the file if 0.
        ratio: 1.
        fancy_upscaling: `True`.
        try_recover_truncated: `False`.
        acceptable_fraction: Accepted: a part of a file is an error.
        dct_method: Accepted.
        name: Accepted.
    """
    for argument, value, only in (
        ("ratio", ratio, 1),
        ("fancy_upscaling", fancy_upscaling, True),
        ("try_recover_truncated", try_recover_truncated, False),
    ):
        if value != only:
            raise argument_error("tf.io.decode_jpeg", argument, str(only), value)
    return _picture("tf.io.decode_jpeg", contents, channels, "uint8")


def decode_bmp(contents: Any, channels: int = 0, name: str | None = None) -> Tensor:
    """Return the picture that a BMP holds, as bytes.

    Args:
        contents: What `read_file` gives.
        channels: How many there are to be; as many as in the file if 0.
        name: Accepted.
    """
    return _picture("tf.io.decode_bmp", contents, channels, "uint8")


def decode_gif(contents: Any, name: str | None = None) -> Tensor:
    """Return the pictures that a GIF holds, `(pictures, rows, columns, 3)`, as bytes.

    Args:
        contents: What `read_file` gives.
        name: Accepted.
    """
    image = pillow("tf.io.decode_gif")
    with image.open(io.BytesIO(_one("tf.io.decode_gif", contents))) as pictures:
        frames = []
        for i in range(getattr(pictures, "n_frames", 1)):
            pictures.seek(i)
            frames.append(np.array(pictures.convert("RGB")))
    return torch.from_numpy(np.stack(frames))


def _encoded(owner: str, kind: str, image: Any, **options: Any) -> StringTensor:
    """Return a picture of bytes as a file of a kind, in a string."""
    pixels = tensor(image)
    if pixels.dtype is not torch.uint8 or pixels.dim() != 3:
        raise argument_error(owner, "image", "uint8 in (rows, columns, channels)", image)
    target, array = io.BytesIO(), pixels.numpy(force=True)
    pillow(owner).fromarray(array[:, :, 0] if array.shape[-1] == 1 else array).save(target, kind, **options)
    return StringTensor.of(np.array(target.getvalue(), dtype=object))


def encode_png(image: Any, compression: int = -1, name: str | None = None) -> StringTensor:
    """Return a picture of bytes as a PNG.

    Args:
        image: `(rows, columns, channels)`.
        compression: From 0 to 9; −1 for the usual one.
        name: Accepted.
    """
    level = {} if compression < 0 else {"compress_level": int(compression)}
    return _encoded("tf.io.encode_png", "PNG", image, **level)


def encode_jpeg(image: Any, format: str = "", quality: int = 95, name: str | None = None) -> StringTensor:
    """Return a picture of bytes as a JPEG.

    Args:
        image: `(rows, columns, channels)`.
        format: Accepted: the channels say it.
        quality: From 0 to 100.
        name: Accepted.
    """
    return _encoded("tf.io.encode_jpeg", "JPEG", image, quality=int(quality))


# --- numbers in strings ------------------------------------------------------------------------------------------


def decode_raw(input_bytes: Any, out_type: Any, little_endian: bool = True, name: str | None = None) -> Tensor:
    """Return the numbers that a string holds as bytes.

    Args:
        input_bytes: The string.
        out_type: Their type.
        little_endian: The order of the bytes of a number.
        name: Accepted.
    """
    kind = np.dtype(settings.dtype_name(settings.torch_dtype(out_type)))
    order = kind.newbyteorder("<" if little_endian else ">")
    numbers = np.frombuffer(_one("tf.io.decode_raw", input_bytes), order)
    return torch.from_numpy(numbers.astype(kind))


def decode_csv(
    records: Any,
    record_defaults: Sequence[Any],
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    select_cols: Sequence[int] | None = None,
    name: str | None = None,
) -> list[Tensor]:
    """Return a tensor for each column of lines of CSV.

    Args:
        records: A line, or a tensor of lines.
        record_defaults: For each column what stands for an empty field, and so its type; an empty tensor where a field
            must not be empty.
        field_delim: What stands between fields.
        use_quote_delim: Whether fields may be quoted.
        na_value: What counts as empty besides.
        select_cols: The columns to read; all if `None`.
        name: Accepted.

    Raises:
        ValueError: A line of another number of fields, or an empty field that must not be.
    """
    lines = strings(records)
    texts = [line.decode() for line in np.ravel(lines.numpy()).tolist()]
    rows = [_fields(text, field_delim, use_quote_delim) for text in texts]
    if select_cols is not None:
        rows = [[row[column] for column in select_cols] for row in rows]
    for i, row in enumerate(rows):
        if len(row) != len(record_defaults):
            raise ValueError(f"tf.io.decode_csv: {len(record_defaults)} fields are expected; line {i} has {len(row)}.")
    columns = (
        as_column("tf.io.decode_csv", j, [row[j] for row in rows], default, na_value)
        for j, default in enumerate(record_defaults)
    )
    return [column.reshape(lines.shape) for column in columns]


def _fields(line: str, delimiter: str, quoted: bool) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [""]) if quoted else line.split(delimiter)


def as_column(where: str, place: int, fields: Sequence[str], default: Any, empty: str) -> Tensor:
    """Return the fields of a column in the type of its default.

    Args:
        where: Who asks.
        place: The number of the column.
        fields: The fields, line by line.
        default: What stands for an empty field; an empty tensor where none may be.
        empty: What counts as empty besides `''`.

    Raises:
        ValueError: A field that is no number, or empty where it must not be.
    """
    stands_for = tensor(default)
    if any(field in ("", empty) for field in fields) and not stands_for.numel():
        raise ValueError(f"{where}: field {place} must not be empty: it has no default.")
    if isinstance(stands_for, StringTensor):
        usual = np.ravel(stands_for.numpy()).tolist()
        return StringTensor.of(
            np.array([usual[0] if field in ("", empty) else field.encode() for field in fields], dtype=object)
        )
    number: Callable[[str], Any] = float if stands_for.is_floating_point() else int
    usual = stands_for.reshape(-1).tolist()
    try:
        numbers = [usual[0] if field in ("", empty) else number(field) for field in fields]
    except ValueError:
        kind = settings.dtype_name(stands_for.dtype)
        raise ValueError(f"{where}: field {place} must hold {kind} numbers; got one of {fields[:5]}.") from None
    return torch.tensor(numbers, dtype=stands_for.dtype)


PICTURES: dict[str, Any] = {
    "decode_image": decode_image,
    "decode_png": decode_png,
    "decode_jpeg": decode_jpeg,
    "decode_bmp": decode_bmp,
    "decode_gif": decode_gif,
    "encode_png": encode_png,
    "encode_jpeg": encode_jpeg,
}
FILES: dict[str, Any] = {
    **PICTURES,
    "read_file": read_file,
    "write_file": write_file,
    "matching_files": matching_files,
    "decode_raw": decode_raw,
    "decode_csv": decode_csv,
}
