"""Pictures and arrays: Pillow reads and writes, and is loaded only then."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._core import settings, shapes
from .._core.border import translated
from .._core.errors import choice, int_tuple, show

if TYPE_CHECKING:
    from PIL.Image import Image

_MODES = {"rgb": ("RGB",), "rgba": ("RGBA",), "grayscale": ("L", "I;16", "I")}
_RESAMPLING = {
    "nearest": "NEAREST",
    "bilinear": "BILINEAR",
    "bicubic": "BICUBIC",
    "hamming": "HAMMING",
    "box": "BOX",
    "lanczos": "LANCZOS",
}


def pillow(owner: str) -> ModuleType:
    """Return `PIL.Image`, or say how to install it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(f"{owner} needs Pillow: pip install torchkeras_compat[image]") from error
    return Image


def decoded(owner: str, contents: bytes, channels: int) -> NDArray[Any]:
    """Return the first picture in the bytes of a file as uint8, `(rows, columns, channels)`, as TensorFlow decodes it.

    Args:
        owner: Who asks, for an error.
        contents: The bytes.
        channels: How many: 1, 3, 4, or 0 for as many as the file has.
    """
    with pillow(owner).open(io.BytesIO(contents)) as picture:
        own = _own_channels(picture)
        if channels == 1 or (channels == 0 and own == 1):
            return _gray(picture)
        if picture.mode.startswith("I"):  # Pillow would cut its numbers off at 255
            picture = pillow(owner).fromarray(_gray(picture)[:, :, 0])
        return np.array(picture.convert({2: "LA", 3: "RGB", 4: "RGBA"}[channels or own]))


def _own_channels(picture: Image) -> int:
    """Return how many channels a picture has; one with a palette has those of its colours."""
    if picture.mode in ("1", "L", "LA", "I;16", "I"):
        return 2 if picture.mode == "LA" else 1
    return 4 if picture.mode == "RGBA" or (picture.mode == "P" and "transparency" in picture.info) else 3


def _gray(picture: Image) -> NDArray[Any]:
    if picture.format == "JPEG":
        picture.draft("L", None)  # the brightness in the file itself
    if picture.mode in ("1", "L"):
        return np.array(picture.convert("L"))[:, :, None]
    if picture.mode.startswith("I"):  # of 16 bits the upper ones
        return (np.asarray(picture, "int32") >> 8).astype("uint8")[:, :, None]
    return _brightness(np.asarray(picture.convert("RGB"), "int32"))


