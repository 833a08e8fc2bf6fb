"""What every metric stands on: state tensors on the device, the class `Metric`, and means of per-sample values."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from .. import initializers as _initializers  # noqa: F401  (their names are known to the registry once it is imported)
from .._core import registry, settings
from .._core.config import Configurable, plain
from .._core.host_arrays import readable
from .._core.ownership import is_ours, origin
from ..losses.base import as_float, fit_weight, tensors, under


class State(torch.Tensor):
    """A number or array that a metric accumulates: a tensor that can be assigned to.

    It moves to the device it is fed from; what is computed from it is a plain tensor.
    """

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]
    _name: str

    @property
    def name(self) -> str:
        """The name it was made with."""
        return self._name

    def _value(self, value: Any) -> Tensor:
        """Return `value` in this type; the state moves to the device of a tensor, numbers come to the state."""
        if not isinstance(value, Tensor):
            return torch.as_tensor(value, dtype=self.dtype, device=self.device)
        if value.device != self.device:
            with torch.inference_mode(False), torch.no_grad():  # a tensor made in inference mode could not train later
                self.data = self.data.to(value.device)
        return value.detach().to(self.dtype)

    @torch.no_grad()
    def assign(self, value: Any) -> State:
        """Write `value`."""
        self.copy_(self._value(value))
        return self

    @torch.no_grad()
    def assign_add(self, value: Any) -> State:
        """Add `value`."""
        self.add_(self._value(value))
        return self

    @torch.no_grad()
    def assign_sub(self, value: Any) -> State:
        """Subtract `value`."""
        self.sub_(self._value(value))
        return self

    def value(self) -> Tensor:
        """Return a plain tensor with the current value."""
        return self.detach().as_subclass(torch.Tensor).clone()

    read_value = value

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """Return the value as an array (a copy)."""
        return np.array(self.value().cpu().numpy())

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        return make_state(self._name, self.value())

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"<State {self._name!r} {self.value()!r}>"


def make_state(name: str, value: Tensor) -> State:
    """Return a state called `name` that starts at `value`."""
    with torch.inference_mode(False):
        state = value.detach().clone().as_subclass(State)
    state._name = name
    return state


def divide_no_nan(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Return the quotient, 0 where the denominator is 0."""
    zero = denominator == 0
    return torch.where(zero, torch.zeros_like(numerator / 1), numerator / torch.where(zero, 1, denominator))


@dataclass(frozen=True)
class Pending:
    """What a metric has still to take in, where training keeps batches to compute them together.

    Attributes:
        settle: Brings the states of the metric up to date.
        forget: Drops what is kept.
    """

    settle: Callable[[], None]
    forget: Callable[[], None]


