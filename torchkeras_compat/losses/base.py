"""What every loss stands on: tensors of one type and rank, weights, reductions and the class `Loss`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Hashable
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from .._core import dialects, registry, settings
from .._core.config import Configurable
from .._core.dialects import Rules
from .._core.errors import choice
from .._core.host_arrays import readable
from .._core.operations import answer, nameable
from .._core.user_tensors import call_user, is_users, take_back

Decorator = Callable[[Callable[..., Tensor]], Callable[..., Tensor]]

# Function whose result depends on the dialect → what fixes it to the rules of a model.
_RULED: dict[Callable[..., Any], Callable[[Rules], Callable[..., Any]]] = {}

# Function → what gives the values of its class from (loss, targets, logits); `fusion.py` enters those that there are.
FROM_LOGITS: dict[Callable[..., Any], Callable[[Any, Tensor, Tensor], Tensor | None]] = {}


class Reduction:
    """The names of the ways in which a loss class makes one number of its per-sample values.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.MeanSquaredError(reduction=losses.Reduction.SUM).reduction
        'sum'
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """Return the four names."""
        return (cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE)

    @classmethod
    def validate(cls, key: str) -> None:
        """Raise `ValueError` unless `key` is one of the four."""
        choice("Reduction", "key", key, cls.all())


def as_float(value: Any) -> Tensor:
    """Return `value` as a floating-point tensor: arrays keep their float type, everything else becomes `floatx()`."""
    if isinstance(value, Tensor):
        return value if value.is_floating_point() else value.to(settings.torch_dtype(None))
    array = readable(value)
    keeps = isinstance(value, (np.ndarray, np.generic)) and array.dtype.kind == "f"
    return torch.tensor(array) if keeps else torch.as_tensor(array).to(settings.torch_dtype(None))


def tensors(y_true: Any, y_pred: Any, cast: bool = True) -> tuple[Tensor, Tensor]:
    """Return both as tensors on the device of `y_pred`, the targets in its type if `cast`."""
    y_pred = as_float(y_pred)
    if not isinstance(y_true, Tensor):
        array = readable(y_true)
        is_wide = array.dtype.kind == "u" and array.dtype.itemsize > 1  # a type that torch hardly computes in
        y_true = torch.tensor(array.astype(np.int64) if is_wide else array)
    return y_true.to(device=y_pred.device, dtype=y_pred.dtype if cast else y_true.dtype), y_pred


