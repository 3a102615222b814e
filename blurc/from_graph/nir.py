"""A graph of populations from a NIR file.

Input                                     an input
I, IF, LI, LIF, CubaLI, CubaLIF,          a population, and an output if an `Output` follows; what its neurons do is up
Threshold                                 to the genome, and the node stays with it as the attribute `nir`
Output                                    an output, unless it only marks a population as one
Linear, Affine                            `dense`, with the bias of its target
Scale                                     `one_to_one`
an edge from population to population     `identity`
Flatten                                   nothing: neurons are numbered in row-major order anyway
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import networkx as nx
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, Report
from blurc.from_graph.given import AnyGraph, Names
from blurc.graph import nir_package

CODE = "E920"
NEURONS = ("I", "IF", "LI", "LIF", "CubaLI", "CubaLIF", "Threshold")
MAPS = ("Linear", "Affine", "Scale")
KNOWN = (*NEURONS, *MAPS, "Input", "Output", "Flatten")
LIMIT = 2**30  # bytes of all arrays together
MOST_CHUNKS = 1000  # of texts

CHANNELS = "NIR counts channels first and blurc last, so neither the data nor the weights would mean the same"
UNSAID = {
    **dict.fromkeys(("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d"), CHANNELS),
    "Delay": "its delay is in seconds, and blurc counts steps",
    "NIRGraph": "it is a graph within the graph",
}


def nir_graph(data: bytes, name: str) -> AnyGraph:
    """Raises `BlurError` (E920, E921)."""
    found = _parsed(data, name)
    reader = _Reader(found.nodes, [(str(a), str(b)) for a, b in found.edges])
    if unknown := [end for edge in reader.edges for end in edge if end not in reader.nodes]:
        raise _not_nir(name, f"an edge names the node `{unknown[0]}`, which is not there")
    try:
        reader.check()
        reader.report.check()
        graph = reader.graph()
    except RecursionError:
        raise _not_nir(name, "flattening goes round in a circle") from None
    reader.report.check()
    return graph


def _parsed(data: bytes, name: str) -> Any:
    nir = nir_package()
    h5py: Any = import_module("h5py")  # `nir` brings it along
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            size = sum(_sizes(file, data))
        if size > LIMIT:
            raise ValueError(f"its arrays take {size:,} bytes, expected at most {LIMIT:,}")
        found = nir.read(io.BytesIO(data), type_check=False)
        if not isinstance(found, nir.NIRGraph):
            raise TypeError(f"it holds one {type(found).__name__}, expected a graph")
    except RecursionError:
        raise _not_nir(name, "it is nested too deeply") from None
    except Exception as error:  # h5py and nir promise no particular ones
        raise _not_nir(name, str(error) or type(error).__name__) from None
    return found


def _not_nir(name: str, why: str) -> BlurError:
    return BlurError(Diagnostic(CODE, f"`{name}` is not a NIR graph: {why}", help="`nir.write` writes such files"))


def _sizes(group: Any, data: bytes) -> Iterator[int]:
    """Bytes of all arrays. Raises `ValueError` if a link or an array leads elsewhere, which may be any file or back to
    itself, or if texts cannot be there."""
    todo, seen = [group], 0
    while todo:
        at = todo.pop()
        for name in at:
            seen += 1
            if seen > 100_000 or type(at.get(name, getlink=True)).__name__ != "HardLink":
                raise ValueError("it has links to elsewhere")
            item = at[name]
            if hasattr(item, "nbytes"):
                if item.external or item.is_virtual:
                    raise ValueError("it has arrays that lie elsewhere")
                yield item.nbytes
                _check_texts(item, data)
            else:
                todo.append(item)


def _check_texts(item: Any, data: bytes) -> None:
    """Raises `ValueError` if texts claim more bytes than the file has, for which HDF5 would ask for memory. What stands
    in the place of each text: four bytes that say its length, and twelve that say where it is."""
    claimed = 0
    for offset, size in _stored(item) if item.dtype.hasobject else ():
        places = np.frombuffer(data, np.uint8, size, offset).reshape(-1, 16)
        claimed += int(np.ascontiguousarray(places[:, :4]).view("<u4").sum(dtype=np.int64))
    if claimed > len(data):
        raise ValueError("its texts claim more bytes than it has")


def _stored(item: Any) -> Iterator[tuple[int, int]]:
    """Where the places of texts lie in the file: an offset, and how many bytes. Raises `ValueError` if they cannot be
    read there as they are."""
    found = item.id
    offset, chunks = found.get_offset(), found.get_num_chunks() if item.chunks else 0
    is_plain = item.dtype.kind == "O" and not found.get_create_plist().get_nfilters() and chunks <= MOST_CHUNKS
    if not is_plain or (offset is None and not chunks and found.get_storage_size()):
        raise ValueError("its texts are compressed, or stored in another unusual way")
    if offset is not None:
        yield offset, 16 * item.size
    for info in map(found.get_chunk_info, range(chunks)):
        yield info.byte_offset, info.size


@dataclass
class _Reader:
    nodes: dict[str, Any]
    edges: list[tuple[str, str]]
    report: Report = field(default_factory=Report)
    sources: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    targets: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def __post_init__(self) -> None:
        for a, b in self.edges:
            self.sources.setdefault(b, []).append(a)
            self.targets.setdefault(a, []).append(b)

    def error(self, message: str, help: str) -> None:
        self.report.error(CODE, message, None, help=help)

    def kind(self, name: str) -> str:
        return type(self.nodes[name]).__name__

    def before(self, name: str) -> list[str]:
        """What leads to a node, past any `Flatten`."""
        found = self.sources.get(name, [])
        return [c for a in found for c in (self.before(a) if self.kind(a) == "Flatten" else [a])]

    def after(self, name: str) -> list[str]:
        found = self.targets.get(name, [])
        return [c for b in found for c in (self.after(b) if self.kind(b) == "Flatten" else [b])]

    def is_mark(self, name: str) -> bool:
        """Whether an `Output` only says that a population is one."""
        before = self.before(name)
        return self.kind(name) == "Output" and len(before) == 1 and self.kind(before[0]) in NEURONS

    def check(self) -> None:
        for name in self.nodes:
            if self.kind(name) not in KNOWN:
                why = UNSAID.get(self.kind(name), "blurc does not know it")
                self.error(f"the node `{name}` is a {self.kind(name)}: {why}", "write the graph without it")
        if self.report.errors:
            return
        for name in (name for name in self.nodes if self.kind(name) in MAPS):
            ends = self.before(name), self.after(name)
            if [len(end) for end in ends] != [1, 1]:
                what = f"the node `{name}` has {len(ends[0])} sources and {len(ends[1])} targets"
                self.error(
                    f"{what}: a projection has one of each", "write a node for each pair of a source and a target"
                )
            elif any(self.kind(end) in MAPS for (end,) in ends):
                self.error(f"no neurons stand before or after the node `{name}`", "multiply neighbouring maps into one")

    def graph(self) -> AnyGraph:
        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        names, labels = Names(), Names()
        listed = dict.fromkeys((*(end for edge in self.edges for end in edge), *self.nodes))  # HDF5 sorts nodes by name
        called = {n: names.new(n) for n in listed if self.kind(n) not in (*MAPS, "Flatten") and not self.is_mark(n)}
        for node, name in called.items():
            graph.add_node(name, **self._population(node))
        for node, name in called.items():
            for after in self.after(node):
                if after in called:
                    graph.add_edge(name, called[after], topology="identity")
                elif self.kind(after) in MAPS:
                    target = called[self.after(after)[0]]
                    key = after if "->" in after else labels.new(after)
                    graph.add_edge(name, target, key=key, **self._map(after, graph.nodes[name], graph.nodes[target]))
        return graph

    def _population(self, name: str) -> dict[str, Any]:
        node, kind = self.nodes[name], self.kind(name)
        shape: Any = node.input_type["input"] if kind == "Input" else node.output_type["output"]
        sizes: tuple[int, ...] = tuple(np.atleast_1d(np.asarray(shape, int)).tolist()) or (1,)
        if kind == "Input":
            return {"role": "input", "shape": sizes}
        is_output = kind == "Output" or any(self.is_mark(after) for after in self.after(name))
        role = "output" if is_output else "hidden"
        return {"role": role, "shape": sizes, "bias": False} | ({"nir": node} if kind in NEURONS else {})

    def _map(self, name: str, source: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
        node = self.nodes[name]
        sizes = tuple(math.prod(end["shape"]) for end in (source, target))
        if self.kind(name) == "Scale":
            weight, expected = np.asarray(node.scale).reshape(-1), sizes[:1]
        else:
            weight, expected = np.asarray(node.weight).T, sizes
        if weight.shape != expected or (weight.ndim == 1 and sizes[0] != sizes[1]):
            help = "make them agree"
            self.error(
                f"the node `{name}` leads from {sizes[0]} to {sizes[1]} neurons, but has shape {weight.shape}", help
            )
        if self.kind(name) == "Affine":
            target["bias"] = True
            target["bias_value"] = target.get("bias_value", 0) + np.asarray(node.bias)
        return {"weight": weight, "topology": "one_to_one" if weight.ndim == 1 else "dense"}
