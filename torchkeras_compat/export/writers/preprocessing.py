"""Layers that prepare data: pictures in another size, or changed by chance, and integers as vectors."""

from __future__ import annotations

from typing import Any

from ... import layers
from ..._core.ownership import origin
from ..emission import Emission, NotExportable, Value, arguments, text, writes

# Keras's word for what lies outside of a picture → that of grid_sample.
OUTSIDE = {"reflect": "reflection", "nearest": "border", "constant": "zeros"}
# How a picture is resized → the mode of F.interpolate that reads between the same pixels.
RESIZED = {"bilinear": ', mode="bilinear"', "nearest": ', mode="nearest-exact"'}


def _pictures(emission: Emission, layer: Any, x: Value) -> Value:
    """Return pictures with the channels in front.

    Raises:
        NotExportable: Anything but a batch of pictures.
    """
    if x.rank != 4:
        raise NotExportable(f"{layer}: inputs of {x.rank} axes have no form in plain torch; it takes pictures in 4.")
    return emission.turned(x, True)


# --- sizes -----------------------------------------------------------------------------------------------------------


@writes(layers.Resizing)
def resizing(emission: Emission, layer: Any, x: Value) -> Value:
    """Pictures in one size."""
    if layer.interpolation not in RESIZED or layer.crop_to_aspect_ratio:
        told = f"interpolation={layer.interpolation!r}, crop_to_aspect_ratio={layer.crop_to_aspect_ratio}"
        raise NotExportable(f"{layer}: {told} has no form in plain torch; resize where the data is loaded.")
    x = _pictures(emission, layer, x)
    size = f"size={text((layer.height, layer.width))}{RESIZED[layer.interpolation]}"
    shape = layer.compute_output_shape(x.shape)
    return emission.compute(f"F.interpolate({{0}}, {size})", x, shape, [f"nn.Upsample({size})"], True, layer)


@writes(layers.CenterCrop)
def center_crop(emission: Emission, layer: Any, x: Value) -> Value:
    """The middle of pictures."""
    x = _pictures(emission, layer, x)
    sizes = [(x.shape[1], layer.height), (x.shape[2], layer.width)]
    if any(size is None or size < kept for size, kept in sizes):
        raise NotExportable(f"{layer}: pictures of shape {x.shape} may be smaller, which has no form in plain torch.")
    parts = ", ".join(f"{(size - kept) // 2}:{(size - kept) // 2 + kept}" for size, kept in sizes)
    return emission.compute(f"{{0}}[:, :, {parts}]", x, layer.compute_output_shape(x.shape), (), True, layer)


# --- chance ----------------------------------------------------------------------------------------------------------


def _by_chance(emission: Emission, layer: Any, x: Value, constructor: str) -> Value:
    x = _pictures(emission, layer, x)
    note = "" if layer.seed is None else "torch's random numbers take no seed of their own"
    return emission.apply(emission.module(layer, constructor, note=note), x, x.shape, True, layer)


@writes(layers.RandomFlip, modes=True)
def random_flip(emission: Emission, layer: Any, x: Value) -> Value:
    """Pictures that are mirrored."""
    if emission.infers:
        return x
    dims = [dim for dim, word in ((3, "horizontal"), (2, "vertical")) if word in layer.mode]
    return _by_chance(emission, layer, x, f"RandomFlip({arguments(*dims)})")


@writes(layers.RandomTranslation, layers.RandomRotation, layers.RandomZoom, modes=True)
def random_places(emission: Emission, layer: Any, x: Value) -> Value:
    """Pictures that are moved, turned or zoomed."""
    if emission.infers:
        return x
    if layer.fill_mode not in OUTSIDE:
        raise NotExportable(f"{layer}: fill_mode={layer.fill_mode!r} has no form in plain torch; write 'reflect'.")
    options = {"mode": layer.interpolation} if layer.interpolation != "bilinear" else {}
    options |= {"outside": OUTSIDE[layer.fill_mode]} if layer.fill_mode != "reflect" else {}
    options |= {"fill": layer.fill_value} if layer.fill_mode == "constant" and layer.fill_value else {}
    told = arguments(*layer.ranges, **options)
    return _by_chance(emission, layer, x, f"{origin(type(layer)).__name__}({told})")


@writes(layers.RandomCrop)
def random_crop(emission: Emission, layer: Any, x: Value) -> Value:
    """A window of pictures."""
    y = _by_chance(emission, layer, x, f"RandomCrop({arguments(layer.height, layer.width)})")
    y.shape = layer.compute_output_shape(x.shape)
    return y


@writes(layers.RandomHeight, layers.RandomWidth, modes=True)
def random_size(emission: Emission, layer: Any, x: Value) -> Value:
    """Pictures that are stretched in height or width."""
    if emission.infers:
        return x
    if layer.interpolation not in RESIZED:
        raise NotExportable(f"{layer}: interpolation={layer.interpolation!r} has no form in plain torch.")
    dim = 0 if isinstance(layer, layers.RandomHeight) else 1
    options = {} if layer.interpolation == "bilinear" else {"mode": "nearest-exact"}
    y = _by_chance(emission, layer, x, f"RandomSize({arguments(*layer._range, dim, **options)})")
    y.shape = layer.compute_output_shape(x.shape)
    return y


@writes(layers.RandomContrast, modes=True)
def random_contrast(emission: Emission, layer: Any, x: Value) -> Value:
    """Pictures in another contrast."""
    if emission.infers:
        return x
    return _by_chance(emission, layer, x, f"RandomContrast({arguments(*layer._range)})")


@writes(layers.RandomBrightness, modes=True)
def random_brightness(emission: Emission, layer: Any, x: Value) -> Value:
    """Pictures that are brighter or darker."""
    if emission.infers:
        return x
    (low, high), wide = layer._values, layer._values[1] - layer._values[0]
    added = [end * wide for end in layer._range]
    return _by_chance(emission, layer, x, f"RandomBrightness({arguments(*added, low, high)})")


# --- integers --------------------------------------------------------------------------------------------------------


def _encoded(layer: Any, indices: str, x: Value, depth: int) -> str:
    """Return the expression of a vector for the integers of each sample.

    Raises:
        NotExportable: The samples are single integers, which count together.
    """
    if x.rank == 1 and layer.output_mode != "one_hot":
        raise NotExportable(f"{layer}: one vector for a whole batch has no form in plain torch; write 'one_hot'.")
    vectors = f"F.one_hot({indices}, {depth})"
    if x.rank > 1 and (layer.output_mode != "one_hot" or x.shape[-1] == 1):
        vectors += ".sum(-2)" if layer.output_mode == "count" else ".amax(-2)"
    return f"{vectors}.to(torch.{layer.compute_dtype})"


@writes(layers.CategoryEncoding)
def category_encoding(emission: Emission, layer: Any, x: Value) -> Value:
    """A vector for the integers of each sample."""
    expression = _encoded(layer, "{0}.long()", x, layer.num_tokens)
    return emission.compute(expression, x, layer.compute_output_shape(x.shape), layer=layer)


@writes(layers.Discretization)
def discretization(emission: Emission, layer: Any, x: Value) -> Value:
    """The number of the interval that each number lies in, or a vector of it."""
    x = emission.as_keras(x)
    boundaries = f"torch.tensor({list(layer.bin_boundaries)}, device={{0}}.device)"
    expression = f"torch.bucketize({{0}}, {boundaries}, right=True)"
    if layer.output_mode != "int":
        expression = _encoded(layer, expression, x, len(layer.bin_boundaries) + 1)
    return emission.compute(expression, x, layer.compute_output_shape(x.shape), layer=layer)
