"""The options of commands that several processes share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from blurc import meta

if TYPE_CHECKING:
    from blurc.meta import Processes

OPTIONS = (
    click.option(
        "--distributed", is_flag=True,
        help="Share the run with the other processes of the SLURM or Open MPI job, Kubernetes job or TPU pod.",
    ),
    click.option("--coordinator", metavar="HOST:PORT", help="Share the run: where process 0 listens."),
    click.option("--processes", type=click.IntRange(min=1), metavar="N", help="How many processes share the run."),
    click.option("--process", type=click.IntRange(min=0), metavar="I", help="Which of them this is, from 0."),
)  # fmt: skip


@dataclass(frozen=True)
class At:
    """What the options say; the cluster says the rest."""

    coordinator: str | None
    processes: int | None
    process: int | None


def processes_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options, as one argument `at`: None if nothing is shared."""

    @wraps(command)
    def run(
        *arguments: Any, distributed: bool, coordinator: str | None, processes: int | None, process: int | None,
        **options: Any,
    ) -> None:  # fmt: skip
        given = {"--coordinator": coordinator, "--processes": processes, "--process": process}
        missing = [name for name, value in given.items() if value is None]
        if not distributed and 0 < len(missing) < len(given):
            raise click.UsageError(f"also give {' and '.join(missing)}, or use --distributed on a cluster")
        shared = distributed or not missing
        command(*arguments, at=At(coordinator, processes, process) if shared else None, **options)

    found: Any = run
    for option in reversed(OPTIONS):
        found = option(found)
    return found


def joined(at: At | None) -> AbstractContextManager[Processes]:
    """The processes of a run, to be left when it is over. Raises `BlurError` (E924)."""
    return meta.join(at.coordinator, at.processes, at.process) if at else meta.internals.ALONE
