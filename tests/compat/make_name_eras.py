"""Write in which release names of today's modules appeared, to `torchkeras_compat/compat/eras.py`.

    python tests/compat/make_name_eras.py FOLDER…

The folders are the packages `keras` of 1.2.2, 2.0.8, 2.2.4 and 2.3.1, as their sources have it; nothing of them is run.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from make_classic_names import defined

from torchkeras_compat import compat
from torchkeras_compat.compat.names import MODULES, PLANNED_ALONE

# The dialect of each folder, and of what none of them has.
DIALECTS = ("keras-1", "keras-2.2", "keras-2.2", "keras-2.3")
LATER = "later"
HEAD = '''"""In which dialect names of today's modules appeared: in an older one a star import puts them over nothing.

Written by `tests/compat/make_name_eras.py` from the sources of Keras 1.2.2, 2.0.8, 2.2.4 and 2.3.1. What stands nowhere
here was in 1.2.2; what none of them has is `'later'`.
"""

# Module of this package → dialect → the names that it was the first to have.
FIRST: dict[str, dict[str, str]] = {
'''


def imported(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the names that a module imports by name."""
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.If, ast.Try)):
            yield from imported([*node.body, *node.orelse])


def names_of(package: Path) -> dict[str, set[str]]:
    """Return module of this package → the names that a release has in the modules that it stands for."""
    names: dict[str, set[str]] = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        part = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names.setdefault(MODULES.get(part, part), set()).update(defined(tree.body), imported(tree.body))
    return {module: public for module, public in names.items() if public}


def names_today() -> Iterator[tuple[str, set[str]]]:
    """Yield module of this package → the names of Keras's that a star import of a facade has from there."""
    compat.install()
    for module in sorted(set(MODULES.values()) - set(PLANNED_ALONE)):
        parts = [part for part, behind in MODULES.items() if behind == module]
        yield module, {name for part in parts for name in importlib.import_module(f"keras.{part}").own_names}


def first_dialects(folders: Iterable[Path]) -> dict[str, dict[str, set[str]]]:
    """Return module → dialect → names, for names of Keras 2.15 or a release that 1.2.2 had not.

    A script that imports from a module which 1.2.2 had not, or had empty, is of a later time: it gets all.
    """
    surface = json.loads((Path(__file__).parents[1] / "coverage" / "surface.json").read_text(encoding="utf-8"))
    releases = [(dialect, names_of(folder)) for dialect, folder in zip(DIALECTS, folders)]
    table: dict[str, dict[str, set[str]]] = {}
    for module, public in names_today():
        for name in public if module in releases[0][1] else ():
            first = next((dialect for dialect, names in releases if name in names.get(module, ())), LATER)
            if first != DIALECTS[0] and (first != LATER or name in surface.get(module, ())):
                table.setdefault(module, {}).setdefault(first, set()).add(name)
    return table


def lines(names: Iterable[str], width: int = 100) -> Iterator[str]:
    """Yield the lines of a literal that holds names."""
    line = ""
    for name in sorted(names):
        if len(line) + len(name) > width:
            yield f'            "{line}"'
            line = ""
        line += f"{name} "
    yield f'            "{line.rstrip()}"'


def main() -> None:
    """Read the folders, and write the table."""
    text = HEAD
    for module, dialects in first_dialects(map(Path, sys.argv[1:])).items():
        text += f'    "{module}": {{\n'
        for dialect in (*dict.fromkeys(DIALECTS), LATER):
            if dialect in dialects:
                text += f'        "{dialect}": (\n' + "\n".join(lines(dialects[dialect])) + "\n        ),\n"
        text += "    },\n"
    path = Path(compat.__file__).parent / "eras.py"
    path.write_text(text + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
