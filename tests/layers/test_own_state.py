"""What layers tell of themselves, beside what is held to Keras in the golden facts: errors, signatures, scopes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat._core.tensor_shape import TensorSpec


def test_arrays_that_do_not_fit_change_nothing() -> None:
    layer = L.Dense(2)
    layer.build((None, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"Dense 'dense_\d+': it has 2 weights of its own; got 1 arrays"):
        layer.load_own_variables({"0": np.ones((3, 2))})
    with pytest.raises(ValueError, match="has shape"):
        layer.load_own_variables({"0": np.ones((3, 2)), "1": np.ones(3)})
    for now, then in zip(layer.get_weights(), before):
        np.testing.assert_array_equal(now, then)


def test_signatures_of_trees() -> None:
    assert L.Dense(2).compute_output_signature(TensorSpec((None, 4, 3))) == TensorSpec((None, 4, 2), "float32")
    both = [TensorSpec((2, 3)), TensorSpec((2, 5))]
    assert L.Concatenate().compute_output_signature(both).shape == (2, 8)
    assert L.Dense(2, dtype="float64").compute_output_signature(TensorSpec((1, 3))).dtype == "float64"


def test_a_layer_that_is_not_built_has_no_build_config() -> None:
    layer = L.Dense(2)
    assert layer.get_build_config() is None
    layer.build_from_config({})
    assert not layer.built
    layer.build_from_config({"input_shape": (None, 3)})
    assert layer.get_build_config() == {"input_shape": (None, 3)}


def test_modules_and_scopes() -> None:
    inner = L.Dense(1)
    model = keras.Sequential([inner, keras.Sequential([L.Dense(2)])])
    model.build((None, 3))
    assert inner in model.submodules
    assert model not in model.submodules
    with inner.name_scope as name:
        assert name == f"{inner.name}/"

    class Doubles(L.Layer):
        @L.Layer.with_name_scope
        def doubled(self, x: Any) -> Any:
            """Return twice a number."""
            return 2 * x

    assert Doubles().doubled(3) == 6
    assert Doubles.doubled.__doc__ == "Return twice a number."
