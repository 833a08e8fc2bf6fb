from __future__ import annotations

import numpy as np
import pytest
import torch

from torchkeras_compat.utils import normalize, pad_sequences, set_random_seed, split_dataset, to_categorical, to_ordinal


def test_to_categorical_shapes_follow_keras() -> None:
    assert to_categorical([[0], [2]]).shape == (2, 3)
    assert to_categorical(np.zeros((4, 5, 1), int), 3).shape == (4, 5, 3)
    assert to_categorical([1, 0], dtype="uint8").dtype == np.uint8
    assert to_categorical([0.0, 2.0]).argmax(-1).tolist() == [0, 2]
    assert to_categorical(torch.tensor([1, 0])).tolist() == [[0, 1], [1, 0]]
    assert to_categorical(2).tolist() == [0, 0, 1]


@pytest.mark.parametrize("function", [to_categorical, to_ordinal])
def test_indices_that_do_not_fit_are_named(function: object) -> None:
    with pytest.raises(ValueError, match=r"y must hold indices from 0 to 2; got 3"):
        function([0, 3], num_classes=3)  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"got -1"):
        function([0, -1])  # type: ignore[operator]
    with pytest.raises(ValueError, match="y is empty; give num_classes"):
        function([])  # type: ignore[operator]


def test_to_ordinal() -> None:
    assert to_ordinal([[0], [3]], 4).tolist() == [[0, 0, 0], [1, 1, 1]]


def test_normalize_by_axis_and_order() -> None:
    x = np.array([[3.0, 0.0], [4.0, 0.0]])
    assert normalize(x, axis=0).tolist() == [[0.6, 0.0], [0.8, 0.0]]
    assert normalize([1.0, 3.0], order=1).tolist() == [[0.25, 0.75]]  # a vector becomes a row, as in Keras


def test_pad_sequences_pads_and_cuts_on_either_side() -> None:
    rows = [[1], [2, 3], [4, 5, 6]]
    assert pad_sequences(rows, 2, padding="post", truncating="post").tolist() == [[1, 0], [2, 3], [4, 5]]
    assert pad_sequences(rows, value=9, dtype="float64").tolist() == [[9, 9, 1], [9, 2, 3], [4, 5, 6]]
    assert pad_sequences([[], [1]]).tolist() == [[0], [1]]
    assert pad_sequences(rows, 0).shape == (3, 0)
    assert pad_sequences([]).shape == (0, 0)
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="-").tolist() == [["-", "a"], ["b", "c"]]


def test_pad_sequences_keeps_inner_axes() -> None:
    got = pad_sequences([np.ones((1, 2)), np.ones((3, 2))], maxlen=2)
    assert got.shape == (2, 2, 2)
    with pytest.raises(ValueError, match=r"sequence 1 has \(3,\)"):
        pad_sequences([np.ones((1, 2)), np.ones((2, 3))])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequences": 3}, "must be a list of sequences"),
        ({"sequences": [[1], 2]}, "entry 1 is 2"),
        ({"sequences": [[1]], "padding": "front"}, "padding must be one of 'pre', 'post'; got 'front'"),
        ({"sequences": [[1]], "truncating": "x"}, "truncating must be one of"),
        ({"sequences": [[1]], "value": "a"}, "needs dtype=object"),
    ],
)
def test_pad_sequences_refuses(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pad_sequences(**arguments)  # type: ignore[arg-type]


def test_set_random_seed_repeats_every_generator() -> None:
    import random

    draws = []
    for _ in range(2):
        set_random_seed(5)
        draws.append((random.random(), np.random.rand(), torch.rand(()).item()))
    assert draws[0] == draws[1]
    with pytest.raises(TypeError, match="seed must be an integer"):
        set_random_seed(1.5)  # type: ignore[arg-type]


def test_split_dataset() -> None:
    x, y = np.arange(10), np.arange(10) * 2
    left, right = split_dataset((x, y), left_size=7)
    assert [int(a) for a, _ in left] == list(range(7))
    assert [int(b) for _, b in right] == [14, 16, 18]
    left, right = split_dataset(x, right_size=0.25, shuffle=True, seed=3)
    assert (len(left), len(right)) == (8, 2)
    assert sorted(int(a) for part in (left, right) for (a,) in part) == list(range(10))
    again, _ = split_dataset(x, right_size=0.25, shuffle=True, seed=3)
    assert [int(a) for (a,) in left] == [int(a) for (a,) in again]


@pytest.mark.parametrize(
    ("sizes", "kind"),
    [
        ({}, ValueError),
        ({"left_size": 10}, ValueError),
        ({"left_size": 1.0}, ValueError),
        ({"left_size": 0.8, "right_size": 5}, ValueError),
        ({"left_size": "a"}, TypeError),
        ({"left_size": 0.01}, ValueError),
    ],
)
def test_split_dataset_refuses(sizes: dict[str, float], kind: type[Exception]) -> None:
    with pytest.raises(kind, match="split_dataset"):
        split_dataset(np.arange(10), **sizes)
    with pytest.raises(ValueError, match="one length"):
        split_dataset((np.arange(3), np.arange(4)), left_size=1)
