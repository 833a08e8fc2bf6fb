"""Files in folders by class, for the data sets that are made of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._core.errors import argument_error, choice, positive_int
from .._core.progress import say
from .dataset import Dataset, Rows, from_rows
from .dataset_trees import Tree

SUBSETS = ("training", "validation", "both")
LABEL_MODES = ("int", "categorical", "binary")


class Labelled(NamedTuple):
    """Files and their labels.

    Attributes:
        paths: The files.
        labels: A label each.
        class_names: What the labels stand for.
    """

    paths: list[str]
    labels: Any
    class_names: list[Any]

    def part(self, files: slice) -> Labelled:
        """Return some of them."""
        return Labelled(self.paths[files], self.labels[files], self.class_names)


class FolderOptions(NamedTuple):
    """The arguments that all data sets from folders take, as their docstrings tell."""

    directory: Any
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None

    def checked(self, owner: str) -> FolderOptions:
        """Return the arguments, with a seed and one form for each meaning.

        Args:
            owner: The function that was called.

        Raises:
            ValueError: An argument out of its range, or some that do not go together.
        """
        labels, mode, split = self.labels, self.label_mode, self.validation_split
        if labels is not None and not isinstance(labels, (list, tuple)) and labels != "inferred":
            raise argument_error(owner, "labels", "'inferred', None, or a list with a label for each file", labels)
        if isinstance(labels, (list, tuple)) and self.class_names:
            raise argument_error(owner, "class_names", "None where labels are given", self.class_names)
        if self.batch_size is not None:
            positive_int(owner, "batch_size", self.batch_size)
        if mode is not None:
            choice(owner, "label_mode", mode, LABEL_MODES)
        if split and not 0 < split < 1:
            raise argument_error(owner, "validation_split", "between 0 and 1", split)
        if self.subset is not None:
            choice(owner, "subset", self.subset, SUBSETS)
        if bool(split) != bool(self.subset):
            raise ValueError(f"{owner}: validation_split and subset go together; give both or neither.")
        if split and self.shuffle and self.seed is None:
            raise ValueError(
                f"{owner}: a validation_split of shuffled files needs a seed, so that both subsets have no file in "
                f"common."
            )
        if labels is None or mode is None:
            labels = mode = None
        seed = np.random.randint(1_000_000) if self.seed is None else self.seed
        return self._replace(labels=labels, label_mode=mode, seed=seed, directory=os.fspath(self.directory))

    def datasets(
        self, owner: str, formats: tuple[str, ...], rows_of: Callable[[list[str], Tensor | None], Rows]
    ) -> Any:
        """Return the data set that was asked for, or a list of both subsets.

        Args:
            owner: The function that was called.
            formats: What the names of files may end in.
            rows_of: Makes the elements of files and labels.

        Raises:
            ValueError: An argument that does not fit the files, or no files.
        """
        options = self.checked(owner)
        files = index_directory(owner, options, formats)
        if options.label_mode == "binary" and len(files.class_names) != 2:
            raise argument_error(owner, "label_mode", "'binary' with two classes alone", files.class_names)
        made = []
        for number, part in enumerate(subsets(owner, files, options, formats)):
            labels = encoded(part.labels, options.label_mode, len(files.class_names))
            # Keras shuffles all that it returns but the second of both subsets.
            dataset = shuffled_batches(
                rows_of(part.paths, labels), self.batch_size, self.shuffle and not number, options.seed
            )
            dataset.class_names, dataset.file_paths = files.class_names, part.paths
            made.append(dataset)
        return made if options.subset == "both" else made[0]


def index_directory(owner: str, options: FolderOptions, formats: tuple[str, ...]) -> Labelled:
    """Return the files of a folder and their labels, in the order that the seed gives.

    Args:
        owner: The function that was called.
        options: Its arguments, checked.
        formats: What the names of files may end in.

    Raises:
        ValueError: Names of classes that are no folders, or another number of labels than of files.
    """
    directory, labels = options.directory, options.labels
    folders, class_names = [""], [""]
    if labels == "inferred":
        entries = sorted(os.listdir(directory))
        folders = [name for name in entries if os.path.isdir(os.path.join(directory, name)) and name[0] != "."]
        class_names = list(options.class_names or folders)
        if set(class_names) != set(folders):
            raise argument_error(owner, "class_names", f"the names of the folders, {folders}", class_names)
    files = [(path, name) for name in folders for path in _files(os.path.join(directory, name), formats)]
    paths = [path for path, _ in files]
    numbers: Any = np.array([class_names.index(name) for _, name in files], "int32")
    if isinstance(labels, (list, tuple)):
        if len(labels) != len(paths):
            raise argument_error(owner, "labels", f"{len(paths)} labels, one for each file", labels)
        class_names = sorted(set(labels))
        numbers = np.asarray(labels)
        numbers = numbers.astype("int32" if numbers.dtype.kind in "iub" else "float32")
    say(f"Found {len(paths)} files belonging to {len(class_names)} classes.")
    if options.shuffle:
        np.random.RandomState(options.seed).shuffle(paths)
        np.random.RandomState(options.seed).shuffle(numbers)
    return Labelled(paths, numbers, class_names)


def _files(folder: str, formats: tuple[str, ...]) -> list[str]:
    """Return the files in a folder and those below it, links followed, in the order of their folders."""
    walked = sorted(os.walk(folder, followlinks=True), key=lambda entry: entry[0])
    return [os.path.join(root, name) for root, _, names in walked for name in sorted(names) if _ends(name, formats)]


def _ends(name: str, formats: tuple[str, ...]) -> bool:
    return name.lower().endswith(formats)


def subsets(owner: str, files: Labelled, options: FolderOptions, formats: tuple[str, ...]) -> list[Labelled]:
    """Return the files that were asked for: one part, or those to train and to validate on.

    Args:
        owner: The function that was called.
        files: All files.
        options: Its arguments, checked.
        formats: What the names of files may end in.

    Raises:
        ValueError: There are none.
    """
    parts = [files]
    if options.subset is not None:
        held_out = int((options.validation_split or 0) * len(files.paths))
        told = {
            "training": (slice(None, -held_out), f"Using {len(files.paths) - held_out} files for training."),
            "validation": (slice(-held_out, None), f"Using {held_out} files for validation."),
        }
        wanted = ("training", "validation") if options.subset == "both" else (options.subset,)
        parts = []
        for name in wanted:
            part, line = told[name]
            say(line)
            parts.append(files.part(part))
    if not all(part.paths for part in parts):
        raise ValueError(
            f"{owner}(directory={options.directory!r}): a part has no files; names must end in {', '.join(formats)}."
        )
    return parts


def encoded(labels: Any, mode: str | None, classes: int) -> Tensor | None:
    """Return labels as a tensor; `None` where there are to be none.

    Args:
        labels: A number each.
        mode: One of `LABEL_MODES`.
        classes: How many classes there are.
    """
    if mode is None:
        return None
    numbers = torch.from_numpy(np.array(labels))
    if mode == "binary":
        return numbers.float().unsqueeze(-1)
    if mode == "categorical":
        return (numbers.unsqueeze(-1) == torch.arange(classes)).float()
    return numbers


class FileRows:
    """Elements that are read from files, with labels if there are some.

    Args:
        paths: The files.
        labels: A label each.
    """

    slow = True

    def __init__(self, paths: Sequence[str], labels: Tensor | None) -> None:
        self.paths, self.labels = paths, labels

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.paths)

    def read(self, path: str) -> Any:
        """Return what is in a file."""
        raise NotImplementedError

    def stack(self, contents: list[Any]) -> Any:
        """Return what is in several files as a batch."""
        raise NotImplementedError

    def row(self, index: int) -> Tree:
        """Return one element."""
        content = self.read(self.paths[index])
        return content if self.labels is None else (content, self.labels[index])

    def __getitem__(self, indices: Sequence[int]) -> Tree:
        """Return several elements as a batch."""
        contents = self.stack([self.read(self.paths[index]) for index in indices])
        return contents if self.labels is None else (contents, self.labels[torch.tensor(indices)])


def shuffled_batches(rows: Rows, batch_size: int | None, shuffle: bool, seed: int | None) -> Dataset:
    """Return rows in batches, shuffled anew in each pass.

    Args:
        rows: The rows.
        batch_size: Rows in a batch; one by one if `None`.
        shuffle: Whether they are shuffled.
        seed: The seed of that.
    """
    dataset = from_rows(rows)
    if shuffle:
        dataset = dataset.shuffle(1024 if batch_size is None else 8 * batch_size, seed=seed)
    return dataset if batch_size is None else dataset.batch(batch_size)
