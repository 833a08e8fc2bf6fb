"""Golden numbers of optimizers and learning-rate schedules."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from cases import optimizers as table

from .models import build, listed, randomise, train
from .runtime import Arrays, Spec, floats, resolve, rng_for

BATCH, STEPS = 8, 50

STACKS = {
    "dense": [["Dense", {"units": 6, "activation": "tanh", "input_shape": [5]}], ["Dense", {"units": 3}]],
    "embedding": [
        ["Embedding", {"input_dim": 12, "output_dim": 3, "input_length": 4}],
        ["Flatten", {}],
        ["Dense", {"units": 3}],
    ],
}


def _data(kind: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.RandomState(5)
    if kind == "dense":
        return floats(rng, 5 * BATCH, 5), floats(rng, 5 * BATCH, 3)
    # each batch draws its tokens from five neighbouring rows: some repeat, others rest, row 11 is never touched
    tokens = np.concatenate([rng.randint(2 * i, min(2 * i + 5, 11), (BATCH, 4)) for i in range(5)])
    return tokens.astype("int32"), floats(rng, 5 * BATCH, 3)


def optimizers() -> Iterator[tuple[Spec, Arrays]]:
    """Fifty steps of each optimizer: the losses and the final weights."""
    for spec in table.CASES:
        x, y = _data(spec["model"])
        stack = STACKS[spec["model"]]
        model = build(stack, spec["dialect"])
        start = randomise(model, rng_for(spec))
        eager = {"run_eagerly": True} if _counts_in_python(spec) else {}
        model.compile(optimizer=resolve(spec["optimizer"], spec["dialect"]), loss="mse", **eager)
        if spec["via"] == "fit":
            history = model.fit(x, y, batch_size=BATCH, epochs=STEPS // 5, shuffle=False, verbose=0)
            curve = np.array(history.history["loss"], "float32")
        else:
            curve = train(model, x, y, BATCH, STEPS)
        arrays = {"x": x, "y": y, "curve": curve} | listed("start", start) | listed("end", model.get_weights())
        yield {**spec, "stack": stack, "batch": BATCH, "steps": STEPS, "weights": len(start)}, arrays


def _counts_in_python(spec: Spec) -> bool:
    """Name the newer Nadam: traced, its counter in Python stands still and its product shrinks once a weight."""
    return bool(spec["dialect"] == "keras-2.15" and spec["optimizer"]["$"] == "optimizers.Nadam")


def schedules() -> Iterator[tuple[Spec, Arrays]]:
    """Values of each schedule over a range of steps."""
    steps = np.concatenate([np.arange(0, 61), [75, 100, 250, 1000]])
    for spec in table.SCHEDULE_CASES:
        schedule = resolve(spec["schedule"], spec["dialect"])
        yield spec, {"steps": steps, "values": np.array([float(schedule(int(s))) for s in steps])}
