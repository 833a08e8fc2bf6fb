"""Embedding: its indices, its mask and its shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers


def built(**arguments: Any) -> Any:
    layer = layers.Embedding(300, 4, **arguments)
    layer.build((None, 3))
    return layer


@pytest.mark.parametrize("kind", ["int32", "int64", "uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_indices_of_any_type(kind: str, dtype: str) -> None:
    layer = built(dtype=dtype)
    indices = np.array([[3, 1, 255]]).astype(kind)  # bfloat16 has no 255 between 254 and 256
    expected = layer.embedding.weight[[3, 1, 255]][None]
    for given in (indices, torch.from_numpy(indices)):
        torch.testing.assert_close(layer(given), expected)


def test_an_index_out_of_range_is_named() -> None:
    with pytest.raises(
        ValueError,
        match=r"Embedding 'embedding_1': index 300 is out of range for input_dim=300; write input_dim=331 or more",
    ):
        built()(np.array([[2, 300, 330]]))
    with pytest.raises(ValueError, match=r"index -1 is out of range for input_dim=300; indices count from 0"):
        built()(np.array([[2, -1, 3]]))


def test_mask() -> None:
    indices = np.array([[1, 0, 2]])
    assert built(mask_zero=True).compute_mask(torch.from_numpy(indices)).tolist() == [[True, False, True]]
    assert built().compute_mask(torch.from_numpy(indices)) is None


def test_shape_without_input_length() -> None:
    assert layers.Embedding(9, 4).batch_input_shape == (None, None)
    assert layers.Embedding(9, 4, input_length=6).batch_input_shape == (None, 6)
    assert layers.Embedding(9, 4, input_length=(2, 3)).batch_input_shape == (None, 2, 3)
    assert layers.Embedding(9, 4, input_shape=(5,)).batch_input_shape == (None, 5)
    assert layers.Embedding(9, 4, batch_input_shape=(2, 5)).batch_input_shape == (2, 5)


@pytest.mark.parametrize("again", [False, True])
def test_it_follows_an_input_of_any_rank(again: bool) -> None:
    layer = layers.Embedding(9, 4)
    if again:
        layer = layers.Embedding.from_config(layer.get_config())
    model = keras.Sequential([layers.Input((2, 3)), layer])
    assert model.output_shape == (None, 2, 3, 4)


def test_input_length_holds() -> None:
    with pytest.raises(ValueError, match=r"input_length is 6; got an input of shape \(None, 5\)"):
        layers.Embedding(9, 4, input_length=6)._build_from((None, 5))
    assert layers.Embedding(9, 4, input_length=6).compute_output_shape((None, None)) == (None, 6, 4)


def test_the_type_of_the_indices_is_not_that_of_the_table() -> None:
    assert layers.Embedding(9, 4, dtype="int32").dtype == "float32"


def test_initial_values_and_dense_gradient() -> None:
    layer = built(embeddings_initializer="ones")
    layer(np.array([[1, 1, 2]])).sum().backward()
    gradient = layer.embedding.weight.grad
    assert not gradient.is_sparse
    assert gradient[:3].tolist() == [[0.0] * 4, [2.0] * 4, [1.0] * 4]
