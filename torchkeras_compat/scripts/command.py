"""The command line: `python -m torchkeras_compat run | check | port SCRIPT`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .._core.dialects import DIALECTS
from .run import run
from .source import NoScript, Script, module, read

PROGRAM = "python -m torchkeras_compat"
DESCRIPTION = """Run old Keras scripts on PyTorch as they are.

  run    runs a script, a module or a notebook that imports keras or tensorflow.keras
  check  lists what would not work in it, and what trains differently elsewhere; runs nothing
  port   writes it in today's words, with the imports of this package; runs nothing"""


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    whole = argparse.ArgumentParser(
        prog=PROGRAM, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = whole.add_subparsers(dest="command", metavar="run | check | port")
    for name, text in (("run", "run a script as it is"), ("check", "list what would not work"), ("port", "rewrite it")):
        one = commands.add_parser(name, help=text)
        one.add_argument(
            "--dialect", choices=sorted(DIALECTS), help="the era of Keras; chosen by the imports if left out"
        )
        if name == "run":
            one.add_argument("--figures", type=Path, metavar="FOLDER", help="save what plt.show() is to show")
            one.add_argument("-m", dest="module", action="store_true", help="SCRIPT is the name of a module")
            one.add_argument("script", metavar="SCRIPT")
            one.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="the script's own arguments")
        else:
            one.add_argument("script", metavar="SCRIPT")
        if name == "port":
            one.add_argument("-o", dest="output", type=Path, metavar="FILE", help="where to; stdout if left out")
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit status.

    Args:
        arguments: The command line; that of the process if `None`.
    """
    told = parser().parse_args(arguments)
    if told.command is None:
        parser().print_help()
        return 0
    try:
        if told.command == "run":
            return _run(told)
    except NoScript as error:
        print(f"{PROGRAM} {told.command}: {error}", file=sys.stderr)
        return 2
    return 0


def _run(told: argparse.Namespace) -> int:
    script: Script = module(told.script) if told.module else read(Path(told.script))
    run(script, told.arguments, told.dialect, told.figures)
    return 0
