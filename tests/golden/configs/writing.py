"""What this package writes for Keras 3, model by model."""

from __future__ import annotations

import json
from typing import Any

import torchkeras_compat as tk
from torchkeras_compat.saving.keras3_form import for_keras_3

DIALECT = "keras-2.15"


def written(build: Any) -> tuple[Any, dict[str, Any], list[Any]]:
    """Return a model, its configuration in the form of Keras 3, and what that cannot express.

    Args:
        build: The function that builds the model.
    """
    tk.set_dialect(DIALECT)
    tk.backend.clear_session()
    model = build(tk)
    model = model["model"] if isinstance(model, dict) else model
    config, problems = for_keras_3(tk.layers.serialize(model))
    return model, json.loads(json.dumps(config)), problems
