"""Selection of one network and one genome of a spec, as a checked model."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from blurc import checker, graph
from blurc.diagnostics import BlurError, Diagnostic, Report, did_you_mean, in_order, noted
from blurc.language import functions, library, specs_path, syntax
from blurc.model import Model, ParamValue
from blurc.spec.choosing import ANYWHERE, Wording
from blurc.spec.sources import Sources, Spec, used_genome
from blurc.spec.unknown import unknown
from blurc.spec.validate import Params, check_all, check_with

LARGEST = 3.4e38  # in float32
LONGEST_SHOWN = 40  # characters of a value
SLIP = 0.75  # likeness of parameters: `outputs` is not a slip for `inputs`
NO_PARAMETERS = "remove it, or declare the parameter with a default"


def select(
    spec: Spec,
    *,
    network: str | None = None,
    genome: str | None = None,
    params: Params | None = None,
    giver: str = "",
    files: Mapping[str, str] | None = None,
    elsewhere: Sequence[Path] = (),
    wording: Wording = ANYWHERE,
) -> tuple[Model, Sources, list[Diagnostic]]:
    """The checked model of one network with one genome, its sources and warnings. Raises `BlurError`.

    Args:
        giver: who gives the parameters, where the caller did not type them, as a note begins: "the experiment gives".
        files: texts of edge files by name; they take precedence over those on disk.
        elsewhere: specs to search for the genome if neither this spec nor the library declares it.
        wording: of helps that say how to choose.
    """
    report = Report()
    sources = Sources.load(spec, report, files)
    if report.errors:
        check_all(sources, report)  # to report the remaining errors too
    report.check()
    params = params or {}
    try:
        network_tree = _pick_network(sources, network, wording, report)
        sources, genome_tree = _pick_genome(sources, network_tree, genome, elsewhere, wording, report)
        _check_names(network_tree, genome_tree, params, wording, report)
        report.check()
        values = _values(params, sources.around.functions.names, report)
        model = _model(network_tree, genome_tree, values, genome is not None, sources, report)
    except BlurError as error:  # the places of mistakes are in the spec
        given = ", ".join(f"`{name} = {str(value)[:LONGEST_SHOWN]}`" for name, value in params.items())
        raise noted(error, f"{giver} {given}") if giver and params else error from None
    return model, sources, in_order(report.warnings)


def select_model(
    spec: Spec,
    *,
    network: str | None = None,
    genome: str | None = None,
    params: Params | None = None,
    files: Mapping[str, str] | None = None,
) -> Model:
    """The checked model of one network with one genome. Raises `BlurError`."""
    return select(spec, network=network, genome=genome, params=params, files=files)[0]


def _pick_network(sources: Sources, name: str | None, wording: Wording, report: Report) -> syntax.Network:
    own = {n.name: n for n in sources.files[0].networks}
    if name is not None:
        if name not in sources.networks:
            help = "choose one of these networks" if sources.networks else None
            help = _stands_in_a_network(name) if name in sources.blocks else help
            unknown("network", name, sources.networks, None, report, help=help)
            report.check()
        return sources.networks[name]
    if len(own) == 1:
        return next(iter(own.values()))
    where = sources.files[0].span.source.name
    report.error(
        "E215",
        f"{where} declares {'several networks' if own else 'no network'}; exactly one can be compiled",
        None,
        notes=[f"it declares: {', '.join(own or [*sources.genomes, *sources.blocks]) or 'nothing'}"],
        help=f"choose one: {wording.network(next(iter(own)))}"
        if own
        else _stands_in_a_network(next(iter(sources.blocks)))
        if sources.blocks
        else "declare one: `network n uses GENOME { input x[2]  output y[1]  x -> y }`",
    )
    raise BlurError(report.errors)


def _stands_in_a_network(block: str) -> str:
    return (
        f"`{block}` is a block, which belongs in the body of a network: `network n uses GENOME {{ input h[8]  "
        f"part = {block}(..)  output y[1]  .. }}`"
    )


def _pick_genome(
    sources: Sources,
    network: syntax.Network,
    name: str | None,
    elsewhere: Sequence[Path],
    wording: Wording,
    report: Report,
) -> tuple[Sources, syntax.Genome]:
    if name is None and network.uses is None:
        message = f"the network `{network.name}` uses no genome"
        help = f"write `network {network.name} uses GENOME`, or {wording.genome}"
        report.error(
            "E215", message, network.name_span, notes=[f"known here: {', '.join(sources.genomes) or 'none'}"], help=help
        )
        report.check()
    if name is None:
        found = used_genome(sources, network, report)
    else:
        sources = sources if name in sources.genomes else _with_rule(sources, name, elsewhere)
        found = sources.genomes.get(name)
        if found is None:
            _unknown_rule(name, sources, network, elsewhere, report)
    report.check()
    assert found is not None
    return sources, found


def _with_rule(sources: Sources, name: str, elsewhere: Sequence[Path]) -> Sources:
    """The sources plus the file that declares this rule, but not that file's other declarations and imports: a rule
    needs nothing but itself and the genomes that it extends."""
    for path in (*_library(), *filter(os.path.isfile, elsewhere)):
        loaded = Sources.load(path, Report(), quoted=False)
        if found := loaded.genomes.get(name):
            files = (*sources.files, *loaded.files_of(found))
            return replace(sources, files=files, genomes={**sources.genomes, name: found})
    return sources


def _library() -> list[Path]:
    return sorted((specs_path() / "rules").glob("*.blur"))


def _library_rules() -> list[str]:
    return [name for path in _library() for name in Sources.load(path, Report()).genomes]


def _unknown_rule(
    name: str, sources: Sources, network: syntax.Network, elsewhere: Sequence[Path], report: Report
) -> None:
    """`elsewhere` is where a genome file says its rule is declared, so the name is not a typo for another."""
    join = _joined(name, network.name, sources.files[0].span.source.name)
    if elsewhere:
        looked = ", ".join(str(p) for p in elsewhere if specs_path() not in p.parents)
        notes = [f"searched in the library and in {looked}, the spec that the genome file names"]
        report.error("E211", f"unknown genome `{name}`", None, notes=notes, help=join)
        return
    help = f"`blurc specs` lists the rules of the library; to use your own, {join}"
    unknown("genome", name, sources.genomes, None, report, others=_library_rules(), help=help, where="in the spec")


def _joined(rule: str, network: str, spec: str) -> str:
    """How to combine a rule and a network from two files."""
    is_text = spec == library.TEXT_NAME
    wiring, network = ("a network", "NETWORK") if is_text else (f'`import "{spec}"`', network)
    return (
        f'write both.blur with `import "RULES.blur"`, the file that declares `{rule}`, and {wiring}; then give '
        f"`both.blur:{network}` as the spec, with `--rule {rule}`"
    )


def _values(params: Mapping[str, Any], own: Collection[str], report: Report) -> Params:
    """The caller's parameter values, as the language's types. `own`: the functions of the spec."""
    values: dict[str, ParamValue] = {}
    for name, value in params.items():
        if isinstance(value, str) and (value in functions.UNARY or value in own):
            values[name] = value
        elif not isinstance(value, bool) and isinstance(value, Real) and _fits(value):
            values[name] = int(value) if isinstance(value, Integral) else float(value)
        else:
            report.error(
                "E206",
                f"the parameter `{name}` must be a number or the name of a function, found {value!r}",
                None,
                notes=["numbers are float32, at most 3.4e38"] if isinstance(value, Real) else [],
                help=f"write {name}=1, or one of: {', '.join((*functions.UNARY, *sorted(own)))}",
            )
    report.check()
    return values


def _fits(value: Any) -> bool:
    """False for NaN too. No conversion: an `int` may be too large for a float."""
    return -LARGEST <= value <= LARGEST


def _model(
    network: syntax.Network, genome: syntax.Genome, params: Params, picked: bool, sources: Sources, report: Report
) -> Model:
    of_network, of_genome = ([p.name for p in tree.params] for tree in (network, genome))
    given = {n: v for n, v in params.items() if n in of_network}
    own = checker.check_functions(genome.around, report)
    checked = checker.check_network(network, given, report, sources.around)
    used: Params = {}
    uses = not picked or _is_used(network, genome)
    if uses:
        used = checker.uses_arguments(network, given, genome, report)
        checker.check_names(network, genome, report, sources.around)
        if checked:
            checker.check_kinds(checked, genome, report)
    elif checked:
        checker.check_sums(checked, genome, report)
    rule = check_with(genome, {**used, **{n: v for n, v in params.items() if n in of_genome}}, report)
    if checked:
        graph.verify(checked, report)
        checker.check_running(checked, genome, report)
        if rule:
            checker.check_held(checked, rule, own.wrong, report)
            checker.check_size(checked, rule, report)
            checker.check_values(checked, rule, uses, report)
    report.check()
    checker.unused_parameters(network, report)
    assert checked is not None, "reported"
    assert rule is not None, "reported"
    return Model(rule, checked)


def _check_names(
    network: syntax.Network, genome: syntax.Genome, params: Params, wording: Wording, report: Report
) -> None:
    """Reports given parameters that neither the network nor the genome has."""
    of_network, of_genome = ([p.name for p in tree.params] for tree in (network, genome))
    known = [*of_network, *of_genome]
    for name in params:
        if name not in known:
            near = did_you_mean(name, known, SLIP)
            whose = f"`{network.name}`: {', '.join(of_network) or 'none'}"
            message = f"neither the network `{network.name}` nor the genome `{genome.name}` has a parameter `{name}`"
            help = f"did you mean `{near}`?" if near else f"use one of {', '.join(known)}" if known else NO_PARAMETERS
            report.error(
                "E210",
                message,
                None,
                notes=[f"{whose}; `{genome.name}`: {', '.join(of_genome) or 'none'}"],
                help=wording.rule if name == "rule" else help,
            )


def _is_used(network: syntax.Network, genome: syntax.Genome) -> bool:
    return network.uses is not None and network.uses.genome == genome.name
