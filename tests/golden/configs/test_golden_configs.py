"""Configurations that Keras 2.15 and 3.15 wrote make the same models here: shapes, weights, outputs."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat._core import stored_configs

from . import answers
from .support import VERSIONS, stored, users_classes
from .table import MODELS

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


# What Keras writes beside the arguments, or of what it found by itself.
BESIDE = ("module", "registered_name", "build_config", "shared_object_id", "compile_config", "vocabulary_size")
OPERATORS = ("operators",)  # which have several names in TensorFlow


def _holds(here: Any, there: Any, place: str = "") -> None:
    """Raise where something that Keras wrote is not here; arguments at defaults of this package may be more."""
    if isinstance(there, dict):
        for key in there.keys() - set(BESIDE):
            assert key in here, f"{place}: {key}"
            _holds(here[key], there[key], f"{place}/{key}")
    elif isinstance(there, list):
        assert len(here) == len(there), place
        for i, (one, other) in enumerate(zip(here, there)):
            _holds(one, other, f"{place}/{i}")
    else:
        assert here == (pytest.approx(there, rel=1e-6) if isinstance(there, float) else there), place


@pytest.mark.parametrize("name", [name for name in stored("2.15") if name in MODELS and name not in OPERATORS])
def test_configuration_equals_that_of_keras_2_15(name: str) -> None:
    tk.set_dialect("keras-2.15")
    config = json.loads(stored("2.15")[name]["json"])
    _holds(json.loads(tk.models.model_from_config(config).to_json())["config"], config["config"])


@pytest.mark.parametrize("name", stored("2.15"))
def test_what_is_written_is_read_again(name: str) -> None:
    tk.set_dialect("keras-2.15")
    entry = stored("2.15")[name]
    custom = users_classes(name, entry)
    model = tk.models.model_from_json(entry["json"], custom)
    again = tk.models.model_from_json(model.to_json(), custom)
    assert again.to_json() == model.to_json()
    first = answers.answer(model)
    second = answers.answer(again, *answers.like(first, again))
    for here, there in zip(first["outputs"], second["outputs"]):
        np.testing.assert_allclose(here, there, rtol=1e-6, atol=1e-6)


def _answer(model: Any, entry: dict[str, Any]) -> dict[str, Any]:
    if len(model.weights) != len(entry["names"]):
        return answers.answer(model)
    return answers.answer(model, *answers.like(entry, model))
