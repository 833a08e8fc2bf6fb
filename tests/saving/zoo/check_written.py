"""Load under a Keras what `written.py` wrote, and note the files whose models compute and train the same there.

python -m tests.saving.zoo.check_written FOLDER      where that Keras is installed, at the root of the checkout
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.models.case import Case, leaves
from tests.saving.zoo.make_zoo import DATA, namespace
from tests.saving.zoo.models import STEPS, batch, cases, forget_states

ENDINGS = {"2": ".h5", "3": ".keras"}


def check(name: str, path: Path, keras: Any, arrays: Any) -> str:
    """Return what is wrong with a file, nothing where all is right."""
    case = cases()[name]
    try:
        model = keras.models.load_model(path, custom_objects=own_objects(case, keras))
        x, _ = batch(case, 0)
        for i, output in enumerate(leaves(model.predict_on_batch(x))):
            difference = float(np.abs(np.asarray(output) - arrays[f"{name}/y/{i}"]).max())
            if not difference < 1e-5 * max(1.0, float(np.abs(arrays[f"{name}/y/{i}"]).max())):
                return f"predictions differ by {difference}"
        if f"{name}/losses" in arrays:
            forget_states(model)
            if type(model.optimizer).__name__ == "Nadam" and path.suffix == ".h5":
                mend_nadam(model)
            losses = [np.ravel(model.train_on_batch(*batch(case, number)))[0] for number in range(STEPS)]
            if not np.allclose(losses, arrays[f"{name}/losses"], rtol=2e-4, atol=1e-5, equal_nan=True):
                return f"losses {losses} instead of {arrays[f'{name}/losses'].tolist()}"
    except Exception as error:  # whatever Keras has to say
        return f"{type(error).__name__}: {str(error)[:300]}"
    return ""


def own_objects(case: Case, keras: Any) -> dict[str, Any]:
    """Return the user's classes and functions in a case by name, as who loads a file of it supplies them."""
    built = case.build(keras)
    layers = (built["model"] if isinstance(built, dict) else built)._flatten_layers()
    supplied: dict[str, Any] = {}
    for layer in layers:
        supplied[type(layer).__name__] = type(layer)
        if isinstance(layer, keras.layers.Lambda):
            supplied[layer.function.__name__] = layer.function
    functions = (part for part in leaves(case.compile_arguments(keras)) if callable(part) and hasattr(part, "__name__"))
    supplied |= {function.__name__: function for function in functions}
    keras.backend.clear_session()
    return {name: item for name, item in supplied.items() if not item.__module__.startswith("keras.")}


def mend_nadam(model: Any) -> None:
    """Set what Keras 2.15 forgets of Nadam in every file, its own too: the product of the momenta of the steps before.

    It counts those steps beside, and multiplies once for each weight where the count is wrong, as it is compiled.
    """
    momenta = [model.optimizer.beta_1 * (1 - 0.5 * 0.96 ** (number + 1)) for number in range(STEPS)]
    model.optimizer._u_product.assign(np.prod(momenta))
    model.optimizer._u_product_counter = STEPS + 1
    model.run_eagerly = True


def main() -> None:
    keras, version = namespace()
    folder = Path(sys.argv[1])
    prints = json.loads((folder / "fingerprints.json").read_text())
    with np.load(folder / "expected.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    ending = ENDINGS[version[0]]
    target = DATA / "read_by_keras.json"
    notes = json.loads(target.read_text()) if target.exists() else {}
    noted = notes.setdefault("keras_" + "_".join(version.split(".")[:2]), {"read": {}, "not read": {}})
    read, wrong = noted["read"], noted["not read"]
    for name in cases():
        path = folder / f"{name}{ending}"
        if not path.exists() or read.get(path.name) == prints[path.name]:
            continue  # what was read before is not read again: a run that is broken off goes on
        read.pop(path.name, None)
        wrong.pop(name, None)
        if problem := check(name, path, keras, arrays):
            wrong[name] = problem
        else:
            read[path.name] = prints[path.name]
        target.write_text(json.dumps(notes, indent=1, sort_keys=True) + "\n")
        print(path.name, problem or "is read", flush=True)
    print(len(read), "read;", len(wrong), "not:", json.dumps(wrong, indent=1))


if __name__ == "__main__":
    main()
