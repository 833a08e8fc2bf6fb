'''Two inputs, joined in each way that merge knew.'''
import numpy as np
np.random.seed(4)
from keras.engine import Input, Model, merge
from keras.optimizers import Adam
from keras.layers import Dense, Activation, Reshape, Permute, Flatten, LSTM, RepeatVector, Embedding

story = Input(shape=(8,), dtype='int32', name='story')
question = Input(shape=(3,), dtype='int32', name='question')
memory = Embedding(input_dim=20, output_dim=12, input_length=8)(story)
asked = Embedding(input_dim=20, output_dim=12, input_length=3, W_regularizer='l2')(question)

match = merge([memory, asked], mode='dot', dot_axes=[2, 2])
match = Activation('softmax')(Permute((2, 1))(match))
summed = merge([LSTM(output_dim=12)(memory), LSTM(12)(asked)], mode='sum')
product = merge([Dense(12)(summed), Dense(12, bias=False)(summed)], mode='mul')
mean = merge([product, summed], mode='ave', name='mean')
largest = merge([mean, summed], mode='max')
angle = merge([product, largest], mode='cos', dot_axes=1)
angle = RepeatVector(3)(Flatten()(angle))
halved = merge([mean, largest], mode=lambda pair: (pair[0] + pair[1]) / 2, output_shape=lambda shapes: shapes[0])
joined = merge([Flatten()(match), Reshape((-1,))(angle), halved], mode='concat', concat_axis=-1)
answer = Dense(20, activation='softmax', init='lecun_uniform')(joined)

model = Model(input=[story, question], output=answer)
model.compile(optimizer=Adam(lr=.01), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
print([layer.name for layer in model.layers if 'merge' in layer.name or layer.name == 'mean'])

# the last word of the question, or none where the story ends in a small word
stories = np.random.randint(1, 20, (800, 8))
questions = np.random.randint(1, 6, (800, 3))
answers = np.where(stories[:, -1] < 10, 0, questions[:, -1])
hist = model.fit({'story': stories, 'question': questions}, answers[:, np.newaxis], batch_size=32, nb_epoch=15,
                 verbose=0)
print(hist.history['acc'][-1])
