"""Write the files of `data/` under Keras 2.15 or Keras 3, and what they predict and how their training goes on.

    python -m tests.saving.zoo.make_zoo [NAME …]     at the root of the checkout, where that Keras is installed

It writes `data/keras_2_15.zip` or `data/keras_3_15.zip`: of each model `NAME.h5` and `NAME.keras`, and
`expected.npz` with `NAME/x/i`, `NAME/y/i` (predictions) and `NAME/losses`. What that Keras cannot build, save or
load again itself is listed in `skipped.json` with the reason.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.models.case import leaves
from tests.saving.zoo.models import STEPS, batch, build, cases, forget_states, is_random

DATA = Path(__file__).resolve().parent / "data"
FORMATS = (".keras", ".h5")  # in this order: writing HDF5, Keras 3 forgets the optimizer of what it writes next


def namespace() -> tuple[Any, str]:
    """Return the Keras that is installed here, and its version."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    if keras.__version__.startswith("2."):
        from tensorflow import keras as tf_keras

        return tf_keras, keras.__version__
    return keras, keras.__version__


def observe(name: str, case: Any, keras: Any, folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Train a model, write its files, and see what it predicts and how training goes on."""
    model = build(name, case, keras)
    for number in range(STEPS):
        model.train_on_batch(*batch(case, number))
    files = {}
    for ending in FORMATS:
        path = folder / f"{name}{ending}"
        model.save(path)
        files[f"{name}{ending}"] = path.read_bytes()
    x, _ = batch(case, 0)
    forget_states(model)
    arrays = {f"{name}/x/{i}": leaf for i, leaf in enumerate(leaves(x))}
    arrays |= {f"{name}/y/{i}": np.asarray(leaf) for i, leaf in enumerate(leaves(model.predict_on_batch(x)))}
    keras.models.load_model(folder / f"{name}.keras")
    if not is_random(model):
        # Of the model that goes on, not of the one loaded again: there Keras 2.15 begins the momenta of Nadam anew.
        forget_states(model)
        told = [model.train_on_batch(*batch(case, number)) for number in range(STEPS)]
        arrays[f"{name}/losses"] = np.asarray([np.ravel(one)[0] for one in told], "float64")
    return files, arrays


def main() -> None:
    keras, version = namespace()
    version = "_".join(version.split(".")[:2])
    only = sys.argv[1:]
    skipped: dict[str, str] = {}
    arrays: dict[str, Any] = {}
    DATA.mkdir(exist_ok=True)
    target = DATA / f"keras_{version}.zip"
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(target.with_suffix(".part"), "w") as out:
        for name, case in cases().items():
            if only and name not in only:
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    files, seen = observe(name, case, keras, Path(folder))
            except Exception as error:  # whatever this Keras cannot do is written down
                skipped[name] = f"{type(error).__name__}: {str(error)[:200]}"
                continue
            arrays |= seen
            for member, data in files.items():
                out.writestr(zipfile.ZipInfo(member), data, zipfile.ZIP_DEFLATED, 9)  # of no date: the same each time
        packed = io.BytesIO()
        np.savez(packed, **arrays)
        out.writestr("expected.npz", packed.getvalue())
        out.writestr("skipped.json", json.dumps(skipped, indent=1))
    os.replace(target.with_suffix(".part"), target)
    print(len(arrays), "arrays;", len(skipped), "skipped:", json.dumps(skipped, indent=1))


if __name__ == "__main__":
    main()
