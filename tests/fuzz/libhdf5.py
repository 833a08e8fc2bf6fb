"""What libhdf5 does with mutated files, by h5py: the reason why this package reads HDF5 itself.

    python -m tests.fuzz.libhdf5 --count 6000            counts hangs, crashes and gigabytes
    python -m tests.fuzz.libhdf5 --count 6000 --write    also keeps the smallest such files in tests/fuzz/corpus.zip

A child process reads each file, as in `make fuzz`.
"""

from __future__ import annotations

import argparse
import collections
import io
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from . import formats
from .__main__ import fuzz
from .formats import FORMATS, Files, Format, Targets, mutant
from .mutations import mutate_bytes

CORPUS = Path(__file__).resolve().parent / "corpus.zip"
NAME = "libhdf5"
KEPT = 8
"""Files of each sort that are kept."""


def small_files(folder: Path) -> Files:
    """Return a small file in each form: with tables of names, with links in headers, and with many links."""
    files = {}
    for name, options, count in (("old", {}, 2), ("new", {"libver": "latest"}, 2), ("many", {"libver": "latest"}, 12)):
        sink = io.BytesIO()
        with h5py.File(sink, "w", **options) as root:
            root.attrs["layer_names"] = [f"dense_{i}" for i in range(count)]
            for i in range(count):
                place = root.create_group(f"dense_{i}")
                place.attrs["weight_names"] = np.array([b"kernel", b"bias"])
                place["kernel"], place["bias"] = np.ones((2, 3), "f4"), np.ones(3, "f4")
        files[f"{name}.h5"] = sink.getvalue()
    return files


def _walk(node: Any, depth: int = 0) -> None:
    dict(node.attrs)
    if isinstance(node, h5py.Dataset):
        if node.size and node.size < 10**7:
            node[()]
        return
    for name in node.id if depth < 20 else ():
        if node.id.links.get_info(name).type == h5py.h5l.TYPE_HARD:
            _walk(node[name.decode("utf-8", "surrogateescape")], depth + 1)


def _read(self: Targets, path: Path) -> None:
    try:
        with h5py.File(path, "r") as root:
            _walk(root)
    except Exception:  # what is asked here is only whether the process lives on
        return


def main() -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.libhdf5")
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--write", action="store_true", help="keep the smallest finds")
    options = parser.parse_args()
    Targets.libhdf5 = _read  # type: ignore[attr-defined]
    formats.kind_of = lambda path: None  # type: ignore[assignment]
    FORMATS[NAME] = Format(small_files, mutate_bytes, NAME)
    report, _ = fuzz(NAME, 0, options.count, time.monotonic() + 36000)
    print(report.line(NAME))
    sorts: dict[str, list[int]] = collections.defaultdict(list)
    for number, told in report.finds.items():
        sorts["memory" if "memory" in told else told].append(number)
    print({sort: len(numbers) for sort, numbers in sorts.items()})
    if options.write:
        files = small_files(Path(tempfile.gettempdir()))
        with zipfile.ZipFile(CORPUS, "w") as archive:
            for sort, numbers in sorts.items():
                contents = sorted((mutant(NAME, files, number) for number in numbers), key=len)
                for i, content in enumerate(contents[:KEPT]):
                    info = zipfile.ZipInfo(f"{sort.rpartition(' ')[2]}-{i}.h5")
                    archive.writestr(info, content, zipfile.ZIP_DEFLATED, 9)
    return 0


if __name__ == "__main__":
    sys.exit(main())
