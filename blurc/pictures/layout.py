"""Positions of the boxes and arrows of a picture: a layered drawing after Sugiyama, Tagawa and Toda (1981).

Boxes are in columns by longest path. An arrow over several columns gets a place in each of them, so that no arrow runs
through a box. Columns are ordered to reduce crossings, then shifted to straighten arrows; many columns are broken into
rows, like text. Lengths are in inches, y points down.

The ordering uses the barycenter heuristic, which does not guarantee the fewest crossings.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
Node: TypeAlias = "str | tuple[str, int]"  # a box, or the place of an arrow in a column that it crosses
Piece: TypeAlias = tuple[Point, ...]  # of a route: a line to a point, or a cubic curve (two controls and a point)
Edges: TypeAlias = tuple[float, float, float, float]  # left, right, top, bottom

COLUMNS, WIDEST = 10, 20.0  # limits of a row: columns, inches
LANE = 0.14  # between parallel arrows
# By how many of two nodes are places of arrows: the gap between them in a column; if they are joined, the weight of a
# straight line, highest between two adjacent boxes, then for long arrows without kinks.
GAP, PULL = (0.3, 0.13, 0.0), (16.0, 0.5, 4.0)
COLUMN_GAP, WIDEST_GAP = 0.55, 1.8
CORNER = 0.1  # the radius of turns
SWEEPS = 16
STRAIGHT = 100.0  # weight of a straight arrow over a bent one on the same side


@dataclass(frozen=True)
class Link:
    """Drawn from left to right: the column of `source` is before that of `target`. `label` is its text's width."""

    name: str
    source: str
    target: str
    label: float = 0.0


@dataclass(frozen=True)
class Place:
    """Of a box; x and y are the center."""

    x: float
    y: float
    width: float
    height: float

    @property
    def edges(self) -> Edges:
        x, y, w, h = self.x, self.y, self.width / 2, self.height / 2
        return x - w, x + w, y - h, y + h


@dataclass(frozen=True)
class Route:
    start: Point
    pieces: tuple[Piece, ...]
    label: Point  # the center of a label, just above the line


@dataclass(frozen=True)
class Layout:
    boxes: Mapping[str, Place]
    routes: Mapping[str, Route]
    width: float
    height: float


def arrange(sizes: Mapping[str, tuple[float, float]], arrows: Sequence[Link]) -> Layout:
    """Boxes of these sizes (taller where many arrows meet), and arrows that form no cycle."""
    grid = _Grid.make(sizes, arrows)
    grid.order()
    grid.align()
    return _Rows.make(grid).layout()


def columns(names: Iterable[str], arrows: Sequence[Link]) -> dict[str, int]:
    """The length of the longest path to every box."""
    before: dict[str, list[str]] = {name: [] for name in names}
    for arrow in arrows:
        before[arrow.target].append(arrow.source)
    found: dict[str, int] = {}
    for name in before:
        todo = [name]
        while todo:  # an explicit stack, as paths may exceed Python's recursion limit
            lacking = [b for b in before[todo[-1]] if b not in found]
            if not lacking:
                last = todo.pop()
                found[last] = 1 + max((found[b] for b in before[last]), default=-1)
            todo += lacking
    return found


# ---------------------------------------------------------------- order and height


