"""Reading and writing GraphML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import networkx as nx
from networkx.readwrite.graphml import GraphMLReader

from blurc.graph.build import Graph
from blurc.model import Edges

NAMESPACE = f"{{{GraphMLReader.NS_GRAPHML}}}"
HEADER = f'<graphml xmlns="{GraphMLReader.NS_GRAPHML}">'


class NoGraph(Exception):
    """The text is not GraphML; the message says why."""


@dataclass(frozen=True)
class Wiring:
    """What a GraphML text says of a graph: its nodes with their attributes, and its edges in order."""

    directed: bool
    nodes: dict[str, dict[str, object]] = field(default_factory=dict[str, dict[str, object]])
    edges: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def read_graphml(text: str) -> Wiring:
    """The first graph of a GraphML text."""
    reader = _Reader()
    try:
        found = list(reader(string=text)) or list(reader(string=text.replace("<graphml>", HEADER)))
    except (ElementTree.ParseError, nx.NetworkXException, KeyError, TypeError, ValueError, AttributeError) as error:
        raise NoGraph(str(error)) from None
    if not found:
        raise NoGraph("it has no graph")
    return found[0]


class _Reader(GraphMLReader):
    """Keeps of an edge what it joins, and makes no graph of networkx, which takes ten times as long."""

    def make_graph(self, graph_xml: Any, graphml_keys: Any, defaults: Any, G: Any = None) -> Any:
        wiring = G or Wiring(graph_xml.get("edgedefault") == "directed")
        if graph_xml.find(f"{NAMESPACE}hyperedge") is not None:
            raise nx.NetworkXError("it has hyperedges")
        for node in graph_xml.findall(f"{NAMESPACE}node"):
            wiring.nodes[str(node.get("id"))] = self.decode_data_elements(graphml_keys, node)
            inner = node.find(f"{NAMESPACE}graph")
            if inner is not None and node.get("yfiles.foldertype") == "group":
                self.make_graph(inner, graphml_keys, defaults, wiring)
        for edge in graph_xml.findall(f"{NAMESPACE}edge"):
            if edge.get("directed", "").lower() == ("false" if wiring.directed else "true"):
                raise nx.NetworkXError("some of its edges are directed, others are not")
            ends = edge.get("source"), edge.get("target")
            if None in ends:
                raise nx.NetworkXError("an edge lacks its source or its target")
            wiring.edges.append(ends)
            for end in ends:
                wiring.nodes.setdefault(end, {})
        return wiring


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
