"""What the networks of ImageNet have in common: the way from their arguments to a model with weights."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .. import backend, layers
from .._core.border import user_stacklevel
from .._core.errors import argument_error, positive_int
from .._core.symbolic import SymbolicTensor
from ..activations import get as get_activation
from ..models import Model
from ..utils import get_source_inputs
from ._frames import Frame, Shape
from ._weight_files import WeightFile, published

IMAGENET = "imagenet"
CLASSES = 1000
"""How many kinds of things the weights of ImageNet tell apart."""
MEANS = (0.485, 0.456, 0.406)
DEVIATIONS = (0.229, 0.224, 0.225)
"""Of the three colours over ImageNet, on a scale from 0 to 1."""
Activation = str | Callable[[Any], Any] | None


@dataclass(frozen=True)
class Options:
    """The arguments that every network takes.

    Attributes:
        include_top: Whether the head that tells classes apart belongs to it.
        weights: `'imagenet'`, the path of a file, or `None` for new ones.
        input_tensor: A tensor of Keras to stand on.
        input_shape: The shape of a picture; that of ImageNet where `None`.
        pooling: What follows the last block where there is no head: `'avg'`, `'max'` or `None`.
        classes: How many the head tells apart.
        classifier_activation: What the head ends in.
    """

    include_top: bool
    weights: str | os.PathLike[str] | None
    input_tensor: Any
    input_shape: Sequence[int | None] | None
    pooling: str | None
    classes: int
    classifier_activation: Activation


_POOLINGS = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}


class Network:
    """A network of ImageNet; each architecture says what its layers are.

    Args:
        name: The name of the model.
        options: What the user asks for.
    """

    size: int = 224
    """Height and width of the pictures that it was trained on."""
    smallest: ClassVar[int] = 32
    """Height and width below which nothing is left for the last block."""

    def __init__(self, name: str, options: Options) -> None:
        self.name, self.options = name, options
        self.channels_first = backend.image_data_format() == "channels_first"
        self.axis = 1 if self.channels_first else 3

    # --- what an architecture says -------------------------------------------------------------------------------

    def body(self, x: Any) -> Any:
        """Return what the blocks make of pictures."""
        raise NotImplementedError

    def head(self, x: Any) -> Any:
        """Return the classes' probabilities from what the last block gives."""
        return self.predictions(layers.GlobalAveragePooling2D(name="avg_pool")(x))

    def pooled(self, x: Any) -> Any:
        """Return what stands where there is no head."""
        pooling = self.options.pooling
        if pooling not in _POOLINGS:
            return x
        return _POOLINGS[pooling](name=f"{pooling}_pool" if self.names_pooling else None)(x)

    names_pooling: ClassVar[bool] = True
    """Whether what pools where there is no head has a name of its own."""
    folder: ClassVar[str] = ""
    """Where the file of weights is; by the name of the network if empty."""
    normalization: ClassVar[Mapping[str, Any]] = {}
    """How its normalizations differ from Keras's defaults."""

    def activation(self, name: str | None = None) -> Any:
        """Return a layer that activates."""
        return layers.Activation("relu", name=name)

    def weight_file(self, shape: Shape) -> WeightFile:
        """Return the file of weights that were trained on ImageNet, for pictures of a shape."""
        return published(self.name, self.folder or self.name, self.options.include_top)

    def default_size(self) -> int:
        """Return the height and width of pictures where the user says nothing."""
        return self.size

    def model_name(self, shape: Shape) -> str:
        """Return the name of the model."""
        return self.name

    # --- the way to a model --------------------------------------------------------------------------------------

    def build(self) -> Model:
        """Return the model."""
        options = self.options
        self._check()
        shape = self.input_shape()
        # Looked for before anything is built: who has no network learns it at once
        weights = self.weight_file(shape).path(self.name) if options.weights == IMAGENET else options.weights
        inputs = self._inputs(shape)
        x = self.body(inputs)
        x = self.head(x) if options.include_top else self.pooled(x)
        sources = inputs if options.input_tensor is None else get_source_inputs(options.input_tensor)
        model = Model(sources, x, name=self.model_name(shape))
        if weights is not None:
            model.load_weights(weights)
        return model

    def normalized(self, x: Any, name: str | None = None) -> Any:
        """Return a tensor, normalized."""
        return layers.BatchNormalization(axis=self.axis, name=name, **self.normalization)(x)

    def activated(self, x: Any, normalization: str | None = None, activation: str | None = None) -> Any:
        """Return a tensor, normalized and activated by layers of these names."""
        return self.activation(activation)(self.normalized(x, normalization))

    def standardized(self, x: Any, scale: float = 1.0, **settings: Any) -> Any:
        """Return pictures whose colours have no mean and a variance of one over ImageNet.

        Args:
            x: The pictures; those that have not three colours stay as they are.
            scale: What their largest value is.
            settings: Of the layer, where they differ.
        """
        if x.shape[self.axis] != len(MEANS):
            return x
        means, variances = [scale * mean for mean in MEANS], [(scale * deviation) ** 2 for deviation in DEVIATIONS]
        return layers.Normalization(**{"axis": self.axis, "mean": means, "variance": variances, **settings})(x)

    def predictions(self, x: Any, **settings: Any) -> Any:
        """Return the last layer of a head, applied."""
        options = self.options
        layer = layers.Dense(options.classes, activation=options.classifier_activation, name="predictions", **settings)
        return layer(x)

    def _inputs(self, shape: Shape) -> Any:
        tensor = self.options.input_tensor
        if tensor is None:
            return layers.Input(shape=shape)
        return tensor if isinstance(tensor, SymbolicTensor) else layers.Input(tensor=tensor, shape=shape)

    def _check(self) -> None:
        options = self.options
        weights = options.weights
        if weights not in (None, IMAGENET) and not os.path.exists(str(weights)):
            raise argument_error(self.name, "weights", "'imagenet', None or the path of a file that is there", weights)
        positive_int(self.name, "classes", options.classes)
        if weights == IMAGENET and options.include_top and options.classes != CLASSES:
            raise ValueError(
                f"{self.name}: the weights of ImageNet tell {CLASSES} classes apart, and classes is "
                f"{options.classes}; write include_top=False and a Dense({options.classes}) of your own behind it."
            )
        if options.pooling not in (None, "avg", "max"):
            warnings.warn(
                f"{self.name}: pooling must be 'avg', 'max' or None; {options.pooling!r} pools nothing, as in Keras.",
                stacklevel=user_stacklevel(),
            )
        if weights is not None and options.include_top:
            self._check_activation(options.classifier_activation)

    def _check_activation(self, activation: Activation) -> None:
        """Refuse to end pretrained weights in anything but what they were trained with, or their logits."""
        if get_activation(activation) not in map(get_activation, ("softmax", "linear")):
            raise argument_error(
                self.name,
                "classifier_activation",
                "'softmax', or None for logits, where weights are loaded",
                activation,
            )

    # --- the shape of a picture ----------------------------------------------------------------------------------

    def input_shape(self) -> Shape:
        """Return the shape of a picture, the user's if it fits."""
        options = self.options
        pretrained = options.weights == IMAGENET
        frame = Frame(self.name, self.default_size(), self.smallest, self.channels_first)
        return frame.fitted(options.input_shape, options.include_top, pretrained)

    def sides(self, shape: Sequence[int | None] | None) -> tuple[int | None, int | None]:
        """Return height and width of pictures of a shape, `None` where they are not known."""
        if shape is None or len(shape) != 3:
            return None, None
        rows, columns = shape[1:] if self.channels_first else shape[:2]
        return rows, columns

    def halving_pad(self, x: Any, kernel: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the padding with which a convolution with a stride of 2 halves pictures, rounding up."""
        half = kernel // 2
        rows, columns = (half - (1 if side is None else 1 - side % 2) for side in self.sides(tuple(x.shape[1:])))
        return (rows, half), (columns, half)


def to_multiple(width: float, divisor: int = 8) -> int:
    """Return the nearest multiple of a number of channels that is no more than a tenth below a width.

    Example:
        >>> [to_multiple(w) for w in (3, 32 * .35, 24 * 1.4)]
        [8, 16, 32]
    """
    nearest = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * width else nearest
