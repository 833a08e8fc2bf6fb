"""LayerScale, which some blocks end in."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .._core import registry
from .._core.errors import number, positive_int
from ..initializers import Constant
from ..layers.advanced_activations import ElementwiseLayer


@registry.register("layer")
class LayerScale(ElementwiseLayer):
    """Multiplies each feature by a weight of its own.

    Args:
        init_values: What the weights are at first.
        projection_dim: How many features there are.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: `projection_dim` is not positive.

    Source:
        Touvron, Cord, Sablayrolles, Synnaeve and Jégou, Going Deeper with Image Transformers, 2021.

    Example:
        >>> import numpy as np
        >>> LayerScale(0.5, 2)(np.ones((1, 2))).tolist()
        [[0.5, 0.5]]
    """

    gamma: Tensor

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = number("LayerScale", "init_values", init_values)
        self.projection_dim = positive_int("LayerScale", "projection_dim", projection_dim)

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        self.add_weight(name="gamma", shape=(self.projection_dim,), initializer=Constant(self.init_values))

    def call(self, inputs: Tensor) -> Tensor:
        """Return the features, each times its weight."""
        return inputs * self.gamma
