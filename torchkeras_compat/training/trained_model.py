"""What the training half of a model needs of the half that knows layers, which implements it (`models/network.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import Tensor

from .._core.dialects import Rules
from .._core.shapes import Shape
from .._core.symbolic import SymbolicTensor
from .._core.tree import Tree
from .._core.weights import Weight
from ..layers.base import Layer, Traits
from ..mixed_precision import Policy
from .data.signature import ModelInput, ModelOutput, Signature


class TrainedModel:
    """Base of both halves: what is declared here the layers' half does, and the training half relies on."""

    name: str
    built: bool
    batch_input_shape: Shape | None
    _rules: Rules
    _dialect: str | None

    # --- what it consists of -------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers."""
        raise NotImplementedError

    def _sublayers(self) -> Iterator[Layer]:
        """Yield the layers directly inside the model."""
        raise NotImplementedError

    @property
    def _traits(self) -> Traits:
        """What is promised of the model."""
        raise NotImplementedError

    @property
    def stateful(self) -> bool:
        """Whether a layer keeps something from one batch to the next."""
        raise NotImplementedError

    @property
    def _takes_strings(self) -> bool:
        """Whether strings may be among the inputs."""
        raise NotImplementedError

    _is_users: bool  # whether a user wrote its `call`
    _chain: list[Layer]  # the layers of a model in which each is the input of the next

    def _weight_table(self) -> list[Weight]:
        """Return all weights."""
        raise NotImplementedError

    def _trained_table(self) -> list[Weight]:
        """Return the weights to train as `trainable` stands now."""
        raise NotImplementedError

    # --- inputs and outputs --------------------------------------------------------------------------------------

    _output_tree: Tree

    @property
    def _list_of_outputs(self) -> list[SymbolicTensor]:
        """The symbolic outputs."""
        raise NotImplementedError

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs."""
        raise NotImplementedError

    def _note_outputs(self, outputs: Tree) -> None:
        """Take what a step of the user's has computed for the outputs."""
        raise NotImplementedError

    def _output_keys(self) -> list[str]:
        """Return the keys under which a dictionary names the outputs; their names where the outputs are none."""
        raise NotImplementedError

    def _model_inputs(self) -> tuple[ModelInput, ...] | None:
        """Return what the data side is told of the inputs; `None` where a user's call takes them as they are."""
        raise NotImplementedError

    def _fitted(self, x: Tensor, index: int) -> Tensor:
        """Return the input of this number in the rank the model takes, or raise when its shape does not fit."""
        raise NotImplementedError

    def _build_by(self, inputs: Tree) -> None:
        """Make the weights of a model whose call a user wrote, by running it on inputs like these."""
        raise NotImplementedError

    def _arranged(self, outputs: Sequence[Any]) -> Tree:
        """Return outputs, given in order, as the user arranged them."""
        raise NotImplementedError

    def _gives_features(self) -> bool:
        """Tell whether each output has an axis beside the batch."""
        raise NotImplementedError

    def _waits_for_batch(self, has_own_steps: bool) -> bool:
        """Tell whether the first batch is to build the model; one that its own steps call in another way is not."""
        raise NotImplementedError

    # --- what the data side asks, and `Trainer` answers ---

    @property
    def loss(self) -> Any:
        """What `compile` was told, `None` without a loss."""
        raise NotImplementedError

    def _signature(self) -> Signature:
        """Return what is known of the model as it stands."""
        raise NotImplementedError

    def _model_outputs(self) -> Sequence[ModelOutput] | None:
        """Return the outputs as they stand, `None` where their names are not known (a subclass not yet run)."""
        raise NotImplementedError

    def _resolve_metrics(self, targets: Sequence[Shape | None]) -> None:
        """Take the shape of each output's targets, on which the meaning of `'accuracy'` depends."""
        raise NotImplementedError

    def _warn_before_training(self) -> None:
        """Warn of what trains and learns nothing; called once a `fit`, when the model is built."""
        raise NotImplementedError

    def _reset_own_metrics(self) -> None:
        """Let the metrics that a user's model holds itself start afresh."""
        raise NotImplementedError

    # --- running -------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the model on tensors, arrays or symbolic tensors."""
        raise NotImplementedError

    def _run(self, inputs: Tree, mask: Tree, training: bool, *args: Any, **call_arguments: Any) -> tuple[Any, Any]:
        """Return the outputs, as the user arranged them, and their masks."""
        raise NotImplementedError

    def _run_heads(
        self, inputs: Tree, mask: Tree, training: bool, logits: frozenset[int]
    ) -> tuple[list[Any], list[Any]]:
        """Return the outputs one by one, those in `logits` before their last activation, and their masks."""
        raise NotImplementedError

    def _final_activations(self) -> list[Callable[[Tensor], Tensor] | None]:
        """Return the activation functions that the outputs end in, `None` where something needs their results."""
        raise NotImplementedError

    def _ends(self) -> list[Layer]:
        """Return whose hooks see the model's outputs."""
        raise NotImplementedError

    def _samples_at_once(self, with_masks: bool, sample: Tree = None) -> int:
        """Return how many samples may run together in inference."""
        raise NotImplementedError

    @property
    def dtype_policy(self) -> Policy:
        """What the model computes in, and what it keeps its own weights in."""
        raise NotImplementedError

    def _computes_mixed(self) -> bool:
        """Tell whether a layer computes under a mixed policy."""
        raise NotImplementedError

    # --- what layers add to the loss and the metrics -------------------------------------------------------------

    def _adds_penalties(self) -> bool:
        """Tell whether a layer adds a penalty of its output to the loss."""
        raise NotImplementedError

    def _all_standing_losses(self) -> list[Any]:
        """Return what is added to the loss of each step."""
        raise NotImplementedError

    def _take_losses(self) -> list[Tensor]:
        """Return the side losses of the last run, and forget them."""
        raise NotImplementedError

    def _forget_losses(self) -> None:
        """Forget the side losses of a run that nobody asked about."""
        raise NotImplementedError

    _standing_metrics: tuple[tuple[str, Any], ...]

    def _take_metrics(self) -> list[tuple[str, Tensor, int]]:
        """Return what layers told of the last run by `add_metric`: name, mean and number of values."""
        raise NotImplementedError
