"""Data sets that leave elements out, cut batches anew or count; the values are those of TensorFlow 2.15.1."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from torchkeras_compat.utils.dataset import Dataset


def numbers(data: Dataset) -> list[int]:
    return [int(x) for x in data]


def test_different_elements() -> None:
    assert numbers(Dataset.from_tensor_slices([1, 37, 2, 37, 2, 1]).unique()) == [1, 37, 2]
    words = Dataset.from_tensor_slices(["a", "b", "a"]).unique()
    assert list(words.as_numpy_iterator()) == [b"a", b"b"]


def test_errors_of_elements_are_passed_over() -> None:
    def inverse(x: torch.Tensor) -> torch.Tensor:
        if not float(x):
            raise ValueError("division by zero")
        return 1 / x

    data = Dataset.from_tensor_slices([1.0, 0.0, 4.0])
    assert [float(x) for x in data.map(inverse).map(lambda x: x * 2).ignore_errors()] == [2.0, 0.5]
    assert [float(x) for x in data.filter(lambda x: inverse(x) > 0).ignore_errors()] == [1.0, 4.0]
    with pytest.raises(TypeError, match="write ignore_errors right behind them"):
        data.map(inverse).batch(2).ignore_errors()


def test_batches_are_cut_anew() -> None:
    assert [x.tolist() for x in Dataset.range(7).batch(3).rebatch(2)] == [[0, 1], [2, 3], [4, 5], [6]]
    assert [x.tolist() for x in Dataset.range(7).batch(3).rebatch(2, drop_remainder=True)] == [[0, 1], [2, 3], [4, 5]]
    rows = Dataset.from_generator(lambda: iter([[1], [1, 2], []]), "int32", [None])
    assert [batch.to_list() for batch in rows.ragged_batch(2)] == [[[1], [1, 2]], [[]]]
    with pytest.raises(ValueError, match=r"one shape; got \(1,\) and \(2,\); write padded_batch"):
        list(rows.batch(2))


def test_classes_become_as_frequent_as_told() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    data = Dataset.from_tensor_slices((np.arange(100), labels)).repeat(40)
    for known in ([0.9, 0.1], None):
        pairs = data.rejection_resample(lambda x, y: y, [0.5, 0.5], known, seed=3)
        classes = [(int(number), int(y)) for number, (x, y) in pairs]
        assert all(number == y for number, y in classes)
        assert 500 < len(classes) < 1200  # 400 of the rare class, all of them kept
        assert abs(np.mean([y for _, y in classes]) - 0.5) < 0.06


def test_numbers_without_end() -> None:
    assert numbers(Dataset.counter(start=3, step=2).take(3)) == [3, 5, 7]
    drawn = Dataset.random(seed=4).take(3)
    assert numbers(drawn) == numbers(drawn)
    assert next(iter(drawn)).dtype is torch.int64
    free = Dataset.random().take(3)
    assert numbers(free) != numbers(free)


def test_the_form_of_what_is_joined() -> None:
    pair = Dataset.zip({"a": Dataset.range(2), "b": (Dataset.range(3), Dataset.range(5, 9))})
    assert list(pair.as_numpy_iterator()) == [{"a": 0, "b": (0, 5)}, {"a": 1, "b": (1, 6)}]
    assert list(Dataset.zip(Dataset.range(2), Dataset.range(2)).as_numpy_iterator()) == [(0, 0), (1, 1)]
    assert numbers(Dataset.range(3).skip(-1)) == []


def test_strings_in_padded_batches() -> None:
    def rows() -> itertools.chain[tuple[list[int], str]]:
        return itertools.chain([([1, 2], "a"), ([3], "bc")])

    data = Dataset.from_generator(rows, ("int32", "string"), ((None,), ()))
    [(x, names)] = data.padded_batch(2)
    assert x.tolist() == [[1, 2], [3, 0]]
    assert names.tolist() == [b"a", b"bc"]


def test_what_a_data_set_says_of_itself() -> None:
    data = Dataset.from_tensor_slices((np.zeros((2, 3)), [1, 2])).batch(2)
    x = "TensorSpec(shape=(None, 3), dtype=tf.float64, name=None)"
    y = "TensorSpec(shape=(None,), dtype=tf.int32, name=None)"
    assert repr(data) == f"<Dataset element_spec=({x}, {y})>"
    assert bool(Dataset.range(0))
    assert repr(Dataset.range(0)) == "<Dataset without elements>"
    rows = Dataset.from_generator(lambda: iter([[1]]), "int32", [None])
    assert rows.element_spec.shape == (None,)
    assert [type(x) for x in Dataset.range(1).as_numpy_iterator()] == [np.int64]
    assert Dataset.range(5).reduce(np.int64(0), lambda s, x: s + x).numpy() == 10


def test_elements_that_may_be_none() -> None:
    elements = iter(Dataset.range(1))
    first, second = elements.get_next_as_optional(), elements.get_next_as_optional()
    assert bool(first.has_value())
    assert int(first.get_value()) == 0
    assert not bool(second.has_value())
    with pytest.raises(ValueError, match="there is no value"):
        second.get_value()
