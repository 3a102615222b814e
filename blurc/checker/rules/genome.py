"""Genomes: declarations, phases, the readout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from blurc.checker import mentions
from blurc.checker.constants import Constants
from blurc.checker.parameters import NEW_NAME, RESERVED, parameters, reserved
from blurc.checker.rules import unused
from blurc.checker.rules.expressions import Expressions
from blurc.checker.rules.foreign import name_help, slot_help
from blurc.checker.rules.names import WORDS, Lets, Place, Symbol, Symbols
from blurc.checker.rules.separable import separable
from blurc.checker.rules.starts import Starts
from blurc.checker.wording import code, edited, listed, show
from blurc.diagnostics import Report, did_you_mean
from blurc.language import functions, syntax
from blurc.model import (
    Apply,
    Assign,
    Channel,
    ChannelVar,
    Expr,
    Genome,
    LetStatement,
    Literal,
    Meta,
    MetaVar,
    Modulator,
    ModulatorVar,
    Nested,
    Over,
    ParamValue,
    Per,
    Phase,
    Reduce,
    Shape,
    State,
    Statement,
    StateVar,
    dims,
    walk,
    write_out,
)

SUMS = ("add", "sub")  # looser than a product
MOST_PHASES = 1000  # of a genome, repeats written out: each is compiled by itself
PER: dict[str, Per] = {
    "projection": "projection",
    "population": "population",
    "neuron": "neuron",
    "synapse": "synapse",
}


def check_genome(tree: syntax.Genome, params: Mapping[str, ParamValue], report: Report) -> Genome | None:
    """The genome for given parameter values (the others at their defaults), or None after reporting
    errors."""
    before = len(report.errors)
    checker = _GenomeChecker(tree, params, report)
    genome = checker.check()
    if len(report.errors) > before:
        return None
    unused.warn(
        tree, checker.symbols, report
    )  # in a genome with errors, what looks unused may be what was meant elsewhere
    return genome


@dataclass(slots=True)
class _GenomeChecker:
    tree: syntax.Genome
    given: Mapping[str, ParamValue]
    report: Report
    symbols: Symbols = field(default_factory=Symbols)
    values: dict[str, ParamValue | None] = field(default_factory=dict[str, "ParamValue | None"])
    numbers: Constants = field(init=False)
    expressions: Expressions = field(init=False)

    def check(self) -> Genome | None:
        self.symbols.damaged = self.tree.damaged
        params = parameters(self.tree.params, self.given, self.report)
        self.values.update(params)
        self.numbers = Constants(self.values, self.report, self._known_at_run_time(), self.tree.damaged)
        self.expressions = Expressions(self.symbols, self.numbers, self.report)
        for p in self.tree.params:
            self.symbols.table.setdefault(p.name, Symbol("param", p.name, p.span, value=params.get(p.name)))
        for item in self.tree.items:
            self._declare_item(item)
        starts = Starts(self.tree, self.symbols, self.expressions)
        metas, channels = starts.metas(), starts.channels()
        phases = self._phases()
        readout = self._readout()
        self.symbols.report_unknown(self.report)
        return readout and self._genome(params, metas, channels, phases, readout)

    def _genome(
        self,
        params: dict[str, ParamValue | None],
        metas: list[MetaVar],
        channels: list[ChannelVar],
        phases: list[Phase],
        readout: Expr,
    ) -> Genome:
        return Genome(
            self.tree.name,
            tuple((n, v) for n, v in params.items() if v is not None),
            tuple(self._states()),
            tuple(channels),
            tuple(metas),
            tuple((s.name, str(s.value)) for s in self.symbols.of_kind("slot")),
            tuple(phases),
            readout,
            self.tree.span,
            tuple(
                ModulatorVar(name=s.name, shape=s.shape or (), span=s.span)
                for s in self.symbols.of_kind("signal")
            ),
        )

    # ---------------------------------------------------------- declarations

    def _known_at_run_time(self) -> dict[str, str]:
        """Names that are no compile-time numbers, and what they are."""
        found = {name: f"`{name}`, known only in equations" for name in ("input", "target")}
        found |= dict.fromkeys(("fan_in", "fan_out"), "a size of a projection, which only synapses know")
        for item in self.tree.items:
            match item:
                case syntax.State():
                    found[item.name] = WORDS["state"]
                case syntax.Signal():
                    found[item.name] = WORDS["signal"]
                case syntax.Synapse():
                    found[item.name] = WORDS["channel"]
                case syntax.Learn():
                    found[item.name] = WORDS["meta"]
                case syntax.Fn():
                    found[item.name] = WORDS["slot"]
                case syntax.Const():
                    found[item.name] = "a constant that is declared further down, or is no number"
                case _:
                    pass
        for phase in mentions.phases(self.tree):
            lets = [s.name for s in phase.statements if isinstance(s, syntax.Let)]
            found |= {name: "a value named by `let`" for name in lets if name not in found}
        return found

    def _declare_item(self, item: syntax.GenomeItem) -> None:
        match item:
            case syntax.State():
                self._declare(Symbol("state", item.name, item.span, self.numbers.shape(item.dims)))
            case syntax.Signal():
                self._declare(Symbol("signal", item.name, item.span, self.numbers.shape(item.dims)))
            case syntax.Synapse():
                self._declare(Symbol("channel", item.name, item.span, self.numbers.shape(item.dims)))
            case syntax.Learn():
                shape = self.numbers.shape(item.dims)
                self._declare(Symbol("meta", item.name, item.span, shape, self._per(item)))
            case syntax.Const():
                self._declare(self._const(item))
            case syntax.Fn():
                self._declare(Symbol("slot", item.name, item.span, value=self._slot_function(item)))
            case _:
                pass

    def _declare(self, symbol: Symbol) -> None:
        earlier = self.symbols.named(symbol.name)
        if symbol.name in RESERVED:
            reserved(symbol.name, symbol.words, symbol.span, self.report)
        elif earlier is None:
            self.symbols.table[symbol.name] = symbol
        else:
            self.report.error(
                "E106",
                f"`{symbol.name}` is declared twice",
                symbol.span,
                notes=[f"it is {earlier.words} on line {earlier.span.line}"],
                help="rename one of them",
            )
            if earlier.kind != symbol.kind:
                earlier.kind = "ambiguous"

    def _per(self, item: syntax.Learn) -> Per | None:
        if item.per is None:
            return "network"
        known = PER.get(item.per)
        if known is None:
            near = did_you_mean(item.per, PER)
            several = ", ".join(f"`per {per}`" for per in PER)
            self.report.error(
                "E207",
                f"no scope `per {item.per}`",
                item.span,
                notes=[f"there are {several}, and without a word one value shared by all"],
                help=f"did you mean `per {near}`?" if near else "write one of them, or nothing",
            )
        return known

    def _const(self, item: syntax.Const) -> Symbol:
        found = self.numbers.nested(item.value)
        declared = self.numbers.shape(item.dims)
        if found is None or declared is None:
            self.values.setdefault(item.name, None)
            return Symbol("const", item.name, item.span, None)
        value, shape = found
        if item.dims and shape not in ((), declared):
            self.report.error(
                "E203",
                f"`{item.name}` is declared {dims(declared)}, but its value is {show(shape)}",
                item.value.span,
                help=f"drop the `{dims(declared)}` after `{item.name}`",
            )
            return Symbol("const", item.name, item.span, None)
        if not shape and not item.dims and isinstance(value, float):
            self.values.setdefault(item.name, value)
        if item.dims and not shape:
            value, shape = _fill(value, declared), declared
        constant = Literal(value, shape=shape, over=Over.NOTHING, span=item.span)
        return Symbol("const", item.name, item.span, shape, value=constant)

    def _slot_function(self, item: syntax.Fn) -> str:
        given = self.values.get(item.function, item.function)
        if isinstance(given, str) and given in functions.UNARY:
            return given
        near = did_you_mean(item.function, functions.UNARY)
        perhaps_a_parameter = self.tree.damaged and item.function not in self.values and not near
        if given is not None and not perhaps_a_parameter:
            self.report.error(
                "E202",
                f"a slot holds a function of one number, found `{item.function}`",
                item.span,
                notes=[] if given == item.function else [f"`{item.function}` is {given}"],
                help=slot_help(item.name, item.function),
            )
        return "linear"

    def _states(self) -> list[StateVar]:
        marked = {item.name: item.persistent for item in self.tree.items if isinstance(item, syntax.State)}
        return [
            StateVar(name=s.name, shape=s.shape or (), span=s.span, persistent=marked.get(s.name, False))
            for s in self.symbols.of_kind("state")
        ]

    # ---------------------------------------------------------------- phases

    def _phases(self) -> list[Phase]:
        count: Counter[str] = Counter()
        phases: list[Phase] = []
        for item in self.tree.items:
            if isinstance(item, syntax.Phase):
                phases.append(self._phase(item, count))
            elif isinstance(item, syntax.Repeat):
                rounds = self._rounds(item, len(phases))
                once = [self._phase(phase, count) for phase in item.phases]
                for i in range(1, rounds + 1):
                    phases += [replace(phase, name=f"{phase.name}@{i}") for phase in once]
        return phases

    def _phase(self, tree: syntax.Phase, count: Counter[str]) -> Phase:
        count[tree.kind] += 1
        name = tree.kind if count[tree.kind] == 1 else f"{tree.kind}#{count[tree.kind]}"
        return Phase(tree.kind, name, tuple(self._statements(tree)), tree.span)

    def _rounds(self, item: syntax.Repeat, before: int) -> int:
        """How often the phases of a repeat run; 0 where that is wrong. `before`: phases so far."""
        rounds = self.numbers.whole(item.count, "the number of rounds", 0)
        if not item.phases and not self.tree.damaged:
            self.report.error(
                "E217",
                "this `repeat` holds no phase: there is nothing to repeat",
                item.span,
                help="write phases into it, `repeat 20 { forward { .. } backward { .. } }`, or remove it",
            )
        total = before + (rounds or 0) * len(item.phases)
        if rounds is None or total <= MOST_PHASES:
            return rounds or 0
        self.report.error(
            "E216",
            f"this `repeat` brings the genome to {total:,} phases; there are at most {MOST_PHASES:,}",
            item.count.span,
            notes=["every round is compiled by itself"],
            help=f"at most {(MOST_PHASES - before) // len(item.phases)} rounds fit; more of them can be several "
            "steps, with `persistent` states",
        )
        return 0

    def _statements(self, phase: syntax.Phase) -> list[Statement]:
        lets: Lets = {}
        statements: list[Statement] = []
        written_out: dict[str, Expr] = {}
        for s in map(self._as_meant, phase.statements):
            value = self.expressions.check(s.value, Place(phase.kind), lets)
            if value is not None and not separable(value, written_out, self.report):
                value = None
            if isinstance(s, syntax.Let):
                self._let(s, lets, value)
                if value is not None:
                    written_out[s.name] = write_out(value, written_out)
                    statements.append(LetStatement(s.name, value, s.span))
            elif assign := self._assign(s, phase, lets, value):
                statements.append(assign)
        return statements

    def _as_meant(self, s: syntax.Statement) -> syntax.Statement:
        """`z = ..`, which the parser has reported and taken for `z <- ..`, is a `let` where there is no `z`."""
        known = s.name in self.symbols.table or s.name in RESERVED
        reported = (d.span for d in self.report.errors if d.code == "E101" and d.span)
        if known or isinstance(s, syntax.Let) or s.items or not any(s.span.contains(at) for at in reported):
            return s
        return syntax.Let(s.name, s.value, span=s.span)

    def _let(self, s: syntax.Let, lets: Lets, value: Expr | None) -> None:
        earlier = self.symbols.named(s.name)
        if s.name in RESERVED:
            reserved(s.name, "a value", s.span, self.report)
        elif s.name in lets or earlier:
            help = (
                f"{NEW_NAME}, or assign: `{s.name} <- ..`"
                if earlier and earlier.kind == "state"
                else NEW_NAME
            )
            notes = [f"it is {earlier.words} on line {earlier.span.line}"] if earlier else []
            self.report.error("E106", f"`{s.name}` is declared twice", s.span, notes=notes, help=help)
        lets[s.name] = value

    def _assign(self, s: syntax.Assign, phase: syntax.Phase, lets: Lets, value: Expr | None) -> Assign | None:
        symbol = self._target(s, phase.kind, lets)
        if symbol is None or symbol.shape is None:
            return None
        part = self.expressions.shapes.part(symbol.shape, s.items, s.name)
        if part is None or value is None:
            return None
        items, shape = part
        if value.shape not in ((), shape):
            self._wrong_shape(s, shape, value)
            return None
        if phase.kind == "update" and Over.EXAMPLE in value.over:
            self._varies(s, value)
            return None
        return Assign(s.name, items, value, s.span)

    def _wrong_shape(self, s: syntax.Assign, shape: Shape, value: Expr) -> None:
        part = f"that part of `{s.name}`" if s.items else f"`{s.name}`"
        named = [x.name for x in walk(value) if x.shape and isinstance(x, State | Channel | Meta | Modulator)]
        self.report.error(
            "E203",
            f"cannot assign {show(value.shape)} to {part}, which is {show(shape)}",
            s.value.span,
            notes=[", ".join(self.symbols.table[name].declared for name in dict.fromkeys([s.name, *named]))],
            help=f"pick a part of the value with `[0]`, or declare `{s.name}{dims(value.shape)}`"
            if not shape
            else f"give both one shape, or assign to a part: `{s.name}[0] <- ..`",
        )

    def _varies(self, s: syntax.Assign, value: Expr) -> None:
        """A value that differs from example to example, on its way into a synapse."""
        term = _varying_term(value)
        whole = _reduced_once(term)
        self.report.error(
            "E305",
            f"`{s.name}` is shared by the whole batch, but this value differs from example to example",
            term.span,
            help=f"bring it together over the batch, all at once: `{whole}`"
            if whole
            else f"bring it together over the batch: `batch_mean({code(term.span)})`",
        )

    def _target(self, s: syntax.Assign, kind: syntax.PhaseKind, lets: Lets) -> Symbol | None:
        symbol = self.symbols.named(s.name)
        wanted = "channel" if kind == "update" else "state"
        if symbol is None and s.name not in lets and s.name not in RESERVED:
            self._unknown_target(s, wanted, Place(kind))
        elif symbol is None or symbol.kind not in (wanted, "ambiguous"):
            self._wrong_target(
                s, kind, symbol, "a value named by `let`" if s.name in lets else "a name of the language"
            )
        return symbol if symbol and symbol.kind == wanted else None

    def _unknown_target(self, s: syntax.Assign, wanted: str, place: Place) -> None:
        if self.symbols.damaged:
            return
        near = did_you_mean(
            s.name, [x.name for x in self.symbols.of_kind("state" if wanted == "state" else "channel")]
        )
        declare = f"state {s.name}" if wanted == "state" else f"synapse {s.name} ~ zeros"
        self.symbols.unknown_name(
            s.name,
            f"unknown name `{s.name}`",
            s.name_span,
            help=f"did you mean `{near}`?"
            if near
            else (place.synapse and name_help(s.name, place))
            or f"declare it, `{declare}`, or name a value: `let {s.name} = ..`",
        )

    def _wrong_target(self, s: syntax.Assign, kind: str, symbol: Symbol | None, otherwise: str) -> None:
        wanted = "channel" if kind == "update" else "state"
        known = [x.name for x in self.symbols.of_kind(wanted)]
        notes = {
            "state": ["a synapse cannot change a neuron; a phase of the neuron, before or after, can"],
            "channel": ["a neuron cannot change its synapses; `update` can"],
            "signal": ["signals come from outside, fed at every step"],
            "meta": ["meta-parameters stand still while a network learns; meta-learning changes them"],
        }
        self.report.error(
            "E209",
            f"`{kind}` assigns to {'synapse channels' if wanted == 'channel' else 'neuron states'}, but "
            f"`{s.name}` is {symbol.words if symbol else otherwise}",
            s.name_span,
            notes=notes.get(symbol.kind, []) if symbol else [],
            help=f"name a value with `let`, or assign to one of: {listed(known)}"
            if known
            else "name a value with `let`",
        )

    # --------------------------------------------------------------- readout

    def _readout(self) -> Expr | None:
        found = [item for item in self.tree.items if isinstance(item, syntax.Readout)]
        for extra in found[1:]:
            self.report.error("E106", "a second `readout`", extra.span, help="keep one")
        if not found:
            self._no_readout()
            return None
        value = self.expressions.check(found[0].value, Place("readout"), {})
        if value is not None and value.shape:
            self.report.error(
                "E203",
                f"a prediction is one number a neuron, but this is {show(value.shape)}",
                found[0].value.span,
                help=f"pick a part: `readout {code(found[0].value.span)}[0]`",
            )
            return None
        return value if value is not None and separable(value, {}, self.report) else None

    def _no_readout(self) -> None:
        if not self.tree.damaged:
            self.report.error(
                "E212",
                f"the genome `{self.tree.name}` has no readout: it never says what a prediction is",
                self.tree.name_span,
                help="add `readout x`, x being a state or an expression of the output populations",
            )


def _varying_term(e: Expr) -> Expr:
    """The smallest term of a sum that varies over the batch all by itself."""
    if isinstance(e, Apply) and e.function in ("add", "sub", "neg"):
        varying = [a for a in e.args if Over.EXAMPLE in a.over]
        if len(varying) == 1:
            return _varying_term(varying[0])
    return e


def _reduced_once(e: Expr) -> str | None:
    """A product of which some factors are brought together over the batch already, with one reducer around it all."""
    factors = list(_factors(e))
    reduced = [f for f in factors if isinstance(f, Reduce)]
    if not reduced or any(isinstance(x, Reduce) for f in factors if f not in reduced for x in walk(f)):
        return None
    within = {
        f.span: f"({t})" if isinstance(f.body, Apply) and f.body.function in SUMS else t
        for f in reduced
        if (t := code(f.body.span))
    }
    return f"{reduced[0].kind}({edited(e.span, within)})"


def _factors(e: Expr) -> Iterator[Expr]:
    if isinstance(e, Apply) and e.function in ("mul", "neg"):
        for arg in e.args:
            yield from _factors(arg)
    else:
        yield e


def _fill(value: Nested, shape: Shape) -> Nested:
    return tuple(_fill(value, shape[1:]) for _ in range(shape[0])) if shape else value
