"""Values put into bins by their hash: Hashing and HashedCrossing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..._core import registry
from ..._core.errors import argument_error, positive_int, show
from ..._core.graph_capture import not_in_graphs
from ..._core.shapes import Shape
from .base import host_array
from .encoding import COUNT, INT, MULTI_HOT, ONE_HOT, IntegerOutput, dense_only, dtype_of_mode, encode, encoded_shape
from .encoding import output_mode as checked_mode
from .farmhash import fingerprint64, joined_fingerprint
from .siphash import siphash

_CROSS_KEY = 0xDECAFCAFFE  # with which TensorFlow's cross begins
_MASK = (1 << 64) - 1


class BinLayer(IntegerOutput):
    """Base of layers that compute bins of values on the host.

    Args:
        num_bins: How many bins there are.
        output_mode: One of `modes`.
        sparse: Only `False`.
        kwargs: The arguments of every layer.
    """

    _takes_integers = _takes_strings = True
    modes: tuple[str, ...] = (INT, ONE_HOT, MULTI_HOT, COUNT)

    def __init__(self, num_bins: int, output_mode: str = INT, sparse: bool = False, **kwargs: Any) -> None:
        owner = type(self).__name__
        mode = checked_mode(owner, output_mode, self.modes)
        kwargs["dtype"] = dtype_of_mode(mode, kwargs.get("dtype"))
        super().__init__(**kwargs)
        self.num_bins = positive_int(owner, "num_bins", num_bins)
        self.output_mode, self.sparse = mode, dense_only(owner, sparse)

    def _to_tensor(self, value: Any) -> Any:
        """Return the input as an array of strings or integers."""
        return host_array(value)

    def _values(self, inputs: Any) -> tuple[list[Any], Shape]:
        """Return the values of an input one by one, and its shape.

        Raises:
            TypeError: They are neither strings nor integers.
        """
        array = host_array(inputs)
        values = [value.encode() if isinstance(value, str) else value for value in array.reshape(-1).tolist()]
        wrong = next(
            (value for value in values if isinstance(value, bool) or not isinstance(value, (bytes, int))), None
        )
        if wrong is not None:
            raise TypeError(f"{self}: it takes strings or integers; got {show(wrong)}.")
        return values, array.shape

    def _encoded(self, bins: Sequence[int], shape: Shape, like: Any) -> torch.Tensor:
        indices = torch.tensor(bins, dtype=torch.int64).reshape([n or 0 for n in shape])
        y = encode(self, indices, self.output_mode, self.num_bins, self._kind)
        return y.to(like.device) if isinstance(like, torch.Tensor) else y


@registry.register("layer")
class Hashing(BinLayer):
    """Puts strings or integers into bins by their hash, FarmHash's or with a salt SipHash's.

    Args:
        num_bins: How many bins there are, that of the mask value included.
        mask_value: A value that has bin 0 for itself.
        salt: An integer, or two, that make another hash function.
        output_mode: `'int'`, `'one_hot'`, `'multi_hot'` or `'count'`.
        sparse: Only `False`.
        kwargs: The arguments of every layer.

    Shape:
        Input: any, of strings or integers.
        Output: the same for `'int'`, else `(batch, num_bins)`.

    Raises:
        ValueError: `num_bins` is not positive, a salt of another form, or an unknown mode.

    Source:
        FarmHash (Pike, 2014); SipHash (Aumasson & Bernstein, 2012); bins as in TensorFlow 2.15.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Hashing(3)(np.array([['A'], ['B'], ['C'], ['D'], ['E']])).flatten().tolist()
        [1, 0, 1, 1, 2]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: int | Sequence[int] | None = None,
        output_mode: str = INT,
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_bins, output_mode, sparse, **kwargs)
        self.mask_value = mask_value
        self.salt = _key(salt)

    def _bin(self, value: Any) -> int:
        masked = self.mask_value is not None and self.num_bins > 1
        if masked and value == (self.mask_value.encode() if isinstance(self.mask_value, str) else self.mask_value):
            return 0
        text = value if isinstance(value, bytes) else str(value).encode()
        number = fingerprint64(text) if self.salt is None else siphash(text, self.salt)
        return number % (self.num_bins - 1) + 1 if masked else number % self.num_bins

    def call(self, inputs: Any) -> Any:
        """Return the bins, or vectors of them."""
        not_in_graphs(self, "it hashes values in Python")
        values, shape = self._values(inputs)
        return self._encoded([self._bin(value) for value in values], shape, inputs)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the bins, or of their vectors."""
        return encoded_shape(input_shape, self.output_mode, self.num_bins)


def _key(salt: Any) -> list[int] | None:
    if salt is None:
        return None
    items = list(salt) if isinstance(salt, (tuple, list)) else [salt, salt]
    if len(items) != 2 or any(isinstance(item, bool) or not isinstance(item, (int, np.integer)) for item in items):
        raise argument_error("Hashing", "salt", "an integer or two of them", salt)
    return [int(item) for item in items]


@registry.register("layer")
class HashedCrossing(BinLayer):
    """Puts the combinations of several features into bins by their hash.

    Args:
        num_bins: How many bins there are.
        output_mode: `'int'` or `'one_hot'`.
        sparse: Only `False`.
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of `(batch,)` or `(batch, 1)`, of strings or integers.
        Output: the same for `'int'`, else `(batch, num_bins)`.

    Raises:
        ValueError: `num_bins` is not positive, or an unknown mode; called with one input, or with other shapes.

    Source:
        TensorFlow 2.15, `tf.sparse.cross_hashed`: fingerprints joined one by one.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.HashedCrossing(5)([np.array(['A', 'B', 'A']), np.array([101, 101, 101])]).tolist()
        [1, 4, 1]
    """

    _takes_trees = True
    modes = (INT, ONE_HOT)

    def call(self, inputs: Any) -> Any:
        """Return the bin of each combination, or vectors of them.

        Args:
            inputs: The features.
        """
        not_in_graphs(self, "it hashes values in Python")
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(f"{self}: it takes a list of two features or more; got {show(inputs)}.")
        features = [self._values(feature) for feature in inputs]
        shape = self._expect_shapes([tuple(shape) for _, shape in features])
        bins = []
        for combination in zip(*[values for values, _ in features]):
            number = _CROSS_KEY
            for value in combination:
                number = joined_fingerprint(number, fingerprint64(value) if isinstance(value, bytes) else value & _MASK)
            bins.append(number % self.num_bins)
        return self._encoded(bins, shape, inputs[0])

    def _expect_shapes(self, shapes: Sequence[Shape]) -> Shape:
        first = shapes[0]
        if len(first) > 2 or (len(first) == 2 and first[1] != 1) or any(shape != first for shape in shapes):
            raise ValueError(
                f"{self}: all features have the shape (batch,) or (batch, 1); got {', '.join(map(str, shapes))}."
            )
        return first

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the bins, or of their vectors."""
        return encoded_shape(input_shape[0], self.output_mode, self.num_bins)
