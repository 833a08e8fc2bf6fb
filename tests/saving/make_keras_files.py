"""Make the weight files in `data/` with Keras 2.15, and check those of `torchkeras_compat` with it.

    python make_keras_files.py             writes data/
    python make_keras_files.py --check F   loads F, which `save_weights` of this package wrote, into the same model

It runs where `tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'` is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from mixed_model import model
from tensorflow import keras

DATA = Path(__file__).resolve().parent / "data"
LOOKED_UP = np.array([[1, 5], [2, 5], [7, 5], [2, 9]])


def filled(net: keras.Sequential) -> keras.Sequential:
    """Give every weight its own values."""
    random = np.random.RandomState(3)
    net.set_weights([random.uniform(0.1, 1.0, w.shape).astype("float32") for w in net.get_weights()])
    return net


def inputs() -> np.ndarray:
    """What the outputs are computed from."""
    return np.random.RandomState(4).uniform(-1, 1, (3, 5, 2)).astype("float32")


def main() -> None:
    if "--check" in sys.argv:
        net = model(keras)
        net.load_weights(sys.argv[-1])
        expected = filled(model(keras)).predict(inputs(), verbose=0)
        np.testing.assert_allclose(net.predict(inputs(), verbose=0), expected, 1e-6)
        net.load_weights(sys.argv[-1], by_name=True)
        print("ok")
        return
    net = filled(model(keras))
    net.save_weights(DATA / "keras_2_15.h5", save_format="h5")
    net.compile("sgd", "mse")
    net.save(DATA / "keras_2_15_model.h5", include_optimizer=False)
    net.get_layer("inner").trainable = False
    net.save_weights(DATA / "keras_2_15_frozen.h5", save_format="h5")
    lookup = keras.layers.IntegerLookup(output_mode="multi_hot", num_oov_indices=2)
    lookup.adapt(LOOKED_UP)
    keras.Sequential([keras.Input((2,), dtype="int64"), lookup]).save(DATA / "keras_2_15_lookup.keras")
    print(lookup(LOOKED_UP).numpy().tolist())  # stands in test_keras_files.py
    weights = {f"w{i}": w for i, w in enumerate(net.get_weights())}
    np.savez_compressed(DATA / "keras_2_15.npz", x=inputs(), y=net.predict(inputs(), verbose=0), **weights)


if __name__ == "__main__":
    main()
