"""Activations, initializers, regularizers and constraints against Keras 2.15."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import torchkeras_compat as tk

from .support import Golden, close, golden_cases, resolve


@golden_cases("activations")
def test_activation(golden: Golden, device: torch.device) -> None:
    tk.set_dialect(golden.dialect)
    x = torch.tensor(golden["x"], device=device, requires_grad=True)
    y = getattr(tk.activations, golden.spec["function"])(x, **golden.spec["kwargs"])
    close(y, golden["y"], "value")
    y.backward(torch.tensor(golden["direction"], device=device))
    close(x.grad, golden["dx"], "gradient")


@golden_cases("activations", where=lambda g: not g.spec["kwargs"])
def test_activation_by_string(golden: Golden) -> None:
    tk.set_dialect(golden.dialect)
    close(tk.activations.get(golden.spec["function"])(torch.tensor(golden["x"])), golden["y"], "value")


def _drawn(golden: Golden) -> torch.Tensor:
    tk.set_dialect(golden.dialect)
    seed = {} if golden.spec["kind"] == "exact" else {"seed": 3}
    initializer = getattr(tk.initializers, golden.spec["cls"])(**golden.spec["kwargs"], **seed)
    value: torch.Tensor = initializer(tuple(golden.spec["shape"]))
    assert tuple(value.shape) == tuple(golden.spec["shape"])
    assert value.dtype == torch.float32
    return value.detach().cpu()


@golden_cases("initializers", where=lambda g: g.spec["kind"] == "exact")
def test_exact_initializer(golden: Golden) -> None:
    close(_drawn(golden), golden["value"], "value")


@golden_cases("initializers", where=lambda g: g.spec["kind"] == "orthogonal")
def test_orthogonal_initializer(golden: Golden) -> None:
    value = _drawn(golden).numpy()
    flat = value.reshape(-1, value.shape[-1])
    gram = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
    close(gram, golden["gram"], "products of rows or columns")


@golden_cases("initializers", where=lambda g: g.spec["kind"] == "distribution")
def test_drawn_initializer(golden: Golden) -> None:
    value = _drawn(golden).numpy()
    mean, std, low, high = golden["moments"]
    # two samples of tens of thousands of numbers agree to a few hundredths of their spread, not to 1e-4
    assert abs(value.mean() - mean) < 0.03 * std
    assert abs(value.std() - std) < 0.02 * std
    quantiles = np.quantile(value, golden["levels"])
    np.testing.assert_allclose(quantiles, golden["quantiles"], rtol=0, atol=0.06 * std)
    if _is_bounded(golden):
        np.testing.assert_allclose([value.min(), value.max()], [low, high], rtol=0, atol=0.03 * std)


def _is_bounded(golden: Golden) -> bool:
    """Say whether the distribution has ends: uniform, or a normal cut at two deviations."""
    distribution = golden.spec["kwargs"].get("distribution", "")
    return distribution in ("uniform", "truncated_normal") or golden.spec["cls"] not in (
        "RandomNormal",
        "VarianceScaling",
    )


@golden_cases("regularizers", where=lambda g: g.spec["kind"] == "regularizer")
def test_regularizer(golden: Golden, device: torch.device) -> None:
    tk.set_dialect(golden.dialect)
    w = torch.tensor(golden["w"], device=device, requires_grad=True)
    value = getattr(tk.regularizers, golden.spec["cls"])(**golden.spec["kwargs"])(w)
    close(value, golden["value"], "value")
    if value.requires_grad:
        value.backward()
    close(torch.zeros_like(w) if w.grad is None else w.grad, golden["gradient"], "gradient")


@golden_cases("regularizers", where=lambda g: g.spec["kind"] == "constraint")
def test_constraint(golden: Golden, device: torch.device) -> None:
    tk.set_dialect(golden.dialect)
    constraint = getattr(tk.constraints, golden.spec["cls"])(**resolve(golden.spec["kwargs"]))
    close(constraint(torch.tensor(golden["w"], device=device)), golden["value"], "value")


@pytest.mark.parametrize("name", ["l1", "l2", "l1_l2"])
def test_regularizer_strings_have_the_defaults_of_the_functions(name: str) -> None:
    w = torch.arange(6.0).reshape(2, 3)
    close(tk.regularizers.get(name)(w), getattr(tk.regularizers, name)()(w), name)
