"""What torch users do with a model as with any module: its parameters and its state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any

from torch import nn

from .._core.border import nameless
from .._core.upper_rooms import upper_room
from ..layers.base import Layer
from ..layers.torch_module import TorchModuleWrapper


@nameless
class TorchSide(Layer):
    """The part of a model that answers as a module of torch does."""

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Return the parameters.

        Args:
            recurse: Whether those of the layers are among them.

        Raises:
            RuntimeError: The model is not built yet, and layers have their weights still to make.
        """
        self._refuse_unbuilt("parameters()")
        return super().parameters(recurse)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Take over the parameters and buffers of `state_dict`, as torch does.

        Args:
            state_dict: What `state_dict()` returned.
            strict: Whether the names must be the same.
            assign: Whether the tensors themselves are taken.

        Raises:
            RuntimeError: The model is not built yet, or the names or shapes differ.
        """
        self._refuse_unbuilt("load_state_dict(…)")
        return super().load_state_dict(state_dict, strict, assign)

    def to_torch(self) -> nn.Module:
        """Return the model as a module of plain PyTorch, with copies of its weights and the same outputs.

        A chain of layers becomes an `nn.Sequential`, a graph of them a class of its own. Both take inputs as Keras has
        them, channels last, and neither needs this package: what is not torch's own carries its source, so that
        `torch.save` and `pickle` work, also where this package cannot be imported. The modules have the names of the
        layers, and frozen weights do not require a gradient.

        Raises:
            NotExportable: A layer that has no form in plain PyTorch, named with the reason.
            ValueError: The model is not built.

        Example:
            >>> from torchkeras_compat.models import Sequential
            >>> from torchkeras_compat.layers import Dense
            >>> model = Sequential([Dense(4, activation='relu', input_shape=(3,), name='hidden')])
            >>> model.to_torch()
            Sequential(
              (hidden): Linear(in_features=3, out_features=4, bias=True)
              (relu): ReLU()
            )
        """
        return upper_room("export").to_torch(self)  # type: ignore[no-any-return]

    def to_torch_source(self, path: str | PathLike[str] | None = None, name: str = "Net") -> str:
        """Return the model as the text of a PyTorch file that needs torch alone.

        The file has a class with the layers by their names, and the shapes beside the steps; of a compiled model also
        its loss, its optimizer and a loop, `train(model, x, y, …)`, which trains to the curve of `fit` from the same
        weights. `torch.save(model.to_torch().state_dict(), 'weights.pt')` writes these, and `load('weights.pt')` there
        reads them. Without weights the file's model begins as torch does.

        Args:
            path: Where the text is written to; nowhere if `None`.
            name: The name of the class.

        Raises:
            NotExportable: A layer, a loss, an optimizer, a penalty or a constraint that has no form in plain PyTorch,
                named with the reason.
            ValueError: The model is not built, or `name` is no name for a class.

        Example:
            >>> from torchkeras_compat.models import Sequential
            >>> from torchkeras_compat.layers import Dense
            >>> model = Sequential([Dense(4, activation='relu', input_shape=(3,), name='hidden'), Dense(1, name='out')])
            >>> print(model.to_torch_source(name='Perceptron').partition('class ')[2])
            Perceptron(nn.Module):
                \"\"\"The model 'sequential_1'; it takes and gives what Keras does.\"\"\"
            <BLANKLINE>
                def __init__(self) -> None:
                    super().__init__()
                    self.hidden = nn.Linear(3, 4)
                    self.out = nn.Linear(4, 1)
            <BLANKLINE>
                def forward(self, x):
                    x = F.relu(self.hidden(x))  # (N, 4)
                    x = self.out(x)  # (N, 1)
                    return x
            <BLANKLINE>
        """
        return upper_room("export").to_torch_source(self, path, name)  # type: ignore[no-any-return]

    def _refuse_unbuilt(self, call: str) -> None:
        if self._has_weights_to_make():
            raise RuntimeError(
                f"{self}.{call}: the model is not built, and its layers have no parameters yet; give the first layer "
                f"input_shape=(…), or call model.build((None, …)), first."
            )

    def _has_weights_to_make(self) -> bool:
        for layer in () if self.built else self._sublayers():
            if isinstance(layer, TorchSide):
                if layer._has_weights_to_make():
                    return True
            elif not layer.built and type(layer).build is not Layer.build and not isinstance(layer, TorchModuleWrapper):
                return True
        return False

    def __str__(self) -> str:
        return repr(self)
