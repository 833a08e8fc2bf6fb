"""The functions of tensors that scripts take from `tensorflow` itself: place by place, over axes, of shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import backend as K
from .._core import settings
from .._core.errors import argument_error
from .._core.lookups import guarded, marked
from .._core.strings import StringTensor, is_string_type
from .tensorflow_calls import FUNCTIONS, axes_of, function, sizes, tensor

# --- place by place ----------------------------------------------------------------------------------------------

_UNARY: dict[str, Callable[..., Tensor]] = {
    "square math.square": torch.square,
    "sqrt math.sqrt": torch.sqrt,
    "math.rsqrt": torch.rsqrt,
    "abs math.abs": torch.abs,
    "exp math.exp": torch.exp,
    "math.expm1": torch.expm1,
    "math.log log": torch.log,
    "math.log1p": torch.log1p,
    "sign math.sign": torch.sign,
    "round math.round": torch.round,
    "floor math.floor": torch.floor,
    "math.ceil": torch.ceil,
    "sin math.sin": torch.sin,
    "cos math.cos": torch.cos,
    "tan math.tan": torch.tan,
    "asin math.asin": torch.asin,
    "acos math.acos": torch.acos,
    "atan math.atan": torch.atan,
    "sinh math.sinh": torch.sinh,
    "cosh math.cosh": torch.cosh,
    "tanh math.tanh nn.tanh": torch.tanh,
    "sigmoid math.sigmoid nn.sigmoid": torch.sigmoid,
    "math.erf": torch.erf,
    "math.lgamma": torch.lgamma,
    "math.reciprocal": torch.reciprocal,
    "math.log_sigmoid": F.logsigmoid,
    "negative math.negative": torch.neg,
    "logical_not math.logical_not": torch.logical_not,
    "math.is_nan": torch.isnan,
    "math.is_inf": torch.isinf,
    "math.is_finite": torch.isfinite,
    "math.softplus nn.softplus": K.softplus,
    "nn.relu": torch.relu,
    "nn.relu6": F.relu6,
    "nn.elu": F.elu,
    "nn.selu": F.selu,
    "nn.softsign": F.softsign,
    "stop_gradient": Tensor.detach,
    "identity": torch.clone,
}


def true_division(x: Tensor, y: Tensor) -> Tensor:
    """Return quotients, those of integers in double precision as in TensorFlow."""
    return x / y if torch.result_type(x, y).is_floating_point else x.double() / y


_BINARY: dict[str, Callable[..., Tensor]] = {
    "maximum math.maximum": torch.maximum,
    "minimum math.minimum": torch.minimum,
    "add math.add": torch.add,
    "subtract math.subtract": torch.sub,
    "multiply math.multiply": torch.mul,
    "divide math.divide truediv": true_division,
    "math.floordiv": torch.floor_divide,
    "math.mod math.floormod": torch.remainder,
    "pow math.pow": torch.pow,
    "math.squared_difference": lambda x, y: torch.square(x - y),
    "math.divide_no_nan": lambda x, y: torch.where(y == 0, torch.zeros_like(x / 1), x / torch.where(y == 0, 1, y)),
    "equal math.equal": torch.eq,
    "not_equal math.not_equal": torch.ne,
    "greater math.greater": torch.gt,
    "greater_equal math.greater_equal": torch.ge,
    "less math.less": torch.lt,
    "less_equal math.less_equal": torch.le,
    "logical_and math.logical_and": torch.logical_and,
    "logical_or math.logical_or": torch.logical_or,
    "math.logical_xor": torch.logical_xor,
}


def _enter(paths: str, compute: Callable[..., Tensor]) -> None:
    compute.__name__ = compute.__qualname__ = paths.split()[0].rpartition(".")[2]  # a layer's configuration names it
    function(paths)(compute)


def enter_unary(paths: str, compute: Callable[..., Tensor]) -> None:
    """Enter a function of one tensor under its names.

    Args:
        paths: The names.
        compute: The function.
    """

    def one(x: Tensor) -> Tensor:
        return compute(x)

    _enter(paths, one)


def enter_binary(paths: str, compute: Callable[..., Tensor]) -> None:
    """Enter a function of two tensors under its names.

    Args:
        paths: The names.
        compute: The function.
    """

    def two(x: Tensor, y: Tensor) -> Tensor:
        return compute(x, y)

    _enter(paths, two)


for _paths, _compute in _UNARY.items():
    enter_unary(_paths, _compute)
for _paths, _compute in _BINARY.items():
    enter_binary(_paths, _compute)


@function("math.atan2 atan2")
def atan2(y: Tensor, x: Tensor) -> Tensor:
    """Return the angles of points."""
    return torch.atan2(y, x)


@function("clip_by_value")
def clip_by_value(x: Tensor, clip_value_min: Tensor, clip_value_max: Tensor) -> Tensor:
    """Keep values between two others."""
    return torch.minimum(torch.maximum(x, clip_value_min), clip_value_max)


@function("cast")
def cast(x: Tensor, dtype: Any) -> Tensor:
    """Change the type; strings remain what they are."""
    if isinstance(x, StringTensor) and is_string_type(dtype):
        return x
    return x.to(settings.torch_dtype(dtype))


@function("where")
def where(condition: Any, x: Tensor | None = None, y: Tensor | None = None) -> Tensor:
    """Return x where a condition holds and y elsewhere; without them, the places where it holds."""
    holds = tensor(condition, beside=x).bool()
    if x is None or y is None:
        return torch.nonzero(holds)
    return torch.where(holds, x.to(holds.device), y.to(holds.device))


# --- activations -------------------------------------------------------------------------------------------------


@function("nn.leaky_relu")
def leaky_relu(x: Tensor, alpha: float = 0.2) -> Tensor:
    """Return x, or alpha · x where it is negative."""
    return F.leaky_relu(x, alpha)


@function("nn.gelu")
def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """Return the Gaussian error linear unit."""
    return F.gelu(x, approximate="tanh" if approximate else "none")


@function("nn.swish nn.silu")
def swish(x: Tensor, beta: float = 1.0) -> Tensor:
    """Return x · sigmoid(beta · x)."""
    return x * torch.sigmoid(beta * x)


@function("nn.softmax math.softmax")
def softmax(x: Tensor, axis: int | None = None) -> Tensor:
    """Return the softmax over an axis, the last one if `None`."""
    return torch.softmax(x, -1 if axis is None else axis)


@function("nn.log_softmax math.log_softmax")
def log_softmax(x: Tensor, axis: int | None = None) -> Tensor:
    """Return the logarithm of the softmax."""
    return torch.log_softmax(x, -1 if axis is None else axis)


@function("nn.l2_normalize math.l2_normalize linalg.l2_normalize")
def l2_normalize(x: Tensor, axis: Any = None, epsilon: float = 1e-12) -> Tensor:
    """Scale to length 1 along axes."""
    return x * torch.rsqrt(torch.clamp(torch.square(x).sum(axes_of(x, axis), keepdim=True), min=epsilon))


@function("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(labels: Tensor, x: Tensor) -> Tensor:
    """Return the binary cross-entropy of each logit."""
    return F.binary_cross_entropy_with_logits(x, labels.to(x.dtype), reduction="none")


@function("nn.softmax_cross_entropy_with_logits nn.softmax_cross_entropy_with_logits_v2")
def softmax_cross_entropy_with_logits(labels: Tensor, x: Tensor, axis: int = -1) -> Tensor:
    """Return the cross-entropy of distributions."""
    return -(labels.to(x.dtype) * torch.log_softmax(x, axis)).sum(axis)


@function("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(labels: Tensor, x: Tensor) -> Tensor:
    """Return the cross-entropy of class indices."""
    indices, outside = guarded(labels.long(), x.shape[-1])
    return marked(-torch.log_softmax(x, -1).gather(-1, indices.unsqueeze(-1)).squeeze(-1), outside)


# --- over axes ---------------------------------------------------------------------------------------------------


def _mean(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if x.is_floating_point():
        return x.mean(axes, keepdim=keepdims) if axes else x
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    total = x.sum(axes, keepdim=keepdims, dtype=x.dtype)
    return torch.div(total, count, rounding_mode="trunc")  # integers stay integers


def _variance(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    return torch.var(x, axes, correction=0, keepdim=keepdims)


def _prod(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    for axis in sorted((a % x.dim() for a in axes), reverse=True):
        x = x.prod(axis, keepdim=keepdims, dtype=x.dtype)
    return x


_REDUCTIONS: dict[str, Callable[[Tensor, tuple[int, ...], bool], Tensor]] = {
    "mean": _mean,
    "sum": lambda x, axes, keep: x.sum(axes, keepdim=keep, dtype=x.dtype) if axes else x,
    "max": lambda x, axes, keep: x.amax(axes, keepdim=keep) if axes else x,
    "min": lambda x, axes, keep: x.amin(axes, keepdim=keep) if axes else x,
    "prod": _prod,
    "any": lambda x, axes, keep: _prod((~x.bool()).int(), axes, keep) == 0,
    "all": lambda x, axes, keep: _prod(x.bool().int(), axes, keep) != 0,
    "variance": _variance,
    "std": lambda x, axes, keep: torch.sqrt(_variance(x, axes, keep)),
    "logsumexp": lambda x, axes, keep: torch.logsumexp(x, axes, keepdim=keep),
    "euclidean_norm": lambda x, axes, keep: torch.sqrt(torch.square(x).sum(axes, keepdim=keep)).to(x.dtype),
}


def _enter_reduction(name: str, compute: Callable[[Tensor, tuple[int, ...], bool], Tensor]) -> None:
    @function(f"reduce_{name} math.reduce_{name}")
    def reduce(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
        return compute(x, axes_of(x, axis), keepdims)


for _name, _reduce in _REDUCTIONS.items():
    _enter_reduction(_name, _reduce)


@function("argmax math.argmax")
def argmax(x: Tensor, axis: int | None = None, output_type: Any = "int64") -> Tensor:
    """Return the index of the first largest value along an axis, the first axis if `None`."""
    return K.argmax(x, axis or 0).to(settings.torch_dtype(output_type))


@function("argmin math.argmin")
def argmin(x: Tensor, axis: int | None = None, output_type: Any = "int64") -> Tensor:
    """Return the index of the first smallest value along an axis, the first axis if `None`."""
    return K.argmin(x, axis or 0).to(settings.torch_dtype(output_type))


@function("norm linalg.norm")
def norm(x: Tensor, ord: Any = "euclidean", axis: Any = None, keepdims: bool | None = None) -> Tensor:
    """Return the norm of vectors, or of all values."""
    order = 2 if ord in ("euclidean", 2) else ord
    if isinstance(axis, (list, tuple)) and len(axis) == 2 and ord != "euclidean":
        matrix: Tensor = torch.linalg.matrix_norm(x, order, tuple(axis), bool(keepdims))
        return matrix
    vector: Tensor = torch.linalg.vector_norm(x, order, axes_of(x, axis), bool(keepdims))
    return vector


@function("nn.moments")
def moments(x: Tensor, axes: Any, shift: Any = None, keepdims: bool = False) -> Any:
    """Return mean and variance over axes."""
    where_to = axes_of(x, axes)
    return _mean(x, where_to, keepdims), _variance(x, where_to, keepdims)


@function("sort")
def sort(x: Tensor, axis: int = -1, direction: str = "ASCENDING") -> Tensor:
    """Return the values in order."""
    return torch.sort(x, axis, descending=direction == "DESCENDING").values


@function("argsort")
def argsort(x: Tensor, axis: int = -1, direction: str = "ASCENDING", stable: bool = False) -> Tensor:
    """Return the places of the values in order."""
    return torch.argsort(x, dim=axis, descending=direction == "DESCENDING", stable=True).int()


# --- products ----------------------------------------------------------------------------------------------------


@function("matmul linalg.matmul")
def matmul(a: Tensor, b: Tensor, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """Return the product of matrices."""
    return torch.matmul(a.mT if transpose_a else a, b.mT if transpose_b else b)


@function("tensordot")
def tensordot(a: Tensor, b: Tensor, axes: Any) -> Tensor:
    """Return the product summed over axes."""
    pairs = axes if isinstance(axes, int) else tuple([v] if isinstance(v, int) else list(v) for v in axes)
    return torch.tensordot(a, b, pairs)  # type: ignore[no-any-return]


def einsum(*inputs: Any, equation: str | None = None, operands: Sequence[Any] = (), name: str | None = None) -> Any:
    """Return the sum of products that an equation says.

    Args:
        inputs: The equation and the operands; in graphs of Keras 3 the operands alone.
        equation: The equation, where it does not stand in front of them.
        operands: The operands, as graphs of this package call them.
        name: Has no effect.
    """
    if equation is None:
        equation, *inputs = inputs  # type: ignore[assignment]
    return _einsum([*inputs, *operands], equation.replace(" ", ""))


@function("einsum")
def _einsum(operands: Sequence[Tensor], equation: str) -> Tensor:
    return torch.einsum(equation, *operands)


FUNCTIONS["einsum"] = einsum

# --- shapes ------------------------------------------------------------------------------------------------------


@function("shape")
def shape(x: Tensor, out_type: Any = "int32") -> Tensor:
    """Return the shape as a tensor of the host."""
    return torch.tensor(tuple(x.shape), dtype=settings.torch_dtype(out_type))


@function("size")
def size(x: Tensor, out_type: Any = "int32") -> Tensor:
    """Return the number of values."""
    return torch.tensor(x.numel(), dtype=settings.torch_dtype(out_type))


@function("rank")
def rank(x: Tensor) -> Tensor:
    """Return the number of axes."""
    return torch.tensor(x.dim(), dtype=torch.int32)


@function("reshape")
def reshape(x: Tensor, shape: Any) -> Tensor:
    """Return the values in another shape."""
    return x.reshape(sizes(shape))


@function("transpose")
def transpose(x: Tensor, perm: Any = None, conjugate: bool = False) -> Tensor:
    """Return the axes in another order, in the opposite one if `None`."""
    turned = x.permute(tuple(range(x.dim()))[::-1] if perm is None else sizes(perm))
    return turned.conj() if conjugate else turned


@function("linalg.matrix_transpose")
def matrix_transpose(a: Tensor) -> Tensor:
    """Return the last two axes exchanged."""
    return a.mT


@function("expand_dims")
def expand_dims(x: Tensor, axis: Any) -> Tensor:
    """Return the values with another axis of size 1."""
    return x.unsqueeze(int(axis))


@function("squeeze")
def squeeze(x: Tensor, axis: Any = None) -> Tensor:
    """Return the values without axes of size 1."""
    if axis is None:
        return x.squeeze()
    wrong = [a for a in axes_of(x, axis) if x.shape[a] != 1]
    if wrong:
        raise ValueError(f"tf.squeeze(axis={axis}): axis {wrong[0]} has size {x.shape[wrong[0]]}, not 1.")
    return x.squeeze(axes_of(x, axis))


@function("concat")
def concat(values: Sequence[Tensor], axis: int) -> Tensor:
    """Return tensors one behind the other."""
    return torch.cat(list(values), int(axis))


@function("stack")
def stack(values: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return tensors along a new axis."""
    return torch.stack(list(values), axis)


