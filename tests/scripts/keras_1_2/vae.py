'''A variational autoencoder of handwritten digits.'''
import numpy as np
np.random.seed(1)
from keras.layers import Input, Dense, Lambda
from keras.models import Model
from keras import backend as K
from keras import objectives
from keras.datasets import mnist

batch_size = 50
original_dim = 784
latent_dim = 4
intermediate_dim = 64
nb_epoch = 6
epsilon_std = 1.0

x = Input(batch_shape=(batch_size, original_dim))
h = Dense(intermediate_dim, activation='relu')(x)
z_mean = Dense(latent_dim)(h)
z_log_var = Dense(latent_dim, init='zero')(h)


def sampling(args):
    z_mean, z_log_var = args
    epsilon = K.random_normal(shape=(batch_size, latent_dim), mean=0., std=epsilon_std)
    return z_mean + K.exp(z_log_var / 2) * epsilon


z = Lambda(sampling, output_shape=(latent_dim,))([z_mean, z_log_var])
decoder_h = Dense(intermediate_dim, activation='relu')
decoder_mean = Dense(original_dim, activation='sigmoid')
x_decoded_mean = decoder_mean(decoder_h(z))


def vae_loss(x, x_decoded_mean):
    xent_loss = original_dim * objectives.binary_crossentropy(x, x_decoded_mean)
    kl_loss = - 0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return xent_loss + kl_loss


vae = Model(x, x_decoded_mean)
vae.compile(optimizer='rmsprop', loss=vae_loss)

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train[:2000].astype('float32').reshape((2000, -1)) / 255.
x_test = x_test.astype('float32').reshape((len(x_test), np.prod(x_test.shape[1:]))) / 255.
vae.fit(x_train, x_train, shuffle=True, nb_epoch=nb_epoch, batch_size=batch_size,
        validation_data=(x_test, x_test), verbose=2)

encoder = Model(input=x, output=z_mean)
print(encoder.predict(x_test, batch_size=batch_size).shape)
decoder_input = Input(shape=(latent_dim,))
generator = Model(decoder_input, decoder_mean(decoder_h(decoder_input)))
print(generator.predict(np.array([[0.05, .1, .2, .3]]))[0].shape)
print(vae.evaluate(x_test, x_test, batch_size=batch_size, verbose=0))
