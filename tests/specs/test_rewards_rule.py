"""The rules for rewards, policy_gradient and actor_critic."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
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


# ----------------------------------------------------------- actor and critic

JUDGED = """
network judged {
  input  x[3]
  hidden value[1] { kind = critic, bias = off }
  output y[2] { phi = linear, bias = off }
  x -> y
  x -> value [kind = value]
  y -> value [backward, fixed, kind = dopamine]
}
"""


@pytest.fixture(scope="module")
def judged() -> blurc.Net:
    return blurc.compile(JUDGED, genome="actor_critic")


def heard(reward: float, done: float) -> dict:
    return {"reward": jnp.asarray([reward]), "done": jnp.asarray([done])}


def test_a_critic_learns_by_temporal_differences_and_the_actor_from_its_surprise(judged: blurc.Net) -> None:
    """With one-hot inputs: tabular TD(lambda), over the end of an episode."""
    genome = {**judged.init_genome(KEY), "eta": 0.5, "nu": 0.2, "keep": 0.8, "gamma": 0.9, "spread": 0.0}
    state, rng = judged.init(KEY, genome, batch=1), np.random.default_rng(0)
    worth, traced, tended, values, likes = 0.0, np.zeros(3), np.zeros((3, 2)), np.zeros(3), np.zeros((3, 2))
    for place, reward, done in [(0, 0.0, 0), (1, 0.5, 0), (2, 2.0, 0), (0, 1.0, 1), (1, 0.0, 0), (1, -1.0, 0)]:
        here, action = np.eye(3)[place], np.eye(2)[rng.integers(2)]
        state, out = judged.step(genome, state, here[None], action[None], signals=heard(reward, done))
        np.testing.assert_allclose(out[0], likes[place], atol=1e-6)
        surprise = reward + 0.9 * (1 - done) * values[place] - worth
        worth, chances = values[place], np.exp(likes[place]) / np.exp(likes[place]).sum()
        values, likes = values + 0.2 * surprise * traced, likes + 0.5 * surprise * tended
        lasts = 0.9 * 0.8 * (1 - done)
        traced, tended = lasts * traced + here, lasts * tended + np.outer(here, action - chances)
        np.testing.assert_allclose(state.synapses["x->value"]["w"][:, 0], values, atol=1e-6)
        np.testing.assert_allclose(state.synapses["x->y"]["w"], likes, atol=1e-6)
    assert np.abs(likes).max() > 0.1


def test_inputs_leave_a_trace_that_ends_with_the_episode(judged: blurc.Net) -> None:
    genome = {**judged.init_genome(KEY), "leak": 0.5}
    state, held = judged.init(KEY, genome, batch=1), []
    for x, done in (([1.0, 0.0, 0.0], 0), ([0.0, 1.0, 0.0], 0), ([0.0, 0.0, 1.0], 1)):
        state, _ = judged.step(genome, state, jnp.asarray([x]), jnp.eye(2)[:1], signals=heard(0, done))
        held.append(state.neurons["x"]["held"][0].tolist())
    assert held == [[1, 0, 0], [0.5, 1, 0], [0, 0, 1]]


def test_surprise_reaches_a_hidden_layer_and_sends_no_error_with_it() -> None:
    net = blurc.compile("networks/critic.blur", network="deep_critic", hidden=5)
    genome = net.init_genome(KEY)
    state, x = net.init(KEY, genome, batch=1), jnp.asarray([[0.5, -1.0, 2.0, 0.1]])
    seen = net.trace(genome, state, x, jnp.eye(2)[:1], signals=heard(1.0, 0))
    forward, back = seen["forward"], seen["backward"]
    surprise = forward["value"]["delta"]
    np.testing.assert_allclose(back["h"]["delta"], jnp.broadcast_to(surprise, (1, 5)), rtol=1e-6)
    np.testing.assert_allclose(back["act"]["delta"], jnp.broadcast_to(surprise, (1, 2)), rtol=1e-6)
    act, value = (state.synapses[name]["w"] for name in ("h->act", "h->value"))
    expected = forward["h"]["slope"] * (seen["feedback"]["act"]["err"] @ act.T + value.T)
    np.testing.assert_allclose(back["h"]["err"], expected, rtol=1e-5)
