"""Attributes of layers and tensors by the names of Keras 1 (1.2.2), and what today's layers have instead."""

from __future__ import annotations

import numpy as np
import pytest

from torchkeras_compat import backend as K
from torchkeras_compat import layers, models
from torchkeras_compat._core.border import KerasSpellingWarning

pytestmark = pytest.mark.filterwarnings("ignore::torchkeras_compat._core.border.KerasSpellingWarning")


def test_weights() -> None:
    embedding, lstm, dense = layers.Embedding(5, 4), layers.LSTM(2), layers.Dense(3)
    model = models.Sequential([layers.Input((3,)), embedding, lstm, dense, layers.BatchNormalization()])
    old = (embedding.W, lstm.W, lstm.U, lstm.b, dense.W, dense.b)
    for variable, value in zip(old, model.get_weights()):
        np.testing.assert_array_equal(K.get_value(variable), value)
    np.testing.assert_array_equal(dense.W.get_value(borrow=True), dense.get_weights()[0])
    dense.b.set_value(np.ones(3))
    np.testing.assert_array_equal(dense.get_weights()[1], np.ones(3))
    np.testing.assert_array_equal(model.layers[-1].running_mean.get_value(), np.zeros(3))


def test_arguments() -> None:
    conv = layers.Conv2D(2, (3, 5), padding="same", kernel_regularizer="l2", input_shape=(4, 4, 1))
    said = [conv.nb_filter, conv.border_mode, conv.subsample, conv.dim_ordering, conv.W_regularizer, conv.init]
    assert said == [2, "same", (1, 1), "tf", conv.kernel_regularizer, conv.kernel_initializer]
    assert layers.Dropout(0.25).p == 0.25
    assert layers.GRU(7).output_dim == 7
    assert layers.Embedding(9, 7).output_dim == 7


def test_a_subclass_of_a_layer_reads_its_weights_by_the_names_of_its_time() -> None:
    class Doubled(layers.Dense):
        def call(self, x: object, mask: object = None) -> object:
            return K.dot(x, 2 * self.W) + self.b

    layer = Doubled(2, input_dim=3)
    model = models.Sequential([layer])
    x = np.eye(3)
    np.testing.assert_allclose(model.predict(x), x @ (2 * layer.get_weights()[0]), rtol=1e-6)


def test_what_is_told_and_what_is_not_there() -> None:
    layer = layers.Dense(2)
    assert not hasattr(layer, "W")  # it is not built
    assert not hasattr(layer, "nb_filter")
    assert not hasattr(layer, "nonsense")
    layer.build((None, 3))
    with pytest.warns(KerasSpellingWarning, match=r"Dense\(\.W=…\)|Dense\.W"):
        _ = layer.W


def test_a_layer_without_a_bias_has_none() -> None:
    """Keras 2.15: `layer.bias` is None where `use_bias=False`."""
    for layer in (layers.Dense(2, use_bias=False, input_dim=3), layers.Conv1D(2, 1, use_bias=False)):
        layer.build((None, 3, 3))
        assert layer.bias is None
        assert len(layer.weights) == 1


def test_the_learning_phase_of_a_tensor() -> None:
    x = layers.Input((3,))
    hidden = layers.Dense(2)(x)
    dropped = layers.Dropout(0.5)(hidden)
    last = layers.Dense(1)(dropped)
    assert [t._uses_learning_phase for t in (x, hidden, dropped, last, last * 2)] == [False, False, True, True, True]
