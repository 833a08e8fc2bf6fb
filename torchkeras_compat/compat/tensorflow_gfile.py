"""`tf.io.gfile` and TensorFlow 1's `tf.gfile`: files and folders of this machine."""

from __future__ import annotations

import glob as globbing
import os
import shutil
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from .._core.strings import StringTensor


def _local(path: Any) -> str:
    """Return a path as text.

    Raises:
        ValueError: It is one of a service, such as `gs://bucket`.
    """
    text = os.fsdecode(path.numpy() if isinstance(path, StringTensor) else path)
    if "://" in text:
        raise ValueError(f"tf.io.gfile: {text!r} is no file of this machine; fetch it first, with fsspec or requests.")
    return text


def GFile(name: Any, mode: str = "r") -> Any:
    """Return an open file: of text, or of bytes with a `'b'` in its mode.

    Args:
        name: Its path.
        mode: As for `open`.
    """
    return open(_local(name), mode, encoding=None if "b" in mode else "utf-8")


def exists(path: Any) -> bool:
    """Tell whether there is a file or folder.

    Args:
        path: Its path.
    """
    return os.path.exists(_local(path))


def isdir(path: Any) -> bool:
    """Tell whether there is a folder.

    Args:
        path: Its path.
    """
    return os.path.isdir(_local(path))


def listdir(path: Any) -> list[str]:
    """Return the names in a folder.

    Args:
        path: Its path.
    """
    return os.listdir(_local(path))


def glob(pattern: Any) -> list[str]:
    """Return the paths that match a pattern, in order.

    Args:
        pattern: Such as `'data/*.png'`, or a list of patterns.
    """
    patterns = pattern if isinstance(pattern, (list, tuple)) else [pattern]
    return [path for one in patterns for path in sorted(globbing.glob(_local(one)))]


def makedirs(path: Any) -> None:
    """Make a folder and those that it is in; one that is there stays.

    Args:
        path: Its path.
    """
    os.makedirs(_local(path), exist_ok=True)


def mkdir(path: Any) -> None:
    """Make a folder.

    Args:
        path: Its path.
    """
    os.mkdir(_local(path))


def remove(path: Any) -> None:
    """Delete a file.

    Args:
        path: Its path.
    """
    os.remove(_local(path))


def rmtree(path: Any) -> None:
    """Delete a folder and what is in it.

    Args:
        path: Its path.
    """
    shutil.rmtree(_local(path))


def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copy a file.

    Args:
        src: Its path.
        dst: That of the copy.
        overwrite: Whether a file that is there is written over.

    Raises:
        FileExistsError: There is one, and it is not to be.
    """
    _expect_free(dst, overwrite)
    shutil.copyfile(_local(src), _local(dst))


def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Move a file or folder.

    Args:
        src: Its path.
        dst: The new one.
        overwrite: Whether a file that is there is written over.

    Raises:
        FileExistsError: There is one, and it is not to be.
    """
    _expect_free(dst, overwrite)
    os.replace(_local(src), _local(dst))


def _expect_free(path: Any, overwrite: bool) -> None:
    if not overwrite and exists(path):
        raise FileExistsError(f"tf.io.gfile: {_local(path)} is there; write overwrite=True.")


def stat(path: Any) -> SimpleNamespace:
    """Return the size of a file, `length`, when it was changed, `mtime_nsec`, and whether it is a folder.

    Args:
        path: Its path.
    """
    stat = os.stat(_local(path))
    return SimpleNamespace(length=stat.st_size, mtime_nsec=stat.st_mtime_ns, is_directory=isdir(path))


def walk(top: Any, topdown: bool = True, onerror: Any = None) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each folder below one with the names of the folders and files in it.

    Args:
        top: The path of the first.
        topdown: Whether a folder comes before those in it.
        onerror: Called with errors.
    """
    return os.walk(_local(top), topdown, onerror)


def join(path: Any, *parts: Any) -> str:
    """Return a path of several parts.

    Args:
        path: The first.
        parts: The others.
    """
    return os.path.join(_local(path), *map(_local, parts))


GFILE: dict[str, Any] = {
    "GFile": GFile,
    **{f.__name__: f for f in (exists, isdir, listdir, glob, makedirs, mkdir, remove, rmtree, copy, rename)},
    **{f.__name__: f for f in (stat, walk, join)},
}
GFILE_OF_VERSION_1: dict[str, Any] = {
    **dict.fromkeys(("GFile", "FastGFile", "Open"), GFile),
    "Exists": exists,
    "IsDirectory": isdir,
    "ListDirectory": listdir,
    "Glob": glob,
    "MakeDirs": makedirs,
    "MkDir": mkdir,
    "Remove": remove,
    "DeleteRecursively": rmtree,
    "Copy": copy,
    "Rename": rename,
    "Stat": stat,
    "Walk": walk,
}
