"""From what `compile(metrics=…)` was given to a metric and its key in the history."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Hashable
from typing import Any

from torch import Tensor

from .._core import dialects, registry, settings
from .._core.dialects import Rules
from .._core.errors import show
from .._core.shapes import Shape
from .._core.user_tensors import calling
from ..losses import fusion
from ..losses import similarity as loss_similarity
from ..losses.base import align, tensors, under
from ..losses.crossentropy import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from . import accuracies
from .base import FunctionMetric, MeanMetricWrapper, Metric

# Loss functions are metrics too, but for the cosines, whose sign differs.
_OWN_METRIC = {loss_similarity.cosine_similarity, loss_similarity.cosine_proximity}


def _register_losses() -> None:
    losses, metrics = registry.KINDS["loss"], registry.KINDS["metric"]
    for name, entry in losses.entries.items():
        if not inspect.isclass(entry) and entry not in _OWN_METRIC:
            registry.register("metric")(entry)
            for alias, canonical in losses.aliases.items():
                if canonical == name:
                    metrics.aliases.setdefault(alias, name)


_register_losses()

# By the kind of targets: what 'accuracy' and 'crossentropy' stand for.
_ACCURACY = {
    "binary": accuracies.binary_accuracy,
    "sparse": accuracies.sparse_categorical_accuracy,
    "categorical": accuracies.categorical_accuracy,
}
_CROSSENTROPY = {
    "binary": binary_crossentropy,
    "sparse": sparse_categorical_crossentropy,
    "categorical": categorical_crossentropy,
}
_SHORT: dict[str, tuple[str, dict[str, Callable[..., Tensor]]]] = {
    "accuracy": ("acc", _ACCURACY),
    "acc": ("acc", _ACCURACY),
    "crossentropy": ("ce", _CROSSENTROPY),
    "ce": ("ce", _CROSSENTROPY),
}
# Names that functions had up to 2.2, which are the keys of the history there.
_CLASSIC_NAMES = {"kl_divergence": "kullback_leibler_divergence", "log_cosh": "logcosh", "huber": "huber_loss"}


def _kind_by_loss(loss: Any, output_shape: Shape) -> str:
    """Return the kind of targets as classic Keras tells it: by the loss and the number of units."""
    function = fusion.describe(loss).function if loss is not None else None
    if output_shape[-1] == 1 or function is binary_crossentropy:
        return "binary"
    return "sparse" if function is sparse_categorical_crossentropy else "categorical"


def _kind_by_shape(target_shape: Shape, output_shape: Shape) -> str:
    """Return the kind of targets as tf.keras tells it: by the shapes of targets and predictions."""
    if output_shape[-1] == 1:
        return "binary"
    column = len(target_shape) > 0 and target_shape[-1] == 1 and (output_shape[-1] or 2) > 1
    return "sparse" if len(target_shape) < len(output_shape) or column else "categorical"


class MadeByName:
    """Makes the metrics of one `compile` that are given by the names of their classes, such as `'AUC'`.

    tf.keras numbers them afresh in each `compile`: whoever reads `history['auc']` finds it there every time.

    Args:
        dialect: The dialect that they are made in; the current one if `None`.
    """

    def __init__(self, dialect: str | None = None) -> None:
        self.dialect = dialect
        self._numbers: dict[str, int] = {}

    def make(self, identifier: Any, rules: Rules) -> Any:
        """Return the metric, or the function, that an item of `compile(metrics=…)` names.

        Args:
            identifier: A name, configuration, function, class or object.
            rules: The model's rules.
        """
        named = identifier["class_name"] if isinstance(identifier, dict) else identifier
        named = registry.lookup("metric", named) if isinstance(named, str) else named
        if rules.zero_based_names and inspect.isclass(named) and issubclass(named, Metric) and _numbers_itself(named):
            kind = settings.snake_case(named.__name__)
            number = self._numbers[kind] = self._numbers.get(kind, -1) + 1
            told = identifier.get("config") if isinstance(identifier, dict) else None
            config = {"name": f"{kind}_{number}" if number else kind, **(told or {})}
            with dialects.using(self.dialect) if self.dialect else contextlib.nullcontext():
                return named.from_config(config)
        return registry.get("metric", identifier, dialect=self.dialect)


def _numbers_itself(metric_class: type) -> bool:
    """Tell whether a metric that is given no name gets that of its class, with a number."""
    name = inspect.signature(metric_class).parameters.get("name")
    return name is not None and name.default is None


def resolve(
    identifier: Any,
    *,
    rules: Rules | None = None,
    loss: Any = None,
    output_shape: Shape,
    target_shape: Shape | None = None,
    made_by_name: MadeByName | None = None,
) -> tuple[str, Metric]:
    """Return the key in the history and the metric that an item of `compile(metrics=…)` stands for.

    Args:
        identifier: A name, configuration, function, class or object.
        rules: The model's rules; those of the current dialect if `None`.
        loss: The loss of the output, as given or as `losses.resolve` returned it.
        output_shape: The shape of the predictions, the batch first.
        target_shape: The shape of the targets, the batch first; where it is unknown, the loss decides.
        made_by_name: Makes a metric whose class is named, and knows those of the same `compile`.

    Raises:
        ValueError: A name that is not known.
        TypeError: Something that cannot be a metric.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.resolve('acc', loss='sparse_categorical_crossentropy', output_shape=(None, 10))
        ('acc', <MeanMetricWrapper 'acc'>)
    """
    rules = rules or dialects.current().rules
    if isinstance(identifier, str) and identifier in _SHORT:
        by_shape = rules.accuracy_by_shape and target_shape is not None
        kind = _kind_by_shape(target_shape or (), output_shape) if by_shape else _kind_by_loss(loss, output_shape)
        name = name_in_logs(identifier, rules)
        return name, _wrapped(_SHORT[identifier][1][kind], name, rules)
    metric = (made_by_name or MadeByName()).make(identifier, rules)
    if isinstance(metric, Metric):
        return metric.own_name, metric
    if not callable(metric):
        raise TypeError(
            f"compile(metrics=[{show(identifier)}]): a metric must be a name, a function or a Metric object."
        )
    name = name_in_logs(identifier if isinstance(identifier, str) else metric, rules)
    return name, _wrapped(metric, name, rules)


def name_in_logs(identifier: Any, rules: Rules) -> str:
    """Return what logs call an item of `compile(metrics=…)`, before any metric is made of it.

    Args:
        identifier: A name, configuration, function, class or object.
        rules: The model's rules.

    Raises:
        ValueError: A name that is not known.

    Example:
        >>> from torchkeras_compat import metrics
        >>> from torchkeras_compat._core import dialects
        >>> [metrics.name_in_logs(one, dialects.current().rules) for one in ('acc', 'AUC', metrics.mae)]
        ['acc', 'auc', 'mean_absolute_error']
    """
    if isinstance(identifier, dict):
        told = identifier.get("config") or {}
        return str(told.get("name") or name_in_logs(identifier["class_name"], rules))
    if isinstance(identifier, str) and identifier in _SHORT:
        return _SHORT[identifier][0] if rules.metric_names_resolved else identifier
    named = registry.lookup("metric", identifier) if isinstance(identifier, str) else identifier
    if isinstance(named, Metric):
        return named.own_name
    if inspect.isclass(named):
        return settings.snake_case(named.__name__)
    if rules.metric_names_resolved:
        return _CLASSIC_NAMES.get(_name(named), _name(named))
    return identifier if isinstance(identifier, str) else _name(named)


def check(identifier: Any) -> None:
    """Raise what `resolve` would raise about an item of `compile(metrics=…)`, before any shape is known.

    Args:
        identifier: A name, configuration, function, class or object.

    Raises:
        ValueError: A name that is not known.
        TypeError: Something that cannot be a metric.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.check('accuracy')
    """
    if isinstance(identifier, str):
        if identifier not in _SHORT:
            registry.lookup("metric", identifier)
    elif not callable(identifier):
        registry.get("metric", identifier)


def _name(function: Any) -> str:
    """Return a function's name; what has none, such as a `functools.partial`, is called by its class, as in Keras."""
    name = getattr(function, "name", None) or getattr(function, "__name__", None)
    return str(name or settings.snake_case(type(function).__name__))


