"""Two rules, small graphs, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import pytest

import blurc

# A rule with one state, one channel and one step of memory: easy to do in NumPy.
RULE = """
genome rule {
  state   a
  synapse w ~ normal(1 / sqrt(fan_in))
  fn      phi = tanh
  sense   { a <- input }
  forward { a <- phi(incoming(w * pre.a)) }
  update  { w <- w + 0.01 * batch_mean(pre.a * post.a) }
  readout a
}
"""


FIXED = """
genome fixed {
  state   a
  synapse w ~ normal(1 / sqrt(fan_in))
  sense   { a <- input }
  forward { a <- tanh(incoming(w * pre.a)) }
  update  { w <- 1 * w }
  readout a
}
"""


ENDS: Mapping[str, Any] = {"inputs": [0], "outputs": [2]}


def chain(count: int = 3) -> nx.DiGraph[int]:
    return nx.path_graph(count, create_using=nx.DiGraph)


def shaped(**attributes: Any) -> nx.MultiDiGraph[str]:
    wiring: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    wiring.add_node("x", role="input", shape=2)
    wiring.add_node("y", **{"role": "output", "shape": 2, **attributes})
    wiring.add_edge("x", "y")
    return wiring


def codes(graph_: Any, **given: Any) -> list[str]:
    with pytest.raises(blurc.BlurError) as error:
        blurc.from_networkx(graph_, genome=RULE, **given)
    return [d.code for d in error.value.diagnostics]


def message(graph_: Any, **given: Any) -> str:
    with pytest.raises(blurc.BlurError) as error:
        blurc.from_networkx(graph_, genome=RULE, **given)
    return str(error.value)


def text(net: blurc.Net) -> str:
    return net.sources.texts[0][1]


def lines(net: blurc.Net) -> list[str]:
    """Of the body of the network."""
    return [line.strip() for line in text(net).split(" uses rule {")[1].splitlines() if line.startswith("  ")]
