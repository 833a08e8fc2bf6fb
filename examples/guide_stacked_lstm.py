"""Three LSTM layers on top of each other: which of four frequencies does a noisy wave have?"""

import numpy as np

from torchkeras_compat.layers import LSTM, Dense
from torchkeras_compat.models import Sequential
from torchkeras_compat.utils import to_categorical

DATA_DIM, TIMESTEPS, NUM_CLASSES = 4, 16, 4


def waves(n):
    """Return noisy waves with a random phase in each channel, and the class of each one's frequency."""
    labels = np.random.randint(NUM_CLASSES, size=n)
    time = np.arange(TIMESTEPS)[:, np.newaxis]
    phase = np.random.uniform(0, 2 * np.pi, size=(n, 1, DATA_DIM))
    x = np.sin(time * (labels + 1)[:, np.newaxis, np.newaxis] * np.pi / 6 + phase)
    return x + 0.2 * np.random.normal(size=x.shape), to_categorical(labels, NUM_CLASSES)


np.random.seed(7)
x_train, y_train = waves(1000)
x_val, y_val = waves(100)

model = Sequential()
# The first two layers return the whole sequence, the last one only its last step.
model.add(LSTM(32, return_sequences=True, input_shape=(TIMESTEPS, DATA_DIM)))
model.add(LSTM(32, return_sequences=True))
model.add(LSTM(32))
model.add(Dense(NUM_CLASSES, activation="softmax"))

model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=64, epochs=8, verbose=2, validation_data=(x_val, y_val))
print(f"validation accuracy {history.history['val_accuracy'][-1]:.3f}")
