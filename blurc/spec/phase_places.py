"""Where the phases of a genome go among those of the genome that it extends.

A phase stands where the other genome has the one of the same kind and name, `of` the same; the second `update` without
a name is the same as the other's second. `forward of inhibitory` that is new comes behind the other's `forward`, any
other new phase behind the one that is written before it, or else at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeAlias

from blurc.checker import together
from blurc.language import syntax

Run: TypeAlias = "syntax.Phase | syntax.Again"
# What a phase is called: its kind, its name or its number among those without, and what it is `of`.
Key: TypeAlias = "tuple[str, str | int, str]"


@dataclass(frozen=True, eq=False)
class Place:
    """What runs at one place of the genome, and in which `repeat`."""

    run: Run | None  # None: in a `repeat` that holds nothing
    key: Key | None = None  # None: a phase that runs again
    within: syntax.Repeat | None = None


def with_phases(own: Iterable[syntax.GenomeItem], inherited: Iterable[syntax.GenomeItem]) -> list[syntax.GenomeItem]:
    """The phases and repeats of a genome that extends another: `own` are its items, `inherited` those of the other."""
    places = [place for part in _parts(inherited) for place in part]
    last: Place | None = None  # what stands before the part at hand
    inside: syntax.Repeat | None = None  # the other's `repeat` that it stands in
    for part in _parts(own):
        keys = {place.key for place in part} - {None}
        taken = [place for place in places if place.key in keys]
        beside = [place for place in places if _beside(place, part[0])]
        if part[0].within:
            at, inside = (places.index(taken[0]) if taken else _behind(last, None, places)), None
        elif taken:
            at, inside = places.index(taken[0]), taken[0].within
        elif beside:
            at, inside = places.index(beside[-1]) + 1, beside[-1].within
        else:
            at = _behind(last, inside, places)
        placed = part if part[0].within else [replace(part[0], within=inside)]
        places = [place for place in (*places[:at], *placed, *places[at:]) if place not in taken]
        last = placed[-1]
    return list(_items(places))


def _beside(a: Place, b: Place) -> bool:
    """Whether the two run as one phase."""
    return a.key is not None and b.key is not None and a.key[:2] == b.key[:2]


def _behind(last: Place | None, inside: syntax.Repeat | None, places: list[Place]) -> int:
    """Where a new part goes: right behind the last one, within the same `repeat` if it is `inside`."""
    if last is None:
        return len(places)
    at = places.index(last) + 1
    while at < len(places) and (
        _beside(places[at], last) or (not inside and last.within and places[at].within is last.within)
    ):
        at += 1
    return at


def _parts(items: Iterable[syntax.GenomeItem]) -> Iterator[list[Place]]:
    """Each phase and each `repeat`, by its places."""
    count = Counter[str]()
    before: list[Run] = []  # those that the phase at hand may run together with

    def key(run: Run) -> Key | None:
        if isinstance(run, syntax.Again):
            before.clear()
            return None
        if len(together([*before, run])) > 1 or not before:
            before.clear()
            count[run.kind] += run.name is None
        before.append(run)
        return (run.kind, run.name or count[run.kind], run.of)

    for item in items:
        match item:
            case syntax.Phase() | syntax.Again():
                yield [Place(item, key(item))]
            case syntax.Repeat(phases=runs):
                before.clear()
                yield [Place(run, key(run), item) for run in runs] or [Place(None, None, item)]
                before.clear()
            case _:
                pass


def _items(places: list[Place]) -> Iterator[syntax.GenomeItem]:
    for within, group in groupby(places, lambda place: place.within and place.within.span):
        runs = tuple((place.run, place.within) for place in group)
        if within is None:
            yield from (run for run, _ in runs if run)
        elif repeat := runs[0][1]:
            yield replace(repeat, phases=tuple(run for run, _ in runs if run))
