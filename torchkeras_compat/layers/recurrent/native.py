"""A small LSTM's walk over time in compiled code of its own, where steps are compiled and there is a compiler anyway.

oneDNN's LSTM prepares and moves more than a small layer computes: at 32 units, `lstm.cpp` takes half of its time.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import _disable_current_modes

from ... import activations
from .formulas import LSTMFormula, Walked, state_buffer
from .products import Grad, WrittenProduct, flat_steps

MOST_UNITS = 64  # from here on the products are so large that oneDNN's kernel is as fast
LANES = 16


class NativeLSTM(LSTMFormula):
    """An LSTM with tanh and sigmoid, of a multiple of 16 units, on the CPU in float32."""

    def forward(self, z: Tensor, product: WrittenProduct, rb: Grad, states: Sequence[Grad]) -> Walked:
        """Walk over the steps; see `Formula.forward`."""
        units = product.units
        h, c = (state_buffer(z, units, s) for s in states)
        active = z.new_empty(z.shape[0], z.shape[1], units)
        _call("lstm_walk", (z, product.turned.contiguous(), h, c, active), (*z.shape[:2], units))
        return (h, c), [active]

    def backward(
        self, z: Tensor, saved: Sequence[Tensor], product: WrittenProduct, grads: Sequence[Grad], start: bool
    ) -> tuple[Tensor, Tensor, Grad, list[Grad]]:
        """Walk back; see `Formula.backward`. All c stay inside, so that there is no gradient of them."""
        (h, c, active), (all_dh, dh, _, dc) = saved, grads
        d = torch.empty_like(z)
        dh, dc = (
            torch.zeros_like(h[0]) if g is None else g.clone(memory_format=torch.contiguous_format) for g in (dh, dc)
        )
        all_dh = None if all_dh is None else all_dh.contiguous()
        sizes = (*z.shape[:2], product.units)
        _call("lstm_walk_back", (z, d, product.r.contiguous(), c, active, all_dh, dh, dc), sizes)
        return d, flat_steps(d).t() @ flat_steps(h[:-1]), None, [dh, dc] if start else [None, None]


def _call(name: str, tensors: Sequence[Tensor | None], sizes: Sequence[int]) -> None:
    if isinstance(tensors[0], FakeTensor):
        return  # a capture looks at shapes only
    addresses = [None if t is None else ctypes.c_void_p(t.data_ptr()) for t in tensors]
    getattr(_library(), name)(*addresses, *map(ctypes.c_long, sizes), ctypes.c_int(torch.get_num_threads()))


@functools.cache
def _library() -> Any:
    """Return the compiled code: the compiler's flags, the cache on disk and its lock are inductor's."""
    from torch._inductor.codecache import CppCodeCache

    return CppCodeCache.load((Path(__file__).parent / "lstm.cpp").read_text(encoding="utf-8"))


@functools.cache
def _works() -> bool:
    """Tell whether this machine's compiler and this release of torch give the code, and it gives the right numbers."""
    z, r = torch.full((1, 1, 4 * LANES), 0.5), torch.zeros(4 * LANES, LANES)
    try:
        formula = NativeLSTM(activations.tanh, activations.sigmoid)
        (h, _), _ = formula.forward(z, WrittenProduct(r), None, (None, None))
    except Exception:  # whatever a compiler or another release raises: oneDNN computes the same
        return False
    half = torch.tensor(0.5)
    expected = torch.sigmoid(half) * torch.tanh(torch.sigmoid(half) * torch.tanh(half))
    return bool((h[1] - expected).abs().max() < 1e-6)


def native_lstm(units: int) -> NativeLSTM | None:
    """Return the formula for a layer of this size, `None` where oneDNN serves it better."""
    if units % LANES or units > MOST_UNITS:
        return None
    with _disable_current_modes(), torch._C.DisableTorchFunction():  # outside of the capture that asks
        return NativeLSTM(activations.tanh, activations.sigmoid) if _works() else None
