"""Callbacks: when they are called, what they see, and what they do to the model."""

from __future__ import annotations

import csv
import json
import math
import pickle
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import callbacks
from torchkeras_compat.callbacks.base import CallbackList, has_hook
from torchkeras_compat.callbacks.monitor import more_is_better

X, Y = np.random.RandomState(0).rand(8, 3), np.random.RandomState(1).rand(8, 1)


def model(optimizer: Any = "sgd", metrics: Any = ("mae",)) -> tk.Sequential:
    net = tk.Sequential([tk.layers.Dense(1, input_dim=3)])
    net.compile(optimizer, "mse", metrics=list(metrics))
    return net


class Stub:
    """A model that is only what callbacks touch."""

    def __init__(self, rate: float = 0.1) -> None:
        self.stop_training = False
        self.optimizer = tk.optimizers.SGD(rate)
        self.weights: list[Any] = [0]
        self.saved: list[str] = []

    def get_weights(self) -> list[Any]:
        return list(self.weights)

    def set_weights(self, weights: list[Any]) -> None:
        self.weights = weights

    def save_weights(self, path: str, overwrite: bool) -> None:
        self.saved.append(Path(path).name)

    def save(self, path: str, overwrite: bool) -> None:
        self.saved.append(f"model {Path(path).name}")


def feed(callback: Any, values: list[float], key: str = "val_loss", stub: Stub | None = None) -> Stub:
    """Run a callback over epochs in which `key` takes these values; the weights are numbered by epoch."""
    stub = stub or Stub()
    stub.stop_training = False
    callback.set_model(stub)
    callback.set_params({})
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        stub.weights = [epoch]
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": 1.0, key: value})
        if stub.stop_training:
            break
    callback.on_train_end()
    return stub


# --- the hooks -------------------------------------------------------------------------------------------------------


def test_hooks_and_their_order() -> None:
    seen: list[Any] = []

    def noting(hook: str) -> Any:
        def note(self: Any, *arguments: Any) -> None:
            seen.append((hook, *arguments[:-1]))
            assert arguments[-1] is None or isinstance(arguments[-1], dict)

        return note

    hooks = [name for name in vars(callbacks.Callback) if name.startswith("on_") and "predict" not in name]
    kind = type("Every", (callbacks.Callback,), {h: noting(h) for h in hooks if "_train_batch" not in h})
    model().fit(X, Y, batch_size=4, epochs=1, verbose=0, validation_split=0.5, callbacks=[kind()])
    assert seen == [
        ("on_train_begin",),
        ("on_epoch_begin", 0),
        ("on_batch_begin", 0),
        ("on_batch_end", 0),
        ("on_test_begin",),
        ("on_test_batch_begin", 0),
        ("on_test_batch_end", 0),
        ("on_test_end",),
        ("on_epoch_end", 0),
        ("on_train_end",),
    ]


@pytest.mark.parametrize("dialect", ["keras-1", "keras-2.2", "keras-2.3", "tf.keras", "keras-2.15"])
def test_numbers_of_an_epoch_answer_item_in_classic_keras(dialect: str) -> None:
    tk.set_dialect(dialect)
    model = tk.Sequential([tk.layers.Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
    seen: dict[str, Any] = {}
    keep = tk.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.update(logs))
    x = np.ones((4, 2))
    history = model.fit(x, x[:, :1], verbose=0, validation_data=(x, x[:, :1]), callbacks=[keep]).history
    assert {name: [value] for name, value in seen.items()} == history
    assert {type(value) for values in history.values() for value in values} == {float}
    if dialect in ("tf.keras", "keras-2.15"):
        assert {type(value) for value in seen.values()} == {float}
    else:
        assert {name: [value.item()] for name, value in seen.items()} == history


def test_a_callback_that_does_not_call_super_init() -> None:
    class Losses(callbacks.Callback):
        def __init__(self, name: str) -> None:
            self.name = name

        def on_train_begin(self, logs: Any = None) -> None:
            self.losses: list[float] = []

        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.losses.append(logs.get("loss"))
            assert {"batch", "size", "loss", "mae"} <= set(logs)
            assert all(type(value) in (int, float) for value in logs.values())
            json.dumps(logs)

    losses, net = Losses("mine"), model()
    assert losses.params.get("epochs") is None
    net.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[losses])
    assert len(losses.losses) == 4
    assert losses.model is net
    assert losses.params["epochs"] == losses.params["nb_epoch"] == 2
    assert losses.params["samples"] == losses.params["nb_sample"] == 8
    assert losses.params["steps"] == 2
    assert losses.params["batch_size"] == 4
    assert losses.params["do_validation"] is False
    assert losses.params["metrics"] == ["loss", "mae"]


