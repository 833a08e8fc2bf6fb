"""Imports from inside TensorFlow 1, and its attributes, as notebooks of 2018 had them."""
from __future__ import absolute_import, division, print_function
import numpy as np
import tensorflow as tf
from tensorflow.python.keras.models import Sequential, load_model
from tensorflow.python.keras.layers import InputLayer, Reshape, Dense, Flatten
from tensorflow.python.keras.layers import Conv2D, MaxPooling2D
from tensorflow.python.keras.layers.core import Activation
from tensorflow.python.keras.optimizers import Adam
from tensorflow.python.keras import backend as K
from tensorflow.python.keras.utils.np_utils import to_categorical

np.random.seed(6)
tf.set_random_seed(6)
print(tf.VERSION if hasattr(tf, 'VERSION') else tf.__version__)

(x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
x_train, y_train = x_train[:1200].reshape(-1, 784) / 255., to_categorical(y_train[:1200], 10)
x_test, y_test = x_test.reshape(-1, 784) / 255., to_categorical(y_test)

model = Sequential()
model.add(InputLayer(input_shape=(784,)))
# The input is a flattened array with 784 elements, the convolutional layers expect images
model.add(Reshape((28, 28, 1)))
model.add(Conv2D(kernel_size=5, strides=1, filters=8, padding='same', activation='relu', name='layer_conv1'))
model.add(MaxPooling2D(pool_size=2, strides=2))
model.add(Conv2D(kernel_size=3, strides=2, filters=16, padding='same', name='layer_conv2'))
model.add(Activation(tf.nn.relu))
model.add(Flatten())
model.add(Dense(10, activation='softmax'))
optimizer = Adam(lr=3e-3)
model.compile(optimizer=optimizer, loss='categorical_crossentropy', metrics=['accuracy'])
model.fit(x=x_train, y=y_train, epochs=3, batch_size=64, verbose=0)
model.save('model.keras')
del model
model3 = load_model('model.keras')
result = model3.evaluate(x=x_test, y=y_test, verbose=0)
for name, value in zip(model3.metrics_names, result):
    print(name, value)
