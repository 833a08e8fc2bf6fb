"""Functions of tensors in graphs: as Keras 2.15 writes them, and as this package does (`make_function_graphs.py`)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torchkeras_compat import compat
from torchkeras_compat.models import load_model, model_from_json

from .function_graphs import EXPRESSIONS, build, feed

DATA = zipfile.ZipFile(Path(__file__).parent / "data" / "function_graphs_keras_2_15.zip")
CASES = pytest.mark.parametrize("number", range(len(EXPRESSIONS)), ids=EXPRESSIONS)


@pytest.fixture
def tensorflow() -> Iterator[Any]:
    """`tensorflow` as scripts have it here."""
    compat.install()
    import tensorflow

    yield tensorflow
    compat.uninstall()


def expected(number: int) -> Any:
    return np.load(io.BytesIO(DATA.read(f"{number}.npy")))


@CASES
def test_a_configuration_of_keras_2_15(number: int) -> None:
    model = model_from_json(DATA.read(f"{number}.json").decode())
    np.testing.assert_allclose(model.predict(feed(), verbose=0), expected(number), atol=1e-5)


@CASES
@pytest.mark.filterwarnings("ignore:(?s).*Keras 3 will not load")
def test_a_model_of_this_package(number: int, tensorflow: Any, tmp_path: Path) -> None:
    model = build(EXPRESSIONS[number], tensorflow.keras, tensorflow)
    copies = [model, model_from_json(model.to_json())]
    for name in ("model.h5", "model.keras"):
        model.save(tmp_path / name)
        copies.append(load_model(tmp_path / name, compile=False))
    for one in copies:
        np.testing.assert_allclose(one.predict(feed(), verbose=0), expected(number), atol=1e-5)


@pytest.mark.filterwarnings("ignore:(?s).*Keras 3 will not load")
@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_a_function_of_any_number_of_tensors(indexing: str, tensorflow: Any, tmp_path: Path) -> None:
    """Keras 2.15 writes the first argument of `meshgrid` alone, and does not find the second output again."""
    tf = tensorflow
    inputs = tf.keras.Input((6,))
    model = tf.keras.Model(inputs, tf.meshgrid(inputs[0], inputs[1], indexing=indexing))
    x = np.random.RandomState(0).randn(2, 6).astype("float32")
    for name in ("model.h5", "model.keras"):
        model.save(tmp_path / name)
        for output, grid in zip(
            load_model(tmp_path / name, compile=False).predict(x, verbose=0), np.meshgrid(*x, indexing=indexing)
        ):
            np.testing.assert_array_equal(output, grid)
