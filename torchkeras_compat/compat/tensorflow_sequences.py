"""`tf.train.SequenceExample`: records of features and of lists of features, written and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .._core.strings import StringTensor
from .._core.user_tensors import hand_out
from .tensorflow_records import (
    WRONG_FORM,
    Feature,
    Features,
    FixedLenSequenceFeature,
    VarLenFeature,
    entries_of,
    feature_as,
    features_by_name,
    field,
    fields,
    lists_of,
    stacked_features,
)
from .tensorflow_sparse import SparseTensor
from .tensorflow_strings import strings


class FeatureList:
    """Features one behind the other.

    Args:
        feature: The features.
    """

    def __init__(self, feature: Sequence[Feature] = ()) -> None:
        self.feature = list(feature)


class FeatureLists:
    """Lists of features by name.

    Args:
        feature_list: Name → list.
    """

    def __init__(self, feature_list: Mapping[str, FeatureList] | None = None) -> None:
        self.feature_list = dict(feature_list or {})


class SequenceExample:
    """What one record of a sequence holds.

    Args:
        context: Features of the sequence as a whole.
        feature_lists: Features of each step.
    """

    def __init__(self, context: Features | None = None, feature_lists: FeatureLists | None = None) -> None:
        self.context, self.feature_lists = context or Features(), feature_lists or FeatureLists()

    def SerializeToString(self) -> bytes:
        """Return it in the wire format."""
        context = b"".join(
            field(1, field(1, name.encode()) + field(2, feature.written()))
            for name, feature in sorted(self.context.feature.items())
        )
        lists = b"".join(
            field(1, field(1, name.encode()) + field(2, b"".join(field(1, one.written()) for one in held.feature)))
            for name, held in sorted(self.feature_lists.feature_list.items())
        )
        return (field(1, context) if context else b"") + (field(2, lists) if lists else b"")

    @classmethod
    def FromString(cls, serialized: Any) -> SequenceExample:
        """Return the example that a record holds.

        Args:
            serialized: Its bytes.
        """
        context, steps = _parsed(bytes(serialized))
        held = {
            name: FeatureList([Feature(**dict([one] if one else [])) for one in features])
            for name, features in steps.items()
        }
        return cls(Features({name: Feature(**dict([one])) for name, one in context.items()}), FeatureLists(held))


def _parsed(data: bytes) -> tuple[dict[str, tuple[str, Any]], dict[str, list[Any]]]:
    """Return the features of the whole by name, and those of each step: lists by name, `None` for an empty one."""
    context: dict[str, tuple[str, Any]] = {}
    steps: dict[str, list[Any]] = {}
    try:
        for number, _, content in fields(memoryview(data)):
            if number == 1:
                context |= features_by_name(content)
            for name, held in entries_of(content) if number == 2 else ():
                steps[name] = [next(lists_of(feature), None) for _, _, feature in fields(held)]
    except WRONG_FORM:
        raise ValueError("tf.io.parse_sequence_example: the string is no tf.train.SequenceExample.") from None
    return context, steps


def _sequence(name: str, spec: Any, features: list[Any] | None) -> Any:
    """Return the steps of one example, as their specification says."""
    if features is None and not getattr(spec, "allow_missing", True):
        raise ValueError(
            f"tf.io.parse_sequence_example: the list {name!r} is missing; FixedLenSequenceFeature(…, "
            "allow_missing=True) takes it for an empty one."
        )
    steps = [feature_as(name, _step_of(spec), {} if one is None else {name: one}) for one in features or []]
    if isinstance(spec, VarLenFeature):
        return steps
    if isinstance(spec, FixedLenSequenceFeature):
        size = int(np.prod([int(n) for n in spec.shape], dtype=np.int64))
        if wrong := [len(step.reshape(-1)) for step in steps if step.numel() != size]:
            raise ValueError(
                f"tf.io.parse_sequence_example: a step of {name!r} needs {size} values; it has {wrong[0]}."
            )
        empty = feature_as(name, spec, {})
        return torch.stack([step.reshape([int(n) for n in spec.shape]) for step in steps]) if steps else empty
    raise TypeError(
        f"tf.io.parse_sequence_example: {name!r} needs FixedLenSequenceFeature or VarLenFeature; got {spec}."
    )


def _step_of(spec: Any) -> Any:
    return FixedLenSequenceFeature([], spec.dtype)


def _sparse(examples: list[list[Tensor]], dtype: Any) -> Any:
    """Return steps of different lengths, of several examples, as a sparse tensor of three axes."""
    places = [(i, j, k) for i, steps in enumerate(examples) for j, step in enumerate(steps) for k in range(len(step))]
    values = [step for steps in examples for step in steps] or [feature_as("", FixedLenSequenceFeature([], dtype), {})]
    widest = max((len(step) for steps in examples for step in steps), default=0)
    shape = [len(examples), max(map(len, examples), default=0), widest]
    return SparseTensor(np.array(places, dtype=np.int64).reshape(-1, 3), torch.cat(values), shape)


def parse_single_sequence_example(
    serialized: Any,
    context_features: Mapping[str, Any] | None = None,
    sequence_features: Mapping[str, Any] | None = None,
    example_name: Any = None,
    name: Any = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the features of a record, those of the whole and those of its steps.

    Args:
        serialized: The record, a string.
        context_features: Name → specification, as in `parse_single_example`.
        sequence_features: Name → `FixedLenSequenceFeature` or `VarLenFeature`.
        example_name: Accepted.
        name: Accepted.
    """
    context, steps = _parsed(serialized if isinstance(serialized, bytes) else strings(serialized).item())
    whole = {key: hand_out(feature_as(key, spec, context)) for key, spec in sorted((context_features or {}).items())}
    sequences = {}
    for key, spec in sorted((sequence_features or {}).items()):
        one = _sequence(key, spec, steps.get(key))
        if isinstance(spec, VarLenFeature):
            places = [(j, k) for j, step in enumerate(one) for k in range(len(step))]
            batch = _sparse([one], spec.dtype)
            one = SparseTensor(np.array(places, dtype=np.int64).reshape(-1, 2), batch.values, [len(one), _width(one)])
        sequences[key] = hand_out(one)
    return whole, sequences


