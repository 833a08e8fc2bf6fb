"""The configuration of a model as Keras 3 reads it.

`for_keras_3` turns what this package writes, in the form of Keras 2.15, into the form of Keras 3, and tells what that
Keras cannot express.  Such parts get a name that only this package knows, so that Keras 3 refuses them by it and never
takes another function for them; `model_from_config` here reads both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._core import registry, stored_configs
from .._core.dialects import current, named, using
from .._core.errors import show
from .._core.graph_calls import Call, Place, keras_2_call, places_in, put
from ..utils.objects import MODULES_BY_KIND
from . import keras3_tables as tables
from .keras2_form import input_before
from .keras3_operations import OPERATIONS, Operation
from .keras3_tables import Rule

Config = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """Something that Keras 3 cannot express.

    Attributes:
        layer: The name of the layer, or what else has it.
        reason: Why.
    """

    layer: str
    reason: str

    def __str__(self) -> str:
        return f"{self.layer!r}: {self.reason}"


class _CannotSay(Exception):
    """A part that Keras 3 cannot express, and why."""


def for_keras_3(config: Mapping[str, Any], dialect: str | None = None) -> tuple[Config, list[Problem]]:
    """Return a configuration in the form of Keras 3, and what that Keras cannot express.

    Args:
        config: A model's or layer's, `{'class_name': …, 'config': …}` as `layers.serialize` returns it; not changed.
        dialect: The dialect of the layers, which decides what they do with masked steps; the current one if `None`.

    Example:
        >>> import torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.LeakyReLU(0.1, input_shape=(2,), name='leaky')])
        >>> config, problems = for_keras_3(keras.layers.serialize(model))
        >>> config['config']['layers'][1]['config']['negative_slope'], problems
        (0.1, [])
    """
    known = named(dialect) if dialect else current()
    writer = _Writer(known, _any_masks(config), in_several=_in_several_models(config))
    return writer.layer(config), writer.problems


def compile_for_keras_3(config: Mapping[str, Any], dialect: str | None = None) -> tuple[Config, list[Problem]]:
    """Return what `get_compile_config` tells, in the form of Keras 3, and what that Keras cannot express.

    Args:
        config: What the model was compiled with; it is not changed.
        dialect: The dialect of the model, which has the defaults of an optimizer that stands by name.

    Example:
        >>> compile_for_keras_3({'loss': 'kullback_leibler_divergence', 'metrics': ['acc'], 'jit_compile': None})[0]
        {'loss': 'kl_divergence', 'metrics': ['acc']}
    """
    known = named(dialect) if dialect else current()
    writer = _Writer(known, False)
    kept = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "steps_per_execution")
    told = {name: config[name] for name in kept if config.get(name) is not None}
    if isinstance(told.get("optimizer"), str):
        with using(known.name):
            told["optimizer"] = registry.serialize("optimizer", registry.get("optimizer", told["optimizer"]))
    if "optimizer" in told:
        told["optimizer"] = _with_schedule(told["optimizer"])
    return {name: writer.told(value) for name, value in told.items()}, writer.problems


def _with_schedule(optimizer: Any) -> Any:
    """Return an optimizer whose `decay` is a schedule, as it has to be from Keras 2.11 on; the rates are the same."""
    arguments = optimizer.get("config") if isinstance(optimizer, Mapping) else None
    if not isinstance(arguments, Mapping) or not isinstance(arguments.get("decay"), float):
        return optimizer
    rest = {name: value for name, value in arguments.items() if name != "decay"}
    if optimizer["class_name"] == "Nadam":  # whose schedule_decay tf.keras calls so
        return {**optimizer, "config": {**rest, "schedule_decay": arguments["decay"]}}
    if not arguments["decay"] or not isinstance(arguments.get("learning_rate"), float):
        return optimizer
    told = {"initial_learning_rate": arguments["learning_rate"], "decay_steps": 1, "decay_rate": arguments["decay"]}
    schedule = {"class_name": "InverseTimeDecay", "config": {**told, "staircase": False}}
    return {**optimizer, "config": {**rest, "learning_rate": schedule}}


def _dictionaries_in(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the dictionaries in a configuration; a walk without recursion."""
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            yield value
            pending += value.values()
        elif isinstance(value, (list, tuple)):
            pending += value


