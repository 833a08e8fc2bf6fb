"""Settings of the tests' own folder; fixtures are in the conftest.py above, for the doctests of the package too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from torchkeras_compat.training.executors import inductor as compiled
from torchkeras_compat.training.executors.capture import Graph

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


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch's kernels run captured graphs, for tests of the graphs that need no compiler's seconds."""
    monkeypatch.setattr(compiled, "compile_graph", run_by_torch)
