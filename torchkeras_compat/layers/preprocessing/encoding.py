"""Integers as vectors, and numbers as integers: CategoryEncoding and Discretization."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core import devices, registry
from ..._core.errors import argument_error, choice, number, positive_int
from ..._core.graph_capture import capturing
from ..._core.lookups import expect_in_range, marked
from ..._core.ragged import RaggedTensor
from ..._core.shapes import Shape
from ..._core.user_tensors import UserTensor, hand_out, take_back
from ..base import ROW_WISE, Layer
from .base import PreprocessingLayer, host_array

Matrix = np.ndarray[Any, Any]

INT, ONE_HOT, MULTI_HOT, COUNT, TF_IDF = "int", "one_hot", "multi_hot", "count", "tf_idf"
OLD_MODES = {"binary": MULTI_HOT, "tf-idf": TF_IDF}


def output_mode(owner: str, value: Any, allowed: Sequence[str]) -> str:
    """Return an output mode, or raise when it is not one of those allowed."""
    value = OLD_MODES.get(value, value) if isinstance(value, str) else value
    return choice(owner, "output_mode", value, allowed)


def dense_only(owner: str, sparse: Any) -> bool:
    """Return `False`, or raise where sparse tensors are asked for."""
    if sparse:
        raise argument_error(owner, "sparse", "False; dense tensors are the only kind here", sparse)
    return False


def dtype_of_mode(mode: str, dtype: Any) -> Any:
    """Return the type of a layer's output: int64 for indices, else what is asked for.

    Args:
        mode: Its output mode.
        dtype: The argument; a type of floats stands for int64 where indices come out, as in Keras.
    """
    if mode != INT:
        return dtype
    name = None if dtype is None or isinstance(dtype, dict) else getattr(dtype, "name", dtype)
    if name in ("int32", "int64", torch.int32, torch.int64, np.int32, np.int64):
        return dtype
    return "int64"


def encoded_shape(shape: Any, mode: str, depth: int | None) -> Shape:
    """Return the shape of what `encode` gives.

    Args:
        shape: The shape of the integers.
        mode: The output mode.
        depth: How many there are.
    """
    sizes: Shape = tuple(shape)
    if mode == INT:
        return sizes
    kept = sizes if mode == ONE_HOT and (not sizes or sizes[-1] != 1) else sizes[:-1]
    return (*kept, depth)


def encode(
    owner: object, indices: Tensor, mode: str, depth: int, kind: torch.dtype, weights: Tensor | None = None
) -> Tensor:
    """Return integers as vectors with a place for each.

    Args:
        owner: The layer, which an error names.
        indices: Integers, a number, a vector or a matrix; those of at least `depth` leave no trace.
        mode: The output mode.
        depth: How many there are.
        kind: The type of the result.
        weights: What each integer adds to its count, where that is not 1.

    Raises:
        ValueError: The result would have more than two axes.
    """
    if mode == INT:
        return indices.to(kind)
    shape = tuple(indices.shape)
    if not shape:
        indices = indices.unsqueeze(-1)
    if mode == ONE_HOT and indices.shape[-1] != 1:
        indices = indices.unsqueeze(-1)
    if indices.dim() > 2:
        raise ValueError(
            f"{owner}: output_mode={mode!r} gives two axes at most; got an input of shape {shape}. Write "
            f"output_mode='int' and encode its parts one by one."
        )
    inside = (indices >= 0) & (indices < depth)
    places = indices.long().clamp(0, depth - 1)
    added = inside.to(kind) if weights is None else weights.to(kind).reshape(indices.shape) * inside
    counts = torch.zeros((*indices.shape[:-1], depth), dtype=kind, device=indices.device)
    if mode in (ONE_HOT, MULTI_HOT):
        return counts.scatter_reduce(-1, places, added, "amax")
    return counts.scatter_add(-1, places, added)


@registry.register("layer")
class CategoryEncoding(Layer):
    """Makes a vector of the integers of a sample, with a place for each integer below `num_tokens`.

    Args:
        num_tokens: How many integers there are.
        output_mode: `'multi_hot'` (1 at each integer of the sample), `'one_hot'` (a vector for each integer), or
            `'count'` (how often each is there).
        sparse: Only `False`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, integers)` or `(batch,)`.
        Output: `(batch, num_tokens)`.

    Raises:
        ValueError: `num_tokens` is not positive or an unknown mode; called with integers out of range.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.CategoryEncoding(3, output_mode='count')(np.array([[0, 2, 2]])).tolist()
        [[1.0, 0.0, 2.0]]
    """

    _class_traits = ROW_WISE
    _takes_integers = True

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = MULTI_HOT, sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_tokens = positive_int("CategoryEncoding", "num_tokens", num_tokens)
        self.output_mode = _mode("CategoryEncoding", output_mode, (COUNT, ONE_HOT, MULTI_HOT))
        self.sparse = dense_only("CategoryEncoding", sparse)

    @property
    def _index_checks(self) -> tuple[Callable[[Tensor], None], ...]:  # type: ignore[override]
        return (self._check_indices,)

    def _check_indices(self, indices: Tensor) -> None:
        """Raise where an integer has no place."""
        expect_in_range(self, indices, self.num_tokens, "num_tokens")

    def call(self, inputs: Tensor, count_weights: Any = None) -> Tensor:
        """Return a vector for each sample.

        Args:
            inputs: The integers.
            count_weights: With `'count'`, what each integer adds, in the shape of `inputs`.
        """
        if count_weights is not None and self.output_mode != COUNT:
            raise ValueError(f"{self}: count_weights goes with output_mode='count'; got {self.output_mode!r}.")
        weights = None
        if count_weights is not None:
            weights = torch.as_tensor(np.array(host_array(count_weights))).to(inputs.device)
        readable = devices.on_host(inputs) and not capturing()
        if readable:
            self._check_indices(inputs)
        y = encode(self, inputs, self.output_mode, self.num_tokens, self._kind, weights)
        if readable:
            return y
        outside = ((inputs < 0) | (inputs >= self.num_tokens)).reshape(*y.shape[:-1], -1).any(-1)
        return marked(y, outside)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the vectors."""
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)


_mode = output_mode  # a name that no argument hides


class IntegerOutput(PreprocessingLayer):
    """Base of layers that give integers, or vectors of them, of inputs in a type of their own.

    Args:
        kwargs: The arguments of every layer.
    """

    _state_has_shape = False
    output_mode: str

    def _to_tensor(self, value: Any) -> Any:
        """Return the input as a tensor in its own type, which is not that of the output."""
        if value is None:
            return None
        if isinstance(value, Tensor):
            return take_back(value) if isinstance(value, UserTensor) else value
        tensor = torch.as_tensor(np.array(value))
        # Whole numbers are numbers here; those of 64 bits keep theirs.
        return tensor if self._takes_integers or tensor.is_floating_point() else tensor.double()

    def _cast_inputs(self, inputs: Any) -> Any:
        """Return the inputs: a short float would move numbers over a boundary."""
        return inputs

    def _call_on_rows(self, rows: RaggedTensor) -> Any:
        """Return rows of the numbers of their values; a vector for each row, where vectors are given."""
        if getattr(self, "output_mode", INT) == INT:
            return rows.with_each(self)
        return hand_out(torch.stack([take_back(self(row)) for row in rows]))


@registry.register("layer")
class Discretization(IntegerOutput):
    """Gives the number of the interval that each number lies in; `adapt` finds intervals that hold equally many.

    Args:
        bin_boundaries: The boundaries between the intervals, in order; a number on one belongs to the upper interval.
        num_bins: How many intervals `adapt` makes, where the boundaries are not given.
        epsilon: How far the quantiles that `adapt` finds may be off, as a fraction.
        output_mode: `'int'`, or `'one_hot'`, `'multi_hot'` or `'count'` as in `CategoryEncoding`.
        sparse: Only `False`.
        kwargs: The arguments of every layer.

    Shape:
        Input: any.
        Output: the same for `'int'`, else `(batch, intervals)`.

    Raises:
        ValueError: `bin_boundaries` and `num_bins` both, or neither; boundaries out of order; an unknown mode.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Discretization([0., 1.])(np.array([[-5., 0., 7.]])).tolist()
        [[0, 1, 2]]
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = INT,
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        mode = _mode("Discretization", output_mode, (INT, ONE_HOT, MULTI_HOT, COUNT))
        kwargs["dtype"] = dtype_of_mode(mode, kwargs.get("dtype"))
        super().__init__(**kwargs)
        if bin_boundaries is not None and num_bins is not None:
            raise argument_error("Discretization", "num_bins", "None where bin_boundaries are given", num_bins)
        self.input_bin_boundaries = None if bin_boundaries is None else _boundaries(bin_boundaries)
        self.bin_boundaries: list[float] = list(self.input_bin_boundaries or [])
        self.num_bins = None if num_bins is None else positive_int("Discretization", "num_bins", num_bins)
        self.epsilon = number("Discretization", "epsilon", epsilon, 0)
        self.output_mode = mode
        self.sparse = dense_only("Discretization", sparse)
        self._summary = np.zeros((2, 0), "float32")

    def _config_of(self, name: str) -> Any:
        """Return an argument of the constructor."""
        # What `adapt` has found stands where boundaries of the user would: files have no other place for it.
        if name == "bin_boundaries":
            return self.bin_boundaries or self.input_bin_boundaries
        return None if name == "num_bins" and self.bin_boundaries else super()._config_of(name)

    def update_state(self, data: Any) -> None:
        """Take a batch into the summary of the data.

        Args:
            data: The batch.

        Raises:
            ValueError: The boundaries are given, or no number of intervals.

        Source:
            Keras 2.15: sorted values at equal steps, merged by weight, and compressed by interpolation.
        """
        if self.input_bin_boundaries is not None:
            raise ValueError(f"{self}: adapt has nothing to learn, the layer was made with bin_boundaries.")
        if self.num_bins is None:
            raise ValueError(f"{self}: write Discretization(num_bins=…), so that adapt knows how many to make.")
        merged = np.concatenate([_summary_of(host_array(data), self.epsilon), self._summary], 1)
        self._summary = _compressed(merged[:, np.argsort(merged[0], kind="stable")], self.epsilon)

    def finalize_state(self) -> None:
        """Find the boundaries."""
        if self.num_bins is not None:
            self.bin_boundaries = _compressed(self._summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forget the data."""
        self._summary = np.zeros((2, 0), "float32")

    @property
    def summary(self) -> Matrix:
        """What `adapt` has found: values in order, and how many each stands for, `(2, n)`."""
        return self._summary

    def set_summary(self, summary: Matrix) -> None:
        """Take what `adapt` has found in Keras, whose files hold it among the weights.

        Args:
            summary: Values in order, and how many each stands for, `(2, n)`.
        """
        self._summary = np.asarray(summary, "float32")
        self.finalize_state()

    def call(self, inputs: Tensor) -> Tensor:
        """Return the numbers of the intervals."""
        boundaries = torch.tensor(self.bin_boundaries, dtype=torch.float32, device=inputs.device)
        x = inputs if inputs.dtype == torch.float64 else inputs.float()
        indices = torch.bucketize(x, boundaries.to(x.dtype), right=True)
        return encode(self, indices, self.output_mode, len(self.bin_boundaries) + 1, self._kind)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the numbers, or of their vectors."""
        return encoded_shape(input_shape, self.output_mode, len(self.bin_boundaries) + 1)


def _boundaries(value: Any) -> list[float]:
    array = np.asarray(host_array(value))
    if array.ndim != 1 or array.dtype.kind not in "fiu" or (np.diff(array) < 0).any():
        raise argument_error("Discretization", "bin_boundaries", "a list of numbers in order", value)
    return [float(item) for item in array]


def _summary_of(values: Matrix, epsilon: float) -> Matrix:
    """Return values at equal steps of the sorted ones, and how many each stands for."""
    values = np.sort(values.astype("float32").reshape(-1))
    first = int(np.float32(values.size) / np.float32(1.0 / epsilon))
    step = max(first, 1)
    sampled = values[first::step]
    return np.stack([sampled, np.full_like(sampled, step)])


def _compressed(summary: Matrix, epsilon: float) -> Matrix:
    """Return a summary of about 1 / epsilon values."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    cumulated = summary[1].cumsum()
    portions = cumulated / cumulated[-1]
    values = np.interp(shares, portions, summary[0])
    weights = np.diff(np.interp(shares, portions, cumulated), prepend=0.0)
    return np.stack([values, weights]).astype("float32")
