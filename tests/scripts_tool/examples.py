"""Small scripts in the spelling of their time: each trains a little and prints what it has come to."""

from __future__ import annotations

MNIST_MLP_0_3 = """
'''Train a simple deep NN on the MNIST dataset.'''
from __future__ import absolute_import
from __future__ import print_function
import numpy as np
np.random.seed(1337) # for reproducibility

from keras.datasets import mnist
from keras.models import Sequential
from keras.layers.core import Dense, Dropout, Activation
from keras.optimizers import SGD, Adam, RMSprop
from keras.utils import np_utils

batch_size = 128
nb_classes = 10
nb_epoch = 2

# the data, shuffled and split between tran and test sets
(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train.reshape(-1, 784)[:256].astype("float32") / 255

# convert class vectors to binary class matrices
Y_train = np_utils.to_categorical(y_train[:256], nb_classes)

model = Sequential()
model.add(Dense(32, input_shape=(784,), init='normal', W_regularizer='l2'))
model.add(Activation('relu'))
model.add(Dropout(p=0.2))
model.add(Dense(output_dim=nb_classes))    # one for each digit
model.add(Activation('softmax'))
rms = RMSprop(lr=.001, rho=0.9, epsilon=1e-6)
model.compile(loss='categorical_crossentropy', optimizer=rms, class_mode='categorical')
history = model.fit(X_train, Y_train, batch_size=batch_size, nb_epoch=nb_epoch,
                    verbose=0, validation_split=.1)  # quiet
print(history.history['loss'], history.history['val_loss'])
print(model.predict_classes(X_train[:4], verbose=0))
"""

MNIST_CNN_1 = """
import numpy as np
np.random.seed(1337)  # for reproducibility

from keras.datasets import mnist
from keras.models import Sequential
from keras.layers import Dense, Dropout, Activation, Flatten
from keras.layers import Convolution2D, MaxPooling2D
from keras.utils import np_utils
from keras import backend as K

nb_classes = 10
img_rows, img_cols = 28, 28
nb_filters = 4
pool_size = (2, 2)
kernel_size = (3, 3)

(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train[:128]
if K.image_dim_ordering() == 'th':
    X_train = X_train.reshape(X_train.shape[0], 1, img_rows, img_cols)
    input_shape = (1, img_rows, img_cols)
else:
    X_train = X_train.reshape(X_train.shape[0], img_rows, img_cols, 1)
    input_shape = (img_rows, img_cols, 1)
X_train = X_train.astype(np.float) / 255
Y_train = np_utils.to_categorical(y_train[:128].astype(np.int), nb_classes)

model = Sequential()
model.add(Convolution2D(nb_filters, kernel_size[0], kernel_size[1],
                        border_mode='valid',
                        input_shape=input_shape))
model.add(Activation('relu'))
model.add(Convolution2D(nb_filter=nb_filters, nb_row=3, nb_col=3, subsample=(2, 2)))
model.add(MaxPooling2D(pool_size=pool_size, border_mode='same', dim_ordering='default'))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(nb_classes))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adadelta', metrics=['accuracy'])
hist = model.fit(X_train, Y_train, batch_size=32, nb_epoch=1, verbose=0)
score = model.evaluate(X_train, Y_train, verbose=0)
print(hist.history, 'Test score:', score[0], 'Test accuracy:', score[1])
"""

IMDB_LSTM_1 = """
import numpy as np
np.random.seed(1337)
from keras.preprocessing import sequence
from keras.models import Sequential
from keras.layers import Dense, Activation, Embedding
from keras.layers import LSTM, SimpleRNN, GRU
from keras.datasets import imdb

max_features = 2000
maxlen = 20
(X_train, y_train), (X_test, y_test) = imdb.load_data(nb_words=max_features)
X_train = sequence.pad_sequences(X_train[:64], maxlen=maxlen)
model = Sequential()
model.add(Embedding(max_features, 8, dropout=0.2, init='uniform'))
model.add(LSTM(8, dropout_W=0.2, dropout_U=0.2, inner_activation='hard_sigmoid', forget_bias_init='one',
               consume_less='mem', return_sequences=True))
model.add(GRU(output_dim=4, inner_init='orthogonal'))
model.add(Dense(1))
model.add(Activation('sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X_train, y_train[:64], batch_size=32, nb_epoch=1, verbose=0)
print(model.evaluate(X_train, y_train[:64], batch_size=32, verbose=0))
"""

