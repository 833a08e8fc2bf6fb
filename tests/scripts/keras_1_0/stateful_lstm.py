'''A network that remembers from batch to batch: a damped cosine, one step at a time.'''
from __future__ import print_function
import numpy as np
import matplotlib.pyplot as plt
from keras.models import Sequential
from keras.layers import Dense, LSTM, GRU
np.random.seed(2)

tsteps = 1
batch_size = 25
epochs = 30
lahead = 1


def gen_cosine_amp(amp=1., period=25, x0=0, xn=500, step=1, k=0.002):
    cos = np.zeros(((xn - x0) * step, 1, 1))
    for i in range(len(cos)):
        idx = x0 + i * step
        cos[i, 0, 0] = amp * np.cos(idx / (2 * np.pi * period / 25.)) * np.exp(-k * idx)
    return cos


cos = gen_cosine_amp()
expected_output = np.roll(cos[:, 0, :], -lahead, axis=0)
expected_output[-lahead:] = cos[-lahead:, 0, :]

model = Sequential()
model.add(LSTM(16, batch_input_shape=(batch_size, tsteps, 1), return_sequences=True, stateful=True,
               U_regularizer=None))
model.add(GRU(output_dim=16, return_sequences=False, stateful=True, inner_activation='sigmoid'))
model.add(Dense(output_dim=1))
model.compile(loss='mse', optimizer='rmsprop')

for i in range(epochs):
    model.fit(cos, expected_output, batch_size=batch_size, verbose=0, nb_epoch=1, shuffle=False)
    model.reset_states()

predicted_output = model.predict(cos, batch_size=batch_size)
plt.subplot(2, 1, 1)
plt.plot(expected_output)
plt.title('Expected')
plt.subplot(2, 1, 2)
plt.plot(predicted_output)
plt.title('Predicted')
plt.show()
print('mean squared error:', np.mean((predicted_output - expected_output) ** 2))
