"""Files that are whole at any moment: written beside their place, then put there in one step."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

STALE_SECONDS = 60.0
"""How long nobody has written to a temporary file before it may be cleared away; a writer that lives writes on."""
LARGE = 2**24
"""Bytes of a file from which on a thread gives its place back when it is replaced."""
_DISK_ERRORS = (errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC))  # Windows has no quotas
_CANNOT_FLUSH_FOLDERS = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)  # what file systems without that answer


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield a temporary path; what is written there takes the place of `path` when the block ends without an error.

    Whatever happens before that, the file that was there stays as it was.  What a process that was killed has left
    beside it is cleared away.

    Args:
        path: Where the file shall be; a symbolic link is followed.

    Raises:
        IsADirectoryError: A folder is there.
        OSError: The file cannot be written: the folder is missing, the disk is full, whatever it was written with.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), 'note')
        >>> with replacing(path) as temporary:
        ...     with open(temporary, 'w') as file:
        ...         _ = file.write('whole')
        >>> os.listdir(os.path.dirname(path))
        ['note']
    """
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise IsADirectoryError(f"{os.fspath(path)!r} is a folder; give the path of a file.")
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            errno.ENOENT, f"there is no such folder; make it first, os.makedirs({folder!r})", os.fspath(path)
        )
    _clear_stale(folder, name)
    handle, temporary = tempfile.mkstemp(prefix=f"{_prefix(name)}{os.getpid()}-", suffix=".tmp", dir=folder)
    os.close(handle)
    try:
        yield temporary
        os.chmod(temporary, _mode(target))
        _flush(temporary)
        with _kept_for_a_thread(target):
            os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(error, (OSError, RuntimeError)) and (number := _disk_error(error)) is not None:
            raise OSError(
                number, f"{os.strerror(number)}; what was there before is as it was", os.fspath(path)
            ) from error
        raise
    _flush_folder(folder)


def make_folder_of(path: str) -> None:
    """Make the folder that a file shall lie in, and those around it, as Keras does for some formats.

    Args:
        path: Where the file shall be.
    """
    os.makedirs(os.path.dirname(os.path.realpath(path)), exist_ok=True)


def _disk_error(error: OSError | RuntimeError) -> int | None:
    """Return the number of an error of the disk, which HDF5 tells in its text alone; `None` for other errors."""
    told = re.search(r"errno = (\d+)", str(error))
    number = int(told[1]) if told else getattr(error, "errno", None)
    return number if number in _DISK_ERRORS else None


def _prefix(name: str) -> str:
    """Return what the names of temporary files for a file begin with; the number of the process comes behind it."""
    machine = re.sub(r"\W", "", platform.node())[:20]
    return f".{name[:40]}-{machine}-"


def _clear_stale(folder: str, name: str) -> None:
    """Remove temporary files for this file whose process has ended."""
    pattern = re.compile(rf"{re.escape(_prefix(name))}(\d+)-\w+\.tmp")
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:  # a missing folder shows when writing
        for entry in entries:
            match = pattern.fullmatch(entry.name)
            if match is None or _lives(int(match[1])):
                continue
            with contextlib.suppress(FileNotFoundError):  # another process may clear it away as well
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > STALE_SECONDS:
                    os.unlink(entry.path)


def _lives(process: int) -> bool:
    """Tell whether a process of this number runs, as far as can be told."""
    if os.name != "posix":  # asking in this way would end it elsewhere
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _mode(target: str) -> int:
    """Return the permissions of the file that is there, or those a new file gets (`mkstemp` gives its own fewer)."""
    if os.path.exists(target):
        return stat.S_IMODE(os.stat(target).st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _flush(path: str) -> None:
    """Put the bytes on the disk before the name points at them."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _kept_for_a_thread(path: str) -> Iterator[None]:
    """Hold a large file that is replaced in the block, and let a thread give its memory and its place on the disk back.

    The system does that once nobody holds the file, which takes a fifth of the time of writing it.
    """
    is_large = os.path.exists(path) and os.path.getsize(path) >= LARGE
    held = os.open(path, os.O_RDONLY) if is_large and os.name == "posix" else None
    try:
        yield
    finally:
        if held is not None:
            threading.Thread(target=os.close, args=(held,), name="release").start()


def _flush_folder(folder: str) -> None:
    """Put the new name on the disk, where folders can be flushed."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH_FOLDERS:
            raise
    finally:
        os.close(descriptor)


def may_overwrite(path: str | os.PathLike[str], overwrite: bool, caller: str) -> bool:
    """Tell whether to write to `path`; with `overwrite=False` a person at a terminal is asked.

    Args:
        path: Where to write.
        overwrite: Whether a file that is there may be replaced without a question.
        caller: Who asks, for the message.

    Raises:
        FileExistsError: A file is there, and nobody can be asked.
    """
    if overwrite or not os.path.exists(path):
        return True
    if not sys.stdin.isatty():
        raise FileExistsError(f"{caller}(overwrite=False): {os.fspath(path)!r} is there already; write overwrite=True.")
    return input(f"{os.fspath(path)} is there already. Overwrite it? [y/n] ").strip().lower().startswith("y")
