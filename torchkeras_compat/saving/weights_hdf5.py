"""The weight files of Keras before 2.12, and `.h5` of all: how layers and weights lie in an HDF5 file.

At the root stand the attributes `layer_names`, `backend` and `keras_version`; each layer has a group with the attribute
`weight_names` and one dataset for each weight, named by its path: `dense_1/dense_1/kernel:0`. Keras before 1.0 numbers
both: `layer_3/param_0`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .._core.weights import Weight
from . import hdf5
from .conversions import Origin
from .hdf5 import FileError
from .weight_arrays import DatasetWriter
from .weight_plan import SUMMARY, Plan, Stored, learns_summary, listing, ordered

BACKEND = "tensorflow"  # the orientation of kernels is TensorFlow's: Keras up to 2.1 flips those of any other backend
VERSION = "2.3.1"
TOP = "top_level_model_weights"


def distinct(layers: Iterable[Any]) -> list[Any]:
    """Return the layers, one that stands twice only once."""
    return list({id(layer): layer for layer in layers}.values())


# --- writing ---------------------------------------------------------------------------------------------------------


def group_names(layers: Sequence[Any]) -> list[str]:
    """Return what each layer's group is called: its name, changed only where HDF5 would read it as another's path."""
    used: set[str] = set()
    names = []
    for layer in layers:
        clean = "/".join(hdf5.parts(layer.name)) or "layer"
        name = next(n for n in (clean, *(f"{clean}_{i}" for i in range(1, len(layers) + 2))) if n not in used)
        used.add(name)
        names.append(name)
    return names


def weight_names(weights: Sequence[Weight]) -> list[str]:
    """Return what each weight of a layer is called in its group; names that occur twice are numbered."""
    used: set[str] = set()
    names = []
    for weight in weights:
        clean = "/".join(hdf5.parts(weight.path)) or "weight:0"
        stem, _, number = clean.rpartition(":")
        numbered = (f"{stem or clean}_{i}:{number or 0}" for i in range(1, len(weights) + 2))
        name = next(n for n in (clean, *numbered) if n not in used)
        used.add(name)
        names.append(name)
    return names


def write(root: Any, layers: Iterable[Any], model: Any) -> None:
    """Write the weights of a model into an open file.

    Args:
        root: The group to write into.
        layers: Its layers, built.
        model: The model, which may have weights of its own, too.
    """
    listed = distinct(layers)
    names = group_names(listed)
    hdf5.write_names(root, "layer_names", names)
    root.attrs["backend"] = BACKEND.encode()
    root.attrs["keras_version"] = VERSION.encode()
    groups = [(name, ordered(layer)) for name, layer in sorted(zip(names, listed), key=lambda pair: pair[0])]
    groups.append((TOP, _own_weights(model)))
    datasets = DatasetWriter([weight for _, weights in groups for weight in weights])
    for name, weights in groups:
        place = root.require_group(name)
        in_group = weight_names(weights)
        hdf5.write_names(place, "weight_names", in_group)
        for one in in_group:
            datasets.write(place, one)


def _own_weights(model: Any) -> list[Weight]:
    """Return the weights that a model has beside those of its layers, as Keras orders them."""
    return sorted(model._own_table(), key=lambda weight: not weight.trainable)


# --- reading ---------------------------------------------------------------------------------------------------------


def stored_layers(root: Any, caller: str) -> list[Stored]:
    """Return what an open file holds, layer by layer; no data are read.

    Args:
        root: The file's root, or the group of the weights in a file of a whole model.
        caller: Who reads, for messages.

    Raises:
        FileError: No weight file of Keras 2, a damaged one, or one whose data are elsewhere.
    """
    root = weights_of(root, caller)
    if _is_numbered(root):
        return _numbered_layers(root, caller)
    if not _has_names(root):
        raise FileError(
            f"{caller}: an HDF5 file, but no weight file of Keras (it has no layer_names); write one with "
            f"save_weights('name.h5') or save_weights('name.weights.h5')."
        )
    return [_stored(root, name, caller) for name in hdf5.read_names(root, "layer_names", caller)]


def _stored(root: Any, name: str, caller: str) -> Stored:
    place = hdf5.group(root, name, caller)
    names = hdf5.read_names(place, "weight_names", caller)
    return Stored(name, tuple(names), tuple(hdf5.dataset(place, n, caller) for n in names))


def match_own(plan: Plan, root: Any, model: Any) -> None:
    """Match the weights that a model has beside those of its layers; files before Keras 2.6 hold none.

    Raises:
        FileError: They do not fit.
    """
    root = weights_of(root, plan.caller)
    if (own := _own_weights(model)) and hdf5.find(root, TOP, plan.caller) is not None:
        plan.add_weights(f"{model}", [own], _stored(root, TOP, plan.caller))


def weights_of(root: Any, caller: str) -> Any:
    """Return the group of the weights: in a file of a whole model it stands inside."""
    inner = None if _has_names(root) or _is_numbered(root) else hdf5.find(root, "model_weights", caller)
    return root if inner is None else inner


def is_classic(root: Any, caller: str) -> bool:
    """Tell whether a file lists layers by their names or numbers."""
    place = weights_of(root, caller)
    return _has_names(place) or _is_numbered(place)


def _has_names(root: Any) -> bool:
    return "layer_names" in root.attrs or "layer_names0" in root.attrs


def _is_numbered(root: Any) -> bool:
    return "nb_layers" in root.attrs


def _numbered_layers(root: Any, caller: str) -> list[Stored]:
    """Return what a file of Keras before 1.0 holds."""
    layers = []
    for k in range(hdf5.read_count(root, "nb_layers", caller)):
        name = f"layer_{k}"
        place = hdf5.group(root, name, caller)
        names = [f"param_{i}" for i in range(hdf5.read_count(place, "nb_params", caller))]
        layers.append(Stored(name, tuple(names), tuple(hdf5.dataset(place, n, caller) for n in names)))
    return layers


def origin(root: Any, caller: str) -> Origin:
    """Return what a file says of the Keras that wrote it; weights of Keras 1 say nothing.

    Args:
        root: The file's root.
        caller: Who reads, for messages.

    Raises:
        FileError: A link that leads out of the file.
    """
    place = weights_of(root, caller)
    version = hdf5.read_text(place, "keras_version")
    places = [place] if place is root else [root, place]
    return Origin(
        is_keras_1=version is None or version.partition(".")[0] in ("0", "1"),
        is_before_1=_is_numbered(place),
        flipped=any(hdf5.read_text(one, "backend") == "theano" for one in places),
    )


def match_by_order(plan: Plan, layers: Sequence[Any], stored: Sequence[Stored]) -> None:
    """Match layers with weights one after the other.

    Raises:
        FileError: Their numbers differ.
    """
    theirs = [entry for entry in stored if entry.names]
    ours = list(filter(_has_place_for(theirs), distinct(layers)))
    if len(ours) != len(theirs) and len(flat := _flattened(ours)) == len(theirs):
        ours = flat
    if len(ours) != len(theirs):
        raise FileError(
            f"{plan.caller}: the model has {len(ours)} layers with weights ({listing(o.name for o in ours)}), the file "
            f"{len(theirs)} ({listing(t.name for t in theirs)})."
        )
    for layer, entry in zip(ours, theirs):
        plan.add(layer, entry)


def _has_place_for(stored: Sequence[Stored]) -> Callable[[Any], bool]:
    """Return what tells whether a layer may have what entries of a file hold: weights, or a summary of data."""
    summaries = any(name.rpartition("/")[2] == SUMMARY for entry in stored for name in entry.names)

    def has_place(layer: Any) -> bool:
        return bool(layer._weight_table()) or (summaries and any(map(learns_summary, layer._flatten_layers())))

    return has_place


def _flattened(layers: Iterable[Any]) -> list[Any]:
    """Return the layers with those of models in place of these: a model merged in Keras 1 has its layers in a row."""
    flat: list[Any] = []
    for layer in layers:
        inner = getattr(layer, "layers", None)
        flat += [layer] if inner is None else _flattened(one for one in inner if one._weight_table())
    return distinct(flat)


def match_by_name(plan: Plan, layers: Sequence[Any], stored: Sequence[Stored]) -> None:
    """Match layers with weights by their names; what has no counterpart is told in a warning.

    Raises:
        FileError: No name occurs on both sides.
    """
    if plan.origin.is_before_1:
        raise FileError(f"{plan.caller}: by_name=True, and the file numbers its layers; write by_name=False.")
    listed = distinct(layers)
    theirs = [entry for entry in stored if entry.names]
    has_place = _has_place_for(theirs)
    index = {name: layer for name, layer in zip(group_names(listed), listed) if has_place(layer)}
    shared = [entry for entry in theirs if entry.name in index]
    if not shared:
        raise FileError(
            f"{plan.caller}: by_name=True, and no layer's name is in both: the model has {listing(index)}, the file "
            f"{listing(t.name for t in theirs)}."
        )
    for entry in shared:
        plan.add(index[entry.name], entry)
    names = {entry.name for entry in shared}
    plan.skipped += [f"{name!r} of the model is not in the file" for name in index if name not in names]
    plan.skipped += [f"{t.name!r} of the file is not in the model" for t in theirs if t.name not in names]
