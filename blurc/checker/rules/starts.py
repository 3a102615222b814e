"""Start values: of meta-parameters (numbers known at compile time) and of synapse channels (expressions)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from blurc.checker.constants import DISTRIBUTIONS, SIGNATURES, Constants, wrong_arity
from blurc.checker.rules.expressions import Expressions
from blurc.checker.rules.foreign import distribution_help
from blurc.checker.rules.names import Place, Symbol, Symbols
from blurc.checker.rules.shapes import literal
from blurc.checker.wording import code, show
from blurc.diagnostics import Report, Span, did_you_mean
from blurc.language import functions, syntax
from blurc.model import DRAWN, ChannelVar, Drawn, Expr, Init, Literal, MetaVar, Over, Shape, dims


@dataclass(frozen=True, slots=True)
class Starts:
    tree: syntax.Genome
    symbols: Symbols
    expressions: Expressions

    @property
    def report(self) -> Report:
        return self.expressions.report

    @property
    def numbers(self) -> Constants:
        return self.expressions.numbers

    def metas(self) -> list[MetaVar]:
        found = [self._meta(item) for item in self.tree.items if isinstance(item, syntax.Learn)]
        return [m for m in found if m]

    def channels(self) -> list[ChannelVar]:
        found = [self._channel(item) for item in self.tree.items if isinstance(item, syntax.Synapse)]
        return [c for c in found if c]

    # ------------------------------------------------------- meta-parameters

    def _meta(self, item: syntax.Learn) -> MetaVar | None:
        symbol = self.symbols.named(item.name, "meta")
        if symbol is None or symbol.span is not item.span or symbol.shape is None:
            return None
        init = self._meta_init(item, symbol)
        if init is None:
            return None
        per = symbol.per or "network"
        return MetaVar(name=item.name, shape=symbol.shape or (), span=item.span, init=init, per=per)

    def _meta_init(self, item: syntax.Learn, symbol: Symbol) -> Init | None:
        if item.init is None:
            self._no_start(item.name, "learn", "~ normal(1)` or `= 0.0", item.span)
            return None
        if isinstance(item.init, syntax.Distribution):
            args = [self.numbers.number(a) for a in item.init.args]
            known = tuple(literal(a, item.init.span) for a in args if a is not None)
            return self._draw(item.init, known) if len(known) == len(args) else None
        found = self.numbers.nested(item.init)
        if found is None or not self._fits(symbol, found[1], item.init.span):
            return None
        return Init("value", (Literal(found[0], shape=found[1], over=Over.NOTHING, span=item.init.span),))

    # --------------------------------------------------------------- channels

    def _channel(self, item: syntax.Synapse) -> ChannelVar | None:
        symbol = self.symbols.named(item.name, "channel")
        if symbol is None or symbol.span is not item.span or symbol.shape is None:
            return None
        init = self._channel_init(item, symbol)
        return init and ChannelVar(name=item.name, shape=symbol.shape or (), span=item.span, init=init)

    def _channel_init(self, item: syntax.Synapse, symbol: Symbol) -> Init | None:
        place = Place("init")
        if item.init is None:
            self._no_start(item.name, "synapse", "~ normal(1 / sqrt(fan_in))` or `~ zeros", item.span)
            return None
        if isinstance(item.init, syntax.Distribution):
            args = [self.expressions.check(a, place, {}) for a in item.init.args]
            known = tuple(a for a in args if a is not None and self._is_number(a))
            return self._draw(item.init, known) if len(known) == len(args) else None
        if isinstance(item.init, syntax.Name) and (other := self.symbols.named(item.init.name, "channel")):
            return self._copy(symbol, item.init, other)
        value = self.expressions.check(item.init, place, {})
        if value is None or not self._fits(symbol, value.shape, item.init.span):
            return None
        return Init("value", (value,))

    def _is_number(self, e: Expr) -> bool:
        if e.shape:
            message = f"a distribution's argument is a number, but this is {show(e.shape)}"
            help = "pick a part with `[0]`"
            self.report.error("E203", message, e.span, help=help)
        return not e.shape

    def _copy(self, symbol: Symbol, init: syntax.Name, other: Symbol) -> Init | None:
        order = [i.name for i in self.tree.items if isinstance(i, syntax.Synapse)]
        if other is symbol:
            message, help = f"`{symbol.name}` cannot start as itself", "write `~ normal(1 / sqrt(fan_in))`"
        elif order.index(other.name) > order.index(symbol.name):
            message = f"`{symbol.name}` starts as `{other.name}`, which is declared after it"
            help = f"declare `{other.name}` first"
        elif other.shape is None or not self._fits(symbol, other.shape, init.span, exact=True):
            return None
        else:
            return Init("copy", (), other.name)
        self.report.error("E208", message, init.span, help=help)
        return None

    # ------------------------------------------------------------------- both

    def _draw(self, init: syntax.Distribution, args: tuple[Expr, ...]) -> Init | None:
        names = DISTRIBUTIONS.get(init.name)
        if names is None:
            near, known = did_you_mean(init.name, DISTRIBUTIONS), distribution_help(init)
            value = code(init.span) if init.name in functions.UNARY else "0.1"
            self.report.error(
                "E208",
                f"unknown distribution `{init.name}`",
                init.span,
                help=known
                or (f"did you mean `{near}`?" if near else None)
                or f"one of {', '.join(SIGNATURES[name] for name in DISTRIBUTIONS)}; a value is written `= {value}`",
            )
            return None
        if wrong := wrong_arity(init.name, len(init.args), len(names), len(names)):
            self.report.error("E204", wrong[0], init.span, help=wrong[1])
            return None
        if init.name in DRAWN:
            return Init(cast(Drawn, init.name), args)
        return Init("value", (literal(1.0 if init.name == "ones" else 0.0, init.span),))

    def _no_start(self, name: str, keyword: str, example: str, span: Span) -> None:
        self.report.error(
            "E208", f"`{name}` has no start value", span, help=f"write `{keyword} {code(span)} {example}`"
        )

    def _fits(self, symbol: Symbol, found: Shape, span: Span, exact: bool = False) -> bool:
        """Whether a start value has the declared shape, or is a number, which fills it."""
        declared = symbol.shape or ()
        if found == declared or (not found and not exact):
            return True
        message = f"`{symbol.name}` is {show(declared)}, but this start value is {show(found)}"
        help = f"declare `{symbol.name}{dims(found) if found else ''}`"
        self.report.error("E203", message, span, help=help)
        symbol.shape = None  # which of the two is right, nobody knows: uses stay silent
        return False
