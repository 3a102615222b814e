"""A compiled network with its own rule, as a learner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import jax
import jax.numpy as jnp

from blurc.api import Net
from blurc.runtime import GenomeValues, Program, Sharding, fold
from blurc.tasks import Batches, Dataset
from blurc.training.alone import check_in_time
from blurc.training.divided import divided
from blurc.training.learner import Learner, Run, Settings, Watch, finite
from blurc.training.loop import fit
from blurc.training.probe import Probe
from blurc.training.progress import Keeper
from blurc.training.readouts import Held, activity, answers
from blurc.training.scores import MOST
from blurc.training.sequences import check_signals, learn, predict


def keys(seed: int) -> tuple[jax.Array, jax.Array]:
    """For the genome and for the synapses. Artifacts can only draw from threefry keys."""
    genome, synapses = jax.random.split(jax.random.key(seed, impl="threefry2x32"))
    return genome, synapses


def train(
    net: Program, genome: GenomeValues | None, data: Dataset, settings: Settings, watch: Watch, name: str,
    probe: Probe | None = None, at: Sharding | None = None, keeper: Keeper | None = None,
) -> Run:  # fmt: skip
    """Trains a compiled network or a loaded artifact; the carry is the genome, the last `State` and a noise key.

    Args:
        genome: meta-parameters; None draws them.
        data: as returned by `fitted`.
        probe: a readout that answers in the place of the outputs (`check_probe` says whether it can), fitted to
            training examples, 10,000 at most.
        at: the places of its arrays on many devices (`places`).
        keeper: keeps progress, and what training goes on from.

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
    if at:
        learner = divided(learner, at)
    if probe:
        learner = replace(learner, predict=_probed(net, data, probe))
    try:
        return fit(learner, data, settings, settings.measure(data), watch, keeper=keeper)
    except KeyboardInterrupt:
        if keeper:
            keeper.interrupted()
        raise


def learner_of(net: Program, name: str, start: Any = None) -> Learner:
    """The network as a learner. start: the genome, a `State` and a noise key."""
    return Learner(name, start, _advance(net), _predict(net))


def _predict(net: Program) -> Any:
    return lambda carry, x, first: predict(net, carry[0], carry[1], x, asking_key(carry[2], first))


def _probed(net: Program, data: Dataset, probe: Probe) -> Any:
    known = data.train.at(slice(MOST))
    held = jax.jit(lambda *of: activity(cast("Net", net), probe, *of))
    fit = jax.jit(answers, static_argnums=0)

    def predict(carry: Any, x: Any, first: int) -> Any:
        genome, state, key = carry
        known_key, key = jax.random.split(asking_key(key, first))
        learned = Held(held(genome, state, known.x, known_key), jnp.asarray(known.y))
        return fit(probe, learned, held(genome, state, x, key))

    return predict


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
