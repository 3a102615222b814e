"""The benchmarked networks in the language, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

import blurc
from blurc.bench.timing import Loop

BACKPROP = 'import "rules/backprop.blur"\n'
BLUR = 'import "rules/blur.blur"\n'

DEEP = """
import "rules/backprop.blur"
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


CONVOLUTIONS = """
import "rules/backprop.blur"
network convnet uses backprop(rate = 0.1) {
  input  image[28, 28, 1]
  hidden first[14, 14, 8]  { bias = shared }
  hidden second[7, 7, 16]  { bias = shared }
  output y[10]             { phi = linear }
  image -> first  [conv(3, 3, stride = 2)]
  first -> second [conv(3, 3, stride = 2)]
  second -> y
}
"""

SPARSE = """
import "rules/backprop.blur"
network sparse(n = 1000) uses backprop {
  input  x[n]
  hidden h[n]
  output y[1] { phi = linear }
  x -> h [TOPOLOGY]
  h -> y
}
"""


FIVE = """
import "rules/backprop.blur"
genome five extends backprop {
  learn  decay = 0, cube = 0, hebb = 0, even = 0
  update {
    w <- w - eta * batch_mean(pre.act * post.err) - even * batch_mean(pre.act ^ 2 * post.err)
           - hebb * batch_mean(pre.act * post.act) - decay * w - cube * w ^ 3
  }
}
"""


def five(sizes: Sequence[int]) -> str:
    """Backpropagation with five meta-parameters."""
    return FIVE + _perceptron("five", sizes, "{ phi = linear }")


def backprop(sizes: Sequence[int]) -> str:
    return BACKPROP + _perceptron("backprop", sizes, "{ phi = linear }")


def general(sizes: Sequence[int]) -> str:
    return 'import "rules/general.blur"\n' + _perceptron("general", sizes, "{ phi = linear }")


def blur(sizes: Sequence[int], k: int) -> str:
    """The output population keeps tanh, as in `einsum.py`."""
    return BLUR + _perceptron(f"blur(k = {k})", sizes, "")


def sparse(topology: str) -> str:
    """`n` neurons in a hidden population behind this topology."""
    return SPARSE.replace("TOPOLOGY", topology)


def start(spec: str, batch: int | None = None, **parameters: Any) -> tuple[Any, Any, Any]:
    """A compiled network, its genome, its initial state."""
    net = blurc.compile(spec, **parameters)
    genome = net.init_genome(jax.random.key(0))
    return net, genome, net.init(jax.random.key(1), genome, batch)


def trained(spec: str, xs: Any, ys: jax.Array, **parameters: Any) -> Loop:
    net, genome, state = start(spec, ys.shape[1], **parameters)
    return Loop(lambda s: net.train(genome, s, xs, ys, donate=True), state)


def _perceptron(genome: str, sizes: Sequence[int], output: str) -> str:
    *inner, last = range(len(sizes))
    populations = [f"input h0[{sizes[0]}]"]
    populations += [f"hidden h{i}[{sizes[i]}]" for i in inner[1:]]
    populations += [f"output h{last}[{sizes[last]}] {output}"]
    projections = [f"h{i} -> h{i + 1}" for i in inner]
    return "\n  ".join([f"network perceptron uses {genome} {{", *populations, *projections]) + "\n}\n"
