"""`save_weights` and `load_weights`, as methods of a model."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .._core.border import nameless
from .._core.errors import argument_error
from . import archive, file_kinds, hdf5, hdf5_output, weights_hdf5, weights_v3
from .checkpoints import LoadStatus, is_checkpoint, note_latest
from .flushing import flushed
from .hdf5 import FileError, Group
from .object_files import ObjectFile, holds_objects, write_objects
from .object_graph import parts
from .replacing import make_folder_of, may_overwrite, replacing
from .restoring import Restoration, RestoreStatus
from .safetensors_file import match_state, read_header, write_tensors
from .weight_plan import Plan, assign_all
from .weights_v3_optimizer import OptimizerState, assign_state, read_state, write_state

FORMATS = (None, "h5", "hdf5", "keras")
CHECKPOINT_FORMATS = ("tf", "tensorflow")
TENSORS = ".safetensors"
TREE = ".weights.h5"  # the end of a name that asks for the tree of Keras 2.12 and later


@nameless
class WeightFiles:
    """The two methods of a model that read and write files of weights.

    A model has `layers`, each with `name`, `table()` and `_trained_table()`, and `built`.
    """

    built: bool
    layers: Any
    optimizer: Any
    state_dict: Any
    get_weights: Any
    _is_users: bool

    def save_weights(
        self, filepath: Any, overwrite: bool = True, save_format: str | None = None, options: Any = None
    ) -> None:
        """Write all weights to a file.

        A name that ends in `.weights.h5` gets the tree that Keras 2.12 and later write, with the optimizer's state; one
        that ends in `.safetensors` what `state_dict()` has, under torch's names and in its layout; any other one the
        HDF5 layout of Keras before 2.12. The file is written beside its place and put there when it is whole. A folder
        that is missing is made where the name has none of these endings, as Keras does for checkpoints. In the dialects
        of tf.keras such a file is a checkpoint, with the optimizer's state: what `tf.train.Checkpoint(model)` writes,
        and the latest one of its folder then (`tf.train.latest_checkpoint`).

        Args:
            filepath: Where; the end of the name says which layout.
            overwrite: Whether a file that is there is replaced without a question.
            save_format: `None`, `'h5'` and its like: there is one format, whatever the suffix. `'tf'` asks for a
                checkpoint, whose name has no suffix of HDF5.
            options: `None`, or what TensorFlow's scripts give for checkpoints, without an effect here.

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
        path = os.path.expanduser(os.fspath(filepath))
        wanted = save_format.lower() if isinstance(save_format, str) else save_format
        if wanted not in (*FORMATS, *CHECKPOINT_FORMATS) or (wanted in CHECKPOINT_FORMATS and not is_checkpoint(path)):
            raise argument_error("save_weights", "save_format", "'h5'; weights are written as HDF5", save_format)
        checkpoint = wanted in CHECKPOINT_FORMATS or (wanted is None and self._makes_checkpoints(path))
        if not checkpoint:
            _no_options("save_weights", options)
        layers = self._layers_with_weights("save_weights", checkpoint)
        if not may_overwrite(path, overwrite, "save_weights"):
            return
        if checkpoint:
            write_objects(path, self)
            note_latest(path)
            return
        if wanted is None and is_checkpoint(path.lower()):
            make_folder_of(path)
        if path.endswith(TENSORS):
            self._save_state(path)
            return
        with hdf5_output.writing(path) as root:
            if path.endswith(TREE):
                weights_v3.write(root, self)
                write_state(root, getattr(self, "optimizer", None))
            else:
                weights_hdf5.write(root, layers, self)

    def _makes_checkpoints(self, path: str) -> bool:
        """Tell whether a path is one that the Keras of the model's dialect writes a checkpoint to."""
        rules: Any = self._rules  # type: ignore[attr-defined]
        return bool(rules.archive_without_suffix) and is_checkpoint(path)

    def load_weights(
        self,
        filepath: Any,
        skip_mismatch: bool = False,
        by_name: bool = False,
        options: Any = None,
        reshape: bool = False,
    ) -> LoadStatus | RestoreStatus | None:
        """Read weights from a file of weights, or of a whole model, that this package or any Keras wrote.

        The content says which kind of file it is; one of safetensors has the names and layouts of `state_dict()`.
        Either every weight that the call names is loaded, or none is changed. Of a checkpoint, layers that are not
        built yet get their weights when they are.

        Args:
            filepath: The file; its content counts, not its suffix.
            skip_mismatch: Whether what does not fit is left out, with a warning that lists it.
            by_name: Whether layers are matched by their names instead of their order.
            options: `None`, or what TensorFlow's scripts give for checkpoints, without an effect here.
            reshape: Whether data of the right size are taken in another shape.

        Returns:
            Of a checkpoint, in the dialects of tf.keras, what scripts call `expect_partial()` of; else `None`.

        Raises:
            ValueError: The model is not built; the file is corrupt, does not fit the model, or refers to other files.
        """
        path = os.path.expanduser(os.fspath(filepath))
        caller = f"load_weights({path!r})"
        is_state = os.path.exists(path) and _is_state(path)
        if is_state and holds_objects(path, caller):
            return self._load_objects(path, caller, skip_mismatch, by_name)
        _no_options("load_weights", options)
        layers = self._layers_with_weights("load_weights")
        if is_state:
            self._load_state(path, skip_mismatch or by_name, caller)
            return None
        with _reading(path, "load_weights") as root:
            plan = Plan(caller, skip_mismatch, reshape, weights_hdf5.origin(root, caller))
            if not weights_hdf5.is_classic(root, caller) and weights_v3.is_tree(root, caller):
                (weights_v3.match_by_name if by_name else weights_v3.match)(plan, root, self)
            else:
                match = weights_hdf5.match_by_name if by_name else weights_hdf5.match_by_order
                match(plan, layers, weights_hdf5.stored_layers(root, caller))
                weights_hdf5.match_own(plan, root, self)
            values = plan.read()
            state, why = self._optimizer_state(root, caller)
        assign_all(values)
        plan.finish()
        if state is not None:
            why = assign_state(self.optimizer, state)
        if why:
            warnings.warn(f"{caller}: the state of the optimizer in the file is left out: {why}", stacklevel=2)
        if plan.skipped:
            warnings.warn(f"{caller}: skipped: {'; '.join(plan.skipped)}.", stacklevel=2)
        return LoadStatus() if self._makes_checkpoints(path) else None

    def _load_objects(self, path: str, caller: str, skip_mismatch: bool, by_name: bool) -> RestoreStatus:
        """Restore what a checkpoint holds for a model and its optimizer."""
        if by_name:
            raise argument_error(
                "load_weights", "by_name", "False for a checkpoint, which has no names of layers", True
            )
        restoration = Restoration(ObjectFile(path, caller), self, skip_mismatch)
        status = RestoreStatus(restoration)
        shared = {name for name, _ in parts(self)} & set(restoration.file.nodes[0].parts)
        if not (restoration.restored or (shared and not (self.built and self.get_weights()))):
            names = ", ".join(f"{name}=…" for name in list(restoration.file.nodes[0].parts)[:4])
            raise FileError(
                f"{caller}: nothing in the file is of this model: it holds {names}. Restore it as it was written, such "
                f"as tf.train.Checkpoint(model=model).restore({path!r})."
            )
        restoration.warn_of_missing()
        return status

    def _save_state(self, path: str) -> None:
        with replacing(path) as temporary, flushed(temporary) as file:
            write_tensors(file, self.state_dict(), {"format": "pt"})

    def _load_state(self, path: str, partly: bool, caller: str) -> None:
        """Load a file of safetensors; without `partly` all names must be on both sides."""
        with open(path, "rb") as file:
            plan = match_state(read_header(file, caller), self.state_dict(keep_vars=True))
            if plan.skipped and not (partly and plan.matches):
                raise FileError(f"{caller}: {'; '.join(plan.skipped[:8])}.")
            values = list(plan.read(file, caller))
        assign_all(values)
        if plan.skipped:
            warnings.warn(f"{caller}: skipped: {'; '.join(plan.skipped)}.", stacklevel=3)

    def _optimizer_state(self, root: Any, caller: str) -> tuple[OptimizerState | None, str]:
        """Return what a tree holds for the optimizer, and why it is left out where it is.

        As in Keras, an optimizer that has not made a step yet begins anew, with its own learning rate.
        """
        optimizer = getattr(self, "optimizer", None)
        stored = weights_v3.datasets(root, weights_v3.OPTIMIZER, caller)
        if optimizer is None or not stored or (len(stored) <= 2 and not np.any(stored[0][()])):
            return None, ""  # nothing, or the count and rate of one that has not made a step
        if not int(getattr(optimizer, "iterations", 0)):
            return None, "the model's has not trained yet; load_model takes it, from a file of the whole model."
        try:
            return read_state(root, optimizer, caller), ""
        except ValueError as error:
            return None, str(error)

    def _layers_with_weights(self, method: str, may_be_unbuilt: bool = False) -> Sequence[Any]:
        """Return the layers of a model, which must be built unless its weights may come later, as Keras has it."""
        if not self.built and not (may_be_unbuilt and self._is_users and "build" not in type(self).__dict__):
            raise ValueError(
                f"{method}: the model has no weights yet; give the first layer input_shape=(…), or call "
                f"build((None, …)), first."
            )
        return list(self.layers)


def _is_state(path: str) -> bool:
    """Tell whether a file is one of safetensors, or is called so."""
    if path.endswith(TENSORS) and os.path.isfile(path):
        return True
    kinds = (file_kinds.HDF5, file_kinds.KERAS, file_kinds.SAFETENSORS)
    return file_kinds.expect(path, "load_weights", *kinds) is file_kinds.SAFETENSORS


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
