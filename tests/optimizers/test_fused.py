"""torch's private fused kernels may be missing or changed: the step is the same without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from torchkeras_compat import optimizers
from torchkeras_compat.optimizers import fused_kernels as fused

# Kernel of torch, what calls it, and an optimizer that uses it.
KERNELS: list[tuple[str, Callable[..., None], Callable[[], Any]]] = [
    ("_fused_adam_", fused._adam, lambda: optimizers.Adam(0.1)),
    ("_fused_adam_", fused._adam, lambda: optimizers.Adam(0.1, amsgrad=True)),
    ("_fused_adam_", fused._adam, lambda: optimizers.RMSprop(0.1)),
    ("_fused_sgd_", fused._momentum, lambda: optimizers.SGD(0.1, momentum=0.9)),
    ("_fused_sgd_", fused._momentum, lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True)),
    ("_fused_adagrad_", fused._adagrad, lambda: optimizers.Adagrad(0.1)),
]


@pytest.fixture(autouse=True)
def tried_anew() -> Iterator[None]:
    fused.works.cache_clear()
    yield
    fused.works.cache_clear()


def steps(make: Callable[[], Any]) -> list[torch.Tensor]:
    """Return two weights after three steps."""
    generator = torch.Generator().manual_seed(3)
    weights = [torch.randn(4, 3, generator=generator), torch.randn(3, generator=generator)]
    optimizer = make()
    parameters = [torch.nn.Parameter(w.clone()) for w in weights]
    for _ in range(3):
        gradients = [torch.randn(p.shape, generator=generator) for p in parameters]
        optimizer.apply_gradients(zip(gradients, parameters))
    return [p.detach() for p in parameters]


@pytest.mark.parametrize(("name", "kernel", "make"), KERNELS)
@pytest.mark.parametrize("change", ["missing", "other arguments", "not on the CPU", "another result"])
def test_the_step_without_the_kernel(
    name: str, kernel: Callable[..., None], make: Callable[[], Any], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = steps(make)
    if not fused.works(kernel):
        pytest.skip("this release of torch lacks the kernel anyway")
    fused.works.cache_clear()

    def not_here(*args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"{name} is not available on the CPU")

    changed: dict[str, Any] = {
        "other arguments": lambda params: None,
        "not on the CPU": not_here,
        "another result": lambda *args, **kwargs: None,
    }
    if change == "missing":
        monkeypatch.delattr(torch, name)
    else:
        monkeypatch.setattr(torch, name, changed[change])
    found = steps(make)
    assert not fused.works(kernel)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
