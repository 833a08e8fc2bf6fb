"""`model.to_torch()`: the model as a module of plain torch, with its weights."""

from __future__ import annotations

import inspect
import warnings
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

from . import carried_source
from .emission import Emission, ModuleText, Step, identifier, unused
from .graph import write_down
from .program import module_lines, needed, with_imports

DOC = "A model written down from Keras layers."


def to_torch(model: Any) -> nn.Module:
    """Return a model as a module of plain torch with the same outputs; see `Model.to_torch`."""
    emission = write_down(model)
    for name, module in emission.modules.items():
        if module.note:
            warnings.warn(f"{model}.to_torch(): {name}: {module.note}.", stacklevel=3)
    if emission.autocast:
        warnings.warn(
            f"{model}.to_torch(): the module computes in float32, the type of its weights; for {emission.autocast}, as "
            f"the policy of its layers has it, run it under torch.autocast.",
            stacklevel=3,
        )
    steps = row_of_steps(emission)
    made = _as_sequential(emission, steps) if steps is not None else _as_module(emission, class_name(model))
    _load(emission, made, model._device())
    return made.train(model.training)


def class_name(model: Any) -> str:
    """Return what the class of an exported model is called: its own name in capitals."""
    name = "".join(word[:1].upper() + word[1:] for word in identifier(model.name).split("_"))
    return unused(name, {"F", "Tensor", "Permute"})


def row_of_steps(emission: Emission) -> list[Step] | None:
    """Return the steps of a model that is modules in a row; `None` where it is not."""
    steps = needed(emission.steps, emission.outputs)
    if len(emission.inputs) != 1 or len(emission.outputs) != 1 or not steps or emission.output_keys:
        return None
    value, seen = emission.inputs[0], set()
    for step in steps:
        single = len(step.outputs) == 1 and step.inputs == (value,) and (step.module or step.constructors)
        if not single or step.module in seen:
            return None
        seen |= {step.module} - {None}
        (value,) = step.outputs
    return steps if value is emission.outputs[0] else None


def _as_sequential(emission: Emission, steps: list[Step]) -> nn.Module:
    parts: OrderedDict[str, str] = OrderedDict()
    for step in steps:
        if step.module:
            parts[step.module] = emission.modules[step.module].constructor
            continue
        for constructor in step.constructors:
            kind = constructor.split("(")[0].rpartition(".")[2].lower()
            parts[unused(kind, set(parts) | set(emission.modules))] = constructor
    pairs = ", ".join(f'("{name}", {constructor})' for name, constructor in parts.items())
    # A function, since one text is one Python module in a process: each model gets objects of its own
    text = f"from collections import OrderedDict\n\n\ndef make():\n    return nn.Sequential(OrderedDict([{pairs}]))"
    with torch.device("meta"):
        made: nn.Module = _module_of(with_imports(DOC, [text])).make()
    return made


def _as_module(emission: Emission, name: str) -> nn.Module:
    module = _module_of(with_imports(DOC, module_lines(emission, name, DOC)))
    with torch.device("meta"):
        made: nn.Module = getattr(module, name)()
    return made


def _module_of(source: str) -> Any:
    loader = inspect.getsource(carried_source)
    return carried_source.load(source, loader)


def state_of(emission: Emission) -> dict[str, Tensor]:
    """Return the parameters and buffers of an exported model by the names that it has for them."""
    return {
        f"{attribute}.{name}" if name else attribute: value
        for attribute, module in emission.modules.items()
        for name, value in module.state.items()
    }


def _load(emission: Emission, made: nn.Module, device: torch.device) -> None:
    state = {name: value.to(device) for name, value in state_of(emission).items()}
    for name, text in emission.modules.items():
        if text.instance is not None:
            setattr(made, name, text.instance)
    made.load_state_dict(state, assign=True)
    for name, text in emission.modules.items():
        _freeze(made, name, text)


def _freeze(made: nn.Module, attribute: str, text: ModuleText) -> None:
    still = [*text.frozen_names(attribute), *(f"{attribute}.{name}" for name in text.zero)]
    for name, parameter in made.named_parameters():
        if any(name == frozen or name.startswith(f"{frozen}.") for frozen in still):
            parameter.requires_grad_(False)
