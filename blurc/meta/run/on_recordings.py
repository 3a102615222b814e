"""Experiments on recorded activity: what they cannot have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import jax

from blurc.diagnostics import BlurError, Diagnostic
from blurc.evaluation import check_batch
from blurc.meta.experiment.experiment import Evaluation, Experiment
from blurc.tasks import AnyTask, Recordings, told_at


def check(e: Experiment, tasks: Sequence[AnyTask]) -> None:
    """Raises `BlurError` (E613, E806, E811)."""
    recorded = [one for one in tasks if isinstance(one, Recordings)]
    if not recorded:
        return
    first = recorded[0]
    where = next((choice.where for choice in (*e.tasks, *e.validation) if choice.record), None)
    if others := [one.name for one in tasks if not isinstance(one, Recordings)]:
        message = f"`{first.name}` is recorded activity, and {others[0]} is not"
        raise BlurError(Diagnostic("E613", message, where, help="make an experiment of each kind"))
    if found := [*_misplaced(e, first.name)]:
        raise BlurError([Diagnostic("E613", message, where, help=help) for message, help in found])
    for one in recorded:
        with told_at(where):
            check_batch(e.inner.batch, one.name)
            one.check_length(e.inner.steps)
            one.check_length(e.curriculum.until if e.curriculum else e.inner.steps)
        if (one.record, one.time, _arrays(one)) != (first.record, first.time, _arrays(first)):
            message = f"{one.name} has other arrays than {first.name}, or sequences of another length"
            help = "record the same in both, or make an experiment of each"
            raise BlurError(Diagnostic("E613", message, where, help=help))


def check_evaluation(e: Evaluation, one: AnyTask) -> None:
    """Raises `BlurError` (E806, E811) if recordings cannot be replayed so."""
    if isinstance(one, Recordings):
        check_batch(e.batch, one.name)
        one.check_length(max(e.steps))


def _misplaced(e: Experiment, name: str) -> Iterator[tuple[str, str]]:
    for key in ("online", "judge_every", "probe"):
        if getattr(e.inner, key):
            message = f"`inner.{key}` says when answers are judged, and {name} compares activity at all steps"
            yield message, "leave it out"
    if e.evaluation.race:
        yield f"a race compares what optimizers learn from examples, and {name} has none", "leave `race` out"


def _arrays(one: Recordings) -> object:
    return jax.tree.structure(one.whole)
