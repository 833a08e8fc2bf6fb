"""A whole training step as one CUDA graph: the body of the step is recorded by a stream, as it stands, and replayed.

The first batch of a shape is trained on eagerly, which sets up libraries, slots and states; the second is recorded.
Recording runs no kernel, so it leaves nothing behind.  A replay copies the batch into the tensors that the graph reads,
and adds losses and metrics up inside.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from ..._core import settings
from ..._core.graph_capture import as_capture
from ..._core.tree import Tree, flatten, map_tree
from ...layers.base.traits import Changes
from ..data.batch import Batch
from ..step.step import Recorded, Step
from .graphs import GraphExecutor, Key, leaving_no_trace
from .update_numbers import NumbersTable

MOST_GRAPHS = 16  # shapes of batches that get a graph; batches of more run eagerly


class Recorder(Protocol):
    """Records what a function does to tensors, without doing it."""

    def __call__(self, function: Callable[[], list[Tensor]], pool: Any) -> tuple[Callable[[], Any], list[Tensor], Any]:
        """Return what does it all again, the tensors in which the results stand then, and the memory that it uses.

        Args:
            function: Returns tensors; what it reads and writes beside them stays where it is.
            pool: The memory of earlier recordings, which never run at the same time, or `None`.
        """


class Recording:
    """A function of tensors that was recorded: where it reads its inputs, and where its results stand.

    Args:
        inputs: Examples of what it takes, a tree.
        function: Takes tensors like these, and returns a tree of tensors and other values.
        record: What records.
        pool: The memory of earlier recordings.
    """

    def __init__(self, inputs: Tree, function: Callable[[Tree], Tree], record: Recorder, pool: Any) -> None:
        with torch.inference_mode(False), torch.no_grad():
            self.inputs = map_tree(lambda leaf: None if leaf is None else leaf.clone(), inputs)
        self._places = tensors_of(self.inputs)
        self.nbytes = sum(t.nbytes for t in self._places)
        form: list[Tree] = []

        def run() -> list[Tensor]:
            form[:] = [function(self.inputs)]
            return [t.detach() for t in tensors_of(form[0])]

        self._replay, results, self.pool = record(run, pool)
        each = iter(results)
        self.results = map_tree(lambda leaf: next(each) if isinstance(leaf, Tensor) else leaf, form[0])

    def replay(self, inputs: Tree) -> Tree:
        """Return what the function gives for other inputs; the next replay writes over it."""
        torch._foreach_copy_(self._places, tensors_of(inputs))
        self._replay()
        return self.results


def tensors_of(tree: Tree) -> list[Tensor]:
    """Return the tensors among the leaves of a tree."""
    return [leaf for leaf in flatten(tree) if isinstance(leaf, Tensor)]


class GraphStep(GraphExecutor["RecordedStep"]):
    """The recorded steps of a model, one for each shape of batch that comes a second time.

    Args:
        step: The step.
        record: What records.
    """

    announces = "steps cannot run as CUDA graphs"
    verb = "recorded"

    def __init__(self, step: Step, record: Recorder) -> None:
        super().__init__(step)
        self.record = record
        self._standing: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the graphs, which cannot be copied."""
        return {**super().__getstate__(), "record": self.record, "_standing": None}

    def forget(self) -> None:
        """Forget the graphs, and with the last one the memory that they share."""
        super().forget()
        self.numbers: NumbersTable | None = None
        self.pool: Any = None

    def held_bytes(self) -> int:
        """Return how much memory the graphs hold: what they read the batches from, and what is between and behind."""
        return sum(graph.held_bytes for graph in self._graphs.values() if graph is not None)

    def _where(self) -> Any:
        return super()._where(), id(self.step.averages), self.step._loss_later, self.step.chain is None

    def train(self, batch: Batch) -> bool:
        """Train on a batch, or tell that it has to be done eagerly; another rate of a layer means another graph."""
        standing = (Changes.assigned, settings.learning_phase())
        if standing != self._standing:
            self._graphs = {key: graph for key, graph in self._graphs.items() if graph is None}  # refusals stay
            self.pool = None  # goes with the last graph that used it
            self._standing = standing
        return super().train(batch)

    def _worth(self, key: Key) -> bool:
        return self._seen[key] > 1 and len(self._graphs) < MOST_GRAPHS

    def _make(self, batch: Batch, scalars: dict[str, float]) -> RecordedStep:
        if self.numbers is None:
            self.numbers = NumbersTable(list(scalars), self.step.update.params[0].device, self.step.update.scalars_at)
        return RecordedStep(self, self.numbers, batch)

    def _run(self, graph: RecordedStep, batch: Batch, scalars: dict[str, float]) -> bool:
        graph(batch, scalars)
        return True


class RecordedStep:
    """One recorded step and the tensors it works on.

    Args:
        executor: Whose it is.
        numbers: The numbers of its updates.
        batch: An example of what it is trained on.
    """

    def __init__(self, executor: GraphStep, numbers: NumbersTable, batch: Batch) -> None:
        self.step, self.numbers, self.size = executor.step, numbers, batch.size
        averages = self.step.averages
        trained = self.step.update.params[0]
        averages.start_recording(trained.device)
        device_of: Any = torch.cuda.device_of
        no_trace = leaving_no_trace(self.step.model, python_counts=True)
        with device_of(trained), no_trace, averages.counting() as self.counts:
            reserved = _reserved()
            self.recording = Recording(tuple(batch[:3]), self._record, executor.record, executor.pool)
            self.held_bytes = self.recording.nbytes + max(0, _reserved() - reserved)
        executor.pool = self.recording.pool

    def _record(self, inputs: Tree) -> Tree:
        return tuple(self.step.record(self._batch(inputs), self.numbers.next_row()))

    def _batch(self, inputs: Tree) -> Batch:
        x, y, weight = inputs
        return Batch(x, y, weight, self.size)

    @torch.no_grad()
    def __call__(self, batch: Batch, scalars: dict[str, float]) -> None:
        """Train on a batch."""
        self.numbers.provide(scalars)
        recorded = Recorded(*self.recording.replay(tuple(batch[:3])))
        for counter, count in self.counts:
            counter.host += count
        self.step.note_recorded(self._batch(self.recording.inputs), recorded)
        self.step.update.after(recorded.rest, scalars)


def _reserved() -> int:
    """Return how much memory torch has from the current CUDA device, the pools of graphs included."""
    return torch.cuda.memory_reserved() if torch.cuda.is_available() else 0


@contextmanager
def _undisturbed() -> Any:
    """Keep the garbage collector away: what it frees on a device would end a recording."""
    collects = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def record_by_stream(function: Callable[[], list[Tensor]], pool: Any) -> tuple[Callable[[], Any], list[Tensor], Any]:
    """Record what a function does on the current CUDA device; see `Recorder`.

    A recording that fails leaves torch's generator as one that is being recorded, and perhaps its stream as the current
    one: both are put back.
    """
    generator = torch.cuda.default_generators[torch.cuda.current_device()]
    state, stream = generator.clone_state(), torch.cuda.current_stream()
    graph = torch.cuda.CUDAGraph()
    torch.cuda.synchronize()
    try:
        # Other threads may use the device meanwhile: only what this one does is refused.
        one_thread = torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local")
        with _undisturbed(), as_capture(traced=False), one_thread:
            results = function()
    except BaseException:
        torch.cuda.set_stream(stream)
        generator.graphsafe_set_state(state)
        raise
    return graph.replay, results, graph.pool()
