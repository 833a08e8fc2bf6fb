"""Handwritten digits by a convolutional network.

    python examples/mnist_cnn.py [--quick]

Keras's own example of this network tells 99.25 % of the test digits right after 12 epochs over the 60,000 training
digits. With --quick there are 4 epochs over at most 2,000 of them, and at least 90 % are right.
"""

import sys

import numpy as np

from torchkeras_compat.datasets import mnist
from torchkeras_compat.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from torchkeras_compat.models import Sequential
from torchkeras_compat.utils import to_categorical

QUICK = "--quick" in sys.argv[1:]
NUM_CLASSES = 10

np.random.seed(7)
(x_train, y_train), (x_test, y_test) = mnist.load_data()
if QUICK:
    x_train, y_train, x_test, y_test = x_train[:2000], y_train[:2000], x_test[:1000], y_test[:1000]
x_train = x_train.astype("float32")[..., np.newaxis] / 255
x_test = x_test.astype("float32")[..., np.newaxis] / 255
y_train, y_test = to_categorical(y_train, NUM_CLASSES), to_categorical(y_test, NUM_CLASSES)

model = Sequential(
    [
        Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)),
        Conv2D(64, 3, activation="relu"),
        MaxPooling2D(2),
        Dropout(0.25),
        Flatten(),
        Dense(128, activation="relu"),
        Dropout(0.5),
        Dense(NUM_CLASSES, activation="softmax"),
    ]
)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
batch_size, epochs = (64, 4) if QUICK else (128, 12)
model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, validation_data=(x_test, y_test), verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.3f}, test accuracy {accuracy:.3f}")
