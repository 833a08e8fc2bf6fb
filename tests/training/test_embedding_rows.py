"""An embedding whose untouched rows are left alone ends where the dense formula ends, in every order of events."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat import optimizers
from torchkeras_compat._core import dialects
from torchkeras_compat.training.step import embedding_rows as rows
from torchkeras_compat.training.step import update

ROWS, DIM, LENGTH = rows.LAZY_ELEMENTS // 8, 8, 6
RNG = np.random.default_rng(4)
X = RNG.integers(1, 300, (40, LENGTH))
X[:, 1] = X[:, 0]  # duplicates in every sample
X[::4, 4:] = 0  # padding, for mask_zero
Y = RNG.integers(0, 2, (40, 1)).astype("float32")
UNTOUCHED = slice(300, None)

OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optimizers.SGD(0.5),
    "sgd_decay": lambda: optimizers.SGD(0.5, decay=0.1),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
    "rmsprop_centered": lambda: optimizers.RMSprop(0.01, rho=0.8, centered=True),
}
DECAYING = ("rmsprop", "rmsprop_centered")


def build(name: str | Any, mask: bool = False) -> Any:
    np.random.seed(2)
    layers = [L.Embedding(ROWS, DIM, input_length=LENGTH, mask_zero=mask), L.GlobalAveragePooling1D()]
    model = keras.Sequential([*layers, L.Dense(1, activation="sigmoid")])
    model.compile(OPTIMIZERS[name]() if isinstance(name, str) else name, "binary_crossentropy")
    return model


def fitted(model: Any, epochs: int = 2, **options: Any) -> list[float]:
    np.random.seed(9)
    history = model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, **options).history["loss"]
    return [float(value) for value in history]


def state(model: Any) -> list[Any]:
    return [*model.get_weights(), *model.optimizer.get_weights()]


def outcome(scenario: Callable[[Any], Any], name: str, mask: bool = False) -> tuple[Any, list[Any], Any]:
    model = build(name, mask)
    losses = scenario(model)
    return losses, state(model), model


def equal(monkeypatch: pytest.MonkeyPatch, scenario: Callable[[Any], Any], name: str, mask: bool = False) -> Any:
    """Run a scenario by rows and densely; return what the model by rows was left with."""
    losses, found, model = outcome(scenario, name, mask)
    assert model._steps["train"].update.embeddings, "the embedding was not trained by rows"
    with monkeypatch.context() as patched:
        patched.setattr(update, "goes_by_rows", lambda *_: False)
        dense_losses, expected, dense = outcome(scenario, name, mask)
    assert not dense._steps["train"].update.embeddings
    np.testing.assert_allclose(losses, dense_losses, rtol=2e-5, atol=1e-6)
    assert len(found) == len(expected)
    for got, want in zip(found, expected):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-6)
    return model


def fit_twice_and_batches(model: Any) -> list[float]:
    losses = fitted(model)
    losses += [model.train_on_batch(X[i : i + 3], Y[i : i + 3]) for i in range(0, 12, 3)]
    return losses + fitted(model, 1) + [model.train_on_batch(X[:1], Y[:1])]


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_equals_the_dense_step(monkeypatch: pytest.MonkeyPatch, name: str, mask: bool) -> None:
    before = build(name).get_weights()[0][UNTOUCHED]
    model = equal(monkeypatch, fit_twice_and_batches, name, mask)
    np.testing.assert_array_equal(model.get_weights()[0][UNTOUCHED], before)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_one_row_many_times(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    same = np.full((16, LENGTH), 77)

    def scenario(model: Any) -> list[float]:
        return [model.train_on_batch(same, Y[:16]) for _ in range(5)]

    equal(monkeypatch, scenario, name)


@pytest.mark.parametrize("name", DECAYING)
def test_rho_may_change_while_decay_is_pending_decay(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def scenario(model: Any) -> list[float]:
        losses = fitted(model)
        model.optimizer.rho = 0.5
        losses += [model.train_on_batch(X[:2], Y[:2]) for _ in range(3)]
        model.optimizer.rho = 0.95
        return losses + fitted(model)

    equal(monkeypatch, scenario, name)


@pytest.mark.parametrize("change", ["momentum", "clipnorm", "plain"])
def test_the_optimizer_may_change_its_kind(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Decay is paid at the old rate when rows cannot be left alone any more, or no longer decay."""

    def scenario(model: Any) -> list[float]:
        losses = fitted(model)
        if change == "plain":
            model.optimizer.centered = False
        else:
            setattr(model.optimizer, change, 0.5)
        losses += fitted(model)
        if change == "clipnorm":
            model.optimizer.clipnorm = None
            losses += fitted(model)
        return losses

    name = "rmsprop_centered" if change == "plain" else "rmsprop"
    losses, found, _ = outcome(scenario, name)
    with monkeypatch.context() as patched:
        patched.setattr(update, "goes_by_rows", lambda *_: False)
        dense_losses, expected, _ = outcome(scenario, name)
    np.testing.assert_allclose(losses, dense_losses, rtol=2e-5, atol=1e-6)
    for got, want in zip(found, expected):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-6)


