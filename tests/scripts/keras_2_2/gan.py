'''Two networks against each other: the generator learns a ring in the plane.'''
from __future__ import print_function, division
from keras.layers import Input, Dense, Dropout, BatchNormalization
from keras.layers.advanced_activations import LeakyReLU
from keras.models import Sequential, Model
from keras.optimizers import Adam
import numpy as np
np.random.seed(1)


class GAN():
    def __init__(self):
        self.latent_dim = 8
        optimizer = Adam(0.002, 0.5)
        self.discriminator = self.build_discriminator()
        self.discriminator.compile(loss='binary_crossentropy', optimizer=optimizer, metrics=['accuracy'])
        self.generator = self.build_generator()
        z = Input(shape=(self.latent_dim,))
        point = self.generator(z)
        # For the combined model we will only train the generator
        self.discriminator.trainable = False
        validity = self.discriminator(point)
        self.combined = Model(z, validity)
        self.combined.compile(loss='binary_crossentropy', optimizer=optimizer)

    def build_generator(self):
        model = Sequential()
        model.add(Dense(32, input_dim=self.latent_dim))
        model.add(LeakyReLU(negative_slope=0.2))
        model.add(BatchNormalization(momentum=0.8))
        model.add(Dense(2))
        noise = Input(shape=(self.latent_dim,))
        return Model(noise, model(noise))

    def build_discriminator(self):
        model = Sequential()
        model.add(Dense(64, input_dim=2))
        model.add(LeakyReLU(alpha=0.2))
        model.add(Dropout(0.1))
        model.add(Dense(32))
        model.add(LeakyReLU(alpha=0.2))
        model.add(Dense(1, activation='sigmoid'))
        img = Input(shape=(2,))
        return Model(img, model(img))

    def train(self, steps, batch_size=64):
        for step in range(steps):
            angle = np.random.uniform(0, 2 * np.pi, batch_size)
            real = 2 * np.column_stack([np.cos(angle), np.sin(angle)])
            noise = np.random.normal(0, 1, (batch_size, self.latent_dim))
            fake = self.generator.predict(noise)
            d_loss_real = self.discriminator.train_on_batch(real, np.ones((batch_size, 1)))
            d_loss_fake = self.discriminator.train_on_batch(fake, np.zeros((batch_size, 1)))
            d_loss = 0.5 * np.add(d_loss_real, d_loss_fake)
            g_loss = self.combined.train_on_batch(noise, np.ones((batch_size, 1)))
        print("%d [D loss: %f, acc.: %.2f%%] [G loss: %f]" % (step, d_loss[0], 100 * d_loss[1], g_loss))


gan = GAN()
gan.train(steps=300)
points = gan.generator.predict(np.random.normal(size=(500, 8)))
print('mean radius', np.sqrt((points ** 2).sum(axis=1)).mean())
