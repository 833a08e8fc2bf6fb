"""`tf.train.Checkpoint` and what reads its files: the way of scripts that write their own training loops."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, SupportsIndex

import numpy as np
import torch

from .. import backend as K
from .._core import settings
from .checkpoints import latest_checkpoint, note_latest
from .object_files import ObjectFile, write_objects
from .object_graph import identity, is_trackable, parts
from .restoring import Restoration, RestoreStatus


class Checkpoint:
    """A group of objects whose values are written to one file, and restored from it by the names of attributes.

    Objects may be variables, layers, models, optimizers, metrics, torch's modules, passes over a `tf.data.Dataset`,
    other checkpoints, and lists and dictionaries of these. What an object has not yet when it is restored, it gets when
    it is there: a layer when it is built, an optimizer before its first step.

    Args:
        root: An object whose parts are meant without a name before them, such as a model.
        kwargs: Objects by name.

    Attributes:
        save_counter: How often `save` has been called; a variable.

    Raises:
        ValueError: An object that has no place in a checkpoint.

    Example:
        >>> import os, tempfile
        >>> from torchkeras_compat import backend as K
        >>> checkpoint = Checkpoint(step=K.variable(3))
        >>> path = checkpoint.save(os.path.join(tempfile.mkdtemp(), 'ckpt'))
        >>> os.path.basename(path)
        'ckpt-1'
        >>> _ = checkpoint.step.assign(7)
        >>> _ = checkpoint.restore(path).assert_consumed()
        >>> float(checkpoint.step)
        3.0
    """

    _restorations: list[tuple[Restoration, int]]
    _root: Any

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        self.__dict__.update(_restorations=[], _root=None, _counter=None)
        for name, value in (("root", root), *kwargs.items()):
            if not is_trackable(value) and not (name == "root" and value is None):
                raise ValueError(
                    f"tf.train.Checkpoint: {name} must be a variable, layer, model, optimizer, another checkpoint, an "
                    f"iterator of a data set, or a list or dictionary of these; got {value!r}. A number is kept as "
                    f"tf.Variable({name})."
                )
        self.__dict__["_root"] = root
        if root is not None:
            for name, value in parts(root):
                if name in kwargs and identity(parts({name: kwargs[name]})[0][1]) != identity(value):
                    raise ValueError(f"tf.train.Checkpoint: {name!r} is a part of root already; choose another name.")
        for name, value in kwargs.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if type(value) is list:
            value = _TrackedList(value, self)
        elif type(value) is dict:
            value = _TrackedDict(value, self)
        self.__dict__[name] = value
        if is_trackable(value):
            self._go_on()

    def _go_on(self) -> None:
        """Give what has been added since the last `restore` its values."""
        for restoration, number in list(self._restorations):
            restoration.match(self, number)

    def _checkpoint_parts(self, for_files: bool) -> dict[str, Any]:
        """Return the objects by name."""
        own = {
            name: value
            for name, value in self.__dict__.items()
            if name not in ("_restorations", "_root", "_counter") and is_trackable(value)
        }
        counter = {} if self._counter is None else {"save_counter": self._counter}
        held = {} if self._root is None else dict(parts(self._root, for_files))
        return {**held, **own, **counter}

    @property
    def save_counter(self) -> Any:
        """How often `save` has been called, with the times before `restore`; a variable."""
        if self.__dict__["_counter"] is None:
            self.__dict__["_counter"] = K.variable(torch.tensor(0), dtype="int64", name="save_counter")
            self._go_on()
        return self.__dict__["_counter"]

    _counter: Any

    # --- writing -------------------------------------------------------------------------------------------------

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Write all values to a file, and return its path.

        Args:
            file_prefix: The path; folders are made.
            options: Accepted: where TensorFlow runs what writes.
        """
        path: str = os.fspath(file_prefix)
        write_objects(os.path.expanduser(path), self)
        return path

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Write all values to a file with the next number, the latest of its folder then, and return its path.

        Args:
            file_prefix: The path without the number.
            options: As in `write`.
        """
        self.save_counter.assign_add(1)
        path = self.write(f"{os.fspath(file_prefix)}-{int(self.save_counter)}", options)
        note_latest(os.path.expanduser(path))
        return path

    # --- reading -------------------------------------------------------------------------------------------------

    def read(self, save_path: Any, options: Any = None) -> RestoreStatus:
        """Restore values from a file that `write` wrote.

        Args:
            save_path: The file.
            options: As in `write`.

        Returns:
            What to ask whether all has been found: `assert_consumed()` and its like, `expect_partial()`.

        Raises:
            FileNotFoundError: Nothing is there.
            ValueError: A value of another shape or type (nothing is changed then), or a file of another kind.
        """
        return self._restored("read", save_path)

    def restore(self, save_path: Any, options: Any = None) -> RestoreStatus:
        """Restore values from a file that `save` wrote, and the number of the next one.

        Args:
            save_path: The file; `None`, as `latest_checkpoint` gives it where there is none, restores nothing.
            options: As in `write`.

        Returns:
            As `read`.

        Raises:
            FileNotFoundError: Nothing is there.
            ValueError: A value of another shape or type (nothing is changed then), or a file of another kind.
        """
        if save_path is None:
            return RestoreStatus(None)
        status = self._restored("restore", save_path)
        _ = self.save_counter
        return status

    def _restored(self, method: str, save_path: Any) -> RestoreStatus:
        path = os.path.expanduser(os.fspath(save_path))
        restoration = Restoration(ObjectFile(path, f"Checkpoint.{method}({path!r})"), self)
        restoration.warn_of_missing()
        return RestoreStatus(restoration)


class _TrackedList(list[Any]):
    """A list in a checkpoint: what is added to it after a restore gets its value.

    Args:
        values: The items.
        owner: The checkpoint.
    """

    def __init__(self, values: Iterable[Any], owner: Checkpoint) -> None:
        super().__init__(values)
        self._owner = owner

    def append(self, item: Any) -> None:
        """Add an item at the end."""
        super().append(item)
        self._owner._go_on()

    def extend(self, items: Iterable[Any]) -> None:
        """Add items at the end."""
        super().extend(items)
        self._owner._go_on()

    def insert(self, index: SupportsIndex, item: Any) -> None:
        """Add an item before another one."""
        super().insert(index, item)
        self._owner._go_on()


class _TrackedDict(dict[Any, Any]):
    """A dictionary in a checkpoint: what is added to it after a restore gets its value.

    Args:
        values: The items.
        owner: The checkpoint.
    """

    def __init__(self, values: Mapping[Any, Any], owner: Checkpoint) -> None:
        super().__init__(values)
        self._owner = owner

    def __setitem__(self, key: Any, item: Any) -> None:
        super().__setitem__(key, item)
        self._owner._go_on()

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add items."""
        super().update(*args, **kwargs)
        self._owner._go_on()


