"""Errors about a name: it is unknown, or it is out of reach where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from blurc.checker.parameters import RESERVED
from blurc.checker.rules.foreign import declarations, name_help
from blurc.checker.rules.names import NEURON_NAMES, OF_SYNAPSE, OWNER, Place, Symbol, Symbols
from blurc.checker.rules.unsummed import with_sum
from blurc.checker.wording import code, listed
from blurc.diagnostics import Report, Span, did_you_mean
from blurc.language import functions, syntax

IN_START = (
    "a start value may use numbers, parameters, constants, `fan_in`, `fan_out` and meta-parameters of the network "
    "or `per projection`"
)


@dataclass(frozen=True, slots=True)
class WrongName:
    symbols: Symbols
    report: Report

    def whose(self, e: syntax.Name, place: Place, what: str) -> None:
        notes = ["the scope here is one synapse, and a synapse has two neurons"]
        help = "write " + " or ".join(f"`{end}.{e.name}`" for end in place.ends)
        if place.total:
            notes = [f"inside {place.total}(..) the scope is one synapse; the other neuron is `{place.ends[0]}`"]
            help += f", or move this neuron's own `{e.name}` out of the sum"
        self.report.error("E302", f"whose `{e.name}`? It is {what}", e.span, notes=notes, help=help)

    def not_yet(self, span: Span, what: str) -> None:
        message = f"{what} has no value yet when synapses are made"
        self.report.error("E208", message, span, help=IN_START)

    def not_in_start(self, span: Span, what: str) -> None:
        message = f"a start value cannot read `{code(span)}`, which is {what}"
        self.report.error("E208", message, span, help=IN_START)

    def not_of_neurons(self, symbol: Symbol, e: syntax.Name) -> None:
        self.report.error(
            "E310",
            f"`{symbol.name}` is one value per {symbol.per}, but the scope here is one neuron, which has many "
            f"{symbol.per}s",
            e.span,
            help=f"use it inside incoming(..) or outgoing(..), or drop `per {symbol.per}` from its declaration",
        )

    def neuron_name(self, e: syntax.Name) -> None:
        states = self.symbols.names("state")
        message = f"`{e.name}` is {NEURON_NAMES[e.name]}, not a value"
        help = f"write one of its states: `{e.name}.{states[0] if states else 'x'}`"
        self.report.error("E301", message, e.span, help=help)

    def needs_argument(self, e: syntax.Name, what: str) -> None:
        self.report.error("E202", f"`{e.name}` is {what} and needs its argument", e.span, help=f"write `{e.name}(x)`")

    def unknown(self, e: syntax.Name, place: Place) -> None:
        if self.symbols.damaged:
            return
        if place.phase == "function":
            self._unknown_in_function(e, place)
            return
        table = self.symbols.table
        seen = {name: shown for name, symbol in table.items() if (shown := symbol.seen(place))}
        here = [name for name, shown in seen.items() if shown == f"`{name}`"]
        here += [] if place.total else place.lets
        if e.name in self.symbols.lets:
            self._let_elsewhere(e, self.symbols.lets[e.name], place)
            return
        if near := did_you_mean(e.name, here):
            help = f"did you mean `{near}`?"
        elif known := name_help(e.name, place):
            help = known
        elif near := did_you_mean(e.name, seen | {name: f"`{name}`" for name in place.names}):
            help = f"did you mean {seen.get(near, f'`{near}`')}?"
        else:
            help = f"declare it, as in {declarations(e.name, place)}"
        self.symbols.unknown_name(e.name, f"unknown name `{e.name}`", e.span, help=help)

    def _let_elsewhere(self, e: syntax.Name, phase: str, place: Place) -> None:
        message = f"`{e.name}` is named by a `let` in `{phase}`, and known there only"
        if phase == place.phase:
            message = f"`{e.name}` is named by a `let` that comes later, or in another `{phase}`"
            help = "write the `let` before its first use, in the same phase"
        elif phase == "update":
            help = f"store it in a channel there, `x <- {e.name}`, and read `x`"
        else:
            read = " or ".join(f"`{end}.x`" for end in place.ends) or "`x`"
            help = f"store it in a state there, `x <- {e.name}`, and read {read}"
        self.symbols.unknown_name(e.name, message, e.span, help=help)

    def _let_of_neuron(self, e: syntax.Attribute, phase: str) -> None:
        """`pre.z`, where `z` is named by a `let`."""
        message = f"`{e.name}` is named by a `let` in `{phase}`, and is not a state of the neuron"
        help = f"store it in a state there, `x <- {e.name}`, and read `{e.owner}.x`"
        if phase == "update":
            help = f"it is the synapse's own: write `{e.name}`, after its `let` in the same phase"
        self.symbols.unknown_name(e.name, message, e.span, help=help)

    def _unknown_in_function(self, e: syntax.Name, place: Place) -> None:
        known = [*place.arguments, *(name for name, s in self.symbols.table.items() if s.seen(place) == f"`{name}`")]
        near = did_you_mean(e.name, known)
        help = f"did you mean `{near}`?" if near else f"make it an argument of the function: `(.., {e.name})`"
        self.symbols.unknown_name(e.name, f"unknown name `{e.name}`", e.span, help=help)

    def no_transpose(self, e: syntax.Attribute) -> None:
        states = self.symbols.names("state")
        if self.symbols.of_synapse(e.owner):
            sums = f"`outgoing({e.owner} * post.{states[0] if states else 'x'})`"
            help = f"write `{e.owner}`: {sums} already reads the synapses backward"
        else:
            help = f"write `{e.owner}`, or declare the other matrix: `learn m[2, 2] ~ normal(1)`"
        self.report.error("E301", f"`{e.owner}` is not an end of a synapse, and has no transpose", e.span, help=help)

    def no_such_state(self, e: syntax.Attribute, other: Symbol | None) -> None:
        states = self.symbols.names("state")
        near = did_you_mean(e.name, [s.name for s in self.symbols.of_kind("state", "meta") if s.of_neuron])
        if other and other.kind != "ambiguous" and other.per is not None:
            message = f"`{e.name}` is {_what(other)}, not a state of a neuron"
            help = f"write `{e.name}` without `{e.owner}.`"
            self.report.error("E201", message, e.span, help=help)
        elif e.name in functions.PROJECTION_NUMBERS:
            help = f"write `{e.name}` without `{e.owner}.`"
            message = f"`{e.name}` is a property of the synapse's projection, not a state of a neuron"
            self.report.error("E201", message, e.span, help=help)
        elif not other and e.name in self.symbols.lets:
            self._let_of_neuron(e, self.symbols.lets[e.name])
        elif not other and not self.symbols.damaged:
            self.symbols.unknown_name(
                e.name,
                f"unknown neuron state `{e.name}`",
                e.span,
                notes=[f"the states are: {listed(states)}"],
                help=f"did you mean `{e.owner}.{near}`?" if near else _declaring(e.name),
            )

    def wrong_end(self, e: syntax.Attribute, place: Place) -> None:
        if place.total:
            end = place.ends[0]
            message = f"inside {place.total}(..) the other neuron is `{end}`; `{e.owner}` is the neuron that sums"
            help = f"write `{end}.{e.name}`, or move this neuron's own value out of the sum"
            self.report.error("E301", message, e.span, help=help)
        elif place.phase == "init":
            symbol = self.symbols.named(e.name, "meta")
            if symbol and symbol.of_neuron:
                self.not_in_start(e.span, f"one value per {symbol.per}")
            else:
                self.not_yet(e.span, f"`{e.owner}.{e.name}`")
        else:
            own = "value" if self.symbols.named(e.name, "meta") else "state"
            way = "incoming" if e.owner == "pre" else "outgoing"
            self.report.error(
                "E301",
                f"`{e.owner}.{e.name}` needs a synapse, but the scope here is one neuron, which sees others "
                "only through its synapses",
                e.span,
                help=f"sum over the synapses: `{way}(w * {e.owner}.{e.name})`; the neuron's own {own} is `{e.name}`",
            )

    def not_in_function(self, span: Span, what: str, name: str) -> None:
        message = f"a function sees its arguments, meta-parameters, constants, parameters and signals, but not {what}"
        self.report.error("E219", message, span, help=f"give it to the function as an argument, `{name}`")

    def without_its_sum(self, e: syntax.Binary, way: str, place: Place) -> None:
        message = f"`{code(e.span)}` belongs to one synapse, but the scope here is one neuron, which has many synapses"
        help = f"sum over them: `{with_sum(e, way, self.symbols, place.lets)}`"
        self.report.error("E303", message, e.span, help=help)

    def let_in_sum(self, e: syntax.Name, total: str, place: Place) -> None:
        of_synapse = place.phase == "update"
        whole = f"{OWNER[total]}.{total}(..)" if of_synapse else f"{total}(..)"
        self.report.error(
            "E302",
            f"`{e.name}` is {'this synapse' if of_synapse else 'this neuron'}'s value: it cannot be used inside "
            f"{whole}, which runs over other synapses",
            e.span,
            help=f"write it outside the sum, as in `{e.name} * {whole}`, or write its equation out inside",
        )

    def function_for_number(self, e: syntax.Name, symbol: Symbol) -> None:
        message = f"the parameter `{e.name}` is the function `{symbol.value}`, but a number is expected here"
        help = f"give it a slot, `fn phi = {e.name}`, and write `phi(x)`"
        self.report.error("E206", message, e.span, help=help)

    def channel_in_neuron(self, symbol: Symbol, e: syntax.Name) -> None:
        message = f"`{symbol.name}` is a synapse channel, but the scope here is one neuron, which has many synapses"
        state = self.symbols.example("state")
        help = f"sum over them: `incoming({symbol.name} * pre.{state})` or `outgoing({symbol.name} * post.{state})`"
        self.report.error("E303", message, e.span, help=help)

    def start_of_channel(self, symbol: Symbol, e: syntax.Name) -> None:
        message = f"a start value cannot be computed from the channel `{symbol.name}`"
        help = f"to start equal to it, write `= {symbol.name}`"
        self.report.error("E208", message, e.span, help=help)

    def signal_elsewhere(self, e: syntax.Name, phase: str, who: str) -> None:
        message = f"`{e.name}` is known only to {who} populations, in `{phase}`"
        help = f"store it in a state there, `{phase} {{ x <- {e.name} }}`, and read the state"
        self.report.error("E304", message, e.span, help=help)

    def of_projection(self, e: syntax.Name) -> None:
        message = f"`{e.name}` belongs to a projection, but the scope here is one neuron, which has many projections"
        channel, state = self.symbols.example("channel"), self.symbols.example("state")
        help = f"use it inside incoming(..) or outgoing(..): `incoming({channel} * pre.{state} / {e.name})`"
        if e.name not in functions.FANS:
            help = "use it inside incoming(..) or outgoing(..), around what pools and identities should not pass on"
        self.report.error("E311", message, e.span, help=help)

    def no_end(self, e: syntax.Attribute) -> None:
        near = did_you_mean(e.owner, NEURON_NAMES)
        self.report.error(
            "E301",
            f"`{e.owner}` is not an end of a synapse",
            e.span,
            help=f"did you mean `{near}.{e.name}`?"
            if near
            else f"write `pre.{e.name}` (the presynaptic neuron) or `post.{e.name}` (the postsynaptic one)",
        )


def _declaring(state: str) -> str:
    return f"declare it: `state {state}`" if state not in RESERVED else "read one of these, or declare another"


def _what(symbol: Symbol) -> str:
    own = symbol.kind == "meta" and symbol.per in OF_SYNAPSE
    return f"one value per {symbol.per}" if own else symbol.words
