"""Configurations that Keras 2.15 and 3.15 wrote make the same models here: shapes, weights, outputs."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat._core import stored_configs

from . import answers
from .support import VERSIONS, stored, users_classes

NOT_SHARED = "Keras does not say everywhere that two models share layers, and makes several of them itself"
CAST_TO_INTEGERS = "Keras 3 casts normalised embeddings to the type of the indices, so that they become 0"
WHOLE_NUMBERS = "the mask is of numbers from 0 to 3, of which Keras 3 takes any but 0 for true"
# Model, version and form → why its outputs, or its weights, are others.
OTHERWISE: dict[tuple[str, str, str], str] = {
    **{
        (name, version, form): NOT_SHARED
        for version in VERSIONS
        for form in ("json", "keras")
        for name in ("wrappers/time_distributed_and_plain", "models_of_shared_layers")
    },
    **{("wrappers/spectral_normalization_of_embeddings", "3.15", form): CAST_TO_INTEGERS for form in ("json", "keras")},
    **{
        (name, "3.15", form): WHOLE_NUMBERS
        for form in ("json", "keras")
        for name in (
            "multi_head_attention_masked",
            "attention/heads_over_the_second_axis",
            "attention/heads_with_all_arguments",
        )
    },
}
REFUSED = {"rms_normalization": "RMSNormalization: this layer of Keras 3 has no counterpart here"}
LOOSER = {"frozen_and_mixed": 0.02}  # a sum in bfloat16 ends in another last bit


def _cases() -> list[Any]:
    return [
        pytest.param(version, form, name, id=f"{version}-{form}-{name}")
        for version in VERSIONS
        for form in ("json", "keras")
        for name in stored(version)
    ]


def _read(version: str, form: str, name: str) -> Any:
    entry = stored(version)[name]
    custom = users_classes(name, entry)
    if form == "json":
        return tk.models.model_from_json(entry["json"], custom)
    before = copy.deepcopy(entry["keras"])
    with stored_configs.reading(entry["keras"], f"{version}.0"):  # which stands beside it in the archive
        model = tk.models.model_from_config(entry["keras"], custom)
    assert entry["keras"] == before, "the caller's dictionary was changed"
    return model


@pytest.mark.parametrize(("version", "form", "name"), _cases())
def test_model(version: str, form: str, name: str) -> None:
    entry = stored(version)[name]
    if name in REFUSED:
        with pytest.raises(ValueError, match=REFUSED[name]):
            _read(version, form, name)
        return
    model = _read(version, form, name)
    seen = _answer(model, entry)
    if OTHERWISE.get((name, version, form)) == NOT_SHARED:
        assert len(seen["weights"]) > len(entry["weights"])
        return
    assert sorted(seen["weights"]) == sorted(entry["weights"])
    assert seen["shapes"] == entry["shapes"]
    if (name, version, form) in OTHERWISE:
        return
    for here, there in zip(seen["outputs"], entry["outputs"]):
        np.testing.assert_allclose(here, there, rtol=1e-4, atol=LOOSER.get(name, 2e-5))


def _answer(model: Any, entry: dict[str, Any]) -> dict[str, Any]:
    if len(model.weights) != len(entry["names"]):
        return answers.answer(model)
    return answers.answer(model, *answers.like(entry, model))
