"""Populations: their names, sizes and options."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, TypeAlias

from blurc.checker.constants import Constants, WrongValue, complete
from blurc.checker.parameters import NEW_NAME
from blurc.checker.rules.foreign import slot_help
from blurc.checker.wiring import kinds
from blurc.checker.wiring.bodies import Around, Body, Env, Use
from blurc.checker.wording import code
from blurc.diagnostics import Span, did_you_mean
from blurc.language import functions, syntax
from blurc.model import UNIT, Given, Population, dims

OPTIONS = ("bias", "kind")  # beside the slots of the genome
SWITCHES = ("on", "off", "shared")  # what `bias` may be
MOST_NEURONS = 2**31 - 1  # of a population: sizes are 32-bit numbers further on
MOST_IDS = 2**30  # so that the numbers of rows and of ids together stay within 32 bits

Bias: TypeAlias = Literal["on", "off", "shared"]


def declare(item: syntax.Population, env: Env, body: Body) -> None:
    """Adds a population to the wiring. A port of a block in use is only noted down: what it is bound to is there
    already."""
    name = body.name(item.name, env)
    if name is None:
        body.broken.add(item.name.base)
        return
    numbers = body.numbers(env)
    shape = _shape(item, numbers)
    slots, values, bias = _options(item, numbers, shape, name, body.wiring.around)
    kind = next((kinds.named(o, env, body) for o in item.options if o.name == "kind"), "")
    if shape is None or not (_is_small(item, shape, body) and _may_have_ids(item, body)):
        body.broken.add(name)
    elif _name_is_free(name, item, body):
        whole = body.prefix + name
        population = Population(whole, item.role, shape, slots, bias != "off", item.span, kind, values, item.ids)
        _add(name, item, population, bias, body)


def _shape(item: syntax.Population, numbers: Constants) -> tuple[int, ...] | None:
    if item.ids:
        return complete([numbers.whole(item.dims[0], "the number of ids", 1, MOST_IDS)])
    return complete(numbers.whole(d, "the size of a population", 1) for d in item.dims)


def _may_have_ids(item: syntax.Population, body: Body) -> bool:
    """Only the data of a network's inputs can be ids."""
    is_port = isinstance(body.tree, syntax.Block) and item.role == "input"
    if not item.ids or (item.role == "input" and not is_port):
        return True
    called, sizes = code(item.name.span), code(item.dims[0].span)
    if is_port:
        message = f"`{called}` is a port of the block, and ids are the data of a network's input"
        help = f"write `input {called}[{sizes}]`, and bind it to an input by ids outside"
    else:
        role = "an output" if item.role == "output" else item.role
        message = f"`{called}` is {role}, and ids are the data of an input"
        help = f"write `{item.role} {called}[{sizes}]`"
    body.report.error("E407", message, item.span, help=help)
    return False


def _add(name: str, item: syntax.Population, population: Population, bias: Bias, body: Body) -> None:
    if isinstance(body.tree, syntax.Block) and item.role == "input":
        if name in (p.name for p in body.tree.params):
            message = f"`{name}` is a parameter and a port of the block"
            body.report.error("E106", message, item.name.span, help="rename one of them")
        body.ports[name] = item
        body.port_shapes[name] = population.shape
        if body.use:
            return
    if item.role == "output":
        body.outputs.add(name)
    whole = population.name
    if body.use and item.role == "output":  # what happens to it there does not concern the block
        population = replace(population, role="hidden", span=_first_use(body))
    body.names[name] = whole
    body.wiring.populations[whole] = population
    if bias == "shared":
        body.wiring.shared.add(whole)


def _first_use(body: Body) -> Span:
    """Where the network itself uses what this body is part of."""
    *_, outermost = uses(body)
    return outermost.item.span


def uses(body: Body) -> Iterator[Use]:
    """Where the body is used, then where the body is used that uses it, and so on."""
    while body.use:
        yield body.use
        body = body.use.within


