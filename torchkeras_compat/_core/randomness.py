"""Where random numbers come from: a seed of numpy alone, or of torch alone, makes a run repeat.

Classic Keras promised that `numpy.random.seed(7)` repeats a run; torch users expect it of `torch.manual_seed(7)`.
Every consumer (initial weights of a layer, one `fit`) draws one seed here.  It comes from numpy's global generator
unless the user seeded torch's since the last draw: we reseed torch at each draw, so a seed found there that is not ours
is the user's.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from .custom_ops import define
from .graph_capture import tracing

_LIMIT = 2**31 - 1
_WRITTEN = 2**32  # seeds that people write are below; what torch starts a process with is a number of 64 bits


class _Source:
    """Which of the two global generators seeds come from."""

    def __init__(self) -> None:
        seed = torch.initial_seed()
        self.drawn = set() if seed < _WRITTEN else {seed}  # all: `torch.random.fork_rng` brings an older one back
        self.from_torch = False
        self.numpy_state: bytes = b""

    @staticmethod
    def _fingerprint() -> bytes:
        state = np.random.get_state(legacy=False)["state"]
        if "key" not in state:  # a bit generator that the user set in place of numpy's own
            return str(state).encode()
        return bytes(state["key"].tobytes() + int(state["pos"]).to_bytes(4, "little"))

    def _look(self) -> None:
        if torch.initial_seed() not in self.drawn:
            self.from_torch = True
        elif self.from_torch and _numpy_was_seeded() and self._fingerprint() != self.numpy_state:
            self.from_torch = False  # numpy was seeded, or drawn from, after torch was seeded

    def draw(self) -> int:
        self._look()
        # Drawn in any case: a later numpy.random.seed shows by the state it leaves.
        seed = int(np.random.randint(_LIMIT))
        if self.from_torch:
            seed = int(torch.randint(_LIMIT, ()).item())
        _seed_torch(seed)
        self.drawn.add(torch.initial_seed())
        self.numpy_state = self._fingerprint()
        return seed


def _numpy_was_seeded() -> bool:
    # The bit generator keeps its SeedSequence until `numpy.random.seed` replaces it.
    bits = np.random.get_bit_generator()  # type: ignore[attr-defined]  # numpy's stubs do not have it
    return getattr(bits, "seed_seq", None) is None


def _seed_torch(seed: int) -> None:
    # torch.manual_seed asks every backend that might exist, which costs 100 µs; these two are those that run here.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    elif torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


_source = _Source()

_graph_seed: int | None = None


def graph_seed() -> int | None:
    """Return the seed that TensorFlow's operations with seeds of their own take besides; `None` where none was set."""
    return _graph_seed


def set_graph_seed(seed: int | None) -> None:
    """Set that seed, as `tf.random.set_seed` does."""
    global _graph_seed
    _graph_seed = seed


# --- where the generators stand --------------------------------------------------------------------------------------


def get_state() -> dict[str, Any]:
    """Return where each global generator stands, by its name, as numbers, arrays and tensors."""
    version, words, gauss = random.getstate()
    states: dict[str, Any] = {
        "numpy": np.random.get_state(legacy=False),
        "torch": torch.default_generator.get_state(),
        "python": {"version": version, "words": np.asarray(words, np.uint32), "gauss": gauss},
        "seeds": {"from_torch": _source.from_torch, "numpy": np.frombuffer(_source.numpy_state, np.uint8)},
    }
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        states["cuda"] = torch.cuda.get_rng_state_all()
    elif torch.backends.mps.is_available():
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_state(states: Mapping[str, Any]) -> None:
    """Put global generators where they stood.

    Args:
        states: What `get_state` returned, or some of it; those of devices that are not here are left out.
    """
    if "numpy" in states:
        np.random.set_state(states["numpy"])
    if "torch" in states:
        torch.default_generator.set_state(states["torch"])
        _source.drawn.add(torch.initial_seed())
    if "python" in states:
        told = states["python"]
        random.setstate((told["version"], tuple(int(word) for word in told["words"]), told["gauss"]))
    if "seeds" in states:
        _source.from_torch = bool(states["seeds"]["from_torch"])
        _source.numpy_state = states["seeds"]["numpy"].tobytes()
    if "cuda" in states and torch.cuda.is_available():
        for device, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(state, device)
    if "mps" in states and torch.backends.mps.is_available():
        torch.mps.set_rng_state(states["mps"])


