"""The names that users give to attributes of their layers, beside those that torch and Keras have there already."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor, nn

from ..._core.border import nameless
from ..._core.ownership import is_ours
from .tracking import stands_in
from .traits import DECISIVE, NEWS, Changes
from .weights import Weighted

# Methods that torch, or this package, calls on a layer that stands inside another.
_CALLED_BY_TORCH = frozenset(
    "named_children named_modules named_parameters named_buffers state_dict extra_repr "
    "register_parameter register_buffer add_module".split()
)

# Lists of every layer that Keras 1 let a layer assign → what says the same.
_INSTEAD_OF_ASSIGNING = {
    "updates": ", or call self.add_update([(variable, value)]) in call",
    "losses": ", or call self.add_loss(loss) in call",
}


class Shadowable:
    """A property that stands back where a user has an attribute of its name: it has no way to be assigned.

    The package reads such a value by a private name.

    Args:
        read: Computes the value of an object.
    """

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read
        self.__doc__ = read.__doc__

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the value, or this object where a class is asked."""
        return self if instance is None else self._read(instance)


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
        if isinstance(value, nn.Module) and not is_ours(kind) and self.__dict__.get("built"):
            stands_in(self, value)
        if hides and isinstance(value, nn.Module):
            self.__dict__[name] = value  # found before the method of the class; torch looks it up among the modules

    def __delattr__(self, name: str) -> None:
        Changes.note()
        super().__delattr__(name)
        self._parts_changed()

    def _parts_changed(self) -> None:
        """Take note that a user's class, built already, holds other layers now."""

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
                f"{self}: self.{name} cannot be assigned, since {why}; "
                f"choose another name, such as self.my_{name}{_INSTEAD_OF_ASSIGNING.get(name, '')}."
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

    def apply(self, fn: Callable[[nn.Module], Any]) -> Any:
        """Call a function with each module inside, and then with this one.

        Args:
            fn: The function.
        """
        for child in self._modules.values():
            if child is not None:
                (Attributes if isinstance(child, Attributes) else type(child)).apply(child, fn)
        fn(self)
        return self

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """Let torch change all tensors: it asks for `children()`, which may be the name of something of a user's."""
        of_user = {"children": self.__dict__.pop("children")} if "children" in self.__dict__ else {}
        try:
            return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        finally:
            self.__dict__.update(of_user)

    def eval(self) -> Any:
        """Set inference mode."""
        return _train_method(self)(self, False)


def _train_method(module: nn.Module) -> Any:
    """Return the method that sets a module's mode; one of that name that means something else is passed over."""
    method = type(module).train
    if isinstance(module, Attributes) and list(inspect.signature(method).parameters)[1:] != ["mode"]:
        return Attributes.train
    return method