# --- what is in a file -----------------------------------------------------------------------------------------------


class CheckpointReader:
    """Reads values of a checkpoint by their names.

    Args:
        path: The file.

    Raises:
        ValueError: A file of another kind.
    """

    def __init__(self, path: str) -> None:
        self._file = ObjectFile(path, f"load_checkpoint({path!r})")

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Return the shapes by name."""
        return {key: list(entry.shape) for key, entry in self._file.entries.items()}

    def get_variable_to_dtype_map(self) -> dict[str, np.dtype[Any]]:
        """Return the types by name, which have a `name`, too."""
        return {key: np.dtype(settings.dtype_name(entry.dtype)) for key, entry in self._file.entries.items()}

    def has_tensor(self, tensor_str: str) -> bool:
        """Tell whether there is a value of this name.

        Args:
            tensor_str: The name.
        """
        return tensor_str in self._file.entries

    def get_tensor(self, tensor_str: str) -> np.ndarray[Any, Any]:
        """Return a value as an array.

        Args:
            tensor_str: The name.

        Raises:
            ValueError: There is none of this name.
        """
        if not self.has_tensor(tensor_str):
            raise ValueError(
                f"{self._file.caller}: there is no {tensor_str!r}; there are {sorted(self._file.entries)}."
            )
        array: np.ndarray[Any, Any] = self._file.read([tensor_str])[tensor_str].numpy()
        return array


def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """Return what reads the values of a checkpoint.

    Args:
        ckpt_dir_or_file: The file, or a folder, whose latest one it is then.

    Raises:
        ValueError: The folder has none, or the file is of another kind.
    """
    path = os.path.expanduser(os.fspath(ckpt_dir_or_file))
    file = latest_checkpoint(path) if os.path.isdir(path) else path
    if file is None:
        raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {path}")
    return CheckpointReader(file)


def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """Return the names of the values of a checkpoint with their shapes.

    Args:
        ckpt_dir_or_file: As in `load_checkpoint`.
    """
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def load_variable(ckpt_dir_or_file: Any, name: str) -> np.ndarray[Any, Any]:
    """Return a value of a checkpoint.

    Args:
        ckpt_dir_or_file: As in `load_checkpoint`.
        name: The value's.
    """
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name)
