"""A wide and deep network, with keras as TensorFlow 1.2 to 1.4 had it: in contrib."""
from __future__ import print_function
import numpy as np
import tensorflow as tf
from tensorflow.contrib.keras.layers import Input, Dense, Embedding, Flatten, concatenate
from tensorflow.contrib import keras as contrib_keras
from tensorflow.contrib.keras import backend as K

layers = contrib_keras.layers
np.random.seed(3)
occupation = np.random.randint(0, 12, (800, 1))
numbers = np.random.normal(size=(800, 3)).astype('float32')
effect = np.random.RandomState(0).normal(size=12)
income = (effect[occupation[:, 0]] + numbers[:, 0] - numbers[:, 1] > 0).astype('float32')
crossed = contrib_keras.utils.to_categorical(occupation, 12)

wide = Input(shape=(12,))
deep_number = Input(shape=(3,))
deep_category = Input(shape=(1,), dtype='int32')
vectors = Flatten()(Embedding(12, 4, input_length=1)(deep_category))
deep = concatenate([vectors, deep_number])
deep = Dense(24, activation='relu')(deep)
deep = layers.Dropout(rate=.1)(deep)
deep = layers.Dense(12, activation='elu')(deep)
joined = layers.Concatenate()([wide, deep])
income_out = layers.Dense(1, activation='sigmoid',
                          kernel_regularizer=contrib_keras.regularizers.l1_l2(l1=1e-5, l2=1e-5))(joined)

model = contrib_keras.models.Model(inputs=[wide, deep_number, deep_category], outputs=income_out)
model.compile(optimizer=contrib_keras.optimizers.RMSprop(lr=.01), loss='binary_crossentropy', metrics=['acc'])
data = [crossed, numbers, occupation]
model.fit([part[:600] for part in data], income[:600], epochs=12, batch_size=32, verbose=0)
print(K.int_shape(joined))
results = model.evaluate([part[600:] for part in data], income[600:], verbose=0)
print('Accuracy: {:.3f}'.format(results[1]))
