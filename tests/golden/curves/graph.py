"""A model that grows node by node, with the shapes that the library will find."""

from __future__ import annotations

from typing import Any

from .draws import Draw, Drawer, Options, Shape
from .layers_dense import one_of


class Graph:
    """Inputs and nodes of a description.

    Args:
        r: The choices of the seed.
        legacy: The legacy optimizers train it, which refuse constraints on embeddings.
    """

    def __init__(self, r: Draw, legacy: bool) -> None:
        self.r = r
        self.legacy = legacy
        self.inputs: list[Options] = []
        self.nodes: list[Options] = []
        self._shapes: dict[str, Shape] = {}

    def shape(self, name: str) -> Shape:
        """Return the shape of what a node computes, without the axis of samples."""
        return self._shapes[name]

    def input(self, shape: Shape, **draw: Any) -> str:
        """Add an input; `draw` says what arrays are drawn for it."""
        name = f"in{len(self.inputs)}"
        self.inputs.append({"name": name, "shape": list(shape), **draw})
        self._shapes[name] = shape
        return name

    def add(
        self, layer: str, options: Options, inputs: str | list[str], shape: Shape, name: str | None = None, **call: Any
    ) -> str:
        """Add a node: a layer, what it is called on, and the shape of its first output.

        `call` holds further arguments of the call; `@name` stands for a tensor.
        """
        name = name or f"n{len(self.nodes)}"
        self.nodes.append({"name": name, "layer": layer, "options": options, "inputs": inputs, "call": call})
        self._shapes[name] = tuple(shape)
        return name

    def again(self, node: str, inputs: str, shape: Shape) -> str:
        """Call the layer of a node once more."""
        name = f"n{len(self.nodes)}"
        self.nodes.append({"name": name, "again": node, "inputs": inputs, "call": {}})
        self._shapes[name] = tuple(shape)
        return name

    def draw(self, at: str, table: list[tuple[float, Drawer]]) -> str:
        """Add a layer of a table behind a node."""
        layer, options, shape = one_of(self.r, table, self.shape(at))
        return self.add(layer, options, at, shape)

    def has(self, option: str) -> bool:
        """Say whether a layer has an option."""
        return any(node.get("options", {}).get(option) for node in self.nodes)

    def keep_state(self) -> None:
        """Have recurrent layers begin a batch where the one before it ended."""
        for node in self.nodes:
            if node.get("layer") in ("SimpleRNN", "LSTM", "GRU", "RNN"):
                node["options"]["stateful"] = True

    def is_chain(self) -> bool:
        """Say whether each node is a layer called on the output of the node before it alone."""
        if len(self.inputs) > 1:
            return False
        before = [self.inputs[0]["name"], *(node["name"] for node in self.nodes)]
        return all(
            "layer" in node and node["inputs"] == name and not node["call"] for name, node in zip(before, self.nodes)
        )
