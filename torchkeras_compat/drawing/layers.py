"""Where the boxes of a graph and its arrows lie: layers of boxes one below the other, as Sugiyama's method has them.

Each box stands as far down as the longest path to it says, arrows over several layers get a place in each of them,
the order within a layer follows the barycentres of neighbours, and places along a layer are the least squares of the
distances to neighbours under that order.

Source: K. Sugiyama, S. Tagawa, M. Toda, «Methods for visual understanding of hierarchical system structures», 1981;
the least squares of a layer are an isotonic regression, found by pooling adjacent violators.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from operator import mul

Point = tuple[float, float]
Curve = list[Point]  # cubic Bézier curves, one after the other: a point, and three more for each curve

APART = 24.0  # between two boxes of a layer
APART_FROM_LINES = 14.0
LINES_APART = 10.0
LAYERS_APART = 30.0
BORDER_APART = 14.0  # between a box and the frame around it
SWEEPS = 12
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
    found: set[int] = set()
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
                found.add(arrow)
            elif not state[target]:
                state[target] = 1
                path.append((target, iter(outgoing[target])))
    return found


def arrange(pieces: Sequence[Piece], links: Sequence[Link]) -> Arrangement:
    """Return where pieces and the links between them lie.

    Args:
        pieces: The pieces.
        links: The arrows; those that do not lead `up` make no circle.
    """
    return _Layers(pieces, links).arrangement()


@dataclass(eq=False)
class _Place:
    """A piece in its layer, or the point where a long link passes through one.

    Attributes:
        width: Its extent along the layer.
        rank: The number of its layer.
        is_line: Whether it is such a point.
        above: Its ends of links to the layer above.
        below: Its ends of links to the layer below.
        order: Its number in the layer.
        x: Its middle along the layer.
    """

    width: float
    rank: int
    is_line: bool = False
    above: list[_End] = field(default_factory=list)
    below: list[_End] = field(default_factory=list)
    order: int = 0
    x: float = 0.0


@dataclass(frozen=True)
class _End:
    """Where a link between two layers ends.

    Attributes:
        other: The place at its other end.
        there: Where it ends there, from the middle of that place.
        here: Where it ends here.
        weight: How much it counts that both lie one above the other.
    """

    other: _Place
    there: float
    here: float
    weight: float

    def order(self) -> float:
        """Return where the other end stands in its layer, in numbers of places."""
        return self.other.order + (self.there / self.other.width if self.there else 0.0)


def _connect(upper: _Place, lower: _Place, leaves: float, enters: float, weight: float) -> None:
    upper.below.append(_End(lower, enters, leaves, weight))
    lower.above.append(_End(upper, leaves, enters, weight))


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
            _Place(piece.width + (2 * LOOP if i in loops else 0), self.ranks[i]) for i, piece in enumerate(pieces)
        ]
        self.layers: list[list[_Place]] = [[] for _ in range(max(self.ranks, default=-1) + 1)]
        for place in self.places:
            self.layers[place.rank].append(place)
        self.ways = {number: self._way(link) for number, link in self.lying.items()}

    # --- layers --------------------------------------------------------------------------------------------------

    def _ranks(self) -> list[int]:
        """Return the layer of each piece: below all that lead to it, or near to what it leads to if that is more."""
        ranks, in_order = [0] * len(self.pieces), self._in_order()
        for piece in in_order:
            ranks[piece] = max((ranks[other] + 1 for other in self.before[piece]), default=0)
        for piece in reversed(in_order):
            if len(self.after[piece]) > len(self.before[piece]) and not self.pieces[piece].end:
                ranks[piece] = min(ranks[other] for other in self.after[piece]) - 1
        last = max(ranks, default=0)
        return [last if piece.end == 1 else rank for piece, rank in zip(self.pieces, ranks)]

    def _in_order(self) -> list[int]:
        """Return the pieces so that each one stands behind those that lead to it."""
        waiting = [len(pieces) for pieces in self.before]
        ready = [piece for piece, number in enumerate(waiting) if not number]
        for piece in ready:  # grows meanwhile
            for other in sorted(self.after[piece]):
                waiting[other] -= 1
                if not waiting[other]:
                    ready.append(other)
        return ready

    def _way(self, link: _Lying) -> list[_Place]:
        """Connect both ends of a link, and return the places where it passes through layers in between."""
        start, end = self.places[link.upper], self.places[link.lower]
        way = [_Place(0.0, rank, True) for rank in range(start.rank + 1, end.rank)]
        # What runs beside a longer way draws neither of its ends out of the line of that way.
        weight = 0.01 if way and self._has_longer_way(link) else 1.0
        stops = [start, *way, end]
        for k, (upper, lower) in enumerate(pairwise(stops)):
            leaves, enters = (link.leaves if k == 0 else 0.0), (link.enters if k == len(way) else 0.0)
            _connect(upper, lower, leaves, enters, STRAIGHTNESS if upper.is_line and lower.is_line else weight)
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
        best, fewest = [list(layer) for layer in self.layers], None
        for sweep in range(SWEEPS):
            downwards = sweep % 2 == 0
            for layer in self.layers[1:] if downwards else self.layers[-2::-1]:
                layer.sort(key=lambda place: _barycentre(place, place.above if downwards else place.below))
                self._number([layer])
            for layer in self.layers:
                self._swap_neighbours(layer)
            crossings = sum(map(_crossings, self.layers[:-1]))
            if fewest is None or crossings < fewest:
                best, fewest = [list(layer) for layer in self.layers], crossings
            if not crossings:
                break
        self.layers = best
        self._number()

    def _number(self, layers: Sequence[list[_Place]] | None = None) -> None:
        for layer in self.layers if layers is None else layers:
            for number, place in enumerate(layer):
                place.order = number

    def _swap_neighbours(self, layer: list[_Place]) -> None:
        for k in range(len(layer) - 1):
            left, right = layer[k], layer[k + 1]
            as_is = _crossed(left.above, right.above) + _crossed(left.below, right.below)
            if as_is > _crossed(right.above, left.above) + _crossed(right.below, left.below):
                layer[k], layer[k + 1] = right, left
                left.order, right.order = k + 1, k

    # --- places along a layer ------------------------------------------------------------------------------------

    def spread(self) -> None:
        """Give each place its middle along the layer."""
        for layer in self.layers:
            for place, x in zip(layer, _offsets(layer)):
                place.x = x
        for _ in range(SWEEPS):
            for layer in self.layers[1:]:
                _settle(layer, True, False)
            for layer in self.layers[-2::-1]:
                _settle(layer, False, True)
        runs = self._runs()
        for _ in range(SWEEPS):
            for run in runs:
                self._straighten(run)
            runs.reverse()

    def _runs(self) -> list[list[_Place]]:
        """Return the places in runs, in each of which one leads to the next and nothing else counts there."""
        followers = {id(place): follower for place in self._all() if (follower := _follower(place))}
        inside = {id(follower.other) for follower in followers.values()}
        runs = []
        for place in self._all():
            if id(place) not in inside:
                runs.append([place])
                while (follower := followers.get(id(runs[-1][-1]))) is not None:
                    runs[-1].append(follower.other)
        return runs

    def _straighten(self, run: Sequence[_Place]) -> None:
        """Move a run to where its neighbours draw it, each place straight below the one before, if there is room."""
        shifts, shift = [], 0.0  # of each place against the first
        for place in run:
            shifts.append(shift)
            if (follower := _follower(place)) is not None:
                shift += follower.here - follower.there
        least, most = float("-inf"), float("inf")
        for place, shift in zip(run, shifts):
            layer = self.layers[place.rank]
            if place.order > 0:
                least = max(least, layer[place.order - 1].x + _distance(layer[place.order - 1], place) - shift)
            if place.order < len(layer) - 1:
                most = min(most, layer[place.order + 1].x - _distance(place, layer[place.order + 1]) - shift)
        outer = [(end, shifts[0]) for end in run[0].above] + [(end, shifts[-1]) for end in run[-1].below]
        if least > most + 1e-6:
            return
        weights = [end.weight for end, _ in outer] or [1.0] * len(run)
        wishes = [end.other.x + end.there - end.here - shift for end, shift in outer] or [
            place.x - shift for place, shift in zip(run, shifts)
        ]
        wanted = sum(map(mul, weights, wishes)) / sum(weights)
        for place, shift in zip(run, shifts):
            place.x = min(max(wanted, least), most) + shift

    # --- the whole -----------------------------------------------------------------------------------------------

    def arrangement(self) -> Arrangement:
        """Return where everything lies."""
        self.order()
        self.spread()
        left = min((place.x - place.width / 2 for place in self._all()), default=0.0)
        for place in self._all():
            place.x -= left
        width = max((place.x + place.width / 2 for place in self._all()), default=0.0)
        bands = self._bands()
        centres = [(place.x, sum(bands[place.rank]) / 2) for place in self.places]
        curves = [self._curve(number, link, centres, bands) for number, link in enumerate(self.links)]
        return Arrangement(width, bands[-1][1] if bands else 0.0, centres, curves)

    def _all(self) -> list[_Place]:
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


def _barycentre(place: _Place, ends: Sequence[_End]) -> float:
    return sum(end.order() for end in ends) / len(ends) if ends else float(place.order)


def _crossed(left: Sequence[_End], right: Sequence[_End]) -> int:
    return sum(a.order() > b.order() for a in left for b in right)


def _crossings(layer: Sequence[_Place]) -> int:
    """Return how often links to the next layer cross: how many lead to the left of one that begins further left."""
    seen: list[float] = []
    crossings = 0
    for place in layer:
        for order in sorted(end.order() for end in place.below):
            crossings += len(seen) - bisect_right(seen, order)
            insort(seen, order)
    return crossings


def _follower(place: _Place) -> _End | None:
    """Return the only link downwards that counts, where it is also the only one upwards at its other end."""
    below = [end for end in place.below if end.weight >= 1]
    if len(below) == 1 and sum(end.weight >= 1 for end in below[0].other.above) == 1:
        return below[0]
    return None


def _distance(left: _Place, right: _Place) -> float:
    """Return how far apart the middles of two places of a layer must be at least."""
    return (left.width + right.width) / 2 + (APART, APART_FROM_LINES, LINES_APART)[left.is_line + right.is_line]


def _offsets(layer: Sequence[_Place]) -> list[float]:
    """Return the smallest middles that keep the places of a layer apart."""
    return [0.0, *accumulate(_distance(left, right) for left, right in pairwise(layer))][: len(layer)]


def _settle(layer: Sequence[_Place], above: bool, below: bool) -> None:
    """Move the places of a layer to where their neighbours draw them, as near as their order and distances allow.

    It is the least sum of weighted squares: a pool of places that touch stands at the mean of what they want.
    """
    offsets = _offsets(layer)
    pools: list[list[float]] = []  # weight, mean, and number of places
    for place, offset in zip(layer, offsets):
        ends = [*(place.above if above else ()), *(place.below if below else ())]
        weight = sum(end.weight for end in ends)
        wanted = sum(end.weight * (end.other.x + end.there - end.here) for end in ends) / weight if ends else place.x
        pools.append([max(weight, 0.001), wanted - offset, 1])
        while len(pools) > 1 and pools[-2][1] > pools[-1][1]:
            weight, mean, number = pools.pop()
            last = pools[-1]
            last[1] = (last[0] * last[1] + weight * mean) / (last[0] + weight)
            last[0] += weight
            last[2] += number
    moved = (mean for _, mean, number in pools for _ in range(int(number)))
    for place, offset, mean in zip(layer, offsets, moved):
        place.x = mean + offset
