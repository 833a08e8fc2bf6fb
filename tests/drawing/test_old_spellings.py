"""Pictures of models under the names of their time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import torchkeras_compat as tk
from torchkeras_compat import compat
from torchkeras_compat._core.border import KerasSpellingWarning

from .dot_reader import read

LINES = {
    "keras.utils": "from keras.utils import plot_model, model_to_dot",
    "keras.utils.vis_utils": "from keras.utils.vis_utils import plot_model, model_to_dot",
    "keras.utils.visualize_util, plot": "from keras.utils.visualize_util import plot as plot_model, model_to_dot",
    "keras.utils.visualize_util, to_graph": "from keras.utils.visualize_util import plot as plot_model, to_graph as "
    "model_to_dot",
    "tensorflow.keras.utils": "from tensorflow.keras.utils import plot_model, model_to_dot",
    "tensorflow.python.keras": "from tensorflow.python.keras.utils.vis_utils import plot_model, model_to_dot",
    "torchkeras_compat.utils": "from torchkeras_compat.utils import plot_model, model_to_dot",
    "torchkeras_compat.utils.vis_utils": "from torchkeras_compat.utils.vis_utils import plot_model, model_to_dot",
    "by attributes": "import keras\nplot_model = keras.utils.vis_utils.plot_model\n"
    "model_to_dot = keras.utils.vis_utils.model_to_dot",
    "tf.keras by attributes": "import tensorflow as tf\nplot_model = tf.keras.utils.plot_model\n"
    "model_to_dot = tf.keras.utils.model_to_dot",
}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PATH", "")  # no Graphviz
    compat.install()
    yield
    compat.uninstall()


def small() -> Any:
    from keras.layers import Dense
    from keras.models import Sequential

    model = Sequential(name="small")
    model.add(Dense(4, input_dim=3, name="a"))
    model.add(Dense(1, name="b"))
    return model


@pytest.mark.parametrize("line", LINES.values(), ids=list(LINES))
@pytest.mark.parametrize("dialect", ["keras-1", "keras-2.2", "keras-2.3", "tf.keras"])
def test_every_spelling_draws(line: str, dialect: str, tmp_path: Path) -> None:
    tk.set_dialect(dialect)
    names: dict[str, Any] = {}
    exec(line, names)
    model, path = small(), tmp_path / "model.dot"
    names["plot_model"](model, to_file=str(path), show_shapes=True)
    boxes = read(path.read_text()).boxes.values()
    assert [fields[0] for fields in boxes] == [["a_input", "InputLayer"], ["a", "Dense"], ["b", "Dense"]]
    assert [fields[0] for fields in read(names["model_to_dot"](model).to_string()).boxes.values()] == [
        "a_input",
        "a",
        "b",
    ]


def test_arguments_by_place() -> None:
    from keras.utils.vis_utils import model_to_dot

    inner = small()
    inputs = tk.Input((3,))
    dot = model_to_dot(tk.Model(inputs, inner(inputs)), True, False, False, "LR", True, 50)
    graph = read(dot.to_string())
    assert (graph.attributes["rankdir"], graph.attributes["dpi"]) == ("LR", "50")
    assert list(graph.all_boxes().values())[-1] == ["Dense", ["input:", "output:"], ["(None, 4)", "(None, 1)"]]
    assert len(graph.frames) == 1


def test_arguments_of_keras_0(tmp_path: Path) -> None:
    from keras.utils.visualize_util import plot, to_graph

    inputs = tk.Input((3,))
    model = tk.Model(inputs, small()(inputs))
    with pytest.warns(KerasSpellingWarning, match="is now show_shapes=True"):
        plot(model, to_file=str(tmp_path / "model.dot"), show_shape=True)
    assert "(None, 3)" in (tmp_path / "model.dot").read_text()
    with pytest.warns(KerasSpellingWarning, match="is now expand_nested=True"):
        graph = read(to_graph(model, recursive=True).to_string())
    assert [frame.attributes["label"] for frame in graph.frames] == ["small"]


def test_scripts_that_name_their_own_pydot() -> None:
    import keras

    keras.utils.vis_utils.pydot = object()
    assert "a|Dense" in keras.utils.vis_utils.model_to_dot(small()).to_string()


def test_internals_are_refused_by_name() -> None:
    from keras.utils import vis_utils

    with pytest.raises(AttributeError, match=r"isinstance\(layer, Model\)"):
        _ = vis_utils.is_model