def test_without_batch_hooks_no_batch_reads_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    class Quiet(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            pass

    reads: list[Any] = []
    results = tk.training.averages.Averages.results
    monkeypatch.setattr(tk.training.averages.Averages, "results", lambda self: reads.append(self) or results(self))
    every = [
        Quiet(),
        callbacks.EarlyStopping(monitor="loss"),
        callbacks.ReduceLROnPlateau(monitor="loss"),
        callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
        callbacks.ModelCheckpoint("x", save_weights_only=True, monitor="loss", save_best_only=True, period=9),
        callbacks.BaseLogger(),
        callbacks.ProgbarLogger(),
        callbacks.History(),
    ]
    model().fit(X, Y, batch_size=1, epochs=1, verbose=0, callbacks=every)
    assert len(reads) == 1


def test_backups_every_so_many_batches_read_no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Any] = []
    results = tk.training.averages.Averages.results
    monkeypatch.setattr(tk.training.averages.Averages, "results", lambda self: reads.append(self) or results(self))
    model().fit(X, Y, batch_size=1, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path, save_freq=3)])
    assert len(reads) == 1  # at the end of the epoch


def test_has_hook() -> None:
    assert not has_hook(callbacks.Callback(), ("on_batch_begin", "on_batch_end"))
    assert has_hook(callbacks.LambdaCallback(on_batch_end=print), ("on_batch_begin", "on_batch_end"))
    assert has_hook(callbacks.TerminateOnNaN(), ("on_batch_begin", "on_batch_end"))

    class Other:  # no Callback, and without some of the hooks
        def on_train_batch_end(self, batch: int, logs: Any) -> None: ...

    assert has_hook(Other(), ("on_train_batch_begin", "on_train_batch_end"))


