"""What fit says once: NaN and infinity, a softmax of one unit, an optimizer of other parameters; and bad shapes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers

X = np.random.RandomState(0).rand(20, 4).astype("float32")
Y = X.sum(1, keepdims=True)


def model_of(*parts: Any, loss: Any = "mse", optimizer: Any = "sgd") -> Any:
    model = keras.Sequential(list(parts) or [layers.Dense(1, input_shape=(4,))])
    model.compile(optimizer, loss)
    return model


def told(act: Callable[[], Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act()
    assert all(w.filename == __file__ for w in caught)
    return [str(w.message) for w in caught]


def with_one(array: Any, value: float) -> Any:
    changed = array.copy()
    changed[7, 0] = value
    return changed


NOT_FINITE = {
    "NaN in y": (X, with_one(Y, np.nan), "y holds NaN; the loss will be NaN."),
    "infinity in y": (X, with_one(Y, np.inf), "y holds infinity; the loss will be NaN or infinite."),
    "NaN in x": (with_one(X, np.nan), Y, "x holds NaN; the loss will be NaN."),
    "infinity in x": (with_one(X, -np.inf), Y, "x holds infinity; the loss will be NaN or infinite."),
    "both infinities": (with_one(with_one(X, -np.inf)[::-1], np.inf), Y, "x holds infinity; the loss will be NaN or"),
    "NaN and infinity": (with_one(with_one(X, np.nan)[::-1], np.inf), Y, "x holds NaN; the loss will be NaN."),
}
CONVERT = {
    "arrays": np.asarray,
    "tensors": torch.from_numpy,
    "frames": pd.DataFrame,
    "doubles": lambda a: a.astype("f8"),
}


@pytest.mark.parametrize("kind", CONVERT)
@pytest.mark.parametrize("case", NOT_FINITE)
def test_numbers_that_are_not_finite(case: str, kind: str) -> None:
    x, y, message = NOT_FINITE[case]
    x, y = CONVERT[kind](np.ascontiguousarray(x)), CONVERT[kind](y)
    first = told(lambda: model_of().fit(x, y, epochs=3, verbose=0))
    assert len(first) == 1
    assert message in first[0]
    if kind != "frames":
        stream = told(lambda: model_of().fit(((x, y) for _ in range(3)), steps_per_epoch=1, epochs=3, verbose=0))
        assert stream == [first[0].replace(first[0].split(":")[0], stream[0].split(":")[0])]


def test_what_is_finite_is_not_told() -> None:
    large = np.full((20, 1), 3e38, "float32")  # whose sum is not
    assert told(lambda: model_of(loss="mae").fit(X, large, verbose=0)) == []
    assert told(lambda: model_of().fit(X, np.arange(20), verbose=0)) == []

    def leaves_out(y_true: Any, y_pred: Any) -> Any:
        return torch.where(y_true.isnan(), torch.zeros_like(y_pred), y_true - y_pred).square().mean(-1)

    assert told(lambda: model_of(loss=leaves_out).fit(X, with_one(Y, np.nan), verbose=0)) == []


LABELS = (Y.mean() < Y).astype("float32")
ONE_UNIT: dict[str, Callable[[], list[Any]]] = {
    "Dense": lambda: [layers.Dense(1, activation="softmax", input_shape=(4,))],
    "Activation": lambda: [layers.Dense(1, input_shape=(4,)), layers.Activation("softmax")],
    "Softmax": lambda: [layers.Dense(1, input_shape=(4,)), layers.Softmax()],
    "torch": lambda: [layers.Dense(1, input_shape=(4,)), torch.nn.Softmax(-1)],
    "a function": lambda: [layers.Dense(1, activation=keras.activations.softmax, input_shape=(4,))],
    "a model in a model": lambda: [keras.Sequential([layers.Dense(1, activation="softmax", input_shape=(4,))])],
    "without a shape": lambda: [layers.Dense(1, activation="softmax")],
}


@pytest.mark.parametrize("kind", ONE_UNIT)
def test_a_softmax_of_one_unit(kind: str) -> None:
    for stream in (False, True):
        model = model_of(*ONE_UNIT[kind](), loss="binary_crossentropy")
        data = (((X, LABELS) for _ in range(2)),) if stream else (X, LABELS)
        messages = told(lambda model=model, data=data: model.fit(*data, verbose=0))  # type: ignore[misc]
        assert len(messages) == 1
        assert "a softmax over one unit is always 1" in messages[0]
        assert "'sigmoid'" in messages[0]


def test_other_softmaxes_are_not_told() -> None:
    two = model_of(layers.Dense(2, activation="softmax", input_shape=(4,)), loss="mse")
    assert told(lambda: two.fit(X, np.hstack([Y, Y]), verbose=0)) == []
    steps = model_of(layers.Reshape((4, 1), input_shape=(4,)), layers.Softmax(axis=1))
    assert told(lambda: steps.fit(X, X[..., None], verbose=0)) == []
    one = model_of(layers.Dense(1, activation="softmax", input_shape=(4,)), loss="categorical_crossentropy")
    assert len(told(lambda: one.fit(X, LABELS, verbose=0))) == 1


def test_an_optimizer_of_other_parameters() -> None:
    def optimizer(parameters: Any) -> Any:
        return torch.optim.SGD(parameters, 0.01)

    def fit(model: Any, parameters: Any) -> list[str]:
        model.compile(optimizer(parameters), "mse")
        return told(lambda: [model.fit(X, Y, epochs=2, verbose=0) for _ in range(2)])

    two = lambda: model_of(layers.Dense(3, input_shape=(4,)), layers.Dense(1))  # noqa: E731
    messages = fit(two(), two().parameters())
    assert len(messages) == 1
    assert "SGD holds none of the model's parameters" in messages[0]
    model = two()
    messages = fit(model, model.layers[1].parameters())
    assert len(messages) == 1
    assert "holds 2 of the model's 4 trainable parameters" in messages[0]
    model = two()
    assert fit(model, model.parameters()) == []
    model = two()
    model.layers[0].trainable = False
    assert fit(model, model.layers[1].parameters()) == []
    model = two()
    assert (
        fit(model, [{"params": model.layers[0].parameters()}, {"params": model.layers[1].parameters(), "lr": 0.1}])
        == []
    )


# --- one sample, several inputs, weights of classes ----------------------------------------------------------------


SAMPLES: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "vector": ([layers.Dense(1)], (4,)),
    "one feature": ([layers.Dense(1)], (1,)),
    "image": ([layers.Flatten(), layers.Dense(1)], (6, 6, 3)),
    "grey image": ([layers.Flatten(), layers.Dense(1)], (6, 6, 1)),
    "sequence": ([layers.LSTM(2), layers.Dense(1)], (5, 3)),
    "sequence of one feature": ([layers.LSTM(2), layers.Dense(1)], (5, 1)),
    "sequence of any length": ([layers.LSTM(2), layers.Dense(1)], (None, 3)),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_one_sample(kind: str) -> None:
    parts, shape = SAMPLES[kind]
    model = model_of(layers.InputLayer(input_shape=shape), *[type(p).from_config(p.get_config()) for p in parts])
    x = np.ones((8, *(7 if n is None else n for n in shape)), "float32")
    y = np.ones((8, 1), "float32")
    message = rf"got .*For one sample of shape {x[0].shape!s}".replace("(", r"\(").replace(")", r"\)")
    acts: list[Callable[[], Any]] = [
        lambda: model.fit(x[0], y[0], verbose=0),
        lambda: model.fit(x[0], 1.0, verbose=0),
        lambda: model.evaluate(x[0], y[0], verbose=0),
        lambda: model.train_on_batch(x[0], y[0]),
        lambda: model.fit(((x[0], 1.0) for _ in range(2)), verbose=0),
        lambda: model.fit(x, y, validation_data=(x[0], y[0]), verbose=0),
    ]
    if kind != "one feature":  # where it is one sample, as in Keras
        acts += [lambda: model.predict(x[0]), lambda: model.predict(list(x[0])), lambda: model.predict_on_batch(x[0])]
        for act in acts:
            with pytest.raises(ValueError, match=message + r" write x\[np.newaxis\]"):
                act()
    assert model.predict(x[0][np.newaxis]).shape == (1, 1)
    model.fit(x[:1], y[:1], verbose=0)


def test_rows_that_differ_are_no_single_sample() -> None:
    steps = model_of(layers.LSTM(2, input_shape=(None, 1)), layers.Dense(1))
    with pytest.raises(ValueError, match=r"as many rows; got 20 and 10\.$"):
        steps.fit(np.ones((20, 1)), np.ones(10), verbose=0)
    steps.fit(X, Y, verbose=0)


@pytest.mark.parametrize("many", [list, tuple])
@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy])
def test_several_inputs_are_never_stacked(many: Any, convert: Any) -> None:
    two = many([convert(X), convert(X)])
    unbuilt = model_of(layers.Dense(1))
    for model in (model_of(), unbuilt):
        with pytest.raises(
            ValueError,
            match=r"x: Sequential '.*' has one input, 'dense.*_input'.*; got a .* of 2 arrays of shapes .*\(20, 4\)",
        ):
            model.fit(two, Y, verbose=0)
    model = model_of()
    for act in (lambda: model.predict(two), lambda: model.evaluate(two, Y), lambda: model.predict_on_batch(two)):
        with pytest.raises(ValueError, match=r"one input, 'dense_\d+_input' of shape \(None, 4\)"):
            act()
    with pytest.raises(
        ValueError, match=r"y: .* has one output, 'dense_\d+' of shape \(None, 1\); got a .* of 2 arrays"
    ):
        model.fit(X, many([convert(Y), convert(Y)]), verbose=0)
    with pytest.raises(ValueError, match="one input"):
        model.fit(((two, Y) for _ in range(2)), verbose=0)
    assert model.predict(many(convert(X))).shape == (20, 1)


@pytest.mark.parametrize("weights", [np.array([1.0, 2.0]), [1.0, 2.0], (1, 2), torch.ones(2), pd.Series([1.0, 2.0])])
def test_class_weight_as_an_array(weights: Any) -> None:
    labels = np.arange(20) % 2
    acts = (
        lambda m: m.fit(X, labels, class_weight=weights, verbose=0),
        lambda m: m.fit(((X, labels) for _ in range(2)), class_weight=weights, verbose=0),
        lambda m: m.train_on_batch(X, labels, class_weight=weights),
    )
    for act in acts:
        with pytest.raises(ValueError, match=r"write class_weight=dict\(enumerate\(weights\)\)"):
            act(model_of())
    model_of().fit(X, labels, class_weight=dict(enumerate(np.asarray(weights))), verbose=0)
    model_of().fit(X, labels, class_weight={}, verbose=0)  # as in Keras, none


def test_python_s_own_errors_name_no_mixin() -> None:
    model: Any = model_of()
    acts = (
        model.fit, model.evaluate, model.predict, model.fit_generator, model.predict_generator, model.predict_on_batch,
        model.train_on_batch, model.compile, model.predict_classes, model.predict_proba, model.test_on_batch,
    )  # fmt: skip
    for act in acts:
        with pytest.raises(TypeError, match=rf"^{act.__name__}\((…\): it takes at most|\) takes) "):
            act(*range(40))
    for act in (model.predict, model.predict_on_batch, model.train_on_batch):
        with pytest.raises(
            TypeError, match=rf"^{act.__name__}(\(\) missing 1 required positional argument: 'x'|: x is missing)"
        ):
            act()
    with pytest.raises(TypeError, match=r"^fit_generator: nb_epoch and epochs are one argument"):
        model.fit_generator(iter([]), nb_epoch=1, epochs=2)
