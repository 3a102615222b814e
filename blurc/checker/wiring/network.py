"""Networks: unrolls loops, expands blocks, resolves names, adds the unit neuron."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from blurc.checker import mentions
from blurc.checker.parameters import parameters
from blurc.checker.wiring import blocks
from blurc.checker.wiring.bodies import Around, Body, Tracked, Wiring
from blurc.checker.wiring.counting import fits
from blurc.checker.wiring.projections import project
from blurc.checker.wiring.ties import tie
from blurc.diagnostics import Report
from blurc.language import functions, syntax
from blurc.model import UNIT, Dense, Genome, Network, ParamValue, Population, Projection, Shared

EMPTY = Around()


def check_network(
    tree: syntax.Network, params: Mapping[str, ParamValue], report: Report, around: Around = EMPTY
) -> Network | None:
    """The network for given parameter values, or None after reporting errors. Needs no genome."""
    return _checked(tree, params, report, around)


def check_block(tree: syntax.Block, report: Report, around: Around) -> Network | None:
    """A block on its own, with its defaults, as a network whose inputs are its ports."""
    return _checked(tree, {}, report, around)


def _checked(
    tree: syntax.Network | syntax.Block, params: Mapping[str, ParamValue], report: Report, around: Around
) -> Network | None:
    tracked = Tracked(report, tree)
    env = parameters(tree.params, params, tracked, around.functions)
    body = Body(tree, env, tracked, Wiring(around))
    if not fits(tree, env, around, report):
        return None
    placed = list(blocks.expand(body))
    blocks.bind(body)
    ties = [found for projection in placed if (found := project(projection))]
    tie(ties, body.wiring)
    _roles(body, tracked)
    if tracked.failed:
        return None
    values = tuple((n, v) for n, v in env.items() if v is not None)
    populations, projections = _with_unit(tree, body.wiring)
    return Network(tree.name, values, populations, projections, tree.span)


def unused_parameters(tree: syntax.Network | syntax.Block, report: Report) -> None:
    """Warns of unused parameters. Only for a network without errors: a use may be the mistake."""
    uses = (tree.uses,) if isinstance(tree, syntax.Network) and tree.uses else ()
    read = mentions.names([*tree.params, *uses, *tree.items])
    for p in tree.params:
        if p.name not in read:
            report.warn("W501", f"`{p.name}` is never used", p.span, help="remove it")


def check_held(network: Network, genome: Genome, wrong: Collection[str], report: Report) -> None:
    """Whether the genome has the functions of the spec that populations put into its slots, and whether they fit.
    `wrong`: functions of which a mistake has been reported."""
    slots = dict(genome.slots)
    for p in network.populations:
        for slot, name in p.slots:
            if slot in slots and name not in (*functions.UNARY, *wrong) and genome.function(name) is None:
                message = f"`{genome.name}` has no function `{name}` that fits the slot `{slot}` of `{p.name}`"
                gives = f"a slot takes a function of one number, `fn {name}(x) = ..`, that gives a number"
                help = f"{gives} and reads only what is the same for the whole network"
                report.error("E407", message, p.span, help=help)


def _roles(body: Body, report: Tracked) -> None:
    tree = body.tree
    if tree.damaged or body.broken:
        return
    roles = {body.wiring.populations[name].role for name in body.names.values()}
    missing = {role: example for role, example in (("input", "x[2]"), ("output", "y[1]")) if role not in roles}
    if missing:
        what = "network" if isinstance(tree, syntax.Network) else "block"
        message = f"the {what} `{tree.name}` has no {' and no '.join(missing)} population"
        help = "declare " + " and ".join(f"`{role} {example}`" for role, example in missing.items())
        report.error("E406", message, tree.name_span, help=help)


def _with_unit(
    tree: syntax.Network | syntax.Block, wiring: Wiring
) -> tuple[tuple[Population, ...], tuple[Projection, ...]]:
    """The unit neuron projects to a population once for each kind of projections that carry forward to it."""
    populations, projections = list(wiring.populations.values()), list(wiring.projections.values())
    biased = [p for p in populations if p.bias]
    if biased:
        populations.append(Population(UNIT, "unit", (1,), (), False, tree.span))
    leading: dict[str, list[str]] = {}
    for e in projections:
        if e.forward and e.kind not in leading.setdefault(e.target, []):
            leading[e.target].append(e.kind)
    for p in biased:
        topology = Shared() if p.name in wiring.shared else Dense()
        for kind in leading.get(p.name, [""]):
            name = f"{UNIT}->{p.name}{f'#{kind}' if kind else ''}"
            unit = Projection(name, UNIT, p.name, True, False, True, topology, p.span, kind=kind)
            projections.append(unit)
    return tuple(populations), tuple(projections)
