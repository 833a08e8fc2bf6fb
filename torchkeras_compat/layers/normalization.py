"""BatchNormalization."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from .._core import devices, registry, settings
from .._core.border import user_stacklevel
from .._core.errors import argument_error, axis_tuple, choice, number, positive_int
from .._core.precision import SHORT
from .._core.shapes import Shape
from .._core.transforms import is_recorded
from .._core.user_tensors import calling
from .base import ROW_WISE, Layer, Traits
from .base.normalizing import scaled, weighted_moments
from .base.weight_options import enter_weight, keep_options
from .batch_renormalization import Deviations, checked_bounds, correction, in_parts, move_deviations, square_root


class _Weights(nn.Module):
    """Holds the weights under the names that torch's own batch normalisation has for them."""

    weight: nn.Parameter | None
    bias: nn.Parameter | None
    running_mean: Tensor
    running_var: Tensor


_WEIGHTS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


@registry.register("layer")
class BatchNormalization(Layer):
    """Normalises each channel: by the batch's mean and variance in training, by their moving averages in inference.

    The moving averages follow `moving * momentum + batch * (1 - momentum)`.  Of n values a channel, the moving variance
    takes the batch's times n / (n - 1 - epsilon) (Keras 2.1.3 to 2.3.1), or as it is (before); in tf.keras, as measured
    on Keras 2.15, times n / (n - 1) for 4-D and 5-D input on the last axis or on axis 1, which its fused kernel takes,
    and as it is otherwise.

    Args:
        axis: The axis of the channels, or several axes.
        momentum: Of the moving averages.
        epsilon: Added to the variance.
        center: Whether `beta` is added.
        scale: Whether `gamma` is multiplied.
        beta_initializer: Fills `beta`.
        gamma_initializer: Fills `gamma`.
        moving_mean_initializer: Fills the moving mean.
        moving_variance_initializer: Fills the moving variance.
        beta_regularizer: Penalty on `beta`.
        gamma_regularizer: Penalty on `gamma`.
        beta_constraint: Applied to `beta` after each update.
        gamma_constraint: Applied to `gamma` after each update.
        synchronized: As in Keras, without distributed training a way to say `fused=False`.
        statistics: `'moving'`, or what Keras 1 has as `mode=2` and `mode=1`: `'batch'`, those of the batch in inference
            too, and `'sample'`, those of each vector along the last axis, whose deviation gets `epsilon` once more.
        renorm: Whether normal numbers are corrected in training to what the moving averages would make of them.
        renorm_clipping: Bounds of the correction: a dictionary with any of `rmin`, `rmax` and `dmax`.
        renorm_momentum: Of the averages that the correction takes.
        fused: Whether tf.keras's kernel for images is meant, by which the moving variance takes n / (n - 1); `None` is
            wherever that kernel fits.
        virtual_batch_size: Samples of a part of a batch, each of which is normalised by itself in training.
        adjustment: A function of the input's shape that returns by what normal numbers are multiplied in training, and
            what is added to them.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: `axis` is not an axis of the input, or its size is unknown; `fused=True` where the kernel of
            tf.keras does not fit.

    Source:
        Ioffe & Szegedy, 2015; Ioffe, 2017, for `renorm`.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.BatchNormalization(momentum=.9)
        >>> layer(np.array([[1.], [3.]]), training=True).tolist()
        [[-0.999...], [0.999...]]
        >>> layer.moving_mean.tolist()
        [0.200...]
    """

    _class_traits = ROW_WISE
    supports_masking = True
    _casts_integers = True
    _weights_read_cast = False  # statistics and scale stay in float32, which the kernel takes

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        statistics: str = "moving",
        renorm: bool = False,
        renorm_clipping: Mapping[str, Any] | None = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        virtual_batch_size: int | None = None,
        adjustment: Callable[[Any], tuple[Any, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        axes = axis_tuple("BatchNormalization", axis)
        self.axis: int | list[int] = list(axes) if isinstance(axis, (tuple, list)) else axes[0]
        self.momentum = number("BatchNormalization", "momentum", momentum)
        self.epsilon = number("BatchNormalization", "epsilon", epsilon)
        self.center, self.scale = bool(center), bool(scale)
        keep_options(
            self,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        self.synchronized = bool(synchronized)
        self.statistics = choice("BatchNormalization", "statistics", statistics, ("moving", "batch", "sample"))
        self._axes: tuple[int, ...] = ()
        self.renorm, self.renorm_clipping = bool(renorm), checked_bounds(renorm_clipping)
        self.renorm_momentum = number("BatchNormalization", "renorm_momentum", renorm_momentum)
        if virtual_batch_size is not None:
            virtual_batch_size = positive_int("BatchNormalization", "virtual_batch_size", virtual_batch_size)
        self.virtual_batch_size, self.adjustment = virtual_batch_size, adjustment
        if self._is_varied and statistics != "moving":
            raise ValueError(f"{self}: statistics={statistics!r} goes with neither renorm nor parts nor adjustment.")
        if virtual_batch_size is not None and adjustment is not None:
            raise ValueError(f"{self}: virtual_batch_size and adjustment do not go together, as in Keras.")
        self.fused = self._told_fused = fused
        if fused and (reason := self._unfit_for_kernel()):
            raise argument_error("BatchNormalization", "fused", f"False or None where there is {reason}", fused)

    @property
    def _is_varied(self) -> bool:
        """Whether normal numbers are made in another way than the plain one."""
        return self.renorm or self.virtual_batch_size is not None or self.adjustment is not None

    def _unfit_for_kernel(self) -> str:
        """Return why tf.keras's fused kernel does not fit, whatever the input is; `''` where it may."""
        if self.renorm:
            return "renorm=True"
        if self.virtual_batch_size is not None:
            return "a virtual_batch_size"
        if self.adjustment is not None:
            return "an adjustment"
        if self.synchronized:
            return "synchronized=True"
        return f"dtype={self.dtype!r}" if self._kind == torch.float64 else ""

    def _own_traits(self) -> Traits:
        own = replace(super()._own_traits(), row_wise=self.statistics != "batch")
        return own if self.adjustment is None else replace(own, runs_user_code=True)

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        rank = len(input_shape)
        named = (self.axis,) if isinstance(self.axis, int) else self.axis
        if any(not -rank <= a < rank or a % rank == 0 for a in named) or len({a % rank for a in named}) < len(named):
            raise ValueError(
                f"{self}: axis={self.axis} must name axes of the input other than the batch; got shape {input_shape}."
            )
        self._axes = tuple(sorted(a % rank for a in named))
        sizes = {a: self._last_axis(input_shape, a) for a in self._axes}
        fits = len(self._axes) == 1 and rank in (4, 5) and self._axes[0] in (1, rank - 1)
        if self.fused and not fits:
            raise ValueError(
                f"{self}: fused=True needs images or volumes with the channels last or behind the batch; got axis="
                f"{self.axis} and shape {tuple(input_shape)}. Leave fused out."
            )
        self.fused = fits and self.fused is not False and not self._unfit_for_kernel()
        self._over_axes = tuple(sizes.get(a, 1) for a in range(rank))
        shape = self._over_axes if len(sizes) > 1 else tuple(sizes.values())
        if self.virtual_batch_size is not None:  # the parts of a batch are an axis of their own, behind the samples
            self._axes = tuple(a + 1 for a in self._axes)
            shape = self._over_axes = (1, *self._over_axes)
        kind = settings.torch_dtype(self.dtype)
        # Short floats cannot hold a moving average: its steps are below their precision. Keras keeps float32 too.
        dtype = torch.float32 if kind in SHORT else kind
        self.norm = _Weights()
        for name, attribute in _WEIGHTS.items():
            trained = name in ("gamma", "beta")
            if (name == "gamma" and not self.scale) or (name == "beta" and not self.center):
                self.norm.register_parameter(attribute, None)
                continue
            if trained:
                self.norm.register_parameter(attribute, nn.Parameter(torch.empty(shape, dtype=dtype)))
            else:
                self.norm.register_buffer(attribute, torch.empty(shape, dtype=dtype))
            enter_weight(self, name, self.norm, attribute, trainable=trained)
        if self.renorm:
            self._make_deviations(shape, dtype)

    def _make_deviations(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        """Make the averages that renormalisation takes, which begin where mean and variance do."""
        self.deviations = Deviations(shape, dtype)
        make_deviation = functools.partial(square_root, self.moving_variance_initializer)
        for name in ("moving_stddev", "renorm_mean", "renorm_stddev"):
            fill = self.moving_mean_initializer if name == "renorm_mean" else make_deviation
            self._enter_weight(name, self.deviations, name, initializer=fill, trainable=False)

    def _to_input(self, inputs: Any) -> Any:
        """Return the input in the layer's type, which may be shorter than that of its weights."""
        x = super()._to_input(inputs)
        return x.to(self._kind) if isinstance(x, Tensor) and self._kind in SHORT else x

    def call(self, inputs: Tensor, training: bool = False, mask: Tensor | None = None) -> Tensor:
        """Return the normalised input; in training, move the averages."""
        if training and not self.trainable and self._rules.frozen_statistics_infer:
            training = False
        if self.statistics != "moving":
            return self._by_own_statistics(inputs)
        if self._is_varied:
            return self._by_arithmetic(inputs, training, mask if self._rules.masked_batch_statistics else None)
        if len(self._axes) > 1:
            return self._by_arithmetic(inputs, training, None)
        if training and mask is not None and self._rules.masked_batch_statistics and not self.fused:
            return self._by_arithmetic(inputs, training, mask)  # Keras's kernel for images knows no masks either
        return self._by_kernel(inputs, training)

    def _kernel_moves(self, count: int) -> bool:
        """Tell whether torch's kernel, which takes n / (n − 1), moves the averages as the dialect does."""
        if self._rules.moving_variance == "corrected":
            return count > max(1, self.epsilon * 1e6)  # what the rule takes off besides is lost in float32
        return self._rules.moving_variance == "images" and bool(self.fused) and count > 1

    def _by_kernel(self, inputs: Tensor, training: bool) -> Tensor:
        """Normalise by torch's kernel, called as a function: the module refuses a batch of one."""
        axis, norm = self._axes[0], self.norm
        at_end = axis == inputs.dim() - 1
        channels = inputs.shape[axis]
        # On the CPU images stay images: the kernel for channels last takes half the time of the flat one.
        images = at_end and inputs.dim() == 4 and not devices.on_cuda(inputs)
        flat = at_end and inputs.dim() > 2 and not images
        moved = images or not at_end
        x = inputs.reshape(-1, channels) if flat else inputs.movedim(axis, 1) if moved else inputs
        count = inputs.numel() // max(channels, 1)
        weight, bias = self._scale_and_offset(x)
        if not training or (self.trainable and self._kernel_moves(count)):
            moving, rate = (norm.running_mean, norm.running_var), 1 - self.momentum
            if not training and torch.is_grad_enabled() and not is_recorded():
                moving = (moving[0].clone(), moving[1].clone())  # the averages may move before the gradient
            cudnn = torch.backends.cudnn.enabled
            y = torch.batch_norm(x, weight, bias, *moving, training, rate, self.epsilon, cudnn)
        else:
            y, mean, inverse = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, self.epsilon)
            if self.trainable:
                self._move(mean, inverse.detach().pow(-2).sub_(self.epsilon), count)
        return y.reshape(inputs.shape) if flat else y.movedim(1, axis) if moved else y

    def _scale_and_offset(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return `gamma` and `beta` for torch's kernel: that of CUDA gives no gradient for one without the other."""
        weight, bias = self.norm.weight, self.norm.bias
        if devices.on_cuda(x):
            if weight is None and bias is not None:
                return torch.ones_like(bias), bias
            if bias is None and weight is not None:
                return weight, torch.zeros_like(weight)
        return weight, bias

    def _by_arithmetic(self, inputs: Tensor, training: bool, mask: Tensor | None) -> Tensor:
        """Normalise over several axes, with the statistics of valid steps only, or in one of tf.keras's other ways."""
        kind, norm, shape = inputs.dtype, self.norm, self._over_axes
        x = inputs.float() if kind in SHORT else inputs
        if self.virtual_batch_size is not None:
            x = in_parts(x, self.virtual_batch_size, training)
            mask = None if mask is None else in_parts(mask, self.virtual_batch_size, training)
        if training:
            mean, variance = self._statistics(x, mask)
            y = (x - mean) * torch.rsqrt(variance + self.epsilon)
            y = self._varied(y, *self._learn(mean.detach(), variance.detach(), x))
        else:
            mean, variance = norm.running_mean.view(shape), norm.running_var.view(shape)
            y = (x - mean) * torch.rsqrt(variance + self.epsilon)
        return scaled(y, norm.weight, norm.bias, shape).reshape(inputs.shape).to(kind)

    def _learn(self, mean: Tensor, variance: Tensor, x: Tensor) -> tuple[Tensor, Tensor] | tuple[()]:
        """Move the averages, where the layer is trainable; return the correction that renormalisation makes."""
        if self.virtual_batch_size is not None:
            mean, variance = mean.mean(1, keepdim=True), variance.mean(1, keepdim=True)
        if not self.renorm:
            if self.trainable:
                channels = math.prod(x.shape[a] for a in self._axes)
                self._move(mean, variance, x.numel() // max(channels, 1))
            return ()
        deviation, kept = torch.sqrt(variance + self.epsilon), self.deviations
        factor_and_offset = correction(kept, mean, deviation, self.epsilon, self.renorm_clipping)
        if self.trainable:
            move_deviations(kept, mean, deviation, self.momentum, self.renorm_momentum)
            with torch.no_grad():
                self.norm.running_mean.lerp_(mean.view(self.norm.running_mean.shape), 1 - self.momentum)
                self.norm.running_var.copy_((kept.moving_stddev.square() - self.epsilon).clamp(min=0))
        return factor_and_offset

    def _varied(self, y: Tensor, factor: Tensor | None = None, offset: Tensor | None = None) -> Tensor:
        """Return normal numbers after renormalisation and adjustment."""
        if factor is not None and offset is not None:
            y = y * factor + offset
        if self.adjustment is None:
            return y
        multiplier, shift = calling(self.adjustment)(torch.tensor(y.shape, dtype=torch.int32))
        return y * multiplier + shift  # type: ignore[no-any-return]

    def _by_own_statistics(self, inputs: Tensor) -> Tensor:
        """Normalise by the statistics of this batch, or of each vector of it."""
        kind, norm = inputs.dtype, self.norm
        inputs = inputs.float() if kind in SHORT else inputs
        if self.statistics == "batch":
            mean, variance = self._statistics(inputs, None)
            y = (inputs - mean) * torch.rsqrt(variance + self.epsilon)
        else:
            variance, mean = torch.var_mean(inputs, -1, correction=0, keepdim=True)
            y = (inputs - mean) / (torch.sqrt(variance + self.epsilon) + self.epsilon)
        return scaled(y, norm.weight, norm.bias, self._over_axes).to(kind)

    def _statistics(self, inputs: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        parts = () if self.virtual_batch_size is None else (1,)
        others = tuple(a for a in range(inputs.dim()) if a not in (*self._axes, *parts))
        if mask is None:
            variance, mean = torch.var_mean(inputs, others, correction=0, keepdim=True)
            return mean, variance
        return weighted_moments(inputs, mask.to(inputs.dtype).unsqueeze(-1).expand_as(inputs), others)

    @torch.no_grad()
    def _move(self, mean: Tensor, variance: Tensor, count: int) -> None:
        rate = 1 - self.momentum
        if self._rules.moving_variance == "corrected" and count > 1:
            variance = variance * count / (count - (1 + self.epsilon))
        for moving, batch in ((self.norm.running_mean, mean), (self.norm.running_var, variance)):
            moving.lerp_(batch.to(moving.dtype).view(moving.shape), rate)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; those that are seldom used only where they are used."""
        config = super().get_config()
        if self.adjustment is not None:
            warnings.warn(
                f"{self}: a configuration cannot hold the function adjustment, and leaves it out.",
                stacklevel=user_stacklevel(),
            )
        seldom = {
            "statistics": self.statistics != "moving",
            "virtual_batch_size": self.virtual_batch_size is not None,
            "fused": self._told_fused is False,  # which Keras leaves out, so that a layer that is read trains otherwise
            **dict.fromkeys(("renorm", "renorm_clipping", "renorm_momentum"), self.renorm),
        }
        absent = {"adjustment", *(name for name, used in seldom.items() if not used)}
        return {name: value for name, value in config.items() if name not in absent}
