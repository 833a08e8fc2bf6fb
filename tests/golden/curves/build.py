"""Making what a description says, in Keras 2.15 or in this package, and seeing how it trains.

Arrays and weights are drawn from the seed by numpy, so that neither library is asked for them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .describe import STEPS, Description
from .draws import Options

Keras = Any  # the namespace: Keras 2.15 or this package
SHOWN = 3  # samples whose predictions are kept


def stream(description: Description, purpose: str) -> np.random.RandomState:
    """Return the random numbers of a description for a purpose."""
    return np.random.RandomState([description["seed"], zlib.crc32(purpose.encode())])


# Functions of Lambda layers and losses, of the namespace's backend


def functions(keras: Keras) -> dict[str, Callable[..., Any]]:
    """Return the functions that descriptions name, for a namespace."""
    K = keras.backend
    return {
        "square": lambda x: K.square(x) * 0.5,
        "cube": lambda x: x - x**3 / 10.0,
        "soft_abs": lambda x: K.sqrt(K.square(x) + 0.1),
        "l2_normalize": lambda x: K.l2_normalize(x, axis=-1),
        "scaled_tanh": lambda x: 1.5 * K.tanh(x / 2.0),
        "clip": lambda x: K.clip(x, -0.8, 0.9),
        "centre": lambda x: x - K.mean(x, axis=-1, keepdims=True),
        "log_exp": lambda x: K.log(1.0 + K.exp(-x)) + K.maximum(x, 0.1),
        "where_positive": lambda x: K.switch(K.greater(x, 0.0), x, 0.3 * x),
        "without_first": lambda x: x[..., 1:],
        "doubled": lambda x: K.concatenate([x, K.sin(x)], axis=-1),
        "affine": lambda x, scale=1.0, shift=0.0: x * scale + shift,
        "own_loss": lambda y, p: K.mean(K.sqrt(K.square(y - p) + 0.01), axis=-1),
    }


class Builder:
    """Makes the objects of a description in a namespace.

    Args:
        keras: The namespace.
        optimizers: Where its optimizers are.
    """

    def __init__(self, keras: Keras, optimizers: Any = None) -> None:
        self.keras = keras
        self.optimizers = optimizers or keras.optimizers
        self.functions = functions(keras)

    def resolve(self, value: Any, tuples: bool = True) -> Any:
        """Make what a part of a description says; lists of numbers become tuples, but for those of metrics."""
        if isinstance(value, dict):
            return self._resolve_dict(value)
        if isinstance(value, list):
            items = [self.resolve(item, tuples) for item in value]
            numbers = items and all(isinstance(item, (int, float, tuple)) for item in items)
            return tuple(items) if numbers and tuples else items
        return value

    def _resolve_dict(self, value: Options) -> Any:
        if "$fn" in value:
            return self.functions[value["$fn"]]
        if "$array" in value:
            seed, *shape = value["$array"]
            return np.random.RandomState(seed).uniform(-0.6, 0.6, shape).astype("float32")
        if "$ref" in value:
            return self._find(value["$ref"])
        tuples = not value.get("$", "").startswith(("metrics.", "optimizers."))
        made = {key: self.resolve(item, tuples) for key, item in value.items() if key != "$"}
        return self._find(value["$"])(**made) if "$" in value else made

    def _find(self, path: str) -> Any:
        parts = path.split(".")
        where = self.keras
        if parts[0] == "optimizers" and parts[1] != "schedules":
            where, parts = self.optimizers, parts[1:]
        elif path == "layers.Sequential":
            parts = ["Sequential"]
        for part in parts:
            where = getattr(where, part)
        return where

    def layer(self, node: Options) -> Any:
        """Make the layer of a node, under the node's name."""
        return self.resolve({"$": f"layers.{node['layer']}", **node["options"], "name": node["name"]})

    def model(self, description: Description) -> Any:
        """Build the model of a description, with the weights of its seed."""
        made = self._sequential(description) if description["kind"] == "sequential" else self._functional(description)
        told = {node["name"] for node in description["nodes"] if "weights" in node.get("options", {})}
        for layer in made.layers:
            if layer.name in told:
                continue
            names = [weight.name for weight in layer.weights]
            shapes = [tuple(value.shape) for value in layer.get_weights()]
            layer.set_weights(draw_weights(names, shapes, stream(description, f"weights {layer.name}")))
        return made

    def _input(self, one: Options, batch_size: int | None) -> Any:
        told = {"name": one["name"], "dtype": one.get("dtype", "float32"), "batch_size": batch_size}
        return self.keras.Input(shape=tuple(one["shape"]), **told)

    def _sequential(self, description: Description) -> Any:
        model = self.keras.Sequential()
        model.add(self._input(description["inputs"][0], description["batch_size"]))
        for node in description["nodes"]:
            model.add(self.layer(node))
        return model

    def _functional(self, description: Description) -> Any:
        inputs = [self._input(one, description["batch_size"]) for one in description["inputs"]]
        tensors: dict[str, Any] = {one["name"]: [made] for one, made in zip(description["inputs"], inputs)}
        layers: dict[str, Any] = {}

        def tensor(name: Any) -> Any:
            if isinstance(name, list):
                return [tensor(one) for one in name]
            node, _, index = name.lstrip("@").partition(":")
            return tensors[node][int(index or 0)]

        for node in description["nodes"]:
            layers[node["name"]] = layers[node["again"]] if "again" in node else self.layer(node)
            told = {k: v if isinstance(v, bool) else tensor(v) for k, v in node["call"].items()}
            result = layers[node["name"]](tensor(node["inputs"]), **told)
            tensors[node["name"]] = list(result) if isinstance(result, (list, tuple)) else [result]
        outputs = [tensor(name) for name in description["outputs"]]
        alone = len(inputs) == len(outputs) == 1
        return self.keras.Model(*((inputs[0], outputs[0]) if alone else (inputs, outputs)))


