"""The parts of a file: genomes, networks and blocks, and what they declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from blurc.diagnostics import Span
from blurc.editor.names import KINDS, word
from blurc.language import syntax as s


@dataclass(frozen=True)
class Outlined:
    name: str
    kind: str
    span: Span
    name_span: Span
    parts: tuple[Outlined, ...] = ()


def outline(file: s.File) -> list[Outlined]:
    whole = [
        *(Outlined(g.name, "genome", g.span, g.name_span, tuple(_genome(g.items))) for g in file.genomes),
        *(Outlined(n.name, "network", n.span, n.name_span, tuple(_network(n.items))) for n in file.networks),
        *(Outlined(b.name, "block", b.span, b.name_span, tuple(_network(b.items))) for b in file.blocks),
        *(Outlined(f.name, "function", f.span, f.name_span) for f in file.functions),
    ]
    return sorted(whole, key=lambda part: part.span.start)


def _genome(items: Iterable[s.Node]) -> Iterator[Outlined]:
    for item in items:
        match item:
            case s.Phase(kind, _, of, name):
                title = f"{kind}{f' {name}' if name else ''}{f' of {of}' if of else ''}"
                yield Outlined(title, "phase", item.span, word(item.span))
            case s.Repeat(_, phases):
                yield Outlined("repeat", "phase", item.span, word(item.span), tuple(_genome(phases)))
            case s.Readout():
                yield Outlined("readout", "phase", item.span, word(item.span))
            case _:
                if kind := KINDS.get(type(item)):
                    yield Outlined(word(item.span).text, kind, item.span, word(item.span))


def _network(items: Iterable[s.NetworkItem]) -> Iterator[Outlined]:
    for item in items:
        match item:
            case s.Population(_, name):
                yield Outlined(name.span.text, "population", item.span, name.span)
            case s.Instance(name):
                yield Outlined(name.span.text, "block in use", item.span, name.span)
            case s.For(_, _, _, inner):
                yield Outlined(
                    f"for {word(item.span, 1).text}", "for", item.span, word(item.span), tuple(_network(inner))
                )
            case s.Projection():
                pass
