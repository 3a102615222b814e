"""A spec as the editor has it: with texts that are not saved yet, and with mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from blurc.diagnostics import Diagnostic, Report, Source, TooMany, in_order
from blurc.editor.names import Names
from blurc.editor.resolve import resolve
from blurc.language import resolve_import
from blurc.spec import Sources, check_all


@dataclass(frozen=True)
class Analysis:
    root: Source
    sources: Sources
    diagnostics: tuple[Diagnostic, ...]

    @cached_property
    def names(self) -> Names:
        return resolve(self.sources.files)

    @property
    def errors(self) -> int:
        return sum(d.severity == "error" for d in self.diagnostics)

    def count(self, *codes: str) -> int:
        return sum(d.code in codes for d in self.diagnostics)


def analyse(path: Path, unsaved: Mapping[Path, str]) -> Analysis:
    """Parses and checks a file, with its imports."""
    report = Report()
    text = unsaved.get(path.resolve(), "")
    sources = Sources((), {}, {}, {}, {})
    try:
        sources = Sources.load(path, report, unsaved=unsaved)
        check_all(sources, report)
        found = in_order(report.diagnostics)
    except TooMany as error:
        found = [*error.diagnostics]
    root = sources.files[0].span.source if sources.files else Source(str(path), text)
    return Analysis(root, sources, tuple(found))


def path_of(source: Source) -> Path:
    """Where a file of a spec lies."""
    return (resolve_import(source.name, None) or Path(source.name)).resolve()
