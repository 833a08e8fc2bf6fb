"""SpectralNormalization, a layer around another one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._core import registry
from .._core.errors import positive_int
from .._core.weights import Weight
from ..backend.math import l2_normalize
from ..initializers import TruncatedNormal
from .wrappers import Wrapper


@registry.register("layer")
class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value, as found by power iteration, at each training call.

    The kernel itself changes: inference computes with what the last training call, and the optimizer after it, left.

    Args:
        layer: A layer with a `kernel` or `embeddings`.
        power_iterations: How often the estimate is improved in a call.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: those of the layer.

    Raises:
        ValueError: The layer has neither weight, or `power_iterations` is not positive.

    Source:
        Miyato, Kataoka, Koyama & Yoshida, 2018; the kernel is assigned as in Keras 2.15.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.SpectralNormalization(keras.layers.Dense(2), power_iterations=20)
        >>> _ = layer(np.ones((1, 3)), training=True)
        >>> round(float(np.linalg.norm(layer.layer.kernel.numpy(), 2)), 2)
        1.0
    """

    vector_u: Tensor
    _sequence_input = False

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = positive_int("SpectralNormalization", "power_iterations", power_iterations)

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside, and make the vector that the iteration begins with."""
        super().build(input_shape)
        kernel = self._kernel()
        self.add_weight(
            name="vector_u",
            shape=(1, kernel.shape[-1]),
            initializer=TruncatedNormal(stddev=0.02),
            trainable=False,
            experimental_autocast=False,
        )

    def _kernel(self) -> Weight:
        """Return the weight that is normalised.

        Raises:
            ValueError: There is none.
        """
        own = {line.name: line for line in self.layer._table}
        for name in ("kernel", "embeddings"):
            if name in own:
                return own[name]
        raise ValueError(
            f"{self}: the layer must have a kernel or embeddings; {self.layer} has "
            f"{', '.join(own) if own else 'no weights'}."
        )

    def call(self, inputs: Any, training: bool = False, mask: Tensor | None = None) -> Any:
        """Return what the layer gives, in training with its kernel divided by its largest singular value first."""
        if not training:
            return self.layer._run(inputs, mask, training)[0]
        kernel = self._kernel()
        self._divide(kernel)
        # A copy computes: another call in this step may divide the kernel again.
        self.layer._swap_weight(kernel, kernel.read().clone())
        try:
            return self.layer._run(inputs, mask, training)[0]
        finally:
            self.layer._swap_weights_back()

    @torch.no_grad()
    def _divide(self, kernel: Weight) -> None:
        """Improve the estimate of the largest singular value and divide the kernel by it, unless all of it is zero."""
        value = kernel.read()
        matrix, u = value.reshape(-1, value.shape[-1]), self.vector_u
        for _ in range(self.power_iterations):
            v = l2_normalize(u @ matrix.t())
            u = l2_normalize(v @ matrix)
        sigma = v @ matrix @ u.t()
        some = (matrix != 0).any()  # asked on the device
        self.vector_u.copy_(torch.where(some, u, self.vector_u))
        kernel.change(lambda old: old / torch.where(some, sigma, 1.0).reshape(()))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask as it came."""
        return mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return that of the layer inside."""
        return self.layer.compute_output_shape(input_shape)
