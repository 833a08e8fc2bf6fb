"""Recorded steps equal eager ones, whatever happens between them; CUDA's graphs do so on a device (marked gpu)."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L
from torchkeras_compat import optimizers
from torchkeras_compat._core.graph_capture import capturing, tracing
from torchkeras_compat.training.executors.cuda_graph import MOST_GRAPHS, GraphStep, record_by_stream

RNG = np.random.RandomState(7)
X, Y = RNG.rand(70, 6).astype("float32"), np.eye(3, dtype="float32")[RNG.randint(0, 3, 70)]
WEIGHTS = RNG.rand(70).astype("float32")
WORDS = RNG.randint(0, 9, (64, 5))
SEQUENCES = RNG.rand(64, 4, 3).astype("float32")
TOLERANCE = {"rtol": 2e-5, "atol": 1e-6}  # float32, sums in another order
# Adam divides a gradient by its own root mean square: where both are nearly 0, the last bit decides.
OF_ADAM = {"rtol": 2e-5, "atol": 2e-5}


def perceptron(optimizer: Any = None, **last: Any) -> Any:
    model = keras.Sequential(
        [
            L.Dense(8, activation="relu", input_dim=6),
            L.Dropout(0.3),
            L.BatchNormalization(),
            L.Dense(3, activation="softmax", **last),
        ]
    )
    optimizer = optimizers.Adam(0.01) if optimizer is None else optimizer
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "mae"], jit_compile=WAY[0])
    return model


WAY: list[bool | None] = [False]  # what `compile` is told; the fixture `both` sets it


def batches(model: Any, **more: Any) -> Any:
    """Train for seven epochs of eight batches, the last of which is short."""
    return model.fit(X, Y, batch_size=9, epochs=7, verbose=0, **more)


def dropout_and_normalization() -> Any:
    return batches(model := perceptron()), model


def class_and_sample_weights() -> Any:
    model = perceptron()
    return batches(model, class_weight={0: 1.0, 1: 3.0, 2: 0.5}, sample_weight=WEIGHTS), model


def schedule_of_the_step() -> Any:
    decay = optimizers.schedules.ExponentialDecay(0.1, 7, 0.8)
    return batches(model := perceptron(optimizers.SGD(decay, momentum=0.9))), model


def rate_that_a_callback_sets_each_batch() -> Any:
    model = perceptron()
    wave = keras.callbacks.LambdaCallback(
        on_batch_begin=lambda batch, logs: K.set_value(model.optimizer.lr, 0.02 / (1 + batch % 3))
    )
    return batches(model, callbacks=[wave]), model


def rate_that_a_callback_sets_each_epoch() -> Any:
    model = perceptron(optimizers.RMSprop(0.01))
    return batches(model, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 / (epoch + 1))]), model


def clipping_and_constraints() -> Any:
    limit = keras.constraints.MaxNorm(0.7)
    model = perceptron(optimizers.SGD(0.5, clipnorm=0.3), kernel_constraint=limit, kernel_regularizer="l2")
    return batches(model), model


def training_that_stops() -> Any:
    model = perceptron()

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self.params["epochs"] and batch == 5:
                self.model.stop_training = True

    batches(model, callbacks=[Stop()])
    return batches(model), model


def weights_that_are_set_in_between() -> Any:
    model = perceptron()
    start = model.get_weights()
    batches(model)
    model.set_weights([value * 0.5 for value in start])
    halve = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: model.layers[0].set_weights([v / 2 for v in model.layers[0].get_weights()])
    )
    return batches(model, callbacks=[halve]), model


def layers_that_are_frozen() -> Any:
    model = perceptron(optimizers.SGD(0.1))
    batches(model)
    model.layers[0].trainable = False
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"], jit_compile=WAY[0])
    return batches(model), model


def two_models_with_one_optimizer() -> Any:
    optimizer = optimizers.Adam(0.01)
    first, second = perceptron(optimizer), perceptron(optimizer)
    for _ in range(3):
        batches(first)
        history = batches(second)
    return history, first


def training_and_evaluation_in_turn() -> Any:
    model = perceptron()
    for at in range(0, 60, 10):
        model.train_on_batch(X[at : at + 10], Y[at : at + 10])
        model.evaluate(X, Y, verbose=0)
        model.predict(X, verbose=0)
    return batches(model, validation_data=(X[:20], Y[:20])), model


def several_inputs_and_outputs() -> Any:
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    h = L.concatenate([L.Dense(4, activation="tanh")(a), L.Dropout(0.2)(b)])
    outputs = [L.Dense(3, activation="softmax", name="kind")(h), L.Dense(1, name="size")(h)]
    model = keras.Model([a, b], outputs)
    model.compile(
        "adam",
        {"kind": "categorical_crossentropy", "size": "mse"},
        loss_weights={"kind": 1.0, "size": 0.3},
        metrics={"kind": ["accuracy"], "size": ["mae"]},
        jit_compile=WAY[0],
    )
    targets = {"kind": Y, "size": X.sum(1)}
    return model.fit([X, X[::-1].copy()], targets, batch_size=16, epochs=10, verbose=0), model


def masks_of_any_pattern() -> Any:
    model = keras.Sequential(
        [L.Embedding(9, 4, mask_zero=True, input_length=5), L.LSTM(5, return_sequences=True), L.GRU(3), L.Dense(1)]
    )
    model.compile(optimizers.Adam(0.01), "mse", metrics=["mae"], jit_compile=WAY[0])
    return model.fit(WORDS, WORDS.sum(1), batch_size=8, epochs=8, verbose=0), model


def large_table_stepped_by_rows() -> Any:
    model = keras.Sequential([L.Embedding(20_000, 8, input_length=5), L.Flatten(), L.Dense(1)])
    model.compile(optimizers.SGD(0.01), "mse", jit_compile=WAY[0])
    return model.fit(WORDS * 1000, WORDS.sum(1), batch_size=8, epochs=7, verbose=0), model


def states_from_batch_to_batch() -> Any:
    model = keras.Sequential([L.LSTM(6, stateful=True, batch_input_shape=(8, 4, 3)), L.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mse", jit_compile=WAY[0])
    for _ in range(7):
        history = model.fit(SEQUENCES, SEQUENCES[:, 0, 0], batch_size=8, shuffle=False, verbose=0)
        model.reset_states()
    return history, model


def penalties_of_outputs_and_losses_of_layers() -> Any:
    class Adds(L.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(0.1 * K.mean(K.square(inputs)))
            return inputs

    model = keras.Sequential([L.Dense(5, input_dim=6, activity_regularizer="l2"), Adds(), L.Dense(3)])
    model.compile(optimizers.SGD(0.05), "mse", metrics=["mae"], jit_compile=WAY[0])
    return batches(model), model


def metrics_that_keep_states_of_their_own() -> Any:
    def spread(y_true: Any, y_pred: Any) -> Any:
        return K.max(y_pred) - K.min(y_pred)

    model = perceptron()
    metrics = [keras.metrics.AUC(name="auc"), keras.metrics.Precision(name="precision"), spread]
    model.compile(optimizers.Adam(0.01), "categorical_crossentropy", metrics=metrics, jit_compile=WAY[0])
    return batches(model), model


def loss_of_a_user() -> Any:
    def loss(y_true: Any, y_pred: Any) -> Any:
        y_pred += K.epsilon()
        return K.mean(K.square(y_true - y_pred), axis=-1)

    model = perceptron()
    model.compile(optimizers.Adam(0.01), loss, metrics=["mae"], jit_compile=WAY[0])
    return batches(model), model


def optimizer_of_torch() -> Any:
    model = perceptron()
    model.compile(
        torch.optim.AdamW(model.parameters(), lr=0.01), "categorical_crossentropy", ["accuracy"], jit_compile=WAY[0]
    )
    return batches(model), model


def rate_of_a_layer_that_a_callback_sets() -> Any:
    model = perceptron(optimizers.SGD(0.1))

    def set_rate(epoch: int, logs: Any) -> None:
        model.layers[1].rate = 0.1 * epoch

    return batches(model, callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=set_rate)]), model


def rate_that_is_a_variable() -> Any:
    class Scales(L.Layer):
        def build(self, input_shape: Any) -> None:
            self.factor = K.variable(1.0)

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    layer = Scales()
    model = keras.Sequential([L.Dense(5, input_dim=6), layer, L.Dense(3)])
    model.compile(optimizers.SGD(0.05), "mse", metrics=["mae"], jit_compile=WAY[0])
    grow = keras.callbacks.LambdaCallback(
        on_batch_begin=lambda batch, logs: K.set_value(layer.factor, 1.0 + 0.1 * batch)
    )
    return batches(model, callbacks=[grow]), model


SCENARIOS: list[Callable[[], Any]] = [
    dropout_and_normalization,
    class_and_sample_weights,
    schedule_of_the_step,
    rate_that_a_callback_sets_each_batch,
    rate_that_a_callback_sets_each_epoch,
    clipping_and_constraints,
    training_that_stops,
    weights_that_are_set_in_between,
    layers_that_are_frozen,
    two_models_with_one_optimizer,
    training_and_evaluation_in_turn,
    several_inputs_and_outputs,
    masks_of_any_pattern,
    large_table_stepped_by_rows,
    states_from_batch_to_batch,
    penalties_of_outputs_and_losses_of_layers,
    metrics_that_keep_states_of_their_own,
    loss_of_a_user,
    optimizer_of_torch,
    rate_of_a_layer_that_a_callback_sets,
    rate_that_is_a_variable,
]


def executor_of(model: Any) -> GraphStep:
    executor = model._steps["train"].compiled
    assert isinstance(executor, GraphStep)
    return executor


def graphs(model: Any) -> list[Any]:
    return [graph for graph in executor_of(model)._graphs.values() if graph is not None]


def same_in_both_ways(scenario: Callable[[], Any], way: bool | None) -> None:
    results = []
    for told in (False, way):
        WAY[0] = told
        keras.utils.set_random_seed(11)
        results.append(scenario())
    (eager, before), (recorded, after) = results
    assert graphs(after)
    assert list(eager.history) == list(recorded.history)
    for name, values in eager.history.items():
        np.testing.assert_allclose(recorded.history[name], values, **TOLERANCE, err_msg=name)
    for ours, theirs in zip(after.get_weights(), before.get_weights()):
        adam = isinstance(after.optimizer, (optimizers.Adam, optimizers.RMSprop, torch.optim.AdamW))
        np.testing.assert_allclose(ours, theirs, **(OF_ADAM if adam else TOLERANCE))


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_recorded_steps_equal_eager_ones(scenario: Callable[[], Any]) -> None:
    same_in_both_ways(scenario, True)


@pytest.mark.usefixtures("rerun")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_what_a_stream_records_equals_eager_steps(scenario: Callable[[], Any]) -> None:
    same_in_both_ways(scenario, True)


@pytest.mark.gpu
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_cuda_graphs_equal_eager_steps(scenario: Callable[[], Any]) -> None:
    keras.set_device("cuda")
    same_in_both_ways(scenario, None)


# --- when a graph is made ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("replayed")
def test_each_shape_gets_a_graph_when_it_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    WAY[0] = True
    model = perceptron()
    model.train_on_batch(X[:9], Y[:9])
    assert not graphs(model)
    model.train_on_batch(X[:9], Y[:9])
    assert len(graphs(model)) == 1
    batches(model)
    assert len(graphs(model)) == 2  # the short last batch of each epoch has one, too


@pytest.mark.usefixtures("replayed")
def test_further_shapes_run_eagerly() -> None:
    WAY[0] = True
    model = perceptron()
    for _ in range(2):
        for rows in range(1, MOST_GRAPHS + 4):
            model.train_on_batch(X[:rows], Y[:rows])
    assert len(graphs(model)) == MOST_GRAPHS
    assert np.isfinite(model.train_on_batch(X[:60], Y[:60])).all()


@pytest.mark.usefixtures("replayed")
def test_recording_leaves_nothing_behind() -> None:
    WAY[0] = True
    model = perceptron()
    model.train_on_batch(X[:9], Y[:9])
    step, seed = model._steps["train"], torch.get_rng_state()
    weights, slots = model.get_weights(), model.optimizer.get_weights()
    logs = step.averages.results()
    executor = executor_of(model)
    batch = model._feeder.one_batch("train_on_batch", X[:9], Y[:9])
    with keras._core.settings.running(True):
        assert executor._make(batch, step.update.scalars()).recording is not None
    assert torch.equal(torch.get_rng_state(), seed)
    assert step.averages.results() == logs
    for now, then in zip([*model.get_weights(), *model.optimizer.get_weights()], [*weights, *slots]):
        np.testing.assert_array_equal(now, then)


@pytest.mark.usefixtures("replayed")
def test_numbers_travel_only_when_they_change() -> None:
    WAY[0] = True
    model = perceptron(optimizers.SGD(0.1, momentum=0.9))
    batches(model)
    numbers = executor_of(model).numbers
    assert numbers is not None
    assert numbers.writes <= 9  # tables of 1, 2, 4, … rows: 56 steps
    before = numbers.writes
    K.set_value(model.optimizer.lr, 0.01)
    batches(model)
    assert numbers.writes <= before + 8


@pytest.mark.usefixtures("replayed")
def test_a_copy_of_the_model_makes_graphs_of_its_own() -> None:
    import copy

    WAY[0] = True
    model = perceptron()
    batches(model)
    other = copy.deepcopy(model)
    before = [value.copy() for value in model.get_weights()]
    batches(other)
    for now, then in zip(model.get_weights(), before):
        np.testing.assert_array_equal(now, then)


@pytest.mark.usefixtures("replayed")
def test_graphs_go_with_their_model() -> None:
    WAY[0] = True
    model = perceptron()
    batches(model)
    held = [weakref.ref(graph) for graph in graphs(model)]
    assert len(held) == 2
    model.compile("sgd", "categorical_crossentropy", jit_compile=True)
    gc.collect()
    assert [graph() for graph in held] == [None, None]
    batches(model)
    held = [weakref.ref(graph) for graph in graphs(model)]
    del model
    gc.collect()
    assert [graph() for graph in held] == [None, None]


# --- what cannot be recorded ---------------------------------------------------------------------------------------


class Reads(L.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * 2 if float(inputs.detach().sum()) > -1e9 else inputs


class Draws(L.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs + float(np.random.rand())


class Counts(L.Layer):
    runs = 0

    def call(self, inputs: Any) -> Any:
        self.runs += 1
        return inputs * (1 + 1 / self.runs)


class Collects(L.Layer):
    def build(self, input_shape: Any) -> None:
        self.seen: list[Any] = []

    def call(self, inputs: Any) -> Any:
        self.seen.append(len(self.seen))
        return inputs * len(self.seen)


class Keeps(L.Layer):
    def call(self, inputs: Any) -> Any:
        self.last = inputs.detach()
        return inputs


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "reads": (lambda: Reads(name="reads"), "'reads' could not be recorded"),
    "draws": (lambda: Draws(name="draws"), "draws from numpy.random"),
    "counts": (lambda: Counts(name="counts"), "'counts': it puts something else into its attribute 'runs'"),
    "collects": (lambda: Collects(name="collects"), "'collects': it puts something else into its attribute 'seen'"),
    "keeps": (lambda: Keeps(name="keeps"), "'keeps': it puts a new tensor into its attribute 'last'"),
    "seeded": (lambda: L.Dropout(0.5, seed=3, name="drops"), "'drops': it draws from a generator of its own"),
}


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize("name", REFUSED)
def test_one_line_says_what_cannot_be_recorded_and_training_goes_on(name: str) -> None:
    layer, text = REFUSED[name]
    losses = []
    for told in (False, True):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([L.Dense(4, input_dim=6), layer(), L.Dense(3)])
        model.compile("sgd", "mse", jit_compile=told)
        if told:
            with pytest.warns(UserWarning, match=text) as said:
                losses.append(batches(model).history["loss"])
            assert len(said) == 1
            assert str(said[0].message).startswith("steps cannot run as CUDA graphs: ")
        else:
            losses.append(batches(model).history["loss"])
    np.testing.assert_array_equal(*losses)


@pytest.mark.usefixtures("replayed")
def test_hooks_see_every_step() -> None:
    WAY[0] = True
    model, seen = perceptron(), []
    batches(model)
    handle = model.layers[0].register_forward_hook(lambda *_: seen.append(1))
    with pytest.warns(UserWarning, match="hooks see eager steps only"):
        batches(model)
    assert len(seen) == 56
    handle.remove()
    batches(model)
    assert len(seen) == 56


# --- reads of the device -------------------------------------------------------------------------------------------

READS = ("item", "tolist", "numpy", "__float__", "__int__", "__bool__", "cpu")
ON_THE_HOST = 2  # the lowest and the highest of the targets, which are looked at before they go to the device


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the reads of tensors that training makes of its sums, weights and batches."""
    seen: list[str] = []
    for name in READS:
        method = getattr(torch.Tensor, name)

        def read(self: Any, *args: Any, _method: Any = method, _name: str = name, **kwargs: Any) -> Any:
            seen.append(_name)
            return _method(self, *args, **kwargs)

        monkeypatch.setattr(torch.Tensor, name, read)
    return seen


