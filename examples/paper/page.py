"""docs/PAPER.md and its figures, from the results in docs/paper/: nothing is run."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

from . import draw
from .figure import Curves, Eigenvalues, Figure, Panel, Points, Results, Track
from .figures import FIGURES
from .learned import best

DOCS = Path(__file__).parents[2] / "docs"
STORED, NOTES = DOCS / "paper", "notes.yaml"
HEAD = """# The paper's figures

Every figure of Sandler et al., "Meta-Learning Bidirectional Update Rules" (ICML 2021, arXiv:2104.04657), that shows a
measurement has a command: `python examples/paper.py FIGURE` [at full size](#at-full-size), most of which should
take a night or less on two cores, and with `--quick` in minutes, with smaller networks, shorter searches and fewer runs
or variants. Each section says which of the two it has. Quick results tell whether an effect is there; they say little
about its size.

Accuracies are on test examples, in %. Where there are several runs, a cell has the run whose genome the search itself
judged best, on episodes of its own, or the median where the table says so, and in brackets the worst and the best run.
What the paper says is from its text; nothing is read off its curves.

*This page is generated from `docs/paper/`, by `python examples/paper.py page`.*
"""


def write() -> Path:
    for name, results in stored().items():
        (STORED / f"figure-{name}.svg").write_bytes(draw.drawn(FIGURES[name], results))
    page = DOCS / "PAPER.md"
    page.write_text(text(), encoding="utf-8")
    return page


def stored() -> dict[str, Results]:
    """The results that there are, in the order of the figures."""
    files = {name: STORED / f"figure-{name}.json" for name in FIGURES}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}


def text() -> str:
    notes = yaml.safe_load((STORED / NOTES).read_text(encoding="utf-8"))
    found = stored()
    sections = [_section(name, results, notes[name]) for name, results in found.items()]
    missing = _missing([name for name in FIGURES if name not in found])
    return "\n".join([HEAD, *sections, *missing, f"## At full size\n\n{notes['full size']}"])


def _section(name: str, results: Results, note: str) -> str:
    figure = FIGURES[name]
    title = f"Figure {name}" if name.isdigit() else "Appendix A" if name == "A" else "Why genomes decay"
    size = "quick" if results["quick"] and figure.variants else "full size"
    parts = [
        f"## {title}\n\n**{figure.asked}**",
        textwrap.fill(f"*The paper:* {figure.paper}", 120),
        f"*Here* (`{results['command']}`, {size}):",
        note.strip(),
        *tables(figure, results),
        f"![{figure.asked}](paper/figure-{name}.svg)\n",
    ]
    return "\n\n".join(parts)


def _missing(names: list[str]) -> list[str]:
    if not names:
        return []
    lines = [f"- `python examples/paper.py {name}`: {FIGURES[name].asked}" for name in names]
    return ["## Not measured yet\n\n" + "\n".join(lines) + "\n"]


def tables(figure: Figure, results: Results) -> Iterator[str]:
    for panel in figure.panels:
        if rows := _rows(panel, results):
            yield "\n".join([_line(rows[0]), "|---" * len(rows[0]) + "|", *map(_line, rows[1:])])


def _rows(panel: Panel, results: Results) -> list[list[str]]:
    match panel:
        case Curves():
            return _of_curves(panel, results)
        case Points():
            return _of_points(panel, results)
        case Track():
            return _of_track(panel, results)
        case Eigenvalues():
            return _of_eigenvalues(results)
        case _:
            return []


def _of_curves(panel: Curves, results: Results) -> list[list[str]]:
    rows: list[list[str]] = []
    for name, runs in results["variants"].items():
        chosen = draw.row_of(best(runs), panel.task, panel.network)
        if not chosen:
            continue
        if not rows:
            rows = [[panel.title, *(f"{step:,} steps" for step in chosen["steps"])]]
        found = [row for run in runs if (row := draw.row_of(run, panel.task, panel.network))]
        each = np.asarray([[draw.mean(values) for values in row["scores"]] for row in found])
        rows.append([name, *(_range(draw.mean(of), each[:, i]) for i, of in enumerate(chosen["scores"]))])
    return rows


def _median(each: np.ndarray) -> str:
    sound = each[np.isfinite(each)]
    return _range(float(np.median(sound)) if len(sound) else np.nan, each)


def _range(chosen: float, each: np.ndarray) -> str:
    sound = each[np.isfinite(each)]
    if len(each) == 1 or not len(sound):
        return _percent(chosen)
    lost = f", {len(each) - len(sound)} diverged" if len(sound) < len(each) else ""
    return f"{_percent(chosen)} ({_percent(sound.min())} to {_percent(sound.max())}{lost})"


def _of_points(panel: Points, results: Results) -> list[list[str]]:
    lines = draw.lines_of(panel, results)
    places = [place for place, _ in next(iter(lines.values()))]
    each = {name: {place: np.asarray(of) for place, of in points} for name, points in lines.items()}
    head = [f"{panel.title}, after {panel.step} steps, medians", *lines]
    return [head, *([place, *(_median(each[name][place]) for name in lines)] for place in places)]


def _of_track(panel: Track, results: Results) -> list[list[str]]:
    recorded = {name: next(run for run in runs if "tracks" in run) for name, runs in results["variants"].items()}
    steps = next(iter(recorded.values()))["steps"]
    shown = [i for i, step in enumerate(steps) if step in (5, 15, 50, 100, 200, 400, 500, 510, 550, 700)]
    rows = [[panel.title, *(f"{steps[i]:,} steps" for i in shown)]]
    for name, run in recorded.items():
        rows.append([name, *(_told(run["tracks"][panel.quantity][i], panel.percent) for i in shown)])
    return rows


def _of_eigenvalues(results: Results) -> list[list[str]]:
    """The Jacobians Q, a column for each w."""
    return [
        ["steps of learning", *(str(i) for i, _ in enumerate(results["asymmetry"]))],
        ["antisymmetric share of Q", *(f"{share:.2f}" for share in results["asymmetry"])],
        ["largest imaginary part, over the largest modulus", *(f"{turn:.3f}" for turn in results["turning"])],
        ["solutions g that are left", *(str(count) for count in results["solutions"][1:])],
    ]


def _told(value: float | None, percent: bool) -> str:
    if value is None:
        return "not finite"
    return _percent(value) if percent else f"{value:.3g}"


def _percent(value: float) -> str:
    return "diverged" if np.isnan(value) else f"{100 * value:.1f}"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