# --- what is drawn ---------------------------------------------------------------------------------------------------


def draw_seed() -> int:
    """Draw a seed from the generator the user seeded, and seed torch's global generator with it."""
    return _source.draw()


def generator(seed: int | None = None) -> torch.Generator:
    """Return a CPU generator seeded with `seed`, or with a drawn one."""
    return torch.Generator().manual_seed(draw_seed() if seed is None else int(seed))


def permutation(n: int) -> torch.Tensor:
    """Return a random order of `n` rows: numpy's shuffle of the index, or torch's when torch was the one seeded."""
    if _source.from_torch:
        return torch.randperm(n)
    order = np.arange(n)
    np.random.shuffle(order)
    return torch.from_numpy(order)


def drawing_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the type to draw in: half precision has too few steps, so it is drawn in float32 and rounded once."""
    return dtype if dtype in (torch.float32, torch.float64) else torch.float32


def truncated_normal(
    shape: Sequence[int], mean: float, stddev: float, dtype: torch.dtype, source: torch.Generator
) -> torch.Tensor:
    """Return normal values, those beyond two standard deviations drawn again.

    Args:
        shape: Of the result.
        mean: Of the distribution before it is cut.
        stddev: Likewise.
        dtype: A floating point type.
        source: The CPU generator to draw from.
    """
    values = torch.empty(tuple(shape), dtype=drawing_dtype(dtype)).normal_(generator=source)
    flat = values.view(-1)
    beyond = (flat.abs() > 2).nonzero().squeeze(1)
    while beyond.numel():
        again = torch.empty(beyond.numel(), dtype=flat.dtype).normal_(generator=source)
        flat[beyond] = again
        beyond = beyond[again.abs() > 2]
    return values.mul_(stddev).add_(mean).to(dtype)


def keep_mask(shape: Sequence[int], rate: float, dtype: torch.dtype) -> torch.Tensor:
    """Return a mask for dropout on the CPU: 0 with probability `rate`, else 1 / (1 − rate).

    Sixteen random bits decide about an element, which takes a tenth of the time of `torch.bernoulli`; the probability
    is `rate` to within 2⁻¹⁷, and the scale is that of the probability used, so that the mean is exact.
    """
    draw = _KEEP_MASK if tracing() else _keep_mask
    mask: torch.Tensor = draw(list(shape), round(rate * 65536), dtype)
    return mask


def dropout_mask(like: torch.Tensor, shape: Sequence[int], rate: float) -> torch.Tensor:
    """Return a mask for dropout of the type and on the device of a tensor: 0, or 1 / (1 − rate)."""
    if like.device.type == "cpu":
        return keep_mask(shape, rate, like.dtype)
    return torch.nn.functional.dropout(like.new_ones(shape), rate, True)


def _keep_mask(shape: Sequence[int], dropped: int, dtype: torch.dtype) -> torch.Tensor:
    mask = torch.empty(shape, dtype=dtype)
    if dropped >= 65536:
        return mask.zero_()
    n = mask.numel()
    bits = torch.randint(-(2**63), 2**63 - 1, ((n + 3) // 4,)).view(torch.int16)[:n].view(mask.shape)
    return torch.ge(bits, dropped - 32768, out=mask).mul_(65536 / (65536 - dropped))


# Whole in a graph, for compiled loops over 16-bit integers are not vectorised.
_KEEP_MASK = define(
    "keep_mask(SymInt[] shape, int dropped, ScalarType dtype) -> Tensor",
    _keep_mask,
    lambda shape, dropped, dtype: torch.empty(shape, dtype=dtype),
    random=True,
)
