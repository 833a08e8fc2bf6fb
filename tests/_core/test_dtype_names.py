"""The types of symbolic tensors: names, and TensorFlow's types at once."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat._core.dtype_names import DtypeName


def test_a_symbolic_tensor_has_the_type_and_its_name() -> None:
    kind = keras.Input((3,)).dtype
    assert kind == "float32"
    assert kind == torch.float32
    assert torch.float32 == kind
    assert kind != torch.float64
    assert kind != "float64"
    assert kind in (torch.float16, torch.float32)
    assert {"float32": 1}[kind] == 1
    assert (kind.name, kind.base_dtype, str(kind), f"{kind}") == ("float32",) * 4
    assert json.dumps(kind) == '"float32"'
    assert pickle.loads(pickle.dumps(kind)) == copy.deepcopy(kind) == kind


@pytest.mark.parametrize(
    ("name", "floating", "integer", "size", "numpy_type"),
    [("float16", True, False, 2, np.float16), ("int64", False, True, 8, np.int64), ("bool", False, False, 1, np.bool_)],
)
def test_it_answers_as_types_of_tensorflow_do(
    name: str, floating: bool, integer: bool, size: int, numpy_type: type
) -> None:
    kind = DtypeName(name)
    assert (kind.is_floating, kind.is_integer, kind.is_bool, kind.size) == (floating, integer, name == "bool", size)
    assert kind.as_numpy_dtype is numpy_type


def test_strings_have_a_type_too() -> None:
    kind = keras.Input((1,), dtype="string").dtype
    assert kind == "string"
    assert kind.as_numpy_dtype is np.object_


def test_dense_takes_integers_in_a_users_model() -> None:
    class Multihot(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.score = keras.layers.Dense(1, kernel_initializer="ones")

        def call(self, x: torch.Tensor) -> torch.Tensor:
            return self.score(x)

    x = np.array([[1, 0, 1], [0, 0, 1]])
    assert Multihot().predict(x).tolist() == [[2.0], [1.0]]
    dense = keras.layers.Dense(1, kernel_initializer="ones")
    assert dense(torch.as_tensor(x)).tolist() == [[2.0], [1.0]]


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "int8", "uint8", "int32", "int64"])
def test_the_limits_of_a_type(name: str) -> None:
    limits = np.finfo(name) if name.startswith("float") else np.iinfo(name)
    assert (DtypeName(name).max, DtypeName(name).min) == (limits.max, limits.min)
    assert type(DtypeName(name).max) is np.dtype(name).type


def test_the_limits_of_types_that_numpy_has_not_or_counts_otherwise() -> None:
    assert DtypeName("bfloat16").max == torch.finfo(torch.bfloat16).max
    assert (DtypeName("bool").max, DtypeName("bool").min) == (True, False)
