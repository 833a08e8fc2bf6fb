"""What user code does to its tensors stays with it: arrays of the caller, weights and other metrics do not change."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L

random = np.random.RandomState(0)
X = random.randn(12, 4).astype("float32")
Y = np.eye(3, dtype="float32")[random.randint(3, size=12)]


def add(x: Any) -> Any:
    x += 1.0
    return x


def subtract(x: Any) -> Any:
    x -= np.float64(0.5)
    return x


def multiply(x: Any) -> Any:
    x *= np.float32(0.5)
    return x


def divide(x: Any) -> Any:
    x /= 2
    return x


def floor_divide(x: Any) -> Any:
    kept = x
    x //= 2.0
    return x + kept


def modulo(x: Any) -> Any:
    x %= 2.0
    return x


def power(x: Any) -> Any:
    x = K.tanh(x)
    kept = x
    x **= 2
    return x + kept


def project(x: Any) -> Any:
    x @= np.eye(int(x.shape[-1]))
    return x


OPERATIONS = (add, subtract, multiply, divide, floor_divide, modulo, power, project)
Operation = Callable[[Any], Any]


def in_loss_and_metric(op: Operation) -> Any:
    def loss(t: Any, p: Any) -> Any:
        t, p = op(t), op(p)
        return K.mean(K.square(t - p), axis=-1)

    return [L.Dense(3, input_shape=(4,))], loss, ["mae", lambda t, p: K.mean(op(p) - op(t)), "mse"]


def in_metric_class(op: Operation) -> Any:
    class Difference(keras.metrics.Metric):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.total = self.add_weight(name="total", initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.total.assign_add(K.sum(op(y_true) - op(y_pred)))

        def result(self) -> Any:
            return self.total

    return [L.Dense(3, input_shape=(4,))], "mse", ["mae", Difference(), "mse"]


def in_layers(op: Operation) -> Any:
    class Inner(L.Layer):
        def call(self, x: Any) -> Any:
            return op(x)

    class Outer(L.Layer):
        supports_masking = True

        def __init__(this, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            this.first, this.parts = L.Dense(3), [L.Dense(3), Inner()]

        def call(self, x: Any, mask: Any = None) -> Any:
            x = self.first(op(x))
            for part in self.parts:
                x = op(part(op(x)))
            return x

        def compute_mask(self, x: Any, mask: Any = None) -> Any:
            op(x)
            return mask

    return [Outer(input_shape=(4,))], "mse", ["mae"]


def in_lambdas(op: Operation) -> Any:
    def scaled(x: Any, scale: Any, shift: Any = None) -> Any:
        x = op(x)
        x *= scale
        x += shift
        return x

    arguments = {"scale": np.ones(4), "shift": [1, 2, 3, 4]}
    return [L.Lambda(op, input_shape=(4,)), L.Lambda(scaled, arguments=arguments), L.Dense(3)], "mse", ["mae"]


def in_activations(function: Operation) -> Any:
    def op(x: Any) -> Any:
        return K.tanh(function(x))

    model = [
        L.Activation(function, input_shape=(4,)),
        L.Reshape((2, 2, 1)),
        L.Conv2D(2, 1, activation=op),
        L.Reshape((2, 4)),
        L.SimpleRNN(3, activation=op, return_sequences=True),
        L.GRU(3, activation=op, recurrent_activation=op, return_sequences=True),
        L.LSTM(3, activation=op, recurrent_activation=op),
        L.Dense(3, activation=op),
    ]
    return model, "mse", ["mae"]


def in_penalties(op: Operation) -> Any:
    def penalty(w: Any) -> Any:
        return 0.01 * K.sum(w if op is project else op(w))

    def bounded(w: Any) -> Any:
        return K.clip(w if op is project else op(w), -1.0, 1.0)

    dense = L.Dense(
        3, input_shape=(4,), kernel_regularizer=penalty, activity_regularizer=penalty, kernel_constraint=bounded
    )
    return [dense], "mse", ["mae"]


def in_callables(op: Operation) -> Any:
    def step(x: Any, states: Any) -> Any:
        state = states[0]
        state += op(x)
        return state, [state]

    def function(x: Any) -> Any:
        x = K.in_train_phase(lambda: op(x), x)
        x = K.switch(K.sum(x) > 1e9, lambda: op(x), lambda: x)
        x = K.map_fn(lambda row: op(K.reshape(row, (1, 4)))[0], x)
        total = K.foldl(lambda a, b: a + b, x)
        return K.rnn(step, K.reshape(x, (-1, 2, 2)), [K.zeros_like(x[:, :2])])[0] + K.sum(total) / 1e9

    return [L.Lambda(function, input_shape=(4,)), L.Dense(3)], "mse", ["mae"]


PLACES = (
    in_loss_and_metric,
    in_metric_class,
    in_layers,
    in_lambdas,
    in_activations,
    in_penalties,
    in_callables,
)


CALLS: tuple[Callable[[Any, Any, Any], Any], ...] = (
    lambda model, x, y: model.fit(x, y, shuffle=False, verbose=0, batch_size=12),
    lambda model, x, y: model.fit(x, y, verbose=0, batch_size=5, validation_data=(x, y), sample_weight=np.ones(12)),
    lambda model, x, y: model.fit(iter([(x, y)] * 2), steps_per_epoch=2, verbose=0),
    lambda model, x, y: model.evaluate(x, y, verbose=0),
    lambda model, x, y: model.predict(x, verbose=0),
    lambda model, x, y: model.train_on_batch(x, y),
    lambda model, x, y: model.test_on_batch(x, y),
    lambda model, x, y: model.predict_on_batch(x),
    lambda model, x, y: model(x, training=True),
)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("place", PLACES)
def test_augmented_assignment_changes_nothing_of_the_callers(place: Callable[..., Any], operation: Operation) -> None:
    layers, loss, metrics = place(operation)
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(1e-5), loss, metrics=metrics)
    for x, y in ((X.copy(), Y.copy()), (torch.tensor(X), torch.tensor(Y)), (X.astype("float64"), Y.astype("float64"))):
        for number, call in enumerate(CALLS):
            call(model, x, y)
            assert np.array_equal(np.asarray(x), X), number
            assert np.array_equal(np.asarray(y), Y), number
    weights = model.get_weights()
    predicted, judged = model.predict(X, verbose=0), model.evaluate(X, Y, verbose=0)
    assert np.array_equal(model.predict(X, verbose=0), predicted)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), judged, rtol=1e-6)
    np.testing.assert_allclose(judged[1], np.abs(predicted - Y).mean(), rtol=1e-5)
    assert all(map(np.array_equal, weights, model.get_weights()))


PASSING: dict[str, Callable[[], list[Any]]] = {
    "flatten": lambda: [L.Flatten(input_shape=(4,))],
    "reshape": lambda: [L.Reshape((2, 2), input_shape=(4,))],
    "permute": lambda: [L.Reshape((2, 2), input_shape=(4,)), L.Permute((2, 1))],
    "cropping": lambda: [L.Reshape((4, 1), input_shape=(4,)), L.Cropping1D(1)],
    "lambda": lambda: [L.Lambda(lambda x: x, input_shape=(4,))],
    "view": lambda: [L.Lambda(lambda x: x[:, 1:], input_shape=(4,))],
    "linear": lambda: [L.Activation("linear", input_shape=(4,))],
    "dropout": lambda: [L.Dropout(0.5, input_shape=(4,))],
    "nested": lambda: [keras.Sequential([keras.Sequential([L.Flatten(input_shape=(4,))])]), L.Dropout(0.1)],
}


@pytest.mark.parametrize("name", PASSING)
def test_results_share_no_memory_with_the_caller(name: str) -> None:
    model = keras.Sequential(PASSING[name]())
    model.compile("sgd", "mse")
    x = X.copy()
    expected = model.predict(x, verbose=0).copy()
    for call in (
        lambda: model.predict(x, verbose=0),
        lambda: model.predict(x[:1], verbose=0),
        lambda: model.predict(x, batch_size=100, verbose=0),
        lambda: model.predict_on_batch(x),
        lambda: model(x),
        lambda: model.layers[0](x),
        lambda: K.function([model.input], [model.output])([x])[0],
    ):
        call()[...] = 7.0
        assert np.array_equal(x, X)
        assert np.array_equal(model.predict(x, verbose=0), expected)


def _writes(x: Any) -> Any:
    x[:, 0] = 0
    return x


def _writes_into_a_view(x: Any) -> Any:
    x[:, :2].zero_()
    return x


def _writes_out(x: Any) -> Any:
    torch.add(x, 1, out=x)
    return x


WRITING: dict[str, Operation] = {
    "add_": lambda x: x.add_(1),
    "relu_": lambda x: torch.relu_(x),
    "copy_": lambda x: x.copy_(x * 2),
    "data": lambda x: x.data.zero_(),
    "detach": lambda x: x.detach().add_(1),
    "init": lambda x: nn.init.zeros_(x),
    "foreach": lambda x: torch._foreach_add_([x], 1) or x,
    "setitem": _writes,
    "view": _writes_into_a_view,
    "out": _writes_out,
}


@pytest.mark.parametrize("name", WRITING)
def test_torchs_own_ways_of_writing_are_refused_on_lent_memory(name: str) -> None:
    model = keras.Sequential([L.Lambda(WRITING[name], input_shape=(4,), output_shape=(4,)), L.Dense(3)])
    model.compile("sgd", "mse")
    x = X.copy()
    for call in (model.predict, model.predict_on_batch, model):
        with pytest.raises(RuntimeError, match="clone"):
            call(x)
        assert np.array_equal(x, X)


@pytest.mark.parametrize("function", [torch.relu_, functools.partial(F.relu, inplace=True)])
def test_functions_of_torch_that_write_get_a_copy(function: Any) -> None:
    x = X.copy()
    for layer in (L.Lambda(function, input_shape=(4,)), L.Activation(function, input_shape=(4,))):
        model = keras.Sequential([layer])
        for call in (model.predict_on_batch, model):
            assert np.array_equal(np.asarray(call(x)), np.maximum(X, 0))
            assert np.array_equal(x, X)


def test_they_write_into_what_user_code_made() -> None:
    def function(x: Any) -> Any:
        y = x * 1
        y.add_(1)
        y[:, 0] = x[:, 0]
        y[y < 0] = 0
        z = K.zeros_like(x)
        z += 1
        z[..., 1:] += y[..., 1:]
        return F.relu(y, inplace=True) + z

    model = keras.Sequential([L.Lambda(function, input_shape=(4,))])
    y = X + 1
    y[:, 0] = X[:, 0]
    y = np.maximum(y, 0)
    z = np.ones_like(X)
    z[:, 1:] += y[:, 1:]
    np.testing.assert_allclose(model.predict(X, verbose=0), y + z, rtol=1e-6)


class Shifting(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x += 1
        return x


class Mixing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear, self.relu = nn.Linear(4, 4), nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.linear(self.relu(x)))


MODULES: dict[str, Callable[[], nn.Module]] = {
    "ReLU": lambda: nn.ReLU(inplace=True),
    "ReLU6": lambda: nn.ReLU6(inplace=True),
    "Hardswish": lambda: nn.Hardswish(inplace=True),
    "SiLU": lambda: nn.SiLU(inplace=True),
    "Dropout": lambda: nn.Dropout(0.2, inplace=True),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Identity(), nn.ELU(inplace=True)), nn.Linear(4, 4)),
    "own": Shifting,
    "own with parts": Mixing,
}


def _in_layer(module: nn.Module) -> Any:
    class Holding(L.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.part = module

        def call(self, x: Any) -> Any:
            return self.part(x)

    return [Holding(input_shape=(4,)), L.Dense(3)]


WHERE: dict[str, Callable[[nn.Module], list[Any]]] = {
    "first": lambda module: [L.InputLayer(input_shape=(4,)), module, L.Dense(3)],
    "middle": lambda module: [L.Dense(4, input_shape=(4,)), module, L.Dense(3)],
    "activation": lambda module: [L.Activation(module, input_shape=(4,)), L.Dense(3)],
    "of a layer": lambda module: [L.Dense(4, activation=module, input_shape=(4,)), L.Dense(3)],
    "in a layer": _in_layer,
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("name", MODULES)
def test_torch_modules_that_write_in_place(name: str, where: str) -> None:
    model = keras.Sequential(WHERE[where](MODULES[name]()))
    model.compile("sgd", "mse")
    x, y = X.copy(), Y.copy()
    for call in (model.fit, model.evaluate):
        call(x, y, verbose=0, batch_size=12)
    for call in (model.train_on_batch, model.test_on_batch):
        call(x, y)
    for call in (model.predict, model.predict_on_batch, model):
        call(x)
        assert np.array_equal(x, X)
    predicted = model.predict(x, verbose=0)
    assert np.array_equal(model.predict(x, verbose=0), predicted)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), ((predicted - Y) ** 2).mean(), rtol=1e-5)
    if next(model.layers[0].parameters(), None) is None:
        return
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    assert not any(map(np.array_equal, before, model.get_weights()))


def test_weights_of_an_activation_train_and_count() -> None:
    model = keras.Sequential([L.Dense(4, activation=nn.PReLU(), input_shape=(4,)), L.Activation(nn.PReLU())])
    model.compile("sgd", "mse")
    before = model.get_weights()
    assert [w.size for w in before] == [16, 4, 1, 1]
    model.fit(X, X, verbose=0)
    assert not any(map(np.array_equal, before, model.get_weights()))


def test_a_loss_of_torch_that_writes_into_its_arguments() -> None:
    class Difference(nn.Module):
        def forward(self, p: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return p.sub_(t).pow(2).mean()

    model = keras.Sequential([L.Dense(3, input_shape=(4,))])
    model.compile("sgd", Difference(), metrics=["mse"])
    y = Y.copy()
    model.fit(X, y, verbose=0)
    loss, mse = model.evaluate(X, y, verbose=0)
    assert loss == pytest.approx(mse) == pytest.approx(float(((model.predict(X, verbose=0) - Y) ** 2).mean()))
    assert np.array_equal(y, Y)


def test_values_read_from_weights_are_copies() -> None:
    model = keras.Sequential([L.Dense(3, input_shape=(4,))])
    model.compile("sgd", "mse")
    before = [w.copy() for w in model.get_weights()]
    for weight in model.weights:
        for value in (weight.numpy(), K.get_value(weight), np.asarray(weight), *model.layers[0].get_weights()):
            value[...] = 99
    assert all(map(np.array_equal, before, model.get_weights()))
    given = [np.ones((4, 3), "float32"), np.zeros(3, "float32")]
    model.set_weights(given)
    model.fit(X, Y, verbose=0)
    assert (given[0] == 1).all()
    table = np.ones((2, 2), "float32")
    embedding = keras.Sequential([L.Embedding(2, 2, weights=[table], input_length=1), L.Flatten()])
    embedding.compile("sgd", "mse")
    embedding.fit(np.zeros((4, 1)), np.full((4, 2), 5.0), verbose=0)
    assert (table == 1).all()


def test_backend_loops_take_arrays_and_leave_them() -> None:
    x, state = np.arange(12.0, dtype="float32").reshape(2, 3, 2), np.zeros((2, 2), "float32")

    def step(i: Any, states: Any) -> Any:
        i *= 2
        s = states[0]
        s += i
        return s, [s]

    expected = np.cumsum(2 * x, axis=1)
    for inputs in (x, K.constant(x), torch.tensor(x)):
        assert np.array_equal(np.asarray(K.rnn(step_function=step, inputs=inputs, initial_states=[state])[1]), expected)
        assert np.array_equal(np.asarray(K.map_fn(multiply, inputs)), x / 2)
        assert np.array_equal(np.asarray(K.foldl(lambda a, b: add(a) + b, inputs)), x.sum(0) + 1)
        assert np.array_equal(np.asarray(inputs), np.arange(12.0).reshape(2, 3, 2))
    assert not state.any()
    assert type(K.map_fn(multiply, torch.tensor(x))) is torch.Tensor
