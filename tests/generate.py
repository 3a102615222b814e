"""Random learning rules and networks, as `.blur` source text: hypothesis strategies for property tests.

`rules()` writes genomes, `networks()` writes networks, `cases()` writes whole files and says on how many
examples and with which random numbers to run them; `values()` makes these numbers. All text is valid: it
compiles, and what stands inside `incoming`, `outgoing`, `batch_mean` and `batch_sum` can be separated.

The equations are random but tame, so that two correct programs agree to rounding:
- whatever is assigned to a state or a channel is bounded first, so nothing overflows;
- `log`, `sqrt`, `exp`, `/` and `^` get arguments from a safe domain;
- functions with a jump (`sign`, and the derivatives of `abs` and `relu`) get their argument shifted a little,
  for sums that are 0 but for rounding are frequent, and would jump either way.
"""

from __future__ import annotations

import itertools
import math
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from blurc.diagnostics import Report, Source
from blurc.language import functions, parse, syntax, unparse
from blurc.model.model import MetaVar, Model, Population, Shape
from blurc.model.sites import synapse_shape
from blurc.model.topology import Conv, Pool

Array: TypeAlias = NDArray[np.float64]
Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
Names: TypeAlias = dict[str, Shape]  # what may be written, and its shape

NUMBERS = ("0.5", "0.3", "1", "0.9", "2", "(-0.4)", "(-1.1)", "0.07", "2.5e-1")

KINDS = ("basal", "apical")  # of projections

# What a slot may hold: `phi` is given any number, `psi` numbers in [0.5, 2.5].
SLOTS: dict[str, tuple[str, ...]] = {
    "phi": ("tanh", "linear", "relu", "sigmoid", "softplus", "abs", "square", "own", "jump", "far"),
    "psi": ("log", "sqrt", "exp", "linear", "square", "softplus", "own"),
}

# The bodies of functions of one's own: of one number, with a slope, and of two numbers.
OWN = (
    "tanh(x) * (1 + {0} * x)", "x / (1.5 + square(x)) + {0}", "sigmoid(x) ^ 2 - softplus(-x)", "0.4 * x",
    "max(x, {0} * x - 0.3, -1.1)", "clip(x * {0}, -0.8, 1.1)", "where(x > 0.2719, sin(x), {0} * x)",
    "exp(-x ^ 2) * cos(x)", "gelu(x) + erf(x) - linear(x)", "(1.2 + square(x)) ^ 1.5",
    "sqrt(0.3 + square(x)) * log(1.2 + square(x))", "tanh'(x) * sigmoid'(x)", "softplus'(x) - gelu'(x)",
    "([[{0}, 0.5], [1, -0.4]] @ tanh([x, 0.3]))[0]", "{0}", "far(x) * {0} - far(0.3 * x)",
)  # fmt: skip
JUMPS = ("step(x - 0.2719) slope sigmoid'(x)", "tanh(x) slope 0.3 * tanh'(x)", "0.5 slope x", "far(x) slope far'(x)")
PAIRS = ("x + (y - x) / 2.5", "x * tanh(y)", "far(x) - {0} * y", "min(x, y)", "[x, y][1]")

# Of one argument of any value. Every function of the language is here or below, with its derivative.
UNARY = (
    "tanh({0})", "sigmoid({0})", "softplus({0})", "relu({0})", "abs({0})", "linear({0})", "square(tanh({0}))",
    "exp(tanh({0}))", "log(1.2 + square({0}))", "sqrt(0.3 + square({0}))", "sign({0} + 0.0137)", "(-{0})",
    "tanh'({0})", "sigmoid'({0})", "softplus'({0})", "relu'({0} + 0.0137)", "abs'({0} + 0.0137)",
    "linear'({0})", "square'({0})", "exp'(tanh({0}))", "log'(1.2 + square({0}))",
    "sqrt'(0.3 + square({0}))", "sign'({0})",
    "phi({0})", "phi'({0} + 0.0137)", "psi(1.5 + tanh({0}))", "psi'(1.5 + tanh({0}))",
    "gelu({0})", "step({0} + 0.0137)", "sin({0})", "cos({0})", "erf({0})", "floor({0} + 0.0137)",
    "gelu'({0})", "step'({0})", "sin'({0})", "cos'({0})", "erf'({0})", "floor'({0})",
    "own({0})", "own'({0} + 0.0137)", "jump({0} + 0.0137)", "jump'({0})", "far({0})", "far'({0} + 0.0137)",
    "tanh({0}) ^ 2", "(0.5 + square(tanh({0}))) ^ 1.5", "clip({0}, -0.8, 1.1)",
)  # fmt: skip
BINARY = (
    "({0} + {1})", "({0} - {1})", "({0} * {1})", "({0} / (1.5 + square({1})))",
    "min({0}, {1})", "max({0}, {1}, 0.2)",
    "({0} < {1} + 0.0137)", "({0} <= {1} + 0.0137)", "({0} > {1} + 0.0137)", "({0} >= {1} + 0.0137)",
    "where({0} > {1} + 0.0137, {0}, tanh({1}))", "pair({0}, {1})",
)  # fmt: skip
BOUNDED = (
    "tanh({0})", "clip({0}, -1.5, 1.5)", "sigmoid({0})", "0.9 * max(min({0}, 1), -1)",
    "clip(phi({0}), -2, 2)", "1.5 - 3 * sigmoid({0})",
)  # fmt: skip


