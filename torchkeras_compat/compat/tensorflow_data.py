"""`tf.data`: the names beside `Dataset`, and those that were functions for `apply` before they were its methods."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from .._core.strings import StringTensor
from .._core.tensor_shape import TensorShape
from ..utils.dataset import AUTOTUNE, Dataset, sized_dataset
from ..utils.dataset_iterator import DatasetIterator, Optional
from ..utils.dataset_trees import INFINITE, UNKNOWN, Stops, mapped
from ..utils.text_dataset import text_lines
from .tensorflow_csv import CSV
from .tensorflow_module import Options
from .tensorflow_records import record_dataset
from .tensorflow_strings import strings


def _for_apply(method: str) -> Callable[..., Any]:
    """Return what makes the argument of `dataset.apply` of a method's arguments."""

    def with_arguments(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        return lambda dataset: getattr(dataset, method)(*args, **kwargs)

    return with_arguments


def values_of(dataset: Dataset, shared_name: str | None = None) -> DatasetIterator:
    """Return an iterator over a data set, which gives values unless the script has asked for graphs.

    Args:
        dataset: The data set.
        shared_name: Accepted.
    """
    return DatasetIterator(dataset, eager=True)


def assert_cardinality(expected_cardinality: Any) -> Callable[[Dataset], Dataset]:
    """Return what tells a data set how many elements it has.

    Args:
        expected_cardinality: The number; -1 without end.

    Raises:
        ValueError: In a pass, where there are more or fewer.
    """
    expected = int(expected_cardinality)

    def counted(dataset: Dataset) -> Dataset:
        def items(stops: Stops) -> Iterator[Any]:
            seen = 0
            for item in dataset._elements(stops):
                seen += 1
                if 0 <= expected < seen:
                    break
                yield item
            if expected not in (seen, UNKNOWN):
                told = "more" if seen > expected >= 0 else str(seen)
                raise ValueError(f"assert_cardinality: {expected} elements were announced; there are {told}.")

        return dataset._derived(items, expected)

    return counted


def map_and_batch(
    map_func: Callable[..., Any],
    batch_size: int,
    num_parallel_batches: Any = None,
    drop_remainder: bool = False,
    num_parallel_calls: Any = None,
) -> Callable[[Dataset], Dataset]:
    """Return what maps a data set and makes batches of it.

    Args:
        map_func: The function of an element.
        batch_size: Elements in a batch.
        num_parallel_batches: Accepted.
        drop_remainder: Whether a last, shorter batch is left out.
        num_parallel_calls: Accepted.
    """
    return lambda dataset: dataset.map(map_func).batch(batch_size, drop_remainder)


def shuffle_and_repeat(
    buffer_size: int, count: int | None = None, seed: int | None = None
) -> Callable[[Dataset], Dataset]:
    """Return what shuffles a data set and repeats it.

    Args:
        buffer_size: As in `shuffle`.
        count: How many times; without end if `None`.
        seed: Makes the order repeat.
    """
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def parallel_interleave(
    map_func: Callable[..., Any],
    cycle_length: int,
    block_length: int = 1,
    sloppy: bool = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> Callable[[Dataset], Dataset]:
    """Return what interleaves data sets; they are read in one thread.

    Args:
        map_func: Returns a data set.
        cycle_length: How many take turns.
        block_length: How many elements one gives at its turn.
        sloppy: Accepted.
        buffer_output_elements: Accepted.
        prefetch_input_elements: Accepted.
    """
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length)


def _unchanged(*args: Any, **kwargs: Any) -> Callable[[Dataset], Dataset]:
    """Return what leaves a data set as it is: batches go to the model's device."""
    return lambda dataset: dataset


def _save(dataset: Dataset, path: Any, compression: str | None = None, shard_func: Any = None, **kwargs: Any) -> None:
    dataset.save(path, compression, shard_func, **kwargs)


def _types(dataset: Any) -> Any:
    return mapped(lambda spec: spec.dtype, _spec_of(dataset))


def _shapes(dataset: Any) -> Any:
    return mapped(lambda spec: TensorShape(spec.shape), _spec_of(dataset))


def _spec_of(dataset: Any) -> Any:
    return getattr(dataset, "dataset", dataset).element_spec  # an iterator has its data set


def fixed_length_records(
    filenames: Any,
    record_bytes: Any,
    header_bytes: Any = None,
    footer_bytes: Any = None,
    buffer_size: Any = None,
    compression_type: str | None = None,
    num_parallel_reads: Any = None,
    name: Any = None,
) -> Dataset:
    """Return runs of bytes of files, all of one length, as strings.

    Args:
        filenames: A path or several.
        record_bytes: The length.
        header_bytes: How many bytes are left out at the beginning of a file.
        footer_bytes: How many at its end.
        buffer_size: Accepted.
        compression_type: Refused.
        num_parallel_reads: Accepted.
        name: Accepted.

    Raises:
        ValueError: A file whose bytes make no whole number of records, or a compressed one.
    """
    if compression_type:
        raise ValueError("tf.data.FixedLengthRecordDataset: compressed files are not read; unpack them first.")
    size, head, foot = int(record_bytes), int(header_bytes or 0), int(footer_bytes or 0)

    def elements(stops: Stops) -> Iterator[Any]:
        for path in np.ravel(np.asarray(strings(filenames), dtype=object)):
            length = os.path.getsize(path) - head - foot
            if length % size:
                told = f"{length} bytes are no whole number of records of {size}"
                raise ValueError(f"tf.data.FixedLengthRecordDataset: {os.fsdecode(path)}: {told}.")
            with open(path, "rb") as file:
                file.seek(head)
                for _ in range(length // size):
                    yield StringTensor.of(np.array(file.read(size), dtype=object))

    return sized_dataset(elements, UNKNOWN)


DATA: dict[str, Any] = {
    **dict.fromkeys(("make_one_shot_iterator", "make_initializable_iterator"), values_of),
    "Dataset": Dataset,
    "TFRecordDataset": record_dataset,
    "FixedLengthRecordDataset": fixed_length_records,
    "Options": Options,
    "AUTOTUNE": AUTOTUNE,
    "INFINITE_CARDINALITY": INFINITE,
    "UNKNOWN_CARDINALITY": UNKNOWN,
    "TextLineDataset": text_lines,
}
OF_VERSION_1: dict[str, Any] = {
    "get_output_types": _types,
    "get_output_shapes": _shapes,
}
EXPERIMENTAL: dict[str, Any] = {
    "AUTOTUNE": AUTOTUNE,
    "INFINITE_CARDINALITY": INFINITE,
    "UNKNOWN_CARDINALITY": UNKNOWN,
    "Optional": Optional,
    "cardinality": Dataset.cardinality,
    "AutoShardPolicy": SimpleNamespace(AUTO="auto", DATA="data", FILE="file", OFF="off", HINT="hint"),
    "sample_from_datasets": Dataset.sample_from_datasets,
    "choose_from_datasets": functools.partial(Dataset.choose_from_datasets, stop_on_empty_dataset=False),
    "RandomDataset": Dataset.random,
    "Counter": Dataset.counter,
    "get_structure": _spec_of,
    "get_single_element": lambda dataset: dataset.get_single_element(),
    "save": _save,
    "load": Dataset.load,
    "assert_cardinality": assert_cardinality,
    "map_and_batch": map_and_batch,
    "shuffle_and_repeat": shuffle_and_repeat,
    "parallel_interleave": parallel_interleave,
    "dense_to_ragged_batch": _for_apply("ragged_batch"),
    **dict.fromkeys(("prefetch_to_device", "copy_to_device"), _unchanged),
    **{
        name: _for_apply(name)
        for name in (
            "bucket_by_sequence_length group_by_window ignore_errors rejection_resample scan snapshot take_while "
            "unbatch unique"
        ).split()
    },
    **CSV,
}
