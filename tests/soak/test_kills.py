"""A hundred kills at random moments, over all methods and a curriculum: the same bits.

pytest -m soak -n 0 tests/soak/test_kills.py
BLURC_KILLS=5 pytest -m soak -n 0 tests/soak/test_kills.py     # of each search
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "meta"))  # for the processes too
from tiny import METHODS, SPEC, experiment, made

KILLS = int(os.environ.get("BLURC_KILLS", "25"))
STEPS = 400
LONGEST = 1.5  # seconds from the first meta-step that a process may make to its end
SEARCHES = {
    "gradient": (METHODS["gradient"], ""),
    "cma": (METHODS["cma"], ""),
    "pes": (METHODS["pes"], ""),
    "curriculum": (METHODS["gradient"], "curriculum: {add: 1, every: 40, until: 12}"),
}


def run(search: str, steps: int, folder: str, begun: Any) -> None:
    """In a process of its own, which may have to go on."""
    from blurc import meta
    from blurc.meta.run.loop import Silence

    class Telling(Silence):
        def begin(self, done: int, steps: int, objective: object) -> None:
            begun.set()

    method, more = SEARCHES[search]
    e = experiment(method, more, method__steps=str(steps), checkpoint_every="7")
    meta.run(e, folder, resume=(Path(folder) / "experiment.yaml").exists(), watch=Telling())


@pytest.fixture
def processes(compiled_fast: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ForkServerContext:
    """They share what they import and compile."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.blur").write_text(SPEC)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tiny", "blurc.meta", "blurc.meta.run.loop"])
    return context


@pytest.mark.soak
@pytest.mark.parametrize("search", SEARCHES)
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bits(
    search: str, processes: ForkServerContext
) -> None:
    def started(folder: str) -> tuple[Any, Any]:
        begun = processes.Event()
        process = processes.Process(target=run, args=(search, STEPS, folder, begun))
        process.start()
        return process, begun

    process, _ = started("whole")
    process.join()
    assert process.exitcode == 0
    draw, kills, round = random.Random(search), 0, 0
    while kills < KILLS:
        process, begun = started(f"run{round}")
        at = draw.choice(["starting", "going", "going", "going"])
        while at == "going" and process.is_alive() and not begun.wait(0.1):
            pass
        time.sleep(draw.uniform(0, LONGEST))
        process.kill()
        process.join()
        kills += process.exitcode == -9
        assert process.exitcode in (-9, 0)
        if process.exitcode == 0:
            assert made(f"run{round}") == made("whole"), (search, kills)
            round += 1
    process, _ = started(f"run{round}")
    process.join()
    assert made(f"run{round}") == made("whole")
    lines = Path(f"run{round}/metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [*range(STEPS)]
    assert [p.name for p in Path(f"run{round}").glob(".*")] == [".lock"]
    print(f"{search}: {kills} kills in {round + 1} runs of {STEPS} meta-steps")