def _settled(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method that reads or adds to the states find them up to date."""

    @functools.wraps(method)
    def call(self: Metric, *args: Any, **kwargs: Any) -> Any:
        if self._pending is not None:
            self._pending.settle()
        return method(self, *args, **kwargs)

    return call


def _dropping(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method that starts afresh drop what is pending, too."""

    @functools.wraps(method)
    def call(self: Metric, *args: Any, **kwargs: Any) -> Any:
        if self._pending is not None:
            self._pending.forget()
        return method(self, *args, **kwargs)

    return call


def _leaving(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a batch that is taken in by hand be added to the states as they are, which are the metric's own then."""

    @functools.wraps(method)
    def call(self: Metric, *args: Any, **kwargs: Any) -> Any:
        if self._pending is not None:
            self._pending.settle()
            self._pending = None
        return method(self, *args, **kwargs)

    return call


_AROUND = {"result": _settled, "update_state": _leaving, "reset_state": _dropping, "reset_states": _dropping}


@registry.base("metric")
class Metric(Configurable):
    """Base of the metric classes: `update_state` takes a batch in, `result` tells the value so far.

    Args:
        name: The key in logs; made from the class's name if `None`.
        dtype: The type it computes in; `floatx()` if `None`.

    Example:
        >>> from torchkeras_compat import metrics
        >>> class Largest(metrics.Metric):
        ...     def __init__(self, name='largest', **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.top = self.add_weight(name='top', initializer='zeros')
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.top.assign(max(self.top, y_pred.max()))
        ...     def result(self):
        ...         return self.top
        >>> import torch
        >>> metric = Largest()
        >>> metric.update_state(None, torch.tensor([1.0, 3.0]))
        >>> float(metric.result())
        3.0
    """

    stateful = True
    averages: bool = False  # whether the mean of `values`, weighted by sample, is all there is to it
    _pending: Pending | None = None
    _own_name: str | None = None  # where a model calls it something else

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, around in _AROUND.items():
            if name in cls.__dict__:
                setattr(cls, name, around(cls.__dict__[name]))
        if not is_ours(cls) and not _AROUND.keys().isdisjoint(cls.__dict__):
            cls.averages = False  # what its user wrote is called, batch by batch

    def follow(self, pending: Pending | None) -> None:
        """Take the states from a computation that keeps batches, from now on.

        Args:
            pending: What brings them up to date.
        """
        self._pending = pending

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        self.name = name or self._automatic_name()
        self.dtype = settings.dtype_name(settings.torch_dtype(dtype))

    @property
    def own_name(self) -> str:
        """The name that it was given, whatever a model calls it."""
        return self._own_name or self.name

    def rename(self, name: str) -> None:
        """Take the name that the logs of a model have it by: `out_mae` for the output `out`.

        Args:
            name: The key in logs.
        """
        self._own_name, self.name = self.own_name, name

    def _automatic_name(self) -> str:
        prefix = settings.snake_case(type(self).__name__.strip("_"))
        number = settings.get_uid(prefix) - bool(self._rules.zero_based_names)
        return f"{prefix}_{number}" if number else prefix

    @property
    def torch_dtype(self) -> torch.dtype:
        """The torch type it computes in."""
        return settings.torch_dtype(self.dtype)

    def add_weight(
        self,
        name: str,
        shape: Any = (),
        aggregation: Any = None,
        synchronization: Any = None,
        initializer: Any = None,
        dtype: Any = None,
    ) -> State:
        """Make a state that `reset_state` sets to zero.

        Args:
            name: Its name.
            shape: Its shape.
            aggregation: Taken for Keras's sake; states add up.
            synchronization: Taken for Keras's sake.
            initializer: Gives the first value; zeros if `None`.
            dtype: Its type; the metric's if `None`.
        """
        kind = settings.torch_dtype(dtype or self.dtype)
        size = tuple(int(n) for n in (shape if isinstance(shape, Iterable) else (shape,)))
        start = torch.zeros(size, dtype=kind)
        if initializer is not None:
            value = registry.get("initializer", initializer)(size, dtype=settings.dtype_name(kind))
            start = torch.as_tensor(readable(value) if not isinstance(value, Tensor) else value).to(kind)
        state = make_state(f"{name}:0", start)
        self.__dict__.setdefault("_states", []).append(state)
        return state

    @property
    def variables(self) -> list[State]:
        """The states, in the order they were made."""
        if self._pending is not None:
            self._pending.settle()
        return list(self.__dict__.get("_states", ()))

    @property
    def weights(self) -> list[State]:
        """The states, in the order they were made."""
        return self.variables

    non_trainable_weights = non_trainable_variables = weights

    @property
    def trainable_weights(self) -> list[State]:
        """Nothing: training changes no state of a metric."""
        return []

    trainable_variables = trainable_weights

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Take a batch of (targets, predictions, sample weights) in."""
        raise NotImplementedError(f"{type(self).__name__}: override update_state(y_true, y_pred, sample_weight=None).")

    def result(self) -> Any:
        """Return the value so far, a 0-d tensor for most metrics."""
        raise NotImplementedError(f"{type(self).__name__}: override result().")

    def _forget(self) -> None:
        if self._pending is not None:
            self._pending.forget()
        for state in self.__dict__.get("_states", ()):
            with torch.no_grad():
                state.zero_()

    def reset_state(self) -> None:
        """Start afresh, as at the beginning of an epoch."""
        if type(self).reset_states is not Metric.reset_states:  # the name that old subclasses override
            self.reset_states()
        else:
            self._forget()

    def reset_states(self) -> None:
        """Do what `reset_state` does; its name up to TensorFlow 2.4."""
        if type(self).reset_state is not Metric.reset_state:
            self.reset_state()
        else:
            self._forget()

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return the states as arrays."""
        return [state.numpy() for state in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the states from arrays in the order of `get_weights`.

        Raises:
            ValueError: Their number or one of their shapes is wrong.
        """
        states = self.variables
        shapes = [tuple(state.shape) for state in states]
        if [np.shape(array) for array in weights] != shapes:
            raise ValueError(
                f"{self.name}.set_weights: the states have shapes {shapes}; got {[np.shape(a) for a in weights]}."
            )
        for state, array in zip(states, weights):
            state.assign(torch.as_tensor(readable(array)))

    def count_params(self) -> int:
        """Return how many numbers the states are."""
        return sum(state.numel() for state in self.variables)

    def merge_state(self, metrics: Iterable[Metric]) -> None:
        """Add the states of other metrics of the same kind.

        Raises:
            ValueError: A metric with other states.
        """
        for other in metrics:
            if [tuple(s.shape) for s in other.variables] != [tuple(s.shape) for s in self.variables]:
                raise ValueError(f"{self.name}: the states of {other.name} have other shapes and cannot be merged.")
            for mine, theirs in zip(self.variables, other.variables):
                mine.assign_add(theirs.value())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take a batch in and return the value so far, which knows its metric: `add_metric` takes that."""
        self.update_state(*args, **kwargs)
        value = self.result()
        if isinstance(value, Tensor):
            value._metric_obj = self  # type: ignore[attr-defined]
        return value

    def __deepcopy__(self, memo: dict[int, Any]) -> Metric:
        """Copy the states once each, so that attributes and `variables` stay the same objects."""
        new = object.__new__(type(self))
        memo[id(self)] = new
        for state in self.variables:
            memo[id(state)] = state.__deepcopy__(memo)
        for key, value in self.__getstate__().items():
            object.__setattr__(new, key, copy.deepcopy(value, memo))
        return new

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the computation that the states came from."""
        return {**self.__dict__, "_pending": None}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def weigh(values: Tensor, sample_weight: Any, summed: bool = False) -> tuple[Tensor, Tensor]:
    """Return the values that a weight applies to and the weight, broadcast to them.

    Args:
        values: The values.
        sample_weight: The weight.
        summed: Whether several values that share a weight are summed; otherwise their mean counts.
    """
    weight = as_float(sample_weight).to(device=values.device, dtype=values.dtype)
    if weight.ndim and values.ndim - weight.ndim > 1:
        shared = tuple(range(weight.ndim, values.ndim))
        values = values.sum(shared) if summed else values.mean(shared)
    weight = fit_weight(weight, values)
    if weight.ndim > values.ndim:  # one value for the whole batch
        return values.expand(weight.shape), weight
    return values, weight.expand(values.shape)


class Reduce(Metric):
    """Base of `Mean` and `Sum`: a total of values, and what it is divided by.

    Attributes:
        summed: Whether values that share a weight are summed.
    """

    summed: ClassVar[bool] = False

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.total = self.add_weight("total")

    def _sums(self, values: Any, sample_weight: Any) -> tuple[Tensor, Any]:
        """Return the weighted sum of values and the sum of weights."""
        values = as_float(values).to(self.torch_dtype)
        if sample_weight is None:
            return values.sum(), values.numel()
        values, weight = weigh(values, sample_weight, self.summed)
        return (values * weight).sum(), weight.sum()


@registry.register("metric")
class Sum(Reduce):
    """The (weighted) sum of values.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metric = metrics.Sum()
        >>> metric.update_state([1.0, 3.0])
        >>> metric.result()
        tensor(4.)
    """

    summed = True

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values."""
        self.total.assign_add(self._sums(values, sample_weight)[0])

    def result(self) -> Tensor:
        """Return the sum."""
        return self.total.value()


@registry.register("metric")
class Mean(Reduce):
    """The (weighted) mean of values.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metric = metrics.Mean()
        >>> metric.update_state([1.0, 3.0], sample_weight=[1.0, 3.0])
        >>> metric.result()
        tensor(2.5000)
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.count = self.add_weight("count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take values in."""
        total, count = self._sums(values, sample_weight)
        self.total.assign_add(total)
        self.count.assign_add(count)

    def result(self) -> Tensor:
        """Return the mean, 0 before any value."""
        return divide_no_nan(self.total, self.count)


@registry.register("metric")
class MeanTensor(Metric):
    """The (weighted) mean of arrays, element by element.

    Args:
        name: The key in logs.
        dtype: The type it computes in.
        shape: The arrays' shape; that of the first one if `None`.

    Raises:
        ValueError: An array of another shape, or a result asked for before any.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metric = metrics.MeanTensor()
        >>> metric.update_state([0.0, 1.0])
        >>> metric.update_state([2.0, 3.0])
        >>> metric.result()
        tensor([1., 2.])
    """

    def __init__(self, name: str | None = "mean_tensor", dtype: Any = None, shape: Any = None) -> None:
        super().__init__(name, dtype)
        self.shape = shape
        self.total: State | None = None
        self.count: State | None = None
        if shape is not None:
            self._build(shape)

    def _build(self, shape: Any) -> tuple[State, State]:
        self.total, self.count = self.add_weight("total", shape), self.add_weight("count", shape)
        return self.total, self.count

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take an array in."""
        values = as_float(values).to(self.torch_dtype)
        if self.total is None or self.count is None:
            total, count = self._build(values.shape)
        else:
            total, count = self.total, self.count
        if values.shape != total.shape:
            raise ValueError(
                f"{self.name}: all arrays must have the shape of the first, {tuple(total.shape)}; got "
                f"{tuple(values.shape)}."
            )
        weight = torch.ones_like(values)
        if sample_weight is not None:
            values, weight = weigh(values, sample_weight)
        total.assign_add(values * weight)
        count.assign_add(weight)

    def result(self) -> Tensor:
        """Return the mean array."""
        if self.total is None or self.count is None:
            raise ValueError(f"{self.name}: no value yet; call update_state(values) first.")
        return divide_no_nan(self.total, self.count)


class Averaged(Mean):
    """Base of the metrics that are the mean of per-sample values of (targets, predictions)."""

    averages = True

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the per-sample values."""
        raise NotImplementedError(f"{type(self).__name__}: override values(y_true, y_pred).")

    def _in_own_type(self, y_pred: Any) -> Any:
        """Return predictions in the metric's type, where that is the longer one."""
        return y_pred.double() if self.dtype == "float64" and isinstance(y_pred, Tensor) else y_pred

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take a batch in."""
        with torch.no_grad():
            y_true, y_pred = tensors(y_true, y_pred, cast=False)
            super().update_state(self.values(y_true, y_pred), sample_weight)


class FunctionMetric(Averaged):
    """Base of the metric classes that are a function and its options.

    Attributes:
        fn: The function of (targets, predictions) that gives per-sample values.
        options: The arguments of the constructor that go to it.
    """

    fn: ClassVar[Callable[..., Tensor]]
    options: ClassVar[tuple[str, ...]] = ()

    def chosen(self) -> dict[str, Any]:
        """Return the options as they were given."""
        return {name: getattr(self, name) for name in self.options}

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the per-sample values of the function."""
        y_pred = self._in_own_type(y_pred)
        values: Tensor = under(type(self).fn, self._rules)(y_true, y_pred, **self.chosen())
        return values


@registry.register("metric")
class MeanMetricWrapper(Averaged):
    """The mean of what a function of (targets, predictions) gives.

    Args:
        fn: The function; it may give one value a sample, or one for the batch.
        name: The key in logs; made from the class's name if `None`.
        dtype: The type it computes in.
        kwargs: Passed to the function.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metric = metrics.MeanMetricWrapper(metrics.binary_accuracy, threshold=0.3)
        >>> metric.update_state([[1.0], [0.0]], [[0.4], [0.4]])
        >>> metric.result()
        tensor(0.5000)
    """

    _takes_anything = True

    def __init__(self, fn: Any, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        function = registry.get("metric", fn)
        super().__init__(name, dtype)
        self.fn: Any = function
        self._options = kwargs

    def chosen(self) -> dict[str, Any]:
        """Return the function's options."""
        return dict(self._options)

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the per-sample values of the function."""
        return as_float(under(self.fn, self._rules)(y_true, self._in_own_type(y_pred), **self._options))

    def get_config(self) -> dict[str, Any]:
        """Return the function's name, its options and the metric's own arguments."""
        own = {"fn": plain(self.fn)} if origin(type(self)) is MeanMetricWrapper else {}
        return {"name": self.name, "dtype": self.dtype, **own, **{k: plain(v) for k, v in self._options.items()}}
