"""A network from a networkx graph, compiled by way of its text.

If nodes have sizes as their `shape` they are populations (`populations.py`); otherwise every node is a neuron
(`neurons.py`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import networkx as nx

from blurc.diagnostics import BlurError, Diagnostic, Report
from blurc.from_graph import given, neurons, populations
from blurc.language import specs_path
from blurc.model import Model
from blurc.spec import Params, Sources, Spec, select, unknown


@dataclass(frozen=True)
class Found:
    model: Model
    sources: Sources
    warnings: list[Diagnostic]
    neurons: given.Neurons | None


def from_graph(graph: given.AnyGraph, genome: Spec, network: str | None, wishes: given.Wishes, params: Params) -> Found:
    """Raises `BlurError`."""
    _check_words(params)
    name, head = _rule(genome)
    found = written(graph, wishes)
    called = given.name(network or graph.name or "graph")
    lines = [f"network {called} uses {name} {{", *(f"  {line}" for line in found.lines), "}"]
    text = "\n".join([head, "", *lines, ""])
    model, sources, warnings = select(text, network=called, params=params, files=found.files)
    if found.neurons is not None:  # already warned about, by node
        warnings = [*found.warnings, *(w for w in warnings if w.code != "W503")]
    return Found(model, sources, warnings, found.neurons)


def written(graph: given.AnyGraph, wishes: given.Wishes) -> given.Written:
    """Raises `BlurError`."""
    checked = _checked(graph)
    if populations.has_populations(checked, wishes):
        return populations.written(checked, wishes)
    return neurons.written(checked, wishes)


def _checked(graph: object) -> given.AnyGraph:
    if not isinstance(graph, nx.Graph):
        package = type(graph).__module__.split(".")[0]
        message = f"expected a networkx graph, found {package}.{type(graph).__name__}".replace("builtins.", "")
        help = next((help for name, help in CONVERSIONS if _is_a(graph, name)), "write `networkx.DiGraph(edges)`")
        raise BlurError(Diagnostic("E912", message, None, (), help))
    if not graph.number_of_nodes():
        message, help = ("the graph has no nodes", "add some with `graph.add_node(..)` or `graph.add_edge(..)`")
        raise BlurError(Diagnostic("E912", message, None, (), help))
    return cast("given.AnyGraph", graph)


# Classes of other packages, which need not be installed, and how networkx makes a graph of each.
CONVERSIONS = (
    ("numpy.ndarray", "write `networkx.from_numpy_array(matrix, create_using=networkx.DiGraph)`"),
    ("scipy.sparse", "write `networkx.from_scipy_sparse_array(matrix, create_using=networkx.DiGraph)`"),
    ("pandas.", 'write `networkx.from_pandas_edgelist(frame, "pre", "post", True, networkx.MultiDiGraph)` for a table '
     "with these columns, or `networkx.from_pandas_adjacency(frame, networkx.DiGraph)` for a matrix"),
    ("igraph.", "write `graph.to_networkx()`"),
    ("pydot.", "write `networkx.nx_pydot.from_pydot(graph)`"),
    ("pygraphviz.", "write `networkx.nx_agraph.from_agraph(graph)`"),
    ("builtins.str", "read the file with networkx, such as `networkx.read_graphml(path)`"),
    ("pathlib.", "read the file with networkx, such as `networkx.read_graphml(path)`"),
)  # fmt: skip


def _is_a(value: object, name: str) -> bool:
    return any(f"{kind.__module__}.{kind.__qualname__}".startswith(name) for kind in type(value).__mro__)


def _check_words(params: Params) -> None:
    """Catches likely typos; any other keyword is a parameter of the rule."""
    meant = {"input": "inputs", "output": "outputs", "delays": "delay", "rule": "genome"}
    for word in [word for word in params if word in meant]:
        message = f"`{word}` is not an argument of from_networkx"
        raise BlurError(Diagnostic("E916", message, None, (), f"write {meant[word]}=.."))


def _rule(genome: object) -> tuple[str, str]:
    """The name of the genome, and the text that goes above the network: an import, or the genome's own text."""
    if not isinstance(genome, str | Path):
        message = f"`genome` must be the name of a library rule, a .blur file or a text, found {genome!r}"
        raise BlurError(Diagnostic("E215", message, None, (), 'write genome="backprop", for example'))
    if isinstance(genome, str) and not _is_text(genome) and not genome.endswith(".blur"):
        return genome, f'import "{_library_file(genome)}"'
    report = Report()
    sources = Sources.load(genome, report)
    report.check()
    names = [g.name for g in sources.files[0].genomes] or list(sources.genomes)
    if len(names) != 1:
        what = f"declares the genomes {', '.join(names)}" if names else "declares no genome"
        help = "keep only one of them" if names else "`blurc specs` lists the rules of the library"
        raise BlurError(Diagnostic("E215", f"{_called(genome)} {what}, expected exactly one", None, (), help))
    return names[0], genome if _is_text(genome) else f'import "{Path(genome).as_posix()}"'  # pyright: ignore


def _is_text(genome: Spec) -> bool:
    return isinstance(genome, str) and ("\n" in genome or "{" in genome)


def _called(genome: Spec) -> str:
    return "the text" if _is_text(genome) else f"`{genome}`"


def _library_file(genome: str) -> str:
    own = f"rules/{genome}.blur"  # where most rules are
    if os.path.isfile(specs_path() / own) and genome in Sources.load(own, Report()).genomes:
        return own
    known = dict(_library())
    if genome not in known:
        report = Report()
        help = "`blurc specs` lists the rules of the library; a file name ends in .blur, a text contains braces"
        unknown("genome", genome, known, None, report, help=help)
        report.check()
    return known[genome]


def _library() -> Iterator[tuple[str, str]]:
    for path in sorted((specs_path() / "rules").glob("*.blur")):
        for genome in Sources.load(path, Report()).files[0].genomes:
            yield genome.name, f"rules/{path.name}"
