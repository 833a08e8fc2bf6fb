"""`Model`: a graph of layers, or a user's `call`, that is a `torch.nn.Module` and trains itself."""

from __future__ import annotations

import inspect
import json
import keyword
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from .._core import dialects, registry, settings
from .._core.errors import argument_error, show
from .._core.ownership import is_ours, origin
from .._core.rollback import unchanged_on_error
from .._core.strings import STRING, StringTensor, is_string_type
from .._core.symbolic import SymbolicTensor, symbols_in
from .._core.threads import BUILDING, names_inside
from .._core.tree import Tree, flatten, map_shapes, map_tree, shapes_of
from .._core.user_tensors import take_back
from .._core.weights import Weight
from ..layers.base import Layer
from ..layers.base.attributes import Shadowable
from ..layers.base.stored_config import own_arguments, own_init_arguments
from ..layers.input_layer import Input
from ..metrics import Metric
from ..saving import ModelFiles
from ..saving.json_values import json_value
from ..saving.keras2_form import for_keras_2
from ..training.data.signature import ModelInput
from ..training.trainer import Trainer
from . import functional
from .network import Network, declared_integers
from .network_symbols import ordered
from .operation import layer_of
from .plan import Plan


@registry.register("layer", "Functional")
class Model(Trainer, ModelFiles, Network):  # Trainer first: torch modules have a `compile` too
    """A model: between symbolic inputs and outputs, or by the `call` of a subclass.

    `Model(inputs, outputs)` takes the layers that lead from the inputs to the outputs.  A subclass makes layers in
    `__init__` and calls them in `call(self, inputs, training=None, mask=None)`; the first batch builds it, or `build`.

    Args:
        inputs: A symbolic tensor, or a list or dictionary of them.
        outputs: Likewise, what layers made of the inputs.
        name: The model's name.
        kwargs: The arguments of every layer.

    Shape:
        What the layers between inputs and outputs make of it; trees in, trees out.

    Raises:
        TypeError: Something that is not symbolic.
        ValueError: An output that needs another input, or two layers of one name.

    Example:
        >>> import torchkeras_compat as keras
        >>> from torchkeras_compat.layers import Concatenate, Dense, Input
        >>> a, b = Input((3,)), Input((4,))
        >>> model = keras.models.Model([a, b], Dense(2)(Concatenate()([a, b])))
        >>> model.output_shape, model.count_params()
        ((None, 2), 16)
    """

    _trains = True  # so that it follows the dialect of whoever reads its configuration

    def __new__(cls, *args: Any, **kwargs: Any) -> Model:
        """Prepare the model before any `__init__`, so that a subclass may assign layers first."""
        self = super().__new__(cls, *args, **kwargs)
        self._start()
        self._start_network()
        return self  # type: ignore[return-value]

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if inputs is self:  # `super().__init__(self)`, which Keras ignores
            inputs = None
        if (inputs is None) != (outputs is None):
            missing = "inputs" if inputs is None else "outputs"
            raise argument_error(type(self).__name__, missing, "symbolic tensors", None)
        if inputs is not None:
            self._connect_graph(inputs, outputs)

    def _metric_table(self) -> list[Weight]:
        held = [value for value in vars(self).values() if isinstance(value, Metric)]
        states = [state for metric in held for state in metric.variables]
        lines = [self._metric_lines.get(id(state)) or self._line_of(state) for state in states]
        self._metric_lines = {id(line.parameters[0]): line for line in lines}
        return lines

    def _line_of(self, state: Tensor) -> Weight:
        holder = nn.Module()
        holder.register_buffer("value", state)
        return Weight(str(getattr(state, "name", "value")), holder, ("value",), trainable=False, owner=self)

    _metric_lines: Mapping[int, Weight] = MappingProxyType({})

    # --- a graph between inputs and outputs ----------------------------------------------------------------------

    def _connect_graph(self, inputs: Tree, outputs: Tree) -> None:
        """Take the layers between symbolic tensors."""
        for argument, tree in (("inputs", inputs), ("outputs", outputs)):
            for tensor in flatten(tree):
                if not isinstance(tensor, SymbolicTensor):
                    raise argument_error(
                        type(self).__name__, argument, "symbolic tensors, from Input(…) and layers", tensor, TypeError
                    )
        if len(set(map(id, flatten(inputs)))) < len(flatten(inputs)):
            raise argument_error(type(self).__name__, "inputs", "each symbolic tensor once", inputs)
        for tensor in flatten(inputs):
            if tensor.source is None:  # a placeholder of the backend
                Input(tensor=tensor)
        self._input_tree, self._output_tree = _unpacked(inputs), _unpacked(outputs)
        self._plan = Plan(ordered(self._input_tree), ordered(self._output_tree))
        self._graph_layers = functional.layers_by_depth(self._plan)
        self._refuse_equal_names()
        for layer in self._graph_layers:
            self._modules[_module_name(layer, self._modules)] = layer
        path = self._plan.path()
        if path:
            self._chain = path
            self._symbols = [self._plan.inputs[0], *(call.node.outputs for call in self._plan.calls)]
        self.built = True
        self._built_shape = map_tree(lambda tensor: tuple(tensor.shape), self._input_tree)
        first = self._plan.inputs[0]
        self.batch_input_shape = tuple(first.shape) if len(self._plan.inputs) == 1 else None

    def _refuse_equal_names(self) -> None:
        names = [layer.name for layer in self._graph_layers]
        twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
        if twice is not None:
            raise ValueError(f"{self}: two layers are named {twice!r}; give each a name of its own.")

    _graph_layers: Sequence[Layer] = ()

    def _end_at(self, outputs: Tree) -> None:
        """Let the graph end at other symbolic tensors; layers that lead to none of them leave the model."""
        if self._plan is None:
            super()._end_at(outputs)
        self._plan = Plan(ordered(self._input_tree), ordered(_unpacked(outputs)))  # or raise before anything changes
        graph_layers = {id(layer) for layer in self._graph_layers}
        for name in [name for name, layer in self._modules.items() if id(layer) in graph_layers]:
            del self._modules[name]
        self._chain, self._symbols = [], []
        self._connect_graph(self._input_tree, outputs)
        self._changed()

    def _take_last_off(self) -> None:
        """Let the graph end before its last layer, where it is a row there."""
        last, plan = self._graph_layers[-1], self._the_plan()
        nodes = [node for node in plan.nodes if layer_of(node) is last]
        before = nodes[0].parents() if len(nodes) == 1 else []
        if len(before) != 1 or any(tensor.node is not nodes[0] for tensor in plan.outputs):
            raise ValueError(
                f"{self}.layers: {last} is not the one end of a row of layers, so that it cannot be taken off; write "
                f"Model(model.inputs, model.get_layer(name).output) for the model that ends at a layer."
            )
        self._end_at(before[0])

    def _sublayers(self) -> Iterator[Layer]:
        """Yield the layers: those of a graph by their depth, as Keras lists them, before others that it holds."""
        if self._plan is None:
            yield from super()._sublayers()
            return
        yield from self._graph_layers
        if not is_ours(type(self)):
            inside = {id(layer) for layer in self._graph_layers}
            yield from (layer for layer in super()._sublayers() if id(layer) not in inside)

    @property
    def _takes_integers(self) -> bool:  # type: ignore[override]
        """Whether the only input is indices."""
        if self._chain:
            return self._chain[0]._takes_integers or self._says_integers()
        return self._plan is not None and len(self._plan.inputs) == 1 and self._input_takes_integers(0)

    def _says_integers(self) -> bool:
        """Tell whether the only input was declared with a type that is none of floats."""
        inputs = [] if self._plan is None else self._plan.inputs
        return len(inputs) == 1 and not settings.is_float(inputs[0].dtype)

    def _input_takes_integers(self, index: int) -> bool:
        """Tell whether an input is indices: a layer that takes some is called on it, or its type says so."""
        tensor = self._the_plan().inputs[index]
        users = self._layers_on_input(index)
        return not settings.is_float(tensor.dtype) or any(layer._takes_integers for layer in users)

    @property
    def _takes_strings(self) -> bool:  # type: ignore[override]
        """Whether strings may be among the inputs."""
        if self._plan is None:
            return super()._takes_strings
        return any(self._input_takes_strings(i) for i in range(len(self._plan.inputs)))

    def _input_takes_strings(self, index: int) -> bool:
        """Tell whether a layer that makes numbers of strings is called on an input, or its type says so."""
        tensor = self._the_plan().inputs[index]
        return is_string_type(tensor.dtype) or any(layer._takes_strings for layer in self._layers_on_input(index))

    def _layers_on_input(self, index: int) -> list[Layer]:
        """Return the layers that are called on an input itself."""
        plan = self._the_plan()
        return [c.layer for c in plan.calls if c.is_layer and any(p is plan.inputs[index] for p in c.node.parents())]

    @property
    def _index_checks(self) -> tuple[Callable[[Tensor], None], ...]:  # type: ignore[override]
        """What raises where an index of the only input has no row."""
        if self._chain or self._plan is None or len(self._plan.inputs) > 1:
            return super()._index_checks
        return self._checks_of_input(0)

    def _checks_of_input(self, index: int) -> tuple[Callable[[Tensor], None], ...]:
        """Return what raises where an index in an input has no row in a table that it is looked up in."""
        return tuple(check for layer in self._layers_on_input(index) for check in layer._index_checks)

    def _model_inputs(self) -> tuple[ModelInput, ...] | None:
        """Return what the data side is told of the inputs; `None` where a user's call takes them as they are."""
        if self._plan is None:
            return None
        shapes = [tuple(tensor.shape) for tensor in self._plan.inputs]
        if self._told_inputs is None or [one.shape for one in self._told_inputs] != shapes:
            checks = [self._checks_of_input(i) for i in range(len(shapes))]
            strings = [self._input_takes_strings(i) for i in range(len(shapes))]
            integers = [strings[i] or self._input_takes_integers(i) for i in range(len(shapes))]
            kinds = [self._kind_of_input(tensor.dtype) for tensor in self._plan.inputs]
            self._told_inputs = tuple(map(ModelInput, self._keys_of_inputs(), shapes, integers, checks, strings, kinds))
        return self._told_inputs

    _told_inputs: tuple[ModelInput, ...] | None = None

    def _kind_of_input(self, declared: str) -> torch.dtype | None:
        """Return the type in which data for an input goes to the device, where that is not the model's own."""
        own_floats = settings.is_float(declared) and self._keeps_types()
        return settings.torch_dtype(declared) if own_floats else declared_integers(declared)

    def _keys_of_inputs(self) -> list[str]:
        """Return the keys by which dictionaries name the inputs."""
        if not isinstance(self._input_tree, dict):
            return list(self.input_names)
        return [str(key) for key in sorted(self._input_tree)]

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add to the training loss; layers that a symbolic loss goes through belong to the model from then on."""
        self._take_in(losses)
        super().add_loss(losses, inputs)

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = "mean", **kwargs: Any) -> None:
        """Tell a value among the metrics; see `Layer.add_metric`."""
        self._take_in(value)
        super().add_metric(value, name, aggregation, **kwargs)

    def _take_in(self, tree: Tree) -> None:
        """Make layers of the model's own of those that symbolic tensors go through beside its graph."""
        symbols = symbols_in(tree)
        if self._plan is None or not symbols:
            return
        nodes = self._plan.nodes_to(symbols)
        known = {id(layer) for layer in self._graph_layers}
        layers = {id(node.layer): node.layer for node in nodes if node.is_layer and id(node.layer) not in known}
        for layer in layers.values():
            self._graph_layers = [*self._graph_layers, layer]
            self._modules[_module_name(layer, self._modules)] = layer

    # --- a user's call -------------------------------------------------------------------------------------------

    def build(self, input_shape: Any = None) -> None:
        """Make the weights of a subclass by running its `call` on zeros of this shape.

        Args:
            input_shape: Keras shape, batch size first, or a list or dictionary of them.

        Raises:
            ValueError: No shape.
        """
        if self.built:
            return
        if input_shape is None:
            raise ValueError(f"{self}: the shape of the input is not known; write build((None, …)), or fit first.")
        shapes = map_shapes(tuple, input_shape)
        # As in Keras, `build` by itself runs `call` outside the scope of the model's name.
        self._names_weights = names_inside.current() == self._weight_scope and not self._has_own_build()
        symbols = map_shapes(lambda shape: SymbolicTensor(shape, self.dtype), shapes)
        with BUILDING, torch.inference_mode(False), unchanged_on_error(self):
            self._find_outputs(symbols, (), {})

    def _has_own_build(self) -> bool:
        """Tell whether a user wrote a `build` for this model."""
        return not is_ours(type(self).build)

    def _build_on(self, inputs: Tree, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> None:
        strings = any(isinstance(leaf, StringTensor) for leaf in flatten(inputs))  # which shapes alone would not tell
        if self._is_users and (strings or args or call_arguments or self._has_own_build()):
            self._build_by(inputs, take_back(args), take_back(dict(call_arguments)))
        else:
            super()._build_on(inputs, args, call_arguments)

    def _build_on_symbols(self, inputs: Tree, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> None:
        if self._is_users and (args or call_arguments):
            self._build_by(inputs, args, call_arguments)
        else:
            super()._build_on_symbols(inputs, args, call_arguments)

    def _symbolic_outputs(self, inputs: Tree, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> Tree:
        if self._is_users and type(self).compute_output_shape is Network.compute_output_shape:
            return self._output_by_running(inputs, args, call_arguments)
        return super()._symbolic_outputs(inputs, args, call_arguments)

    def _build_by(
        self, inputs: Tree, args: Sequence[Any] = (), call_arguments: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Make the weights of a subclass: by the `build` that a user wrote, then by running its `call`.

        Args:
            inputs: Inputs like those of the call, symbolic or not.
            args: Its further arguments.
            call_arguments: Likewise, by name.
        """
        with BUILDING, torch.inference_mode(False), unchanged_on_error(self):
            symbols = map_tree(_like, inputs)
            if self._has_own_build() and not self.built:
                with settings.running(None), self._naming_inner_layers(), self._device():
                    self.build(shapes_of(symbols))
            if self._output_tree is None or self._outputs_are_old:
                self._find_outputs(symbols, args, call_arguments, inputs)

    def _find_outputs(
        self, symbols: Tree, args: Sequence[Any], call_arguments: Mapping[str, Any], batch: Tree = None
    ) -> None:
        """Run a user's `call`, which makes the layers inside their weights, and note what it takes and gives.

        Args:
            symbols: The symbolic inputs.
            args: The further arguments of the call.
            call_arguments: Likewise, by name.
            batch: The inputs of the call, whose number of samples the further arguments share.
        """
        self.built = True
        self._built_shape = shapes_of(symbols)
        self._adopt(self._device())
        if args or call_arguments:
            outputs = self._output_by_running(map_tree(_exactly_like, batch), args, call_arguments)
            outputs = map_tree(_of_any_number, outputs)
        else:
            outputs = self._output_by_running(symbols)
        self._input_tree, self._output_tree = symbols, _named(outputs)
        self._outputs_are_old = False
        self.batch_input_shape = tuple(symbols.shape) if isinstance(symbols, SymbolicTensor) else None

    _outputs_are_old = False  # whether a user's class holds other layers than when its outputs were found

    def _parts_changed(self) -> None:
        self._outputs_are_old = self._plan is None and self._output_tree is not None

    def _note_outputs(self, outputs: Tree) -> None:
        """Take what a step of the user's has computed for the outputs."""
        self._output_tree = _named(map_tree(_like, outputs))

    def _can_be_called(self) -> bool:
        """Tell whether there are layers or a user's `call` to run."""
        return self._plan is not None or bool(self._chain) or self._is_users

    def _waits_for_batch(self, has_own_steps: bool) -> bool:
        """Tell whether the first batch is to build the model; one that its own steps call in another way is not."""
        if self.built and not self._waits_for_call() and not self._outputs_are_old:
            return False
        parameters = list(inspect.signature(type(self).forward).parameters.values())[2:]
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        needed = [p for p in named if p.default is p.empty and p.name not in ("training", "mask")]
        return not has_own_steps or (self._can_be_called() and not needed)

    def _check_callable(self) -> None:
        if not self._can_be_called():
            raise NotImplementedError(
                f"{self}: a subclass of Model needs a call(self, inputs); or make the model of tensors, "
                f"Model(inputs, outputs)."
            )

    # --- configuration -------------------------------------------------------------------------------------------

    @property
    def _class_name(self) -> str | None:
        """What configurations and summaries call a graph of layers, where that is not the name of its class."""
        graph = origin(type(self)) is Model and self._plan is not None
        return "Functional" if graph and self._rules.functional_models else None

    @Shadowable
    def model(self) -> Model:
        """The model itself, as Keras 1 scripts ask for it."""
        return self

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes an equal, untrained model of: of a subclass, the arguments of its `__init__`.

        Raises:
            NotImplementedError: A subclass that does not keep an argument of its `__init__` as an attribute.
        """
        if self._plan is None:
            written = {n for cls in type(self).__mro__ if not is_ours(cls) for n in own_init_arguments(cls)}
            of_graphs = {*own_arguments(Model)} - written  # the tensors that a graph is made of
            return {name: self._config_of(name) for name in own_arguments(type(self)) if name not in of_graphs}
        with registry.noting_shared_layers():
            return functional.config_of(self)

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """Make a model from what `get_config` returned.

        Args:
            config: The configuration; it is not changed.
            custom_objects: The user's own classes by name.
        """
        with registry.custom_object_scope(custom_objects):
            if isinstance(config, Mapping) and "input_layers" in config:
                return functional.from_config(cls, config)
            if origin(cls) is Model:
                raise ValueError(f"Model.from_config: 'layers' and 'input_layers' make a model; got {show(config)}.")
            return cls(**config)

    def to_json(self, **kwargs: Any) -> str:
        """Return the architecture as JSON.

        Args:
            kwargs: Passed to `json.dumps`.
        """
        config = for_keras_2({"class_name": registry.class_name(self), "config": self.get_config()})
        told = {**config, "backend": "torch", "keras_version": "2.3.1", "dialect": dialects.of(self).name}
        return json.dumps(told, default=json_value, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """Refuse: loading YAML could run code.

        Raises:
            RuntimeError: Always; names `to_json`.
        """
        raise RuntimeError("to_yaml: loading YAML can run code, so it is gone; write model.to_json() instead.")

    # --- copies --------------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made again when needed; the graph is written down call by call, however deep it is."""
        state = {
            **super().__getstate__(),
            "_steps": {},
            "_forward_step": None,
            "history": None,
            "_left_masks": {},
            "_metric_lines": {},
        }
        if self._plan is not None:
            state.update(_plan=functional.Written(self), _symbols=[], _input_tree=None, _output_tree=None)
            state.update(_standing_losses=(), _standing_metrics=())  # which are written down with the graph
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if isinstance(self._plan, functional.Written):
            written, self._plan = self._plan, None
            inputs, outputs, added = written.replay()
            self._modules.clear()
            self._connect_graph(inputs, outputs)
            self._take_in(added)
            self._standing_losses, self._standing_metrics = added


def _like(tensor: Any) -> SymbolicTensor:
    """Return a symbolic tensor for inputs like this one, whatever their number."""
    if isinstance(tensor, SymbolicTensor):
        return tensor
    alike = _exactly_like(tensor)
    return SymbolicTensor((None, *tuple(alike.shape)[1:]), alike.dtype)


def _exactly_like(tensor: Any) -> SymbolicTensor:
    """Return a symbolic tensor for inputs of just this shape."""
    if isinstance(tensor, SymbolicTensor):
        return tensor
    kind = STRING if isinstance(tensor, StringTensor) else settings.dtype_name(tensor.dtype)
    return SymbolicTensor(tuple(tensor.shape), kind)


def _of_any_number(value: Any) -> Any:
    """Return a symbolic tensor of one number of samples for any number of them; anything else as it is."""
    if not isinstance(value, SymbolicTensor) or not value.shape:
        return value
    return SymbolicTensor((None, *tuple(value.shape)[1:]), value.dtype)


def _named(outputs: Tree) -> Tree:
    """Return the outputs of a user's call under the names that Keras gives them: their keys, or numbers from 1."""
    if isinstance(outputs, dict):
        names = {id(tensor): str(key) for key, tensor in outputs.items()}
    else:
        names = {id(tensor): f"output_{i + 1}" for i, tensor in enumerate(flatten(outputs))}
    for tensor in symbols_in(outputs):
        tensor.name, tensor.node = names.get(id(tensor), tensor.name), None
    return list(outputs) if isinstance(outputs, tuple) else outputs


def _unpacked(tree: Tree) -> Tree:
    """Return the only tensor of a list of one, as Keras does; other trees as they are now, tuples as lists."""
    if isinstance(tree, (list, tuple)):
        return tree[0] if len(tree) == 1 and isinstance(tree[0], SymbolicTensor) else list(tree)
    return map_tree(lambda tensor: tensor, tree)


# What torch's own modules, and those that hold an exported graph, have under these names.
_OF_TORCH = {*dir(nn.Module), "code", "graph", "lint", "meta", "print_readable", "recompile", "training"}


def _module_name(layer: nn.Module, known: Mapping[str, Any]) -> str:
    """Return the name of a layer among torch's modules, which takes no dots and hides nothing of theirs."""
    name = str(getattr(layer, "name", "layer")).replace(".", "_")
    if name in _OF_TORCH or keyword.iskeyword(name) or hasattr(Model, name):
        name = f"{name}_layer"
    return next(n for n in (name, *(f"{name}_{i}" for i in range(1, len(known) + 2))) if n not in known)