def draw_weights(names: list[str], shapes: list[tuple[int, ...]], rng: np.random.RandomState) -> list[np.ndarray]:
    """Draw weights of a size that keeps outputs near 1; variances, gammas and slopes stay positive."""
    drawn = []
    for name, shape in zip(names, shapes):
        if "variance" in name or "gamma" in name:
            value = rng.uniform(0.5, 1.5, shape)
        elif "alpha" in name:
            value = rng.uniform(0.1, 0.4, shape)
        else:
            value = rng.standard_normal(shape) * (0.2 if len(shape) < 2 else 1 / np.sqrt(np.prod(shape[:-1])))
            if "embeddings" in name:
                value = rng.standard_normal(shape) * 0.6
        drawn.append(value.astype("float32"))
    return drawn


# Arrays


def draw_array(told: Options, rows: int, rng: np.random.RandomState) -> np.ndarray:
    """Draw an array that a description tells of."""
    shape = (rows, *told["shape"])
    values = DRAWN[told["kind"]](told, shape, rng).astype(told.get("dtype", "float32"))
    if told.get("column"):
        values = values[..., None]
    return values[..., 0] if told.get("flat") and values.shape[-1] == 1 else values


def _lengths(shape: tuple[int, ...], rng: np.random.RandomState) -> np.ndarray:
    return np.arange(shape[1])[None] < rng.randint(1, shape[1] + 1, shape[0])[:, None]


def _tokens(told: Options, shape: tuple[int, ...], rng: np.random.RandomState) -> np.ndarray:
    words = rng.randint(1, told["words"], shape)
    if told["holes"]:
        kept = rng.uniform(size=shape) < 0.7
        kept[:, 0] = True
        return np.asarray(words * kept)
    return np.asarray(words * _lengths(shape, rng))


def _weight(told: Options, shape: tuple[int, ...], rng: np.random.RandomState) -> np.ndarray:
    weights = rng.uniform(0, 2, shape)
    weights.reshape(-1)[::7] = 0
    return weights


DRAWN: dict[str, Callable[[Options, tuple[int, ...], np.random.RandomState], np.ndarray]] = {
    "real": lambda told, shape, rng: rng.standard_normal(shape),
    "uniform": lambda told, shape, rng: rng.uniform(0, 1, shape),
    "away": lambda told, shape, rng: rng.uniform(0.5, 2, shape),
    "positive": lambda told, shape, rng: rng.uniform(0, 3, shape),
    "counts": lambda told, shape, rng: rng.poisson(1.0, shape),
    "bits": lambda told, shape, rng: rng.randint(0, 2, shape),
    "signs": lambda told, shape, rng: rng.randint(0, 2, shape) * 2 - 1,
    "onehot": lambda told, shape, rng: np.eye(told["classes"])[rng.randint(0, told["classes"], shape[:-1])],
    "classes": lambda told, shape, rng: rng.randint(0, told["classes"], shape[:-1]),
    "tokens": _tokens,
    "padded": lambda told, shape, rng: np.where(
        _lengths(shape, rng)[..., None], rng.standard_normal(shape), told["value"]
    ),
    "weight": _weight,
}


class Data:
    """The arrays of a description, as fit takes them.

    Args:
        description: Which.
        purpose: "" for training; another for validation.
        rows: How many samples.
    """

    def __init__(self, description: Description, purpose: str, rows: int) -> None:
        feed = description["feed"]
        weights = feed.get("sample_weight")

        def drawn(what: str, told: list[Options]) -> list[np.ndarray]:
            return [draw_array(one, rows, stream(description, f"{what}{i}{purpose}")) for i, one in enumerate(told)]

        def tree(arrays: list[np.ndarray], names: list[str]) -> Any:
            if feed.get("by_name"):
                return dict(zip(names, arrays))
            return arrays[0] if len(arrays) == 1 else arrays

        self.x = tree(drawn("x", description["inputs"]), [one["name"] for one in description["inputs"]])
        self.y = tree(drawn("y", description["targets"]), description["outputs"])
        self.sample_weight = None
        if weights is not None:
            names = [name for name, told in zip(description["outputs"], weights) if told is not None]
            self.sample_weight = tree(drawn("w", [told for told in weights if told is not None]), names)

    def parts(self, start: int | None = None, stop: int | None = None) -> tuple[Any, ...]:
        """Return x, y and weights where there are some, of some samples."""
        every = (self.x, self.y) if self.sample_weight is None else (self.x, self.y, self.sample_weight)
        return tuple(_cut(one, start, stop) for one in every)


