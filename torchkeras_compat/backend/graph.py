"""What works on symbolic tensors: `placeholder`, `function`, `gradients` and the learning phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from .._core import settings, symbolic
from .._core.aliases import gradients_by
from .._core.errors import argument_error, show
from .._core.operations import as_tensor
from .._core.runs import RUN
from .._core.symbolic import SymbolicTensor
from .._core.weights import Variable
from .variables import set_value, value_of


class LearningPhase(SymbolicTensor):
    """The mode of a call that does not say: symbolic for `K.function`, 0 or 1 for Python."""

    def __bool__(self) -> bool:
        return bool(settings.running_phase())

    def __int__(self) -> int:
        return int(bool(self))

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, (int, bool)) and int(self) == other)

    def __hash__(self) -> int:
        return id(self)


def mode_of_the_run() -> Tensor:
    """Return whether what runs trains, as a tensor."""
    return torch.tensor(bool(settings.running_phase()))


_PHASE = LearningPhase((), "bool", mode_of_the_run, name="keras_learning_phase")  # a model asks; K.function is told


def learning_phase() -> Any:
    """Return 1 in training and 0 in inference where that is decided, else an input for `K.function`, which counts as 0.

    Example:
        >>> int(learning_phase())
        0
    """
    phase = settings.running_phase()
    return _PHASE if phase is None else int(phase)


def symbolic_learning_phase() -> LearningPhase:
    """Return the learning phase as an input for `K.function`.

    Example:
        >>> symbolic_learning_phase().name
        'keras_learning_phase'
    """
    return _PHASE


def set_learning_phase(value: int | bool | None) -> None:
    """Fix training (1) or inference (0) mode for calls that do not say; `None` frees it.

    Raises:
        ValueError: Another value.

    Example:
        >>> set_learning_phase(1); learning_phase()
        1
        >>> set_learning_phase(None)
    """
    if value not in (0, 1, None):
        raise argument_error("set_learning_phase", "value", "0 or 1", value)
    settings.set_learning_phase(value)


@contextmanager
def learning_phase_scope(value: int | bool) -> Iterator[None]:
    """Fix the learning phase inside a `with` block.

    Example:
        >>> with learning_phase_scope(1):
        ...     learning_phase()
        1
    """
    before = settings.learning_phase()
    set_learning_phase(value)
    try:
        yield
    finally:
        settings.set_learning_phase(before)


def placeholder(
    shape: Sequence[int | None] | None = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
    ragged: bool = False,
) -> SymbolicTensor:
    """Return a symbolic tensor that waits for a value.

    Args:
        shape: Its shape, `None` for lengths not known.
        ndim: The number of axes, instead of a shape.
        dtype: Its type, the default float type if `None`.
        sparse: Refused; a sparse tensor can be given without a placeholder of its own kind.
        name: Its name.
        ragged: Refused: torch's layers take no ragged tensors.

    Raises:
        ValueError: `sparse` or `ragged`.

    Example:
        >>> placeholder((None, 3)).shape
        (None, 3)
    """
    for argument, wanted in (("sparse", sparse), ("ragged", ragged)):
        if wanted:
            raise ValueError(f"placeholder({argument}=True): only dense tensors can be symbolic; leave {argument} out.")
    known = (None,) * (ndim or 0) if shape is None else tuple(shape)
    kind = settings.dtype_name(settings.torch_dtype(dtype))
    return SymbolicTensor(known, kind, name=name or f"placeholder_{settings.get_uid('placeholder')}")


def _ancestors(tensor: SymbolicTensor) -> dict[int, SymbolicTensor]:
    """Return the tensors that `tensor` is computed from, itself included, by id."""
    known: dict[int, SymbolicTensor] = {}
    pending = [tensor]
    while pending:
        item = pending.pop()
        if id(item) not in known:
            known[id(item)] = item
            pending += [] if item.node is None else item.node.parents()
    return known


def _gradient(loss: Tensor, target: Tensor) -> Tensor | None:
    ends = [loss.sum()] if loss.requires_grad else []
    if isinstance(target, Variable):  # a view of the parameters that the loss was computed from
        return target._weight.gradient(gradients_by(target._weight.parameters, ends))
    if loss.device.type == "meta":
        return torch.empty_like(target)
    (grad,) = gradients_by([target], ends)
    return torch.zeros_like(target) if grad is None and RUN.on_zeros else grad


def _required_gradient(loss: Tensor, target: Tensor) -> Tensor:
    gradient = _gradient(loss, target)
    if gradient is None:
        raise ValueError(f"gradients: the loss does not depend on {show(target)}, or only in ways without a gradient.")
    return gradient


def _one_gradient(loss: Any, target: Any) -> Any:
    if not isinstance(loss, SymbolicTensor):
        return _gradient(loss, target)
    if isinstance(target, SymbolicTensor):
        if id(target) not in _ancestors(loss):
            return None
        return SymbolicTensor(target.shape, target.dtype, _required_gradient, (loss, target), {}, "gradient")
    kind = settings.dtype_name(target.dtype)
    return SymbolicTensor(tuple(target.shape), kind, _required_gradient, (loss, target), {}, "gradient")


def differentiates(update: Any) -> bool:
    """Tell whether a symbolic tensor, or the value of a pair, contains a gradient."""
    tensor = update[1] if isinstance(update, (list, tuple)) else update
    if not isinstance(tensor, SymbolicTensor):
        return False
    return any(t.source is _required_gradient for t in _ancestors(tensor).values())


class NeedsGradients(ValueError):
    """A loss asks for gradients in an evaluation, which runs without: whoever evaluates may run it again with them."""


def _in_run(target: SymbolicTensor) -> Tensor:
    """Return the value that a layer's output had in the run in progress, by which its loss can be differentiated."""
    value: Tensor = symbolic.value_in_run(target)
    if not torch.is_grad_enabled():
        raise NeedsGradients(
            f"gradients: {target!r} has none outside training; compute it by K.function([model.input], K.gradients(…))."
        )
    if not value.requires_grad:
        raise ValueError(f"gradients: {target!r} is no float that the loss follows, such as indices; it has none.")
    return value


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Return the gradient of the sum of `loss` by each variable; `None` where it does not depend on one.

    Args:
        loss: A tensor, or a symbolic one: then the gradients are symbolic too, for `K.function`.
        variables: A tensor, variable or symbolic tensor, or a list of them.

    Example:
        >>> x = placeholder((None, 2))
        >>> function([x], gradients(x * x, x))([[[1.0, 3.0]]])
        [array([[2., 6.]], dtype=float32)]
    """
    targets = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    if not isinstance(loss, SymbolicTensor):
        targets = [_in_run(target) if isinstance(target, SymbolicTensor) else target for target in targets]
    return [_one_gradient(loss, target) for target in targets]


class Function:
    """A computation from values of symbolic inputs to values of symbolic outputs, made by `function`."""

    def __init__(self, inputs: Any, outputs: Any, updates: Sequence[Any], name: str | None) -> None:
        self.inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        self.single = not isinstance(outputs, (list, tuple))
        self.outputs = [outputs] if self.single else list(outputs)
        self.updates = list(updates)
        self.name = name
        for item in self.inputs:
            if not isinstance(item, (SymbolicTensor, int)):
                raise argument_error("function", "inputs", "symbolic tensors", item, TypeError)

    def _device(self) -> torch.device:
        """Return where the layers in the graph have their weights."""
        for output in self.outputs:
            for tensor in _ancestors(output).values() if isinstance(output, SymbolicTensor) else ():
                parameters = getattr(tensor.source, "parameters", None)
                first = next(parameters(), None) if callable(parameters) else None
                if first is not None:
                    return torch.device(first.device)
        return settings.default_device()

    def _moved_by_layers(self) -> Iterator[Tensor]:
        """Yield what a pass through the layers in the graph may move: averages of batches, and states."""
        sources = {
            id(tensor.source): tensor.source
            for output in self.outputs
            if isinstance(output, SymbolicTensor)
            for tensor in _ancestors(output).values()
        }
        for source in sources.values():
            if callable(buffers := getattr(source, "buffers", None)):
                yield from buffers()

    def _feed(self, values: Sequence[Any]) -> tuple[dict[SymbolicTensor, Tensor], bool]:
        if len(values) != len(self.inputs):
            raise ValueError(f"K.function: {len(self.inputs)} inputs are needed; got {len(values)}.")
        device, training = self._device(), bool(settings.running_phase())
        feed: dict[SymbolicTensor, Tensor] = {}
        for tensor, value in zip(self.inputs, values):
            if isinstance(tensor, LearningPhase):
                training = bool(value)
            elif isinstance(tensor, SymbolicTensor):
                fed = as_tensor(value, device).detach().to(device, settings.torch_dtype(tensor.dtype))
                if len(fed.shape) != len(tensor.shape) and tensor.shape:
                    raise ValueError(f"K.function: {tensor!r} needs {len(tensor.shape)} axes; got {show(fed)}.")
                feed[tensor] = fed.requires_grad_(fed.is_floating_point())
        feed[_PHASE] = torch.tensor(training, device=device)
        return feed, training

    def __call__(self, inputs: Any) -> Any:
        """Compute the outputs as numpy arrays, then apply the updates.

        Without updates nothing is changed: the averages of BatchNormalization stay as they are in training, too.

        Args:
            inputs: One value for each input.
        """
        feed, training = self._feed(inputs if isinstance(inputs, (list, tuple)) else [inputs])
        kept = [] if self.updates else [(moved, moved.clone()) for moved in self._moved_by_layers()]
        later = [item[1] if isinstance(item, (list, tuple)) else item for item in self.updates]
        with torch.enable_grad(), settings.running(training):
            results = symbolic.evaluate([*self.outputs, *later], feed, training=training)
        values = value_of(results[: len(self.outputs)])
        with torch.no_grad():
            for moved, before in kept:
                moved.copy_(before)
        for item, value in zip(self.updates, results[len(self.outputs) :]):
            if isinstance(item, (list, tuple)):
                set_value(item[0], value.detach())
        return values[0] if self.single else values


def function(
    inputs: Any, outputs: Any, updates: Sequence[Any] | None = None, name: str | None = None, **kwargs: Any
) -> Function:
    """Return a callable that computes symbolic outputs from values of the inputs, as numpy arrays.

    Args:
        inputs: A list of symbolic tensors, such as `model.input` and `K.learning_phase()`.
        outputs: A list of them, such as `layer.output`; one alone gives one array.
        updates: Pairs (variable, new value), or results of `K.update`, done after each call.
        name: Accepted for Keras's sake.
        kwargs: Refused: they were arguments of a TensorFlow session.

    Raises:
        TypeError: An input is not symbolic, or an argument is unknown.

    Example:
        >>> x = placeholder((None, 2))
        >>> function([x], [x + 1])([[[1.0, 3.0]]])
        [array([[2., 4.]], dtype=float32)]
    """
    if kwargs:
        argument, value = next(iter(kwargs.items()))
        raise TypeError(f"function({argument}={show(value)}): there is no TensorFlow session; leave {argument} out.")
    return Function(inputs, outputs, updates or (), name)
