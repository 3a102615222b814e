"""`blurc.compile`, `blurc.from_networkx`, `blurc.load`, NIR files, and the `blurc.Net` that the first two return."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

# `load` must work without lark and networkx, so whatever needs them is imported through the lazy faces.
from blurc import artifact, graph, model, pictures, plan, storage
from blurc import from_graph as graphs
from blurc import spec as specs
from blurc.diagnostics import BlurError, Diagnostic, counted
from blurc.guards import check_package, has_package, require, typed
from blurc.runtime import Compiled

if TYPE_CHECKING:
    from blurc.artifact import Loaded
    from blurc.from_graph import AnyGraph, Neurons
    from blurc.genome import GenomeFile
    from blurc.graph import Graph
    from blurc.model import Grade, Model, ParamValue
    from blurc.pictures import Drawing
    from blurc.plan import Plan
    from blurc.runtime import GenomeValues, State
    from blurc.spec import Sources, Spec


class Net(Compiled):
    """A compiled network, returned by `blurc.compile` and `blurc.from_networkx`.

    Attributes:
        plan: what the program was made from; see `blurc.plan`.
        model: what the plan was made from; see `blurc.model`.
        sources: the files of the spec.
        warnings: the compiler's warnings about them.
        neurons: where `blurc.from_networkx` put each node and edge of a graph of neurons.
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

    @property
    def locality(self) -> Grade:
        """How far the rule sees: `"local"`, `"population"` or `"projection"`.

        In a local rule, a neuron sees itself and its synapses, and a synapse itself and its two neurons. The other two
        have functions over a population (`softmax`) or over a projection (`projection_mean`). See LANGUAGE.md.
        """
        return model.locality(self.model.genome).grade

    @typed
    def save(
        self,
        path: str | os.PathLike[str],
        genome: GenomeValues | GenomeFile | None = None,
        platforms: Iterable[str] = ("cpu", "cuda", "tpu"),
    ) -> None:
        """Writes an artifact, which `blurc.load` runs without the compiler.

        Args:
            path: the file, `NAME.blurx`.
            genome: meta-parameters to store with it. A genome file's name and provenance are stored too.
            platforms: some of cpu, cuda, rocm and tpu. This machine need not have them.

        Raises:
            BlurError: If the file cannot be written (E714), a platform is unknown (E715), the genome does not fit the
                network (E902) or is not finite (E609).
        """
        artifact.save(self, path, genome=genome, platforms=platforms)

    @typed
    def draw(self, path: str | os.PathLike[str] | None = None, *, full: bool = False) -> Drawing:
        """Draws the populations and projections, as `blurc graph` does.

        Args:
            path: where to write the picture too, `NAME.svg`, `.png` or `.dot`.
            full: whether every population and projection is drawn, even if many are alike.

        Returns:
            The picture. A notebook shows it; `.svg` is its text.

        Raises:
            BlurError: If matplotlib is not installed (E921), or the file cannot be written (E907).
        """
        check_package("matplotlib", "pictures need")
        return pictures.drawn(self.model.network, path, full=full)

    def _repr_svg_(self) -> str | None:
        """In a notebook, its picture."""
        return self.draw().svg if has_package("matplotlib") else None

    def __repr__(self) -> str:
        plan = self.plan
        sizes = f"{counted(len(plan.populations), 'population')}, {counted(len(plan.projections), 'projection')}"
        return f"<blurc network {self.plan.name} with {self.plan.genome}: {sizes}>"


@typed
def compile(
    spec: Spec,
    *,
    network: str | None = None,
    genome: str | None = None,
    check_finite: bool = False,
    **parameters: ParamValue,
) -> Net:
    """Compiles one network of a spec.

    Args:
        spec: a path (looked up in the working directory, then in the packaged library) or source text.
        network: which network to compile, if the spec has several.
        genome: which genome to use: one in the spec, or a rule from the packaged library.
        check_finite: whether its calls look for infinite values and NaN in the genome, the state and the data (E918).
            They wait for the device then.
        **parameters: compile-time parameters of the network and its genome.

    Returns:
        The network, ready to run.

    Raises:
        BlurError: If the spec has errors; carries all of them.
    """
    model, sources, warnings = specs.select(spec, network=network, genome=genome, params=parameters)
    net = Net(plan.plan_of(model), model, sources, warnings)
    net.check_finite = check_finite
    return net


