'''Maxout, highways and learned activations on the housing prices.'''
from __future__ import print_function
import numpy as np
np.random.seed(1)

from sklearn.preprocessing import StandardScaler
from keras.models import Sequential
from keras.layers.core import Dense, Highway, MaxoutDense, Dropout
from keras.layers.advanced_activations import LeakyReLU, ParametricSoftplus, SReLU, ThresholdedReLU
from keras.objectives import mean_squared_error
from keras.datasets import boston_housing

(X_train, y_train), (X_test, y_test) = boston_housing.load_data()
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)
mean, std = y_train.mean(), y_train.std()

model = Sequential()
model.add(MaxoutDense(output_dim=16, nb_feature=4, input_dim=13, init='glorot_uniform'))
model.add(Highway(W_regularizer='l2', activation='tanh'))
model.add(Dense(output_dim=16, init='he_uniform'))
model.add(SReLU(t_left_init='zero', a_right_init='one'))
model.add(Dense(16))
model.add(ParametricSoftplus())
model.add(Dense(16))
model.add(ThresholdedReLU(theta=.01))
model.add(Dense(8))
model.add(LeakyReLU(alpha=.1))
model.add(Dropout(p=0.))
model.add(Dense(1, bias=True))
model.compile(loss=mean_squared_error, optimizer='adadelta')

model.fit(X_train, (y_train - mean) / std, nb_epoch=40, batch_size=16, verbose=0)
score = model.evaluate(X_test, (y_test - mean) / std, verbose=0)
predicted = model.predict(X_test)[:, 0] * std + mean
print('Mean absolute error: %.2f thousand dollars' % np.abs(predicted - y_test).mean())
print('Test score:', score)
