"""What a layer says about its weights: the table, and what Keras calls its parts."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ... import constraints, initializers, regularizers
from ..._core import settings
from ..._core.border import nameless, read_by_old_name
from ..._core.errors import did_you_mean, show
from ..._core.ownership import is_ours
from ..._core.runs import RUN
from ..._core.shapes import sizes
from ..._core.user_tensors import take_back
from ..._core.weight_limit import count_weight
from ..._core.weights import IDENTITY, Codec, Variable, Weight, assign_all, path_of_new
from .tracking import WeightList, follow, release, track

# The arguments of `add_weight` in Keras 2's order, those that only TensorFlow has a use for behind, and in Keras 1's.
ADD_WEIGHT = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
WITHOUT_MEANING = (
    "use_resource synchronization aggregation collections caching_device partitioner getter layout"
).split()
ADD_WEIGHT_1 = ("shape", "initializer", "name", "trainable", "regularizer", "constraint")


def _weight_arguments(owner: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `add_weight` by name, from either order."""
    shape_first = bool(args) and not isinstance(args[0], str) and args[0] is not None
    order = ADD_WEIGHT_1 if shape_first else (*ADD_WEIGHT, *WITHOUT_MEANING)
    if len(args) > len(order):
        raise TypeError(f"{owner}.add_weight: at most {len(order)} arguments are taken; got {len(args)}.")
    options = dict(zip(order, args))
    for name, value in kwargs.items():
        if name in options:
            raise TypeError(f"{owner}.add_weight: {name} is given twice: {show(options[name])} and {show(value)}.")
        if name not in ADD_WEIGHT and name not in WITHOUT_MEANING and name != "experimental_autocast":
            raise TypeError(
                f"{owner}.add_weight({name}={show(value)}): unknown argument; {did_you_mean(name, ADD_WEIGHT)}"
            )
        options[name] = value
    return options


