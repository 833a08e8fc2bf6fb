"""`run`: a script that imports keras or tensorflow.keras, as it is."""

from __future__ import annotations

import builtins
import linecache
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, TracebackType

from .._core import border, dialects
from ..compat import companions, facades
from ..compat.numpy_names import provide
from .advice import advice
from .calls import old_words
from .children import tell_children
from .eras import chosen, hints
from .names import Names
from .screen import FIGURES, choose_backend
from .source import Cell, NoScript, Script, read
from .told import Recorder, is_installed, table

WHO = "torchkeras_compat run"
LOOKUPS = {facades.__file__, companions.__file__, "<frozen importlib._bootstrap>"}  # where names are looked up


def run(script: Script, arguments: Sequence[str], dialect: str | None = None, figures: Path | None = None) -> None:
    """Run a script as `python script.py` does, with this package behind its imports of Keras.

    What was translated is told on stderr at the end. `SystemExit` and other exceptions go on to the caller; the
    traceback that Python prints of them has no frames of this file.

    Args:
        script: The script.
        arguments: What stands behind it on the command line.
        dialect: The dialect of everything; if `None`, imports choose it, as under `install()`.
        figures: The folder in which `plt.show()` saves figures.

    Raises:
        RuntimeError: Another Keras is imported already.
    """
    facades.install(dialect)
    if dialect is not None:
        dialects.set_dialect(dialect)
    choose_backend(figures)
    main = _prepare(script, arguments)
    tell_children(dialect)
    recorder = Recorder()
    provide(recorder)  # for good: threads of the script may outlive it
    try:
        with border.telling(recorder):
            for cell in script.cells:
                _execute(cell, main)
    except SystemExit:
        raise
    except BaseException as error:
        _show_own_frames(error, script.is_notebook)
        raise
    finally:
        _report(script, recorder, dialect)


def _prepare(script: Script, arguments: Sequence[str]) -> ModuleType:
    """Make `__main__`, `sys.argv` and `sys.path[0]` what Python makes them."""
    main = ModuleType("__main__")
    vars(main).update(
        __file__=os.path.abspath(script.path), __builtins__=builtins, __spec__=script.spec, __cached__=None
    )
    if script.spec is not None:
        vars(main).update(__package__=script.spec.parent, __loader__=script.spec.loader)
        sys.path[0] = os.getcwd()
    else:
        sys.path[0] = os.path.dirname(os.path.realpath(script.path))
    sys.modules["__main__"] = main
    sys.argv[:] = [str(script.path), *arguments]
    return main


def _execute(cell: Cell, main: ModuleType) -> None:
    if not os.path.exists(cell.name):  # the lines of a cell are in no file that a traceback could read
        whole = cell.text if cell.text.endswith("\n") else f"{cell.text}\n"  # without it marks stand a place too far
        linecache.cache[cell.name] = (len(whole), None, whole.splitlines(keepends=True), cell.name)
    exec(compile(cell.text, cell.name, "exec", dont_inherit=True), vars(main))


def _show_own_frames(error: BaseException, in_cells: bool) -> None:
    """Let the traceback that Python prints begin in the script, and end there where a name is missing.

    What to write instead, where that is known, stands behind it.
    """
    own = _own_frames(error)
    hook = sys.excepthook
    if in_cells and hook is sys.__excepthook__:  # which reads the lines of files only
        hook = traceback.print_exception

    def excepthook(kind: type[BaseException], value: BaseException, frames: TracebackType | None) -> None:
        if value is error:
            value, frames = value.with_traceback(own), own
        hook(kind, value, frames)
        for line in advice(value) if value is error else ():
            print(line, file=sys.stderr)

    sys.excepthook = excepthook


def _own_frames(error: BaseException) -> TracebackType | None:
    entries: list[TracebackType] = []
    entry = error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    while entries and _file(entries[0]) == __file__:
        del entries[0]
    while entries and isinstance(error, (AttributeError, ImportError)) and _file(entries[-1]) in LOOKUPS:
        del entries[-1]
    own = None
    for entry in reversed(entries):
        own = TracebackType(own, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return own


def _file(entry: TracebackType) -> str:
    return entry.tb_frame.f_code.co_filename


def _report(script: Script, recorder: Recorder, dialect: str | None) -> None:
    """Tell on stderr under which dialect the script ran, and what was translated."""
    names = _names(script)
    read_files = [names, *(_names_of_file(file) for file in _imported_beside(script))]
    olds = [old for one in read_files if one is not None for old in (*one.old_names(), *old_words(one))]
    spellings = {(old.old, old.new) for old in (*recorder.counts, *olds)}
    lines = table(recorder.counts, olds)
    count = (
        f"{len(spellings) or 'no'} old spelling{'s' if len(spellings) > 1 else ''} translated{':' if lines else '.'}"
    )
    print(f"{WHO}: {chosen(names, dialect)}; {count}", *lines, sep="\n", file=sys.stderr)
    left_out = [line for cell in script.cells for line in cell.left_out]
    remarks = [*hints(names, dialect), FIGURES.report()]
    if left_out:
        remarks.append(f"lines that IPython alone understands were left out: {', '.join(left_out)}.")
    for remark in filter(None, remarks):
        print(f"{WHO}: {remark}", file=sys.stderr)


def _names(script: Script) -> Names | None:
    """Return what a script's text says, `None` where it is not Python: the run has told that."""
    try:
        return Names.of(script)
    except SyntaxError:
        return None


def _names_of_file(file: str) -> Names | None:
    try:
        return _names(read(Path(file)))
    except NoScript:  # it has been there, for it was imported
        return None


def _imported_beside(script: Script) -> list[str]:
    """Return the files in the folder of the script, and below it, that are imported."""
    folder = os.path.join(os.path.dirname(os.path.realpath(script.path)), "")
    files = {os.path.realpath(str(getattr(module, "__file__", None))) for module in list(sys.modules.values())}
    inside = {file for file in files if file.startswith(folder) and file.endswith(".py")}
    inside.discard(os.path.realpath(script.path))
    return sorted(file for file in inside if not is_installed(file))
