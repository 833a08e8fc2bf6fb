"""The function by which the optimizers of Keras 1 and 2 bounded gradients."""

from __future__ import annotations

from typing import Any

from ... import backend as K


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """Return a gradient of at most a norm; source: `keras/optimizers.py`, Keras 1.2.2.

    Args:
        g: The gradient.
        c: The norm that it may have; 0 for any.
        n: The norm that it has.

    Example:
        >>> clip_norm(K.constant([3., 4.]), 1., 5.).tolist()
        [0.6..., 0.8...]
    """
    return g * K.minimum(K.cast_to_floatx(1.0), c / K.maximum(n, c)) if c > 0 else g
