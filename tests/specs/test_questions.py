"""The experiments in examples/questions/: each of their variants is read, compiles and takes a meta-step."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from blurc.diagnostics import BlurError
from blurc.meta.run.setup import setup

EXAMPLES = Path(__file__).parents[2] / "examples"
TINY = {
    "method.steps": "2",
    "inner.steps": "2",
    "inner.judge_every": "1",
    "inner.batch": "8",
    "inner.query": "8",
    "replicas": "1",
    "evaluation.steps": "[1, 2]",
    "evaluation.seeds": "1",
}


def load() -> Any:
    spec = importlib.util.spec_from_file_location("questions", EXAMPLES / "questions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


questions = load()
pytestmark = pytest.mark.usefixtures("compiled_fast")
VARIANTS = [(q, v) for q, (_, variants) in questions.QUESTIONS.items() for v in variants]


def test_every_question_has_its_file_and_every_file_its_question() -> None:
    assert sorted(questions.QUESTIONS) == sorted(p.stem for p in (EXAMPLES / "questions").glob("*.yaml"))


@pytest.mark.parametrize("question", questions.QUESTIONS)
def test_every_file_says_at_its_head_what_was_measured(question: str) -> None:
    text = (EXAMPLES / "questions" / f"{question}.yaml").read_text()
    head = text[: text.index("name:")]
    assert all(line.startswith("#") for line in head.splitlines())
    for variant in questions.QUESTIONS[question][1]:
        assert re.search(rf"^# +{re.escape(variant)} +0\.\d", head, re.MULTILINE), variant


@pytest.mark.parametrize(("question", "variant"), VARIANTS)
def test_every_variant_is_an_experiment_that_compiles(question: str, variant: str) -> None:
    own = questions.QUESTIONS[question][1][variant]
    experiment = questions.read(question, own)
    ready = setup(experiment)
    assert ready.net.plan.genome == own.get("rule", experiment.network.rule)
    assert ready.tasks[0].name == "digits"


def test_an_answer_is_a_table_and_a_figure_and_stays_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, variants = questions.QUESTIONS["normalization"]
    one = {"not normalized": variants["not normalized"]}
    monkeypatch.setitem(questions.QUESTIONS, "normalization", (asked, one))
    figure = questions.answer("normalization", tmp_path, TINY, 1)
    drawn = figure.read_bytes()
    assert drawn.lstrip().startswith(b"<?xml")
    table = capsys.readouterr().out
    assert re.search(r"not normalized\n +after steps 1: 0\.\d+  2: 0\.\d+   runs: 0\.\d+$", table, re.MULTILINE)
    metrics = tmp_path / "normalization" / "not-normalized-0" / "metrics.jsonl"
    before = metrics.read_bytes()
    questions.answer("normalization", tmp_path, TINY, 1)
    assert (metrics.read_bytes(), figure.read_bytes()) == (before, drawn), "what was done is not done again"
    assert capsys.readouterr().out == table


def test_wrong_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BlurError) as error:
        questions.answer("normalization", tmp_path, {"method.stepps": "2"}, 1)
    assert [d.code for d in error.value.diagnostics] == ["E607"]
    assert not any(tmp_path.iterdir())


def test_other_settings_than_before_are_told_to_go_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`start` has a rate that falls with the steps: more of them are another experiment."""
    asked, variants = questions.QUESTIONS["start"]
    name = "the same equations, at random"
    monkeypatch.setitem(questions.QUESTIONS, "start", (asked, {name: variants[name]}))
    questions.answer("start", tmp_path, TINY, 1)
    with pytest.raises(BlurError) as error:
        questions.answer("start", tmp_path, {**TINY, "method.steps": "3"}, 1)
    (found,) = error.value.diagnostics
    assert found.code == "E617"
    assert found.help
    assert found.help.endswith("was begun with other settings: repeat these (--set), or give another folder (-o DIR)")
