"""The same, stateful: long waves are cut into pieces, and what an LSTM remembers is carried from piece to piece.

Sample i of a batch goes on where sample i of the batch before ended, so the batches must come in order
(`shuffle=False`) and their size is part of the model (`batch_input_shape`). Here the first piece of each wave alone
tells its class.
"""

import numpy as np

from torchkeras_compat.layers import LSTM, Dense
from torchkeras_compat.models import Sequential
from torchkeras_compat.utils import to_categorical

DATA_DIM, TIMESTEPS, NUM_CLASSES, BATCH_SIZE, PIECES = 4, 8, 2, 32, 4


def long_waves():
    """Return a batch of long sequences, one piece of all of them after the other, and their classes."""
    labels = np.random.randint(NUM_CLASSES, size=BATCH_SIZE)
    x = 0.1 * np.random.normal(size=(PIECES, BATCH_SIZE, TIMESTEPS, DATA_DIM))
    x[0] += labels[:, np.newaxis, np.newaxis]
    y = to_categorical(np.tile(labels, PIECES), NUM_CLASSES)
    return x.reshape(-1, TIMESTEPS, DATA_DIM), y


np.random.seed(7)
model = Sequential()
model.add(LSTM(32, return_sequences=True, stateful=True, batch_input_shape=(BATCH_SIZE, TIMESTEPS, DATA_DIM)))
model.add(LSTM(32, return_sequences=True, stateful=True))
model.add(LSTM(32, stateful=True))
model.add(Dense(NUM_CLASSES, activation="softmax"))

model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
for _ in range(30):
    x_train, y_train = long_waves()
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=1, shuffle=False, verbose=0)
    model.reset_states()  # the next batch of waves has nothing to do with this one

x_test, y_test = long_waves()
with_memory = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, verbose=0)[1]
model.reset_states()
last_piece = slice(-BATCH_SIZE, None)
without = model.evaluate(x_test[last_piece], y_test[last_piece], batch_size=BATCH_SIZE, verbose=0)[1]
print(f"accuracy over all pieces {with_memory:.3f}; on the last piece without the memory of those before {without:.3f}")
