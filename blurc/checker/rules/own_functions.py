"""Functions of one's own, `fn low(x, y) = x + (y - x) / tau`: their declarations and their calls.

A body is checked once, with numbers for its arguments. It sees those, and of the genome what is the same for all its
neurons and synapses, or what whoever calls it can see: constants, parameters, signals and meta-parameters. A function
outside genomes sees only its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from blurc.checker.constants import MOST_DEPTH, too_deep
from blurc.checker.parameters import RESERVED, reserved
from blurc.checker.rules.names import OF_NEURON, OF_SYNAPSE, Place
from blurc.checker.wording import code, shape_text
from blurc.diagnostics import Report, Span
from blurc.language import syntax
from blurc.model import Argument, Expr, Function, Meta, Modulator, Over, call, children, walk

MOST_PARTS = 4096  # of a call, written out


@dataclass
class OwnFunctions:
    """Those that a genome declares, or a file. `outside`: those of the files, in a genome."""

    check: Callable[[syntax.Expr, Place], Expr | None]
    report: Report
    declared: dict[str, syntax.Function]
    outside: OwnFunctions | None = None
    _known: dict[str, Function | None] = field(default_factory=dict[str, "Function | None"])
    _open: list[str] = field(default_factory=list[str])  # each calls the next

    def tree(self, name: str) -> syntax.Function | None:
        return self.declared.get(name) or (self.outside.tree(name) if self.outside else None)

    def names(self) -> list[str]:
        return [*self.declared, *(self.outside.names() if self.outside else ())]

    @property
    def wrong(self) -> frozenset[str]:
        """Those with mistakes, which have been reported."""
        return frozenset(name for name, found in self._known.items() if found is None)

    def define(self) -> None:
        """Checks all of them, also those that nobody calls."""
        for name, tree in self.declared.items():
            self.defined(name, tree.name_span)

    def defined(self, name: str, called: Span) -> Function | None:
        """The function; None where it is wrong, which has been reported."""
        if name not in self.declared:
            assert self.outside is not None, f"nobody declares {name}"
            return self.outside.defined(name, called)
        if name in self._open:
            self._recursive(name, called)
            self._known[name] = None
        elif name not in self._known and len(self._open) == MOST_DEPTH:
            too_deep(name, called, self.report)
            return None
        elif name not in self._known:
            self._open.append(name)
            found = self._define(self.declared[name])
            self._open.pop()
            self._known.setdefault(name, found)
        return self._known[name]

    def _recursive(self, name: str, called: Span) -> None:
        *_, path = (self._open[i:] for i in range(len(self._open)) if self._open[i] == name)
        through = "" if len(path) == 1 else f", through {' and '.join(f'`{p}`' for p in path[1:])}"
        message = f"`{name}` calls itself{through}"
        help = "calls are written out when the genome is compiled: write the value without this call"
        self.report.error("E218", message, called, help=help)

    def _define(self, tree: syntax.Function) -> Function | None:
        if not self._arguments_are_right(tree):
            return None
        arguments = {a.name: Argument(a.name, shape=(), over=Over.NOTHING, span=a.span) for a in tree.arguments}
        place = Place("function", arguments=arguments)
        value = self.check(tree.value, place)
        slope = self.check(tree.slope, place) if tree.slope else None
        if value is None or (tree.slope and slope is None) or not self._slope_is_right(tree, value, slope):
            return None
        return Function(tree.name, tuple(arguments), value, slope, tree.span)

    def _arguments_are_right(self, tree: syntax.Function) -> bool:
        before, seen = len(self.report.errors), set[str]()
        if not tree.arguments:
            help = f"a value without arguments is a constant: `const {tree.name} = ..`, or a `let` of a phase"
            self.report.error("E204", f"the function `{tree.name}` has no argument", tree.name_span, help=help)
        for argument in tree.arguments:
            if argument.name in RESERVED:
                reserved(argument.name, "an argument", argument.span, self.report)
            elif argument.name in seen:
                message = f"`{argument.name}` is declared twice"
                self.report.error("E106", message, argument.span, help="rename one of them")
            seen.add(argument.name)
        return len(self.report.errors) == before

    def _slope_is_right(self, tree: syntax.Function, value: Expr, slope: Expr | None) -> bool:
        if slope is None or tree.slope is None:
            return True
        if len(tree.arguments) != 1:
            message = (
                f"only a function of one number has a slope, but `{tree.name}` has {len(tree.arguments)} arguments"
            )
            help = "leave the slope out, or make all but one argument meta-parameters or constants"
            self.report.error("E214", message, tree.slope.span, help=help)
        elif value.shape or slope.shape:
            wrong, part = (tree.value, value) if value.shape else (tree.slope, slope)
            message = (
                f"a function with a slope gives a number, and its slope is one, but this is {shape_text(part.shape)}"
            )
            self.report.error("E203", message, wrong.span, help=f"pick a part: `({code(wrong.span)})[0]`")
        else:
            return True
        return False

    # ----------------------------------------------------------------- calls

    def call(self, e: syntax.Call, args: tuple[Expr, ...], place: Place) -> Expr | None:
        """A call with as many arguments as the function has."""
        f = self.defined(e.function, e.span)
        if f is None or not self._fits(f, e, args) or not self._is_seen(f, e, place):
            return None
        made = call(f, args, e.span, e.prime)
        if not _is_too_large(made):
            return made
        message = f"`{code(e.span)}` is too long: with all calls written out it has more than {MOST_PARTS:,} parts"
        if place.phase == "function":
            help = "write the functions that it calls more shortly, or call fewer of them inside each other"
        else:
            help = "name the inner calls with `let`, or assign them to states"
        self.report.error("E218", message, e.span, help=help)
        return None

    def _fits(self, f: Function, e: syntax.Call, args: tuple[Expr, ...]) -> bool:
        shape = next((a.shape for a in args if a.shape), ())
        if e.prime and (len(f.arguments) != 1 or f.value.shape):
            why = f"has {len(f.arguments)} arguments" if len(f.arguments) != 1 else f"gives {shape_text(f.value.shape)}"
            message = (
                f"`{f.name}` has no derivative `'`: only functions from a number to a number have one, but it {why}"
            )
            self.report.error("E214", message, e.span, help="write the derivative as a function: `fn d(x) = ..`")
        elif shape and f.value.shape:
            message = f"`{f.name}` gives {shape_text(f.value.shape)} for a number, so it takes numbers only"
            parts = ", ".join(f"{code(a.span)}[0]" if a.shape else code(a.span) for a in args)
            self.report.error("E203", message, e.span, help=f"apply it to a part: `{f.name}({parts})`")
        else:
            return True
        return False

    def _is_seen(self, f: Function, e: syntax.Call, place: Place) -> bool:
        """Whether the meta-parameters that a function reads have a value where it is called."""
        if place.phase == "function":
            return True
        if place.phase == "init":
            return self._starts(f, e)
        unseen = OF_NEURON if place.synapse else OF_SYNAPSE
        for part in _metas(f):
            if part.per in unseen:
                scope = "synapse" if place.synapse else "neuron"
                message = f"`{f.name}` reads `{part.name}`, one value per {part.per}, but the scope here is one {scope}"
                help = f"make `{part.name}` an argument of `{f.name}`"
                self.report.error("E302" if place.synapse else "E310", message, e.span, help=help)
                return False
        return True

    def _starts(self, f: Function, e: syntax.Call) -> bool:
        for part in _parts(f):
            match part:
                case Meta(name=name, per="population" | "neuron" | "synapse" as per):
                    what = f"`{name}`, which is one value per {per}"
                case Modulator(name=name):
                    what = f"the signal `{name}`, which has no value yet when synapses are made"
                case _:
                    continue
            help = f"write the start value without `{f.name}`"
            self.report.error("E208", f"`{f.name}` reads {what}", e.span, help=help)
            return False
        return True

    # ----------------------------------------------------------------- slots

    def of_slots(self) -> list[Function]:
        """Those that fit a slot."""
        found = (self.defined(name, tree.name_span) for name in self.names() if (tree := self.tree(name)))
        return [f for f in found if f and misfit(f) is None]


def misfit(f: Function) -> tuple[str, str] | None:
    """Why a function does not fit a slot, and what to do."""
    if len(f.arguments) != 1:
        return f"`{f.name}` has {len(f.arguments)} arguments", "write a function of one number that calls it"
    if f.value.shape:
        return f"`{f.name}` gives {shape_text(f.value.shape)}", "pick a part of what it gives: `(..)[0]`"
    for part in _metas(f):
        if part.per != "network":
            return f"`{f.name}` reads `{part.name}`, one value per {part.per}", f"drop `per {part.per}` there"
    return None


def _parts(f: Function) -> Iterator[Expr]:
    for whole in (f.value, f.slope):
        yield from walk(whole) if whole else ()


def _metas(f: Function) -> Iterator[Meta]:
    yield from (part for part in _parts(f) if isinstance(part, Meta))


def _is_too_large(e: Expr) -> bool:
    level, depth, parts = [e], 0, 0
    while level and depth <= MOST_DEPTH and parts <= MOST_PARTS:
        parts += len(level)
        level, depth = [part for each in level for part in children(each)], depth + 1
    return bool(level)
