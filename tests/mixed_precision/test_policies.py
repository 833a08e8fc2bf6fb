"""Policies at work: which types run where, and that weights stay what they are."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L
from torchkeras_compat import mixed_precision as mp

X = np.linspace(-1, 1, 24, dtype="float32").reshape(6, 4)
KINDS = {"mixed_float16": torch.float16, "mixed_bfloat16": torch.bfloat16}
each_policy = pytest.mark.parametrize("policy", KINDS)


def net(policy: str) -> Any:
    mp.set_global_policy(policy)
    body = [L.Dense(5, activation="relu", input_shape=(4,)), L.BatchNormalization()]
    return keras.Sequential([*body, L.Dense(3), L.Activation("softmax", dtype="float32")])


@each_policy
def test_parameters_stay_in_float32(policy: str) -> None:
    model = net(policy)
    before = [p.detach().clone() for p in model.parameters()]
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, np.arange(6) % 3, epochs=2, verbose=0)
    assert {t.dtype for t in model.state_dict().values()} == {torch.float32}
    assert {w.dtype for w in model.weights} == {torch.float32}
    assert all(isinstance(p, nn.Parameter) for p in model.parameters())
    assert not any(torch.equal(a, b) for a, b in zip(before, model.parameters()))


@each_policy
def test_a_dense_layer_computes_in_the_short_type(policy: str) -> None:
    layer = L.Dense(3, dtype=policy, use_bias=False)
    y = layer(torch.tensor(X))
    kind = KINDS[policy]
    assert y.dtype == kind
    torch.testing.assert_close(y, torch.tensor(X).to(kind) @ torch.tensor(layer.get_weights()[0]).to(kind))
    y.float().sum().backward()
    assert layer.linear.weight.grad.dtype == torch.float32


def test_a_float32_layer_has_nothing_of_it() -> None:
    layer = L.Dense(3)
    layer.build((None, 4))
    assert not layer._casts
    assert type(layer._parameters) is type(layer.linear._parameters) is dict


@each_policy
def test_copies_compute_the_same(policy: str) -> None:
    model = net(policy)
    wanted = model.predict(X)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), keras.models.clone_model(model)):
        other.set_weights(model.get_weights())
        assert [layer.dtype_policy for layer in other.layers] == [layer.dtype_policy for layer in model.layers]
        np.testing.assert_array_equal(other.predict(X), wanted)


def test_predictions_come_in_the_type_of_the_output() -> None:
    for policy, kind in (("mixed_float16", "float16"), ("mixed_bfloat16", "float32"), ("float64", "float64")):
        model = keras.Sequential([L.Dense(2, input_shape=(4,), dtype=policy)])
        assert model.predict(X).dtype == kind  # numpy has no bfloat16


def test_threads_read_the_weights_each_in_its_own_type() -> None:
    """A layer that runs in one thread leaves the weights that another one reads, or trains, as they are."""
    model = keras.Sequential([L.Dense(64, input_shape=(4,), dtype="mixed_bfloat16") for _ in range(3)])
    wanted, kept = model.predict(X), [id(p) for p in model.parameters()]
    wrong: list[Any] = []

    def predict() -> None:
        for _ in range(20):
            if not np.array_equal(model.predict(X), wanted):
                wrong.append("another result")

    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        if model.layers[0].linear.weight.dtype != torch.float32:
            wrong.append("another type outside")
    for thread in threads:
        thread.join()
    assert not wrong
    assert [id(p) for p in model.parameters()] == kept


def test_an_error_in_a_call_ends_the_casting() -> None:
    class Fails(L.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.w = self.add_weight(name="w", shape=(4,))

        def call(self, x: Any) -> Any:
            raise ArithmeticError("on purpose")

    layer = Fails(dtype="mixed_float16")
    with pytest.raises(ArithmeticError):
        layer(torch.tensor(X))
    assert (layer.w * 1).dtype == torch.float32


def test_a_weight_that_a_call_changes_or_replaces() -> None:
    class Changes(L.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.seen = self.add_weight(name="seen", shape=(), initializer="zeros", trainable=False)
            self.kernel = self.add_weight(name="kernel", shape=(4, 2), initializer="ones")

        def call(self, x: Any) -> Any:
            self.seen.assign_add(1.0)
            self.kernel = self.kernel * 0.5
            return K.dot(x, self.kernel)

    layer = Changes(dtype="mixed_bfloat16")
    for _ in range(2):
        y = layer(torch.ones(3, 4))
    assert y.dtype == torch.bfloat16
    assert y.float().eq(2.0).all()
    assert float(layer.seen) == 2.0
    assert layer.kernel.numpy().tolist() == [[1.0, 1.0]] * 4
    assert {p.dtype for p in layer.parameters()} == {torch.float32}


def test_layers_inside_a_wrapper_keep_their_own_policy() -> None:
    steps = torch.ones(2, 3, 4)
    inner = L.Dense(2, dtype="float32")
    assert L.TimeDistributed(inner, dtype="mixed_bfloat16")(steps).dtype == torch.float32
    assert L.TimeDistributed(L.Dense(2, dtype="mixed_bfloat16"), dtype="float32")(steps).dtype == torch.bfloat16


def test_layers_of_several_types_behind_each_other() -> None:
    x = keras.Input((4,))
    h = L.Dense(3, dtype="mixed_float16")(x)
    h = L.Dense(3, dtype="float64")(h)
    h = L.Dense(3)(h)
    model = keras.Model(x, [h, L.Add(dtype="mixed_bfloat16")([h, L.Dense(3, dtype="mixed_float16")(h)])])
    assert [t.dtype for t in model.outputs] == ["float32", "bfloat16"]
    assert [y.dtype for y in model(torch.tensor(X))] == [torch.float32, torch.bfloat16]


def test_a_model_hands_its_inputs_on_as_they_come() -> None:
    """A graph is no layer that computes: a float32 layer on the input sees all its digits."""
    mp.set_global_policy("mixed_bfloat16")
    x = keras.Input((4,))
    head = L.Dense(1, dtype="float32", kernel_initializer="ones")
    inner = keras.Model(x, [head(x), L.Dense(2)(x) * 2.0])
    exact = torch.tensor([[1.001, 0.0, 0.0, 0.0]])
    for model in (inner, keras.Model(x, inner(x), name="outer")):
        sharp, short = model(exact)
        assert (sharp.dtype, short.dtype) == (torch.float32, torch.bfloat16)
        assert float(sharp.detach()) == pytest.approx(1.001, abs=1e-6)


def test_a_subclassed_model_gets_its_inputs_cast() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.out = L.Dense(2, dtype="float32")

        def call(self, x: Any) -> Any:
            assert x.dtype == torch.bfloat16
            return self.out(x)

    mp.set_global_policy("mixed_bfloat16")
    model = Own()
    model.compile("sgd", "mse")
    model.fit(X, np.ones((6, 2)), verbose=0)
    assert model.predict(X).dtype == np.float32


@each_policy
def test_torch_modules_inside(policy: str) -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2))
    model = keras.Sequential(
        [L.TorchModuleWrapper(module, dtype=policy, input_shape=(4,)), L.Dense(1, dtype="float32")]
    )
    model.compile("adam", "mse")
    moved = module[1].running_mean.clone()
    model.fit(X, np.ones((6, 1)), verbose=0)
    assert not torch.equal(module[1].running_mean, moved)
    assert module(torch.tensor(X)).dtype == torch.float32  # by itself it is what it was
    assert L.TorchModuleWrapper(module, dtype=policy)(torch.tensor(X)).dtype == KINDS[policy]


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_torch_layers_that_walk_inside(kind: Any) -> None:
    module, x = kind(4, 3, batch_first=True), torch.tensor(X)[None]
    wrapper = L.TorchModuleWrapper(module, output_index=0, dtype="mixed_bfloat16")
    y = wrapper(x)
    y.float().sum().backward()
    assert {None if p.grad is None else p.grad.dtype for p in module.parameters()} == {torch.float32}
    copy.deepcopy(wrapper)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), module(x)[0], rtol=0.05, atol=0.05)


# torch.jit.trace is deprecated, by a FutureWarning from torch 2.14 on; users of older models still call it
@pytest.mark.filterwarnings(
    "ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning", "ignore:.*torch.jit.trace.*:FutureWarning"
)
def test_what_torch_makes_of_a_model() -> None:
    model = net("mixed_bfloat16")
    x = torch.tensor(X)
    wanted = model(x)
    for made in (torch.jit.trace(model, x), torch.export.export(model, (x,)).module()):
        torch.testing.assert_close(made(x), wanted, rtol=0, atol=0)
    torch.testing.assert_close(torch.func.functional_call(model, dict(model.named_parameters()), (x,)), wanted)


def test_the_head_of_a_fused_loss_is_cast_too() -> None:
    """A cross-entropy taken from the logits of a float32 head behind short layers, and of a short head."""
    for head in ("float32", "mixed_bfloat16"):
        mp.set_global_policy("mixed_bfloat16")
        model = keras.Sequential([L.Dense(5, input_shape=(4,)), L.Dense(3, activation="softmax", dtype=head)])
        model.compile("sgd", "sparse_categorical_crossentropy")
        y = np.arange(6) % 3
        p = model.predict(X).astype("float64")[np.arange(6), y]
        assert model.evaluate(X, y, verbose=0) == pytest.approx(
            -np.log(p).mean(), rel=1e-2 if head != "float32" else 1e-5
        )


def test_a_loss_of_many_short_outputs_does_not_overflow() -> None:
    """The sum of 4096 squares of 64 is beyond float16, whose largest number is 65504."""
    mp.set_global_policy("mixed_float16")
    model = keras.Sequential([L.Dense(4096, kernel_initializer="ones", input_shape=(4,))])
    model.compile("sgd", keras.losses.MeanSquaredError(reduction="sum"), metrics=["mse"])
    loss, mse = model.evaluate(np.full((2, 4), 16.0), np.zeros((2, 4096)), verbose=0)
    assert loss == pytest.approx(2 * 4096)
    assert mse == pytest.approx(4096)


def test_states_of_a_stateful_layer() -> None:
    layer = L.LSTM(3, stateful=True, batch_input_shape=(2, 4, 4), dtype="mixed_bfloat16")
    model = keras.Sequential([layer])
    steps = np.ones((2, 4, 4), "float32")
    first, second = model.predict(steps, batch_size=2), model.predict(steps, batch_size=2)
    assert {state.dtype for state in layer.states} == {torch.float32}
    assert not np.array_equal(first, second)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(steps, batch_size=2), first)


def test_first_states_that_the_caller_gives() -> None:
    layer = L.GRU(3, dtype="mixed_float16")
    y = layer(torch.ones(2, 4, 4), initial_state=torch.ones(2, 3))
    assert y.dtype == torch.float16


def test_indices_are_looked_up_in_float32() -> None:
    """2049 is no number of float16, nor are indices cast on their way."""
    table = L.Embedding(2050, 2, dtype="mixed_float16", embeddings_initializer="uniform")
    vector = table(np.array([[2049]]))
    assert vector.dtype == torch.float16
    torch.testing.assert_close(vector[0, 0], torch.tensor(table.get_weights()[0][2049]).half())


def test_old_spellings() -> None:
    keras.compat.install()
    try:
        from tensorflow.keras.mixed_precision import experimental

        with pytest.warns(FutureWarning, match="the scale stands with the optimizer"):
            policy = experimental.Policy("mixed_float16", loss_scale="dynamic")
        experimental.set_policy(policy)
        assert mp.global_policy().name == "mixed_float16"
        with pytest.warns(FutureWarning) as told:
            made = experimental.LossScaleOptimizer(optimizer=keras.optimizers.SGD(), loss_scale="dynamic")
        assert ["is now inner_optimizer" in str(told[0].message), "for a fixed scale" in str(told[1].message)] == [
            True
        ] * 2
        assert isinstance(made, mp.LossScaleOptimizer)
        with pytest.raises(ValueError, match="dynamic=False, initial_scale"):
            experimental.LossScaleOptimizer(keras.optimizers.SGD(), loss_scale=128)
    finally:
        keras.compat.uninstall()


def test_policy_of_one_type_under_settings_of_another() -> None:
    """The numbers are those of Keras 2.15.0, run with the same settings, weights and data."""
    keras.backend.set_floatx("float64")
    mp.set_global_policy("float32")
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,)), keras.layers.Dense(1)])
    model.set_weights([np.arange(6).reshape(3, 2) / 10, np.zeros(2), np.array([[0.5], [-0.25]]), np.zeros(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x, y = np.arange(12).reshape(4, 3) / 10, np.array([1.0, 0, 2, 1])
    losses = model.fit(x, y, verbose=0, epochs=2, batch_size=2, shuffle=False).history["loss"]
    np.testing.assert_allclose(losses, [1.1952300071716309, 0.5420719385147095], rtol=1e-6)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), 0.45568954944610596, rtol=1e-6)
    assert {weight.dtype.name for weight in model.get_weights()} == {"float32"}
    assert model.predict(x, verbose=0).dtype == "float32"
