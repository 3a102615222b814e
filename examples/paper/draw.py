"""Draws a figure from its results, without running anything."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import cycle, product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from blurc.evaluation.heat import DASHES
from blurc.pictures import figures

from .figure import Curves, Eigenvalues, Figure, Panel, Points, Results, Track, Trajectory
from .learned import best

WIDTH, HEIGHT, IN_ROW = 4.6, 3.6, 2


def drawn(figure: Figure, results: Results) -> bytes:
    """The panels side by side, as SVG."""
    panels = [panel for panel in figure.panels if not isinstance(panel, Curves) or _is_measured(panel, results)]
    count = len(panels)
    columns = min(count, IN_ROW if count % 3 else 3)
    rows = math.ceil(count / columns)
    sheet = figures.figure(WIDTH * columns, HEIGHT * rows + 0.3 * len(results["variants"]) ** 0.5)
    grid = sheet.subplots(rows, columns, squeeze=False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        _panel(axes, panel, results)
    for axes in list(grid.flat)[count:]:
        axes.set_axis_off()
    handles, labels = grid.flat[0].get_legend_handles_labels()
    if labels:
        sheet.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)), frameon=False, fontsize=8)
    return figures.to_bytes(sheet, "svg")


def _is_measured(panel: Curves, results: Results) -> bool:
    return any(row_of(run, panel.task, panel.network) for runs in results["variants"].values() for run in runs)


def _panel(axes: Axes, panel: Panel, results: Results) -> None:
    match panel:
        case Curves():
            _curves(axes, panel, results)
        case Points():
            _points(axes, panel, results)
        case Trajectory():
            _trajectory(axes, panel, results)
        case Track():
            _track(axes, panel, results)
        case Eigenvalues():
            _eigenvalues(axes, panel, results)


def looks() -> Iterator[dict[str, Any]]:
    return ({"linestyle": dash, "color": colour} for dash, colour in cycle(product(DASHES, figures.COLOURS)))


def _curves(axes: Axes, panel: Curves, results: Results) -> None:
    """The run that the search judged best, over a band from the worst to the best run. Seeds that diverged are left
    out, and the marker is hollow then."""
    for (name, runs), look in zip(results["variants"].items(), looks(), strict=False):
        found = [row for run in runs if (row := row_of(run, panel.task, panel.network))]
        chosen = row_of(best(runs), panel.task, panel.network)
        if not chosen:
            continue
        steps = chosen["steps"]
        each = np.asarray([[mean(values) for values in row["scores"]] for row in found])
        line = np.asarray([mean(values) for values in chosen["scores"]])
        axes.plot(steps, line, label=name, marker="o", markersize=3, linewidth=1.6, **look)
        lost = np.asarray([None in values for values in chosen["scores"]])
        axes.plot(np.asarray(steps)[lost], line[lost], "o", color=look["color"], mfc="white", markersize=4)
        if len(each) > 1:
            low, high = np.nanmin(each, axis=0), np.nanmax(each, axis=0)
            axes.fill_between(steps, low, high, color=look["color"], alpha=0.12, linewidth=0)
    figures.dress(axes, panel.title, "steps", "accuracy", percent=True)
    _by_steps(axes)
    axes.set_ylim(0, 1)


def _by_steps(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _points(axes: Axes, panel: Points, results: Results) -> None:
    for (name, points), look in zip(lines_of(panel, results).items(), looks(), strict=False):
        names = [place for place, _ in points]
        middle = [float(np.nanmedian(values)) for _, values in points]
        axes.plot(names, middle, label=name, marker="o", markersize=4, linewidth=1.6, **look)
        for place, values in points:
            axes.plot([place] * len(values), values, ".", color=look["color"], alpha=0.4, markersize=4)
    figures.dress(axes, panel.title, "", f"accuracy after {panel.step} steps", percent=True)
    axes.set_ylim(0, 1)
    for label in axes.get_xticklabels():
        label.set(rotation=30, horizontalalignment="right", rotation_mode="anchor")


def lines_of(panel: Points, results: Results) -> dict[str, list[tuple[str, list[float]]]]:
    """{line: [(place, the mean score of each run), ..]}."""
    found: dict[str, list[tuple[str, list[float]]]] = {}
    for name, runs in results["variants"].items():
        if panel.along == "networks":
            rows = [row for row in runs[0]["rows"] if row["network"].startswith(panel.networks)]
            places = [row["network"] for row in rows if row["task"] == panel.task]
            found[name] = [(_hidden(place), _after(runs, panel, place)) for place in places]
        else:
            place, _, group = name.partition(": ")
            found.setdefault(group, []).append((place, _after(runs, panel, panel.networks)))
    return found


def _hidden(network: str) -> str:
    """`layers(side = 10, depth = 2)`: 2 hidden populations."""
    depth = re.search(r"depth = (\d+)", network)
    return f"{depth[1] if depth else 1} hidden"


def _after(runs: list[Results], panel: Points, network: str) -> list[float]:
    rows = [row for run in runs if (row := row_of(run, panel.task, network))]
    return [mean(row["scores"][row["steps"].index(panel.step)]) for row in rows]


def _trajectory(axes: Axes, panel: Trajectory, results: Results) -> None:
    for (name, runs), look in zip(results["variants"].items(), looks(), strict=False):
        chosen = best(runs)
        steps = [step for step, _ in chosen["trajectory"]]
        values = np.asarray([math.nan if v is None else v for _, v in chosen["trajectory"]])
        axes.plot(steps, np.exp(-values) if chosen["objective"] == "cross_entropy" else values, label=name, **look)
    figures.dress(axes, panel.title, "meta-steps", "accuracy, or exp(- cross entropy)", percent=True)
    axes.set_ylim(0, 1)


def _track(axes: Axes, panel: Track, results: Results) -> None:
    for (name, runs), look in zip(results["variants"].items(), looks(), strict=False):
        chosen = next(run for run in runs if "tracks" in run)
        values = [math.nan if v is None else v for v in chosen["tracks"][panel.quantity]]
        axes.plot(chosen["steps"], values, label=name, marker="o", markersize=2.5, linewidth=1.4, **look)
    figures.dress(axes, panel.title, "steps", panel.quantity, percent=panel.percent)
    if not panel.percent:  # of accuracies, the late ones count: what becomes of them when labels are shuffled
        _by_steps(axes)
    if panel.logarithmic:
        axes.set_yscale("log")


def _eigenvalues(axes: Axes, panel: Eigenvalues, results: Results) -> None:
    for values, colour in zip(results["eigenvalues"], figures.COLOURS, strict=False):
        real, imaginary = np.asarray(values).T
        axes.plot(real, imaginary, ".", color=colour, markersize=4)
    figures.dress(axes, panel.title, "real part", "imaginary part")


def row_of(run: Results, task: str, network: str) -> Results | None:
    """The first row of a task in a network; the network may be given by how its name begins."""
    rows = [row for row in run["rows"] if row["task"] == task]
    exact = [row for row in rows if row["network"] == network]
    return next(iter(exact or [row for row in rows if row["network"].startswith(network)]), None)


def mean(values: list[float | None]) -> float:
    """Of the seeds that stayed finite."""
    sound = [v for v in values if v is not None]
    return sum(sound) / len(sound) if sound else math.nan
