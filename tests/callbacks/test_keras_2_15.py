"""What every callback does and sees, against Keras 2.15: hooks and logs, values that are watched, files, texts."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat._core import registry


@functools.cache
def _module() -> ModuleType:
    path = Path(__file__).resolve().parent / "keras_cases.py"
    spec = importlib.util.spec_from_file_location("callback_cases", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def _measured() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_module().FILE.read_text(encoding="utf-8"))
    return found


def hold(found: Any, wanted: Any, where: str) -> None:
    """Hold trees of numbers and texts to each other."""
    if isinstance(wanted, dict):
        assert sorted(found) == sorted(wanted), where
        for name, value in wanted.items():
            hold(found[name], value, f"{where}, {name}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        for i, value in enumerate(wanted):
            hold(found[i], value, f"{where}[{i}]")
    elif isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5, err_msg=where)
    else:
        assert found == wanted, where


@pytest.mark.parametrize("case", _module().CASES, ids=_module().key)
@pytest.mark.filterwarnings("ignore:.*(NaN|period|epsilon)")
def test_as_keras_2_15(case: tuple[str, int]) -> None:
    tk.set_dialect("tf.keras")
    name = _module().key(case)
    hold(json.loads(json.dumps(_module().run(tk, case))), _measured()[name], name)


def test_every_callback_has_two_settings() -> None:
    classes = {name for name, entry in registry.KINDS["callback"].entries.items() if inspect.isclass(entry)}
    assert classes == {*_module().SETTINGS, *_module().FAILS}
    assert {name: len(lines) for name, lines in _module().SETTINGS.items() if len(lines) < 2} == {}
