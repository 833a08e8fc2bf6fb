"""The weight table: each Keras weight of a layer, the torch parameters behind it and the way between both layouts."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import custom_ops, randomness, settings
from .errors import show
from .graph_capture import CAPTURE
from .host_arrays import readable
from .precision import as_computed
from .threads import names_inside
from .transposing import copy_into
from .user_tensors import Expression, Live, UserTensor, call_user, is_users, plain_torch, take_back

# A copy that a compiler does not see into. Inductor joins the loop that computes a value with the one that writes it
# into the weight, and where a number depends on several others of the weight it would read what was written already.
_apart = custom_ops.define("apart(Tensor value) -> Tensor", torch.clone, torch.clone)

Read = Callable[..., Tensor]
Write = Callable[[Tensor], Sequence[Tensor]]


@dataclass(frozen=True)
class Codec:
    """The two ways between a Keras weight and the torch parameters behind it.

    Attributes:
        read: torch tensors → the Keras tensor; differentiable.
        write: the Keras tensor → torch tensors.
        is_view: Whether `read` returns a view, so that writing into it changes the parameter.
    """

    read: Read
    write: Write
    is_view: bool = True


def permuted(*order: int) -> Codec:
    """Return the codec whose Keras tensor is the torch tensor with its axes in `order`."""
    back = tuple(int(i) for i in np.argsort(order))
    return Codec(functools.partial(torch.permute, dims=order), functools.partial(_permuted_back, order=back))


# Codecs hold functions that have a name in a module: a layer, whose table holds codecs, can be pickled then.
def _permuted_back(k: Tensor, order: tuple[int, ...]) -> tuple[Tensor]:
    return (k.permute(order),)


def _same(t: Tensor) -> Tensor:
    return t


def _alone(k: Tensor) -> tuple[Tensor]:
    return (k,)


@functools.lru_cache(maxsize=1024)
def _shape_read(codec: Codec, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that a codec reads from parameters of these shapes."""
    number = torch.zeros((), device="cpu")  # for meta tensors torch would import its compiler
    return tuple(codec.read(*(number.expand(shape) for shape in shapes)).shape)


# Weights of up to so many elements are taken for ones that a call may change, before it was seen to change them: those
# that training leaves alone, and the counters among those that it may change.
_CHEAP_TO_COPY, _OFTEN_COUNTED = 2**18, 1
UNNAMED = "Variable"  # what TensorFlow calls a variable that nobody named
IDENTITY = Codec(_same, _alone)
TRANSPOSED = permuted(1, 0)


