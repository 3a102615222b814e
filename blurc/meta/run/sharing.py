"""A run that processes share: all take the same meta-steps in the same order, and process 0 writes.

Results of candidates are exchanged inside of these steps (`many.py`), so that every process knows the whole `Carry`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.run import checkpoint
from blurc.meta.run.best import begun, is_due, updated
from blurc.meta.run.result import Result, of_text, to_text
from blurc.meta.run.resuming import Progress, identity
from blurc.meta.run.setup import Setup
from blurc.meta.run.step import meta_step

# What all must have in common, the causes of other differences first.
SAME: Mapping[str, str] = MappingProxyType(
    {
        "versions": "versions",
        "spec": "the spec",
        "data": "the data",
        "experiment": "the experiment",
        "steps": "`method.steps` of the experiment",
    }
)


def check_same(ready: Setup) -> None:
    """Raises `BlurError` (E620) in all processes if one has read something else than process 0."""
    if ready.processes.count == 1:
        return
    own = {**identity(ready), "steps": ready.experiment.method.steps}
    found = [json.loads(text) for text in ready.processes.gathered(json.dumps(own).encode())]
    for index, other in enumerate(found):
        for key, what in SAME.items():
            if other[key] != found[0][key]:
                raise _unlike(index, what, _difference(found[0][key], other[key]))


def _unlike(index: int, what: str, difference: str) -> BlurError:
    message = f"process {index} and process 0 do not share a run: {what} is different{difference}"
    if what == "versions":
        message = message.replace("is different", "are different")
    help = "give all of them the same files, options and versions"
    return BlurError(Diagnostic("E620", message, help=help))


def _difference(one: Any, other: Any) -> str:
    """Of versions and data, what it is."""
    if not isinstance(one, dict):
        return ""
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return f" ({', '.join(names)})"


def begin(ready: Setup, now: Progress) -> None:
    """Tells the others where the run begins."""
    if ready.processes.count > 1:
        about = {"steps": now.steps, "diverged": now.diverged, "width": now.width}
        ready.processes.shared(checkpoint.packed(now.carry, about))


def end(ready: Setup, result: Result) -> None:
    """Tells the others what came out."""
    if ready.processes.count > 1:
        ready.processes.shared(to_text(result).encode())


def follow(ready: Setup, fresh: Progress, folder: Path) -> Result:
    """The run in a process that does not write. folder: where process 0 does, as far as this one knows."""
    carry, about = checkpoint.unpacked(ready.processes.shared(), fresh.carry)
    if ready.width != about["width"]:
        ready = replace(ready, begun_with=about["width"])
    first, steps = about["steps"], ready.experiment.method.steps
    if not first:
        carry = carry._replace(best=begun(ready, ready.unroll(0)))
    for step in range(first, steps):
        carry, _, _ = meta_step(ready, carry, step)
    if not is_due(ready, steps - 1):
        updated(ready, carry.best, carry.method, steps - 1)
    return replace(of_text(ready.processes.shared().decode()), folder=folder)
