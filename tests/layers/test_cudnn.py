"""CuDNNLSTM and CuDNNGRU beyond the contract: the layout of their weights, masks, dialects and where they are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat._core import dialects

L = keras.layers
RNG = np.random.RandomState(4)
X = RNG.normal(size=(2, 5, 3)).astype("float32")
PAIRS = [(L.CuDNNLSTM, L.LSTM, 4), (L.CuDNNGRU, L.GRU, 3)]


def built(cls: Any, **more: Any) -> Any:
    layer = cls(4, **more)
    layer._build_from(X.shape)
    return layer


def turned(kernel: Any, gates: int) -> Any:
    """Return the kernel of LSTM or GRU out of cuDNN's: that of each gate is read as (units, inputs) and transposed."""
    parts = np.split(kernel, gates, axis=1)
    return np.concatenate([part.reshape(part.shape[::-1]).T for part in parts], axis=1)


@pytest.mark.parametrize(("cls", "usual", "gates"), PAIRS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_the_usual_layer_with_another_layout(cls: Any, usual: Any, gates: int, dtype: str) -> None:
    options = {} if gates == 4 else {"reset_after": True}
    layer, other = built(cls, dtype=dtype, return_state=True), built(usual, dtype=dtype, return_state=True, **options)
    kernel, recurrent, bias = [RNG.normal(size=w.shape) for w in layer.get_weights()]
    layer.set_weights([kernel, recurrent, bias])
    both = bias.reshape(2, -1)
    other.set_weights([turned(kernel, gates), turned(recurrent, gates), both.sum(0) if gates == 4 else both])
    x = torch.tensor(X, dtype=getattr(torch, dtype))
    for ours, theirs in zip(layer(x), other(x)):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(("cls", "usual", "gates"), PAIRS)
def test_both_biases_learn(cls: Any, usual: Any, gates: int) -> None:
    model = keras.Sequential([cls(4, input_shape=X.shape[1:])])
    before = model.get_weights()[2].reshape(2, -1)
    model.compile("sgd", "mse")
    model.fit(X, np.ones((2, 4)), epochs=1, verbose=0)
    moved = model.get_weights()[2].reshape(2, -1) - before
    assert (moved != 0).all()
    np.testing.assert_allclose(moved[0, : 2 * 4], moved[1, : 2 * 4], atol=1e-6)


def test_the_forget_gate_begins_with_one_of_the_states_bias() -> None:
    bias = built(L.CuDNNLSTM).get_weights()[2]
    np.testing.assert_array_equal(bias, np.repeat([0, 0, 0, 0, 0, 1, 0, 0], 4))
    assert not built(L.CuDNNLSTM, unit_forget_bias=False).get_weights()[2].any()
    assert not built(L.CuDNNGRU).get_weights()[2].any()


@pytest.mark.parametrize("dialect", ["keras-1", "keras-2.2", "keras-2.3", "tf.keras"])
@pytest.mark.parametrize("cls", [L.CuDNNLSTM, L.CuDNNGRU])
def test_dialects_change_nothing_but_masks_are_refused_in_each(cls: Any, dialect: str) -> None:
    with dialects.using(dialect):
        layer = built(cls)
    assert (
        layer.cell.recurrent_activation is keras.activations.sigmoid if cls is L.CuDNNLSTM else layer.cell.reset_after
    )
    with pytest.raises(ValueError, match=r"it takes no masks, as cuDNN's kernels in Keras; write (LSTM|GRU)\(4, …\)"):
        layer._run(torch.tensor(X), torch.ones(2, 5, dtype=torch.bool), False)


def test_configurations_are_those_of_keras() -> None:
    expected = set(
        "name trainable dtype units kernel_initializer recurrent_initializer bias_initializer kernel_regularizer "
        "recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint recurrent_constraint "
        "bias_constraint return_sequences return_state go_backwards stateful time_major".split()
    )
    assert expected <= set(L.CuDNNGRU(4).get_config())
    beside = set("activation cell dropout implementation recurrent_activation reset_after unroll use_bias".split())
    assert not beside & set(L.CuDNNGRU(4).get_config())
    assert set(L.CuDNNLSTM(4).get_config()) == set(L.CuDNNGRU(4).get_config()) | {"unit_forget_bias"}


def test_they_stand_in_bidirectional_and_stateful_models() -> None:
    model = keras.Sequential([L.Bidirectional(L.CuDNNGRU(4, stateful=True), batch_input_shape=X.shape)])
    first, second = model.predict(X, batch_size=2), model.predict(X, batch_size=2)
    assert first.shape == (2, 8)
    assert not np.allclose(first, second)
    model.reset_states()
    np.testing.assert_allclose(model.predict(X, batch_size=2), first, rtol=1e-6)


@pytest.mark.parametrize(("cls", "usual", "gates"), PAIRS)
@pytest.mark.parametrize("options", [{}, {"by_name": True}, {"by_name": True, "reshape": True}], ids=str)
def test_files_are_those_of_the_same_layout(
    cls: Any, usual: Any, gates: int, options: dict[str, Any], tmp_path: Path
) -> None:
    def model(kind: Any) -> Any:
        more = {"reset_after": True} if kind is L.GRU else {}
        return keras.Sequential([kind(4, input_shape=X.shape[1:], name="recurrent", **more)])

    path = str(tmp_path / "weights.h5")
    saved, again = model(cls), model(cls)
    saved.save_weights(path)
    again.load_weights(path, **options)
    np.testing.assert_array_equal(again.predict(X), saved.predict(X))
    other = model(usual)  # whose weights are made of them
    other.load_weights(path, **options)
    np.testing.assert_allclose(other.predict(X), saved.predict(X), rtol=1e-5, atol=1e-6)
