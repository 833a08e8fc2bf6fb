"""The cells of ConvLSTM1D to ConvLSTM3D: LSTM whose products with the weights are convolutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from .._core import registry, settings, shapes
from .._core.errors import choice, int_tuple, positive_int
from .._core.graph_capture import tracing
from .._core.ownership import is_ours
from .._core.shapes import Shape, conv_length, same_padding
from .._core.transforms import in_torch_func, is_transformed
from .._core.user_tensors import calling
from .base.weight_options import bare, options_of
from .conv_lstm_formula import ConvLSTMFormula
from .convolutional import FUNCTIONS, KERNELS, MODULES, split_pads
from .recurrent.cells import AbstractRNNCell, DropoutMasks, checked, named
from .recurrent.choose_kernel import Runs, Start, walked
from .recurrent.formulas import Recurrence
from .recurrent.gates import ones_to_forget
from .spatial import SpatialLayer, check_steps, over_height

GATES = 4
Drops = tuple[Tensor | None, Tensor | None]


class ConvLSTMCell(SpatialLayer, DropoutMasks, AbstractRNNCell):
    """Base of the cells of ConvLSTM1D to ConvLSTM3D.

    The convolution of the input looks at one step alone, so that a walk does it for all steps at once; the one of the
    state keeps the size.  One convolution computes all gates, and, where dropout is drawn for each gate, the same with
    a group of channels for each.

    Args:
        filters: The number of channels of the states and the output.
        kernel_size: Size of the window, in the input and in the state.
        strides: Steps of the window over the input.
        padding: `'valid'` or `'same'`, of the input; the state's is `'same'`.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        dilation_rate: Distance of the cells under the window over the input.
        activation: Of the candidate and the output, by name or function; `None` is linear.
        recurrent_activation: Of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Fills the kernel; gates in the order i, f, c, o.
        recurrent_initializer: Fills the recurrent kernel.
        bias_initializer: Fills the bias.
        unit_forget_bias: Whether the bias of the forget gate begins at one.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the bias.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        dropout: Fraction of the input dropped in training, drawn for each gate.
        recurrent_dropout: Fraction of the state dropped in its convolution, drawn for each gate.
        kwargs: The arguments of every layer.
    """

    _state_names: ClassVar[tuple[str, ...]] = ("h", "c")

    filters: int
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    dilation_rate: tuple[int, ...]
    activation: Callable[[Tensor], Tensor]
    recurrent_activation: Callable[[Tensor], Tensor]
    use_bias: bool
    bias_initializer: Callable[..., Any]
    unit_forget_bias: bool
    conv: Any
    recurrent_conv: Any

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        arguments = named(locals())
        super().__init__(**kwargs)
        for name, value in self._checked(type(self).__name__, arguments).items():
            setattr(self, name, value)
        self._kept_masks = {}
        self._stride, self._dilation = over_height(self.strides, 1), over_height(self.dilation_rate, 1)
        self._state_pads = split_pads([same_padding(size, size, 1) for size in self.kernel_size])

    @classmethod
    def _checked(cls, owner: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments as what they name, or raise.

        Args:
            owner: The class that the user wrote: the cell, or the layer that makes it.
            arguments: All of them, by name.
        """
        own: dict[str, Any] = {"filters": positive_int(owner, "filters", arguments["filters"])}
        for name in ("kernel_size", "strides", "dilation_rate"):
            own[name] = int_tuple(owner, name, arguments[name], cls.rank)
        own["padding"] = choice(owner, "padding", arguments["padding"], ("valid", "same"))
        own["data_format"] = shapes.data_format(owner, arguments["data_format"], settings.image_data_format())
        check_steps(owner, own["strides"], own["dilation_rate"])
        return {**own, **checked(owner, {name: arguments[name] for name in arguments if name not in own})}

    # --- building and shapes -------------------------------------------------------------------------------------

    @property
    def _channels(self) -> int:
        """Where the channels are, counted from the end, for steps may stand before the batch."""
        return -1 if self.data_format == "channels_last" else -1 - self.rank

    def build(self, input_shape: Any) -> None:
        """Make the convolutions of the input and of the state, in torch's channels-last format where the input is."""
        channels, outputs = self._last_axis(input_shape, self._channels), GATES * self.filters
        self.state_shape(input_shape)
        window, kind = over_height(self.kernel_size, 1), settings.torch_dtype(self.dtype)
        module: Any = MODULES[self.rank]
        self.conv = bare(
            module, channels, outputs, window, self._stride, dilation=self._dilation, bias=self.use_bias, dtype=kind
        )
        self.recurrent_conv = bare(module, self.filters, outputs, window, bias=False, dtype=kind)
        for conv, name, prefix in (
            (self.conv, "kernel", "kernel"),
            (self.recurrent_conv, "recurrent_kernel", "recurrent"),
        ):
            self._lay_out_as_input(conv)
            self._enter_weight(name, conv, "weight", KERNELS[self.rank], **options_of(self, prefix))
        if self.use_bias:
            initializer = self.bias_initializer
            if self.unit_forget_bias:
                initializer = ones_to_forget(initializer, self.filters)
            self._enter_weight("bias", self.conv, "bias", **{**options_of(self, "bias"), "initializer": initializer})

    @property
    def state_size(self) -> tuple[int, int]:
        """The channels of h and c."""
        return self.filters, self.filters

    @property
    def output_size(self) -> int:
        """The channels of the output."""
        return self.filters

    def state_shape(self, input_shape: Any) -> Shape:
        """Return the shape of a state, which is that of the output, for the input of one step."""
        sizes = zip(self.lengths(input_shape), self.kernel_size, self.strides, self.dilation_rate)
        space = [conv_length(n, kernel, stride, self.padding, dilation) for n, kernel, stride, dilation in sizes]
        return self.assemble(input_shape[0], space, self.filters)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, and a list of those of the states."""
        shape = self.state_shape(input_shape)
        return shape, [shape, shape]

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
        """Return zeros for both states.

        Args:
            inputs: The input of one step.
            batch_size: Accepted; it does not tell the sizes in space.
            dtype: The same.

        Raises:
            ValueError: There is no `inputs`.
        """
        if inputs is None:
            raise ValueError(
                f"{self}.get_initial_state: the sizes of its states follow from inputs; give them. "
                f"Around this cell write ConvRNN2D(cell) in place of RNN(cell)."
            )
        return [inputs.new_zeros(self.state_shape(tuple(inputs.shape))) for _ in range(2)]

    # --- the formula ---------------------------------------------------------------------------------------------

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> Any:
        """Return the output and the states after one step.

        Args:
            inputs: The input of one step.
            states: h and c before.
            training: Whether dropout acts; one draw serves all steps until `reset_dropout_mask`.

        Raises:
            ValueError: The states have no axes in space, as in a plain `RNN`.
        """
        h, c = (s if isinstance(s, Tensor) else self._to_input(s) for s in states)
        if h.dim() != inputs.dim():
            raise ValueError(
                f"{self}: its states have as many axes as its input, {inputs.dim()}; got {h.dim()}. "
                f"Write ConvRNN2D(cell) in place of RNN(cell)."
            )
        of_inputs, of_states = self._drops(inputs, h) if training else (None, None)
        h, c = self._after(self._projected(inputs, of_inputs), h, c, of_states)
        return h, [h, c]

    def walk(self, x: Tensor, start: Start, training: bool, every_state: bool) -> Runs:
        """Return for h and c all values over the steps, and the last one; all of c only where they are asked for.

        Args:
            x: The inputs, (steps, batch, …).
            start: h and c before the first step; `None` is zero.
            training: Whether dropout acts.
            every_state: Whether all values of c are wanted.
        """
        self.reset_dropout_mask()
        self.reset_recurrent_dropout_mask()
        shape = self.state_shape(tuple(x.shape[1:]))
        h, c = (x.new_zeros(shape) if state is None else state for state in start)  # type: ignore[arg-type]
        of_inputs, of_states = self._drops(x[0], h) if training else (None, None)
        z = self._projected(x.flatten(0, 1) if of_inputs is None else x, of_inputs)
        z = z.view(*x.shape[:2], *z.shape[1:])
        if of_states is None and self._has_written_gradient(x):
            return walked(Recurrence, self._formula, None, z, None, None, self.recurrent_conv.weight, None, *start)
        all_h, all_c = [], []
        for step in z.unbind(0):
            h, c = self._after(step, h, c, of_states)
            all_h.append(h)
            all_c.append(c)
        return [(torch.stack(all_h), h), (torch.stack(all_c) if every_state else c.unsqueeze(0), c)]

    @property
    def _formula(self) -> ConvLSTMFormula:
        return ConvLSTMFormula(self.activation, self.recurrent_activation, self)

    def _has_written_gradient(self, x: Tensor) -> bool:
        """Tell whether a walk is one by the formula whose gradient is written out."""
        is_watched = in_torch_func() or tracing() or is_transformed(x)
        return self.data_format == "channels_last" and not is_watched and self._formula.serves(x, self.kernel_size)

    def _projected(self, x: Tensor, drop: Tensor | None) -> Tensor:
        """Return the convolution of inputs, with its bias, in Keras's order of axes and with all gates as channels.

        Args:
            x: (batch, …); with dropout the steps may stand before, and become one axis with the batch.
            drop: What multiplies the input of each gate, (4, batch, …).
        """
        if drop is not None:
            x = self._by_gate(x, drop).flatten(0, -2 - self.rank)
        sizes = zip(self.lengths(x.shape), self.kernel_size, self.strides, self.dilation_rate)
        same = [same_padding(n, *rest) for n, *rest in sizes if n is not None]
        pads = split_pads(same if self.padding == "same" else [(0, 0)] * self.rank)
        groups = 1 if drop is None else GATES
        return self._convolved(x, self.conv, pads, self._stride, self._dilation, groups)

    def _after(self, z: Tensor, h: Tensor, c: Tensor, drop: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return h and c after one step with the projected input `z`."""
        axis, one = self._channels, over_height((1,) * self.rank, 1)
        groups, h = (1, h) if drop is None else (GATES, self._by_gate(h, drop))
        y = z + self._convolved(h, self.recurrent_conv, self._state_pads, one, one, groups)
        activation, gate = calling(self.activation), calling(self.recurrent_activation)
        i, f, g, o = y.chunk(GATES, axis)
        c = torch.addcmul(gate(f) * c, gate(i), activation(g))
        return gate(o) * activation(c), c

    def _convolved(self, x: Tensor, conv: Any, pads: Any, stride: Any, dilation: Any, groups: int) -> Tensor:
        ahead, padding = pads
        x = self.to_torch(x)
        x = F.pad(x, ahead) if ahead else x
        return self.to_keras(FUNCTIONS[self.rank](x, conv.weight, conv.bias, stride, padding, dilation, groups))

    # --- dropout -------------------------------------------------------------------------------------------------

    def _by_gate(self, x: Tensor, drop: Tensor) -> Tensor:
        """Return as many times the channels: what each gate gets, one behind the other."""
        return torch.cat([x * mask for mask in drop.unbind(0)], self._channels)

    def _drops(self, x: Tensor, h: Tensor) -> Drops:
        """Return the masks of inputs and state, (4, batch, …), those that were drawn for these samples if any."""
        return self._kept("inputs", x, self.dropout), self._kept("states", h, self.recurrent_dropout)

    def _kept(self, name: str, x: Tensor, rate: float) -> Tensor | None:
        if not rate:
            return None
        kept = self._kept_masks.get(name)
        if kept is None or kept.shape[1:] != x.shape:
            kept = self._kept_masks[name] = F.dropout(x.new_ones(GATES, *x.shape), rate, True)
        return kept

    # --- many steps ----------------------------------------------------------------------------------------------

    def _walks(self) -> bool:
        """Tell whether `walk` computes what the steps would: not where a user wrote some of it."""
        return is_ours(type(self))


class ConvLSTM1DCell(ConvLSTMCell):
    """One step of ConvLSTM1D."""

    rank = 1


@registry.register("layer")
class ConvLSTM2DCell(ConvLSTMCell):
    """One step of ConvLSTM2D, for `ConvRNN2D` or by hand, as classic Keras has it.

    Args:
        filters: The number of channels of the states and the output.
        kernel_size: Height and width of the window, or one integer for both.
        kwargs: The further arguments of `ConvLSTM2D` that are not about sequences, and those of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`, and the states h and c, `(batch, new_rows, new_columns, filters)`.
        Output: the output, and the new h and c.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.ConvRNN2D(keras.layers.ConvLSTM2DCell(4, 3, padding='same'))
        >>> layer.compute_output_shape((None, 5, 8, 8, 1))
        (None, 8, 8, 4)

    Source: Shi et al. 2015, «Convolutional LSTM Network», without the peepholes, which Keras leaves out.
    """

    rank = 2


class ConvLSTM3DCell(ConvLSTMCell):
    """One step of ConvLSTM3D."""

    rank = 3
