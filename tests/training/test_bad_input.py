"""Bad input: one error that says what to write, and the model as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers
from torchkeras_compat.losses.checks import TargetWarning

X = np.random.RandomState(0).rand(20, 4).astype("float32")
Y = X.sum(1, keepdims=True)
CLASSES = np.arange(20) % 3
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]


def regression(**first: Any) -> Any:
    model = keras.Sequential([layers.Dense(3, **(first or {"input_shape": (4,)})), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse", metrics=["mae"])
    return model


def classifier(loss: str, units: int = 3, activation: str = "softmax") -> Any:
    model = keras.Sequential([layers.Dense(units, activation=activation, input_shape=(4,))])
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


def state(model: Any) -> tuple[Any, ...]:
    weights = [w.copy() for w in model.get_weights()] if model.built else None
    iterations = int(model.optimizer.iterations) if model.optimizer is not None else None
    return weights, model.built, [layer.built for layer in model.layers], iterations, model.history, len(model.layers)


def unchanged(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    weights = before[0] is None or all(np.array_equal(a, b) for a, b in zip(before[0], after[0]))
    return weights and before[1:] == after[1:]


SPARSE, CATEGORICAL = "sparse_categorical_crossentropy", "categorical_crossentropy"
Case = tuple[Callable[[], Any], Callable[[Any], Any], type[Exception], str]


def fitting(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    return lambda model: model.fit(*args, **{"verbose": 0, **kwargs})


def nested_rows() -> list[list[float]]:
    return [[1.0, 2.0, 3.0, 4.0], [1.0, 2.0]]


CASES: dict[str, Case] = {
    "x and y of different lengths": (
        regression,
        fitting(X, Y[:10]),
        ValueError,
        "x and y must have as many rows; got 20 and 10",
    ),
    "sample weights of another length": (
        regression,
        fitting(X, Y, sample_weight=np.ones(5)),
        ValueError,
        "got 20 and 5",
    ),
    "a class index too high": (
        lambda: classifier(SPARSE),
        fitting(X, CLASSES + 1),
        ValueError,
        r"index 3 .*indices are 0 … 2",
    ),
    "a class index below zero": (lambda: classifier(SPARSE), fitting(X, CLASSES - 1), ValueError, r"index -1 .*0 … 2"),
    "one-hot for a sparse loss": (
        lambda: classifier(SPARSE),
        fitting(X, ONE_HOT),
        ValueError,
        "loss='categorical_cross",
    ),
    "indices for one-hot": (lambda: classifier(CATEGORICAL), fitting(X, CLASSES), ValueError, "to_categorical"),
    "too few features": (
        regression,
        fitting(X[:, :3], Y),
        ValueError,
        r"x must have shape \(None, 4\); got \(None, 3\)",
    ),
    "too many axes": (regression, fitting(X[:, None], Y), ValueError, r"\(None, 4\); got \(None, 1, 4\)"),
    "one axis for four features": (regression, fitting(X[:, 0], Y), ValueError, r"\(None, 4\); got \(None,\)"),
    "targets of another width": (
        lambda: classifier(CATEGORICAL),
        fitting(X, ONE_HOT[:, :2]),
        ValueError,
        r"targets .*\(None, 3\); got \(None, 2\)",
    ),
    "empty data": (regression, fitting(X[:0], Y[:0]), ValueError, r"x is empty: shape \(0, 4\)"),
    "an object array": (regression, fitting(X.astype(object), Y), TypeError, "x must hold numbers.*astype"),
    "objects as targets": (regression, fitting(X, Y.astype(object)), TypeError, "y must hold numbers"),
    "strings as targets": (
        lambda: classifier(SPARSE),
        fitting(X, np.array(list("abcde") * 4)),
        TypeError,
        "y must hold numbers",
    ),
    "dates": (regression, fitting(X.astype("int64").astype("M8[s]"), Y), TypeError, "x must hold numbers"),
    "rows of different lengths": (regression, fitting(nested_rows(), Y[:2]), ValueError, "rows of equal length"),
    "a number for x": (regression, fitting(3, Y), ValueError, "a row for each sample"),
    "a string for x": (regression, fitting("data.csv", Y), TypeError, "x must hold numbers"),
    "no x": (regression, fitting(), ValueError, r"fit\(x=None\)"),
    "no y": (regression, fitting(X), ValueError, r"fit\(y=None\): y is missing"),
    "two inputs": (regression, fitting({"a": X, "b": X}, Y), ValueError, "one input"),
    "batch_size zero": (
        regression,
        fitting(X, Y, batch_size=0),
        ValueError,
        r"fit\(batch_size=0\): batch_size must be a pos",
    ),
    "a fraction as batch_size": (regression, fitting(X, Y, batch_size=5.5), TypeError, "a positive integer; got 5.5"),
    "a string as batch_size": (regression, fitting(X, Y, batch_size="8"), TypeError, "a positive integer; got '8'"),
    "epochs as a float": (
        regression,
        fitting(X, Y, epochs=2.0),
        TypeError,
        r"fit\(epochs=2.0\): epochs must be an integer",
    ),
    "epochs as a string": (regression, fitting(X, Y, epochs="2"), TypeError, "epochs must be an integer; got '2'"),
    "initial_epoch as a float": (
        regression,
        fitting(X, Y, initial_epoch=1.0),
        TypeError,
        "initial_epoch must be an integer",
    ),
    "a split past the end": (
        regression,
        fitting(X, Y, validation_split=1.5),
        ValueError,
        r"a number in \[0, 1\); got 1.5",
    ),
    "a negative split": (
        regression,
        fitting(X, Y, validation_split=-0.2),
        ValueError,
        r"a number in \[0, 1\); got -0.2",
    ),
    "a split that leaves nothing": (regression, fitting(X, Y, validation_split=0.99), ValueError, "none would be left"),
    "validation_data without y": (
        regression,
        fitting(X, Y, validation_data=X),
        ValueError,
        r"\(x, y\) or \(x, y, sample_weight\)",
    ),
    "validation rows that differ": (regression, fitting(X, Y, validation_data=(X, Y[:3])), ValueError, "got 20 and 3"),
    "validation of another width": (
        regression,
        fitting(X, Y, validation_data=(X[:, :2], Y)),
        ValueError,
        r"\(None, 2\)",
    ),
    "an argument misspelled": (
        regression,
        fitting(X, Y, epoch=3),
        TypeError,
        "unknown argument; did you mean 'epochs'",
    ),
    "an argument of nobody": (regression, fitting(X, Y, foo=3), TypeError, r"fit\(foo=3\): unknown argument"),
    "a callback that is none": (
        regression,
        fitting(X, Y, callbacks=["x"]),
        TypeError,
        "must be Callback objects; got 'x'",
    ),
    "a callback's class": (
        regression,
        fitting(X, Y, callbacks=[keras.callbacks.TerminateOnNaN]),
        TypeError,
        r"write TerminateOnNaN\(",
    ),
    "a class without a weight": (
        lambda: classifier(SPARSE),
        fitting(X, CLASSES, class_weight={0: 1, 1: 2}),
        ValueError,
        r"the classes \[2\]",
    ),
    "class_weight='auto'": (
        lambda: classifier(SPARSE),
        fitting(X, CLASSES, class_weight="auto"),
        ValueError,
        "'balanced'",
    ),
    "class_weight as a list": (
        lambda: classifier(SPARSE),
        fitting(X, CLASSES, class_weight=[1, 2, 3]),
        ValueError,
        "a dictionary",
    ),
    "class_weight by names": (
        lambda: classifier(SPARSE),
        fitting(X, CLASSES, class_weight={"a": 1}),
        ValueError,
        "keys are class indices",
    ),
    "sample_weight as a string": (
        regression,
        fitting(X, Y, sample_weight="temporal"),
        TypeError,
        "sample_weight must hold",
    ),
    "weights for steps there are none of": (
        regression,
        fitting(X, Y, sample_weight=np.ones((20, 2))),
        ValueError,
        "one weight per sample",
    ),
    "an unknown shuffle": (regression, fitting(X, Y, shuffle="no"), ValueError, "True, False or 'batch'"),
    "no steps": (
        regression,
        fitting(X, Y, steps_per_epoch=0),
        ValueError,
        "steps_per_epoch must be a positive integer; got 0",
    ),
    "negative steps": (regression, fitting(X, Y, steps_per_epoch=-2), ValueError, "a positive integer; got -2"),
    "no validation steps": (
        regression,
        fitting(X, Y, validation_data=(X, Y), validation_steps=0),
        ValueError,
        "validation_steps must be",
    ),
    "validation_freq zero": (
        regression,
        fitting(X, Y, validation_data=(X, Y), validation_freq=0),
        ValueError,
        "validation_freq must be",
    ),
    "validation_freq as a string": (
        regression,
        fitting(X, Y, validation_data=(X, Y), validation_freq="a"),
        TypeError,
        "an integer or a list",
    ),
    "y beside a generator": (regression, fitting(((X, Y) for _ in range(3)), Y), ValueError, "the generator yields it"),
    "a split of a generator": (
        regression,
        fitting(((X, Y) for _ in range(3)), validation_split=0.1),
        ValueError,
        "a generator cannot be split",
    ),
    "balanced weights of a generator": (
        lambda: classifier(SPARSE),
        fitting(((X, CLASSES) for _ in range(3)), class_weight="balanced"),
        ValueError,
        "generator",
    ),
    "a generator of x alone": (regression, fitting(X for _ in range(3)), ValueError, r"y is missing.*\(x, y\)"),
    "a generator of numbers": (regression, fitting(3 for _ in range(3)), ValueError, r"must yield \(x, y\)"),
    "an empty generator": (regression, fitting((X, Y) for _ in range(0)), ValueError, "no batches"),
    "a generator of other shapes": (
        regression,
        fitting((X[:, :2], Y) for _ in range(3)),
        ValueError,
        r"got \(None, 2\)",
    ),
    "evaluate without y": (regression, lambda m: m.evaluate(X, verbose=0), ValueError, r"evaluate\(y=None\)"),
    "evaluate nothing": (regression, lambda m: m.evaluate(X[:0], Y[:0]), ValueError, "x is empty"),
    "predict nothing": (regression, lambda m: m.predict(X[:0]), ValueError, "x is empty"),
    "predict a number": (regression, lambda m: m.predict(np.array(3.0)), ValueError, "a row for each sample"),
    "predict in no batches": (regression, lambda m: m.predict(X, batch_size=0), ValueError, r"predict\(batch_size=0\)"),
    "predict None": (regression, lambda m: m.predict(None), ValueError, r"predict\(x=None\)"),
    "predict a single row": (regression, lambda m: m.predict(X[0]), ValueError, r"\(None, 4\); got \(None,\)"),
    "call with other features": (regression, lambda m: m(X[:, :2]), ValueError, r"\(None, 4\); got \(None, 2\)"),
    "train_on_batch of other lengths": (regression, lambda m: m.train_on_batch(X, Y[:4]), ValueError, "got 20 and 4"),
    "too few weights": (regression, lambda m: m.set_weights([np.zeros((4, 3))]), ValueError, "needs 4 arrays; got 1"),
    "weights of another shape": (
        regression,
        lambda m: m.set_weights([np.ones((4, 3)), np.ones(3), np.ones((2, 1)), np.ones(1)]),
        ValueError,
        r"\(3, 1\)",
    ),
    "building it again for another shape": (
        regression,
        lambda m: m.build((None, 7)),
        ValueError,
        r"built for shape \(None, 4\)",
    ),
    "an unknown loss": (
        regression,
        lambda m: m.compile("sgd", "msee"),
        ValueError,
        "unknown loss 'msee': did you mean 'mse'",
    ),
    "an unknown optimizer": (regression, lambda m: m.compile("sgdd", "mse"), ValueError, "did you mean 'SGD'"),
    "an unknown metric": (
        regression,
        lambda m: m.compile("sgd", "mse", metrics=["acuracy"]),
        ValueError,
        "did you mean 'accuracy'",
    ),
    "no optimizer": (regression, lambda m: m.compile(None, "mse"), TypeError, "an optimizer must be"),
    "a number as loss": (regression, lambda m: m.compile("sgd", 3), TypeError, "a loss must be a string"),
    "a misspelled argument of compile": (
        regression,
        lambda m: m.compile("sgd", "mse", metric=["mae"]),
        TypeError,
        "did you mean 'metrics'",
    ),
    "two losses": (regression, lambda m: m.compile("sgd", ["mse", "mae"]), ValueError, "one output"),
    "target_tensors": (
        regression,
        lambda m: m.compile("sgd", "mse", target_tensors=[Y]),
        ValueError,
        "give the targets to fit",
    ),
    "a layer that does not fit": (regression, lambda m: m.add(layers.LSTM(3)), ValueError, "must have 3 axes"),
    "a layer's class": (regression, lambda m: m.add(layers.Dense), TypeError, r"write Dense\("),
    "None as a layer": (
        regression,
        lambda m: m.add(None),
        TypeError,
        "a layer or a torch.nn.Module is expected; got None",
    ),
    "a function as a layer": (regression, lambda m: m.add(torch.relu), TypeError, "a layer or a torch.nn.Module"),
    "a list as a layer": (regression, lambda m: m.add([layers.Dense(1)]), TypeError, "a layer or a torch.nn.Module"),
    "a name that is taken": (
        regression,
        lambda m: m.add(layers.Dense(1, name=m.layers[0].name)),
        ValueError,
        "two layers are named",
    ),
    "a layer of the wrong name": (regression, lambda m: m.get_layer("dens_1"), ValueError, "did you mean 'dense_1'"),
    "a layer past the end": (regression, lambda m: m.get_layer(index=7), ValueError, "the model has 2 layers"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_error_and_nothing_changed(name: str) -> None:
    make, act, kind, message = CASES[name]
    model = make()
    before = state(model)
    with pytest.raises(kind, match=message):
        act(model)
    assert unchanged(before, state(model))
    y = {SPARSE: CLASSES, CATEGORICAL: ONE_HOT}.get(getattr(model.loss, "__name__", model.loss), Y)
    assert len(model.fit(X, y, epochs=2, verbose=0).history["loss"]) == 2


UNBUILT = [
    ("labels out of range", lambda m: m.fit(X, CLASSES + 1, verbose=0), "out of range"),
    ("a shape for no layer", lambda m: m.fit(X[:, :, None, None], CLASSES, verbose=0), "must have"),
    ("too few rows", lambda m: m.train_on_batch(X, CLASSES[:3]), "as many rows"),
    ("evaluate on wrong labels", lambda m: m.evaluate(X[:, :2], CLASSES + 9, verbose=0), "out of range"),
]


@pytest.mark.parametrize(("name", "act", "message"), UNBUILT, ids=[case[0] for case in UNBUILT])
def test_data_that_do_not_fit_leave_a_model_unbuilt(name: str, act: Any, message: str) -> None:
    model = keras.Sequential([layers.Dense(5), layers.BatchNormalization(), layers.Dense(3, activation="softmax")])
    model.compile("sgd", SPARSE, metrics=["accuracy"])
    with pytest.raises(ValueError, match=message):
        act(model)
    assert not model.built
    assert not any(layer.built for layer in model.layers)
    assert not list(torch.nn.Module.parameters(model))
    model.fit(np.hstack([X, X]), CLASSES, verbose=0)
    assert model.input_shape == (None, 8)


@pytest.mark.parametrize("use", ["summary", "count_params", "get_weights", "weights"])
def test_a_first_layer_without_a_shape(use: str) -> None:
    model = keras.Sequential([layers.Dense(3), layers.Dense(1)])
    with pytest.raises(ValueError, match=rf"Sequential 'sequential_1': {use} needs a built model; .*input_shape"):
        getattr(model, use)()
    assert not model.built
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert model.count_params() == 19


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_before_compile(method: str) -> None:
    model = keras.Sequential([layers.Dense(1, input_shape=(4,))])
    with pytest.raises(
        RuntimeError, match=rf"{method}: the model is not compiled; call compile\(optimizer=…, loss=…\) first"
    ):
        getattr(model, method)(X, Y)
    assert model.predict(X).shape == (20, 1)


def test_a_failing_layer_can_be_used_elsewhere() -> None:
    stack = keras.Sequential([layers.Dense(6, input_shape=(4,))])
    layer = layers.LSTM(3, weights=[np.zeros(1)])
    with pytest.raises(ValueError, match="3 axes"):
        stack.add(layer)
    assert not layer.built
    assert len(stack.layers) == 1


def test_a_list_with_something_else() -> None:
    with pytest.raises(TypeError, match="layers must be a list"):
        keras.Sequential("dense")


@pytest.mark.parametrize("units", [-3, 0])
def test_units(units: int) -> None:
    with pytest.raises(ValueError, match=rf"^Dense\(units={units}\): units must be a positive integer; got {units}\.$"):
        layers.Dense(units)


def test_units_of_a_division() -> None:
    assert layers.Dense(64 / 2).units == 32
    with pytest.raises(TypeError, match=r"a positive integer; got 3\.5"):
        layers.Dense(7 / 2)


def test_names_that_nobody_has() -> None:
    with pytest.raises(ValueError, match="unknown activation 'rellu': did you mean 'relu'"):
        layers.Dense(3, activation="rellu")
    with pytest.raises(TypeError, match=r"Dense\(activatio='relu'\): unknown argument; did you mean 'activation'"):
        layers.Dense(3, activatio="relu")


def test_targets_that_keras_trains_on_are_a_warning() -> None:
    model = classifier("binary_crossentropy", 1, "sigmoid")
    with pytest.warns(TargetWarning, match="between 0 and 1; they reach from 0 to 2"):
        model.fit(X, CLASSES, verbose=0)


def test_nan_is_named_once() -> None:
    model, x = regression(), X.copy()
    x[3, 1] = np.nan
    with pytest.warns(UserWarning, match="x holds NaN; the loss will be NaN") as caught:
        model.fit(x, Y, epochs=3, verbose=0)
    assert len(caught) == 1
    assert caught[0].filename == __file__  # the user's line, not ours


def test_infinity_is_not_nan() -> None:
    model, x = regression(), X.copy()
    x[0, 0], x[1, 0] = np.inf, -np.inf
    with pytest.warns(UserWarning, match="x holds infinity; the loss will be NaN or infinite") as caught:
        model.fit(x, Y, epochs=2, verbose=0)
    assert len(caught) == 1


class TestFixedBatch:
    def model(self, stateful: bool = False) -> Any:
        first = layers.LSTM(2, stateful=stateful, batch_input_shape=(8, 4, 1))
        model = keras.Sequential([first, layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    def test_another_batch_size(self) -> None:
        model = self.model()
        with pytest.raises(
            ValueError, match=r"batch_input_shape=\(8, 4, 1\) fixes the batch size at 8; got batch_size=5"
        ):
            model.fit(X[:, :, None], Y, batch_size=5)

    def test_a_number_of_samples_that_it_does_not_divide(self) -> None:
        with pytest.raises(ValueError, match=r"a stateful model needs .* got 20 samples and batches of 8"):
            self.model(stateful=True).fit(X[:, :, None], Y, batch_size=8)
        with pytest.raises(ValueError, match=r"batch_input_shape needs .* got 20 samples"):
            self.model().predict(X[:, :, None])

    @pytest.mark.parametrize("method", ["train_on_batch", "test_on_batch", "predict_on_batch"])
    def test_a_single_batch(self, method: str) -> None:
        with pytest.raises(ValueError, match="fixes the batch size at 8; got a batch of 20 samples"):
            getattr(self.model(), method)(*(X[:, :, None], Y)[: 1 if method.startswith("predict") else 2])

    def test_a_generator(self) -> None:
        with pytest.raises(ValueError, match="a batch of 20 samples"):
            self.model().fit(((X[:, :, None], Y) for _ in range(2)), verbose=0)

    def test_what_fits(self) -> None:
        model = self.model(stateful=True)
        assert len(model.fit(X[:16, :, None], Y[:16], verbose=0, shuffle=False).epoch) == 1
        assert model.predict(X[:16, :, None]).shape == (16, 1)

    def test_stateful_without_it(self) -> None:
        with pytest.raises(ValueError, match="batch_input_shape"):
            keras.Sequential([layers.LSTM(2, stateful=True, input_shape=(4, 1))])


class TestAlignment:
    """(N,) and (N, 1) meet; nothing becomes N×N."""

    def test_targets_without_the_axis(self) -> None:
        a, b = regression(), regression()
        b.set_weights(a.get_weights())
        assert a.evaluate(X, Y, verbose=0) == b.evaluate(X, Y[:, 0], verbose=0)
        assert a.evaluate(X, Y, verbose=0) == a.test_on_batch(X, Y[:, 0])
        assert a.fit(X, Y, verbose=0, shuffle=False).history == b.fit(X, Y[:, 0], verbose=0, shuffle=False).history

    @pytest.mark.parametrize(
        "loss", ["mse", "mae", "binary_crossentropy", "hinge", lambda t, p: (t - p).square().mean(-1)]
    )
    def test_predictions_without_the_axis(self, loss: Any) -> None:
        model = keras.Sequential([layers.Dense(1, input_shape=(4,)), layers.Lambda(lambda t: t.sigmoid()[:, 0])])
        model.compile("sgd", loss, metrics=["mae"])
        y = (Y > 2).astype("float32")
        values = model.evaluate(X, y, verbose=0)
        np.testing.assert_allclose(values, model.evaluate(X, y[:, 0], verbose=0))
        assert values[1] == pytest.approx(np.abs(model.predict(X) - y[:, 0]).mean(), rel=1e-5)

    def test_inputs_meet_the_shape_of_the_model(self) -> None:
        one = keras.Sequential([layers.Dense(1, input_shape=(1,))])
        assert one.predict(X[:, 0]).shape == (20, 1)
        steps = keras.Sequential([layers.LSTM(2, input_shape=(4, 1))])
        np.testing.assert_array_equal(steps.predict(X), steps.predict(X[:, :, None]))
        flat = keras.Sequential([layers.Dense(2, input_shape=(4,))])
        np.testing.assert_array_equal(flat.predict(X[:, :, None]), flat.predict(X))

    def test_a_built_by_data_model_takes_other_lengths(self) -> None:
        model = keras.Sequential([layers.Conv1D(2, 3), layers.GlobalMaxPooling1D(), layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(np.zeros((8, 10, 3)), np.zeros(8), verbose=0)
        assert model.predict(np.zeros((2, 25, 3))).shape == (2, 1)
        assert model.input_shape == (None, None, 3)
        with pytest.raises(ValueError, match=r"\(None, None, 3\); got \(None, 9, 4\)"):
            model.predict(np.zeros((2, 9, 4)))


def test_a_loss_function_that_returns_nothing() -> None:
    def forgetful(y_true: Any, y_pred: Any) -> None:
        (y_true - y_pred).square()

    model = keras.Sequential([layers.Dense(1, input_shape=(4,))])
    model.compile("sgd", forgetful)
    with pytest.raises(TypeError, match="forgetful: a loss function must return a tensor; got None"):
        model.fit(X, Y, verbose=0)


def test_what_keras_takes_is_taken() -> None:
    model = keras.Sequential(layers.Dense(1, input_shape=(4,)))
    model.compile("sgd", ["mse"], metrics="mae")
    quiet = {"verbose": 0}
    assert model.fit(X, Y, epochs=0, **quiet).history == {}
    assert model.fit(X, Y, epochs=2, initial_epoch=5, **quiet).epoch == []
    assert model.fit(X, Y, steps_per_epoch=20 / 8, batch_size=8, **quiet).params["steps"] == 3
    assert model.fit(X.tolist(), [Y], batch_size=1000, **quiet).epoch == [0]
    model.compile("sgd", "mse", metrics=[None, "mae"])
    assert sorted(model.fit(X, Y, **quiet).history) == ["loss", "mae"]


def test_a_generator_that_ends() -> None:
    model = regression()
    with pytest.warns(UserWarning, match="ended after 1 of 2 steps of epoch 2; training stops"):
        history = model.fit(((X, Y) for _ in range(3)), steps_per_epoch=2, epochs=3, verbose=0)
    assert history.epoch == [0, 1]
    with pytest.warns(UserWarning, match="ended after 0 steps of epoch 2"):
        history = model.fit(((X, Y) for _ in range(3)), epochs=2, verbose=0)
    assert history.epoch == [0]
