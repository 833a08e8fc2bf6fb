"""`tf.linalg` and `tf.signal`: matrices, and what waves are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .._core import settings
from .._core.errors import argument_error
from .tensorflow_calls import axes_of, function, tensor
from .tensorflow_functions import norm

# --- matrices ----------------------------------------------------------------------------------------------------


@function("linalg.det matrix_determinant")
def det(input: Tensor) -> Any:
    """Return the determinant."""
    return torch.linalg.det(input)


@function("linalg.inv matrix_inverse")
def inv(input: Tensor, adjoint: bool = False) -> Tensor:
    """Return the inverse."""
    inverse: Tensor = torch.linalg.inv(input)
    return inverse.mH if adjoint else inverse


@function("linalg.pinv")
def pinv(a: Tensor, rcond: Any = None) -> Any:
    """Return the pseudoinverse."""
    relative = 10 * max(a.shape[-2:]) * torch.finfo(a.dtype).eps if rcond is None else rcond
    return torch.linalg.pinv(a, rtol=relative)


@function("linalg.trace trace")
def trace(x: Tensor) -> Tensor:
    """Return the sum of the diagonal."""
    return x.diagonal(dim1=-2, dim2=-1).sum(-1)


def _expect_defaults(owner: str, **others: Any) -> None:
    for argument, (value, default) in others.items():
        if value != default:
            raise argument_error(f"tf.linalg.{owner}", argument, f"{default}", value)


@function("linalg.diag matrix_diag")
def diag(diagonal: Tensor, k: int = 0, num_rows: int = -1, num_cols: int = -1, padding_value: Any = 0) -> Tensor:
    """Return matrices with a diagonal, zeros beside it."""
    _expect_defaults("diag", num_rows=(num_rows, -1), num_cols=(num_cols, -1), padding_value=(padding_value, 0))
    return torch.diag_embed(diagonal, int(k))


@function("linalg.diag_part matrix_diag_part")
def diag_part(input: Tensor, k: int = 0, padding_value: Any = 0) -> Tensor:
    """Return the diagonal of matrices."""
    _expect_defaults("diag_part", padding_value=(padding_value, 0))
    return input.diagonal(int(k), -2, -1)


@function("linalg.set_diag matrix_set_diag")
def set_diag(input: Tensor, diagonal: Tensor, k: int = 0) -> Tensor:
    """Return matrices with another diagonal."""
    return torch.diagonal_scatter(input, diagonal, int(k), -2, -1)


@function("linalg.tensor_diag diag")
def tensor_diag(diagonal: Tensor) -> Tensor:
    """Return a tensor of twice as many axes with the values on its diagonal."""
    return torch.diag(diagonal.reshape(-1)).reshape(*diagonal.shape, *diagonal.shape)


@function("linalg.tensor_diag_part diag_part")
def tensor_diag_part(input: Tensor) -> Tensor:
    """Return the diagonal of a tensor of twice as many axes."""
    half = input.shape[: input.dim() // 2]
    return input.reshape(math.prod(half), -1).diagonal().reshape(half)


@function("linalg.band_part matrix_band_part")
def band_part(input: Tensor, num_lower: Any, num_upper: Any) -> Tensor:
    """Return matrices with zeros far from the diagonal; a negative number keeps all."""
    lower, upper = int(num_lower), int(num_upper)
    x = input if upper < 0 else torch.tril(input, upper)
    return x if lower < 0 else torch.triu(x, -lower)


@function("linalg.matvec")
def matvec(a: Tensor, b: Tensor, transpose_a: bool = False) -> Tensor:
    """Return the product of matrices and vectors."""
    return torch.matmul(a.mT if transpose_a else a, b.unsqueeze(-1)).squeeze(-1)


@function("linalg.cross cross")
def cross(a: Tensor, b: Tensor) -> Any:
    """Return the cross product of vectors."""
    return torch.linalg.cross(a, b)


@function("linalg.cholesky cholesky")
def cholesky(input: Tensor) -> Any:
    """Return the lower triangular matrix whose product with its transpose is the given one."""
    return torch.linalg.cholesky(input)


@function("linalg.solve matrix_solve")
def solve(matrix: Tensor, rhs: Tensor, adjoint: bool = False) -> Any:
    """Return the solution of linear equations."""
    return torch.linalg.solve(matrix.mH if adjoint else matrix, rhs)


@function("linalg.triangular_solve matrix_triangular_solve")
def triangular_solve(matrix: Tensor, rhs: Tensor, lower: bool = True, adjoint: bool = False) -> Any:
    """Return the solution of linear equations with a triangular matrix."""
    side = torch.tril(matrix) if lower else torch.triu(matrix)
    return torch.linalg.solve_triangular(side.mH if adjoint else side, rhs, upper=lower == adjoint)


@function("linalg.lstsq matrix_solve_ls")
def lstsq(matrix: Tensor, rhs: Tensor, l2_regularizer: float = 0.0, fast: bool = True) -> Any:
    """Return the solution of least squares, or of least norm."""
    rows, columns = matrix.shape[-2:]
    if rows >= columns:
        square = matrix.mH @ matrix
        return torch.linalg.solve(square + l2_regularizer * _one(square), matrix.mH @ rhs)
    square = matrix @ matrix.mH
    return matrix.mH @ torch.linalg.solve(square + l2_regularizer * _one(square), rhs)


def _one(square: Tensor) -> Tensor:
    return torch.eye(square.shape[-1], dtype=square.dtype, device=square.device)


@function("linalg.svd svd", also={"tensor": "x"})
def svd(x: Tensor, full_matrices: bool = False, compute_uv: bool = True) -> Any:
    """Return singular values, left and right singular vectors; the values alone without `compute_uv`."""
    if not compute_uv:
        return torch.linalg.svdvals(x)
    left, values, right = torch.linalg.svd(x, full_matrices)
    return values, left, right.mH


@function("linalg.eigh self_adjoint_eig linalg.self_adjoint_eig", also={"tensor": "x"})
def eigh(x: Tensor) -> Any:
    """Return eigenvalues and eigenvectors of symmetric matrices."""
    return tuple(torch.linalg.eigh(x))


@function("linalg.eigvalsh self_adjoint_eigvals", also={"tensor": "x"})
def eigvalsh(x: Tensor) -> Any:
    """Return the eigenvalues of symmetric matrices."""
    return torch.linalg.eigvalsh(x)


@function("linalg.qr qr")
def qr(input: Tensor, full_matrices: bool = False) -> Any:
    """Return orthogonal and upper triangular matrices."""
    return tuple(torch.linalg.qr(input, "complete" if full_matrices else "reduced"))


@function("linalg.slogdet")
def slogdet(input: Tensor) -> Any:
    """Return the sign of the determinant and the logarithm of its absolute value."""
    return tuple(torch.linalg.slogdet(input))


@function("linalg.logdet")
def logdet(matrix: Tensor) -> Tensor:
    """Return the logarithm of the determinant of positive definite matrices."""
    return torch.logdet(matrix)


@function("linalg.expm")
def expm(input: Tensor) -> Any:
    """Return the exponential of matrices."""
    return torch.linalg.matrix_exp(input)


@function("linalg.normalize", also={"tensor": "x"})
def normalize(x: Tensor, ord: Any = "euclidean", axis: Any = None) -> Any:
    """Return a tensor divided by its norm, and the norm."""
    length = norm(x, ord, axis, True)
    return x / length, length


@function("clip_by_norm")
def clip_by_norm(x: Tensor, clip_norm: Any, axes: Any = None) -> Any:
    """Return values scaled down to a norm at most."""
    squares = torch.square(x).sum(axes_of(x, axes), keepdim=True)
    length = torch.where(squares > 0, torch.sqrt(torch.where(squares > 0, squares, 1)), squares)
    return x * clip_norm / torch.clamp(length, min=clip_norm)


@function("linalg.global_norm global_norm")
def global_norm(t_list: Any) -> Tensor:
    """Return the norm of several tensors together; `None` is left out."""
    squares = [torch.square(tensor(t)).sum() for t in t_list if t is not None]
    return torch.sqrt(torch.stack(squares).sum())


@function("clip_by_global_norm")
def clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None) -> Any:
    """Return tensors scaled down together to a norm at most, and their norm."""
    length = global_norm(t_list) if use_norm is None else use_norm
    scale = clip_norm / torch.clamp(length, min=clip_norm)
    return [None if t is None else tensor(t) * scale for t in t_list], length


# --- waves -------------------------------------------------------------------------------------------------------


def _enter_complex(name: str, transform: Callable[..., Tensor]) -> None:
    @function(f"signal.{name} {name}")
    def apply(input: Tensor) -> Tensor:
        return transform(input)


for _name in ("fft", "ifft", "fft2", "ifft2"):
    _enter_complex(f"{_name}d" if _name.endswith("2") else _name, getattr(torch.fft, _name))


def _enter_real(name: str, transform: Callable[..., Tensor], several: bool) -> None:
    @function(f"signal.{name}", also={"input": "input_tensor"})
    def apply(input_tensor: Tensor, fft_length: Any = None) -> Tensor:
        if fft_length is None:
            return transform(input_tensor)
        told = [int(n) for n in (fft_length if hasattr(fft_length, "__len__") else [fft_length])]
        return transform(input_tensor, told if several else told[0])


for _name in ("rfft", "irfft", "rfft2", "irfft2"):
    _enter_real(f"{_name}d" if _name.endswith("2") else _name, getattr(torch.fft, _name), _name.endswith("2"))


@function("signal.fftshift")
def fftshift(x: Tensor, axes: Any = None) -> Any:
    """Return frequencies with 0 in the middle."""
    return torch.fft.fftshift(x, axes_of(x, axes))


@function("signal.ifftshift")
def ifftshift(x: Tensor, axes: Any = None) -> Any:
    """Return frequencies with 0 in front."""
    return torch.fft.ifftshift(x, axes_of(x, axes))


def _window(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def window(window_length: Any, periodic: bool = True, dtype: Any = "float32", name: str | None = None) -> Tensor:
        kind, device = settings.torch_dtype(dtype), settings.default_device()
        even = bool(periodic) and int(window_length) % 2 == 0  # TensorFlow's windows of odd length never repeat
        return draw(int(window_length), periodic=even, dtype=kind, device=device)

    return window


hann_window = _window(torch.hann_window)
hamming_window = _window(torch.hamming_window)
WINDOWS = {"hann_window": hann_window, "hamming_window": hamming_window}


@function("signal.frame")
def frame(
    signal: Tensor, frame_length: Any, frame_step: Any, pad_end: bool = False, pad_value: Any = 0, axis: int = -1
) -> Tensor:
    """Return windows of signals, in a new axis behind that of time."""
    length, step, place = int(frame_length), int(frame_step), axis % signal.dim()
    x = signal.movedim(place, -1)
    if pad_end:
        count = -(-x.shape[-1] // step)
        x = F.pad(x, (0, max(0, length + step * (count - 1) - x.shape[-1])), value=pad_value)
    if x.shape[-1] < length:
        return x.new_empty(*x.shape[:-1], 0, length).movedim((-2, -1), (place, place + 1))
    return x.unfold(-1, length, step).movedim((-2, -1), (place, place + 1))


@function("signal.stft")
def stft(
    signals: Tensor,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Any = hann_window,
    pad_end: bool = False,
) -> Any:
    """Return the frequencies in windows of signals."""
    frames = frame(signals, frame_length, frame_step, pad_end)
    length = 1 << (int(frame_length) - 1).bit_length() if fft_length is None else int(fft_length)
    if window_fn is not None:
        frames = frames * window_fn(int(frame_length), dtype=signals.dtype).to(signals.device)
    return torch.fft.rfft(frames, length)