@pytest.mark.parametrize(("given", "message"), [([callbacks.History], r"write History\(…\)"), (["x"], "got 'x'")])
def test_what_is_no_callback(given: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        CallbackList(given)
    with pytest.raises(TypeError, match=message):
        CallbackList([]).append(given[0])


def test_a_list_driven_by_hand() -> None:
    seen: list[Any] = []
    every = CallbackList(
        [callbacks.LambdaCallback(on_epoch_end=lambda e, logs: seen.append((e, logs["acc"])))], model=Stub(), epochs=3
    )
    every.on_train_begin()
    every.on_epoch_end(1, {"accuracy": 0.5})
    every.on_train_end({})
    assert seen == [(1, 0.5)]
    assert next(iter(every)).params == {"epochs": 3}


def test_a_list_hands_classic_names_of_hooks_on() -> None:
    seen: list[Any] = []

    class Noting(callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            seen.append(("begin", batch, logs))

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(("end", batch, logs))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append(("epoch", epoch, logs))

    every = CallbackList([Noting()])
    every.on_batch_begin(3)
    every.on_batch_end(3, {"loss": 1.0})
    every.on_train_batch_end(batch=4, logs={"loss": 2.0})
    every.on_epoch_end(epoch=1, logs={"loss": 3.0})
    assert seen == [("begin", 3, {}), ("end", 3, {"loss": 1.0}), ("end", 4, {"loss": 2.0}), ("epoch", 1, {"loss": 3.0})]


def test_a_list_hands_the_model_out_before_the_params() -> None:
    class Asks(callbacks.Callback):
        def set_params(self, params: Any) -> None:
            assert isinstance(self.model, Stub)
            super().set_params(params)

    assert CallbackList([Asks()], model=Stub(), epochs=3).callbacks[0].params == {"epochs": 3}


@pytest.mark.parametrize(("dialect", "metric"), [("keras-2.3", "mae"), ("keras-2.2", "mean_absolute_error")])
def test_batch_logs_of_classic_keras_name_the_batch(dialect: str, metric: str) -> None:
    tk.set_dialect(dialect)
    about = {"batch", "size"}
    seen: list[Any] = []
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_test_batch_end", "on_predict_batch_end")
    listed = [callbacks.LambdaCallback(**{hook: lambda batch, logs: seen.append(dict(logs)) for hook in hooks})]
    net = model()
    net.fit(X, Y, batch_size=5, shuffle=False, verbose=0, callbacks=listed)
    net.evaluate(X, Y, batch_size=5, verbose=0, callbacks=listed)
    net.predict(X, batch_size=5, callbacks=listed)
    assert [(logs["batch"], logs["size"]) for logs in seen] == [(0, 5), (0, 5), (1, 3), (1, 3)] + [(0, 5), (1, 3)] * 2
    assert set(seen[0]) == about
    assert set(seen[1]) == about | {"loss", metric}
    assert set(seen[-1]) == about | {"outputs"}


def test_evaluate_and_predict_tell_their_params() -> None:
    seen: list[Any] = []

    class Asks(callbacks.Callback):
        def on_test_begin(self, logs: Any = None) -> None:
            seen.append(self.params)

        on_predict_begin = on_test_begin

    net = model()
    net.evaluate(X, Y, batch_size=5, verbose=0, callbacks=[Asks()])
    net.predict(X, steps=1, batch_size=5, verbose=0, callbacks=[Asks()])
    assert seen[0] == {"batch_size": 5, "epochs": 1, "steps": 2, "samples": 8, "verbose": 0}
    assert seen[1]["steps"] == 1


def test_an_error_of_a_callback_ends_training_without_the_last_hook() -> None:
    heard: list[str] = []

    def fail(epoch: int, logs: Any) -> None:
        raise RuntimeError("mine")

    listed = [
        callbacks.LambdaCallback(on_train_begin=lambda logs: heard.append("begin"), on_train_end=heard.append),
        callbacks.LambdaCallback(on_epoch_end=fail),
    ]
    with pytest.raises(RuntimeError, match="mine"):
        model().fit(X, Y, epochs=2, verbose=0, callbacks=listed)
    assert heard == ["begin"]


def test_what_a_callback_adds_to_the_logs_of_an_epoch_is_not_in_those_of_the_end() -> None:
    last: list[Any] = []
    adding = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(mine=1.0), on_train_end=lambda logs: last.append(dict(logs))
    )
    history = model().fit(X, Y, verbose=0, callbacks=[adding]).history
    assert history["mine"] == [1.0]
    assert sorted(last[0]) == ["loss", "mae"]


def test_unknown_arguments_and_old_ones() -> None:
    with pytest.raises(TypeError, match="did you mean 'patience'"):
        callbacks.EarlyStopping(patient=3)
    with pytest.raises(TypeError, match="there is no such hook"):
        callbacks.LambdaCallback(on_epoch_start=print)
    with pytest.raises(ValueError, match=r"call model.load_weights\(filepath\) before fit"):
        callbacks.ModelCheckpoint("x", save_weights_only=True, load_weights_on_restart=True)


def test_a_user_may_override_on_train_begin() -> None:
    class Mine(callbacks.EarlyStopping):
        def on_train_begin(self, logs: Any = None) -> None:
            self.names = self.model.name
            super().on_train_begin(logs)

    mine = Mine(monitor="loss")
    model().fit(X, Y, verbose=0, callbacks=[mine])
    assert mine.names


def test_history_of_the_user_beside_that_of_fit() -> None:
    own = callbacks.History()
    net = model()
    first = net.fit(X, Y, epochs=2, verbose=0, callbacks=[own])
    assert first is net.history
    assert first is not own
    assert first.history == own.history
    net.fit(X, Y, epochs=1, verbose=0, callbacks=[own])
    assert own.epoch == [0]
    assert first.epoch == [0, 1]
    assert pickle.loads(pickle.dumps(first.history)) == first.history


# --- EarlyStopping ---------------------------------------------------------------------------------------------------


def test_early_stopping_patience() -> None:
    stop = callbacks.EarlyStopping(patience=2)
    feed(stop, [1.0, 0.5, 0.6, 0.7, 0.1])
    assert stop.stopped_epoch == 3
    assert (stop.best, stop.best_epoch) == (0.5, 1)
    feed(stop, [2.0, 1.9, 1.8])  # D11: afresh
    assert (stop.stopped_epoch, stop.best) == (0, 1.8)


@pytest.mark.parametrize(
    ("values", "options", "epoch"),
    [
        ([1.0, 0.5, 0.6, 0.7], {"patience": 2}, 1),  # stopped early
        ([1.0, 0.5, 0.6], {"patience": 9}, 1),  # ended normally
        ([1.0, 0.5, 0.6], {"patience": 9, "baseline": 0.1}, 1),  # the baseline is never met
        ([1.0, math.nan, 0.9, math.nan], {"patience": 9}, 2),  # NaN is never the best
        ([math.nan, 3.0, math.nan], {"patience": 9}, 1),
    ],
)
def test_early_stopping_restores_however_it_ends(values: list[float], options: dict[str, Any], epoch: int) -> None:
    stub = feed(callbacks.EarlyStopping(restore_best_weights=True, **options), values)
    assert stub.weights == [epoch]


def test_early_stopping_restores_after_an_interrupt() -> None:
    net, kept = model(tk.optimizers.SGD(1.5)), {}

    def note(epoch: int, logs: Any) -> None:
        kept[epoch] = (logs["loss"], net.get_weights())
        if epoch == 3:
            raise KeyboardInterrupt

    stop = callbacks.EarlyStopping(monitor="loss", patience=99, restore_best_weights=True)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, epochs=9, verbose=0, callbacks=[stop, callbacks.LambdaCallback(on_epoch_end=note)])
    best = min(kept.values(), key=lambda pair: pair[0])[1]
    np.testing.assert_array_equal(net.get_weights()[0], best[0])


