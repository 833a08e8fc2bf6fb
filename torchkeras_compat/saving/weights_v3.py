"""The tree of groups that Keras writes from 2.12 on: `.weights.h5`, and `model.weights.h5` inside `.keras`.

Each layer has a group, named by where its model holds it, with its own weights in `vars/0`, `vars/1`, …; `layer_tree`
says which. From 3.2 on `vars` tells the layer's name. The optimizer stands in `optimizer/vars`: its count, from 3.0 on
the learning rate, and its slots.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence, Set
from typing import Any

import numpy as np

from . import hdf5
from .hdf5 import FileError
from .layer_tree import CONVENTIONS, KERAS_2_15, KERAS_3, Convention, Node, nodes
from .weight_arrays import DatasetWriter
from .weight_plan import IDF, Plan, Stored, learned, listing

VARS = "vars"
OPTIMIZER = "optimizer"
LISTS = tuple(dict.fromkeys(convention.layers for convention in CONVENTIONS))


# --- writing ---------------------------------------------------------------------------------------------------------


def write(root: Any, model: Any) -> None:
    """Write the weights of a model into an open file, as Keras 3 does.

    Where Keras 2.15 looks for a layer in another place, that is a second name of the same group: both read the file.

    Args:
        root: The group to write into.
        model: A built model.
    """
    written = nodes(model, KERAS_3)
    datasets = DatasetWriter([weight for node in written for weight in node.weights])
    for node in written:
        place = root.require_group(_below(node.path)) if node.path else root.require_group(VARS)
        place.attrs["name"] = node.name
        for i in range(len(node.weights)):
            datasets.write(place, str(i))
        for path, name, array in learned(node.layer):
            below = root.require_group(_below("/".join(filter(None, (node.path, path)))))
            below.create_dataset(name, data=array)
    _link(root, written, nodes(model, KERAS_2_15))


def _below(path: str) -> str:
    return f"{path}/{VARS}" if path else VARS


def _link(root: Any, written: Sequence[Node], others: Sequence[Node]) -> None:
    """Give groups the names by which Keras 2.15 looks for them, unless one of these stands for another layer."""
    places = {(id(node.layer), node.name): node.path for node in written if node.weights}
    moved = [
        (node.path, path)
        for node in others
        if (path := places.get((id(node.layer), node.name), node.path)) != node.path
    ]
    if any(name in places.values() for name, _ in moved):
        return
    for name, path in moved:
        root[_below(name)] = root[_below(path)]


# --- reading ---------------------------------------------------------------------------------------------------------


def is_tree(root: Any, caller: str) -> bool:
    """Tell whether a file holds such a tree.

    Args:
        root: The file's root.
        caller: Who reads, for messages.
    """
    if any(name in root for name in (VARS, *LISTS)):
        return True
    return any(hdf5.find(root, _below(name), caller) is not None for name in _members(root))


def match(plan: Plan, root: Any, model: Any) -> None:
    """Match the weights of a model with those of a tree.

    Args:
        plan: What to load.
        root: The file's root, or the group of the model.
        model: A built model.

    Raises:
        FileError: Something does not fit.
    """
    read = _match_nodes(plan, root, model)
    unread = _unread(root, {node.path for node in read}, plan.caller)
    plan.skipped += [f"{path!r} of the file is not in the model" for path in unread]


def match_by_name(plan: Plan, root: Any, model: Any) -> None:
    """Match the layers of a model with those of a tree by the names that Keras 3 notes there.

    Raises:
        FileError: The file has no names, or none of a layer of the model, or something does not fit.
    """
    names = _names(root, plan.caller)
    ours = {layer.name: layer for layer in model.layers if layer._weight_table()}
    theirs = {name: path for name, path in names.items() if _holds_data(root, path, plan.caller)}
    shared = [name for name in ours if name in theirs]
    if not shared:
        text = f"no layer's name is in both: the model has {listing(ours)}, the file {listing(theirs)}"
        raise FileError(
            f"{plan.caller}: by_name=True, and "
            f"{text if names else 'the file has no names of layers; write by_name=False'}."
        )
    for name in shared:
        _match_nodes(plan, root, ours[name], theirs[name])
    plan.skipped += [f"{name!r} of the model is not in the file" for name in ours if name not in theirs]
    plan.skipped += [f"{name!r} of the file is not in the model" for name in theirs if name not in ours]


def _match_nodes(plan: Plan, root: Any, model: Any, path: str = "") -> list[Node]:
    """Match the nodes of a model, or of a layer, by the convention under which the most weights fit, and return them.

    Raises:
        FileError: Under none of them everything fits, and mismatches are not to be skipped.
    """
    fitting: dict[Convention, int] = {}
    for convention in CONVENTIONS:
        trial, tried = Plan(plan.caller, skip_mismatch=True), nodes(model, convention, path)
        for node in tried:
            _add(trial, root, node)
        if not trial.skipped:
            plan.take_over(trial)
            return tried
        fitting[convention] = len(trial.matches)
    likeliest = nodes(model, max(fitting, key=lambda one: fitting[one]), path)  # the first of those that are equal
    for node in likeliest:
        _add(plan, root, node)
    return likeliest


def _add(plan: Plan, root: Any, node: Node) -> None:
    """Match the own weights of a layer with those of its group."""
    stored = _stored(root, node.path, plan.caller)
    idf = hdf5.find(root, f"{_below(node.path)}/{IDF}", plan.caller)
    if idf is not None:
        plan.add_idf(node.layer, hdf5.dataset(root, idf.name, plan.caller))
    if not (node.weights or stored.data) or plan.add_summary(node.layer, stored):
        return
    title = f"{node.layer}" if node.layer.name == node.name else f"{node.layer}, {node.name}"
    if not stored.data:
        plan.mismatch(f"{title}: the file has nothing at {node.path!r}")
        return
    plan.add_weights(title, [node.weights], stored)


def _stored(root: Any, path: str, caller: str) -> Stored:
    """Return what a group holds; none where it is not there."""
    place = hdf5.find(root, _below(path), caller)
    if place is None or not hasattr(place, "attrs") or hasattr(place, "dtype"):
        return Stored(path, (), ())
    count = min(len(place), hdf5.MAX_NAMES)
    names = [str(i) for i in range(count)]
    if count and (hdf5.find(place, names[-1], caller)) is None:
        return Stored(path, (), ())  # what a layer keeps under names of its own, such as a table of idf weights
    return Stored(path, tuple(names), tuple(hdf5.dataset(place, name, caller) for name in names))


def _unread(root: Any, paths: set[str], caller: str) -> list[str]:
    """Return the layers in the file's list, and in those of models in it, that hold data and that nobody reads."""
    lists = {above for path in paths if (above := path.rpartition("/")[0]).rpartition("/")[2] in LISTS}
    seen = {_identity(hdf5.find(root, _below(path), caller)) for path in paths}
    unread = []
    for one in sorted(lists):
        place = hdf5.find(root, one, caller)
        for path in (f"{one}/{name}" for name in _members(place)):
            is_read = any(p == path or p.startswith(f"{path}/") for p in paths)
            if not is_read and _holds_data(root, path, caller, seen):
                unread.append(path)
    return unread


