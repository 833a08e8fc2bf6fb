"""oneDNN's transposed convolution with what torch's own call of it leaves out: an odd cell cut off at the end, a bias.

Keras's `'same'` cuts as many cells at either end, and where their number is odd one more at the end.  torch takes no
such edge, so that the output has to be made larger and copied, and it adds a bias cell by cell.  The kernel below torch
does both on its way: .6 of the time of a forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .._core import devices
from .._core.second_gradients import composed_gradients
from .._core.transforms import is_only_run
from .spatial import torch_pads

Sizes = Sequence[int]
_FUNCTIONS: dict[int, Callable[..., Tensor]] = {4: torch.conv_transpose2d, 5: torch.conv_transpose3d}
_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def transposed_convolution(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Sizes, edges: tuple[Sizes, Sizes, Sizes], dilation: Sizes
) -> Tensor:
    """Return a transposed convolution in torch's order of axes.

    Args:
        x: `(batch, channels, *space)`, of two or three axes in space.
        weight: `(channels, filters, *window)`.
        bias: `(filters,)`, or `None`.
        stride: Cells of the output from one cell of the input to the next.
        edges: For each axis the cells that are cut at both ends, that are added at the end, and that are left out there
            afterwards.
        dilation: Distance of the cells under the window.
    """
    if devices.on_onednn(x) and is_only_run(x):
        return _OnOnednn.apply(x, weight, bias, stride, edges, dilation)  # type: ignore[no-any-return, no-untyped-call]
    return _composed(x, weight, bias, stride, edges, dilation)


def _composed(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Sizes, edges: tuple[Sizes, Sizes, Sizes], dilation: Sizes
) -> Tensor:
    both, more, last = edges
    transpose = _FUNCTIONS[x.dim()]
    if devices.on_cuda(x):
        y = transpose(x, weight, bias, stride, both, more, 1, dilation)
        for axis, cells in enumerate(last, 2):
            y = y.narrow(axis, 0, y.shape[axis] - cells)
        return y
    # On the CPU the kernel takes six times as long with a bias, and the gradient of a window that was cut by
    # `narrow` comes in an order of axes that it has no fast way for.
    y = transpose(x, weight, None, stride, both, more, 1, dilation)
    if any(last):
        y = F.pad(y, torch_pads([(0, -cells) for cells in last]))
    return y if bias is None else y + bias.view(-1, *[1] * (y.dim() - 2))


class _OnOnednn(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: Sizes,
        edges: tuple[Sizes, Sizes, Sizes],
        dilation: Sizes,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, bias)
        ctx.options = stride, edges, dilation
        both, more, last = edges
        ends = [added - left_out for added, left_out in zip(more, last)]
        kernel: Any = torch.ops.mkldnn._convolution_transpose_pointwise
        return kernel(x, weight, bias, both, ends, stride, dilation, 1, "none", [], "")  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, _ = ctx.saved_tensors
        stride, (both, more, last), dilation = ctx.options
        if torch.is_grad_enabled():  # a gradient of this gradient is asked for
            options, needed = ctx.options, ctx.needs_input_grad[:3]
            again = composed_gradients(lambda *t: [_composed(*t, *options)], ctx.saved_tensors, needed, [grad])
            return *again, None, None, None
        wanted = [*ctx.needs_input_grad[:2], False]
        whole = _with_cells_at_the_end(grad, last) if any(last) else grad
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(
            whole, x, weight, None, stride, both, dilation, True, more, 1, wanted
        )
        of_bias = grad.sum([0, *range(2, grad.dim())]) if ctx.needs_input_grad[2] else None
        return of_x, of_weight, of_bias, None, None, None


def _with_cells_at_the_end(grad: Tensor, cells: Sizes) -> Tensor:
    """Return a gradient with zeros at the end of its axes in space; `F.pad` would write zeros everywhere first."""
    channels_last = _FORMATS[grad.dim()]
    order = channels_last if grad.is_contiguous(memory_format=channels_last) else torch.contiguous_format
    space = grad.shape[2:]
    sizes = [n + more for n, more in zip(space, cells)]
    whole = torch.empty((*grad.shape[:2], *sizes), dtype=grad.dtype, memory_format=order)
    inner = whole
    for axis, (n, more) in enumerate(zip(space, cells), 2):
        inner.narrow(axis, n, more).zero_()
        inner = inner.narrow(axis, 0, n)
    inner.copy_(grad)
    return whole
