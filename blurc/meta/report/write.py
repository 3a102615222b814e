"""`report.html`, written into the folder of a run."""

from __future__ import annotations

from pathlib import Path

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.report import contents, page
from blurc.storage import why, write_atomically

NAME = "report.html"


def write(folder: Path) -> Path:
    """Writes the report of a run into its folder, and returns where.

    Raises `BlurError`: E614 where there is no run to report on, E6 where one of its files is damaged, E907 where the
    report cannot be written.
    """
    text = page.render(contents.read(folder))
    target = folder / NAME
    try:
        write_atomically(target, text.encode())
    except OSError as error:
        raise BlurError(Diagnostic("E907", f"cannot write {target}: {why(error)}")) from None
    return target
