"""The orders in which to visit populations, and what reaches what. Plain Python, so that `blurc check` need not load
networkx."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from typing import Literal, TypeAlias, TypeVar

from blurc.model import Network, Projection

Node = TypeVar("Node")
Way: TypeAlias = Literal["forward", "feedback"]


def carrying(network: Network, way: Way, *, delayed: bool) -> Iterator[Projection]:
    """The projections that carry `way`, with or without those that have a delay."""
    return (p for p in network.projections if getattr(p, way) and (delayed or not p.delay))


def successors(network: Network, pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Where the pairs lead from each population."""
    found: dict[str, list[str]] = {p.name: [] for p in network.populations}
    for source, target in pairs:
        found[source].append(target)
    return found


def forward_order(network: Network) -> tuple[str, ...]:
    """Every population except inputs and the unit, each after all that carry forward to it within the step.
    Ties are broken by order of declaration."""
    rank = {p.name: i for i, p in enumerate(network.populations)}
    sources = successors(network, ((p.target, p.source) for p in carrying(network, "forward", delayed=False)))
    visited = {p.name for p in network.populations if p.role not in ("input", "unit")}
    return tuple(name for name in _in_order(sources, rank.__getitem__) if name in visited)


def backward_order(network: Network) -> tuple[str, ...]:
    """Every population except inputs that gets feedback, delayed or not, each after all that carry feedback to it
    within the step. Ties are broken by the reverse of `forward_order`."""
    rank = {name: -i for i, name in enumerate(forward_order(network))}
    targets = successors(network, ((p.source, p.target) for p in carrying(network, "feedback", delayed=False)))
    gets = {p.source for p in carrying(network, "feedback", delayed=True)}
    order = _in_order(targets, lambda name: rank.get(name, 1))
    return tuple(name for name in order if name in rank and name in gets)


def _in_order(after: Mapping[str, Iterable[str]], rank: Callable[[str], int]) -> Iterator[str]:
    """Every name after those in `after[name]`; ties are broken by rank, then by place in `after`."""
    place = {name: i for i, name in enumerate(after)}
    sorter, free = TopologicalSorter(after), list[tuple[int, int, str]]()
    sorter.prepare()
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(free, (rank(name), place[name], name))
        *_, name = heappop(free)
        sorter.done(name)
        yield name


def a_cycle(after: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """The nodes of some cycle, or []. Each node of it is in `after` of the next; it begins with the node that comes
    first in `after`."""
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        nodes: list[Node] = error.args[1][:-1]
        first = nodes.index(next(n for n in after if n in set(nodes)))
        return [*nodes[first:], *nodes[:first]]
    return []


def reached(starts: Iterable[Node], leads: Mapping[Node, Iterable[Node]]) -> set[Node]:
    """The starts, and all that is reached from them."""
    found, left = set(starts), list(starts)
    while left:
        new = set(leads[left.pop()]) - found
        found |= new
        left.extend(new)
    return found


def heads(nodes: Iterable[Node], leads: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """The fewest of the nodes that reach all others of them; of a cycle, the one that comes first."""
    chosen = dict.fromkeys(nodes)
    within = {n: [m for m in leads[n] if m in chosen] for n in chosen}
    first = _not_yet_reached(chosen, within)  # a later one may reach an earlier one, but not the other way round
    return _not_yet_reached(reversed(first), within)[::-1]


def _not_yet_reached(nodes: Iterable[Node], leads: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """The nodes that none before them reaches."""
    found, known = list[Node](), set[Node]()
    for node in nodes:
        if node in known:
            continue
        found.append(node)
        left = [node]
        while left:
            at = left.pop()
            if at not in known:
                known.add(at)
                left.extend(leads[at])
    return found
