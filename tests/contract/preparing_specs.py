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

_BY_CHANCE = {**_ONE, "test_modes": "a call without a mode is training, as in Keras: tests/layers/preprocessing"}
_FILLED = {"fill_mode": "constant", "interpolation": "nearest", "fill_value": 0.5}
_BAD_FILLED = (
    ({"fill_mode": "mirror"}, "fill_mode must be one of 'reflect'"),
    ({"interpolation": "cubic"}, "interpolation must be one of 'nearest', 'bilinear'"),
    ({"fill_value": None}, "fill_value must be a number"),
)


def _by_chance(cls: str, arguments: Line, bad: Any = (), output: tuple[int, ...] = (6, 5, 2)) -> list[Line]:
    """Return two lines of a layer, one with a seed."""
    shared: Line = {"cls": cls, "shape": (6, 5, 2), "output": output, "random": True, "skip": _BY_CHANCE}
    return [
        {**shared, "arguments": {**arguments, "seed": 3}, "bad": bad},
        {**shared, "arguments": arguments},
    ]


CHANCE: list[Line] = [
    *_by_chance("RandomFlip", {"mode": "vertical"}, (({"mode": "vertica"}, "did you mean 'vertical'"),)),
    *_by_chance(
        "RandomRotation",
        {"factor": (-0.1, 0.3), **_FILLED},
        (*_BAD_FILLED, ({"factor": (0.3, 0.1)}, "two in order"), ({"factor": -0.1}, "or two in order; got -0.1")),
    ),
    *_by_chance(
        "RandomTranslation",
        {"height_factor": 0.3, "width_factor": (0.1, 0.4), **_FILLED},
        (
            *_BAD_FILLED,
            ({"height_factor": 1.5}, "both signs lie between -1 and 1"),
            ({"width_factor": (0.1, 0.2, 0.3)}, "two in order between -1 and 1"),
        ),
    ),
    *_by_chance(
        "RandomZoom",
        {"height_factor": 0.3, "width_factor": (0.1, 0.4), **_FILLED},
        (*_BAD_FILLED, ({"height_factor": -1.5}, "height_factor must be"), ({"width_factor": "x"}, "a number")),
    ),
    *_by_chance("RandomCrop", {"height": 4, "width": 3}, _BAD_SIZES, (4, 3, 2)),
    *_by_chance(
        "RandomContrast",
        {"factor": (0.5, 0.7)},
        (({"factor": -0.5}, "factor must be a number in [0, 1]"), ({"factor": (0.1,)}, "or two of which")),
    ),
    *_by_chance(
        "RandomBrightness",
        {"factor": 0.5, "value_range": (-1.0, 1.0)},
        (({"factor": 1.5}, "factor must be"), ({"value_range": 3}, "value_range must be two numbers; got 3")),
    ),
]

PREPARING = [*SCALING, *PICTURES, *ENCODING, *CHANCE]
