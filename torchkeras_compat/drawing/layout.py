"""Where the boxes, frames and arrows of a picture lie: each frame is laid out by itself, and then as one box."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .graph import Graph
from .layers import Arrangement, Curve, Link, Piece, Point, arrange, backward

PAD = 12.0  # between a frame and what is inside
NAME_HEIGHT = 16.0
TOP, BOTTOM = -1, 1

Size = tuple[float, float]
Port = tuple[str, int]  # a box inside a frame, and the side by which the frame is crossed


@dataclass(frozen=True)
class Area:
    """A rectangle: its left and upper edge, width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class Layout:
    """Where everything lies; the second number of a point grows downwards.

    Attributes:
        width: Width of the picture.
        height: Its height.
        boxes: The area of each box by its key.
        frames: The name and the area of each frame, outer ones first.
        arrows: Source, target and way of each arrow.
    """

    width: float
    height: float
    boxes: dict[str, Area] = field(default_factory=dict)
    frames: list[tuple[str, Area]] = field(default_factory=list)
    arrows: list[tuple[str, str, Curve]] = field(default_factory=list)


def lay_out(graph: Graph, rankdir: str, sizes: Mapping[str, Size], width_of: Callable[[str], float]) -> Layout:
    """Return where the boxes of a graph lie.

    Args:
        graph: The boxes.
        rankdir: Where the arrows lead: `'TB'`, `'LR'`, `'BT'` or `'RL'`.
        sizes: Width and height of each box by its key.
        width_of: Returns the width of a frame's name.
    """
    sideways = rankdir in ("LR", "RL")
    if sideways:
        sizes = {key: (height, width) for key, (width, height) in sizes.items()}
    layout, _ = _Frames(rankdir, sizes, width_of).lay(graph, [])
    width, height = (layout.height, layout.width) if sideways else (layout.width, layout.height)

    def turned(point: Point) -> Point:
        x, y = point[::-1] if sideways else point
        return (width - x if rankdir == "RL" else x), (height - y if rankdir == "BT" else y)

    def area(old: Area) -> Area:
        (x, y), (x_end, y_end) = turned((old.x, old.y)), turned((old.x + old.width, old.y + old.height))
        return Area(min(x, x_end), min(y, y_end), abs(x_end - x), abs(y_end - y))

    return Layout(
        width,
        height,
        {key: area(box) for key, box in layout.boxes.items()},
        [(name, area(frame)) for name, frame in layout.frames],
        [(source, target, [turned(point) for point in way]) for source, target, way in layout.arrows],
    )


@dataclass(frozen=True)
class _Margins:
    """How much a frame is larger than what is inside: before and behind it along the layers, above it and below."""

    before: float = 0.0
    behind: float = 0.0
    above: float = 0.0
    below: float = 0.0


@dataclass
class _Frames:
    """Lays out as if arrows led downwards.

    Attributes:
        rankdir: Where they will lead, which decides where frames have their names.
        sizes: The extents of the boxes along the layers and across.
        width_of: Returns the width of a frame's name.
    """

    rankdir: str
    sizes: Mapping[str, Size]
    width_of: Callable[[str], float]

    def lay(self, graph: Graph, ports: Sequence[Port]) -> tuple[Layout, dict[Port, Curve]]:
        """Return where the boxes of a graph lie, and the ways from its edge to the boxes that ports name.

        Args:
            graph: The boxes.
            ports: Where arrows from outside lead.
        """
        level = _Level(graph)
        inner = {number: self._framed(frame, level.ports_of(number, ports)) for number, frame in level.frames.items()}
        pieces = [
            Piece(inner[number][0].width, inner[number][0].height) if number in inner else Piece(*self.sizes[key])
            for number, key in enumerate(level.keys)
        ]
        middles = [piece.width / 2 for piece in pieces]

        def offset(number: int, port: Port) -> float:
            return inner[number][1][port][0][0] - middles[number] if number in inner else 0.0

        own = [
            Link(
                level.owner[source],
                level.owner[target],
                offset(level.owner[source], (source, TOP if up else BOTTOM)),
                offset(level.owner[target], (target, BOTTOM if up else TOP)),
                up,
            )
            for source, target, up in level.arrows
        ]
        crossing = []
        for number, (key, side) in enumerate(ports, len(pieces)):
            owner, there = level.owner[key], offset(level.owner[key], (key, side))
            crossing.append(Link(number, owner, 0.0, there) if side == TOP else Link(owner, number, there))
        arrangement = arrange([*pieces, *(Piece(0.0, 0.0, side) for _, side in ports)], [*own, *crossing])
        corners = [(x - piece.width / 2, y - piece.height / 2) for (x, y), piece in zip(arrangement.centres, pieces)]
        return _joined(level, ports, arrangement, pieces, corners, inner)

    def _framed(self, graph: Graph, ports: Sequence[Port]) -> tuple[Layout, dict[Port, Curve]]:
        """Return a layout with a frame around it, whose edge the ways from outside begin at."""
        layout, ways = self.lay(graph, ports)
        margins = self._margins(graph.name, layout, ways)
        shift = (margins.before, margins.above)
        width = layout.width + margins.before + margins.behind
        height = layout.height + margins.above + margins.below
        framed = Layout(width, height, frames=[(graph.name, Area(0.0, 0.0, width, height))])
        _add(framed, layout, shift)
        return framed, {
            port: [
                *_straight((way[0][0] + shift[0], 0.0 if port[1] == TOP else height), _moved(way[:1], shift)[0]),
                *_moved(way[1:], shift),
            ]
            for port, way in ways.items()
        }

    def _margins(self, name: str, layout: Layout, ways: Mapping[Port, Curve]) -> _Margins:
        """Return the margins of a frame, with room for its name, which no arrow crosses."""
        room = self.width_of(name) + PAD
        if self.rankdir in ("LR", "RL"):
            more = max(0.0, room + PAD - layout.height - 2 * PAD) / 2
            return _Margins(PAD + NAME_HEIGHT, PAD, PAD + more, PAD + more)
        side, above = (TOP, True) if self.rankdir == "TB" else (BOTTOM, False)
        first = min((way[0][0] for (_, where), way in ways.items() if where == side), default=layout.width + PAD)
        before = max(PAD, room - first)
        heights = (PAD + NAME_HEIGHT, PAD) if above else (PAD, PAD + NAME_HEIGHT)
        return _Margins(before, PAD, *heights)


