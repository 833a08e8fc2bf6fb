"""How a layer is built from the shape of its input, and which shapes it takes from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import nn

from ..._core import settings
from ..._core.border import nameless
from ..._core.ownership import is_ours
from ..._core.shapes import Shape
from ..._core.threads import BUILDING, names_inside
from ..._core.tree import Tree, flatten, is_branch, is_shape, map_shapes, map_tree, shapes_of
from .input_spec import check_input
from .tracking import adopt, adopt_activations


@nameless
class Building(nn.Module):
    """The part of a layer that the shape of its input decides about."""

    name: str
    built: bool
    _built_shape: Tree
    _trainable: bool
    _initial_weights: Any
    _awaited: Any = None  # gives the layer the values of a checkpoint once it is built
    _input_spec: Any
    _input_rank: ClassVar[int | tuple[int, ...] | None] = None
    _more_batch_axes: ClassVar[bool] = False  # whether further axes may stand before those of `_input_rank`
    _sizes_of_weights: Mapping[int, int] = MappingProxyType({})  # axis of the input → its size when weights were made
    _torch_parts: tuple[nn.Module, ...] = ()  # of a user's layer; ours tell theirs
    _scope: str = ""  # the names of the layers that it was built in
    _names_weights: bool = True  # whether its own name stands in those of its weights
    _cast_parts: Any
    _set_trainable: Any
    _traits: Any
    _weight_table: Any
    set_weights: Any

    def build(self, input_shape: Any) -> None:
        """Make what depends on the shape of the input; layers without weights have nothing to do.

        Args:
            input_shape: Keras shape, batch size first.
        """
        self.built = True

    def _build_on(self, inputs: Tree, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> None:
        """Build the layer for inputs like these, and further arguments of its call."""
        keeps_batch = self._traits.stateful  # what is kept from batch to batch has its size
        shapes = map_tree(lambda leaf: (len(leaf) if keeps_batch else None, *leaf.shape[1:]), inputs)
        self._build_from(shapes, next((leaf.device for leaf in flatten(inputs)), None))

    def _build_on_symbols(self, inputs: Tree, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> None:
        """Build the layer for symbolic inputs, and further arguments of its call."""
        self._build_from(shapes_of(inputs))

    def _build_from(self, input_shape: Tree, device: torch.device | None = None) -> None:
        """Check `input_shape`, build the layer once and set its initial weights."""
        if self.built:
            return
        shape = map_shapes(tuple, input_shape)
        if is_shape(shape):
            self._check_rank(shape)
        if self._input_spec is not None:
            check_input(self, self._input_spec, shape)
        with BUILDING, torch.inference_mode(False), torch.device(device or settings.default_device()):
            if not self.built:
                self._scope = names_inside.current() or self._scope
                with settings.running(None), self._naming_inner_layers():
                    self.build(shape)
                self._finish_build(shape, device)

    def _finish_build(self, shape: Tree, device: torch.device | None = None) -> None:
        self.built = True
        self._built_shape = self._built_shape or map_shapes(tuple, shape)
        self._adopt(device)
        if not self._trainable:
            self._set_trainable(False)
        if self._initial_weights is not None:
            weights, self._initial_weights = self._initial_weights, None
            self.set_weights(weights)
        if self._awaited is not None:
            restore, self._awaited = self._awaited, None
            restore(self)

    @property
    def _weight_scope(self) -> str:
        """What stands before the names of its weights, and of those of layers inside it."""
        return f"{self._scope}{self.name}/" if self._names_weights and self.name else self._scope

    def _naming_inner_layers(self) -> names_inside:
        """Return the block in which layers that are built have this one in the names of their weights."""
        return names_inside(self._weight_scope)

    def _adopt(self, device: torch.device | None = None) -> None:
        """Enter what the layer holds beside `add_weight` into the weight table."""
        device = device or next((p.device for p in nn.Module.parameters(self)), settings.default_device())
        if is_ours(type(self)):
            adopt_activations(self, device)
        else:
            self._torch_parts = adopt(self, device)
        self._cast_parts()

    # --- the shapes that it takes ------------------------------------------------------------------------------------

    def _check_rank(self, shape: Shape) -> None:
        """Raise when the number of axes is not one the layer takes."""
        ranks = (self._input_rank,) if isinstance(self._input_rank, int) else self._input_rank
        more = self._more_batch_axes
        if ranks is not None and len(shape) not in ranks and not (more and len(shape) > max(ranks)):
            wanted = " or ".join(f"{r} axes" for r in ranks) + (" or more" if more else "")
            raise ValueError(
                f"{self}: the input must have {wanted}, the batch included; got shape {shape} with {len(shape)}."
            )

    def _last_axis(self, shape: Sequence[int | None], axis: int = -1) -> int:
        """Return the size of an axis that the weights depend on, or raise when it is not known."""
        size = shape[axis]
        if size is None:
            raise ValueError(
                f"{self}: the size of axis {axis} of the input must be known to build the weights; got shape "
                f"{tuple(shape)}. Give it in input_shape."
            )
        self._sizes_of_weights = {**self._sizes_of_weights, axis: size}
        return size

    def _expect_sizes(self, inputs: Tree) -> None:
        """Raise where an input is not of the size that the weights were made for.

        Args:
            inputs: A tensor, symbolic or not; trees are passed over, for no layer that takes them makes such weights.
        """
        if is_branch(inputs):
            return
        for axis, size in self._sizes_of_weights.items():
            shape = tuple(inputs.shape)
            if -len(shape) <= axis < len(shape) and shape[axis] not in (None, size):
                raise ValueError(
                    f"{self}: its weights were made for size {size} of axis {axis} of the input; got shape "
                    f"{(None, *shape[1:])}."
                )

    def _refits(self, shape: Shape) -> bool:
        """Make a layer that was built for another shape ready for this one; tell whether it can be.

        One without weights is built anew.  The weights of another stay, where they go with this shape.
        """
        if self._weight_table():
            return bool(self._sizes_of_weights) and self._sizes_fit(shape)
        if is_ours(type(self)):
            self.built, self._built_shape = False, None
        return True

    def _sizes_fit(self, shape: Shape) -> bool:
        """Tell whether the weights were made for the sizes that a shape has."""
        sizes = self._sizes_of_weights.items()
        return all(-len(shape) <= axis < len(shape) and shape[axis] in (None, size) for axis, size in sizes)
