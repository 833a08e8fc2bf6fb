"""A multilayer perceptron with a softmax: which of ten clusters does a point of twenty coordinates belong to?"""

import numpy as np

from torchkeras_compat.layers import Dense, Dropout
from torchkeras_compat.models import Sequential
from torchkeras_compat.optimizers import SGD
from torchkeras_compat.utils import to_categorical

np.random.seed(7)
centres = np.random.normal(size=(10, 20))
labels = np.random.randint(10, size=1100)
points = centres[labels] + 0.5 * np.random.normal(size=(1100, 20))
targets = to_categorical(labels, num_classes=10)
x_train, y_train, x_test, y_test = points[:1000], targets[:1000], points[1000:], targets[1000:]

model = Sequential()
model.add(Dense(64, activation="relu", input_dim=20))
model.add(Dropout(0.5))
model.add(Dense(64, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(10, activation="softmax"))

# The update is lr / (1 + decay * step), as classic Keras has it.
sgd = SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
model.fit(x_train, y_train, epochs=20, batch_size=128, verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, batch_size=128, verbose=0)
print(f"test loss {loss:.3f}, test accuracy {accuracy:.3f}")
