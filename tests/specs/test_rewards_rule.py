"""The rule for rewards, policy_gradient."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from rules import KEY

import blurc

NETWORK = "network n { input x[3]  hidden h[5]  output y[4] { phi = linear }  x -> h  h -> y }"


def test_after_one_action_the_mean_update_is_the_gradient_of_the_expected_reward() -> None:
    """Each action is an example, whose reward is weighed by how likely it is."""
    net = blurc.compile(NETWORK, genome="policy_gradient")
    genome = {**net.init_genome(KEY), "eta": 1.0, "spread": 1.0}
    state = net.init(KEY, genome, batch=4)
    x, actions, rewards = jnp.asarray([[0.5, -1.0, 2.0]] * 4), jnp.eye(4), jnp.asarray([1.0, -2.0, 0.5, 3.0])

    def expected(synapses: dict) -> jax.Array:
        out = net.predict(genome, state._replace(synapses=synapses), x, signals=signals(jnp.zeros(4)))
        return jax.nn.softmax(out[0]) @ rewards

    def signals(reward: jax.Array) -> dict:
        return {"reward": reward, "done": jnp.zeros(4)}

    out = net.predict(genome, state, x, signals=signals(jnp.zeros(4)))
    acted, _ = net.step(genome, state, x, actions, signals=signals(jnp.zeros(4)))
    after, _ = net.step(genome, acted, x, actions, signals=signals(4 * jax.nn.softmax(out[0]) * rewards))
    slopes = jax.grad(expected)(state.synapses)
    for of, slope in slopes.items():
        np.testing.assert_allclose(after.synapses[of]["w"] - state.synapses[of]["w"], slope["w"], atol=1e-5)


def test_the_end_of_an_episode_is_the_end_of_its_traces() -> None:
    net = blurc.compile(NETWORK, genome="policy_gradient")
    genome = net.init_genome(KEY)
    state, x, nothing = net.init(KEY, genome, batch=1), jnp.ones((1, 3)), jnp.zeros(1)
    for done in (0.0, 1.0):
        step, _ = net.step(genome, state, x, jnp.eye(4)[:1], signals={"reward": nothing, "done": nothing + done})
        later, _ = net.step(genome, step, 0 * x, jnp.eye(4)[:1], signals={"reward": nothing, "done": nothing + done})
        carried = bool(jnp.abs(later.neurons["x->h"]["trace"]).max() > 0)
        assert carried == (done == 0)
