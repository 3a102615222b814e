"""Two runs side by side: what differs in their settings, their searches in one figure, and their genomes on the same
tasks, paired over seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import yaml
from matplotlib.axes import Axes

from blurc.evaluation import heat
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment
from blurc.meta.report import private, scores, style
from blurc.meta.report.contents import Curve, Run
from blurc.meta.report.running import WINDOW, binned, running_mean
from blurc.meta.report.sections import Section, summary
from blurc.pictures import figures
from blurc.tasks import TaskChoice, mean_and_spread, number

Row = tuple[str, ...]
ELSEWHERE = ("name", "write", "hash")  # settings that say nothing of how a run goes


@dataclass(frozen=True)
class Named:
    """A run, and what the page calls it."""

    name: str
    run: Run


def named(one: Run, other: Run) -> tuple[Named, Named]:
    """By their experiments, else by their folders, else A and B."""
    for names in ((one.name, other.name), (one.folder.resolve().name, other.folder.resolve().name)):
        if names[0] != names[1]:
            return Named(names[0], one), Named(names[1], other)
    return Named("A", one), Named("B", other)


def sections(one: Named, other: Named) -> Iterator[Section]:
    runs = (one, other)
    yield Section("", table=(("", one.name, other.name), *_facts(*runs)))
    differing = tuple(_settings(*runs))
    same = () if differing else ("Both runs have the same settings.",)
    head = (("setting", one.name, other.name),) if differing else ()
    yield Section("Settings that differ", notes=same, table=(*head, *differing))
    yield _training(runs)
    yield from _scores(*runs)


def _facts(one: Named, other: Named) -> Iterator[Row]:
    """The summaries of both; a dash for what one does not say."""
    first, second = dict(summary(one.run)), dict(summary(other.run))
    for fact in {**first, **second}:
        yield fact, first.get(fact, "–"), second.get(fact, "–")


def _settings(one: Named, other: Named) -> Iterator[Row]:
    first, second = (dict(schema.flat(yaml.safe_load(private.settings(n.run.text)))) for n in (one, other))
    for path in {**first, **second}:
        if path not in ELSEWHERE and first.get(path) != second.get(path):
            yield path, *(str(values.get(path, "–")) for values in (first, second))


# ----------------------------------------------------------------- the search


def _training(runs: Sequence[Named]) -> Section:
    objectives = [n.run.objective.name for n in runs]
    if not all(n.run.points for n in runs):
        return Section("Meta-training", notes=("One of the runs has no metrics yet.",))
    if objectives[0] != objectives[1]:
        said = " and ".join(o.replace("_", " ") or "unknown" for o in objectives)
        return Section("Meta-training", notes=(f"The objectives are {said}: their curves cannot be compared.",))
    objective = objectives[0].replace("_", " ") or "objective"
    figure = figures.figure(style.WIDE, 4.0)
    axes = figure.add_subplot()
    for n, colour in zip(runs, figures.COLOURS, strict=False):
        _curve(axes, n, colour)
    figures.dress(axes, "", "meta-step", objective, percent=runs[0].run.objective.percent)
    figures.legend(axes)
    caption = (
        f"Thick: the running mean of each run over {WINDOW} meta-steps, of its best replica or its population. Pale: "
        "each meta-step. Markers: the genome on episodes the search never sees, which differ between runs that differ "
        "in their tasks, seeds or episodes."
    )
    return Section("Meta-training", (style.picture(figure, caption, wide=True),))


def _curve(axes: Axes, n: Named, colour: str) -> None:
    points = n.run.points
    size = -(-len(points) // style.MOST_POINTS)
    steps = binned(np.asarray([p.step for p in points], float), size)
    values = np.asarray([p.value if p.values else p.mean for p in points], float)
    axes.plot(steps, binned(values, size), color=colour, linewidth=0.8, alpha=0.3)
    axes.plot(steps, binned(running_mean(values), size), color=colour, linewidth=2, label=n.name)
    judged = [(p.step, p.judged) for p in points if p.judged is not None]
    if judged:
        axes.plot(*zip(*judged, strict=True), "o", color=colour, markersize=4, markeredgecolor="white")


# ----------------------------------------------------------------- the genomes


def _scores(one: Named, other: Named) -> Iterator[Section]:
    pairs = [(a, b) for a in _own(one.run) for b in _own(other.run) if _measured(a) == _measured(b)]
    if not pairs:
        said = "The runs have no task and network in common that both were evaluated on, by the same metric."
        yield Section("Scores", notes=(said,))
        return
    reasons = {a.task: _unpaired(one.run, other.run, a.task) for a, _ in pairs}
    units = dict.fromkeys(f"{a.metric}{' in %' if a.unit == '%' else ''}" for a, _ in pairs)
    alone = dict.fromkeys(reason for reason in reasons.values() if reason)
    notes = (
        f"{pairs[0][0].measured_on.capitalize()}, {', '.join(units)}. The difference is the first minus the "
        "second: its mean over seeds ± standard error.",
        "Seeds are paired: both have the same batches and the same questions.",
        *(f"Not paired: {reason}." for reason in alone),
    )
    pictures = tuple(_picture(a, b, (one.name, other.name)) for a, b in pairs)
    head = ("task", "network", "steps", one.name, other.name, "difference", "pairs")
    rows = (row for a, b in pairs for row in _rows(a, b, paired=not reasons[a.task]))
    yield Section("Scores", pictures, notes=notes, table=(head, *rows))


def _measured(curve: Curve) -> Row:
    return curve.task, curve.network, curve.metric


def _own(run: Run) -> list[Curve]:
    """The curves of the genome, without those of optimizers."""
    return [c for c in run.curves if run.genome is None or c.name == run.genome.name]


def _unpaired(one: Run, other: Run, task: str) -> str:
    """Why a seed of one run is not the same course in the other; empty if it is."""
    if one.experiment is None or other.experiment is None:
        return "an experiment is missing"
    if one.experiment.evaluation.batch != other.experiment.evaluation.batch:
        return "the batches have different sizes"
    same = _choice(one.experiment, task) == _choice(other.experiment, task)
    return "" if same else f"{task} is another task in each"


def _choice(e: Experiment, task: str) -> TaskChoice | None:
    """The data of an evaluation's task."""
    found = next((t for t in e.evaluation.tasks or e.tasks if (t.name or t.data) == task), None)
    return replace(found, weight=1.0, name="") if found else None


