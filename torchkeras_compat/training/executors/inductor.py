"""A training step compiled as one graph: forward, loss, gradients, update, constraints.

The step is the same one; it is captured (`capture.py`), given to torch's inductor, and called in place of running the
layers.  Learning rate and the other numbers of a step are inputs, so that they may change.  What cannot be captured or
compiled runs eagerly, after one line that says why.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..._core.graph_capture import CannotCapture
from ..._core.tree import flatten, map_tree
from ..data.batch import Batch
from ..step.step import BatchLoss, Outcome, Step
from .graphs import GraphExecutor, Key, first_line, leaving_no_trace
from .update_numbers import NumbersTensor

if TYPE_CHECKING:
    from .capture import Graph

OFTEN = 16  # batches of a further shape before it gets a graph of its own …
SHARE = 4  # … and it must be one batch in so many: a short last batch of each epoch is not worth the wait
LEAST_CHUNK = 2048  # elements a thread must have; inductor's 512 made dense100's step a tenth slower
REMEDY = "install one (apt install g++), or leave jit_compile out"


class CompiledStep(GraphExecutor["Runner"]):
    """The compiled graphs of a training step, one for each shape of batch that is worth it."""

    announces = "compile(jit_compile=True)"
    verb = "compiled"

    def _worth(self, key: Key) -> bool:
        """Tell whether this shape of batch comes often enough; the first one does."""
        count = self._seen[key]
        return not self._graphs or (count >= OFTEN and count * SHARE >= self._seen.total())

    def _make(self, batch: Batch, scalars: dict[str, float]) -> Runner:
        if device_of(batch).type == "cpu" and not has_compiler():
            raise CannotCapture(f"no C++ compiler was found; {REMEDY}")
        return Runner(self.step, batch, scalars)

    def _run(self, graph: Runner, batch: Batch, scalars: dict[str, float]) -> bool:
        try:
            outcome, loss, rest = graph(batch, scalars)
        except IndexError:  # an index that no embedding has: the eager step says which layer and what to write
            return False
        except Exception as error:  # torch's own, of many kinds
            self._graphs = {key: None if kept is graph else kept for key, kept in self._graphs.items()}
            self.say(f"the compiled step failed ({first_line(error)}); the model runs eagerly.")
            return False
        self.step.update.after(rest, scalars)
        self.step.note(batch, outcome, loss)
        return True


class Runner:
    """One compiled graph and the tensors it works on.

    Args:
        step: The step to capture.
        batch: An example of what it is trained on.
        scalars: The numbers of its next update.
    """

    def __init__(self, step: Step, batch: Batch, scalars: dict[str, float]) -> None:
        device = device_of(batch)
        self.numbers = NumbersTensor(scalars, device)
        self._has_run = False
        example = self._inputs(batch)
        from .capture import capture  # torch's tracing takes time to import

        with leaving_no_trace(step.model, python_counts=False):  # as in a function that TensorFlow traced
            graph = capture(functools.partial(self._step, step, batch), example, device)
        self.held = graph.held
        self.function = compile_graph(graph, [*graph.held, *example])

    def _inputs(self, batch: Batch) -> list[Tensor]:
        return [self.numbers.tensor, *(leaf for leaf in flatten(batch[:3]) if leaf is not None)]

    def _step(self, step: Step, like: Batch, numbers: Tensor, *parts: Tensor) -> list[Tensor]:
        """Make one step: what is captured.  Returns the outputs, the losses and masks where there are any, and more."""
        rest = iter(parts)
        x, y, weight = map_tree(lambda leaf: None if leaf is None else next(rest), tuple(like[:3]))
        scalars = dict(zip(self.numbers.names, numbers.unbind(0)))
        batch = Batch(x, y, weight, like.size)
        outcome, loss, more = step.body(batch, functools.partial(step.update.captured, scalars=scalars))
        told = loss if step.chain is None else None
        self._form = (outcome, told)
        self._told = map_tree(lambda leaf: isinstance(leaf, Tensor), _told(outcome, told))
        return [t.detach() for t in (*flatten(_told(outcome, told)), *more) if isinstance(t, Tensor)]

    @torch.no_grad()
    def __call__(self, batch: Batch, scalars: dict[str, float]) -> tuple[Outcome, BatchLoss | None, list[Tensor]]:
        """Train on a batch; return its outcome and loss, and what the update still needs."""
        self.numbers.write(scalars)
        if self._has_run:
            tensors = self.function(*self.held, *self._inputs(batch))
        else:  # what a compiler made may fail where it runs: memory, a kernel that does not start
            with restored_on_error(self.held):
                tensors = self.function(*self.held, *self._inputs(batch))
            self._has_run = True
        results = iter(tensors)
        outputs, masks, losses = map_tree(lambda there: next(results) if there else None, self._told)
        outcome, loss = self._form
        if loss is not None:
            shown, *by_output = losses
            loss = loss._replace(minimised=shown, shown=shown, by_output=by_output)
        return outcome._replace(outputs=outputs, masks=masks), loss, list(results)


def _told(outcome: Outcome, loss: BatchLoss | None) -> tuple[list[Any], list[Any], list[Any]]:
    """Return what a step tells of a batch: outputs, masks and losses."""
    return outcome.outputs, outcome.masks, [] if loss is None else [loss.shown, *loss.by_output]


def compile_graph(graph: Graph, example: Sequence[Tensor]) -> Callable[..., Sequence[Tensor]]:
    """Compile a captured graph by torch's inductor.

    Random numbers come from torch's own generator on the CPU, as in an eager step: the same seed, the same numbers, and
    inductor's own are slower there.
    """
    on_cpu = all(t.device.type == "cpu" for t in example)
    options: dict[str, Any] = {"fallback_random": True, "cpp.min_chunk_size": LEAST_CHUNK} if on_cpu else {}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch's parts among themselves
        from torch import _guards, _inductor  # takes a second to import, which only compiling needs
        from torch._subclasses.fake_tensor import FakeTensorMode
        from torch.fx.experimental.symbolic_shapes import ShapeEnv

        # The caches on disk look for the shapes that a graph was made for where `torch.compile` would have put them.
        mode = FakeTensorMode(shape_env=ShapeEnv())
        shapes = [mode.from_tensor(t, static_shapes=True) for t in example]
        with _guards.tracing(_guards.TracingContext(mode)):
            return _inductor.compile(graph.module, shapes, options=options)  # type: ignore[no-any-return,arg-type]


@functools.cache
def has_compiler() -> bool:
    """Tell whether inductor finds a C++ compiler."""
    from torch._inductor import cpp_builder

    try:
        return bool(cpp_builder.get_cpp_compiler())
    except Exception:
        return False


def device_of(batch: Batch) -> torch.device:
    """Return the device that a batch lies on, and the model with it."""
    device: torch.device = next(leaf.device for leaf in flatten(batch.x) if leaf is not None)
    return device


@contextlib.contextmanager
def restored_on_error(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Put the numbers of tensors, and torch's random numbers, back when the block raises.

    The copies are on the host: on a device they might be what no memory is left for.
    """
    kept = [t.to("cpu", copy=True) for t in tensors]
    random = torch.random.get_rng_state()
    on_cuda = {t.device for t in tensors if t.device.type == "cuda"}
    random_on_cuda = {device: torch.cuda.get_rng_state(device) for device in on_cuda}
    try:
        yield
    except Exception:
        for tensor, before in zip(tensors, kept):
            tensor.copy_(before)
        torch.random.set_rng_state(random)
        for device, state in random_on_cuda.items():
            torch.cuda.set_rng_state(state, device)
        raise
