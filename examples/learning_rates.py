"""Many genomes in one program: `vmap` over a meta-parameter, and the gradient of the loss with respect to it."""

import jax
import jax.numpy as jnp

import blurc
from blurc import tasks

digits = tasks.load("digits")
net = blurc.compile("networks/digits.blur", hidden=32, depth=1)
state = net.init(jax.random.key(0), net.init_genome(jax.random.key(0)))
xs, ys = tasks.batches(digits, batch=64, steps=100, seed=0)


def loss(rate):
    """Cross entropy on the test digits after 100 steps of learning at this rate."""
    trained, _ = net.train({"eta": rate}, state, xs, ys)
    out = net.predict({"eta": rate}, trained, digits.x_test)
    return -(digits.y_test * jax.nn.log_softmax(out)).sum(-1).mean()


rates = jnp.array([0.01, 0.03, 0.1, 0.3, 1.0])
losses, slopes = jax.jit(jax.vmap(jax.value_and_grad(loss)))(rates)
for rate, value, slope in zip(rates, losses, slopes, strict=True):
    print(f"eta {rate:5.2f}   loss {value:.3f}   d loss / d eta {slope:+.3f}")
