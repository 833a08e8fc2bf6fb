"""Every callback at its defaults and off default: one text, run with the package and once with Keras 2.15.

`python tests/callbacks/keras_cases.py` in Keras's environment (see tests/golden/make_golden.py) writes
`keras_2_15.json`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).resolve().parent / "keras_2_15.json"
Arguments = dict[str, Any]

# Class → settings. A string that begins with "=" is a function (`_FUNCTIONS`), `{folder}` a folder that is empty.
SETTINGS: dict[str, list[Arguments]] = {
    "BackupAndRestore": [
        {"backup_dir": "{folder}/backup"},
        {"backup_dir": "{folder}/backup", "save_freq": 2, "delete_checkpoint": False},
    ],
    "CSVLogger": [{"filename": "{folder}/log"}, {"filename": "{folder}/log", "separator": ";", "append": True}],
    "EarlyStopping": [
        {},
        {"patience": 1, "restore_best_weights": True, "verbose": 1},
        {"patience": 2, "min_delta": 0.05},
        {"patience": 2, "min_delta": -0.05, "mode": "min"},
        {"patience": 2, "baseline": 0.75},
        {
            "monitor": "accuracy",
            "mode": "max",
            "patience": 1,
            "min_delta": 0.01,
            "verbose": 1,
            "baseline": 0.4,
            "restore_best_weights": True,
            "start_from_epoch": 2,
        },
        {"monitor": "accuracy", "patience": 1},
    ],
    "History": [{}, {}],
    "LambdaCallback": [
        {},
        {
            **{name: f"=note {name}" for name in ("on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end")},
            **{name: f"=note {name}" for name in ("on_batch_begin", "on_batch_end", "on_test_begin", "on_test_end")},
            **{name: f"=note {name}" for name in ("on_test_batch_begin", "on_test_batch_end")},
        },
    ],
    "LearningRateScheduler": [
        {"schedule": "=by epoch"},
        {"schedule": "=by epoch and rate", "verbose": 1},
    ],
    "ModelCheckpoint": [
        {"filepath": "{folder}/w{{epoch:02d}}.h5", "save_weights_only": True},
        {
            "filepath": "{folder}/w{{epoch}}-{{val_loss:.1f}}.h5",
            "monitor": "val_accuracy",
            "mode": "max",
            "verbose": 1,
            "save_best_only": True,
            "save_weights_only": True,
            "initial_value_threshold": 0.1,
        },
        {
            "filepath": "{folder}/w{{epoch}}-{{batch}}.h5",
            "save_freq": 5,
            "verbose": 1,
            "save_weights_only": True,
        },
        {"filepath": "{folder}/w{{epoch}}.h5", "period": 2, "save_weights_only": True},
        {
            "filepath": "{folder}/w{{epoch}}-{{batch}}.h5",
            "save_freq": 2,
            "monitor": "loss",
            "verbose": 1,
            "save_best_only": True,
            "save_weights_only": True,
        },
    ],
    "ProgbarLogger": [{}, {"count_mode": "steps", "stateful_metrics": ["mae"]}],
    "ReduceLROnPlateau": [
        {},
        {"patience": 1},
        {
            "monitor": "accuracy",
            "factor": 0.5,
            "patience": 1,
            "verbose": 1,
            "mode": "max",
            "min_delta": 0.1,
            "cooldown": 1,
            "min_lr": 0.1,
        },
        {"patience": 0, "factor": 0.8},
        {"patience": 2, "min_delta": 0.2, "cooldown": 2, "mode": "min"},
    ],
    "RemoteMonitor": [
        {"root": "{server}"},
        {
            "root": "{server}",
            "path": "/other",
            "field": "form",
            "headers": {"X-Token": "1"},
            "send_as_json": True,
        },
        {"root": "{server}", "path": "/form", "field": "form"},
    ],
    "TerminateOnNaN": [{}, {}],
}
CASES = [(name, i) for name, settings in SETTINGS.items() for i in range(len(settings))]
# Epochs of a value that is watched.
EPOCHS = [
    [1.0, 0.9, 0.8, 0.85, 0.85, 0.85, 0.7, 0.7],
    [0.5, 0.6, 0.7, 0.8, 0.8],
    [1.0, 0.999, 0.998, 0.997, 0.5, 0.6, 0.7],
    [float("nan"), 1.0, 0.5, float("nan"), float("nan"), 0.6],
    [0.3, 0.3, 0.2, 0.4, 0.1, 0.5, 0.5, 0.5, 0.5],
]
WATCHING = ("EarlyStopping", "ReduceLROnPlateau")
SHOWN_BY_FIT = ("ProgbarLogger",)  # what Keras draws by it
FAILS = ("BaseLogger",)  # in the `fit` of 2.15
ELSEWHERE = ("TensorBoard",)  # tensorboard_cases.py


def key(case: tuple[str, int]) -> str:
    """Return the name of a case."""
    return f"{case[0]} {case[1]}"


def plain(value: Any) -> Any:
    """Return logs, numbers and arrays as JSON has them."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str):
        return value
    array = np.asarray(value, "float64")
    return float(f"{float(array):.6g}") if array.ndim == 0 else plain(array.tolist())


def _functions(notes: list[Any]) -> dict[str, Any]:
    def noting(hook: str) -> Any:
        def with_number(number: int, logs: Any) -> None:
            notes.append([hook, number, plain(logs)])

        def without(logs: Any) -> None:
            notes.append([hook, plain(logs)])

        return with_number if "epoch" in hook or "batch" in hook else without

    hooks = [value[6:] for value in SETTINGS["LambdaCallback"][1].values()]
    return {
        **{f"=note {hook}": noting(hook) for hook in hooks},
        "=by epoch": lambda epoch: 0.2 / (epoch + 1),
        "=by epoch and rate": lambda epoch, rate: float(rate) * 0.5,
    }


