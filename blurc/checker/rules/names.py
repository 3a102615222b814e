"""What an expression may see: the names that a genome declares, and where the expression is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal as Lit

from blurc.checker.wording import dims
from blurc.diagnostics import Diagnostic, Report, Span, in_order
from blurc.language import PhaseKind, functions
from blurc.model import Direction, Expr, Literal, ParamValue, Per, Shape

Kind = Lit["state", "channel", "meta", "signal", "const", "param", "slot", "function", "ambiguous"]

UNKNOWN_AT_START: tuple[Kind, ...] = ("state", "channel", "signal", "slot")
UNKNOWN_IN_FUNCTIONS: tuple[Kind, ...] = ("state", "channel", "slot")
OF_NEURON = ("population", "neuron")  # meta-parameters that belong to a neuron: `pre.m`
OF_SYNAPSE = ("projection", "synapse")  # meta-parameters that only synapses know
OWNER: dict[str, str] = {"incoming": "post", "outgoing": "pre"}  # the owner of the total, in `update`
NEURON_NAMES = {"pre": "the presynaptic neuron", "post": "the postsynaptic neuron"}

# How a kind is called in messages.
WORDS: dict[Kind, str] = {
    "state": "a neuron state",
    "channel": "a synapse channel",
    "meta": "a meta-parameter",
    "signal": "a signal",
    "const": "a constant",
    "param": "a parameter",
    "slot": "a function slot",
    "function": "a function",
    "ambiguous": "declared twice",
}


@dataclass(slots=True)
class Symbol:
    """One declared name. If the declaration is wrong, `shape` is None, and if there are two of different kinds, `kind`
    is "ambiguous": uses then stay silent."""

    kind: Kind
    name: str
    span: Span
    shape: Shape | None = ()
    per: Per | None = "network"  # of a meta-parameter or constant; None: an unknown word, and uses stay silent
    value: Literal | ParamValue | None = None  # of a const, param or slot
    per_example: bool = False  # of a signal or channel

    @property
    def words(self) -> str:
        return WORDS[self.kind]

    def declared(self, at: Span) -> str:
        """How it is declared, for a message at `at`."""
        how = dims(self.shape) if self.shape else "as a number"
        return f"{self.name} is declared {how} on {self.span.line_from(at)}"

    @property
    def of_neuron(self) -> bool:
        """Whether it is a neuron's value, so that `pre.x` makes sense."""
        return self.kind == "state" or (self.kind in ("meta", "const") and self.per in OF_NEURON)

    @property
    def of_synapse(self) -> bool:
        return self.kind == "channel" or (self.kind in ("meta", "const") and self.per in OF_SYNAPSE)

    def seen(self, place: Place) -> str | None:
        """How to write it at a place; None if it is not visible there."""
        start = place.phase == "init"
        if self.kind == "ambiguous" or (start and (self.kind in UNKNOWN_AT_START or self.per == "synapse")):
            return None
        if place.phase == "function":
            return None if self.kind in UNKNOWN_IN_FUNCTIONS else self._shown
        if self.of_neuron and place.synapse:
            return " or ".join(f"`{end}.{self.name}`" for end in place.ends) or None
        if self.of_synapse and not place.synapse:
            return f"`{self.name}`, inside incoming(..) or outgoing(..)"
        return self._shown

    @property
    def _shown(self) -> str:
        return f"`{self.name}(x)`" if self.kind in ("slot", "function") else f"`{self.name}`"


@dataclass(slots=True)
class Symbols:
    table: dict[str, Symbol] = field(default_factory=dict[str, Symbol])
    lets: dict[str, str] = field(default_factory=dict[str, str])  # names of `let`s, with the kind of their phase
    phases: frozenset[str] = frozenset()  # names of phases
    damaged: bool = False  # declarations may be missing because of syntax errors
    lacks_imports: bool = False  # functions may be
    unknown: dict[str, list[Diagnostic]] = field(default_factory=dict[str, "list[Diagnostic]"])

    def named(self, name: str, *kinds: Kind) -> Symbol | None:
        found = self.table.get(name)
        return found if found and (not kinds or found.kind in kinds) else None

    def of_neuron(self, name: str) -> bool:
        return name in self.table and self.table[name].of_neuron

    def of_synapse(self, name: str) -> bool:
        return name in self.table and self.table[name].of_synapse

    def unknown_name(
        self, name: str, message: str, span: Span, *, notes: Iterable[str] = (), help: str | None = None
    ) -> None:
        """Deferred until the whole genome has been checked: a name is reported once, at its first use."""
        self.unknown.setdefault(name, []).append(Diagnostic("E201", message, span, tuple(notes), help))

    def report_unknown(self, report: Report) -> None:
        for uses in self.unknown.values():
            first, more = in_order(uses)[0], len({d.span for d in uses}) - 1
            times = "once more" if more == 1 else f"{more} more times"
            report.add(replace(first, notes=(*first.notes, f"it occurs in the genome {times}")) if more else first)

    def of_kind(self, *kinds: Kind) -> list[Symbol]:
        return [s for s in self.table.values() if s.kind in kinds]

    def names(self, kind: Kind) -> list[str]:
        return [s.name for s in self.of_kind(kind)]

    def example(self, kind: Kind) -> str:
        """The first name of this kind, for helps."""
        return next(iter(self.names(kind)), "x")


Lets = dict[str, "Expr | None"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression is."""

    phase: PhaseKind | Lit["readout", "init", "function"]
    total: Direction | None = None  # inside `incoming(..)` or `outgoing(..)`
    reduced: bool = False  # inside `batch_mean(..)` or `batch_sum(..)`
    running: bool = False  # inside `outgoing_until(..)`
    lets: Lets = field(default_factory=dict[str, "Expr | None"])  # the values that the phase has named so far
    arguments: Mapping[str, Expr] = field(default_factory=dict[str, Expr])  # of the function whose body this is

    @property
    def synapse(self) -> bool:
        """Whether the scope is one synapse (and not one neuron)."""
        return self.phase in ("update", "init") or self.total is not None

    @property
    def draws(self) -> bool:
        """Whether random numbers are drawn here."""
        return self.phase not in ("init", "readout", "function") and self.total is None

    @property
    def assigns(self) -> Kind:
        """What the statements here assign to."""
        return "channel" if self.phase == "update" else "state"

    @property
    def ends(self) -> tuple[str, ...]:
        """The ends of the synapse whose states may be read here."""
        if self.total:
            return ("pre",) if self.total == "incoming" else ("post",)
        return ("pre", "post") if self.phase == "update" else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the language that have a value here."""
        if self.synapse:
            return functions.FANS if self.phase == "init" else functions.PROJECTION_NUMBERS
        return {"sense": ("input",), "feedback": ("target",)}.get(self.phase, ())

    @property
    def words(self) -> str:
        """As in "cannot be used inside incoming(..)"."""
        if self.total:
            return f"inside {self.total}(..)"
        if self.reduced:
            return "inside a batch reducer"
        names = {"init": "in a start value", "readout": "in the readout", "function": "in a function"}
        return names.get(self.phase, f"in `{self.phase}`")

    def inside(self, total: Direction, running: bool = False) -> Place:
        return replace(self, total=total, running=running)

    def under_reducer(self) -> Place:
        return replace(self, reduced=True)
