"""A model on its way to plain PyTorch: its modules with their weights, and the steps of its forward pass, as text.

Each layer is written down by a writer (`WRITERS`, filled by the files beside this one): it asks for the modules that it
needs and adds steps, each an expression over values. Where torch wants the channels in front and Keras has them last, a
value knows in which order it lies, and is turned only where the next step needs the other order.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from .. import layers
from .._core import settings
from .._core.ownership import is_ours, origin
from .._core.shapes import Shape
from ..layers.base import Layer
from ..layers.base.traits import rates


class NotExportable(TypeError):
    """What a model holds has no form in plain PyTorch; the message names the layer and says why."""


class _Inherited:
    """Stands for a mask that follows from the layer's own rule."""


INHERITED: Any = _Inherited()
# Type of floats → torch's method that casts to it.
_CASTS = {"float16": "half", "bfloat16": "bfloat16", "float32": "float", "float64": "double"}
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(eq=False)
class Value:
    """A tensor in the forward pass.

    Attributes:
        shape: Its shape in Keras's order of axes.
        hint: What a variable that holds it may be called.
        channels_first: Whether it lies with the channels on axis 1 where Keras has them last.
        mask: The value that says which steps of it count, if one does.
        same_as: The value whose tensor it is, where only the mask is another.
        dtype: The name of its type, once it is known.
    """

    shape: Shape
    hint: str = "x"
    channels_first: bool = False
    mask: Any = INHERITED
    same_as: Value | None = None
    dtype: str | None = None

    @property
    def rank(self) -> int:
        """The number of its axes."""
        return len(self.shape)

    @property
    def own_shape(self) -> Shape:
        """Its shape in the order in which it lies."""
        if not self.channels_first:
            return self.shape
        return (self.shape[0], self.shape[-1], *self.shape[1:-1])

    def axis(self, axis: int) -> int:
        """Return where an axis of Keras's order lies."""
        axis %= self.rank
        if not self.channels_first or axis == 0:
            return axis
        return 1 if axis == self.rank - 1 else axis + 1


@dataclass(frozen=True)
class ModuleText:
    """A module of the exported model.

    Attributes:
        constructor: The expression that makes it.
        state: Its parameters and buffers by name.
        frozen: The parameters that do not train.
        note: How it differs from the layer, where it does.
        zero: The parameters that torch has and Keras has not: they stay zero.
        instance: The module itself, where no expression makes it.
    """

    constructor: str
    state: Mapping[str, Tensor] = field(default_factory=dict)
    frozen: frozenset[str] = frozenset()
    note: str = ""
    zero: tuple[str, ...] = ()
    instance: nn.Module | None = None

    def frozen_names(self, attribute: str) -> list[str]:
        """Return the names, in a model that has the module under `attribute`, of what does not train."""
        learning = {name for name in self.state if name not in (*BUFFERS, *self.zero)}
        if learning and learning == self.frozen:
            return [attribute]
        return [f"{attribute}.{name}" if name else attribute for name in sorted(self.frozen)]


@dataclass(eq=False)
class Step:
    """One step of the forward pass.

    Attributes:
        inputs: The values that it takes.
        outputs: Those that it gives.
        expression: The text, with `{0}`, `{1}` for the inputs.
        target: How the outputs are assigned, `{0}` by default.
        module: The name of the module that it calls, where it does nothing else.
        constructors: Expressions that make the modules which compute the same in a row.
        nests: Whether it may stand around the step before it, as an activation does.
        activation: The name of the activation that it is the last step of.
    """

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    expression: str
    target: str = "{0}"
    module: str | None = None
    constructors: tuple[str, ...] = ()
    nests: bool = False
    activation: str | None = None


Writer = Callable[..., Any]
W = TypeVar("W", bound=Writer)


@dataclass(frozen=True)
class WriterLine:
    """How a class of layers is written down.

    Attributes:
        write: Called with the emission, the layer, its input values (one, or a list where `several`) and, by name,
            the further arguments of the call.
        masks: Whether it does what the layer does with a mask.
        several: Whether it takes a list of inputs.
        modes: Whether it heeds `Emission.infers`.
    """

    write: Writer
    masks: bool = False
    several: bool = False
    modes: bool = False


