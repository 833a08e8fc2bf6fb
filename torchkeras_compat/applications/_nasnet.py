"""NASNet: cells of five pairs of branches that a search has found, each fed by the two cells before it.

Source:
    Zoph, Vasudevan, Shlens and Le, Learning Transferable Architectures for Scalable Image Recognition, 2017.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .. import layers
from ._checksums import CHECKSUMS
from ._frames import Shape
from ._network import Network, Options
from ._weight_files import ORIGIN, WeightFile


@dataclass(frozen=True)
class Plan:
    """A NASNet: the size of its pictures, and of its parts.

    Attributes:
        size: Height and width of the pictures.
        stem: Channels of the first convolution.
        filters: Channels of each branch of the first stage's cells; twice as many in each stage behind it.
        cells: How many each of the three stages has.
        skips_reduction: Whether the cell behind a reduction also sees what the one before that saw.
    """

    size: int
    stem: int
    filters: int
    cells: int
    skips_reduction: bool


PLANS = {"mobile": Plan(224, 32, 44, 4, False), "large": Plan(331, 96, 168, 6, True)}


class NASNet(Network):
    """A NASNet.

    Args:
        kind: `'mobile'` or `'large'`.
        options: What the user asks for.
    """

    normalization: ClassVar[Mapping[str, Any]] = {"momentum": 0.9997}
    names_pooling = False

    def __init__(self, kind: str, options: Options) -> None:
        super().__init__("NASNet", options)
        self.kind, self.plan = kind, PLANS[kind]
        self.size = self.plan.size
        self.channels = 1 if self.channels_first else -1

    def body(self, x: Any) -> Any:
        """Return what the cells make of pictures."""
        plan, filters = self.plan, self.plan.filters
        x = self.conv(x, plan.stem, 3, "stem_conv1", strides=2, padding="valid")
        x = self.normalized(x, "stem_bn1")
        x, before = self.reduction(x, x, filters // 4, "stem_1"), x
        x, before = self.reduction(x, before, filters // 2, "stem_2"), x
        for stage in range(3):
            if stage:
                reduced = self.reduction(x, before, filters * 2**stage, f"reduce_{stage * plan.cells}")
                x, before = reduced, before if plan.skips_reduction else x
            for i in range(plan.cells):
                cell = stage * plan.cells + i + (1 if stage else 0)
                x, before = self.normal(x, before, filters * 2**stage, str(cell)), x
        return self.activation()(x)

    def head(self, x: Any) -> Any:
        """Return the classes' probabilities."""
        return self.predictions(layers.GlobalAveragePooling2D()(x))

    def conv(self, x: Any, filters: int, kernel: int, name: str, strides: int = 1, padding: str = "same") -> Any:
        """Return a convolution of a tensor."""
        return layers.Conv2D(
            filters,
            kernel,
            strides=strides,
            padding=padding,
            use_bias=False,
            kernel_initializer="he_normal",
            name=name,
        )(x)

    def separable(self, x: Any, filters: int, kernel: int, name: str, strides: int = 1) -> Any:
        """Return two separable convolutions, each of an activated tensor and normalized."""
        for i, step in enumerate((strides, 1), start=1):
            x = self.activation()(x)
            if step == 2:
                x = layers.ZeroPadding2D(self.halving_pad(x, kernel), name=f"separable_conv_{i}_pad_{name}")(x)
            x = layers.SeparableConv2D(
                filters,
                kernel,
                strides=step,
                padding="same" if step == 1 else "valid",
                use_bias=False,
                kernel_initializer="he_normal",
                name=f"separable_conv_{i}_{name}",
            )(x)
            x = self.normalized(x, f"separable_conv_{i}_bn_{name}")
        return x

    def squeezed(self, x: Any, filters: int, kind: str, name: str) -> Any:
        """Return what a cell gets with the channels of its branches."""
        x = self.conv(self.activation()(x), filters, 1, f"{kind}_conv_1_{name}")
        return self.normalized(x, f"{kind}_bn_1_{name}")

    def adjusted(self, before: Any, x: Any, filters: int, name: str) -> Any:
        """Return what the cell before the last gave, in the size of what the last one gave."""
        if before is x:
            return before
        if before.shape[2] != x.shape[2]:
            before = self.activation(f"adjust_relu_1_{name}")(before)
            shifted = layers.Cropping2D(((1, 0), (1, 0)))(layers.ZeroPadding2D(((0, 1), (0, 1)))(before))
            halves = []
            for i, half in enumerate((before, shifted), start=1):
                half = layers.AveragePooling2D(1, strides=2, padding="valid", name=f"adjust_avg_pool_{i}_{name}")(half)
                halves.append(self.conv(half, filters // 2, 1, f"adjust_conv_{i}_{name}"))
            before = layers.Concatenate(axis=self.channels)(halves)
        elif before.shape[self.axis] != filters:
            before = self.conv(self.activation()(before), filters, 1, f"adjust_conv_projection_{name}")
        else:
            return before
        return self.normalized(before, f"adjust_bn_{name}")

    def normal(self, x: Any, before: Any, filters: int, name: str) -> Any:
        """Return a cell that keeps height and width."""
        before = self.adjusted(before, x, filters, name)
        x = self.squeezed(x, filters, "normal", name)

        def kept(tensor: Any, kernel: int, branch: str) -> Any:
            return self.separable(tensor, filters, kernel, f"normal_{branch}_{name}")

        pairs = [
            [kept(x, 5, "left1"), kept(before, 3, "right1")],
            [kept(before, 5, "left2"), kept(before, 3, "right2")],
            [_average(x, f"normal_left3_{name}"), before],
            [_average(before, f"normal_left4_{name}"), _average(before, f"normal_right4_{name}")],
            [kept(x, 3, "left5"), x],
        ]
        sums = [layers.Add(name=f"normal_add_{i}_{name}")(pair) for i, pair in enumerate(pairs, start=1)]
        return layers.Concatenate(axis=self.channels, name=f"normal_concat_{name}")([before, *sums])

    def reduction(self, x: Any, before: Any, filters: int, name: str) -> Any:
        """Return a cell that halves height and width."""
        before = self.adjusted(before, x, filters, name)
        x = self.squeezed(x, filters, "reduction", name)
        padded = layers.ZeroPadding2D(self.halving_pad(x, 3), name=f"reduction_pad_1_{name}")(x)

        def halved(tensor: Any, kernel: int, branch: str) -> Any:
            return self.separable(tensor, filters, kernel, f"reduction_{branch}_{name}", strides=2)

        first = [halved(x, 5, "left1"), halved(before, 7, "right1")]
        one = layers.Add(name=f"reduction_add_1_{name}")(first)
        largest = layers.MaxPooling2D(3, strides=2, name=f"reduction_left2_{name}")(padded)
        two = layers.Add(name=f"reduction_add_2_{name}")([largest, halved(before, 7, "right2")])
        mean = layers.AveragePooling2D(3, strides=2, name=f"reduction_left3_{name}")(padded)
        three = layers.Add(name=f"reduction_add3_{name}")([mean, halved(before, 5, "right3")])
        four = layers.Add()([two, _average(one, f"reduction_left4_{name}")])
        small = self.separable(one, filters, 3, f"reduction_left4_{name}")
        largest = layers.MaxPooling2D(3, strides=2, name=f"reduction_right5_{name}")(padded)
        five = layers.Add(name=f"reduction_add4_{name}")([small, largest])
        return layers.Concatenate(axis=self.channels, name=f"reduction_concat_{name}")([two, three, four, five])

    def weight_file(self, shape: Shape) -> WeightFile:
        """Return the file of weights that were trained on ImageNet."""
        top = self.options.include_top
        return WeightFile(
            f"nasnet_{self.kind}{'' if top else '_no_top'}.h5",
            f"{ORIGIN}nasnet/",
            CHECKSUMS[f"nasnet_{self.kind}"][not top],
            published_as=f"NASNet-{self.kind}{'' if top else '-no-top'}.h5",
        )


def _average(x: Any, name: str) -> Any:
    """Return the average of each point's neighbours."""
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)
