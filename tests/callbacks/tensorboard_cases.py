"""What `TensorBoard` writes: one text, run with the package and once with Keras 2.15.

`python tests/callbacks/tensorboard_cases.py` in Keras's environment (see tests/golden/make_golden.py) writes
`tensorboard_2_15.json`: folder → tag → the steps and, where they do not depend on time, the values.
"""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).resolve().parent / "tensorboard_2_15.json"
Events = dict[str, dict[str, Any]]
GRAPH = "keras"  # the tag of a model in Keras; here a graph has no tag

X = np.random.RandomState(4).standard_normal((10, 3)).astype("float32")
Y = (X.sum(1, keepdims=True) > 0).astype("float32")
CHECK = (X[2:9], Y[2:9])


def _weighted(net: Any) -> Any:
    """Give a model weights that do not depend on who made it, of both signs and beyond 1."""
    rng = np.random.RandomState(3)
    net.set_weights([rng.standard_normal(w.shape).astype("float32") for w in net.get_weights()])
    return net


def _dense(keras: Any, rate: Any = 0.5) -> Any:
    layers = keras.layers
    net = keras.Sequential(
        [
            layers.Dense(4, activation="relu", input_shape=(3,), name="hidden"),
            layers.Dense(1, activation="sigmoid", name="out"),
        ]
    )
    net.compile(keras.optimizers.legacy.SGD(rate), "mse", metrics=["accuracy"])
    return _weighted(net)


def _fit(net: Any, *callbacks: Any, **arguments: Any) -> None:
    arguments = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0, **arguments}
    net.fit(X, Y, callbacks=list(callbacks), **arguments)


def defaults(keras: Any, folder: str) -> None:
    """Scalars of epochs, with validation."""
    _fit(_dense(keras), keras.callbacks.TensorBoard(folder), validation_data=CHECK)


def without_validation(keras: Any, folder: str) -> None:
    """Scalars of epochs in the folder of training alone; the rate that another callback puts into the logs."""
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.5 / (epoch + 1))
    _fit(_dense(keras), rate, keras.callbacks.TensorBoard(folder, write_graph=False))


def schedule(keras: Any, folder: str) -> None:
    """A rate that follows a schedule."""
    rate = keras.optimizers.schedules.ExponentialDecay(0.5, 2, 0.9)
    _fit(_dense(keras, rate), keras.callbacks.TensorBoard(folder), validation_data=CHECK, validation_freq=2)


def batches(keras: Any, folder: str) -> None:
    """Scalars of each batch, which Keras 2.15 writes with the speed alone."""
    board = keras.callbacks.TensorBoard(folder, update_freq="batch", write_steps_per_second=True)
    _fit(_dense(keras), board, validation_data=CHECK)


def two_fits(keras: Any, folder: str) -> None:
    """Scalars of every second batch, in two fits, the second from a later epoch."""
    net, board = _dense(keras), keras.callbacks.TensorBoard(folder, update_freq=2, write_steps_per_second=True)
    _fit(net, board)
    _fit(net, board, epochs=6, initial_epoch=4, validation_data=CHECK)


def speed(keras: Any, folder: str) -> None:
    """The speed of epochs."""
    _fit(_dense(keras), keras.callbacks.TensorBoard(folder, write_steps_per_second=True))


def evaluation(keras: Any, folder: str) -> None:
    """`evaluate`, before and after training."""
    net, board = _dense(keras), keras.callbacks.TensorBoard(folder)
    net.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[board])
    _fit(net, board, epochs=1)
    net.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[board])


def weights(keras: Any, folder: str) -> None:
    """Histograms and pictures of every second epoch."""
    board = keras.callbacks.TensorBoard(folder, histogram_freq=2, write_images=True)
    _fit(_dense(keras), board, validation_data=CHECK)


def pictures(keras: Any, folder: str) -> None:
    """Pictures of kernels of all shapes."""
    layers = keras.layers
    net = keras.Sequential(
        [
            layers.Conv2D(5, 3, input_shape=(8, 8, 1), name="one"),
            layers.Conv2D(4, 2, name="many"),
            layers.Reshape((-1, 4)),
            layers.Conv1D(2, 3, name="line"),
            layers.BatchNormalization(name="norm"),
            layers.LSTM(2, name="lstm"),
            layers.Dense(1, name="out"),
        ]
    )
    net.compile("sgd", "mse")
    _weighted(net)
    x = np.zeros((2, 8, 8, 1), "float32")
    board = keras.callbacks.TensorBoard(folder, histogram_freq=1, write_images=True)
    net.optimizer.learning_rate = 0.0
    net.fit(x, np.zeros((2, 1)), epochs=1, verbose=0, callbacks=[board])


