"""Which rule of plasticity is at work? Fitted to recorded activity alone, as in Mehta et al., "Model based inference of
synaptic plasticity rules" (NeurIPS 2024).

A layer learns by Oja's rule, and only what its neurons do is recorded, one input at a time. A rule with a coefficient
for each of seven candidate terms is then fitted to the recording: gradients go through all its steps. It needs to know
the inputs and the first synapses, and nothing of the rule.

    python examples/recorded.py        # a few seconds; prints all coefficients, found and true
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

import blurc

SPEC = """
genome candidates {
  state act
  synapse w ~ normal(1 / sqrt(fan_in))
  learn pre_post = 0, post2_w = 0, decay = 0, only_pre = 0, only_post = 0, pre_w = 0, post_w = 0

  sense   { act <- input }
  forward { act <- tanh(incoming(w * pre.act)) }
  update  {
    w <- w + batch_mean(pre_post * pre.act * post.act + post2_w * post.act ^ 2 * w + decay * w
                        + only_pre * pre.act + only_post * post.act + pre_w * pre.act * w + post_w * post.act * w)
  }
  readout act
}
network layer uses candidates { input x[6]  output y[3] { bias = off }  x -> y }
"""
TRUE = {"pre_post": 0.05, "post2_w": -0.05}  # Oja's rule; all others are 0
TRIALS, STEPS, FITTING = 8, 100, 25
NOISE = 0.01  # standard deviation of what is recorded; that of the activity is 0.8


def main() -> dict[str, float]:
    net = blurc.compile(SPEC)
    nothing = net.init_genome(jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), TRIALS)
    first = jax.vmap(lambda key: net.init(key, nothing, batch=1))(keys)
    mixed = jax.random.normal(jax.random.key(2), (6, 6)) / 6**0.5
    xs = jax.random.normal(jax.random.key(3), (TRIALS, STEPS, 1, 6)) @ mixed

    def activity(genome: dict[str, jax.Array]) -> jax.Array:
        """Of all neurons while they learn, [trials, steps, 1, neurons]."""
        return jax.vmap(lambda state, x: net.train(genome, state, x)[1])(first, xs)

    oja = {**nothing, **{name: jnp.asarray(value) for name, value in TRUE.items()}}
    recording = jax.jit(activity)(oja)
    recording += NOISE * jax.random.normal(jax.random.key(4), recording.shape)
    vector, genome_of = ravel_pytree(nothing)

    @jax.jit
    def step(found: jax.Array, damping: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Of Levenberg and Marquardt: there are few coefficients, so their derivatives go forward through the steps."""
        far = lambda v: (activity(genome_of(v)) - recording).ravel()  # noqa: E731
        slopes, error = jax.jacfwd(far)(found), far(found)
        scale = damping * jnp.diag(jnp.diag(slopes.T @ slopes))
        tried = found - jnp.linalg.solve(slopes.T @ slopes + scale, slopes.T @ error)
        better = (far(tried) ** 2).sum() < (error**2).sum()
        return jnp.where(better, tried, found), jnp.where(better, damping / 10, damping * 10)

    found, damping = vector, jnp.asarray(1.0)
    for _ in range(FITTING):
        found, damping = step(found, damping)
    values = {name: float(value) for name, value in genome_of(found).items()}
    for name, value in values.items():
        print(f"{name:9} {value:9.5f}   true: {TRUE.get(name, 0)}")
    return values


if __name__ == "__main__":
    main()
