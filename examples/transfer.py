"""What a network has learned of some digits helps another one with others.

    python examples/transfer.py [--quick]

A convolutional network learns the digits 0 to 4; its convolutions go into another one by `set_weights`, are frozen
there, and only two Dense layers learn the digits 5 to 9. Keras's own example tells 99.2 % of those right after 5 epochs
over all their training digits. With --quick there are at most 2,000 training digits, and at least 90 % are right.
"""

import sys

import numpy as np

from torchkeras_compat.datasets import mnist
from torchkeras_compat.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from torchkeras_compat.models import Sequential

QUICK = "--quick" in sys.argv[1:]
EPOCHS = 5
CONVOLUTIONS = 5  # layers that go along

np.random.seed(7)
(x_train, y_train), (x_test, y_test) = mnist.load_data()
if QUICK:
    x_train, y_train, x_test, y_test = x_train[:2000], y_train[:2000], x_test[:1000], y_test[:1000]
x_train = x_train.astype("float32")[..., np.newaxis] / 255
x_test = x_test.astype("float32")[..., np.newaxis] / 255


def network():
    """Return a network for five classes."""
    model = Sequential(
        [
            Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)),
            Conv2D(32, 3, activation="relu"),
            MaxPooling2D(2),
            Dropout(0.25),
            Flatten(),
            Dense(128, activation="relu"),
            Dropout(0.5),
            Dense(5, activation="softmax"),
        ]
    )
    return model


def train(model, first):
    """Train a model on five digits from `first` on, and return how many of the test digits it tells right."""
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    train, test = (y_train // 5 == first // 5), (y_test // 5 == first // 5)
    model.fit(x_train[train], y_train[train] - first, batch_size=64, epochs=EPOCHS, verbose=2)
    return model.evaluate(x_test[test], y_test[test] - first, verbose=0)[1]


low = network()
print(f"digits 0 to 4: test accuracy {train(low, 0):.3f}")

high = network()
for source, layer in zip(low.layers[:CONVOLUTIONS], high.layers):
    layer.set_weights(source.get_weights())
    layer.trainable = False
print(f"{sum(np.prod(weight.shape) for weight in high.trainable_weights)} of {high.count_params()} weights train")
print(f"digits 5 to 9: test accuracy {train(high, 5):.3f}")
