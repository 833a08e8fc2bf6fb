"""`tf.train.SequenceExample`: a record that TensorFlow 2.15.1 has written, and what its functions give of two."""

from __future__ import annotations

from typing import Any

import pytest

from torchkeras_compat.compat import tensorflow_names


def of(path: str) -> Any:
    part, _, name = path.rpartition(".")
    return tensorflow_names.find(part, name)


def numbers(kind: str, *values: Any) -> Any:
    lists = {"int64_list": "Int64List", "float_list": "FloatList", "bytes_list": "BytesList"}
    return of("train.Feature")(**{kind: of(f"train.{lists[kind]}")(value=list(values))})


def record(n: int) -> bytes:
    """Return a record of n steps; its step k of 'v' has k numbers."""
    steps = {
        "tok": [numbers("int64_list", k) for k in range(n)],
        "w": [numbers("bytes_list", b"a") for _ in range(n)],
        "v": [numbers("int64_list", *range(k)) for k in range(n)],
        "p": [numbers("float_list", k, k + 1) for k in range(n)],
    }
    lists = {name: of("train.FeatureList")(feature=features) for name, features in steps.items()}
    context = {"len": numbers("int64_list", n), "name": numbers("bytes_list", b"x%d" % n)}
    example = of("train.SequenceExample")(
        context=of("train.Features")(feature=context), feature_lists=of("train.FeatureLists")(feature_list=lists)
    )
    written: bytes = example.SerializeToString()
    return written


# `record(2)` of TensorFlow, whose maps have another order.
THEIRS = bytes.fromhex(
    "0a1e0a0e0a046e616d6512060a040a0278320a0c0a036c656e12051a030a010212610a150a03746f6b120e0a051a030a01000a051a030a0101"
    "0a130a0177120e0a050a030a01610a050a030a01610a210a0170121c0a0c120a0a08000000000000803f0a0c120a0a080000803f00000040"
    "0a100a0176120b0a021a000a051a030a0100"
)


def specifications() -> tuple[dict[str, Any], dict[str, Any]]:
    fixed, sequence = of("io.FixedLenFeature"), of("io.FixedLenSequenceFeature")
    return {"len": fixed([], "int64"), "name": fixed([], "string")}, {
        "tok": sequence([], "int64"),
        "w": sequence([], "string"),
        "v": of("io.VarLenFeature")("int64"),
        "p": sequence([2], "float32"),
    }


def sparse(tensor: Any) -> tuple[Any, Any, Any]:
    return tensor.indices.tolist(), tensor.values.tolist(), [int(n) for n in tensor.dense_shape]


def test_a_record_of_tensorflow() -> None:
    for written in (THEIRS, record(2)):
        context, steps = of("io.parse_single_sequence_example")(written, *specifications())
        assert (int(context["len"]), context["name"].item()) == (2, b"x2")
        assert steps["tok"].tolist() == [0, 1]
        assert steps["w"].tolist() == [b"a", b"a"]
        assert steps["p"].tolist() == [[0, 1], [1, 2]]
        assert sparse(steps["v"]) == ([[1, 0]], [0], [2, 1])
    assert len(record(2)) == len(THEIRS)
    back = of("train.SequenceExample").FromString(THEIRS)
    assert back.context.feature["len"].int64_list.value == [2]
    assert [f.int64_list.value for f in back.feature_lists.feature_list["v"].feature] == [[], [0]]


def test_several_records() -> None:
    context, steps, lengths = of("io.parse_sequence_example")([record(2), record(3)], *specifications())
    assert context["len"].tolist() == [2, 3]
    assert steps["tok"].tolist() == [[0, 1, 0], [0, 1, 2]]
    assert steps["w"].tolist() == [[b"a", b"a", b""], [b"a", b"a", b"a"]]
    assert steps["p"].tolist() == [[[0, 1], [1, 2], [0, 0]], [[0, 1], [1, 2], [2, 3]]]
    assert sparse(steps["v"]) == ([[0, 1, 0], [1, 1, 0], [1, 2, 0], [1, 2, 1]], [0, 0, 0, 1], [2, 3, 2])
    assert {name: n.tolist() for name, n in lengths.items()} == {"p": [2, 3], "tok": [2, 3], "w": [2, 3]}


def test_what_does_not_fit() -> None:
    parse, sequence = of("io.parse_single_sequence_example"), of("io.FixedLenSequenceFeature")
    with pytest.raises(ValueError, match="the list 'no' is missing"):
        parse(THEIRS, {}, {"no": sequence([], "int64")})
    assert parse(THEIRS, {}, {"no": sequence([], "int64", allow_missing=True)})[1]["no"].tolist() == []
    with pytest.raises(ValueError, match="a step of 'p' needs 3 values; it has 2"):
        parse(THEIRS, {}, {"p": sequence([3], "float32")})
    with pytest.raises(ValueError, match=r"no tf\.train\.SequenceExample"):
        parse(b"\xff\xff\xff", {}, {})