def _is_small(item: syntax.Population, shape: tuple[int, ...], body: Body) -> bool:
    if math.prod(shape) > MOST_NEURONS:
        message = f"a population has at most {MOST_NEURONS:,} neurons, but this one has {math.prod(shape):,}"
        body.report.add(WrongValue.of(item.dims, item.span, message, "write smaller sizes"))
    return math.prod(shape) <= MOST_NEURONS


def _name_is_free(name: str, item: syntax.Population, body: Body) -> bool:
    if name == UNIT:
        body.broken.add(name)
        message = f"`{UNIT}` is the population of the unit neuron"
        body.report.error("E213", message, item.name.span, help=NEW_NAME)
        return False
    return body.is_free(name, "population", item.name.span)


# ---------------------------------------------------------------- options


def _options(
    item: syntax.Population, numbers: Constants, shape: tuple[int, ...] | None, name: str, around: Around
) -> tuple[tuple[tuple[str, str], ...], tuple[Given, ...], Bias]:
    bias: Bias = "off" if item.role == "input" else "on"
    slots: dict[str, str] = {}
    values: list[Given] = []
    seen: set[str] = set()
    for option in item.options:
        if option.name in seen:
            numbers.report.error("E407", f"`{option.name}` is given twice", option.span, help="keep one of them")
        elif option.name == "bias":
            bias = _bias(item, option, numbers, shape, name)
        elif option.name == "kind":
            pass  # read apart
        elif isinstance(found := _slot_or_value(option, numbers, around), Given):
            values.append(found)
        elif found:
            slots[option.name] = found
        seen.add(option.name)
    return tuple(slots.items()), tuple(sorted(values, key=lambda v: v.name)), bias


def _slot_or_value(option: syntax.Option, numbers: Constants, around: Around) -> str | Given | None:
    """The function that an option puts into a slot, one of the language or of the spec's own; or a value."""
    own = around.functions
    name = option.value.name if isinstance(option.value, syntax.Name) else None
    if isinstance(option.value, syntax.Vector):
        return given(option, option.value, numbers)
    is_function = name in functions.UNARY or name in own or option.name not in around.of_populations
    value = name if name and name not in numbers.values and is_function else numbers.evaluate(option.value)
    if value is None or value in functions.UNARY or value in own:
        return None if value is None else str(value)
    if not isinstance(value, str):
        return Given(name=option.name, shape=(), span=option.value.span, value=float(value))
    if name in SWITCHES:
        message, help = (f"`{option.name}` is not a switch of a population", f"the only one is `bias`: `bias = {name}`")
    else:
        message = f"`{option.name}` takes a function, found `{code(option.value.span)}`"
        help = slot_help(option.name, code(option.value.span), sorted(own.names))
    if not (around.damaged and name):  # the function may be in what was left out
        numbers.report.error("E407", message, option.span, help=help)
    return None


def given(item: syntax.Option | syntax.Attr, value: syntax.Expr, numbers: Constants) -> Given | None:
    """The number, vector or matrix that a value is."""
    found = numbers.nested(value)
    return found and Given(name=item.name, shape=found[1], span=value.span, value=found[0])


def _bias(
    item: syntax.Population, option: syntax.Option, numbers: Constants, shape: tuple[int, ...] | None, name: str
) -> Bias:
    text = code(option.value.span)
    if text not in SWITCHES:
        near = did_you_mean(text, SWITCHES)
        message = f"`bias` is on, off or shared, found `{text}`"
        help = f"did you mean `bias = {near}`?" if near else "write `bias = off`"
        numbers.report.error("E407", message, option.span, help=help)
        return "on"
    if item.role == "input" and text != "off":
        message = "an input population has no bias: its states come from outside"
        numbers.report.error("E407", message, option.span, help="remove it")
        return "off"
    if text == "shared" and shape is not None and len(shape) < 2:
        message = f"`bias = shared` is one bias a channel, the last axis, for all places, but `{name}` is {dims(shape)}"
        declared = f"{name}[8, 8, {shape[0] if shape else 1}]"
        help = f"remove it: every neuron has its own bias, or declare places and channels: `{declared}`"
        numbers.report.error("E407", f"{message} and has no places", option.span, help=help)
        return "on"
    return text
