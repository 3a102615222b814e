"""The text on boxes and arrows, kept short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from blurc.model import Edges, Population, Projection

LONGEST = 26  # characters of a name


def short(text: str) -> str:
    """A long name without its middle."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 9]}…{text[-8:]}"


def shape(sizes: Sequence[int]) -> str:
    return " × ".join(map(str, sizes)) or "1"


def own_label(e: Projection) -> str | None:
    """The name that a projection was given; None for the default one."""
    return None if e.name.split("#")[0] == f"{e.source}->{e.target}" else e.name


def projection(e: Projection) -> str:
    """Its given name, topology and delay."""
    delay = f"delay {e.delay}" if e.delay else ""
    own = (own_label(e) or "").rpartition(".")[2]
    return ", ".join(part for part in (short(own), e.topology.caption(), delay) if part)


def projections(found: Sequence[Projection]) -> str:
    """For several drawn as one."""
    if len(found) == 1:
        return projection(found[0])
    listed = [e.topology for e in found if isinstance(e.topology, Edges)]
    if len(listed) == len(found):
        return f"{sum(t.count for t in listed):,} edges"
    said = {", ".join(p for p in (e.topology.caption(), f"delay {e.delay}" if e.delay else "") if p) for e in found}
    if len(said) > 1:
        return f"{len(found)} projections"
    word = said.pop()
    return f"{word}, {len(found)} ×" if word else f"{len(found)} ×"


def population(p: Population) -> list[str]:
    """The lines under the name."""
    return [f"{p.role}  {shape(p.shape)}", *(f"{slot} = {function}" for slot, function in p.slots)]


def populations(found: Sequence[Population], copies: int) -> list[str]:
    """The lines under the names of a stack."""
    roles = "/".join(dict.fromkeys(p.role for p in found))
    shapes = list(dict.fromkeys(p.shape for p in found))
    if len(shapes) == 1:
        slots = [f"{slot} = {f}" for slot, f in found[0].slots] if len({p.slots for p in found}) == 1 else []
        return [f"{roles}  {copies} × [{shape(shapes[0])}]", *slots]
    neurons = sum(p.size for p in found)
    return [f"{roles}  {len(found)} populations", f"{neurons:,} neurons, {_range(p.size for p in found)} each"]


def _range(sizes: Iterable[int]) -> str:
    found = list(sizes)
    return f"{min(found):,} to {max(found):,}"


def title(members: Sequence[Sequence[str]]) -> str:
    """For a box or a stack."""
    first, last = (", ".join(member) for member in (members[0], members[-1]))
    return short(first) if len(members) == 1 else f"{short(first)} .. {short(last)}"
