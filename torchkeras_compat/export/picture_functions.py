"""Functions of pictures in a graph, `tf.image` and the convolutions and pools of `tf.nn`, as expressions of torch."""

from __future__ import annotations

import math
from typing import Any

from .._core import settings
from .emission import text
from .function_calls import Call, Form, NoForm, X

IMAGE = ("images", "image", *X)
RESIZED = {"bilinear": "bilinear", "nearest": "nearest-exact"}
BACK, FRONT = ".permute(0, 2, 3, 1)", ".permute(0, 3, 1, 2)"
WITHIN = ".permute(0, 1, 3, 2, 4, 5)"  # which puts the rows and columns inside blocks side by side


def _picture(call: Call) -> tuple[str, int, int]:
    """Return pictures as they are written, and their height and width.

    Raises:
        NoForm: They are no batch, or of any size.
    """
    value = call.value(*IMAGE)
    if value.rank != 4 or value.shape[1] is None or value.shape[2] is None:
        raise NoForm
    return call.place(*IMAGE), value.shape[1], value.shape[2]


def _pair(value: Any) -> tuple[int, int]:
    """Return what holds for both directions of a picture: a number, two, or four for all axes."""
    sizes = list(value) if isinstance(value, (list, tuple)) else [value]
    sizes = sizes[1:3] if len(sizes) == 4 else sizes * 2 if len(sizes) == 1 else sizes
    return sizes[0], sizes[1]


def _written_for(expression: str) -> Form:
    """Return the form of a function of pictures, which stand for `x` in the expression."""
    return lambda call: expression.replace("x", call.place(*IMAGE))


def _resize(call: Call) -> str:
    mode = RESIZED.get(call.plain("method", default="bilinear"))
    if mode is None or call.plain("preserve_aspect_ratio", default=False) or call.plain("antialias", default=False):
        raise NoForm
    x, _, _ = _picture(call)
    return f"F.interpolate({x}{FRONT}, size={text(_pair(call.plain('size')))}, mode={text(mode)}){BACK}"


def _crop(call: Call) -> str:
    top, left, height, width = (
        call.plain(name) for name in ("offset_height", "offset_width", "target_height", "target_width")
    )
    return f"{call.place(*IMAGE)}[..., {top}:{top + height}, {left}:{left + width}, :]"


def _central_crop(call: Call) -> str:
    x, *sizes = _picture(call)
    fraction = call.plain("central_fraction")
    starts = [int((size - size * fraction) / 2) for size in sizes]
    parts = (f"{start}:{size - start}" for start, size in zip(starts, sizes))
    return f"{x}[..., {', '.join(parts)}, :]"


def _pad(call: Call) -> str:
    x, *sizes = _picture(call)
    before = [call.plain("offset_height"), call.plain("offset_width")]
    targets = [call.plain("target_height"), call.plain("target_width")]
    (top, bottom), (left, right) = (
        (first, target - first - size) for first, target, size in zip(before, targets, sizes)
    )
    return f"F.pad({x}, {text((0, 0, left, right, top, bottom))})"


def _brightness(call: Call) -> str:
    return f"{call.place(*IMAGE)} + {call.place('delta')}"


def _contrast(call: Call) -> str:
    x = call.place(*IMAGE)
    mean = f"{x}.mean((-3, -2), keepdim=True)"
    return f"({x} - {mean}) * {call.place('contrast_factor')} + {mean}"


def _standardized(call: Call) -> str:
    value, x = call.value(*IMAGE), call.place(*IMAGE)
    sizes = [size for size in value.shape[-3:] if size is not None]
    if len(sizes) < 3:
        raise NoForm
    least = math.prod(sizes) ** -0.5
    dims = "dim=(-3, -2, -1), keepdim=True"
    return f"({x} - {x}.mean({dims})) / {x}.std({dims}, correction=0).clamp(min={text(least)})"


# --- convolutions and pools ------------------------------------------------------------------------------------------


