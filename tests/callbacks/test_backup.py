"""`BackupAndRestore`: training that was cut goes on as if it had not been (D2 to D5, D8)."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import callbacks
from torchkeras_compat.saving.backups import Backups, read_tree, write_tree
from torchkeras_compat.saving.hdf5 import FileError

from . import resuming
from .resuming import CASES, DATA, EPOCHS, Cut, model, train

STEPS = {"arrays in steps": 3, "sequence in steps": 3, "generator": 4, "generators": 4, "batches shuffled": 4}


def same(one: Any, other: Any) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def whole(folder: Path, data: str, make: Any = model, **options: Any) -> tuple[Any, Any]:
    np.random.seed(3)
    return train(folder / "whole", data, make(), **options)


def cut_and_resumed(folder: Path, data: str, after: int, make: Any = model, **options: Any) -> tuple[Any, Any]:
    np.random.seed(3)
    with pytest.raises(InterruptedError):
        train(folder / "cut", data, make(), cut=Cut(after), **options)
    np.random.seed(50)
    torch.manual_seed(50)
    return train(folder / "cut", data, make(), **options)


def hold(one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    """Hold weights to each other, and the epochs that the second history has to those of the first one."""
    (first, weights), (second, resumed) = one, other
    same(weights, resumed)
    for name, values in second.history.items():
        np.testing.assert_array_equal(values, first.history[name][-len(values) :], err_msg=name)


def expect_goes_on(folder: Path, run: Callable[..., tuple[Any, Any]], after: int, seed: int = 1) -> None:
    """Hold a training that is cut after some batches, and run again, to the one that is not.

    Args:
        folder: Where both put their backups.
        run: Trains, given a folder and callbacks to add; returns the history and the weights.
        after: The number of batches.
        seed: What both begin with.
    """
    np.random.seed(seed)
    straight = run(folder / "a")
    np.random.seed(seed)
    with pytest.raises(InterruptedError):
        run(folder / "b", Cut(after))
    hold(straight, run(folder / "b"))


# --- the same training -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("often", ["epoch", 2, 3])
@pytest.mark.parametrize("data", DATA)
def test_a_resumed_training_is_the_one_that_was_not_cut(tmp_path: Path, data: str, often: Any) -> None:
    steps = STEPS.get(data, 5)
    straight = whole(tmp_path, data, save_freq=often)
    for after in (steps + 2, 2 * steps, 3 * steps - 1):
        folder = tmp_path / str(after)
        resumed = cut_and_resumed(folder, data, after, save_freq=often)
        hold(straight, resumed)
        saved = after if isinstance(often, int) else (after - 1) // steps * steps  # the cut follows the hooks of others
        first = (saved - 1) // often * often if isinstance(often, int) else saved
        assert resumed[0].epoch == list(range(first // steps - (isinstance(often, int) and not first % steps), EPOCHS))


def _optimizers() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for place in (tk.optimizers, tk.optimizers.legacy, tk.optimizers.experimental):
        for name in place.__all__:
            cls = getattr(place, name)
            if isinstance(cls, type) and issubclass(cls, tk.optimizers.Optimizer) and cls.__name__ != "Optimizer":
                made[f"{place.__name__.rpartition('.')[2]}.{name}"] = cls
    return made


OPTIMIZERS = _optimizers()
MORE = {
    "momentum": lambda: tk.optimizers.SGD(0.05, momentum=0.9, nesterov=True, decay=0.01),
    "amsgrad": lambda: tk.optimizers.Adam(0.01, amsgrad=True, clipnorm=0.5),
    "average": lambda: tk.optimizers.experimental.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
    "schedule": lambda: tk.optimizers.SGD(tk.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)),
    "centered": lambda: tk.optimizers.experimental.RMSprop(0.01, momentum=0.5, centered=True),
    "scaled": lambda: tk.mixed_precision.LossScaleOptimizer(tk.optimizers.Adam(0.01), dynamic_growth_steps=3),
}


@pytest.mark.parametrize("name", [*OPTIMIZERS, *MORE])
def test_every_optimizer(tmp_path: Path, name: str) -> None:
    def make() -> Any:
        optimizer = MORE[name]() if name in MORE else OPTIMIZERS[name]()
        return model(optimizer)

    hold(whole(tmp_path, "arrays", make, save_freq=3), cut_and_resumed(tmp_path, "arrays", 12, make, save_freq=3))


class ByUpdates(tk.optimizers.Optimizer):
    """Momentum, as an optimizer of classic Keras is written."""

    def __init__(self, lr: float = 0.05, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with tk.backend.name_scope("mine"):
            self.iterations = tk.backend.variable(0, dtype="int64", name="iterations")
            self.lr = tk.backend.variable(lr, name="lr")

    def get_updates(self, loss: Any, params: Any) -> Any:
        K = tk.backend
        grads = self.get_gradients(loss, params)
        moments = [K.zeros(K.int_shape(p)) for p in params]
        self.weights = [self.iterations, *moments]
        self.updates = [K.update_add(self.iterations, 1)]
        for p, g, m in zip(params, grads, moments):
            v = 0.9 * m - self.lr * g
            self.updates += [K.update(m, v), K.update(p, p + v)]
        return self.updates


class ByVariable(tk.optimizers.Optimizer):
    """Momentum, as an optimizer of Keras 2.11 to 2.15 is written."""

    def __init__(self, learning_rate: float = 0.05, name: str = "mine") -> None:
        super().__init__(name=name)
        self._learning_rate = self._build_learning_rate(learning_rate)

    def build(self, var_list: Any) -> None:
        super().build(var_list)
        self.moments = [self.add_variable_from_reference(v, "m") for v in var_list]

    def update_step(self, gradient: Any, variable: Any) -> None:
        m = self.moments[self._index_dict[self._var_key(variable)]]
        m.assign(m * 0.9 + gradient)
        variable.assign_sub(m * self.learning_rate)


@pytest.mark.parametrize("kind", [ByUpdates, ByVariable])
def test_optimizers_of_users(tmp_path: Path, kind: Any) -> None:
    def make() -> Any:
        return model(kind())

    hold(whole(tmp_path, "arrays", make, save_freq=3), cut_and_resumed(tmp_path, "arrays", 12, make, save_freq=3))


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam", "LBFGS"])
def test_optimizers_of_torch(tmp_path: Path, kind: str) -> None:
    def make() -> Any:
        net = model()
        options = {"momentum": 0.9} if kind == "SGD" else {}
        net.compile(getattr(torch.optim, kind)(net.parameters(), lr=0.01, **options), "mse")
        return net

    hold(whole(tmp_path, "arrays", make, save_freq=3), cut_and_resumed(tmp_path, "arrays", 12, make, save_freq=3))


def test_a_large_model_and_its_embedding(tmp_path: Path) -> None:
    # Slots of rows that a batch did not touch are owed their decay.
    words = np.random.RandomState(0).randint(0, 3000, (64, 6))
    y = np.random.RandomState(1).rand(64, 1)

    def run(folder: Path, *more: Any) -> Any:
        net = tk.Sequential(
            [
                resuming.L.Embedding(3000, 32, input_length=6),
                resuming.L.LSTM(7, recurrent_dropout=0.2),
                resuming.L.Dense(1),
            ]
        )
        net.compile("adam", "mse")
        backup = callbacks.BackupAndRestore(folder, save_freq=3)
        done = net.fit(words, y, batch_size=8, epochs=3, verbose=0, callbacks=[backup, *more])
        return done, net.get_weights()

    expect_goes_on(tmp_path, run, 14)


def test_a_stateful_layer_and_a_metric_with_states(tmp_path: Path) -> None:
    x, y = np.random.RandomState(0).rand(24, 3, 2), np.random.RandomState(1).randint(0, 2, (24, 1))

    def run(folder: Path, *more: Any) -> Any:
        net = tk.Sequential(
            [resuming.L.LSTM(4, stateful=True, batch_input_shape=(4, 3, 2)), resuming.L.Dense(1, "sigmoid")]
        )
        net.compile(
            "adam",
            "binary_crossentropy",
            metrics=["acc", tk.metrics.AUC(name="auc"), tk.metrics.Precision(name="precision")],
        )
        backup = callbacks.BackupAndRestore(folder, save_freq=2)
        done = net.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0, callbacks=[backup, *more])
        return done, net.get_weights()

    expect_goes_on(tmp_path, run, 11)


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("after", [2, 7])
def test_pictures(tmp_path: Path, seed: int | None, after: int) -> None:
    def run(folder: Path, *more: Any) -> Any:
        net = tk.Sequential([resuming.L.Flatten(input_shape=(4, 4, 1)), resuming.L.Dense(1)])
        net.compile("sgd", "mse")
        backup = callbacks.BackupAndRestore(folder, save_freq=1)
        flow = resuming.pictures(seed)
        done = net.fit(flow, epochs=3, verbose=0, callbacks=[backup, *more])
        return done, net.get_weights()

    expect_goes_on(tmp_path, run, after)


class CutInValidation(callbacks.Callback):
    """Ends a training when it validates for the second time."""

    count = 0

    def on_test_begin(self, logs: Any = None) -> None:
        self.count += 1
        if self.count == 2:
            raise InterruptedError


@pytest.mark.parametrize("data", ["arrays", "sequence", "generators", "loader"])
def test_a_cut_after_the_last_batch_of_an_epoch(tmp_path: Path, data: str) -> None:
    # What 'accuracy' is has to be known before a batch of the generator has come.
    def make() -> Any:
        return model(metrics=("accuracy", "mae"))

    often = STEPS.get(data, 5)
    straight = whole(tmp_path, data, make, save_freq=often)
    np.random.seed(3)
    with pytest.raises(InterruptedError):
        train(tmp_path / "cut", data, make(), [CutInValidation()], save_freq=often)
    np.random.seed(50)
    resumed = train(tmp_path / "cut", data, make(), save_freq=often)
    assert resumed[0].epoch == [1, 2, 3]
    hold(straight, resumed)


def test_a_change_of_the_optimizer_by_a_callback(tmp_path: Path) -> None:
    def turn(epoch: int, logs: Any) -> None:
        if epoch == 1:
            net[0].optimizer.momentum = 0.9
            net[0].optimizer.clipnorm = 0.5

    def run(folder: Path, *more: Any) -> Any:
        net[:] = [model(tk.optimizers.SGD(0.05))]
        told = [callbacks.LambdaCallback(on_epoch_begin=turn), *more]
        return train(folder, "arrays", net[0], told, save_freq=3)

    net: list[Any] = []
    expect_goes_on(tmp_path, run, 17, seed=3)


@pytest.mark.filterwarnings("ignore::torchkeras_compat._core.border.KerasSpellingWarning")
@pytest.mark.filterwarnings("ignore:samples_per_epoch=40")
@pytest.mark.parametrize(
    ("source", "samples"), [(resuming.endless, 36), (resuming.counting, 40), (resuming.Listed, 40)]
)
def test_old_generators_that_count_samples(tmp_path: Path, source: Any, samples: int) -> None:
    def run(folder: Path, *more: Any) -> Any:
        net = model()
        backup = callbacks.BackupAndRestore(folder, save_freq=2)
        done = net.fit_generator(source(), samples_per_epoch=samples, nb_epoch=4, verbose=0, callbacks=[backup, *more])
        return done, net.get_weights()

    expect_goes_on(tmp_path, run, 13)


def test_several_outputs_and_a_step_of_the_users(tmp_path: Path) -> None:
    class Mine(tk.Model):
        def train_step(self, data: Any) -> Any:
            logs = super().train_step(data)
            return {**logs, "twice": 2 * logs["loss"]}

    def run(folder: Path, *more: Any) -> Any:
        x = tk.Input((5,))
        h = resuming.L.Dropout(0.4)(resuming.L.Dense(6, "tanh")(x))
        net = Mine(x, [resuming.L.Dense(1, name="a")(h), resuming.L.Dense(2, name="b")(h)])
        net.compile("rmsprop", "mse", metrics={"a": "mae"}, loss_weights=[1, 0.5])
        backup = callbacks.BackupAndRestore(folder, save_freq=2)
        targets = [resuming.Y, np.concatenate([resuming.Y, -resuming.Y], 1)]
        done = net.fit(
            resuming.X,
            targets,
            batch_size=8,
            epochs=3,
            verbose=0,
            validation_split=0.2,
            callbacks=[backup, *more],
        )
        return done, net.get_weights()

    expect_goes_on(tmp_path, run, 9)


@pytest.mark.parametrize("seed", ["numpy", "torch"])
def test_either_seed(tmp_path: Path, seed: str) -> None:
    def start() -> Any:
        (np.random.seed if seed == "numpy" else torch.manual_seed)(11)
        return model()

    def fit(net: Any, folder: str, *others: Any) -> Any:
        backup = callbacks.BackupAndRestore(tmp_path / folder, save_freq=3)
        net.fit(resuming.X, resuming.Y, batch_size=8, epochs=3, verbose=0, callbacks=[backup, *others])
        return net.get_weights(), np.random.rand() if seed == "numpy" else float(torch.rand(()))

    straight = fit(start(), "a")
    with pytest.raises(InterruptedError):
        fit(start(), "b", Cut(10))
    np.random.seed(1)
    resumed = fit(model(), "b")
    same(straight[0], resumed[0])
    assert straight[1:] == resumed[1:]  # what is drawn afterwards, too


def test_in_another_process(tmp_path: Path) -> None:
    root = Path(tk.__file__).parent.parent
    command = [sys.executable, "-m", "tests.callbacks.resuming", str(tmp_path)]
    cut = subprocess.run([*command, "cut"], cwd=root, check=False, capture_output=True)
    assert cut.returncode == -signal.SIGKILL, cut.stderr.decode()
    subprocess.run([*command, "resume"], cwd=root, check=True)
    results = np.load(tmp_path / "results.npz")
    for i, (data, often, _) in enumerate(CASES):
        history, weights = whole(tmp_path / f"straight{i}", data, save_freq=often)
        np.testing.assert_array_equal(np.concatenate([w.ravel() for w in weights]), results[str(i)], err_msg=data)
        losses = results[f"loss {i}"]
        np.testing.assert_array_equal(history.history["loss"][-len(losses) :], losses, err_msg=data)


# --- the other callbacks ---------------------------------------------------------------------------------------------


def test_what_other_callbacks_know(tmp_path: Path) -> None:
    def others(folder: Path) -> list[Any]:
        folder.mkdir(exist_ok=True)
        return [
            callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True),
            callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.5, cooldown=1),
            callbacks.ModelCheckpoint(folder / "best.h5", save_best_only=True, save_weights_only=True),
            callbacks.CSVLogger(folder / "log.csv"),
            callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
            callbacks.TerminateOnNaN(),
        ]

    def run(folder: Path, often: Any, *more: Any) -> Any:
        net = model(tk.optimizers.SGD(0.03))
        listed = others(folder)
        backup = callbacks.BackupAndRestore(folder / "backup", save_freq=often)
        done = net.fit(
            resuming.X,
            resuming.Y,
            batch_size=8,
            epochs=9,
            verbose=0,
            validation_split=0.2,
            callbacks=[backup, *listed, *more],
        )
        stop, plateau, save = listed[:3]
        known = (stop.best, stop.wait, stop.best_epoch, stop.stopped_epoch, plateau.best, plateau.wait)
        return done, net.get_weights(), (*known, plateau.cooldown_counter, save.best, float(net.optimizer.lr))

    for often in ("epoch", 2):
        np.random.seed(1)
        first, weights, known = run(tmp_path / f"a{often}", often)
        straight = (tmp_path / f"a{often}" / "log.csv").read_text()
        best = read_weights(tmp_path / f"a{often}" / "best.h5")
        for after in (7, 13, 17):
            folder = tmp_path / f"b{often}{after}"
            np.random.seed(1)
            with pytest.raises(InterruptedError):
                run(folder, often, Cut(after))
            second, resumed, told = run(folder, often)
            hold((first, weights), (second, resumed))
            assert told == known
            assert (folder / "log.csv").read_text() == straight
            same(best, read_weights(folder / "best.h5"))


def read_weights(path: Path) -> Any:
    net = model()
    net.load_weights(path)
    return net.get_weights()


def test_a_log_that_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,mae\n0,1.0,2.0\n")
    train(tmp_path / "first", "no shuffling", model(), [callbacks.CSVLogger(path, append=True)])
    straight = path.read_text()
    path.write_text("epoch,loss,mae\n0,1.0,2.0\n")
    np.random.seed(3)
    cut_and_resumed_with = [callbacks.CSVLogger(path, append=True)]
    with pytest.raises(InterruptedError):
        train(tmp_path / "b", "no shuffling", model(), cut_and_resumed_with, cut=Cut(12))
    assert len(path.read_text().splitlines()) == 4
    train(tmp_path / "b", "no shuffling", model(), [callbacks.CSVLogger(path, append=True)])
    assert [line.split(",")[0] for line in path.read_text().splitlines()] == [
        line.split(",")[0] for line in straight.splitlines()
    ]


def test_its_hooks_follow_those_of_all_others(tmp_path: Path) -> None:
    class Late(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.optimizer.lr = 1.0 / (epoch + 2)
            if epoch == 1:
                np.random.seed(5)

    def run(folder: Path, *more: Any) -> Any:
        net = model("sgd")
        backup = callbacks.BackupAndRestore(folder)
        listed = [backup, Late(), *more]
        done = net.fit(resuming.X, resuming.Y, epochs=4, batch_size=11, verbose=0, callbacks=listed)
        return done, net.get_weights()

    expect_goes_on(tmp_path, run, 10)


def test_callbacks_of_users_are_left_alone(tmp_path: Path) -> None:
    class Mine(callbacks.Callback):
        def __init__(self) -> None:  # as in many scripts, without that of the base
            self._state = self._kept = self._training_state = {"mine": 1}

    class Nearly:
        def set_model(self, model: Any) -> None: ...

        def set_params(self, params: Any) -> None: ...

    mine = [Mine(), Nearly()]
    train(tmp_path, "arrays", model(), mine, save_freq=2)
    assert mine[0]._state is mine[0]._training_state


def test_a_training_that_had_been_stopped_is_not_gone_on_with(tmp_path: Path) -> None:
    class Kill(callbacks.Callback):
        _runs_last = True

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if self.model.stop_training:
                raise InterruptedError

    def run(*more: Any) -> Any:
        stop = callbacks.EarlyStopping("loss", baseline=-1.0, patience=1, restore_best_weights=True)
        backup = callbacks.BackupAndRestore(tmp_path)
        net = model()
        return net.fit(resuming.X, resuming.Y, epochs=9, verbose=0, callbacks=[backup, stop, *more]), net.get_weights()

    with pytest.raises(InterruptedError):
        run(Kill())
    history, _ = run()
    assert history.epoch == []
    assert Backups(tmp_path).files() == []


# --- the files -------------------------------------------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[None]:
    """Let Ctrl-C be heard: a shell starts what runs in the background without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
