"""The weight files of Keras 2: how layers and weights lie in an HDF5 file, and what fits what.

At the root stand the attributes `layer_names`, `backend` and `keras_version`; each layer has a group with the attribute
`weight_names` and one dataset for each weight, named by its path: `dense_1/dense_1/kernel:0`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .._core.weights import Weight
from . import hdf5
from .hdf5 import FileError

Array = np.ndarray[Any, Any]

BACKEND = "tensorflow"  # the orientation of kernels is TensorFlow's: Keras up to 2.1 flips those of any other backend
VERSION = "2.3.1"
TOP = "top_level_model_weights"

# Class → weights whose kernels a file written under Theano holds flipped: Theano convolves where others correlate.
FLIPPED: dict[str, tuple[int, ...]] = {
    "Conv1D": (0,),
    "Conv2D": (0,),
    "Conv3D": (0,),
    "Conv2DTranspose": (0,),
    "ConvLSTM2D": (0, 1),
}


def distinct(layers: Iterable[Any]) -> list[Any]:
    """Return the layers, one that stands twice only once."""
    return list({id(layer): layer for layer in layers}.values())


def ordered(layer: Any) -> list[Weight]:
    """Return a layer's weights as Keras files order them: those that train now first."""
    table = layer._weight_table()
    trained = {(id(w.module), w.attributes) for w in layer._trained_table()}
    return sorted(table, key=lambda w: (id(w.module), w.attributes) not in trained)


def orders(layer: Any) -> list[list[Weight]]:
    """Return the orders in which a file may hold a layer's weights: frozen sublayers change theirs in Keras."""
    table = layer._weight_table()
    return [ordered(layer), sorted(table, key=lambda w: not w.trainable), list(table)]


# --- writing ---------------------------------------------------------------------------------------------------------


def group_names(layers: Sequence[Any]) -> list[str]:
    """Return what each layer's group is called: its name, changed only where HDF5 would read it as another's path."""
    taken: set[str] = set()
    names = []
    for layer in layers:
        clean = "/".join(hdf5.parts(layer.name)) or "layer"
        name = next(n for n in (clean, *(f"{clean}_{i}" for i in range(1, len(layers) + 2))) if n not in taken)
        taken.add(name)
        names.append(name)
    return names


def weight_names(weights: Sequence[Weight]) -> list[str]:
    """Return what each weight of a layer is called in its group; names that occur twice are numbered."""
    taken: set[str] = set()
    names = []
    for weight in weights:
        clean = "/".join(hdf5.parts(weight.path)) or "weight:0"
        stem, _, number = clean.rpartition(":")
        numbered = (f"{stem or clean}_{i}:{number or 0}" for i in range(1, len(weights) + 2))
        name = next(n for n in (clean, *numbered) if n not in taken)
        taken.add(name)
        names.append(name)
    return names


def write(root: Any, layers: Iterable[Any]) -> None:
    """Write the weights of layers into an open file.

    Args:
        root: The group to write into.
        layers: Built layers, each with `name`, `table()` and `_trained_table()`.
    """
    listed = distinct(layers)
    names = group_names(listed)
    hdf5.write_names(root, "layer_names", names)
    root.attrs["backend"] = BACKEND.encode()
    root.attrs["keras_version"] = VERSION.encode()
    for name, layer in sorted(zip(names, listed), key=lambda pair: pair[0]):
        _write_group(root.require_group(name), ordered(layer))
    _write_group(root.require_group(TOP), [])  # a model's own weights, of which a Sequential has none


def _write_group(place: Any, weights: Sequence[Weight]) -> None:
    names = weight_names(weights)
    hdf5.write_names(place, "weight_names", names)
    for name, weight in zip(names, weights):
        place.create_dataset(name, data=weight.numpy())


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stored:
    """What a file holds for one layer.

    Attributes:
        name: The layer's name there.
        names: The names of its weights.
        data: Their datasets, none of them read yet.
    """

    name: str
    names: tuple[str, ...]
    data: tuple[Any, ...]


@dataclass(frozen=True)
class Match:
    """A weight and the data it shall get.

    Attributes:
        weight: The weight.
        data: The dataset.
        flip: Whether the kernel is held flipped.
    """

    weight: Weight
    data: Any
    flip: bool = False


