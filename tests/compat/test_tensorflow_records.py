"""TFRecord files: those of TensorFlow 2.15.1 are read, and what is written here is the same, byte by byte."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
FILE, PACKED = HERE / "tensorflow.tfrecord", HERE / "tensorflow.tfrecord.gz"


def specification(tf: Any) -> dict[str, Any]:
    return {
        "label": tf.io.FixedLenFeature([], tf.int64),
        "big": tf.io.FixedLenFeature([3], tf.int64),
        "numbers": tf.io.FixedLenFeature((2, 1), tf.float32),
        "text": tf.io.FixedLenFeature([], tf.string),
        "words": tf.io.VarLenFeature(tf.string),
        "missing": tf.io.FixedLenFeature([2], tf.float32, default_value=7.0),
    }


@pytest.mark.parametrize("options", [None, "GZIP"])
def test_records_of_tensorflow_are_read(options: str | None) -> None:
    import tensorflow as tf

    data = tf.data.TFRecordDataset(str(PACKED if options else FILE), compression_type=options)
    parsed = list(data.map(lambda record: tf.io.parse_single_example(record, specification(tf))))
    assert [int(one["label"]) for one in parsed] == [-1, 0, 1]
    assert [one["numbers"].numpy().tolist() for one in parsed] == [[[0], [-1.25]], [[0.5], [-1.25]], [[1], [-1.25]]]
    assert parsed[2]["text"].numpy() == "é2".encode()
    assert parsed[0]["big"].numpy().tolist() == [-(2**40), 2**62, 300]
    assert [one["words"].values.numpy().tolist() for one in parsed] == [[], [b"w"], [b"w", b"w"]]
    assert parsed[0]["missing"].numpy().tolist() == [7, 7]
    batch = next(iter(data.batch(3).map(lambda records: tf.io.parse_example(records, specification(tf)))))
    assert batch["big"].shape.as_list() == [3, 3]
    words = tf.sparse.to_dense(batch["words"], default_value="")
    assert words.numpy().tolist() == [[b"", b""], [b"w", b""], [b"w", b"w"]]


def test_what_is_written_is_what_tensorflow_writes(tmp_path: Path) -> None:
    import tensorflow as tf

    path = str(tmp_path / "out.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for record in tf.data.TFRecordDataset([str(FILE)]):
            example = tf.train.Example.FromString(record.numpy())
            assert example.features.feature["label"].int64_list.value[0] in (-1, 0, 1)
            writer.write(example.SerializeToString())
    assert Path(path).read_bytes() == FILE.read_bytes()
    for kind in ("GZIP", "ZLIB"):
        with tf.io.TFRecordWriter(path, tf.io.TFRecordOptions(compression_type=kind)) as writer:
            writer.write(b"one")
            writer.write(b"")
        assert [one.numpy() for one in tf.data.TFRecordDataset(path, kind)] == [b"one", b""]


def test_pictures_in_records_are_trained_on(tmp_path: Path) -> None:
    import tensorflow as tf

    path = str(tmp_path / "pictures.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for i in range(8):
            picture = tf.io.encode_png(np.full((4, 4, 3), i * 30, "uint8")).numpy()
            feature = {
                "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture])),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[i % 2])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())

    def read(record: Any) -> Any:
        parts = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}
        example = tf.io.parse_single_example(record, parts)
        image = tf.cast(tf.io.decode_png(example["image"], channels=3), tf.float32) / 255.0
        return tf.reshape(image, [4, 4, 3]), example["label"]

    data = tf.data.TFRecordDataset(path, num_parallel_reads=2).map(read).repeat().shuffle(8).batch(4)
    layers = [tf.keras.layers.Flatten(input_shape=(4, 4, 3)), tf.keras.layers.Dense(2, activation="softmax")]
    model = tf.keras.Sequential(layers)
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert len(model.fit(data, steps_per_epoch=3, epochs=2, verbose=0).history["loss"]) == 2


def test_what_is_refused(tmp_path: Path) -> None:
    import tensorflow as tf

    broken = tmp_path / "broken.tfrecord"
    for data in (b"no record at all", FILE.read_bytes()[:-7]):
        broken.write_bytes(data)
        with pytest.raises(ValueError, match="damaged"), warnings.catch_warnings():
            list(tf.data.TFRecordDataset(str(broken)))
    record = next(iter(tf.data.TFRecordDataset(str(FILE))))
    for features, text in (
        ({"absent": tf.io.FixedLenFeature([], tf.int64)}, "'absent' is missing"),
        ({"big": tf.io.FixedLenFeature([2], tf.int64)}, "'big' needs 2 values; it has 3"),
        ({"label": tf.io.FixedLenFeature([], tf.string)}, "'label' is a int64_list"),
    ):
        with pytest.raises(ValueError, match=text):
            tf.io.parse_single_example(record, features)
    with pytest.raises(ValueError, match=r"no tf\.train\.Example"):
        tf.io.parse_single_example(b"\xff\xff", {"a": tf.io.FixedLenFeature([], tf.int64)})
    with pytest.raises(TypeError, match="a list of bytes"):
        tf.train.Example(tf.train.Features({"a": tf.train.Feature(tf.train.BytesList(["text"]))})).SerializeToString()
