"""Reading and writing GraphML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import networkx as nx

from blurc.graph.build import Graph
from blurc.model import Edges


class NoGraph(Exception):
    """The text is not GraphML; the message says why."""


def read_graphml(text: str) -> tuple[dict[str, dict[str, object]], list[tuple[str, str]], bool]:
    """The nodes of a GraphML text with their attributes, its edges in order, and whether it is directed."""
    try:
        graph: Any = nx.parse_graphml(text, force_multigraph=True)
    except (ElementTree.ParseError, nx.NetworkXException, KeyError, TypeError, ValueError) as error:
        raise NoGraph(str(error)) from None
    nodes = {str(node): {str(k): v for k, v in data.items()} for node, data in graph.nodes(data=True)}
    return nodes, [(str(a), str(b)) for a, b in graph.edges()], graph.is_directed()


def graphml(graph: Graph) -> str:
    """The graph as GraphML, which Gephi, yEd and Cytoscape read. GraphML has no lists, so shapes become "8x8", slots
    "phi=linear", a bias "on", "off" or "shared", and the pairs of an edge file "0,1 0,2"."""
    plain: Graph = nx.MultiDiGraph(name=str(graph.name))
    for name, data in graph.nodes(data=True):
        plain.add_node(name, **{**data, **_words(data)})
    for source, target, key, data in graph.edges(keys=True, data=True):
        words = {k: value for k, value in data.items() if k != "pairs"}
        if data["topology"].startswith(Edges.name):  # other topologies say by themselves which pairs there are
            words["pairs"] = " ".join(f"{a},{b}" for a, b in data["pairs"])
        plain.add_edge(source, target, key=key, **words)
    return "\n".join(nx.generate_graphml(plain, named_key_ids=True)) + "\n"


def _words(data: Mapping[str, Any]) -> dict[str, str]:
    bias = data["bias"]
    return {
        "shape": "x".join(str(n) for n in data["shape"]),
        "slots": " ".join(f"{slot}={function}" for slot, function in data["slots"].items()),
        "bias": bias if isinstance(bias, str) else "on" if bias else "off",
    }
