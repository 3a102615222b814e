"""Graphs whose nodes are neurons: which are inputs and which are outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from blurc.diagnostics import Report, did_you_mean
from blurc.from_graph.attributes import Attributes
from blurc.from_graph.given import AnyGraph, Node, Wishes, several
from blurc.from_graph.values import given

ENDS = (("inputs", "input"), ("outputs", "output"))
ROLE_HELP = "list the nodes, inputs=[..] and outputs=[..], which needs no roles; or change it"


def read_ends(
    graph: AnyGraph, wishes: Wishes, attributes: Attributes, report: Report
) -> tuple[dict[Node, None], dict[Node, None]]:
    """The nodes that are inputs and those that are outputs, in the caller's order."""
    listed = {k: _list(graph, k, asked, report) for k, _ in ENDS if (asked := getattr(wishes, k)) is not None}
    roles = _roles(graph, listed, attributes)
    found: list[dict[Node, None]] = []
    for keyword, role in ENDS:
        named = listed[keyword] if keyword in listed else [n for n, r in roles.items() if r == role]
        if named is None:
            found.append({})
            continue
        known = [n for n in named if _is_node(graph, n)]
        _check_named(graph, keyword, named, report)
        if not named:
            report.error(
                "E912",
                f"the graph has no {keyword}",
                None,
                help=f'list some: `{keyword}=[{next(iter(graph.nodes))!r}]`, or give nodes the attribute role="{role}"',
            )
        found.append(dict.fromkeys(known))
    inputs, outputs = found
    if both := [n for n in inputs if n in outputs]:
        help = "remove each from one of the lists; an output can be a separate neuron that reads an input"
        report.error("E913", f"{several(both)}: both input and output", None, help=help)
    return inputs, outputs


def _roles(graph: AnyGraph, listed: Mapping[str, list[Node] | None], attributes: Attributes) -> dict[Node, str]:
    """Other tools have other roles, which only matter for a node that the caller does not list."""
    known = {n for nodes in listed.values() for n in nodes or () if _is_node(graph, n)}
    all_listed = len(listed) == len(ENDS)
    return {
        n: attributes.role(f"the node `{n}`", data, ROLE_HELP, matters=not all_listed and n not in known)
        for n, data in graph.nodes(data=True)
    }


def _list(graph: AnyGraph, keyword: str, asked: Any, report: Report) -> list[Node] | None:
    """The list of nodes, or None after a report if it is a single node or not iterable."""
    try:
        named: list[Node] = list(asked)
    except TypeError:
        named = []
        alone = True
    else:
        alone = _is_node(graph, asked) and not all(_is_node(graph, n) for n in named)
    if not alone:
        return named
    help = f"write {keyword}=[{asked!r}]" if _is_node(graph, asked) else f"write {keyword}=[..]"
    report.error("E913", f"`{keyword}` must be a list of nodes, found {asked!r}", None, help=help)
    return None


def _check_named(graph: AnyGraph, keyword: str, named: list[Node], report: Report) -> None:
    if unknown := [n for n in named if not _is_node(graph, n)]:
        report.error(
            "E913",
            f"`{keyword}` contains {several(unknown)}, which the graph does not have",
            None,
            help=_meant(graph, unknown[0]),
        )
    twice = [n for n, count in Counter(n for n in named if _is_node(graph, n)).items() if count > 1]
    if twice:
        message = f"`{keyword}` contains {several(twice)} twice"
        report.error("E913", message, None, help="list every node once")


def _meant(graph: AnyGraph, unknown: Any) -> str:
    by_text = {str(n): n for n in graph.nodes}
    if str(unknown) not in by_text and isinstance(unknown, str):
        for node, data in graph.nodes(data=True):  # igraph and yEd number the nodes
            if key := next((key for key in data if given(data, key) == unknown), None):
                return f"`{unknown}` is the `{key}` of the node {node!r}: write that instead"
    alike = did_you_mean(unknown, by_text) if isinstance(unknown, str) else None
    near = by_text.get(str(unknown), by_text.get(alike or ""))
    kind = type(next(iter(graph.nodes))).__name__
    return f"did you mean {near!r}?" if near is not None else f"list nodes of the graph, each a {kind}"


def _is_node(graph: AnyGraph, node: Any) -> bool:
    try:
        return node in graph
    except TypeError:  # not hashable
        return False
