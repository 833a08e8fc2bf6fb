"""What a model tells about its inputs and outputs, so that data can be named, checked and converted once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from ..._core.dialects import Rules
from ..._core.shapes import Shape
from ..._core.tree import Tree


class ModelInput(NamedTuple):
    """One input of a model.

    Attributes:
        name: The key of it in dictionaries.
        shape: Its Keras shape, the batch first; `None` where it is not known yet.
        takes_integers: Whether integers stay what they are: they are indices.
        index_checks: Raise where an index has no row in a table that it is looked up in.
        takes_strings: Whether strings may come: a layer that makes numbers of them reads the input.
        dtype: The type that the input was declared with, where it is not that of the floats the model computes in.
    """

    name: str
    shape: Shape | None
    takes_integers: bool
    index_checks: tuple[Callable[[Tensor], None], ...] = ()
    takes_strings: bool = False
    dtype: torch.dtype | None = None


class ModelOutput(NamedTuple):
    """One output of a model, as `compile` left it.

    Attributes:
        name: The key of it in dictionaries.
        shape: Its Keras shape, the batch first; `None` while the model is not built.
        loss: The loss function or object, `None` for an output without one.
        uses_targets: Whether a loss or a metric looks at its targets.
        keeps_integers: Whether integer targets stay what they are: the loss takes class indices.
        weighs_elements: Whether a sample weight may have a value for each number of the output: the loss is a user's.
        key: The key under which the model gives it, where that is not its name.
    """

    name: str
    shape: Shape | None
    loss: Any = None
    uses_targets: bool = True
    keeps_integers: bool = False
    weighs_elements: bool = False
    key: str | None = None


def by_key_or_name(
    value: Mapping[Any, Any], names: Sequence[str], keys: Sequence[str], missing: Any = None
) -> list[Any]:
    """Return the items of a dictionary for each output, which it may call by its key or by its name.

    Args:
        value: The dictionary.
        names: The names of the outputs.
        keys: The keys under which the model gives them; they win where a key of one is the name of another.
        missing: What stands for an output that is left out.
    """
    if all(key in keys for key in value):
        return [value.get(key, missing) for key in keys]
    return [value.get(name, value.get(key, missing)) for name, key in zip(names, keys)]


class FedModel(Protocol):
    """What the data side asks of a model."""

    name: str
    built: bool
    _rules: Rules

    @property
    def stateful(self) -> bool:
        """Whether a layer keeps something from one batch to the next."""

    @property
    def _takes_strings(self) -> bool:
        """Whether a layer makes numbers of strings."""

    @property
    def loss(self) -> Any:
        """What `compile` was told, `None` without a loss."""

    def _signature(self) -> Signature:
        """Return what is known of the model as it stands."""

    def _fitted(self, x: Tensor, index: int) -> Tensor:
        """Return the input of this number in the rank the model takes, or raise when its shape does not fit."""

    def _waits_for_batch(self, has_own_steps: bool) -> bool:
        """Tell whether the first batch is to build the model; one that its own steps call in another way is not."""

    def _build_by(self, inputs: Tree) -> None:
        """Make the weights of a model whose call a user wrote, by running it on inputs like these."""

    def _model_outputs(self) -> Sequence[ModelOutput] | None:
        """Return the outputs as they stand, `None` where their names are not known (a subclass not yet run)."""

    def _resolve_metrics(self, targets: Sequence[Shape | None]) -> None:
        """Take the shape of each output's targets, on which the meaning of `'accuracy'` depends."""

    def _warn_before_training(self) -> None:
        """Warn of what trains and learns nothing; called once a `fit`, when the model is built."""


class Signature(NamedTuple):
    """A model's inputs, and where their data go.

    Attributes:
        model: The model.
        device: Where batches go.
        dtype: The float type of the model.
        inputs: The inputs in order; `None` where they are not known by name: what the user gives is taken as it is,
            and of its numbers only floats change their type.
        batch_size: The batch size that `batch_input_shape` fixes, if it does.
        whole: Whether a user's step gets the data, in the trees that the user gave: inputs and outputs are not told
            apart then.
    """

    model: FedModel
    device: torch.device
    dtype: torch.dtype
    inputs: Sequence[ModelInput] | None
    batch_size: int | None = None
    whole: bool = False

    def needs_targets(self) -> bool:
        """Tell whether the model was compiled with a loss that compares outputs with targets."""
        if self.whole:  # its own steps take what they need
            return False
        outputs = self.model._model_outputs()
        return self.model.loss is not None if outputs is None else any(output.loss is not None for output in outputs)

    def outputs(self) -> Sequence[ModelOutput] | None:
        """Return the outputs that targets and weights are matched to; `None` where they stay as they are."""
        return None if self.whole else self.model._model_outputs()
