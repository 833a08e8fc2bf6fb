"""Backups of a training: trees of numbers, texts, arrays and tensors, each in one file, of which the last two are kept.

A file is a zip archive without compression: `tree.json`, and the bytes of each array. The checksums of the archive show
damage. Nothing in it is code.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core.border import user_stacklevel
from .._core.errors import show
from .hdf5 import FileError
from .replacing import replacing

KEPT = 2
_NAME = re.compile(r"backup-(\d{6,})\.zip")
_TREE = "tree.json"
_KINDS = "biufc"  # numpy's letters for numbers
_PART = 1 << 24

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


class Backups:
    """The backups in a folder.

    Args:
        folder: Where; it is made when the first one is written.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(os.path.expanduser(os.fspath(folder)))

    def files(self) -> list[Path]:
        """Return the files, the newest one first."""
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        numbered = [(int(match[1]), name) for name in names if (match := _NAME.fullmatch(name))]
        return [self.folder / name for _, name in sorted(numbered, reverse=True)]

    def save(self, tree: Any) -> None:
        """Write one more, and remove those before the last two.

        Args:
            tree: Dictionaries, lists and tuples of numbers, texts, `None`, arrays and tensors.

        Raises:
            OSError: It cannot be written; those that are there stay as they are.
            TypeError: Something else stands in the tree.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        files = self.files()
        number = int(_NAME.fullmatch(files[0].name)[1]) + 1 if files else 1  # type: ignore[index]
        write_tree(self.folder / f"backup-{number:06d}.zip", tree)
        _remove(files[KEPT - 1 :])

    def load(self) -> Any:
        """Return the tree of the newest file that is whole, `None` where there is none; damaged ones are told.

        Raises:
            FileError: There are files, and none is whole.
        """
        files = self.files()
        damage: list[str] = []
        for path in files:
            try:
                tree = read_tree(path)
            except FileError as error:
                damage.append(str(error))
                continue
            if damage:
                warnings.warn(
                    f"{'; '.join(damage)}. Training resumes from the backup before, {path.name!r}.",
                    stacklevel=user_stacklevel(),
                )
            return tree
        if damage:
            raise FileError(f"{'; '.join(damage)}. Delete {str(self.folder)!r} to begin anew.")
        return None

    def delete(self) -> None:
        """Remove all of them, and nothing else."""
        _remove(self.files())


def _remove(files: list[Path]) -> None:
    for path in files:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


# --- one file --------------------------------------------------------------------------------------------------------


def write_tree(path: str | os.PathLike[str], tree: Any) -> None:
    """Write a tree to a file.

    Args:
        path: The file, which is whole at any moment.
        tree: See `Backups.save`.

    Raises:
        TypeError: Something in the tree has no place in a file.
    """
    members: list[Bytes] = []
    text = json.dumps(_encoded(tree, members))
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr(_TREE, text)
        for number, content in enumerate(members):
            with archive.open(str(number), "w", force_zip64=True) as member:
                member.write(content.data)


def read_tree(path: str | os.PathLike[str]) -> Any:
    """Return the tree in a file.

    Raises:
        FileError: The file is damaged, or no backup.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if any(info.compress_type != zipfile.ZIP_STORED for info in members):
                raise ValueError("it is compressed, as no backup is")
            if sum(info.file_size for info in members) > os.path.getsize(path):
                raise ValueError("it says that it holds more than it does")
            return _decoded(json.loads(archive.read(_TREE)), archive)
    except FileNotFoundError:
        raise
    except Exception as error:  # of which damaged bytes raise almost any
        raise FileError(f"BackupAndRestore: the backup {os.fspath(path)!r} is corrupt: {error}") from error


def _encoded(value: Any, members: list[Bytes]) -> Any:
    """Return a tree as JSON has it; the bytes of its arrays are added to a list, and stand in it by their number."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return value + 0  # a subclass, such as an optimizer's hyperparameter, as a plain number
    if isinstance(value, np.generic):
        return _encoded(value.item(), members)
    if isinstance(value, Tensor):
        tensor = value.detach().cpu().contiguous()
        members.append(tensor.reshape(-1).view(torch.uint8).numpy())
        name = str(tensor.dtype).removeprefix("torch.")
        return {"tensor": len(members) - 1, "dtype": name, "shape": list(tensor.shape)}
    if isinstance(value, np.ndarray) and value.dtype.kind in _KINDS:
        members.append(np.frombuffer(value.tobytes(), np.uint8))
        return {"array": len(members) - 1, "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, list):
        return [_encoded(item, members) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_encoded(item, members) for item in value]}
    if isinstance(value, Mapping):
        return {"items": [[_encoded(key, members), _encoded(item, members)] for key, item in value.items()]}
    raise TypeError(f"BackupAndRestore: a backup has no place for {show(value)}.")


def _decoded(value: Any, archive: zipfile.ZipFile) -> Any:
    if isinstance(value, list):
        return [_decoded(item, archive) for item in value]
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(_decoded(item, archive) for item in value["tuple"])
    if "items" in value:
        return {_decoded(key, archive): _decoded(item, archive) for key, item in value["items"]}
    if "tensor" in value:
        return _tensor(_read(archive, str(value["tensor"])), value["dtype"]).reshape(value["shape"])
    dtype = np.dtype(value["dtype"])
    if dtype.kind not in _KINDS:
        raise ValueError(f"{value['dtype']!r} is no type of numbers")
    return _read(archive, str(value["array"])).view(dtype).reshape(value["shape"])


def _tensor(content: Bytes, name: str) -> Tensor:
    dtype = getattr(torch, name)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"{name!r} is no type of numbers")
    return torch.from_numpy(content).view(dtype) if content.size else torch.empty(0, dtype=dtype)


def _read(archive: zipfile.ZipFile, name: str) -> Bytes:
    """Return a member, read part by part into memory of its own: a large one is there only once."""
    content = np.empty(archive.getinfo(name).file_size, np.uint8)
    with archive.open(name) as member:
        for start in range(0, content.size, _PART):
            part = member.read(min(_PART, content.size - start))
            content[start : start + len(part)] = np.frombuffer(part, np.uint8)
            if len(part) < min(_PART, content.size - start):
                raise EOFError(f"{name!r} ends early")
    return content
