'''Letter by letter: a network that writes on after a few words of a book.'''
from __future__ import print_function
from keras.models import Sequential
from keras.layers import Dense, Activation
from keras.layers import LSTM
from keras.optimizers import RMSprop
from keras.utils.data_utils import get_file
import numpy as np
import random
import sys
np.random.seed(0)
random.seed(0)

path = get_file('nietzsche.txt', origin='https://s3.amazonaws.com/text-datasets/nietzsche.txt')
with open(path) as f:
    text = f.read().lower()[:6000]
chars = sorted(list(set(text)))
char_indices = dict((c, i) for i, c in enumerate(chars))
indices_char = dict((i, c) for i, c in enumerate(chars))

# cut the text in semi-redundant sequences of maxlen characters
maxlen, step = 16, 3
starts = range(0, len(text) - maxlen, step)
X = np.zeros((len(starts), maxlen, len(chars)), dtype=np.bool)
y = np.zeros((len(starts), len(chars)), dtype=np.bool)
for i, start in enumerate(starts):
    for t, char in enumerate(text[start:start + maxlen]):
        X[i, t, char_indices[char]] = 1
    y[i, char_indices[text[start + maxlen]]] = 1

model = Sequential()
model.add(LSTM(48, input_shape=(maxlen, len(chars))))
model.add(Dense(len(chars)))
model.add(Activation('softmax'))
optimizer = RMSprop(lr=0.01)
model.compile(loss='categorical_crossentropy', optimizer=optimizer)


def sample(preds, temperature=1.0):
    preds = np.asarray(preds).astype('float64')
    preds = np.exp(np.log(preds) / temperature)
    return np.argmax(np.random.multinomial(1, preds / np.sum(preds), 1))


for iteration in range(1, 5):
    history = model.fit(X, y, batch_size=64, epochs=1, verbose=0)
    sentence = text[:maxlen]
    for diversity in [0.2, 1.0]:
        for i in range(4):
            x = np.zeros((1, maxlen, len(chars)))
            for t, char in enumerate(sentence):
                x[0, t, char_indices[char]] = 1.
            next_char = indices_char[sample(model.predict(x, verbose=0)[0], diversity)]
            sentence = sentence[1:] + next_char
            sys.stdout.write(next_char)
    print()
print(history.history['loss'][0])
