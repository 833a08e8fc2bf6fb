"""Keras's own names, order and defaults of arguments, from `signatures.json` (see `make_signatures.py`)."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from torchkeras_compat._core import registry
from torchkeras_compat._core.config import arguments

SIGNATURES: dict[str, dict[str, list[list[Any]]]] = json.loads(
    Path(__file__).with_name("signatures.json").read_text(encoding="utf-8")
)

# (kind, argument) of what every one of the kind takes by keyword, beside the arguments of its own.
BY_KEYWORD = {
    ("optimizer", argument)
    for argument in (
        "name weight_decay clipnorm clipvalue global_clipnorm use_ema ema_momentum ema_overwrite_frequency jit_compile"
    ).split()
}
# (kind, name, argument) → why the default reads otherwise.
OTHER_DEFAULT = {
    ("layer", "Conv1D", "data_format"): "None is channels last for sequences",
    ("layer", "MaxPooling1D", "data_format"): "None is channels last for sequences",
    ("layer", "AveragePooling1D", "data_format"): "None is channels last for sequences",
    ("layer", "GlobalMaxPooling1D", "data_format"): "None is channels last for sequences",
    ("layer", "GlobalAveragePooling1D", "data_format"): "None is channels last for sequences",
}
KINDS = ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")


def compared() -> list[tuple[str, str]]:
    """Return what both sides have: kind and name of every registered entry that Keras 2.15 exports."""
    both = {kind: SIGNATURES.get(kind, {}).keys() & table.entries.keys() for kind, table in registry.KINDS.items()}
    return [(kind, name) for kind, names in both.items() for name in sorted(names)]


def ours(kind: str, name: str) -> dict[str, Any]:
    parameters = inspect.signature(registry.KINDS[kind].entries[name]).parameters.values()
    return {p.name: p.default for p in parameters if p.kind.name in KINDS}


def alike(theirs: Any, default: Any) -> bool:
    """Tell whether two defaults are one: `(1, 1)` and 1 are, and an object is its name."""
    if isinstance(default, (tuple, list)):
        default = list(default)
    if isinstance(theirs, list) and isinstance(default, list):
        return len(theirs) == len(default) and all(map(alike, theirs, default))
    if isinstance(theirs, list):
        return all(alike(item, default) for item in theirs)
    return bool(theirs == default) or str(theirs).startswith("<")


def test_enough_is_compared() -> None:
    assert len(compared()) > 150


@pytest.mark.parametrize(("kind", "name"), compared(), ids=lambda value: value)
def test_order_of_arguments(kind: str, name: str) -> None:
    here = list(ours(kind, name))
    theirs = [row[0] for row in SIGNATURES[kind][name]]
    wanted = [a for a in theirs if a in here or (kind, a) not in BY_KEYWORD]
    assert here[: len(wanted)] == wanted


@pytest.mark.parametrize(("kind", "name"), compared(), ids=lambda value: value)
def test_defaults(kind: str, name: str) -> None:
    here = ours(kind, name)
    wrong = {}
    for argument, *default in SIGNATURES[kind][name]:
        if argument not in here or (kind, name, argument) in OTHER_DEFAULT:
            continue
        required = here[argument] is inspect.Parameter.empty
        if required is bool(default) or (default and not alike(default[0], here[argument])):
            wrong[argument] = (default, here[argument])
    assert wrong == {}


@pytest.mark.parametrize("name", sorted(registry.KINDS["layer"].entries))
def test_every_layer_takes_the_arguments_of_all(name: str) -> None:
    taken = arguments(registry.KINDS["layer"].entries[name])
    assert {"name", "trainable", "dtype", "batch_input_shape", "weights"} <= set(taken) or name == "Sequential"
