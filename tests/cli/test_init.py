"""`blurc init`: what it writes runs as it is, and it replaces nothing."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from blurc.cli import cli
from blurc.language import starter_path

FILES = {"README.md", "experiment.yaml", "rule.blur", "train.py"}


def blurc(*args: object) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args])


def test_it_writes_files_into_a_new_folder(tmp_path: Path) -> None:
    done = blurc("init", tmp_path / "new/mine")
    assert {path.name for path in (tmp_path / "new/mine").iterdir()} == FILES
    assert f"cd {tmp_path / 'new/mine'} && blurc train rule.blur" in done.output


def test_it_writes_here_beside_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").touch()
    assert blurc("init").exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"notes.txt"}


def test_it_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("mine")
    done = blurc("init", tmp_path)
    assert done.exit_code == 1
    assert f"error[E907]: cannot write {tmp_path / 'train.py'}: it exists" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = blurc("init", tmp_path / "file/below")
    assert done.exit_code == 1
    assert "error[E907]: cannot make the folder" in done.stderr


def test_the_rule_has_no_mistakes_and_the_layout() -> None:
    rule = starter_path() / "rule.blur"
    assert blurc("check", rule).output == "1 spec checked: no errors\n"
    assert blurc("fmt", "--check", rule).exit_code == 0


def test_the_experiment_learns_and_the_script_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blurc("init", tmp_path)
    monkeypatch.chdir(tmp_path)
    small = ["method.steps=1", "inner.steps=2", "evaluation.steps=[2]", "evaluation.seeds=1"]
    done = blurc("meta", "experiment.yaml", *(word for value in small for word in ("--set", value)))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "runs/mine/genome.yaml").exists()
    runpy.run_path(str(tmp_path / "train.py"), run_name="__main__")
    assert float(capsys.readouterr().out.split()[-1]) > 0.9