def _window(call: Call, *kernel: int) -> tuple[str, str]:
    """Return the pictures with channels in front, padded, and the stride of a window.

    Raises:
        NoForm: Channels that lie in front, holes in the window, or another padding.
    """
    x, *sizes = _picture(call)
    if call.plain("data_format", default="NHWC") != "NHWC" or _pair(call.plain("dilations", default=1)) != (1, 1):
        raise NoForm
    strides, padding = _pair(call.plain("strides", default=1)), call.plain("padding")
    x += FRONT
    if padding == "SAME":
        missing = [max(-(-n // s) * s - s + k - n, 0) for n, s, k in zip(sizes, strides, kernel)]
        if any(missing):
            sides = [side for more in reversed(missing) for side in (more // 2, more - more // 2)]
            x = f"F.pad({x}, {text(tuple(sides))}FILLER)"
    elif padding != "VALID":
        raise NoForm
    return x, text(strides[0] if strides[0] == strides[1] else strides)


def _convolved(call: Call) -> str:
    kernel = call.given("filters")
    shape: tuple[int, ...] = tuple(getattr(kernel, "shape", ()))
    if len(shape) != 4:
        raise NoForm
    x, stride = _window(call, *shape[:2])
    return f"F.conv2d({x.replace('FILLER', '')}, {call.written(kernel)}.permute(3, 2, 0, 1), stride={stride}){BACK}"


def _depthwise(call: Call) -> str:
    kernel = call.given("filter", "filters")
    shape: tuple[int, ...] = tuple(getattr(kernel, "shape", ()))
    if len(shape) != 4:
        raise NoForm
    x, stride = _window(call, *shape[:2])
    weight = f"{call.written(kernel)}.permute(2, 3, 0, 1).flatten(0, 1).unsqueeze(1)"
    return f"F.conv2d({x.replace('FILLER', '')}, {weight}, stride={stride}, groups={shape[2]}){BACK}"


def _pooled(function: str) -> Form:
    def form(call: Call) -> str:
        size = _pair(call.plain("ksize"))
        call.given("n")
        x, stride = _window(call, *size)
        if "FILLER" in x and function == "avg_pool2d":
            raise NoForm  # which does not count what was added
        x = x.replace("FILLER", ", value=-torch.inf")
        return f"F.{function}({x}, {text(size[0] if size[0] == size[1] else size)}, {stride}){BACK}"

    return form


def _blocks(expression: str) -> Form:
    def form(call: Call) -> str:
        if call.plain("data_format", default="NHWC") != "NHWC":
            raise NoForm
        return expression.replace("x", call.place(*IMAGE)).replace("size", str(call.plain("block_size")))

    return form


def _enlarged(call: Call) -> str:
    factors = call.plain("height_factor"), call.plain("width_factor")
    mode = call.plain("interpolation", default="nearest")
    if mode not in ("nearest", "bilinear"):
        raise NoForm
    front, back = (FRONT, BACK) if _channels_last(call) else ("", "")
    how = "" if mode == "nearest" else f", mode={text(mode)}"
    factor = text(tuple(map(float, factors)))
    return f"F.interpolate({call.place(*X)}{front}, scale_factor={factor}{how}){back}"


def _zeros_around(call: Call) -> str:
    rows, columns = (tuple(pair) for pair in call.plain("padding", default=((1, 1), (1, 1))))
    channels = (0, 0) if _channels_last(call) else ()
    return f"F.pad({call.place(*X)}, {text((*channels, *columns, *rows))})"


def _channels_last(call: Call) -> bool:
    return (call.plain("data_format") or settings.image_data_format()) == "channels_last"


def _local_response(call: Call) -> str:
    radius, bias = call.plain("depth_radius", default=5), call.plain("bias", default=1.0)
    alpha, beta = call.plain("alpha", default=1.0), call.plain("beta", default=0.5)
    size = 2 * int(radius) + 1  # by which torch divides the sum
    return (
        f"F.local_response_norm({call.place(*X)}.movedim(-1, 1), {size}, alpha={text(float(alpha * size))}, "
        f"beta={text(float(beta))}, k={text(float(bias))}).movedim(1, -1)"
    )


# The last part of a function's name → its form.
PICTURES: dict[str, Form] = {
    "resize": _resize,
    "resize_images": _enlarged,
    "spatial_2d_padding": _zeros_around,
    **dict.fromkeys(("local_response_normalization", "lrn"), _local_response),
    "flip_left_right": _written_for("x.flip(-2)"),
    "flip_up_down": _written_for("x.flip(-3)"),
    "grayscale_to_rgb": _written_for("x.repeat_interleave(3, dim=-1)"),
    "rgb_to_grayscale": _written_for("(x @ torch.tensor([[0.2989], [0.587], [0.114]], device=x.device))"),
    "crop_to_bounding_box": _crop,
    "pad_to_bounding_box": _pad,
    "central_crop": _central_crop,
    "adjust_brightness": _brightness,
    "adjust_contrast": _contrast,
    "per_image_standardization": _standardized,
    "conv2d": _convolved,
    "depthwise_conv2d_native": _depthwise,
    **dict.fromkeys(("max_pool", "max_pool2d"), _pooled("max_pool2d")),
    **dict.fromkeys(("avg_pool", "avg_pool2d"), _pooled("avg_pool2d")),
    "depth_to_space": _blocks(f"x.unflatten(-1, (size, size, -1)){WITHIN}.flatten(3, 4).flatten(1, 2)"),
    "space_to_depth": _blocks(f"x.unflatten(2, (-1, size)).unflatten(1, (-1, size)){WITHIN}.flatten(3)"),
}
