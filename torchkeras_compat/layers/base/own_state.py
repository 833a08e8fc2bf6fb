"""What a layer tells of itself for whoever saves it or describes it: its build, its own variables, its modules."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np
from torch import nn

from ..._core.border import nameless
from ..._core.tensor_shape import TensorSpec
from ..._core.tree import Tree, map_shapes, map_tree
from ..._core.weights import Weight
from .tracking import follow


@nameless
class OwnState(nn.Module):
    """What a layer tells of itself."""

    name: str
    built: bool
    compute_dtype: Any
    _table: list[Weight]
    _built_shape: Tree
    add_weight: Callable[..., Any]
    build: Callable[..., Any]
    compute_output_shape: Callable[..., Any]
    _sublayers: Callable[[], Iterator[Any]]

    def add_variable(self, *args: Any, **kwargs: Any) -> Any:
        """Make a weight, under the name that `add_weight` had at first."""
        return self.add_weight(*args, **kwargs)

    def compute_output_signature(self, input_signature: Any) -> Any:
        """Return shape and type of the output.

        Args:
            input_signature: What has a `shape` and a `dtype`, or a tree of such.

        Example:
            >>> import torchkeras_compat as keras
            >>> keras.layers.Dense(2).compute_output_signature(keras.Input((3,), batch_size=4)).shape
            (4, 2)
        """
        shapes = self.compute_output_shape(map_tree(lambda one: tuple(one.shape), input_signature))
        return map_shapes(lambda shape: TensorSpec(shape, self.compute_dtype), shapes)

    # --- what is built -------------------------------------------------------------------------------------------

    def get_build_config(self) -> dict[str, Any] | None:
        """Return what `build_from_config` makes the weights of, `None` for a layer that is not built."""
        return {"input_shape": self._built_shape} if self.built and self._built_shape is not None else None

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Make the weights.

        Args:
            config: What `get_build_config` returned.
        """
        if config and config.get("input_shape") is not None:
            self.build(config["input_shape"])

    def finalize_state(self) -> None:
        """Do nothing: layers that learn from data, such as vocabularies, write their own."""

    # --- variables -----------------------------------------------------------------------------------------------

    def _own_weights(self) -> list[Weight]:
        return sorted(self._table, key=lambda weight: not weight.trainable)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the layer's own weights, not those of layers inside, into a store as arrays, under their numbers.

        Args:
            store: A dictionary or a group of an HDF5 file.
        """
        for i, weight in enumerate(self._own_weights()):
            store[str(i)] = weight.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Set the layer's own weights from what `save_own_variables` stored.

        Args:
            store: A dictionary or a group of an HDF5 file.

        Raises:
            ValueError: Another number of arrays, or one of another shape; nothing is changed then.
        """
        weights = self._own_weights()
        if len(store) != len(weights):
            raise ValueError(f"{self}: it has {len(weights)} weights of its own; got {len(store)} arrays.")
        values = [weight.check(np.asarray(store[str(i)])) for i, weight in enumerate(weights)]
        for weight, value in zip(weights, values):
            weight.assign(value)

    # --- modules and names ---------------------------------------------------------------------------------------

    @property
    def submodules(self) -> tuple[Any, ...]:
        """All layers inside, those directly in this one first; `modules()` yields torch's modules."""
        inside: dict[int, Any] = {}
        pending: list[Any] = [self]
        while pending:
            layers = [layer for one in pending for layer in one._tracked_layers() if id(layer) not in inside]
            inside.update((id(layer), layer) for layer in layers if layer is not self)
            pending = list({id(layer): layer for layer in layers}.values())
        return tuple(inside.values())

    def _flatten_layers(self, recursive: bool = True, include_self: bool = True) -> Iterator[Any]:
        """Yield the layers inside, each before those in it, as scripts for tf.keras ask for them.

        Args:
            recursive: Whether to go into these.
            include_self: Whether to begin with this layer.
        """
        if include_self:
            yield self
        for layer in self._tracked_layers():
            yield from layer._flatten_layers() if recursive else [layer]

    def _tracked_layers(self) -> list[Any]:
        """Return the layers directly inside, those in a user's lists as these stand now."""
        follow(self)
        return list(self._sublayers())

    @property
    def name_scope(self) -> NameScope:
        """A block that is called like the layer; names of weights do not need it here."""
        return NameScope(f"{self.name}/")

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method that runs in the `name_scope` of its layer.

        Args:
            method: The method.
        """

        @functools.wraps(method)
        def call(self: OwnState, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return call


class NameScope(str):
    """The name of a layer with a slash behind it, which can stand at the head of a `with` block."""

    __slots__ = ()

    def __enter__(self) -> str:
        return str(self)

    def __exit__(self, *error: object) -> None:
        """Do nothing: operations have no names here."""

    def __call__(self) -> str:
        """Return the name, as Keras does."""
        return str(self)
