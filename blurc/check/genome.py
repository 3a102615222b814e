"""Genomes: declarations, phases, the readout; then what is declared and never used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from blurc import functions, syntax
from blurc.check.constants import Constants
from blurc.check.expressions import Expressions, literal, show
from blurc.check.scope import Lets, Place, Symbol, Symbols
from blurc.diagnostics import Report, Span, did_you_mean
from blurc.model import (
    Assign,
    ChannelVar,
    Expr,
    Genome,
    Init,
    Let,
    LetStatement,
    Literal,
    MetaVar,
    Over,
    ParamValue,
    Phase,
    Reduce,
    Shape,
    Statement,
    StateVar,
    Total,
    children,
    walk,
)
from blurc.passes.separate import Inseparable, separate
from blurc.passes.substitute import write_out

RESERVED = {"input", "target", "fan_in", "fan_out", "pre", "post", *functions.ALL}
DISTRIBUTIONS = {"normal": 1, "uniform": 2, "zeros": 0, "ones": 0}


def check_genome(tree: syntax.Genome, params: Mapping[str, ParamValue], report: Report) -> Genome | None:
    """The genome for given parameter values (the others at their defaults), or None after reporting errors."""
    before = len(report.errors)
    genome = _GenomeChecker(tree, params, report).check()
    return genome if len(report.errors) == before else None


def parameters(
    declared: tuple[syntax.Param, ...], given: Mapping[str, ParamValue], report: Report
) -> dict[str, ParamValue | None]:
    """Parameter values: the given ones, else the defaults, which may use the parameters before them."""
    values: dict[str, ParamValue | None] = {}
    for p in declared:
        if p.name in values:
            report.error("E106", f"the parameter `{p.name}` is declared twice", p.span, help="rename one of them")
            continue
        values[p.name] = given[p.name] if p.name in given else Constants(values, report).evaluate(p.default)
    return values


@dataclass(slots=True)
class _GenomeChecker:
    tree: syntax.Genome
    given: Mapping[str, ParamValue]
    report: Report
    symbols: Symbols = field(default_factory=Symbols)
    numbers: Constants = field(init=False)
    expressions: Expressions = field(init=False)

    def check(self) -> Genome | None:
        self.symbols.damaged = self.tree.damaged
        values = parameters(self.tree.params, self.given, self.report)
        runtime: dict[str, str] = {}
        self.numbers = Constants(values, self.report, runtime)
        self.expressions = Expressions(self.symbols, self.numbers, self.report)
        for p in self.tree.params:
            self._declare(Symbol("param", p.name, p.span, value=values.get(p.name)))
        self._declare_all()
        runtime.update({s.name: s.words for s in self.symbols.of_kind("state", "channel", "meta", "const", "slot")})
        metas = [self._meta(item) for item in self.tree.items if isinstance(item, syntax.Learn)]
        channels = [self._channel(item) for item in self.tree.items if isinstance(item, syntax.Synapse)]
        phases = self._phases()
        readout = self._readout()
        self._unused()
        return self._genome(values, metas, channels, phases, readout)

    def _genome(
        self,
        values: dict[str, ParamValue | None],
        metas: list[MetaVar | None],
        channels: list[ChannelVar | None],
        phases: list[Phase],
        readout: Expr | None,
    ) -> Genome | None:
        if readout is None:
            return None
        return Genome(
            self.tree.name,
            tuple((n, v) for n, v in values.items() if v is not None),
            tuple(self._states()),
            tuple(c for c in channels if c),
            tuple(m for m in metas if m),
            tuple((s.name, str(s.value)) for s in self.symbols.of_kind("slot")),
            tuple(phases),
            readout,
            self.tree.span,
        )

    # ---------------------------------------------------------- declarations

    def _declare_all(self) -> None:
        for item in self.tree.items:
            match item:
                case syntax.State():
                    self._declare(Symbol("state", item.name, item.span, self.numbers.shape(item.dims)))
                case syntax.Synapse():
                    self._declare(Symbol("channel", item.name, item.span, self.numbers.shape(item.dims)))
                case syntax.Learn():
                    shape = self.numbers.shape(item.dims)
                    self._declare(Symbol("meta", item.name, item.span, shape, self._per_projection(item)))
                case syntax.Const():
                    self._const(item)
                case syntax.Fn():
                    self._slot(item)
                case _:
                    pass

    def _declare(self, symbol: Symbol) -> None:
        if symbol.name in RESERVED:
            self.report.error(
                "E213",
                f"`{symbol.name}` has a meaning of its own and cannot be declared as {symbol.words}",
                symbol.span,
                help="choose another name",
            )
        elif earlier := self.symbols.named(symbol.name):
            self.report.error(
                "E106",
                f"`{symbol.name}` is declared twice",
                symbol.span,
                notes=[f"it is {earlier.words} on line {earlier.span.line}"],
                help="rename one of them",
            )
        else:
            self.symbols.table[symbol.name] = symbol

    def _per_projection(self, item: syntax.Learn) -> bool:
        if item.per not in (None, "projection"):
            self.report.error(
                "E207",
                f"no scope `per {item.per}`",
                item.span,
                help="write `per projection`, or nothing for one value shared by all",
            )
        return item.per == "projection"

    def _const(self, item: syntax.Const) -> None:
        found = self.numbers.nested(item.value)
        declared = self.numbers.shape(item.dims)
        if found is None or declared is None:
            self._declare(Symbol("const", item.name, item.span, None))
            return
        value, shape = found
        if item.dims and shape not in ((), declared):
            self.report.error(
                "E203",
                f"`{item.name}` is declared {show(declared)}, but its value is {show(shape)}",
                item.value.span,
                help=f"drop the `[..]` after `{item.name}`",
            )
            self._declare(Symbol("const", item.name, item.span, None))
            return
        if item.dims and not shape:
            value, shape = _fill(value, declared), declared
        constant = Literal(value, shape=shape, over=Over.NOTHING, span=item.span)
        self._declare(Symbol("const", item.name, item.span, shape, value=constant))

    def _slot(self, item: syntax.Fn) -> None:
        given = self.numbers.values.get(item.function, item.function)
        if given is not None and given not in functions.UNARY:
            near = did_you_mean(str(given), functions.UNARY)
            self.report.error(
                "E202",
                f"`{given}` is no function that a slot can hold",
                item.span,
                help=f"did you mean `{near}`?" if near else "one of " + ", ".join(functions.UNARY),
            )
            given = "linear"
        if parameter := self.symbols.named(item.function, "param"):
            parameter.used = True
        self._declare(Symbol("slot", item.name, item.span, value=given))

    def _states(self) -> list[StateVar]:
        marked = {item.name: item.persistent for item in self.tree.items if isinstance(item, syntax.State)}
        return [
            StateVar(name=s.name, shape=s.shape or (), span=s.span, persistent=marked.get(s.name, False))
            for s in self.symbols.of_kind("state")
        ]

    # ---------------------------------------------------------- start values

    def _meta(self, item: syntax.Learn) -> MetaVar | None:
        symbol = self.symbols.named(item.name, "meta")
        if symbol is None or symbol.span is not item.span or symbol.shape is None:
            return None
        init = self._meta_init(item, symbol.shape)
        if init is None:
            return None
        return MetaVar(name=item.name, shape=symbol.shape, span=item.span, init=init, per_projection=symbol.per_projection)

    def _meta_init(self, item: syntax.Learn, shape: Shape) -> Init | None:
        if item.init is None:
            self._no_start(item.name, "learn", "~ normal(1)` or `= 0.0", item.span)
            return None
        if isinstance(item.init, syntax.Distribution):
            spec = self._distribution(item.init)
            if spec is None:
                return None
            args = [self.numbers.number(a) for a in item.init.args]
            known = [literal(a, item.init.span) for a in args if a is not None]
            return _init(spec, tuple(known), item.init.span) if len(known) == len(args) else None
        found = self.numbers.nested(item.init)
        if found is None or not self._fits(item.name, found[1], shape, item.init.span):
            return None
        return Init("value", (Literal(found[0], shape=found[1], over=Over.NOTHING, span=item.init.span),))

    def _channel(self, item: syntax.Synapse) -> ChannelVar | None:
        symbol = self.symbols.named(item.name, "channel")
        if symbol is None or symbol.span is not item.span or symbol.shape is None:
            return None
        init = self._channel_init(item, symbol.shape)
        return init and ChannelVar(name=item.name, shape=symbol.shape, span=item.span, init=init)

    def _channel_init(self, item: syntax.Synapse, shape: Shape) -> Init | None:
        place = Place("init")
        if item.init is None:
            self._no_start(item.name, "synapse", "~ normal(1 / sqrt(fan_in))` or `~ zeros", item.span)
            return None
        if isinstance(item.init, syntax.Distribution):
            spec = self._distribution(item.init)
            if spec is None:
                return None
            args = [self.expressions.check(a, place, {}) for a in item.init.args]
            known = [a for a in args if a is not None and self._number(a)]
            return _init(spec, tuple(known), item.init.span) if len(known) == len(args) else None
        if isinstance(item.init, syntax.Name) and (other := self.symbols.named(item.init.name, "channel")):
            return self._copy(item, item.init, other, shape)
        value = self.expressions.check(item.init, place, {})
        if value is None or not self._fits(item.name, value.shape, shape, item.init.span):
            return None
        return Init("value", (value,))

    def _number(self, e: Expr) -> bool:
        if e.shape:
            self.report.error("E203", f"a distribution's argument is a number, but this is {show(e.shape)}", e.span)
        return not e.shape

    def _copy(self, item: syntax.Synapse, init: syntax.Name, other: Symbol, shape: Shape) -> Init | None:
        other.used = True
        names = [i.name for i in self.tree.items if isinstance(i, syntax.Synapse)]
        if names.index(other.name) >= names.index(item.name):
            self.report.error(
                "E208",
                f"`{item.name}` starts as `{other.name}`, which is declared after it"
                if other.name != item.name
                else f"`{item.name}` cannot start as itself",
                init.span,
                help=f"declare `{other.name}` first" if other.name != item.name else "write `~ normal(1 / sqrt(fan_in))`",
            )
            return None
        if other.shape is None or not self._fits(item.name, other.shape, shape, init.span, exact=True):
            return None
        return Init("copy", (), other.name)

    def _distribution(self, init: syntax.Distribution) -> str | None:
        expected = DISTRIBUTIONS.get(init.name)
        if expected is None:
            near = did_you_mean(init.name, DISTRIBUTIONS)
            self.report.error(
                "E208",
                f"unknown distribution `{init.name}`",
                init.span,
                help=f"did you mean `{near}`?" if near else "one of normal(std), uniform(low, high), zeros, ones; "
                f"a value is written `= {init.name}`",
            )
            return None
        if len(init.args) != expected:
            self.report.error(
                "E204", f"`{init.name}` takes {expected} argument{'s' * (expected != 1)}, found {len(init.args)}", init.span
            )
            return None
        return init.name

    def _no_start(self, name: str, keyword: str, example: str, span: Span) -> None:
        self.report.error(
            "E208", f"`{name}` has no start value", span, help=f"write `{keyword} {span.text} {example}`"
        )

    def _fits(self, name: str, found: Shape, declared: Shape, span: Span, exact: bool = False) -> bool:
        if found == declared or (not found and not exact):
            return True
        dims = f"[{', '.join(map(str, found))}]" if found else ""
        self.report.error(
            "E203",
            f"`{name}` is {show(declared)}, but this start value is {show(found)}",
            span,
            help=f"declare `{name}{dims}`",
        )
        return False

    # ---------------------------------------------------------------- phases

    def _phases(self) -> list[Phase]:
        count: Counter[str] = Counter()
        phases: list[Phase] = []
        for item in self.tree.items:
            if isinstance(item, syntax.Phase):
                count[item.kind] += 1
                name = item.kind if count[item.kind] == 1 else f"{item.kind}#{count[item.kind]}"
                phases.append(Phase(item.kind, name, tuple(self._statements(item)), item.span))
        return phases

    def _statements(self, phase: syntax.Phase) -> list[Statement]:
        lets: Lets = {}
        used: set[str] = set()
        statements: list[Statement] = []
        written_out: dict[str, Expr] = {}
        for s in phase.statements:
            value = self.expressions.check(s.value, Place(phase.kind), lets)
            used |= _let_names(value)
            if value is not None:
                value = self._separable(value, written_out)
            if isinstance(s, syntax.Let):
                self._let(s, lets, value)
                if value is not None:
                    written_out[s.name] = write_out(value, written_out)
                    statements.append(LetStatement(s.name, value, s.span))
            elif assign := self._assign(s, phase.kind, value):
                statements.append(assign)
        self._unused_lets(phase, used)
        return statements

    def _let(self, s: syntax.Let, lets: Lets, value: Expr | None) -> None:
        if s.name in RESERVED:
            self.report.error("E213", f"`{s.name}` has a meaning of its own", s.span, help="choose another name")
        elif s.name in lets or self.symbols.named(s.name):
            earlier = self.symbols.named(s.name)
            self.report.error(
                "E106",
                f"`{s.name}` is declared twice",
                s.span,
                notes=[f"it is {earlier.words} on line {earlier.span.line}"] if earlier else [],
                help=f"choose another name" + (f", or assign: `{s.name} <- ..`" if earlier and earlier.kind == "state" else ""),
            )
        lets[s.name] = value

    def _unused_lets(self, phase: syntax.Phase, used: set[str]) -> None:
        for s in phase.statements:
            if isinstance(s, syntax.Let) and s.name not in used and not self.tree.damaged:
                self.report.warn("W501", f"`{s.name}` is never used", s.span, help="remove it")

    def _assign(self, s: syntax.Assign, kind: str, value: Expr | None) -> Assign | None:
        symbol = self._target(s, kind)
        if symbol is None or symbol.shape is None:
            return None
        part = self.expressions.items(s.items, symbol.shape, s.name_span, s.span)
        if part is None or value is None:
            return None
        items, shape = part
        if value.shape not in ((), shape):
            self._wrong_shape(s, symbol, shape, value)
            return None
        if kind == "update" and Over.EXAMPLE in value.over:
            self.report.error(
                "E305",
                f"`{s.name}` is shared by the whole batch, but this value differs from example to example",
                s.value.span,
                help=f"bring it together over the batch, as in `{s.name} <- {s.name} + batch_mean(pre.x * post.y)`",
            )
            return None
        return Assign(s.name, items, value, s.span)

    def _wrong_shape(self, s: syntax.Assign, symbol: Symbol, shape: Shape, value: Expr) -> None:
        self.report.error(
            "E203",
            f"cannot assign a value {show(value.shape)} to `{s.name}`, which is {show(shape)}",
            s.span,
            notes=[f"`{s.name}` is declared on line {symbol.span.line}"],
            help=f"pick a part, as in `{s.name} <- ({s.value.span.text})[0]`" if not shape else
            f"give both one shape, or assign to a part: `{s.name}[0] <- ..`",
        )

    def _target(self, s: syntax.Assign, kind: str) -> Symbol | None:
        wanted = "channel" if kind == "update" else "state"
        symbol = self.symbols.named(s.name)
        if symbol and symbol.kind == wanted:
            return symbol
        names = [x.name for x in self.symbols.of_kind(wanted)]
        if symbol is None:
            if not self.symbols.damaged:
                near = did_you_mean(s.name, names)
                self.report.error(
                    "E201",
                    f"unknown name `{s.name}`",
                    s.name_span,
                    help=f"did you mean `{near}`?" if near else f"declare it: `{'synapse' if wanted == 'channel' else 'state'} {s.name}`"
                    + (" ~ zeros" if wanted == "channel" else "")
                    + f", or name a value with `let {s.name} = ..`",
                )
            return None
        symbol.used = True
        self.report.error(
            "E209",
            f"`{kind}` assigns to {'synapse channels' if wanted == 'channel' else 'neuron states'}, but `{s.name}` is "
            f"{symbol.words}",
            s.name_span,
            help=f"name a value with `let`, or assign to one of: {', '.join(names)}" if names else None,
        )
        return None

    # ---------------------------------------------------------- separability

    def _separable(self, value: Expr, lets: dict[str, Expr]) -> Expr | None:
        return value if all([self._separates(e, lets) for e in walk(value)]) else None

    def _separates(self, e: Expr, lets: dict[str, Expr]) -> bool:
        if not isinstance(e, Total | Reduce):
            return True
        found = separate(write_out(e, lets))
        if isinstance(found, Inseparable):
            self._inseparable(e, found.node)
            return False
        return True

    def _inseparable(self, whole: Total | Reduce, node: Expr) -> None:
        kind = whole.direction if isinstance(whole, Total) else whole.kind
        parts = _mixture(node, isinstance(whole, Total))
        self.report.error(
            "E306",
            f"`{node.span.text}` mixes {parts}, and {kind}(..) cannot take it apart",
            node.span,
            notes=[
                "sums over synapses become matrix products of a synapse factor, a presynaptic factor and a postsynaptic "
                "factor; a non-linear function of a mixture would need a value for every example and synapse"
            ],
            help="apply the function to one of them alone, or to the finished sum: "
            + ("`phi(incoming(w * pre.x))`" if isinstance(whole, Total) else "`phi(batch_mean(pre.x * post.y))`"),
        )

    # --------------------------------------------------------------- readout

    def _readout(self) -> Expr | None:
        found = [item for item in self.tree.items if isinstance(item, syntax.Readout)]
        for extra in found[1:]:
            self.report.error("E106", "a second `readout`", extra.span, help="keep one")
        if not found:
            if not self.tree.damaged:
                self.report.error(
                    "E212",
                    f"the genome `{self.tree.name}` has no readout: it never says what a prediction is",
                    self.tree.name_span,
                    help="add `readout x`, x being a state or an expression of the output populations",
                )
            return None
        value = self.expressions.check(found[0].value, Place("readout"), {})
        if value is not None and value.shape:
            self.report.error(
                "E203",
                f"a prediction is one number a neuron, but this is {show(value.shape)}",
                found[0].value.span,
                help=f"pick a part: `readout {found[0].value.span.text}[0]`",
            )
            return None
        return self._separable(value, {}) if value is not None else None

    # ------------------------------------------------------------ never used

    def _unused(self) -> None:
        if self.tree.damaged:
            return
        for symbol in self.symbols.table.values():
            if not symbol.used and symbol.kind != "param":
                self.report.warn("W501", f"`{symbol.name}` is never used", symbol.span, help="remove it")


def _let_names(e: Expr | None) -> set[str]:
    return {x.name for x in walk(e) if isinstance(x, Let)} if e is not None else set()


def _fill(value: object, shape: Shape) -> tuple[object, ...] | object:
    return tuple(_fill(value, shape[1:]) for _ in range(shape[0])) if shape else value


def _init(name: str, args: tuple[Expr, ...], span: Span) -> Init:
    match name:
        case "normal":
            return Init("normal", args)
        case "uniform":
            return Init("uniform", args)
        case _:
            return Init("value", (literal(1.0 if name == "ones" else 0.0, span),))


def _mixture(node: Expr, in_total: bool) -> str:
    """Names the factors that a node mixes: "`w` (synapse) with `pre.a` (presynaptic neuron)"."""
    groups = {Over.SYNAPSE: "synapse", Over.PRE: "presynaptic neuron", Over.POST: "postsynaptic neuron"}
    leaves = [x for x in walk(node) if not children(x) or isinstance(x, Total)]
    named: dict[str, str] = {}
    for flag, words in groups.items():
        leaf = next((x for x in leaves if flag in x.over and not (isinstance(x, Let))), None)
        if leaf is not None:
            named[words] = leaf.span.text
    if len(named) < 2:
        return "synapse, presynaptic and postsynaptic values"
    return " with ".join(f"`{text}` ({words})" for words, text in named.items())
