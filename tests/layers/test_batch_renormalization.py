"""BatchNormalization in the other ways of tf.keras: fused or not, renormalised, in parts of a batch, adjusted."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers

EPSILON, MOMENTUM = 1e-2, 0.75


@pytest.fixture(autouse=True)
def _dialect() -> None:
    keras.set_dialect("keras-2.15")


def batches(shape: tuple[int, ...], count: int = 3) -> list[np.ndarray]:
    rng = np.random.RandomState(0)
    return [rng.standard_normal(shape).astype("float32") * (2 + i) + i for i in range(count)]


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    over = tuple(range(x.ndim - 1))
    return x.mean(over), x.var(over)


# --- which kernel: measured on Keras 2.15 ---------------------------------------------------------------------------

# Options, and whether the moving variance takes the unbiased one of images.
KERNELS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"fused": None}, True),
    ({"fused": True}, True),
    ({"fused": False}, False),
    ({"renorm": False, "virtual_batch_size": None, "adjustment": None}, True),
    ({"dtype": "float64"}, False),
    ({"synchronized": True}, False),
]


@pytest.mark.parametrize(("options", "unbiased"), KERNELS, ids=str)
def test_fused(options: dict[str, Any], unbiased: bool) -> None:
    x = batches((2, 3, 4, 5))[0]
    layer = layers.BatchNormalization(momentum=MOMENTUM, **options)
    y = layer(x, training=True)
    mean, variance = moments(x)
    count = x.size // 5
    np.testing.assert_allclose(y.detach(), (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-4)
    moved = variance * count / (count - 1) if unbiased else variance
    np.testing.assert_allclose(layer.moving_variance, MOMENTUM + (1 - MOMENTUM) * moved, rtol=1e-5)
    assert layer.fused is unbiased


@pytest.mark.parametrize("shape", [(4, 5), (4, 3, 5)], ids=str)
def test_fused_false_of_vectors_is_the_plain_layer(shape: tuple[int, ...]) -> None:
    x = batches(shape)[0]
    one, other = layers.BatchNormalization(fused=False), layers.BatchNormalization()
    np.testing.assert_array_equal(one(x, training=True).detach(), other(x, training=True).detach())
    with pytest.raises(ValueError, match="fused=True needs images or volumes"):
        layers.BatchNormalization(fused=True)(x)


@pytest.mark.parametrize(
    "options",
    [
        {"renorm": True},
        {"virtual_batch_size": 2},
        {"adjustment": lambda shape: (1, 0)},
        {"dtype": "float64"},
        {"synchronized": True},
    ],
    ids=lambda options: "-".join(options),
)
def test_fused_does_not_go_with(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="fused must be False or None"):
        layers.BatchNormalization(fused=True, **options)


def test_not_fused_images_know_masks() -> None:
    x, mask = batches((2, 3, 4, 5))[0], np.array([[True, True, False], [True, False, False]])
    layer = layers.BatchNormalization(fused=False, momentum=0.0)
    layer(x, mask=keras.backend.constant(mask[:, :, None].repeat(4, 2), dtype="bool"), training=True)
    np.testing.assert_allclose(layer.moving_mean, x[mask].mean((0, 1)), rtol=1e-5, atol=1e-6)


# --- renormalisation: the formula of the paper, with tf.keras's bound of the deviation -------------------------------


class Renormalized:
    """The definition in numpy: Ioffe, 2017; order and bounds of the averages as tf.keras 2.15 has them."""

    def __init__(self, channels: int, clipping: dict[str, float], momentum: float) -> None:
        self.clipping, self.momentum = clipping, momentum
        self.mean = self.renorm_mean = np.zeros(channels)
        self.deviation = self.renorm_deviation = np.ones(channels)

    def train(self, x: np.ndarray) -> np.ndarray:
        mean, variance = moments(x.astype("float64"))
        deviation = np.sqrt(variance + EPSILON)
        known = np.maximum(self.renorm_deviation, np.sqrt(EPSILON))
        r = np.clip(deviation / known, self.clipping.get("rmin", -np.inf), self.clipping.get("rmax", np.inf))
        dmax = self.clipping.get("dmax", np.inf)
        d = np.clip((mean - self.renorm_mean) / known, -dmax, dmax)
        self.renorm_mean = self.renorm_mean * self.momentum + mean * (1 - self.momentum)
        self.renorm_deviation = self.renorm_deviation * self.momentum + deviation * (1 - self.momentum)
        self.mean = self.mean * MOMENTUM + mean * (1 - MOMENTUM)
        self.deviation = self.deviation * MOMENTUM + deviation * (1 - MOMENTUM)
        normal: np.ndarray = (x - mean) / deviation * r + d
        return normal

    def infer(self, x: np.ndarray) -> np.ndarray:
        normal: np.ndarray = (x - self.mean) / self.deviation
        return normal


@pytest.mark.parametrize("clipping", [None, {"rmin": 0.5, "rmax": 1.5, "dmax": 0.3}, {"dmax": 5.0}], ids=str)
@pytest.mark.parametrize("shape", [(8, 3), (4, 5, 3), (4, 2, 3, 3)], ids=str)
def test_renorm(shape: tuple[int, ...], clipping: dict[str, float] | None) -> None:
    layer = layers.BatchNormalization(
        momentum=MOMENTUM, epsilon=EPSILON, renorm=True, renorm_clipping=clipping, renorm_momentum=0.5
    )
    definition = Renormalized(3, clipping or {}, 0.5)
    for x in batches(shape):
        y = layer(x, training=True)
        np.testing.assert_allclose(y.detach(), definition.train(x), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer(x).detach(), definition.infer(x), rtol=1e-4, atol=1e-4)
    names = [weight.name.split("/")[-1] for weight in layer.weights]
    assert names[2:] == [
        f"{name}:0" for name in ("moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev")
    ]
    assert len(layer.trainable_weights) == 2


def test_gradient_of_renorm_takes_the_correction_as_given() -> None:
    x = keras.backend.constant(batches((8, 3))[1], dtype="float64").requires_grad_()
    layer = layers.BatchNormalization(renorm=True, dtype="float64", epsilon=EPSILON)
    weights = keras.backend.constant(np.random.RandomState(1).rand(8, 3), dtype="float64")
    (layer(x, training=True) * weights).sum().backward()
    plain = layers.BatchNormalization(dtype="float64", epsilon=EPSILON)
    z = x.detach().clone().requires_grad_()
    factor = np.sqrt(moments(z.detach().numpy())[1] + EPSILON)  # the averages begin at a deviation of 1
    (plain(z, training=True) * weights * keras.backend.constant(factor, dtype="float64")).sum().backward()
    np.testing.assert_allclose(x.grad, z.grad, rtol=1e-9, atol=1e-12)


def test_frozen_renorm_infers() -> None:
    x = batches((8, 3))[0]
    layer = layers.BatchNormalization(renorm=True, trainable=False)
    np.testing.assert_allclose(layer(x, training=True).detach(), x / np.sqrt(1 + 1e-3), rtol=1e-5)
    np.testing.assert_array_equal(layer.renorm_mean, np.zeros(3))


def test_keys_of_the_bounds() -> None:
    with pytest.raises(ValueError, match="renorm_clipping must be a dictionary with keys of"):
        layers.BatchNormalization(renorm=True, renorm_clipping={"max": 1})


def test_renorm_trains_is_saved_and_read(tmp_path: Any) -> None:
    x = batches((16, 3))[1]
    model = keras.Sequential(
        [layers.Dense(3, input_dim=3), layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 3.0})]
    )
    model.compile("sgd", "mse")
    model.fit(x, x, epochs=2, verbose=0)
    for name, warns in (("m.h5", contextlib.nullcontext()), ("m.keras", pytest.warns(UserWarning, match="renorm"))):
        with warns:
            model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
        assert again.layers[-1].renorm_clipping == {"rmax": 3.0}


# --- parts of a batch, adjustment -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6, 3), (6, 4, 3), (6, 2, 2, 3)], ids=str)
def test_virtual_batches(shape: tuple[int, ...]) -> None:
    """Sample i is in part i % parts, as `reshape(virtual_batch_size, -1, …)` puts it in tf.keras 2.15."""
    x = batches(shape)[0]
    layer = layers.BatchNormalization(virtual_batch_size=3, momentum=MOMENTUM, epsilon=EPSILON)
    y = layer(x, training=True).detach()
    parts = [moments(x[i::2]) for i in range(2)]
    for i, (mean, variance) in enumerate(parts):
        np.testing.assert_allclose(y[i::2], (x[i::2] - mean) / np.sqrt(variance + EPSILON), rtol=1e-4, atol=1e-4)
    assert tuple(layer.gamma.shape) == (1,) * len(shape) + (3,)
    mean, variance = np.mean(parts, 0)
    mean, variance = (1 - MOMENTUM) * mean, MOMENTUM + (1 - MOMENTUM) * variance
    np.testing.assert_allclose(layer(x).detach(), (x - mean) / np.sqrt(variance + EPSILON), rtol=1e-4, atol=1e-4)


def test_a_batch_that_is_no_multiple() -> None:
    with pytest.raises(ValueError, match="a batch of 5 samples cannot be cut into parts of 2"):
        layers.BatchNormalization(virtual_batch_size=2)(np.ones((5, 3)), training=True)


def test_adjustment() -> None:
    x = batches((8, 3))[0]
    seen: list[tuple[int, ...]] = []

    def adjustment(shape: Any) -> tuple[Any, Any]:
        seen.append(tuple(int(n) for n in shape))
        return 2.0, keras.backend.constant([0.0, 1.0, 2.0])

    layer = layers.BatchNormalization(adjustment=adjustment, beta_initializer="ones", momentum=0.0)
    mean, variance = moments(x)
    expected = (x - mean) / np.sqrt(variance + 1e-3)
    y = layer(x, training=True).detach()
    np.testing.assert_allclose(y, expected * 2 + [0, 1, 2] + 1, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer(x).detach(), expected + 1, rtol=1e-4, atol=1e-4)
    assert seen == [(8, 3)]
    with pytest.warns(UserWarning, match="cannot hold the function adjustment"):
        assert "adjustment" not in layer.get_config()


@pytest.mark.parametrize("options", [{}, {"renorm": True}, {"virtual_batch_size": 4}, {"fused": False}], ids=str)
def test_configuration(options: dict[str, Any]) -> None:
    """As in tf.keras 2.15, but for `fused`: what is seldom used is told where it is."""
    config = layers.BatchNormalization(**options).get_config()
    told = {"renorm", "renorm_clipping", "renorm_momentum"} if "renorm" in options else set(options)
    seldom = {"renorm", "renorm_clipping", "renorm_momentum", "virtual_batch_size", "fused", "adjustment"}
    assert seldom & set(config) == told
    assert layers.BatchNormalization.from_config(config).get_config() == config
