"""Activations: functions by name, and the layers that are one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ... import layers
from ..._core import registry
from ..emission import Emission, NotExportable, Value, arguments, display_name, kept, text, weight, writes


@dataclass(frozen=True)
class Form:
    """An activation in torch.

    Attributes:
        function: The expression, with `{0}` for the input and `{dim}` for the axis of the classes.
        module: The expression that makes a module of it.
    """

    function: str
    module: str


FORMS = {
    "relu": Form("F.relu({0})", "nn.ReLU()"),
    "elu": Form("F.elu({0})", "nn.ELU()"),
    "selu": Form("F.selu({0})", "nn.SELU()"),
    "gelu": Form("F.gelu({0})", "nn.GELU()"),
    "mish": Form("F.mish({0})", "nn.Mish()"),
    "swish": Form("F.silu({0})", "nn.SiLU()"),
    "tanh": Form("torch.tanh({0})", "nn.Tanh()"),
    "sigmoid": Form("torch.sigmoid({0})", "nn.Sigmoid()"),
    "hard_sigmoid": Form("hard_sigmoid({0})", "HardSigmoid()"),
    "exponential": Form("torch.exp({0})", "Exp()"),
    "softplus": Form("F.softplus({0})", "nn.Softplus()"),
    "softsign": Form("F.softsign({0})", "nn.Softsign()"),
    "softmax": Form("F.softmax({0}, dim={dim})", "nn.Softmax(dim={dim})"),
    "linear": Form("{0}", "nn.Identity()"),
}


def name_of(layer: Any, function: Any) -> str:
    """Return the name of an activation function of a layer.

    Raises:
        NotExportable: It is a function of a user's.
    """
    name = registry.name_of("activation", function)
    if name is None or name not in FORMS:
        raise NotExportable(
            f"{layer}: the activation {display_name(function)!r} is a function in Python; give it by its Keras name."
        )
    return name


def module_of(layer: Any, function: Any) -> str:
    """Return the expression that makes a module of an activation function."""
    return FORMS[name_of(layer, function)].module.format(dim=-1)


def activate(emission: Emission, layer: Any, function: Callable[..., Any], x: Value) -> Value:
    """Write down an activation function of a layer, applied to a value."""
    if isinstance(function, layers.Layer):  # a layer in place of a function
        return emission.call(function, x)  # type: ignore[no-any-return]
    name = name_of(layer, function)
    if name == "linear":
        return x
    if x.rank == 1 and name == "softmax":
        raise NotExportable(f"{layer}: a softmax over samples has no form in plain torch.")
    return _by_name(emission, layer, name, x)


def _by_name(emission: Emission, layer: Any, name: str, x: Value) -> Value:
    form, dim = FORMS[name], 1 if x.channels_first else -1
    return emission.compute(
        form.function.replace("{dim}", str(dim)),
        x,
        x.shape,
        [form.module.replace("{dim}", str(dim))],
        x.channels_first,
        layer,
        nests=True,
        activation=name,
    )


def ending_in_activation(emission: Emission, output: Value) -> Value:
    """Return an output whose last step is its activation, not the turn to Keras's order of axes behind that."""
    step = emission.step_of(output)
    while step.activation is None:
        step = emission.step_of(step.inputs[0])
    value = _by_name(emission, None, step.activation, emission.as_keras(step.inputs[0]))
    value.hint = output.hint
    return value


def same(emission: Emission, layer: Any, x: Value, function: str, *modules: str) -> Value:
    """Write down a function that leaves the shape as it is and looks at each element alone."""
    return emission.compute(function, x, x.shape, modules, x.channels_first, layer, nests=True)


@writes(layers.Activation)
def activation(emission: Emission, layer: Any, x: Value) -> Value:
    """An activation by itself."""
    return activate(emission, layer, layer.activation, x)


@writes(layers.Softmax, masks=True)
def softmax(emission: Emission, layer: Any, x: Value) -> Value:
    """A softmax over an axis; a mask counts where it is as large as the input, which none here is."""
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if len(axes) != 1:
        raise NotExportable(f"{layer}: a softmax over several axes has no form in plain torch.")
    if x.mask is not None and len(x.mask.shape) == x.rank:
        raise NotExportable(f"{layer}: a softmax under a mask has no form in plain torch.")
    dim = x.axis(axes[0])
    dim = -1 if dim == x.rank - 1 else dim
    return emission.compute(
        f"F.softmax({{0}}, dim={dim})",
        x,
        x.shape,
        [f"nn.Softmax(dim={dim})"],
        x.channels_first,
        layer,
        nests=True,
        activation="softmax" if layer.axis == -1 else None,
    )


