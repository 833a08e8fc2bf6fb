"""Data as symbolic tensors: what `iterator.get_next()` of TensorFlow 1 returns is drawn anew for each batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._core.errors import show
from ..._core.symbolic import SymbolicTensor, inputs_before
from ..._core.tree import flatten
from ...backend.sessions import Session


def drawn(method: str, x: Any, y: Any = None, sample_weight: Any = None) -> tuple[Any, Any, Any]:
    """Return data as they are; of symbolic tensors a generator of their batches in the place of x.

    Args:
        method: The method that they were given to.
        x: Inputs.
        y: Targets.
        sample_weight: Sample weights.

    Raises:
        TypeError: Symbolic tensors that no iterator of a data set draws.
    """
    symbols = [leaf for tree in (x, y, sample_weight) for leaf in _leaves(tree) if isinstance(leaf, SymbolicTensor)]
    if not symbols:
        return x, y, sample_weight
    sources = inputs_before(symbols)
    if not sources or any(source.drawn_by is None for source in sources):
        raise TypeError(
            f"{method}: arrays are expected, or what iterator.get_next() of a tf.data.Dataset returns; got "
            f"{show(symbols[0])}, a symbolic tensor without values."
        )
    parts = (x,) if y is None else (x, y) if sample_weight is None else (x, y, sample_weight)
    return _batches(parts), None, None


def _leaves(tree: Any) -> list[Any]:
    """Return the leaves of small trees: a list of numbers is no tree of tensors."""
    if isinstance(tree, SymbolicTensor):
        return [tree]
    if isinstance(tree, dict) or (isinstance(tree, (list, tuple)) and tree and isinstance(tree[0], SymbolicTensor)):
        return flatten(tree)
    return []


def _batches(parts: tuple[Any, ...]) -> Iterator[Any]:
    session = Session()
    while True:
        try:
            batch = session.run(parts)
        except IndexError:  # the pass over the data set has ended
            return
        yield batch if len(batch) > 1 else batch[0]
