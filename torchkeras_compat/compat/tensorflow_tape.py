"""`tf.GradientTape` by torch's own record of what is computed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from .._core.aliases import gradients_by
from .._core.errors import argument_error, choice
from .._core.tree import Tree, fill, flatten, is_branch
from .._core.user_tensors import hand_out, take_back
from .._core.weights import Variable
from ..optimizers.gradients import in_layout, parameters


class _Tapes(threading.local):
    """How many tapes record in this thread."""

    recording = 0


_TAPES = _Tapes()


class IndexedSlices:
    """What a gradient of looked-up rows is in TensorFlow: no gradient is one here, for all are dense.

    Optimizers that users write ask for it, as in the guide of Keras.

    Raises:
        NotImplementedError: One is to be made.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("tf.IndexedSlices: gradients are dense tensors here; write the values into zeros.")


class GradientTape:
    """What is computed in its block has gradients by weights, and by tensors that it watches.

    torch records anyway: a tape turns recording on where it is off, and asks for gradients of gradients where a tape
    around it will want them.

    Args:
        persistent: Accepted: the record lasts as long as the tensors.
        watch_accessed_variables: Accepted: weights that train have gradients.

    Example:
        >>> x = torch.tensor(3.0)
        >>> with GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> tape.gradient(y, x).item()
        6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent
        self._watched: list[Tensor] = []
        self._modes: list[Any] = []

    def __enter__(self) -> GradientTape:
        self._modes = [torch.inference_mode(False), torch.enable_grad()]
        for mode in self._modes:
            mode.__enter__()
        _TAPES.recording += 1
        return self

    def __exit__(self, *error: Any) -> None:
        if not self._modes:
            return
        _TAPES.recording -= 1
        while self._modes:
            self._modes.pop().__exit__(*error)

    def watch(self, tensor: Tree) -> None:
        """Let what is computed of a tensor have gradients by it.

        Args:
            tensor: A tensor of floats, or a tree of them.
        """
        for one in flatten(tensor):
            if not isinstance(one, Tensor):
                raise argument_error("GradientTape.watch", "tensor", "a tensor", one, TypeError)
            if not isinstance(one, Variable) and one.is_floating_point() and not one.requires_grad:
                one.requires_grad_()
            self._watched.append(one)

    def watched_variables(self) -> tuple[Any, ...]:
        """Return what was watched by `watch`."""
        return tuple(self._watched)

    def stop_recording(self) -> Any:
        """Return a context in which nothing is recorded."""
        return torch.no_grad()

    def reset(self) -> None:
        """Forget what was watched."""
        self._watched.clear()

    def gradient(
        self, target: Tree, sources: Tree, output_gradients: Tree = None, unconnected_gradients: str = "none"
    ) -> Tree:
        """Return the gradients of the sum of the targets by each source, in the structure of the sources.

        Args:
            target: A tensor, or a tree of them.
            sources: Weights and tensors, one or a tree.
            output_gradients: Factors of the targets' elements.
            unconnected_gradients: What stands for a source that no target depends on: `'none'` or `'zero'`.
        """
        zero = choice("GradientTape", "unconnected_gradients", str(unconnected_gradients), ("none", "zero")) == "zero"
        targets = [take_back(one) for one in flatten(target)]
        factors = [output_gradients] if not is_branch(target) else flatten(output_gradients or [None] * len(targets))
        recorded = [(t, f) for t, f in zip(targets, factors) if isinstance(t, Tensor) and t.requires_grad]
        ends = [t for t, _ in recorded]
        weights = [_weight(t, f) for t, f in recorded]
        leaves: list[Any] = []
        _mapped(leaves.append, sources)
        behind = [list(parameters(one)) if isinstance(one, Variable) else [take_back(one)] for one in leaves]
        every = [parameter for parts in behind for parameter in parts]
        grads = iter(gradients_by(every, ends, weights, create_graph=_TAPES.recording > 0))
        results = [in_layout(source, [next(grads) for _ in parts]) for source, parts in zip(leaves, behind)]
        if zero:
            results = [torch.zeros_like(take_back(s)) if grad is None else grad for s, grad in zip(leaves, results)]
        in_order = iter(results)
        return _mapped(lambda source: hand_out(next(in_order)), sources)

    def jacobian(
        self,
        target: Tensor,
        sources: Tree,
        unconnected_gradients: str = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Tree:
        """Return the gradients of each element of a tensor, its axes before those of the source.

        Args:
            target: The tensor.
            sources: Weights and tensors, one or a tree.
            unconnected_gradients: What stands for a source that no target depends on: `'none'` or `'zero'`.
            parallel_iterations: Accepted.
            experimental_use_pfor: Accepted.
        """
        end = take_back(target)
        one_by_one = [self.gradient(e, sources, None, unconnected_gradients) for e in end.reshape(-1).unbind()]

        def stacked(*rows: Any) -> Any:
            if any(row is None for row in rows):
                return None
            return hand_out(torch.stack([take_back(row) for row in rows]).reshape(*end.shape, *rows[0].shape))

        if not is_branch(sources):
            return stacked(*one_by_one)
        parts = [stacked(*parts) for parts in zip(*map(flatten, one_by_one))]
        return fill(one_by_one[0], parts)

    def batch_jacobian(
        self,
        target: Tensor,
        source: Tensor,
        unconnected_gradients: str = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return the jacobian of each sample by itself.

        Args:
            target: `(batch, …)`.
            source: `(batch, …)`.
            unconnected_gradients: What stands for a source that the target does not depend on: `'none'` or `'zero'`.
            parallel_iterations: Accepted.
            experimental_use_pfor: Accepted.
        """
        whole = take_back(self.jacobian(target, source, unconnected_gradients))
        if whole is None:
            return None
        own = torch.arange(len(target), device=whole.device)
        return hand_out(whole.movedim(target.dim(), 1)[own, own])


def _weight(target: Tensor, factor: Any) -> Tensor | None:
    """Return the factors of a target's elements; for a number's torch would import SymPy, and 1 needs not be said."""
    if factor is None:
        return torch.ones_like(target) if target.dim() else None
    return torch.as_tensor(take_back(factor)).to(target)


def _mapped(function: Callable[[Any], Any], sources: Tree) -> Tree:
    """Return what a function makes of each source; lists of weights, of classes of their own, as lists."""
    if isinstance(sources, Mapping):
        return {key: _mapped(function, source) for key, source in sources.items()}
    if isinstance(sources, (list, tuple)):
        results = [_mapped(function, source) for source in sources]
        return tuple(results) if isinstance(sources, tuple) else results
    return function(sources)
