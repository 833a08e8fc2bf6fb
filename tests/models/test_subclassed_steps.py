"""Overrides of a model's own steps are called, with Keras's arguments; what cannot mean anything is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers

RNG = np.random.RandomState(9)
X, Y = RNG.randn(12, 5).astype("float32"), RNG.randn(12, 2).astype("float32")


def perceptron(*bases: type) -> Any:
    class Perceptron(*bases, keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.calls: list[str] = []
            self.dense = layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            self.calls.append("call")
            return self.dense(inputs)

    model = Perceptron()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


class Counted:
    calls: list[str]

    def train_step(self, data: Any) -> Any:
        self.calls.append("train")
        return super().train_step(data)  # type: ignore[misc]

    def test_step(self, data: Any) -> Any:
        self.calls.append("test")
        return super().test_step(data)  # type: ignore[misc]

    def predict_step(self, data: Any) -> Any:
        self.calls.append("predict")
        return super().predict_step(data)  # type: ignore[misc]

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append("loss")
        return super().compute_loss(*args, **kwargs)  # type: ignore[misc]

    def compute_metrics(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append("metrics")
        return super().compute_metrics(*args, **kwargs)  # type: ignore[misc]


CALLS = {
    "fit": (lambda m: m.fit(X, Y, batch_size=4, verbose=0), ["train", "call", "loss", "metrics"] * 3),
    "evaluate": (lambda m: m.evaluate(X, Y, batch_size=6, verbose=0), ["test", "call", "loss", "metrics"] * 2),
    "predict": (lambda m: m.predict(X, batch_size=6, verbose=0), ["predict", "call"] * 2),
    "train_on_batch": (lambda m: m.train_on_batch(X, Y), ["train", "call", "loss", "metrics"]),
    "test_on_batch": (lambda m: m.test_on_batch(X, Y), ["test", "call", "loss", "metrics"]),
    "predict_on_batch": (lambda m: m.predict_on_batch(X), ["predict", "call"]),
}


@pytest.mark.parametrize("call", CALLS)
def test_each_override_is_called_once_a_batch(call: str) -> None:
    model = perceptron(Counted)
    model(X)
    model.calls.clear()
    ask, wanted = CALLS[call]
    ask(model)
    assert model.calls == wanted


def test_an_override_that_calls_super_changes_nothing() -> None:
    plain, counted = perceptron(), perceptron(Counted)
    for model in (plain, counted):
        model(X)
        model.set_weights([np.full(w.shape, 0.1, "float32") for w in model.get_weights()])
        model.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    for one, other in zip(plain.get_weights(), counted.get_weights()):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_what_a_step_returns_is_what_the_logs_hold() -> None:
    class Own:
        def train_step(self, data: Any) -> Any:
            return {"loss": torch.tensor(2.0), "made_up": 3.0}

    history = perceptron(Own).fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    assert history == {"loss": [2.0, 2.0], "made_up": [3.0, 3.0]}


def test_a_step_may_train_by_torch_alone() -> None:
    class Own:
        def train_step(self: Any, data: Any) -> Any:
            x, y = data
            loss = torch.nn.functional.mse_loss(self(x, training=True), y)
            self.optimizer.minimize(loss, self.trainable_variables)
            return {"loss": loss}

    own, plain = perceptron(Own), perceptron()
    for model in (own, plain):
        model(X)
        model.set_weights([np.full(w.shape, 0.1, "float32") for w in model.get_weights()])
        model.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    assert int(own.optimizer.iterations) == 9
    for one, other in zip(own.get_weights(), plain.get_weights()):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_an_adversarial_pair_with_two_optimizers() -> None:
    """`compile` takes what the model wants; each of the two steps moves its own half."""

    class Adversarial(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.generator = keras.Sequential([layers.Dense(5, input_shape=(5,))])
            self.critic = keras.Sequential([layers.Dense(1, input_shape=(5,))])

        def compile(self, g_optimizer: Any, c_optimizer: Any) -> None:  # type: ignore[override]
            super().compile()
            self.g_optimizer, self.c_optimizer = g_optimizer, c_optimizer

        def call(self, inputs: Any) -> Any:
            return self.critic(self.generator(inputs))

        def train_step(self, data: Any) -> Any:
            real = data[0] if isinstance(data, tuple) else data
            c_loss = (self.critic(real) - 1).square().mean() + self.critic(self.generator(real)).square().mean()
            self.c_optimizer.minimize(c_loss, self.critic.trainable_variables)
            g_loss = (self.critic(self.generator(real)) - 1).square().mean()
            self.g_optimizer.minimize(g_loss, self.generator.trainable_variables)
            return {"c_loss": c_loss, "g_loss": g_loss}

    model = Adversarial()
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1))
    generator, critic = model.generator.get_weights(), model.critic.get_weights()
    history = model.fit(X, batch_size=4, epochs=2, verbose=0).history
    assert list(history) == ["c_loss", "g_loss"]
    assert all(np.array_equal(one, other) for one, other in zip(generator, model.generator.get_weights()))
    assert all(np.abs(one - other).max() > 1e-4 for one, other in zip(critic, model.critic.get_weights()))


MAKERS = {
    "make_train_function": lambda model: model.fit(X, Y, verbose=0),
    "make_test_function": lambda model: model.evaluate(X, Y, verbose=0),
    "make_predict_function": lambda model: model.predict(X, verbose=0),
}


@pytest.mark.parametrize("method", MAKERS)
def test_functions_that_make_functions_are_refused(method: str) -> None:
    model = perceptron(type("Own", (), {method: lambda self, force=False: None}))
    with pytest.raises((NotImplementedError, TypeError, RuntimeError), match=method):
        MAKERS[method](model)


def test_a_step_of_a_sequential_is_called() -> None:
    class Own(keras.Sequential):
        def train_step(self, data: Any) -> Any:
            logs = super().train_step(data)
            return {**logs, "mine": 1.0}

    model = Own([layers.Dense(2, input_shape=(5,))])
    model.compile("sgd", "mse")
    assert list(model.fit(X, Y, verbose=0).history) == ["loss", "mine"]


def test_call_of_a_sequential_is_called() -> None:
    class Doubled(keras.Sequential):
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return 2.0 * super().call(inputs, training=training)

    model = Doubled([layers.Dense(2, input_shape=(5,))])
    plain = keras.Sequential(model.layers)
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * plain.predict(X, verbose=0), rtol=1e-5)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    wanted = ((2 * plain.predict(X, verbose=0) - Y) ** 2).mean()
    np.testing.assert_allclose(model.train_on_batch(X, Y), wanted, rtol=1e-5)


def test_metrics_that_are_attributes() -> None:
    """Keras's guide: trackers made in `__init__`, listed by `metrics`, and so reset before each epoch."""

    class Tracked:
        def __init__(self) -> None:
            super().__init__()
            self.tracker = keras.metrics.Mean(name="loss")

        @property
        def metrics(self) -> list[Any]:
            return [self.tracker]

        def train_step(self: Any, data: Any) -> Any:
            x, y = data
            loss = (self(x, training=True) - y).square().mean()
            self.tracker.update_state(loss)
            return {"loss": self.tracker.result()}

    model = perceptron(Tracked)
    history = model.fit(X, Y, batch_size=4, epochs=3, verbose=0).history["loss"]
    wanted = ((model.predict(X, verbose=0) - Y) ** 2).mean()
    np.testing.assert_allclose(history, [wanted] * 3, rtol=1e-5)
    np.testing.assert_allclose(float(model.tracker.result()), wanted, rtol=1e-5)


