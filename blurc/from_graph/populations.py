"""Graphs whose nodes are populations: `net.graph`, or graphs of the same form.

node attributes   role, shape, ids, bias, kind, values, slots
edge attributes   forward, feedback, plastic, delay, kind, values, topology, pairs, same, label, order

All but `shape` have defaults. The unit neuron of `net.graph` is left out: every bias recreates it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from blurc.diagnostics import Report
from blurc.from_graph.attributes import Attributes
from blurc.from_graph.given import (
    AnyGraph,
    Names,
    Node,
    Wishes,
    Written,
    edges,
    name,
    pairs_file,
    population_line,
    projection_line,
    several,
    ways,
)
from blurc.from_graph.values import given, is_drawing, sizes, whole
from blurc.graph import Pairs

EDGES = re.compile(r"edges\s*\(\s*\"[^\"]*\"(.*)\)")


def has_populations(graph: AnyGraph, wishes: Wishes) -> bool:
    """Whether the nodes are populations: some have sizes as their `shape`, or what looks like mistyped sizes. How to
    draw a node says nothing, nor does any other shape if the caller lists neurons."""
    shapes = [shape for _, data in graph.nodes(data=True) if (shape := given(data, "shape")) is not None]
    if any(sizes(shape) for shape in shapes):
        return True
    return wishes.inputs is None and wishes.outputs is None and not all(map(is_drawing, shapes))


def written(graph: AnyGraph, wishes: Wishes) -> Written:
    report = Report()
    _check(graph, wishes, report)
    attributes, names = Attributes(report), Names()
    named = {node: names.new(node) for node in graph.nodes if not _is_unit(graph, node)}
    declared = [_population(graph.nodes[node], name, attributes) for node, name in named.items()]
    files: dict[str, str] = {}
    labels = Names()
    listed = [e for e in edges(graph) if e[0] in named and e[1] in named]
    listed.sort(key=lambda e: _order(e[3]))
    projected = [_projection(*e, named, attributes, labels, files) for e in listed]
    attributes.tell()
    report.check()
    return Written((*declared, *projected), files)


def _is_unit(graph: AnyGraph, node: Node) -> bool:
    role = given(graph.nodes[node], "role")
    return isinstance(role, str) and role == "unit"


def _order(data: Mapping[str, Any]) -> float:
    """New edges have no order, and come last."""
    order = whole(given(data, "order"))
    return float("inf") if order is None else order


def _check(graph: AnyGraph, wishes: Wishes, report: Report) -> None:
    if not graph.is_directed():
        report.error(
            "E914",
            "the nodes have a `shape`, so they are populations, but the graph is undirected",
            None,
            help="make it a `networkx.MultiDiGraph`: a projection goes from its source to its target",
        )
    lacking = [n for n, data in graph.nodes(data=True) if given(data, "shape") is None and not _is_unit(graph, n)]
    if lacking:
        report.error(
            "E914",
            f"{several(lacking)}: `shape` is missing",
            None,
            notes=["other nodes have one, so all nodes are taken as populations"],
            help=f"write `graph.nodes[{lacking[0]!r}]['shape'] = (8,)`, or remove `shape` from all nodes to make each "
            "one a neuron",
        )
    wished = [n for n in ("inputs", "outputs", "delay") if getattr(wishes, n) is not None]
    if wishes.orient != "both":
        wished.append("orient")
    if wished:
        report.error(
            "E916",
            f"`{wished[0]}` is for graphs of neurons, but this graph's nodes have a `shape`, so they are populations",
            None,
            help="give the nodes a `role` and the edges a `delay`; or, to make each node a neuron, remove `shape` from "
            "all of them",
        )


def _population(data: Mapping[str, Any], name: str, attributes: Attributes) -> str:
    where = f"the node `{name}`"
    role, shape = attributes.role(where, data), attributes.shape(where, data)
    slots, bias = attributes.slots(where, data), attributes.bias(where, data, shared=True)
    given, ids = _given(where, data, attributes), attributes.ids(where, data)
    return population_line(role, name, shape, slots, bias, given, ids)


def _projection(
    source: Node,
    target: Node,
    key: Any,
    data: Mapping[str, Any],
    named: Mapping[Node, str],
    attributes: Attributes,
    labels: Names,
    files: dict[str, str],
) -> str:
    where = f"the edge from `{source}` to `{target}`"
    a, b = named[source], named[target]
    delay = attributes.delay(where, data) or 0
    flags = attributes.flags(where, data)
    same = attributes.same(where, data)
    topology = [f"same = {name(same)}"] if same else _topology(where, f"{a}-{b}", data, attributes, files)
    label = given(data, "label") or _label(key)
    if label:
        topology.append(f"label = {labels.new(label)}")
    return projection_line(a, b, [*ways(*flags, delay), *_given(where, data, attributes), *topology])


def _given(where: str, data: Mapping[str, Any], attributes: Attributes) -> list[str]:
    return [*attributes.kind(where, data), *attributes.values(where, data)]


def _topology(
    where: str, stem: str, data: Mapping[str, Any], attributes: Attributes, files: dict[str, str]
) -> list[str]:
    text = attributes.topology(where, data)
    options = EDGES.fullmatch(text or "")
    known = isinstance(data.get("pairs"), Pairs) and text is not None and not options  # the topology says them
    pairs = None if known else attributes.pairs(where, data)
    if pairs is None:
        return [] if text in (None, "dense") else [text]
    file = next(n for i in range(len(files) + 1) if (n := f"{stem}{f'-{i + 1}' if i else ''}.csv") not in files)
    files[file] = pairs_file(pairs)
    return [f'edges("{file}"{options[1] if options else ""})']


def _label(key: Any) -> str | None:
    """The key if it can be a label: a string, and not a projection's default name such as `a->b#2`."""
    return key if isinstance(key, str) and key and "->" not in key else None
