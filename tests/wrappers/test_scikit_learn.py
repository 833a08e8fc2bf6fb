"""`KerasClassifier` and `KerasRegressor`: what they do, and how scikit-learn uses them."""

from __future__ import annotations

import copy
import importlib
import json
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import AdaBoostClassifier, BaggingRegressor, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    check_cv,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import torchkeras_compat as tk
from torchkeras_compat._core.border import KerasSpellingWarning
from torchkeras_compat.compat.names import ROOTS
from torchkeras_compat.layers import Dense
from torchkeras_compat.models import Sequential
from torchkeras_compat.wrappers.scikit_learn import BaseWrapper, KerasClassifier, KerasRegressor

GOLDEN = json.loads(Path(__file__).with_name("scikit_learn.json").read_text(encoding="utf-8"))
LABELS = np.array(["iris", "lily", "rose"])
QUIET = {"verbose": 0, "epochs": 2}


def create_model(units: int = 4, loss: Any = "categorical_crossentropy", metrics: Any = ("accuracy",)) -> Any:
    model = Sequential([Dense(units, activation="relu", input_dim=4), Dense(3, activation="softmax")])
    model.compile("adam", loss, metrics=list(metrics))
    return model


def create_binary(optimizer: str = "adam", metrics: Any = ("accuracy",)) -> Any:
    model = Sequential([Dense(8, activation="relu", input_dim=4), Dense(1, activation="sigmoid")])
    model.compile(optimizer, "binary_crossentropy", metrics=list(metrics))
    return model


def create_line(metrics: Any = ()) -> Any:
    model = Sequential([Dense(1, input_dim=4)])
    model.compile("sgd", "mse", metrics=list(metrics))
    return model


class Factory:
    """What a method or an object makes a model by."""

    def __call__(self, units: int = 3) -> Any:
        return create_model(units)

    make = __call__


class Own(KerasClassifier):
    """An estimator that makes its model itself."""

    def __call__(self, units: int = 2) -> Any:
        return create_model(units)


@pytest.fixture
def flowers() -> tuple[Any, Any]:
    draw = np.random.RandomState(0)
    kinds = np.arange(60) % 3
    return (draw.randn(60, 4) + 5 * np.eye(3, 4)[kinds]).astype("float32"), kinds


# --- numbers of Keras ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOLDEN)
def test_as_in_keras(name: str) -> None:
    """The wrappers of Keras 2.11 wrote the numbers, under Keras 2.15 (`make_scikit_learn.py`)."""
    from .cases import cases, facts

    told = facts(*cases(KerasClassifier, KerasRegressor)[name])
    expected = GOLDEN[name]
    assert told.keys() == expected.keys()
    for fact in ("params", "classes", "n_classes"):
        assert told.get(fact) == expected.get(fact)
    for key, values in expected["history"].items():
        np.testing.assert_allclose(told["history"][key], values, rtol=1e-4, err_msg=key)
    assert told["score"] == pytest.approx(expected["score"], rel=1e-4)
    np.testing.assert_allclose(told.get("probabilities", 0), expected.get("probabilities", 0), atol=1e-4)
    if "classes" in told:
        assert told["predict"] == expected["predict"]
    else:
        np.testing.assert_allclose(told["predict"], expected["predict"], rtol=1e-4)


def test_the_score_of_a_regressor_was_the_loss_once(flowers: Any) -> None:
    """Keras 1.2.2 and 2.0.8 return `loss`, 2.0.9 and later ones `-loss`."""
    x, y = flowers
    scores = {}
    for dialect in ("keras-1", "keras-2.2", "keras-2.3", "tf.keras", "keras-2.15"):
        tk.set_dialect(dialect)
        regressor = KerasRegressor(create_line, **QUIET)
        regressor.fit(x, y)
        scores[dialect] = regressor.score(x, y) / regressor.model.evaluate(x, y, verbose=0)
    assert scores == {**dict.fromkeys(scores, -1), "keras-1": 1}


