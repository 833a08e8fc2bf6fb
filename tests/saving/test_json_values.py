"""Values in configurations that JSON has no form for: Keras 2.15 raises TypeError for `.h5`; here every format does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat.saving.json_values import json_value


class Held(tk.layers.Layer):
    def __init__(self, held: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.held = held

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "held": self.held}


def model(held: Any) -> tk.Sequential:
    return tk.Sequential([Held(held, input_shape=(2,)), tk.layers.Dense(1)])


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_an_object_that_no_file_can_hold(tmp_path: Path, name: str) -> None:
    with pytest.raises(TypeError, match="no place in JSON; let get_config"):
        model(object()).save(tmp_path / name)
    assert os.listdir(tmp_path) == []
    with pytest.raises(TypeError, match="no place in JSON"):
        model(object()).to_json()


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_types_and_arrays(tmp_path: Path, name: str) -> None:
    model(torch.float16).save(tmp_path / name)
    loaded = tk.models.load_model(tmp_path / name, {"Held": Held}, compile=False)
    assert loaded.layers[0].held == "float16"
    assert json_value(torch.ones(2)) == [1.0, 1.0]