def validation_data(description: Description) -> Data:
    """Return the samples that the model of a description does not train on."""
    batch = description["feed"]["batch"]
    return Data(description, " validation", 2 * batch + (0 if description["batch_size"] else 1))


def _cut(tree: Any, start: int | None, stop: int | None) -> Any:
    if isinstance(tree, dict):
        return {name: array[start:stop] for name, array in tree.items()}
    return [array[start:stop] for array in tree] if isinstance(tree, list) else tree[start:stop]


# Training


def observe(
    builder: Builder, description: Description, change: Callable[[Any], None] | None = None, **compile_arguments: Any
) -> dict[str, np.ndarray]:
    """Train the model of a description forty steps; return losses, metrics and predictions by name.

    Args:
        builder: For which namespace.
        description: What to train.
        change: Called with the model before it trains.
        compile_arguments: Further arguments of compile.
    """
    builder.keras.backend.clear_session()
    model = builder.model(description)
    if change is not None:
        change(model)
    model.compile(**builder.resolve(description["compile"]), **compile_arguments)
    feed = description["feed"]
    data = Data(description, "", feed["rows"])
    train = _fit if feed["how"] == "fit" else _train_on_batch
    seen = train(builder.keras, model, description, data)
    test = validation_data(description)
    told = dict(zip(("x", "y", "sample_weight"), test.parts()))
    result = model.evaluate(**told, batch_size=feed["batch"], verbose=0, return_dict=True)
    seen |= {f"evaluate/{name}": np.asarray(value, "float32") for name, value in result.items()}
    predictions = model.predict(test.x, batch_size=feed["batch"], verbose=0)
    for i, array in enumerate(predictions if isinstance(predictions, list) else [predictions]):
        seen[f"predict/{i}"] = np.asarray(array[:SHOWN], "float32")
    return seen


def _fit(keras: Keras, model: Any, description: Description, data: Data) -> dict[str, np.ndarray]:
    feed = description["feed"]
    told: Options = {"epochs": feed["epochs"], "shuffle": False, "verbose": 0}
    if "class_weight" in feed:
        told["class_weight"] = _class_weight(feed)
    losses: list[float] = []
    if feed["hook"]:
        told["callbacks"] = [keras.callbacks.LambdaCallback(on_batch_end=lambda _, logs: losses.append(logs["loss"]))]
    if feed.get("validation") == "data":
        told["validation_data"] = validation_data(description).parts()
    elif feed.get("validation") == "split":
        told["validation_split"] = 0.2
    if "validation_freq" in feed:
        told["validation_freq"] = feed["validation_freq"]
    batches = [data.parts(i, i + feed["batch"]) for i in range(0, feed["rows"], feed["batch"])]
    if feed["source"] == "generator":
        told |= {"x": _endless(batches), "steps_per_epoch": len(batches)}
    elif feed["source"] == "sequence":
        told["x"] = _sequence(keras, batches)
    else:
        told |= {**dict(zip(("x", "y", "sample_weight"), data.parts())), "batch_size": feed["batch"]}
    history = model.fit(**told)
    seen = {f"history/{key}": np.array(values, "float32") for key, values in history.history.items()}
    return {**seen, "batches/loss": np.array(losses, "float32")} if losses else seen


def _train_on_batch(keras: Keras, model: Any, description: Description, data: Data) -> dict[str, np.ndarray]:
    feed = description["feed"]
    told: Options = {"reset_metrics": feed["reset_metrics"], "return_dict": feed["return_dict"]}
    if "class_weight" in feed:
        told["class_weight"] = _class_weight(feed)
    results = []
    for step in range(STEPS):
        start = step % (STEPS // feed["epochs"]) * feed["batch"]
        parts = data.parts(start, start + feed["batch"])
        results.append(model.train_on_batch(*parts, **told))
    if feed["return_dict"]:
        return {f"steps/{key}": np.array([one[key] for one in results], "float32") for key in results[0]}
    listed = [one if isinstance(one, (list, tuple)) else [one] for one in results]
    return {"steps": np.array([np.hstack([np.ravel(value) for value in one]) for one in listed], "float32")}


def _class_weight(feed: Options) -> dict[int, float]:
    return {int(label): weight for label, weight in feed["class_weight"].items()}


def _endless(batches: list[Any]) -> Iterator[Any]:
    while True:
        yield from batches


def _sequence(keras: Keras, batches: list[Any]) -> Any:
    class Batches(keras.utils.Sequence):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return len(batches)

        def __getitem__(self, index: int) -> Any:
            return batches[index]

    return Batches()
