"""Ways of putting layers together: chains, and models with branches."""

from __future__ import annotations

from collections.abc import Callable

from .draws import Draw, Drawer, Options, Shape, maybe_activation
from .graph import Graph
from .layers_dense import VECTOR
from .layers_sequence import MASKED, SEQUENCE, recurrent, time_distributed
from .layers_space import DOWN, IMAGE, VOLUME, flatten, masked_pooling, to_sequence

TABLES: dict[int, list[tuple[float, Drawer]]] = {
    1: VECTOR,
    2: SEQUENCE,
    3: [*IMAGE, (1.2, time_distributed)],
    4: VOLUME,
}


def source(graph: Graph, rank: int) -> str:
    """Add an input of a rank."""
    r = graph.r
    sizes = {1: [(2, 8)], 2: [(3, 7), (1, 5)], 3: [(3, 6), (3, 6), (1, 3)], 4: [(2, 4), (2, 4), (2, 4), (1, 2)]}[rank]
    shape = tuple(r.integer(*size) for size in sizes)
    return graph.input(shape, kind=r.one(["real", "real", "uniform"]))


def tokens(graph: Graph, steps: int | None = None) -> tuple[str, bool]:
    """Add sequences of words and their embedding; say whether a mask goes with it."""
    r = graph.r
    steps, words, width = steps or r.integer(3, 7), r.integer(4, 9), r.integer(2, 4)
    masked = r.chance(0.65)
    holes = masked and r.chance(0.2)
    at = graph.input((steps,), kind="tokens", words=words, dtype=r.one(["int32", "int64", "float32"]), holes=holes)
    options: Options = {"input_dim": words, "output_dim": width, "mask_zero": masked}
    if r.chance(0.2):
        options["embeddings_regularizer"] = {"$": "regularizers.L2", "l2": r.number(0.001, 0.02)}
    if r.chance(0.2) and not graph.legacy:
        options["embeddings_constraint"] = r.one(["non_neg", {"$": "constraints.MaxNorm", "max_value": 0.8, "axis": 1}])
    if r.chance(0.1):
        options["activity_regularizer"] = "l2"
    elif r.chance(0.15):
        options["weights"] = [{"$array": [r.integer(0, 99), words, width]}]
    return graph.add("Embedding", options, at, (steps, width)), masked


def padded(graph: Graph) -> tuple[str, bool]:
    """Add sequences that end in zeros, and a layer that masks those."""
    value = graph.r.one([0.0, 0.0, -1.0])
    at = graph.input((graph.r.integer(3, 7), graph.r.integer(1, 4)), kind="padded", value=value)
    return graph.add("Masking", {"mask_value": value}, at, graph.shape(at)), True


def indices(graph: Graph) -> str:
    """Add one index a sample and its embedding, flattened."""
    r = graph.r
    count, width = r.integer(3, 8), r.integer(2, 4)
    at = graph.input((1,), kind="tokens", words=count, dtype="int32", holes=False)
    at = graph.add("Embedding", {"input_dim": count, "output_dim": width}, at, (1, width))
    return graph.draw(at, [(1, flatten)])


def grow(graph: Graph, at: str, layers: int, masked: bool = False) -> str:
    """Add layers behind a node."""
    for _ in range(layers):
        rank = len(graph.shape(at))
        at = graph.draw(at, MASKED if masked and rank == 2 else TABLES[rank])
    return at


def down(graph: Graph, at: str, rank: int, masked: bool = False) -> str:
    """Reduce the rank of a node's output to `rank`."""
    table = DOWN
    while len(graph.shape(at)) > rank:
        now = len(graph.shape(at))
        if now == 2:
            table = [(3, recurrent), (1, masked_pooling)] if masked else [(2, recurrent), *DOWN]
        elif rank == 2:
            table = [(1, to_sequence)]
        at = graph.draw(at, table)
    return at


