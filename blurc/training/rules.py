"""A compiled network with its own rule, as a learner."""

from __future__ import annotations

from typing import Any

import jax

from blurc.diagnostics import BlurError, Diagnostic
from blurc.runtime import GenomeValues, Program, State, fold
from blurc.tasks import Dataset
from blurc.training import columns
from blurc.training.alone import check_in_time
from blurc.training.learner import Learner, Run, Settings, Watch, finite, fit


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
    _refuse_signals(net)
    check_in_time(net)
    genome_key, key = keys(settings.seed)
    values = dict(net.init_genome(genome_key) if genome is None else genome)
    state = net.init(key, values, batch=settings.batch)
    watch.begin(name, settings.steps)
    start = (values, state, fold(key, "noise"))
    learner = Learner(name, start, _advance(net), _predict(net))
    return fit(learner, data, settings, settings.measure(data), watch)


def _predict(net: Program) -> Any:
    return lambda carry, x, first: predict(net, carry[0], carry[1], x, asking_key(carry[2], first))


def asking_key(noise: jax.Array, first: int | jax.Array) -> jax.Array:
    """For the noise of predictions, apart from that of learning and for each slice of examples."""
    return jax.random.fold_in(fold(noise, "predict"), first)


def _advance(net: Program) -> Any:
    def advance(carry: Any, xs: Any, ys: Any) -> Any:
        genome, state, key = carry
        later, now = noise_keys(key)
        after, outs = net.train(genome, state, columns.inputs(net.signature, xs), ys, key=now)
        return (genome, after, later), finite((after, outs))

    return advance


def noise_keys(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """For the steps after a chunk, and for the chunk."""
    later, now = jax.random.split(key)
    return later, now


def _refuse_signals(net: Program) -> None:
    reads = net.signature.reads["step"].signals
    if reads:
        message = f"`{net.signature.name}` reads the signal `{reads[0]}`, which a data set does not have"
        raise BlurError(Diagnostic("E807", message, help=net.signature.feeding()))


def predict(net: Program, genome: GenomeValues, state: State, x: Any, key: jax.Array) -> Any:
    """Starts from fresh persistent neuron states: test examples do not follow the ones the network remembers."""
    if net.signature.persistent:
        fresh = net.init(key, genome, batch=len(x))
        state = state._replace(neurons=fresh.neurons)
    return net.predict(genome, state, columns.inputs(net.signature, x), key=key)
