"""Genomes: declarations, phases, the readout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from blurc.checker import mentions
from blurc.checker.constants import Constants
from blurc.checker.parameters import NEW_NAME, RESERVED, parameters, reserved
from blurc.checker.rules import unused
from blurc.checker.rules.declarations import Declarations, known_at_run_time
from blurc.checker.rules.expressions import Expressions, check_functions
from blurc.checker.rules.names import Lets, Place, Symbol, Symbols
from blurc.checker.rules.own_functions import OwnFunctions, misfit
from blurc.checker.rules.phases import Phases
from blurc.checker.rules.separable import separable
from blurc.checker.rules.starts import Starts
from blurc.checker.rules.wrong_targets import WrongTarget
from blurc.checker.scope import FunctionScope
from blurc.checker.wording import code, shape_text
from blurc.diagnostics import Report
from blurc.language import syntax
from blurc.model import (
    Assign,
    ConstantVar,
    Expr,
    Genome,
    LetStatement,
    Literal,
    Over,
    ParamValue,
    SignalVar,
    Statement,
    StateVar,
    inline,
)


def check_genome(tree: syntax.Genome, params: Mapping[str, ParamValue], report: Report) -> Genome | None:
    """The genome for given parameter values (the others at their defaults), or None after reporting errors."""
    before = len(report.errors)
    checker = GenomeChecker(tree, params, report)
    genome = checker.check()
    if len(report.errors) > before:
        return None
    unused.warn(tree, checker.symbols, report)  # only now: with errors, what looks unused may be meant elsewhere
    return genome


class GenomeChecker:
    def __init__(self, tree: syntax.Genome, given: Mapping[str, ParamValue], report: Report) -> None:
        self.tree = tree
        self.report = report
        own, runtime = FunctionScope.of_genome(tree), known_at_run_time(tree)
        self.params = parameters(tree.params, given, report, own, runtime)
        self.values = {**self.params}
        lets = {s.name: p.kind for p in mentions.phases(tree) for s in p.statements if isinstance(s, syntax.Let)}
        named = frozenset(p.name for p in mentions.phases(tree) if p.name)
        self.symbols = Symbols(lets=lets, phases=named, damaged=tree.damaged, lacks_imports=tree.lacks_imports)
        self.numbers = Constants(self.values, report, runtime, tree.damaged, own)
        self.expressions = Expressions(self.symbols, self.numbers)
        self.wrong_target = WrongTarget(self.symbols, report)

    def check(self) -> Genome | None:
        for p in self.tree.params:
            self.symbols.table.setdefault(p.name, Symbol("param", p.name, p.span, value=self.params.get(p.name)))
        Declarations(self.tree, self.values, self.numbers, self.symbols, self.report).declare()
        self._functions()
        starts = Starts(self.tree, self.symbols, self.expressions)
        metas, channels = starts.metas(), starts.channels()
        phases = Phases(self.tree, self.numbers, self._statements, self.report).in_order()
        readout = self._readout()
        self.symbols.report_unknown(self.report)
        return readout and Genome(
            self.tree.name,
            tuple((n, v) for n, v in self.params.items() if v is not None),
            tuple(self._states()),
            tuple(channels),
            tuple(metas),
            tuple((s.name, str(s.value)) for s in self.symbols.of_kind("slot")),
            tuple(phases),
            readout,
            self.tree.span,
            tuple(self._signals()),
            tuple(self._constants()),
            tuple(self.expressions.functions.of_slots()),
        )

    def _functions(self) -> None:
        """Their own mistakes, and whether those of slots fit there."""
        outside = check_functions(self.tree.around, Report())  # their mistakes are reported once, not by each genome
        declared = {item.name: item for item in self.tree.items if isinstance(item, syntax.Function)}
        own = self.expressions.functions = OwnFunctions(self.expressions.check, self.report, declared, outside)
        own.define()
        for slot in self.symbols.of_kind("slot"):
            name = str(slot.value)
            found = own.defined(name, slot.span) if own.tree(name) else None
            if found and (why := misfit(found)):
                message = f"a slot holds a function from a number to a number, but {why[0]}"
                self.report.error("E202", message, slot.span, help=why[1])

    def _constants(self) -> Iterator[ConstantVar]:
        for s in self.symbols.of_kind("const"):
            if isinstance(s.value, Literal) and s.per in ("population", "projection"):
                yield ConstantVar(name=s.name, shape=s.value.shape, span=s.span, value=s.value.value, per=s.per)

    def _signals(self) -> Iterator[SignalVar]:
        for s in self.symbols.of_kind("signal"):
            yield SignalVar(name=s.name, shape=s.shape or (), span=s.span, per_example=s.per_example)

    def _states(self) -> Iterator[StateVar]:
        marked = {item.name: item.persistent for item in self.tree.items if isinstance(item, syntax.State)}
        for s in self.symbols.of_kind("state"):
            yield StateVar(name=s.name, shape=s.shape or (), span=s.span, persistent=marked.get(s.name, False))

    # ---------------------------------------------------------------- phases

    def _statements(self, phase: syntax.Phase) -> list[Statement]:
        place = Place(phase.kind)
        statements: list[Statement] = []
        written_out: dict[str, Expr] = {}
        for s in map(self._as_meant, phase.statements):
            value = self.expressions.check(s.value, place)
            if value is not None and not separable(value, written_out, self.report):
                value = None
            if isinstance(s, syntax.Let):
                self._let(s, place.lets, value)
                if value is not None:
                    written_out[s.name] = inline(value, written_out)
                    statements.append(LetStatement(s.name, value, s.span))
            elif assign := self._assign(s, place, value):
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
            help = f"{NEW_NAME}, or assign: `{s.name} <- ..`" if earlier and earlier.kind == "state" else NEW_NAME
            notes = [f"it is {earlier.words} on {earlier.span.line_from(s.span)}"] if earlier else []
            self.report.error("E106", f"`{s.name}` is declared twice", s.span, notes=notes, help=help)
        lets[s.name] = value

    def _assign(self, s: syntax.Assign, place: Place, value: Expr | None) -> Assign | None:
        symbol = self._target(s, place)
        if symbol is None or symbol.shape is None:
            return None
        part = self.expressions.shapes.part(symbol.shape, s.items, s.name)
        if part is None or value is None:
            return None
        items, shape = part
        if value.shape not in ((), shape):
            self.wrong_target.wrong_shape(s, shape, value)
            return None
        if place.phase == "update" and Over.EXAMPLE in value.over and not symbol.per_example:
            self.wrong_target.varies(s, value)
            return None
        return Assign(s.name, items, value, s.span)

    def _target(self, s: syntax.Assign, place: Place) -> Symbol | None:
        symbol = self.symbols.named(s.name)
        if symbol is None and s.name not in place.lets and s.name not in RESERVED:
            self.wrong_target.unknown(s, place)
        elif symbol is None or symbol.kind not in (place.assigns, "ambiguous"):
            self.wrong_target.not_assignable(s, place, symbol)
        return symbol if symbol and symbol.kind == place.assigns else None

    # --------------------------------------------------------------- readout

    def _likely(self) -> str:
        """The state that `forward` sets first."""
        set_in_forward = (
            s.name for phase in mentions.phases(self.tree) if phase.kind == "forward" for s in phase.statements
        )
        states = [item.name for item in self.tree.items if isinstance(item, syntax.State) and not item.dims]
        return next((name for name in (*set_in_forward, *states) if name in states), "x")

    def _readout(self) -> Expr | None:
        found = [item for item in self.tree.items if isinstance(item, syntax.Readout)]
        for extra in found[1:]:
            self.report.error("E106", "a second `readout`", extra.span, help="keep one")
        if not found and not self.tree.damaged:
            message = f"the genome `{self.tree.name}` has no readout: it never says what a prediction is"
            help = f"add `readout {self._likely()}`, or another state or expression of the output populations"
            self.report.error("E212", message, self.tree.name_span, help=help)
        if not found:
            return None
        value = self.expressions.check(found[0].value, Place("readout"))
        if value is not None and value.shape:
            self.report.error(
                "E203",
                f"a prediction is one number a neuron, but this is {shape_text(value.shape)}",
                found[0].value.span,
                help=f"pick a part: `readout {code(found[0].value.span)}[0]`",
            )
            return None
        return value if value is not None and separable(value, {}, self.report) else None
