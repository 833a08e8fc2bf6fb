"""A recurrent network of TensorFlow 1.x, by attributes of tf.keras, with the layers of cuDNN."""
import numpy as np
import tensorflow as tf

tf.logging.set_verbosity(tf.logging.ERROR)
tf.set_random_seed(2)
np.random.seed(2)
L = tf.keras.layers

# which of two tones is in a noisy signal
rate, classes = 24, 3
tone = np.random.randint(0, classes, 300)
times = np.arange(rate)[None, :, None]
x = np.sin(times * (.3 + .4 * tone[:, None, None]) + np.random.uniform(0, 6, (300, 1, 1)))
x = x + np.random.normal(scale=.3, size=x.shape)

model = tf.keras.Sequential()
if tf.test.is_gpu_available():
    model.add(L.CuDNNLSTM(24, return_sequences=True, input_shape=(rate, 1)))
else:
    model.add(tf.keras.layers.CuDNNLSTM(units=24, input_shape=(rate, 1), return_sequences=True,
                                        kernel_regularizer=tf.keras.regularizers.l2(1e-5)))
model.add(L.CuDNNGRU(16))
model.add(L.Dense(classes, activation=tf.nn.softmax, kernel_initializer=tf.keras.initializers.glorot_normal()))
model.compile(optimizer=tf.keras.optimizers.Adam(lr=.01),
              loss=tf.keras.losses.sparse_categorical_crossentropy,
              metrics=['accuracy'])
model.fit(x[:240], tone[:240], epochs=12, batch_size=24, validation_split=.1, verbose=0,
          callbacks=[tf.keras.callbacks.ReduceLROnPlateau(monitor='val_loss', patience=2, min_lr=1e-4)])

intermediate = tf.keras.backend.function([model.input], [model.layers[0].output])
print(intermediate([x[:2]])[0].shape, tf.keras.backend.get_value(model.optimizer.lr) > 0)
val_loss, val_acc = model.evaluate(x[240:], tone[240:], verbose=0)
print(val_acc)
