"""What is measured, in the language: backpropagation and the paper's general rule, on any perceptron."""

from __future__ import annotations

from collections.abc import Sequence

BACKPROP = """
genome backprop(rate = 0.1) {
  state   act, err
  synapse w ~ normal(1 / sqrt(fan_in))
  learn   eta = rate
  fn      phi = tanh

  sense    { act <- input }
  forward  {
    let z = incoming(w * pre.act)
    act <- phi(z)
    err <- phi'(z)
  }
  feedback { err <- err * (softmax(act) - target) }
  backward { err <- err * outgoing(w * post.err) }
  update   { w <- w - eta * batch_mean(pre.act * post.err) }
  readout  act
}
"""

# The output population keeps tanh, as in `einsum.py`.
BLUR = """
genome blur(k = 2) {
  state   a[k]
  synapse w[k] ~ normal(1 / sqrt(fan_in))
  synapse v[k] ~ normal(1 / sqrt(fan_out))

  learn nu[k, k] ~ normal(1), mu[k, k] ~ normal(1)
  learn hp[k, k] ~ normal(1), hq[k, k] ~ normal(1)
  learn f = 0.0, eta = 1.0, fs = 1.0, es = -0.001, oja = 0.0
  learn gain[k] = 1.0, shift[k] = 0.0
  fn    phi = tanh

  sense    { a[0] <- input }
  forward  { a <- phi(gain * standardize(f * a + eta * incoming(w * (nu @ pre.a))) + shift) }
  feedback { a[1] <- 2 * target - 1;  a[2:] <- 0 }
  backward { a <- phi(gain * standardize(f * a + eta * outgoing(v * (mu @ post.a))) + shift) }
  update {
    w <- fs * w + es * batch_mean((hp @ pre.a) * (hq @ post.a)) - oja * w * post.incoming(w ^ 2)
    v <- fs * v + es * batch_mean((hp @ post.a) * (hq @ pre.a)) - oja * v * pre.outgoing(v ^ 2)
  }
  readout a[0]
}
"""

DEEP = """
network deep(depth = 1, width = 32) uses backprop {
  input  x[width]
  hidden h{1}[width]
  x -> h{1}
  for i in 2..depth {
    hidden h{i}[width]
    h{i-1} -> h{i}
  }
  output y[10] { phi = linear }
  h{depth} -> y
}
"""


def backprop(sizes: Sequence[int]) -> str:
    return BACKPROP + _perceptron("backprop", sizes, "{ phi = linear }")


def blur(sizes: Sequence[int], k: int) -> str:
    return BLUR + _perceptron(f"blur(k = {k})", sizes, "")


def deep() -> str:
    """`depth` hidden layers of `width` neurons, both of them parameters of the network."""
    return BACKPROP + DEEP


def _perceptron(genome: str, sizes: Sequence[int], output: str) -> str:
    *inner, last = range(len(sizes))
    populations = [f"input h0[{sizes[0]}]"]
    populations += [f"hidden h{i}[{sizes[i]}]" for i in inner[1:]]
    populations += [f"output h{last}[{sizes[last]}] {output}"]
    projections = [f"h{i} -> h{i + 1}" for i in inner]
    return "\n  ".join([f"network perceptron uses {genome} {{", *populations, *projections]) + "\n}\n"
