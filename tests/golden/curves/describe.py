"""A random model and how it is trained, as plain data: a function of the seed, without any library.

Three in four are chains, built as a Sequential or by calls; the others branch: two inputs, two outputs, a sum around
a layer, one layer called twice, attention between two sequences, a state handed from one recurrent layer to another.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from . import branches
from .draws import Draw, Options
from .graph import Graph
from .heads import Head, head
from .optimizer_draws import optimizer

Description = dict[str, Any]
STEPS = 40
COUNTS = {"tf.keras": 200, "keras-2.15": 50}  # how many models the golden files have


def describe(seed: int, dialect: str = "tf.keras") -> Description:
    """Return the description that belongs to a seed and a dialect."""
    r = Draw(seed, {"tf.keras": 1, "keras-2.15": 2}[dialect])
    graph = Graph(r, legacy=dialect == "tf.keras")
    ends = r.one(branches.BRANCHING)(graph) if r.chance(0.25) else branches.chain(graph)
    heads = []
    for i, end in enumerate(ends):
        drawn = head(r, graph.shape(end))
        name, options = drawn.layer
        heads.append((graph.add(name, options, end, drawn.shape, name=f"out{i}"), drawn))
    sequential = graph.is_chain() and r.chance(0.6)
    if sequential and r.chance(0.3):
        graph.keep_state()
    feed = _feed(r, graph, heads)
    return {
        "seed": seed,
        "dialect": dialect,
        "kind": "sequential" if sequential else "functional",
        "batch_size": feed["batch"] if graph.has("stateful") else None,
        "inputs": graph.inputs,
        "nodes": graph.nodes,
        "outputs": [node for node, _ in heads],
        "targets": [drawn.target | {"shape": list(drawn.shape)} for _, drawn in heads],
        "compile": _compile(r, heads, dialect),
        "feed": feed,
    }


def digest(description: Description) -> str:
    """Return a short mark of what a description says."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:16]


def _compile(r: Draw, heads: list[tuple[str, Head]], dialect: str) -> Options:
    """Draw the arguments of compile; several outputs get lists or dictionaries."""
    told: Options = {"optimizer": optimizer(r, dialect)}
    metrics = [_named_once(r.some(one.metrics, 3)) if r.chance(0.75) else [] for _, one in heads]
    weighted = [_named_once(r.some(_weighable(one), 2)) if r.chance(0.2) else [] for _, one in heads]
    if len(heads) == 1:
        loss = heads[0][1].loss
        told["loss"] = loss if r.chance(0.9) else r.one([[loss], {heads[0][0]: loss}])
        if r.chance(0.08):
            told["loss_weights"] = [r.number(0.3, 2)]
        told |= {"metrics": metrics[0]} if metrics[0] else {}
        told |= {"weighted_metrics": weighted[0]} if weighted[0] else {}
        return told
    by_name = r.chance(0.5)

    def told_as(values: list[Any]) -> Any:
        return {name: value for (name, _), value in zip(heads, values)} if by_name else values

    told["loss"] = told_as([one.loss for _, one in heads])
    if r.chance(0.6):
        told["loss_weights"] = told_as([r.number(0.3, 2) for _ in heads])
    if any(metrics):
        told["metrics"] = told_as(metrics)
    if any(weighted):
        told["weighted_metrics"] = told_as(weighted)
    return told


def _named_once(metrics: list[Any]) -> list[Any]:
    """Drop metrics of a name that another one has, which Keras refuses."""
    named: dict[str, Any] = {}
    for metric in metrics:
        told = metric if isinstance(metric, str) else metric.get("name") or metric.get("$ref") or metric["$"]
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", told.rpartition(".")[2]).lower()
        named.setdefault({"log_cosh_error": "logcosh"}.get(name, name), metric)
    return list(named.values())


def _weighable(one: Head) -> list[Any]:
    """Return the metrics that Keras computes with weights too."""
    if len(one.shape) > 1:
        return [metric for metric in one.metrics if isinstance(metric, str)]
    refused = ("metrics.F1Score", "metrics.FBetaScore")
    return [metric for metric in one.metrics if not (isinstance(metric, dict) and metric.get("$") in refused)]


def _feed(r: Draw, graph: Graph, heads: list[tuple[str, Head]]) -> Options:
    """Draw how batches are handed over: forty steps of `fit` or of `train_on_batch`, with weights and validation."""
    per_epoch, batch = r.one([4, 5, 8, 10]), r.integer(3, 6)
    stateful = graph.has("stateful")
    short = r.integer(0, batch - 1) if r.chance(0.4) and not stateful else 0
    feed: Options = {
        "how": r.one(["fit", "fit", "train_on_batch"]),
        "rows": batch * per_epoch - short,
        "batch": batch,
        "epochs": STEPS // per_epoch,
        "hook": r.chance(0.6),
    }
    if len(heads) > 1 or len(graph.inputs) > 1:
        feed["by_name"] = r.chance(0.5)
    weights = [_sample_weight(r, one) if r.chance(0.35) else None for _, one in heads]
    if any(weights) and (len(weights) == 1 or all(weights) or feed["by_name"]):
        feed["sample_weight"] = weights
    elif len(heads) == 1 and heads[0][1].classes and r.chance(0.4):
        feed["by_name"] = False  # Keras takes class_weight for an array alone
        feed["class_weight"] = {str(c): r.number(0.2, 3) for c in range(heads[0][1].classes)}
    if feed["how"] == "fit":
        kind = r.random.uniform()
        feed |= {"validation": "data"} if kind < 0.3 else {"validation": "split"} if kind < 0.4 else {}
        if stateful and feed.get("validation") == "split":
            feed.pop("validation")
        if "validation" in feed and r.chance(0.15):
            feed["validation_freq"] = 2
        feed["source"] = r.one(["arrays", "arrays", "arrays", "generator", "sequence"])
        if feed["source"] != "arrays":
            feed = {key: value for key, value in feed.items() if not key.startswith("validation")}
    else:
        feed["reset_metrics"] = r.chance(0.6)
        feed["return_dict"] = r.chance(0.3)
    return feed


def _sample_weight(r: Draw, one: Head) -> Options:
    """Draw weights of samples, or of steps where the output is a sequence, or of points of an image."""
    if len(one.shape) == 3:
        return {"kind": "weight", "shape": list(one.shape[:-1])}
    flat = one.target.get("flat", False)
    lead = list(one.shape[:1]) if len(one.shape) == 2 and r.chance(0.5) and not flat else []
    return {"kind": "weight", "shape": lead}
