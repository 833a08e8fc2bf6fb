"""Processes that a script under `run` starts anew, by `spawn`, by joblib or as a program, import Keras as it does."""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from .._core import dialects
from ..compat import facades
from ..compat.numpy_names import provide

ROOTS = ("keras", "tensorflow")
STAND_IN = """\
import sys

if {folder!r} not in sys.path:
    sys.path.append({folder!r})
from torchkeras_compat.scripts.children import adopt

adopt(__name__, {dialect!r})
"""


def tell_children(dialect: str | None) -> None:
    """Let processes that this one starts find modules `keras` and `tensorflow` that call `install()`.

    They lie in a folder of their own until this process ends. New interpreters look there by the environment variable
    PYTHONPATH, and those that multiprocessing prepares by the `sys.path` of this one.

    Args:
        dialect: As in `install()`.
    """
    folder = tempfile.mkdtemp(prefix="torchkeras_compat_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    package = Path(__file__).parents[2]
    for root in ROOTS:
        text = STAND_IN.format(folder=str(package), dialect=dialect)
        Path(folder, f"{root}.py").write_text(text, encoding="utf-8")
    sys.path.insert(1, folder)
    others = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{folder}{os.pathsep}{others}" if others else folder


def adopt(name: str, dialect: str | None) -> None:
    """Put this package behind `import keras` in a process that has just begun to import it.

    Args:
        name: The module that is being imported.
        dialect: As in `install()`.
    """
    del sys.modules[name]
    facades.install(dialect)
    if dialect is not None:
        dialects.set_dialect(dialect)
    provide()
    importlib.import_module(name)  # what Python's import takes from `sys.modules` in the stand-in's place
