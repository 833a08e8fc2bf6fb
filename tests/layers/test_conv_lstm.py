"""ConvLSTM1D to ConvLSTM3D, ConvRNN2D and the cell, beyond the contract and the golden numbers."""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat._core import dialects

L = keras.layers
RNG = np.random.RandomState(4)
X = torch.tensor(RNG.normal(size=(2, 4, 6, 5, 3)).astype("float32"))  # (batch, steps, rows, columns, channels)
MASK = torch.tensor([[True, False, True, False], [False, True, True, True]])


def built(cls: Any = L.ConvLSTM2D, shape: Any = X.shape, **more: Any) -> Any:
    layer = cls(2, 3, **more)
    layer._build_from(tuple(shape))
    return layer


def see_each_step(layer: Any) -> list[int]:
    """Have the layer call its cell at each step, and return what counts them."""
    steps: list[int] = []
    layer.cell.register_forward_hook(lambda *_: steps.append(1))
    return steps


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": "same", "strides": 2, "return_sequences": True},
        {"dropout": 0.4},
        {"recurrent_dropout": 0.4},
        {"dropout": 0.4, "recurrent_dropout": 0.4, "padding": "same", "data_format": "channels_first"},
    ],
    ids=str,
)
@pytest.mark.parametrize("masked", [False, True])
def test_the_walk_is_the_cell_at_each_step(options: dict[str, Any], masked: bool) -> None:
    layer = built(**options, return_state=True, go_backwards=True)
    results = []
    for _ in range(2):
        torch.manual_seed(3)
        results.append(layer(X, mask=MASK if masked else None, training=True))
        see_each_step(layer)
    for walked, stepped in zip(*results):
        torch.testing.assert_close(walked, stepped)


def test_hooks_see_each_step() -> None:
    layer = built()
    steps = see_each_step(layer)
    layer(X)
    assert len(steps) == X.shape[1]


def test_dropout_is_drawn_for_each_gate_once_a_batch() -> None:
    layer = built(dropout=0.5, recurrent_dropout=0.5)
    layer(X, training=True)
    first = dict(layer.cell._kept_masks)
    assert {name: mask.shape[0] for name, mask in first.items()} == {"inputs": 4, "states": 4}
    assert not torch.equal(first["inputs"][0], first["inputs"][1])
    layer(X, training=True)
    assert not any(torch.equal(first[name], mask) for name, mask in layer.cell._kept_masks.items())


def test_first_states_are_those_of_a_walk_in_two_parts() -> None:
    layer = built(return_state=True)
    whole = layer(X)
    _, *states = layer(X[:, :2])
    for one, other in zip(whole, layer(X[:, 2:], initial_state=states)):
        torch.testing.assert_close(one, other)
    for one, other in zip(whole, layer([X[:, 2:], *states])):
        torch.testing.assert_close(one, other)


