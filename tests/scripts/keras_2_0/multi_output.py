'''One network with two outputs, each with a loss and a weight of its own.'''
from keras.layers import Input, Embedding, LSTM, Dense, concatenate, add
from keras.models import Model
from keras.engine.topology import get_source_inputs
from keras.regularizers import l1_l2
from keras.constraints import max_norm
import numpy as np
np.random.seed(0)

main_input = Input(shape=(10,), dtype='int32', name='main_input')
x = Embedding(output_dim=16, input_dim=50, input_length=10)(main_input)
lstm_out = LSTM(16, implementation=2, recurrent_dropout=.05)(x)
auxiliary_output = Dense(1, activation='sigmoid', name='aux_output')(lstm_out)

auxiliary_input = Input(shape=(3,), name='aux_input')
x = concatenate([lstm_out, auxiliary_input])
first = Dense(32, activation='relu', kernel_regularizer=l1_l2(1e-5, 1e-5))(x)
x = add([first, Dense(32, activation='relu', kernel_constraint=max_norm(3.))(first)])
main_output = Dense(1, name='main_output')(x)

model = Model(inputs=[main_input, auxiliary_input], outputs=[main_output, auxiliary_output])
assert len(get_source_inputs(main_output)) == 2
model.compile(optimizer='rmsprop',
              loss={'main_output': 'mean_squared_error', 'aux_output': 'binary_crossentropy'},
              loss_weights={'main_output': 1., 'aux_output': 0.2},
              metrics={'aux_output': 'accuracy', 'main_output': 'mae'})
model.optimizer.lr = .005

headlines = np.random.randint(1, 50, (600, 10))
extra = np.random.normal(size=(600, 3))
early = (headlines[:, -1] < 25).astype('float32')
late = early + extra[:, 0] - .5 * extra[:, 1]
history = model.fit({'main_input': headlines, 'aux_input': extra}, {'main_output': late, 'aux_output': early},
                    epochs=12, batch_size=32, validation_split=.2, verbose=0)
print(sorted(history.history))
print(model.metrics_names)
print('%.3f' % history.history['val_aux_output_acc'][-1])
print(history.history['val_main_output_loss'][-1])
