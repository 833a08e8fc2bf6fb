"""A call of a layer inside `torch.compile`: one operation of the compiled graph, traced as it runs.

What a call does in Python (masks, modes, conversions, other threads) is none of the compiler's business. So dynamo,
which reads bytecode, leaves the call alone, and the tracer behind it, which sees operations of torch, goes through it.
"""

from __future__ import annotations

from typing import Any

import torch
import torch._dynamo


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _run_outside(layer: Any, inputs: Any, args: tuple[Any, ...], call_arguments: dict[str, Any]) -> Any:
    return layer(inputs, *args, **call_arguments)


# Before torch 2.7 there is no such way, and the graph breaks at the call.
_traced_as_it_runs: Any = getattr(torch._dynamo, "nonstrict_trace", None)
_run_in_graph = _run_outside if _traced_as_it_runs is None else _traced_as_it_runs(_run_outside)


def call_in_compiler(layer: Any, inputs: Any, args: tuple[Any, ...], call_arguments: dict[str, Any]) -> Any:
    """Return what a call of a layer gives; one that has its weights still to make is called outside the graph.

    Args:
        layer: The layer.
        inputs: What it is called on.
        args: Further arguments of the call.
        call_arguments: Further arguments by name.
    """
    run = _run_in_graph if layer.built else _run_outside
    return run(layer, inputs, args, {"training": layer.training, **call_arguments})
