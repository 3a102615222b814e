"""Refuses what cannot fit into memory before any is asked for: the system may grant it, and end the process later."""

from __future__ import annotations

import contextlib
import os
import sys
from functools import cache
from pathlib import Path

from blurc.diagnostics import BlurError, Diagnostic

CGROUP = Path("/sys/fs/cgroup/memory.max")  # the limit of a container
NUMBER = 4  # bytes


def check_room(numbers: int, what: str, help: str) -> None:
    """Raises `BlurError` (E919) if so many numbers cannot fit. `what` they are: "a batch of 3 examples"."""
    size, most = numbers * NUMBER, available()
    if most is not None and size > most:
        message = f"{what} would take {amount(size)} of memory, and there are {amount(most)}"
        raise BlurError(Diagnostic("E919", message, help=help))


@cache
def available() -> int | None:
    """Bytes of the machine, or of its accelerators where these have more; None if unknown."""
    found: list[int] = []
    with contextlib.suppress(ValueError, OSError, AttributeError):  # not on every system
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with contextlib.suppress(ValueError, OSError):
        found.append(int(CGROUP.read_text()))
    jax = sys.modules.get("jax")
    stats = [device.memory_stats() or {} for device in jax.local_devices()] if jax else []
    return max(min(found), sum(s.get("bytes_limit", 0) for s in stats)) if found else None


def of_device() -> int | None:
    """Bytes of one of JAX's devices here: of its own, or its share of the machine's. None if unknown."""
    devices = sys.modules["jax"].local_devices()
    own: int | None = (devices[0].memory_stats() or {}).get("bytes_limit")
    whole = available()
    return own or (None if whole is None else whole // len(devices))


def amount(size: float) -> str:
    """So many bytes, for people: `1.2 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} TB"
