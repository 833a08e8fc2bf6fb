"""The inputs of models: `Input`, and the layer that stands for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .._core import registry, settings
from .._core.errors import argument_error
from .._core.strings import STRING, is_string_type
from .._core.symbolic import OwnNode, SymbolicTensor, apply
from ..backend import identity
from .base import ROW_WISE, Layer


@registry.register("layer")
class InputLayer(Layer):
    """The shape of a model's input, as the first item of a Sequential.

    Args:
        input_shape: Shape without the batch size.
        batch_size: The batch size, where it is fixed.
        dtype: The type of the input.
        input_tensor: A symbolic tensor whose shape is taken.
        sparse: Only `None` or `False`.
        name: The layer's name.
        ragged: Only `None` or `False`.
        type_spec: A `tf.TensorSpec`, whose shape, with the batch size, and type are taken.
        kwargs: `batch_input_shape`, as in every layer.

    Shape:
        Input and output: `(batch, …)`, unchanged.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.Sequential([keras.layers.InputLayer(input_shape=(3,)), keras.layers.Dense(2)]).output_shape
        (None, 2)
    """

    _class_traits = ROW_WISE
    supports_masking = True

    def __init__(
        self,
        input_shape: Sequence[int | None] | int | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        input_tensor: SymbolicTensor | None = None,
        sparse: bool | None = None,
        name: str | None = None,
        ragged: bool | None = None,
        type_spec: Any = None,
        **kwargs: Any,
    ) -> None:
        if ragged:
            told = "None; write Input((None,)) before Embedding(…, mask_zero=True), and give the model rows.to_tensor()"
            raise argument_error("InputLayer", "ragged", told, ragged)
        if sparse:
            raise argument_error("InputLayer", "sparse", "None; dense tensors are the only kind here", sparse)
        if type_spec is not None:
            kwargs["batch_input_shape"], dtype = _told_by_spec(type_spec, input_shape, batch_size, dtype)
        if input_tensor is not None:
            kwargs["batch_input_shape"] = input_tensor.shape
        if isinstance(input_shape, int):  # `(784)` for `(784,)`
            input_shape = (input_shape,)
        dtype = settings.floatx() if dtype is None else dtype  # data come in that type, whatever the policy of layers
        of_layers = None if is_string_type(dtype) else dtype
        super().__init__(name=name, dtype=of_layers, input_shape=input_shape, batch_size=batch_size, **kwargs)
        if is_string_type(dtype):
            self.dtype = STRING
        self.sparse, self.ragged = bool(sparse), bool(ragged)
        if self.batch_input_shape is None:
            raise ValueError("InputLayer: give input_shape=(…) or batch_input_shape=(batch, …).")
        if input_tensor is None:
            input_tensor = SymbolicTensor(self.batch_input_shape, self.dtype, name=self.name)
        input_tensor.input_layer = self
        self.built, self._built_shape = True, self.batch_input_shape
        self._nodes.append(OwnNode(self, input_tensor, input_tensor))

    def _automatic_name(self) -> str:
        return f"input_{settings.get_uid('input')}"

    @property
    def tensor(self) -> SymbolicTensor:
        """The symbolic tensor that the layer stands for."""
        return self._nodes[0].outputs  # type: ignore[no-any-return]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer."""
        return {
            "batch_input_shape": self.batch_input_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
        }


def _told_by_spec(spec: Any, *told: Any) -> tuple[Any, Any]:
    """Return the shape and the type that a specification has; nothing else may tell them."""
    if any(value is not None for value in told):
        raise argument_error("InputLayer", "type_spec", "None beside a shape, a batch size or a type", spec)
    if getattr(spec, "shape", None) is None or not hasattr(spec, "dtype"):
        raise argument_error("InputLayer", "type_spec", "a tf.TensorSpec with a shape", spec)
    return tuple(spec.shape), spec.dtype


def Input(
    shape: Sequence[int | None] | int | None = None,
    batch_size: int | None = None,
    name: str | None = None,
    dtype: str | None = None,
    sparse: bool | None = None,
    tensor: SymbolicTensor | None = None,
    ragged: bool | None = None,
    type_spec: Any = None,
    batch_shape: Sequence[int | None] | None = None,
    batch_input_shape: Sequence[int | None] | None = None,
) -> SymbolicTensor:
    """Return a symbolic input; as the first item of a Sequential it gives the model its shape.

    Args:
        shape: Shape without the batch size; one number for the length of a vector.
        batch_size: The batch size, where it is fixed.
        name: The name of the input layer.
        dtype: The type of the input.
        sparse: Only `None` or `False`.
        tensor: A symbolic tensor that is returned as it is, or a variable or tensor to compute with.
        ragged: Only `None` or `False`.
        type_spec: A `tf.TensorSpec`, whose shape, with the batch size, and type are taken.
        batch_shape: Shape with the batch size.
        batch_input_shape: The same, as layers call it.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Input(shape=(784,)).shape
        (None, 784)
    """
    if tensor is not None:
        symbol = apply(identity, tensor) if isinstance(tensor, Tensor) else tensor
        input_for(symbol, name)
        return symbol
    whole = batch_input_shape if batch_shape is None else batch_shape
    sizes: dict[str, Any] = {"input_shape": shape} if whole is None else {"batch_input_shape": whole}
    layer = InputLayer(
        batch_size=batch_size, dtype=dtype, sparse=sparse, name=name, ragged=ragged, type_spec=type_spec, **sizes
    )
    return layer.tensor


def input_for(tensor: SymbolicTensor, name: str | None = None) -> InputLayer:
    """Return the layer that stands for a symbolic tensor as an input of models, made where there is none.

    Args:
        tensor: The symbolic tensor.
        name: The name of a new layer.
    """
    if tensor.input_layer is None:
        InputLayer(input_tensor=tensor, name=name or tensor.name or None, dtype=tensor.dtype)
    layer: InputLayer = tensor.input_layer
    return layer
