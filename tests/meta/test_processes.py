"""Processes that share a run make what one makes, and end together. All but one test have them as threads."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from tiny import METHODS, experiment, lines, made, refused

from blurc import meta
from blurc.diagnostics import BlurError
from blurc.meta.processes import detect, join
from blurc.meta.processes import processes as several
from blurc.meta.processes.detect import Place
from blurc.meta.processes.processes import ALONE, Processes
from blurc.meta.run import sharing
from blurc.meta.run.setup import Setup
from blurc.meta.search.many import Layout

pytestmark = pytest.mark.usefixtures("compiled_fast", "shared")
T = TypeVar("T")


def address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def together(count: int, act: Callable[[Processes], T]) -> list[T | BlurError]:
    """What each of the processes returns or raises."""
    at = address()

    def one(index: int) -> T | BlurError:
        try:
            with meta.join(at, count, index, patience=60) as processes:
                return act(processes)
        except BlurError as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def said(found: object) -> str:
    assert isinstance(found, BlurError)
    return found.diagnostics[0].message


# ------------------------------------------------------------------ layouts


@pytest.mark.parametrize("chunk", [0, 1, 3])
def test_every_candidate_is_computed_once(chunk: int) -> None:
    for devices in ((1,), (8,), (1, 1), (2, 1, 4), (1,) * 16):
        for count in (1, 5, 12):
            layout = Layout.of(count, chunk, Processes(devices=devices))
            found = [layout.rows(i)[layout.kept(i)] for i in range(len(devices))]
            assert np.concatenate(found).tolist() == list(range(count))
            assert all(layout.blocks(i).max() * layout.width <= layout.room for i in range(len(devices)))


# --------------------------------------------------------------------- runs


@pytest.mark.parametrize(("name", "count"), [("gradient", 4), ("cma", 2)])
def test_processes_make_what_one_makes(name: str, count: int) -> None:
    e = experiment(METHODS[name], method__steps="3")
    alone = meta.run(e, "alone")
    found = together(count, lambda processes: meta.run(e, "shared", processes=processes))
    assert made("shared") == made("alone")
    for result in found:
        assert isinstance(result, meta.Result)
        assert (result.value, result.genome.found) == (alone.value, alone.genome.found)


def test_a_run_goes_on_in_any_number_of_processes() -> None:
    whole, half = (experiment(METHODS["pes"], method__steps=steps) for steps in ("5", "3"))
    meta.run(whole, "whole")
    meta.run(half, "run")
    together(3, lambda processes: meta.run(whole, "run", resume=True, processes=processes))
    assert made("run") == made("whole")


def test_candidates_side_by_side_stay_so_in_other_layouts(ready: Callable[..., Setup]) -> None:
    e = replace(experiment(METHODS["cma"], method__steps="3"), chunk=0)
    two = Processes(count=2, devices=(1, 1))
    assert (ready(e).width, replace(ready(e), processes=two).width) == (4, 2)
    together(2, lambda processes: meta.run(e, "run", processes=processes))
    meta.run(experiment(METHODS["cma"], "chunk: 2", method__steps="4"), "whole")
    meta.run(replace(e, method=replace(e.method, steps=4)), "run", resume=True)
    assert lines("run") == lines("whole")


DIFFERENT: dict[str, Any] = {
    "the experiment": {"seed": "1"},
    "`method.steps` of the experiment": {"method__steps": "9"},
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_processes_with_different_experiments_do_not_start(what: str, ready: Callable[..., Setup]) -> None:
    setups = [ready(experiment()), ready(experiment()), ready(experiment(**DIFFERENT[what]))]
    found = together(3, lambda p: sharing.check_same(replace(setups[p.index], processes=p)))
    assert [said(one) for one in found] == [f"process 2 and process 0 do not share a run: {what} is different"] * 3


def test_processes_that_do_not_compute_the_same_numbers_end(ready: Callable[..., Setup]) -> None:
    one = ready(experiment(METHODS["cma"]))

    def act(processes: Processes) -> None:
        mine = replace(one, processes=processes)
        genomes = mine.start()
        mine.judge.values(genomes | {"rate": genomes["rate"] + processes.index}, mine.episodes(0, 5))

    wanted = "process 1 has other candidates than process 0: the two do not compute the same numbers"
    assert [said(found) for found in together(2, act)] == [wanted] * 2


# --------------------------------------------------------------- their ends


def test_what_ends_one_ends_the_others() -> None:
    def act(processes: Processes) -> None:
        if processes.index == 1:
            meta.run(replace(experiment(), start="nowhere.yaml"), processes=processes)
        processes.gathered(b"")

    zero, one, two = together(3, act)
    assert said(one).startswith("cannot read `nowhere.yaml`")
    assert said(zero) == said(two) == f"process 1 ended: {said(one)}, and the others end with it"


LONG = "method={name: cma, steps: 100000, population: 4}"


def test_a_killed_process_ends_the_other_and_the_run_goes_on_alone(tmp_path: Path) -> None:
    zero, one = commands(2)
    wait_for(tmp_path / "run" / "checkpoint.npz", zero)
    one.kill()
    _, error = zero.communicate(timeout=60)
    one.communicate()
    assert (zero.returncode, error.splitlines()[0]) == (1, "error[E925]: process 1 is gone, and the others end with it")
    assert [line.split(":")[0].strip() for line in error.splitlines()[1:]] == ["help"]

    more = str(len(lines("run")) + 2)
    for folder, resume in (("run", True), ("alone", False)):
        meta.run(experiment(METHODS["cma"], method__steps=more), folder, resume=resume)
    assert made("run") == made("alone")


@pytest.mark.slow  # 15 s; the one before is fast
def test_four_processes_end_with_the_one_that_writes(tmp_path: Path) -> None:
    zero, *others = commands(4)
    wait_for(tmp_path / "run" / "checkpoint.npz", zero)
    zero.kill()
    for other in others:
        _, error = other.communicate(timeout=60)
        assert (other.returncode, "error[E925]: process 0 is gone" in error, "Traceback" in error) == (1, True, False)
    zero.communicate()


def commands(count: int) -> list[subprocess.Popen[str]]:
    Path("e.yaml").write_text(
        (Path(__file__).parent / "tiny.py").read_text().split('EXPERIMENT = """')[1].split('"""')[0]
    )
    at = ["--coordinator", address(), "--processes", str(count), "--process"]
    command = [sys.executable, "-m", "blurc", "meta", "e.yaml", "--set", LONG, "-o", "run", *at]
    pipes: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return [subprocess.Popen([*command, str(i)], **pipes) for i in range(count)]


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_a_process_that_computes_on_is_ended(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """And not in the middle of the tests: instead of its end, it is noted."""
    ended: list[int] = []
    monkeypatch.setattr(several, "GRACE", 0.01)
    monkeypatch.setattr(os, "_exit", ended.append)

    def act(processes: Processes) -> None:
        if processes.index:
            raise KeyboardInterrupt
        while not ended:
            time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        together(2, act)
    assert (ended, capsys.readouterr().err.splitlines()[0]) == (
        [1],
        "error[E925]: process 1 was interrupted, and the others end with it",
    )


# ------------------------------------------------------------ finding each other


def test_nobody_at_the_address() -> None:
    at = address()
    (found,) = refused(lambda: meta.join(at, 2, 1, patience=0.1))
    assert (found.code, found.message) == ("E924", f"process 1 cannot reach process 0 at `{at}`: connection refused")


def test_somebody_else_at_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        at = f"127.0.0.1:{other.getsockname()[1]}"
        (found,) = refused(lambda: meta.join(at, 2, 1, patience=0.1))
        assert found.message == f"nothing at `{at}` said in time that all 2 processes are there"
        (found,) = refused(lambda: meta.join(at, 2, 0, patience=0.1))
        assert found.message.startswith(f"process 0 cannot listen at `{at}`: address already in use")


def test_a_process_that_does_not_come() -> None:
    at = address()
    (found,) = refused(lambda: meta.join(at, 3, 0, patience=0.1))
    assert found.message == "of 3 processes, these did not come in time: 1, 2"
    assert found.help == f"start them too: --coordinator {at} --processes 3 --process 1"


def test_those_that_came_are_told_who_did_not(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(join, "SILENT", 0)
    at = address()
    with ThreadPoolExecutor(1) as threads:
        zero = threads.submit(meta.join, at, 3, 0, patience=1)
        (found,) = refused(lambda: meta.join(at, 3, 1, patience=60))
        assert found.message == "process 0 ended: of 3 processes, these did not come in time: 2"
        assert [d.message for d in refused(zero.result)] == [found.message.removeprefix("process 0 ended: ")]
    assert sorted(capsys.readouterr().err.splitlines()) == [
        f"process 0 is waiting for processes 1, 2 at {at}",
        f"process 1 is waiting for all 3 processes at {at}",
    ]


@pytest.mark.parametrize(
    ("answer", "message"),
    [(b"", "closed the connection"), (b"HTTP/1.1 400 no\r\n\r\n", "does not answer as process 0")],
)
def test_what_answers_otherwise_is_not_process_0(answer: bytes, message: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, ThreadPoolExecutor(1) as threads:
        at = f"127.0.0.1:{other.getsockname()[1]}"
        one = threads.submit(meta.join, at, 2, 1, patience=60)
        connection, _ = other.accept()
        connection.recv(2**16)
        connection.sendall(answer)
        connection.close()
        assert [d.message[: d.message.find(message)] for d in refused(one.result)] == [f"what listens at `{at}` "]


@pytest.mark.parametrize(("host", "family"), [("10.1.2.3", socket.AF_INET), ("fe80::1", socket.AF_INET6)])
def test_process_0_listens_where_its_address_is(
    host: str, family: socket.AddressFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without listening: not every machine has IPv6."""
    asked: list[Any] = []
    monkeypatch.setattr(socket, "create_server", lambda at, **how: asked.append((at, how["family"])))
    join.Meeting(Place(f"[{host}]:1234", 2, 0), 1).listening(host, 1234)
    assert asked == [(("", 1234), family)]


