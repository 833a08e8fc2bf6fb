"""The models of the zoo: chains around every layer and graphs of the golden cases, each with one of the optimizers."""

from __future__ import annotations

import zlib
from typing import Any

from tests.golden.models.case import Case, map_tree
from tests.golden.models.cases import FAMILIES

from . import layer_models

GRAPHS = ("branches", "heads", "masks", "nested", "seq2seq", "wrappers", "attention", "penalties")
OPTIMIZERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    ("RMSprop", {"rho": 0.8, "momentum": 0.5}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adadelta", {"learning_rate": 0.5}),
    ("Adam", {"epsilon": 1e-3}),
    ("Adam", {"amsgrad": True, "clipnorm": 1.0}),
    ("AdamW", {"weight_decay": 0.01}),
    ("Adamax", {}),
    ("Nadam", {}),
    ("Ftrl", {"l1_regularization_strength": 0.01}),
    ("Lion", {}),
    ("SGD", {"clipvalue": 0.5}),
)
STEPS = 3  # batches that are trained on before the file is written, and as many afterwards


def cases() -> dict[str, Case]:
    """Return all cases by name."""
    chains = {f"layer-{name}": layer_models.case(name) for name in layer_models.CHAINS}
    graphs = {
        f"{family}-{case.name}": case
        for family in GRAPHS
        for case in FAMILIES[family]
        if not case.steps and case.sample_weight is None
    }
    return {**chains, **graphs}


def optimizer(name: str, keras: Any) -> Any:
    """Return the optimizer of a model."""
    cls, options = OPTIMIZERS[zlib.crc32(name.encode()) % len(OPTIMIZERS)]
    return getattr(keras.optimizers, cls)(**options)


def build(name: str, case: Case, keras: Any) -> Any:
    """Return the model of a case, compiled, its weights drawn anew."""
    keras.backend.clear_session()
    built = case.build(keras)
    model = built["model"] if isinstance(built, dict) else built
    if not model.built:
        model(batch(case, 0)[0])
    random = case.random("zoo")
    model.set_weights([drawn(array, random) for array in model.get_weights()])
    made = optimizer(name, keras)
    # Compiled, Nadam of Keras 2.15 multiplies the product of its momenta once for each weight.
    eager = {"run_eagerly": True} if type(made).__name__ == "Nadam" else {}
    model.compile(optimizer=made, **eager, **case.compile_arguments(keras))
    return model


def drawn(array: Any, random: Any) -> Any:
    """Return other numbers of the shape and type of an array, all positive for the sake of variances."""
    if array.dtype.kind != "f":
        return array
    return random.uniform(0.03, 0.3, array.shape).astype(array.dtype)


def batch(case: Case, number: int) -> tuple[Any, Any]:
    """Return a batch of a case, the first again behind the last."""
    whole = max(case.rows // case.batch, 1)
    start = number % whole * case.batch

    def part(array: Any) -> Any:
        return array[start : start + case.batch]

    return map_tree(part, case.draw("x")), map_tree(part, case.draw("y"))


def forget_states(model: Any) -> None:
    """Let stateful layers begin anew, as they do in a model that was loaded."""
    for layer in model.layers:
        forget = getattr(layer, "reset_states", None) or getattr(layer, "reset_state", None)
        if forget is not None and getattr(layer, "stateful", False):
            forget()


def is_random(model: Any) -> bool:
    """Tell whether training draws random numbers, so that no two runs are the same."""
    return any(word in str(model.get_config()) for word in RANDOM)


RANDOM = ("Dropout", "Gaussian", "Random", *(f"dropout': 0.{digit}" for digit in range(1, 10)))