def test_backups_go_when_training_ends_and_stay_when_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    train(tmp_path, "arrays", model())
    assert os.listdir(tmp_path) == ["notes.txt"]
    stop = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: signal.raise_signal(signal.SIGINT) if epoch == 1 else None
    )
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "arrays", model(), [stop])
    assert len(Backups(tmp_path).files()) == 2
    history, _ = train(tmp_path, "arrays", model())
    assert history.epoch == [2, 3]
    train(tmp_path, "arrays", model(), delete_checkpoint=False)
    assert len(Backups(tmp_path).files()) == 2
    history, _ = train(tmp_path, "arrays", model())  # there is nothing left to do, as in Keras
    assert history.epoch == []


@pytest.mark.parametrize("often", ["epoch", 2])
def test_a_damaged_backup_costs_no_training(tmp_path: Path, often: Any) -> None:
    straight = whole(tmp_path, "arrays", save_freq=often)
    np.random.seed(3)
    with pytest.raises(InterruptedError):
        train(tmp_path / "cut", "arrays", model(), cut=Cut(14), save_freq=often)
    newest, before = Backups(tmp_path / "cut").files()
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.warns(UserWarning, match=f"{newest.name}' is corrupt.*resumes from the backup before, '{before.name}'"):
        resumed = train(tmp_path / "cut", "arrays", model(), save_freq=often)
    hold(straight, resumed)


