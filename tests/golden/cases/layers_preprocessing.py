"""Layers that prepare data.

`SCALING` are cases like those of other layers, with gradients and steps. `PREPARING` are single calls: a layer, what it
is adapted to (`adapt`, an input too), and an `input`, which is `{"draw": kind, "shape": …}`, values as they stand, or
`{"list": inputs}` of several; `type` is the type of values, `training` the mode.
"""

from __future__ import annotations

from typing import Any

from .common import Case, case
from .layers_core import single

SCALING: list[Case] = [
    single("rescaling", "Rescaling", [5], scale=0.5),
    single("rescaling_offset", "Rescaling", [4, 3, 2], scale=-0.25, offset=0.5),
    single("rescaling_channels", "Rescaling", [4, 3], scale=[0.5, -1.0, 2.0], offset=[0.1, 0.2, -0.3]),
    single("normalization", "Normalization", [3], mean=[0.5, -0.5, 0.1], variance=[0.5, 2.0, 1.0]),
    single("normalization_all", "Normalization", [4, 3], axis=None, mean=0.5, variance=0.3),
    single("normalization_invert", "Normalization", [4, 3], axis=1, mean=0.5, variance=0.3, invert=True),
    single("normalization_axes", "Normalization", [2, 3], axis=[1, 2], mean=[0.1, 0.2, 0.3], variance=[0.5, 2.0, 1.0]),
    single("normalization_constant", "Normalization", [2], mean=[0.1, 0.2], variance=[0.5, 0.0], extra={"steps": 0}),
    single("resizing", "Resizing", [3, 4, 2], height=6, width=7),
    single("resizing_smaller", "Resizing", [7, 8, 2], height=3, width=5),
    single("resizing_same", "Resizing", [3, 4, 2], height=3, width=4),
    single("resizing_nearest", "Resizing", [5, 4, 2], height=7, width=3, interpolation="nearest"),
    single("resizing_bicubic", "Resizing", [5, 6, 2], height=8, width=3, interpolation="bicubic"),
    single("resizing_crop", "Resizing", [5, 8, 2], height=4, width=3, crop_to_aspect_ratio=True),
    single("resizing_crop_wide", "Resizing", [9, 4, 1], height=2, width=5, crop_to_aspect_ratio=True),
    single("resizing_lanczos3", "Resizing", [8, 9, 1], height=5, width=12, interpolation="lanczos3"),
    single("resizing_lanczos5", "Resizing", [8, 9, 1], height=12, width=5, interpolation="lanczos5"),
    single("resizing_gaussian", "Resizing", [5, 6, 1], height=3, width=9, interpolation="gaussian"),
    single("resizing_mitchell", "Resizing", [5, 6, 1], height=3, width=9, interpolation="mitchellcubic"),
    single("center_crop", "CenterCrop", [5, 6, 2], height=2, width=3),
    single("center_crop_odd", "CenterCrop", [6, 5, 2], height=3, width=2),
    single("center_crop_small", "CenterCrop", [3, 8, 2], height=4, width=5),
    single("center_crop_same", "CenterCrop", [3, 4, 2], height=3, width=4),
]

_PICTURES = {"draw": "float", "shape": [2, 6, 5, 2]}


def prepared(name: str, cls: str, given: Any, *, extra: dict[str, Any] | None = None, **kwargs: Any) -> Case:
    """Describe a single call of a layer."""
    return case(name, layer=[cls, kwargs], input=given, **(extra or {}))


def _adapted(name: str, cls: str, data: Any, given: Any, *, more: dict[str, Any] | None = None, **kwargs: Any) -> Case:
    return prepared(name, cls, given, extra={"adapt": data, **(more or {})}, **kwargs)


_ROWS = {"draw": "float", "shape": [70, 3]}

PREPARING: list[Case] = [
    prepared("resizing_area", "Resizing", _PICTURES, height=4, width=7, interpolation="area"),
    prepared("resizing_area_smaller", "Resizing", _PICTURES, height=2, width=5, interpolation="area"),
    prepared("resizing_one", "Resizing", {"draw": "float", "shape": [6, 5, 2]}, height=4, width=7),
    prepared("resizing_integers", "Resizing", [[[[1], [4]], [[7], [200]]]], height=3, width=3),
    prepared("resizing_large", "Resizing", {"draw": "float", "shape": [1, 37, 23, 1]}, height=15, width=64),
    prepared("center_crop_one", "CenterCrop", {"draw": "float", "shape": [6, 5, 2]}, height=3, width=3),
    prepared("rescaling_integers", "Rescaling", [[0, 255]], scale=1 / 127.5, offset=-1),
    _adapted("normalization_adapted", "Normalization", _ROWS, {"draw": "float", "shape": [4, 3]}),
    _adapted("normalization_adapted_all", "Normalization", _ROWS, {"draw": "float", "shape": [4, 3]}, axis=None),
    _adapted(
        "normalization_adapted_axes",
        "Normalization",
        {"draw": "float", "shape": [40, 3, 2]},
        {"draw": "float", "shape": [4, 3, 2]},
        axis=[1, 2],
        invert=True,
    ),
    _adapted("normalization_adapted_integers", "Normalization", [[1], [2], [9]], [[4]], more={"batch_size": 2}),
    _adapted("normalization_adapted_list", "Normalization", [1.0, 2.0, 9.0], [4.0], axis=None),
]
