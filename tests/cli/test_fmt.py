"""`blurc fmt`: what it writes, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from blurc.cli import cli

UNTIDY = "genome g{state a # note\nsense{a<-input} readout a}"
NEAT = "genome g {\n  state a  # note\n  sense { a <- input };  readout a\n}\n"
WRONG = "genome g { state }\n"


def fmt(*args: object, input: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["fmt", *map(str, args)], input=input)


def test_files_and_folders_are_laid_out(tmp_path: Path) -> None:
    alone, inside = tmp_path / "a.blur", tmp_path / "folder/deeper/b.blur"
    inside.parent.mkdir(parents=True)
    for path in (alone, inside):
        path.write_text(UNTIDY)
    done = fmt(alone, tmp_path / "folder")
    assert (alone.read_text(), inside.read_text()) == (NEAT, NEAT)
    assert done.output.splitlines() == [f"{alone}: laid out", f"{inside}: laid out", "2 files, 2 laid out"]
    assert fmt(tmp_path).output == "2 files, 0 laid out\n"


def test_a_file_that_is_named_twice_is_laid_out_once(tmp_path: Path) -> None:
    path = tmp_path / "a.blur"
    path.write_text(UNTIDY)
    assert fmt(tmp_path, path).output.splitlines() == [f"{path}: laid out", "1 file, 1 laid out"]


def test_check_writes_nothing_and_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.blur"
    path.write_text(UNTIDY)
    done = fmt("--check", path)
    assert (done.exit_code, path.read_text()) == (1, UNTIDY)
    assert done.output.splitlines() == [f"{path}: not in the layout", "1 file, 1 to be laid out"]
    path.write_text(NEAT)
    assert fmt("--check", path).exit_code == 0


def test_a_file_that_does_not_parse_stays_and_the_others_are_laid_out(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.blur", tmp_path / "wrong.blur"
    right.write_text(UNTIDY)
    wrong.write_text(WRONG)
    done = fmt(right, wrong)
    assert (done.exit_code, right.read_text(), wrong.read_text()) == (1, NEAT, WRONG)
    assert f"{wrong}:1:17: error[E101]" in done.stderr


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    done = fmt(tmp_path / "none.blur")
    assert done.exit_code == 1
    assert "error[E103]: cannot read" in done.stderr


def test_stdin_goes_to_stdout() -> None:
    assert fmt("-", input=UNTIDY).stdout == NEAT
    assert fmt("--check", "-", input=UNTIDY).exit_code == 1
    assert fmt("--check", "-", input=NEAT).exit_code == 0


def test_what_stdin_has_wrong_is_said_and_nothing_printed() -> None:
    done = fmt("-", input=WRONG)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "<stdin>:1:17: error[E101]" in done.stderr
    assert "error[E105]" in fmt("-", input=b"\xff").stderr
    assert "error[E103]" in fmt("-", input="#" * (2**20 + 1)).stderr


def test_stdin_is_laid_out_alone(tmp_path: Path) -> None:
    assert fmt("-", tmp_path).exit_code == 2
