"""Files of `plot_model`: what is in them, their formats, who draws them, and what is said where nobody can."""

from __future__ import annotations

import io
import os
import re
import stat
import subprocess
import sys
import types
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat.drawing import painting
from torchkeras_compat.utils import model_to_dot, plot_model

from .cases import ALL, inception, nested, subclassed, vgg, with_input
from .dot_reader import read
from .hard import HARD, deep

matplotlib = pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

SVG = "{http://www.w3.org/2000/svg}"
Rectangle = tuple[float, float, float, float]  # left, top, right, bottom


@pytest.fixture(autouse=True)
def without_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test depend on whether Graphviz is installed."""
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder whose programs are found; one of Python's own interpreter runs there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, body: str) -> None:
    """Write a program that Python runs with `text`, what it reads, and `arguments`."""
    head = f"#!{sys.executable}\nimport sys\ntext = sys.stdin.read()\narguments = sys.argv[1:]\n"
    path = folder / name
    path.write_text(head + body)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


class Picture:
    """An SVG, read."""

    def __init__(self, content: bytes) -> None:
        root = ET.fromstring(content)
        self.size = tuple(float(root.attrib[key].removesuffix("pt")) for key in ("width", "height"))
        self.texts = [(*_place(text), "".join(text.itertext())) for text in root.iter(f"{SVG}text")]
        self.boxes: list[Rectangle] = []
        self.frames: list[Rectangle] = []
        self.heads: list[list[tuple[float, float]]] = []  # the corners of each arrow's head, its tip first
        for path in root.iter(f"{SVG}path"):
            numbers = re.findall(r"[-\d.]+", path.attrib["d"])
            corners = [(float(x), float(y)) for x, y in zip(numbers[::2], numbers[1::2])]
            commands, style = re.sub(r"[^A-Za-z]", "", path.attrib["d"]), path.attrib.get("style", "")
            sides = (*map(min, zip(*corners)), *map(max, zip(*corners)))
            if re.fullmatch("ML{3,4}z", commands) and "stroke-dasharray" in style:
                self.frames.append(sides)  # type: ignore[arg-type]
            elif commands == "MLLLz" and "stroke: #444444" in style:
                self.boxes.append(sides)  # type: ignore[arg-type]
            elif commands == "MLLz":
                self.heads.append(corners)

    def words(self) -> list[str]:
        return [text for *_, text in self.texts]


def _place(text: ET.Element) -> tuple[float, float]:
    match = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", text.attrib.get("transform", ""))
    return (float(match[1]), float(match[2])) if match else (float(text.attrib["x"]), float(text.attrib["y"]))


def svg(model: Any, **arguments: Any) -> Picture:
    return Picture(model_to_dot(model, **arguments).create(prog="dot", format="svg"))


def words_of(fields: Any) -> Iterator[str]:
    if isinstance(fields, str):
        yield fields
    else:
        for part in fields:
            yield from words_of(part)


@pytest.mark.parametrize(
    ("build", "arguments"),
    [
        (vgg, {}),
        (vgg, ALL),
        (inception, {"show_shapes": True, "rankdir": "LR"}),
        (nested, {"show_shapes": True, "expand_nested": True}),
        (nested, {"rankdir": "BT", "expand_nested": True, **ALL}),
        (subclassed, {}),
    ],
)
def test_an_svg_has_the_words_of_each_box_inside_it(build: Any, arguments: dict[str, Any]) -> None:
    model = build(keras)
    dot, picture = read(model_to_dot(model, **arguments).to_string()), svg(model, **arguments)
    boxes, frames = dot.all_boxes(), dot.all_frames()
    words = [word for fields in boxes.values() for word in words_of(fields)]
    shown = " ".join(picture.words())
    assert all(word in shown for word in words)
    assert len("".join(words + [f.attributes["label"] for f in frames])) == len(shown.replace(" ", "")) + sum(
        word.count(" ") for word in words
    )
    assert (len(picture.boxes), len(picture.frames)) == (len(boxes), len(frames))
    names = {frame.attributes["label"] for frame in frames}
    for x, y, text in picture.texts:
        around = picture.frames if text in names else picture.boxes
        assert any(left < x < right and top < y < bottom for left, top, right, bottom in around), text
    assert len(picture.heads) == len(set(dot.all_arrows()))
    for left, top, right, bottom in picture.boxes:
        assert left >= 0
        assert top >= 0
        assert right <= picture.size[0]
        assert bottom <= picture.size[1]


@pytest.mark.parametrize("name", HARD)
def test_boxes_in_an_svg_do_not_overlap_and_arrows_touch_one(name: str) -> None:
    picture = svg(HARD[name](), show_shapes=True, expand_nested=True)
    for number, (left, top, right, bottom) in enumerate(picture.boxes):
        for left_2, top_2, right_2, bottom_2 in picture.boxes[:number]:
            assert left >= right_2 or left_2 >= right or top >= bottom_2 or top_2 >= bottom
    for (x, y), *_ in picture.heads:
        assert any(
            left - 0.01 <= x <= right + 0.01 and min(abs(y - top), abs(y - bottom)) < 0.01
            for left, top, right, bottom in picture.boxes
        ) or any(abs(x - right) < 0.01 and top < y < bottom for _, top, right, bottom in picture.boxes)


def test_text_fits_into_its_box() -> None:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    name = "a_layer_with_quite_a_long_name_that_wraps_nowhere"
    model = keras.Sequential([L.Dense(3, input_shape=(2,), name=name), L.Dense(1, name="i")])
    picture = svg(model, dpi=72)
    font = FontProperties(family="DejaVu Sans", size=10)
    for x, y, text in picture.texts:
        width, height, _ = text_to_path.get_text_width_height_descent(text, font, False)
        assert any(
            left <= x - width / 2 and x + width / 2 <= right and top <= y - height and y <= bottom
            for left, top, right, bottom in picture.boxes
        )


def test_long_lists_of_shapes_break_between_shapes() -> None:
    inputs = [L.Input((64, 64, 3)) for _ in range(8)]
    model = keras.Model(inputs, L.concatenate(inputs))
    lines = [word for word in svg(model, show_shapes=True).words() if word.count("(None") > 1]
    assert len(lines) >= 4
    assert all(len(line) <= 41 and line.count("(") == line.count(")") for line in lines)


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("model.png", b"\x89PNG"),
        ("model", b"\x89PNG"),
        ("MODEL.PNG", b"\x89PNG"),
        ("model.svg", b"<?xml"),
        ("model.pdf", b"%PDF"),
        ("model.ps", b"%!PS"),
        ("model.eps", b"%!PS-Adobe-3.0 EPSF"),
        ("model.jpg", b"\xff\xd8\xff"),
        ("model.jpeg", b"\xff\xd8\xff"),
        ("model.dot", b"digraph G {"),
        ("model.gv", b"digraph G {"),
    ],
)
def test_the_suffix_says_the_format(name: str, begin: bytes, tmp_path: Path) -> None:
    for path in (tmp_path / name, str(tmp_path / f"as_text_{name}")):
        assert plot_model(with_input(keras), path) is None
        assert Path(path).read_bytes().startswith(begin)


def test_the_default_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plot_model(with_input(keras))
    assert os.listdir() == ["model.png"]
    image = Image.open("model.png")
    colours = image.convert("RGB").getcolors(1 << 20)
    assert max(colours)[1] == (255, 255, 255)
    assert len(colours) > 10


def test_dots_per_inch() -> None:
    model = with_input(keras)

    def size(dpi: Any) -> tuple[int, int]:
        return Image.open(io.BytesIO(model_to_dot(model, dpi=dpi).create(format="png"))).size  # type: ignore[no-any-return]

    assert size(192) == pytest.approx([2 * n for n in size(96)], abs=2)
    assert size(None) == size(96)
    assert svg(model, dpi=144).size == pytest.approx([2 * n for n in svg(model, dpi=72).size], abs=0.01)


def test_a_picture_with_too_many_pixels_is_drawn_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painting, "LARGEST", 1000)
    dot = model_to_dot(deep(20))
    with pytest.warns(UserWarning, match=r"too many pixels at dpi=96 and is drawn at \d+; write it as SVG or PDF"):
        content = dot.create(format="png")
    assert 900 < max(Image.open(io.BytesIO(content)).size) < 1000
    assert Picture(dot.create(format="svg")).size[1] > 1000


def test_settings_and_figures_of_the_script_are_let_alone() -> None:
    import matplotlib.pyplot as plt

    model = nested(keras)
    plain = model_to_dot(model, expand_nested=True).create(format="svg")
    with plt.style.context("dark_background"), plt.xkcd():
        plt.rcParams.update({"text.usetex": True, "font.size": 30, "savefig.bbox": "tight", "svg.fonttype": "path"})
        before = dict(plt.rcParams)
        assert model_to_dot(model, expand_nested=True).create(format="svg") == plain
        assert dict(plt.rcParams) == before
    assert plt.get_fignums() == []


def test_mathematics_is_not_read_into_names() -> None:
    model = keras.Sequential([L.Dense(1, input_shape=(2,), name="cost_in_$_or_$x^2$")])
    assert "cost_in_$_or_$x^2$" in svg(model).words()


def test_characters_that_the_font_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = keras.Sequential([L.Dense(1, input_shape=(2,), name="隐藏层"), L.Dense(1, name="слой_π")])
    monkeypatch.setattr(painting, "_font_with", lambda characters: None)
    assert {"隐藏层", "слой_π"} <= set(svg(model).words())
    with pytest.warns(UserWarning, match="no font that is installed has '隐藏层'; write it as SVG") as warned:
        model_to_dot(model).create(format="png")
    assert [warning.filename for warning in warned] == [__file__]


def test_another_font_has_what_the_first_one_lacks() -> None:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    others = get_font(findfont(FontProperties(family="STIXGeneral"))).get_charmap()
    character = next(chr(code) for code in sorted(others) if chr(code) not in painting._characters())
    families, lacking = painting._families(f"name_{character}")
    assert (families[0], len(families), lacking) == ("DejaVu Sans", 2, "")
    model = keras.Sequential([L.Dense(1, input_shape=(2,), name=f"name_{character}")])
    assert model_to_dot(model).create(format="png").startswith(b"\x89PNG")


def test_special_characters_in_dot() -> None:
    name = 'a|b{c}<d> "e" \\f'
    inner = keras.Sequential([L.Dense(2, input_shape=(3,), name=name)], name=name)
    inputs = L.Input((3,), name="x")
    dot = read(model_to_dot(keras.Model(inputs, inner(inputs)), expand_nested=True).to_string())
    assert list(dot.all_boxes().values()) == [["x", "InputLayer"], [f"{name}_input", "InputLayer"], [name, "Dense"]]
    assert [frame.attributes["label"] for frame in dot.all_frames()] == [name.replace("\\", "\\\\")]


# --- the object ------------------------------------------------------------------------------------------------------


def test_as_a_notebook_uses_it() -> None:
    content = model_to_dot(vgg(keras), show_shapes=True).create(prog="dot", format="svg")
    assert isinstance(content, bytes)
    assert ET.fromstring(content).tag == f"{SVG}svg"


def test_methods_of_pydot(tmp_path: Path) -> None:
    dot = model_to_dot(with_input(keras))
    assert str(dot) == dot.to_string()
    assert dot.create_png() == dot.create(format="png")
    assert dot.create().startswith(b"%!PS")
    assert dot.write(tmp_path / "a.dot") is True
    assert (tmp_path / "a.dot").read_text() == dot.to_string()
    assert dot.write(str(tmp_path / "a.svg"), prog="dot", format="svg")
    assert dot.write_svg(tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes() == dot.create_svg()
    assert dot.create(format="raw", encoding="utf-16").decode("utf-16") == dot.to_string()
    with pytest.raises(AttributeError, match=r"'set_size'; write pydot.graph_from_dot_data\(dot.to_string"):
        dot.set_size("3,3")
    with pytest.raises(AttributeError, match="create_tiff"):
        dot.create_tiff()


def test_a_part_of_a_larger_graph() -> None:
    part = model_to_dot(with_input(keras), subgraph=True).to_string()
    whole = read(f"digraph G {{ {part} }}")
    (frame,) = whole.frames
    assert frame.attributes == {"label": "sequential_1", "style": "dashed", "labeljust": "l"}
    assert list(frame.boxes.values()) == [["x", "InputLayer"], ["a", "Dense"], ["b", "Dense"]]
    assert len(frame.arrows) == 2


def test_boxes_are_called_by_the_ids_of_their_layers() -> None:
    model = with_input(keras)
    dot = read(model_to_dot(model).to_string())
    assert [str(id(layer)) for layer in model.layers] == list(dot.boxes)[1:]


# --- who draws -------------------------------------------------------------------------------------------------------

ECHO = "print(f'drawn {arguments}', len(text), text.startswith('digraph G {'))\n"


def test_graphviz_draws_where_it_is_installed(programs: Path, tmp_path: Path) -> None:
    program(programs, "dot", ECHO)
    program(programs, "neato", ECHO)
    dot = model_to_dot(with_input(keras))
    size = len(dot.to_string())
    plot_model(with_input(keras), tmp_path / "model.png")
    assert (tmp_path / "model.png").read_text().startswith("drawn ['-Tpng']")
    assert dot.create(format="svg").decode() == f"drawn ['-Tsvg'] {size} True\n"
    assert (
        dot.create(["neato", "-Goverlap=false"], "pdf").decode() == f"drawn ['-Goverlap=false', '-Tpdf'] {size} True\n"
    )
    assert dot.create(prog="dot", format="dot").decode() == dot.to_string()


def test_where_graphviz_fails_matplotlib_draws(programs: Path) -> None:
    program(programs, "dot", "sys.exit('Format: \"svg\" not recognized.')\n")
    with pytest.warns(RuntimeWarning, match='dot failed, and matplotlib draws: Format: "svg" not recognized'):
        content = model_to_dot(with_input(keras)).create(format="svg")
    assert "InputLayer" in Picture(content).words()


def test_other_programs_of_graphviz_have_no_stand_in() -> None:
    with pytest.raises(ValueError, match=r"create\(prog='neato'\): this program of Graphviz is not installed; write"):
        model_to_dot(with_input(keras)).create(prog="neato", format="svg")


def test_without_matplotlib_one_line_says_what_to_install(tmp_path: Path) -> None:
    lines = (
        "import sys; sys.modules['matplotlib'] = None",
        "import torchkeras_compat as keras",
        "model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])",
        "keras.utils.plot_model(model, 'model.dot')",  # text needs nothing
        "keras.utils.plot_model(model)",
    )
    root = str(Path(keras.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    last = run.stderr.strip().splitlines()[-1]
    assert last == "ImportError: A picture of a model needs matplotlib: pip install 'torchkeras_compat[plot]'"
    assert os.listdir(tmp_path) == ["model.dot"]


def test_what_a_notebook_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    display = types.ModuleType("IPython.display")
    for name in ("Image", "SVG"):
        setattr(display, name, lambda filename, name=name: (name, filename))
    package = types.ModuleType("IPython")
    package.display, package.version_info = display, (9, 0)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    model = with_input(keras)
    for name, kind in (("a.png", "Image"), ("a", "Image"), ("a.jpg", "Image"), ("a.svg", "SVG")):
        path = str(tmp_path / name)
        assert plot_model(model, path) == (kind, path)
    assert plot_model(model, str(tmp_path / "a.pdf")) is None
    assert plot_model(model, str(tmp_path / "a.dot")) is None


# --- errors ----------------------------------------------------------------------------------------------------------


def test_a_model_that_is_not_built() -> None:
    class Own(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    for model in (keras.Sequential([L.Dense(1)]), keras.Sequential(), Own()):
        for draw in (plot_model, model_to_dot):
            with pytest.raises(ValueError, match=r"has not yet been built.*input_shape=\(…\), call model.build"):
                draw(model)


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    model = with_input(keras)
    with pytest.raises(TypeError, match="a picture shows a model; got"):
        plot_model(L.Dense(1))
    with pytest.raises(ValueError, match="rankdir must be 'TB', 'LR', 'BT' or 'RL'"):
        plot_model(model, rankdir="UP")
    with pytest.raises(ValueError, match="dpi must be a number ≥ 1; got 0"):
        plot_model(model, dpi=0)
    with pytest.raises(ValueError, match="format must be one of 'svg', 'png'"):
        plot_model(model, tmp_path / "model.xyz")
    with pytest.raises(ValueError, match=r"plot_model\(layer_range=\['a', 'z'\]\): no layer has such a name"):
        plot_model(model, tmp_path / "model.png", layer_range=["a", "z"])
    with pytest.raises(ValueError, match="layer_range must be two names"):
        model_to_dot(model, layer_range=["a"])
    with pytest.raises(FileNotFoundError):
        plot_model(model, tmp_path / "nowhere" / "model.png")
    assert os.listdir(tmp_path) == []


# --- what differs from Keras ------------------------------------------------------------------------------------------


def labels(dot: Any) -> list[tuple[str, str]]:
    graph = read(dot.to_string())
    boxes = graph.all_boxes()
    return sorted((boxes[source][0], boxes[target][0]) for source, target in graph.all_arrows())


def test_each_input_and_output_of_a_model_inside_has_its_own_arrow() -> None:
    arrows = labels(model_to_dot(HARD["several"](), expand_nested=True))
    assert {("before_p", "a"), ("q", "b")} <= set(arrows)
    assert not {("before_p", "b"), ("q", "a")} & set(arrows)
    assert {("sum", "joined"), ("second", "joined"), ("third", "joined"), ("late", "joined")} <= set(arrows)


def test_inputs_by_name() -> None:
    inner_inputs = {name: L.Input((2,), name=name) for name in ("first", "second")}
    inner = keras.Model(inner_inputs, L.add([*inner_inputs.values()]), name="inner")
    a, b = L.Input((2,), name="a"), L.Input((2,), name="b")
    model = keras.Model([a, b], inner({"second": b, "first": a}))
    assert {("a", "first"), ("b", "second")} <= set(labels(model_to_dot(model, expand_nested=True)))


def test_a_range_of_a_sequential_begins_where_it_says() -> None:
    dot = read(model_to_dot(vgg(keras), layer_range=["conv2d_2", "dropout"]).to_string())
    assert [fields[1] for fields in dot.boxes.values()] == "Conv2D MaxPooling2D Dropout Flatten Dense Dropout".split()
    assert len(dot.arrows) == 5


def test_a_range_leaves_out_arrows_to_what_is_not_shown() -> None:
    dot = read(model_to_dot(inception(keras), layer_range=["a1", "joined"]).to_string())
    assert "image" not in [fields[0] for fields in dot.boxes.values()]
    assert len(dot.arrows) == 6


def test_models_joined_by_a_merge_are_drawn_with_it() -> None:
    dot = model_to_dot(HARD["merged"]())
    assert labels(dot) == [
        ("l", "merge"),
        ("l_input", "l"),
        ("merge", "out"),
        ("r1", "r2"),
        ("r1_input", "r1"),
        ("r2", "merge"),
    ]


def test_a_model_that_stands_in_two_frames_has_its_boxes_in_both() -> None:
    graph = read(model_to_dot(HARD["deeply_nested"](), expand_nested=True).to_string())
    boxes = graph.all_boxes()
    assert len(graph.all_frames()) == 5
    assert len(boxes) == 1 + 2 + 4 * 3
    assert all(set(arrow) <= set(boxes) for arrow in graph.all_arrows())
