"""Arrays that numpy makes and torch does not read: backwards, in the other order of bytes, longer than a double."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L
from torchkeras_compat._core.host_arrays import readable
from torchkeras_compat.utils.dataset import Dataset

X = np.random.RandomState(0).randn(6, 4).astype("float32")
CLASSES = np.array([0, 1, 2, 1, 0, 2])
SCORES = np.random.RandomState(1).dirichlet(np.ones(3), 6).astype("float32")

FORMS: dict[str, Callable[[Any], Any]] = {
    "backwards": lambda a: a[::-1].copy()[::-1],
    "other_bytes": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "long_double": lambda a: a.astype(np.longdouble) if a.dtype.kind == "f" else a,
    "read_only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


def kernel_of(x: Any) -> Any:
    layer = L.Dense(4, use_bias=False)
    layer.build((None, 6))
    layer.set_weights([x])
    return layer.get_weights()[0]


def stepped(x: Any) -> Any:
    weight = K.variable(np.zeros((6, 4)))
    keras.optimizers.SGD(1.0).apply_gradients([(x, weight)])
    return -weight.numpy()


def mean_of(x: Any) -> Any:
    metric = keras.metrics.Mean()
    metric.update_state(x)
    return float(metric.result())


def model() -> Any:
    made = keras.Sequential([L.Dense(3, activation="softmax", kernel_initializer="ones", input_shape=(4,))])
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made


OF_FLOATS: dict[str, Callable[[Any], Any]] = {
    "loss": lambda x: keras.losses.mean_squared_error(x, X + 1),
    "loss of predictions": lambda x: keras.losses.mean_squared_error(X + 1, x),
    "metric": mean_of,
    "constant": K.constant,
    "variable": lambda x: K.variable(x).numpy(),
    "assign": lambda x: K.variable(np.zeros((6, 4))).assign(x).numpy(),
    "operator": lambda x: K.constant(X) + x,
    "call": lambda x: model()(x).detach(),
    "predict": lambda x: model().predict(x, verbose=0),
    "weights": kernel_of,
    "gradient": stepped,
    "data set": lambda x: next(iter(Dataset.from_tensor_slices(x).batch(6))).numpy(),
}
OF_CLASSES: dict[str, Callable[[Any], Any]] = {
    "loss": lambda y: keras.losses.sparse_categorical_crossentropy(y, SCORES),
    "metric": lambda y: keras.metrics.MeanIoU(3)(y, CLASSES),
    "accuracy": lambda y: keras.metrics.SparseCategoricalAccuracy()(y, SCORES),
    "one-hot": lambda y: K.one_hot(y, 3),
    "embedding": lambda y: L.Embedding(3, 2, embeddings_initializer="ones")(y).detach(),
    "evaluate": lambda y: model().evaluate(X, y, verbose=0),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("use", OF_FLOATS)
def test_floats(use: str, form: str) -> None:
    np.testing.assert_allclose(OF_FLOATS[use](FORMS[form](X)), OF_FLOATS[use](X), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("form", [*FORMS, "uint16", "uint32"])
@pytest.mark.parametrize("use", OF_CLASSES)
def test_integers(use: str, form: str) -> None:
    other = FORMS[form](CLASSES) if form in FORMS else CLASSES.astype(form)
    np.testing.assert_allclose(OF_CLASSES[use](other), OF_CLASSES[use](CLASSES), rtol=1e-6)


def test_what_torch_reads_is_handed_on() -> None:
    assert readable(X) is X
    assert readable(X.T) is not X
    assert np.shares_memory(readable(X.T), X)
