"""The contents of a run folder, as values. It needs an experiment or its metrics; everything else is optional."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, cast

from blurc import genome
from blurc.diagnostics import BlurError, Diagnostic, Source, Span
from blurc.genome import GenomeFile
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment
from blurc.storage import limits, read_file, why
from blurc.tasks import OBJECTIVES, Objective, measured_on


@dataclass(frozen=True)
class Point:
    """One meta-step: its objectives, NaN for what diverged.

    value: of the best candidate. values: of each replica; empty for a population. mean: of a population, without those
    that diverged, or, where `middle` says so, its median. by_task: of each task that was drawn; empty for a single
    task. judged: of the genome on episodes the search never sees; None in most meta-steps. diverged: how many of
    `candidates` did, which is None in old runs that did not record it.
    """

    step: int
    unroll: int
    value: float
    values: tuple[float, ...]
    mean: float
    judged: float | None
    diverged: int
    candidates: int | None
    by_task: Mapping[str, float] = field(default_factory=dict[str, float])
    judged_by_task: Mapping[str, float] = field(default_factory=dict[str, float])
    middle: str = "mean"


@dataclass(frozen=True)
class Curve:
    """Scores of a genome or an optimizer on a task in a network, after each of `steps`: mean and standard deviation
    over the seeds that stayed finite, NaN if none did, and how many diverged. values: of each seed, NaN where it
    diverged; empty in old runs. metric, unit: `Objective.title`, `unit`. where: on what, if the metric does not
    say it."""

    name: str
    task: str
    network: str
    steps: tuple[int, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    diverged: tuple[int, ...]
    values: tuple[tuple[float, ...], ...] = ()
    metric: str = "accuracy"
    unit: str = "%"
    where: str = ""

    @property
    def measured_on(self) -> str:
        return self.where or measured_on(self.metric)


@dataclass(frozen=True)
class Rule:
    """One that a symbolic search found.

    Attributes:
        file: in the run folder.
        rule: the name of its genome.
        length: its symbols.
        value: its objective on episodes the search never sees; None if it diverged.
        equations: the statements that were found, with their constants.
    """

    file: str
    rule: str
    length: int
    value: float | None
    equations: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """text: of the experiment file. problem: why it could not be read as an experiment. result: of result.json; empty
    before the run is done. of_objective: of objective.json, if the objective is one of the user's own."""

    folder: Path
    text: str
    experiment: Experiment | None
    problem: str
    points: tuple[Point, ...]
    genome: GenomeFile | None
    curves: tuple[Curve, ...]
    versions: Mapping[str, Any]
    result: Mapping[str, Any] = field(default_factory=dict[str, Any])
    rules: tuple[Rule, ...] = ()
    of_objective: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def name(self) -> str:
        return self.experiment.name if self.experiment else self.folder.resolve().name

    @property
    def objective(self) -> Objective:
        """What was optimised, without its formula if it is of the user's own or one that this version does not know."""
        of = self.of_objective
        name = str(of.get("name", self.experiment.method.objective if self.experiment else ""))
        if name in OBJECTIVES:
            return OBJECTIVES[name]
        title = str(of.get("title", name.replace("_", " ") or "objective"))
        return Objective(name, title, lambda outputs, targets, mask: outputs, of.get("greater_is_better") is True)


def check(folder: Path) -> Mapping[str, str]:
    """The texts of which a run has at least one. Raises `BlurError` (E614)."""
    texts = {name: _text(folder, name) for name in ("experiment.yaml", "metrics.jsonl")}
    if not any(texts.values()):
        what = "there is no such folder" if not os.path.isdir(folder) else f"it has neither {' nor '.join(texts)}"
        help = "give a folder that `blurc meta` wrote"
        raise BlurError(Diagnostic("E614", f"`{folder}` is not a run folder: {what}", help=help))
    return texts


def read(folder: Path) -> Run:
    """Raises `BlurError`: E614, or the errors of the genome file."""
    texts = check(folder)
    experiment, problem = _experiment(folder, texts["experiment.yaml"])
    return Run(
        folder=folder,
        text=texts["experiment.yaml"],
        experiment=experiment,
        problem=problem,
        points=tuple(_points(Source(str(folder / "metrics.jsonl"), texts["metrics.jsonl"]))),
        genome=genome.read(folder / "genome.yaml") if os.path.isfile(folder / "genome.yaml") else None,
        curves=tuple(_curves(_json(folder, "evaluation.json"), folder / "evaluation.json")),
        versions=_json(folder, "versions.json"),
        result=_json(folder, "result.json"),
        rules=rules(folder),
        of_objective=_json(folder, "objective.json"),
    )


REPORT = "report.html"
FRONT = "front.json"
LARGEST = 1e100  # of a number in a picture
WRONG = (KeyError, TypeError, ValueError, OverflowError, AttributeError)  # of data that have another form