def align(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Give targets and predictions the same rank where only a last axis of length 1 is between them.

    (N,) and (N, 1) meet as (N, 1), whichever side lacks the axis, so that nothing broadcasts to N×N.
    """
    behind = y_pred.ndim - y_true.ndim
    if behind == 1 and (y_pred.shape[-1] == 1 or y_true.ndim == 1):
        return y_true.unsqueeze(-1), y_pred
    if behind == -1 and y_true.shape[-1] == 1:
        return y_true, y_pred.unsqueeze(-1)
    return y_true, y_pred


def under(function: Callable[..., Any], rules: Rules) -> Callable[..., Any]:
    """Return a loss or metric function as it is under the rules of a model: itself, where no rule touches it."""
    if isinstance(function, functools.partial) and function.func in _RULED:
        return functools.partial(under(function.func, rules), *function.args, **function.keywords)
    ruled = _RULED.get(function) if isinstance(function, Hashable) else None
    return function if ruled is None else ruled(rules)


def tensor_function(
    kind: str, *aliases: str, cast: bool = True, aligned: bool = True, ruled: bool = False
) -> Decorator:
    """Register a function of (targets, predictions); it then takes arrays, symbolic tensors and targets of other rank.

    Args:
        kind: `'loss'` or `'metric'`.
        aliases: Its other names.
        cast: Whether the targets take the type of the predictions.
        aligned: Whether targets and predictions have one shape; class indices do not.
        ruled: Whether the function takes the rules of a dialect, as its first argument; whoever calls it does not give
            them: they are those of the current dialect, or of the model (`under`).
    """

    def enter(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def prepared(of_tensors: Callable[..., Tensor]) -> Callable[..., Any]:
            def computed(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
                y_true, y_pred = tensors(y_true, y_pred, cast)
                if aligned and y_true.ndim != y_pred.ndim:
                    y_true, y_pred = align(y_true, y_pred)
                return of_tensors(y_true, y_pred, *args, **kwargs)

            @functools.wraps(function)
            def call(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
                if type(y_true) is Tensor and type(y_pred) is Tensor:
                    return computed(y_true, y_pred, *args, **kwargs)
                return answer(call, computed, (y_true, y_pred, *args), kwargs)

            return nameable(call)

        if not ruled:
            return registry.register(kind, *aliases)(prepared(function))
        call = prepared(lambda *args, **kwargs: function(dialects.current().rules, *args, **kwargs))
        _RULED[call] = lambda rules: prepared(functools.partial(function, rules))
        signature = inspect.signature(function)
        setattr(call, "__signature__", signature.replace(parameters=list(signature.parameters.values())[1:]))  # noqa: B010
        return registry.register(kind, *aliases)(call)

    return enter


loss_function = functools.partial(tensor_function, "loss")


def fit_weight(sample_weight: Tensor, values: Tensor) -> Tensor:
    """Give a weight the rank of the values it multiplies: axes of length 1 are dropped or added at the end.

    Raises:
        ValueError: The two shapes do not fit.
    """
    weight = sample_weight
    while weight.ndim > values.ndim and weight.ndim > 0 and weight.shape[-1] == 1:
        weight = weight.squeeze(-1)
    if 0 < weight.ndim < values.ndim:
        weight = weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
    fits = weight.ndim <= values.ndim and all(w in (1, v) for w, v in zip(weight.shape, values.shape))
    if weight.ndim and not fits and values.ndim:
        raise ValueError(
            f"sample_weight of shape {tuple(sample_weight.shape)} does not fit losses of shape {tuple(values.shape)}; "
            "give one weight per sample, or one per sample and time step."
        )
    return weight


def weighted(values: Tensor, sample_weight: Any = None) -> Tensor:
    """Return `values` times the weights, aligned as Keras aligns them."""
    if sample_weight is None:
        return values
    if not isinstance(sample_weight, Tensor):
        sample_weight = torch.as_tensor(np.asarray(sample_weight))
    return values * fit_weight(sample_weight.to(device=values.device, dtype=values.dtype), values)


def reduced(values: Tensor, reduction: str) -> Tensor:
    """Reduce weighted values: to their mean over all elements, their sum, or not at all."""
    if reduction == Reduction.NONE:
        return values
    total = values.sum()
    return total if reduction == Reduction.SUM else total / max(values.numel(), 1)


@registry.base("loss")
class Loss(Configurable):
    """Base of the loss classes: `call` gives per-sample values, calling the object weighs and reduces them.

    Args:
        reduction: `'auto'` and `'sum_over_batch_size'` (the mean over all values), `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        Targets and predictions (batch, …, d); values (batch, …); the result is 0-d unless the reduction is `'none'`.

    Raises:
        ValueError: An unknown reduction.

    Example:
        >>> from torchkeras_compat import losses
        >>> class Cubic(losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ((y_true - y_pred).abs() ** 3).mean(-1)
        >>> import torch
        >>> Cubic()(torch.zeros(2, 1), torch.tensor([[1.0], [2.0]]))
        tensor(4.5000)
    """

    def __init__(self, reduction: str = "auto", name: str | None = None) -> None:
        self.reduction = choice(type(self).__name__, "reduction", reduction, Reduction.all())
        self.name = name

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the per-sample values."""
        raise NotImplementedError(f"{type(self).__name__}: override call(y_true, y_pred).")

    @property
    def counts_all(self) -> bool:
        """Whether all values count, so that the mean over several batches is that over their samples."""
        return type(self).valid is Loss.valid

    def valid(self, y_true: Tensor, values: Tensor) -> Tensor | None:
        """Return which values count, as a tensor of booleans; `None` when all do."""
        return None

    def values(self, y_true: Any, y_pred: Any, mask: Tensor | None = None) -> Tensor:
        """Return the per-sample values whose mean (or sum) is the loss: those that do not count are left out of it.

        Args:
            y_true: The targets.
            y_pred: The predictions.
            mask: Which of their samples or steps count; `None` where all do.
        """
        call = self.call
        return self.counted(
            y_true, call_user(call, y_true, y_pred) if is_users(type(self).call) else call(y_true, y_pred), mask
        )

    def counted(self, y_true: Any, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return `values` scaled so that their mean is that of the valid ones alone."""
        valid = self.valid(y_true, values) if type(self).valid is not Loss.valid else None
        if mask is not None:
            mask = fit_weight(mask.bool(), values)
            valid = mask if valid is None else valid & mask
        if valid is None:
            return values
        share = valid.to(values.dtype)
        if self.reduction in (Reduction.AUTO, Reduction.SUM_OVER_BATCH_SIZE):
            share = share * (share.numel() / share.sum().clamp(min=1))
        return values * share

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch, weighed and reduced; in tf.keras, of what the predictions' mask counts."""
        mask = getattr(y_pred, "_keras_mask", None) if self._rules.losses_take_masks else None
        computed = self._computed if mask is None else functools.partial(self._computed, mask=take_back(mask))
        return answer(self.__call__, computed, (y_true, y_pred, sample_weight), {})

    def _computed(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Tensor | None = None) -> Tensor:
        y_true, y_pred = tensors(y_true, y_pred, cast=False)
        return reduced(weighted(self.values(y_true, y_pred, mask), sample_weight), self.reduction)


class FunctionLoss(Loss):
    """Base of the loss classes that are a function and its options.

    Attributes:
        fn: The function of (targets, predictions) that gives per-sample values.
        options: The arguments of the constructor that go to it.
    """

    fn: ClassVar[Callable[..., Tensor]]
    options: ClassVar[tuple[str, ...]] = ()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss and, as Keras 2.15 does, the name of its function."""
        config = super().get_config()
        if self._rules.losses_name_functions:
            config["fn"] = registry.name_of("loss", type(self).fn)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FunctionLoss:
        """Make a loss from its configuration; `.keras` archives also name the function, which the class knows."""
        return cls(**{key: value for key, value in config.items() if key != "fn"})

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the per-sample values of the function."""
        values: Tensor = under(type(self).fn, self._rules)(y_true, y_pred, **self.chosen())
        return values

    def chosen(self) -> dict[str, Any]:
        """Return the options as they were given."""
        return {name: getattr(self, name) for name in self.options}

    def fused(self, y_true: Tensor, logits: Tensor) -> Tensor | None:
        """Return the values from the logits of a final softmax or sigmoid, `None` where that is not possible."""
        of_logits = FROM_LOGITS.get(type(self).fn)
        return None if of_logits is None else of_logits(self, y_true, logits)
