"""The cells of recurrent layers: what is computed at one step, and the weights that it is computed with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ... import activations, constraints, initializers, regularizers
from ..._core import registry, settings
from ..._core.errors import argument_error, fraction, positive_int
from ..._core.ownership import is_ours
from ..._core.user_tensors import calling
from ..._core.weights import IDENTITY, TRANSPOSED, Codec
from ..base import ROW_WISE, Layer
from ..base.weight_options import bare, options_of
from .choose_kernel import CellFacts, Dropped, step
from .formulas import Formula, GRUFormula, GRUResetBeforeFormula, LSTMFormula, SimpleRNNFormula
from .gates import GRU_BIAS, GRU_BIASES, GRU_MATRIX, ones_to_forget
from .states import as_list, batch_shapes, zero_states


def _implementation(owner: str, name: str, value: Any) -> int:
    if value not in (0, 1, 2):
        raise argument_error(owner, name, "0, 1 or 2", value)
    return int(value)


def _by(convert: Callable[[Any], Any]) -> Callable[[str, str, Any], Any]:
    return lambda owner, name, value: convert(value)


# Argument, or the last word of its name, → (who takes it, its name, its value) → what is kept.
_CHECKS: dict[str, Callable[[str, str, Any], Any]] = {
    "units": positive_int,
    "activation": _by(activations.get),
    "initializer": _by(initializers.get),
    "regularizer": _by(regularizers.get),
    "constraint": _by(constraints.get),
    "dropout": fraction,
    "implementation": _implementation,
    "use_bias": _by(bool),
    "unit_forget_bias": _by(bool),
    "reset_after": _by(bool),
}


def named(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the named arguments of a constructor out of its `locals()`."""
    return {name: value for name, value in arguments.items() if name not in ("self", "kwargs", "__class__")}


