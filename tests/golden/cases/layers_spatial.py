"""Layers of volumes and of the axes of space: convolution, pooling, padding, cropping, growing, both data formats."""

from __future__ import annotations

from typing import Any

from .common import Case
from .layers_core import single, stacked

_FIRST = {"data_format": "channels_first"}
_SPACE = [3, 4, 3]


def _shape(rank: int, kwargs: dict[str, Any], channels: int = 2, space: list[int] | None = None) -> list[int]:
    sizes = (space or _SPACE)[:rank]
    return [channels, *sizes] if kwargs.get("data_format") == "channels_first" else [*sizes, channels]


_CONV3D: list[tuple[str, dict[str, Any]]] = [
    ("valid", {}),
    ("same", {"padding": "same", "kernel_size": 3, "activation": "relu"}),
    ("same_strides", {"padding": "same", "strides": [2, 1, 2], "use_bias": False}),
    ("groups", {"groups": 2}),
    ("dilated", {"dilation_rate": [1, 2, 1]}),
    ("first", {**_FIRST, "padding": "same", "strides": 2}),
]
_POOL3D: list[tuple[str, dict[str, Any]]] = [
    ("default", {}),
    ("same_strides", {"pool_size": 3, "strides": 2, "padding": "same"}),
    ("sizes", {"pool_size": [1, 2, 3], "strides": [1, 2, 1]}),
    ("first", {**_FIRST, "padding": "same"}),
]
_TRANSPOSED: list[tuple[str, dict[str, Any]]] = [
    ("first", {**_FIRST, "strides": 2, "padding": "same"}),
    ("no_bias", {"use_bias": False, "strides": [1, 2, 1], "kernel_size": 3}),
]
_CROPPINGS: dict[int, list[tuple[str, dict[str, Any]]]] = {
    1: [
        ("default", {}),
        ("one", {"cropping": [1, 1]}),
        ("uneven", {"cropping": [2, 1]}),
        ("left", {"cropping": [1, 0]}),
        ("first", {**_FIRST, "cropping": [0, 2]}),
    ],
    2: [
        ("default", {}),
        ("one", {"cropping": 1}),
        ("pair", {"cropping": [0, 1]}),
        ("nested", {"cropping": [[1, 0], [0, 2]]}),
        ("first", {**_FIRST, "cropping": [[0, 1], [1, 0]]}),
    ],
    3: [
        ("default", {}),
        ("one", {"cropping": 1}),
        ("sizes", {"cropping": [1, 0, 1]}),
        ("nested", {"cropping": [[1, 0], [0, 3], [1, 1]]}),
        ("first", {**_FIRST, "cropping": [[0, 1], [2, 0], [1, 1]]}),
    ],
}
_PADDINGS: dict[int, list[tuple[str, dict[str, Any]]]] = {
    1: [("zero", {"padding": 0}), ("left", {"padding": [2, 0]}), ("first", {**_FIRST, "padding": [1, 2]})],
    2: [("one", {"padding": 2}), ("zero", {"padding": 0}), ("first_one", {**_FIRST, "padding": 1})],
    3: [
        ("default", {}),
        ("one", {"padding": 2}),
        ("sizes", {"padding": [1, 0, 2]}),
        ("nested", {"padding": [[1, 0], [0, 2], [2, 1]]}),
        ("first", {**_FIRST, "padding": [[0, 1], [2, 0], [1, 1]]}),
    ],
}
_METHODS = ("bicubic", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
_GROWTHS: dict[int, list[tuple[str, dict[str, Any]]]] = {
    1: [("one", {"size": 1}), ("first", {**_FIRST, "size": 3})],
    2: [
        ("first_default", _FIRST),
        ("first_sizes_bilinear", {**_FIRST, "size": [3, 2], "interpolation": "bilinear"}),
        *((method, {"size": [2, 3], "interpolation": method}) for method in _METHODS),  # area has no gradient there
        ("first_bicubic", {**_FIRST, "interpolation": "bicubic"}),
    ],
    3: [
        ("default", {}),
        ("one", {"size": 3}),
        ("sizes", {"size": [1, 2, 3]}),
        ("first", {**_FIRST, "size": [2, 1, 2]}),
    ],
}


def _spatial(short: str, cls: str, rank: int, name: str, kwargs: dict[str, Any], *, size: int = 0, **base: Any) -> Case:
    space = [size] * rank if size else None
    trained = {} if rank < 3 or name != "one" else {"steps": 0}  # many features, and the others train alike
    shape = _shape(rank, kwargs, space=space)
    extra = {"batch": 2, **trained}
    return single(f"{short}_{rank}d_{name}", f"{cls}{rank}D", shape, extra=extra, **{**base, **kwargs})


SPATIAL: list[Case] = [
    *[_spatial("conv", "Conv", 3, name, kwargs, filters=4, kernel_size=2) for name, kwargs in _CONV3D],
    *[
        single(
            f"conv3d_transpose_{name}",
            "Conv3DTranspose",
            _shape(3, kwargs),
            extra={"batch": 2},
            **{"filters": 2, "kernel_size": 2, **kwargs},
        )
        for name, kwargs in _TRANSPOSED
    ],
    *[
        _spatial(f"{short}_pool", cls, 3, name, kwargs, size=4)
        for short, cls in (("max", "MaxPooling"), ("average", "AveragePooling"))
        for name, kwargs in _POOL3D
    ],
    *[
        _spatial(f"global_{short}", cls, 3, name, kwargs)
        for short, cls in (("max", "GlobalMaxPooling"), ("average", "GlobalAveragePooling"))
        for name, kwargs in (
            ("default", {}),
            ("keepdims", {"keepdims": True}),
            ("first", _FIRST),
            ("first_keepdims", {**_FIRST, "keepdims": True}),
        )
    ],
    *[
        _spatial(short, cls, rank, name, kwargs, size=size)
        for short, cls, table, size in (
            ("cropping", "Cropping", _CROPPINGS, 4),
            ("padding", "ZeroPadding", _PADDINGS, 2),
            ("growing", "UpSampling", _GROWTHS, 2),
        )
        for rank, named in table.items()
        for name, kwargs in named
    ],
    # masks: those of steps go through a mean over them, on either side of a padded sequence
    *[
        stacked(
            f"masking_global_average_{side}{name}",
            [["Masking", {}], ["GlobalAveragePooling1D", kwargs]],
            [6, 3],
            draw=f"padded:{side}",
        )
        for side in ("left", "right")
        for name, kwargs in (("", {}), ("_keepdims", {"keepdims": True}))
    ],
]