def test_backups_that_are_all_damaged(tmp_path: Path) -> None:
    with pytest.raises(InterruptedError):
        train(tmp_path, "arrays", model(), cut=Cut(14))
    for path in Backups(tmp_path).files():
        path.write_bytes(b"none")
    net = model()
    before = net.get_weights()
    with pytest.raises(FileError, match=r"is corrupt.*is corrupt.*Delete .* to begin anew"):
        train(tmp_path, "arrays", net)
    same(before, net.get_weights())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tk.Sequential([resuming.L.Dense(1, input_dim=5)]), "the model has weights of the shapes"),
        (lambda: model("sgd"), "the optimizer is SGD, in the backup Adam"),
    ],
)
def test_the_backup_of_another_training(tmp_path: Path, make: Any, message: str) -> None:
    with pytest.raises(InterruptedError):
        train(tmp_path, "arrays", model(), cut=Cut(14))
    net = make()
    if net.optimizer is None:
        net.compile("adam", "mse")
    before = net.get_weights()
    with pytest.raises(ValueError, match=f"that of another training.*{message}.*give another backup_dir"):
        train(tmp_path, "arrays", net)
    same(before, net.get_weights())
    with pytest.raises(ValueError, match="one of both validates"):
        train(tmp_path, "no shuffling", model())


