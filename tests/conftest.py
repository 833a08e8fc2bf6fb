"""Settings of the tests' own folder; fixtures are in the conftest.py above, for the doctests of the package too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from torchkeras_compat._core.graph_capture import as_capture
from torchkeras_compat.training import on_batch, trainer
from torchkeras_compat.training.executors import choose_executor
from torchkeras_compat.training.executors import inductor as compiled
from torchkeras_compat.training.executors.capture import Graph, capture
from torchkeras_compat.training.executors.cuda_graph import GraphStep
from torchkeras_compat.training.executors.forward_graph import ForwardGraphs
from torchkeras_compat.training.step.forward import ForwardStep
from torchkeras_compat.training.step.step import Executor, Step

# These run in the oracle's environment, which has TensorFlow; see golden/make_golden.py.
collect_ignore_glob = ["golden/make/*", "*/make_*.py"]


def run_by_torch(graph: Graph, example: Sequence[torch.Tensor]) -> Callable[..., Any]:
    """Return a captured graph as a function that torch's kernels run, in place of one that a compiler made.

    Where the stand-in of a kernel lays its output out differently from the kernel, a view of it has to be a copy; a
    compiler chooses the layout itself.
    """
    for node in graph.module.graph.nodes:
        if node.target is torch.ops.aten.view.default:
            node.target = torch.ops.aten.reshape.default
    graph.module.recompile()
    return graph.module


def record_by_tracing(function: Callable[[], list[torch.Tensor]], pool: Any) -> tuple[Callable[[], Any], Any, Any]:
    """Record what a function does to tensors, as a CUDA stream does, on any device.

    A replay runs the kernels on the tensors that were there when it was recorded, no Python of the function's, and
    writes over the results of the replay before it.
    """
    nothing = torch.zeros(())  # a graph begins with an argument
    graph = capture(lambda _: function(), [nothing])
    replay = run_by_torch(graph, [])
    (results,) = (node.args[0] for node in graph.module.graph.find_nodes(op="output"))
    with torch.no_grad():
        fixed = [torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device=t.device) for t in map(_value, results)]

    def run() -> None:
        with torch.no_grad():
            for place, result in zip(fixed, replay(*graph.held, nothing)):
                place.copy_(result)

    return run, fixed, pool


def _value(node: Any) -> torch.Tensor:
    value: torch.Tensor = node.meta["val"]
    return value


class RecordByRunning:
    """Records a step by running it, and putting back what it has changed; a replay runs it again, on real tensors.

    That is no graph, but the code runs as it does while a stream records it.
    """

    def __init__(self, step: Step) -> None:
        self.step = step

    def _state(self) -> list[torch.Tensor]:
        model: Any = self.step.model
        slots = [t for held in self.step.update.optimizer.state.values() for t in held.values()]
        sums = [one.device for one in self.step.averages.all_sums()]
        numbers: Any = self.step.compiled
        every = [*torch.nn.Module.parameters(model), *torch.nn.Module.buffers(model), *slots, *sums, numbers.numbers.at]
        return [t for t in every if isinstance(t, torch.Tensor)]

    def __call__(self, function: Callable[[], list[torch.Tensor]], pool: Any) -> tuple[Callable[[], Any], Any, Any]:
        state, generator = self._state(), torch.get_rng_state()
        before = [t.detach().clone() for t in state]
        with as_capture(traced=False):
            results = [t.clone() for t in function()]
        torch.set_rng_state(generator)
        with torch.no_grad():
            for tensor, value in zip(state, before):
                tensor.copy_(value)

        def run() -> None:
            with torch.enable_grad(), as_capture(traced=False), self.step.averages.counting():  # a graph counts nothing
                again = function()
            with torch.no_grad():
                for place, result in zip(results, again):
                    place.copy_(result)

        return run, results, pool


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let steps that would be compiled be recorded and replayed instead, as CUDA graphs are."""
    _record(monkeypatch, lambda step: record_by_tracing)


@pytest.fixture
def rerun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let steps that would be compiled run as they do while a stream records them."""
    _record(monkeypatch, RecordByRunning)


def _record(monkeypatch: pytest.MonkeyPatch, recorder: Callable[[Step], Any]) -> None:
    def choose(step: Step, device: str) -> Executor | None:
        chosen = choose_executor.choose_executor(step, device)
        return GraphStep(step, recorder(step)) if isinstance(chosen, compiled.CompiledStep) else chosen

    monkeypatch.setattr(trainer, "choose_executor", choose)


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch's kernels run captured graphs, for tests of the graphs that need no compiler's seconds."""
    monkeypatch.setattr(compiled, "compile_graph", run_by_torch)


@pytest.fixture
def replayed_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let forward passes of `predict` be recorded and replayed on the CPU, as they are on CUDA."""

    def choose(step: ForwardStep, config: Any) -> ForwardGraphs:
        return ForwardGraphs(step, record_by_tracing, "cpu")

    monkeypatch.setattr(on_batch, "choose_forward", choose)