def _told(value: Any, names: dict[str, str], functions: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return functions[value] if value.startswith("=") else value.format(**names) if "{" in value else value
    return value


@contextlib.contextmanager
def serving() -> Iterator[tuple[str, list[Any]]]:
    """Run a server that keeps what is posted to it."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            got.append([self.path, self.headers["Content-Type"], self.headers["X-Token"], body])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    served = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}", got
    finally:
        served.shutdown()
        served.server_close()
        thread.join()


def model(keras: Any) -> Any:
    """Make a model of one layer, always the same."""
    rng = np.random.RandomState(3)
    net = keras.models.Sequential([keras.layers.Dense(1, activation="sigmoid", input_shape=(3,))])
    net.set_weights([rng.standard_normal((3, 1)).astype("float32"), np.zeros(1, "float32")])
    net.compile(keras.optimizers.legacy.SGD(0.5), "mse", metrics=["accuracy", "mae"])
    return net


def _data() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.RandomState(4).standard_normal((10, 3)).astype("float32")
    return x, (x.sum(1, keepdims=True) > 0).astype("float32")


def recorder(keras: Any, seen: list[Any]) -> Any:
    """Return a callback that writes down each hook, its arguments, and what stands in `params`."""

    def record(hook: str) -> Any:
        def run(self: Any, *args: Any, **kwargs: Any) -> None:
            known = {name: self.params.get(name) for name in ("epochs", "steps", "verbose")} if "begin" in hook else {}
            seen.append([hook, plain([*args, *kwargs.values()]), plain(known) if "batch" not in hook else None])

        return run

    hooks = [hook for hook in dir(keras.callbacks.Callback) if hook.startswith("on_")]
    own = {hook: record(hook) for hook in hooks if hook not in ("on_batch_begin", "on_batch_end")}
    return type("Recorder", (keras.callbacks.Callback,), own)()


def _watched(keras: Any, callback: Any, monitor: str, values: list[float]) -> list[Any]:
    """Run a callback over epochs in which the value that it watches takes these values."""
    net, found = model(keras), []
    start = net.get_weights()
    callback.set_model(net)
    callback.set_params({"epochs": len(values)})
    net.stop_training = False
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        net.set_weights([w + epoch for w in start])
        callback.on_epoch_begin(epoch)
        logs = {monitor: value}
        callback.on_epoch_end(epoch, logs)
        state = [getattr(callback, name, None) for name in ("wait", "stopped_epoch", "cooldown_counter")]
        rate = net.optimizer.lr
        found.append(plain([state, bool(net.stop_training), rate.numpy(), logs.get("lr"), net.get_weights()[1]]))
        if net.stop_training:  # later ones go on where a stopped `fit` has ended
            break
    return found


def run(keras: Any, case: tuple[str, int]) -> dict[str, Any]:
    """Return what a callback does in `fit`, `evaluate` and `predict`, and to values that it watches.

    Args:
        keras: The module, in the dialect tf.keras.
        case: The name of the class, and the number of its setting.
    """
    name, index = case
    notes: list[Any] = []
    seen: list[Any] = []
    text = io.StringIO()
    with serving() as (server, got), tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(text):
        names = {"folder": folder, "server": server}

        def make() -> Any:
            functions = _functions(notes)
            told = {k: _told(value, names, functions) for k, value in SETTINGS[name][index].items()}
            return getattr(keras.callbacks, name)(**told)

        if name in WATCHING:
            monitor = SETTINGS[name][index].get("monitor", "val_loss")
            watched = [_watched(keras, make(), monitor, values) for values in EPOCHS]
            return {"watched": watched, "text": text.getvalue().split("\n")}
        net, callback = model(keras), make()
        x, y = _data()
        if name == "TerminateOnNaN" and index:
            x[6] = np.nan
        listed = [callback, recorder(keras, seen)]
        history = net.fit(x, y, 4, epochs=4, verbose=0, shuffle=False, validation_data=(x[2:], y[2:]), callbacks=listed)
        net.evaluate(x, y, batch_size=4, verbose=0, callbacks=listed[1:])
        net.predict(x, batch_size=4, verbose=0, callbacks=listed[1:])
        files = {path: _read(Path(folder) / path) for path in sorted(os.listdir(folder))}
    printed = [] if name in SHOWN_BY_FIT else text.getvalue().replace(folder, "").split("\n")
    return {
        "seen": seen,
        "notes": notes,
        "text": printed,
        "files": files,
        "posted": _parsed(got),
        "epochs": history.epoch,
    }


def _read(path: Path) -> Any:
    """Return the cells of a log, and of a file of weights or a folder that it is there."""
    if path.is_dir():
        return "folder"
    if path.suffix == ".h5":
        return "weights"
    lines = path.read_text(encoding="utf-8").split("\n")
    separator = ";" if ";" in lines[0] else ","
    cells = [line.strip().split(separator) for line in lines if line]
    return [cells[0], *[plain([float(cell) for cell in row]) for row in cells[1:]]]


def _parsed(got: list[Any]) -> list[Any]:
    """Return what was posted, its numbers with six digits."""
    from urllib.parse import parse_qs

    parsed = []
    for path, kind, token, body in got:
        form = {} if body.startswith("{") else parse_qs(body)
        texts = {field: json.loads(values[0]) for field, values in form.items()} or json.loads(body)
        parsed.append([path, kind, token, plain(texts)])
    return parsed


if __name__ == "__main__":
    import keras

    table = {key(case): run(keras, case) for case in CASES}
    FILE.write_text(json.dumps(table, separators=(",", ":")).replace("},", "},\n") + "\n", encoding="utf-8")
