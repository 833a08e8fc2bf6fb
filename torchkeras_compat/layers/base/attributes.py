"""The names that users give to attributes of their layers, beside those that torch and Keras have there already."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from torch import Tensor, nn

from ..._core.border import nameless
from ..._core.ownership import is_ours
from .traits import DECISIVE, NEWS, Changes
from .weights import Weighted

# Methods that torch, or this package, calls on a layer that stands inside another.
_CALLED_BY_TORCH = frozenset(
    "children named_children named_modules named_parameters named_buffers apply state_dict extra_repr "
    "register_parameter register_buffer add_module".split()
)


@nameless
class Attributes(Weighted):
    """What may be assigned to a layer of a user's under which name.

    A name that torch has for a method, such as `train`, `type`, `forward` or `parameters`, means for the user what was
    assigned; what runs the layer goes around it.  Where that cannot be, the assignment is refused.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if name in DECISIVE or isinstance(value, nn.Module) or name in self.__dict__.get("_modules", ()):
            Changes.note()
        if not name.startswith("_") and name not in NEWS:
            Changes.assigned += 1
        hides = hasattr(kind, name) and not is_ours(kind)
        if hides:
            self._refuse_name(kind, name, value)
        if isinstance(value, (Tensor, np.ndarray)) and self._set_weight(name, value):
            return
        if isinstance(value, (nn.Module, list, tuple, dict)) and not is_ours(kind):
            self.__dict__.setdefault("_attribute_order", {})[name] = None
        super().__setattr__(name, value)
        if hides and isinstance(value, nn.Module):
            self.__dict__[name] = value  # found before the method of the class; torch looks it up among the modules

    def __delattr__(self, name: str) -> None:
        Changes.note()
        super().__delattr__(name)

    def _refuse_name(self, kind: type, name: str, value: Any) -> None:
        """Raise where an attribute cannot have this name."""
        known = inspect.getattr_static(kind, name)
        if isinstance(known, property):
            fixed = is_ours(known.fget) and (known.fset is None or isinstance(value, nn.Module))
            why = f"{name} is a property of every layer" if fixed else ""
        elif name in _CALLED_BY_TORCH:
            why = f"torch calls the method {name} of every module"
        else:
            of_keras = callable(known) and is_ours(known) and not hasattr(nn.Module, name)
            why = f"{name} is a method of every layer" if of_keras and not callable(value) else ""
        if why:
            raise AttributeError(
                f"{self}: self.{name} cannot be assigned, since {why}; choose another name, such as self.my_{name}."
            )

    def train(self, mode: bool = True) -> Any:
        """Set the mode of the layer and of all that it holds.

        Args:
            mode: Whether to train.
        """
        self.training = mode
        for child in self._modules.values():
            if child is not None:
                _train_method(child)(child, mode)
        return self

    def eval(self) -> Any:
        """Set inference mode."""
        return _train_method(self)(self, False)


def _train_method(module: nn.Module) -> Any:
    """Return the method that sets a module's mode; one of that name that means something else is passed over."""
    method = type(module).train
    if isinstance(module, Attributes) and list(inspect.signature(method).parameters)[1:] != ["mode"]:
        return Attributes.train
    return method
