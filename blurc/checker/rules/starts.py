"""Start values: of meta-parameters (numbers known at compile time) and of synapse channels (expressions)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, cast

from blurc.checker.constants import DISTRIBUTIONS, SIGNATURES, Constants, complete
from blurc.checker.rules.expressions import Expressions
from blurc.checker.rules.foreign import distribution_help, without_mean
from blurc.checker.rules.names import Kind, Place, Symbol, Symbols
from blurc.checker.rules.shapes import literal
from blurc.checker.wording import code, shape_text
from blurc.diagnostics import Report, Span, suggest
from blurc.language import functions, syntax
from blurc.model import DRAWN, ChannelVar, Drawn, Expr, Init, Literal, MetaVar, Over, Shape, dims, uniform

Start: TypeAlias = syntax.Distribution | syntax.Expr
EXAMPLES: dict[Kind, str] = {
    "meta": "learn {} ~ normal(1)` or `= 0.0",
    "channel": "synapse {} ~ normal(1 / sqrt(fan_in))` or `~ zeros",
}


@dataclass(frozen=True, slots=True)
class Starts:
    tree: syntax.Genome
    symbols: Symbols
    expressions: Expressions

    @property
    def report(self) -> Report:
        return self.expressions.numbers.report

    @property
    def numbers(self) -> Constants:
        return self.expressions.numbers

    def metas(self) -> list[MetaVar]:
        return [
            MetaVar(name=s.name, shape=s.shape or (), span=s.span, init=init, per=s.per or "network")
            for s, init in self._started("meta", self._meta)
        ]

    def channels(self) -> list[ChannelVar]:
        return [
            ChannelVar(name=s.name, shape=s.shape or (), span=s.span, init=init, per_example=s.per_example)
            for s, init in self._started("channel", self._channel)
        ]

    def _started(self, kind: Kind, start: Callable[[Symbol, Start], Init | None]) -> Iterator[tuple[Symbol, Init]]:
        """The declarations of a kind that are right, with their start values."""
        for item in (item for item in self.tree.items if isinstance(item, syntax.Learn | syntax.Synapse)):
            symbol = self.symbols.named(item.name, kind)
            if symbol is None or symbol.span is not item.span or symbol.shape is None:
                continue
            if item.init is None:
                help = f"write `{EXAMPLES[kind].format(code(item.span))}`"
                help = f"write `{_of_examples(symbol)}`" if symbol.per_example else help
                self.report.error("E208", f"`{item.name}` has no start value", item.span, help=help)
            elif init := start(symbol, item.init):
                yield symbol, init

    def _meta(self, symbol: Symbol, start: Start) -> Init | None:
        if isinstance(start, syntax.Distribution):
            args = complete(self.numbers.number(a) for a in start.args)
            return None if args is None else self._draw(start, tuple(literal(a, start.span) for a in args))
        found = self.numbers.nested(start)
        if found is None or not self._fits(symbol, found[1], start.span):
            return None
        return Init("value", (Literal(found[0], shape=found[1], over=Over.NOTHING, span=start.span),))

    def _channel(self, symbol: Symbol, start: Start) -> Init | None:
        init = self._start_of_channel(symbol, start)
        if init is None or not symbol.per_example or _is_zero(init):
            return init
        message = f"`{symbol.name}` is `per example`: it starts at 0, as the states of neurons do"
        help = f"write `{_of_examples(symbol)}`; to start elsewhere, add to it where you read it"
        self.report.error("E208", message, start.span, help=help)
        return None

    def _start_of_channel(self, symbol: Symbol, start: Start) -> Init | None:
        if isinstance(start, syntax.Distribution):
            args = complete(self._number(a) for a in start.args)
            return None if args is None else self._draw(start, args)
        if isinstance(start, syntax.Name) and (other := self.symbols.named(start.name, "channel")):
            return self._copy(symbol, start, other)
        value = self.expressions.check(start, Place("init"))
        return Init("value", (value,)) if value and self._fits(symbol, value.shape, start.span) else None

    def _number(self, argument: syntax.Expr) -> Expr | None:
        e = self.expressions.check(argument, Place("init"))
        if e is None or not e.shape:
            return e
        message = f"a distribution's argument is a number, but this is {shape_text(e.shape)}"
        self.report.error("E203", message, e.span, help="pick a part with `[0]`")
        return None

    def _copy(self, symbol: Symbol, init: syntax.Name, other: Symbol) -> Init | None:
        order = [i.name for i in self.tree.items if isinstance(i, syntax.Synapse)]
        if other is symbol:
            message, help = f"`{symbol.name}` cannot start as itself", "write `~ normal(1 / sqrt(fan_in))`"
        elif order.index(other.name) > order.index(symbol.name):
            message = f"`{symbol.name}` starts as `{other.name}`, which is declared after it"
            help = f"declare `{other.name}` first"
        elif other.per_example and not symbol.per_example:
            message = f"`{symbol.name}` is shared by the batch, and `{other.name}`, which it starts as, is not"
            help = f"write `{code(symbol.span).partition('=')[0]}~ zeros`: `{other.name}` starts at 0"
        elif other.shape is None or not self._fits(symbol, other.shape, init.span, exact=True):
            return None
        else:
            return Init("copy", (), other.name)
        self.report.error("E208", message, init.span, help=help)
        return None

    def _draw(self, init: syntax.Distribution, args: tuple[Expr, ...]) -> Init | None:
        names = DISTRIBUTIONS.get(init.name)
        if names is None:
            value = code(init.span) if init.name in functions.UNARY else "0.1"
            help = f"one of {', '.join(SIGNATURES[name] for name in DISTRIBUTIONS)}; a value is written `= {value}`"
            help = distribution_help(init) or suggest(init.name, DISTRIBUTIONS, help)
            self.report.error("E208", f"unknown distribution `{init.name}`", init.span, help=help)
            return None
        arity = (len(names), len(names))
        if not self.numbers.takes(init.name, len(init.args), arity, init.span, without_mean(init)):
            return None
        if init.name in DRAWN:
            return Init(cast(Drawn, init.name), args)
        return Init("value", (literal(1.0 if init.name == "ones" else 0.0, init.span),))

    def _fits(self, symbol: Symbol, found: Shape, span: Span, exact: bool = False) -> bool:
        """Whether a start value has the declared shape, or is a number, which fills it."""
        declared = symbol.shape or ()
        if found == declared or (not found and not exact):
            return True
        message = f"`{symbol.name}` is {shape_text(declared)}, but this start value is {shape_text(found)}"
        help = f"declare `{symbol.name}{dims(found) if found else ''}`"
        self.report.error("E203", message, span, help=help)
        symbol.shape = None  # which of the two is right, nobody knows: uses stay silent
        return False


def _of_examples(symbol: Symbol) -> str:
    return f"synapse {symbol.name}{dims(symbol.shape) if symbol.shape else ''} ~ zeros per example"


def _is_zero(init: Init) -> bool:
    return init.dist == "value" and isinstance(init.args[0], Literal) and uniform(init.args[0].value) == 0.0
