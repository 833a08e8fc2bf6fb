"""`Sequential`: a stack of layers, each the input of the next."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from .._core import registry, settings, stored_configs
from .._core.errors import argument_error, show
from .._core.ownership import is_ours
from .._core.rollback import unchanged_on_error
from .._core.shapes import Shape, compatible
from .._core.strings import STRING, StringTensor, is_string_type
from .._core.symbolic import SymbolicTensor
from .._core.threads import BUILDING, names_inside
from .._core.tree import Tree, flatten, flatten_shapes, is_branch, is_shape, map_shapes, map_tree
from ..layers.base import Layer
from ..layers.input_layer import InputLayer
from ..layers.torch_module import TorchModuleWrapper
from ..training.data.signature import ModelInput
from .functional import tell_left_out
from .model import Model
from .network import declared_integers, fitted


@registry.register("layer")
class Sequential(Model):
    """A stack of layers, each the input of the next.

    Shapes are known as soon as the first layer says its own (`input_shape`, `input_dim`, `batch_input_shape`, an
    `InputLayer` or `Input` before it), else from the first batch.

    Args:
        layers: The layers in a list, or one alone; any `torch.nn.Module` may stand among them.
        name: The model's name.
        kwargs: The arguments of every layer.

    Raises:
        TypeError: Something in the list is no layer.
        ValueError: A layer does not fit the one before.

    Example:
        >>> from torchkeras_compat.models import Sequential
        >>> from torchkeras_compat.layers import Dense, Activation
        >>> model = Sequential([Dense(32, input_shape=(784,)), Activation('relu'), Dense(10), Activation('softmax')])
        >>> model.output_shape, model.count_params()
        ((None, 10), 25450)
    """

    _config_may_be_list = True  # as up to Keras 2.2.2

    _input_layer: InputLayer | None

    def __init__(self, layers: Any = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self._input_layer = None
        self._shape_inferred = False  # by `build` or the first batch, so that others may be of another size
        if isinstance(layers, (nn.Module, SymbolicTensor)):
            layers = [layers]
        if layers is not None and not isinstance(layers, (list, tuple)):
            raise argument_error(type(self).__name__, "layers", "a list of layers", layers, TypeError)
        for layer in layers or ():
            self.add(layer)

    # --- the stack -----------------------------------------------------------------------------------------------

    def add(self, layer: Any) -> None:
        """Put a layer on the stack.

        Args:
            layer: A layer, a `torch.nn.Module`, or `Input(…)` as the first item.

        Raises:
            TypeError: No layer.
            ValueError: A name that is taken, or a shape that does not fit the layer before; the model is unchanged.
        """
        if isinstance(layer, SymbolicTensor):
            layer = layer.input_layer or InputLayer(batch_input_shape=layer.shape, name=layer.name)
        if isinstance(layer, type) and issubclass(layer, nn.Module):
            raise TypeError(f"{self}.add({layer.__name__}): this is the class; write {layer.__name__}(…).")
        if isinstance(layer, nn.Module) and not isinstance(layer, Layer):
            layer = TorchModuleWrapper(
                layer, name=f"{settings.snake_case(type(layer).__name__)}_{len(self._chain) + 1}"
            )
        if not isinstance(layer, Layer):
            raise TypeError(f"{self}.add({show(layer)}): a layer or a torch.nn.Module is expected; got {show(layer)}.")
        if isinstance(layer, InputLayer) and not self._chain:
            self._begin(layer)
            return
        if any(layer.name == other.name and layer is not other for other in self._chain):
            raise ValueError(f"{self}: two layers are named {layer.name!r}; give each a name of its own.")
        self._append(layer)

    def _begin(self, layer: InputLayer) -> None:
        if self._input_layer is not None:
            raise ValueError(f"{self}: {self._input_layer} says the shape of the input already; leave out {layer}.")
        self._input_layer = layer
        self.batch_input_shape = layer.batch_input_shape

    def _append(self, layer: Layer) -> None:
        shape = self._shape_before(layer)
        if shape is not None:
            with unchanged_on_error(layer):
                self._build_layer(layer, shape)
        if not self._chain and self._input_layer is None:
            self.batch_input_shape = layer.batch_input_shape
        self._chain.append(layer)
        self._modules[str(len(self._chain) - 1)] = layer
        self._changed()
        if shape is not None:
            self.built = True
            self._built_shape = self.batch_input_shape
            self._connect(layer)

    def _shape_before(self, layer: Layer) -> Tree:
        """Return the shape that `layer` will get, `None` while it is not known."""
        if not self._chain:
            return self._input_layer.batch_input_shape if self._input_layer is not None else layer.batch_input_shape
        return tuple(self._symbols[-1].shape) if self._symbols else None

    def _build_layer(self, layer: Layer, shape: Tree) -> Shape:
        """Build a layer for `shape`, whatever it says of its own input, and return the shape of its output."""
        known = None if isinstance(layer, InputLayer) or not layer.built else layer._built_shape
        differs = known is not None and is_shape(known) and is_shape(shape) and not compatible(known[1:], shape[1:])
        if differs and not layer._refits(shape):
            raise ValueError(f"{layer}: it was built for shape {known} and cannot follow shape {shape}.")
        layer._expect_one_input(flatten_shapes(shape))
        layer._build_from(shape, self._device())
        output_shape = layer.compute_output_shape(shape)
        if not is_shape(output_shape):
            raise ValueError(
                f"{self}: a layer of a Sequential gives one tensor; {layer} gives {len(output_shape)}. Write "
                f"Model(inputs, outputs) instead."
            )
        layer._make_late_weights(shape)
        return tuple(output_shape)

    def _new_input(self, shape: Tree) -> Tree:
        """Return the symbolic input for a shape, or several for a first layer that takes a list.

        Those of the models that a `Merge` joins are the chain's too, so that a model of both has each once.
        """
        before = self._chain[0]._inputs_before
        if before is not None and map_tree(lambda symbol: tuple(symbol.shape), before) == shape:
            return before
        names = iter(self._chain[0]._input_names())
        told = (self._input_layer or self._chain[0]).dtype
        kind = STRING if self._says_strings() else told if settings.is_float(told) else self.dtype
        return map_shapes(lambda one: SymbolicTensor(one, kind, name=next(names)), shape)

    def _connect(self, layer: Layer) -> None:
        if not self._symbols:
            self._symbols.append(self._new_input(self.batch_input_shape or ()))
        self._symbols.append(layer._call_symbolic(self._symbols[-1], (), {}))

    def pop(self) -> None:
        """Take the last layer off the stack.

        Raises:
            TypeError: The stack is empty.
        """
        if not self._chain:
            raise TypeError(f"{self}.pop(): there are no layers in the model.")
        self._chain.pop()
        del self._modules[str(len(self._chain))]
        del self._symbols[len(self._chain) + 1 :]
        if not self._chain:
            self._symbols.clear()
            self.built, self._built_shape = False, None
            if self._input_layer is None:
                self.batch_input_shape = None
        self._changed()

    def _take_last_off(self) -> None:
        self.pop()

    def _end_at(self, outputs: Tree) -> None:
        """Take off the layers behind the one that gives the output."""
        end = flatten(outputs)
        number = [i for i, symbol in enumerate(self._symbols) if i and len(end) == 1 and symbol is end[0]]
        if not number:
            raise ValueError(
                f"{self}.outputs can be the output of one of its layers; write Model(model.inputs, outputs) for others."
            )
        while len(self._chain) > number[0]:
            self.pop()

    _lists_stand_among_layers = False

    def _sublayers(self) -> Iterator[Layer]:
        """Yield the layers."""
        yield from self._chain

    @property
    def _input_tree(self) -> Tree:
        return self._symbols[0] if self._symbols else None

    @_input_tree.setter
    def _input_tree(self, tree: Tree) -> None: ...  # it stands among the symbols of the chain

    @property
    def _output_tree(self) -> Tree:
        return self._symbols[-1] if self._symbols else None

    @_output_tree.setter
    def _output_tree(self, tree: Tree) -> None: ...

    @property
    def input_names(self) -> list[str]:
        """The name of the input, in a list."""
        if self._input_layer is not None:
            return [self._input_layer.name]
        return super().input_names or [f"{layer.name}_input" for layer in self._chain[:1]]

    @property
    def output_names(self) -> list[str]:
        """The name of the last layer, in a list."""
        return [layer.name for layer in self._chain[-1:]]

    @property
    def _counts_own_call(self) -> bool:
        """Whether the chain is built, by its call too: so in classic Keras, and in tf.keras from 2.2 on."""
        return self._output_tree is not None

    @property
    def _declares_inputs(self) -> bool:
        """Whether the first layer says the shape of the input, or an `InputLayer` before it."""
        return self._input_layer is not None or any(layer.batch_input_shape is not None for layer in self._chain[:1])

    # --- building and running ------------------------------------------------------------------------------------

    def build(self, input_shape: Any = None) -> None:
        """Build every layer.

        Args:
            input_shape: Keras shape, batch size first; not needed when the first layer says it.
        """
        if input_shape is None:
            input_shape = self.batch_input_shape
        if input_shape is None:
            raise ValueError(
                f"{self}: the shape of the input is not known; give the first layer input_shape=(…), or call "
                f"build((None, …))."
            )
        if not self._chain:
            raise ValueError(f"{self}: the model has no layers; add some first.")
        built_shape = shape = map_shapes(tuple, input_shape)
        with (
            unchanged_on_error(self),
            names_inside(""),
        ):  # a graph of layers begins its names afresh, wherever it stands
            for layer in self._chain:
                shape = self._build_layer(layer, shape)
        self.batch_input_shape = self.batch_input_shape or map_shapes(lambda one: (None, *one[1:]), built_shape)
        self._built_shape = built_shape
        self.built = self._shape_inferred = True
        if not self._symbols:
            for layer in self._chain:
                self._connect(layer)

    def _build_by(
        self, inputs: Tree, args: Sequence[Any] = (), call_arguments: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Build every layer by inputs like these."""
        if not self._chain or (self._is_users and (args or call_arguments)):
            super()._build_by(inputs, args, call_arguments)
        elif is_branch(inputs) and len(flatten(inputs)) > 1:
            self.build(map_tree(lambda tensor: (None, *tensor.shape[1:]), inputs))
        else:
            self._fitted(flatten(inputs)[0], 0)

    _told_shape: Any = None

    def _model_inputs(self) -> tuple[ModelInput, ...] | None:
        """Return what the data side is told of the inputs."""
        shape, known = self.batch_input_shape, self._told_inputs
        if known is None or self._told_shape is not shape or not self.built:
            shapes = [shape] if shape is None or is_shape(shape) else flatten_shapes(shape)
            names = self.input_names or [self.name]
            strings = self._takes_strings
            kind = None if self._input_layer is None else declared_integers(self._input_layer.dtype)
            traits = strings or self._takes_integers, self._index_checks, strings, kind
            self._told_inputs = known = tuple(ModelInput(n, s, *traits) for n, s in zip(names, shapes))
            self._told_shape = shape
        return known

    @property
    def _takes_strings(self) -> bool:  # type: ignore[override]
        """Whether the first layer makes numbers of strings, or the input was declared to hold some."""
        return self._says_strings() or super()._takes_strings

    def _says_strings(self) -> bool:
        """Tell whether the input was declared to hold strings, or the first batch did, or what `adapt` saw."""
        declared = self._input_layer is not None and is_string_type(self._input_layer.dtype)
        return declared or self._built_by_strings or any(layer._declares_strings for layer in self._chain[:1])

    _built_by_strings = False

    def _says_integers(self) -> bool:
        return self._input_layer is not None and not settings.is_float(self._input_layer.dtype)

    def _declared_dtype(self, index: int) -> str | None:
        return None if self._input_layer is None else self._input_layer.dtype

    def _check_callable(self) -> None:
        if not self._chain and not self._is_users:
            raise ValueError(f"{self}: the model has no layers; add some first.")

    def _fitted(self, x: Tensor, index: int) -> Tensor:
        """Return inputs in the rank the model takes, or raise when they do not fit; they build a model that is not."""
        if not self.built:
            with BUILDING:
                if not self.built:
                    # Keras 1 and 2.3 had no models of strings; those of later times leave one axis alone.
                    self._built_by_strings = isinstance(x, StringTensor)
                    x = x if x.dim() > 1 or self._built_by_strings else x.unsqueeze(-1)
                    self.build((None, *x.shape[1:]))
        x = self._as_declared(x, index)
        expected = self._built_shape or ()
        if not is_shape(expected):
            return fitted(self, expected[index], x)
        return fitted(self, expected, x, takes_too=functools.partial(self._takes_too, (None, *expected[1:]), x))

    def _takes_too(self, expected: Shape, x: Tensor) -> bool:
        """Tell whether a model built by its first batch runs on another size too; its shape is open from then on."""
        if not self._shape_inferred:
            return False
        try:
            with torch.no_grad():
                self._run_chain(x[:1], None, False)
        except (RuntimeError, ValueError):
            return False
        finally:
            self._take_losses()
        if x.dim() != len(expected):  # as Keras does, which keeps the shape that it has
            return True
        shape = tuple(a if a == b else None for a, b in zip(expected, (None, *x.shape[1:])))
        with BUILDING:
            symbols: list[Any] = [self._new_input(shape)]
            for layer in self._chain:
                symbols.append(layer._call_symbolic(symbols[-1], (), {}))
            self._symbols[:] = symbols  # at once: another thread may be looking
            self._built_shape = self.batch_input_shape = shape
        return True

    # --- as torch's nn.Sequential --------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        """Return a layer by its place, or a model of the layers of a slice, which share their weights with this one."""
        if not isinstance(index, slice):
            if not hasattr(index, "__index__"):
                raise TypeError(f"{self}[{index!r}]: an integer or a slice is expected; write get_layer({index!r}).")
            if not -len(self._chain) <= index < len(self._chain):
                raise IndexError(f"{self}[{index}]: the model has {len(self._chain)} layers.")
            return self._chain[index]
        layers = self._chain[index]
        ours = next(cls for cls in type(self).__mro__ if is_ours(cls))  # a user's constructor may want arguments
        part = ours()
        if layers and layers[0]._built_shape is not None:
            part.add(InputLayer(batch_input_shape=layers[0]._built_shape))
        for layer in layers:
            calls = list(layer._nodes)
            part.add(layer)
            layer._nodes[:] = calls  # `layer.output` stays that of this model
        return part

    def __iter__(self) -> Iterator[Layer]:
        return iter(list(self._chain))

    def __len__(self) -> int:
        return len(self._chain)

    def __bool__(self) -> bool:
        return True

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self.built and not self._symbols:
            for layer in self._chain:
                self._connect(layer)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made again when needed."""
        return {**super().__getstate__(), "_symbols": []}

    # --- configuration -------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes an equal, untrained model of."""
        first = self._input_layer
        kind = STRING if self._says_strings() else None  # which the layer's own configuration does not tell
        if first is None and (self._rules.functional_models or kind) and self._declares_inputs:  # as tf.keras does
            shape, name = self._chain[0].batch_input_shape, next(self._chain[0]._input_names())
            first = InputLayer(batch_input_shape=shape, name=name, dtype=kind)
        layers: list[Layer] = [*([first] if first is not None else []), *self._chain]
        with registry.noting_shared_layers():
            entries = [registry.serialize("layer", layer) for layer in layers]
        for call, added in (("add_loss", self._standing_losses), ("add_metric", self._standing_metrics)):
            if added:
                tell_left_out(self, call, "that of a Sequential is its layers alone")
        config: dict[str, Any] = {"name": self.name, "layers": entries}
        if first is None and self.batch_input_shape is not None and not _declares(self._chain[0]):
            config["build_input_shape"] = self.batch_input_shape
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """Make a model from what `get_config` returned, or from a plain list of layer configurations.

        Args:
            config: The configuration; it is not changed.
            custom_objects: The user's own classes by name.
        """
        told: Mapping[str, Any] = {"layers": config} if isinstance(config, list) else config
        entries = told.get("layers") if isinstance(told, Mapping) else None
        if not isinstance(entries, list):
            raise ValueError(
                f"{cls.__name__}.from_config: 'layers' must be a list of layer configurations; got {show(entries)}."
            )
        model = cls(name=told.get("name"))
        with stored_configs.reading(config), registry.custom_object_scope(custom_objects):
            for entry in entries:
                model.add(registry.deserialize("layer", entry))
        shape = told.get("build_input_shape")
        if shape is not None and not model.built:
            model.build(tuple(shape))
        if told.get("trainable") is False:
            model.trainable = False
        return model


def _declares(layer: Layer) -> bool:
    """Tell whether a layer says by itself what its input is; a chain may have been told by its first call."""
    if not isinstance(layer, Sequential):
        return layer.batch_input_shape is not None
    return layer._input_layer is not None or any(map(_declares, layer._chain[:1]))
