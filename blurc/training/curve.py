"""Learning curves, as PNG, SVG and JSON lines.

The same runs give the same bytes with the same matplotlib, except for the seconds in the JSON lines.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from blurc.pictures import figures
from blurc.training.learner import Run
from blurc.training.scores import Metric

FORMS = ("png", "svg", "jsonl")
COLOURS = ("#3b78b5", "#c8702a", "#34855a", "#7a4fa3")
INK, SOFT, GRID = "#22252b", "#6b717d", "#e6e8ec"


def render(runs: Sequence[Run], metric: Metric, title: str, form: str) -> bytes:
    if form == "jsonl":
        return "".join(f"{line}\n" for line in _lines(runs, metric)).encode()
    return figures.to_bytes(_figure(runs, metric, title), form)


def _lines(runs: Sequence[Run], metric: Metric) -> Iterator[str]:
    """One line per point: {"run": "SGD", "step": 100, "test accuracy": 0.93, "seconds": 0.2}."""
    for run in runs:
        for point in run.points:
            value = point.score if math.isfinite(point.score) else None
            shown = {"run": run.name, "step": point.step, f"test {metric.name}": value}
            yield json.dumps({**shown, "seconds": round(point.seconds, 6)}, ensure_ascii=False)


def _figure(runs: Sequence[Run], metric: Metric, title: str) -> Figure:
    figure = Figure(figsize=(6.4, 3.8), facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for i, (run, colour) in enumerate(zip(runs, COLOURS, strict=False)):
        label = run.name if run.rate is None else f"{run.name}, rate {run.rate:g}"
        steps, scores = [p.step for p in run.points], [p.score for p in run.points]
        # Curves may coincide: with dashes, the rule's own curve, which is drawn last, does not hide them.
        style, order = ("-", 3) if i == 0 else ("--", 2)
        axes.plot(steps, scores, style, color=colour, linewidth=1.8, label=label, solid_capstyle="round", zorder=order)
    _dress(axes, metric, title)
    return figure


def _dress(axes: Axes, metric: Metric, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK, pad=10)
    axes.set_xlabel("step", fontsize=9, color=SOFT)
    axes.set_ylabel(f"test {metric.name}", fontsize=9, color=SOFT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if metric.greater_is_better:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.tick_params(colors=SOFT, labelsize=8.5, length=0)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.margins(x=0.01)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="best")
