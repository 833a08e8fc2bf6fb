"""Targets on the host, looked at before the device sees them: shapes, class indices, labels of the wrong kind."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._core.border import user_stacklevel
from .._core.shapes import Shape, text
from . import crossentropy, fusion, margin, regression, similarity, torch_losses

Array = np.ndarray[Any, Any]


class TargetWarning(UserWarning):
    """Targets that Keras trains on, but that look like a mistake."""


class ValueRange(NamedTuple):
    """The values that the targets of a loss have where nothing is to be said of them.

    Attributes:
        low: The lowest.
        high: The highest.
        whole: Whether they are whole numbers.
    """

    low: float
    high: float
    whole: bool = False

    def holds(self, y: Array | Tensor) -> bool:
        """Tell whether all values lie in it.

        Args:
            y: Targets on the host; at least one.
        """
        low, high = _extremes(y)
        if not (low >= self.low and high <= self.high):
            return False
        if not self.whole:
            return True
        if isinstance(y, Tensor):
            return not y.is_floating_point() or torch.equal(y, y.floor())
        return y.dtype.kind != "f" or np.array_equal(y, np.floor(y))


PROBABILITIES: Final = ValueRange(0, 1)


def _extremes(y: Array | Tensor) -> tuple[Any, Any]:
    """Return the lowest and the highest number; by torch, which needs a third of numpy's time for those of a batch."""
    if isinstance(y, np.ndarray):
        if not (
            y.dtype.kind in "if"
            and y.dtype.itemsize <= 8
            and y.dtype.isnative
            and y.flags.writeable
            and y.flags.c_contiguous
        ):
            return y.min(), y.max()
        y = torch.from_numpy(y)
    low, high = y.aminmax()
    return low.item(), high.item()


@dataclass(frozen=True)
class Case:
    """One loss and the output that its targets belong to.

    Attributes:
        loss: What messages call the loss.
        output: The layer's output shape, the batch first.
        name: The layer's name.
        options: The options of the loss.
    """

    loss: str
    output: Shape
    name: str
    options: dict[str, Any]

    @property
    def classes(self) -> int | None:
        """The length of the last axis of the output."""
        return self.output[-1]

    def error(self, message: str) -> ValueError:
        """Return the error that names the loss, the layer and its shape."""
        return ValueError(f"{self.loss}, for the output {self.name!r} of shape {text(self.output)}: {message}")

    def warn(self, message: str) -> None:
        """Warn that the targets look wrong."""
        where = f"{self.loss}, for the output {self.name!r} of shape {text(self.output)}"
        warnings.warn(f"{where}: {message}", TargetWarning, stacklevel=user_stacklevel())


Check = Callable[[Case, Array], Array]


def _fits(shape: tuple[int, ...], expected: Shape) -> bool:
    return len(shape) == len(expected) and all(e is None or s == e for s, e in zip(shape[1:], expected[1:]))


def _aligned(case: Case, y: Array) -> Array:
    """Return the targets with the rank of the output, where an axis of length 1 (or that of a vector) is missing."""
    output = case.output
    if y.ndim == len(output) - 1 and (output[-1] == 1 or y.ndim == 1):
        return y[..., None]
    if y.ndim == len(output) + 1 and y.shape[-1] == 1:
        return y[..., 0]
    return y


def _shown(shape: tuple[int, ...]) -> str:
    return text((None, *shape[1:]))


def _broadcasts(shape: tuple[int, ...], output: Shape) -> bool:
    return len(shape) == len(output) and all(
        e is None or s == e or s == 1 or e == 1 for s, e in zip(shape[1:], output[1:])
    )


def _same_shape(case: Case, y: Array, strict: bool = False) -> Array:
    aligned = _aligned(case, y)
    if _fits(aligned.shape, case.output):
        return aligned
    message = f"targets must have shape {text(case.output)}; got {_shown(y.shape)}."
    if strict or not _broadcasts(aligned.shape, case.output):
        raise case.error(message)
    case.warn(f"{message} They are broadcast, as Keras does; reshape y if that is not meant.")
    return aligned


def _sparse(case: Case, y: Array) -> Array:
    expected, classes, indices = case.output[:-1], case.classes, y
    if y.ndim == len(case.output) and y.shape[-1] == 1 and not (len(expected) == y.ndim and _fits(y.shape, expected)):
        indices = y[..., 0]
    if not _fits(indices.shape, expected):
        if _fits(indices.shape, case.output) and classes != 1:
            raise case.error(
                f"it takes class indices of shape {text(expected)}; got one-hot rows of shape {_shown(y.shape)}. "
                "Write loss='categorical_crossentropy', or y.argmax(-1)."
            )
        raise case.error(
            f"class indices must have shape {text(expected)} or {text((*expected, 1))}; got {_shown(y.shape)}."
        )
    _check_indices(case, indices)
    return indices


def _check_indices(case: Case, y: Array) -> None:
    classes, ignored = case.classes, case.options.get("ignore_class")
    if y.size == 0 or y.dtype.kind not in "iufb" or _class_range(case).holds(y):
        return
    wrong = np.zeros(y.shape, bool) if classes is None else ~((y > -1) & (y < classes))
    if ignored is not None:
        wrong &= y != ignored
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise case.error(
            f"class index {y[where]} (target {where[0] if len(where) == 1 else where}) is out of range; with "
            f"{classes} classes the indices are 0 … {classes - 1 if classes else 0}."
        )
    if y.dtype.kind == "f" and (y != np.floor(y)).any():
        case.warn("class indices that are no whole numbers are rounded towards zero.")


