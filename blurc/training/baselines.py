"""The same wiring and batches under SGD and Adam, as a practitioner would train it.

Sequences are learned by backpropagation through time instead: `recurrent.py` and `through_time.py`.

`relu_network.py` is the network and `recipes.py` what is chosen, both as in `blurc race`. The loss is that of the
targets (`recipes.LOSSES`). Each optimizer gets the learning rate that does best on a held-out tenth of the training
examples, or, on a task, in another episode, of a grid that is widened until the best is inside; test examples are never
used. Trying the rates takes longer than the training itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from blurc.runtime import GenomeValues
from blurc.tasks import Dataset, Objective, generator
from blurc.training.learner import Learner, Run, Settings, Watch
from blurc.training.loop import fit
from blurc.training.recipes import LOSSES, OPTIMIZERS, Optimizer, Recipe, Trained, trained_by
from blurc.training.recurrent import Cell, RecurrentNetwork, cells
from blurc.training.relu_network import ReluNetwork
from blurc.training.rules import keys
from blurc.training.through_time import trained_through_time

COMPARED = OPTIMIZERS[:2]
ADAM = OPTIMIZERS[1]
TITLES: Mapping[Cell, str] = {"own": "Adam through time", "gru": "GRU", "lstm": "LSTM"}
GRID = (-1, -2, 0, -3, 1)  # places of rates, see `_rate`, the best guess first
MOST_RATES = 12  # where nothing learns, no rate is inside
FEW = 64  # examples; means and deviations over fewer are rough
HELD_OUT = 10  # one example in this many


# What a baseline makes for a rate, with programs that all rates share.
Made: TypeAlias = Callable[[float], Trained]


def baselines(network: ReluNetwork, data: Dataset, settings: Settings, watch: Watch) -> Iterator[Run]:
    """One run per optimizer."""
    for optimizer in COMPARED:
        made = _by_optimizer(network, optimizer, data, settings)
        yield _run(optimizer.name, optimizer, made, data, settings, watch)


def baselines_in_time(
    network: RecurrentNetwork, genome: GenomeValues, data: Dataset, settings: Settings, watch: Watch
) -> Iterator[Run]:
    """One run per cell, by Adam. The network's own starts from the synapses that its rule starts from."""
    for cell in cells(network):
        made = _through_time(replace(network, cell=cell), genome, data, settings)
        yield _run(TITLES[cell], ADAM, made, data, settings, watch)


def _run(name: str, optimizer: Optimizer, made: Made, data: Dataset, settings: Settings, watch: Watch) -> Run:
    measure = settings.measure(data)
    learner = _learners(name, made, settings)
    watch.begin(name, settings.steps * (len(GRID) + 1))
    rest, rest_settings = held_out(data, settings)
    trials: dict[int, Run] = {}

    def score_at(at: int) -> float:
        if at not in trials:
            trials[at] = fit(learner(_rate(optimizer, at)), rest, rest_settings, measure, watch, curve=False)
        return trials[at].online if settings.online else trials[at].test

    best = best_inside(score_at, measure)
    run = fit(learner(_rate(optimizer, best)), data, settings, measure, watch)
    compiling = run.compile_seconds + sum(trial.compile_seconds for trial in trials.values())
    scores = {_rate(optimizer, at): score_at(at) for at in trials}
    return replace(run, rate=_rate(optimizer, best), rates=scores, compile_seconds=compiling)


def best_inside(score_at: Callable[[int], float], measure: Objective) -> int:
    """The best place in a grid, which is widened until the best is not at an end. Of equals, the first is taken; where
    all diverge, lower rates are tried."""
    tried: dict[int, None] = dict.fromkeys(GRID)
    while True:
        scores = {at: score_at(at) for at in tried}
        best = min(tried) if all(map(math.isnan, scores.values())) else next(iter(tried))
        for at in tried:
            best = at if measure.better(scores[at], scores[best]) else best
        if best not in (min(tried), max(tried)) or len(tried) >= MOST_RATES:
            return best
        tried[best + (1 if best == max(tried) else -1)] = None


def _rate(optimizer: Optimizer, at: int) -> float:
    """Two rates for each factor of ten, 1 and 3 of an optimizer's rate in a race."""
    return float(f"{(1, 3)[at % 2] * 10.0 ** (at // 2) * optimizer.rate:.2g}")


def _learners(name: str, made: Made, settings: Settings) -> Callable[[float], Learner]:
    """By rate. They share their compiled programs."""
    key, programs = keys(settings.seed)[1], dict[Any, Any]()

    def learner(rate: float) -> Learner:
        trained = made(rate)
        return Learner(name, trained.start(key), trained.advance, trained.predict, programs)

    return learner


def _by_optimizer(network: ReluNetwork, optimizer: Optimizer, data: Dataset, settings: Settings) -> Made:
    recipe = Recipe(optimizer, normalization="layer" if settings.batch < FEW else "batch")
    return lambda rate: trained_by(recipe, network, rate, settings.steps, loss=LOSSES[data.kind])


def _through_time(network: RecurrentNetwork, genome: GenomeValues, data: Dataset, settings: Settings) -> Made:
    options: dict[str, Any] = {"kind": data.kind, "time": data.time, "truncate": settings.truncate, "genome": genome}
    return lambda rate: trained_through_time(Recipe(ADAM), network, rate, settings.steps, **options)


def held_out(data: Dataset, settings: Settings) -> tuple[Dataset, Settings]:
    """What rates are tried on: another episode of a task, or the training examples, with a seeded tenth of them as
    test examples."""
    if data.trial:
        return data.trial(), settings
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
