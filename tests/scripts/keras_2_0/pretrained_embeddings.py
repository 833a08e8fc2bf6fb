'''Word vectors that others have trained, in an Embedding that is not trained on.'''
from __future__ import print_function
import numpy as np
from keras.preprocessing.text import Tokenizer
from keras.preprocessing.sequence import pad_sequences
from keras.utils.np_utils import to_categorical
from keras.layers import Dense, Input, Flatten, Dropout
from keras.layers import Conv1D, MaxPooling1D, Embedding
from keras.layers.merge import concatenate
from keras.models import Model
np.random.seed(1)

MAX_SEQUENCE_LENGTH = 12
MAX_NB_WORDS = 200
EMBEDDING_DIM = 16
good = 'great fine lovely superb'.split()
bad = 'poor awful dull weak'.split()
filling = ['word%d' % i for i in range(30)]

texts, labels = [], []
for i in range(300):
    words = list(np.random.choice(filling, 8))
    words[np.random.randint(8)] = np.random.choice(bad if i % 2 else good)
    texts.append(' '.join(words) + '.')
    labels.append(i % 2)

embeddings_index = {}
for word in good + bad + filling:
    vector = np.random.randn(EMBEDDING_DIM).astype('float32') * .3
    vector[0] += 2. * ((word in good) - float(word in bad))
    embeddings_index[word] = vector

tokenizer = Tokenizer(num_words=MAX_NB_WORDS)
tokenizer.fit_on_texts(texts)
data = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=MAX_SEQUENCE_LENGTH)
labels = to_categorical(np.asarray(labels))
num_words = min(MAX_NB_WORDS, len(tokenizer.word_index) + 1)
embedding_matrix = np.zeros((num_words, EMBEDDING_DIM))
for word, i in tokenizer.word_index.items():
    if embeddings_index.get(word) is not None:
        embedding_matrix[i] = embeddings_index[word]

sequence_input = Input(shape=(MAX_SEQUENCE_LENGTH,), dtype='int32')
embedded = Embedding(num_words, EMBEDDING_DIM, weights=[embedding_matrix],
                     input_length=MAX_SEQUENCE_LENGTH, trainable=False)(sequence_input)
branches = []
for size in (2, 3):
    x = Conv1D(16, size, activation='relu')(embedded)
    branches.append(Flatten()(MaxPooling1D(pool_length=5)(x)))
x = Dropout(.1)(concatenate(branches))
model = Model(sequence_input, Dense(2, activation='softmax')(x))
model.compile(loss='categorical_crossentropy', optimizer='rmsprop', metrics=['acc'])
model.fit(data[:240], labels[:240], validation_data=(data[240:], labels[240:]), epochs=8, batch_size=16, verbose=0)
assert np.array_equal(model.layers[1].get_weights()[0], embedding_matrix.astype('float32'))
print(model.evaluate(data[240:], labels[240:], verbose=0)[1])
