"""Write `data/classic_weights.npz`: what Keras 2.15 makes of the weights in files of older Keras.

It runs where `tensorflow-cpu==2.15.1 keras==2.15.0` is installed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import h5py
import numpy as np
from classic_models import CASES, REFUSED
from tensorflow import keras

DATA = Path(__file__).resolve().parent / "data"


def main() -> None:
    arrays = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, case in {**CASES, **REFUSED}.items():
            path = Path(folder) / f"{name}.h5"
            with h5py.File(path, "w") as root:
                case.write(root)
            net = case.model(keras)
            try:
                net.load_weights(path)
            except ValueError as error:
                print(f"{name}: {error}")
                continue
            arrays |= {f"{name}/{i}": weight for i, weight in enumerate(net.get_weights())}
    np.savez_compressed(DATA / "classic_weights.npz", **arrays)


if __name__ == "__main__":
    main()
