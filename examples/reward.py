"""Learning from a reward that comes later: a neuron answers to cues, and a world decides what its answers are worth.

The rule is three_factor: what fires together leaves a trace in the synapse, and the signal `reward`, which reaches all
synapses alike, turns the trace into learning. The world is a function of this script, in the same compiled program.
"""

import jax
import jax.numpy as jnp

import blurc

CUES, DELAY, TRIALS = 4, 3, 300
SPEC = """
import "rules/three_factor.blur"
network actor uses three_factor {
  input  cue[4]
  output act[1] { bias = off }
  cue -> act
}
"""

wanted = jnp.array([1.0, -1.0, -1.0, 1.0])  # the sign that is worth a reward, for each cue
nothing = jnp.zeros((1, CUES))


def learn(decay):
    """What each trial brought, 1 or -1. In a trial a cue is shown for a step; the reward comes DELAY steps later."""
    net = blurc.compile(SPEC, decay=decay)
    genome = net.init_genome(jax.random.key(0))

    def trial(state, now):
        cue, keys = now
        shown = jax.nn.one_hot(cue, CUES)[None]
        state, answer = net.step(genome, state, shown, signals={"reward": 0.0}, key=keys[0])
        for key in keys[1:-1]:
            state, _ = net.step(genome, state, nothing, signals={"reward": 0.0}, key=key)
        reward = jnp.sign(answer[0, 0]) * wanted[cue]
        state, _ = net.step(genome, state, nothing, signals={"reward": reward}, key=keys[-1])
        return state, reward

    cues, keys = jax.random.split(jax.random.key(1))
    trials = (jax.random.randint(cues, (TRIALS,), 0, CUES), jax.random.split(keys, (TRIALS, DELAY + 1)))
    return jax.lax.scan(trial, net.init(jax.random.key(2), genome), trials)[1]


for decay in (0.8, 0.0):
    rewards = learn(decay)
    parts = "   ".join(f"{part.mean():+.2f}" for part in jnp.split(rewards, 5))
    print(f"traces that keep {decay:.1f} a step: mean reward {parts}")