def _width(steps: list[Tensor]) -> int:
    return max(map(len, steps), default=0)


def parse_sequence_example(
    serialized: Any,
    context_features: Mapping[str, Any] | None = None,
    sequence_features: Mapping[str, Any] | None = None,
    example_names: Any = None,
    name: Any = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the features of several records as batches: of the whole, of the steps, and how many steps there are.

    Args:
        serialized: The records.
        context_features: Name → specification, as in `parse_example`.
        sequence_features: Name → `FixedLenSequenceFeature`, filled up to the longest, or `VarLenFeature`.
        example_names: Accepted.
        name: Accepted.
    """
    records = [_parsed(text) for text in np.ravel(np.asarray(strings(serialized), dtype=object)).tolist()]
    whole = {}
    for key, spec in sorted((context_features or {}).items()):
        parts = [hand_out(feature_as(key, spec, context)) for context, _ in records]
        whole[key] = hand_out(stacked_features(key, spec, parts))
    sequences, lengths = {}, {}
    for key, spec in sorted((sequence_features or {}).items()):
        parts = [_sequence(key, spec, steps.get(key)) for _, steps in records]
        if isinstance(spec, VarLenFeature):
            sequences[key] = _sparse(parts, spec.dtype)
        else:
            sequences[key] = hand_out(_filled_up(parts))
            lengths[key] = hand_out(torch.tensor([len(part) for part in parts]))
    return whole, sequences, lengths


def _filled_up(parts: list[Tensor]) -> Tensor:
    longest = max(map(len, parts), default=0)
    if isinstance(parts[0], StringTensor):
        rows = [
            np.concatenate([part.numpy(), np.full((longest - len(part), *part.shape[1:]), b"", object)])
            for part in parts
        ]
        return StringTensor.of(np.stack(rows))
    return torch.stack([F.pad(part, [0, 0] * (part.dim() - 1) + [0, longest - len(part)]) for part in parts])


SEQUENCES: dict[str, Any] = {
    "parse_single_sequence_example": parse_single_sequence_example,
    "parse_sequence_example": parse_sequence_example,
}
SEQUENCE_EXAMPLES: dict[str, Any] = {kind.__name__: kind for kind in (SequenceExample, FeatureLists, FeatureList)}
