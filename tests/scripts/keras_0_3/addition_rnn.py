# -*- coding: utf-8 -*-
'''Sequence to sequence: adds two numbers of one digit, read as characters.'''
from __future__ import print_function
import numpy as np
np.random.seed(7)
from keras.models import Sequential
from keras.layers.core import Activation, TimeDistributedDense, RepeatVector
from keras.layers import recurrent
from six.moves import range

chars = '0123456789+ '
DIGITS, MAXLEN, HIDDEN, BATCH = 1, 3, 64, 20
RNN = recurrent.LSTM


def encode(text, maxlen):
    X = np.zeros((maxlen, len(chars)), dtype=np.bool)
    for i, c in enumerate(text):
        X[i, chars.index(c)] = 1
    return X


pairs = [(a, b) for a in range(10) for b in range(10)]
X = np.zeros((len(pairs), MAXLEN, len(chars)), dtype=np.bool)
y = np.zeros((len(pairs), DIGITS + 1, len(chars)), dtype=np.bool)
for i, (a, b) in enumerate(pairs):
    X[i] = encode('{}+{}'.format(a, b)[::-1], MAXLEN)
    y[i] = encode(str(a + b).ljust(DIGITS + 1), DIGITS + 1)

print('Build model...')
model = Sequential()
model.add(RNN(HIDDEN, input_shape=(None, len(chars)), inner_init='orthogonal', inner_activation='hard_sigmoid',
              forget_bias_init='one'))
model.add(RepeatVector(DIGITS + 1))
model.add(RNN(HIDDEN, return_sequences=True))
model.add(TimeDistributedDense(len(chars)))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam')
model.optimizer.lr.set_value(0.01)

for iteration in range(1, 3):
    print('Iteration', iteration)
    model.fit(X, y, batch_size=BATCH, nb_epoch=20, verbose=0)
preds = model.predict_classes(X, verbose=0)
print('Right characters:', np.mean(preds == y.argmax(axis=-1)))
