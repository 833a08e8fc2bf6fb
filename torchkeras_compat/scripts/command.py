"""The command line: `python -m torchkeras_compat run | check | port SCRIPT`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .._core.dialects import DIALECTS
from .check import check, report
from .port import port
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
        return COMMANDS[told.command](told)
    except NoScript as error:
        print(f"{PROGRAM} {told.command}: {error}", file=sys.stderr)
        return 2


def _run(told: argparse.Namespace) -> int:
    script: Script = module(told.script) if told.module else read(Path(told.script))
    run(script, told.arguments, told.dialect, told.figures)
    return 0


def _check(told: argparse.Namespace) -> int:
    script = read(Path(told.script))
    findings = check(script, told.dialect)
    print(*report(script, findings), sep="\n")
    return 1 if findings.broken else 0


def _port(told: argparse.Namespace) -> int:
    script = read(Path(told.script))
    if script.is_notebook:
        raise NoScript(f"{script.path}: notebooks are not rewritten; run and check take them.")
    ported = port(script, told.dialect)
    if told.output is None:
        sys.stdout.write(ported.text)
    else:
        with open(told.output, "w", encoding=script.encoding, newline="") as file:
            file.write(ported.text)
    for line, text in ported.kept:
        print(f"{told.script}:{line}: {text}.", file=sys.stderr)
    for line, text in ported.findings.broken:
        print(f"{told.script}:{line}: would not work: {text.rstrip('.')}.", file=sys.stderr)
    return 1 if ported.findings.broken else 0


COMMANDS = {"run": _run, "check": _check, "port": _port}
