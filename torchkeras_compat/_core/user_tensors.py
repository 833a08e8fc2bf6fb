"""The tensors that user code sees: torch tensors with the manners that Keras's have.

In Keras `x *= 2` gives a name another value; in torch it overwrites memory, here that of the caller's arrays, of the
predictions that a metric reads next, or of a weight.  Losses, metrics, layers and functions that users write get
`UserTensor`s instead: augmented assignment rebinds, arrays and lists are operands, slices may run backwards, shapes
answer `as_list()`, and `numpy()` reads a value whatever autograd thinks of it.  What is computed from one is one.

`hand_out` and `take_back` are the border, and `call_user` is both around one call.  What torch hands in comes back as
torch's: code of this package, and a torch user who calls a layer on a tensor, never meets the class.
"""

from __future__ import annotations

import copy
import functools
import operator
import warnings
from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import settings
from .border import user_stacklevel
from .graph_capture import tracing
from .lent_memory import LENT, ROLES, Role, harmless, refuse_lent, role_of
from .ownership import PACKAGE, is_ours
from .strings import StringTensor
from .tensor_operators import BINARY, OPERATORS, UNARY, item
from .tensor_shape import TensorShape

plain_torch = torch._C.DisableTorchFunctionSubclass
_with_manners = torch._C._EnableTorchFunction
_size_of = Tensor.shape.__get__  # type: ignore[attr-defined]


class Deferred:
    """Base of what stands for a tensor that is computed later."""

    def in_run(self) -> Any:
        """Return the value in the run in progress."""
        raise NotImplementedError


class UserTensor(Tensor):
    """A tensor as Keras users know it; see the module's page."""

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if StringTensor in types:
            return NotImplemented  # strings know what may be done to them
        role = ROLES.get(func) or role_of(func)
        if role is Role.WRITES:
            refuse_lent(args[0], func.__name__)
        elif kwargs and LENT.tensors:
            kwargs = harmless(func, args, kwargs)
        with plain_torch():
            result = func(*args, **kwargs) if kwargs else func(*args)
        if role is not Role.COMPUTES or (args and result is args[0]):
            return result
        return dressed(result)

    # --- shape and value -----------------------------------------------------------------------------------------

    @property
    def shape(self) -> TensorShape:  # type: ignore[override]
        """The shape, with the methods that TensorFlow's has."""
        with plain_torch():
            return TensorShape(_size_of(self))

    def get_shape(self) -> TensorShape:
        """Return the shape, as scripts for TensorFlow 1 ask for it."""
        return self.shape

    @property
    def _keras_shape(self) -> tuple[int, ...]:
        return tuple(self.shape)

    def set_shape(self, shape: Any) -> None:
        """Check that `shape` describes this tensor: TensorFlow's way to tell what a graph does not know.

        Raises:
            ValueError: It does not.
        """
        own, said = tuple(self.shape), tuple(shape)
        if len(own) != len(said) or any(s not in (None, o) for o, s in zip(own, said)):
            raise ValueError(f"set_shape({said}): the tensor has shape {own}.")

    def eval(self, feed_dict: None = None, session: Any = None) -> Any:
        """Return the value, as tensors of TensorFlow 1 do.

        Args:
            feed_dict: Only `None`: symbolic tensors are computed by `K.function`.
            session: Accepted.

        Raises:
            TypeError: Values are to be fed.
        """
        if feed_dict:
            raise TypeError("eval(feed_dict=…): what is computed from values that are fed is a K.function; call that.")
        value = self.numpy()
        return value if value.ndim else value[()]

    def numpy(self, *, force: bool = False) -> Any:
        """Return a copy of the value as a numpy array, or as a number of numpy's, which dictionaries take as a key."""
        with plain_torch():
            value = self.as_subclass(Tensor).detach().cpu()
            value = value.to_dense() if value.layout != torch.strided else value.resolve_conj().resolve_neg()
            array = (value.float() if value.dtype == torch.bfloat16 else value).numpy().copy()
            return array if array.ndim else array[()]

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Differentiate as torch does; a weight among `inputs` stands for its parameters."""
        with plain_torch():
            _backward(take_back(self), take_back(gradient), retain_graph, create_graph, inputs=inputs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        value = np.asarray(self.numpy())
        if LENT.tensors and torch.is_grad_enabled() and self.requires_grad:
            _warn_of_numpy()
        return value if dtype is None else value.astype(dtype, copy=False)

    def __array_wrap__(self, array: np.ndarray[Any, Any], context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar else array  # `np.exp(x)` is an array, as TensorFlow's tensors give one

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Run a function of numpy on arrays: by itself it would call the methods of torch, whose arguments differ."""
        return function(*_arrays(args), **_arrays(kwargs))

    def __format__(self, spec: str) -> str:
        return format(self.numpy()[()], spec) if spec or not self.dim() else repr(self)

    def __float__(self) -> float:
        return float(self.numpy().item())

    def __int__(self) -> int:
        return int(self.numpy().item())

    def __getitem__(self, key: Any) -> Any:
        return item_of(self, key)

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]
        with plain_torch():
            return str(Tensor.__repr__(self.as_subclass(Tensor)))  # type: ignore[no-untyped-call]

    def __copy__(self) -> Tensor:
        with plain_torch():
            return self.as_subclass(Tensor).clone().as_subclass(UserTensor)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        with plain_torch():
            copied = self.as_subclass(Tensor).detach().clone()
            return copied.requires_grad_(self.requires_grad).as_subclass(UserTensor)

    def __reduce_ex__(self, protocol: Any) -> Any:
        with plain_torch():
            return Tensor.__reduce_ex__(self.as_subclass(Tensor).detach(), protocol)  # type: ignore[no-untyped-call]

    __hash__ = Tensor.__hash__


