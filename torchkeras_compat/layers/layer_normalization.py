"""Normalisation of each sample by itself: LayerNormalization, GroupNormalization and UnitNormalization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .._core import registry
from .._core.errors import argument_error, axis_tuple, number
from .._core.precision import SHORT
from .._core.shapes import Shape
from ..backend.math import l2_normalize
from . import channel_groups
from .base import ROW_WISE, Layer, Traits
from .base.normalizing import scaled, weighted_moments
from .base.traits import reach_samples
from .base.weight_options import keep_options, options_of


class SampleNormalization(Layer):
    """Base of the layers that normalise each sample over some of its axes.

    Args:
        axis: The axis, or several.
        kwargs: The arguments of every layer.
    """

    _class_traits = ROW_WISE
    _casts_integers = True
    supports_masking = True
    axis: int | list[int]

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        axes = axis_tuple(type(self).__name__, axis)
        self.axis = list(axes) if isinstance(axis, (tuple, list)) else axes[0]

    @property
    def _named_axes(self) -> list[int]:
        return self.axis if isinstance(self.axis, list) else [self.axis]

    def _axes_of(self, rank: int) -> tuple[int, ...]:
        """Return the axes, counted from the batch, in the order in which they were named.

        Raises:
            ValueError: One is none of the input's, or named twice.
        """
        named = self._named_axes
        axes = tuple(a % rank for a in named)
        if any(not -rank <= a < rank for a in named) or len(set(axes)) < len(axes):
            raise ValueError(f"{self}: axis={self.axis} must name axes of the input; got an input with {rank} axes.")
        return axes

    def build(self, input_shape: Any) -> None:
        """Check the axes."""
        self._axes_of(len(input_shape))

    def _own_traits(self) -> Traits:
        mixes = reach_samples(self._named_axes, len(self._built_shape or ()))
        return replace(super()._own_traits(), row_wise=not mixes)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)


class ScaledNormalization(SampleNormalization):
    """Base of those that multiply by `gamma` and add `beta` afterwards.

    Args:
        axis: The axis, or several.
        epsilon: Added to the variance.
        center: Whether `beta` is added.
        scale: Whether `gamma` is multiplied.
        beta_initializer: Fills `beta`.
        gamma_initializer: Fills `gamma`.
        beta_regularizer: Penalty on `beta`.
        gamma_regularizer: Penalty on `gamma`.
        beta_constraint: Applied to `beta` after each update.
        gamma_constraint: Applied to `gamma` after each update.
        kwargs: The arguments of every layer.
    """

    gamma: Tensor | None
    beta: Tensor | None

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(axis, **kwargs)
        self.epsilon = number(type(self).__name__, "epsilon", epsilon)
        self.center, self.scale = bool(center), bool(scale)
        keep_options(
            self,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def build(self, input_shape: Any) -> None:
        """Make `gamma` and `beta`."""
        super().build(input_shape)
        shape = tuple(self._last_axis(input_shape, axis) for axis in self._axes_of(len(input_shape)))
        for name, wanted in (("gamma", self.scale), ("beta", self.center)):
            if wanted:
                self.add_weight(name=name, shape=shape, **options_of(self, name))
            else:
                self.register_parameter(name, None)


@registry.register("layer")
class LayerNormalization(ScaledNormalization):
    """Normalises each sample by the mean and variance over some of its axes, in training and inference alike.

    Args:
        axis: The axis, or several, that mean and variance are taken over and that `gamma` and `beta` have.
        epsilon: Added to the variance.
        center: Whether `beta` is added.
        scale: Whether `gamma` is multiplied.
        beta_initializer: Fills `beta`.
        gamma_initializer: Fills `gamma`.
        beta_regularizer: Penalty on `beta`.
        gamma_regularizer: Penalty on `gamma`.
        beta_constraint: Applied to `beta` after each update.
        gamma_constraint: Applied to `gamma` after each update.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: `axis` is not an axis of the input, or its size is unknown.

    Source:
        Ba, Kiros & Hinton, 2016.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.LayerNormalization()(np.array([[1., 3.], [10., 30.]])).tolist()
        [[-0.999..., 0.999...], [-0.99999..., 0.99999...]]
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Return the normalised input."""
        rank = inputs.dim()
        axes = self._axes_of(rank)
        gamma, beta = self.gamma, self.beta
        if axes == tuple(range(rank - len(axes), rank)):
            return F.layer_norm(inputs, inputs.shape[axes[0] :], gamma, beta, self.epsilon)
        x = inputs.float() if inputs.dtype in SHORT else inputs
        variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        y = ((x - mean) * torch.rsqrt(variance + self.epsilon)).to(inputs.dtype)
        # Keras reshapes the weights and does not transpose them where the axes come in another order.
        shape = [inputs.shape[a] if a in axes else 1 for a in range(rank)]
        return scaled(y, gamma, beta, shape)


@registry.register("layer")
class GroupNormalization(ScaledNormalization):
    """Normalises the channels of each sample group by group, by the mean and variance of a group over all positions.

    Args:
        groups: The number of groups; 1 normalises all channels together, -1 each channel by itself.
        axis: The axis of the channels.
        epsilon: Added to the variance.
        center: Whether `beta` is added.
        scale: Whether `gamma` is multiplied.
        beta_initializer: Fills `beta`.
        gamma_initializer: Fills `gamma`.
        beta_regularizer: Penalty on `beta`.
        gamma_regularizer: Penalty on `gamma`.
        beta_constraint: Applied to `beta` after each update.
        gamma_constraint: Applied to `gamma` after each update.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: The number of channels is no multiple of `groups`, or `axis` is not an axis of the input.

    Source:
        Wu & He, 2018; masks as in `keras.layers.GroupNormalization`, Keras 2.15.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.GroupNormalization(groups=2)(np.array([[1., 3., 10., 30.]])).tolist()
        [[-0.999..., 0.999..., -0.99999..., 0.99999...]]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis=axis,
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        if isinstance(self.axis, list):
            raise argument_error("GroupNormalization", "axis", "an integer", axis, TypeError)
        if isinstance(groups, bool) or not hasattr(groups, "__index__") or (groups < 1 and groups != -1):
            raise argument_error("GroupNormalization", "groups", "a positive integer, or -1", groups)
        self.groups = int(groups)

    def build(self, input_shape: Any) -> None:
        """Make `gamma` and `beta`."""
        axis = self._axes_of(len(input_shape))[0]
        channels = self._last_axis(input_shape, axis)
        if axis == 0:
            raise ValueError(f"{self}: axis={self.axis} is that of the samples; give that of the channels.")
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f"{self}: the number of channels must be a multiple of groups={self.groups}; got {channels} channels "
                f"in an input of shape {tuple(input_shape)}."
            )
        super().build(input_shape)

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the normalised input.

        Args:
            inputs: The input.
            mask: What of it counts in mean and variance, in the shape of the input or of its first axes.
        """
        axis, gamma, beta = self._axes_of(inputs.dim())[0], self.gamma, self.beta
        if mask is None and axis == inputs.dim() - 1 and channel_groups.serves(inputs, gamma, beta):
            return channel_groups.normalized_groups(inputs, gamma, beta, self.groups, self.epsilon)
        x = inputs.movedim(axis, 1)
        if mask is not None:
            mask = mask.reshape(*mask.shape, *[1] * (inputs.dim() - mask.dim()))
            y = self._scaled(self._with_mask(x, mask.expand_as(inputs).movedim(axis, 1)))
        elif gamma is None:  # torch's kernel takes no offset without a scale
            y = self._scaled(F.group_norm(x.contiguous(), self.groups, None, None, self.epsilon))
        else:  # exact where channels are first in memory
            y = F.group_norm(x.contiguous(), self.groups, gamma, beta, self.epsilon)
        return y.movedim(1, axis)

    def _with_mask(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Return the input, channels first, normalised by the statistics of what counts."""
        grouped = (inputs.shape[0], self.groups, -1, *inputs.shape[2:])
        x = (inputs.float() if inputs.dtype in SHORT else inputs).reshape(grouped)
        mean, variance = weighted_moments(x, mask.to(x.dtype).reshape(grouped), tuple(range(2, x.dim())))
        return ((x - mean) * torch.rsqrt(variance + self.epsilon)).flatten(1, 2).to(inputs.dtype)

    def _scaled(self, normal: Tensor) -> Tensor:
        """Return a normalised input, channels first, times `gamma` and plus `beta`."""
        return scaled(normal, self.gamma, self.beta, (-1, *[1] * (normal.dim() - 2)))


@registry.register("layer")
class UnitNormalization(SampleNormalization):
    """Divides by the Euclidean norm over some axes, so that it is 1.

    Args:
        axis: The axis, or several.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: `axis` is not an axis of the input.

    Source:
        `keras.layers.UnitNormalization`, Keras 2.15.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.UnitNormalization()(np.array([[3., 4.]])).tolist()
        [[0.6..., 0.8...]]
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input divided by its norm."""
        return l2_normalize(inputs, self.axis)