def _any_masks(config: Any) -> bool:
    """Tell whether any layer of a configuration makes a mask."""
    return any(part.get("class_name") == "Masking" or part.get("mask_zero") for part in _dictionaries_in(config))


def _in_several_models(config: Any) -> frozenset[int]:
    """Return the numbers of shared layers that are listed among the layers of more than one model."""
    lists = (part["layers"] for part in _dictionaries_in(config) if isinstance(part.get("layers"), list))
    numbers = Counter(entry.get("shared_object_id") for layers in lists for entry in layers)
    return frozenset(number for number, count in numbers.items() if number is not None and count > 1)


def _in_form(kind: str, name: str, config: Any) -> Config:
    return {"module": MODULES_BY_KIND[kind], "class_name": name, "config": config, "registered_name": None}


def _policy(dtype: Any) -> Any:
    """Return a type, or a policy, as Keras 3 writes it."""
    name = dtype["config"]["name"] if isinstance(dtype, Mapping) else dtype
    if name is None:
        return None
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}


def _value(value: Any) -> Any:
    """Return a value as Keras 3 writes it."""
    if isinstance(value, np.ndarray):
        array = {"value": value.tolist(), "dtype": str(value.dtype)}
        return {"class_name": "__numpy__", "config": array}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, slice):
        ends = {"start": value.start, "stop": value.stop, "step": value.step}
        return {"class_name": "__slice__", "config": {key: _value(end) for key, end in ends.items()}}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    return {key: _value(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _applied(owner: str, rules: Mapping[str, Rule], config: Mapping[str, Any]) -> Config:
    """Return arguments under the names of Keras 3.

    Raises:
        _CannotSay: One that goes has a value that Keras 3 cannot express.
    """
    told: Config = {}
    for argument, value in config.items():
        rule = rules.get(argument)
        if rule is None:
            told[argument] = value
        elif rule.new is not None and (rule.harmless is None or value not in rule.harmless):
            told[rule.new] = value if rule.convert is None else rule.convert(value)
        elif rule.new is None and rule.harmless is not None and value not in rule.harmless:
            raise _CannotSay(rule.reason or f"Keras 3's {owner} has no {argument}; it is {show(value)} here")
    return told


@dataclass
class _Writer:
    """What is written, and what could not be.

    Attributes:
        dialect: That of the layers.
        masks: Whether any layer of the model makes a mask.
        problems: What Keras 3 cannot express.
    """

    dialect: Any
    masks: bool
    problems: list[Problem] = field(default_factory=list)
    in_several: frozenset[int] = frozenset()  # the numbers of layers that stand in several models

    # --- layers --------------------------------------------------------------------------------------------------

    def layer(self, entry: Mapping[str, Any], why_not: str = "") -> Config:
        """Return a layer or model, under its own name where Keras 3 cannot express it.

        Args:
            entry: Its configuration.
            why_not: Why Keras 3 cannot, where that is known already.
        """
        name, config = entry["class_name"], entry.get("config") or {}
        shared = {key: entry[key] for key in ("shared_object_id",) if key in entry}
        return {**self._written(name, config, why_not), **shared}

    def _written(self, name: str, config: Any, why_not: str) -> Config:
        try:
            if why_not:
                raise _CannotSay(why_not)
            if name in tables.MODELS and ("layers" in config or isinstance(config, list)):
                graph = isinstance(config, Mapping) and "input_layers" in config
                return self._graph(config) if graph else self._stack(config)
            return self._layer(name, config)
        except _CannotSay as reason:
            called = config.get("name", name) if isinstance(config, Mapping) else name
            self.problems.append(Problem(called, str(reason)))
            own = {"module": "torchkeras_compat.layers", "class_name": name, "config": _named_functions(config)}
            return {**own, "registered_name": f"{stored_configs.OWN}{name}"}

    def _layer(self, name: str, config: Mapping[str, Any]) -> Config:
        if name in tables.MISSING:
            raise _CannotSay(tables.MISSING[name])
        if registry.KINDS["layer"].find(name) is None or ">" in name:  # a class of the user's
            return {
                "module": None,
                "class_name": name.rpartition(">")[2],
                "config": dict(config),
                "registered_name": name,
            }
        self._check_masked_steps(name, config)
        told = _applied(name, tables.LAYERS.get(name, tables.EVERY_LAYER), config)
        told = {argument: self._argument(name, argument, value) for argument, value in told.items()}
        return _in_form("layer", tables.RENAMED.get(name, name), told)

    def _check_masked_steps(self, name: str, config: Mapping[str, Any]) -> None:
        inner = config.get("layer") or {}
        keeps = name == "Bidirectional" and not self.dialect.rules.bidirectional_zeroes_masked
        if keeps and self.masks and inner.get("config", {}).get("return_sequences"):
            raise _CannotSay("masked steps have the output of the step before here, and 0 in Keras 3")
        if name == "SpectralNormalization" and inner.get("class_name") == "Embedding":
            raise _CannotSay("Keras 3 casts the vectors of a normalised Embedding to integers")

    def _argument(self, owner: str, argument: str, value: Any) -> Any:
        kind = argument.rpartition("_")[2]
        if argument == "dtype":
            return value if owner == "InputLayer" and isinstance(value, str) else _policy(value)
        if argument in ("layer", "backward_layer", "cell") and isinstance(value, Mapping):
            return self._inner(value)
        if argument == "cells" and isinstance(value, (list, tuple)):
            return [self._inner(cell) for cell in value]
        if kind == "activation":
            return self._activation(value)
        if kind in ("initializer", "regularizer", "constraint"):
            return self.part(kind, value)
        if callable(value):
            return _function(value)
        return _value(value)

    def _inner(self, entry: Mapping[str, Any]) -> Config:
        """Return a layer inside another one; where Keras 3 cannot express it, the layer around is not either."""
        inner = _Writer(self.dialect, self.masks, in_several=self.in_several)
        written = inner.layer(entry)
        if inner.problems:
            raise _CannotSay(inner.problems[0].reason)
        return written

    def _activation(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self._inner(value)
        if callable(value):
            value = getattr(value, "__name__", value)
        if value in tables.ACTIVATIONS:
            known = tables.ACTIVATIONS[value]
            if known is None:
                raise _CannotSay(tables.CLASSIC_HARD_SIGMOID)
            return known
        if isinstance(value, str) and registry.KINDS["activation"].find(value) is None:
            return _function_called(value)  # of a user's: Keras 3 looks up no plain name among these
        return value

    # --- everything else -----------------------------------------------------------------------------------------

    def part(self, kind: str, value: Any) -> Any:
        """Return an initializer, a loss or the like: `None`, a name, or a configuration.

        Raises:
            _CannotSay: Keras 3 has none such.
        """
        if not isinstance(value, Mapping) or not isinstance(value.get("class_name"), str):
            return tables.NAMES.get(value, value) if isinstance(value, str) else _value(value)
        name = value["class_name"].removeprefix("Custom>")
        if name in tables.MISSING:
            raise _CannotSay(tables.MISSING[name])
        if name == "function":
            return self.part(kind, value.get("config"))
        entry = registry.KINDS[kind].find(name)
        if entry is None:
            return dict(value)
        told = _applied(name, tables.OTHERS[kind], value.get("config") or {})
        told = {argument: self.told(item) for argument, item in told.items()}
        return _in_form(kind, entry.__name__, told)

    def told(self, value: Any) -> Any:
        """Return what `compile` was told, or an argument: objects, names, and lists and dictionaries of them."""
        if isinstance(value, Mapping) and isinstance(value.get("class_name"), str):
            if value["class_name"] == "__tuple__":
                return [self.told(item) for item in value.get("items", ())]
            kind = _kind_of(value)
            try:
                return _of_users(value) if kind is None else self.part(kind, value)
            except _CannotSay as reason:
                self.problems.append(Problem(value["class_name"], str(reason)))
                return {**value, "registered_name": f"{stored_configs.OWN}{value['class_name']}"}
        if isinstance(value, Mapping):
            return {key: self.told(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.told(item) for item in value]
        return tables.NAMES.get(value, value) if isinstance(value, str) else _value(value)

    # --- models --------------------------------------------------------------------------------------------------

    def _stack(self, config: Any) -> Config:
        """Return a Sequential."""
        told: Config = {"layers": config} if isinstance(config, list) else dict(config)
        entries = list(told["layers"])
        shape = _shape_of_first(entries)
        if shape is not None:
            entries.insert(0, input_before(entries[0], shape))
        inner = {
            **told,
            "trainable": told.get("trainable", True),
            "layers": [self.layer(e, self._why_not_in_a_model(e)) for e in entries],
        }
        if told.get("build_input_shape") is not None:
            inner["build_input_shape"] = list(told["build_input_shape"])
        return {"module": "keras", "class_name": "Sequential", "config": inner, "registered_name": None}

    def _graph(self, config: Any) -> Config:
        """Return a model made of tensors."""
        entries = {entry["name"]: entry for entry in config["layers"]}
        own = {name: _own_calls(entry) for name, entry in entries.items()}
        layers = []
        for name, entry in entries.items():
            nodes = entry.get("inbound_nodes") or []
            calls = [keras_2_call(name, own[name] + i, node, entries, listed=True) for i, node in enumerate(nodes)]
            layers.append({**self._entry(entry, calls, own), "name": name})

        def at(place: Any) -> list[Any]:
            # Here, and not in calls, what leads from a functional model's own inputs to its outputs is counted.
            counted = 1 if "input_layers" in entries[place[0]]["config"] else 0
            return [place[0], place[1] - own[place[0]] + counted, place[2]]

        ends = {key: _alone(_mapped(at, config[key])) for key in ("input_layers", "output_layers")}
        inner = {"name": config["name"], "trainable": config.get("trainable", True), "layers": layers, **ends}
        form = {"module": "keras.src.models.functional", "class_name": "Functional", "config": inner}
        return {**form, "registered_name": "Functional"}

    def _entry(self, entry: Mapping[str, Any], calls: list[Call], own: Mapping[str, int]) -> Config:
        """Return a layer of a graph with its calls."""
        if entry["class_name"] == "TFOpLambda":
            written, calls = self._operation(entry, calls)
        else:
            written = self.layer(entry, self._why_not_in_a_model(entry, calls))
            calls = [_as_keras_3_calls(entry["class_name"], call) for call in calls]
        return {**written, "inbound_nodes": [_node(call, own) for call in calls]}

    def _why_not_in_a_model(self, entry: Mapping[str, Any], calls: Sequence[Call] = ()) -> str:
        """Return why Keras 3 cannot have a layer in the place where it stands, `''` where it can."""
        if any("training" in call.keywords for call in calls):
            return "a call is told training=…, which fit and predict of Keras 3 replace"
        if entry.get("shared_object_id") in self.in_several and entry["class_name"] != "InputLayer":
            return "it stands in several models that are parts of one, where Keras 3 mixes up its calls"
        return ""

    def _operation(self, entry: Mapping[str, Any], calls: list[Call]) -> tuple[Config, list[Call]]:
        """Return a function of tensors as an operation of Keras 3, and its calls."""
        config = entry["config"]
        function = config["function"]
        known = OPERATIONS.get(function) or stored_configs.TABLES.class_of_operation(function)
        try:
            if known is None or len(calls) != 1:
                raise _CannotSay(f"Keras 3 has no operation for {function}")
            told, call = _arguments_of(known, calls[0])
        except _CannotSay as reason:
            self.problems.append(Problem(config["name"], str(reason)))
            own = {"module": "torchkeras_compat.layers", "class_name": "TFOpLambda", "config": dict(config)}
            return {**own, "registered_name": f"{stored_configs.OWN}TFOpLambda"}, calls
        form = {"module": known.cls.module, "class_name": known.name, "config": {"name": config["name"], **told}}
        return {**form, "registered_name": known.name}, [call]


def _arguments_of(known: Operation, call: Call) -> tuple[Config, Call]:
    """Return the arguments of an operation that stand in its configuration, and its call with its operands.

    Raises:
        _CannotSay: An argument that the operation does not have, off its default.
    """
    names, cls = known.parameters, known.cls
    told = dict(zip(names, call.arguments)) | call.keywords
    operands = [told.pop(name) for name in names[: cls.operands] if name in told]
    if len(call.arguments) > len(names) or len(operands) < cls.operands:
        raise _CannotSay(f"Keras 3's operation {known.name} has other arguments")
    config = dict(known.constants)
    for name, value in {**known.defaults, **told}.items():
        argument = known.renamed.get(name, name)
        if name in names[cls.operands :] and argument in cls.arguments:
            if next(places_in(value), None) is not None:
                raise _CannotSay(f"Keras 3's operation {known.name} has numbers for {argument}, no tensors")
            config[argument] = _value(value)
        elif name not in known.defaults or isinstance(value, np.ndarray) or value != known.defaults[name]:
            raise _CannotSay(f"Keras 3's operation {known.name} has no {name}={show(value)}")
    if known.swapped:
        operands.reverse()
    return config, Call(call.layer, call.number, operands, {})


def _as_keras_3_calls(name: str, call: Call) -> Call:
    """Return a call with its arguments as Keras 3 has them: first states by name."""
    inputs = call.arguments[0]
    if name in tables.WITH_STATES and isinstance(inputs, list):
        keywords = {**call.keywords, **({"initial_state": inputs[1:]} if len(inputs) > 1 else {})}
        return Call(call.layer, call.number, [inputs[0], *call.arguments[1:]], keywords)
    if isinstance(inputs, list) and len(inputs) == 1 and not _merges(name):
        return Call(call.layer, call.number, [inputs[0], *call.arguments[1:]], call.keywords)
    return call


def _merges(name: str) -> bool:
    return bool(getattr(registry.KINDS["layer"].find(name), "_needs_list", False))


def _node(call: Call, own: Mapping[str, int]) -> Config:
    """Return a call as Keras 3 writes it."""

    def tensor(place: Place) -> Config:
        history = [place.layer, place.call - own[place.layer], place.output]
        # The shape is found again when the call is made.
        return {"class_name": "__keras_tensor__", "config": {"shape": [], "dtype": "float32", "keras_history": history}}

    return {"args": [_value(put(a, tensor)) for a in call.arguments], "kwargs": _value(put(call.keywords, tensor))}


def _own_calls(entry: Mapping[str, Any]) -> int:
    """Return how many calls the configurations of this package count before those of a layer."""
    config = entry.get("config") or {}
    if "input_layers" in config or config.get("build_input_shape") is not None:
        return 1
    layers = config.get("layers")
    first = layers[0] if isinstance(layers, list) and layers and isinstance(layers[0], Mapping) else {}
    return int(first.get("class_name") == "InputLayer" or "batch_input_shape" in first.get("config", {}))


def _shape_of_first(entries: list[Any]) -> Any:
    """Return the shape that the first layer of a stack declares, where no InputLayer stands before it."""
    if not entries or entries[0]["class_name"] == "InputLayer":
        return None
    config = entries[0].get("config")
    return config.get("batch_input_shape") if isinstance(config, Mapping) else None


def _mapped(function: Any, places: Any) -> Any:
    if isinstance(places, Mapping):
        return {key: _mapped(function, place) for key, place in places.items()}
    if places and isinstance(places[0], str):
        return function(places)
    return [_mapped(function, place) for place in places]


def _alone(places: Any) -> Any:
    """Return the only place of a list: with a list, Keras 3's model takes and gives lists."""
    return places[0] if isinstance(places, list) and len(places) == 1 else places


def _function(value: Any) -> Config:
    """Return a function by its name.

    Raises:
        _CannotSay: It has none.
    """
    name = getattr(value, "__name__", "<lambda>")
    if name == "<lambda>":
        raise _CannotSay("its function has no name; give it by the layer's name as custom_objects when loading here")
    return _function_called(name)


def _function_called(name: str) -> Config:
    """Return the function of this name as Keras 3 looks it up among what was registered, or given to `load_model`."""
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def _of_users(value: Mapping[str, Any]) -> Any:
    """Return an object of a user's class, such as a loss, whose base has told another name for its reduction."""
    config = value.get("config")
    told = config.get("reduction") if isinstance(config, Mapping) else None
    if not isinstance(config, Mapping) or not isinstance(told, str) or told not in tables.REDUCTIONS:
        return _value(value)
    return _value({**value, "config": {**config, "reduction": tables.REDUCTIONS[told]}})


def _named_functions(value: Any) -> Any:
    """Return a configuration with names of functions in the place of functions; code is never written."""
    if isinstance(value, Mapping):
        return {key: _named_functions(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_named_functions(item) for item in value]
    if not callable(value):
        return value
    name = getattr(value, "__name__", "<lambda>")
    return {"class_name": "__lambda__", "config": {}} if name == "<lambda>" else name


def _kind_of(value: Mapping[str, Any]) -> str | None:
    """Return what kind of thing a configuration is of."""
    name = value["class_name"].removeprefix("Custom>")
    module = str(value.get("module") or "")
    told = next((kind for kind, home in MODULES_BY_KIND.items() if module == home), None)
    kinds: Iterator[str] = (kind for kind in tables.OTHERS if registry.KINDS[kind].find(name) is not None)
    return told or next(kinds, None)
