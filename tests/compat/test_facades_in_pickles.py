"""Classes and modules of facades in pickles, which processes read that never called `install`."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from torchkeras_compat import layers


def read_elsewhere(path: Path, code: str) -> str:
    """Return what code about the pickled `value` prints in a new process."""
    start = f"import pickle; value = pickle.load(open({str(path)!r}, 'rb')); "
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, check=True).stdout


def test_a_class_is_found_by_what_is_behind_it(tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorflow.keras.layers import GRU, Dense
    from tensorflow.keras.models import Sequential

    assert pickle.loads(pickle.dumps(GRU)) is GRU is copy.deepcopy(GRU)
    assert pickle.loads(pickle.dumps(tf.keras.layers)) is tf.keras.layers
    assert pickle.loads(pickle.dumps(tf)) is tf
    model = Sequential([GRU(2, input_shape=(3, 1)), Dense(1)])
    x = np.ones((2, 3, 1), "float32")
    with open(tmp_path / "it.pickle", "wb") as file:
        pickle.dump([GRU, model, tf.keras.layers, model.predict(x, verbose=0)], file)
    code = (
        "import numpy as np; gru, model, layers, y = value; again = model.predict(np.ones((2, 3, 1)), verbose=0); "
        "print(gru.__module__, gru(1).reset_after, type(model).__module__, layers.GRU is gru, np.allclose(again, y))"
    )
    told = read_elsewhere(tmp_path / "it.pickle", code)
    assert told.split() == ["tensorflow.keras.layers", "True", "tensorflow.keras.models", "True", "True"]


def test_subclasses_are_their_modules_own() -> None:
    from tensorflow.keras.layers import Dense

    assert pickle.loads(pickle.dumps(Mine(2))).units == 2
    assert isinstance(Mine(2), layers.Dense)
    assert not isinstance(layers.Dense(2), Mine)
    assert isinstance(layers.Dense(2), Dense)


def _make() -> Any:
    from torchkeras_compat.compat.facades import faced

    class Mine(faced(layers.Dense, "tf.keras", "tensorflow.keras.layers")):  # type: ignore[misc]
        pass

    Mine.__qualname__ = "Mine"
    return Mine


Mine = _make()
