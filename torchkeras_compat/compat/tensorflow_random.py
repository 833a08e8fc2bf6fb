"""`tf.random` beside the normal and uniform numbers: other distributions, generators, and numbers of a seed alone."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .._core import randomness, settings
from .._core.errors import argument_error
from .._core.user_tensors import hand_out
from .tensorflow_calls import sizes, tensor


def _here(drawn: Tensor) -> Tensor:
    """Return numbers on the device of new models."""
    return drawn.to(settings.default_device())


def gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = "float32", seed: int | None = None, name: Any = None
) -> Tensor:
    """Return numbers of gamma distributions, `(*shape, *shape of alpha and beta)`.

    Args:
        shape: How many of each.
        alpha: The shapes of the distributions.
        beta: Their rates, 1 if `None`.
        dtype: The type.
        seed: A seed.
        name: Accepted.
    """
    kind = settings.torch_dtype(dtype)
    rates: Tensor = tensor(1.0 if beta is None else beta, kind)
    shapes: Tensor = tensor(alpha, kind) + torch.zeros_like(rates)
    drawn: Tensor = torch._standard_gamma(
        shapes.cpu().expand(*sizes(shape), *shapes.shape).contiguous(), randomness.generator(seed)
    )
    return _here(drawn) / rates


def poisson(shape: Any, lam: Any, dtype: Any = "float32", seed: int | None = None, name: Any = None) -> Tensor:
    """Return numbers of Poisson distributions, `(*shape, *shape of lam)`.

    Args:
        shape: How many of each.
        lam: The means.
        dtype: The type.
        seed: A seed.
        name: Accepted.
    """
    means = tensor(lam, "float32").cpu()
    drawn = torch.poisson(means.expand(*sizes(shape), *means.shape).contiguous(), randomness.generator(seed))
    return _here(drawn.to(settings.torch_dtype(dtype)))


class Generator:
    """Numbers from a state of its own, `tf.random.Generator`.

    Args:
        generator: The state.

    Example:
        >>> first, second = Generator.from_seed(3), Generator.from_seed(3)
        >>> bool((first.normal([2]) == second.normal([2])).all())
        True
    """

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    @classmethod
    def from_seed(cls, seed: int, alg: Any = None) -> Generator:
        """Return a generator whose numbers a seed decides.

        Args:
            seed: The seed.
            alg: Accepted.
        """
        return cls(torch.Generator().manual_seed(int(seed)))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """Return a generator with another state each time.

        Args:
            alg: Accepted.
        """
        made = torch.Generator()
        made.seed()
        return cls(made)

    def reset_from_seed(self, seed: int) -> None:
        """Begin the numbers of a seed.

        Args:
            seed: The seed.
        """
        self._generator.manual_seed(int(seed))

    def normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None) -> Any:
        """Return normal numbers.

        Args:
            shape: The shape.
            mean: Their mean.
            stddev: Their standard deviation.
            dtype: The type.
            name: Accepted.
        """
        return hand_out(_normal(shape, mean, stddev, dtype, self._generator))

    def uniform(self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", name: Any = None) -> Any:
        """Return numbers of an interval.

        Args:
            shape: The shape.
            minval: The least.
            maxval: Where they end, 1 for floats.
            dtype: The type.
            name: Accepted.
        """
        return hand_out(_uniform(shape, minval, maxval, dtype, self._generator))

    def make_seeds(self, count: int = 1) -> Any:
        """Return seeds for functions of a seed alone, `(2, count)`.

        Args:
            count: How many.
        """
        return hand_out(torch.randint(0, 2**62, (2, int(count)), generator=self._generator))


def _normal(shape: Any, mean: Any, stddev: Any, dtype: Any, generator: torch.Generator) -> Tensor:
    kind = settings.torch_dtype(dtype)
    drawn = _here(torch.randn(sizes(shape), generator=generator, dtype=kind))
    moved: Tensor = drawn * tensor(stddev, kind) + tensor(mean, kind)
    return moved


def _uniform(shape: Any, minval: Any, maxval: Any, dtype: Any, generator: torch.Generator) -> Tensor:
    kind = settings.torch_dtype(dtype)
    if not kind.is_floating_point:
        if maxval is None:
            raise argument_error("tf.random", "maxval", "a number where dtype is an integer", maxval)
        return _here(torch.randint(int(minval), int(maxval), sizes(shape), generator=generator, dtype=kind))
    low: Tensor = tensor(minval, kind)
    high: Tensor = tensor(1 if maxval is None else maxval, kind)
    return _here(torch.rand(sizes(shape), generator=generator, dtype=kind)) * (high - low) + low


def of_seeds(owner: str, seed: Any) -> torch.Generator:
    """Return the generator of the two numbers that functions of a seed alone take.

    Args:
        owner: Who asks.
        seed: The numbers.

    Raises:
        ValueError: Another number of numbers.
    """
    pair = sizes(seed)
    if len(pair) != 2:
        raise argument_error(owner, "seed", "two integers", seed)
    return torch.Generator().manual_seed(hash(pair) % 2**63)


def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None, alg: Any = None
) -> Tensor:
    """Return normal numbers, equal ones of equal seeds; they are not TensorFlow's.

    Args:
        shape: The shape.
        seed: Two integers.
        mean: Their mean.
        stddev: Their standard deviation.
        dtype: The type.
        name: Accepted.
        alg: Accepted.
    """
    return _normal(shape, mean, stddev, dtype, of_seeds("tf.random.stateless_normal", seed))


def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    name: Any = None,
    alg: Any = None,
) -> Tensor:
    """Return numbers of an interval, equal ones of equal seeds; they are not TensorFlow's.

    Args:
        shape: The shape.
        seed: Two integers.
        minval: The least.
        maxval: Where they end, 1 for floats.
        dtype: The type.
        name: Accepted.
        alg: Accepted.
    """
    return _uniform(shape, minval, maxval, dtype, of_seeds("tf.random.stateless_uniform", seed))


_GLOBAL: list[Generator] = []


def get_global_generator() -> Generator:
    """Return the generator that scripts share, from the user's own seeds."""
    if not _GLOBAL:
        _GLOBAL.append(Generator(randomness.generator()))
    return _GLOBAL[0]