WRITERS: dict[type, WriterLine] = {}


def writes(*kinds: type, masks: bool = False, several: bool = False, modes: bool = False) -> Callable[[W], W]:
    """Enter a function as the writer of these classes of layers."""

    def enter(write: W) -> W:
        WRITERS.update(dict.fromkeys(kinds, WriterLine(write, masks, several, modes)))
        return write

    return enter


def _drops(layer: Layer) -> bool:
    """Tell whether a layer that takes a mode does something else in training; cells and attention drop, or do not."""
    if not layer._wants_training:
        return False
    told = rates(layer)
    return not told or any(told)


def _is_mixed(layer: Layer) -> bool:
    """Tell whether a layer computes in another type than its weights have."""
    return layer._kind != settings.torch_dtype(layer.dtype)


class Emission:
    """What is written down of a model.

    Attributes:
        modules: Name → module, in the order in which they are made.
        steps: The steps of the forward pass.
        penalised: The layers with a penalty of their output.
        infers: Whether what is being written infers whatever mode the model is in.
        weights: The name of a parameter → the line of the layer's weight table that it comes from.
        autocast: The type that layers of a mixed policy compute in; the module computes in that of their weights.
        is_chain: Whether it has one path, on which one variable is enough.
        masked_outputs: Whether a mask says which steps of an output count in the loss.
        inputs: The values that the model takes.
        outputs: Those that it gives.
        output_keys: Their names, where the model gives a dictionary.
    """

    def __init__(self) -> None:
        self.modules: dict[str, ModuleText] = {}
        self.steps: list[Step] = []
        self.penalised: list[Layer] = []
        self.weights: dict[str, Any] = {}
        self.is_chain = False
        self.autocast = ""
        self.masked_outputs = False
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self.output_keys: list[str] | None = None
        self._names: dict[tuple[Any, str], str] = {}
        self._prefixes: list[str] = []
        self._inner: dict[str, str] = {}  # the name of a module that was put into another → what makes it
        self.infers = False
        self._compacted: dict[tuple[Value, Value], tuple[Value, Value]] = {}

    # --- layers --------------------------------------------------------------------------------------------------

    def call(self, layer: Layer, inputs: Any, arguments: Mapping[str, Any] | None = None) -> Any:
        """Write down a call of a layer, and return the value or the values that it gives.

        Args:
            layer: The layer.
            inputs: A value, or a list of them.
            arguments: Further arguments of the call by name.

        Raises:
            NotExportable: It has no form in plain torch.
        """
        line = WRITERS.get(origin(type(layer)))
        if line is None:
            raise NotExportable(_why_not(layer))
        if _is_mixed(layer):
            self.autocast = layer.compute_dtype
        if getattr(layer, "activity_regularizer", None) is not None:
            self.penalised.append(layer)
        told: list[Value] = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        values = [self._cast(layer, value) for value in told]
        if not line.several and len(values) != 1:
            raise NotExportable(f"{layer}: a call with {len(values)} inputs has no form in plain torch.")
        more = dict(arguments or {})
        if isinstance(more.get("mask"), Value) and len(values) == 1:
            values = [self.with_mask(values[0], self._as_truth(more.pop("mask")))]
        masked = any(value.mask is not None for value in values)
        if masked and layer._wants_mask and not line.masks:
            raise NotExportable(f"{layer}: what it does with a mask has no form in plain torch; take the mask away.")
        mode = more.pop("training", None)
        unknown = more.keys() - inspect.signature(line.write).parameters.keys()
        if unknown:
            raise NotExportable(f"{layer}: a call with {', '.join(sorted(unknown))} has no form in plain torch.")
        with self._in_mode(layer, line, mode):
            outputs = line.write(self, layer, values if line.several else values[0], **more)
        for output in outputs if isinstance(outputs, list) else [outputs]:
            if output.mask is INHERITED:
                output.mask = values[0].mask if layer.supports_masking else None
            if output.dtype is None:
                output.dtype = self.kept_type(layer._output_dtype(values[0].dtype or settings.floatx()))
        return outputs

    def kept_type(self, dtype: str) -> str:
        """Return the type of a result: that of the weights where Keras computes in a shorter one."""
        return "float32" if dtype == self.autocast else dtype

    def _cast(self, layer: Layer, x: Value) -> Value:
        """Return a value in the type that a layer computes in, where the layer casts what comes in another."""
        kind = layer.dtype if _is_mixed(layer) else layer.compute_dtype
        casts = layer._autocast if x.dtype in _CASTS else layer._casts_integers
        if x.dtype in (None, kind) or kind not in _CASTS or not casts:
            return x
        y = self.compute(f"{{0}}.{_CASTS[kind]}()", x, x.shape, (), x.channels_first)
        y.mask, y.dtype = x.mask, kind
        return y

    def _as_truth(self, mask: Value) -> Value:
        """Return a mask that a call names in the type of masks."""
        return mask if mask.dtype == "bool" else self.compute("{0}.bool()", mask, mask.shape, hint="mask")

    @contextmanager
    def _in_mode(self, layer: Layer, line: WriterLine, training: Any) -> Iterator[None]:
        """Write what a call with `training=False` does, which infers whatever mode the model is in."""
        if training:
            raise NotExportable(f"{layer}: a call with training={training!r} has no form in plain torch.")
        before, self.infers = self.infers, self.infers or training is not None
        try:
            if self.infers and not line.modes and _drops(layer):
                raise NotExportable(f"{layer}: a call with training=False has no form in plain torch.")
            yield
        finally:
            self.infers = before

    # --- modules -------------------------------------------------------------------------------------------------

    def name(self, layer: Any, suffix: str = "") -> str:
        """Return the name of a layer among the model's modules, the same each time it is asked for."""
        key = (layer, suffix)
        if key not in self._names:
            words = [*self._prefixes, str(layer.name), *([suffix] if suffix else [])]
            # What torch makes of a module to export it has attributes of its own, `code` among them
            used = {*self._names.values(), *dir(torch.fx.GraphModule), "training", "logits"}
            self._names[key] = unused(identifier("_".join(words)), used)
        return self._names[key]

    def module(
        self,
        layer: Layer,
        constructor: str,
        state: Mapping[str, Any] | None = None,
        suffix: str = "",
        zero: Sequence[str] = (),
        note: str = "",
    ) -> str:
        """Return the name of a module, which is made at the first call.

        Args:
            layer: Whose module it is.
            constructor: The expression that makes it.
            state: Its parameters and buffers.
            suffix: What is added to the layer's name.
            zero: The parameters that torch has and Keras has not.
            note: How it differs from the layer, where it does.
        """
        name = self.name(layer, suffix)
        if name in self.modules and self._inner.get(name, self.modules[name].constructor) != constructor:
            raise NotExportable(f"{layer}: calls in several modes have no form in plain torch.")
        if name not in self.modules:
            own = {key: value for key, value in (state or {}).items() if value is not None}
            for key, value in own.items():
                if (line := line_of(value)) is not None:
                    self.weights[f"{name}.{key}" if key else name] = line
            tensors = {key: value.detach() for key, value in own.items()}
            still = frozenset(k for k, v in own.items() if not v.requires_grad and k not in (*BUFFERS, *zero))
            self.modules[name] = ModuleText(constructor, tensors, still, note, tuple(zero))
        return name

    def wrap(self, name: str, constructor: str, buffers: Mapping[str, Tensor]) -> None:
        """Put a module that has been written down into another one, which knows it as `module`.

        Args:
            name: The name of the module, which the other one takes.
            constructor: The expression that makes both.
            buffers: The buffers of the other one.
        """
        if name in self._inner:
            return
        inner = self.modules[name]
        self._inner[name] = inner.constructor
        self.modules[name] = replace(
            inner,
            constructor=constructor,
            state={**{f"module.{key}": value for key, value in inner.state.items()}, **buffers},
            frozen=frozenset(f"module.{key}" for key in inner.frozen),
            zero=tuple(f"module.{key}" for key in inner.zero),
        )
        for key in inner.state:
            if (line := self.weights.pop(f"{name}.{key}", None)) is not None:
                self.weights[f"{name}.module.{key}"] = line

    def parameter(self, layer: Layer, name: str, value: Tensor) -> str:
        """Return the text of a parameter of the model's own, `self.dense_scale`.

        Args:
            layer: Whose weight it is.
            name: What is added to the layer's name.
            value: The weight, marked by whether it trains.
        """
        shape = arguments(*value.shape) if value.dim() else "()"
        return f"self.{self.module(layer, f'nn.Parameter(torch.ones({shape}))', {'': value}, name)}"

    def weight(self, layer: Any, name: str) -> str:
        """Return the text of a weight of a layer, kept in Keras's layout as a parameter of the model's own."""
        return self.parameter(layer, name, weight(layer, name))

    # --- steps ---------------------------------------------------------------------------------------------------

    def apply(self, name: str, x: Value, shape: Shape, channels_first: bool = False, layer: Any = None) -> Value:
        """Add a step that calls a module on a value."""
        value = Value(tuple(shape), self.hint(layer, x), channels_first)
        self._add(Step((x,), (value,), f"self.{name}({{0}})", module=name))
        return value

    def compute(
        self,
        expression: str,
        inputs: Value | Sequence[Value],
        shape: Shape,
        constructors: Sequence[str] = (),
        channels_first: bool = False,
        layer: Any = None,
        nests: bool = False,
        activation: str | None = None,
        hint: str = "",
    ) -> Value:
        """Add a step that computes an expression.

        Args:
            expression: With `{0}`, `{1}` for the inputs.
            inputs: The values that it takes.
            shape: The shape that it gives, in Keras's order.
            constructors: What makes the modules that compute the same in a row, where there are some.
            channels_first: Whether it gives the channels on axis 1.
            layer: Whose step it is.
            nests: Whether it may stand around the step before it.
            activation: The name of the activation that it is.
            hint: What a variable for the value may be called, where neither the layer nor the input says it.
        """
        values = (inputs,) if isinstance(inputs, Value) else tuple(inputs)
        value = Value(tuple(shape), hint or self.hint(layer, values[0]), channels_first)
        made = tuple(constructors)
        self._add(Step(values, (value,), expression, constructors=made, nests=nests, activation=activation))
        return value

    def several(
        self, expression: str, inputs: Sequence[Value], target: str, shapes: Sequence[Shape], layer: Any
    ) -> list[Value]:
        """Add a step that gives several values, which `target` takes apart."""
        values = tuple(Value(tuple(shape), self.hint(layer, inputs[0])) for shape in shapes)
        self._add(Step(tuple(inputs), values, expression, target))
        return list(values)

    def _add(self, step: Step) -> None:
        step.inputs = tuple(value.same_as or value for value in step.inputs)
        self.steps.append(step)

    def step_of(self, value: Value) -> Step:
        """Return the step that gives a value."""
        return next(step for step in self.steps if value in step.outputs)

    def hint(self, layer: Any, x: Value) -> str:
        """Return what a variable for what a layer gives may be called."""
        return x.hint if layer is None or self.is_chain else identifier("_".join([*self._prefixes, layer.name]))

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Let the layers of a model within have its name before theirs."""
        self._prefixes.append(name)
        try:
            yield
        finally:
            self._prefixes.pop()

    # --- the order of axes ---------------------------------------------------------------------------------------

    def turned(self, x: Value, channels_first: bool) -> Value:
        """Return a value with the channels on axis 1, or as Keras has them."""
        if x.channels_first == channels_first or x.rank < 3:
            return x
        ranks = list(range(x.rank))
        order = [0, ranks[-1], *ranks[1:-1]] if channels_first else [0, *ranks[2:], 1]
        numbers = ", ".join(map(str, order))
        text = f"{{0}}.permute({numbers})" if x.rank > 3 else "{0}.transpose(1, 2)"
        constructor = f"Permute({numbers})"
        y = self.compute(text, x, x.shape, [constructor], channels_first)
        y.mask = x.mask
        return y

    def valid_first(self, x: Value, mask: Value) -> tuple[Value, Value]:
        """Return sequences with the steps that count in front, and how many came up to each step."""
        if (x, mask) not in self._compacted:
            shapes = [x.shape, x.shape[:2]]
            moved, count = self.several("move_valid_steps_first({0}, {1})", [x, mask], "{0}, {1}", shapes, None)
            count.hint = "count"
            self._compacted[x, mask] = (moved, count)
        return self._compacted[x, mask]

    def with_mask(self, x: Value, mask: Value | None) -> Value:
        """Return the same tensor with another mask."""
        return Value(x.shape, x.hint, x.channels_first, mask, x.same_as or x)

    def as_keras(self, x: Value) -> Value:
        """Return a value in Keras's order of axes."""
        return self.turned(x, False)


