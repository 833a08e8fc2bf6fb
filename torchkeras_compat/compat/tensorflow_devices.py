"""`tf.config` and `tf.device`: the devices of this machine, and which of them new models are built on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from .._core import settings
from .._core.border import warn_once
from .._core.errors import argument_error


class Device(NamedTuple):
    """A device, as `tf.config.list_physical_devices` names it."""

    name: str
    device_type: str


def list_devices(device_type: str | None = None) -> list[Device]:
    """Return the devices.

    Args:
        device_type: `'CPU'`, `'GPU'` or `None` for all.
    """
    gpus = [Device(f"/physical_device:GPU:{i}", "GPU") for i in range(torch.cuda.device_count())]
    return [d for d in (Device("/physical_device:CPU:0", "CPU"), *gpus) if device_type in (None, d.device_type)]


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Choose the device of new models: the CPU where no GPU is left, or the one GPU named.

    Args:
        devices: What `list_devices` returned, or a part of it.
        device_type: Of which kind.
    """
    listed = devices if isinstance(devices, (list, tuple)) else [devices]
    gpus = [d for d in listed if d.device_type == "GPU"]
    if device_type == "CPU":
        return
    if not gpus:
        settings.set_device("cpu")
    elif len(gpus) == 1:
        settings.set_device(f"cuda:{gpus[0].name.rpartition(':')[2]}")
    elif len(gpus) < torch.cuda.device_count():
        raise argument_error("tf.config.set_visible_devices", "devices", "one GPU, or all of them", devices)


@contextlib.contextmanager
def device(name: Any) -> Iterator[None]:
    """Build models on a device inside the `with` block; a GPU that is not there is the CPU, with one warning.

    Args:
        name: Such as `'/GPU:0'`, `'/device:CPU:0'` or `'gpu:1'`; `None` changes nothing.
    """
    kind, _, index = str(name).lower().removeprefix("/").removeprefix("device:").partition(":")
    if name is None:
        yield
        return
    if kind not in ("cpu", "gpu"):
        raise argument_error("tf.device", "name", "a name such as '/GPU:0' or '/CPU:0'", name)
    if kind == "gpu" and not torch.cuda.is_available():
        warn_once("tf.device", "name", "this machine has no GPU; what is built here is built on the CPU.")
        kind = "cpu"
    before = settings.default_device()
    settings.set_device("cpu" if kind == "cpu" else f"cuda:{index or 0}")
    try:
        yield
    finally:
        settings.set_device(before)


DEVICES: dict[str, Any] = {
    "list_physical_devices": list_devices,
    "list_logical_devices": list_devices,
    "get_visible_devices": list_devices,
    "set_visible_devices": set_visible_devices,
    "set_memory_growth": lambda device, enable: None,  # memory is taken as it is needed
    "get_memory_growth": lambda device: True,
}
