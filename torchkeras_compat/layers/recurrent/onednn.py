"""oneDNN's LSTM, forward and backward, outside of autograd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

LSTM_MODE = 2  # torch's number for LSTM among its recurrent kernels


def onednn_lstm(
    x: Tensor, w: Tensor, r: Tensor, b: Tensor, rb: Tensor, h: Tensor, c: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Run oneDNN's LSTM over a sequence of tensors without gradient, and keep what the written-out gradient needs.

    Args:
        x: (steps, batch, features), contiguous.
        w: (4 · units, features), gates i, f, g, o.
        r: (4 · units, units).
        b: (4 · units,).
        rb: A second bias.
        h: The first h, (batch, units).
        c: The first c.

    Returns:
        All h, the last h, the last c and oneDNN's workspace.
    """
    kernel: Any = torch.mkldnn_rnn_layer  # typed for other arguments in torch's stubs
    options: Any = (False, [], LSTM_MODE, r.shape[1], 1, True, False, False, True)
    with torch.enable_grad():  # the kernel keeps its workspace only where a gradient may be asked for
        return kernel(x, w, r, b, rb, h, c, *options)  # type: ignore[no-any-return]


def onednn_lstm_backward(
    inputs: Sequence[Tensor], outputs: Sequence[Tensor], grad: Tensor, grad_h: Tensor, grad_c: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of x, w, r, b, h and c.

    Args:
        inputs: What `onednn_lstm` took.
        outputs: What it returned.
        grad: The gradient of all h, contiguous.
        grad_h: That of the last h.
        grad_c: That of the last c.
    """
    units, (*states, workspace) = inputs[2].shape[1], outputs
    numbers: Any = (False, LSTM_MODE, units, 1, True, True, False, [], False)
    dx, dw, dr, db, _, dh, dc = torch.ops.aten.mkldnn_rnn_layer_backward(
        *inputs, *states, grad, grad_h, grad_c, *numbers, workspace
    )
    return dx, dw, dr, db, dh.view(inputs[5].shape), dc.view(inputs[6].shape)
