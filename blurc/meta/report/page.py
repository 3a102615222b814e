"""The page: the sections as HTML, with inline CSS, for screens, phones and print, written into the run folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.report import comparing, contents, private, style
from blurc.meta.report.contents import REPORT, Run
from blurc.meta.report.sections import Section, sections
from blurc.pictures import figures
from blurc.storage import why, write_file

CSS = f"""
:root {{ color-scheme: light; }}
body {{ margin: 0 auto; padding: 1rem 2rem; max-width: 72rem; background: #fff; color: {figures.INK};
  font: 16px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.5rem; margin: 0.5rem 0; }}
h2 {{ font-size: 1.15rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid {figures.GRID}; break-after: avoid; }}
.row {{ display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; }}
.half {{ width: calc(50% - 1rem); }}
.wide {{ width: 100%; }}
.natural {{ max-width: 100%; }}
.facts {{ flex: 1 1 24rem; }}
@media (max-width: 52rem) {{ .half {{ width: 100%; }} }}
figure {{ margin: 0; break-inside: avoid; }}
figcaption {{ color: {figures.SOFT}; font-size: 0.85rem; }}
svg {{ width: 100%; height: auto; display: block; }}
.natural svg {{ width: auto; max-width: 100%; }}
table {{ border-collapse: collapse; margin: 0.5rem 0; }}
th, td {{ text-align: left; vertical-align: top; padding: 0.15rem 1rem 0.15rem 0; overflow-wrap: anywhere; }}
th {{ font-weight: 500; color: {figures.SOFT}; }}
.columns {{ overflow-x: auto; max-width: 100%; }}
.columns th, .columns td {{ white-space: nowrap; font-variant-numeric: tabular-nums; }}
.columns thead th {{ border-bottom: 1px solid {figures.GRID}; }}
pre {{ background: #f6f7f9; padding: 0.75rem; font-size: 0.8rem; white-space: pre-wrap; overflow-wrap: anywhere; }}
@media print {{ body {{ max-width: none; padding: 0; font-size: 11pt; }} pre {{ break-inside: avoid; }} }}
"""


def write(folder: Path, target: Path | None = None) -> Path:
    """Writes the report of a run, by default into its folder, and returns its path.

    Raises `BlurError`: E614 if there is no run to report on, E6 if one of its files is damaged, E907 if the report
    cannot be written.
    """
    return _write(target or folder / REPORT, render(contents.read(folder)))


def compare(one: Path, other: Path, target: Path) -> Path:
    """Writes a page that compares two runs, and returns its path. Raises `BlurError` as `write` does."""
    runs = comparing.named(contents.read(one), contents.read(other))
    return _write(target, document(f"{runs[0].name} and {runs[1].name}", comparing.sections(*runs)))


def _write(target: Path, text: str) -> Path:
    try:
        write_file(target, text.encode())
    except OSError as error:
        raise BlurError(Diagnostic("E907", f"cannot write {target}: {why(error)}")) from None
    return target


def render(run: Run) -> str:
    return document(run.name, sections(run))


def document(title: str, shown: Iterable[Section]) -> str:
    """A page of sections. Nothing in it says where files lie on this machine."""
    name = _text(title)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{name}</title>",
            f"<style>{CSS}</style>",
            "</head>",
            "<body>",
            f"<h1>{name}</h1>",
            *(line for i, section in enumerate(shown) for line in _section(section, f"s{i}")),
            "</body>",
            "</html>",
            "",
        ]
    )


def _text(text: str) -> str:
    return escape(private.plain(text))


def _section(section: Section, mark: str) -> Iterator[str]:
    heading = f"\n<h2>{_text(section.title)}</h2>" if section.title else ""
    yield f"<section>{heading}"
    yield from (f"<p>{_text(note)}</p>" for note in section.notes)
    yield '<div class="row">'
    yield from (_figure(picture, f"{mark}f{i}") for i, picture in enumerate(section.pictures))
    yield from _table(section.rows)
    yield from _columns(section.table)
    yield "</div>"
    if section.text:
        yield f"<pre>{escape(section.text)}</pre>"
    yield "</section>"


def _figure(picture: style.Picture, mark: str) -> str:
    kind = "wide" if picture.wide else "natural" if picture.natural else "half"
    caption = private.plain(picture.caption)
    shown = style.inline(replace(picture, caption=caption), mark)
    return f'<figure class="{kind}">\n{shown}<figcaption>{escape(caption)}</figcaption>\n</figure>'


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    if lines := [f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in rows]:
        yield from ('<div class="facts"><table>', *lines, "</table></div>")


def _columns(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table with a header, which scrolls on its own if it is wider than the page."""
    if table:
        head, *rows = table
        yield f'<div class="columns"><table>\n<thead>{_row(head, "th")}</thead>'
        yield from (_row(row, "td") for row in rows)
        yield "</table></div>"


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{_text(cell)}</{tag}>" for cell in cells) + "</tr>"
