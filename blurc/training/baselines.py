"""The same wiring and batches under SGD and Adam, as a practitioner would train it.

`relu_network.py` is the network and `recipes.py` what is chosen, both as in `blurc race`. The loss is the mean softmax
cross entropy of the readout, or the mean squared error if the targets are not classes. Each optimizer gets the learning
rate that does best on a held-out tenth of the training examples; test examples are never used. Trying the rates takes
longer than the training itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from blurc.tasks import Dataset, generator
from blurc.training.learner import Learner, Run, Settings, Watch, fit
from blurc.training.recipes import OPTIMIZERS, Optimizer, Recipe, cross_entropy, squared_error, trained_by
from blurc.training.relu_network import ReluNetwork
from blurc.training.rules import keys
from blurc.training.scores import metric

COMPARED = OPTIMIZERS[:2]
FACTORS = (0.3, 0.1, 1.0, 0.03, 3.0)  # of an optimizer's rate in a race; of equals, the first is taken
FEW = 64  # examples; means and deviations over fewer are rough
HELD_OUT = 10  # one example in this many


def baselines(network: ReluNetwork, data: Dataset, settings: Settings, watch: Watch) -> Iterator[Run]:
    """One run per optimizer."""
    for optimizer in COMPARED:
        yield _run(network, optimizer, data, settings, watch)


def _run(network: ReluNetwork, optimizer: Optimizer, data: Dataset, settings: Settings, watch: Watch) -> Run:
    measure = metric(data)
    rates = [float(f"{factor * optimizer.rate:.2g}") for factor in FACTORS]
    learners = _learners(network, optimizer, rates, data, settings)
    watch.begin(optimizer.name, settings.steps * (len(rates) + 1))
    rest, rest_settings = _held_out(data, settings)
    trials = {rate: fit(learners[rate], rest, rest_settings, measure, watch, curve=False) for rate in rates}
    best = rates[0]
    for rate in rates:
        if measure.better(trials[rate].test, trials[best].test):
            best = rate
    run = fit(learners[best], data, settings, measure, watch)
    compiling = run.compile_seconds + sum(trial.compile_seconds for trial in trials.values())
    held_out = {rate: trial.test for rate, trial in trials.items()}
    return replace(run, rate=best, rates=held_out, compile_seconds=compiling)


def _learners(
    network: ReluNetwork, optimizer: Optimizer, rates: list[float], data: Dataset, settings: Settings
) -> dict[float, Learner]:
    """By rate. They share their compiled programs."""
    recipe = Recipe(optimizer, normalization="layer" if settings.batch < FEW else "batch")
    loss = cross_entropy if data.classes else squared_error
    found = {rate: trained_by(recipe, network, rate, settings.steps, loss=loss) for rate in rates}
    key, programs = keys(settings.seed)[1], {}
    return {
        rate: Learner(optimizer.name, made.start(key), made.advance, made.predict, programs)
        for rate, made in found.items()
    }


def _held_out(data: Dataset, settings: Settings) -> tuple[Dataset, Settings]:
    """The training examples, with a seeded tenth of them as test examples."""
    count = len(data.x_train)
    order = generator("held out", settings.seed).permutation(count)
    held, rest = np.split(order, [max(1, count // HELD_OUT)])
    part = replace(
        data,
        x_train=data.x_train[rest],
        y_train=data.y_train[rest],
        x_test=data.x_train[held],
        y_test=data.y_train[held],
    )
    return part, replace(settings, batch=min(settings.batch, len(rest)))
