"""Parameters of genomes, networks and blocks: their defaults, and the values that replace them."""

from __future__ import annotations

from collections.abc import Mapping

from blurc.checker.constants import Constants
from blurc.checker.scope import FunctionScope
from blurc.checker.wording import listed
from blurc.diagnostics import Report, Span, suggest
from blurc.language import functions, syntax
from blurc.model import ParamValue

RESERVED = {"input", "target", *functions.PROJECTION_NUMBERS, "pre", "post", *functions.ALL}
NEW_NAME = "choose another name"


def parameters(
    declared: tuple[syntax.Param, ...],
    given: Mapping[str, ParamValue | None],
    report: Report,
    own: FunctionScope | None = None,
    runtime: Mapping[str, str] | None = None,
) -> dict[str, ParamValue | None]:
    """Parameter values: the given ones, otherwise the defaults, which may use earlier parameters. `own`: functions of
    one's own; `runtime`: names known only at run time, and what they are."""
    values: dict[str, ParamValue | None] = {}
    runtime = {p.name: "a parameter that is declared further down" for p in declared} | dict(runtime or {})
    for p in declared:
        if p.name in RESERVED:
            reserved(p.name, "a parameter", p.span, report)
            values[p.name] = None  # of what reads it, nothing is said
        elif p.name in values:
            report.error("E106", f"the parameter `{p.name}` is declared twice", p.span, help="rename one of them")
        else:
            numbers = Constants(values, report, runtime, own=own)
            values[p.name] = given[p.name] if p.name in given else numbers.evaluate(p.default)
    return values


def reserved(name: str, words: str, span: Span, report: Report) -> None:
    report.error("E213", f"`{name}` is reserved and cannot be declared as {words}", span, help=NEW_NAME)


def uses_arguments(
    tree: syntax.Network, params: Mapping[str, ParamValue], genome: syntax.Genome, report: Report
) -> dict[str, ParamValue]:
    """The parameter values given to the genome by `uses`."""
    if tree.uses is None:
        return {}
    own = FunctionScope.of_genome(genome).outside
    numbers = Constants(parameters(tree.params, params, Report(), own), report, own=own)
    known = [p.name for p in genome.params]
    values: dict[str, ParamValue] = {}
    for arg in tree.uses.args:
        if arg.name in values:
            report.error("E106", f"the parameter `{arg.name}` is given twice", arg.span, help="keep one of them")
        elif arg.name in known:
            value = numbers.evaluate(arg.value)
            values |= {} if value is None else {arg.name: value}
        elif not genome.damaged:
            unknown_parameter(arg.name, f"the genome `{genome.name}`", known, arg.span, report)
    return values


def unknown_parameter(name: str, whose: str, known: list[str], span: Span | None, report: Report) -> None:
    message = f"{whose} has no parameter `{name}`"
    help = suggest(name, known, "remove it, or declare the parameter with a default")
    report.error("E210", message, span, notes=[f"its parameters are: {listed(known)}"], help=help)
