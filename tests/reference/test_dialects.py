"""The package under each classic dialect against the numpy definitions of `classic.py`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk

from . import classic

CLASSIC = ("keras-2.3", "keras-2.2", "keras-1")
UP_TO_22 = ("keras-2.2", "keras-1")
MODERN = ("tf.keras", "keras-2.15")
EVERY = (*CLASSIC, *MODERN)


@pytest.fixture(params=EVERY)
def dialect(request: pytest.FixtureRequest) -> str:
    """Make the test's objects under each dialect."""
    tk.set_dialect(request.param)
    return str(request.param)


def _rng() -> np.random.RandomState:
    return np.random.RandomState(8)


def _dense(units: int, features: int, activation: str | None = None, *, scale: float = 1.0, **kwargs: Any) -> Any:
    """Make a Sequential of one Dense layer with known weights."""
    model = tk.models.Sequential([tk.layers.Dense(units, activation=activation, input_shape=(features,), **kwargs)])
    rng = _rng()
    kernel = rng.standard_normal((features, units)) * scale
    model.set_weights([kernel.astype("float32"), np.zeros(units, "float32")])
    return model


def _first(result: Any) -> float:
    return float(np.asarray(result).reshape(-1)[0])


# --- losses ---


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_softmax_is_fused_with_the_loss_or_clipped(dialect: str, loss: str) -> None:
    model = _dense(3, 4, "softmax", scale=30.0)
    x = _rng().standard_normal((10, 4)).astype("float32")
    labels = np.arange(10) % 3
    model.compile("sgd", loss)
    got = _first(model.test_on_batch(x, labels if loss.startswith("sparse") else np.eye(3, dtype="float32")[labels]))
    logits = x @ model.get_weights()[0]
    if dialect in UP_TO_22:
        probabilities = np.exp(logits - logits.max(-1, keepdims=True))
        probabilities /= probabilities.sum(-1, keepdims=True)
        clipped = classic.categorical_crossentropy_clipped(np.eye(3)[labels], probabilities)
        if loss.startswith("sparse"):
            clipped = classic.sparse_crossentropy_clipped(labels, probabilities)
        expected = clipped.mean()
    else:
        expected = classic.crossentropy_of_logits(np.eye(3)[labels], logits).mean()
    assert expected > 10, "the case must reach the clip"
    np.testing.assert_allclose(got, expected, rtol=1e-4)


def test_sigmoid_is_fused_with_the_loss_or_clipped(dialect: str) -> None:
    model = _dense(1, 4, "sigmoid", scale=30.0)
    x = _rng().standard_normal((10, 4)).astype("float32")
    y = (np.arange(10) % 2).reshape(-1, 1).astype("float32")
    model.compile("sgd", "binary_crossentropy")
    logits = x @ model.get_weights()[0]
    if dialect in UP_TO_22:
        expected = classic.binary_crossentropy_clipped(y, 1 / (1 + np.exp(-logits.astype("float64")))).mean()
    else:
        expected = classic.binary_crossentropy_of_logits(y, logits).mean()
    # near 1 a probability has few steps of float32 left, and the log of what is missing feels each of them
    np.testing.assert_allclose(_first(model.test_on_batch(x, y)), expected, rtol=2e-3 if dialect in UP_TO_22 else 1e-4)


def _classic_binary(dialect: str, y: np.ndarray, p: np.ndarray) -> float:
    through = classic.binary_crossentropy_clipped if dialect in UP_TO_22 else classic.binary_crossentropy_shifted
    return float(through(y, p).mean())


@pytest.mark.parametrize(
    "loss",
    [
        "binary_crossentropy",
        tk.losses.binary_crossentropy,
        tk.losses.BinaryCrossentropy,
        functools.partial(tk.losses.binary_crossentropy, from_logits=False),
    ],
    ids=["name", "function", "class", "partial"],
)
def test_binary_crossentropy_of_probabilities(dialect: str, loss: Any) -> None:
    model = tk.models.Sequential([tk.layers.Activation("sigmoid", input_shape=(2,)), tk.layers.Reshape((2,))])
    x = np.array([[50.0, -50.0], [0.5, -2.0], [-50.0, 50.0]], "float32")
    y = np.array([[0, 0], [1, 0], [1, 1]], "float32")
    expected = _classic_binary(dialect, y, 1 / (1 + np.exp(-x.astype("float64"))))
    model.compile("sgd", loss, metrics=["binary_crossentropy"])
    tk.set_dialect("keras-2.15" if dialect in UP_TO_22 else "keras-2.2")  # a model keeps the rules it was made under
    np.testing.assert_allclose(model.test_on_batch(x, y), [expected, expected], rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), [expected, expected], rtol=1e-5)


