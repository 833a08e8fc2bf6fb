"""Which models train with derivatives that are written out (`handwritten.py`): plain chains that nobody looks into."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from ... import activations, losses
from ..._core import settings
from ..._core.ownership import origin
from ...layers.activation_gradients import ACTIVATION_GRADIENTS
from ...layers.base import Layer
from ...layers.base.gradient_facts import GradientFacts
from .handwritten import STAGES, Chain, sigmoid_gradient, softmax_gradient, sparse_gradient, square_gradient
from .objective import Objective

# (loss, last activation) → the gradient at what the last activation is applied to.
GRADIENTS: dict[tuple[Any, Any], Callable[[Tensor, Tensor], Tensor]] = {
    (losses.categorical_crossentropy, activations.softmax): softmax_gradient,
    (losses.sparse_categorical_crossentropy, activations.softmax): sparse_gradient,
    (losses.binary_crossentropy, activations.sigmoid): sigmoid_gradient,
    (losses.mean_squared_error, activations.linear): square_gradient,
}


class Watchers:
    """The hooks of a model, of its modules and of its parameters: who has some wants to see autograd at work.

    Args:
        model: The model.
    """

    KINDS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

    def __init__(self, model: Any) -> None:
        self.tables = [getattr(module, kind) for module in nn.Module.modules(model) for kind in self.KINDS]
        self.params = list(nn.Module.parameters(model))

    def present(self) -> bool:
        """Tell whether there is a hook."""
        if any(self.tables) or _has_any_global_hook():  # type: ignore[no-untyped-call]
            return True
        return any(p._backward_hooks or p._post_accumulate_grad_hooks for p in self.params)


def chain_of(layers: Sequence[Layer], objective: Objective, params: Sequence[Tensor], small: bool) -> Chain | None:
    """Return the written-out step of a model, `None` where one of its parts is not covered.

    Args:
        layers: The layers of the model.
        objective: Its loss.
        params: The parameters to train, in the optimizer's order.
        small: Whether the model is a small one.
    """
    told = [gradient_facts(layer) for layer in layers]
    facts = [one for one in told if one is not None]
    if not facts or len(facts) < len(layers) or objective.scale != 1 or objective.summed:
        return None
    kinds, activation = [STAGES[type(one)] for one in facts], facts[-1].activation
    gradient = GRADIENTS.get((_bare_loss(objective), activation))
    if gradient is None or not kinds[-1].ends_chains or len(layers[-1].output_shape) != 2:
        return None
    if objective.fused is None and activation is not activations.linear:
        return None
    if not small and any(kind.small_only for kind in kinds):
        return None
    if not all(has_written_gradient(one.activation) for one in facts[:-1]) or not _trains_whole_layers(layers, params):
        return None
    return Chain([kind(one, one is facts[-1]) for kind, one in zip(kinds, facts)], gradient, params)


def _trains_whole_layers(layers: Sequence[Layer], params: Sequence[Tensor]) -> bool:
    """Tell whether all of a layer's parameters train or none, no two layers share one, and all are float32.

    The targets come in the type of the settings, so that is float32, too.
    """
    trained = {id(p) for p in params}
    owned = [list(nn.Module.parameters(layer)) for layer in layers]
    known = {id(p) for own in owned for p in own}
    whole = all(len({id(p) in trained for p in own}) < 2 for own in owned)
    shared = len(known) != sum(map(len, owned))
    single = settings.floatx() == "float32" and all(p.dtype == torch.float32 for own in owned for p in own)
    return whole and single and not shared and bool(trained) and trained <= known


def _bare_loss(objective: Objective) -> Any:
    """Return the loss function when it is used with nothing but its defaults."""
    if not objective.counts_all:
        return None
    described = losses.fusion.describe(objective.loss)
    if described.function is None or not described.options:
        return described.function
    parameters = inspect.signature(described.function).parameters
    at_defaults = all(value == parameters[name].default for name, value in described.options.items())
    return described.function if at_defaults else None


def gradient_facts(layer: Layer) -> GradientFacts | None:
    """Return what a layer tells for its written-out gradient, `None` where autograd has to find it.

    What a class tells counts for the class itself, and penalties and casts between types are autograd's.
    """
    if "_gradient_facts" not in vars(origin(type(layer))) or layer.activity_regularizer is not None or layer._casts:
        return None
    return None if any(w.regularizer for w in layer._weight_table()) else layer._gradient_facts()


def has_written_gradient(activation: Any) -> bool:
    """Tell whether a stage can have this activation: it works in place, and its gradient is one kernel."""
    known = ACTIVATION_GRADIENTS.get(activation)
    return known is not None and known.in_place is not None and known.through is not None
