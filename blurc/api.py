"""`blurc.compile`, `blurc.from_networkx` and `blurc.load`: the ways to a network."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from blurc.program import Net

if TYPE_CHECKING:
    from blurc.artifact import Loaded
    from blurc.compiler import Spec
    from blurc.model import ParamValue


def compile(
    spec: Spec, *, network: str | None = None, genome: str | None = None, **parameters: ParamValue
) -> Net:
    """Compiles one network of a spec.

    spec: a path (looked up in the working directory, then in the packaged library) or source text.
    network, genome: names, where a spec has several; `genome` may also be a rule of the packaged library.
    parameters: values of the compile-time parameters of the network and its genome.

    Raises `BlurError` with all diagnostics if the spec is wrong.
    """
    from blurc import compiler

    model, sources, warnings = compiler.select(spec, network=network, genome=genome, params=parameters)
    return Net(compiler.plan(model), model, sources, warnings)


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
    from blurc import compiler
    from blurc.from_graph import from_graph
    from blurc.graph.given import Wishes

    wishes = Wishes(inputs, outputs, orient, delay)
    found = from_graph(graph, genome, network, wishes, parameters)
    net = Net(compiler.plan(found.model), found.model, found.sources, found.warnings)
    net.neurons = found.neurons
    return net


def load(path: Any) -> Loaded:
    """Loads an artifact that `Net.save` or `blurc compile -o` wrote. Needs neither lark nor networkx.

    Raises `BlurError` if the file is damaged, foreign or made for other platforms; nothing of it is executed then.
    """
    from blurc import artifact

    return artifact.load(path)
