"""How well the genome trains networks: scores over unroll steps beside the baselines (figures 5 and 9 of the paper),
as a table, and as a matrix of learners and tasks.

Means are over the seeds that stayed finite, which flatters learners that diverge, so those means are always marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from blurc.diagnostics import counted
from blurc.evaluation import heat
from blurc.meta.report import style
from blurc.meta.report.contents import Curve
from blurc.tasks import mean_and_spread, number


def pictures(curves: Sequence[Curve]) -> Iterator[style.Picture]:
    """One for each task in each network."""
    for task, network in dict.fromkeys((c.task, c.network) for c in curves):
        yield _lines([c for c in curves if (c.task, c.network) == (task, network)], f"{task} in {network}")


def _lines(curves: Sequence[Curve], title: str) -> style.Picture:
    lines = [heat.Line(c.name, c.steps, c.mean, c.spread, c.diverged) for c in curves]
    what = f"{curves[0].metric} {curves[0].measured_on}"
    said = f"{title}: mean {what}, and one standard deviation over seeds to either side."
    figure = heat.curves(lines, title, "unroll step", what, curves[0].unit == "%")
    return style.picture(figure, " ".join((said, *_lost(curves))))


def _lost(curves: Sequence[Curve]) -> Iterator[str]:
    """What the line plot does not show."""
    means = [(mean, lost) for c in curves for mean, lost in zip(c.mean, c.diverged, strict=True)]
    if any(lost and np.isfinite(mean) for mean, lost in means):
        yield "Hollow markers: some seeds diverged and are not in the mean."
    if gone := [c.name for c in curves if not np.isfinite(c.mean).all()]:
        yield f"Where a point is missing, all seeds diverged: {', '.join(gone)}."


def table(curves: Sequence[Curve]) -> Iterator[tuple[str, ...]]:
    """A header, and a row per curve, grouped by task and network."""
    steps = sorted({step for curve in curves for step in curve.steps})
    yield ("task", "network", "learner", *(counted(step, "step") for step in steps))
    groups = list(dict.fromkeys((c.task, c.network) for c in curves))
    for c in sorted(curves, key=lambda c: groups.index((c.task, c.network))):
        yield (c.task, c.network, c.name, *(cell(c, step) for step in steps))


def cell(curve: Curve, step: int) -> str:
    """`88.1 ± 0.4`, `80.2 ± 1.1, 2 diverged`, `diverged`, or a dash if not measured."""
    mean, told, spread, lost = _at(curve, step)
    if np.isfinite(spread):
        told = mean_and_spread(mean, spread, curve.unit)
    return told + (f", {lost} diverged" if lost and told != "diverged" else "")


def _at(curve: Curve | None, step: int) -> tuple[float, str, float, int]:
    """The mean as a number and in words, the deviation, and how many seeds diverged."""
    if not curve or step not in curve.steps:
        return np.nan, "–", np.nan, 0
    i = curve.steps.index(step)
    mean = curve.mean[i]
    return mean, number(mean, curve.unit) if np.isfinite(mean) else "diverged", curve.spread[i], curve.diverged[i]


def matrices(curves: Sequence[Curve]) -> Iterator[style.Picture]:
    """Learners by tasks, one matrix per network, if there are several tasks; otherwise learners by networks. Tasks with
    different metrics have matrices of their own."""
    for metric in dict.fromkeys(c.metric for c in curves):
        yield from _matrices([c for c in curves if c.metric == metric])


def _matrices(curves: Sequence[Curve]) -> Iterator[style.Picture]:
    tasks, networks = ([*dict.fromkeys(names)] for names in zip(*((c.task, c.network) for c in curves), strict=True))
    if len(tasks) > 1:
        for network in networks:
            of = {(c.name, c.task): c for c in curves if c.network == network}
            yield _matrix(of, f"in {network}")
    elif len(networks) > 1:
        yield _matrix({(c.name, c.network): c for c in curves}, f"on {tasks[0]}")


def _matrix(of: dict[tuple[str, str], Curve], where: str) -> style.Picture:
    """At the largest step count that all curves share."""
    steps = set[int].intersection(*(set(c.steps) for c in of.values()))
    if not steps:
        steps = {max(max(c.steps) for c in of.values())}
    step = max(steps)
    rows, columns = ([*dict.fromkeys(names)] for names in zip(*of, strict=True))
    cells = [[_at(of.get((row, column)), step) for column in columns] for row in rows]
    values = np.asarray([[mean for mean, *_ in row] for row in cells])
    texts = [[text + "*" * (lost > 0 and text != "diverged") for _, text, _, lost in row] for row in cells]
    one = next(iter(of.values()))
    title = f"{one.metric}{' in %' if one.unit == '%' else ''}, {where}, after {counted(step, 'step')}"
    what = f"Mean {one.metric} {one.measured_on} {where} after {counted(step, 'step')}"
    caption = f"{what}, of each learner (row)." + _legend(texts)
    panel = heat.Panel(title, values, rows, columns, texts, shares=one.unit == "%")
    return style.Picture(heat.render([panel], style.FORM), caption, natural=True)


def _legend(texts: Sequence[Sequence[str]]) -> str:
    """Explains the marks used in the cells."""
    shown = [text for row in texts for text in row]
    starred = " *: without the seeds that diverged." if any(t.endswith("*") for t in shown) else ""
    lost = " Diverged: all seeds did." if "diverged" in shown else ""
    return starred + lost + (" –: not measured." if "–" in shown else "")
