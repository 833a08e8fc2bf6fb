"""The words that lookups have learned, in archives of Keras 2.12 to 2.15: a text for each, one word a line."""

from __future__ import annotations

from typing import Any

from . import hdf5
from .archive import Reader
from .hdf5 import FileError, Group
from .layer_tree import KERAS_2_15, KERAS_3, nodes
from .weight_plan import IDF

_WEIGHTS = f"vars/{IDF}"


def restore(reader: Reader, root: Group, model: Any, caller: str) -> None:
    """Give the lookups of a model the vocabularies of an archive.

    Args:
        reader: The archive.
        root: Its file of weights, which has the weights of words.
        model: The model.
        caller: Who reads, for messages.

    Raises:
        FileError: A vocabulary that its layer does not take.
    """
    kept: dict[int, tuple[Any, str]] = {}
    for convention in (KERAS_2_15, KERAS_3):
        for node in nodes(model, convention):
            if f"assets/{node.path}/vocabulary.txt" in reader.names and hasattr(node.layer, "set_vocabulary"):
                kept.setdefault(id(node.layer), (node.layer, node.path))
    for layer, path in kept.values():
        words: list[Any] = reader.lines(f"assets/{path}/vocabulary.txt")
        try:
            if getattr(layer, "vocabulary_dtype", "string") != "string":
                words = [int(word) for word in words]
            learned = hdf5.find(root, f"{path}/{_WEIGHTS}", caller)
            # Keras keeps them for all of max_tokens where it pads
            options = {} if learned is None else {IDF: hdf5.dataset(root, learned.name, caller)[()][: len(words)]}
            layer.set_vocabulary(words, **options)
        except (TypeError, ValueError) as error:
            raise FileError(f"{caller}: {layer}: the vocabulary in the archive does not fit: {error}") from error