@dataclass
class _Grid:
    """Columns of nodes, from top to bottom, with their positions."""

    sizes: Mapping[str, tuple[float, float]]
    arrows: Sequence[Link]
    chains: dict[str, tuple[Node, ...]]  # by arrow, from box to box
    columns: list[list[Node]]
    before: dict[Node, list[Node]]
    after: dict[Node, list[Node]]
    y: dict[Node, float] = field(default_factory=dict["Node", float])

    @staticmethod
    def make(sizes: Mapping[str, tuple[float, float]], arrows: Sequence[Link]) -> _Grid:
        column = columns(sizes, arrows)
        stacks: list[list[Node]] = [[] for _ in range(1 + max(column.values(), default=0))]
        for name, at in column.items():
            stacks[at].append(name)
        chains: dict[str, tuple[Node, ...]] = {}
        for arrow in arrows:
            passed = [(arrow.name, at) for at in range(column[arrow.source] + 1, column[arrow.target])]
            chains[arrow.name] = (arrow.source, *passed, arrow.target)
            for node in passed:
                stacks[node[1]].append(node)
        before, after = ({node: list[Node]() for stack in stacks for node in stack} for _ in range(2))
        for chain in chains.values():
            for a, b in itertools.pairwise(chain):
                after[a].append(b)
                before[b].append(a)
        return _Grid(sizes, arrows, chains, stacks, before, after)

    def height(self, node: Node) -> float:
        if isinstance(node, tuple):
            return LANE
        ports = max(len(self.before[node]), len(self.after[node]))
        return max(self.sizes[node][1], LANE * (ports + 1))

    def order(self) -> None:
        best, fewest = [*self.columns], self.crossings()
        for sweep in range(SWEEPS):
            self._sort(forward=sweep % 2 == 0)
            crossings = self.crossings()
            if crossings < fewest:
                best, fewest = [*self.columns], crossings
        self.columns = best

    def _sort(self, forward: bool) -> None:
        beside = self.before if forward else self.after
        walk = range(1, len(self.columns)) if forward else range(len(self.columns) - 2, -1, -1)
        for at in walk:
            neighbours = self.columns[at - 1 if forward else at + 1]
            rank = {node: i for i, node in enumerate(neighbours)}
            own = {node: i for i, node in enumerate(self.columns[at])}

            def middle(node: Node, rank: dict[Node, int] = rank, own: dict[Node, int] = own) -> float:
                ranks = [rank[n] for n in beside[node]]
                return sum(ranks) / len(ranks) if ranks else own[node]

            self.columns[at] = sorted(self.columns[at], key=middle)

    def crossings(self) -> int:
        total = 0
        for left, right in zip(self.columns, self.columns[1:], strict=False):
            rank = {node: i for i, node in enumerate(right)}
            seen: list[int] = []
            for node in left:
                ends = sorted(rank[n] for n in self.after[node])
                total += sum(len(seen) - bisect_right(seen, end) for end in ends)
                for end in ends:
                    insort(seen, end)
        return total

    def align(self) -> None:
        """Moves the nodes of a column, keeping their order, towards the nodes that they are connected to."""
        for stack in self.columns:
            gaps = self._gaps(stack)
            self.y.update(zip(stack, _spread([0.0] * len(stack), [1.0] * len(stack), gaps), strict=True))
        for sweep in range(4 * SWEEPS):
            for stack in self.columns if sweep % 2 == 0 else reversed(self.columns):
                wanted, weights = zip(*(self._wanted(node) for node in stack), strict=True)
                self.y.update(zip(stack, _spread(wanted, weights, self._gaps(stack)), strict=True))

    def _wanted(self, node: Node) -> tuple[float, float]:
        """The preferred position of a node, ignoring its column, and the weight of that."""
        joined = [(self.y[n], PULL[_passing(node, n)]) for n in (*self.before[node], *self.after[node])]
        weight = sum(pull for _, pull in joined)
        return (sum(y * pull for y, pull in joined) / weight, weight) if joined else (self.y[node], 0.1)

    def _gaps(self, stack: Sequence[Node]) -> list[float]:
        """The minimum distances between the centers of neighbours."""
        return [(self.height(a) + self.height(b)) / 2 + GAP[_passing(a, b)] for a, b in itertools.pairwise(stack)]


def _passing(a: Node, b: Node) -> int:
    """How many of the two are places of arrows."""
    return isinstance(a, tuple) + isinstance(b, tuple)


def _spread(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The positions nearest to the wanted ones (least squares) that keep the order and the gaps.

    Without the gaps this is isotonic regression, by pooling adjacent violators.
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    pools: list[tuple[float, float, int]] = []  # mean, weight, count
    for want, weight, offset in zip(wanted, weights, offsets, strict=False):
        mean, total, count = want - offset, weight, 1
        while pools and pools[-1][0] >= mean:
            other, more, n = pools.pop()
            mean, total, count = (mean * total + other * more) / (total + more), total + more, count + n
        pools.append((mean, total, count))
    flat = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=False)]


# ---------------------------------------------------------------- places and routes


