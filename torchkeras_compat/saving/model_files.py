"""`save` and `load_model`: whole models on disk."""

from __future__ import annotations

import os
import warnings
from typing import Any

from .._core import registry
from .._core.border import nameless, user_stacklevel
from .._core.errors import argument_error, show
from . import archive, file_kinds, hdf5, hdf5_output, model_archive, model_hdf5
from .hdf5 import FileError, Group
from .replacing import make_folder_of, may_overwrite
from .weight_files import WeightFiles

# What scripts of each time write for the format → the format.
FORMATS = {"h5": "hdf5", "hdf5": "hdf5", "keras": "keras", "tf": "keras"}
_HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".he5")
# Arguments of TensorFlow's own format → the values at which they have no effect; there are no functions to trace.
_IGNORED: dict[str, tuple[Any, ...]] = {
    "signatures": (None,),
    "options": (None,),
    "save_traces": (None, True, False),
    "zipped": (None,),
}


@nameless
class ModelFiles(WeightFiles):
    """The methods of a model that write files of weights and of whole models."""

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        save_format: str | None = None,
        include_optimizer: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write the model to one file: its architecture, its weights, how it was compiled and its optimizer's state.

        A name that ends in `.keras` becomes the archive that Keras 3 reads, one that ends in `.h5` an HDF5 file that
        Keras 2 reads.  Other names: HDF5 under the classic dialects, the archive under the later ones.  The file is
        written beside its place and put there when it is whole; a folder that is missing is made, but for `.keras`.

        Args:
            filepath: Where; also an open `h5py.File`.
            overwrite: Whether a file that is there is replaced without a question.
            save_format: `'keras'` or `'h5'` (`'tf'` writes the archive); by the name if `None`.
            include_optimizer: Whether the file says how the model is compiled.
            kwargs: `signatures` and `options` of TensorFlow's own format, `None`, and `save_traces`, of no effect.

        Raises:
            ValueError: The model is not built, or another format is asked for.
            FileExistsError: `overwrite=False`, a file is there, and nobody sits at a terminal to be asked.

        Example:
            >>> import os, tempfile
            >>> import torchkeras_compat as keras
            >>> model = keras.Sequential([keras.layers.Dense(2, input_dim=3)])
            >>> path = os.path.join(tempfile.mkdtemp(), 'model.keras')
            >>> model.save(path)
            >>> keras.models.load_model(path).count_params()
            8
        """
        for name, value in kwargs.items():
            if name not in _IGNORED:
                raise TypeError(f"save({name}={show(value)}): unknown argument.")
            if not any(value is harmless for harmless in _IGNORED[name]):
                raise argument_error("save", name, "its default; it belongs to TensorFlow's own format", value)
        self._layers_with_weights("save")
        if hasattr(filepath, "create_group"):
            model_hdf5.write(filepath, self, include_optimizer, "save(…)")
            return
        path = _of_a_file(filepath)
        kind = self._format(path, save_format)
        if not may_overwrite(path, overwrite, "save"):
            return
        if not path.lower().endswith(".keras"):  # for which Keras asks that the folder be there
            make_folder_of(path)
        caller = f"save({path!r})"
        if kind == "keras":
            with archive.writing(path) as writer:
                model_archive.write(writer, self, include_optimizer, caller)
        else:
            with hdf5_output.writing(path) as root:
                model_hdf5.write(root, self, include_optimizer, caller)

    def _format(self, path: str, save_format: str | None) -> str:
        """Return the format that `save` writes: `'hdf5'` or `'keras'`."""
        ending = os.path.splitext(path)[1].lower()
        by_name = "keras" if ending == ".keras" else "hdf5" if ending in _HDF5_SUFFIXES else None
        if save_format is None:
            rules: Any = self._rules  # type: ignore[attr-defined]
            return by_name or ("keras" if rules.archive_without_suffix else "hdf5")
        wanted = FORMATS.get(save_format.lower()) if isinstance(save_format, str) else None
        if wanted is None:
            raise argument_error("save", "save_format", "'keras' or 'h5'", save_format)
        if save_format.lower() == "tf":
            warnings.warn(
                f"save({path!r}, save_format='tf'): a SavedModel is a program for TensorFlow; the file is a .keras "
                f"archive instead, which load_model reads.",
                stacklevel=user_stacklevel(),
            )
        return wanted


def _of_a_file(filepath: Any) -> str:
    """Return a path as that of a file: scripts end that of a SavedModel, which is a folder, with a slash."""
    path: str = os.path.expanduser(os.fspath(filepath))
    return path.rstrip("/" + os.sep) or path


def save_model(
    model: ModelFiles, filepath: Any, overwrite: bool = True, save_format: str | None = None, **kwargs: Any
) -> None:
    """Write a model to one file; see `Model.save`.

    Args:
        model: The model.
        filepath: Where.
        overwrite: Whether a file that is there is replaced without a question.
        save_format: `'keras'` or `'h5'`; by the name if `None`.
        kwargs: Such as `include_optimizer`.
    """
    model.save(filepath, overwrite, save_format, **kwargs)


def load_model(
    filepath: Any,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """Return the model that a file holds, as `save` of this package or of Keras wrote it.

    The content of the file decides, not its name.  Classes are looked up among those of Keras, registered ones and
    `custom_objects`; nothing in the file is run or imported.

    Args:
        filepath: The file, or an open `h5py.File` or group.
        custom_objects: The user's own classes and functions by name; the function of a `Lambda` by the layer's name.
        compile: Whether the model is compiled as the file says.
        safe_mode: Stays; code in a file is not run in any case.
        kwargs: `options` of TensorFlow's own format, `None`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no model, is damaged, or names something that is not known.

    Example:
        >>> import os, tempfile
        >>> import torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
        >>> model.compile('adam', 'mse')
        >>> path = os.path.join(tempfile.mkdtemp(), 'model.h5')
        >>> model.save(path)
        >>> type(keras.models.load_model(path).optimizer).__name__
        'Adam'
    """
    for name, value in kwargs.items():
        if name != "options" or value is not None:
            raise argument_error("load_model", name, "left out; it belongs to TensorFlow's own format", value)
    with registry.custom_object_scope(custom_objects):
        if hasattr(filepath, "attrs"):  # an open h5py.File, or a group of it
            caller, content = f"load_model({filepath!r})", hdf5.content_of(filepath)
            with hdf5.reading(content, "load_model") as root:
                return _from_hdf5(hdf5.group(root, filepath.name, caller), content.getbuffer().nbytes, compile, caller)
        path = _of_a_file(filepath)
        caller = f"load_model({path!r})"
        if file_kinds.expect(path, "load_model", file_kinds.HDF5, file_kinds.KERAS) is file_kinds.KERAS:
            with archive.reading(path, caller) as reader:
                return model_archive.read(reader, os.path.getsize(path), compile, caller)
        with hdf5.reading(path, "load_model") as root:
            return _from_hdf5(root, os.path.getsize(path), compile, caller)


def _from_hdf5(root: Group, size: int, compile: bool, caller: str) -> Any:
    model = model_hdf5.read(root, size, caller)
    if compile and not model_hdf5.compile_read(root, model, caller):
        _not_compiled(caller)
    return model


def _not_compiled(caller: str) -> None:
    warnings.warn(
        f"{caller}: the file does not say how the model was compiled, so it is not; call model.compile(…) before fit, "
        f"or write load_model(…, compile=False).",
        stacklevel=user_stacklevel(),
    )


__all__ = ["FileError", "ModelFiles", "load_model"]
