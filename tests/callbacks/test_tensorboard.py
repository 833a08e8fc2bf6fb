"""`TensorBoard`, read back by tensorboard's own reader: Keras 2.15's events, the history, and numpy."""

from __future__ import annotations

import functools
import gc
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.graph_pb2 import GraphDef

import torchkeras_compat as tk
from tests.callbacks import tensorboard_cases
from tests.callbacks.tensorboard_cases import read
from torchkeras_compat import layers
from torchkeras_compat.callbacks import BackupAndRestore, Callback, CallbackList, TensorBoard
from torchkeras_compat.callbacks.events import pictures_of, scaled_pixels
from torchkeras_compat.training.averages import Averages

X = np.random.RandomState(1).standard_normal((10, 3)).astype("float32")
Y = X[:, :1] - 2 * X[:, 1:2]


@functools.cache
def measured() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(tensorboard_cases.FILE.read_text(encoding="utf-8"))
    return table


def hold(got: Any, wanted: Any, where: str) -> None:
    """Hold events to each other: numbers to five digits, grey levels to one."""
    assert len(got) == len(wanted), where
    for (step, value), (wanted_step, wanted_value) in zip(got, wanted):
        assert step == wanted_step, where
        if wanted_value is not None:
            tolerance = {"atol": 1} if "image" in where else {"rtol": 2e-5, "atol": 1e-6}
            np.testing.assert_allclose(value, wanted_value, err_msg=where, **tolerance)


@pytest.mark.parametrize("name", tensorboard_cases.CASES)
@pytest.mark.parametrize("dialect", ["tf.keras", "keras-2.15"])
def test_events_of_keras_2_15(name: str, dialect: str) -> None:
    tk.set_dialect(dialect)
    got, wanted = tensorboard_cases.run(tk, name), measured()[name]
    assert {place: sorted(tags) for place, tags in got.items()} == {p: sorted(tags) for p, tags in wanted.items()}
    for place, tags in wanted.items():
        for tag, events in tags.items():
            if tag != tensorboard_cases.GRAPH:
                hold(got[place][tag], events, f"{name}, {place}, {tag}")


def net(**compiled: Any) -> Any:
    model = tk.Sequential([layers.Dense(4, activation="relu", input_dim=3, name="hidden"), layers.Dense(1, name="out")])
    model.compile(**{"optimizer": tk.optimizers.SGD(0.01), "loss": "mse", "metrics": ["mae"], **compiled})
    return model


def fit(model: Any, *callbacks: Any, **arguments: Any) -> Any:
    arguments = {"batch_size": 4, "epochs": 3, "verbose": 0, "shuffle": False, **arguments}
    return model.fit(X, Y, callbacks=list(callbacks), **arguments)


def steps(events: Any) -> list[int]:
    return [step for step, _ in events]


def values(events: Any) -> list[Any]:
    return [value for _, value in events]


def accumulator(folder: Any) -> EventAccumulator:
    board = EventAccumulator(str(folder), {"histograms": 0, "scalars": 0})
    board.Reload()
    return board


# --- scalars ----------------------------------------------------------------------------------------------------------


def test_batches_without_the_speed(tmp_path: Path) -> None:
    tk.set_dialect("keras-2.15")
    model = tensorboard_cases._dense(tk)
    tensorboard_cases._fit(model, TensorBoard(tmp_path, update_freq="batch"), validation_data=tensorboard_cases.CHECK)
    got, wanted = read(str(tmp_path)), measured()["batches"]
    for tag in ("batch_loss", "batch_accuracy", "epoch_loss"):
        hold(got["train"][tag], wanted["train"][tag], tag)
    assert not [tag for tag in got["train"] if "per_second" in tag]


def test_classic_logs_lie_in_the_folder_itself(tmp_path: Path) -> None:
    history = fit(net(), TensorBoard(tmp_path), validation_data=(X, Y)).history
    (place, tags), *others = read(str(tmp_path)).items()
    assert (place, others) == (".", [])
    assert sorted(tags) == sorted([*history, tensorboard_cases.GRAPH])
    for name, numbers in history.items():
        assert steps(tags[name]) == [0, 1, 2]
        np.testing.assert_allclose(values(tags[name]), numbers, rtol=1e-5)


