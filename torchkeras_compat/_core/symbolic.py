"""One symbolic tensor: a shape, a type and the operation it came from.

`Input`, `layer.output`, `K.function` and `K.gradients` work on it; `evaluate` computes it from values of its inputs.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor

from . import settings
from .dtype_names import DtypeName
from .runs import RUN
from .shape_runs import may_be_sizes, on_two_sizes, sizes_in
from .shapes import Shape
from .tensor_operators import OPERATORS, item
from .tensor_shape import TensorShape
from .tree import Tree, flatten, map_tree
from .upper_rooms import upper_room
from .user_tensors import Deferred, hand_out

F = TypeVar("F", bound=Callable[..., Any])


class Node:
    """One call of a layer or function on symbolic tensors.

    Args:
        origin: The layer or function.
        arguments: The positional arguments of the call, symbolic tensors in trees among them; a layer's inputs first.
        keywords: Its keyword arguments.
        outputs: The symbolic tensors that it gives, one or a tree; they know this node from now on.

    Attributes:
        number: How many calls were made before it.
        beside: Symbolic tensors that the origin's code names, and that are no arguments.
        differentiates: Whether its code asks for gradients by tensors of the graph.
    """

    beside: Sequence[SymbolicTensor] = ()
    differentiates = False
    _numbers: ClassVar[Iterator[int]] = itertools.count()

    def __init__(
        self, origin: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any], outputs: Tree
    ) -> None:
        self.number = next(self._numbers)
        self.origin = origin
        self.arguments = tuple(map(_own_containers, arguments))
        self.keywords = {name: _own_containers(value) for name, value in keywords.items()}
        self.outputs = outputs
        for tensor in flatten(outputs):
            tensor.node = self

    @property
    def is_layer(self) -> bool:
        """Whether a layer was called, and not a function."""
        return getattr(self.origin, "_is_layer", False)

    def parents(self) -> list[SymbolicTensor]:
        """Return the symbolic tensors among the arguments."""
        return symbols_in((self.arguments, self.keywords))

    def needs(self, known: Container[int]) -> list[SymbolicTensor]:
        """Return the parents, and those beside them that follow from inputs whose values are known.

        Args:
            known: The ids of these inputs.
        """
        follows = [one for one in self.beside if all(id(tensor) in known for tensor in inputs_before(one))]
        return [*self.parents(), *follows]

    # --- as Keras's scripts ask ----------------------------------------------------------------------------------

    @property
    def layer(self) -> Any:
        """The layer."""
        return self.origin

    outbound_layer = layer

    @property
    def input_tensors(self) -> Tree:
        """The symbolic inputs."""
        return self.arguments[0]

    @property
    def output_tensors(self) -> Tree:
        """The symbolic outputs."""
        return self.outputs

    @property
    def input_shapes(self) -> Tree:
        """Keras shapes of the inputs."""
        return map_tree(lambda tensor: tuple(tensor.shape), self.input_tensors)

    @property
    def output_shapes(self) -> Tree:
        """Keras shapes of the outputs."""
        return map_tree(lambda tensor: tuple(tensor.shape), self.outputs)

    @property
    def inbound_layers(self) -> Any:
        """The layer that the input comes from, or a list of them for several inputs."""
        layers = [tensor.source for tensor in self.parents()]
        return layers[0] if len(layers) == 1 else layers

    def __repr__(self) -> str:
        return f"<Node of {getattr(self.origin, 'name', None) or getattr(self.origin, '__name__', 'operation')}>"


def _own_containers(tree: Any) -> Any:
    """Return lists and dictionaries anew: the caller may go on filling the one that a layer was called on."""
    return map_tree(lambda leaf: leaf, tree)


class OwnNode(Node):
    """What stands for a call where none was made: an input layer, and a model between its own inputs and outputs.

    Args:
        layer: The layer or model.
        inputs: Its symbolic inputs.
        outputs: Its symbolic outputs, which something else computes.
    """

    def __init__(self, layer: Any, inputs: Tree, outputs: Tree) -> None:
        self.origin, self.arguments, self.keywords, self.outputs = layer, (inputs,), {}, outputs

    def parents(self) -> list[SymbolicTensor]:
        """Return nothing: no call leads here."""
        return []


class SymbolicTensor(Deferred):
    """A tensor known by shape and origin, not by value.

    Args:
        shape: Keras shape, `None` where unknown.
        dtype: Keras name of the type.
        origin: The layer or function that computes it; `None` for an input.
        arguments: The positional arguments of that call, symbolic or not.
        keywords: Its keyword arguments.
        name: What messages and summaries call it.

    Attributes:
        node: The call that gives it; `None` for an input.
        input_layer: Of an input, the layer that stands for it in models.
        from_shapes: Whether its value follows from shapes alone, as that of `K.shape(x)[0]` does.
        drawn_by: Of an input that a data set gives, its iterator and its place among the parts of an element.
        identity: Of what `==` or `!=` gave, what it says of the two objects.
    """

    from_shapes = False
    identity: bool | None = None
    drawn_by: tuple[Any, int] | None = None

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: str = "float32",
        origin: Callable[..., Any] | None = None,
        arguments: Sequence[Any] = (),
        keywords: Mapping[str, Any] = MappingProxyType({}),
        name: str = "",
    ) -> None:
        self.shape = TensorShape(shape)
        self.dtype = DtypeName(dtype)
        self.name = name
        self.node: Node | None = None
        self.input_layer: Any = None
        if origin is not None:
            Node(origin, arguments, keywords, self)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, TensorShape(value) if name == "shape" else value)

    @property
    def source(self) -> Any:
        """The layer or function that gives it: for an input its input layer."""
        return self.input_layer if self.node is None else self.node.origin

    @property
    def _keras_history(self) -> tuple[Any, int, int]:
        """The layer that gives it, the number of the call, and its number among the outputs of that."""
        layer, node = self.source, self.node
        if node is None:
            return layer, 0, 0
        calls = layer._calls() if hasattr(layer, "_calls") else []
        number = next((i for i, call in enumerate(calls) if call is node), 0)
        return layer, number, next(i for i, tensor in enumerate(flatten(node.outputs)) if tensor is self)

    def get_shape(self) -> Shape:
        """Return the shape, as old scripts ask for it."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Take note of lengths that were not known, as TensorFlow's tensors do.

        Raises:
            ValueError: The shape contradicts what is known.
        """
        said = TensorShape(shape)
        if not said.is_compatible_with(self.shape):
            raise ValueError(f"set_shape({tuple(said)}): {self!r} has another shape.")
        self.shape = TensorShape([own if own is not None else new for own, new in zip(self.shape, said)])

    @property
    def _keras_shape(self) -> Shape:
        return tuple(self.shape)

    @property
    def _keras_mask(self) -> Any:
        """Its mask, as Keras attaches it to tensors: symbolic too, `None` where it has none."""
        if RUN.values is not None:
            return getattr(resolved(self), "_keras_mask", None)
        return upper_room("layers.base.symbolic_masks").symbolic_mask(self)

    @property
    def _uses_learning_phase(self) -> bool:
        """Whether a layer that is another in training is among those that compute the tensor."""
        seen: set[int] = set()
        pending: list[SymbolicTensor] = [self]
        while pending:
            node = pending.pop().node
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            if getattr(node.origin, "uses_learning_phase", False):
                return True
            pending += node.parents()
        return False

    def eval(self, feed_dict: Mapping[Any, Any] | None = None, session: Any = None) -> Any:
        """Return the value, as a session of TensorFlow 1 computes it.

        Args:
            feed_dict: Symbolic tensor → its value.
            session: A session; the current one if `None`.
        """
        return (session or upper_room("backend.sessions").get_session()).run(self, feed_dict)

    def run(self, feed_dict: Mapping[Any, Any] | None = None, session: Any = None) -> None:
        """Compute the value for its effect alone, as that of `optimizer.minimize(loss)` is.

        Args:
            feed_dict: Symbolic tensor → its value.
            session: A session; the current one if `None`.
        """
        self.eval(feed_dict, session)

    def in_run(self) -> Any:
        """Return the value in the run in progress."""
        return resolved(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "name" not in self.__dict__:  # one that is being copied has nothing yet
            raise AttributeError(name)
        if RUN.values is not None:
            return getattr(resolved(self), name)
        raise AttributeError(f"{self!r} has no {name!r}: it is symbolic; use K.function to compute its value.")

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.name!r} shape={self.shape} dtype={self.dtype}>"

    def __getitem__(self, key: Any) -> SymbolicTensor:
        return apply(item, self, key)  # type: ignore[no-any-return]

    def __iter__(self) -> Any:
        raise TypeError(f"{self!r} is symbolic and cannot be iterated over; use K.function to compute its value.")

    def __eq__(self, other: object) -> Any:
        return _compared("__eq__", self, other, self is other)

    def __ne__(self, other: object) -> Any:
        return _compared("__ne__", self, other, self is not other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        if self.identity is not None:  # `tensor in tensors` asks this of each of them
            return self.identity
        raise TypeError(f"{self!r} is symbolic and has no truth value; use K.function to compute its value.")


def _operator(name: str) -> Callable[..., Any]:
    function = OPERATORS[name]

    def method(self: SymbolicTensor, *others: Any) -> Any:
        return apply(function, self, *others)

    return method


for _name in OPERATORS:
    if _name not in ("__eq__", "__ne__"):
        setattr(SymbolicTensor, _name, _operator(_name))

_COMPARABLE = (SymbolicTensor, Tensor, np.ndarray, np.generic, int, float, list)


def _compared(operator: str, tensor: SymbolicTensor, other: object, identity: bool) -> Any:
    """Return where a symbolic tensor equals numbers or another one; of anything else whether it is that object."""
    if not isinstance(other, _COMPARABLE) or not _fit(tensor.shape, getattr(other, "shape", ())):
        return identity
    result = apply(OPERATORS[operator], tensor, other)
    if isinstance(result, SymbolicTensor):
        result.identity = identity
    return result


def _fit(shape: Sequence[int | None], other: Sequence[int | None]) -> bool:
    """Tell whether shapes may be brought to one."""
    return all(n == m or None in (n, m) or 1 in (n, m) for n, m in zip(reversed(shape), reversed(other)))


def is_symbolic(value: Any) -> bool:
    """Tell whether `value`, or something inside a list, tuple or dictionary, is symbolic."""
    if isinstance(value, (list, tuple)):
        return any(map(is_symbolic, value))
    if isinstance(value, dict):
        return any(map(is_symbolic, value.values()))
    if isinstance(value, slice):
        return any(map(is_symbolic, ends_of(value)))
    return isinstance(value, SymbolicTensor)


def ends_of(key: slice) -> tuple[Any, Any, Any]:
    """Return where a slice begins and ends, and its step."""
    return key.start, key.stop, key.step


def symbols_in(value: Any) -> list[SymbolicTensor]:
    """Return the symbolic tensors in a tree of anything."""
    if isinstance(value, SymbolicTensor):
        return [value]
    if isinstance(value, dict):  # in the order in which Keras goes through dictionaries
        return [symbol for key in sorted(value, key=str) for symbol in symbols_in(value[key])]
    if isinstance(value, (list, tuple)):
        return [symbol for item in value for symbol in symbols_in(item)]
    return symbols_in(ends_of(value)) if isinstance(value, slice) else []


def replaced(value: Any, function: Callable[[SymbolicTensor], Any]) -> Any:
    """Return a tree of anything with what a function makes of the symbolic tensors in it."""
    if isinstance(value, SymbolicTensor):
        return function(value)
    if type(value) in (list, tuple):
        return type(value)([replaced(item, function) for item in value])
    if type(value) is dict:
        return {key: replaced(item, function) for key, item in value.items()}
    if isinstance(value, slice):
        return slice(*replaced(ends_of(value), function))
    return value


def _sample(value: Any, unknown: int, sizes_stay: bool) -> Any:
    """Return tensors without numbers for symbolic ones and constants; what follows from shapes alone has its numbers.

    Args:
        value: A tree of anything.
        unknown: The size of axes that are not known.
        sizes_stay: Whether few integers keep their numbers, since they may say sizes or paddings.
    """
    if isinstance(value, SymbolicTensor):
        if value.from_shapes and value.node is not None:
            node = value.node
            results = _on_samples(node.origin, node.arguments, node.keywords, unknown, sizes_stay)
            return next(r for r, tensor in zip(flatten(results), flatten(node.outputs)) if tensor is value)
        shape = tuple(unknown if n is None else n for n in value.shape)
        return torch.zeros(shape, dtype=settings.torch_dtype(value.dtype), device="meta")
    if type(value) in (list, tuple):
        return type(value)([_sample(v, unknown, sizes_stay) for v in value])
    if type(value) is dict:
        return {key: _sample(item, unknown, sizes_stay) for key, item in value.items()}
    if isinstance(value, slice):
        return slice(*_sample(ends_of(value), unknown, sizes_stay))
    if not isinstance(value, Tensor):
        return value
    return value.detach() if sizes_stay and may_be_sizes(value) else value.detach().to("meta")


def _on_samples(function: Callable[..., Any], arguments: Any, keywords: Any, unknown: int, sizes_stay: bool) -> Any:
    with torch.no_grad():
        options = _sample(dict(keywords), unknown, sizes_stay)
        return getattr(function, "_on_shapes", function)(*_sample(tuple(arguments), unknown, sizes_stay), **options)


def apply(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Return the symbolic result of `function`; its shape is found by running it on shapes alone, twice.

    An axis that changes with the size put in for `None` is unknown in the result.  In a run whose values are known, as
    where a loss asks for a layer's output, the result is computed at once.
    """
    if RUN.values is not None:
        return function(*map(resolved, arguments), **{k: resolved(v) for k, v in keywords.items()})
    first, second = on_two_sizes(
        *(lambda size, stay=stay: _on_samples(function, arguments, keywords, size, stay) for stay in (False, True)),
        sizes=lambda: sizes_in([arguments, keywords]),
    )
    outputs = symbols_like(first, second, getattr(function, "__name__", "operation"))
    Node(function, arguments, keywords, outputs)
    for symbol, sample in zip(flatten(outputs), flatten(first)):
        if isinstance(symbol, SymbolicTensor):
            symbol.from_shapes = sample.device.type != "meta" and (sample.ndim <= 1 or may_be_sizes(sample))
    return outputs


