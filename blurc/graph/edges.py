"""Edge files: the pairs of neurons that `edges("wiring.csv")` connects.

.csv                   two integers per line, presynaptic and postsynaptic neuron; a header line is allowed
.edgelist, .txt, .tsv  the same, separated by blanks; `#` starts a comment
.graphml               directed; every node gives its `population` and its `index` within it

Neurons are counted from 0, in row-major order of their population.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from blurc.diagnostics import did_you_mean
from blurc.graph.edge_graphml import End, between, of_graphml
from blurc.graph.edge_lines import of_lines, pairs_of, refuse_matrix
from blurc.graph.edge_text import EdgeText, Listed, WrongFile, more
from blurc.model import Edges, Form, Population

if TYPE_CHECKING:
    import numpy.typing as npt

SUFFIXES = (".csv", ".edgelist", ".txt", ".tsv", ".graphml")

# How to get from other files to edges.
OTHERS = {
    ".npy": pairs_of('numpy.load("FILE")'),
    ".npz": pairs_of('scipy.sparse.load_npz("FILE").toarray()'),
    ".mtx": pairs_of('scipy.io.mmread("FILE").toarray()'),
    ".gml": 'compile it as a graph: `blurc.from_networkx(networkx.read_gml("FILE"), ..)`',
    ".gexf": 'compile it as a graph: `blurc.from_networkx(networkx.read_gexf("FILE"), ..)`',
    ".net": 'compile it as a graph: `blurc.from_networkx(networkx.read_pajek("FILE"), ..)`',
    ".dot": 'compile it as a graph: `blurc.from_networkx(networkx.nx_pydot.read_dot("FILE"), ..)`',
}


@dataclass(frozen=True, eq=False)
class EdgeFile(EdgeText):
    """Reads its edges once, however many projections use them."""

    @cached_property
    def lines(self) -> Listed:
        return of_lines(self)

    @cached_property
    def graph(self) -> tuple[tuple[End, End], ...]:
        return of_graphml(self)


def edges(
    written: str, file: EdgeFile, source: str, target: str, known: Mapping[str, Population], form: Form | None
) -> Edges:
    """The edges from population `source` to `target`, which are keys of `known`. Raises `WrongFile`. `written` is the
    file's name as the attribute has it."""
    _check_suffix(written)
    if file.problem:
        raise WrongFile("E414", f"cannot read `{file.name}`: {file.problem}", file.remedy)
    pairs = _pairs(file, source, target, known)
    from_one = _is_from_one(pairs, known[source].size, known[target].size)
    for name, numbers in ((source, pairs.pre), (target, pairs.post)):
        _check_range(file, name, known[name], numbers, pairs, from_one)
    n_pre = known[source].size
    sites = pairs.post * n_pre + pairs.pre
    order = sites.copy()
    order.sort()
    if (order[1:] == order[:-1]).any():
        raise _twice(file, pairs, sites)
    return Edges(written, (order % n_pre).astype("<i4").tobytes(), (order // n_pre).astype("<i4").tobytes(), form)


def _pairs(file: EdgeFile, source: str, target: str, known: Mapping[str, Population]) -> Listed:
    if file.suffix == ".graphml":
        return between(file, file.graph, source, target, known)
    try:
        return file.lines
    except WrongFile:
        refuse_matrix(file, known[source].size, known[target].size)
        raise


def _check_suffix(name: str) -> None:
    suffix = PurePath(name).suffix
    if suffix.lower() not in SUFFIXES:
        near = did_you_mean(suffix.lower(), SUFFIXES) if suffix else None
        help = f"did you mean `{name.removesuffix(suffix)}{near}`?" if near else f"use one of {', '.join(SUFFIXES)}"
        help = OTHERS.get(suffix.lower(), help).replace("FILE", name)
        what = f"`{suffix}` files" if suffix else "a file without a suffix"
        raise WrongFile("E418", f"cannot read edges from {what}", help)


def _check_range(
    file: EdgeFile, name: str, population: Population, numbers: npt.NDArray[Any], pairs: Listed, from_one: bool
) -> None:
    size = population.size
    (wrong,) = ((numbers < 0) | (numbers >= size)).nonzero()
    if not len(wrong):
        return
    plural = "neuron" if size == 1 else "neurons"
    help = f"neurons are counted from 0 to {size - 1}, in row-major order"
    raise WrongFile(
        "E416",
        f"{file.place(pairs.at(wrong[0]))}: `{name}` has {size:,} {plural}, found neuron {numbers[wrong[0]]}",
        f"{help}; these seem to be counted from 1: subtract 1 from each of them" if from_one else help,
        more(len(wrong) - 1),
    )


def _is_from_one(pairs: Listed, n_pre: int, n_post: int) -> bool:
    """Whether all numbers are right if they are counted from 1."""
    return all(n.min() >= 1 and n.max() <= size for n, size in ((pairs.pre, n_pre), (pairs.post, n_post)))


def _twice(file: EdgeFile, pairs: Listed, sites: npt.NDArray[Any]) -> WrongFile:
    """sites: [edges], the same for the same pair."""
    order = sites.argsort(kind="stable")
    again = order[1:][sites[order[1:]] == sites[order[:-1]]]
    at = again.min()
    earlier = pairs.at((sites == sites[at]).argmax())
    where = f"on line {earlier}" if isinstance(earlier, int) else f"as {earlier}"
    others = more(len(again) - 1)
    return WrongFile(
        "E417",
        f"{file.place(pairs.at(at))}: the edge from {pairs.pre[at]} to {pairs.post[at]} is listed twice",
        "list each edge once; for a second synapse of the same neurons, write a second projection with its own file",
        f"first listed {where}" + (f"; {others}" if others else ""),
    )
