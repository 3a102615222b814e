"""How meta-training went on each task: a panel for each, the worst at the end first.

Meta-steps draw tasks at random, so a task has a value only where it was drawn.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from blurc.meta.report import style
from blurc.meta.report.contents import Run
from blurc.meta.report.running import WINDOW, binned, running_mean
from blurc.pictures import figures

MOST = 30  # panels
ACROSS = 5
HEIGHT = 1.9  # inches of a row


def picture(run: Run) -> style.Picture | None:
    """None for a single task."""
    names = {name for p in run.points for name in p.by_task}
    series = {name: [(p.step, p.by_task[name]) for p in run.points if name in p.by_task] for name in sorted(names)}
    if len(series) < 2:
        return None
    less = not run.objective.greater_is_better
    ends = {name: running_mean([value for _, value in found])[-1] for name, found in series.items()}
    worst = math.inf if less else -math.inf
    order = sorted(series, key=lambda name: ends[name] if math.isfinite(ends[name]) else worst, reverse=less)
    shown = order[:MOST]
    figure = figures.figure(style.WIDE, 0.4 + HEIGHT * -(-len(shown) // ACROSS))
    grid: Any = figure.subplots(
        -(-len(shown) // ACROSS), min(len(shown), ACROSS), sharex=True, sharey=True, squeeze=False
    )
    for axes, name in zip(grid.flat, shown, strict=False):
        _panel(axes, run, name, series[name], ends[name], percent=run.objective.percent)
    for axes in grid.flat[len(shown) :]:
        axes.axis("off")
    figure.supxlabel("meta-step", fontsize=9, color=figures.SOFT)
    return style.picture(figure, _caption(run, len(order) - len(shown)), wide=True)


def _panel(axes: Axes, run: Run, name: str, found: list[tuple[int, float]], end: float, *, percent: bool) -> None:
    steps, values = (np.asarray(column, float) for column in zip(*found, strict=True))
    size = -(-len(steps) // style.MOST_POINTS)
    across = binned(steps, size)
    axes.plot(across, binned(values, size), color=figures.COLOURS[1], linewidth=0.8, alpha=0.5)
    axes.plot(across, binned(running_mean(values), size), color=figures.COLOURS[0], linewidth=1.8)
    judged = [(p.step, p.judged_by_task[name]) for p in run.points if name in p.judged_by_task]
    if judged:
        axes.plot(*zip(*judged, strict=True), "o-", color=figures.COLOURS[2], linewidth=1, markersize=3, zorder=4)
    last = (f"{100 * end:.1f} %" if percent else f"{end:.3g}") if math.isfinite(end) else "diverged"
    figures.dress(axes, f"{name}: {last}", "", "", percent=percent)
    axes.title.set_fontsize(9.5)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def _caption(run: Run, left_out: int) -> str:
    replicas = any(p.values for p in run.points)
    of = "the best replica" if replicas else f"the {run.points[0].middle} of the population"
    sentences = [
        f"The objective by task, of {of}, the worst task first.",
        f"Thick: the running mean over the last {WINDOW} meta-steps that drew the task, with its last value above.",
    ]
    if any(p.judged_by_task for p in run.points):
        sentences.append("Markers: the best genome of that meta-step on episodes the search never sees.")
    if left_out:
        sentences.append(f"{left_out} better tasks are left out.")
    return " ".join(sentences)
