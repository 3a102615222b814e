"""A million files with mistakes: no traceback, no hang, no memory.

    pytest -m soak -n 2 --dist load tests/soak          # an hour on two cores
    BLURC_SOAK=20000 pytest -m soak tests/soak          # fewer cases

A case that fails is named by its target and seed; `TARGETS[target].attack(folder, Random(seed))` runs it again.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import time
import traceback
from pathlib import Path
from types import FrameType

import pytest
from soak.targets import TARGETS

CASES = int(os.environ.get("BLURC_SOAK", "1_000_000"))
SLICES = 20
SECONDS = 2.0  # of processor time, for one case
GIBIBYTE = 2**20  # in KiB, as Linux counts the peak of memory
SHOWN = 10


class Hang(BaseException):
    """Not an `Exception`, so that nothing on the way catches it."""


def _hang(number: int, frame: FrameType | None) -> None:
    raise Hang(f"more than {SECONDS} s of processor time")


@pytest.mark.soak
@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("target", TARGETS)
def test_a_mutant_is_answered_quickly_and_without_a_traceback(target: str, part: int, tmp_path: Path):
    share = int(CASES * TARGETS[target].share) // SLICES
    TARGETS[target].attack(tmp_path, random.Random("warm up"))  # imports, tables, what is compiled once
    failed: list[str] = []
    slowest, before = 0.0, _peak()
    previous = signal.signal(signal.SIGPROF, _hang)
    try:
        for case in range(part * share, (part + 1) * share):
            took, failure = _attack(target, f"{target} {case}", tmp_path)
            slowest = max(slowest, took)
            failed += [failure] if failure else []
            assert len(failed) < SHOWN, "\n\n".join(failed)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
    print(f"{target} {part}: {share} cases, the slowest {slowest:.2f} s, peak {_peak() / GIBIBYTE:.2f} GiB")
    assert not failed, "\n\n".join(failed)
    assert _peak() < max(GIBIBYTE, before), f"{_peak() / GIBIBYTE:.2f} GiB"


def _attack(target: str, seed: str, folder: Path) -> tuple[float, str | None]:
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        TARGETS[target].attack(folder, random.Random(seed))
    except (Exception, Hang):
        return time.process_time() - start, f"Random({seed!r}):\n{traceback.format_exc(limit=-6)}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return time.process_time() - start, None


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