def _brightness(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the brightness of colours as libpng computes it, in whole numbers (`png_set_rgb_to_gray`)."""
    red, green = 9797, 19234  # .299 and .587 of 2**15
    gray: NDArray[Any] = pixels @ np.array([red, green, 2**15 - red - green], "int32") >> 15
    return gray.astype("uint8")[:, :, None]


@translated("array_to_img")
def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Image:
    """Turn an array into a Pillow image.

    Args:
        x: The array.
        data_format: Order of its axes; the process's default when `None`.
        scale: Whether the values are stretched to 0…255.
        dtype: Type to compute in; `floatx()` when `None`.

    Shape:
        `(rows, cols, channels)`, or `(channels, rows, cols)` with `'channels_first'`; 1, 3 or 4 channels.

    Raises:
        ValueError: Another number of axes or channels.
        ImportError: Pillow is missing.

    Example:
        >>> array_to_img([[[0.0], [1.0]]]).size
        (2, 1)
    """
    image = pillow("array_to_img")
    x = np.asarray(x, dtype=dtype or settings.floatx())
    layout = shapes.data_format("array_to_img", data_format, settings.image_data_format())
    if x.ndim != 3:
        raise ValueError(f"array_to_img(x={show(x)}): x must have three axes, rows, columns and channels.")
    if layout == "channels_first":
        x = x.transpose(1, 2, 0)
    if scale:
        x = x - np.min(x)
        peak = np.max(x)
        x = (x / peak if peak != 0 else x) * 255
    channels = x.shape[2]
    if channels == 1:
        flat = x[:, :, 0]
        result: Image = image.fromarray(flat.astype("int32" if np.max(flat) > 255 else "uint8"))
        return result
    if channels not in (3, 4):
        raise ValueError(f"array_to_img(x={show(x)}): x must have 1, 3 or 4 channels; got {channels}.")
    result = image.fromarray(x.astype("uint8"))
    return result


@translated("img_to_array")
def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> NDArray[Any]:
    """Turn a Pillow image into an array.

    Args:
        img: The image, or an array of two or three axes.
        data_format: Order of the result's axes; the process's default when `None`.
        dtype: Type of the result; `floatx()` when `None`.

    Shape:
        `(rows, cols, channels)`, or `(channels, rows, cols)` with `'channels_first'`.

    Raises:
        ValueError: An image of another number of axes.

    Example:
        >>> img_to_array([[1, 2], [3, 4]]).shape
        (2, 2, 1)
    """
    layout = shapes.data_format("img_to_array", data_format, settings.image_data_format())
    x = np.asarray(img, dtype=dtype or settings.floatx())
    if x.ndim == 2:
        x = x[:, :, None]
    elif x.ndim != 3:
        raise ValueError(f"img_to_array(img={show(x)}): an image has two or three axes.")
    elif layout == "channels_first":
        return x.transpose(2, 0, 1)
    return x.transpose(2, 0, 1) if layout == "channels_first" else x


def load_img(
    path: Any,
    grayscale: bool = False,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image:
    """Load a picture as a Pillow image.

    Args:
        path: Path of the file, or a `BytesIO`.
        grayscale: The older spelling of `color_mode='grayscale'`.
        color_mode: `'rgb'`, `'rgba'` or `'grayscale'`.
        target_size: `(rows, cols)` to resize to; as it is when `None`.
        interpolation: `'nearest'`, `'bilinear'`, `'bicubic'`, `'lanczos'`, `'box'` or `'hamming'`.
        keep_aspect_ratio: Whether the centre is cut out before resizing, instead of stretching.

    Raises:
        TypeError: A `path` that is neither a path nor a file in memory.
        ImportError: Pillow is missing.
    """
    image = pillow("load_img")
    if grayscale:
        warnings.warn("load_img(grayscale=…): is now color_mode='grayscale'.", FutureWarning, stacklevel=2)
        color_mode = "grayscale"
    allowed = _MODES[choice("load_img", "color_mode", color_mode, _MODES)]
    if isinstance(path, io.BytesIO):
        source: Any = image.open(path)
    elif isinstance(path, (str, bytes, Path, os.PathLike)):
        source = io.BytesIO(Path(os.fsdecode(path)).read_bytes())  # read whole: no file stays open
        source = image.open(source)
    else:
        raise TypeError(f"load_img(path={show(path)}): path must be a path or an io.BytesIO.")
    img: Image = source if source.mode in allowed else source.convert(allowed[0])
    if target_size is None:
        return img
    return _resized(img, int_tuple("load_img", "target_size", target_size, 2), interpolation, keep_aspect_ratio)


def _resized(img: Image, size: tuple[int, ...], interpolation: str, keep_aspect_ratio: bool) -> Image:
    rows, columns = size
    if img.size == (columns, rows):
        return img
    name = _RESAMPLING[choice("load_img", "interpolation", interpolation, _RESAMPLING)]
    resampling = getattr(pillow("load_img").Resampling, name)
    if not keep_aspect_ratio:
        return img.resize((columns, rows), resampling)
    width, height = img.size
    crop_height = min(height, width * rows // columns)
    crop_width = min(width, height * columns // rows)
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return img.resize((columns, rows), resampling, box=(left, top, left + crop_width, top + crop_height))


def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Save an array as a picture.

    Args:
        path: Path of the file, or a file object.
        x: The array.
        data_format: Order of its axes; the process's default when `None`.
        file_format: The format; from the file's name when `None`.
        scale: Whether the values are stretched to 0…255.
        kwargs: Passed to `PIL.Image.Image.save`.

    Shape:
        `(rows, cols, channels)`, or `(channels, rows, cols)` with `'channels_first'`.

    Raises:
        ImportError: Pillow is missing.
    """
    img = array_to_img(x, data_format=data_format, scale=scale)
    suffix = file_format or (Path(path).suffix[1:] if isinstance(path, (str, os.PathLike)) else "")
    if img.mode == "RGBA" and suffix.lower() in ("jpg", "jpeg"):
        warnings.warn("save_img: JPEG has no transparency; the image is saved as RGB.", UserWarning, stacklevel=2)
        img = img.convert("RGB")
    img.save(path, format=file_format, **kwargs)
