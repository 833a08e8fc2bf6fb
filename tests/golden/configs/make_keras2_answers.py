"""Write down what Keras 2.15 computes of graphs with functions of tensors that this package wrote for it.

    PYTHONPATH=. python tests/golden/configs/make_keras2_answers.py          # here: what is written
    oracle/bin/python tests/golden/configs/make_keras2_answers.py answers    # Keras 2.15: what it computes of that

`data/written-for-keras-2.15.json.gz` has, by the name of a model in `table.py` or of a golden one, `written`, what
`to_json` returned, and the outputs.  Other layers are written as Keras 2.15 writes them, which a test says.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from configs import answers

PATH = Path(__file__).resolve().parent / "data" / "written-for-keras-2.15.json.gz"


def keep(stored: dict[str, Any]) -> None:
    """Write the file."""
    PATH.write_bytes(gzip.compress(json.dumps(stored, sort_keys=True, indent=0).encode(), mtime=0))


def write() -> None:
    """Write what `to_json` returns here, with the outputs of this package."""
    from configs import functions
    from configs.table import all_models
    from configs.writing import json_of
    from models.cases import FAMILIES

    stored: dict[str, Any] = {}
    for name, build in (*all_models(FAMILIES), *functions.models()):
        try:
            model, text = json_of(build)
        except (AttributeError, TypeError, ValueError):  # a class that is not here, a function without a name
            continue
        if "OpLambda" in text and '"Lambda"' not in text:  # whose code is another for each version of Python
            stored[name] = {"written": json.loads(text), **answers.answer(model)}
    keep(stored)


def answer() -> None:
    """Put the outputs of Keras 2.15 in the place of those of this package, to which they must be equal."""
    import keras

    stored = json.loads(gzip.decompress(PATH.read_bytes()))
    for name, entry in stored.items():
        keras.backend.clear_session()
        try:
            model = keras.models.model_from_json(json.dumps(entry["written"]))
        except Exception as error:
            entry["refused"] = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
            print(name, entry["refused"])
            continue
        there = answers.answer(model, *answers.like(entry, model))
        for ours, theirs in zip(entry["outputs"], there["outputs"]):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-5, err_msg=name)
        entry["outputs"] = there["outputs"]
    keep(stored)


if __name__ == "__main__":
    answer() if sys.argv[1:] == ["answers"] else write()
