"""How meta-training went: the objective over the meta-steps, where episodes got longer, and what diverged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from blurc.meta.report import style
from blurc.meta.report.files import Point, Run
from blurc.training.curve import COLOURS, GRID, SOFT

Floats = NDArray[np.float64]

MOST = 400  # points of a line; of more meta-steps, several are one point
MOST_LINES = 8  # of more replicas or genomes of a population, a band is shown
MOST_STAGES = 12  # with a label
WIDE = 30.0  # the largest over the smallest value from where the scale is logarithmic


def picture(run: Run) -> style.Picture:
    points, percent = run.points, _is_accuracy(run)
    diverged = any(p.diverged for p in points)
    figure = style.figure(height=4.8 if diverged else 3.8)
    rows: Any = figure.subplots(
        2 if diverged else 1, 1, sharex=True, squeeze=False, height_ratios=(4, 1)[: 1 + diverged]
    )
    top, bottom = rows[0, 0], rows[-1, 0]
    size = -(-len(points) // MOST)
    steps = _binned(np.asarray([p.step for p in points], float), size)
    _lines(top, points, steps, size)
    unit = "" if percent else " [nats]" if run.experiment else ""
    style.dress(top, f"{run.name}: meta-training", "", f"{_objective(run)}{unit}", percent=percent)
    _stages(top, points)
    style.legend(top)
    if diverged:
        counts = _binned(np.asarray([p.diverged for p in points], float), size)
        bottom.fill_between(steps, counts, step="mid", color=COLOURS[1], alpha=0.6, linewidth=0)
        style.dress(bottom, "", "", "diverged\neach step")
        bottom.yaxis.set_major_locator(MaxNLocator(3))
        bottom.set_ylim(bottom=0)
    bottom.set_xlabel("meta-step", fontsize=9, color=SOFT)
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
    return style.picture(figure, _caption(run, size))


def _is_accuracy(run: Run) -> bool:
    return bool(run.experiment) and run.experiment.method.objective == "accuracy"


def _objective(run: Run) -> str:
    if run.experiment is None:
        return "objective"
    return "accuracy" if _is_accuracy(run) else "softmax cross entropy"


def _caption(run: Run, size: int) -> str:
    """What is drawn, and how much diverged."""
    points = run.points
    genomes, lost = sum(len(p.values) for p in points), sum(p.diverged for p in points)
    many = f" Each point is the mean of {size} meta-steps." if size > 1 else ""
    went = f"{lost:,} of {genomes:,} trainings diverged" if lost else "no training diverged"
    stages = len({p.unroll for p in points})
    longer = " Dashed lines: from here on an episode has so many steps." if stages > 1 else ""
    what = f"The objective on examples that were not learned from, over {len(points):,} meta-steps"
    return f"{what}; {went}.{many}{longer}"


def _lines(axes: Axes, points: Sequence[Point], steps: Floats, size: int) -> None:
    count = max(len(p.values) for p in points)
    values = np.full((len(points), count), np.nan)
    for row, point in zip(values, points, strict=True):
        row[: len(point.values)] = point.values
    best = _binned(np.asarray([p.value for p in points]), size)
    shown = [best]
    if 1 < count <= MOST_LINES:
        shown += [_binned(column, size) for column in values.T]
        for i, line in enumerate(shown[1:]):
            label = f"each of {count} replicas" if i == 0 else None
            axes.plot(steps, line, color=COLOURS[1], linewidth=0.9, alpha=0.6, label=label)
    elif count > MOST_LINES:
        low, middle, high = (_binned(q, size) for q in _quantiles(values))
        axes.fill_between(
            steps, low, high, color=COLOURS[1], alpha=0.2, linewidth=0, label="four fifths of all genomes"
        )
        axes.plot(steps, middle, color=COLOURS[1], linewidth=0.9, label="the median genome")
        shown += [low, high]
    label = "the best" if count > 1 else "the genome"
    axes.plot(steps, best, color=COLOURS[0], linewidth=1.8, label=label, zorder=3)
    _scale(axes, np.concatenate(shown))


def _quantiles(values: Floats) -> Floats:
    """[3, steps], of those that stayed finite."""
    found = np.full((3, len(values)), np.nan)
    sound = np.isfinite(values).any(axis=1)
    found[:, sound] = np.nanquantile(values[sound], (0.1, 0.5, 0.9), axis=1)
    return found


def _scale(axes: Axes, values: Floats) -> None:
    sound = values[np.isfinite(values)]
    if len(sound) and sound.min() > 0 and sound.max() > WIDE * sound.min():
        axes.set_yscale("log")


def _binned(values: Floats, size: int) -> Floats:
    """The means of `size` neighbours that are finite."""
    padded = np.append(values, np.full(-len(values) % size, np.nan)).reshape(-1, size)
    sound = np.isfinite(padded)
    with np.errstate(invalid="ignore"):
        return np.where(sound, padded, 0.0).sum(axis=1) / np.where(
            sound.any(axis=1), sound.sum(axis=1), np.nan
        )


def _stages(axes: Axes, points: Sequence[Point]) -> None:
    """A line where an episode gets another length, with that length; of many, some are labelled."""
    changes = [p for before, p in pairwise(points) if p.unroll != before.unroll]
    if not changes:
        return
    axes.set_title(axes.get_title(loc="left"), loc="left", fontsize=11, pad=20)
    every = -(-len(changes) // MOST_STAGES)
    for i, point in enumerate((points[0], *changes)):
        if i:
            axes.axvline(point.step, color=SOFT, linewidth=0.7, linestyle=(0, (3, 3)), zorder=1)
        if i % every == 0:
            text = f"{point.unroll} steps" if i == 0 else str(point.unroll)
            place = (point.step, 1.01)
            axes.text(*place, text, transform=axes.get_xaxis_transform(), fontsize=7.5, color=SOFT, ha="left")
    axes.spines["bottom"].set_color(GRID)
