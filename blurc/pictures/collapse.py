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
from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import count, groupby

from blurc.graph import reached
from blurc.pictures.parts import Contents, Member, Partition, Pile, first, grouped, signature

MOST_BOXES, MOST_ARROWS = 16, 40  # for a readable picture
LEAST = 3  # members of a run
FEWEST = 6  # levels to keep
PIECES = 4  # of a series


def partition(contents: Contents) -> Partition:
    parts: Partition = tuple(((name,),) for name in contents.names)
    for step in (runs, series, twins, levels):
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
    single, found = tuple((member,) for part in parts for member in part), list[list[tuple[int, Member]]]()
    for family in _families(single):
        size = max(LEAST, -(-len(family) // PIECES))
        found += (family[i : i + size] for i in range(0, len(family), size))
    return _together(single, found, contents)


def _families(parts: Partition) -> list[list[tuple[int, Member]]]:
    """Single things whose names differ only in the number at the end, by number."""
    single = [part[0] for part in parts if len(part) == len(part[0]) == 1]
    matches = ((re.fullmatch(r"(.*?)(\d+)", member[0]), member) for member in single)
    found = grouped((match[1], (int(match[2]), member)) for match, member in matches if match)
    return [sorted(family) for family in found.values() if len(family) >= LEAST]


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
    kept: set[Pile] = {part for part in stacked if part[1:]}
    for circle in _circles(stacked, contents) if found else ():
        several = [part for part in circle if part in kept and part[0] in number]
        kept -= set(several)
        common = [{number[m] for m in part} for part in several]
        shared = sorted(set[int].intersection(*common)) if len(several) > 1 else []
        if len(shared) >= LEAST:
            kept.add(tuple(_unit(several, number, n, contents) for n in shared))
    return _replaced(parts, [part for part in sorted(kept) if part not in parts])


def _unit(several: Iterable[Pile], number: Mapping[Member, int], wanted: int, contents: Contents) -> Member:
    """Everything with this number in several runs."""
    held = {name for part in several for member in part if number[member] == wanted for name in member}
    return tuple(name for name in contents.names if name in held)


def _replaced(parts: Partition, new: Iterable[Pile]) -> Partition:
    """Replaces parts by their groups, at the place of the first member."""
    home: dict[str, Pile] = {name: part for part in parts for member in part for name in member}
    for part in new:
        home |= {name: part for member in part for name in member}
    return tuple(dict.fromkeys(home[name] for part in parts for member in part for name in member))


def _circles(parts: Partition, contents: Contents) -> list[list[Pile]]:
    """The parts that lead to each other in circles, one list each (strongly connected components)."""
    after = {i: list[int]() for i in range(len(parts))} | grouped(_joined(parts, contents))
    reach = {i: reached([i], after) for i in after}
    circles = {frozenset(j for j in reach[i] if i in reach[j]) for i in after}
    return [[parts[i] for i in sorted(circle)] for circle in sorted(circles, key=min) if len(circle) > 1]


def twins(parts: Partition, contents: Contents) -> Partition:
    joined = _joined(parts, contents)
    after, before = grouped(joined), grouped((b, a) for a, b in joined)
    beside = [(frozenset(before.get(i, ())), frozenset(after.get(i, ()))) for i in range(len(parts))]
    return _merged(parts, beside, contents, LEAST)


def levels(parts: Partition, contents: Contents) -> Partition:
    depths = _depths(parts, contents)
    for wide in count(1):
        found = _merged(parts, [depth // wide for depth in depths], contents)
        if fits(found, contents) or 1 + max(depths) <= wide * FEWEST:
            return found
    raise AssertionError


def _merged(parts: Partition, keys: Iterable[Hashable], contents: Contents, least: int = 1) -> Partition:
    """Groups at least so many parts with one key and role."""
    groups = grouped(((_role(part, contents), key), part) for part, key in zip(parts, keys, strict=True))
    return _replaced(parts, [sum(group, ()) for group in groups.values() if len(group) >= least])


def _depths(parts: Partition, contents: Contents) -> list[int]:
    """The longest path from the start to every part; each circle counts once."""
    joined, depth = sorted(_joined(parts, contents)), [0] * len(parts)
    for _ in parts:
        before = [*depth]
        for a, b in joined:
            depth[b] = max(depth[b], min(depth[a] + 1, len(parts) - 1))
        if depth == before:
            break
    return depth


def _role(part: Pile, contents: Contents) -> str:
    held = {name for member in part for name in member}
    roles = {p.role for path, p in contents.populations.items() if first(path) in held}
    return roles.pop() if len(roles) == 1 else "hidden"
