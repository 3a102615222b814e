"""NIR, the Neuromorphic Intermediate Representation (Pedersen et al., Nature Communications 15, 2024): a network's
populations and weights as a NIR graph.

NIR has no word for a learning rule, nor for the neurons of one. So the caller says which NIR neuron stands for each
population.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, Report
from blurc.guards import check_package
from blurc.model import Dense, Identity, Model, OneToOne, Population, Projection, dims
from blurc.storage import Array

Synapses: TypeAlias = "Mapping[str, Mapping[str, Any]]"

CODE = "E920"


def nir_package() -> Any:
    """The package `nir`, which only NIR files need. Raises `BlurError` (E921)."""
    check_package("nir", "NIR files need")
    return import_module("nir")


def nir_bytes(model: Model, synapses: Synapses, neurons: Mapping[str, Any], channel: str) -> bytes:
    """A NIR file. Raises `BlurError` (E920, E921)."""
    writer = _Writer(nir_package(), model, synapses, channel)
    for p in model.network.populations:
        if p.role != "unit":
            writer.population(p, neurons)
    for name in neurons:
        writer.check_name(name)
    for e in model.network.projections:
        if e.forward and e.source != "unit":
            writer.projection(e)
    writer.report.check()
    file = io.BytesIO()
    writer.nir.write(file, writer.nir.NIRGraph(writer.nodes, writer.edges))
    return file.getvalue()


class _Writer:
    def __init__(self, nir: Any, model: Model, synapses: Synapses, channel: str) -> None:
        self.nir, self.model, self.synapses, self.channel = nir, model, synapses, channel
        self.report = Report()
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self.biases = {e.target: self._weights(e).reshape(-1) for e in model.network.projections if e.source == "unit"}

    def error(self, message: str, help: str) -> None:
        self.report.error(CODE, message, None, help=help)

    def check_name(self, name: str) -> None:
        found = {p.name: p for p in self.model.network.populations}.get(name)
        if found is None or found.role in ("input", "unit"):
            names = [p.name for p in self.model.network.populations if p.role in ("hidden", "output")]
            self.error(f"`neurons` names `{name}`, which is not hidden or an output", f"name {', '.join(names)}")

    def population(self, p: Population, neurons: Mapping[str, Any]) -> None:
        shape = np.array(p.shape)
        if p.role == "input":
            self.nodes[p.name] = self.nir.Input(shape)
        elif p.name not in neurons or (neurons[p.name] is None and p.role != "output"):
            named = "nir.LIF(..)" if p.role == "hidden" else "None"
            self.error(
                f"NIR has no node for the neurons of `{self.model.genome.name}`, and `neurons` none for `{p.name}`",
                f"pass neurons={{{p.name!r}: {named}, ..}}, the NIR node for these neurons"
                + ("" if p.role == "hidden" else "; None hands on what comes in"),
            )
        elif not isinstance(neurons[p.name], self.nir.NIRNode | None):
            help = f"pass neurons={{{p.name!r}: nir.LIF(..), ..}}"
            self.error(f"`neurons` has {type(neurons[p.name]).__name__} for `{p.name}`, expected a NIR node", help)
        elif neurons[p.name] is None:
            self.nodes[p.name] = self.nir.Output(shape)
        else:
            self.nodes[p.name] = neurons[p.name]
            found = tuple(int(n) for n in neurons[p.name].output_type["output"])
            if found != p.shape:
                help = f"give it parameters of shape {dims(p.shape)}"
                self.error(f"the node for `{p.name}` has shape {dims(found)}, expected {dims(p.shape)}", help)
            if p.role == "output":
                self.nodes[f"{p.name}.output"] = self.nir.Output(shape)
                self.edges.append((p.name, f"{p.name}.output"))

    def projection(self, e: Projection) -> None:
        """Biases go to the first map into a population that has any."""
        if e.delay:
            self.error(f"`{e.name}` has a delay, which NIR gives in seconds and blurc in steps", "leave the delay out")
        elif isinstance(e.topology, Identity):
            self.edges.append((e.source, e.target))
        elif isinstance(e.topology, Dense):
            w, bias = self._weights(e).T, self.biases.pop(e.target, None)
            self._check_axes(e)
            self._map(e, self.nir.Linear(w) if bias is None else self.nir.Affine(w, bias), self._flat(e.source))
        elif isinstance(e.topology, OneToOne) and e.target not in self.biases:
            self._map(e, self.nir.Scale(self._weights(e).reshape(self.model.network.population(e.target).shape)))
        else:
            what = "with a bias" if isinstance(e.topology, OneToOne) else "has synapses for some pairs only, or shared"
            help = "make it dense" if not isinstance(e.topology, OneToOne) else "declare the target with `bias = off`"
            self.error(f"`{e.name}` is {e.topology}, which NIR cannot say {what}", help)

    def _map(self, e: Projection, node: Any, source: str = "") -> None:
        self.nodes[e.name] = node
        self.edges += [(source or e.source, e.name), (e.name, e.target)]

    def _flat(self, source: str) -> str:
        """The node that puts all neurons of a population on one axis, in their order."""
        shape, name = self.model.network.population(source).shape, f"{source}.flat"
        if len(shape) < 2:
            return source
        if name not in self.nodes:
            self.nodes[name] = self.nir.Flatten({"input": np.array(shape)}, 0, -1)
            self.edges.append((source, name))
        return name

    def _check_axes(self, e: Projection) -> None:
        target = self.model.network.population(e.target)
        if len(target.shape) > 1:
            help = f"declare `{target.role} {e.target}[{target.size}]`"
            self.error(f"`{e.name}` leads to {dims(target.shape)} neurons, and the matrices of NIR to one axis", help)

    def _weights(self, e: Projection) -> Array:
        found = self.synapses.get(e.keeper, {})
        if self.channel not in found:
            names = ", ".join(found) or "none"
            message = f"the state has no channel `{self.channel}` of `{e.name}`"
            raise BlurError(Diagnostic(CODE, message, help=f"pass channel=.., one of {names}"))
        return np.asarray(found[self.channel])
