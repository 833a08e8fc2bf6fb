"""Write trees of weights with the state of each optimizer, and how training goes on, with Keras 2.15 and 3.15.

    python make_optimizer_files.py                 writes data/optimizers_keras_<version>.zip
    python make_optimizer_files.py --ours IN OUT   goes on from the files in IN with this package, and writes its own
    python make_optimizer_files.py --check OUT     goes on from the files in OUT with the Keras installed

A zip holds `NAME.weights.h5`, after three steps, and `NAME.npy`, the weights after three more. It runs where
`make_weight_files.py` does.
"""

from __future__ import annotations

import io
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from make_weight_files import DATA, installed, version
from optimizer_models import OPTIMIZERS, compiled, train


def flat(net: Any) -> np.ndarray:
    return np.concatenate([w.ravel() for w in net.get_weights()])


def write(archive: zipfile.ZipFile, name: str, net: Any) -> None:
    """Write the tree, and the weights three steps later."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.weights.h5"
        net.save_weights(str(path))
        archive.write(path, path.name)
    train(net, 3)
    array = io.BytesIO()
    np.save(array, flat(net))
    archive.writestr(f"{name}.npy", array.getvalue())


def resumed(keras: Any, archive: zipfile.ZipFile, name: str) -> Any:
    """Return a model with the weights and the optimizer's state in a file, which it had another one of."""
    net = compiled(keras, name)
    train(net, 9)
    with tempfile.TemporaryDirectory() as folder:
        net.load_weights(archive.extract(f"{name}.weights.h5", folder))
    return net


def make() -> None:
    keras = installed()
    release = "_".join(version().split(".")[:2])
    with zipfile.ZipFile(DATA / f"optimizers_keras_{release}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in OPTIMIZERS:
            net = compiled(keras, name)
            train(net, 2)
            write(archive, name, net)


def ours(source: str, target: str) -> None:
    import torchkeras_compat as keras

    keras.set_dialect("keras-2.15")
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as archive:
        for name in OPTIMIZERS:
            write(archive, name, resumed(keras, given, name))


def check(target: str) -> None:
    keras = installed()
    failed = 0
    with zipfile.ZipFile(target) as archive:
        for name in OPTIMIZERS:
            net = resumed(keras, archive, name)
            train(net, 3)
            difference = np.abs(flat(net) - np.load(io.BytesIO(archive.read(f"{name}.npy")))).max()
            failed += difference > 1e-5
            print(name, difference)
    print(f"{len(OPTIMIZERS)} optimizers, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    if "--ours" in sys.argv:
        ours(*sys.argv[2:4])
    elif "--check" in sys.argv:
        check(sys.argv[2])
    else:
        make()
