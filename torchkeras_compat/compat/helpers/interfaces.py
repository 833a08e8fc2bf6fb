"""The decorators of `keras.legacy.interfaces`, by which layers of Keras 2 took the arguments of Keras 1.

A decorated constructor or method of a user's gets its arguments in the spelling of Keras 2, by the tables of the class
that the decorator is named after.

Source: `keras/legacy/interfaces.py`, Keras 2.0.8 to 2.3.1.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from ..._core import border, dialects

Function = Callable[..., Any]
Decorator = Callable[[Function], Function]
Given = tuple[tuple[Any, ...], dict[str, Any]]


def _before(change: Callable[[Function, Any, tuple[Any, ...], dict[str, Any]], Given]) -> Decorator:
    """Return a decorator of methods whose arguments `change` rewrites before the call."""

    def support(func: Function) -> Function:
        @functools.wraps(func)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            args, kwargs = change(func, self, args, kwargs)
            return func(self, *args, **kwargs)

        return call

    return support


def _by_tables(owner: str) -> Decorator:
    def change(func: Function, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
        own = frozenset(inspect.signature(func).parameters)
        return border.translate(owner.format(func.__name__), args, kwargs, dialects.of(self), own)

    return _before(change)


def _shape_by_name(func: Function, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
    """Keras 1 has the shape of `add_weight` first, and perhaps the name behind it."""
    if not args or not isinstance(args[0], (tuple, list)):
        return args, kwargs
    shape, *others = args
    if others and isinstance(others[0], str):
        kwargs = {**kwargs, "name": others.pop(0)}
    return tuple(others), {**kwargs, "shape": shape}


def _loss_and_params(func: Function, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
    """Keras 1 calls `get_updates(params, constraints, loss)`, Keras 2 `get_updates(loss, params)`."""
    if len(args) == 3:
        return (), {**kwargs, "params": args[0], "loss": args[2]}
    if len(args) == 2 and isinstance(args[0], (list, tuple)) and isinstance(args[1], dict):
        return (), {**kwargs, "params": args[0]}
    return args, kwargs


# What the decorator is named after → whose tables it applies.
OWNERS = {
    "dense": "Dense",
    "dropout": "Dropout",
    "embedding": "Embedding",
    "pooling1d": "MaxPooling1D",
    "pooling2d": "MaxPooling2D",
    "pooling3d": "MaxPooling3D",
    "global_pooling": "GlobalMaxPooling2D",
    "prelu": "PReLU",
    "gaussiannoise": "GaussianNoise",
    "gaussiandropout": "GaussianDropout",
    "recurrent": "LSTM",
    "upsampling1d": "UpSampling1D",
    "upsampling2d": "UpSampling2D",
    "upsampling3d": "UpSampling3D",
    "conv1d": "Conv1D",
    "conv2d": "Conv2D",
    "conv3d": "Conv3D",
    "separable_conv2d": "SeparableConv2D",
    "deconv2d": "Conv2DTranspose",
    "convlstm2d": "ConvLSTM2D",
    "batchnorm": "BatchNormalization",
    "zeropadding2d": "ZeroPadding2D",
    "zeropadding3d": "ZeroPadding3D",
    "cropping2d": "Cropping2D",
    "cropping3d": "Cropping3D",
    "spatialdropout1d": "SpatialDropout1D",
    "spatialdropoutNd": "SpatialDropout2D",
    "lambda": "Lambda",
    "model_constructor": "Model",
    "generator_methods": "ClassicCalls.{}",
}
SUPPORTS: dict[str, Decorator] = {
    **{f"legacy_{name}_support": _by_tables(owner) for name, owner in OWNERS.items()},
    "legacy_add_weight_support": _before(_shape_by_name),
    "legacy_get_updates_support": _before(_loss_and_params),
}
globals().update(SUPPORTS)


def raise_duplicate_arg_error(old_arg: str, new_arg: str) -> NoReturn:
    """Raise for an argument that is given in both spellings.

    Args:
        old_arg: The old spelling.
        new_arg: Today's.

    Raises:
        TypeError: Always.

    Example:
        >>> raise_duplicate_arg_error('p', 'rate')
        Traceback (most recent call last):
        TypeError: p and rate are one argument; give only rate.
    """
    raise TypeError(f"{old_arg} and {new_arg} are one argument; give only {new_arg}.")


def generate_legacy_interface(
    allowed_positional_args: Sequence[str] | None = None,
    conversions: Sequence[tuple[str, str]] | None = None,
    preprocessor: Callable[[Any, Any], tuple[Any, Any, Any]] | None = None,
    value_conversions: Mapping[str, Mapping[Any, Any]] | None = None,
    object_type: str = "class",
) -> Decorator:
    """Return a decorator for a constructor or method that gives it old arguments in their new spelling.

    Args:
        allowed_positional_args: The arguments that may be given by place; any number where it is left out.
        conversions: Pairs of an old and a new name.
        preprocessor: Rewrites `(args, kwargs)`, of which the first is the object, before all else, and returns them
            with a list of pairs (new, old).
        value_conversions: Argument → old value → new value.
        object_type: `'class'` where a constructor is decorated, else the method's name is in errors and warnings.

    Raises:
        TypeError: The decorated function is given more arguments by place, or one in both spellings.

    Example:
        >>> class Scale:
        ...     @generate_legacy_interface(['by'], [('factor', 'by')])
        ...     def __init__(self, by):
        ...         self.by = by
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter('ignore')
        ...     Scale(factor=3).by
        3
    """

    def change(func: Function, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
        name = type(self).__name__ if object_type == "class" else func.__name__
        if preprocessor is not None:
            (_, *rest), kwargs, _ = preprocessor((self, *args), dict(kwargs))
            args = tuple(rest)
        if allowed_positional_args is not None and len(args) > len(allowed_positional_args):
            raise TypeError(
                f"{name}: by place there may be {list(allowed_positional_args)}; got {len(args)} arguments."
            )
        for argument, values in (value_conversions or {}).items():
            if argument in kwargs:
                kwargs[argument] = values.get(kwargs[argument], kwargs[argument])
        for old, new in conversions or ():
            if old in kwargs:
                if new in kwargs:
                    raise_duplicate_arg_error(old, new)
                kwargs[new] = kwargs.pop(old)
                border.warn_once(name, old, f"is now {new}=….")
        return args, kwargs

    return _before(change)


generate_legacy_method_interface = functools.partial(generate_legacy_interface, object_type="method")
