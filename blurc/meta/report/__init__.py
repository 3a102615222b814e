"""`report.html` of a run folder: one page with everything in it, no script, nothing from elsewhere.

    files.py       what the folder holds, as values
    training.py    figure: the objective over the meta-steps, with stages and divergences
    accuracy.py    figures and a table: accuracy against unroll step; the transfer matrix
    matrices.py    figures and a table: the meta-parameters by name
    regions.py     figures: what a network of the plane has learned after so many steps
    style.py       how figures look, and how they come into the page
    sections.py    the parts of the page, from the above
    page.py        the page

The same folder gives the same bytes with the same matplotlib and JAX.
"""

from __future__ import annotations

from pathlib import Path

from blurc.diagnostics import BlurError, Diagnostic
from blurc.files import why, write_atomically

NAME = "report.html"


def write(folder: Path) -> Path:
    """Writes the report of a run into its folder, and returns where.

    Raises `BlurError`: E614 where there is no run to report on, E6 where one of its files is damaged, E907 where the
    report cannot be written.
    """
    from blurc.meta.report import files, page  # matplotlib takes its time to load

    text = page.render(files.read(folder))
    target = folder / NAME
    try:
        write_atomically(target, text.encode())
    except OSError as error:
        raise BlurError(Diagnostic("E907", f"cannot write {target}: {why(error)}")) from None
    return target
