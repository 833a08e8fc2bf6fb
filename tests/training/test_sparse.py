"""Sparse matrices of scipy give the numbers that dense arrays give, and never become dense as a whole."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers

sp = pytest.importorskip("scipy.sparse")

X = (np.random.RandomState(0).rand(20, 5) * (np.random.RandomState(1).rand(20, 5) > 0.6)).astype("float32")
Y = X.sum(1, keepdims=True)
W = np.linspace(0, 2, 20).astype("float32")

FORMATS: dict[str, Any] = {
    **{name: getattr(sp, f"{name}_matrix") for name in "csr csc coo lil dok bsr dia".split()},
    **{f"{name} array": getattr(sp, f"{name}_array") for name in "csr csc coo".split()},
    "float64": lambda a: sp.csr_matrix(a.astype("float64")),
    "booleans": lambda a: sp.csr_matrix(a > 0),
    "integers": lambda a: sp.csr_matrix((a * 9).astype("int64")),
    "small integers": lambda a: sp.csc_matrix((a * 9).astype("uint8")),
    "in a list": lambda a: [sp.csr_matrix(a)],
    "in a dictionary": lambda a: {"input": sp.coo_matrix(a)},
}


def dense(sparse: Any) -> Any:
    if isinstance(sparse, list) or type(sparse) is dict:
        sparse = next(iter(sparse.values() if isinstance(sparse, dict) else sparse))
    return sparse.toarray().astype("float32")


def model_of(**first: Any) -> Any:
    np.random.seed(3)
    model = keras.Sequential([layers.Dense(3, **(first or {"input_shape": (5,)})), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("kind", FORMATS)
def test_formats(kind: str, device: torch.device) -> None:
    sparse = FORMATS[kind](X)
    x = dense(sparse)
    a, b = model_of(), model_of()
    for shuffle in (False, True, "batch"):
        options: dict[str, Any] = {"batch_size": 6, "epochs": 2, "shuffle": shuffle, "verbose": 0}
        np.random.seed(1)
        expected = a.fit(x, Y, sample_weight=W, **options, validation_data=(x, Y), validation_split=0.0).history
        np.random.seed(1)
        got = b.fit(sparse, Y, sample_weight=W, **options, validation_data=(sparse, Y)).history
        for name, values in expected.items():
            np.testing.assert_allclose(got[name], values, rtol=1e-5)
    np.testing.assert_allclose(b.evaluate(sparse, Y, verbose=0), a.evaluate(x, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(b.predict(sparse, batch_size=3), a.predict(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(b.predict_on_batch(sparse), a.predict(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(b.train_on_batch(sparse, Y), a.train_on_batch(x, Y), rtol=1e-5)
    np.testing.assert_allclose(b.test_on_batch(sparse, Y), a.test_on_batch(x, Y), rtol=1e-5)
    parts = {"validation_split": 0.25, "shuffle": False, "verbose": 0}
    assert b.fit(sparse, Y, **parts).history["val_loss"] == pytest.approx(
        a.fit(x, Y, **parts).history["val_loss"], rel=1e-5
    )


def test_targets_and_weights() -> None:
    a, b = model_of(), model_of()
    expected = a.fit(X, Y, sample_weight=W, shuffle=False, verbose=0).history
    got = b.fit(sp.csr_matrix(X), sp.csr_matrix(Y), sample_weight=sp.csr_matrix(W[:, None]), shuffle=False, verbose=0)
    np.testing.assert_allclose(got.history["loss"], expected["loss"], rtol=1e-5)


def test_generators() -> None:
    a, b = model_of(), model_of()
    expected = a.fit(X, Y, batch_size=10, shuffle=False, epochs=1, verbose=0).history
    matrix = sp.csr_matrix(X)
    got = b.fit(((matrix[i : i + 10], Y[i : i + 10]) for i in (0, 10)), verbose=0).history
    np.testing.assert_allclose(got["loss"], expected["loss"], rtol=1e-5)
    np.testing.assert_allclose(b.predict(matrix[i : i + 10] for i in (0, 10)), a.predict(X), rtol=1e-4, atol=1e-6)


def test_models_without_a_shape_and_other_ranks() -> None:
    unbuilt = model_of(activation="relu")
    unbuilt.fit(sp.csr_matrix(X), Y, verbose=0)
    assert unbuilt.input_shape == (None, 5)
    steps = keras.Sequential([layers.Conv1D(2, 2, input_shape=(5, 1)), layers.Flatten(), layers.Dense(1)])
    np.testing.assert_allclose(steps.predict(sp.csr_matrix(X)), steps.predict(X), rtol=1e-4, atol=1e-6)
    words = keras.Sequential([layers.Embedding(10, 2, input_length=5), layers.Flatten()])
    indices = (X * 9).astype("int64")
    np.testing.assert_allclose(words.predict(sp.csr_matrix(indices)), words.predict(indices))


def test_errors() -> None:
    model = model_of()
    with pytest.raises(ValueError, match=r"\(None, 5\); got \(None, 4\)"):
        model.fit(sp.csr_matrix(X[:, :4]), Y)
    with pytest.raises(ValueError, match="as many rows; got 20 and 3"):
        model.fit(sp.csr_matrix(X), Y[:3])
    with pytest.raises(ValueError, match="one input"):
        model.fit([sp.csr_matrix(X), sp.csr_matrix(X)], Y)
    broken = X.copy()
    broken[3, 3] = np.nan
    with pytest.warns(UserWarning, match="x holds NaN"):
        model.fit(sp.csr_matrix(broken), Y, verbose=0)


def test_a_wide_matrix_is_never_dense() -> None:
    rows, columns = 200_000, 5_000  # 4 GB as float32
    entries = np.random.randint(0, rows, 9000), np.random.randint(0, columns, 9000)
    matrix = sp.coo_matrix((np.ones(9000, "float32"), entries), (rows, columns))
    y = np.zeros(rows, "float32")
    model = keras.Sequential([layers.Dense(1, input_shape=(columns,))])
    model.compile("sgd", "mse")
    tracemalloc.start()
    try:
        model.fit(matrix, y, batch_size=500, steps_per_epoch=20, verbose=0)
        model.fit(matrix, y, batch_size=500, steps_per_epoch=4, shuffle=False, validation_split=0.01, verbose=0)
        model.evaluate(matrix, y, batch_size=500, steps=5, verbose=0)
        model.predict(matrix.tocsr()[:3000])
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()


def test_scipy_is_not_needed() -> None:
    code = """
import sys
sys.modules['scipy'] = sys.modules['scipy.sparse'] = sys.modules['pandas'] = None
import numpy as np
from torchkeras_compat.models import Sequential
from torchkeras_compat.layers import Dense
model = Sequential([Dense(1, input_dim=3)])
model.compile('sgd', 'mse')
model.fit([[1, 2, 3.]], [1], verbose=0)
print(model.predict(np.ones((2, 3))).shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(2, 1)\n"
