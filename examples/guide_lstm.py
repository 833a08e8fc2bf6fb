"""Sequence classification with an LSTM: does the word 1 come before the word 2?"""

import numpy as np

from torchkeras_compat.layers import LSTM, Dense, Dropout, Embedding
from torchkeras_compat.models import Sequential

MAX_FEATURES, LENGTH = 50, 12


def sentences(n):
    """Return sequences of words with a 1 and a 2 somewhere in each, and whether the 1 comes first."""
    words = np.random.randint(3, MAX_FEATURES, size=(n, LENGTH))
    places = np.argsort(np.random.random((n, LENGTH)), axis=1)[:, :2]
    words[np.arange(n), places[:, 0]] = 1
    words[np.arange(n), places[:, 1]] = 2
    return words, (places[:, 0] < places[:, 1]).astype("float32")


np.random.seed(7)
x_train, y_train = sentences(1000)
x_test, y_test = sentences(200)

model = Sequential()
model.add(Embedding(MAX_FEATURES, output_dim=32))
model.add(LSTM(32))
model.add(Dropout(0.2))
model.add(Dense(1, activation="sigmoid"))

model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=16, epochs=6, verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, batch_size=16, verbose=0)
print(f"test loss {loss:.3f}, test accuracy {accuracy:.3f}")
