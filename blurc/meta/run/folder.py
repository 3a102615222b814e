"""The run folder: what it contains, and how it is written so that an interruption leaves nothing half-written.

    experiment.yaml     the resolved experiment: `blurc meta` with it repeats the run
    spec/, start.yaml   copies of the spec with its imports, and of the genome the search started from
    versions.json       versions of blurc, jax and the rest, and the platform
    metrics.jsonl       one line per meta-step: the objective of the best candidate (value), of each replica (values),
                        or the mean of a population (mean; of a symbolic search, the median), without those that
                        diverged; the number that did (diverged) and of how many (candidates); now and then the current
                        genome on separate episodes (judged); replicas that kept diverging and restart after this step
                        (restarted)
    divergences.jsonl   the first genomes that diverged, for `--replay`
    checkpoint.npz      what `--resume` continues from
    genome.yaml         the best genome so far
    python/, objective.json   the user's own files that it names, and what a report has to know of such an objective
    rules/, front.json  of a symbolic search: the rules of its front, and the list of them
    result.json         the outcome, once the run is done; along with evaluation.json and report.html
    .lock               held by the run that is writing; the file itself stays behind and means nothing

metrics.jsonl and divergences.jsonl may be ahead of the checkpoint. Resuming truncates them to match it.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.run.lock import locked
from blurc.runtime import versions
from blurc.storage import append_to, read_file, remove_unfinished, why, write_file

EXPERIMENT, CHECKPOINT, GENOME = "experiment.yaml", "checkpoint.npz", "genome.yaml"
SPEC, START, VERSIONS = "spec", "start.yaml", "versions.json"
PYTHON, OBJECTIVE_FILE = "python", "objective.json"
RULES = "rules"
METRICS, DIVERGENCES = LOGS = ("metrics.jsonl", "divergences.jsonl")
REMEDIES: Mapping[int | None, str] = MappingProxyType(
    {
        **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room"),
        **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "make it writable"),
    }
)
T = TypeVar("T")


@dataclass(frozen=True)
class Folder:
    path: Path

    def create(self, experiment: str, files: Mapping[str, str]) -> None:
        """Creates the folder with an experiment and its source files. Raises as `make` does."""
        self.make(files)
        self._write_sources(files)
        self.write(EXPERIMENT, experiment)  # last: if it exists, so do the others

    def make(self, files: Mapping[str, str]) -> None:
        """Creates only the folder. Raises `BlurError`: E615 if it already holds a run, E618 if it cannot be written."""
        if self._names() and not self.is_unfinished(files):
            help = "resume that run (--resume), or choose another folder (-o DIR)"
            raise BlurError(Diagnostic("E615", f"the folder `{self.path}` is not empty", help=help))
        self.guarded(lambda: self.path.mkdir(parents=True, exist_ok=True))

    @contextmanager
    def locked(self) -> Generator[Callable[[], None]]:
        """See `lock.locked`. What killed runs left half-written is removed. Raises `BlurError` (E618)."""
        with ExitStack() as held:
            check = self.guarded(lambda: held.enter_context(locked(self.path)))
            for folder in (self.path, *filter(Path.is_dir, (self.path / SPEC).rglob("*")), self.path / SPEC):
                remove_unfinished(folder)
            yield check

    def is_unfinished(self, files: Mapping[str, str]) -> bool:
        """Whether `create` was interrupted here."""
        return bool(names := self._names()) and names <= {VERSIONS, *(name.split("/")[0] for name in files)}

    def _names(self) -> set[str]:
        names = [p.name for p in self.path.iterdir()] if os.path.isdir(self.path) else []
        return {name for name in names if not name.startswith(".")}

    def begin_again(self, files: Mapping[str, str]) -> None:
        """Starts over in a folder that has an experiment but no checkpoint."""
        self.cut(dict.fromkeys(LOGS, 0))
        self._write_sources(files)

    def _write_sources(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            self.guarded(lambda path=self.path / name: path.parent.mkdir(parents=True, exist_ok=True))
            self.write(name, text)
        self.write(VERSIONS, json.dumps(versions(), indent=2) + "\n")

    def write(self, name: str, text: str) -> None:
        self.guarded(lambda: write_file(self.path / name, text.encode()))

    def read(self, name: str) -> str:
        """Raises `BlurError` (E615)."""
        try:
            return read_file(self.path / name).decode()
        except (OSError, UnicodeDecodeError) as error:
            reason = why(error) if isinstance(error, OSError) else "it is not UTF-8 text"
            message = f"cannot read `{self.path / name}`: {reason}"
            raise BlurError(Diagnostic("E615", message, help="give a run folder")) from None

    def append(self, name: str, line: Mapping[str, Any]) -> None:
        """Appends a line, handed to the operating system by the time this returns."""

        def add() -> None:
            with append_to(self.path / name) as file:
                file.write(f"{json.dumps(line, allow_nan=False)}\n".encode())

        self.guarded(add)

    def lengths(self) -> dict[str, int]:
        """The length of each log in bytes."""
        return {name: self._length(name) for name in LOGS}

    def lines(self, name: str) -> int:
        """The number of lines in a log."""
        return self.read(name).count("\n") if self._length(name) else 0

    def cut(self, lengths: Mapping[str, int]) -> None:
        """Truncates the logs to a checkpoint. Raises `BlurError` (E616) if one is shorter than it was then."""
        for name, length in lengths.items():
            if self._length(name) < length:
                message = f"`{self.path / name}` is shorter than it was at the last checkpoint"
                help = "restore the file, or delete the run folder and start over"
                raise BlurError(Diagnostic("E616", message, help=help))
        for name, length in lengths.items():
            if self._length(name) > length:
                self.guarded(lambda name=name, length=length: os.truncate(self.path / name, length))

    def _length(self, name: str) -> int:
        return p.stat().st_size if os.path.exists(p := self.path / name) else 0

    def guarded(self, action: Callable[[], T]) -> T:
        """What the action returns. Raises `BlurError` (E618) for an `OSError`."""
        try:
            return action()
        except OSError as error:
            message = f"cannot write the run folder `{self.path}`: {why(error)}"
            raise BlurError(Diagnostic("E618", message, help=self._way_on(error))) from None

    def _way_on(self, error: OSError) -> str:
        """The last checkpoint is whole, whatever could not be written after it."""
        remedy = REMEDIES.get(error.errno, "fix that")
        begun = os.path.exists(self.path / EXPERIMENT)
        return f"{remedy}, then continue with --resume" if begun else f"{remedy}, or choose another folder: -o DIR"


def is_of_run(file: Path) -> bool:
    """Whether a run wrote this experiment into its own folder."""
    return file.name == EXPERIMENT and os.path.isfile(file.parent / VERSIONS)
