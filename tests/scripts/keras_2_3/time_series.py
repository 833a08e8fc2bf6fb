'''The next value of a series, from windows of it.'''
import numpy as np
from numpy.random import seed
seed(1)
from keras.models import Sequential
from keras.layers import GRU, Dense, Conv1D, LeakyReLU, RNN, LSTMCell
from keras.layers.pooling import GlobalAveragePooling1D, MaxPooling1D
from keras.preprocessing.sequence import TimeseriesGenerator
from keras.callbacks import LearningRateScheduler, History, TerminateOnNaN
from keras.losses import mean_squared_error as mse
from keras.optimizers import Adam
import keras.backend as K

steps = np.arange(600)
series = np.sin(steps / 6.) + .5 * np.sin(steps / 17.) + np.random.normal(scale=.05, size=600)
series = series.reshape((len(series), 1))
look_back = 18
train = TimeseriesGenerator(series, series, length=look_back, batch_size=16, end_index=450, shuffle=True)
test = TimeseriesGenerator(series, series, length=look_back, batch_size=16, start_index=451)
print('Samples: %d' % len(train))

model = Sequential()
model.add(Conv1D(filters=12, kernel_size=3, input_shape=(look_back, 1)))
model.add(LeakyReLU(alpha=.1))
model.add(MaxPooling1D(2))
model.add(GRU(12, return_sequences=True, activation='tanh', recurrent_activation='hard_sigmoid'))
model.add(RNN(LSTMCell(12), return_sequences=False))
model.add(Dense(1))


def scaled_error(y_true, y_pred):
    return mse(y_true, y_pred) / K.constant(np.var(series))


model.compile(loss=scaled_error, optimizer=Adam(lr=.01))
history = History()
rates = LearningRateScheduler(lambda epoch, lr: lr * .9)
model.fit_generator(train, epochs=8, verbose=0, callbacks=[rates, history, TerminateOnNaN()], shuffle=False)
print('last rate %.4f' % history.history['lr'][-1])
print(model.evaluate_generator(test))