@pytest.mark.usefixtures("replayed")
def test_the_device_is_read_once_an_epoch_and_once_a_tick(
    reads: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from torchkeras_compat._core import progress

    WAY[0] = True
    model = perceptron()
    batches(model)
    reads.clear()
    batches(model, callbacks=[keras.callbacks.History(), keras.callbacks.Callback()])
    assert len(reads) == ON_THE_HOST + 7  # epochs
    ticks: list[int] = []
    monkeypatch.setattr(progress, "redrawable", lambda file: True)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    draw = progress._LiveLine.draw
    monkeypatch.setattr(progress._LiveLine, "draw", lambda *args: (ticks.append(1), draw(*args))[1])
    reads.clear()
    model.fit(X, Y, batch_size=9, epochs=2, verbose=1)
    assert len(ticks) == 16
    assert len(reads) == ON_THE_HOST + len(ticks) + 2


# --- what is asked of CUDA -----------------------------------------------------------------------------------------


class Device:
    """Stands in for what recording asks of `torch.cuda`, and notes it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: bool = False) -> None:
        self.asked: list[Any] = []
        self.fails = fails
        self.stream: Any = "default"
        for name in ("current_device", "current_stream", "set_stream", "synchronize", "CUDAGraph", "graph"):
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))
        monkeypatch.setattr(torch.cuda, "default_generators", (self,))

    def current_device(self) -> int:
        return 0

    def current_stream(self) -> Any:
        return self.stream

    def set_stream(self, stream: Any) -> None:
        self.stream = stream

    def synchronize(self) -> None:
        self.asked.append("synchronize")

    def clone_state(self) -> str:
        return "state"

    def graphsafe_set_state(self, state: str) -> None:
        self.asked.append(("set", state))

    def CUDAGraph(self) -> Any:
        return self

    def replay(self) -> None:
        self.asked.append("replay")

    def pool(self) -> str:
        return "pool"

    def graph(self, graph: Any, pool: Any, capture_error_mode: str) -> Any:
        self.asked.append(("graph", pool, capture_error_mode))
        return self

    def __enter__(self) -> None:
        self.stream = "recording"

    def __exit__(self, *error: object) -> None:
        if self.fails:  # torch leaves its stream then
            raise RuntimeError("operation failed due to a previous error during capture")
        self.stream = "default"


def test_a_stream_records_without_the_garbage_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device(monkeypatch)
    result, seen = torch.ones(2), []

    def function() -> list[torch.Tensor]:
        seen.append((gc.isenabled(), capturing(), tracing(), device.stream))
        return [result]

    replay, results, pool = record_by_stream(function, "earlier")
    assert seen == [(False, True, False, "recording")]
    assert gc.isenabled()
    assert results == [result]
    assert pool == "pool"
    replay()
    assert device.asked == ["synchronize", ("graph", "earlier", "thread_local"), "replay"]


def test_a_recording_that_fails_leaves_the_device_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device(monkeypatch, fails=True)

    def function() -> list[torch.Tensor]:
        raise ValueError("by the host")

    with pytest.raises(RuntimeError, match="previous error during capture"):
        record_by_stream(function, None)
    assert device.stream == "default"
    assert device.asked[-1] == ("set", "state")
    assert gc.isenabled()
    assert not capturing()
