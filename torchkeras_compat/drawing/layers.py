"""Where the boxes of a graph and its arrows lie: layers of boxes one below the other, as Sugiyama's method has them.

Each box stands as far down as the longest path to it says, arrows over several layers get a place in each of them, and
the order within a layer follows the barycentres of neighbours.

Source: K. Sugiyama, S. Tagawa, M. Toda, «Methods for visual understanding of hierarchical system structures», 1981.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .spreading import End, Place, connect, in_order, spread

Point = tuple[float, float]
Curve = list[Point]  # cubic Bézier curves, one after the other: a point, and three more for each curve

LAYERS_APART = 30.0
BORDER_APART = 14.0  # between a box and the frame around it
SWEEPS = 12
PATIENCE = 3  # sweeps that may find nothing better
LOOP = 22.0  # how far an arrow from a box to itself reaches out
STRAIGHTNESS = 8.0  # how much more a bend within a long arrow counts than one at its ends


@dataclass(frozen=True)
class Piece:
    """What stands in a layer: a box, a frame with boxes inside, or the point where an arrow crosses a frame.

    Attributes:
        width: Its extent along the layer.
        height: Its extent across.
        end: `-1` for what stands in the first layer, `1` for the last, `0` for where its arrows say.
    """

    width: float
    height: float
    end: int = 0


@dataclass(frozen=True)
class Link:
    """An arrow between two pieces.

    Attributes:
        source: The number of the piece where it begins.
        target: The number of the piece where it ends.
        leaves: Where it leaves, from the middle of the piece.
        enters: Where it enters, from the middle of the piece.
        up: Whether it leads back, against the direction of the others.
    """

    source: int
    target: int
    leaves: float = 0.0
    enters: float = 0.0
    up: bool = False


@dataclass
class Arrangement:
    """Where everything lies; the first number of a point is along the layers, the second across.

    Attributes:
        width: The extent along the layers.
        height: The extent across.
        centres: The middle of each piece.
        curves: The way of each link from its source to its target.
    """

    width: float
    height: float
    centres: list[Point]
    curves: list[Curve]


def backward(count: int, pairs: Sequence[tuple[int, int]]) -> set[int]:
    """Return the numbers of the arrows that close a circle, so that the others make none.

    Args:
        count: How many pieces there are.
        pairs: Source and target of each arrow.
    """
    outgoing: list[list[int]] = [[] for _ in range(count)]
    for number, (source, target) in enumerate(pairs):
        if source != target:
            outgoing[source].append(number)
    state = [0] * count  # 1: on the path at hand, 2: done
    closing: set[int] = set()
    for start in range(count):
        if state[start]:
            continue
        state[start] = 1
        path = [(start, iter(outgoing[start]))]
        while path:
            piece, arrows = path[-1]
            arrow = next(arrows, None)
            if arrow is None:
                state[piece] = 2
                path.pop()
            elif state[target := pairs[arrow][1]] == 1:
                closing.add(arrow)
            elif not state[target]:
                state[target] = 1
                path.append((target, iter(outgoing[target])))
    return closing


def arrange(pieces: Sequence[Piece], links: Sequence[Link]) -> Arrangement:
    """Return where pieces and the links between them lie.

    Args:
        pieces: The pieces.
        links: The arrows; those that do not lead `up` make no circle.
    """
    return _Layers(pieces, links).arrangement()


@dataclass(frozen=True)
class _Lying:
    """A link as it lies, from an upper layer to a lower one, whichever way its arrow leads."""

    upper: int
    lower: int
    leaves: float
    enters: float


class _Layers:
    def __init__(self, pieces: Sequence[Piece], links: Sequence[Link]) -> None:
        self.pieces, self.links = pieces, links
        self.lying = {
            number: _Lying(link.target, link.source, link.enters, link.leaves)
            if link.up
            else _Lying(link.source, link.target, link.leaves, link.enters)
            for number, link in enumerate(links)
            if link.source != link.target
        }
        loops = {link.source for link in links if link.source == link.target}
        self.before: list[set[int]] = [set() for _ in pieces]
        self.after: list[set[int]] = [set() for _ in pieces]
        for link in self.lying.values():
            self.before[link.lower].add(link.upper)
            self.after[link.upper].add(link.lower)
        self.ranks = self._ranks()
        self.places = [
            Place(piece.width + (2 * LOOP if i in loops else 0), self.ranks[i]) for i, piece in enumerate(pieces)
        ]
        self.layers: list[list[Place]] = [[] for _ in range(max(self.ranks, default=-1) + 1)]
        for place in self.places:
            self.layers[place.rank].append(place)
        self.ways = {number: self._way(link) for number, link in self.lying.items()}

    # --- layers --------------------------------------------------------------------------------------------------

    def _ranks(self) -> list[int]:
        """Return the layer of each piece: below all that lead to it, or near to what it leads to if that is more."""
        ranks = [0] * len(self.pieces)
        # Those that lead to each one stand before it.
        sequence = in_order(range(len(ranks)), self.before.__getitem__, lambda piece: sorted(self.after[piece]))
        for piece in sequence:
            ranks[piece] = max((ranks[other] + 1 for other in self.before[piece]), default=0)
        for piece in reversed(sequence):
            if len(self.after[piece]) > len(self.before[piece]) and not self.pieces[piece].end:
                ranks[piece] = min(ranks[other] for other in self.after[piece]) - 1
        last = max(ranks, default=0)
        return [last if piece.end == 1 else rank for piece, rank in zip(self.pieces, ranks)]

    def _way(self, link: _Lying) -> list[Place]:
        """Connect both ends of a link, and return the places where it passes through layers in between."""
        start, end = self.places[link.upper], self.places[link.lower]
        way = [Place(0.0, rank, True) for rank in range(start.rank + 1, end.rank)]
        # What runs beside a longer way draws neither of its ends out of the line of that way.
        weight = 0.01 if way and self._has_longer_way(link) else 1.0
        stops = [start, *way, end]
        for k, (upper, lower) in enumerate(pairwise(stops)):
            leaves, enters = (link.leaves if k == 0 else 0.0), (link.enters if k == len(way) else 0.0)
            connect(upper, lower, leaves, enters, STRAIGHTNESS if upper.is_line and lower.is_line else weight)
        for place in way:
            self.layers[place.rank].append(place)
        return way

    def _has_longer_way(self, link: _Lying) -> bool:
        """Tell whether other links lead from the one end to the other, too."""
        seen, pending = {link.upper}, [other for other in self.after[link.upper] if other != link.lower]
        while pending:
            piece = pending.pop()
            if piece == link.lower:
                return True
            if piece not in seen and self.ranks[piece] < self.ranks[link.lower]:
                seen.add(piece)
                pending.extend(self.after[piece])
        return False

    # --- the order within a layer --------------------------------------------------------------------------------

    def order(self) -> None:
        """Put the places of each layer into the order with the fewest crossings that the sweeps come to."""
        self._number()
        best, fewest, best_sweep = [list(layer) for layer in self.layers], None, 0
        for sweep in range(SWEEPS):
            downwards = sweep % 2 == 0
            for layer in self.layers[1:] if downwards else self.layers[-2::-1]:
                layer.sort(key=lambda place: _barycentre(place, place.above if downwards else place.below))
                self._number([layer])
            for layer in self.layers:
                self._swap_neighbours(layer)
            crossings = sum(map(_crossings, self.layers[:-1]))
            if fewest is None or crossings < fewest:
                best, fewest, best_sweep = [list(layer) for layer in self.layers], crossings, sweep
            if not crossings or sweep - best_sweep >= PATIENCE:
                break
        self.layers = best
        self._number()

    def _number(self, layers: Sequence[list[Place]] | None = None) -> None:
        for layer in self.layers if layers is None else layers:
            for number, place in enumerate(layer):
                place.order = number

    def _swap_neighbours(self, layer: list[Place]) -> None:
        for k in range(len(layer) - 1):
            left, right = layer[k], layer[k + 1]
            as_is = _crossed(left.above, right.above) + _crossed(left.below, right.below)
            if as_is > _crossed(right.above, left.above) + _crossed(right.below, left.below):
                layer[k], layer[k + 1] = right, left
                left.order, right.order = k + 1, k

    # --- the whole -----------------------------------------------------------------------------------------------

    def arrangement(self) -> Arrangement:
        """Return where everything lies."""
        self.order()
        spread(self.layers)
        left = min((place.x - place.width / 2 for place in self._all()), default=0.0)
        for place in self._all():
            place.x -= left
        width = max((place.x + place.width / 2 for place in self._all()), default=0.0)
        bands = self._bands()
        centres = [(place.x, sum(bands[place.rank]) / 2) for place in self.places]
        curves = [self._curve(number, link, centres, bands) for number, link in enumerate(self.links)]
        return Arrangement(width, bands[-1][1] if bands else 0.0, centres, curves)

    def _all(self) -> list[Place]:
        return [place for layer in self.layers for place in layer]

    def _bands(self) -> list[tuple[float, float]]:
        """Return where each layer begins and ends; flat arrows get more room between two layers."""
        heights = [0.0] * len(self.layers)
        for place, piece in zip(self.places, self.pieces):
            heights[place.rank] = max(heights[place.rank], piece.height)
        bands, y = [], 0.0
        for rank, (layer, height) in enumerate(zip(self.layers, heights)):
            bands.append((y, y + height))
            far = max((abs(p.x + e.here - e.other.x - e.there) for p in layer for e in p.below), default=0.0)
            is_border = height == 0 or heights[min(rank + 1, len(heights) - 1)] == 0
            y += height + (BORDER_APART if is_border else LAYERS_APART) + min(far * 0.12, LAYERS_APART * 2)
        return bands

    def _curve(self, number: int, link: Link, centres: Sequence[Point], bands: Sequence[tuple[float, float]]) -> Curve:
        if link.source == link.target:
            (x, y), piece = centres[link.source], self.pieces[link.source]
            side, reach = x + piece.width / 2, min(piece.height / 4, LOOP / 2)
            return [(side, y - reach), (side + LOOP, y - reach), (side + LOOP, y + reach), (side, y + reach)]
        lying, way = self.lying[number], self.ways[number]
        upper, lower = self.places[lying.upper], self.places[lying.lower]
        start, end = upper.x + lying.leaves, lower.x + lying.enters
        stops: list[Point] = [(start, centres[lying.upper][1] + self.pieces[lying.upper].height / 2)]
        stops.append((start, bands[upper.rank][1]))
        for place in way:
            stops += [(place.x, bands[place.rank][0]), (place.x, bands[place.rank][1])]
        stops.append((end, bands[lower.rank][0]))
        stops.append((end, centres[lying.lower][1] - self.pieces[lying.lower].height / 2))
        curve = _smooth(stops)
        return curve[::-1] if link.up else curve


def _smooth(stops: Sequence[Point]) -> Curve:
    """Return curves through points, which leave and reach each one straight downwards."""
    curve = [stops[0]]
    for (x, y), (x_next, y_next) in pairwise(stops):
        if y_next > y:
            middle = (y + y_next) / 2
            curve += [(x, middle), (x_next, middle), (x_next, y_next)]
    return curve


def _barycentre(place: Place, ends: Sequence[End]) -> float:
    return sum(end.order() for end in ends) / len(ends) if ends else float(place.order)


def _crossed(left: Sequence[End], right: Sequence[End]) -> int:
    return sum(a.order() > b.order() for a in left for b in right)


def _crossings(layer: Sequence[Place]) -> int:
    """Return how often links to the next layer cross: how many lead to the left of one that begins further left."""
    seen: list[float] = []
    crossings = 0
    for place in layer:
        for order in sorted(end.order() for end in place.below):
            crossings += len(seen) - bisect_right(seen, order)
            insort(seen, order)
    return crossings
