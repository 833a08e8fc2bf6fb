"""Writes keras_2_15.json: the cases as Keras 2.15 computes them.

python -m venv oracle && oracle/bin/pip install tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'
oracle/bin/python tests/user_code/make_golden.py
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import keras
from keras import backend, constraints, layers, losses, optimizers, regularizers

sys.path.insert(0, str(Path(__file__).parent))
import cases

NAMESPACE = types.SimpleNamespace(
    K=backend,
    layers=layers,
    losses=losses,
    regularizers=regularizers,
    constraints=constraints,
    Sequential=keras.Sequential,
    optimizers=optimizers.legacy,
)

if __name__ == "__main__":
    numbers = {name: cases.run(NAMESPACE, name) for name in cases.CASES}
    Path(__file__).with_name("keras_2_15.json").write_text(json.dumps(numbers, indent=1) + "\n")
