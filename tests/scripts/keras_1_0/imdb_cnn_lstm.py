'''A recurrent convolutional network for the sentiment of reviews.'''
from __future__ import print_function
import numpy as np
np.random.seed(1337)

from keras.preprocessing import sequence
from keras.models import Sequential
from keras.layers import Dense, Dropout, Activation
from keras.layers.embeddings import Embedding
from keras.layers.recurrent import LSTM
from keras.layers.convolutional import Convolution1D, MaxPooling1D
from keras.datasets import imdb

max_features = 5000
maxlen = 40
embedding_size = 32
filter_length = 3
nb_filter = 32
pool_length = 2
lstm_output_size = 24
batch_size = 32
nb_epoch = 4

print('Loading data...')
(X_train, y_train), (X_test, y_test) = imdb.load_data(nb_words=max_features)
X_train = sequence.pad_sequences(X_train, maxlen=maxlen)
X_test = sequence.pad_sequences(X_test, maxlen=maxlen)

model = Sequential()
model.add(Embedding(max_features, embedding_size, input_length=maxlen, init='uniform', dropout=0.1))
model.add(Dropout(0.1))
model.add(Convolution1D(nb_filter=nb_filter, filter_length=filter_length, border_mode='valid',
                        activation='relu', subsample_length=1))
model.add(MaxPooling1D(pool_length=pool_length, stride=2))
model.add(LSTM(lstm_output_size, dropout_W=.1, dropout_U=.1, consume_less='gpu'))
model.add(Dense(1))
model.add(Activation('sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])

model.fit(X_train, y_train, batch_size=batch_size, nb_epoch=nb_epoch, verbose=0,
          validation_data=(X_test, y_test))
score, acc = model.evaluate(X_test, y_test, batch_size=batch_size, verbose=0)
print('Test score:', score)
print('Test accuracy:', acc)