def identifier(name: str) -> str:
    """Return a name as Python takes it."""
    clean = re.sub(r"\W", "_", name).strip("_") or "layer"
    if keyword.iskeyword(clean):
        return f"{clean}_"
    return f"layer_{clean}" if clean[0].isdigit() else clean


def unused(name: str, used: set[str]) -> str:
    """Return a name that is none of those in use."""
    numbered = (f"{name}_{number}" for number in range(2, len(used) + 3))
    return next(one for one in (name, *numbered) if one not in used)


def arguments(*positional: Any, **named: Any) -> str:
    """Return arguments as they are written in a call."""
    return ", ".join([*map(text, positional), *(f"{name}={text(value)}" for name, value in named.items())])


def text(value: Any) -> str:
    """Return a value as it is written."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return "-torch.inf" if value == float("-inf") else repr(value)
    if isinstance(value, (tuple, list)):
        return in_brackets([text(item) for item in value])
    return str(value)


def in_brackets(items: Sequence[str]) -> str:
    """Return items as a tuple is written."""
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def sizes(values: Sequence[int]) -> int | tuple[int, ...]:
    """Return sizes along several axes, or the one that they all have."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def weight(layer: Any, name: str) -> Tensor:
    """Return a weight of a layer in Keras's layout, marked by whether it trains.

    Raises:
        NotExportable: The layer has none of this name.
    """
    value = weight_if(layer, name)
    if value is None:
        raise NotExportable(f"{layer}: it has no weight {name!r}.")
    return value