class Variable(Live):
    """A weight as Keras users know it: in Keras's layout, with a name, `numpy()` and `assign()`.

    Whatever uses it reads the torch parameters behind it as they are then, and autograd flows to them; what writes into
    it writes into them where the layouts allow a view.
    """

    _weight: Weight

    def current(self) -> Tensor:
        """Return the weight as a plain tensor, in the type that it is computed with at the moment."""
        weight = self._weight
        value = as_computed(weight.read()) if weight.reads_cast else weight.read()
        if settings.inside_run() and torch.is_grad_enabled() and weight.may_move(value.numel()):
            return value.clone()  # autograd keeps what was read, whatever the call writes into the weight afterwards
        return value

    def _sources(self) -> tuple[Tensor, ...]:
        return self._weight.parameters

    def _gradient(self, *grads: Tensor) -> Tensor:
        return self._weight.codec.read(*grads)

    @property
    def name(self) -> str:
        """The Keras name, such as `'dense_1/kernel:0'`."""
        return self._weight.path

    @property
    def dtype(self) -> torch.dtype:  # type: ignore[override]
        """The type that it is kept in, also where it is computed with in a shorter one."""
        return self._weight.parameters[0].dtype

    @property
    def trainable(self) -> bool:
        """Whether training may change it."""
        return self._weight.trainable

    @property
    def initializer(self) -> Initialization:
        """What draws its first value anew: `layer.kernel.initializer.run(session=session)`."""
        return Initialization([self])

    @property
    def constraint(self) -> Callable[[Tensor], Tensor] | None:
        """What is applied to it after each update."""
        return self._weight.constraint

    @property
    def grad(self) -> Tensor | None:  # type: ignore[override]
        """What `backward()` left on the parameters, in Keras's layout."""
        grads = [p.grad for p in self._weight.parameters]
        if any(g is None for g in grads):
            return None
        return self._weight.codec.read(*grads)

    def requires_grad_(self, requires_grad: bool = True) -> Variable:
        """Let autograd find gradients for it, or not."""
        for parameter in self._weight.parameters:
            parameter.requires_grad_(requires_grad)
        return self

    def numpy(self, *, force: bool = False) -> Any:
        """Return the value as a numpy array in Keras's layout (a copy), or as a number of numpy's."""
        array = self._weight.numpy()
        return array if array.ndim else array[()]

    def __getitem__(self, key: Any) -> Any:
        return _part(super().__getitem__(key))

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Write values into some places of the weight.

        Args:
            indices: The places, `(n, axes)`.
            updates: A value for each, or a slice.
            name: Accepted.
        """
        places = torch.as_tensor(take_back(indices)).long().unbind(-1)
        return self[places].assign(updates)  # type: ignore[no-any-return]

    def assign(self, value: Any, *args: Any, **kwargs: Any) -> Variable:
        """Write `value` into the weight."""
        self._weight.assign(value)
        return self

    def assign_add(self, delta: Any, *args: Any, **kwargs: Any) -> Variable:
        """Add `delta` to the weight."""
        return self._moved_by(delta, 1)

    def assign_sub(self, delta: Any, *args: Any, **kwargs: Any) -> Variable:
        """Subtract `delta` from the weight."""
        return self._moved_by(delta, -1)

    def _moved_by(self, delta: Any, sign: int) -> Variable:
        with torch.no_grad():
            value = self._weight.read()
            return self.assign(value + sign * torch.as_tensor(take_back(delta), dtype=value.dtype, device=value.device))

    def get_value(self, borrow: bool = False) -> np.ndarray[Any, Any]:
        """Return the value as a numpy array, as a shared variable of Theano does.

        Args:
            borrow: Accepted; the array is a copy.
        """
        return self._weight.numpy()

    def set_value(self, value: Any, borrow: bool = False) -> None:
        """Write `value` into the weight, as into a shared variable of Theano.

        Args:
            value: An array or a tensor.
            borrow: Accepted; the value is copied.
        """
        self.assign(value)

    def value(self) -> Tensor:
        """Return the weight as a tensor that is no variable."""
        return self.current().as_subclass(UserTensor)

    read_value = value

    # Copied and pickled in two steps, since a layer holds variables and these know the layer.
    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        copied = memo[id(self)] = _unbound_variable()
        copied._weight = copy.deepcopy(self._weight, memo)
        return copied

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _unbound_variable, (), {"_weight": self._weight}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._weight = state["_weight"]

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"<Variable {self.name!r} shape={tuple(self.shape)} dtype={settings.dtype_name(self.dtype)}>"


class Initialization:
    """Gives variables values as they had first: what `variable.initializer` is in TensorFlow 1.

    Args:
        variables: The variables.
    """

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = variables

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Draw the values; a variable that was made of a value, and has it still, stays as it is.

        Args:
            feed_dict: Accepted for TensorFlow's sake.
            session: Likewise.

        Raises:
            ValueError: A variable that was made of a value, which is not kept, has another one by now.
        """
        weights = [variable._weight for variable in self.variables]
        for weight in weights:
            if weight.initializer is None and any(parameter._version for parameter in weight.parameters):
                raise ValueError(
                    f"{weight.path}: it was made of a value that is not kept, and has another now; K.set_value sets it."
                )
        for weight in weights:
            if weight.initializer is not None:
                with torch.no_grad():
                    weight.assign(weight.initializer(weight.shape))


