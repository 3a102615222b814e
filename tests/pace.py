"""Processor time on a machine that others use too."""

from __future__ import annotations

import gc
import time
from collections.abc import Generator
from contextlib import contextmanager

USUAL = 0.035  # seconds that `_loop` takes on an idle core


@contextmanager
def within(seconds: float) -> Generator[None]:
    """The block takes less processor time than this on an idle core.

    A busy machine makes everything slower, several times where cores share their units. So a loop of known length is
    measured before and after, and the bound grows as much as the loop did. What other tests have left in memory is not
    collected meanwhile: that took longer than what is measured.
    """
    before = _loop()
    gc.freeze()
    start = time.process_time()
    try:
        yield
    finally:
        took = time.process_time() - start
        gc.unfreeze()
    slower = max(1.0, before / USUAL, _loop() / USUAL)
    assert took < seconds * slower, f"{took:.2f} s on a machine that is {slower:.1f} times slower than an idle one"


def _loop() -> float:
    start = time.process_time()
    words: dict[str, int] = {}
    for i in range(300_000):
        words[str(i % 1000)] = i
    return time.process_time() - start
