'''What a layer inside a network gives, with and without dropout, and the gradient of a loss.'''
from __future__ import print_function
import numpy as np
np.random.seed(3)
from keras import backend as K
from keras.models import Sequential, Model
from keras.layers import Activation, BatchNormalization, Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D
from keras.layers import MaxPooling2D
from keras.datasets import mnist
from keras.utils import np_utils

K.set_image_dim_ordering('tf')
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = np.expand_dims(x_train[:800], 3) / 255.
Y_train = np_utils.to_categorical(y_train[:800], 10)

model = Sequential()
model.add(Conv2D(8, (3, 3), input_shape=(28, 28, 1), data_format=K.image_data_format()))
model.add(BatchNormalization())
model.add(Activation('relu'))
model.add(MaxPooling2D())
model.add(Conv2D(16, (3, 3), strides=(2, 2), activation='relu', name='features'))
model.add(Dropout(.25))
model.add(Flatten())
model.add(Dense(10, activation='softmax'))
model.compile('adam', 'categorical_crossentropy', ['accuracy'])
model.fit(x_train, Y_train, epochs=5, batch_size=32, verbose=0)

features = K.function([model.layers[0].input, K.learning_phase()], [model.layers[5].output])
test = features([x_train[:4], 0])[0]
train = features([x_train[:4], 1])[0]
print('zeros by dropout:', (train == 0).mean() - (test == 0).mean() > .05)
intermediate = Model(inputs=model.input, outputs=model.get_layer('features').output)
assert np.allclose(intermediate.predict(x_train[:4]), test, atol=1e-5)

# gradient ascent on the picture, towards the digit 3
loss = K.mean(model.output[:, 3])
grads = K.gradients(loss, model.input)[0]
grads /= (K.sqrt(K.mean(K.square(grads))) + 1e-5)
iterate = K.function([model.input, K.learning_phase()], [loss, grads])
picture = np.random.random((1, 28, 28, 1)) * .2
for i in range(30):
    loss_value, grads_value = iterate([picture, 0])
    picture += grads_value * .05
print('probability of a three:', float(loss_value))
