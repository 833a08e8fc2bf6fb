"""TimeDistributed and Bidirectional beyond what the contract and Keras's numbers say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat._core import dialects
from torchkeras_compat.models import Model, Sequential


def draw(*shape: int) -> Any:
    return np.random.RandomState(7).randn(*shape).astype("float32")


# --- errors ----------------------------------------------------------------------------------------------------------


class Plain(L.LSTM):
    pass


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: L.TimeDistributed(L.Dense), r"TimeDistributed\(layer=Dense\): this is the class; write Dense\(…\)"),
    (lambda: L.TimeDistributed(3), "layer must be a layer; got 3"),
    (lambda: L.TimeDistributed(L.Dense(2))(draw(2, 3)), r"must have 3 axes or more.*got shape \(None, 3\)"),
    (lambda: L.Bidirectional(L.Dense(2)), "must be a recurrent layer, such as LSTM"),
    (lambda: L.Bidirectional(L.LSTM(2), "sums"), "did you mean 'sum'"),
    (lambda: L.Bidirectional(L.LSTM(2), backward_layer=3), "backward_layer must be a layer"),
    (lambda: L.Bidirectional(L.LSTM(2), backward_layer=L.LSTM(2)), "write go_backwards=True in it"),
    (
        lambda: L.Bidirectional(L.LSTM(2), backward_layer=L.LSTM(2, go_backwards=True, return_state=True)),
        "return_state must be False, as in the layer; got True",
    ),
    (lambda: L.Bidirectional(L.LSTM(2))(draw(2, 3, 4), initial_state=[draw(2, 2)] * 3), "initial_state .* got 3"),
    (lambda: L.Bidirectional(L.LSTM(2))(draw(2, 3, 4), initial_state=[draw(2, 2)] * 2), "there must be 2 states"),
    (lambda: L.Bidirectional(L.LSTM(2))(draw(2, 3)), "LSTM 'forward_lstm_1': the input must have 3 axes"),
    (lambda: L.Bidirectional(L.LSTM(2)).reset_states(), "reset_states needs a layer made with stateful=True"),
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=[message for _, message in WRONG])
def test_errors(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError), match=message):
        call()


# --- penalties, traits and modes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dialect", "penalty"), [("tf.keras", 0.32), ("keras-2.3", 4.8)])
def test_evaluate_counts_the_penalty_of_the_layer_inside(dialect: str, penalty: float) -> None:
    # 30 outputs of 4: .01 · Σ y² = 4.8, in Keras 2.15 divided by 5 samples · 3 steps; its own evaluate gives 16.32.
    with dialects.using(dialect):
        dense = L.Dense(2, activity_regularizer="l2", kernel_initializer="ones")
        model = Sequential([L.TimeDistributed(dense, input_shape=(3, 4))])
        model.compile("sgd", "mse")
    assert model.evaluate(np.ones((5, 3, 4)), np.zeros((5, 3, 2)), verbose=0) == pytest.approx(16 + penalty)


def test_what_mixes_samples_inside_is_not_joined() -> None:
    mixing = L.TimeDistributed(L.Lambda(lambda x: x - x.mean(0, keepdim=True)), input_shape=(3, 4))
    model = Sequential([mixing])
    x = draw(6, 3, 4)
    apart = np.concatenate([model.predict(x[i : i + 2], batch_size=2, verbose=0) for i in (0, 2, 4)])
    np.testing.assert_allclose(model.predict(x, batch_size=2, verbose=0), apart, atol=1e-6)
    assert not mixing._traits.row_wise
    assert L.TimeDistributed(L.Dense(2))._traits.row_wise


def test_traits_are_those_of_the_layer_inside() -> None:
    assert L.TimeDistributed(L.LSTM(2))._traits.walks_over_time
    assert L.TimeDistributed(L.Embedding(3, 2, mask_zero=True))._traits.makes_mask
    assert L.TimeDistributed(L.Embedding(3, 2))._traits.takes_integers
    assert L.Bidirectional(L.LSTM(2, stateful=True))._traits.stateful
    assert not L.Bidirectional(L.LSTM(2))._traits.stateful
    assert L.Bidirectional(L.LSTM(2))._traits.row_wise
    assert not L.Bidirectional(L.LSTM(2, activation=lambda x: x * 2))._traits.row_wise


def test_the_mode_reaches_the_layer_inside() -> None:
    x = torch.ones(4, 3, 50)
    for layer in (L.TimeDistributed(L.Dropout(0.5)), L.TimeDistributed(Sequential([L.Dropout(0.5)]))):
        assert torch.equal(layer(x), x)
        assert not torch.equal(layer(x, training=True), x)
    both = L.Bidirectional(L.LSTM(3, dropout=0.5))
    assert torch.equal(both(x), both(x))
    assert not torch.equal(both(x, training=True), both(x))


# --- TimeDistributed -------------------------------------------------------------------------------------------------


def test_the_layer_inside_runs_once() -> None:
    calls: list[Any] = []
    dense = L.Dense(2)
    layer = L.TimeDistributed(dense)
    dense.register_forward_hook(lambda module, inputs, output: calls.append(tuple(inputs[0].shape)))
    assert tuple(layer(torch.ones(5, 3, 4)).shape) == (5, 3, 2)
    assert calls == [(15, 4)]


def test_steps_and_batches_of_any_number() -> None:
    layer = L.TimeDistributed(L.Dense(2))
    model = Sequential([L.Input((None, 4)), layer])
    assert model.output_shape == (None, None, 2)
    for batch, steps in ((2, 3), (1, 7), (5, 1)):
        assert model.predict(draw(batch, steps, 4), verbose=0).shape == (batch, steps, 2)
    fixed = Sequential([L.TimeDistributed(L.Dense(2), batch_input_shape=(2, 3, 4))])
    assert fixed.output_shape == (2, 3, 2)


def test_states_walk_from_step_to_step_where_the_batch_is_fixed() -> None:
    # As in Keras: the layer inside keeps its state, so that one step's end is the next one's beginning.
    inner = L.LSTM(2, stateful=True)
    layer = L.TimeDistributed(inner, batch_input_shape=(2, 3, 4, 5))
    model = Sequential([layer])
    x = draw(2, 3, 4, 5)
    whole = L.LSTM(2, return_sequences=True)
    whole._build_from((None, 12, 5))
    whole.set_weights(inner.get_weights())
    expected = np.asarray(whole(x.reshape(2, 12, 5)))[:, 3::4]
    np.testing.assert_allclose(model.predict(x, batch_size=2, verbose=0), expected, rtol=1e-5, atol=1e-6)
    model.reset_states()
    np.testing.assert_allclose(model.predict(x, batch_size=2, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_a_torch_module_is_a_layer_too() -> None:
    module = torch.nn.Linear(4, 2)
    layer = L.TimeDistributed(module)
    x = torch.tensor(draw(5, 3, 4))
    torch.testing.assert_close(layer(x), module(x))
    assert len(layer.trainable_weights) == 2


def test_a_model_of_several_inputs() -> None:
    a, b = L.Input((4,)), L.Input((2,))
    inner = Model([a, b], L.Dense(3)(L.concatenate([a, b])))
    layer = L.TimeDistributed(inner)
    x, y = draw(5, 3, 4), draw(5, 3, 2)
    found = layer([x, y])
    expected = inner([x.reshape(15, 4), y.reshape(15, 2)])
    torch.testing.assert_close(found.reshape(15, 3), expected)
    assert layer.compute_output_shape([(None, 3, 4), (None, 3, 2)]) == (None, 3, 3)


def test_a_shared_layer_has_its_weights_once() -> None:
    dense = L.Dense(2)
    a, b = L.Input((3, 4)), L.Input((4,))
    model = Model([a, b], [L.TimeDistributed(dense)(a), dense(b)])
    assert len(model.weights) == 2


def test_layers_of_users_around_others() -> None:
    class Twice(L.Wrapper):
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return self.layer(self.layer(inputs))

    layer = Twice(L.Dense(4, use_bias=False, activity_regularizer="l2"), input_shape=(4,))
    model = Sequential([layer])
    kernel = layer.layer.get_weights()[0]
    x = draw(3, 4)
    np.testing.assert_allclose(model.predict(x, verbose=0), x @ kernel @ kernel, rtol=1e-4, atol=1e-5)
    assert [w.name for w in model.weights] == ["twice_1/kernel:0"]
    again = Twice.from_config(layer.get_config())
    assert again.layer.get_config() == layer.layer.get_config()
    model.compile("sgd", "mse")
    first, second = x @ kernel, x @ kernel @ kernel
    loss = model.evaluate(x, np.zeros((3, 4)), verbose=0)
    assert loss == pytest.approx((second**2).mean() + 0.01 * ((first**2).sum() + (second**2).sum()), rel=1e-4)


def test_keras_1_had_a_name_for_dense_steps() -> None:
    with pytest.warns(FutureWarning, match="output_dim"):
        layer = L.TimeDistributedDense(output_dim=2, input_dim=4, input_length=3)
    dense = L.TimeDistributed(L.Dense(2))
    model = Sequential([layer])
    x = draw(5, 3, 4)
    dense(x)
    dense.set_weights(layer.get_weights())
    np.testing.assert_allclose(model.predict(x, verbose=0), np.asarray(dense(x)), rtol=1e-5, atol=1e-6)
    assert model.input_shape == (None, 3, 4)


# --- Bidirectional ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (L.LSTM, {"recurrent_activation": "sigmoid"}),
        (L.LSTM, {"recurrent_activation": "hard_sigmoid"}),
        (L.GRU, {"reset_after": True}),
        (L.SimpleRNN, {}),
    ],
)
def test_each_direction_finds_the_kernel_of_the_layer_alone(
    cls: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        kernel = getattr(torch, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            return kernel(*args, **kwargs)

        return call

    for name in ("mkldnn_rnn_layer", "lstm", "gru", "rnn_tanh"):
        monkeypatch.setattr(torch, name, counted(name))
    layer = L.Bidirectional(cls(3, return_sequences=True, **options))
    x = torch.tensor(draw(4, 6, 5))
    with torch.no_grad():
        y = layer(x)
        of_both, calls[:] = list(calls), []
        alone = [layer.forward_layer(x), layer.backward_layer(x).flip(1)]
    assert torch.equal(y, torch.cat(alone, -1))
    assert of_both == calls


def test_the_layer_that_is_given_stays_as_it_is() -> None:
    lstm = L.LSTM(2, name="mine")
    layer = L.Bidirectional(lstm)
    layer(draw(2, 3, 4))
    assert layer.layer is lstm
    assert (lstm.name, lstm.built) == ("mine", False)
    assert [part.name for part in layer._sublayers()] == ["forward_mine", "backward_mine"]
    assert (layer.forward_layer.go_backwards, layer.backward_layer.go_backwards) == (False, True)
    assert len(layer.weights) == 6


def test_initial_weights() -> None:
    values = [np.full(shape, i / 10) for i, shape in enumerate([(4, 8), (2, 8), (8,)] * 2)]
    layer = L.Bidirectional(L.LSTM(2), weights=values)
    layer(draw(2, 3, 4))
    for weight, value in zip(layer.get_weights(), values):
        np.testing.assert_allclose(weight, value, rtol=1e-6)
    layer = L.Bidirectional(L.LSTM(2, weights=values[:3]))
    layer(draw(2, 3, 4))
    np.testing.assert_allclose(layer.forward_layer.get_weights()[2], values[2], rtol=1e-6)


def test_trainable() -> None:
    for layer in (L.Bidirectional(L.LSTM(2), trainable=False), L.Bidirectional(L.LSTM(2, trainable=False))):
        assert not layer.trainable
        layer(draw(2, 3, 4))
        assert layer.trainable_weights == []
    layer = L.Bidirectional(L.LSTM(2))
    layer(draw(2, 3, 4))
    layer.trainable = False
    assert len(layer.non_trainable_weights) == 6
    layer.forward_layer.trainable = True
    assert [w.name.split("/")[1] for w in layer.forward_layer.trainable_weights] == ["forward_lstm_3"] * 3


def test_functions_and_classes_of_users_are_copied() -> None:
    def squashed(x: Any) -> Any:
        return torch.tanh(x) / 2

    layer = L.Bidirectional(Plain(2, activation=squashed))
    assert type(layer.forward_layer) is type(layer.backward_layer) is Plain
    assert layer.backward_layer.activation is squashed
    assert float(layer(draw(2, 3, 4)).abs().max()) < 0.5


def test_states_are_kept_and_cleared() -> None:
    model = Sequential([L.Bidirectional(L.LSTM(2, stateful=True), batch_input_shape=(2, 3, 4))])
    layer = model.layers[0]
    x = draw(6, 3, 4)
    together = model.predict(x, batch_size=2, verbose=0)
    assert not np.allclose(model.predict(x, batch_size=2, verbose=0), together)
    model.reset_states()
    apart = np.concatenate([model.predict_on_batch(x[i : i + 2]) for i in (0, 2, 4)])
    np.testing.assert_allclose(apart, together, rtol=1e-5, atol=1e-6)
    states = [np.full((2, 2), i, "float32") for i in range(4)]
    layer.reset_states(states)
    kept = [*layer.forward_layer.states, *layer.backward_layer.states]
    for state, value in zip(kept, states):
        np.testing.assert_array_equal(np.asarray(state), value)


def test_the_first_states_go_to_both() -> None:
    layer = L.Bidirectional(L.GRU(2))
    x, states = draw(3, 4, 5), [draw(3, 2), -draw(3, 2)]
    y = layer(x, initial_state=states)
    expected = [layer.forward_layer(x, initial_state=states[0]), layer.backward_layer(x, initial_state=states[1])]
    torch.testing.assert_close(y, torch.cat(expected, -1))
    torch.testing.assert_close(layer([x, *states]), y)


def test_time_comes_first() -> None:
    layer = L.Bidirectional(L.LSTM(2, return_sequences=True, time_major=True))
    x = draw(3, 4, 5)
    y = layer(x)
    other = L.Bidirectional(L.LSTM(2, return_sequences=True))
    other(x.swapaxes(0, 1))
    other.set_weights(layer.get_weights())
    torch.testing.assert_close(y, other(x.swapaxes(0, 1)).transpose(0, 1))


@pytest.mark.parametrize(("dialect", "is_zero"), [("tf.keras", True), ("keras-2.15", True), ("keras-2.3", False)])
def test_masked_steps_of_sequences(dialect: str, is_zero: bool) -> None:
    x = draw(2, 4, 3)
    x[0, 2:] = 0
    with dialects.using(dialect):
        y = L.Bidirectional(L.LSTM(2, return_sequences=True))(L.Masking()(x))
    assert bool((y[0, 2:] == 0).all()) is is_zero
    assert not bool((y[0, :2] == 0).any())


def test_a_configuration_of_its_own_backward_layer() -> None:
    back = L.GRU(3, go_backwards=True, name="back")
    layer = L.Bidirectional(L.LSTM(2), backward_layer=back)
    assert layer.backward_layer is back
    assert back.name == "backward_back"
    config = layer.get_config()
    assert config["backward_layer"]["config"]["name"] == "back"
    again = L.Bidirectional.from_config(config)
    assert again.get_config() == config
    assert "backward_layer" not in L.Bidirectional(L.LSTM(2)).get_config()


# --- files -----------------------------------------------------------------------------------------------------------


def test_weights_go_to_a_file_and_back(tmp_path: Path) -> None:
    def made() -> Sequential:
        inner = Sequential([L.Dense(3, input_shape=(4,)), L.Dense(2)])
        first = L.Bidirectional(L.LSTM(2, return_sequences=True), input_shape=(3, 4))
        return Sequential([first, L.TimeDistributed(L.BatchNormalization()), L.TimeDistributed(inner)])

    model, other = made(), made()
    model.save_weights(str(tmp_path / "w.h5"))
    other.load_weights(str(tmp_path / "w.h5"))
    x = draw(5, 3, 4)
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    assert keras.models.model_from_json(model.to_json()).count_params() == model.count_params()


def test_bidirectional_hands_a_constant_to_both_directions() -> None:
    """One tensor of constants is one constant, and not a list of samples."""

    class Shifted(L.Layer):
        state_size = output_size = 2

        def call(self, inputs: Any, states: Any, constants: Any) -> Any:
            output = 0.5 * states[0] + inputs + constants[0]
            return output, [output]

    rng = np.random.RandomState(0)
    x, c = rng.randn(3, 4, 2).astype("float32"), rng.randn(3, 2).astype("float32")
    expected = []
    for steps in (range(4), range(3, -1, -1)):
        state = np.zeros((3, 2))
        for t in steps:
            state = 0.5 * state + x[:, t] + c
        expected.append(state)
    inputs, constants = keras.Input((4, 2)), keras.Input((2,))
    wrapper = L.Bidirectional(L.RNN(Shifted()))
    model = keras.Model([inputs, constants], wrapper(inputs, constants=constants))
    for y in (model.predict([x, c], verbose=0), wrapper(x, constants=torch.as_tensor(c)).detach()):
        np.testing.assert_allclose(y, np.concatenate(expected, -1), rtol=1e-5)