@dataclass
class Plan:
    """What to load, found before anything is read.

    Attributes:
        caller: Who loads, for messages.
        skip_mismatch: Whether what does not fit is left out with a warning.
        reshape: Whether data of the right size and another shape are taken.
        flipped: Whether kernels are held flipped.
    """

    caller: str
    skip_mismatch: bool = False
    reshape: bool = False
    flipped: bool = False

    def __post_init__(self) -> None:
        self.matches: list[Match] = []
        self.skipped: list[str] = []

    def add(self, layer: Any, stored: Stored) -> None:
        """Match one layer with what the file holds for it.

        Raises:
            FileError: They do not fit, and mismatches are not to be skipped.
        """
        weights = self._order(layer, stored)
        if len(weights) != len(stored.data):
            self._mismatch(
                f"{layer}: it has {len(weights)} weights and {stored.name!r} in the file has {len(stored.data)}"
            )
            return
        flips = FLIPPED.get(type(layer).__name__, ()) if self.flipped else ()
        for i, (weight, data) in enumerate(zip(weights, stored.data)):
            if not self._fits(weight, data):
                self._mismatch(
                    f"{weight.path}: the weight has shape {weight.shape} and type {_kind(weight)}; in the file "
                    f"{data.name!r} has shape {data.shape} and type {data.dtype}"
                )
                continue
            self.matches.append(Match(weight, data, i in flips))

    def _order(self, layer: Any, stored: Stored) -> list[Weight]:
        """Return the layer's weights in the file's order: by names and shapes, else by shapes, else as they are."""
        possible = orders(layer)
        for named in (True, False):
            for weights in possible:
                if len(weights) == len(stored.data) and all(
                    self._fits(w, d) and (not named or _last(w.path) == _last(n))
                    for w, n, d in zip(weights, stored.names, stored.data)
                ):
                    return weights
        return possible[0]

    def _fits(self, weight: Weight, data: Any) -> bool:
        if data.shape is None or data.dtype.kind not in ("f" if _kind(weight) == "float" else "iub"):
            return False
        # A bias of another rank is CuDNNGRU's for GRU, or the reverse, whose kernels are laid out in another way.
        for_cudnn = isinstance(weight.module, torch.nn.GRU) and len(data.shape) != len(weight.shape)
        if self.reshape and not for_cudnn:
            return int(np.prod(data.shape, dtype=object)) == weight.size
        return tuple(data.shape) == weight.shape

    def _mismatch(self, text: str) -> None:
        if not self.skip_mismatch:
            raise FileError(f"{self.caller}: {text}.")
        self.skipped.append(text)

    def read(self) -> list[tuple[Weight, Array]]:
        """Return every weight with what it shall be."""
        return [(match.weight, self._value(match)) for match in self.matches]

    def _value(self, match: Match) -> Array:
        value = np.asarray(match.data[()])
        if match.flip and value.ndim > 2:
            value = np.flip(value, axis=tuple(range(value.ndim - 2)))
        return np.ascontiguousarray(value).reshape(match.weight.shape)


def assign_all(values: Sequence[tuple[Weight, Array]]) -> None:
    """Write all values; when anything fails on the way, all weights are as before."""
    parameters = [p for weight, _ in values for p in weight.parameters]
    before = [p.detach().clone() for p in parameters]
    try:
        for weight, value in values:
            weight.assign(value)
    except BaseException:
        with torch.no_grad():
            for parameter, old in zip(parameters, before):
                parameter.copy_(old)
        raise


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _kind(weight: Weight) -> str:
    return "float" if weight.parameters[0].is_floating_point() else "int"


def stored_layers(root: Any, caller: str) -> list[Stored]:
    """Return what an open file holds, layer by layer; no data are read.

    Args:
        root: The file's root, or the group of the weights in a file of a whole model.
        caller: Who reads, for messages.

    Raises:
        FileError: No weight file of Keras 2, a damaged one, or one whose data are elsewhere.
    """
    if not _has_names(root) and (inner := hdf5.find(root, "model_weights", caller)) is not None:
        root = inner
    if not _has_names(root):
        raise FileError(
            f"{caller}: an HDF5 file, but no weight file of Keras 2 (it has no layer_names); write one with "
            f"save_weights('name.h5'). Files named '.weights.h5' by Keras 2.12 and later are of another kind."
        )
    found = []
    for name in hdf5.read_names(root, "layer_names", caller):
        place = hdf5.group(root, name, caller)
        names = hdf5.read_names(place, "weight_names", caller)
        found.append(Stored(name, tuple(names), tuple(hdf5.dataset(place, n, caller) for n in names)))
    return found


def _has_names(root: Any) -> bool:
    return "layer_names" in root.attrs or "layer_names0" in root.attrs


def is_flipped(root: Any, caller: str) -> bool:
    """Tell whether the file was written under Theano, whose convolutions flip their kernels."""
    inner = hdf5.find(root, "model_weights", caller)
    places = [root] if inner is None else [root, inner]
    return any(hdf5.read_text(place, "backend") == "theano" for place in places)


def match_by_order(plan: Plan, layers: Sequence[Any], stored: Sequence[Stored]) -> None:
    """Match layers with weights one after the other.

    Raises:
        FileError: Their numbers differ.
    """
    ours = [layer for layer in distinct(layers) if layer._weight_table()]
    theirs = [entry for entry in stored if entry.names]
    if len(ours) != len(theirs):
        raise FileError(
            f"{plan.caller}: the model has {len(ours)} layers with weights ({_listed(o.name for o in ours)}), the file "
            f"{len(theirs)} ({_listed(t.name for t in theirs)})."
        )
    for layer, entry in zip(ours, theirs):
        plan.add(layer, entry)


def match_by_name(plan: Plan, layers: Sequence[Any], stored: Sequence[Stored]) -> None:
    """Match layers with weights by their names; what has no counterpart is told in a warning.

    Raises:
        FileError: No name occurs on both sides.
    """
    listed = distinct(layers)
    index = {name: layer for name, layer in zip(group_names(listed), listed) if layer._weight_table()}
    theirs = [entry for entry in stored if entry.names]
    shared = [entry for entry in theirs if entry.name in index]
    if not shared:
        raise FileError(
            f"{plan.caller}: by_name=True, and no layer's name is in both: the model has {_listed(index)}, the file "
            f"{_listed(t.name for t in theirs)}."
        )
    for entry in shared:
        plan.add(index[entry.name], entry)
    names = {entry.name for entry in shared}
    plan.skipped += [f"{name!r} of the model is not in the file" for name in index if name not in names]
    plan.skipped += [f"{t.name!r} of the file is not in the model" for t in theirs if t.name not in names]


def _listed(names: Iterable[str], limit: int = 8) -> str:
    known = list(names)
    return ", ".join(map(repr, known[:limit])) + (", …" if len(known) > limit else "") if known else "none"
