"""The figures of the paper in examples/paper/: what they ask for can be read, a figure is measured once, and
docs/PAPER.md is what the stored results say."""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import blurc
from blurc import meta, tasks
from blurc.diagnostics import BlurError
from blurc.guards import packages
from blurc.meta import report
from blurc.spec import localities

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TINY = {
    "network": "plane",
    "parameters": "{k: 2, hidden: 3, classes: 2}",
    "tasks": "[xor]",
    "method.steps": "2",
    "method.population": "4",
    "inner.steps": "2",
    "inner.batch": "8",
    "inner.query": "8",
    "evaluation.steps": "[1, 2]",
    "evaluation.seeds": "1",
}


def load(name: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        patch.delitem(sys.modules, "paper", raising=False)
        return importlib.import_module(f"paper.{name}")


figures, learned, page, metric, draw, spread = map(load, ("figures", "learned", "page", "metric", "draw", "spread"))
types = load("figure")
pytestmark = pytest.mark.usefixtures("compiled_fast")
SEARCHED = [(name, quick) for name, figure in figures.FIGURES.items() if figure.variants for quick in (False, True)]


def a_task(folder: Path, **settings: str) -> Any:
    return types.Task(True, 1, {**TINY, **settings}, folder)


def test_the_help_has_the_title_of_every_figure(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setattr(sys, "argv", ["paper.py", "--help"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(str(EXAMPLES / "paper.py"), run_name="__main__")
    told = capsys.readouterr().out
    assert all(f"{name:6} {figure.asked}" in told for name, figure in figures.FIGURES.items())
    assert "docs/PAPER.md and its figures, from the results" in told


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["10"], "E921", ""),
        (["10", "--runs", "0"], 2, "expected a positive integer, not `0`"),
        (["--help"], 0, "figures:"),
    ],
)
def test_without_matplotlib_or_with_wrong_numbers_it_says_so(
    args: list[str], code: str | int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setattr(sys, "argv", ["paper.py", *args])
    monkeypatch.setattr(packages, "has_package", lambda name: False)
    for name in ("paper.draw", "paper.page", "matplotlib"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(EXAMPLES / "paper.py"), run_name="__main__")
    assert str(code) in str(ended.value.code)
    assert said in "".join(capsys.readouterr())


@pytest.mark.parametrize(("name", "quick"), SEARCHED)
def test_every_variant_is_an_experiment(name: str, quick: bool, tmp_path: Path) -> None:
    figure = figures.FIGURES[name]
    for variant in figure.variants:
        experiment = learned.read(figure, variant, types.Task(quick, 1, {}, tmp_path), 0)
        assert experiment.evaluation.steps


def test_quick_measures_some_of_the_variants_that_there_are() -> None:
    fewer = {name: figure for name, figure in figures.FIGURES.items() if figure.quick_variants}
    assert {"9", "12", "13"} == fewer.keys()
    for figure in fewer.values():
        assert set(figure.quick_variants) < figure.variants.keys()


def test_every_rule_of_a_figure_is_sound() -> None:
    spec = EXAMPLES / "paper" / "paper.blur"
    assert blurc.check(spec) == []
    rules = {own["rule"] for figure in figures.FIGURES.values() for own in figure.variants.values() if "rule" in own}
    assert len(rules) > 15
    assert rules <= localities(spec).keys()


def test_a_figure_is_measured_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "write", lambda folder: None)  # the report, which takes seconds
    figure = types.Figure("what?", "that", experiment="cma", variants={"one": {}, "two": {}}, quick_variants=("one",))
    found = learned.learned(figure, a_task(tmp_path))
    assert list(found["variants"]) == ["one"]
    (run,) = found["variants"]["one"]
    assert "one, run 0: xor in plane" in capsys.readouterr().out
    assert [len(values) for values in run["rows"][0]["scores"]] == [1, 1]
    drawn = draw.drawn(replace(figure, panels=(types.Curves("xor", "plane", "xor"),)), found)
    assert drawn.lstrip().startswith(b"<?xml")
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("evaluation.json")}
    assert learned.learned(figure, a_task(tmp_path)) == found
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "what was done is not done again"
    asked = list[Path]()
    (folder,) = {path.parent for path in kept}
    (evaluation,) = kept
    known = json.loads(evaluation.read_text())
    evaluation.write_text(json.dumps({**known, "of": {**known["of"], "genome.yaml": "that of before the extension"}}))
    with monkeypatch.context() as patch:
        patch.setattr(meta, "finish", asked.append)
        learned.learned(figure, a_task(tmp_path))
    assert asked == [folder]
    with pytest.raises(BlurError) as error:
        learned.learned(figure, a_task(tmp_path, **{"inner.batch": "4"}))
    (problem,) = error.value.diagnostics
    assert problem.code == "E617"
    assert problem.help
    assert problem.help.endswith("was begun with other settings: repeat these, or give another folder (-o DIR)")


