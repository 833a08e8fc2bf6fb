"""cuDNN's recurrent operation on a CPU, where TensorFlow has none, so that Keras's own layers run around it.

Everything that Keras decides is Keras's: how the weights become cuDNN's row of numbers, and what the layers make of the
result. What the operation computes is NVIDIA's definition (cuDNN reference, `cudnnRNNMode_t`): each gate has a matrix
and a bias of the input, and both of the state; the row has all matrices of the input, those of the state, and the
biases in the same order. Gates are i, f, g, o for LSTM and r, z, n for GRU.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
import tensorflow.compat.v2 as tf2  # what Keras itself imports

CLASSES = ("CuDNNLSTM", "CuDNNGRU")


def install() -> None:
    """Put the operation in TensorFlow's place, and the layers of `compat.v1` among those of Keras."""
    tf2.raw_ops.CudnnRNNV2 = _cudnn_rnn
    for name in CLASSES:
        setattr(keras.layers, name, getattr(tf.compat.v1.keras.layers, name))


def _cudnn_rnn(
    *, input: Any, input_h: Any, input_c: Any, params: Any, is_training: bool, rnn_mode: str = "lstm"
) -> tuple[Any, ...]:
    gates, features, units = {"lstm": 4, "gru": 3}[rnn_mode], input.shape[-1], input_h.shape[-1]
    shapes = [[units, features]] * gates + [[units, units]] * gates + [[units]] * (2 * gates)
    sizes = [shape[0] * (shape[1] if len(shape) > 1 else 1) for shape in shapes]
    parts = [tf.reshape(part, shape) for part, shape in zip(tf.split(params, sizes), shapes)]
    w, r, bw, br = (parts[i * gates : (i + 1) * gates] for i in range(4))
    h, c, outputs = input_h[0], input_c, []
    for x in tf.unstack(input):
        of_x = [x @ tf.transpose(m) + b for m, b in zip(w, bw)]
        of_h = [h @ tf.transpose(m) + b for m, b in zip(r, br)]
        if rnn_mode == "lstm":
            i, f, g, o = (a + b for a, b in zip(of_x, of_h))
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c[0])
        else:
            reset, keep = (tf.sigmoid(a + b) for a, b in zip(of_x[:2], of_h[:2]))
            h = (1 - keep) * tf.tanh(of_x[2] + reset * of_h[2]) + keep * h
        outputs.append(h)
    return tf.stack(outputs), h[tf.newaxis], c, None, None
