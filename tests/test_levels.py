"""The house: imports go downwards only, and rooms of one level do not import each other.

The same holds for the files inside a room: no circle of files anywhere, and levels where a room has some of its own.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import pytest

PACKAGE = "torchkeras_compat"
ROOT = Path(__file__).resolve().parent.parent / PACKAGE

# Room → level. A room is a file or a folder directly in the package.
LEVELS = {
    "_core": 0,
    "activations": 1,
    "initializers": 1,
    "regularizers": 1,
    "constraints": 1,
    "backend": 1,
    "optimizers": 2,
    "losses": 2,
    "metrics": 2,
    "mixed_precision": 2,
    "datasets": 2,
    "preprocessing": 2,
    "utils": 2,
    "layers": 3,
    "callbacks": 3,
    "saving": 3,
    "training": 4,
    "models": 5,
    "wrappers": 6,
    "distribute": 6,
    "drawing": 6,
    "applications": 6,
    "export": 6,
}

# Who may import a room of its own level, by name, and why.
NEIGHBOURS = {
    ("backend", "activations"): "K.relu, K.softmax and their like are the activations themselves",
    ("metrics", "losses"): "every loss is a metric too",
    ("mixed_precision", "optimizers"): "a LossScaleOptimizer is an optimizer around another one",
    ("export", "applications"): "two networks have layers of their own, which have a form in plain torch",
    ("datasets", "utils"): "get_file keeps what is downloaded",
    ("preprocessing", "utils"): "Sequence, pad_sequences and the reading of pictures are utils in Keras",
}

# Room → what stands in it, files and folders, from the lowest level to the highest. What stands in one level does not
# import each other. Other rooms are small: there it is enough that no files import each other in a circle.
INSIDE = {
    "layers": (
        "activation_gradients additive_scores attention_kernel base batch_renormalization conv1d_matmul",
        "channel_groups spatial core input_layer lambdas recurrent torch_module",  # what other families stand on
        "advanced_activations attention classic_dense conv_lstm_formula convolutional einsum_dense embeddings "
        "layer_normalization locally_connected merging noise normalization onednn_transposed pooling preprocessing "
        "reshaping serialization",
        "classic_merge conv_lstm_cells multi_head_attention separable transposed wrappers",
        "convolutional_recurrent spectral_normalization",
    ),
    "layers/base": (
        "call_inputs compiled_call gradient_facts input_spec linear masks normalizing precision side_losses "
        "stored_config symbols_in_code traits updates user_methods",
        "runs_on_zeros tracking",
        "building own_state symbols weights",
        "attributes",
        "layer",
        "activated symbolic_masks weight_options",
    ),
    "layers/preprocessing": (
        "base farmhash projection siphash",
        "encoding pictures scaling",
        "hashing lookups random_pictures",
        "text",
    ),
    "layers/recurrent": (
        "gates masks onednn products states",
        "formulas",
        "graph_ops native",
        "choose_kernel",
        "cells",
        "stacked_cells",
        "base",
        "layers",
        "cudnn",
    ),
    "drawing": (
        "graph spreading",
        "layers",
        "layout",
        "painting",
        "dot",
    ),
    "export": (
        "carried_source emission loss_functions modules optimizer_classes picture_modules",
        "function_calls losses optimizers program weight_rules writers",
        "picture_functions",
        "functions",
        "graph",
        "to_source to_torch",
    ),
    "models": (
        "layer_list model_weights operation plan torch_side",
        "graph_configs",
        "functional",
        "network_symbols",
        "description",
        "network",
        "model",
        "sequential",
        "cloning from_torch",
    ),
    "optimizers": (
        "float_scalars foreach gradients slot_variables",
        "hyperparameters schedules",
        "clipping fused_kernels learning_rate slots weight_decay weight_io",
        "get_updates own_state sparse_rows steps_by_weight weight_average",
        "written_methods written_steps",
        "steps_by_hand",
        "optimizer",
        "_adam _adaptive _lion _rmsprop _sgd",
        "experimental legacy",
    ),
    "training": (
        "arguments as_it_was data interrupts",
        "heads",
        "compile_config trained_model",
        "averages",
        "step",
        "compiled_model executors out_of_memory",
        # The methods of a model, part by part.
        "compile_record custom_steps deprecated epoch_state loop on_batch symbolic_loss",
        "training_state",
        "trainer",
    ),
    "training/step": (
        "by_data embedding_rows handwritten objective overrides parameter_groups users_step",
        "choose_handwritten forward update",
        "classic_update method_update scaled_update variable_update",
        "choose_update",
        "step",
    ),
}

# Beside the levels: these may know every room, and only the ones named may know `compat`.
BESIDE = {"compat", "scripts"}
KNOWS_COMPAT = {"__init__", "__main__", "compat", "scripts"}
TOP = {"__init__", "__main__"}


def room(path: Path) -> str:
    """Return the room a file stands in."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path, *, at_top: bool = False) -> Iterator[tuple[str, str]]:
    """Yield (module, name) for what a file imports of the package, inside functions and `if`s too.

    Args:
        path: The file.
        at_top: Whether only statements at the top of the file count.
    """
    package = (PACKAGE, *path.relative_to(ROOT).parent.parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if at_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == PACKAGE)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            if module.split(".")[0] == PACKAGE:
                yield from ((module, alias.name) for alias in node.names)


def imported_modules(path: Path) -> set[str]:
    """Return the full names of the package's modules, and of what is in them, that a file imports."""
    return {f"{module}.{name}".rstrip(".") for module, name in imports(path)}