@writes(layers.LeakyReLU)
def leaky_relu(emission: Emission, layer: Any, x: Value) -> Value:
    """A ReLU with a slope below zero."""
    slope = text(layer.alpha)
    return same(emission, layer, x, f"F.leaky_relu({{0}}, {slope})", f"nn.LeakyReLU({slope})")


@writes(layers.ELU)
def elu(emission: Emission, layer: Any, x: Value) -> Value:
    """An exponential linear unit."""
    alpha = text(layer.alpha)
    return same(emission, layer, x, f"F.elu({{0}}, {alpha})", f"nn.ELU({alpha})")


@writes(layers.ThresholdedReLU)
def thresholded_relu(emission: Emission, layer: Any, x: Value) -> Value:
    """The identity above a threshold, and zero."""
    numbers = arguments(layer.theta, 0.0)
    return same(emission, layer, x, f"F.threshold({{0}}, {numbers})", f"nn.Threshold({numbers})")


@writes(layers.ReLU)
def relu(emission: Emission, layer: Any, x: Value) -> Value:
    """A ReLU with a slope, a threshold and a bound, as far as there are any."""
    slope, threshold, most = layer.negative_slope, layer.threshold, layer.max_value
    if threshold and slope:
        above = "{0}" if most is None else f"{{0}}.clamp(max={most})"
        expression = f"torch.where({{0}} > {threshold}, {above}, {slope} * ({{0}} - {threshold}))"
        return emission.compute(expression, x, x.shape, (), x.channels_first, layer)
    if threshold:
        y = same(emission, layer, x, f"F.threshold({{0}}, {threshold}, 0.0)", f"nn.Threshold({threshold}, 0.0)")
    elif slope:
        y = same(emission, layer, x, f"F.leaky_relu({{0}}, {slope})", f"nn.LeakyReLU({slope})")
    elif most == 6:
        return same(emission, layer, x, "F.relu6({0})", "nn.ReLU6()")
    elif most is not None:
        return same(emission, layer, x, f"F.hardtanh({{0}}, 0.0, {most})", f"nn.Hardtanh(0.0, {most})")
    else:
        return same(emission, layer, x, "F.relu({0})", "nn.ReLU()")
    if most is None:
        return y
    return emission.compute(f"{{0}}.clamp(max={most})", y, y.shape, (), y.channels_first, layer)


@writes(layers.PReLU)
def prelu(emission: Emission, layer: Any, x: Value) -> Value:
    """A leaky ReLU whose slopes are learned."""
    slopes = weight(layer, "alpha")
    by_channel = tuple(slopes.shape[:-1]) == (1,) * (slopes.dim() - 1)
    if by_channel and (x.rank == 2 or x.channels_first):
        count = slopes.numel()
        name = emission.module(layer, f"nn.PReLU({count})", {"weight": kept(torch.flatten, slopes)})
        return emission.apply(name, x, x.shape, x.channels_first, layer)
    x = emission.as_keras(x)
    name = emission.module(layer, f"PReLU({arguments(*slopes.shape)})", {"weight": slopes})
    return emission.apply(name, x, x.shape, layer=layer)


@writes(layers.SReLU)
def srelu(emission: Emission, layer: Any, x: Value) -> Value:
    """Three lines, whose slopes and thresholds are learned."""
    x = emission.as_keras(x)
    own = {name: emission.weight(layer, name) for name in ("t_left", "a_left", "t_right", "a_right")}
    above = emission.compute(f"{{0}} - {own['t_left']}", x, x.shape, layer=layer)
    middle = f"torch.minimum(F.relu({{0}}), {own['t_right']}.abs())"
    below, beyond = f"{own['a_left']} * F.relu(-{{0}})", f"{own['a_right']} * F.relu({{0}} - {own['t_right']}.abs())"
    return emission.compute(f"{own['t_left']} + {middle} - {below} + {beyond}", above, x.shape, layer=layer)


@writes(layers.ParametricSoftplus)
def parametric_softplus(emission: Emission, layer: Any, x: Value) -> Value:
    """A softplus with two factors that are learned."""
    x = emission.as_keras(x)
    a, b = emission.weight(layer, "alphas"), emission.weight(layer, "betas")
    return emission.compute(f"{a} * F.softplus({b} * {{0}})", x, x.shape, layer=layer)


@writes(layers.ActivityRegularization)
def identity(emission: Emission, layer: Any, x: Value) -> Value:
    """What leaves its input as it is; the penalty belongs to the loss."""
    return x


@writes(layers.Identity)
def without_mask(emission: Emission, layer: Any, x: Value) -> Value:
    """The identity, at which a mask ends."""
    return emission.with_mask(x, None)
