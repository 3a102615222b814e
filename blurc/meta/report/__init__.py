"""`report.html` of a run folder, and the comparison of two: self-contained pages without scripts.

    contents.py    the contents of the folder, as values
    wording.py     the rule as text
    opening.py     the network, drawn
    training.py    figure: the objective over meta-steps, with stages and divergences
    by_task.py     figure: the same for each task
    running.py     running means, and means over bins
    scores.py      figures and a table: scores against unroll step; the transfer matrix
    matrices.py    figures and a table: the meta-parameters by name
    regions.py     figures: decision regions of a network with two inputs, as it learns
    comparing.py   the sections of a page about two runs
    private.py     texts without paths of this machine
    style.py       the look of figures, and how they are embedded in the page
    sections.py    the sections of the page, built from the above
    page.py        the HTML, written into the folder

With the same matplotlib and JAX, the same folder gives the same bytes.

Only what draws needs matplotlib, so the page is imported when it is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.meta.report.page import compare, write

__all__ = ["compare", "write"]

face(__name__)
