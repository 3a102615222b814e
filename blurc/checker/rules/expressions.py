"""Expressions: resolves every name and checks every rule of locality. `shapes.py` checks shapes.

`Expressions.check` turns a syntax expression into a typed one, or reports the mistake and returns None. None
means that the mistake has been reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import cast

from blurc.checker import constants
from blurc.checker.mentions import outside_sums
from blurc.checker.rules.foreign import CALLED, TRANSPOSES, declarations, function_help, name_help
from blurc.checker.rules.names import OF_NEURON, OF_SYNAPSE, Lets, Place, Symbol, Symbols
from blurc.checker.rules.shapes import OPERATORS, Shapes, literal
from blurc.checker.rules.unsummed import is_transposed, with_sum
from blurc.checker.wording import bare, code, head, listed
from blurc.diagnostics import Report, Span, did_you_mean
from blurc.language import functions, syntax
from blurc.model import (
    Apply,
    Channel,
    Direction,
    Expr,
    Fan,
    Let,
    Literal,
    Meta,
    Modulator,
    Noise,
    Over,
    Reduce,
    Shape,
    Side,
    Signal,
    Slot,
    State,
    Total,
    Until,
)

OWNER: dict[str, str] = {"incoming": "post", "outgoing": "pre"}  # the owner of the total, in `update`
IN_START = (
    "a start value may use numbers, parameters, constants, `fan_in`, `fan_out` and meta-parameters of the network "
    "or `per projection`"
)
NEURON_NAMES = {"pre": "the presynaptic neuron", "post": "the postsynaptic neuron"}


@dataclass(slots=True)
class Expressions:
    symbols: Symbols
    numbers: constants.Constants
    report: Report
    draws: count[int] = field(default_factory=count)  # numbers of the `noise(..)`s

    @property
    def shapes(self) -> Shapes:
        return Shapes(self.symbols, self.numbers, self.report)

    # -------------------------------------------------------------- dispatch

    def check(self, e: syntax.Expr, place: Place, lets: Lets) -> Expr | None:
        if e.span.text.startswith("("):
            e = replace(e, span=bare(e.span))
        match e:
            case syntax.Number():
                return literal(e.value, e.span)
            case syntax.Name():
                return self._name(e, place, lets)
            case syntax.Attribute():
                return self._attribute(e, place)
            case syntax.Call():
                return self._call(e, place, lets)
            case syntax.Binary() if self._misses_its_sum(e, place, lets):
                return None
            case syntax.Index():
                base = self.check(e.base, place, lets)
                return base and self.shapes.pick(base, e.items, e.span)
            case _:
                return self._compound(e, place, lets)

    def _compound(
        self, e: syntax.Negate | syntax.Binary | syntax.Vector, place: Place, lets: Lets
    ) -> Expr | None:
        match e:
            case syntax.Negate(operand=operand):
                args = self._all((operand,), place, lets)
                return self.shapes.combine("neg", args, e.span) if args else None
            case syntax.Binary(operator="@", left=left, right=right):
                args = self._all((left, right), place, lets)
                return self.shapes.matmul(args[0], args[1], e.span) if args else None
            case syntax.Binary(operator=operator, left=left, right=right):
                args = self._all((left, right), place, lets)
                return self.shapes.combine(OPERATORS[operator], args, e.span) if args else None
            case syntax.Vector(items=items):
                args = self._all(items, place, lets)
                return self.shapes.stack(args, e.span) if args else None

    def _all(self, parts: tuple[syntax.Expr, ...], place: Place, lets: Lets) -> list[Expr] | None:
        """All parts, checked, or None if one of them is wrong."""
        checked = [self.check(part, place, lets) for part in parts]
        known = [part for part in checked if part is not None]
        return known if len(known) == len(checked) else None

    def _misses_its_sum(self, e: syntax.Binary, place: Place, lets: Lets) -> bool:
        """A product such as `w * pre.x` in the scope of a neuron is one mistake: the missing `incoming`."""
        if place.synapse or e.operator not in ("*", "/", "@"):
            return False
        loose = list(outside_sums(e))
        channels = {x.name for x in loose if isinstance(x, syntax.Name) and self.symbols.of_synapse(x.name)}
        channels |= {
            x.owner for x in loose if isinstance(x, syntax.Attribute) and is_transposed(x, self.symbols)
        }
        owners = {x.owner for x in loose if isinstance(x, syntax.Attribute) and x.owner in NEURON_NAMES}
        if not channels or len(owners) != 1:
            return False
        way = "incoming" if owners == {"pre"} else "outgoing"
        self.report.error(
            "E303",
            f"`{code(e.span)}` belongs to one synapse, but the scope here is one neuron, which has many "
            "synapses",
            e.span,
            help=f"sum over them: `{with_sum(e, way, self.symbols, lets)}`",
        )
        return True

    # ----------------------------------------------------------------- names

    def _name(self, e: syntax.Name, place: Place, lets: Lets) -> Expr | None:
        if e.name in lets:
            return self._let(e, place, lets[e.name])
        if symbol := self.symbols.named(e.name):
            return self._symbol(symbol, e, place)
        if e.name in ("input", "target"):
            return self._signal(e, place)
        if e.name in ("fan_in", "fan_out"):
            return self._fan(e, place)
        if e.name in NEURON_NAMES:
            self._neuron_name(e)
        elif e.name in functions.ALL:
            self._needs_argument(e, "a function")
        else:
            self._unknown(e, place, lets)
        return None

    def _let(self, e: syntax.Name, place: Place, value: Expr | None) -> Expr | None:
        if place.total:
            of_synapse = place.phase == "update"
            whole = f"{OWNER[place.total]}.{place.total}(..)" if of_synapse else f"{place.total}(..)"
            self.report.error(
                "E302",
                f"`{e.name}` is {'this synapse' if of_synapse else 'this neuron'}'s value: it cannot be used inside "
                f"{whole}, which runs over other synapses",
                e.span,
                help=f"write it outside the sum, as in `{e.name} * {whole}`, or write its equation out inside",
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
            case "signal":
                return self._modulator(symbol, e, place)
            case "const" | "param":
                return self._constant(symbol, e)
            case "slot":
                self._needs_argument(e, "a function slot")
            case "ambiguous":
                pass
        return None

    def _constant(self, symbol: Symbol, e: syntax.Name) -> Expr | None:
        match symbol.value:
            case Literal(value=value, shape=shape, over=over):
                return Literal(value, shape=shape, over=over, span=e.span)
            case int() | float():
                return literal(symbol.value, e.span)
            case str():
                self.report.error(
                    "E206",
                    f"the parameter `{e.name}` is the function `{symbol.value}`, but a number is "
                    "expected here",
                    e.span,
                    help=f"give it a slot, `fn phi = {e.name}`, and write `phi(x)`",
                )
                return None
            case None:
                return None

    def _own_state(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        name = symbol.name
        if place.phase == "init":
            self._not_yet(e.span, f"the neuron state `{name}`")
        elif place.synapse:
            self._whose(e, place, "a neuron state")
        elif symbol.shape is not None:
            return State(name, "own", shape=symbol.shape, over=Over.EXAMPLE | Over.NEURON, span=e.span)
        return None

    def _whose(self, e: syntax.Name, place: Place, what: str) -> None:
        notes = ["the scope here is one synapse, and a synapse has two neurons"]
        help = "write " + " or ".join(f"`{end}.{e.name}`" for end in place.ends)
        if place.total:
            notes = [
                f"inside {place.total}(..) the scope is one synapse; the other neuron is `{place.ends[0]}`"
            ]
            help += f", or move this neuron's own `{e.name}` out of the sum"
        self.report.error("E302", f"whose `{e.name}`? It is {what}", e.span, notes=notes, help=help)

    def _not_yet(self, span: Span, what: str) -> None:
        message = f"{what} has no value yet when synapses are made"
        self.report.error("E208", message, span, help=IN_START)

    def _not_in_start(self, span: Span, symbol: Symbol) -> None:
        message = f"a start value cannot read `{code(span)}`, which is one value per {symbol.per}"
        self.report.error("E208", message, span, help=IN_START)

    def _channel(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        if not place.synapse:
            self.report.error(
                "E303",
                f"`{symbol.name}` is a synapse channel, but the scope here is one neuron, which has many "
                "synapses",
                e.span,
                help=f"sum over them: `incoming({symbol.name} * pre.x)` or `outgoing({symbol.name} * "
                "post.x)`",
            )
        elif place.phase == "init":
            self.report.error(
                "E208",
                f"a start value cannot be computed from the channel `{symbol.name}`",
                e.span,
                help=f"to start equal to it, write `= {symbol.name}`",
            )
        elif symbol.shape is not None:
            return Channel(symbol.name, shape=symbol.shape, over=Over.SYNAPSE, span=e.span)
        return None

    def _meta(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        per = symbol.per
        if place.phase == "init" and per in ("population", "neuron", "synapse"):
            self._not_in_start(e.span, symbol)
        elif per in OF_SYNAPSE and not place.synapse:
            self._not_of_neurons(symbol, e)
        elif per in OF_NEURON and place.synapse:
            self._whose(e, place, f"one value per {per}")
        elif per is not None and symbol.shape is not None:
            overs = {"projection": Over.PROJECTION, "synapse": Over.SYNAPSE, "neuron": Over.NEURON}
            over = overs.get(per, Over.NOTHING)
            return Meta(symbol.name, per, shape=symbol.shape, over=over, span=e.span)
        return None

    def _not_of_neurons(self, symbol: Symbol, e: syntax.Name) -> None:
        self.report.error(
            "E310",
            f"`{symbol.name}` is one value per {symbol.per}, but the scope here is one neuron, which has many "
            f"{symbol.per}s",
            e.span,
            help=f"use it inside incoming(..) or outgoing(..), or drop `per {symbol.per}` from its declaration",
        )

    def _modulator(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        if place.phase == "init":
            self._not_yet(e.span, f"the signal `{e.name}`")
        elif symbol.shape is not None:
            return Modulator(e.name, shape=symbol.shape, over=Over.NOTHING, span=e.span)
        return None

    def _signal(self, e: syntax.Name, place: Place) -> Expr | None:
        name, phase, who = (
            ("input", "sense", "input") if e.name == "input" else ("target", "feedback", "output")
        )
        if place.phase == phase and not place.synapse:
            return Signal(name, shape=(), over=Over.EXAMPLE | Over.NEURON, span=e.span)
        self.report.error(
            "E304",
            f"`{name}` is known only to {who} populations, in `{phase}`",
            e.span,
            help=f"store it in a state there, `{phase} {{ x <- {name} }}`, and read the state",
        )
        return None

    def _fan(self, e: syntax.Name, place: Place) -> Expr | None:
        if place.synapse:
            name = "fan_in" if e.name == "fan_in" else "fan_out"
            return Fan(name, shape=(), over=Over.PROJECTION, span=e.span)
        self.report.error(
            "E311",
            f"`{e.name}` is a size of a projection, but the scope here is one neuron, which has many "
            "projections",
            e.span,
            help=f"use it inside incoming(..) or outgoing(..): `incoming(w * pre.x / {e.name})`",
        )
        return None

    def _neuron_name(self, e: syntax.Name) -> None:
        states = [s.name for s in self.symbols.of_kind("state")]
        self.report.error(
            "E301",
            f"`{e.name}` is {NEURON_NAMES[e.name]}, not a value",
            e.span,
            help=f"write one of its states: `{e.name}.{states[0] if states else 'x'}`",
        )

    def _needs_argument(self, e: syntax.Name, what: str) -> None:
        self.report.error(
            "E202", f"`{e.name}` is {what} and needs its argument", e.span, help=f"write `{e.name}(x)`"
        )

    def _unknown(self, e: syntax.Name, place: Place, lets: Lets) -> None:
        if self.symbols.damaged:
            return
        table = self.symbols.table
        seen = {name: shown for name, symbol in table.items() if (shown := symbol.seen(place))}
        here = [name for name, shown in seen.items() if shown == f"`{name}`"]
        here += [] if place.total else lets
        if near := did_you_mean(e.name, here):
            help = f"did you mean `{near}`?"
        elif known := name_help(e.name, place):
            help = known
        elif near := did_you_mean(e.name, seen | {name: f"`{name}`" for name in place.names}):
            help = f"did you mean {seen.get(near, f'`{near}`')}?"
        else:
            help = f"declare it, as in {declarations(e.name, place)}"
        self.symbols.unknown_name(e.name, f"unknown name `{e.name}`", e.span, help=help)

    # ------------------------------------------------------------- attributes

    def _attribute(self, e: syntax.Attribute, place: Place) -> Expr | None:
        if e.name in TRANSPOSES and self.symbols.named(e.owner):
            self._no_transpose(e)
        elif e.owner not in NEURON_NAMES:
            near = did_you_mean(e.owner, NEURON_NAMES)
            self.report.error(
                "E301",
                f"`{e.owner}` is not an end of a synapse",
                e.span,
                help=f"did you mean `{near}.{e.name}`?"
                if near
                else f"write `pre.{e.name}` (the presynaptic neuron) or `post.{e.name}` (the postsynaptic "
                "one)",
            )
        elif e.owner not in place.ends:
            self._wrong_end(e, place)
        elif (symbol := self.symbols.named(e.name)) is None or not symbol.of_neuron:
            self._no_such_state(e, symbol)
        elif symbol.shape is not None:
            return _at_end(symbol, symbol.shape, cast(Side, e.owner), e.span)
        return None

    def _no_transpose(self, e: syntax.Attribute) -> None:
        states = [s.name for s in self.symbols.of_kind("state")]
        if self.symbols.of_synapse(e.owner):
            sums = f"`outgoing({e.owner} * post.{states[0] if states else 'x'})`"
            help = f"write `{e.owner}`: {sums} already reads the synapses backward"
        else:
            help = f"write `{e.owner}`, or declare the other matrix: `learn m[2, 2] ~ normal(1)`"
        self.report.error(
            "E301", f"`{e.owner}` is not an end of a synapse, and has no transpose", e.span, help=help
        )

    def _no_such_state(self, e: syntax.Attribute, other: Symbol | None) -> None:
        states = [s.name for s in self.symbols.of_kind("state")]
        near = did_you_mean(e.name, [s.name for s in self.symbols.of_kind("state", "meta") if s.of_neuron])
        if other and other.kind != "ambiguous" and other.per is not None:
            self.report.error(
                "E201",
                f"`{e.name}` is {_what(other)}, not a state of a neuron",
                e.span,
                help=f"write `{e.name}` without `{e.owner}.`",
            )
        elif not other and not self.symbols.damaged:
            self.symbols.unknown_name(
                e.name,
                f"unknown neuron state `{e.name}`",
                e.span,
                notes=[f"the states are: {listed(states)}"],
                help=f"did you mean `{e.owner}.{near}`?" if near else f"declare it: `state {e.name}`",
            )

    def _wrong_end(self, e: syntax.Attribute, place: Place) -> None:
        if place.total:
            end = place.ends[0]
            self.report.error(
                "E301",
                f"inside {place.total}(..) the other neuron is `{end}`; `{e.owner}` is the neuron that sums",
                e.span,
                help=f"write `{end}.{e.name}`, or move this neuron's own value out of the sum",
            )
        elif place.phase == "init":
            symbol = self.symbols.named(e.name, "meta")
            if symbol and symbol.of_neuron:
                self._not_in_start(e.span, symbol)
            else:
                self._not_yet(e.span, f"`{e.owner}.{e.name}`")
        else:
            own = "value" if self.symbols.named(e.name, "meta") else "state"
            way = "incoming" if e.owner == "pre" else "outgoing"
            self.report.error(
                "E301",
                f"`{e.owner}.{e.name}` needs a synapse, but the scope here is one neuron, which sees others "
                "only through its synapses",
                e.span,
                help=f"sum over the synapses: `{way}(w * {e.owner}.{e.name})`; the neuron's own {own} is "
                f"`{e.name}`",
            )

    # ----------------------------------------------------------------- calls

    def _call(self, e: syntax.Call, place: Place, lets: Lets) -> Expr | None:
        name = e.function
        if e.prime and name in functions.ALL and name not in functions.UNARY:
            self.report.error(
                "E214",
                f"`{name}` has no derivative `'`: only functions of one number have one",
                e.span,
                help="one of " + ", ".join(functions.UNARY),
            )
            return None
        if name in functions.TOTALS:
            return self._total(e, place, lets)
        if name in functions.RUNNING:
            return self._until(e, place, lets)
        if e.owner is not None:
            self._no_method(e, place, lets)
            return None
        if name in functions.REDUCERS:
            return self._reduce(e, place, lets)
        if name in functions.DRAWS:
            return self._noise(e, place, lets)
        if name in functions.POPULATION and not self._sees_population(e, place):
            return None
        if self.symbols.named(name, "slot"):
            return self._slot(e, place, lets)
        if name not in functions.ALL:
            self._unknown_function(e, place, lets)
            return None
        args = self._all(e.args, place, lets)
        if args is None or not self._arity(e, *functions.arity(name)):
            return None
        return _population(e, args[0]) if name in functions.POPULATION else self._elementwise(e, args)

    def _elementwise(self, e: syntax.Call, args: list[Expr]) -> Expr | None:
        return self.shapes.combine(e.function, args, e.span, e.prime)

    def _no_method(self, e: syntax.Call, place: Place, lets: Lets) -> None:
        if e.owner in NEURON_NAMES:
            help = (
                f"write `{e.function}({e.owner}.x)`; only `post.incoming(E)` and `pre.outgoing(E)` are called on a "
                "neuron"
            )
        else:
            help = self._of_module(e, place, lets)
        self.report.error("E202", f"`{e.owner}.{e.function}(..)` is not a function", e.span, help=help)

    def _of_module(self, e: syntax.Call, place: Place, lets: Lets) -> str:
        """What to write for `np.tanh(z)`, or `z.tanh()`."""
        owner = str(e.owner)
        of_value = owner in lets or self.symbols.named(owner) is not None
        own = (syntax.Name(owner, span=head(e.span, owner)),) if of_value else ()
        plain = replace(e, owner=None, args=(*own, *e.args))
        name = CALLED.get(e.function, e.function)
        if name in functions.ALL or self.symbols.named(name, "slot"):
            return f"write `{name}({', '.join(code(a.span) for a in plain.args) or 'x'})`"
        return self._function_help(plain, place)

    def _unknown_function(self, e: syntax.Call, place: Place, lets: Lets) -> None:
        symbol = self.symbols.named(e.function)
        if symbol or e.function in lets:
            if symbol is None or symbol.kind != "ambiguous":
                self.report.error(
                    "E202",
                    f"`{e.function}` is {symbol.words if symbol else 'a value'}, not a function",
                    e.span,
                    help=f"to multiply, write `{e.function} * (..)`",
                )
            return
        if self.symbols.damaged:
            return
        help = self._function_help(e, place)
        self.report.error("E202", f"unknown function `{e.function}`", head(e.span, e.function), help=help)

    def _function_help(self, e: syntax.Call, place: Place) -> str:
        if place.phase == "init" and e.function in constants.DISTRIBUTIONS:
            return f"a distribution goes after `~`: `~ {code(e.span)}`"
        if known := function_help(e, place):
            return known
        slots = [s.name for s in self.symbols.of_kind("slot")]
        if near := did_you_mean(e.function, [*functions.ALL, *slots]):
            return f"did you mean `{near}`?"
        return f"declare a slot, `fn {e.function} = tanh`, or use one of: {', '.join(functions.ALL)}"

    def _arity(self, e: syntax.Call, low: int, high: int | None) -> bool:
        wrong = constants.wrong_arity(e.function, len(e.args), low, high)
        if wrong:
            self.report.error("E204", wrong[0], e.span, help=wrong[1])
        return wrong is None

    def _slot(self, e: syntax.Call, place: Place, lets: Lets) -> Expr | None:
        if place.phase == "init":
            self.report.error(
                "E208",
                f"`{e.function}` is the function of a population, but a start value does not belong to one",
                e.span,
                help="name the function itself, such as `tanh(..)`",
            )
            return None
        args = self._all(e.args, place, lets)
        if not self._arity(e, 1, 1) or args is None:
            return None
        return Slot(e.function, args[0], e.prime, shape=args[0].shape, over=args[0].over, span=e.span)

    def _sees_population(self, e: syntax.Call, place: Place) -> bool:
        if place.synapse:
            self.report.error(
                "E309",
                f"`{e.function}` looks at a neuron's population or batch, but the scope here is one synapse",
                e.span,
                help=f"store it in a state in a phase of the neuron, `x <- {e.function}(..)`, and read "
                "`pre.x` or `post.x`",
            )
        elif e.function == "softmax" and place.phase not in ("feedback", "readout"):
            self.report.error(
                "E309",
                "`softmax` is known only in `feedback` and `readout`",
                e.span,
                help="elsewhere, divide `exp(x)` by `population_sum(exp(x))`",
            )
        else:
            return True
        return False

    def _noise(self, e: syntax.Call, place: Place, lets: Lets) -> Expr | None:
        if place.synapse or place.phase == "readout":
            draw = f"draw it into a state, `forward {{ x <- {code(e.span)} }}`, and read the state"
            self.report.error(
                "E312",
                f"there is no noise {place.words}: a neuron draws it when a phase visits it",
                e.span,
                help="a start value is drawn by `~ normal(std)`" if place.phase == "init" else draw,
            )
            return None
        args = self._all(e.args, place, lets)
        if args is None or not self._arity(e, 1, 1):
            return None
        over = args[0].over | Over.EXAMPLE | Over.NEURON
        return Noise(args[0], next(self.draws), shape=args[0].shape, over=over, span=e.span)

    # ------------------------------------------------------ sums over synapses

    def _total(self, e: syntax.Call, place: Place, lets: Lets) -> Expr | None:
        direction = cast(Direction, e.function)
        if place.total:
            self.report.error(
                "E307",
                f"a sum over synapses inside {place.total}(..): a neuron cannot see the synapses of its "
                "neighbours",
                e.span,
                help="let the neighbour compute it into a state of its own, and read that state",
            )
            return None
        if not self._total_owner(e, place) or not self._arity(e, 1, 1):
            return None
        body = self.check(e.args[0], place.inside(direction), lets)
        if body is None:
            return None
        side: Side = "own" if place.phase != "update" else cast(Side, OWNER[e.function])
        own = {"own": Over.NEURON, "pre": Over.PRE, "post": Over.POST}[side]
        over = own | (body.over & Over.EXAMPLE)
        return Total(direction, side, body, shape=body.shape, over=over, span=e.span)

    def _total_owner(self, e: syntax.Call, place: Place) -> bool:
        owner = OWNER[e.function]
        if place.phase == "init":
            self._not_yet(e.span, f"`{code(e.span)}`")
        elif place.phase == "update" and e.owner != owner:
            more = ", or store another total in a state of the neuron in an earlier phase" if e.owner else ""
            self.report.error(
                "E301",
                "in `update` a synapse knows the total of the incoming synapses of its postsynaptic neuron, "
                "and of the outgoing synapses of its presynaptic neuron",
                e.span,
                help=f"write `{owner}.{e.function}(..)`{more}",
            )
        elif place.phase != "update" and e.owner is not None:
            self.report.error(
                "E301",
                f"the scope here is one neuron: `{e.function}` is its own",
                e.span,
                help=f"write `{e.function}(..)`",
            )
        else:
            return True
        return False

    def _until(self, e: syntax.Call, place: Place, lets: Lets) -> Expr | None:
        if place.phase != "update" or place.total or e.owner != "pre":
            self.report.error(
                "E301",
                "`pre.outgoing_until(..)` adds up the synapses of the presynaptic neuron as far as this one: use it "
                "in `update`, outside other sums",
                e.span,
                help="write `pre.outgoing_until(w * post.x)` there",
            )
            return None
        if not self._arity(e, 1, 1):
            return None
        body = self.check(e.args[0], place.inside("outgoing"), lets)
        if body is None:
            return None
        over = Over.PRE | Over.POST | Over.SYNAPSE | (body.over & Over.EXAMPLE)
        return Until(body, shape=body.shape, over=over, span=e.span)

    def _reduce(self, e: syntax.Call, place: Place, lets: Lets) -> Expr | None:
        if place.phase != "update" or place.total or place.reduced:
            self.report.error(
                "E308",
                f"`{e.function}` cannot be used {place.words}: it combines an update of a synapse over the "
                "batch",
                e.span,
                help="use it in `update`, around what varies over the batch: `w <- w + batch_mean(pre.x * "
                "post.y)`",
            )
            return None
        if not self._arity(e, 1, 1):
            return None
        body = self.check(e.args[0], place.under_reducer(), lets)
        if body is None:
            return None
        kind = "batch_mean" if e.function == "batch_mean" else "batch_sum"
        return Reduce(kind, body, shape=body.shape, over=body.over & ~Over.EXAMPLE, span=e.span)


def _at_end(symbol: Symbol, shape: Shape, side: Side, span: Span) -> Expr:
    """`pre.x`, `post.x`: a state, or a meta-parameter of the neuron there."""
    neuron = Over.PRE if side == "pre" else Over.POST
    if symbol.kind == "state":
        return State(symbol.name, side, shape=shape, over=Over.EXAMPLE | neuron, span=span)
    over = neuron if symbol.per == "neuron" else Over.PROJECTION
    return Meta(symbol.name, symbol.per or "network", side, shape=shape, over=over, span=span)


def _what(symbol: Symbol) -> str:
    own = symbol.kind == "meta" and symbol.per in OF_SYNAPSE
    return f"one value per {symbol.per}" if own else symbol.words


def _population(e: syntax.Call, arg: Expr) -> Apply:
    whole = e.function in ("population_mean", "population_sum")
    over = arg.over & ~Over.NEURON if whole else arg.over
    return Apply(e.function, (arg,), shape=arg.shape, over=over, span=e.span)