def _identity(place: Any) -> Any:
    """Return what says whether two names are those of one group: `write` gives some groups a second name."""
    return None if place is None else place.address


def _members(place: Any) -> list[str]:
    return [] if place is None or hasattr(place, "dtype") else list(itertools.islice(place, hdf5.MAX_NAMES))


def _holds_data(root: Any, path: str, caller: str, seen: Set[Any] = frozenset(), depth: int = 8) -> bool:
    """Tell whether a group, or one below it, holds weights.

    Args:
        root: The file's root.
        path: The group.
        caller: Who reads, for messages.
        seen: Groups of weights that do not count.
        depth: How far down to look.
    """
    names = _members(hdf5.find(root, path, caller))
    if (
        VARS in names
        and _identity(hdf5.find(root, _below(path), caller)) not in seen
        and _stored(root, path, caller).data
    ):
        return True
    inside = [f"{path}/{name}" for name in names if name != VARS]
    return depth > 0 and any(_holds_data(root, one, caller, seen, depth - 1) for one in inside)


def _names(root: Any, caller: str) -> dict[str, str]:
    """Return the names of the layers that a model lists → their paths."""
    names = {}
    for one in LISTS:
        for path in (f"{one}/{name}" for name in _members(hdf5.find(root, one, caller))):
            place = hdf5.find(root, _below(path), caller)
            name = hdf5.read_text(place, "name") if isinstance(place, hdf5.Group) else None
            if name is not None:
                names[name] = path
    return names


# --- the optimizer ---------------------------------------------------------------------------------------------------


def write_arrays(root: Any, path: str, name: str, arrays: Sequence[Any]) -> None:
    """Write the state of an optimizer, or of a metric, into the group at `path`.

    Args:
        root: The file's root.
        path: The group.
        name: The object's own name.
        arrays: The values, in order.
    """
    place = root.require_group(_below(path))
    place.attrs["name"] = name
    for i, value in enumerate(arrays):
        place.create_dataset(str(i), data=np.asarray(value))


def datasets(root: Any, path: str, caller: str) -> tuple[Any, ...]:
    """Return the datasets in the group at `path`, in order, none of them read; none where there is no such group.

    Args:
        root: The file's root.
        path: The group.
        caller: Who reads, for messages.

    Raises:
        FileError: A link, or data that are elsewhere.
    """
    return _stored(root, path, caller).data
