'''Stopping early, keeping the best weights, and writing down how it went.'''
from __future__ import print_function
import os
import numpy as np
np.random.seed(5)
import h5py
from keras.models import Sequential
from keras.layers import Dense
from keras.layers.normalization import BatchNormalization
from keras.callbacks import (Callback, CSVLogger, EarlyStopping, LearningRateScheduler, ModelCheckpoint,
                             ReduceLROnPlateau, TensorBoard)
from keras.optimizers import Adam
import keras.backend as K

X = np.random.randn(600, 8)
y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype('int')

model = Sequential()
model.add(Dense(32, input_dim=8, init='he_normal', activation='relu'))
model.add(BatchNormalization(mode=0, beta_init='zero', gamma_init='one'))
model.add(Dense(16, init='he_normal', activation='relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer=Adam(lr=.02), metrics=['accuracy'])


class LossHistory(Callback):
    def on_train_begin(self, logs={}):
        self.losses = []
        print('epochs to come:', self.params['nb_epoch'])

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get('loss'))


def step_decay(epoch):
    return .02 * .8 ** (epoch // 5)


history = LossHistory()
callbacks = [
    history,
    LearningRateScheduler(step_decay),
    ModelCheckpoint('weights.best.hdf5', monitor='val_acc', verbose=0, save_best_only=True, mode='max'),
    EarlyStopping(monitor='val_loss', patience=5, verbose=1),
    ReduceLROnPlateau(monitor='val_loss', factor=.5, patience=2, epsilon=1e-3),
    CSVLogger('training.log'),
    TensorBoard(log_dir='./logs', histogram_freq=0),
]
model.fit(X, y, validation_split=.25, nb_epoch=40, batch_size=32, callbacks=callbacks, verbose=0)
print(len(history.losses), 'batches, rate', K.get_value(model.optimizer.lr))
with open('training.log') as log:
    print(log.readline().strip(), os.listdir('logs')[0].split('.')[0])
model.load_weights('weights.best.hdf5')
print("%s: %.2f%%" % (model.metrics_names[1], model.evaluate(X[450:], y[450:], verbose=0)[1] * 100))
