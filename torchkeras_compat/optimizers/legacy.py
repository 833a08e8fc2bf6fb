"""The optimizers of TensorFlow 2.0–2.10: the same classes, made under the dialect `tf.keras`."""

from __future__ import annotations

from .._core.config import with_dialect
from . import _adam, _adaptive, _rmsprop, _sgd
from .optimizer import Optimizer

Adadelta = with_dialect(_adaptive.Adadelta, "tf.keras", __name__)
Adagrad = with_dialect(_adaptive.Adagrad, "tf.keras", __name__)
Adam = with_dialect(_adam.Adam, "tf.keras", __name__)
Adamax = with_dialect(_adam.Adamax, "tf.keras", __name__)
Ftrl = with_dialect(_adaptive.Ftrl, "tf.keras", __name__)
Nadam = with_dialect(_adam.Nadam, "tf.keras", __name__)
RMSprop = with_dialect(_rmsprop.RMSprop, "tf.keras", __name__)
SGD = with_dialect(_sgd.SGD, "tf.keras", __name__)

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]
