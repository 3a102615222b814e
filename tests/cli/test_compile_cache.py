"""What the command line compiles is kept on disk, and that never shows but in the time."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from blurc import cli
from blurc.cli.shared import compile_cache
from blurc.cli.shared.failure import failures


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's caches. What is set meanwhile is undone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in (compile_cache.FOLDER, *compile_cache.THRESHOLDS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


@contextmanager
def kept_in(folder: Path) -> Generator[None]:
    """Programs that JAX compiles."""
    before = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", str(folder))
    compilation_cache.reset_cache()
    try:
        yield
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
        compilation_cache.reset_cache()


def kept() -> Path:
    return Path(os.environ[compile_cache.FOLDER])


def test_programs_are_kept_among_the_users_caches(cache: Path) -> None:
    compile_cache.keep()
    assert kept().is_relative_to(cache / "blurc" / "programs")
    assert kept().stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("chosen", ["", "elsewhere"])
def test_a_users_own_choice_stays(cache: Path, monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    monkeypatch.setenv(compile_cache.FOLDER, chosen)
    compile_cache.keep()
    assert os.environ[compile_cache.FOLDER] == chosen
    assert {*os.environ} & {*compile_cache.THRESHOLDS} == ({*compile_cache.THRESHOLDS} if chosen else set())
    assert list(cache.iterdir()) == []


def test_where_no_folder_can_be_made_nothing_is_kept(cache: Path) -> None:
    (cache / "blurc").write_text("a file")
    compile_cache.keep()
    assert compile_cache.FOLDER not in os.environ


def test_a_folder_that_others_can_write_to_is_not_trusted(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compile_cache.keep()
    kept().chmod(0o777)
    monkeypatch.delenv(compile_cache.FOLDER)
    compile_cache.keep()
    assert compile_cache.FOLDER not in os.environ


def test_cpus_with_other_instructions_have_another_folder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compile_cache.keep()
    here = kept()
    (cache / "cpuinfo").write_text("processor : 0\nflags : sse2 avx9\n")
    monkeypatch.setattr(compile_cache, "CPU", cache / "cpuinfo")
    monkeypatch.delenv(compile_cache.FOLDER)
    compile_cache.keep()
    assert kept() != here


@pytest.mark.parametrize("damage", [b"", b"not a program", None])
@pytest.mark.usefixtures("compiled_fast")
def test_a_damaged_program_is_compiled_again_without_a_word(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], damage: bytes | None
) -> None:
    monkeypatch.setenv(compile_cache.FOLDER, folder := jax.config.values["jax_compilation_cache_dir"])

    def damaged(x: jax.Array) -> jax.Array:
        return 3 * x

    def compiled() -> float:
        return float(jax.jit(damaged)(2.0))

    with failures(cli.cli.make_context("blurc", ["specs"])):
        first = compiled()
        (entry,) = Path(folder).glob("jit_damaged-*")
        whole = entry.read_bytes()
        entry.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
        jax.clear_caches()
        assert compiled() == first
    assert capfd.readouterr() == ("", "")
    (entry,) = Path(folder).glob("jit_damaged-*")
    assert len(entry.read_bytes()) > len(whole) / 2
    entry.unlink()


@pytest.mark.usefixtures("compiled_fast")
def test_a_folder_that_cannot_be_written_is_not_worth_a_word(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with kept_in(cache / "gone"):
        jax.jit(lambda x: 4 * x)(2.0)
        shutil.rmtree(cache / "gone")
        with pytest.warns(UserWarning, match="Error writing persistent compilation cache entry"):
            jax.jit(lambda x: 5 * x)(2.0)
        with failures(cli.cli.make_context("blurc", ["specs"])):
            assert float(jax.jit(lambda x: 6 * x)(2.0)) == 12
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("compiled_fast")
def test_a_folder_of_the_users_own_that_cannot_be_written_is_said_once(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (cache / "file").write_text("not a folder")
    folder = cache / "file" / "programs"
    monkeypatch.setenv(compile_cache.FOLDER, str(folder))
    with kept_in(folder), failures(cli.cli.make_context("blurc", ["specs"])):
        warnings.simplefilter("always")
        assert [float(jax.jit(lambda x, n=n: n * x)(2.0)) for n in (7, 8)] == [14, 16]
    said = capfd.readouterr().err
    assert said.count("warning[W902]") == 1
    assert f"compiled programs are not kept in `{folder}`: Not a directory" in said
    assert said.count("Error") == 0


def test_what_was_used_last_stays(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compile_cache.keep()
    for i, name in enumerate("abcd"):
        (kept() / f"{name}-cache").write_bytes(bytes(10))
        os.utime(kept() / f"{name}-cache", (i, i))
    os.utime(kept() / "a-cache", (9, 0))
    monkeypatch.setattr(compile_cache, "MOST", 25)
    compile_cache.trim()
    assert {path.name for path in kept().iterdir()} == {"a-cache", "d-cache"}


def test_programs_are_trimmed_after_an_interrupted_command_too(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = list[str]()

    def interrupted(**options: object) -> None:
        raise KeyboardInterrupt

    def ended(status: int) -> None:
        done.append(f"exit {status}")
        raise SystemExit

    monkeypatch.setattr(sys, "argv", ["blurc", "specs"])
    monkeypatch.setattr(cli, "on_interrupts", lambda: None)
    monkeypatch.setattr(cli.cli, "main", interrupted)
    monkeypatch.setattr(compile_cache, "trim", lambda: done.append("trim"))
    monkeypatch.setattr(os, "_exit", ended)
    with pytest.raises(SystemExit):
        cli.main()
    assert done[:2] == ["trim", "exit 130"]


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(("command", "keeps"), [("train", True), ("bench", False)])
def test_all_commands_keep_programs_but_bench(
    cache: Path, monkeypatch: pytest.MonkeyPatch, command: str, keeps: bool, own: bool
) -> None:
    if own:
        monkeypatch.setenv(compile_cache.FOLDER, str(cache / "own"))
    monkeypatch.setattr(sys, "argv", ["blurc", command, "--help"])
    monkeypatch.setattr(cli, "on_interrupts", lambda: None)
    with pytest.raises(SystemExit):
        cli.main()
    assert bool(os.environ[compile_cache.FOLDER]) == keeps
