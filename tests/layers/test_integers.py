"""Integers and truth values in layers: which keep their type, and which are computed with, as in Keras 2.15."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat._core import settings

KINDS = ["int32", "int64", "uint8", "bool"]

# Layers that move numbers: what comes out has the type of what went in (recorded from Keras 2.15).
KEEPERS: list[tuple[Any, tuple[int, ...], str]] = [
    (L.Flatten, (4, 3), "int32 int64 uint8 bool"),
    (lambda: L.Reshape((3, 4)), (4, 3), "int32 int64 uint8 bool"),
    (lambda: L.Permute((2, 1)), (4, 3), "int32 int64 uint8 bool"),
    (lambda: L.RepeatVector(2), (3,), "int32 int64 uint8 bool"),
    (lambda: L.Dropout(0.5), (4, 3), "int32 int64 uint8 bool"),
    (lambda: L.SpatialDropout1D(0.5), (4, 3), "int32 int64 uint8 bool"),
    (lambda: L.GaussianNoise(0.5), (4, 3), "int32 int64 uint8 bool"),
    (lambda: L.GaussianDropout(0.5), (4, 3), "int32 int64 uint8 bool"),
    (lambda: L.AlphaDropout(0.5), (4, 3), "int32 int64 uint8 bool"),
    (L.ZeroPadding1D, (4, 3), "int32 int64 uint8 bool"),
    (L.ZeroPadding2D, (4, 4, 3), "int32 int64 uint8 bool"),
    (lambda: L.Cropping2D(1), (4, 4, 3), "int32 int64 uint8 bool"),
    (lambda: L.UpSampling1D(2), (4, 3), "int32 int64 uint8 bool"),
    (lambda: L.UpSampling2D(2), (4, 4, 3), "int32 int64 uint8"),
    (lambda: L.MaxPooling1D(2), (4, 3), "int32 int64 uint8"),
    (lambda: L.MaxPooling2D(3, 1, "same"), (4, 4, 3), "int32 int64 uint8"),
    (L.GlobalMaxPooling2D, (4, 4, 3), "int32 int64 uint8"),
    (L.GlobalAveragePooling1D, (4, 3), "int32 int64 uint8"),
    (L.GlobalAveragePooling2D, (4, 4, 3), "int32 int64 uint8"),
    (L.ReLU, (4, 3), "int32 int64 uint8"),
    (lambda: L.ReLU(6.0), (4, 3), "int32 int64 uint8"),
    (lambda: L.Activation("relu"), (4, 3), "int32 int64 uint8"),
    (lambda: L.Activation("linear"), (4, 3), "int32 int64 uint8 bool"),
    (L.Masking, (4, 3), "int32 int64 uint8"),
    (lambda: L.TimeDistributed(L.Flatten()), (4, 3, 2), "int32 int64 uint8 bool"),
]

# Layers that compute: float32 comes out (recorded from Keras 2.15).
COMPUTERS: list[tuple[Any, tuple[int, ...], str]] = [
    (L.LayerNormalization, (4, 3), "int32 int64 uint8 bool"),
    (lambda: L.LayerNormalization(axis=1), (4, 3), "int32 int64 uint8 bool"),
    (L.BatchNormalization, (4, 3), "int32 int64 uint8 bool"),
    (L.BatchNormalization, (4, 4, 3), "int32 int64 uint8 bool"),
    (L.UnitNormalization, (4, 3), "int32 int64 uint8 bool"),
    (L.LeakyReLU, (4, 3), "int32 int64 uint8"),
    (lambda: L.ReLU(negative_slope=0.1), (4, 3), "int32 int64 uint8"),
    (L.GlobalAveragePooling1D, (4, 3), "bool"),
    (L.GlobalAveragePooling3D, (2, 2, 2, 3), "bool"),
    (lambda: L.UpSampling2D(2, interpolation="bilinear"), (4, 4, 3), "int32 int64 uint8"),
    (lambda: L.Dense(2), (3,), "int32 int64 uint8 bool"),
]

# Keras refuses integers here; they are computed with, as arrays of them always were.
LENIENT: list[tuple[Any, tuple[int, ...], str]] = [
    (lambda: L.Conv1D(2, 2), (4, 3), "int64"),
    (lambda: L.SeparableConv2D(2, 2), (4, 4, 3), "uint8"),
    (lambda: L.LSTM(2), (4, 3), "int32"),
    (lambda: L.EinsumDense("abc,cd->abd", (None, 2)), (4, 3), "int64"),
    (lambda: L.AveragePooling2D(2), (4, 4, 3), "uint8"),
    (L.Softmax, (4, 3), "int64"),
    (L.PReLU, (4, 3), "int64"),
    (lambda: L.Activation("tanh"), (4, 3), "int64"),
    (lambda: L.GroupNormalization(1), (4, 3), "int64"),
]


def _lines(table: list[tuple[Any, tuple[int, ...], str]]) -> list[Any]:
    named = [(make, shape, kind) for make, shape, kinds in table for kind in kinds.split()]
    return [pytest.param(*line, id=f"{type(line[0]()).__name__}-{line[1]}-{line[2]}") for line in named]


def _everywhere(make: Any, shape: tuple[int, ...], kind: str) -> tuple[str, list[torch.Tensor]]:
    """Return the symbolic type, and what an array, a tensor, a graph and a Sequential give."""
    x = np.random.RandomState(0).randint(0, 5, (2, *shape)).astype(kind)
    inputs = keras.Input(shape, dtype=kind)
    layer = make()
    output = layer(inputs)
    results = [layer(x), layer(torch.as_tensor(x))]
    chain = keras.Sequential([L.InputLayer(shape, dtype=kind), layer])
    for model in (keras.Model(inputs, output), chain):
        results += [model(torch.as_tensor(x)), torch.as_tensor(model.predict(x, verbose=0))]
    return str(output.dtype), [result.detach() for result in results]


@pytest.mark.parametrize(("make", "shape", "kind"), _lines(KEEPERS))
def test_kept(make: Any, shape: tuple[int, ...], kind: str) -> None:
    symbolic, results = _everywhere(make, shape, kind)
    assert symbolic == kind
    assert {result.dtype for result in results} == {settings.torch_dtype(kind)}
    for result in results:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize(("make", "shape", "kind"), _lines(COMPUTERS) + _lines(LENIENT))
def test_computed_with(make: Any, shape: tuple[int, ...], kind: str) -> None:
    symbolic, results = _everywhere(make, shape, kind)
    assert symbolic == "float32"
    assert {result.dtype for result in results} == {torch.float32}
    for result in results:
        np.testing.assert_allclose(result, results[0], rtol=1e-5, atol=1e-6)


def test_the_mean_of_integers_is_cut() -> None:
    x = np.array([[[1], [2], [2]], [[-1], [-2], [-2]]])
    np.testing.assert_array_equal(L.GlobalAveragePooling1D()(x), [[1], [-1]])  # as Keras 2.15: 5 / 3, towards 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.Dropout(0.5),
        lambda: L.SpatialDropout1D(0.5),
        lambda: L.GaussianNoise(1.0),
        lambda: L.GaussianDropout(0.5),
        lambda: L.AlphaDropout(0.5),
    ],
)
def test_chance_takes_floats(make: Any) -> None:
    with pytest.raises(ValueError, match="in training it takes floats; got int64"):
        make()(np.ones((2, 4, 3), int), training=True)


# --- inputs of models: data come in the type that the input says ----------------------------------------------------


@pytest.mark.parametrize("given", ["bool", "int64", "uint8", "float32"])
@pytest.mark.parametrize("declared", KINDS)
def test_data_take_the_declared_type(declared: str, given: str) -> None:
    seen: list[torch.dtype] = []
    inputs = keras.Input((3,), dtype=declared)

    def look(x: Any) -> Any:
        seen.append(x.dtype)
        return keras.backend.cast(x, "float32")

    model = keras.Model(inputs, [L.Lambda(look)(inputs), L.Flatten()(inputs)])
    x = np.array([[1, 0, 1], [0, 0, 1]]).astype(given)
    seen.clear()
    for floats, kept in (model.predict(x, verbose=0), model(torch.as_tensor(x))):
        np.testing.assert_array_equal(floats, x)
        assert torch.as_tensor(kept).dtype == settings.torch_dtype(declared)
    assert set(seen) == {settings.torch_dtype(declared)}


def test_floats_are_cut_for_an_input_of_integers() -> None:
    inputs = keras.Input((4,), dtype="int32")
    model = keras.Model(inputs, L.Flatten()(inputs))
    y = model.predict(np.array([[1.7, 2.2, -1.5, 0]]), verbose=0)
    np.testing.assert_array_equal(y, np.array([[1, 2, -1, 0]], "int32"))
    assert y.dtype == np.int32


def test_truth_values_choose_in_fit_and_predict() -> None:
    x, keep = keras.Input((3,)), keras.Input((3,), dtype="bool")
    chosen = L.Lambda(lambda t: torch.where(t[1], t[0], -t[0]))([x, keep])
    model = keras.Model([x, keep], L.Dense(1, kernel_initializer="ones")(chosen))
    model.compile("sgd", "mse")
    data = [np.ones((2, 3), "float32"), np.array([[1, 0, 1], [0, 0, 1]], bool)]
    np.testing.assert_allclose(model.predict(data, verbose=0), [[1], [-1]])
    np.testing.assert_allclose(model.fit(data, np.zeros((2, 1)), verbose=0).history["loss"], [1.0])


@pytest.mark.parametrize("kind", ["int32", "int64", "uint8"])
def test_the_average_of_integers_is_one_of_floats(kind: str) -> None:
    """Keras 2.15 says so of the symbolic output too."""
    inputs = [keras.Input((2,), dtype=kind) for _ in range(2)]
    model = keras.Model(inputs, L.Average()(inputs))
    data = [np.array([[1, 2]], kind), np.array([[2, 2]], kind)]
    outputs = model.predict(data, verbose=0)
    np.testing.assert_array_equal(outputs, [[1.5, 2.0]])
    assert settings.is_float(str(model.outputs[0].dtype))
    assert outputs.dtype == model.outputs[0].dtype == "float32"


@pytest.mark.parametrize("make", [lambda: L.MaxPooling1D(2), lambda: L.MaxPooling2D(2), lambda: L.MaxPooling3D(2)])
def test_the_largest_of_truth_values_is_refused(make: Any) -> None:
    layer = make()
    with pytest.raises(TypeError, match="truth values"):
        layer(np.ones((1, *(4,) * layer.rank, 2), bool))