def test_symbolic_first_states_and_states_as_outputs() -> None:
    sequence, h, c = L.Input((4, 6, 5, 3)), L.Input((4, 3, 2)), L.Input((4, 3, 2))
    layer = L.ConvLSTM2D(2, 3, return_state=True)
    model = keras.Model([sequence, h, c], layer(sequence, initial_state=[h, c]))
    assert model.output_shape == [(None, 4, 3, 2)] * 3
    start = [RNG.normal(size=(2, 4, 3, 2)).astype("float32") for _ in range(2)]
    for found, expected in zip(
        model.predict([X.numpy(), *start]), layer(X, initial_state=list(map(torch.tensor, start)))
    ):
        np.testing.assert_allclose(found, expected.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ([torch.zeros(2, 4, 3, 2)], "2"),
        ([torch.zeros(2, 4, 3, 2), torch.zeros(2, 4, 3, 9)], r"initial_state c must have shape \(2, 4, 3, 2\)"),
        ([torch.zeros(2, 2), torch.zeros(2, 2)], r"initial_state h must have shape \(2, 4, 3, 2\)"),
    ],
)
def test_first_states_that_do_not_fit(states: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        built()(X, initial_state=states)


def test_a_stateful_model_goes_on_and_begins_anew() -> None:
    model = keras.Sequential([L.ConvLSTM2D(2, 3, stateful=True, batch_input_shape=X.shape)])
    x = X.numpy()
    first, second = model.predict(x, batch_size=2), model.predict(x, batch_size=2)
    assert not np.allclose(first, second)
    model.reset_states()
    np.testing.assert_allclose(model.predict(np.concatenate([x, x]), batch_size=2), np.concatenate([first, second]))
    layer = model.layers[0]
    layer.reset_states([np.ones((2, 4, 3, 2)), np.zeros((2, 4, 3, 2))])
    assert [float(state.mean()) for state in layer.states] == [1.0, 0.0]
    with pytest.raises(ValueError, match=r"state 0 must have shape \(2, 4, 3, 2\)"):
        layer.reset_states([np.ones((2, 4)), np.ones((2, 4))])


def test_a_stateful_layer_needs_all_sizes() -> None:
    with pytest.raises(ValueError, match=r"needs a fixed batch size and fixed sizes in space; got input of shape"):
        keras.Sequential([L.ConvLSTM2D(2, 3, stateful=True, batch_input_shape=(2, None, None, 5, 3))])


def test_images_may_differ_in_size_from_batch_to_batch() -> None:
    layer = L.ConvLSTM2D(2, 3)
    model = keras.Sequential([L.InputLayer((None, None, None, 3)), layer])
    assert model.output_shape == (None, None, None, 2)
    assert model.predict(X.numpy()).shape == (2, 4, 3, 2)
    assert model.predict(X[:, :2, :, :4].numpy()).shape == (2, 4, 2, 2)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_wrong_number_of_channels_is_told(data_format: str) -> None:
    layer = built(data_format=data_format, padding="same")
    axis = -1 if data_format == "channels_last" else 2
    with pytest.raises(ValueError, match="its weights were made for size"):
        layer(X.narrow(axis, 0, 2))
    layer(X[:, :2])  # another number of steps is none


def test_cells_for_conv_rnn_2d_alone() -> None:
    cell = L.ConvLSTM2DCell(2, 3, padding="same")
    layer = L.ConvRNN2D(cell, return_sequences=True)
    layer._build_from(tuple(X.shape))
    other = built(padding="same", return_sequences=True)
    other.set_weights(layer.get_weights())
    torch.testing.assert_close(layer(X), other(X), rtol=0, atol=0)
    assert cell.state_size == (2, 2)
    assert cell.compute_output_shape((None, 6, 5, 3)) == ((None, 6, 5, 2), [(None, 6, 5, 2)] * 2)
    h, c = cell.get_initial_state(X[:, 0])
    output, states = cell(X[:, 0], [h, c])
    assert output is states[0]
    torch.testing.assert_close(output, layer(X)[:, 0])
    with pytest.raises(ValueError, match="write ConvRNN2D"):
        L.RNN(L.ConvLSTM2DCell(2, 3, padding="same"))(X)
    with pytest.raises(ValueError, match=r"as many axes as its input, 4; got 2\. Write ConvRNN2D"):
        cell(X[:, 0], [torch.zeros(2, 2)] * 2)
    with pytest.raises(ValueError, match="cell must be a ConvLSTM2DCell"):
        L.ConvRNN2D(L.LSTMCell(2))
    with pytest.raises(ValueError, match="give them"):
        cell.get_initial_state(batch_size=2)


def test_a_users_cell_is_called_at_each_step() -> None:
    class Doubled(L.ConvLSTM2DCell):
        def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
            output, after = super().call(inputs, states, training)
            return 2 * output, after

    layer, usual = L.ConvRNN2D(Doubled(2, 3)), built()
    layer._build_from(tuple(X.shape))
    usual.set_weights(layer.get_weights())
    torch.testing.assert_close(layer(X), 2 * usual(X))
    assert layer._traits.runs_user_code


def test_gradient_is_that_of_differences() -> None:
    layer = built(padding="same", strides=2, dtype="float64", recurrent_activation="sigmoid")
    x = X[:1, :2].double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: layer(x), (x,))
    assert torch.autograd.gradcheck(
        lambda w: torch.func.functional_call(layer, {"cell.recurrent_conv.weight": w}, (x.detach(),)),
        (layer.cell.recurrent_conv.weight.detach().clone().requires_grad_(),),
    )


SPACE: dict[Any, tuple[int, ...]] = {L.ConvLSTM1D: (6,), L.ConvLSTM2D: (6, 5), L.ConvLSTM3D: (4, 3, 4)}


