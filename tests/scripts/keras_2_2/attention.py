'''Attention over the steps of a series, as a layer of one's own.'''
import numpy as np
np.random.seed(5)
from keras import backend as K
from keras import constraints, initializers, regularizers
from keras.engine.topology import Layer
from keras.layers import Dense, Input, GRU, Bidirectional, SpatialDropout1D
from keras.models import Model
from keras.optimizers import Adam


class Attention(Layer):
    def __init__(self, step_dim, W_regularizer=None, b_constraint=None, bias=True, **kwargs):
        self.supports_masking = True
        self.init = initializers.get('glorot_uniform')
        self.W_regularizer = regularizers.get(W_regularizer)
        self.b_constraint = constraints.get(b_constraint)
        self.bias = bias
        self.step_dim = step_dim
        self.features_dim = 0
        super(Attention, self).__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight((input_shape[-1],), initializer=self.init, name='{}_W'.format(self.name),
                                 regularizer=self.W_regularizer)
        self.features_dim = input_shape[-1]
        self.b = self.add_weight((input_shape[1],), initializer='zero', name='{}_b'.format(self.name),
                                 constraint=self.b_constraint) if self.bias else None
        self.built = True

    def compute_mask(self, input, input_mask=None):
        return None

    def call(self, x, mask=None):
        eij = K.reshape(K.dot(K.reshape(x, (-1, self.features_dim)), K.reshape(self.W, (self.features_dim, 1))),
                        (-1, self.step_dim))
        if self.bias:
            eij += self.b
        a = K.exp(K.tanh(eij))
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        return K.sum(x * K.expand_dims(a), axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.features_dim


x = np.random.normal(size=(400, 8, 3))
y = (x[:, 5, 0] > 0).astype('int32')  # the sixth step decides
inp = Input(shape=(8, 3))
seq = Bidirectional(GRU(12, return_sequences=True, reset_after=False))(SpatialDropout1D(.0)(inp))
out = Dense(1, activation='sigmoid')(Attention(8, W_regularizer='l2')(seq))
model = Model(inputs=inp, outputs=out)
model.compile(loss='binary_crossentropy', optimizer=Adam(lr=.01, decay=1e-4), metrics=['accuracy'])
model.fit(x, y, batch_size=32, epochs=12, verbose=0)
print(model.evaluate(x, y, verbose=0)[1])
