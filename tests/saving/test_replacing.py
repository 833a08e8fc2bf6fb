"""A file is whole at any moment: a kill at every line, a full disk and errors while it is written (D1)."""

from __future__ import annotations

import errno
import io
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat.saving import replacing as module
from torchkeras_compat.saving.hdf5_output import ShieldedFile
from torchkeras_compat.saving.replacing import replacing

from .builders import same, small

KILLED = """
import os, signal, sys
import torchkeras_compat as tk

def model():
    return tk.Sequential([tk.layers.Dense(3, input_dim=4), tk.layers.Dense(2)])

def same(a, b):
    return all((x == y).all() for x, y in zip(a.get_weights(), b.get_weights(), strict=True))

def traced(save, look):
    def trace(frame, event, argument):
        if event == 'call':
            name = frame.f_code.co_filename
            return trace if any(part in name for part in ('saving' + os.sep, 'h5py' + os.sep)) else None
        look(frame)
        return trace
    sys.settrace(trace)
    save()
    sys.settrace(None)

def killed_at(number, save):
    'Save in a copy of the process that is killed at the line of this number.'
    child = os.fork()
    if not child:
        countdown = [number]
        def look(frame):
            countdown[0] -= 1
            if not countdown[0]:
                os.kill(os.getpid(), signal.SIGKILL)
        traced(save, look)
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), number

path, every = sys.argv[1], int(sys.argv[2])
old, new, other = model(), model(), model()
old.save_weights(path)
lines = []
traced(lambda: old.save_weights(path), lambda frame: lines.append(os.path.basename(frame.f_code.co_filename)))
with open(path, 'rb') as file:
    before = file.read()
kept = replaced = 0
for number, name in enumerate(lines, 1):
    if number % every and name != 'replacing.py':
        continue
    killed_at(number, lambda: new.save_weights(path))
    for name in os.listdir(os.path.dirname(path)):  # so that the next save runs the same lines
        if name.endswith('.tmp'):
            os.remove(os.path.join(os.path.dirname(path), name))
    other.load_weights(path)
    if same(other, old):
        with open(path, 'rb') as file:
            assert file.read() == before
        kept += 1
    else:
        assert same(other, new)
        replaced += 1
        old.save_weights(path)
print(len(lines), kept, replaced)
"""


@pytest.mark.parametrize("every", [40, pytest.param(1, marks=pytest.mark.slow)])
def test_a_kill_at_any_line_leaves_the_old_file_or_the_new_one(path: Path, every: int) -> None:
    # Every line of replacing.py, and of what writes HDF5 each so many.
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(every)], capture_output=True, check=True)
    lines, kept, replaced = map(int, done.stdout.split())
    assert kept + replaced >= lines // every
    assert kept > 50
    assert replaced > 1  # by the kills behind the replacement


ANY_TIME = """
import itertools, os, random, signal, sys, time
import h5py, numpy as np, torchkeras_compat as tk

path = sys.argv[1]
model = tk.Sequential([tk.layers.Dense(500, input_dim=500) for _ in range(4)])
model.set_weights([np.zeros_like(w) for w in model.get_weights()])
model.save_weights(path)
rng, last, kills = random.Random(0), 0, 0
while kills < 10 or last <= 3:  # as long as it takes on a busy machine
    kills += 1
    child = os.fork()
    if not child:
        for i in itertools.count(last + 1):
            model.set_weights([np.full_like(w, i) for w in model.get_weights()])
            model.save_weights(path)
    time.sleep(rng.uniform(0.02, 0.2))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    model.load_weights(path)
    (value,) = {float(v) for w in model.get_weights() for v in np.unique(w)}  # all of one save
    assert value >= last
    last = int(value)
print(last)
"""


def test_kills_at_any_time(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ANY_TIME, str(path)], capture_output=True, check=True)
    assert int(done.stdout) > 3  # saves that went through in between


# --- a disk that is full ---------------------------------------------------------------------------------------------


