"""Every initializer: exact values where they are determined, else the shape of the distribution."""

from __future__ import annotations

from typing import Any

from .common import Case, case

_SHAPES = {
    "matrix": [400, 300],
    "conv1d": [5, 120, 60],
    "conv2d": [3, 3, 60, 90],
    "conv3d": [2, 3, 2, 50, 70],
    "vector": [60000],
}
_SCALED = ["GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"]


def _drawn(cls: str, shape: str, suffix: str = "", **kwargs: Any) -> Case:
    name = f"{cls}{suffix}_{shape}"
    return case(name, kind="distribution", cls=cls, kwargs=kwargs, shape=_SHAPES[shape])


CASES: list[Case] = [_drawn(cls, shape) for cls in _SCALED for shape in _SHAPES]
CASES += [
    _drawn("RandomNormal", "matrix"),
    _drawn("RandomNormal", "matrix", "_args", mean=0.3, stddev=0.2),
    _drawn("RandomUniform", "matrix"),
    _drawn("RandomUniform", "matrix", "_args", minval=-0.1, maxval=0.4),
    _drawn("TruncatedNormal", "matrix"),
    _drawn("TruncatedNormal", "conv2d", "_args", mean=1.0, stddev=0.5),
]
CASES += [
    _drawn("VarianceScaling", shape, f"_{mode}_{distribution}", scale=1.7, mode=mode, distribution=distribution)
    for mode in ("fan_in", "fan_out", "fan_avg")
    for distribution in ("truncated_normal", "untruncated_normal", "uniform")
    for shape in ("matrix", "conv2d")
]
CASES += [
    case(
        f"Orthogonal_{'x'.join(map(str, shape))}_{gain}",
        kind="orthogonal",
        cls="Orthogonal",
        kwargs={"gain": gain},
        shape=shape,
    )
    for shape in ([6, 4], [4, 6], [5, 5], [3, 3, 4, 5])
    for gain in (1.0, 1.5)
]
CASES += [
    case("Zeros", kind="exact", cls="Zeros", kwargs={}, shape=[3, 4]),
    case("Ones", kind="exact", cls="Ones", kwargs={}, shape=[3, 4]),
    case("Constant", kind="exact", cls="Constant", kwargs={"value": 0.7}, shape=[2, 5]),
    case("Constant_default", kind="exact", cls="Constant", kwargs={}, shape=[2]),
    case("Identity", kind="exact", cls="Identity", kwargs={}, shape=[4, 4]),
    case("Identity_gain", kind="exact", cls="Identity", kwargs={"gain": 2.5}, shape=[3, 5]),
]
