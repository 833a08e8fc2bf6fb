"""Modules that TensorFlow 2.3 to 2.15 called experimental, and `keras.saving`: what Keras 2.15.1 has there."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import numpy as np
import pytest

from torchkeras_compat import compat, layers
from torchkeras_compat._core.planned import ComesLater
from torchkeras_compat.utils import warmstart_embedding_matrix

NAMES = {
    "layers.experimental": "EinsumDense RandomFourierFeatures SyncBatchNormalization preprocessing",
    "layers.experimental.preprocessing": "CategoryEncoding CenterCrop Discretization HashedCrossing Hashing "
    "IntegerLookup Normalization PreprocessingLayer RandomContrast RandomCrop RandomFlip RandomHeight RandomRotation "
    "RandomTranslation RandomWidth RandomZoom Rescaling Resizing StringLookup TextVectorization",
    "experimental": "CosineDecay CosineDecayRestarts LinearModel SequenceFeatures SidecarEvaluator WideDeepModel",
    "optimizers.experimental": "Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Nadam Optimizer RMSprop SGD",
    "saving": "custom_object_scope deserialize_keras_object get_custom_objects get_registered_name "
    "get_registered_object load_model register_keras_serializable save_model serialize_keras_object",
}


@pytest.fixture(autouse=True)
def _installed() -> Iterator[None]:
    compat.install()
    yield
    compat.uninstall()


@pytest.mark.parametrize("root", ["keras", "tensorflow.keras"])
@pytest.mark.parametrize(("part", "name"), [(part, name) for part in NAMES for name in NAMES[part].split()])
def test_a_name_is_imported_and_is_an_attribute(root: str, part: str, name: str) -> None:
    value = getattr(importlib.import_module(f"{root}.{part}"), name)
    holder = importlib.import_module(root)
    for step in part.split("."):
        holder = getattr(holder, step)
    assert getattr(holder, name) is value


def test_the_module_of_preprocessing_has_no_other_names() -> None:
    module = importlib.import_module("tensorflow.keras.layers.experimental.preprocessing")
    later = {"RandomBrightness", "CategoryCrossing"}
    assert set(module.__all__) - later == set(NAMES["layers.experimental.preprocessing"].split())
    layer = module.Normalization()
    layer.adapt(np.ones((3, 2)))
    assert isinstance(layer, module.PreprocessingLayer)
    assert isinstance(layer, layers.Normalization)


def test_the_synchronized_layer_is_the_one_of_one_device() -> None:
    module = importlib.import_module("tensorflow.keras.layers.experimental")
    assert isinstance(module.SyncBatchNormalization(axis=1, momentum=0.9), layers.BatchNormalization)
    assert isinstance(layers.deserialize({"class_name": "SyncBatchNormalization", "config": {}}), module.Layer)


@pytest.mark.parametrize(
    ("part", "name", "instead"),
    [
        ("experimental", "WideDeepModel", "layers.add"),
        ("layers.experimental.preprocessing", "CategoryCrossing", "HashedCrossing"),
        ("layers.experimental", "RandomFourierFeatures", "K.cos"),
        ("utils", "FeatureSpace", "Concatenate"),
        ("utils", "SidecarEvaluator", "load_weights"),
    ],
)
def test_what_is_not_there_says_what_to_write(part: str, name: str, instead: str) -> None:
    with pytest.raises(ComesLater, match=instead):
        getattr(importlib.import_module(f"keras.{part}"), name)()


class TestWarmstart:
    OLD, NEW = ["unk", "a", "b", "c"], ["unk", "unk", "a", "b", "c", "d", "e"]

    def test_known_terms_keep_their_rows(self) -> None:
        base = np.random.RandomState(0).rand(4, 3)
        rows = warmstart_embedding_matrix(self.OLD, self.NEW, base, "zeros").numpy()
        np.testing.assert_array_equal(rows[:5], base[[0, 0, 1, 2, 3]])
        assert not rows[5:].any()
        assert rows.dtype == base.dtype

    def test_a_vocabulary_of_a_file_or_of_bytes(self, tmp_path: object) -> None:
        path = f"{tmp_path}/terms.txt"
        with open(path, "w", encoding="utf-8") as file:
            file.write("b\nc\n")
        rows = warmstart_embedding_matrix(np.array([b"a", b"b"]), path, np.array([[1.0], [2.0]]), "ones")
        assert rows.tolist() == [[2.0], [1.0]]

    def test_rows_for_each_term(self) -> None:
        with pytest.raises(ValueError, match="a row for each of the 4 terms"):
            warmstart_embedding_matrix(self.OLD, self.NEW, np.ones((3, 3)))
