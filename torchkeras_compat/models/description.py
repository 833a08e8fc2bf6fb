"""What a model tells of itself to what writes it down: paths of its weights, shapes and types of its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._core.border import nameless
from .._core.ownership import is_ours
from .._core.tensor_shape import TensorSpec
from .._core.tree import map_tree
from .._core.weights import Weight
from ..layers.base import Layer
from ..layers.recurrent.base import RNN
from .network_symbols import NetworkSymbols


@nameless
class Description(NetworkSymbols):
    """The part of a model that describes it."""

    def get_weight_paths(self) -> dict[str, Any]:
        """Return the weights by their paths: names of layers or attributes, and of the weight, with dots between.

        Example:
            >>> import torchkeras_compat as keras
            >>> model = keras.Sequential([keras.layers.Dense(1, input_dim=2, name='last')])
            >>> list(model.get_weight_paths())
            ['last.kernel', 'last.bias']
        """
        by_weight = {id(variable._weight): variable for variable in self.weights}
        return {path: by_weight[id(weight)] for path, weight in _paths(self) if id(weight) in by_weight}

    def save_spec(self, dynamic_batch: bool = True) -> tuple[list[Any], dict[str, Any]] | None:
        """Return shapes and types of the inputs: the arguments of `call`, without and with a name; `None` unbuilt.

        Args:
            dynamic_batch: Whether the size of the batch is left open.

        Example:
            >>> import torchkeras_compat as keras
            >>> keras.Sequential([keras.layers.Dense(1, input_dim=2)]).save_spec()[0][0].shape
            (None, 2)
        """
        if self._input_tree is None:
            return None

        def spec(tensor: Any) -> TensorSpec:
            batch = None if dynamic_batch else tensor.shape[0]
            return TensorSpec((batch, *tensor.shape[1:]), tensor.dtype, tensor.name)

        return [map_tree(spec, self._input_tree)], {}

    def export(self, filepath: Any) -> None:
        """Refuse: what Keras writes here is a program for TensorFlow.

        Args:
            filepath: Where to.

        Raises:
            NotImplementedError: Always; names what to write.
        """
        raise NotImplementedError(
            f"{self}.export({str(filepath)!r}): a SavedModel is a program for TensorFlow. The model is a "
            f"torch.nn.Module: write torch.export.export(model, (x,)) or torch.onnx.export(model, (x,), path), or "
            f"model.save_weights('name.h5') for Keras."
        )


def _paths(layer: Layer, before: str = "") -> Iterator[tuple[str, Weight]]:
    """Yield the weights of a layer, and of those inside it, with their paths."""
    own = before
    if isinstance(layer, RNN) and layer._table:  # a layer whose cell has no weights of its own here, as it has in Keras
        own = f"{before}cell."
    for weight in layer._table:
        yield own + weight.name.replace("/", "."), weight
    for name, inner in _inside(layer):
        yield from _paths(inner, f"{before}{name}.")


def _inside(layer: Layer) -> Iterator[tuple[str, Layer]]:
    """Yield the layers inside a layer: in a graph or a stack by name, elsewhere by attribute."""
    by_name = isinstance(layer, NetworkSymbols) and not layer._is_users
    attributes = {} if by_name else dict(_attributes(layer))
    for inner in layer._sublayers():
        yield attributes.get(id(inner), inner.name), inner


def _attributes(layer: Layer) -> Iterator[tuple[int, str]]:
    for name, value in {**layer._modules, **vars(layer)}.items():
        if name != "_modules" and not (name.startswith("_") and not is_ours(type(layer))):
            yield from _places(name, value)


def _places(path: str, value: Any) -> Iterator[tuple[int, str]]:
    if isinstance(value, Layer):
        yield id(value), path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _places(f"{path}.{key}", item)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _places(f"{path}.{i}", item)