class OfTwo(callbacks.EarlyStopping):
    """Watches the mean of two values, as a subclass written for Keras does."""

    def get_monitor_value(self, logs: Any) -> Any:
        return (logs["loss"] + logs["val_loss"]) / 2


class ByHand(callbacks.EarlyStopping):
    """Compares as the source of Keras does."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = self.get_monitor_value(logs)
        if self.monitor_op(value - self.min_delta, self.best):
            self.best, self.wait = value, 0
        else:
            self.wait += 1
            self.model.stop_training = self.wait >= self.patience


def test_subclasses_decide_what_is_watched_and_compare_as_keras_does() -> None:
    assert feed(OfTwo(patience=1), [3.0, 2.0, 2.5]).weights == [2]
    values = [1.0, 0.97, 0.93, 0.92, 0.91]  # by .05 better than the best once, and then not
    for mode, sign in (("min", 1), ("max", -1)):
        ended = [
            feed(cls(patience=2, min_delta=0.05, mode=mode), [sign * v for v in values]).weights
            for cls in (ByHand, callbacks.EarlyStopping)
        ]
        assert ended == [[4], [4]]


@pytest.mark.parametrize(
    ("make", "better"),
    [
        (lambda **o: callbacks.EarlyStopping(**o), {"min": (1.0, 2.0), "max": (2.0, 1.0)}),
        (lambda **o: callbacks.ReduceLROnPlateau(min_delta=0.5, **o), {"min": (1.0, 2.0), "max": (2.0, 1.0)}),
        (lambda **o: checkpoint("w.h5", **o), {"min": (1.0, 2.0), "max": (2.0, 1.0)}),
    ],
)
def test_monitor_op(make: Any, better: dict[str, tuple[float, float]]) -> None:
    for mode, (good, bad) in better.items():
        made = pickle.loads(pickle.dumps(make(mode=mode)))
        assert made.monitor_op(good, bad)
        assert not made.monitor_op(bad, good)
        assert not made.monitor_op(float("nan"), bad)
        assert made.best == (math.inf if mode == "min" else -math.inf)


def test_plateau_counts_a_change_as_large_as_min_delta_as_none() -> None:
    plateau = callbacks.ReduceLROnPlateau(min_delta=0.5)
    assert not plateau.monitor_op(1.5, 2.0)
    plateau.min_delta = 0.25
    assert plateau.monitor_op(1.5, 2.0)


def test_early_stopping_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    feed(callbacks.EarlyStopping(patience=1, verbose=1, restore_best_weights=True), [1.0, 2.0])
    assert capsys.readouterr().out == (
        "Restoring model weights from the end of the best epoch: 1.\nEpoch 2: early stopping\n"
    )


@pytest.mark.parametrize("asked", ["acc", "accuracy", "val_acc", "val_accuracy"])
@pytest.mark.parametrize("metric", ["acc", "accuracy"])
def test_either_spelling_is_watched(asked: str, metric: str) -> None:
    net = tk.Sequential([tk.layers.Dense(1, activation="sigmoid", input_dim=3)])
    net.compile("sgd", "binary_crossentropy", metrics=[metric])
    stop = callbacks.EarlyStopping(monitor=asked, patience=5)
    net.fit(X, (Y > 0.5).astype(int), validation_split=0.5, epochs=2, verbose=0, callbacks=[stop])
    assert 0 <= stop.best <= 1


def test_a_value_that_is_not_there_is_told() -> None:
    with pytest.warns(UserWarning, match=r"EarlyStopping\(monitor='val_los'\): no such value in logs; there are: loss"):
        feed(callbacks.EarlyStopping(monitor="val_los"), [1.0])


@pytest.mark.parametrize(
    "name", ["acc", "val_acc", "top5_acc", "val_auc_2", "precision", "f1", "f1_score", "mean_io_u", "dice_coef"]
)
def test_more_is_better(name: str) -> None:
    assert more_is_better(name)
    assert not more_is_better("val_loss")
    assert not more_is_better(f"{name}_loss")


def test_an_unknown_mode_is_taken_as_auto() -> None:
    with pytest.warns(UserWarning, match="taken as 'auto'"):
        assert callbacks.EarlyStopping(monitor="acc", mode="best").maximise


# --- learning rates --------------------------------------------------------------------------------------------------


def test_plateau_numbers() -> None:
    lower = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1, min_lr=0.03, min_delta=0.1)
    stub = Stub(0.1)
    rates: list[float] = []
    lower.set_model(stub)
    lower.on_train_begin()
    for epoch, value in enumerate([1.0, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95]):
        logs = {"val_loss": value}
        lower.on_epoch_end(epoch, logs)
        rates.append(logs["lr"])
    # Lowered after epoch 2; epoch 3 cools down; 4 and 5 are waited for ...
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.05, 0.03, 0.03, 0.03])


def test_plateau_is_not_lowered_below_what_float32_calls_min_lr(capsys: pytest.CaptureFixture[str]) -> None:
    feed(callbacks.ReduceLROnPlateau(patience=1, min_lr=0.1, verbose=1), [1.0] * 5, stub=Stub(0.1))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, lr=0.5), None])
def test_rates_of_torch_optimizers(make: Any) -> None:
    net = tk.Sequential([tk.layers.Dense(1, input_dim=3)])
    net.compile(make(net.parameters()) if make else tk.optimizers.SGD(0.5), "mse")
    scheduler = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = net.fit(X, Y, epochs=3, verbose=0, callbacks=[scheduler]).history
    assert history["lr"] == pytest.approx([0.25, 0.125, 0.0625])
    assert history["learning_rate"] == history["lr"]


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch: 0.1 / (epoch + 1),
        lambda epoch, rate: 0.1 / (epoch + 1),
        lambda *given: 0.1 / (given[0] + 1),
        lambda epoch, *, rate=7: 0.1 / (epoch + 1),
        lambda epoch: np.float32(0.1 / (epoch + 1)),
        lambda epoch: torch.tensor(0.1 / (epoch + 1)),
    ],
)
def test_schedules(schedule: Any, capsys: pytest.CaptureFixture[str]) -> None:
    history = model().fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.LearningRateScheduler(schedule, verbose=1)])
    assert history.history["lr"] == pytest.approx([0.1, 0.05])
    assert "\nEpoch 2: LearningRateScheduler setting learning rate to 0.05" in capsys.readouterr().out


@pytest.mark.parametrize("bad", [None, "x", True, [1.0]])
def test_a_schedule_must_give_a_number(bad: Any) -> None:
    with pytest.raises(ValueError, match="must return a number"):
        model().fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: bad)])


def test_a_rate_that_follows_a_schedule_is_not_overwritten() -> None:
    decay = tk.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    with pytest.raises(TypeError, match="make the optimizer with a number"):
        model(tk.optimizers.SGD(decay)).fit(
            X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: 0.1)]
        )


# --- ModelCheckpoint -------------------------------------------------------------------------------------------------


def checkpoint(path: Any, **options: Any) -> Any:
    return callbacks.ModelCheckpoint(path, save_weights_only=True, **options)


def test_whole_models_and_weights(tmp_path: Path) -> None:
    assert feed(callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras"), [1.0, 2.0]).saved == [
        "model 1.keras",
        "model 2.keras",
    ]
    assert feed(checkpoint(tmp_path / "{epoch}.h5"), [1.0]).saved == ["1.h5"]


def test_the_home_of_the_user_and_folders_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    model().fit(X, Y, epochs=2, verbose=0, callbacks=[checkpoint("~/a/{epoch}/weights.h5")])
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.h5")) == [
        "a/1/weights.h5",
        "a/2/weights.h5",
    ]


def test_keras_1_counts_the_epochs_in_paths_from_0(tmp_path: Path) -> None:
    # Up to 2.0.8; a script of that time reads the file of its last epoch by that name.
    tk.set_dialect("keras-1")
    assert feed(checkpoint(tmp_path / "{epoch:02d}.h5"), [1.0, 2.0]).saved == ["00.h5", "01.h5"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"save_freq": "batch"}, "save_freq must be a positive integer"),
        ({"save_freq": 0}, "save_freq must be a positive integer"),
        ({"save_freq": True}, "save_freq must be a positive integer"),
        ({"period": 0}, "period must be a positive integer"),
    ],
)
def test_how_often(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        checkpoint("x.h5", **options)


@pytest.mark.parametrize("monitor", ["val_auc", "precision_1", "recall", "f1_score", "acc", "fmeasure", "mean_io_u"])
def test_the_best_of_what_is_maximised(tmp_path: Path, monitor: str) -> None:
    save = checkpoint(tmp_path / "{epoch}.h5", monitor=monitor, save_best_only=True)
    assert feed(save, [0.5, 0.4, math.nan, 0.7], key=monitor).saved == ["1.h5", "4.h5"]


def test_checkpoints_hold_the_weights_of_their_epoch(tmp_path: Path) -> None:
    net = tk.Sequential([tk.layers.Dense(1, activation="sigmoid", input_dim=3)])
    net.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    kept: dict[int, Any] = {}
    note = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.update({epoch: net.get_weights()}))
    save = checkpoint(tmp_path / "new" / "{epoch:02d}-{val_acc:.2f}.h5", period=2)
    net.fit(X, (Y > 0.5).astype(int), validation_split=0.5, epochs=5, verbose=0, callbacks=[save, note])
    files = sorted((tmp_path / "new").iterdir())
    assert [file.name[:3] for file in files] == ["02-", "04-"]
    for file, epoch in zip(files, (1, 3), strict=True):
        net.load_weights(file)
        np.testing.assert_array_equal(net.get_weights()[0], kept[epoch][0])


def test_the_best_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save = checkpoint(tmp_path / "{epoch}.h5", save_best_only=True, verbose=1)
    stub = feed(save, [math.nan, 1.0, math.nan, 2.0, 0.5])
    assert stub.saved == ["2.h5", "5.h5"]
    out = capsys.readouterr().out
    assert "\nEpoch 2: val_loss improved from inf to 1.00000, saving model to " in out
    assert "\nEpoch 4: val_loss did not improve from 1.00000\n" in out
    assert feed(save, [0.7, 0.4], stub=Stub()).saved == ["2.h5"]  # D11: the best file of the first fit stays


@pytest.mark.parametrize("dialect", ["keras-1", "keras-2.2", "keras-2.3"])
def test_the_seventh_argument_of_classic_keras_is_period(dialect: str, tmp_path: Path) -> None:
    tk.set_dialect(dialect)
    made = callbacks.ModelCheckpoint(str(tmp_path / "w.h5"), "loss", 1, False, True, "auto", 2)
    assert (made.period, made.save_freq, made.verbose) == (2, "epoch", 1)
    tk.set_dialect("tf.keras")
    made = callbacks.ModelCheckpoint(str(tmp_path / "w.h5"), "loss", 1, False, True, "auto", 2)
    assert (made.period, made.save_freq) == (1, 2)


def test_initial_value_threshold(tmp_path: Path) -> None:
    save = checkpoint(tmp_path / "{epoch}.h5", save_best_only=True, initial_value_threshold=0.5)
    assert feed(save, [0.6, 0.4]).saved == ["2.h5"]


def test_a_file_that_could_not_be_written_is_not_the_best(tmp_path: Path) -> None:
    save, stub = checkpoint(tmp_path / "x.h5", save_best_only=True), Stub()

    def failing(path: str, overwrite: bool) -> None:
        raise OSError("No space left on device")

    stub.save_weights = failing  # type: ignore[method-assign]
    with pytest.raises(OSError, match="No space"):
        feed(save, [1.0], stub=stub)
    assert save.best == math.inf


@pytest.mark.parametrize("monitor", ["loss", "mae", "val_loss"])
def test_save_best_only_with_a_number_of_batches(tmp_path: Path, monitor: str) -> None:
    save = checkpoint(tmp_path / "best.h5", save_best_only=True, save_freq=2, monitor=monitor)
    model().fit(X, Y, batch_size=1, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[save])
    assert (tmp_path / "best.h5").exists()
    assert math.isfinite(save.best)


def test_every_so_many_batches(tmp_path: Path) -> None:
    save = checkpoint(tmp_path / "{epoch}-{batch}.h5", save_freq=3)
    model().fit(X, Y, batch_size=2, epochs=2, verbose=0, callbacks=[save])  # four batches an epoch
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1-3.h5", "2-2.h5"]


def test_an_unknown_name_in_the_path(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="there is no 'val_lss' to fill in"):
        feed(checkpoint(tmp_path / "{val_lss}.h5"), [1.0])


# --- what is written and sent ----------------------------------------------------------------------------------------


def rows(path: Path, separator: str = ",") -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    net = model()
    history = net.fit(
        X, Y, epochs=3, verbose=0, validation_split=0.5, validation_freq=2, callbacks=[callbacks.CSVLogger(path, ";")]
    ).history
    found = rows(path, ";")
    assert found[0] == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [row[0] for row in found[1:]] == ["0", "1", "2"]
    assert [float(row[1]) for row in found[1:]] == history["loss"]
    assert [row[3] for row in found[1:]] == ["NA", str(history["val_loss"][0]), "NA"]


def test_csv_goes_on_with_the_columns_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = callbacks.CSVLogger(path, append=True)
    model().fit(X, Y, epochs=2, verbose=0, callbacks=[log])
    with pytest.warns(UserWarning, match="no columns for val_loss, val_mae"):
        model().fit(X, Y, epochs=1, verbose=0, validation_split=0.5, callbacks=[log])
    found = rows(path)
    assert found[0] == ["epoch", "loss", "mae"]
    assert [row[0] for row in found[1:]] == ["0", "1", "0"]
    model().fit(X, Y, epochs=1, verbose=0, callbacks=[callbacks.CSVLogger(path)])
    assert len(rows(path)) == 2
    with pytest.raises(RuntimeError, match="without on_train_begin"):
        callbacks.CSVLogger(path).on_epoch_end(0, {})


def test_terminate_on_nan(capsys: pytest.CaptureFixture[str]) -> None:
    net = model()
    with np.errstate(all="ignore"), pytest.warns(UserWarning, match="y holds infinity"):
        history = net.fit(X, Y * np.inf, epochs=5, batch_size=4, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert history.epoch == [0]
    assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"


def test_terminate_on_nan_called_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    class Telling(callbacks.TerminateOnNaN):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            super().on_batch_end(batch, {"loss": math.nan})

    for call in ("on_batch_end", "on_train_batch_end"):
        callback = Telling()
        callback.set_model(Stub())
        getattr(callback, call)(3, {"loss": 1.0})
        assert callback.model.stop_training
    assert capsys.readouterr().out == "Batch 3: Invalid loss, terminating training\n" * 2


def test_progbar_logger_and_base_logger(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="count_mode must be one of 'samples', 'steps'"):
        callbacks.ProgbarLogger("rows")
    model().fit(X, Y, verbose=0, callbacks=[callbacks.ProgbarLogger("steps"), callbacks.BaseLogger()])
    assert capsys.readouterr().out == ""


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            got.append((self.path, self.headers, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    served = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}", got
    served.shutdown()
    served.server_close()
    thread.join()


def test_remote_monitor(server: tuple[str, list[Any]]) -> None:
    root, got = server
    monitors = [
        callbacks.RemoteMonitor(root, headers={"X-Token": "1"}),
        callbacks.RemoteMonitor(root, path="/other", send_as_json=True),
    ]
    history = model().fit(X, Y, verbose=0, callbacks=monitors).history
    (path, headers, form), (other, _, text) = got
    assert (path, other, headers["X-Token"]) == ("/publish/epoch/end/", "/other", "1")
    expected = {"epoch": 0, "loss": history["loss"][0], "mae": history["mae"][0]}
    assert json.loads(parse_qs(form)["data"][0]) == json.loads(text) == expected


def test_remote_monitor_sends_what_json_has(server: tuple[str, list[Any]]) -> None:
    root, got = server
    logs = {"n": np.int64(3), "rate": np.float32(0.5), "by_class": np.array([1.0, 2.0]), "state": "warm", "k": [1, 2]}
    callbacks.RemoteMonitor(root, send_as_json=True).on_epoch_end(1, logs)
    assert got[0][2] == '{"epoch": 1, "n": 3, "rate": 0.5, "by_class": [1.0, 2.0], "state": "warm", "k": [1, 2]}'


def test_remote_monitor_that_cannot_be_reached() -> None:
    with pytest.warns(UserWarning, match="could not be reached"):
        callbacks.RemoteMonitor("http://127.0.0.1:9").on_epoch_end(0, {"loss": 1.0})


@pytest.mark.parametrize("save_freq", ["epoch", 2])
@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_batch_end"])
@pytest.mark.parametrize("base", [callbacks.ModelCheckpoint, callbacks.BackupAndRestore])
def test_hooks_of_batches_in_subclasses_of_what_saves(base: Any, hook: str, save_freq: Any, tmp_path: Path) -> None:
    seen = []

    def noted(self: Any, batch: int, logs: Any = None) -> None:
        seen.append((batch, sorted(logs)))
        getattr(base, hook)(self, batch, logs)

    model = tk.Sequential([tk.layers.Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
    path = tmp_path / "saved" if base is callbacks.BackupAndRestore else tmp_path / "{batch}.weights.h5"
    more = {} if base is callbacks.BackupAndRestore else {"save_weights_only": True}
    if save_freq == "epoch" and more:
        path = tmp_path / "{epoch}.weights.h5"
    saving = type("Mine", (base,), {hook: noted})(path, save_freq=save_freq, **more)
    model.fit(np.ones((6, 2)), np.ones(6), batch_size=2, verbose=0, callbacks=[saving])
    assert [batch for batch, _ in seen] == [0, 1, 2]
    assert all("loss" in names for _, names in seen)
    if more:
        assert len(list(tmp_path.glob("*.h5"))) == 1


def test_what_saves_by_epochs_wants_no_batches(tmp_path: Path) -> None:
    saving = [callbacks.ModelCheckpoint(tmp_path / "a.h5"), callbacks.BackupAndRestore(tmp_path / "b")]
    assert not CallbackList(saving).wants_batches("train")


# Recorded with Keras 2.15.0 on NumPy 1.26: the digits are those of float32, in which the rate is kept.
@pytest.mark.parametrize(
    ("rate", "lines", "history"),
    [
        (0.1, ["0.020000000298023225", "0.003999999910593033"], [0.1, 0.02]),
        (0.01, ["0.0019999999552965165", "0.0003999999724328518"], [0.01, 0.0019999999]),
        (0.001, ["0.00020000000949949026", "4.0000001899898055e-05"], [0.001, 0.00020000001]),
        (1.0, ["0.2", "0.04000000059604645"], [1.0, 0.2]),
    ],
)
def test_lowered_rates_have_the_digits_that_keras_prints(
    rate: float, lines: list[str], history: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    model = tk.Sequential([tk.layers.Dense(1, input_shape=(2,))])
    model.compile(tk.optimizers.SGD(rate), "mse")
    lower = callbacks.ReduceLROnPlateau("loss", factor=0.2, patience=1, min_delta=1e9, verbose=1)
    x = np.ones((4, 2), "float32")
    logged = model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=[lower]).history["lr"]
    printed = [line.split(" to ")[1].rstrip(".") for line in capsys.readouterr().out.splitlines() if " to " in line]
    assert printed == lines
    assert logged[:2] == history[:1] * 2
    assert logged[2] == history[1]


def test_a_scheduler_hands_out_the_rate_as_keras_does(capsys: pytest.CaptureFixture[str]) -> None:
    model = tk.Sequential([tk.layers.Dense(1, input_shape=(2,))])
    model.compile(tk.optimizers.SGD(0.1), "mse")
    x = np.ones((4, 2), "float32")
    scheduler = callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9, verbose=1)
    logged = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[scheduler]).history["lr"]
    printed = [line.split(" to ")[1].rstrip(".") for line in capsys.readouterr().out.splitlines() if " to " in line]
    assert printed == ["0.09000000134110452", "0.08100000321865082"]  # Keras 2.15.0
    assert logged == [0.09, 0.081]
