"""Convolutions, pooling, padding, cropping, upsampling and shapes, over one, two or three axes of space."""

from __future__ import annotations

from .draws import Draw, Drawer, Drawn, Options, Shape, maybe_activation, weight_options
from .layers_dense import DENSE

BIG = 260  # no output has more elements


def length(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Return how long the output of a convolution or a pooling is."""
    if padding == "valid":
        return (size - (kernel - 1) * dilation - 1) // stride + 1
    return -(-size // stride)


def _each(r: Draw, axes: int, low: int, high: int) -> list[int]:
    """Draw a number for each axis, often the same."""
    first = r.integer(low, high)
    return [first] * axes if r.chance(0.5) else [r.integer(low, high) for _ in range(axes)]


def _told(numbers: list[int], r: Draw) -> int | list[int]:
    """Write equal numbers as one number sometimes."""
    return numbers[0] if len(set(numbers)) == 1 and r.chance(0.5) else numbers


def _fits(shape: Shape) -> bool:
    size = 1
    for axis in shape:
        size *= axis
    return min(shape) >= 1 and size <= BIG


def _within(strides: list[int], window: list[int], padding: str) -> bool:
    """Tell whether TensorFlow's plain kernels are right: over volumes, not for strides longer than the window."""
    return len(window) < 3 or padding != "same" or all(s <= k for s, k in zip(strides, window))


def _window(r: Draw, shape: Shape, causal: bool = False, equal: bool = False) -> tuple[Options, Shape] | None:
    """Draw kernel, strides, dilation and padding, and the space that is left."""
    axes = len(shape) - 1
    kernel = _each(r, axes, 1, 3)
    padding = r.one(["valid", "same", *(["causal"] if causal else [])])
    strides, dilation = [1] * axes, [1] * axes
    if r.chance(0.3):
        strides = [r.integer(1, 3)] * axes if equal else _each(r, axes, 1, 3)
    elif r.chance(0.25):
        dilation = [2] * axes if equal else _each(r, axes, 1, 2)
    space = tuple(length(*numbers, padding) for numbers in zip(shape[:-1], kernel, strides, dilation))
    if min(space) < 1 or not _within(strides, kernel, padding):
        return None
    options: Options = {"kernel_size": _told(kernel, r), "padding": padding}
    if max(strides) > 1:
        options["strides"] = _told(strides, r)
    if max(dilation) > 1:
        options["dilation_rate"] = _told(dilation, r)
    return options, space


def convolution(r: Draw, shape: Shape) -> Drawn:
    axes, window = len(shape) - 1, _window(r, shape, causal=len(shape) == 2)
    if window is None:
        return None
    options, space = window
    filters = r.integer(2, 4)
    groups = [n for n in (2, 3) if shape[-1] % n == 0]
    if groups and r.chance(0.25):
        options["groups"] = r.one(groups)
        filters = options["groups"] * r.integer(1, 2)
    options |= {"filters": filters, **maybe_activation(r), **weight_options(r, rank=axes + 2)}
    name = r.one(["Conv", "Conv", "Conv", "Convolution"])
    return (f"{name}{axes}D", options, (*space, filters)) if _fits((*space, filters)) else None


def spectral_convolution(r: Draw, shape: Shape) -> Drawn:
    drawn = convolution(r, shape)
    if drawn is None or "groups" in drawn[1]:
        return None
    name, options, out = drawn
    return "SpectralNormalization", {"layer": {"$": f"layers.{name}", **options}}, out


def transposed(r: Draw, shape: Shape) -> Drawn:
    axes = len(shape) - 1
    kernel, strides = _each(r, axes, 1, 3), _each(r, axes, 1, 2)
    padding, filters = r.one(["valid", "same"]), r.integer(2, 3)
    options: Options = {"filters": filters, "kernel_size": _told(kernel, r), "padding": padding}
    if max(strides) > 1:
        options["strides"] = _told(strides, r)
    if padding == "valid":
        space = [n * s + max(k - s, 0) for n, s, k in zip(shape, strides, kernel)]
    else:
        space = [n * s for n, s in zip(shape, strides)]
    if min(strides) > 1 and r.chance(0.3):
        more = [r.integer(int(padding == "same" and k % 2 == 0), s - 1) for s, k in zip(strides, kernel)]
        options["output_padding"] = _told(more, r)
        cut = [0] * axes if padding == "valid" else [2 * (k // 2) for k in kernel]
        space = [(n - 1) * s + k - c + m for n, s, k, c, m in zip(shape, strides, kernel, cut, more)]
    options |= {**maybe_activation(r), **weight_options(r, rank=axes + 2)}
    out = (*space, filters)
    return (f"Conv{axes}DTranspose", options, out) if _fits(out) else None


def depthwise(r: Draw, shape: Shape) -> Drawn:
    axes, window = len(shape) - 1, _window(r, shape, equal=True)
    if window is None:
        return None
    options, space = window
    out = (*space, shape[-1] * (multiplier := r.integer(1, 2)))
    options |= {"depth_multiplier": multiplier, **maybe_activation(r), **weight_options(r, "depthwise", axes + 2)}
    return (f"DepthwiseConv{axes}D", options, out) if _fits(out) else None


def separable(r: Draw, shape: Shape) -> Drawn:
    axes, window = len(shape) - 1, _window(r, shape, causal=len(shape) == 2, equal=True)
    if window is None:
        return None
    options, space = window
    out = (*space, r.integer(2, 4))
    weights = {**weight_options(r, "depthwise", axes + 2), **weight_options(r, "pointwise", axes + 2, bias=False)}
    options |= {"filters": out[-1], "depth_multiplier": r.integer(1, 2), **maybe_activation(r), **weights}
    name = r.one(["SeparableConv", "SeparableConv", "SeparableConvolution"])
    return (f"{name}{axes}D", options, out) if _fits(out) else None


def pooling(r: Draw, shape: Shape) -> Drawn:
    axes = len(shape) - 1
    # Which of several equal values a maximum over a volume comes from is settled in DEVIATIONS.md.
    name = r.one(["AveragePooling", "AvgPool", "MaxPooling", "MaxPool"] if axes < 3 else ["AveragePooling", "AvgPool"])
    size, padding = _each(r, axes, 1, 3), r.one(["valid", "same"])
    options: Options = {"pool_size": _told(size, r), "padding": padding}
    strides = size
    if r.chance(0.5):
        strides = _each(r, axes, 1, 3)
        options["strides"] = _told(strides, r)
    space = [length(n, k, s, 1, padding) for n, k, s in zip(shape, size, strides)]
    fits = min(space) >= 1 and _within(strides, size, padding)
    return (f"{name}{axes}D", options, (*space, shape[-1])) if fits else None


def masked_pooling(r: Draw, shape: Shape) -> Drawn:
    return r.one(["GlobalAveragePooling1D", "GlobalAvgPool1D", "GlobalMaxPooling1D"]), {}, shape[-1:]


def global_pooling(r: Draw, shape: Shape) -> Drawn:
    axes = len(shape) - 1
    name = r.one(["GlobalAveragePooling", "GlobalMaxPooling", "GlobalAvgPool", "GlobalMaxPool"])
    options: Options = {}
    if r.chance(0.15):
        return f"{name}{axes}D", {"data_format": "channels_first"}, shape[:1]
    if r.chance(0.2):
        options["keepdims"] = True
    out = (*[1] * axes, shape[-1]) if options else shape[-1:]
    return f"{name}{axes}D", options, out


def _margins(r: Draw, axes: int) -> tuple[object, list[list[int]]]:
    """Draw two numbers for each axis and a way of writing them."""
    pairs = [[r.integer(0, 2), r.integer(0, 1)] for _ in range(axes)]
    way = r.integer(0, 2)
    if way == 0:
        one = r.integer(0, 1)
        return one, [[one, one]] * axes
    if way == 1 and axes > 1:
        numbers = [r.integer(0, 1) for _ in range(axes)]
        return numbers, [[n, n] for n in numbers]
    return (pairs[0] if axes == 1 else pairs), pairs


def _first(r: Draw, shape: Shape) -> tuple[Options, Shape]:
    """Move the channels to the front sometimes; return what is space then."""
    if len(shape) > 2 and r.chance(0.15):
        return {"data_format": "channels_first"}, shape[1:]
    return {}, shape[:-1]


def _whole(options: Options, shape: Shape, space: list[int]) -> Shape:
    return (shape[0], *space) if options.get("data_format") == "channels_first" else (*space, shape[-1])


def padding(r: Draw, shape: Shape) -> Drawn:
    axes = len(shape) - 1
    told, pairs = _margins(r, axes)
    options, space = _first(r, shape)
    out = _whole(options, shape, [n + a + b for n, (a, b) in zip(space, pairs)])
    return (f"ZeroPadding{axes}D", {"padding": told, **options}, out) if _fits(out) else None


def cropping(r: Draw, shape: Shape) -> Drawn:
    axes = len(shape) - 1
    told, pairs = _margins(r, axes)
    options, space = _first(r, shape)
    out = _whole(options, shape, [n - a - b for n, (a, b) in zip(space, pairs)])
    return (f"Cropping{axes}D", {"cropping": told, **options}, out) if _fits(out) else None


def upsampling(r: Draw, shape: Shape) -> Drawn:
    axes, size = len(shape) - 1, _each(r, len(shape) - 1, 1, 2)
    options, space = _first(r, shape)
    out = _whole(options, shape, [n * s for n, s in zip(space, size)])
    if axes == 1:
        options["size"] = size[0]
    else:
        options["size"] = _told(size, r)
    if axes == 2 and r.chance(0.4):
        options["interpolation"] = "bilinear"
    return (f"UpSampling{axes}D", options, out) if _fits(out) else None


def resized(r: Draw, shape: Shape) -> Drawn:
    height, width = r.integer(2, 6), r.integer(2, 6)
    if r.chance(0.5) and height <= shape[0] and width <= shape[1]:
        return "CenterCrop", {"height": height, "width": width}, (height, width, shape[-1])
    options = {"height": height, "width": width, "interpolation": r.one(["bilinear", "nearest"])}
    return "Resizing", options, (height, width, shape[-1])


def permute(r: Draw, shape: Shape) -> Drawn:
    order = [int(i) + 1 for i in r.random.permutation(len(shape))]
    return "Permute", {"dims": order}, tuple(shape[i - 1] for i in order)


def flatten(r: Draw, shape: Shape) -> Drawn:
    size = 1
    for axis in shape:
        size *= axis
    return "Flatten", {"data_format": "channels_first"} if r.chance(0.15) else {}, (size,)


def to_sequence(r: Draw, shape: Shape) -> Drawn:
    """Join the axes of space into steps, or an axis with the channels."""
    if len(shape) == 3 and r.chance(0.4):
        return "Reshape", {"target_shape": [shape[0], shape[1] * shape[2]]}, (shape[0], shape[1] * shape[2])
    steps = 1
    for axis in shape[:-1]:
        steps *= axis
    return "Reshape", {"target_shape": [-1, shape[-1]]}, (steps, shape[-1])


SPATIAL: list[tuple[float, Drawer]] = [
    (6, convolution),
    (3, transposed),
    (3.5, pooling),
    (1.4, padding),
    (1.4, cropping),
    (1.4, upsampling),
    (0.7, permute),
]
IMAGE: list[tuple[float, Drawer]] = [
    *DENSE,
    *SPATIAL,
    (2.5, depthwise),
    (2.5, separable),
    (0.8, resized),
    (0.7, spectral_convolution),
]
VOLUME: list[tuple[float, Drawer]] = [*DENSE, *SPATIAL]
DOWN: list[tuple[float, Drawer]] = [(2, global_pooling), (1.5, flatten)]
