"""Expressions: resolves every name and checks every rule of locality. `shapes.py` checks shapes; `wrong_names.py` and
`wrong_calls.py` word the errors.

`Expressions.check` turns a syntax expression into a typed one, or reports the mistake and returns None. None
means that the mistake has been reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Literal as Lit
from typing import cast

from blurc.checker.constants import Constants, complete
from blurc.checker.mentions import outside_sums
from blurc.checker.rules.foreign import TRANSPOSES
from blurc.checker.rules.names import (
    NEURON_NAMES,
    OF_NEURON,
    OF_SYNAPSE,
    OWNER,
    UNKNOWN_IN_FUNCTIONS,
    Place,
    Symbol,
    Symbols,
)
from blurc.checker.rules.own_functions import OwnFunctions
from blurc.checker.rules.shapes import OPERATORS, Shapes, join, literal
from blurc.checker.rules.unsummed import is_transposed
from blurc.checker.rules.wrong_calls import WrongCall
from blurc.checker.rules.wrong_names import WrongName
from blurc.checker.wording import bare, code, number_text
from blurc.diagnostics import Report, Span
from blurc.language import functions, syntax
from blurc.model import (
    Across,
    Apply,
    Channel,
    Constant,
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
    Running,
    Shape,
    Side,
    Signal,
    Slot,
    State,
    Total,
    Uniform,
    Until,
)

# What a function does not see: neurons, synapses, batches.
OUTSIDE_FUNCTIONS = frozenset(functions.ALL) - {*functions.ELEMENTWISE}


class Expressions:
    def __init__(self, symbols: Symbols, numbers: Constants) -> None:
        self.symbols = symbols
        self.numbers = numbers
        self.shapes = Shapes(symbols, numbers)
        self.draws = count()  # numbers of the random draws
        self.statistics = count()  # numbers of the running ones
        self.functions = OwnFunctions(self.check, numbers.report, {})
        self.wrong_name = WrongName(symbols, numbers.report)
        self.wrong_call = WrongCall(symbols, numbers.report)

    # -------------------------------------------------------------- dispatch

    def check(self, e: syntax.Expr, place: Place) -> Expr | None:
        if e.span.text.startswith("("):
            e = replace(e, span=bare(e.span))
        match e:
            case syntax.Number():
                return literal(e.value, e.span)
            case syntax.Name():
                return self._name(e, place)
            case syntax.Attribute():
                return self._attribute(e, place)
            case syntax.Call():
                return self._call(e, place)
            case syntax.Binary() if self._misses_its_sum(e, place):
                return None
            case syntax.Index():
                base = self.check(e.base, place)
                return base and self.shapes.pick(base, e.items, e.span)
            case _:
                return self._compound(e, place)

    def _compound(self, e: syntax.Negate | syntax.Binary | syntax.Vector, place: Place) -> Expr | None:
        match e:
            case syntax.Negate(operand=operand):
                arg = self.check(operand, place)
                return arg and self.shapes.combine("neg", (arg,), e.span)
            case syntax.Binary(operator="@", left=left, right=right):
                args = self._all((left, right), place)
                return self.shapes.matmul(args[0], args[1], e.span) if args else None
            case syntax.Binary(operator=operator, left=left, right=right):
                args = self._all((left, right), place)
                return self.shapes.combine(OPERATORS[operator], args, e.span) if args else None
            case syntax.Vector(items=items):
                args = self._all(items, place)
                return self.shapes.stack(args, e.span) if args else None

    def _all(self, parts: tuple[syntax.Expr, ...], place: Place) -> tuple[Expr, ...] | None:
        """All parts, checked, or None if one of them is wrong."""
        return complete(self.check(part, place) for part in parts)

    def _misses_its_sum(self, e: syntax.Binary, place: Place) -> bool:
        """A product such as `w * pre.x` in the scope of a neuron is one mistake: the missing `incoming`."""
        if place.synapse or e.operator not in ("*", "/", "@"):
            return False
        loose = list(outside_sums(e))
        channels = {x.name for x in loose if isinstance(x, syntax.Name) and self.symbols.of_synapse(x.name)}
        channels |= {x.owner for x in loose if isinstance(x, syntax.Attribute) and is_transposed(x, self.symbols)}
        owners = {x.owner for x in loose if isinstance(x, syntax.Attribute) and x.owner in NEURON_NAMES}
        if not channels or len(owners) != 1:
            return False
        way = "incoming" if owners == {"pre"} else "outgoing"
        self.wrong_name.without_its_sum(e, way, place)
        return True

    # ----------------------------------------------------------------- names

    def _name(self, e: syntax.Name, place: Place) -> Expr | None:
        if e.name in place.arguments:
            return replace(place.arguments[e.name], span=e.span)
        if place.phase == "function" and self._is_out_of_reach(e):
            return None
        if e.name in place.lets:
            return self._let(e, place, place.lets[e.name])
        if symbol := self.symbols.named(e.name):
            return self._symbol(symbol, e, place)
        if e.name in ("input", "target"):
            return self._signal(e, place)
        if e.name in functions.PROJECTION_NUMBERS:
            return self._of_projection(e, place)
        if e.name in NEURON_NAMES:
            self.wrong_name.neuron_name(e)
        elif e.name in functions.ALL or self.functions.tree(e.name):
            self.wrong_name.needs_argument(e, "a function")
        else:
            self.wrong_name.unknown(e, place)
        return None

    def _let(self, e: syntax.Name, place: Place, value: Expr | None) -> Expr | None:
        if place.total:
            self.wrong_name.let_in_sum(e, place.total, place)
            return None
        return value and Let(e.name, shape=value.shape, over=value.over, span=e.span)

    def _is_out_of_reach(self, e: syntax.Name) -> bool:
        """Whether it exists, but not for functions."""
        symbol = self.symbols.named(e.name, *UNKNOWN_IN_FUNCTIONS)
        if symbol and symbol.kind != "slot":
            self.wrong_name.not_in_function(e.span, f"`{e.name}`, {symbol.words}", e.name)
        elif e.name in ("input", "target", *functions.PROJECTION_NUMBERS):
            self.wrong_name.not_in_function(e.span, f"`{e.name}`", "x")
        else:
            return False
        return True

    def _symbol(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        match symbol.kind:
            case "state":
                return self._own_state(symbol, e, place)
            case "channel":
                return self._channel(symbol, e, place)
            case "const" if symbol.per != "network":
                return self._meta(symbol, e, place)
            case "meta":
                return self._meta(symbol, e, place)
            case "signal":
                return self._modulator(symbol, e, place)
            case "const" | "param":
                return self._constant(symbol, e)
            case "slot" | "function":
                self.wrong_name.needs_argument(e, symbol.words)
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
                self.wrong_name.function_for_number(e, symbol)
                return None
            case None:
                return None

    def _own_state(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        name = symbol.name
        if place.phase == "init":
            self.wrong_name.not_yet(e.span, f"the neuron state `{name}`")
        elif place.synapse:
            self.wrong_name.whose(e, place, "a neuron state")
        elif symbol.shape is not None:
            return State(name, "own", shape=symbol.shape, over=Over.EXAMPLE | Over.NEURON, span=e.span)
        return None

    def _channel(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        if not place.synapse:
            self.wrong_name.channel_in_neuron(symbol, e)
        elif place.phase == "init":
            self.wrong_name.start_of_channel(symbol, e)
        elif symbol.shape is not None:
            over = Over.SYNAPSE | (Over.EXAMPLE | Over.BUILT if symbol.per_example else Over.NOTHING)
            return Channel(symbol.name, shape=symbol.shape, over=over, span=e.span)
        return None

    def _meta(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        per = symbol.per
        if place.phase == "function":
            return _meta(symbol, e.span)  # whether it has a value is asked where the function is called
        if place.phase == "init" and per in ("population", "neuron", "synapse"):
            self.wrong_name.not_in_start(e.span, f"one value per {per}")
        elif per in OF_SYNAPSE and not place.synapse:
            self.wrong_name.not_of_neurons(symbol, e)
        elif per in OF_NEURON and place.synapse:
            self.wrong_name.whose(e, place, f"one value per {per}")
        else:
            return _meta(symbol, e.span)
        return None

    def _modulator(self, symbol: Symbol, e: syntax.Name, place: Place) -> Expr | None:
        if place.phase == "init":
            self.wrong_name.not_yet(e.span, f"the signal `{e.name}`")
        elif symbol.shape is not None:
            over = Over.EXAMPLE if symbol.per_example else Over.NOTHING
            return Modulator(e.name, shape=symbol.shape, over=over, span=e.span)
        return None

    def _signal(self, e: syntax.Name, place: Place) -> Expr | None:
        name, phase, who = ("input", "sense", "input") if e.name == "input" else ("target", "feedback", "output")
        if place.phase == phase and not place.synapse:
            return Signal(name, shape=(), over=Over.EXAMPLE | Over.NEURON, span=e.span)
        self.wrong_name.signal_elsewhere(e, phase, who)
        return None

    def _of_projection(self, e: syntax.Name, place: Place) -> Expr | None:
        if place.phase == "init" and e.name not in functions.FANS:
            self.wrong_name.not_in_start(e.span, "for equations only")
            return None
        if place.synapse:
            name = cast(Lit["fan_in", "fan_out", "plastic"], e.name)
            return Fan(name, shape=(), over=Over.PROJECTION, span=e.span)
        self.wrong_name.of_projection(e)
        return None

    # ------------------------------------------------------------- attributes

    def _attribute(self, e: syntax.Attribute, place: Place) -> Expr | None:
        if e.name in TRANSPOSES and (self.symbols.named(e.owner) or e.owner in place.arguments):
            self.wrong_name.no_transpose(e)
        elif e.owner in NEURON_NAMES and place.phase == "function":
            self.wrong_name.not_in_function(e.span, f"`{code(e.span)}`, a value of a neuron", e.name)
        elif e.owner not in NEURON_NAMES:
            self.wrong_name.no_end(e)
        elif e.owner not in place.ends:
            self.wrong_name.wrong_end(e, place)
        elif (symbol := self.symbols.named(e.name)) is None or not symbol.of_neuron:
            self.wrong_name.no_such_state(e, symbol)
        elif symbol.shape is not None:
            return _at_end(symbol, symbol.shape, cast(Side, e.owner), e.span)
        return None

    # ----------------------------------------------------------------- calls

    def _call(self, e: syntax.Call, place: Place) -> Expr | None:
        name = e.function
        if e.prime and name in functions.ALL and name not in functions.UNARY:
            self.wrong_call.no_derivative(e)
            return None
        if place.phase == "function" and (name in OUTSIDE_FUNCTIONS or self.symbols.named(name, "slot")):
            self.wrong_call.not_in_function(e)
            return None
        if name in functions.TOTALS:
            return self._total(e, place)
        if name in functions.RUNNING:
            return self._until(e, place)
        if e.owner is not None:
            self.wrong_call.no_method(e, place)
            return None
        if place.total and {x.owner for x in outside_sums(e) if isinstance(x, syntax.Attribute)} >= {*NEURON_NAMES}:
            self.wrong_call.value_of_every_pair(e)
            return None
        if name in functions.REDUCERS:
            return self._reduce(e, place)
        if name in functions.PROJECTION:
            return self._across(e, place)
        if name in functions.DRAWS:
            return self._draw(e, place)
        if name in functions.POPULATION and not self._sees_population(e, place):
            return None
        if name in functions.STATISTICS or (name == "standardize" and len(e.args) > 1):
            return self._running(e, place)
        if self.symbols.named(name, "slot"):
            return self._slot(e, place)
        if own := self._own_function(name):
            return self._call_of_own(e, own, place)
        if name not in functions.ALL:
            self.wrong_call.unknown_function(e, place, self.functions.names())
            return None
        args = self._all(e.args, place)
        if args is None or not self._arity(e, *functions.arity(name)):
            return None
        if name in functions.POPULATION:
            return _population(e, args[0])
        return self.shapes.combine(name, args, e.span, e.prime)

    def _own_function(self, name: str) -> syntax.Function | None:
        """One of the genome, or of a file where the genome has no such name."""
        symbol = self.symbols.named(name)
        return self.functions.tree(name) if symbol is None or symbol.kind == "function" else None

    def _call_of_own(self, e: syntax.Call, tree: syntax.Function, place: Place) -> Expr | None:
        args, count = self._all(e.args, place), len(tree.arguments)
        signature = f"{tree.name}({', '.join(a.name for a in tree.arguments)})"
        if not self.numbers.takes(tree.name, len(e.args), (count, count), e.span, signature) or args is None:
            return None
        return self.functions.call(e, args, place) if self.shapes.fit(args, e.span) else None

    def _arity(self, e: syntax.Call, low: int, high: int | None) -> bool:
        return self.numbers.takes(e.function, len(e.args), (low, high), e.span)

    def _body(self, e: syntax.Call, place: Place) -> Expr | None:
        """The one argument of a sum or a reducer."""
        signature = self.wrong_call.sum_of_kind(e) if e.function in functions.TOTALS else None
        takes = self.numbers.takes(e.function, len(e.args), (1, 1), e.span, signature)
        return self.check(e.args[0], place) if takes else None

    def _slot(self, e: syntax.Call, place: Place) -> Expr | None:
        if place.phase == "init":
            self.wrong_call.slot_in_start(e)
            return None
        args = self._all(e.args, place)
        if not self._arity(e, 1, 1) or args is None:
            return None
        return Slot(e.function, args[0], e.prime, shape=args[0].shape, over=args[0].over, span=e.span)

    def _sees_population(self, e: syntax.Call, place: Place) -> bool:
        if place.synapse:
            self.wrong_call.population_of_synapse(e)
        else:
            return True
        return False

    def _draw(self, e: syntax.Call, place: Place) -> Expr | None:
        if not place.draws:
            self.wrong_call.draw_elsewhere(e, place)
            return None
        args = self._all(e.args, place)
        if not self._arity(e, *functions.arity(e.function)) or args is None or not self.shapes.fit(args, e.span):
            return None
        over = join(args)
        if place.synapse and Over.EXAMPLE in over:
            self.wrong_call.draw_for_examples(e)
            return None
        over |= Over.SYNAPSE if place.synapse else Over.EXAMPLE | Over.NEURON
        shape, number = next((a.shape for a in args if a.shape), ()), next(self.draws)
        if e.function == "noise":
            return Noise(args[0], number, shape=shape, over=over, span=e.span)
        return Uniform(args[0], args[1], number, shape=shape, over=over, span=e.span)

    def _running(self, e: syntax.Call, place: Place) -> Expr | None:
        """`running_mean(z)`, `running_mean(z, rate)`, `standardize(z, running)`, `standardize(z, running, rate)`."""
        if place.synapse:
            self.wrong_call.population_of_synapse(e)
            return None
        standardizes = e.function == "standardize"
        if not self.numbers.takes(e.function, len(e.args), (1, 3) if standardizes else (1, 2), e.span):
            return None
        arg = self.check(e.args[0], place)
        if standardizes and e.args[1] != syntax.Name("running", span=e.args[1].span):
            self.wrong_call.standardizes_by(e)
            return None
        rate = self._rate(e.args[2 if standardizes else 1 :])
        if arg is None or rate is None:
            return None
        function = cast("Lit['running_mean', 'running_var', 'standardize']", e.function)
        over = (arg.over if standardizes else arg.over & ~Over.EXAMPLE) | Over.NEURON
        return Running(function, arg, rate, next(self.statistics), shape=arg.shape, over=over, span=e.span)

    def _rate(self, given: tuple[syntax.Expr, ...]) -> float | None:
        rate = self.numbers.number(given[0]) if given else functions.RUNNING_RATE
        if rate is None or 0 < rate <= 1:
            return rate
        message = f"the rate of a running statistic is above 0 and at most 1, found {number_text(rate)}"
        self.numbers.report.error("E206", message, given[0].span, help=f"write `{functions.RUNNING_RATE}`")
        return None

    # ------------------------------------------------------ sums over synapses

    def _total(self, e: syntax.Call, place: Place) -> Expr | None:
        direction = cast(Direction, e.function)
        body = self._body(e, place.inside(direction)) if self._total_owner(e, place) else None
        if body is None:
            return None
        side: Side = cast(Side, OWNER[e.function]) if place.synapse else "own"
        own = {"own": Over.NEURON, "pre": Over.PRE, "post": Over.POST}[side]
        over = own | (body.over & Over.EXAMPLE)
        return Total(direction, side, body, e.kind, shape=body.shape, over=over, span=e.span)

    def _total_owner(self, e: syntax.Call, place: Place) -> bool:
        owner = OWNER[e.function]
        if place.phase == "init":
            self.wrong_name.not_yet(e.span, f"`{code(e.span)}`")
        elif place.total and (e.owner != owner or e.function != place.total or place.running):
            self.wrong_call.total_in_total(e, place.total, place)
        elif place.total:
            return True
        elif place.phase == "update" and e.owner != owner:
            self.wrong_call.total_of_other(e, owner)
        elif place.phase != "update" and e.owner is not None:
            self.wrong_call.total_of_owner(e)
        else:
            return True
        return False

    def _until(self, e: syntax.Call, place: Place) -> Expr | None:
        if place.phase != "update" or place.total or e.owner != "pre":
            self.wrong_call.until_elsewhere(e)
            return None
        body = self._body(e, place.inside("outgoing", running=True))
        if body is None:
            return None
        over = Over.PRE | Over.POST | Over.SYNAPSE | (body.over & (Over.EXAMPLE | Over.BUILT))
        return Until(body, shape=body.shape, over=over, span=e.span)

    def _reduce(self, e: syntax.Call, place: Place) -> Expr | None:
        if place.phase != "update" or place.total or place.reduced:
            self.wrong_call.reducer_elsewhere(e, place)
            return None
        body = self._body(e, place.under_reducer())
        if body is None:
            return None
        kind = "batch_mean" if e.function == "batch_mean" else "batch_sum"
        return Reduce(kind, body, shape=body.shape, over=body.over & ~(Over.EXAMPLE | Over.BUILT), span=e.span)

    def _across(self, e: syntax.Call, place: Place) -> Expr | None:
        if place.phase != "update" or place.total:
            self.wrong_call.projection_elsewhere(e, place)
            return None
        body = self._body(e, place)
        if body is None:
            return None
        if Over.EXAMPLE in body.over:
            self.wrong_call.projection_of_example(e, body, place)
            return None
        function = cast("Lit['projection_mean', 'projection_sum', 'projection_max']", e.function)
        return Across(function, body, shape=body.shape, over=Over.PROJECTION, span=e.span)


def check_functions(trees: Iterable[syntax.Function], report: Report, damaged: bool = False) -> OwnFunctions:
    """Functions outside genomes, checked. `damaged`: not all of them are known."""
    expressions = Expressions(Symbols(damaged=damaged), Constants({}, report, damaged=damaged))
    own = expressions.functions = OwnFunctions(expressions.check, report, {tree.name: tree for tree in trees})
    own.define()
    expressions.symbols.report_unknown(report)
    return own


def _meta(symbol: Symbol, span: Span) -> Expr | None:
    if symbol.per is None or symbol.shape is None:
        return None
    overs = {"projection": Over.PROJECTION, "synapse": Over.SYNAPSE, "neuron": Over.NEURON}
    kind = Constant if symbol.kind == "const" else Meta
    return kind(symbol.name, symbol.per, shape=symbol.shape, over=overs.get(symbol.per, Over.NOTHING), span=span)


def _at_end(symbol: Symbol, shape: Shape, side: Side, span: Span) -> Expr:
    """`pre.x`, `post.x`: a state, or a meta-parameter of the neuron there."""
    neuron = Over.PRE if side == "pre" else Over.POST
    if symbol.kind == "state":
        return State(symbol.name, side, shape=shape, over=Over.EXAMPLE | neuron, span=span)
    over = neuron if symbol.per == "neuron" else Over.PROJECTION
    kind = Constant if symbol.kind == "const" else Meta
    return kind(symbol.name, symbol.per or "network", side, shape=shape, over=over, span=span)


def _population(e: syntax.Call, arg: Expr) -> Apply:
    over = arg.over & ~Over.NEURON if e.function in functions.WHOLE else arg.over
    return Apply(e.function, (arg,), shape=arg.shape, over=over, span=e.span)
