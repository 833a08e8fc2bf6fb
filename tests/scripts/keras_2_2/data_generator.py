'''Batches from a Sequence and from a generator, for data that do not fit in memory.'''
import numpy as np
import keras
from keras.models import Sequential
from keras.layers import Dense, Flatten, Conv2D, MaxPool2D, ZeroPadding2D, AvgPool2D
from keras.utils import Sequence, to_categorical
from keras.callbacks import LambdaCallback


class DataGenerator(Sequence):
    'Generates data for Keras'

    def __init__(self, list_IDs, labels, batch_size=32, dim=(12, 12), n_channels=1, n_classes=3, shuffle=True):
        self.list_IDs, self.labels, self.shuffle = list_IDs, labels, shuffle
        self.batch_size, self.dim, self.n_channels, self.n_classes = batch_size, dim, n_channels, n_classes
        self.on_epoch_end()

    def __len__(self):
        return int(np.floor(len(self.list_IDs) / self.batch_size))

    def __getitem__(self, index):
        chosen = self.indexes[index * self.batch_size:(index + 1) * self.batch_size]
        X = np.empty((self.batch_size, self.dim[0], self.dim[1], self.n_channels))
        y = np.empty((self.batch_size), dtype=int)
        for i, k in enumerate(chosen):
            draw = np.random.RandomState(self.list_IDs[k])
            y[i] = self.labels[self.list_IDs[k]]
            X[i] = draw.normal(scale=.5, size=X[i].shape)
            X[i, y[i] * 4:y[i] * 4 + 4] += 1  # a bar at the top, in the middle or below
        return X, to_categorical(y, num_classes=self.n_classes)

    def on_epoch_end(self):
        self.indexes = np.arange(len(self.list_IDs))
        if self.shuffle:
            np.random.shuffle(self.indexes)


np.random.seed(0)
labels = dict(enumerate(np.random.randint(0, 3, 400)))
training = DataGenerator(range(320), labels)
validation = DataGenerator(range(320, 400), labels, batch_size=16, shuffle=False)

model = Sequential()
model.add(ZeroPadding2D(padding=(1, 1), input_shape=(12, 12, 1)))
model.add(Conv2D(4, kernel_size=(3, 3), activation='relu'))
model.add(MaxPool2D(pool_size=(2, 2)))
model.add(AvgPool2D())
model.add(Flatten())
model.add(Dense(3, activation='softmax'))
model.compile(loss=keras.losses.categorical_crossentropy, optimizer=keras.optimizers.Adadelta(), metrics=['accuracy'])
seen = []
model.fit_generator(generator=training, validation_data=validation, epochs=12, use_multiprocessing=False, workers=1,
                    callbacks=[LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs['val_acc']))],
                    verbose=0)


def forever(source):
    while 1:
        for i in range(len(source)):
            yield source[i]


loss, acc = model.evaluate_generator(forever(validation), steps=len(validation), max_q_size=2)
print(model.predict_generator(validation, verbose=0).shape, seen[-1] == acc)
print(acc)
