"""Weights and pictures for the networks, drawn by numpy, and what a network makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

# Small pictures, so that a test takes no second; a head of its own class count where the network has one.
CASES: list[tuple[str, dict[str, Any]]] = [
    ("VGG16", {"include_top": False, "input_shape": (32, 32, 3), "pooling": "avg"}),
    ("ResNet50", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("ResNet50V2", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("InceptionV3", {"classes": 5, "input_shape": (96, 96, 3)}),
    ("Xception", {"classes": 5, "input_shape": (75, 75, 3)}),
    ("MobileNet", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("MobileNetV2", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("DenseNet121", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("EfficientNetB0", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("MobileNetV3Small", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("InceptionResNetV2", {"classes": 5, "input_shape": (75, 75, 3)}),
    ("NASNetMobile", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("EfficientNetV2B0", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("EfficientNetV2S", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("ConvNeXtTiny", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("ResNetRS50", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("RegNetX002", {"classes": 5, "input_shape": (64, 64, 3)}),
    ("RegNetY002", {"classes": 5, "input_shape": (64, 64, 3)}),
]


def weights(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Return one array for each weight, of a size that neither dies out nor explodes over many layers."""
    rng = np.random.RandomState(7)
    drawn = []
    for shape in shapes:
        if len(shape) == 1:  # scales, shifts, averages, and variances, which are positive
            drawn.append(rng.uniform(0.6, 1.4, shape))
        elif len(shape) == 0:
            drawn.append(np.zeros(shape))
        else:
            drawn.append(rng.randn(*shape) * np.sqrt(2 / np.prod(shape[:-1])))
    return [array.astype("float32") for array in drawn]


def outputs(model: Any) -> np.ndarray:
    """Return what the network computes with weights of `weights` from two pictures, and leave it with them."""
    model.set_weights(weights([tuple(w.shape) for w in model.get_weights()]))
    pictures = np.random.RandomState(8).uniform(0, 255, (2, *model.input_shape[1:])).astype("float32")
    return np.asarray(model.predict(pictures, verbose=0), "float64")
