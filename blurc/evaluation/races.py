"""A race: a network learns by its rule, and the same wiring as a practitioner would train it.

Practitioners have ReLU, He initialisation, batch norm, standardised inputs, several optimizers, decaying learning
rates, and as many updates on every batch as the rule makes (`training/relu_network.py`, `training/recipes.py`).
Sequences are learned by backpropagation through time: by the network's own cell, a GRU or an LSTM
(`training/recurrent.py`). Each number of steps has its own best recipe (`tuning.py`). Trials choose it on other seeds
and on held-out training examples, so nothing is chosen by its score in the race. Everybody gets the same batches and
questions for a given seed, so the rule's lead is a mean of paired differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic, counted
from blurc.evaluation import room
from blurc.evaluation.course import Contender, Course, Scores, fresh_each_seed, ruled
from blurc.evaluation.fits import check_numbers
from blurc.evaluation.scoring import STEPS, planned
from blurc.evaluation.summaries import Summary, summaries, to_json, written
from blurc.evaluation.tuning import Tried, Tuning, first
from blurc.runtime import GenomeValues
from blurc.tasks import LoadedTask, Objective
from blurc.training import (
    LOSSES,
    OPTIMIZERS,
    LeftOut,
    Optimizer,
    Recipe,
    RecurrentNetwork,
    ReluNetwork,
    Trained,
    cells,
    recurrent_network,
    relu_network,
    trained_by,
    trained_through_time,
)

MOST_QUESTIONS = 2_000  # in a trial
STRONGEST = "strongest"


@dataclass(frozen=True)
class Chosen:
    """The recipe of an optimizer for one number of steps, and its score on held-out examples."""

    tried: Tried
    held_out: float
    trials: int  # recipes and rates in the search that found it
    at_end: bool = False  # its rate is the lowest or the highest that was tried


@dataclass(frozen=True, eq=False)
class Entry:
    """A learner's scores on test examples, [seeds, steps]. An optimizer also has its recipe for each number of
    steps."""

    name: str
    scores: Scores
    chosen: tuple[Chosen, ...] = ()


@dataclass(frozen=True, eq=False)
class Race:
    """The result of a race.

    Attributes:
        entries: the rule, then the optimizer that did best in the trials for each number of steps, then each optimizer.
        metric: what the scores are.
        rounds: updates of the optimizers on each batch.
        fresh: whether each seed drew its own random genome.
    """

    network: str
    task: str
    steps: tuple[int, ...]
    batch: int
    seeds: int
    query: int
    entries: tuple[Entry, ...]
    metric: Objective
    rounds: int = 1
    fresh: bool = False

    def lead(self, entry: Entry) -> list[Summary]:
        """How much better than an entry the rule is after each number of steps, paired over seeds."""
        return summaries(self.metric.lead(self.entries[0].scores, entry.scores))

    def to_json(self) -> dict[str, Any]:
        names = ("network", "task", "steps", "batch", "seeds", "query", "rounds", "fresh")
        learners = [self._learner(entry) for entry in self.entries]
        measured = {"metric": self.metric.title, "unit": self.metric.unit}
        return {**{name: getattr(self, name) for name in names}, **measured, "learners": learners}

    def _learner(self, entry: Entry) -> dict[str, Any]:
        lead = [{"mean": written(s.mean), "error": written(s.error)} for s in self.lead(entry)]
        chosen = [
            {"recipe": str(c.tried.recipe), "learning_rate": c.tried.rate, "held_out": written(c.held_out)}
            for c in entry.chosen
        ]
        optimizer = {"lead_of_the_rule": lead, "chosen": chosen} if entry.chosen else {}
        return {"name": entry.name, "results": to_json(self.steps, entry.scores), **optimizer}


def race(
    net: Net,
    genome: GenomeValues | None,
    task: LoadedTask,
    *,
    name: str = "",
    steps: Sequence[int] = STEPS,
    batch: int = 128,
    seeds: int = 5,
    query: int | None = None,
    metric: str = "",
    seed: int = 0,
    rounds: int | None = None,
    optimizers: Sequence[Optimizer] = OPTIMIZERS,
    truncate: int = 0,
    watch: Callable[[str], None] = lambda what: None,
) -> Race:
    """Runs a race.

    Args:
        net: the network, with the rule that races.
        genome: the rule's meta-parameters; None draws fresh ones for each seed.
        task: what is learned; it must fit the network.
        name: what to call the rule; "": its own name.
        steps: numbers of steps to score after.
        batch: examples per step.
        seeds: how many seeds to run.
        query: how many test examples to score on; None: all, up to 10,000.
        metric: the name of the objective to measure (`tasks.OBJECTIVES`); "": the score of the task.
        seed: the first seed.
        rounds: updates of the optimizers on each batch; None: as many as the rule makes.
        optimizers: what the rule races against.
        truncate: of backpropagation through time, steps of a sequence after which it starts anew; 0: never.
        watch: is told what is about to run.

    Raises:
        BlurError: E720 if optimizers cannot train the network, or on the task; E806, E807 and E813 as for `scores`.
    """
    rounds = updates(net) if rounds is None else rounds
    check_numbers(rounds=rounds)
    course = planned(net, task, steps=steps, batch=batch, seeds=seeds, query=query, metric=metric)
    if task.kind not in LOSSES:
        raise _without(f"{task.name} has no targets that they could learn from")
    network = _network(net, task.time)
    if isinstance(network, ReluNetwork):
        room.check_optimizers(net, course)
    field = Field(network, course, rounds, range(seed, seed + seeds), genome, truncate)
    entries = [_of_rule(net, genome, name, field, watch), *field.entries(optimizers, watch)]
    fresh = fresh_each_seed(net, genome)
    counts = (course.steps, batch, seeds, course.query)
    return Race(net.plan.name, task.name, *counts, tuple(entries), course.metric, rounds, fresh)


def _of_rule(net: Net, genome: GenomeValues | None, name: str, field: Field, watch: Callable[[str], None]) -> Entry:
    name = name or net.plan.genome
    watch(name)

    def lost(seed: int, step: int) -> None:
        watch(f"  seed {seed} diverged at step {step:,}")

    return Entry(name, np.stack([field.course.run(ruled(net, genome), s, lost) for s in field.seeds]))


def updates(net: Net) -> int:
    """How many updates the rule makes on a batch: the rounds of its `repeat`."""
    spans = [phase.span for phase in net.model.genome.phases if phase.kind == "update"]
    return max(1, spans.count(spans[0]) if spans else 0)


def _network(net: Net, time: int) -> ReluNetwork | RecurrentNetwork:
    try:
        return recurrent_network(net) if time else relu_network(net)
    except LeftOut as why:
        raise _without(str(why)) from None


def _without(why: str) -> BlurError:
    help = "`blurc eval` measures a genome without them"
    return BlurError(Diagnostic("E720", f"no race with optimizers: {why}", help=help))


@dataclass(frozen=True, eq=False)
class Field:
    """The optimizers that the rule races against."""

    network: ReluNetwork | RecurrentNetwork
    course: Course
    rounds: int
    seeds: range
    genome: GenomeValues | None = None
    truncate: int = 0

    def entries(self, optimizers: Iterable[Optimizer], watch: Callable[[str], None]) -> list[Entry]:
        """The strongest for each number of steps, then each optimizer."""
        found = {STRONGEST: list[tuple[Chosen, Scores]]()} | {o.name: [] for o in optimizers}
        starts = [first(optimizer, "own" if self.course.task.time else None) for optimizer in optimizers]
        for steps in self.course.steps:
            watch(f"optimizers at {counted(steps, 'step')}")
            ranked = self._chosen(starts, steps)
            starts = [chosen.tried for chosen in ranked]  # the next number of steps wants much the same
            for rank, chosen in enumerate(ranked):
                result = chosen, self._result(chosen.tried, steps)
                found[chosen.tried.recipe.optimizer.name].append(result)
                if rank == 0:
                    found[STRONGEST].append(result)
                    beyond = "; better rates may lie beyond those tried" if chosen.at_end else ""
                    watch(f"  {chosen.tried}, the best of {chosen.trials} recipes{beyond}")
        return [
            Entry(name, np.stack([values for _, values in each], axis=1), tuple(chosen for chosen, _ in each))
            for name, each in found.items()
        ]

    def _chosen(self, starts: Sequence[Tried], steps: int) -> list[Chosen]:
        questions = min(self.course.query, MOST_QUESTIONS)
        held_out = replace(self.course, steps=(steps,), query=questions, test=False)

        def trial(recipe: Recipe, rate: float, seed: int) -> float:
            found = float(held_out.run(self._contender(recipe, rate, steps), self.seeds.stop + seed)[0])
            return self.course.metric.merit(found)

        network = self.network
        tuning = Tuning(trial, {"cell": cells(network)}) if isinstance(network, RecurrentNetwork) else Tuning(trial)
        natural = self.course.metric.from_merit
        best = tuning.search(starts)
        return [
            Chosen(tried, natural(tuning.held_out(tried)), len(tuning.found), tuning.is_at_end(tried)) for tried in best
        ]

    def _result(self, tried: Tried, steps: int) -> Scores:
        """Scores [seeds] on test examples."""
        course = replace(self.course, steps=(steps,))
        learner = self._contender(tried.recipe, tried.rate, steps)
        return np.concatenate([course.run(learner, seed) for seed in self.seeds])

    def _contender(self, recipe: Recipe, rate: float, steps: int) -> Contender:
        made = self._made(recipe, rate, steps)
        return Contender(lambda own, batch: made.start(own.start), made.advance, made.predict)

    def _made(self, recipe: Recipe, rate: float, steps: int) -> Trained:
        task, network = self.course.task, self.network
        if isinstance(network, ReluNetwork):
            return trained_by(recipe, network, rate, steps, self.rounds, LOSSES[task.kind])
        cell = replace(network, cell=recipe.cell or "own")
        options: dict[str, Any] = {"kind": task.kind, "time": task.time, "genome": self.genome}
        return trained_through_time(recipe, cell, rate, steps, self.rounds, truncate=self.truncate, **options)
