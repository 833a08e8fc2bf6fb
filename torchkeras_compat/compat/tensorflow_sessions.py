"""What scripts of TensorFlow 1 say before their models: sessions and their configurations, graphs, placeholders."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import torch

from .. import backend as K
from .._core import settings
from .._core.border import warn_once
from .._core.errors import did_you_mean
from .._core.weights import Initialization
from ..backend.sessions import Operation, Session


class _Options:
    """A record of options; an unknown one is refused."""

    defaults: ClassVar[dict[str, Any]]

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_unknown(self, name))

    def __init__(self, **options: Any) -> None:
        vars(self).update({name: _new(value) for name, value in self.defaults.items()})
        for name, value in options.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.defaults:
            raise AttributeError(_unknown(self, name))
        super().__setattr__(name, value)


def _unknown(options: _Options, name: str) -> str:
    return f"tf.{type(options).__name__} has no option {name!r}; {did_you_mean(name, options.defaults)}"


def _new(value: Any) -> Any:
    return value() if callable(value) else value


class GPUOptions(_Options):
    """How a session uses GPUs.

    A part of the memory (`per_process_gpu_memory_fraction`) and a device (`visible_device_list='1'`) are chosen when a
    session is made; memory grows as it is needed, as with `allow_growth=True`, in any case.
    """

    defaults: ClassVar[dict[str, Any]] = {
        "allow_growth": False,
        "per_process_gpu_memory_fraction": 0.0,
        "visible_device_list": "",
        "allocator_type": "",
    }


class ConfigProto(_Options):
    """How a session runs: threads inside an operation, the GPUs, and none of them with `device_count={'GPU': 0}`.

    `allow_soft_placement` and `inter_op_parallelism_threads` change nothing: an operation runs where its tensors are,
    one after the other. `log_device_placement=True` is told once to have no effect.
    """

    defaults: ClassVar[dict[str, Any]] = {
        "gpu_options": GPUOptions,
        "device_count": dict,
        "allow_soft_placement": False,
        "log_device_placement": False,
        "intra_op_parallelism_threads": 0,
        "inter_op_parallelism_threads": 0,
    }


def session(target: str = "", graph: Any = None, config: ConfigProto | None = None) -> Session:
    """Return a session, after its configuration was put into force.

    Args:
        target: Accepted if empty: there are no servers.
        graph: Accepted; there is one graph, and all see it.
        config: What is to be in force from now on.

    Raises:
        ValueError: A server, or several devices.
    """
    if target:
        raise ValueError(f"tf.Session(target={target!r}): there are no servers here; leave it out.")
    if config is not None:
        _put_in_force(config)
    return Session(graph or GRAPH)


def _put_in_force(config: ConfigProto) -> None:
    if config.intra_op_parallelism_threads:
        torch.set_num_threads(config.intra_op_parallelism_threads)
    if config.log_device_placement:
        warn_once("tf.ConfigProto", "log_device_placement", "has no effect: a model is on one device, model.device.")
    devices = str(config.gpu_options.visible_device_list)
    if "," in devices:
        raise ValueError(
            f"tf.GPUOptions(visible_device_list={devices!r}): a model trains on one GPU; write one number, such as '0'."
        )
    if config.device_count.get("GPU") == 0:
        settings.set_device("cpu")
    elif devices and torch.cuda.is_available():
        settings.set_device(f"cuda:{devices}")
    fraction = config.gpu_options.per_process_gpu_memory_fraction
    if fraction and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(min(fraction, 1.0))


class Graph:
    """The graph that scripts hand to threads and sessions; there is one, and a model runs in any thread."""

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Run the block as it is."""
        yield self

    def finalize(self) -> None:
        """Do nothing: no step adds to a graph."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"tf.Graph has no {name!r} here: there are no graphs of operations; model.get_layer(name).output is a "
            f"tensor of a model, and K.function([model.input], [tensor]) computes it."
        )


GRAPH = Graph()


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Any:
    """Return a symbolic tensor that `Session.run` or `K.function` is given a value for.

    Args:
        dtype: Its type.
        shape: Its shape, `None` for sizes that are not known.
        name: Its name.

    Raises:
        ValueError: The number of axes is not told.
    """
    if shape is None:
        raise ValueError(
            f"tf.placeholder({dtype}): the number of axes must be told; write shape=(None, 3), or () for a number."
        )
    return K.placeholder(shape=tuple(shape), dtype=settings.dtype_name(settings.torch_dtype(dtype)), name=name)


def local_devices(session_config: Any = None) -> list[SimpleNamespace]:
    """Return the devices of this machine, as `device_lib.list_local_devices` lists them.

    Args:
        session_config: Accepted for TensorFlow's sake.
    """
    memory = [torch.cuda.get_device_properties(i).total_memory for i in range(torch.cuda.device_count())]
    devices = [("CPU", 0, 0), *(("GPU", i, size) for i, size in enumerate(memory))]
    return [
        SimpleNamespace(name=f"/device:{kind}:{i}", device_type=kind, memory_limit=size, physical_device_desc="")
        for kind, i, size in devices
    ]


def available_gpus() -> list[str]:
    """Return the names of the GPUs, as `K.tensorflow_backend._get_available_gpus()` does."""
    return [device.name for device in local_devices() if device.device_type == "GPU"]


SESSIONS: dict[str, Any] = {
    "Session": session,
    "InteractiveSession": session,
    "ConfigProto": ConfigProto,
    "GPUOptions": GPUOptions,
    "Graph": Graph,
    "get_default_graph": lambda: GRAPH,
    "get_default_session": K.get_session,
    "placeholder": placeholder,
    "global_variables_initializer": Operation,
    "local_variables_initializer": Operation,
    "tables_initializer": Operation,
    "variables_initializer": Initialization,
    "initialize_all_variables": Operation,
}
