"""`blurc explain`: what a diagnostic code means, with an example and its fix."""

from __future__ import annotations

from collections.abc import Iterator

import click

from blurc.cli.shared.terminal import coloured
from blurc.codes import CODES, SECTIONS
from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.spec import RIGHT, WRONG, Example, examples


@click.command("explain")
@click.argument("code", required=False, metavar="[CODE]")
def command(code: str | None) -> None:
    """Explain the CODE of a diagnostic, such as E306. Without CODE, list all codes."""
    click.echo("\n".join(_entry(_known(code)) if code else _list()))


def _list() -> Iterator[str]:
    for section, about in SECTIONS.items():
        yield f"{section}  {about}"
        yield from (f"  {code}  {title}" for code, title in CODES.items() if code.startswith(section))


def _known(code: str) -> str:
    if code.upper() in CODES:
        return code.upper()
    message = f"expected the code of a diagnostic, such as E306, found `{code}`"
    help = suggest(code.upper(), CODES, "`blurc explain` lists all codes")
    raise BlurError(Diagnostic("E917", message, help=help))


def _entry(code: str) -> Iterator[str]:
    yield f"{code}: {CODES[code]}"
    yield f"      {SECTIONS[code[:2]]}"
    if example := examples().get(code):
        yield from _shown(example)


def _shown(example: Example) -> Iterator[str]:
    yield from ("", f"Wrong{example.where}:", "", *_indented(example, WRONG), "")
    for d in example.diagnose(WRONG):
        yield coloured(Diagnostic(d.code, d.message, None, d.notes, d.help, d.severity))
    yield from ("", "Right:", "", *_indented(example, RIGHT))


def _indented(example: Example, which: str) -> Iterator[str]:
    yield from (f"    {line}".rstrip() for line in example.shown(which))
