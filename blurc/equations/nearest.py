"""Which rule of the library is most like a rule."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from blurc.diagnostics import Report
from blurc.equations.likeness import NormalForm, likeness, normal_form
from blurc.language import resolve_import, specs_path
from blurc.language import syntax as s
from blurc.spec import Sources

APART_FROM = "apart from names, numbers, signs and slots"


def nearest(rule: s.Genome) -> str:
    """A sentence. `rule`: with all that it inherits."""
    own, file = normal_form(rule), rule.span.source.name
    place = (resolve_import(file, None) or Path(file)).resolve()
    others = [(name, found) for path, name, found in _library() if (path, name) != (place, rule.name)]
    name, found = max(others, key=lambda other: likeness(own, other[1]))
    alike = likeness(own, found)
    if not alike:
        return "none has a part of an equation in common with this one."
    if alike == 1:
        return f"`{name}`: its equations are the same, {APART_FROM}; starts are not compared."
    count, shared = own.equations.total(), (own.equations & found.equations).total()
    if not shared:
        return f"`{name}`, but it shares none of these {count} equations, only parts of them."
    return f"`{name}`: it has {shared} of these {count} equations, {APART_FROM}."


@cache
def _library() -> tuple[tuple[Path, str, NormalForm], ...]:
    return tuple(_rules())


def _rules() -> Iterator[tuple[Path, str, NormalForm]]:
    for path in sorted((specs_path() / "rules").glob("*.blur")):
        sources = Sources.load(path, Report())
        for genome in sources.files[0].genomes:
            yield path.resolve(), genome.name, normal_form(sources.genomes[genome.name])
