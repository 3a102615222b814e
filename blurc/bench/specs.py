"""The benchmarked networks in the language: two rules of the library, on any perceptron."""

from __future__ import annotations

from collections.abc import Sequence

BACKPROP = 'import "rules/backprop.blur"\n'
BLUR = 'import "rules/blur.blur"\n'

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
    """The output population keeps tanh, as in `einsum.py`."""
    return BLUR + _perceptron(f"blur(k = {k})", sizes, "")


def deep() -> str:
    """`depth` hidden layers of `width` neurons, both parameters of the network."""
    return BACKPROP + DEEP


def _perceptron(genome: str, sizes: Sequence[int], output: str) -> str:
    *inner, last = range(len(sizes))
    populations = [f"input h0[{sizes[0]}]"]
    populations += [f"hidden h{i}[{sizes[i]}]" for i in inner[1:]]
    populations += [f"output h{last}[{sizes[last]}] {output}"]
    projections = [f"h{i} -> h{i + 1}" for i in inner]
    return "\n  ".join([f"network perceptron uses {genome} {{", *populations, *projections]) + "\n}\n"
