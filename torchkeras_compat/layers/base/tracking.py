"""What a user's layer holds beside `add_weight`: variables, torch modules, parameters, and lists of all of them.

Keras tracks variables and layers in attributes, lists and dictionaries, and torch tracks modules and parameters; here
all of them train, count and are saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, SupportsIndex

import torch
from torch import nn

from ..._core.ownership import is_ours
from ..._core.weights import UNNAMED, Holder, Variable, Weight
from .traits import Changes

# Attributes of layers themselves, which a search for what the user put there leaves out.
_OWN = {
    "_attribute_order",
    "_table",
    "_losses",
    "_nodes",
    "_modules",
    "_parameters",
    "_buffers",
    "_torch_parts",
    "_variables",
    "_swapped",
    "_held",
    "_held_modules",
    "_seen",
}

CONTAINERS = (list, tuple, dict)


class WeightList(list[Variable]):
    """The weights of a layer as Keras 1 and 2 hand them out: what is put into the list becomes a weight.

    Args:
        layer: Whose they are.
        learns: Whether training changes what is added.
        values: Those there are.
    """

    def __init__(self, layer: Any, learns: bool, values: Iterable[Variable]) -> None:
        super().__init__(values)
        self.owner, self._learns = layer, learns

    def append(self, value: Any) -> None:
        """Make a variable a weight of the layer."""
        track(self.owner, value, self._learns)
        super().append(value)

    def extend(self, values: Iterable[Any]) -> None:
        """Make variables weights of the layer."""
        for value in values:
            self.append(value)

    def insert(self, index: SupportsIndex, value: Any) -> None:
        """Make a variable a weight of the layer."""
        track(self.owner, value, self._learns)
        super().insert(index, value)

    def __iadd__(self, values: Iterable[Any]) -> WeightList:  # type: ignore[override,misc]
        self.extend(values)
        return self

    def __reduce__(self) -> Any:
        return list, (list(self),)


def track(layer: Any, variable: Any, learns: bool | None = None, name: str | None = None) -> Weight:
    """Enter a variable into the weight table of a layer; one that is there already keeps its line.

    Args:
        layer: The layer.
        variable: A variable, or a torch parameter.
        learns: Whether training changes it; as the variable says if `None`.
        name: The attribute it was assigned to.

    Raises:
        TypeError: Something else, such as an array.
    """
    if isinstance(variable, nn.Parameter):
        line = _line_of(layer, variable) or _entered(layer, variable, name, None, None)
    elif isinstance(variable, Variable):
        line = variable._weight
        if isinstance(line.module, Holder):  # it belongs to no layer yet
            parameter: Any = line.parameters[0]
            own_name = None if line.name == UNNAMED else line.name
            learns = line.trainable if learns is None else learns
            known = _line_of(layer, parameter)
            line = variable._weight = known or _entered(layer, parameter, name, own_name, line)
        elif _line_of(layer, *line.parameters) is None:  # the weight of another layer, shared from now on
            layer._table.append(line)
    else:
        raise TypeError(
            f"{layer}: a weight must be a variable; got {type(variable).__name__}. Write K.variable(value), or "
            f"self.add_weight(name=…, shape=…)."
        )
    _decide(line, learns)
    return line


def _line_of(layer: Any, *parameters: Any) -> Weight | None:
    """Return the line of a layer's table, or of its sublayers', that stands for these parameters."""
    wanted = [id(p) for p in parameters]
    lines = [*layer._table, *(line for inner in layer._sublayers() for line in inner._weight_table())]
    return next((line for line in lines if [id(p) for p in line.parameters] == wanted), None)


def _entered(layer: Any, parameter: Any, attribute: str | None, own_name: str | None, line: Weight | None) -> Weight:
    """Enter a parameter into the table of a layer, in the line that variables know it by where there is one."""
    place = next((key for key, value in layer._parameters.items() if value is parameter), None)
    if place is None:
        place = layer._free_attribute(attribute or own_name or "variable")
        layer._parameters[place] = parameter
    title = _free_name(layer, own_name or attribute or place)
    if line is None:
        entered: Weight = layer._enter_weight(title, layer, place, trainable=parameter.requires_grad)
        return entered
    line.name, line.owner = title, layer
    line.module, line.attributes, line.trainable = layer, (place,), parameter.requires_grad
    layer._table.append(line)
    return line


def release(layer: Any, line: Weight) -> None:
    """Take a variable out of a layer's table again: it was tracked as an attribute, and is no weight after all."""
    layer._table.remove(line)
    parameter: Any = line.parameters[0]
    del layer._parameters[line.attributes[0]]
    line.module, line.attributes, line.owner = Holder(parameter), ("value",), None


