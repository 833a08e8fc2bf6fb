"""Files of the zoo that this package writes, and what says that they are those which Keras has read.

    python -m tests.saving.zoo.written FOLDER      writes them

`check_written.py` loads the folder under each Keras and notes the fingerprints of the files that it could read in
`data/read_by_keras.json`; `test_written.py` writes them anew and holds them to those.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.models.case import Case, leaves
from tests.saving.zoo.models import STEPS, batch, build, cases, forget_states, is_random
from torchkeras_compat.saving.model_hdf5 import FUNCTIONS

FORMATS = {".h5": "keras_2_15", ".keras": "keras_3_15"}  # how the name ends → who has to read it


def write(name: str, case: Case, keras: Any, folder: Path) -> dict[str, Any]:
    """Train a model of this package, write its files, and return what it predicts and how its training goes on."""
    keras.set_dialect("keras-2.15")
    model = build(name, case, keras)
    for number in range(STEPS):
        model.train_on_batch(*batch(case, number))
    for ending in FORMATS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Keras 3 cannot express is told, and read by no Keras 3
            model.save(folder / f"{name}{ending}")
    x, _ = batch(case, 0)
    forget_states(model)
    arrays = {f"{name}/y/{i}": np.asarray(leaf) for i, leaf in enumerate(leaves(model.predict_on_batch(x)))}
    if not is_random(model):
        forget_states(model)
        losses = [np.ravel(model.train_on_batch(*batch(case, number)))[0] for number in range(STEPS)]
        arrays[f"{name}/losses"] = np.asarray(losses, "float64")
    return arrays


def fingerprint(path: Path) -> str:
    """Return what two files have in common that differ in numbers and dates alone."""
    import h5py

    texts: list[str] = []

    def note(place: str, node: Any) -> None:
        shape = f"{node.shape} {node.dtype}" if hasattr(node, "shape") else ""
        # Digests of functions are for the process that writes, and others in each release of Python.
        listed = {key: _told(value) for key, value in node.attrs.items() if key != FUNCTIONS}
        texts.append(f"{place} {shape} {json.dumps(listed, sort_keys=True)}")

    def walk(root: Any) -> None:
        note("/", root)
        root.visititems(note)

    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            texts.append(json.dumps(json.loads(archive.read("config.json")), sort_keys=True))
            with archive.open("model.weights.h5") as member, h5py.File(member, "r") as root:
                walk(root)
    else:
        with h5py.File(path, "r") as root:
            walk(root)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _told(value: Any) -> Any:
    """Return an attribute as JSON has it."""
    if isinstance(value, np.ndarray):
        return [_told(item) for item in value.tolist()]
    return value.decode() if isinstance(value, bytes) else str(value)


def main() -> None:
    import torchkeras_compat as keras

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {}
    for name, case in cases().items():
        try:
            arrays |= write(name, case, keras, folder)
        except NotImplementedError as error:  # calls of users in HDF5 files
            print(name, error)
    np.savez(folder / "expected.npz", **arrays)
    prints = {path.name: fingerprint(path) for path in sorted(folder.iterdir()) if path.suffix in FORMATS}
    (folder / "fingerprints.json").write_text(json.dumps(prints, indent=1))


if __name__ == "__main__":
    main()
