"""What is known of a layer beside its shapes: the record that decides how models may run it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Traits:
    """Promises of a layer; what nobody has declared is not promised.

    `tests/contract/test_traits.py` proves each of them for every layer that declares it.

    Attributes:
        row_wise: In inference a sample's output depends on that sample alone, so that batches may be joined.
        takes_integers: The input is indices.
        makes_mask: A mask may begin here.
        walks_over_time: The layer multiplies by its weights at each step, so that many samples should run at once.
        stateful: It keeps something from one batch to the next.
        joins_batches: Stateful, and able to take several batches at once as one after the other.
        runs_user_code: A user's code has a part in what it gives.
    """

    row_wise: bool = False
    takes_integers: bool = False
    makes_mask: bool = False
    walks_over_time: bool = False
    stateful: bool = False
    joins_batches: bool = False
    runs_user_code: bool = False

    def with_parts(self, parts: Iterable[Traits]) -> Traits:
        """Return the traits of a layer that has others inside: what one of them does, it does."""
        parts = list(parts)
        if not parts:
            return self
        return replace(
            self,
            row_wise=self.row_wise and all(part.row_wise for part in parts),
            makes_mask=self.makes_mask or any(part.makes_mask for part in parts),
            walks_over_time=self.walks_over_time or any(part.walks_over_time for part in parts),
            stateful=self.stateful or any(part.stateful for part in parts),
            joins_batches=self.joins_batches and all(part.joins_batches or not part.stateful for part in parts),
            runs_user_code=self.runs_user_code or any(part.runs_user_code for part in parts),
        )


ROW_WISE = Traits(row_wise=True)


def reach_samples(axes: Sequence[int], rank: int) -> bool:
    """Tell whether one of some axes is that of the samples, or may be.

    Args:
        axes: The axes.
        rank: How many axes the input has, 0 where that is not known yet.
    """
    return any(axis % rank == 0 if rank else axis == 0 or axis < -1 for axis in axes)


# Attributes of layers that traits follow from; a layer inside another is one, too.
DECISIVE = frozenset(
    "stateful activity_regularizer activation recurrent_activation mask_zero return_state axis function mask "
    "cell statistics".split()
)


# Attributes of models that change from one `fit` to the next, and that no computation depends on.
NEWS = frozenset("history stop_training validation_data optimizer built".split())


class Changes:
    """Counts the assignments to any layer: what was derived of one stands until the next.

    Attributes:
        count: Those that traits may follow from.
        assigned: Those that what a layer computes may follow from.
    """

    count = 0
    assigned = 0

    @classmethod
    def note(cls) -> None:
        """Take note of one."""
        cls.count += 1


_RATES = ("rate", "stddev", "word_dropout", "dropout", "recurrent_dropout")


def rates(layer: Any) -> list[Any]:
    """Return how much a layer drops or adds by chance in training, for each of its arguments that says so.

    Example:
        >>> from torchkeras_compat import layers
        >>> rates(layers.LSTM(3, dropout=.5)), rates(layers.Dense(3))
        ([0.5, 0.0], [])
    """
    # Not by asking the layer for each: it answers to old names of its arguments, too
    return [getattr(layer, name) for name in _RATES if name in vars(layer) or hasattr(type(layer), name)]