TREE = {
    "a": [1, -(2**80), 0.1, math.inf, True, None, "text ü"],
    3: (np.arange(6, dtype="uint32").reshape(2, 3), np.float32(0.1)),
    "t": {
        "x": torch.arange(3.0),
        "b": torch.tensor(2.5, dtype=torch.bfloat16),
        "e": torch.empty(0, 2),
        "m": torch.tensor([True]),
    },
}


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, (dict, list, tuple)):
        items = (one.items(), other.items()) if isinstance(one, dict) else (one, other)
        return type(one) is type(other) and len(one) == len(other) and all(equal(a, b) for a, b in zip(*items))
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and bool((one == other).all())
    return bool(one == other)


def test_trees(tmp_path: Path) -> None:
    write_tree(tmp_path / "x", TREE)
    assert equal(read_tree(tmp_path / "x"), TREE)
    assert not equal(read_tree(tmp_path / "x"), {**TREE, "a": 1})
    with pytest.raises(TypeError, match="has no place for"):
        write_tree(tmp_path / "x", {"a": object()})
    assert equal(read_tree(tmp_path / "x"), TREE)


def test_every_damaged_byte_is_seen_or_without_effect(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_tree(path, TREE)
    content = path.read_bytes()
    seen = 0
    for i in range(len(content)):
        damaged = bytearray(content)
        damaged[i] ^= 1 << i % 8
        path.write_bytes(damaged)
        try:
            assert equal(read_tree(path), TREE), i
        except FileError:
            seen += 1
    assert seen > len(content) / 2
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        with pytest.raises(FileError, match="is corrupt"):
            read_tree(path)


def test_a_file_that_would_unpack_to_more(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tree.json", " " * 10**7 + "{}")
    with pytest.raises(FileError, match="it is compressed"):
        read_tree(tmp_path / "x")


# --- arguments -------------------------------------------------------------------------------------------------------


def test_arguments(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no backup would be written"):
        callbacks.BackupAndRestore(tmp_path, save_freq=False)
    with pytest.raises((TypeError, ValueError), match="save_freq must be a positive integer"):
        callbacks.BackupAndRestore(tmp_path, save_freq="batch")
    with pytest.raises(RuntimeError, match="inside fit alone"):
        callbacks.BackupAndRestore(tmp_path).on_train_begin()
    assert callbacks.experimental.BackupAndRestore is callbacks.BackupAndRestore


def test_a_backup_before_preemption(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from tests.callbacks.resuming import *\n"
        "tell = tk.callbacks.LambdaCallback(on_batch_end=lambda b, logs: tk_count.append(b) or "
        "(len(tk_count) == 8 and signal.raise_signal(signal.SIGTERM)))\n"
        "tk_count = []\n"
        "np.random.seed(3)\n"
        "train(sys.argv[1], 'arrays', model(), [tell], save_freq=False, save_before_preemption=True)\n"
    )
    root = Path(tk.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "cut")], cwd=root, check=False)
    assert done.returncode == -signal.SIGTERM
    straight = whole(tmp_path, "arrays", save_freq=8)
    resumed = train(tmp_path / "cut", "arrays", model(), save_freq=8)
    same(straight[1], resumed[1])
    assert resumed[0].epoch == [1, 2, 3]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_generator_that_goes_on_in_the_same_process(tmp_path: Path) -> None:
    seen: list[int] = []

    def numbered() -> Any:
        for i in range(1000):
            seen.append(i)
            yield resuming.X[:8], resuming.Y[:8]

    source = numbered()
    options: dict[str, Any] = {"epochs": 4, "steps_per_epoch": 5, "verbose": 0}
    with pytest.raises(InterruptedError):
        model().fit(source, callbacks=[callbacks.BackupAndRestore(tmp_path), Cut(13)], **options)
    model().fit(source, callbacks=[callbacks.BackupAndRestore(tmp_path)], **options)
    assert len(seen) == 13 + 10  # none is thrown away; another process would take 10 and 10 again
    with pytest.raises(InterruptedError):
        model().fit(numbered(), callbacks=[callbacks.BackupAndRestore(tmp_path), Cut(13)], **options)
    short = iter([(resuming.X[:8], resuming.Y[:8])] * 4)
    with pytest.raises(ValueError, match="the generator ended after 4 of the 10 batches that the training took before"):
        model().fit(short, callbacks=[callbacks.BackupAndRestore(tmp_path)], **options)
