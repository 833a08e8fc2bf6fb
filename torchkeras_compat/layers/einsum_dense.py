"""`EinsumDense`: a product of the input with a kernel along axes of one's own choice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from .. import activations
from .._core import registry
from .._core.errors import argument_error
from .._core.shapes import Shape
from .base import ActivatedLayer, Traits
from .base.weight_options import keep_options, make_weight

_LETTERS = "[a-zA-Z]+"
_FORMS = re.compile(
    rf"(?P<left>\.\.\.)?(?P<input>{_LETTERS})(?P<right>\.\.\.)?,(?P<kernel>{_LETTERS})"
    rf"->(?P<left_out>\.\.\.)?(?P<output>{_LETTERS})(?P<right_out>\.\.\.)?"
)


@dataclass(frozen=True)
class Equation:
    """An equation `…ab,bc->…ac`, read.

    Attributes:
        input: The letters of the input's axes.
        kernel: Those of the kernel's.
        output: Those of the output's.
        left: Whether further axes stand before the input's letters.
        right: Whether they stand behind.
    """

    input: str
    kernel: str
    output: str
    left: bool
    right: bool

    @classmethod
    def read(cls, equation: Any) -> Equation:
        """Return an equation, or raise where it is none that a layer can have."""
        form = _FORMS.fullmatch(equation.replace(" ", "")) if isinstance(equation, str) else None
        expected = "of the form 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...'"
        if form is None or (form["left"] and form["right"]):
            raise argument_error("EinsumDense", "equation", expected, equation)
        left, right = bool(form["left"]), bool(form["right"])
        read = cls(form["input"], form["kernel"], form["output"], left, right)
        if (left, right) != (bool(form["left_out"]), bool(form["right_out"])) or (right and len(read.input) < 2):
            raise argument_error("EinsumDense", "equation", expected, equation)
        for letters, others, where in (
            (read.output, read.input + read.kernel, "input or kernel"),
            (read.kernel, read.input + read.output, "input or output"),
        ):
            if strange := [letter for letter in letters if letter not in others]:
                raise argument_error("EinsumDense", "equation", f"one whose {strange[0]!r} is in the {where}", equation)
        return read

    def full_output(self, input_shape: Sequence[int | None], output_shape: Sequence[int | None]) -> list[int | None]:
        """Return the shape of the output, the batch and the axes under an ellipsis included."""
        elided = len(input_shape) - len(self.input)
        if self.left:
            return [*input_shape[: max(elided, 1)], *output_shape]
        return [input_shape[0], *output_shape, *(input_shape[len(input_shape) - elided :] if elided else ())]

    def sizes(self, input_shape: Sequence[int | None], output: Sequence[int | None]) -> dict[str, int | None]:
        """Return the size of each letter, where it is known."""
        elided = len(input_shape) - len(self.input)
        skipped = elided if self.left else 0
        sizes: dict[str, int | None] = dict(zip(self.output, output[skipped:]))
        return {**sizes, **dict(zip(self.input, input_shape[skipped:]))}


@registry.register("layer")
class EinsumDense(ActivatedLayer):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: Names the axes of input, kernel and output: `'abc,cd->abd'`; `'...'` stands for any further axes,
            before the others or behind them.
        output_shape: The shape of the output without the batch and without axes under `'...'`; `None` in it is taken
            from the input.
        activation: By name or function; `None` is linear.
        bias_axes: The letters of the output that the bias has; `None` is no bias.
        kernel_initializer: Fills the kernel.
        bias_initializer: Fills the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: as the equation says.

    Raises:
        ValueError: The equation is none, a letter stands for two sizes, or a size that the weights need is unknown.

    Source:
        Keras 2.15, `EinsumDense`.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.EinsumDense('abc,cd->abd', (None, 64), bias_axes='d').compute_output_shape((None, 32, 128))
        (None, 32, 64)
    """

    _casts_integers = True

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._equation = Equation.read(equation)
        self.equation = equation
        self._sizes = _sizes(output_shape, self._equation)
        self.activation = activations.get(activation)
        if bias_axes is not None and (not bias_axes or not set(bias_axes) <= set(self._equation.output)):
            raise argument_error(
                "EinsumDense", "bias_axes", f"letters of the output {self._equation.output!r}", bias_axes
            )
        self.bias_axes = bias_axes
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def _own_traits(self) -> Traits:
        """Samples stay apart where one letter, or the ellipsis, is their axis from input to output."""
        of, batch = self._equation, self._equation.input[0]
        elided = of.left and len(self._built_shape or ()) > len(of.input)
        apart = of.output[0] == batch and (of.input + of.kernel + of.output).count(batch) == 2
        own = super()._own_traits()
        return replace(own, row_wise=own.row_wise and (elided or apart))

    def _check_rank(self, shape: Shape) -> None:
        """Raise when the axes of the input are not those of the equation."""
        letters = len(self._equation.input)
        open_ended = self._equation.left or self._equation.right
        if len(shape) < letters or (not open_ended and len(shape) > letters):
            wanted = f"at least {letters}" if open_ended else str(letters)
            raise ValueError(
                f"{self}: the input must have {wanted} axes, the batch included, by equation={self.equation!r}; got "
                f"shape {shape} with {len(shape)}."
            )

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        output = self.compute_output_shape(input_shape)
        sizes = self._equation.sizes(input_shape, output)
        self.product = nn.Module()
        make_weight(
            self, "kernel", self.product, [self._known(letter, sizes, input_shape) for letter in self._equation.kernel]
        )
        if self.bias_axes is not None:
            letters = self._equation.output
            letters = letters[min(map(letters.index, self.bias_axes)) :]
            shape = [self._known(letter, sizes, input_shape) if letter in self.bias_axes else 1 for letter in letters]
            behind = len(input_shape) - len(self._equation.input) if self._equation.right else 0
            make_weight(self, "bias", self.product, [*shape, *[1] * behind])

    def _known(self, letter: str, sizes: dict[str, int | None], shape: Any) -> int:
        size = sizes[letter]
        if size is None:
            raise ValueError(
                f"{self}: the size of {letter!r} in {self.equation!r} must be known to build the weights; got shape "
                f"{tuple(shape)}. Give it in output_shape or input_shape."
            )
        return size

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Return the product, with its bias."""
        product: Any = self.product
        y = torch.einsum(self.equation, inputs, product.kernel)
        return y if self.bias_axes is None else y + product.bias

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape that the equation makes, with the sizes of `output_shape`.

        Raises:
            ValueError: A size of `output_shape` is another one in the input, or there are too few.
        """
        of = self._equation
        output = of.full_output(input_shape, self._sizes)
        if len(output) - len(of.output) != len(input_shape) - len(of.input):
            raise ValueError(
                f"{self}: output_shape={self._sizes} has not one size for each letter of {of.output!r} but the batch, "
                f"for an input of shape {tuple(input_shape)}."
            )
        skipped = len(input_shape) - len(of.input) if of.left else 0
        for place, letter in enumerate(of.output, skipped):
            if letter not in of.input:
                continue
            size = input_shape[skipped + of.input.index(letter)]
            if output[place] is None or size is None:
                output[place] = output[place] or size
            elif output[place] != size:
                raise ValueError(
                    f"{self}: {letter!r} of {self.equation!r} is {size} in the input of shape {tuple(input_shape)} and "
                    f"{output[place]} by output_shape={self._sizes}."
                )
        return tuple(output)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """End any mask, as Keras does: axes may have changed."""

    def _config_of(self, name: str) -> Any:
        return self._sizes if name == "output_shape" else super()._config_of(name)


def _sizes(output_shape: Any, equation: Equation) -> tuple[int | None, ...]:
    """Return the sizes of the output's letters, without the batch where it is one of them."""
    sizes = (output_shape,) if isinstance(output_shape, int) or output_shape is None else tuple(output_shape)
    letters = len(equation.output) - (not equation.left)
    whole = all(n is None or (hasattr(n, "__index__") and not isinstance(n, bool) and n > 0) for n in sizes)
    if not whole or len(sizes) not in (letters, len(equation.output) - 1):
        expected = f"{letters} positive integers or None, one for each letter of {equation.output!r} but the batch"
        raise argument_error("EinsumDense", "output_shape", expected, output_shape)
    return tuple(None if n is None else int(n) for n in sizes)
