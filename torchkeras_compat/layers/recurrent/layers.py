"""The recurrent layers: SimpleRNN, LSTM and GRU, each an `RNN` over its cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from ..._core import dialects, registry, settings
from ..._core.ownership import is_ours
from ..base import own_arguments
from ..base.gradient_facts import LSTMFacts
from .base import RNN
from .cells import GRUCell, LSTMCell, RecurrentCell, SimpleRNNCell, named
from .choose_kernel import choose_kernel, onednn_lstm


def of_cell(name: str) -> Any:
    """Return a property that is an argument of the cell."""

    def get(self: OwnCell) -> Any:
        return getattr(self.cell, name)

    def put(self: OwnCell, value: Any) -> None:
        setattr(self.cell, name, value)

    return property(get, put, doc=f"`{name}` of the cell.")


def _weight_of_cell(name: str) -> Any:
    """Return a property that is a weight of the cell; a user's layer may give it another value for one call."""

    def get(self: OwnCell) -> Any:
        return getattr(self.cell, name)

    def put(self: OwnCell, value: Any) -> None:
        line = next(line for line in self.cell._table if line.name == name)
        if isinstance(value, Tensor) and not is_ours(type(self)):
            self._rebind(name, line, value)
        else:
            line.assign(value)

    return property(get, put, doc=f"The weight `{name}` of the cell.")


# What layers of Keras 1 overrode; Keras 2.1 stopped calling it without a word.
STEPS_OF_KERAS_1 = ("step", "get_constants", "preprocess_input", "get_initial_states")


class OwnCell(RNN):
    """Base of layers that walk over a cell which they make from their own arguments."""

    _casts_integers = True

    _cell_class: ClassVar[Any]
    cell: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        written = [name for name in STEPS_OF_KERAS_1 if callable(cls.__dict__.get(name))]
        if written and not is_ours(cls) and not cls._is_users:
            cell = cls._cell_class.__name__
            raise TypeError(
                f"{cls.__name__}.{written[0]}: the steps are those of the layer's cell, and nothing would call it; "
                f"write a subclass of {cell} with call(inputs, states), and RNN(that cell)."
            )

    def __init__(self, _arguments: dict[str, Any], **kwargs: Any) -> None:
        owner, kind = type(self).__name__, self._cell_class
        if "cell" in kwargs:
            raise TypeError(f"{owner}(cell=…): {owner} makes its own cell; write RNN(cell, …).")
        of_layer = {**_arguments, **kwargs}
        for_cell = {name: of_layer.pop(name) for name in own_arguments(kind) if name in of_layer}
        for_cell = kind._checked(owner, for_cell)
        shared = {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}
        with dialects.using(dialects.of(self).name):
            cell = kind(**for_cell, **shared, name=settings.snake_case(kind.__name__))
        super().__init__(cell, **of_layer)
        self._state_names = cell._state_names

    # --- what the cell holds -------------------------------------------------------------------------------------

    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")

    kernel = _weight_of_cell("kernel")
    recurrent_kernel = _weight_of_cell("recurrent_kernel")
    bias = _weight_of_cell("bias")

    # --- configuration -------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; the cell's stand among them."""
        return without(super().get_config(), "cell")

    def _config_of(self, name: str) -> Any:
        return None if name == "cell" else super()._config_of(name)  # which `get_config` leaves out


class Recurrent(OwnCell):
    """Base of SimpleRNN, LSTM and GRU."""

    _input_rank = 3

    _cell_class: ClassVar[type[RecurrentCell]]

    def __init__(self, _arguments: dict[str, Any], implementation: int = 2, **kwargs: Any) -> None:
        super().__init__({**_arguments, "implementation": implementation}, **kwargs)

    units = of_cell("units")
    implementation = of_cell("implementation")

    @property
    def rnn(self) -> nn.RNNBase:
        """The torch module that holds the weights."""
        rnn: nn.RNNBase = self.cell.rnn
        return rnn

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        # Before there were cells, the layer itself held the torch module.
        for key in [key for key in state_dict if key.startswith((f"{prefix}rnn.", f"{prefix}activation."))]:
            state_dict[f"{prefix}cell.{key[len(prefix) :]}"] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, *args)

    # --- dropout -------------------------------------------------------------------------------------------------

    def _drops_each_step(self) -> bool:
        """Tell whether input dropout is drawn for each step: tf.keras does so where its fused kernel fits."""
        if not self._rules.recurrent_dropout_by_kernel or self.cell._facts.formula.gates == 1:
            return False
        fits = self.use_bias and not self.unroll and not self.recurrent_dropout
        return fits and self.cell._facts.torch_function is not None


