"""Frames of a small film: the way in which a block moves, by TimeDistributed convolutions and by ConvLSTM2D."""
import numpy as np
import tensorflow as tf
from tensorflow.keras import Input, Model
from tensorflow.keras.layers import (AvgPool2D, BatchNormalization, Bidirectional, Conv2D, ConvLSTM2D, Dense, Flatten,
                                     GlobalAvgPool2D, GlobalMaxPool2D, LSTM, MaxPool2D, TimeDistributed, Concatenate)
from tensorflow.keras.optimizers import SGD
from tensorflow.keras.optimizers.schedules import ExponentialDecay

np.random.seed(12)
tf.random.set_seed(12)

# the block goes right, left, down or up
ways = [(0, 1), (0, -1), (1, 0), (-1, 0)]
labels = np.random.randint(0, 4, 320)
films = np.random.uniform(0, .2, (320, 4, 10, 10, 1)).astype(np.float32)
for film, label in zip(films, labels):
    row, column = np.random.randint(3, 6, 2)
    for t in range(4):
        r, c = row + ways[label][0] * (t - 1), column + ways[label][1] * (t - 1)
        film[t, r:r + 2, c:c + 2] = 1

inputs = Input(shape=(4, 10, 10, 1))
a = TimeDistributed(Conv2D(8, 3, activation='relu'))(inputs)
a = TimeDistributed(MaxPool2D(2))(a)
a = TimeDistributed(Flatten())(a)
a = Bidirectional(LSTM(16))(a)
b = ConvLSTM2D(6, (3, 3), padding='same')(inputs)
b = BatchNormalization()(b)
b = Concatenate()([GlobalAvgPool2D()(b), GlobalMaxPool2D()(b), Flatten()(AvgPool2D(2)(b))])
outputs = Dense(4, activation='softmax')(Concatenate()([a, b]))
model = Model(inputs, outputs)

schedule = ExponentialDecay(.08, decay_steps=50, decay_rate=.9)
model.compile(optimizer=SGD(schedule, momentum=.9), loss=tf.keras.losses.SparseCategoricalCrossentropy(),
              metrics=[tf.keras.metrics.SparseCategoricalAccuracy(name='accuracy')])
history = model.fit(films[:256], labels[:256], validation_data=(films[256:], labels[256:]), epochs=10, batch_size=32,
                    verbose=0)
tf.print(model.count_params() > 0)
print(history.history['val_accuracy'][-1])
