'''Pictures through a bottle neck and back, with layers as they were called in 1.2.'''
import numpy as np
np.random.seed(2)
from keras.layers import Input, Convolution2D, MaxPooling2D, UpSampling2D, ZeroPadding2D, Cropping2D
from keras.layers import AtrousConvolution2D, SeparableConvolution2D, Deconvolution2D, SpatialDropout2D, GaussianNoise
from keras.layers import BatchNormalization, ELU
from keras.models import Model
from keras.datasets import mnist

(x_train, _), (x_test, _) = mnist.load_data()
x_train = x_train[:400].reshape((400, 28, 28, 1)).astype('float32') / 255.
x_test = x_test[:200].reshape((200, 28, 28, 1)).astype('float32') / 255.
noisy = np.clip(x_train + 0.2 * np.random.normal(loc=0.0, scale=1.0, size=x_train.shape), 0., 1.)

input_img = Input(shape=(28, 28, 1))
x = GaussianNoise(sigma=.01)(input_img)
x = ZeroPadding2D(padding={'top_pad': 1, 'bottom_pad': 1, 'left_pad': 1, 'right_pad': 1}, dim_ordering='tf')(x)
x = Convolution2D(nb_filter=8, nb_row=3, nb_col=3, border_mode='valid', dim_ordering='tf')(x)
x = BatchNormalization(mode=0, axis=-1, gamma_init='one')(x)
x = ELU(alpha=.5)(x)
x = MaxPooling2D((2, 2), border_mode='same', dim_ordering='tf')(x)
x = AtrousConvolution2D(8, 3, 3, atrous_rate=(2, 2), border_mode='same', activation='relu')(x)
x = SpatialDropout2D(p=.02)(x)
encoded = MaxPooling2D((2, 2), border_mode='same')(x)

x = SeparableConvolution2D(8, 3, 3, border_mode='same', init='he_uniform', activation='relu')(encoded)
x = UpSampling2D((2, 2), dim_ordering='tf')(x)
x = Deconvolution2D(8, 3, 3, output_shape=(None, 28, 28, 8), subsample=(2, 2), border_mode='same',
                    activation='relu')(x)
x = Cropping2D(((0, 0), (0, 0)), dim_ordering='tf')(x)
decoded = Convolution2D(1, 3, 3, activation='sigmoid', border_mode='same', b_regularizer='l2')(x)

autoencoder = Model(input=input_img, output=decoded)
autoencoder.compile(optimizer='adam', loss='binary_crossentropy')
autoencoder.optimizer.lr.set_value(.01)
autoencoder.fit(noisy, x_train, nb_epoch=5, batch_size=20, shuffle=True, verbose=0)
encoder = Model(input=input_img, output=encoded)
print(encoder.predict(x_test[:2]).shape)
print(np.mean((autoencoder.predict(x_test) - x_test) ** 2) / np.var(x_test))
