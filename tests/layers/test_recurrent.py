"""SimpleRNN, LSTM and GRU against a plain numpy definition, and their states, masks, dropout and weights."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat.backend as K
from torchkeras_compat._core import dialects
from torchkeras_compat.layers.recurrent import base
from torchkeras_compat.layers.recurrent import choose_kernel as kernel
from torchkeras_compat.layers.recurrent.layers import GRU, LSTM, Recurrent, SimpleRNN

BATCH, STEPS, FEATURES, UNITS = 4, 6, 3, 5
MASKS = {
    "none": None,
    "right": [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]],
    "left": [[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1], [0, 1, 1, 1, 1, 1]],
    "middle": [[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 1], [0, 0, 0, 1, 0, 0], [1, 1, 0, 0, 1, 1]],
    "whole rows": [[1, 0, 1, 1, 0, 1], [0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0]],
}
KINDS: list[tuple[type[Recurrent], dict[str, Any]]] = [
    (SimpleRNN, {}),
    (SimpleRNN, {"activation": "relu"}),
    (LSTM, {}),
    (LSTM, {"use_bias": False}),
    (LSTM, {"recurrent_activation": "hard_sigmoid"}),
    (LSTM, {"activation": "elu"}),
    (GRU, {"reset_after": True}),
    (GRU, {"reset_after": True, "recurrent_activation": "hard_sigmoid"}),
    (GRU, {"reset_after": False}),
    (GRU, {"reset_after": False, "activation": "elu", "use_bias": False}),
]
IDS = [f"{cls.__name__}-{'-'.join(map(str, kwargs.values()))}" for cls, kwargs in KINDS]
FUNCTIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
}


def numpy_step(layer: Recurrent, x: Any, states: list[Any]) -> list[Any]:
    """One step from the Keras weights, as `LSTMCell.call` and its like of Keras 2.15 define it."""
    act = FUNCTIONS[layer.activation.__name__]
    kernel, recurrent, *rest = layer.get_weights()
    bias = rest[0] if rest else np.zeros(kernel.shape[1])
    h = states[0]
    if isinstance(layer, SimpleRNN):
        return [act(x @ kernel + bias + h @ recurrent)]
    gate = FUNCTIONS[layer.recurrent_activation.__name__]
    if isinstance(layer, LSTM):
        i, f, g, o = np.split(x @ kernel + bias + h @ recurrent, 4, -1)
        c = gate(f) * states[1] + gate(i) * act(g)
        return [gate(o) * act(c), c]
    one, two = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
    xz, xr, xh = np.split(x @ kernel + one, 3, -1)
    hz, hr, hh = np.split(h @ recurrent + two, 3, -1)
    z, r = gate(xz + hz), gate(xr + hr)
    reset = r * hh if layer.reset_after else (r * h) @ recurrent[:, 2 * layer.units :]
    return [z * h + (1 - z) * act(xh + reset)]


def numpy_run(layer: Recurrent, x: Any, mask: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """The sequence as `K.rnn` walks over it: a masked step keeps the states and repeats the output."""
    steps = range(x.shape[1])
    output, outputs = np.zeros((len(x), layer.units)), []
    for t in reversed(steps) if layer.go_backwards else steps:
        now = numpy_step(layer, x[:, t], states)
        valid = np.ones((len(x), 1), bool) if mask is None else np.asarray(mask, bool)[:, t, None]
        states = [np.where(valid, new, old) for new, old in zip(now, states)]
        output = np.where(valid, now[0], output)
        outputs.append(output)
    return (np.stack(outputs, 1) if layer.return_sequences else output), states


def built(cls: type[Recurrent], kwargs: dict[str, Any], **more: Any) -> Recurrent:
    layer = cls(UNITS, dtype="float64", **kwargs, **more)
    layer._build_from((BATCH, STEPS, FEATURES))
    rng = np.random.RandomState(1)
    layer.set_weights([rng.randn(*w.shape) * 0.6 for w in layer.get_weights()])
    return layer


def data(seed: int = 0) -> Any:
    return np.random.RandomState(seed).randn(BATCH, STEPS, FEATURES)


def zeros(layer: Recurrent) -> list[Any]:
    return [np.zeros((BATCH, UNITS)) for _ in layer._state_names]


@pytest.mark.parametrize("grad", [True, False], ids=["training", "no_grad"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("cls", "kwargs"), KINDS, ids=IDS)
def test_equals_the_definition(cls: type[Recurrent], kwargs: dict[str, Any], mask: str, grad: bool) -> None:
    valid = None if MASKS[mask] is None else torch.tensor(MASKS[mask]).bool()
    for sequences in (False, True):
        for backwards in (False, True):
            layer = built(cls, kwargs, return_sequences=sequences, go_backwards=backwards, return_state=True)
            start = [np.random.RandomState(i).randn(BATCH, UNITS) for i in range(len(layer._state_names))]
            for states in (None, start):
                with torch.set_grad_enabled(grad):
                    output, *last = layer(data(), mask=valid, initial_state=states)
                expected, end = numpy_run(layer, data(), MASKS[mask], states or zeros(layer))
                for got, want in zip([output, *last], [expected, *end]):
                    np.testing.assert_allclose(got.detach().numpy(), want, atol=1e-12)


@pytest.mark.parametrize(("cls", "kwargs"), KINDS, ids=IDS)
def test_output_does_not_depend_on_what_is_masked_nor_do_gradients(
    cls: type[Recurrent], kwargs: dict[str, Any]
) -> None:
    layer = built(cls, kwargs, return_sequences=True)
    valid = torch.tensor(MASKS["whole rows"]).bool()
    x = torch.tensor(data(), requires_grad=True)
    y = layer(x, mask=valid)
    y.square().sum().backward()
    other = torch.where(valid.unsqueeze(-1), x.detach(), torch.tensor(9.0, dtype=x.dtype))
    torch.testing.assert_close(layer(other, mask=valid), y)
    assert x.grad is not None
    assert (x.grad[~valid] == 0).all()
    assert (x.grad[valid] != 0).any()


def test_every_kernel_gives_the_gradients_of_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = LSTM(UNITS, return_sequences=True)
    layer._build_from((None, STEPS, FEATURES))
    kernels = (kernel.step_by_step, kernel.onednn_lstm, kernel.torch_kernel, kernel.written_out)
    found = []
    for chosen in kernels:
        monkeypatch.setattr(base, "choose_kernel", lambda *_, chosen=chosen: chosen)
        layer.zero_grad()
        layer(data().astype("float32"), mask=torch.tensor(MASKS["middle"]).bool()).square().sum().backward()
        found.append([p.grad.clone() for p in layer.parameters() if p.grad is not None])
    assert len(found[0]) == 3
    for other in found[1:]:
        for one, two in zip(found[0], other):
            torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_float32_lstm_is_torchs(bias: bool, start: bool) -> None:
    layer = LSTM(UNITS, return_sequences=True, return_state=True, use_bias=bias)
    layer._build_from((None, STEPS, FEATURES))
    x = torch.randn(BATCH, STEPS, FEATURES, requires_grad=True)
    states = [torch.randn(BATCH, UNITS, requires_grad=True) for _ in range(2)] if start else None
    leaves = [x, *layer.parameters(), *(states or [])]
    sequence, h, c = layer(x, initial_state=states)
    y, (last_h, last_c) = layer.rnn(x, None if states is None else tuple(s.unsqueeze(0) for s in states))
    pairs = [(sequence, y), (h, last_h[0]), (c, last_c[0])]
    grads = [torch.autograd.grad(sum(p[i].square().sum() for p in pairs), leaves) for i in (0, 1)]
    for one, two in [*pairs, *zip(*grads)]:
        torch.testing.assert_close(one, two)
    assert layer(torch.zeros(0, STEPS, FEATURES))[0].shape == (0, STEPS, UNITS)


def test_gradient_of_a_gradient() -> None:
    for layer in (GRU(UNITS), SimpleRNN(UNITS), LSTM(UNITS, recurrent_activation="hard_sigmoid")):
        layer._build_from((None, STEPS, FEATURES))
        x = torch.randn(BATCH, STEPS, FEATURES, requires_grad=True)
        (slope,) = torch.autograd.grad(layer(x).sum(), x, create_graph=True)
        slope.square().sum().backward()
        assert layer.rnn.weight_hh_l0.grad.any()


def test_gradients_come_in_inference_mode_too() -> None:
    layer = LSTM(UNITS).eval()
    layer._build_from((None, STEPS, FEATURES))
    x = torch.randn(BATCH, STEPS, FEATURES, requires_grad=True)
    layer(x, training=False).sum().backward()
    assert x.grad is not None


def test_autocast_takes_the_recorded_path() -> None:
    layer = GRU(UNITS, reset_after=False)
    layer._build_from((None, STEPS, FEATURES))
    x = torch.tensor(data(), dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer(x)
    y.float().sum().backward()
    torch.testing.assert_close(y.float(), layer(x), rtol=0.1, atol=0.05)


# --- masks and shapes ------------------------------------------------------------------------------------------------


def test_mask_goes_on_as_it_came_only_with_sequences() -> None:
    mask = torch.tensor(MASKS["left"]).bool()
    x = torch.tensor(data())
    assert built(LSTM, {}, return_sequences=True, go_backwards=True)._run(x, mask, False)[1] is mask
    assert built(LSTM, {})._run(x, mask, False)[1] is None
    assert built(LSTM, {}, return_sequences=True, return_state=True).compute_mask(x, mask) == [mask, None, None]


@pytest.mark.parametrize("cls", [LSTM, GRU])
def test_time_major_is_the_transposed(cls: type[Recurrent]) -> None:
    mask = torch.tensor(MASKS["middle"]).bool()
    one = built(cls, {}, return_sequences=True)(data(), mask=mask)
    layer = cls(UNITS, time_major=True, return_sequences=True, dtype="float64")
    layer._build_from((STEPS, BATCH, FEATURES))
    layer.set_weights(built(cls, {}).get_weights())
    torch.testing.assert_close(layer(data().transpose(1, 0, 2), mask=mask.t()).transpose(0, 1), one)
    assert layer.compute_output_shape((STEPS, BATCH, FEATURES)) == (STEPS, BATCH, UNITS)


def test_output_shapes() -> None:
    assert LSTM(4).compute_output_shape((None, 7, 3)) == (None, 4)
    assert LSTM(4, return_sequences=True).compute_output_shape((None, None, 3)) == (None, None, 4)
    assert LSTM(4, return_state=True).compute_output_shape((None, 7, 3)) == [(None, 4)] * 3


def test_the_first_states_may_stand_in_the_inputs() -> None:
    layer = built(LSTM, {})
    start = [np.ones((BATCH, UNITS)), -np.ones((BATCH, UNITS))]
    torch.testing.assert_close(layer([data(), *start]), layer(data(), initial_state=start))


def test_initial_state_is_checked() -> None:
    layer = built(LSTM, {})
    with pytest.raises(ValueError, match=r"there must be 2 states \(h, c\); got 1"):
        layer(data(), initial_state=[np.zeros((BATCH, UNITS))])
    with pytest.raises(ValueError, match=r"initial_state c must have shape \(4, 5\)"):
        layer(data(), initial_state=[np.zeros((BATCH, UNITS)), np.zeros((BATCH, 1))])


# --- weights ---------------------------------------------------------------------------------------------------------


def test_one_bias_is_trained_and_torchs_second_is_a_zero_that_travels() -> None:
    layer = LSTM(UNITS, input_shape=(STEPS, FEATURES))
    layer._build_from((None, STEPS, FEATURES))
    names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0"]
    assert [n for n, _ in layer.named_parameters()] == [f"cell.rnn.{name}" for name in names]
    assert layer.count_params() == sum(p.numel() for p in layer.parameters()) == 4 * UNITS * (FEATURES + UNITS + 1)
    assert not layer.state_dict()["cell.rnn.bias_hh_l0"].any()
    plain = nn.LSTM(FEATURES, UNITS, batch_first=True)
    plain.load_state_dict(layer.rnn.state_dict())
    x = torch.randn(BATCH, STEPS, FEATURES)
    torch.testing.assert_close(plain(x)[0][:, -1], layer(x))
    moved = copy.deepcopy(layer).to(torch.float64)
    assert moved.rnn.bias_hh_l0.dtype == torch.float64
    torch.testing.assert_close(moved(x.double()).float(), layer(x))
    with torch.no_grad():
        moved.rnn.weight_ih_l0.zero_()
    assert layer.rnn.weight_ih_l0.any()


@pytest.mark.parametrize(("cls", "kwargs"), KINDS, ids=IDS)
def test_weights_round_trip_in_keras_order(cls: type[Recurrent], kwargs: dict[str, Any]) -> None:
    layer = built(cls, kwargs)
    values = [np.random.RandomState(7).randn(*w.shape) for w in layer.get_weights()]
    layer.set_weights(values)
    for got, want in zip(layer.get_weights(), values):
        np.testing.assert_array_equal(got, want)
    assert [w.name for w in layer._weight_table()] == ["kernel", "recurrent_kernel", "bias"][: len(values)]
    assert values[0].shape == (FEATURES, layer.cell._facts.formula.gates * UNITS)


@pytest.mark.parametrize(("cls", "kwargs"), KINDS, ids=IDS)
def test_pickles(cls: type[Recurrent], kwargs: dict[str, Any]) -> None:
    layer = built(cls, kwargs, stateful=True)
    other = pickle.loads(pickle.dumps(layer))
    torch.testing.assert_close(other(data()), layer(data()))
    assert other.states[0].data_ptr() != layer.states[0].data_ptr()  # type: ignore[union-attr]


def test_initial_weights_are_keras_s() -> None:
    layer = LSTM(UNITS)
    layer._build_from((None, STEPS, FEATURES))
    kernel, recurrent, bias = layer.get_weights()
    np.testing.assert_array_equal(bias, np.repeat([0.0, 1.0, 0.0], [UNITS, UNITS, 2 * UNITS]))
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(UNITS), atol=1e-5)
    assert np.abs(kernel).max() <= np.sqrt(6 / (FEATURES + 4 * UNITS))
    plain = LSTM(UNITS, unit_forget_bias=False, bias_initializer="ones")
    plain._build_from((None, STEPS, FEATURES))
    assert (plain.get_weights()[2] == 1).all()


def test_gru_regularizer_and_constraint_see_keras_s_layout() -> None:
    layer = GRU(UNITS, kernel_regularizer=lambda k: k[:, :UNITS].sum(), reset_after=True)
    layer._build_from((None, STEPS, FEATURES))
    (penalty,) = layer.losses
    assert penalty.item() == pytest.approx(layer.get_weights()[0][:, :UNITS].sum(), rel=1e-5)
    penalty.backward()
    grad = layer.rnn.weight_ih_l0.grad
    assert (grad[UNITS : 2 * UNITS] == 1).all()  # torch's second gate is Keras's first
    assert grad.sum() == UNITS * FEATURES


# --- stateful --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", ["none", "whole rows"])
@pytest.mark.parametrize(("cls", "kwargs"), KINDS, ids=IDS)
def test_stateful_goes_on_where_the_batch_before_ended(cls: type[Recurrent], kwargs: dict[str, Any], mask: str) -> None:
    layer = built(cls, kwargs, stateful=True)
    valid = None if MASKS[mask] is None else torch.tensor(MASKS[mask]).bool()
    states = zeros(layer)
    for seed, training in ((0, False), (1, True), (2, False)):
        y = layer(data(seed), mask=valid, training=training)
        expected, states = numpy_run(layer, data(seed), MASKS[mask], states)
        np.testing.assert_allclose(y.detach().numpy(), expected, atol=1e-12)
        y.sum().backward()
    for got, want in zip(layer.states, states):
        assert got is not None
        assert not got.requires_grad
        np.testing.assert_allclose(got.numpy(), want, atol=1e-12)
    layer.reset_states()
    np.testing.assert_allclose(layer(data()).detach().numpy(), numpy_run(layer, data(), None, zeros(layer))[0])


def test_states_are_no_weights_and_move_along() -> None:
    layer = built(LSTM, {}, stateful=True)
    layer(data())
    assert len(layer.get_weights()) == 3
    assert not [name for name in layer.state_dict() if "state" in name]
    other = copy.deepcopy(layer).to(torch.float32)
    assert [s.dtype for s in other.states if s is not None] == [torch.float32] * 2
    other.reset_states()
    assert layer.states[0] is not None
    assert layer.states[0].any()


def test_reset_states_to_values() -> None:
    layer = built(LSTM, {}, stateful=True)
    values = [np.full((BATCH, UNITS), 0.3), np.full((BATCH, UNITS), -0.2)]
    layer.reset_states(values)
    np.testing.assert_allclose(layer(data()).detach().numpy(), numpy_run(layer, data(), None, values)[0])
    with pytest.raises(ValueError, match=r"state 1 must have shape \(4, 5\)"):
        layer.reset_states([values[0], values[1][:2]])
    with pytest.raises(ValueError, match=r"there must be 2 states"):
        layer.reset_states(values[0])


def test_kept_states_go_before_given_ones_unless_they_are_zero() -> None:
    layer = built(GRU, {}, stateful=True)
    start = np.ones((BATCH, UNITS))
    first = layer(data(), initial_state=start)
    np.testing.assert_allclose(first.detach().numpy(), numpy_run(layer, data(), None, [start])[0])
    second = layer(data(), initial_state=start)
    expected = numpy_run(layer, data(), None, [first.detach().numpy()])[0]
    np.testing.assert_allclose(second.detach().numpy(), expected)


def test_stateful_errors() -> None:
    layer = LSTM(UNITS, stateful=True)
    with pytest.raises(ValueError, match=r"batch_input_shape=\(32, 6, 3\)"):
        layer._build_from((None, STEPS, FEATURES))
    with pytest.raises(ValueError, match="needs a built layer"):
        layer.reset_states()
    layer = built(LSTM, {}, stateful=True)
    with pytest.raises(ValueError, match=r"batch_input_shape, 4; got 3 samples"):
        layer(data()[:3])
    with pytest.raises(AttributeError, match="stateful=True"):
        LSTM(UNITS).reset_states()


def test_stateful_layer_called_on_its_own_takes_the_size_of_its_first_batch() -> None:
    layer = LSTM(UNITS, stateful=True)
    layer(data().astype("float32"))
    assert [tuple(s.shape) for s in layer.states if s is not None] == [(BATCH, UNITS)] * 2


# --- dropout ---------------------------------------------------------------------------------------------------------


def constant_steps(layer: Recurrent, **kwargs: Any) -> Any:
    """Outputs of a cell that only passes its input on, for a sequence of ones."""
    layer._build_from((None, 40, 1))
    layer.set_weights([np.full_like(w, i == 0) for i, w in enumerate(layer.get_weights())])
    return layer(np.ones((50, 40, 1), "float32"), training=True).detach().numpy()[..., 0]


def test_dropout_is_one_draw_for_all_steps() -> None:
    y = constant_steps(SimpleRNN(1, activation="linear", dropout=0.5, return_sequences=True))
    assert (y == y[:, :1]).all()
    assert set(np.unique(y)) == {0.0, 2.0}


@pytest.mark.parametrize(("dialect", "by_step"), [("keras-2.3", False), ("tf.keras", True), ("keras-2.15", True)])
def test_dropout_by_step_where_tf_keras_runs_its_fused_kernel(dialect: str, by_step: bool) -> None:
    with dialects.using(dialect):
        fused = GRU(1, dropout=0.5, return_sequences=True, reset_after=True)
        loop = GRU(1, dropout=0.5, return_sequences=True, reset_after=True, unroll=True)
    for layer, expected in ((fused, by_step), (loop, False)):
        layer._build_from((None, 40, 1))
        layer.set_weights([np.full_like(w, i == 0) for i, w in enumerate(layer.get_weights())])
        x = torch.ones(1, 40, 1, requires_grad=True)
        layer(x, training=True).sum().backward()
        assert x.grad is not None
        dropped = x.grad.flatten() == 0
        assert (dropped.any() and not dropped.all()) == expected


def test_implementation_one_draws_for_each_gate() -> None:
    torch.manual_seed(0)
    with dialects.using("keras-2.3"):
        layers = [LSTM(1, dropout=0.5, implementation=n) for n in (1, 2)]
    for layer, expected in zip(layers, (True, False)):
        layer._build_from((None, 1, 1))
        layer.set_weights([np.ones_like(w) for w in layer.get_weights()])
        outputs = layer(np.ones((400, 1, 1), "float32"), training=True)
        assert (len(np.unique(outputs.detach().numpy().round(5))) > 2) == expected


@pytest.mark.parametrize(("cls", "kwargs"), KINDS, ids=IDS)
def test_recurrent_dropout_acts_in_training_only(cls: type[Recurrent], kwargs: dict[str, Any]) -> None:
    layer = built(cls, kwargs, recurrent_dropout=0.4, dropout=0.2)
    expected = numpy_run(layer, data(), None, zeros(layer))[0]
    np.testing.assert_allclose(layer(data()).detach().numpy(), expected, atol=1e-12)
    one, two = layer(data(), training=True), layer(data(), training=True)
    assert not torch.equal(one, two)
    one.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())


# --- arguments -------------------------------------------------------------------------------------------------------


def test_config_round_trip() -> None:
    given: dict[str, Any] = {
        "activation": "relu",
        "recurrent_activation": "hard_sigmoid",
        "use_bias": False,
        "kernel_regularizer": "l2",
        "recurrent_constraint": "non_neg",
        "dropout": 0.25,
        "recurrent_dropout": 0.5,
        "return_sequences": True,
        "go_backwards": True,
        "stateful": True,
        "time_major": True,
        "unroll": True,
        "implementation": 1,
    }
    for cls in (LSTM, GRU):
        layer = cls(7, name="mine", batch_input_shape=(2, 3, 4), **given)
        config = layer.get_config()
        assert config["units"] == 7
        assert {k: config[k] for k in given if k not in ("kernel_regularizer", "recurrent_constraint")} == {
            k: v for k, v in given.items() if k not in ("kernel_regularizer", "recurrent_constraint")
        }
        assert cls.from_config(config).get_config() == config
    assert "implementation" not in SimpleRNN(2).get_config()
    assert GRU(2, reset_after=True).get_config()["reset_after"] is True


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"units": -3}, r"LSTM\(units=-3\): units must be a positive integer; got -3"),
        ({"units": 3, "dropout": 1.5}, "dropout must be a number in"),
        ({"units": 3, "implementation": 3}, "implementation must be 0, 1 or 2"),
        ({"units": 3, "input_shape": (2, 3, 4)}, "must have 3 axes"),
        ({"units": 3, "input_shape": (4, None)}, "must be known"),
    ],
)
def test_bad_arguments(kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LSTM(**kwargs)._build_from((None, *kwargs.get("input_shape", (1, 1))))


def test_classic_defaults() -> None:
    with dialects.using("keras-2.2"):
        assert (GRU(2).reset_after, LSTM(2).recurrent_activation.__name__) == (False, "hard_sigmoid")
        assert LSTM(2).implementation == 1
    with dialects.using("keras-2.3"):
        assert (GRU(2).reset_after, LSTM(2).recurrent_activation.__name__) == (False, "sigmoid")
    with dialects.using("tf.keras"):
        assert GRU(2).reset_after is True


@pytest.mark.gpu
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("cls", "kwargs"), KINDS, ids=IDS)
def test_cuda_equals_the_cpu(cls: type[Recurrent], kwargs: dict[str, Any], mask: str) -> None:
    for stateful in (False, True):
        layer = built(cls, kwargs, return_sequences=True, stateful=stateful).to("cpu", torch.float32)
        other = copy.deepcopy(layer).to("cuda")
        valid = None if MASKS[mask] is None else torch.tensor(MASKS[mask]).bool()
        x = torch.tensor(data(), dtype=torch.float32)
        one = layer(x, mask=valid)
        two = other(x.cuda(), mask=None if valid is None else valid.cuda())
        torch.testing.assert_close(two.cpu(), one, rtol=1e-4, atol=1e-4)
        one.square().sum().backward()
        two.square().sum().backward()
        for p, q in zip(layer.parameters(), other.parameters()):
            torch.testing.assert_close(q.grad.cpu(), p.grad, rtol=1e-3, atol=1e-3)


def test_masks_that_are_not_of_steps() -> None:
    """Keras 2.15 takes (batch, steps, 1) for (batch, steps), and fails at other axes."""
    layer, x = LSTM(3), np.random.RandomState(0).rand(2, 4, 5).astype("float32")
    mask = np.array([[True, True, False, True], [False, True, True, False]])
    expected = layer(x, mask=torch.as_tensor(mask))
    np.testing.assert_array_equal(layer(x, mask=torch.as_tensor(mask[..., None])), expected)
    with pytest.raises(ValueError, match=r"\(batch, steps\); got the shape \(2, 4, 5\).*compute_mask"):
        layer(x, mask=torch.ones((2, 4, 5), dtype=torch.bool))


def test_kept_states_are_variables() -> None:
    """What was read of them stays, and what is assigned to them counts, as `tf.Variable`s of Keras 2.15 have it."""
    layer = SimpleRNN(2, stateful=True, batch_input_shape=(1, 1, 2), activation="linear", use_bias=False)
    layer.build((1, 1, 2))
    layer.set_weights([np.zeros((2, 2)), np.eye(2) * 2])
    x = np.zeros((1, 1, 2))
    layer.states[0].assign([[1.0, 3.0]])
    before = layer.states[0].numpy()
    np.testing.assert_array_equal(layer(x).detach(), [[2.0, 6.0]])
    np.testing.assert_array_equal(before, [[1.0, 3.0]])
    np.testing.assert_array_equal(layer.states[0].numpy(), [[2.0, 6.0]])
    other = SimpleRNN(2, stateful=True, batch_input_shape=(1, 1, 2))
    other.build((1, 1, 2))
    K.set_value(other.states[0], np.ones((1, 2)))
    np.testing.assert_array_equal(K.get_value(other.states[0]), [[1.0, 1.0]])
    other.reset_states(layer.states)
    np.testing.assert_array_equal(other.states[0].numpy(), [[2.0, 6.0]])


@pytest.mark.parametrize("implementation", [1, 2])
@pytest.mark.parametrize("rates", [(0.3, 0.0), (0.0, 0.3), (0.2, 0.4)])
@pytest.mark.parametrize(("kind", "more"), [(SimpleRNN, {}), (LSTM, {}), (GRU, {}), (GRU, {"reset_after": True})])
def test_dropout_by_the_written_out_gradient(
    kind: type[Recurrent],
    more: dict[str, Any],
    rates: tuple[float, float],
    implementation: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The walk that autograd records draws the same, and gives the same outputs, states and gradients."""
    if kind is not SimpleRNN:
        more = {**more, "implementation": implementation}
    layer = kind(4, dropout=rates[0], recurrent_dropout=rates[1], return_state=True, **more)
    x = torch.randn(3, 5, 2, requires_grad=True)
    layer(x)

    def run() -> list[torch.Tensor]:
        torch.manual_seed(7)
        outputs = layer(x, training=True)
        return [*outputs, *torch.autograd.grad(sum(y.square().sum() for y in outputs), [x, *layer.parameters()])]

    written = run()
    monkeypatch.setattr(base, "choose_kernel", lambda *arguments: kernel.step_by_step)
    for a, b in zip(written, run(), strict=True):
        torch.testing.assert_close(a, b)
