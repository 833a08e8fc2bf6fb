"""Cells by themselves, and `RNN` around them: steps, dropout, states, constants, hooks, errors; users' cells too.

That the numbers are Keras's is shown in tests/golden/test_golden_cells.py.
"""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L
from torchkeras_compat._core import dialects
from torchkeras_compat._core.tensor_shape import TensorShape
from torchkeras_compat.layers.recurrent import choose_kernel as kernels

BATCH, STEPS, FEATURES, UNITS = 4, 6, 3, 5
RNG = np.random.default_rng(4)
X = RNG.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 1, 1], [0] * 6, [1] * 6], bool)
PAIRS: list[tuple[Any, Any, dict[str, Any]]] = [
    (L.SimpleRNN, L.SimpleRNNCell, {"activation": "relu"}),
    (L.LSTM, L.LSTMCell, {}),
    (L.LSTM, L.LSTMCell, {"recurrent_activation": "hard_sigmoid", "use_bias": False}),
    (L.GRU, L.GRUCell, {"reset_after": True}),
    (L.GRU, L.GRUCell, {"reset_after": False}),
]


class Sum(L.Layer):
    """A user's cell without weights: the sum so far."""

    state_size = FEATURES

    def call(self, inputs: Any, states: Any) -> Any:
        return inputs + states[0], [inputs + states[0]]


def built(layer: Any, shape: tuple[int | None, ...] = (None, STEPS, FEATURES)) -> Any:
    layer._build_from(shape)
    return layer


# --- cells by themselves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("layer_class", "cell_class", "options"), PAIRS)
def test_steps_by_hand_give_the_layers_sequence(layer_class: Any, cell_class: Any, options: dict[str, Any]) -> None:
    layer = built(layer_class(UNITS, return_sequences=True, **options))
    cell = cell_class(UNITS, **options)
    states = cell.get_initial_state(batch_size=BATCH, dtype="float32")
    states = states if isinstance(states, list) else [states]
    outputs = []
    cell(X[:, 0], states)
    cell.set_weights(layer.get_weights())
    for t in range(STEPS):
        output, states = cell(X[:, t], states)
        outputs.append(torch.as_tensor(output))
    torch.testing.assert_close(torch.stack(outputs, 1), layer(torch.tensor(X)), rtol=1e-5, atol=1e-6)


def test_a_single_state_may_stand_by_itself() -> None:
    cell = L.GRUCell(UNITS)
    alone, state = cell(X[:, 0], torch.zeros(BATCH, UNITS))
    listed, (same,) = cell(X[:, 0], [torch.zeros(BATCH, UNITS)])
    assert all(torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in ((alone, listed), (state, same)))


@pytest.mark.parametrize(("layer_class", "cell_class", "options"), PAIRS)
def test_a_layer_is_an_rnn_over_its_cell(layer_class: Any, cell_class: Any, options: dict[str, Any]) -> None:
    layer, rnn = built(layer_class(UNITS, **options)), built(L.RNN(cell_class(UNITS, **options)))
    assert isinstance(layer, L.RNN)
    assert isinstance(layer.cell, cell_class)
    rnn.set_weights(layer.get_weights())
    x = torch.tensor(X)
    mask = torch.tensor(MASK)
    assert torch.equal(rnn(x), layer(x))
    assert torch.equal(rnn(x, mask=mask), layer(x, mask=mask))
    assert [w.name for w in layer.cell._table] == [w.name for w in rnn.cell._table]
    np.testing.assert_array_equal(layer.kernel.numpy(), layer.cell.kernel.numpy())
    assert layer.recurrent_kernel.shape == (UNITS, layer.kernel.shape[1])
    layer.kernel = layer.kernel * 0
    assert not layer.cell.kernel.numpy().any()


def test_one_draw_of_dropout_serves_all_steps_until_it_is_reset() -> None:
    cell = L.LSTMCell(UNITS, dropout=0.5, recurrent_dropout=0.5, implementation=1)
    states = [torch.ones(BATCH, UNITS), torch.ones(BATCH, UNITS)]
    x = torch.tensor(X[:, 0])

    def step() -> Any:
        return cell(x, states, training=True)[0].detach()

    first = step()
    assert torch.equal(step(), first)
    cell.reset_dropout_mask()
    cell.reset_recurrent_dropout_mask()
    assert not torch.equal(step(), first)
    assert torch.equal(cell(x, states)[0], cell(x, states)[0])
    assert cell(x[:2], [s[:2] for s in states], training=True)[0].shape == (2, UNITS)  # another number of samples


