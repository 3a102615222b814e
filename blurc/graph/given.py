"""A graph of somebody else's, written as a network of the language, with the edge files that it names.

Where the nodes have a `shape` they are populations (`populations.py`); else every node is one neuron (`neurons.py`).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import networkx as nx

from blurc.diagnostics import BlurError, Diagnostic, Report

Node: TypeAlias = Hashable
Given: TypeAlias = "nx.Graph[Any]"  # of any of the four classes

ROLES = ("input", "hidden", "output")
TAKEN = ("unit", "let")  # no names of populations
SHOWN = 8  # nodes of a list in a message


@dataclass(frozen=True, eq=False)
class Neurons(Mapping[Node, tuple[str, int]]):
    """Where every node of a graph of neurons went: `neurons[node]` is its population and its index in there."""

    populations: Mapping[str, tuple[Node, ...]] = field(repr=False)
    places: Mapping[Node, tuple[str, int]]

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
    """The lines of a network, edge files by name, and for a graph of neurons where its nodes went."""

    lines: tuple[str, ...]
    files: Mapping[str, str]
    neurons: Neurons | None = None
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Wishes:
    """What a caller says about a graph of neurons. `inputs` and `outputs`: None takes those nodes with that role."""

    inputs: Iterable[Node] | None = None
    outputs: Iterable[Node] | None = None
    orient: str = "both"
    delay: int | None = None


def written(graph: Any, wishes: Wishes) -> Written:
    """Raises `BlurError`."""
    from blurc.graph import neurons, populations

    given: Given = _checked(graph)
    if any("shape" in data for _, data in given.nodes(data=True)):
        return populations.written(given, wishes)
    return neurons.written(given, wishes)


def _checked(graph: Any) -> Given:
    if not isinstance(graph, nx.Graph):
        message = f"expected a graph of networkx, found {type(graph).__name__}"
        raise BlurError(Diagnostic("E912", message, None, (), "write `networkx.DiGraph(edges)`"))
    if not graph.number_of_nodes():
        message, help = (
            "the graph has no nodes",
            "add some, with `graph.add_node(..)` or `graph.add_edge(..)`",
        )
        raise BlurError(Diagnostic("E912", message, None, (), help))
    return graph


def edges(graph: Given) -> Iterator[tuple[Node, Node, Any, Mapping[str, Any]]]:
    """Source, target, key (None where there are no parallel edges) and attributes."""
    if graph.is_multigraph():
        yield from graph.edges(keys=True, data=True)  # pyright: ignore
    else:
        yield from ((a, b, None, data) for a, b, data in graph.edges(data=True))


# ---------------------------------------------------------------- names


@dataclass
class Names:
    """Names of the language for whatever nodes and edges are called: other characters become `_`, and a number
    behind tells equal ones apart."""

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


# ---------------------------------------------------------------- attributes


@dataclass
class Attributes:
    """Reads the attributes of nodes and edges. What is wrong is reported once for each attribute, with the number of
    those like it."""

    report: Report
    wrong: dict[str, list[tuple[str, object, str]]] = field(
        default_factory=dict[str, list[tuple[str, object, str]]]
    )

    def role(self, where: str, data: Mapping[str, Any]) -> str:
        role = data.get("role", "hidden")
        return role if role in ROLES else self._refused("role", where, role, _words(ROLES), "hidden")

    def flags(self, where: str, data: Mapping[str, Any]) -> tuple[bool, bool, bool]:
        """forward, feedback, plastic"""
        forward, feedback = self._flag("forward", where, data), self._flag("feedback", where, data)
        return forward, feedback, self._flag("plastic", where, data)

    def _flag(self, key: str, where: str, data: Mapping[str, Any]) -> bool:
        value = data.get(key, True)
        if _is_flag(value):
            return bool(value)
        return self._refused(key, where, value, "True or False", True)

    def bias(self, where: str, data: Mapping[str, Any], *, shared: bool) -> str:
        """A word of the language."""
        words = ("on", "off", "shared") if shared else ("on", "off")
        value = data.get("bias", True)
        word = ("on" if value else "off") if _is_flag(value) else value
        known = "True, False" + (' or "shared"' if shared else "")
        return word if word in words else self._refused("bias", where, value, known, "on")

    def delay(self, where: str, data: Mapping[str, Any]) -> int | None:
        value = data.get("delay")
        if value is None or (_is_whole(value) and int(value) >= 0):
            return None if value is None else int(value)
        return self._refused("delay", where, value, "a whole number of steps", 0)

    def slots(self, where: str, data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        value = data.get("slots", {})
        if isinstance(value, str):
            pairs = [
                (slot, function) for slot, _, function in (part.partition("=") for part in value.split())
            ]
        else:
            pairs = list(value.items()) if isinstance(value, Mapping) else [("", "")]
        if all(_is_name(slot) and _is_name(function) for slot, function in pairs):
            return tuple(pairs)
        return self._refused("slots", where, value, 'a dict such as {"phi": "linear"}', ())

    def shape(self, where: str, data: Mapping[str, Any]) -> tuple[int, ...]:
        value = data.get("shape", 1)
        if isinstance(value, str):
            parts: list[Any] = value.split("x") if value else []
            sizes = [int(p) if p.isdecimal() else None for p in parts]
        else:
            parts = [value] if _is_whole(value) else list(value) if isinstance(value, Iterable) else [None]
            sizes = [int(p) if _is_whole(p) else None for p in parts]
        if all(s is not None and s > 0 for s in sizes):
            return tuple(s for s in sizes if s is not None)
        return self._refused("shape", where, value, "sizes such as (8, 8)", (1,))

    def text(self, key: str, where: str, data: Mapping[str, Any]) -> str | None:
        value = data.get(key)
        if value is None or (isinstance(value, str) and value and "\n" not in value):
            return value
        return self._refused(key, where, value, "a text", None)

    def pairs(self, where: str, data: Mapping[str, Any]) -> list[tuple[int, int]] | None:
        value = data.get("pairs")
        if value is None:
            return None
        found = [p.split(",") for p in value.split()] if isinstance(value, str) else _listed(value)
        try:
            return [(int(a), int(b)) for a, b in found]
        except (TypeError, ValueError):
            return self._refused("pairs", where, value, "pairs of whole numbers", None)

    def _refused(self, key: str, where: str, value: object, expected: str, instead: Any) -> Any:
        self.wrong.setdefault(key, []).append((where, value, expected))
        return instead

    def tell(self) -> None:
        """Reports what was wrong."""
        for key, found in self.wrong.items():
            where, value, expected = found[0]
            self.report.error(
                "E914",
                f"{where}: `{key}` is {_shown(value)}, expected {expected}",
                None,
                notes=[f"there are {len(found) - 1:,} more like it"] if found[1:] else [],
                help=f"change it, or remove the attribute `{key}`",
            )


def _is_whole(value: object) -> bool:
    return not isinstance(value, bool | str) and getattr(value, "__index__", None) is not None


def _is_flag(value: object) -> bool:
    return isinstance(value, bool) or type(value).__name__ == "bool"  # NumPy's too


def _is_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value) is not None


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, Iterable) else [None]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _words(words: Sequence[str]) -> str:
    quoted = [f'"{w}"' for w in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def several(nodes: Iterable[Node]) -> str:
    """`a`, `b` and 12 more."""
    found = list(nodes)
    shown = [f"`{node}`" for node in found[:SHOWN]]
    if len(found) > SHOWN:
        return f"{', '.join(shown)} and {len(found) - SHOWN:,} more"
    return " and ".join(", ".join(shown).rsplit(", ", 1))


# ---------------------------------------------------------------- lines of a network


def population_line(
    role: str, name: str, shape: Sequence[int], slots: Iterable[tuple[str, str]], bias: str
) -> str:
    options = [f"{slot} = {function}" for slot, function in slots]
    if role != "input" and bias != "on":
        options.append(f"bias = {bias}")
    brackets = f"[{', '.join(map(str, shape))}]" if shape else ""
    return f"{role} {name}{brackets}" + (f" {{ {', '.join(options)} }}" if options else "")


def projection_line(source: str, target: str, attributes: Iterable[str]) -> str:
    inside = ", ".join(attributes)
    return f"{source} -> {target}" + (f" [{inside}]" if inside else "")


def ways(forward: bool, feedback: bool, plastic: bool, delay: int) -> Iterator[str]:
    """The attributes that all projections can have."""
    if not feedback:
        yield "forward"
    if not forward:
        yield "backward"  # both words: nothing is carried, which the checker refuses
    if not plastic:
        yield "fixed"
    if delay:
        yield f"delay = {delay}"


def pairs_file(pairs: Iterable[tuple[int, int]]) -> str:
    return "".join(["pre,post\n", *(f"{a},{b}\n" for a, b in pairs)])
