"""Nothing in the package that reads files can run what is in them: no pickles, no byte code, no evaluation (S1, S6)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import torchkeras_compat

ROOT = Path(torchkeras_compat.__file__).parent

# Call → the files that may make it, and why that is safe.
ALLOWED: dict[str, dict[str, str]] = {
    "pickle.load": {},
    "pickle.loads": {},
    "pickle.Unpickler": {"datasets/_pickles.py": "the base of one that finds arrays and plain containers alone"},
    "torch.load": {},
    "torch.jit.load": {},
    "marshal.load": {},
    "marshal.loads": {"compat/helpers/generic.py": "func_load, which a user calls with what func_dump gave"},
    "np.load": {},
    "numpy.load": {},
    "yaml.load": {},
    "yaml.unsafe_load": {},
    "eval": {},
    "exec": {"export/carried_source.py": "the source that to_torch wrote", "scripts/run.py": "the user's own script"},
    "__import__": {},
    "types.FunctionType": {"compat/helpers/generic.py": "func_load"},
    "types.CodeType": {},
    "shelve.open": {},
    "h5py.File(r)": {"utils/hdf5_matrix.py": "the user's own data, which h5py streams"},
}


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield what is called or inherited from; files that h5py opens to read are told apart."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _dotted(node.func)
            if name == "h5py.File":
                modes = [
                    a.value for a in [*node.args[1:], *(k.value for k in node.keywords)] if isinstance(a, ast.Constant)
                ]
                name = "h5py.File(w)" if {"w", "w-", "x"} & set(modes) else "h5py.File(r)"
            yield node.lineno, name
        if isinstance(node, ast.ClassDef):
            yield from ((node.lineno, _dotted(base)) for base in node.bases)


def test_nothing_runs_what_is_in_a_file() -> None:
    calls = [
        f"{where}:{line} calls {name}"
        for path in sorted(ROOT.rglob("*.py"))
        for where in [str(path.relative_to(ROOT))]
        for line, name in _names(ast.parse(path.read_text(encoding="utf-8")))
        if where not in ALLOWED.get(name, {where: ""})
    ]
    assert not calls


@pytest.mark.parametrize("room", ["saving", "_core", "layers", "training", "datasets"])
def test_rooms_that_read_files_import_nothing_by_name(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        if path.name == "upper_rooms.py":  # by the package's own names, which no file has a part in
            continue
        called = {name for _, name in _names(ast.parse(path.read_text(encoding="utf-8")))}
        assert not {"importlib.import_module", "import_module", "__import__"} & called, path


def test_the_test_sees_what_it_is_for() -> None:
    code = "class A(pickle.Unpickler): ...\ntorch.load(x)\nh5py.File(x, 'r')\nh5py.File(y, mode='w')\neval('1')"
    assert {name for _, name in _names(ast.parse(code))} == {
        *("pickle.Unpickler", "torch.load", "h5py.File(r)", "h5py.File(w)", "eval")
    }
