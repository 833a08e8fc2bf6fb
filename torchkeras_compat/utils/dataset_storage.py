"""The part of a data set that keeps elements: in memory, or in files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from . import dataset_files
from .dataset_trees import Chained, Stops, Tree

ELEMENTS = "elements.data"


class Storage(Chained):
    """What is read once and kept."""

    def cache(self, filename: Any = "", name: str | None = None) -> Any:
        """Return the elements of the first whole pass, kept in memory or in a file.

        Args:
            filename: Where they are kept, also for the next run of a script; in memory if `''`. The file has
                `.data` behind it, and TensorFlow does not read it.
            name: Accepted.
        """
        path = _as_path(filename)
        if path:
            return self._kept_in(f"{path}.data")
        kept: list[Any] = []
        done: list[bool] = []

        def items(stops: Stops) -> Iterator[Any]:
            if done:
                yield from kept
                return
            seen = []
            for item in self._elements(stops):
                seen.append(item)
                yield item
            if not done:
                kept.extend(seen)
                done.append(True)

        return self._derived(items, self._length)

    def snapshot(
        self,
        path: Any,
        compression: str = "AUTO",
        reader_func: Callable[[Any], Any] | None = None,
        shard_func: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> Any:
        """Return the elements of the first whole pass, kept in a folder.

        Args:
            path: The folder.
            compression: Accepted: nothing is compressed.
            reader_func: Refused.
            shard_func: Refused.
            name: Accepted.
        """
        _refuse_functions("Dataset.snapshot", reader_func, shard_func)
        return self._kept_in(os.path.join(_as_path(path), ELEMENTS))

    def save(
        self,
        path: Any,
        compression: str | None = None,
        shard_func: Callable[..., Any] | None = None,
        checkpoint_args: Any = None,
    ) -> None:
        """Write the elements into a folder, from where `Dataset.load` reads them.

        Args:
            path: The folder.
            compression: Accepted: nothing is compressed.
            shard_func: Refused.
            checkpoint_args: Refused.
        """
        _refuse_functions("Dataset.save", shard_func, checkpoint_args)
        for _ in dataset_files.written(os.path.join(_as_path(path), ELEMENTS), self._elements([])):
            pass

    @classmethod
    def load(
        cls,
        path: Any,
        element_spec: Tree = None,
        compression: str | None = None,
        reader_func: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Return the elements that `save` has written.

        Args:
            path: The folder.
            element_spec: Accepted: the file tells it.
            compression: Accepted.
            reader_func: Refused.

        Raises:
            FileNotFoundError: Nothing of this package's is there; what TensorFlow has saved is not read.
        """
        _refuse_functions("Dataset.load", reader_func)
        file = os.path.join(_as_path(path), ELEMENTS)
        if not os.path.exists(file):
            raise FileNotFoundError(
                f"Dataset.load: {_as_path(path)!r} holds nothing that Dataset.save of this package has written."
            )
        return cls._begun_by(lambda: dataset_files.read(file), dataset_files.count(file))

    def _kept_in(self, file: str) -> Any:
        def items(stops: Stops) -> Iterator[Any]:
            if os.path.exists(file):
                return dataset_files.read(file)
            return dataset_files.written(file, self._elements(stops))

        return self._derived(items, self._length)


def _as_path(path: Any) -> str:
    text = path.numpy() if hasattr(path, "numpy") else path
    return os.fsdecode(text)


def _refuse_functions(where: str, *values: Any) -> None:
    if any(value is not None for value in values):
        raise ValueError(
            f"{where}: files are written and read in one piece; leave out functions of shards and readers."
        )
