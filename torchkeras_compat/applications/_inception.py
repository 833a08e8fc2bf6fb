"""Inception, third version: blocks of several branches side by side.

Source:
    Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, Rethinking the Inception Architecture for Computer Vision, 2015.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .. import layers
from ._network import Network

Kernel = int | tuple[int, int]


class Inception(Network):
    """The third version of Inception."""

    size = 299
    smallest: ClassVar[int] = 75
    normalization: ClassVar[Mapping[str, Any]] = {"scale": False}
    names_pooling = False

    def body(self, x: Any) -> Any:
        """Return what the blocks make of pictures."""
        x = self.stem(x)
        for i, pooled in enumerate((32, 64, 64)):
            x = self.small_kernels(x, pooled, f"mixed{i}")
        x = self.first_reduction(x, "mixed3")
        for i, inner in enumerate((128, 160, 160, 192), start=4):
            x = self.long_kernels(x, inner, f"mixed{i}")
        x = self.second_reduction(x, "mixed8")
        for i in range(2):
            x = self.split_kernels(x, i)
        return x

    def stem(self, x: Any) -> Any:
        """Return what the convolutions before the first block make of pictures."""
        x = self.conv(x, 32, 3, strides=2, padding="valid")
        x = self.conv(x, 32, 3, padding="valid")
        x = self.conv(x, 64, 3)
        x = layers.MaxPooling2D(3, strides=2)(x)
        x = self.conv(x, 80, 1, padding="valid")
        x = self.conv(x, 192, 3, padding="valid")
        return layers.MaxPooling2D(3, strides=2)(x)

    def conv(self, x: Any, filters: int, kernel: Kernel, strides: int = 1, padding: str = "same") -> Any:
        """Return a convolution of a tensor, normalized and activated."""
        x = layers.Conv2D(filters, kernel, strides=strides, padding=padding, use_bias=False)(x)
        return self.activated(x)

    def convs(self, x: Any, filters: int, *kernels: Kernel) -> Any:
        """Return convolutions of one width, one behind the other."""
        for kernel in kernels:
            x = self.conv(x, filters, kernel)
        return x

    def averaged(self, x: Any, filters: int) -> Any:
        """Return the branch of a block that averages neighbours."""
        return self.conv(layers.AveragePooling2D(3, strides=1, padding="same")(x), filters, 1)

    def joined(self, branches: list[Any], name: str | None = None) -> Any:
        """Return branches side by side."""
        return layers.Concatenate(axis=self.axis, name=name)(branches)

    def small_kernels(self, x: Any, pooled: int, name: str) -> Any:
        """Return the branches 1 × 1, 5 × 5, twice 3 × 3, and averages."""
        one = self.conv(x, 64, 1)
        five = self.conv(self.conv(x, 48, 1), 64, 5)
        three = self.convs(self.conv(x, 64, 1), 96, 3, 3)
        return self.joined([one, five, three, self.averaged(x, pooled)], name)

    def first_reduction(self, x: Any, name: str) -> Any:
        """Return branches that halve height and width."""
        three = self.conv(x, 384, 3, strides=2, padding="valid")
        twice = self.convs(x, 64, 1)
        twice = self.conv(twice, 96, 3)
        twice = self.conv(twice, 96, 3, strides=2, padding="valid")
        return self.joined([three, twice, layers.MaxPooling2D(3, strides=2)(x)], name)

    def long_kernels(self, x: Any, inner: int, name: str) -> Any:
        """Return the branches 1 × 1, 7 × 7 and twice 7 × 7, each as a row and a column, and averages."""
        one = self.conv(x, 192, 1)
        seven = self.conv(self.convs(x, inner, 1, (1, 7)), 192, (7, 1))
        twice = self.conv(self.convs(x, inner, 1, (7, 1), (1, 7), (7, 1)), 192, (1, 7))
        return self.joined([one, seven, twice, self.averaged(x, 192)], name)

    def second_reduction(self, x: Any, name: str) -> Any:
        """Return branches that halve height and width once more."""
        three = self.conv(self.conv(x, 192, 1), 320, 3, strides=2, padding="valid")
        seven = self.convs(x, 192, 1, (1, 7), (7, 1))
        seven = self.conv(seven, 192, 3, strides=2, padding="valid")
        return self.joined([three, seven, layers.MaxPooling2D(3, strides=2)(x)], name)

    def split_kernels(self, x: Any, place: int) -> Any:
        """Return the branches 1 × 1, two of which the last convolution is a row beside a column, and averages."""
        one = self.conv(x, 320, 1)
        three = self.conv(x, 384, 1)
        three = self.joined([self.conv(three, 384, (1, 3)), self.conv(three, 384, (3, 1))], f"mixed9_{place}")
        twice = self.conv(self.conv(x, 448, 1), 384, 3)
        twice = self.joined([self.conv(twice, 384, (1, 3)), self.conv(twice, 384, (3, 1))])
        return self.joined([one, three, twice, self.averaged(x, 192)], f"mixed{9 + place}")
