"""Penalties and constraints of weights as lines of plain torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import constraints, regularizers
from .._core.ownership import origin
from .emission import Emission, NotExportable, display_name, text


def penalty_terms(emission: Emission) -> list[str]:
    """Return what is added to the loss, a term for each parameter with a penalty.

    Raises:
        NotExportable: A penalty has no form in plain torch.
    """
    terms = []
    for name, line in emission.weights.items():
        if line.regularizer is None or not line.requires_grad:
            continue
        if origin(type(line.regularizer)) not in (regularizers.L1, regularizers.L2, regularizers.L1L2):
            shown = display_name(line.regularizer)
            raise NotExportable(f"{line.path}: the penalty {shown} has no form in plain torch; write it into the file.")
        for strength, norm in (("l1", "abs"), ("l2", "square")):
            value = float(getattr(line.regularizer, strength, 0.0) or 0.0)
            if value:
                terms.append(f"{text(value)} * model.{name}.{norm}().sum()")
    return terms


def constraint_lines(emission: Emission) -> Iterator[str]:
    """Yield what follows each step, a line for each parameter with a constraint.

    Raises:
        NotExportable: A constraint has no form in plain torch.
    """
    for name, line in emission.weights.items():
        if line.constraint is None or not line.requires_grad:
            continue
        constraint = line.constraint
        if origin(type(constraint)) is constraints.NonNeg:
            yield f"model.{name}.clamp_(min=0)"
        elif origin(type(constraint)) is constraints.MaxNorm and _over_inputs(line, constraint.axis):
            limit = text(float(constraint.max_value))
            yield f"model.{name}.copy_(model.{name}.renorm(2, 0, {limit}))"
        else:
            shown = display_name(constraint)
            raise NotExportable(
                f"{line.path}: the constraint {shown} has no form in plain torch; write it into the file."
            )


def _over_inputs(line: Any, axis: Any) -> bool:
    """Tell whether a norm goes over all of a kernel that leads to one output, which torch has on axis 0."""
    rank = len(line.shape)
    axes = {a % rank for a in (axis if isinstance(axis, (list, tuple)) else [axis])}
    return line.name == "kernel" and rank > 1 and axes == set(range(rank - 1))
