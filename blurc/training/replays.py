"""A network that learns from the inputs of a recording, and what its populations do meanwhile.

Inputs are shown one at a time, and learned from one at a time. What is compared is a state as it is before any
feedback. Neurons are reset as for other examples: before every step, or, where what is shown in a step is a sequence,
before each of these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.runtime import GenomeValues, State, map_tree, unroll
from blurc.tasks import Objective, Recordings, Replay, Shown
from blurc.training.alone import check_in_time
from blurc.training.learner import finite
from blurc.training.readouts import before_feedback, states_read
from blurc.training.sequences import Steps


class What(NamedTuple):
    population: str
    state: str


class Activity(NamedTuple):
    """values: as `Shown.recorded` has them. sound: whether everything was finite in a step, [steps], or with time
    [steps, time]."""

    values: dict[str, jax.Array]
    sound: jax.Array


def check_recordings(net: Net, recordings: Recordings) -> None:
    """Raises `BlurError` (E807) if the network cannot be compared with recordings."""
    if not recordings.time:
        check_in_time(net)
    if found := [*_misfits(net, recordings)]:
        raise BlurError([Diagnostic("E807", message, help=help) for message, help in found])


def _misfits(net: Net, recordings: Recordings) -> Iterator[tuple[str, str | None]]:
    signature, shown = net.signature, recordings.whole.shown
    yield from _wrong_size(net, "input", signature.inputs, recordings.name, recordings.inputs)
    if signature.uses_target and shown.ys is None:
        message = f"`{net.plan.genome}` learns from targets, and {recordings.name} has none"
        yield message, "save what its teacher said as `y`, or take a rule that learns without"
    elif signature.uses_target:
        yield from _wrong_size(net, "output", signature.outputs, recordings.name, recordings.taught)
    for name in (n for n in signature.reads["step"].signals if n not in shown.signals):
        yield f"`{net.plan.genome}` reads the signal `{name}`, which {recordings.name} lacks", f"save `signal_{name}`"
    for name, values in shown.recorded.items():
        yield from _not_recorded(net, recordings, name, values.shape[-1])
    for projection, channels in recordings.whole.start.items():
        yield from _wrong_start(net, projection, channels)


def _wrong_size(
    net: Net, role: str, populations: Mapping[str, tuple[int, ...]], of: str, size: int
) -> Iterator[tuple[str, str | None]]:
    if len(populations) != 1 or net.signature.ids:
        what = "has inputs by ids" if net.signature.ids else f"has {len(populations)} {role} populations"
        yield f"`{net.plan.name}` {what}, and recordings feed one {role} population of numbers", None
        return
    ((name, shape),) = populations.items()
    if math.prod(shape) != size:
        yield f"{of} has {size} {role}s, but the {role} `{name}` of `{net.plan.name}` is {list(shape)}", None


def what(net: Net, name: str) -> What:
    """What `POPULATION` or `POPULATION.STATE` stands for."""
    population, _, state = name.rpartition(".")
    return What(population, state) if population else What(name, next(iter(states_read(net)), ""))


def _not_recorded(net: Net, recordings: Recordings, name: str, size: int) -> Iterator[tuple[str, str | None]]:
    of = what(net, name)
    populations = {p.name: p.size for p in net.plan.populations}
    dims = {state.name: math.prod(state.shape) for state in net.model.genome.states}
    if of.population not in populations:
        help = suggest(of.population, populations, f"it has {', '.join(populations)}")
        yield f"`{net.plan.name}` has no population `{of.population}`, which `record` names", help
    elif of.state not in dims:
        help = suggest(of.state, dims, f"it has {', '.join(dims)}")
        yield f"the rule `{net.plan.genome}` has no state `{of.state}`, which `record` names", help
    elif name == of.population and len(states_read(net)) != 1:
        message = f"the readout of `{net.plan.genome}` reads {len(states_read(net))} states: which was recorded?"
        yield message, f"say so: `record: [{name}.{next(iter(dims))}]`"
    elif size != (wanted := populations[of.population] * dims[of.state]):
        message = f"`recorded_{name}` of {recordings.name} has {size} neurons, but `{of.population}` has {wanted}"
        yield message, "save NaN for neurons that were not recorded"


def _wrong_start(net: Net, projection: str, channels: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    known = net.signature.projections
    if projection not in known:
        help = suggest(projection, known, f"they are {', '.join(known)}")
        yield f"`{net.plan.name}` has no projection `{projection}`, whose first synapses are given", help
        return
    parts = {tuple(name.split("/")): shape for name, shape in net.signature.synapses.items()}
    own = {channel: shape for (of, channel), shape in parts.items() if of == projection}
    for channel, values in channels.items():
        if not channel and len(own) != 1:
            message = f"the synapses of `{projection}` have {len(own)} channels: which one is `start_{projection}`?"
            yield message, f"say so: `start_{projection}.{next(iter(own), 'w')}`"
        elif channel and channel not in own:
            yield f"`{projection}` has no channel `{channel}`", suggest(channel, own, f"it has {', '.join(own)}")
        elif values.shape[1:] != (shape := own[channel or next(iter(own))]):
            yield f"`start_{projection}` has shape {list(values.shape[1:])}, expected {list(shape)}", None


# ---------------------------------------------------------------- replaying


def begun(net: Net, genome: GenomeValues, key: jax.Array, replay: Replay) -> State:
    """Before the first step: with the synapses of the recording, as far as they are known."""
    state = net.init(key, genome, batch=1)
    synapses = {name: dict(channels) for name, channels in state.synapses.items()}
    for projection, channels in replay.start.items():
        own = synapses[projection]
        own |= {channel or next(iter(own)): values for channel, values in channels.items()}
    return state._replace(synapses=synapses)


def steps(net: Net, shown: Shown) -> Steps:
    """What the network takes, one step after the other, each with a batch of one."""
    signature, time = net.signature, length(shown)
    xs, ys, signals = map_tree(lambda a: _in_turn(a, time), (shown.xs, shown.ys, shown.signals))
    reset = np.arange(len(xs)) % max(1, time) == 0 if signature.persistent else None
    fed = {
        name: signals[name].reshape(len(xs), *([1] if name in signature.per_example else []), *shape)
        for name, shape in signature.signals.items()
        if name in signals
    }
    return Steps(xs[:, None], None if ys is None else ys[:, None], reset, fed)


def length(shown: Shown) -> int:
    """The steps of a sequence; 0 if what is shown in a step is not one."""
    return shown.xs.shape[1] if shown.xs.ndim > 2 else 0


def _in_turn(a: jax.Array, time: int) -> jax.Array:
    """[steps, time, ..] -> [steps * time, ..]."""
    return a.reshape(-1, *a.shape[2:]) if time else a


def replayed(
    net: Net, genome: GenomeValues, state: State, shown: Shown, key: jax.Array, recompute: bool = False
) -> tuple[State, Activity]:
    """The state after all steps, and the activity on the way."""
    wanted = {name: what(net, name) for name in shown.recorded}
    taken = steps(net, shown)

    def step(state: State, now: Any) -> tuple[State, Activity]:
        (x, y, anew, signals), key = now
        if anew is not None:  # neurons start from 0
            neurons = map_tree(lambda a: jnp.where(anew, jnp.zeros_like(a), a), state.neurons)
            state = state._replace(neurons=neurons)
        fed: dict[str, Any] = {"signals": signals, "key": key}
        phases = net.trace(genome, state, x, y, **fed)
        values = {name: before_feedback(net, phases, *of)[0] for name, of in wanted.items()}
        after, _ = net.step(genome, state, x, y, **fed)
        return after, Activity(values, finite((after, values)))

    keys = jax.random.split(key, len(taken.xs))
    state, found = unroll.scan(step, state, (taken, keys), recompute=recompute)
    return state, map_tree(lambda a: a.reshape(*_lead(shown), *a.shape[1:]), found)


def _lead(shown: Shown) -> tuple[int, ...]:
    """[steps], or with time [steps, time]."""
    return shown.xs.shape[:-1]


def agreement(objective: Objective, activity: Activity, shown: Shown) -> jax.Array:
    """The objective of the activity, over all that is known; 0 where nothing is, and NaN if anything was not finite."""
    found, wanted, known = (
        jnp.concatenate([part[name].reshape(-1, part[name].shape[-1]) for name in shown.recorded], axis=1)
        for part in (activity.values, shown.recorded, shown.known)
    )
    value: Any = jnp.where(known.any(), objective.score(found, wanted, known), 0.0)
    return jnp.where(activity.sound.all(), value, jnp.nan)
