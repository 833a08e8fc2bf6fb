"""Keras's call for training on several GPUs, which is refused as Keras refuses it where there are too few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import torch

INSTEAD = "a model trains on one GPU here: write the model itself in the place of multi_gpu_model(model)"


def multi_gpu_model(
    model: Any, gpus: int | Sequence[int] | None = None, cpu_merge: bool = True, cpu_relocation: bool = False
) -> NoReturn:
    """Refuse with the `ValueError` of Keras 2.3, on which scripts go on with the model itself.

    Args:
        model: The model.
        gpus: How many GPUs, or their numbers; all there are if `None`.
        cpu_merge: Where Keras would join the outputs.
        cpu_relocation: Where Keras would put the weights.

    Raises:
        ValueError: One GPU or none, more than the machine has, or several, which no model uses here yet.

    Example:
        >>> model = 'a model'
        >>> try:
        ...     parallel_model = multi_gpu_model(model)
        ... except ValueError:
        ...     parallel_model = model
    """
    there = torch.cuda.device_count()
    asked = there if gpus is None or gpus == 0 else gpus
    numbers = list(asked) if isinstance(asked, Sequence) else list(range(asked))
    told = f"multi_gpu_model(gpus={gpus})"
    if len(numbers) < 2:
        raise ValueError(f"{told}: gpus must be 2 or more, or as many numbers; {INSTEAD}.")
    if not set(numbers) <= set(range(there)):
        raise ValueError(f"{told}: too few GPUs on this machine, {there}; {INSTEAD}.")
    raise ValueError(f"{told}: several GPUs are not used yet; {INSTEAD}.")
