"""Layers that prepare data.

`SCALING` are cases like those of other layers, with gradients and steps. `PREPARING` are single calls: a layer, what it
is adapted to (`adapt`, an input too), and an `input`, which is `{"draw": kind, "shape": …}`, values as they stand, or
`{"list": inputs}` of several; `{"$tuple": …}` and `{"$array": …}` are arguments; `type` is the type of values,
`training` the mode.
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

_INTEGERS = [[0, 1, 1], [4, 2, 2], [3, 3, 3]]
_NUMBERS = {"draw": "float", "shape": [4, 3]}
_MANY = {"draw": "float", "shape": [100, 2]}
_ENCODED: list[Case] = [
    prepared("category_encoding", "CategoryEncoding", _INTEGERS, num_tokens=5),
    prepared("category_encoding_count", "CategoryEncoding", _INTEGERS, num_tokens=6, output_mode="count"),
    prepared(
        "category_encoding_weights",
        "CategoryEncoding",
        _INTEGERS,
        extra={"weights": [[0.5, 1.0, 2.0], [1.0, 1.0, -1.0], [0.1, 0.2, 0.3]]},
        num_tokens=5,
        output_mode="count",
    ),
    prepared("category_encoding_one_hot", "CategoryEncoding", [3, 2, 0, 1], num_tokens=4, output_mode="one_hot"),
    prepared("category_encoding_one_hot_2d", "CategoryEncoding", [[3], [2]], num_tokens=4, output_mode="one_hot"),
    prepared("category_encoding_vector", "CategoryEncoding", [3, 2, 3], num_tokens=4),
    prepared("category_encoding_number", "CategoryEncoding", 2, num_tokens=4),
    prepared(
        "discretization",
        "Discretization",
        [[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]],
        bin_boundaries=[0.0, 1.0, 2.0],
    ),
    prepared("discretization_integers", "Discretization", [[-1, 1, 7], [0, 3, 2]], bin_boundaries=[0.0, 1.0, 2.0]),
    *[
        prepared(f"discretization_{mode}", "Discretization", _NUMBERS, bin_boundaries=[-0.5, 0.5], output_mode=mode)
        for mode in ("multi_hot", "count")
    ],
    prepared(
        "discretization_one_hot", "Discretization", [[0.1], [2.0]], bin_boundaries=[0.0, 1.0], output_mode="one_hot"
    ),
    _adapted("discretization_adapted", "Discretization", _MANY, _NUMBERS, num_bins=4),
    _adapted("discretization_adapted_epsilon", "Discretization", _MANY, _NUMBERS, num_bins=6, epsilon=0.05),
    _adapted("discretization_adapted_few", "Discretization", [[1.0], [2.0], [9.0]], [[1.5], [8.0]], num_bins=3),
    _adapted("discretization_adapted_batches", "Discretization", _MANY, _NUMBERS, more={"batch_size": 7}, num_bins=5),
]

_WORDS = [["red", "blue"], ["green", "red"], ["", "nothing"], ["grün", "blue"]]
_SEEN = [["red", "red"], ["green", "blue"], ["zinc", "red"], ["blue", "grün"], ["", "ash"]]
_KNOWN = ["red", "green", "blue"]
_NUMERALS = [[12, 36], [0, 5], [-7, 36], [1000, 12]]
_LOOKED_UP: list[Case] = [
    prepared("string_lookup", "StringLookup", _WORDS, vocabulary=_KNOWN),
    prepared("string_lookup_mask", "StringLookup", _WORDS, vocabulary=_KNOWN, mask_token=""),
    prepared("string_lookup_buckets", "StringLookup", _WORDS, vocabulary=_KNOWN, num_oov_indices=3, mask_token=""),
    prepared(
        "string_lookup_special", "StringLookup", _WORDS, vocabulary=["", "??", "red"], mask_token="", oov_token="??"
    ),
    prepared("string_lookup_invert", "StringLookup", [[1, 3], [0, 2]], vocabulary=_KNOWN, invert=True),
    prepared(
        "string_lookup_invert_mask", "StringLookup", [[1, 3], [0, 9]], vocabulary=_KNOWN, invert=True, mask_token="-"
    ),
    *[
        prepared(f"string_lookup_{mode}", "StringLookup", _WORDS, vocabulary=_KNOWN, output_mode=mode)
        for mode in ("multi_hot", "count")
    ],
    prepared("string_lookup_one_hot", "StringLookup", ["red", "x"], vocabulary=_KNOWN, output_mode="one_hot"),
    prepared(
        "string_lookup_padded",
        "StringLookup",
        _WORDS,
        vocabulary=_KNOWN,
        output_mode="count",
        max_tokens=7,
        pad_to_max_tokens=True,
    ),
    prepared(
        "string_lookup_tf_idf",
        "StringLookup",
        _WORDS,
        vocabulary=_KNOWN,
        output_mode="tf_idf",
        idf_weights={"$array": [0.25, 0.75, 0.5]},
    ),
    _adapted("string_lookup_adapted", "StringLookup", _SEEN, _WORDS),
    _adapted("string_lookup_adapted_limit", "StringLookup", _SEEN, _WORDS, max_tokens=4, mask_token=""),
    _adapted(
        "string_lookup_adapted_tf_idf", "StringLookup", _SEEN[1:], _WORDS, output_mode="tf_idf", num_oov_indices=2
    ),
    _adapted(
        "string_lookup_adapted_tf_idf_padded",
        "StringLookup",
        _SEEN[1:],  # Keras fails where samples differ in how many tokens they have
        _WORDS,
        output_mode="tf_idf",
        max_tokens=9,
        pad_to_max_tokens=True,
    ),
    prepared("integer_lookup", "IntegerLookup", _NUMERALS, vocabulary=[12, 36, 1000]),
    prepared(
        "integer_lookup_buckets",
        "IntegerLookup",
        _NUMERALS,
        vocabulary=[12, 1000],
        num_oov_indices=3,
        mask_token=0,
        oov_token=-2,
    ),
    prepared("integer_lookup_invert", "IntegerLookup", [[1, 2], [0, 3]], vocabulary=[12, 36, 1000], invert=True),
    prepared("integer_lookup_count", "IntegerLookup", _NUMERALS, vocabulary=[12, 36], output_mode="count"),
    prepared(
        "integer_lookup_idf",
        "IntegerLookup",
        [[1, 5], [7, 9]],
        vocabulary=[5, 7],
        idf_weights=[0.5, 2.0],
        output_mode="tf_idf",
        max_tokens=6,
        pad_to_max_tokens=True,
    ),
    _adapted("integer_lookup_adapted", "IntegerLookup", [[3, 3], [7, 5], [7, -1]], [[3, 7], [5, 4]]),
    _adapted("integer_lookup_adapted_limit", "IntegerLookup", [[3, 3], [7, 5]], [[3, 7], [5, 4]], max_tokens=3),
]

_SENTENCES = [
    "The quick brown fox, jumps!",
    "  the LAZY dog's   dog\tsat\n",
    "Ünder the Ärmel; it's (un)likely",
    "",
    "fox the the dog",
]
_ASKED = ["the dog jumps over", "ÜNDER A FOX!", "", "brown,fox"]
_TEXTS: list[Case] = [
    _adapted("text", "TextVectorization", _SENTENCES, _ASKED),
    _adapted("text_column", "TextVectorization", [[s] for s in _SENTENCES], [[s] for s in _ASKED]),
    _adapted("text_length", "TextVectorization", _SENTENCES, _ASKED, output_sequence_length=3, max_tokens=6),
    _adapted("text_longer", "TextVectorization", _SENTENCES, _ASKED, output_sequence_length=9, standardize="lower"),
    _adapted("text_plain", "TextVectorization", _SENTENCES, _ASKED, standardize=None),
    _adapted("text_strip", "TextVectorization", _SENTENCES, _ASKED, standardize="strip_punctuation"),
    _adapted("text_characters", "TextVectorization", _SENTENCES, _ASKED, split="character", max_tokens=12),
    _adapted("text_unsplit", "TextVectorization", [["a", "b c"], ["b c", "d"]], [["b c", "x"]], split=None),
    _adapted("text_bigrams", "TextVectorization", _SENTENCES, _ASKED, ngrams=2),
    _adapted("text_trigrams_alone", "TextVectorization", _SENTENCES, _ASKED, ngrams={"$tuple": [1, 3]}),
    *[
        _adapted(f"text_{mode}", "TextVectorization", _SENTENCES, _ASKED, output_mode=mode)
        for mode in ("multi_hot", "count", "tf_idf")
    ],
    _adapted(
        "text_padded",
        "TextVectorization",
        _SENTENCES,
        _ASKED,
        output_mode="tf_idf",
        max_tokens=30,
        pad_to_max_tokens=True,
        ngrams=2,
    ),
    prepared(
        "text_idf",
        "TextVectorization",
        _ASKED,
        vocabulary=["fox", "the"],
        idf_weights=[0.5, 2.0],
        output_mode="tf_idf",
    ),
    prepared("text_vocabulary", "TextVectorization", _ASKED, vocabulary=["fox", "the"], output_sequence_length=4),
]

_CATEGORIES = [["A"], ["B"], ["a longer category, of more than thirty-two letters"], [""], ["D" * 100]]
_HASHED: list[Case] = [
    prepared("hashing", "Hashing", _CATEGORIES, num_bins=1000003),
    prepared("hashing_mask", "Hashing", _CATEGORIES, num_bins=3, mask_value=""),
    prepared("hashing_salt", "Hashing", _CATEGORIES, num_bins=1000003, salt=1337),
    prepared("hashing_salts", "Hashing", _CATEGORIES, num_bins=50, salt={"$tuple": [133, 137]}, mask_value="B"),
    prepared("hashing_integers", "Hashing", [[0, -5, 123456789], [1, 2, 3]], num_bins=1000003),
    prepared("hashing_integers_mask", "Hashing", [[0, -5], [1, 2]], num_bins=4, mask_value=0),
    prepared("hashing_one_hot", "Hashing", _CATEGORIES, num_bins=4, output_mode="one_hot"),
    prepared("hashing_count", "Hashing", [["A", "B", "A"]], num_bins=4, output_mode="count"),
    prepared("crossing", "HashedCrossing", {"list": [["A", "B", "A"], [101, 101, -5]]}, num_bins=1000003),
    prepared(
        "crossing_three",
        "HashedCrossing",
        {"list": [[["A"], ["B"]], [[101], [7]], [["x"], ["y" * 70]]]},
        num_bins=1000003,
    ),
    prepared(
        "crossing_one_hot",
        "HashedCrossing",
        {"list": [["A", "B", "A"], [101, 101, 102]]},
        num_bins=5,
        output_mode="one_hot",
    ),
]

_CHANGED = {"training": True}
_BYTES = {"draw": "bytes", "shape": [2, 5, 6, 2]}
_AT_REST: dict[str, dict[str, Any]] = {
    "RandomFlip": {},
    "RandomRotation": {"factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "RandomCrop": {"height": 3, "width": 4},
    "RandomContrast": {"factor": 0.2},
    "RandomBrightness": {"factor": 0.2},
    "RandomHeight": {"factor": 0.2},
    "RandomWidth": {"factor": 0.2},
}


def _changed(name: str, cls: str, given: Any = None, **kwargs: Any) -> Case:
    """Describe a call in training whose factors leave nothing to chance."""
    return prepared(name, cls, given or _PICTURES, extra=_CHANGED, **kwargs)


_CHANCE: list[Case] = [
    *[
        prepared(f"{cls.lower()}_at_rest", cls, _BYTES, extra={"training": False}, **kwargs)
        for cls, kwargs in _AT_REST.items()
    ],
    *[
        _changed(
            f"translation_{mode}_{method}",
            "RandomTranslation",
            height_factor=[share, share],
            width_factor=[-0.31, -0.31],
            fill_mode=mode,
            interpolation=method,
            fill_value=0.5,
        )
        for mode, share in (("reflect", 0.7), ("wrap", 0.45), ("constant", -0.2), ("nearest", 0.3))
        for method in ("bilinear", "nearest")
    ],
    *[
        _changed(f"rotation_{mode}", "RandomRotation", factor=[angle, angle], fill_mode=mode, fill_value=-1.0)
        for mode, angle in (("reflect", 0.1), ("wrap", -0.07), ("constant", 0.3), ("nearest", 1.4))
    ],
    _changed("rotation_quarter", "RandomRotation", factor=[0.25, 0.25], interpolation="nearest", fill_mode="constant"),
    *[
        _changed(f"zoom_{mode}", "RandomZoom", height_factor=[share, share], fill_mode=mode, fill_value=-1.0)
        for mode, share in (("reflect", 0.9), ("wrap", 0.6), ("constant", 0.5), ("nearest", -0.4))
    ],
    _changed("zoom_width", "RandomZoom", height_factor=[-0.3, -0.3], width_factor=[1.7, 1.7]),
    _changed("zoom_by_nearest", "RandomZoom", height_factor=[-0.3, -0.3], interpolation="nearest"),
    prepared("randomflip_vertical_at_rest", "RandomFlip", _BYTES, extra={"training": False}, mode="vertical"),
    _changed("zoom_one", "RandomZoom", {"draw": "float", "shape": [5, 6, 1]}, height_factor=[0.3, 0.3]),
    _changed("crop_small", "RandomCrop", height=8, width=3),
    _changed("crop_all", "RandomCrop", height=6, width=5),
    _changed("brightness", "RandomBrightness", _BYTES, factor=[0.25, 0.25]),
    _changed("brightness_range", "RandomBrightness", factor=[-0.5, -0.5], value_range=[-1.0, 1.0]),
    _changed("contrast_clips", "RandomContrast", factor=1e-6),
    _changed("height", "RandomHeight", factor=[0.5, 0.5]),
    _changed("height_area", "RandomHeight", factor=[-0.4, -0.4], interpolation="area"),
    _changed("width", "RandomWidth", factor=[-0.3, -0.3]),
    _changed("width_bicubic", "RandomWidth", factor=[0.7, 0.7], interpolation="bicubic"),
]

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
        axis={"$tuple": [1, 2]},
        invert=True,
    ),
    _adapted("normalization_adapted_integers", "Normalization", [[1], [2], [9]], [[4]], more={"batch_size": 2}),
    _adapted("normalization_adapted_list", "Normalization", [1.0, 2.0, 9.0], [4.0], axis=None),
    *_ENCODED,
    *_LOOKED_UP,
    *_TEXTS,
    *_HASHED,
    *_CHANCE,
]
