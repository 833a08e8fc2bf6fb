"""The lines of layers that prepare data, as the arguments of `LayerSpec`."""

from __future__ import annotations

from typing import Any

Line = dict[str, Any]

_ONE = {"test_wrong_number_of_axes": "a picture without a batch is taken: tests/layers/preprocessing"}
_COUNT = dict.fromkeys(
    ("test_weights_round_trip", "test_initial_weights"), "one weight is a whole number: tests/layers/preprocessing"
)
_BAD_SIZES = (
    ({"height": 0}, "height must be a positive integer; got 0"),
    ({"width": 2.5}, "width must be a positive integer"),
)

SCALING: list[Line] = [
    {
        "cls": "Rescaling",
        "arguments": {"scale": 0.5, "offset": -1.0},
        "shape": (4,),
        "output": (4,),
        "bad": (
            ({"scale": "half"}, "scale must be a number or a list of numbers; got 'half'"),
            ({"offset": None}, "offset must be a number or a list of numbers; got None"),
        ),
    },
    {"cls": "Rescaling", "arguments": {"scale": [0.5, 2.0]}, "shape": (3, 2), "output": (3, 2)},
    {
        "cls": "Normalization",
        "arguments": {"axis": (1, 2), "mean": [0.5, -0.5], "variance": [0.25, 2.0], "invert": True},
        "shape": (3, 2),
        "output": (3, 2),
        "bad": (
            ({"axis": "last"}, "axis must be an integer, a list of integers or None; got 'last'"),
            ({"mean": None}, "mean must be given together with variance; got None"),
        ),
    },
    {"cls": "Normalization", "arguments": {}, "shape": (3, 2), "output": (3, 2), "skip": _COUNT},
    {"cls": "Normalization", "arguments": {"axis": None}, "shape": (4,), "output": (4,), "skip": _COUNT},
]

PICTURES: list[Line] = [
    {
        "cls": "Resizing",
        "arguments": {"height": 4, "width": 3, "interpolation": "bicubic", "crop_to_aspect_ratio": True},
        "shape": (6, 5, 2),
        "output": (4, 3, 2),
        "bad": (*_BAD_SIZES, ({"interpolation": "bilinea"}, "did you mean 'bilinear'")),
        "skip": _ONE,
    },
    *[
        {
            "cls": "Resizing",
            "arguments": {"height": 4, "width": 7, "interpolation": method},
            "shape": (6, 5, 2),
            "output": (4, 7, 2),
            "skip": _ONE,
        }
        for method in ("bilinear", "nearest", "area")
    ],
    {
        "cls": "CenterCrop",
        "arguments": {"height": 4, "width": 3},
        "shape": (6, 5, 2),
        "output": (4, 3, 2),
        "bad": _BAD_SIZES,
        "skip": _ONE,
    },
    {
        "cls": "CenterCrop",
        "arguments": {"height": 4, "width": 7},
        "shape": (6, 5, 2),
        "output": (4, 7, 2),
        "skip": _ONE,
    },
]

_SPARSE = ({"sparse": True}, "sparse must be False")
_ONE_VALUE = {"test_some_line_leaves_the_default": "sparse has one value"}
_INDICES = {**_ONE_VALUE, "test_gradient_flows": "indices have no gradient"}
_NO_GRADIENT = {**_ONE_VALUE, "test_gradient_flows": "the number of an interval has no gradient"}

ENCODING: list[Line] = [
    {
        "cls": "CategoryEncoding",
        "arguments": {"num_tokens": 5, "output_mode": "count"},
        "shape": (4,),
        "output": (5,),
        "indices": 5,
        "bad": (
            ({"num_tokens": 0}, "num_tokens must be a positive integer; got 0"),
            ({"num_tokens": None}, "num_tokens must be a positive integer; got None"),
            ({"output_mode": "counts"}, "did you mean 'count'"),
            _SPARSE,
        ),
        "skip": _INDICES,
    },
    {
        "cls": "CategoryEncoding",
        "arguments": {"num_tokens": 5},
        "shape": (4,),
        "output": (5,),
        "indices": 5,
        "skip": _INDICES,
    },
    {
        "cls": "CategoryEncoding",
        "arguments": {"num_tokens": 5, "output_mode": "one_hot"},
        "shape": (1,),
        "output": (5,),
        "indices": 5,
        "skip": {**_INDICES, "test_output_shape_keeps_none": "whether an axis is added depends on its size"},
    },
    {
        "cls": "Discretization",
        "arguments": {"bin_boundaries": [-0.5, 0.1, 0.6], "output_mode": "multi_hot"},
        "shape": (4,),
        "output": (4,),
        "bad": (
            ({"bin_boundaries": [1.0, 0.0]}, "bin_boundaries must be a list of numbers in order"),
            ({"num_bins": 3}, "num_bins must be None where bin_boundaries are given; got 3"),
            ({"output_mode": "counts"}, "did you mean 'count'"),
            ({"epsilon": -1}, "epsilon must be a number ≥ 0; got -1"),
            _SPARSE,
        ),
        "skip": _NO_GRADIENT,
    },
    {
        "cls": "Discretization",
        "arguments": {"num_bins": 3, "epsilon": 0.1, "output_mode": "count"},
        "shape": (4,),
        "output": (1,),
        "skip": _NO_GRADIENT,
    },
]

PREPARING = [*SCALING, *PICTURES, *ENCODING]
