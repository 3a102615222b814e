"""What a picture of a network shows: boxes, some of them frames with boxes inside, and arrows.

A box is a population; an instance of a block, with its populations inside; or, if the picture would be too large,
several that are alike (`collapse.py`). A *path* is the name of a population without the enclosing instances: inside
`r1`, the population `r1.a` is `a`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from blurc.graph import reached
from blurc.model import Network, Population, Projection
from blurc.pictures import words
from blurc.pictures.collapse import partition
from blurc.pictures.parts import Contents, Edge, Pile, first, grouped, kind, signature


@dataclass(frozen=True)
class Box:
    """`role` may also be "block" for a frame, or "port" for what enters it from outside. `copies`: the number of boxes
    in a stack. `loops`: what leads back to the box itself, one of each kind."""

    key: str
    title: str
    role: str
    lines: tuple[str, ...] = ()
    copies: int = 1
    bias: bool = False
    loops: tuple[Arrow, ...] = ()
    inside: View | None = None


@dataclass(frozen=True)
class Arrow:
    """Drawn from left to right; `turned`: it actually leads from right to left."""

    key: str
    source: str
    target: str
    label: str
    forward: bool
    feedback: bool
    plastic: bool
    delayed: bool
    turned: bool = False


@dataclass(frozen=True)
class View:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]

    def all_boxes(self) -> Iterator[Box]:
        """Including nested ones."""
        for box in self.boxes:
            yield box
            if box.inside:
                yield from box.inside.all_boxes()

    def all_arrows(self) -> Iterator[Arrow]:
        yield from self.arrows
        for box in self.boxes:
            yield from box.loops
            if box.inside:
                yield from box.inside.all_arrows()


def view(network: Network, *, full: bool = False) -> View:
    """`full`: one box per population and one arrow per projection."""
    populations = {p.name: p for p in network.populations if p.role != "unit"}
    edges = [Edge(e.source, e.target, e) for e in network.projections if e.source in populations]
    contents = Contents(populations, edges)
    return _every(contents) if full else _of(contents)


def _every(contents: Contents) -> View:
    loops = grouped((e.source, e) for e in contents.edges if e.source == e.target)
    boxes = (_population(path, p, loops.get(path, ())) for path, p in contents.populations.items())
    arrows = [_arrow(e.of.name, e.source, e.target, [e.of]) for e in contents.edges if e.source != e.target]
    return View(tuple(boxes), tuple(along(arrows)))


def _of(contents: Contents) -> View:
    parts = partition(contents)
    key = {name: part[0][0] for part in parts for member in part for name in member}
    boxes = [_box(part, contents) for part in parts]
    ports = dict.fromkeys(e.source for e in contents.edges if e.port)
    boxes += [Box(f"port {p}", words.short(p) if len(ports) > 1 else "", "port") for p in ports]
    framed = {box.key for box in boxes if box.inside}
    return View(tuple(boxes), tuple(_arrows(contents, key, framed)))


def _box(part: Pile, contents: Contents) -> Box:
    member, key = part[0], part[0][0]
    held = {name for m in part for name in m}
    own = [e for e in contents.edges if not e.port and first(e.source) in held and first(e.target) in held]
    found = [p for path, p in contents.populations.items() if first(path) in held]
    if len(part) == 1 and not contents.is_frame(member):
        return _population(key, contents.populations[key], own)
    at = {name: i for i, m in enumerate(part) for name in m}
    between = [e for e in own if at[first(e.source)] != at[first(e.target)]]
    alike = len({signature(m, contents) for m in part}) == 1
    bias, name = any(p.bias for p in found), words.title(part)
    if alike and contents.is_frame(member):
        steps = dict.fromkeys(line.partition(",")[0] for line in _between(part, between))  # the rest is visible inside
        lines = [f"{len(part)} ×", *steps] if len(part) > 1 else []
        return Box(key, name, "block", tuple(lines), len(part), bias, inside=_of(contents.inside(member)))
    joined = own if not contents.is_frame(member) else between
    lines = [*words.populations(found, len(part)), *_between(part, joined)]
    role = found[0].role if len({p.role for p in found}) == 1 else "hidden"
    return Box(key, name, role, tuple(lines), len(part), bias)


def _population(key: str, p: Population, loops: Sequence[Edge]) -> Box:
    said = [f"↻ {words.projection(e.of) or 'itself'}" for e in loops]
    return Box(key, words.short(key), p.role, (*words.population(p), *said), 1, p.bias, _loops(key, loops))


def _loops(key: str, loops: Sequence[Edge]) -> tuple[Arrow, ...]:
    kinds = grouped(((e.of.forward, e.of.feedback, e.of.plastic, bool(e.of.delay)), e.of) for e in loops)
    return tuple(_arrow(found[0].name, key, key, found) for found in kinds.values())


def _between(part: Pile, edges: Sequence[Edge]) -> list[str]:
    """In words: `each → next`, if every member does it."""
    at = {name: i for i, member in enumerate(part) for name in member}
    steps = [(at[first(e.target)] - at[first(e.source)], kind(e.of)) for e in edges]
    lines: list[str] = []
    rest = len(edges)
    for (step, _), count in Counter(steps).items():
        if count == len(part) - abs(step) and 2 * abs(step) < len(part):
            one = edges[steps.index((step, _))].of
            said = words.projection(replace(one, name=f"{one.source}->{one.target}"))
            lines.append(f"each → {_whom(step)}{f', {said}' if said else ''}")
            rest -= count
    if rest:
        lines.append(f"{rest:,} projections between them" if rest > 1 else "1 projection between them")
    return lines


def _whom(step: int) -> str:
    if step == 0:
        return "itself"
    if abs(step) == 1:
        return "next" if step > 0 else "previous"
    return f"{abs(step)} {'on' if step > 0 else 'back'}"


def _arrows(contents: Contents, key: Mapping[str, str], framed: set[str]) -> list[Arrow]:
    """One arrow for all projections of a kind between two boxes."""

    def ends(e: Edge) -> tuple[str, str, object]:
        source, target = f"port {e.source}" if e.port else key[first(e.source)], key[first(e.target)]
        # Inside the frame there is more detail; outside it is one arrow.
        plastic = e.of.plastic or target in framed
        return source, target, (e.of.forward, e.of.feedback, plastic, bool(e.of.delay))

    groups = grouped((ends(e), e.of) for e in contents.edges)
    arrows = [
        _arrow(f"{i} {found[0].name}", source, target, found, labelled=target not in framed)
        for i, ((source, target, _), found) in enumerate(groups.items())
        if source != target
    ]
    return list(along(arrows))


def _arrow(key: str, source: str, target: str, found: Sequence[Projection], *, labelled: bool = True) -> Arrow:
    e = found[0]
    label = words.projections(found) if labelled else ""
    return Arrow(key, source, target, label, e.forward, e.feedback, any(p.plastic for p in found), bool(e.delay))


def along(arrows: Sequence[Arrow]) -> Iterator[Arrow]:
    """Turns the arrows around that would close a cycle. Arrows that carry forward within the step have priority."""
    after = defaultdict[str, set[str]](set)
    for arrow in sorted(arrows, key=lambda a: (a.delayed, not a.forward)):
        turned = arrow.source in reached([arrow.target], after)
        a, b = (arrow.target, arrow.source) if turned else (arrow.source, arrow.target)
        after[a].add(b)
        yield replace(arrow, source=a, target=b, turned=turned)
