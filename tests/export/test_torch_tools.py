"""`torch.export`, `torch.compile` and `torch.onnx.export` take a model as they take any module."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as tk
from tests.golden.models.case import Case, leaves, map_tree
from tests.golden.models.cases import FAMILIES
from torchkeras_compat.layers import (
    LSTM,
    BatchNormalization,
    Conv2D,
    Dense,
    Dot,
    Dropout,
    Embedding,
    Flatten,
    Lambda,
    Layer,
)
from torchkeras_compat.models import Model, Sequential

from .support import build

STATEFUL = ("bidirectional_stateful", "stateful_with_two_outputs")  # a batch of another size has no states
ALL = [(family, case) for family, cases in FAMILIES.items() for case in cases if case.name not in STATEFUL]
# Some in each run of the tests, and the others where there is time.
ZOO = [
    pytest.param(case, id=f"{family}-{case.name}", marks=[] if i % 12 == 5 else [pytest.mark.slow])
    for i, (family, case) in enumerate(ALL)
]
FEWER = 7  # samples, when the graph was made for twenty


def tensors(tree: Any, count: int | None = None) -> Any:
    return map_tree(lambda array: torch.tensor(array[:count]), tree)


def free_batch(tree: Any) -> Any:
    size = torch.export.Dim("batch", min=2, max=4096)
    return map_tree(lambda array: {0: size}, tree)


def expect_same(outputs: Any, wanted: Any, tolerance: float = 1e-5) -> None:
    outputs, wanted = (map_tree(lambda y: y.detach().numpy(), tree) for tree in (outputs, wanted))
    for mine, theirs in zip(leaves(outputs), leaves(wanted), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Any:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


# What a user's layer adds to the loss stays in the layer until the next run; in a graph it is nothing.
@pytest.mark.filterwarnings("ignore:The tensor attribute")
@pytest.mark.parametrize("case", ZOO)
def test_export_with_a_free_batch(case: Case) -> None:
    model, x = build(case)[0].eval(), case.draw("x")
    program = torch.export.export(model, (tensors(x),), dynamic_shapes=(free_batch(x),))
    expect_same(program.module()(tensors(x, FEWER)), model(tensors(x, FEWER)))


@pytest.mark.filterwarnings("ignore")  # of what the compiler leaves to Python, which it does for torch's own RNNs too
@pytest.mark.parametrize("case", ZOO)
def test_compile(case: Case) -> None:
    model, x = build(case)[0].eval(), case.draw("x")
    compiled = torch.compile(model, backend="aot_eager")
    for count in (None, FEWER):
        expect_same(compiled(tensors(x, count)), model(tensors(x, count)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", ZOO)
def test_onnx(case: Case) -> None:
    for package in ("onnx", "onnxscript"):
        pytest.importorskip(package, reason="onnx is no dependency; pip install onnx onnxscript onnxruntime")
    runtime = pytest.importorskip("onnxruntime", reason="as above")
    model, x = build(case)[0].eval(), case.draw("x")
    if isinstance(x, dict):
        pytest.skip("inputs of an ONNX file stand in a row")
    with contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(model, (tensors(x),), dynamo=True, dynamic_shapes=(free_batch(x),), verbose=False)
    session = runtime.InferenceSession(program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])
    arrays = [array[:FEWER] for array in leaves(x)]
    outputs = session.run(None, {entry.name: array for entry, array in zip(session.get_inputs(), arrays)})
    wanted = model(tensors(x, FEWER))
    ordered = list(wanted.values()) if isinstance(wanted, dict) else wanted
    expect_same([torch.tensor(y) for y in outputs], ordered if isinstance(ordered, (list, tuple)) else [ordered])


def exported(model: Any, *inputs: torch.Tensor) -> Any:
    """Return a model as a graph whose batch may have any size."""
    shapes = tuple(free_batch(list(inputs))) if len(inputs) == 1 else (free_batch(list(inputs)),)
    arguments = inputs if len(inputs) == 1 else (list(inputs),)
    return torch.export.export(model.eval(), arguments, dynamic_shapes=shapes).module()


def test_softmax_of_any_number_of_samples() -> None:
    model = Sequential([Dense(2, activation="softmax", input_dim=3)])
    graph = exported(model, torch.rand(4, 3))
    for count in (2, 70, 200):
        x = torch.rand(count, 3)
        expect_same(graph(x), model(x))


@pytest.mark.parametrize("name", ["model", "output", "code", "lambda", "half", "training", "layers", "loss"])
def test_names_of_layers_that_torch_or_the_model_has(name: str) -> None:
    inner = Sequential([Dense(3, input_shape=(4,), name="inner")], name=name)
    x = tk.Input((4,))
    model = Model(x, Dense(2)(inner(x)))
    graph, data = exported(model, torch.rand(3, 4)), torch.rand(5, 4)
    expect_same(graph(data), model(data))
    assert model.get_layer(name) is inner


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["code", "graph", "forward"])
def test_modules_are_not_called_what_torchs_graphs_have(name: str) -> None:
    inputs = tk.Input((5,))
    hidden = Dense(4, name=name)(inputs)
    module = tk.Model(inputs, [hidden, Dense(2)(hidden)]).to_torch().eval()
    x = torch.rand(3, 5)
    program = torch.export.export(module, (x,)).run_decompositions()
    expect_same(list(program.module()(x)), list(module(x)))


def test_products_of_samples_and_attention() -> None:
    one, other = tk.Input((3, 4)), tk.Input((5, 4))
    model = Model([one, other], Dot(axes=2, normalize=True)([one, other]))
    graph = exported(model, torch.rand(3, 3, 4), torch.rand(3, 5, 4))
    data = [torch.rand(6, 3, 4), torch.rand(6, 5, 4)]
    expect_same(graph(data), model(data))


class Scaled(Layer):
    """A layer of a user's, which reads a variable in its call."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(name="factor", shape=(input_shape[-1],), initializer="uniform")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor


def test_variables_of_users() -> None:
    model = Sequential([Scaled(input_shape=(3,)), Lambda(lambda x: x + 1)])
    graph, data = exported(model, torch.rand(4, 3)), torch.rand(9, 3)
    expect_same(graph(data), model(data))
    expect_same(torch.compile(model, backend="aot_eager", fullgraph=True)(data), model(data))


def layers_of_all_kinds() -> Sequential:
    return Sequential(
        [
            Conv2D(4, 3, activation="relu", input_shape=(6, 6, 2)),
            BatchNormalization(momentum=0.5),
            Flatten(),
            Dropout(0.5),
            Dense(3, activation="softmax"),
        ]
    )


def test_a_compiled_model_is_one_graph_and_trains() -> None:
    model, x = layers_of_all_kinds(), torch.rand(5, 6, 6, 2)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    expect_same(compiled(x), model(x))
    model.train()
    before = model.layers[1].moving_mean.clone()
    one, other = compiled(x), compiled(x)
    assert not torch.equal(one, other)  # dropout draws anew
    assert not torch.equal(model.layers[1].moving_mean, before)
    one.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_gradients_are_those_of_the_model() -> None:
    model, x = Sequential([Dense(4, activation="tanh", input_shape=(3,)), Dense(2)]).train(), torch.rand(6, 3)
    gradients = []
    for call in (model, torch.compile(model, backend="aot_eager", fullgraph=True)):
        model.zero_grad()
        call(x).square().sum().backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    for mine, theirs in zip(*gradients):
        torch.testing.assert_close(mine, theirs)


def test_a_module_with_layers_in_it() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = Dense(5, activation="relu"), nn.Linear(5, 2)
            self.first.build((None, 4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(2 * self.first(x))

    module, x = Mixed(), torch.rand(3, 4)
    expect_same(torch.compile(module, backend="aot_eager", fullgraph=True)(x), module(x))
    expect_same(torch.export.export(module, (x,)).module()(x), module(x))


def test_recurrent_layers_go_through_the_compiler_unchanged() -> None:
    model, x = Sequential([Embedding(9, 4, mask_zero=True, input_length=5), LSTM(3)]), torch.randint(0, 9, (4, 5))
    expect_same(torch.compile(model, backend="aot_eager")(x), model(x))


def test_a_model_that_is_not_built() -> None:
    model, x = Sequential([Dense(2)]), torch.rand(3, 4)
    y = torch.compile(model, backend="aot_eager")(x)  # its first call makes the weights, outside the graph
    expect_same(y, model(x))
    expect_same(torch.compile(model, backend="aot_eager", fullgraph=True)(x), model(x))


def test_models_out_of_to_torch() -> None:
    made, x = layers_of_all_kinds().to_torch(), torch.rand(5, 6, 6, 2)
    program = torch.export.export(made, (x,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},))
    expect_same(program.module()(x[:3]), made(x[:3]))
    expect_same(torch.compile(made, backend="aot_eager", fullgraph=True)(x), made(x))


@pytest.mark.filterwarnings("ignore:No complete tensor")  # of torch, where images lie with their channels last
def test_files_of_exported_models_need_no_package(tmp_path: Any) -> None:
    from .support import without_package

    model, x = layers_of_all_kinds().eval(), torch.rand(5, 6, 6, 2)
    torch.export.save(torch.export.export(model, (x,)), tmp_path / "model.pt2")
    torch.save({"x": x, "y": model(x).detach()}, tmp_path / "data.pt")
    code = """
    import sys, torch
    model, data = torch.export.load(sys.argv[1]).module(), torch.load(sys.argv[2])
    print(float((model(data['x']) - data['y']).abs().max()) < 1e-5)
    """
    assert without_package(code, tmp_path / "model.pt2", tmp_path / "data.pt").strip() == "True"
