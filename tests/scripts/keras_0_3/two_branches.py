from __future__ import print_function
import numpy as np
np.random.seed(0)
from keras.models import Sequential
from keras.layers.core import Dense, Merge, Dropout, Activation
from keras.layers.normalization import BatchNormalization
from keras.layers.advanced_activations import PReLU
from keras.layers.noise import GaussianNoise
from keras.utils.np_utils import to_categorical

# whether two vectors point in one direction
left_data = np.random.randn(600, 6)
right_data = np.random.randn(600, 6)
labels = to_categorical((left_data * right_data).sum(axis=1) > 0, nb_classes=2)

left = Sequential()
left.add(Dense(32, input_dim=6, init='glorot_normal'))
left.add(PReLU())

right = Sequential()
right.add(GaussianNoise(sigma=.01, input_shape=(6,)))
right.add(Dense(32, init='glorot_normal'))
right.add(PReLU(init='zero'))

model = Sequential()
model.add(Merge([left, right], mode='concat', concat_axis=-1))
model.add(BatchNormalization())
model.add(Dense(64, b_constraint='nonneg'))
model.add(Activation('relu'))
model.add(Dropout(p=.1))
model.add(Dense(2, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='rmsprop', show_accuracy=True)

history = model.fit([left_data, right_data], labels, nb_epoch=30, batch_size=32, shuffle=True,
                    validation_split=0.2, verbose=0)
print(sorted(history.history))
print(max(history.history['val_acc']))
