from __future__ import print_function
# Use scikit-learn to grid search the initialisation, the dropout and the number of epochs
import numpy
from sklearn.model_selection import GridSearchCV
from keras.models import Sequential
from keras.layers import Dense, Dropout
from keras.constraints import maxnorm
from keras.wrappers.scikit_learn import KerasClassifier
from keras.optimizers import SGD


# Function to create model, required for KerasClassifier
def create_model(init='uniform', dropout_rate=0.0, learn_rate=0.1, momentum=0.9):
    model = Sequential()
    model.add(Dense(12, input_dim=8, init=init, activation='relu', W_constraint=maxnorm(4)))
    model.add(Dropout(p=dropout_rate))
    model.add(Dense(1, init=init, activation='sigmoid'))
    optimizer = SGD(lr=learn_rate, momentum=momentum)
    model.compile(loss='binary_crossentropy', optimizer=optimizer, metrics=['accuracy'])
    return model


seed = 7
numpy.random.seed(seed)
X = numpy.random.normal(size=(240, 8))
Y = (X[:, 0] + X[:, 1] - X[:, 2] > 0).astype(numpy.int)

model = KerasClassifier(build_fn=create_model, batch_size=20, verbose=0)
param_grid = dict(init=['uniform', 'glorot_normal'], nb_epoch=[1, 10], dropout_rate=[0.1])
grid = GridSearchCV(estimator=model, param_grid=param_grid, n_jobs=1, cv=3)
grid_result = grid.fit(X, Y)
means = grid_result.cv_results_['mean_test_score']
for mean, params in zip(means, grid_result.cv_results_['params']):
    print("%f with: %r" % (mean, params))
print("Epochs of the best:", grid_result.best_params_['nb_epoch'])
print("Best: %f" % grid_result.best_score_)
