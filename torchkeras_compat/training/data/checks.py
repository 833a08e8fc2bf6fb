"""What is looked at before data are used: values that are no numbers, and one sample in the place of many."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ..._core.border import user_stacklevel
from ..._core.ownership import is_ours
from ..._core.shapes import compatible, one_sample_hint
from ..._core.tree import Tree
from .mapped_files import HELD_BYTES, MappedFiles, tensor_of_mapped
from .signature import ModelOutput, Signature
from .sparse import SparseRows
from .standardize import Arrays, leaves
from .stored import StoredRows

LOSSES = {"NaN": "NaN", "infinity": "NaN or infinite"}


def warn_of_values(arrays: Arrays, signature: Signature, outputs: Sequence[ModelOutput] | None) -> None:
    """Warn of NaN and infinity in inputs or targets, which make the loss NaN or infinite.

    Targets count where the package's own loss looks at them: a user's may know what to do with NaN.
    """
    for place, array in (*leaves(arrays.x, "x", signature.inputs), *leaves(_strict(arrays.y, outputs), "y", outputs)):
        held = _not_finite(array)
        if held:
            warnings.warn(
                f"{signature.model.name}: {place} holds {held}; the loss will be {LOSSES[held]}.",
                stacklevel=user_stacklevel(),
            )


def _strict(y: Tree, outputs: Sequence[ModelOutput] | None) -> Tree:
    """Return the targets that a loss of the package's own looks at, `None` in the place of others."""
    if y is None or outputs is None:
        return None
    strict = [o.loss is None or is_ours(o.loss) or is_ours(type(o.loss)) for o in outputs]
    if len(outputs) == 1:
        return y if strict[0] else None
    return [array if counts else None for array, counts in zip(y, strict)]


def _not_finite(array: Any) -> str | None:
    """Return `'NaN'`, `'infinity'` or `None`; one sum tells for arrays that hold neither."""
    if isinstance(array, StoredRows):
        return None  # a look at all of a file would take as long as an epoch
    values: Any = array.stored() if isinstance(array, SparseRows) else array
    if not (values.is_floating_point() if isinstance(values, Tensor) else values.dtype.kind == "f"):
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        total = _total(values)
    if total - total == 0:
        return None
    if bool((values != values).any()):  # NaN alone is unequal to itself
        return "NaN"
    return "infinity" if bool((abs(values) == math.inf).any()) else None  # else the sum alone is too large


def _total(values: Any) -> float:
    """Return the sum; a mapped file is read in pieces, whose pages are given back."""
    files = MappedFiles()
    if not files.hold(values):
        return float(values.sum())
    total, rows = 0.0, max(1, HELD_BYTES * len(values) // values.nbytes)
    for start in range(0, len(values), rows):
        part = values[start : start + rows]
        total += float(part.sum())
        files.read([tensor_of_mapped(part)])
    return total


def expect_samples(x: Any, y: Any, signature: Signature, output: ModelOutput) -> None:
    """Raise when `x` is one sample without the axis of samples, before its rows are counted against those of `y`.

    Args:
        x: The array of a model's one input.
        y: The targets as they were given.
        signature: What is known of the model.
        output: Its one output.
    """
    shape = None if signature.inputs is None else signature.inputs[0].shape
    hint = "" if shape is None else one_sample_hint(shape, tuple(x.shape))
    if not shape or not hint:
        return
    as_rows = shape[-1] == 1 or (x.ndim == 1 and shape[-1] is None)  # then it can be many samples that miss an axis
    target = tuple(getattr(y, "shape", np.shape(y) if np.isscalar(y) else (len(y),)))
    fits = output.shape is not None and compatible(output.shape[1:], target)
    if not as_rows or not target or (target[0] != len(x) and fits):
        raise ValueError(f"{signature.model}: x must have shape {shape}; got {(None, *x.shape[1:])}.{hint}")
