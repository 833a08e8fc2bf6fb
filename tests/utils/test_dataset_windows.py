"""Data sets of data sets and other changes of `tf.data`; the values are those of TensorFlow 2.15.1."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat.utils.dataset import Dataset
from torchkeras_compat.utils.text_dataset import text_lines

SEVEN = Dataset.range(7)


def shown(value: Any) -> Any:
    if isinstance(value, Dataset):
        return [shown(item) for item in value]
    if isinstance(value, tuple):
        return tuple(map(shown, value))
    return {key: shown(part) for key, part in value.items()} if isinstance(value, dict) else value.tolist()


def repeated(x: Any) -> Dataset:
    return Dataset.from_tensors(x).repeat(6)


def filled(x: Any) -> Any:
    return torch.full((int(x),), int(x))


CASES: dict[str, tuple[Callable[[], Any], Any]] = {
    "window": (lambda: SEVEN.window(3), [[0, 1, 2], [3, 4, 5], [6]]),
    "window, shift": (lambda: SEVEN.window(4, shift=3), [[0, 1, 2, 3], [3, 4, 5, 6], [6]]),
    "window, whole": (lambda: SEVEN.window(5, shift=1, drop_remainder=True), [[*range(i, i + 5)] for i in range(3)]),
    "window, stride": (lambda: SEVEN.window(3, shift=2, stride=2), [[0, 2, 4], [2, 4, 6], [4, 6], [6]]),
    "window, stride, whole": (lambda: SEVEN.window(3, 1, 2, True), [[0, 2, 4], [1, 3, 5], [2, 4, 6]]),
    "window, gaps": (lambda: SEVEN.window(2, shift=3), [[0, 1], [3, 4], [6]]),
    "window, wide gaps": (lambda: SEVEN.window(2, shift=5, stride=2), [[0, 2], [5]]),
    "flat_map": (
        lambda: SEVEN.window(5, shift=1, drop_remainder=True).flat_map(lambda window: window.batch(5)),
        [[*range(i, i + 5)] for i in range(3)],
    ),
    "characters": (
        lambda: (
            SEVEN.window(4, shift=2, drop_remainder=True)
            .flat_map(lambda window: window.batch(4))
            .map(lambda window: (window[:-1], window[1:]))
            .batch(2)
            .prefetch(1)
        ),
        [([[0, 1, 2], [2, 3, 4]], [[1, 2, 3], [3, 4, 5]])],
    ),
    "windows of pairs": (
        lambda: (
            Dataset.from_tensor_slices((np.arange(4), np.arange(4) * 10))
            .window(2)
            .flat_map(lambda a, b: Dataset.zip((a.batch(2), b.batch(2))))
        ),
        [([0, 1], [0, 10]), ([2, 3], [20, 30])],
    ),
    "windows of dictionaries": (
        lambda: (
            Dataset.from_tensor_slices({"a": np.arange(4)})
            .window(2)
            .map(lambda window: window["a"].batch(2).get_single_element())
        ),
        [[0, 1], [2, 3]],
    ),
    "interleave, blocks": (
        lambda: Dataset.range(1, 6).interleave(repeated, cycle_length=2, block_length=4),
        [*[1] * 4, *[2] * 4, 1, 1, 2, 2, *[3] * 4, *[4] * 4, 3, 3, 4, 4, *[5] * 6],
    ),
    "interleave": (
        lambda: Dataset.range(4).interleave(lambda x: Dataset.range(x, x + 2), cycle_length=3),
        [0, 1, 2, 1, 2, 3, 3, 4],
    ),
    "interleave, uneven": (
        lambda: Dataset.range(5).interleave(lambda x: Dataset.range(x), cycle_length=2, block_length=2),
        [0, 0, 1, 0, 1, 2, 0, 1, 2, 3],
    ),
    "padded_batch": (
        lambda: Dataset.range(1, 5).map(filled).padded_batch(2),
        [[[1, 0], [2, 2]], [[3, 3, 3, 0], [4, 4, 4, 4]]],
    ),
    "padded_batch, shape and value": (
        lambda: Dataset.range(1, 4).map(filled).padded_batch(2, padded_shapes=[4], padding_values=-1),
        [[[1, -1, -1, -1], [2, 2, -1, -1]], [[3, 3, 3, -1]]],
    ),
    "padded_batch of pairs": (
        lambda: Dataset.from_generator(lambda: [([1], 1), ([1, 2], 2)]).padded_batch(2, padded_shapes=([None], [])),
        [([[1, 0], [1, 2]], [1, 2])],
    ),
    "shard": (lambda: SEVEN.shard(3, 1), [1, 4]),
    "take_while": (lambda: SEVEN.take_while(lambda x: x < 4), [0, 1, 2, 3]),
    "scan": (lambda: SEVEN.scan(0, lambda state, x: (state + x, state + x)), [0, 1, 3, 6, 10, 15, 21]),
    "apply": (lambda: SEVEN.apply(lambda data: data.take(2)), [0, 1]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_comes_out(case: str) -> None:
    make, expected = CASES[case]
    dataset = make()
    assert shown(dataset) == expected
    assert shown(dataset) == expected  # a second pass


def test_values_and_lengths() -> None:
    assert int(SEVEN.reduce(np.int64(0), lambda state, x: state + x)) == 21
    assert int(Dataset.range(1).get_single_element()) == 0
    lengths = [SEVEN.window(3), SEVEN.window(3, 1), SEVEN.window(3, 1, 2, True), SEVEN.shard(3, 1)]
    assert list(map(len, lengths)) == [3, 7, 3, 2]
    with pytest.raises(ValueError, match="one element is expected; got 2"):
        SEVEN.get_single_element()
    with pytest.raises(ValueError, match="does not fit into"):
        shown(Dataset.range(3, 4).map(filled).padded_batch(1, padded_shapes=[2]))


def test_a_model_trains_on_windows() -> None:
    series = np.sin(np.arange(60.0)).astype("float32")
    data = Dataset.from_tensor_slices(series).window(6, shift=1, drop_remainder=True).flat_map(lambda w: w.batch(6))
    data = data.shuffle(20).map(lambda w: (w[:-1, None], w[-1])).batch(8).prefetch(1)
    model = keras.Sequential([keras.layers.SimpleRNN(4, input_shape=(None, 1)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    losses = model.fit(data, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_files_and_their_lines(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_bytes(b"a b\nc\n")
    (tmp_path / "2.txt").write_bytes(b"d\r\n\ne")
    with gzip.open(tmp_path / "3.gz", "wb") as file:
        file.write(b"f\n")
    files = Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False)
    assert shown(files) == [str(tmp_path / name).encode() for name in ("1.txt", "2.txt")]
    assert sorted(shown(Dataset.list_files([str(tmp_path / "*.gz"), str(tmp_path / "1.*")]))) == [
        str(tmp_path / name).encode() for name in ("1.txt", "3.gz")
    ]
    assert shown(text_lines(str(tmp_path / "1.txt"))) == [b"a b", b"c"]
    assert shown(text_lines(files)) == [b"a b", b"c", b"d", b"", b"e"]
    assert shown(files.interleave(text_lines, cycle_length=2)) == [b"a b", b"d", b"c", b"", b"e"]
    assert shown(text_lines([str(tmp_path / "3.gz")], "GZIP")) == [b"f"]
    with pytest.raises(ValueError, match="no file matches"):
        Dataset.list_files(str(tmp_path / "*.csv"))
    with pytest.raises(ValueError, match="compression_type"):
        text_lines("x", "ZLIB")
