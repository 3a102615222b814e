"""Refuses what cannot fit into memory before any is asked for: the system may grant it, and end the process later."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from blurc.diagnostics import BlurError, Diagnostic

CGROUPS = Path("/sys/fs/cgroup")  # of containers, services and jobs
FREE = Path("/proc/meminfo")
OWN = Path("/proc/self/cgroup")  # in which of them this process is
NUMBER = 4  # bytes
LARGE = 2**26  # bytes; for less, what is free is not looked up, which takes a tenth of a millisecond
SHARE = 0.25  # of a device's memory: programs of wide networks took up to 2.6 times what is counted


def check_room(numbers: int, what: str, help: str) -> None:
    """Raises `BlurError` (E919) if so many numbers cannot fit. `what` they are: "a batch of 3 examples"."""
    size, most = numbers * NUMBER, available()
    if most is not None and LARGE < size <= most:
        most = _room()
    if most is not None and size > most:
        message = f"{what} would take {amount(size)} of memory, and there is room for {amount(most)}"
        raise BlurError(Diagnostic("E919", message, help=help))


@cache
def of_machine() -> int | None:
    """Bytes that this process may have, without those of accelerators; None if unknown. Does not ask JAX, whose devices
    are fixed as soon as they are asked for."""
    found = [*_limits()]
    with contextlib.suppress(ValueError, OSError, AttributeError):  # not on every system
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(found, default=None)


@cache
def available() -> int | None:
    """Bytes of the machine, or of its accelerators where these have more; None if unknown."""
    jax, found = sys.modules.get("jax"), of_machine()
    stats = [device.memory_stats() or {} for device in jax.local_devices()] if jax else []
    return None if found is None else max(found, sum(s.get("bytes_limit", 0) for s in stats))


def of_device(sharing: int | None = None) -> int | None:
    """Bytes of one of JAX's devices here: of its own, or of the machine, which so many devices share; None if unknown.
    By default all of them do."""
    own, whole = _own(), available()
    return own or (None if whole is None else whole // (sharing or _devices()))


def has_own_memory() -> bool:
    """Whether JAX's devices here have memory of their own: more of them then have more."""
    return _own() is not None


def room_on_device(sharing: int | None = None) -> int | None:
    """As `of_device`, but of the machine no more than is free now. Something is refused by it; what results depend on
    goes by `of_device`."""
    whole, free = of_device(sharing), room_of_machine()
    return whole if _own() or whole is None or free is None else min(whole, free // (sharing or _devices()))


def room_of_machine() -> int | None:
    """As `of_machine`, but no more than is free now: in a container, of what it may have."""
    found = [*_free(), *(() if (whole := of_machine()) is None else (whole,))]
    return min(found, default=None)


def most_in(memory: int, size: int) -> int:
    """How many things of `size` bytes, which may be counted too low by a factor of 2.6, a device holds; at least 1.

    A power of two: machines of one kind, which have almost the same memory free, then agree.
    """
    return 1 << max(0, int(SHARE * memory / max(1, size)).bit_length() - 1)


def _own() -> int | None:
    return (sys.modules["jax"].local_devices()[0].memory_stats() or {}).get("bytes_limit")


def _devices() -> int:
    return len(sys.modules["jax"].local_devices())


def _room() -> int | None:
    """As `available`, but of the machine no more than is free now."""
    whole, free = available(), room_of_machine()
    of_accelerators = whole is not None and whole > (of_machine() or whole)
    return whole if of_accelerators or whole is None or free is None else min(whole, free)


def _free() -> Iterator[int]:
    """Bytes that processes can still have without swapping, here and in each control group; nothing on systems that do
    not say."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = FREE.read_text().splitlines()
        yield 1024 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])
    for group, files in _groups():
        with contextlib.suppress(OSError, ValueError):
            limit, used = (int((group / name).read_text()) for name in (files.limit, files.used))
            counts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            yield max(0, limit - used + int(counts.get(files.given_up, 0)))


def amount(size: float) -> str:
    """So many bytes, for people: `1.2 MB`."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} PB"


class Files(NamedTuple):
    """Of a control group. given_up: in `memory.stat`, the bytes of cached files, which count as used and go first."""

    limit: str
    used: str
    given_up: str


FIRST = Files("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
SECOND = Files("memory.max", "memory.current", "inactive_file")


def _limits() -> Iterator[int]:
    """Of the control groups that this process is in; `max` is none."""
    for group, files in _groups():
        with contextlib.suppress(ValueError, OSError):
            yield int((group / files.limit).read_text())


def _groups() -> Iterator[tuple[Path, Files]]:
    """The control groups that this process is in, one in another, in both versions."""
    with contextlib.suppress(OSError):
        for line in OWN.read_text().splitlines():
            _, controllers, name = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            root, files = (CGROUPS / "memory", FIRST) if controllers else (CGROUPS, SECOND)
            group = root / name.lstrip("/")
            for at in (group, *group.parents):
                if at.is_relative_to(root):
                    yield at, files
