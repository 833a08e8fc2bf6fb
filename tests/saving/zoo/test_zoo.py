"""The files of both Keras, loaded here: what they predict, and how their training goes on."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from tests.golden.models.case import leaves
from tests.saving.zoo.models import STEPS, batch, cases, forget_states

DATA = Path(__file__).resolve().parent / "data"
WRITERS = ("keras_2_15", "keras_3_15")
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
TRAINED = {"rtol": 1e-4, "atol": 1e-5}  # six steps of float32 in another order of sums


# What Keras itself does otherwise once it has loaded its own file.
NOT_THE_SAME = {
    ("keras_2_15", "penalties-loss_of_weights_alone"): "files hold no losses that were added as functions",
    ("keras_3_15", "heads-loss_objects_and_metric_objects"): "its files leave out the delta of Huber",
    ("keras_3_15", "layer-time_distributed"): "it gives BatchNormalization inside the statistics of each step alone",
}
# Where Keras 3 computes otherwise than Keras 2.15, whose numbers the layers here have.
OTHERWISE = {
    "attention-heads_with_all_arguments": "steps that may attend to nothing are zero, not the mean over all",
    "attention-heads_over_the_second_axis": "steps that may attend to nothing are zero, not the mean over all",
    "wrappers-spectral_normalization_of_embeddings": "it gives zeros for the words of a normalised table",
}


@functools.cache
def members(writer: str) -> dict[str, bytes]:
    """Return the files that a Keras wrote."""
    with zipfile.ZipFile(DATA / f"{writer}.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@functools.cache
def expected(writer: str) -> dict[str, Any]:
    """Return the arrays that it computed."""
    with np.load(io.BytesIO(members(writer)["expected.npz"])) as stored:
        return {name: stored[name] for name in stored.files}


def names(writer: str) -> list[str]:
    """Return the models that it could build and save."""
    return [name.removesuffix(".keras") for name in members(writer) if name.endswith(".keras")]


EVERY = [
    pytest.param(writer, name, ending, id=f"{writer}-{name}{ending}", marks=[pytest.mark.slow] if i % 4 else [])
    for writer in WRITERS
    for i, name in enumerate(names(writer))
    if not (writer == "keras_3_15" and name in OTHERWISE)
    for ending in (".keras", ".h5")
]


def written(writer: str, name: str, ending: str, folder: Path) -> Path:
    """Put a file where it can be loaded."""
    path = folder / f"{name}{ending}"
    path.write_bytes(members(writer)[f"{name}{ending}"])
    return path


@pytest.mark.parametrize(("writer", "name", "ending"), EVERY)
def test_a_model_of_keras(writer: str, name: str, ending: str, tmp_path: Path) -> None:
    keras.set_dialect("keras-2.15")
    model = keras.models.load_model(written(writer, name, ending, tmp_path))
    x, _ = batch(cases()[name], 0)
    arrays = expected(writer)
    for i, output in enumerate(leaves(model.predict_on_batch(x))):
        np.testing.assert_allclose(output, arrays[f"{name}/y/{i}"], **TOLERANCE)
    if f"{name}/losses" not in arrays or (writer, name) in NOT_THE_SAME:
        return
    forget_states(model)
    losses = [np.ravel(model.train_on_batch(*batch(cases()[name], number)))[0] for number in range(STEPS)]
    np.testing.assert_allclose(losses, arrays[f"{name}/losses"], **TRAINED)


@pytest.mark.parametrize("writer", WRITERS)
def test_there_are_enough_models(writer: str) -> None:
    skipped = json.loads(members(writer)["skipped.json"])
    assert len(names(writer)) >= 60
    assert set(names(writer)) | set(skipped) == set(cases())
