"""`StringTensor`: strings in the place of tensors."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat._core.strings import StringTensor, StringType, holds_strings, is_string_type
from torchkeras_compat._core.user_tensors import hand_out

WORDS = np.array([["a", "b", "a"], ["c", "ä", ""]])


def strings(tensor: Any) -> Any:
    return np.vectorize(bytes.decode, otypes=[object])(tensor.numpy()).tolist()


def test_strings_come_back_as_bytes() -> None:
    batch = StringTensor.of(["a", b"b"])
    assert (batch.numpy().tolist(), batch[1].numpy(), batch[:1].numpy().tolist()) == ([b"a", b"b"], b"b", [b"a"])
    assert batch.tolist() == [b"a", b"b"]
    assert batch[0].item() == b"a"
    assert [s.numpy() for s in batch] == [b"a", b"b"]
    assert np.asarray(batch).tolist() == [b"a", b"b"]
    assert repr(batch) == "StringTensor([b'a', b'b'])"


REARRANGED = {
    "rows": (lambda t: t[1:], WORDS[1:]),
    "columns": (lambda t: t[:, ::2], WORDS[:, ::2]),
    "gathered": (lambda t: t.index_select(0, torch.tensor([1, 0, 1])), WORDS[[1, 0, 1]]),
    "by a mask": (lambda t: t[torch.tensor([False, True])], WORDS[[False, True]]),
    "split": (lambda t: torch.split(t, 1)[1], WORDS[1:]),
    "unbound": (lambda t: t.unbind(1)[2], WORDS[:, 2]),
    "reshaped": (lambda t: t.reshape(3, 2), WORDS.reshape(3, 2)),
    "another axis": (lambda t: t.unsqueeze(-1), WORDS[..., None]),
    "turned": (lambda t: t.T, WORDS.T),
    "joined": (lambda t: torch.cat([t, StringTensor.of([["z", "a", "y"]])]), np.vstack([WORDS, [["z", "a", "y"]]])),
    "stacked": (lambda t: torch.stack([t, t]), np.stack([WORDS, WORDS])),
    "moved": (lambda t: t.to("cpu").detach().clone().contiguous(), WORDS),
    "copied": (copy.deepcopy, WORDS),
    "pickled": (lambda t: pickle.loads(pickle.dumps(t)), WORDS),
}


@pytest.mark.parametrize("case", REARRANGED)
def test_they_are_cut_and_put_together_as_tensors(case: str) -> None:
    function, expected = REARRANGED[case]
    result = function(StringTensor.of(WORDS))
    assert isinstance(result, StringTensor)
    assert strings(result) == expected.tolist()


@pytest.mark.parametrize(
    "function",
    [
        lambda t: t + 1,
        lambda t: t.float(),
        lambda t: t.to(torch.float32),
        torch.sum,
        lambda t: torch.nn.functional.linear(t, torch.ones(2, 3)),
        lambda t: torch.cat([t, torch.ones(1, 3)]),
    ],
)
def test_calculating_with_them_is_an_error(function: Any) -> None:
    with pytest.raises(
        TypeError, match=r"StringLookup, TextVectorization and Hashing make numbers|among strings|'StringTensor' and"
    ):
        function(StringTensor.of(WORDS))


def test_they_compare() -> None:
    batch = StringTensor.of(["a", "b", "a"])
    assert (batch == "a").tolist() == [True, False, True]
    assert (batch != batch[[1, 1, 2]]).tolist() == [True, False, False]


def test_a_function_is_mapped_over_the_different_ones() -> None:
    seen: list[bytes] = []

    def upper(word: bytes) -> bytes:
        seen.append(word)
        return word.upper()

    assert StringTensor.of(["a", "b", "a", "B"]).mapped(upper).tolist() == [b"A", b"B", b"A", b"B"]
    assert seen == [b"a", b"b", b"B"]


@pytest.mark.parametrize("values", [["a", 1], [None], [1.5, "b"], [np.nan, "b"]])
def test_what_is_no_string_is_named(values: list[Any]) -> None:
    with pytest.raises(TypeError, match="among strings"):
        StringTensor.of(np.array(values, dtype=object))
    assert not holds_strings(np.array(values, dtype=object))


def test_the_type_of_strings() -> None:
    assert is_string_type("string")
    assert is_string_type(StringType())
    assert not is_string_type("float32")
    assert StringType() == "string" == StringType().name
    assert not is_string_type(torch.float32)
    assert {StringType(): 1}["string"] == 1


def test_they_meet_what_user_code_is_handed() -> None:
    handed = hand_out(torch.tensor([True, False]))
    pair, others = StringTensor.of(["a", "b"]), StringTensor.of(["c", "d"])
    assert torch.where(handed, pair, others).tolist() == [b"a", b"d"]
    assert pair[handed].tolist() == [b"a"]
    assert pair.index_select(0, hand_out(torch.tensor([1, 0]))).tolist() == [b"b", b"a"]
    with pytest.raises(TypeError, match="make numbers of strings"):
        torch.add(pair, hand_out(torch.ones(2)))


def test_the_type_is_that_of_strings() -> None:
    batch = hand_out(StringTensor.of(["a", "b"]))
    assert batch.dtype == StringType()
    assert batch.dtype != torch.int64
    assert (batch.dtype.name, batch[0].dtype, batch.codes.dtype) == ("string", StringType(), torch.int64)
