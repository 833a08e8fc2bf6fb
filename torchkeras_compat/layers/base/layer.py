"""`Layer`: a `torch.nn.Module` that builds itself from the first shape it sees and speaks Keras about its weights."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.compiler import is_dynamo_compiling, is_exporting
from torch.nn.modules.module import _has_any_global_hook

from ... import regularizers
from ..._core import devices, registry, settings
from ..._core.errors import argument_error, positive_int
from ..._core.host_arrays import readable
from ..._core.ownership import is_ours, origin
from ..._core.precision import computing_in
from ..._core.ragged import RaggedTensor
from ..._core.shapes import Shape, shape_tuple
from ..._core.strings import StringTensor, holds_strings
from ..._core.symbolic import Node, SymbolicTensor, is_symbolic
from ..._core.tree import Tree, flatten, is_branch, map_shapes, map_tree, shapes_of
from ..._core.user_tensors import UserTensor, calling, hand_out, take_back
from ...mixed_precision.policy import policy_of
from .attributes import Attributes
from .building import Building
from .call_inputs import came_from_torch, holds_symbols, holds_tensors
from .gradient_facts import GradientFacts
from .input_spec import check_input
from .masks import are_same_tensors, carried_mask, carry_mask, forget_mask, mask_of_outputs
from .own_state import OwnState
from .precision import Precision
from .runs_on_zeros import RunsOnZeros
from .side_losses import PENDING, SideLosses, compute_symbolic, kept_for
from .stored_config import StoredConfig
from .symbols import Symbols
from .traits import Traits
from .updates import Updates
from .user_methods import SHAPE_METHODS, as_user_call, finishing, join_names, told_shapes, with_manners
from .weights import Weighted

_MISSING: Any = object()


@registry.base("layer")
class Layer(
    Attributes,
    OwnState,
    Precision,
    RunsOnZeros,
    SideLosses,
    Updates,
    Symbols,
    Weighted,
    Building,
    StoredConfig,
    nn.Module,
):
    """Base of all layers; subclass it as in Keras, with `build`, `call` and `compute_output_shape`.

    `call` computes (`forward`, torch's name for it, is the same function); `build(input_shape)` makes torch modules or
    calls `add_weight`.  `call` may take `training` and `mask`; who does not name them does not get them.

    Args:
        trainable: Whether training changes its weights.
        name: The layer's name; numbered automatically when `None`.
        dtype: The type of its weights and of computing, or a policy (`mixed_precision`); the global one when `None`.
        dynamic: Accepted; every layer runs eagerly.
        batch_input_shape: Shape of a batch, batch size first.
        input_shape: The same without the batch size.
        batch_size: The batch size, where `input_shape` is given and the size is fixed.
        input_dim: The last entry of `input_shape`.
        input_length: The entry before it, for sequences.
        input_dtype: Accepted; inputs are cast to what the layer computes in.
        weights: Initial weights in Keras order, set once the layer is built.
        activity_regularizer: Adds to the loss what it makes of the output.
        autocast: Whether inputs of floats are cast to the type that the layer computes in.

    Raises:
        TypeError: An unknown argument, named with what was probably meant.

    Example:
        >>> import torchkeras_compat as keras
        >>> class Scale(keras.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(name='factor', shape=(input_shape[-1],), initializer='ones')
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> layer = Scale(input_shape=(3,))
        >>> tuple(layer(np.zeros((2, 3))).shape), layer.count_params()
        ((2, 3), 3)
    """

    _is_layer: ClassVar[bool] = True
    supports_masking: bool = False
    stateful: bool = False
    _class_traits: ClassVar[Traits] = Traits()
    _sequence_input: ClassVar[bool] = False
    _takes_trees: ClassVar[bool] = False  # whether `call` takes lists and dictionaries of tensors
    _takes_integers: bool = False
    _index_checks: tuple[Callable[[Tensor], None], ...] = ()  # raise where an index of the input has no row
    _declares_strings: bool = False  # whether its inputs are known to be strings before the first of them comes
    _is_users: ClassVar[bool] = False  # whether a user wrote its `call`
    _call_arguments: ClassVar[tuple[str, ...]] = ()  # the names of the arguments of `call` behind the inputs
    _positional_arguments: ClassVar[tuple[str, ...] | None] = None  # of `__call__`, where they differ from those
    _wants_mask: ClassVar[bool] = False
    _wants_training: ClassVar[bool] = False
    _wants_any_keyword: ClassVar[bool] = False
    _has_own_mask: ClassVar[bool] = False
    _masks_in_call: ClassVar[bool] = False  # whether what `call` gives carries its masks, which layers inside made
    _has_run: bool = False  # whether a user's layer was called: the first call may make weights

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        written = cls.__dict__
        if "call" in written:
            cls.forward = written["call"]
        elif "forward" in written:
            cls.call = written["forward"]  # type: ignore[method-assign]
        if "build" in written:
            cls.build = finishing(written["build"])
        if not is_ours(cls):
            cls._prepare_user_class()
        join_names(cls)
        signature = inspect.signature(cls.forward).parameters
        kinds = {parameter.kind for parameter in signature.values()}
        named = [n for n, p in signature.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
        cls._call_arguments = tuple(named[1:])  # without `self`
        cls._wants_any_keyword = cls._is_users and inspect.Parameter.VAR_KEYWORD in kinds
        cls._wants_mask = "mask" in signature
        cls._wants_training = "training" in signature or cls._wants_any_keyword
        cls._has_own_mask = cls.compute_mask is not Layer.compute_mask

    @classmethod
    def _prepare_user_class(cls) -> None:
        """Let the methods that a user wrote be called as users know it; nothing is promised of what they do."""
        written = cls.__dict__
        if "forward" in written:
            cls._is_users = cls._takes_trees = True
        if origin(cls) is cls and "_class_traits" not in written:
            cls._class_traits = Traits(runs_user_code=cls._is_users)
        for name, wrapped in (("forward", as_user_call), ("compute_mask", with_manners)):
            if name in written:
                setattr(cls, name, wrapped(written[name]))
        for name in [name for name in SHAPE_METHODS if name in written]:
            setattr(cls, name, told_shapes(written[name]))

    def __new__(cls, *args: Any, **kwargs: Any) -> Layer:
        """Prepare the torch module.

        Before any `__init__`, so that a subclass may assign sublayers before it calls `super().__init__()`.
        """
        self = super().__new__(cls)
        nn.Module.__init__(self)
        self.training = False  # `layer(x)` is inference until `.train()` or `training=True` says otherwise
        self.__dict__.update(
            _table=[],
            _variables={},
            _losses_of={},
            _symbolic_of={},
            _metrics_of={},
            _nodes=[],
            _outbound=[],
            _trainable=True,
            built=False,
            _built_shape=None,
        )
        return self

    def __init__(
        self,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        dynamic: bool = False,
        batch_input_shape: Sequence[int | None] | None = None,
        input_shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        input_dtype: Any = None,
        weights: Sequence[Any] | None = None,
        activity_regularizer: Any = None,
        autocast: bool = True,
    ) -> None:
        self.name: str = name if name is not None else self._automatic_name()
        if not isinstance(self.name, str):
            raise argument_error(type(self).__name__, "name", "a string", name, TypeError)
        self._trainable = bool(trainable)
        self._set_policy(policy_of(dtype), bool(autocast))
        self.dynamic = dynamic
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.batch_input_shape = self._declared(batch_input_shape, input_shape, batch_size, input_dim, input_length)
        self._initial_weights = weights

    @property
    def _name(self) -> str:
        """The name, as scripts of tf.keras set it: `layer._name = 'encoder_' + layer.name`."""
        return self.name

    @_name.setter
    def _name(self, name: str) -> None:
        self.name = name

    def _check_made(self) -> None:
        if "name" not in self.__dict__:
            kind = type(self).__name__
            raise RuntimeError(f"{kind}.__init__ must call super().__init__(); without it there is no name, no dtype.")

    def _automatic_name(self) -> str:
        prefix = settings.snake_case(type(self).__name__, self._rules.digits_begin_words)
        number = settings.get_uid(prefix)
        if self._rules.zero_based_names:
            return prefix if number == 1 else f"{prefix}_{number - 1}"
        return f"{prefix}_{number}"

    def _declared(
        self,
        batch_input_shape: Sequence[int | None] | None,
        input_shape: Sequence[int | None] | None,
        batch_size: int | None,
        input_dim: int | None,
        input_length: int | None,
    ) -> Shape | None:
        owner = type(self).__name__
        if batch_input_shape is not None:
            return shape_tuple(owner, "batch_input_shape", batch_input_shape, batch=True)
        batch = None if batch_size is None else positive_int(owner, "batch_size", batch_size)
        if input_shape is not None:
            return (batch, *shape_tuple(owner, "input_shape", input_shape))
        if input_dim is None and input_length is None:
            return None
        features = None if input_dim is None else positive_int(owner, "input_dim", input_dim)
        length = None if input_length is None else positive_int(owner, "input_length", input_length)
        if self._sequence_input or length is not None:
            return (batch, length, features)
        return (batch, features)

    # --- traits --------------------------------------------------------------------------------------------------

    @property
    def _traits(self) -> Traits:
        """What is promised of the layer as it is set up, the layers inside it included."""
        return self._own_traits().with_parts(layer._traits for layer in self._sublayers())

    def _own_traits(self) -> Traits:
        """Return the traits of the layer without those inside it."""
        own = replace(self._class_traits, takes_integers=self._takes_integers, stateful=bool(self.stateful))
        functions = [self.__dict__.get(name) for name in ("activation", "recurrent_activation")]
        functions += [module for name in ("activation", "recurrent_activation") if (module := self._modules.get(name))]
        if all(f is None or registry.name_of("activation", f) or isinstance(f, Layer) for f in functions):
            return own
        return replace(own, row_wise=False, runs_user_code=True)  # a function of a user's may mix the samples

    # --- weights that the first call makes ---------------------------------------------------------------------------

    def _enter_late_weights(self) -> None:
        known = len(self._weight_table())
        self._adopt()
        if len(self._weight_table()) > known and torch.is_grad_enabled() and settings.inside_run():
            warnings.warn(
                f"{self}: call made weights in the midst of training, and they train from the next compile on; make "
                f"them in build(input_shape).",
                stacklevel=2,
            )

    def _make_late_weights(
        self, inputs: Tree, args: Sequence[Any] = (), call_arguments: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Let a user's `call` run once where it has not: what weights it makes are there before training begins."""
        if not self._waits_for_call():
            return
        with contextlib.suppress(Exception):  # where zeros are no input for it; a fault shows in its first real call
            self._output_by_running(inputs, args, call_arguments)

    def _waits_for_call(self) -> bool:
        """Tell whether a user's `call`, here or in a layer inside such as a cell, has not run yet."""
        if is_ours(type(self)):
            return any(layer._waits_for_call() for layer in self._sublayers())
        return not self._has_run and type(self).forward is not Layer.forward

    # --- calling -------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any = _MISSING, *args: Any, **kwargs: Any) -> Any:
        """Run the layer on tensors, arrays or symbolic tensors; the first call builds it.

        Args:
            inputs: What `call` takes, in Keras's axis order: a tensor, or a list or dictionary of them.
            args: Further arguments of `call`.
            kwargs: Further arguments of `call`; `training` says which mode, `mask` which steps count.
        """
        self._check_callable()
        if inputs is _MISSING:
            inputs = kwargs.pop(self._first_argument(kwargs))
        if type(inputs) is RaggedTensor:
            return self._call_on_rows(inputs)
        if is_dynamo_compiling() and not is_exporting():
            from .compiled_call import call_in_compiler  # which imports the compiler, and only it calls this

            return call_in_compiler(self, inputs, args, kwargs)
        if args:
            names = self._call_arguments[1:] if self._positional_arguments is None else self._positional_arguments
            kwargs.update(zip(names, args))
            args = args[len(names) :]
        inputs, kwargs = self._normalised_call(inputs, kwargs)
        if is_symbolic(kwargs) or holds_symbols(inputs):
            return self._call_symbolic(inputs, args, kwargs)
        mask, training = kwargs.pop("mask", None), self._mode(kwargs.pop("training", None))
        if mask is None:
            mask = carried_mask(inputs)
        x = self._to_input(inputs)
        if not self.built and all(isinstance(leaf, Tensor) for leaf in flatten(x)):
            self._build_on(x, args, kwargs)
        added: list[Any] = []
        if not settings.inside_run():
            self._expect_sizes(x)
            self._forget_losses(runs_next=True)
            added = self._symbolic_losses()
        with settings.running(training), kept_for(added):
            y, mask = self._run(x, mask, training, *take_back(args), **take_back(kwargs))
            compute_symbolic(added)
        if not came_from_torch(inputs):
            y = hand_out(y)
        if mask is not None:
            carry_mask(y, mask)
        return y

    def _call_on_rows(self, rows: RaggedTensor) -> Any:
        """Return what rows of different lengths give, where a layer takes them."""
        raise TypeError(f"{self}: rows of different lengths are no input of it; write rows.to_tensor().")

    def _check_callable(self) -> None:
        """Raise where there is nothing to call yet."""

    def _first_argument(self, keywords: Mapping[str, Any]) -> str:
        """Return the name by which the inputs were given."""
        name = self._call_arguments[0] if self._call_arguments else "inputs"
        if name not in keywords:
            raise TypeError(f"{self}: the first argument of a call, {name}, is missing.")
        return name

    def _normalised_call(self, inputs: Any, call_arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return inputs and further arguments as `call` takes them, whichever way they were given.

        Raises:
            ValueError: Several inputs for a layer that takes one.
        """
        if self._takes_trees or not is_branch(inputs) or not holds_tensors(inputs):
            return inputs, call_arguments
        leaves = flatten(inputs)
        self._expect_one_input([tuple(leaf.shape) for leaf in leaves])
        return leaves[0], call_arguments

    def _expect_one_input(self, shapes: Sequence[Shape]) -> None:
        if len(shapes) > 1 and not self._takes_trees:
            raise ValueError(
                f"{self}: it takes one input; got {len(shapes)} of the shapes {', '.join(map(str, shapes[:3]))}. Join "
                f"them first, by layers.Concatenate() or another merging layer."
            )

    def _invoke(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` and torch's hooks; a user's attribute of that name does not get in the way."""
        if self._casts:
            with computing_in(self._kind):
                return self._invoke_as_read(*args, **kwargs)
        return self._invoke_as_read(*args, **kwargs)

    def _invoke_as_read(self, *args: Any, **kwargs: Any) -> Any:
        if "forward" in self.__dict__:
            return type(self).forward(self, *args, **kwargs)
        return nn.Module.__call__(self, *args, **kwargs)

    def _mode(self, training: Any = None) -> bool:
        """Return whether to run in training mode: as told, else as what runs around the call, else inference."""
        if training is None:
            training = settings.phase_for_calls()
        return bool(self.training or self._trains_unasked() if training is None else training)

    def _trains_unasked(self) -> bool:
        """Tell whether a call that nobody gives a mode is training, as where pictures are changed by chance."""
        return False

    def _to_input(self, inputs: Any) -> Any:
        """Return arrays and numbers as tensors on the layer's device, floats in its type; trees leaf by leaf."""
        if isinstance(inputs, Tensor) or not is_branch(inputs) or not holds_tensors(inputs):
            return self._to_tensor(inputs)
        return map_tree(self._to_tensor, inputs)

    def _to_tensor(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            if value is None:
                return None
            array = np.array(value)  # a copy: what comes out shares no memory with the caller
            value = StringTensor.of(array) if holds_strings(array) else torch.as_tensor(readable(array))
            stays = isinstance(value, StringTensor) or self._takes_integers or self._keeps_integers or self._is_users
            if not stays and not value.is_floating_point():
                value = value.to(settings.torch_dtype(self.dtype))
        elif isinstance(value, UserTensor):
            value = take_back(value)
        device, kind = devices.home_of(self)
        if self._casts:
            kind = self._kind if self._autocast else value.dtype
        if device is not None and value.device != device:
            value = value.to(device)
        if not value.is_floating_point():
            return self._as_numbers(value)
        kind = kind or settings.torch_dtype(self.dtype)
        return value if value.dtype == kind else value.to(kind)

    def _inputs_in_config(self, inputs: Tree, keywords: Mapping[str, Any]) -> tuple[Tree, Mapping[str, Any]]:
        """Return the symbolic inputs of a call and its further arguments as configurations of models have them."""
        return inputs, keywords

    def _call_symbolic(self, inputs: Tree, args: Sequence[Any], call_arguments: dict[str, Any]) -> Any:
        """Make a node of the graph: the call on symbolic tensors, to be run later."""
        self._build_on_symbols(inputs, args, call_arguments)
        self._expect_sizes(inputs)
        if self._input_spec is not None:
            check_input(self, self._input_spec, inputs)
        self._make_late_weights(inputs, args, call_arguments)
        self._expect_types(inputs)
        outputs = self._symbolic_outputs(inputs, args, call_arguments)
        node = Node(self, (inputs, *args), call_arguments, outputs)
        node.beside, node.differentiates = self._symbols_in_code(), self._asks_for_gradients()
        self._note_call(node)
        return outputs

    def _symbolic_outputs(self, inputs: Tree, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> Tree:
        """Return symbolic tensors for the output of a call."""
        if type(self).compute_output_shape is Layer.compute_output_shape:
            if type(self).forward is Layer.forward:
                return map_tree(
                    lambda tensor: SymbolicTensor(tensor.shape, self._output_dtype(tensor.dtype), name=self.name),
                    inputs,
                )
            return self._output_by_running(inputs, args, call_arguments)
        shapes, dtype = self.compute_output_shape(shapes_of(inputs)), self._output_dtype(flatten(inputs)[0].dtype)
        return map_shapes(lambda shape: SymbolicTensor(shape, dtype, name=f"{self.name}/output"), shapes)

    def _run(self, inputs: Tree, mask: Tree, training: bool, *args: Any, **call_arguments: Any) -> tuple[Any, Any]:
        """Run the layer, the one way to do so: return its output and the mask of that.

        Args:
            inputs: A tensor, or a tree of them, on the layer's device.
            mask: Which steps of them count; `None` where all do.
            training: The mode.
            args: Further arguments of `call` without a name.
            call_arguments: Further arguments of `call`.
        """
        if self._casts:
            inputs = self._cast_inputs(inputs)
        if self._torch_parts:
            self._tell_torch_parts(training)
        if self._input_spec is not None:
            check_input(self, self._input_spec, inputs)
        if self._wants_training:
            call_arguments["training"] = training
        if self._wants_mask or (mask is not None and self._wants_any_keyword):
            call_arguments["mask"] = mask
        if self._is_users:
            y, mask = self._run_user_call(inputs, mask, args, call_arguments)
        else:
            run = Layer._invoke if self._casts or "forward" in self.__dict__ else nn.Module.__call__
            y = run(self, inputs, *args, **call_arguments)
            if self._masks_in_call:
                mask = carried_mask(y)
                forget_mask(y)
            elif mask is not None or self._has_own_mask:
                mask = self.compute_mask(inputs, mask)
        if self.activity_regularizer is not None:
            self._add_activity_penalty(y)
        return y, mask

    def _run_user_call(
        self, inputs: Tree, mask: Tree, args: Sequence[Any], call_arguments: Mapping[str, Any]
    ) -> tuple[Any, Any]:
        """Run what a user wrote: the tensors that it gets carry their masks to the layers that it calls."""
        if mask is not None:
            carry_mask(inputs, mask)
        y = self._invoke(inputs, *args, **call_arguments)
        carried = mask_of_outputs(y)
        if mask is not None:
            forget_mask(inputs)
        if carried is not None:
            forget_mask(y)
            asks_layer = self._rules.unsupported_mask_is_error or self._has_own_mask
            if not asks_layer or not are_same_tensors(y, inputs):  # layers inside have made these masks
                return y, carried
        if mask is not None or self._has_own_mask:
            mask = self.compute_mask(inputs, mask)
        return y, mask

    def _is_hooked(self) -> bool:
        own = self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks
        return bool(own) or _has_any_global_hook()  # type: ignore[no-untyped-call]

    def _tell_torch_parts(self, training: bool) -> None:
        for module in self._torch_parts:
            if module.training != training:
                module.training = training

    def _add_activity_penalty(self, outputs: Tree) -> None:
        for y in flatten(outputs):
            penalty = calling(self.activity_regularizer)(y)
            self._losses.append(penalty / y.shape[0] if self._rules.mean_activity_penalty else penalty)
            self._side_losses[0] += 1
            PENDING.losses = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; the base returns the input."""
        return inputs

    forward = call

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask for the next layer.

        Raises:
            TypeError: The layer knows no masks and its dialect does not drop them.
        """
        if mask is None or self.supports_masking:
            return mask
        if self._rules.unsupported_mask_is_error:
            raise TypeError(
                f"{self}: this layer does not support masks; put it before the masking layer, or give it "
                f"supports_masking = True."
            )
        return None

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output for a Keras shape, `None` kept; found by running where not overridden."""
        shape = map_shapes(tuple, input_shape)
        if type(self).forward is Layer.forward:
            return shape
        return map_tree(lambda tensor: tuple(tensor.shape), self._output_by_running(shape))

    get_output_shape_for = compute_output_shape

    def _gradient_facts(self) -> GradientFacts | None:
        """Return what a gradient written out by hand needs of this layer, `None` where none is written out.

        It counts for the class that defines it: a subclass may compute something else.
        """
        return None

    @property
    def _takes_strings(self) -> bool:  # type: ignore[override]
        """Whether the layer makes numbers of strings, or one in it that a user calls may do so."""
        return self._is_users and any(layer._takes_strings for layer in self._sublayers())

    def _sublayers(self) -> Iterator[Layer]:
        """Yield the layers directly inside this one."""
        yield from {id(m): m for m in self._modules.values() if isinstance(m, Layer)}.values()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what the last run left, and the calls on symbolic tensors, which lead to all layers of a graph."""
        nothing: dict[str, Any] = {name: {} for name in ("_losses_of", "_symbolic_of", "_metrics_of")}
        return {**self.__dict__, "_nodes": [], "_outbound": [], **nothing}

    # --- configuration -------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return what torch's `repr` shows between the brackets."""
        shapes = (f"{w.name}={w.shape}" for w in self._table)
        return ", ".join([f"name={self.name!r}", *shapes])

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.name!r}"

    def __format__(self, spec: str) -> str:
        # Messages name a layer in few words, also where `str` of it is a tree.
        return format(f"{type(self).__name__} {self.name!r}", spec)
