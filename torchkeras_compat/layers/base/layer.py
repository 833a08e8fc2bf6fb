"""`Layer`: a `torch.nn.Module` that builds itself from the first shape it sees and speaks Keras about its weights."""

from __future__ import annotations

import contextlib
import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from ... import activations, regularizers
from ..._core import registry, settings
from ..._core.config import Configurable, arguments, cached_by_class, is_ours, origin, plain
from ..._core.errors import argument_error, positive_int
from ..._core.shapes import Shape, shape_tuple
from ..._core.symbolic import SymbolicTensor
from ..._core.tensor_shape import TensorShape
from ..._core.threads import BUILDING
from ..._core.user_tensors import UserTensor, call_user, calling, hand_out, take_back
from .attributes import Attributes
from .input_spec import check_input
from .parts import SideLosses, Symbols
from .tracking import adopt, adopt_activations
from .weights import Weighted

BASE_ARGUMENTS = (
    "name trainable dtype dynamic batch_input_shape input_shape batch_size input_dim input_length input_dtype weights"
).split()


@registry.base("layer")
class Layer(Attributes, SideLosses, Symbols, Weighted, Configurable, nn.Module):
    """Base of all layers; subclass it as in Keras, with `build`, `call` and `compute_output_shape`.

    `call` computes (`forward`, torch's name for it, is the same function); `build(input_shape)` makes torch modules or
    calls `add_weight`.  `call` may take `training` and `mask`; who does not name them does not get them.

    Args:
        trainable: Whether training changes its weights.
        name: The layer's name; numbered automatically when `None`.
        dtype: The type of its weights; `floatx()` when `None`.
        dynamic: Accepted; every layer runs eagerly.
        batch_input_shape: Shape of a batch, batch size first.
        input_shape: The same without the batch size.
        batch_size: The batch size, where `input_shape` is given and the size is fixed.
        input_dim: The last entry of `input_shape`.
        input_length: The entry before it, for sequences.
        input_dtype: Accepted; inputs are cast to what the layer computes in.
        weights: Initial weights in Keras order, set once the layer is built.
        activity_regularizer: Adds to the loss what it makes of the output.

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
    _sequence_input: ClassVar[bool] = False
    _input_rank: ClassVar[int | tuple[int, ...] | None] = None
    _takes_integers: bool = False
    _makes_mask: bool = False  # whether a mask begins here
    _row_wise: ClassVar[bool] = False  # in inference a row's output depends on that row alone
    _walks_over_time: ClassVar[bool] = False  # and multiplies by its weights at each step
    _joins_batches: bool = False  # stateful, and able to take several batches at once as one after the other
    _runs_user_code: bool = False  # whether a user's code has a part in what it gives
    _wants_mask: ClassVar[bool] = False
    _wants_training: ClassVar[bool] = False
    _has_own_mask: ClassVar[bool] = False
    _built_shape: Shape | None
    _torch_parts: tuple[nn.Module, ...] = ()  # of a user's layer; ours tell theirs
    _has_run: bool = False  # whether a user's layer was called: the first call may make weights

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        written = cls.__dict__
        if "call" in written:
            cls.forward = written["call"]
        elif "forward" in written:
            cls.call = written["forward"]  # type: ignore[method-assign]
        if "build" in written:
            cls.build = _finishing(written["build"])  # type: ignore[method-assign]
        if not is_ours(cls):
            if "forward" in cls.__dict__:
                cls._runs_user_code = True
            for name, wrapped in (("forward", _called), ("compute_mask", _of_user)):
                if name in cls.__dict__:
                    setattr(cls, name, wrapped(cls.__dict__[name]))
            for name in [name for name in ("compute_output_shape", "get_output_shape_for") if name in written]:
                setattr(cls, name, _told_shapes(written[name]))
        decided = "_row_wise" in cls.__dict__ or isinstance(cls._row_wise, property) or origin(cls) is not cls
        if not decided:
            cls._row_wise = cls.__module__.startswith("torchkeras_compat.layers.")
        parameters = inspect.signature(cls.forward).parameters
        cls._wants_mask = "mask" in parameters
        cls._wants_training = "training" in parameters
        cls._has_own_mask = cls.compute_mask is not Layer.compute_mask

    def __new__(cls, *args: Any, **kwargs: Any) -> Layer:
        """Prepare the torch module.

        Before any `__init__`, so that a subclass may assign sublayers before it calls `super().__init__()`.
        """
        self = super().__new__(cls)
        nn.Module.__init__(self)
        self.training = False  # `layer(x)` is inference until `.train()` or `training=True` says otherwise
        self.__dict__.update(
            _table=[], _variables={}, _losses_of={}, _nodes=[], _trainable=True, built=False, _built_shape=None
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
    ) -> None:
        self.name: str = name if name is not None else self._automatic_name()
        if not isinstance(self.name, str):
            raise argument_error(type(self).__name__, "name", "a string", name, TypeError)
        self._trainable = bool(trainable)
        self.dtype: str = settings.dtype_name(settings.torch_dtype(dtype))
        self.dynamic = dynamic
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.batch_input_shape = self._declared(batch_input_shape, input_shape, batch_size, input_dim, input_length)
        self._initial_weights = weights

    def _automatic_name(self) -> str:
        prefix = settings.snake_case(type(self).__name__)
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

    # --- building ------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make what depends on the shape of the input; layers without weights have nothing to do.

        Args:
            input_shape: Keras shape, batch size first.
        """
        self.built = True

    def _build_from(self, input_shape: Sequence[int | None], device: torch.device | None = None) -> None:
        """Check `input_shape`, build the layer once and set its initial weights."""
        if self.built:
            return
        shape = tuple(input_shape)
        self._check_rank(shape)
        if self._input_spec is not None:
            check_input(self, self._input_spec, shape)
        with BUILDING, torch.inference_mode(False), torch.device(device or settings.default_device()):
            if not self.built:
                with settings.running(None):
                    self.build(shape)
                self._finish_build(shape, device)

    def _finish_build(self, shape: Shape, device: torch.device | None = None) -> None:
        self.built = True
        self._built_shape = self._built_shape or shape
        self._adopt(device)
        if not self._trainable:
            self._set_trainable(False)
        if self._initial_weights is not None:
            weights, self._initial_weights = self._initial_weights, None
            self.set_weights(weights)

    def _adopt(self, device: torch.device | None = None) -> None:
        """Enter what the layer holds beside `add_weight` into the weight table."""
        device = device or next((p.device for p in nn.Module.parameters(self)), settings.default_device())
        if is_ours(type(self)):
            adopt_activations(self, device)
        else:
            self._torch_parts = adopt(self, device)

    def _enter_late_weights(self) -> None:
        known = len(self._weight_table())
        self._adopt()
        if len(self._weight_table()) > known and torch.is_grad_enabled() and settings.inside_run():
            warnings.warn(
                f"{self}: call made weights in the midst of training, and they train from the next compile on; make "
                f"them in build(input_shape).",
                stacklevel=2,
            )

    def _make_late_weights(self, shape: Shape) -> None:
        """Let a user's `call` run once where it has not: what weights it makes are there before training begins."""
        if is_ours(type(self)) or self._has_run or type(self).forward is Layer.forward:
            return
        with contextlib.suppress(Exception):  # where zeros are no input for it; a fault shows in its first real call
            self._shape_by_running(shape)

    def _check_rank(self, shape: Shape) -> None:
        """Raise when the number of axes is not one the layer takes."""
        ranks = (self._input_rank,) if isinstance(self._input_rank, int) else self._input_rank
        if ranks is not None and len(shape) not in ranks:
            wanted = " or ".join(f"{r} axes" for r in ranks)
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
        return size

    # --- calling -------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the layer on a tensor, an array or a symbolic tensor; the first call builds it.

        Args:
            inputs: What `call` takes, in Keras's axis order.
            args: Further arguments of `call`.
            kwargs: Further arguments of `call`; `training` says which mode.
        """
        if isinstance(inputs, SymbolicTensor):
            return self._call_symbolic(inputs)
        x = self._to_input(inputs)
        if self._input_spec is not None:
            check_input(self, self._input_spec, x)
        if not self.built and isinstance(x, Tensor):
            self._build_from((None, *x.shape[1:]), x.device)
        training = self._mode(kwargs.pop("training", None))
        if self._wants_training:
            kwargs["training"] = training
        if self._torch_parts:
            self._tell_torch_parts(training)
        kept_torch = isinstance(inputs, Tensor) and not isinstance(inputs, UserTensor)
        with settings.running(training):
            if kept_torch:
                return self._invoke(x, *args, **kwargs)
            return hand_out(self._invoke(x, *take_back(args), **take_back(kwargs)))

    def _invoke(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` and torch's hooks; a user's attribute of that name does not get in the way."""
        if "forward" in self.__dict__:
            return type(self).forward(self, *args, **kwargs)
        return nn.Module.__call__(self, *args, **kwargs)

    def _mode(self, training: Any = None) -> bool:
        """Return whether to run in training mode: as told, else as what runs around the call, else inference."""
        if training is None:
            training = settings.running_phase()
        return bool(self.training if training is None else training)

    def _to_input(self, inputs: Any) -> Any:
        """Return arrays and numbers as tensors on the layer's device, floats in its type."""
        if not isinstance(inputs, Tensor):
            if isinstance(inputs, (list, tuple)) and any(isinstance(i, Tensor) for i in inputs):
                return [self._to_input(i) for i in inputs]
            inputs = torch.as_tensor(np.array(inputs))  # a copy: what comes out shares no memory with the caller
            if not self._takes_integers and not inputs.is_floating_point():
                inputs = inputs.to(settings.torch_dtype(self.dtype))
        elif isinstance(inputs, UserTensor):
            inputs = take_back(inputs)
        own = next(nn.Module.parameters(self), None)
        device = inputs.device if own is None else own.device
        wanted = settings.torch_dtype(self.dtype) if own is None or not own.is_floating_point() else own.dtype
        return inputs.to(device, wanted) if inputs.is_floating_point() else inputs.to(device)

    def _call_symbolic(self, inputs: SymbolicTensor) -> SymbolicTensor:
        self._build_from(inputs.shape)
        if self._input_spec is not None:
            check_input(self, self._input_spec, inputs)
        output = SymbolicTensor(
            tuple(self.compute_output_shape(inputs.shape)), self.dtype, self, (inputs,), {}, f"{self.name}/output"
        )
        self._nodes.append((inputs, output))
        return output

    def _run(self, x: Any, mask: Tensor | None, training: bool) -> tuple[Any, Tensor | None]:
        """Run the layer inside a model: the output, and the mask for the next layer."""
        if self._torch_parts:
            self._tell_torch_parts(training)
        if self._input_spec is not None:
            check_input(self, self._input_spec, x)
        run = nn.Module.__call__ if "forward" not in self.__dict__ else Layer._invoke
        if self._wants_mask:
            y = run(self, x, mask=mask, **({"training": training} if self._wants_training else {}))
        elif self._wants_training:
            y = run(self, x, training=training)
        else:
            y = run(self, x)
        if self.activity_regularizer is not None:
            self._add_activity_penalty(y)
        if mask is not None or self._has_own_mask:
            mask = self.compute_mask(x, mask)
        return y, mask

    def _is_hooked(self) -> bool:
        own = self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks
        return bool(own) or _has_any_global_hook()  # type: ignore[no-untyped-call]

    def _tell_torch_parts(self, training: bool) -> None:
        for module in self._torch_parts:
            if module.training != training:
                module.training = training

    def _add_activity_penalty(self, y: Tensor) -> None:
        penalty = calling(self.activity_regularizer)(y)
        self._losses.append(penalty / len(y) if self._rules.mean_activity_penalty else penalty)
        self._side_losses[0] += 1

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
        shape = tuple(input_shape)
        old = getattr(self, "get_output_shape_for", None)
        if old is not None:
            return tuple(old(shape))
        if type(self).forward is Layer.forward:
            return shape
        return self._shape_by_running(shape)

    def _shape_by_running(self, shape: Shape) -> Shape:
        """Return the shape of the output, found by running on zeros; all steps are valid where a mask is needed."""
        found = []
        device = next((p.device for p in nn.Module.parameters(self)), settings.default_device())
        before = (
            []
            if is_ours(type(self))
            else [(t, t.detach().clone()) for t in (*nn.Module.parameters(self), *nn.Module.buffers(self))]
        )
        kind = torch.int64 if self._takes_integers else settings.torch_dtype(self.dtype)
        for unknown in (2, 3):
            sizes = [unknown if n is None else n for n in shape]
            zeros = torch.zeros(sizes, dtype=kind, device=device)
            with torch.no_grad():
                found.append(tuple(self._run_on_zeros(zeros).shape))
                for tensor, value in before:  # a user's call may update what it holds
                    tensor.copy_(value)
        return tuple(a if a == b else None for a, b in zip(*found))

    def _run_on_zeros(self, zeros: Tensor) -> Any:
        if not self._wants_mask:
            return self(zeros, training=False)
        try:
            return self(zeros, training=False)
        except Exception as without_mask:
            valid = torch.ones(zeros.shape[: min(zeros.dim(), 2)], dtype=torch.bool, device=zeros.device)
            try:
                return self(zeros, training=False, mask=valid)
            except Exception:
                raise without_mask from None

    def _sublayers(self) -> Iterator[Layer]:
        """Yield the layers directly inside this one."""
        yield from (m for m in self._modules.values() if isinstance(m, Layer))

    # --- configuration -------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer, JSON-able."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if self.batch_input_shape is not None:
            config["batch_input_shape"] = self.batch_input_shape
        config["dtype"] = self.dtype
        own = own_arguments(type(self))
        if type(self).get_config is not Layer.get_config and not is_ours(type(self)):
            own = tuple(name for name in own if hasattr(self, name))  # the user's override adds its own
        for name in own:
            config[name] = self._config_of(name)
        return config

    def _config_of(self, name: str) -> Any:
        if not hasattr(self, name):
            raise NotImplementedError(
                f"{type(self).__name__}: __init__ takes {name!r} but the layer has no attribute of that name; "
                f"store self.{name}, or override get_config()."
            )
        return plain(getattr(self, name))

    def extra_repr(self) -> str:
        """Return what torch's `repr` shows between the brackets."""
        shapes = (f"{w.name}={w.shape}" for w in self._table)
        return ", ".join([f"name={self.name!r}", *shapes])

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.name!r}"

    def __format__(self, spec: str) -> str:
        # Messages name a layer in few words, also where `str` of it is a tree.
        return format(f"{type(self).__name__} {self.name!r}", spec)


