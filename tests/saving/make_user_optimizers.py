"""Write models with optimizers of users' own, and how training goes on, with Keras 2.15.

    python make_user_optimizers.py    writes data/user_optimizers_keras_2_15.zip

A zip holds `NAME.h5` and `NAME.keras`, after two epochs, and in `losses.json` the losses of the three after them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from pathlib import Path

import keras

sys.path.insert(0, str(Path(__file__).resolve().parent))

from user_optimizers import compiled, losses, made

DATA = Path(__file__).resolve().parent / "data"

if __name__ == "__main__":
    told = {}
    with (
        zipfile.ZipFile(DATA / "user_optimizers_keras_2_15.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.TemporaryDirectory() as folder,
    ):
        for name, optimizer in made(keras).items():
            net = compiled(keras, optimizer)
            losses(net, 2)
            for suffix in ("h5", "keras"):
                path = Path(folder) / f"{name}.{suffix}"
                net.save(path)
                archive.write(path, path.name)
            told[name] = losses(net, 3)
        archive.writestr("losses.json", json.dumps(told))
