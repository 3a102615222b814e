"""Groups similar things into one box of a picture: nothing in small networks, more and more in large ones.

1. Runs: at least three names that differ in a number at the end and look alike (`h1 .. h300`, instances `r1 .. r16`).
   Runs that lead to each other in circles (`a1 -> b1 -> a2 -> b2 ..`) become one run, grouped by number.
2. Series: the same for names that do not look alike, in a few pieces.
3. Twins: things with the same role, sources and targets.
4. Levels: everything with one role at the same distance from the start; then neighbouring levels.

Each step is tried only if the picture is still too large.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby

from blurc.pictures.parts import Contents, Member, Part, Partition, first, signature

MOST_BOXES, MOST_ARROWS = 16, 40  # for a readable picture
LEAST = 3  # members of a run
FEWEST = 6  # levels to keep
PIECES = 4  # of a series


def partition(contents: Contents) -> Partition:
    parts: Partition = tuple(((name,),) for name in contents.names)
    steps: tuple[Callable[[Partition, Contents], Partition], ...] = (runs, series, twins, levels)
    for step in steps:
        if fits(parts, contents):
            break
        parts = step(parts, contents)
    return parts


def fits(parts: Partition, contents: Contents) -> bool:
    """Whether the picture is small enough, including the contents of frames."""
    boxes = sum(len(contents.inside(part[0]).populations) if contents.is_frame(part[0]) else 1 for part in parts)
    return boxes <= MOST_BOXES and len(_joined(parts, contents)) <= MOST_ARROWS


def _joined(parts: Partition, contents: Contents) -> set[tuple[int, int]]:
    """Pairs of connected parts, by number, without delayed connections."""
    at = {name: i for i, part in enumerate(parts) for member in part for name in member}
    ends = {(at[first(e.source)], at[first(e.target)]) for e in contents.edges if not e.port and not e.of.delay}
    return {(a, b) for a, b in ends if a != b}


def runs(parts: Partition, contents: Contents) -> Partition:
    found = [
        run
        for family in _families(parts)
        for _, same in groupby(family, lambda numbered: signature(numbered[1], contents))
        for run in _consecutive(list(same))
    ]
    return _together(parts, found, contents)


def series(parts: Partition, contents: Contents) -> Partition:
    single = tuple((member,) for part in parts for member in part)
    found = [chunk for family in _families(single) for chunk in _chunks(family)]
    return _together(single, found, contents)


def _chunks(family: list[tuple[int, Member]]) -> Iterator[list[tuple[int, Member]]]:
    """A long series in a few pieces, as its members are not alike."""
    size = max(LEAST, -(-len(family) // PIECES))
    yield from (family[i : i + size] for i in range(0, len(family), size))


def _families(parts: Partition) -> Iterator[list[tuple[int, Member]]]:
    """Single things whose names differ only in the number at the end, by number."""
    found: dict[str, list[tuple[int, Member]]] = {}
    for part in parts:
        match = re.fullmatch(r"(.*?)(\d+)", part[0][0])
        if len(part) == len(part[0]) == 1 and match:
            found.setdefault(match[1], []).append((int(match[2]), part[0]))
    yield from (sorted(family) for family in found.values() if len(family) >= LEAST)


def _consecutive(family: list[tuple[int, Member]]) -> Iterator[list[tuple[int, Member]]]:
    for _, group in groupby(enumerate(family), lambda pair: pair[1][0] - pair[0]):
        run = [numbered for _, numbered in group]
        if len(run) >= LEAST:
            yield run


def _together(parts: Partition, found: list[list[tuple[int, Member]]], contents: Contents) -> Partition:
    """Groups these parts. Groups that would lead to each other in circles are merged by number; what has no partner
    stays single."""
    stacked = _replaced(parts, [tuple(m for _, m in run) for run in found])
    number = {m: n for run in found for n, m in run}
    kept: set[Part] = {part for part in stacked if part[1:]}
    for circle in _circles(stacked, contents) if found else ():
        several = [part for part in circle if part in kept and part[0] in number]
        kept -= set(several)
        common = [{number[m] for m in part} for part in several]
        shared = sorted(set[int].intersection(*common)) if len(several) > 1 else []
        if len(shared) >= LEAST:
            kept.add(tuple(_unit(several, number, n, contents) for n in shared))
    return _replaced(parts, [part for part in sorted(kept) if part not in parts])


def _unit(several: Iterable[Part], number: Mapping[Member, int], wanted: int, contents: Contents) -> Member:
    """Everything with this number in several runs."""
    held = {name for part in several for member in part if number[member] == wanted for name in member}
    return tuple(name for name in contents.names if name in held)


def _replaced(parts: Partition, new: Iterable[Part]) -> Partition:
    """Replaces parts by their groups, at the place of the first member."""
    home: dict[str, Part] = {name: part for part in parts for member in part for name in member}
    for part in new:
        home |= {name: part for member in part for name in member}
    return tuple(dict.fromkeys(home[name] for part in parts for member in part for name in member))


def _circles(parts: Partition, contents: Contents) -> list[list[Part]]:
    """The parts that lead to each other in circles, one list each (strongly connected components)."""
    after: dict[int, list[int]] = {i: [] for i in range(len(parts))}
    for a, b in sorted(_joined(parts, contents)):
        after[a].append(b)
    reach = {i: _from(after, i) for i in after}
    circles = {frozenset(j for j in reach[i] if i in reach[j]) for i in after if i in reach[i]}
    return [[parts[i] for i in sorted(circle)] for circle in sorted(circles, key=min)]


def _from(after: Mapping[int, list[int]], start: int) -> set[int]:
    seen, todo = set[int](), [start]
    while todo:
        new = [n for n in after[todo.pop()] if n not in seen]
        seen.update(new)
        todo += new
    return seen


def twins(parts: Partition, contents: Contents) -> Partition:
    joined = _joined(parts, contents)
    before: dict[int, set[int]] = {i: set() for i in range(len(parts))}
    after: dict[int, set[int]] = {i: set() for i in range(len(parts))}
    for a, b in joined:
        after[a].add(b)
        before[b].add(a)
    groups: dict[object, list[Part]] = {}
    for i, part in enumerate(parts):
        groups.setdefault((_role(part, contents), frozenset(before[i]), frozenset(after[i])), []).append(part)
    return _replaced(parts, [sum(group, ()) for group in groups.values() if len(group) >= LEAST])


def levels(parts: Partition, contents: Contents) -> Partition:
    depth = _depths(parts, contents)
    wide = 1
    while True:
        groups: dict[object, list[Part]] = {}
        for i, part in enumerate(parts):
            groups.setdefault((_role(part, contents), depth[i] // wide), []).append(part)
        found = _replaced(parts, [sum(group, ()) for group in groups.values()])
        if fits(found, contents) or 1 + max(depth.values()) <= wide * FEWEST:
            return found
        wide += 1


def _depths(parts: Partition, contents: Contents) -> dict[int, int]:
    """The longest path from the start to every part; each circle counts once."""
    joined, depth = sorted(_joined(parts, contents)), dict.fromkeys(range(len(parts)), 0)
    for _ in parts:
        before = dict(depth)
        for a, b in joined:
            depth[b] = max(depth[b], min(depth[a] + 1, len(parts) - 1))
        if depth == before:
            break
    return depth


def _role(part: Part, contents: Contents) -> str:
    held = {name for member in part for name in member}
    roles = {p.role for path, p in contents.populations.items() if first(path) in held}
    return roles.pop() if len(roles) == 1 else "hidden"
