"""The same network under plain SGD and Adam: same wiring, initial values, batches and seed, but true gradients.

The forward pass is that of the packaged rule `backprop`; the loss is the mean softmax cross entropy of the readout, or
the mean squared error if the targets are not classes. Projections marked `[fixed]` do not learn. Each optimizer gets
the learning rate from a small grid that does best on a held-out tenth of the training examples; test examples are
never used. Trying the grid takes longer than the training itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from blurc.api import Net
from blurc.runtime import State
from blurc.tasks import Dataset
from blurc.training.learner import Learner, Run, Settings, Watch, finite, fit
from blurc.training.rules import keys
from blurc.training.scores import metric

HELD_OUT = 10  # one example in this many


@dataclass(frozen=True)
class Optimizer:
    name: str
    make: Callable[[Any], optax.GradientTransformation]
    rates: tuple[float, ...]


OPTIMIZERS = (
    Optimizer("SGD", optax.sgd, (0.03, 0.1, 0.3, 1.0)),
    Optimizer("Adam", optax.adam, (0.0003, 0.001, 0.003, 0.01)),
)


def baselines(twin: Net, data: Dataset, settings: Settings, watch: Watch) -> Iterator[Run]:
    """One run per optimizer of a network made by `twin`."""
    for optimizer in OPTIMIZERS:
        yield _run(twin, optimizer, data, settings, watch)


def _run(net: Net, optimizer: Optimizer, data: Dataset, settings: Settings, watch: Watch) -> Run:
    measure = metric(data)
    learner = _learner(net, optimizer, data, settings)
    watch.begin(optimizer.name, settings.steps * (len(optimizer.rates) + 1))
    rest, rest_settings = _held_out(data, settings)
    trials = {
        rate: fit(_with_rate(learner, rate), rest, rest_settings, measure, watch, curve=False)
        for rate in optimizer.rates
    }
    best = optimizer.rates[0]
    for rate in optimizer.rates:
        if measure.better(trials[rate].test, trials[best].test):
            best = rate
    run = fit(_with_rate(learner, best), data, settings, measure, watch)
    compiling = run.compile_seconds + sum(trial.compile_seconds for trial in trials.values())
    held_out = {rate: trial.test for rate, trial in trials.items()}
    return replace(run, rate=best, rates=held_out, compile_seconds=compiling)


def _held_out(data: Dataset, settings: Settings) -> tuple[Dataset, Settings]:
    """The training examples, with a seeded tenth of them as test examples."""
    count = len(data.x_train)
    order = np.random.default_rng(settings.seed).permutation(count)
    held, rest = np.split(order, [max(1, count // HELD_OUT)])
    part = replace(
        data,
        x_train=data.x_train[rest],
        y_train=data.y_train[rest],
        x_test=data.x_train[held],
        y_test=data.y_train[held],
    )
    return part, replace(settings, batch=min(settings.batch, len(rest)))


def _with_rate(learner: Learner, rate: float) -> Learner:
    """Shares the compiled programs: the rate is part of the carry."""
    return replace(learner, start={**learner.start, "rate": jnp.asarray(rate)})


def _learner(net: Net, optimizer: Optimizer, data: Dataset, settings: Settings) -> Learner:
    genome_key, key = keys(settings.seed)
    genome = net.init_genome(genome_key)
    state = net.init(key, genome)
    plastic = {p.name for p in net.plan.projections if p.plastic}
    learned = {name: channels for name, channels in state.synapses.items() if name in plastic}
    start = {
        "genome": genome,
        "fixed": {name: channels for name, channels in state.synapses.items() if name not in plastic},
        "learned": learned,
        "optimizer": optimizer.make(0.0).init(learned),
    }

    def outputs(carry: Any, x: Any) -> Any:
        synapses = {**carry["fixed"], **carry["learned"]}
        return net.predict(carry["genome"], State(synapses, {}), x)

    return Learner(optimizer.name, start, _advance(outputs, optimizer, loss(data)), outputs)


def loss(data: Dataset) -> Callable[[Any, Any], jax.Array]:
    if data.classes:
        return lambda outputs, y: optax.softmax_cross_entropy(outputs, y).mean()
    return lambda outputs, y: jnp.mean((outputs - y) ** 2)


def _advance(outputs: Any, optimizer: Optimizer, loss: Any) -> Any:
    def step(carry: Any, batch: tuple[Any, Any]) -> tuple[Any, None]:
        x, y = batch

        def objective(learned: Any) -> jax.Array:
            out = outputs({**carry, "learned": learned}, x)
            return loss(out.reshape((len(x), -1)), y)

        gradient = jax.grad(objective)(carry["learned"])
        update = optimizer.make(carry["rate"]).update
        change, state = update(gradient, carry["optimizer"], carry["learned"])
        return {**carry, "learned": optax.apply_updates(carry["learned"], change), "optimizer": state}, None

    def advance(carry: Any, xs: Any, ys: Any) -> tuple[Any, jax.Array]:
        after, _ = jax.lax.scan(step, carry, (xs, ys))
        return after, finite(after)

    return advance
