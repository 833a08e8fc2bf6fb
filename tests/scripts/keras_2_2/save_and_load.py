'''A network to files and back: its weights, its form, and both.'''
from __future__ import print_function
import numpy as np
np.random.seed(7)
from keras import backend as K
from keras.layers import Dense, Activation
from keras.models import Sequential, load_model, model_from_json
from keras.utils import plot_model
from keras.utils.generic_utils import get_custom_objects, CustomObjectScope
from keras.callbacks import ModelCheckpoint


def swish(x):
    return K.sigmoid(x) * x


def rmse(y_true, y_pred):
    return K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))


get_custom_objects().update({'swish': swish})
X = np.random.uniform(-1, 1, (500, 4))
y = X[:, 0] * X[:, 1] + X[:, 2]

model = Sequential()
model.add(Dense(24, input_dim=4, kernel_initializer='uniform'))
model.add(Activation('swish'))
model.add(Dense(1, kernel_initializer='normal', W_regularizer=None))
model.compile(loss=rmse, optimizer='adam', metrics=['mse'])
model.fit(X, y, epochs=30, batch_size=10, verbose=0,
          callbacks=[ModelCheckpoint('weights.{epoch:02d}-{loss:.2f}.hdf5', monitor='loss', period=10)])

# serialize model to JSON
model_json = model.to_json()
with open("model.json", "w") as json_file:
    json_file.write(model_json)
model.save_weights("model.h5")
print("Saved model to disk")

with open('model.json', 'r') as json_file:
    loaded_model = model_from_json(json_file.read())
loaded_model.load_weights("model.h5")
loaded_model.compile(loss=rmse, optimizer='adam', metrics=['mse'])
print("Loaded model from disk", loaded_model.metrics_names)

model.save('whole.h5')
with CustomObjectScope({'rmse': rmse}):
    whole = load_model('whole.h5')
same = load_model('whole.h5', custom_objects={'rmse': rmse})
whole.fit(X, y, epochs=10, batch_size=10, verbose=0)
plot_model(whole, to_file='model.png', show_shapes=True)
before, after = loaded_model.evaluate(X, y, verbose=0), whole.evaluate(X, y, verbose=0)
assert np.allclose(before, same.evaluate(X, y, verbose=0)) and after[0] < before[0]
print(before[1])
