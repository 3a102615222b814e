"""Phases of a genome that extends another, which run beside a phase that they seem meant to replace."""

from __future__ import annotations

from blurc.checker import mentions
from blurc.diagnostics import Report, did_you_mean
from blurc.language import syntax

DIGITS = str.maketrans("", "", "0123456789")


def warn_of_strays(tree: syntax.Genome, base: syntax.Genome, report: Report) -> None:
    """Warns of a phase that has nearly the name of one in `base`, and of one without a name where all in `base` have
    one."""
    for phase in mentions.phases(tree):
        others = [other.name for other in mentions.phases(base) if other.kind == phase.kind]
        named = [name for name in others if name]
        if phase.name and phase.name not in named:
            near = did_you_mean(phase.name, (name for name in named if not _are_numbered(phase.name, name)))
            help = f"did you mean `{near}`?" if near else None
        else:
            help = _named(phase, named[0]) if named and not phase.name and None not in others else None
        if help:
            header = mentions.header(phase)
            message = f"`{header.text.strip()}` runs in addition: `{base.name}` has no phase of this name"
            report.warn("W509", message, header, notes=[f"it has {_listed(phase, named)}"], help=help)


def _are_numbered(name: str, other: str) -> bool:
    """Whether they are one name with different numbers, `relax1` and `relax2`: one is not a slip for the other."""
    return name.translate(DIGITS) == other.translate(DIGITS)


def _named(phase: syntax.Phase, name: str) -> str:
    of = f" of {phase.of}" if phase.of else ""
    return f"to replace that one, write `{phase.kind} {name}{of}`; else give this one a name of its own"


def _listed(phase: syntax.Phase, names: list[str]) -> str:
    return " and ".join(f"`{phase.kind} {name}`" for name in dict.fromkeys(names))
