"""Checkpoints of training, from which it goes on to the same bits.

What results depend on stands in them, and where that is different, a checkpoint is refused. `keeping.py` says what else
is in them.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from blurc.api import Net
from blurc.artifact import Loaded
from blurc.diagnostics import BlurError, Diagnostic
from blurc.model import Model, model_hash
from blurc.runtime import GenomeValues, versions
from blurc.storage import checkpoints, why
from blurc.tasks import hashed

Identity: TypeAlias = Mapping[str, Mapping[str, str]]

ANEW = "or start anew, with another file"
KIND = checkpoints.Kind(
    "`blurc train`",
    "`blurc train`",
    3,
    missing="start without --resume",
    damaged="give the right file, or start anew without --resume and with another file",
    foreign=f"resume with that version, {ANEW}",
)
OTHER = {  # what is different, and what to do
    "versions": ("`{path}` was made with other versions: {changed}", "resume with the same versions"),
    "spec": ("the spec is not the one that `{path}` was made with", "use that spec, --network, --rule and --set"),
    "genome": ("the genome is not the one that `{path}` was made with", "give the same --genome"),
    "data": ("the data are not those that `{path}` was made with: {changed}", "give the same data"),
    "options": ("`{path}` was made with other options: {changed}", "give the same options"),
}
EVERY = 60.0  # seconds


def check_new(path: Path) -> None:
    """Raises `BlurError` (E615) if there is a file already."""
    if not os.path.exists(path):
        return
    if KIND.wrote(path):
        message, help = f"there is a checkpoint `{path}` already", "add --resume to go on from it, or give another file"
    else:
        message, help = f"`{path}` exists already, and is not a checkpoint of {KIND.name}", "give another file"
    raise BlurError(Diagnostic("E615", message, help=help))


def identity(
    net: Net | Loaded, genome: GenomeValues | None, data: str, digest: str, options: Mapping[str, object]
) -> Identity:
    """What exact results depend on. Without a genome it is drawn. data: their name."""
    manifest = b"" if isinstance(net, Net) else net.manifest.to_json()
    return {
        "versions": versions(),
        "spec": {"": model_hash(net.model) if isinstance(net, Net) else hashlib.sha256(manifest).hexdigest()},
        "genome": {"": "" if genome is None else hashed(genome)},
        "data": {"": data, "digest": digest},
        "options": {name: f"{value}" for name, value in options.items()},
        "choice": _choice(net.model) if isinstance(net, Net) else {},
    }


def _choice(model: Model) -> Mapping[str, str]:
    """By which options a spec may have become another one. Not compared, for names of the same spec may change."""
    params = {**dict(model.network.params), **dict(model.genome.params)}
    names = {"--network": model.network.name, "--rule": model.genome.name}
    return {**names, **{f"--set {name}": f"{value}" for name, value in params.items()}}


@dataclass
class Checkpoint:
    """The file of a training.

    Attributes:
        path: of the file.
        identity: of this training.
        resume: whether to go on from the file.
        every: seconds between two writes, at least.
    """

    path: Path
    identity: Identity
    resume: bool
    every: float = EVERY
    _last: float = field(default_factory=time.monotonic)

    def read(self) -> tuple[dict[str, Any], list[np.ndarray]] | None:
        """What was written; None at the beginning.

        Raises:
            BlurError: E615 if there is no file, E616 if it is not a whole checkpoint, E617 if another run wrote it.
        """
        if not self.resume:
            return None
        about, leaves = KIND.read(self.path)
        self._check(about["identity"])
        return about, leaves

    def write(self, leaves: Sequence[np.ndarray], about: Mapping[str, Any]) -> None:
        """Raises `BlurError` (E907); the file that was there before stays."""
        try:
            KIND.save(self.path, leaves, {**about, "identity": self.identity})
        except OSError as error:
            room = "make room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "fix that"
            go_on = f"{room}, then go on with --resume" if os.path.exists(self.path) else f"{room}, and start again"
            raise BlurError(Diagnostic("E907", f"cannot write {self.path}: {why(error)}", help=go_on)) from None
        self._last = time.monotonic()

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._last >= self.every

    def _check(self, there: Identity) -> None:
        """Raises `BlurError` (E617). Versions first: the rest is written as a version writes it."""
        for part, (message, help) in OTHER.items():
            was, now = there[part], self.identity[part]
            if was == now:
                continue
            named = _different(was, now)
            if part == "spec" and (chosen := self._chosen(there)):
                (message, help), was, now, named = OTHER["options"], there["choice"], self.identity["choice"], chosen
            changed = "; ".join(_change(name, was.get(name, ""), now.get(name, "")) for name in named)
            said = message.format(path=self.path, changed=changed)
            raise BlurError(Diagnostic("E617", said, help=f"{help}, {ANEW}"))

    def _chosen(self, there: Identity) -> list[str]:
        """Options that are different; of another network or rule, not their parameters."""
        named = _different(there["choice"], self.identity["choice"])
        return [name for name in named if not name.startswith("--set")] or named


def _different(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name in {**was, **now} if was.get(name) != now.get(name)]


def _change(name: str, was: str, now: str) -> str:
    if name == "digest":
        return "the examples have changed"
    return f"{name} {was or 'none'} there, {now or 'none'} here".lstrip()