def symbols_like(first: Tree, second: Tree, name: str) -> Tree:
    """Return symbolic tensors for what a call gave twice, for two sizes of each unknown axis.

    Args:
        first: Tensors, one or a tree.
        second: The same from other sizes: an axis in which they differ is unknown.
        name: What the tensors are called.
    """

    def symbol(a: Any, b: Any) -> Any:
        if not isinstance(a, Tensor):  # such as `None` beside a tensor
            return a
        shape = tuple(n if n == m else None for n, m in zip(a.shape, b.shape))
        return SymbolicTensor(shape, settings.dtype_name(a.dtype), name=name)

    return map_tree(symbol, first, second)


def run_updates(
    updates: Sequence[Any], feed: Mapping[SymbolicTensor, Tensor], assign: Callable[[Any, Any], Any]
) -> None:
    """Change variables: first all new values are computed from the old ones, then they are written.

    Args:
        updates: Symbolic updates, and pairs of a variable and its symbolic value.
        feed: Values of the inputs, by symbolic tensor.
        assign: Writes a value into a variable.
    """
    values = {id(tensor): value for tensor, value in feed.items()}
    later: list[tuple[Any, Callable[..., Any], Any, Any]] = []
    for update in updates:
        node = update.node if isinstance(update, SymbolicTensor) else None
        if node is not None:
            later.append((update, node.origin, *_evaluate([node.arguments, node.keywords], values, {}, False)))
        else:
            later.append((None, assign, [update[0], *_evaluate([update[1]], values, {}, False)], {}))
    for update, change, args, kwargs in later:
        if update is None or id(update) not in values:  # a value may have been built on an update, which is made then
            values[id(update)] = change(*args, **kwargs)


