"""Sees what a call imports, opens, runs or connects to, so that a test can tell that a hostile file got nothing."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What Python tells of whatever runs a program, reaches a network, or makes code of bytes.
RUNS = {
    "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "subprocess.Popen", "pty.spawn",
    "socket.connect", "socket.getaddrinfo", "urllib.Request", "http.client.connect", "ftplib.connect",
    "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.chmod", "shutil.rmtree", "shutil.copyfile",
    "pickle.find_class", "code.__new__", "function.__new__", "ctypes.dlopen",
}  # fmt: skip


class Watch:
    """What has happened while it was on.

    Args:
        folder: A folder of the test's own; opening anything in it is told.
        code: Byte code that must not be read.
    """

    def __init__(self, folder: Path, code: bytes) -> None:
        self.folder, self.code = str(folder), code
        self.events: list[tuple[Any, ...]] = []
        self.allowed: set[str] = set()

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Keep an event that a hostile file would like to cause."""
        first = arguments[0] if arguments else None
        mine = isinstance(first, (str, bytes)) and os.fsdecode(first).startswith(self.folder)
        planted = event == "import" and str(first).startswith("planted")
        hostile_code = event == "marshal.loads" and bytes(first) == self.code if isinstance(first, bytes) else False
        if (
            event in RUNS
            or planted
            or hostile_code
            or (event == "open" and mine and os.fsdecode(first) not in self.allowed)
        ):
            self.events.append((event, *map(repr, arguments[:2])))


_watches: list[Watch] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for watch in _watches:
        watch.see(event, arguments)


_installed: list[bool] = []


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[Watch]:
    """Watch what the block does."""
    if not _installed:  # a hook of the interpreter's cannot be taken away again, so there is one for all tests
        sys.addaudithook(_hook)
        _installed.append(True)
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.remove(watch)
