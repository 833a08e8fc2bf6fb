"""Keras 1's `Merge` and `merge`: one layer with a mode, and models joined by it at the bottom of a Sequential."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from .. import backend
from .._core import dialects, registry
from .._core.errors import argument_error, choice
from .._core.stored_functions import with_functions
from .._core.symbolic import SymbolicTensor
from .._core.tree import Tree, fill, flatten, flatten_shapes, is_shape, map_shapes, map_tree
from .base import ROW_WISE, Layer
from .base.masks import carry_mask
from .lambdas import Lambda
from .merging import Add, Average, Concatenate, Dot, Maximum, Multiply


class Cosine(Dot):
    """The cosine of the angles between vectors, with one denominator for both.

    Args:
        axes: The axis of both, or one for each.
        kwargs: The arguments of every layer.

    Source:
        `Merge(mode='cos')`, Keras 1.2.2.
    """

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        x, y = inputs
        a, b = self._pair(x.dim(), y.dim())
        of_x, of_y = x.square().sum(a), y.square().sum(b)
        squares = of_x.reshape(*x.shape[:1], of_x[:1].numel(), 1) * of_y.reshape(*y.shape[:1], 1, of_y[:1].numel())
        product = super()._merge_function(inputs)
        lengths = squares.sqrt().reshape(product.shape)
        return product / lengths.clamp_min(backend.epsilon())


# Mode → the layer that does it, made of the `Merge`.
MODES: dict[str, Callable[[Any], Layer]] = {
    "sum": lambda merge: Add(name=merge.name),
    "mul": lambda merge: Multiply(name=merge.name),
    "concat": lambda merge: Concatenate(merge.concat_axis, name=merge.name),
    "ave": lambda merge: Average(name=merge.name),
    "cos": lambda merge: Cosine(merge.dot_axes, name=merge.name),
    "dot": lambda merge: Dot(merge.dot_axes, name=merge.name),
    "max": lambda merge: Maximum(name=merge.name),
}


class _Branch:
    """A model that a `Merge` joins with others, and where its inputs stand among all of them.

    Args:
        layer: The model, or a layer that knows its input shape.
        call: The number of the call that counts.
        output: The number of the output that counts, where there are several.
    """

    def __init__(self, layer: Layer, call: int, output: int | None) -> None:
        self.layer, self.output = layer, output
        calls = layer._calls()
        if not calls:
            if layer.batch_input_shape is None:
                raise ValueError(
                    f"Merge(layers=…): the input shape of {layer} is not known; give its first layer input_shape=(…)."
                )
            names = layer._input_names()
            layer(map_shapes(lambda one: SymbolicTensor(one, layer.dtype, name=next(names)), layer.batch_input_shape))
            calls = layer._calls()
        if not -len(calls) <= call < len(calls):
            raise ValueError(f"Merge(node_indices=…): {layer} has been called {len(calls)} times; got {call}.")
        self.inputs = calls[call].input_tensors
        self.places: list[int] = []

    def tree_of(self, values: Sequence[Any]) -> Tree:
        """Return what the layer takes, of what there is for all inputs."""
        return fill(self.inputs, [values[place] for place in self.places])


@registry.register("layer")
class Merge(Layer):
    """Makes one tensor of several by a mode, as Keras 1 had it; of models, as the first layer of a Sequential.

    `Sequential([Merge([left, right], mode='concat'), Dense(1)])` takes the inputs of both models in a list.

    Args:
        layers: The models that give the tensors; `None` to call the layer on tensors.
        mode: `'sum'`, `'mul'`, `'concat'`, `'ave'`, `'cos'`, `'dot'`, `'max'`, or a function of a list of tensors.
        concat_axis: The axis for `'concat'`.
        dot_axes: The axis of both tensors for `'dot'` and `'cos'`, or one for each.
        output_shape: For a function: the shape without the batch, or a function of the list of shapes.
        output_mask: For a function: the mask, or a function of the list of masks.
        arguments: Further keyword arguments of the function.
        node_indices: Which call of each layer counts.
        tensor_indices: Which output of each layer counts, where it has several.
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of tensors, those of all models one after the other. Output: as the mode says.

    Raises:
        ValueError: An unknown mode, or shapes that do not fit together.
        TypeError: Something else than models.

    Example:
        >>> from torchkeras_compat.layers import Dense, Merge
        >>> from torchkeras_compat.models import Sequential
        >>> left, right = Sequential([Dense(4, input_dim=3)]), Sequential([Dense(5, input_dim=2)])
        >>> model = Sequential([Merge([left, right], mode='concat'), Dense(1)])
        >>> model.input_shape, model.layers[0].output_shape
        ([(None, 3), (None, 2)], (None, 9))
    """

    _class_traits = ROW_WISE
    _takes_trees = True
    _needs_list = True
    _masks_in_call = True
    supports_masking = True

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        mode: Any = "sum",
        concat_axis: int = -1,
        dot_axes: int | Sequence[int] = -1,
        output_shape: Any = None,
        output_mask: Any = None,
        arguments: dict[str, Any] | None = None,
        node_indices: Sequence[int] | None = None,
        tensor_indices: Sequence[int | None] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.mode = mode if callable(mode) else choice("Merge", "mode", mode, MODES)
        self.concat_axis, self.dot_axes = concat_axis, dot_axes
        self._output_shape, self._output_mask = output_shape, output_mask
        self.arguments = dict(arguments or {})
        self.node_indices, self.tensor_indices = node_indices, tensor_indices
        self._merger = self._merging_layer()
        self._merger._set_policy(self.dtype_policy, True)
        self.layers = None if layers is None else self._checked(layers)
        self._branches: list[_Branch] = []
        if self.layers is not None:
            self._join(self.layers)

    def _merging_layer(self) -> Layer:
        if not callable(self.mode):
            return MODES[self.mode](self)
        mask = self._output_mask
        of_masks = (lambda inputs, masks: mask(masks)) if callable(mask) else mask
        layer = Lambda(self.mode, self._output_shape, of_masks, self.arguments, name=self.name)
        layer.supports_masking = True
        return layer

    @staticmethod
    def _checked(layers: Any) -> list[Layer]:
        several = isinstance(layers, (list, tuple)) and len(layers) > 1
        if not several or not all(isinstance(layer, Layer) for layer in layers):
            raise argument_error(
                "Merge",
                "layers",
                "a list of two models or more; of tensors write merge([a, b], mode=…)",
                layers,
                TypeError,
            )
        return list(layers)

    def _join(self, layers: list[Layer]) -> None:
        """Take the models in, and their inputs in a row, each once."""
        calls = self.node_indices or [0] * len(layers)
        outputs = self.tensor_indices or [None] * len(layers)
        self._branches = [_Branch(*parts) for parts in zip(layers, calls, outputs)]
        inputs: dict[int, Any] = {}
        for branch in self._branches:
            leaves = flatten(branch.inputs)
            inputs.update((id(leaf), leaf) for leaf in leaves)
            branch.places = [list(inputs).index(id(leaf)) for leaf in leaves]
        for i, layer in enumerate({id(layer): layer for layer in layers}.values()):
            self._modules[f"layer_{i}"] = layer
        symbols = list(inputs.values())
        self._inputs_before = symbols if len(symbols) > 1 else symbols[0]
        self.batch_input_shape = map_tree(lambda symbol: tuple(symbol.shape), self._inputs_before)

    def _input_names(self) -> Iterator[str]:
        """Yield the names of the models' inputs."""
        return (symbol.name for symbol in flatten(self._inputs_before)) if self._branches else super()._input_names()

    # --- shapes --------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Build the models that are not, and check that the shapes fit together."""
        shapes = [input_shape] if is_shape(input_shape) else flatten_shapes(input_shape)
        for branch in self._branches:
            branch.layer._build_from(branch.tree_of(shapes), torch.empty(0).device)
        self._merger._casts |= any(branch.layer.compute_dtype != self.compute_dtype for branch in self._branches)
        self._merger._build_from(self._shapes_to_merge(input_shape))

    def _shapes_to_merge(self, input_shape: Any) -> Any:
        if not self._branches:
            return input_shape
        shapes = [input_shape] if is_shape(input_shape) else flatten_shapes(input_shape)
        outputs = [branch.layer.compute_output_shape(branch.tree_of(shapes)) for branch in self._branches]
        return [one if is_shape(one) else one[branch.output or 0] for one, branch in zip(outputs, self._branches)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of what the mode makes."""
        return self._merger.compute_output_shape(self._shapes_to_merge(input_shape))

    # --- running -------------------------------------------------------------------------------------------------

    def call(self, inputs: Tree, mask: Tree = None, training: bool = False) -> Tensor:
        """Return what the mode makes of the tensors, or of what the models make of them.

        Args:
            inputs: The tensors, or those that all models take, in a row.
            mask: Their masks.
            training: The mode that the models run in.
        """
        if self._branches:
            inputs, mask = self._run_branches(flatten(inputs), mask, training)
        y, mask = self._merger._run(inputs, mask, training)
        carry_mask(y, mask)
        return y  # type: ignore[no-any-return]

    def _run_branches(self, inputs: list[Any], mask: Tree, training: bool) -> tuple[list[Any], list[Any] | None]:
        masks = None if mask is None else flatten(mask)
        outputs, made = [], []
        for branch in self._branches:
            own = None if masks is None else branch.tree_of(masks)
            y, y_mask = branch.layer._run(branch.tree_of(inputs), own, training)
            if isinstance(y, (list, tuple)):
                index = branch.output or 0
                y, y_mask = y[index], y_mask[index] if isinstance(y_mask, (list, tuple)) else None
            outputs.append(y)
            made.append(y_mask)
        return outputs, None if all(m is None for m in made) else made

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the output."""
        return self._run(inputs, mask, False)[1]

    def reset_states(self) -> None:
        """Clear the states of the models."""
        for layer in self.layers or ():
            if layer._traits.stateful:
                layer.reset_states()

    # --- configuration -------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; functions stand there as they are."""
        config = super().get_config()
        if self._branches:
            config.pop("batch_input_shape", None)
        return {**config, "mode": self.mode, "output_shape": self._output_shape, "output_mask": self._output_mask}

    def _config_of(self, name: str) -> Any:
        return None if name in ("output_shape", "output_mask") else super()._config_of(name)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make a layer from what `get_config` returned, here or in Keras 1; the dictionary is not changed.

        Args:
            config: The configuration.
            custom_objects: The user's own classes and functions by name.

        Raises:
            ValueError: Code in a file of Keras 1, which is not run.
        """
        with dialects.using(dialects.of(cls).name), registry.custom_object_scope(custom_objects):
            told = with_functions("Merge", config, ("mode", "output_shape", "output_mask"))
            if told.get("layers"):
                told["layers"] = [registry.deserialize("layer", entry) for entry in told["layers"]]
        return cls(**told)


def merge(
    inputs: Sequence[Any],
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: int | Sequence[int] = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: dict[str, Any] | None = None,
    name: str | None = None,
) -> Any:
    """Return one tensor made of several by a mode, as in Keras 1.

    Args:
        inputs: The tensors.
        mode: `'sum'`, `'mul'`, `'concat'`, `'ave'`, `'cos'`, `'dot'`, `'max'`, or a function of a list of tensors.
        concat_axis: The axis for `'concat'`.
        dot_axes: The axis of both tensors for `'dot'` and `'cos'`, or one for each.
        output_shape: For a function: the shape without the batch, or a function of the list of shapes.
        output_mask: For a function: the mask, or a function of the list of masks.
        arguments: Further keyword arguments of the function.
        name: The name of the layer.

    Example:
        >>> from torchkeras_compat.layers import Input, merge
        >>> tuple(merge([Input((4,)), Input((3,))], mode='concat').shape)
        (None, 7)
    """
    layer = Merge(None, mode, concat_axis, dot_axes, output_shape, output_mask, arguments, name=name)
    return layer(list(inputs))