def through_pickle(model: Any) -> Any:
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("copied", [copy.deepcopy, through_pickle])
def test_a_copy_goes_on_alike(monkeypatch: pytest.MonkeyPatch, name: str, copied: Callable[[Any], Any]) -> None:
    def scenario(model: Any) -> list[Any]:
        losses = fitted(model)
        twin = copied(model)
        both = fitted(model), fitted(twin)
        np.testing.assert_allclose(*both, rtol=1e-5)
        for a, b in zip(state(model), state(twin)):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
        return [*losses, *both[0], *both[1]]

    equal(monkeypatch, scenario, name)


@pytest.mark.parametrize("name", DECAYING)
def test_state_may_be_read_and_written_in_between(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def scenario(model: Any) -> list[float]:
        losses = fitted(model)
        kept = copy.deepcopy(model.optimizer.state_dict())
        read = model.optimizer.get_weights()
        losses += fitted(model)
        model.optimizer.load_state_dict(kept)
        for a, b in zip(model.optimizer.get_weights(), read):
            np.testing.assert_array_equal(a, b)
        losses += fitted(model)
        model.optimizer.set_weights(read)
        return losses + fitted(model)

    equal(monkeypatch, scenario, name)


@pytest.mark.parametrize("name", DECAYING)
def test_decay_owed_outlives_a_compile(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def scenario(model: Any) -> list[float]:
        losses = fitted(model)
        model.compile(model.optimizer, "mse")
        losses += fitted(model)
        model.layers[0].trainable = False
        model.compile(model.optimizer, "mse")
        losses += fitted(model)
        model.layers[0].trainable = True
        model.compile(model.optimizer, "binary_crossentropy")
        return losses + fitted(model)

    equal(monkeypatch, scenario, name)


@pytest.mark.parametrize("name", DECAYING)
def test_a_step_by_hand_in_between(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """`optimizer.step()` of a torch loop is a dense step: it finds the slots paid."""

    def scenario(model: Any) -> list[float]:
        losses = fitted(model)
        model.optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(X, training=True), torch.from_numpy(Y)).backward()
        model.optimizer.step()
        return losses + fitted(model)

    equal(monkeypatch, scenario, name)


def test_the_end_of_fit_costs_no_pass_over_the_rows() -> None:
    model = build("rmsprop")
    fitted(model)
    (row,) = model._steps["train"].update.embeddings
    assert row.pending_decay.paid < row.pending_decay.steps
    expected = row.pending_decay.steps
    model.optimizer.get_weights()
    assert row.pending_decay.paid == row.pending_decay.steps == expected
    assert bool((row.pending_decay.last_seen == expected).all())


def test_two_embeddings_in_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small table is stepped densely beside a large one."""

    class Both(L.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.large, self.small = L.Embedding(ROWS, DIM), L.Embedding(300, DIM)
            self._takes_integers = True

        def build(self, input_shape: Any) -> None:
            self.large._build_from(input_shape)
            self.small._build_from(input_shape)
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            return self.large(x) + self.small(x)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape, DIM)

    def run(lazy: bool) -> tuple[list[float], list[Any], int]:
        np.random.seed(2)
        model = keras.Sequential(
            [Both(input_shape=(LENGTH,)), L.GlobalAveragePooling1D(), L.Dense(1, activation="sigmoid")]
        )
        model.compile("rmsprop", "binary_crossentropy")
        losses = fitted(model) + fitted(model)
        return losses, state(model), len(model._steps["train"].update.embeddings)

    losses, found, count = run(True)
    monkeypatch.setattr(update, "goes_by_rows", lambda *_: False)
    dense_losses, expected, none = run(False)
    assert (count, none) == (1, 0)
    np.testing.assert_allclose(losses, dense_losses, rtol=2e-5)
    for got, want in zip(found, expected):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-6)


def test_momentum_leaves_missed_rows_alone_in_tf_keras() -> None:
    """`tf.keras` moves a row by its momentum only in the steps whose batch has it; classic Keras in every step."""
    moved = {}
    for dialect in ("tf.keras", "keras-2.3"):
        with dialects.using(dialect):
            model = build(optimizers.SGD(0.5, momentum=0.9))
            model.train_on_batch(np.full((4, LENGTH), 5), Y[:4])
            before = model.get_weights()[0].copy()
            model.train_on_batch(np.full((4, LENGTH), 6), Y[:4])
            moved[dialect] = np.abs(model.get_weights()[0] - before).max(1)
    assert all(np.nonzero(moved["tf.keras"])[0] == [6])
    assert list(np.nonzero(moved["keras-2.3"])[0]) == [5, 6]


def test_a_subclass_of_sgd_keeps_its_own_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    class Signed(optimizers.SGD):
        def _update(self, params: Any, grads: Any, slots: Any, scalars: Any) -> None:
            for param, grad in zip(params, grads):
                param.sub_(grad.sign() * scalars["lr"])

    monkeypatch.setitem(OPTIMIZERS, "signed", lambda: Signed(0.01))
    equal(monkeypatch, lambda model: [model.train_on_batch(X[:8], Y[:8]) for _ in range(3)], "signed")
