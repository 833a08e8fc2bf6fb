"""Write the values of `tensorflow_cases` that TensorFlow 2.15 gives: run in its environment, in this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_cases import run

found = {f"{i}.{j}": array for i, arrays in enumerate(run(tf)) for j, array in enumerate(arrays)}
np.savez_compressed(Path(__file__).parent / "tensorflow_values.npz", **found)
