"""Classic Keras in numpy: the rules in which Keras 1 to 2.3 differ from Keras 2.15, each with its source.

Sources are the public wheels Keras-2.0.8, Keras-2.2.4 and Keras-2.3.1; paths are those inside the wheel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
EPSILON = 1e-7  # keras/backend/common.py, epsilon(); the same in every release


# --- losses and weights ---


def categorical_crossentropy_clipped(y_true: Array, y_pred: Array) -> Array:
    """Scale to sum 1, clip to [ε, 1 − ε], −Σ t log p (2.2.4 backend, categorical_crossentropy)."""
    p = np.clip(y_pred / y_pred.sum(-1, keepdims=True), EPSILON, 1 - EPSILON)
    return -(y_true * np.log(p)).sum(-1)


def sparse_crossentropy_clipped(y_true: Array, y_pred: Array) -> Array:
    """Clip, take logs, normalise them by a softmax again (2.2.4 backend, sparse_categorical_crossentropy)."""
    logs = np.log(np.clip(y_pred, EPSILON, 1 - EPSILON))
    return crossentropy_of_logits(np.eye(y_pred.shape[-1])[y_true.astype(int).reshape(-1)], logs)


def binary_crossentropy_clipped(y_true: Array, y_pred: Array) -> Array:
    """Clip to [ε, 1 − ε], mean over the last axis (2.2.4, 2.0.8 and 1.2.2 backend, binary_crossentropy)."""
    p = np.clip(y_pred.astype("float32"), np.float32(EPSILON), np.float32(1) - np.float32(EPSILON)).astype("float64")
    return -(y_true * np.log(p) + (1 - y_true) * np.log(1 - p)).mean(-1)


def binary_crossentropy_shifted(y_true: Array, y_pred: Array) -> Array:
    """Clip, then add ε within the logarithms (2.3.1 backend hands over to tf.keras: backend.py of TensorFlow 2.0.0)."""
    p = np.clip(y_pred.astype("float32"), np.float32(EPSILON), np.float32(1) - np.float32(EPSILON)).astype("float64")
    return -(y_true * np.log(p + EPSILON) + (1 - y_true) * np.log(1 - p + EPSILON)).mean(-1)


def crossentropy_of_logits(y_true: Array, logits: Array) -> Array:
    """Cross-entropy from what goes into the softmax: nothing is clipped (2.3.1 backend, by way of tf.keras)."""
    shifted = logits - logits.max(-1, keepdims=True)
    return -(y_true * (shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))).sum(-1)


def binary_crossentropy_of_logits(y_true: Array, logits: Array) -> Array:
    """Binary cross-entropy from what goes into the sigmoid (2.3.1 backend, by way of tf.keras)."""
    return (np.maximum(logits, 0) - logits * y_true + np.log1p(np.exp(-np.abs(logits)))).mean(-1)


def cosine_proximity(y_true: Array, y_pred: Array, *, mean: bool) -> Array:
    """−Σ of the normalised product, in 2.0.8 its −mean (losses.py of 2.0.8, 2.2.4, 2.3.1, cosine_proximity)."""
    product = _unit(y_true) * _unit(y_pred)
    return -(product.mean(-1) if mean else product.sum(-1))


def _unit(x: Array) -> Array:
    return x / np.sqrt(np.maximum((x * x).sum(-1, keepdims=True), 1e-12))


def objective_by_nonzero(scores: Array, weights: Array | None = None, mask: Array | None = None) -> float:
    """Up to 2.2: divided by the share of valid steps and of weights that are not zero.

    2.2.4 engine/training_utils.py, weighted_masked_objective; 2.0.8 engine/training.py, _weighted_masked_objective.
    """
    if mask is not None:
        scores = scores * mask / mask.mean()
    if weights is not None:
        scores = scores.mean(axis=tuple(range(weights.ndim, scores.ndim))) * weights
        scores = scores / (weights != 0).mean()
    return float(scores.mean())


def objective_by_count(scores: Array, weights: Array | None = None, mask: Array | None = None) -> float:
    """2.3: weights and mask multiply, and the sum is divided by the number of all elements.

    2.3.1 utils/losses_utils.py, compute_weighted_loss, and engine/training.py, _prepare_total_loss.
    """
    if mask is not None:
        scores = scores * mask
    if weights is not None:
        scores = scores * weights.reshape(*weights.shape, *[1] * (scores.ndim - weights.ndim))
    return float(scores.sum() / scores.size)


def joined_weights(sample: Array, of_class: Array, *, multiply: bool) -> Array:
    """Multiply both (2.3), or let sample_weight win (up to 2.2): engine/training_utils.py, standardize_weights."""
    return sample * of_class if multiply else sample


# --- accuracy ---


def accuracy_kind(loss: str, units: int) -> str:
    """Resolve 'accuracy' by the loss.

    2.3.1 engine/training_utils.py, get_metric_function; 2.2.4 and 2.0.8 engine/training.py, compile.
    """
    if units == 1 or loss == "binary_crossentropy":
        return "binary"
    return "sparse" if loss == "sparse_categorical_crossentropy" else "categorical"


def accuracy(kind: str, y_true: Array, y_pred: Array) -> float:
    """Mean accuracy of the kind (metrics.py)."""
    if kind == "binary":
        return float((y_true == (y_pred > 0.5)).mean())
    labels = y_true.reshape(-1) if kind == "sparse" else y_true.argmax(-1)
    return float((labels == y_pred.argmax(-1)).mean())


# --- layers ---


def hard_sigmoid(x: Array) -> Array:
    """Clip 0.2 x + 0.5 to [0, 1] (backend/tensorflow_backend.py, hard_sigmoid)."""
    return np.clip(0.2 * x + 0.5, 0, 1)


def sigmoid(x: Array) -> Array:
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


Gate = Callable[[Array], Array]


def gru(x: Array, kernel: Array, recurrent: Array, bias: Array, gate: Gate) -> Array:
    """Last output of a GRU with reset_after=False (layers/recurrent.py, GRUCell)."""
    n = recurrent.shape[0]
    h = np.zeros((len(x), n))
    for t in range(x.shape[1]):
        projected = x[:, t] @ kernel + bias
        z = gate(projected[:, :n] + h @ recurrent[:, :n])
        r = gate(projected[:, n : 2 * n] + h @ recurrent[:, n : 2 * n])
        candidate = np.tanh(projected[:, 2 * n :] + (r * h) @ recurrent[:, 2 * n :])
        h = z * h + (1 - z) * candidate
    return h


def lstm(x: Array, kernel: Array, recurrent: Array, bias: Array, gate: Gate) -> Array:
    """Last output of an LSTM, gates in the order i, f, c, o (layers/recurrent.py, LSTMCell)."""
    n = recurrent.shape[0]
    h, c = np.zeros((len(x), n)), np.zeros((len(x), n))
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=1)
        c = gate(f) * c + gate(i) * np.tanh(g)
        h = gate(o) * np.tanh(c)
    return h


def moving_variance(x: Array, start: Array, momentum: float, epsilon: float, *, corrected: bool) -> Array:
    """Take in a batch's variance, times n / (n − 1 − ε) at every rank from 2.1.3 on.

    2.2.4 and 2.3.1 layers/normalization.py, call; 2.0.8 and 1.2.2 there take the variance as it is.
    Under TensorFlow 1 the fused kernel for 4-D input had corrected its variance once already; this is TensorFlow 2.
    """
    rows = x.reshape(-1, x.shape[-1])
    n = len(rows)
    variance = rows.var(axis=0) * (n / (n - (1.0 + epsilon)) if corrected else 1.0)
    return start * momentum + variance * (1 - momentum)


# --- initializers ---

TRUNCATED_STD = 0.87962566103423978  # of a standard normal cut at two deviations


def scaled_normal_std(scale: float, fan: float, *, cut: bool, corrected: bool) -> float:
    """Standard deviation that the normal distribution of a fan really has.

    2.2.4 initializers.py, VarianceScaling, divides by TRUNCATED_STD before it cuts; 2.0.8 only cuts; glorot_normal and
    he_normal of 1.2.2 initializations.py do not cut.
    """
    std = float(np.sqrt(scale / fan))
    return std if corrected or not cut else std * TRUNCATED_STD


# --- layers ---


def batch_dot(x: Array, y: Array, axes: tuple[int, int] | None = None) -> Array:
    """Equal ranks by axes of length 1, a product of the last two axes turned by `axes`, these axes off (2.2.4 backend).

    1.2.2 has the same for equal ranks, and nothing for others.
    """
    a, b = (x.ndim - 1, y.ndim - 2) if axes is None else axes
    if x.ndim == 2 and y.ndim == 2:
        return ((x if a == b else x.T) * y).sum(b)[:, None]
    rank, extra = max(x.ndim, y.ndim), abs(x.ndim - y.ndim)
    first = x.ndim + y.ndim - 3 if x.ndim > y.ndim else x.ndim - 1
    x, y = x.reshape(x.shape + (1,) * (rank - x.ndim)), y.reshape(y.shape + (1,) * (rank - y.ndim))
    x = x if a == rank - 1 else np.swapaxes(x, -1, -2)
    y = np.swapaxes(y, -1, -2) if b == rank - 1 else y
    return np.squeeze(np.matmul(x, y), tuple(range(first, first + extra)))


def time_distributed_dense(x: Array, kernel: Array, bias: Array | None = None, *, activation: str = "linear") -> Array:
    """x·W + b for each step, then the activation (1.2.2 layers/core.py, TimeDistributedDense)."""
    y = x @ kernel if bias is None else x @ kernel + bias
    return {"linear": lambda z: z, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[activation](y)  # type: ignore[no-any-return, operator]


def merge(arrays: list[Array], mode: str, *, concat_axis: int = -1, dot_axes: int | list[int] = -1) -> Array:
    """Join two arrays by a mode (1.2.2 engine/topology.py, Merge.call)."""
    one, other = arrays
    elementwise: dict[str, Callable[[], Array]] = {
        "sum": lambda: one + other,
        "mul": lambda: one * other,
        "ave": lambda: (one + other) / 2,
        "max": lambda: np.maximum(one, other),
        "concat": lambda: np.concatenate(arrays, axis=concat_axis),
    }
    if mode in elementwise:
        return elementwise[mode]()
    axes = (dot_axes, dot_axes) if isinstance(dot_axes, int) else tuple(dot_axes)
    product = _batch_dot(one, other, axes)
    if mode == "dot":
        return product
    return product / np.maximum(np.sqrt(_batch_dot(one, one, axes) * _batch_dot(other, other, axes)), EPSILON)


def _batch_dot(one: Array, other: Array, axes: tuple[int, int]) -> Array:
    if one.ndim == 2:
        return (one * other).sum(1, keepdims=True)
    return np.moveaxis(one, axes[0], -1) @ np.moveaxis(other, axes[1], 1)
