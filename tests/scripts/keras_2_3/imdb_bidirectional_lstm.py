'''A network that reads reviews from both ends.'''
from __future__ import print_function
import numpy as np
np.random.seed(8)

from keras.preprocessing import sequence
from keras.models import Sequential
from keras.layers import Dense, Dropout, Embedding, LSTM, Bidirectional
from keras.callbacks import EarlyStopping, ReduceLROnPlateau
from keras.datasets import imdb

max_features = 5000
# cut texts after this number of words (among top max_features most common words)
maxlen = 30
batch_size = 32

print('Loading data...')
(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=max_features)
index = imdb.get_word_index()
words = dict((number + 3, word) for word, number in index.items())
print(' '.join(words.get(number, '?') for number in x_train[0][1:6]))

print('Pad sequences (samples x time)')
x_train = sequence.pad_sequences(x_train, maxlen=maxlen)
x_test = sequence.pad_sequences(x_test, maxlen=maxlen)
print('x_train shape:', x_train.shape)
y_train = np.array(y_train)
y_test = np.array(y_test)

model = Sequential()
model.add(Embedding(max_features, 32, input_length=maxlen))
model.add(Bidirectional(LSTM(16, recurrent_activation='hard_sigmoid')))
model.add(Dropout(0.5))
model.add(Dense(1, activation='sigmoid'))

# try using different optimizers and different optimizer configs
model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])

print('Train...')
stop = EarlyStopping(monitor='val_acc', patience=2, restore_best_weights=True)
slower = ReduceLROnPlateau(monitor='val_loss', factor=.3, patience=1, epsilon=1e-4, verbose=0)
history = model.fit(x_train, y_train, batch_size=batch_size, epochs=4, validation_data=[x_test, y_test],
                    callbacks=[stop, slower], verbose=0)
print(history.history.keys())
print('Best: %.4f' % max(history.history['val_acc']))
