"""All errors and warnings of a spec."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeAlias

from blurc import checker, graph
from blurc.diagnostics import Diagnostic, Report, Span, TooMany, in_order
from blurc.guards import typed
from blurc.language import syntax
from blurc.model import Genome, Locality, ParamValue, Size, locality, size
from blurc.spec.sources import Sources, Spec, used_genome

Params: TypeAlias = Mapping[str, ParamValue]


@typed
def check(spec: Spec) -> list[Diagnostic]:
    """The errors and warnings of a spec and its imports: all genomes and blocks with their defaults, all networks with
    the genomes and blocks that they use."""
    report = Report()
    try:
        check_all(Sources.load(spec, report), report)
    except TooMany as error:
        return [*error.diagnostics]
    return in_order(report.diagnostics)


@typed
def localities(spec: Spec) -> dict[str, Locality]:
    """How far the genomes of a spec and its imports see, by name; those with errors are left out."""
    report = Report()
    sources = Sources.load(spec, report)
    found = {name: checker.check_genome(tree, {}, report) for name, tree in sources.genomes.items()}
    return {name: locality(genome) for name, genome in found.items() if genome}


def sizes(spec: Spec) -> dict[str, Size]:
    """What the networks of a spec come to with the genomes they use, by name; those with errors are left out."""
    report = Report()
    sources = Sources.load(spec, report)
    found: dict[str, Size] = {}
    for name, tree in sources.networks.items():
        network = checker.check_network(tree, {}, report, sources.around)
        genome = used_genome(sources, tree, report)
        checked = checker.check_genome(genome, {}, report) if genome else None
        if network:
            found[name] = size(network, checked)
    return found


def check_all(sources: Sources, report: Report) -> None:
    own = checker.check_functions(sources.functions.values(), report, sources.lacks_imports)
    genomes = _check_genomes(sources, report)
    sound = set(genomes)
    sound |= {name for name, tree in sources.blocks.items() if _is_sound(tree, sources, report)}
    for tree in sources.networks.values():
        before = len(report.errors)
        _check_network(tree, sources, genomes, sound, own.wrong, report)
        if len(report.errors) == before and not tree.damaged:
            checker.unused_parameters(tree, report)
    _declares_something(sources, report)


def _check_genomes(sources: Sources, report: Report) -> dict[str, Genome]:
    """Those without errors. A mistake in what a genome inherits is said once, where it stands, and by the genome that
    declares it, if it is one there."""
    before = len(report.diagnostics)
    found = {name: Report([*report.diagnostics]) for name in sources.genomes}
    checked = {name: checker.check_genome(tree, {}, found[name]) for name, tree in sources.genomes.items()}
    sound = {name: genome for name, genome in checked.items() if genome}
    new = [(tree, d) for name, tree in sources.genomes.items() for d in found[name].diagnostics[before:]]
    wrong = [tree.span for name, tree in sources.genomes.items() if name not in sound]
    for tree, d in new:
        if not _other(tree, sources, d.span):
            report.add(d)
    for tree, d in new:
        if d.span and _other(tree, sources, d.span) and not any(span.contains(d.span) for span in wrong):
            report.add(replace(d, notes=(*d.notes, f"this is in `{tree.name}`, which inherits it")))
    return sound


def _other(tree: syntax.Genome, sources: Sources, at: Span | None) -> bool:
    """Whether this place is in another genome."""
    others = (other.span for other in sources.genomes.values() if other.span != tree.span)
    return at is not None and any(other.contains(at) for other in others)


def _is_sound(tree: syntax.Block, sources: Sources, report: Report) -> bool:
    """Whether a block and everything it uses is free of errors with its defaults."""
    block = checker.check_block(tree, report, sources.around)
    if block is None or tree.damaged:
        return False
    sound = graph.verify(block, report)
    if sound:
        checker.unused_parameters(tree, report)
    return sound


def _check_network(
    tree: syntax.Network,
    sources: Sources,
    genomes: Mapping[str, Genome],
    sound: set[str],
    wrong: Collection[str],
    report: Report,
) -> None:
    """Checks a network, and its genome with the network's arguments if the genome is sound with its defaults. `wrong`:
    functions of which a mistake has been reported."""
    network = checker.check_network(tree, {}, report, sources.around)
    if network and not tree.damaged and checker.used(tree, sources.blocks).keys() <= sound:
        graph.verify(network, report)
    genome = used_genome(sources, tree, report)
    if genome is None:
        return
    checker.check_names(tree, genome, report, sources.around)
    if network:
        checker.check_running(network, genome, report)
        checker.check_kinds(network, genome, report)
    if network and genome.name in genomes:
        checker.check_held(network, genomes[genome.name], wrong, report)
        checker.check_size(network, genomes[genome.name], report)
        checker.check_values(network, genomes[genome.name], True, report)
    args = checker.uses_arguments(tree, {}, genome, report)
    if genome.name in sound and args:
        check_with(genome, args, report, f" from {tree.uses.span}" if tree.uses else "")


def _declares_something(sources: Sources, report: Report) -> None:
    if sources.files and not (sources.genomes or sources.networks or sources.blocks or report.errors):
        source = sources.files[0].span.source
        message = "the file declares no genome, no network and no block"
        help = "write `genome NAME { .. }` or `network NAME uses GENOME { .. }`"
        report.warn("W505", message, Span(source, 0, 0), help=help)


def check_with(genome: syntax.Genome, values: Params, report: Report, source: str = "") -> Genome | None:
    """Checks the genome for these parameter values. An error that only they cause gets a note that names them."""
    before = len(report.diagnostics)
    found, usual = Report([*report.diagnostics]), Report([*report.diagnostics])
    checked = checker.check_genome(genome, values, found)
    if found.errors and values:
        checker.check_genome(genome, {}, usual)
    always = {(d.code, d.span) for d in usual.errors}
    given = ", ".join(f"{name} = {value}" for name, value in values.items())
    for d in found.diagnostics[before:]:
        special = d.severity == "error" and values and (d.code, d.span) not in always
        notes = (*d.notes, f"this is for {given}{source}") if special else d.notes
        report.add(replace(d, notes=notes))
    return checked
