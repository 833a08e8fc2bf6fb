"""What a layer says about its weights: the table, and what Keras calls its parts."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import constraints, initializers, regularizers
from .._core import settings
from .._core.errors import did_you_mean
from .._core.weights import IDENTITY, Codec, Variable, Weight, assign_all

# Arguments of `add_weight` that only TensorFlow has a use for.
WITHOUT_MEANING = {"use_resource", "synchronization", "aggregation", "experimental_autocast", "collections"}


class Weighted(nn.Module):
    """The weights of a layer."""

    name: str
    dtype: str
    built: bool
    sublayers: Any
    _table: list[Weight]
    _trainable: bool

    def weight(
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
        path = f"{self.name}/{name}:0"
        entry = Weight(name, module, names, codec, initializer, regularizer, constraint, trainable, path)
        self._table.append(entry)
        entry.initialise()
        return entry

    def add_weight(
        self,
        name: Any = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        **kwargs: Any,
    ) -> Tensor:
        """Make a weight of this layer and return its torch parameter.

        Args:
            name: The Keras name.
            shape: Its shape; `()` when `None`.
            dtype: Its type; the layer's when `None`.
            initializer: By name, object or function; `'glorot_uniform'` for floats.
            regularizer: Adds to the loss.
            trainable: Whether training changes it; `True` when `None`.
            constraint: Applied after each update.
            kwargs: Arguments that only TensorFlow has a use for, such as `synchronization`.

        Raises:
            TypeError: Another argument.
        """
        if isinstance(name, (tuple, list)):  # Keras 1: add_weight(shape, initializer, name=…)
            name, shape, initializer = kwargs.pop("name", None), name, shape if initializer is None else initializer
        if unknown := sorted(kwargs.keys() - WITHOUT_MEANING):
            hint = did_you_mean(unknown[0], inspect.signature(self.add_weight).parameters)
            raise TypeError(f"{self}.add_weight({unknown[0]}=…): unknown argument; {hint}")
        size = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        kind = settings.torch_dtype(dtype or self.dtype)
        name = name or f"variable_{len(self._table)}"
        learns = trainable is not False and kind.is_floating_point
        attribute = self._free_attribute(name)
        data = torch.empty(size, dtype=kind)
        if learns:
            self.register_parameter(attribute, nn.Parameter(data))
        else:
            self.register_buffer(attribute, data)
        fill = initializers.get(initializer or ("glorot_uniform" if kind.is_floating_point else "zeros"))
        self.weight(
            name,
            self,
            attribute,
            initializer=fill,
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
            trainable=learns,
        )
        return getattr(self, attribute)  # type: ignore[no-any-return]

    def _free_attribute(self, name: str) -> str:
        clean = name.replace(".", "_").replace("/", "_") or "weight"
        taken = hasattr(type(self), clean) or clean in self.__dict__ or clean in self._parameters
        return f"_{clean}_{len(self._table)}" if taken or clean in self._buffers else clean

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            for entry in self.__dict__.get("_table", ()):
                if entry.name == name:
                    return entry.variable()
            raise

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; what counts for a model is the value at its last `compile`."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self.sublayers():
            layer.trainable = value

    def table(self) -> list[Weight]:
        """Return the weight table, that of sublayers included: what training changes first, as Keras orders them."""
        entries = [*self._table, *(w for layer in self.sublayers() for w in layer.table())]
        return unique([*(w for w in entries if w.trainable), *(w for w in entries if not w.trainable)])

    def trained_table(self) -> list[Weight]:
        """Return the weights that training changes as `trainable` stands now, here and in sublayers."""
        if not self._trainable:
            return []
        own = [w for w in self._table if w.trainable]
        return unique([*own, *(w for layer in self.sublayers() for w in layer.trained_table())])

    @property
    def weights(self) -> list[Variable]:
        """All weights in Keras's order and layout."""
        return [w.variable() for w in self.table()]

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [w.variable() for w in self.trained_table()]

    @trainable_weights.setter
    def trainable_weights(self, values: Sequence[Tensor]) -> None:  # Keras 1: self.trainable_weights = [self.W]
        known = {id(p) for w in self._table for p in w.parameters}
        for i, value in enumerate(v for v in values if id(v) not in known):
            name = next((k for k, v in self._parameters.items() if v is value), f"W_{i}")
            if name not in self._parameters:
                self.register_parameter(name, nn.Parameter(value.detach()))
            self.weight(name, self, name)

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trained = {id(w) for w in self.trained_table()}
        return [w.variable() for w in self.table() if id(w) not in trained]

    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return copies of all weights as numpy arrays, in Keras's order and layout."""
        return [w.numpy() for w in self.table()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write all weights from arrays in Keras's order and layout.

        Args:
            weights: As `get_weights` returns them.

        Raises:
            ValueError: The layer is not built, or the number or a shape is wrong; nothing is written then.
        """
        if not self.built:
            raise ValueError(
                f"{self}: set_weights needs a built layer; call build(input_shape) or give input_shape first."
            )
        assign_all(self.table(), weights, f"{self}")

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
        return sum(w.size for w in self.table())


def unique(entries: Sequence[Weight]) -> list[Weight]:
    """Return the entries without repetitions: a layer that stands twice in a model has its weights once."""
    seen: dict[tuple[int, tuple[str, ...]], Weight] = {}
    for entry in entries:
        seen.setdefault((id(entry.module), entry.attributes), entry)
    return list(seen.values())
