"""What a name is: its declaration, its shape, where it stands; what a function of the language means; a code's page."""

from __future__ import annotations

from collections.abc import Iterator

from blurc.codes import CODES
from blurc.diagnostics import Diagnostic, Span
from blurc.editor.analysis import Analysis
from blurc.editor.meanings import meaning
from blurc.editor.names import Symbol, Use
from blurc.language import syntax as s
from blurc.language import unparse
from blurc.spec import RIGHT, WRONG, examples


def hover(analysis: Analysis, offset: int) -> tuple[str, Span | None]:
    """Markdown about a place, or "", and what it is about."""
    use = analysis.names.at(analysis.root, offset)
    here = (d for d in analysis.diagnostics if d.span and d.span.source is analysis.root)
    wrong = [d for d in here if d.span and d.span.start <= offset <= d.span.stop]
    parts = [_symbol(use.symbol, use) if use.symbol else meaning(use.name) or ""] if use else []
    parts += [_page(d) for d in wrong]
    if not parts and (found := _import(analysis, offset)):
        return f"`{found.path}`", found.span
    return "\n\n---\n\n".join(part for part in parts if part), use.span if use else None


def _import(analysis: Analysis, offset: int) -> s.Import | None:
    imports = analysis.sources.files[0].imports if analysis.sources.files else ()
    return next((node for node in imports if node.span.start <= offset <= node.span.stop), None)


def _symbol(symbol: Symbol, use: Use) -> str:
    of = f" of `{symbol.of}`" if symbol.of and symbol.of != symbol.name else ""
    shape = _shape(symbol.node)
    where = f"declared on {symbol.span.line_from(use.span)}"
    lines = [f"```blur\n{_declaration(symbol)}\n```", f"{symbol.kind}{of}{shape}; {where}"]
    return "\n\n".join([*lines, *_comment(symbol)])


def _declaration(symbol: Symbol) -> str:
    match symbol.node:
        case s.Genome(name, params) | s.Network(name, params) | s.Block(name, params):
            listed = ", ".join(map(unparse, params))
            return f"{symbol.kind} {name}{f'({listed})' if listed else ''}"
        case s.Phase(kind, _, of, name):
            return f"{kind} {name}{f' of {of}' if of else ''} {{ .. }}"
        case s.For(variable, low, high):
            return f"for {variable} in {unparse(low)}..{unparse(high)}"
        case s.Name(name):
            return f"kind = {name}"
        case node:
            return unparse(node)


def _shape(node: s.Node) -> str:
    if isinstance(node, s.State | s.Signal | s.Synapse | s.Learn | s.Const | s.Population):
        return f", shape `[{', '.join(map(unparse, node.dims))}]`" if node.dims else ", a number"
    return ""


def _comment(symbol: Symbol) -> Iterator[str]:
    """Behind the declaration on its line, or above a genome, network or block."""
    source = symbol.span.source
    _, sign, behind = source.line(symbol.span.line).partition("#")
    if sign:
        yield behind.strip()
    if isinstance(symbol.node, s.Genome | s.Network | s.Block | s.Function) and not symbol.of:
        number, above = symbol.span.line - 1, list[str]()
        while number > 0 and source.line(number).startswith("#"):
            above.insert(0, source.line(number).lstrip("# "))
            number -= 1
        yield "\n".join(above)


def _page(d: Diagnostic) -> str:
    """The page of a code."""
    lines = [f"**{d.code}**: {CODES[d.code]}"]
    if example := examples().get(d.code):
        for word, which in (("Wrong", WRONG), ("Right", RIGHT)):
            shown = "\n".join(example.shown(which))
            lines.append(f"{word}{example.where if which == WRONG else ''}:\n\n```blur\n{shown}\n```")
    return "\n\n".join(lines)
