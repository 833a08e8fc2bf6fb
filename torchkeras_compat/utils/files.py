"""`get_file`: a file of the web, kept in a cache that only ever holds whole, verified files."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from .._core.errors import choice, show
from .._core.progress import say
from . import archives
from .progbar import Progbar

MAX_BYTES = 64 * 2**30
"""The largest download; raise it for a larger file that you trust."""
FOLDER_VARIABLE = "TORCHKERAS_COMPAT_DATASETS"
_CHUNK = 2**18
_TIMEOUT = 30
_SCHEMES = ("http", "https", "ftp", "file")


class DownloadError(OSError):
    """A download that failed, was cut short or is not the file that was expected."""


def provided(fname: str) -> str | None:
    """Return the path of a file in the folder that `TORCHKERAS_COMPAT_DATASETS` names, if it is there."""
    folder = os.environ.get(FOLDER_VARIABLE)
    path = os.path.join(os.path.expanduser(folder), fname) if folder else None
    return path if path and os.path.exists(path) else None


def file_of_package(owner: str, name: str, origin: str, *, without_network: str, **options: Any) -> str:
    """Return the path of a file that this package itself asks for, as `get_file` does.

    Args:
        owner: Whose file it is, for messages.
        name: Its name in the cache.
        origin: Its URL.
        without_network: What its user can do where it cannot be loaded.
        options: As in `get_file`.

    Raises:
        DownloadError: It is not there and cannot be loaded.
    """
    try:
        return get_file(name, origin=origin, **options)
    except DownloadError as error:
        raise DownloadError(f"{owner}: {error} Without a network, {without_network}") from error


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Iterable[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
) -> str:
    """Return the path of a file, downloaded if the cache does not hold it yet.

    A file of this name in the folder that the environment variable `TORCHKERAS_COMPAT_DATASETS` names is used as it is.

    Args:
        fname: Name in the cache, without separators; the last part of `origin` when `None`.
        origin: URL to load from.
        untar: Whether the file is a `.tar.gz` to unpack; the path of the unpacked folder is then returned.
        md5_hash: The older spelling of `file_hash`.
        file_hash: SHA-256 or MD5 of the file, in hexadecimal.
        cache_subdir: Folder inside the cache, or an absolute one.
        hash_algorithm: `'sha256'`, `'md5'`, or `'auto'` to tell by the length.
        extract: Whether to unpack an archive beside the file.
        archive_format: `'tar'`, `'zip'`, `'auto'`, a list of those, or `None`.
        cache_dir: The cache; `~/.keras` when `None`.

    Raises:
        ValueError: A name or URL that is not safe, or an archive that is not.
        DownloadError: The download failed, was cut short, or has another hash.

    Example:
        >>> get_file('../passwords', origin='https://example.org/x')
        Traceback (most recent call last):
            ...
        ValueError: get_file(fname='../passwords'): fname must be a name without folders; use cache_subdir.
    """
    if not origin:
        raise ValueError(f"get_file(origin={origin!r}): origin must be the URL of the file.")
    hash_algorithm = choice("get_file", "hash_algorithm", hash_algorithm, ("auto", "md5", "sha256"))
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    name = _safe_name(fname, origin)
    folder_name = name.removesuffix(".tar.gz") if untar else name
    name = f"{folder_name}.tar.gz" if untar else name
    folder = _cache_folder(cache_dir, cache_subdir)
    by_user = provided(name) if cache_dir is None and cache_subdir == "datasets" else None
    path = by_user or os.path.join(folder, name)
    if by_user is None and not _is_whole(path, file_hash, hash_algorithm):
        _download(origin, path, file_hash, hash_algorithm)
    if untar:
        unpacked = os.path.join(folder, folder_name)
        if not os.path.exists(unpacked):
            archives.extract(path, folder, "tar")
        return unpacked
    if extract:
        archives.extract(path, folder, archive_format)
    return path


def _safe_name(fname: str | os.PathLike[str] | None, origin: str) -> str:
    parts = urlsplit(origin)
    if parts.scheme not in _SCHEMES or ".." in unquote(parts.path).replace("\\", "/").split("/"):
        raise ValueError(
            f"get_file(origin={show(origin)}): origin must be a URL of {', '.join(_SCHEMES)} without '..'."
        )
    name = parts.path.rsplit("/", 1)[-1] if fname is None else os.fspath(fname)
    unquoted = unquote(name)
    if unquoted in ("", ".", "..") or any(mark in unquoted for mark in "/\\\0") or unquoted[1:2] == ":":
        if fname is None:
            raise ValueError(f"get_file(origin={show(origin)}): the URL ends in no file name; give fname.")
        raise ValueError(f"get_file(fname={show(name)}): fname must be a name without folders; use cache_subdir.")
    return name


def _cache_folder(cache_dir: str | os.PathLike[str] | None, cache_subdir: str) -> str:
    if ".." in os.path.normpath(cache_subdir).split(os.sep) or "\0" in cache_subdir:
        raise ValueError(f"get_file(cache_subdir={show(cache_subdir)}): cache_subdir must not leave the cache.")
    base = os.fspath(cache_dir) if cache_dir else os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    folder = os.path.join(os.path.expanduser(base), cache_subdir)
    try:
        os.makedirs(folder, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        if cache_dir:
            raise
    folder = os.path.join(_private_folder(), cache_subdir)
    os.makedirs(folder, exist_ok=True)
    return folder


def _private_folder() -> str:
    """Return a folder for a home that cannot be written to; nobody else may have put anything there."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    path = os.path.join(tempfile.gettempdir(), f".keras-{user}")
    os.makedirs(path, mode=0o700, exist_ok=True)
    status = os.lstat(path)
    foreign = hasattr(os, "getuid") and (status.st_uid != user or status.st_mode & 0o022)
    if not stat.S_ISDIR(status.st_mode) or foreign:
        raise PermissionError(f"{path} is not a private folder of this user; give get_file a cache_dir.")
    return path