def weight_if(layer: Any, name: str) -> Tensor | None:
    """Return a weight as `weight` does, `None` where there is none."""
    line = next((line for line in layer._table if line.name == name), None)
    if line is None:
        return None
    with torch.no_grad():
        value: Tensor = line.read().detach().clone()
    return marked(value.requires_grad_(line.requires_grad) if value.is_floating_point() else value, line)


def marked(value: Tensor, line: Any) -> Tensor:
    """Let a copy of a weight, or of a part of one, know the line of the layer's table that it stands in."""
    value._keras_line = line  # type: ignore[attr-defined]
    return value


def parameters_of(module: torch.nn.Module, layer: Any) -> dict[str, Tensor]:
    """Return copies of the parameters and buffers of a layer's torch module, marked as `weight` marks its own."""
    lines = {name: line for line in layer._table if line.module is module for name in line.attributes}
    own = {name: value for name, value in {**module._parameters, **module._buffers}.items() if value is not None}
    return {
        name: marked(value.detach().clone().requires_grad_(value.requires_grad), lines.get(name))
        for name, value in own.items()
    }


def display_name(value: Any) -> str:
    """Return what messages call a function, a class or an object."""
    return getattr(value, "__name__", type(value).__name__)


def line_of(value: Tensor) -> Any:
    """Return the line that a copy was marked with, `None` where it was not."""
    return getattr(value, "_keras_line", None)


def kept(function: Callable[[Tensor], Tensor], value: Tensor) -> Tensor:
    """Return a weight in another layout, marked as before."""
    with torch.no_grad():
        return marked(function(value).contiguous().requires_grad_(value.requires_grad), line_of(value))


# Base of layers → why they have no form in plain torch, and what to do.
REASONS: dict[type, str] = {
    layers.RNN: "its cell is code in Python, of one step; use LSTM, GRU or SimpleRNN",
}


def _why_not(layer: Any) -> str:
    kind = origin(type(layer))
    if layer._is_users or not is_ours(kind):
        return f"{layer}: {kind.__name__} is a layer of yours; write it as a torch module, and load its weights there."
    if ".preprocessing." in kind.__module__:
        return f"{layer}: it prepares data; do so where the data is loaded, and export the layers behind it."
    reason = next((text for base, text in REASONS.items() if isinstance(layer, base)), "torch has nothing like it")
    return f"{layer}: {kind.__name__} has no form in plain torch: {reason}."
