"""Texts with mistakes, what blurc says of them, and their repair, as they stand in `cases/*.cases`:

    case E101_chain
      network n {
        input  x[2]
        hidden h[4]
        output y[1]
    -   x -> h [fixed] -> y
    +   x -> h [fixed]  h -> y
      }
    E101 at 5:18: found `->`, expected the end of the line
      help: write each projection separately: `x -> h [fixed]` and `h -> y`

The text is indented by two, which the columns do not count. A line marked `-` is wrong; the lines marked `+` stand in
the repaired text instead. `case NAME, when compiled` is for what only compiling a network tells. `file PATH` begins
another file, for a case after its text or for all cases before the first; `file PATH, latin-1` is not UTF-8. Lines that
begin with `#` are comments.

`BLURC_WRITE_CASES=1 pytest -n 0 tests/checker/test_cases.py` writes what blurc says anew; read the difference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from blurc import checker
from blurc.diagnostics import BlurError, Diagnostic, Report
from blurc.model import rule_hash
from blurc.spec import Sources, check, select_model

FOLDER = Path(__file__).parent / "cases"
HEADER = re.compile(r"(case|file) ([^\s,]+)(?:, ([\w -]+))?")
EXPECTED = re.compile(r"[EW]\d{3}( at|:) .*|  (note|help): .*")


@dataclass
class Part:
    """The text of a case, or of a file beside it."""

    name: str
    option: str | None
    lines: list[str] = field(default_factory=list[str])

    def text(self, without: str = "-") -> str:
        lines = [line[2:] for line in self.lines if line[:1] != without]
        return "\n".join(lines).rstrip("\n") + "\n"


@dataclass
class Case:
    main: Part
    files: list[Part]
    place: int  # the first line of `expected`, counted from 0
    expected: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        return self.main.name

    def diagnose(self, *, repaired: bool = False) -> list[Diagnostic]:
        """What blurc says of the text."""
        with self._written(repaired) as spec:
            if self.main.option is None:
                return check(spec)
            assert self.main.option == "when compiled", f"{self.name}: {self.main.option}"
            try:
                select_model(spec)
            except BlurError as error:
                return list(error.diagnostics)
            return []

    def meaning(self, *, repaired: bool = False) -> dict[str, Any]:
        """The genomes and networks of the text and its imports by name, as far as they can be compared."""
        report = Report()
        with self._written(repaired) as spec:
            sources = Sources.load(spec, report)
            genomes = {name: checker.check_genome(tree, {}, report) for name, tree in sources.genomes.items()}
            networks = {
                name: checker.check_network(tree, {}, report, sources.around) for name, tree in sources.networks.items()
            }
        starts = {name: {m.name: m.init for m in g.metas} for name, g in genomes.items() if g}
        rules = {name: rule_hash(g) for name, g in genomes.items() if g}
        return {"starts": starts, "rules": rules, "networks": networks}

    @contextmanager
    def _written(self, repaired: bool) -> Generator[str]:
        """The text in a folder that holds the files of the case and nothing else. Messages name files as they were
        called."""
        with TemporaryDirectory() as folder, chdir(folder):
            for part in self.files:
                path = Path(part.name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(part.text(), encoding=part.option or "utf-8")
            spec = Path(f"{self.name}.blur")
            spec.write_text(self.main.text(without="-" if repaired else "+"), encoding="utf-8")
            yield spec.name

    def describe(self, d: Diagnostic) -> Iterator[str]:
        at = f" at {d.span.line}:{d.span.column}" if d.span else ""
        elsewhere = d.span and d.span.source.name != f"{self.name}.blur"
        file = f" of {d.span.source.name}" if d.span and elsewhere else ""
        yield f"{d.code}{at}{file}: {d.message}"
        yield from (f"  note: {note}" for note in d.notes)
        if d.help:
            yield f"  help: {d.help}"


def read(path: Path) -> list[Case]:
    cases: list[Case] = []
    shared: list[Part] = []
    part: Part | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        if header := HEADER.fullmatch(line):
            part = Part(header[2], header[3])
            if header[1] == "case":
                cases.append(Case(part, list(shared), number + 1))
            else:
                (cases[-1].files if cases else shared).append(part)
        elif part and (not line or line[:2] in ("  ", "- ", "+ ", "-", "+")):
            part.lines.append(line)
            if cases and line:
                cases[-1].place = number + 1
        elif cases and EXPECTED.fullmatch(line):
            part = None
            cases[-1].expected.append(line)
        elif line and not line.startswith("#"):
            raise ValueError(f"{path}:{number + 1}: neither a header, nor a line of a text, nor what is expected")
    return cases


def read_all() -> dict[str, Case]:
    paths = sorted(FOLDER.glob("*.cases"))
    if os.environ.get("BLURC_WRITE_CASES"):
        for path in paths:
            _write_expected(path)
    cases = [case for path in paths for case in read(path)]
    named = {case.name: case for case in cases}
    assert len(named) == len(cases), "no two cases have one name"
    return named


def _write_expected(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for case in reversed(read(path)):
        found = [line for d in case.diagnose() for line in case.describe(d)]
        lines[case.place : case.place + len(case.expected)] = found
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
