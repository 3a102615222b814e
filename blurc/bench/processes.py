"""Calls functions in fresh processes: with other settings of JAX, or for the peak of their memory.

JAX is imported by what is called, not here, so that the settings reach it.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any


def peak_bytes(function: Callable[..., None], *args: Any) -> int:
    """The peak resident size of a fresh process that calls `function(*args)`.

    It includes everything: Python, JAX, the compiler and the data. Subtract the peak of a function that only starts
    JAX.
    """
    return in_process(_peak_after, function, *args)


def in_process(function: Callable[..., Any], *args: Any, cores: int | None = None) -> Any:
    """What `function(*args)` returns in a fresh process.

    Args:
        cores: if given, JAX has this many devices there, all of them CPUs.

    Raises:
        ChildProcessError: the process ended before it returned; what it said is on stderr.
    """
    context = multiprocessing.get_context("spawn")  # a fork would inherit this process's memory
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(theirs, function, args))
    with _environment({"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": str(cores)} if cores else {}):
        child.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        child.join()
        raise ChildProcessError(f"`{function.__name__}` ended with exit code {child.exitcode}") from None
    finally:
        child.join()
        ours.close()


@contextmanager
def _environment(added: Mapping[str, str]) -> Generator[None]:
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _answer(pipe: Any, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    pipe.send(function(*args))


def _peak_after(function: Callable[..., None], *args: Any) -> int:
    function(*args)
    return _own_peak()


def _own_peak() -> int:
    # Not `getrusage` on Linux: its value survives exec, so a child would start from its parent's peak.
    try:
        with open("/proc/self/status", encoding="utf-8") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