def _warn_of_numpy() -> None:
    """Tell, once a line, that numpy's functions end the gradient."""
    warnings.warn(
        "numpy's functions know no gradient: what a loss or layer computes with them trains nothing; write the "
        "function of keras.backend (K.exp, K.mean, …), or x.numpy() for the value alone.",
        stacklevel=user_stacklevel(),
    )


def _arrays(value: Any) -> Any:
    """Return tensors, in lists and dictionaries too, as arrays."""
    if isinstance(value, UserTensor):
        return np.asarray(value)
    if type(value) in (list, tuple):
        return type(value)([_arrays(item) for item in value])
    if type(value) is dict:
        return {key: _arrays(item) for key, item in value.items()}
    return value


class Live(UserTensor):
    """A tensor whose value is looked up each time it is used: a weight, or an expression of weights."""

    def current(self) -> Tensor:
        """Return the value as it is now, as a plain tensor."""
        raise NotImplementedError

    def _sources(self) -> tuple[Tensor, ...]:
        """Return the tensors by which autograd differentiates for it: the parameters of a weight."""
        return (self.current(),)

    def _gradient(self, *grads: Tensor) -> Tensor:
        """Return its gradient from those of `_sources`."""
        return grads[0]

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in _DIFFERENTIATE:
            return _DIFFERENTIATE[func](*args, **(kwargs or {}))
        if settings.inside_run() or role_of(func) is not Role.COMPUTES or func in _SNAPSHOTS:
            return UserTensor.__torch_function__(func, (), now(args), now(kwargs or {}))
        if func.__name__ == "__get__":  # an attribute such as `kernel.T`, by its name: that can be pickled
            getter: Any = func
            return compute_from_live(operator.attrgetter(getter.__self__.__name__), args[:1], {})
        return compute_from_live(func, args, kwargs or {})

    @property
    def shape(self) -> TensorShape:  # type: ignore[override]
        """The shape, with the methods that TensorFlow's has."""
        return TensorShape(_size_of(self.current()))

    def numpy(self, *, force: bool = False) -> Any:
        """Return a copy of the value as a numpy array, or as a number of numpy's."""
        return self.current().as_subclass(UserTensor).numpy()

    def __getitem__(self, key: Any) -> Any:
        return compute_from_live(item_of, (self, key), {})

    def __copy__(self) -> Tensor:
        return self

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]
        return repr(self.current().detach())

    __hash__ = Tensor.__hash__