class VariablePart(Expression):
    """A slice of a variable, which can be written into."""

    def __getitem__(self, key: Any) -> Any:
        return _part(super().__getitem__(key))

    def assign(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Write `value` into this part of the variable."""
        whole, key = self._made_by[1]
        with torch.no_grad():
            changed = whole.current().clone()
            changed[key] = torch.as_tensor(take_back(value), dtype=changed.dtype, device=changed.device)
            return whole.assign(changed)

    def assign_add(self, delta: Any, *args: Any, **kwargs: Any) -> Any:
        """Add `delta` to this part of the variable."""
        return self.assign(self.current() + torch.as_tensor(take_back(delta)))

    def assign_sub(self, delta: Any, *args: Any, **kwargs: Any) -> Any:
        """Subtract `delta` from this part of the variable."""
        return self.assign(self.current() - torch.as_tensor(take_back(delta)))


def _part(value: Any) -> Any:
    """Return an expression that slices a variable as a part of it; what a run computed is a tensor."""
    if type(value) is not Expression:
        return value
    part = value.as_made().as_subclass(VariablePart)
    part._made_by = value._made_by
    return part


def _unbound_variable() -> Variable:
    return torch.empty(0, device="meta").as_subclass(Variable)


class Holder(nn.Module):
    """Holds the parameter of a variable that belongs to no layer.

    Args:
        value: The parameter.
    """

    def __init__(self, value: nn.Parameter) -> None:
        super().__init__()
        self.value = value


def path_of_new(name: Any) -> str:
    """Return the full name of a variable that a user makes now: the layer that is being built stands in it.

    Args:
        name: Its name, `None` where it has none.
    """
    return f"{names_inside.current()}{str(name or UNNAMED).partition(':')[0]}:0"


def _held(module: nn.Module, name: str) -> Tensor:
    """Return a module's parameter or buffer, whatever reading the attribute gives to users."""
    held: Any = module._parameters.get(name)
    if held is None:
        held = module._buffers.get(name)
    return getattr(module, name) if held is None else held  # type: ignore[no-any-return]


@dataclass
class Weight:
    """One line of a layer's weight table.

    Attributes:
        name: The Keras name, `'kernel'`.
        module: The module that holds the torch parameters (or buffers).
        attributes: Their names there.
        codec: The way between the layouts.
        initializer: Fills it; called with the Keras shape.
        regularizer: Adds to the loss, or `None`.
        constraint: Applied after each update, or `None`.
        trainable: Whether training may ever change it (a moving average may not).
        owner: The layer whose table it stands in; `None` for a variable of its own.
        reads_cast: Whether it reads in the type that the layer being run computes in (`precision.py`).
        own_path: The full name of a variable that a user made, which it keeps wherever it comes to stand.
    """

    name: str
    module: nn.Module
    attributes: tuple[str, ...]
    codec: Codec = IDENTITY
    initializer: Callable[..., Any] | None = None
    regularizer: Callable[[Tensor], Tensor] | None = None
    constraint: Callable[[Tensor], Tensor] | None = None
    trainable: bool = True
    owner: Any = None
    reads_cast: bool = False
    own_path: str | None = None
    moves_in_runs: bool = field(default=False, init=False, repr=False)  # whether a call has written into it

    def may_move(self, size: int) -> bool:
        """Tell whether the call that reads the weight may write into it before gradients are found.

        Args:
            size: The number of its elements.
        """
        return self.moves_in_runs or size <= (_OFTEN_COUNTED if self.trainable else _CHEAP_TO_COPY)

    @property
    def place(self) -> tuple[int, tuple[str, ...]]:
        """Where it stands, by which two lines are of one weight."""
        return id(self.module), self.attributes

    @property
    def path(self) -> str:
        """The full name, with those of the layers that it is in: `'dense_1/kernel:0'`."""
        if self.own_path is not None or self.owner is None:
            return self.own_path or self.name
        return f"{self.owner._weight_scope}{self.name}:0"

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The torch tensors behind the weight."""
        return tuple([_held(self.module, attribute) for attribute in self.attributes])

    def read(self) -> Tensor:
        """Return the weight in Keras's layout; differentiable."""
        return self.codec.read(*self.parameters)

    def gradient(self, parts: Sequence[Tensor | None]) -> Tensor | None:
        """Return a gradient in Keras's layout from those of the parameters; `None` where none of them has one.

        Args:
            parts: The gradient of each parameter; one that has none, beside others that have one, counts as 0.
        """
        if all(part is None for part in parts):
            return None
        return self.codec.read(*[torch.zeros_like(p) if g is None else g for p, g in zip(self.parameters, parts)])

    @property
    def shape(self) -> tuple[int, ...]:
        """The Keras shape."""
        return _shape_read(self.codec, *(p.shape for p in self.parameters))

    @property
    def size(self) -> int:
        """The number of elements, as `count_params` counts."""
        return int(np.prod(self.shape, dtype=np.int64))

    def variable(self) -> Variable:
        """Return the weight as Keras users know it."""
        value = self.read()
        if type(value) not in (Tensor, nn.Parameter, Variable):
            # A stand-in, whose class cannot be changed: the layer is being traced.
            return as_computed(value) if self.reads_cast else value  # type: ignore[return-value]
        with plain_torch():
            variable = value.as_subclass(Variable)
        variable._weight = self
        return variable

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return a copy of the value in Keras's layout."""
        with torch.no_grad():
            value = self.read().detach().cpu()
            if value.dtype == torch.bfloat16:
                value = value.float()
            host = np.empty(value.shape, value.numpy().dtype)
            copy_into(torch.from_numpy(host), value)
            return host

    def check(self, value: Any) -> Tensor:
        """Return `value` as a tensor of this weight's shape, or raise before anything is written."""
        value = take_back(value)
        tensor = value.detach() if isinstance(value, Tensor) else torch.as_tensor(readable(np.array(value)))
        if tuple(tensor.shape) != self.shape:
            raise ValueError(f"{self.path}: the weight has shape {self.shape}; got {show(value)}.")
        return tensor

    @torch.no_grad()
    def assign(self, value: Any) -> None:
        """Write `value`, in Keras's layout, into the torch parameters."""
        if settings.inside_run():
            self.moves_in_runs = True
        for parameter, part in zip(self.parameters, self.codec.write(self.check(value))):
            copy_into(parameter, part)

    @torch.no_grad()
    def change(self, function: Callable[[Tensor], Tensor]) -> None:
        """Write what `function` makes of the weight, in Keras's layout, back into the torch parameters."""
        value = self.read()
        changed = function(value)
        if changed.shape != value.shape:
            raise ValueError(f"{self.path}: the weight has shape {self.shape}; got {show(changed)}.")
        parts = self.codec.write(changed)
        if CAPTURE.traced:
            parts = tuple(_apart(part) for part in parts)
        for parameter, part in zip(self.parameters, parts):
            parameter.copy_(part)

    def penalty(self) -> Tensor | None:
        """Return what the regularizer makes of the weight; differentiable."""
        if self.regularizer is None:
            return None
        if is_users(self.regularizer):
            penalty: Tensor = call_user(self.regularizer, self.read())
            return penalty
        return self.regularizer(self.read())

    def constrain(self) -> None:
        """Apply the constraint."""
        constraint = self.constraint
        if constraint is not None:
            self.change(functools.partial(call_user, constraint) if is_users(constraint) else constraint)

    def freeze(self, frozen: bool = True) -> None:
        """Let autograd leave out a weight that may train, or find its gradients again."""
        if self.trainable:
            for parameter in self.parameters:
                if isinstance(parameter, nn.Parameter) and parameter.is_floating_point():
                    parameter.requires_grad_(not frozen)

    @property
    def requires_grad(self) -> bool:
        """Whether autograd finds gradients for it."""
        return any(p.requires_grad for p in self.parameters)

    def initialise(self) -> None:
        """Fill the weight by its initializer; where a file has its value, nothing is drawn."""
        if self.initializer is not None and not _filling.by_file:
            self.assign(initial_value(self.initializer, self.shape, self.parameters[0].dtype))


class _Filling(threading.local):
    """Whether the weights that this thread makes get their values from a file."""

    by_file = False


_filling = _Filling()


@contextlib.contextmanager
def values_from_file() -> Iterator[None]:
    """Leave weights without values that are made inside the `with` block: a file has one for each of them."""
    before, _filling.by_file = _filling.by_file, True
    try:
        yield
    finally:
        _filling.by_file = before


def initial_value(initializer: Callable[..., Any], shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Call an initializer, ours or a user's, and return its value as a tensor on the CPU.

    Ours return tensors; a user's function may take `(shape)`, `(shape, dtype=None)` or Keras 1's `(shape, name)` and
    may return numpy.
    """
    randomness.draw_seed()  # user functions draw from torch's global generator, or from numpy's
    with torch.device("cpu"):  # where the generators are, whatever device the layer is built on
        try:
            value = initializer(shape, dtype=settings.dtype_name(dtype))
        except TypeError as error:
            if "dtype" not in str(error):
                raise
            required = {p.name for p in inspect.signature(initializer).parameters.values() if p.default is p.empty}
            value = initializer(shape, **dict.fromkeys(required & {"name"}))
        value = take_back(value)
        tensor = value if isinstance(value, Tensor) else torch.as_tensor(readable(value))
    return tensor.detach().to("cpu", dtype)


def assign_all(weights: Sequence[Weight], values: Sequence[Any], owner: str) -> None:
    """Write all `values`, or none when their number or one of their shapes is wrong."""
    if len(values) != len(weights):
        raise ValueError(f"{owner}: set_weights needs {len(weights)} arrays; got {len(values)}.")
    for weight, value in zip(weights, values):
        weight.check(value)
    for weight, value in zip(weights, values):
        weight.assign(value)
