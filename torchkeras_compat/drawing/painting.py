"""Draws the boxes of a model by matplotlib, without touching the figures and settings of the script."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .._core.border import user_stacklevel
from .graph import Graph, Record
from .layers import Curve, Point
from .layout import PAD, Area, Layout, Size, lay_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf", "ps", "eps", "jpg", "jpeg")

POINTS_PER_INCH = 72
FONT, FONT_SIZE, NAME_SIZE = "DejaVu Sans", 10.0, 9.0
LINE_HEIGHT = 13.0
PADDING = (8.0, 5.0)  # of a field: left and right, above and below
MARGIN = 8.0
LONGEST = 40  # characters of a shape in one line
INK, LINE, FRAME = "#111111", "#444444", "#777777"
LINE_WIDTH = 0.8
ARROW = (7.0, 2.6)  # length, and half of the width
LARGEST = 1 << 16  # pixels that matplotlib draws
# What a script may have set otherwise, and would spoil the picture.
SETTINGS: Any = {
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "text.usetex": False,
    "path.sketch": None,
    "path.effects": [],
    "savefig.bbox": "standard",
    "savefig.pad_inches": 0.1,
    "savefig.transparent": False,
}


def paint(graph: Graph, rankdir: str, dpi: float, kind: str) -> bytes:
    """Return the picture of a graph as the bytes of a file.

    Args:
        graph: The boxes.
        rankdir: Where the arrows lead: `'TB'`, `'LR'`, `'BT'` or `'RL'`.
        dpi: Dots per inch, which is the size of an SVG too, as Graphviz has it.
        kind: The format, one of `FORMATS`.

    Raises:
        ImportError: matplotlib is missing.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("A picture of a model needs matplotlib: pip install 'torchkeras_compat[plot]'") from error
    fields = {box.key: _Field(box.record) for box in graph.boxes()}
    layout = lay_out(graph, rankdir, {key: f.size for key, f in fields.items()}, lambda name: _width(name, NAME_SIZE))
    longest = (max(layout.width, layout.height) + 2 * MARGIN) / POINTS_PER_INCH
    if kind in ("png", "jpg", "jpeg") and longest * dpi >= LARGEST:
        smaller = int((LARGEST - 1) / longest)
        warnings.warn(
            f"The picture of {graph.name!r} has too many pixels at dpi={dpi:g} and is drawn at {smaller}; write it as "
            f"SVG or PDF instead.",
            UserWarning,
            stacklevel=user_stacklevel(),
        )
        dpi = smaller
    texts = [*(name for name, _ in layout.frames), *(line for f in fields.values() for line in f.texts())]
    families, lacking = _families("".join(texts))
    if lacking and kind != "svg":
        warnings.warn(
            f"The picture of {graph.name!r}: no font that is installed has {lacking!r}; write it as SVG, which is "
            f"shown in the fonts of whoever looks at it.",
            UserWarning,
            stacklevel=user_stacklevel(),
        )
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # what the line above says of all of them
        canvas = _Canvas(layout, dpi / POINTS_PER_INCH if kind == "svg" else 1.0, families)
        canvas.draw(layout, fields)
        file = io.BytesIO()
        dated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        canvas.figure.savefig(file, format=kind, dpi=dpi, facecolor="white", metadata=dated)
    return file.getvalue()


@lru_cache(maxsize=4096)
def _width(text: str, size: float) -> float:
    """Return the width of a text; what the font lacks are mostly the square characters of East Asia."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    known = "".join(character for character in text if character in _characters())
    font = FontProperties(family=FONT, size=size)
    return float(text_to_path.get_text_width_height_descent(known, font, False)[0]) + size * (len(text) - len(known))


@lru_cache(maxsize=1)
def _characters() -> frozenset[str]:
    """Return the characters that the font has, which comes with matplotlib."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(map(chr, get_font(findfont(FontProperties(family=FONT))).get_charmap()))


def _families(text: str) -> tuple[list[str], str]:
    """Return the fonts that have the characters of a text, and which ones none has."""
    lacking = "".join(character for character in dict.fromkeys(text) if character not in _characters())
    other = _font_with(lacking) if lacking else None
    return ([FONT], lacking) if other is None else ([FONT, other], "")


def _font_with(characters: str) -> str | None:
    """Return an installed font that has some characters."""
    from matplotlib.font_manager import fontManager, get_font

    wanted = set(map(ord, characters))
    return next((font.name for font in fontManager.ttflist if wanted <= set(get_font(font.fname).get_charmap())), None)


def _lines(text: str) -> list[str]:
    """Return a text in lines: one, but for a list of shapes that is too long for it."""
    lines = [""]
    for part in text.replace("), (", "), \n(").split("\n"):
        if lines[-1] and len(lines[-1]) + len(part) > LONGEST:
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines]


