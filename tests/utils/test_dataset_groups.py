"""Groups, buckets and choices of data sets, and elements of generators; the values are those of TensorFlow 2.15.1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from torchkeras_compat import layers
from torchkeras_compat._core.tensor_shape import TensorSpec
from torchkeras_compat.utils.dataset import Dataset


def rows_of_lengths() -> Dataset:
    def rows() -> Iterator[Any]:
        for n in (1, 5, 2, 6, 3, 9, 4):
            yield [n] * n, n

    return Dataset.from_generator(rows, output_types=("int32", "float32"), output_shapes=([None], []))


def by_length(boundaries: list[int], sizes: list[int], **options: Any) -> list[Any]:
    texts = rows_of_lengths().map(lambda x, y: x)
    if options.get("pad_to_bucket_boundary"):
        texts = texts.filter(lambda x: len(x) < 7)
    return [b.tolist() for b in texts.bucket_by_sequence_length(len, boundaries, sizes, **options)]


def test_buckets_by_length() -> None:
    assert by_length([4, 7], [2, 2, 1]) == [
        *([[1, 0], [2, 2]], [[5, 5, 5, 5, 5, 0], [6, 6, 6, 6, 6, 6]], [[9] * 9], [[3, 3, 3]], [[4, 4, 4, 4]]),
    ]
    assert by_length([4, 7], [2, 2, 1], pad_to_bucket_boundary=True, padding_values=-1) == [
        *([[1, -1, -1], [2, 2, -1]], [[5, 5, 5, 5, 5, -1], [6, 6, 6, 6, 6, 6]], [[3, 3, 3]], [[4, 4, 4, 4, -1, -1]]),
    ]
    pairs = (
        rows_of_lengths()
        .take(5)
        .bucket_by_sequence_length(lambda x, y: len(x), [4], [2, 2], padded_shapes=([None], []), drop_remainder=True)
    )
    assert [(x.shape[1], y.tolist()) for x, y in pairs] == [(2, [1.0, 2.0]), (6, [5.0, 6.0])]
    with pytest.raises(ValueError, match="2 ranges, each with its batch size; got 1"):
        by_length([4], [2])
    with pytest.raises(ValueError, match="cannot be filled up to it"):
        by_length([2], [2, 2], pad_to_bucket_boundary=True)


def test_groups_of_a_key() -> None:
    ten = Dataset.range(10)
    groups = ten.group_by_window(lambda x: x % 3, lambda key, group: group.batch(2), window_size=2)
    assert [g.tolist() for g in groups] == [[0, 3], [1, 4], [2, 5], [6, 9], [7], [8]]
    groups = ten.group_by_window(
        lambda x: 2 - x % 3, lambda key, group: group.map(lambda x: x * 10 + key), window_size_func=lambda key: key + 1
    )
    assert [int(x) for x in groups] == [20, 11, 41, 50, 2, 32, 62, 80, 71, 92]
    with pytest.raises(ValueError, match="one of the two"):
        ten.group_by_window(int, lambda key, group: group)


def test_elements_of_several() -> None:
    both, choice = [Dataset.range(3), Dataset.range(10, 12)], Dataset.from_tensor_slices(np.array([0, 1, 1, 1, 0, 0]))
    assert [int(x) for x in Dataset.choose_from_datasets(both, choice)] == [0, 10, 11]
    assert [int(x) for x in Dataset.choose_from_datasets(both, choice, False)] == [0, 10, 11, 1, 2]
    drawn = Dataset.sample_from_datasets(both, seed=3)
    assert sorted(int(x) for x in drawn) == [0, 1, 2, 10, 11]
    assert [int(x) for x in drawn] == [int(x) for x in drawn]
    certain = Dataset.sample_from_datasets([Dataset.range(3).repeat(), both[1]], weights=[1.0, 0.0]).take(5)
    assert [int(x) for x in certain] == [0, 1, 2, 0, 1]
    assert len([*Dataset.sample_from_datasets(both, weights=[1.0, 0.0], stop_on_empty_dataset=True)]) == 3


GENERATED: list[tuple[Callable[[], Any], dict[str, Any], Any]] = [
    (lambda: [[1, 2], [3, 4]], {"output_types": "float32"}, ["float32", (2,)]),
    (lambda: [(1, 2)], {"output_types": ("int64", "float64")}, [("int64", ()), ("float64", ())]),
    (
        lambda: [{"a": 1, "b": np.ones(2)}],
        {"output_signature": {"a": TensorSpec((), "int64"), "b": TensorSpec((None,), "float32")}},
        {"a": ("int64", ()), "b": ("float32", (2,))},
    ),
    (lambda: [np.ones(2)], {}, ["float64", (2,)]),
]


@pytest.mark.parametrize(("generator", "options", "expected"), GENERATED)
def test_elements_of_generators_get_their_types(generator: Any, options: dict[str, Any], expected: Any) -> None:
    element = next(iter(Dataset.from_generator(generator, **options)))

    def told(leaf: Any) -> tuple[str, tuple[int, ...]]:
        return str(leaf.dtype).removeprefix("torch."), tuple(leaf.shape)

    if isinstance(element, dict):
        assert {key: told(part) for key, part in element.items()} == expected
    elif isinstance(element, tuple):
        assert [told(part) for part in element] == expected
    else:
        assert list(told(element)) == expected


def test_elements_that_are_not_as_announced() -> None:
    for types, shapes, match in (
        ("int32", [2], r"shape \(2,\) was announced; got one of \(3,\)"),
        (("int32", "int32"), None, "must have 2 parts"),
        ({"a": "int32"}, None, r"must have the keys \['a'\]"),
    ):
        with pytest.raises(ValueError, match=match):
            next(iter(Dataset.from_generator(lambda: [[1, 2, 3]], types, shapes)))


def test_get_next_and_its_end() -> None:
    elements = iter(Dataset.range(1))
    assert int(elements.get_next()) == 0  # type: ignore[attr-defined]
    with pytest.raises(IndexError):  # tf.errors.OutOfRangeError
        elements.get_next()  # type: ignore[attr-defined]


def test_specs_are_shown_as_tensorflow_shows_them() -> None:
    assert repr(Dataset.range(3).batch(2).element_spec) == "TensorSpec(shape=(None,), dtype=tf.int64, name=None)"


def test_words_of_a_users_split_are_texts() -> None:
    from torchkeras_compat.compat.tensorflow_strings import STRINGS

    layer = layers.TextVectorization(standardize=STRINGS["lower"], split=STRINGS["split"], vocabulary=["b", "a"])
    assert layer(["A b c"]).tolist() == [[3, 2, 1]]
    layer = layers.TextVectorization(standardize=STRINGS["lower"], split=STRINGS["split"])
    layer.adapt(["A a b"])
    assert layer.get_vocabulary() == ["", "[UNK]", "a", "b"]
