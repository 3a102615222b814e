"""A compiled network with its own rule, as a learner."""

from __future__ import annotations

from typing import Any

import jax

from blurc.runtime import GenomeValues, Program, fold
from blurc.tasks import Batches, Dataset
from blurc.training.alone import check_in_time
from blurc.training.learner import Learner, Run, Settings, Watch, finite, fit
from blurc.training.sequences import check_signals, learn, predict


def keys(seed: int) -> tuple[jax.Array, jax.Array]:
    """For the genome and for the synapses. Artifacts can only draw from threefry keys."""
    genome, synapses = jax.random.split(jax.random.key(seed, impl="threefry2x32"))
    return genome, synapses


def train(net: Program, genome: GenomeValues | None, data: Dataset, settings: Settings, watch: Watch, name: str) -> Run:
    """Trains a compiled network or a loaded artifact; the carry is the genome, the last `State` and a noise key.

    Args:
        genome: meta-parameters; None draws them.
        data: as returned by `fitted`.

    Raises:
        BlurError: E807 if the genome reads signals, or answers an example in a later step.
    """
    check_signals(net.signature)
    if not data.time:
        check_in_time(net)
    genome_key, key = keys(settings.seed)
    values = dict(net.init_genome(genome_key) if genome is None else genome)
    state = net.init(key, values, batch=settings.batch)
    watch.begin(name, settings.steps)
    learner = learner_of(net, name, (values, state, fold(key, "noise")))
    return fit(learner, data, settings, settings.measure(data), watch)


def learner_of(net: Program, name: str, start: Any = None) -> Learner:
    """The network as a learner. start: the genome, a `State` and a noise key."""
    return Learner(name, start, _advance(net), _predict(net))


def _predict(net: Program) -> Any:
    return lambda carry, x, first: predict(net, carry[0], carry[1], x, asking_key(carry[2], first))


def asking_key(noise: jax.Array, first: int | jax.Array) -> jax.Array:
    """For the noise of predictions, apart from that of learning and for each slice of examples."""
    return jax.random.fold_in(fold(noise, "predict"), first)


def _advance(net: Program) -> Any:
    def advance(carry: Any, batches: Batches) -> Any:
        genome, state, key = carry
        later, now = noise_keys(key)
        after, outs = learn(net, genome, state, batches, now)
        return (genome, after, later), finite((after, outs))

    return advance


def noise_keys(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """For the steps after a chunk, and for the chunk."""
    later, now = jax.random.split(key)
    return later, now