class _Field:
    """A field of a box, or several beside or below each other.

    Args:
        record: What is in it.
        beside: Whether several stand beside each other.
    """

    def __init__(self, record: Record, beside: bool = True) -> None:
        self.beside, self.lines = beside, [] if not isinstance(record, str) else _lines(record)
        self.parts: list[_Field] = []
        self.size: Size
        if isinstance(record, str):
            self.size = (
                max(_width(line, FONT_SIZE) for line in self.lines) + 2 * PADDING[0],
                len(self.lines) * LINE_HEIGHT + 2 * PADDING[1],
            )
            return
        self.parts = [_Field(part, not beside) for part in record]
        if beside:
            _align(self.parts)
        widths, heights = zip(*(part.size for part in self.parts))
        self.size = (sum(widths), max(heights)) if beside else (max(widths), sum(heights))

    def texts(self) -> Iterator[str]:
        """Yield the lines of all fields."""
        yield from self.lines
        for part in self.parts:
            yield from part.texts()

    def areas(self, area: Area) -> Iterator[tuple[_Field, Area]]:
        """Yield the fields that have a text, and where they lie when all together fill an area."""
        if not self.parts:
            yield self, area
            return
        along = 0 if self.beside else 1
        more = ((area.width, area.height)[along] - self.size[along]) / len(self.parts)
        x, y = area.x, area.y
        for part in self.parts:
            extent = part.size[along] + more
            if self.beside:
                yield from part.areas(Area(x, y, extent, area.height))
                x += extent
            else:
                yield from part.areas(Area(x, y, area.width, extent))
                y += extent


def _align(columns: Sequence[_Field]) -> None:
    """Give columns of the same number of rows rows of the same heights."""
    for number in {len(column.parts) for column in columns}:
        alike = [column for column in columns if len(column.parts) == number]
        for row in zip(*(column.parts for column in alike)):
            height = max(part.size[1] for part in row)
            for part in row:
                part.size = (part.size[0], height)
        for column in alike if number else ():
            column.size = (column.size[0], sum(part.size[1] for part in column.parts))


class _Canvas:
    """A figure of matplotlib that is drawn on in points, from the upper left corner.

    Args:
        layout: What it is to have room for.
        scale: What all lengths are multiplied by.
        families: The fonts of texts.
    """

    def __init__(self, layout: Layout, scale: float, families: list[str]) -> None:
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        self.scale, self.families = scale, families
        width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
        inch = scale / POINTS_PER_INCH
        self.figure: Figure = Figure(figsize=(width * inch, height * inch))
        down = Affine2D().translate(MARGIN, MARGIN).scale(inch, -inch).translate(0, height * inch)
        self.transform = down + self.figure.dpi_scale_trans

    def draw(self, layout: Layout, fields: dict[str, _Field]) -> None:
        """Draw frames, arrows, and boxes on top of them."""
        for name, area in layout.frames:
            self._rectangle(area, FRAME, "none", linestyle=(0, (4, 3)))
            self._text(area.x + PAD / 2, area.y + NAME_SIZE + 4, name, NAME_SIZE, "left")
        for _, _, way in layout.arrows:
            self._arrow(way)
        for key, area in layout.boxes.items():
            self._rectangle(area, LINE, "white")
            self._record(fields[key], area)

    def _record(self, field: _Field, area: Area) -> None:
        for part, place in field.areas(area):
            self._edges(place, area)
            top = place.y + (place.height - len(part.lines) * LINE_HEIGHT) / 2
            for number, line in enumerate(part.lines):
                base = top + (number + 0.5) * LINE_HEIGHT + 0.36 * FONT_SIZE  # capitals are .72 of the size
                self._text(place.x + place.width / 2, base, line, FONT_SIZE, "center")

    def _edges(self, place: Area, box: Area) -> None:
        """Draw the left and upper edge of a field where they are not those of its box."""
        right, bottom = place.x + place.width, place.y + place.height
        if place.x > box.x:
            self._path([(place.x, place.y), (place.x, bottom)])
        if place.y > box.y:
            self._path([(place.x, place.y), (right, place.y)])

    def _rectangle(self, area: Area, edge: str, fill: str, **options: Any) -> None:
        from matplotlib.patches import Rectangle

        self._add(Rectangle((area.x, area.y), area.width, area.height, edgecolor=edge, facecolor=fill, **options))

    def _path(self, points: list[Point], codes: list[Any] | None = None, **options: Any) -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        style = {"edgecolor": LINE, "facecolor": "none", **options}
        self._add(PathPatch(Path(points, codes), **style))

    def _add(self, patch: Any) -> None:
        patch.set_linewidth(LINE_WIDTH * self.scale)
        patch.set_transform(self.transform)
        self.figure.add_artist(patch)

    def _text(self, x: float, base: float, text: str, size: float, align: str) -> None:
        self.figure.text(
            x,
            base,
            text,
            transform=self.transform,
            fontfamily=self.families,
            fontsize=size * self.scale,
            color=INK,
            horizontalalignment=align,
            verticalalignment="baseline",
            parse_math=False,
        )

    def _arrow(self, way: Curve) -> None:
        """Draw a line with a head whose tip is the end of the way."""
        from matplotlib.path import Path

        (x, y), (x_before, y_before) = way[-1], next(point for point in way[-2::-1] if point != way[-1])
        length = ((x - x_before) ** 2 + (y - y_before) ** 2) ** 0.5
        dx, dy = (x - x_before) / length, (y - y_before) / length
        back = (x - dx * ARROW[0], y - dy * ARROW[0])
        self._path([*way[:-1], back], [Path.MOVETO, *[Path.CURVE4] * (len(way) - 1)])
        side = (-dy * ARROW[1], dx * ARROW[1])
        corners = [(x, y), *((back[0] + k * side[0], back[1] + k * side[1]) for k in (1, -1)), (x, y)]
        self._path(corners, [Path.MOVETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], facecolor=LINE)