def test_wrong_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BlurError) as error:
        learned.learned(figures.FIGURES["7"], a_task(tmp_path, **{"method.stepps": "2"}))
    assert [d.code for d in error.value.diagnostics] == ["E607"]
    assert not any(tmp_path.iterdir())


def test_steepest_descent_in_a_metric_is_recognised_and_rotation_is_not() -> None:
    """Q = g^-1 H for one positive definite g and several symmetric H has a solution g; a rotation turns."""
    draws = np.random.default_rng(0)
    half = draws.standard_normal((6, 6))
    metric_tensor = half @ half.T + np.eye(6)
    symmetric = [(h := draws.standard_normal((6, 6))) + h.T for _ in range(4)]
    descent = metric.metrics([np.linalg.solve(metric_tensor, h) for h in symmetric])
    assert descent["solutions"][-1] == 1
    assert descent["rank"] == 6
    assert max(descent["turning"]) < 1e-6
    assert min(descent["asymmetry"]) > 0.05
    other = metric.metrics([draws.standard_normal((6, 6)) for _ in range(4)])
    assert other["solutions"][-1] == 0
    assert max(other["turning"]) > 0.1


def test_an_orbit_that_closes_comes_back() -> None:
    turning = metric.orbit(lambda w: 0.5 * w @ np.array([[0.0, 1.0], [-1.0, 0.0]]), np.array([1.0, 0.0]), 1000)
    assert turning["back"] < 0.05 < 1.9 < turning["farthest"]
    sinking = metric.orbit(lambda w: -0.01 * w, np.array([1.0, 0.0]), 1000)
    assert sinking["back"] == sinking["farthest"]


def test_growing_synapses_turn_ever_less(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {
        "DIGITS": tasks.TaskChoice(data="digits"),
        "AT": (2, 20),
        "SHUFFLED": 19,
        "LAST": 20,
        "BATCH": 8,
        "QUERY": 8,
    }
    for name, value in small.items():
        monkeypatch.setattr(spread, name, value)
    net = blurc.compile(EXAMPLES / "paper/paper.blur", network="layers", genome="blur_without_oja", side=8, hidden=4)
    genome = net.init_genome(jax.random.key(0))
    found = spread.recorded(net, {**genome, "fs": 1.3, "es": -0.1})
    early, late = zip(*(found["tracks"][name] for name in ("spread of synapses", "turn of synapses")), strict=True)
    assert found["steps"] == [2, 20]
    assert late[0] > 20 * early[0]
    assert late[1] < early[1] / 10


def test_the_page_is_what_the_results_say() -> None:
    assert (ROOT / "docs/PAPER.md").read_text(encoding="utf-8") == page.text()


@pytest.mark.parametrize("name", page.stored())
def test_the_figures_of_the_page_are_drawn_from_the_results(name: str) -> None:
    results = json.loads((ROOT / f"docs/paper/figure-{name}.json").read_text(encoding="utf-8"))
    assert draw.drawn(figures.FIGURES[name], results).lstrip().startswith(b"<?xml")
    assert (ROOT / f"docs/paper/figure-{name}.svg").exists()
