"""`tf.Module`: an object that knows the variables in its attributes; and the options of data sets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

from .._core.weights import Variable
from ..layers.base import Layer


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what stands in an attribute: in lists, tuples and dictionaries, too."""
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from _leaves(value[key])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


class Module:
    """An object that knows the variables, layers and other such objects in its attributes.

    Args:
        name: Its name; that of the class, with underscores, if `None`.

    Example:
        >>> from torchkeras_compat import backend as K
        >>> class Scale(Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.factor = K.variable(2.0, name='factor')
        ...     def __call__(self, x):
        ...         return x * self.factor
        >>> scale = Scale()
        >>> scale.name, len(scale.trainable_variables)
        ('scale', 1)
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = name or _snake(type(self).__name__)

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def name_scope(self) -> Any:
        """A block in which names would have this one in front; here it changes none."""
        return nullcontext(self.name)

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method as it is: names of variables have no scope here.

        Args:
            method: The method.
        """
        return method

    def _direct(self) -> Iterator[Any]:
        for attribute in sorted(vars(self)):
            yield from _leaves(vars(self)[attribute])

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The objects of this kind, layers and models in its attributes, and in theirs."""
        modules: dict[int, Any] = {}
        pending: list[Any] = [self]
        while pending:
            module = pending.pop(0)
            for one in module._direct() if isinstance(module, Module) else module.submodules:
                if isinstance(one, (Module, Layer)) and id(one) not in modules and one is not self:
                    modules[id(one)] = one
                    pending.append(one)
        return tuple(modules.values())

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables in its attributes, in the order of their names, and behind them those of what is in it."""
        variables: dict[Any, Any] = {}
        for module in (self, *self.submodules):
            own = (
                [v for v in module._direct() if isinstance(v, Variable)]
                if isinstance(module, Module)
                else module.weights
            )
            for variable in own:
                variables.setdefault(
                    variable._weight.place if isinstance(variable, Variable) else id(variable), variable
                )
        return tuple(variables.values())

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """The variables that gradients reach."""
        return tuple(v for v in self.variables if all(p.requires_grad for p in v._weight.parameters))

    @property
    def non_trainable_variables(self) -> tuple[Any, ...]:
        """The other variables."""
        trained = {id(variable) for variable in self.trainable_variables}
        return tuple(v for v in self.variables if id(v) not in trained)


class Options:
    """The options of a data set: they say how fast it is read, and not what; none has a meaning here.

    Example:
        >>> options = Options()
        >>> options.experimental_distribute.auto_shard_policy = 'data'
        >>> options.deterministic = False
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        inside = Options()
        setattr(self, name, inside)
        return inside
