"""Tasks whose questions depend on how many steps of the episode came before."""

from __future__ import annotations

from typing import NamedTuple

from blurc.tasks.choice import Augment, TaskChoice
from blurc.tasks.families.familiarity import Familiarity


class Change(NamedTuple):
    """at: the field of the choice that brings it. why: as a sentence begins. since: the step from which on questions
    stay the same; 0: they never do."""

    at: str
    why: str
    since: int = 0


def changing(choice: TaskChoice) -> Change | None:
    """What makes the questions of one step wrong at another; None if they may be asked at all steps."""
    if choice.augment.drift:
        return Change("augment.drift", "`augment.drift` moves the inputs")
    if choice.data == Familiarity.NAME:
        return Change("data", f"`{Familiarity.NAME}` asks about what was shown last")
    if at := choice.augment.relabel_at:
        return Change("augment.relabel_at", "`augment.relabel_at` reorders the classes", at)
    return None


def too_late(augment: Augment, steps: int) -> str:
    """A warning if classes would be reordered after the last step; else empty."""
    if augment.relabel_at < max(1, steps):
        return ""
    return f"warning: with `relabel_at` {augment.relabel_at:,}, {steps:,} steps end before the classes are reordered"
