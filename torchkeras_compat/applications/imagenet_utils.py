"""Pictures as the networks of ImageNet expect them, and their predictions as words."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend as K
from .._core.errors import choice, positive_int
from ._frames import Frame, Shape
from ._network import CLASSES, DEVIATIONS, IMAGENET, MEANS
from ._weight_files import CLASS_INDEX, CLASS_INDEX_MD5, located

__all__ = ["decode_predictions", "obtain_input_shape", "preprocess_input"]

BGR_MEANS = (103.939, 116.779, 123.68)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Return pictures as a network expects them; arrays of floats are written over, as in Keras.

    Args:
        x: Pictures, or one, with values from 0 to 255: an array or a tensor.
        data_format: `'channels_last'` or `'channels_first'`; that of the backend where `None`.
        mode: `'caffe'` for blue, green, red less their means, `'tf'` for -1 to 1, `'torch'` for each colour less its
            mean by its deviation, on a scale from 0 to 1.

    Shape:
        `(n, height, width, 3)` or `(height, width, 3)`, and the same out.

    Raises:
        ValueError: Another mode or format.

    Example:
        >>> preprocess_input(np.full((1, 1, 1, 3), 255.), mode='tf').ravel().tolist()
        [1.0, 1.0, 1.0]
        >>> preprocess_input(np.zeros((1, 1, 3))).ravel().tolist()
        [-103.939, -116.779, -123.68]
    """
    mode = choice("preprocess_input", "mode", mode, ("caffe", "tf", "torch"))
    data_format = choice(
        "preprocess_input",
        "data_format",
        data_format or K.image_data_format(),
        ("channels_last", "channels_first"),
    )
    if isinstance(x, np.ndarray):
        return _of_array(x, data_format, mode)
    if not K.is_keras_tensor(x):
        x = K.cast(x, K.floatx())
    if mode == "tf":
        return x / 127.5 - 1.0
    channels = -1 if data_format == "channels_last" else -3
    shape = (3,) if channels == -1 else (3, 1, 1)
    means, deviations = _in_mode(mode)
    if mode == "caffe":
        x = K.reverse(x, axes=channels % K.ndim(x))
    else:
        x = x / 255.0
    x = x - np.asarray(means, K.floatx()).reshape(shape)
    return x if deviations is None else x / np.asarray(deviations, K.floatx()).reshape(shape)


def _in_mode(mode: str) -> tuple[tuple[float, ...], tuple[float, ...] | None]:
    return (BGR_MEANS, None) if mode == "caffe" else (MEANS, DEVIATIONS)


def _of_array(x: np.ndarray[Any, Any], data_format: str, mode: str) -> np.ndarray[Any, Any]:
    if not issubclass(x.dtype.type, np.floating):
        x = x.astype(K.floatx(), copy=False)
    if mode == "tf":
        x /= 127.5
        x -= 1.0
        return x
    channels = -1 if data_format == "channels_last" else -3
    means, deviations = _in_mode(mode)
    if mode == "caffe":
        x = np.flip(x, channels)  # a view: what the user has keeps its order
    else:
        x /= 255.0
    last = np.moveaxis(x, channels, -1)
    last -= np.asarray(means, x.dtype)
    if deviations is not None:
        last /= np.asarray(deviations, x.dtype)
    return x


@functools.lru_cache(maxsize=1)
def _classes(path: str) -> list[tuple[str, str]]:
    with open(path, encoding="utf-8") as file:
        index: dict[str, tuple[str, str]] = json.load(file)
    return [(identifier, name) for identifier, name in (index[str(i)] for i in range(len(index)))]


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """Return the likeliest classes of each picture as `(identifier in WordNet, name, probability)`.

    Args:
        preds: What a network with the head of ImageNet predicts.
        top: How many classes of each picture.

    Shape:
        `(n, 1000)`.

    Raises:
        ValueError: Predictions of another shape.
        DownloadError: The list of classes is not there and cannot be loaded.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != CLASSES:
        raise ValueError(
            f"decode_predictions: preds must be predictions for the {CLASSES} classes of ImageNet, of shape "
            f"(samples, {CLASSES}); got an array of shape {preds.shape}."
        )
    top = positive_int("decode_predictions", "top", top)
    name = CLASS_INDEX.rsplit("/", 1)[-1]
    classes = _classes(located("decode_predictions", name, CLASS_INDEX, CLASS_INDEX_MD5))
    likeliest = preds.argsort(axis=1)[:, -top:][:, ::-1]
    return [[(*classes[i], row[i]) for i in best] for row, best in zip(preds, likeliest)]


def obtain_input_shape(
    input_shape: Sequence[int | None] | None,
    default_size: int,
    min_size: int,
    data_format: str | None,
    require_flatten: bool,
    weights: str | None = None,
) -> Shape:
    """Return the shape of a picture for a network of one's own, as Keras's networks choose theirs.

    Args:
        input_shape: The user's, or `None`.
        default_size: Height and width of pictures where the user says nothing.
        min_size: The least height and width.
        data_format: `'channels_last'` or `'channels_first'`; that of the backend where `None`.
        require_flatten: Whether the network ends in layers that need pictures of one size.
        weights: `'imagenet'` where weights of ImageNet are loaded.

    Raises:
        ValueError: A shape that does not fit.

    Example:
        >>> obtain_input_shape(None, 224, 32, 'channels_last', require_flatten=True)
        (224, 224, 3)
    """
    channels_first = (data_format or K.image_data_format()) == "channels_first"
    frame = Frame("obtain_input_shape", default_size, min_size, channels_first)
    return frame.fitted(input_shape, require_flatten, weights == IMAGENET)


def subtract_bgr_means(x: Any, data_format: str | None = None) -> Any:
    """Return pictures as blue, green, red, each less its mean over ImageNet: `preprocess_input` with `mode='caffe'`.

    Args:
        x: Pictures with values from 0 to 255; an array of floats is written over.
        data_format: `'channels_last'` or `'channels_first'`; that of the backend where `None`.

    Example:
        >>> subtract_bgr_means(np.zeros((1, 1, 3))).ravel().tolist()
        [-103.939, -116.779, -123.68]
    """
    return preprocess_input(x, data_format, "caffe")


def scale_to_one(x: Any, data_format: str | None = None) -> Any:
    """Return pictures on a scale from -1 to 1: `preprocess_input` with `mode='tf'`.

    Args:
        x: Pictures with values from 0 to 255; an array of floats is written over.
        data_format: `'channels_last'` or `'channels_first'`; that of the backend where `None`.

    Example:
        >>> scale_to_one(np.array([[[0, 255, 127.5]]])).ravel().tolist()
        [-1.0, 1.0, 0.0]
    """
    return preprocess_input(x, data_format, "tf")


def standardize_colours(x: Any, data_format: str | None = None) -> Any:
    """Return pictures with each colour less its mean by its deviation: `preprocess_input` with `mode='torch'`.

    Args:
        x: Pictures with values from 0 to 255; an array of floats is written over.
        data_format: `'channels_last'` or `'channels_first'`; that of the backend where `None`.

    Example:
        >>> standardize_colours(np.zeros((1, 1, 3))).round(3).ravel().tolist()
        [-2.118, -2.036, -1.804]
    """
    return preprocess_input(x, data_format, "torch")


def leave_as_is(x: Any, data_format: str | None = None) -> Any:
    """Return pictures as they are: the network scales them itself.

    Args:
        x: Pictures with values from 0 to 255.
        data_format: Not used.

    Example:
        >>> leave_as_is(np.ones((1, 1, 3))).ravel().tolist()
        [1.0, 1.0, 1.0]
    """
    return x