@function("unstack")
def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> Any:
    """Return the slices along an axis."""
    return list(torch.unbind(x, axis))


@function("split")
def split(x: Tensor, num_or_size_splits: Any, axis: int = 0, num: int | None = None) -> Any:
    """Return pieces along an axis."""
    if isinstance(num_or_size_splits, int):
        if x.shape[axis] % num_or_size_splits:
            raise argument_error("tf.split", "num_or_size_splits", f"a divisor of {x.shape[axis]}", num_or_size_splits)
        return list(torch.split(x, x.shape[axis] // num_or_size_splits, axis))
    pieces = list(sizes(num_or_size_splits))
    rest = x.shape[axis] - sum(p for p in pieces if p >= 0)
    return list(torch.split(x, [rest if p < 0 else p for p in pieces], axis))


@function("tile")
def tile(x: Tensor, multiples: Any) -> Tensor:
    """Return the values repeated along each axis."""
    return x.repeat(sizes(multiples))


@function("repeat")
def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """Return each value several times."""
    times = repeats if isinstance(repeats, int) else torch.tensor(sizes(repeats), device=x.device)
    return torch.repeat_interleave(x, times, axis)


@function("gather")
def gather(
    x: Tensor, indices: Any, validate_indices: Any = None, axis: int | None = None, batch_dims: int = 0
) -> Tensor:
    """Return slices by index along an axis, the first one behind the axes of the batch if `None`."""
    if batch_dims:
        places = tensor(indices)
        return _gather_in_batches(x, places, axis, batch_dims + (places.dim() if batch_dims < 0 else 0))
    place, rows = (axis or 0) % x.dim(), tensor(indices).to(x.device).long()
    rows, outside = guarded(rows, x.shape[place])
    chosen = x.index_select(place, rows.reshape(-1))
    if outside is not None:
        chosen = marked(chosen.movedim(place, 0), outside.reshape(-1)).movedim(0, place)
    return chosen.reshape(*x.shape[:place], *rows.shape, *x.shape[place + 1 :])


def _gather_in_batches(x: Tensor, indices: Tensor, axis: int | None, batch_dims: int) -> Tensor:
    """Return slices by indices of their own for each place of the first axes."""
    place = (batch_dims if axis is None else axis) % x.dim()
    moved, rows = x.movedim(place, batch_dims), indices.to(x.device).long().flatten(0, batch_dims - 1)
    rows, outside = guarded(rows, x.shape[place])
    batch = torch.arange(len(rows), device=x.device).reshape(-1, *[1] * (rows.dim() - 1))
    chosen = marked(moved.flatten(0, batch_dims - 1)[batch, rows], outside)
    chosen = chosen.reshape(*indices.shape, *moved.shape[batch_dims + 1 :])
    new_axes = range(batch_dims, indices.dim())  # the axes of the indices take the place of the one that is read
    return chosen.movedim(tuple(new_axes), tuple(range(place, place + len(new_axes)))) if new_axes else chosen


@function("gather_nd")
def gather_nd(x: Tensor, indices: Any, batch_dims: int = 0) -> Tensor:
    """Return slices by lists of indices."""
    places = tensor(indices).to(x.device).long()
    if not batch_dims:
        return x[tuple(places.unbind(-1))]
    batch = torch.meshgrid(*[torch.arange(n, device=x.device) for n in x.shape[:batch_dims]], indexing="ij")
    between = [1] * (places.dim() - 1 - batch_dims)
    return x[(*[b.reshape(*b.shape, *between) for b in batch], *places.unbind(-1))]


@function("boolean_mask")
def boolean_mask(x: Tensor, mask: Tensor, axis: int | None = None) -> Tensor:
    """Return the slices where a mask holds."""
    return x[(slice(None),) * (axis or 0) + (mask.bool(),)]


@function("reverse")
def reverse(x: Tensor, axis: Any) -> Tensor:
    """Return the values from the other end."""
    return x.flip(axes_of(x, axis))


@function("roll")
def roll(x: Tensor, shift: Any, axis: Any) -> Tensor:
    """Return the values moved round."""
    return torch.roll(x, sizes(shift), axes_of(x, axis))


@function("pad")
def pad(x: Tensor, paddings: Any, mode: str = "CONSTANT", constant_values: float = 0) -> Tensor:
    """Return the values with others around."""
    sides = [sizes(pair) for pair in (paddings.tolist() if hasattr(paddings, "tolist") else paddings)]
    if mode.upper() == "CONSTANT":
        flat = [n for before, after in reversed(sides) for n in (before, after)]
        return F.pad(x, flat, value=constant_values)
    for axis, (before, after) in enumerate(sides):
        last, edge = x.shape[axis] - 1, int(mode.upper() == "REFLECT")
        places = [
            *range(before - 1 + edge, edge - 1, -1),
            *range(last + 1),
            *range(last - edge, last - edge - after, -1),
        ]
        x = x.index_select(axis, torch.tensor(places, device=x.device))
    return x


@function("one_hot")
def one_hot(
    indices: Tensor, depth: Any, on_value: Any = None, off_value: Any = None, axis: int | None = None, dtype: Any = None
) -> Tensor:
    """Return a 1 at each index and 0 elsewhere."""
    kind = settings.torch_dtype("float32" if dtype is None else dtype)
    hits = indices.unsqueeze(-1) == torch.arange(int(depth), device=indices.device)
    made = torch.where(hits, 1 if on_value is None else on_value, 0 if off_value is None else off_value).to(kind)
    return made if axis in (None, -1) else made.movedim(-1, int(axis))


@function("zeros_like")
def zeros_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Return zeros of the same shape; of strings, empty ones."""
    if isinstance(x, StringTensor) and (dtype is None or is_string_type(dtype)):
        return x.mapped(lambda word: b"")
    return torch.zeros_like(x, dtype=None if dtype is None else settings.torch_dtype(dtype))


@function("ones_like")
def ones_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Return ones of the same shape."""
    return torch.ones_like(x, dtype=None if dtype is None else settings.torch_dtype(dtype))