def _of_user(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method that a user wrote get tensors with Keras's manners, and take back what it gives."""

    @functools.wraps(method)
    def call(self: Layer, *args: Any, **kwargs: Any) -> Any:
        return call_user(method.__get__(self), *args, **kwargs)

    return call


def _called(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a user's `call` get and give tensors as `_of_user` does.

    The weights that its first call made are entered, and those it gave another value for the call have their own again.
    """

    @functools.wraps(method)
    def call(self: Layer, *args: Any, **kwargs: Any) -> Any:
        try:
            result = call_user(method.__get__(self), *args, **kwargs)
        finally:
            if self._swapped:
                self._swap_weights_back()
        if not self._has_run and self.built:
            self._has_run = True
            self._enter_late_weights()
        return result

    return call


def _told_shapes(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method that a user wrote get shapes that answer `as_list()`."""

    @functools.wraps(method)
    def call(self: Layer, input_shape: Any) -> Any:
        return method(self, as_told(input_shape))

    return call


def as_told(shape: Any) -> Any:
    """Return a shape, or a list of shapes, as user code gets it."""
    if isinstance(shape, (list, tuple)) and any(isinstance(part, (list, tuple)) for part in shape):
        return [as_told(part) for part in shape]
    return TensorShape(shape) if isinstance(shape, (list, tuple)) else shape


def _finishing(build: Callable[..., None]) -> Callable[..., None]:
    """Let `build` be called from outside too, as in Keras: the layer is built then."""

    @functools.wraps(build)
    def finishing(self: Layer, input_shape: Any = None) -> None:
        build(self, input_shape if is_ours(build) else as_told(input_shape))
        if input_shape is not None and getattr(type(self), "build", None) is finishing:
            self._finish_build(tuple(input_shape))

    return finishing


@cached_by_class
def own_arguments(cls: type) -> tuple[str, ...]:
    """Return the constructor's arguments beside those that every layer has."""
    declared: set[str] = set()
    for base in cls.__mro__:
        if base is Layer:
            break
        declared.update(inspect.signature(base.__dict__["__init__"]).parameters if "__init__" in base.__dict__ else ())
    return tuple(n for n in arguments(cls) if n in declared and n not in BASE_ARGUMENTS)


# Activation functions that may overwrite what a layer has just computed: no derivative, its own or theirs, needs it.
IN_PLACE: dict[Any, Callable[[Tensor], Tensor]] = {
    activations.relu: torch.relu_,
    activations.sigmoid: torch.sigmoid_,
    activations.tanh: torch.tanh_,
}


class ActivatedLayer(Layer):
    """A layer that ends in an activation function, so that a final softmax or sigmoid can be fused with the loss.

    Subclasses compute `pre_activation(inputs)` and hold the function in `activation`.
    """

    activation: Callable[[Tensor], Tensor]

    def _finish_build(self, shape: Shape, device: torch.device | None = None) -> None:
        if isinstance(self.activation, Layer):  # `activation=PReLU()`, which has weights
            self.activation._build_from(self.compute_output_shape(shape), device)
        super()._finish_build(shape, device)

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Return what the activation function is applied to."""
        raise NotImplementedError(f"{type(self).__name__} must define pre_activation(inputs).")

    def call(self, inputs: Tensor) -> Tensor:
        """Return `activation(pre_activation(inputs))`."""
        return calling(self.activation)(self.pre_activation(inputs))  # type: ignore[no-any-return]
