"""Every function of the backend as Keras 2.15 has it: on tensors, arrays, in models and by `K.function`."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat.backend as K
from tests.backend.cases import CASES
from tests.backend.cases.common import Case, as_array, flat, weights_like
from torchkeras_compat.layers import Lambda
from torchkeras_compat.models import Model

HERE = Path(__file__).parent
FACTS: dict[str, Any] = json.loads((HERE / "keras_2_15.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(HERE / "keras_2_15.npz") as stored:
        return dict(stored)


def _expect(name: str, golden: dict[str, np.ndarray], results: list[Any], kinds: list[str] | None = None) -> None:
    """Compare results with Keras's, in type, shape and value; `kinds` are types that they have where a layer casts."""
    facts, values = FACTS["cases"][name], list(map(as_array, results))
    expected = [golden[f"{name}/{i}"] for i in range(len(values)) if f"{name}/{i}" in golden]
    assert expected
    assert f"{name}/{len(values)}" not in golden
    drawn = facts.get("drawn", [None] * len(values))
    for value, wanted, kind, dtype in zip(values, expected, drawn, kinds or [w.dtype for w in expected]):
        assert value.dtype == dtype
        assert list(value.shape) == (list(wanted.shape) if kind is None else kind[0])
        if kind is not None:
            continue
        if value.dtype.kind in "biuf":
            types = {value.dtype.name, wanted.dtype.name}  # sums in another order
            close = 2e-3 if "float16" in types else 2e-5 if "float32" in types else 1e-6
            np.testing.assert_allclose(value, wanted, rtol=close, atol=close)
        else:
            np.testing.assert_array_equal(value, wanted)


@pytest.mark.parametrize("name", CASES)
def test_of_tensors(name: str, golden: dict[str, np.ndarray]) -> None:
    case = CASES[name]
    _expect(name, golden, flat(case.compute(K, *map(torch.as_tensor, case.inputs))))


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n].inputs and FACTS["cases"][n]["raw"]])
def test_of_arrays(name: str, golden: dict[str, np.ndarray]) -> None:
    case = CASES[name]
    _expect(name, golden, flat(case.compute(K, *case.inputs)))


def _symbols(case: Case) -> list[Any]:
    return [K.placeholder((None, *a.shape[1:]), dtype=a.dtype.name) for a in case.inputs]


def _in_graphs() -> list[str]:
    return [n for n, facts in FACTS["cases"].items() if isinstance(facts.get("graph"), list)]


@pytest.mark.parametrize("name", _in_graphs())
def test_in_a_model(name: str, golden: dict[str, np.ndarray]) -> None:
    case, inputs = CASES[name], _symbols(CASES[name])
    outputs = flat(case.compute(K, *inputs))
    for output, (shape, dtype) in zip(outputs, FACTS["cases"][name]["graph"]):
        assert K.dtype(output) == dtype
        assert len(output.shape) == len(shape)
        # a length that Keras knows is known here
        assert [own for own, known in zip(output.shape, shape) if known is not None] == [n for n in shape if n]
    model = Model(inputs, outputs)
    _expect(name, golden, flat(model(list(map(torch.as_tensor, case.inputs)))))


@pytest.mark.parametrize("name", [n for n, facts in FACTS["cases"].items() if isinstance(facts.get("lambda"), list)])
def test_in_a_lambda_layer(name: str, golden: dict[str, np.ndarray]) -> None:
    case, inputs = CASES[name], _symbols(CASES[name])

    def computed(x: Any) -> Any:
        return case.compute(K, *(x if isinstance(x, list) else [x]))

    outputs = Lambda(computed)(inputs if len(inputs) > 1 else inputs[0])
    model = Model(inputs, outputs)
    results = flat(model(list(map(torch.as_tensor, case.inputs))))
    _expect(name, golden, results, FACTS["cases"][name]["lambda"])


def _by_function() -> list[str]:
    # A graph of classic Keras takes these, though 2.15 wants them in a Lambda layer.
    classic = ("map_fn", "switch")
    return [n for n, facts in FACTS["cases"].items() if facts.get("function") is True or CASES[n].name in classic]


@pytest.mark.parametrize("name", [n for n in _by_function() if CASES[n].can_be_symbolic])
def test_by_function(name: str, golden: dict[str, np.ndarray]) -> None:
    case, inputs = CASES[name], _symbols(CASES[name])
    run = K.function(inputs, flat(case.compute(K, *inputs)))
    _expect(name, golden, run(list(case.inputs)))


with np.load(HERE / "keras_2_15_gradients.npz") as _stored:
    GRADIENTS = dict(_stored)


@pytest.mark.parametrize("name", sorted({key.rpartition("/")[0] for key in GRADIENTS}))
def test_gradients(name: str) -> None:
    case = CASES[name]
    inputs = [torch.as_tensor(a).requires_grad_(a.dtype.kind == "f") for a in case.inputs]
    results = [y for y in flat(case.compute(K, *inputs)) if isinstance(y, torch.Tensor) and y.requires_grad]
    total = sum((y * torch.as_tensor(weights_like(y.shape)).to(y.dtype)).sum().double() for y in results)
    by_input = torch.autograd.grad(total, [x for x in inputs if x.requires_grad], allow_unused=True)
    got = dict(zip([i for i, x in enumerate(inputs) if x.requires_grad], by_input))
    for i, x in enumerate(inputs):
        expected = GRADIENTS.get(f"{name}/{i}", np.zeros(0))
        if f"{name}/{i}" not in GRADIENTS:  # Keras has none: it is constant there
            assert got.get(i) is None or not got[i].any()
            continue
        gradient = torch.zeros_like(x) if got[i] is None else got[i]
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)  # sums of some hundred products


# Functions without a case, and where they are tested: they set or tell something, or make what has no value.
ELSEWHERE = {
    "test_control.py": "backend clear_session epsilon floatx get_uid image_data_format manual_variable_initialization "
    "name_scope reset_uids set_epsilon set_floatx set_image_data_format",
    "test_graph.py": "function gradients learning_phase learning_phase_scope placeholder set_learning_phase",
}


def test_every_function_has_two_cases() -> None:
    elsewhere = {name for names in ELSEWHERE.values() for name in names.split()}
    for file, names in ELSEWHERE.items():
        text = (HERE / file).read_text(encoding="utf-8")
        assert [name for name in names.split() if f"{name}(" not in text] == []
    counts = {name: sum(case.name == name for case in CASES.values()) for name in FACTS["signatures"]}
    assert [name for name, count in counts.items() if count < 2 and name not in elsewhere] == []
    assert elsewhere <= counts.keys()


def _parameters(text: str) -> list[tuple[str, Any]]:
    namespace: dict[str, Any] = {}
    exec(f"def function{text}: pass", namespace)  # what inspect wrote about Keras's own
    return _of(namespace["function"])


def _of(function: Any) -> list[tuple[str, Any]]:
    return [
        (p.name, list(p.default) if isinstance(p.default, tuple) else p.default)
        for p in inspect.signature(function).parameters.values()
    ]


def _as_lists(parameters: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [(name, json.loads(json.dumps(d)) if isinstance(d, (list, tuple)) else d) for name, d in parameters]


@pytest.mark.parametrize("name", FACTS["signatures"])
def test_signature(name: str) -> None:
    assert _as_lists(_of(getattr(K, name))) == _as_lists(_parameters(FACTS["signatures"][name]))
