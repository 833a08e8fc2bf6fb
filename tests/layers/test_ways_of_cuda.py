"""Layers that compute on CUDA in another way than on the CPU: which kernels they ask there, and the same numbers.

Tensors that say they are on CUDA and have no numbers show the first; the golden tests walk the ways on the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

import torchkeras_compat.backend as K
from torchkeras_compat import layers

aten = torch.ops.aten
POOLED = {
    "2d": (lambda: layers.AveragePooling2D(3, strides=2, padding="same"), (2, 6, 7, 3)),
    "2d, moved by one": (lambda: layers.AveragePooling2D(2, strides=1, padding="same"), (2, 6, 7, 3)),
    "2d, channels first": (lambda: layers.AveragePooling2D(3, 2, "same", data_format="channels_first"), (2, 3, 6, 7)),
    "2d, valid": (lambda: layers.AveragePooling2D(3), (2, 6, 7, 3)),
    "1d": (lambda: layers.AveragePooling1D(3, strides=2, padding="same"), (2, 9, 3)),
    "K": (lambda: lambda x: K.pool2d(x, (3, 3), (2, 2), "same", None, "avg"), (2, 6, 7, 3)),
}


class KernelCalls(TorchDispatchMode):
    """Notes which of torch's kernels are called, with what."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, tuple[Any, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls.append((func, args))
        return func(*args, **(kwargs or {}))

    def of(self, *kernels: Any) -> list[tuple[Any, ...]]:
        """Return the arguments of each call of these kernels."""
        return [args for func, args in self.calls if func.overloadpacket in kernels]


@contextmanager
def cuda_without_numbers() -> Iterator[KernelCalls]:
    """Run the block on tensors that say they are on CUDA; no gradient can be asked for without the device."""
    with torch.no_grad(), FakeTensorMode(), KernelCalls() as calls:
        yield calls


@pytest.mark.parametrize("name", POOLED)
def test_no_average_pool_pads_by_itself(name: str) -> None:
    make, shape = POOLED[name]
    with cuda_without_numbers() as calls:
        y = make()(torch.empty(shape, device="cuda"))
    pooled = calls.of(aten.avg_pool2d)
    assert y.device.type == "cuda"
    assert pooled
    for _, _, _, *rest in pooled:
        assert not rest or not any(rest[0])


@pytest.mark.usefixtures("ways_of_cuda")
@pytest.mark.parametrize("name", POOLED)
def test_average_pool_by_hand_has_the_same_gradient(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, shape = POOLED[name]
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    by_hand = make()(x)
    monkeypatch.undo()
    by_kernel = make()(x)
    torch.testing.assert_close(by_hand, by_kernel)
    direction = torch.randn_like(by_hand)
    for_hand, for_kernel = (torch.autograd.grad(y, x, direction)[0] for y in (by_hand, by_kernel))
    torch.testing.assert_close(for_hand, for_kernel)


NORMALISED: list[tuple[dict[str, Any], tuple[int, ...]]] = [
    ({}, (8, 3)),
    ({"scale": False}, (8, 3)),
    ({"center": False}, (8, 3)),
    ({"scale": False, "center": False}, (8, 3)),
    ({"scale": False}, (2, 4, 5, 3)),
    ({"center": False, "axis": 1}, (2, 3, 4, 5)),
]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("options", "shape"), NORMALISED, ids=str)
def test_batch_norm_gets_both_weights_or_none(options: dict[str, Any], shape: tuple[int, ...], training: bool) -> None:
    layer = layers.BatchNormalization(**options)
    layer._build_from(shape)
    with cuda_without_numbers() as calls:
        for name, tensor in layer.norm.named_parameters():
            moved = torch.nn.Parameter(torch.empty(tensor.shape, device="cuda"), requires_grad=False)
            setattr(layer.norm, name, moved)
        for name, tensor in layer.norm.named_buffers():
            setattr(layer.norm, name, torch.empty(tensor.shape, device="cuda"))
        layer(torch.empty(shape, device="cuda"), training=training)
    called = calls.of(aten.native_batch_norm, aten.cudnn_batch_norm, aten._native_batch_norm_legit)
    assert called
    for _, weight, bias, *_ in called:
        assert (weight is None) == (bias is None)
