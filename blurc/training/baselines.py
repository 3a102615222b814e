"""The same wiring and batches under SGD and Adam, as a practitioner would train it.

`relu_network.py` is the network and `recipes.py` what is chosen, both as in `blurc race`. The loss is that of the
targets (`recipes.LOSSES`). Each optimizer gets the learning rate that does best on a held-out tenth of the training
examples, of a grid that is widened until the best is inside; test examples are never used. Trying the rates takes
longer than the training itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from blurc.tasks import Dataset, Objective, generator
from blurc.training.learner import Learner, Run, Settings, Watch, fit
from blurc.training.recipes import LOSSES, OPTIMIZERS, Optimizer, Recipe, trained_by
from blurc.training.relu_network import ReluNetwork
from blurc.training.rules import keys

COMPARED = OPTIMIZERS[:2]
GRID = (-1, -2, 0, -3, 1)  # places of rates, see `_rate`, the best guess first
MOST_RATES = 12  # where nothing learns, no rate is inside
FEW = 64  # examples; means and deviations over fewer are rough
HELD_OUT = 10  # one example in this many


def baselines(network: ReluNetwork, data: Dataset, settings: Settings, watch: Watch) -> Iterator[Run]:
    """One run per optimizer."""
    for optimizer in COMPARED:
        yield _run(network, optimizer, data, settings, watch)


def _run(network: ReluNetwork, optimizer: Optimizer, data: Dataset, settings: Settings, watch: Watch) -> Run:
    measure = settings.measure(data)
    learner = _learners(network, optimizer, data, settings)
    watch.begin(optimizer.name, settings.steps * (len(GRID) + 1))
    rest, rest_settings = _held_out(data, settings)
    trials: dict[int, Run] = {}

    def held_out(at: int) -> float:
        if at not in trials:
            trials[at] = fit(learner(_rate(optimizer, at)), rest, rest_settings, measure, watch, curve=False)
        return trials[at].test

    best = best_inside(held_out, measure)
    run = fit(learner(_rate(optimizer, best)), data, settings, measure, watch)
    compiling = run.compile_seconds + sum(trial.compile_seconds for trial in trials.values())
    scores = {_rate(optimizer, at): trial.test for at, trial in trials.items()}
    return replace(run, rate=_rate(optimizer, best), rates=scores, compile_seconds=compiling)


def best_inside(held_out: Callable[[int], float], measure: Objective) -> int:
    """The best place in a grid, which is widened until the best is not at an end. Of equals, the first is taken; where
    all diverge, lower rates are tried."""
    tried: dict[int, None] = dict.fromkeys(GRID)
    while True:
        scores = {at: held_out(at) for at in tried}
        best = min(tried) if all(map(math.isnan, scores.values())) else next(iter(tried))
        for at in tried:
            best = at if measure.better(scores[at], scores[best]) else best
        if best not in (min(tried), max(tried)) or len(tried) >= MOST_RATES:
            return best
        tried[best + (1 if best == max(tried) else -1)] = None


def _rate(optimizer: Optimizer, at: int) -> float:
    """Two rates for each factor of ten, 1 and 3 of an optimizer's rate in a race."""
    return float(f"{(1, 3)[at % 2] * 10.0 ** (at // 2) * optimizer.rate:.2g}")


def _learners(
    network: ReluNetwork, optimizer: Optimizer, data: Dataset, settings: Settings
) -> Callable[[float], Learner]:
    """By rate. They share their compiled programs."""
    recipe = Recipe(optimizer, normalization="layer" if settings.batch < FEW else "batch")
    key, programs = keys(settings.seed)[1], dict[int, Any]()

    def learner(rate: float) -> Learner:
        made = trained_by(recipe, network, rate, settings.steps, loss=LOSSES[data.kind])
        return Learner(optimizer.name, made.start(key), made.advance, made.predict, programs)

    return learner


def _held_out(data: Dataset, settings: Settings) -> tuple[Dataset, Settings]:
    """The training examples, with a seeded tenth of them as test examples."""
    count = len(data.x_train)
    order = generator("held out", settings.seed).permutation(count)
    held, rest = np.split(order, [max(1, count // HELD_OUT)])
    learned, tested = data.train.at(rest), data.train.at(held)
    part = replace(
        data,
        x_train=learned.x,
        y_train=learned.y,
        mask_train=learned.mask,
        x_test=tested.x,
        y_test=tested.y,
        mask_test=tested.mask,
    )
    return part, replace(settings, batch=min(settings.batch, len(rest)))
