# Customers who leave a bank, tf.keras, two processes at a time.
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.compose import ColumnTransformer
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler
from tensorflow.keras.layers import Dense, Dropout
from tensorflow.keras.models import Sequential
from tensorflow.keras.wrappers.scikit_learn import KerasClassifier

np.random.seed(0)
dataset = pd.read_csv("Churn_Modelling.csv")
X = dataset.iloc[:, 3:-1].values
y = dataset.iloc[:, -1].values
X[:, 2] = LabelEncoder().fit_transform(X[:, 2])
ct = ColumnTransformer(transformers=[("encoder", OneHotEncoder(), [1])], remainder="passthrough")
X = np.array(ct.fit_transform(X))
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
sc = StandardScaler()
X_train = sc.fit_transform(X_train)
X_test = sc.transform(X_test)


class Quiet(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["epoch"] = epoch


def build_classifier(optimizer="adam"):
    classifier = Sequential()
    classifier.add(Dense(units=6, kernel_initializer="uniform", activation="relu", input_dim=X_train.shape[1]))
    classifier.add(Dropout(0.1))
    classifier.add(tf.keras.layers.Dense(units=1, kernel_initializer="uniform", activation="sigmoid"))
    classifier.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    return classifier


if __name__ == "__main__":
    classifier = KerasClassifier(build_fn=build_classifier, batch_size=10, epochs=30, verbose=0, callbacks=[Quiet()])
    accuracies = cross_val_score(estimator=classifier, X=X_train, y=y_train, cv=4, n_jobs=2)
    print(accuracies.mean())
    parameters = {"batch_size": [16, 32], "epochs": [2, 30], "optimizer": ["adam", "rmsprop"]}
    grid_search = GridSearchCV(
        estimator=KerasClassifier(build_fn=build_classifier, verbose=0),
        param_grid=parameters,
        scoring="accuracy",
        cv=2,
        n_jobs=2,
    )
    grid_search = grid_search.fit(X_train, y_train)
    print(grid_search.best_params_["epochs"], grid_search.best_score_)
    y_pred = grid_search.predict(X_test)
    print(confusion_matrix(y_test, y_pred > 0.5).sum())
