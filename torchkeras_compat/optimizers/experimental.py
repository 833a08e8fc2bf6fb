"""The newer optimizers of Keras 2.11–2.15: the same classes, made under the dialect `keras-2.15`."""

from __future__ import annotations

from .._core.config import with_dialect
from . import _adam, _adaptive, _lion, _rmsprop, _sgd
from .optimizer import Optimizer

Adadelta = with_dialect(_adaptive.Adadelta, "keras-2.15", __name__)
Adagrad = with_dialect(_adaptive.Adagrad, "keras-2.15", __name__)
Adafactor = with_dialect(_adaptive.Adafactor, "keras-2.15", __name__)
Adam = with_dialect(_adam.Adam, "keras-2.15", __name__)
AdamW = with_dialect(_adam.AdamW, "keras-2.15", __name__)
Adamax = with_dialect(_adam.Adamax, "keras-2.15", __name__)
Ftrl = with_dialect(_adaptive.Ftrl, "keras-2.15", __name__)
Lion = with_dialect(_lion.Lion, "keras-2.15", __name__)
Nadam = with_dialect(_adam.Nadam, "keras-2.15", __name__)
RMSprop = with_dialect(_rmsprop.RMSprop, "keras-2.15", __name__)
SGD = with_dialect(_sgd.SGD, "keras-2.15", __name__)

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
]