def test_steps_that_are_set_on_the_object_later_are_called_until_they_are_taken_off() -> None:
    model = perceptron()
    model.fit(X, Y, verbose=0)
    model.evaluate(X, Y, verbose=0)
    before = model.predict(X, verbose=0)
    model.train_step = lambda data: {"loss": 5.0, "shapes": float(sum(len(part) for part in data))}
    model.test_step = lambda data: {"loss": 6.0}
    model.predict_step = lambda data: model(data[0] if isinstance(data, tuple) else data) + 1
    assert model.fit(X, Y, batch_size=12, verbose=0).history == {"loss": [5.0], "shapes": [24.0]}
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == {"loss": 6.0}
    for predicted in (
        model.predict(X, verbose=0),
        model.predict(X, batch_size=5, verbose=0),
        model.predict_on_batch(X),
    ):
        np.testing.assert_allclose(predicted, before + 1, rtol=1e-6)
    del model.train_step, model.test_step, model.predict_step
    assert list(model.fit(X, Y, verbose=0).history) == ["loss"]
    assert model.fit(X, Y, verbose=0).history["loss"][0] < 5.0
    assert model.predict(X, verbose=0).shape == before.shape
    assert model.evaluate(X, Y, verbose=0) < 5.0


def test_train_step_and_test_step_called_by_hand() -> None:
    model = keras.Sequential([layers.Dense(2, input_shape=(5,), kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    losses = [float(model.train_step((torch.tensor(X), torch.tensor(Y)))["loss"]) for _ in range(2)]
    np.testing.assert_allclose(losses[0], (Y**2).mean(), rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1].shape, 2)
    kernel = 0.5 * X.T @ Y / len(X)  # a step from zero by the gradient, which is −2 XᵀY over the number of targets
    again = keras.models.clone_model(model)
    again.compile(keras.optimizers.SGD(0.5), "mse")
    again.set_weights([np.zeros((5, 2)), np.zeros(2)])
    again.train_step((torch.tensor(X), torch.tensor(Y)))
    np.testing.assert_allclose(again.get_weights()[0], kernel, rtol=1e-4)
    assert "loss" in again.test_step((torch.tensor(X), torch.tensor(Y)))


def test_elements_of_three_parts_are_what_a_step_takes_them_for() -> None:
    class Triplets(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            first, second, third = (keras.Input((5,)) for _ in range(3))
            self.net = keras.Model([first, second, third], layers.Add()([first, second, third]))

        def call(self, inputs: Any) -> Any:
            return self.net(inputs)

        def train_step(self, data: Any) -> dict[str, Any]:
            return {"sum": self.net(data).sum()}

    model = Triplets()
    model.compile("sgd")
    dataset = keras.utils.dataset.Dataset.from_tensor_slices((X, X, X)).batch(12)
    np.testing.assert_allclose(model.fit(dataset, verbose=0).history["sum"], [3 * X.sum()], rtol=1e-4)


def test_layers_that_a_step_builds_are_no_change_of_what_trains(recwarn: pytest.WarningsRecorder) -> None:
    class Late(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense, self.probe = layers.Dense(2), layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

        def train_step(self, data: Any) -> dict[str, Any]:
            return {"loss": self.probe(self(data[0], training=True)).sum()}

    model = Late()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model.evaluate(X, Y, verbose=0)
    assert not recwarn.list


class Distiller(keras.Model):
    """A model without a `call`: its steps compute the loss, and `compile` is told the metrics alone."""

    def __init__(self) -> None:
        super().__init__()
        self.student = keras.Sequential([layers.Dense(2, input_shape=(5,), kernel_initializer="zeros")])

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        predicted = self.student(x, training=True)
        self.optimizer.minimize((predicted - y).square().mean(), self.student.trainable_variables)
        self.compiled_metrics.update_state(y, predicted)
        return {metric.name: metric.result() for metric in self.metrics}

    def test_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        self.compiled_metrics.update_state(y, self.student(x, training=False))
        return {metric.name: metric.result() for metric in self.metrics}


def test_metrics_of_a_model_without_a_call() -> None:
    model = Distiller()
    model.compile(keras.optimizers.SGD(0.1), metrics=["mae"])
    history = model.fit(X, Y, batch_size=6, epochs=2, verbose=0, validation_data=(X, Y)).history
    assert list(history) == ["mae", "val_mae"]  # Keras 2.15 tells no loss either
    expected = np.abs(model.student.predict(X, verbose=0) - Y).mean()
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert history["val_mae"][-1] == pytest.approx(expected, rel=1e-5)


def test_the_compiled_loss_of_a_model_without_a_call() -> None:
    class Own(Distiller):
        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            loss = self.compiled_loss(y, self.student(x, training=True))
            self.optimizer.minimize(loss, self.student.trainable_variables)
            return {metric.name: metric.result() for metric in self.metrics}

    model = Own()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    history = model.fit(X, Y, batch_size=12, epochs=2, verbose=0).history
    assert history["loss"][0] == pytest.approx((Y**2).mean(), rel=1e-5)
    assert history["loss"][1] < history["loss"][0]


def test_parts_of_a_step_may_have_different_lengths() -> None:
    class Pairs(keras.Model):
        def train_step(self, data: Any) -> dict[str, Any]:
            (first, _), (second, _) = data
            return {"rows": float(len(first)), "labelled": float(len(second))}

    dataset = keras.utils.dataset.Dataset
    rows = dataset.from_tensor_slices((X, Y))
    model = Pairs()
    model.compile("sgd")
    history = model.fit(dataset.zip((rows.batch(6), rows.batch(3))), verbose=0).history
    assert history == {"rows": [6.0], "labelled": [3.0]}
