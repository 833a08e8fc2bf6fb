"""A multilayer perceptron with one sigmoid unit: does a point lie inside a ball?"""

import numpy as np

from torchkeras_compat.layers import Dense, Dropout
from torchkeras_compat.models import Sequential

np.random.seed(7)
points = np.random.normal(size=(1200, 20))
inside = (np.square(points[:, :6]).sum(axis=1) < 5.3).astype("float32").reshape(-1, 1)
x_train, y_train, x_test, y_test = points[:1000], inside[:1000], points[1000:], inside[1000:]

model = Sequential()
model.add(Dense(64, input_dim=20, activation="relu"))
model.add(Dropout(0.2))
model.add(Dense(64, activation="relu"))
model.add(Dropout(0.2))
model.add(Dense(1, activation="sigmoid"))

model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=20, batch_size=32, verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, batch_size=128, verbose=0)
print(f"test loss {loss:.3f}, test accuracy {accuracy:.3f}")
