"""Kinds of projections and populations: their names, and whether a rule knows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from blurc.checker import mentions
from blurc.checker.wiring.bodies import Body, Env
from blurc.checker.wording import code, listed
from blurc.diagnostics import Report, suggest
from blurc.language import syntax
from blurc.model import UNIT, Network, Population, Projection

ROLES = ("input", "hidden", "output", UNIT)


def named(given: syntax.Attr | syntax.Option, env: Env, body: Body) -> str:
    """The name that `kind = NAME` gives; "" after a report."""
    match given.value:
        case syntax.Name(name=name):
            found = name
        case syntax.IndexedName():
            found = body.name(given.value, env)
        case _:
            found = None
            of_population = isinstance(given, syntax.Option)
            error, example = ("E407", "inhibitory") if of_population else ("E408", "dendrite")
            body.report.error(error, "a kind must be a name", given.span, help=f"write `kind = {example}`")
    if found in ROLES:
        message = f"`{found}` is a role, which every population has anyway"
        body.report.error("E213", message, given.span, help="give the kind another name, or remove it")
        return ""
    return found or ""


def check_kinds(network: Network, genome: syntax.Genome, report: Report) -> None:
    """Whether a rule knows the kinds of a network that uses it, and finds projections for those that it sums over."""
    if genome.damaged:
        return
    phases = [phase for phase in mentions.phases(genome) if phase.of]
    summed = dict.fromkeys(call.kind for call in _calls(genome) if call.kind)
    of_projections = [*summed, *(p.of for p in phases if p.kind == "update")]
    of_populations = [p.of for p in phases if p.kind != "update" and p.of not in ROLES]
    _known(network.projections, of_projections, "update of {0} {{ .. }}` or `incoming[{0}](..)", "E408", genome, report)
    _known(network.populations, of_populations, "forward of {0} {{ .. }}", "E407", genome, report)
    check_sums(network, genome, report)
    _all_run(network, phases, genome, report)


def check_sums(network: Network, genome: syntax.Genome, report: Report) -> None:
    """Warns of sums over projections of a kind that none in the network is of."""
    there = {p.kind for p in network.projections}
    for call in _calls(genome):
        if call.kind and call.kind not in there:
            message = f"`{code(call.span)}` is always 0: no projection of `{network.name}` is of the kind `{call.kind}`"
            help = suggest(call.kind, there - {""}, f"write it in the network: `a -> b [kind = {call.kind}]`")
            report.warn("W508", message, call.span, help=help)


def _calls(genome: syntax.Genome) -> Iterator[syntax.Call]:
    for item in genome.items:
        yield from (node for node in mentions.walk(item) if isinstance(node, syntax.Call))


def _all_run(network: Network, phases: list[syntax.Phase], genome: syntax.Genome, report: Report) -> None:
    """Warns of phases for kinds that nothing in the network is of, and of an `update` that nothing learns by."""
    of_projections = {p.kind for p in network.projections}
    of_populations = {*ROLES, *(p.kind for p in network.populations)}
    for phase in phases:
        what, there = ("projection", of_projections) if phase.kind == "update" else ("population", of_populations)
        if phase.of and phase.of not in there:
            message = f"this phase never runs: no {what} of `{network.name}` is of the kind `{phase.of}`"
            help = suggest(phase.of, there - {"", UNIT}, "give the kind to one in the network, or remove the phase")
            report.warn("W508", message, mentions.header(phase), help=help)
    learning = sorted({p.kind for p in network.projections if p.plastic})
    if learning and {*learning} <= {p.of for p in phases if p.kind == "update"}:
        for phase in mentions.phases(genome):
            if phase.kind == "update" and not phase.of:
                message = f"this update never runs: all kinds of projections of `{network.name}` have their own"
                help = f"write it for each kind that it is for, `update of {learning[0]} {{ .. }}`, or remove it"
                report.warn("W508", message, mentions.header(phase), help=help)


def _known(
    parts: Iterable[Population | Projection],
    known: list[str],
    written: str,
    error: str,
    genome: syntax.Genome,
    report: Report,
) -> None:
    said: set[str] = set()
    for part in parts:
        if part.kind and part.kind not in {*known, *said}:
            said.add(part.kind)
            message = f"`{part.name}` is of the kind `{part.kind}`, which the genome `{genome.name}` does not know"
            notes = [f"kinds that it knows: {listed([*dict.fromkeys(known)])}"]
            help = f"write `{written.format(part.kind)}` in the genome, or remove the kind"
            report.error(error, message, part.span, notes=notes, help=suggest(part.kind, known, help))
