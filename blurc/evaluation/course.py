"""Runs one contender through one course: from a seed to scores after given numbers of steps.

For a given seed, all contenders get the same batches, initial synapses and test questions, whichever steps are scored.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from blurc.api import Net
from blurc.runtime import GenomeValues, map_tree
from blurc.tasks import Batches, LoadedTask, Objective, Side, Stream, Whole, streamed
from blurc.training import Held, Probe, activity, answers, asking_key, finite, learn, predict, score

Scores: TypeAlias = NDArray[np.float64]
Lost: TypeAlias = Callable[[int, int], object]  # is told which seed diverged, and at which step, from 1

_finite = jax.jit(finite)
MOST_FITTED = 10_000  # examples that a readout is fitted to


class Keys(NamedTuple):
    """The random keys of a seed, one for each purpose."""

    start: jax.Array  # initial synapses
    noise: jax.Array
    genome: jax.Array  # if none is given
    task: jax.Array


def keys(seed: int) -> Keys:
    """The keys of a seed. `fold_in` with small numbers collides with `split`, so the root key is never split. Numbers 0
    and 1 are what `training` splits it into, and a search for genomes has others (`meta.run.setup`)."""
    root = jax.random.key(seed, impl="threefry2x32")
    return Keys(*(jax.random.fold_in(root, 2 + i) for i in range(len(Keys._fields))))


@dataclass(frozen=True)
class Contender:
    """A learner, as functions of a carry.

    Attributes:
        start: takes keys and the batch size; returns the first carry.
        advance: takes a carry and batches; returns the next carry and whether it is all finite.
        predict: takes a carry, examples `[examples, n]` or sequences `[examples, time, n]`, and the number of the
            first; returns outputs.
    """

    start: Callable[[Keys, int], Any]
    advance: Callable[[Any, Batches], tuple[Any, Any]]
    predict: Callable[[Any, Any, int], Any]


@dataclass(frozen=True)
class Course:
    """What contenders run through: `batch` examples per step, and `query` questions after each of `steps`. `piece` is
    the number of steps in a program, and divides all of `steps`. Questions are test examples if `test`, else training
    examples that were held out."""

    task: LoadedTask
    metric: Objective
    steps: tuple[int, ...]
    batch: int
    query: int
    piece: int
    test: bool = True

    def run(self, contender: Contender, seed: int, lost: Lost | None = None) -> Scores:
        """Scores [steps]. Loads batches in pieces, so that memory does not grow with the number of steps."""
        own = keys(seed)
        stream = streamed(self.task, own.task, self.batch, self.test, max(self.steps), self.query)
        asked, asked_at = self._asked(stream, 0), 0
        carry, found = contender.start(own, self.batch), dict.fromkeys(self.steps, math.nan)
        # All pieces have the same length, so one compiled program does them all.
        for done, batches in stream.pieces(math.gcd(stream.length, self.piece), max(self.steps)):
            before = carry
            carry, sound = contender.advance(carry, batches)
            if not sound:
                if lost:
                    lost(seed, done - len(batches.xs) + _until(contender, before, batches))
                break
            if done in found:
                if stream.changes(asked_at, done):
                    asked, asked_at = self._asked(stream, done), done
                found[done] = score(lambda x, first, now=carry: contender.predict(now, x, first), asked, self.metric)
        return np.asarray([found[step] for step in self.steps])

    def _asked(self, stream: Stream | Whole, done: int) -> Side:
        x, y, mask = stream.questions(self.query, done)
        return Side(np.asarray(x), np.asarray(y), None if mask is None else np.asarray(mask))


def _until(contender: Contender, carry: Any, batches: Batches) -> int:
    """How many steps it takes to diverge, which these do."""
    count = len(batches.xs)
    for i in range(count - 1):
        carry, sound = contender.advance(carry, _part(batches, i, i + 1))
        if not sound:
            return i + 1
    return count


def _part(batches: Batches, first: int, end: int) -> Batches:
    return map_tree(lambda a: a[first:end], batches)


def ruled(net: Net, genome: GenomeValues | None) -> Contender:
    """A network that learns by its own rule. Without a genome, each seed draws its own."""
    noisy = net.signature.reads["step"].noise

    def start(own: Keys, batch: int) -> Any:
        values = net.init_genome(own.genome) if genome is None else dict(genome)
        return values, net.init(own.start, values, batch=batch), own.noise, 0

    def advance(carry: Any, batches: Batches) -> tuple[Any, Any]:
        values, state, noise, done = carry
        sound, count = jnp.asarray(True), len(batches.xs)
        # One step at a time, so that noise does not depend on the pieces, and so not on which steps are scored.
        size = 1 if noisy else count
        for first in range(0, count, size):
            part = _part(batches, first, first + size)
            state, outs = learn(net, values, state, part, jax.random.fold_in(noise, done))
            sound &= _finite((state, outs))
            done += size
        return (values, state, noise, done), sound

    def asked(carry: Any, x: Any, first: int) -> Any:
        values, state, noise, done = carry
        return predict(net, values, state, x, asking_key(jax.random.fold_in(noise, done), first))

    return Contender(start, advance, asked)


def probed(net: Net, genome: GenomeValues | None, probe: Probe) -> Contender:
    """The same, judged by a readout of a population, fitted to the examples that were learned last."""
    inner, fit = ruled(net, genome), jax.jit(answers, static_argnums=0)
    held = jax.jit(lambda *of: activity(net, probe, *of))

    def start(own: Keys, batch: int) -> Any:
        return inner.start(own, batch), ()

    def advance(carry: Any, batches: Batches) -> tuple[Any, Any]:
        before, kept = carry
        after, sound = inner.advance(before, batches)
        new = [np.asarray(a).reshape(-1, a.shape[-1]) for a in (batches.xs, batches.ys)]
        joined = [np.concatenate(pair)[-MOST_FITTED:] for pair in zip(kept, new, strict=True)] if kept else new
        return (after, tuple(a[-MOST_FITTED:] for a in joined)), sound

    def asked(carry: Any, x: Any, first: int) -> Any:
        (values, state, noise, done), (known, targets) = carry
        known_key, key = jax.random.split(asking_key(jax.random.fold_in(noise, done), first))
        learned = Held(held(values, state, known, known_key), targets)
        return fit(probe, learned, held(values, state, x, key))

    return Contender(start, advance, asked)


def fresh_each_seed(net: Net, genome: GenomeValues | None) -> bool:
    """Whether each seed draws its own meta-parameters: none are given, and the rule's are random."""
    drawn = any(v.init is not None and v.init.is_random for v in net.plan.metas)
    return genome is None and drawn
