"""CRC-32 of parts, against zlib's of the whole."""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

from torchkeras_compat.saving import archive, checksums

RANDOM = random.Random(1)


@pytest.mark.parametrize("sizes", [(0, 0), (0, 7), (7, 0), (1, 1), (5, 100), (70_000, 123_457)])
def test_the_checksum_of_two_parts(sizes: tuple[int, int]) -> None:
    one, two = map(RANDOM.randbytes, sizes)
    assert checksums.combined(zlib.crc32(one), zlib.crc32(two), len(two)) == zlib.crc32(one + two)


@pytest.mark.parametrize("start", [0, 100])
def test_the_checksum_of_a_part_of_a_file(monkeypatch: pytest.MonkeyPatch, start: int) -> None:
    monkeypatch.setattr(checksums, "_CHUNK", 7)
    data = RANDOM.randbytes(1000)
    assert checksums.checksum(io.BytesIO(data), start, 500) == zlib.crc32(data[start : start + 500])


@pytest.mark.parametrize("seed", range(30))
def test_writes_in_any_order(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Large parts and small ones, over each other, with gaps, and cut off."""
    monkeypatch.setattr(checksums, "LARGE", 50)
    draw, file = random.Random(seed), io.BytesIO(b"before")
    with ThreadPoolExecutor(1) as thread:
        window = archive._Window(file, 6, thread)
        for _ in range(draw.randrange(1, 30)):
            if draw.random() < 0.2:
                window.truncate(draw.randrange(window.size + 60))
            else:
                window.seek(draw.randrange(window.size + 60))
                window.write(draw.randbytes(draw.randrange(120)))
    assert window.checksum() == zlib.crc32(file.getvalue()[6:])


@pytest.mark.parametrize("seed", range(30))
def test_reads_in_any_order(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Large parts and small ones, over each other, with gaps, past the end, by one memory or two."""
    monkeypatch.setattr(checksums, "LARGE", 50)
    draw, data = random.Random(seed), RANDOM.randbytes(1000)
    file, memories = io.BytesIO(data), [bytearray(400), bytearray(400)]
    with ThreadPoolExecutor(1) as thread:
        read = checksums.Checksums(file, thread)
        for turn in range(draw.randrange(12)):
            start, size = draw.randrange(1000), draw.randrange(1, 400)
            read.seek(start)
            count = read.readinto(memoryview(memories[turn % 2])[:size])
            assert memories[turn % 2][:count] == data[start : start + size]
        begin = draw.randrange(3)
        parts = [(start, size) for start, (size, _) in read._parts.items()]
        assert all(one + size <= other for (one, size), (other, _) in zip(sorted(parts), sorted(parts)[1:]))
        if not any(start < begin for start, _ in parts):
            assert read.of(begin, 1000 - begin) == zlib.crc32(data[begin:])


def test_large_parts_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksums, "LARGE", 10_000)
    sizes = []

    def read(file: object, start: int, size: int, crc: int = 0) -> int:
        sizes.append(size)
        return checksum(file, start, size, crc)  # type: ignore[arg-type]

    checksum = checksums.checksum
    monkeypatch.setattr(checksums, "checksum", read)
    path = str(tmp_path / "file.zip")
    with archive.writing(path) as writer, writer.hdf5("data.h5") as root:
        for name in "abc":
            root[name] = np.frombuffer(RANDOM.randbytes(200_000), np.uint8)
    assert sum(sizes) < 20_000
    with zipfile.ZipFile(path) as written:
        assert written.testzip() is None
        with h5py.File(io.BytesIO(written.read("data.h5"))) as file:
            assert sorted(file) == ["a", "b", "c"]
