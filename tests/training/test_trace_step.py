"""What one step crosses: the counts that `benchmarks/trace_step.py` prints stay within its goals."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "trace_step.py"


@pytest.fixture(scope="module")
def trace() -> Any:
    spec = importlib.util.spec_from_file_location("trace_step", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("way", ["handwritten", "autograd"])
def test_a_step_crosses_few_calls(trace: Any, way: str) -> None:
    calls = trace.calls_of_a_step(way)
    assert calls[0] == ("training/step/step.py", "Step.train")
    assert all(count <= goal for count, goal in zip(trace.counts(calls), trace.GOALS[way])), trace.counts(calls)


def test_another_way_is_noticed(trace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = trace.compiled_model
    monkeypatch.setattr(trace, "compiled_model", lambda way: compiled("autograd"))
    with pytest.raises(RuntimeError, match="does not find its gradients by handwritten"):
        trace.calls_of_a_step("handwritten")
