"""Write the golden files with Keras 2.15, the oracle of every number in this package.

Keras 2.15 needs an environment of its own (Python 3.9 to 3.11), beside the one that the package runs in:

    python3.11 -m venv oracle
    oracle/bin/pip install tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'
    oracle/bin/python tests/golden/make_golden.py            # every family
    oracle/bin/python tests/golden/make_golden.py losses     # some families

The files go to `tests/golden/data/`, one a family; all of them take some ten minutes. The same environment writes the
same numbers again up to the last bits of float32. Cases are described in `tests/golden/cases/`; what is computed for
each of them in `tests/golden/make/`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the same numbers on every processor

import tensorflow as tf
from make import calls, cells, functions, layers, losses, optimizers, preprocessing, training
from make.runtime import Arrays, Spec, save

Family = Callable[[], Iterator[tuple[Spec, Arrays]]]

FAMILIES: dict[str, Family] = {
    "activations": functions.activations,
    "initializers": functions.initializers,
    "regularizers": functions.regularizers,
    "losses": losses.losses,
    "metrics": losses.metrics,
    "schedules": optimizers.schedules,
    "optimizers": optimizers.optimizers,
    "layers_core": layers.core,
    "layers_conv": layers.convolutional,
    "layers_transposed": layers.transposed,
    "layers_separable": layers.separable,
    "layers_local": layers.local,
    "layers_norm": layers.normalization,
    "layers_recurrent": layers.recurrent,
    "layers_cudnn": layers.for_cudnn,
    "layers_conv_lstm": layers.convolutional_recurrent,
    "layers_cells": cells.cells,
    "layers_calls": calls.calls,
    "layers_options": layers.options,
    "layers_spatial": layers.spatial,
    "layers_pointwise": layers.pointwise,
    "layers_scaling": layers.scaling,
    "preparing": preprocessing.preparing,
    "training": training.fits,
}


def main(names: list[str]) -> None:
    """Write the families named, or all of them."""
    unknown = sorted(set(names) - set(FAMILIES))
    if unknown:
        raise SystemExit(f"no such family: {', '.join(unknown)}; there are {', '.join(FAMILIES)}")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for name in names or list(FAMILIES):
        started = time.perf_counter()
        path = save(name, FAMILIES[name]())
        print(f"{name}: {path.stat().st_size / 1024:.0f} KiB in {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
