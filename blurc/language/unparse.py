"""Syntax tree -> source text, in one canonical layout: two-space indents and as few parentheses as possible.

`parse(unparse(tree)) == tree`. Comments are not in the tree, so they are lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from blurc.language import syntax as s
from blurc.language.chains import TURNED

WIDTH = 90  # maximum for a phase on one line

# Precedence levels. An expression below the level its place requires gets parentheses.
COMPARISON, SUM, PRODUCT, UNARY, POWER, POSTFIX = range(1, 7)
LEVELS = {
    **dict.fromkeys(("<", "<=", ">", ">="), COMPARISON),
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "@": PRODUCT,
    "^": POWER,
}


def unparse(node: s.Node) -> str:
    """The text of any node. Only files end with a line break."""
    match node:
        case s.File():
            return _file(node)
        case s.Genome():
            extends = f" extends {node.extends.genome}" if node.extends else ""
            return "\n".join(_braced(f"genome {node.name}{_params(node.params)}{extends}", _genome_lines(node.items)))
        case s.Network():
            uses = f" {unparse(node.uses)}" if node.uses else ""
            return "\n".join(_braced(f"network {node.name}{_params(node.params)}{uses}", _lines(node.items)))
        case s.Block():
            return "\n".join(_braced(f"block {node.name}{_params(node.params)}", _lines(node.items)))
        case s.Phase() | s.Repeat() | s.For():
            return "\n".join(_lines((node,)))
        case s.State() | s.Signal() | s.Synapse() | s.Learn() | s.Const() | s.Fn():
            return f"{type(node).__name__.lower()} {_declared(node)}"
        case s.Function():
            return f"fn {_function(node)}"
        case _:
            return _line(node)


def _line(node: s.Node) -> str:
    """A node that fits on one line."""
    match node:
        case s.Import(path):
            return f'import "{path}"'
        case s.Extends(genome):
            return f"extends {genome}"
        case s.Again(name):
            return name
        case s.Let(name, value):
            return f"let {name} = {_expr(value)}"
        case s.Assign(name, items, value):
            return f"{name}{_bracketed(items)} <- {_expr(value)}"
        case s.Readout(value):
            return f"readout {_expr(value)}"
        case s.Uses(genome, args):
            return f"uses {genome}{_call(args) if args else ''}"
        case s.Population(role, name, dims, options, ids):
            braces = f" {{ {_list(options)} }}" if options else ""
            shape = f" ids {_expr(dims[0])}" if ids else _bracketed(dims)
            return f"{role} {_line(name)}{shape}{braces}"
        case s.Projection(ends, attrs):
            brackets = f" {_bracketed(attrs)}" if attrs else ""
            return f"{' -> '.join(map(_line, ends))}{brackets}"
        case s.Instance(name, block, args):
            return f"{_line(name)} = {block}{_call(args)}"
        case s.IndexedName(base, indices, port):
            dot = f".{_line(port)}" if port else ""
            return base + "".join(f"{{{_expr(index)}}}" for index in indices) + dot
        case s.Attr(name, value, args, options):
            if args is not None:
                return f"{name}{_call((*args, *options))}"
            return name if value is None else f"{name} = {_line(value)}"
        case s.Param(name, value) | s.Option(name, value) | s.Binding(name, value):
            return f"{name} = {_line(value)}"
        case s.Distribution(name, args):
            return f"{name}{_call(args) if args else ''}"
        case s.Text(value):
            return f'"{value}"'
        case s.Slice(low, high):
            return f"{_expr(low) if low else ''}:{_expr(high) if high else ''}"
        case _:
            return _expr(node)


def _file(node: s.File) -> str:
    imports = "\n".join(_line(i) for i in node.imports)
    parts = [
        imports,
        "\n".join(map(unparse, node.functions)),
        *map(unparse, (*node.genomes, *node.blocks, *node.networks)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _genome_lines(items: Iterable[s.GenomeItem]) -> Iterator[str]:
    """Declarations, phases and the readout, with a blank line between declarations and phases."""
    before = ""
    for kind, group in groupby(items, _kind):
        if before and "phase" in (before, kind) and "readout" not in (before, kind):
            yield ""
        if kind in ("state", "signal", "fn"):  # short, without initial values: all on one line
            yield f"{kind} {', '.join(map(_declared, group))}"
        else:
            yield from _lines(group)
        before = kind


def _kind(item: s.GenomeItem) -> str:
    return "phase" if isinstance(item, s.Repeat | s.Again) else type(item).__name__.lower()


def _lines(nodes: Iterable[s.Node]) -> Iterator[str]:
    for node in nodes:
        match node:
            case s.Phase(kind, statements, of, name):
                header = f"{kind}{f' {name}' if name else ''}{f' of {of}' if of else ''}"
                short = f"{header} {{ {'; '.join(map(_line, statements))} }}"
                if len(statements) == 1 and len(short) <= WIDTH:
                    yield short
                else:
                    yield from _braced(header, _lines(statements))
            case s.Repeat(count, phases):
                yield from _braced(f"repeat {_expr(count)}", _lines(phases))
            case s.For(variable, low, high, items):
                yield from _braced(f"for {variable} in {_expr(low)}..{_expr(high)}", _lines(items))
            case _:
                yield unparse(node)


def _braced(header: str, lines: Iterable[str]) -> Iterator[str]:
    inner = [f"  {line}" if line else "" for line in lines]
    yield from (f"{header} {{", *inner, "}") if inner else (f"{header} {{}}",)


def _declared(node: s.Node) -> str:
    """A declaration without its keyword."""
    match node:
        case s.State(name, dims, persistent):
            return f"{name}{_bracketed(dims)}{' persistent' if persistent else ''}"
        case s.Signal(name, dims, per):
            return f"{name}{_bracketed(dims)}{_per(per)}"
        case s.Synapse(name, dims, init, per) | s.Learn(name, dims, init, per):
            return f"{name}{_bracketed(dims)}{_init(init)}{_per(per)}"
        case s.Const(name, dims, value, per):
            return f"{name}{_bracketed(dims)}{_init(value)}{_per(per)}"
        case s.Fn(name, function):
            return f"{name} = {function}"
        case _:
            raise TypeError(type(node).__name__)


def _function(node: s.Function) -> str:
    slope = f" slope {_expr(node.slope)}" if node.slope else ""
    return f"{node.name}({', '.join(a.name for a in node.arguments)}) = {_expr(node.value)}{slope}"


def _per(per: str | None) -> str:
    return f" per {per}" if per else ""


def _init(init: s.Distribution | s.Expr | None) -> str:
    if init is None:
        return ""
    return f" ~ {_line(init)}" if isinstance(init, s.Distribution) else f" = {_expr(init)}"


def _list(nodes: Iterable[s.Node]) -> str:
    return ", ".join(map(_line, nodes))


def _call(args: Iterable[s.Node]) -> str:
    return f"({_list(args)})"


def _params(params: tuple[s.Param, ...]) -> str:
    return _call(params) if params else ""


def _bracketed(nodes: tuple[s.Node, ...]) -> str:
    return f"[{_list(nodes)}]" if nodes else ""


def _expr(node: s.Node, least: int = COMPARISON) -> str:
    """An expression where at least this precedence is required."""
    text, level = _leveled(node)
    return text if level >= least else f"({text})"


def _chain(node: s.Expr, terms: int, level: int, turned: bool = False) -> str:
    """So many terms of a long sum or product, without parentheses around halves. `turned`: they stand behind a minus,
    as the second half of a sum may."""
    if terms == 1 or not isinstance(node, s.Binary):
        return _expr(node, level + 1)
    sign, right = TURNED[node.operator] if turned else node.operator, node.right
    behind = right.terms if isinstance(right, s.Binary) and right.half else 1
    first = _chain(node.left, terms - behind, level, turned)
    return f"{first} {sign} {_chain(right, behind, level, turned != (node.operator == '-'))}"


def _leveled(node: s.Node) -> tuple[str, int]:
    match node:
        case s.Number(value):
            return repr(value), POSTFIX
        case s.Name(name):
            return name, POSTFIX
        case s.Attribute(owner, name):
            return f"{owner}.{name}", POSTFIX
        case s.Call(function, args, prime, owner, kind):
            of_kind = f"[{kind}]" if kind else ""
            return f"{f'{owner}.' if owner else ''}{function}{of_kind}{chr(39) * prime}{_call(args)}", POSTFIX
        case s.Index(base, items):
            return f"{_expr(base, POSTFIX)}{_bracketed(items)}", POSTFIX
        case s.Vector(items):
            return _bracketed(items), POSTFIX
        case s.Negate(operand):
            return f"-{_expr(operand, UNARY)}", UNARY
        case s.Binary("^", left, right):
            return f"{_expr(left, POSTFIX)} ^ {_expr(right, UNARY)}", POWER
        case s.Binary(operator, left, right, terms):
            level = LEVELS[operator]
            least = max(level, SUM)  # comparisons do not chain
            if terms:
                return _chain(node, terms, level), level
            return f"{_expr(left, least)} {operator} {_expr(right, level + 1)}", level
        case _:
            raise TypeError(type(node).__name__)
