"""The few process-wide settings of Keras: float type, epsilon, image format, device, names and learning phase."""

from __future__ import annotations

import itertools
import re
import threading
from collections import defaultdict
from typing import Any

import numpy as np
import torch

from .errors import choice, did_you_mean, show

_FLOATS = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}
DTYPES = {
    **_FLOATS,
    "bool": torch.bool,
    "uint8": torch.uint8,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "complex64": torch.complex64,
    "complex128": torch.complex128,
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class _Settings:
    floatx = "float32"
    dtype_policy: Any = None
    epsilon = 1e-7
    image_data_format = "channels_last"
    device: torch.device | None = None
    learning_phase: bool | None = None


class _Call(threading.local):
    """What is told to the code of one call, in the thread that makes it."""

    running: bool | None = None
    calls_follow: bool = True
    joined_batches: int = 0


_settings = _Settings()
_call = _Call()
_uids: defaultdict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))


def floatx() -> str:
    """Return the default float type, `'float32'` unless set otherwise."""
    return _settings.floatx


def set_floatx(value: str) -> None:
    """Set the default float type: `'float16'`, `'bfloat16'`, `'float32'` or `'float64'`."""
    _settings.floatx = choice("set_floatx", "value", value, _FLOATS)


def dtype_policy() -> Any:
    """Return the policy that was set for layers made without `dtype`, `None` where `floatx()` decides."""
    return _settings.dtype_policy


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers made without `dtype`, a `mixed_precision.Policy` or `None`."""
    _settings.dtype_policy = policy


def epsilon() -> float:
    """Return the small number that guards divisions and logarithms, 1e-7 unless set otherwise."""
    return _settings.epsilon


def set_epsilon(value: float) -> None:
    """Set the small number that guards divisions and logarithms."""
    _settings.epsilon = float(value)


def image_data_format() -> str:
    """Return `'channels_last'` or `'channels_first'`."""
    return _settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the default order of image axes; layers made afterwards without `data_format` follow it."""
    allowed = ("channels_last", "channels_first")
    _settings.image_data_format = choice("set_image_data_format", "data_format", data_format, allowed)


def learning_phase() -> bool | None:
    """Return what `set_learning_phase` fixed, `None` when nothing did."""
    return _settings.learning_phase


def set_learning_phase(value: int | bool | None) -> None:
    """Fix training (1) or inference (0) mode for calls that do not say."""
    _settings.learning_phase = None if value is None else bool(value)


def running_phase() -> bool | None:
    """Return the mode of the call in progress: what `set_learning_phase` fixed, else that of `running`."""
    return _call.running if _settings.learning_phase is None else _settings.learning_phase


def phase_for_calls() -> bool | None:
    """Return the mode of a call of a layer that says none: `running_phase`, but `None` at the top of a user's step."""
    return running_phase() if _call.calls_follow else _settings.learning_phase


def inside_run() -> bool:
    """Tell whether a call is made inside another, of a layer by a layer or by a training step."""
    return _call.running is not None


class running:
    """Tells functions and layers that ask without an argument (`K.in_train_phase`) the mode of what runs in the block.

    A class, not a generator: a training step enters one, and this costs a third.

    Args:
        training: Whether it trains; `None` says that nothing runs, as where a layer is built in the midst of a run.
        calls_follow: Whether layers that are called without a mode take it from here. In a `train_step` that a user
            wrote they do not: there `model(x)` infers, as in Keras, and `model(x, training=True)` trains.
    """

    __slots__ = ("_before", "_calls_follow", "_training")

    def __init__(self, training: bool | None, calls_follow: bool = True) -> None:
        self._training, self._calls_follow = training, calls_follow

    def __enter__(self) -> None:
        self._before = _call.running, _call.calls_follow
        _call.running, _call.calls_follow = self._training, self._calls_follow

    def __exit__(self, *error: object) -> None:
        _call.running, _call.calls_follow = self._before


def joined_batch_size() -> int:
    """Return the size of the batches that run one after the other as one; 0 where each comes alone."""
    return _call.joined_batches


class joined_batches:
    """Tells stateful layers that what runs in the block is several batches of this size, one after the other.

    Args:
        size: Rows of each batch; 0 changes nothing.
    """

    __slots__ = ("_before", "_size")

    def __init__(self, size: int) -> None:
        self._size = size

    def __enter__(self) -> None:
        self._before = _call.joined_batches
        _call.joined_batches = self._size

    def __exit__(self, *error: object) -> None:
        _call.joined_batches = self._before


def set_device(device: str | torch.device | None) -> None:
    """Choose the device of models built from now on.

    Args:
        device: `'cpu'`, `'cuda'`, `'cuda:1'`, `'mps'`, a `torch.device`, or `None` for CUDA where there is one.

    Raises:
        ValueError: No such device, or this machine has none.
    """
    if device is None:
        _settings.device = None
        return
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        hint = did_you_mean(str(device), ("cpu", "cuda", "cuda:0", "mps"))
        raise ValueError(f"set_device({device!r}): no such device; {hint}") from None
    count = torch.cuda.device_count() if chosen.type == "cuda" else 1
    if chosen.type == "cuda" and (chosen.index or 0) >= count:
        raise ValueError(f"set_device({device!r}): this machine has {count} CUDA devices; write set_device('cpu').")
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"set_device({device!r}): this machine has no MPS device; write set_device('cpu').")
    _settings.device = chosen


def default_device() -> torch.device:
    """Return the device of new models: what `set_device` chose, else CUDA where there is one, else the CPU."""
    if _settings.device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return _settings.device


def torch_dtype(name: str | torch.dtype | type | None) -> torch.dtype:
    """Return the torch dtype called `name`; `None` is `floatx()`."""
    if isinstance(name, torch.dtype):
        return name
    if isinstance(name, type):  # np.float32, float
        name = "float32" if name is float else np.dtype(name).name
    key = str(getattr(name, "name", name) or floatx())
    if key not in DTYPES:
        raise ValueError(f"dtype={show(name)}: no such dtype; {did_you_mean(key[:60], DTYPES)}")
    return DTYPES[key]


def dtype_name(dtype: torch.dtype) -> str:
    """Return Keras's name of a torch dtype."""
    return _NAMES[dtype]


def is_float(name: str) -> bool:
    """Tell whether the type of this name is one of floats."""
    return name in _FLOATS


def get_uid(prefix: str = "") -> int:
    """Return 1, 2, 3 … for each call with the same prefix."""
    return next(_uids[prefix])  # one step of the interpreter, so that no two threads get the same number


def reset_uids() -> None:
    """Start the numbering of automatic names afresh."""
    _uids.clear()


def snake_case(name: str, digits_begin_words: bool = True) -> str:
    """Return `name` as Keras spells automatic names: `Conv2D` → `conv2d`, `MaxPooling2D` → `max_pooling2d`.

    Args:
        name: The name of a class.
        digits_begin_words: Whether a capital with digits behind it is a word: `ConvLSTM2D` → `conv_lst_m2d`.
    """
    name = re.sub(r"(.)([A-Z][a-z0-9]+)" if digits_begin_words else r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
