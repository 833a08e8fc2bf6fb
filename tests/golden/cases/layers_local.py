"""Locally connected layers, products along axes of one's own choice, and the identity."""

from __future__ import annotations

from typing import Any

from .common import Case
from .layers_conv import L2, OFF_DEFAULT
from .layers_core import single, stacked

_LOCAL: list[tuple[str, dict[str, Any]]] = [
    ("default", {}),
    ("strides", {"strides": 2, "kernel_size": 2}),
    ("dense", {"implementation": 2}),
    ("sparse", {"implementation": 3}),
    ("dense_same", {"implementation": 2, "padding": "same", "kernel_size": 4, "strides": 2}),
    ("sparse_same", {"implementation": 3, "padding": "same", "kernel_size": 4, "strides": 2, "activation": "relu"}),
    ("first", {"data_format": "channels_first"}),
    ("first_dense", {"data_format": "channels_first", "implementation": 2, "padding": "same"}),
    ("first_sparse", {"data_format": "channels_first", "implementation": 3, "padding": "same"}),
    ("all", {**OFF_DEFAULT, "kernel_constraint": "UnitNorm", "implementation": 3, "padding": "same", "strides": 2}),
    ("no_bias", {"use_bias": False, "kernel_regularizer": L2, "implementation": 2}),
]


def _local(rank: int, name: str, kwargs: dict[str, Any]) -> Case:
    space = [6, 4][:rank]
    shape = [2, *space] if kwargs.get("data_format") == "channels_first" else [*space, 2]
    return single(
        f"local{rank}d_{name}", f"LocallyConnected{rank}D", shape, **{"filters": 3, "kernel_size": 3, **kwargs}
    )


LOCAL: list[Case] = [_local(rank, name, kwargs) for rank in (1, 2) for name, kwargs in _LOCAL]

EINSUM: list[Case] = [
    single(f"einsum_{name}", "EinsumDense", shape, equation=equation, output_shape=output, **kwargs)
    for name, equation, output, shape, kwargs in (
        ("dense", "ab,bc->ac", 4, [5], {}),
        ("bias", "abc,cd->abd", [None, 4], [3, 5], {"bias_axes": "d", "activation": "relu"}),
        ("left", "...x,xy->...y", 4, [3, 5], {"bias_axes": "y"}),
        ("left_alone", "...x,xy->...y", 4, [5], {"bias_axes": "y"}),
        ("right", "ab...,bc->ac...", 4, [5, 3, 2], {"bias_axes": "c"}),
        ("heads", "abc,cde->abde", [None, 2, 4], [3, 5], {"bias_axes": "de"}),
        ("back", "abde,dec->abc", [None, 3], [3, 2, 4], {"bias_axes": "c"}),
        ("steps", "abc,bd->adc", [4, 5], [3, 5], {"bias_axes": "d"}),
        ("all", "abc,cd->abd", [3, 4], [3, 5], {**OFF_DEFAULT, "activity_regularizer": None, "bias_axes": "bd"}),
    )
]
IDENTITY: list[Case] = [
    single("identity", "Identity", [4], extra={"steps": 0}),
    stacked("identity_masked", [["Masking", {}], ["Identity", {"trainable": False}]], [5, 2], draw="padded", steps=0),
]