@dataclass
class _Rows:
    """A grid with its columns side by side, in rows."""

    grid: _Grid
    row: list[int]  # by column
    left: list[float]
    width: list[float]
    shift: list[float]  # down, by row
    bottom: list[float]
    size: Point
    indent: float

    @staticmethod
    def make(grid: _Grid) -> _Rows:
        count = len(grid.columns)
        width = [max((grid.sizes[n][0] for n in stack if isinstance(n, str)), default=0) for stack in grid.columns]
        per_row = _per_row(grid, width)
        row = [at // per_row for at in range(count)]
        turning = [_links(grid, at) for at in range(per_row - 1, count - 1, per_row)]
        indent = max((0.3 + LANE * len(links) for links in turning), default=0.0)
        left: list[float] = []
        for at in range(count):
            first = at % per_row == 0
            left.append(indent if first else left[-1] + width[at - 1] + _column_gap(grid, at))
        shift, bottom, y = list[float](), list[float](), 0.0
        for r in range(row[-1] + 1):
            nodes = [n for at, stack in enumerate(grid.columns) if row[at] == r for n in stack]
            top = min(grid.y[n] - grid.height(n) / 2 for n in nodes)
            low = max(grid.y[n] + grid.height(n) / 2 for n in nodes)
            shift.append(y - top)
            bottom.append(y - top + low)
            y = bottom[-1] + (0.4 + LANE * len(turning[r]) if r < len(turning) else 0)
        right = max(x + w for x, w in zip(left, width, strict=True)) + indent
        return _Rows(grid, row, left, width, shift, bottom, (right, y), indent)

    def layout(self) -> Layout:
        boxes = {
            node: Place(self.left[at] + self.width[at] / 2, self._y(node, at), self.width[at], self.grid.height(node))
            for at, stack in enumerate(self.grid.columns)
            for node in stack
            if isinstance(node, str)
        }
        at = {node: i for i, stack in enumerate(self.grid.columns) for node in stack}
        starts, ends = self._ports(at, outgoing=True), self._ports(at, outgoing=False)
        routes = {a.name: self._route(a, at, starts, ends) for a in self.grid.arrows}
        return Layout(boxes, routes, *self.size)

    def _y(self, node: Node, at: int) -> float:
        return self.grid.y[node] + self.shift[self.row[at]]

    def _ports(self, at: Mapping[Node, int], outgoing: bool) -> dict[str, float]:
        """Where each arrow leaves (or enters) its box, as straight as the other arrows on that side allow. y is that of
        the grid, not yet shifted to a row."""
        grid, found = self.grid, dict[str, float]()
        sides: dict[str, list[tuple[float, str]]] = {}
        for arrow in grid.arrows:
            chain = grid.chains[arrow.name]
            box, beside = (arrow.source, chain[1]) if outgoing else (arrow.target, chain[-2])
            # Two boxes that overlap in height are connected level, at the same y on both sides.
            level = isinstance(beside, str) and abs(grid.y[box] - grid.y[beside]) < LANE
            y = (grid.y[box] + grid.y[beside]) / 2 if level else grid.y[beside]
            sides.setdefault(box, []).append((y, arrow.name))
        for box, ports in sides.items():
            ports.sort(key=lambda port: port[0])
            middle, room = grid.y[box], grid.height(box) / 2 - LANE / 2
            wanted = [min(max(y, middle - room), middle + room) for y, _ in ports]
            weights = [STRAIGHT if y == want else 1.0 for (y, _), want in zip(ports, wanted, strict=True)]
            gaps = [LANE] * (len(ports) - 1)
            for i, ((_, name), y) in enumerate(zip(ports, _spread(wanted, weights, gaps), strict=True)):
                lowest, highest = middle + room - LANE * (len(ports) - 1 - i), middle - room + LANE * i
                found[name] = max(highest, min(lowest, y))
        return found

    def _route(
        self, arrow: Link, at: Mapping[Node, int], starts: Mapping[str, float], ends: Mapping[str, float]
    ) -> Route:
        chain = self.grid.chains[arrow.name]
        heights = [starts[arrow.name], *(self.grid.y[node] for node in chain[1:-1]), ends[arrow.name]]
        stops = [(at[node], y + self.shift[self.row[at[node]]]) for node, y in zip(chain, heights, strict=True)]
        start = (self.left[stops[0][0]] + self.width[stops[0][0]], stops[0][1])
        pieces: list[Piece] = []
        for (a, y), (b, z) in itertools.pairwise(stops):
            if pieces:
                pieces.append(((self.left[a] + self.width[a], y),))
            if self.row[a] == self.row[b]:
                pieces.append(_bend((self.left[a] + self.width[a], y), (self.left[b], z)))
            else:
                pieces += self._turn(arrow, a, y, z)
        return Route(start, tuple(pieces), self._label(stops))

    def _turn(self, arrow: Link, a: int, y: float, z: float) -> list[Piece]:
        """From the end of a row through the corridor below it to the start of the next. Arrows keep their order: the
        top one turns outermost on the right, is lowest in the corridor, and turns innermost on the left."""
        links = _links(self.grid, a)
        lane = next(i for i, (name, _) in enumerate(links) if name == arrow.name)
        outer = LANE * (len(links) - 1 - lane)
        right = self.left[a] + self.width[a] + 0.2 + outer
        corridor = self.bottom[self.row[a]] + 0.2 + outer
        left = self.indent - 0.2 - LANE * lane
        points = [(right, y), (right, corridor), (left, corridor), (left, z), (self.left[a + 1], z)]
        return _rounded((self.left[a] + self.width[a], y), points)

    def _label(self, stops: list[tuple[int, float]]) -> Point:
        if len(stops) > 2:  # above the middle column that it crosses
            at, y = stops[len(stops) // 2]
            return self.left[at] + self.width[at] / 2, y
        (a, y), (b, z) = stops
        if self.row[a] != self.row[b]:
            return self.left[a] + self.width[a], y
        return (self.left[a] + self.width[a] + self.left[b]) / 2, (y + z) / 2


def _per_row(grid: _Grid, width: Sequence[float]) -> int:
    """The number of columns that keeps rows within the limits and about equally full."""
    count = len(width)
    wide = [w + _column_gap(grid, at) if at else w for at, w in enumerate(width)]
    for rows in range(math.ceil(count / COLUMNS), count + 1):
        per_row = math.ceil(count / rows)
        if max(sum(wide[at : at + per_row]) for at in range(0, count, per_row)) <= WIDEST:
            return per_row
    return 1


def _links(grid: _Grid, at: int) -> list[tuple[str, float]]:
    """The arrows between a column and the next with their y, from top to bottom."""
    inside = set(grid.columns[at])
    rank = {node: i for i, node in enumerate(grid.columns[at + 1])}
    found = [
        (name, grid.y[a], rank[b])
        for name, chain in grid.chains.items()
        for a, b in itertools.pairwise(chain)
        if a in inside and b in rank
    ]
    return [(name, y) for name, y, _ in sorted(found, key=lambda link: link[1:])]


def _column_gap(grid: _Grid, at: int) -> float:
    """Between the previous column and this one: wide if arrows are steep, or a label must fit."""
    rises = [abs(grid.y[a] - grid.y[b]) for b in grid.columns[at] for a in grid.before[b]]
    near = [a for a in grid.arrows if len(grid.chains[a.name]) == 2 and a.target in grid.columns[at]]
    labels = [a.label + 0.5 for a in near if a.label]
    return max(min(COLUMN_GAP + 0.3 * max(rises, default=0), WIDEST_GAP), *labels, 0)


def _bend(start: Point, end: Point) -> Piece:
    """An S-curve that leaves and arrives level."""
    if abs(start[1] - end[1]) < 0.005:
        return (end,)
    middle = (start[0] + end[0]) / 2
    return (middle, start[1]), (middle, end[1]), end


def _rounded(start: Point, points: list[Point]) -> list[Piece]:
    """Straight lines from point to point, with rounded corners."""
    pieces: list[Piece] = []
    before = start
    for corner, after in itertools.pairwise(points):
        into, out = _towards(corner, before), _towards(corner, after)
        pieces += [(into,), (corner, corner, out)]
        before = corner
    return [*pieces, (points[-1],)]


def _towards(corner: Point, other: Point) -> Point:
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = math.hypot(dx, dy)
    part = min(CORNER, length / 2) / length if length else 0.0
    return corner[0] + dx * part, corner[1] + dy * part
