'''A simple network that tells newswires apart by the words in them.'''
from __future__ import print_function

import numpy as np
import keras
from keras.datasets import reuters
from keras.models import Sequential
from keras.layers import Dense, Dropout, Activation
from keras.preprocessing.text import Tokenizer
np.random.seed(9)

max_words = 1000
batch_size = 32
epochs = 4

print('Loading data...')
(x_train, y_train), (x_test, y_test) = reuters.load_data(nb_words=max_words, test_split=0.2)
num_classes = np.max(y_train) + 1
print(num_classes, 'classes')

tokenizer = Tokenizer(nb_words=max_words)
x_train = tokenizer.sequences_to_matrix(x_train, mode='binary')
x_test = tokenizer.sequences_to_matrix(x_test, mode='binary')
y_train = keras.utils.to_categorical(y_train, num_classes)
y_test = keras.utils.to_categorical(y_test, num_classes)

model = Sequential()
model.add(Dense(128, input_shape=(max_words,)))
model.add(Activation('relu'))
model.add(Dropout(0.5))
model.add(Dense(num_classes))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])

history = model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=2, validation_split=0.1)
score = model.evaluate(x_test, y_test, batch_size=batch_size, verbose=0)
print('Test score:', score[0])
print('Test accuracy:', score[1])
