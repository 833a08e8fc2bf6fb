"""Frames of pandas, text and other data that hold no numbers."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers

X = np.arange(12.0).reshape(6, 2)


def model_of(features: int) -> Any:
    np.random.seed(3)
    model = keras.Sequential([layers.Dense(1, input_shape=(features,))])
    model.compile("sgd", "mse")
    return model


def loss(x: Any, y: Any) -> float:
    features = int(np.shape(x)[1]) if np.ndim(x) > 1 else 1
    return float(model_of(features).fit(x, y, shuffle=False, verbose=0).history["loss"][0])


NUMBERS = {
    "booleans beside floats": pd.DataFrame({"a": [True, False, True] * 2, "b": np.arange(6.0)}),
    "booleans beside integers": pd.DataFrame({"a": [True, False, True] * 2, "b": np.arange(6)}),
    "get_dummies": pd.get_dummies(pd.DataFrame({"n": np.arange(6.0), "c": list("xyzxyz")})),
    "sparse get_dummies": pd.get_dummies(pd.DataFrame({"n": np.arange(6.0), "c": list("xyzxyz")}), sparse=True),
    "nullable types": pd.DataFrame(
        {
            "a": pd.array([1, 2, 3, 4, 5, 6], dtype="Int64"),
            "b": pd.array([True, False] * 3, dtype="boolean"),
            "c": pd.array(np.arange(6.0), dtype="Float32"),
            "d": np.arange(6, dtype="uint8"),
        }
    ),
    "categories that are numbers": pd.DataFrame({"a": pd.Categorical([3, 1, 3, 1, 1, 3]), "b": np.arange(6.0)}),
    "two columns of one name": pd.DataFrame(np.arange(12.0).reshape(6, 2), columns=["a", "a"]).assign(b=[True] * 6),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_frames_that_hold_numbers(kind: str) -> None:
    frame = NUMBERS[kind]
    columns = [frame.iloc[:, i].astype("float32").to_numpy() for i in range(frame.shape[1])]
    x = np.stack(columns, 1)
    y = x[:, 0]
    assert loss(frame, frame.iloc[:, 0]) == pytest.approx(loss(x, y), rel=1e-6)
    assert loss(frame, frame.iloc[:, [0]]) == pytest.approx(loss(x, y), rel=1e-6)
    model = model_of(x.shape[1])
    np.testing.assert_allclose(model.predict(frame), model.predict(x), rtol=1e-5)
    assert model.evaluate(frame, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))
    before = model.test_on_batch(x, y)
    assert model.train_on_batch(frame, y) == pytest.approx(before, rel=1e-5)
    model.fit(((frame, frame.iloc[:, 0]) for _ in range(2)), verbose=0)
    model.fit(x, y, validation_data=(frame, y), verbose=0)
    model.fit(frame, y, validation_split=0.5, verbose=0)


def test_columns_without_a_frame() -> None:
    for values in (pd.array([1, 2, 3], dtype="Int64"), pd.Categorical([1, 2, 3]), pd.Index([1, 2, 3])):
        assert loss(X[:3], values) == pytest.approx(loss(X[:3], np.array([1.0, 2, 3])), rel=1e-6)
    assert loss(X[:2], pd.array([True, False], dtype="boolean")) == pytest.approx(loss(X[:2], np.array([1, 0])))
    with pytest.raises(TypeError, match="encode it"):
        loss(X[:2], pd.Categorical(["a", "b"]))


def test_missing_values_of_pandas_are_nan() -> None:
    frame = pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64"), "b": [True, False, True]})
    with pytest.warns(UserWarning, match="x holds NaN"):
        model_of(2).fit(frame, np.ones(3), verbose=0)
    assert np.isnan(model_of(2).predict(frame)).ravel().tolist() == [False, True, False]


FRAME = pd.DataFrame(X, columns=["a", "b"])
TEXT = list("uvuvuw")
DAYS = pd.to_datetime(["2020-01-01", "2020-01-02"] * 3)

ERRORS: dict[str, tuple[Any, Any, str]] = {
    "labels": (
        X,
        np.array(["cat", "dog"] * 3),
        r"y .*\('cat', 'dog'\); encode it: y = pd.factorize\(y\).*LabelEncoder.*to_categorical",
    ),
    "labels in a list": (X, ["cat", "dog"] * 3, "y must hold numbers.*encode it"),
    "labels as objects": (X, np.array(["cat", "dog"] * 3, dtype=object), "y must hold numbers.*encode it"),
    "labels in a series": (X, pd.Series(TEXT, name="kind"), "the column 'kind' .*text.*encode it: y = pd.factorize"),
    "labels as categories": (X, pd.Series(TEXT).astype("category"), "y must hold numbers.*encode it"),
    "labels in a frame": (
        X,
        pd.DataFrame({"kind": TEXT}),
        r"'kind' holds text; encode it: y = pd.factorize\(y\['kind'\]\)",
    ),
    "bytes": (X, np.array([b"a", b"b"] * 3), "y must hold numbers.*encode it"),
    "labels with one missing": (X, np.array(["a", None] * 3, dtype=object), "encode it"),
    "a column of text": (
        FRAME.assign(b=TEXT),
        np.ones(6),
        r"the column 'b' holds text; encode it: x = pd.get_dummies\(x, columns=\['b'\]",
    ),
    "columns of text": (
        FRAME.assign(b=TEXT, c=TEXT),
        np.ones(6),
        r"the columns \['b', 'c'\] hold text; encode it.*\['b', 'c'\]",
    ),
    "a column of categories": (
        FRAME.assign(b=pd.Categorical(TEXT)),
        np.ones(6),
        "the column 'b' holds text; encode it",
    ),
    "a column of dates": (
        FRAME.assign(b=DAYS),
        np.ones(6),
        r"the column 'b' holds dates; encode them.*astype\('int64'\)",
    ),
    "text and dates": (
        FRAME.assign(b=TEXT, c=DAYS),
        np.ones(6),
        "the column 'b' holds text; .*the column 'c' holds dates",
    ),
    "durations": (FRAME.assign(b=DAYS - DAYS[0]), np.ones(6), "'b' holds dates"),
    "numbers as text": (FRAME.assign(b=["1", "2.5"] * 3), np.ones(6), r"'b' holds numbers as text; write .*\['b'\]"),
    "numbers as objects": (FRAME.astype({"b": object}), np.ones(6), r"'b' holds objects; write x = x.astype\("),
    "strings in x": (np.array([["a", "b"]] * 6), np.ones(6), r"x must hold numbers.*encode it: pd.get_dummies\(x\)"),
    "sentences": (["good film", "bad film"] * 3, np.ones(6), "x must hold numbers.*Tokenizer"),
    "digits": (np.array([["1", "2"]] * 6), np.ones(6), r"numbers as text; write np.asarray\(x\).astype\('float32'\)"),
    "objects": (X.astype(object), np.ones(6), r"x must hold numbers.*astype\('float32'\)"),
    "lists": (np.array([[1, 2], [1]], dtype=object), np.ones(2), "lists.*pad_sequences"),
    "dates": (X, [datetime.date(2020, 1, 1)] * 6, "y must hold numbers.*dates; encode them"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_what_holds_no_numbers_is_named(kind: str) -> None:
    x, y, message = ERRORS[kind]
    model = model_of(2)
    with pytest.raises(TypeError, match=message):
        model.fit(x, y, verbose=0)
    with pytest.raises(TypeError, match=message):
        model.evaluate(x, y, verbose=0)
    with pytest.raises(TypeError, match=message):
        model.fit(((x, y) for _ in range(2)), verbose=0)
    model.fit(X, np.ones(6), verbose=0)


def test_the_advice_helps() -> None:
    labels = pd.Series(["cat", "dog", "cat"])
    assert pd.factorize(labels)[0].tolist() == [0, 1, 0]
    frame = FRAME.assign(b=TEXT)
    encoded = pd.get_dummies(frame, columns=["b"], dtype="float32")
    model_of(encoded.shape[1]).fit(encoded, np.ones(6), verbose=0)
