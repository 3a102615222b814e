"""What the caller gives: the graph, its names and options; and the lines of the network written from it."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import networkx as nx

from blurc.diagnostics import Diagnostic

Node: TypeAlias = Hashable
Edge: TypeAlias = "tuple[Node, Node] | tuple[Node, Node, Any]"  # as in `graph.edges`, with a key of parallel edges
AnyGraph: TypeAlias = "nx.Graph[Any]"  # any of the four classes

TAKEN = ("unit", "let")  # not usable as population names
SHOWN = 8  # nodes listed in a message


@dataclass(frozen=True, eq=False)
class Neurons(Mapping[Node, tuple[str, int]]):
    """Where each node and edge of a graph of neurons went.

    `neurons[node]` is a node's population and its index within it. `populations` has the nodes of each population, and
    `edges` the edges of each projection in the order of its synapses, so that `state.synapses[name]["w"].reshape(-1)`
    has one value for each.
    """

    populations: Mapping[str, tuple[Node, ...]] = field(repr=False)
    places: Mapping[Node, tuple[str, int]]
    edges: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict[str, "tuple[Edge, ...]"], repr=False)

    @staticmethod
    def of(populations: Mapping[str, Sequence[Node]]) -> Neurons:
        places = {node: (name, i) for name, nodes in populations.items() for i, node in enumerate(nodes)}
        return Neurons({name: tuple(nodes) for name, nodes in populations.items()}, places)

    def __getitem__(self, node: Node) -> tuple[str, int]:
        return self.places[node]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True)
class Written:
    """The lines of a network, its edge files by name and, for a graph of neurons, where the nodes went."""

    lines: tuple[str, ...]
    files: Mapping[str, str]
    neurons: Neurons | None = None
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Wishes:
    """The caller's options for a graph of neurons. `inputs` and `outputs`: None means the nodes with that role."""

    inputs: Iterable[Node] | None = None
    outputs: Iterable[Node] | None = None
    orient: str = "both"
    delay: int | None = None


def edges(graph: AnyGraph) -> Iterator[tuple[Node, Node, Any, Mapping[str, Any]]]:
    """Source, target, key (None without parallel edges) and attributes."""
    if graph.is_multigraph():
        yield from graph.edges(keys=True, data=True)  # pyright: ignore
    else:
        yield from ((a, b, None, data) for a, b, data in graph.edges(data=True))


@dataclass
class Names:
    """Turns node and edge names into unique names of the language: other characters become `_`, and duplicates get a
    number."""

    used: set[str] = field(default_factory=set[str])

    def new(self, wanted: object) -> str:
        plain = name(wanted)
        found, count = plain, 1
        while found in self.used:
            count += 1
            found = f"{plain}_{count}"
        self.used.add(found)
        return found


def name(wanted: object) -> str:
    text = re.sub(r"[^A-Za-z0-9_]", "_", str(wanted)) or "_"
    return f"_{text}" if text[0].isdigit() or text in TAKEN else text


def several(nodes: Iterable[Node]) -> str:
    """`a`, `b` and 12 more."""
    found = list(nodes)
    shown = [f"`{node}`" for node in found[:SHOWN]]
    if len(found) > SHOWN:
        return f"{', '.join(shown)} and {len(found) - SHOWN:,} more"
    return " and ".join(", ".join(shown).rsplit(", ", 1))


def population_line(
    role: str,
    name: str,
    shape: Sequence[int],
    slots: Iterable[tuple[str, str]],
    bias: str,
    given: Iterable[str] = (),
    ids: bool = False,
) -> str:
    options = [*given, *(f"{slot} = {function}" for slot, function in slots)]
    if role != "input" and bias != "on":
        options.append(f"bias = {bias}")
    brackets = f"[{', '.join(map(str, shape))}]" if shape else ""
    brackets = f" ids {math.prod(shape)}" if ids else brackets
    return f"{role} {name}{brackets}" + (f" {{ {', '.join(options)} }}" if options else "")


def projection_line(source: str, target: str, attributes: Iterable[str]) -> str:
    inside = ", ".join(attributes)
    return f"{source} -> {target}" + (f" [{inside}]" if inside else "")


def ways(forward: bool, feedback: bool, plastic: bool, delay: int) -> Iterator[str]:
    """The attributes that every projection can have."""
    if not feedback:
        yield "forward"
    if not forward:
        yield "backward"  # with "forward" as well: the checker rejects a projection that carries nothing
    if not plastic:
        yield "fixed"
    if delay:
        yield f"delay = {delay}"


def pairs_file(pairs: Iterable[tuple[int, int]]) -> str:
    return "".join(["pre,post\n", *(f"{a},{b}\n" for a, b in pairs)])
