"""Where boxes, frames and arrows lie: nothing covers anything else, and arrows end at the edges of their boxes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from torchkeras_compat.drawing import spreading
from torchkeras_compat.drawing.graph import Graph, Look, graph_of
from torchkeras_compat.drawing.layers import Curve, Link, Piece, arrange, backward
from torchkeras_compat.drawing.layout import Area, Layout, lay_out

from .hard import HARD, deep, dense_net, inceptions, residual, unet

RANKDIRS = ("TB", "LR", "BT", "RL")
NEAR = 1e-6


def size_of(record: Any) -> tuple[float, float]:
    """Return sizes that differ from box to box."""
    texts = [record] if isinstance(record, str) else [text for text in record if isinstance(text, str)]
    return 12.0 + 6 * sum(map(len, texts)), 20.0 + 7 * (len(texts[0]) % 4)


def laid_out(graph: Graph, rankdir: str) -> Layout:
    sizes = {box.key: size_of(box.record) for box in graph.boxes()}
    layout = lay_out(graph, rankdir, sizes, lambda name: 5.5 * len(name))
    assert {key: (area.width, area.height) for key, area in layout.boxes.items()} == {
        key: pytest.approx(size) for key, size in sizes.items()
    }
    return layout


def overlap(a: Area, b: Area) -> bool:
    return (
        a.x < b.x + b.width - NEAR
        and b.x < a.x + a.width - NEAR
        and a.y < b.y + b.height - NEAR
        and b.y < a.y + a.height - NEAR
    )


def inside(a: Area, b: Area) -> bool:
    return (
        a.x >= b.x - NEAR
        and a.y >= b.y - NEAR
        and a.x + a.width <= b.x + b.width + NEAR
        and a.y + a.height <= b.y + b.height + NEAR
    )


def points(curve: Curve, each: int = 12) -> Iterator[tuple[float, float]]:
    for start in range(0, len(curve) - 1, 3):
        a, b, c, d = curve[start : start + 4]
        for k in range(each + 1):
            t = k / each
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            x, y = (sum(w * p[axis] for w, p in zip(weights, (a, b, c, d))) for axis in (0, 1))
            yield x, y


def at_edge(point: tuple[float, float], area: Area) -> bool:
    x, y = point
    across = min(abs(x - area.x), abs(x - area.x - area.width)) < NEAR and area.y - NEAR <= y <= area.y + area.height
    along = min(abs(y - area.y), abs(y - area.y - area.height)) < NEAR and area.x - NEAR <= x <= area.x + area.width
    return across or along


def centre(area: Area) -> tuple[float, float]:
    return area.x + area.width / 2, area.y + area.height / 2


@pytest.mark.parametrize("rankdir", RANKDIRS)
@pytest.mark.parametrize("expand_nested", [False, True])
@pytest.mark.parametrize("name", HARD)
def test_nothing_covers_anything(name: str, expand_nested: bool, rankdir: str) -> None:
    graph = graph_of(HARD[name](), Look(expand_nested=expand_nested))
    layout = laid_out(graph, rankdir)
    page = Area(0, 0, layout.width, layout.height)
    boxes = list(layout.boxes.items())
    assert all(inside(area, page) for area in (*layout.boxes.values(), *(frame for _, frame in layout.frames)))
    for (_, a), (_, b) in itertools.combinations(boxes, 2):
        assert not overlap(a, b)
    for (_, a), (_, b) in itertools.combinations(layout.frames, 2):
        assert not overlap(a, b) or inside(a, b) or inside(b, a)
    for (key, box), (_, frame) in itertools.product(boxes, layout.frames):
        assert inside(box, frame) or not overlap(box, frame), key


@pytest.mark.parametrize("rankdir", RANKDIRS)
@pytest.mark.parametrize("expand_nested", [False, True])
@pytest.mark.parametrize("name", HARD)
def test_arrows_lead_from_edge_to_edge_and_through_no_box(name: str, expand_nested: bool, rankdir: str) -> None:
    graph = graph_of(HARD[name](), Look(expand_nested=expand_nested))
    layout = laid_out(graph, rankdir)
    assert sorted((source, target) for source, target, _ in layout.arrows) == sorted(all_arrows(graph))
    axis = 0 if rankdir in ("TB", "BT") else 1
    for source, target, way in layout.arrows:
        for key, end in ((source, way[0]), (target, way[-1])):
            assert at_edge(end, layout.boxes[key])
            if source != target:  # in the middle of the edge
                assert end[axis] == pytest.approx(centre(layout.boxes[key])[axis])
        for key, area in layout.boxes.items():
            small = Area(area.x + NEAR, area.y + NEAR, area.width - 2 * NEAR, area.height - 2 * NEAR)
            for x, y in points(way):
                assert not (small.x < x < small.x + small.width and small.y < y < small.y + small.height), key
        for x, y in points(way):
            assert -NEAR <= x <= layout.width + NEAR
            assert -NEAR <= y <= layout.height + NEAR


def all_arrows(graph: Graph) -> list[tuple[str, str]]:
    return [*graph.arrows, *(a for item in graph.items if isinstance(item, Graph) for a in all_arrows(item))]


@pytest.mark.parametrize("name", HARD)
def test_frames_hold_the_boxes_of_their_model_alone(name: str) -> None:
    graph = graph_of(HARD[name](), Look(expand_nested=True))
    layout = laid_out(graph, "TB")

    def check(part: Graph) -> None:
        for item in part.items:
            if isinstance(item, Graph):
                keys = {box.key for box in item.boxes()}
                frames = [frame for title, frame in layout.frames if title == item.name]
                assert any({k for k, area in layout.boxes.items() if inside(area, frame)} == keys for frame in frames)
                check(item)

    check(graph)


@pytest.mark.parametrize("rankdir", RANKDIRS)
def test_names_of_frames_have_room(rankdir: str) -> None:
    layout = laid_out(graph_of(HARD["several"](), Look(expand_nested=True)), rankdir)
    for name, frame in layout.frames:
        room = Area(frame.x + 1, frame.y + 1, 5.5 * len(name) + 5, 14)
        assert inside(room, frame)
        assert not any(overlap(room, box) for box in layout.boxes.values())
        for _, _, way in layout.arrows:
            for x, y in points(way, 40):
                assert not (room.x < x < room.x + room.width and room.y < y < room.y + room.height)


@pytest.mark.parametrize("build", [unet, deep])
def test_a_long_way_is_straight(build: Any) -> None:
    layout = laid_out(graph_of(build(), Look()), "TB")
    middles = {round(centre(area)[0], 3) for area in layout.boxes.values()}
    assert len(middles) == 1


def test_branches_are_straight_and_their_ends_between_them() -> None:
    graph = graph_of(residual(), Look())
    layout = laid_out(graph, "TB")
    x = {box.record[0]: centre(layout.boxes[box.key])[0] for box in graph.boxes()}
    for filters in (4, 8, 16):
        assert x[f"norm_{filters}"] == pytest.approx(x[f"relu_{filters}"]) == pytest.approx(x[f"conv_{filters}"])
    assert x["add_4"] == pytest.approx(x["conv_4"])  # what runs beside it draws nothing aside
    for filters in (8, 16):
        left, right = sorted((x[f"norm_{filters}"], x[f"beside_{filters}"]))
        assert left < x[f"add_{filters}"] < right


def test_blocks_in_a_row_stand_below_each_other() -> None:
    one, graph = laid_out(graph_of(inceptions(1), Look()), "TB"), graph_of(inceptions(8), Look())
    layout = laid_out(graph, "TB")
    joined = [centre(layout.boxes[box.key])[0] for box in graph.boxes() if box.record[0].startswith("joined")]
    assert len(joined) == 8
    assert max(joined) - min(joined) < 1
    assert layout.width < 1.5 * one.width


def test_many_long_arrows_bend_where_straight_ones_would_need_too_much_room(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(dense_net(16), Look())
    bent = laid_out(graph, "TB").width
    monkeypatch.setattr(spreading, "MUCH", float("inf"))
    assert bent < laid_out(graph, "TB").width / 1.3


def test_siblings_stand_around_their_parent() -> None:
    pieces = [Piece(40, 20), Piece(60, 20), Piece(60, 20), Piece(40, 20)]
    links = [Link(0, 1), Link(0, 2), Link(1, 3), Link(2, 3)]
    (a, _), (b, _), (c, _), (d, _) = arrange(pieces, links).centres
    assert a == pytest.approx(d) == pytest.approx((b + c) / 2)


def test_crossings_that_need_not_be_are_not_there() -> None:
    pieces = [Piece(30, 20) for _ in range(8)]
    links = [Link(k, 7 - k) for k in range(4)]  # as they stand, each crosses all others
    arrangement = arrange(pieces, links)
    order = sorted(range(4), key=lambda k: arrangement.centres[k][0])
    assert sorted(range(4), key=lambda k: arrangement.centres[7 - k][0]) == order


def test_rows_follow_the_longest_way_and_late_inputs_stand_near() -> None:
    pieces = [Piece(30, 20) for _ in range(5)]
    arrangement = arrange(pieces, [Link(0, 1), Link(1, 2), Link(2, 3), Link(4, 3)])
    y = [point[1] for point in arrangement.centres]
    assert y[0] < y[1] < y[2] < y[3]
    assert y[4] == y[2]


def test_circles_are_cut() -> None:
    assert backward(3, [(0, 1), (1, 2), (2, 0)]) == {2}
    assert backward(2, [(0, 0), (0, 1)]) == set()
    assert backward(3000, [(k, k + 1) for k in range(2999)]) == set()


def test_nothing_at_all() -> None:
    arrangement = arrange([], [])
    assert (arrangement.width, arrangement.height, arrangement.centres) == (0.0, 0.0, [])


def test_rankdirs_are_turned_pictures() -> None:
    graph = graph_of(HARD["several"](), Look())
    below, above = laid_out(graph, "TB"), laid_out(graph, "BT")
    for key, area in below.boxes.items():
        assert centre(above.boxes[key]) == pytest.approx((centre(area)[0], below.height - centre(area)[1]))
    right, left = laid_out(graph, "LR"), laid_out(graph, "RL")
    for key, area in right.boxes.items():
        assert centre(left.boxes[key]) == pytest.approx((right.width - centre(area)[0], centre(area)[1]))
    for source, target in graph.arrows:
        assert centre(below.boxes[source])[1] < centre(below.boxes[target])[1]
        assert centre(right.boxes[source])[0] < centre(right.boxes[target])[0]
