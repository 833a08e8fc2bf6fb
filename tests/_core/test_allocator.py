from __future__ import annotations

import os
import subprocess
import sys

import pytest

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
    blocks = [torch.ones(4_000_000) for _ in range(4)]
for _ in range(5):  # until the heap has found its shape
    once()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    once()
print(keep_freed_memory(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES = 10 * 4 * 16_000_000 // 4096  # of all blocks together


def faults(call: str, **environment: str) -> tuple[str, int]:
    env = {k: v for k, v in os.environ.items() if k not in (*memory.SETTINGS, "GLIBC_TUNABLES")} | environment
    text = subprocess.run(
        [sys.executable, "-c", ROUNDS.format(call=call)], env=env, capture_output=True, text=True, check=True
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
    assert pages < PAGES / 10


@needs_glibc
@pytest.mark.parametrize(
    ("name", "value"), [("MALLOC_TRIM_THRESHOLD_", "131072"), ("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=131072")]
)
def test_the_environment_has_the_last_word(name: str, value: str) -> None:
    kept, pages = faults("model.fit(x, x[:, :1], verbose=0)", **{name: value})
    assert kept == "False"
    assert pages > PAGES / 2


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", unknown, raising=False)
    assert memory.keep_freed_memory.__wrapped__() is False