def test_binary_crossentropy_called(dialect: str) -> None:
    p, y = np.array([[1.0, 0.25, 0.0]], "float32"), np.array([[0, 1, 1]])
    expected = _classic_binary(dialect, y, p)
    for got in (
        tk.losses.binary_crossentropy(y, p),
        tk.losses.BinaryCrossentropy()(y, p),
        tk.metrics.binary_crossentropy(y, p),
        tk.metrics.BinaryCrossentropy()(y, p),
        tk.backend.mean(tk.backend.binary_crossentropy(target=y, output=p)),
    ):
        np.testing.assert_allclose(_first(got), expected, rtol=1e-5)
    at_zero = torch.zeros(1, 1, requires_grad=True)
    tk.losses.binary_crossentropy([[1.0]], at_zero).sum().backward()
    assert float(at_zero.grad) == 0.0, "beyond the clip nothing pulls, in any release"


@pytest.mark.parametrize("dialect_name", CLASSIC)
def test_cosine_proximity_sums_or_averages(dialect_name: str) -> None:
    tk.set_dialect(dialect_name)
    model = _dense(3, 4)
    rng = _rng()
    x, y = rng.standard_normal((6, 4)).astype("float32"), rng.standard_normal((6, 3)).astype("float32")
    model.compile("sgd", "cosine_proximity", metrics=["cosine_proximity"])
    loss, metric = model.test_on_batch(x, y)
    expected = classic.cosine_proximity(y, x @ model.get_weights()[0], mean=dialect_name == "keras-1").mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-4)
    # metrics.py of 2.3.1 has cosine_proximity as a function of its own, without the sign; before it was the loss
    np.testing.assert_allclose(metric, -expected if dialect_name == "keras-2.3" else expected, rtol=1e-4)


@pytest.mark.parametrize("dialect_name", CLASSIC)
def test_sample_weights(dialect_name: str) -> None:
    tk.set_dialect(dialect_name)
    model = _dense(2, 4)
    rng = _rng()
    x, y = rng.standard_normal((6, 4)).astype("float32"), rng.standard_normal((6, 2)).astype("float32")
    weights = np.array([0, 1, 2, 0, 0.5, 3], "float32")
    model.compile("sgd", "mse")
    scores = ((x @ model.get_weights()[0] - y) ** 2).mean(-1)
    objective = classic.objective_by_nonzero if dialect_name in UP_TO_22 else classic.objective_by_count
    np.testing.assert_allclose(
        _first(model.test_on_batch(x, y, sample_weight=weights)), objective(scores, weights), rtol=1e-4
    )
    np.testing.assert_allclose(_first(model.test_on_batch(x, y)), scores.mean(), rtol=1e-4)


@pytest.mark.parametrize("dialect_name", CLASSIC)
def test_masked_steps_in_the_loss(dialect_name: str) -> None:
    tk.set_dialect(dialect_name)
    model = tk.models.Sequential([tk.layers.Masking(0.0, input_shape=(5, 3)), tk.layers.Dense(2)])
    rng = _rng()
    kernel = rng.standard_normal((3, 2)).astype("float32")
    model.set_weights([kernel, np.zeros(2, "float32")])
    x, y = rng.standard_normal((4, 5, 3)).astype("float32"), rng.standard_normal((4, 5, 2)).astype("float32")
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 1, 0, 1, 1], [1, 0, 0, 0, 0]], "float32")
    x *= mask[:, :, None]
    model.compile("sgd", "mse")
    scores = ((x @ kernel - y) ** 2).mean(-1)
    objective = classic.objective_by_nonzero if dialect_name in UP_TO_22 else classic.objective_by_count
    np.testing.assert_allclose(_first(model.test_on_batch(x, y)), objective(scores, mask=mask), rtol=1e-4)


@pytest.mark.filterwarnings("ignore:.*class_weight")  # up to 2.2 it warns that class_weight is ignored
def test_class_weight_with_sample_weight(dialect: str) -> None:
    model = _dense(3, 4, "softmax", scale=0.3)
    x = _rng().standard_normal((9, 4)).astype("float32")
    labels = np.arange(9) % 3
    sample, table = np.linspace(0.2, 2, 9).astype("float32"), {0: 0.5, 1: 1.0, 2: 4.0}
    model.compile(tk.optimizers.SGD(learning_rate=0.0), "categorical_crossentropy")
    y = np.eye(3, dtype="float32")[labels]
    of_class = np.array([table[label] for label in labels], "float32")
    weights = classic.joined_weights(sample, of_class, multiply=dialect not in UP_TO_22)
    scores = classic.crossentropy_of_logits(y, x @ model.get_weights()[0])
    got = _first(model.train_on_batch(x, y, sample_weight=sample, class_weight=table))
    np.testing.assert_allclose(got, classic.objective_by_count(scores, weights), rtol=1e-4)


