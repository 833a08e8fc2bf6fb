"""Elements of data sets in files, without code in them: what `cache`, `snapshot` and `save` write."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from .._core.ragged import RaggedTensor
from .._core.strings import StringTensor
from .dataset_trees import Tree, as_tensor

MAGIC = b"torchkeras_compat elements 1\n"


def written(path: str, elements: Iterator[Tree]) -> Iterator[Tree]:
    """Yield elements that are written into a file on their way; it is there when the last one has been read.

    Args:
        path: The file.
        elements: The elements: tensors in tuples and dictionaries.

    Raises:
        TypeError: An element that is no tensor, such as a data set.
    """
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, fresh = tempfile.mkstemp(prefix=".writing-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC)
            for element in elements:
                _write(file, element)
                yield element
        os.chmod(fresh, 0o644)
        os.replace(fresh, path)
    finally:
        if os.path.exists(fresh):  # the pass has ended early
            os.unlink(fresh)


def read(path: str) -> Iterator[Tree]:
    """Yield the elements that a file holds.

    Args:
        path: The file.

    Raises:
        ValueError: It is none of this kind, or damaged.
    """
    with open(path, "rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError(f"tf.data.Dataset: {path} holds no elements that this package has written.")
        while line := file.readline():
            try:
                element = _read(file, json.loads(line))
            except (ValueError, KeyError, TypeError, EOFError):
                raise ValueError(f"tf.data.Dataset: {path} is damaged.") from None
            yield element


def count(path: str) -> int:
    """Return how many elements a file holds.

    Args:
        path: The file.
    """
    return sum(1 for _ in read(path))


def _write(file: BinaryIO, element: Tree) -> None:
    arrays: list[np.ndarray[Any, Any]] = []
    form = _form(element, arrays)
    file.write(json.dumps(form).encode() + b"\n")
    for array in arrays:
        np.lib.format.write_array(file, array, allow_pickle=False)


def _form(tree: Tree, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """Return how a tree is made of arrays, which are added to a list."""
    if isinstance(tree, dict):
        return {"dict": [[key, _form(value, arrays)] for key, value in tree.items()]}
    if isinstance(tree, tuple):
        return {"tuple": [_form(value, arrays) for value in tree]}
    if isinstance(tree, RaggedTensor):
        return {"ragged": [_form(tree.values, arrays), _form(tree.row_splits, arrays)]}
    if tree is None:
        return {"none": []}
    leaf = as_tensor(tree)
    if not isinstance(leaf, Tensor):
        raise TypeError(f"tf.data.Dataset: only elements of tensors can be written to a file; got {type(leaf)}.")
    if isinstance(leaf, StringTensor):
        texts = np.ravel(np.asarray(leaf.numpy(), dtype=object)).tolist()
        arrays.append(np.array([len(text) for text in texts], dtype=np.int64))
        arrays.append(np.frombuffer(b"".join(texts), dtype=np.uint8))
        return {"strings": list(leaf.shape)}
    if leaf.dtype is torch.bfloat16:  # numpy has none
        arrays.append(leaf.detach().cpu().view(torch.int16).numpy())
        return {"bfloat16": []}
    arrays.append(leaf.detach().cpu().numpy())
    return {"array": []}


def _read(file: BinaryIO, form: Any) -> Tree:
    ((kind, parts),) = form.items()
    if kind == "dict":
        return {key: _read(file, part) for key, part in parts}
    if kind == "tuple":
        return tuple(_read(file, part) for part in parts)
    if kind == "ragged":
        return RaggedTensor(*(_read(file, part) for part in parts))
    if kind == "none":
        return None
    array = np.lib.format.read_array(file, allow_pickle=False)
    if kind == "strings":
        letters = np.lib.format.read_array(file, allow_pickle=False).tobytes()
        ends = np.cumsum(array).tolist()
        texts = [letters[end - int(length) : end] for end, length in zip(ends, array)]
        return StringTensor.of(np.array([*texts, None], dtype=object)[:-1].reshape(parts))
    tensor = torch.from_numpy(array)
    return tensor.view(torch.bfloat16) if kind == "bfloat16" else tensor
