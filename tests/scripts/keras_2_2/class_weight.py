'''A rare class: weights for it, and a score of one's own.'''
import numpy as np
np.random.seed(2)
from sklearn.utils import class_weight
from keras import backend as K, initializers, regularizers
from keras.layers.core import Dense, Activation
from keras.models import Sequential
from keras.utils import np_utils
import keras

x = np.random.normal(size=(1000, 6))
y = (x[:, 0] + x[:, 1] + .5 * np.random.normal(size=1000) > 2.2).astype(np.int)


def recall_m(y_true, y_pred):
    true_positives = K.sum(K.round(K.clip(y_true * y_pred, 0, 1)))
    return true_positives / (K.sum(K.round(K.clip(y_true, 0, 1))) + K.epsilon())


def focal(gamma=2.):
    def focal_loss(y_true, y_pred):
        y_pred = K.clip(y_pred, K.epsilon(), 1. - K.epsilon())
        pt = K.sum(y_true * y_pred, axis=-1)
        return -K.pow(1. - pt, gamma) * K.log(pt)
    return focal_loss


weights = class_weight.compute_class_weight('balanced', classes=np.unique(y), y=y)
Y = np_utils.to_categorical(y, num_classes=2)
model = Sequential()
model.add(Dense(16, input_dim=6, kernel_initializer=initializers.RandomNormal(stddev=.1),
                kernel_regularizer=regularizers.l2(1e-4), bias_initializer='zero'))
model.add(Activation(activation=lambda t: K.relu(t, alpha=.01)))
model.add(Dense(2, kernel_initializer='normal'))
model.add(Activation(K.softmax))
model.compile(loss=focal(gamma=1.), optimizer=keras.optimizers.adam(lr=.01), metrics=['accuracy', recall_m])
hist = model.fit(x, Y, epochs=15, batch_size=50, class_weight=dict(enumerate(weights)), verbose=0,
                 validation_split=.1)
print(hist.history['acc'][-1], hist.history['val_recall_m'][-1])
predicted = model.predict_classes(x)
print('recall of the rare class', predicted[y == 1].mean())
