"""Prints a checked model in the language: all values known, all shapes given, no loops or imports.

Expressions are converted back to syntax trees, so only `unparse` knows how to print them. Comments show what the
checker inferred: the shape of a value, and what it varies over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from blurc.language import syntax as s
from blurc.language import unparse
from blurc.model import model as m
from blurc.model.topology import Dense

OPERATORS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "matmul": "@", "pow": "^",
    "less": "<", "at_most": "<=", "greater": ">", "at_least": ">=",
}  # fmt: skip
COMMENT_AT = 64  # column of the comments


def show(model: m.Model) -> str:
    return "\n".join([*_genome(model.genome), "", *_network(model.network)])


def _genome(g: m.Genome) -> Iterator[str]:
    yield f"genome {g.name}{_params(g.params)} {{"
    for state in g.states:
        yield f"  state   {_declared(state)}{' persistent' if state.persistent else ''}"
    for modulator in g.modulators:
        yield f"  signal  {_declared(modulator)}{' per example' if modulator.per_example else ''}"
    for channel in g.channels:
        yield f"  synapse {_declared(channel)} {_init(channel.init)}{' per example' if channel.per_example else ''}"
    for meta in g.metas:
        per = "" if meta.per == "network" else f" per {meta.per}"
        yield f"  learn   {_declared(meta)} {_init(meta.init)}{per}"
    for f in g.functions:
        slope = f" slope {expression(f.slope)}" if f.slope else ""
        yield f"  fn      {f.name}({', '.join(f.arguments)}) = {expression(f.value)}{slope}"
    for constant in g.constants:
        value = unparse(_literal(constant.value, constant))
        yield f"  const   {_declared(constant)} = {value} per {constant.per}"
    for slot, function in g.slots:
        yield f"  fn      {slot} = {function}"
    yield from _phases(g.phases)
    yield ""
    yield _commented(f"  readout {expression(g.readout)}", _type(g.readout))
    yield "}"


def _phases(phases: Sequence[m.Phase]) -> Iterator[str]:
    """Rolls the rounds of a `repeat` back up."""
    at = 0
    while at < len(phases):
        body = _body(phases, at)
        rounds = _rounds(phases, phases[at])
        yield ""
        if rounds:
            yield f"  repeat {rounds} {{"
        for phase in body:
            name = phase.name.split("@")[0]
            plain = name.partition("#")[0]
            named = "" if plain == phase.kind else f" {plain}"
            for of, statements in _written_out(phase):
                lines = [_commented(f"  {phase.kind}{named}{of} {{", name if name != plain else "")]
                lines += [*map(_statement, statements), "  }"]
                yield from (f"  {line}" if rounds else line for line in lines)
        if rounds:
            yield "  }"
        at += max(rounds, 1) * len(body)


def _written_out(phase: m.Phase) -> Iterator[tuple[str, tuple[m.Statement, ...]]]:
    """The statements of a phase, and those of its variants."""
    if phase.statements or not phase.variants:
        yield "", phase.statements
    yield from ((f" of {v.of}", v.statements) for v in phase.variants)


def _body(phases: Sequence[m.Phase], at: int) -> Sequence[m.Phase]:
    """One round of the `repeat` that starts at `at`, or the single phase there."""
    rounds = _rounds(phases, phases[at])
    stop = at + 1
    while (
        rounds and stop < len(phases) and phases[stop].name.endswith("@1") and _rounds(phases, phases[stop]) == rounds
    ):
        stop += 1
    return phases[at:stop]


def _rounds(phases: Sequence[m.Phase], phase: m.Phase) -> int:
    """How often a `repeat` runs this phase; 0 outside of repeats."""
    name = phase.name.split("@")[0]
    return sum(other.name.startswith(f"{name}@") for other in phases)


def _declared(v: m.Declared) -> str:
    return v.name + (str(list(v.shape)) if v.shape else "")


def _init(init: m.Init) -> str:
    if init.dist == "copy":
        return f"= {init.source}"
    args = ", ".join(map(expression, init.args))
    return f"= {args}" if init.dist == "value" else f"~ {init.dist}({args})"


def _statement(statement: m.Statement) -> str:
    value = _tree(statement.value)
    if isinstance(statement, m.LetStatement):
        node: s.Statement = s.Let(statement.name, value, span=statement.span)
    else:
        items = tuple(_item(i, statement) for i in statement.items)
        node = s.Assign(statement.name, items, value, span=statement.span, name_span=statement.span)
    return _commented(f"    {unparse(node)}", _type(statement.value))


def _type(e: m.Expr) -> str:
    """`[2] by example and neuron`."""
    over = [str(flag.name).lower() for flag in m.Over if flag in e.over and flag is not m.Over.BUILT]
    return f"{list(e.shape)}{' by ' if over else ''}{', '.join(over)}"


def expression(e: m.Expr) -> str:
    return unparse(_tree(e))


def _tree(e: m.Expr) -> s.Expr:
    match e:
        case m.Literal(value=value):
            return _literal(value, e)
        case m.State(name=name, side=side) | m.Meta(name=name, side=side) if side != "own":
            return s.Attribute(side, name, span=e.span)
        case m.Meta(name=name) | m.State(name=name) | m.Channel(name=name) | m.Let(name=name):
            return s.Name(name, span=e.span)
        case m.Signal(name=name) | m.Fan(name=name) | m.Modulator(name=name) | m.Argument(name=name):
            return s.Name(name, span=e.span)
        case m.Noise(std=std):
            return s.Call("noise", (_tree(std),), span=e.span)
        case m.Uniform(low=low, high=high):
            return s.Call("uniform", (_tree(low), _tree(high)), span=e.span)
        case m.Apply(function=function, args=args, prime=prime):
            return _apply(function, tuple(map(_tree, args)), prime, e)
        case m.Slot(name=name, arg=arg, prime=prime):
            return s.Call(name, (_tree(arg),), prime, span=e.span)
        case m.Sloped(function=function, arg=arg):
            return s.Call(function, (_tree(arg),), span=e.span)
        case m.Pick(arg=arg, items=items):
            return s.Index(_tree(arg), tuple(_item(i, e) for i in items), span=e.span)
        case m.Stack(items=items):
            return s.Vector(tuple(map(_tree, items)), span=e.span)
        case m.Total(direction=direction, side=side, body=body, kind=kind):
            return s.Call(direction, (_tree(body),), False, None if side == "own" else side, kind, span=e.span)
        case m.Until(body=body):
            return s.Call("outgoing_until", (_tree(body),), False, "pre", span=e.span)
        case m.Running(function=function, arg=arg, rate=rate):
            given = (s.Name("running", span=e.span),) if function == "standardize" else ()
            return s.Call(function, (_tree(arg), *given, _literal(rate, e)), span=e.span)
        case m.Reduce(kind=name, body=body) | m.Across(function=name, body=body):
            return s.Call(name, (_tree(body),), span=e.span)


def given(value: m.Given) -> str:
    """As it is written: `tau = 20.0`."""
    return f"{value.name} = {unparse(_literal(value.value, value))}"


def _literal(value: m.Nested, at: m.Expr | m.Declared) -> s.Expr:
    if isinstance(value, tuple):
        return s.Vector(tuple(_literal(v, at) for v in value), span=at.span)
    number = s.Number(abs(value), span=at.span)
    return s.Negate(number, span=at.span) if value < 0 else number


def _apply(function: str, args: tuple[s.Expr, ...], prime: bool, at: m.Expr) -> s.Expr:
    match function, args:
        case "hold", (operand,):
            return operand
        case "neg", (operand,):
            return s.Negate(operand, span=at.span)
        case _, (left, right) if function in OPERATORS:
            return s.Binary(OPERATORS[function], left, right, span=at.span)  # pyright: ignore[reportArgumentType]
        case _:
            return s.Call(function, args, prime, span=at.span)


def _item(item: int | tuple[int, int], at: m.Expr | m.Assign) -> s.Expr | s.Slice:
    if isinstance(item, int):
        return s.Number(item, span=at.span)
    low, high = (s.Number(n, span=at.span) for n in item)
    return s.Slice(low, high, span=at.span)


def _network(n: m.Network) -> Iterator[str]:
    yield f"network {n.name}{_params(n.params)} {{"
    for p in n.populations:
        options = [f"{slot} = {function}" for slot, function in p.slots]
        options += [f"kind = {p.kind}"] if p.kind else []
        options += map(given, p.values)
        options += ["bias = off"] if not p.bias and p.role in ("hidden", "output") else []
        braces = f" {{ {', '.join(options)} }}" if options else ""
        shape = f" ids {p.size}" if p.ids else list(p.shape) or ""
        yield _commented(f"  {p.role:6} {p.name}{shape}{braces}", f"{p.size} neurons" * (p.size > 1))
    yield ""
    for e in n.projections:
        ways = {(True, True): [], (True, False): ["forward"], (False, True): ["backward"]}[e.forward, e.feedback]
        named = [] if e.name == f"{e.source}->{e.target}" else [f"label = {e.name}"]
        topology = [] if isinstance(e.topology, Dense) else [str(e.topology)]
        whose = [f"same = {e.same}"] if e.same else topology
        delay = [f"delay = {e.delay}"] if e.delay else []
        kind = [f"kind = {e.kind}"] if e.kind else []
        attrs = [*whose, *kind, *map(given, e.values), *delay, *ways, *([] if e.plastic else ["fixed"]), *named]
        brackets = f" [{', '.join(attrs)}]" if attrs else ""
        dense = "" if topology else "dense, "
        sizes = f"{dense}{n.population(e.source).size} x {n.population(e.target).size}"
        yield _commented(f"  {e.source} -> {e.target}{brackets}", sizes)
    yield "}"


def _params(params: Iterable[tuple[str, m.ParamValue]]) -> str:
    shown = ", ".join(f"{name} = {value}" for name, value in params)
    return f"({shown})" if shown else ""


def _commented(line: str, comment: str) -> str:
    return f"{line.ljust(COMMENT_AT)}  # {comment}" if comment else line
