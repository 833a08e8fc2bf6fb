"""Training that goes on from a file is the training that never stopped (D5); checkpoints of whole models train on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import callbacks

X = np.random.RandomState(0).standard_normal((40, 6)).astype("float32")
Y = (X[:, :1] * X[:, 1:2] + np.random.RandomState(1).standard_normal((40, 1)) * 0.1).astype("float32")
L, SUFFIXES = tk.layers, [".h5", ".keras"]


def _optimizers() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for place in (tk.optimizers, tk.optimizers.legacy, tk.optimizers.experimental):
        for name in place.__all__:
            cls = getattr(place, name)
            if isinstance(cls, type) and issubclass(cls, tk.optimizers.Optimizer) and cls.__name__ != "Optimizer":
                made[f"{place.__name__.rpartition('.')[2]}.{name}"] = cls
    schedule = tk.optimizers.schedules.ExponentialDecay(0.05, 4, 0.5)
    return {
        **made,
        "momentum": lambda: tk.optimizers.SGD(0.02, momentum=0.9, nesterov=True, decay=0.01),
        "schedule": lambda: tk.optimizers.SGD(schedule),
        "amsgrad": lambda: tk.optimizers.Adam(0.01, amsgrad=True, clipnorm=0.5),
        "centered": lambda: tk.optimizers.experimental.RMSprop(0.01, momentum=0.5, centered=True),
        "average": lambda: tk.optimizers.experimental.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
    }


OPTIMIZERS = _optimizers()


def model(optimizer: Any) -> Any:
    net = tk.Sequential(
        [L.Dense(8, activation="tanh", input_dim=6), L.Dropout(0.3), L.BatchNormalization(), L.Dense(1)]
    )
    net.compile(optimizer, "mse", metrics=["mae"])
    return net


def fit(net: Any, epochs: int) -> list[float]:
    losses: list[float] = net.fit(X, Y, batch_size=8, epochs=epochs, verbose=0).history["loss"]
    return losses


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_five_epochs_a_file_and_five_more(tmp_path: Path, name: str, suffix: str) -> None:
    # Each `fit` draws one seed, so that the two halves are two `fit` on either side.
    np.random.seed(5)
    straight = model(OPTIMIZERS[name]())
    losses = fit(straight, 5) + fit(straight, 5)
    np.random.seed(5)
    first = model(OPTIMIZERS[name]())
    halves = fit(first, 5)
    path = tmp_path / f"model{suffix}"
    first.save(path)
    before = np.random.get_state()
    second = tk.models.load_model(path)
    np.random.set_state(before)
    assert second.optimizer.iterations == first.optimizer.iterations
    halves += fit(second, 5)
    np.testing.assert_array_equal(losses, halves)
    for a, b in zip(straight.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_checkpoints_of_whole_models_train_on(tmp_path: Path, suffix: str) -> None:
    net = model(tk.optimizers.Adam(0.01))
    kept: dict[int, Any] = {}
    note = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.update({epoch: net.get_weights()}))
    save = callbacks.ModelCheckpoint(tmp_path / "deep" / ("{epoch:02d}-{val_loss:.2f}" + suffix))
    best = callbacks.ModelCheckpoint(tmp_path / f"best{suffix}", monitor="loss", save_best_only=True)
    history = net.fit(X, Y, epochs=4, validation_split=0.2, verbose=0, callbacks=[save, best, note]).history
    files = sorted((tmp_path / "deep").iterdir())
    assert [file.name for file in files] == [f"{i + 1:02d}-{v:.2f}{suffix}" for i, v in enumerate(history["val_loss"])]
    for epoch, file in enumerate(files):
        loaded = tk.models.load_model(file)
        for a, b in zip(kept[epoch], loaded.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert loaded.optimizer.iterations == (epoch + 1) * 1
        loaded.fit(X, Y, verbose=0)
    loaded = tk.models.load_model(tmp_path / f"best{suffix}")
    chosen = int(np.argmin(history["loss"]))
    np.testing.assert_array_equal(loaded.get_weights()[0], kept[chosen][0])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_checkpoint_every_so_many_batches(tmp_path: Path, suffix: str) -> None:
    save = callbacks.ModelCheckpoint(tmp_path / ("{epoch}-{batch}" + suffix), save_freq=3)
    model("sgd").fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[save])
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{at}{suffix}" for at in ("1-3", "2-1", "2-4")]
    assert [int(tk.models.load_model(tmp_path / f"{at}{suffix}").optimizer.iterations) for at in ("1-3", "2-4")] == [
        3,
        9,
    ]


def two_layers() -> Any:
    return tk.Sequential([L.Dense(8, input_dim=6, kernel_initializer="ones"), L.Dense(1, kernel_initializer="ones")])


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_weights_of_the_optimizer_alone(optimizer: str) -> None:
    """The recipe of classic Keras: `_make_train_function` makes the slots, which `set_weights` fills."""
    tk.set_dialect("keras-2.3")
    nets = [two_layers() for _ in range(2)]
    for net in nets:
        net.compile(optimizer, "mse")
    nets[0].fit(X, Y, verbose=0, shuffle=False)
    nets[1].set_weights(nets[0].get_weights())
    nets[1]._make_train_function()
    nets[1].optimizer.set_weights(nets[0].optimizer.get_weights())
    nets[1]._make_train_function()  # which takes nothing away
    losses = [net.fit(X, Y, epochs=2, verbose=0, shuffle=False).history["loss"] for net in nets]
    assert losses[0] == losses[1]