def _decide(line: Weight, learns: bool | None) -> None:
    if learns is None or learns == line.trainable:
        return
    line.trainable = learns
    for parameter in line.parameters:
        if parameter.is_floating_point():
            parameter.requires_grad_(learns)


def _free_name(layer: Any, name: str) -> str:
    names = {line.name for line in layer._table}
    return next(n for n in (name, *(f"{name}_{i}" for i in range(1, len(names) + 2))) if n not in names)


def adopt(layer: Any, device: torch.device) -> tuple[nn.Module, ...]:
    """Enter all that a user's layer holds into its weight table, and return the torch modules in it.

    Args:
        layer: The layer, just built.
        device: Where it was built.
    """
    register_held(layer)
    parts = dict(_torch_modules(layer, ""))
    _enter_all(layer, {"": layer, **parts}, device)
    return tuple(parts.values())


def adopt_activations(layer: Any, device: torch.device) -> None:
    """Enter the weights of torch modules that a built-in layer was given as activations, such as `nn.PReLU()`."""
    for name in ("activation", "recurrent_activation"):
        module = layer._modules.get(name)
        if module is not None and not getattr(module, "_is_layer", False):
            _enter_all(layer, {f"{name}.": module, **dict(_torch_modules(module, f"{name}."))}, device)


def _enter_all(layer: Any, modules: dict[str, nn.Module], device: torch.device) -> None:
    known = {id(p) for weight in layer._weight_table() for p in weight.parameters}
    for path, module in modules.items():
        for name, tensor in [*_own(module._parameters), *_own(module._buffers)]:
            if tensor.device != device:
                tensor.data = tensor.data.to(device)
            if id(tensor) not in known:
                learns = isinstance(tensor, nn.Parameter) and tensor.requires_grad
                layer._enter_weight(f"{path}{name}", module, name, trainable=learns)


def _own(tensors: dict[str, Any]) -> list[tuple[str, torch.Tensor]]:
    return [(name, tensor) for name, tensor in tensors.items() if tensor is not None]


def follow(layer: Any) -> None:
    """Track what the lists and dictionaries of a user's layer hold now."""
    if not is_ours(type(layer)) and holds_news(layer):
        register_held(layer)


def holds_news(layer: Any) -> bool:
    """Tell whether a list or dictionary of a user's layer holds something else than when last asked."""
    attributes = vars(layer)
    held = {name: attributes.get(name) for name in attributes.get("_attribute_order", ())}
    keys = _held_modules(layer).keys() | attributes.get("_held", {}).keys()
    holding = {name for key in keys for name in (key, *_heads(key))}
    now = [_contents(value, name in holding) for name, value in held.items() if isinstance(value, CONTAINERS)]
    news = bool(now != attributes.get("_seen", []))
    attributes["_seen"] = now
    return news


_SHORT = 100  # a longer list that holds no layer or variable is looked through when its length has changed


def _contents(value: Any, deep: bool) -> Any:
    """Return what a container and those inside it hold, by identity."""
    if not isinstance(value, CONTAINERS):
        return id(value)
    if len(value) > _SHORT and not deep:
        return id(value), len(value)
    return id(value), *(_contents(item, deep) for item in (value.values() if isinstance(value, dict) else value))


@dataclass
class HeldModules:
    """The modules in the containers of a layer by key; no dictionary, which would be a container itself."""

    by_key: dict[str, nn.Module]


def _held_modules(layer: Any) -> dict[str, nn.Module]:
    held: HeldModules | None = layer.__dict__.get("_held_modules")
    return {} if held is None else held.by_key


def register_held(layer: Any) -> None:
    """Track the variables, parameters and modules that stand in the lists and dictionaries of a layer now.

    The modules come in the order of the attributes that hold them, as Keras lists layers and their weights.
    """
    before = _held_modules(layer)
    own = {id(module) for key, module in layer._modules.items() if before.get(key) is not module}
    modules: dict[str, nn.Module] = {}
    places: dict[str, list[str]] = {}
    variables: dict[str, list[Weight]] = {}
    for name, value in list(vars(layer).items()):
        if name in _OWN or not isinstance(value, CONTAINERS):
            continue
        for key, item in _items(value, name):
            if isinstance(item, nn.Module):
                if id(item) not in own:
                    own.add(id(item))
                    modules[key] = item
                    places.setdefault(name, []).append(key)
            elif not layer._lists_weights:
                line = track(layer, item, name=key)
                if all(line is not known for known in variables.setdefault(name, [])):
                    variables[name].append(line)
    _forget_variables(layer, variables)
    if modules != before:
        _replace_held(layer, before, modules, places)


