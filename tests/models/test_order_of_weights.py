"""The order of a subclassed model's weights where layers with statistics stand in lists, as Keras 2.15 lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from torchkeras_compat import compat

X = np.ones((2, 3), "float32")


@pytest.fixture(autouse=True)
def tf() -> Iterator[Any]:
    compat.install("tf.keras")
    import tensorflow

    yield tensorflow
    compat.uninstall()


def _norm(tf: Any, name: str) -> Any:
    return tf.keras.layers.BatchNormalization(name=name)


def _names(weights: Any) -> str:
    """Return the layers and the first letters of weights: `a.g a.b a.m a.v` for gamma, beta, mean and variance."""
    paths = [w.name.split("/")[-2:] for w in weights]
    return " ".join(f"{layer}.{name.removeprefix('moving_')[0]}" for layer, name in paths)


def _flat(tf: Any) -> Any:
    class Flat(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first = _norm(tf, "f")
            self.norms = [_norm(tf, "p"), _norm(tf, "q")]
            self.more = {"y": _norm(tf, "y"), "x": [tf.keras.layers.Dense(3, name="d"), _norm(tf, "x")]}

        def call(self, inputs: Any) -> Any:
            for layer in (self.first, *self.norms, *self.more["x"], self.more["y"]):
                inputs = layer(inputs)
            return inputs

    model = Flat()
    model(X)
    return model


def test_in_a_list_what_trains_comes_first(tf: Any) -> None:
    model = _flat(tf)
    first, rest = "f.g f.b f.m f.v", "d.k d.b x.g x.b y.g y.b x.m x.v y.m y.v"
    assert _names(model.weights) == f"{first} p.g p.b q.g q.b p.m p.v q.m q.v {rest}"
    assert _names(model.trainable_weights) == "f.g f.b p.g p.b q.g q.b d.k d.b x.g x.b y.g y.b"
    assert _names(model.non_trainable_weights) == "f.m f.v p.m p.v q.m q.v x.m x.v y.m y.v"
    model.norms[0].trainable = False
    assert _names(model.weights) == f"{first} q.g q.b p.g p.b p.m p.v q.m q.v {rest}"


def test_models_and_layers_in_lists(tf: Any) -> None:
    def block(base: Any, letters: str) -> Any:
        class Block(base):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.norm, self.norms = _norm(tf, letters[0]), [_norm(tf, letters[1])]

            def call(self, inputs: Any) -> Any:
                return self.norms[0](self.norm(inputs))

        return Block()

    class Outer(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.single = block(tf.keras.Model, "ab")
            self.blocks = [block(tf.keras.Model, "cd"), block(tf.keras.layers.Layer, "ef")]

        def call(self, inputs: Any) -> Any:
            for layer in (self.single, *self.blocks):
                inputs = layer(inputs)
            return inputs

    model = Outer()
    model(X)
    single = "a.g a.b a.m a.v b.g b.b b.m b.v"
    others = "c.m c.v d.m d.v e.m e.v f.m f.v"
    assert _names(model.weights) == f"{single} c.g c.b d.g d.b e.g e.b f.g f.b {others}"
    model.blocks[0].trainable = False
    others = "c.g c.b c.m c.v d.g d.b d.m d.v e.m e.v f.m f.v"
    assert _names(model.weights) == f"{single} e.g e.b f.g f.b {others}"


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5", ""])
def test_files_of_such_models(tf: Any, tmp_path: Any, suffix: str) -> None:
    model, other = _flat(tf), _flat(tf)
    values = [np.random.RandomState(i).rand(*w.shape) for i, w in enumerate(model.get_weights())]
    model.set_weights(values)
    model.save_weights(str(tmp_path / f"w{suffix}"))
    other.load_weights(str(tmp_path / f"w{suffix}"))
    for weight, value in zip(other.get_weights(), values):
        np.testing.assert_allclose(weight, value, rtol=1e-6)


def test_a_model_without_a_name_names_nothing(tf: Any) -> None:
    """As the block of a residual network in TensorFlow's tutorial, `super().__init__(name='')`."""

    class Block(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="")
            self.norm = _norm(tf, "n")

        def call(self, inputs: Any) -> Any:
            return self.norm(inputs)

    model = Block()
    model(X)
    assert [w.name for w in model.trainable_weights] == ["n/gamma:0", "n/beta:0"]
