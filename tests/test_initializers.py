"""Initializers: distributions, exact values, seeds, dialects and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import initializers
from torchkeras_compat._core import dialects, settings

SHAPES = {(300, 200): (300, 200), (5, 80, 60): (400, 300), (3, 3, 40, 50): (360, 450), (2, 3, 2, 40, 50): (480, 600)}
SCALED = {
    "GlorotUniform": (1.0, "avg", "uniform"),
    "GlorotNormal": (1.0, "avg", "normal"),
    "HeUniform": (2.0, "in", "uniform"),
    "HeNormal": (2.0, "in", "normal"),
    "LecunUniform": (1.0, "in", "uniform"),
    "LecunNormal": (1.0, "in", "normal"),
}
ALL = sorted(
    "Zeros Ones Constant RandomUniform RandomNormal TruncatedNormal VarianceScaling Orthogonal Identity".split()
    + list(SCALED)
)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", SCALED)
def test_variance_and_limits(name: str, shape: tuple[int, ...]) -> None:
    scale, mode, kind = SCALED[name]
    fan_in, fan_out = SHAPES[shape]
    stddev = math.sqrt(scale / (fan_in if mode == "in" else (fan_in + fan_out) / 2))
    values = initializers.get(name)(shape)
    assert values.dtype == torch.float32
    assert values.std().item() == pytest.approx(stddev, rel=0.03)
    assert values.mean().item() == pytest.approx(0, abs=stddev / 20)
    limit = math.sqrt(3) * stddev if kind == "uniform" else 2 * stddev / 0.87962566
    assert values.abs().max().item() == pytest.approx(limit, rel=0.03)
    assert values.abs().max().item() <= limit * 1.00001


def test_fans_of_small_shapes() -> None:
    assert initializers.compute_fans(()) == (1, 1)
    assert initializers.compute_fans((7,)) == (7, 7)
    assert initializers.compute_fans((7, 5)) == (7, 5)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform", "normal"])
def test_variance_scaling(mode: str, distribution: str) -> None:
    values = initializers.VarianceScaling(1.5, mode, distribution)((400, 100))
    fan = {"fan_in": 400, "fan_out": 100, "fan_avg": 250}[mode]
    assert values.std().item() == pytest.approx(math.sqrt(1.5 / fan), rel=0.03)
    beyond = (values.abs() > 2.5 * math.sqrt(1.5 / fan)).any().item()
    assert beyond == (distribution == "untruncated_normal")


def test_keras_1_does_not_widen_a_truncated_normal() -> None:
    with dialects.using("keras-1"):
        narrow = initializers.get("lecun_normal")
        assert initializers.get("orthogonal").gain == 1.1
    wide = initializers.LecunNormal()
    assert narrow((400, 300)).std().item() == pytest.approx(0.8796 / 20, rel=0.02)
    assert wide((400, 300)).std().item() == pytest.approx(1 / 20, rel=0.02)


def test_plain_distributions() -> None:
    uniform = initializers.RandomUniform(-1, 3)((40000,))
    assert (uniform.min() >= -1, uniform.max() <= 3) == (True, True)
    assert uniform.mean().item() == pytest.approx(1, abs=0.03)
    normal = initializers.RandomNormal(2.0, 0.5)((40000,))
    assert (normal.mean().item(), normal.std().item()) == pytest.approx((2, 0.5), rel=0.02)
    truncated = initializers.TruncatedNormal(2.0, 0.5)((40000,))
    assert (truncated - 2).abs().max().item() <= 1
    assert truncated.std().item() == pytest.approx(0.5 * 0.8796, rel=0.02)
    whole = initializers.RandomUniform(0, 3)((100,), dtype="int32")
    assert set(whole.tolist()) == {0, 1, 2}
    default = initializers.get("uniform")((9999,))
    assert 0.049 < default.abs().max().item() <= 0.05
    assert initializers.get("normal").stddev == 0.05


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (3, 3, 4, 5)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    flat = initializers.Orthogonal(gain=1.5)(shape).reshape(-1, shape[-1])
    gram = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
    torch.testing.assert_close(gram, 2.25 * torch.eye(min(flat.shape)), atol=1e-5, rtol=1e-5)


def test_orthogonal_has_no_preferred_sign() -> None:
    corners = torch.stack([initializers.Orthogonal(seed=s)((3, 3))[0, 0] for s in range(200)])
    assert 60 < (corners > 0).sum().item() < 140


def test_exact_values() -> None:
    assert initializers.Constant(0.5)((2,)).tolist() == [0.5, 0.5]
    assert initializers.Constant(np.arange(4.0))((2, 2)).tolist() == [[0, 1], [2, 3]]
    assert initializers.Constant(torch.ones(2))((2,)).tolist() == [1, 1]
    assert initializers.Zeros()((2,), dtype="int32").dtype == torch.int32
    assert initializers.Ones()(torch.Size([2])).tolist() == [1, 1]
    assert initializers.Identity(gain=2)((2, 3)).tolist() == [[2, 0, 0], [0, 2, 0]]


@pytest.mark.parametrize("name", ALL)
def test_a_seed_repeats_and_none_does_not(name: str) -> None:
    cls = getattr(initializers, name)
    exact = name in ("Zeros", "Ones", "Constant", "Identity")
    if not exact:
        seeded = cls(seed=3)
        assert torch.equal(seeded((4, 4)), seeded((4, 4)))
        assert not torch.equal(seeded((4, 4)), cls(seed=4)((4, 4)))
    free = cls()
    assert torch.equal(free((4, 4)), free((4, 4))) is exact
    np.random.seed(5)
    first = free((4, 4))
    np.random.seed(5)
    assert torch.equal(free((4, 4)), first)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_types(name: str, dtype: str) -> None:
    initializer = initializers.get(name)
    assert initializer((3, 4), dtype=dtype).dtype == settings.torch_dtype(dtype)
    settings.set_floatx(dtype)
    assert initializer((3, 4)).dtype == settings.torch_dtype(dtype)


@pytest.mark.parametrize("name", ALL)
def test_round_trip(name: str) -> None:
    options: dict[str, Any] = {
        "Constant": {"value": 0.3},
        "RandomUniform": {"minval": -1.0, "maxval": 2.0, "seed": 1},
        "RandomNormal": {"mean": 1.0, "stddev": 2.0, "seed": 1},
        "TruncatedNormal": {"mean": 1.0, "stddev": 2.0, "seed": 1},
        "VarianceScaling": {"scale": 3.0, "mode": "fan_out", "distribution": "uniform", "seed": 1},
        "Orthogonal": {"gain": 2.0, "seed": 1},
        "Identity": {"gain": 2.0},
    }.get(name, {"seed": 1} if name in SCALED else {})
    initializer = getattr(initializers, name)(**options)
    assert initializer.get_config() == options
    config = initializers.serialize(initializer)
    again = initializers.deserialize(config)
    assert type(again) is type(initializer)
    assert torch.equal(again((3, 3)), initializer((3, 3)))
    with_dtype = {"class_name": name, "config": {**options, "dtype": "float32"}}  # as TensorFlow 1 wrote it
    assert initializers.get(with_dtype).get_config() == options


def test_arrays_round_trip() -> None:
    constant = initializers.Constant(np.ones((2, 2)))
    assert initializers.get(initializers.serialize(constant)).value == [[1, 1], [1, 1]]


def test_names() -> None:
    plain = "zero zeros one ones constant uniform normal random_uniform random_normal truncated_normal identity"
    for old in plain.split():
        assert callable(initializers.get(old))
        assert getattr(initializers, old) is type(initializers.get(old))
    for old in "glorot_uniform glorot_normal he_uniform he_normal lecun_uniform lecun_normal orthogonal".split():
        assert getattr(initializers, old) is type(initializers.get(old.upper()))
    assert initializers.get(None) is None
    assert isinstance(initializers.get(initializers.HeNormal), initializers.HeNormal)
    custom = initializers.get(lambda shape, dtype=None: torch.zeros(shape))
    assert custom((2,)).tolist() == [0, 0]
    with pytest.raises(ValueError, match="did you mean"):
        initializers.get("glorot_unifrom")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: initializers.VarianceScaling(scale=0), ValueError, "scale must be a positive number; got 0"),
        (lambda: initializers.VarianceScaling(mode="fan"), ValueError, "mode must be one of"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), ValueError, "distribution must be one of"),
        (lambda: initializers.RandomNormal(stddev=-1), ValueError, "stddev"),
        (lambda: initializers.RandomNormal(mean="a"), TypeError, "mean must be a number"),
        (lambda: initializers.RandomUniform(1, -1), ValueError, "maxval must be at least minval=1"),
        (lambda: initializers.RandomUniform(maxval=float("inf")), ValueError, "finite"),
        (lambda: initializers.GlorotUniform(seed=1.5), TypeError, "seed must be an integer or None"),
        (lambda: initializers.Constant("a"), TypeError, "value must be a number or an array"),
        (lambda: initializers.Constant([1, 2])((3,)), ValueError, r"shape \(3,\)"),
        (lambda: initializers.Orthogonal()((3,)), ValueError, "two axes or more"),
        (lambda: initializers.Identity()((3, 3, 3)), ValueError, "two axes"),
        (lambda: initializers.HeNormal()((3, 3), dtype="int32"), ValueError, "floating point"),
        (lambda: initializers.RandomUniform()((3, 3), dtype="bool"), ValueError, "float or integer"),
        (lambda: initializers.Zeros(seed=1), TypeError, "unknown argument"),
        (lambda: initializers.Initializer()((1,)), NotImplementedError, "must define __call__"),
    ],
)
def test_refusals(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_tensor_made_by_hand_has_the_manners_of_keras() -> None:
    values = initializers.Constant([[1.0, 2.0], [3.0, 4.0]])((2, 2))
    assert float(np.std(values)) == pytest.approx(np.std([1, 2, 3, 4]))
    assert np.max(values, axis=0).tolist() == [3, 4]
    assert values[::-1].numpy().tolist() == [[3, 4], [1, 2]]