def _replace_held(
    layer: Any, before: dict[str, nn.Module], modules: dict[str, nn.Module], places: dict[str, list[str]]
) -> None:
    """Enter the modules in the containers of a layer, by key, in the place of those that were there before."""
    Changes.note()
    for key in before:
        layer._modules.pop(key, None)
    layer._modules.update(modules)
    layer._held_modules = HeldModules(modules)
    order = layer.__dict__.get("_attribute_order", ())
    keys = [key for name in order for key in places.get(name, [name]) if key in layer._modules]
    ordered = {key: layer._modules[key] for key in dict.fromkeys([*keys, *layer._modules])}
    layer._modules.clear()
    layer._modules.update(ordered)
    for module in modules.values():
        stands_in(layer, module)


def stands_in(layer: Any, part: Any) -> None:
    """Note that a layer which is not built yet stands in one that is: its weights will be named after that."""
    if layer.built:
        layer._parts_changed()
        if getattr(part, "_is_layer", False) and not part.built:
            part._scope = layer._weight_scope


def _forget_variables(layer: Any, variables: dict[str, list[Weight]]) -> None:
    """Take the variables that stand in no container of a layer any more out of its table."""
    before: dict[str, list[Weight]] = layer.__dict__.get("_held", {})
    kept = {id(line) for lines in variables.values() for line in lines}
    for line in (line for lines in before.values() for line in lines):
        if id(line) not in kept and any(line is entered for entered in layer._table) and line.module is layer:
            release(layer, line)
    layer._held = variables


class Part(NamedTuple):
    """What one attribute of a model holds.

    Attributes:
        layers: The layer, or those in a list or dictionary.
        variables: The lines of the variables in a list or dictionary.
        is_container: Whether it is a list or dictionary.
    """

    layers: list[Any]
    variables: list[Weight]
    is_container: bool

    def learning_and_others(self) -> tuple[list[Weight], list[Weight]]:
        """Return the weights that may train as layers are frozen now, and the others, as Keras lists them."""
        inside = [layer._learning_and_others() for layer in self.layers]
        learning = [*(w for part, _ in inside for w in part), *(w for w in self.variables if w.trainable)]
        return learning, [*(w for _, part in inside for w in part), *(w for w in self.variables if not w.trainable)]


def in_order_of_attributes(model: Any, layers: Iterable[Any]) -> list[Part]:
    """Return what the attributes of a model hold, in the order in which they were assigned.

    Args:
        model: The model.
        layers: Its layers; those of a graph, which no attribute holds, come first.
    """
    places = {name: place for place, name in enumerate(model.__dict__.get("_attribute_order", ()))}
    attribute_of = {
        id(layer): next((name for name in (key, *_heads(key)) if name in places), None)
        for key, layer in model._modules.items()
    }
    listed = set(map(id, _held_modules(model).values()))
    containers = {
        name: Part([], lines, True) for name, lines in model.__dict__.get("_held", {}).items() if name in places
    }
    parts: list[tuple[int, Part]] = []
    for layer in layers:
        name = attribute_of.get(id(layer))
        if name is not None and id(layer) in listed:
            containers.setdefault(name, Part([], [], True)).layers.append(layer)
        else:
            parts.append((-1 if name is None else places[name], Part([layer], [], False)))
    parts += [(places[name], part) for name, part in containers.items()]
    return [part for _, part in sorted(parts, key=lambda placed: placed[0])]


def _heads(key: str) -> Iterator[str]:
    """Yield the names of attributes that may hold what is registered as `key`, the longest first: `a_b` of `a_b_0`."""
    parts = key.split("_")
    yield from ("_".join(parts[:end]) for end in range(len(parts) - 1, 0, -1))


def _items(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield modules, variables and parameters inside lists, tuples and dictionaries, with a name for each."""
    if isinstance(value, (nn.Module, nn.Parameter, Variable)):
        yield path, value
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from _items(value[key], f"{path}_{key}")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _items(item, f"{path}_{i}")


def _torch_modules(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield the torch modules below `module`, without going into layers, which speak for themselves."""
    for name, child in module.named_children():
        if not getattr(child, "_is_layer", False):
            yield f"{path}{name}.", child
            yield from _torch_modules(child, f"{path}{name}.")
