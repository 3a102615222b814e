"""The page: the sections as HTML, with inline CSS, for screens, phones and print, written into the run folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.report import contents, style
from blurc.meta.report.contents import Run
from blurc.meta.report.sections import Section, sections, summary
from blurc.pictures import figures
from blurc.storage import why, write_file

REPORT = "report.html"
CSS = f"""
:root {{ color-scheme: light; }}
body {{ margin: 0 auto; padding: 1rem; max-width: 64rem; background: #fff; color: {figures.INK};
  font: 16px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.5rem; margin: 0.5rem 0; }}
h2 {{ font-size: 1.15rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid {figures.GRID}; break-after: avoid; }}
.figures {{ display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: flex-start; }}
figure {{ margin: 0; max-width: 100%; break-inside: avoid; display: table; }}
figcaption {{ display: table-caption; caption-side: bottom; color: {figures.SOFT}; font-size: 0.85rem; }}
svg {{ max-width: 100%; height: auto; display: block; }}
table {{ border-collapse: collapse; margin: 0.5rem 0; }}
th, td {{ text-align: left; vertical-align: top; padding: 0.15rem 1rem 0.15rem 0; overflow-wrap: anywhere; }}
th {{ font-weight: 500; color: {figures.SOFT}; }}
.columns {{ overflow-x: auto; }}
.columns th, .columns td {{ white-space: nowrap; font-variant-numeric: tabular-nums; }}
.columns thead th {{ border-bottom: 1px solid {figures.GRID}; }}
pre {{ background: #f6f7f9; padding: 0.75rem; font-size: 0.8rem; white-space: pre-wrap; overflow-wrap: anywhere; }}
@media print {{ body {{ max-width: none; padding: 0; font-size: 11pt; }} pre {{ break-inside: avoid; }} }}
"""


def write(folder: Path) -> Path:
    """Writes the report of a run into its folder, and returns its path.

    Raises `BlurError`: E614 if there is no run to report on, E6 if one of its files is damaged, E907 if the report
    cannot be written.
    """
    text = render(contents.read(folder))
    target = folder / REPORT
    try:
        write_file(target, text.encode())
    except OSError as error:
        raise BlurError(Diagnostic("E907", f"cannot write {target}: {why(error)}")) from None
    return target


def render(run: Run) -> str:
    title = escape(run.name)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f"<style>{CSS}</style>",
            "</head>",
            "<body>",
            f"<h1>{title}</h1>",
            *_table(summary(run)),
            *(line for i, section in enumerate(sections(run)) for line in _section(section, f"s{i}")),
            "</body>",
            "</html>",
            "",
        ]
    )


def _section(section: Section, mark: str) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(section.title)}</h2>"
    yield from (f"<p>{escape(note)}</p>" for note in section.notes)
    if section.pictures:
        yield '<div class="figures">'
        yield from (_figure(picture, f"{mark}f{i}") for i, picture in enumerate(section.pictures))
        yield "</div>"
    yield from _table(section.rows)
    yield from _columns(section.table)
    if section.text:
        yield f"<pre>{escape(section.text)}</pre>"
    yield "</section>"


def _figure(picture: style.Picture, mark: str) -> str:
    caption = f"<figcaption>{escape(picture.caption)}</figcaption>"
    return f"<figure>\n{style.inline(picture, mark)}{caption}\n</figure>"


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    if lines := [f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows]:
        yield from ("<table>", *lines, "</table>")


def _columns(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table with a header, which scrolls on its own if it is wider than the page."""
    if table:
        head, *rows = table
        yield f'<div class="columns"><table>\n<thead>{_row(head, "th")}</thead>'
        yield from (_row(row, "td") for row in rows)
        yield "</table></div>"


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
