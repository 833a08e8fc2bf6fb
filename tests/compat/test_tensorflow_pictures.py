"""`tf.image` and `tf.nn` in models, their gradients by TensorFlow 2.15, and what is drawn by chance."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk

from .tensorflow_cases import A, G, U, W
from .tensorflow_gradients import GRADIENTS, WITHOUT, weights_of

FUNCTIONS = {**GRADIENTS, **WITHOUT}
EXPECTED = np.load(Path(__file__).parent / "tensorflow_gradients.npz")


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_are_those_of_tensorflow(name: str) -> None:
    import tensorflow as tf

    function, value = GRADIENTS[name]
    x = torch.tensor(value, requires_grad=True)
    y = function(tf, x)
    (y * torch.tensor(weights_of(y.shape))).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), EXPECTED[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_symbolic_tensors_and_lambdas(name: str) -> None:
    import tensorflow as tf

    function, value = FUNCTIONS[name]
    expected = np.asarray(function(tf, tf.constant(value)))
    x = tf.keras.Input(value.shape[1:])
    y = function(tf, x)
    assert tuple(y.shape)[1:] == expected.shape[1:]
    np.testing.assert_allclose(tf.keras.Model(x, y).predict(value, verbose=0), expected, rtol=1e-5, atol=1e-6)
    layer = tf.keras.layers.Lambda(lambda t: function(tf, t))
    model = tf.keras.Sequential([tf.keras.Input(value.shape[1:]), layer])
    assert model.output_shape[1:] == expected.shape[1:]
    np.testing.assert_allclose(model.predict(value, verbose=0), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["image resize", "conv2d", "space to depth", "hue"])
def test_models_with_such_functions_are_saved(name: str) -> None:
    import tensorflow as tf

    function, value = FUNCTIONS[name]
    x = tf.keras.Input(value.shape[1:])
    model = tf.keras.Model(x, function(tf, x))
    again = tf.keras.models.model_from_json(model.to_json())
    np.testing.assert_array_equal(again.predict(value, verbose=0), model.predict(value, verbose=0))
    assert "TFOpLambda" in {layer["class_name"] for layer in json.loads(model.to_json())["config"]["layers"]}


def test_pictures_by_chance() -> None:
    import tensorflow as tf

    many = np.tile(G[:1], (64, 1, 1, 1))
    tf.random.set_seed(3)
    flipped = tf.image.random_flip_left_right(many).numpy()
    mirrored = [np.array_equal(one, G[0, :, ::-1]) for one in flipped]
    assert 10 < sum(mirrored) < 54
    assert all(m or np.array_equal(one, G[0]) for m, one in zip(mirrored, flipped))
    upside_down = {tf.image.random_flip_up_down(U[0]).numpy().tobytes() for _ in range(20)}
    assert upside_down == {U[0].tobytes(), U[0, ::-1].tobytes()}
    deltas = [float((tf.image.random_brightness(G, 0.2) - G).mean()) for _ in range(50)]
    assert -0.2 < min(deltas) < -0.1 < 0.1 < max(deltas) < 0.2
    factors = [float(tf.image.random_contrast(G, 0.5, 1.5).numpy().std() / G.std()) for _ in range(50)]
    assert 0.5 < min(factors) < 0.7 < 1.3 < max(factors) < 1.5
    windows = {tf.image.random_crop(U[0], [4, 4, 3]).numpy().tobytes() for _ in range(60)}
    assert windows == {U[0, i : i + 4, j : j + 4].tobytes() for i in range(3) for j in range(2)}
    assert tf.image.random_hue(U, 0.1).shape == tf.image.random_saturation(U, 0.5, 2).shape == U.shape
    first, second = (tf.image.random_brightness(G, 0.2, seed=5) for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.isin(np.asarray(tf.nn.dropout(np.ones((9, 9), "float32"), 0.5)), [0, 2]).all()


def test_the_batch_of_the_vision_transformer() -> None:
    """The layer of keras.io that cuts pictures into patches."""
    import tensorflow as tf

    class Patches(tf.keras.layers.Layer):
        def __init__(self, patch_size: int) -> None:
            super().__init__()
            self.patch_size = patch_size

        def call(self, images: Any) -> Any:
            batch_size = tf.shape(images)[0]
            patches = tf.image.extract_patches(
                images=images,
                sizes=[1, self.patch_size, self.patch_size, 1],
                strides=[1, self.patch_size, self.patch_size, 1],
                rates=[1, 1, 1, 1],
                padding="VALID",
            )
            patch_dims = patches.shape[-1]
            return tf.reshape(patches, [batch_size, -1, patch_dims])

    inputs = tf.keras.Input((6, 4, 3))
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(5)(Patches(2)(inputs)))
    assert model.output_shape == (None, 6, 5)
    assert Patches(2)(G[:, :, :4]).shape == (2, 6, 12)
    np.testing.assert_array_equal(Patches(2)(G[:, :, :4])[0, 3].numpy(), G[0, 2:4, 2:4].ravel())


Raised = tuple[Callable[[Any], Any], str]
WRONG: dict[str, Raised] = {
    "size": (lambda tf: tf.image.resize(G, [3]), r"size=\[3\]\): size must be \(height, width\)"),
    "method": (lambda tf: tf.image.resize(G, [3, 3], "cubic"), "method must be one of"),
    "axes": (lambda tf: tf.image.resize(A, [3, 3]), "of three or four axes"),
    "fraction": (lambda tf: tf.image.central_crop(G, 0.0), "central_fraction must be a number in"),
    "window": (lambda tf: tf.image.crop_to_bounding_box(G, 4, 0, 3, 2), "inside"),
    "frame": (lambda tf: tf.image.pad_to_bounding_box(G, 4, 0, 3, 2), "around"),
    "crop": (lambda tf: tf.image.random_crop(G, [9, 9, 9, 9]), "within"),
    "hue": (lambda tf: tf.image.adjust_hue(G, 2.0), r"a number in \[-1, 1\]"),
    "gray": (lambda tf: tf.image.grayscale_to_rgb(G), "of one channel"),
    "ssim": (lambda tf: tf.image.ssim(G, G, 1.0), "at least 11 pixels"),
    "strides": (lambda tf: tf.nn.conv2d(G, W, [2, 1, 1, 1], "SAME"), "1 for the axes of batch and channels"),
    "padding": (lambda tf: tf.image.extract_patches(G, [1] * 4, [1] * 4, [1] * 4, "CAUSAL"), "'SAME' or 'VALID'"),
    "rate": (lambda tf: tf.nn.dropout(G), r"rate must be a number in \[0, 1\)"),
    "pool": (lambda tf: tf.nn.max_pool2d(A, 2, 2, "SAME"), "of 4 axes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(case: str) -> None:
    import tensorflow as tf

    call, text = WRONG[case]
    with pytest.raises(ValueError, match=text):
        call(tf)


def test_old_and_new_sizes_are_two_functions() -> None:
    import tensorflow as tf

    assert tf.compat.v1.image.resize is tf.compat.v1.image.resize_images is not tf.image.resize
    assert tf.compat.v2.image.resize is tf.image.resize
    kept = np.asarray(tf.compat.v1.nn.dropout(np.ones(2000, "float32"), 0.9))
    assert (kept != 0).mean() > 0.8
    assert tk.backend.int_shape(tf.nn.top_k(tf.keras.Input((7,)), 2).values) == (None, 2)
