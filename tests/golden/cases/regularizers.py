"""Every regularizer, with its value and gradient, and every constraint, on kernels of several ranks."""

from __future__ import annotations

from .common import Case, case

_REGULARIZERS = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.2, "l2": 0.05}),
    ("l1", {}),
    ("l2", {}),
    ("l1_l2", {}),
    ("l1_l2", {"l1": 0.2, "l2": 0.3}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "rows"}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]
_CONSTRAINTS = [
    ("MaxNorm", {}, [5, 4]),
    ("MaxNorm", {"max_value": 1.0, "axis": 0}, [5, 4]),
    ("MaxNorm", {"max_value": 1.0, "axis": 1}, [5, 4]),
    ("MaxNorm", {"max_value": 1.5, "axis": [0, 1, 2]}, [3, 3, 2, 4]),
    ("MinMaxNorm", {}, [5, 4]),
    ("MinMaxNorm", {"min_value": 0.8, "max_value": 1.2, "rate": 1.0, "axis": 0}, [5, 4]),
    ("MinMaxNorm", {"min_value": 0.8, "max_value": 1.2, "rate": 0.4, "axis": 1}, [5, 4]),
    ("MinMaxNorm", {"min_value": 2.0, "max_value": 3.0, "rate": 0.7, "axis": [0, 1, 2]}, [3, 3, 2, 4]),
    ("NonNeg", {}, [5, 4]),
    ("NonNeg", {}, [3, 3, 2, 4]),
    ("RadialConstraint", {}, [4, 4, 2, 3]),
    ("RadialConstraint", {}, [5, 5, 2, 3]),
    ("UnitNorm", {}, [5, 4]),
    ("UnitNorm", {"axis": 1}, [5, 4]),
    ("UnitNorm", {"axis": [0, 1, 2]}, [3, 3, 2, 4]),
    ("UnitNorm", {"axis": [0, 1]}, [3, 2, 4]),
]

CASES: list[Case] = [
    case(f"{i:02d}_{cls}", kind="regularizer", cls=cls, kwargs=kwargs, shape=[5, 4])
    for i, (cls, kwargs) in enumerate(_REGULARIZERS)
]
CASES += [
    case(f"{i:02d}_{cls}_conv", kind="regularizer", cls=cls, kwargs=kwargs, shape=[3, 3, 2, 4])
    for i, (cls, kwargs) in enumerate(_REGULARIZERS)
    if cls in ("L1", "L2", "L1L2")
]
CASES += [
    case(f"{i:02d}_{cls}", kind="constraint", cls=cls, kwargs=kwargs, shape=shape)
    for i, (cls, kwargs, shape) in enumerate(_CONSTRAINTS)
]
