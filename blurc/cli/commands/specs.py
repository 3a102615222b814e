"""`blurc specs`: lists the packaged library, or prints one of its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import click

import blurc
from blurc import language, spec
from blurc.cli.shared.options import json_option
from blurc.cli.shared.output import check_writable, write_json
from blurc.cli.shared.terminal import STDOUT, console, print_table, say
from blurc.diagnostics import BlurError, Diagnostic, Report, suggest
from blurc.language import specs_path

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Entry:
    """A network, rule or meta-learned genome in the library. `parameters` has the defaults, as written."""

    file: str
    kind: str  # one of LISTED
    name: str
    parameters: dict[str, str]
    description: str
    family: str = ""  # of a rule

    @property
    def setting(self) -> str:
        return ", ".join(f"{name} = {value}" for name, value in self.parameters.items())


NARROW = 110  # characters; a narrower table has no room for descriptions
LONGEST = 1_000  # characters; outside a terminal lines are not wrapped, for grep and editors
LISTED = ("network", "rule", "genome")
FAMILY = "# Family: "  # how a line of the comment at the top of a rule begins


@click.command("specs")
@click.argument("name", required=False)
@json_option
def command(name: str | None, json: str | None) -> None:
    """List the packaged networks, rules (by family) and meta-learned genomes, or print the source of the file NAME.

    NAME is a file (rules/oja.blur), its stem, or a network or rule declared in it.
    """
    check_writable([json])
    entries = list(_entries())
    if name is None:
        if json:
            write_json(json, [asdict(entry) for entry in entries])
        if json != STDOUT:
            _print_table(entries)
        return
    file = _find(name, entries)
    text = (specs_path() / file).read_text(encoding="utf-8")
    if json:
        found = [asdict(entry) for entry in entries if entry.file == file]
        write_json(json, {"file": file, "declares": found, "source": text})
    if json != STDOUT:
        say(text.rstrip("\n"))


def _entries() -> Iterator[Entry]:
    for folder in ("networks", "rules"):
        for path in sorted((specs_path() / folder).glob("*.blur")):
            yield from _declared(path, f"{folder}/{path.name}")
    for path in sorted((specs_path() / "genomes").glob("*.yaml")):
        yield _learned(path, f"genomes/{path.name}")


def _learned(path: Path, file: str) -> Entry:
    found = blurc.genome.read(path)
    parameters = {"rule": found.rule, **{k: str(v) for k, v in found.parameters.items()}}
    return Entry(file, "genome", found.name, parameters, _sentence(_comment_from(path.read_text("utf-8").split("\n"))))


def _declared(path: Path, file: str) -> Iterator[Entry]:
    text = path.read_text(encoding="utf-8")
    report = Report()
    sources = spec.Sources.load(path, report)
    report.check()
    tree = sources.files[0]
    header = _comment_from(text.split("\n"))
    for kind, declarations in (("network", tree.networks), ("rule", tree.genomes)):
        for node in declarations:
            params = sources.genomes[node.name].params if kind == "rule" else node.params
            parameters = {p.name: language.unparse(p.default) for p in params}
            # The comment above the declaration, or else the one at the top of the file.
            above = _comment_from(text.split("\n")[: node.span.line - 1][::-1])[::-1]
            yield Entry(file, kind, node.name, parameters, _sentence(above or header), _family(header))


def _comment_from(lines: Iterable[str]) -> list[str]:
    return list(takewhile(lambda line: line.startswith("#"), lines))


def _sentence(comment: list[str]) -> str:
    """The first sentence of a comment."""
    text = " ".join(line.lstrip("# ") for line in comment)
    return " ".join(text.split()).split(". ")[0].rstrip(".")


def _family(comment: list[str]) -> str:
    return next((line.removeprefix(FAMILY).rstrip(".") for line in comment if line.startswith(FAMILY)), "")


def _find(name: str, entries: list[Entry]) -> str:
    for entry in entries:
        if name in (entry.file, Path(entry.file).stem, Path(entry.file).name):
            return entry.file
    if found := next((entry.file for entry in entries if entry.name == name), None):
        return found
    help = suggest(name, [n for e in entries for n in (e.file, e.name)], "`blurc specs` lists its contents")
    raise BlurError(Diagnostic("E103", f"the spec library has no `{name}`", help=help))


def _print_table(entries: list[Entry]) -> None:
    out = console()
    if not out.is_terminal:
        out.width = LONGEST
    for kind in LISTED:
        of_kind = [entry for entry in entries if entry.kind == kind]
        _print_kind(kind, sorted(of_kind, key=lambda entry: entry.family.lower()), out)


def _print_kind(kind: str, entries: list[Entry], out: Console) -> None:
    """Prints a table. Names and files are there to be typed, so they are never cut, however narrow the terminal."""
    if out.width < NARROW:
        _print_lines(kind, entries, out)
        return
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    families = ("family",) if any(entry.family for entry in entries) else ()
    for title in (*families, kind, "file"):
        table.add_column(title, no_wrap=True)
    for title in ("parameters", "description"):
        table.add_column(title, overflow="fold")
    for entry in entries:
        family = (entry.family,) if families else ()
        table.add_row(*family, f"[bold]{entry.name}", entry.file, escape(entry.setting), escape(entry.description))
    print_table(out, table)


def _print_lines(kind: str, entries: list[Entry], out: Console) -> None:
    from rich.markup import escape
    from rich.padding import Padding

    out.print(f"\n[bold]{kind}s")
    for entry in entries:
        out.print(f"  [bold]{entry.name}[/]   {entry.file}", soft_wrap=True)
        about = "; ".join(text for text in (entry.family, entry.setting, entry.description) if text)
        out.print(Padding(escape(about), (0, 0, 0, 6)))
