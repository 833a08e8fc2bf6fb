"""Text written by an LSTM, one character after the other, in the manner of what it has read.

    python examples/lstm_text_generation.py [--quick] [FILE]

Without a file it reads Nietzsche, as Keras's own example does. The text begins to read like English after some twenty
epochs over 600,000 characters. With --quick it reads 30,000 characters three times: the loss falls below 2.5, from the
3.9 of guessing among some fifty characters, and the text has the lengths of words but few words.
"""

import sys

import numpy as np

from torchkeras_compat.callbacks import LambdaCallback
from torchkeras_compat.layers import LSTM, Dense
from torchkeras_compat.models import Sequential
from torchkeras_compat.optimizers import RMSprop
from torchkeras_compat.utils import get_file

QUICK = "--quick" in sys.argv[1:]
FILES = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
MAXLEN, STEP = 40, 3

np.random.seed(7)
path = FILES[0] if FILES else get_file("nietzsche.txt", origin="https://s3.amazonaws.com/text-datasets/nietzsche.txt")
with open(path, encoding="utf-8") as file:
    text = file.read().lower()
if QUICK:
    text = text[:30_000]
characters = sorted(set(text))
index_of = {character: i for i, character in enumerate(characters)}
print(f"{len(text)} characters, {len(characters)} of them distinct")

starts = range(0, len(text) - MAXLEN, STEP)
codes = np.array([index_of[character] for character in text])
one_hot = np.eye(len(characters), dtype="float32")
x = one_hot[np.stack([codes[start : start + MAXLEN] for start in starts])]
y = one_hot[codes[[start + MAXLEN for start in starts]]]

model = Sequential([LSTM(128, input_shape=(MAXLEN, len(characters))), Dense(len(characters), activation="softmax")])
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(learning_rate=0.01))


def sample(predictions, temperature):
    """Return the index of a character, drawn from what the model expects, the bolder the higher the temperature."""
    weights = np.exp(np.log(predictions.astype("float64")) / temperature)
    return np.random.choice(len(weights), p=weights / weights.sum())


def write_some(epoch, logs):
    """Print what the model writes now."""
    start = np.random.randint(0, len(text) - MAXLEN)
    for temperature in (0.2, 1.0):
        written = text[start : start + MAXLEN]
        for _ in range(60 if QUICK else 400):
            window = one_hot[[index_of[character] for character in written[-MAXLEN:]]]
            expected = model.predict(window[np.newaxis], verbose=0)[0]
            written += characters[sample(expected, temperature)]
        print(f"temperature {temperature}: {written[:MAXLEN]!r} → {written[MAXLEN:]!r}")


history = model.fit(
    x,
    y,
    batch_size=128,
    epochs=3 if QUICK else 60,
    verbose=2,
    callbacks=[LambdaCallback(on_epoch_end=write_some)],
)
print(f"loss {history.history['loss'][-1]:.3f}")
