from __future__ import annotations

import ctypes
import mmap
import os
import platform
import resource
import subprocess
import sys

import pytest
import torch

from torchkeras_compat._core import allocator as memory

ROUNDS = """
import resource, numpy as np, torch
import torchkeras_compat as keras
from torchkeras_compat._core.allocator import keep_freed_memory
torch.set_num_threads(1)
model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
x = np.zeros((4, 2), "float32")
{call}
def once():
    blocks = [torch.ones({floats}) for _ in range(4)]
for _ in range(5):  # until the heap has found its shape
    once()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    once()
print(keep_freed_memory(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
FLOATS = 4_000_000


def pages_of(floats: int) -> int:
    """The pages of all blocks together."""
    return 10 * 4 * 4 * floats // 4096


def faults(call: str, floats: int = FLOATS, **environment: str) -> tuple[str, int]:
    env = {k: v for k, v in os.environ.items() if k not in (*memory.SETTINGS, "GLIBC_TUNABLES")} | environment
    script = ROUNDS.format(call=call, floats=floats)
    text = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    ).stdout.split()
    return text[0], int(text[1])


needs_glibc = pytest.mark.skipif(not memory._has_glibc(), reason="another C library, which is left as it is")


@needs_glibc
@pytest.mark.parametrize(
    "call", ["model.fit(x, x[:, :1], verbose=0)", "model.evaluate(x, x[:, :1], verbose=0)", "model.predict(x)"]
)
def test_freed_memory_is_used_again(call: str) -> None:
    kept, pages = faults(call)
    assert kept == "True"
    assert pages < pages_of(FLOATS) / 10


@needs_glibc
@pytest.mark.skipif(
    memory._has_glibc() and tuple(map(int, platform.libc_ver()[1].split(".")[:2])) < (2, 35),
    reason="glibc before 2.35 keeps no block above 32 MB",
)
def test_freed_activations_of_large_images_are_used_again() -> None:
    kept, pages = faults("model.fit(x, x[:, :1], verbose=0)", 6 * FLOATS)
    assert kept == "True"
    assert pages < pages_of(6 * FLOATS) / 10


GATHERED = """
import numpy as np, torch
import torchkeras_compat as keras
from torchkeras_compat._core import allocator

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

class Gathers(keras.callbacks.Callback):
    def on_train_end(self, logs=None):
        blocks = [torch.ones(1_000_000) for _ in range(60)]
        self.above = torch.ones(100_000)  # so that the heap does not end with what is freed
        del blocks
        global before
        before = resident()

allocator.KEPT = {kept} << 20
model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
x = np.zeros((4, 2), "float32")
model.fit(x, x[:, :1], verbose=0, callbacks=[Gathers()])
print(before - resident())
"""


@needs_glibc
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc before 2.33 does not tell what is free")
@pytest.mark.parametrize(("kept", "goes_back"), [(64, True), (1024, False)])
def test_more_than_is_to_be_kept_goes_back_after_fit(kept: int, goes_back: bool) -> None:
    text = subprocess.run(
        [sys.executable, "-c", GATHERED.format(kept=kept)], capture_output=True, text=True, check=True
    ).stdout
    assert (int(text) > 200e6) is goes_back


@needs_glibc
@pytest.mark.parametrize(
    ("name", "value"), [("MALLOC_TRIM_THRESHOLD_", "131072"), ("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=131072")]
)
def test_the_environment_has_the_last_word(name: str, value: str) -> None:
    kept, pages = faults("model.fit(x, x[:, :1], verbose=0)", **{name: value})
    assert kept == "False"
    assert pages > pages_of(FLOATS) / 2


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", unknown, raising=False)
    assert memory.keep_freed_memory.__wrapped__() is False


@needs_glibc
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere pages are touched, as the test below shows")
def test_pages_are_given_at_once() -> None:
    tensor = torch.frombuffer(mmap.mmap(-1, 20_000_004), dtype=torch.float32)[1:]
    memory.take_pages(tensor)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tensor.fill_(1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < tensor.nbytes / memory.PAGE / 10


@pytest.mark.parametrize("size", [0, 1, 5, 1023, 1025, 3_000_001])
def test_pages_where_the_system_has_no_such_call(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "another")
    memory.take_pages(torch.empty(size))
    memory.take_pages(torch.empty(size, dtype=torch.float64)[size // 2 :])
