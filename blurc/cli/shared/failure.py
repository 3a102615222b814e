"""Ends failed commands with diagnostics on stderr and an exit status, never a traceback."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from types import CodeType
from typing import Any, NoReturn

import click

from blurc.cli.shared import compile_cache
from blurc.cli.shared.terminal import colour, show
from blurc.diagnostics import BlurError, BlurWarning, Diagnostic
from blurc.storage import why

WRONG, READER_GONE = 1, 141  # the last is what shells report for SIGPIPE
INTERRUPTED, TERMINATED = 130, 143  # for SIGINT and SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM, as batch systems and shutdowns send it: everything that Ctrl-C saves is saved."""


AGAIN = 0.01  # seconds until it is looked whether an interrupt that was dropped can be raised again


def on_interrupts() -> None:
    """From now on, SIGTERM raises `Terminated`, once, and no interrupt is lost.

    Python raises interrupts wherever the main thread happens to be. Where that is a finalizer or a callback of the
    garbage collector (jax has one), the exception is printed and dropped: the run would go on, deaf to the next one.
    """
    previous = sys.unraisablehook

    def dropped(what: sys.UnraisableHookArgs) -> None:
        if not issubclass(what.exc_type, KeyboardInterrupt):
            return previous(what)
        terminated = issubclass(what.exc_type, Terminated)
        if terminated:
            signal.signal(signal.SIGTERM, _terminate)
        again = signal.SIGTERM if terminated else signal.SIGINT
        threading.Thread(target=_raise_outside, args=(dropped.__code__, again), daemon=True).start()

    sys.unraisablehook = dropped
    signal.signal(signal.SIGTERM, _terminate)


def _raise_outside(hook: CodeType, number: signal.Signals) -> None:
    """Interrupts the main thread once it has left the hook, in which the interrupt would be dropped again. On a busy
    machine, it may still be there after any time that one could wait."""
    time.sleep(AGAIN)
    while _is_inside(hook):
        time.sleep(AGAIN)
    if hasattr(signal, "pthread_kill"):  # also wakes it where it waits for the system
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        _thread.interrupt_main(number)


def _is_inside(code: CodeType) -> bool:
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # pyright: ignore[reportPrivateUsage]
    while frame and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None


def _terminate(number: int, frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)
    raise Terminated


def status(interrupt: KeyboardInterrupt) -> int:
    return TERMINATED if isinstance(interrupt, Terminated) else INTERRUPTED


@contextmanager
def failures(ctx: click.Context) -> Generator[None]:
    ctx.color = colour()
    try:
        with _warnings_shown():
            yield
        sys.stdout.flush()  # here, where a broken pipe is still handled
    except BlurError as error:
        show(error.diagnostics)
        ctx.exit(WRONG)
    except KeyboardInterrupt as interrupt:
        click.echo("terminated" if isinstance(interrupt, Terminated) else "interrupted", err=True)
        ctx.exit(status(interrupt))
    except BrokenPipeError:
        _close_stdout()
        ctx.exit(READER_GONE)
    except _device_errors() as error:
        show([_device_failed(error)])
        ctx.exit(WRONG)


@contextmanager
def _warnings_shown() -> Generator[None]:
    """As diagnostics."""
    told = False
    with warnings.catch_warnings():
        others = warnings.showwarning

        def shown(message: Warning | str, *where: Any, **more: Any) -> None:
            nonlocal told
            if isinstance(message, BlurWarning):
                show([message.diagnostic])
            elif not compile_cache.is_failure(message):
                others(message, *where, **more)
            elif not told and (why := compile_cache.unwritable()):
                told = True  # once, and not for every program
                show([why])

        warnings.showwarning = shown
        yield


def output_failed(error: OSError) -> NoReturn:
    """Exits when stdout cannot be written, such as on a full disk."""
    _close_stdout()
    show([Diagnostic("E907", f"cannot write {error.filename or 'the output'}: {why(error)}")])
    sys.exit(WRONG)


def _close_stdout() -> None:
    """Keeps the interpreter's last flush of stdout from failing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _device_errors() -> tuple[type[Exception], ...]:
    """What is raised if a program does not fit the machine. Does not import jax."""
    jax = sys.modules.get("jax")
    return (MemoryError, jax.errors.JaxRuntimeError) if jax else (MemoryError,)


def _device_failed(error: Exception) -> Diagnostic:
    reason = str(error).split("\n")[0] or "out of memory"
    return Diagnostic(
        "E908",
        f"the device could not run the program: {reason}",
        help="use a smaller network, smaller batches or a larger device; in a search, a smaller `chunk`",
    )
