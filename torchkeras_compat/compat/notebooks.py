"""`%load_ext torchkeras_compat`: `install()`, and numpy's removed names, in a notebook."""

from __future__ import annotations

from typing import Any

from . import numpy_names
from .facades import install, uninstall


def load_ipython_extension(ipython: Any) -> None:
    """Let the notebook's `import keras` and `import tensorflow.keras` reach this package.

    Args:
        ipython: The shell.

    Raises:
        RuntimeError: Another Keras or TensorFlow is imported already.

    Example:
        >>> load_ipython_extension(None)
        torchkeras_compat: import keras and import tensorflow reach this package.
        >>> import keras
        >>> unload_ipython_extension(None)
    """
    install()
    numpy_names.provide()
    print("torchkeras_compat: import keras and import tensorflow reach this package.")


def unload_ipython_extension(ipython: Any) -> None:
    """Undo `%load_ext torchkeras_compat`.

    Args:
        ipython: The shell.
    """
    numpy_names.withdraw()
    uninstall()
