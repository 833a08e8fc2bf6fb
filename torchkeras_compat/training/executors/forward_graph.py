"""The forward pass of `predict` as a CUDA graph, for batches of a shape that comes again: services ask for rows."""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

import torch
from torch import Tensor, nn

from ..._core import settings
from ..._core.tree import Tree, flatten, map_tree
from ...layers.base.traits import Changes
from ..step.choose_handwritten import Watchers
from ..step.forward import ForwardStep
from .cuda_graph import MOST_GRAPHS, Recorder, Recording
from .graphs import FallsBack, Key, layout, leaving_no_trace, refuse_strings


class ForwardGraphs(FallsBack):
    """The recorded forward passes of a model, one for each shape of batch that comes a second time.

    Args:
        step: What is recorded.
        record: What records.
        device: The kind of device whose batches are recorded.
    """

    announces = "predict cannot run as a CUDA graph"
    verb = "recorded"

    def __init__(self, step: ForwardStep, record: Recorder, device: str) -> None:
        super().__init__()
        self.step, self.record, self.device = step, record, device
        self.forget()

    def forget(self) -> None:
        """Forget the graphs, and the memory that they share."""
        model: Any = self.step.model
        self._graphs: dict[Key, Recording | None] = {}
        self._seen: Counter[Key] = Counter()
        self._pool: Any = None
        self._watchers = Watchers(model)
        self._tensors = [*nn.Module.parameters(model), *nn.Module.buffers(model)]
        self._standing = self._stands()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the graphs, which cannot be copied; a copy makes its own."""
        return {"step": self.step, "record": self.record, "device": self.device, "_said": self._said}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.forget()

    def _stands(self) -> Any:
        """Return what graphs were made for beside the shape of a batch."""
        return [Changes.assigned, Changes.count, settings.learning_phase(), *map(Tensor.data_ptr, self._tensors)]

    def run(self, x: Tree) -> Tree | None:
        """Return what the model makes of a batch, `None` where it has to run eagerly."""
        leaves = flatten(x)
        if not leaves or leaves[0].device.type != self.device:
            return None
        if self._stands() != self._standing:
            self.forget()
        if self._watchers.present():
            return None
        key = layout(x)
        graph = self._graphs.get(key)
        if graph is None:
            self._seen[key] += 1
            if key in self._graphs or self._seen[key] < 2 or len(self._graphs) >= MOST_GRAPHS:
                return None
            graph = self._graphs[key] = self.attempt(functools.partial(self._recorded, x))
        return None if graph is None else map_tree(torch.clone, graph.replay(x))  # the next replay writes over it

    def _recorded(self, x: Tree) -> Recording:
        refuse_strings(x)
        no_trace = leaving_no_trace(self.step.model, python_counts=True)
        with torch.inference_mode(False), torch.no_grad(), no_trace:
            recording = Recording(x, self.step.forward_pass, self.record, self._pool)
        self._pool = recording.pool
        return recording
