"""Write down what Keras 3.15 computes of configurations that this package wrote for it.

    KERAS_BACKEND=torch PYTHONPATH=. keras3/bin/python tests/golden/configs/make_keras3_answers.py

Both packages are loaded: each model of `table.py` is built here, `for_keras_3` writes its configuration, Keras 3 reads
that, gets the same weights and predicts.  `data/written-for-keras-3.15.json.gz` has, by the name of the model, the
configuration as it was written, the problems, and the outputs of Keras 3.  A model that Keras 3 computes otherwise, or
does not load, fails this script, unless problems were told; one with problems must be refused.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
from configs import answers, functions
from configs.table import all_models
from configs.writing import COMPILED, WEIGHTS, compiled, evaluated, small_model, written
from models.cases import FAMILIES

# What only a user's classes and functions make whole, as it stands in a configuration.
USERS = ('"module": null', '"class_name": "function"')
# Models whose masks are numbers from 0 to 3, of which Keras 3 takes any but 0 for true.
WHOLE_NUMBERS = (
    "multi_head_attention_masked",
    "attention/heads_with_all_arguments",
    "attention/heads_over_the_second_axis",
)
LOOSER = {"frozen_and_mixed": 0.02}  # a sum in bfloat16 ends in another last bit
# What Keras 3 cannot do with a model of its own making either.
FAILS_ITSELF = {
    "nested/layers_of_one_name_in_two_models": "it is not built",
    "rms_normalization": "there is none here",
    "layer_normalization_axes": "its kernel for torch takes the last axes only",
    "wrappers/bidirectional_with_a_backward_layer": "it builds the second layer for another size",
    "integer_lookup": "it needs TensorFlow",
}
DATA = Path(__file__).resolve().parent / "data"


def entry(name: str, build: Any) -> dict[str, Any] | None:
    """Return what is stored of a model, `None` where it cannot be built or written here at all."""
    model, config, problems = written(build)
    stored: dict[str, Any] = {"written": config, "problems": [str(problem) for problem in problems]}
    keras.backend.clear_session()
    try:
        with keras.src.saving.serialization_lib.ObjectSharingScope():
            read = keras.models.model_from_json(json.dumps(config))
    except Exception as error:
        told = str(error)
        stored["users"] = any(sign in json.dumps(config) for sign in USERS)
        if stored["users"] or any(problem.layer in told or "torchkeras_compat" in told for problem in problems):
            return stored
        raise
    if problems:
        raise ValueError(f"Keras 3 loads it, though {problems[0]}")
    here = answers.answer(model)
    there = answers.answer(read, *answers.like(here, read))
    if name in WHOLE_NUMBERS:
        return stored
    for ours, theirs in zip(here["outputs"], there["outputs"]):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=LOOSER.get(name, 2e-5))
    return {**stored, "outputs": there["outputs"]}


def compile_entry(name: str) -> dict[str, Any]:
    """Return what is stored of a way to compile."""
    _, config, problems, here = compiled(name)
    assert not problems, problems
    model = small_model(keras, name)
    model.compile_from_config(json.loads(json.dumps(config)))
    model.set_weights(WEIGHTS)
    there = evaluated(model)
    np.testing.assert_allclose(here, there, rtol=1e-3, atol=1e-4)
    return {"written": config, "evaluated": there}


def main(only: list[str]) -> None:
    """Write the file, or try the models named."""
    stored, failed = {}, []
    for name, build in (*all_models(FAMILIES), *functions.models()):
        if (only and name not in only) or name in FAILS_ITSELF:
            continue
        try:
            stored[name] = entry(name, build)
        except Exception as error:
            failed.append(name)
            print(f"{name}: {type(error).__name__}: {str(error)[:600]}", flush=True)
    compiled_as = {}
    for name in COMPILED:
        try:
            compiled_as[name] = compile_entry(name)
        except Exception as error:
            failed.append(name)
            print(f"{name}: {type(error).__name__}: {str(error)[:600]}", flush=True)
    stored = {"models": stored, "compiled": compiled_as}
    print(len(stored["models"]), "models", len(failed), "failed")
    if not only:
        text = json.dumps(stored, sort_keys=True, indent=0)
        with gzip.GzipFile(DATA / "written-for-keras-3.15.json.gz", "wb", mtime=0) as file:
            file.write(text.encode())


if __name__ == "__main__":
    main(sys.argv[1:])
