"""A race: the same network learns by its rule, and by SGD, momentum and Adam at their best learning rates.

All have the same wiring, batches and seeds, and start from the same keys: the very same synapses, where the rule draws
its `w` as `backprop` does. The optimizers train the network under the rule `backprop` (`training/twin.py`), on the mean
softmax cross entropy of its readout. Each optimizer has, for each number of steps, the rate of its grid that does best
on other seeds, whose questions come from the training examples; so no rate is chosen by what it is scored on.

A rule may go through each batch several times (`repeat rounds` of `swift`). With `rounds` the optimizers do so as well:
so many updates on every batch before the next one, at rates that are best for that. Steps count batches all the same.
A rule may normalize activity over the batch. With `normalize` hidden activity is normalized for the optimizers as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np
import optax

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic
from blurc.evaluation.accuracy import STEPS, check_numbers, planned, to_json, written
from blurc.evaluation.course import Accuracies, Contender, Course, Keys, fresh_each_seed, ruled
from blurc.runtime import GenomeValues, State
from blurc.tasks import Task
from blurc.training import NORMALIZED, RULE, LeftOut, Optimizer, finite, twin

TRIALS = 5  # seeds that a rate is chosen on
MOST_QUESTIONS = 2_000  # in a trial

OPTIMIZERS = (
    Optimizer("SGD", optax.sgd, (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)),
    Optimizer("momentum", lambda rate: optax.sgd(rate, 0.9), (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)),
    Optimizer("Adam", optax.adam, (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)),
)


@dataclass(frozen=True, eq=False)
class Entry:
    """One learner's accuracies on test examples, [seeds, steps].

    Of an optimizer also `rates`, the chosen one for each number of steps, and `trials`: rate -> its mean accuracies
    [steps] on held-out training examples.
    """

    name: str
    accuracies: Accuracies
    rates: tuple[float, ...] = ()
    trials: Mapping[float, Accuracies] = field(default_factory=dict[float, Accuracies])

    @property
    def at_an_edge(self) -> bool:
        """Whether a chosen rate is the least or the greatest of the grid: a better one may lie beyond."""
        return bool({min(self.trials), max(self.trials)} & set(self.rates)) if self.trials else False


@dataclass(frozen=True, eq=False)
class Race:
    """rounds: updates of SGD, momentum and Adam on each batch. normalize: whether their hidden activity is normalized
    over the batch. fresh: every seed had another random genome."""

    network: str
    task: str
    steps: tuple[int, ...]
    batch: int
    seeds: int
    query: int
    entries: tuple[Entry, ...]  # the rule first
    rounds: int = 1
    normalize: bool = False
    fresh: bool = False

    def to_json(self) -> dict[str, Any]:
        learners = [_entry_json(entry, self.steps) for entry in self.entries]
        names = ("network", "task", "steps", "batch", "seeds", "query", "rounds", "normalize", "fresh")
        return {**{name: getattr(self, name) for name in names}, "learners": learners}


def _entry_json(entry: Entry, steps: Sequence[int]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "results": to_json(steps, entry.accuracies),
        "learning_rates": list(entry.rates),
        "tried": [
            {"learning_rate": rate, "held_out": [*map(written, found.tolist())]}
            for rate, found in entry.trials.items()
        ],
    }


def race(
    net: Net,
    genome: GenomeValues | None,
    task: Task,
    *,
    name: str = "",
    steps: Sequence[int] = STEPS,
    batch: int = 128,
    seeds: int = 5,
    query: int | None = None,
    seed: int = 0,
    rounds: int = 1,
    normalize: bool = False,
    optimizers: Sequence[Optimizer] = OPTIMIZERS,
    watch: Callable[[str], None] = lambda what: None,
) -> Race:
    """genome: None: a fresh one for each seed. name: what it is called; its rule's name without. rounds: updates of the
    optimizers on each batch. normalize: whether they train a network whose hidden activity is normalized over the
    batch. watch: is told what begins.

    Raises `BlurError`: E720 where SGD and Adam cannot train the network, and as `evaluate.accuracies` does.
    """
    check_numbers(rounds=rounds)
    course = planned(net, task, steps=steps, batch=batch, seeds=seeds, query=query)
    other = _twin(net, NORMALIZED if normalize else RULE)
    name, own = name or net.plan.genome, range(seed, seed + seeds)
    watch(name)
    entries = [Entry(name, _runs(course, ruled(net, genome), own))]
    for optimizer in optimizers:
        watch(f"{optimizer.name}, with the trials of {len(optimizer.rates)} learning rates")
        entries.append(_tuned(course, _descent(other, optimizer, rounds), optimizer, own))
    fresh = fresh_each_seed(net, genome)
    counts = (course.steps, batch, seeds, course.query)
    return Race(net.plan.name, task.name, *counts, tuple(entries), rounds, normalize, fresh)


def _twin(net: Net, rule: str) -> Net:
    try:
        return twin(net, rule)
    except LeftOut as why:
        help = "`blurc eval` measures a genome without them"
        raise BlurError(
            Diagnostic("E720", f"no race with SGD, momentum and Adam: {why}", help=help)
        ) from None


def _runs(course: Course, contender: Contender, seeds: range) -> Accuracies:
    return np.stack([course.run(contender, seed) for seed in seeds])


# ---------------------------------------------------------------- the optimizers


def _tuned(
    course: Course, at_rate: Callable[[float], Contender], optimizer: Optimizer, seeds: range
) -> Entry:
    """The optimizer at its best rates, each run only as far as it is asked for."""
    other = range(seeds.stop, seeds.stop + TRIALS)
    held_out = replace(course, query=min(course.query, MOST_QUESTIONS), test=False)
    # A rate that diverged in one trial is not the best: NaN goes last.
    trials = {rate: _runs(held_out, at_rate(rate), other).mean(axis=0) for rate in optimizer.rates}
    rates = tuple(
        max(trials, key=lambda rate, at=at: np.nan_to_num(trials[rate][at], nan=-1.0))
        for at in range(len(course.steps))
    )
    found = np.empty((len(seeds), len(course.steps)))
    for rate in dict.fromkeys(rates):
        at = [i for i, chosen in enumerate(rates) if chosen == rate]
        part = replace(course, steps=tuple(course.steps[i] for i in at))
        found[:, at] = _runs(part, at_rate(rate), seeds)
    return Entry(optimizer.name, found, rates, trials)


def _descent(net: Net, optimizer: Optimizer, rounds: int = 1) -> Callable[[float], Contender]:
    """The contender at each rate. The rate is in the carry, and the programs are shared."""
    plastic = {p.name for p in net.plan.projections if p.plastic}

    def outputs(carry: Any, x: Any) -> Any:
        state = State({**carry["fixed"], **carry["learned"]}, {})
        return net.predict(carry["genome"], state, x)

    def update(carry: Any, x: Any, y: Any) -> Any:
        def loss(learned: Any) -> jax.Array:
            out = outputs({**carry, "learned": learned}, x).reshape(len(x), -1)
            return optax.softmax_cross_entropy(out, y).mean()

        gradient = jax.grad(loss)(carry["learned"])
        change, memory = optimizer.make(carry["rate"]).update(gradient, carry["memory"], carry["learned"])
        return {**carry, "learned": optax.apply_updates(carry["learned"], change), "memory": memory}

    def step(carry: Any, now: tuple[Any, Any]) -> tuple[Any, None]:
        after, _ = jax.lax.scan(lambda carry, _: (update(carry, *now), None), carry, None, length=rounds)
        return after, None

    @jax.jit
    def advance(carry: Any, xs: Any, ys: Any) -> tuple[Any, jax.Array]:
        after, _ = jax.lax.scan(step, carry, (xs, ys))
        return after, finite(after)

    def at_rate(rate: float) -> Contender:
        def start(own: Keys, batch: int) -> Any:
            genome = net.init_genome(own.genome)
            synapses = net.init(own.start, genome, batch=batch).synapses
            learned = {name: synapses[name] for name in synapses if name in plastic}
            return {
                "genome": genome,
                "fixed": {name: synapses[name] for name in synapses if name not in plastic},
                "learned": learned,
                "memory": optimizer.make(rate).init(learned),
                "rate": np.float32(rate),
            }

        return Contender(start, advance, outputs)

    return at_rate
