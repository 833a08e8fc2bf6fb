"""Data sets of texts in folders."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from .._core.errors import argument_error, positive_int
from .._core.strings import StringTensor
from .dataset import Dataset
from .dataset_trees import UNKNOWN, as_tensor
from .dataset_utils import FileRows, FolderOptions

FORMATS = (".txt",)


class _TextFiles(FileRows):
    """Texts, as bytes.

    Args:
        paths: The files.
        labels: A label each.
        max_length: How many bytes of a text are kept; all if `None`.
    """

    def __init__(self, paths: Sequence[str], labels: Tensor | None, max_length: int | None) -> None:
        super().__init__(paths, labels)
        self.max_length = max_length

    def read(self, path: str) -> StringTensor:
        return StringTensor.of(Path(path).read_bytes()[: self.max_length])

    def stack(self, contents: list[Any]) -> StringTensor:
        return StringTensor.of([text.numpy() for text in contents])


def text_lines(filenames: Any, compression_type: str | None = None, *options: Any, **kwargs: Any) -> Dataset:
    """Return the lines of files, without what ends them, as `tf.data.TextLineDataset` does.

    Args:
        filenames: A path, a list of them, or a data set.
        compression_type: `'GZIP'`, or nothing.
        options: Accepted: `buffer_size`, `num_parallel_reads`.
        kwargs: Accepted.

    Raises:
        ValueError: Another compression.
    """
    if compression_type not in (None, "", "GZIP"):
        raise argument_error("TextLineDataset", "compression_type", "None, '' or 'GZIP'", compression_type)
    reader: Any = gzip.open if compression_type else open
    names = filenames if isinstance(filenames, Dataset) else np.ravel(as_tensor(filenames).numpy()).tolist()

    def lines(stops: list[Any]) -> Iterator[Any]:
        for name in names:
            with reader(as_tensor(name).item().decode(), "rb") as file:
                for line in file:
                    yield StringTensor.of(line.removesuffix(b"\n").removesuffix(b"\r"))

    return Dataset(lines, UNKNOWN)


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
) -> Any:
    """Return a data set of the `.txt` files in a folder, whose folders are the classes.

    Texts are bytes, as in TensorFlow, and `TextVectorization` takes them. The files and their order for a seed are
    those of Keras 2.15.

    Args:
        directory: The folder.
        labels: `'inferred'` from the folders, `None` for none, or a list with a label for each file, in the order of
            their paths.
        label_mode: `'int'`, `'categorical'`, `'binary'`, or `None` for no labels.
        class_names: The names of the folders, in the order that the classes are to have.
        batch_size: Texts in a batch; one by one if `None`.
        max_length: How many bytes of a text are kept; all if `None`.
        shuffle: Whether the files are shuffled, and batches anew in each epoch.
        seed: The seed of that; drawn from numpy if `None`.
        validation_split: The share of the files, the last ones, to validate on.
        subset: `'training'`, `'validation'`, or `'both'` for a list of the two.
        follow_links: Accepted: links to folders are followed in any case, as TensorFlow does.

    Shape:
        Batches of `(batch,)` texts, and labels of `(batch,)`, `(batch, classes)` or `(batch, 1)`.

    Raises:
        ValueError: An argument out of its range, or no texts.

    Example:
        >>> import os, pathlib, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> for name, text in (('neg', 'dull'), ('pos', 'a gem')):
        ...     os.makedirs(f'{folder}/{name}')
        ...     _ = pathlib.Path(f'{folder}/{name}/1.txt').write_text(text)
        >>> data = text_dataset_from_directory(folder, shuffle=False)
        Found 2 files belonging to 2 classes.
        >>> [(x.numpy().tolist(), y.tolist()) for x, y in data]
        [([b'dull', b'a gem'], [0, 1])]
    """
    owner = "text_dataset_from_directory"
    length = None if max_length is None else positive_int(owner, "max_length", max_length)
    options = FolderOptions(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset
    )
    return options.datasets(owner, FORMATS, lambda paths, targets: _TextFiles(paths, targets, length))
