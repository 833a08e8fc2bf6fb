"""Rescaling, Normalization and the layers that fix the size of pictures, beyond what every layer promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat.layers.preprocessing.base import PreprocessingLayer

RNG = np.random.default_rng(3)
DATA = RNG.normal(2, 3, (70, 3)).astype("float32")


class Batches(keras.utils.Sequence):
    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> Any:
        return DATA[10 * index : 10 * index + 10]


def generator() -> Iterator[Any]:
    for start in range(0, 70, 7):
        yield DATA[start : start + 7]


@pytest.mark.parametrize(
    "data",
    [DATA, DATA.tolist(), torch.tensor(DATA), pd.DataFrame(DATA), generator(), Batches()],
    ids="array list tensor frame generator sequence".split(),
)
def test_what_adapt_takes(data: Any) -> None:
    layer = L.Normalization()
    assert not layer.is_adapted
    layer.adapt(data)
    assert layer.is_adapted
    np.testing.assert_allclose(layer.mean.numpy(), DATA.mean(0)[None], rtol=1e-4)
    np.testing.assert_allclose(layer.variance.numpy(), DATA.var(0)[None], rtol=1e-4)
    assert int(layer.get_weights()[2]) == 70


def test_adapt_starts_anew_and_steps_limit_it() -> None:
    layer = L.Normalization()
    layer.adapt(DATA + 100)
    layer.adapt(DATA, batch_size=10, steps=2)
    np.testing.assert_allclose(layer.mean.numpy()[0], DATA[:20].mean(0), rtol=1e-4)
    layer.reset_state()
    assert not layer.is_adapted
    assert [w.tolist() for w in layer.get_weights()] == [[0, 0, 0], [1, 1, 1], 0]


def test_adapt_refuses() -> None:
    with pytest.raises(ValueError, match="adapt has nothing to learn"):
        L.Normalization(mean=0.0, variance=1.0).adapt(DATA)
    with pytest.raises(ValueError, match="needs a sample"):
        L.Normalization().adapt(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="batch_size must be None where data come in batches"):
        L.Normalization().adapt(generator(), batch_size=4)
    with pytest.raises(ValueError, match="axis=\\(3,\\) must name axes of the input"):
        L.Normalization(axis=3).adapt(DATA)
    with pytest.raises(ValueError, match="fit the shape \\(3,\\) of the kept axes; got shape \\(2,\\)"):
        L.Normalization(mean=[1.0, 2.0], variance=1.0)(DATA)


def test_weights_of_an_adapted_layer_go_to_another() -> None:
    layer = L.Normalization()
    layer.adapt(DATA)
    other = L.Normalization.from_config(layer.get_config())
    other.build((None, 3))
    other.set_weights(layer.get_weights())
    torch.testing.assert_close(other(DATA), layer(DATA), rtol=0, atol=0)
    assert [w.dtype.name for w in other.get_weights()] == ["float32", "float32", "int64"]
    given = L.Normalization(weights=layer.get_weights())
    torch.testing.assert_close(given(DATA), layer(DATA), rtol=0, atol=0)


def test_files_keep_what_was_learnt(tmp_path: Any) -> None:
    def model() -> Any:
        return keras.Sequential([L.Input((3,)), L.Normalization(name="scaled"), L.Dense(2)])

    one, other = model(), model()
    one.layers[0].adapt(DATA)
    one.save_weights(tmp_path / "weights.h5")
    other.load_weights(tmp_path / "weights.h5")
    np.testing.assert_allclose(other.predict(DATA, verbose=0), one.predict(DATA, verbose=0), rtol=1e-6)


def test_training_leaves_the_statistics() -> None:
    normalizer = L.Normalization()
    normalizer.adapt(DATA)
    model = keras.Sequential([normalizer, L.Dense(1)])
    model.compile("sgd", "mse")
    before = normalizer.get_weights()
    model.fit(DATA, DATA[:, :1], epochs=2, verbose=0)
    for old, new in zip(before, normalizer.get_weights()):
        np.testing.assert_array_equal(new, old)
    assert [w.name.split("/")[-1] for w in model.trainable_weights] == ["kernel:0", "bias:0"]


def test_functional_from_bytes() -> None:
    x = L.Input((4, 5, 3), dtype="uint8")
    y = L.Rescaling(1 / 255)(L.CenterCrop(2, 2)(L.Resizing(3, 3)(x)))
    model = keras.Model(x, y)
    pictures = RNG.integers(0, 256, (2, 4, 5, 3)).astype("uint8")
    expected = L.CenterCrop(2, 2)(L.Resizing(3, 3)(pictures.astype("float32"))) / 255
    np.testing.assert_allclose(model.predict(pictures, verbose=0), expected.numpy(), rtol=1e-5)
    assert model.output_shape == (None, 2, 2, 3)


@pytest.mark.parametrize("layer", [L.Resizing(2, 3), L.CenterCrop(2, 3)], ids=lambda layer: layer.name)
def test_rank_of_pictures(layer: Any) -> None:
    picture = RNG.normal(size=(4, 5, 1)).astype("float32")
    torch.testing.assert_close(layer(picture), layer(picture[None])[0])
    with pytest.raises(ValueError, match="3 axes or 4 axes"):
        type(layer)(2, 3)(np.zeros((4, 5)))


def test_a_layer_of_a_users() -> None:
    class Largest(PreprocessingLayer):
        largest = 0.0

        def update_state(self, data: Any) -> None:
            self.largest = max(self.largest, float(np.max(data)))

        def reset_state(self) -> None:
            self.largest = 0.0

        def call(self, inputs: Any) -> Any:
            return inputs / self.largest

    layer = Largest()
    layer.adapt([[8.0], [2.0]], batch_size=1)
    assert layer([[4.0]]).tolist() == [[0.5]]
    layer.adapt([[2.0]])
    assert layer.largest == 2.0
    assert layer.is_adapted
    layer.reset_state()
    assert not layer.is_adapted
    with pytest.raises(NotImplementedError, match=r"write update_state\(self, data\)"):
        PreprocessingLayer().adapt([1.0])
