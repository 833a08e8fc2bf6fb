"""The objects that a checkpoint holds, and what each of them consists of, by the names of TensorFlow's checkpoints.

A model or layer consists of its weights and of the layers in its attributes, a chain and a graph of their layers by
number, an optimizer of its count, its learning rate and its slots, a list of its items. The values at the ends of such
paths are leaves; `walk` finds all of them, shared objects once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .._core.ownership import is_ours
from .._core.weights import Variable, Weight
from ..metrics import Metric
from ..optimizers import Optimizer
from ..optimizers.hyperparameters import Iterations
from ..utils.dataset_iterator import Elements
from . import layer_tree

VALUE = "VARIABLE_VALUE"
POSITION = "ITERATOR_STATE"


@dataclass(frozen=True)
class Leaf:
    """A value of a checkpoint.

    Attributes:
        identity: What tells whether two leaves are the same value.
        name: What messages call it.
        read: Returns it.
        write: Sets it.
        shape: The shape that it must have.
        kind: What the names in files end with.
    """

    identity: Hashable
    name: str
    read: Callable[[], Tensor] = field(repr=False)
    write: Callable[[Tensor], Any] = field(repr=False)
    shape: tuple[int, ...] = ()
    kind: str = VALUE


@dataclass(frozen=True)
class Joint:
    """Arrays of one object that can only be set together: the slots of an optimizer, the state of a metric.

    Attributes:
        owner: The object, which has `get_weights` and `set_weights`.
        first: How many arrays before these are leaves of their own.
    """

    owner: Any
    first: int = 0

    @property
    def identity(self) -> Hashable:
        """What tells whether two are of one object."""
        return ("joint", id(self.owner))

    def leaves(self) -> list[tuple[str, Leaf]]:
        """Return the arrays under their numbers, which are there once the object has been used."""
        if isinstance(self.owner, Optimizer) and not self.owner.param_groups[0]["params"]:
            return []
        arrays = list(enumerate(self.owner.get_weights()))[self.first :]
        return [(str(i), self._leaf(i, array)) for i, array in arrays]

    def _leaf(self, number: int, array: np.ndarray[Any, Any]) -> Leaf:
        def refuse(value: Tensor) -> None:
            raise TypeError("arrays of a joint state are set together")

        title = f"{self.owner.name}/{number}"
        return Leaf((self.identity, number), title, lambda: torch.as_tensor(array), refuse, np.shape(array))


def identity(trackable: Any) -> Hashable:
    """Return what tells whether two things of a graph are one.

    Args:
        trackable: An object, a leaf or a joint state.
    """
    return trackable.identity if isinstance(trackable, (Leaf, Joint)) else id(trackable)


def is_trackable(value: Any) -> bool:
    """Tell whether an object has a place in a checkpoint.

    Args:
        value: Any object.
    """
    kinds = (Variable, nn.Module, Optimizer, Metric, Elements, Iterations, list, tuple, Mapping, Leaf, Joint)
    return (isinstance(value, kinds) and not isinstance(value, type)) or hasattr(value, "_checkpoint_parts")


def parts(trackable: Any, for_files: bool = False) -> list[tuple[str, Any]]:
    """Return what an object consists of, by name.

    Args:
        trackable: An object with a place in a checkpoint.
        for_files: Whether a chain's layers get both of their names, by which one that is not built finds them, too.
    """
    if hasattr(trackable, "_checkpoint_parts"):
        return [(name, _whole(part)) for name, part in trackable._checkpoint_parts(for_files).items()]
    named: Iterator[tuple[str, Any]]
    if isinstance(trackable, Leaf):
        named = iter(())
    elif isinstance(trackable, Joint):
        named = iter(trackable.leaves())
    elif isinstance(trackable, Optimizer):
        named = _of_optimizer(trackable)
    elif isinstance(trackable, Metric):
        named = iter([("_variables", Joint(trackable))])
    elif isinstance(trackable, Mapping):
        named = ((str(key), item) for key, item in trackable.items())
    elif isinstance(trackable, (list, tuple)):
        named = ((str(i), item) for i, item in enumerate(trackable))
    elif getattr(trackable, "_is_layer", False) or isinstance(trackable, layer_tree.Part):
        named = _of_layer(trackable, for_files)
    else:
        named = (
            (name, _of_tensor(trackable, name, tensor)) for name, tensor in trackable.state_dict(keep_vars=True).items()
        )
    return [(name, _whole(part)) for name, part in named if is_trackable(part) or isinstance(part, layer_tree.Part)]


def _whole(part: Any) -> Any:
    """Return a variable, and where a pass over a data set stands, as the leaf that it is."""
    if isinstance(part, Variable):
        return _of_weight(part._weight)
    if isinstance(part, Elements):
        position = torch.tensor(part.position)
        return Leaf(id(part), "iterator", lambda: position, lambda value: part.move_to(int(value)), kind=POSITION)
    if isinstance(part, Iterations):
        return Leaf(id(part), "iterations", lambda: torch.tensor(int(part)), lambda value: part._set(int(value)))
    return part


def _of_weight(weight: Weight) -> Leaf:
    return Leaf(weight.place, weight.path, lambda: weight.read().detach(), weight.assign, weight.shape)


def _of_tensor(module: nn.Module, name: str, tensor: Tensor) -> Leaf:
    """Return a parameter or buffer of a module of torch's."""

    @torch.no_grad()
    def write(value: Tensor) -> None:
        tensor.copy_(value)

    return Leaf((id(module), name), name, lambda: tensor.detach(), write, tuple(tensor.shape))


