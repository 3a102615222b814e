"""Cycles, populations that no input reaches, and populations that lead to no output."""

from __future__ import annotations

from itertools import pairwise

from blurc.diagnostics import Report
from blurc.graph.order import Way, a_cycle, carrying, heads, reached, successors
from blurc.model import Network, Projection

MOST_SHOWN = 20  # populations of a cycle
WAYS: tuple[Way, ...] = ("forward", "feedback")


def verify(network: Network, report: Report) -> bool:
    """Reports cycles and unreachable populations (errors), and populations that lead to no output (warnings). Returns
    whether there are no errors."""
    if _loops(network, report) or _cycles(network, report) or _unreachable(network, report):
        return False
    _leading_nowhere(network, report)
    return True


def _loops(network: Network, report: Report) -> bool:
    """Projections from a population to itself."""
    found = [p for p in network.projections if p.source == p.target and not p.delay]
    for p in found:
        report.error(
            "E413",
            f"`{p.source}` projects to itself without a delay",
            p.span,
            notes=[
                "each population is visited once per step, and cannot read its own new value while that is computed"
            ],
            help=f"write `{_delayed(p)}`, to read its value from the previous step",
        )
    return bool(found)


def _cycles(network: Network, report: Report) -> bool:
    for way in WAYS:
        within = list(carrying(network, way, delayed=False))
        cycle = a_cycle(successors(network, ((p.target, p.source) for p in within)))
        if not cycle:
            continue
        joining = {(p.source, p.target): p for p in reversed(within)}
        between = [joining[step] for step in pairwise([*cycle, cycle[0]])]
        last = max(between, key=network.projections.index)  # most likely the one too many
        read = last.source if way == "forward" else last.target
        report.error(
            "E403",
            f"the projections that carry {way} form a cycle: {_shown([*cycle, cycle[0]])}",
            last.span,
            notes=["each population is visited once per step, after everything that it reads"],
            help=f"write `{_delayed(last)}`, to read `{read}` from the previous step; or remove "
            f"`{last.source} -> {last.target}`{_one_way(last)}",
        )
        return True
    return False


def _shown(cycle: list[str]) -> str:
    return " -> ".join(cycle if len(cycle) <= MOST_SHOWN else [*cycle[: MOST_SHOWN - 2], "..", cycle[-1]])


def _delayed(p: Projection) -> str:
    """The projection as written, plus a delay."""
    written = " ".join(p.span.text.split())
    if written.endswith("]"):
        return f"{written[:-1]}, delay = 1]"
    return f"{written} [delay = 1]"


def _one_way(p: Projection) -> str:
    """An extra way out for a projection that carries both ways between two populations."""
    both = p.forward and p.feedback
    return ", or let it carry one way only (`[forward]` or `[backward]`)" if both else ""


def _unreachable(network: Network, report: Report) -> bool:
    inputs = [p.name for p in network.with_role("input")]
    leads = successors(network, ((p.source, p.target) for p in carrying(network, "forward", delayed=True)))
    found = reached(inputs, leads)
    lost = [p.name for p in network.populations if p.role != "unit" and p.name not in found]
    for name in heads(lost, leads):
        report.error(
            "E404",
            f"no input reaches the population `{name}`",
            network.population(name).span,
            help=f"project something forward to it, such as `{inputs[0]} -> {name}`",
        )
    return bool(lost)


def _leading_nowhere(network: Network, report: Report) -> None:
    outputs = [p.name for p in network.with_role("output")]
    back = [(p.target, p.source) for p in carrying(network, "forward", delayed=True)]
    # A feedback-only projection matters because of what its target sends back to its source.
    back += [(p.source, p.target) for p in network.projections if p.feedback and not p.forward]
    leads = successors(network, back)
    leading = reached(outputs, leads)
    dead = [p.name for p in network.populations if p.role != "unit" and p.name not in leading]
    for name in heads(dead, leads):
        report.warn(
            "W503",
            f"the population `{name}` leads to no output",
            network.population(name).span,
            help=f"project it on, such as `{name} -> {outputs[0]}`, or remove it",
        )
