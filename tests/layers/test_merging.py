"""Merging layers beyond what the contract and Keras's numbers say: errors, functions, traits, `_Merge`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import compat
from torchkeras_compat import layers as L
from torchkeras_compat.models import Model


def ones(*shape: int) -> Any:
    return np.ones(shape, "float32")


WRONG: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: L.Add()([ones(2, 3), ones(2, 4)]),
        r"Add 'add_1': the inputs must have shapes that fit; got \(None, 3\)",
    ),
    (lambda: L.Add()([ones(2, 3), ones(3, 3)]), r"one batch size; got the shapes \(2, 3\), \(3, 3\)"),
    (lambda: L.Add()(L.Input((3,))), r"it takes a list of inputs, layer\(\[a, b\]\); got the shape \(None, 3\)"),
    (lambda: L.Subtract()([ones(2, 3)] * 3), r"it takes 2 inputs; got 3 of the shapes \(None, 3\)"),
    (lambda: L.Dot(1)([ones(2, 3)]), "it takes 2 inputs; got 1"),
    (
        lambda: L.Dot(1)([ones(2, 3), ones(2, 4)]),
        r"axes=1 must have one size .* got the shapes \(None, 3\) and",
    ),
    (lambda: L.Dot(0)([ones(2, 3)] * 2), "axes=0 must .* not be the batch"),
    (lambda: L.Concatenate(1)([ones(2, 3, 1), ones(2, 3, 2)]), r"agree in all axes but axis=1; got .*\(None, 3, 1\)"),
    (lambda: L.Concatenate(1)([ones(2, 3, 1), ones(2, 3)]), "agree in all axes but axis=1"),
    (lambda: L.Concatenate(3)([ones(2, 3)] * 2), r"axis=3 is no axis of inputs of the shapes \(None, 3\)"),
    (lambda: L.add([ones(2, 3)] * 2, nmae="a"), "unknown argument; did you mean 'name'"),
    (lambda: L.Add().compute_mask([ones(2, 3)] * 2, [None]), "mask must be a list of 2 masks"),
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=[message for _, message in WRONG])
def test_errors_name_the_shapes(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        call()


FUNCTIONS = {
    "add": (L.add, {}, lambda a, b: a + b),
    "subtract": (L.subtract, {}, lambda a, b: a - b),
    "multiply": (L.multiply, {}, lambda a, b: a * b),
    "average": (L.average, {}, lambda a, b: (a + b) / 2),
    "maximum": (L.maximum, {}, np.maximum),
    "minimum": (L.minimum, {}, np.minimum),
    "concatenate": (L.concatenate, {"axis": 1}, lambda a, b: np.concatenate([a, b], 1)),
    "dot": (L.dot, {"axes": 1}, lambda a, b: (a * b).sum(1, keepdims=True)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_make_layers(name: str) -> None:
    function, arguments, expected = FUNCTIONS[name]
    a, b = L.Input((3,)), L.Input((3,))
    model = Model([a, b], function([a, b], **arguments, name="joined"))
    assert model.layers[-1].name == "joined"
    assert type(model.layers[-1]) is getattr(L, name.capitalize())
    x, y = np.random.RandomState(0).randn(2, 4, 3).astype("float32")
    np.testing.assert_allclose(np.asarray(model([x, y])), expected(x, y), rtol=1e-6)


def test_integers_stay_integers() -> None:
    y = L.Concatenate()([np.arange(6).reshape(2, 3), np.arange(2).reshape(2, 1)])
    assert y.tolist() == [[0, 1, 2, 0], [3, 4, 5, 1]]
    assert not y.is_floating_point()
    a, b = L.Input((3,), dtype="int32"), L.Input((1,), dtype="int32")
    assert L.concatenate([a, b]).dtype == "int32"
    assert L.concatenate([a, L.Input((1,))]).dtype == "float32"


def test_what_joins_samples_promises_nothing() -> None:
    assert L.Concatenate(axis=1)._traits.row_wise
    for axis, shape in ((0, (None, 3)), (-2, (None, 3)), (-3, (None, 3, 4))):
        layer = L.Concatenate(axis=axis)
        layer._build_from([shape, shape])
        assert not layer._traits.row_wise, axis
    layer = L.Concatenate(axis=-2)
    layer._build_from([(None, 3, 4)] * 2)
    assert layer._traits.row_wise


def test_users_subclass_the_base_under_its_old_name() -> None:
    compat.install()
    from keras.layers.merge import _Merge

    class RandomWeightedAverage(_Merge):  # as in scripts for Wasserstein GANs with a gradient penalty
        def _merge_function(self, inputs: Any) -> Any:
            weights = keras.backend.random_uniform((4, 1))
            return (weights * inputs[0]) + ((1 - weights) * inputs[1])

    real, fake = L.Input((3,)), L.Input((3,))
    layer = RandomWeightedAverage()
    model = Model([real, fake], layer([real, fake]))
    y = np.asarray(model([ones(4, 3), 3 * ones(4, 3)]))
    assert ((y > 1) & (y < 3)).all()
    assert not layer._traits.row_wise


def test_a_batch_of_one_meets_all_samples() -> None:
    y = L.Multiply()([torch.ones(1, 3), torch.full((4, 3), 2.0)])
    assert y.tolist() == [[2.0] * 3] * 4
