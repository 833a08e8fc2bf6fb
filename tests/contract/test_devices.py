"""What must hold on every device, shown on torch's meta device: it has no numbers, so that reading one raises.

A layer that makes a tensor on another device than its input's, and a step that asks the device for a number, fail here
as they would fail, or stall, on CUDA.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat._core.tree import map_shapes
from torchkeras_compat.training.data.batch import Batch

from .specs import LAYERS, LayerSpec

META = torch.device("meta")
UNSEEDED = [spec for spec in LAYERS if not spec.arguments.get("seed")]  # the meta device has no generator to seed


@pytest.mark.parametrize("spec", LAYERS, ids=str)
def test_weights_stand_on_the_device_asked_for(spec: LayerSpec) -> None:
    layer = spec.make()
    layer._build_from(spec.batch_shape(4), META)
    assert {t.device.type for t in [*layer.parameters(), *layer.buffers()]} <= {"meta"}


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("spec", UNSEEDED, ids=str)
def test_a_run_makes_nothing_elsewhere_and_reads_nothing(spec: LayerSpec, training: bool, policy: str) -> None:
    keras.mixed_precision.set_global_policy(policy)
    layer = spec.make()
    layer._build_from(spec.batch_shape(4), META)
    kind = torch.int64 if spec.indices else torch.float32
    x = map_shapes(lambda shape: torch.zeros(shape, device=META, dtype=kind), spec.batch_shape(4))
    y, _ = layer._run(x, None, training)
    assert (y[0] if isinstance(y, list) else y).device == META


def dense(loss: str) -> list[Any]:
    return [L.Dense(8, activation="relu"), L.Dropout(0.5), L.Dense(3, activation="softmax" if loss[0] != "m" else None)]


MODELS: dict[str, tuple[Callable[[], list[Any]], tuple[int, ...], str, str]] = {
    "mlp": (lambda: dense("c"), (6,), "categorical_crossentropy", "rmsprop"),
    "regression": (lambda: dense("mse"), (6,), "mse", "adam"),
    "penalties": (
        lambda: [
            L.Dense(4, kernel_regularizer="l2", kernel_constraint="max_norm", activity_regularizer="l1"),
            L.Dense(3),
        ],
        (6,),
        "mae",
        "sgd",
    ),
    "convolutions": (
        lambda: [L.Conv2D(4, 3, activation="relu"), L.BatchNormalization(), L.MaxPooling2D(), L.Flatten(), *dense("c")],
        (8, 8, 3),
        "categorical_crossentropy",
        "adadelta",
    ),
    "recurrent": (lambda: [L.LSTM(4, return_sequences=True), L.GRU(4), L.Dense(3)], (5, 2), "mse", "nadam"),
    "masked": (lambda: [L.Masking(), L.LSTM(4), *dense("c")], (5, 2), "categorical_crossentropy", "rmsprop"),
    "stateful": (lambda: [L.LSTM(4, stateful=True), L.Dense(3)], (5, 2), "mse", "rmsprop"),
    "words": (lambda: [L.Embedding(9000, 8), L.LSTM(4), *dense("c")], (7,), "categorical_crossentropy", "rmsprop"),
}


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("name", MODELS)
def test_a_step_reads_nothing_from_the_device(name: str, policy: str) -> None:
    keras.mixed_precision.set_global_policy(policy)
    body, shape, loss, optimizer = MODELS[name]
    keras.set_device(META)
    try:
        model = keras.Sequential([L.InputLayer(batch_input_shape=(4, *shape)), *body()])
    finally:
        keras.set_device("cpu")
    model.compile(optimizer, loss, metrics=["accuracy", "mae"])
    y = torch.zeros(4, 3, device=META)
    x = torch.zeros(4, *shape, device=META, dtype=torch.int64 if name == "words" else torch.float32)
    model._heads()[0].resolve_metrics(model.output_shape, (4, 3))
    for mode in ("train", "test"):
        step = model.make_step(mode)
        step.prepare() if mode == "train" else step.prepare_test()
        for _ in range(3):
            getattr(step, mode)(Batch(x, y, torch.ones(4, device=META), 4))
        with pytest.raises((RuntimeError, NotImplementedError)):
            step.averages.results()  # the one place that reads


@pytest.mark.gpu
def test_the_default_device_is_cuda_and_set_device_decides_otherwise() -> None:
    keras.set_device(None)
    model = keras.Sequential([L.Dense(2, input_dim=3)])
    assert next(model.parameters()).device.type == "cuda"
    keras.set_device("cpu")
    try:
        model = keras.Sequential([L.Dense(2, input_dim=3)])
        assert model.predict(np.zeros((2, 3))).shape == (2, 2)
        assert next(model.parameters()).device.type == "cpu"
    finally:
        keras.set_device(None)


OUTSIDE_OF_TESTS = """
import pytest
from torchkeras_compat._core import settings

BY_MODULE = settings._settings.device

@pytest.fixture(scope="module")
def by_fixture():
    return settings._settings.device

def test_both_are_on_the_cpu(by_fixture):
    assert BY_MODULE is not None and BY_MODULE.type == "cpu"
    assert by_fixture is not None and by_fixture.type == "cpu"
"""


def test_what_tests_make_before_they_run_is_on_the_cpu(tmp_path: Path) -> None:
    (tmp_path / "test_outside.py").write_text(OUTSIDE_OF_TESTS)
    root = Path(keras.__file__).parent.parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "test_outside.py"]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