def _sources_of(tensor: Tensor) -> tuple[Tensor, ...]:
    return tensor._sources() if isinstance(tensor, Live) else (tensor,)


def _grad(outputs: Any, inputs: Sequence[Tensor], **options: Any) -> tuple[Tensor | None, ...]:
    """Return what `torch.autograd.grad` does, by weights as by tensors: in a weight's own layout."""
    sources = [_sources_of(tensor) for tensor in inputs]
    grads = iter(torch.autograd.grad(now(outputs), [s for part in sources for s in part], **now(options)))
    by_input: list[Tensor | None] = []
    for tensor, behind in zip(inputs, sources):
        parts = [next(grads) for _ in behind]
        if all(part is None for part in parts):
            by_input.append(None)
        elif isinstance(tensor, Live):
            filled = [torch.zeros_like(s) if part is None else part for s, part in zip(behind, parts)]
            by_input.append(dressed(tensor._gradient(*filled)))
        else:
            by_input.append(parts[0])
    return tuple(by_input)


def _backward(tensors: Any, *args: Any, inputs: Any = None, **options: Any) -> None:
    """Do what `torch.autograd.backward` does; a weight among `inputs` stands for its parameters."""
    if inputs is not None:
        inputs = [inputs] if isinstance(inputs, Tensor) else inputs
        options["inputs"] = [s for tensor in inputs for s in _sources_of(tensor)]
    torch.autograd.backward(now(tensors), *now(args), **now(options))


# What of a weight is taken to be kept, in torch's way of writing: it does not follow the weight.
_SNAPSHOTS = {Tensor.detach, Tensor.clone, torch.clone, torch.detach, Tensor.data.__get__}  # type: ignore[attr-defined]

# What differentiates by weights: for others of torch's functions a weight is its value, which no graph has.
_DIFFERENTIATE: dict[Callable[..., Any], Callable[..., Any]] = {
    torch.autograd.grad: _grad,
    torch.autograd.backward: _backward,
}


class Expression(Live):
    """What was computed from weights outside a run, such as `K.transpose(other.kernel)` in `build`.

    In a run it is computed again from the weights as they are, as a node of Keras's graph would be; outside it keeps
    the value it had.
    """

    _made_by: tuple[Callable[..., Any], Sequence[Any], dict[str, Any]]

    def current(self) -> Tensor:
        """Return the value: computed anew in a run, else that of its making."""
        if not settings.inside_run():
            return self.as_made()
        function, args, kwargs = self._made_by
        with plain_torch():
            value: Tensor = function(*now(args), **now(kwargs))
        return value

    def as_made(self) -> Tensor:
        """Return the value that was computed when the expression was made."""
        with plain_torch():
            return self.as_subclass(Tensor)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copied = memo[id(self)] = _unbound_expression(self.as_made().detach().clone())
        function, args, kwargs = self._made_by
        copied._made_by = (function, *copy.deepcopy((list(args), kwargs), memo))
        return copied

    # In two steps, since a layer holds expressions and these know the weights of the layer.
    def __reduce_ex__(self, protocol: Any) -> Any:
        function, args, kwargs = self._made_by
        return _unbound_expression, (self.as_made().detach(),), {"_made_by": (function, list(args), kwargs)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._made_by = state["_made_by"]


def _unbound_expression(value: Tensor) -> Expression:
    with plain_torch():
        return value.as_subclass(Expression)


def _is_live(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_is_live, value))
    return isinstance(value, Live)


def now(value: Any) -> Any:
    """Return weights and expressions of weights, in lists and dictionaries too, as what they are at this moment."""
    if isinstance(value, Live):
        return value.current()
    if isinstance(value, (list, tuple)) and _is_live(value):
        return type(value)(map(now, value))
    if type(value) is dict:
        return {key: now(item) for key, item in value.items()}
    return value