def test_activity_regularizer(dialect: str) -> None:
    model = _dense(3, 4, activity_regularizer=tk.regularizers.L2(0.1))
    rng = _rng()
    x, y = rng.standard_normal((6, 4)).astype("float32"), rng.standard_normal((6, 3)).astype("float32")
    model.compile("sgd", "mse")
    output = x @ model.get_weights()[0]
    penalty = 0.1 * (output**2).sum() / (6 if dialect in MODERN else 1)
    np.testing.assert_allclose(_first(model.test_on_batch(x, y)), ((output - y) ** 2).mean() + penalty, rtol=1e-4)


# --- metrics ---

ACCURACIES = [
    ("binary_crossentropy", 1, "sigmoid"),
    ("binary_crossentropy", 3, "sigmoid"),
    ("mse", 1, "sigmoid"),
    ("sparse_categorical_crossentropy", 3, "softmax"),
    ("categorical_crossentropy", 3, "softmax"),
    ("mse", 3, "softmax"),
]


@pytest.mark.parametrize(("loss", "units", "activation"), ACCURACIES)
def test_accuracy_is_resolved(dialect: str, loss: str, units: int, activation: str) -> None:
    model = _dense(units, 4, activation)
    rng = _rng()
    x = rng.standard_normal((12, 4)).astype("float32")
    kind = classic.accuracy_kind(loss, units)
    y = np.eye(3)[rng.randint(0, 3, 12)] if units > 1 else rng.randint(0, 2, (12, 1))
    if loss == "binary_crossentropy" and units > 1:
        y = rng.randint(0, 2, (12, units))
        kind = "binary" if dialect in CLASSIC else "categorical"  # tf.keras goes by shapes alone
    if kind == "sparse":
        y = rng.randint(0, 3, 12)
    model.compile("sgd", loss, metrics=["accuracy"])
    _, got = model.test_on_batch(x, y.astype("int64" if kind == "sparse" else "float32"))
    expected = classic.accuracy(kind, y, np.asarray(model.predict_on_batch(x)))
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_accuracy_is_named(dialect: str) -> None:
    model = _dense(3, 4, "softmax")
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy", "mse"])
    x, y = _rng().standard_normal((8, 4)).astype("float32"), np.eye(3, dtype="float32")[np.arange(8) % 3]
    history = model.fit(x, y, epochs=1, verbose=0).history
    names = ["loss", "acc", "mean_squared_error"] if dialect in UP_TO_22 else ["loss", "accuracy", "mse"]
    assert list(history) == names


def test_batch_logs_are_of_the_batch_or_of_the_epoch_so_far(dialect: str) -> None:
    model = _dense(1, 4)
    rng = _rng()
    x, y = rng.standard_normal((24, 4)).astype("float32"), rng.standard_normal((24, 1)).astype("float32")
    model.compile(tk.optimizers.SGD(learning_rate=0.0), "mse")
    seen: list[float] = []
    watch = tk.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(float(logs["loss"])))
    history = model.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0, callbacks=[watch]).history
    scores = ((x @ model.get_weights()[0] - y) ** 2).mean(-1).reshape(3, 8).mean(1)
    running = np.cumsum(scores) / np.arange(1, 4)
    np.testing.assert_allclose(seen, running if dialect in MODERN else scores, rtol=1e-4)
    np.testing.assert_allclose(history["loss"], [scores.mean()], rtol=1e-4)


# --- layers ---


def _recurrent(cls: str, **kwargs: Any) -> tuple[Any, list[np.ndarray], np.ndarray]:
    model = tk.models.Sequential([getattr(tk.layers, cls)(3, input_shape=(5, 2), **kwargs)])
    rng = _rng()
    weights = [rng.standard_normal(w.shape) for w in model.get_weights()]
    model.set_weights([w.astype("float32") for w in weights])
    return model, weights, rng.standard_normal((4, 5, 2)).astype("float32")


