"""Convolutional recurrent layers: `ConvRNN2D` over a cell, and ConvLSTM1D, ConvLSTM2D and ConvLSTM3D."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from .._core import registry, settings
from .._core.errors import argument_error, show
from .._core.graph_capture import not_traced
from .._core.ownership import is_ours
from .._core.shapes import Shape, compatible
from .conv_lstm_cells import ConvLSTM1DCell, ConvLSTM2DCell, ConvLSTM3DCell, ConvLSTMCell
from .recurrent.base import IN_PYTHON, RNN, Walkers
from .recurrent.cells import named
from .recurrent.choose_kernel import Runs
from .recurrent.layers import OwnCell, of_cell


class ConvRNN(RNN):
    """Base of layers that walk a convolutional cell over the steps of sequences.

    Args:
        cell: The cell.
        kwargs: The arguments of `RNN`.
    """

    rank: ClassVar[int]
    _state_names = ConvLSTMCell._state_names
    _state_sizes: Shape | None = None  # those behind the batch, once the layer is built

    def __init__(self, cell: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        if not isinstance(self.cell, ConvLSTMCell) or self.cell.rank != self.rank:
            expected = f"a ConvLSTM{self.rank}DCell, or one of a subclass of it"
            raise argument_error(type(self).__name__, "cell", expected, cell)

    def build(self, input_shape: Any) -> None:
        """Build the cell for one step, and make the states of a stateful layer."""
        step = self._step_shape(self._sequence_shape(input_shape))
        if not self.cell.built:
            self.cell._names_weights = False  # as in Keras, whose convolutional layers open no scope for the cell
            self.cell._build_from(step, torch.empty(0).device)  # the device that `_build_from` builds on
        self._state_sizes = self.cell.state_shape(step)[1:]
        self._walking = self._find_walkers()
        if self.stateful:
            self._make_states(self._sequence_shape(input_shape))

    def _make_states(self, input_shape: Sequence[int | None]) -> None:
        shape = self.cell.state_shape(self._step_shape(input_shape))
        if None in shape:
            raise ValueError(
                f"{self}: a stateful layer needs a fixed batch size and fixed sizes in space; got input of shape "
                f"{tuple(input_shape)}. Write batch_input_shape=(batch, steps, …) in the first layer."
            )
        dtype = settings.torch_dtype(self.cell.dtype)
        for i in range(len(self._state_names)):
            self.register_buffer(f"_state_{i}", torch.zeros(shape, dtype=dtype), persistent=False)

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Return the states that a batch begins with without an initial_state: zeros.

        Args:
            inputs: The batch, (batch, steps, …).
        """
        first = tree_leaves(inputs)[0]
        shape = self.cell.state_shape(self._step_shape(tuple(first.shape)))
        return [first.new_zeros(shape) for _ in self._state_names]

    def _expect_states(self, states: Sequence[Any], batch: int | None) -> None:
        sizes = self._state_sizes or self.cell.assemble(None, [None] * self.rank, self.cell.filters)[1:]
        if len(states) != len(self._state_names):
            raise ValueError(f"{self}: initial_state must be {len(self._state_names)} tensors; got {len(states)}.")
        for name, state in zip(self._state_names, states):
            if not compatible((batch, *sizes), tuple(state.shape)):
                raise ValueError(f"{self}: initial_state {name} must have shape {(batch, *sizes)}; got {show(state)}.")

    def _find_walkers(self) -> Walkers | None:
        if not self.cell._walks():
            return None
        return Walkers([self.cell], [self.cell], is_ours(type(self).get_initial_state), len(self._state_names))

    def _walk(
        self, walkers: list[Any], x: Tensor, start: Sequence[Tensor | None], training: bool, every_state: bool
    ) -> Runs:
        not_traced(self, IN_PYTHON)
        cell: ConvLSTMCell = walkers[0]
        return cell.walk(x, start, training, every_state)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output; with `return_state` a list of that and the states'."""
        sequence = tuple(self._sequence_shape(input_shape))
        state = self.cell.state_shape(self._step_shape(sequence))
        output = (*sequence[:2], *state[1:]) if self.return_sequences else state
        return [output, *[state for _ in self._state_names]] if self.return_state else output


@registry.register("layer")
class ConvRNN2D(ConvRNN):
    """Walks a convolutional cell over the steps of sequences of images, as classic Keras has it.

    Args:
        cell: A `ConvLSTM2DCell`, or one of a subclass of it.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last states are returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last states of each sample start the next batch.
        unroll: Accepted; the result is the same.
        kwargs: `time_major` and the arguments of every layer.

    Shape:
        Input: `(batch, steps, rows, columns, channels)`. Output: `(batch, new_rows, new_columns, filters)`, or with
        the steps behind the batch.

    Raises:
        ValueError: `cell` is no such cell, or a stateful layer has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.ConvRNN2D(keras.layers.ConvLSTM2DCell(4, 3), return_sequences=True)
        >>> layer.compute_output_shape((None, 5, 8, 8, 1))
        (None, 5, 6, 6, 4)
    """

    rank = 2
    _input_rank = 5

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )


class ConvLSTM(OwnCell, ConvRNN):
    """Base of ConvLSTM1D to ConvLSTM3D: a `ConvRNN` over a cell that it makes from its own arguments."""

    filters = of_cell("filters")
    kernel_size = of_cell("kernel_size")
    strides = of_cell("strides")
    padding = of_cell("padding")
    data_format = of_cell("data_format")
    dilation_rate = of_cell("dilation_rate")
    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")


@registry.register("layer")
class ConvLSTM1D(ConvLSTM):
    """LSTM over sequences of signals, whose products with the weights are convolutions.

    Args:
        filters: The number of channels of the states and the output.
        kernel_size: Cells under the window.
        strides: Cells from one window over the input to the next.
        padding: `'valid'` or `'same'`, of the input; the state keeps its size.
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
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last h and c are returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last states of each sample start the next batch.
        dropout: Fraction of the input dropped in training, drawn for each gate, the same at all steps of a sequence.
        recurrent_dropout: Fraction of the state dropped in its convolution, drawn for each gate.
        kwargs: `time_major` and the arguments of every layer.

    Shape:
        Input: `(batch, steps, length, channels)`. Output: `(batch, new_length, filters)`, or
        `(batch, steps, new_length, filters)` with `return_sequences`.

    Raises:
        ValueError: An argument is out of range, strides and dilation_rate are both greater than 1, or a stateful layer
            has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.ConvLSTM1D(4, 3, padding='same', return_sequences=True)
        >>> layer.compute_output_shape((None, 5, 8, 1))
        (None, 5, 8, 4)

    Source: Shi et al. 2015, «Convolutional LSTM Network», without the peepholes, which Keras leaves out.
    """

    rank = 1
    _input_rank = 4
    _cell_class = ConvLSTM1DCell

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(named(locals()), **kwargs)


@registry.register("layer")
class ConvLSTM2D(ConvLSTM):
    """LSTM over sequences of images, whose products with the weights are convolutions.

    Args:
        filters: The number of channels of the states and the output.
        kernel_size: Height and width of the window, or one integer for both.
        strides: Cells from one window over the input to the next.
        padding: `'valid'` or `'same'`, of the input; the state keeps its size.
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
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last h and c are returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last states of each sample start the next batch.
        dropout: Fraction of the input dropped in training, drawn for each gate, the same at all steps of a sequence.
        recurrent_dropout: Fraction of the state dropped in its convolution, drawn for each gate.
        kwargs: `time_major` and the arguments of every layer.

    Shape:
        Input: `(batch, steps, rows, columns, channels)`. Output: `(batch, new_rows, new_columns, filters)`, or
        `(batch, steps, new_rows, new_columns, filters)` with `return_sequences`.

    Raises:
        ValueError: An argument is out of range, strides and dilation_rate are both greater than 1, or a stateful layer
            has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.ConvLSTM2D(4, 3, padding='same', return_sequences=True)
        >>> layer.compute_output_shape((None, 5, 8, 8, 1))
        (None, 5, 8, 8, 4)

    Source: Shi et al. 2015, «Convolutional LSTM Network», without the peepholes, which Keras leaves out.
    """

    rank = 2
    _input_rank = 5
    _cell_class = ConvLSTM2DCell

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(named(locals()), **kwargs)


@registry.register("layer")
class ConvLSTM3D(ConvLSTM):
    """LSTM over sequences of volumes, whose products with the weights are convolutions.

    Args:
        filters: The number of channels of the states and the output.
        kernel_size: Depth, height and width of the window, or one integer for all.
        strides: Cells from one window over the input to the next.
        padding: `'valid'` or `'same'`, of the input; the state keeps its size.
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
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last h and c are returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last states of each sample start the next batch.
        dropout: Fraction of the input dropped in training, drawn for each gate, the same at all steps of a sequence.
        recurrent_dropout: Fraction of the state dropped in its convolution, drawn for each gate.
        kwargs: `time_major` and the arguments of every layer.

    Shape:
        Input: `(batch, steps, depth, rows, columns, channels)`. Output: `(batch, new_depth, new_rows, new_columns,
        filters)`, or with the steps behind the batch with `return_sequences`.

    Raises:
        ValueError: An argument is out of range, strides and dilation_rate are both greater than 1, or a stateful layer
            has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.ConvLSTM3D(4, 3, padding='same', return_sequences=True)
        >>> layer.compute_output_shape((None, 5, 8, 8, 8, 1))
        (None, 5, 8, 8, 8, 4)

    Source: Shi et al. 2015, «Convolutional LSTM Network», without the peepholes, which Keras leaves out.
    """

    rank = 3
    _input_rank = 6
    _cell_class = ConvLSTM3DCell

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1, 1),
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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(named(locals()), **kwargs)
