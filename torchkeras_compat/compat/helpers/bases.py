"""The base classes of old layers that users derive their own from.

Source: `keras/layers/convolutional.py`, `keras/layers/pooling.py`, Keras 1.2.2 to 2.3.1.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ... import backend as K
from ...layers.convolutional import Conv
from ...layers.pooling import GlobalPooling, Pooling


class _Conv(Conv):
    """Base of a user's convolution: `_Conv(rank, filters, kernel_size, …)`.

    Args:
        rank: The number of axes in space.
        args: The arguments of a convolution, from `filters` on.
        kwargs: Those given by name.
    """

    def __init__(self, rank: int, *args: Any, **kwargs: Any) -> None:
        self.__dict__["rank"] = rank
        self.__dict__["_input_rank"] = rank + 2
        super().__init__(*args, **kwargs)

    def _config_of(self, name: str) -> Any:
        return self.__dict__["rank"] if name == "rank" else super()._config_of(name)


class _PoolingByFunction(Pooling):
    """Base of a user's pooling: `_pooling_function(inputs, pool_size, strides, padding, data_format)` computes it."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return what `_pooling_function` makes of the images; sequences are images of one column."""
        one = (1,) if self.rank == 1 else ()
        output = self._pooling_function(
            inputs=K.expand_dims(inputs, 2) if one else inputs,
            pool_size=(*self.pool_size, *one),
            strides=(*self.strides, *one),
            padding=self.padding,
            data_format=self.data_format,
        )
        return K.squeeze(output, 2) if one else output

    def _pooling_function(self, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _pooling_function(inputs, pool_size, …).")


class _Pooling1D(_PoolingByFunction):
    rank = 1


class _Pooling2D(_PoolingByFunction):
    rank = 2


class _Pooling3D(_PoolingByFunction):
    rank = 3


class _GlobalPooling1D(GlobalPooling):
    rank = 1


class _GlobalPooling2D(GlobalPooling):
    rank = 2


class _GlobalPooling3D(GlobalPooling):
    rank = 3
