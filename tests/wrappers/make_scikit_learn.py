"""Write `scikit_learn.json`: what the wrappers of Keras 2.11, the last release that had them, give under Keras 2.15.

Run it where `pip install tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'` was done, in this folder, with the file
`keras/wrappers/scikit_learn.py` out of the wheel of keras==2.11.0: `python make_scikit_learn.py scikit_learn.py`.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from cases import cases, facts
from keras.src import losses


def has_arg(function: Any, name: str) -> bool:
    """Stand in for a helper that Keras 2.15 has no more."""
    return name in inspect.signature(function).parameters


def wrappers(path: str) -> ModuleType:
    """Return the module in a file."""
    stand_ins: dict[str, dict[str, Any]] = {
        "keras.utils.generic_utils": {"has_arg": has_arg},
        "keras.utils.np_utils": {"to_categorical": keras.utils.to_categorical},
    }
    for name, members in stand_ins.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(members)
    keras.losses.is_categorical_crossentropy = losses.is_categorical_crossentropy
    spec = importlib.util.spec_from_file_location("wrappers_of_2_11", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Write the file."""
    module = wrappers(sys.argv[1])
    table = {name: facts(*case) for name, case in cases(module.KerasClassifier, module.KerasRegressor).items()}
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(seen)}" for name, seen in table.items())
    Path(__file__).with_name("scikit_learn.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
