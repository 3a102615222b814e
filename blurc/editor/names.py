"""The names in a spec: what each declares or refers to, also across imports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from blurc.diagnostics import Source, Span
from blurc.language import syntax as s

WORD = re.compile(r"#[^\n]*|([A-Za-z_]\w*)")


@dataclass(frozen=True)
class Symbol:
    """Something that has a name.

    kind: in the words of the manual: "state", "meta-parameter", "population" ..
    span: of its name where it is declared.
    node: its declaration.
    of: the genome, network or block that it is part of, or "".
    """

    kind: str
    name: str
    span: Span = field(compare=False)
    node: s.Node = field(compare=False, repr=False)
    of: str = ""
    place: tuple[str, int] = ("", 0)  # where it is declared, as a key


@dataclass(frozen=True)
class Use:
    """A place where a name stands; `symbol` is None for names of the language."""

    span: Span
    name: str
    symbol: Symbol | None
    declares: bool = False


Table: TypeAlias = dict[str, Symbol]
KINDS: Mapping[type[s.Node], str] = {
    s.State: "state", s.Signal: "signal", s.Synapse: "channel", s.Learn: "meta-parameter", s.Const: "constant",
    s.Fn: "function slot", s.Function: "function", s.Param: "parameter", s.Argument: "argument", s.Let: "named value",
}  # fmt: skip


def words(span: Span) -> Iterator[Span]:
    """The words in a piece of text, without its comments."""
    for found in WORD.finditer(span.source.text, span.start, span.stop):
        if found[1]:
            yield Span(span.source, *found.span())


def word(span: Span, index: int = 0) -> Span:
    found = [*words(span)]
    return found[min(index, len(found) - 1)] if found else span


def symbol(kind: str, name: str, at: Span, node: s.Node, of: str = "") -> Symbol:
    return Symbol(kind, name, at, node, of, (at.source.name, at.start))


@dataclass
class Names:
    """All names of some files. `tables` has what a genome declares or inherits, or a network or block declares."""

    files: tuple[s.File, ...]
    top: Table = field(default_factory=dict[str, Symbol])
    tables: dict[str, Table] = field(default_factory=dict[str, Table])
    kinds: Table = field(default_factory=dict[str, Symbol])  # of projections and populations
    uses: list[Use] = field(default_factory=list[Use])

    def at(self, source: Source, offset: int) -> Use | None:
        """What stands at a place, which may be just behind it."""
        here = (u for u in self.uses if u.span.source is source and u.span.start <= offset <= u.span.stop)
        return next(here, None)

    def genome(self, name: str) -> s.Genome | None:
        found = self.top.get(name)
        return found.node if found and isinstance(found.node, s.Genome) else None

    def block(self, name: str) -> s.Block | None:
        found = self.top.get(name)
        return found.node if found and isinstance(found.node, s.Block) else None


def declared(items: Iterable[s.Node], of: str) -> Table:
    """The declarations of a genome, and the names of its phases."""
    found: Table = {}
    for item in items:
        if type(item) in KINDS:
            name = str(vars(item)["name"])
            found.setdefault(name, symbol(KINDS[type(item)], name, word(item.span), item, of))
        elif isinstance(item, s.Phase) and item.name:
            found.setdefault(item.name, symbol("phase", item.name, word(item.span, 1), item, of))
        elif isinstance(item, s.Repeat):
            found = {**declared(item.phases, of), **found}
    return found