@pytest.mark.parametrize("dialect_name", CLASSIC)
@pytest.mark.parametrize("cls", ["GRU", "LSTM"])
def test_recurrent_defaults(cls: str, dialect_name: str) -> None:
    tk.set_dialect(dialect_name)
    model, weights, x = _recurrent(cls)
    gate = classic.hard_sigmoid if dialect_name in UP_TO_22 else classic.sigmoid
    expected = (classic.gru if cls == "GRU" else classic.lstm)(x, *weights, gate)
    np.testing.assert_allclose(model.predict_on_batch(x), expected, rtol=1e-4, atol=1e-4)


def test_gru_reset_after_default(dialect: str) -> None:
    _, weights, _ = _recurrent("GRU")
    assert weights[2].shape == ((9,) if dialect in CLASSIC else (2, 9))


@pytest.mark.parametrize("dialect_name", CLASSIC)
@pytest.mark.parametrize("shape", [(8, 3), (4, 5, 3), (4, 2, 3, 3), (2, 2, 2, 3, 3), (32, 8, 8, 3)])
def test_batch_normalization_moving_variance(dialect_name: str, shape: tuple[int, ...]) -> None:
    tk.set_dialect(dialect_name)
    layer = tk.layers.BatchNormalization(momentum=0.5, input_shape=shape[1:])
    model = tk.models.Sequential([layer])
    x = _rng().standard_normal(shape).astype("float32")
    model(torch.tensor(x), training=True)
    expected = classic.moving_variance(x, np.ones(3), 0.5, 1e-3, corrected=dialect_name != "keras-1")
    np.testing.assert_allclose(model.get_weights()[3], expected, rtol=1e-5)


@pytest.mark.parametrize("dialect_name", CLASSIC)
def test_batch_normalization_of_one_row(dialect_name: str) -> None:
    tk.set_dialect(dialect_name)
    model = tk.models.Sequential([tk.layers.BatchNormalization(momentum=0.5, input_shape=(2,))])
    model(torch.ones(1, 2), training=True)
    np.testing.assert_allclose(model.get_weights()[3], [0.5, 0.5], rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*positional 3, 3")  # the translation says so once
def test_two_positional_ints_of_conv2d(dialect: str) -> None:
    layer = tk.layers.Conv2D(2, 3, 3, input_shape=(9, 9, 1))
    model = tk.models.Sequential([layer])
    assert model.get_weights()[0].shape == (3, 3, 1, 2)
    assert tuple(model.output_shape) == ((None, 7, 7, 2) if dialect in CLASSIC else (None, 3, 3, 2))


# --- initializers ---


@pytest.mark.parametrize("cls", ["GlorotNormal", "HeNormal", "LecunNormal"])
def test_normal_distribution_of_a_fan(dialect: str, cls: str) -> None:
    shape = (400, 300)
    value = np.asarray(getattr(tk.initializers, cls)(seed=1)(shape))
    scale, fan = {"GlorotNormal": (1.0, 350.0), "HeNormal": (2.0, 400.0), "LecunNormal": (1.0, 400.0)}[cls]
    cut = dialect != "keras-1" or cls == "LecunNormal"  # which 1.2.2 has not; 2.0.8 cuts it
    expected = classic.scaled_normal_std(scale, fan, cut=cut, corrected=dialect != "keras-1")
    assert abs(value.std() / expected - 1) < 0.02  # a sample of 120,000
    assert (np.abs(value).max() > 3 * expected) is np.bool_(not cut)


@pytest.mark.parametrize("cls", ["GlorotUniform", "HeUniform", "LecunUniform"])
def test_limits_of_a_fan(dialect: str, cls: str) -> None:
    value = np.asarray(getattr(tk.initializers, cls)(seed=1)((400, 300)))
    limit = np.sqrt({"GlorotUniform": 6 / 700, "HeUniform": 6 / 400, "LecunUniform": 3 / 400}[cls])
    assert 0.999 * limit < np.abs(value).max() <= limit * (1 + 1e-6)


def test_orthogonal_gain(dialect: str) -> None:
    value = np.asarray(tk.initializers.Orthogonal(seed=1)((6, 4)))
    gain = 1.1 if dialect == "keras-1" else 1.0
    np.testing.assert_allclose(value.T @ value, gain**2 * np.eye(4), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "expected"), [("Adagrad", 0.01), ("Adadelta", 1.0), ("Adamax", 0.002), ("Nadam", 0.002)]
)
def test_default_rates(dialect: str, name: str, expected: float) -> None:
    rate = float(getattr(tk.optimizers, name)().learning_rate)
    assert rate == pytest.approx(expected if dialect in CLASSIC else 0.001)