class _Level:
    """The items of one graph, boxes and frames, and the arrows between them.

    Args:
        graph: The graph.
    """

    def __init__(self, graph: Graph) -> None:
        self.keys: list[str] = []  # of boxes; empty for frames
        self.frames: dict[int, Graph] = {}
        self.owner: dict[str, int] = {}  # box → the number of the item it is, or is in
        for number, item in enumerate(graph.items):
            if isinstance(item, Graph):
                self.keys.append("")
                self.frames[number] = item
                self.owner.update((box.key, number) for box in item.boxes())
            else:
                self.keys.append(item.key)
                self.owner[item.key] = number
        arrows = []
        for source, target in graph.arrows:
            number = self.owner[source]
            if number == self.owner[target] and number in self.frames:  # a model that is called on what it gives
                frame = self.frames[number]
                self.frames[number] = replace(frame, arrows=[*frame.arrows, (source, target)])
            else:
                arrows.append((source, target))
        up = backward(len(self.keys), [(self.owner[source], self.owner[target]) for source, target in arrows])
        self.arrows = [(source, target, number in up) for number, (source, target) in enumerate(arrows)]

    def ports_of(self, number: int, outer: Sequence[Port]) -> list[Port]:
        """Return where arrows cross the edge of a frame.

        Args:
            number: The number of the item.
            outer: Where arrows cross the edge of the graph itself.
        """
        ports = [(key, side) for key, side in outer if self.owner[key] == number]
        for source, target, up in self.arrows:
            if self.owner[source] == number:
                ports.append((source, TOP if up else BOTTOM))
            if self.owner[target] == number:
                ports.append((target, BOTTOM if up else TOP))
        return list(dict.fromkeys(ports))


def _joined(
    level: _Level,
    ports: Sequence[Port],
    arrangement: Arrangement,
    pieces: Sequence[Piece],
    corners: Sequence[Point],
    inner: Mapping[int, tuple[Layout, dict[Port, Curve]]],
) -> tuple[Layout, dict[Port, Curve]]:
    """Return the layout of a level with those of its frames inside."""
    layout = Layout(arrangement.width, arrangement.height)
    for number, key in enumerate(level.keys):
        if number in inner:
            _add(layout, inner[number][0], corners[number])
        else:
            layout.boxes[key] = Area(*corners[number], pieces[number].width, pieces[number].height)

    def inside(port: Port) -> Curve:
        """Return the way from the edge of a frame to a box; none to a box without a frame."""
        number = level.owner[port[0]]
        return _moved(inner[number][1][port], corners[number])[1:] if number in inner else []

    curves = iter(arrangement.curves)
    for source, target, up in level.arrows:
        begin, end = inside((source, TOP if up else BOTTOM)), inside((target, BOTTOM if up else TOP))
        way = next(curves)
        layout.arrows.append((source, target, [*_from_inside(begin, way[0]), *way, *end]))
    ways = {}
    for port in ports:
        way = next(curves)
        way = way if port[1] == TOP else way[::-1]
        ways[port] = [*way, *inside(port)]
    return layout, ways


def _from_inside(way: Curve, edge: Point) -> Curve:
    """Return a way from the edge of a frame to a box, turned round, without the point at the edge."""
    return [edge, *way][:0:-1] if way else []


def _add(layout: Layout, other: Layout, shift: Point) -> None:
    dx, dy = shift
    layout.boxes.update((key, replace(a, x=a.x + dx, y=a.y + dy)) for key, a in other.boxes.items())
    layout.frames += [(name, replace(a, x=a.x + dx, y=a.y + dy)) for name, a in other.frames]
    layout.arrows += [(source, target, _moved(way, shift)) for source, target, way in other.arrows]


def _moved(way: Sequence[Point], shift: Point) -> Curve:
    return [(x + shift[0], y + shift[1]) for x, y in way]


def _straight(start: Point, end: Point) -> Curve:
    """Return a straight line as a curve."""
    (x, y), (x_end, y_end) = start, end
    thirds = [(x + (x_end - x) * k / 3, y + (y_end - y) * k / 3) for k in (1, 2)]
    return [start, *thirds, end]
