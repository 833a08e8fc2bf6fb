"""MobileNet, and pictures as it expects them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ..models import Model
from ._mobile import FirstVersion
from ._network import CLASSES, IMAGENET, Activation, Options
from .imagenet_utils import decode_predictions, scale_to_one

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

preprocess_input = scale_to_one


def MobileNet(
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = IMAGENET,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = CLASSES,
    classifier_activation: Activation = "softmax",
) -> Model:
    """Return MobileNet.

    Args:
        input_shape: The shape of a picture; 224 × 224 × 3 where `None`, and with `include_top=False` any.
        alpha: The factor of all widths.
        depth_multiplier: How many channels a depthwise convolution makes of one.
        dropout: What part of the last features the head drops.
        include_top: Whether the head that tells classes apart belongs to it.
        weights: `'imagenet'` for those that were trained on ImageNet, the path of a file, or `None` for new ones.
        input_tensor: A tensor of Keras to stand on.
        pooling: What follows the last block where there is no head: `'avg'`, `'max'` or `None`.
        classes: How many the head tells apart.
        classifier_activation: What the head ends in; `None` for logits.

    Shape:
        Pictures `(n, height, width, 3)` to `(n, classes)`; without head and pooling to `(n, rows, columns, channels)`.

    Raises:
        ValueError: An argument that does not fit the network or its weights.
        DownloadError: The weights are not there and cannot be loaded.

    Example:
        >>> MobileNet(weights=None, alpha=.25, input_shape=(32, 32, 3), include_top=False).output_shape
        (None, 1, 1, 256)
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return FirstVersion(alpha, depth_multiplier, dropout, options).build()
