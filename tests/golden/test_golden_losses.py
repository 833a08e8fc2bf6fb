"""Losses and metrics against Keras 2.15."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import torchkeras_compat as tk

from .support import Golden, close, golden_cases, resolve


def _pair(golden: Golden, device: torch.device, suffix: str = "") -> tuple[torch.Tensor, torch.Tensor]:
    y_true = torch.tensor(golden[f"y_true{suffix}"], device=device)
    return y_true, torch.tensor(golden[f"y_pred{suffix}"], device=device, requires_grad=True)


@golden_cases("losses")
def test_loss_function(golden: Golden, device: torch.device) -> None:
    tk.set_dialect(golden.dialect)
    y_true, y_pred = _pair(golden, device)
    value = getattr(tk.losses, golden.spec["function"])(y_true, y_pred, **resolve(golden.spec["kwargs"]))
    close(value, golden["value"], "per-sample values")
    value.backward(torch.tensor(golden["direction"], device=device))
    close(y_pred.grad, golden["gradient"], "gradient")


def _loss(golden: Golden, reduction: str) -> Any:
    return getattr(tk.losses, golden.spec["cls"])(reduction=reduction, **resolve(golden.spec["kwargs"]))


@golden_cases("losses")
def test_loss_class(golden: Golden, device: torch.device) -> None:
    tk.set_dialect(golden.dialect)
    y_true, y_pred = _pair(golden, device)
    weight = torch.tensor(golden["weight"], device=device)
    column = weight.reshape(-1, *[1] * (golden["fine_weight"].ndim - 1))
    fine = torch.tensor(golden["fine_weight"], device=device)
    reductions = {"auto": "auto", "none": "none", "sum": "sum", "mean": "sum_over_batch_size"}
    for name, reduction in reductions.items():
        loss = _loss(golden, reduction)
        close(loss(y_true, y_pred), golden[f"class_{name}"], f"reduction {name}")
        weighted = loss(y_true, y_pred, sample_weight=column)
        close(weighted, golden[f"class_{name}_weighted"], f"reduction {name}, weights of samples")
        close(loss(y_true, y_pred, sample_weight=fine), golden[f"class_{name}_fine"], f"reduction {name}, weights")


@golden_cases("metrics", where=lambda g: g.spec["function"])
def test_metric_function(golden: Golden, device: torch.device) -> None:
    tk.set_dialect(golden.dialect)
    y_true, y_pred = _pair(golden, device, "0")
    value = getattr(tk.metrics, golden.spec["function"])(y_true, y_pred, **resolve(golden.spec["kwargs"]))
    close(value.to(torch.float32), golden["value"].astype("float32"), "values")


@golden_cases("metrics")
def test_metric_stream(golden: Golden, device: torch.device) -> None:
    tk.set_dialect(golden.dialect)
    make = getattr(tk.metrics, golden.spec["cls"])
    plain, weighted = make(**resolve(golden.spec["kwargs"])), make(**resolve(golden.spec["kwargs"]))
    assert plain.name == golden.spec["metric_name"]
    found = []
    for i in range(3):
        y_true, y_pred = _pair(golden, device, str(i))
        plain.update_state(y_true, y_pred.detach())
        weighted.update_state(y_true, y_pred.detach(), sample_weight=torch.tensor(golden[f"weight{i}"], device=device))
        found.append([float(plain.result()), float(weighted.result())])
    close(np.array(found), golden["results"], "results after each batch")


@golden_cases("metrics")
def test_metric_reset(golden: Golden) -> None:
    tk.set_dialect(golden.dialect)
    metric = getattr(tk.metrics, golden.spec["cls"])(**resolve(golden.spec["kwargs"]))
    first = [torch.tensor(golden[key]) for key in ("y_true0", "y_pred0")]
    metric.update_state(*[torch.tensor(golden[key]) for key in ("y_true1", "y_pred1")])
    metric.reset_state()
    metric.update_state(*first)
    close(np.array(float(metric.result())), golden["results"][0, 0], "result after a reset")