def dressed(result: Any) -> Any:
    """Return what user code has just computed with Keras's manners; it must belong to nobody else."""
    if type(result) is Tensor:
        result.__class__ = UserTensor
    elif isinstance(result, (tuple, list)):
        for item in result:
            dressed(item)
    return result


def compute_from_live(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return what a function makes of weights: outside a run an expression, which later runs compute anew."""
    with plain_torch():
        result = function(*now(args), **now(kwargs))
    if settings.inside_run() or not isinstance(result, Tensor):
        return dressed(result)
    with plain_torch():
        expression = result.as_subclass(Expression)
    expression._made_by = (function, args, kwargs)
    return expression


# --- operators ---------------------------------------------------------------------------------------------------

_OURS = f"{PACKAGE}."
_AS_IS = frozenset({float, int, Tensor, UserTensor})  # types of operands that torch takes as they are


def _operator(name: str) -> Callable[..., Any]:
    convert = OPERATORS[name]
    function = convert if "floordiv" in name else getattr(Tensor, name)

    def general(self: Tensor, *others: Any) -> Any:
        if any(isinstance(other, Deferred) for other in others):
            return NotImplemented
        with plain_torch():
            return dressed(convert(self, *others))

    def binary(self: Tensor, other: Any) -> Any:
        if type(other) not in _AS_IS:
            return general(self, other)
        with plain_torch():
            result = function(self, other)
        if type(result) is Tensor:
            result.__class__ = UserTensor
        return result

    return general if name.strip("_") in UNARY else binary


def _live_operator(name: str) -> Callable[..., Any]:
    function = OPERATORS[name]

    def method(self: Tensor, *others: Any) -> Any:
        if any(isinstance(other, Deferred) for other in others):
            return NotImplemented
        return compute_from_live(function, (self, *others), {})

    return method


def _rebinding(operator: Callable[..., Any]) -> Callable[..., Any]:
    """Return the operator as an augmented assignment: it gives the name another tensor."""

    def method(self: Tensor, other: Any) -> Any:
        return NotImplemented if isinstance(other, Live) else operator(self, other)

    return method


for _kind, _made in ((UserTensor, _operator), (Live, _live_operator)):
    for _name in OPERATORS:
        setattr(_kind, _name, _made(_name))
    for _name in BINARY:
        setattr(_kind, f"__i{_name}__", _rebinding(getattr(_kind, f"__{_name}__")))


# Methods that take no other tensor: called without the detour that torch makes for a class of its own.
_METHODS = (
    "abs all any argmax argmin cumsum detach dim exp flatten float log log1p mean numel permute prod relu reshape "
    "round sigmoid sign size softmax sqrt square squeeze std sum tanh transpose unsqueeze var view"
).split()


def _method(name: str) -> Callable[..., Any]:
    function = getattr(Tensor, name)

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        with plain_torch():
            result = function(self, *args, **kwargs)
        return dressed(result)

    method.__name__ = name
    return method


for _name in _METHODS:
    setattr(UserTensor, _name, _method(_name))
    setattr(Live, _name, getattr(Tensor, _name))


def item_of(x: Tensor, key: Any) -> Any:
    """Return `x[key]` with Keras's manners."""
    with plain_torch():
        return dressed(item(x, now(key)))


# --- the border --------------------------------------------------------------------------------------------------


def give_away(tensor: Tensor) -> None:
    """Let a tensor that has just been computed, and that nobody else holds, be user code's from now on.

    An alias would be one more step backwards.
    """
    if type(tensor) is Tensor and tensor.grad_fn is not None and not tensor._is_view() and not tracing():
        tensor.__class__ = UserTensor


def without_history(tensor: Tensor) -> Tensor:
    """Return a tensor, user code's perhaps, as a plain one that autograd does not follow."""
    with plain_torch():
        return Tensor.detach(tensor)


def hand_out(value: Any, lent: list[Tensor] | None = None) -> Any:
    """Return tensors, in lists and dictionaries too, as user code sees them: the same memory, with Keras's manners.

    Args:
        value: What is handed out.
        lent: Takes the tensors that user code must not write into.
    """
    if isinstance(value, Tensor):
        of_torch = type(value) is Tensor or isinstance(value, torch.nn.Parameter)
        if of_torch and value.layout is torch.strided and not tracing():  # stand-ins have manners of their own
            notes, value = value.__dict__, value.as_subclass(UserTensor)
            if notes:  # the mask of its steps, the logits that it was made of
                value.__dict__.update(notes)
        if lent is not None:
            lent.append(value)
        return value
    if type(value) in (list, tuple):
        return type(value)([hand_out(item, lent) for item in value])
    if type(value) is dict:
        return {key: hand_out(item, lent) for key, item in value.items()}
    return value


def take_back(value: Any) -> Any:
    """Return what user code gave as plain tensors; symbolic ones as the values they have in the run."""
    if isinstance(value, UserTensor):
        if isinstance(value, Live):
            return value.current()
        with plain_torch():
            notes, value = value.__dict__, value.as_subclass(Tensor)
            if notes:
                value.__dict__.update(notes)
            return value
    if isinstance(value, Deferred):
        return take_back(value.in_run())
    if type(value) in (list, tuple):
        return type(value)([take_back(item) for item in value])
    if type(value) is dict:
        return {key: take_back(item) for key, item in value.items()}
    return value


def call_user(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function that a user wrote: hand the tensors out, take the result back."""
    lent = LENT.tensors
    before = len(lent)
    handed: list[Any] = []
    try:
        for value in args:
            if type(value) is UserTensor:
                lent.append(value)
                handed.append(value)
            else:
                handed.append(hand_out(value, lent))
        if kwargs:
            kwargs = {key: hand_out(value, lent) for key, value in kwargs.items()}
        if torch._C._is_torch_function_enabled():
            result = function(*handed, **kwargs)
        else:  # inside a function of the backend
            with _with_manners():
                result = function(*handed, **kwargs)
        if type(result) is not UserTensor or id(result) in map(id, lent):
            return take_back(result)
        result.__class__ = Tensor  # type: ignore[assignment]  # it was made in there: no need of an alias
        return result
    finally:
        del lent[before:]


def user_code_runs() -> bool:
    """Tell whether a function of a user's is being called in this thread."""
    return bool(LENT.tensors)


def is_users(function: Any) -> bool:
    """Tell whether a function or object was written by a user: of ours, and torch's, the manners are known."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, MethodType):
        function = function.__self__
    if isinstance(function, BuiltinFunctionType):
        return False
    written = function if isinstance(function, (FunctionType, type)) else type(function)
    return not str(written.__module__).startswith("torch.") and not is_ours(written)


def may_write(module: torch.nn.Module) -> bool:
    """Tell whether a torch module may write into its input: those of torch do only when told to."""
    return any(
        getattr(part, "inplace", False) or not type(part).__module__.startswith("torch.") for part in module.modules()
    )


def call_module(module: torch.nn.Module, *args: Any) -> Any:
    """Call a torch module in the mode of what runs, on memory that it may write into."""
    training = bool(settings.running_phase())
    if module.training != training:
        module.train(training)
    return module(*[arg.clone() for arg in args] if may_write(module) else args)


def _writes_by_name(function: Any) -> bool:
    """Tell whether a function of torch overwrites its argument: `torch.relu_`, `partial(F.elu, inplace=True)`."""
    if isinstance(function, functools.partial):
        return bool(function.keywords.get("inplace")) or _writes_by_name(function.func)
    return getattr(function, "__name__", "")[-1:] == "_"


def _call_on_copies(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*[arg.clone() if isinstance(arg, Tensor) else arg for arg in args], **kwargs)


def calling(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function as this package calls it: itself, or the user's between `hand_out` and `take_back`."""
    if type(function) is FunctionType and (function.__module__ or "").startswith(_OURS):
        return function
    if isinstance(function, torch.nn.Module) and not hasattr(function, "_is_layer"):
        return functools.partial(call_module, function)
    if is_users(function):
        return functools.partial(call_user, function)
    return functools.partial(_call_on_copies, function) if _writes_by_name(function) else function
