"""Five arms pay with unknown chances, other ones in every lifetime: a rule for rewards among algorithms made for this.

The rule is policy_gradient, which knows nothing of bandits. Its network is a neuron for each arm. The algorithms are
UCB1 (Auer, Cesa-Bianchi and Fischer 2002) and Thompson sampling; the best arm is what somebody would pull who knew.
"""

import jax
import jax.numpy as jnp

import blurc

ARMS, PULLS, LIVES = 5, 100, 1000
SPEC = """
import "rules/policy_gradient.blur"
network arms uses policy_gradient(rate = 0.5, decay = 0, size = 0) {
  input  always[1]
  output arm[5] { phi = linear }
  always -> arm
}
"""
net = blurc.compile(SPEC)
genome = net.init_genome(jax.random.key(0))


def life(choose, learn, start):
    """The mean reward of each lifetime. choose: (state, chances, key) -> an arm; learn: (state, arm, reward, key)."""

    def pull(carry, key):
        state, chances = carry
        choose_key, pay_key = jax.random.split(key)
        arm = choose(state, chances, choose_key)
        reward = jax.random.bernoulli(pay_key, chances[arm]).astype(float)
        return (learn(state, arm, reward, choose_key), chances), reward

    def whole(key):
        chances_key, key = jax.random.split(key)
        chances = jax.random.uniform(chances_key, (ARMS,))
        return jax.lax.scan(pull, (start, chances), jax.random.split(key, PULLS))[1].mean()

    return jax.jit(jax.vmap(whole))(jax.random.split(jax.random.key(1), LIVES))


def signals(reward):
    return {"reward": reward[None], "done": jnp.ones(1)}


def by_rule(state, chances, key):
    network, reward = state
    out = net.predict(genome, network, jnp.ones((1, 1)), signals=signals(reward))
    return jax.random.categorical(key, out[0])


def learned(state, arm, reward, key):
    """The target is the arm that was pulled; the reward is that of the pull before."""
    network, before = state
    target = jax.nn.one_hot(arm, ARMS)[None]
    network, _ = net.step(genome, network, jnp.ones((1, 1)), target, signals=signals(before))
    return network, reward


def counted(state, arm, reward, key):
    """How often each arm was pulled, and how often it paid."""
    pulls, paid = state
    return pulls.at[arm].add(1), paid.at[arm].add(reward)


def ucb(state, chances, key):
    pulls, paid = state
    bonus = jnp.sqrt(2 * jnp.log(jnp.maximum(pulls.sum(), 1)) / jnp.maximum(pulls, 1))
    return jnp.argmax(jnp.where(pulls > 0, paid / jnp.maximum(pulls, 1) + bonus, jnp.inf))


def thompson(state, chances, key):
    pulls, paid = state
    return jnp.argmax(jax.random.beta(key, 1 + paid, 1 + pulls - paid))


nothing = (jnp.zeros(ARMS), jnp.zeros(ARMS))
fresh = (net.init(jax.random.key(2), genome, batch=1), jnp.zeros(()))
rows = {
    "any arm": life(lambda state, chances, key: jax.random.randint(key, (), 0, ARMS), counted, nothing),
    "policy_gradient": life(by_rule, learned, fresh),
    "UCB1": life(ucb, counted, nothing),
    "Thompson sampling": life(thompson, counted, nothing),
    "the best arm": life(lambda state, chances, key: jnp.argmax(chances), counted, nothing),
}
for name, paid in rows.items():
    print(f"{name:18} {paid.mean():.3f} of {PULLS} pulls paid")
