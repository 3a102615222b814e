"""A network in Graphviz's language (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from collections.abc import Iterator

from blurc.model import Network
from blurc.pictures.view import Arrow, Box, View, view

FILL = {"input": "#dbe9f8", "hidden": "#eeeef2", "output": "#dcf0e1"}


def text(network: Network, *, full: bool = False) -> str:
    """Without the unit neuron, as in the pictures."""
    return "\n".join(_lines(network.name, view(network, full=full))) + "\n"


def _lines(name: str, shown: View) -> Iterator[str]:
    yield f"digraph {quoted(name)} {{"
    yield "  rankdir = LR;"
    if any(box.inside for box in shown.boxes):
        yield "  compound = true;"
    yield '  node [shape = box, style = "rounded,filled", fontname = "Helvetica"];'
    yield '  edge [fontname = "Helvetica", fontsize = 10];'
    yield from _level(shown, "", "  ")
    yield "}"


def _level(shown: View, within: str, indent: str) -> Iterator[str]:
    """`within`: the prefix of the names of its boxes."""
    for box in shown.boxes:
        if box.inside:
            yield f"{indent}subgraph {quoted(f'cluster {within}{box.key}')} {{"
            yield f"{indent}  label = {quoted(_words(box))};"
            yield from _level(box.inside, f"{within}{box.key}.", f"{indent}  ")
            yield f"{indent}}}"
        else:
            yield f"{indent}{quoted(within + box.key)} [{_box(box)}];"
    boxes = {box.key: box for box in shown.boxes}
    for arrow in shown.arrows:
        yield f"{indent}{_arrow(arrow, boxes, within)};"


def _words(box: Box) -> str:
    return "\n".join([box.title, *box.lines])


def _box(box: Box) -> str:
    if box.role == "port":
        return f"label = {quoted(box.title)}, shape = {'plaintext, style = solid' if box.title else 'point'}"
    stack = ", peripheries = 2" if box.copies > 1 else ""
    return f"label = {quoted(_words(box))}, fillcolor = {quoted(FILL[box.role])}{stack}"


def _arrow(arrow: Arrow, boxes: dict[str, Box], within: str) -> str:
    """In the network's direction: Graphviz draws back edges itself."""
    ends = (arrow.target, arrow.source) if arrow.turned else (arrow.source, arrow.target)
    attributes = {"dir": "both" if arrow.forward and arrow.feedback else "forward" if arrow.forward else "back"}
    if arrow.delayed:
        attributes["style"] = "dotted"
    elif not arrow.forward:
        attributes["style"] = "dashed"
    if not arrow.plastic:
        attributes["color"] = "gray60"
    if arrow.label:
        attributes["label"] = arrow.label
    nodes: list[str] = []
    for end, key, last in zip(ends, ("ltail", "lhead"), (True, False), strict=True):
        node, framed = _anchor(boxes[end], within, last=last)
        nodes.append(node)
        if framed:
            attributes[key] = f"cluster {within}{end}"
    written = ", ".join(f"{name} = {quoted(value)}" for name, value in attributes.items())
    return f"{quoted(nodes[0])} -> {quoted(nodes[1])} [{written}]"


def _anchor(box: Box, within: str, *, last: bool) -> tuple[str, bool]:
    """A node that stands for a box, as arrows can only lead to nodes, and whether it is inside the box."""
    if not box.inside:
        return within + box.key, False
    inner = box.inside.boxes
    real = [b for b in inner if b.role != "port"]
    chosen = real[-1] if last else (next((b for b in inner if b.role == "port"), real[0]))
    return _anchor(chosen, f"{within}{box.key}.", last=last)[0], True


def quoted(text: str) -> str:
    """A string of the dot language, where only quotes, backslashes and line breaks are special."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