def test_each_batch_draws_dropout_anew_in_cells_of_users_cells() -> None:
    class Around(L.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = L.GRUCell(UNITS, dropout=0.5)
            self.state_size = UNITS

        def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
            return self.inner(inputs, states, training=training)

    layer = L.RNN(Around(), return_sequences=True)
    ones = torch.ones(BATCH, STEPS, FEATURES)
    one, two = layer(ones, training=True), layer(ones, training=True)
    assert not torch.equal(one, two)
    assert not layer.cell.inner._kept_masks
    assert torch.equal(layer(ones), layer(ones))


def test_classic_defaults() -> None:
    with dialects.using("keras-2.2"):
        cell = L.LSTMCell(2)
        assert (cell.recurrent_activation.__name__, cell.implementation) == ("hard_sigmoid", 1)
        assert L.GRUCell(2).reset_after is False
    with dialects.using("tf.keras"):
        layer = L.GRU(2)
    assert layer.cell._rules is layer._rules


def test_automatic_names_count_cells_that_users_make_only() -> None:
    L.LSTM(2)
    assert L.LSTMCell(2).name == "lstm_cell_1"
    assert L.LSTM(2).cell.name == "lstm_cell"


# --- RNN -------------------------------------------------------------------------------------------------------------


def test_weights_have_their_cells_names() -> None:
    layer = built(L.RNN([L.LSTMCell(2, name="low"), L.GRUCell(2, name="high")], name="walk"))
    paths = [w.name for w in layer.weights]
    assert [path.rpartition("/")[2] for path in paths] == ["kernel:0", "recurrent_kernel:0", "bias:0"] * 2
    assert all(path.startswith("walk/") for path in paths)
    assert ["low" in path for path in paths] == [True] * 3 + [False] * 3


def test_several_cells_walk_by_fast_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = built(L.RNN([L.LSTMCell(UNITS), L.GRUCell(2)]))
    seen = []
    choose = kernels.choose_kernel

    def watched(*args: Any) -> Any:
        seen.append(choose(*args))
        return seen[-1]

    monkeypatch.setattr("torchkeras_compat.layers.recurrent.base.choose_kernel", watched)
    layer(torch.tensor(X)).sum().backward()
    assert seen == [kernels.onednn_lstm, kernels.written_out]


@pytest.mark.parametrize(("layer_class", "cell_class", "options"), PAIRS)
def test_a_hook_on_the_cell_sees_each_step(layer_class: Any, cell_class: Any, options: dict[str, Any]) -> None:
    layer = built(layer_class(UNITS, return_sequences=True, return_state=True, **options))
    x, mask = torch.tensor(X), torch.tensor(MASK)
    expected = layer(x, mask=mask)
    seen: list[Any] = []
    handle = layer.cell.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape))
    for got, want in zip(layer(x, mask=mask), expected):
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-6)
    assert seen == [(BATCH, FEATURES)] * STEPS
    handle.remove()
    layer(x)
    assert len(seen) == STEPS


def test_a_model_with_users_cells_trains_evaluates_and_predicts() -> None:
    x, y = np.ones((10, STEPS, FEATURES), "float32"), np.zeros((10, 2), "float32")
    model = keras.Sequential([L.Masking(input_shape=(STEPS, FEATURES)), L.RNN([Sum(), L.LSTMCell(2)]), L.Dense(2)])
    model.compile("sgd", "mse")
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.evaluate(x, y, verbose=0) < losses[0]
    assert model.predict(x, verbose=0).shape == (10, 2)


