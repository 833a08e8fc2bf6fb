"""The project's outside: metadata, constraints, the make targets that the README names."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import pytest

import torchkeras_compat

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def metadata() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def names(lines: str) -> list[str]:
    found = [re.match(r"[\w.-]+", line.strip()) for line in lines.splitlines() if line.strip()]
    return [match.group().lower().replace("_", "-") for match in found if match]


def constrained() -> set[str]:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return {name for line in text.splitlines() if not line.startswith("#") for name in names(line)}


def test_version_is_one(metadata: configparser.ConfigParser) -> None:
    assert torchkeras_compat.__version__ == metadata["metadata"]["version"]


def test_extras(metadata: configparser.ConfigParser) -> None:
    extras = metadata["options.extras_require"]
    assert {"image", "plot", "sklearn", "tensorboard", "onnx", "all"} <= set(extras)
    whole = re.search(r"\[(.*)\]", extras["all"])
    assert whole is not None
    assert set(whole.group(1).split(",")) == set(extras) - {"all", "test", "lint"}


def test_every_requirement_is_constrained(metadata: configparser.ConfigParser) -> None:
    wanted = set(names(metadata["options"]["install_requires"]))
    for lines in metadata["options.extras_require"].values():
        wanted |= set(names(lines))
    assert wanted - {"torchkeras-compat"} <= constrained()


def test_admits_old_torch_and_python(metadata: configparser.ConfigParser) -> None:
    assert "torch>=2.4" in metadata["options"]["install_requires"]
    assert metadata["options"]["python_requires"] == ">=3.10"
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "benchmarks/README.md"])
def test_named_make_targets_exist(page: str) -> None:
    named = set(re.findall(r"`?(?:^|[\s`])make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert named
    assert named <= targets


def test_help_stands_in_line() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    rows = [re.fullmatch(r"(  make [a-z-]+ {2,})(\S.*)", line) for line in shown.splitlines() if line.startswith("  ")]
    assert all(rows)
    assert len({len(row.group(1)) for row in rows if row}) == 1
    phony = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    assert [row.group(1).split()[1] for row in rows if row] == phony.group(1).split()
    assert "$(" not in shown
