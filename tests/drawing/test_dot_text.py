"""The boxes and arrows of models against the dot text of Keras 2.15."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import torchkeras_compat as keras
from torchkeras_compat.utils import model_to_dot

from .cases import CASES
from .dot_reader import read

DOTS = json.loads(Path(__file__).with_name("dots.json").read_text())


@pytest.mark.parametrize("name", CASES)
def test_boxes_and_arrows_are_those_of_keras(name: str) -> None:
    keras.set_dialect("tf.keras")
    build, arguments = CASES[name]
    ours, theirs = read(model_to_dot(build(keras), **arguments).to_string()), read(DOTS[name])
    assert ours.structure() == theirs.structure()
    assert ours.attributes == theirs.attributes
