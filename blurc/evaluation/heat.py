"""Heat maps, and curves with their spread.

With the same matplotlib, the same numbers give the same bytes. NaN is grey, and labelled.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from blurc.evaluation.summaries import summaries
from blurc.pictures import figures

MISSING = "#d4d7dd"
MOST_TEXTS = 400  # cells; a larger table shows no numbers
BLUE, ORANGE, *_ = figures.COLOURS
SEQUENTIAL = LinearSegmentedColormap.from_list("score", ("#f4f7fb", "#8db4d8", BLUE, "#1d4266"))
SIGNED = LinearSegmentedColormap.from_list("signed", ("#8f4310", ORANGE, "#ffffff", BLUE, "#1d4266"))
MOST_TICKS = 12  # numbers of steps that are named
DASHES = ("-", "--", ":", "-.")
LETTER = 0.085  # inches; width of a letter in a title
WIDTH = 6.4  # inches; of curves
LEAST = 3.2  # inches; a title gets at least this, however narrow its table
LEGIBLE = 0.55  # fraction of the colour scale above which text is white


@dataclass(frozen=True, eq=False)
class Panel:
    """A table [rows, columns] with its labels. `texts` are written into the cells.

    If `signed`, colours run from `-most` to `most` (by default the largest magnitude); otherwise from 0 to 1, or from
    the least to the greatest value of those that are not `shares`.
    """

    title: str
    values: NDArray[Any]
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    texts: Sequence[Sequence[str]] = ()
    signed: bool = False
    most: float = 0.0
    shares: bool = True


def render(panels: Sequence[Panel], form: str, title: str = "") -> bytes:
    """Draws the panels side by side. `form` is "png" or "svg"."""
    sizes = [_size(panel) for panel in panels]
    figure = figures.figure(sum(w for w, _ in sizes), max(h for _, h in sizes) + 0.4)
    grid = figure.subplots(1, len(panels), squeeze=False, width_ratios=[w for w, _ in sizes])
    for axes, panel in zip(grid[0], panels, strict=True):
        _draw(figure, axes, panel)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=figures.INK)
    return figures.to_bytes(figure, form)


class Line(NamedTuple):
    """Means after numbers of steps. spread: standard deviations. diverged: how many seeds are not in each mean."""

    name: str
    steps: Sequence[int]
    mean: Sequence[float]
    spread: Sequence[float]
    diverged: Sequence[int]


def line(name: str, scores: NDArray[Any], steps: Sequence[int]) -> Line:
    """scores: [seeds, steps], NaN where a seed diverged."""
    found = summaries(scores)
    return Line(name, steps, [s.mean for s in found], [s.spread for s in found], [s.diverged for s in found])


class Curves(NamedTuple):
    """Lines on one axis. percent: whether they run from 0 to 1."""

    lines: Sequence[Line]
    y: str
    percent: bool


def curves(lines: Sequence[Line], title: str, x: str, y: str, percent: bool) -> Figure:
    return side_by_side([Curves(lines, y, percent)], title, x)


def side_by_side(groups: Sequence[Curves], title: str, x: str) -> Figure:
    """Each line over a band of one standard deviation. Markers are hollow where seeds diverged. Lines of many points
    have none. The axis is linear for them, and for steps at equal distances."""
    figure = figures.figure(WIDTH * len(groups))
    for i, (axes, group) in enumerate(zip(figure.subplots(1, len(groups), squeeze=False)[0], groups, strict=True)):
        _draw_curves(axes, group.lines)
        figures.dress(axes, "" if i else title, x, group.y, percent=group.percent)
    return figure


def _draw_curves(axes: Axes, lines: Sequence[Line]) -> None:
    steps = sorted({step for line in lines for step in line.steps})
    marker = "o" if len(steps) <= MOST_TICKS else ""
    for line, (dash, colour) in zip(lines, cycle(product(DASHES, figures.COLOURS)), strict=False):
        mean, spread = np.asarray(line.mean), np.nan_to_num(np.asarray(line.spread))
        axes.plot(line.steps, mean, dash, marker=marker, color=colour, linewidth=1.8, markersize=4, label=line.name)
        axes.fill_between(line.steps, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)
        flattered = np.asarray(line.diverged) > 0
        axes.plot(np.asarray(line.steps)[flattered], mean[flattered], "o", color=colour, mfc="white", markersize=5)
    if marker:
        if len(steps) > 1 and steps[-1] > 3 * steps[0] and np.ptp(np.diff(steps)) > 1:
            axes.set_xscale("log")
        axes.set_xticks(steps, [f"{step:,}" for step in steps])
        axes.minorticks_off()
    figures.legend(axes)


def _size(panel: Panel) -> tuple[float, float]:
    """Width and height in inches."""
    words = 0.075 * max(map(len, panel.rows), default=0)
    return words + _width(panel), _height(panel) + 0.17 * _title(panel).count("\n")


def _width(panel: Panel) -> float:
    """Width in inches without the row labels."""
    if not panel.texts:
        return 4.2
    cell = 0.4 + 0.075 * max((len(text) for row in panel.texts for text in row), default=4)
    return max(cell * panel.values.shape[1] + 1.0, min(LEAST, LETTER * len(panel.title)))


def _height(panel: Panel) -> float:
    return 0.34 * panel.values.shape[0] + 0.8 if panel.texts else 3.6


def _title(panel: Panel) -> str:
    """The title wrapped to the table's width, which the layout does not do."""
    return textwrap.fill(panel.title, int(_width(panel) / LETTER))


def _draw(figure: Figure, axes: Axes, panel: Panel) -> None:
    low, high = _limits(panel)
    colours: Colormap = (SIGNED if panel.signed else SEQUENTIAL).with_extremes(bad=MISSING)
    masked = np.ma.masked_invalid(panel.values)
    image = axes.imshow(masked, cmap=colours, vmin=low, vmax=high, aspect="auto" if panel.texts else "equal")
    axes.set_title(_title(panel), loc="left", fontsize=9.5, color=figures.INK)
    axes.set_xticks(range(len(panel.columns)), panel.columns)
    axes.set_yticks(range(len(panel.rows)), panel.rows)
    _bare(axes)
    if panel.values.size <= MOST_TEXTS:
        _write(axes, panel, (low, high))
    bar = figure.colorbar(image, ax=axes, shrink=0.9, pad=0.02)
    bar.ax.tick_params(colors=figures.SOFT, labelsize=7.5, length=0)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]


def _limits(panel: Panel) -> tuple[float, float]:
    sound = panel.values[np.isfinite(panel.values)]
    if not panel.signed:
        return (0.0, 1.0) if panel.shares or not len(sound) else (float(sound.min()), float(sound.max()))
    most = panel.most or float(np.abs(sound).max(initial=0.0)) or 1.0
    return -most, most


def _write(axes: Axes, panel: Panel, limits: tuple[float, float]) -> None:
    low, high = limits
    for i, row in enumerate(panel.texts):
        for j, text in enumerate(row):
            value = panel.values[i, j]
            place = (value - low) / (high - low or 1.0)
            dark = abs(2 * place - 1) > LEGIBLE if panel.signed else place > LEGIBLE
            axes.text(
                j, i, text, ha="center", va="center", fontsize=8, color="white" if dark else figures.INK, clip_on=True
            )


def _bare(axes: Axes) -> None:
    axes.tick_params(colors=figures.SOFT, labelsize=8.5, length=0)
    axes.spines[:].set_visible(False)