def as_seen(tensor: SymbolicTensor) -> Any:
    """Return a symbolic tensor, or its value where that is known in the run in progress."""
    known = RUN.values is not None and id(tensor) in RUN.values
    return resolved(tensor) if known else tensor


def value_in_run(tensor: SymbolicTensor) -> Any:
    """Return the value of a symbolic tensor in the run in progress, as the model's layers gave it.

    Raises:
        ValueError: It belongs to a model that does not run, or nothing runs.
    """
    if RUN.values is None:
        raise ValueError(f"{tensor!r} has no value here: nothing runs; use K.function to compute one.")
    RUN.asked = True
    return _evaluate([tensor], RUN.values, {}, bool(settings.running_phase()))[0]


def resolved(value: Any) -> Any:
    """Return a symbolic tensor, in lists too, as its value in the run in progress.

    Raises:
        ValueError: It belongs to a model that does not run, or nothing runs.
    """
    if isinstance(value, SymbolicTensor):
        return hand_out(value_in_run(value))
    if type(value) in (list, tuple):
        return type(value)([resolved(v) for v in value])
    return value


def lifted(function: F) -> F:
    """Let a function of tensors take symbolic ones: it then returns a symbolic tensor and is computed later."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any(map(is_symbolic, args)) or any(map(is_symbolic, kwargs.values())):
            return apply(function, *args, **kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def evaluate(outputs: Sequence[Any], feed: Mapping[SymbolicTensor, Tensor], training: bool = False) -> list[Any]:
    """Compute symbolic tensors from the values of others.

    Args:
        outputs: What to compute.
        feed: Values of the inputs, by symbolic tensor.
        training: The mode that layers run in.

    Raises:
        ValueError: An output needs an input that has no value.
    """
    return _evaluate(outputs, {id(tensor): value for tensor, value in feed.items()}, {}, training)


def masks_of(outputs: Sequence[Any], feed: Mapping[SymbolicTensor, Tree]) -> list[Any]:
    """Return the masks that symbolic tensors have in inference, `None` for those that have none.

    Args:
        outputs: The symbolic tensors.
        feed: Values of the inputs, by symbolic tensor.
    """
    masks: dict[int, Any] = {}
    _evaluate(outputs, {id(tensor): value for tensor, value in feed.items()}, masks, False)
    return [masks.get(id(tensor)) for tensor in outputs]


def inputs_before(outputs: Any) -> list[SymbolicTensor]:
    """Return the inputs that symbolic tensors are computed from, in the order in which their graph meets them."""
    pending, reached = symbols_in(outputs)[::-1], {}
    while pending:
        tensor = pending.pop()
        if id(tensor) not in reached:
            reached[id(tensor)] = tensor
            pending += [] if tensor.node is None else reversed(tensor.node.parents())
    return [tensor for tensor in reached.values() if tensor.node is None]


def nodes_before(outputs: Any, known: Container[int]) -> list[Node]:
    """Return the calls that symbolic tensors are computed by, each behind those that it needs.

    Args:
        outputs: The symbolic tensors, in a tree of anything.
        known: Ids of tensors whose values are known.

    Raises:
        ValueError: They need an input that is not among the known ones.
    """
    order: list[Node] = []
    reached: set[int] = set()
    pending = [iter(symbols_in(outputs))]
    waiting: list[Node] = []  # nodes whose parents are being looked at: a stack, for graphs may be deep
    while pending:
        tensor = next(pending[-1], None)
        if tensor is None:
            pending.pop()
            if waiting:
                order.append(waiting.pop())
        elif id(tensor) not in known:
            if tensor.node is None:
                raise ValueError(f"{tensor!r} is an input without a value; list it among the inputs.")
            if id(tensor.node) not in reached:
                reached.add(id(tensor.node))
                waiting.append(tensor.node)
                pending.append(iter(tensor.node.needs(known)))
    return order


def _evaluate(outputs: Sequence[Any], values: dict[int, Any], masks: dict[int, Any], training: bool) -> list[Any]:
    """Compute symbolic tensors; `values` and `masks`, by id, take what was computed on the way."""

    def value_of(tensor: SymbolicTensor) -> Any:
        return values[id(tensor)]

    for node in nodes_before(outputs, values):
        arguments, keywords = replaced(node.arguments, value_of), replaced(node.keywords, value_of)
        if node.is_layer:
            mask = keywords.pop("mask", None)
            if mask is None:
                mask = _mask_for(node.arguments[0], masks)
            mode = keywords.pop("training", None)
            layer: Any = node.origin
            mode = training if mode is None else bool(mode)
            result, mask = layer._run(arguments[0], valid_mask(mask), mode, *arguments[1:], **keywords)
            _note(masks, node.outputs, mask)
        else:
            result = node.origin(*arguments, **keywords)
        _note(values, node.outputs, result)
    return [replaced(output, value_of) for output in outputs]


def _mask_for(inputs: Tree, masks: Mapping[int, Any]) -> Tree:
    return map_tree(lambda leaf: masks.get(id(leaf)) if isinstance(leaf, SymbolicTensor) else None, inputs)


def _note(table: dict[int, Any], symbols: Tree, values: Tree) -> None:
    """Enter the values of symbolic tensors; a single value stands for itself, `None` for nothing."""
    if isinstance(symbols, SymbolicTensor):
        table[id(symbols)] = values
    elif values is not None:
        table.update(zip(map(id, flatten(symbols)), flatten(values)))


def valid_mask(mask: Tree) -> Tree:
    """Return a tree of masks, or `None` where there is no mask in it."""
    if isinstance(mask, (list, tuple)) and all(valid_mask(item) is None for item in mask):
        return None
    if isinstance(mask, dict) and all(valid_mask(item) is None for item in mask.values()):
        return None
    return mask