def imported_rooms(path: Path) -> set[str]:
    """Return the rooms that a file imports; the package itself counts as `__init__`."""
    rooms = set()
    for name in imported_modules(path):
        first = (name.split(".") + ["__init__"])[1]
        known = first in LEVELS or first in BESIDE or (ROOT / first).exists() or (ROOT / f"{first}.py").exists()
        rooms.add(first if known else "__init__")
    return rooms - {room(path)}


FILES = sorted(p for p in ROOT.rglob("*.py"))


def wrong(path: Path) -> list[str]:
    """Return what a file imports against the rules."""
    here, found = room(path), []
    for there in sorted(imported_rooms(path)):
        if there in BESIDE:
            if here not in KNOWS_COMPAT or (there == "scripts" and here not in TOP):
                found.append(f"{there}: only {sorted(KNOWS_COMPAT)} may import it")
        elif here in TOP or here in BESIDE:
            continue
        elif there in TOP:
            found.append(f"{there}: a room imports rooms, not the package's front door")
        elif LEVELS[there] > LEVELS[here]:
            found.append(f"{there}: level {LEVELS[there]} is above level {LEVELS[here]}")
        elif LEVELS[there] == LEVELS[here] > 0 and (here, there) not in NEIGHBOURS:
            found.append(f"{there}: a room of the same level {LEVELS[here]}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_downwards(path: Path) -> None:
    assert wrong(path) == []


def test_every_room_has_a_level() -> None:
    rooms = {room(path) for path in FILES} - TOP - BESIDE
    assert rooms <= set(LEVELS), f"give these rooms a level: {sorted(rooms - set(LEVELS))}"


def test_no_exception_outlives_its_use() -> None:
    used = {(room(path), there) for path in FILES for there in imported_rooms(path)}
    assert set(NEIGHBOURS) <= used, f"no longer needed: {sorted(set(NEIGHBOURS) - used)}"


def test_a_violation_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / PACKAGE
    (root / "losses").mkdir(parents=True)
    bad = root / "losses" / "bad.py"
    bad.write_text(
        "def f():\n    from ..training import step\n    from .. import compat, optimizers\n"
        f"    import {PACKAGE}\n    from .._core import errors\n    from . import other\n"
    )
    monkeypatch.setitem(globals(), "ROOT", root)
    assert [line.split(":")[0] for line in wrong(bad)] == ["__init__", "compat", "optimizers", "training"]


# --- inside the rooms --------------------------------------------------------------------------------------------


def dotted(path: Path) -> str:
    """Return the full name of a module."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def exported(package: str) -> Mapping[str, tuple[str, str]]:
    """Return what the `__init__` of a folder takes from its files: name → (module, name there)."""
    return {name: (module, name) for module, name in imports(MODULES[package], at_top=True)}


def home(module: str, name: str) -> str | None:
    """Return the file that a name comes from: a folder's `__init__` only hands on what its files have."""
    if f"{module}.{name}" in MODULES:
        return f"{module}.{name}"
    if module in FOLDERS and name in exported(module):
        return home(*exported(module)[name])
    return module if module in MODULES else None


MODULES = {dotted(path): path for path in FILES}
FOLDERS = {name for name, path in MODULES.items() if path.name == "__init__.py"}


@functools.cache
def file_graph() -> Mapping[str, set[str]]:
    """Return file → the files that it imports; `__init__`s, which hand on, are none."""
    graph = {}
    for name in MODULES.keys() - FOLDERS:
        homes = {home(module, item) for module, item in imports(MODULES[name])}
        graph[name] = {one for one in homes if one is not None} - FOLDERS - {name}
    return graph


def circles(graph: Mapping[str, Set[str]]) -> list[list[str]]:
    """Return the groups of nodes that reach each other (Tarjan, 1972), but for single ones."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_nodes: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        number[node] = lowest[node] = len(number)
        open_nodes.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in number:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in open_nodes:
                lowest[node] = min(lowest[node], number[other])
        if lowest[node] == number[node]:
            start = open_nodes.index(node)
            groups.append(sorted(open_nodes[start:]))
            del open_nodes[start:]

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return [group for group in groups if len(group) > 1]


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles(file_graph()) == []


def test_a_circle_is_seen() -> None:
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": set(), "f": {"f"}}
    assert circles(graph) == [["a", "b", "c"]]


def levels_inside(folder: str) -> dict[str, int]:
    """Return what stands in a room → its level there."""
    return {unit: level for level, units in enumerate(INSIDE[folder]) for unit in units.split()}


def edges_inside(folder: str) -> set[tuple[str, str]]:
    """Return pairs of what stands in a room, of which the first imports the second."""
    prefix = ".".join([PACKAGE, *folder.split("/"), ""])
    pairs = ((a, b) for a, others in file_graph().items() for b in others)
    inside = ((a, b) for a, b in pairs if a.startswith(prefix) and b.startswith(prefix))
    units = {(a.removeprefix(prefix).split(".")[0], b.removeprefix(prefix).split(".")[0]) for a, b in inside}
    return {(a, b) for a, b in units if a != b}


@pytest.mark.parametrize("folder", INSIDE)
def test_imports_inside_a_room_go_downwards(folder: str) -> None:
    level = levels_inside(folder)
    assert [(a, b) for a, b in sorted(edges_inside(folder)) if level[b] >= level[a]] == []


@pytest.mark.parametrize("folder", INSIDE)
def test_what_stands_in_a_room_has_a_level(folder: str) -> None:
    paths = [path for path in (ROOT / folder).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert {path.stem for path in paths} - {"__init__"} == set(levels_inside(folder))
