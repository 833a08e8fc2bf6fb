"""Write `data/function_graphs_keras_2_15.zip`: functions of tensors in graphs, as Keras 2.15 writes them.

    python -m tests.saving.make_function_graphs     at the root of the checkout, where Keras 2.15 is installed

Of each expression of `function_graphs.py` it has `N.json`, the configuration, and `N.npy`, what the model predicts.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tests.saving.function_graphs import EXPRESSIONS, build, feed

TARGET = Path(__file__).resolve().parent / "data" / "function_graphs_keras_2_15.zip"


def main() -> None:
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED) as out:
        for number, expression in enumerate(EXPRESSIONS):
            keras.backend.clear_session()
            model = build(expression, keras, tf)
            array = io.BytesIO()
            np.save(array, model.predict(feed(), verbose=0))
            out.writestr(f"{number}.json", model.to_json())
            out.writestr(f"{number}.npy", array.getvalue())


if __name__ == "__main__":
    main()
