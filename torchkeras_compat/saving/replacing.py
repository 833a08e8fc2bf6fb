"""Files that are whole at any moment: written beside their place, then put there in one step."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield a temporary path; what is written there takes the place of `path` when the block ends without an error.

    Whatever happens before that, the file that was there stays as it was.

    Args:
        path: Where the file shall be; a symbolic link is followed.

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
    handle, temporary = tempfile.mkstemp(prefix=f".{name[:40]}-", suffix=".tmp", dir=folder)
    os.close(handle)
    try:
        yield temporary
        os.chmod(temporary, _mode(target))
        _flush(temporary)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


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
