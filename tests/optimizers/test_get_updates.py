"""Optimizers that users write as classic Keras has them, and updates that `K.function` makes."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers, optimizers

X = np.random.RandomState(0).randn(12, 4).astype("float32")
Y = np.random.RandomState(1).rand(12, 3).astype("float32")


def model_of(optimizer: Any, **options: Any) -> Any:
    model = keras.Sequential(
        [layers.Dense(5, activation="tanh", input_dim=4, **options), layers.Dense(3, activation="sigmoid")]
    )
    for layer in model.layers:
        layer.set_weights([np.sin(np.arange(w.size) + w.ndim).reshape(w.shape) for w in layer.get_weights()])
    model.compile(optimizer, "mse")
    return model


def trained(optimizer: Any, **options: Any) -> tuple[list[float], list[Any]]:
    model = model_of(optimizer, **options)
    history = model.fit(X, Y, batch_size=5, epochs=4, shuffle=False, verbose=0).history
    return history["loss"], model.get_weights()


def same(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5)
    for a, b in zip(found[1], expected[1]):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


class Momentum(optimizers.Optimizer):
    """The SGD of Keras 2.0 to 2.3: (loss, params)."""

    def __init__(self, lr: float = 0.1, momentum: float = 0.9, decay: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with K.name_scope(self.__class__.__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
            self.momentum = K.variable(momentum, name="momentum")
            self.decay = K.variable(decay, name="decay")
        self.initial_decay = decay

    def get_updates(self, loss: Any, params: Any) -> Any:
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr = self.lr
        if self.initial_decay > 0:
            lr = lr * (1.0 / (1.0 + self.decay * K.cast(self.iterations, K.dtype(self.decay))))
        moments = [K.zeros(K.int_shape(p)) for p in params]
        self.weights = [self.iterations, *moments]
        for p, g, m in zip(params, grads, moments):
            v = self.momentum * m - lr * g
            self.updates.append(K.update(m, v))
            new_p = p + v
            if getattr(p, "constraint", None) is not None:
                new_p = p.constraint(new_p)
            self.updates.append(K.update(p, new_p))
        return self.updates

    def get_config(self) -> Any:
        config = {"lr": float(K.get_value(self.lr)), "momentum": float(K.get_value(self.momentum))}
        return {**super().get_config(), **config}


class Adam1(optimizers.Optimizer):
    """The Adam of Keras 1: (params, constraints, loss), pairs as updates."""

    def __init__(self, lr: float = 0.01, beta_1: float = 0.9, beta_2: float = 0.999, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.__dict__.update(epsilon=1e-7)
        self.iterations = K.variable(0)
        self.lr, self.beta_1, self.beta_2 = K.variable(lr), K.variable(beta_1), K.variable(beta_2)

    def get_updates(self, params: Any, constraints: Any, loss: Any) -> Any:
        grads = self.get_gradients(loss, params)
        updates = [(self.iterations, self.iterations + 1)]
        t = self.iterations + 1
        lr_t = self.lr * K.sqrt(1.0 - K.pow(self.beta_2, t)) / (1.0 - K.pow(self.beta_1, t))
        for p, g in zip(params, grads):
            m, v = K.variable(np.zeros(K.get_variable_shape(p))), K.variable(np.zeros(K.get_variable_shape(p)))
            m_t = self.beta_1 * m + (1.0 - self.beta_1) * g
            v_t = self.beta_2 * v + (1.0 - self.beta_2) * K.square(g)
            p_t = p - lr_t * m_t / (K.sqrt(v_t) + self.epsilon)
            updates += [(m, m_t), (v, v_t)]
            if p in constraints:
                p_t = constraints[p](p_t)
            updates.append((p, p_t))
        return updates


class Halved(optimizers.SGD):
    """A subclass of a built-in optimizer that writes its own updates."""

    def get_updates(self, loss: Any, params: Any) -> Any:
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        for p, g in zip(params, grads):
            self.updates.append(K.update_sub(p, 0.5 * self.lr * g))
        return self.updates


CASES = {
    "momentum": (lambda **k: Momentum(**k), lambda **k: optimizers.SGD(lr=0.1, momentum=0.9, **k)),
    "decay": (
        lambda **k: Momentum(decay=0.1, **k), lambda **k: optimizers.SGD(lr=0.1, momentum=0.9, decay=0.1, **k)
    ),
    "adam of Keras 1": (lambda **k: Adam1(**k), lambda **k: optimizers.Adam(lr=0.01, epsilon=1e-7, **k)),
    "a built-in one's subclass": (lambda **k: Halved(lr=0.2, **k), lambda **k: optimizers.SGD(lr=0.1, **k)),
}  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"clipvalue": 0.01}, {"clipnorm": 0.05}], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_it_steps_as_the_built_in_one(name: str, options: dict[str, float]) -> None:
    mine, theirs = CASES[name]
    same(trained(mine(**options)), trained(theirs(**options)))


@pytest.mark.parametrize("name", ["momentum", "adam of Keras 1"])
def test_constraints_and_penalties_count(name: str) -> None:
    mine, theirs = CASES[name]
    more = {"kernel_constraint": keras.constraints.MaxNorm(0.7), "kernel_regularizer": keras.regularizers.L2(0.1)}
    same(trained(mine(), **more), trained(theirs(), **more))


def test_numbers_are_set_in_mid_training() -> None:
    class Schedule(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            K.set_value(self.model.optimizer.lr, 0.1 / (epoch + 1))
            if epoch == 2:
                self.model.optimizer.momentum = 0.5

    found = []
    for optimizer in (Momentum(), optimizers.SGD(lr=0.1, momentum=0.9)):
        model = model_of(optimizer)
        model.fit(X, Y, batch_size=5, epochs=4, shuffle=False, verbose=0, callbacks=[Schedule()])
        found.append(model.get_weights())
        assert float(K.get_value(model.optimizer.lr)) == pytest.approx(0.025)
        assert int(K.get_value(model.optimizer.iterations)) == 12
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_train_on_batch_and_jit() -> None:
    found = []
    for jit in (False, True):
        model = model_of(Momentum())
        model.compile(model.optimizer, "mse", jit_compile=jit)
        if jit:
            with pytest.warns(UserWarning, match="get_updates"):
                model.train_on_batch(X, Y)
        else:
            model.train_on_batch(X, Y)
        model.train_on_batch(X, Y)
        found.append(model.get_weights())
    same(([], found[0]), ([], found[1]))


def test_gradients_of_the_loss_itself_may_be_taken() -> None:
    class Own(optimizers.Optimizer):
        def __init__(self, lr: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.lr = K.variable(lr)

        def get_updates(self, loss: Any, params: Any) -> Any:
            return [K.update(p, p - self.lr * g) for p, g in zip(params, K.gradients(loss, params))]

    same(trained(Own(0.1)), trained(optimizers.SGD(lr=0.1)))


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_what_it_lists_is_its_state(name: str, tmp_path: Path) -> None:
    model = model_of(Momentum())
    model.fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0)
    state = model.optimizer.get_weights()
    assert [np.shape(value) for value in state] == [(), (4, 5), (5,), (5, 3), (3,)]
    assert int(state[0]) == 6
    model.save(tmp_path / name)
    copied = keras.models.load_model(tmp_path / name, custom_objects={"Momentum": Momentum})
    copied.save(tmp_path / f"again_{name}")  # nothing has called `get_updates` yet
    again = keras.models.load_model(tmp_path / f"again_{name}", custom_objects={"Momentum": Momentum})
    expected = model.fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0).history["loss"]
    for one in (copied, again):
        for value, stored in zip(one.optimizer.get_weights(), state, strict=True):
            np.testing.assert_array_equal(value, stored)
        losses = one.fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0).history["loss"]
        np.testing.assert_allclose(losses, expected, rtol=1e-6)
    with pytest.raises(ValueError, match=r"Momentum.set_weights: arrays of the shapes \[\(\), \(4, 5\)"):
        model.optimizer.set_weights(state[1:])


def test_it_is_copied_and_configured() -> None:
    optimizer = Momentum(lr=0.3)
    assert optimizer.get_config() == {"lr": pytest.approx(0.3), "momentum": pytest.approx(0.9)}
    again = Momentum.from_config(optimizer.get_config())
    assert float(K.get_value(again.lr)) == pytest.approx(0.3)
    for copied in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        K.set_value(copied.lr, 0.5)
        assert float(K.get_value(copied.lr)) == pytest.approx(0.5)
        assert float(K.get_value(optimizer.lr)) == pytest.approx(0.3)


def test_what_it_must_return() -> None:
    class Nothing(optimizers.Optimizer):
        def get_updates(self, loss: Any, params: Any) -> Any:
            return 3

    with pytest.raises(TypeError, match="get_updates must return a list of updates"):
        model_of(Nothing()).train_on_batch(X, Y)

    class Other(optimizers.Optimizer):
        def get_updates(self, loss: Any, params: Any, rates: Any) -> Any:
            return []

    with pytest.raises(TypeError, match="'rates'"):
        model_of(Other()).train_on_batch(X, Y)


@pytest.mark.parametrize("order", ["keras 2", "keras 1", "by name"])
def test_k_function_trains_by_the_updates_of_a_built_in_optimizer(order: str) -> None:
    model, other = model_of("sgd"), model_of(optimizers.Adam(lr=0.01, clipnorm=0.1))
    optimizer = optimizers.Adam(lr=0.01, clipnorm=0.1)
    weights, loss = model.trainable_weights, model.total_loss
    updates = {
        "keras 2": lambda: optimizer.get_updates(loss, weights),
        "keras 1": lambda: optimizer.get_updates(weights, [], loss),
        "by name": lambda: optimizer.get_updates(params=weights, loss=loss),
    }[order]()
    train = K.function(model.inputs + model.targets, [loss], updates=updates)
    for _ in range(3):
        np.testing.assert_allclose(train([X, Y])[0], other.train_on_batch(X, Y), rtol=1e-5)
    same(([], model.get_weights()), ([], other.get_weights()))


def test_an_own_symbolic_loss() -> None:
    """The policy gradient of reinforcement learning scripts."""
    model = model_of("sgd")
    before = model.get_weights()
    chosen, reward = K.placeholder((None, 3)), K.placeholder((None,))
    loss = -K.mean(K.log(K.sum(model.output * chosen, axis=1)) * reward)
    updates = optimizers.SGD(lr=0.5).get_updates(params=model.trainable_weights, loss=loss)
    train = K.function([model.input, chosen, reward], [], updates=updates)
    train([X, np.eye(3)[np.arange(12) % 3], np.ones(12)])
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_gradients_of_the_total_loss() -> None:
    model = model_of(optimizers.SGD(lr=1.0), activity_regularizer="l2", kernel_regularizer="l2")
    weights = model.trainable_weights
    grads = model.optimizer.get_gradients(model.total_loss, weights)
    inputs = model.inputs + model.targets + model.sample_weights + [K.learning_phase()]
    values = K.function(inputs, [model.total_loss, *grads])([X, Y, np.ones(12), 1])
    before = model.get_weights()
    np.testing.assert_allclose(values[0], model.train_on_batch(X, Y), rtol=1e-5)
    for grad, old, new in zip(values[1:], before, model.get_weights()):
        np.testing.assert_allclose(grad, old - new, rtol=1e-4, atol=1e-6)
    without_weights = K.function(model.inputs + model.targets, [model.total_loss])([X, Y])[0]
    halved = K.function(inputs[:3], [model.total_loss])([X, Y, np.full(12, 0.5)])[0]
    assert halved < without_weights


def test_clipped_symbolic_gradients() -> None:
    model = model_of(optimizers.SGD(clipvalue=1e-3))
    grads = model.optimizer.get_gradients(model.total_loss, model.trainable_weights)
    found = K.function(model.inputs + model.targets, grads)([X, Y])
    assert max(np.abs(g).max() for g in found) == pytest.approx(1e-3)


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"])
def test_the_total_loss_is_what_evaluate_says(loss: str) -> None:
    model = keras.Sequential([layers.Dense(3, activation="softmax", input_dim=4)])
    model.compile("sgd", loss)
    labels = np.arange(12) % 3
    y = labels.reshape(-1, 1) if loss.startswith("sparse") else np.eye(3)[labels]
    total = K.function(model.inputs + model.targets, [model.total_loss])([X, y])[0]
    np.testing.assert_allclose(total, model.evaluate(X, y, batch_size=12, verbose=0), rtol=1e-5)


def test_without_compile_or_loss() -> None:
    model = keras.Sequential([layers.Dense(3, input_dim=4)])
    for _ in range(2):
        with pytest.raises(AttributeError, match="total_loss: the model has no loss; call compile"):
            model.total_loss  # noqa: B018
        model.compile("sgd")
