"""Pictures of models."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from .._core.border import translated
from .._core.upper_rooms import upper_room

_SHOWN = {"svg": "SVG", "png": "Image", "jpg": "Image", "jpeg": "Image"}  # format → the class of IPython that shows it


@translated("model_to_dot")
def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float | None = 96,
    subgraph: bool = False,
    layer_range: Sequence[str] | None = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Return the picture of a model as an object with the methods of pydot's: `to_string()`, `create(…)`, `write(…)`.

    `SVG(model_to_dot(model).create(prog='dot', format='svg'))` shows it in a notebook.

    Args:
        model: The model.
        show_shapes: Whether the shapes of what a layer takes and gives are shown.
        show_dtype: Whether its type is shown.
        show_layer_names: Whether its name is shown.
        rankdir: Where the arrows lead: `'TB'` (from top to bottom), `'LR'` (from left to right), `'BT'` or `'RL'`.
        expand_nested: Whether the layers of models inside the model are shown, in a frame.
        dpi: Dots per inch; 96 when `None`.
        subgraph: Whether only the part of a larger text in the dot language is wanted, which a frame stands around.
        layer_range: Names, or regular expressions, of the first and the last layer to show.
        show_layer_activations: Whether the activation of a layer that has one is shown.
        show_trainable: Whether `T` or `NT` tells that a layer is trainable or not.

    Raises:
        TypeError: No model.
        ValueError: The model is not built, `layer_range` fits no layer, or another `rankdir`.

    Example:
        >>> import torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,), name='out')])
        >>> print(model_to_dot(model, show_shapes=True).to_string())
        digraph G {
        ...
        ... [label="{out|Dense}|{input:|output:}|{(None, 3)|(None, 1)}"];
        ...
    """
    drawing = upper_room("drawing")
    look = drawing.Look(
        show_shapes, show_dtype, show_layer_names, expand_nested, show_layer_activations, show_trainable
    )
    graph = drawing.graph_of(model, look, layer_range)
    return drawing.Cluster(graph) if subgraph else drawing.Dot(graph, rankdir, 96 if dpi is None else dpi)


@translated("plot_model")
def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float | None = 96,
    layer_range: Sequence[str] | None = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Draw a model into a file, by Graphviz where its program is installed and by matplotlib elsewhere.

    Args:
        model: The model.
        to_file: The path of the file, whose suffix says the format: `.png` (also without a suffix), `.svg`, `.pdf`,
            `.jpg`, `.eps`, `.ps`, or `.dot` for the text in the dot language.
        show_shapes: Whether the shapes of what a layer takes and gives are shown.
        show_dtype: Whether its type is shown.
        show_layer_names: Whether its name is shown.
        rankdir: Where the arrows lead: `'TB'` (from top to bottom), `'LR'` (from left to right), `'BT'` or `'RL'`.
        expand_nested: Whether the layers of models inside the model are shown, in a frame.
        dpi: Dots per inch; 96 when `None`.
        layer_range: Names, or regular expressions, of the first and the last layer to show.
        show_layer_activations: Whether the activation of a layer that has one is shown.
        show_trainable: Whether `T` or `NT` tells that a layer is trainable or not.

    Returns:
        In IPython and its notebooks what shows the picture there; else nothing.

    Raises:
        TypeError: No model.
        ValueError: The model is not built, `layer_range` fits no layer, another `rankdir` or another suffix.
        ImportError: Neither Graphviz nor matplotlib is installed.

    Example:
        >>> import os, tempfile
        >>> import torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
        >>> path = os.path.join(tempfile.mkdtemp(), 'model.dot')
        >>> plot_model(model, path, show_shapes=True)
        >>> os.path.getsize(path) > 0
        True
    """
    path = os.fspath(to_file)
    kind = PurePath(path).suffix[1:].lower() or "png"
    dot = model_to_dot(
        model,
        show_shapes,
        show_dtype,
        show_layer_names,
        rankdir,
        expand_nested,
        dpi,
        layer_range=layer_range,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
    )
    dot.write(path, format=kind)
    if "IPython" not in sys.modules or kind not in _SHOWN:
        return None
    from IPython import display

    return getattr(display, _SHOWN[kind])(filename=path)
