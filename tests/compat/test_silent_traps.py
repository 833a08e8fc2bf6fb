"""The silent traps of old scripts, one test a row, in every dialect: what is accepted must mean what it did.

Numbers are the definitions in numpy of what the row says.  Rows that have their test elsewhere are named at the end.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L
from torchkeras_compat._core.border import KerasSpellingWarning

from .reference_rows import CLASSIC, EVERY, MODERN

UP_TO_22 = ("keras-2.2", "keras-1")


@pytest.fixture(params=EVERY)
def dialect(request: pytest.FixtureRequest) -> str:
    """Make the test's objects under each dialect."""
    tk.set_dialect(request.param)
    return str(request.param)


def one_weight(optimizer: Any, start: float = 0.0) -> Any:
    """Return a model of one weight w, whose loss on (1, 1) is (1 − w)²."""
    model = tk.Sequential([L.Dense(1, use_bias=False, input_dim=1)])
    model.set_weights([np.array([[start]])])
    model.compile(optimizer, "mse")
    return model


def step(model: Any) -> float:
    """Train on (1, 1) and return the weight."""
    model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    return float(model.get_weights()[0].item())


DECAYING = ["SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "Adamax"]


@pytest.mark.parametrize("name", DECAYING)
def test_decay(name: str, dialect: str) -> None:
    make = getattr(tk.optimizers, name)
    if dialect == "keras-2.15":
        with pytest.raises(ValueError, match="InverseTimeDecay"):
            make(lr=0.1, decay=0.5)
        return
    decaying, told = make(lr=0.1, decay=0.5), make(lr=0.1)
    model, other = one_weight(decaying), one_weight(told)
    for iterations in range(4):
        K.set_value(told.lr, 0.1 / (1 + 0.5 * iterations))
        assert step(model) == pytest.approx(step(other), rel=1e-5)


def test_decay_of_sgd_by_hand_and_of_nadam(dialect: str) -> None:
    if dialect != "keras-2.15":
        model, w = one_weight(tk.optimizers.SGD(lr=0.1, decay=0.5)), 0.0
        for iterations in range(4):
            w += 0.1 / (1 + 0.5 * iterations) * 2 * (1 - w)
            assert step(model) == pytest.approx(w, rel=1e-5)
        assert tk.optimizers.Nadam().schedule_decay == pytest.approx(0.004)
    with pytest.raises(ValueError, match="Nadam"):
        tk.optimizers.Nadam(decay=0.1)


def test_the_learning_rate_is_read_and_set(dialect: str) -> None:
    optimizer = tk.optimizers.SGD(lr=0.1)
    model, w = one_weight(optimizer), 0.0
    for rate, put in (
        (0.2, lambda: setattr(optimizer, "lr", 0.2)),
        (0.05, lambda: K.set_value(optimizer.lr, 0.05)),
        (0.3, lambda: setattr(optimizer, "learning_rate", 0.3)),
        (0.0, lambda: K.set_value(optimizer.lr, 0.0)),
    ):
        put()
        for read in (K.get_value(optimizer.lr), float(K.eval(optimizer.lr)), float(optimizer.lr)):
            assert read == pytest.approx(rate)
        w += rate * 2 * (1 - w)
        assert step(model) == pytest.approx(w, rel=1e-5)


def test_one_optimizer_of_two_models(dialect: str) -> None:
    """The counter is shared; the velocities are each weight's own."""
    options = {} if dialect == "keras-2.15" else {"decay": 0.5}
    optimizer = tk.optimizers.SGD(lr=0.1, momentum=0.5, **options)
    models, w, v = [one_weight(optimizer), one_weight(optimizer, 3.0)], [0.0, 3.0], [0.0, 0.0]
    for iterations, which in enumerate((0, 1, 1, 0)):
        rate = 0.1 / (1 + options.get("decay", 0) * iterations)
        v[which] = 0.5 * v[which] + rate * 2 * (1 - w[which])
        w[which] += v[which]
        assert step(models[which]) == pytest.approx(w[which], rel=1e-5)


def test_clipnorm(dialect: str) -> None:
    model = tk.Sequential([L.Dense(1, input_dim=1, kernel_initializer="zeros")])
    model.compile(tk.optimizers.SGD(lr=1.0, clipnorm=1.0), "mse")
    model.train_on_batch(np.ones((1, 1)), 10 * np.ones((1, 1)))  # both gradients are −20
    expected = 1 / np.sqrt(2) if dialect in CLASSIC else 1.0
    np.testing.assert_allclose([w.item() for w in model.get_weights()], expected, rtol=1e-5)


def test_hard_sigmoid(dialect: str) -> None:
    x = np.linspace(-4, 4, 33, dtype="float32")
    expected = np.clip(0.2 * x + 0.5, 0, 1)
    np.testing.assert_allclose(np.asarray(L.Activation("hard_sigmoid")(x[None]))[0], expected, atol=1e-6)
    np.testing.assert_allclose(np.asarray(K.hard_sigmoid(x)), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_targets_meet_predictions(shape: tuple[int, ...], dialect: str) -> None:
    model = tk.Sequential([L.Dense(1, input_dim=1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mae", "mean_squared_error"])
    x, y = np.array([[0.0], [2.0], [5.0]]), np.array([1.0, 2.0, 3.0]).reshape(shape)
    loss, mae, mse = model.evaluate(x, y, verbose=0)
    assert (loss, mae, mse) == pytest.approx((5 / 3, 1.0, 5 / 3))


@pytest.mark.parametrize("name", ["RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"])
def test_epsilon_none(name: str, dialect: str) -> None:
    assert float(getattr(tk.optimizers, name)(epsilon=None).epsilon) == pytest.approx(1e-7)


@pytest.mark.parametrize("asked", ["accuracy", "acc", "mae", "mean_absolute_error"])
def test_either_spelling_finds_the_value(asked: str, dialect: str) -> None:
    pair = ("acc", "accuracy") if "acc" in asked else ("mae", "mean_absolute_error")
    model = tk.Sequential([L.Dense(1, input_dim=2, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=[asked])
    x, y = np.random.RandomState(1).rand(8, 2), np.arange(8) % 2
    for monitored in pair:
        stop = tk.callbacks.EarlyStopping(monitor=f"val_{monitored}", patience=9)
        history = model.fit(x, y, validation_split=0.5, verbose=0, callbacks=[stop]).history
        assert history[pair[0]] == history[pair[1]]
        assert history[f"val_{pair[0]}"] == history[f"val_{pair[1]}"]
        assert len(list(history)) == 4


def test_frozen_after_compile(dialect: str) -> None:
    model = tk.Sequential([L.Dense(2, input_dim=1), L.Dense(1)])
    model.compile("sgd", "mse")
    model.layers[0].trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match="trainable"):
        model.fit(np.ones((4, 1)), np.zeros(4), verbose=0)
    after = model.get_weights()
    assert not np.array_equal(before[0], after[0])  # what was compiled trains
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 1)), np.zeros(4), verbose=0)
    assert np.array_equal(after[0], model.get_weights()[0])
    assert not np.array_equal(after[2], model.get_weights()[2])


def test_a_called_model_infers(dialect: str) -> None:
    model = tk.Sequential([L.Dropout(0.5, input_shape=(200,)), L.BatchNormalization()])
    x = np.ones((4, 200), "float32")
    np.testing.assert_allclose(np.asarray(model(x).detach()), x / np.sqrt(1.001), rtol=1e-5)
    trained = np.asarray(model(x, training=True).detach())
    assert len(np.unique(trained.round(3))) > 1


def test_a_mask_of_an_embedding_reaches_the_loss(dialect: str) -> None:
    model = tk.Sequential(
        [
            L.Embedding(5, 3, mask_zero=True, input_length=4),
            L.LSTM(3, return_sequences=True, go_backwards=True),
            L.Dropout(0.1),
            L.Activation("tanh"),
            L.TimeDistributed(L.Dense(2)),
        ]
    )
    model.compile("sgd", "mse")
    x = np.array([[1, 2, 0, 0], [3, 0, 4, 0], [1, 1, 1, 1]])
    y = np.random.RandomState(1).standard_normal((3, 4, 2)).astype("float32")
    mask = x != 0  # in the order in which it came, though the outputs stand backwards
    scores = ((model.predict(x, verbose=0) - y) ** 2).mean(-1) * mask
    expected = scores.sum() / mask.sum() if dialect in (*UP_TO_22, *MODERN) else scores.mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_whole_words_are_dropped(dialect: str) -> None:
    """`W * B / (1 − p)` with one draw B a word and batch (`keras/layers/embeddings.py` of 1.2.2, Embedding.call)."""
    with pytest.warns(KerasSpellingWarning, match="word_dropout=0.25"):
        layer = L.Embedding(400, 3, dropout=0.25, input_length=800)
    model = tk.Sequential([layer])
    table = layer.get_weights()[0]
    words = np.tile(np.arange(400), (2, 2))
    np.testing.assert_allclose(model.predict(words, verbose=0), table[words])
    out = np.asarray(model(words, training=True).detach())
    kept = (out[0, :400] != 0).any(-1)
    expected = np.where(kept[words][..., None], table[words] / 0.75, 0)
    np.testing.assert_allclose(out, expected, rtol=1e-5)
    assert kept.mean() == pytest.approx(0.75, abs=0.08)
    again = (np.asarray(model(words, training=True).detach())[0, :400] != 0).any(-1)
    assert not np.array_equal(kept, again)
    assert L.Embedding.from_config(layer.get_config()).word_dropout == 0.25
    assert "word_dropout" not in L.Embedding(3, 2).get_config()  # which Keras could not read


def test_dropped_words_have_no_gradient(dialect: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", KerasSpellingWarning)
        model = tk.Sequential([L.Embedding(50, 1, dropout=0.5, input_length=1, init="one"), L.Flatten()])
    model.compile(tk.optimizers.SGD(lr=1.0), lambda y, p: K.sum(p, axis=-1))
    model.train_on_batch(np.arange(50)[:, None], np.zeros((50, 1)))
    moved = 1 - model.get_weights()[0][:, 0]
    assert set(np.round(moved * 50, 3)) == {0.0, 2.0}  # dropped, and kept: 1 / (1 − .5), the mean over 50 samples


def normalised_by_batch(x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    """`mode=2`: the batch's mean and variance over all axes but the last, in inference too.

    Source: `keras/layers/normalization.py` of 1.2.2, BatchNormalization.call.
    """
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def normalised_by_sample(x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    """`mode=1`: mean and deviation along the last axis; the deviation gets epsilon a second time.

    Source: `keras/layers/normalization.py` of 1.2.2, BatchNormalization.call.
    """
    deviation = np.sqrt(x.var(-1, keepdims=True) + epsilon)
    return gamma * (x - x.mean(-1, keepdims=True)) / (deviation + epsilon) + beta


@pytest.mark.parametrize("way", ["predict", "call", "training"])
def test_modes_of_batch_normalization(way: str, dialect: str) -> None:
    random = np.random.RandomState(4)
    x = random.standard_normal((6, 3, 4)).astype("float32")
    gamma, beta = random.standard_normal((2, 4)).astype("float32")
    for mode, define in ((2, normalised_by_batch), (1, normalised_by_sample)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", KerasSpellingWarning)
            layer = L.BatchNormalization(mode=mode, epsilon=0.01, input_shape=(3, 4))
        model = tk.Sequential([layer])
        layer.set_weights([gamma, beta, *layer.get_weights()[2:]])
        before = layer.get_weights()[2:]
        run = {
            "predict": lambda m=model: m.predict(x, verbose=0),
            "call": lambda m=model: np.asarray(m(x).detach()),
            "training": lambda m=model: np.asarray(m(x, training=True).detach()),
        }[way]
        np.testing.assert_allclose(run(), define(x, gamma, beta, 0.01), rtol=1e-4, atol=1e-5)
        assert all(np.array_equal(a, b) for a, b in zip(before, layer.get_weights()[2:]))
    assert "statistics" not in L.BatchNormalization().get_config()  # which Keras could not read
    parts = np.concatenate([normalised_by_batch(x[i : i + 2], 1, 0, 1e-3) for i in (0, 2, 4)])
    by_batch = tk.Sequential([L.BatchNormalization(statistics="batch", input_shape=(3, 4))])
    np.testing.assert_allclose(by_batch.predict(x, batch_size=2, verbose=0), parts, rtol=1e-4, atol=1e-5)


def test_rows_that_a_batch_does_not_touch(dialect: str) -> None:
    """SGD with momentum: the velocity of a row goes on, but for tf.keras."""
    model = tk.Sequential([L.Embedding(3, 1, input_length=1, embeddings_initializer="ones"), L.Flatten()])
    model.compile(tk.optimizers.SGD(learning_rate=0.1, momentum=0.5), lambda y, p: K.sum(p, axis=-1))
    w, v = np.ones(3), np.zeros(3)
    for word in (0, 1, 2):
        model.train_on_batch(np.array([[word]]), np.zeros((1, 1)))
        gradient = np.eye(3)[word]
        touched = gradient > 0 if dialect == "tf.keras" else np.ones(3, bool)
        v = np.where(touched, 0.5 * v - 0.1 * gradient, v)
        w = np.where(touched, w + v, w)
        np.testing.assert_allclose(model.get_weights()[0][:, 0], w, rtol=1e-5)


def test_class_weight_auto(dialect: str) -> None:
    model = tk.Sequential([L.Dense(1, input_dim=1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    with pytest.raises(ValueError, match="'balanced'"):
        model.fit(np.ones((4, 1)), np.array([0, 1, 1, 1]), class_weight="auto", verbose=0)


# Row of the reference → where else it is tried, with numbers, in every dialect that it speaks of.
ELSEWHERE = {
    "Conv2D(32, 3, 3)": "compat.test_rows:test_sizes_by_place",
    "imdb.load_data(nb_words=…)": "utils.test_old_spellings:test_nb_words_limits_the_words",
    "metrics=['accuracy']": "reference.test_dialects:test_accuracy_is_resolved",
    "Adagrad() and its like": "compat.test_rows:test_defaults_of_optimizers",
    "GRU(n), LSTM(n)": "reference.test_dialects:test_recurrent_defaults",
    "reset_after": "reference.test_dialects:test_gru_reset_after_default",
    "ReduceLROnPlateau(epsilon=…)": "compat.test_rows:test_other_arguments",
    "BatchNormalization(momentum=…)": "reference.test_dialects:test_batch_normalization_moving_variance",
    "BatchNormalization, one row": "reference.test_dialects:test_batch_normalization_of_one_row",
    "activity_regularizer": "reference.test_dialects:test_activity_regularizer",
    "class_weight with sample_weight": "reference.test_dialects:test_class_weight_with_sample_weight",
    "categorical_crossentropy": "reference.test_dialects:test_softmax_is_fused_with_the_loss_or_clipped",
    "logs['loss']": "reference.test_dialects:test_batch_logs_are_of_the_batch_or_of_the_epoch_so_far",
}


@pytest.mark.parametrize("row", ELSEWHERE)
def test_rows_that_have_their_test_elsewhere(row: str) -> None:
    module, _, name = ELSEWHERE[row].partition(":")
    path = Path(__file__).parent.parent / f"{module.replace('.', '/')}.py"
    assert f"def {name}(" in path.read_text(encoding="utf-8")
