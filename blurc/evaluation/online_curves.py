"""How well a genome does while it learns: every batch is asked just before it is learned."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from blurc.api import Net
from blurc.evaluation.course import Lost, Scores, keys
from blurc.runtime import GenomeValues
from blurc.tasks import LoadedTask, Objective, streamed
from blurc.training import ask_then_learn, learner_of

POINTS = 40  # of a curve


@dataclass(frozen=True, eq=False)
class Answers:
    """Of one seed: outputs and targets [steps, batch, ..], which of them are asked, and how many steps stayed
    finite."""

    outputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    masks: NDArray[np.float32] | None
    sound: int

    def score(self, metric: Objective, first: int, end: int) -> float:
        if end > self.sound:
            return math.nan
        masks = None if self.masks is None else self.masks[first:end]
        return float(metric.score(self.outputs[first:end], self.targets[first:end], masks))


@dataclass(frozen=True, eq=False)
class Online:
    """The answers of all seeds, over so many steps."""

    metric: Objective
    steps: int
    answers: tuple[Answers, ...]

    def scores(self, ends: Sequence[int]) -> Scores:
        """[seeds, ends]: of the answers up to each of the ends, after the end before. NaN after divergence."""
        spans = [*zip((0, *ends), ends, strict=False)]
        return np.asarray([[one.score(self.metric, *span) for span in spans] for one in self.answers])

    @property
    def ends(self) -> tuple[int, ...]:
        """Of a curve, which averages over stretches of the same length."""
        points = min(POINTS, self.steps)
        return tuple(self.steps * (i + 1) // points for i in range(points))


def run(
    net: Net, genome: GenomeValues | None, task: LoadedTask, metric: Objective, *, steps: int, batch: int,
    seeds: Sequence[int], lost: Lost | None = None,
) -> Online:  # fmt: skip
    """Without a genome, each seed draws its own."""
    answered, found = jax.jit(partial(ask_then_learn, learner_of(net, "online"))), list[Answers]()
    for seed in seeds:
        own = keys(seed)
        values = net.init_genome(own.genome) if genome is None else dict(genome)
        carry = values, net.init(own.start, values, batch=batch), own.noise
        stream, parts, sound = streamed(task, own.task, batch, True, steps, 1), list[Any](), 0
        for _, batches in stream.pieces(math.gcd(stream.length, steps), steps):
            carry, of = answered(carry, batches)
            parts.append((of.outputs, batches.ys, batches.masks))
            stayed = np.asarray(of.sound)
            sound += len(stayed) if stayed.all() else int(np.argmin(stayed))
            if not stayed.all():
                break
        if lost and sound < steps:
            lost(seed, sound + 1)
        outputs, targets, masks = _joined(parts)
        found.append(Answers(outputs.reshape(targets.shape), targets, masks, sound))
    return Online(metric, steps, tuple(found))


def _joined(parts: Sequence[Any]) -> Iterator[Any]:
    return (None if of[0] is None else np.concatenate([*map(np.asarray, of)]) for of in zip(*parts, strict=True))
