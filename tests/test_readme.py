"""The README's examples run as a reader would type them, and its links lead somewhere."""

from __future__ import annotations

import doctest
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "DEVIATIONS.md",
    "docs/architecture.md",
    "docs/mixed_precision.md",
    "benchmarks/README.md",
]
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)[^)]*\)")


@pytest.fixture
def own_modules() -> Iterator[None]:
    """Take `keras` and `tensorflow` out again, which `compat.install()` puts into `sys.modules` and `sys.meta_path`."""
    before, finders = dict(sys.modules), list(sys.meta_path)
    yield
    sys.meta_path[:] = finders
    for name in set(sys.modules) - set(before):
        if name.split(".")[0] in ("keras", "tensorflow", "keras_preprocessing"):
            del sys.modules[name]


def examples(page: str) -> list[str]:
    return FENCE.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.usefixtures("own_modules")
@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)])
def test_examples_run(page: str) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    source = "\n".join(examples(page))
    test = doctest.DocTestParser().get_doctest(source, {}, page, str(ROOT / page), 0)
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(said)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    local = [link for link in LINK.findall(text) if not link.startswith(("http://", "https://"))]
    missing = [link for link in local if not ((ROOT / page).parent / link).exists()]
    assert missing == []
