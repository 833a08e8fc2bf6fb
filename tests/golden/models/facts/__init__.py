"""What Keras 2.15 says that is no number: names in logs, tables of models, configurations, names, errors.

Each table holds functions of the namespace that return JSON; `facts.json` holds what they return under Keras 2.15.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import configs, errors, graphs, logs, optimizers, penalties, precision, states, steps, summaries

Fact = Callable[[Any], Any]

FACTS: dict[str, dict[str, Fact]] = {
    "logs": logs.FACTS,
    "summaries": summaries.FACTS,
    "configs": configs.FACTS,
    "graphs": graphs.FACTS,
    "steps": steps.FACTS,
    "penalties": penalties.FACTS,
    "optimizers": optimizers.FACTS,
    "states": states.FACTS,
    "errors": errors.FACTS,
    "precision": precision.FACTS,
}
