"""Train an MLP and a CNN on 5,000 real handwritten digits, and save their learning curves and weights.

    python examples/mnist_demo.py [--epochs N] [--output FOLDER]

It is written as a Keras user of 2019 would write it; only the first word of the imports is new.
"""

import argparse
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np

from torchkeras_compat.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from torchkeras_compat.models import Sequential
from torchkeras_compat.optimizers import Adam
from torchkeras_compat.utils import to_categorical

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
NUM_CLASSES = 10
EPOCHS = 8
GOALS = {"mlp": 0.92, "cnn": 0.95}  # of the test digits right, after so many epochs or more


def load_digits():
    """Return the digits as Keras examples prepare them: floats in [0, 1], one-hot labels."""
    with np.load(HERE / "data" / "mnist.npz") as data:
        x_train, y_train, x_test, y_test = (data[k] for k in ("x_train", "y_train", "x_test", "y_test"))
    x_train = x_train.astype("float32")[..., np.newaxis] / 255
    x_test = x_test.astype("float32")[..., np.newaxis] / 255
    return (x_train, to_categorical(y_train, NUM_CLASSES)), (x_test, to_categorical(y_test, NUM_CLASSES))


def mlp():
    """Return a multilayer perceptron."""
    model = Sequential(name="mlp")
    model.add(Flatten(input_shape=(28, 28, 1)))
    model.add(Dense(512, activation="relu"))
    model.add(Dropout(0.2))
    model.add(Dense(256, activation="relu"))
    model.add(Dropout(0.2))
    model.add(Dense(NUM_CLASSES, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=Adam(lr=0.001), metrics=["accuracy"])
    return model


def cnn():
    """Return a small convolutional network."""
    model = Sequential(name="cnn")
    model.add(Conv2D(16, (3, 3), activation="relu", input_shape=(28, 28, 1)))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Conv2D(32, (3, 3), activation="relu"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Dropout(0.25))
    model.add(Flatten())
    model.add(Dense(128, activation="relu"))
    model.add(Dropout(0.25))
    model.add(Dense(NUM_CLASSES, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=Adam(lr=0.002), metrics=["accuracy"])
    return model


def plot(histories, path):
    """Draw loss and accuracy, on training and test digits, of each network."""
    figure, axes = plt.subplots(len(histories), 2, figsize=(10, 7), squeeze=False)
    for row, (name, history) in zip(axes, histories.items()):
        epochs = range(1, len(history["loss"]) + 1)
        for axis, key in zip(row, ("loss", "accuracy")):
            axis.plot(epochs, history[key], marker="o", markersize=3, label="training digits")
            axis.plot(epochs, history["val_" + key], marker="o", markersize=3, label="test digits")
            axis.set(title=f"{name.upper()}: {key}", xlabel="epoch", ylabel=key)
            axis.grid(alpha=0.3)
            axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main():
    """Train both, show what happens, and say where the results are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--output", type=Path, default=HERE.parent / "demo-output")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    np.random.seed(7)  # alone, it makes the whole run repeat
    start = time.perf_counter()
    (x_train, y_train), (x_test, y_test) = load_digits()
    print(f"{len(x_train)} training digits, {len(x_test)} test digits\n")
    histories, scores, saved = {}, {}, []
    for build in (mlp, cnn):
        model = build()
        model.summary()
        history = model.fit(
            x_train, y_train, batch_size=64, epochs=options.epochs, verbose=1, validation_data=(x_test, y_test)
        )
        _, scores[model.name] = model.evaluate(x_test, y_test, verbose=0)
        print(f"{model.name}: accuracy on the test digits {scores[model.name]:.3f}\n")
        histories[model.name] = history.history
        saved.append(options.output / f"mnist_{model.name}.weights.h5")
        model.save_weights(str(saved[-1]))
    picture = options.output / "learning_curves.png"
    plot(histories, picture)

    print(f"Both networks trained in {time.perf_counter() - start:.0f} s.")
    expected = "expected" if options.epochs >= EPOCHS else f"expected after {EPOCHS} epochs"
    for name, goal in GOALS.items():
        print(f"  {name}: {scores[name]:.3f} of the test digits right ({expected}: at least {goal:.2f})")
    print(f"Learning curves: {picture}")
    for path in saved:
        print(f"Weights:         {path}")
    return missed(scores) if options.epochs >= EPOCHS else 0


def missed(scores):
    """Say which networks fell short of what is expected of them; return the exit status."""
    short = [name for name, goal in GOALS.items() if not scores[name] >= goal]  # NaN falls short too
    for name in short:
        print(f"{name}: {scores[name]:.3f} misses the {GOALS[name]:.2f} that is expected.", file=sys.stderr)
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main())
