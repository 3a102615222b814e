"""Expressions: every name resolved, every shape known, every rule of locality proved.

`Expressions.check` turns a syntax expression into a typed one, or reports what is wrong and returns None. Whoever
gets None stays silent: the mistake has been reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from blurc import functions, syntax
from blurc.check import constants
from blurc.check.scope import Lets, Place, Symbol, Symbols
from blurc.diagnostics import Report, Span, did_you_mean
from blurc.model import (
    Apply,
    Channel,
    Direction,
    Expr,
    Fan,
    Let,
    Literal,
    Meta,
    Over,
    Pick,
    Reduce,
    Shape,
    Side,
    Signal,
    Slot,
    Stack,
    State,
    Total,
)

OPERATORS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow", "@": "matmul"}
OWNER: dict[str, str] = {"incoming": "post", "outgoing": "pre"}  # whose total it is, in `update`


def show(shape: Shape | None) -> str:
    return "a number" if shape == () else f"of shape [{', '.join(map(str, shape or ()))}]"


@dataclass(slots=True)
class Expressions:
    symbols: Symbols
    numbers: constants.Constants
    report: Report

    # -------------------------------------------------------------- dispatch

    def check(self, e: syntax.Expr, place: Place, lets: Lets) -> Expr | None:
        match e:
            case syntax.Number():
                return literal(e.value, e.span)
            case syntax.Name():
                return self._name(e, place, lets)
            case syntax.Attribute():
                return self._attribute(e, place)
            case syntax.Negate():
                return self._apply("neg", [self.check(e.operand, place, lets)], e.span)
            case syntax.Binary():
                left, right = self.check(e.left, place, lets), self.check(e.right, place, lets)
                if e.operator == "@":
                    return self._matmul(left, right, e)
                return self._apply(OPERATORS[e.operator], [left, right], e.span)
            case syntax.Index():
                return self._index(e, place, lets)
            case syntax.Vector():
                return self._vector(e, place, lets)
            case syntax.Call():
                return self._call(e, place, lets)
            case syntax.Text():
                self.report.error("E206", "a text has no place in an equation", e.span)
                return None

    # ----------------------------------------------------------------- names

    def _name(self, e: syntax.Name, place: Place, lets: Lets) -> Expr | None:
        if e.name in lets:
            return self._let(e, place, lets[e.name])
        if symbol := self.symbols.named(e.name):
            symbol.used = True
            return self._symbol(symbol, e, place)
        if e.name in ("input", "target"):
            return self._signal(e, place)
        if e.name in ("fan_in", "fan_out"):
            return self._fan(e, place)
        if e.name in functions.ALL:
            self.report.error(
                "E202", f"`{e.name}` is a function and needs its argument", e.span, help=f"write `{e.name}(x)`"
            )
            return None
        self._unknown(e.name, e.span, place, lets)
        return None

    def _let(self, e: syntax.Name, place: Place, value: Expr | None) -> Expr | None:
        if place.total:
            whose = "this synapse's" if place.phase == "update" else "this neuron's"
            self.report.error(
                "E302",
                f"`{e.name}` is {whose} value: it cannot stand inside {place.total}(..), which runs over other synapses",
                e.span,
                help=f"write it outside the sum, as in `{e.name} * {place.total}(..)`, or write its equation out inside",
            )
            return None
        return value and Let(e.name, shape=value.shape, over=value.over, span=e.span)

    def _symbol(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        match symbol.kind:
            case "state":
                return self._own_state(symbol, e, place)
            case "channel":
                return self._channel(symbol, e, place)
            case "meta":
                return self._meta(symbol, e, place)
            case "const":
                value = symbol.value
                return Literal(value.value, shape=value.shape, over=value.over, span=e.span) if isinstance(value, Literal) else None
            case "param":
                return self._param(symbol, e)
            case "slot":
                self.report.error(
                    "E202", f"`{e.name}` is a function slot and needs its argument", e.span, help=f"write `{e.name}(x)`"
                )
                return None

    def _param(self, symbol: Symbol, e: syntax.Name) -> Expr | None:
        if isinstance(symbol.value, str):
            self.report.error(
                "E206",
                f"the parameter `{e.name}` holds the function `{symbol.value}`, but a number is expected here",
                e.span,
                help=f"give it a slot, `fn phi = {e.name}`, and write `phi(x)`",
            )
            return None
        return literal(symbol.value, e.span) if isinstance(symbol.value, int | float) else None

    def _own_state(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        name = symbol.name
        if place.phase == "init":
            self.report.error("E302", f"the neuron state `{name}` has no value when synapses are made", e.span)
            return None
        if place.synapse:
            ends = [f"{end}.{name}" for end in place.ends]
            notes = ["the scope here is one synapse, and a synapse has two neurons"]
            if place.total:
                notes = [f"inside {place.total}(..) the scope is one synapse; the other neuron is `{place.ends[0]}`"]
            self.report.error(
                "E302",
                f"whose `{name}`? It is a neuron state",
                e.span,
                notes=notes,
                help="write " + " or ".join(f"`{end}`" for end in ends)
                + (f", or move this neuron's own `{name}` out of the sum" if place.total else ""),
            )
            return None
        if symbol.shape is None:
            return None
        return State(name, "own", shape=symbol.shape, over=Over.EXAMPLE | Over.NEURON, span=e.span)

    def _channel(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        if not place.synapse:
            self.report.error(
                "E303",
                f"`{symbol.name}` is a synapse channel, but the scope here is one neuron, which has many synapses",
                e.span,
                help=f"sum over them: `incoming({symbol.name} * pre.x)` or `outgoing({symbol.name} * post.x)`",
            )
            return None
        if place.phase == "init":
            self.report.error(
                "E208",
                f"a start value cannot be computed from the channel `{symbol.name}`",
                e.span,
                help=f"to start equal to it, write `= {symbol.name}`",
            )
            return None
        if symbol.shape is None:
            return None
        return Channel(symbol.name, shape=symbol.shape, over=Over.SYNAPSE, span=e.span)

    def _meta(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        if symbol.per_projection and not place.synapse:
            self.report.error(
                "E310",
                f"`{symbol.name}` is one value per projection, but the scope here is one neuron, which has many projections",
                e.span,
                help=f"use it inside incoming(..) or outgoing(..), or drop `per projection` from its declaration",
            )
            return None
        if symbol.shape is None:
            return None
        over = Over.PROJECTION if symbol.per_projection else Over.NOTHING
        return Meta(symbol.name, shape=symbol.shape, over=over, span=e.span)

    def _signal(self, e: syntax.Name, place: Place) -> Expr | None:
        phase, who = ("sense", "input") if e.name == "input" else ("feedback", "output")
        if place.phase != phase or place.synapse:
            self.report.error(
                "E304",
                f"`{e.name}` is known only to {who} populations, in `{phase}`",
                e.span,
                help=f"store it in a state there, `{phase} {{ x <- {e.name} }}`, and read the state",
            )
            return None
        return Signal("input" if e.name == "input" else "target", shape=(), over=Over.EXAMPLE | Over.NEURON, span=e.span)

    def _fan(self, e: syntax.Name, place: Place) -> Expr | None:
        if not place.synapse:
            self.report.error(
                "E311",
                f"`{e.name}` is a size of a projection, but the scope here is one neuron, which has many projections",
                e.span,
                help=f"use it inside incoming(..) or outgoing(..): `incoming(w * pre.x / {e.name})`",
            )
            return None
        return Fan("fan_in" if e.name == "fan_in" else "fan_out", shape=(), over=Over.PROJECTION, span=e.span)

    def _unknown(self, name: str, span: Span, place: Place, lets: Lets) -> None:
        if self.symbols.damaged:
            return
        known = [*lets, *self.symbols.table, *functions.ALL, "input", "target"]
        near = did_you_mean(name, [n for n in known if n != name])
        self.report.error(
            "E201",
            f"unknown name `{name}`",
            span,
            help=f"did you mean `{near}`?" if near else f"declare it, as in `state {name}`, `learn {name} = 1.0` or `let {name} = ..`",
        )

    def _attribute(self, e: syntax.Attribute, place: Place) -> Expr | None:
        if e.owner not in ("pre", "post"):
            self.report.error(
                "E301",
                f"`{e.owner}` is no end of a synapse",
                e.span,
                help=f"write `pre.{e.name}` (the presynaptic neuron) or `post.{e.name}` (the postsynaptic one)",
            )
            return None
        if e.owner not in place.ends:
            self._wrong_end(e, place)
            return None
        if symbol := self.symbols.named(e.name, "state"):
            symbol.used = True
            if symbol.shape is None:
                return None
            over = Over.EXAMPLE | (Over.PRE if e.owner == "pre" else Over.POST)
            return State(e.name, cast(Side, e.owner), shape=symbol.shape, over=over, span=e.span)
        self._no_such_state(e)
        return None

    def _no_such_state(self, e: syntax.Attribute) -> None:
        if self.symbols.damaged:
            return
        other = self.symbols.named(e.name)
        states = [s.name for s in self.symbols.of_kind("state")]
        near = did_you_mean(e.name, states)
        if other:
            other.used = True
            self.report.error(
                "E201",
                f"`{e.name}` is {other.words}, not a state of a neuron",
                e.span,
                help=f"write `{e.name}` without `{e.owner}.`",
            )
            return
        self.report.error(
            "E201",
            f"unknown neuron state `{e.name}`",
            e.span,
            notes=[f"the states are: {', '.join(states) or 'none'}"],
            help=f"did you mean `{e.owner}.{near}`?" if near else f"declare it: `state {e.name}`",
        )

    def _wrong_end(self, e: syntax.Attribute, place: Place) -> None:
        if symbol := self.symbols.named(e.name):
            symbol.used = True
        if place.total:
            end = place.ends[0]
            own = "post" if end == "pre" else "pre"
            self.report.error(
                "E301",
                f"inside {place.total}(..) the other neuron is `{end}`; `{own}` is the neuron that sums",
                e.span,
                help=f"write `{end}.{e.name}`, or move this neuron's own value out of the sum",
            )
        elif place.phase == "init":
            self.report.error("E301", f"`{e.owner}.{e.name}` has no value when synapses are made", e.span)
        else:
            way = "incoming" if e.owner == "pre" else "outgoing"
            self.report.error(
                "E301",
                f"`{e.owner}.{e.name}` needs a synapse, but the scope here is one neuron, which sees others only "
                "through its synapses",
                e.span,
                help=f"sum over the synapses: `{way}(w * {e.owner}.{e.name})`; the neuron's own state is `{e.name}`",
            )

    # ----------------------------------------------------------------- calls

    def _call(self, e: syntax.Call, place: Place, lets: Lets) -> Expr | None:
        name = e.function
        if e.prime and not (self.symbols.named(name, "slot") or name in functions.UNARY):
            if name in functions.ALL:
                self.report.error(
                    "E214",
                    f"`{name}` has no derivative `'`: only functions of one number have",
                    e.span,
                    help="one of " + ", ".join(functions.UNARY),
                )
                return None
        if name in functions.TOTALS:
            return self._total(e, place)
        if e.owner is not None:
            self.report.error(
                "E202",
                f"`{e.owner}.{name}(..)` is no function",
                e.span,
                help=f"write `{name}({e.owner}.x)`; only `post.incoming(E)` and `pre.outgoing(E)` are called on a neuron",
            )
            return None
        if name in functions.REDUCERS:
            return self._reduce(e, place, lets)
        args = [self.check(a, place, lets) for a in e.args]
        if symbol := self.symbols.named(name, "slot"):
            symbol.used = True
            return self._slot(e, args)
        if name in functions.POPULATION:
            return self._population(e, args, place)
        if name in functions.ELEMENTWISE:
            return self._arity(e, *functions.arity(name)) and self._apply(name, args, e.span, e.prime)
        self._unknown_function(e, lets)
        return None

    def _unknown_function(self, e: syntax.Call, lets: Lets) -> None:
        if e.function in lets or self.symbols.named(e.function):
            if symbol := self.symbols.named(e.function):
                symbol.used = True
            what = self.symbols.table[e.function].words if e.function in self.symbols.table else "a value"
            self.report.error(
                "E202", f"`{e.function}` is {what}, not a function", e.span, help=f"to multiply, write `{e.function} * (..)`"
            )
            return
        if self.symbols.damaged:
            return
        known = [*functions.ALL, *(s.name for s in self.symbols.of_kind("slot"))]
        near = did_you_mean(e.function, known)
        self.report.error(
            "E202",
            f"unknown function `{e.function}`",
            e.span,
            notes=[] if near else ["the functions are: " + ", ".join(functions.ALL)],
            help=f"did you mean `{near}`?" if near else f"or declare a slot: `fn {e.function} = tanh`",
        )

    def _arity(self, e: syntax.Call, low: int, high: int | None) -> bool:
        if low <= len(e.args) <= (len(e.args) if high is None else high):
            return True
        expected = f"{low}" if low == high else f"at least {low}"
        self.report.error(
            "E204",
            f"`{e.function}` takes {expected} argument{'s' if expected != '1' else ''}, found {len(e.args)}",
            e.span,
        )
        return False

    def _slot(self, e: syntax.Call, args: list[Expr | None]) -> Expr | None:
        if not self._arity(e, 1, 1) or args[0] is None:
            return None
        return Slot(e.function, args[0], e.prime, shape=args[0].shape, over=args[0].over, span=e.span)

    def _population(self, e: syntax.Call, args: list[Expr | None], place: Place) -> Expr | None:
        if place.synapse:
            self.report.error(
                "E309",
                f"`{e.function}` looks at a neuron's population or batch, but the scope here is one synapse",
                e.span,
                help=f"store it in a state in a phase of the neuron, `x <- {e.function}(..)`, and read `pre.x` or `post.x`",
            )
            return None
        if e.function == "softmax" and place.phase not in ("feedback", "readout"):
            self.report.error(
                "E309",
                "`softmax` is known only in `feedback` and `readout`",
                e.span,
                help="elsewhere, divide `exp(x)` by `population_sum(exp(x))`",
            )
            return None
        if not self._arity(e, 1, 1) or args[0] is None:
            return None
        over = args[0].over
        if e.function in ("population_mean", "population_sum"):
            over = over & ~Over.NEURON
        return Apply(e.function, (args[0],), shape=args[0].shape, over=over, span=e.span)

    def _total(self, e: syntax.Call, place: Place) -> Expr | None:
        direction = cast(Direction, e.function)
        if place.total:
            self.report.error(
                "E307",
                f"a sum over synapses inside {place.total}(..): a neuron cannot see the synapses of its neighbours",
                e.span,
                help="let the neighbour compute it into a state of its own, and read that state",
            )
            return None
        if not self._total_owner(e, place) or not self._arity(e, 1, 1):
            return None
        body = self.check(e.args[0], place.inside(direction), {})
        if body is None:
            return None
        side: Side = "own" if place.phase != "update" else cast(Side, OWNER[e.function])
        own = {"own": Over.NEURON, "pre": Over.PRE, "post": Over.POST}[side]
        over = own | (body.over & Over.EXAMPLE)
        return Total(direction, side, body, shape=body.shape, over=over, span=e.span)

    def _total_owner(self, e: syntax.Call, place: Place) -> bool:
        owner = OWNER[e.function]
        if place.phase == "init":
            self.report.error("E307", "a start value cannot sum over synapses, which are not there yet", e.span)
            return False
        if place.phase != "update":
            if e.owner is None:
                return True
            self.report.error(
                "E301", f"the scope here is one neuron: `{e.function}` is its own", e.span, help=f"write `{e.function}(..)`"
            )
            return False
        if e.owner == owner:
            return True
        self.report.error(
            "E301",
            f"in `update` a synapse knows the total of the incoming synapses of its postsynaptic neuron, and of the "
            "outgoing synapses of its presynaptic neuron",
            e.span,
            help=f"write `{owner}.{e.function}(..)`"
            + (", or store another total in a state of the neuron in an earlier phase" if e.owner else ""),
        )
        return False

    def _reduce(self, e: syntax.Call, place: Place, lets: Lets) -> Expr | None:
        if place.phase != "update" or place.total or place.reduced:
            where = (
                f"inside {place.total}(..)" if place.total else "inside a batch reducer" if place.reduced else f"in `{place.phase}`"
            )
            self.report.error(
                "E308",
                f"`{e.function}` has no place {where}: it brings an update of a synapse together over the batch",
                e.span,
                help="use it in `update`, around what varies over the batch: `w <- w + batch_mean(pre.x * post.y)`",
            )
            return None
        if not self._arity(e, 1, 1):
            return None
        body = self.check(e.args[0], place.under_reducer(), lets)
        if body is None:
            return None
        kind = "batch_mean" if e.function == "batch_mean" else "batch_sum"
        return Reduce(kind, body, shape=body.shape, over=body.over & ~Over.EXAMPLE, span=e.span)

    # ---------------------------------------------------------------- shapes

    def _apply(self, function: str, args: list[Expr | None], span: Span, prime: bool = False) -> Expr | None:
        known = [a for a in args if a is not None]
        if len(known) < len(args):
            return None
        shapes = {a.shape for a in known} - {()}
        if len(shapes) > 1:
            self._mismatch(known, span)
            return None
        over = Over.NOTHING
        for a in known:
            over |= a.over
        result = Apply(function, tuple(known), prime, shape=shapes.pop() if shapes else (), over=over, span=span)
        return fold(result)

    def _mismatch(self, args: list[Expr], span: Span) -> None:
        first = next(a for a in args if a.shape)
        second = next(a for a in args if a.shape and a.shape != first.shape)
        matrix = len(first.shape) == 2 and len(second.shape) == 1 and first.shape[1] == second.shape[0]
        self.report.error(
            "E203",
            f"cannot combine a value {show(first.shape)} with one {show(second.shape)} element by element",
            span,
            notes=[f"`{first.span.text}` is {show(first.shape)}, `{second.span.text}` is {show(second.shape)}"],
            help=f"to mix states by a matrix, write `{first.span.text} @ {second.span.text}`" if matrix else
            "values combine element by element where their shapes are equal or one is a number; pick a part with `x[0]` or `x[1:]`",
        )

    def _matmul(self, left: Expr | None, right: Expr | None, e: syntax.Binary) -> Expr | None:
        if left is None or right is None:
            return None
        if len(left.shape) == 2 and len(right.shape) in (1, 2) and left.shape[1] == right.shape[0]:
            shape = (left.shape[0], *right.shape[1:])
            return Apply("matmul", (left, right), shape=shape, over=left.over | right.over, span=e.span)
        self._cannot_mix(left, right, e.span)
        return None

    def _cannot_mix(self, left: Expr, right: Expr, span: Span) -> None:
        notes = [self._declared(part) for part in (left, right)]
        what = f"a matrix [{', '.join(map(str, left.shape))}]" if len(left.shape) == 2 else f"a value {show(left.shape)}"
        if len(left.shape) == 2:
            what = f"a [{', '.join(map(str, left.shape))}] matrix"
        whose = "a state" if isinstance(right, State) else "a value"
        shape = f"shape [{', '.join(map(str, right.shape))}]" if right.shape else "no axes (a number)"
        self.report.error(
            "E203",
            f"cannot mix {what} with {whose} of {shape}",
            span,
            notes=[n for n in notes if n],
            help=self._mixing_help(left, right),
        )

    def _mixing_help(self, left: Expr, right: Expr) -> str:
        if not right.shape:
            return f"a matrix mixes the parts of a vector; to scale, write `{left.span.text} * {right.span.text}`"
        k = right.shape[0]
        if isinstance(left, Meta):
            return f"declare `learn {left.name}[{k}, {k}]`"
        if len(left.shape) == 2:
            return f"the matrix needs {k} columns"
        return f"`@` needs a matrix on the left: `learn m[{k}, {k}] ~ normal(1)` and `m @ {right.span.text}`"

    def _declared(self, e: Expr) -> str | None:
        name = getattr(e, "name", None)
        symbol = self.symbols.named(name) if isinstance(name, str) else None
        if symbol is None or symbol.shape is None:
            return None
        shape = f"[{', '.join(map(str, symbol.shape))}]" if symbol.shape else "as a number"
        return f"`{symbol.name}` is declared {shape} on line {symbol.span.line}"

    def _vector(self, e: syntax.Vector, place: Place, lets: Lets) -> Expr | None:
        items = [self.check(item, place, lets) for item in e.items]
        known = [item for item in items if item is not None]
        if len(known) < len(items):
            return None
        shapes = {item.shape for item in known}
        if len(shapes) != 1 or any(len(s) > 1 for s in shapes):
            self.report.error(
                "E203",
                "the items of a vector need one shape, a number or `[k]`" if known else "an empty vector has no value",
                e.span,
                notes=[f"`{item.span.text}` is {show(item.shape)}" for item in known] if len(shapes) > 1 else [],
                help="write vectors as `[1, 2]` and matrices as `[[1, 0], [0, 1]]`",
            )
            return None
        over = Over.NOTHING
        for item in known:
            over |= item.over
        return fold(Stack(tuple(known), shape=(len(known), *shapes.pop()), over=over, span=e.span))

    def _index(self, e: syntax.Index, place: Place, lets: Lets) -> Expr | None:
        base = self.check(e.base, place, lets)
        if base is None:
            return None
        picked = self.items(e.items, base.shape, e.base.span, e.span)
        if picked is None:
            return None
        items, shape = picked
        return Pick(base, items, shape=shape, over=base.over, span=e.span)

    def items(
        self, items: tuple[syntax.Expr | syntax.Slice, ...], shape: Shape, base: Span, span: Span
    ) -> tuple[tuple[int | tuple[int, int], ...], Shape] | None:
        """Resolved indices of a value of `shape`, and the shape of the part."""
        if len(items) > len(shape):
            self.report.error(
                "E205",
                f"{len(items)} indices, but `{base.text}` is {show(shape)}",
                span,
                help=f"write `{base.text}`" if not shape else "one index an axis",
            )
            return None
        resolved = [self._item(item, size, base) for item, size in zip(items, shape, strict=False)]
        known = [item for item in resolved if item is not None]
        if len(known) < len(resolved):
            return None
        kept = [item[1] - item[0] for item in known if isinstance(item, tuple)]
        return tuple(known), (*kept, *shape[len(items) :])

    def _item(self, item: syntax.Expr | syntax.Slice, size: int, base: Span) -> int | tuple[int, int] | None:
        if isinstance(item, syntax.Slice):
            low = 0 if item.low is None else self._bound(item.low, size, base)
            high = size if item.high is None else self._bound(item.high, size, base)
            return None if low is None or high is None else (low, max(low, high))
        index = self.numbers.number(item)
        if index is None:
            return None
        if index != int(index) or not -size <= index < size:
            self.report.error(
                "E205",
                f"no index {index:g}: `{base.text}` has {size}, counted from 0",
                item.span,
                help=f"use 0..{size - 1}",
            )
            return None
        return int(index) % size

    def _bound(self, e: syntax.Expr, size: int, base: Span) -> int | None:
        bound = self.numbers.number(e)
        if bound is None:
            return None
        if bound != int(bound) or not -size <= bound <= size:
            self.report.error("E205", f"no slice bound {bound:g}: `{base.text}` has {size}", e.span, help=f"use 0..{size}")
            return None
        return int(bound) + size if bound < 0 else int(bound)


# -------------------------------------------------------------------- literals


def literal(value: float, span: Span) -> Literal:
    return Literal(float(value), shape=(), over=Over.NOTHING, span=span)


def fold(e: Apply | Stack) -> Expr:
    """Arithmetic on numbers known at compile time, done now. What has no finite value is left as it is."""
    if isinstance(e, Stack):
        values = tuple(item.value for item in e.items if isinstance(item, Literal))
        return Literal(values, shape=e.shape, over=e.over, span=e.span) if len(values) == len(e.items) else e
    numbers = [a.value for a in e.args if isinstance(a, Literal) and isinstance(a.value, float)]
    if len(numbers) < len(e.args) or e.prime:
        return e
    value = _fold_numbers(e.function, numbers)
    return e if value is None else literal(value, e.span)


def _fold_numbers(function: str, numbers: list[float]) -> float | None:
    if function == "neg":
        return -numbers[0]
    symbol = next((s for s, f in OPERATORS.items() if f == function), None)
    if symbol and symbol != "@":
        return constants.arithmetic(symbol, numbers[0], numbers[1])
    return constants.function(function, *numbers) if function in functions.ELEMENTWISE else None
