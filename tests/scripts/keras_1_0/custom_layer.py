'''A layer of one's own, in the way of Keras 1: antirectifier and a learned scale.'''
from __future__ import print_function
import numpy as np
np.random.seed(11)
from keras.models import Sequential
from keras.layers.core import Dense, Lambda
from keras.engine.topology import Layer, InputSpec
from keras import backend as K
from keras import initializations


class Antirectifier(Layer):
    def get_output_shape_for(self, input_shape):
        shape = list(input_shape)
        assert len(shape) == 2  # only valid for 2D tensors
        shape[-1] *= 2
        return tuple(shape)

    def call(self, x, mask=None):
        x -= K.mean(x, axis=1, keepdims=True)
        x = K.l2_normalize(x, axis=1)
        return K.concatenate([K.relu(x), K.relu(-x)], axis=1)


class Scale(Layer):
    def __init__(self, init='one', **kwargs):
        self.init = initializations.get(init)
        super(Scale, self).__init__(**kwargs)

    def build(self, input_shape):
        self.input_spec = [InputSpec(shape=input_shape)]
        self.W = self.init((input_shape[1],), name='{}_W'.format(self.name))
        self.trainable_weights = [self.W]

    def call(self, x, mask=None):
        return x * self.W


x = np.random.uniform(-1, 1, (400, 10))
y = (np.abs(x[:, :5]).sum(axis=1) > np.abs(x[:, 5:]).sum(axis=1)).astype(np.float)

model = Sequential()
model.add(Dense(32, input_dim=10, init='normal'))
model.add(Antirectifier())
model.add(Scale())
model.add(Lambda(lambda t: K.clip(t, 0, 10), output_shape=(64,)))
model.add(Dense(1, activation='sigmoid'))
model.compile('rmsprop', 'binary_crossentropy', metrics=['accuracy'])
model.optimizer.lr = .01
model.fit(x, y, nb_epoch=30, batch_size=16, verbose=0)
print(model.evaluate(x, y, verbose=0)[1])
