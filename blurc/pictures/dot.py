"""A network in the language of Graphviz (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from collections.abc import Iterator

from blurc.model import Network, Population, Projection

FILL = {"input": "#dbe9f8", "hidden": "#eeeef2", "output": "#dcf0e1"}


def text(network: Network) -> str:
    """The unit neuron is left out, as in the pictures."""
    return "\n".join(_lines(network)) + "\n"


def _lines(network: Network) -> Iterator[str]:
    yield f"digraph {quoted(network.name)} {{"
    yield "  rankdir = LR;"
    yield '  node [shape = box, style = "rounded,filled", fontname = "Helvetica"];'
    yield '  edge [fontname = "Helvetica", fontsize = 10];'
    for p in network.populations:
        if p.role != "unit":
            yield f"  {quoted(p.name)} [{_population(p)}];"
    for e in network.projections:
        if network.population(e.source).role != "unit":
            yield f"  {quoted(e.source)} -> {quoted(e.target)} [{_projection(e)}];"
    yield "}"


def _population(p: Population) -> str:
    label = f"{p.name}\n{p.role} {list(p.shape)}"
    return f"label = {quoted(label)}, fillcolor = {quoted(FILL[p.role])}"


def _projection(e: Projection) -> str:
    attributes = {"dir": "both" if e.forward and e.feedback else "forward" if e.forward else "back"}
    if not e.forward:
        attributes["style"] = "dashed"
    if not e.plastic:
        attributes["color"] = "gray60"
    if label := own_label(e):
        attributes["label"] = label
    return ", ".join(f"{name} = {quoted(value)}" for name, value in attributes.items())


def own_label(e: Projection) -> str | None:
    """The name that a projection was given; None where it has the default one."""
    return None if e.name.split("#")[0] == f"{e.source}->{e.target}" else e.name


def quoted(text: str) -> str:
    """A string of the dot language: only the quote, the backslash and line breaks mean something in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
