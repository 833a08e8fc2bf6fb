"""Write down configurations as Keras 2.15 and Keras 3.15 write them, with what the models compute.

    oracle/bin/python tests/golden/configs/make_golden_configs.py                       # Keras 2.15
    KERAS_BACKEND=torch keras3/bin/python tests/golden/configs/make_golden_configs.py   # Keras 3.15

`data/keras-<version>.json.gz` has, by the name of a model in `table.py`: `json`, what `to_json()` returned; `keras`,
the configuration in a `.keras` archive; names and shapes of the weights, and the outputs of drawn inputs with drawn
weights.  Models that this Keras cannot build or write are left out.
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

import keras
import numpy as np
from configs.answers import answer
from configs.table import all_models
from models.cases import FAMILIES

DATA = Path(__file__).resolve().parent / "data"
CODE = ("__lambda__", '"class_name": "Lambda"')  # what holds byte code is no part of the tables


def entry(build: Any) -> dict[str, Any]:
    """Return what is stored of a model."""
    keras.backend.clear_session()
    model = build(keras)
    model = model["model"] if isinstance(model, dict) else model
    text = model.to_json()
    if any(sign in text for sign in CODE):
        raise ValueError("holds code")
    stored = {"json": json.dumps(renumbered(json.loads(text))), "keras": archive_form(model), **answer(model)}
    return stored


def archive_form(model: Any) -> dict[str, Any]:
    """Return the configuration in a `.keras` archive of the model."""
    import io
    import tempfile
    import zipfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            config: dict[str, Any] = json.loads(archive.read("config.json"))
    return renumbered(config)


def renumbered(config: Any, numbers: dict[int, int] | None = None) -> Any:
    """Number what stands in several places from 1, for the numbers of objects in memory differ each time."""
    numbers = {} if numbers is None else numbers
    if isinstance(config, dict):
        return {
            key: numbers.setdefault(value, len(numbers) + 1)
            if key == "shared_object_id"
            else renumbered(value, numbers)
            for key, value in config.items()
        }
    return [renumbered(value, numbers) for value in config] if isinstance(config, list) else config


def main() -> None:
    """Write the file of this Keras."""
    stored: dict[str, Any] = {}
    for name, build in all_models(FAMILIES):
        try:
            stored[name] = entry(build)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error)[:150]}", flush=True)
    DATA.mkdir(exist_ok=True)
    version = ".".join(keras.__version__.split(".")[:2])
    text = json.dumps(stored, sort_keys=True, indent=0)
    with gzip.GzipFile(DATA / f"keras-{version}.json.gz", "wb", mtime=0) as file:
        file.write(text.encode())
    print(len(stored), "models", np.__version__)


if __name__ == "__main__":
    main()
