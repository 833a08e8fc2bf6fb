"""`PreprocessingLayer`: a layer whose state comes from a look at the data, before training."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core.errors import argument_error, positive_int
from ..._core.ragged import RaggedTensor
from ..._core.strings import StringTensor, holds_strings
from ..._core.user_tensors import UserTensor, take_back
from ..base import ROW_WISE, Layer

BATCH_SIZE = 32  # of `adapt`, where nothing else is said


class PreprocessingLayer(Layer):
    """Base of layers that learn from data by `adapt`, and not by training.

    A subclass has `update_state(data)`, called with each batch, `reset_state()`, and `finalize_state()`, called after
    the last batch.

    Args:
        kwargs: The arguments of every layer.

    Raises:
        TypeError: An unknown argument.

    Example:
        >>> from torchkeras_compat.layers.preprocessing.base import PreprocessingLayer
        >>> class Largest(PreprocessingLayer):
        ...     largest = 0.
        ...     def update_state(self, data):
        ...         self.largest = max(self.largest, float(np.max(data)))
        ...     def reset_state(self):
        ...         self.largest = 0.
        ...     def call(self, inputs):
        ...         return inputs / self.largest
        >>> layer = Largest()
        >>> layer.adapt(np.array([[1.], [4.]]))
        >>> layer(np.array([[2.]])).tolist()
        [[0.5]]
    """

    _class_traits = ROW_WISE
    _is_adapted: bool = False
    _state_has_shape: bool = (
        True  # whether what is learnt depends on the shape of the data, so that it builds the layer
    )

    @property
    def is_adapted(self) -> bool:
        """Whether `adapt` has been called since the state was last reset."""
        return self._is_adapted

    def compile(self, run_eagerly: bool | None = None, steps_per_execution: int | None = None) -> None:
        """Do nothing: `adapt` runs as it stands.

        Args:
            run_eagerly: Accepted.
            steps_per_execution: Accepted.
        """

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Compute the layer's state from data; what it had learnt before is forgotten.

        Args:
            data: An array, a list, a tensor or a frame of samples, or an iterable of batches, such as a
                `tf.data.Dataset`, a generator or a `keras.utils.Sequence`.
            batch_size: Samples a batch, of arrays; 32 when `None`.
            steps: The number of batches; all when `None`.

        Raises:
            ValueError: Data without a sample, or a batch size for an iterable of batches.
        """
        if self.built or not self._state_has_shape:
            self.reset_state()
        seen = 0
        for batch in itertools.islice(self._batches(data, batch_size), steps):
            if not self.built:
                if self._state_has_shape:
                    self._build_from(_shape_of_batches(batch))
                self._declare_by(batch)
            self.update_state(batch)
            seen += 1
        if not seen:
            raise ValueError(f"{self}: adapt(data) needs a sample at least; got none.")
        self.finalize_state()
        self._is_adapted = True

    def _declare_by(self, batch: Any) -> None:
        """Have inputs as many axes as the data, as in Keras, so that a model that begins with this layer is built.

        Sizes that weights were made for are told, too: Keras leaves them open and cannot load what it saves.  Numbers
        of one axis do not count: what follows them wants two, and the first batch says so.
        """
        rank = np.ndim(batch)
        self._declares_strings = holds_strings(np.asarray(batch))
        if self.batch_input_shape is None and (rank > 1 or self._declares_strings):
            self.batch_input_shape = (None, *(self._sizes_of_weights.get(axis) for axis in range(1 - rank, 0)))

    def _batches(self, data: Any, batch_size: int | None) -> Iterator[Any]:
        """Yield the batches of what `adapt` was given."""
        if isinstance(data, RaggedTensor):
            data = data.flat_values
        if _is_stream(data):
            if batch_size is not None:
                raise argument_error("adapt", "batch_size", "None where data come in batches", batch_size)
            yield from map(host_array, _batches_of_stream(data))
            return
        array = host_array(data)
        size = BATCH_SIZE if batch_size is None else positive_int("adapt", "batch_size", batch_size)
        for start in range(0, len(array), size):
            yield array[start : start + size]

    def update_state(self, data: Any) -> None:
        """Take a batch into account.

        Args:
            data: The batch, an array.
        """
        raise NotImplementedError(f"{self}: write update_state(self, data), which adapt calls with each batch.")

    def reset_state(self) -> None:
        """Forget what was learnt from data."""
        raise NotImplementedError(f"{self}: write reset_state(self), which adapt calls first.")

    def finalize_state(self) -> None:
        """Compute what the layer needs of its state; called after the last batch."""

    def _forget(self) -> None:
        """Note that the layer is not adapted any more."""
        self._is_adapted = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "reset_state" in cls.__dict__:
            written = cls.__dict__["reset_state"]

            def reset_state(self: PreprocessingLayer) -> None:
                written(self)
                self._forget()

            reset_state.__doc__ = written.__doc__
            cls.reset_state = reset_state  # type: ignore[method-assign]


def host_array(value: Any) -> Any:
    """Return what a user hands over as a numpy array in memory."""
    if isinstance(value, UserTensor):
        value = take_back(value)
    if isinstance(value, Tensor):
        return value.numpy() if isinstance(value, StringTensor) else value.detach().cpu().numpy()
    if hasattr(value, "to_numpy"):
        return value.to_numpy()
    return value if isinstance(value, np.ndarray) else np.asarray(value)


def _is_stream(data: Any) -> bool:
    """Tell whether data come in batches, one after the other."""
    if isinstance(data, (np.ndarray, Tensor, list, tuple, str, bytes)) or hasattr(data, "to_numpy"):
        return False
    return isinstance(data, Iterable) or (hasattr(data, "__getitem__") and hasattr(data, "__len__"))


def _batches_of_stream(data: Any) -> Iterator[Any]:
    if isinstance(data, Iterable):
        yield from data
        return
    for number in range(len(data)):
        yield data[number]


def _shape_of_batches(batch: Any) -> tuple[int | None, ...]:
    """Return the Keras shape of inputs like a batch."""
    return (None, *np.shape(batch)[1:])


def as_numbers(inputs: Tensor, kind: torch.dtype) -> Tensor:
    """Return integers as the floats that a layer computes in; floats stay what they are."""
    return inputs if inputs.is_floating_point() else inputs.to(kind)
