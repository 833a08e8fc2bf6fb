"""`save_weights` and `load_weights`, as methods of a model."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from .._core.border import nameless
from .._core.errors import argument_error
from . import archive, file_kinds, hdf5, hdf5_output, weights_hdf5, weights_v3
from .hdf5 import Group
from .replacing import may_overwrite
from .weight_plan import Plan, assign_all

FORMATS = (None, "h5", "hdf5", "keras")
TREE = ".weights.h5"  # the end of a name that asks for the tree of Keras 2.12 and later


@nameless
class WeightFiles:
    """The two methods of a model that read and write files of weights.

    A model has `layers`, each with `name`, `table()` and `_trained_table()`, and `built`.
    """

    built: bool
    layers: Any

    def save_weights(
        self, filepath: Any, overwrite: bool = True, save_format: str | None = None, options: Any = None
    ) -> None:
        """Write all weights to an HDF5 file that Keras 2 reads, too.

        The file is written beside its place and put there when it is whole.

        Args:
            filepath: Where.
            overwrite: Whether a file that is there is replaced without a question.
            save_format: `None`, `'h5'` and its like: there is one format, whatever the suffix.
            options: `None`; TensorFlow's options have no meaning here.

        Raises:
            ValueError: The model is not built, or another format is asked for.
            FileExistsError: `overwrite=False`, a file is there, and nobody sits at a terminal to be asked.

        Example:
            >>> import os, tempfile
            >>> import torchkeras_compat as keras
            >>> model = keras.Sequential([keras.layers.Dense(2, input_dim=3)])
            >>> path = os.path.join(tempfile.mkdtemp(), 'weights.h5')
            >>> model.save_weights(path)
            >>> other = keras.models.clone_model(model)
            >>> other.load_weights(path)
            >>> bool((other.get_weights()[0] == model.get_weights()[0]).all())
            True
        """
        if (save_format.lower() if isinstance(save_format, str) else save_format) not in FORMATS:
            raise argument_error("save_weights", "save_format", "'h5'; weights are written as HDF5", save_format)
        _no_options("save_weights", options)
        layers = self._layers_with_weights("save_weights")
        path = os.path.expanduser(os.fspath(filepath))
        if not may_overwrite(path, overwrite, "save_weights"):
            return
        with hdf5_output.writing(path) as root:
            if path.endswith(TREE):
                weights_v3.write(root, self)
            else:
                weights_hdf5.write(root, layers)

    def load_weights(
        self,
        filepath: Any,
        skip_mismatch: bool = False,
        by_name: bool = False,
        options: Any = None,
        reshape: bool = False,
    ) -> None:
        """Read weights from an HDF5 file of weights, or of a whole model, that this package or Keras 2 wrote.

        Either every weight that the call names is loaded, or none is changed.

        Args:
            filepath: The file; its content counts, not its suffix.
            skip_mismatch: Whether what does not fit is left out, with a warning that lists it.
            by_name: Whether layers are matched by their names instead of their order.
            options: `None`; TensorFlow's options have no meaning here.
            reshape: Whether data of the right size are taken in another shape.

        Raises:
            ValueError: The model is not built; the file is corrupt, does not fit the model, or refers to other files.
        """
        _no_options("load_weights", options)
        layers = self._layers_with_weights("load_weights")
        path = os.path.expanduser(os.fspath(filepath))
        caller = f"load_weights({path!r})"
        with _reading(path, "load_weights") as root:
            plan = Plan(caller, skip_mismatch, reshape, weights_hdf5.origin(root, caller))
            if not weights_hdf5.is_classic(root, caller) and weights_v3.is_tree(root, caller):
                (weights_v3.match_by_name if by_name else weights_v3.match)(plan, root, self)
            else:
                match = weights_hdf5.match_by_name if by_name else weights_hdf5.match_by_order
                match(plan, layers, weights_hdf5.stored_layers(root, caller))
            values = plan.read()
        assign_all(values)
        if plan.skipped:
            warnings.warn(f"{caller}: skipped: {'; '.join(plan.skipped)}.", stacklevel=2)

    def _layers_with_weights(self, method: str) -> Sequence[Any]:
        if not self.built:
            raise ValueError(
                f"{method}: the model has no weights yet; give the first layer input_shape=(…), or call "
                f"build((None, …)), first."
            )
        return list(self.layers)


@contextlib.contextmanager
def _reading(path: str, caller: str) -> Iterator[Group]:
    """Open a file of weights, or the weights in an archive of a whole model; yields the root."""
    if file_kinds.expect(path, caller, file_kinds.HDF5, file_kinds.KERAS) is file_kinds.HDF5:
        with hdf5.reading(path, caller) as root:
            yield root
        return
    with archive.reading(path, f"{caller}({path!r})") as reader, reader.hdf5() as root:
        yield root


def _no_options(method: str, options: Any) -> None:
    if options is not None:
        raise argument_error(method, "options", "None; TensorFlow's options have no meaning here", options)