CIFAR_2 = """
from __future__ import print_function
import keras
from keras.datasets import cifar10
from keras.models import Sequential
from keras.layers import Dense, Dropout, Activation, Flatten
from keras.layers import Conv2D, MaxPooling2D
import numpy as np
np.random.seed(3)

num_classes = 10
(x_train, y_train), (x_test, y_test) = cifar10.load_data()
x_train = x_train[:64].astype('float32') / 255
y_train = keras.utils.to_categorical(y_train[:64], num_classes)

model = Sequential()
model.add(Conv2D(4, (3, 3), padding='same', input_shape=x_train.shape[1:]))
model.add(Activation('relu'))
model.add(keras.layers.core.Flatten())
model.add(Dense(num_classes, kernel_initializer='uniform'))
model.add(Activation('softmax'))

# initiate RMSprop optimizer
opt = keras.optimizers.rmsprop(lr=0.0001, decay=1e-6)
model.compile(loss='categorical_crossentropy',
              optimizer=opt,
              metrics=['accuracy'])
drop = keras.callbacks.ReduceLROnPlateau(monitor='loss', patience=0, epsilon=10)
h = model.fit(x_train, y_train, batch_size=16, epochs=2, shuffle=True, verbose=0, callbacks=[drop])
print(h.history['loss'], h.history['acc'], keras.backend.get_value(opt.lr))
"""

STATEFUL_2 = """
from keras.layers import *
from keras.models import *
from keras import callbacks, optimizers
from six.moves import range
np.random.seed(0)
x = np.random.random((24, 3, 1))
y = x.sum(1)
model = Sequential()
model.add(LSTM(5, batch_input_shape=(8, 3, 1), stateful=True, return_sequences=True))
model.add(TimeDistributed(Dense(2)))
model.add(MaxPool1D(pool_length=3))
model.add(Flatten())
model.add(Dense(1))


def schedule(epoch):
    return .1 / (1 + epoch)


rates = callbacks.LearningRateScheduler(schedule)
model.compile(optimizers.SGD(lr=.1, momentum=.9, nesterov=True), 'mse')
for i in range(2):
    h = model.fit(x, y, nb_epoch=2, batch_size=8, verbose=0, shuffle=False, callbacks=[rates])
    model.reset_states()
    print(h.history['loss'], K.get_value(model.optimizer.lr))
"""

GAN_TF_KERAS = """
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Dense, LeakyReLU, BatchNormalization
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import Adam

np.random.seed(1)
generator = Sequential([Dense(8, input_dim=4), LeakyReLU(alpha=.2), BatchNormalization(momentum=.8), Dense(2)])
discriminator = tf.keras.Sequential([tf.keras.layers.Dense(8, input_dim=2), LeakyReLU(.2)])
discriminator.add(Dense(1, activation='sigmoid'))
optimizer = Adam(lr=.01, beta_1=.5, clipnorm=.1)
discriminator.compile(optimizer, loss='binary_crossentropy', metrics=['accuracy'])
discriminator.trainable = False
gan = tf.keras.models.Sequential([generator, discriminator])
gan.compile(loss='binary_crossentropy', optimizer=tf.keras.optimizers.Adam(lr=.01))
for _ in range(3):
    noise = np.random.normal(0, 1, (16, 4))
    fake = generator.predict(noise, verbose=0)
    d = discriminator.train_on_batch(np.concatenate([fake, np.ones((16, 2))]), np.repeat([0., 1.], 16))
    g = gan.train_on_batch(noise, np.ones(16))
    print(d, g)
"""

TWO_INPUTS_1_2 = """
import numpy as np
np.random.seed(5)
from keras.engine import Input, Model
from keras.layers import Dense, merge, Lambda
from keras.engine.topology import Layer
import keras.backend as K


class Scale(Layer):
    def __init__(self, factor=2., **kwargs):
        self.factor = factor
        super(Scale, self).__init__(**kwargs)

    def call(self, x, mask=None):
        return self.factor * x

    def get_output_shape_for(self, input_shape):
        return input_shape


a, b = Input(shape=(3,)), Input(shape=(3,), name='b')
shared = Dense(output_dim=4, activation='tanh', b_regularizer='l1')
joined = merge([shared(a), Scale()(shared(b))], mode='concat', concat_axis=-1)
square = Lambda(lambda x: K.square(x), output_shape=(8,))(joined)
out = Dense(1, init='he_normal', bias=False)(square)
model = Model(input=[a, b], output=out)
model.compile('rmsprop', 'mse')
x1, x2 = np.random.random((16, 3)), np.random.random((16, 3))
print(model.fit([x1, x2], x1.sum(1), nb_epoch=2, verbose=0).history, K.lesser(1, 2))
"""

GENERATOR_1 = """
import numpy as np
np.random.seed(2)
from keras.models import Sequential
from keras.layers import Dense


def batches():
    while True:
        x = np.random.random((10, 3))
        yield x, x.sum(1)


model = Sequential([Dense(2, input_dim=3, activation='relu'), Dense(1, init='zero')])
model.compile('sgd', 'mse')
h = model.fit_generator(batches(), samples_per_epoch=40, nb_epoch=2, verbose=0,
                        max_q_size=1)
print(h.history)
"""

SCRIPTS: dict[str, str] = {
    "mnist_mlp_0_3": MNIST_MLP_0_3,
    "mnist_cnn_1": MNIST_CNN_1,
    "imdb_lstm_1": IMDB_LSTM_1,
    "cifar_2": CIFAR_2,
    "stateful_2": STATEFUL_2,
    "gan_tf_keras": GAN_TF_KERAS,
    "two_inputs_1_2": TWO_INPUTS_1_2,
    "generator_1": GENERATOR_1,
}
