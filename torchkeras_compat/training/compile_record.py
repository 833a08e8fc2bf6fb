"""What `compile` was told, as a configuration, and what it decided, as properties."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from .._core.border import user_stacklevel
from .._core.errors import argument_error, positive_int
from .._core.weights import Weight
from ..utils.objects import deserialize_as, serialize_keras_object
from .compiled_model import CompiledModel


class CompileRecord(CompiledModel):
    """The part of a model that tells how it was compiled."""

    compile: Callable[..., None]
    trainable_variables: list[Any]
    _frozen_at_compile: list[Weight] | None
    _there_at_compile: list[Weight]

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return what `compile_from_config` compiles a model by; `None` for a model that is not compiled.

        Raises:
            TypeError: Something without `get_config`, such as an optimizer of torch.

        Example:
            >>> import torchkeras_compat as keras
            >>> model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
            >>> model.compile('sgd', 'mse')
            >>> model.get_compile_config()['loss']
            'mse'
        """
        config = self._compile_config
        return None if config is None else {name: serialize_keras_object(told) for name, told in config.told.items()}

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile the model.

        Args:
            config: What `get_compile_config` returned; arguments that are not in it have their defaults.

        Raises:
            ValueError: A name that is not known.
        """
        arguments = {name: _made(value, _KINDS.get(name, ())) for name, value in config.items()}
        self.compile(**arguments)
        optimizer = self.optimizer
        if self.built and hasattr(optimizer, "build"):
            optimizer.build(self.trainable_variables)

    # --- what trains ---------------------------------------------------------------------------------------------

    def _table_to_train(self) -> list[Weight]:
        """Return the weights that `compile` found trainable; says once when `trainable` has changed since."""
        then = self._frozen_at_compile
        if then is None:
            then = self._note_trained_weights()
        changed = {w.place for w in self._trained_table()} ^ {w.place for w in then}
        # A step of a user's may have made others since, by a first call.
        if changed & {w.place for w in self._there_at_compile}:
            warnings.warn(
                f"{self.name}: trainable was changed after compile; the model trains what it was compiled with. "
                f"Compile it again for the change to count.",
                stacklevel=user_stacklevel(),
            )
        return then

    def _note_trained_weights(self) -> list[Weight]:
        """Return the weights that are trainable now, and keep them and all that are there."""
        self._frozen_at_compile, self._there_at_compile = self._trained_table(), self._weight_table()
        return self._frozen_at_compile

    # --- how steps run -------------------------------------------------------------------------------------------

    @property
    def steps_per_execution(self) -> int:
        """What `compile` was told; steps run one at a time, and hooks see every batch."""
        return 1 if self._compile_config is None else self._compile_config.steps_per_execution

    @steps_per_execution.setter
    def steps_per_execution(self, value: int) -> None:
        self._compiled("steps_per_execution").steps_per_execution = positive_int(
            type(self).__name__, "steps_per_execution", value
        )

    @property
    def autotune_steps_per_execution(self) -> bool:
        """Whether the number of steps in one execution is tuned: never, for they run one at a time."""
        return False

    @autotune_steps_per_execution.setter
    def autotune_steps_per_execution(self, value: bool) -> None:
        if value:
            owner = type(self).__name__
            raise argument_error(owner, "autotune_steps_per_execution", "False: steps run one at a time", value)

    @property
    def distribute_strategy(self) -> None:
        """The strategy that shares a model out: none, it runs on one device."""
        return

    @property
    def distribute_reduction_method(self) -> str:
        """How results of several devices would be joined."""
        return "auto"


# Argument of `compile` → what its configuration may name.
_KINDS = {
    "optimizer": ("optimizer",),
    "loss": ("loss",),
    "metrics": ("metric", "loss"),
    "weighted_metrics": ("metric", "loss"),
}


def _made(value: Any, kinds: tuple[str, ...]) -> Any:
    """Return what a part of a configuration describes; names stay names, for `compile` to look up."""
    if isinstance(value, Mapping) and "class_name" in value:
        return deserialize_as(kinds, dict(value))
    if isinstance(value, Mapping):
        return {key: _made(item, kinds) for key, item in value.items()}
    return [_made(item, kinds) for item in value] if isinstance(value, list) else value
