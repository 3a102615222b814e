"""Lark's tree -> the syntax tree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from lark import Token, Transformer_NonRecursive

from blurc.diagnostics import Source, Span
from blurc.language import syntax as s
from blurc.language.chains import chained

Children: TypeAlias = list[Any]  # tokens (all of them), nodes and groups


def start_of(child: Any) -> int:
    return child.start_pos or 0 if isinstance(child, Token) else child.span.start


def stop_of(child: Any) -> int:
    return child.end_pos or 0 if isinstance(child, Token) else child.span.stop


class TreeBuilder(Transformer_NonRecursive[Token, Any]):
    def __init__(self, source: Source) -> None:
        super().__init__(visit_tokens=False)
        self._source = source

    def __default__(self, data: str, children: Children, meta: object) -> Any:
        if data == "file":
            return _file(children, Span(self._source, 0, len(self._source.text)))
        span = Span(self._source, start_of(children[0]), stop_of(children[-1]))
        return _Group(data, _nodes(children), span) if data in LISTS else NODES[data](children, span)


@dataclasses.dataclass(frozen=True)
class _Group:
    """A bracketed or comma-separated list on its way into a node."""

    rule: str
    items: tuple[Any, ...]
    span: Span


DECLARATIONS = ("states", "signals", "synapses", "learns", "consts", "fns", "functions")
LISTS = (*DECLARATIONS, "params", "dims", "ids", "uses_args", "options", "attrs", "args", "arguments", "selection")


def _nodes(children: Children) -> tuple[Any, ...]:
    """The nodes among the children, with comma lists of declarations flattened."""
    found: list[Any] = []
    for child in children:
        if isinstance(child, s.Node):
            found.append(child)
        elif isinstance(child, _Group) and child.rule in DECLARATIONS:
            found.extend(child.items)
    return tuple(found)


def _of(node: type[s.Node], children: Children) -> tuple[Any, ...]:
    return tuple(n for n in _nodes(children) if isinstance(n, node))


def _group(children: Children, rule: str) -> tuple[Any, ...]:
    return next((c.items for c in children if isinstance(c, _Group) and c.rule == rule), ())


def _dims(children: Children) -> tuple[Any, ...]:
    return _group(children, "dims")


def _last(nodes: tuple[Any, ...]) -> Any:
    return nodes[-1] if nodes else None


def _at(token: Token, whole: Span) -> Span:
    return Span(whole.source, start_of(token), stop_of(token))


def _file(c: Children, at: Span) -> s.File:
    wiring = _of(s.Network, c), _of(s.Block, c)
    return s.File(_of(s.Import, c), _of(s.Genome, c), *wiring, _of(s.Function, c), span=at)


def _genome(c: Children, at: Span) -> s.Genome:
    extends = _last(_of(s.Extends, c))
    items = tuple(n for n in _nodes(c) if n is not extends)
    return s.Genome(str(c[1]), _group(c, "params"), items, extends, span=at, name_span=_at(c[1], at))


def _phase(c: Children, at: Span) -> s.Phase:
    named = isinstance(c[1], Token) and c[1].type == "NAME"
    of = next(iter(_group(c, "of")), "")
    return s.Phase(c[0].value, _nodes(c), of, str(c[1]) if named else None, span=at)


def _network(c: Children, at: Span) -> s.Network:
    uses = _last(_of(s.Uses, c))
    items = tuple(n for n in _nodes(c) if n is not uses)
    return s.Network(str(c[1]), _group(c, "params"), uses, items, span=at, name_span=_at(c[1], at))


def _population(c: Children, at: Span) -> s.Population:
    ids = _group(c, "ids")
    return s.Population(c[0].value, c[1], ids or _dims(c), _group(c, "options"), bool(ids), span=at)


def _per(c: Children) -> str | None:
    return next(iter(_group(c, "per")), None)


def _learn(c: Children, at: Span) -> s.Learn:
    return s.Learn(str(c[0]), _dims(c), _last(_nodes(c)), _per(c), span=at)


def _function(c: Children, at: Span) -> s.Function:
    slope = c[5] if len(c) > 4 else None
    return s.Function(str(c[0]), _group(c, "arguments"), c[3], slope, span=at, name_span=_at(c[0], at))


def _attr_call(c: Children, at: Span) -> s.Attr:
    args = tuple(n for n in _nodes(c) if not isinstance(n, s.Option))
    return s.Attr(str(c[0]), None, args, _of(s.Option, c), span=at)


def _indexed_name(c: Children, at: Span) -> s.IndexedName:
    """Of some children of the rule that is at `at`."""
    return s.IndexedName(str(c[0]), _nodes(c), span=Span(at.source, start_of(c[0]), stop_of(c[-1])))


def _binding_indexed(c: Children, at: Span) -> s.Binding:
    """`x = r{i}`, `x = r{i}.y`, `x = r.y{i}`; the port is already a node if there are braces before the dot."""
    dot = next((i for i, child in enumerate(c) if isinstance(child, Token) and child.type == "DOT"), len(c))
    name = _indexed_name(c[2:dot], at)
    if dot < len(c):
        port = c[dot + 1] if isinstance(c[dot + 1], s.IndexedName) else _indexed_name(c[dot + 1 :], at)
        name = dataclasses.replace(name, port=port, span=name.span.to(port.span))
    return s.Binding(str(c[0]), name, span=at)


def _number(c: Children, at: Span) -> s.Number:
    return s.Number(int(c[0]) if c[0].isdigit() else float(c[0]), span=at)


def _sum_of_kind(c: Children, at: Span) -> s.Call:
    """`incoming[dendrite](E)`, perhaps with `post.` before it."""
    owner = str(c[0]) if c[1].type == "DOT" else None
    function, _, kind = c[2:5] if owner else c[:3]
    return s.Call(str(function), _group(c, "args"), owner=owner, kind=str(kind), span=at)


def _slice(c: Children, at: Span) -> s.Slice:
    low, high = (None if isinstance(end, Token) else end for end in (c[0], c[-1]))
    return s.Slice(low, high, span=at)


# One entry per rule of the grammar that is not a list.
NODES: Mapping[str, Callable[[Children, Span], s.Node | _Group]] = {
    "import_line": lambda c, at: s.Import(c[1][1:-1], span=at),
    # genomes
    "genome": _genome,
    "extends": lambda c, at: s.Extends(str(c[1]), span=at),
    "param": lambda c, at: s.Param(str(c[0]), c[2], span=at),
    "state": lambda c, at: s.State(str(c[0]), _dims(c), len(c) > 1 and isinstance(c[-1], Token), span=at),
    "signal": lambda c, at: s.Signal(str(c[0]), _dims(c), _per(c), span=at),
    "synapse": lambda c, at: s.Synapse(str(c[0]), _dims(c), _last(_nodes(c)), _per(c), span=at),
    "learn": _learn,
    "per": lambda c, at: _Group("per", (str(c[1]),), at),
    "distribution": lambda c, at: s.Distribution(str(c[0]), _group(c, "args"), span=at),
    "const": lambda c, at: s.Const(str(c[0]), _dims(c), _last(_nodes(c)), _per(c), span=at),
    "fn": lambda c, at: s.Fn(str(c[0]), str(c[2]), span=at),
    "function": _function,
    "argument": lambda c, at: s.Argument(str(c[0]), span=at),
    "phase": _phase,
    "of": lambda c, at: _Group("of", (str(c[1]),), at),
    "again": lambda c, at: s.Again(str(c[0]), span=at),
    "repeat": lambda c, at: s.Repeat(c[1], _nodes(c[2:]), span=at),
    "readout": lambda c, at: s.Readout(c[1], span=at),
    "let": lambda c, at: s.Let(str(c[1]), c[3], span=at),
    "assign": lambda c, at: s.Assign(str(c[0]), _group(c, "selection"), c[-1], span=at, name_span=_at(c[0], at)),
    # networks
    "network": _network,
    "block": lambda c, at: s.Block(str(c[1]), _group(c, "params"), _nodes(c), span=at, name_span=_at(c[1], at)),
    "uses": lambda c, at: s.Uses(str(c[1]), _group(c, "uses_args"), span=at),
    "option": lambda c, at: s.Option(str(c[0]), c[2], span=at),
    "population": _population,
    "projection": lambda c, at: s.Projection(_of(s.IndexedName, c), _group(c, "attrs"), span=at),
    "attr": lambda c, at: s.Attr(str(c[0]), span=at),
    "attr_value": lambda c, at: s.Attr(str(c[0]), c[2], span=at),
    "attr_indexed": lambda c, at: s.Attr(str(c[0]), _indexed_name(c[2:], at), span=at),
    "attr_call": _attr_call,
    "text": lambda c, at: s.Text(c[0][1:-1], span=at),
    "instance": lambda c, at: s.Instance(c[0], str(c[2]), _nodes(c[3:]), span=at),
    "binding": lambda c, at: s.Binding(str(c[0]), c[2], span=at),
    "binding_indexed": _binding_indexed,
    "loop": lambda c, at: s.For(str(c[1]), c[3], c[5], _nodes(c[6:]), span=at),
    "indexed_name": _indexed_name,
    "port": lambda c, at: dataclasses.replace(c[0], port=c[2], span=at),
    # expressions
    "number": _number,
    "variable": lambda c, at: s.Name(str(c[0]), span=at),
    "attribute": lambda c, at: s.Attribute(str(c[0]), str(c[2]), span=at),
    "call": lambda c, at: s.Call(str(c[0]), _group(c, "args"), span=at),
    "derivative": lambda c, at: s.Call(str(c[0]), _group(c, "args"), prime=True, span=at),
    "method": lambda c, at: s.Call(str(c[2]), _group(c, "args"), owner=str(c[0]), span=at),
    "sum_of_kind": _sum_of_kind,
    "parentheses": lambda c, at: dataclasses.replace(c[1], span=at),  # so that what is around them has the right span
    "vector": lambda c, at: s.Vector(_nodes(c), span=at),
    "binary": lambda c, at: s.Binary(c[1].value, c[0], c[2], span=at),
    "chain": lambda c, at: chained(c[::2], [sign.value for sign in c[1::2]]),
    "negate": lambda c, at: s.Negate(c[1], span=at),
    "index": lambda c, at: s.Index(c[0], c[1].items, span=at),
    "slice": _slice,
}