@pytest.mark.parametrize("window", [3, 2, 1])
@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize("cls", SPACE)
def test_the_written_out_gradient_is_that_of_each_step(cls: Any, started: bool, sequences: bool, window: int) -> None:
    """Windows without a middle have no gradient written out, and go the other way twice."""
    layer = cls(2, window, padding="same", return_sequences=sequences, return_state=True, dtype="float64")
    x = torch.tensor(RNG.normal(size=(2, 4, *SPACE[cls], 3)), requires_grad=True)
    states = [torch.tensor(RNG.normal(size=(2, *SPACE[cls], 2)), requires_grad=True) for _ in range(2)]
    start = states if started else []
    layer(x)

    def run() -> list[torch.Tensor]:
        y = [tensor.as_subclass(torch.Tensor) for tensor in layer([x, *start] if start else x)]
        loss = sum((tensor * tensor).sum() for tensor in y)
        first = torch.autograd.grad(loss, [x, *start, *layer.parameters()], create_graph=True)
        second = torch.autograd.grad(sum((one * one).sum() for one in first), [x, layer.cell.recurrent_conv.weight])
        return [*y, *first, *second]

    by_walk = run()
    steps = see_each_step(layer)
    for a, b in zip(by_walk, run(), strict=True):
        torch.testing.assert_close(a, b)
    assert len(steps) == 4


def test_the_walk_writes_its_gradient_out(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = built(padding="same")
    x = X.clone().requires_grad_()
    monkeypatch.setattr(type(layer.cell), "_after", None)  # what each step would call
    layer(x).sum().backward()
    assert x.grad is not None


def test_the_bias_of_the_forget_gate_begins_at_one() -> None:
    np.testing.assert_array_equal(built().get_weights()[2], [0, 0, 1, 1, 0, 0, 0, 0])


def test_names_go_by_dialect_and_weights_have_none_of_the_cell() -> None:
    assert [w.name for w in built().weights] == [
        f"conv_lst_m2d_1/{n}:0" for n in ("kernel", "recurrent_kernel", "bias")
    ]
    with dialects.using("tf.keras"):
        layer = built()
        assert L.CuDNNGRU(2).name == "cu_dnngru"
    assert [w.name for w in layer.weights] == [f"conv_lstm2d/{n}:0" for n in ("kernel", "recurrent_kernel", "bias")]


def test_both_directions_and_a_model_that_learns() -> None:
    model = keras.Sequential(
        [
            L.Bidirectional(L.ConvLSTM2D(2, 3, return_sequences=True, padding="same"), input_shape=X.shape[1:]),
            L.BatchNormalization(),
            L.ConvLSTM2D(2, 3),
            L.Flatten(),
            L.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    x, y = np.repeat(X.numpy(), 4, 0), np.repeat([[0.0], [1.0]], 4, 0)
    losses = model.fit(x, y, epochs=30, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


def test_spellings_of_keras_1() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = L.ConvLSTM2D(
            *(2, 3, 3),
            init="uniform",
            inner_init="orthogonal",
            forget_bias_init="zero",
            inner_activation="sigmoid",
            dim_ordering="th",
            border_mode="same",
            subsample=(2, 2),
            W_regularizer="l2",
            U_regularizer="l2",
            b_regularizer="l2",
            dropout_W=0.1,
            dropout_U=0.2,
            consume_less="gpu",
        )
        named = L.ConvLSTM2D(nb_filter=2, nb_row=3, nb_col=2)
    new = L.ConvLSTM2D(
        2,
        (3, 3),
        kernel_initializer="uniform",
        unit_forget_bias=False,
        recurrent_activation="sigmoid",
        data_format="channels_first",
        padding="same",
        strides=2,
        kernel_regularizer="l2",
        recurrent_regularizer="l2",
        bias_regularizer="l2",
        dropout=0.1,
        recurrent_dropout=0.2,
    )
    assert {**old.get_config(), "name": ""} == {**new.get_config(), "name": ""}
    assert named.kernel_size == (3, 2)


def test_old_modules_have_them() -> None:
    keras.compat.install()
    for root in ("keras", "tensorflow.keras"):
        module = importlib.import_module(f"{root}.layers.convolutional_recurrent")
        assert issubclass(module.ConvLSTM2D, L.ConvLSTM2D)
        assert issubclass(module.ConvLSTM2DCell, L.ConvLSTM2DCell)
        assert issubclass(importlib.import_module(f"{root}.layers.cudnn_recurrent").CuDNNLSTM, L.CuDNNLSTM)
    v1 = sys.modules["tensorflow"].compat.v1.keras.layers
    assert issubclass(v1.CuDNNGRU, L.CuDNNGRU)
