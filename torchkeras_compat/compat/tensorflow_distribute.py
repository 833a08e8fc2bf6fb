"""`tf.distribute`, as far as one device goes: strategies of one replica, which run what they get as it stands."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from .._core.border import warn_once
from .._core.errors import argument_error
from .._core.tree import map_tree
from .._core.user_tensors import hand_out
from .tensorflow_calls import function, tensor
from .tensorflow_devices import device

SUM, MEAN = "SUM", "MEAN"


class ReplicaContext:
    """What a function that a strategy runs is told of its replica: it is the only one.

    Attributes:
        num_replicas_in_sync: 1.
        replica_id_in_sync_group: 0.
    """

    num_replicas_in_sync = 1
    replica_id_in_sync_group = 0

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """Return a value as it is: no other replica has one.

        Args:
            reduce_op: `'SUM'` or `'MEAN'`.
            value: The value.
            options: Accepted.
        """
        _expect_reduction("all_reduce", reduce_op)
        return value


class InputContext:
    """What a function that makes a data set is told: there is one pipeline, for one replica.

    Attributes:
        num_input_pipelines: 1.
        input_pipeline_id: 0.
        num_replicas_in_sync: 1.
    """

    num_input_pipelines = num_replicas_in_sync = 1
    input_pipeline_id = 0

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """Return the size of the batches of a replica.

        Args:
            global_batch_size: That of all of them.
        """
        return global_batch_size


class Strategy:
    """One replica on one device: models train in its scope as they do without it.

    Attributes:
        num_replicas_in_sync: 1, so that a batch size times this is the batch size.

    Example:
        >>> strategy = Strategy()
        >>> with strategy.scope():
        ...     strategy.num_replicas_in_sync
        1
    """

    num_replicas_in_sync = 1
    cluster_resolver = None

    @contextlib.contextmanager
    def scope(self) -> Iterator[Strategy]:
        """Make this the strategy that `get_strategy` returns, in the block."""
        with _current(strategy=self, in_replica=False):
            yield self

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Mapping[str, Any] | None = None, **_: Any) -> Any:
        """Return what a function gives.

        Args:
            fn: The function.
            args: Its arguments.
            kwargs: Those with names.
        """
        with _current(strategy=self, in_replica=True):
            return fn(*args, **(kwargs or {}))

    experimental_run_v2 = run

    def reduce(self, reduce_op: Any, value: Any, axis: Any) -> Any:
        """Return the sum or mean of a value over the replicas, which is the value, and along an axis.

        Args:
            reduce_op: `tf.distribute.ReduceOp.SUM` or `MEAN`, or the name.
            value: A tensor, or a tree of them.
            axis: The axis; none if `None`.
        """
        summed = _expect_reduction("reduce", reduce_op) == SUM
        if axis is None:
            return value
        along: Callable[..., Tensor] = torch.sum if summed else torch.mean
        return map_tree(lambda part: hand_out(along(tensor(part), dim=int(axis))), value)

    def gather(self, value: Any, axis: int) -> Any:
        """Return a value: what the replicas have, one behind the other.

        Args:
            value: The value.
            axis: Accepted.
        """
        return value

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        """Return the values of the replicas, of which there is one.

        Args:
            value: The value.
        """
        return (value,)

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """Return a data set as it is.

        Args:
            dataset: The data set.
            options: Accepted.
        """
        return dataset

    def distribute_datasets_from_function(self, dataset_fn: Callable[[InputContext], Any], options: Any = None) -> Any:
        """Return the data set that a function makes.

        Args:
            dataset_fn: Called with an `InputContext`.
            options: Accepted.
        """
        return dataset_fn(InputContext())

    experimental_distribute_datasets_from_function = distribute_datasets_from_function


class OneDeviceStrategy(Strategy):
    """A strategy whose models are built on a device.

    Args:
        device: Such as `'/gpu:0'`.
    """

    def __init__(self, device: str) -> None:
        self.device = device

    @contextlib.contextmanager
    def scope(self) -> Iterator[Strategy]:
        """Make this the strategy that `get_strategy` returns, and its device that of new models, in the block."""
        with device(self.device), super().scope():
            yield self


class MirroredStrategy(Strategy):
    """A strategy for the devices of this machine, of which one trains.

    Args:
        devices: The devices; several are told once to be one.
        cross_device_ops: Accepted.
    """

    def __init__(self, devices: Sequence[str] | None = None, cross_device_ops: Any = None) -> None:
        count = torch.cuda.device_count() if devices is None else len(devices)
        if count > 1:
            warn_once(
                type(self).__name__,
                "devices",
                f"a model trains on one of {count} devices; torch.nn.parallel.DistributedDataParallel uses several.",
            )


class MultiWorkerMirroredStrategy(MirroredStrategy):
    """A strategy for several machines, alone.

    Args:
        cluster_resolver: Accepted where there is one machine.
        communication_options: Accepted.
        communication: Accepted.

    Raises:
        ValueError: `TF_CONFIG` names several workers.
    """

    def __init__(self, cluster_resolver: Any = None, communication_options: Any = None, communication: Any = None):
        workers = json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {}).get("worker", ())
        if len(workers) > 1:
            raise ValueError(
                f"{type(self).__name__}: TF_CONFIG names {len(workers)} workers, and a model trains on one machine; "
                f"write torch.nn.parallel.DistributedDataParallel around model.to_torch()."
            )
        super().__init__()


class TPUClusterResolver:
    """The address of a TPU, of which there is none.

    Args:
        tpu: Its name.
        kwargs: Accepted.

    Raises:
        ValueError: Always, as in TensorFlow where it finds none: scripts catch it and take another strategy.
    """

    def __init__(self, tpu: str | None = None, **kwargs: Any) -> None:
        raise ValueError("TPUClusterResolver: there is no TPU here; tf.distribute.get_strategy() is for what is.")

    @classmethod
    def connect(cls, tpu: str | None = None, **kwargs: Any) -> TPUClusterResolver:
        """Return the address of a TPU.

        Args:
            tpu: Its name.
            kwargs: Accepted.
        """
        return cls(tpu, **kwargs)


def _expect_reduction(owner: str, reduce_op: Any) -> str:
    name = str(reduce_op).upper().rpartition(".")[2]
    if name not in (SUM, MEAN):
        raise argument_error(f"tf.distribute.{owner}", "reduce_op", "'SUM' or 'MEAN'", reduce_op)
    return name


class _State(threading.local):
    """The strategy whose scope a thread is in."""

    strategy: Strategy | None = None
    in_replica = False


_STATE = _State()
_DEFAULT = Strategy()


@contextlib.contextmanager
def _current(strategy: Strategy, in_replica: bool) -> Iterator[None]:
    before = _STATE.strategy, _STATE.in_replica
    _STATE.strategy, _STATE.in_replica = strategy, in_replica
    try:
        yield
    finally:
        _STATE.strategy, _STATE.in_replica = before


def get_strategy() -> Strategy:
    """Return the strategy of the scope, or one that changes nothing."""
    return _STATE.strategy or _DEFAULT


def has_strategy() -> bool:
    """Tell whether this is in the scope of a strategy."""
    return _STATE.strategy is not None


def in_cross_replica_context() -> bool:
    """Tell whether this is in the scope of a strategy, and in no function that it runs."""
    return has_strategy() and not _STATE.in_replica


def get_replica_context() -> ReplicaContext | None:
    """Return what is told of the replica; `None` in the scope of a strategy, outside of what it runs."""
    return None if in_cross_replica_context() else ReplicaContext(get_strategy())


@function("nn.compute_average_loss")
def compute_average_loss(
    per_example_loss: Tensor, sample_weight: Tensor | None = None, global_batch_size: Any = None
) -> Tensor:
    """Return the sum of losses over the size of a batch, that of the losses if none is told."""
    weighted = per_example_loss if sample_weight is None else per_example_loss * sample_weight
    return weighted.sum() / float(per_example_loss.shape[0] if global_batch_size is None else global_batch_size)


@function("nn.scale_regularization_loss")
def scale_regularization_loss(regularization_loss: Tensor) -> Tensor:
    """Return the sum of penalties, as a part for each replica."""
    return regularization_loss.sum()


def _way(*args: Any, **kwargs: Any) -> SimpleNamespace:
    """Accept how replicas would talk to each other."""
    return SimpleNamespace(**kwargs)


_WAYS = dict.fromkeys("NcclAllReduce HierarchicalCopyAllReduce ReductionToOneDevice CrossDeviceOps".split(), _way)
DISTRIBUTE: dict[str, Any] = {
    **_WAYS,
    "Strategy": Strategy,
    "MirroredStrategy": MirroredStrategy,
    "OneDeviceStrategy": OneDeviceStrategy,
    "MultiWorkerMirroredStrategy": MultiWorkerMirroredStrategy,
    "ReduceOp": SimpleNamespace(SUM=SUM, MEAN=MEAN),
    "InputContext": InputContext,
    "ReplicaContext": ReplicaContext,
    "get_strategy": get_strategy,
    "has_strategy": has_strategy,
    "in_cross_replica_context": in_cross_replica_context,
    "get_replica_context": get_replica_context,
}
DISTRIBUTE_EXPERIMENTAL: dict[str, Any] = {
    "MultiWorkerMirroredStrategy": MultiWorkerMirroredStrategy,
    "CentralStorageStrategy": MirroredStrategy,
    "CollectiveCommunication": SimpleNamespace(AUTO="AUTO", RING="RING", NCCL="NCCL"),
    "CommunicationImplementation": SimpleNamespace(AUTO="AUTO", RING="RING", NCCL="NCCL"),
    "CommunicationOptions": _way,
}
RESOLVERS: dict[str, Any] = {"TPUClusterResolver": TPUClusterResolver}
