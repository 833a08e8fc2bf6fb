"""No memory left in the midst of a step: an error that says what holds it, and a model as it was before the step."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from .._core import devices
from .step.step import Step
from .trained_model import TrainedModel

# What torch, cuBLAS and the CPU's allocator say where they raise an ordinary RuntimeError.
PHRASES = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "can't allocate memory")


class OutOfMemoryError(torch.cuda.OutOfMemoryError):
    """Too little memory for a batch; what catches torch's own error catches this one."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that no memory is left, and not yet what holds it.

    Args:
        error: What was raised.
    """
    if isinstance(error, OutOfMemoryError) or not isinstance(error, RuntimeError):
        return False
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(phrase in str(error) for phrase in PHRASES)


class MemoryGuard:
    """Keeps what a step would leave changed if it ran out of memory, and makes the error of it.

    A forward pass writes into the model's buffers (moving averages, states), which are kept before each step.  Weights
    and slots are written last, when the memory of activations is free again; they are kept before the first step, whose
    update has not had its memory yet.

    Args:
        method: What the user called.
        model: The model.
        step: The training step; `None` where nothing is trained.
    """

    def __init__(self, method: str, model: TrainedModel, step: Step | None = None) -> None:
        self.method, self.model, self.step = method, model, step
        module: Any = model
        written = step is not None or model.stateful
        owners = nn.Module.modules(module) if written else ()
        self._places = [(m, name) for m in owners for name, buffer in m._buffers.items() if buffer is not None]
        self._buffers: list[Tensor] = []
        self._kept: list[Tensor] = []
        self._first: list[tuple[Tensor, Tensor]] = []
        self.keeps = bool(self._places) or self._is_first()

    def _is_first(self) -> bool:
        """Tell whether a device is about to make the first step of an update."""
        if self.step is None or self.step.update.has_stepped:
            return False
        return any(not devices.on_host(p) for p in self.step.update.params)

    @torch.no_grad()
    def keep(self) -> None:
        """Keep what the next step may write; what the step before needed is no longer kept."""
        self._buffers = [module._buffers[name] for module, name in self._places]  # type: ignore[misc]
        if self._buffers:
            if not self._kept or not _alike(self._kept[0], self._buffers[0]):  # the model may have moved
                self._kept = [torch.empty_like(buffer) for buffer in self._buffers]
            torch._foreach_copy_(self._kept, self._buffers)
        self._first = []
        if self.step is not None and self._is_first():
            update = self.step.update
            trained = [*update.params, *slots_of(update.optimizer)]
            self._first = [(t, t.to("cpu", copy=True)) for t in trained]  # the device may have no room for copies
            update.has_stepped = True
        self.keeps = bool(self._places or self._first)

    @torch.no_grad()
    def restore(self) -> None:
        """Put back what was kept."""
        for (module, name), buffer, kept in zip(self._places, self._buffers, self._kept):
            module._buffers[name] = buffer.copy_(kept)
        for tensor, kept in self._first:
            tensor.copy_(kept)
        if self.step is not None and self._first:
            self.step.update.has_stepped = False
        self.model._forget_losses()

    def explain(self, error: BaseException, size: int | None) -> NoReturn:
        """Raise what the user is told of an error: itself, or what holds the memory, with the model as it was.

        Args:
            error: What a step raised.
            size: The number of samples in the batch, where it is known.
        """
        if not is_out_of_memory(error):
            raise error
        traceback.clear_frames(error.__traceback__)  # which hold the tensors of the step for as long as the error lives
        self.restore()
        raise OutOfMemoryError(self._message(error, size)) from error

    def _message(self, error: BaseException, size: int | None) -> str:
        module: Any = self.model
        held = [f"the model's weights hold {mebibytes([*module.parameters(), *module.buffers()])}"]
        if self.step is not None:
            held.append(f"the optimizer's slots {mebibytes(slots_of(self.step.update.optimizer))}")
            graphs = 0 if self.step.compiled is None else self.step.compiled.held_bytes()
            held += [f"its graphs {graphs / 2**20:.1f} MiB"] if graphs else []
        batch = "a batch" if size is None else f"a batch of {size} samples"
        lower = "Give smaller batches" if size is None else f"Lower batch_size (it was {size})"
        reason = (str(error).strip().splitlines() or [""])[0]
        return (
            f"{self.method}: no memory was left for {batch}; {', '.join(held)}. {lower}, or the sizes of the layers; "
            f"the model and its optimizer are as they were before this batch. ({reason})"
        )


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and one.device == other.device


def slots_of(optimizer: Any) -> list[Tensor]:
    """Return the tensors that an optimizer keeps for its parameters.

    Args:
        optimizer: One of this package's or torch's.
    """
    states = getattr(optimizer, "state", {}).values()
    return [value for state in states if isinstance(state, dict) for value in state.values() if _is_tensor(value)]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def mebibytes(tensors: Iterable[Tensor]) -> str:
    """Return how much memory tensors hold, that of views once.

    Args:
        tensors: Any tensors.

    Example:
        >>> import torch
        >>> mebibytes([torch.zeros(1 << 18), torch.zeros(1 << 17)])
        '1.5 MiB'
    """
    storages = {storage.data_ptr(): storage.nbytes() for storage in (t.untyped_storage() for t in tensors)}
    return f"{sum(storages.values()) / 2**20:.1f} MiB"
