"""compile(jit_compile=True): the same training, as one graph; where it cannot be, one line says why."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat.training.executors import inductor as compiled

RNG = np.random.default_rng(9)
X = RNG.normal(size=(52, 6)).astype("float32")
SERIES = RNG.normal(size=(52, 7, 3)).astype("float32")
IMAGES = RNG.normal(size=(52, 8, 8, 2)).astype("float32")
WORDS = RNG.integers(0, 9000, (52, 7))
ONE_HOT = np.eye(3, dtype="float32")[RNG.integers(0, 3, 52)]


def mlp() -> list[Any]:
    return [L.Dense(8, activation="relu"), L.Dropout(0.4), L.Dense(5, activation="tanh"), L.Dropout(0.2)]


class Scales(L.Layer):
    """A layer as users write them, with weights of its own."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(name="factor", shape=(input_shape[-1],), initializer="ones")
        self.shift = self.add_weight("shift", (input_shape[-1],), initializer="zeros", regularizer="l2")

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        return keras.backend.relu(inputs * self.factor) + self.shift


BODIES: dict[str, tuple[Callable[[], list[Any]], np.ndarray[Any, Any]]] = {
    "mlp": (mlp, X),
    "penalties": (
        lambda: [
            L.Dense(8, kernel_regularizer="l2", activity_regularizer="l1", kernel_constraint="max_norm"),
            L.ActivityRegularization(l1=0.01),
            L.Dense(4, bias_constraint="non_neg"),
        ],
        X,
    ),
    "batch_normalization": (
        lambda: [L.Conv2D(4, 3, use_bias=False), L.BatchNormalization(momentum=0.8), L.Activation("relu"), L.Flatten()],
        IMAGES,
    ),
    "noise": (lambda: [L.GaussianNoise(0.1), L.Dense(6), L.GaussianDropout(0.2), L.AlphaDropout(0.1)], X),
    "convolutions": (lambda: [L.Conv1D(4, 2, activation="relu"), L.MaxPooling1D(), L.GlobalMaxPooling1D()], SERIES),
    "lstm": (lambda: [L.LSTM(4, return_sequences=True), L.LSTM(5, dropout=0.1)], SERIES),
    "gru": (lambda: [L.GRU(4, return_sequences=True), L.GRU(3, reset_after=False), L.Dense(3)], SERIES),
    "simple_rnn": (lambda: [L.SimpleRNN(4, activation="relu", go_backwards=True)], SERIES),
    "masked": (lambda: [L.Masking(), L.LSTM(4, return_sequences=True), L.GRU(3)], np.where(SERIES > 2, 0, SERIES)),
    "words": (lambda: [L.Embedding(9000, 8), L.LSTM(4), L.Dropout(0.1)], WORDS),
    "few_words": (lambda: [L.Embedding(9000, 2, mask_zero=True), L.GRU(4)], WORDS),
    "torch_modules": (lambda: [nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 4)], X),
    "of_the_user": (lambda: [Scales(), L.Dense(4)], X),
    "nested": (lambda: [keras.Sequential([L.Dense(5, activation="elu", input_dim=6), L.Dense(4)])], X),
}


def make(name: str, jit_compile: bool, optimizer: Any = "rmsprop", **options: Any) -> Any:
    np.random.seed(5)
    body, x = BODIES[name]
    model = keras.Sequential([L.Input(x.shape[1:]), *body(), L.Dense(3, activation="softmax")])
    optimizer = optimizer(model) if callable(optimizer) else optimizer
    options = {"loss": "categorical_crossentropy", "metrics": ["accuracy"], **options}
    model.compile(optimizer, jit_compile=jit_compile, **options)
    return model


def trained(model: Any, name: str, **options: Any) -> Any:
    np.random.seed(11)
    options = {"batch_size": 13, "epochs": 3, "verbose": 0, **options}
    return model.fit(BODIES[name][1], ONE_HOT, **options).history


def graphs(model: Any) -> list[Any]:
    return list(model._steps["train"].compiled._graphs.values())


def same(name: str, made: dict[str, Any] | None = None, **options: Any) -> Any:
    eager, graph = make(name, False, **(made or {})), make(name, True, **(made or {}))
    graph.set_weights(eager.get_weights())  # torch's own modules are filled by torch's generator
    expected, history = trained(eager, name, **options), trained(graph, name, **options)
    assert graphs(graph)
    assert all(graphs(graph))
    for key, values in expected.items():
        np.testing.assert_allclose(history[key], values, rtol=1e-4, atol=1e-6, err_msg=key)
    for got, want in zip(graph.get_weights(), eager.get_weights()):
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-5)
    return graph


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("name", BODIES)
def test_same_training_as_a_graph(name: str) -> None:
    same(name)


