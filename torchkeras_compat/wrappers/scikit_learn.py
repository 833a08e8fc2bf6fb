"""Models as classifiers and regressors of scikit-learn, for its folds, searches, pipelines and votes.

The interface is that of `keras.wrappers.scikit_learn` in Keras 1.0 to 2.11; the base classes are scikit-learn's.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from .. import losses
from .._core import dialects
from .._core.border import TABLES, entrance, translate, user_stacklevel
from .._core.errors import and_list, argument_error, did_you_mean, show
from ..models import Model
from ..utils import to_categorical

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.metrics import accuracy_score
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "wrappers.scikit_learn needs scikit-learn 1.6 or newer: pip install torchkeras_compat[sklearn]"
    ) from error

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]

Array = np.ndarray[Any, Any]

# Losses whose targets have a column for each class.
ONE_HOT_LOSSES = (losses.CategoricalCrossentropy, losses.CategoricalFocalCrossentropy, losses.CategoricalHinge)
DATA = ("self", "x", "y")


class BaseWrapper(BaseEstimator):
    """What the classifier and the regressor share: what makes a model, and what it and `fit` are called with.

    Args:
        build_fn: Makes and compiles a model: a function, a method or an object that can be called; `None` in a subclass
            that has a `__call__`.
        sk_params: Arguments of `build_fn`, and of the model's `fit`, `predict` and `evaluate`. What a method is called
            with comes before them.

    Raises:
        ValueError: A parameter that none of them takes, or a model in place of `build_fn`.
    """

    model: Any

    def __init__(self, build_fn: Callable[..., Any] | None = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        own = frozenset(_arguments(self._builder()))  # `model` may be an argument of theirs
        sk_params = translate("BaseWrapper", (), sk_params, dialects.of(self), own)[1]
        self.build_fn = sk_params.pop("build_fn", build_fn)
        self.sk_params = sk_params
        self.check_params(sk_params)

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Raise for the parameters that neither `build_fn` nor a method of the model takes.

        Args:
            params: The parameters by name.

        Raises:
            ValueError: One that nothing takes.
        """
        if isinstance(self.build_fn, Model):
            raise ValueError(
                f"{self._name}(build_fn=…): {self.build_fn.name!r} is a model, and each fit needs a new one; give a "
                f"function that makes and compiles it."
            )
        if not (self.build_fn is None or callable(self.build_fn)):
            raise argument_error(self._name, "build_fn", "a function that makes a model", self.build_fn, TypeError)
        known = [name for names in OF_THE_MODEL.values() for name in names if name not in DATA]
        known += [*_arguments(self._builder()), *TABLES.spellings["Trainer.fit"]]
        if unknown := [name for name in params if name not in known]:
            raise ValueError(
                f"{self._name}({unknown[0]}={show(params[unknown[0]])}): {unknown[0]} is no legal parameter, neither "
                f"build_fn nor fit, predict or evaluate takes it; {did_you_mean(unknown[0], known)}"
            )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, `build_fn` among them.

        Args:
            deep: Taken for scikit-learn's sake: no parameter is an estimator.

        Example:
            >>> from torchkeras_compat.wrappers.scikit_learn import KerasRegressor
            >>> KerasRegressor(print, epochs=5).get_params()
            {'epochs': 5, 'build_fn': <built-in function print>}
        """
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> BaseWrapper:
        """Change some parameters, and return the estimator.

        Args:
            params: The parameters by name.

        Raises:
            ValueError: One that nothing takes.
        """
        params = dict(params)
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def filter_sk_params(self, fn: Callable[..., Any], override: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return those of the parameters that a function takes by name.

        Args:
            fn: The function.
            override: What comes before them, whether the function takes it or not.
        """
        known = _arguments(fn)
        return {**{name: value for name, value in self.sk_params.items() if name in known}, **(override or {})}

    @entrance
    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Make a model, train it, and return its `History`.

        Args:
            x: Inputs.
            y: Targets.
            sample_weight: A weight for each sample.
            kwargs: Arguments of the model's `fit`.
        """
        if y is None:
            raise ValueError(f"{self._name}.fit requires y to be passed, but the target y is None.")
        self._follow_features(x, reset=True)
        self.model = self._new_model()
        told = {**self._spelled({**self._old_spellings(), **self._told(Model.fit)}), **self._spelled(kwargs)}
        if sample_weight is not None:
            told["sample_weight"] = sample_weight
        return self._train(x, y, told)

    def _train(self, x: Any, y: Any, told: dict[str, Any]) -> Any:
        return self.model.fit(x, y, **told)

    def _predictions(self, x: Any, told: Mapping[str, Any]) -> Array:
        self._follow_features(x)
        return np.asarray(self.model.predict(x, **{**self._told(Model.predict), **told}))

    def _evaluated(self, x: Any, y: Any, sample_weight: Any, told: Mapping[str, Any]) -> dict[str, float]:
        """Return the loss and the metrics by name."""
        self._follow_features(x)
        arguments = {**self._told(Model.evaluate), **told, "return_dict": True}
        if sample_weight is not None:
            arguments["sample_weight"] = sample_weight
        values: dict[str, float] = self.model.evaluate(x, y, **arguments)
        return values

    def _told(self, method: Callable[..., Any]) -> dict[str, Any]:
        """Return the parameters for a method of the model; each call gets callbacks of its own, as they were given."""
        told = self.filter_sk_params(method)
        if "callbacks" in told:
            told["callbacks"] = copy.deepcopy(told["callbacks"])
        return told

    def _follow_features(self, x: Any, reset: bool = False) -> None:
        """Remember the number and the names of features, or compare them; several inputs have no one number."""
        if not reset:
            check_is_fitted(self)
        if hasattr(x, "shape") and len(x.shape) > 1:
            validate_data(self, x, reset=reset, skip_check_array=True)

    def _builder(self) -> Callable[..., Any] | None:
        """Return what makes the model: a subclass's `__call__` where no function was given."""
        if self.build_fn is None:
            return self if callable(self) else None
        return self.build_fn

    def _new_model(self) -> Any:
        builder = self._builder()
        if builder is None:
            raise ValueError(
                f"{self._name}: there is no build_fn; give a function that makes and compiles a model, or write "
                f"__call__ in a subclass."
            )
        with dialects.using(dialects.of(self).name):
            model = builder(**self.filter_sk_params(builder))
        if not isinstance(model, Model):
            raise TypeError(f"{self._name}: build_fn must return a compiled model; got {show(model)}.")
        return model

    def _old_spellings(self) -> dict[str, Any]:
        table = TABLES.spellings["Trainer.fit"]
        return {name: value for name, value in self.sk_params.items() if name in table}

    def _spelled(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return arguments of `fit` in today's spelling, so that `epochs` comes before `nb_epoch` of the estimator."""
        return translate("Trainer.fit", (), arguments, dialects.of(self))[1]

    def __getstate__(self) -> dict[str, Any]:
        """Keep the dialect: a worker of joblib has its own."""
        return {**super().__getstate__(), "_dialect": dialects.of(self).name}

    @property
    def _name(self) -> str:
        return type(self).__name__

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # weights, order and dropout are drawn anew by each fit
        tags.input_tags.allow_nan = True  # what a model does with it is the model's own
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        return tags


class KerasClassifier(ClassifierMixin, BaseWrapper):
    """A model as a classifier of scikit-learn.

    Args:
        build_fn: Makes and compiles a model: a function, a method or an object that can be called; `None` in a subclass
            that has a `__call__`.
        sk_params: Arguments of `build_fn`, and of the model's `fit`, `predict` and `evaluate`. What a method is called
            with comes before them.

    Shape:
        Labels are numbers or strings, `(batch,)` or `(batch, 1)`, or one-hot, `(batch, classes)`. The model meets them
        as 0, 1, …, one-hot where its loss is a categorical one, and so do the keys of `class_weight`, unless they are
        the labels.

    Raises:
        ValueError: A parameter that nothing takes, or a model in place of `build_fn`.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Dense
        >>> from torchkeras_compat.models import Sequential
        >>> from torchkeras_compat.wrappers.scikit_learn import KerasClassifier
        >>> def create_model(units=8):
        ...     model = Sequential([Dense(units, activation='relu', input_dim=4), Dense(3, activation='softmax')])
        ...     model.compile('adam', 'categorical_crossentropy', metrics=['accuracy'])
        ...     return model
        >>> x, y = np.eye(6, 4), np.array(['rose', 'lily', 'iris'] * 2)
        >>> classifier = KerasClassifier(build_fn=create_model, units=4, epochs=2, verbose=0)
        >>> classifier.fit(x, y).epoch
        [0, 1]
        >>> classifier.classes_.tolist(), classifier.predict(x).shape, classifier.predict_proba(x).shape
        (['iris', 'lily', 'rose'], (6,), (6, 3))
    """

    classes_: Array
    n_classes_: int

    @entrance
    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Make a model, train it, and return its `History`; `classes_` has the labels.

        Args:
            x: Inputs.
            y: Labels, or a column for each class.
            sample_weight: A weight for each sample.
            kwargs: Arguments of the model's `fit`.

        Raises:
            ValueError: Labels that are no classes, such as prices, or of three or more axes.
        """
        if y is not None:
            y = np.asarray(y)
            self.classes_ = self._classes_of(y)
            self.n_classes_ = len(self.classes_)
        return super().fit(x, y, sample_weight, **kwargs)

    @entrance
    def predict(self, x: Any, **kwargs: Any) -> Array:
        """Return the label of each sample.

        Args:
            x: Inputs.
            kwargs: Arguments of the model's `predict`.
        """
        classes = self._probabilities(x, kwargs)[..., : self.n_classes_].argmax(-1)  # further units have no label
        labels: Array = self.classes_[classes]
        return labels

    @entrance
    def predict_proba(self, x: Any, **kwargs: Any) -> Array:
        """Return the probability of each class.

        Args:
            x: Inputs.
            kwargs: Arguments of the model's `predict`.

        Shape:
            `(batch, classes)`: the one output of a sigmoid gives two columns.
        """
        return self._probabilities(x, kwargs)

    @entrance
    def score(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> float:
        """Return the accuracy, as the metric that the model was compiled with counts it.

        Args:
            x: Inputs.
            y: Labels, or a column for each class. One that `fit` has not seen is predicted for no sample.
            sample_weight: A weight for each sample.
            kwargs: Arguments of the model's `evaluate`.

        Raises:
            ValueError: The model computes no accuracy.
        """
        check_is_fitted(self)
        y = np.asarray(y)
        if self._has_labels(y) and (unseen := np.setdiff1d(y, self.classes_)).size:
            warnings.warn(
                f"{self._name}.score: fit has not seen the labels {and_list(map(repr, unseen.tolist()))}; no sample is "
                f"predicted as one. Folds that have every class come from StratifiedKFold.",
                stacklevel=user_stacklevel(),
            )
            return float(accuracy_score(y, self.predict(x), sample_weight=sample_weight))
        values = self._evaluated(x, self._encoded(y), sample_weight, kwargs)
        accuracies = [value for name, value in values.items() if name in ("acc", "accuracy")]
        if not accuracies:
            raise ValueError(
                f"{self._name}.score: the model computes no accuracy; write compile(…, metrics=['accuracy'])."
            )
        return accuracies[0]

    def _train(self, x: Any, y: Any, told: dict[str, Any]) -> Any:
        weights, held_out = told.get("class_weight"), told.get("validation_data")
        if isinstance(weights, dict) and set(weights) == set(self.classes_.tolist()):
            told["class_weight"] = {i: weights[label] for i, label in enumerate(self.classes_.tolist())}
        if isinstance(held_out, (tuple, list)) and len(held_out) > 1 and held_out[1] is not None:
            labels = np.asarray(held_out[1])
            if self._has_labels(labels) and np.isin(labels, self.classes_).all():
                told["validation_data"] = (held_out[0], self._encoded(labels), *held_out[2:])
        return super()._train(x, self._encoded(y), told)

    def _probabilities(self, x: Any, told: Mapping[str, Any]) -> Array:
        predictions = self._predictions(x, told)
        if predictions.shape[-1] > 1:
            return predictions
        if self.n_classes_ == 1:
            return np.ones_like(predictions)
        return np.concatenate([1 - predictions, predictions], axis=-1)

    def _classes_of(self, y: Array) -> Array:
        if y.ndim not in (1, 2):
            raise ValueError(f"{self._name}.fit: y must have one axis, or a second one for classes; got {show(y)}.")
        if not self._has_labels(y):
            return np.arange(y.shape[1])
        check_classification_targets(y)
        return np.unique(y)

    def _has_labels(self, y: Array) -> bool:
        """Tell whether targets are labels, and no columns for classes."""
        return y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)

    def _encoded(self, y: Array) -> Array:
        """Return targets as the model takes them."""
        if not self._has_labels(y):
            return y
        indices: Array = np.searchsorted(self.classes_, y)
        return to_categorical(indices, self.n_classes_) if _takes_one_hot(self.model.loss) else indices


class KerasRegressor(RegressorMixin, BaseWrapper):
    """A model as a regressor of scikit-learn.

    Args:
        build_fn: Makes and compiles a model: a function, a method or an object that can be called; `None` in a subclass
            that has a `__call__`.
        sk_params: Arguments of `build_fn`, and of the model's `fit`, `predict` and `evaluate`. What a method is called
            with comes before them.

    Raises:
        ValueError: A parameter that nothing takes, or a model in place of `build_fn`.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Dense
        >>> from torchkeras_compat.models import Sequential
        >>> from torchkeras_compat.wrappers.scikit_learn import KerasRegressor
        >>> def create_model():
        ...     model = Sequential([Dense(1, input_dim=2)])
        ...     model.compile('sgd', 'mse')
        ...     return model
        >>> regressor = KerasRegressor(build_fn=create_model, epochs=3, verbose=0)
        >>> x, y = np.eye(2), np.array([1.0, 2.0])
        >>> _ = regressor.fit(x, y)
        >>> regressor.predict(x).shape, regressor.score(x, y) < 0
        ((2,), True)
    """

    @entrance
    def predict(self, x: Any, **kwargs: Any) -> Array:
        """Return the predictions; those of a single output without its axis.

        Args:
            x: Inputs.
            kwargs: Arguments of the model's `predict`.
        """
        predictions = self._predictions(x, kwargs)
        return predictions[..., 0] if predictions.shape[-1] == 1 else predictions

    @entrance
    def score(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> float:
        """Return minus the loss, so that more is better; up to Keras 2.0.8 it was the loss (dialect `keras-1`).

        Args:
            x: Inputs.
            y: Targets.
            sample_weight: A weight for each sample.
            kwargs: Arguments of the model's `evaluate`.
        """
        loss = self._evaluated(x, y, sample_weight, kwargs)["loss"]
        return loss if self.model._rules.regressors_score_loss else -loss


def _arguments(function: Callable[..., Any] | None) -> list[str]:
    """Return the names of the arguments that a function takes by name."""
    if not callable(function):
        return []
    if isinstance(function, FunctionType) and function in OF_THE_MODEL:
        return OF_THE_MODEL[function]
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


# Asked for by every fit, predict and score.
OF_THE_MODEL: dict[Any, list[str]] = {}
OF_THE_MODEL.update({method: _arguments(method) for method in (Model.fit, Model.predict, Model.evaluate)})


def _takes_one_hot(loss: Any) -> bool:
    """Tell whether the targets of a loss have a column for each class."""
    loss = losses.get(loss) if isinstance(loss, str) else loss
    return isinstance(loss, ONE_HOT_LOSSES) or getattr(loss, "__name__", "").startswith("categorical_")
