"""Models from the configurations of graphs of layers, as Keras 1, 2 and 3 and this package write them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._core import registry, stored_configs
from .._core.errors import show
from .._core.graph_calls import Call, Place, is_place, keras_2_call, keras_3_call, place_of, put
from .._core.symbolic import Node, SymbolicTensor, apply
from .._core.tensor_operators import OPERATORS, item
from .._core.tree import Tree, is_branch
from ..layers.base import Layer
from ..layers.input_layer import InputLayer
from .operation import call_it, function_named

Entry = Mapping[str, Any]  # a layer of the graph: class, configuration, name, calls
OPERATIONS = ("TFOpLambda", "SlicingOpLambda")  # what Keras 2 calls a function of tensors among the layers
ADDED = ("AddLoss", "AddMetric")  # and what it writes for a loss or a metric that was added to the model
_SIGN_OF_KERAS_3 = "args"  # in each of its calls


def leaves_by_key(tree: Tree) -> list[Any]:
    """Return the leaves of a tree in the order in which Keras numbers the outputs of a call: dictionaries by key."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves_by_key(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for branch in tree for leaf in leaves_by_key(branch)]
    return [tree]


# --- layers and functions ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Function:
    """A function of tensors among the layers of a graph.

    Attributes:
        compute: The function.
        keywords: Arguments that stand with it and not with a call.
    """

    compute: Callable[..., Any]
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the symbolic result."""
        keywords = {**self.keywords, **keywords}
        if self.compute is item:
            key = arguments[1] if len(arguments) > 1 else keywords.get("slice_spec")
            return apply(item, arguments[0], tuple(key) if isinstance(key, list) else key)
        if any(self.compute is operator for operator in OPERATORS.values()):
            return apply(self.compute, *arguments, **keywords)
        return self.compute(*arguments, **keywords)


def _made(entry: Entry) -> Any:
    """Return the layer of an entry, or the function that stands among the layers; of an added loss its entry."""
    name, config = entry["class_name"], entry.get("config")
    if name in OPERATIONS:
        return Function(function_named(_of(config, "function", str)))
    if name in ADDED:
        return entry
    if _is_operation(entry):
        compute, keywords = stored_configs.TABLES.operation(name, config if isinstance(config, dict) else {})
        return Function(compute, keywords)
    layer = registry.deserialize("layer", {key: value for key, value in entry.items() if key != "inbound_nodes"})
    if not isinstance(layer, Layer):
        raise ValueError(f"a graph is made of layers; {name} is none.")
    return layer


def _is_operation(entry: Entry) -> bool:
    """Tell whether an entry is a function of Keras 3; HDF5 files name no modules, but layers say whether they train."""
    if "module" in entry or stored_configs.current().era is None:
        return ".ops." in str(entry.get("module"))
    config = entry.get("config")
    of_layer = isinstance(config, Mapping) and bool({"trainable", "layers"} & set(config))
    name = entry["class_name"]
    if of_layer or registry.custom_object(name) is not None:
        return False
    return stored_configs.TABLES.has_operation(name)


def _takes_a_list(layer: Any) -> bool:
    return bool(getattr(layer, "_needs_list", False))


def own_calls(layer: Any) -> list[Node]:
    """Return what is counted before the calls of a layer: in a model, what leads from its own inputs to its outputs."""
    return layer._own_calls() if getattr(layer, "_counts_own_call", False) else []


def _places_in(tree: Any) -> Iterator[Place]:
    """Yield the places of tensors in the calls of a configuration, or in its inputs and outputs."""
    if is_place(tree):
        yield place_of(tree)
    if is_branch(tree):
        for branch in tree.values() if isinstance(tree, Mapping) else tree:
            yield from _places_in(branch)


_CALLED: dict[type, str] = {list: "a list", str: "a string", dict: "a dictionary"}


def _of(config: Any, key: str, *kinds: type) -> Any:
    """Return a value of a configuration, or raise where it is of no such kind."""
    if not isinstance(config, Mapping) or not isinstance(config.get(key), kinds):
        wanted = " or ".join(_CALLED[kind] for kind in kinds)
        held = show(config.get(key)) if isinstance(config, Mapping) and key in config else f"none in {show(config)}"
        raise ValueError(f"{key!r} must be {wanted}; got {held}.")
    return config[key]


# --- the graph ---------------------------------------------------------------------------------------------------


class GraphReader:
    """The graph that a configuration describes, made call by call.

    Args:
        config: The configuration; it is not changed.
        layers: The layers by name, where they are there already, as for a copy.
    """

    def __init__(self, config: Entry, layers: Mapping[str, Layer] | None = None) -> None:
        self.config = config
        self.made: dict[str, Any] = {}
        self.outputs: dict[tuple[str, int], list[SymbolicTensor]] = {}
        self.added: list[tuple[Entry, Any]] = []
        entries = [self._checked(entry) for entry in _of(config, "layers", list)]
        calls = (node for _, entry in entries for node in entry.get("inbound_nodes") or [])
        self.third = any(isinstance(node, dict) and _SIGN_OF_KERAS_3 in node for node in calls)
        for name, entry in entries:
            if name in self.made:
                raise ValueError(f"two layers have the name {name!r}.")
            known = (layers or {}).get(name)
            self.made[name] = _made(entry) if known is None else known
        self.calls: list[Call] = []
        told = [_of(config, "output_layers", list, dict), *(entry.get("inbound_nodes") for _, entry in entries)]
        self.needed = set() if self.third else {(place.layer, place.call) for place in _places_in(told)}
        for name, entry in entries:
            self._enter(name, entry)

    @staticmethod
    def _checked(entry: Any) -> tuple[str, Entry]:
        _of(entry, "class_name", str)
        name = entry.get("name") or _of(entry.get("config"), "name", str)
        if not isinstance(name, str) or not isinstance(entry.get("inbound_nodes", []), (list, type(None))):
            raise ValueError(f"a layer of a graph needs 'name' and 'inbound_nodes', a list; got {show(entry)}.")
        return name, entry

    def _enter(self, name: str, entry: Entry) -> None:
        """Note the outputs that a layer has by itself, and its calls."""
        layer = self.made[name]
        if isinstance(layer, InputLayer):
            self.outputs[name, 0] = [layer.tensor]
            return
        own = [] if self.third else own_calls(layer)
        if (name, 0) in self.needed and not getattr(layer, "_declares_inputs", True):
            own = []  # tf.keras 2.0 and 2.1, where chains that were built by a call are no graphs
        for number, node in enumerate(own):
            self.outputs[name, number] = leaves_by_key(node.outputs)
        own_name = str(entry.get("registered_name")).startswith(stored_configs.OWN)
        for number, node in enumerate(entry.get("inbound_nodes") or [], len(own)):
            try:
                if self.third:
                    call = keras_3_call(name, number, node, keeps_mode=own_name)
                else:
                    call = keras_2_call(name, number, node, self.made, _takes_a_list(layer))
                self.calls.append(call)
            except ValueError as error:
                raise ValueError(f"{name!r}, inbound_nodes: {error}") from None

    def tensor_at(self, place: Place) -> SymbolicTensor:
        """Return the tensor at a place.

        Raises:
            ValueError: Nothing gives it.
        """
        outputs = self.outputs.get((place.layer, place.call))
        if outputs is None or place.output >= len(outputs):
            raise ValueError(f"the graph needs {place}, which nothing gives.")
        return outputs[place.output]

    def run(self) -> None:
        """Make all calls, each as soon as its inputs are there.

        Raises:
            ValueError: A call needs what nothing gives, or calls need each other.
        """
        waiting: dict[tuple[str, int], list[Call]] = {}
        ready = deque(self.calls)
        done = 0
        while ready:
            call = ready.popleft()
            missing = next((p for p in call.places() if (p.layer, p.call) not in self.outputs), None)
            if missing is not None:
                waiting.setdefault((missing.layer, missing.call), []).append(call)
                continue
            self._make(call)
            done += 1
            ready.extendleft(reversed(waiting.pop((call.layer, call.number), [])))
        if done < len(self.calls):
            (name, number), calls = next(iter(waiting.items()))
            known = any(call.layer == name and call.number == number for call in self.calls)
            why = "calls need each other" if known else "nothing gives it"
            raise ValueError(f"{calls[0].layer!r} needs call {number} of {name!r}, and {why}.")

    def _make(self, call: Call) -> None:
        layer = self.made[call.layer]
        arguments, keywords = put(call.arguments, self.tensor_at), put(call.keywords, self.tensor_at)
        if isinstance(layer, Mapping):
            self.added.append((layer, arguments[0]))
            result = arguments[0]
        else:
            convert = stored_configs.TABLES.call_arguments.get(type(layer).__name__)
            arguments, keywords = (arguments, keywords) if convert is None else convert(arguments, keywords)
            result = layer(*arguments, **keywords)
            if isinstance(layer, Function) and (node := leaves_by_key(result)[0].node) is not None:
                call_it(node, call.layer)
        self.outputs[call.layer, call.number] = leaves_by_key(result)

    def tree(self, key: str) -> Tree:
        """Return the inputs or outputs of the model.

        Args:
            key: `'input_layers'` or `'output_layers'`.
        """

        def tensors(tree: Any) -> Tree:
            if is_place(tree):
                place = place_of(tree)
                if self.third and getattr(self.made.get(place.layer), "_plan", None) is not None:
                    # Here, and not in calls, Keras 3 counts what leads from a model's own inputs to its outputs.
                    place = replace(place, call=place.call - 1)
                return self.tensor_at(place)
            if isinstance(tree, dict):
                return {name: tensors(branch) for name, branch in tree.items()}
            if is_branch(tree):
                return [tensors(branch) for branch in tree]
            raise ValueError(f"{key}: a tensor must be [layer, call, output]; got {show(tree)}.")

        told = tensors(_of(self.config, key, list, dict))
        return told[0] if isinstance(told, list) and len(told) == 1 else told


def from_config(cls: type, config: Entry, layers: Mapping[str, Layer] | None = None) -> Any:
    """Make a model from the configuration of a graph of layers.

    Args:
        cls: The class of the model.
        config: The configuration; it is not changed.
        layers: The layers by name, where they are there already, as for a copy.

    Raises:
        ValueError: A call of something that the configuration does not have, or a damaged configuration.
    """
    with stored_configs.reading(config):
        reader = GraphReader(config, layers)
        reader.run()
        model = cls(reader.tree("input_layers"), reader.tree("output_layers"), name=config.get("name"))
        for entry, tensor in reader.added:
            told = entry.get("config") or {}
            if entry["class_name"] == "AddLoss":
                model.add_loss(tensor)
            else:
                model.add_metric(tensor, name=told.get("metric_name"), aggregation=told.get("aggregation"))
    if config.get("trainable") is False:
        model.trainable = False
    return model