def from_networkx(
    graph: AnyGraph,
    *,
    genome: Spec,
    network: str | None = None,
    inputs: Iterable[Hashable] | None = None,
    outputs: Iterable[Hashable] | None = None,
    orient: str = "both",
    delay: int | None = None,
    check_finite: bool = False,
    **parameters: ParamValue,
) -> Net:
    """Compiles a networkx graph.

    If nodes have sizes as their `shape`, each is a population, as in `net.graph`, which compiles back to the same
    network. Node attributes: role ("input", "hidden", "output"), shape, bias, slots. Edge attributes: forward,
    feedback, plastic, delay, topology (written as in the language), label. Otherwise every node is one neuron. Neurons
    are grouped into as few populations as the visiting order allows: `net.neurons[node]` says where a node went,
    `net.neurons.populations` which nodes a population has, and `net.neurons.edges` which edges a projection has, in the
    order of its synapses. Parallel edges are synapses of their own. Other attributes, such as `weight`, are left alone.
    Names come from the graph; characters other than letters, digits and `_` become `_`.

    The graph is converted to the text of a spec with edge files (`net.sources`) and compiled like any other.

    Args:
        graph: any networkx graph, directed or undirected, with or without parallel edges.
        genome: the name of a library rule, or a file (`.blur`) or source text with one genome.
        network: the network's name; by default, the graph's.
        inputs: for a graph of neurons, the input nodes in the order of the data; by default, those with that role.
        outputs: the output nodes, likewise.
        orient: direction of undirected edges. "both": both ways, but never into an input. "order": from the earlier
            node to the later, inputs first, outputs last.
        delay: delay in steps of edges that lie on a cycle within the step and have no `delay` attribute.
        check_finite: as in `compile`.
        **parameters: compile-time parameters of the genome.

    Returns:
        The network, ready to run.

    Raises:
        BlurError: If the graph or the genome has errors; carries all of them.
    """
    require(str | None, network=network)
    require(str, orient=orient)
    require(bool, check_finite=check_finite)
    wishes = graphs.Wishes(inputs, outputs, orient, delay)
    found = graphs.from_graph(graph, genome, network, wishes, parameters)
    net = Net(plan.plan_of(found.model), found.model, found.sources, found.warnings, found.neurons)
    net.check_finite = check_finite
    return net


@typed
def read_nir(path: str | os.PathLike[str]) -> AnyGraph:
    """Reads a NIR file as a graph of populations for `from_networkx`. Needs the package `nir`.

    NIR says what is wired to what, with which weights; the genome says what neurons do and how synapses learn. An edge
    has its weights as the attribute `weight`, in the shape of its synapses; a node the values of its biases as
    `bias_value`, and the NIR node that it was as `nir`. See docs/GRAPHS.md.

    Args:
        path: the file, `NAME.nir`.

    Raises:
        BlurError: If the file cannot be read, or has something that blurc cannot say (E920), such as a convolution; if
            the package is not installed (E921).
    """
    try:
        data = storage.read_file(path, (".nir",))
    except OSError as error:
        raise BlurError(Diagnostic("E920", f"cannot read `{os.fspath(path)}`: {storage.why(error)}")) from None
    return graphs.nir_graph(data, os.fspath(path))


@typed
def write_nir(
    path: str | os.PathLike[str], net: Net, state: State, *, neurons: Mapping[str, object], channel: str = "w"
) -> None:
    """Writes the populations and weights of a network as a NIR file. Needs the package `nir`.

    NIR has no word for a learning rule: what is written is what predicts, without projections that carry only feedback.

    Args:
        path: the file, `NAME.nir`.
        net: the network.
        state: its synapses.
        neurons: by hidden or output population, the NIR node that stands for its neurons, such as `nir.LIF(..)`; for
            an output also None, which hands on what comes in.
        channel: the synapse channel that is the weight.

    Raises:
        BlurError: If NIR cannot say the network (E920), as with delays, sparse projections or convolutions, or the file
            cannot be written; if the package is not installed (E921).
    """
    data = graph.nir_bytes(net.model, state.synapses, neurons, channel)
    try:
        storage.write_file(path, data)
    except OSError as error:
        raise BlurError(Diagnostic("E920", f"cannot write `{os.fspath(path)}`: {storage.why(error)}")) from None


@typed
def load(path: str | os.PathLike[str], *, check_finite: bool = False) -> Loaded:
    """Loads an artifact written by `Net.save` or `blurc compile -o`. Needs neither lark nor networkx.

    Args:
        path: the file.
        check_finite: as in `compile`.

    Returns:
        The network, ready to run, with the methods of a compiled one.

    Raises:
        BlurError: If the file is damaged, foreign or for other platforms. Nothing in it is executed.
    """
    net = artifact.load(path)
    net.check_finite = check_finite
    return net
