"""Every kind of input gives the numbers that plain float32 arrays give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers

X = (np.arange(80).reshape(20, 4) % 7).astype("float32")
Y = (X.sum(1, keepdims=True) % 5).astype("float32")
START = [np.full((4, 1), 0.1, "float32"), np.zeros(1, "float32")]
Convert = Callable[[np.ndarray[Any, Any]], Any]


def model_of(loss: Any = "mse", metrics: Any = ("mae",)) -> Any:
    model = keras.Sequential([layers.Dense(1, input_shape=(4,), weights=START)])
    model.compile(keras.optimizers.SGD(0.01), loss, metrics=list(metrics))
    return model


def numbers(x: Any, y: Any, **kwargs: Any) -> list[Any]:
    model = model_of()
    history = model.fit(x, y, epochs=2, shuffle=False, verbose=0, **kwargs).history
    return [history["loss"], history["mae"], model.evaluate(x, y, verbose=0)]


KINDS: dict[str, Convert] = {
    **{kind: (lambda a, kind=kind: a.astype(kind)) for kind in "f2 f8 >f4 i1 i2 i4 i8 u1 u2 u4 u8".split()},  # type: ignore[misc]
    "lists": lambda a: a.tolist(),
    "a list of rows": list,
    "a list of one array": lambda a: [a],
    "a dictionary of one array": lambda a: {"input": a},
    "fortran order": np.asfortranarray,
    "reversed": lambda a: a[::-1].copy()[::-1],
    "read-only": lambda a: np.frombuffer(a.tobytes(), "float32").reshape(a.shape),
    "masked array": np.ma.array,
    "data frame": pd.DataFrame,
    "tensor": torch.from_numpy,
    "double tensor": lambda a: torch.from_numpy(a).double(),
    "bfloat16 tensor": lambda a: torch.from_numpy(a).bfloat16(),
    "sparse tensor": lambda a: torch.from_numpy(a).to_sparse(),
    "integer tensor": lambda a: torch.from_numpy(a).int(),
    "tensor with a graph": lambda a: torch.from_numpy(a).requires_grad_() * 1,
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_arrays(kind: str, device: torch.device) -> None:
    expected, convert = numbers(X, Y), KINDS[kind]
    for got, wanted in zip(numbers(convert(X), convert(Y)), expected):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)
    np.testing.assert_allclose(model_of().predict(convert(X)), model_of().predict(X))
    np.testing.assert_allclose(model_of().predict_on_batch(convert(X)), model_of().predict(X))
    np.testing.assert_allclose(
        model_of().train_on_batch(convert(X), convert(Y)), model_of().test_on_batch(X, Y), rtol=1e-6
    )


@pytest.mark.gpu
def test_tensors_on_another_device() -> None:
    assert numbers(torch.from_numpy(X).cuda(), torch.from_numpy(Y)) == numbers(X, Y)
    on_cpu = model_of()
    on_cpu.to("cpu")
    assert on_cpu.predict(torch.from_numpy(X).cuda()).shape == (20, 1)


def test_booleans_and_series() -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    for got, wanted in [
        (numbers(X > 3, pd.Series(Y[:, 0])), numbers((X > 3).astype("float32"), Y)),
        (numbers(frame[list("abcd")], frame["a"]), numbers(X, X[:, :1])),
    ]:
        for a, b in zip(got, wanted):
            np.testing.assert_allclose(a, b, rtol=1e-6)


class Batches(keras.utils.Sequence):
    """Batches of 5 rows."""

    ended = 0

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        rows = slice(5 * index, 5 * index + 5)
        return X[rows], Y[rows]

    def on_epoch_end(self) -> None:
        self.ended += 1


def generator(repeat: bool = True) -> Iterator[tuple[Any, Any]]:
    source = Batches()
    while True:
        yield from (source[i] for i in range(4))
        if not repeat:
            return


def loader() -> Any:
    return torch.utils.data.DataLoader(dataset(), batch_size=5)


def dataset() -> Any:
    return torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))


SOURCES: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "a generator": (generator, {"steps_per_epoch": 4}),
    "a Sequence": (Batches, {}),
    "a DataLoader": (loader, {}),
    "a Dataset": (dataset, {"batch_size": 5}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources_of_batches(name: str, device: torch.device) -> None:
    make, options = SOURCES[name]
    plain, fed = model_of(), model_of()
    expected = plain.fit(X, Y, batch_size=5, epochs=3, shuffle=False, validation_data=(X, Y), verbose=0).history
    steps = {"validation_steps": 4} if name == "a generator" else {}
    history = fed.fit(make(), epochs=3, shuffle=False, validation_data=make(), verbose=0, **options, **steps).history
    assert list(history) == ["loss", "mae", "val_loss", "val_mae"]
    for key, values in expected.items():
        np.testing.assert_allclose(history[key], values, rtol=1e-5)
    steps = {"steps": 4} if name == "a generator" else {}
    np.testing.assert_allclose(fed.evaluate(make(), verbose=0, **steps), plain.evaluate(X, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(fed.predict(make(), **steps), plain.predict(X), rtol=1e-5)


def test_a_sequence_hears_of_the_end_of_epochs() -> None:
    source = Batches()
    model_of().fit(source, epochs=3, verbose=0)
    assert source.ended == 3


def test_generators_with_weights() -> None:
    weights = np.linspace(0, 2, 20, dtype="float32")
    history = model_of().fit(((X, Y, weights) for _ in range(1)), verbose=0).history
    assert history == model_of().fit(X, Y, sample_weight=weights, batch_size=20, verbose=0, shuffle=False).history
    wide = ((X, [y], None) for y in [Y])
    assert model_of().fit(wide, verbose=0).history == model_of().fit(X, Y, batch_size=20, verbose=0).history


def test_class_weights_of_a_generator() -> None:
    y, share = (Y > 2).astype("float32"), {0: 1.0, 1: 3.0}
    fed = model_of("binary_crossentropy").fit(((X, y) for _ in range(1)), class_weight=share, verbose=0).history
    plain = model_of("binary_crossentropy").fit(X, y, batch_size=20, class_weight=share, verbose=0).history
    np.testing.assert_allclose(fed["loss"], plain["loss"], rtol=1e-6)


def test_float64_models() -> None:
    keras.backend.set_floatx("float64")
    model = model_of()
    assert model.predict(X).dtype == np.float64
    model.fit(X, Y, verbose=0)
    assert all(w.dtype == np.float64 for w in model.get_weights())


def test_more_predictions_than_are_kept_at_once() -> None:
    model = keras.Sequential([keras.layers.Dense(10, activation="softmax", input_dim=4)])
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy", "mae"])
    x = np.random.random((20000, 4)).astype("float32")
    y = np.eye(10, dtype="float32")[np.random.randint(0, 10, 20000)]
    loss, accuracy, error = model.evaluate(x, y, verbose=0)
    predictions = model.predict(x, verbose=0)
    np.testing.assert_allclose(accuracy, (predictions.argmax(-1) == y.argmax(-1)).mean(), atol=1e-4)
    np.testing.assert_allclose(error, np.abs(predictions - y).mean(), rtol=1e-4)
    np.testing.assert_allclose(loss, -np.log((predictions * y).sum(-1)).mean(), rtol=1e-4)
