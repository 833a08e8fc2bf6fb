"""Make files of weights with Keras 2.13, 2.15 and 3.15, and let Keras load those of `torchkeras_compat`.

    python make_weight_files.py                 writes data/weights_keras_<version>.zip with the Keras installed
    python make_weight_files.py --ours IN OUT   loads the files in IN with this package, and writes its own into OUT
    python make_weight_files.py --check OUT     loads the files in OUT with the Keras installed; compares predictions

A zip holds, for each model of `weight_models.py`, `NAME.weights.h5` (the tree), `NAME.h5` (the layout before 2.12;
Keras 3 writes it in files of whole models alone) and `NAME.npy`, what the model predicts. The first and the last way
run where `tensorflow-cpu==2.15.1` (or 2.13.1), or `keras==3.15.1 torch` with `KERAS_BACKEND=torch` is installed.
"""

from __future__ import annotations

import io
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import weight_models

DATA = Path(__file__).resolve().parent / "data"

# Keras 2.15 has other places for its layers than Keras 3, and these are taken by other layers of it.
CLASHING = "subclass_whose_names_stand_around_layers.weights.h5"
WITHOUT_CLASSIC = {"layer_of_users"}  # Keras 2 gives several of its weights one name, and cannot write them


def installed() -> Any:
    """Return Keras: the one in TensorFlow, or Keras 3."""
    try:
        from tensorflow import keras
    except ImportError:
        import keras
    return keras


def built(keras: Any, name: str) -> tuple[Any, Any]:
    """Return a model that has run once, and its inputs."""
    net, shapes = weight_models.MODELS[name](keras)
    x = weight_models.inputs(shapes)
    net.predict(x, verbose=0)
    return net, x


def version() -> str:
    """Return which Keras is installed."""
    import keras

    return str(keras.__version__)


def predictions(net: Any, x: Any) -> np.ndarray:
    """Return what a model gives, several outputs beside each other."""
    for layer in net.layers:
        if getattr(layer, "stateful", False) and hasattr(layer, "cell"):
            layer.reset_states() if hasattr(layer, "reset_states") else layer.reset_state()
    y = net.predict(x, verbose=0)
    return np.hstack(y) if isinstance(y, list) else y


def has_configuration(net: Any) -> bool:
    return type(net).__name__ in ("Sequential", "Functional", "Model")


def files(net: Any, keras: Any, folder: Path, name: str) -> Iterator[Path]:
    """Write the weights of a model in each layout, and yield the files."""
    keras_3 = hasattr(keras, "ops")
    tree, classic = folder / f"{name}.weights.h5", folder / f"{name}.h5"
    net.save_weights(str(tree))
    yield tree
    if not keras_3 and name not in WITHOUT_CLASSIC:
        net.save_weights(str(classic), save_format="h5")
        yield classic
    elif keras_3 and has_configuration(net):
        net.save(str(classic))
        yield classic


def write(archive: zipfile.ZipFile, keras: Any, name: str, net: Any, x: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in files(net, keras, Path(folder), name):
            archive.write(path, path.name)
    array = io.BytesIO()
    np.save(array, predictions(net, x))
    archive.writestr(f"{name}.npy", array.getvalue())


def make() -> None:
    keras = installed()
    release = "_".join(version().split(".")[:2])
    with zipfile.ZipFile(DATA / f"weights_keras_{release}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in weight_models.MODELS:
            net, x = built(keras, name)
            weight_models.fill(net)
            write(archive, keras, name, net, x)


def ours(source: str, target: str) -> None:
    import torchkeras_compat as keras

    keras.set_dialect("tf.keras")
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as archive:
        for name in weight_models.MODELS:
            net, x = built(keras, name)
            with tempfile.TemporaryDirectory() as folder:
                net.load_weights(given.extract(f"{name}.weights.h5", folder))
            write(archive, keras, name, net, x)


def check(target: str) -> None:
    keras = installed()
    failed = 0
    with zipfile.ZipFile(target) as archive, tempfile.TemporaryDirectory() as folder:
        names = sorted(n for n in archive.namelist() if n.endswith(".h5"))
        for file in names:
            name = file.partition(".")[0]
            if hasattr(keras, "ops") and not file.endswith(".weights.h5") and name not in GRAPHS:
                continue  # Keras 3 takes the older layout for chains and graphs alone
            net, x = built(keras, name)
            expected = np.load(io.BytesIO(archive.read(f"{name}.npy")))
            try:
                net.load_weights(archive.extract(file, folder))
                net.predict_function = None  # what was traced keeps the numbers of a Normalization
                np.testing.assert_allclose(predictions(net, x), expected, 1e-5, 1e-5)
            except Exception as error:
                refused = not hasattr(keras, "ops") and file == CLASHING
                failed += not refused
                print(f"{file}: {'refused, as it must be: ' * refused}{type(error).__name__}: {str(error)[:300]}")
    print(f"{len(names)} files, {failed} failed")
    sys.exit(failed > 0)


GRAPHS = {
    name
    for name, function in weight_models.MODELS.items()
    if not ("subclass" in name or "users" in name or "of_one_class" in name)
}

if __name__ == "__main__":
    if "--ours" in sys.argv:
        ours(*sys.argv[2:4])
    elif "--check" in sys.argv:
        check(sys.argv[2])
    else:
        make()