def _class_range(case: Case) -> ValueRange:
    return ValueRange(0, math.inf if case.classes is None else case.classes - 1, whole=True)


def _categorical(case: Case, y: Array) -> Array:
    classes = case.classes
    integers = y.ndim == len(case.output) - 1 or (y.ndim == len(case.output) and y.shape[-1] == 1)
    if integers and classes != 1 and not _fits(y.shape, case.output):
        raise case.error(
            f"it takes one-hot rows of shape {text(case.output)}; got shape {_shown(y.shape)}. Write "
            f"loss='sparse_categorical_crossentropy' for class indices, or utils.to_categorical(y, {classes})."
        )
    y = _same_shape(case, y, strict=True)
    if classes == 1:
        case.warn("with a single class it is always 0; loss='binary_crossentropy' is meant for one unit.")
    _check_probabilities(case, y)
    return y


def _binary(case: Case, y: Array) -> Array:
    y = _same_shape(case, y, strict=True)
    _check_probabilities(case, y)
    return y


def _check_probabilities(case: Case, y: Array) -> None:
    if y.size and y.dtype.kind in "iuf" and not PROBABILITIES.holds(y) and not np.isnan(y.min()):
        case.warn(f"targets are expected between 0 and 1; they reach from {y.min()} to {y.max()}.")


def _torch_classes(case: Case, y: Array) -> Array:
    return y if _fits(y.shape, case.output) and y.dtype.kind == "f" else _sparse(case, y)


_KINDS: dict[Callable[..., Any], Check] = {
    crossentropy.sparse_categorical_crossentropy: _sparse,
    crossentropy.categorical_crossentropy: _categorical,
    crossentropy.categorical_focal_crossentropy: _categorical,
    crossentropy.binary_crossentropy: _binary,
    crossentropy.binary_focal_crossentropy: _binary,
    margin.categorical_hinge: _categorical,
    **dict.fromkeys((margin.hinge, margin.squared_hinge), _same_shape),
    **dict.fromkeys(
        (
            regression.mean_squared_error,
            regression.mean_absolute_error,
            regression.mean_absolute_percentage_error,
            regression.mean_squared_logarithmic_error,
            regression.huber,
            regression.log_cosh,
            regression.poisson,
            similarity.cosine_similarity,
            similarity.cosine_proximity,
            similarity.kl_divergence,
        ),
        _same_shape,
    ),
}


def check_targets(loss: Any, y: Array, output_shape: Shape, name: str) -> Array:
    """Return the targets in the shape the loss takes them, or raise what is wrong with them.

    Args:
        loss: A loss as a name, function, class instance or what `resolve` returned.
        y: The targets, on the host.
        output_shape: The output shape of the layer they belong to, the batch first, `None` where unknown.
        name: The layer's name.

    Shape:
        (N,), (N, 1) or the output's → class indices (N, …) for the sparse losses, the output's shape for the others.

    Raises:
        ValueError: A shape that does not fit, a class index out of range, one-hot rows for a sparse loss, class indices
            for a categorical one.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.losses import checks
        >>> checks.check_targets('mse', np.zeros(5), (None, 1), 'dense').shape
        (5, 1)
        >>> checks.check_targets('sparse_categorical_crossentropy', np.array([[0], [2]]), (None, 3), 'dense').shape
        (2,)
    """
    case, check = _case(loss, output_shape, name)
    if check is None:  # a user's function decides for itself what its targets are
        return _aligned(case, y)
    return check(case, y)


def expected_range(loss: Any, output_shape: Shape, name: str) -> ValueRange | None:
    """Return the values of targets of which `check_targets` says nothing, `None` where it does not look at values.

    Args:
        loss: A loss as a name, function, class instance or what `resolve` returned.
        output_shape: The output shape of the layer they belong to, the batch first, `None` where unknown.
        name: The layer's name.

    Example:
        >>> from torchkeras_compat.losses import checks
        >>> checks.expected_range('sparse_categorical_crossentropy', (None, 3), 'dense')
        ValueRange(low=0, high=2, whole=True)
    """
    case, check = _case(loss, output_shape, name)
    if check in (_sparse, _torch_classes):
        return _class_range(case)
    return PROBABILITIES if check in (_categorical, _binary) else None


def _case(loss: Any, output_shape: Shape, name: str) -> tuple[Case, Check | None]:
    """Return what is to be checked, and by whom; `None` where a loss is a user's, or reads another axis."""
    inner = getattr(loss, "loss", loss)
    if torch_losses.takes_classes(inner):
        options = {"ignore_class": getattr(inner, "ignore_index", -100)}
        return Case(type(inner).__name__, tuple(output_shape), name, options), _torch_classes
    described = fusion.describe(loss)
    options = described.options
    check = _KINDS.get(described.function) if described.function is not None else None
    if check in (_sparse, _categorical) and options.get("axis", -1) not in (-1, len(output_shape) - 1):
        check = None
    return Case(getattr(described.function, "__name__", "loss"), tuple(output_shape), name, options), check
