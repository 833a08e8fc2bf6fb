"""Pictures brought to one size: what the golden values do not say."""

from __future__ import annotations

import numpy as np
import pytest

import torchkeras_compat as keras

# `Resizing(3, 3, method)` of the squares of 0 to 8, the first row, by Keras 2.15: in calls and in `predict` alike.
FIRST_ROWS = {
    "gaussian": [1.2772849798202515, 3.0010573863983154, 6.06039571762085],
    "mitchellcubic": [0.6089981198310852, 1.9934664964675903, 5.038064479827881],
    "bicubic": [0.0, 1.0, 4.0],
    "lanczos3": [0.0, 1.0, 4.0],
}


@pytest.mark.parametrize("method", FIRST_ROWS)
def test_pictures_of_the_size_wanted_already(method: str) -> None:
    x = np.arange(9, dtype="float32").reshape(1, 3, 3, 1) ** 2
    model = keras.Sequential([keras.Input((3, 3, 1)), keras.layers.Resizing(3, 3, method)])
    np.testing.assert_allclose(model.predict(x, verbose=0)[0, 0, :, 0], FIRST_ROWS[method], rtol=1e-6)
