"""The written-out derivatives give what autograd gives, and step aside where they do not apply."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L

RNG = np.random.default_rng(3)
X = RNG.normal(size=(50, 6)).astype("float32")
LABELS = RNG.integers(0, 3, 50)
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
SOFT = RNG.random((50, 3)).astype("float32")
BINARY = RNG.integers(0, 2, (50, 1)).astype("float32")
REAL = RNG.normal(size=(50, 2)).astype("float32")

CASES: dict[str, tuple[Callable[[], list[Any]], str, np.ndarray[Any, Any]]] = {
    "softmax": (lambda: [L.Dense(3, activation="softmax")], "categorical_crossentropy", ONE_HOT),
    "soft_labels": (lambda: [L.Dense(3, activation="softmax")], "categorical_crossentropy", SOFT),
    "sparse": (lambda: [L.Dense(3, activation="softmax")], "sparse_categorical_crossentropy", LABELS),
    "sigmoid": (lambda: [L.Dense(1, activation="sigmoid")], "binary_crossentropy", BINARY),
    "multi_label": (lambda: [L.Dense(3), L.Activation("sigmoid")], "binary_crossentropy", ONE_HOT),
    "regression": (lambda: [L.Dense(2)], "mse", REAL),
    "no_bias": (lambda: [L.Dense(2, use_bias=False)], "mse", REAL),
}


def build(case: str, watched: bool, optimizer: str = "adam", frozen: bool = False, **compiled: Any) -> Any:
    """Return a model with a mixed body; a hook makes autograd run it."""
    head, loss, _ = CASES[case]
    np.random.seed(5)
    body = [L.Dense(7, activation="relu", input_dim=6), L.Dropout(0.3), L.Dense(5), L.Activation("tanh")]
    model = keras.Sequential([*body, L.Dense(4, activation="sigmoid"), L.Flatten(), *head()])
    model.layers[2].trainable = not frozen
    model.compile(optimizer, loss, **compiled)
    if watched:
        model.layers[0].register_forward_hook(lambda *_: None)
    return model


def trained(model: Any, case: str, **options: Any) -> tuple[Any, list[np.ndarray[Any, Any]]]:
    np.random.seed(11)
    history = model.fit(X, CASES[case][2], batch_size=16, epochs=3, verbose=0, **options)
    return history.history, model.get_weights()


def equal(case: str, build_options: dict[str, Any], **options: Any) -> None:
    plain, watched = build(case, False, **build_options), build(case, True, **build_options)
    (history, weights), (expected, expected_weights) = (
        trained(plain, case, **options),
        trained(watched, case, **options),
    )
    assert plain._steps["train"].chain is not None
    assert watched._steps["train"].chain is None
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=2e-5, atol=2e-6, err_msg=name)
    for got, want in zip(weights, expected_weights):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_equals_autograd(case: str) -> None:
    equal(case, {"metrics": ["mae"]})


@pytest.mark.parametrize("label", [0, -1, 2])
def test_a_loss_that_ignores_a_class_is_left_to_autograd(label: int) -> None:
    function = functools.partial(keras.losses.sparse_categorical_crossentropy, ignore_class=label)
    for loss in (keras.losses.SparseCategoricalCrossentropy(ignore_class=label), function):
        model = build("sparse", False)
        model.compile("sgd", loss)
        model.train_on_batch(X, LABELS)
        assert model._steps["train"].chain is None


@pytest.mark.parametrize("case", ["softmax", "sigmoid", "regression"])
def test_sample_weights(case: str) -> None:
    equal(case, {"weighted_metrics": ["mae"]}, sample_weight=RNG.random(50).astype("float32"))


def test_validation_and_class_weight() -> None:
    equal("softmax", {"metrics": ["accuracy"]}, class_weight={0: 1.0, 1: 2.0, 2: 0.5}, validation_split=0.2)


def test_frozen_layer_in_the_middle_keeps_its_weights() -> None:
    equal("softmax", {"frozen": True})
    model = build("softmax", False, frozen=True)
    before = model.layers[2].get_weights()
    trained(model, "softmax")
    np.testing.assert_array_equal(model.layers[2].get_weights()[0], before[0])


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adagrad", "nadam"])
def test_every_kind_of_optimizer(optimizer: str) -> None:
    equal("softmax", {"optimizer": optimizer})


def test_clipping_by_norm_goes_over_all_gradients() -> None:
    plain, watched = build("softmax", False), build("softmax", True)
    for model in (plain, watched):
        model.compile(keras.optimizers.SGD(0.1, clipnorm=0.01), "categorical_crossentropy")
    for got, want in zip(trained(plain, "softmax")[1], trained(watched, "softmax")[1]):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.Dense(4, kernel_regularizer="l2"),
        lambda: L.Dense(4, activity_regularizer="l2"),
        lambda: L.Dense(4, activation="selu"),
        lambda: L.BatchNormalization(),
        lambda: L.Dropout(0.3, seed=3),
        lambda: L.Lambda(lambda x: x),
    ],
)
def test_steps_aside(layer: Callable[[], Any]) -> None:
    model = keras.Sequential([L.Dense(4, input_dim=6), layer(), L.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(X, REAL, verbose=0)
    assert model._steps["train"].chain is None


SEQUENCES = RNG.normal(size=(40, 9, 4)).astype("float32")
IMAGES = RNG.normal(size=(40, 8, 9, 3)).astype("float32")

# name → the layers before the last Dense, and what they take. Weights lie in every order that torch has for them.
BODIES: dict[str, tuple[Callable[[], list[Any]], np.ndarray[Any, Any]]] = {
    "conv1d": (
        lambda: [
            L.Conv1D(5, 3, activation="relu", input_shape=(9, 4)),
            L.Conv1D(4, 2, padding="same", strides=1, dilation_rate=2),
            L.MaxPooling1D(2),
            L.Conv1D(6, 1, activation="tanh", use_bias=False),
            L.GlobalAveragePooling1D(),
            L.Dropout(0.3),
        ],
        SEQUENCES,
    ),
    "conv2d": (
        lambda: [
            L.Conv2D(4, 3, activation="relu", padding="same", input_shape=(8, 9, 3)),
            L.MaxPooling2D((2, 3)),
            L.Dropout(0.25),
            L.Conv2D(6, (2, 1), strides=2, activation="sigmoid"),
            L.Flatten(),
            L.Dense(5, activation="relu"),
        ],
        IMAGES,
    ),
    "channels_first": (
        lambda: [
            L.Conv2D(4, 3, activation="relu", data_format="channels_first", input_shape=(8, 9, 3)),
            L.MaxPooling2D((2, 1), data_format="channels_first"),
            L.GlobalAveragePooling2D(data_format="channels_first"),
        ],
        IMAGES,
    ),
    "grouped": (
        lambda: [L.Conv2D(4, 2, groups=2, input_shape=(4, 4, 2)), L.Activation("relu"), L.GlobalAveragePooling2D()],
        IMAGES[:, :4, :4, :2],
    ),
    "lstm": (
        lambda: [
            L.LSTM(5, return_sequences=True, input_shape=(9, 4)),
            L.Dropout(0.2),
            L.LSTM(4, return_sequences=True, use_bias=False),
            L.LSTM(6),
        ],
        SEQUENCES,
    ),
    "stateful_lstm": (
        lambda: [
            L.LSTM(5, return_sequences=True, stateful=True, batch_input_shape=(10, 9, 4)),
            L.LSTM(4, stateful=True),
        ],
        SEQUENCES,
    ),
    "conv_lstm": (
        lambda: [L.Conv1D(5, 3, activation="relu", input_shape=(9, 4)), L.MaxPooling1D(2), L.LSTM(5)],
        SEQUENCES,
    ),
    "nothing_before": (lambda: [L.MaxPooling2D(2, input_shape=(8, 9, 3)), L.Flatten()], IMAGES),
}


def body(name: str, watched: bool, frozen: int | None = None) -> Any:
    np.random.seed(6)
    model = keras.Sequential([*BODIES[name][0](), L.Dense(3, activation="softmax")])
    if frozen is not None:
        model.layers[frozen].trainable = False
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    if watched:
        model.layers[-1].register_forward_hook(lambda *_: None)
    return model


def same_training(name: str, frozen: int | None = None) -> None:
    x, results = BODIES[name][1], []
    for watched in (False, True):
        model = body(name, watched, frozen)
        np.random.seed(12)
        history = model.fit(x, ONE_HOT[:40], batch_size=10, epochs=3, shuffle=False, verbose=0)
        assert (model._steps["train"].chain is None) is watched
        results.append(
            (history.history["loss"], model.get_weights(), [layer.states for layer in model.layers if layer.stateful])
        )
    (losses, weights, states), (expected, expected_weights, expected_states) = results
    np.testing.assert_allclose(losses, expected, rtol=2e-5)
    for got, want in zip(weights, expected_weights):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=2e-5)
    for got_pair, want_pair in zip(states, expected_states):
        for got, want in zip(got_pair, want_pair):
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", BODIES)
def test_layers_over_space_and_time_equal_autograd(name: str) -> None:
    same_training(name)


@pytest.mark.parametrize(("name", "frozen"), [("conv1d", 0), ("conv1d", 1), ("conv2d", 3), ("lstm", 0), ("lstm", 2)])
def test_frozen_layer_over_space_and_time(name: str, frozen: int) -> None:
    same_training(name, frozen)


@pytest.mark.parametrize("name", ["conv2d", "lstm"])
def test_nothing_of_a_batch_is_kept_after_it(name: str) -> None:
    model = body(name, False)
    model.fit(BODIES[name][1], ONE_HOT[:40], verbose=0)
    assert [stage.saved for stage in model._steps["train"].chain.stages] == [None] * len(model.layers)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.Conv1D(4, 3, padding="causal"),
        lambda: L.Conv1D(4, 3, activation="elu"),
        lambda: L.MaxPooling1D(2, padding="same"),
        lambda: L.LSTM(4, return_sequences=True, dropout=0.1),
        lambda: L.LSTM(4, return_sequences=True, activation="relu"),
        lambda: L.LSTM(4, return_sequences=True, go_backwards=True),
        lambda: L.LSTM(4, return_sequences=True, kernel_regularizer="l2"),
        lambda: L.GRU(4, return_sequences=True),
        lambda: L.Dense(4),
    ],
)
def test_steps_aside_over_time(layer: Callable[[], Any]) -> None:
    model = keras.Sequential([L.Conv1D(4, 3, input_shape=(9, 4)), layer(), L.Flatten(), L.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(SEQUENCES, REAL[:40], verbose=0)
    assert model._steps["train"].chain is None


def test_hook_added_later_is_called() -> None:
    model, seen = build("softmax", False), []
    trained(model, "softmax")
    model.layers[0].register_forward_hook(lambda *_: seen.append(1))
    trained(model, "softmax")
    assert len(seen) == 3 * 4


def test_batch_logs_hold_the_batch_loss() -> None:
    model, seen = build("regression", False), []
    callback = keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    history = model.fit(X, REAL, batch_size=10, shuffle=False, verbose=0, callbacks=[callback])
    assert len(set(seen)) == 5
    np.testing.assert_allclose(np.mean(seen), history.history["loss"][0], rtol=1e-5)
