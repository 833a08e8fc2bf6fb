"""Handwritten digits by a multilayer perceptron.

    python examples/mnist_mlp.py [--quick]

Keras's own example of this network tells 98.4 % of the test digits right after 20 epochs over the 60,000 training
digits. With --quick there are 6 epochs over at most 4,000 of them, and at least 90 % are right.
"""

import sys

import numpy as np

from torchkeras_compat.datasets import mnist
from torchkeras_compat.layers import Dense, Dropout
from torchkeras_compat.models import Sequential
from torchkeras_compat.optimizers import RMSprop
from torchkeras_compat.utils import to_categorical

QUICK = "--quick" in sys.argv[1:]
NUM_CLASSES = 10

np.random.seed(7)
(x_train, y_train), (x_test, y_test) = mnist.load_data()
if QUICK:
    x_train, y_train, x_test, y_test = x_train[:4000], y_train[:4000], x_test[:1000], y_test[:1000]
x_train = x_train.reshape(-1, 784).astype("float32") / 255
x_test = x_test.reshape(-1, 784).astype("float32") / 255
y_train, y_test = to_categorical(y_train, NUM_CLASSES), to_categorical(y_test, NUM_CLASSES)

model = Sequential(
    [
        Dense(512, activation="relu", input_shape=(784,)),
        Dropout(0.2),
        Dense(512, activation="relu"),
        Dropout(0.2),
        Dense(NUM_CLASSES, activation="softmax"),
    ]
)
model.summary()
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(), metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=128, epochs=6 if QUICK else 20, validation_data=(x_test, y_test), verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.3f}, test accuracy {accuracy:.3f}")
