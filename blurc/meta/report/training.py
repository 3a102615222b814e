"""How meta-training went: the objective over meta-steps, where episodes got longer, and what diverged.

A search sees replicas (gradient) or populations (cma, pes) on its own episodes. The genome itself is judged now and
then on episodes that the search never sees.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from blurc.diagnostics import counted
from blurc.meta.report import style
from blurc.meta.report.contents import Point, Run
from blurc.meta.report.running import WINDOW, Floats, binned, running_mean
from blurc.pictures import figures

LEAST = 20  # meta-steps that a running mean is drawn for
MOST_LINES = 8  # one per replica; beyond that, a band
THICK = 1.8  # points
MOST_MARKERS = 40
MOST_STAGES = 12  # with a label
WIDE = 30.0  # the ratio of the largest to the smallest value that makes the scale logarithmic


def picture(run: Run) -> style.Picture:
    points, objective = run.points, run.objective
    diverged = any(p.diverged for p in points)
    figure = figures.figure(style.WIDE, 5.0 if diverged else 4.0)
    rows: Any = figure.subplots(
        2 if diverged else 1, 1, sharex=True, squeeze=False, height_ratios=(4, 1)[: 1 + diverged]
    )
    top, bottom = rows[0, 0], rows[-1, 0]
    size = -(-len(points) // style.MOST_POINTS)
    steps = binned(np.asarray([p.step for p in points], float), size)
    _lines(top, points, steps, size)
    unit = f" [{objective.unit}]" if objective.unit == "nats" else ""
    figures.dress(top, f"{run.name}: meta-training", "", f"{objective.title}{unit}", percent=objective.percent)
    _stages(top, points)
    figures.legend(top)
    if diverged:
        counts = binned(np.asarray([p.diverged for p in points], float), size)
        bottom.fill_between(steps, counts, step="mid", color=figures.COLOURS[1], alpha=0.6, linewidth=0)
        figures.dress(bottom, "", "", "diverged\neach step")
        bottom.yaxis.set_major_locator(MaxNLocator(3))
        bottom.set_ylim(bottom=0)
    bottom.set_xlabel("meta-step", fontsize=9, color=figures.SOFT)
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
    return style.picture(figure, _caption(run, size), wide=True)


def _caption(run: Run, size: int) -> str:
    """What is drawn, and how much diverged."""
    points = run.points
    what = f"The objective on held-out examples, over {counted(len(points), 'meta-step')}"
    sentences = [f"{what}; {_lost(points)}.", *_which(points)]
    if size > 1:
        sentences += [f"Each point of a line is the mean of {size} meta-steps."]
    if len({p.unroll for p in points}) > 1:
        sentences += ["Dashed lines: episodes have this many steps from here on."]
    return " ".join(sentences)


def _lost(points: Sequence[Point]) -> str:
    """Old runs of a population did not record how many candidates there were."""
    lost, counts = sum(p.diverged for p in points), [p.candidates for p in points]
    if not lost:
        return "no training run diverged"
    known = [count for count in counts if count is not None]
    of = f" of {sum(known):,}" if len(known) == len(counts) else ""
    return f"{lost:,}{of} training runs diverged"


def _which(points: Sequence[Point]) -> Iterator[str]:
    count = _replicas(points)
    if not count:
        middle = f"the {points[0].middle} of the population"
        yield f"Thick: {middle} at each meta-step; thin: its best, which is partly luck."
    elif count > 1:
        others = f"each of {count}" if count <= MOST_LINES else f"the median of {count}, with the middle 80 %"
        yield f"Thick: the best replica of each meta-step; thin: {others}."
    if judged := [p.judged for p in points if p.judged is not None]:
        yield "Markers: the best genome of that meta-step on episodes the search never sees."
        if lost := sum(map(math.isnan, judged)):
            yield f"It diverged in {lost} of these {len(judged)} judgements, shown as gaps."


def _replicas(points: Sequence[Point]) -> int:
    """0 for a population."""
    return max(len(p.values) for p in points)


def _lines(axes: Axes, points: Sequence[Point], steps: Floats, size: int) -> None:
    draw = _of_replicas if _replicas(points) else _of_population
    drawn = draw(axes, points, steps, size)
    if len(points) >= LEAST:
        _running(axes, points, steps, size)
    _scale(axes, np.concatenate([*drawn, _judged(axes, points)]))


def _running(axes: Axes, points: Sequence[Point], steps: Floats, size: int) -> None:
    """Of what is drawn thick, which is made paler."""
    (thick,) = (line for line in axes.lines if line.get_linewidth() == THICK)
    thick.set_alpha(0.4)
    values = [p.value if _replicas(points) else p.mean for p in points]
    look: dict[str, Any] = {"color": figures.COLOURS[3], "linewidth": 2.2, "zorder": 4}
    axes.plot(steps, binned(running_mean(values), size), label=f"running mean over {WINDOW} meta-steps", **look)


def _of_population(axes: Axes, points: Sequence[Point], steps: Floats, size: int) -> list[Floats]:
    best, mean = (binned(np.asarray(x), size) for x in zip(*((p.value, p.mean) for p in points), strict=True))
    _thin(axes, steps, best, "best of the population")
    _thick(axes, steps, mean, f"{points[0].middle} of the population")
    return [best, mean]


def _of_replicas(axes: Axes, points: Sequence[Point], steps: Floats, size: int) -> list[Floats]:
    count = _replicas(points)
    values = np.full((len(points), count), np.nan)
    for row, point in zip(values, points, strict=True):
        row[: len(point.values)] = point.values
    best = binned(np.asarray([p.value for p in points]), size)
    _thick(axes, steps, best, "the best replica" if count > 1 else "the replica")
    if count == 1:
        return [best]
    if count > MOST_LINES:
        low, middle, high = (binned(q, size) for q in _quantiles(values))
        look: dict[str, Any] = {"color": figures.COLOURS[1], "alpha": 0.2, "linewidth": 0}
        axes.fill_between(steps, low, high, label="the middle 80 % of replicas", **look)
        _thin(axes, steps, middle, "the median replica")
        return [best, low, high]
    each = [binned(column, size) for column in values.T]
    for i, line in enumerate(each):
        _thin(axes, steps, line, f"each of {count} replicas" if i == 0 else None)
    return [best, *each]


def _thick(axes: Axes, steps: Floats, values: Floats, label: str) -> None:
    axes.plot(steps, values, color=figures.COLOURS[0], linewidth=THICK, label=label, zorder=3)


def _thin(axes: Axes, steps: Floats, values: Floats, label: str | None) -> None:
    axes.plot(steps, values, color=figures.COLOURS[1], linewidth=0.9, alpha=0.6, label=label)


def _judged(axes: Axes, points: Sequence[Point]) -> Floats:
    """The line has a gap wherever the genome diverged."""
    found = [(p.step, p.judged) for p in points if p.judged is not None]
    steps, values = np.asarray(found, float).reshape(-1, 2).T
    if len(found):
        every = -(-len(found) // MOST_MARKERS)
        look: dict[str, Any] = {
            "color": figures.COLOURS[2],
            "linewidth": 1.2,
            "marker": "o",
            "markersize": 4,
            "markevery": every,
        }
        axes.plot(steps, values, label="the genome, judged", zorder=4, **look)
    return values


def _quantiles(values: Floats) -> Floats:
    """[3, steps], over the replicas that stayed finite."""
    found = np.full((3, len(values)), np.nan)
    sound = np.isfinite(values).any(axis=1)
    found[:, sound] = np.nanquantile(values[sound], (0.1, 0.5, 0.9), axis=1)
    return found


def _scale(axes: Axes, values: Floats) -> None:
    sound = values[np.isfinite(values)]
    if len(sound) and sound.min() > 0 and sound.max() > WIDE * sound.min():
        axes.set_yscale("log")


def _stages(axes: Axes, points: Sequence[Point]) -> None:
    """A line wherever the episode length changes, labelled with the new one; if there are many, only some labels."""
    changes = [p for before, p in pairwise(points) if p.unroll != before.unroll]
    if not changes:
        return
    axes.set_title(axes.get_title(loc="left"), loc="left", fontsize=11, pad=20)
    every = -(-len(changes) // MOST_STAGES)
    for i, point in enumerate((points[0], *changes)):
        if i:
            axes.axvline(point.step, color=figures.SOFT, linewidth=0.7, linestyle=(0, (3, 3)), zorder=1)
        if i % every == 0:
            text = counted(point.unroll, "step") if i == 0 else str(point.unroll)
            place = (point.step, 1.01)
            axes.text(*place, text, transform=axes.get_xaxis_transform(), fontsize=7.5, color=figures.SOFT, ha="left")
    axes.spines["bottom"].set_color(figures.GRID)