def test_users_cells_and_classes_do_not_join_batches() -> None:
    class Mine(L.RNN):
        pass

    assert built(L.RNN(L.LSTMCell(2)))._traits.row_wise
    for layer in (L.RNN(Sum()), L.RNN([L.LSTMCell(3), Sum()]), Mine(L.LSTMCell(2))):
        assert not built(layer)._traits.row_wise
    stateful = {"stateful": True, "batch_input_shape": (8, 5, 3)}
    assert keras.Sequential([L.RNN(L.LSTMCell(2), **stateful)])._samples_at_once(True) > 8
    assert keras.Sequential([L.RNN(Sum(), **stateful)])._samples_at_once(True) == 0


def test_stateful_stack_over_joined_batches() -> None:
    x = RNG.normal(size=(24, 5, 3)).astype("float32")
    cells = [L.LSTMCell(4), L.GRUCell(3)]
    model = keras.Sequential([L.RNN(cells, stateful=True, batch_input_shape=(8, 5, 3)), L.Dense(2)])
    one_by_one = np.concatenate([model.predict_on_batch(x[i : i + 8]) for i in (0, 8, 16)])
    kept = [s.numpy().copy() for s in model.layers[0]._held_states()]
    model.reset_states()
    np.testing.assert_allclose(model.predict(x, batch_size=8, verbose=0), one_by_one, rtol=1e-5, atol=1e-6)
    for got, want in zip(model.layers[0]._held_states(), kept):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    structure = model.layers[0].states
    assert [len(structure[0]), tuple(structure[1].shape)] == [2, (8, 3)]


def test_a_graph_refuses_users_cells_and_holds_those_of_keras(uncompiled: None) -> None:
    x, y = np.ones((8, 4, 3), "float32"), np.ones((8, 1), "float32")
    for cell, refused in ((Sum(), True), ([L.LSTMCell(16), L.GRUCell(2)], False)):
        model = keras.Sequential([L.RNN(cell, input_shape=(4, 3), name="walk"), L.Dense(1)])
        model.compile("sgd", "mse", jit_compile=True)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model.fit(x, y, verbose=0)
        assert [("RNN 'walk'" in str(w.message)) for w in said] == [True] * refused


def test_a_plain_object_is_a_cell_too() -> None:
    class Decay:
        state_size = FEATURES

        def call(self, inputs: Any, states: Any) -> Any:
            return inputs, [0.5 * states[0] + inputs]

    layer = L.RNN(Decay(), return_state=True)
    output, state = layer(X)
    expected = np.zeros((BATCH, FEATURES))
    for t in range(STEPS):
        expected = 0.5 * expected + X[:, t]
    np.testing.assert_allclose(np.asarray(state), expected, rtol=1e-5)
    np.testing.assert_array_equal(np.asarray(output), X[:, -1])
    with pytest.raises(NotImplementedError, match=r"get_config needs a cell with get_config\(\); Decay has none"):
        layer.get_config()


def test_inputs_that_are_walked_over_together() -> None:
    class Pair(L.Layer):
        state_size = (2, TensorShape([3]))
        output_size = (2, 3)

        def call(self, inputs: Any, states: Any) -> Any:
            sums = [state + x for state, x in zip(states, inputs)]
            return tuple(sums), sums

    layer = L.RNN(Pair(), return_sequences=True, return_state=True)
    one, two = torch.randn(BATCH, STEPS, 2), torch.randn(BATCH, STEPS, 3)
    shapes = (tuple(one.shape), tuple(two.shape))
    layer.build(shapes)
    (first, second), *states = layer((one, two))
    torch.testing.assert_close(first, one.cumsum(1))
    torch.testing.assert_close(second, two.cumsum(1))
    torch.testing.assert_close(states, [one.sum(1), two.sum(1)])
    assert layer.compute_output_shape(shapes) == [
        ((BATCH, STEPS, 2), (BATCH, STEPS, 3)),
        (BATCH, 2),
        (BATCH, 3),
    ]


