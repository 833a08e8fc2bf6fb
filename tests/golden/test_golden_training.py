"""Whole fits against Keras 2.15: history keys and values, weights, and the calls that follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import torchkeras_compat as tk

from .support import Golden, all_close, close, compile_model, golden_cases, resolve, sequential


def _compiled(golden: Golden, way: str) -> Any:
    tk.set_dialect(golden.dialect)
    x = golden["x"]
    shape = golden.spec.get("batch_shape") or (None, *x.shape[1:])
    model = sequential(golden.spec["stack"], shape, str(x.dtype))
    model.set_weights(golden.listed("start"))
    compile_model(model, golden, way, **golden.spec["compile"])
    return model


def _arguments(golden: Golden) -> dict[str, Any]:
    kwargs = resolve(golden.spec["fit"], golden)
    if isinstance(kwargs.get("validation_freq"), tuple):
        kwargs["validation_freq"] = list(kwargs["validation_freq"])
    return dict(kwargs)


def _fit(model: Any, golden: Golden) -> None:
    history = model.fit(**_arguments(golden), verbose=0)
    assert list(history.history) == golden.spec["keys"]
    assert list(history.epoch) == golden.spec["epochs"]
    for key in golden.spec["keys"]:
        values = np.array(history.history[key], "float32")
        close(values, golden[f"history_{key}"], f"history of {key}", golden.tolerance)


def _weights_of_the_best_epoch(golden: Golden, way: str) -> list[Any]:
    best = int(np.argmin(golden["history_val_loss"]))
    model = _compiled(golden, way)
    kwargs = _arguments(golden)
    assert best + 1 < kwargs["epochs"], "the best epoch must not be the last, or the case shows nothing"
    model.fit(**{**kwargs, "epochs": best + 1, "callbacks": None}, verbose=0)
    weights: list[Any] = model.get_weights()
    return weights


# Cases that DEVIATIONS.md lists: what the weights must be after fit, instead of Keras's.
# `restore_best_weights` leaves the best weights in the model however training ended; Keras 2.15 does so only where the
# callback stopped it, and after the last epoch keeps the last ones.
INSTEAD = {"early_stopping_restore_end": _weights_of_the_best_epoch}


@golden_cases("training")
def test_training(golden: Golden, device: torch.device, way: str) -> None:
    model = _compiled(golden, way)
    if golden.spec["fit"] is not None:
        _fit(model, golden)
        instead = INSTEAD.get(golden.name)
        end = instead(golden, way) if instead else golden.listed("end")
        all_close(model.get_weights(), end, "weights after fit", golden.tolerance)
    for i, (method, kwargs) in enumerate(golden.spec["then"]):
        silent = {"verbose": 0} if method in ("evaluate", "predict") else {}
        result = getattr(model, method)(**resolve(kwargs, golden), **silent)
        keys = golden.spec["then_keys"][i]
        if keys is not None:
            assert list(result) == keys
            result = list(result.values())
        close(np.array(result, "float32"), golden[f"then{i}"], f"{method} (call {i})", golden.tolerance)


@golden_cases("training", where=lambda g: g.spec["fit"] is not None)
def test_metrics_names(golden: Golden, way: str) -> None:
    model = _compiled(golden, way)
    model.train_on_batch(golden["x"][:8], golden["y"][:8])
    assert list(model.metrics_names) == golden.spec["metrics_names"]
