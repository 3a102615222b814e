"""Lark's tree -> the syntax tree."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

from lark import Token, Transformer_NonRecursive

from blurc.diagnostics import Source, Span
from blurc.language import syntax

Children: TypeAlias = list[Any]
LISTS = ("params", "dims", "uses_args", "options", "attrs", "args", "selection")


def start_of(child: Any) -> int:
    return child.start_pos or 0 if isinstance(child, Token) else child.span.start


def stop_of(child: Any) -> int:
    return child.end_pos or 0 if isinstance(child, Token) else child.span.stop


@dataclasses.dataclass(frozen=True)
class _Group:
    """A bracketed or comma-separated list on its way into a node."""

    rule: str
    items: tuple[Any, ...]
    span: Span


def _nodes(children: Children) -> tuple[Any, ...]:
    """The nodes among the children, with comma lists flattened."""
    found: list[Any] = []
    for child in children:
        if isinstance(child, syntax.Node):
            found.append(child)
        elif isinstance(child, _Group) and child.rule == "declarations":
            found.extend(child.items)
    return tuple(found)


def _group(children: Children, rule: str) -> tuple[Any, ...]:
    return next((c.items for c in children if isinstance(c, _Group) and c.rule == rule), ())


class TreeBuilder(Transformer_NonRecursive[Token, Any]):
    """One method per grammar rule, except lists. Children are tokens (all of them), nodes and groups."""

    def __init__(self, source: Source) -> None:
        super().__init__(visit_tokens=False)
        self._source = source

    def _span(self, children: Children) -> Span:
        return Span(self._source, start_of(children[0]), stop_of(children[-1]))

    def __default__(self, data: str, children: Children, meta: object) -> Any:
        assert data in LISTS, "every other rule has a method"
        return _Group(data, _nodes(children), self._span(children))

    # ------------------------------------------------ files

    def file(self, c: Children) -> syntax.File:
        nodes = _nodes(c)
        return syntax.File(
            tuple(n for n in nodes if isinstance(n, syntax.Import)),
            tuple(n for n in nodes if isinstance(n, syntax.Genome)),
            tuple(n for n in nodes if isinstance(n, syntax.Network)),
            tuple(n for n in nodes if isinstance(n, syntax.Block)),
            span=Span(self._source, 0, len(self._source.text)),
        )

    def import_line(self, c: Children) -> syntax.Import:
        return syntax.Import(c[1][1:-1], span=self._span(c))

    # ------------------------------------------------ genomes

    def genome(self, c: Children) -> syntax.Genome:
        return syntax.Genome(
            str(c[1]), _group(c, "params"), _nodes(c), span=self._span(c), name_span=self._span([c[1]])
        )

    def param(self, c: Children) -> syntax.Param:
        return syntax.Param(str(c[0]), c[2], span=self._span(c))

    def _declarations(self, c: Children) -> _Group:
        return _Group("declarations", _nodes(c), self._span(c))

    states = signals = synapses = learns = consts = fns = _declarations

    def state(self, c: Children) -> syntax.State:
        persistent = len(c) > 1 and isinstance(c[-1], Token)
        return syntax.State(str(c[0]), _group(c, "dims"), persistent, span=self._span(c))

    def signal(self, c: Children) -> syntax.Signal:
        return syntax.Signal(str(c[0]), _group(c, "dims"), span=self._span(c))

    def synapse(self, c: Children) -> syntax.Synapse:
        return syntax.Synapse(str(c[0]), _group(c, "dims"), _last(_nodes(c)), span=self._span(c))

    def learn(self, c: Children) -> syntax.Learn:
        per = next(iter(_group(c, "per")), None)
        return syntax.Learn(str(c[0]), _group(c, "dims"), _last(_nodes(c)), per, span=self._span(c))

    def per(self, c: Children) -> _Group:
        return _Group("per", (str(c[1]),), self._span(c))

    def distribution(self, c: Children) -> syntax.Distribution:
        return syntax.Distribution(str(c[0]), _group(c, "args"), span=self._span(c))

    def const(self, c: Children) -> syntax.Const:
        return syntax.Const(str(c[0]), _group(c, "dims"), c[-1], span=self._span(c))

    def fn(self, c: Children) -> syntax.Fn:
        return syntax.Fn(str(c[0]), str(c[2]), span=self._span(c))

    def phase(self, c: Children) -> syntax.Phase:
        return syntax.Phase(c[0].value, _nodes(c), span=self._span(c))

    def repeat(self, c: Children) -> syntax.Repeat:
        return syntax.Repeat(c[1], _nodes(c[2:]), span=self._span(c))

    def readout(self, c: Children) -> syntax.Readout:
        return syntax.Readout(c[1], span=self._span(c))

    # ------------------------------------------------ statements

    def let(self, c: Children) -> syntax.Let:
        return syntax.Let(str(c[1]), c[3], span=self._span(c))

    def assign(self, c: Children) -> syntax.Assign:
        items, span = _group(c, "selection"), self._span(c)
        return syntax.Assign(str(c[0]), items, c[-1], span=span, name_span=self._span([c[0]]))

    # ------------------------------------------------ networks

    def network(self, c: Children) -> syntax.Network:
        nodes = _nodes(c)
        uses = next((n for n in nodes if isinstance(n, syntax.Uses)), None)
        return syntax.Network(
            str(c[1]),
            _group(c, "params"),
            uses,
            tuple(n for n in nodes if n is not uses),
            span=self._span(c),
            name_span=self._span([c[1]]),
        )

    def block(self, c: Children) -> syntax.Block:
        return syntax.Block(str(c[1]), _group(c, "params"), _nodes(c), span=self._span(c), name_span=self._span([c[1]]))

    def uses(self, c: Children) -> syntax.Uses:
        return syntax.Uses(str(c[1]), _group(c, "uses_args"), span=self._span(c))

    def option(self, c: Children) -> syntax.Option:
        return syntax.Option(str(c[0]), c[2], span=self._span(c))

    def population(self, c: Children) -> syntax.Population:
        return syntax.Population(c[0].value, c[1], _group(c, "dims"), _group(c, "options"), span=self._span(c))

    def projection(self, c: Children) -> syntax.Projection:
        return syntax.Projection(c[0], c[2], _group(c, "attrs"), span=self._span(c))

    def attr(self, c: Children) -> syntax.Attr:
        return syntax.Attr(str(c[0]), span=self._span(c))

    def attr_value(self, c: Children) -> syntax.Attr:
        return syntax.Attr(str(c[0]), c[2], span=self._span(c))

    def attr_indexed(self, c: Children) -> syntax.Attr:
        return syntax.Attr(str(c[0]), self.indexed_name(c[2:]), span=self._span(c))

    def attr_call(self, c: Children) -> syntax.Attr:
        nodes = _nodes(c)
        args = tuple(n for n in nodes if not isinstance(n, syntax.Option))
        options = tuple(n for n in nodes if isinstance(n, syntax.Option))
        return syntax.Attr(str(c[0]), None, args, options, span=self._span(c))

    def text(self, c: Children) -> syntax.Text:
        return syntax.Text(c[0][1:-1], span=self._span(c))

    def instance(self, c: Children) -> syntax.Instance:
        return syntax.Instance(c[0], str(c[2]), _nodes(c[3:]), span=self._span(c))

    def binding(self, c: Children) -> syntax.Binding:
        return syntax.Binding(str(c[0]), c[2], span=self._span(c))

    def binding_indexed(self, c: Children) -> syntax.Binding:
        """`x = r{i}`, `x = r{i}.y`, `x = r.y{i}`; the port is already a node if there are braces before the dot."""
        value = c[2:]
        dot = next((i for i, child in enumerate(value) if isinstance(child, Token) and child.type == "DOT"), None)
        if dot is None:
            name = self.indexed_name(value)
        else:
            port = value[dot + 1]
            after = port if isinstance(port, syntax.IndexedName) else self.indexed_name(value[dot + 1 :])
            name = self.port([self.indexed_name(value[:dot]), value[dot], after])
        return syntax.Binding(str(c[0]), name, span=self._span(c))

    def loop(self, c: Children) -> syntax.For:
        return syntax.For(str(c[1]), c[3], c[5], _nodes(c[6:]), span=self._span(c))

    def indexed_name(self, c: Children) -> syntax.IndexedName:
        return syntax.IndexedName(str(c[0]), _nodes(c), span=self._span(c))

    def port(self, c: Children) -> syntax.IndexedName:
        return dataclasses.replace(c[0], port=c[2], span=self._span(c))

    # ------------------------------------------------ expressions

    def number(self, c: Children) -> syntax.Number:
        whole = c[0].isdigit()
        return syntax.Number(int(c[0]) if whole else float(c[0]), span=self._span(c))

    def variable(self, c: Children) -> syntax.Name:
        return syntax.Name(str(c[0]), span=self._span(c))

    def attribute(self, c: Children) -> syntax.Attribute:
        return syntax.Attribute(str(c[0]), str(c[2]), span=self._span(c))

    def call(self, c: Children) -> syntax.Call:
        return syntax.Call(str(c[0]), _group(c, "args"), span=self._span(c))

    def derivative(self, c: Children) -> syntax.Call:
        return syntax.Call(str(c[0]), _group(c, "args"), prime=True, span=self._span(c))

    def method(self, c: Children) -> syntax.Call:
        return syntax.Call(str(c[2]), _group(c, "args"), owner=str(c[0]), span=self._span(c))

    def parentheses(self, c: Children) -> syntax.Expr:
        """The content, with a span that includes the parentheses, so that enclosing nodes get the right span."""
        return dataclasses.replace(c[1], span=self._span(c))

    def vector(self, c: Children) -> syntax.Vector:
        return syntax.Vector(_nodes(c), span=self._span(c))

    def binary(self, c: Children) -> syntax.Binary:
        return syntax.Binary(c[1].value, c[0], c[2], span=self._span(c))

    def negate(self, c: Children) -> syntax.Negate:
        return syntax.Negate(c[1], span=self._span(c))

    def index(self, c: Children) -> syntax.Index:
        return syntax.Index(c[0], c[1].items, span=self._span(c))

    def slice(self, c: Children) -> syntax.Slice:
        low = None if isinstance(c[0], Token) else c[0]
        high = None if isinstance(c[-1], Token) else c[-1]
        return syntax.Slice(low, high, span=self._span(c))


def _last(nodes: tuple[Any, ...]) -> Any:
    return nodes[-1] if nodes else None
