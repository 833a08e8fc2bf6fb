"""Elements of data sets that are kept: in memory, by `cache`, `snapshot`, `save` and `load`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat._core.ragged import RaggedTensor
from torchkeras_compat.utils.dataset import Dataset


def counted(calls: list[int]) -> Dataset:
    def double(x: Any) -> Any:
        calls.append(int(x))
        return x * 2

    return Dataset.range(4).map(double)


@pytest.mark.parametrize("way", ["cache", "snapshot"])
def test_what_is_kept_in_a_file_is_computed_once_also_by_the_next_run(tmp_path: Path, way: str) -> None:
    calls: list[int] = []
    place = str(tmp_path / "deep" / "train.cache")
    kept = getattr(counted(calls), way)(place)
    next(iter(kept))  # a pass that ends early keeps nothing
    calls.clear()
    assert [int(x) for x in kept] == [0, 2, 4, 6] == [int(x) for x in kept]
    assert calls == [0, 1, 2, 3]
    assert len(kept) == 4
    again = getattr(counted(calls), way)(place)
    assert [int(x) for x in again] == [0, 2, 4, 6]
    assert len(calls) == 4
    assert not list(tmp_path.rglob(".writing-*"))


def test_elements_of_every_kind_come_back(tmp_path: Path) -> None:
    element = (
        {"x": torch.tensor([[1.5, -2.0]]), "half": torch.tensor([1.0, 3.0]).bfloat16(), "n": torch.tensor(7)},
        np.array([b"a", b"", b"o\0"], dtype=object),
        RaggedTensor.of([[1, 2], [], [3]]),
    )
    Dataset.from_tensors(element).repeat(2).save(str(tmp_path))
    back = Dataset.load(str(tmp_path))
    assert len(back) == 2
    for numbers, words, rows in back:
        assert numbers["x"].tolist() == [[1.5, -2.0]]
        assert numbers["n"].shape == ()
        assert int(numbers["n"]) == 7
        assert numbers["half"].dtype is torch.bfloat16
        assert numbers["half"].tolist() == [1.0, 3.0]
        assert words.numpy().tolist() == [b"a", b"", b"o\0"]
        assert rows.to_list() == [[1, 2], [], [3]]


def test_what_cannot_be_kept_or_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds nothing that Dataset\.save"):
        Dataset.load(str(tmp_path / "none"))
    with pytest.raises(TypeError, match="only elements of tensors"):
        Dataset.range(4).window(2).save(str(tmp_path / "windows"))
    with pytest.raises(ValueError, match="in one piece"):
        Dataset.range(4).save(str(tmp_path / "a"), shard_func=lambda x: 0)
    Dataset.range(4).save(str(tmp_path))
    file = tmp_path / "elements.data"
    whole = file.read_bytes()
    file.write_bytes(whole[:-3])
    with pytest.raises(ValueError, match="is damaged"):
        Dataset.load(str(tmp_path))
    file.write_bytes(b"something else")
    with pytest.raises(ValueError, match="no elements that this package has written"):
        Dataset.load(str(tmp_path))
