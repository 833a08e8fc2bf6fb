"""Make the weight files in `data/` with Keras 2.15, and check those of `torchkeras_compat` with it.

    python make_keras_files.py             writes data/
    python make_keras_files.py --check F   loads F, which `save_weights` of this package wrote, into the same model

It runs where `tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'` is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tensorflow import keras

DATA = Path(__file__).resolve().parent / "data"


def model() -> keras.Sequential:
    """The model of `test_keras_files.py`: convolutions, normalisation, recurrent layers, a model in the model."""
    layers = keras.layers
    inner = keras.Sequential(
        [
            layers.Dense(4, activation="tanh", input_shape=(5, 6), name="wide"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(3, name="narrow"),
        ],
        name="inner",
    )
    return keras.Sequential(
        [
            layers.Conv1D(6, 3, padding="same", input_shape=(5, 2), name="conv"),
            layers.BatchNormalization(name="norm"),
            inner,
            layers.LSTM(4, return_sequences=True, name="lstm"),
            layers.GRU(3, name="gru"),
            layers.Dropout(0.5, name="dropout"),
            layers.Dense(2, activation="softmax", name="dense"),
        ]
    )


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
        net = model()
        net.load_weights(sys.argv[-1])
        np.testing.assert_allclose(net.predict(inputs(), verbose=0), filled(model()).predict(inputs(), verbose=0), 1e-6)
        net.load_weights(sys.argv[-1], by_name=True)
        print("ok")
        return
    net = filled(model())
    net.save_weights(DATA / "keras_2_15.h5", save_format="h5")
    net.compile("sgd", "mse")
    net.save(DATA / "keras_2_15_model.h5", include_optimizer=False)
    net.get_layer("inner").trainable = False
    net.save_weights(DATA / "keras_2_15_frozen.h5", save_format="h5")
    weights = {f"w{i}": w for i, w in enumerate(net.get_weights())}
    np.savez_compressed(DATA / "keras_2_15.npz", x=inputs(), y=net.predict(inputs(), verbose=0), **weights)


if __name__ == "__main__":
    main()
