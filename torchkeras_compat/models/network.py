"""`Stack`: a chain of layers, each the input of the next, as one layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from threading import get_ident
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .._core import registry, settings
from .._core.border import nameless
from .._core.config import is_ours
from .._core.errors import argument_error, did_you_mean, show
from .._core.rollback import unchanged_on_error
from .._core.shapes import Shape, compatible, one_sample_hint
from .._core.symbolic import SymbolicTensor, as_seen, kept_values
from .._core.threads import BUILDING
from .._core.weights import Variable, Weight
from ..layers.base import ActivatedLayer, Layer
from ..layers.base.weights import unique
from ..layers.core import InputLayer
from ..layers.torch_module import TorchModuleWrapper
from ..utils.layer_utils import print_summary
from .torch_side import TorchSide

AT_ONCE = 1 << 20  # elements of the widest layer's output that run together in inference: they stay in the caches
OVER_TIME = 64  # rows that are worth more than the caches where a layer reads its weights again at every step …
MOST_AT_ONCE = 1 << 23  # … up to so many elements


@nameless
class Stack(TorchSide):
    """The chain of layers in a model: its shapes, weights and configuration, and how it runs.

    Args:
        layers: The layers in a list, or one alone; any `torch.nn.Module` may stand among them.
        name: The name.
        kwargs: The arguments of every layer.

    Raises:
        TypeError: Something in the list is no layer.
        ValueError: A layer does not fit the one before.

    Example:
        >>> from torchkeras_compat.layers.core import Dense
        >>> from torchkeras_compat.models.network import Stack
        >>> Stack([Dense(32, input_shape=(784,)), Dense(10)]).output_shape
        (None, 10)
    """

    supports_masking = True

    def __init__(self, layers: Any = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self._chain: list[Layer] = []
        self._input_layer: InputLayer | None = None
        self._symbols: list[SymbolicTensor] = []
        self._left_masks: dict[int, Tensor] = {}  # thread → the mask of its output, from `call` to `_run`
        self._without_hooks_at = -1  # the number of hooks that torch had made when none was in here
        self._shape_inferred = False  # by the first batch, so that later ones may be of another size
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
            layer = layer.keywords.get("input_layer") or InputLayer(batch_input_shape=layer.shape, name=layer.name)
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
                shape = self._build_layer(layer, shape)
        if not self._chain and self._input_layer is None:
            self.batch_input_shape = layer.batch_input_shape
        self._chain.append(layer)
        self._modules[str(len(self._chain) - 1)] = layer
        self._changed()
        if shape is not None:
            self.built = True
            self._built_shape = self.batch_input_shape
            self._connect(layer)

    def _shape_before(self, layer: Layer) -> Shape | None:
        """Return the shape that `layer` will get, `None` while it is not known."""
        if not self._chain:
            return self._input_layer.batch_input_shape if self._input_layer is not None else layer.batch_input_shape
        return self._symbols[-1].shape if self._symbols else None

    def _build_layer(self, layer: Layer, shape: Shape) -> Shape:
        """Build a layer for `shape`, whatever it says of its own input, and return the shape of its output."""
        if layer.built and layer._built_shape is not None and not compatible(layer._built_shape[1:], shape[1:]):
            raise ValueError(f"{layer}: it was built for shape {layer._built_shape} and cannot follow shape {shape}.")
        layer._build_from(shape, self._device())
        output_shape = tuple(layer.compute_output_shape(shape))
        layer._make_late_weights(shape)
        return output_shape

    def _device(self) -> torch.device:
        parameter = next(nn.Module.parameters(self), None)
        return settings.default_device() if parameter is None else parameter.device

    def _connect(self, layer: Layer) -> None:
        if not self._symbols:
            shape = self.batch_input_shape or ()
            self._symbols.append(SymbolicTensor(shape, self.dtype, name=f"{self._chain[0].name}_input"))
        self._symbols.append(layer._call_symbolic(self._symbols[-1]))

    def _changed(self) -> None:
        """Note what follows from the layers as they stand now."""
        self.stateful = any(layer.stateful for layer in self._chain)
        self._without_hooks_at = -1
        self._runs_user_code = any(layer._runs_user_code for layer in self._chain)

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

    @property
    def layers(self) -> list[Layer]:
        """The layers, without an `InputLayer`."""
        return list(self._chain)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by name or index.

        Args:
            name: Its name.
            index: Its place in `layers`.

        Raises:
            ValueError: No such layer, with «did you mean».
        """
        if index is not None:
            if not -len(self._chain) <= index < len(self._chain):
                raise ValueError(f"{self}.get_layer(index={index}): the model has {len(self._chain)} layers.")
            return self._chain[index]
        found = next((layer for layer in self._chain if layer.name == name), None)
        if found is None:
            hint = did_you_mean(str(name), [layer.name for layer in self._chain])
            raise ValueError(f"{self}.get_layer(name={name!r}): no layer has this name; {hint}")
        return found

    def _sublayers(self) -> Iterator[Layer]:
        """Yield the layers."""
        yield from self._chain

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
        shape = tuple(input_shape)
        with unchanged_on_error(self):
            for layer in self._chain:
                shape = self._build_layer(layer, shape)
        self.batch_input_shape = self.batch_input_shape or (None, *tuple(input_shape)[1:])
        self._built_shape = tuple(input_shape)
        self.built = True
        if not self._symbols:
            for layer in self._chain:
                self._connect(layer)

    def run(self, x: Any, mask: Tensor | None, training: bool) -> tuple[Any, Tensor | None]:
        """Run the whole stack: predictions and their mask."""
        values = kept_values()
        if values is not None:
            return self._run_keeping(values, x, mask, training)
        for layer in self._chain:
            x, mask = layer._run(x, mask, training)
        return x, mask

    def _run_keeping(
        self, values: dict[int, Any], x: Any, mask: Tensor | None, training: bool
    ) -> tuple[Any, Tensor | None]:
        """Run the whole stack and note what each layer takes and gives, for those who ask for `layer.output`."""
        for index, layer in enumerate(self._chain):
            values[id(self._symbols[index])] = x
            x, mask = layer._run(x, mask, training)
        values[id(self._symbols[-1])] = x
        return x, mask

    def run_to_logits(self, x: Any, mask: Tensor | None, training: bool) -> tuple[Any, Tensor | None]:
        """Run up to what the last activation is applied to."""
        values = kept_values()
        for index, layer in enumerate(self._chain[:-1]):
            if values is not None:
                values[id(self._symbols[index])] = x
            x, mask = layer._run(x, mask, training)
        if values is not None:
            values[id(self._symbols[-2])] = x
        last = self._chain[-1]
        if isinstance(last, Stack):
            return last.run_to_logits(x, mask, training)
        logits = last.pre_activation(x)
        return logits, last.compute_mask(x, mask) if mask is not None or last._has_own_mask else mask

    def last_activation(self) -> Callable[[Tensor], Tensor] | None:
        """Return the activation function the model ends in; `None` where hooks or a penalty need its output."""
        last = self._chain[-1] if self._chain else None
        if self._is_hooked():
            return None
        if isinstance(last, Stack):
            return last.last_activation()
        if not isinstance(last, ActivatedLayer) or last._is_hooked():
            return None
        ours = is_ours(type(last).forward)  # else a user's subclass may do more
        return last.activation if ours and last.activity_regularizer is None else None

    def ends(self) -> list[Layer]:
        """Return whose hooks see the model's output: the model, its last layer, and models in between."""
        last = self._chain[-1:]
        return [self, *(last[0].ends() if last and isinstance(last[0], Stack) else last)]

    def call(self, inputs: Any, training: bool = False, mask: Tensor | None = None) -> Any:
        """Return the output of the last layer."""
        y, mask = self.run(inputs, mask, training)
        if mask is not None:
            self._left_masks[get_ident()] = mask
        return y

    def _run(self, x: Any, mask: Tensor | None, training: bool) -> tuple[Any, Tensor | None]:
        if not self._is_hooked():
            return self.run(x, mask, training)
        # Hooks on the model see what it takes and gives, in a step and inside another model.
        masks = {} if mask is None else {"mask": mask}
        y = nn.Module.__call__(self, x, training=training, **masks)
        return y, self._left_masks.pop(get_ident(), None)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the model's output for a tensor, an array or a symbolic tensor."""
        if not self._chain:
            raise ValueError(f"{self}: the model has no layers; add some first.")
        if not settings.inside_run():
            self._forget_losses()
        y = super().__call__(inputs, *args, **kwargs)
        if self._left_masks:
            self._left_masks.pop(get_ident(), None)
        return y

    def _to_input(self, inputs: Any) -> Any:
        """Return arrays as tensors on the model's device, indices as integers where the first layer takes them."""
        x = super()._to_input(inputs)
        if isinstance(x, Tensor) and not self._takes_integers and not x.is_floating_point():
            x = x.to(settings.torch_dtype(self.dtype))
        return self.fitted_input(x) if isinstance(x, Tensor) and self.built else x

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the last layer's output."""
        return self._shapes_for(tuple(input_shape))[-1]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the last layer's output."""
        return self.run(inputs, mask, False)[1]

    @property
    def _takes_integers(self) -> bool:  # type: ignore[override]
        """Whether the first layer takes indices."""
        return bool(self._chain) and self._chain[0]._takes_integers

    def fitted_input(self, x: Tensor) -> Tensor:
        """Return inputs in the rank the model takes, or raise when they do not fit; they build a model that is not.

        As in Keras, (N,) meets (N, 1), a missing last axis of 1 is added and a superfluous one taken off.
        """
        if not self.built:
            with BUILDING:
                if not self.built:
                    x = x if x.dim() > 1 else x.unsqueeze(-1)
                    self.build((None, *x.shape[1:]))
                    self._shape_inferred = True
        expected, got = (None, *(self._built_shape or ())[1:]), x.shape
        if x.dim() == len(expected) - 1 and (expected[-1] == 1 or (x.dim() == 1 and expected[-1] is None)):
            x = x.unsqueeze(-1)
        elif x.dim() == len(expected) + 1 and x.shape[-1] == 1:
            x = x.squeeze(-1)
        if not compatible(expected, x.shape) and not self._takes_too(expected, x):
            hint = one_sample_hint(expected, tuple(got))
            raise ValueError(
                f"{self}: x must have shape {expected}; got {(None, *(got if hint else x.shape)[1:])}.{hint}"
            )
        return x

    def _takes_too(self, expected: Shape, x: Tensor) -> bool:
        """Tell whether a model built by its first batch runs on another size too; its shape is open from then on."""
        if not self._shape_inferred or x.dim() != len(expected):
            return False
        try:
            with torch.no_grad():
                self.run(x[:1], None, False)
        except (RuntimeError, ValueError):
            return False
        finally:
            self._take_losses()
        shape = tuple(a if a == b else None for a, b in zip(expected, (None, *x.shape[1:])))
        with BUILDING:
            symbols = [SymbolicTensor(shape, self.dtype, name=f"{self._chain[0].name}_input")]
            for layer in self._chain:
                symbols.append(layer._call_symbolic(symbols[-1]))
            self._symbols[:] = symbols  # at once: another thread may be looking
            self._built_shape = self.batch_input_shape = shape
        return True

    @property
    def _row_wise(self) -> bool:  # type: ignore[override]
        """Whether in inference a row's output depends on that row alone."""
        return not self.stateful and all(layer._row_wise for layer in self._chain)

    @property
    def _makes_mask(self) -> bool:  # type: ignore[override]
        """Whether a layer makes a mask."""
        return any(layer._makes_mask for layer in self._chain)

    def _holds_hooks(self) -> bool:
        """Tell whether a module inside has a forward hook; looked up again only once torch has registered another."""
        latest = RemovableHandle.next_id
        if self._without_hooks_at == latest:
            return False
        hooked = any(m._forward_hooks or m._forward_pre_hooks for m in nn.Module.modules(self))
        self._without_hooks_at = -1 if hooked else latest
        return hooked

    def rows_at_once(self, with_masks: bool, sample: Shape | None = None) -> int:
        """Return how many rows may run together in inference, whatever the batch size; 0 where batches must stay.

        Args:
            with_masks: Whether layers that make masks are no obstacle.
            sample: The shape of a row of the data at hand, where the model leaves a size open.
        """
        if self._is_hooked() or self._holds_hooks():
            return 0
        fixed = self.batch_input_shape is not None and self.batch_input_shape[0] is not None
        masked = not with_masks and self._makes_mask
        sizes = [tuple(symbol.shape)[1:] for symbol in self._symbols]
        if self.stateful:
            able = (layer._row_wise and (layer._joins_batches or not layer.stateful) for layer in self._chain)
            apart = self._makes_mask or not all(able)
        else:
            apart = fixed or masked or not self._row_wise
        if not apart and sample is not None and any(None in size for size in sizes):
            sizes = [shape[1:] for shape in self._shapes_for((None, *sample))]
        if apart or any(None in size for size in sizes):
            return 0
        widest = max(math.prod(n or 1 for n in size) for size in sizes)
        walks = any(layer._walks_over_time for layer in self._chain)
        return max(AT_ONCE // widest, min(OVER_TIME, MOST_AT_ONCE // widest) if walks else 0)

    def _shapes_for(self, shape: Shape) -> list[Shape]:
        """Return the shapes of the input and of every layer's output for an input of this shape."""
        shapes = [shape]
        for layer in self._chain:
            shapes.append(tuple(layer.compute_output_shape(shapes[-1])))
        return shapes

    @property
    def output_shape(self) -> Shape:
        """Keras shape of the output."""
        if not self._symbols:
            raise AttributeError(
                f"{self} has no output_shape yet: give the first layer input_shape=(…), or call build."
            )
        return self._symbols[-1].shape

    @property
    def input(self) -> SymbolicTensor:
        """The symbolic input."""
        return as_seen(self._symbol(0))  # type: ignore[no-any-return]

    @property
    def output(self) -> SymbolicTensor:
        """The symbolic output."""
        return as_seen(self._symbol(-1))  # type: ignore[no-any-return]

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic input, in a list."""
        return [self.input]

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic output, in a list."""
        return [self.output]

    @property
    def input_names(self) -> list[str]:
        """The name of the input, in a list."""
        if self._input_layer is not None:
            return [self._input_layer.name]
        return [f"{layer.name}_input" for layer in self._chain[:1]]

    @property
    def output_names(self) -> list[str]:
        """The name of the last layer, in a list."""
        return [layer.name for layer in self._chain[-1:]]

    @property
    def uses_learning_phase(self) -> bool:
        """Whether a layer does something else in training."""
        return any(layer.uses_learning_phase for layer in self._chain)

    def _calls(self) -> list[tuple[SymbolicTensor, SymbolicTensor]]:
        own = [(self._symbols[0], self._symbols[-1])] if self._symbols else []
        return [*own, *self._nodes]

    def _symbol(self, index: int) -> SymbolicTensor:
        if not self._symbols:
            raise AttributeError(
                f"{self} has no symbolic tensors yet: give the first layer input_shape=(…), or call build."
            )
        return self._symbols[index]

    def reset_states(self) -> None:
        """Clear the states of stateful layers."""
        for layer in self._chain:
            if hasattr(layer, "reset_states") and layer.stateful:
                layer.reset_states()

    # --- weights -------------------------------------------------------------------------------------------------

    def _weight_table(self) -> list[Weight]:
        """Return the weight table, layer by layer."""
        return unique([w for layer in self._chain for w in layer._weight_table()])

    def _trained_table(self) -> list[Weight]:
        """Return the weights to train as `trainable` stands now."""
        if not self.trainable:
            return []
        return unique([w for layer in self._chain for w in layer._trained_table()])

    @property
    def weights(self) -> list[Variable]:
        """All weights, layer by layer."""
        if self._chain:
            self._need_built("weights")
        return [w.variable() for w in self._weight_table()]

    variables = weights

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return copies of all weights as numpy arrays, layer by layer.

        Raises:
            ValueError: The model is not built yet.
        """
        if self._chain:
            self._need_built("get_weights")
        return super().get_weights()

    def _need_built(self, what: str) -> None:
        if not self.built:
            raise ValueError(
                f"{self}: {what} needs a built model; give the first layer input_shape=(…), or call build."
            )

    def count_params(self) -> int:
        """Return the number of numbers in the weights."""
        self._need_built("count_params")
        return super().count_params()

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers, their output shapes and their numbers of weights.

        Args:
            line_length: Width of the table.
            positions: Ends of the columns, as fractions of the width or in characters.
            print_fn: Called with each line instead of `print`.
            expand_nested: Whether to show the layers of nested models.
            show_trainable: Whether to show which layers are trainable.
            layer_range: Names of the first and the last layer to show.
        """
        self._need_built("summary")
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # --- configuration -------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes an equal, untrained model of."""
        layers: list[Layer] = [*([self._input_layer] if self._input_layer is not None else []), *self._chain]
        entries = [{"class_name": type(layer).__name__, "config": layer.get_config()} for layer in layers]
        config: dict[str, Any] = {"name": self.name, "layers": entries}
        if (
            self._input_layer is None
            and self.batch_input_shape is not None
            and self._chain[0].batch_input_shape is None
        ):
            config["build_input_shape"] = self.batch_input_shape
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict[str, Any] | None = None) -> Stack:
        """Make a model from what `get_config` returned, or from a plain list of layer configurations.

        Args:
            config: The configuration; it is not changed.
            custom_objects: The user's own classes by name.
        """
        entries = config if isinstance(config, list) else config.get("layers")
        if not isinstance(entries, list):
            raise ValueError(
                f"{cls.__name__}.from_config: 'layers' must be a list of layer configurations; got {show(entries)}."
            )
        model = cls(name=None if isinstance(config, list) else config.get("name"))
        with registry.custom_object_scope(custom_objects):
            for entry in entries:
                model.add(registry.deserialize("layer", entry))
        shape = None if isinstance(config, list) else config.get("build_input_shape")
        if shape is not None and not model.built:
            model.build(tuple(shape))
        return model
