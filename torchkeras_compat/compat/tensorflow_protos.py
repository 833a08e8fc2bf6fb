"""Tensors as strings of bytes, in the wire format of TensorFlow's `TensorProto`; and strings in base 64.

Source: TensorFlow 2.15, core/framework/tensor.proto and types.proto.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core import settings
from .._core.strings import STRING, StringTensor, is_string_type
from .._core.user_tensors import hand_out
from .tensorflow_calls import tensor
from .tensorflow_records import field, fields, varint
from .tensorflow_strings import strings

# The number of each type.
_NUMBERS = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    STRING: 7,
    "int64": 9,
    "bool": 10,
    "bfloat16": 14,
    "float16": 19,
}
_TYPE, _SHAPE, _CONTENT, _STRINGS = 1, 2, 4, 8


def serialize_tensor(tensor: Any, name: Any = None) -> Any:
    """Return a tensor as a string, which `parse_tensor` reads.

    Args:
        tensor: The tensor.
        name: Accepted.
    """
    value = _as_tensor(tensor)
    kind = STRING if isinstance(value, StringTensor) else settings.dtype_name(value.dtype)
    if kind not in _NUMBERS:
        raise ValueError(f"tf.io.serialize_tensor: tensors of {kind} are not written.")
    shape = b"".join(field(2, varint(1 << 3) + varint(size)) for size in value.shape)
    head = varint(_TYPE << 3) + varint(_NUMBERS[kind]) + field(_SHAPE, shape)
    if isinstance(value, StringTensor):
        texts = np.ravel(np.asarray(value.numpy(), dtype=object)).tolist()
        body = b"".join(field(_STRINGS, text) for text in texts)
    else:
        host = value.detach().cpu().contiguous()
        body = field(_CONTENT, host.reshape(-1).view(torch.uint8).numpy().tobytes()) if host.numel() else b""
    return StringTensor.of(np.array(head + body, dtype=object))


def _as_tensor(value: Any) -> Tensor:
    made: Tensor = tensor(value)
    return made


def parse_tensor(serialized: Any, out_type: Any, name: Any = None) -> Any:
    """Return the tensor that a string holds.

    Args:
        serialized: What `serialize_tensor` has returned, here or in TensorFlow.
        out_type: Its type.
        name: Accepted.

    Raises:
        ValueError: No such string, or a tensor of another type.

    Example:
        >>> parse_tensor(serialize_tensor([[1.0, 2.0]]), 'float32').tolist()
        [[1.0, 2.0]]
    """
    kind, sizes, content, texts = 0, list[int](), b"", list[bytes]()
    try:
        for number, _, value in fields(memoryview(strings(serialized).item())):
            if number == _TYPE:
                kind = value
            elif number == _SHAPE:
                sizes = [size for part, _, one in fields(value) if part == 2 for size in _size(one)]
            elif number == _CONTENT:
                content = bytes(value)
            elif number == _STRINGS:
                texts.append(bytes(value))
            else:
                raise ValueError(number)
    except (IndexError, KeyError, TypeError, ValueError):
        raise ValueError("tf.io.parse_tensor: the string is none that tf.io.serialize_tensor writes.") from None
    wanted = STRING if is_string_type(out_type) else settings.dtype_name(settings.torch_dtype(out_type))
    if _NUMBERS.get(wanted) != kind:
        known = {number: name for name, number in _NUMBERS.items()}
        raise ValueError(f"tf.io.parse_tensor: the string holds {known.get(kind, kind)}; {wanted} was asked for.")
    if wanted == STRING:
        return StringTensor.of(np.array([*texts, None], dtype=object)[:-1].reshape(sizes))
    flat = torch.frombuffer(bytearray(content), dtype=settings.torch_dtype(wanted)) if content else torch.empty(0)
    if flat.numel() != int(np.prod(sizes)):
        raise ValueError("tf.io.parse_tensor: the string holds another number of values than its shape says.")
    return hand_out(flat.to(settings.torch_dtype(wanted)).reshape(sizes))


def _size(axis: memoryview) -> list[int]:
    """Return the size that an axis tells; one without is 0."""
    return [value for number, _, value in fields(axis) if number == 1] or [0]


def encode_base64(input: Any, pad: bool = False, name: Any = None) -> Any:
    """Return strings in base 64, with the letters that may stand in addresses.

    Args:
        input: The strings.
        pad: Whether `=` fills them up.
        name: Accepted.
    """

    def encoded(text: bytes) -> bytes:
        letters = base64.urlsafe_b64encode(text)
        return letters if pad else letters.rstrip(b"=")

    return strings(input).mapped(encoded)


def decode_base64(input: Any, name: Any = None) -> Any:
    """Return what strings in base 64 stand for.

    Args:
        input: The strings.
        name: Accepted.
    """
    return strings(input).mapped(lambda text: base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))


def is_jpeg(contents: Any, name: Any = None) -> Any:
    """Tell whether a string is a JPEG file.

    Args:
        contents: The string.
        name: Accepted.
    """
    return hand_out(torch.tensor(strings(contents).item()[:3] == b"\xff\xd8\xff"))


PROTOS: dict[str, Any] = {
    function.__name__: function for function in (serialize_tensor, parse_tensor, encode_base64, decode_base64, is_jpeg)
}