def checked(owner: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a cell as what they name, or raise.

    Args:
        owner: The class that the user wrote: the cell, or the layer that makes it.
        arguments: By name.
    """
    checks = {name: _CHECKS.get(name) or _CHECKS[name.rpartition("_")[2]] for name in arguments}
    return {name: check(owner, name, arguments[name]) for name, check in checks.items()}


class AbstractRNNCell(Layer):
    """Base of cells that users write for `RNN`, as in tf.keras.

    A subclass has `call(inputs, states)`, which returns the output and the new states, and the properties `state_size`
    and `output_size`.

    Args:
        kwargs: The arguments of every layer.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> class Sum(keras.layers.AbstractRNNCell):
        ...     state_size = output_size = 3
        ...     def call(self, inputs, states):
        ...         return states[0] + inputs, [states[0] + inputs]
        >>> keras.layers.RNN(Sum())(np.ones((1, 4, 3))).tolist()
        [[4.0, 4.0, 4.0]]
    """

    _takes_trees = True

    def call(self, inputs: Any, states: Any) -> Any:
        """Return the output and the new states of one step; a subclass must define it."""
        raise NotImplementedError(f"{type(self).__name__} must define call(inputs, states).")

    @property
    def state_size(self) -> Any:
        """The size of the state: an integer or a shape, or a list of them."""
        raise NotImplementedError(f"{type(self).__name__} must have a state_size.")

    @property
    def output_size(self) -> Any:
        """The size of the output."""
        raise NotImplementedError(f"{type(self).__name__} must have an output_size.")

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
        """Return zeros for each state.

        Args:
            inputs: Tells batch size and type where it is given.
            batch_size: The number of samples.
            dtype: The type of the states.

        Raises:
            ValueError: Nothing tells the batch size.
        """
        if inputs is not None:
            batch_size, dtype = inputs.shape[0], inputs.dtype
        if batch_size is None:
            raise ValueError(f"{self}.get_initial_state: give inputs, or batch_size and dtype.")
        return zero_states(self.state_size, batch_size, dtype)


class DropoutMasks:
    """What cells with dropout share: the masks that one draw gives to all steps of a batch."""

    _kept_masks: dict[str, Tensor]
    dropout: float
    recurrent_dropout: float

    def reset_dropout_mask(self) -> None:
        """Have the next step draw the mask of the inputs anew, as `RNN` does for each batch."""
        self._kept_masks.pop("inputs", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Have the next step draw the mask of the states anew."""
        self._kept_masks.pop("states", None)


class RecurrentCell(DropoutMasks, AbstractRNNCell):
    """Base of SimpleRNNCell, LSTMCell and GRUCell.

    A torch module over whole sequences holds the weights, so that its kernels can walk over them; by itself the cell
    computes one step.
    """

    _input_rank = 2
    _class_traits = ROW_WISE

    _module_class: ClassVar[type[nn.RNNBase]]
    _matrix_codec: ClassVar[Codec] = TRANSPOSED
    _state_names: ClassVar[tuple[str, ...]] = ("h",)
    _on_onednn: ClassVar[bool] = False
    _facts_class: ClassVar[type[CellFacts]] = CellFacts

    rnn: Any
    units: int
    activation: Callable[[Tensor], Tensor]
    recurrent_activation: Callable[[Tensor], Tensor] | None = None
    use_bias: bool
    bias_initializer: Callable[..., Any]
    implementation: int

    def __init__(self, implementation: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._keep({"implementation": implementation})
        self._kept_masks = {}

    @classmethod
    def _checked(cls, owner: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a cell as what they name, or raise; `owner` is the class that the user wrote."""
        return checked(owner, arguments)

    def _keep(self, arguments: dict[str, Any]) -> None:
        """Check arguments, and store them under their names."""
        for name, value in checked(type(self).__name__, arguments).items():
            setattr(self, name, value)

    # --- what the kinds of cell differ in ------------------------------------------------------------------------

    def _formula(self) -> Formula:
        """Return the mathematics of one step."""
        raise NotImplementedError

    def _torch_function(self) -> str | None:
        """Return the name of torch's function over sequences that computes the same, if there is one."""
        raise NotImplementedError

    def _module_options(self) -> dict[str, Any]:
        """Return further arguments of the torch module."""
        return {}

    def _bias_entry(self) -> tuple[tuple[str, ...], Codec, Any]:
        """Return the torch names behind the bias, its codec and its initializer."""
        return ("bias_ih_l0",), IDENTITY, self.bias_initializer

    # --- building ------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the torch module that holds the weights."""
        self.rnn = self._module(self._last_axis(input_shape))
        self._find_facts()
        matrices = (("kernel", "weight_ih_l0", "kernel"), ("recurrent_kernel", "weight_hh_l0", "recurrent"))
        for name, attribute, prefix in matrices:
            self._enter_weight(name, self.rnn, attribute, self._matrix_codec, **options_of(self, prefix))
        if self.use_bias:
            names, codec, initializer = self._bias_entry()
            options = {**options_of(self, "bias"), "initializer": initializer}
            self._enter_weight("bias", self.rnn, names, codec, **options)
            if "bias_hh_l0" not in names:
                self._freeze_second_bias()

    def _find_facts(self) -> None:
        formula = self._formula()
        self._facts = self._facts_class(
            formula, self.rnn, self.units, self._torch_function(), self._on_onednn, formula.has_gradient
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("activation", "recurrent_activation"):
            super().__setattr__(name, value)
            return
        super().__setattr__(name, activations.get(value) if value is None or isinstance(value, str) else value)
        if self.__dict__.get("built"):  # the kernel over a sequence was chosen by the function before
            self._find_facts()

    def _module(self, features: int) -> nn.RNNBase:
        dtype = settings.torch_dtype(self.dtype)
        options = {"bias": self.use_bias, "batch_first": True, **self._module_options()}
        return bare(self._module_class, features, self.units, dtype=dtype, **options)

    def _freeze_second_bias(self) -> None:
        # Keras has one bias where torch has two: the second is a zero that no optimizer sees.
        zero = torch.zeros_like(self.rnn.bias_hh_l0.detach())
        del self.rnn.bias_hh_l0
        self.rnn.register_buffer("bias_hh_l0", zero)
        self.rnn._init_flat_weights()

    # --- one step ------------------------------------------------------------------------------------------------

    @property
    def state_size(self) -> Any:
        """The size of the state, a list of two for LSTM."""
        return self.units if len(self._state_names) == 1 else [self.units] * len(self._state_names)

    @property
    def output_size(self) -> int:
        """The size of the output."""
        return self.units

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> Any:
        """Return the output and the states after one step.

        Args:
            inputs: (batch, features).
            states: The states before, (batch, units) each, in a list; a single one may stand by itself.
            training: Whether dropout acts; one draw serves all steps until `reset_dropout_mask`.
        """
        several = isinstance(states, (list, tuple))
        before = [s if isinstance(s, Tensor) else self._to_input(s) for s in (states if several else [states])]
        dropped = None
        if training and (self.dropout or self.recurrent_dropout):
            inputs, dropped = self._drop_at_step(inputs)
        after = step(self._facts, inputs, before, dropped)
        return after[0], list(after) if several else after[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, and a list of those of the states."""
        batch = input_shape[0]
        return (batch, self.units), [batch_shapes(size, batch) for size in as_list(self.state_size)]

    # --- many steps ----------------------------------------------------------------------------------------------

    def _walkers(self) -> list[RecurrentCell] | None:
        """Return the cells that walk over a sequence one behind the other; `None` where each step has to be called."""
        return [self] if is_ours(type(self)) else None

    # --- dropout -------------------------------------------------------------------------------------------------

    def _drops_by_gate(self) -> bool:
        """Tell whether each gate has its own draw; tf.keras turns to `implementation=1` for recurrent dropout."""
        by_rule = self._rules.recurrent_dropout_by_kernel and self.recurrent_dropout > 0
        return self._facts.formula.gates > 1 and (self.implementation != 2 or by_rule)

    def _input_mask(self, x: Tensor, by_gate: bool) -> Tensor:
        shape = (self._facts.formula.gates, *x.shape[-2:]) if by_gate else x.shape[-2:]
        return F.dropout(x.new_ones(shape), self.dropout, True)

    def _state_mask(self, x: Tensor, by_gate: bool) -> Tensor:
        gates = self._facts.formula.gates if by_gate else 1
        return F.dropout(x.new_ones(gates, x.shape[-2], self.units), self.recurrent_dropout, True)

    def _drop(self, x: Tensor, each_step: bool) -> tuple[Tensor, Dropped | None]:
        """Return a sequence after dropout, and what the steps have to do.

        Args:
            x: (steps, batch, features).
            each_step: Whether input dropout is drawn for each step.
        """
        by_gate = self._drops_by_gate() and not each_step
        states = self._state_mask(x, by_gate) if self.recurrent_dropout else None
        inputs = self._input_mask(x, True) if self.dropout and by_gate else None
        if self.dropout and each_step:
            x = F.dropout(x, self.dropout, True)
        elif self.dropout and not by_gate:
            x = x * self._input_mask(x, False)
        return x, None if inputs is None and states is None else Dropped(inputs, states)

    def _drop_at_step(self, x: Tensor) -> tuple[Tensor, Dropped]:
        by_gate = self._drops_by_gate()
        states = self._mask("states", x, self._state_mask, by_gate) if self.recurrent_dropout else None
        if not self.dropout:
            return x, Dropped(None, states)
        inputs = self._mask("inputs", x, self._input_mask, by_gate)
        return (x, Dropped(inputs, states)) if by_gate else (x * inputs, Dropped(None, states))

    def _mask(self, name: str, x: Tensor, draw: Callable[[Tensor, bool], Tensor], by_gate: bool) -> Tensor:
        """Return the mask that was drawn for these samples, or draw it."""
        kept = self._kept_masks.get(name)
        if kept is None or kept.shape[-2] != x.shape[-2]:
            kept = self._kept_masks[name] = draw(x, by_gate)
        return kept


@registry.register("layer")
class SimpleRNNCell(RecurrentCell):
    """One step of SimpleRNN, `h = activation(x · kernel + h · recurrent_kernel + bias)`, for `RNN` or by hand.

    Args:
        units: Size of the state and the output.
        activation: By name or function; `None` is linear.
        use_bias: Whether there is a bias.
        kernel_initializer: Fills the kernel.
        recurrent_initializer: Fills the recurrent kernel.
        bias_initializer: Fills the bias.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the bias.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        dropout: Fraction of the input features dropped in training.
        recurrent_dropout: Fraction of the state dropped in the recurrent product.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, features)`, and a list of one state, `(batch, units)`. Output: the output, and the new states.

    Raises:
        ValueError: `units` is not positive, or a fraction lies outside [0, 1].

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> output, states = keras.layers.SimpleRNNCell(8)(np.ones((2, 3)), [np.zeros((2, 8))])
        >>> tuple(output.shape)
        (2, 8)
    """

    _module_class = nn.RNN

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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
        self._keep(arguments)

    def _is_relu(self) -> bool:
        return self.activation in (activations.relu, torch.relu, F.relu)

    def _formula(self) -> Formula:
        return SimpleRNNFormula(calling(self.activation))

    def _torch_function(self) -> str | None:
        """Return the function of `nn.RNN`, which has tanh and relu."""
        if self._is_relu():
            return "rnn_relu"
        return "rnn_tanh" if is_tanh(self.activation) else None

    def _module_options(self) -> dict[str, Any]:
        return {"nonlinearity": "relu" if self._is_relu() else "tanh"}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal cell; Keras's SimpleRNNCell has no `implementation`."""
        return {k: v for k, v in super().get_config().items() if k != "implementation"}


@registry.register("layer")
class LSTMCell(RecurrentCell):
    """One step of LSTM (Hochreiter and Schmidhuber 1997), for `RNN` or by hand.

    Args:
        units: Size of the states and the output.
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
        dropout: Fraction of the input features dropped in training.
        recurrent_dropout: Fraction of the state dropped in the recurrent product.
        kwargs: `implementation` (1 draws dropout for each gate) and the arguments of every layer.

    Shape:
        Input: `(batch, features)`, and the states h and c, `(batch, units)`. Output: the output, and the new h and c.

    Raises:
        ValueError: `units` is not positive, or a fraction lies outside [0, 1].

    Example:
        >>> import torchkeras_compat as keras
        >>> stack = keras.layers.RNN([keras.layers.LSTMCell(8), keras.layers.LSTMCell(4)])
        >>> stack.compute_output_shape((None, 10, 3))
        (None, 4)
    """

    _module_class = nn.LSTM
    _state_names = ("h", "c")
    _on_onednn = True
    unit_forget_bias: bool

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        self._keep(arguments)

    def _formula(self) -> Formula:
        return LSTMFormula(calling(self.activation), _gate(self))

    def _torch_function(self) -> str | None:
        """Return the function of `nn.LSTM`, which has tanh and sigmoid."""
        return "lstm" if is_tanh(self.activation) and is_sigmoid(self.recurrent_activation) else None

    def _bias_entry(self) -> tuple[tuple[str, ...], Codec, Any]:
        names, codec, initializer = super()._bias_entry()
        return names, codec, ones_to_forget(initializer, self.units) if self.unit_forget_bias else initializer


@registry.register("layer")
class GRUCell(RecurrentCell):
    """One step of GRU (Cho et al. 2014), for `RNN` or by hand.

    Args:
        units: Size of the state and the output.
        activation: Of the candidate, by name or function; `None` is linear.
        recurrent_activation: Of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Fills the kernel; gates in the order z, r, h.
        recurrent_initializer: Fills the recurrent kernel.
        bias_initializer: Fills the bias.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the bias.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        dropout: Fraction of the input features dropped in training.
        recurrent_dropout: Fraction of the state dropped in the recurrent product.
        reset_after: Whether the reset gate acts after the recurrent product, with a bias of its own (cuDNN's variant).
        kwargs: `implementation` (1 draws dropout for each gate) and the arguments of every layer.

    Shape:
        Input: `(batch, features)`, and a list of one state, `(batch, units)`. Output: the output, and the new states.

    Raises:
        ValueError: `units` is not positive, or a fraction lies outside [0, 1].

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.RNN(keras.layers.GRUCell(4), return_sequences=True).compute_output_shape((None, 10, 3))
        (None, 10, 4)
    """

    _module_class = nn.GRU
    _matrix_codec = GRU_MATRIX
    reset_after: bool

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        arguments = named(locals())
        super().__init__(**kwargs)
        self._keep(arguments)

    def _formula(self) -> Formula:
        kind = GRUFormula if self.reset_after else GRUResetBeforeFormula
        return kind(calling(self.activation), _gate(self))

    def _torch_function(self) -> str | None:
        """Return the function of `nn.GRU`, which resets after the product, with tanh and sigmoid."""
        torchs = is_tanh(self.activation) and is_sigmoid(self.recurrent_activation)
        return "gru" if self.reset_after and torchs else None

    def _bias_entry(self) -> tuple[tuple[str, ...], Codec, Any]:
        if self.reset_after:
            return ("bias_ih_l0", "bias_hh_l0"), GRU_BIASES, self.bias_initializer
        return ("bias_ih_l0",), GRU_BIAS, self.bias_initializer


def _gate(cell: RecurrentCell) -> Callable[[Tensor], Tensor]:
    function: Callable[[Tensor], Tensor] = calling(cell.recurrent_activation or activations.linear)
    return function


def is_tanh(function: Any) -> bool:
    """Tell whether this is the hyperbolic tangent."""
    return function in (activations.tanh, torch.tanh)


def is_sigmoid(function: Any) -> bool:
    """Tell whether this is the logistic function."""
    return function in (activations.sigmoid, torch.sigmoid)
