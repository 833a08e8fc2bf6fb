"""The part of a data set that makes one of functions and numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core import randomness, settings
from .._core.errors import argument_error
from .dataset_trees import INFINITE, UNKNOWN, Chained, Tree, as_specified, copied, mapped, specs_of


class Sources(Chained):
    """Data sets of generators, and of numbers without end."""

    _announced: Tree = None  # what a generator's elements were said to be

    @classmethod
    def from_generator(
        cls,
        generator: Callable[..., Iterable[Any]],
        output_types: Tree = None,
        output_shapes: Tree = None,
        args: Any = None,
        output_signature: Tree = None,
        name: str | None = None,
    ) -> Any:
        """Return what a function's iterable yields, which is called anew for each pass.

        Args:
            generator: The function.
            output_types: The type of each part of an element; as they come if nothing says it.
            output_shapes: The shape of each part, `None` for a length that varies.
            args: The function's arguments.
            output_signature: Types and shapes together, a `tf.TensorSpec` for each part.
            name: Accepted.

        Raises:
            ValueError: An element of another structure or shape.
        """
        if not callable(generator):
            raise argument_error(
                "Dataset.from_generator", "generator", "a function that returns an iterable", generator
            )
        specs = output_signature if output_types is None else specs_of(output_types, output_shapes)

        def items() -> Iterator[Any]:
            for item in generator(*(args or ())):  # it may fill one buffer again
                yield mapped(copied, item if specs is None else as_specified(item, specs))

        made = cls._begun_by(items, UNKNOWN)
        made._announced = specs
        return made

    @classmethod
    def counter(cls, start: int = 0, step: int = 1, dtype: Any = "int64", name: str | None = None) -> Any:
        """Return whole numbers without end.

        Args:
            start: The first.
            step: The distance of two.
            dtype: Their type.
            name: Accepted.
        """
        kind = settings.torch_dtype(dtype)
        return cls._begun_by(
            lambda: (torch.tensor(n, dtype=kind) for n in itertools.count(int(start), int(step))), INFINITE
        )

    @classmethod
    def random(
        cls, seed: int | None = None, rerandomize_each_iteration: bool | None = None, name: str | None = None
    ) -> Any:
        """Return whole numbers by chance, of 32 bits, without end.

        Args:
            seed: Makes them repeat; they are not TensorFlow's.
            rerandomize_each_iteration: Whether each pass has others; so it is if `None`, but with a seed.
            name: Accepted.
        """
        again = (seed is not None) if rerandomize_each_iteration is None else not rerandomize_each_iteration
        start = randomness.draw_seed() if seed is None else int(seed)
        draws = np.random.RandomState(start)

        def numbers() -> Iterator[Tensor]:
            source = np.random.RandomState(start) if again else draws
            while True:
                yield torch.tensor(int(source.randint(1 << 32, dtype=np.int64)))

        return cls._begun_by(numbers, INFINITE)
