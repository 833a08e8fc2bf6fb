"""Where the places of each layer of a graph lie along it, their order being known: near their neighbours, and straight.

Each layer is first settled by itself: the least squares of the distances to neighbours in the next layer, which is an
isotonic regression, found by pooling adjacent violators. Then what lies in a row from layer to layer is moved as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TypeVar

T = TypeVar("T")
Layer = Sequence["Place"]

APART = 24.0  # between two boxes of a layer
APART_FROM_LINES = 14.0
LINES_APART = 10.0
SWEEPS = 8
MUCH = 1.5  # how much wider straight runs may make a picture
NEAR = 0.05  # what moves less than this stands


@dataclass(eq=False)
class Place:
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
    above: list[End] = field(default_factory=list)
    below: list[End] = field(default_factory=list)
    order: int = 0
    x: float = 0.0


@dataclass(frozen=True)
class End:
    """Where a link between two layers ends.

    Attributes:
        other: The place at its other end.
        there: Where it ends there, from the middle of that place.
        here: Where it ends here.
        weight: How much it counts that both lie one above the other; below 1 it bends nothing else.
    """

    other: Place
    there: float
    here: float
    weight: float

    def order(self) -> float:
        """Return where the other end stands in its layer, in numbers of places."""
        return self.other.order + (self.there / self.other.width if self.there else 0.0)

    def wanted(self) -> float:
        """Return where the place would lie straight above or below its neighbour."""
        return self.other.x + self.there - self.here


def connect(upper: Place, lower: Place, leaves: float, enters: float, weight: float) -> None:
    """Put a link between two places of neighbouring layers.

    Args:
        upper: The upper place.
        lower: The lower place.
        leaves: Where the link ends at the upper place, from its middle.
        enters: Where it ends at the lower place.
        weight: How much it counts that both lie one above the other.
    """
    upper.below.append(End(lower, enters, leaves, weight))
    lower.above.append(End(upper, leaves, enters, weight))


def spread(layers: Sequence[Layer]) -> None:
    """Give each place its middle along its layer.

    Args:
        layers: The places of each layer in their order.
    """
    for layer in layers:
        for place, x in zip(layer, _offsets(layer)):
            place.x = x
    for _ in range(SWEEPS):
        for layer in layers[1:]:
            _settle(layer, True)
        for layer in layers[-2::-1]:
            _settle(layer, False)
    _centre_at_waists(layers)
    runs = _straight_runs(layers)
    for _ in range(2 * SWEEPS):
        moved = max((run.move() for run in runs), default=0.0)
        _centre_at_waists(layers)
        runs.reverse()
        if moved < NEAR:
            break


def _distance(left: Place, right: Place) -> float:
    """Return how far apart the middles of two places of a layer must be at least."""
    return (left.width + right.width) / 2 + (APART, APART_FROM_LINES, LINES_APART)[left.is_line + right.is_line]


def _offsets(layer: Layer) -> list[float]:
    """Return the smallest middles that keep the places of a layer apart."""
    return [0.0, *accumulate(_distance(left, right) for left, right in pairwise(layer))][: len(layer)]


def _mean(ends: Sequence[End]) -> float:
    """Return where neighbours draw a place."""
    return sum(end.weight * end.wanted() for end in ends) / sum(end.weight for end in ends)


def _that_count(ends: Sequence[End]) -> Sequence[End]:
    return [end for end in ends if end.weight >= 1] or ends


def _settle(layer: Layer, downwards: bool) -> None:
    """Move the places of a layer to where the layer before draws them, as near as their order and distances allow.

    A pool of places that touch stands at the mean of what they want.
    """
    offsets = _offsets(layer)
    pools: list[tuple[float, float, int]] = []  # weight, mean, and number of places
    for place, offset in zip(layer, offsets):
        ends = place.above if downwards else place.below
        weight = sum(end.weight for end in ends) if ends else 0.001
        mean, number = (_mean(ends) if ends else place.x) - offset, 1
        while pools and pools[-1][1] > mean:
            before, its_mean, its_number = pools.pop()
            mean = (before * its_mean + weight * mean) / (before + weight)
            weight, number = weight + before, number + its_number
        pools.append((weight, mean, number))
    means = (mean for _, mean, number in pools for _ in range(number))
    for place, offset, mean in zip(layer, offsets, means):
        place.x = mean + offset


def _centre_at_waists(layers: Sequence[Layer]) -> None:
    """Move all below a layer with one place, so that it is in the middle of what is above and below."""
    shift = 0.0
    for layer in layers:
        for place in layer:
            place.x += shift
        if len(layer) == 1 and (layer[0].above or layer[0].below):
            (place,) = layer
            x = place.x
            if place.above:
                x = _mean(_that_count(place.above))
            if place.below:  # which is still to be shifted
                shift = x - _mean(_that_count(place.below))
            place.x = x


# --- runs ------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Run:
    """Places of layers one after the other, in each of which one leads to the next and nothing else counts there.

    Attributes:
        places: The places.
        shifts: Where each one lies against the first when the run is straight.
        left: Runs that stand to the left somewhere, and how far away at least.
        right: Those to the right.
    """

    places: list[Place]
    shifts: list[float]
    left: dict[_Run, float] = field(default_factory=dict)
    right: dict[_Run, float] = field(default_factory=dict)

    @property
    def x(self) -> float:
        """Where the first place lies when the run is straight."""
        return sum(place.x - shift for place, shift in zip(self.places, self.shifts)) / len(self.places)

    @x.setter
    def x(self, x: float) -> None:
        for place, shift in zip(self.places, self.shifts):
            place.x = x + shift

    def move(self) -> float:
        """Move the run to where its neighbours draw it, as far as there is room, and return how far that is."""
        first, last, was = self.places[0], self.places[-1], self.x
        wishes = [(end.weight, end.wanted()) for end in first.above]
        wishes += [(end.weight, end.wanted() - self.shifts[-1]) for end in last.below]
        if not wishes:
            return 0.0
        x = sum(weight * wish for weight, wish in wishes) / sum(weight for weight, _ in wishes)
        x = max([x, *(run.x + distance for run, distance in self.left.items())])
        self.x = min([x, *(run.x - distance for run, distance in self.right.items())])
        return abs(self.x - was)


def _straight_runs(layers: Sequence[Layer]) -> list[_Run]:
    """Return the places of all layers in runs that are straight, from left to right.

    Where many long links cross, straight ones would need too much room; there each place is a run of its own.
    """
    settled = [place.x for layer in layers for place in layer]
    room = MUCH * (max(settled, default=0.0) - min(settled, default=0.0) + APART)
    runs = _runs(layers)
    _make_straight(runs)
    straight = [place.x for layer in layers for place in layer]
    if max(straight, default=0.0) - min(straight, default=0.0) <= room:
        return runs
    for place, x in zip((place for layer in layers for place in layer), settled):
        place.x = x
    return _runs(layers, long=False)


def _runs(layers: Sequence[Layer], long: bool = True) -> list[_Run]:
    """Return the places of all layers in runs, from left to right.

    Args:
        layers: The layers.
        long: Whether a run may have more than one place.
    """
    by_place: dict[Place, _Run] = {}
    for upper, lower in pairwise([(), *layers]):
        followed = {follower.other: (place, follower) for place, follower in _followers(upper) if long}
        for place in lower:
            if place not in followed:
                by_place[place] = _Run([place], [0.0])
                continue
            before, end = followed[place]
            by_place[place] = run = by_place[before]
            run.places.append(place)
            run.shifts.append(run.shifts[-1] + end.here - end.there)
    for layer in layers:
        for left, right in pairwise(layer):
            a, b = by_place[left], by_place[right]
            distance = _distance(left, right) + a.shifts[left.rank - a.places[0].rank]
            distance -= b.shifts[right.rank - b.places[0].rank]
            a.right[b] = b.left[a] = max(distance, a.right.get(b, distance))
    runs = dict.fromkeys(by_place.values())
    return in_order(runs, lambda run: run.left, lambda run: run.right)


def _followers(layer: Layer) -> list[tuple[Place, End]]:
    """Return places that lead to one place alone, which nothing else leads to, where these ways do not cross."""
    followers, last = [], -1
    for place in layer:
        below = [end for end in place.below if end.weight >= 1]
        alone = len(below) == 1 and sum(end.weight >= 1 for end in below[0].other.above) == 1
        if alone and below[0].other.order > last:
            followers.append((place, below[0]))
            last = below[0].other.order
    return followers


def in_order(items: Iterable[T], before: Callable[[T], Sized], behind: Callable[[T], Iterable[T]]) -> list[T]:
    """Return items so that each one stands behind all that come before it.

    Args:
        items: The items, no circle among them.
        before: Returns those that come before one.
        behind: Returns those that one comes before.
    """
    waiting = {item: len(before(item)) for item in items}
    ready = [item for item, number in waiting.items() if not number]
    for item in ready:  # grows meanwhile
        for other in behind(item):
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return ready


def _make_straight(runs: Sequence[_Run]) -> None:
    """Make each run straight and keep all apart, near to where they lie.

    Pushing to the right whatever stands too near gives places that are far enough apart, and pushing to the left does;
    so do the means of both.
    """
    to_right: dict[_Run, float] = {}
    for run in runs:
        to_right[run] = max([run.x, *(to_right[other] + distance for other, distance in run.left.items())])
    to_left: dict[_Run, float] = {}
    for run in reversed(runs):
        to_left[run] = min([run.x, *(to_left[other] - distance for other, distance in run.right.items())])
    for run in runs:
        run.x = (to_right[run] + to_left[run]) / 2