def _wrapped(function: Callable[..., Any], name: str, rules: Rules) -> Metric:
    if not any(known is function for known in registry.KINDS["metric"].entries.values()):
        function = _aligned(under(function, rules))
    metric = MeanMetricWrapper(function, name=name)
    metric._rules = rules  # of the model, not those current here
    return metric


def _aligned(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a user's function see targets of shape (N,) as (N, 1) where the predictions have two axes, as Keras does."""
    called = calling(function)

    @functools.wraps(function, assigned=("__name__", "__doc__", "__module__"))
    def call(y_true: Any, y_pred: Any, **options: Any) -> Any:
        y_true, y_pred = tensors(y_true, y_pred, cast=False)
        if y_true.is_floating_point():
            y_true = y_true.to(y_pred.dtype)
        return called(*align(y_true, y_pred), **options)

    return call


# (metric, last activation) → the same from what the activation is applied to: softmax keeps the order of the classes,
# and a sigmoid exceeds one half where its argument is positive.
_UNCHANGED: dict[tuple[Any, str | None], Callable[..., Tensor]] = {
    (accuracies.categorical_accuracy, "softmax"): accuracies.categorical_accuracy,
    (accuracies.sparse_categorical_accuracy, "softmax"): accuracies.sparse_categorical_accuracy,
    (accuracies.binary_accuracy, "sigmoid"): functools.partial(accuracies.binary_accuracy, threshold=0.0),
}


def fused(metric: Metric, activation: Any, rules: Rules | None = None) -> fusion.FromLogits | None:
    """Return a metric's values as a function of (targets, logits), `None` where it needs the predictions.

    Measured on 2.15.0: a cross-entropy given as a metric is computed from the logits of the last activation too.  The
    accuracies ask for an order or a side, which the activation does not change, so it is spared.

    Args:
        metric: What `resolve` returned.
        activation: Name or function of the model's last activation.
        rules: The model's rules; those of the current dialect if `None`.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.fused(metrics.BinaryCrossentropy(), 'sigmoid') is not None
        True
    """
    if not isinstance(metric, (FunctionMetric, MeanMetricWrapper)) or not metric.averages:
        return None
    function: Any = metric.fn if isinstance(metric, MeanMetricWrapper) else type(metric).fn
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", None)
    unchanged = _UNCHANGED.get((function, name)) if isinstance(function, Hashable) else None
    if unchanged is not None and metric.chosen().get("threshold", 0.5) == 0.5:
        options = {k: v for k, v in metric.chosen().items() if k != "threshold"}
        return functools.partial(unchanged, **options) if options else unchanged
    return fusion.fused(functools.partial(function, **metric.chosen()), activation, rules)
