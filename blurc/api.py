"""The ways to a network: `blurc.compile`, `blurc.from_networkx` and `blurc.load`; and what they make, `blurc.Net`."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

# An artifact is loaded where lark and networkx are missing: what needs them is reached through the faces of the rooms.
from blurc import artifact, graph, plan
from blurc import from_graph as graphs
from blurc import spec as specs
from blurc.diagnostics import Diagnostic
from blurc.runtime import Compiled

if TYPE_CHECKING:
    from blurc.artifact import Loaded
    from blurc.from_graph import AnyGraph, Neurons
    from blurc.genome import GenomeFile
    from blurc.graph import Graph
    from blurc.model import Model, ParamValue
    from blurc.plan import Plan
    from blurc.runtime import GenomeValues
    from blurc.spec import Sources, Spec


class Net(Compiled):
    """A compiled network: made by `blurc.compile` and `blurc.from_networkx`.

    Attributes:
        plan: what the program was made from, see `blurc.plan`.
        model: what the plan was made from, see `blurc.model`.
        sources: the files of its spec.
        warnings: what was doubtful in them.
        neurons: of `blurc.from_networkx`: where each node of a graph of neurons went.
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
        """Writes an artifact, which `blurc.load` runs without the compiler.

        Args:
            path: the file, `NAME.blurx`.
            genome: meta-parameters to keep with it; of a genome file its name and provenance, too.
            platforms: some of cpu, cuda, rocm and tpu. None of them need be here.

        Raises:
            BlurError: E609 where the genome is not finite, E714 where the file cannot be written, E715 for an unknown
                platform, E902 where the genome is not one of this network.
        """
        artifact.save(self, path, genome=genome, platforms=platforms)

    def __repr__(self) -> str:
        sizes = f"{len(self.plan.populations)} populations, {len(self.plan.projections)} projections"
        return f"<blurc network {self.plan.name} with {self.plan.genome}: {sizes}>"


def compile(
    spec: Spec, *, network: str | None = None, genome: str | None = None, **parameters: ParamValue
) -> Net:
    """Compiles one network of a spec.

    Args:
        spec: a path (looked up in the working directory, then in the packaged library) or source text.
        network: which one, where the spec has several.
        genome: which one, where the spec has several; or a rule of the packaged library.
        **parameters: values of the compile-time parameters of the network and its genome.

    Returns:
        The network, ready to run.

    Raises:
        BlurError: With all diagnostics, if the spec is wrong.
    """
    model, sources, warnings = specs.select(spec, network=network, genome=genome, params=parameters)
    return Net(plan.plan_of(model), model, sources, warnings)


def from_networkx(
    graph: AnyGraph,
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
    in the language), label. Otherwise every node is one neuron. Neurons are gathered into as few populations as the
    order of visits allows: `net.neurons[node]` says where each went, `net.neurons.populations` which nodes a population
    holds. Names are those of the graph, with `_` for everything but letters, digits and `_`.

    The network is written as the text of a spec with edge files (`net.sources`), and compiled as any other.

    Args:
        graph: directed or not, with one edge between two nodes or with several.
        genome: the name of a rule of the library; or a file (`.blur`) or source text with one genome.
        network: its name; that of the graph if it is None.
        inputs: of a graph of neurons, the input nodes in the order of the data; None: those with that role.
        outputs: of a graph of neurons, the output nodes, alike.
        orient: of undirected edges. "both": they lead both ways, but never into an input; "order": from the earlier
            node to the later, inputs first, outputs last.
        delay: in steps, of all edges on a cycle within the step that have no attribute `delay`.
        **parameters: values of the compile-time parameters of the genome.

    Returns:
        The network, ready to run.

    Raises:
        BlurError: With all diagnostics, if the graph or the genome is wrong.
    """
    wishes = graphs.Wishes(inputs, outputs, orient, delay)
    found = graphs.from_graph(graph, genome, network, wishes, parameters)
    return Net(plan.plan_of(found.model), found.model, found.sources, found.warnings, found.neurons)


def load(path: str | os.PathLike[str]) -> Loaded:
    """Loads an artifact that `Net.save` or `blurc compile -o` wrote. Needs neither lark nor networkx.

    Args:
        path: the file.

    Returns:
        The network, ready to run, with the calls of a compiled one.

    Raises:
        BlurError: If the file is damaged, foreign or made for other platforms; nothing of it is executed then.
    """
    return artifact.load(path)