def trunk(graph: Graph, rank: int | None = None) -> str:
    """Add an input, and layers as far as an output of rank 1, or of the rank asked for."""
    r = graph.r
    kind = r.random.uniform()
    masked = False
    if kind < 0.25:
        at = source(graph, 1)
    elif kind < 0.5:
        at = source(graph, 2)
    elif kind < 0.62:
        at, masked = tokens(graph)
    elif kind < 0.7:
        at, masked = padded(graph)
    else:
        at = source(graph, 3 if kind < 0.93 else 4)
    at = grow(graph, at, r.integer(1, 3), masked)
    if rank is not None:
        at = down(graph, at, rank, masked)
        return at if len(graph.shape(at)) == rank else graph.draw(at, [(1, _as_steps)])
    if len(graph.shape(at)) == 4 or r.chance(0.6):
        at = down(graph, at, 1, masked)
        at = grow(graph, at, r.integer(0, 1))
    return down(graph, at, 3)


def _as_steps(r: Draw, shape: Shape) -> tuple[str, Options, Shape]:
    return "RepeatVector", {"n": 3}, (3, *shape)


def chain(graph: Graph) -> list[str]:
    """One input, one output; attention of a sequence to itself is one of the layers."""
    if graph.r.chance(0.06):
        return [attention_to_itself(graph)]
    return [trunk(graph)]


def _dense(graph: Graph, at: str, units: int) -> str:
    options = {"units": units, **maybe_activation(graph.r)}
    return graph.add("Dense", options, at, (*graph.shape(at)[:-1], units))


def merge(graph: Graph, first: str, second: str) -> str:
    """Join two outputs of rank 1."""
    r = graph.r
    name = r.one(["Concatenate", "Concatenate", "Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Dot"])
    if name == "Concatenate":
        size = graph.shape(first)[0] + graph.shape(second)[0]
        return graph.add(name, {"axis": r.one([-1, 1])}, [first, second], (size,))
    units = r.integer(2, 5)
    both = [_dense(graph, first, units), _dense(graph, second, units)]
    if name == "Dot":
        return graph.add(name, {"axes": r.one([1, -1, [1, 1]]), "normalize": r.chance(0.5)}, both, (1,))
    if name not in ("Subtract",) and r.chance(0.25):
        both.append(_dense(graph, second, units))
    return graph.add(name, {}, both, (units,))


def two_inputs(graph: Graph) -> list[str]:
    first = trunk(graph, 1)
    second = indices(graph) if graph.r.chance(0.25) else trunk(graph, 1)
    return [grow(graph, merge(graph, first, second), graph.r.integer(0, 1))]


def merged_sequences(graph: Graph) -> list[str]:
    """Two embeddings with masks, joined along features or added."""
    r = graph.r
    steps, units = r.integer(3, 6), r.integer(2, 4)
    first, second = (_dense(graph, tokens(graph, steps)[0], units) for _ in range(2))
    name = r.one(["Concatenate", "Add", "Multiply", "Average", "Maximum", "Minimum", "Dot"])
    if name == "Dot":
        options = {"axes": r.one([2, -1, 1]), "normalize": r.chance(0.3)}
        side = units if options["axes"] == 1 else steps
        at = graph.add(name, options, [first, second], (side, side))
        return [down(graph, at, 1)]
    at = graph.add(name, {}, [first, second], (steps, 2 * units if name == "Concatenate" else units))
    return [at if r.chance(0.3) else down(graph, at, 1, masked=True)]


def two_outputs(graph: Graph) -> list[str]:
    at = trunk(graph, graph.r.integer(1, 2))
    first = grow(graph, at, 1)
    second = grow(graph, at, graph.r.integer(0, 1))
    return [down(graph, first, 3), down(graph, second, 3)]


def two_of_both(graph: Graph) -> list[str]:
    first, second = trunk(graph, 1), trunk(graph, 1)
    return [merge(graph, first, second), grow(graph, second, 1) if graph.r.chance(0.5) else second]


