"""Learning curves, as PNG, SVG and JSON lines.

The same runs give the same bytes with the same matplotlib, except for the seconds in the JSON lines.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from blurc.pictures import figures
from blurc.tasks import Objective
from blurc.training.learner import Run


def render(runs: Sequence[Run], metric: Objective, title: str, form: str, asked: str = "test") -> bytes:
    """asked: `Settings.asked` of the runs."""
    if form == "jsonl":
        return "".join(f"{line}\n" for line in _lines(runs, metric, asked)).encode()
    return figures.to_bytes(_figure(runs, metric, title, asked), form)


def _lines(runs: Sequence[Run], metric: Objective, asked: str) -> Iterator[str]:
    """One line per point: {"run": "SGD", "step": 100, "test accuracy": 0.93, "seconds": 0.2}."""
    for run in runs:
        for point in run.points:
            value = point.score if math.isfinite(point.score) else None
            shown = {"run": run.name, "step": point.step, f"{asked} {metric.title}": value}
            yield json.dumps({**shown, "seconds": round(point.seconds, 6)}, ensure_ascii=False)


def _figure(runs: Sequence[Run], metric: Objective, title: str, asked: str) -> Figure:
    figure = figures.figure()
    axes = figure.add_subplot()
    for i, (run, colour) in enumerate(zip(runs, figures.COLOURS, strict=False)):
        label = run.name if run.rate is None else f"{run.name}, rate {run.rate:g}"
        steps, scores = [p.step for p in run.points], [p.score for p in run.points]
        # Curves may coincide: with dashes, the rule's own curve, which is drawn last, does not hide them.
        style, order = ("-", 3) if i == 0 else ("--", 2)
        axes.plot(steps, scores, style, color=colour, linewidth=1.8, label=label, solid_capstyle="round", zorder=order)
    figures.dress(axes, title, "step", f"{asked} {metric.title}", percent=metric.percent)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.01)
    figures.legend(axes)
    return figure
