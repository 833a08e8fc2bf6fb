"""A function of tensors as a graph of torch operations, with all that it reads and writes as inputs.

The function runs once, as it stands, on stand-ins that have shapes and no numbers: `make_fx` writes down what reaches
torch's kernels, the gradients and the optimizer's arithmetic included.  Parameters, slots and states that it found in
objects become inputs of the graph, which are changed in place.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from ..._core.custom_ops import define
from ..._core.graph_capture import CannotCapture, as_capture
from ..._core.lent_memory import harmless, is_lent, writes
from ..._core.tensor_operators import BINARY, OPERATORS, item
from ..._core.user_tensors import Live, user_code_runs
from .graphs import host_randomness, refuse_host_randomness

aten = torch.ops.aten


@dataclass
class Graph:
    """A captured function.

    Attributes:
        module: The graph; it takes `held` and then what the function took, and returns a flat list of tensors.
        held: What the function read or wrote beside its arguments, as tensors that share the memory.
    """

    module: fx.GraphModule
    held: list[Tensor]


def capture(
    function: Callable[..., list[Tensor]], arguments: Sequence[Tensor], device: torch.device | None = None
) -> Graph:
    """Return what `function` does as a graph; nothing is computed and nothing changes.

    Args:
        function: Takes tensors and returns a list of tensors.
        arguments: Examples of what it takes.
        device: Where its kernels are to run, and all that it holds has to be; anywhere if `None`.

    Raises:
        CannotCapture: It draws from numpy's or Python's random numbers, which a graph would freeze, or it holds a
            tensor on another device.
    """
    mode = _StandIns(allow_non_fake_inputs=True)
    before = host_randomness()
    with as_capture(), mode, _Manners():
        stand_ins = [mode.from_tensor(t) for t in arguments]
        module = make_fx(function, tracing_mode="real", _allow_non_fake_inputs=True)(*stand_ins)
    refuse_host_randomness(before)
    if device is not None:
        _move_constants(module, device)
    held = _lift(module)
    if device is not None and any(t.device != device for t in held):
        raise CannotCapture(f"something in it holds a tensor that is not on {device}, where its kernels run")
    _guard_indices(module)
    module.graph.set_codegen(fx.graph.CodeGen())
    module.graph.lint()
    module.recompile()
    return Graph(module, held)


class _StandIns(FakeTensorMode):  # type: ignore[no-untyped-call]
    """Runs code on stand-ins, which it also puts in the place of the real tensors that code finds in objects.

    torch itself computes with those where no stand-in is among the arguments, and so writes to them.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in _LIFTS:  # which take the numbers that stand in the code
            args, kwargs = pytree.tree_map_only(Tensor, self._stand_in, (args, kwargs or {}))
        return super().__torch_dispatch__(func, types, args, kwargs)

    def _stand_in(self, tensor: Tensor) -> Tensor:
        return tensor if isinstance(tensor, FakeTensor) else self.from_tensor(tensor)


_LIFTS = {aten.lift_fresh.default, aten.lift_fresh_copy.default, aten.lift.default}
_READS = {Tensor.item, Tensor.tolist, Tensor.numpy, Tensor.__bool__, Tensor.__float__, Tensor.__int__, Tensor.__index__}