def test_a_process_of_another_run_is_sent_away() -> None:
    at = address()
    with ThreadPoolExecutor(3) as threads:
        zero = threads.submit(meta.join, at, 2, 0, patience=60)
        with pytest.raises(BlurError, match="process 0 is one of 2 processes, and process 2 is one of 3"):
            meta.join(at, 3, 2, patience=60)
        with socket.create_connection(at.rsplit(":", 1)) as stray:
            stray.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with meta.join(at, 2, 1, patience=60) as one, zero.result() as other:
            assert (one.devices, other.devices) == ((1, 1), (1, 1))


@pytest.mark.parametrize(
    ("coordinator", "process", "message"),
    [
        ("node1", 0, "`node1` is not the address of process 0"),
        ("node1:99999", 0, "`node1:99999` is not the address of process 0"),
        ("node1:1234", 2, "there is no process 2 among 2"),
    ],
)
def test_addresses_and_numbers_that_cannot_be(coordinator: str, process: int, message: str) -> None:
    (found,) = refused(lambda: meta.join(coordinator, 2, process))
    assert (found.code, found.message) == ("E924", message)


def test_what_slurm_says(monkeypatch: pytest.MonkeyPatch) -> None:
    at = address()
    said = {"JOB_ID": "7", "STEP_NODELIST": "127.0.0.1", "NTASKS": "2", "PROCID": "0", "LOCALID": "0"}
    for name, value in said.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setenv("JAX_COORDINATOR_PORT", at.split(":")[1])
    with ThreadPoolExecutor(1) as threads:
        zero = threads.submit(meta.join, patience=60)
        with meta.join(at, 2, 1, patience=60) as one, zero.result() as other:
            assert (other.index, other.count, one.index) == (0, 2, 1)


def test_no_cluster_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SLURM_", "OMPI_", "KUBERNETES_"))]:
        monkeypatch.delenv(name)
    (found,) = refused(lambda: meta.join(patience=1))
    assert (found.code, found.message.split(":")[0]) == ("E924", "no cluster was found around this process")


def test_a_jax_that_finds_clusters_in_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "CLUSTERS", "jax._src.elsewhere")
    (found,) = refused(lambda: meta.join(patience=1))
    assert (found.code, found.message[:31]) == ("E924", "this blurc does not know how JA")


def test_one_process_is_alone() -> None:
    assert meta.join("localhost:1234", 1, 0) is ALONE
    assert (ALONE.gathered(b"a"), ALONE.shared(b"b")) == ([b"a"], b"b")
