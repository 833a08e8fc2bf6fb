"""What the methods of a model that trains have of each other: each concern has a file, `trainer.py` joins them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from torch import nn

from .._core.threads import Lock
from ..metrics import Metric
from .compile_config import CompileConfig
from .data.feeding import Feeder
from .heads import Head
from .step.forward import ForwardStep
from .step.step import Step
from .trained_model import TrainedModel


class CompiledModel(TrainedModel):
    """Base of the files of methods; what it declares beside the layers' half stands in `Trainer`."""

    _compile_config: CompileConfig | None
    _steps: dict[str, Step]
    _forward_step: ForwardStep | None
    _lock: Lock  # held by what uses the one state of metrics, and by a stateful model

    stop_training: bool

    # The three that older names call.
    fit: Callable[..., Any]
    evaluate: Callable[..., Any]
    predict: Callable[..., Any]

    @property
    def optimizer(self) -> Any:
        """The optimizer given to `compile`."""
        raise NotImplementedError

    @property
    def jit_compile(self) -> bool:
        """Whether training steps are compiled."""
        raise NotImplementedError

    @jit_compile.setter
    def jit_compile(self, value: bool) -> None:
        raise NotImplementedError

    def _compiled(self, method: str) -> CompileConfig:
        """Return what `compile` was told, or raise where it was not called."""
        raise NotImplementedError

    def _heads(self) -> list[Head]:
        """Return the outputs with what `compile` was told about each."""
        raise NotImplementedError

    def make_step(self, mode: str = "test") -> Step:
        """Return the step of `'train'` or `'test'`."""
        raise NotImplementedError

    def _metric_holders(self) -> list[nn.Module]:
        """Return the layers and models of users'."""
        raise NotImplementedError

    def _own_metrics(self, holders: Iterable[nn.Module] | None = None) -> list[Metric]:
        """Return the metric objects that a user's model and layers hold."""
        raise NotImplementedError

    @property
    def _feeder(self) -> Feeder:
        """What makes the data of one call."""
        raise NotImplementedError

    def _unchanged_on_error(self) -> AbstractContextManager[None]:
        """Put the model back as it was when the data turn out not to fit."""
        raise NotImplementedError

    def _outcome(self, values: dict[str, float], as_dict: bool) -> Any:
        """Return the numbers of an evaluation as Keras gives them."""
        raise NotImplementedError
