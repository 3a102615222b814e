"""`blurc explain`: what a diagnostic code means, with an example and its fix; what a rule does, as equations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from blurc import equations
from blurc.cli.shared.against import against_backprop
from blurc.cli.shared.options import OutputFile, form
from blurc.cli.shared.output import check_writable, write
from blurc.cli.shared.terminal import coloured
from blurc.codes import CODES, SECTIONS
from blurc.diagnostics import BlurError, Diagnostic, Report, suggest
from blurc.language import library, specs_path
from blurc.spec import RIGHT, WRONG, Example, Sources, check_all, examples, localities


@click.command("explain")
@click.argument("subject", required=False, metavar="[CODE|SPEC]")
@click.option(
    "-o", "--output", type=OutputFile(*equations.FORMS), metavar="F.html|tex|md",
    help="Write the equations of SPEC there; the suffix chooses the format.",
)  # fmt: skip
def command(subject: str | None, output: Path | None) -> None:
    """Explain the CODE of a diagnostic, such as E306, or the rules of SPEC, as equations.

    Of a spec without rules, those that its networks use are explained. Without an argument, list all codes.
    """
    if subject and (subject.endswith(library.SUFFIX) or os.path.exists(subject)):
        _rules(subject, output)
    elif output:
        raise click.UsageError("-o is for the equations of a SPEC")
    else:
        click.echo("\n".join(_entry(_known(subject)) if subject else _list()))


def _rules(spec: str, output: Path | None) -> None:
    check_writable([output])
    report = Report()
    sources = Sources.load(spec, report)
    check_all(sources, report)
    report.check()
    file = sources.files[0]
    used = [network.uses.genome for network in file.networks if network.uses]
    names = dict.fromkeys([genome.name for genome in file.genomes] or used)
    if not names:
        message = f"`{spec}` has no genome, and no network that uses one"
        raise BlurError(Diagnostic("E215", message, help="`blurc specs` lists the rules of the library"))
    grades = localities(spec)
    rules = [
        equations.explained(rule, grades.get(rule.name), against_backprop(spec, rule), equations.nearest(rule))
        for rule in map(sources.genomes.__getitem__, names)
    ]
    if output is None:
        click.echo(equations.page(rules), nl=False)
    else:
        write(output, equations.page(rules, form(output)).encode())
        click.echo(f"{output}: {', '.join(names)}")


def _list() -> Iterator[str]:
    for section, about in SECTIONS.items():
        yield f"{section}  {about}"
        yield from (f"  {code}  {title}" for code, title in CODES.items() if code.startswith(section))


def _known(code: str) -> str:
    if code.upper() in CODES:
        return code.upper()
    message = f"expected the code of a diagnostic, such as E306, or a spec, found `{code}`"
    help = suggest(code.upper(), CODES, "`blurc explain` lists all codes")
    if spec := library.of_stem(code) or _declaring(code):
        help = f"write `blurc explain {spec}`"
    raise BlurError(Diagnostic("E917", message, help=help))


def _declaring(name: str) -> str | None:
    """The spec of the library that declares a rule or a network."""
    for path in sorted(specs_path().rglob("*.blur")):
        file = Sources.load(path, Report()).files[0]
        if name in (declared.name for declared in (*file.genomes, *file.networks)):
            return path.relative_to(specs_path()).as_posix()
    return None


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
