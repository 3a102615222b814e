"""What is known of a search, in a notebook: the page changes while it goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from blurc import notebooks
from blurc.meta.watch.curves import means, number, progress, rows, said
from blurc.meta.watch.so_far import Search, running

if TYPE_CHECKING:
    from blurc.meta.watch.metrics import Metrics
    from blurc.tasks import Objective

EVERY = 0.25  # seconds between changes
POINTS = 160  # of a curve


@dataclass
class Page:
    search: Search
    _shown: Any = None
    _last: float = -math.inf

    def begin(self, done: int, steps: int, objective: Objective) -> None:
        from IPython.display import HTML, display  # a notebook has it

        self.search.begin(done, steps, objective)
        self._shown = display(HTML(html(self.search)), display_id=True)

    def line(self, line: Metrics) -> None:
        self.search.add(line)
        if self.search.now() - self._last >= EVERY:
            self._change()

    def end(self) -> None:
        if self._shown:
            self._change()

    def _change(self) -> None:
        from IPython.display import HTML

        self._shown.update(HTML(html(self.search)))
        self._last = self.search.now()


def html(search: Search) -> str:
    """The bar, a curve for the objective and for each task, and the genome."""
    bar = f'<progress value="{search.done}" max="{search.steps or 1}"></progress>'
    cells = (
        f"<tr><td style='text-align:left'>{escape(name.strip())}</td><td>{number(running(values))}</td>"
        f"<td>{notebooks.line(means(values, POINTS))}</td></tr>"
        for name, values in rows(search)
        if values
    )
    above, below = escape(", ".join(progress(search))), escape(said(search))
    return f"<p>{bar} {above}</p><table>{''.join(cells)}</table><p>{below}</p>"
