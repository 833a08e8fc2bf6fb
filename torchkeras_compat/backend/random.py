"""Random tensors.

Without a seed they follow the run: inside `fit` and its like torch's generator, which the run has seeded, otherwise a
seed drawn as the initializers draw theirs.  With a seed, each further call goes on in that seed's own sequence.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from .._core import randomness, settings
from .._core.errors import fraction
from .._core.operations import creation, operation
from .._core.shapes import sizes
from .variables import variable

F = TypeVar("F", bound=Callable[..., Any])

_streams: dict[int, torch.Generator] = {}


def forget_streams() -> None:
    """Let every seed begin its sequence afresh."""
    _streams.clear()


def streams() -> dict[int, Tensor]:
    """Return where the sequence of each seed stands."""
    return {seed: generator.get_state() for seed, generator in _streams.items()}


def set_streams(states: Mapping[int, Tensor]) -> None:
    """Let the sequences of seeds go on where they stood.

    Args:
        states: What `streams` returned.
    """
    forget_streams()
    for seed, state in states.items():
        _streams[seed] = randomness.generator(seed)
        _streams[seed].set_state(state)


def _generator(seed: int | None) -> torch.Generator | None:
    if seed is None:
        return None if settings.running_phase() is not None else randomness.generator()
    return _streams.setdefault(seed, randomness.generator(seed))


def _drawn(
    shape: int | Sequence[int], dtype: Any, seed: int | None
) -> tuple[Tensor, torch.Generator | None, torch.dtype]:
    """Return an empty tensor to draw into, the generator and the type of the result."""
    wanted = settings.torch_dtype(dtype)
    generator = _generator(seed)
    device = settings.default_device() if generator is None else torch.device("cpu")
    return torch.empty(sizes(shape), dtype=randomness.drawing_dtype(wanted), device=device), generator, wanted


def _drawing(function: F) -> F:
    """Do what `creation` does; of a symbolic shape nothing is drawn before the shape is known."""

    @functools.wraps(function)
    def on_shapes(*args: Any, **kwargs: Any) -> Tensor:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
        kind = settings.torch_dtype(bound.get("dtype"))
        return torch.empty(sizes(bound["shape"]), dtype=kind, device="meta")

    made = creation(function)
    made._on_shapes = on_shapes  # type: ignore[attr-defined]
    return made


@_drawing
def random_normal(
    shape: int | Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Return values of a normal distribution.

    Args:
        shape: Of the result.
        mean: Of the distribution.
        stddev: Likewise.
        dtype: The type, the default float type if `None`.
        seed: Of a sequence of its own.

    Example:
        >>> random_normal((2, 3)).shape
        (2, 3)
    """
    values, generator, wanted = _drawn(shape, dtype, seed)
    return values.normal_(mean, stddev, generator=generator).to(settings.default_device(), wanted)


@_drawing
def random_uniform(
    shape: int | Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Return values of a uniform distribution; of an integer type, integers below `maxval`.

    Args:
        shape: Of the result.
        minval: Lower bound.
        maxval: Upper bound.
        dtype: The type, the default float type if `None`.
        seed: Of a sequence of its own.

    Example:
        >>> bool((random_uniform((9,), 2, 3) >= 2).all())
        True
    """
    values, generator, wanted = _drawn(shape, dtype, seed)
    if not wanted.is_floating_point:
        values = values.double().uniform_(minval, maxval, generator=generator).floor_()
        return values.to(settings.default_device(), wanted)
    return values.uniform_(minval, maxval, generator=generator).to(settings.default_device(), wanted)


@_drawing
def truncated_normal(
    shape: int | Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Return values of a normal distribution, drawn again beyond two standard deviations.

    The arguments are those of `random_normal`.

    Example:
        >>> bool((truncated_normal((99,)).abs() <= 2).all())
        True
    """
    values, generator, wanted = _drawn(shape, dtype, seed)
    torch.nn.init.trunc_normal_(values, 0.0, 1.0, -2.0, 2.0, generator=generator)
    return (values * stddev + mean).to(settings.default_device(), wanted)


@_drawing
def random_bernoulli(shape: int | Sequence[int], p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Tensor:
    """Return ones with probability `p`, else zeros.

    Args:
        shape: Of the result.
        p: The probability of a one.
        dtype: The type, the default float type if `None`.
        seed: Of a sequence of its own.

    Example:
        >>> random_bernoulli((2,), p=1.0)
        tensor([1., 1.])
    """
    probability = fraction("random_bernoulli", "p", p)
    values, generator, wanted = _drawn(shape, dtype, seed)
    return values.bernoulli_(probability, generator=generator).to(settings.default_device(), wanted)


random_binomial = random_bernoulli


def random_uniform_variable(
    shape: int | Sequence[int],
    low: float,
    high: float,
    dtype: Any = None,
    name: str | None = None,
    seed: int | None = None,
) -> Any:
    """Return a variable with values of a uniform distribution.

    Example:
        >>> random_uniform_variable((2,), 0, 1).shape
        (2,)
    """
    return variable(random_uniform(shape, low, high, dtype, seed), dtype, name)


def random_normal_variable(
    shape: int | Sequence[int],
    mean: float,
    scale: float,
    dtype: Any = None,
    name: str | None = None,
    seed: int | None = None,
) -> Any:
    """Return a variable with values of a normal distribution of standard deviation `scale`.

    Example:
        >>> random_normal_variable((2,), 0, 1).shape
        (2,)
    """
    return variable(random_normal(shape, mean, scale, dtype, seed), dtype, name)


@operation
def dropout(x: Tensor, level: float, noise_shape: Any = None, seed: int | None = None) -> Tensor:
    """Return `x` with a part of it set to zero at random and the rest scaled up.

    Args:
        x: Any tensor.
        level: The part, in [0, 1).
        noise_shape: The shape of the choice, broadcast over `x`; `None` for its own.
        seed: Of a sequence of its own.

    Raises:
        ValueError: `level` is not in [0, 1).

    Example:
        >>> dropout([1.0, 2.0], 0.0)
        tensor([1., 2.])
    """
    rate = fraction("dropout", "level", level, one_allowed=False)
    if rate == 0:
        return x
    shape = [own if n is None else int(n) for n, own in zip(noise_shape or x.shape, x.shape)]
    if x.device.type == "meta":
        return x * x.new_empty(shape)
    generator = _generator(seed)
    kept = torch.empty(shape, dtype=x.dtype, device=x.device if generator is None else "cpu")
    return x * kept.bernoulli_(1 - rate, generator=generator).div_(1 - rate).to(x.device)
