"""One seed for every source of randomness."""

from __future__ import annotations

import random

import numpy as np
import torch

from .._core import randomness
from .._core.errors import argument_error


def set_random_seed(seed: int) -> None:
    """Seed Python's, numpy's and torch's generators, so that a run repeats.

    Args:
        seed: An integer from 0 to 2³² − 1.

    Raises:
        TypeError: A seed that is no integer.

    Example:
        >>> set_random_seed(7)
        >>> round(float(np.random.rand()), 4)
        0.0763
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise argument_error("set_random_seed", "seed", "an integer", seed, TypeError)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    randomness.set_graph_seed(seed)
