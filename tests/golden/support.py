"""Reading the golden files and building the same things in the package, by the same names."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk

from .cases import functions

DATA = Path(__file__).resolve().parent / "data"
TOLERANCE = 1e-4  # float32, as the project promises it

# Ways of running the training step, as arguments of compile: every training test runs once in each. `captured` is
# `compiled` without the compiler, so that the graphs themselves are tested in seconds, and `replayed` is what CUDA
# graphs do, on the CPU; see the fixture `way`.
WAYS: dict[str, dict[str, Any]] = {
    "default": {},
    "captured": {"jit_compile": True},
    "replayed": {"jit_compile": True},
    "compiled": {"jit_compile": True},
}


def marks_of(way: str) -> tuple[pytest.MarkDecorator, ...]:
    """Return the marks of tests that run a step in a way: a compiler takes long."""
    return (pytest.mark.slow,) if way == "compiled" else ()


@dataclass(frozen=True)
class Golden:
    """One case: what was asked for (`spec`) and what Keras answered (arrays)."""

    family: str
    name: str
    spec: dict[str, Any]

    def __getitem__(self, key: str) -> np.ndarray:
        offset, shape, dtype = self.spec["arrays_index"][key]
        flat = _archive(self.family)[f"{self.name}/data"][offset : offset + math.prod(shape)]
        return flat.astype(dtype).reshape(shape)

    def __contains__(self, key: str) -> bool:
        return key in self.spec["arrays_index"]

    def listed(self, name: str, count: int | None = None) -> list[np.ndarray]:
        """Gather the arrays `name0`, `name1`, … into a list."""
        number = self.spec["weights"] if count is None else count
        return [self[f"{name}{i}"] for i in range(number) if f"{name}{i}" in self]

    @property
    def tolerance(self) -> float:
        """The tolerance; a case that needs a looser one gives its reason in the table."""
        return float(self.spec.get("tolerance", TOLERANCE))

    @property
    def dialect(self) -> str:
        """The dialect that the numbers belong to."""
        return str(self.spec["dialect"])


@functools.cache
def _archive(family: str) -> Mapping[str, np.ndarray]:
    with np.load(DATA / f"{family}.npz") as archive:
        return {key: archive[key] for key in archive.files}


@functools.cache
def load(family: str) -> tuple[Golden, ...]:
    """Read the cases of a family."""
    specs = {k: v for k, v in _archive(family).items() if k.endswith("/spec")}
    return tuple(Golden(family, key.rpartition("/")[0], json.loads(str(spec))) for key, spec in specs.items())


def golden_cases(*families: str, where: Any = None) -> Any:
    """Parametrise a test over the cases of some families, or those that `where` picks."""
    found = [g for family in families for g in load(family) if where is None or where(g)]
    return pytest.mark.parametrize("golden", [pytest.param(g, id=g.name) for g in found])


def close(got: Any, expected: Any, what: str, tolerance: float = TOLERANCE) -> None:
    """Hold a tensor, array, number or list of numbers to the golden array: shape and values."""
    found = got.detach().cpu().numpy() if isinstance(got, torch.Tensor) else np.asarray(got)
    wanted = np.asarray(expected)
    assert found.shape == wanted.shape, f"{what}: shape {found.shape}, expected {wanted.shape}"
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance, err_msg=what)


def all_close(got: Iterable[Any], expected: list[np.ndarray], what: str, tolerance: float = TOLERANCE) -> None:
    """Hold a list of arrays to a golden one."""
    found = list(got)
    assert len(found) == len(expected), f"{what}: {len(found)} arrays, expected {len(expected)}"
    for i, (one, wanted) in enumerate(zip(found, expected)):
        close(one, wanted, f"{what}[{i}]", tolerance)


def lookup(path: str) -> Any:
    """Find `losses.Huber` and its like in the package."""
    found: Any = tk
    for part in path.split("."):
        found = getattr(found, part)
    return found


def resolve(value: Any, arrays: Golden | None = None) -> Any:
    """Turn a table's value into what the package takes (see `cases/__init__.py`)."""
    if isinstance(value, dict):
        return _resolve_dict(value, arrays)
    if isinstance(value, list):
        items = [resolve(item, arrays) for item in value]
        return tuple(items) if all(isinstance(i, (int, float, tuple, np.ndarray)) for i in items) else items
    if isinstance(value, str) and value.startswith("@") and arrays is not None:
        return arrays[value[1:]]
    return value


def _resolve_dict(value: dict[str, Any], arrays: Golden | None) -> Any:
    if "$fn" in value:
        return getattr(functions, value["$fn"])
    if "$ref" in value:
        return lookup(value["$ref"])
    resolved = {key: resolve(item, arrays) for key, item in value.items() if key != "$"}
    if "$" in value:
        return lookup(value["$"])(**resolved)
    return {int(k) if isinstance(k, str) and k.isdigit() else k: v for k, v in resolved.items()}


def sequential(stack: list[Any], batch_shape: Iterable[int | None], dtype: str = "float32") -> Any:
    """Make the Sequential of a case for inputs of `batch_shape`."""
    batch, *shape = batch_shape
    model = tk.models.Sequential()
    model.add(tk.Input(shape=tuple(shape), batch_size=batch, dtype=dtype))
    add_all(model, stack)
    return model


def add_all(model: Any, stack: list[Any]) -> None:
    """Add the layers of a stack to a Sequential."""
    for cls, kwargs in stack:
        if cls == "Sequential":
            inner = tk.models.Sequential()
            add_all(inner, kwargs)
            model.add(inner)
        else:
            model.add(getattr(tk.layers, cls)(**resolve(kwargs)))


def compile_model(model: Any, golden: Golden, way: str, **kwargs: Any) -> None:
    """Compile with resolved arguments, for one way of running the step."""
    model.compile(**resolve(kwargs, golden), **WAYS[way])


def train(model: Any, x: np.ndarray, y: np.ndarray, batch: int, steps: int) -> np.ndarray:
    """Take train_on_batch steps over the batches in turn and give the loss of each."""
    losses = []
    for step in range(steps):
        start = step * batch % len(x)
        result = model.train_on_batch(x[start : start + batch], y[start : start + batch])
        losses.append(float(np.asarray(result).reshape(-1)[0]))
    return np.array(losses, "float32")


def keras_gradients(model: Any) -> list[np.ndarray]:
    """Gradients in Keras's order and layout: what one step of size 1 against them takes off the weights."""
    before = model.get_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                gradient = parameter.grad
                parameter -= gradient.to_dense() if gradient.is_sparse else gradient
    return [b - a for b, a in zip(before, model.get_weights())]


def output_mask(model: Any, x: torch.Tensor) -> torch.Tensor | None:
    """Run the layers one after the other as a model does, and give the last mask."""
    mask: torch.Tensor | None = None
    for layer in model.layers:
        x, mask, *_ = layer._run(x, mask, False)
    return mask
