"""What a report opens with, what it keeps to itself, its curves by task, and two runs side by side."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import jax
import numpy as np
import pytest
from click.testing import CliRunner

import blurc
from blurc import genome
from blurc.cli import cli
from blurc.diagnostics import Source
from blurc.meta.experiment import schema
from blurc.meta.report import by_task, comparing, contents, private
from blurc.meta.report.page import compare, write
from blurc.meta.report.running import running_mean

pytestmark = pytest.mark.usefixtures("compiled_fast")

DELTA = """
# Above the rule.
genome delta {
  state act, err
  synapse w ~ normal(0.5)
  learn rate = 0.1  # how fast
  sense    { act <- input }
  forward  { act <- incoming(w * pre.act) }
  feedback { err <- softmax(act) - target }
  update   { w <- w - rate * batch_mean(pre.act * post.err) }
  readout act
}
genome faster extends delta { learn rate = 0.5 }
network plane uses RULE { input x[2]  output y[2]  x -> y }
"""
EXPERIMENT = """
name: NAME
spec: plane.blur
tasks: [xor, {data: own.npz}]
evaluation: {steps: [5, 10], batch: 16}
seed: 3
"""


def results(*values: list[float]) -> list[dict[str, object]]:
    counted = zip((5, 10), values, strict=True)
    return [{"steps": n, "mean": float(np.mean(v)), "spread": 0.01, "values": v} for n, v in counted]


XOR, OWN = results([0.5, 0.7, 0.9], [0.6, 0.8, 1.0]), results([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])


def run_in(folder: Path, name: str = "mine", more: str = "", shift: float = 0.0, rule: str = "delta") -> Path:
    """A run folder, whose experiment names everything by absolute paths."""
    folder.mkdir(parents=True)
    spec = folder / "plane.blur"
    spec.write_text(DELTA.replace("RULE", rule))
    np.savez(
        folder / "own.npz", x=np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32), y=np.arange(40) % 2
    )
    e = schema.parse(Source(str(folder / "e.yaml"), EXPERIMENT.replace("NAME", name) + more), {"write": str(folder)})
    (folder / "experiment.yaml").write_text(schema.dump(e))
    lines = (
        {"step": i, "unroll": 5, "value": 1 / (i + 1) + shift, "values": [1 / (i + 1) + shift], "diverged": 0}
        | {"by_task": {"xor": 1.0, "own": 2.0} if i % 2 else {"own": 3.0}}
        for i in range(30)
    )
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    net = blurc.compile(str(spec))
    genome.write(folder / "genome.yaml", genome.describe(net, net.init_genome(jax.random.key(0)), name=name))
    rows = [
        {"genome": name, "task": task, "network": "plane", "results": _shifted(found, shift)}
        for task, found in (("xor", XOR), ("own", OWN))
    ]
    (folder / "evaluation.json").write_text(json.dumps({"rows": rows}))
    (folder / "result.json").write_text(json.dumps({"value": 0.25, "start": 0.75, "steps": 30, "diverged": 0}))
    return folder


def _shifted(found: list[dict[str, object]], by: float) -> list[dict[str, object]]:
    return [{**r, "values": [v + by for v in r["values"]]} for r in found]  # type: ignore[attr-defined]


# ---------------------------------------------------------------- the opening


def test_a_report_opens_with_the_network_and_the_rule(tmp_path: Path) -> None:
    page = write(run_in(tmp_path / "run")).read_text()
    before, after = page.index("The network plane: x [2], y [2]."), page.index("<h2>Meta-training</h2>")
    assert page.index("<svg") < before < page.index("learn rate = 0.1  # how fast") < after
    assert "<td>0.75, on the same episodes</td>" in page


def test_a_rule_that_extends_another_is_shown_in_one_piece(tmp_path: Path) -> None:
    page = write(run_in(tmp_path / "run", rule="faster")).read_text()
    shown = page[page.index("genome faster") :]
    assert "learn rate = 0.5" in shown
    assert "update { w &lt;- w - rate * batch_mean(pre.act * post.err) }" in shown
    assert "extends" not in shown


def test_the_spec_that_a_report_shows_is_the_one_that_ran(tmp_path: Path) -> None:
    """The copy in the folder, even where the file has changed since."""
    folder = run_in(tmp_path / "run")
    (folder / "spec").mkdir()
    (folder / "spec/plane.blur").write_text((folder / "plane.blur").read_text())
    (folder / "plane.blur").write_text(DELTA.replace("RULE", "delta").replace("rate = 0.1", "rate = 0.7"))
    assert "learn rate = 0.1" in write(folder).read_text()


# ---------------------------------------------------------------- no paths


def test_a_report_does_not_say_where_files_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "al ice"
    monkeypatch.setenv("HOME", str(home))
    folder = run_in(home / "run")
    write(folder)
    compare(folder, run_in(home / "other", "other"), tmp_path / "both.html")
    for page in ((folder / "report.html").read_text(), (tmp_path / "both.html").read_text()):
        assert str(tmp_path) not in page
        assert "al ice" not in page
    (folder / "plane.blur").unlink()
    assert str(tmp_path) not in write(folder).read_text()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read `/home/al ice/x.blur`: no such file", "cannot read `x.blur`: no such file"),
        ("see /home/alice/x/y.npz, or ~/z.yaml", "see y.npz, or z.yaml"),
        (r"C:\Users\alice\x.npz is damaged", "x.npz is damaged"),
        ("w / sqrt(x), a/b, https://arxiv.org/abs/1", "w / sqrt(x), a/b, https://arxiv.org/abs/1"),
        ("`runs/mine` and networks/plane.blur", "`runs/mine` and networks/plane.blur"),
    ],
)
def test_paths_become_names(text: str, shown: str) -> None:
    assert private.plain(text) == shown


def test_settings_without_paths_stay_as_they_were_written() -> None:
    text = "name: a  # mine\nspec: networks/plane.blur\n"
    assert private.settings(text) == text
    assert "spec: x.blur" in private.settings("spec: ../me/x.blur")


# ---------------------------------------------------------------- curves


def test_a_running_mean_is_of_the_last_finite_values() -> None:
    nan = math.nan
    np.testing.assert_allclose(running_mean([nan, 1, 2, nan, 6, 9], 2), [nan, 1, 1.5, 2, 6, 7.5])


def test_tasks_have_a_panel_each_and_the_worst_is_first(tmp_path: Path) -> None:
    run = contents.read(run_in(tmp_path / "run"))
    assert run.points[1].by_task == {"xor": 1.0, "own": 2.0}
    found = by_task.picture(run)
    assert found
    titles = re.findall(rb"<!-- ((?:own|xor): [\d.]+) -->", found.svg)
    assert titles == [b"own: 2.5", b"xor: 1"]


def test_a_single_task_has_no_panel(tmp_path: Path) -> None:
    folder = run_in(tmp_path / "run")
    text = re.sub(r', "by_task": \{[^}]*\}', "", (folder / "metrics.jsonl").read_text())
    (folder / "metrics.jsonl").write_text(text)
    assert by_task.picture(contents.read(folder)) is None


# ---------------------------------------------------------------- two runs


def tables(one: Path, other: Path) -> dict[str, tuple[tuple[str, ...], ...]]:
    runs = comparing.named(contents.read(one), contents.read(other))
    return {section.title: section.table for section in comparing.sections(*runs)}


def test_settings_that_differ_are_in_a_table(tmp_path: Path) -> None:
    found = tables(run_in(tmp_path / "a", "mine"), run_in(tmp_path / "b", "other", "method: {rate: 0.1}\n"))
    assert found["Settings that differ"] == (("setting", "mine", "other"), ("method.rate", "0.0005", "0.1"))


def test_accuracies_are_paired_over_seeds_where_the_tasks_agree(tmp_path: Path) -> None:
    """Which another file of the same name does not."""
    rows = tables(run_in(tmp_path / "a"), run_in(tmp_path / "b", shift=0.02))["Scores"]
    assert rows[0][3:] == ("a", "b", "difference", "pairs")
    pairs = [(row[0], *row[-2:]) for row in rows[1:]]
    assert pairs == [("xor", "-2.0 ± 0.0", "3")] * 2 + [("own", "–", "–")] * 2


def test_other_batches_are_not_paired(tmp_path: Path) -> None:
    other = run_in(tmp_path / "b")
    text = (other / "experiment.yaml").read_text()
    (other / "experiment.yaml").write_text(text.replace("  batch: 16", "  batch: 32"))
    runs = comparing.named(contents.read(run_in(tmp_path / "a")), contents.read(other))
    (section,) = (s for s in comparing.sections(*runs) if s.title == "Scores")
    assert "Not paired: the batches have different sizes." in section.notes
    assert {row[-2:] for row in section.table[1:]} == {("–", "–")}


def test_curves_of_other_objectives_are_not_drawn_over_each_other(tmp_path: Path) -> None:
    methods = ("{name: gradient, objective: cross_entropy}", "{name: cma, objective: accuracy}")
    one, other = (run_in(tmp_path / f, more=f"method: {m}\n") for f, m in zip("ab", methods, strict=True))
    runs = comparing.named(contents.read(one), contents.read(other))
    (section,) = (s for s in comparing.sections(*runs) if s.title == "Meta-training")
    assert not section.pictures
    assert section.notes == ("The objectives are cross entropy and accuracy: their curves cannot be compared.",)


def test_the_command_writes_the_page_of_one_run_and_of_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_in(tmp_path / "a"), run_in(tmp_path / "b")
    monkeypatch.chdir(tmp_path)
    for arguments, written in ((["a"], "a/report.html"), (["a", "b"], "a-and-b.html")):
        done = CliRunner().invoke(cli, ["report", *arguments])
        assert (done.exit_code, done.stdout) == (0, f"{written}\n")
        assert Path(written).read_text().startswith("<!doctype html>")
    assert CliRunner().invoke(cli, ["report", "a", "b", "a"]).exit_code == 2
    assert "error[E614]" in CliRunner().invoke(cli, ["report", "none"]).stderr
