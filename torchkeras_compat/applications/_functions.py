"""The functions that users call: all of one family have Keras's arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from .._core.ownership import PACKAGE
from ..models import Model
from ._network import CLASSES, IMAGENET, Activation, Network, Options

_ARGUMENTS = """

Args:
    include_top: Whether the head that tells classes apart belongs to it.
    weights: `'imagenet'` for those that were trained on ImageNet, the path of a file, or `None` for new ones.
    input_tensor: A tensor of Keras to stand on.
    input_shape: The shape of a picture; the one that the network was trained on where `None`, and with
        `include_top=False` any.
    pooling: What follows the last block where there is no head: `'avg'`, `'max'` or `None`.
    classes: How many the head tells apart.
    classifier_activation: What the head ends in; `None` for logits.

Shape:
    Pictures `(n, height, width, 3)` to `(n, classes)`; without head and pooling to `(n, rows, columns, channels)`.

Raises:
    ValueError: An argument that does not fit the network or its weights.
    DownloadError: The weights are not there and cannot be loaded.
"""


class NetworkFunction(Protocol):
    """What makes a network."""

    __name__: str

    def __call__(
        self,
        include_top: bool = True,
        weights: str | os.PathLike[str] | None = IMAGENET,
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Activation = "softmax",
        **settings: Any,
    ) -> Model: ...


def network_function(
    name: str, what: str, module: str, make: Callable[..., Network], settings: tuple[str, ...] = ()
) -> NetworkFunction:
    """Return the function that makes a network.

    Args:
        name: Its name.
        what: What it makes, for its documentation.
        module: The module that it is in.
        make: Makes the network from the user's arguments.
        settings: Keywords beside the arguments of all networks.
    """

    def function(
        include_top: bool = True,
        weights: str | os.PathLike[str] | None = IMAGENET,
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Activation = "softmax",
        **more: Any,
    ) -> Model:
        for keyword in more:
            if keyword not in settings:
                raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}")
        options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        return make(options, **more).build()

    function.__name__ = function.__qualname__ = name
    function.__module__ = f"{PACKAGE}.applications.{module}"
    function.__doc__ = f"Return {what}.{_ARGUMENTS}"
    return function
