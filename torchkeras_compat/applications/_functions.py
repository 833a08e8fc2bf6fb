"""The functions that users call: what their arguments mean stands here, which they take and in what order is theirs."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

from .._core.ownership import PACKAGE
from ..models import Model
from ._network import CLASSES, IMAGENET, Network, Options

NetworkFunction = Callable[..., Model]


@dataclasses.dataclass(frozen=True)
class Argument:
    """An argument of functions that make networks: its default, and what it means, for their documentation."""

    default: Any
    meaning: str


ARGUMENTS: dict[str, Argument] = {
    "include_top": Argument(True, "Whether the head that tells classes apart belongs to it."),
    "weights": Argument(
        IMAGENET,
        "`'imagenet'` for those that were trained on ImageNet, the path of a file, or `None` for new ones.",
    ),
    "input_tensor": Argument(None, "A tensor of Keras to stand on."),
    "input_shape": Argument(
        None,
        "The shape of a picture; the one that the network was trained on where `None`, and with\n"
        "        `include_top=False` any.",
    ),
    "pooling": Argument(None, "What follows the last block where there is no head: `'avg'`, `'max'` or `None`."),
    "classes": Argument(CLASSES, "How many the head tells apart."),
    "classifier_activation": Argument("softmax", "What the head ends in; `None` for logits."),
    "include_preprocessing": Argument(True, "Whether it scales pictures from 0 to 255 itself."),
    "model_name": Argument(None, "The name of the model, with which those of its layers begin."),
    "alpha": Argument(1.0, "The factor of all widths."),
    "depth_multiplier": Argument(1, "How many channels a depthwise convolution makes of one."),
    "dropout": Argument(1e-3, "What part of the last features the head drops."),
    "dropout_rate": Argument(0.2, "What part of the last features the head drops."),
    "drop_connect_rate": Argument(
        0.2, "What part of the pictures the last block's branch is dropped for; less for those before."
    ),
    "minimalistic": Argument(
        False, "Whether it does without weighted channels, kernels 5 × 5 and activations other than ReLU."
    ),
}
USUAL = "include_top weights input_tensor input_shape pooling classes classifier_activation"
_COMMON = [field.name for field in dataclasses.fields(Options)]
_REST = """
Shape:
    Pictures `(n, height, width, 3)` to `(n, classes)`; without head and pooling to `(n, rows, columns, channels)`.

Raises:
    ValueError: An argument that does not fit the network or its weights.
    DownloadError: The weights are not there and cannot be loaded.
"""


def network_function(
    name: str, what: str, module: str, make: Callable[..., Network], arguments: str = USUAL, **defaults: Any
) -> NetworkFunction:
    """Return the function that makes a network.

    Args:
        name: Its name.
        what: What it makes, for its documentation.
        module: The module that it is in.
        make: Makes the network from `Options`, and from the arguments that not every network has.
        arguments: Its arguments in Keras's order, of those in `ARGUMENTS`.
        defaults: Those of its arguments that differ from the usual ones.
    """
    names = arguments.split()
    signature = inspect.Signature(
        [
            inspect.Parameter(
                argument,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=defaults.get(argument, ARGUMENTS[argument].default),
            )
            for argument in names
        ]
    )

    def function(*args: Any, **kwargs: Any) -> Model:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}() {error}") from None
        bound.apply_defaults()
        options = Options(*(bound.arguments.pop(argument) for argument in _COMMON))
        return make(options, **bound.arguments).build()

    function.__name__ = function.__qualname__ = name
    function.__module__ = f"{PACKAGE}.applications.{module}"
    told = "\n".join(f"    {argument}: {ARGUMENTS[argument].meaning}" for argument in names)
    function.__doc__ = f"Return {what}.\n\nArgs:\n{told}\n{_REST}"
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function
