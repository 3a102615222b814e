"""Writes `report.html` into a run folder."""

from __future__ import annotations

from pathlib import Path

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.report import contents, page
from blurc.storage import why, write_file

REPORT = "report.html"


def write(folder: Path) -> Path:
    """Writes the report of a run into its folder, and returns its path.

    Raises `BlurError`: E614 if there is no run to report on, E6 if one of its files is damaged, E907 if the report
    cannot be written.
    """
    text = page.render(contents.read(folder))
    target = folder / REPORT
    try:
        write_file(target, text.encode())
    except OSError as error:
        raise BlurError(Diagnostic("E907", f"cannot write {target}: {why(error)}")) from None
    return target