@pytest.fixture
def limit() -> Iterator[Callable[[int], None]]:
    """Set the most bytes that a file may have: a write beyond fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def large() -> tk.Sequential:
    return tk.Sequential([tk.layers.Dense(100, input_dim=200), tk.layers.Dense(100)])


# libhdf5 alone ends the process at some of these sizes, where it closes a file that it could not write.
@pytest.mark.parametrize("size", [0, 1, 96, 800, 2000, 5000, 50000, 100000, 120000, 130000])
def test_a_disk_that_is_full(path: Path, limit: Callable[[int], None], size: int) -> None:
    model = large()
    model.save_weights(path)
    before = path.read_bytes()
    assert len(before) > 120000
    limit(size)
    for _ in range(2):
        with pytest.raises(OSError, match="what was there before is as it was") as caught:
            model.save_weights(path)
        assert caught.value.errno == errno.EFBIG
        assert caught.value.filename == str(path)
    limit(resource.RLIM_INFINITY)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]
    model.save_weights(path)  # once there is room again
    model.load_weights(path)


def test_a_file_system_that_is_full(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system of a given size can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        model, path = large(), folder / "weights.h5"
        model.save_weights(path)
        before = path.read_bytes()
        with pytest.raises(OSError, match="No space left on device; what was there before is as it was"):
            model.save_weights(path)  # for the old file and the new one there is no room
        assert path.read_bytes() == before
        assert os.listdir(folder) == [path.name]
        model.load_weights(path)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class Full:
    """A file on a disk that takes so many bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self.file, self.room = file, room

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, data: Any) -> int:
        if self.file.tell() + len(data) > self.room:
            raise OSError(errno.ENOSPC, "full")
        return int(self.file.write(data))


@pytest.mark.parametrize("room", [0, 100, 3000, 90000])
def test_what_libhdf5_sees_of_a_full_disk(room: int) -> None:
    shielded = ShieldedFile(Full(io.BytesIO(), room))
    with h5py.File(shielded, "w") as file:
        for i in range(200):
            file.create_dataset(f"group{i}/x", data=np.zeros(100))
    assert shielded.error is not None
    assert shielded.error.errno == errno.ENOSPC
    assert shielded.file.file.getbuffer().nbytes <= room


# --- what is flushed, and what is cleared away -----------------------------------------------------------------------


def test_bytes_are_on_the_disk_before_the_name_and_the_name_at_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(descriptor: int) -> None:
        kind = "folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file"
        events.append(kind)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", lambda a, b: events.append("name") or replace(a, b))
    small().save_weights(path)
    assert events == ["file", "name", "folder"]


@pytest.mark.parametrize(("number", "raises"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)])
def test_a_folder_that_cannot_be_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, raises: bool
) -> None:
    def failing(descriptor: int) -> None:
        raise OSError(number, "none")

    monkeypatch.setattr(os, "fsync", failing)
    if raises:
        with pytest.raises(OSError, match="none"):
            module._flush_folder(str(tmp_path))
    else:
        module._flush_folder(str(tmp_path))


def test_what_a_killed_process_left_is_cleared_away(path: Path) -> None:
    model = small()
    child = os.fork()
    if not child:
        with replacing(path) as temporary:
            Path(temporary).write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (left_over,) = path.parent.iterdir()
    model.save_weights(path)
    assert left_over.exists()  # it is new: somebody on another machine of this name might still write to it
    old = time.time() - 2 * module.STALE_SECONDS
    os.utime(left_over, (old, old))
    with replacing(path) as mine:  # that of a process that lives, and others' files, stay
        os.utime(mine, (old, old))
        others = [path.parent / ".weights.h5-other.tmp", path.parent / ".other.h5-x-1-abc.tmp"]
        for other in others:
            other.touch()
            os.utime(other, (old, old))
        model.save_weights(path)
        assert not left_over.exists()
        assert os.path.exists(mine)
        assert all(other.exists() for other in others)
        Path(mine).write_bytes(path.read_bytes())
    model.load_weights(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_called_corrupt(path: Path, share: float) -> None:
    model = large()
    model.save_weights(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    before = model.get_weights()
    with pytest.raises(ValueError, match=f"(?s){path.name}.*corrupt"):
        model.load_weights(path)
    assert same(model.get_weights(), before)


@pytest.mark.skipif(os.name != "posix", reason="files that are open cannot be replaced elsewhere")
def test_a_thread_gives_back_what_a_large_file_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 10)
    closed, close, path = [], os.close, tmp_path / "file"
    path.write_bytes(b"what was there")
    inode = path.stat().st_ino

    def noted(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == inode:
            closed.append(threading.current_thread())
        close(descriptor)

    monkeypatch.setattr(os, "close", noted)
    with replacing(path) as temporary:
        Path(temporary).write_bytes(b"new")
    for thread in threading.enumerate():
        if thread.name == "release":
            thread.join()
    assert [thread.name for thread in closed] == ["release"]
    assert path.read_bytes() == b"new"
