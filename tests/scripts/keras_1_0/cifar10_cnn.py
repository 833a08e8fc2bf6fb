'''A small convolutional network on ten classes of pictures, with real-time augmentation, as Theano orders them.'''
from __future__ import print_function
import numpy as np
np.random.seed(3)
from keras import backend as K
K.set_image_dim_ordering('th')
from keras.datasets import cifar10
from keras.preprocessing.image import ImageDataGenerator
from keras.models import Sequential
from keras.layers.core import Dense, Dropout, Activation, Flatten
from keras.layers.convolutional import Convolution2D, MaxPooling2D
from keras.optimizers import SGD
from keras.utils import np_utils

batch_size = 32
nb_classes = 10
nb_epoch = 10
img_channels, img_rows, img_cols = 3, 32, 32

(X_train, y_train), (X_test, y_test) = cifar10.load_data()
print('X_train shape:', X_train.shape)
assert K.image_dim_ordering() == 'th'
Y_train = np_utils.to_categorical(y_train, nb_classes)
Y_test = np_utils.to_categorical(y_test, nb_classes)

model = Sequential()
model.add(Convolution2D(16, 3, 3, border_mode='same',
                        input_shape=(img_channels, img_rows, img_cols)))
model.add(Activation('relu'))
model.add(Convolution2D(16, 3, 3, subsample=(2, 2)))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2), border_mode='valid'))
model.add(Dropout(0.1))
model.add(Flatten())
model.add(Dense(64))
model.add(Activation('relu'))
model.add(Dense(nb_classes))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer=SGD(lr=0.03, momentum=0.9), metrics=['accuracy'])

X_train = X_train.astype('float32') / 255
X_test = X_test.astype('float32') / 255
datagen = ImageDataGenerator(featurewise_center=False, rotation_range=0, width_shift_range=0.1,
                             height_shift_range=0.1, horizontal_flip=True, dim_ordering='th')
datagen.fit(X_train)
model.fit_generator(datagen.flow(X_train, Y_train, batch_size=batch_size),
                    samples_per_epoch=X_train.shape[0], nb_epoch=nb_epoch, verbose=2,
                    validation_data=(X_test, Y_test), max_q_size=2, nb_worker=1, pickle_safe=False)
print('Accuracy: %.3f' % model.evaluate(X_test, Y_test, verbose=0)[1])
