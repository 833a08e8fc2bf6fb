"""Write `data/safetensors.zip` with the package `safetensors`, and let it read files of ours.

    python make_safetensors.py             writes the zip
    python make_safetensors.py --check F   reads F, and prints what is in it

It runs where `safetensors==0.8.0 numpy` is installed.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

DATA = Path(__file__).resolve().parent / "data"


def arrays() -> dict[str, np.ndarray]:
    """What the file with every type holds."""
    random = np.random.RandomState(0)
    kinds = "float64 float32 float16 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool".split()
    values = {kind: random.uniform(0, 100, (2, 3)).astype(kind) for kind in kinds}
    return {**values, "scalar": np.array(7, "f4"), "empty": np.zeros((0, 4), "f4")}


def dense() -> dict[str, np.ndarray]:
    """What the state of a chain of two dense layers is, in torch's layout."""
    random = np.random.RandomState(1)
    shapes = {"0.linear.weight": (3, 4), "0.linear.bias": (3,), "1.linear.weight": (2, 3), "1.linear.bias": (2,)}
    return {name: random.uniform(-1, 1, shape).astype("f4") for name, shape in shapes.items()}


def main() -> None:
    if "--check" in sys.argv:
        for name, value in sorted(load_file(sys.argv[-1]).items()):
            print(name, value.dtype, value.shape, float(value.astype("f8").sum()))
        return
    with zipfile.ZipFile(DATA / "safetensors.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("types.safetensors", save(arrays(), {"format": "np", "note": 'a "text"'}))
        archive.writestr("dense.safetensors", save(dense(), {"format": "pt"}))


if __name__ == "__main__":
    main()