def residual(graph: Graph) -> list[str]:
    """A sum around a layer or two."""
    r = graph.r
    at = source(graph, r.integer(1, 3))
    at = grow(graph, at, 1)
    shape = graph.shape(at)
    around = _dense(graph, at, r.integer(2, 5))
    around = _dense(graph, around, shape[-1])
    joined = graph.add(r.one(["Add", "Multiply", "Average", "Subtract"]), {}, [at, around], shape)
    return [down(graph, joined, 1)]


def one_layer_twice(graph: Graph) -> list[str]:
    """An encoder shared by two inputs, or a layer behind itself."""
    r = graph.r
    if r.chance(0.4):
        units = r.integer(2, 5)
        at = _dense(graph, source(graph, r.integer(1, 2)), units)
        node = _dense(graph, at, units)
        return [down(graph, graph.again(node, node, graph.shape(node)), 1)]
    first = source(graph, r.integer(1, 3))
    second = graph.input(graph.shape(first), kind="real")
    node = grow(graph, first, 1)
    other = graph.again(node, second, graph.shape(node))
    return [merge(graph, down(graph, node, 1), down(graph, other, 1))]


def attention(graph: Graph, query: str, value: str) -> str:
    """Let one sequence attend to another; both have as many features."""
    r = graph.r
    shape = graph.shape(query)
    if r.chance(0.5):
        options: Options = {"num_heads": r.integer(1, 3), "key_dim": r.integer(1, 3)}
        if r.chance(0.3):
            options["value_dim"] = r.integer(1, 3)
        if r.chance(0.3):
            options["output_shape"] = r.integer(2, 4)
        if r.chance(0.2):
            options["use_bias"] = False
        call = {"value": f"@{value}", **({"use_causal_mask": True} if r.chance(0.25) else {})}
        out = (*shape[:-1], options.get("output_shape", shape[-1]))
        return graph.add("MultiHeadAttention", options, query, out, **call)
    name = r.one(["Attention", "AdditiveAttention"])
    options = {"use_scale": r.chance(0.5)}
    if name == "Attention" and r.chance(0.3):
        options["score_mode"] = "concat"
    call = {"use_causal_mask": True} if r.chance(0.25) else {}
    return graph.add(name, options, [query, value], shape, **call)


def attention_to_itself(graph: Graph) -> str:
    at, masked = tokens(graph) if graph.r.chance(0.6) else (source(graph, 2), False)
    at = attention(graph, at, at)
    return at if graph.r.chance(0.3) else down(graph, at, 1, masked)


def attention_between(graph: Graph) -> list[str]:
    r = graph.r
    first, masked = tokens(graph)
    second, _ = tokens(graph) if r.chance(0.6) else (source(graph, 2), False)
    units = r.integer(2, 4)
    at = attention(graph, _dense(graph, first, units), _dense(graph, second, units))
    return [at if r.chance(0.3) else down(graph, at, 1, masked)]


def encoder_decoder(graph: Graph) -> list[str]:
    """A recurrent layer begins with the last state of another."""
    r = graph.r
    kind, units = r.one(["SimpleRNN", "LSTM", "GRU"]), r.integer(2, 4)
    first, _ = tokens(graph) if r.chance(0.5) else (source(graph, 2), False)
    second, masked = tokens(graph) if r.chance(0.5) else (source(graph, 2), False)
    encoder = graph.add(kind, {"units": units, "return_state": True}, first, (units,))
    states = [f"@{encoder}:{i}" for i in range(1, 3 if kind == "LSTM" else 2)]
    sequences = r.chance(0.6)
    shape = (graph.shape(second)[0], units) if sequences else (units,)
    told = {"initial_state": states if len(states) > 1 or r.chance(0.5) else states[0]}
    at = graph.add(kind, {"units": units, "return_sequences": sequences}, second, shape, **told)
    return [at if r.chance(0.5) else down(graph, at, 1, masked)]


BRANCHING: list[Callable[[Graph], list[str]]] = [
    two_inputs,
    two_inputs,
    merged_sequences,
    two_outputs,
    two_outputs,
    two_of_both,
    residual,
    one_layer_twice,
    attention_between,
    encoder_decoder,
]
