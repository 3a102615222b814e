"""`--checkpoint` and `--resume` of `blurc train`."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from blurc import training
from blurc.cli.shared.options import OutputFile
from blurc.cli.shared.terminal import say

if TYPE_CHECKING:
    from blurc.api import Net
    from blurc.artifact import Loaded
    from blurc.runtime import GenomeValues

checkpoint_option = click.option(
    "--checkpoint", type=OutputFile(".npz"), metavar="F.npz",
    help="Save progress about every minute, and when interrupted (Ctrl-C, SIGTERM). A file that exists is refused "
    "without --resume.",
)  # fmt: skip
resume_option = click.option("--resume", is_flag=True, help="Continue from the file that --checkpoint names.")


class Kept(Protocol):
    """What keeps progress. saved: how much is in the file; "" if nothing is."""

    @property
    def saved(self) -> str: ...


@dataclass(frozen=True)
class Resuming:
    """file: where progress is saved; None: nowhere. resume: whether to go on from it."""

    file: Path | None
    resume: bool

    def __post_init__(self) -> None:
        """Raises `click.UsageError` without a file to go on from, `BlurError` (E615) if one would be overwritten."""
        if self.resume and not self.file:
            raise click.UsageError("--resume goes on from a file: give it with --checkpoint")
        if self.file and not self.resume:
            training.check_new(self.file)

    def checkpoint(
        self, net: Net | Loaded, genome: GenomeValues | None, data: str, digest: str, options: Mapping[str, object]
    ) -> training.Checkpoint | None:
        """As `training.identity` wants them."""
        if not self.file:
            return None
        return training.Checkpoint(self.file, training.identity(net, genome, data, digest, options), self.resume)

    @contextmanager
    def told(self, kept: Kept | None, json: str | None) -> Generator[None]:
        """Says where training goes on, and after an interruption how to go on."""
        if kept and kept.saved:
            say(f"resuming from `{self.file}` ({kept.saved})", json)
        try:
            yield
        except KeyboardInterrupt:
            if kept and kept.saved:
                goes_on = "run the same command again to continue" if self.resume else "add --resume to continue"
                click.echo(f"progress is saved in `{self.file}` ({kept.saved}): {goes_on}", err=True)
            elif kept:
                click.echo(f"nothing is saved in `{self.file}` yet", err=True)
            raise