def _is_whole(path: str, file_hash: str | None, algorithm: str) -> bool:
    if not os.path.isfile(path):
        return False
    if file_hash is None or hash_of(path, algorithm_of(file_hash, algorithm)) == file_hash.lower():
        return True
    say(f"{path} has another {algorithm_of(file_hash, algorithm)} hash than {file_hash}; it is loaded again.")
    return False


def algorithm_of(file_hash: str, algorithm: str) -> str:
    """Return the name of the algorithm that a hash was made by; `'auto'` goes by its length."""
    return ("sha256" if len(file_hash) == 64 else "md5") if algorithm == "auto" else algorithm


def hash_of(path: str, algorithm: str) -> str:
    """Return the hash of a file."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def _download(origin: str, path: str, file_hash: str | None, algorithm: str) -> None:
    say(f"Downloading data from {origin}")
    handle, fresh = tempfile.mkstemp(prefix=".loading-", dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as sink:
            _fetch(origin, sink)
        if file_hash is not None and (got := hash_of(fresh, algorithm_of(file_hash, algorithm))) != file_hash.lower():
            raise DownloadError(
                f"get_file(origin={origin!r}): the {algorithm_of(file_hash, algorithm)} hash must be {file_hash}; "
                f"got {got}."
            )
        os.chmod(fresh, 0o644)
        os.replace(fresh, path)  # a link that stood there is replaced, not followed
    finally:
        if os.path.lexists(fresh):
            os.unlink(fresh)


def _fetch(origin: str, sink: BinaryIO) -> None:
    try:
        with urlopen(origin, timeout=_TIMEOUT) as source:
            length = source.headers.get("Content-Length")
            expected = int(length) if length and length.isdigit() else None
            _check_size(origin, expected or 0)
            done = _copy(origin, source, sink, expected)
    except (OSError, HTTPException) as error:
        if isinstance(error, DownloadError):
            raise
        raise DownloadError(f"get_file(origin={origin!r}): the download failed: {error}") from error
    if expected is not None and done != expected:
        raise DownloadError(f"get_file(origin={origin!r}): the download was cut short: {done} of {expected} bytes.")


def _copy(origin: str, source: Any, sink: BinaryIO, expected: int | None) -> int:
    bar = Progbar(expected or None)
    done = 0
    while block := source.read(_CHUNK):
        done += len(block)
        _check_size(origin, done)
        sink.write(block)
        bar.update(done)
    return done


def _check_size(origin: str, size: int) -> None:
    if size > MAX_BYTES:
        raise DownloadError(
            f"get_file(origin={origin!r}): the file is larger than utils.files.MAX_BYTES, {MAX_BYTES} bytes."
        )