def outputs(keras: Any, folder: str) -> None:
    """A model with two inputs and two outputs, and a model in it."""
    layers = keras.layers
    inner = keras.Sequential([layers.Dense(2, input_shape=(3,), name="deep")], name="inner")
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    joined = layers.concatenate([inner(a), layers.Dense(2, name="side")(b)], name="joined")
    net = keras.Model([a, b], [layers.Dense(1, name="p")(joined), layers.Dense(1, name="q")(joined)])
    net.compile(keras.optimizers.legacy.SGD(0.01), "mse", metrics={"p": ["mae"]})
    _weighted(net)
    board = keras.callbacks.TensorBoard(folder, histogram_freq=1, update_freq=1, write_steps_per_second=True)
    data = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
    net.fit([X, X], [Y, Y], validation_data=([X, X], [Y, Y]), callbacks=[board], **data)


CASES = {
    case.__name__: case
    for case in (
        defaults, without_validation, schedule, batches, two_fits, speed, evaluation, weights, pictures, outputs,
    )
}  # fmt: skip


# --- reading -------------------------------------------------------------------------------------------------------


def number(value: Any) -> float:
    """Return a number with six digits."""
    return float(f"{float(value):.6g}")


def _pixels(png: bytes) -> Any:
    try:
        from PIL import Image
    except ImportError:  # in Keras's environment
        import tensorflow as tf

        return np.squeeze(tf.io.decode_png(png).numpy()).tolist()
    pixels = np.asarray(Image.open(io.BytesIO(png)))
    if pixels.shape[-1] == 3 and (pixels == pixels[..., :1]).all():  # torch writes grey levels as three colours
        pixels = pixels[..., 0]
    return np.squeeze(pixels).tolist()


def _histogram(least: float, most: float, counts: Any) -> list[float]:
    """Return the edges and the counts; a value alone has one bucket, whoever writes it."""
    return [number(least), number(most), *(map(number, counts) if most > least else [number(np.sum(counts))])]


def _tensor_value(plugin: str, values: Any) -> Any:
    """Return what an event of TensorFlow 2 holds."""
    if plugin == "scalars":
        return number(values)
    if plugin == "images":  # width, height, and the pictures
        return [_pixels(png) for png in values.reshape(-1)[2:]]
    if plugin == "histograms":  # left edge, right edge and count of each bucket
        return _histogram(values[0, 0], values[-1, 1], values[:, 2])
    return None


def read(folder: str) -> Events:
    """Return what is in the event files under a folder, by tensorboard's own reader.

    A scalar is a number, a histogram its least and greatest value and its counts, pictures are lists of pixels.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    events: Events = {}
    for place in sorted({str(path.parent) for path in Path(folder).rglob("*tfevents*")}):
        board = EventAccumulator(place, {"tensors": 0, "scalars": 0, "histograms": 0, "images": 0})
        board.Reload()
        tags = board.Tags()
        name = os.path.relpath(place, folder)
        events[name] = {}
        for tag in tags["scalars"]:
            events[name][tag] = [[e.step, number(e.value)] for e in board.Scalars(tag)]
        for tag in tags["histograms"]:
            values = [(e.step, e.histogram_value) for e in board.Histograms(tag)]  # with an empty bucket in front
            events[name][tag] = [[step, _histogram(h.min, h.max, h.bucket[1:])] for step, h in values]
        for tag in tags["images"]:
            steps: dict[int, Any] = dict(events[name].get(whole := re.sub(r"/\d+$", "", tag), []))
            for e in board.Images(tag):
                steps.setdefault(e.step, []).append(_pixels(e.encoded_image_string))
            events[name][whole] = list(steps.items())
        if tags["graph"]:
            events[name].setdefault(GRAPH, [[0, None]])
        for tag in tags["tensors"]:
            plugin = board.SummaryMetadata(tag).plugin_data.plugin_name
            made = [(e.step, tensor_util.make_ndarray(e.tensor_proto)) for e in board.Tensors(tag)]
            events[name][tag] = [[step, _tensor_value(plugin, values)] for step, values in made]
    return events


def run(keras: Any, name: str) -> Events:
    """Return what the callback writes in a case.

    Args:
        keras: The module.
        name: The name of the case.
    """
    with tempfile.TemporaryDirectory() as folder:
        CASES[name](keras, folder)
        events = read(folder)
    for tags in events.values():
        for tag in tags:
            if "per_second" in tag:
                tags[tag] = [[step, None] for step, _ in tags[tag]]
    return events


if __name__ == "__main__":
    import keras

    table = {name: run(keras, name) for name in CASES}
    for tags in (tags for places in table.values() for tags in places.values() if GRAPH in tags):
        tags[GRAPH] = tags[GRAPH][:1]  # once for each call
    FILE.write_text(json.dumps(table, separators=(",", ":")).replace("},", "},\n") + "\n", encoding="utf-8")
