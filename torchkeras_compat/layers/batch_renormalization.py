"""What BatchNormalization has in tf.keras beside the plain way: batch renormalisation, and parts of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .._core.errors import argument_error

BOUNDS = ("rmin", "rmax", "dmax")


class Deviations(nn.Module):
    """The averages that renormalisation keeps beside the moving mean and variance.

    Args:
        shape: Their shape.
        dtype: Their type.
    """

    moving_stddev: Tensor
    renorm_mean: Tensor
    renorm_stddev: Tensor

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        super().__init__()
        for name in ("moving_stddev", "renorm_mean", "renorm_stddev"):
            self.register_buffer(name, torch.empty(shape, dtype=dtype))


def square_root(initializer: Callable[..., Tensor], shape: Any, dtype: Any = None) -> Tensor:
    """Return the square roots of what an initializer of variances makes.

    Args:
        initializer: That of the variances.
        shape: The shape.
        dtype: The type.
    """
    return initializer(shape, dtype=dtype).sqrt()


def checked_bounds(clipping: Any) -> dict[str, Any]:
    """Return the bounds of the correction.

    Args:
        clipping: `None`, or a dictionary with any of `rmin`, `rmax` and `dmax`.

    Raises:
        ValueError: Another key.
    """
    bounds = dict(clipping or {})
    if set(bounds) - set(BOUNDS):
        raise argument_error("BatchNormalization", "renorm_clipping", f"a dictionary with keys of {BOUNDS}", clipping)
    return bounds


@torch.no_grad()
def correction(
    kept: Deviations, mean: Tensor, deviation: Tensor, epsilon: float, bounds: Mapping[str, Any]
) -> tuple[Tensor, Tensor]:
    """Return factor and offset by which the normal numbers of a batch become those of the averages.

    Args:
        kept: The averages.
        mean: Of the batch.
        deviation: Of the batch.
        epsilon: That of the variance.
        bounds: `rmin` and `rmax` bound the factor, `dmax` the offset.

    Source:
        Ioffe, 2017, algorithm 1; the bound by epsilon as in tf.keras 2.15.
    """
    known_mean = kept.renorm_mean.view(mean.shape)
    known = kept.renorm_stddev.view(mean.shape).clamp(min=math.sqrt(epsilon))
    factor, offset = deviation / known, (mean - known_mean) / known
    low, high, most = (None if (b := bounds.get(k)) is None else torch.as_tensor(b).to(mean) for k in BOUNDS)
    factor = factor if low is None else torch.maximum(factor, low)
    factor = factor if high is None else torch.minimum(factor, high)
    offset = offset if most is None else torch.minimum(torch.maximum(offset, -most), most)
    return factor, offset


@torch.no_grad()
def move_deviations(kept: Deviations, mean: Tensor, deviation: Tensor, momentum: float, renorm_momentum: float) -> None:
    """Move the averages of deviations by those of a batch.

    Args:
        kept: The averages.
        mean: Of the batch.
        deviation: Of the batch.
        momentum: Of the average that inference takes.
        renorm_momentum: Of the averages that the correction takes.
    """
    for average, value, rate in (
        (kept.renorm_mean, mean, renorm_momentum),
        (kept.renorm_stddev, deviation, renorm_momentum),
        (kept.moving_stddev, deviation, momentum),
    ):
        average.lerp_(value.to(average.dtype).view(average.shape), 1 - rate)


def in_parts(inputs: Tensor, size: int, training: bool) -> Tensor:
    """Return a batch with a second axis, of parts of `size` samples; in inference each sample is a part.

    Args:
        inputs: The batch.
        size: Samples a part: `virtual_batch_size`.
        training: The mode.

    Raises:
        ValueError: The batch is no multiple of `size`.
    """
    if not training:
        return inputs.unsqueeze(1)
    if inputs.shape[0] % size:
        raise ValueError(
            f"BatchNormalization(virtual_batch_size={size}): a batch of {inputs.shape[0]} samples cannot be cut into "
            f"parts of {size}; give fit a batch_size that is a multiple of it, and as many samples."
        )
    return inputs.reshape(size, -1, *inputs.shape[1:])
