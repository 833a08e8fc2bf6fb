"""What a checkpoint gives back to objects: at once to those that are there, later to those that are built later."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Hashable
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from .._core.border import user_stacklevel
from .file_kinds import FileError
from .object_files import ObjectFile
from .object_graph import Joint, Leaf, identity, parts, walk

_NAMES = 8  # that a message lists
_COUNTER = "save_counter"


class Restoration:
    """One restoring of one object from one file.

    Args:
        file: The file.
        root: The object.
        skip_mismatch: Whether values of another shape are left out.

    Attributes:
        skipped: What was left out, and why.
    """

    def __init__(self, file: ObjectFile, root: Any, skip_mismatch: bool = False) -> None:
        self.file, self.root, self.skip_mismatch = file, root, skip_mismatch
        self.skipped: list[str] = []
        # what has its value → the object itself, so that its identity stays its own
        self._done: dict[Hashable, Any] = {}
        self._used: set[str] = set()
        self.match(root, 0)

    def match(self, root: Any, number: int) -> None:
        """Give an object, and all that it consists of now, their values: all of them, or none where one does not fit.

        Args:
            root: The object.
            number: Its number in the file.

        Raises:
            FileError: A value has another shape or type.
        """
        leaves: list[tuple[Leaf, str]] = []
        joints: list[tuple[Joint, list[str]]] = []
        waiting: set[str] = set()
        queue, seen = deque([(root, number)]), {}
        while queue:
            trackable, number = queue.popleft()
            if (identity(trackable), number) in seen or identity(trackable) in self._done:
                continue
            seen[identity(trackable), number] = trackable  # held, so that no other object gets its identity
            node = self.file.nodes[number]
            if isinstance(trackable, Leaf):
                if node.key is not None:
                    leaves.append((trackable, node.key))
                continue
            if isinstance(trackable, Joint):
                keys = [self.file.nodes[part].key for _, part in sorted(node.parts.items(), key=_by_number)]
                joints.append((trackable, [key for key in keys if key is not None]))
                continue
            if self._awaits(trackable, number):
                waiting.update(self.file.keys_below(number))
            queue += [(part, node.parts[name]) for name, part in parts(trackable) if name in node.parts]
        waiting.update(self._give(leaves, joints))
        self.file.hold(waiting - self._used)

    def _awaits(self, trackable: Any, number: int) -> bool:
        """Have an object that is not whole yet ask again, and tell whether it is one."""
        if getattr(trackable, "_is_layer", False) and not trackable.built:
            trackable._awaited = partial(_go_on, self, number)
            return True
        if hasattr(trackable, "_restorations"):
            trackable._restorations[:] = [(self, number)]
        return False

    def _give(self, leaves: list[tuple[Leaf, str]], joints: list[tuple[Joint, list[str]]]) -> set[str]:
        """Write values; returns the names of those whose owners cannot take them yet."""
        fitting = [(leaf, key) for leaf, key in leaves if self._fits(leaf, key)]
        ready = [(joint, keys) for joint, keys in joints if _takes(joint, self.file, keys)]
        values = self.file.read([*(key for _, key in fitting), *(key for _, keys in ready for key in keys)])
        for leaf, key in fitting:
            leaf.write(values[key])
            self._note(leaf, [key])
        for joint, keys in ready:
            _set_arrays(joint, [values[key] for key in keys])
            self._note(joint, keys)
        late = [(joint, keys) for joint, keys in joints if (joint, keys) not in ready]
        for joint, keys in late:
            joint.owner._awaited = partial(_give_later, self, joint, keys)
        return {key for _, keys in late for key in keys}

    def _note(self, trackable: Leaf | Joint, keys: list[str]) -> None:
        self._done[identity(trackable)] = trackable
        self._used.update(keys)
        if isinstance(trackable, Joint):
            self._done.update((identity(leaf), trackable) for _, leaf in trackable.leaves())

    def _fits(self, leaf: Leaf, key: str) -> bool:
        entry = self.file.entries[key]
        same_kind = entry.dtype.is_floating_point == leaf.read().dtype.is_floating_point
        if entry.shape == leaf.shape and same_kind:
            return True
        what = f"{leaf.name!r} has shape {leaf.shape} and type {leaf.read().dtype}"
        text = f"{what}; in the file it has shape {entry.shape} and type {entry.dtype}"
        if not self.skip_mismatch:
            raise FileError(f"{self.file.caller}: {text}.")
        self.skipped.append(text)
        return False

    def give_later(self, joint: Joint, keys: list[str]) -> bool:
        """Give a state of several arrays its values if they are there by now; tell whether they were.

        Args:
            joint: The state.
            keys: The names of the values.
        """
        if identity(joint) not in self._done and _takes(joint, self.file, keys):
            _set_arrays(joint, list(self.file.read(keys).values()))
            self._note(joint, keys)
        return identity(joint) in self._done

    # --- what has come of it -------------------------------------------------------------------------------------

    @property
    def restored(self) -> bool:
        """Whether anything has got its value."""
        return bool(self._used)

    def missing(self) -> list[str]:
        """Return the names of the values of the object that the file did not give."""
        leaves = [one for one in walk(self.root) if isinstance(one.trackable, Leaf)]
        return [one.path for one in leaves if identity(one.trackable) not in self._done and one.path != _COUNTER]

    def unused(self) -> list[str]:
        """Return the names of the values in the file that nothing has got."""
        return [key for key in self.file.entries if key not in self._used]

    def warn_of_missing(self) -> None:
        """Say in one warning which values of the object the file does not have, and what was left out."""
        told = [f"{name!r} is not in the file" for name in self.missing()]
        if told or self.skipped:
            text = "; ".join([*self.skipped, *told][:_NAMES])
            warnings.warn(f"{self.file.caller}: not restored: {text}.", stacklevel=user_stacklevel())


def _by_number(item: tuple[str, int]) -> tuple[int, str]:
    return len(item[0]), item[0]


def _takes(joint: Joint, file: ObjectFile, keys: list[str]) -> bool:
    """Tell whether a state consists of arrays like those of a file now."""
    return [leaf.shape for _, leaf in joint.leaves()] == [file.entries[key].shape for key in keys]


def _set_arrays(joint: Joint, values: list[Tensor]) -> None:
    ahead = joint.owner.get_weights()[: joint.first]
    joint.owner.set_weights([*ahead, *(np.asarray(value) for value in values)])


# Functions, so that a layer that waits is copied without what it waits for being a method of its own.
def _go_on(restoration: Restoration, number: int, layer: Any) -> bool:
    restoration.match(layer, number)
    return True


def _give_later(restoration: Restoration, joint: Joint, keys: list[str], owner: Any) -> bool:
    return restoration.give_later(joint, keys)


class RestoreStatus:
    """What restoring a checkpoint returns, to ask what has come of it by now.

    Args:
        restoration: The restoring; `None` where there was no file.
    """

    def __init__(self, restoration: Restoration | None) -> None:
        self._restoration = restoration

    def assert_consumed(self) -> RestoreStatus:
        """Confirm that every value of the file has its object, and every value of the objects is from the file.

        Raises:
            AssertionError: It is not so, or not yet.
        """
        self.assert_existing_objects_matched()
        if names := self._asked().unused():
            raise AssertionError(f"{self._asked().file.caller}: nothing has taken {_listed(names)} of the file.")
        return self

    def assert_existing_objects_matched(self) -> RestoreStatus:
        """Confirm that every value of the objects that are there now is from the file.

        Raises:
            AssertionError: It is not so.
        """
        if names := self._asked().missing():
            raise AssertionError(f"{self._asked().file.caller}: the file has no {_listed(names)}.")
        return self

    def assert_nontrivial_match(self) -> RestoreStatus:
        """Confirm that anything was restored.

        Raises:
            AssertionError: Nothing was.
        """
        if not self._asked().restored:
            raise AssertionError(f"{self._asked().file.caller}: nothing in the file belongs to these objects.")
        return self

    def expect_partial(self) -> RestoreStatus:
        """Accept that the file has more than the objects."""
        return self

    def _asked(self) -> Restoration:
        if self._restoration is None:
            raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")
        return self._restoration


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(map(repr, names[:_NAMES])) + more
