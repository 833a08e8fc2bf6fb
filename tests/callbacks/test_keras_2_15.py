"""What every callback does and sees, against Keras 2.15: hooks and logs, values that are watched, files, texts."""

from __future__ import annotations

import functools
import inspect
import json
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from tests.callbacks import keras_cases
from torchkeras_compat._core import registry


@functools.cache
def _measured() -> dict[str, Any]:
    measured: dict[str, Any] = json.loads(keras_cases.FILE.read_text(encoding="utf-8"))
    return measured


def hold(got: Any, wanted: Any, where: str) -> None:
    """Hold trees of numbers and texts to each other."""
    if isinstance(wanted, dict):
        assert sorted(got) == sorted(wanted), where
        for name, value in wanted.items():
            hold(got[name], value, f"{where}, {name}")
    elif isinstance(wanted, list):
        assert len(got) == len(wanted), where
        for i, value in enumerate(wanted):
            hold(got[i], value, f"{where}[{i}]")
    elif isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5, err_msg=where)
    else:
        assert got == wanted, where


@pytest.mark.parametrize("case", keras_cases.CASES, ids=keras_cases.key)
@pytest.mark.filterwarnings("ignore:.*(NaN|period|epsilon)")
def test_as_keras_2_15(case: tuple[str, int]) -> None:
    tk.set_dialect("tf.keras")
    name = keras_cases.key(case)
    hold(json.loads(json.dumps(keras_cases.run(tk, case))), _measured()[name], name)


def test_every_callback_has_two_settings() -> None:
    classes = {name for name, entry in registry.KINDS["callback"].entries.items() if inspect.isclass(entry)}
    assert classes == {*keras_cases.SETTINGS, *keras_cases.FAILS, *keras_cases.ELSEWHERE}
    assert {name: len(lines) for name, lines in keras_cases.SETTINGS.items() if len(lines) < 2} == {}