def _of_optimizer(optimizer: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        yield "inner_optimizer", inner
        return

    def set_count(value: Tensor) -> None:
        optimizer.iterations = int(value)

    def set_rate(value: Tensor) -> None:
        optimizer.learning_rate = float(value)

    count = torch.tensor(int(optimizer.iterations))
    yield "_iterations", Leaf(("count", id(optimizer)), "iterations", lambda: count, set_count)
    if optimizer._rate.schedule is None:  # a schedule has no state
        number = torch.tensor(float(optimizer.learning_rate), dtype=torch.float64)
        yield "_learning_rate", Leaf(("rate", id(optimizer)), "learning_rate", lambda: number, set_rate)
    yield "_variables", Joint(optimizer, first=0 if optimizer.has_own_steps else 1)


# --- layers ----------------------------------------------------------------------------------------------------------


def _of_layer(layer: Any, for_files: bool) -> Iterator[tuple[str, Any]]:
    if isinstance(layer, layer_tree.Part):
        yield from ((weight.name.rpartition("/")[2], _of_weight(weight)) for weight in layer.weights)
        return
    names: set[str] = set()
    for weight in layer_tree.own_weights(layer):
        own = next(
            n for n in (weight.name, *(f"{weight.name}_{i}" for i in range(1, len(names) + 2))) if n not in names
        )
        names.add(own)
        yield own, _of_weight(weight)
    if layer_tree.is_model(layer) and not layer_tree.lists_by_attributes(layer):
        yield from _numbered(layer, for_files)
    held = layer_tree.attributes(layer, layer_tree.KERAS_3, with_list=False)
    yield from (one for one in held if not _is_torchs(one[1]))  # whose weights are the layer's own
    if not is_ours(type(layer)):
        others = vars(layer).items()
        yield from ((name, value) for name, value in others if isinstance(value, Optimizer) and name != "optimizer")
    optimizer = getattr(layer, "optimizer", None)
    if isinstance(optimizer, Optimizer):
        yield "optimizer", optimizer


def _is_torchs(value: Any) -> bool:
    return isinstance(value, nn.Module) and not getattr(value, "_is_layer", False)


def _numbered(model: Any, for_files: bool) -> Iterator[tuple[str, Any]]:
    """Yield the layers of a chain or graph: of one that is built those with weights, of another one all of them.

    The numbers of those with weights are the same for all models that consist of the same layers in other guises.
    """
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    if for_files or not model.built:
        yield from ((f"layer-{i}", layer) for i, layer in enumerate(layers))
    if for_files or model.built:
        weighted = [layer for layer in layers if layer._weight_table()]
        yield from ((f"layer_with_weights-{i}", layer) for i, layer in enumerate(weighted))


# --- all of them -----------------------------------------------------------------------------------------------------


@dataclass
class GraphNode:
    """An object of the graph.

    Attributes:
        path: The shortest way to it.
        trackable: The object.
        parts: The names of its parts → their numbers.
    """

    path: str
    trackable: Any
    parts: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What files call the value of a leaf."""
        return f"{self.path}/.ATTRIBUTES/{self.trackable.kind}"


def walk(root: Any, for_files: bool = False) -> list[GraphNode]:
    """Return all that an object consists of, itself first, in the order of their paths' lengths.

    Args:
        root: The object.
        for_files: As in `parts`.
    """
    objects = [GraphNode("", root)]
    numbers = {identity(root): 0}
    queue = deque(objects)
    while queue:
        one = queue.popleft()
        for name, part in parts(one.trackable, for_files):
            number = numbers.setdefault(identity(part), len(objects))
            one.parts[name] = number
            if number == len(objects):
                step = name.replace(".", "..").replace("/", ".S")
                objects.append(GraphNode(f"{one.path}/{step}" if one.path else step, part))
                queue.append(objects[-1])
    return objects
