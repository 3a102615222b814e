"""Phases for one kind: `forward of inhibitory { .. }`, `update of dendrite { .. }`."""

from __future__ import annotations

from collections.abc import Iterable

from blurc.diagnostics import Report
from blurc.language import syntax
from blurc.model import UNIT, Phase, Variant

VISITED = {
    "sense": ("input",), "forward": ("hidden", "output"), "feedback": ("output",), "backward": ("hidden", "output"),
}  # fmt: skip
ROLES = ("input", "hidden", "output", UNIT)


def together(items: Iterable[syntax.Node]) -> list[list[syntax.Phase] | syntax.Again | syntax.Repeat]:
    """The phases among some items, those together that run as one: neighbours of one kind and name, each `of` something
    else."""
    groups: list[list[syntax.Phase] | syntax.Again | syntax.Repeat] = []
    for item in items:
        last = groups[-1] if groups else None
        if isinstance(item, syntax.Repeat | syntax.Again):
            groups.append(item)
        elif isinstance(item, syntax.Phase):
            if isinstance(last, list) and all(_beside(p, item) for p in last):
                last.append(item)
            else:
                groups.append([item])
    return groups


def _beside(a: syntax.Phase, b: syntax.Phase) -> bool:
    return (a.kind, a.name) == (b.kind, b.name) and a.of != b.of


def with_own_updates(phases: list[Phase]) -> list[Phase]:
    """A kind of projections that has updates of its own does not learn in the others."""
    own = dict.fromkeys(v.of for phase in phases if phase.kind == "update" for v in phase.variants)

    def apart(phase: Phase) -> Phase:
        there = {v.of for v in phase.variants}
        others = tuple(Variant(of, ()) for of in own if of not in there)
        return Phase(phase.kind, phase.name, phase.statements, phase.span, (*phase.variants, *others))

    return [apart(phase) if phase.kind == "update" and phase.statements else phase for phase in phases]


def is_run(phase: syntax.Phase, report: Report) -> bool:
    """Whether a phase visits what it is `of`."""
    if phase.of not in ROLES or phase.of in VISITED.get(phase.kind, ()):
        return True
    if phase.kind == "update":
        message = f"`update` goes over projections, but `{phase.of}` is a role of populations"
        help = "name a kind of projections, given by `a -> b [kind = NAME]`, or write `update { .. }`"
    else:
        visited = " and ".join(f"{role} populations" for role in VISITED[phase.kind])
        message = f"`{phase.kind}` visits {visited} only, so `{phase.kind} of {phase.of}` would never run"
        help = f"write `{phase.kind} {{ .. }}`, or name a kind of populations, given by `{{ kind = NAME }}`"
    report.error("E220", message, phase.span, help=help)
    return False
