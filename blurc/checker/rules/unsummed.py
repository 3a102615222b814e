"""How to write the missing sum over synapses around a product such as `w * pre.x` in the scope of a neuron."""

from __future__ import annotations

from blurc.checker.mentions import outside_sums, walk
from blurc.checker.rules.foreign import TRANSPOSES
from blurc.checker.rules.names import Lets, Symbols
from blurc.checker.wording import edited
from blurc.diagnostics import Span
from blurc.language import syntax


def with_sum(e: syntax.Binary, way: str, symbols: Symbols, lets: Lets) -> str:
    """`err * incoming(w * pre.x)` for `err * w @ pre.x`: this neuron's own values stay outside."""
    factors = _factors(e, symbols)
    own = [factor for factor in factors if _is_own(factor, symbols, lets)]
    if not own:
        return f"{way}({_plain(e.span, e, symbols)})"
    inside = " * ".join(_plain(f.span, f, symbols) for f in factors if f not in own)
    return " * ".join([*(f.span.text for f in own), f"{way}({inside})"])


def is_transposed(e: syntax.Expr, symbols: Symbols) -> bool:
    """Whether it is `w.T`."""
    return isinstance(e, syntax.Attribute) and e.name in TRANSPOSES and symbols.of_synapse(e.owner)


def _factors(e: syntax.Expr, symbols: Symbols) -> list[syntax.Expr]:
    if isinstance(e, syntax.Binary) and (e.operator == "*" or _multiplies(e, symbols)):
        return [*_factors(e.left, symbols), *_factors(e.right, symbols)]
    return [e]


def _is_own(e: syntax.Expr, symbols: Symbols, lets: Lets) -> bool:
    names = {x.name for x in walk(e) if isinstance(x, syntax.Name)}
    return any(name in lets or symbols.of_neuron(name) for name in names)


def _multiplies(e: syntax.Binary, symbols: Symbols) -> bool:
    """Whether it is a product with `@` that has no matrix on its left."""
    return e.operator == "@" and not any(_is_matrix(x, symbols) for x in walk(e.left))


def _is_matrix(e: syntax.Node, symbols: Symbols) -> bool:
    if not isinstance(e, syntax.Name | syntax.Attribute):
        return isinstance(e, syntax.Vector)
    symbol = symbols.named(e.name)
    return symbol is not None and symbol.shape is not None and len(symbol.shape) == 2


def _plain(span: Span, e: syntax.Expr, symbols: Symbols) -> str:
    """With `*` for such an `@`, and without transposes."""
    parts: dict[Span, str] = {}
    for x in outside_sums(e):
        if isinstance(x, syntax.Attribute) and is_transposed(x, symbols):
            parts[x.span] = x.owner
        elif isinstance(x, syntax.Binary) and _multiplies(x, symbols):
            sign = Span(span.source, x.left.span.stop, x.right.span.start)
            parts[sign] = sign.text.replace("@", "*")
    return edited(span, parts)
