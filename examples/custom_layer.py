"""A layer and a callback of one's own.

    python examples/custom_layer.py [--quick]

The layer multiplies its inputs with each other, two by two, and learns which products matter; the callback stops the
training as soon as the error is small enough. The target is such a product: a Dense layer alone does not get below .9
of its variance, this one ends below a hundredth of it.
"""

import sys

import numpy as np

from torchkeras_compat import backend as K
from torchkeras_compat.callbacks import Callback
from torchkeras_compat.layers import Dense, Layer
from torchkeras_compat.models import Sequential
from torchkeras_compat.optimizers import Adam

QUICK = "--quick" in sys.argv[1:]


class Products(Layer):
    """Weighted sums of the products of two inputs each: `y_k = Σ x_i · w_ijk · x_j`."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        size = int(input_shape[-1])
        self.kernel = self.add_weight(name="kernel", shape=(size, size * self.units), initializer="glorot_uniform")
        super().build(input_shape)

    def call(self, inputs):
        size = K.int_shape(inputs)[-1]
        sums = K.reshape(K.dot(inputs, self.kernel), (-1, size, self.units))
        return K.sum(K.expand_dims(inputs, -1) * sums, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class StopBelow(Callback):
    """Ends the training once a number in the logs is small enough."""

    def __init__(self, monitor, limit):
        super().__init__()
        self.monitor, self.limit = monitor, limit

    def on_epoch_end(self, epoch, logs=None):
        if logs[self.monitor] < self.limit:
            print(f"epoch {epoch + 1}: {self.monitor} {logs[self.monitor]:.4f} is small enough")
            self.model.stop_training = True


np.random.seed(7)
x = np.random.normal(size=(1000 if QUICK else 5000, 6)).astype("float32")
y = x[:, :1] * x[:, 1:2] - x[:, 2:3] * x[:, 3:4]


def error(layer):
    """Return the error of a model of this layer, as a part of the target's variance."""
    model = Sequential([layer, Dense(1)])
    model.compile(loss="mse", optimizer=Adam(learning_rate=0.01))
    model.fit(x, y, epochs=60, batch_size=32, verbose=0, callbacks=[StopBelow("loss", 0.005)])
    return model.evaluate(x, y, verbose=0) / y.var()


print(f"error of a Dense layer: {error(Dense(8, activation='linear', input_dim=6)):.3f} of the variance")
print(f"error of products: {error(Products(8, input_shape=(6,))):.4f} of the variance")