@pytest.mark.parametrize("name", ["mlp", pytest.param("lstm", marks=pytest.mark.slow), "words"])
def test_same_training_compiled(name: str) -> None:
    same(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(BODIES) - {"mlp", "lstm", "words"}))
def test_same_training_compiled_of_each_body(name: str) -> None:
    same(name)


OPTIMIZERS: dict[str, Any] = {
    **{name: name for name in ("sgd", "rmsprop", "adam", "adagrad", "adadelta", "adamax", "nadam", "ftrl")},
    "momentum": lambda _: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "decay": lambda _: keras.optimizers.Adam(0.01, decay=0.1),
    "clipnorm": lambda _: keras.optimizers.SGD(0.1, clipnorm=0.1),
    "clipvalue": lambda _: keras.optimizers.Adam(0.01, clipvalue=0.01),
    "schedule": lambda _: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.5, 2, 0.5)),
    "torch": lambda model: torch.optim.AdamW(model.parameters(), lr=0.01),
}


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["mlp", "penalties"])
def test_every_optimizer(name: str, optimizer: str) -> None:
    same(name, {"optimizer": OPTIMIZERS[optimizer]})


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "rmsprop", "adam"])
def test_rows_of_embeddings(optimizer: str) -> None:
    same("words", {"optimizer": optimizer})


@pytest.mark.usefixtures("uncompiled")
def test_weights_validation_and_callbacks() -> None:
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 / (epoch + 1))
    seen: list[float] = []
    watch = keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    options = {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}, "validation_split": 0.25, "callbacks": [schedule, watch]}
    same("mlp", None, **options)
    half = len(seen) // 2
    np.testing.assert_allclose(seen[:half], seen[half:], rtol=1e-4)
    same("mlp", {"weighted_metrics": ["mae"]}, sample_weight=RNG.random(52).astype("float32"))


@pytest.mark.usefixtures("uncompiled")
def test_weights_written_between_fits_count() -> None:
    model, other = make("mlp", True), make("mlp", False)
    for each in (model, other):
        trained(each, "mlp")
        each.set_weights([w * 0.5 for w in each.get_weights()])
        each.optimizer.lr = 0.05
        trained(each, "mlp")
    assert len(graphs(model)) == 1
    np.testing.assert_allclose(model.get_weights()[0], other.get_weights()[0], rtol=1e-3, atol=1e-5)


@pytest.mark.usefixtures("uncompiled")
def test_parameters_that_move_get_a_new_graph() -> None:
    model = make("mlp", True)
    trained(model, "mlp")
    (first,) = graphs(model)
    model.to(torch.float64)
    trained(model, "mlp")
    assert graphs(model) != [first]
    assert next(model.parameters()).dtype == torch.float64


@pytest.mark.usefixtures("uncompiled")
def test_a_short_last_batch_runs_eagerly_and_equal_ones_become_a_graph() -> None:
    model = make("mlp", True)
    trained(model, "mlp", batch_size=10, epochs=40)
    assert len(graphs(model)) == 1
    trained(model, "mlp", batch_size=26, epochs=12)
    assert len(graphs(model)) == 1
    trained(model, "mlp", batch_size=26, epochs=60)
    assert len(graphs(model)) == 2


@pytest.mark.usefixtures("uncompiled")
def test_copies_make_their_own_graphs() -> None:
    model = make("mlp", True)
    trained(model, "mlp")
    twin = copy.deepcopy(model)
    before = model.get_weights()
    trained(twin, "mlp")
    assert all(graphs(twin))
    for got, want in zip(model.get_weights(), before):
        np.testing.assert_array_equal(got, want)


def test_eagerly_and_compiled_exclude_each_other_and_either_can_be_chosen_later() -> None:
    with pytest.raises(ValueError, match="one excludes the other"):
        make("mlp", True, run_eagerly=True)
    model = make("mlp", True)
    assert model.jit_compile
    model.jit_compile = False
    trained(model, "mlp", epochs=1)
    assert model._steps["train"].compiled is None


# --- what runs eagerly, and says so --------------------------------------------------------------------------------


class Reads(L.Layer):
    """A layer that decides by a value."""

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs * 2 if float(inputs.detach().sum()) > 0 else inputs


class Draws(L.Layer):
    """A layer that draws from numpy."""

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs + float(np.random.normal())


class Keeps(L.Layer):
    """A layer that puts new tensors into its attributes."""

    def build(self, input_shape: Any) -> None:
        self.register_buffer("seen", torch.zeros(()))

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        self.seen = self.seen + 1
        return inputs * 2


