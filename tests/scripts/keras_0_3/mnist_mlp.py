'''A plain network for handwritten digits.

THEANO_FLAGS=mode=FAST_RUN,device=gpu,floatX=float32 python mnist_mlp.py
'''
from __future__ import absolute_import
from __future__ import print_function
import numpy as np
np.random.seed(1337)  # for reproducibility

from keras.datasets import mnist
from keras.models import Sequential
from keras.layers.core import Dense, Dropout, Activation
from keras.optimizers import SGD
from keras.constraints import maxnorm
from keras.regularizers import l2
from keras.utils import np_utils

batch_size = 64
nb_classes = 10
nb_epoch = 8

(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train.reshape(X_train.shape[0], 784)[:2000]
X_test = X_test.reshape(X_test.shape[0], 784)
X_train = X_train.astype("float32")
X_test = X_test.astype("float32")
X_train /= 255
X_test /= 255
print(X_train.shape[0], 'train samples')

Y_train = np_utils.to_categorical(y_train[:2000], nb_classes)
Y_test = np_utils.to_categorical(y_test, nb_classes)

model = Sequential()
model.add(Dense(output_dim=64, input_dim=784, init='lecun_uniform', W_regularizer=l2(.0001)))
model.add(Activation('relu'))
model.add(Dropout(p=0.1))
model.add(Dense(64, init='he_normal', W_constraint=maxnorm(m=2), b_regularizer=l2(l=.0001)))
model.add(Activation('relu'))
model.add(Dropout(0.1))
model.add(Dense(nb_classes, init='uniform'))
model.add(Activation('softmax'))

sgd = SGD(lr=0.05, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss='categorical_crossentropy', optimizer=sgd, class_mode='categorical')

model.fit(X_train, Y_train, batch_size=batch_size, nb_epoch=nb_epoch,
          verbose=2, validation_data=(X_test, Y_test))
score = model.evaluate(X_test, Y_test, verbose=0)
print('Test score:', score)
preds = model.predict_classes(X_test, verbose=0)
print('Test accuracy:', np_utils.accuracy(preds, y_test))
