"""What a population holds: a readout of its activity, fitted in closed form, answers in the place of the outputs.

For rules that learn without targets. The synapses are frozen; the readout is fitted to the activity that examples of
the training set cause, and is asked the others.

ridge  a linear readout with biases, by ridge regression of standardised activities
knn    the mean target of the nearest examples, by the distance of standardised activities
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from blurc import model as m
from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.runtime import GenomeValues, Program, State
from blurc.training import columns
from blurc.training.probe import Probe
from blurc.training.sequences import asked

TINY = 1e-6  # the least standard deviation that a neuron is divided by


class Held(NamedTuple):
    """Activities [examples, neurons], with the targets [examples, outputs] of these."""

    activity: jax.Array
    targets: jax.Array


def check_probe(net: Program, probe: Probe, data: str, timed: bool) -> None:
    """Raises `BlurError` (E807) if the network has no such population or state, if which state is meant is open, or if
    the data, whose name this is, have time."""
    if timed:
        message = f"a probe reads what single examples cause, and {data} has time"
        raise BlurError(Diagnostic("E807", message, help="leave the probe out"))
    if not isinstance(net, Net):
        message = "a probe reads what a population holds, which an artifact does not show"
        raise BlurError(Diagnostic("E807", message, help="train from the spec"))
    names = [p.name for p in net.plan.populations]
    if probe.population not in names:
        message = f"`{net.plan.name}` has no population `{probe.population}` to probe"
        raise BlurError(Diagnostic("E807", message, help=suggest(probe.population, names, f"it has {_listed(names)}")))
    states = [v.name for v in net.model.genome.states]
    if probe.state and probe.state not in states:
        message = f"the rule `{net.plan.genome}` has no state `{probe.state}` to probe"
        raise BlurError(Diagnostic("E807", message, help=suggest(probe.state, states, f"it has {_listed(states)}")))
    if not probe.state and len(found := states_read(net)) != 1:
        message = f"the readout of `{net.plan.genome}` reads {_listed(found) or 'no state'}: which one is probed?"
        raise BlurError(Diagnostic("E807", message, help=f"say so: `state={states[0]}` (`state: {states[0]}`)"))


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def states_read(net: Net) -> list[str]:
    """The states that the rule's readout reads."""
    return [*dict.fromkeys(e.name for e in m.walk(net.model.genome.readout) if isinstance(e, m.State))]


def activity(net: Net, probe: Probe, genome: GenomeValues, state: State, x: Any, key: jax.Array) -> jax.Array:
    """What the population does when it sees `x` [examples, inputs]: [examples, neurons], before any feedback."""
    signature, count = net.signature, len(x)
    if signature.persistent:
        start, key = jax.random.split(key)
        state = state._replace(neurons=net.init(start, genome, batch=count).neurons)
    y = {name: np.zeros((count, *shape), np.float32) for name, shape in signature.outputs.items()}
    given = {"y": y if len(y) > 1 else next(iter(y.values()))} if signature.uses_target else {}
    signals = asked(signature, (count,))
    phases = net.trace(genome, state, columns.inputs(signature, x), signals=signals, key=key, **given)
    return before_feedback(net, phases, probe.population, probe.state or states_read(net)[0])


def before_feedback(net: Net, phases: Any, population: str, state: str) -> jax.Array:
    """A state of a population as the phases before any feedback left it, of what `net.trace` returns: [examples,
    values]."""
    seen: Any = None
    for phase, populations in phases.items():
        if phase.startswith(("feedback", "backward", "update")):
            break
        seen = populations.get(population, {}).get(state, seen)
    axes = len(next(p.shape for p in net.plan.populations if p.name == population))
    examples = jnp.moveaxis(seen, -1 - axes, 0)
    return examples.reshape(len(examples), -1)


def answers(probe: Probe, learned: Held, asked: jax.Array) -> jax.Array:
    """What a readout of the activities `asked` [examples, neurons] answers, fitted to what is known."""
    centre, size = learned.activity.mean(axis=0), learned.activity.std(axis=0)
    known, new = ((a - centre) / jnp.maximum(size, TINY) for a in (learned.activity, asked))
    return _nearest(probe, known, learned.targets, new) if probe.by == "knn" else _linear(probe, known, learned, new)


def _linear(probe: Probe, known: jax.Array, learned: Held, new: jax.Array) -> jax.Array:
    mean, count = learned.targets.mean(axis=0), len(known)
    square = known.T @ known / count + probe.strength * jnp.eye(known.shape[1], dtype=known.dtype)
    weights = jnp.linalg.solve(square, known.T @ (learned.targets - mean) / count)
    return new @ weights + mean


def _nearest(probe: Probe, known: jax.Array, targets: jax.Array, new: jax.Array) -> jax.Array:
    distances = (new**2).sum(axis=1)[:, None] - 2 * new @ known.T + (known**2).sum(axis=1)
    _, nearest = jax.lax.top_k(-distances, min(probe.neighbours, len(known)))
    return targets[nearest].mean(axis=1)