class Counts(L.Layer):
    """A layer with a variable that a callback changes, and one that it changes itself, in place."""

    def build(self, input_shape: Any) -> None:
        self.runs = 0
        self.strength = keras.backend.variable(0.0)
        self.register_buffer("seen", torch.zeros(()))

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        self.seen.add_(1)
        return inputs * self.strength


class Breaks(L.Layer):
    """A layer with a bug."""

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs + self.never_assigned


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "reads": (lambda: Reads(name="reads"), "'reads' could not be compiled (DataDependentOutputException"),
    "draws": (lambda: Draws(name="draws"), "draws from numpy.random"),
    "keeps": (lambda: Keeps(name="keeps"), "'keeps': it puts a new tensor into its attribute 'seen' at each step"),
    "seeded": (lambda: L.Dropout(0.5, seed=3, name="drops"), "Dropout 'drops': it draws from a generator of its own"),
}


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("name", REFUSED)
def test_one_line_names_the_layer_and_training_goes_on(name: str) -> None:
    layer, text = REFUSED[name]
    losses = []
    for jit_compile in (True, False):
        np.random.seed(3)
        model = keras.Sequential([L.Dense(4, input_dim=6), layer(), L.Dense(3)])
        model.compile("sgd", "mse", jit_compile=jit_compile)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            losses.append(model.fit(X, ONE_HOT, epochs=2, verbose=0).history["loss"])
            model.fit(X, ONE_HOT, verbose=0)
        messages = [str(w.message) for w in said]
        assert len(messages) == int(jit_compile)
        assert all(m.startswith("compile(jit_compile=True): ") and text in m and "\n" not in m for m in messages)
        assert all(w.filename == __file__ for w in said)
    if name != "draws":
        assert losses[0] == losses[1]


@pytest.mark.usefixtures("uncompiled")
def test_variables_count_as_they_are_and_capturing_leaves_no_trace() -> None:
    layer = Counts()
    model = keras.Sequential([L.Dense(4, input_dim=6), layer, L.Dense(3)])
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=True)
    layer.runs = 0  # finding the shapes ran it
    layer.seen.zero_()
    set_strength = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: keras.backend.set_value(layer.strength, float(epoch))
    )
    losses = model.fit(X, ONE_HOT, batch_size=26, epochs=3, verbose=0, callbacks=[set_strength]).history["loss"]
    assert all(graphs(model))
    assert layer.runs == 0
    assert float(layer.seen) == 6
    for epoch, loss in enumerate(losses):
        keras.backend.set_value(layer.strength, float(epoch))
        np.testing.assert_allclose(loss, model.evaluate(X, ONE_HOT, verbose=0), rtol=1e-5)


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.filterwarnings("ignore:compile")
def test_an_error_of_the_user_is_raised_as_it_is() -> None:
    model = keras.Sequential([L.Dense(4), Breaks()])
    model.compile("sgd", "mse", jit_compile=True)
    with pytest.raises(AttributeError, match="never_assigned"):
        model.fit(X, X[:, :4], verbose=0)


@pytest.mark.usefixtures("uncompiled")
def test_hooks_run_at_every_step() -> None:
    model, seen = make("mlp", True), []
    trained(model, "mlp")
    handle = model.layers[0].register_forward_hook(lambda *_: seen.append(1))
    with pytest.warns(UserWarning, match="hooks see eager steps only"):
        trained(model, "mlp")
    assert len(seen) == 3 * 4
    handle.remove()
    trained(model, "mlp")
    assert len(seen) == 3 * 4


def test_without_a_compiler_one_line_and_eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "has_compiler", lambda: False)
    model = make("mlp", True)
    with pytest.warns(UserWarning, match=r"no C\+\+ compiler was found.*apt install g\+\+") as said:
        history = trained(model, "mlp")
    assert len(said) == 1
    assert history == trained(make("mlp", False), "mlp")


def test_a_compiler_that_fails_is_one_line_and_eager(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("C++ compile error\nand a page of text")

    monkeypatch.setattr(compiled, "compile_graph", fails)
    model = make("mlp", True)
    with pytest.warns(UserWarning, match=r"the step could not be compiled \(RuntimeError: C\+\+ compile error\); the"):
        trained(model, "mlp")


@pytest.mark.parametrize("outside", [-1, 9000])
def test_an_index_that_no_embedding_has_raises_and_ends_nothing(outside: int) -> None:
    model = make("words", True)
    trained(model, "words", epochs=1)
    wrong = np.concatenate([WORDS] * 200)
    wrong[7, 3] = outside
    with pytest.raises(ValueError, match=rf"index {outside} is out of range for input_dim=9000"):
        model.fit(wrong, np.concatenate([ONE_HOT] * 200), batch_size=52 * 200, verbose=0)
