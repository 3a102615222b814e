"""The ways to a network: `blurc.compile`, `blurc.from_networkx` and `blurc.load`; and what they make, `blurc.Net`."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

# An artifact is loaded where lark and networkx are missing: what needs them is reached through the faces of the rooms.
from blurc import artifact, graph, plan
from blurc import from_graph as graphs
from blurc import spec as specs
from blurc.diagnostics import Diagnostic
from blurc.runtime import Compiled

if TYPE_CHECKING:
    from blurc.artifact import Loaded
    from blurc.from_graph import Neurons
    from blurc.genome import GenomeFile
    from blurc.graph import Graph
    from blurc.model import Model, ParamValue
    from blurc.plan import Plan
    from blurc.runtime import GenomeValues
    from blurc.spec import Sources, Spec


class Net(Compiled):
    """A compiled network: made by `blurc.compile`.

    plan, model: what it was compiled from. sources: the files of its spec. warnings: what was doubtful in them.
    neurons: of `blurc.from_networkx`, where each node of a graph of neurons went.
    """

    def __init__(
        self,
        plan: Plan,
        model: Model,
        sources: Sources,
        warnings: Iterable[Diagnostic] = (),
        neurons: Neurons | None = None,
    ):
        super().__init__(plan)
        self.model = model
        self.sources = sources
        self.warnings = tuple(warnings)
        self.neurons = neurons

    @cached_property
    def graph(self) -> Graph:
        """The populations and projections as a frozen `networkx.MultiDiGraph`."""
        return graph.build(self.model.network)

    def save(
        self,
        path: str | os.PathLike[str],
        genome: GenomeValues | GenomeFile | None = None,
        platforms: Iterable[str] = ("cpu", "cuda", "tpu"),
    ) -> None:
        """Writes an artifact that `blurc.load` runs without compiler: see `blurc.artifact`."""
        artifact.save(self, path, genome=genome, platforms=platforms)

    def __repr__(self) -> str:
        sizes = f"{len(self.plan.populations)} populations, {len(self.plan.projections)} projections"
        return f"<blurc network {self.plan.name} with {self.plan.genome}: {sizes}>"


def compile(
    spec: Spec, *, network: str | None = None, genome: str | None = None, **parameters: ParamValue
) -> Net:
    """Compiles one network of a spec.

    spec: a path (looked up in the working directory, then in the packaged library) or source text.
    network, genome: names, where a spec has several; `genome` may also be a rule of the packaged library.
    parameters: values of the compile-time parameters of the network and its genome.

    Raises `BlurError` with all diagnostics if the spec is wrong.
    """
    model, sources, warnings = specs.select(spec, network=network, genome=genome, params=parameters)
    return Net(plan.plan_of(model), model, sources, warnings)


def from_networkx(
    graph: Any,
    *,
    genome: Spec,
    network: str | None = None,
    inputs: Iterable[Hashable] | None = None,
    outputs: Iterable[Hashable] | None = None,
    orient: str = "both",
    delay: int | None = None,
    **parameters: ParamValue,
) -> Net:
    """Compiles a graph of networkx.

    Where nodes have a `shape`, each is a population; `net.graph` is such a graph, and comes back as it was. Nodes:
    role ("input", "hidden", "output"), shape, bias, slots. Edges: forward, feedback, plastic, delay, topology (text as
    in the language), label. Else every node is one neuron. Neurons are gathered into as few populations as the order
    of visits allows: `net.neurons[node]` says where each went, `net.neurons.populations` which nodes a population
    holds. Names are those of the graph, with `_` for what is no letter, digit or `_`.

    genome: the name of a rule of the library; or a file (`.blur`) or source text with one genome.
    network: its name; the graph's without.
    inputs, outputs: nodes of a graph of neurons, in the order of the data; without, the nodes with that role.
    orient: of undirected edges. "both": they lead both ways, but never into an input; "order": from the earlier node
    to the later, inputs first, outputs last.
    delay: of all edges on a cycle within the step that have no attribute `delay`.
    parameters: values of the compile-time parameters of the genome.

    The network is written as the text of a spec with edge files (`net.sources`), and compiled as any other. Raises
    `BlurError` with all diagnostics.
    """
    wishes = graphs.Wishes(inputs, outputs, orient, delay)
    found = graphs.from_graph(graph, genome, network, wishes, parameters)
    return Net(plan.plan_of(found.model), found.model, found.sources, found.warnings, found.neurons)


def load(path: str | os.PathLike[str]) -> Loaded:
    """Loads an artifact that `Net.save` or `blurc compile -o` wrote. Needs neither lark nor networkx.

    Raises `BlurError` if the file is damaged, foreign or made for other platforms; nothing of it is executed then.
    """
    return artifact.load(path)
