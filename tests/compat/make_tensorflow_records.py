"""Write a TFRecord file of TensorFlow 2.15: run in its environment, in this folder."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

train = tf.train


def example(i: int) -> bytes:
    features = {
        "label": train.Feature(int64_list=train.Int64List(value=[i - 1])),
        "big": train.Feature(int64_list=train.Int64List(value=[-(2**40), 2**62, 300])),
        "numbers": train.Feature(float_list=train.FloatList(value=[i * 0.5, -1.25])),
        "text": train.Feature(bytes_list=train.BytesList(value=[f"é{i}".encode()])),
        "words": train.Feature(bytes_list=train.BytesList(value=[b"w"] * i)),
    }
    made: bytes = train.Example(features=train.Features(feature=features)).SerializeToString(deterministic=True)
    return made


for suffix, options in (("", None), (".gz", "GZIP")):
    with tf.io.TFRecordWriter(str(Path(__file__).parent / f"tensorflow.tfrecord{suffix}"), options) as writer:
        for i in range(3):
            writer.write(example(i))