class Random:
    """The choices of one generated text. Hypothesis shrinks to the first option, and to False."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw

    def one(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def count(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def chance(self, percent: int) -> bool:
        return self.count(0, 99) >= 100 - percent

    def shuffled(self, items: Sequence[Any]) -> list[Any]:
        return list(self.draw(st.permutations(items)))


# ---------------------------------------------------------------- expressions


@dataclass
class Place:
    """Where an expression is written: what is known there. `names` are of neurons or synapses, `still` is the
    same for all; `sums` (totals, batch means, functions of the population) are written by functions of the
    shape and the depth."""

    random: Random
    names: Names
    still: Names
    sums: tuple[Callable[[Shape, int], str], ...] = ()

    def expr(self, shape: Shape, depth: int) -> str:
        """An expression of this shape, at most `depth` operations deep."""
        if depth == 0 or self.random.chance(15):
            return self.leaf(shape)
        forms = {
            0: [self.binary, self.unary, *self.sums, self.part],
            1: [self.binary, self.unary, *self.sums, self.part, self.stack, self.mixed],
            2: [self.binary, self.unary, *self.sums, self.stack],
        }[len(shape)]
        return self.random.one(forms)(shape, depth - 1)

    def leaf(self, shape: Shape) -> str:
        """A name, a part of a vector, or a number; names that vary are the most telling, and come first."""
        found = [
            [(name, name) for name, known in names.items() if known == shape]
            + [(name, "part") for name, known in names.items() if has_part(known, shape)]
            for names in (self.names, self.still)
        ]
        options = [*found[0] * 4, *found[1], ("", "number")]
        name, form = self.random.one(options)
        if form == "part":
            return self.pick(name, {**self.names, **self.still}[name][0], shape)
        return name or self.number(shape)

    def number(self, shape: Shape) -> str:
        if not shape:
            return self.random.one(NUMBERS)
        return f"[{', '.join(self.number(shape[1:]) for _ in range(shape[0]))}]"

    def pick(self, vector: str, size: int, shape: Shape) -> str:
        """A part of a vector."""
        if not shape:
            return f"{vector}[{self.random.count(0, size - 1)}]"
        low = self.random.count(0, size - shape[0])
        high = low + shape[0]
        return f"{vector}[{low or ''}:{'' if high == size else high}]"

    def part(self, shape: Shape, depth: int) -> str:
        """A part of an expression."""
        size = (shape[0] if shape else 1) + self.random.count(0, 1)
        return self.pick(f"({self.expr((size,), depth)})", size, shape)

    def unary(self, shape: Shape, depth: int) -> str:
        return self.random.one(UNARY).format(self.expr(shape, depth))

    def binary(self, shape: Shape, depth: int) -> str:
        left, right = self.random.shuffled([shape, self.random.one([shape, ()])])
        return self.random.one(BINARY).format(self.expr(left, depth), self.expr(right, depth))

    def stack(self, shape: Shape, depth: int) -> str:
        return f"[{', '.join(self.expr(shape[1:], min(depth, 1)) for _ in range(shape[0]))}]"

    def mixed(self, shape: Shape, depth: int) -> str:
        """`M @ x`."""
        matrix, columns = self.matrix(shape)
        return f"({matrix} @ {self.expr((columns,), depth)})"

    def matrix(self, shape: Shape) -> tuple[str, int]:
        """A matrix that makes vectors of this shape, and its number of columns: declared, or written out."""
        known = {**self.names, **self.still}
        declared = [(name, s[1]) for name, s in known.items() if len(s) == 2 and s[:1] == shape]
        return self.random.one([*declared, (self.number((*shape, 2)), 2)])


def has_part(whole: Shape, part: Shape) -> bool:
    """Whether a vector has parts of this shape, other than itself."""
    return len(whole) == 1 and (part == () or (len(part) == 1 and part < whole))


def drawn(place: Place, shape: Shape, depth: int) -> str:
    """Random numbers."""
    one = place.expr(shape, min(depth, 1))
    if place.random.chance(50):
        return f"noise({one})"
    return f"uniform({one}, {place.expr(place.random.one([shape, ()]), 0)})"


Factor: TypeAlias = Callable[[Shape], str]  # writes one factor of this shape


def separable(synapse: Place, others: Sequence[Factor], shape: Shape, depth: int) -> str:
    """Sums of products of factors, each about the synapse, the presynaptic or the postsynaptic neuron alone;
    nested in any way that can be multiplied out."""
    random, factors = synapse.random, [lambda s: synapse.expr(s, 1), *others]
    if depth == 0:
        return random.one(factors)(shape)

    def again(shape: Shape) -> str:
        return separable(synapse, others, shape, depth - 1)

    left, right = random.shuffled([shape, random.one([shape, ()])])
    form = random.one(
        ["product"] * 4 + ["sum"] * 2 + ["quotient", "minus", "square", *["part", "mixed", "stack"] * bool(shape)]
    )
    if form == "product":
        return f"({again(left)} * {again(right)})"
    if form == "sum":
        return f"({again(left)} {random.one('+-')} {again(right)})"
    if form == "quotient":
        return f"({again(left)} / (1.5 + square({random.one(factors[:2])(right)})))"
    if form == "square":
        return random.one(["({0}) ^ 2", "square({0})"]).format(again(shape))
    if form == "part":
        return synapse.pick(f"({again((shape[0] + 1, *shape[1:]))})", shape[0] + 1, shape)
    if form == "stack":
        return f"[{', '.join(again(shape[1:]) for _ in range(shape[0]))}]"
    if form == "mixed" and len(shape) == 1:
        matrix, columns = synapse.matrix(shape)
        return f"({matrix} @ {again((columns,))})"
    return f"(-{again(shape)})"


# ---------------------------------------------------------------- the places of a genome


@dataclass
class Rule:
    """What a genome declares, and what its equations may be made of."""

    random: Random
    states: Names
    channels: Names
    shared: Names  # learn values, signals, consts and parameters, known everywhere
    learns: dict[str, Names]  # learn values `per projection`, `per population`, `per neuron` and `per synapse`
    each: Names  # signals per example
    kinds: bool = False  # whether it tells projections and populations of some kinds from others
    of_examples: Names = field(default_factory=dict[str, Shape])  # channels per example; the first is a number
    by_rows: bool = False  # whether neurons without input leave their synapses as they are, mostly

    @property
    def first(self) -> str:
        """The number that passes the signal on."""
        name, shape = next(iter(self.states.items()))
        return f"{name}[0]" if shape else name

    def way(self, way: str) -> str:
        """`incoming`, or `incoming[basal]`."""
        return f"{way}[{self.random.one(KINDS)}]" if self.kinds and self.random.chance(50) else way

    @property
    def of_neuron(self) -> Names:
        return {**self.learns["population"], **self.learns["neuron"]}

    def metas_at(self, side: str) -> Names:
        return {f"{side}.{name}": shape for name, shape in self.of_neuron.items()}

    def end(self, side: str) -> Place:
        """About the presynaptic or the postsynaptic neuron alone."""
        states = {f"{side}.{name}": shape for name, shape in self.states.items()}
        still = {**self.shared, **self.learns["projection"]}
        return Place(self.random, {**states, **self.metas_at(side), **self.each}, still)

    def synapse(self) -> Place:
        """About the synapse alone."""
        fans: Names = {"(fan_in / 3)": (), "(1 / fan_out)": (), "plastic": ()}
        still = {**self.shared, **self.learns["projection"], **fans}
        return Place(self.random, {**self.channels, **self.learns["synapse"]}, still)

    def total(self, way: str, shape: Shape, depth: int) -> str:
        """`incoming(w * pre.a)`, or what else can be separated."""
        far, near = ("pre", "post") if way == "incoming" else ("post", "pre")
        end = self.end(far)

        def own(s: Shape) -> str:
            """The total of the neuron that sums."""
            return f"tanh({near}.{self.way(way)}({separable(self.synapse(), [end.leaf], s, 1)}))"

        if self.of_examples and self.random.chance(40):
            sums = (lambda s, _: own(s),) * self.random.chance(25)
            return f"{self.way(way)}({self.built(self.everything(end, sums=sums), shape, depth)})"
        factors = [lambda s: end.expr(s, 1), end.leaf, *[own] * (not self.by_rows and self.random.chance(25))]
        signal = f"pre.{self.first} * " if self.by_rows and way == "incoming" else ""
        return f"{self.way(way)}({signal}{separable(self.synapse(), factors, shape, depth)})"

    def everything(self, *ends: Place, sums: tuple[Callable[[Shape, int], str], ...] = ()) -> Place:
        """About a synapse, neurons at its ends and one example, also in what cannot be separated."""
        parts = [self.synapse(), *ends]
        names: Names = {name: shape for part in parts for name, shape in part.names.items()}
        still: Names = {name: shape for part in parts for name, shape in part.still.items()}
        return Place(self.random, {**self.of_examples, **names}, still, sums)

    def built(self, everything: Place, shape: Shape, depth: int) -> str:
        """One that reads a channel per example."""
        e = next(iter(self.of_examples))
        form = self.random.one(["({0} * {1})", "({1} + {0})", "tanh({0} - {1})", "where({0} > {1} + 0.0137, {1}, 0.3)"])
        return form.format(e, everything.expr(shape, depth))

    def still_total(self, way: str, shape: Shape, depth: int) -> str:
        """One that does not differ over the batch."""
        far = Place(self.random, self.metas_at("pre" if way == "incoming" else "post"), {})
        if not far.names:
            return f"{self.way(way)}({self.synapse().expr(shape, depth)})"
        return f"{self.way(way)}({separable(self.synapse(), [far.leaf], shape, depth)})"

    def neuron(self, kind: str, lets: Names) -> Place:
        """About one neuron, in a phase of this kind."""
        signals: Names = {"sense": {"input": ()}, "feedback": {"target": ()}}.get(kind, {})
        across = ["population_mean", "population_sum", "standardize", "softmax", "population_max", *functions.PLACES]
        known = {**self.states, **signals, **lets, **self.each}
        alone = Place(self.random, known, {**self.shared, **self.of_neuron})

        def total(shape: Shape, depth: int) -> str:
            return self.total(self.random.one(["incoming", "outgoing"]), shape, min(depth + 1, 2))

        def population(shape: Shape, depth: int) -> str:
            return f"{self.random.one(across)}({alone.expr(shape, depth)})"

        def running(shape: Shape, depth: int) -> str:
            form = self.random.one(["running_mean({0})", "running_var({0}, 0.5)", "standardize({0}, running, 0.2)"])
            return f"clip({form.format(alone.expr(shape, min(depth, 1)))}, -2, 2)"

        def noise(shape: Shape, depth: int) -> str:
            return drawn(alone, shape, depth)

        sums = (total, population, running) if kind == "readout" else (total, population, noise, running)
        return Place(self.random, alone.names, alone.still, sums)


ABOUT = ("synapse", "pre", "post", "pair", "built")


@dataclass
class Update:
    """An update phase being written: what its synapses know. The lets are sorted by what they are about."""

    rule: Rule
    lets: dict[str, Names] = field(default_factory=lambda: {about: {} for about in ABOUT})

    def end(self, side: str) -> Place:
        """About one neuron and one example: its states, and its own totals over its synapses."""
        way = "outgoing" if side == "pre" else "incoming"

        def total(shape: Shape, depth: int) -> str:
            return f"{side}.{self.rule.total(way, shape, 1)}"

        end = self.rule.end(side)
        return Place(end.random, {**end.names, **self.lets[side]}, end.still, (total,))

    def pair(self, shape: Shape) -> str:
        """About the synapse, its two neurons and one example: what can be reduced over the batch."""
        pre, post, synapse = self.end("pre"), self.end("post"), self.rule.synapse()
        synapse.names = {**synapse.names, **self.lets["synapse"]}
        synapse.sums = (self.across,) * self.rule.random.chance(50)
        ends = [lambda s: pre.expr(s, 1), lambda s: post.expr(s, 1)]
        named = [Place(self.rule.random, self.lets["pair"], {}).leaf] if self.lets["pair"] else []
        return separable(synapse, [*ends, *named], shape, 2)

    def synapse(self) -> Place:
        """About the synapse, the same for every example: what can be assigned to a channel."""
        random, alone = self.rule.random, self.rule.synapse()

        def reduced(shape: Shape, depth: int) -> str:
            if self.rule.of_examples and random.chance(30):
                return f"{random.one(['(batch_mean', '(0.4 * batch_sum'])}({self.of_example(shape, 1)}))"
            return f"{random.one(['(batch_mean', '(batch_mean', '(0.4 * batch_sum'])}({self.pair(shape)}))"

        def total(shape: Shape, depth: int) -> str:
            side, way = random.one([("post", "incoming"), ("pre", "outgoing")])
            return f"{side}.{self.rule.still_total(way, shape, min(depth, 1))}"

        def across(shape: Shape, depth: int) -> str:
            of_batch = Place(random, names, alone.still, (reduced, total))
            return f"{random.one(functions.PROJECTION)}({of_batch.expr(shape, depth)})"

        def noise(shape: Shape, depth: int) -> str:
            return drawn(alone, shape, depth)

        of_neurons = {**self.rule.metas_at("pre"), **self.rule.metas_at("post")}
        names = {**alone.names, **of_neurons, **self.lets["synapse"]}
        return Place(random, names, alone.still, (reduced, reduced, noise, total, across))

    def of_example(self, shape: Shape, depth: int) -> str:
        """About the synapse, its neurons and one example: what can be assigned to a channel per example."""
        ends = [self.end("pre"), self.end("post")]
        sums = tuple(total for end in ends for total in end.sums)
        everything = self.rule.everything(*ends, sums=sums)
        everything.names = {**everything.names, **self.lets["pair"], **self.lets["synapse"], **self.lets["built"]}
        return self.rule.built(everything, shape, depth)

    def across(self, shape: Shape, depth: int) -> str:
        """One value of the projection, inside a reducer."""
        alone = self.rule.synapse()
        alone.names = {**alone.names, **self.lets["synapse"]}
        return f"{self.rule.random.one(functions.PROJECTION)}({alone.expr(shape, min(depth, 1))})"

    def let(self, name: str, shape: Shape) -> str:
        about = self.rule.random.one(ABOUT[: 5 if self.rule.of_examples else 4])
        if about == "built":
            value = self.of_example(shape, 2)
        elif about == "pair":
            value = self.pair(shape)
        else:
            value = (self.synapse() if about == "synapse" else self.end(about)).expr(shape, 2)
        self.lets[about][name] = shape
        return f"let {name} = {value}"


# ---------------------------------------------------------------- genomes


def assigned(random: Random, name: str, shape: Shape, value: Callable[[Shape], str]) -> str:
    """`a <- e`, `a[0] <- e` or `a[1:] <- e`; a number may fill a part."""
    part, size = "", shape
    if shape:
        options = [("", shape), ("[0]", shape[1:]), ("[1:]", (shape[0] - 1, *shape[1:]))]
        part, size = random.one(options)
    if 0 in size or random.chance(20):
        size = ()
    return f"{name}{part} <- {random.one(BOUNDED).format(value(size))}"


VARIANTS = {
    "sense": ("inhibitory", "input"), "forward": ("inhibitory", "output"), "feedback": ("inhibitory",),
    "backward": ("hidden", "inhibitory"), "update": ("basal", "apical"),
}  # fmt: skip


def phase(rule: Rule, kind: str) -> str:
    """A phase, and beside it those of some kinds."""
    write = update_phase if kind == "update" else neuron_phase
    own = [of for of in VARIANTS[kind] if rule.kinds and rule.random.chance(40)]
    return "\n".join(rule.random.shuffled([write(rule, kind), *(write(rule, kind, of) for of in own)]))


def neuron_phase(rule: Rule, kind: str, of: str = "") -> str:
    """Random lets and assignments, and then one that passes the signal on."""
    random, lets = rule.random, Names()
    statements: list[str] = []
    for i in range(0 if kind == "sense" and rule.by_rows else random.count(0, 2)):
        name, shape = random.one(list(rule.states.items()))
        place = rule.neuron(kind, lets)
        if random.chance(40):
            lets = {**lets, f"z{i}": shape}
            statements.append(f"let z{i} = {place.expr(shape, 2)}")
        else:
            statements.append(assigned(random, name, shape, lambda s, place=place: place.expr(s, 2)))
    return braces(random, kind, of, [*statements, passed_on(rule, kind, lets)])


def passed_on(rule: Rule, kind: str, lets: Names) -> str:
    """What makes the first state depend on the input, on the target, and on the neighbours."""
    random = rule.random
    name, shape = next(iter(rule.states.items()))
    first = f"{name}[0]" if shape else name
    if kind == "sense":
        form = random.one(["input", "tanh(input)", "input * pace[0]" if rule.of_neuron["pace"] else "pace * input"])
        return f"{first} <- {form if rule.by_rows else 'input'}"
    if kind == "feedback":
        return f"{first} <- {random.one([first, f'softmax({first})'])} - target"
    way, neighbour = ("incoming", "pre") if kind == "forward" else ("outgoing", "post")
    value = f"(0.4 * {rule.neuron(kind, lets).expr(shape, 2)} + 0.5 * {way}(w * {neighbour}.{name}))"
    return f"{name} <- {random.one(BOUNDED).format(value)}"


def update_phase(rule: Rule, kind: str = "update", of: str = "") -> str:
    """Random lets and assignments of channels, and then a Hebbian one."""
    if rule.by_rows:
        return braces(rule.random, kind, of, [row_change(rule) for _ in range(rule.random.count(1, 3))])
    random, update = rule.random, Update(rule)
    statements: list[str] = []
    for i in range(random.count(0, 2)):
        name, shape = random.one(list(rule.channels.items()))
        if random.chance(40):
            statements.append(update.let(f"z{i}", shape))
        else:
            place = update.synapse()
            statements.append(assigned(random, name, shape, lambda s, place=place: place.expr(s, 2)))
    for name, shape in rule.of_examples.items():
        statements.append(assigned(random, name, shape, lambda s: update.of_example(s, 2)))
    shape = rule.channels["w"]
    hebb = f"{update.end('pre').leaf(shape)} * {update.end('post').leaf(shape)}"
    value = f"(0.7 * {update.synapse().expr(shape, 1)} + 0.3 * batch_mean({update.pair(shape)} + {hebb}))"
    return braces(random, kind, of, [*statements, f"w <- {random.one(BOUNDED).format(value)}"])


def row_change(rule: Rule) -> str:
    """A change that is 0 where the presynaptic neuron is."""
    random, update = rule.random, Update(rule)
    name, shape = random.one(list(rule.channels.items()))
    reduced = f"{random.one(['batch_mean', '0.4 * batch_sum'])}(pre.{rule.first} * {update.pair(shape)})"
    zero = random.one(["tanh({0})", "clip({0}, -1.5, 1.5)", "max(min({0}, 1), -1)", "tanh({0} / (0.1 + v ^ 2))"])
    zero = zero.format(reduced) if "v" in rule.channels and rule.channels["v"] in ((), shape) else f"tanh({reduced})"
    times = random.one(["", f" * tanh({rule.synapse().expr(shape, 1)})", f" / (1 + projection_sum(({zero}) ^ 2))"])
    kept = random.one([name, name, name, f"(0.9 * {name})"])
    return f"{name} <- {kept} + 0.3 * {zero}{times}"


def braces(random: Random, kind: str, of: str, statements: Sequence[str]) -> str:
    header = f"{kind} of {of}" if of else kind
    return f"  {header} {{\n    " + random.one(["\n    ", ";\n    ", "; "]).join(statements) + "\n  }"


ORDERS = (
    "sense forward feedback backward update",
    "sense forward update",
    "sense forward update forward feedback backward update",
    "sense forward forward feedback backward update update",
    "sense forward feedback backward forward feedback backward update",
    "sense update forward backward feedback update",
    "sense forward sense backward update forward",
)


@st.composite
def rules(draw: Draw, name: str = "rule", by_rows: bool = False) -> str:
    """A genome: 1 to 3 states (numbers or vectors, some persistent), 1 or 2 channels (the second also a matrix),
    sometimes two more per example, learn values of every shape (shared, or per projection, population, neuron or
    synapse), up to 2 signals, a const, a parameter, the slots SLOTS, functions, and phases in one of several orders,
    some of them in a `repeat`."""
    random = Random(draw)
    k, m = random.count(1, 3), random.count(1, 2)
    shapes: list[Shape] = [(), (k,), (m,)]
    matrices: list[Shape] = [(k, k), (k, m), (m, k)]
    states = {s: random.one(shapes) for s in "abc"[: random.count(1, 3)]}
    channels = {"w": random.one([(), states["a"]])}
    if random.chance(60):
        channels["v"] = random.one([*shapes, (k, m)])
    learns = {s: random.one([*shapes, *matrices]) for s in ("eta", "nu", "mu")[: random.count(1, 3)]}
    per = {s: random.one(["projection", "population", "neuron", "synapse"]) for s in learns if random.chance(45)}
    signals = {s: random.one(shapes) for s in ("reward", "mode")[: random.one([0, 0, 1, 2])]}
    const = random.one([*shapes, *matrices])
    each = {s: shape for s, shape in signals.items() if random.chance(40)}
    shared = {s: shape for s, shape in learns.items() if s not in per} | {"fixed": const, "gain": ()}
    shared |= {s: shape for s, shape in signals.items() if s not in each}
    of = {p: {s: learns[s] for s in per if per[s] == p} for p in ("projection", "population", "neuron", "synapse")}
    of["projection"]["site"], of["population"]["pace"] = (), random.one(shapes)
    of_examples: Names = {"e": (), "f": random.one(shapes)} if not by_rows and random.chance(25) else {}
    rule = Rule(random, states, channels, shared, of, each, random.chance(30), of_examples, by_rows)
    order = random.one(ORDERS).split()
    number = random.one([s for s, shape in shared.items() if not shape])
    lines = [
        f"fn far(x) = {random.one(OWN[:-1]).format(0.8)}",
        f"genome {name}(k = {k}, gain = 0.8) {{",
        "  state "
        + ", ".join(f"{s}{dims(shape, k)}{' persistent' * random.chance(25)}" for s, shape in states.items()),
        *(f"  synapse {c}{dims(shape, k)} {channel_start(random, c, channels)}" for c, shape in channels.items()),
        *(f"  synapse {c}{dims(shape, k)} ~ zeros per example" for c, shape in of_examples.items()),
        *(
            f"  learn {s}{dims(shape, k)} {learn_start(random, shape)}{f' per {per[s]}' if s in per else ''}"
            for s, shape in learns.items()
        ),
        *(f"  signal {s}{dims(shape, k)}{' per example' * (s in each)}" for s, shape in signals.items()),
        f"  const fixed = {Place(random, {}, {}).number(const)}, site = {random.one(['1', '0', '0.5'])} per projection",
        f"  const pace{dims(of['population']['pace'], k)} = 0.8 per population",
        f"  fn phi = {random.one(SLOTS['phi'])}, psi = {random.one(SLOTS['psi'])}",
        f"  fn own(x) = {random.one(OWN).format(number)}, pair(x, y) = {random.one(PAIRS).format(number)}",
        f"  fn jump(x) = {random.one(JUMPS)}",
        *repeated(random, again(random, [phase(rule, kind) for kind in order])),
        f"  readout {readout(rule)} + 0.1 * incoming(site) * pace{'[0]' * bool(of['population']['pace'])}",
        "}",
    ]
    return "\n".join(lines) + "\n"


def again(random: Random, phases: list[str]) -> list[str]:
    """Phases, one of which may have a name and run twice."""
    if not random.chance(20):
        return phases
    first = random.count(0, len(phases) - 1)
    second = random.count(first + 1, len(phases))
    kind = phases[first].split()[0]
    named = re.sub(rf"^  {kind}\b", f"  {kind} named", phases[first], flags=re.MULTILINE)
    return [*phases[:first], named, *phases[first + 1 : second], "  named", *phases[second:]]


def repeated(random: Random, phases: list[str]) -> list[str]:
    """Phases, some that follow each other in a `repeat`."""
    if not random.chance(25):
        return phases
    first = random.count(0, len(phases) - 1)
    last = random.count(first, min(first + 2, len(phases) - 1))
    rounds = [f"  repeat {random.one([2, 1, 3, 0])} {{", *phases[first : last + 1], "  }"]
    return [*phases[:first], *rounds, *phases[last + 1 :]]


def readout(rule: Rule) -> str:
    name, shape = next(iter(rule.states.items()))
    first = f"{name}[0]" if shape else name
    return f"{first} - {rule.neuron('readout', {}).expr((), 1)}" if rule.random.chance(50) else first


def dims(shape: Shape, k: int) -> str:
    """`[k, 3]`: the parameter k where it fits."""
    return f"[{', '.join('k' if n == k else str(n) for n in shape)}]" if shape else ""


def channel_start(random: Random, channel: str, channels: Names) -> str:
    starts = ["~ normal(1 / sqrt(fan_in))", "~ normal(0.5)", "~ uniform(-1, 1 / fan_out)", "~ zeros", "~ ones", "= 0.3"]
    return random.one(starts + ["= w"] * (channel == "v" and channels["v"] == channels["w"]))


def learn_start(random: Random, shape: Shape) -> str:
    return random.one(["~ normal(0.7)", "= 0.5", "~ uniform(-1, 1)", f"= {Place(random, {}, {}).number(shape)}"])


# ---------------------------------------------------------------- networks


@st.composite
def networks(
    draw: Draw,
    genome_name: str,
    slots: Mapping[str, Sequence[str]] = SLOTS,
    name: str = "net",
    kinds: Sequence[str] | None = None,
    inhibitory: bool | None = None,
    ids: int = 20,
) -> str:
    """A network for a genome: 1 or 2 inputs, `ids` percent of them by ids, 0 to 4 hidden and 1 or 2 output populations
    of 1 to 18 neurons (some with several axes), in any order of declaration, on a random graph with skips, branches,
    parallel projections, and delayed ones in any direction.

    Every population is reached from an input and leads to an output (outputs may lead on). Some projections
    have a topology other than dense, carry one way only, are delayed or fixed, have a label, or the synapses of
    another; some populations have no bias or share it, or override one of `slots`, which says what each slot may hold.
    """
    random = Random(draw)
    inputs = ["x0", "x1"][: random.count(1, 2)]
    outputs = ["y0", "y1"][: random.count(1, 2)]
    hidden = ["h0", "h1", "h2", "h3"][: random.count(0, 4)]
    order = [*inputs, *random.shuffled([*hidden, *outputs[1:]]), outputs[0]]  # sources before targets
    edges = through(random, order, len(inputs)) + extra(random, order, len(inputs))
    edges += recurrent(random, order, len(inputs))
    roles = {"x": "input", "h": "hidden", "y": "output"}
    family = random.one(SIZES[:1] if ids > 50 else SIZES)
    shapes = {p: random.one(family) for p in order}
    sizes = {p: list(shape) for p, shape in shapes.items()}
    by_ids = [p for p in inputs if len(shapes[p]) == 1 and random.chance(ids)]
    sizes |= {p: f" ids {shapes[p][0]}" for p in by_ids}
    lines = [f"{roles[p[0]]} {p}{sizes[p]}{options(random, p, shapes[p], slots, inhibitory)}" for p in order]
    chain = chained(edges) if random.chance(20) else []
    if len(chain) > 1:
        path = " -> ".join([chain[0].source, *(e.target for e in chain)])
        lines.append(
            path + random.one(["", " [fixed]", " [sparse(p = 0.4)]", *(f" [kind = {kind}]" for kind in kinds or ())])
        )
        edges = [e for e in edges if e not in chain]
    plain = by_ids if ids > 50 else []  # without a topology or a delay
    same = {} if plain else tied(random, edges, shapes)
    lines += [
        f"{e.source} -> {e.target}{'' if e.source in plain else attributes(random, i, e, shapes, kinds, same)}"
        for i, e in enumerate(edges)
    ]
    lines = random.shuffled(lines) if random.chance(50) else lines
    return "\n  ".join([f"network {name} uses {genome_name} {{", *lines]) + "\n}\n"


# Sizes of populations that windows of 1, 2 and 3 axes often fit.
SIZES: tuple[tuple[Shape, ...], ...] = (
    ((3,), (1,), (2,), (4,), (5,), (2, 2), (1, 3)),
    ((4,), (2,), (4, 2), (2, 2), (3, 1), (5, 1), (2, 3)),
    ((3, 3), (2, 2), (3, 3, 2), (2, 2, 2), (2, 2, 1), (1, 1, 3), (2, 3, 2)),
    ((2, 2, 2), (2, 2, 2, 2), (1, 2, 1), (1, 1, 1, 3), (2, 3, 2, 1)),
)


@dataclass(frozen=True)
class Edge:
    source: str
    target: str
    ways: Sequence[str]  # that it may be restricted to
    least_delay: int = 0


def through(random: Random, order: Sequence[str], inputs: int) -> list[Edge]:
    """Projections that carry forward, so that every population is reached and only the last is a dead end."""
    forward = ["", "", "", "forward"]
    into = [Edge(order[random.count(0, i - 1)], order[i], forward) for i in range(inputs, len(order))]
    sources = {e.source for e in into}
    out = [
        Edge(p, order[random.count(max(i + 1, inputs), len(order) - 1)], forward)
        for i, p in enumerate(order[:-1])
        if p not in sources
    ]
    return into + out


def extra(random: Random, order: Sequence[str], inputs: int) -> list[Edge]:
    """More projections along the order: skips, parallel ones, and ones that carry feedback only."""
    found: list[Edge] = []
    for _ in range(random.count(0, 3)):
        target = random.count(inputs, len(order) - 1)
        source = random.count(0, target - 1)
        found.append(Edge(order[source], order[target], ["", "forward", "backward"]))
    return found


def recurrent(random: Random, order: Sequence[str], inputs: int) -> list[Edge]:
    """Projections in any direction, also from a population to itself: delayed."""
    ends = [(random.one(order), random.one(order[inputs:])) for _ in range(random.one([0, 0, 1, 2]))]
    return [Edge(source, target, ["", "forward", "backward"], 1) for source, target in ends]


def chained(edges: Sequence[Edge]) -> list[Edge]:
    """Edges without delay, each from where the one before it leads to, from the first one on."""
    chain = [edges[0]]
    while found := [e for e in edges if e.source == chain[-1].target and not e.least_delay]:
        chain.append(found[0])
    return chain


def options(
    random: Random, population: str, shape: Shape, slots: Mapping[str, Sequence[str]], inhibitory: bool | None
) -> str:
    kind = ["kind = inhibitory"] * (inhibitory is True and random.chance(40))
    if population.startswith("x"):
        return f" {{ {kind[0]} }}" if kind else ""  # an input has no bias, and rarely a use for a slot
    biases = ["", "", "", "bias = off", *["bias = shared"] * (2 * (len(shape) > 1))]
    bias = random.one(biases)
    chosen = [*kind, *[bias] * bool(bias), *["pace = 0"] * (inhibitory is not None and random.chance(15))]
    chosen += [f"{slot} = {random.one(held)}" for slot, held in slots.items() if random.chance(25)]
    return f" {{ {', '.join(chosen)} }}" if chosen else ""


def tied(random: Random, edges: Sequence[Edge], shapes: Mapping[str, Shape]) -> dict[int, int]:
    """Which edges have the synapses of which others."""
    found: dict[int, int] = {}
    ends = [(shapes[e.source], shapes[e.target]) for e in edges]
    for i in range(len(edges)):
        others = [j for j in range(len(edges)) if j != i and j not in found and ends[j] == ends[i]]
        if others and i not in found.values() and random.chance(40):
            found[i] = random.one(others)
    return found


def attributes(
    random: Random,
    number: int,
    edge: Edge,
    shapes: Mapping[str, Shape],
    kinds: Sequence[str] | None,
    same: Mapping[int, int],
) -> str:
    """`same`: which edges have the synapses of which others."""
    way, delay = random.one(edge.ways), edge.least_delay + random.one([0, 0, 0, 0, 0, 0, 1, 2])
    is_shared = number in same.values()
    label = [f"label = p{number}"] * (is_shared or random.chance(20))
    chosen = [way] * bool(way) + ["fixed"] * random.chance(15) + label
    chosen += [f"delay = {delay}"] * bool(delay)
    if kinds is not None and random.chance(20):
        chosen.append(f"site = {random.one(['0', '1', '0.3'])}")
    if kinds and random.chance(60):
        chosen.append(f"kind = {random.one(kinds)}")
    if number in same:
        chosen.append(f"same = p{same[number]}")
    elif random.chance(60):
        chosen.append(topology(random, shapes[edge.source], shapes[edge.target], is_shared))
    return f" [{', '.join(chosen)}]" if chosen else ""


def topology(random: Random, pre: Shape, post: Shape, has_synapses: bool = False) -> str:
    """One that fits the two populations."""
    fitting = windows(pre, post)
    kinds = ["sparse", *["conv"] * (2 * bool(fitting["conv"]))]
    kinds += ["pool"] * (2 * bool(fitting["pool"]) * (not has_synapses))
    kinds += ["one_to_one", *["identity"] * (not has_synapses)] * 2 * (math.prod(pre) == math.prod(post))
    kind = random.one(kinds)
    if kind == "sparse":
        what = random.one([f"fan_in = {random.count(1, math.prod(pre))}", "p = 0.4", "p = 0.1", "p = 1"])
        form = random.one(["", "", ", form = masked", ", form = gather", ", form = segments"])
        return f"sparse({what}, seed = {random.count(0, 3)}{form})"
    return random.one(fitting[kind]) if kind in fitting else kind


@lru_cache
def windows(pre: Shape, post: Shape) -> dict[str, list[str]]:
    """The convolutions and pools with small windows that fit two populations."""
    found: dict[str, list[str]] = {"conv": [], "pool": []}
    for axes in (1, 2, 3):
        if not {len(pre), len(post)} <= {axes, axes + 1}:
            continue
        triples = itertools.product((1, 2, 3), repeat=axes)
        for window, stride in itertools.product(triples, list(itertools.product((1, 2), repeat=axes))):
            inside = all(w <= n for w, n in zip(window, pre, strict=False))
            for padding in ("same", "valid") if inside else ("same",):
                conv = Conv(window, stride, padding)
                if conv.out(conv.places(pre)) != conv.places(post):
                    continue
                found["conv"].append(str(conv))
                if conv.channels(pre) == conv.channels(post):
                    found["pool"] += [str(Pool(window, stride, padding, kind)) for kind in ("avg", "max")]
    return found


# ---------------------------------------------------------------- whole files, and numbers to run them on


@dataclass(frozen=True)
class Case:
    """A file with one genome and one network, and what to run it on."""

    source: str
    batch: int
    seed: int


@st.composite
def cases(draw: Draw, by_rows: bool = False) -> Case:
    """A whole file, a batch of 1 to 4 examples, and a seed for `values`. `by_rows`: mostly inputs by ids, and a rule
    that leaves most rows as they are."""
    random, rule = Random(draw), draw(rules(by_rows=by_rows))
    kinds = [kind for kind in KINDS if f"[{kind}](" in rule or f"update of {kind}" in rule]
    network = draw(networks("rule", kinds=kinds, inhibitory="of inhibitory" in rule, ids=90 if by_rows else 20))
    source = divided(random, rule) + "\n" + network
    return Case(source, draw(st.integers(1, 4)), draw(st.integers(0, 2**31)))


@dataclass(frozen=True)
class Values:
    """Random numbers for a model: a genome, synapses, and one x, y and set of signals for every step."""

    genome: dict[str, Any]  # {"nu": [k, k]}, or per projection {"nu": {"a->b": [k, k]}}
    synapses: dict[str, dict[str, Array]]  # {projection: {channel: [*channels, *synapses]}}
    xs: list[dict[str, Array]]  # {input: [batch, n]}, or integers [batch, m] where it is by ids
    ys: list[dict[str, Array]]  # {output: [batch, n]}
    signals: list[dict[str, Array]]  # {signal: [*shape]}, or [batch, *shape]
    seed: int

    def noise(self, step: int) -> Callable[[str, str, int, str, Shape], Array]:
        """The draws of one step: always the same for the same population or projection, draw and phase."""

        def draw(kind: str, of: str, number: int, phase: str, shape: Shape) -> Array:
            rng = np.random.default_rng([self.seed, step, zlib.crc32(f"{of} {number} {phase}".encode())])
            return rng.normal(size=shape) if kind == "noise" else rng.uniform(size=shape)

        return draw


def divided(random: Random, text: str) -> str:
    """A genome, or one that extends another, in which some of it stands."""
    if not random.chance(20):
        return text
    file = parse(Source("rule", text), Report())
    (whole,) = file.genomes
    movable = [i for i in whole.items if isinstance(i, syntax.Learn | syntax.Readout | syntax.Phase)]
    unnamed = [i for i in movable if not (isinstance(i, syntax.Phase) and i.name)]
    # Phases of one kind go together: the second `update`, alone, would stand for the first.
    moves = {_together(i): random.chance(50) for i in unnamed}
    own = [i for i in unnamed if moves[_together(i)]]
    base = replace(whole, name="base", items=tuple(i for i in whole.items if not any(i is o for o in own)))
    extends = syntax.Extends("base", span=whole.span)
    variant = replace(whole, params=(), items=tuple(own), extends=extends)
    return unparse(replace(file, genomes=(base, variant)))


def _together(item: syntax.Learn | syntax.Readout | syntax.Phase) -> object:
    return (item.kind, item.of) if isinstance(item, syntax.Phase) else id(item)


def values(model: Model, batch: int, seed: int, steps: int = 3) -> Values:
    """Random numbers for a model. The synapses of the unit neuron are not 0 either, to tell more."""
    rng = np.random.default_rng(seed)
    network, genome = model.network, model.genome

    def batches(role: str) -> list[dict[str, Array]]:
        return [{p.name: fed(p) for p in network.with_role(role)} for _ in range(steps)]

    def fed(p: Population) -> Array:
        if p.ids:
            return rng.integers(-1, p.size, (batch, 1 + seed % 3))
        return rng.normal(size=(batch, p.size))

    metas = {m.name: meta_values(m, model, rng) for m in genome.metas}
    synapses = {
        p: {c.name: rng.normal(0, 0.7, (*c.shape, *shape)) for c in genome.channels if not c.per_example}
        for p, shape in synapse_shapes(model).items()
    }
    xs, ys = batches("input"), batches("output")
    modulators = {m.name: (*[batch] * m.per_example, *m.shape) for m in genome.modulators}
    signals = [{name: rng.normal(size=shape) for name, shape in modulators.items()} for _ in range(steps)]
    return Values(metas, synapses, xs, ys, signals, seed)


def synapse_shapes(model: Model) -> dict[str, Shape]:
    """Of all projections that have arrays of synapses."""
    network = model.network
    return {
        p.name: synapse_shape(p.topology, network.population(p.source).shape, network.population(p.target).shape)
        for p in network.projections
        if p.has_arrays
    }


def meta_values(meta: MetaVar, model: Model, rng: np.random.Generator) -> Any:
    """Random numbers for one meta-parameter, or for each of its owners."""
    if meta.per == "network":
        return rng.normal(0, 0.7, meta.shape)
    owners: Mapping[str, Shape] = {
        "projection": {p.name: () for p in model.network.projections},
        "population": {p.name: () for p in model.network.populations},
        "neuron": {p.name: p.shape for p in model.network.populations},
        "synapse": synapse_shapes(model),
    }[meta.per]
    return {name: rng.normal(0, 0.7, (*meta.shape, *shape)) for name, shape in owners.items()}