# --- what makes a model, and with what -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "units"),
    [
        (KerasClassifier(create_model, units=5, **QUIET), 5),
        (KerasClassifier(build_fn=Factory(), **QUIET), 3),
        (KerasClassifier(build_fn=Factory().make, units=6, **QUIET), 6),
        (Own(units=7, **QUIET), 7),
        (Own(**QUIET), 2),
    ],
    ids=["function", "object", "method", "subclass", "subclass by default"],
)
def test_what_makes_the_model(estimator: Any, units: int, flowers: Any) -> None:
    history = estimator.fit(*flowers)
    assert type(history).__name__ == "History"
    assert len(history.epoch) == 2
    assert estimator.model.layers[0].units == units
    again = clone(estimator)
    assert not hasattr(again, "model")
    again.fit(*flowers)
    assert again.model.layers[0].units == units
    assert again.model is not estimator.model


def test_parameters() -> None:
    classifier = KerasClassifier(create_model, units=5, epochs=2)
    assert classifier.get_params() == {"build_fn": create_model, "units": 5, "epochs": 2}
    assert classifier.set_params(batch_size=8, units=6) is classifier
    assert classifier.sk_params == {"units": 6, "epochs": 2, "batch_size": 8}
    assert classifier.filter_sk_params(create_model) == {"units": 6}
    assert classifier.filter_sk_params(Sequential.predict, {"verbose": 0}) == {"batch_size": 8, "verbose": 0}
    assert classifier.set_params(build_fn=create_binary, optimizer="sgd").build_fn is create_binary
    assert "units=6" in repr(classifier)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: KerasClassifier(create_model, epoch=3), ValueError, r"KerasClassifier\(epoch=3\): .*mean 'epochs'"),
        (lambda: KerasRegressor(create_line, units=3), ValueError, "units is no legal parameter"),
        (lambda: KerasClassifier(create_model).set_params(unit=3), ValueError, "did you mean 'units'"),
        (lambda: KerasClassifier(create_model, x=3), ValueError, "x is no legal parameter"),
        (lambda: KerasClassifier(create_model()), ValueError, "is a model, and each fit needs a new one"),
        (lambda: KerasClassifier(3), TypeError, r"KerasClassifier\(build_fn=3\)"),
        (lambda: KerasClassifier().fit([[1]], [1]), ValueError, "there is no build_fn"),
        (lambda: KerasClassifier(lambda: None).fit([[1]], [1]), TypeError, "must return a compiled model; got None"),
        (lambda: KerasClassifier(create_model).fit([[1]], np.ones((1, 2, 3))), ValueError, "must have one axis"),
        (lambda: KerasClassifier(create_model).fit([[1], [2]], [1.5, 2.1]), ValueError, "continuous"),
        (lambda: KerasRegressor(create_line).fit([[1]], None), ValueError, "requires y"),
        (lambda: KerasRegressor(create_line).predict([[1]]), NotFittedError, "not fitted yet"),
        (lambda: KerasClassifier(create_line).score([[1]], [1]), NotFittedError, "not fitted yet"),
    ],
)
def test_refused(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_old_names(flowers: Any) -> None:
    with pytest.warns(KerasSpellingWarning, match="epochs=3"):
        assert len(KerasClassifier(create_model, nb_epoch=3, verbose=0).fit(*flowers).epoch) == 3
    classifier = KerasClassifier(create_model, nb_epoch=3, verbose=0)
    assert len(classifier.fit(*flowers, nb_epoch=2).epoch) == 2
    assert len(classifier.fit(*flowers, epochs=1).epoch) == 1
    assert len(classifier.fit(X=flowers[0], y=flowers[1]).epoch) == 3
    with pytest.raises(TypeError, match="nb_epoch and epochs are one argument"):
        classifier.set_params(epochs=4).fit(*flowers)
    with pytest.warns(KerasSpellingWarning, match=r"BaseWrapper\(model=…\): is now build_fn="):
        assert KerasClassifier(model=create_model, epochs=3).get_params() == {"build_fn": create_model, "epochs": 3}


def test_a_function_may_have_arguments_of_such_names(flowers: Any) -> None:
    told = []

    def create(model: str = "small", nb_epoch: int = 1) -> Any:
        told.append((model, nb_epoch))
        return create_model()

    with pytest.warns(KerasSpellingWarning, match="epochs=3"):
        history = KerasClassifier(create, model="large", nb_epoch=3, verbose=0).fit(*flowers)
    assert told == [("large", 3)]
    assert len(history.epoch) == 3


def test_a_call_comes_before_the_parameters(flowers: Any) -> None:
    x, y = flowers
    seen: list[Any] = []

    class Watch(tk.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            seen.append((self, dict(self.params)))

    watch = Watch()
    classifier = KerasClassifier(create_model, batch_size=10, callbacks=[watch], **QUIET)
    for told in ({}, {"batch_size": 20, "epochs": 1, "validation_split": 0.5}):
        classifier.fit(x, y, **told)
    assert [(params["epochs"], params["steps"]) for _, params in seen] == [(2, 6), (1, 2)]
    classifier.predict(x)
    classifier.score(x, y)
    assert watch not in [callback for callback, _ in seen]  # each call has its own,
    assert watch.model is None  # so that a clone copies no model


# --- labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy", "object"])
@pytest.mark.parametrize("labels", [LABELS, np.array([-3, 10, 11]), np.array([1.0, 2.0, 5.0]), LABELS.astype(object)])
def test_labels_of_any_kind(labels: Any, loss: Any, flowers: Any) -> None:
    x, kinds = flowers
    y = labels[kinds]
    loss = tk.losses.CategoricalCrossentropy() if loss == "object" else loss
    classifier = KerasClassifier(create_model, loss=loss, epochs=80, batch_size=5, verbose=0)
    for targets in (y, y[:, None], y.tolist()):
        classifier.fit(x, targets)
        assert classifier.classes_.tolist() == labels.tolist()
        predicted = classifier.predict(x)
        assert predicted.shape == (60,)
        assert set(predicted) <= set(labels)
        assert np.mean(predicted == y) > 0.7
        assert classifier.score(x, targets) == pytest.approx(np.mean(predicted == y))
        probabilities = classifier.predict_proba(x)
        assert probabilities.shape == (60, 3)
        assert (labels[probabilities.argmax(1)] == predicted).all()


def test_two_classes_by_one_unit(flowers: Any) -> None:
    x, kinds = flowers
    y = np.where(kinds > 0, "yes", "no")
    classifier = KerasClassifier(create_binary, epochs=60, batch_size=5, verbose=0)
    classifier.fit(x, y)
    predicted, probabilities = classifier.predict(x), classifier.predict_proba(x)
    assert predicted.shape == (60,)
    assert probabilities.shape == (60, 2)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)
    assert (np.where(probabilities[:, 1] > 0.5, "yes", "no") == predicted).all()
    assert np.mean(predicted == y) > 0.7
    assert classifier.score(x, y) == pytest.approx(np.mean(predicted == y))


def test_folds_without_a_class(flowers: Any) -> None:
    x, kinds = flowers
    y = LABELS[kinds]
    classifier = KerasClassifier(create_model, epochs=60, batch_size=5, verbose=0)
    classifier.fit(x, y)
    first = kinds == 0  # the one-hot targets have all columns all the same
    assert classifier.score(x[first], y[first]) == np.mean(classifier.predict(x[first]) == "iris")
    loss = "sparse_categorical_crossentropy"
    classifier = KerasClassifier(create_model, loss=loss, epochs=60, batch_size=5, verbose=0)
    classifier.fit(x[~first], y[~first])  # the last of the model's three units never has a sample
    weights = np.where(first, 2.0, 1.0)
    with pytest.warns(UserWarning, match=r"fit has not seen the labels 'iris'; .* StratifiedKFold"):
        score = classifier.score(x, y, sample_weight=weights)
    assert score == pytest.approx(np.average(classifier.predict(x) == y, weights=weights))
    binary = KerasClassifier(create_binary, **QUIET)
    binary.fit(x[first], y[first])
    assert binary.predict(x).tolist() == ["iris"] * 60
    assert binary.predict_proba(x).tolist() == [[1.0]] * 60


def test_weights_and_held_out_data_go_by_labels(flowers: Any) -> None:
    x, kinds = flowers
    y, weights = LABELS[kinds], {"iris": 1.0, "lily": 4.0, "rose": 0.25}

    def history(targets: Any, **told: Any) -> Any:
        tk.utils.set_random_seed(3)
        return KerasClassifier(create_model, **QUIET).fit(x, targets, **told).history

    by_label = history(y, class_weight=weights, validation_data=(x[:9], y[:9]))
    by_index = history(kinds, class_weight=dict(enumerate(weights.values())), validation_data=(x[:9], kinds[:9]))
    one_hot = history(y, class_weight=weights, validation_data=(x[:9], np.eye(3)[kinds[:9]]))
    by_sample = history(y, sample_weight=[weights[label] for label in y], validation_data=(x[:9], y[:9], np.ones(9)))
    assert by_label == by_index == one_hot
    for name, values in by_label.items():
        np.testing.assert_allclose(by_sample[name], values, rtol=1e-5)
    assert by_label["loss"] != history(y)["loss"]


def test_the_model_has_to_compute_the_accuracy(flowers: Any) -> None:
    for metrics in ((), ("categorical_accuracy",)):
        classifier = KerasClassifier(create_model, metrics=metrics, **QUIET)
        classifier.fit(*flowers)
        with pytest.raises(ValueError, match=r"computes no accuracy; write compile\(…, metrics=\['accuracy'\]\)"):
            classifier.score(*flowers)
    for dialect, name in (("keras-1", "acc"), ("keras-2.2", "acc"), ("tf.keras", "accuracy")):
        tk.set_dialect(dialect)
        classifier = KerasClassifier(create_model, **QUIET)
        assert name in classifier.fit(*flowers).history
        assert classifier.score(*flowers) == pytest.approx(np.mean(classifier.predict(flowers[0]) == flowers[1]))


def test_one_sample_and_several_outputs(flowers: Any) -> None:
    x, _ = flowers
    regressor = KerasRegressor(create_line, **QUIET)
    regressor.fit(x, x.sum(1))
    assert regressor.predict(x[:1]).shape == (1,)
    assert regressor.predict(x).shape == (60,)


def test_several_inputs(flowers: Any) -> None:
    x, y = flowers

    def create() -> Any:
        left, right = tk.Input((1,)), tk.Input((3,))
        model = tk.Model([left, right], Dense(1)(tk.layers.concatenate([left, right])))
        model.compile("sgd", "mse")
        return model

    regressor = KerasRegressor(create, **QUIET)
    regressor.fit([x[:, :1], x[:, 1:]], y)
    assert regressor.predict([x[:5, :1], x[:5, 1:]]).shape == (5,)


# --- in scikit-learn's hands -----------------------------------------------------------------------------------------


def test_scikit_learn_knows_what_they_are(flowers: Any) -> None:
    classifier, regressor = KerasClassifier(create_model), KerasRegressor(create_line)
    assert (is_classifier(classifier), is_regressor(classifier)) == (True, False)
    assert (is_classifier(regressor), is_regressor(regressor)) == (False, True)
    assert isinstance(check_cv(3, flowers[1], classifier=is_classifier(classifier)), StratifiedKFold)


def test_folds_and_searches(flowers: Any) -> None:
    x, kinds = flowers
    order = np.argsort(kinds)  # sorted labels: folds that are not stratified would lack a class
    x, y = x[order], LABELS[kinds[order]]
    classifier = KerasClassifier(create_model, units=8, epochs=60, batch_size=5, verbose=0)
    assert cross_val_score(classifier, x, y, cv=3).min() > 0.7
    assert cross_val_score(classifier, x, y, cv=KFold(3, shuffle=True, random_state=0)).mean() > 0.7
    one_hot = cross_val_score(classifier, x, np.eye(3)[kinds[order]], cv=KFold(3, shuffle=True, random_state=0))
    assert one_hot.mean() > 0.7
    assert np.mean(cross_val_predict(classifier, x, y, cv=3) == y) > 0.7
    grid = GridSearchCV(classifier, {"epochs": [1, 60], "units": [4, 8]}, cv=2)
    grid.fit(x, y)
    assert grid.best_params_["epochs"] == 60
    assert grid.score(x, y) > 0.7
    assert grid.best_estimator_.model.layers[0].units == grid.best_params_["units"]
    search = RandomizedSearchCV(classifier, {"epochs": [1, 60]}, n_iter=2, cv=2, random_state=0, scoring="f1_macro")
    assert search.fit(x, y).best_params_ == {"epochs": 60}


def test_pipelines(flowers: Any) -> None:
    x, y = flowers
    pipeline = make_pipeline(StandardScaler(), KerasClassifier(create_model, epochs=60, batch_size=5, verbose=0))
    pipeline.fit(x, y, kerasclassifier__sample_weight=np.ones(60))
    assert pipeline.score(x, y) > 0.7
    assert pipeline.predict_proba(x).shape == (60, 3)
    pipeline.set_params(kerasclassifier__units=9)
    assert clone(pipeline).get_params()["kerasclassifier__units"] == 9


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_votes(voting: str, flowers: Any) -> None:
    x, kinds = flowers
    y = np.where(kinds > 0, "yes", "no")
    members = [(name, KerasClassifier(create_binary, epochs=60, batch_size=5, verbose=0)) for name in "abc"]
    vote = VotingClassifier(members, voting=voting).fit(x, y, sample_weight=np.ones(60))
    assert vote.predict(x).shape == (60,)
    assert vote.score(x, y) > 0.8


def test_boosts_and_bags(flowers: Any) -> None:
    x, y = flowers
    boosted = AdaBoostClassifier(KerasClassifier(create_model, epochs=20, batch_size=5, verbose=0), n_estimators=2)
    assert boosted.fit(x, y).score(x, y) > 0.5
    bag = BaggingRegressor(KerasRegressor(create_line, **QUIET), n_estimators=2).fit(x, y)
    assert bag.predict(x).shape == (60,)


def test_features_have_names_and_a_number(flowers: Any) -> None:
    pd = pytest.importorskip("pandas")
    x, y = flowers
    frame = pd.DataFrame(x, columns=list("abcd"))
    classifier = KerasClassifier(create_model, **QUIET)
    classifier.fit(frame, y)
    assert (classifier.n_features_in_, list(classifier.feature_names_in_)) == (4, list("abcd"))
    with pytest.raises(ValueError, match="feature names should match"):
        classifier.predict(frame[list("badc")])
    classifier.fit(x, y)
    with pytest.raises(ValueError, match="X has 3 features, but KerasClassifier is expecting 4"):
        classifier.predict(x[:, :3])


def test_copies_and_pickles(flowers: Any) -> None:
    x, y = flowers
    before = pickle.loads(pickle.dumps(KerasClassifier(create_model, units=6, **QUIET)))
    assert before.get_params() == {"build_fn": create_model, "units": 6, **QUIET}
    before.fit(x, y)
    for after in (pickle.loads(pickle.dumps(before)), copy.deepcopy(before)):
        assert after.model is not before.model
        np.testing.assert_array_equal(after.predict_proba(x), before.predict_proba(x))
        assert after.score(x, y) == before.score(x, y)
        assert len(after.fit(x, y).epoch) == 2


def test_a_pickle_keeps_its_dialect(flowers: Any) -> None:
    tk.set_dialect("keras-1")
    pickled = pickle.dumps(KerasRegressor(create_line, **QUIET))
    tk.set_dialect("tf.keras")
    regressor = pickle.loads(pickled)
    regressor.fit(*flowers)
    assert regressor.model._dialect == "keras-1"
    assert regressor.score(*flowers) > 0


# --- where they are --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("root", ["torchkeras_compat", *sorted(ROOTS)])
def test_one_class_under_each_name(root: str) -> None:
    module = importlib.import_module(f"{root}.wrappers.scikit_learn")
    assert (module.KerasClassifier, module.KerasRegressor, module.BaseWrapper) == (
        KerasClassifier,
        KerasRegressor,
        BaseWrapper,
    )
    assert importlib.import_module(root).wrappers.scikit_learn.KerasClassifier is KerasClassifier


def test_scikit_learn_is_named_where_it_is_missing() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None; from torchkeras_compat import compat, wrappers; compat.install()\n"
        "try:\n    from keras.wrappers.scikit_learn import KerasClassifier\n"
        "except ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("pip install torchkeras_compat[sklearn]")
    assert len(done.stdout.strip().splitlines()) == 1


def test_nothing_is_warned_about(flowers: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cross_val_score(KerasClassifier(create_model, **QUIET), *flowers, cv=2, error_score="raise")
        cross_val_score(KerasRegressor(create_line, **QUIET), *flowers, cv=2, error_score="raise")
