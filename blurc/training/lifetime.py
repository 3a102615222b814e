"""A network that lives in an environment: a closed loop, in one program.

In step t the network sees observation t, and hears of step t - 1 through the signals `reward` and `done`. Its readout
chooses action t, which is also its target in this very step: one-hot, or the clipped readout. So a rule for rewards
writes `err <- target - softmax(act)` in `feedback`, leaves what this says about a synapse in a trace, and meets the
reward for it in the next step, with the trace as it was before.

A lifetime has one network, whose synapses are shared by all copies of the environment (the batch). Episodes begin and
end within it, for each copy by itself, and reset nothing in the network, as in Duan et al. (2016) and Wang et al.
(2016): a rule that wants to forget reads `done`, which is 1 in the first step of an episode that follows another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from blurc.runtime import GenomeValues, Program, State
from blurc.tasks import Felt, Lifetime, Objective, Variation, World
from blurc.training.learner import finite

SIGNALS = ("reward", "done")


class Alive(NamedTuple):
    """Between two steps. places: the states of the environments. total: the rewards of the episodes that go on [batch].
    sound: whether everything was finite so far."""

    network: State
    places: Any
    observation: jax.Array
    felt: Felt
    total: jax.Array
    sound: jax.Array


class Fate(NamedTuple):
    """Of steps: the rewards of each episode so far [steps, batch], where one ended, [steps, batch] of zeros and ones,
    and whether everything was finite until then [steps]."""

    totals: jax.Array
    ends: jax.Array
    sound: jax.Array

    def worth(self, objective: Objective, last: int) -> jax.Array:
        """The objective of the last so many steps; NaN if anything was not finite."""
        value: Any = objective.score(self.totals[-last:], self.ends[-last:])
        return jnp.where(self.sound[-1], value, jnp.nan)


def step_keys(key: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Of a step: for the noise in the network, for the choice of the action, and for the environment."""
    noise, act, move = jax.random.split(key, 3)
    return noise, act, move


@dataclass(frozen=True, eq=False)
class Living:
    """Pure functions of a network in a world, for a batch of copies. frozen: the network runs as `net.run` runs it, so
    that it does not learn."""

    net: Program
    world: World
    batch: int
    frozen: bool = False

    def born(self, genome: GenomeValues, key: jax.Array, lifetime: Lifetime) -> Alive:
        """key: for the synapses."""
        places, seen = self.world.variation(lifetime.variation).begin(jax.random.split(lifetime.first, self.batch))
        nothing = jnp.zeros(self.batch)
        felt = Felt(jnp.zeros((self.batch, self.world.outputs)), nothing, nothing)
        network = self.net.init(key, genome, batch=self.batch)
        return Alive(network, places, seen, felt, nothing, jnp.asarray(True))

    def lived(self, genome: GenomeValues, alive: Alive, lifetime: Lifetime) -> tuple[Alive, Fate]:
        """After the steps of the lifetime's keys."""
        here = self.world.variation(lifetime.variation)

        def step(alive: Alive, key: jax.Array) -> tuple[Alive, Fate]:
            return self._step(genome, here, alive, key)

        return jax.lax.scan(step, alive, lifetime.keys)

    def _step(self, genome: GenomeValues, here: Variation, alive: Alive, key: jax.Array) -> tuple[Alive, Fate]:
        noise_key, act_key, move_key = step_keys(key)
        network, out, actions, target = self._answered(genome, here, alive, noise_key, act_key)
        places, seen, reward, ends = here.move(move_key, alive.places, actions)
        total = alive.total + reward
        sound = alive.sound & finite((network, out, reward))
        felt = Felt(target, reward, ends)
        return Alive(network, places, seen, felt, total * (1 - ends), sound), Fate(total, ends, sound)

    def _answered(
        self, genome: GenomeValues, here: Variation, alive: Alive, noise: jax.Array, act: jax.Array
    ) -> tuple[State, jax.Array, jax.Array, jax.Array]:
        """The network after a step, its readout, and the action in both forms. A rule that learns from its action has
        to be asked before; the random numbers of both are the same, and so is the readout."""
        net, x = self.net, here.seen(alive.observation, alive.felt)
        if self.frozen:
            signals = {name: value[None] for name, value in self.signals("run", alive.felt).items()}
            network, outs = net.run(genome, alive.network, x[None], signals=signals, key=noise)
            out: Any = outs
            return network, out[0], *here.act(self._flat(out[0]), act)
        if not net.signature.uses_target:
            network, out = net.step(genome, alive.network, x, signals=self.signals("step", alive.felt), key=noise)
            return network, out, *here.act(self._flat(out), act)
        out = net.predict(genome, alive.network, x, signals=self.signals("predict", alive.felt), key=noise)
        actions, target = here.act(self._flat(out), act)
        network, _ = net.step(genome, alive.network, x, target, signals=self.signals("step", alive.felt), key=noise)
        return network, out, actions, target

    def _flat(self, out: jax.Array) -> jax.Array:
        return out.reshape(self.batch, -1)

    def signals(self, entry: str, felt: Felt) -> dict[str, jax.Array]:
        """Those that the network reads; the mean over the batch, unless they are per example."""
        s = self.net.signature
        values = {"reward": felt.reward, "done": felt.done}
        return {name: values[name] if name in s.per_example else values[name].mean() for name in s.reads[entry].signals}