def test_classic_batches_count_samples(tmp_path: Path) -> None:
    seen: list[float] = []

    class Losses(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(logs["loss"])

    board = TensorBoard(tmp_path, update_freq=5, write_graph=False)
    history = fit(net(), board, Losses(), epochs=2).history["loss"]
    # Batches of 4, 4 and 2: 8 samples are due, 14 are 6 later, and 20 again; an epoch is written where it ends.
    loss = read(str(tmp_path))["."]["loss"]
    assert steps(loss) == [8, 10, 14, 20, 20]
    np.testing.assert_allclose(values(loss), [seen[1], history[0], seen[3], seen[5], history[1]], rtol=1e-5)
    fit(net(), board, epochs=1)
    assert steps(read(str(tmp_path))["."]["loss"]) == [8, 10, 14, 20, 20, 28, 30]


def test_values_of_the_device_are_asked_for_where_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("results", "last_batch"):
        kept = getattr(Averages, name)
        monkeypatch.setattr(Averages, name, lambda self, kept=kept, name=name: (asked.append(name), kept(self))[1])
    for dialect, name, board in (
        ("keras-2.3", "last_batch", {"update_freq": 16}),
        ("keras-2.15", "results", {"update_freq": 4}),
        ("keras-2.15", "results", {"profile_batch": 99}),
    ):
        tk.set_dialect(dialect)
        model = net()
        fit(model, epochs=1)
        asked.clear()
        fit(model)
        alone = asked.count(name)
        asked.clear()
        fit(model, TensorBoard(tmp_path / dialect, **board))
        due = 0 if "profile_batch" in board else {"keras-2.3": 1, "keras-2.15": 2}[dialect]
        assert asked.count(name) == alone + due


def test_epochs_alone_need_no_hooks_of_batches(tmp_path: Path) -> None:
    assert not CallbackList([TensorBoard(tmp_path)]).wants_batches("train")
    assert CallbackList([TensorBoard(tmp_path, update_freq=3)]).wants_batches("train")
    assert CallbackList([TensorBoard(tmp_path, profile_batch=3)]).wants_batches("train")
    assert not CallbackList([TensorBoard(tmp_path, update_freq=3)]).wants_batches("test")


@pytest.mark.parametrize("hook", ["on_batch_end", "on_train_batch_end"])
@pytest.mark.parametrize("update_freq", ["epoch", 100])
def test_hooks_of_a_subclass_are_called_and_see_values(tmp_path: Path, hook: str, update_freq: Any) -> None:
    seen = []

    def keep(self: Any, batch: int, logs: Any = None) -> None:
        seen.append(logs["loss"])
        getattr(TensorBoard, hook)(self, batch, logs)

    fit(net(), type("Board", (TensorBoard,), {hook: keep})(tmp_path, update_freq=update_freq))
    assert len(seen) == 9
    assert all(np.isfinite(seen))


def test_several_fits_and_files_that_are_there(tmp_path: Path) -> None:
    model = net()
    first = fit(model, TensorBoard(tmp_path)).history["loss"]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    board = TensorBoard(tmp_path)
    second = fit(model, board, initial_epoch=3, epochs=5).history["loss"]
    third = fit(model, board, initial_epoch=5, epochs=6).history["loss"]
    assert {path: path.read_bytes() for path in before} == before
    loss = read(str(tmp_path))["."]["loss"]
    assert steps(loss) == list(range(6))
    np.testing.assert_allclose(values(loss), [*first, *second, *third], rtol=1e-5)


def test_a_value_that_is_no_number_is_left_out(tmp_path: Path) -> None:
    class Confusion(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["confusion"], logs["note"], logs["many"] = np.eye(2), "fine", torch.ones(2)
            logs["one"], logs["tensor"] = np.ones((1, 1)), torch.tensor([2.0], requires_grad=True)
            logs["rate"] = self.model.optimizer.lr

    with pytest.warns(UserWarning, match="is not one number; it is left out") as warned:
        fit(net(), Confusion(), TensorBoard(tmp_path))
    assert [warning.filename for warning in warned] == [__file__] * 3
    tags = read(str(tmp_path))["."]
    assert not {"confusion", "note", "many"} & set(tags)
    assert [values(tags[name]) for name in ("one", "tensor", "rate")] == [[1] * 3, [2] * 3, [0.01] * 3]


def test_a_torch_optimizer(tmp_path: Path) -> None:
    tk.set_dialect("keras-2.15")
    model = net()
    model.compile(torch.optim.SGD(model.parameters(), 0.01), "mse")
    fit(model, TensorBoard(tmp_path, write_steps_per_second=True), validation_data=(X, Y))
    tags = read(str(tmp_path))
    assert steps(tags["train"]["epoch_loss"]) == steps(tags["validation"]["epoch_loss"]) == [0, 1, 2]
    assert all(speed > 0 for speed in values(tags["train"]["epoch_steps_per_second"]))


@pytest.mark.parametrize("save_freq", ["epoch", 2])
@pytest.mark.parametrize("dialect", ["keras-2.3", "keras-2.15"])
def test_a_training_that_resumes_writes_what_one_writes_that_was_never_cut(
    tmp_path: Path, dialect: str, save_freq: Any
) -> None:
    tk.set_dialect(dialect)

    class Cut(Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch

        def on_batch_begin(self, batch: int, logs: Any = None) -> None:
            if (self.epoch, batch) == (2, 2):
                raise RuntimeError("cut")

    def train(folder: Path, *others: Any) -> None:
        model = net()
        model.set_weights([np.full(w.shape, 0.1, "float32") for w in model.get_weights()])
        fit(model, TensorBoard(folder / "logs", update_freq=3), *others, epochs=4)  # three batches each

    def scalars(folder: Path) -> Any:
        return {tag: events for tags in read(str(folder / "logs")).values() for tag, events in tags.items()}

    train(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="cut"):
        train(tmp_path / "cut", BackupAndRestore(tmp_path / "backup", save_freq), Cut())
    begun = scalars(tmp_path / "cut")
    train(tmp_path / "cut", BackupAndRestore(tmp_path / "backup", save_freq))
    resumed, whole = scalars(tmp_path / "cut"), scalars(tmp_path / "whole")
    assert resumed.keys() == begun.keys() == whole.keys()
    for tag, events in whole.items():
        assert begun[tag]  # on the disk, though nobody closed the file
        # What was written between the backup and the cut is there twice, the same.
        assert {tuple(event) for event in resumed[tag]} == {tuple(event) for event in events}


def test_no_thread_is_left(tmp_path: Path) -> None:
    class Break(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise RuntimeError("broken")

    before = set(threading.enumerate())
    model = net()
    fit(model, TensorBoard(tmp_path))
    model.evaluate(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path)])
    assert set(threading.enumerate()) == before
    with pytest.raises(RuntimeError, match="broken"):
        fit(model, TensorBoard(tmp_path), Break())
    del model
    gc.collect()
    assert set(threading.enumerate()) == before


# --- weights ----------------------------------------------------------------------------------------------------------


def counted(histogram: Any, numbers: Any) -> None:
    """Hold the buckets of a histogram to numpy's count."""
    numbers = np.asarray(numbers, "float64").ravel()
    edges = [-np.inf, *histogram.bucket_limit[:-1], np.inf]
    np.testing.assert_array_equal(histogram.bucket, np.histogram(numbers, edges)[0])
    kept = (histogram.num, histogram.min, histogram.max, histogram.sum, histogram.sum_squares)
    np.testing.assert_allclose(
        kept, (numbers.size, numbers.min(), numbers.max(), numbers.sum(), (numbers**2).sum()), rtol=1e-5, atol=1e-6
    )


def test_classic_histograms_of_weights_outputs_and_gradients(tmp_path: Path) -> None:
    model = net(optimizer=tk.optimizers.SGD(0.0))
    w1, b1, w2, b2 = model.get_weights()
    board = TensorBoard(tmp_path, histogram_freq=2, batch_size=6, write_grads=True)
    fit(model, board, validation_data=(X, Y))
    events = accumulator(tmp_path)
    assert set(events.Tags()["histograms"]) == {
        f"{name}{end}"
        for name in ("hidden/kernel_0", "hidden/bias_0", "out/kernel_0", "out/bias_0")
        for end in ("", "_grad")
    } | {"hidden_out", "out_out"}
    for tag, weight in (("hidden/kernel_0", w1), ("hidden/bias_0", b1), ("out/kernel_0", w2), ("out/bias_0", b2)):
        assert [event.step for event in events.Histograms(tag)] == [0, 2]
        for event in events.Histograms(tag):
            counted(event.histogram_value, weight)
    for i, part in enumerate((slice(0, 6), slice(6, 10))):  # the validation data, batch by batch
        hidden = np.maximum(X[part] @ w1 + b1, 0)
        output = hidden @ w2 + b2
        error = 2 * (output - Y[part]) / len(output)  # of the mean squared error, by the output
        behind = (error @ w2.T) * (hidden > 0)
        wanted = {
            "hidden_out": hidden,
            "out_out": output,
            "out/kernel_0_grad": hidden.T @ error,
            "out/bias_0_grad": error.sum(0),
            "hidden/kernel_0_grad": X[part].T @ behind,
            "hidden/bias_0_grad": behind.sum(0),
        }
        for tag, numbers in wanted.items():
            event = events.Histograms(tag)[i]
            assert event.step == 0
            histogram = event.histogram_value
            np.testing.assert_allclose([histogram.min, histogram.max], [numbers.min(), numbers.max()], 1e-4, 1e-6)
            np.testing.assert_allclose([histogram.num, histogram.sum], [numbers.size, numbers.sum()], 1e-4, 1e-5)


def test_gradients_of_a_model_with_several_inputs_outputs_and_dropout(tmp_path: Path) -> None:
    tk.set_dialect("keras-2.15")
    a, b = tk.Input((3,), name="a"), tk.Input((3,), name="b")
    both = layers.concatenate([layers.Dense(2, name="left")(a), layers.Dropout(0.5)(b)])
    model = tk.Model([a, b], [layers.Dense(1, name="p", use_bias=False)(both), layers.Dense(1, name="q")(both)])
    model.compile(tk.optimizers.SGD(0.0), {"p": "mse"})
    left, bias, p, *_ = model.get_weights()
    board = TensorBoard(tmp_path, histogram_freq=1, write_grads=True)
    data = ([X, 2 * X], {"p": Y})
    model.fit(*data, epochs=1, verbose=0, validation_data=data, callbacks=[board])
    events = accumulator(tmp_path / "train")
    joined = np.concatenate([X @ left + bias, 2 * X], 1)
    gradient = joined.T @ (2 * (joined @ p - Y) / len(Y))
    (event,) = events.Histograms("p/kernel_0_grad")
    np.testing.assert_allclose(event.histogram_value.sum, gradient.sum(), rtol=1e-4)
    (event,) = events.Histograms("q/kernel_0_grad")  # which has no loss
    assert (event.histogram_value.min, event.histogram_value.max, event.histogram_value.num) == (0, 0, 5)


def test_outputs_of_branches_shared_layers_and_models_inside(tmp_path: Path) -> None:
    a, b = tk.Input((3,), name="a"), tk.Input((3,), name="b")
    c = tk.Input((3,), name="c")
    two = tk.Model(c, [layers.Dense(1, name="one")(c), layers.Dense(2, name="other")(c)], name="two")
    shared = layers.Dense(3, name="shared")
    one, other = two(shared(a))
    model = tk.Model([a, b], layers.Dense(1, name="out")(layers.concatenate([one, other, shared(b)], name="joined")))
    model.compile(tk.optimizers.SGD(0.0), "mse")
    data = ([X, 2 * X], Y)
    board = TensorBoard(tmp_path, histogram_freq=1, write_grads=True)
    model.fit(*data, epochs=1, verbose=0, validation_data=data, callbacks=[board])
    events = accumulator(tmp_path)
    outputs = {tag for tag in events.Tags()["histograms"] if "_out" in tag}
    assert outputs == {"two_out_0", "two_out_1", "joined_out", "out_out"}
    (event,) = events.Histograms("out_out")
    np.testing.assert_allclose(event.histogram_value.sum, model.predict(data[0], verbose=0).sum(), rtol=1e-4)


def test_what_needs_arrays_to_validate_on(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="what layers give are those on the validation data, which have to be arrays"):
        fit(net(), TensorBoard(tmp_path, histogram_freq=1))
    assert "hidden/kernel_0" in accumulator(tmp_path).Tags()["histograms"]
    with pytest.raises(ValueError, match=r"write_grads=True\): gradients are those on the validation data"):
        fit(net(), TensorBoard(tmp_path, histogram_freq=1, write_grads=True))


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    class Diverge(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            w1, b1, w2, b2 = self.model.get_weights()
            w1[0, 0], w2[:] = np.nan, np.inf
            self.model.set_weights([w1, b1, w2, b2])

    tk.set_dialect("keras-2.15")
    model = net()
    fit(model, Diverge(), TensorBoard(tmp_path, histogram_freq=1, write_images=True), epochs=1)
    events = accumulator(tmp_path / "train")
    (event,) = events.Histograms("hidden/kernel_0/histogram")
    counted(event.histogram_value, model.get_weights()[0].ravel()[1:])
    assert "out/kernel_0/histogram" not in events.Tags()["histograms"]


def test_classic_pictures(tmp_path: Path) -> None:
    # TensorFlow 1: the largest magnitude is 127 levels from the middle, 128; without negative numbers 255 from 0.
    np.testing.assert_array_equal(scaled_pixels(np.float32([-2, -1, 0, 1, np.nan])), [1, 64, 128, 191, 128])
    np.testing.assert_array_equal(scaled_pixels(np.float32([0, 1, 2])), [0, 127, 255])
    np.testing.assert_array_equal(scaled_pixels(np.zeros(2, "float32")), [0, 0])
    for shape in ((2, 2, 3, 4), (0, 3), ()):
        assert pictures_of(np.zeros(shape), colours=False) == []
    model = net(optimizer=tk.optimizers.SGD(0.0))
    fit(model, TensorBoard(tmp_path, histogram_freq=1, write_images=True), epochs=1, validation_data=(X, Y))
    kernel = model.get_weights()[0]
    ((step, (picture,)),) = read(str(tmp_path))["."]["hidden/kernel_0/image"]
    assert step == 0
    np.testing.assert_allclose(picture, 128 + 127 * kernel / np.abs(kernel).max(), atol=1.01)


# --- the graph --------------------------------------------------------------------------------------------------------


def graph(model: Any, folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Return the nodes of the graph that is written: name → kind and inputs."""
    board = TensorBoard(folder)
    board.set_model(model)
    board.on_train_end()
    defined: GraphDef = accumulator(folder).Graph()
    assert {part for node in defined.node for part in node.input} <= {node.name for node in defined.node}
    return {node.name: (node.op, list(node.input)) for node in defined.node}


def test_graph_of_a_chain(tmp_path: Path) -> None:
    model = tk.Sequential(
        [layers.Embedding(5, 2, input_length=4, name="e"), layers.Bidirectional(layers.LSTM(3), name="l")]
    )
    assert graph(model, tmp_path) == {
        "e_input": ("InputLayer", []),
        "e": ("Embedding", ["e_input"]),
        "l": ("Bidirectional", ["e"]),
    }
    shapes = {n.name: n.attr["_output_shapes"].list.shape[0].dim for n in accumulator(tmp_path).Graph().node}
    assert [dim.size for dim in shapes["e"]] == [-1, 4, 2]


def test_graph_of_branches_shared_layers_and_models_inside(tmp_path: Path) -> None:
    a, b = tk.Input((3,), name="a"), tk.Input((3,), name="b")
    c = tk.Input((3,), name="c")
    two = tk.Model(c, [layers.Dense(1, name="one")(c), layers.Dense(2, name="other")(c)], name="two")
    shared = layers.Dense(3, name="shared")
    inner = tk.Sequential([layers.Dense(2, input_dim=3, name="deep"), layers.Dense(2, name="top")], name="inner")
    one, other = two(shared(a))
    joined = layers.concatenate([inner(shared(b)), one, other * 2], name="joined")
    assert graph(tk.Model([a, b], [joined, inner(a)]), tmp_path) == {
        "a": ("InputLayer", []),
        "b": ("InputLayer", []),
        "shared/call_1": ("Dense", ["b"]),
        "shared/call_2": ("Dense", ["a"]),
        "inner/call_1/deep": ("Dense", ["shared/call_1"]),
        "inner/call_1/top": ("Dense", ["inner/call_1/deep"]),
        "two/one": ("Dense", ["shared/call_2"]),
        "two/other": ("Dense", ["shared/call_2"]),
        "mul": ("function", ["two/other"]),
        "joined": ("Concatenate", ["inner/call_1/top", "two/one", "mul"]),
        "inner/call_2/deep": ("Dense", ["a"]),
        "inner/call_2/top": ("Dense", ["inner/call_2/deep"]),
    }


def test_a_model_that_is_python_code_has_no_graph_and_trains(tmp_path: Path) -> None:
    class Own(tk.Model):
        def __init__(self) -> None:
            super().__init__()
            self.out = layers.Dense(1, name="out")

        def call(self, x: Any) -> Any:
            return self.out(x)

    model = Own()
    model.compile("sgd", "mse")
    history = fit(model, TensorBoard(tmp_path, histogram_freq=1), validation_data=(X, Y)).history
    events = accumulator(tmp_path)
    assert not events.Tags()["graph"]
    assert len(events.Tags()["histograms"]) == 2
    np.testing.assert_allclose([event.value for event in events.Scalars("loss")], history["loss"], rtol=1e-5)
    with pytest.raises(ValueError, match="a model whose call is Python code has no symbolic gradients"):
        fit(model, TensorBoard(tmp_path, histogram_freq=1, write_grads=True), validation_data=(X, Y))


# --- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"embeddings_freq": 1}, r"embeddings_freq must be left out: call SummaryWriter\(log_dir\).add_embedding"),
        ({"embeddings_metadata": "names.tsv"}, "embeddings_metadata must be left out"),
        ({"embeddings_layer_names": ["e"]}, "embeddings_layer_names must be left out"),
        ({"embeddings_data": X}, "embeddings_data must be left out"),
        ({"update_freq": "step"}, "update_freq must be"),
        ({"update_freq": 0}, "update_freq must be"),
        ({"histogram_freq": -1}, "histogram_freq must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"profile_batch": (3, 2)}, "profile_batch must be 0, the number of a batch from 1, or a first and a last one"),
        ({"profile_batch": -1}, "profile_batch must be"),
        ({"profile_batch": "two"}, "profile_batch must be"),
        ({"profile_batch": (1, 2, 3)}, "profile_batch must be"),
    ],
)
def test_refusals(tmp_path: Path, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TensorBoard(tmp_path, **arguments)


def test_what_asks_for_no_embeddings_is_fine(tmp_path: Path) -> None:
    TensorBoard(tmp_path, embeddings_freq=0, embeddings_layer_names=[], embeddings_metadata={}, embeddings_data=None)


@pytest.mark.parametrize("argument", ["write_images", "write_grads"])
def test_what_comes_with_histograms(tmp_path: Path, argument: str) -> None:
    with pytest.warns(UserWarning, match="pictures and gradients are written with the histograms; give histogram_freq"):
        TensorBoard(tmp_path, **{argument: True})


def test_orders_of_arguments() -> None:
    names = ("batch_size", "write_graph", "write_grads", "write_images", "write_steps_per_second", "update_freq")

    def made(dialect: str, *arguments: Any) -> tuple[Any, ...]:
        tk.set_dialect(dialect)
        board = TensorBoard(*arguments)
        return tuple(getattr(board, name) for name in names)

    for dialect in ("keras-1", "keras-2.2", "keras-2.3", "tf.keras", "keras-2.15"):
        assert made(dialect, "logs", 1, False, True) == (32, False, False, True, False, "epoch")
        assert made(dialect, "logs", 1, 16, False, True, True) == (16, False, True, True, False, "epoch")
    assert made("keras-2.15", "logs", 1, False, True, True, 7) == (32, False, False, True, True, 7)
    assert made("tf.keras", "logs", 1, False, True, "batch") == (32, False, False, True, False, 1)


def test_profile(tmp_path: Path) -> None:
    for i, profile_batch in enumerate((2, (2, 5), "2,5", "3")):
        folder = tmp_path / str(i)
        fit(net(), TensorBoard(folder, profile_batch=profile_batch))
        (trace,) = folder.rglob("*.pt.trace.json")
        assert any("aten::" in event.get("name", "") for event in json.loads(trace.read_text())["traceEvents"])
    fit(net(), TensorBoard(tmp_path / "none", profile_batch=100_000))
    assert not list((tmp_path / "none").rglob("*.json"))


def test_profile_of_a_training_that_breaks(tmp_path: Path) -> None:
    class Break(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise RuntimeError("broken")

    board = TensorBoard(tmp_path, profile_batch=(2, 50))
    with pytest.raises(RuntimeError, match="broken"):
        fit(net(), board, Break())
    fit(net(), board)  # which begins a trace again
    assert len(list(tmp_path.rglob("*.pt.trace.json"))) == 2


def test_missing_tensorboard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(
        ImportError, match=r"^TensorBoard needs tensorboard: pip install torchkeras_compat\[tensorboard\]$"
    ):
        TensorBoard(tmp_path)


# --- old scripts ------------------------------------------------------------------------------------------------------


def test_a_subclass_that_adds_the_rate(tmp_path: Path) -> None:
    class LRTensorBoard(TensorBoard):
        def __init__(self, log_dir: Any, **kwargs: Any) -> None:
            super().__init__(log_dir=log_dir, **kwargs)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs = logs or {}
            logs.update({"lr": tk.backend.eval(self.model.optimizer.lr)})
            super().on_epoch_end(epoch, logs)

    rate = tk.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    for dialect, place, tag in (("keras-2.3", ".", "lr"), ("keras-2.15", "train", "epoch_lr")):
        tk.set_dialect(dialect)
        fit(net(), rate, LRTensorBoard(str(tmp_path / dialect)))
        hold(read(str(tmp_path / dialect))[place][tag], [[0, 0.1], [1, 0.05], [2, 0.1 / 3]], tag)


def test_a_subclass_that_counts_by_itself(tmp_path: Path) -> None:
    class ModifiedTensorBoard(TensorBoard):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.step = 1
            self.writer = tk.callbacks.events.EventWriter(self.log_dir)

        def set_model(self, model: Any) -> None: ...

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.update_stats(**logs)

        def on_batch_end(self, batch: int, logs: Any = None) -> None: ...

        def on_train_end(self, logs: Any = None) -> None: ...

        def update_stats(self, **stats: Any) -> None:
            self._write_logs(stats, self.step)

    board = ModifiedTensorBoard(log_dir=tmp_path)
    model = net()
    for _ in range(2):
        fit(model, board, epochs=1)
        board.step += 1
    board.update_stats(reward=3.0)
    tags = read(str(tmp_path))["."]
    assert steps(tags["loss"]) == [1, 2]
    assert tags["reward"] == [[3, 3.0]]


INSTALLED = """
import sys, tempfile, numpy as np
from torchkeras_compat import compat
compat.install()
import keras, tensorflow as tf
from keras.callbacks import TensorBoard
from keras.callbacks.tensorboard_v1 import TensorBoard as First
from tensorflow.keras.callbacks import TensorBoard as Second
from tensorflow.python.keras.callbacks import TensorBoard as Third
for kind, library in ((TensorBoard, keras), (First, keras), (Second, tf.keras), (Third, tf.keras)):
    model = library.models.Sequential([library.layers.Dense(1, input_shape=(2,))])
    model.compile('sgd', 'mse')
    folder = tempfile.mkdtemp()
    model.fit(np.ones((4, 2)), np.ones(4), verbose=0, callbacks=[kind(log_dir=folder)])
    from tests.callbacks.tensorboard_cases import read
    print({place: sorted(tags) for place, tags in read(folder).items()})
"""


def test_under_the_names_of_keras() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", INSTALLED], capture_output=True, text=True)
    assert done.stderr == ""
    classic, tf_keras = "{'.': ['keras', 'loss']}", "{'train': ['epoch_loss', 'keras']}"
    assert done.stdout.splitlines() == [classic, classic, tf_keras, tf_keras]
