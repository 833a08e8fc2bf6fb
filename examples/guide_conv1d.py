"""Sequence classification with one-dimensional convolutions: does a bump hide in the noise?"""

import numpy as np

from torchkeras_compat.layers import Conv1D, Dense, Dropout, GlobalAveragePooling1D, MaxPooling1D
from torchkeras_compat.models import Sequential

SEQ_LENGTH, CHANNELS = 64, 8


def signals(n):
    """Return noisy signals, half of them with a bump at a random place in every channel."""
    x = np.random.normal(size=(n, SEQ_LENGTH, CHANNELS))
    has_bump = np.random.randint(2, size=n)
    start = np.random.randint(0, SEQ_LENGTH - 9, size=n)
    for i in np.flatnonzero(has_bump):
        x[i, start[i] : start[i] + 9] += np.hanning(9)[:, np.newaxis]
    return x, has_bump


np.random.seed(7)
x_train, y_train = signals(800)
x_test, y_test = signals(200)

model = Sequential()
model.add(Conv1D(32, 3, activation="relu", input_shape=(SEQ_LENGTH, CHANNELS)))
model.add(Conv1D(32, 3, activation="relu"))
model.add(MaxPooling1D(3))
model.add(Conv1D(64, 3, activation="relu"))
model.add(Conv1D(64, 3, activation="relu"))
model.add(GlobalAveragePooling1D())
model.add(Dropout(0.5))
model.add(Dense(1, activation="sigmoid"))

model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=16, epochs=6, verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, batch_size=16, verbose=0)
print(f"test loss {loss:.3f}, test accuracy {accuracy:.3f}")
