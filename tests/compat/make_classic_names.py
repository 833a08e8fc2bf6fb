"""Write the names that the modules of Keras 1.2.2, 2.0.8, 2.2.4 and 2.3.1 define, to `classic_names.json`.

    python tests/compat/make_classic_names.py FOLDER…

Each folder is the package `keras` of one release, as its source has it.  Nothing of it is run.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

# Whole backends, networks and the loaders of data sets have names of their own; examples and docs are no modules.
LEFT_OUT = ("applications.", "backend.cntk_backend", "backend.theano_backend", "backend.numpy_backend")


def defined(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the functions, classes and variables of a module."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name))
        elif isinstance(node, ast.If):
            yield from defined([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from defined(node.body)


def names(package: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield (module, public names) of a package."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if not module.startswith(LEFT_OUT):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield module, sorted({name for name in defined(tree.body) if not name.startswith("_")})


def main() -> None:
    """Join the names of all folders, and write them."""
    public_names: dict[str, set[str]] = {}
    for folder in map(Path, sys.argv[1:]):
        for module, public in names(folder):
            public_names.setdefault(module, set()).update(public)
    table = {module: " ".join(sorted(public)) for module, public in sorted(public_names.items()) if public}
    text = json.dumps(table, indent=1)
    (Path(__file__).parent / "classic_names.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