def without(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a configuration without one of its arguments."""
    return {key: value for key, value in config.items() if key != name}


@registry.register("layer")
class SimpleRNN(Recurrent):
    """`h = activation(x · kernel + h · recurrent_kernel + bias)` at each step, on a `torch.nn.RNN`.

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
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        dropout: Fraction of the input features dropped in training, the same at all steps of a sequence.
        recurrent_dropout: Fraction of the state dropped in the recurrent product.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last state is returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last state of each sample starts the next batch.
        unroll: Accepted; the result is the same.
        kwargs: `time_major`, `implementation` and the arguments of every layer.

    Shape:
        Input: `(batch, steps, features)`. Output: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.

    Raises:
        ValueError: `units` is not positive, a fraction lies outside [0, 1], or a stateful layer has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.SimpleRNN(8, return_sequences=True).compute_output_shape((None, 5, 3))
        (None, 5, 8)
    """

    _cell_class = SimpleRNNCell

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(named(locals()), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; Keras's SimpleRNN has no `implementation`."""
        return without(super().get_config(), "implementation")


@registry.register("layer")
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), on a `torch.nn.LSTM`.

    torch's fused kernel runs with tanh and sigmoid and without recurrent dropout; everything else in one loop.

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
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        dropout: Fraction of the input features dropped in training.
        recurrent_dropout: Fraction of the state dropped in the recurrent product.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last h and c are returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last states of each sample start the next batch.
        time_major: Whether input and output are `(steps, batch, …)`.
        unroll: Accepted; the result is the same.
        kwargs: `implementation` (1 draws dropout for each gate) and the arguments of every layer.

    Shape:
        Input: `(batch, steps, features)`. Output: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.

    Raises:
        ValueError: `units` is not positive, a fraction lies outside [0, 1], or a stateful layer has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.LSTM(32, input_shape=(10, 8))
        >>> layer.compute_output_shape((None, 10, 8))
        (None, 32)
    """

    _cell_class = LSTMCell

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        time_major: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(named(locals()), **kwargs)

    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")

    def _gradient_facts(self) -> LSTMFacts | None:
        turned = self.go_backwards or self.time_major or self.return_state
        if turned or self.dropout or self.recurrent_dropout or self._walkers() is None:
            return None
        facts = self.cell._facts
        weights = facts.weights()
        if choose_kernel(facts, weights[0]) is not onednn_lstm:  # inputs come in the type and on the device of weights
            return None
        zeros = [] if self.use_bias else [weights[0].new_zeros(4 * self.units)] * 2
        return LSTMFacts(
            weights=[*weights, *zeros],
            trained=3 if self.use_bias else 2,
            return_sequences=self.return_sequences,
            states=self._held_states if self.stateful else None,
            keep=self._keep,
        )


@registry.register("layer")
class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014), on a `torch.nn.GRU`.

    torch's kernel computes the variant `reset_after=True` with tanh and sigmoid; everything else runs in one loop.

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
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        dropout: Fraction of the input features dropped in training.
        recurrent_dropout: Fraction of the state dropped in the recurrent product.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last state is returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last state of each sample starts the next batch.
        unroll: Accepted; the result is the same.
        time_major: Whether input and output are `(steps, batch, …)`.
        reset_after: Whether the reset gate acts after the recurrent product, with a bias of its own (cuDNN's variant).
        kwargs: `implementation` (1 draws dropout for each gate) and the arguments of every layer.

    Shape:
        Input: `(batch, steps, features)`. Output: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.

    Raises:
        ValueError: `units` is not positive, a fraction lies outside [0, 1], or a stateful layer has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.GRU(4, reset_after=True, input_shape=(10, 8))
        >>> layer._build_from((None, 10, 8))
        >>> [tuple(w.shape) for w in layer.weights]
        [(8, 12), (4, 12), (2, 12)]
    """

    _cell_class = GRUCell

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        time_major: bool = False,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(named(locals()), **kwargs)

    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")
