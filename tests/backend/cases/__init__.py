"""Calls of every function of the backend: one table, run here and by Keras 2.15."""

from __future__ import annotations

from . import arithmetic, numbers, structure
from .common import Draw

TABLES = (*numbers.TABLES, *arithmetic.TABLES, *structure.TABLES)
CASES = {
    f"{table.__module__.rpartition('.')[2]}{table.__name__}-{i}-{case.name}": case
    for table in TABLES
    for i, case in enumerate(table(Draw()))
}
