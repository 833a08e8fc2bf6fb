"""Digits without their noise: an autoencoder with transposed convolutions, its halves as models of their own."""
import os
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '2'
import numpy as np
import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras.callbacks import CSVLogger, ModelCheckpoint, TerminateOnNaN
from tensorflow.keras.layers import Activation, Conv2D, Conv2DTranspose, Dense, Flatten, Input, LeakyReLU, Reshape
from tensorflow.keras.models import Model, load_model

np.random.seed(1)
tf.random.set_seed(1)
(x_train, _), (x_test, _) = tf.keras.datasets.mnist.load_data()
x_train = np.expand_dims(x_train[:600], -1).astype('float32') / 255.
x_test = np.expand_dims(x_test[:200], -1).astype('float32') / 255.


def noisy(x):
    return np.clip(x + np.random.normal(0., .4, x.shape), 0., 1.)


inputs = Input(shape=(28, 28, 1), name='encoder_input')
x = inputs
for filters in (8, 16):
    x = Conv2D(filters, (3, 3), strides=2, padding='same')(x)
    x = LeakyReLU(alpha=.2)(x)
shape = K.int_shape(x)
latent = Dense(24, name='latent')(Flatten()(x))
encoder = Model(inputs, latent, name='encoder')

latent_inputs = Input(shape=(24,))
x = Dense(shape[1] * shape[2] * shape[3], activation='relu')(latent_inputs)
x = Reshape((shape[1], shape[2], shape[3]))(x)
for filters in (16, 8):
    x = Conv2DTranspose(filters=filters, kernel_size=(3, 3), strides=2, activation='relu', padding='same')(x)
outputs = Activation('sigmoid')(Conv2DTranspose(1, 3, padding='same')(x))
decoder = Model(latent_inputs, outputs, name='decoder')

autoencoder = Model(inputs, decoder(encoder(inputs)), name='autoencoder')
autoencoder.compile(loss='mse', optimizer=tf.keras.optimizers.Adam(lr=.005))
best = ModelCheckpoint('best.h5', monitor='val_loss', save_best_only=True)
autoencoder.fit(noisy(x_train), x_train, validation_data=(noisy(x_test), x_test), epochs=14, batch_size=30, verbose=0,
                callbacks=[best, CSVLogger('log.csv'), TerminateOnNaN()])
kept = load_model('best.h5')
damaged = noisy(x_test)
print('error, as a part of the noise:', np.mean((kept.predict(damaged) - x_test) ** 2) / np.mean((damaged - x_test) ** 2))
