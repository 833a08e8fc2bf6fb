"""Models and files that several tests of weights use."""

from __future__ import annotations

from typing import Any

import numpy as np

import torchkeras_compat as tk

Dense = tk.layers.Dense


def small(units: int = 3, names: tuple[str, str] = ("first", "second"), inputs: int = 4) -> tk.Sequential:
    return tk.Sequential([Dense(units, input_dim=inputs, name=names[0]), Dense(2, name=names[1])])


def same(left: Any, right: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def fill(root: Any, layers: dict[str, dict[str, Any]], backend: str = "tensorflow") -> None:
    """Write a weight file by hand."""
    root.attrs["layer_names"] = [name.encode() for name in layers]
    root.attrs["backend"], root.attrs["keras_version"] = backend.encode(), b"2.3.1"
    for name, weights in layers.items():
        place = root.require_group(name)
        place.attrs["weight_names"] = [weight.encode() for weight in weights]
        for weight, value in weights.items():
            if value is not None:
                place.create_dataset(weight, data=value)
