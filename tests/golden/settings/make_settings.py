"""Write `settings.json` with Keras 2.15, in the environment of `make_golden.py`.

`python -m golden.settings.make_settings`, in `tests/`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

from typing import Any

import keras
import numpy as np

from .run import make, module, run
from .tables import CASES, key

FILE = Path(__file__).resolve().parent / "settings.json"


def number(value: Any) -> float:
    """Return what JSON does not know as a number."""
    return float(np.asarray(value))


def written(case: tuple[str, str, int]) -> list[Any]:
    """Return the object of a case as `serialize` writes it: for archives, and for older files."""
    made, of_kind = make(keras, case), module(keras, case[0])
    serialize = getattr(of_kind, "serialize", keras.optimizers.serialize)
    formats = [serialize(made)]
    if not any(isinstance(value, np.ndarray) for value in made.get_config().values()):  # which the older one fails with
        formats.append(serialize(made, use_legacy_format=True))
    return [json.loads(json.dumps(value, default=number)) for value in formats]


if __name__ == "__main__":
    measured = {key(case): {**run(keras, case), "written": written(case)} for case in CASES}
    FILE.write_text(json.dumps(measured, separators=(",", ":")).replace("},", "},\n") + "\n", encoding="utf-8")
