"""Edge files that are GraphML: every node says which neuron it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from blurc.diagnostics import suggest
from blurc.graph.edge_lines import whole
from blurc.graph.edge_text import EdgeText, Listed, WrongFile
from blurc.model import Population


@dataclass(frozen=True, eq=False)
class End:
    """A node of a GraphML file."""

    node: str
    population: str
    index: int


def of_graphml(file: EdgeText) -> tuple[tuple[End, End], ...]:
    """All edges of the file, between any populations."""
    from blurc.graph.graphml import NoGraph, read_graphml  # loads networkx, which no other edge file needs

    try:
        wiring = read_graphml(file.text)
    except NoGraph as error:
        help = "`networkx.write_graphml` writes such files"
        raise WrongFile("E415", f"`{file.name}` is not GraphML: {error}", help) from None
    if not wiring.directed:
        help = 'write `edgedefault="directed"`, with every edge from the presynaptic to the postsynaptic neuron'
        raise WrongFile("E420", f"the graph of `{file.name}` is undirected", help)
    ends = {name: _end(file, name, data) for name, data in wiring.nodes.items()}
    return tuple((ends[a], ends[b]) for a, b in wiring.edges)


def _end(file: EdgeText, node: str, data: Mapping[str, object]) -> End:
    missing = [name for name in ("population", "index") if name not in data]
    if missing:
        raise WrongFile(
            "E419",
            f"{file.place(f'node `{node}`')}: the attribute `{missing[0]}` is missing",
            "give every node its `population` and its `index` within it, counted from 0",
        )
    index = data["index"]
    whole = _whole_index(index)
    if whole is None:
        message = f"{file.place(f'node `{node}`')}: the index must be an integer, found `{index}`"
        raise WrongFile("E419", message, "neurons are counted from 0")
    return End(node, str(data["population"]), whole)


def _whole_index(index: object) -> int | None:
    if isinstance(index, float):
        return int(index) if index.is_integer() and abs(index) < 2**53 else None  # not NaN, nor infinity
    return None if isinstance(index, bool) else whole(str(index))


def between(
    file: EdgeText, ends: tuple[tuple[End, End], ...], source: str, target: str, known: Mapping[str, Population]
) -> Listed:
    """The edges from population `source` to `target`."""
    import numpy as np

    for end in dict.fromkeys(chain.from_iterable(ends)):
        if end.population not in known:
            raise WrongFile(
                "E419",
                f"{file.place(f'node `{end.node}`')}: there is no population `{end.population}`",
                suggest(end.population, known, f"the populations are: {', '.join(known)}"),
            )
    chosen = [(a, b) for a, b in ends if (a.population, b.population) == (source, target)]
    if not chosen:
        message = f"`{file.name}` has no edges from `{source}` to `{target}`"
        raise WrongFile("E415", message, "edges go from the presynaptic to the postsynaptic neuron")
    pre, post = (np.array([ends[side].index for ends in chosen], np.int64) for side in (0, 1))
    return Listed(pre, post, lambda i: f"edge from `{chosen[i][0].node}` to `{chosen[i][1].node}`")