@nameless
class Weighted(nn.Module):
    """The weights of a layer."""

    name: str
    dtype: str
    built: bool
    _reads_cast: bool
    _sublayers: Any
    _table: list[Weight]
    _trainable: bool
    _variables: dict[str, Weight]  # attribute → weight, of layers that users write
    _swapped: tuple[tuple[Any, str, Any], ...] = ()  # weights that the call in progress gave another value
    _lists_weights: bool = False  # whether it says itself which variables are weights

    def _enter_weight(
        self,
        name: str,
        module: nn.Module,
        attributes: str | tuple[str, ...],
        codec: Codec = IDENTITY,
        *,
        initializer: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
        trainable: bool = True,
    ) -> Weight:
        """Enter a torch parameter into the weight table, and fill it by its initializer.

        Args:
            name: The Keras name, `'kernel'`.
            module: The module that holds the parameter.
            attributes: Its name there, or the names of those that make one Keras weight.
            codec: The way between the two layouts.
            initializer: What fills it, called with the Keras shape.
            regularizer: Adds to the loss.
            constraint: Applied after each update.
            trainable: `False` for what training never changes.
        """
        names = (attributes,) if isinstance(attributes, str) else attributes
        cast = self._reads_cast
        entry = Weight(name, module, names, codec, initializer, regularizer, constraint, trainable, self, cast)
        self._table.append(entry)
        count_weight(entry.path, entry.parameters)
        entry.initialise()
        return entry

    def add_weight(self, *args: Any, **kwargs: Any) -> Variable:
        """Make a weight of this layer and return it.

        Keras 1 has the shape first, `add_weight(shape, initializer, name=…)`, and Keras 2 the name,
        `add_weight(name, shape, dtype, initializer, …)`; all arguments may be given by keyword.

        Args:
            args: The arguments in either order.
            kwargs: `name` (the Keras name), `shape` (`()` when `None`), `dtype` (the layer's when `None`),
                `initializer` (`'glorot_uniform'` for floats), `regularizer`, `trainable` (`True` when `None`) and
                `constraint`; `experimental_autocast=False` lets it read in float32 where the layer computes in a short
                type; those that only TensorFlow has a use for, such as `synchronization`, go without effect.

        Raises:
            TypeError: Another argument, or one that is given twice.

        Example:
            >>> from torchkeras_compat.layers import Layer
            >>> Layer().add_weight((2, 3), initializer='zeros', name='W').shape
            (2, 3)
        """
        options = _weight_arguments(str(self), args, kwargs)
        shape, dtype, trainable = options.get("shape"), options.get("dtype"), options.get("trainable")
        kind = settings.torch_dtype(dtype or self.dtype)
        name = str(options.get("name") or f"variable_{len(self._table)}")
        learns = trainable is not False and kind.is_floating_point
        attribute = self._free_attribute(name)
        with torch.inference_mode(False):  # a weight that is made while a model predicts can train later
            data = torch.empty(() if shape is None else sizes(shape), dtype=kind)
        if learns:
            self.register_parameter(attribute, nn.Parameter(data))
        else:
            self.register_buffer(attribute, data)
        fill = options.get("initializer")
        line = self._enter_weight(
            name,
            self,
            attribute,
            initializer=initializers.get(
                ("glorot_uniform" if kind.is_floating_point else "zeros") if fill is None else fill
            ),
            regularizer=regularizers.get(options.get("regularizer")),
            constraint=constraints.get(options.get("constraint")),
            trainable=learns,
        )
        line.reads_cast &= options.get("experimental_autocast") is not False
        if not is_ours(type(self)):
            line.own_path = path_of_new(options.get("name"))
            self._variables.setdefault(attribute, line)
        if not self._trainable:
            line.freeze()
        return line.variable()

    def _free_attribute(self, name: str) -> str:
        clean = re.sub(r"\W", "_", name) or "weight"
        places = (self._parameters, self._buffers, self._modules, self.__dict__)
        free = clean.isidentifier() and not hasattr(type(self), clean) and not any(clean in place for place in places)
        return clean if free else f"_{clean}_{len(self._table)}"

    def __getattr__(self, name: str) -> Any:
        variables = self.__dict__.get("_variables")
        if variables and name in variables:
            return variables[name].variable()
        try:
            return super().__getattr__(name)
        except AttributeError:
            for entry in self.__dict__.get("_table", ()):
                if entry.name == name:
                    return entry.variable()
            known = getattr(type(self), name, None)
            if isinstance(known, property) and known.fget is not None:
                return known.fget(self)  # it has raised, and says why
            if name == "bias":
                if self.__dict__.get("use_bias") is False:
                    return None  # as a layer of Keras has it
            elif not name.startswith("_"):
                with contextlib.suppress(AttributeError):
                    return read_by_old_name(self, name)
            raise

    def _set_weight(self, name: str, value: Any) -> bool:
        """Set an attribute that is a weight: a variable is tracked; tells whether that was all there is to do."""
        if isinstance(value, Variable) and not is_ours(type(self)):
            line = value._weight if self._lists_weights else track(self, value, name=name)
            before = self._variables.get(name)
            if hasattr(type(self), name):
                self.__dict__[name] = line.variable()  # found before the method of the class
            else:
                self._variables[name] = line
                self.__dict__.pop(name, None)
            if before is not None and before is not line:
                self._forget_variable(before)
            return True
        if isinstance(value, Tensor) and not isinstance(value, nn.Parameter) and not is_ours(type(self)):
            entry = self._variables.get(name) or next((entry for entry in self._table if entry.name == name), None)
            if entry is not None and (name in self._variables or entry.initializer is not None):  # no buffer of torch's
                self._rebind(name, entry, value)
                return True
        if isinstance(value, (Tensor, np.ndarray)) and not isinstance(value, nn.Parameter) and is_ours(type(self)):
            entry = next((entry for entry in self._table if entry.name == name), None)
            if entry is not None:  # `layer.kernel = layer.kernel * 2`
                self._set_own(entry, value)
                return True
        return False

    def _set_own(self, entry: Weight, value: Any) -> None:
        """Give a weight of a built-in layer a value: for the user's call in progress, as wrappers do, or for good.

        `self.layer.kernel = l2_normalize(self.v) * self.g` in a call is what the layer inside computes with then, and
        gradients flow through it; its own variable, given back, ends that.
        """
        if RUN.lent is None or isinstance(value, np.ndarray):
            entry.assign(value)
            return
        if self._swapped:
            self._swap_weights_back(entry)
        if not isinstance(value, Variable) or value._weight is not entry:
            self._swap_weight(entry, value)
            RUN.lent.append(self)

    def _rebind(self, name: str, entry: Weight, value: Tensor) -> None:
        """Let the name of a weight stand for something else, as after `self.kernel = self.kernel * mask`.

        In a call it does so until the call ends, as in the graph that Keras makes of one; what `build` says so of a
        weight that a built-in layer computes with holds for each call.
        """
        if settings.inside_run():
            self._swap_weight(entry, value)
        elif name in self._variables:
            self.__dict__[name] = value
        else:
            self.register_forward_pre_hook(functools.partial(_swap_before, entry=entry, value=value))
            self.register_forward_hook(_swap_back)

    def _swap_weight(self, entry: Weight, value: Tensor) -> None:
        """Compute with a value in the place of a weight until `_swap_weights_back`."""
        parts = entry.codec.write(take_back(value))
        for attribute, part in zip(entry.attributes, parts):
            place = entry.module._parameters if attribute in entry.module._parameters else entry.module._buffers
            self._swapped = (*self._swapped, (place, attribute, place.get(attribute)))
            place[attribute] = part  # type: ignore[assignment]

    def _swap_weights_back(self, entry: Weight | None = None) -> None:
        """Put the weights back for which a call had another value, or one of them."""
        swapped, self._swapped = self._swapped, ()
        for place, attribute, tensor in reversed(swapped):
            if entry is None or (attribute in entry.attributes and any(place is table for table in _tables(entry))):
                place[attribute] = tensor
            else:
                self._swapped = ((place, attribute, tensor), *self._swapped)

    def _forget_variable(self, line: Weight) -> None:
        """Forget a variable whose attribute got another, unless something else holds it; `add_weight`'s stay."""
        held = any(line is other for other in self._variables.values())
        if any(line is own for own in self._table) and line.initializer is None and not held:
            release(self, line)

    # --- what trains ---------------------------------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; what counts for a model is the value at its last `compile`."""
        if not self._trainable:
            return False
        lines = [line for line in self._weight_table() if line.trainable]
        return not lines or any(line.requires_grad for line in lines)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._set_trainable(bool(value))

    def _set_trainable(self, value: bool) -> None:
        self._trainable = value
        for line in self._table:
            line.freeze(not value)
        for layer in self._sublayers():
            layer._set_trainable(value)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Let autograd find gradients for all parameters, or not; `trainable` follows."""
        self._set_trainable(requires_grad)
        return super().requires_grad_(requires_grad)

    def _own_table(self) -> list[Weight]:
        """Return the lines of the layer itself, with what a user has put into lists since it was built."""
        if self.built:
            follow(self)
        return self._table

    def _weight_table(self) -> list[Weight]:
        """Return the weight table, that of sublayers included: what training changes first, as Keras orders them."""
        learning, others = self._learning_and_others()
        return unique([*learning, *others])

    def _learning_and_others(self) -> tuple[list[Weight], list[Weight]]:
        """Return the weights that may train as layers are frozen now, and the others, each in Keras's order."""
        table = self._own_table()
        inside = [layer._learning_and_others() for layer in self._sublayers()]
        if not self._trainable:
            return [], [*table, *(w for parts in inside for part in parts for w in part)]
        learning = [*(w for w in table if w.trainable), *(w for part, _ in inside for w in part)]
        return learning, [*(w for w in table if not w.trainable), *(w for _, part in inside for w in part)]

    def _trained_table(self) -> list[Weight]:
        """Return the weights that training changes as `trainable` stands now, here and in sublayers."""
        if not self._trainable:
            return []
        own = [w for w in self._own_table() if w.requires_grad]
        return unique([*own, *(w for layer in self._sublayers() for w in layer._trained_table())])

    @property
    def weights(self) -> list[Variable]:
        """All weights in Keras's order and layout."""
        return [w.variable() for w in self._weight_table()]

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes; in Keras 1 a layer says which by assigning the list."""
        return WeightList(self, True, [w.variable() for w in self._trained_table()])

    @trainable_weights.setter
    def trainable_weights(self, values: Sequence[Any]) -> None:
        self._list_weights(values, True)

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trained = {id(w) for w in self._trained_table()}
        return WeightList(self, False, [w.variable() for w in self._weight_table() if id(w) not in trained])

    @non_trainable_weights.setter
    def non_trainable_weights(self, values: Sequence[Any]) -> None:
        self._list_weights(values, False)

    non_trainable_variables = non_trainable_weights

    @property
    def _trainable_weights(self) -> list[Variable]:
        return WeightList(self, True, [w.variable() for w in self._table if w.trainable])

    @_trainable_weights.setter
    def _trainable_weights(self, values: Sequence[Any]) -> None:
        self._list_weights(values, True)

    @property
    def _non_trainable_weights(self) -> list[Variable]:
        return WeightList(self, False, [w.variable() for w in self._table if not w.trainable])

    @_non_trainable_weights.setter
    def _non_trainable_weights(self, values: Sequence[Any]) -> None:
        self._list_weights(values, False)

    def _list_weights(self, values: Sequence[Any], learns: bool) -> None:
        """Take the weights of this kind from a list, as classic Keras does: what is not in it is none."""
        listed = [track(self, value, learns) for value in values]
        if isinstance(values, WeightList) and values.owner is self:
            return  # `layer.trainable_weights += [w]`
        self._lists_weights = True
        attributes = {id(line) for line in self._variables.values()}
        for entry in list(self._table):
            unlisted = id(entry) in attributes and entry.initializer is None and all(entry is not w for w in listed)
            if entry.trainable == learns and unlisted:
                release(self, entry)

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return copies of all weights as numpy arrays, in Keras's order and layout."""
        return [w.numpy() for w in self._weight_table()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write all weights from arrays in Keras's order and layout.

        Args:
            weights: As `get_weights` returns them.

        Raises:
            ValueError: The layer is not built, or the number or a shape is wrong; nothing is written then.
        """
        if not self.built and len(weights):  # none may be written at any time, as in Keras
            raise ValueError(
                f"{self}: set_weights needs a built layer; call build(input_shape) or give input_shape first."
            )
        assign_all(self._weight_table(), weights, f"{self}")

    def count_params(self) -> int:
        """Return the number of numbers in the weights.

        Raises:
            ValueError: The layer is not built yet.
        """
        if not self.built:
            raise ValueError(
                f"{self}: count_params needs a built layer; call build(input_shape) or give the first layer "
                f"input_shape."
            )
        return sum(w.size for w in self._weight_table())


def _tables(entry: Weight) -> list[Any]:
    """Return the tables that the tensors of a weight may stand in."""
    return [entry.module._parameters, entry.module._buffers]


def _swap_before(layer: Weighted, inputs: Any, entry: Weight, value: Tensor) -> None:
    layer._swap_weight(entry, value)


def _swap_back(layer: Weighted, inputs: Any, output: Any) -> None:
    layer._swap_weights_back()


def unique(entries: Sequence[Weight]) -> list[Weight]:
    """Return the entries without repetitions: a layer that stands twice in a model has its weights once."""
    seen: dict[tuple[int, tuple[str, ...]], Weight] = {}
    for entry in entries:
        seen.setdefault(entry.place, entry)
    return list(seen.values())