def test_constants_may_stand_in_the_inputs_and_are_counted_in_the_configuration() -> None:
    class Plus(Sum):
        def call(self, inputs: Any, states: Any, constants: Any) -> Any:
            return inputs + constants[0] + states[0], [inputs + states[0]]

    layer, constant, start = L.RNN(Plus()), np.full((BATCH, FEATURES), 2.0, "float32"), np.ones((BATCH, FEATURES))
    expected = X.sum(1) + 3
    np.testing.assert_allclose(np.asarray(layer(X, initial_state=start, constants=constant)), expected, rtol=1e-5)
    assert layer.get_config()["num_constants"] == 1
    with keras.utils.custom_object_scope({"Plus": Plus}):
        again = L.RNN.from_config(layer.get_config())
    np.testing.assert_allclose(np.asarray(again([X, start, constant])), expected, rtol=1e-5)
    with pytest.raises(ValueError, match=r"constants need a cell with call\(inputs, states, constants\); Sum.call"):
        L.RNN(Sum())(X, constants=[constant])


def test_the_call_is_normalised_before_anything_else() -> None:
    layer = L.RNN([L.LSTMCell(2), L.GRUCell(3)])
    x, h, c, g = (torch.zeros(s) for s in ((BATCH, STEPS, FEATURES), (BATCH, 2), (BATCH, 2), (BATCH, 3)))
    assert layer._normalised_call([x, h, c, g], {"training": True}) == (
        x,
        {"training": True, "initial_state": [h, c, g]},
    )
    assert layer._normalised_call([x], {}) == (x, {})
    symbols = [K.placeholder((None, STEPS, FEATURES)), K.placeholder((None, 2))]
    inputs, arguments = L.GRU(2)._normalised_call(symbols, {})
    assert inputs is symbols[0]
    assert arguments["initial_state"][0] is symbols[1]
    numbers = X.tolist()
    assert layer._normalised_call(numbers, {}) == (numbers, {})


def test_states_by_cell_or_in_a_row() -> None:
    layer = L.RNN([L.LSTMCell(2), L.GRUCell(3)], return_state=True)
    h, c, g = (torch.randn(BATCH, n) for n in (2, 2, 3))
    by_cell = layer(torch.tensor(X), initial_state=[[h, c], g])
    in_a_row = layer([torch.tensor(X), h, c, g])
    output, (last_h, last_c), last_g = by_cell
    torch.testing.assert_close(output, last_g)
    torch.testing.assert_close(in_a_row, by_cell)
    assert (last_h.shape, last_c.shape) == ((BATCH, 2), (BATCH, 2))
    with pytest.raises(ValueError, match="there must be 3 states; got 2"):
        layer(X, initial_state=[h, c])
    with pytest.raises(ValueError, match=r"initial_state 2 must have shape \(4, 3\)"):
        layer(X, initial_state=[h, c, h])
    shape = layer.compute_output_shape((None, STEPS, FEATURES))
    assert shape == [(None, 3), [(None, 2), (None, 2)], (None, 3)]
    assert layer.compute_output_shape([(None, STEPS, FEATURES), (None, 2), (None, 2), (None, 3)]) == shape
    mask = torch.tensor(MASK)
    assert layer.compute_mask([torch.tensor(X), h, c, g], [mask, None, None, None]) == [None, [None, None], None]


def test_reversed_order_of_states() -> None:
    with pytest.raises(TypeError):
        L.RNN([L.LSTMCell(2)], reverse_state_order=True)
    cells = L.StackedRNNCells([L.SimpleRNNCell(2), L.GRUCell(3)], reverse_state_order=True)
    assert cells.state_size == (3, 2)
    layer = built(L.RNN(cells, return_state=True))
    straight = built(L.RNN([L.SimpleRNNCell(2), L.GRUCell(3)], return_state=True))
    straight.set_weights(layer.get_weights())
    output, of_gru, of_simple = layer(torch.tensor(X))
    torch.testing.assert_close([output, of_simple, of_gru], list(straight(torch.tensor(X))))
    assert L.StackedRNNCells.from_config(cells.get_config()).reverse_state_order is True


@pytest.mark.parametrize("dialect", ["tf.keras", "keras-2.15"])
def test_states_of_equal_sizes_are_not_reversed_since_tensorflow_2(dialect: str) -> None:
    """There a step packs what it takes and gives in the cells' order; cells of other sizes fail."""
    keras.set_dialect(dialect)
    cells = [L.GRUCell(2), L.GRUCell(2, activation="relu")]
    layer = built(L.RNN(L.StackedRNNCells(cells, reverse_state_order=True), return_state=True))
    straight = built(L.RNN([L.GRUCell(2), L.GRUCell(2, activation="relu")], return_state=True))
    straight.set_weights(layer.get_weights())
    states = [torch.ones(BATCH, 2), torch.zeros(BATCH, 2)]
    for options in ({}, {"initial_state": states}):
        torch.testing.assert_close(list(layer(torch.tensor(X), **options)), list(straight(torch.tensor(X), **options)))