class _Manners(TorchFunctionMode):
    """Gives torch the parameter behind a Keras variable, a class unknown to stand-ins, and lets nobody read a value.

    Stand-ins cannot be `UserTensor`s; in user code their operators have the same manners all the same.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _READS and not isinstance(args[0], FakeTensor):
            raise CannotCapture("something in it reads the value of a tensor, which a graph would take for ever")
        args, kwargs = pytree.tree_map_only(Live, _read, (tuple(args), kwargs or {}))
        name = _OPERATOR_OF.get(func.__name__.rstrip("_")) if user_code_runs() else None
        if func is Tensor.__getitem__ and user_code_runs():
            return item(*args)
        if user_code_runs() and writes(func):
            if name is not None and _is_augmented(sys._getframe(1)):
                return OPERATORS[name](*args)
            if is_lent(args[0]):
                raise CannotCapture("something in it writes into what it was given")
        elif kwargs and user_code_runs():
            kwargs = harmless(func, args, kwargs)
        return func(*args, **kwargs)


def _read(weight: Live) -> Tensor:
    return weight.current()


# What torch calls the method behind an operator → the operator.
_OPERATOR_OF = {
    **{name: f"__{name}__" for name in BINARY},
    "div": "__truediv__",
    "floor_divide": "__floordiv__",
    "remainder": "__mod__",
    **{f"__i{name}": f"__{name}__" for name in BINARY},
}


def _is_augmented(frame: FrameType | None) -> bool:
    """Tell whether the call of an in-place method is an augmented assignment in the code that makes it."""
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("torch."):
        frame = frame.f_back
    if frame is None:
        return False
    operation = dis.opname[frame.f_code.co_code[frame.f_lasti]]
    return operation.startswith(("BINARY_OP", "INPLACE_"))


def _move_constants(module: fx.GraphModule, device: torch.device) -> None:
    """Put the numbers that stand in the code (`torch.tensor(2.0)`) on a device, where the kernels beside them run."""
    for node in module.graph.find_nodes(op="get_attr"):
        name = str(node.target)
        if all(user.target in _LIFTS for user in node.users):
            setattr(module, name, getattr(module, name).to(device))


def _lift(module: fx.GraphModule) -> list[Tensor]:
    """Make inputs of the tensors that stand in the graph as constants, one for each piece of memory."""
    graph = module.graph
    constants: dict[str, Tensor] = {}
    for node in graph.find_nodes(op="get_attr"):
        constants[str(node.target)] = getattr(module, str(node.target)).detach()
    pieces: dict[Any, list[str]] = {}
    for name, tensor in constants.items():
        pieces.setdefault((tensor.untyped_storage()._cdata, tensor.dtype), []).append(name)
    held: list[Tensor] = []
    first = next(iter(graph.nodes))
    for names in pieces.values():
        tensors = [constants[name] for name in names]
        base = tensors[0] if len({_geometry(t) for t in tensors}) == 1 else _whole(tensors)
        with graph.inserting_before(first):
            source = graph.placeholder(f"held_{len(held)}")
            source.meta["val"] = base
        held.append(base)
        for name, tensor in zip(names, tensors):
            _replace(
                graph, first, name, source, None if tensor is base or _geometry(tensor) == _geometry(base) else tensor
            )
    for name in constants:
        delattr(module, name)
    return held


def _replace(graph: fx.Graph, first: fx.Node, name: str, source: fx.Node, view: Tensor | None) -> None:
    """Let every node that reads the constant `name` read `source`, or the view of it that the constant was."""
    for node in list(graph.find_nodes(op="get_attr", target=name)):
        if view is None:
            node.replace_all_uses_with(source)
        else:
            with graph.inserting_before(node):
                place = (list(view.shape), list(view.stride()), view.storage_offset())
                node.replace_all_uses_with(graph.call_function(aten.as_strided.default, (source, *place)))
        graph.erase_node(node)


def _geometry(tensor: Tensor) -> tuple[Any, ...]:
    return tuple(tensor.shape), tensor.stride(), tensor.storage_offset()


def _whole(tensors: Sequence[Tensor]) -> Tensor:
    """Return the tensor that holds all of these, one-dimensional over their memory if none of them does."""
    size = tensors[0].untyped_storage().nbytes() // tensors[0].element_size()
    for tensor in tensors:
        if tensor.dim() == 1 and tensor.numel() == size and tensor.is_contiguous():
            return tensor
    return tensors[0].as_strided((size,), (1,), 0)


# --- indices -----------------------------------------------------------------------------------------------------


def _opaque(operator: Any, signature: str) -> Any:
    """Return an operator that does the same and that compilers leave alone.

    A compiled gather checks its indices inside a parallel loop, and an index out of range ends the process there;
    torch's own kernel raises.  The result is contiguous: how kernels lay it out differs from device to device, and from
    what their stand-ins say.
    """

    def contiguous(*args: Any, **kwargs: Any) -> Tensor:
        result: Tensor = operator(*args, **kwargs).contiguous()
        return result

    return define(f"{operator.overloadpacket.__name__}({signature}) -> Tensor", contiguous)


_GUARDED = {
    aten.embedding.default: _opaque(
        aten.embedding.default,
        "Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False",
    ),
    aten.index_select.default: _opaque(aten.index_select.default, "Tensor self, int dim, Tensor index"),
    aten.gather.default: _opaque(aten.gather.default, "Tensor self, int dim, Tensor index, *, bool sparse_grad=False"),
    aten.index.Tensor: _opaque(aten.index.Tensor, "Tensor self, Tensor?[] indices"),
}


def _guard_indices(module: fx.GraphModule) -> None:
    for node in module.graph.nodes:
        if node.op == "call_function" and node.target in _GUARDED:
            node.target = _GUARDED[node.target]
