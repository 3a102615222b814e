"""A network in an environment beside itself without plasticity, and beside random actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from blurc.diagnostics import Diagnostic
from blurc.evaluation.course import Scores
from blurc.evaluation.lifetimes import LifeCourse
from blurc.evaluation.summaries import to_json
from blurc.runtime import GenomeValues, Program
from blurc.tasks import Objective, World, chosen
from blurc.training import KeptLifetimes

PARTS = 10  # of a lifetime
FROZEN, CHANCE = "the same, frozen", "random actions"


@dataclass(frozen=True, eq=False)
class Lives:
    """Returns in lifetimes of `steps` steps in `batch` copies of an environment.

    Attributes:
        ends: the steps at which the parts of a lifetime end, which are equally long, to within one step.
        rows: by name, the rule first: scores [seeds, parts], the return in each part.
        lost: which seeds diverged, and at which step.
        diagnostic: of the first of them.
    """

    metric: Objective
    ends: tuple[int, ...]
    rows: dict[str, Scores]
    lost: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    diagnostic: Diagnostic | None = None

    def to_json(self) -> list[dict[str, Any]]:
        return [{"name": name, "results": to_json(self.ends, scores)} for name, scores in self.rows.items()]


def lives(
    net: Program, genome: GenomeValues | None, world: World, *,
    name: str, steps: int, batch: int, seeds: range, metric: str = "", alone: bool = False,
    watch: Callable[[str], object] = lambda what: None, kept: KeptLifetimes | None = None,
) -> Lives:  # fmt: skip
    """Lives them.

    Args:
        net: the network, which fits the world.
        genome: its meta-parameters; None draws fresh ones for each seed.
        world: the environment.
        name: of the rule.
        steps: steps of a lifetime.
        batch: copies of the environment.
        seeds: one lifetime each.
        metric: the name of the objective to measure; "": the return.
        alone: leave out what it is compared with.
        watch: is told what runs.
        kept: the lifetimes that are over already, and where the others are kept.

    Raises:
        BlurError: E813 if the metric does not suit rewards.
    """
    ends = tuple(sorted({max(1, steps * part // PARTS) for part in range(1, PARTS + 1)}))
    measured = chosen(metric, world.kind, world.name, world.score)
    course = LifeCourse(net, world, measured, ends, batch, max(1, steps // PARTS))
    found = Lives(measured, ends, {})
    watch(name)
    found.rows[name] = course.run(genome, seeds, lambda *at: found.lost.append(at), kept, name)
    if not alone:
        watch(FROZEN)
        found.rows[FROZEN] = replace(course, frozen=True).run(genome, seeds, kept=kept, row=FROZEN)
        watch(CHANCE)
        found.rows[CHANCE] = course.by_chance(seeds)
    return replace(found, diagnostic=_why(course, genome, *found.lost[0]) if found.lost else None)


def _why(course: LifeCourse, genome: GenomeValues | None, seed: int, step: int) -> Diagnostic:
    return course.where_lost(genome, seed) or Diagnostic(
        "E905",
        f"the lifetime diverged at step {step:,}",
        notes=("the replay, which rounds differently, stayed finite",),
        help="lower the rates (`--set`, or a genome)",
    )
