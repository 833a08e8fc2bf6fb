"""Models for the tests of the way out, and the values that they are held to."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

import torchkeras_compat as tk
from tests.contract.specs import LayerSpec
from tests.golden.models import torch_steps
from tests.golden.models.case import Case, draw_weights, leaves
from torchkeras_compat._core import settings


def model_of(spec: LayerSpec, **more: Any) -> Any:
    """Return a model of the one layer of a line."""
    shapes = [spec.shape] if spec.takes_one else spec.shape
    kinds = ["int32" if spec.indices and not i else None for i in range(len(shapes))]
    inputs = [tk.Input(tuple(shape), dtype=kind) for shape, kind in zip(shapes, kinds)]
    return tk.Model(inputs, spec.make(**more)(inputs[0] if spec.takes_one else inputs))


def arrays_for(spec: LayerSpec, samples: int = 3) -> list[np.ndarray]:
    """Return inputs for such a model."""
    random, shapes = np.random.RandomState(5), [spec.shape] if spec.takes_one else spec.shape
    return [
        random.randint(0, spec.indices, (samples, *shape))
        if spec.indices and not i
        else random.standard_normal((samples, *shape)).astype("float32")
        for i, shape in enumerate(shapes)
    ]


def build(case: Case) -> tuple[Any, list[np.ndarray]]:
    """Return the model of a golden case with weights that are not trivial, and its inputs in the model's order."""
    tk.set_dialect("keras-2.15")
    tk.backend.clear_session()
    built = case.build(tk, torch_steps) if case.steps else case.build(tk)
    model, x = built["model"] if isinstance(built, dict) else built, case.draw("x")
    if not model.built:
        model.predict(x, verbose=0)
    names = [weight.name for weight in model.weights]
    shapes = [list(weight.shape) for weight in model.weights]
    model.set_weights(draw_weights(names, shapes, case.random("export"), case.scale))
    keys = model._names_of_inputs(x) if isinstance(x, dict) and not model._is_users else None
    return model, [x[key] for key in keys] if keys else leaves(x)


def as_tensors(model: Any, arrays: Sequence[np.ndarray]) -> list[torch.Tensor]:
    """Return inputs as a model of torch takes them: floats where no index is looked up."""
    taking = [model._input_takes_integers(i) for i in range(len(arrays))] if model._plan else [model._takes_integers]
    kinds = [torch.int64 if integers else settings.torch_dtype(model.dtype) for integers in taking]
    return [torch.tensor(array).to(kind) for array, kind in zip(arrays, kinds)]


def outputs_of(module: torch.nn.Module, inputs: Sequence[torch.Tensor]) -> list[np.ndarray]:
    """Return the outputs of a module of torch, those of a dictionary by the order of its keys."""
    with torch.no_grad():
        outputs = module(*inputs)
    if isinstance(outputs, dict):
        outputs = [outputs[key] for key in sorted(outputs)]
    return [y.numpy() for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


def without_package(code: str, *arguments: Any) -> str:
    """Run a program in a process that cannot import this package, and return what it printed."""
    guard = """
    import sys
    class Guard:
        def find_spec(self, name, path=None, target=None):
            if name.split('.')[0] in ('torchkeras_compat', 'keras'):
                raise ImportError(name + ' is not there')
    sys.meta_path.insert(0, Guard())
    """
    program = textwrap.dedent(guard) + textwrap.dedent(code)
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
