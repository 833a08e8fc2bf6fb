'''Two vectors through one network; the contrastive loss brings those of one class together.'''
from __future__ import absolute_import
from __future__ import print_function
import random
import numpy as np
np.random.seed(1337)
random.seed(1337)

from keras.datasets import mnist
from keras.models import Sequential, Model
from keras.layers import Dense, Dropout, Input, Lambda
from keras.optimizers import RMSprop
from keras import backend as K


def euclidean_distance(vects):
    x, y = vects
    return K.sqrt(K.maximum(K.sum(K.square(x - y), axis=1, keepdims=True), K.epsilon()))


def eucl_dist_output_shape(shapes):
    shape1, shape2 = shapes
    return (shape1[0], 1)


def contrastive_loss(y_true, y_pred):
    margin = 1
    return K.mean(y_true * K.square(y_pred) + (1 - y_true) * K.square(K.maximum(margin - y_pred, 0)))


def create_pairs(x, y):
    pairs, labels = [], []
    for i in range(len(x)):
        for same in (1, 0):
            j = random.choice(np.flatnonzero((y == y[i]) == bool(same)))
            pairs.append([x[i], x[j]])
            labels.append(same)
    return np.array(pairs), np.array(labels)


(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train[:1000].reshape(1000, 784).astype('float32') / 255
X_test = X_test[:400].reshape(400, 784).astype('float32') / 255
tr_pairs, tr_y = create_pairs(X_train, y_train[:1000])
te_pairs, te_y = create_pairs(X_test, y_test[:400])

base_network = Sequential()
base_network.add(Dense(64, input_shape=(784,), activation='relu'))
base_network.add(Dropout(p=0.1))
base_network.add(Dense(64, activation='relu'))
input_a, input_b = Input(shape=(784,)), Input(shape=(784,))
distance = Lambda(euclidean_distance, output_shape=eucl_dist_output_shape)(
    [base_network(input_a), base_network(input_b)])
model = Model(input=[input_a, input_b], output=distance)
model.compile(loss=contrastive_loss, optimizer=RMSprop())
model.fit([tr_pairs[:, 0], tr_pairs[:, 1]], tr_y, batch_size=64, nb_epoch=5, verbose=0)
pred = model.predict([te_pairs[:, 0], te_pairs[:, 1]])
print('* Accuracy on test set: %0.2f%%' % (100 * np.mean((pred.ravel() < 0.5) == te_y)))
