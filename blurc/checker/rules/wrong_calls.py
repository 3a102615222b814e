"""Errors about a call: there is no such function, or it cannot be called there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from blurc.checker import constants
from blurc.checker.rules.foreign import CALLED, function_help
from blurc.checker.rules.names import NEURON_NAMES, OWNER, Place, Symbols
from blurc.checker.wording import code, head
from blurc.diagnostics import Report, did_you_mean
from blurc.language import functions, syntax
from blurc.model import Direction, Expr

OTHER_END = {"incoming": "pre", "outgoing": "post"}  # whose values a sum reads


@dataclass(frozen=True, slots=True)
class WrongCall:
    symbols: Symbols
    report: Report

    def no_method(self, e: syntax.Call, place: Place) -> None:
        if e.owner in NEURON_NAMES:
            help = (
                f"write `{e.function}({e.owner}.x)`; only `post.incoming(E)` and `pre.outgoing(E)` are called on a "
                "neuron"
            )
        else:
            help = self._of_module(e, place)
        self.report.error("E202", f"`{e.owner}.{e.function}(..)` is not a function", e.span, help=help)

    def _of_module(self, e: syntax.Call, place: Place) -> str:
        """What to write for `np.tanh(z)`, or `z.tanh()`."""
        owner = str(e.owner)
        of_value = owner in place.lets or self.symbols.named(owner) is not None
        own = (syntax.Name(owner, span=head(e.span, owner)),) if of_value else ()
        plain = replace(e, owner=None, args=(*own, *e.args))
        name = CALLED.get(e.function, e.function)
        if name in functions.ALL or self.symbols.named(name, "slot"):
            return f"write `{name}({', '.join(code(a.span) for a in plain.args) or 'x'})`"
        return self._function_help(plain, place)

    def unknown_function(self, e: syntax.Call, place: Place, own: Sequence[str]) -> None:
        """`own`: the functions of the spec."""
        symbol = self.symbols.named(e.function)
        if symbol or e.function in place.lets or e.function in place.arguments:
            if symbol is None or symbol.kind != "ambiguous":
                message = f"`{e.function}` is {symbol.words if symbol else 'a value'}, not a function"
                self.report.error("E202", message, e.span, help=f"to multiply, write `{e.function} * (..)`")
            return
        if e.function in self.symbols.phases:
            help = f"a phase runs again by its name alone, next to the other phases: `{e.function}`"
            self.report.error("E202", f"`{e.function}` is a phase, not a function", e.span, help=help)
            return
        if self.symbols.damaged or self.symbols.lacks_imports:
            return
        help = self._function_help(e, place, own)
        self.report.error("E202", f"unknown function `{e.function}`", head(e.span, e.function), help=help)

    def _function_help(self, e: syntax.Call, place: Place, own: Sequence[str] = ()) -> str:
        if place.phase == "init" and e.function in constants.DISTRIBUTIONS:
            return f"a distribution goes after `~`: `~ {code(e.span)}`"
        if known := function_help(e, place):
            return known
        known = [*functions.ALL, *self.symbols.names("slot"), *own]
        if near := did_you_mean(e.function, known):
            return f"did you mean `{near}`?"
        declared = f"`fn {e.function}({', '.join('xyzuvw'[: len(e.args)]) or 'x'}) = ..`"
        slot = "" if len(e.args) > 1 else f", or as a slot, `fn {e.function} = tanh`"
        return f"declare it, {declared}{slot}, or use one of: {', '.join(functions.ALL)}"

    def no_derivative(self, e: syntax.Call) -> None:
        message = f"`{e.function}` has no derivative `'`: only functions of one number have one"
        help = "one of " + ", ".join(functions.UNARY)
        self.report.error("E214", message, e.span, help=help)

    def not_in_function(self, e: syntax.Call) -> None:
        what = f"{e.owner}.{e.function}" if e.owner else e.function
        message = f"a function sees numbers only, and `{what}` looks at more than that"
        help = "make its value an argument of the function, and write the call where the function is used"
        self.report.error("E219", message, e.span, help=help)

    def slot_in_start(self, e: syntax.Call) -> None:
        message = f"`{e.function}` is the function of a population, but a start value does not belong to one"
        help = "name the function itself, such as `tanh(..)`"
        self.report.error("E208", message, e.span, help=help)

    def population_of_synapse(self, e: syntax.Call) -> None:
        message = f"`{e.function}` looks at a neuron's population, batch or past, but the scope here is one synapse"
        help = f"store it in a state in a phase of the neuron, `x <- {e.function}(..)`, and read `pre.x` or `post.x`"
        self.report.error("E309", message, e.span, help=help)

    def draw_elsewhere(self, e: syntax.Call, place: Place) -> None:
        call, start = code(e.span), "~ normal(std)" if e.function == "noise" else "~ uniform(low, high)"
        message = f"nothing is drawn {place.words}: a neuron draws when a phase visits it, and a synapse in `update`"
        if place.phase == "init":
            help = f"a start value is drawn by `{start}`"
        elif place.total:
            help = (
                f"for a number of each synapse, draw it into a channel, `update {{ v <- {call} }}`; for one of each "
                f"neuron, into a state, `forward {{ x <- {call} }}`; and read that in the sum"
            )
        else:
            help = f"draw it into a state, `forward {{ x <- {call} }}`, and read the state"
        self.report.error("E312", message, e.span, help=help)

    def draw_for_examples(self, e: syntax.Call) -> None:
        parts = [code(a.span) for a in e.args]
        message = f"`{code(e.span)}` varies over the batch, but a synapse draws one number for all examples"
        help = (
            f"scale what is drawn: `noise(1) * ({parts[0]})`"
            if e.function == "noise"
            else f"scale what is drawn: `({parts[0]} + ({parts[1]} - ({parts[0]})) * uniform(0, 1))`"
        )
        self.report.error("E312", message, e.span, help=help)

    def sum_of_kind(self, e: syntax.Call) -> str:
        """How a sum over synapses is written, for one kind of projections if a second argument names one."""
        whole, last = f"{e.owner}.{e.function}" if e.owner else e.function, e.args[-1] if e.args else None
        if len(e.args) == 2 and isinstance(last, syntax.Name) and not self.symbols.named(last.name) and not e.kind:
            return f"{whole}[{last.name}]({code(e.args[0].span)})"
        if e.args:
            return f"{whole}({' * '.join(code(a.span) for a in e.args)})"
        channel, state = self.symbols.example("channel"), self.symbols.example("state")
        return f"{whole}({channel} * {OTHER_END[e.function]}.{state})"

    def total_in_total(self, e: syntax.Call, total: Direction, place: Place) -> None:
        own, plain = OWNER[total], _without_owner(e)
        if e.owner not in (None, own):
            message = f"a sum over synapses inside {total}(..): a neuron cannot see the synapses of its neighbours"
            help = "let the neighbour compute it into a state of its own, and read that state"
        elif place.running:
            message = f"`{plain}` inside outgoing_until(..) is the same for all its terms"
            help = f"multiply by it outside: `pre.{plain} * pre.outgoing_until(..)`"
        elif e.function == total:
            message = f"a sum over synapses inside {total}(..) that does not say whose it is"
            help = f"write `{own}.{plain}` for the neuron that sums; a neighbour computes it into a state of its own"
        else:
            message = f"`{plain}` inside {total}(..) is the same for all its terms"
            own_state = f"store it in a state of the neuron, `x <- {plain}`, and read that state outside the sum"
            help = own_state if place.phase == "update" else f"write it outside the sum: `{plain} * {total}(..)`"
        self.report.error("E307", message, e.span, help=help)

    def total_of_other(self, e: syntax.Call, owner: str) -> None:
        more = ", or store another total in a state of the neuron in an earlier phase" if e.owner else ""
        self.report.error(
            "E301",
            "in `update` a synapse knows the total of the incoming synapses of its postsynaptic neuron, "
            "and of the outgoing synapses of its presynaptic neuron",
            e.span,
            help=f"write `{owner}.{_without_owner(e)}`{more}",
        )

    def total_of_owner(self, e: syntax.Call) -> None:
        message = f"the scope here is one neuron: `{e.function}` is its own"
        self.report.error("E301", message, e.span, help=f"write `{_without_owner(e)}`")

    def until_elsewhere(self, e: syntax.Call) -> None:
        self.report.error(
            "E301",
            "`pre.outgoing_until(..)` adds up the synapses of the presynaptic neuron as far as this one: use it "
            "in `update`, outside other sums",
            e.span,
            help="write `pre.outgoing_until(w * post.x)` there",
        )

    def reducer_elsewhere(self, e: syntax.Call, place: Place) -> None:
        message = f"`{e.function}` cannot be used {place.words}: it combines an update of a synapse over the batch"
        help = "use it in `update`, around what varies over the batch: `w <- w + batch_mean(pre.x * post.y)`"
        self.report.error("E308", message, e.span, help=help)

    def value_of_every_pair(self, e: syntax.Call) -> None:
        f, population = e.function, e.function in functions.POPULATION
        message = (
            f"`{code(e.span)}` would need a value for every pair of neurons and every example, which only a channel "
            "`per example` has"
        )
        finished = f"to the finished sum, `{f}(incoming(w * pre.x))`"
        alone = "" if population else f"to one neuron's own values, `{f}(pre.x)`, or "
        score, read = ("exp(..)", "incoming(s * pre.x) / incoming(s)") if population else (code(e.span), "s")
        note = f"scores of attention: `synapse s ~ zeros per example`, `update {{ s <- {score} }}`, and then `{read}`"
        self.report.error("E306", message, e.span, notes=[note], help=f"apply `{f}` {alone}{finished}")

    def standardizes_by(self, e: syntax.Call) -> None:
        message = "`standardize` takes a value, and the word `running` for statistics kept over steps"
        z = code(e.args[0].span)
        self.report.error("E204", message, e.span, help=f"write `standardize({z}, running)`, or `standardize({z})`")

    def projection_elsewhere(self, e: syntax.Call, place: Place) -> None:
        message = f"`{e.function}` is over the synapses of a projection, and cannot be used {place.words}"
        if place.phase == "update":
            help = f"write it outside the sum, which may run over other projections: `{code(e.span)} * (..)`"
        elif place.phase == "init":
            help = f"use it in `update`: `update {{ w <- w / {e.function}(abs(w)) }}`"
        else:
            help = f"a neuron sums over its own synapses: `incoming({_body(e)})`; synapses use it in `update`"
        self.report.error("E309", message, e.span, help=help)

    def projection_of_example(self, e: syntax.Call, body: Expr, place: Place) -> None:
        message = f"`{code(body.span)}` varies over the batch, but a projection has one `{e.function}` for all examples"
        reduced = f"`{e.function}(batch_mean({code(body.span)}))`"
        help = f"reduce it first: {reduced}"
        if place.reduced:
            help = f"name it before, `let x = {reduced[1:]}, and use `x` here"
        self.report.error("E305", message, e.span, help=help)


def _without_owner(e: syntax.Call) -> str:
    """`incoming(w)` for `post.incoming(w)`."""
    return code(e.span).removeprefix(f"{e.owner}.")


def _body(e: syntax.Call) -> str:
    return code(e.args[0].span) if e.args else "w"
