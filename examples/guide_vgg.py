"""A small VGG-like convolutional network: which of four patterns does a noisy picture show?"""

import numpy as np

from torchkeras_compat.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from torchkeras_compat.models import Sequential
from torchkeras_compat.optimizers import Adam
from torchkeras_compat.utils import to_categorical

SIDE = 32


def pictures(n):
    """Return pictures of stripes in four directions, with noise, and which direction each has."""
    labels = np.random.randint(4, size=n)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    directions = np.stack([rows, columns, rows + columns, rows - columns])[labels]
    phase = np.random.randint(8, size=(n, 1, 1))
    stripes = np.sin((directions + phase) * np.pi / 4)
    return stripes[..., np.newaxis] + 0.5 * np.random.normal(size=(n, SIDE, SIDE, 3)), to_categorical(labels, 4)


np.random.seed(7)
x_train, y_train = pictures(256)
x_test, y_test = pictures(64)

model = Sequential()
model.add(Conv2D(16, (3, 3), activation="relu", input_shape=(SIDE, SIDE, 3)))
model.add(Conv2D(16, (3, 3), activation="relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.25))

model.add(Conv2D(32, (3, 3), activation="relu"))
model.add(Conv2D(32, (3, 3), activation="relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.25))

model.add(Flatten())
model.add(Dense(64, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(4, activation="softmax"))

model.compile(loss="categorical_crossentropy", optimizer=Adam(lr=0.002), metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=5, verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, batch_size=32, verbose=0)
print(f"test loss {loss:.3f}, test accuracy {accuracy:.3f}")