def _rows(a: Curve, b: Curve, *, paired: bool) -> Iterator[Row]:
    for step in sorted({*a.steps} & {*b.steps}):
        i, j = a.steps.index(step), b.steps.index(step)
        cells = (scores.cell(a, step), scores.cell(b, step))
        yield a.task, a.network, f"{step:,}", *cells, *_difference(a, b, i, j, paired=paired)


def _difference(a: Curve, b: Curve, i: int, j: int, *, paired: bool) -> tuple[str, str]:
    """`+1.2 ± 0.3` and the number of pairs; dashes if there are none."""
    if not (paired and a.values and b.values):
        return "–", "–"
    count = min(len(a.values[i]), len(b.values[j]))
    found = np.asarray(a.values[i][:count]) - np.asarray(b.values[j][:count])
    found = found[np.isfinite(found)]
    if not len(found):
        return "–", "–"
    mean, sign = float(found.mean()), "+" if found.mean() >= 0 else ""
    if len(found) == 1:
        return f"{sign}{number(mean, a.unit)}", "1"
    error = float(found.std(ddof=1)) / math.sqrt(len(found))
    return f"{sign}{mean_and_spread(mean, error, a.unit)}", str(len(found))


def _picture(a: Curve, b: Curve, names: tuple[str, str]) -> style.Picture:
    lines = [heat.Line(name, c.steps, c.mean, c.spread, c.diverged) for name, c in zip(names, (a, b), strict=True)]
    title, what = f"{a.task} in {a.network}", f"{a.metric} {a.measured_on}"
    figure = heat.curves(lines, title, "unroll step", what, a.unit == "%")
    return style.picture(figure, f"{title}: mean {what}, and one standard deviation over seeds.")
