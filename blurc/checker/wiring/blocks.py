"""Writing out: loops are unrolled, and blocks put where they are used.

It goes in three rounds, for names may be used before they are declared: populations, those of blocks with them; then
what the ports of blocks are bound to; then projections (`projections.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from blurc.checker import mentions
from blurc.checker.parameters import NEW_NAME, parameters
from blurc.checker.wiring import populations
from blurc.checker.wiring.bodies import Around, Body, Env, Noted, Use
from blurc.checker.wording import code, listed
from blurc.diagnostics import Report, Span, suggest
from blurc.language import syntax
from blurc.model import UNIT, ParamValue, dims


@dataclass(frozen=True, slots=True)
class Placed:
    """A projection, one of those of a chain, with the body it stands in and the parameters and loop variables that it
    was written under."""

    item: syntax.Projection
    source: syntax.IndexedName
    target: syntax.IndexedName
    env: Env
    body: Body

    @property
    def in_chain(self) -> bool:
        return len(self.item.ends) > 2

    @property
    def span(self) -> Span:
        return self.source.span.to(self.target.span) if self.in_chain else self.item.span


def expand(body: Body) -> Iterator[Placed]:
    """All projections of a body and of the blocks it uses, in order. Declares the populations on the way."""
    for item, env in _unrolled(body.tree.items, body.env, body):
        match item:
            case syntax.Population():
                populations.declare(item, env, body)
            case syntax.Projection(ends=ends):
                yield from (Placed(item, source, target, env, body) for source, target in pairwise(ends))
            case _:
                yield from _instance(item, env, body)


def used(tree: syntax.Network | syntax.Block, blocks: Mapping[str, syntax.Block]) -> dict[str, syntax.Block]:
    """The blocks that a network or block uses, and those that they use."""
    found: dict[str, syntax.Block] = {}
    todo: list[syntax.Network | syntax.Block] = [tree]
    while todo:
        for node in mentions.walk(todo.pop()):
            if isinstance(node, syntax.Instance) and node.block in blocks and node.block not in found:
                found[node.block] = blocks[node.block]
                todo.append(blocks[node.block])
    return found


# ---------------------------------------------------------------- loops


def _unrolled(
    items: tuple[syntax.NetworkItem, ...], env: Env, body: Body
) -> Iterator[tuple[syntax.Population | syntax.Projection | syntax.Instance, Env]]:
    for item in items:
        if not isinstance(item, syntax.For):
            yield item, env
            continue
        for i in _range(item, env, body):
            yield from _unrolled(item.items, {**env, item.variable: i}, body)


def _range(item: syntax.For, env: Env, body: Body) -> range:
    numbers = body.numbers(env)
    low = numbers.whole(item.low, "the start of a range")
    high = numbers.whole(item.high, "the end of a range")
    if item.variable in env:
        body.report.error(
            "E106",
            f"the loop variable `{item.variable}` is declared twice",
            item.span,
            notes=["it is a parameter, or the variable of a loop around this one"],
            help=NEW_NAME,
        )
    elif low is not None and high is not None:
        return range(low, high + 1)
    return range(0)


# ---------------------------------------------------------------- blocks in use


def _instance(item: syntax.Instance, env: Env, body: Body) -> Iterator[Placed]:
    name = body.name(item.name, env)
    block = _block(item, body)
    if name is None or block is None or name == UNIT:
        body.broken.add(item.name.base if name is None else name)
        if name == UNIT:
            message = f"`{UNIT}` is the population of the unit neuron"
            body.report.error("E213", message, item.name.span, help=NEW_NAME)
    elif body.is_free(name, "block in use", item.name.span):
        given = _arguments(item, block, env, body)
        inner = _body(f"{body.prefix}{name}", block, given, Use(item, body, env))
        body.instances[name] = inner
        yield from expand(inner)


def _body(name: str, block: syntax.Block, given: Mapping[str, ParamValue | None], use: Use) -> Body:
    values = ", ".join(f"{p} = {v}" for p, v in given.items() if v is not None)
    note = f"in `{name}`, the block `{block.name}`{f' with {values}' if values else ''}, used at {use.item.span}"
    written = {a.name: a.value for a in reversed(use.item.args)}
    numbers = {p: e for p in given if not isinstance(e := written[p], syntax.IndexedName)}
    report = Noted(_outer(use.within), use.within.report, block.name, note, numbers)
    wiring = use.within.wiring
    values = parameters(block.params, given, report, wiring.around.functions)
    return Body(block, values, report, wiring, f"{name}.", use)


def _outer(body: Body) -> Report:
    """What a body reports to, without its note."""
    return body.report.outer if isinstance(body.report, Noted) else body.report


def _block(item: syntax.Instance, body: Body) -> syntax.Block | None:
    around = body.wiring.around
    if item.block not in around.blocks:
        _unknown_block(item, around, body)
        return None
    if cycle := _recursion(item, body):
        names = " -> ".join(i.block for i in cycle)
        last = cycle[-1]
        message = f"the block `{last.block}` contains itself: {last.block} -> {names}"
        help = "take one of these uses out"
        _outer(body).error("E422", message, last.span, help=help)
        return None
    return around.blocks[item.block]


def _unknown_block(item: syntax.Instance, around: Around, body: Body) -> None:
    if kind := around.others.get(item.block):
        message = f"`{item.block}` is a {kind}, not a block"
        help = (
            f"write `network n uses {item.block}`; only blocks stand inside others"
            if kind == "genome"
            else f"turn it into a block: `block {item.block} {{ .. }}`"
        )
    else:
        message = f"unknown block `{item.block}`"
        help = f"import the file that declares it, or write `block {item.block} {{ input x[8]  output y[8]  x -> y }}`"
    body.report.error(
        "E421",
        message,
        item.span,
        notes=[f"known here: {listed(list(around.blocks))}"],
        help=suggest(item.block, around.blocks, help),
    )


def _recursion(item: syntax.Instance, body: Body) -> list[syntax.Instance] | None:
    """The uses that lead from a block back to itself. They end with that of the block that is declared first, from
    wherever the circle is entered."""
    chain = [item]
    around = body
    while isinstance(around.tree, syntax.Block):
        if around.tree.name == item.block:
            chain.reverse()
            order = [*body.wiring.around.blocks]
            first = min(range(len(chain)), key=lambda i: order.index(chain[i].block))
            return [*chain[first + 1 :], *chain[: first + 1]]
        if around.use is None:
            return None
        chain.append(around.use.item)
        around = around.use.within
    return None


# ---------------------------------------------------------------- arguments


def _arguments(item: syntax.Instance, block: syntax.Block, env: Env, body: Body) -> dict[str, ParamValue | None]:
    """The values of parameters. What else stands there should bind ports."""
    known = {p.name for p in block.params} - _ports(block, body)
    numbers = body.numbers(env)
    given: dict[str, ParamValue | None] = {}
    seen: set[str] = set()
    for arg in item.args:
        if arg.name in seen:
            body.report.error("E106", f"`{arg.name}` is given twice", arg.span, help="keep one of them")
        elif arg.name in known and not isinstance(arg.value, syntax.IndexedName):
            given[arg.name] = numbers.evaluate(arg.value)
        elif arg.name in known:
            given[arg.name] = None
            message = f"`{arg.name}` is a parameter, and takes a number, found `{code(arg.value.span)}`"
            body.report.error("E206", message, arg.span, help=f"write `{arg.name} = 32`, for example")
        seen.add(arg.name)
    return given


def _ports(block: syntax.Block, body: Body) -> set[str]:
    """The names of its ports, without their indices. Kept: a block may be used many times."""
    kept = body.wiring.ports
    if block.name not in kept:
        found = [node for node in mentions.walk(block) if isinstance(node, syntax.Population)]
        kept[block.name] = {node.name.base for node in found if node.role == "input"}
    return kept[block.name]


def bind(body: Body) -> None:
    """Binds the ports of all blocks that a body uses, and of those that they use."""
    for inner in body.instances.values():
        _bind_ports(inner)
        bind(inner)


def _bind_ports(body: Body) -> None:
    assert body.use is not None
    item, within = body.use.item, body.use.within
    params = [p.name for p in body.tree.params]
    bound: set[str] = set()
    for arg in {a.name: a for a in reversed(item.args)}.values():
        if arg.name in body.port_shapes:
            bound.add(arg.name)
            _bind(arg, body, body.use)
        elif arg.name not in params and not (arg.name in body.broken or body.tree.damaged):
            within.report.error(
                "E424",
                f"the block `{body.tree.name}` has neither a port nor a parameter `{arg.name}`",
                arg.span,
                notes=[f"ports: {listed([*body.port_shapes])}; parameters: {listed(params)}"],
                help=suggest(arg.name, [*body.port_shapes, *params], "remove it"),
            )
    missing = [port for port in body.port_shapes if port not in bound]
    body.broken |= {port for port in body.port_shapes if port not in body.names}
    if missing and not any(a.name not in {*body.port_shapes, *params} for a in item.args):
        plural = "port" if len(missing) == 1 else "ports"
        names = ", ".join(f"`{m}`" for m in missing)
        within.report.error(
            "E423",
            f"the {plural} {names} of the block `{body.tree.name}` {'is' if len(missing) == 1 else 'are'} not bound",
            item.span,
            help=f"write `{item.block}({', '.join(f'{m} = POPULATION' for m in missing)}, ..)`",
        )


def _bind(arg: syntax.Binding, body: Body, use: Use) -> None:
    within, shape = use.within, body.port_shapes[arg.name]
    end = syntax.as_population(arg.value)
    if end is None:
        message = f"the port `{arg.name}` takes a population, found `{code(arg.value.span)}`"
        within.report.error("E425", message, arg.span, help=f"write its name: `{arg.name} = h`")
        return
    found = within.resolve(end, use.env)
    if found is None:
        return
    population = within.wiring.populations[found[1]]
    if population.shape == shape:
        body.names[arg.name] = found[1]
        return
    name, source = (within.name(n, use.env) for n in (use.item.name, end))
    within.broken.add(str(name))
    if end.port and source in within.broken:  # that block has the wrong shapes, and this follows from it
        return
    within.report.error(
        "E425",
        f"the port `{arg.name}` of `{use.item.block}` is {dims(shape)}, but `{found[0]}` is {dims(population.shape)}",
        arg.span,
        help=_fitting(body, arg.name, population.shape) or f"bind it to a population of the shape {dims(shape)}",
    )


def _fitting(body: Body, port: str, shape: tuple[int, ...]) -> str | None:
    """The parameters that would make a port fit, where its sizes are plain parameters."""
    sizes, known = body.ports[port].dims, {p.name for p in body.tree.params}
    if len(sizes) != len(shape):
        return None
    wrong = [(size, n) for size, n, old in zip(sizes, shape, body.port_shapes[port], strict=True) if n != old]
    named = {size.name: n for size, n in wrong if isinstance(size, syntax.Name) and size.name in known}
    fits = all(isinstance(size, syntax.Name) and named.get(size.name) == n for size, n in wrong)
    return f"write {', '.join(f'`{name} = {n}`' for name, n in named.items())}" if fits else None
