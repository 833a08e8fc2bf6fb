"""A model of one's own class, on the housing prices, after the basic tutorials of TensorFlow 2."""
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

tf.random.set_seed(1)
np.random.seed(1)
print('Eager:', tf.executing_eagerly())

(x_train, y_train), (x_test, y_test) = keras.datasets.boston_housing.load_data(test_split=.25)
mean, std = x_train.mean(axis=0), x_train.std(axis=0)
x_train, x_test = (x_train - mean) / std, (x_test - mean) / std


class Linear(layers.Layer):
    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer='random_normal', trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer='zeros', trainable=True)

    def call(self, inputs):
        return tf.matmul(inputs, self.w) + self.b

    def get_config(self):
        config = super().get_config()
        config.update({'units': self.units})
        return config


class PriceModel(tf.keras.Model):
    def __init__(self):
        super(PriceModel, self).__init__(name='prices')
        self.hidden = [Linear(32), Linear(16)]
        self.dropout = layers.Dropout(.05)
        self.out = keras.layers.Dense(1, bias_initializer=keras.initializers.Constant(22.))

    def call(self, inputs, training=False):
        x = tf.cast(inputs, tf.float32)
        for layer in self.hidden:
            x = tf.nn.relu(layer(x))
        return self.out(self.dropout(x, training=training))


class PrintDot(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs):
        if epoch % 20 == 0:
            print('')
        print('.', end='')


model = PriceModel()
model.compile(loss='mse', optimizer=tf.keras.optimizers.RMSprop(lr=0.005), metrics=['mae', 'mse'])
early_stop = keras.callbacks.EarlyStopping(monitor='val_mae', patience=15)
history = model.fit(x_train, y_train, epochs=60, validation_split=0.2, verbose=0, callbacks=[early_stop, PrintDot()])
loss, mae, mse = model.evaluate(x_test, y_test, verbose=0)
print("\nTesting set Mean Abs Error: {:5.2f} thousand dollars".format(mae))
