"""Customers of a bank: who leaves? A grid of networks by scikit-learn's GridSearchCV.

    python examples/churn_grid.py [--quick]

The table is drawn here, with eleven columns as such tables have them and a rule with some chance in it, under which the
best guess is right for 86 % of the customers. The best network is right for at least 78 % of those held back.
Needs the extra `sklearn`.
"""

import sys

import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from torchkeras_compat.layers import Dense, Dropout
from torchkeras_compat.models import Sequential
from torchkeras_compat.wrappers.scikit_learn import KerasClassifier

QUICK = "--quick" in sys.argv[1:]
CUSTOMERS = 1000 if QUICK else 10_000
COUNTRIES = 3


def customers(count):
    """Return a table of customers, and who of them leaves."""
    age = np.random.normal(39, 10, count).clip(18, 90)
    balance = np.random.exponential(60_000, count) * (np.random.random(count) < 0.65)
    products = np.random.choice([1, 2, 3, 4], count, p=[0.5, 0.45, 0.04, 0.01])
    active, card, female = (np.random.random((3, count)) < [[0.5], [0.7], [0.45]]).astype(float)
    country = np.random.randint(0, COUNTRIES, count)
    score, tenure, salary = np.random.normal(650, 97, count), np.random.randint(0, 11, count), np.random.rand(count)
    leaning = 0.09 * (age - 46) + 1.2 * (products != 2) - 1.4 * active + 0.6 * female + 1.1 * (country == 1) - 0.2
    leaves = np.random.random(count) < 1 / (1 + np.exp(-2.5 * leaning))
    columns = [score, *np.eye(COUNTRIES)[country].T[1:], female, age, tenure, balance, products, card, active, salary]
    return np.stack(columns, axis=1), leaves.astype(int)


def network(units=6, rate=0.1, optimizer="adam"):
    """Return a compiled network, as the grid asks for it."""
    model = Sequential()
    model.add(Dense(units, activation="relu", input_dim=11))
    model.add(Dropout(rate))
    model.add(Dense(units, activation="relu"))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


np.random.seed(7)
x, y = customers(CUSTOMERS)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
classifier = KerasClassifier(build_fn=network, epochs=25 if QUICK else 40, batch_size=25, verbose=0)
grid = {"kerasclassifier__units": [6, 24], "kerasclassifier__optimizer": ["adam", "rmsprop"]}
search = GridSearchCV(make_pipeline(StandardScaler(), classifier), grid, cv=2 if QUICK else 5)
search.fit(x_train, y_train)
for settings, mean in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"]):
    print(f"{mean:.3f} {settings}")
print(f"best {search.best_params_}, test accuracy {search.score(x_test, y_test):.3f}")
