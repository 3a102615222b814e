"""The text on boxes and arrows, kept short."""

from __future__ import annotations

from collections.abc import Sequence

from blurc.diagnostics import counted
from blurc.model import Edges, Population, Projection, given

LONGEST = 26  # characters of a name


def short(text: str) -> str:
    """A long name without its middle."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 9]}…{text[-8:]}"


def shape(sizes: Sequence[int]) -> str:
    return " × ".join(map(str, sizes)) or "1"


def projection(e: Projection) -> str:
    """The name it was given, its kind, its topology, its delay and its values."""
    own = "" if e.name.split("#")[0] == f"{e.source}->{e.target}" else short(e.name.rpartition(".")[2])
    return ", ".join(filter(None, (own, _how(e))))


def _how(e: Projection) -> str:
    delay = f"delay {e.delay}" if e.delay else ""
    same = f"same as {short(e.same.rpartition('.')[2])}" if e.same else ""
    return ", ".join(filter(None, (e.kind, e.topology.caption(), same, delay, *map(given, e.values))))


def projections(found: Sequence[Projection]) -> str:
    """For several drawn as one."""
    if len(found) == 1:
        return projection(found[0])
    listed = [e.topology for e in found if isinstance(e.topology, Edges)]
    if len(listed) == len(found):
        return counted(sum(t.count for t in listed), "edge")
    said = {_how(e) for e in found}
    if len(said) > 1:
        return f"{len(found)} projections"
    return ", ".join(filter(None, (*said, f"{len(found)} ×")))


def population(p: Population) -> list[str]:
    """The lines under the name."""
    return [
        f"{_what(p)}  {f'{p.size:,} ids' if p.ids else shape(p.shape)}",
        *(f"{slot} = {function}" for slot, function in p.slots),
        *map(given, p.values),
    ]


def _what(p: Population) -> str:
    return f"{p.kind} {p.role}".strip()


def populations(found: Sequence[Population], copies: int) -> list[str]:
    """The lines under the names of a stack."""
    roles = "/".join(dict.fromkeys(map(_what, found)))
    shapes = list(dict.fromkeys(p.shape for p in found))
    if len(shapes) == 1:
        slots = [f"{slot} = {f}" for slot, f in found[0].slots] if len({p.slots for p in found}) == 1 else []
        return [f"{roles}  {copies} × [{shape(shapes[0])}]", *slots]
    sizes = [p.size for p in found]
    neurons = f"{sum(sizes):,} neurons, {min(sizes):,} to {max(sizes):,} each"
    return [f"{roles}  {len(found)} populations", neurons]


def title(members: Sequence[Sequence[str]]) -> str:
    """For a box or a stack."""
    first, last = (", ".join(member) for member in (members[0], members[-1]))
    return short(first) if len(members) == 1 else f"{short(first)} .. {short(last)}"