def _text(folder: Path, name: str) -> str:
    """The text of a file; empty if there is no such file."""
    try:
        return read_file(folder / name).decode()
    except FileNotFoundError:
        return ""
    except OSError as error:
        _damaged(f"cannot read `{folder / name}`: {why(error)}")
    except UnicodeDecodeError as error:
        _damaged(f"`{folder / name}` is not UTF-8 text, see byte {error.start}")


def _json(folder: Path, name: str) -> Mapping[str, Any]:
    text = _text(folder, name)
    try:
        value: object = json.loads(text) if text else {}
    except ValueError as error:
        _damaged(f"`{folder / name}` is not JSON: {error}")
    except RecursionError:
        _damaged(f"`{folder / name}` is nested too deeply")
    if not isinstance(value, dict):
        _damaged(f"`{folder / name}` is not a JSON object")
    return cast("Mapping[str, Any]", value)


def _experiment(folder: Path, text: str) -> tuple[Experiment | None, str]:
    """A report does not need the spec, which a run may have been moved away from."""
    if not text:
        return None, "there is no experiment.yaml"
    try:
        return schema.parse(Source(str(folder / "experiment.yaml"), text)), ""
    except BlurError as error:
        return None, error.diagnostics[0].message


def _points(source: Source) -> Iterable[Point]:
    """In order of steps. If a resumed run repeats a step, the later line counts. An unterminated line is ignored."""
    found: dict[int, Point] = {}
    lines = source.text.split("\n")
    for number, line in enumerate(lines[:-1]):
        if line.strip():
            point = _point(line)
            if point is None:
                start = source.line_starts[number]
                span = Span(source, start, start + len(line))
                _damaged("this is not a line of metrics", span, 'a line looks like {"step": 1, "unroll": 10, ..}')
            found[point.step] = point
    return (found[step] for step in sorted(found))


def _point(line: str) -> Point | None:
    try:
        data = json.loads(line)
        value = _number(data["value"])
        middle = "median" if "median" in data else "mean"
        values = () if middle in data else tuple(map(_number, data.get("values") or [value]))
        candidates = data.get("candidates", len(values) or None)
        point = Point(
            step=_whole(data["step"]),
            unroll=_whole(data["unroll"]),
            value=value,
            values=values,
            mean=_number(data.get(middle)),
            judged=_number(data["judged"]) if "judged" in data else None,
            diverged=_whole(data.get("diverged", 0)),
            candidates=candidates,
            by_task=_numbers(data.get("by_task", {})),
            judged_by_task=_numbers(data.get("judged_by_task", {})),
            middle=middle,
        )
        possible = candidates is None or 0 <= point.diverged <= candidates
    except (*WRONG, RecursionError):
        return None
    return point if possible else None


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): _number(value) for name, value in values.items()}


def _number(value: Any) -> float:
    """Raises `ValueError` for what no picture can show."""
    found = math.nan if value is None else float(value)
    if abs(found) > LARGEST:
        raise ValueError(f"found {found}")
    return found


def _whole(value: Any) -> int:
    found = int(value)
    if not 0 <= found <= limits.MOST:
        raise ValueError(f"found {found}, expected 0 to {limits.MOST}")
    return found


def _curves(data: Mapping[str, Any], path: Path) -> Iterator[Curve]:
    try:
        for row in data.get("rows", []):
            yield _curve(row["genome"], row, row["results"])
        for race in data.get("races", []):
            for learner in race["learners"]:
                yield _curve(learner["name"], race, learner["results"])
    except WRONG as error:
        _damaged(f"`{path}` does not contain scores: {type(error).__name__} {error}")


def rules(folder: Path) -> tuple[Rule, ...]:
    """What a symbolic search found, the shortest first; nothing for other methods. Raises `BlurError` (E614)."""
    data = _json(folder, FRONT)
    try:
        return tuple(map(_rule, data.get("rules", [])))
    except WRONG as error:
        _damaged(f"`{folder / FRONT}` does not contain rules: {type(error).__name__} {error}")


def _rule(one: Mapping[str, Any]) -> Rule:
    value = None if one["value"] is None else _number(one["value"])
    equations = tuple(map(str, one["equations"]))
    return Rule(str(one["file"]), str(one["rule"]), _whole(one["length"]), value, equations)


def _curve(name: Any, at: Mapping[str, Any], results: list[Mapping[str, Any]]) -> Curve:
    return Curve(
        name=str(name),
        task=str(at["task"]),
        network=str(at["network"]),
        steps=tuple(_whole(r["steps"]) for r in results),
        mean=tuple(_number(r["mean"]) for r in results),
        spread=tuple(_number(r["spread"]) for r in results),
        diverged=tuple(_whole(r.get("diverged", 0)) for r in results),
        values=tuple(tuple(map(_number, r.get("values", ()))) for r in results),
        metric=str(at.get("metric", "accuracy")),  # all that older runs measured
        unit=str(at.get("unit", "%")),
        where=str(at.get("where", "")),
    )


def _damaged(message: str, span: Span | None = None, help: str | None = None) -> NoReturn:
    raise BlurError(Diagnostic("E614", message, span, help=help))
