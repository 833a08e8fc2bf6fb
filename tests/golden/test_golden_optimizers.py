"""Optimizers and learning-rate schedules against Keras 2.15: fifty steps from the same weights on the same batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import torchkeras_compat as tk

from .support import Golden, all_close, close, compile_model, golden_cases, resolve, sequential, train


@golden_cases("schedules")
def test_schedule(golden: Golden) -> None:
    tk.set_dialect(golden.dialect)
    schedule = resolve(golden.spec["schedule"])
    found = [float(schedule(int(step))) for step in golden["steps"]]
    close(np.array(found), golden["values"], "values", 1e-6)


@pytest.mark.filterwarnings("ignore:.*lr.*learning_rate")  # the cases that say lr= are about its meaning
@golden_cases("optimizers")
def test_optimizer(golden: Golden, device: torch.device, way: str) -> None:
    tk.set_dialect(golden.dialect)
    spec = golden.spec
    x, y = golden["x"], golden["y"]
    model = sequential(spec["stack"], (None, *x.shape[1:]), str(x.dtype))
    model.set_weights(golden.listed("start"))
    compile_model(model, golden, way, optimizer=spec["optimizer"], loss="mse")
    if spec["via"] == "fit":
        history = model.fit(x, y, batch_size=spec["batch"], epochs=len(golden["curve"]), shuffle=False, verbose=0)
        curve = np.array(history.history["loss"])
    else:
        curve = train(model, x, y, spec["batch"], spec["steps"])
    close(curve, golden["curve"], "losses")
    all_close(model.get_weights(), golden.listed("end"), "final weights")