@pytest.mark.parametrize("way", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_are_of_their_own(way: Any) -> None:
    layer = built(L.RNN([L.LSTMCell(2), L.GRUCell(3)], stateful=True), (BATCH, STEPS, FEATURES))
    other = way(layer)
    expected = layer(torch.tensor(X))
    torch.testing.assert_close(other(torch.tensor(X)), expected)
    other.set_weights([np.zeros_like(w) for w in other.get_weights()])
    other.reset_states()
    layer.reset_states()
    torch.testing.assert_close(layer(torch.tensor(X)), expected)
    assert not other(torch.tensor(X)).any()


def test_types_are_those_of_the_cell() -> None:
    layer = built(L.RNN(L.LSTMCell(2, dtype="float64"), stateful=True), (BATCH, STEPS, FEATURES))
    assert layer(torch.tensor(X)).dtype == torch.float64
    assert {s.dtype for s in layer._held_states()} == {torch.float64}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.RNN(L.LSTMCell), "cell must be a cell: an object"),
        (lambda: L.RNN(L.Dense(2)), "cell must be a cell: an object"),
        (lambda: L.RNN([]), "cells must be a list of cells"),
        (lambda: L.StackedRNNCells(L.LSTMCell(2)), "cells must be a list of cells"),
        (lambda: L.LSTMCell(0), r"LSTMCell\(units=0\): units must be a positive integer"),
        (lambda: L.GRUCell(2, dropout=2), r"GRUCell\(dropout=2\): dropout must be"),
        (lambda: L.LSTMCell(2, activation="tahn"), "did you mean 'tanh'"),
        (lambda: L.LSTM(2, activation="tahn"), r"LSTM\(activation='tahn'\)"),
        (lambda: L.LSTM(2, cell=L.LSTMCell(2)), r"LSTM\(cell=…\): LSTM makes its own cell; write RNN\(cell, …\)"),
        (lambda: L.LSTMCell(2).get_initial_state(), "give inputs, or batch_size and dtype"),
        (lambda: L.StackedRNNCells([L.LSTMCell(2)]).get_initial_state(), "give inputs, or batch_size and dtype"),
        (lambda: built(L.RNN(L.LSTMCell(2), stateful=True)), r"batch_input_shape=\(32, 6, 3\)"),
        (lambda: L.RNN(L.LSTMCell(2))(np.ones((2, 3))), r"RNN 'rnn_1': the input must have 3 axes or more"),
    ],
)
def test_errors_name_what_to_write(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make()


# --- layers that users derive ----------------------------------------------------------------------------------------


def test_a_users_subclass_has_three_weights() -> None:
    class Mine(L.LSTM):
        pass

    layer = built(Mine(UNITS))
    assert [w.name.rpartition("/")[2] for w in layer.weights] == ["kernel:0", "recurrent_kernel:0", "bias:0"]


def test_another_value_of_a_weight_stands_for_one_call() -> None:
    class Masked(L.LSTM):
        def call(self, inputs: Any, **options: Any) -> Any:
            self.kernel = self.kernel * 0
            return super().call(inputs, **options)

    layer = built(Masked(UNITS, unit_forget_bias=False))
    before = layer.get_weights()
    assert not layer(torch.tensor(X)).any()
    for old, new in zip(before, layer.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_a_users_first_states_are_asked_for() -> None:
    class Mine(L.GRU):
        def get_initial_state(self, inputs: Any) -> Any:
            return [torch.ones(inputs.shape[0], self.units)]

    layer = built(Mine(UNITS))
    torch.testing.assert_close(layer(torch.tensor(X)), layer(X, initial_state=np.ones((BATCH, UNITS))))


def test_files_of_torch_from_before_there_were_cells_are_read() -> None:
    layer = built(L.LSTM(UNITS, activation=torch.nn.PReLU()))
    state = layer.state_dict()
    assert all(key.startswith("cell.") for key in state)
    old = {key.removeprefix("cell."): value + 1 for key, value in state.items()}
    model = keras.Sequential([built(L.LSTM(UNITS, activation=torch.nn.PReLU()))])
    model.layers[0].load_state_dict(old)
    for key, value in model.layers[0].state_dict().items():
        torch.testing.assert_close(value, state[key] + 1)


# --- the choice of the kernel ----------------------------------------------------------------------------------------

LSTM_RELU = {"activation": "relu"}
CHOICES: list[tuple[Any, dict[str, Any], dict[str, Any], bool, Any]] = [
    (L.LSTMCell, {}, {}, True, kernels.onednn_lstm),
    (L.LSTMCell, {}, {}, False, kernels.onednn_lstm),
    (L.LSTMCell, {}, {"every_state": True}, True, kernels.written_out),
    (L.LSTMCell, {}, {"dropped": True}, True, kernels.written_out),
    (L.LSTMCell, {"activation": "elu"}, {"dropped": True}, True, kernels.step_by_step),
    (L.LSTMCell, {"dtype": "float64"}, {}, True, kernels.written_out),
    (L.LSTMCell, {"dtype": "float64"}, {}, False, kernels.torch_kernel),
    (L.LSTMCell, LSTM_RELU, {}, True, kernels.written_out),
    (L.LSTMCell, {"activation": "elu"}, {}, True, kernels.step_by_step),
    (L.GRUCell, {}, {}, True, kernels.written_out),
    (L.GRUCell, {"reset_after": True}, {}, False, kernels.torch_kernel),
    (L.GRUCell, {"reset_after": True}, {"every_state": True}, False, kernels.torch_kernel),
    (L.GRUCell, {"reset_after": False}, {}, False, kernels.written_out),
    (L.SimpleRNNCell, {}, {}, True, kernels.written_out),
    (L.SimpleRNNCell, {}, {}, False, kernels.torch_kernel),
    (L.SimpleRNNCell, {"activation": "linear"}, {}, False, kernels.written_out),
]


@pytest.mark.parametrize(("cell_class", "options", "asked", "recorded", "expected"), CHOICES)
def test_the_choice_of_the_kernel(
    cell_class: Any, options: dict[str, Any], asked: dict[str, Any], recorded: bool, expected: Any
) -> None:
    cell = built(cell_class(UNITS, **options), (None, FEATURES))
    x = torch.zeros(STEPS, BATCH, FEATURES, dtype=cell._facts.weights()[0].dtype)
    with torch.set_grad_enabled(recorded):
        assert kernels.choose_kernel(cell._facts, x, **asked) is expected
    if recorded and not asked:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            recast = kernels.torch_kernel if cell._facts.torch_function else kernels.step_by_step
            assert kernels.choose_kernel(cell._facts, x) is recast


def test_a_nested_layer_keeps_its_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    choose = kernels.choose_kernel
    monkeypatch.setattr(
        "torchkeras_compat.layers.recurrent.base.choose_kernel", lambda *a: (seen.append(choose(*a)), seen[-1])[1]
    )

    class Outer(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = L.LSTM(UNITS)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    Outer()(torch.tensor(X))
    keras.Sequential([keras.Sequential([L.LSTM(UNITS, input_shape=(STEPS, FEATURES))])])(torch.tensor(X))
    assert len(seen) == 2
    assert all(kernel is kernels.onednn_lstm for kernel in seen)


@pytest.mark.parametrize(("layer_class", "cell_class", "options"), PAIRS)
def test_an_empty_batch_has_empty_outputs(layer_class: Any, cell_class: Any, options: dict[str, Any]) -> None:
    layer = built(layer_class(UNITS, return_sequences=True, **options))
    assert layer(torch.zeros(0, STEPS, FEATURES)).shape == (0, STEPS, UNITS)


def test_a_cell_in_a_layer_stands_in_no_model() -> None:
    cell = built(L.LSTM(UNITS)).cell
    assert not hasattr(cell, "output")
    with pytest.raises(AttributeError, match="LSTMCell 'lstm_cell' has no input or output yet: add it to a model"):
        _ = cell.input