def log_uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return classes drawn by Zipf's law, and how often the true ones and they are expected among them.

    Args:
        true_classes: `(batch, num_true)`.
        num_true: How many true classes a sample has.
        num_sampled: How many are drawn.
        unique: Whether each is drawn once.
        range_max: The number of classes, the frequent ones first.
        seed: A seed.
        name: Accepted.
    """
    if unique and num_sampled > range_max:
        expected = f"at most range_max={range_max} where unique=True"
        raise argument_error("tf.random.log_uniform_candidate_sampler", "num_sampled", expected, num_sampled)
    numbers = torch.arange(int(range_max), dtype=torch.float64)
    chances = torch.log((numbers + 2) / (numbers + 1)) / math.log(range_max + 1)
    generator, tries = randomness.generator(seed), 0
    drawn: list[int] = []
    while len(drawn) < num_sampled:
        tries += 1
        one = int(torch.multinomial(chances, 1, generator=generator))
        drawn += [] if unique and one in drawn else [one]
    expected_counts = -torch.expm1(tries * torch.log1p(-chances)) if unique else chances * num_sampled
    sampled = torch.tensor(drawn, dtype=torch.int64)
    true = tensor(true_classes).long().cpu()
    return _here(sampled), _here(expected_counts[true].float()), _here(expected_counts[sampled].float())


RANDOM: dict[str, Any] = {
    "gamma": gamma,
    "poisson": poisson,
    "Generator": Generator,
    "get_global_generator": get_global_generator,
    "stateless_normal": stateless_normal,
    "stateless_uniform": stateless_uniform,
    "log_uniform_candidate_sampler": log_uniform_candidate_sampler,
}
