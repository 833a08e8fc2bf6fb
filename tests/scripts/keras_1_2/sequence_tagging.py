'''One label a word: sequences of different lengths, masked, through a bidirectional network.'''
from __future__ import print_function
import numpy as np
np.random.seed(1)
from keras.models import Sequential
from keras.layers.core import Masking, Activation, TimeDistributedDense, Dropout
from keras.layers.wrappers import TimeDistributed, Bidirectional
from keras.layers.recurrent import GRU
from keras.layers import Dense
from keras.preprocessing.sequence import pad_sequences

nb_classes = 3
sentences, tags = [], []
for _ in range(300):
    length = np.random.randint(4, 11)
    words = np.random.randn(length, 4)
    after = np.append(words[1:, 0], 0)  # a tag depends on the next word
    sentences.append(words)
    tags.append(np.where(after > .3, 2, np.where(words[:, 1] > 0, 1, 0)))
X = pad_sequences(sentences, maxlen=10, dtype='float32', padding='post', value=-9.)
y = np.eye(nb_classes)[pad_sequences(tags, maxlen=10, padding='post')]
weight = pad_sequences([np.ones(len(t)) for t in tags], maxlen=10, padding='post', dtype='float32')

model = Sequential()
model.add(Masking(mask_value=-9., input_shape=(10, 4)))
model.add(Bidirectional(GRU(output_dim=16, return_sequences=True, dropout_W=0., inner_init='orthogonal'),
                        merge_mode='concat'))
model.add(Dropout(p=.05))
model.add(TimeDistributed(Dense(output_dim=16, W_constraint='maxnorm', activation='tanh')))
model.add(TimeDistributedDense(nb_classes))
model.add(Activation('softmax'))
model.compile('adam', 'categorical_crossentropy', sample_weight_mode='temporal')
model.optimizer.lr = .01
model.fit(X, y, sample_weight=weight, nb_epoch=15, batch_size=32, verbose=0)

right = model.predict_classes(X, verbose=0) == y.argmax(axis=-1)
print('accuracy of true words', right[weight > 0].mean())
