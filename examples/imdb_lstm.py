"""Reviews of films by an LSTM: is one in favour or against?

    python examples/imdb_lstm.py [--quick]

Keras's own example of this network tells some 82 % of the test reviews right after 15 epochs over 25,000 reviews. With
--quick there are 3 epochs over at most 3,200 of them, and at least 70 % are right.
"""

import sys

import numpy as np

from torchkeras_compat.datasets import imdb
from torchkeras_compat.layers import LSTM, Dense, Embedding
from torchkeras_compat.models import Sequential
from torchkeras_compat.preprocessing.sequence import pad_sequences

QUICK = "--quick" in sys.argv[1:]
MAX_FEATURES, MAXLEN = (5000, 40) if QUICK else (20000, 80)

np.random.seed(7)
(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=MAX_FEATURES)
if QUICK:
    x_train, y_train, x_test, y_test = x_train[:3200], y_train[:3200], x_test[:800], y_test[:800]
x_train, x_test = pad_sequences(x_train, maxlen=MAXLEN), pad_sequences(x_test, maxlen=MAXLEN)

model = Sequential(
    [
        Embedding(MAX_FEATURES, 128, mask_zero=True),
        LSTM(32 if QUICK else 128, dropout=0.2, recurrent_dropout=0.2),
        Dense(1, activation="sigmoid"),
    ]
)
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=3 if QUICK else 15, validation_data=(x_test, y_test), verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, batch_size=32, verbose=0)
print(f"test loss {loss:.3f}, test accuracy {accuracy:.3f}")
