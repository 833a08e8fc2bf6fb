"""`multi_gpu_model` refuses, by the error that scripts catch."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch

from torchkeras_compat import Sequential, compat
from torchkeras_compat.utils import multi_gpu_model


@pytest.mark.parametrize(
    ("there", "gpus", "text"),
    [
        (0, None, "gpus must be 2 or more"),
        (1, None, "gpus must be 2 or more"),
        (4, 1, "gpus must be 2 or more"),
        (4, [3], "gpus must be 2 or more"),
        (1, 2, "too few GPUs on this machine, 1"),
        (2, (1, 2), "too few GPUs on this machine, 2"),
        (2, None, "several GPUs are not used yet"),
        (4, [0, 3], "several GPUs are not used yet"),
    ],
)
def test_refused(there: int, gpus: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    with pytest.raises(ValueError, match=rf"{text}.*; a model trains on one GPU here: write the model itself"):
        multi_gpu_model(Sequential(), gpus=gpus, cpu_merge=False)


def test_where_it_was() -> None:
    compat.install()
    try:
        for module in ("keras.utils", "keras.utils.multi_gpu_utils", "keras.utils.training_utils"):
            assert importlib.import_module(module).multi_gpu_model is multi_gpu_model
        assert importlib.import_module("tensorflow.keras.utils").multi_gpu_model is multi_gpu_model
    finally:
        compat.uninstall()
